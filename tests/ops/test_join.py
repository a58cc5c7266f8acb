"""Joining and splitting where sizes are unknown, where gradients reach only a part, and where shapes differ."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import errors, ops
from autograd_nn.engine.autodiff import pullback
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import BATCH, Dim, Spec
from autograd_nn.engine.tensor import symbol

FLOAT = np.dtype("float64")


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.integers(0, 2), st.booleans())
def test_split_undoes_concatenate(sizes: list[int], axis: int, unknown: bool) -> None:
    """Each part gets its own piece of the cotangent back, with known and with unknown sizes along the axis."""
    rest = [2, 3]
    arrays = [np.random.default_rng(k).normal(size=(*rest[:axis], n, *rest[axis:])) for k, n in enumerate(sizes)]
    joined = np.concatenate(arrays, axis)
    shapes = [(*a.shape[:axis], Dim(), *a.shape[axis + 1 :]) if unknown else a.shape for a in arrays]
    parts = [symbol(Spec(shape, FLOAT), requires_grad=True) for shape in shapes]
    y = ops.concatenate(parts, axis)
    g = symbol(y.spec)
    grads = pullback([y], [g], parts)
    assert all(grad is not None for grad in grads)
    found, *pieces = Graph([*parts, g], [y, *grads]).verify().evaluate(*arrays, joined)  # type: ignore[list-item]
    np.testing.assert_array_equal(found, joined)
    for piece, array in zip(pieces, arrays):
        np.testing.assert_array_equal(piece, array)


def test_concatenation_keeps_an_unknown_batch() -> None:
    x = symbol(Spec((BATCH, 3), FLOAT))
    assert ops.concatenate([x, x], axis=1).spec.shape == (BATCH, 6)
    assert ops.concatenate([x, np.ones((4, 1))], axis=1).spec.shape == (4, 4)
    assert ops.concatenate([x, np.ones((2, 3))], axis=0).shape == (None, 3)
    assert ops.stack([x, x], axis=1).spec.shape == (BATCH, 2, 3)
    assert [part.spec.shape for part in ops.split(x, [1], axis=1)] == [(BATCH, 1), (BATCH, 2)]
    assert [part.shape for part in ops.split(x, 2)] == [(None, 3), (None, 3)]
    assert [part.spec.shape for part in ops.unstack(x, axis=1)] == [(BATCH,)] * 3


def test_dtypes_are_promoted_and_gradients_keep_their_own() -> None:
    a = ag.tensor([1.0], dtype="float32", requires_grad=True)
    b = ag.tensor([2.0], dtype="float64", requires_grad=True)
    y = ops.concatenate([a, b, np.array([3])])
    assert y.dtype == np.float64
    (y * y).sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (np.float32, np.float64)
    assert (a.grad.tolist(), b.grad.tolist()) == ([2.0], [4.0])


def test_a_gradient_through_one_piece_is_zero_elsewhere() -> None:
    x = ag.tensor(np.arange(6.0), requires_grad=True)
    (ops.split(x, 3)[1] ** 2).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 4.0, 6.0, 0.0, 0.0]


def test_third_order_through_split_and_concatenate() -> None:
    def f(x: Any) -> Any:
        first, second = ops.split(x, 2)
        return (ops.concatenate([second, first * second]) ** 2).sum()

    def plain(x: Any) -> Any:
        return (x[2:] ** 2).sum() + ((x[:2] * x[2:]) ** 2).sum()

    x = ag.tensor([1.0, 2.0, 3.0, 4.0], dtype="float64")
    third = [ag.grad(lambda t, h=h: ag.hessian(h)(t).sum())(x).numpy() for h in (f, plain)]
    np.testing.assert_allclose(third[0], third[1], rtol=1e-12)


def test_an_array_or_tensor_is_a_list_of_its_rows() -> None:
    rows = np.arange(6.0).reshape(3, 2)
    for joined in (rows, ag.tensor(rows)):
        assert ops.concatenate(joined).tolist() == rows.ravel().tolist()
        assert ops.stack(joined, axis=1).tolist() == rows.T.tolist()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: ops.concatenate([np.ones((2, 3)), np.ones((2, 2))]),
            r"tensor 0 has shape \(2, 3\), tensor 1 \(2, 2\)",
        ),
        (lambda: ops.concatenate([np.ones(2)], axis=1), "concatenate: axis 1 is out of range"),
        (lambda: ops.concatenate([]), "at least one tensor"),
        (lambda: ops.concatenate("ab"), "list or tuple"),
        (lambda: ops.stack([np.ones(2), np.ones(3)]), r"stack: tensor 0 has shape \(2,\), tensor 1 \(3,\)"),
        (lambda: ops.split(np.ones(5), 2), "size 5 has no 2 equal pieces"),
        (lambda: ops.split(np.ones(5), 0), "at least one piece"),
        (lambda: ops.split(np.ones(5), [3, 1]), r"must be >= 0 and rise"),
        (lambda: ops.unstack(symbol(Spec((BATCH, 3), FLOAT))), "give num="),
        (lambda: ops.unstack(np.ones((2, 3)), num=3), "size 2, got num=3"),
    ],
)
def test_errors_name_the_tensor_that_differs(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(errors.AutogradError, match=words):
        call()
