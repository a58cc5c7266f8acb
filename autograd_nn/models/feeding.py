"""From what users pass to `fit`, `evaluate` and `predict` to batches: converted, checked, the model built for them."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ..engine.spec import BATCH, Dim, Spec, default_float, public_shape, show_shape, signature
from ..engine.tensor import Tensor, symbol
from ..engine.tree import flatten, tree_map, unflatten
from ..errors import ArgumentTypeError, DataError, InvalidArgument, ShapeError
from ..layers.context import Rebuilt, shapes_only
from ..random import make_seed
from ..transforms import no_grad
from ..utils.py_dataset import PyDataset
from .arguments import check_split, split_point
from .arrays import arrays_of, cast_to, check_finite, check_lengths, float_cast, take, warn_unscaled
from .data import (
    ArrayBatches,
    Batch,
    DatasetBatches,
    Preparer,
    Source,
    StreamBatches,
    is_stream,
    pack,
    refuse_beside_stream,
    require_steps,
    unpack,
)
from .outputs import flat, targets
from .target_checks import Checked, check_target
from .weights import check_class_weight, check_weights, class_weights

BATCH_SIZE = 32


class Feeder:
    """Makes sources of batches for one model, and makes the model ready for them."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._state = model._compiled

    @cached_property
    def _inputs(self) -> list[Any]:
        """The input tensors of a model that has them."""
        inputs = getattr(self._model, "inputs", None)
        return [t for t in flatten(inputs)[0] if isinstance(t, Tensor)] if inputs is not None else []

    # --- faces

    def training(
        self, x: Any, y: Any, sample_weight: Any, batch_size: int | None, shuffle: bool, class_weight: Any, steps: Any
    ) -> Source:
        """Batches to train on."""
        if class_weight is not None:
            check_class_weight(class_weight)
        require_steps(x, steps, "steps_per_epoch")
        seed = make_seed() if shuffle else None
        source = self._source(x, y, sample_weight, batch_size, seed, class_weight, self._needs_y("train_step"))
        if not is_stream(x) and self._wants_floats():
            warn_unscaled(arrays_of(x, "x"))
        if self._model.optimizer is not None:
            self._model.optimizer.build(self._model._trained_variables())
        return source

    def validation(self, data: Any, batch_size: int | None, steps: int | None) -> Source | None:
        """Batches to validate on; None for None."""
        if data is None:
            return None
        require_steps(data, steps, "validation_steps")
        if is_stream(data):
            return self._source(data, None, None, None, None, None, self._needs_y("test_step"))
        if not isinstance(data, (tuple, list)) or not 1 <= len(data) <= 3:
            raise ArgumentTypeError(
                "validation_data must be (x, y) or (x, y, sample_weight), a generator or a PyDataset"
            )
        x, y, weight = unpack(tuple(data))
        return self._source(x, y, weight, batch_size, None, None, self._needs_y("test_step"), "validation ")

    def testing(self, x: Any, y: Any, sample_weight: Any, batch_size: int | None) -> Source:
        """Batches to evaluate on."""
        return self._source(x, y, sample_weight, batch_size, None, None, self._needs_y("test_step"))

    def predicting(self, x: Any, batch_size: int | None) -> Source:
        """Batches to predict for; targets that a generator gives are left alone."""
        return self._source(x, None, None, batch_size, None, None, False, targets_matter=False)

    def batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, with_targets: bool = True
    ) -> Batch:
        """One batch, given as arrays."""
        leaves: list[Any] = []
        form = (with_targets, Rebuilt.times, default_float(), signature((x, y, sample_weight), leaves))
        structure = self._state.forms.get(form) if class_weight is None else None
        if structure is not None:
            known: Batch = unflatten(structure, leaves)
            self._check_values(known, with_targets)
            return known
        needs_y = with_targets and self._state.compile_loss is not None
        source = self._source(
            x, y, sample_weight, None, None, class_weight, needs_y, targets_matter=with_targets, whole=True
        )
        batch = source.first()
        taken, structure = flatten(batch)
        if class_weight is None and _the_same(leaves, taken):
            self._state.forms[form] = structure
        return batch

    def _check_values(self, batch: Batch, targets_matter: bool) -> None:
        """What depends on the values of a batch whose form is known to be right."""
        x, y, weights = unpack(batch)
        if targets_matter:
            self._check_targets(y, "y")
        if weights is not None:
            check_weights(weights, "sample_weight")
            check_finite(weights, "sample_weight")
        check_finite(x, "x")
        check_finite(y, "y")

    def _needs_y(self, step: str) -> bool:
        """Whether batches must have targets: the usual step needs them, unless no loss was given."""
        return self._state.compile_loss is not None and not self._model._overrides(step)

    # --- sources

    def _source(
        self, x: Any, y: Any, sample_weight: Any, batch_size: int | None, seed: Any, class_weight: Any, needs_y: bool,
        label: str = "", targets_matter: bool = True, whole: bool = False,
    ) -> Source:  # fmt: skip
        if is_stream(x):
            refuse_beside_stream(x, y, sample_weight)
            source = self._stream(x, seed, class_weight, needs_y)
            first = source.first()
            self._prepare(lambda: first, targets_matter)
            return source
        parts, count = self._parts(x, y, sample_weight, class_weight, needs_y, label)
        size = count if whole else batch_size or BATCH_SIZE
        batches = ArrayBatches(parts, count, size, seed, self._casts(parts))
        self._prepare(batches.first, targets_matter)
        given_x, given_y, _ = unpack(parts)
        if targets_matter:
            self._check_targets(given_y, f"{label}y")
        check_finite(given_x, f"{label}x")
        check_finite(given_y, f"{label}y")
        return batches

    def _parts(
        self, x: Any, y: Any, sample_weight: Any, class_weight: Any, needs_y: bool, label: str
    ) -> tuple[Batch, int]:
        if x is None:
            raise DataError(f"{label}x is None; pass arrays, a generator or a PyDataset")
        x = arrays_of(x, f"{label}x")
        self._check_inputs(x, f"{label}x")
        y = arrays_of(y, f"{label}y")
        weights = _weights_of(sample_weight, f"{label}sample_weight")
        count = check_lengths({f"{label}x": x, f"{label}y": y, f"{label}sample_weight": weights})
        if needs_y and y is None:
            raise DataError(f"{label}y is None; the loss needs targets, pass y")
        if weights is not None:
            check_weights(weights, f"{label}sample_weight")
            check_finite(weights, f"{label}sample_weight")
        if class_weight is not None:
            weights = class_weights(y, class_weight, weights)
        return pack(x, y, weights), count

    def _stream(self, x: Any, seed: Any, class_weight: Any, needs_y: bool) -> Source:
        prepare = Preparer(needs_y, self._cast, class_weight, self._check_batch)
        if isinstance(x, PyDataset):
            return DatasetBatches(x, prepare, seed)
        return StreamBatches(x, prepare)

    def _check_batch(self, y: Any) -> None:
        if self._state.checked is not None:
            self._check_targets(y, "y")

    def _casts(self, parts: Batch) -> list[Any]:
        """What makes each array of a batch what the model takes: the dtype of its input, floats elsewhere."""
        x = unpack(parts)[0]
        x_count = len(flatten(x)[0])
        rest = len(flatten(parts)[0]) - x_count
        return [*map(cast_to, self._input_dtypes(x, x_count)), *[float_cast] * rest]

    def _cast(self, parts: Batch) -> Batch:
        casts = iter(self._casts(parts))
        return tree_map(lambda array: next(casts)(array), parts)

    def _input_dtypes(self, x: Any, count: int) -> list[Any]:
        if isinstance(x, dict):
            known = {spec.name: spec.dtype for spec in self._inputs}
            return [known.get(key) for key in x]
        if len(self._inputs) == count:
            return [spec.dtype for spec in self._inputs]
        return [None] * count

    def _wants_floats(self) -> bool:
        return all(spec.dtype.kind == "f" for spec in self._inputs)

    def _check_inputs(self, x: Any, label: str) -> None:
        """ShapeError where arrays do not fit the inputs of the model."""
        if not self._inputs or isinstance(x, dict):
            return
        arrays = list(x) if isinstance(x, (list, tuple)) else [x]
        if len(arrays) != len(self._inputs):
            hint = f"; for rows of one array pass np.stack({label})" if len(self._inputs) == 1 else ""
            raise DataError(f"{label} has {len(arrays)} arrays, the model has {len(self._inputs)} inputs{hint}")
        for k, (array, spec) in enumerate(zip(arrays, self._inputs)):
            name = label if len(arrays) == 1 else f"{label}[{k}]"
            _check_input(array, spec.shape, name)

    # --- the model

    def _prepare(self, first: Callable[[], Batch], targets_matter: bool) -> None:
        """Build the model, and choose its losses and metrics, from the shapes of the first batch."""
        state = self._state
        built = getattr(self._model, "built", False)
        parts = (state.compile_loss, state.compile_metrics)
        known = state.checked is not None and all(part is None or part.built for part in parts)
        if built and (known or not targets_matter):
            return
        x, y, _ = unpack(first())
        if built and y is None or not self._model._has_call():
            return
        y_pred = self._outputs(x)
        if not targets_matter or y is None:
            return
        symbols = tree_map(lambda a: symbol(Spec((BATCH, *a.shape[1:]), a.dtype)), y)
        for part in (state.compile_loss, state.compile_metrics):
            if part is not None and not part.built:
                part.build(symbols, y_pred)
        if not state.last_layers_checked:
            self._model._check_last_layers(state.loss, self._model._known_output_names())
        state.checked = self._outputs_to_check(y_pred)

    def _outputs(self, x: Any) -> Any:
        """Tensors of the shapes of the outputs for inputs like `x`; builds the model if need be."""
        if getattr(self._model, "built", False) and not self._state.run_eagerly:
            with shapes_only():
                return self._model(tree_map(lambda a: symbol(Spec((BATCH, *a.shape[1:]), a.dtype)), x), training=False)
        with no_grad():
            return self._model(take(x, slice(0, 2)), training=False)

    def _outputs_to_check(self, y_pred: Any) -> list[Checked | None]:
        loss = self._state.compile_loss
        if loss is None:
            return []
        layers = list(self._model._output_layers())
        outputs = flat(y_pred, loss.names)
        known = layers if len(layers) == len(outputs) else [None] * len(outputs)
        free = len(self._model.outputs or ()) != len(outputs)
        lasting = outputs if free else flat(self._model.output, loss.names)
        return [
            None if one is None else Checked(one.name, one.loss, _any_length(t.spec.shape, free), layer)
            for one, t, layer in zip(loss.outputs, lasting, known)
        ]

    def _check_targets(self, y: Any, label: str) -> None:
        checked = self._state.checked
        if not checked or y is None:
            return
        names = self._state.compile_loss.names
        known = targets(y, names, self._state.compile_loss.wanted, label)
        for name, output, array in zip(names, checked, known):
            if output is not None and isinstance(array, np.ndarray):
                check_target(array, output, label if len(names) == 1 else f"{label}[{name!r}]")


