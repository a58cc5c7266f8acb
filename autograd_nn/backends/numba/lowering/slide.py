"""How a window slides: which element of the input each output reads through each tap, as offsets for the tile.

Along an axis, output o reads through tap t the element `o * stride + t * dilation - before`. A plan lists for each
strip of the result its segments: rows of a tile at equal distances which have the same taps. So borders need no
padding: along the axis of the rows a tap that leaves the input makes a segment of its own, along the other axes the
rows of a border simply have fewer taps.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

Pair = tuple[int, int]
# How many plans are kept: they do not depend on the number of images, but for small ones.
_MOST_PLANS = 128


class Axis(NamedTuple):
    """A window along one axis: sizes of input and output, stride, distance of taps, padding before, number of taps."""

    given: int
    made: int
    stride: int
    dilation: int
    before: int
    taps: int

    def source(self, tap: int, out: Any) -> Any:
        """The place that an output reads through a tap; places for an array of outputs."""
        return out * self.stride + tap * self.dilation - self.before

    def spans(self) -> list[Pair]:
        """For each tap the first output that reads a place in the input, and the one after the last."""
        shifts = [self.before - tap * self.dilation for tap in range(self.taps)]
        lows = [max(0, -(-shift // self.stride)) for shift in shifts]
        highs = [min(self.made, (self.given - 1 + shift) // self.stride + 1) for shift in shifts]
        return [(low, max(low, high)) for low, high in zip(lows, highs)]

    def clipped(self) -> bool:
        """Whether some output reads beyond the input."""
        return any(span != (0, self.made) for span in self.spans())

    def reads(self, out: int) -> list[Pair]:
        """The taps of an output, and the place in the input that each reads."""
        found = [(tap, self.source(tap, out)) for tap in range(self.taps)]
        return [(tap, place) for tap, place in found if 0 <= place < self.given]

    def fed(self, place: int) -> list[Pair]:
        """The taps through which a place in the input is read, and the output that reads it."""
        found = [(tap, divmod(place + self.before - tap * self.dilation, self.stride)) for tap in range(self.taps)]
        return [(tap, out) for tap, (out, rest) in found if not rest and 0 <= out < self.made]


class Segment(NamedTuple):
    """Rows of the result that have the same taps: where the first lies in A, B and C, and the table's entries."""

    a: int
    b: int
    c: int
    rows: int
    depth: int
    first: int
    entries: int
    add: int


WORDS = len(Segment._fields)


class Steps(NamedTuple):
    """Distances: of the places of the window in A and in C, of its taps in B, and along the summed axis in A and B."""

    a: Sequence[int]
    c: Sequence[int]
    taps: Sequence[int]
    a_depth: int
    b_depth: int
    depth: int


class Part(NamedTuple):
    """Rows that shall become a segment: offsets in A and B of each tap, the offset in C, and how many rows."""

    entries: list[Pair]
    c: int
    rows: int


@dataclass
class Plan:
    """Segments of each strip, and the table of offsets that they share. `a_row` and `c_row` part the rows."""

    a_row: int
    c_row: int
    strips: list[list[Segment]] = field(default_factory=list)
    table: list[Pair] = field(default_factory=list)
    _known: dict[Any, int] = field(default_factory=dict)

    def segment(self, part: Part, depth: int, add: bool) -> Segment:
        """A segment, its entries in the table, relative to the first."""
        if not part.entries:
            return Segment(0, 0, part.c, part.rows, 0, 0, 0, int(add))
        a, b = part.entries[0]
        relative = tuple((x - a, y - b) for x, y in part.entries)
        if relative not in self._known:
            self._known[relative] = len(self.table)
            self.table += relative
        return Segment(a, b, part.c, part.rows, depth, self._known[relative], len(relative), int(add))

    def strip(self, parts: Sequence[Part], rows: Sequence[Part], steps: Steps) -> None:
        """Add a strip that consists of `rows`, which have no entries, and to which `parts` are summed.

        Rows that one of the parts covers are replaced by it, others are cleared first.
        """
        useful = [part for part in parts if part.rows and part.entries]
        first = [next((part for part in useful if part[1:] == row[1:]), row) for row in rows]
        rest = [part for part in useful if all(part is not other for other in first)]
        segments = [self.segment(*_merged(part, steps), add=False) for part in first]
        self.strips.append(segments + [self.segment(*_merged(part, steps), add=True) for part in rest])

    @cached_property
    def words(self) -> np.ndarray:
        """Where the segments of each strip begin; the segments; the table."""
        counts = np.cumsum([0, *map(len, self.strips)]).tolist()
        segments = [word for strip in self.strips for segment in strip for word in segment]
        return np.array([*counts, *segments, *(word for pair in self.table for word in pair)], np.int64)

    def places(self) -> Pair:
        """Where in `words` the segments begin, and the table."""
        begin = len(self.strips) + 1
        return begin, begin + WORDS * sum(map(len, self.strips))


def _merged(part: Part, steps: Steps) -> tuple[Part, int]:
    """The part with taps that lie one after the other in A and in B as one tap of more depth."""
    apart = (steps.depth * steps.a_depth, steps.depth * steps.b_depth)
    joins = [(y[0] - x[0], y[1] - x[1]) == apart for x, y in zip(part.entries, part.entries[1:])]
    run = joins.index(False) + 1 if False in joins else len(joins) + 1
    cut = [k for k, joined in enumerate(joins, 1) if not joined]
    if run == 1 or len(part.entries) % run or any(k % run for k in cut):
        return part, steps.depth
    return part._replace(entries=part.entries[::run]), steps.depth * run


