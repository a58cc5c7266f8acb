"""Every layer through one call: config, weights, shapes, values however it runs, gradients, flags, masks."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..engine.graph import Graph
from ..engine.signatures import suggest_calls
from ..engine.spec import BATCH, Spec, public_shape
from ..engine.tensor import Tensor, leaf, symbol
from ..engine.tree import flatten, tree_map
from ..transforms import jit
from .gradcheck import gradcheck

SEED = 0
RTOL = 1e-12
BATCHES = (3, 5)


@dataclass(frozen=True)
class LayerCase:
    """A layer class under test, with what is expected of it."""

    layer_class: Any
    init_kwargs: dict[str, Any]
    data: Callable[[int], Any]
    output_shape: Any = None
    weights: tuple[str, ...] | None = None
    call_kwargs: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float64"
    per_sample: bool = True
    gradients: bool = True
    random_in_training: bool = False
    mask: bool | None = None

    def make(self, **kwargs: Any) -> Any:
        return self.layer_class(**{**self.init_kwargs, **({"dtype": self.dtype} if self.dtype else {}), **kwargs})

    def call(self, layer: Any, batch: int = BATCHES[0], **kwargs: Any) -> list[np.ndarray]:
        """The outputs for the data of that batch size, as arrays."""
        return arrays(layer(*self.arguments(batch), **{**self.call_kwargs, **kwargs}))

    def arguments(self, batch: int) -> tuple[Any, ...]:
        """The positional arguments of the call: what the data hold as a tuple, else the data as the only one."""
        data = self.data(batch)
        return data if isinstance(data, tuple) else (data,)

    def expect(self, condition: Any, message: str) -> None:
        if not condition:
            raise AssertionError(f"{self.layer_class.__name__}: {message}")

    def same(self, found: list[np.ndarray], expected: list[np.ndarray], what: str, rtol: float = RTOL) -> None:
        self.expect(len(found) == len(expected), f"{what}: {len(found)} outputs, expected {len(expected)}")
        for a, b in zip(found, expected):
            self.expect(a.shape == b.shape, f"{what}: shape {a.shape}, expected {b.shape}")
            self.expect(a.dtype == b.dtype, f"{what}: dtype {a.dtype}, expected {b.dtype}")
            self.expect(
                np.allclose(a, b, rtol=rtol, atol=rtol, equal_nan=True), f"{what}: {a.ravel()[:6]} != {b.ravel()[:6]}"
            )


def arrays(nest: Any) -> list[np.ndarray]:
    """The values of a nest of tensors."""
    return [np.asarray(t.value if isinstance(t, Tensor) else t) for t in flatten(nest)[0]]


def layer_suite(
    layer_class: Any,
    init_kwargs: dict[str, Any] | None = None,
    input_shape: Any = None,
    input_data: Callable[[int], Any] | None = None,
    *,
    output_shape: Any = None,
    weights: tuple[str, ...] | None = None,
    call_kwargs: dict[str, Any] | None = None,
    per_sample: bool = True,
    gradients: bool = True,
    random_in_training: bool = False,
    mask: bool | None = None,
) -> None:
    """Check a layer class in every respect; AssertionError, with the layer and the respect, where one fails.

    init_kwargs:        arguments of the class
    input_shape:        shape of the input without the batch, or a list of such shapes for several inputs
    input_data:         instead of it, a function from a batch size to arrays (or a nest of them); a tuple holds
                        several arguments of the call
    output_shape:       expected shape of the output without the batch, if given
    weights:            expected names of the weights in order, if given
    call_kwargs:        more arguments of the call
    per_sample:         each sample's output depends on that sample alone
    gradients:          check derivatives by inputs and weights, in float64
    random_in_training: outputs with training=True differ from call to call; if False they must not
    mask:               whether the layer passes a mask (batch, time) on; None to leave that open

    Checked are: config to JSON and back; misspelt arguments; `build` from a shape and from data; weights, set, frozen
    and counted; `compute_output_shape`; the values eagerly, as a node of a graph, and traced with an unknown batch
    size; float32; inputs left as they were; gradients; the training flag; masks.

    >>> import autograd_nn as ag
    >>> from autograd_nn.testing import layer_suite
    >>> layer_suite(ag.layers.Dense, {"units": 2}, (4,), output_shape=(2,), weights=("kernel", "bias"))
    """
    data = input_data if input_data is not None else lambda batch: _random(input_shape, batch)
    case = LayerCase(
        layer_class, init_kwargs or {}, data, output_shape, weights, call_kwargs or {},
        per_sample=per_sample, gradients=gradients, random_in_training=random_in_training, mask=mask,
    )  # fmt: skip
    for check in CHECKS:
        check(case)


def _random(shape: Any, batch: int) -> Any:
    """Reals around zero, the same for the same place in whatever batch."""
    if shape and isinstance(shape[0], (tuple, list)):
        return [_random(one, batch) + 0.1 * k for k, one in enumerate(shape)]
    rng = np.random.default_rng(SEED)
    return np.stack([rng.normal(size=shape) for _ in range(batch)])


# --- config


def check_config(case: LayerCase) -> None:
    """The config is plain data, and a layer made from it has the same config and the same weights."""
    layer = case.make(name="under_test", trainable=False)
    config = layer.get_config()
    again = case.layer_class.from_config(json.loads(json.dumps(config)))
    case.expect(again.get_config() == config, f"config {config} came back as {again.get_config()}")
    case.expect(again.name == "under_test", "from_config loses the name")
    case.expect(not again.trainable, "from_config loses trainable=False")
    expected = case.call(layer)
    case.call(again)
    again.set_weights(layer.get_weights())
    case.same(case.call(again), expected, "the layer of the config")


def check_arguments(case: LayerCase) -> None:
    """A misspelt argument is a TypeError that names the right one."""
    try:
        case.make(nmae="x")
    except TypeError as error:
        case.expect("'name'" in str(error), f"a misspelt argument gives no hint: {error}")
        return
    case.expect(False, "a misspelt argument is accepted")


# --- weights


def check_weights(case: LayerCase) -> None:
    """Weights are the same by `build` and by call; they are read, written, counted and frozen."""
    layer, built = case.make(), case.make()
    case.call(layer)
    built.build(*(tree_map(_open, given) for given in case.arguments(1)))
    case.expect(built.built, "build() does not mark the layer as built")
    shapes = [w.shape for w in layer.weights]
    case.expect([w.shape for w in built.weights] == shapes, "build(shape) makes other weights than a call")
    if case.weights is not None:
        names = tuple(w.path.rpartition("/")[2] for w in layer.weights)
        case.expect(names == case.weights, f"weights {names}, expected {case.weights}")
    case.expect(layer.count_params() == sum(int(np.prod(s)) for s in shapes), "count_params is wrong")
    values = [np.full(s, 0.5) for s in shapes]
    layer.set_weights(values)
    case.expect(all(map(np.array_equal, layer.get_weights(), values)), "get_weights is not what set_weights got")
    both = {id(v) for v in (*layer.trainable_variables, *layer.non_trainable_variables)}
    case.expect(both == {id(v) for v in layer.variables}, "trainable and non-trainable variables are not all variables")
    layer.trainable = False
    case.expect(not layer.trainable_weights, "a frozen layer has trainable weights")


def _open(array: np.ndarray) -> tuple[int | None, ...]:
    return (None, *array.shape[1:])


# --- shapes and values


def check_shapes(case: LayerCase) -> None:
    """The shape rule gives the shape of the outputs, for a known and an unknown batch size."""
    layer = case.make()
    found = case.call(layer)
    if case.output_shape is not None:
        expected = (BATCHES[0], *case.output_shape)
        case.expect(found[0].shape == expected, f"output shape {found[0].shape}, expected {expected}")
    if case.call_kwargs or not all(a.dtype.kind == "f" for a in flatten(case.data(1))[0]):
        return
    for size in (BATCHES[0], None):
        shapes = [tree_map(lambda a, size=size: (size, *a.shape[1:]), given) for given in case.arguments(1)]
        ruled = layer.compute_output_shape(*shapes)
        ruled = [ruled] if len(found) == 1 else list(ruled)
        case.expect(ruled == [(size, *a.shape[1:]) for a in found], f"compute_output_shape gives {ruled}")


def check_values(case: LayerCase) -> None:
    """Eager, replayed from a graph, and traced give the same; samples do not mix; inputs are left as they were."""
    layer = case.make()
    data = case.arguments(BATCHES[0])
    copies = [np.array(a) for a in flatten(data)[0]]
    eager = arrays(layer(*data, **case.call_kwargs))
    case.same(arrays(layer(*data, **case.call_kwargs)), eager, "a second call", rtol=0.0)
    case.expect(all(map(np.array_equal, flatten(data)[0], copies)), "the inputs were written to")
    graph = _graph(layer, data, case)
    for batch in BATCHES:
        expected = case.call(layer, batch)
        given = case.arguments(batch)
        inputs = [leaf(np.asarray(a)) for a in flatten(given)[0]]
        case.same(arrays(graph.replay(inputs)), expected, f"the graph, replayed with a batch of {batch}")
        program = jit(lambda *xs: layer(*xs, **case.call_kwargs), batched=True)
        case.same(arrays(program(*given)), expected, f"the traced layer with a batch of {batch}")
    if case.per_sample:
        first = [a[: BATCHES[0]] for a in case.call(layer, BATCHES[1])]
        case.same(first, eager, "samples in a larger batch")


def _graph(layer: Any, data: tuple[Any, ...], case: LayerCase) -> Graph:
    """The graph with one node, the layer's call, for an unknown batch size."""
    inputs = tree_map(lambda a: symbol(Spec((BATCH, *a.shape[1:]), a.dtype)), data)
    outputs = layer(*inputs, **case.call_kwargs)
    flat = flatten(outputs)[0]
    case.expect(all(public_shape(t.spec.shape)[:1] == (None,) for t in flat), "the unknown batch size got lost")
    graph = Graph(flatten(inputs)[0], flat)
    case.expect(any(t.params.get("layer") is layer for t in graph.nodes), "the call left no node in the graph")
    return graph


