"""Random graphs, the named models' steps, and what every pass must keep."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.compiler import optimize
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import Dim, Spec
from autograd_nn.engine.tensor import PICK, Tensor, recording, symbol, tracing
from tests.backends.common import agree, on

UNARY = (
    ops.tanh, ops.exp, ops.sigmoid, ops.relu, ops.square, ops.negative, ops.softplus, ops.abs, ops.floor, ops.round,
    ops.stop_gradient, ops.softmax, ops.log_softmax, lambda x: ops.power(x, 3.0), lambda x: ops.power(x, 0.5),
    lambda x: x * 1, lambda x: x / 4, lambda x: ops.cast(ops.cast(x, "float64"), x.dtype), lambda x: ops.negative(-x),
    lambda x: ops.reciprocal(x + 3), lambda x: ops.round(x, 1), lambda x: ops.sum(x, ()),
)  # fmt: skip
BINARY = (
    ops.add, ops.subtract, ops.multiply, ops.maximum, ops.minimum, ops.divide, lambda x, y: x * ops.reciprocal(y),
    lambda x, y: x - (-y), lambda x, y: ops.where(x > y, x, y), lambda x, y: ops.where(True, x, y),
)  # fmt: skip
REDUCTIONS = (
    ops.mean, ops.sum, ops.max, ops.min, ops.var, ops.logsumexp, lambda x, *a, **k: ops.sum(-x, *a, **k),
)  # fmt: skip
CHOICES = st.lists(st.tuples(st.integers(0, 5), *[st.integers(0, 50)] * 3), min_size=1, max_size=30)
SHAPES = st.sampled_from([(1, 1), (3, 5), (4, 1), (3, 0), (6, 7)])


def grow(values: list[Tensor], choice: tuple[int, int, int, int]) -> Tensor:
    """One more value from those there are: choices are numbers, so that a failing graph shrinks."""
    kind, a, b, which = choice
    x, y = values[a % len(values)], values[b % len(values)]
    empty = 0 in x.spec.shape
    if kind == 0:
        return UNARY[which % len(UNARY)](x)
    if kind == 1:
        return BINARY[which % len(BINARY)](x, y)
    if kind == 2 and not empty:
        return REDUCTIONS[which % len(REDUCTIONS)](x, which % 2, keepdims=True) + y
    if kind == 3:
        return ops.sum(ops.sum(x, which % 2), 0) * ops.tanh(y)
    if kind == 4:
        return ops.broadcast_like(ops.mean(x) if not empty else ops.sum(x), y) * (y if which % 2 else 2.0)
    return ops.tanh(ops.transpose(ops.transpose(x)) + ops.ones_like(y) * ops.sum(ops.ones_like(x)))


def random_graph(choices: list[tuple[int, int, int, int]], shape: tuple[int, ...], dtype: str) -> tuple[Graph, list]:
    """A graph over two arrays whose first size it does not know, and arrays for it."""
    rng = np.random.default_rng(len(choices))
    batch = Dim("batch")
    known = (batch, *shape[1:])
    arrays = [rng.uniform(-1, 1, shape).astype(dtype) for _ in range(2)]
    with tracing(None), recording(False):
        inputs = [symbol(Spec(known, np.dtype(dtype)), name=name) for name in ("x", "y")]
        values: list[Tensor] = [*inputs]
        for choice in choices:
            values.append(grow(values, choice))
        outputs = [values[-1], ops.sum(values[-1]), values[len(values) // 2]]
    return Graph(inputs, outputs, "random"), arrays


def same_values(before: Graph, after: Graph, arrays: list[np.ndarray]) -> None:
    """Both graphs give the same, on NumPy."""
    with np.errstate(all="ignore"):
        agree(after.verify().evaluate(*arrays), before.evaluate(*arrays))


def same_graph(a: Graph, b: Graph) -> None:
    """Both graphs have the same nodes in the same order."""
    assert [t.op.name for t in a.operations] == [t.op.name for t in b.operations]
    place_a = {t: k for k, t in enumerate(a.operations)}
    place_b = {t: k for k, t in enumerate(b.operations)}
    for t, u in zip(a.operations, b.operations):
        assert [place_a.get(i) for i in t.inputs] == [place_b.get(i) for i in u.inputs]


def count(graph: Graph) -> dict[str, int]:
    """How many nodes there are of each op."""
    found: dict[str, int] = {}
    for t in graph.operations:
        if t.op is not PICK:
            found[t.op.name] = found.get(t.op.name, 0) + 1
    return found


def one_graph(function: Any, *arrays: np.ndarray) -> Graph:
    """The graph of a function of arrays of one batch."""
    traced = ag.jit(function, batched=True)
    with on("reference"), ag.no_grad(), np.errstate(all="ignore"):
        traced(*arrays)
    return traced.graph


def passes_of(function: Any, *arrays: np.ndarray, names: tuple[str, ...] | None = None) -> Graph:
    """The same, optimized."""
    graph = one_graph(function, *arrays)
    return optimize(graph) if names is None else optimize(graph, names)


# --- the steps of some models


def _weights(*shapes: tuple[int, ...]) -> list[ag.Variable]:
    rng = np.random.default_rng(0)
    return [ag.Variable(rng.normal(size=shape).astype("float32") * 0.3) for shape in shapes]


def _step(weights: list[ag.Variable], loss_of: Any, optimizer: str) -> Any:
    rule = getattr(ag.optimizers, optimizer)(0.01)
    rule.build(weights)
    mean = ag.metrics.Mean()

    def step(*data: Any) -> Tensor:
        loss = loss_of(*data)
        rule.apply(ag.gradients(loss, weights), weights)
        mean.update_state(loss)
        return loss

    return step


def dense_step(optimizer: str) -> tuple[Any, list[np.ndarray]]:
    """One training step of two dense layers with softmax crossentropy."""
    rng = np.random.default_rng(1)
    w1, b1, w2, b2 = weights = _weights((20, 16), (16,), (16, 10), (10,))

    def loss(x: Any, y: Any) -> Tensor:
        logits = ops.relu(x @ w1 + b1) @ w2 + b2
        return ops.mean(ops.sparse_categorical_crossentropy(y, logits, from_logits=True))

    return _step(weights, loss, optimizer), [rng.normal(size=(8, 20)).astype("float32"), rng.integers(0, 10, 8)]


def dropout_step() -> tuple[Any, list[np.ndarray]]:
    """One training step of two dense layers with dropout between."""
    rng = np.random.default_rng(1)
    w1, b1, w2, b2 = weights = _weights((20, 16), (16,), (16, 10), (10,))
    dropout = ag.layers.Dropout(0.5, seed=1)

    def loss(x: Any) -> Tensor:
        return ops.mean(ops.square(dropout(ops.relu(x @ w1 + b1), training=True) @ w2 + b2))

    return _step(weights, loss, "SGD"), [rng.normal(size=(8, 20)).astype("float32")]


def block_step() -> tuple[Any, list[np.ndarray]]:
    """One training step of a block with layer normalisation, attention and gelu."""
    width, heads, length = 16, 4, 8
    sizes = [
        (width,),
        (width,),
        (width, 3 * width),
        (width, width),
        (width,),
        (width,),
        (width, 32),
        (32,),
        (32, width),
    ]
    weights = _weights(*sizes)
    mask = np.triu(np.full((length, length), -1e9, "float32"), 1)

    def heads_of(u: Any) -> Tensor:
        return ops.transpose(ops.reshape(u, (-1, length, heads, width // heads)), (0, 2, 1, 3))

    def loss(x: Any) -> Tensor:
        g1, b1, qkv, out, g2, b2, up, up_bias, down = weights
        h = ops.layer_normalization(x, g1, b1) @ qkv
        q, k, v = (heads_of(u) for u in ops.split(h, 3, -1))
        scores = ops.softmax(q @ ops.transpose(k, (0, 1, 3, 2)) * 0.5 + mask)
        x = x + ops.reshape(ops.transpose(scores @ v, (0, 2, 1, 3)), (-1, length, width)) @ out
        return ops.mean(ops.square(x + ops.gelu(ops.layer_normalization(x, g2, b2) @ up + up_bias) @ down))

    return _step(weights, loss, "Adam"), [np.random.default_rng(1).normal(size=(2, length, width)).astype("float32")]


MODELS = {
    "RMSprop": lambda: dense_step("RMSprop"), "Adam": lambda: dense_step("Adam"), "dropout": dropout_step,
    "block": block_step,
}  # fmt: skip
