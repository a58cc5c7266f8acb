"""Shapes and dtypes follow NumPy; unknown sizes take part in broadcasting without being guessed."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import autograd_nn as ag
from autograd_nn.engine.spec import (
    DTYPES,
    Dim,
    Spec,
    as_dtype,
    broadcast,
    normal_axes,
    normal_axis,
    promote,
    public_shape,
    scalar_dtype,
    set_default_float,
    unknown,
)
from autograd_nn.errors import AxisError, DTypeError, InvalidArgument, ShapeError

SHAPES = st.lists(st.integers(0, 3), max_size=4).map(tuple)


@given(mutually_broadcastable_shapes(num_shapes=3, max_dims=4, max_side=4, min_side=0))
def test_broadcast_equals_numpy(shapes: Any) -> None:
    assert broadcast(*shapes.input_shapes) == shapes.result_shape


@given(SHAPES, SHAPES)
def test_broadcast_refuses_what_numpy_refuses(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ShapeError, match="do not broadcast"):
            broadcast(a, b)
    else:
        assert broadcast(a, b) == expected


@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4, min_side=0), st.data())
def test_unknown_sizes_agree_with_every_size_they_can_turn_out_to_be(shapes: Any, data: st.DataObject) -> None:
    hidden = [[data.draw(st.booleans()) for _ in shape] for shape in shapes.input_shapes]
    dims = [
        tuple(Dim() if hide else size for size, hide in zip(shape, row))
        for shape, row in zip(shapes.input_shapes, hidden)
    ]
    found = broadcast(*dims)
    assert len(found) == len(shapes.result_shape)
    assert all(not isinstance(size, int) or size == n for size, n in zip(found, shapes.result_shape))


def test_one_unknown_size_keeps_its_identity() -> None:
    batch = Dim("batch")
    assert broadcast((batch, 3), (batch, 3)) == (batch, 3)
    assert broadcast((batch, 3), (3,)) == (batch, 3)
    assert broadcast((batch, 1), (1, 4)) == (batch, 4)
    assert broadcast((batch,), (5,)) == (5,)
    other = broadcast((batch,), (Dim(),))[0]
    assert isinstance(other, Dim) and other is not batch


def test_a_shape_error_names_both_shapes() -> None:
    with pytest.raises(ShapeError, match=r"add: shapes \(2, 3\) and \(4,\) do not broadcast"):
        broadcast((2, 3), (4,), what="add")
    with pytest.raises(ShapeError, match=r"\(None, 3\) and \(2,\)"):
        broadcast((Dim(), 3), (2,))


@given(st.lists(st.sampled_from(DTYPES), min_size=1, max_size=3))
def test_promotion_equals_numpy(names: list[str]) -> None:
    assert promote(*map(np.dtype, names)) == np.result_type(*names)


@given(st.sampled_from(DTYPES), st.sampled_from([bool, int, float]))
def test_python_scalars_promote_as_in_numpy_two(name: str, kind: type) -> None:
    other = np.dtype(name)
    found = promote(other, scalar_dtype(kind, other))
    expected = (np.ones(1, other) + kind(1)).dtype
    # NumPy makes a float64 of an integer array and a Python float, here the default float is taken.
    assert found == (promote(other, np.dtype("float32")) if kind is float and other.kind != "f" else expected)


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_is_known_by_name_type_and_either_byte_order(name: str) -> None:
    assert as_dtype(name) == as_dtype(np.dtype(name).type) == as_dtype(np.dtype(name).newbyteorder(">")) == name
    assert as_dtype(np.dtype(name).newbyteorder(">")).isnative


def test_python_float_means_the_default_float() -> None:
    assert as_dtype(float) == "float32"


@pytest.fixture
def floatx() -> Iterator[Callable[[str], None]]:
    yield set_default_float
    set_default_float("float32")


def test_the_default_float_can_change_at_any_time(floatx: Callable[[str], None]) -> None:
    for name in ("float32", "float64", "float16", "float32"):
        floatx(name)
        assert as_dtype(float) == name
        assert ag.tensor(1.5).dtype == ag.tensor([1.5]).dtype == ag.ops.negative(1.5).dtype == name
        assert (ag.tensor(True) * 2.5).dtype == name


def test_the_default_float_must_be_a_float() -> None:
    with pytest.raises(InvalidArgument, match="floatx must be"):
        set_default_float("int32")


@pytest.mark.parametrize("dtype", ["complex64", "U3", object, "datetime64[s]", "flaot32", 3.5])
def test_other_dtypes_are_refused(dtype: Any) -> None:
    with pytest.raises(DTypeError):
        as_dtype(dtype)


def test_a_misspelt_dtype_is_answered_with_a_suggestion() -> None:
    with pytest.raises(DTypeError, match="did you mean 'float32'"):
        as_dtype("flaot32")


@given(st.integers(1, 5), st.integers(-7, 7))
def test_an_axis_counts_from_either_end(ndim: int, axis: int) -> None:
    if -ndim <= axis < ndim:
        assert normal_axis(axis, ndim) == axis % ndim
    else:
        with pytest.raises(AxisError, match=f"axis {axis} is out of range for a tensor of {ndim} axes"):
            normal_axis(axis, ndim)


def test_axes_are_sorted_and_named_once() -> None:
    assert normal_axes(None, 3) == (0, 1, 2)
    assert normal_axes((-1, 0), 3) == (0, 2)
    assert normal_axes((), 3) == ()
    with pytest.raises(AxisError, match="twice"):
        normal_axes((1, -2), 3)


@pytest.mark.parametrize("axis", [1.0, "0", [0.5]])
def test_an_axis_must_be_an_int(axis: Any) -> None:
    with pytest.raises(DTypeError, match="must be an int"):
        normal_axes(axis, 2)


def test_unknown_sizes_show_as_none() -> None:
    shape = unknown((None, 3))
    assert public_shape(shape) == (None, 3)
    assert repr(Spec(shape, np.dtype("float32"))) == "float32(None, 3)"
