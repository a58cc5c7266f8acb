"""The register tile of sliding windows: `C += sum_t A_t B_t`, where a table says how far A_t and B_t lie from A and B.

All of C stays in vector registers over all t. A may have any distances between rows and between k; B's rows and C's
rows are contiguous. In the tile `each`, a column of C belongs to one column of A: `C[r, j] += A_t[r, k, j] B_t[k, j]`,
which is the depthwise convolution. Columns beyond `valid` are neither read nor written.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ..machine.language import Intrinsic
from .vectors import WORD, Host, Vectors, host

# Words of one entry of the table: how far A_t and B_t lie from A and B, in elements.
ENTRY = 2
# Sums that must run side by side to hide the time of one addition; the most k that a small tile takes in one turn.
_SIDE_BY_SIDE, _MOST_SETS = 8, 4
_WORDS = 15


def tile_width(dtype: Any) -> int:
    """Columns of a tile."""
    shape = _host()
    return shape.vector // np.dtype(dtype).itemsize * shape.vectors


def tile_lanes(dtype: Any) -> int:
    """Columns of a vector."""
    return _host().vector // np.dtype(dtype).itemsize


def _host() -> Host:
    shape = host()
    assert shape is not None
    return shape


@cache
def tap_tile(dtype: np.dtype[Any], each: bool) -> Intrinsic:
    """`tile(rows, kind, times, a, a_row, a_k, b, b_k, k, table, entries, c, c_row, valid, add)`, all of them words.

    rows: how many rows, at most the host's; times: how many tiles of so many rows follow one another.   kind: 0 for
    all columns of a tile, else the number of vectors that hold the valid ones.   add: whether to add to C
    a, b, c, table: addresses.   a_row, a_k, b_k, c_row: distances in elements
    """
    shape = _host()
    prefix = f"{'each' if each else 'taps'}_{dtype.name}"

    def write(builder: Any, args: Sequence[Any]) -> None:
        """Call the function for this number of rows and this kind."""
        kinds = shape.vectors + 1
        after = builder.append_basic_block("after")
        cases = builder.switch(builder.add(builder.mul(args[0], WORD(kinds)), args[1]), after)
        for rows in range(1, shape.rows + 1):
            for kind in range(kinds):
                function = _Tile(builder.module, f"{prefix}_{rows}_{kind}", dtype, shape, rows, kind, each).function
                block = builder.append_basic_block(f"rows{rows}")
                cases.add_case(WORD(kinds * rows + kind), block)
                with builder.goto_block(block):
                    builder.call(function, args[2:])
                    builder.branch(after)
        builder.position_at_end(after)

    return Intrinsic(prefix, write, _WORDS)


class _Tile(Vectors):
    """The function for so many rows of one kind."""

    def __init__(self, module: Any, name: str, dtype: Any, shape: Host, rows: int, kind: int, each: bool) -> None:
        super().__init__(module, name, _WORDS - 2, dtype, shape)
        self.function.linkage = "internal"
        self.function.attributes.add("noinline")
        self.rows, self.each = rows, each
        count = kind or shape.vectors
        times, a, a_row, a_k, b, b_k, depth, table, entries, c, c_row, valid, add = self.args
        self.below = self.masks(valid, count, count - 1) if kind else [None] * count
        self.a_row, self.a_k, self.b_k, self.c_row = (
            self.build.mul(step, WORD(self.size)) for step in (a_row, a_k, b_k, c_row)
        )
        self.cells = rows * count
        self.sets = min(_MOST_SETS, -(-_SIDE_BY_SIDE // self.cells))
        zeros = [self.zero] * (self.sets * self.cells)
        next_a, next_c = (self.build.mul(step, WORD(rows)) for step in (self.a_row, self.c_row))

        def one(places: list[Any]) -> list[Any]:
            at_a, at_c = places
            _, *sums = self.loop(entries, [table, *zeros], lambda carried: self._entry(at_a, b, depth, carried))
            self._finish(self._joined(sums), at_c, add)
            return [self.build.add(at_a, next_a), self.build.add(at_c, next_c)]

        self.loop(times, [a, c], one)
        self.build.ret_void()

    def _entry(self, a: Any, b: Any, depth: Any, carried: list[Any]) -> list[Any]:
        """All k of one entry of the table."""
        at, *sums = carried
        places = [self.build.add(start, self._distance(at, k)) for k, start in enumerate((a, b))]
        turns = self.build.sdiv(depth, WORD(self.sets)) if self.sets > 1 else depth
        carried = self.loop(turns, [*places, *sums], lambda found: self._turn(found, self.sets))
        if self.sets > 1:
            rest = self.build.srem(depth, WORD(self.sets))
            carried = self.loop(rest, carried, lambda found: self._turn(found, 1))
        return [self.build.add(at, WORD(8 * ENTRY)), *carried[2:]]

    def _distance(self, at: Any, k: int) -> Any:
        """Word k of an entry of the table, in bytes."""
        place = self.build.inttoptr(self.build.add(at, WORD(8 * k)), WORD.as_pointer())
        return self.build.mul(self.build.load(place, align=8), WORD(self.size))

    def _turn(self, carried: list[Any], sets: int) -> list[Any]:
        """One k for each of the first sets of sums."""
        at_a, at_b, *sums = carried
        for k in range(sets):
            s = k * self.cells
            sums[s : s + self.cells] = self._products(at_a, at_b, sums[s : s + self.cells])
            at_a, at_b = self.build.add(at_a, self.a_k), self.build.add(at_b, self.b_k)
        return [at_a, at_b, *sums]

    def _products(self, at_a: Any, at_b: Any, sums: list[Any]) -> list[Any]:
        """The sums with the products of A's column and B's row added."""
        columns = [self.load(self.step(at_b, j), mask) for j, mask in enumerate(self.below)]
        made: list[Any] = []
        for _ in range(self.rows):
            row = sums[len(made) : len(made) + len(columns)]
            made += [self.multiply_add(*triple) for triple in zip(self._factors(at_a), columns, row)]
            at_a = self.build.add(at_a, self.a_row)
        return made

    def _factors(self, at_a: Any) -> list[Any]:
        """What one row of A is multiplied with, for each vector of columns."""
        if self.each:
            return [self.load(self.step(at_a, j), mask) for j, mask in enumerate(self.below)]
        return [self.splat(self.number(at_a))] * len(self.below)

    def _joined(self, sums: list[Any]) -> list[Any]:
        """One set of sums."""
        sets = [sums[s : s + self.cells] for s in range(0, len(sums), self.cells)]
        while len(sets) > 1:
            pairs = zip(sets[::2], sets[1::2])
            sets = [[self.build.fadd(x, y) for x, y in zip(*pair)] for pair in pairs] + sets[len(sets) // 2 * 2 :]
        return sets[0]

    def _finish(self, sums: list[Any], c: Any, add: Any) -> None:
        """Store the sums, or add them to what is there."""

        def write(adds: bool) -> None:
            place = c
            for k, total in enumerate(sums):
                j = k % len(self.below)
                to, mask = self.step(place, j), self.below[j]
                self.store(self.build.fadd(total, self.load(to, mask)) if adds else total, to, mask)
                place = self.build.add(place, self.c_row) if j == len(self.below) - 1 else place

        self.choose(self.build.icmp_signed("!=", add, WORD(0)), lambda: write(True), lambda: write(False))
