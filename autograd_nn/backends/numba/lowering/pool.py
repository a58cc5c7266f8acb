"""Pooling: rows of windows that have the same taps, worked on in vectors of channels.

What a window reads never leaves the input: at a border windows have fewer taps. Gradients find the largest elements
anew, so no indices are kept. For results a tile of work is a row of windows; for gradients, where windows may overlap,
an image and some channels of it, summed in a fixed order.
"""

import math
from collections.abc import Sequence
from functools import cache, lru_cache, partial
from itertools import groupby, product
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ..machine.kernel import Kernel, build
from ..machine.memory import View, row_major
from ..tiles.pool_tile import pool_tile
from ..tiles.taps import ENTRY
from .bind import Binding
from .conv import axes_of
from .ending import Ending, followed
from .loops import Loop
from .slide import WORDS, Axis, Part, Plan, Steps, entries
from .slide_kernel import by_tiles

# The kind of each op; which array of its kernel is the input, which has a row per window, which other per place.
KINDS = {"pool:max": "max", "unpool:max": "unmax", "pool:pick": "pick", "pool:mean": "mean", "unpool:mean": "unmean"}
_ARRAYS = {
    "max": ("x0", "y0", "x0"), "mean": ("x0", "y0", "x0"), "pick": ("x1", "y0", "x0"),
    "unmax": ("x1", "x0", "y0"), "unmean": ("x0", "x0", "y0"),
}  # fmt: skip
# Below how many images the channels of a gradient are cut, and into how many.
_FEW_IMAGES, _CHANNELS = 8, 32


def lower_pooling(b: Binding, t: Tensor) -> bool:
    """One of the pooling ops."""
    op: Any = t.op
    kind, dtype = KINDS[op.emit], t.spec.dtype
    read = t.inputs[:1] if kind == "unmean" else t.inputs
    if dtype.kind != "f" or any(i.spec.dtype != dtype for i in read):
        return False
    arrays = [view if view.contiguous else b.copied(view) for view in map(b.view, read)]
    shape: Any = b.spec(t).shape
    if not math.prod(shape):
        b.result(t)
        return True
    places, windows = (shape, arrays[0].shape) if kind.startswith("un") else (arrays[-1].shape, shape)
    return followed(b, t, partial(_run, b, kind, axes_of(t.params["window"], places), arrays, (places, windows)))


_NAMES = (
    "images", "strips", "per", "channels", "width", "places", "windows", "x_row", "w_row", "clear", "add",
    "segments", "table", "rows_written",
)  # fmt: skip


