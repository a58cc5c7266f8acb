"""Norms at zero, products of vectors, diagonals, and products whose sizes are not known yet."""

import math

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import BATCH, Dim, Spec
from autograd_nn.engine.tensor import symbol
from autograd_nn.errors import InvalidArgument, ShapeError

FLOAT = np.dtype("float64")


@pytest.mark.parametrize("ord", [None, 2, 1, math.inf, 3])
def test_the_norm_of_zero_has_gradient_zero(ord):
    zero = np.zeros(3)
    np.testing.assert_array_equal(ag.grad(lambda x: ops.norm(x, ord))(zero).numpy(), zero)


def test_the_second_derivative_of_the_norm_at_zero_is_zero():
    np.testing.assert_array_equal(ag.hessian(ops.norm)(np.zeros(2)).numpy(), np.zeros((2, 2)))


def test_rows_of_zeros_do_not_spoil_the_others():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    found = ag.grad(lambda t: ops.sum(ops.norm(t, axis=1)))(x).numpy()
    np.testing.assert_allclose(found, [[0, 0], [0.6, 0.8]], rtol=1e-15)


@pytest.mark.parametrize(
    ("ord", "shape"), [(2, (2, 2)), ("nuc", (2, 2)), ("fro", (3,)), (True, (3,)), ("frob", (2, 2))]
)
def test_norms_that_do_not_exist_say_which_do(ord, shape):
    with pytest.raises(InvalidArgument, match=r"norm: ord of a .* must be None"):
        ops.norm(np.ones(shape), ord)


@pytest.mark.parametrize("x", [[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 3.0]]])
def test_the_determinant_of_a_singular_matrix_has_its_gradient(x):
    (a, b), (c, d) = x
    found = ag.grad(ops.det)(np.array(x)).numpy()
    np.testing.assert_allclose(found, [[d, -c], [-b, a]], atol=1e-14)


def test_gradients_of_vector_products():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    left, right = ag.grad(ops.matmul, argnums=(0, 1))(a, b)
    np.testing.assert_array_equal(left.numpy(), b)
    np.testing.assert_array_equal(right.numpy(), a)


@pytest.mark.parametrize("sizes", [(2, 3, 4), (5, 1, 2), (2, 0, 3)])
def test_a_product_of_unknown_sizes_has_its_gradient(sizes):
    rows, inner, columns = Dim("rows"), Dim("inner"), Dim("columns")
    a = symbol(Spec((BATCH, rows, inner), FLOAT), requires_grad=True)
    b = symbol(Spec((inner, columns), FLOAT), requires_grad=True)
    loss = ops.sum(ops.square(ops.matmul(a, b)))
    graph = Graph((a, b), ag.transforms.gradients(loss, [a, b])).verify()
    n, k, m = sizes
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, n, k)), rng.normal(size=(k, m))
    of_x, of_w = graph.evaluate(x, w)
    np.testing.assert_allclose(of_x, 2 * (x @ w) @ w.T, atol=1e-12)
    np.testing.assert_allclose(of_w, np.einsum("bnk,bnm->km", x, 2 * (x @ w)), atol=1e-12)


def test_vdot_does_not_broadcast():
    with pytest.raises(ShapeError):
        ops.vdot(np.ones(1), np.ones(3))


def test_the_diagonal_of_unknown_sizes():
    x = symbol(Spec((BATCH, BATCH), FLOAT))
    assert ops.diagonal(x).spec.shape == (BATCH,)
    assert ops.diagonal(x, 1).shape == (None,)
    (found,) = Graph((x,), (ops.trace(x, 1),)).verify().evaluate(np.arange(9.0).reshape(3, 3))
    assert found == 6
