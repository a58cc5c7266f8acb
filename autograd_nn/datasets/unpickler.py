"""Pickled data without pickle's power: arrays, numbers, strings, bytes, lists, tuples and dicts, nothing else.

The data sets of words and of small images are distributed as pickles. Loading one may call whatever the file names, so
no name is looked up here but those with which NumPy writes an array, and these give functions of this file.
"""

import io
import pickle
from typing import Any

import numpy as np

from ..errors import DataError, short


class _ArrayClass:
    """Stands for `numpy.ndarray`; it makes nothing."""


def _empty(kind: Any, shape: Any, code: Any) -> np.ndarray:
    """An array that is yet to get its shape, dtype and data; NumPy checks that they fit each other."""
    if kind is not _ArrayClass or shape != (0,):
        raise pickle.UnpicklingError("an array in an unknown form")
    return np.ndarray((0,), "b")


def _dtype(code: Any, *flags: Any) -> np.dtype:
    if not isinstance(code, (str, bytes)) or len(code) > 4:
        raise pickle.UnpicklingError("a dtype in an unknown form")
    return np.dtype(code.decode("ascii") if isinstance(code, bytes) else code)


def _latin1(text: Any, code: Any) -> bytes:
    """How Python 3 writes bytes for Python 2."""
    if not isinstance(text, str) or code not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError("bytes in an unknown form")
    return text.encode("latin1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _ArrayClass,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _latin1,
    ("numpy.core.multiarray", "_reconstruct"): _empty,
    ("numpy._core.multiarray", "_reconstruct"): _empty,
}


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"the name {short(f'{module}.{name}')}")
        return _KNOWN[module, name]


def plain_object(data: bytes) -> Any:
    """The object that was pickled; DataError where it is made of anything but plain data, or damaged."""
    try:
        return _Plain(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # A hostile file may make any part of the unpickler fail.
        raise DataError(f"holds a pickle that is not plain data ({short(str(error), 80)})") from None
