"""Equal operations on equal inputs are computed once."""

import numpy as np

from autograd_nn import ops

from .graphs import count, one_graph, passes_of, same_values

X = np.arange(6.0).reshape(2, 3)


def shared(function):
    after = passes_of(function, X, names=("cse",))
    same_values(one_graph(function, X), after, [X])
    return after


def test_the_same_is_computed_once():
    assert count(shared(lambda x: ops.exp(x) + ops.exp(x))) == {"exp": 1, "add": 1}


def test_params_and_dtypes_tell_apart():
    assert count(shared(lambda x: (ops.sum(x, 0), ops.sum(x, 1)))) == {"sum": 2}
    assert count(shared(lambda x: (ops.cast(x, "int32"), ops.cast(x, "int64")))) == {"cast": 2}
    assert count(shared(lambda x: (x * np.float32(2), x * np.float64(2)))) == {"multiply": 2}


def test_scalars_are_equal_by_value_and_become_one_constant():
    graph = shared(lambda x: ops.exp(x * 2.0) + ops.sin(x * 2.0) + 2.0)
    assert count(graph)["multiply"] == 1
    assert len(graph.constants) == 1


def test_zeros_of_two_signs_are_two():
    assert count(shared(lambda x: (x * 0.0, x * -0.0))) == {"multiply": 2}