def entries(choices: Sequence[Sequence[Pair]], steps: Steps) -> list[Pair]:
    """Offsets in A and B of every combination of (tap, place) along the first axes of the window."""
    return [
        (_dot([place for _, place in chosen], steps.a), _dot([tap for tap, _ in chosen], steps.taps))
        for chosen in product(*choices)
    ]


def _dot(places: Sequence[int], steps: Sequence[int]) -> int:
    return sum(place * step for place, step in zip(places, steps))


@lru_cache(_MOST_PLANS)
def gather(axes: tuple[Axis, ...], steps: Steps) -> Plan:
    """The plan of a convolution: a strip is a row of outputs along the last axis."""
    last = axes[-1]
    plan = Plan(last.stride * steps.a[-1], steps.c[-1])
    for place in product(*(range(axis.made) for axis in axes[:-1])):
        ends = entries([axis.reads(k) for axis, k in zip(axes, place)], steps)
        whole = Part([], _dot(place, steps.c), last.made)
        if last.clipped():
            parts = [_shifted(ends, tap, last.source(tap, span[0]), steps, whole.c + span[0] * steps.c[-1], span)
                     for tap, span in enumerate(last.spans())]  # fmt: skip
        else:
            inner = [(last.source(tap, 0) * steps.a[-1], tap * steps.taps[-1]) for tap in range(last.taps)]
            parts = [whole._replace(entries=[(a + p, b + q) for a, b in ends for p, q in inner])]
        plan.strip(parts, [whole], steps)
    return plan


def _shifted(ends: list[Pair], tap: int, place: int, steps: Steps, c: int, span: Pair) -> Part:
    """The part of one tap along the last axis."""
    a, b = place * steps.a[-1], tap * steps.taps[-1]
    return Part([(x + a, y + b) for x, y in ends], c, span[1] - span[0])


@lru_cache(_MOST_PLANS)
def scatter(axes: tuple[Axis, ...], steps: Steps) -> Plan:
    """The plan of the gradient in the input: a strip is a row of the input, summed tap by tap along the last axis."""
    last = axes[-1]
    plan = Plan(steps.a[-1], last.stride * steps.c[-1])
    for place in product(*(range(axis.given) for axis in axes[:-1])):
        ends = entries([axis.fed(k) for axis, k in zip(axes, place)], steps)
        c = _dot(place, steps.c)
        parts = [
            _shifted(ends, tap, span[0], steps, c + last.source(tap, span[0]) * steps.c[-1], span)
            for tap, span in enumerate(last.spans())
        ]
        phases = range(min(last.stride, last.given))
        rows = [Part([], c + k * steps.c[-1], -(-(last.given - k) // last.stride)) for k in phases]
        plan.strip(parts, rows, steps)
    return plan


@lru_cache(_MOST_PLANS)
def across_batch(
    axes: tuple[Axis, ...], steps: Steps, batch: int, chunk: int, a_row: int, c_row: int, backward: bool
) -> Plan:
    """The plan with the images as rows, `chunk` at a time: a strip is one place of all of them. For small images."""
    plan = Plan(a_row, c_row)
    taps_of: Callable[[Axis, int], list[Pair]] = Axis.fed if backward else Axis.reads
    for place in product(*(range(axis.given if backward else axis.made) for axis in axes)):
        pairs = entries([taps_of(axis, k) for axis, k in zip(axes, place)], steps)
        for image in range(0, batch, chunk):
            shifted = [(a + image * a_row, b) for a, b in pairs]
            part = Part(shifted, _dot(place, steps.c) + image * c_row, min(chunk, batch - image))
            plan.strip([part], [part._replace(entries=[])], steps)
    return plan


@lru_cache(_MOST_PLANS)
def correlate(
    axes: tuple[Axis, ...], steps: Steps, rows: int, joined: bool, strips: int, a_row: int, c_row: int
) -> Plan:
    """The plan of the gradient in the kernel: per tap `rows` channels of A times B, summed over the outputs of a strip.

    `steps.c` are the distances of places in B, `steps.taps` those of taps in C. joined: all taps along the last axis
    are rows of one segment. The outputs are cut into so many strips along the first axes.
    """
    plan = Plan(a_row, c_row)
    last, outer = axes[-1], axes[:-1]
    count = math.prod(axis.made for axis in outer)
    places = np.indices([axis.made for axis in outer], np.int64).reshape(len(outer), count).T
    for strip in np.array_split(places, strips):
        segments = []
        for taps in product(*(range(axis.taps) for axis in outer)):
            pairs = _products(outer, taps, strip, steps)
            for tap in range(1 if joined else last.taps):
                low, high = last.spans()[tap]
                a, b = last.source(tap, low) * steps.a[-1], low * steps.c[-1]
                entries = [(x + a, y + b) for x, y in pairs] if high > low else []
                part = Part(entries, _dot((*taps, tap), steps.taps), rows * (last.taps if joined else 1))
                depth = steps._replace(depth=max(high - low, 1))
                segments.append(plan.segment(*_merged(part, depth), add=False))
        plan.strips.append(segments)
    return plan


def _products(outer: Sequence[Axis], taps: Sequence[int], strip: np.ndarray, steps: Steps) -> list[Pair]:
    """Offsets in A and B of the outputs of a strip that read through these taps."""
    sources = [axis.source(tap, strip[:, k]) for k, (axis, tap) in enumerate(zip(outer, taps))]
    inside = np.ones(len(strip), bool)
    a = np.zeros(len(strip), np.int64)
    b = np.zeros(len(strip), np.int64)
    for k, (axis, source) in enumerate(zip(outer, sources)):
        inside &= (source >= 0) & (source < axis.given)
        a += source * steps.a[k]
        b += strip[:, k] * steps.c[k]
    return list(zip(a[inside].tolist(), b[inside].tolist()))