def _run(
    b: Binding, kind: str, axes: tuple[Axis, ...], arrays: list[View], shapes: Sequence[tuple[int, ...]],
    target: View, ending: Ending | None,
) -> None:  # fmt: skip
    images, *sizes, channels = shapes[0]
    places, windows = math.prod(sizes), math.prod(shapes[1][1:-1])
    plan = _plan(axes, tuple(sizes), channels)
    backward = kind.startswith("un")
    overlapping = any(axis.stride < axis.taps for axis in axes)
    reached = all(len({place for out in range(a.made) for _, place in a.reads(out)}) == a.given for a in axes)
    tiled = by_tiles()
    add = backward and (overlapping or not tiled)
    strips = len(plan.strips)
    per = strips if backward else 1
    width = _CHANNELS if backward and images < _FEW_IMAGES else channels
    geometry = [
        images, strips, per, channels, width, places, windows, plan.a_row, plan.c_row, int(add or not reached),
        int(add), *plan.places(), places if backward else windows // strips,
    ]  # fmt: skip
    tiles = -(-images * strips // per) * -(-channels // width)
    own = [*arrays, b.constant(plan.words)]
    if ending is None:
        b.run(Loop(_kernel(kind, target.dtype, tiled), geometry, tiles), [*own, target])
        return
    geometry += ending.words()
    b.run(
        Loop(_ending_kernel(kind, target.dtype, tiled, ending, len(geometry)), geometry, tiles), [*own, *ending.views]
    )


@lru_cache(128)
def _plan(axes: tuple[Axis, ...], sizes: tuple[int, ...], channels: int) -> Plan:
    """A strip is a row of windows; a segment those beside each other that have the same taps."""
    last = axes[-1]
    made, taps = [axis.made for axis in axes], [axis.taps for axis in axes]
    steps = Steps(row_major(sizes, channels), row_major(made, channels), row_major(taps, 1), 0, 0, 1)
    plan = Plan(last.stride * channels, channels)
    runs = [list(run) for _, run in groupby(range(last.made), lambda out: [tap for tap, _ in last.reads(out)])]
    for place in product(*(range(axis.made) for axis in axes[:-1])):
        outer = [axis.reads(k) for axis, k in zip(axes, place)]
        begin = sum(k * step for k, step in zip(place, steps.c))
        parts = [
            Part(entries([*outer, last.reads(run[0])], steps), begin + run[0] * channels, len(run)) for run in runs
        ]
        plan.strips.append([plan.segment(part, 1, False) for part in parts])
    return plan


@cache
def _kernel(kind: str, dtype: np.dtype[Any], tiled: bool) -> Kernel:
    own = _own(kind)
    dtypes = [dtype] * (len(own) - 1) + [np.dtype(np.int64), dtype]
    lines = _lines(kind, dtype, tiled, "y0")
    return build(lines, [*own, "y0"], dtypes, len(_NAMES), _functions(kind, dtype, tiled), f"pooling: {kind}")


def _ending_kernel(kind: str, dtype: np.dtype[Any], tiled: bool, ending: Ending, words: int) -> Kernel:
    """The kernel with the loop over what a tile of work wrote."""
    own = _own(kind)
    lines = [
        *_lines(kind, dtype, tiled, f"y{ending.made}"),
        "    begin, count, step, c1 = part * rows_written, rows_written, 1, c0 + some",
        *("    " + line for line in ending.lines(len(_NAMES), len(own))),
    ]
    dtypes = [dtype] * (len(own) - 1) + [np.dtype(np.int64), *ending.dtypes]
    names = {**ending.body.names, **_functions(kind, dtype, tiled)}
    return build(lines, [*own, *ending.names(len(own))], dtypes, words, names, ending.note)


def _own(kind: str) -> list[str]:
    """The arrays that the kernel reads: operands, and the plan."""
    return ["x0", "x1", "x2"] if kind in ("pick", "unmax") else ["x0", "x1"]


def _functions(kind: str, dtype: np.dtype[Any], tiled: bool) -> dict[str, Any]:
    return {f"pool_{kind}": pool_tile(kind, dtype)} if tiled else {}


def _lines(kind: str, dtype: np.dtype[Any], tiled: bool, result: str) -> list[str]:
    """The lines that go through the tiles of work."""
    arrays = tuple(result if name == "y0" else name for name in _ARRAYS[kind])
    plan = _own(kind)[-1]
    lines = [f"{name} = np.intp(g[{k}])" for k, name in enumerate(_NAMES)]
    lines += [
        "chunks = (channels + width - 1) // width",
        "for item in range(np.intp(start), np.intp(end)):",
        "    part, c0 = item // chunks, item % chunks * width",
        "    some = min(width, channels - c0)",
    ]
    if kind.startswith("un"):
        lines += [
            "    if clear:",
            "        for place in range(places):",
            "            for c in range(some):",
            f"                {result}[(part * places + place) * channels + c0 + c] = np.{dtype.name}(0)",
        ]
    lines += [
        "    for unit in range(part * per, min(part * per + per, images * strips)):",
        "        image, strip = unit // strips, unit % strips",
        f"        for s in range({plan}[strip], {plan}[strip + 1]):",
        f"            at = segments + s * {WORDS}",
        f"            rows, taps, first = {plan}[at + 3], {plan}[at + 6], 1 if {plan}[at + 1] == 0 else 0",
        f"            p = {plan}[at] + image * places * channels + c0",
        f"            q = {plan}[at + 2] + image * windows * channels + c0",
        f"            entry = table + {plan}[at + 5] * {ENTRY}",
    ]
    if tiled:
        at = [f"np.intp({array}.ctypes.data) + {place} * {dtype.itemsize}" for array, place in zip(arrays, "pqp")]
        body = [f"pool_{kind}(rows, {', '.join(at)}, x_row, w_row,",
                f"     np.intp({plan}.ctypes.data) + entry * 8, taps, some, first, add)"]  # fmt: skip
    else:
        body = _plain(kind, dtype, plan, arrays)
    return lines + ["            " + line for line in body]


def _plain(kind: str, dtype: np.dtype[Any], plan: str, arrays: tuple[str, ...]) -> list[str]:
    """The windows of a segment, one channel after the other."""
    x, windows, places = arrays
    number = f"np.{dtype.name}"
    tap = f"p + row * x_row + {plan}[entry + tap * {ENTRY}] + c"
    window = f"{windows}[q + row * w_row + c]"
    search = [
        f"best, winner = {number}(-np.inf), first - 1",
        "for tap in range(taps):",
        f"    v = {x}[{tap}]",
        "    if (v > best) | ((v != v) & (best == best)):",
        "        best, winner = v, tap",
    ]
    bodies = {
        "max": [*search, f"{window} = best"],
        "pick": [
            *search, f"found = {number}(0)", "for tap in range(taps):", "    if tap == winner:",
            f"        found = {places}[{tap}]", f"{window} = found",
        ],
        "unmax": [*search, "for tap in range(taps):", "    if tap == winner:", f"        {places}[{tap}] += {window}"],
        "mean": [
            f"total = {number}(0)", "for tap in range(taps):", f"    total += {x}[{tap}]",
            f"{window} = total / {number}(taps)",
        ],
        "unmean": [
            f"share = {window} / {number}(taps)", "for tap in range(taps):", f"    {places}[{tap}] += share",
        ],
    }  # fmt: skip
    return ["for row in range(rows):", "    for c in range(some):", *("        " + line for line in bodies[kind])]
