"""Moving elements: a strided copy from one view to another, in either direction along each axis.

A kernel knows only how large an element is, so one serves all dtypes of that size. Steps backwards are words that
wrap around; every view is given from its lowest element on, with the place of its first one.
"""

import math
from functools import cache
from typing import Any

import numpy as np

from ..machine.kernel import Kernel, build
from ..machine.memory import View
from .loops import Loop, collapse, offsets

# Elements of one tile; a row too short to be worth a loop; rows and columns of a block that is transposed.
TILE = 4096
_SHORT = 8
_BLOCK_ROWS, _BLOCK_COLUMNS = 64, 8
_WORD = 2**64
# The bytes of the largest integer; complex128 is moved as two of them.
_LARGEST = 8
_HEAD = 10


def raw(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The unsigned integer as large as an element of `dtype`."""
    return np.dtype(f"uint{8 * dtype.itemsize}")


def halves(view: View) -> View:
    """Elements of 16 bytes as pairs of words along a new last axis."""
    return view._replace(shape=(*view.shape, 2), strides=(*view.strides, _LARGEST), dtype=np.dtype(np.uint64))


def grounded(view: View) -> tuple[View, int]:
    """The view from its lowest element on, and where its first element lies from there."""
    back = sum((n - 1) * s for n, s in zip(view.shape, view.strides) if s < 0) if view.size else 0
    return view._replace(offset=view.offset + back), -back // view.dtype.itemsize


def words(numbers: Any) -> list[int]:
    """Signed numbers as words of a geometry."""
    return [int(number) % _WORD for number in numbers]


def move(source: View, target: View) -> tuple[Loop, list[View]]:
    """The loop that writes `source`, broadcast, into `target`, and its views. They must not overlap."""
    source = source.broadcast(target.shape)
    if target.dtype.itemsize > _LARGEST:
        source, target = halves(source), halves(target)
    order = sorted(range(len(target.shape)), key=lambda k: -abs(target.strides[k]))
    shape = [target.shape[k] for k in order]
    steps = [[view.steps()[k] for k in order] for view in (source, target)]
    sizes, (x, y) = collapse(shape, steps)
    sizes, x, y = _two_inner(sizes, x, y)
    *outer, mid, n = sizes
    chunk, block = _cut(mid, n, transposes=abs(x[-2]) == 1 != abs(x[-1]))
    chunks, blocks = -(-n // max(chunk, 1)), -(-mid // max(block, 1))
    items = math.prod(outer) * chunks * blocks
    group = max(1, TILE // max(1, chunk * block))
    (source, x_base), (target, y_base) = grounded(source), grounded(target)
    geometry = [n, mid, chunk, chunks, block, blocks, group, items, x_base, y_base, *outer, *words(x), *words(y)]
    kinds = {0: "s", 1: "c"}.get(x[-1], "g") + ("c" if y[-1] == 1 else "g")
    kernel = _kernel(raw(target.dtype), kinds, len(outer))
    return Loop(kernel, geometry, -(-items // group) if target.size else 0), [source, target]


def _two_inner(sizes: list[int], x: list[int], y: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Axes of which the inner two fit a block: the inner one long, the other where the source lies close."""
    sizes, x, y = (list(part) for part in (sizes, x, y))
    while len(sizes) < 2:
        sizes, x, y = [1, *sizes], [0, *x], [0, *y]
    near = [k for k in range(len(sizes) - 1) if abs(x[k]) == 1]
    if abs(x[-1]) > 1 and near:
        for part in (sizes, x, y):
            part.insert(-1, part.pop(near[-1]))
    if sizes[-1] < _SHORT and sizes[-2] > sizes[-1]:
        for part in (sizes, x, y):
            part[-2:] = part[:-3:-1]
    return sizes, x, y


def _cut(mid: int, n: int, transposes: bool) -> tuple[int, int]:
    """How many elements of a row, and how many rows, are moved at a time."""
    if transposes and n >= _BLOCK_COLUMNS and mid >= _BLOCK_COLUMNS:
        return _BLOCK_COLUMNS, min(mid, _BLOCK_ROWS)
    chunk = min(n, TILE)
    return chunk, min(mid, max(1, TILE // max(chunk, 1)))


@cache
def _kernel(dtype: np.dtype[Any], kinds: str, outer: int) -> Kernel:
    axes = outer + 2
    at = {"x0": _HEAD + outer, "y0": _HEAD + outer + axes}
    read = {"s": "x0[a]", "c": "x0[a + k]", "g": f"x0[a + k * g[{at['x0'] + outer + 1}]]"}[kinds[0]]
    write = {"c": "y0[b + k]", "g": f"y0[b + k * g[{at['y0'] + outer + 1}]]"}[kinds[1]]
    lines = [
        "n, mid, chunk, chunks, block, blocks, group, items = g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7]",
        f"m_x, m_y = g[{at['x0'] + outer}], g[{at['y0'] + outer}]",
        "for item in range(start * group, min(end * group, items)):",
        "    k0, rest = item % chunks * chunk, item // chunks",
        "    m0, row = rest % blocks * block, rest // blocks",
        "    k1, m1 = min(k0 + chunk, n), min(m0 + block, mid)",
        *("    " + line for line in offsets("p_x", "row", outer, _HEAD, at["x0"])),
        *("    " + line for line in offsets("p_y", "row", outer, _HEAD, at["y0"])),
        "    for m in range(m0, m1):",
        "        a, b = g[8] + p_x + m * m_x, g[9] + p_y + m * m_y",
        "        for k in range(k0, k1):",
        f"            {write} = {read}",
    ]
    return build(lines, ["x0", "y0"], [dtype, dtype], _HEAD + outer + 2 * axes, {}, "move")


def part(view: View, axis: int, start: int, size: int) -> View:
    """`size` places along an axis, from `start` on."""
    shape = (*view.shape[:axis], size, *view.shape[axis + 1 :])
    return view._replace(offset=view.offset + start * view.strides[axis] if size else view.offset, shape=shape)
