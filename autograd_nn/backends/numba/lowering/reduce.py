"""Reductions: one accumulator per kept element, or a row of them where the innermost axis is the reduced one.

Work is cut into fixed parts that do not depend on the number of threads; parts are added up in a second pass, so that
sums are the same bits for any team.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..functions.scalars import comparisons
from ..machine.kernel import Kernel, build
from ..machine.memory import View
from .bind import Binding
from .expression import Body, copy_body, uses
from .loops import Loop, collapse, offsets

# Elements that one part of a reduction works on, columns of one tile, and below how many tiles a reduction is cut.
PART = 16384
COLUMNS = 512
FEW_TILES = 16
# What elements that do not lie one after the other cost to read, in elements that do.
_APART = 16


class Rule(NamedTuple):
    """How elements are joined: `term` from a value, `join` of an accumulator and a term, and the neutral element."""

    term: str
    join: str
    start: str
    dtype: np.dtype[Any]
    names: dict[str, Any]


def rule(name: str, dtype: np.dtype[Any]) -> Rule:
    """The rule of a reduction whose result has that dtype."""
    T = f"np.{dtype.name}"
    kind: Any = dtype.type
    if name in ("maximum", "minimum"):
        names = {f"{name}_{dtype.name}": comparisons(kind)[name]}
        return Rule(f"{T}({{0}})", f"{name}_{dtype.name}({{0}}, {{1}})", f"{T}({_extreme(name, dtype)})", dtype, names)
    forms = {
        "add": (f"{T}({{0}})", f"{T}({{0}} + {{1}})", f"{T}(0)"),
        "multiply": (f"{T}({{0}})", f"{T}({{0}} * {{1}})", f"{T}(1)"),
        "or": ("({0} != 0)", "{0} | {1}", "np.bool_(False)"),
        "and": ("({0} != 0)", "{0} & {1}", "np.bool_(True)"),
        "count": (f"{T}({{0}} != 0)", f"{T}({{0}} + {{1}})", f"{T}(0)"),
    }
    return Rule(*forms[name], dtype, {})


def _extreme(name: str, dtype: np.dtype[Any]) -> str:
    """The number that never wins, as Python writes it."""
    if dtype.kind == "f":
        return "-np.inf" if name == "maximum" else "np.inf"
    if dtype.kind == "b":
        return str(name == "minimum")
    limits = np.iinfo(dtype)
    return str(limits.min if name == "maximum" else limits.max)


class Axes(NamedTuple):
    """Axes of a loop, neighbours joined: sizes, and the steps of each source along them."""

    sizes: list[int]
    steps: list[list[int]]

    @property
    def total(self) -> int:
        return math.prod(self.sizes)


def _axes(shape: Sequence[int], steps: Sequence[Sequence[int]], chosen: Sequence[int]) -> Axes:
    return Axes(*collapse([shape[k] for k in chosen], [[s[k] for k in chosen] for s in steps]))


def reduce(
    b: Binding, name: str, body: Body, sources: Sequence[View], shape: tuple[int, ...], axes: tuple[int, ...],
    target: View, note: str,
) -> None:  # fmt: skip
    """Append the kernels that reduce `body` over `axes` of `shape` into `target`, which is contiguous."""
    steps = [v.broadcast(shape).steps() for v in sources]
    kept = _axes(shape, steps, [k for k in range(len(shape)) if k not in axes])
    gone = _axes(shape, steps, axes)
    along_row = bool(gone.sizes) and (not kept.sizes or _cost(gone) <= _cost(kept))
    work = (_by_rows if along_row else _by_columns)(kept, gone)
    dtypes = [*(v.dtype for v in sources), target.dtype]
    kernel = work.kernel(rule(name, target.dtype), body, dtypes, note)
    loop = Loop(kernel, work.geometry, work.tiles if target.size else 0)
    scratch = [b.fresh((work.tiles, work.lanes), target.dtype)] if work.lanes > 1 else []
    if work.parts == 1:
        b.run(loop, [*sources, target, *scratch])
        return
    pieces = b.fresh((work.parts, target.size), target.dtype)
    b.run(loop, [*sources, pieces, *scratch])
    again = "add" if name == "count" else name
    reduce(b, again, copy_body(), [pieces], pieces.shape, (0,), target, f"{name} of parts")


def _cost(axes: Axes) -> int:
    """What it takes to read the sources along the innermost axis: nothing where an element stays the same, much where
    elements are apart."""
    return sum(min(abs(s[-1]), _APART) for s in axes.steps if s)


class _Work(NamedTuple):
    """One way to go through a reduction."""

    geometry: list[int]
    tiles: int
    parts: int
    lanes: int
    kernel: Callable[[Rule, Body, Sequence[Any], str], Kernel]


def _kinds(axes: Axes) -> str:
    """How each source goes along the innermost axis: by one, not at all, or by a step."""
    return "".join({0: "s", 1: "c"}.get(s[-1], "g") if s else "s" for s in axes.steps)


def _words(*groups: Axes) -> list[int]:
    """The sizes of the axes of each group, then for each source its steps along them."""
    sizes = [n for axes in groups for n in axes.sizes]
    count = len(groups[0].steps)
    return [*sizes, *(step for k in range(count) for axes in groups for step in axes.steps[k])]


def _by_rows(kept: Axes, gone: Axes) -> _Work:
    """The innermost axis is reduced: each kept element is the join of rows."""
    n, outer = gone.sizes[-1], math.prod(gone.sizes[:-1])
    lanes = 64 if n >= 256 else 8 if n >= 16 else 1
    along, across = n, outer
    if n * outer > 2 * PART:
        along, across = (PART, 1) if outer == 1 else (n, max(1, PART // n))
    row_parts = -(-n // along) if n else 1
    across = max(across, 1)
    parts = max(1, -(-outer // across)) * row_parts
    rows = kept.total
    group = max(1, PART // max(1, n * outer)) if parts == 1 else 1
    geometry = [rows, parts, group, outer, across, n, max(along, 1), row_parts, *_words(kept, gone)]
    tiles = -(-rows * parts // group)
    shape = len(kept.sizes), len(gone.sizes), lanes, _kinds(gone)
    return _Work(geometry, tiles, parts, lanes, partial(_row_kernel, shape))


def _by_columns(kept: Axes, gone: Axes) -> _Work:
    """The innermost axis is kept: rows of accumulators, joined with one row of elements after the other."""
    n = kept.sizes[-1] if kept.sizes else 1
    rows, outer = math.prod(kept.sizes[:-1]), gone.total
    chunk = min(n, COLUMNS) or 1
    chunks = -(-n // chunk)
    across = outer
    if rows * chunks < FEW_TILES and outer * chunk > 2 * PART:
        across = max(1, PART // chunk)
    across = max(across, 1)
    parts = max(1, -(-outer // across))
    geometry = [rows, chunk, chunks, outer, across, n, *_words(kept, gone)]
    shape = len(kept.sizes), len(gone.sizes), _kinds(kept)
    return _Work(geometry, rows * chunks * parts, parts, 1, partial(_column_kernel, shape))


_ALONG = {"s": "", "c": " + {k}", "g": " + {k} * t_{x}"}


def _read(names: Sequence[str], kinds: str, index: str, body: Body) -> list[str]:
    reads = [
        f"v{k} = {x}[p_{x} + q_{x}{_ALONG[kind].format(k=index, x=x)}]" for k, (x, kind) in enumerate(zip(names, kinds))
    ]
    return [line for k, line in enumerate(reads) if uses(body, f"v{k}")] + list(body.lines)


def _row_kernel(shape: tuple[int, int, int, str], rule: Rule, body: Body, dtypes: Sequence[Any], note: str) -> Kernel:
    kept, gone, lanes, kinds = shape
    names = [f"x{k}" for k in range(len(dtypes) - 1)]
    head, axes = 8, kept + gone
    at = {x: head + axes + k * axes for k, x in enumerate(names)}
    term = rule.term.format(body.results[0])

    def element(index: str, target: str) -> list[str]:
        return [*_read(names, kinds, index, body), f"{target} = {rule.join.format(target, term)}"]

    lines = [
        "rows, parts, group, outer, across, n, along, row_parts = g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7]",
        *(f"t_{x} = g[{at[x] + axes - 1}]" for x in names),
        "for tile in range(start, end):",
        "    for item in range(tile * group, min(tile * group + group, rows * parts)):",
        "        row, part = item // parts, item % parts",
        *_indent(2, [line for x in names for line in offsets(f"p_{x}", "row", kept, head, at[x])]),
        "        r0, k0 = part // row_parts * across, part % row_parts * along",
        "        r1, k1 = min(r0 + across, outer), min(k0 + along, n)",
        f"        total = {rule.start}",
    ]
    inside = [line for x in names for line in offsets(f"q_{x}", "r", gone - 1, head + kept, at[x] + kept)]
    if lanes > 1:
        lines += _indent(2, [
            f"lane, whole = tile * np.uint64({lanes}), (k1 - k0) // np.uint64({lanes}) * np.uint64({lanes})",
            f"for m in range(np.uint64({lanes})):", f"    s[lane + m] = {rule.start}",
        ])  # fmt: skip
        inside += [
            f"for base in range(k0, k0 + whole, np.uint64({lanes})):",
            f"    for m in range(np.uint64({lanes})):",
        ]
        inside += _indent(2, element("(base + m)", "s[lane + m]"))
        inside += ["for k in range(k0 + whole, k1):"]
    else:
        inside += ["for k in range(k0, k1):"]
    inside += _indent(1, element("k", "total"))
    lines += ["        for r in range(r0, r1):", *_indent(3, inside)]
    width = lanes // 2
    while lanes > 1 and width:
        joined = rule.join.format("s[lane + m]", f"s[lane + np.uint64({width}) + m]")
        lines += _indent(2, [f"for m in range(np.uint64({width})):", f"    s[lane + m] = {joined}"])
        width //= 2
    if lanes > 1:
        lines.append(f"        total = {rule.join.format('total', 's[lane]')}")
    lines.append("        y0[part * rows + row] = total")
    extra, scratch = (["s"], [dtypes[-1]]) if lanes > 1 else ([], [])
    words = head + axes * (1 + len(names))
    return build(lines, [*names, "y0", *extra], [*dtypes, *scratch], words, {**body.names, **rule.names}, note)


def _column_kernel(shape: tuple[int, int, str], rule: Rule, body: Body, dtypes: Sequence[Any], note: str) -> Kernel:
    kept, gone, kinds = shape
    names = [f"x{k}" for k in range(len(dtypes) - 1)]
    head, axes = 6, kept + gone
    at = {x: head + axes + k * axes for k, x in enumerate(names)}
    joined = rule.join.format("y0[o + k]", rule.term.format(body.results[0]))
    lines = [
        "rows, chunk, chunks, outer, across, n = g[0], g[1], g[2], g[3], g[4], g[5]",
        *(f"t_{x} = g[{at[x] + kept - 1}]" for x in names if kept),
        "for tile in range(start, end):",
        "    row, part = tile // chunks % rows, tile // chunks // rows",
        "    k0, r0 = tile % chunks * chunk, part * across",
        "    k1, r1 = min(k0 + chunk, n), min(r0 + across, outer)",
        "    o = (part * rows + row) * n",
        *_indent(1, [line for x in names for line in offsets(f"p_{x}", "row", max(kept - 1, 0), head, at[x])]),
        "    for k in range(k0, k1):",
        f"        y0[o + k] = {rule.start}",
        "    for r in range(r0, r1):",
        *_indent(2, [line for x in names for line in offsets(f"q_{x}", "r", gone, head + kept, at[x] + kept)]),
        "        for k in range(k0, k1):",
        *_indent(3, [*_read(names, kinds, "k", body), f"y0[o + k] = {joined}"]),
    ]
    words = head + axes * (1 + len(names))
    return build(lines, [*names, "y0"], dtypes, words, {**body.names, **rule.names}, note)


def _indent(depth: int, lines: Sequence[str]) -> list[str]:
    return ["    " * depth + line for line in lines]
