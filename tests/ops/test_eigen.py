"""Eigenvalues of any square matrix: what they mean, their gradient, LAPACK's choice of vectors."""

from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.errors import InvalidArgument
from autograd_nn.testing import gradcheck

RNG = np.random.default_rng(0)
TURNING = np.array([[0.0, -1.0], [1.0, 0.0]])
X = RNG.normal(size=(3, 4, 4)) + np.diag(np.arange(4.0)) * 2


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int64"])
def test_vectors_are_turned_into_multiples_of_themselves(dtype: str) -> None:
    x = X.astype(dtype)
    w, v = (t.numpy() for t in ops.eig(x))
    assert w.dtype == v.dtype == np.result_type(np.linalg.eig(x)[0], np.complex64)
    np.testing.assert_allclose(x @ v, v * w[:, None], atol=1e-4 if w.dtype == "complex64" else 1e-12)


def test_the_result_is_complex_also_where_all_is_real() -> None:
    assert ops.eig(np.eye(2, dtype="float32"))[0].dtype == "complex64"
    assert ag.jit(lambda x: ops.eig(x))(np.eye(2))[0].dtype == "complex128"
    assert ops.linalg.eig is ops.eig


def test_size_and_angle_of_vectors_are_fixed_as_lapack_fixes_them() -> None:
    _, v = ops.eig(X + 0.3j * X[::-1])
    gradcheck(lambda x: ops.eig(x)[1], X[:1] + 0.3j * X[1:2], order=2)
    largest = np.take_along_axis(v.numpy(), np.abs(v.numpy()).argmax(1, keepdims=True), 1)
    np.testing.assert_array_equal(largest.imag, 0)


def test_components_of_one_size_are_no_trouble() -> None:
    gradcheck(lambda x: ops.abs(ops.eig(x)[1]), TURNING, order=2)


def test_equal_eigenvalues_have_a_gradient_without_their_vectors() -> None:
    found = ag.grad(lambda x: ops.sum(ops.real(ops.eig(x)[0]) ** 2))(np.eye(2) * 3).numpy()
    np.testing.assert_allclose(found, np.eye(2) * 6)


def test_the_sum_of_eigenvalues_is_the_trace_and_their_product_the_determinant() -> None:
    def product(x: Any) -> Any:
        w = ops.eig(x)[0]
        return ops.real(w[0] * w[1] * w[2] * w[3])

    np.testing.assert_allclose(ag.grad(lambda x: ops.sum(ops.real(ops.eig(x)[0])))(X[0]).numpy(), np.eye(4), atol=1e-12)
    for order in (ag.grad, ag.hessian):
        np.testing.assert_allclose(order(product)(X[0]).numpy(), order(ops.det)(X[0]).numpy(), rtol=1e-9, atol=1e-9)


def test_nan_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="eig: no eigenvalues found; is there NaN in x"):
        ops.eig(np.full((2, 2), np.nan))
