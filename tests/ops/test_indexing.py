"""Indexing with random keys: value, shape rule and gradient against NumPy, with known and unknown sizes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import errors, ops
from autograd_nn.engine.autodiff import pullback
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import BATCH, Dim, Spec
from autograd_nn.engine.tensor import Tensor, leaf, symbol

Key = tuple[Any, ...]
# Index arrays of one key must broadcast: all their shapes come from here.
ARRAY_SHAPES = ((), (1,), (3,), (2, 1), (2, 3))


@st.composite
def indexed(draw: st.DrawFn) -> tuple[tuple[int, ...], Key]:
    """A shape and a key that mixes everything NumPy takes."""
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=4)))
    count = draw(st.integers(0, len(shape)))
    sizes, key = iter(range(count)), []
    for axis in sizes:
        kind = draw(st.sampled_from(("int", "slice", "array", "mask", "plane")))
        if kind == "plane" and axis + 1 < count:
            key.append(
                np.array(
                    draw(
                        st.lists(
                            st.booleans(),
                            min_size=shape[axis] * shape[axis + 1],
                            max_size=shape[axis] * shape[axis + 1],
                        )
                    )
                ).reshape(shape[axis : axis + 2])
            )
            next(sizes)
            continue
        key.append(draw(item(shape[axis], kind)))
    for place in sorted(draw(st.lists(st.integers(0, len(key)), max_size=2))):
        key.insert(place, None)
    if draw(st.booleans()):
        key.insert(draw(st.integers(0, len(key))), ...)
    return shape, tuple(key)


def item(size: int, kind: str) -> st.SearchStrategy[Any]:
    if kind == "int":
        return st.integers(-size, size - 1)
    if kind == "slice":
        return st.slices(size)
    if kind == "mask":
        return st.lists(st.booleans(), min_size=size, max_size=size).map(np.array)
    places = st.integers(-size, size - 1)
    return st.sampled_from(ARRAY_SHAPES).flatmap(
        lambda shape: st.lists(places, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))).map(
            lambda flat: np.array(flat, np.int64).reshape(shape)
        )
    )


def numbered(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(float(np.prod(shape))).reshape(shape)


def picked(shape: tuple[int, ...], key: Key) -> np.ndarray:
    """NumPy's answer; keys whose arrays do not broadcast are passed over."""
    try:
        return np.asarray(numbered(shape)[key])
    except IndexError:
        assume(False)
        raise


def weights(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


@given(indexed())
def test_value_equals_numpy(case: tuple[tuple[int, ...], Key]) -> None:
    shape, key = case
    expected = picked(shape, key)
    np.testing.assert_array_equal(ag.tensor(numbered(shape))[key].numpy(), expected, strict=True)


@given(indexed())
def test_gradient_adds_up_where_elements_are_picked(case: tuple[tuple[int, ...], Key]) -> None:
    shape, key = case
    g = weights(picked(shape, key).shape)
    x = ag.tensor(numbered(shape), requires_grad=True)
    x[key].backward(g)
    expected = np.zeros(shape)
    np.add.at(expected, key, g)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-14, atol=1e-14, strict=True)


@given(indexed())
def test_second_order_is_indexing_again(case: tuple[tuple[int, ...], Key]) -> None:
    shape, key = case
    x, v = numbered(shape), weights(shape)
    expected = 6 * picked(shape, key)
    scattered = np.zeros(shape)
    np.add.at(scattered, key, expected * v[key])
    product = ag.hvp(lambda t: (t[key] ** 3).sum(), ag.tensor(x), ag.tensor(v))
    np.testing.assert_allclose(product.numpy(), scattered, rtol=1e-12, atol=1e-12)


@given(indexed(), st.booleans())
def test_graph_of_symbols_agrees(case: tuple[tuple[int, ...], Key], known: bool) -> None:
    """x, and every array in the key, is an input without a value; sizes are known, or none of them."""
    shape, key = case
    expected = picked(shape, key)
    x = symbol(Spec(shape if known else tuple(Dim() for _ in shape), np.dtype("float64")), requires_grad=True)
    arrays = [part for part in key if isinstance(part, np.ndarray)]
    indices = [symbol(Spec(part.shape, part.dtype)) for part in arrays]
    given_indices = iter(indices)
    y = x[tuple(next(given_indices) if isinstance(part, np.ndarray) else part for part in key)]
    assert y.ndim == expected.ndim
    assert all(a in (None, b) for a, b in zip(y.shape, expected.shape))
    if known and not any(part.dtype == bool for part in arrays):
        assert y.shape == expected.shape
    g = symbol(y.spec)
    (dx,) = pullback([y], [g], [x])
    assert dx is not None
    w = weights(expected.shape)
    values = Graph([x, *indices, g], [y, dx]).verify().evaluate(numbered(shape), *arrays, w)
    np.testing.assert_array_equal(values[0], expected)
    scattered = np.zeros(shape)
    np.add.at(scattered, key, w)
    np.testing.assert_allclose(values[1], scattered, rtol=1e-14, atol=1e-14)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.data())
