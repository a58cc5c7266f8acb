"""Columns that only complete a basis: which results have a gradient; and determinants of singular matrices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.errors import GradientError
from autograd_nn.testing import gradcheck

RNG = np.random.default_rng(0)
TALL = RNG.normal(size=(5, 3))
WEIGHTS = RNG.normal(size=(5, 5))
SINGULAR = {
    "rank 2 of 3": np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 0.5]) + np.outer([0.5, 0.1, -1.0], [2.0, 0.3, 1.0]),
    "rank 1 of 3": np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 0.5]),
    "rank 0 of 3": np.zeros((3, 3)),
    "a number": np.zeros((1, 1)),
    "rank 1 of 2": np.ones((2, 2)),
    "turned": np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    "several": np.stack([np.ones((2, 2)), np.eye(2)]),
}


def shared(q: Any) -> Any:
    """What every basis of the complement shares: the projection onto it."""
    rest = q[:, 3:]
    return ops.sum(ops.matmul(rest, ops.transpose(rest)) * WEIGHTS)


DETERMINED: dict[str, tuple[Callable[..., Any], Any]] = {
    "svd, the first columns": (lambda x: ops.svd(x)[0][:, :3], TALL),
    "svd, the projection": (lambda x: shared(ops.svd(x)[0]), TALL),
    "svd, the projection of a wide one": (lambda x: shared(ops.transpose(ops.svd(x)[2])), TALL.T.copy()),
    "svd, the other side": (lambda x: ops.svd(x)[1:], TALL),
    "svd, one more column": (lambda x: ops.svd(x), TALL[:4]),
    "svd, one more row": (lambda x: ops.svd(x), TALL[:4].T.copy()),
    "qr, the first columns": (lambda x: ops.qr(x, "complete")[0][:, :3], TALL),
    "qr, the projection": (lambda x: shared(ops.qr(x, "complete")[0]), TALL),
    "qr, r": (lambda x: ops.qr(x, "complete")[1], TALL),
    "qr, one more column": (lambda x: ops.qr(x, "complete"), TALL[:4]),
    "qr, wide": (lambda x: ops.qr(x, "complete"), TALL.T.copy()),
    "qr, several": (lambda x: ops.qr(x, "complete"), np.stack([TALL[:4], TALL[1:]])),
}


@pytest.mark.parametrize("name", DETERMINED)
def test_what_every_basis_shares_has_a_gradient(name: str) -> None:
    f, x = DETERMINED[name]
    gradcheck(f, x, order=2)


@pytest.mark.parametrize(
    ("name", "f"), [("svd", lambda x: ops.svd(x)[0]), ("qr", lambda x: ops.qr(x, mode="complete")[0])]
)
def test_what_depends_on_the_choice_of_a_basis_has_none(name: str, f: Any) -> None:
    slope = ag.grad(lambda x: ops.sum(f(x) * WEIGHTS))
    for ask in (slope, ag.jit(slope)):
        with pytest.raises(GradientError, match=f"{name}: the result depends on columns that only complete a basis"):
            ask(TALL)


def test_the_first_columns_have_the_gradient_of_the_small_factors() -> None:
    for f in (lambda x, full: ops.svd(x, full)[0], lambda x, full: ops.qr(x, "complete" if full else "reduced")[0]):
        small, full = (ag.grad(lambda x: ops.sum(f(x, kind)[:, :3] * WEIGHTS[:, :3]))(TALL) for kind in (False, True))  # noqa: B023
        np.testing.assert_allclose(full.numpy(), small.numpy(), rtol=1e-12, atol=1e-12)


def by_permutations(x: Any) -> Any:
    """The determinant of up to 3 rows and columns, as Leibniz wrote it."""
    if x.shape[-1] == 1:
        return x[..., 0, 0]
    if x.shape[-1] == 2:
        return x[..., 0, 0] * x[..., 1, 1] - x[..., 0, 1] * x[..., 1, 0]
    terms = [x[..., 0, i] * x[..., 1, j] * x[..., 2, 3 - i - j] for i in range(3) for j in range(3) if i != j]
    signs = [(-1) ** ((i > j) + (i > 3 - i - j) + (j > 3 - i - j)) for i in range(3) for j in range(3) if i != j]
    return sum(sign * term for sign, term in zip(signs, terms))


@pytest.mark.parametrize("name", SINGULAR)
@pytest.mark.parametrize("order", [ag.grad, ag.hessian])
def test_determinants_of_singular_matrices_have_two_derivatives(name: str, order: Any) -> None:
    x = SINGULAR[name]
    found, expected = (order(lambda x: ops.sum(det(x)))(x).numpy() for det in (ops.det, by_permutations))  # noqa: B023
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_the_third_derivative_of_a_regular_determinant() -> None:
    x = RNG.normal(size=(3, 3)) + 2 * np.eye(3)
    found, expected = (ag.jacobian(ag.hessian(det))(x).numpy() for det in (ops.det, by_permutations))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
