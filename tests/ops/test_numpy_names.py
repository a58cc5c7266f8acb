"""NumPy's own names on Tensors, aliases, and gradients where NaN and infinities stand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.tensor import Tensor
from autograd_nn.ops.aliases import ALIASES

X = np.array([[0.3, -0.5, 0.7], [0.2, 0.9, -0.1]])
Y = np.array([[1.3, 0.5, 2.7], [1.2, 0.4, 1.1]])
SQUARE = np.array([[4.0, 1.0], [1.0, 3.0]])
HOLED = np.array([[1.0, np.nan, 4.0], [2.0, 5.0, np.nan]])

CALLS: dict[str, Callable[..., Any]] = {
    "append": lambda x: np.append(x, x, axis=1),
    "arccos": np.arccos,
    "arctan2": lambda x: np.arctan2(x, Y),
    "average": lambda x: np.average(x, axis=1, weights=Y),
    "cbrt": np.cbrt,
    "corrcoef": np.corrcoef,
    "cumsum": lambda x: np.cumsum(x, axis=0),
    "diff": lambda x: np.diff(x, axis=0),
    "digitize": lambda x: np.digitize(x, np.array([-0.2, 0.0, 0.5])),
    "divmod": lambda x: np.divmod(x, Y),
    "fmax": lambda x: np.fmax(x, Y),
    "hypot": lambda x: np.hypot(x, Y),
    "isclose": lambda x: np.isclose(x, Y),
    "kron": lambda x: np.kron(x, Y),
    "log2": lambda x: np.log2(np.abs(x)),
    "logaddexp": lambda x: np.logaddexp(x, Y),
    "max initial": lambda x: np.max(x, axis=1, initial=0.5),
    "median": lambda x: np.median(x, axis=1),
    "nan_to_num": np.nan_to_num,
    "nonzero": np.nonzero,
    "percentile": lambda x: np.percentile(x, 30, axis=0),
    "quantile": lambda x: np.quantile(x, [0.2, 0.8], axis=1, keepdims=True),
    "rot90": np.rot90,
    "searchsorted": lambda x: np.searchsorted(np.array([-0.5, 0.0, 0.5]), x),
    "select": lambda x: np.select([x > 0], [x], -1.0),
    "sinc": np.sinc,
    "tan": np.tan,
    "trapezoid": lambda x: np.trapezoid(x, axis=0),
    "vander": lambda x: np.vander(x[0]),
    "where": lambda x: np.where(x > 0),
}
LINEAR: dict[str, Callable[..., Any]] = {
    "cholesky": np.linalg.cholesky,
    "det": np.linalg.det,
    "eigh": lambda x: tuple(np.linalg.eigh(x)),
    "inv": np.linalg.inv,
    "pinv": np.linalg.pinv,
    "qr": lambda x: tuple(np.linalg.qr(x)),
    "solve": lambda x: np.linalg.solve(x, np.ones(2)),
    "svd": lambda x: tuple(np.linalg.svd(x)),
}


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            same(a, b)
        return
    assert isinstance(found, Tensor)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_numpy_functions_take_tensors(name: str) -> None:
    same(CALLS[name](ag.tensor(X)), CALLS[name](X))


@pytest.mark.parametrize("name", sorted(LINEAR))
def test_numpy_linalg_takes_tensors(name: str) -> None:
    same(LINEAR[name](ag.tensor(SQUARE)), LINEAR[name](SQUARE))


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_an_alias_is_the_op_itself(alias: str) -> None:
    assert getattr(ops, alias) is getattr(ops, ALIASES[alias])


@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd", "nanmedian", "nanprod"])
def test_what_is_missing_has_gradient_zero_and_the_rest_its_own(name: str) -> None:
    function = getattr(ops, name)
    found = ag.grad(lambda x: ops.sum(function(x, axis=1)))(ag.tensor(HOLED)).numpy()
    plain = function.__name__.removeprefix("nan")
    present = np.array([[1.0, 4.0], [2.0, 5.0]])
    expected = ag.grad(lambda x: ops.sum(getattr(ops, plain)(x, axis=1)))(ag.tensor(present)).numpy()
    np.testing.assert_array_equal(found[np.isnan(HOLED)], 0)
    np.testing.assert_allclose(found[~np.isnan(HOLED)], expected.ravel(), rtol=1e-12)


@pytest.mark.parametrize("function", [ops.logaddexp, ops.logaddexp2])
def test_logaddexp_of_nothing_has_gradient_zero(function: Callable[..., Any]) -> None:
    pair = ag.grad(lambda x: ops.sum(function(x[0], x[1])))(ag.tensor([[-np.inf, 1.0], [-np.inf, -np.inf]]))
    assert pair.tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_hypot_and_sinc_at_the_origin() -> None:
    assert ag.grad(lambda x: ops.hypot(x, 0.0))(0.0).item() == 0
    second = ag.grad(ag.grad(ops.sinc))(ag.tensor(0.0, dtype="float64"))
    np.testing.assert_allclose(second.item(), -(np.pi**2) / 3, rtol=1e-12)


def test_the_last_update_of_a_place_gets_the_gradient() -> None:
    def total(u: Tensor) -> Tensor:
        return ops.sum(ops.scatter_update([0.0, 0.0], [[1], [1], [0]], u))

    assert ag.grad(total)(ag.tensor([1.0, 2.0, 3.0])).tolist() == [0.0, 1.0, 1.0]


def test_slices_may_begin_where_only_the_run_knows() -> None:
    f = ag.jit(lambda x, k: ops.slice(ops.slice_update(x, (k, 0), [[7.0, 8.0]]), (k, 0), (1, 2)))
    assert f(np.zeros((3, 2), "float32"), np.int64(2)).tolist() == [[7.0, 8.0]]


def test_the_sum_of_singular_values_rises_along_the_product_of_the_vectors() -> None:
    only = ag.grad(lambda x: ops.sum(ops.svd(x)[1]))(ag.tensor(X)).numpy()
    u, _, vt = np.linalg.svd(X, full_matrices=False)
    np.testing.assert_allclose(only, u @ vt, rtol=1e-12)


def test_argument_names_and_defaults_of_keras() -> None:
    assert ops.take_along_axis([[5.0, 6.0]], [1]).tolist() == [6.0]
    assert np.take_along_axis(ag.tensor([[5.0, 6.0]]), np.array([[1]])).tolist() == [[6.0]]
    line, step = ops.linspace(0.0, 1.0, 3, retstep=True)
    assert (line.tolist(), step.item()) == ([0.0, 0.5, 1.0], 0.5)
    assert ops.max(np.zeros((0, 2)), axis=0, initial=3.0).tolist() == [3.0, 3.0]
    assert ops.reshape([1, 2], newshape=(2, 1)).shape == (2, 1)
    assert ops.prod([2, 3], dtype="float32").dtype == np.float32
    assert [t.tolist() for t in ops.where([0, 1])] == [[1]]