def test_take_along_axis_equals_numpy(sizes: list[int], data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(sizes), len(sizes) - 1))
    shape = list(sizes)
    shape[axis] = data.draw(st.integers(0, 4))
    count = int(np.prod(shape))
    flat = data.draw(st.lists(st.integers(-sizes[axis], sizes[axis] - 1), min_size=count, max_size=count))
    indices = np.array(flat, np.int64).reshape(shape)
    x = numbered(tuple(sizes))
    found = ops.take_along_axis(x, indices, axis)
    np.testing.assert_array_equal(found.numpy(), np.take_along_axis(x, indices, axis), strict=True)


@pytest.mark.parametrize(
    "key",
    [(slice(None), 0), (..., slice(1, None)), slice(None, None, -1), (slice(None), None), (slice(1, -1), [1, 0])],
    ids=str,
)
def test_one_graph_serves_every_batch_size(key: Any) -> None:
    x = symbol(Spec((BATCH, 4), np.dtype("float64")), requires_grad=True)
    y = x[key]
    (dx,) = pullback([y], [ops.ones_like(y)], [x])
    assert dx is not None
    graph = Graph([x], [y, dx]).verify()
    for size in (3, 5):
        value = np.random.default_rng(size).normal(size=(size, 4))
        found, grad = graph.evaluate(value)
        np.testing.assert_array_equal(found, value[key])
        counts = np.zeros_like(value)
        np.add.at(counts, key, 1.0)
        np.testing.assert_array_equal(grad, counts)


def test_full_and_reversed_slices_keep_an_unknown_size() -> None:
    x = symbol(Spec((BATCH, 4), np.dtype("float64")))
    assert x[:, 0].spec.shape == (BATCH,)
    assert x[::-1].spec.shape == (BATCH, 4)
    assert x[..., 1:].spec.shape == (BATCH, 3)


def test_slice_bounds_may_be_symbolic() -> None:
    x = symbol(Spec((5,), np.dtype("float64")), requires_grad=True)
    n = symbol(Spec((), np.dtype("int64")))
    y = x[n : n + 2]
    (dx,) = pullback([y], [ops.ones_like(y)], [x])
    assert y.shape == (None,)
    assert dx is not None
    found, grad = Graph([x, n], [y, dx]).verify().evaluate(np.arange(5.0), np.array(2))
    assert found.tolist() == [2.0, 3.0]
    assert grad.tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_tensors_with_values_are_keys() -> None:
    x = ag.tensor([[1.0, 2.0], [3.0, 4.0]])
    one = ag.tensor(1)
    assert x[one].tolist() == [3.0, 4.0]
    assert x[ag.tensor([1, 0]), one].tolist() == [4.0, 2.0]
    assert x[:one].tolist() == [[1.0, 2.0]]
    assert x[x > 1.5].tolist() == [2.0, 3.0, 4.0]


def test_rows_named_often_add_up_as_one_by_one() -> None:
    rows = np.random.default_rng(0).integers(-7, 7, (40, 5))
    g = np.random.default_rng(1).normal(size=(40, 5, 3))
    expected = np.zeros((7, 3))
    for place, row in np.ndenumerate(rows):
        expected[row] += g[place]
    found = ops.scatter_like(g, np.zeros((7, 3)), rows)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-13)


def test_values_of_the_tensor_are_never_written() -> None:
    x = ag.tensor([1.0, 2.0, 3.0], requires_grad=True)
    part = x[1:]
    with pytest.raises(ValueError, match="read-only"):
        part.numpy()[0] = 9.0
    with pytest.raises(errors.GraphError, match="never written in place"):
        x[0] = 9.0
    assert x.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (2, ("index 2", "axis 0", "size 2", "(2, 3)")),
        ((0, -4), ("index -4", "axis 1", "size 3")),
        (np.array([0, 7]), ("index 7", "axis 0", "size 2")),
        ((0, 0, 0), ("3 indices", "2 axes", "(2, 3)")),
        (np.array([True, False, True]), ("mask", "(3,)", "axis 0", "(2, 3)")),
        ((np.array([0, 1]), np.array([0, 1, 2])), ("indices", "(2,)", "(3,)")),
        (0.5, ("ints", "0.5")),
        (np.array([0.5]), ("ints or bools", "float64", "ops.cast")),
        ("a", ("'a'",)),
        (slice(0, "b"), ("slice", "'b'")),
        (slice(None, None, 0), ("step", "0")),
        ((..., ...), ("one ellipsis",)),
    ],
    ids=str,
)
def test_errors_name_index_axis_and_size(key: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(errors.AutogradError) as caught:
        ag.tensor(np.ones((2, 3)))[key]
    message = str(caught.value)
    assert "getitem" in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("key", [2, (0, -4), np.array([0, 7]), (0, 0, 0)], ids=str)
def test_out_of_range_is_an_index_error(key: Any) -> None:
    with pytest.raises(IndexError):
        ag.tensor(np.ones((2, 3)))[key]


def test_an_index_out_of_range_is_found_before_the_graph_runs() -> None:
    x = symbol(Spec((BATCH, 3), np.dtype("float64")))
    with pytest.raises(errors.AxisError, match="axis 1"):
        x[:, 3]
    assert isinstance(x[7], Tensor)
    with pytest.raises(errors.AxisError, match="index 7"):
        Graph([x], [x[7]]).evaluate(np.ones((2, 3)))


def test_scatter_refuses_another_shape() -> None:
    with pytest.raises(errors.ShapeError, match=r"\(3,\).*\(4,\)"):
        ops.scatter_like(leaf(np.ones(4)), np.zeros((2, 3)), 0)
