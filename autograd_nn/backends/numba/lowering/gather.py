"""Indexing by arrays: gather, and its transpose, scatter.

A first kernel turns the index arrays into places: how many elements from the start of the array each index leads. It
counts negative indices from the end, and takes 0 for one out of range, which it notes; the program raises after the
run, so nothing outside an array is ever read. The second kernel moves rows to or from these places. In a scatter each
tile owns columns, or elements that no other tile reaches, and adds in the order of the indices.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ....engine.tensor import Tensor
from ....errors import AxisError
from ....ops.indexing import ARRAY, Key, numpy_key
from ..machine.kernel import Kernel, build
from ..machine.memory import View
from .arrange import fill, repeated
from .bind import Binding, Fault
from .loops import Loop, collapse, offsets
from .moves import grounded, raw, words

TILE = 4096
# The fewest columns of a scatter that a tile owns, and into how many tiles columns are cut at most.
_COLUMNS, _PARTS = 64, 16


class Picked(NamedTuple):
    """An array before its index arrays apply: ints and slices of the key are done.

    axes:  the axes that they pick from, in order
    own:   which axes of the array itself these are
    front: how many of the others stand before the axes of the indices in the result
    """

    view: View
    axes: list[int]
    own: list[int]
    front: int

    @property
    def before(self) -> list[int]:
        return self._kept()[: self.front]

    @property
    def after(self) -> list[int]:
        return self._kept()[self.front :]

    def _kept(self) -> list[int]:
        return [k for k in range(len(self.view.shape)) if k not in self.axes]


def lower_indexing(b: Binding, t: Tensor) -> bool:
    """Slices and whole numbers in an index are a view; arrays of whole numbers gather or scatter."""
    op: Any = t.op
    if op.name == "repeat":
        return repeated(b, t)
    if op.name not in ("getitem", "scatter_like"):
        return False
    first = 1 if op.name == "getitem" else 2
    key, arrays = t.params["key"], t.inputs[first:]
    if any(type(item) is tuple and ARRAY in item for item in key) or any(i.spec.dtype.kind == "b" for i in arrays):
        return False
    if not arrays:
        return _viewed(b, t, key)
    target = b.result(t)
    base = b.view(t.inputs[0]) if first == 1 else target
    found = picked(base, key)
    indices = [b.view(i) for i in arrays]
    shape = np.broadcast_shapes(*(v.shape for v in indices))
    if any(found.view.shape[k] == 0 for k in found.axes) and math.prod(shape):
        return False
    if first == 1:
        places = _places(b, found, indices, shape, op.name)
        b.run(*_gather(found, places, target))
        return True
    if target.dtype.kind == "b" or target.dtype == np.float16:
        return False
    fill(b, target)
    places = _places(b, found, indices, shape, op.name)
    given = b.view(t.inputs[0])
    apart = _leading_apart(b, arrays, found, shape)
    b.run(*_scatter(found, places, given if given.contiguous else b.copied(given), shape, apart))
    return True


def _viewed(b: Binding, t: Tensor, key: Key) -> bool:
    """A key without arrays: a view, or a move into one."""
    # With `...` a whole number gives a view of one element, never the element.
    place = numpy_key(key if ... in key else (*key, ...), ())
    if t.op.name == "getitem":  # type: ignore[union-attr]
        view = b.view(t.inputs[0]).apply(lambda ghost: ghost[place])
        if view is not None:
            b.place(t, b.copied(view) if view.backwards else view)
        return view is not None
    target = b.result(t)
    inside = target.apply(lambda ghost: ghost[place])
    if inside is None:
        return False
    fill(b, target)
    b.move(b.view(t.inputs[0]), inside)
    return True


def picked(x: View, key: Key) -> Picked:
    """x with the ints and slices of a key applied."""
    items = key if ... in key else (*key, ...)
    plain = tuple(slice(None) if item is ARRAY else item for item in items)
    view = x.apply(lambda ghost: ghost[numpy_key(plain, ())])
    assert view is not None
    rest = len(view.shape) - sum(type(item) is tuple or item is ARRAY or item is None for item in items)
    axes: list[int] = []
    own: list[int] = []
    places: list[int] = []
    starts: list[int] = []
    axis = origin = 0
    for place, item in enumerate(items):
        if item is ARRAY or isinstance(item, int):
            places.append(place)
            starts.append(axis - len(axes))
        if item is ARRAY:
            axes.append(axis)
            own.append(origin)
        axis += rest if item is ... else not isinstance(item, int)
        origin += rest if item is ... else item is not None
    together = places[-1] - places[0] == len(places) - 1
    return Picked(view, axes, own, starts[0] if together else 0)


# --- places


def _places(b: Binding, found: Picked, indices: Sequence[View], shape: tuple[int, ...], what: str) -> View:
    """For each index the place of the element that it picks, in elements, as words; made once for equal indices."""
    picks = [number for k in found.axes for number in (found.view.shape[k], found.view.steps()[k])]
    key = (*indices, *picks)
    if key in b.places:
        return b.places[key]
    b.places[key] = target = b.fresh(shape, np.uint64)
    sizes, steps = collapse(shape, [v.broadcast(shape).steps() for v in indices])
    outer, n = sizes[:-1], sizes[-1] if sizes else 1
    group = max(1, TILE // max(1, n))
    rows = math.prod(outer)
    tiles = -(-rows // group) if target.size else 0
    geometry = [n, rows, group, *outer, *words(picks), *(w for s in steps for w in words(s or [0]))]
    kernel = _places_kernel(tuple(v.dtype for v in indices), len(outer))
    fault = Fault(b.constant(np.zeros((tiles, 3), np.int64)), b.alarm, _out_of_range(what, found))
    b.run(Loop(kernel, geometry, tiles), [*indices, target, fault.view, b.alarm], fault)
    return target


def _out_of_range(what: str, found: Picked) -> Any:
    sizes = [found.view.shape[k] for k in found.axes]

    def error(index: int, which: int) -> Exception:
        return AxisError(f"{what}: index {index} is out of bounds for axis {found.own[which]} with size {sizes[which]}")

    return error


@cache
def _places_kernel(dtypes: tuple[np.dtype[Any], ...], outer: int) -> Kernel:
    count = len(dtypes)
    picks = 3 + outer
    names = [f"x{k}" for k in range(count)]
    steps = {x: picks + 2 * count + k * (outer + 1) for k, x in enumerate(names)}
    inside = ["total = np.uint64(0)"]
    checks: list[str] = []
    for k, x in enumerate(names):
        size = f"np.int64(g[{picks + 2 * k}])"
        read = [
            f"i{k} = np.int64({x}[p_{x} + k * g[{steps[x] + outer}]])",
            f"w{k} = i{k} + {size} if i{k} < np.int64(0) else i{k}",
            f"bad{k} = (w{k} < np.int64(0)) | (w{k} >= {size})",
        ]
        inside += [
            *read,
            f"wrong |= np.uint64(bad{k})",
            f"total += np.uint64(np.int64(0) if bad{k} else w{k}) * g[{picks + 2 * k + 1}]",
        ]
        checks += [*read, f"if bad{k} and wrong == np.uint64(0):", *_indented(_note(k)), "    wrong = np.uint64(1)"]
    lines = [
        "n, rows, group = g[0], g[1], g[2]",
        "for tile in range(start, end):",
        "    for row in range(tile * group, min(tile * group + group, rows)):",
        *("        " + line for x in names for line in offsets(f"p_{x}", "row", outer, 3, steps[x])),
        "        wrong = np.uint64(0)",
        "        for k in range(n):",
        *("            " + line for line in [*inside, "y0[row * n + k] = total"]),
        "        if wrong != np.uint64(0) and f[np.uint64(3) * tile] == np.int64(0):",
        "            wrong = np.uint64(0)",
        "            for k in range(n):",
        *("                " + line for line in checks),
    ]
    arguments, kinds = [*names, "y0", "f", "alarm"], [*dtypes, np.uint64, np.int64, np.int64]
    return build(lines, arguments, kinds, picks + 2 * count + count * (outer + 1), {}, "places of indices")


def _note(k: int) -> list[str]:
    """Lines that note that index array k holds i{k}, which is out of range."""
    return [
        "alarm[np.uint64(0)] = np.int64(1)",
        "f[np.uint64(3) * tile] = np.int64(1)",
        f"f[np.uint64(3) * tile + np.uint64(1)] = i{k}",
        f"f[np.uint64(3) * tile + np.uint64(2)] = np.int64({k})",
    ]


# --- gather


def _axes(view: View, chosen: Sequence[int]) -> tuple[list[int], list[int]]:
    """Sizes and steps of some axes, neighbours joined."""
    sizes, (steps,) = collapse([view.shape[k] for k in chosen], [[view.steps()[k] for k in chosen]])
    return sizes, steps


def _gather(found: Picked, places: View, target: View) -> tuple[Loop, list[View]]:
    """Rows, or single elements, from their places into a contiguous target."""
    source, base = grounded(found.view)
    (before, p), (after, q) = _axes(found.view, found.before), _axes(found.view, found.after)
    count = places.size
    n = after[-1] if after else count
    inner = math.prod(after[:-1])
    rows = math.prod(before) * (count * inner if after else 1)
    group = max(1, TILE // max(1, n))
    geometry = [n, rows, count, inner, group, base, *before, *words(p), *after[:-1], *words(q)]
    kernel = _gather_kernel(raw(target.dtype), len(before), len(after), bool(q) and q[-1] == 1)
    return Loop(kernel, geometry, -(-rows // group) if target.size else 0), [source, places, target]


@cache
def _gather_kernel(dtype: np.dtype[Any], before: int, after: int, contiguous: bool) -> Kernel:
    lines = [
        "n, rows, count, inner, group, base = g[0], g[1], g[2], g[3], g[4], g[5]",
        "for row in range(start * group, min(end * group, rows)):",
        *(_indented(_row_of_rows(before, after) if after else offsets("p", "row", before, 6, 6 + before))),
    ]
    if after:
        step = "" if contiguous else f" * g[{6 + 2 * before + 2 * after - 2}]"
        lines += [
            "    o = base + p + q + x1[i]",
            "    for k in range(n):",
            f"        y0[row * n + k] = x0[o + k{step}]",
        ]
    else:
        lines += ["    for k in range(n):", "        y0[row * n + k] = x0[base + p + x1[k]]"]
    count = 6 + 2 * before + max(2 * after - 1, 0)
    return build(lines, ["x0", "x1", "y0"], [dtype, np.uint64, dtype], count, {}, "gather")


def _row_of_rows(before: int, after: int) -> list[str]:
    """From the number of a row: which index `i`, and the offsets `p` and `q` along the axes before and after it."""
    at = 6 + 2 * before
    return [
        "i, r, a = row // inner % count, row % inner, row // inner // count",
        *offsets("p", "a", before, 6, 6 + before),
        *offsets("q", "r", after - 1, at, at + after - 1),
    ]


def _indented(lines: Sequence[str]) -> list[str]:
    return ["    " + line for line in lines]


# --- scatter


def _leading_apart(b: Binding, arrays: Sequence[Tensor], found: Picked, shape: tuple[int, ...]) -> bool:
    """Whether indices that differ along the first axis never meet: one array, known before the run, differs there."""
    for t, axis in zip(arrays, found.axes):
        known, size = b.known.get(t), found.view.shape[axis]
        if known is None or known.ndim != len(shape) or known.shape != (shape[0],) + (1,) * (len(shape) - 1):
            continue
        places = np.where(known < 0, known + size, known).ravel()
        if len(np.unique(places)) == len(places):
            return True
    return False


def _scatter(found: Picked, places: View, given: View, shape: tuple[int, ...], apart: bool) -> tuple[Loop, list[View]]:
    """Add rows, or single elements, at their places."""
    target, base = grounded(found.view)
    (before, p), (after, q) = _axes(found.view, found.before), _axes(found.view, found.after)
    count, fronts = places.size, math.prod(before)
    contiguous = bool(q) and q[-1] == 1
    kernel = _scatter_kernel(target.dtype, len(before), len(after), contiguous)
    if after:
        n, inner = after[-1], math.prod(after[:-1])
        chunk = max(_COLUMNS, -(-n // _PARTS // _COLUMNS) * _COLUMNS)
        chunks = -(-n // chunk)
        geometry = [n, chunk, count, inner, chunks, base, *before, *words(p), *after[:-1], *words(q)]
        return Loop(kernel, geometry, fronts * inner * chunks if given.size else 0), [given, places, target]
    slices = shape[0] if apart else 1
    size = count // max(slices, 1)
    group = max(1, TILE // max(size, 1))
    groups = -(-slices // group)
    geometry = [count, size * group, groups, 0, 0, base, *before, *words(p)]
    return Loop(kernel, geometry, fronts * groups if given.size else 0), [given, places, target]


@cache
def _scatter_kernel(dtype: np.dtype[Any], before: int, after: int, contiguous: bool) -> Kernel:
    if after:
        at = 6 + 2 * before
        step = "" if contiguous else f" * g[{at + 2 * after - 2}]"
        lines = [
            "n, chunk, count, inner, chunks, base = g[0], g[1], g[2], g[3], g[4], g[5]",
            "for tile in range(start, end):",
            "    k0, r, a = tile % chunks * chunk, tile // chunks % inner, tile // chunks // inner",
            "    k1 = min(k0 + chunk, n)",
            *_indented(offsets("p", "a", before, 6, 6 + before)),
            *_indented(offsets("q", "r", after - 1, at, at + after - 1)),
            "    for i in range(count):",
            "        o, s = base + p + q + x1[i], ((a * count + i) * inner + r) * n",
            "        for k in range(k0, k1):",
            f"            y0[o + k{step}] += x0[s + k]",
        ]
    else:
        lines = [
            "count, size, groups, base = g[0], g[1], g[2], g[5]",
            "for tile in range(start, end):",
            "    i0, a = tile % groups * size, tile // groups",
            *_indented(offsets("p", "a", before, 6, 6 + before)),
            "    for i in range(i0, min(i0 + size, count)):",
            "        y0[base + p + x1[i]] += x0[a * count + i]",
        ]
    words = 6 + 2 * before + max(2 * after - 1, 0)
    return build(lines, ["x0", "x1", "y0"], [dtype, np.uint64, dtype], words, {}, "scatter")
