"""The same array in other memory layouts."""

from collections.abc import Callable

import numpy as np

from .problem import Array


def fortran(array: Array) -> Array:
    """Columns first."""
    return np.array(array, order="F")


def strided(array: Array) -> Array:
    """Every second element, along every axis, of a larger buffer."""
    buffer = np.zeros([2 * size for size in array.shape], array.dtype)
    view = buffer[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def backward(array: Array) -> Array:
    """Negative strides along every axis."""
    flip = tuple(slice(None, None, -1) for _ in array.shape)
    return np.array(array[flip], order="C")[flip]


LAYOUTS: dict[str, Callable[[Array], Array]] = {"Fortran": fortran, "strided": strided, "reversed": backward}


def matters(array: Array, layout: str) -> bool:
    """Whether an array can lie in memory in that other way at all."""
    return array.size > 1 and (layout != "Fortran" or sum(size > 1 for size in array.shape) > 1)
