"""What is the same along an axis is computed once there."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops

from .graphs import count, one_graph, passes_of, same_values

X = np.arange(6.0).reshape(2, 3)
ROW = np.arange(2.0).reshape(2, 1)


def spread(x, like):
    return ops.broadcast_like(x, like)


PUT_OFF = {
    "one operand is whole": (lambda x, r: spread(r, x) * x, {"multiply": 1}),
    "a choice": (lambda x, r: ops.where(x > 1, spread(r, x), x), {"greater": 1, "where": 1}),
    "no operand is whole": (lambda x, r: -spread(r, x), {"negative": 1, "broadcast_like": 1}),
    "a chain": (lambda x, r: ops.exp(-spread(r, x) * 2.0) + x, {"negative": 1, "multiply": 1, "exp": 1, "add": 1}),
    "two rows": (lambda x, r: spread(r, x) + spread(r, x), {"add": 1, "broadcast_like": 1}),
    "a row and a column": (lambda x, r: spread(r, x) + spread(np.ones(3), x), {"broadcast_like": 2, "add": 1}),
    "twice": (lambda x, r: spread(spread(r, x), x), {"broadcast_like": 1}),
    "a new axis": (
        lambda x, r: ops.expand_dims(spread(r, x), 0) * ops.expand_dims(x, 0), {"expand_dims": 2, "multiply": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PUT_OFF)
def test_put_off(what):
    function, expected = PUT_OFF[what]
    after = passes_of(function, X, ROW, names=("broadcasts",))
    assert count(after) == expected
    same_values(one_graph(function, X, ROW), after, [X, ROW])


def test_the_gradient_of_a_mean_is_a_scalar_operand():
    gradient = ag.grad(lambda x: ops.mean(-ops.square(x)))
    after = passes_of(gradient, X, names=("decompose", "shapes", "simplify", "broadcasts"))
    large = [t for t in after.operations if t.ndim == 2 and 1 not in t.shape]
    assert [t.op.name for t in large] == ["multiply"]
    same_values(one_graph(gradient, X), after, [X])
