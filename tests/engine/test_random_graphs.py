"""Random graphs: eager, frozen and differenced ways of computing the same thing agree."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.autodiff import pullback
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import Dim, Spec
from autograd_nn.engine.tensor import leaf, symbol

UNARY: tuple[Callable[[Any], Any], ...] = (
    ops.tanh, ops.sin, ops.sigmoid, ops.arctan, ops.erf, ops.softplus,
    lambda x: x * 0.5, lambda x: 1 / (2 + ops.square(x)), lambda x: ops.softmax(x, axis=-1),
    lambda x: x - ops.mean(x, axis=-1, keepdims=True), lambda x: ops.flip(x, -1),
    lambda x: ops.reshape(ops.expand_dims(x, 0), ops.shape(x)) if x.value is None else x + 0,
    lambda x: ops.concatenate([x, ops.tanh(x)], axis=-1)[..., :3],
)  # fmt: skip
BINARY: tuple[Callable[[Any, Any], Any], ...] = (
    ops.add, ops.subtract, ops.multiply,
    lambda a, b: a / (2 + ops.square(b)),
    lambda a, b: ops.logsumexp(ops.stack([a, b]), 0),
    lambda a, b: ops.where(ag.tensor([True, False, True]), a, b),
    lambda a, b: ops.tanh(a) * ops.sum(b, -1, keepdims=True),
    lambda a, b: ops.matmul(a, ag.tensor(np.arange(9.0).reshape(3, 3) / 9)) - b,
)  # fmt: skip

Step = tuple[int, int, int]
STEPS = st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999), st.integers(0, 999)), min_size=1, max_size=40)
INPUTS = [np.random.default_rng(k).normal(size=(2, 3)) for k in range(2)]


def build(steps: list[Step], inputs: list[Any]) -> Any:
    """Apply one op per step to tensors that were made before; the sum of all that nobody used."""
    made, used = list(inputs), set()
    for choice, left, right in steps:
        a, b = left % len(made), right % len(made)
        used |= {a}
        if choice % 2:
            made.append(UNARY[choice % len(UNARY)](made[a]))
        else:
            used |= {b}
            made.append(BINARY[choice % len(BINARY)](made[a], made[b]))
    loose = [t for k, t in enumerate(made) if k not in used]
    total = loose[0]
    for t in loose[1:]:
        total = total + t
    return total


def eager(steps: list[Step], arrays: list[Any]) -> list[Any]:
    """The value and the gradients."""
    inputs = [leaf(a, requires_grad=True) for a in arrays]
    y = build(steps, inputs)
    grads = pullback([y], [ops.ones_like(y)], inputs)
    return [np.asarray(t.value) for t in (y, *(g for g in grads if g is not None))]


def frozen(steps: list[Step], arrays: list[Any], batch: Any) -> list[Any]:
    """The same of a graph without values, evaluated afterwards."""
    inputs = [symbol(Spec((batch, 3), a.dtype), requires_grad=True) for a in arrays]
    y = build(steps, inputs)
    grads = pullback([y], [ops.ones_like(y)], inputs)
    graph = Graph(inputs, [y, *(g for g in grads if g is not None)]).verify()
    return list(graph.evaluate(*arrays))


@settings(max_examples=60)
@given(STEPS)
def test_frozen_equals_eager(steps: list[Step]) -> None:
    expected = eager(steps, INPUTS)
    for batch in (2, Dim("batch")):
        found = frozen(steps, INPUTS, batch)
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12 * max(1.0, np.abs(b).max()))


@settings(max_examples=25)
@given(STEPS)
def test_gradients_equal_differences(steps: list[Step]) -> None:
    ag.gradcheck(lambda *inputs: build(steps, list(inputs)), tuple(INPUTS))
