"""Running totals from the end, recurrences, and derivatives of products that meet zeros."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.errors import ShapeError

NUMBERS = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=6).map(np.array)


@given(NUMBERS)
def test_reverse_runs_from_the_end(x):
    np.testing.assert_array_equal(ops.cumsum(x, 0, reverse=True).numpy(), np.cumsum(x[::-1])[::-1])
    np.testing.assert_array_equal(ops.cumprod(x, 0, reverse=True).numpy(), np.cumprod(x[::-1])[::-1])


@given(NUMBERS, st.booleans())
def test_jacobian_of_a_running_product_with_zeros(x, reverse):
    found = ag.jacobian(lambda t: ops.cumprod(t, 0, reverse=reverse))(x).numpy()
    for row, column in np.ndindex(found.shape):
        others = np.where(np.arange(len(x)) == column, 1, x)
        reached = column >= row if reverse else column <= row
        part = others[row:] if reverse else others[: row + 1]
        assert found[row, column] == (np.prod(part) if reached else 0)


@given(NUMBERS)
def test_second_derivative_of_a_running_product_with_zeros(x):
    found = ag.hessian(lambda t: ops.sum(ops.cumprod(t, 0)))(x).numpy()
    for i, j in np.ndindex(found.shape):
        others = np.where(np.isin(np.arange(len(x)), (i, j)), 1, x)
        expected = 0 if i == j else np.cumprod(others)[np.maximum(i, j) :].sum()
        assert found[i, j] == expected


@given(NUMBERS, NUMBERS, st.booleans())
def test_recurrence_is_the_loop_it_stands_for(a, b, reverse):
    size = np.minimum(len(a), len(b))
    a, b = a[:size], b[:size]
    order = range(size)[::-1] if reverse else range(size)
    y, last = np.zeros(size), 0.0
    for k in order:
        last = y[k] = b[k] + a[k] * last
    np.testing.assert_array_equal(ops.linear_recurrence(a, b, reverse=reverse).numpy(), y)


def test_recurrence_does_not_broadcast():
    with pytest.raises(ShapeError, match="same shape"):
        ops.linear_recurrence(np.ones((3, 1)), np.ones((3, 2)))


def test_values_are_kept():
    a, b = ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0])
    ops.linear_recurrence(a, b)
    assert b.tolist() == [3, 4]
