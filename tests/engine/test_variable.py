"""Variables: read eagerly as they are, in a trace as a stand-in whose new value is written last."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.tensor import tracing
from autograd_nn.engine.variable import Trace
from autograd_nn.errors import ShapeError


def test_a_variable_is_a_leaf_with_a_gradient() -> None:
    w = ag.Variable([1.0, 2.0], name="w")
    (w * w).sum().backward()
    assert w.grad is not None and w.grad.tolist() == [2, 4]
    assert (w.path, w.trainable, w.requires_grad, w.is_leaf) == ("w", True, True, True)


def test_integers_and_frozen_variables_have_no_gradient() -> None:
    assert not ag.Variable([1, 2]).requires_grad
    assert not ag.Variable([1.0], trainable=False).requires_grad


def test_a_variable_copies_what_it_is_given() -> None:
    array = np.ones(2)
    w = ag.Variable(array)
    array[0] = 5
    assert w.tolist() == [1, 1]


def test_assigning() -> None:
    w = ag.Variable([1.0, 2.0], dtype="float32")
    w.assign([3, 4])
    w.assign_add([1, 1])
    w.assign_sub(ag.tensor([0.5, 0.5]))
    assert (w.tolist(), w.dtype) == ([3.5, 4.5], "float32")
    with pytest.raises(ShapeError, match=r"'variable' \(2,\).*expected shape \(2,\), got \(3,\)"):
        w.assign(np.ones(3))


def test_in_a_trace_a_variable_is_read_once_and_written_last() -> None:
    w = ag.Variable([1.0, 2.0], name="w")
    trace = Trace()
    with tracing(trace):
        doubled = w * 2
        w.assign(doubled)
        again = w + 0
    assert (doubled.is_symbolic, again.is_symbolic) == (True, True)
    assert w.tolist() == [1, 2]
    assert list(trace.reads) == [w] and list(trace.writes) == [w]
    assert again.inputs[0] is trace.writes[w]


def test_in_a_trace_a_wrong_shape_is_refused_at_once() -> None:
    w = ag.Variable([1.0, 2.0], name="w")
    trace = Trace()
    with tracing(trace), pytest.raises(ShapeError, match=r"assign to 'w'"):
        w.assign(ops.concatenate([w, w]))
    assert not trace.writes
