"""What simplification rewrites, what it must leave alone, and that both give the same numbers."""

import numpy as np
import pytest

from autograd_nn import ops

from .graphs import count, one_graph, passes_of, same_values

X = np.array([[0.5, -0.0, np.inf], [-np.inf, np.nan, -2.0]])
Y = np.array([[3.0, 0.0, -0.0], [np.inf, 1.0, 1e-300]])


def simplified(function, *arrays):
    return passes_of(function, *arrays, names=("simplify",))


REWRITTEN = {
    "x - 0": (lambda x, y: x - 0, {}),
    "x * 1": (lambda x, y: 1 * (x * 1), {}),
    "x * -1": (lambda x, y: x * -1, {"negative": 1}),
    "x / 1": (lambda x, y: x / 1, {}),
    "a power of two": (lambda x, y: x / 8, {"multiply": 1}),
    "twice negative": (lambda x, y: ops.negative(-x), {}),
    "plus negative": (lambda x, y: x + -y, {"subtract": 1}),
    "negative plus": (lambda x, y: -x + y, {"subtract": 1}),
    "minus negative": (lambda x, y: x - -y, {"add": 1}),
    "two signs": (lambda x, y: -x * -y, {"multiply": 1}),
    "square": (lambda x, y: x * x, {"square": 1}),
    "reciprocal": (lambda x, y: x * ops.reciprocal(y), {"divide": 1}),
    "power 1": (lambda x, y: ops.power(x, 1.0), {}),
    "power 2": (lambda x, y: ops.power(x, 2.0), {"square": 1}),
    "power 3": (lambda x, y: ops.power(x, 3.0), {"square": 1, "multiply": 1}),
    "power 4": (lambda x, y: ops.power(x, 4.0), {"square": 2}),
    "power -1": (lambda x, y: ops.power(x, -1.0), {"reciprocal": 1}),
    "power 1/2": (lambda x, y: ops.power(x, 0.5), {"sqrt": 1}),
    "extreme of one": (lambda x, y: ops.maximum(x, ops.minimum(x, x)), {}),
    "known condition": (lambda x, y: ops.where(True, ops.where(False, x, y), x), {}),
    "no choice": (lambda x, y: ops.where(x > y, y, y), {}),
    "casts": (lambda x, y: ops.cast(ops.cast(ops.cast(x, "float32"), "float64"), "float32"), {"cast": 1}),
    "stop_gradient": (lambda x, y: ops.stop_gradient(x), {}),
    "transposes": (lambda x, y: x.T.T, {}),
    "reshapes": (lambda x, y: ops.reshape(ops.expand_dims(ops.reshape(x, (3, 2)), 0), (-1,)), {"reshape": 1}),
    "sum over nothing": (lambda x, y: ops.sum(x, ()), {}),
    "sum of a sum": (lambda x, y: ops.sum(ops.sum(x, 1)), {"sum": 1}),
    "sum of a kept sum": (lambda x, y: ops.sum(ops.sum(x, 1, True), 0, True), {"sum": 1}),
    "sum of negatives": (lambda x, y: ops.sum(-x, 0), {"sum": 1, "negative": 1}),
    "constants": (lambda x, y: x * (ops.exp(np.float64(0.0)) + 1), {"multiply": 1}),
}


@pytest.mark.parametrize("what", REWRITTEN)
def test_rewritten(what):
    function, expected = REWRITTEN[what]
    graph = one_graph(function, X, Y)
    after = simplified(function, X, Y)
    assert count(after) == expected
    same_values(graph, after, [X, Y])


def _sum_and_its_sum(x):
    rows = ops.sum(x, 1)
    return rows, ops.sum(rows)


KEPT = {
    "x * 0": lambda x, y: x * 0,
    "x + 0": lambda x, y: x + 0,
    "x - x": lambda x, y: x - x,
    "x / x": lambda x, y: x / x,
    "a third": lambda x, y: x / 3,
    "a cast that rounds": lambda x, y: ops.cast(ops.cast(x, "float32"), "float64"),
    "an inverse per row": lambda x, y: x * ops.reciprocal(ops.sum(y, 1, keepdims=True)),
    "a shared sum": lambda x, y: _sum_and_its_sum(x),
    "sums over other shapes": lambda x, y: ops.sum(ops.sum(x, 1), 0, keepdims=True),
}


@pytest.mark.parametrize("what", KEPT)
def test_kept(what):
    before = count(one_graph(KEPT[what], X, Y))
    assert count(simplified(KEPT[what], X, Y)) == before


def test_sizes_of_ones_are_counted_not_added():
    graph = simplified(lambda x: ops.sum(ops.ones_like(x)), np.ones((4, 3), "float32"))
    assert count(graph) == {"size_of": 1, "cast": 1}


def test_unsigned_sums_of_negatives_stay():
    x = np.array([[1, 2]], "uint8")
    graph = one_graph(lambda x: ops.sum(-x), x)
    after = simplified(lambda x: ops.sum(-x), x)
    same_values(graph, after, [x])


@pytest.mark.parametrize("exponent", [2, 3, 4])
def test_integer_powers_are_products(exponent):
    x = np.array([[-3, 0, 7]], "int32")
    graph = one_graph(lambda x: ops.power(x, np.int32(exponent)), x)
    after = simplified(lambda x: ops.power(x, np.int32(exponent)), x)
    assert "power" not in count(after)
    same_values(graph, after, [x])


def test_pieces_of_a_sum_are_sums_of_pieces():
    x = np.arange(12.0).reshape(2, 6)
    after = passes_of(lambda x, y: ops.split(x + y, 2, 1), x, x, names=("simplify", "cse"))
    assert count(after) == {"split": 2, "add": 2}
    same_values(one_graph(lambda x, y: ops.split(x + y, 2, 1), x, x), after, [x, x])
