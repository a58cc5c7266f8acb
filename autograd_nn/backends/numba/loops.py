"""Elementwise loops: the geometry of their operands, and the source of the kernel for it."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from .expression import Body, uses
from .kernel import Kernel, build
from .memory import View

# The elements that one tile works on: large enough to be worth a turn, small enough to stay in the first cache.
TILE = 4096
Steps = list[int]


class Collapsed(NamedTuple):
    """The axes of a loop after joining those that lie one after the other for every array: sizes, steps per array."""

    sizes: list[int]
    steps: list[Steps]


def collapse(shape: Sequence[int], arrays: Sequence[Sequence[int]]) -> Collapsed:
    """Drop axes of size 1 and join neighbours; `arrays` hold the steps of each array in elements."""
    axes = [k for k, n in enumerate(shape) if n != 1]
    sizes: list[int] = []
    steps: list[Steps] = [[] for _ in arrays]
    for k in axes:
        joins = sizes and all(s[-1] == array[k] * shape[k] for s, array in zip(steps, arrays))
        if joins:
            sizes[-1] *= shape[k]
        else:
            sizes.append(shape[k])
        for s, array in zip(steps, arrays):
            s[-1:] = [array[k]] if joins else [*s[-1:], array[k]]
    return Collapsed(sizes, steps)


def offsets(target: str, row: str, count: int, size_at: int, steps_at: int) -> list[str]:
    """Lines that set `target` to the offset of `row`, an index over `count` outer axes.

    The sizes of the axes stand in `g` from `size_at`, the array's steps from `steps_at`.
    """
    if not count:
        return [f"{target} = np.uint64(0)"]
    terms, rest, lines = [], row, []
    for axis in reversed(range(count)):
        if axis == 0:
            terms.append(f"{rest} * g[{steps_at}]")
            continue
        terms.append(f"({rest} % g[{size_at + axis}]) * g[{steps_at + axis}]")
        lines.append(f"{target}_{axis} = {rest} // g[{size_at + axis}]")
        rest = f"{target}_{axis}"
    return [*lines, f"{target} = {' + '.join(terms)}"]


class Loop(NamedTuple):
    """A kernel with the geometry of one use."""

    kernel: Kernel
    geometry: list[int]
    tiles: int


# Words of the geometry before the sizes of the outer axes.
_N, _ROWS, _CHUNK, _CHUNKS, _GROUP, _HEAD = 0, 1, 2, 3, 4, 5


def elementwise(
    body: Body, sources: Sequence[View], targets: Sequence[View], shape: tuple[int, ...], note: str
) -> Loop:
    """The loop that computes `body` for every element of `shape`."""
    views = [*(v.broadcast(shape) for v in sources), *targets]
    sizes, steps = collapse(shape, [v.steps() for v in views])
    outer, n = sizes[:-1], sizes[-1] if sizes else 1
    inner = [s[-1] if s else 0 for s in steps]
    kinds = ["s" if step == 0 else "c" if step == 1 else "g" for step in inner[: len(sources)]]
    kernel = _kernel(body, kinds, [v.dtype for v in views], len(outer), note)
    rows = math.prod(outer)
    chunk = min(n, TILE) or 1
    chunks = -(-n // chunk)
    group = max(1, TILE // max(n, 1)) if chunks == 1 else 1
    tiles = -(-rows // group) * chunks
    geometry = [n, rows, chunk, chunks, group, *outer]
    for step, along in zip(steps, inner):
        geometry += [*step[:-1], along]
    return Loop(kernel, geometry, tiles if n else 0)


def _kernel(body: Body, kinds: Sequence[str], dtypes: Sequence[Any], outer: int, note: str) -> Kernel:
    count = len(kinds)
    names = [*(f"x{k}" for k in range(count)), *(f"y{k}" for k in range(len(dtypes) - count))]
    per_array = outer + 1
    steps_at = {name: _HEAD + outer + k * per_array for k, name in enumerate(names)}
    lines = [f"n, rows, chunk, chunks, group = g[{_N}], g[{_ROWS}], g[{_CHUNK}], g[{_CHUNKS}], g[{_GROUP}]"]
    lines += [f"t_{name} = g[{steps_at[name] + outer}]" for name, kind in zip(names, kinds) if kind == "g"]
    lines += [
        "for tile in range(start, end):",
        "    first, k0 = tile // chunks * group, tile % chunks * chunk",
        "    last, k1 = min(first + group, rows), min(k0 + chunk, n)",
        "    for row in range(first, last):",
    ]
    head: list[str] = []
    for name in names:
        head += offsets(f"p_{name}", "row", outer, _HEAD, steps_at[name])
    reads = {"s": "{v} = {x}[p_{x}]", "c": "{v} = {x}[p_{x} + k]", "g": "{v} = {x}[p_{x} + k * t_{x}]"}
    used = [uses(body, f"v{k}") for k in range(count)]
    head += [reads["s"].format(v=f"v{k}", x=f"x{k}") for k in range(count) if kinds[k] == "s" and used[k]]
    inside = [reads[kind].format(v=f"v{k}", x=f"x{k}") for k, kind in enumerate(kinds) if kind != "s" and used[k]]
    inside += body.lines
    inside += [f"y{k}[p_y{k} + k] = {result}" for k, result in enumerate(body.results)]
    lines += ["        " + line for line in [*head, "for k in range(k0, k1):", *("    " + line for line in inside)]]
    words = _HEAD + outer + per_array * len(names)
    return build(lines, names, dtypes, words, body.names, note)