def check_float32(case: LayerCase) -> None:
    """A float32 layer casts float inputs and returns no float64."""
    layer = case.make(dtype="float32")
    found = case.call(layer)
    case.expect(all(a.dtype != np.float64 for a in found), "a float32 layer returns float64")
    case.expect(all(w.dtype != np.float64 for w in layer.weights), "a float32 layer has float64 weights")


# --- gradients, flags, masks


def check_gradients(case: LayerCase) -> None:
    """Derivatives by inputs and weights are those of central differences."""
    if not case.gradients:
        return
    layer = case.make()
    case.call(layer)
    rng = np.random.default_rng(SEED)
    # What is not trained may be a variance, which must be positive.
    layer.set_weights(
        [rng.normal(size=w.shape) if w.trainable else rng.uniform(0.5, 2, w.shape) for w in layer.weights]
    )
    trained, fixed = [w.numpy() for w in layer.trainable_variables], [w.numpy() for w in layer.non_trainable_variables]

    def f(weights: Any, data: Any) -> Any:
        return layer.stateless_call(weights, fixed, *data, **case.call_kwargs)[0]

    gradcheck(f, (trained, case.arguments(2)))


def check_training(case: LayerCase) -> None:
    """`training=True` is taken, and changes from call to call exactly what it should."""
    layer = case.make()
    case.call(layer)
    first, second = case.call(layer, training=True), case.call(layer, training=True)
    equal = all(map(np.array_equal, first, second))
    case.expect(equal != case.random_in_training, "two calls with training=True " + ("agree" if equal else "differ"))


def check_mask(case: LayerCase) -> None:
    """The layer says whether it passes masks on."""
    if case.mask is not None:
        case.expect(case.make().supports_masking == case.mask, f"supports_masking is not {case.mask}")


CHECKS = (
    check_config, check_arguments, check_weights, check_shapes, check_values, check_float32, check_gradients,
    check_training, check_mask,
)  # fmt: skip

suggest_calls(globals())
