"""Products gathered at a place: right to the second derivative where several factors are zero."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.testing import gradcheck

PLACES = np.array([0, 0, 1, 0, 1, 3])
FACTORS = ([0.0, 0.0, 2.0, 3.0, 0.0, 5.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 2.0, 3.0, 4.0, 5.0])


@pytest.mark.parametrize("factors", FACTORS)
@pytest.mark.parametrize("first", [[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]])
def test_products_of_zeros_have_their_second_derivative(factors: list[float], first: list[float]) -> None:
    gradcheck(lambda x, u: ops.scatter_mul(x, u, PLACES), (np.array(first), np.array(factors)), order=2)


@pytest.mark.parametrize("factors", FACTORS)
def test_segments_of_zeros_have_their_second_derivative(factors: list[float]) -> None:
    gradcheck(lambda u: ops.segment_prod(u, PLACES), (np.array(factors),), order=2)


def test_two_zeros_in_a_segment_bend_it() -> None:
    found = ag.hessian(lambda u: ops.sum(ops.segment_prod(u, [0, 0, 0])))(np.array([0.0, 0.0, 3.0])).numpy()
    np.testing.assert_array_equal(found, [[0, 3, 0], [3, 0, 0], [0, 0, 0]])


def test_rows_and_slices_of_zeros() -> None:
    rows = np.array([[0.0, 1.0], [0.0, 0.0], [2.0, 0.0]])
    gradcheck(lambda x, u: ops.scatter_mul(x, u, np.array([1, 1, 0])), (np.zeros((2, 2)), rows), order=2)
    gradcheck(lambda x, u: ops.scatter_mul(x, u, 1), (np.zeros((2, 2)), np.zeros(2)), order=2)
