"""The table of instructions as numbers: a block of words per kernel, and a row that points to it.

An image is written with places counted from its own start, so that the steps of a loop are copies of one image: words
that move are raised by what they move, everything else is the same.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .lowering.bind import LoopStep, NativeStep, Step
from .machine.execute import ROW_WORDS
from .machine.kernel import Kernel
from .machine.memory import INPUT, OUTPUT, View


class Image:
    """Words and rows of steps, in order.

    A row holds the number of the kernel in `kernels`, the place of its block among the words, and its tiles. At
    `holes` (place, slot) the address of an input or output is still missing: `slots` gives the number of one.
    """

    def __init__(self, kernels: dict[Kernel, int], slots: int) -> None:
        self.kernels = kernels
        self.slots = slots
        self._words = _Parts(np.uint64)
        self._rows = _Parts(np.int64)
        self._holes = _Parts(np.int64)
        self._moves: dict[LoopStep, list[tuple[np.ndarray, np.ndarray]]] = {}

    def append(self, step: Step) -> None:
        """Write a step behind those that are there."""
        if isinstance(step, LoopStep):
            self._loop(step)
        elif isinstance(step, NativeStep):
            self._kernel(step)

    @property
    def count(self) -> int:
        """The number of rows."""
        return self._rows.count // ROW_WORDS

    def words(self) -> np.ndarray:
        return self._words.all().view(np.int64)

    def rows(self) -> np.ndarray:
        return self._rows.all().reshape(-1, ROW_WORDS)

    def holes(self) -> np.ndarray:
        return self._holes.all().reshape(-1, 2)

    def _kernel(self, step: NativeStep) -> None:
        number = self.kernels.setdefault(step.kernel, len(self.kernels))
        self._rows.add([number, self._words.count, step.tiles])
        for view in step.views:
            self._words.add([self._address(view), view.extent()])
        self._words.add(step.geometry)

    def _address(self, view: View) -> int:
        """The address of a view, or its place in an input or output, at a place that moves with the loops around."""
        buffer, offset, windows = view.root()
        place = self._words.count
        if buffer.kind in (INPUT, OUTPUT):
            self._holes.add([place, buffer.slot + (self.slots if buffer.kind == OUTPUT else 0)])
        for window in windows:
            self._moves.setdefault(window.loop, []).append((np.array([place]), window.places[:, None]))
        return buffer.address + offset

    def _loop(self, loop: LoopStep) -> None:
        """Write the steps of a loop once, and copy them with what moves."""
        inner = Image(self.kernels, self.slots)
        for step in loop.steps:
            inner.append(step)
        times = np.arange(loop.count)[:, None]
        words = np.tile(inner.words(), (loop.count, 1))
        for places, moves in _joined(inner._moves.pop(loop, [])):
            words[:, places] += moves
        rows = np.tile(inner.rows(), (loop.count, 1, 1))
        rows[:, :, 1] += self._words.count + times * words.shape[1]
        holes = np.tile(inner.holes(), (loop.count, 1, 1))
        holes[:, :, 0] += self._words.count + times * words.shape[1]
        for around, found in inner._moves.items():
            for places, moves in _joined(found):
                shifted = (places + self._words.count + times * words.shape[1]).ravel()
                self._moves.setdefault(around, []).append((shifted, np.tile(moves, (1, loop.count))))
        self._words.extend(words.view(np.uint64).ravel())
        self._rows.extend(rows.ravel())
        self._holes.extend(holes.ravel())


def _joined(moves: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """All places that move with one loop, and by how much: a column per place."""
    if not moves:
        return []
    return [(np.concatenate([places for places, _ in moves]), np.concatenate([by for _, by in moves], axis=1))]


class _Parts:
    """Numbers that come one by one and in arrays."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.count = 0
        self._parts: list[np.ndarray] = []
        self._pending: list[int] = []

    def add(self, numbers: Sequence[int]) -> None:
        self._pending += numbers
        self.count += len(numbers)

    def extend(self, numbers: np.ndarray) -> None:
        self._flush()
        self._parts.append(numbers)
        self.count += len(numbers)

    def all(self) -> np.ndarray:
        self._flush()
        return np.concatenate(self._parts) if self._parts else np.empty(0, self.dtype)

    def _flush(self) -> None:
        if self._pending:
            self._parts.append(np.array(self._pending, self.dtype))
            self._pending = []
