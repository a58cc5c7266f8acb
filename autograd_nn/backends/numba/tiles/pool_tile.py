"""What is done in one row of pooling windows, in vectors of channels, written as LLVM.

Arrays at places hold one row of channels per element of the input, arrays at windows one per window. A table says how
far each tap lies from the first place of a window, in elements. Of equal elements the first wins; NaN wins over all
numbers, and the first NaN over the others.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir

from ..machine.language import Intrinsic
from .taps import ENTRY
from .vectors import WORD, Host, Vectors, host

# Vectors of channels that are worked on side by side.
_WIDE = 4
_WORDS = 11


@cache
def pool_tile(kind: str, dtype: np.dtype[Any]) -> Intrinsic:
    """`tile(rows, x, at_windows, at_places, x_row, window_row, table, taps, channels, first, add)`, all of them words.

    kind: "max", "mean": the result of windows of x. "pick": what stands in `at_places` where x is largest
          "unmax", "unmean": `at_places` gets what stands in `at_windows`, where x is largest, or shared among all taps
    first: whether the first tap of the window is among those of the table
    add: whether "unmax" and "unmean" add. x, at_windows, at_places, table: addresses, the others numbers of elements
    """
    shape = host()
    assert shape is not None
    name = f"pool_{kind}_{dtype.name}"

    def write(builder: Any, args: Sequence[Any]) -> None:
        builder.call(_Pool(builder.module, f"{name}_rows", dtype, shape, kind).function, args)

    return Intrinsic(name, write, _WORDS)


class _Pool(Vectors):
    """The function of one kind."""

    def __init__(self, module: Any, name: str, dtype: Any, shape: Host, kind: str) -> None:
        super().__init__(module, name, _WORDS, dtype, shape)
        self.function.linkage = "internal"
        rows, x, at_windows, at_places, x_row, window_row, self.table, self.taps, channels, self.first, self.add = (
            self.args
        )
        self.kind = kind
        self.integers = ir.VectorType(ir.IntType(8 * self.size), self.lanes)
        self.lowest = ir.Constant(self.vector, [float("-inf")] * self.lanes)
        steps = [self.build.mul(step, WORD(self.size)) for step in (x_row, window_row, x_row)]

        def row(places: list[Any]) -> list[Any]:
            self._row(places, channels)
            return [self.build.add(place, step) for place, step in zip(places, steps)]

        self.loop(rows, [x, at_windows, at_places], row)
        self.build.ret_void()

    def _row(self, places: list[Any], channels: Any) -> None:
        """All channels of a window: many vectors at a time, then one, then the rest."""
        build, rest = self.build, channels
        for count in (_WIDE, 1):
            lanes = WORD(count * self.lanes)
            places = self.loop(build.sdiv(rest, lanes), places, lambda found, n=count: self._turn(found, n))  # type: ignore[misc]
            rest = build.srem(rest, lanes)
        with build.if_then(build.icmp_signed("!=", rest, WORD(0))):
            self._window(places, self.masks(rest, 1))

    def _turn(self, places: list[Any], count: int) -> list[Any]:
        self._window(places, [None] * count)
        return [self.step(place, count) for place in places]

    def _window(self, places: list[Any], masks: list[Any]) -> None:
        """Some channels of a window, one vector for each mask."""
        x, at_windows, at_places = places
        if self.kind == "mean":
            self._write(at_windows, self._shares(self._sum(x, masks)), masks)
        elif self.kind == "unmean":
            shares = self._shares(self._read(at_windows, masks))
            self._at_taps(at_places, masks, lambda tap: shares)
        elif self.kind == "max":
            self._write(at_windows, self._largest(x, masks), masks)
        elif self.kind == "pick":
            self._write(at_windows, self._picked(x, at_places, masks), masks)
        else:
            winners = self._winners(x, masks)
            given = self._read(at_windows, masks)
            self._at_taps(at_places, masks, lambda tap: self._won(winners, tap, given))

    # --- pieces

    def _over_taps(self, carried: list[Any], body: Any) -> list[Any]:
        """Turns of `body(tap, distance, carried)` for all taps; what the last made."""

        def turn(found: list[Any]) -> list[Any]:
            at, tap, *rest = found
            word = self.build.load(self.build.inttoptr(at, WORD.as_pointer()), align=8)
            rest = body(tap, self.build.mul(word, WORD(self.size)), rest)
            return [self.build.add(at, WORD(8 * ENTRY)), self.build.add(tap, WORD(1)), *rest]

        return self.loop(self.taps, [self.table, WORD(0), *carried], turn)[2:]

    def _read(self, place: Any, masks: list[Any]) -> list[Any]:
        return [self.load(self.step(place, j), mask) for j, mask in enumerate(masks)]

    def _write(self, place: Any, values: Sequence[Any], masks: list[Any]) -> None:
        for j, (value, mask) in enumerate(zip(values, masks)):
            self.store(value, self.step(place, j), mask)

    def _sum(self, x: Any, masks: list[Any]) -> list[Any]:
        def add(tap: Any, distance: Any, sums: list[Any]) -> list[Any]:
            read = self._read(self.build.add(x, distance), masks)
            return [self.build.fadd(total, value) for total, value in zip(sums, read)]

        return self._over_taps([self.zero] * len(masks), add)

    def _shares(self, values: Sequence[Any]) -> list[Any]:
        """Values divided by the number of taps."""
        count = self.splat(self.build.sitofp(self.taps, self.element))
        return [self.build.fdiv(value, count) for value in values]

    def _beats(self, value: Any, best: Any) -> Any:
        """Where a later element wins: it is larger, or the first NaN."""
        numbers = self.build.fcmp_ordered("ord", best, best)
        return self.build.and_(numbers, self.build.fcmp_unordered(">", value, best))

    def _largest(self, x: Any, masks: list[Any]) -> list[Any]:
        def better(tap: Any, distance: Any, bests: list[Any]) -> list[Any]:
            read = self._read(self.build.add(x, distance), masks)
            return [self.build.select(self._beats(v, best), v, best) for v, best in zip(read, bests)]

        return self._over_taps([self.lowest] * len(masks), better)

    def _winners(self, x: Any, masks: list[Any]) -> list[Any]:
        """For each channel the tap that holds the largest element; -1 where padding holds it."""
        count = len(masks)
        nobody = self.build.select(self.build.icmp_signed("!=", self.first, WORD(0)), WORD(0), WORD(-1))

        def better(tap: Any, distance: Any, found: list[Any]) -> list[Any]:
            read = self._read(self.build.add(x, distance), masks)
            wins = [self._beats(v, best) for v, best in zip(read, found[:count])]
            bests = [self.build.select(*three) for three in zip(wins, read, found[:count])]
            number = self._integer(tap)
            return bests + [self.build.select(win, number, old) for win, old in zip(wins, found[count:])]

        starts = [self.lowest] * count + [self._integer(nobody)] * count
        return self._over_taps(starts, better)[count:]

    def _integer(self, word: Any) -> Any:
        narrow = self.build.trunc(word, self.integers.element) if self.size < 8 else word
        return self.splat(narrow, self.integers)

    def _picked(self, x: Any, other: Any, masks: list[Any]) -> list[Any]:
        """What stands in the other array at the largest element of x; zero where padding is the largest."""
        winners = self._winners(x, masks)

        def pick(tap: Any, distance: Any, found: list[Any]) -> list[Any]:
            read = self._read(self.build.add(other, distance), masks)
            return self._won(winners, tap, read, found)

        return self._over_taps([self.zero] * len(masks), pick)

    def _won(self, winners: list[Any], tap: Any, values: Sequence[Any], others: Sequence[Any] = ()) -> list[Any]:
        """The values where this tap won, else the others, or zero."""
        number = self._integer(tap)
        others = others or [self.zero] * len(values)
        wins = [self.build.icmp_signed("==", winner, number) for winner in winners]
        return [self.build.select(*three) for three in zip(wins, values, others)]

    def _at_taps(self, place: Any, masks: list[Any], values: Any) -> None:
        """Write `values(tap)` at the place of each tap, or add them to what is there."""

        def write(tap: Any, distance: Any, nothing: list[Any]) -> list[Any]:
            to, new = self.build.add(place, distance), values(tap)

            def adding() -> None:
                self._write(to, [self.build.fadd(a, b) for a, b in zip(self._read(to, masks), new)], masks)

            self.choose(self.build.icmp_signed("!=", self.add, WORD(0)), adding, lambda: self._write(to, new, masks))
            return nothing

        self._over_taps([], write)
