"""Shapes are taken from inputs, so that nothing is computed for its shape alone."""

import numpy as np

from autograd_nn import ops

from .graphs import count, one_graph, passes_of, same_values

X = np.arange(6.0).reshape(2, 3)


def borrowed(function, *arrays):
    after = passes_of(function, *arrays, names=("shapes",))
    same_values(one_graph(function, *arrays), after, arrays)
    return count(after)


def test_a_shape_comes_from_an_input():
    assert borrowed(lambda x: ops.broadcast_like(1.0, ops.exp(x)), X) == {"broadcast_like": 1}
    assert borrowed(lambda x: ops.zeros_like(ops.exp(x)), X) == {"zeros_like": 1}
    assert borrowed(lambda x: ops.reshape_like(ops.transpose(x), ops.exp(x)), X) == {"transpose": 1, "reshape_like": 1}


def test_where_the_dtype_matters_too_it_must_agree():
    """zeros_like of an int gives an int."""
    found = borrowed(lambda x: ops.zeros_like(ops.cast(x, "int32")), X)
    assert found == {"cast": 1, "zeros_like": 1}


def test_another_dtype_lends_its_shape():
    assert borrowed(lambda x: ops.broadcast_like(1.0, ops.cast(x, "int32")), X) == {"broadcast_like": 1}


def test_sizes_come_from_inputs_and_constants():
    function = lambda x: ops.size_of(ops.exp(x))  # noqa: E731
    assert borrowed(function, X) == {"size_of": 1, "multiply": 1}
    (size, _) = passes_of(function, X, names=("shapes",)).operations
    assert size.inputs[0].op is None and size.params["axis"] == (0,)


def test_a_known_size_is_a_constant():
    assert borrowed(lambda x: x * ops.cast(ops.size_of(ops.exp(x), 1), "float64"), X) == {"cast": 1, "multiply": 1}


def test_the_size_of_an_input_stays():
    assert borrowed(lambda x: ops.size_of(x, 0), X) == {"size_of": 1}
