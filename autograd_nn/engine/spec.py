"""Shapes and dtypes: broadcasting, promotion, unknown sizes.

The one door of the engine to NumPy: names of dtypes, promotion, and what an array is.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..errors import AxisError, DTypeError, InvalidArgument, ShapeError, did_you_mean, short

ndarray = np.ndarray
as_array = np.asarray
errstate = np.errstate

DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64",
)  # fmt: skip
# Values of these flow through the ops whose record says `complex`, and through no other.
COMPLEX = ("complex64", "complex128")
KNOWN_DTYPES = frozenset(map(np.dtype, DTYPES))
# The kinds of dtypes that gradients flow through.
INEXACT = "fc"


class Dim:
    """A size that is not known yet. Two sizes are known to be equal when they are the same object."""

    __slots__ = ("name",)

    def __init__(self, name: str = "?") -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __deepcopy__(self, memo: Any) -> "Dim":
        return self


BATCH = Dim("batch")
Size = int | Dim
Shape = tuple[Size, ...]


class Spec(NamedTuple):
    """What is known of a tensor before it has a value.

    `shape` holds an int or a `Dim` per axis; `dim` is the unknown size that a scalar tensor stands for, if any.
    """

    shape: Shape
    dtype: np.dtype[Any]
    dim: Dim | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __repr__(self) -> str:
        return f"{self.dtype.name}{show_shape(self.shape)}"


class _Default:
    float = np.dtype("float32")


DEFAULT = _Default()


def default_float() -> np.dtype[Any]:
    """The dtype that Python floats become."""
    return DEFAULT.float


def set_default_float(dtype: Any) -> None:
    """Make Python floats become `dtype`, a floating one."""
    chosen = as_dtype(dtype)
    if chosen.kind != "f":
        raise InvalidArgument(f"floatx must be 'float16', 'float32' or 'float64', got {short(dtype)}")
    DEFAULT.float = chosen
    scalar_dtype.cache_clear()


def as_dtype(dtype: Any, complex_too: bool = False) -> np.dtype[Any]:
    """The NumPy dtype of that name or type; DTypeError for strings, objects and dates, and unless `complex_too` for
    complex numbers."""
    if isinstance(dtype, np.dtype) and dtype.isnative and dtype.name in DTYPES:
        return dtype
    if dtype is float:
        return default_float()
    if dtype is complex and complex_too:
        return promote(default_float(), np.dtype("complex64"))
    try:
        found = np.dtype(dtype).newbyteorder("=")
    except TypeError:
        hint = did_you_mean(dtype, DTYPES + COMPLEX if complex_too else DTYPES)
        raise DTypeError(f"unknown dtype {short(dtype)}{hint or '; known: ' + ', '.join(DTYPES)}") from None
    if found.kind == "c" and found.name in COMPLEX:
        if complex_too:
            return found
        raise DTypeError(f"dtype {found.name!r} is not taken here; make real numbers, then ops.cast(x, {found.name!r})")
    if found.name not in DTYPES:
        raise DTypeError(f"dtype {found.name!r} is not supported; expected one of {', '.join(DTYPES)}")
    return found


def promote(*dtypes: np.dtype[Any]) -> np.dtype[Any]:
    """The common dtype, by NumPy 2's rules."""
    return np.result_type(*dtypes)


@cache
def scalar_dtype(kind: type, other: np.dtype[Any] | None) -> np.dtype[Any]:
    """The dtype that a Python scalar takes beside a tensor: it never widens it (NEP 50)."""
    if kind is bool:
        return np.dtype("bool")
    if other is None:
        other = np.dtype("bool")
    if kind is int:
        return np.dtype("int64") if other.kind == "b" else other
    if kind is complex:
        return promote(other if other.kind in INEXACT else default_float(), np.dtype("complex64"))
    return other if other.kind in INEXACT else default_float()


def unknown(shape: Sequence[int | None | Dim], name: str = "?") -> Shape:
    """A shape with a fresh `Dim` for every None."""
    return tuple(Dim(name) if size is None else size for size in shape)


def public_shape(shape: Shape) -> tuple[int | None, ...]:
    """The shape as users see it, None for unknown sizes."""
    return tuple(size if isinstance(size, int) else None for size in shape)


def show_shape(shape: Shape) -> str:
    return str(public_shape(shape))


def broadcast(*shapes: Shape, what: str = "operands") -> Shape:
    """The shape that NumPy's broadcasting gives; ShapeError if there is none.

    >>> broadcast((3, 1), (4,))
    (3, 4)
    """
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    ndim = max(len(shape) for shape in shapes)
    padded = [(1,) * (ndim - len(shape)) + shape for shape in shapes]
    return tuple(_broadcast_axis(sizes, shapes, what) for sizes in zip(*padded))


def _broadcast_axis(sizes: tuple[Size, ...], shapes: tuple[Shape, ...], what: str) -> Size:
    rest = list(dict.fromkeys(size for size in sizes if size != 1))
    known = [size for size in rest if isinstance(size, int)]
    if len(known) > 1:
        shown = " and ".join(show_shape(shape) for shape in shapes)
        raise ShapeError(f"{what}: shapes {shown} do not broadcast; sizes of an axis must be equal, or one of them 1")
    if known:
        return known[0]
    if len(rest) == 1:
        return rest[0]
    return Dim() if rest else 1


def normal_axis(axis: Any, ndim: int, what: str = "axis") -> int:
    """`axis` counted from the front; AxisError outside -ndim..ndim-1."""
    try:
        index = axis.__index__()
    except AttributeError:
        name = what if what.endswith("axis") else f"{what}: axis"
        raise DTypeError(f"{name} must be an int, got {short(axis)}") from None
    if not -ndim <= index < ndim:
        raise AxisError(f"{what}: axis {index} is out of range for a tensor of {ndim} axes")
    return index % ndim if ndim else 0


def normal_axes(axis: Any, ndim: int, what: str = "axis") -> tuple[int, ...]:
    """`axis` (None for all, an int, or several) as a sorted tuple counted from the front."""
    if axis is None:
        return tuple(range(ndim))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(sorted(normal_axis(a, ndim, what) for a in given))
    if len(set(axes)) < len(axes):
        raise AxisError(f"{what}: axis {axis} names an axis twice")
    return axes


def array_text(array: np.ndarray) -> str:
    """The elements of an array on one line where they fit."""
    return np.array2string(array, separator=", ", threshold=20, precision=6)


def signature(nest: Any, leaves: list[Any]) -> Any:
    """What is known of arrays in nests without looking at values; the type of anything else. Hashable.

    leaves: takes the arrays, left to right, and None for anything that is none

    >>> signature((np.zeros((2, 3)), None), [])
    (<class 'tuple'>, (dtype('float64'), (2, 3)), None)
    """
    kind = type(nest)
    if kind is np.ndarray:
        leaves.append(nest)
        return (nest.dtype, nest.shape)
    if kind is tuple or kind is list:
        return (kind, *[signature(item, leaves) for item in nest])
    if kind is dict:
        return (dict, *[(key, signature(item, leaves)) for key, item in nest.items()])
    if nest is None:
        return None
    leaves.append(None)
    return kind
