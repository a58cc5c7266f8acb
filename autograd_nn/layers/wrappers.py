"""Layers around a layer: TimeDistributed, Bidirectional."""

from collections.abc import Sequence
from typing import Any

from .. import ops, random
from ..engine.tensor import Tensor
from ..engine.tree import flatten, tree_map
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from ..saving.registry import deserialize_keras_object, register, serialize_keras_object
from .arguments import call_spec
from .layer import Layer

_LOOP_SETTINGS = ("go_backwards", "stateful", "return_sequences", "return_state")
_MERGES = ("concat", "sum", "ave", "mul", None)


def _check_layer(layer: Any, what: str) -> Layer:
    if isinstance(layer, Layer):
        return layer
    hint = f"; write {layer.__name__}(...)" if isinstance(layer, type) else ""
    raise ArgumentTypeError(f"{what}: expected a layer, got {short(layer)}{hint}")


@register()
class Wrapper(Layer):
    """Base of layers that hold another layer as `layer`, with its weights as their own.

    >>> import autograd_nn as ag
    >>> ag.layers.Wrapper(ag.layers.Dense(2)).layer.units
    2
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        inner = _check_layer(layer, type(self).__name__)
        super().__init__(**kwargs)
        self.layer = inner

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)


@register()
class TimeDistributed(Wrapper):
    """Applies a layer to every time step.

    layer: any layer; one that keeps something from call to call, such as batch statistics or a random state, is called
           step by step, any other one once on all steps

    Input: (batch, time, ...); output: (batch, time, ...) of the layer's outputs.
    Raises ShapeError for inputs of fewer than 3 axes.

    >>> import autograd_nn as ag
    >>> ag.layers.TimeDistributed(ag.layers.Dense(4))(ag.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        if not isinstance(input_shape, (tuple, list)) or len(input_shape) < 3:
            raise ShapeError(
                f"layer {self.name!r} expects inputs (batch, time, ...) of at least 3 axes, got {short(input_shape)}"
            )
        if not self.layer.built:
            self.layer.build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        if mask is not None and mask.ndim < 2:
            raise ShapeError(f"layer {self.name!r} expects a mask (batch, time), got {mask.shape}")
        if not self._keeps_something():
            return self._at_once(inputs, training, mask)
        steps = inputs.shape[1]
        if steps is None:
            raise ShapeError(
                f"layer {self.name!r} calls {self.layer.name!r} step by step, and needs to know the number of steps; "
                "give it in Input(shape=...)"
            )
        outputs = [self._called(inputs[:, k], training, None if mask is None else mask[:, k]) for k in range(steps)]
        return tree_map(lambda *rows: self._shown(ops.stack(rows, axis=1)), outputs[0], *outputs[1:])

    def _keeps_something(self) -> bool:
        parts = self.layer._flatten_layers()
        return any(part._own_fixed or part._parts(random.SeedGenerator) for part in parts)

    def _at_once(self, inputs: Tensor, training: bool, mask: Any) -> Any:
        sizes = ops.shape(inputs)
        rows = _merged(inputs, sizes)
        outputs = self._called(rows, training, None if mask is None else _merged(mask, sizes))
        return tree_map(lambda y: self._shown(ops.reshape(y, (*sizes[:2], *ops.shape(y)[1:]))), outputs)

    def _shown(self, y: Tensor) -> Tensor:
        """A result in the dtype of this layer, if it is a float."""
        return ops.cast(y, self.compute_dtype) if y.dtype.kind == "f" else y

    def _called(self, inputs: Tensor, training: bool, mask: Any) -> Any:
        takes_mask = mask is not None and "mask" in call_spec(type(self.layer).call).names
        return self.layer(inputs, training=training, **({"mask": mask} if takes_mask else {}))


def _merged(x: Tensor, sizes: Sequence[Any]) -> Tensor:
    """x with batch and time as one axis."""
    return ops.reshape(x, (sizes[0] * sizes[1], *ops.shape(x)[2:]))


@register()
class Bidirectional(Layer):
    """A recurrent layer, and one like it that walks backwards.

    layer:          LSTM(8, return_sequences=True) and the like; copied from its config
    merge_mode:     how both outputs become one: "concat", "sum", "ave", "mul"; None for a pair
    weights:        weights to start with, those of the forward layer first
    backward_layer: the layer that walks backwards; a copy of `layer` with go_backwards turned if None

    Call: as an RNN; initial_state holds the states of the forward layer, then those of the other.
    Raises InvalidArgument for another merge_mode, and for layers that do not fit together.

    >>> import autograd_nn as ag
    >>> ag.layers.Bidirectional(ag.layers.GRU(4))(ag.ops.ones((2, 5, 3))).shape
    (2, 8)
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        first = _check_layer(layer, "Bidirectional")
        if merge_mode not in _MERGES:
            raise InvalidArgument(f"Bidirectional: merge_mode must be one of {_MERGES}, got {short(merge_mode)}")
        _check_recurrent(first)
        if backward_layer is not None:
            _check_recurrent(_check_layer(backward_layer, "Bidirectional: backward_layer"))
        super().__init__(**kwargs)
        self.forward_layer = _copy(first, "forward_")
        self.backward_layer = _copy(first, "backward_", go_backwards=True) if backward_layer is None else backward_layer
        _check_pair(self.forward_layer, self.backward_layer)
        for part in (self.forward_layer, self.backward_layer):
            part.zero_output_for_mask = part.return_sequences
        if weights is not None:
            half = len(weights) // 2
            self.forward_layer._first_weights, self.backward_layer._first_weights = weights[:half], weights[half:]
        self.merge_mode = merge_mode
        self.stateful = first.stateful
        self.return_sequences = first.return_sequences
        self.return_state = first.return_state
        self.supports_masking = True
        self.input_spec = first.input_spec

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for part in (self.forward_layer, self.backward_layer):
            if not part.built:
                part.build(sequences_shape)

    @property
    def states(self) -> Any:
        """The states that stateful layers keep, those of the forward layer first; None without."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return (*forward, *backward) if forward and backward else None

    def reset_state(self) -> None:
        """Set the states kept by stateful layers to zero."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        half = 0 if initial_state is None else len(initial_state) // 2
        starts = (None, None) if initial_state is None else (initial_state[:half], initial_state[half:])
        parts = (self.forward_layer, self.backward_layer)
        results = [
            part(sequences, initial_state=start, mask=mask, training=training) for part, start in zip(parts, starts)
        ]
        outputs = [result[0] for result in results] if self.return_state else results
        if self.return_sequences:
            outputs[1] = ops.flip(outputs[1], axis=1)
        merged = self._merge(*(ops.cast(y, self.compute_dtype) for y in outputs))
        if not self.return_state:
            return merged
        states = [state for result in results for state in result[1:]]
        return (*(merged if self.merge_mode is None else (merged,)), *states)

    def _merge(self, y: Tensor, reverse: Tensor) -> Any:
        if self.merge_mode is None:
            return y, reverse
        if self.merge_mode == "concat":
            return ops.concatenate([y, reverse], axis=-1)
        if self.merge_mode == "mul":
            return y * reverse
        return y + reverse if self.merge_mode == "sum" else (y + reverse) / 2

    def compute_mask(self, _: Any, mask: Any) -> Any:
        found = flatten(mask)[0]
        passed = found[0] if found and self.return_sequences else None
        masks = [passed] if self.merge_mode is not None else [passed, passed]
        if self.return_state:
            masks += [None] * 2 * len(self.forward_layer.state_size)
        return masks if len(masks) > 1 else passed

    def get_config(self) -> dict[str, Any]:
        config = {key: value for key, value in super().get_config().items() if key in ("name", "trainable", "dtype")}
        return {
            **config, "merge_mode": self.merge_mode, "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }  # fmt: skip


def _copy(layer: Layer, prefix: str, **changes: Any) -> Any:
    """A layer of the same config under another name."""
    config = serialize_keras_object(layer)
    settings = {**config["config"], **changes, "name": prefix + layer.name.removeprefix(prefix)}
    return deserialize_keras_object({**config, "config": settings})


def _check_recurrent(layer: Layer) -> None:
    for name in _LOOP_SETTINGS:
        if not hasattr(layer, name):
            raise ArgumentTypeError(f"Bidirectional: expected a recurrent layer, got {short(layer)} without {name!r}")


def _check_pair(forward: Any, backward: Any) -> None:
    for name in _LOOP_SETTINGS:
        equal = getattr(forward, name) == getattr(backward, name)
        if equal == (name == "go_backwards"):
            needed = "differ" if equal else "agree"
            values = f"{getattr(forward, name)} and {getattr(backward, name)}"
            raise InvalidArgument(f"Bidirectional: layer and backward_layer must {needed} in {name!r}, got {values}")
