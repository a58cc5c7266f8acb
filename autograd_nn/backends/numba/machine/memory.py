"""Where values lie: buffers, views into them, and one arena for all that live within a run."""

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

ALIGNMENT = 64
INPUT, CONSTANT, ARENA, OUTPUT, WINDOW = "input", "constant", "arena", "output", "window"


@dataclass(eq=False, slots=True)
class Buffer:
    """A block of bytes. `slot` numbers inputs and outputs, whose address changes with each run.

    `address` is that of the bytes, or the place in the arena until this is made. `home` is the loop in each of whose
    steps the buffer is written anew, None for the program. A window lies in the view `within`, and step k of `loop`
    sees it `places[k]` bytes further on.
    """

    kind: str
    nbytes: int
    slot: int = -1
    address: int = 0
    array: Any = None
    first: int = -1
    last: int = -1
    home: Any = None
    within: Any = None
    loop: Any = None
    places: Any = None

    def become(self, other: "Buffer") -> None:
        """Lie where another window lies."""
        self.kind, self.within, self.loop, self.places = WINDOW, other.within, other.loop, other.places


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
        """The number of elements from the lowest to the highest."""
        return 1 + sum((n - 1) * abs(s) for n, s in zip(self.shape, self.steps())) if self.size else 0

    @property
    def backwards(self) -> bool:
        """Whether it steps backwards along an axis, which only moves can."""
        return any(s < 0 and n > 1 for n, s in zip(self.shape, self.strides))

    def broadcast(self, shape: tuple[int, ...]) -> "View":
        """The same elements repeated along axes of size 1, and new ones in front."""
        if shape == self.shape:
            return self
        front = (0,) * (len(shape) - len(self.shape))
        strides = (*front, *(0 if n == 1 else s for n, s in zip(self.shape, self.strides)))
        return View(self.buffer, self.offset, shape, strides, self.dtype)

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
        """The view that a NumPy function of an array makes, which may step backwards; None where it makes a copy."""
        ghost = np.lib.stride_tricks.as_strided(np.empty(1, self.dtype), self.shape, self.strides)
        made = function(ghost)
        if made.base is None:
            return None
        offset = made.__array_interface__["data"][0] - ghost.__array_interface__["data"][0] if made.size else 0
        return View(self.buffer, self.offset + offset, made.shape, made.strides, self.dtype)

    @property
    def fills(self) -> bool:
        """Whether it is its whole buffer, in row-major order."""
        return self.contiguous and not self.offset and self.size * self.dtype.itemsize == self.buffer.nbytes

    def root(self) -> tuple[Buffer, int, list[Buffer]]:
        """The buffer that holds the elements, the place of the first in it, and the windows on the way."""
        buffer, offset, windows = self.buffer, self.offset, []
        while buffer.kind == WINDOW:
            windows.append(buffer)
            offset += buffer.within.offset
            buffer = buffer.within.buffer
        return buffer, offset, windows

    def row(self, loop: Any, places: Any) -> "View":
        """One element along the first axis, another one in each step of a loop: `places` counts along that axis."""
        shape, strides = self.shape[1:], self.strides[1:]
        nbytes = math.prod(shape) * self.dtype.itemsize
        offsets = np.asarray(places, np.int64) * (self.strides[0] if self.size else 0)
        buffer = Buffer(WINDOW, nbytes, within=self, loop=loop, places=offsets)
        return View(buffer, 0, shape, strides, self.dtype)

    def cut(self, start: int, stop: int) -> "View":
        """The elements from one place to another along the first axis."""
        offset = self.offset + start * self.strides[0]
        return self._replace(offset=offset, shape=(stop - start, *self.shape[1:]))

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
    room = _Room()
    for moment in sorted({*starts, *ends}):
        for buffer in sorted(starts.get(moment, ()), key=lambda b: -b.nbytes):
            buffer.address = room.take(_rounded(buffer.nbytes))
        for buffer in ends.get(moment, ()):
            room.give(buffer.address, _rounded(buffer.nbytes))
    return room.top


def _rounded(nbytes: int) -> int:
    return -(-max(nbytes, 1) // ALIGNMENT) * ALIGNMENT


class _Room:
    """The arena while it is planned: its end so far, and its gaps by size, by their start and by their end."""

    def __init__(self) -> None:
        self.top = 0
        self._by_size: list[tuple[int, int]] = []
        self._sizes: dict[int, int] = {}
        self._starts: dict[int, int] = {}

    def take(self, need: int) -> int:
        """A place for so many bytes: in the smallest gap that holds them, else at the end."""
        k = bisect_left(self._by_size, (need, 0))
        if k < len(self._by_size):
            size, start = self._by_size[k]
            self._remove(start, size)
            if size > need:
                self._add(start + need, size - need)
            return start
        start = self._starts.get(self.top, self.top)
        if start < self.top:
            self._remove(start, self.top - start)
        self.top = start + need
        return start

    def give(self, start: int, size: int) -> None:
        """Return a place; it becomes one gap with its neighbours."""
        before, after = self._starts.get(start), self._sizes.get(start + size)
        if after is not None:
            self._remove(start + size, after)
            size += after
        if before is not None:
            self._remove(before, start - before)
            start, size = before, size + start - before
        self._add(start, size)

    def _add(self, start: int, size: int) -> None:
        insort(self._by_size, (size, start))
        self._sizes[start] = size
        self._starts[start + size] = start

    def _remove(self, start: int, size: int) -> None:
        del self._by_size[bisect_left(self._by_size, (size, start))]
        del self._sizes[start], self._starts[start + size]


def aligned_bytes(size: int) -> np.ndarray:
    """Uninitialised bytes that begin at a multiple of the alignment."""
    raw = np.empty(size + ALIGNMENT, np.uint8)
    skip = -address(raw) % ALIGNMENT
    return raw[skip : skip + size]


def address(array: np.ndarray) -> int:
    """Where the first element of an array lies."""
    place: int = array.__array_interface__["data"][0]
    return place