def _the_same(given: list[Any], taken: list[Any]) -> bool:
    """Whether the arrays of a batch are those that were given, element by element in the same memory."""
    return len(given) == len(taken) and all(
        a is not None and (a.dtype, a.shape, a.strides, a.ctypes.data) == (b.dtype, b.shape, b.strides, b.ctypes.data)
        for a, b in zip(given, taken)
    )


def _any_length(shape: tuple[Any, ...], free: bool) -> tuple[Any, ...]:
    """A shape for batches of any size and, if `free`, of any length: the next one may differ from that it came from."""
    middle = [Dim() for _ in shape[1:-1]] if free else shape[1:-1]
    return (Dim(), *middle, *shape[1:][-1:])


def _check_input(array: Any, shape: tuple[Any, ...], label: str) -> None:
    got, expected = array.shape, shape
    if _fits(got, expected) or _fits((*got, 1), expected) or got[-1:] == (1,) and _fits(got[:-1], expected):
        return
    shown = "(n" + show_shape(public_shape(expected))[len("(None") :]  # type: ignore[arg-type]
    hint = f"; for one sample pass {label}[None]" if _fits((1, *got), expected) else ""
    raise ShapeError(f"{label} has shape {got}, the model expects {shown}{hint}")


def _fits(got: tuple[int, ...], expected: tuple[Any, ...]) -> bool:
    return len(got) == len(expected) and all(b is None or a == b for a, b in zip(got[1:], expected[1:]))


