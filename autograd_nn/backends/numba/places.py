"""Where arrays lie: the addresses of a run's inputs and outputs, written into the blocks of its instructions.

NumPy tells the address of an array in a microsecond or more, of which a small program has few. So the memory of the
array objects is read as C programs read it: the address of the elements stands behind the head of the object.
"""

import ctypes
import struct
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from .machine import execute
from .machine.kernel import interpreted
from .machine.memory import address

_HEAD = object.__basicsize__


@cache
def _readable() -> bool:
    """Whether compiled code may read addresses out of array objects, tried on one."""
    if interpreted():
        return False
    probe = np.empty(3)
    return ctypes.c_int64.from_address(id(probe) + _HEAD).value == address(probe)


class Places:
    """The words of blocks that hold an address of an input or output.

    holes: for each such word its index, the number of the array, and how many bytes behind its start
    """

    def __init__(self, words: np.ndarray, holes: np.ndarray, arrays: int) -> None:
        self._words = words
        self._holes = np.ascontiguousarray(holes)
        self._pack = struct.Struct(f"{arrays}q").pack_into
        self._ids = np.zeros(max(arrays, 1), np.int64)
        self._buffer = self._ids.data
        self._arguments = (address(self._ids), _HEAD, address(self._holes), len(self._holes), address(words))

    def fill(self, arrays: Sequence[Any]) -> None:
        """Write the addresses of these arrays."""
        if _readable():
            self._pack(self._buffer, 0, *map(id, arrays))
            execute.functions().fill(*self._arguments)
            return
        bases = np.array([address(a) for a in arrays], np.int64)
        self._words[self._holes[:, 0]] = bases[self._holes[:, 1]] + self._holes[:, 2]
