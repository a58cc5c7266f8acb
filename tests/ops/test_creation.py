"""Tensors from shapes whose sizes may be known only when the graph runs, and the way in and out of tensors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import errors, ops
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import BATCH, Spec
from autograd_nn.engine.tensor import Tensor, symbol

FROM_BATCH: dict[str, tuple[Callable[[Any], Tensor], Callable[[int], Any]]] = {
    "arange": (lambda n: ops.arange(n), lambda n: np.arange(n)),
    "arange down": (lambda n: ops.arange(n, 0, -1), lambda n: np.arange(n, 0, -1)),
    "broadcast_to": (lambda n: ops.broadcast_to([1.0, 2.0], (n, 2)), lambda n: np.tile(np.float32([1, 2]), (n, 1))),
    "empty": (lambda n: ops.empty((2, n)), lambda n: np.zeros((2, n), "float32")),
    "eye": (lambda n: ops.eye(n, 3, k=1), lambda n: np.eye(n, 3, k=1, dtype="float32")),
    "full": (lambda n: ops.full((n, 1), 7), lambda n: np.full((n, 1), 7)),
    "identity": (lambda n: ops.identity(n), lambda n: np.identity(n, "float32")),
    "ones": (lambda n: ops.ones(n, "int32"), lambda n: np.ones(n, "int32")),
    "reshape": (lambda n: ops.reshape(ops.zeros((n, 6)), (n, 2, 3)), lambda n: np.zeros((n, 2, 3), "float32")),
    "size times two": (lambda n: ops.zeros((n * 2,)), lambda n: np.zeros(2 * n, "float32")),
    "tri": (lambda n: ops.tri(3, n, -1), lambda n: np.tri(3, n, -1, dtype="float32")),
    "zeros": (lambda n: ops.zeros((n, 3)), lambda n: np.zeros((n, 3), "float32")),
}


@pytest.mark.parametrize(("ours", "numpy"), FROM_BATCH.values(), ids=FROM_BATCH)
def test_sizes_may_be_those_of_an_unknown_batch(ours: Any, numpy: Any) -> None:
    x = symbol(Spec((BATCH, 3), np.dtype("float64")))
    y = ours(ops.shape(x)[0])
    graph = Graph([x], [y]).verify()
    for size in (1, 4):
        expected = numpy(size)
        (found,) = graph.evaluate(np.ones((size, 3)))
        np.testing.assert_array_equal(found, expected, strict=True)
        assert all(known in (None, got) for known, got in zip(y.shape, expected.shape))


def test_shape_keeps_what_is_known() -> None:
    x = symbol(Spec((BATCH, 3), np.dtype("float64")))
    batch, width = ops.shape(x)
    assert width == 3
    assert isinstance(batch, Tensor)
    assert ops.zeros(ops.shape(x)).spec.shape == (BATCH, 3)
    assert ops.arange(batch).spec.shape == (BATCH,)
    assert ops.shape(np.ones((2, 5))) == (2, 5)


def test_unknown_sizes_joined_by_shape_still_broadcast() -> None:
    x = symbol(Spec((BATCH, 3), np.dtype("float32")))
    y = x + ops.ones(ops.shape(x)) * ops.reshape(ops.arange(ops.shape(x)[0], dtype="float32"), (-1, 1))
    assert y.spec.shape == (BATCH, 3)
    found = Graph([x], [y]).verify().evaluate(np.zeros((2, 3), np.float32))[0]
    assert found.tolist() == [[0, 0, 0], [1, 1, 1]]


def test_the_gradient_of_full_is_the_sum() -> None:
    value = ag.tensor(2.0, requires_grad=True)
    (ops.full((2, 3), value) * ops.full_like(np.ones((2, 3)), value)).sum().backward()
    assert value.grad.item() == 24.0


def test_linspace_ends_exactly_and_follows_its_ends() -> None:
    a, b = ag.tensor(0.1, requires_grad=True), ag.tensor(0.7, requires_grad=True)
    line = ops.linspace(a, b, 7)
    assert line[0].item() == a.item()
    assert line[-1].item() == b.item()
    line.sum().backward()
    np.testing.assert_allclose([a.grad.item(), b.grad.item()], [3.5, 3.5], rtol=1e-6)


@pytest.mark.parametrize("bounds", [(5,), (2, 9), (2, 9, 3), (9, 2, -2), (3, 3), (0.0, 1.0, 0.3), (1, 5.0)], ids=str)
def test_arange_equals_numpy_but_for_the_default_float(bounds: tuple[Any, ...]) -> None:
    expected = np.arange(*bounds)
    found = ops.arange(*bounds)
    assert found.dtype == ("float32" if expected.dtype == "float64" else "int64")
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
    assert found.shape == expected.shape


def test_triangles_of_an_unknown_batch() -> None:
    x = symbol(Spec((BATCH, 3, 3), np.dtype("float64")), requires_grad=True)
    array = np.arange(18.0).reshape(2, 3, 3)
    found = Graph([x], [ops.tril(x), ops.triu(x, 1)]).verify().evaluate(array)
    np.testing.assert_array_equal(found[0], np.tril(array))
    np.testing.assert_array_equal(found[1], np.triu(array, 1))


def test_a_copy_does_not_follow_a_variable() -> None:
    w = ag.Variable([1.0, 2.0])
    kept = ops.copy(w)
    w.assign([3.0, 4.0])
    assert kept.tolist() == [1.0, 2.0]


def test_into_and_out_of_tensors() -> None:
    t = ops.convert_to_tensor([1, 2], dtype="float32")
    assert ops.is_tensor(t)
    assert not ops.is_tensor([1, 2])
    assert ops.convert_to_tensor(t) is t
    array = ops.convert_to_numpy(t)
    assert isinstance(array, np.ndarray)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 5
    assert ops.convert_to_numpy([1.5]).dtype == np.float32
    with pytest.raises(errors.SymbolicError):
        ops.convert_to_numpy(symbol(Spec((2,), np.dtype("float32"))))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ops.zeros(symbol(Spec((BATCH, 3), np.dtype("float32"))).shape), r"ops.shape\(x\)"),
        (lambda: ops.zeros((-1, 2)), "every size must be given"),
        (lambda: ops.ones("ab"), "a size must be an int, got 'ab'"),
        (lambda: ops.full((2,), np.ones(3)), r"\(3,\) does not broadcast to \(2,\)"),
        (lambda: ops.arange(1, 5, 0), "step must not be 0"),
        (lambda: ops.arange(np.ones(2)), r"start|stop must be a single number"),
        (lambda: ops.linspace(0.0, 1.0, -1), "num must be >= 0"),
        (lambda: ops.eye(2, k=0.5), "k, the diagonal"),
        (lambda: ops.tril(np.ones(3)), "two axes"),
        (lambda: ops.meshgrid([1.0], indexing="yx"), "'xy' or 'ij'"),
    ],
)
def test_errors_say_what_to_type(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(errors.AutogradError, match=words):
        call()
