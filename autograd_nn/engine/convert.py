"""From what users pass to tensors: numbers, nested lists, arrays."""

from typing import Any

from ..errors import DataError, DTypeError, short
from .op import OPS
from .signatures import suggests
from .spec import COMPLEX, DEFAULT, DTYPES, INEXACT, KNOWN_DTYPES, as_array, as_dtype, ndarray, scalar_dtype
from .tensor import Tensor, leaf

_SCALARS = (float, int, bool, complex)
_CONSTANTS: dict[tuple[type, Any, Any, Any], Tensor] = {}
_MOST_CONSTANTS = 256


def as_tensor(value: Any, dtype: Any = None, copy: bool = True) -> Tensor:
    """`value` as a tensor: itself if it is one, else a leaf that holds it.

    Arrays are copied unless `copy` is False. Python floats become the default float dtype.
    Raises DTypeError for strings, objects and dates, DataError for ragged lists.
    """
    if isinstance(value, Tensor):
        t = value.current() if type(value) is not Tensor else value
        return t if dtype is None else _cast(t, as_dtype(dtype, complex_too=True))
    if type(value) in _SCALARS and dtype is None:
        return scalar(value, None)
    if isinstance(value, (list, tuple)) and any(isinstance(item, Tensor) for item in value):
        return as_tensor(OPS["stack"].call(value), dtype)  # type: ignore[misc]
    return leaf(to_array(value, dtype, copy, complex_too=True))


@suggests
def tensor(
    data: Any, dtype: Any = None, *, requires_grad: bool = False, name: str | None = None, copy: bool = True
) -> Tensor:
    """A leaf of the graph that holds `data`.

    data:          number, nested list, array or tensor
    dtype:         name or type; by default the array's own, int64 for ints, float32 for Python floats, complex64 for
                   Python's complex numbers
    requires_grad: whether `backward` adds to its `.grad`
    copy:          copy an array, so that later writes to it change nothing here

    Raises DTypeError for strings and objects, and for integers with requires_grad; DataError for ragged lists.
    Complex numbers are complex64 or complex128; only some ops take them.

    >>> import autograd_nn as ag
    >>> ag.tensor([[1, 2], [3, 4]], dtype="float32").shape
    (2, 2)
    """
    array = to_array(data, dtype, copy, complex_too=True)
    if requires_grad and array.dtype.kind not in INEXACT:
        raise DTypeError(f"tensor: requires_grad needs floats, got dtype {array.dtype}; pass dtype='float32'")
    return leaf(array, None, requires_grad, name)


def to_array(value: Any, dtype: Any = None, copy: bool = True, complex_too: bool = False) -> ndarray:
    """`value` as an array of a supported dtype, of complex numbers only where `complex_too`."""
    if isinstance(value, Tensor):
        value = value.concrete("a value")
    is_array = isinstance(value, ndarray) or hasattr(value, "dtype")
    refuse_masked(value)
    array = _build(value)
    if dtype is not None:
        target = as_dtype(dtype, complex_too)
        check_dtype(array, complex_too)
        refuse_real(array.dtype, target)
        return array.astype(target, copy=copy and is_array)
    check_dtype(array, complex_too)
    if not is_array and array.dtype.kind in INEXACT:
        array = array.astype(scalar_dtype(float if array.dtype.kind == "f" else complex, None), copy=False)
    native = array.dtype.newbyteorder("=")
    return array.astype(native, copy=copy and is_array)


def refuse_real(dtype: Any, target: Any) -> None:
    """DTypeError for complex numbers that are to become real ones, which would drop a part in silence."""
    if dtype.kind == "c" and target.kind != "c":
        raise DTypeError(
            f"{dtype} to {target} would drop the imaginary part; take ops.real, ops.imag or ops.abs of it first"
        )


