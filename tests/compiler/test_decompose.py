"""Ops that are several simpler ones: none is left, and the values are theirs."""

import numpy as np
import pytest

from autograd_nn import jit, ops

from .graphs import count, one_graph, passes_of, same_values

X = np.random.default_rng(0).normal(size=(4, 5)) * 3
EDGES = np.array([[-np.inf, -np.inf], [np.inf, 1.0], [np.nan, 0.0], [1000.0, -1000.0]])
WRITTEN_OUT = {
    "softmax": lambda x: ops.softmax(x),
    "log_softmax": lambda x: ops.log_softmax(x, 0),
    "logsumexp": lambda x: ops.logsumexp(x, 1),
    "mean": lambda x: ops.mean(x, 0),
    "var": lambda x: ops.var(x, 1),
    "std": lambda x: ops.std(x, 1, keepdims=True),
    "l2_norm": lambda x: ops.norm(x, axis=1),
}


@pytest.mark.parametrize("array", [X, EDGES, X.astype("float32")], ids=["plain", "edges", "float32"])
@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_written_out(name, array):
    graph = one_graph(WRITTEN_OUT[name], array)
    after = passes_of(WRITTEN_OUT[name], array, names=("decompose",))
    assert name in count(graph) and name not in count(after)
    same_values(graph, after, [array])


@pytest.mark.parametrize("ddof", [0, 1, 5])
def test_the_spread_over_a_batch_of_any_size_has_kernels(ddof):
    spread = jit(lambda x: (ops.var(x, 0, ddof=ddof), ops.std(x, (0, 1), True, ddof=ddof)), batched=True)
    for rows in (6, 9):
        x = np.random.default_rng(1).normal(size=(rows, 2))
        var, std = spread(x)
        np.testing.assert_allclose(var.numpy(), x.var(0, ddof=ddof), rtol=1e-12)
        np.testing.assert_allclose(std.numpy(), x.std(keepdims=True, ddof=ddof), rtol=1e-12)
    assert "no kernel" not in spread.explain()


@pytest.mark.parametrize("decimals", [-1, 2])
def test_rounding_to_decimals_is_rounding_to_whole_numbers(decimals):
    x = X * 20
    after = passes_of(lambda x: ops.round(x, decimals), x, names=("decompose",))
    assert count(after) == {"multiply": 1, "round": 1, "divide": 1}
    same_values(one_graph(lambda x: ops.round(x, decimals), x), after, [x])


def test_one_hot_is_a_comparison():
    x = np.array([0, 2, 5, -1])
    after = passes_of(lambda x: ops.one_hot(x, 3), x, names=("decompose",))
    assert count(after) == {"expand_dims": 1, "equal": 1, "cast": 1}
    same_values(one_graph(lambda x: ops.one_hot(x, 3), x), after, [x])


def test_float16_keeps_the_forward_of_the_op():
    assert count(passes_of(lambda x: ops.softmax(x), X.astype("float16"), names=("decompose",))) == {"softmax": 1}
