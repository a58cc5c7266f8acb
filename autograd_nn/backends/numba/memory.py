"""Where values lie: buffers, views into them, and one arena for all that live within a run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

ALIGNMENT = 64
INPUT, CONSTANT, ARENA, OUTPUT = "input", "constant", "arena", "output"


@dataclass(eq=False, slots=True)
class Buffer:
    """A block of bytes. `slot` numbers inputs and outputs, whose address changes with each run.

    `address` is that of the bytes, or the place in the arena until this is made.
    """

    kind: str
    nbytes: int
    slot: int = -1
    address: int = 0
    array: Any = None
    first: int = -1
    last: int = -1


class View(NamedTuple):
    """Elements of a buffer: where the first lies, and how far apart they are along each axis, in bytes."""

    buffer: Buffer
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def contiguous(self) -> bool:
        return not self.size or all(
            n == 1 or s == t for n, s, t in zip(self.shape, self.strides, row_major(self.shape, self.dtype.itemsize))
        )

    def steps(self) -> tuple[int, ...]:
        """The strides in elements."""
        return tuple(s // self.dtype.itemsize for s in self.strides)

    def extent(self) -> int:
        """The number of elements from the first to the last."""
        return 1 + sum((n - 1) * s for n, s in zip(self.shape, self.steps())) if self.size else 0

    def broadcast(self, shape: tuple[int, ...]) -> "View":
        """The same elements repeated along axes of size 1, and new ones in front."""
        front = len(shape) - len(self.shape)
        strides = tuple(
            0 if k < front or self.shape[k - front] == 1 else self.strides[k - front] for k in range(len(shape))
        )
        return self._replace(shape=shape, strides=strides)

    def reshaped(self, shape: tuple[int, ...]) -> "View | None":
        """The elements in row-major order in another shape; None where that needs a copy."""
        if self.contiguous:
            return self._replace(shape=shape, strides=row_major(shape, self.dtype.itemsize))
        kept = [(n, s) for n, s in zip(self.shape, self.strides) if n != 1]
        if [n for n, _ in kept] != [n for n in shape if n != 1]:
            return None
        strides = iter(s for _, s in kept)
        return self._replace(shape=shape, strides=tuple(0 if n == 1 else next(strides) for n in shape))

    def apply(self, function: Any) -> "View | None":
        """The view that a NumPy function of an array makes; None where it makes a copy, or steps backwards."""
        ghost = np.lib.stride_tricks.as_strided(np.empty(1, self.dtype), self.shape, self.strides)
        made = function(ghost)
        if made.base is None or any(s < 0 and n > 1 for n, s in zip(made.shape, made.strides)):
            return None
        offset = made.__array_interface__["data"][0] - ghost.__array_interface__["data"][0] if made.size else 0
        return View(self.buffer, self.offset + offset, made.shape, made.strides, self.dtype)

    def over(self, raw: np.ndarray) -> np.ndarray:
        """This view as an array over the bytes of its buffer."""
        return np.ndarray(self.shape, self.dtype, raw, self.offset, self.strides)


def row_major(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """The strides in bytes of a contiguous array."""
    strides = []
    for size in reversed(shape):
        strides.append(itemsize)
        itemsize *= max(size, 1)
    return tuple(reversed(strides))


def whole(buffer: Buffer, shape: tuple[int, ...], dtype: Any) -> View:
    """A buffer as a contiguous view."""
    dtype = np.dtype(dtype)
    return View(buffer, 0, tuple(shape), row_major(shape, dtype.itemsize), dtype)


def plan(buffers: Sequence[Buffer]) -> int:
    """Give each buffer of the arena its place; the arena's size. Buffers that live at one time do not overlap."""
    starts: dict[int, list[Buffer]] = {}
    ends: dict[int, list[Buffer]] = {}
    for buffer in buffers:
        starts.setdefault(buffer.first, []).append(buffer)
        ends.setdefault(buffer.last, []).append(buffer)
    free: list[tuple[int, int]] = []
    top = 0
    for moment in sorted({*starts, *ends}):
        for buffer in sorted(starts.get(moment, ()), key=lambda b: -b.nbytes):
            top = _take(buffer, free, top)
        for buffer in ends.get(moment, ()):
            _give(buffer.address, _rounded(buffer.nbytes), free)
    return top


def _rounded(nbytes: int) -> int:
    return -(-max(nbytes, 1) // ALIGNMENT) * ALIGNMENT


def _take(buffer: Buffer, free: list[tuple[int, int]], top: int) -> int:
    """Place a buffer into the smallest gap that holds it, or on top; the new top."""
    need = _rounded(buffer.nbytes)
    gaps = [gap for gap in free if gap[1] >= need]
    if not gaps:
        buffer.address = top
        return top + need
    gap = min(gaps, key=lambda g: (g[1], g[0]))
    free.remove(gap)
    buffer.address = gap[0]
    if gap[1] > need:
        free.append((gap[0] + need, gap[1] - need))
    return top


def _give(start: int, size: int, free: list[tuple[int, int]]) -> None:
    """Return a gap, joined with its neighbours."""
    for gap in [g for g in free if g[0] + g[1] == start or start + size == g[0]]:
        free.remove(gap)
        start, size = min(start, gap[0]), size + gap[1]
    free.append((start, size))


def aligned_bytes(size: int) -> np.ndarray:
    """Uninitialised bytes that begin at a multiple of the alignment."""
    raw = np.empty(size + ALIGNMENT, np.uint8)
    skip = -address(raw) % ALIGNMENT
    return raw[skip : skip + size]


def address(array: np.ndarray) -> int:
    """Where the first element of an array lies."""
    place: int = array.__array_interface__["data"][0]
    return place
