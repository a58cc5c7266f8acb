"""What users pass as data, as arrays: converted where that is safe, refused with the place of the trouble where not."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import ops
from ..backends import backend
from ..engine.convert import to_array
from ..engine.spec import default_float
from ..engine.tensor import Tensor
from ..engine.tree import flatten, unflatten
from ..errors import ArgumentTypeError, DataError, DTypeError, ShapeError, short
from ..transforms import jit

Array = NDArray[Any]
# The dtypes that are taken as they are.
_NUMBERS = frozenset(np.dtype(kind) for kind in "?bBhHiIlLqQefd")
# From so many elements on a kernel that runs on all threads is quicker than NumPy.
_LARGE = 2**20


def arrays_of(data: Any, name: str) -> Any:
    """The nest `data` (an array, a list or dict of arrays, or nested lists of numbers) with NumPy arrays as leaves."""
    if data is None:
        return None
    if isinstance(data, dict):
        return {key: array_of(value, f"{name}[{key!r}]") for key, value in data.items()}
    if isinstance(data, (list, tuple)) and data and all(map(is_array, data)):
        return type(data)(array_of(value, f"{name}[{k}]") for k, value in enumerate(data))
    return array_of(data, name)


def is_array(value: Any) -> bool:
    """Whether a value is an array of at least one axis, of whichever library."""
    return isinstance(value, Tensor) or hasattr(value, "shape") and len(value.shape) > 0


def array_of(value: Any, name: str) -> Array:
    """One array of numbers with samples along its first axis.

    Masked, sparse, complex, string and object arrays, ragged lists and single numbers are refused; pandas objects and
    np.matrix become plain arrays.
    """
    if type(value) is np.ndarray and value.dtype in _NUMBERS and value.ndim:
        return value
    library = type(value).__module__.partition(".")[0]
    if library == "scipy" and hasattr(value, "toarray"):
        raise ArgumentTypeError(f"{name} is a sparse matrix {value.shape}; pass {name}.toarray()")
    if library == "pandas":
        value = _from_pandas(value, name)
    if isinstance(value, (str, bytes)) or callable(value) and not hasattr(value, "__array__"):
        raise ArgumentTypeError(f"{name} must be an array, got {short(value)}")
    try:
        array = to_array(value, copy=False)
    except DTypeError as error:
        raise DTypeError(f"{name}: {error}") from None
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    if array.ndim == 0:
        raise ShapeError(f"{name} must be an array with samples along its first axis, got {short(value)}")
    return array


def _from_pandas(value: Any, name: str) -> Array:
    columns = getattr(value, "columns", None)
    if columns is not None:
        for column, kind in zip(columns, value.dtypes):
            if getattr(kind, "kind", "O") not in "iufb":
                raise DTypeError(f"{name}: column {column!r} has dtype {kind}; expected numbers")
    return value.to_numpy()


def check_lengths(parts: dict[str, Any]) -> int:
    """The number of samples; DataError where parts differ in it or have none."""
    sizes = {name: [len(a) for a in flatten(part)[0]] for name, part in parts.items() if part is not None}
    if not any(sizes.values()):
        raise DataError("x is None; pass arrays, a generator or a PyDataset")
    lengths = dict.fromkeys(size for group in sizes.values() for size in group)
    if len(lengths) > 1:
        shown = ", ".join(f"{name} has {' and '.join(map(str, group))} samples" for name, group in sizes.items())
        raise DataError(f"numbers of samples differ: {shown}; all arrays must be equally long")
    count = next(iter(lengths))
    if count == 0:
        shape = flatten(next(iter(parts.values())))[0][0].shape
        raise DataError(f"x has 0 samples, shape {shape}; at least 1 is needed")
    return count


def _all_finite(array: Array) -> bool:
    """Whether all numbers are finite: zero times each adds up to zero, in one pass of all threads. A small array, or
    one where nothing is compiled, tells it by its words: among numbers of one sign, what is not finite comes last."""
    if array.size >= _LARGE and array.dtype.itemsize >= 4 and array.flags.c_contiguous and backend() == "numba":
        return math.isfinite(_zeros_added(array))
    if not array.flags.c_contiguous or array.dtype.itemsize not in _WORDS:
        return all(math.isfinite(extreme.reduce(array, axis=None)) for extreme in (np.maximum, np.minimum))
    unsigned, signed, infinity, negative = _WORDS[array.dtype.itemsize]
    words = array.reshape(-1).view(unsigned)
    last = int(np.maximum.reduce(words))
    return last < infinity or last < negative and bool(np.maximum.reduce(words.view(signed)) < infinity)


# By bytes of a float: integers of the same size, and what both infinities are as the unsigned one.
_WORDS: dict[int, tuple[Any, Any, int, int]] = {
    2: (np.uint16, np.int16, 0x7C00, 0xFC00),
    4: (np.uint32, np.int32, 0x7F800000, 0xFF800000),
    8: (np.uint64, np.int64, 0x7FF0000000000000, 0xFFF0000000000000),
}
_zeros_added = jit(lambda x: ops.sum(x * 0.0))


def check_finite(data: Any, name: str) -> None:
    """DataError where an array holds NaN or infinity, with their number and the first place."""
    leaves, _ = flatten(data)
    for index, array in enumerate(leaves):
        if array.dtype.kind != "f" or not array.size or _all_finite(array):
            continue
        wrong = ~np.isfinite(array)
        count = int(wrong.sum())
        place = ", ".join(str(int(k)) for k in np.argwhere(wrong)[0])
        label = name if len(leaves) == 1 else f"{name}[{index}]"
        raise DataError(
            f"{label} has {count} non-finite value{'s' if count > 1 else ''}, the first is "
            f"{array[wrong][0]} at {label}[{place}]"
        )


def warn_unscaled(data: Any) -> None:
    """Warn of images of 0 to 255 that were not scaled."""
    for array in flatten(data)[0]:
        if array.dtype == np.uint8 and array.size and array.max() > 1:
            warnings.warn(
                f"x is uint8 with values up to {array.max()}; networks train better on x.astype('float32') / 255",
                stacklevel=2,
            )
            return


def float_cast(array: Array) -> Array:
    """An array as training sees it: floats as the default float, everything else as it is."""
    floatx = default_float()
    return array.astype(floatx, copy=False) if array.dtype.kind == "f" else array


def cast_to(kinds: Any) -> Callable[[Array], Array]:
    """What makes arrays of dtype `kinds`; of `float_cast`'s choice if None."""
    return float_cast if kinds is None else lambda array: array.astype(kinds, copy=False)


def take(nest: Any, index: Any) -> Any:
    """The samples `index` (a slice or an array of ints) of every array in a nest."""
    if isinstance(nest, np.ndarray):
        return nest[index] if isinstance(index, slice) else np.take(nest, index, axis=0)
    if nest is None:
        return None
    leaves, structure = flatten(nest)
    return unflatten(structure, [take(leaf, index) for leaf in leaves])
