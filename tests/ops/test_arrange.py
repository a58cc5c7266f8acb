"""Padding, repeating and tiling of random shapes against NumPy, eager and with unknown sizes."""

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
from autograd_nn.engine.spec import Dim, Spec
from autograd_nn.engine.tensor import Tensor, symbol

MODES = ("constant", "edge", "reflect", "symmetric", "wrap")
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


def numbered(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(1.0, 1 + np.prod(shape)).reshape(shape)


def counts(function: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """How often each element of an array of that shape stands in what the function makes of it."""
    places = function(numbered(shape)).astype(int)
    return np.bincount(places.ravel(), minlength=1 + int(np.prod(shape)))[1:].reshape(shape).astype(float)


def agrees(ours: Callable[[Any], Tensor], numpy: Callable[[Any], Any], shape: tuple[int, ...]) -> None:
    """Value and gradient of ours are NumPy's, eager and as one graph of unknown sizes."""
    expected = numpy(numbered(shape))
    t = ag.tensor(numbered(shape), requires_grad=True)
    y = ours(t)
    np.testing.assert_array_equal(y.numpy(), expected, strict=True)
    y.sum().backward()
    np.testing.assert_array_equal(t.grad.numpy(), counts(numpy, shape))
    x = symbol(Spec(tuple(Dim() for _ in shape), np.dtype("float64")), requires_grad=True)
    y = ours(x)
    (dx,) = pullback([y], [ops.ones_like(y)], [x])
    assert dx is not None
    found, grad = Graph([x], [y, dx]).verify().evaluate(numbered(shape))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(grad, counts(numpy, shape))


@given(shapes, st.sampled_from(MODES), st.data())
def test_pad(shape: tuple[int, ...], mode: str, data: st.DataObject) -> None:
    pairs = st.tuples(st.integers(0, 9), st.integers(0, 9))
    widths = data.draw(st.lists(pairs, min_size=len(shape), max_size=len(shape)))
    agrees(lambda x: ops.pad(x, widths, mode), lambda x: np.pad(x, widths, mode), shape)


@pytest.mark.parametrize("widths", [2, (1, 2), [3], [(1, 2)], [(1, 0), (0, 2)], np.array([[1, 1], [2, 2]])], ids=str)
def test_every_form_of_pad_width(widths: Any) -> None:
    agrees(lambda x: ops.pad(x, widths), lambda x: np.pad(x, widths), (2, 3))


@given(shapes, st.data())
def test_tile(shape: tuple[int, ...], data: st.DataObject) -> None:
    repeats = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    agrees(lambda x: ops.tile(x, repeats), lambda x: np.tile(x, repeats), shape)


@given(shapes, st.data())
def test_repeat(shape: tuple[int, ...], data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    each = st.lists(st.integers(0, 3), min_size=shape[axis], max_size=shape[axis])
    repeats = data.draw(st.one_of(st.integers(0, 3), each))
    agrees(lambda x: ops.repeat(x, repeats, axis), lambda x: np.repeat(x, repeats, axis), shape)


@given(shapes, st.data())
def test_roll_and_flip(shape: tuple[int, ...], data: st.DataObject) -> None:
    axes = tuple(data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, max_size=3, unique=True)))
    shifts = tuple(data.draw(st.lists(st.integers(-9, 9), min_size=len(axes), max_size=len(axes))))
    agrees(lambda x: ops.roll(x, shifts, axes), lambda x: np.roll(x, shifts, axes), shape)
    agrees(lambda x: ops.roll(x, shifts[0]), lambda x: np.roll(x, shifts[0]), shape)
    agrees(lambda x: ops.flip(x, axes), lambda x: np.flip(x, axes), shape)


def test_padding_leaves_other_sizes_known() -> None:
    batch = Dim("batch")
    x = symbol(Spec((batch, 4), np.dtype("float64")))
    assert ops.pad(x, ((0, 0), (1, 2))).spec.shape == (batch, 7)
    assert ops.pad(x, ((1, 0), (0, 0))).spec.shape[1] == 4
    assert ops.tile(x, (1, 3)).spec.shape == (batch, 12)
    assert ops.repeat(x, 2, axis=1).spec.shape == (batch, 8)


def test_sizes_that_are_known_when_the_graph_runs() -> None:
    @ag.jit(batched=True)
    def repeated(x: ag.Tensor) -> Any:
        batch = ops.shape(x)[0]
        vector = ops.concatenate([ops.expand_dims(batch, -1), ag.tensor([1, 2])], 0)
        found = ops.tile(np.ones((1, 2, 3)), vector), ops.tile(np.ones((2, 1)), (1, batch)), ops.reshape(x, vector[:1])
        assert found[0].spec.shape == (x.spec.shape[0], 2, 6) and found[1].spec.shape == (2, x.spec.shape[0])
        return found

    for batch in (4, 1, 7):
        assert [t.shape for t in repeated(np.ones((batch, 1)))] == [(batch, 2, 6), (2, batch), (batch,)]
    assert ops.tile([1, 2], ag.tensor([2, 1])).shape == (2, 2)
    assert ops.reshape(np.ones(6), np.array([2, 3])).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ops.pad(np.ones(3), 1, "mirror"), "unknown mode 'mirror'; known: constant, reflect"),
        (lambda: ops.pad(np.ones((2, 3)), [(1, 1)] * 3), "does not fit 2 axes"),
        (lambda: ops.pad(np.ones((0, 3)), 1, "edge"), "axis 0 has no elements"),
        (lambda: ops.repeat(np.ones(3), [1, 2]), "2 repeats for the 3 elements of axis 0"),
        (lambda: ops.tile(np.ones(3), -1), "must be >= 0, got -1"),
        (lambda: ops.roll(np.ones((2, 3)), (1, 2, 3), (0, 1)), "3 shifts for 2 axes"),
    ],
)
def test_errors_say_what_was_got(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(errors.AutogradError, match=words):
        call()