def _build(value: Any) -> ndarray:
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        value = [v.concrete("a list element") if isinstance(v, Tensor) else v for v in value]
    try:
        return as_array(value)
    except ValueError as error:
        raise DataError(_ragged(value) or f"cannot make a tensor of {short(value)}: {error}") from None


def refuse_masked(value: Any) -> None:
    """DTypeError for arrays whose mask would be dropped in silence."""
    kind = type(value).__name__
    if kind in ("MaskedArray", "MaskedConstant"):
        raise DTypeError("a masked array would lose its mask here; pass array.filled(value), or the mask beside it")


def _ragged(value: Any) -> str:
    """Which row of a ragged list is the first to differ."""
    if not isinstance(value, (list, tuple)) or not value:
        return ""
    first = _length(value[0])
    for row, item in enumerate(value):
        if _length(item) != first:
            return (
                f"ragged list: row {row} has length {_length(item)}, row 0 has {first}; pad it with utils.pad_sequences"
            )
    return ""


def _length(item: Any) -> int | None:
    return len(item) if hasattr(item, "__len__") else None


def check_dtype(array: ndarray, complex_too: bool = False) -> None:
    """DTypeError for arrays that are not numbers, with the place of the first element that is none."""
    if array.dtype in KNOWN_DTYPES or array.dtype.newbyteorder("=").name in DTYPES:
        return
    if array.dtype.kind == "c" and array.dtype.newbyteorder("=").name in COMPLEX:
        if complex_too:
            return
        raise DTypeError(f"dtype {array.dtype} is not supported here; pass array.real and array.imag")
    if array.dtype.kind in "OUS":
        raise DTypeError(f"expected numbers, got dtype {array.dtype}{_first_non_number(array)}")
    raise DTypeError(f"dtype {array.dtype} is not supported; expected one of {', '.join(DTYPES)}")


def _first_non_number(array: ndarray) -> str:
    if not array.ndim and array.item() is None:
        return ": None; a size that may change is None in x.shape, write ops.shape(x)[0]"
    for flat, element in enumerate(array.flat):
        if not isinstance(element, (int, float)) or isinstance(element, (str, bytes)):
            place: list[int] = []
            rest = flat
            for size in reversed(array.shape):
                place.insert(0, rest % size)
                rest //= size
            plain = element.item() if hasattr(element, "item") else element
            return f": first non-number {short(plain)}" + (f" at {place}" if place else "")
    return "; convert it with array.astype('float32')"


def scalar(value: Any, other: Any) -> Tensor:
    """A Python number as a constant with the dtype it takes beside dtype `other`; common ones are shared."""
    key = (type(value), value, other, DEFAULT.float)
    found = _CONSTANTS.get(key)
    if found is None:
        found = leaf(as_array(value, scalar_dtype(type(value), other)))  # type: ignore[arg-type]
        # 0.0 and -0.0 are equal keys, also as parts of a complex number, and NaN is no key at all.
        shareable = value == value and type(value) is not complex and (value != 0 or type(value) is not float)
        if shareable and len(_CONSTANTS) < _MOST_CONSTANTS:
            _CONSTANTS[key] = found
    return found


def pair(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Both operands as tensors, Python numbers taking the other's dtype."""
    if type(a) is Tensor and type(b) in _SCALARS:
        return a, scalar(b, a.dtype if a.value is None else a.value.dtype)
    if type(b) is Tensor and type(a) in _SCALARS:
        return scalar(a, b.dtype if b.value is None else b.value.dtype), b
    if type(a) in _SCALARS and type(b) not in _SCALARS:
        b = as_tensor(b)
        return scalar(a, b.dtype), b
    if type(b) in _SCALARS and type(a) not in _SCALARS:
        a = as_tensor(a)
        return a, scalar(b, a.dtype)
    return as_tensor(a), as_tensor(b)


def _cast(t: Tensor, dtype: Any) -> Tensor:

    return t if t.dtype == dtype else OPS["cast"].call(t, dtype)  # type: ignore[misc]
