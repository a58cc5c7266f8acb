"""Several steps of a program in one call: each gathers its batch first, and finds its state where the last left it.

The rows of a run are those that gather the samples of a batch, each array by one kernel, then those of the program.
After each step the places of the order from which samples are read move on by one batch.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .machine.execute import ROW_WORDS
from .machine.kernel import Kernel, build, ready
from .machine.memory import address
from .machine.team import TEAM

# Bytes of samples that one tile copies.
_TILE_BYTES = 16384


class Feed(NamedTuple):
    """Samples along the first axis of an array, and the order in which steps take them."""

    array: np.ndarray
    order: np.ndarray


class Feeder:
    """The memory of one batch of each fed array, and the rows that fill it before those of a table.

    batches: the arrays of one batch
    """

    def __init__(self, feeds: Sequence[Feed], samples: int) -> None:
        self.batches = [np.empty((samples, *f.array.shape[1:]), f.array.dtype) for f in feeds]
        kernels = [_kernel(np.dtype(f"u{b.itemsize}")) for b in self.batches]
        ready(kernels)
        blocks = [_block(batch) for batch in self.batches]
        self._words = np.array([block for block, _ in blocks], np.int64)
        self._gather = np.array(
            [(k.address, address(w), tiles) for k, w, (_, tiles) in zip(kernels, self._words, blocks)], np.int64
        )
        self._bumps = np.array([(address(w) + 16, 8 * samples) for w in self._words], np.int64)

    def run(self, feeds: Sequence[Feed], rows: np.ndarray, steps: int, alarm: int) -> None:
        """Run the rows of a table so many times, each time on the next samples of the feeds; not after an alarm."""
        self._words[:, 0] = [address(f.array) for f in feeds]
        self._words[:, 2] = [address(f.order) for f in feeds]
        both = np.concatenate([self._gather, rows.reshape(-1, ROW_WORDS)])
        TEAM.repeat(address(both), len(both), steps, address(self._bumps), len(self._bumps), alarm)


def _block(batch: np.ndarray) -> tuple[list[int], int]:
    """The words of the kernel that fills a batch, and the number of its tiles."""
    rows = batch.shape[0]
    width = batch.size // max(rows, 1)
    group = max(1, _TILE_BYTES // max(width * batch.itemsize, 1))
    return [0, 0, 0, 0, address(batch), batch.size, rows, width, group], -(-rows // group)


@cache
def _kernel(dtype: np.dtype[Any]) -> Kernel:
    lines = [
        "rows, width, group = g[0], g[1], g[2]",
        "for tile in range(start, end):",
        "    for row in range(tile * group, min(tile * group + group, rows)):",
        "        p, q = np.uint64(x1[row]) * width, row * width",
        "        for k in range(width):",
        "            y0[q + k] = x0[p + k]",
    ]
    return build(lines, ["x0", "x1", "y0"], [dtype, np.int64, dtype], 3, {}, "gather a batch")