def _weights_of(sample_weight: Any, label: str) -> Any:
    """Weights as arrays; an output without weights keeps None."""
    if isinstance(sample_weight, dict):
        return {name: arrays_of(value, f"{label}[{name!r}]") for name, value in sample_weight.items()}
    if isinstance(sample_weight, (list, tuple)) and any(w is None or hasattr(w, "shape") for w in sample_weight):
        return [arrays_of(value, f"{label}[{k}]") for k, value in enumerate(sample_weight)]
    return arrays_of(sample_weight, label)


def split_validation(x: Any, y: Any, sample_weight: Any, split: float) -> tuple[Batch, Batch]:
    """`(x, y, sample_weight)` of the first samples to train on, and of the last to validate on.

    Raises InvalidArgument for data that gives its batches itself, and for a split that leaves no samples.
    """
    if is_stream(x):
        raise InvalidArgument(f"validation_split needs arrays, x is a {type(x).__name__}; pass validation_data")
    parts = (arrays_of(x, "x"), arrays_of(y, "y"), _weights_of(sample_weight, "sample_weight"))
    count = check_lengths(dict(zip(("x", "y", "sample_weight"), parts)))
    check_split(split, count)
    middle = split_point(split, count)
    first = tuple(take(part, slice(None, middle)) for part in parts)
    last = tuple(take(part, slice(middle, None)) for part in parts)
    return first, last[:2] if last[2] is None else last
