"""Matrix products: loops over the register tile, and a plain loop where there is none.

C[M, N] = A[M, K] B[K, N], for each of several batches. A tile of work is a group of row blocks times one panel of
columns, of which the rows of B stay in the first cache. B is packed into such panels unless its rows are contiguous
and close together. Row blocks are of nearly equal height, so that 11 rows are 6 + 5 and not 6 + 5 times 1.
"""

from functools import cache
from typing import Any

import numpy as np

from .bind import Binding
from .kernel import Kernel, build, interpreted
from .loops import Loop
from .memory import View
from .tile import host, tile

# How many k a tile goes through before it moves on: 16 KiB of B's panel, which stay in the first cache.
DEPTH = 256
# Row blocks of one tile of work.
GROUP = 4
# The most bytes between B's rows, and the fewest rows of A, for which packing B pays.
_CLOSE, _FEW_ROWS = 256, 24


def matmul(b: Binding, left: View, right: View, target: View) -> None:
    """Append the kernels of `target = left @ right`; all have two axes, or three with equal first."""
    if host() is None or interpreted():
        b.run(_plain(left, right, target), [left, right, target])
        return
    m, k, n = left.shape[-2], left.shape[-1], right.shape[-1]
    right, packed = _laid_out(b, right, m)
    b.run(_tiled(left, right, target, packed, m, k, n), [left, right, target])


def _laid_out(b: Binding, right: View, m: int) -> tuple[View, bool]:
    """B with contiguous rows, packed into panels where that pays."""
    rows_contiguous = right.strides[-1] == right.dtype.itemsize or right.shape[-1] == 1
    near = right.strides[-2] <= _CLOSE or m < _FEW_ROWS
    if rows_contiguous and near:
        return right, False
    if m < _FEW_ROWS and right.shape[-1] <= panel(right.dtype):
        return b.copied(right), False
    return _pack(b, right), True


def panel(dtype: Any) -> int:
    """Columns of a tile."""
    shape = host()
    assert shape is not None
    return shape.vector // np.dtype(dtype).itemsize * shape.vectors


def _pack(b: Binding, right: View) -> View:
    """B as panels: for each its rows, one after the other, filled up with zeros."""
    width = panel(right.dtype)
    *batch, k, n = right.shape
    panels = -(-n // width)
    count = batch[0] if batch else 1
    target = b.fresh((count, panels, k, width), right.dtype)
    steps = right.steps()
    geometry = [count, k, n, panels, steps[0] if batch else 0, steps[-2], steps[-1]]
    b.run(Loop(_pack_kernel(right.dtype, width, steps[-1] == 1), geometry, count * panels), [right, target])
    return target


@cache
def _pack_kernel(dtype: np.dtype[Any], width: int, contiguous: bool) -> Kernel:
    step = "" if contiguous else " * sn"
    lines = [
        "depth, n, panels, sb, sk, sn = g[1], g[2], g[3], g[4], g[5], g[6]",
        f"width = np.uint64({width})",
        "for item in range(start, end):",
        "    first = item % panels * width",
        "    p = item // panels * sb + first" + step,
        "    q = item * depth * width",
        "    valid = min(width, n - first)",
        "    for k in range(depth):",
        "        for j in range(valid):",
        f"            y0[q + k * width + j] = x0[p + k * sk + j{step}]",
        "        for j in range(valid, width):",
        f"            y0[q + k * width + j] = np.{dtype.name}(0)",
    ]
    return build(lines, ["x0", "y0"], [dtype, dtype], 7, {}, "pack the right matrix")


def _tiled(left: View, right: View, target: View, packed: bool, m: int, k: int, n: int) -> Loop:
    shape = host()
    assert shape is not None
    size, width = target.dtype.itemsize, panel(target.dtype)
    blocks = max(1, -(-m // shape.rows))
    panels, groups = -(-n // width), -(-blocks // GROUP)
    batches = target.shape[0] if len(target.shape) == 3 else 1
    batch = [v.strides[0] if len(v.shape) == 3 else 0 for v in (left, right, target)]
    if packed:
        b_batch, b_panel, b_k = panels * k * width * size, k * width * size, width * size
    else:
        b_batch, b_panel, b_k = batch[1], width * size, right.strides[-2]
    geometry = [
        n, k, blocks, m // blocks, m % blocks, panels, groups, width, size,
        batch[0], left.strides[-2], left.strides[-1], b_batch, b_panel, b_k, batch[2], target.strides[-2], int(packed),
    ]  # fmt: skip
    return Loop(_tile_kernel(target.dtype), geometry, batches * panels * groups if m and n else 0)


@cache
def _tile_kernel(dtype: np.dtype[Any]) -> Kernel:
    lines = [
        "n, depth, blocks, base, extra = np.intp(g[0]), np.intp(g[1]), np.intp(g[2]), np.intp(g[3]), np.intp(g[4])",
        "panels, groups, width, size = np.intp(g[5]), np.intp(g[6]), np.intp(g[7]), np.intp(g[8])",
        "a_batch, a_row, a_k = np.intp(g[9]), np.intp(g[10]), np.intp(g[11])",
        "b_batch, b_panel, b_k = np.intp(g[12]), np.intp(g[13]), np.intp(g[14])",
        "c_batch, c_row, packed = np.intp(g[15]), np.intp(g[16]), np.intp(g[17])",
        "for item in range(np.intp(start), np.intp(end)):",
        "    group, panel, batch = item % groups, item // groups % panels, item // groups // panels",
        "    a0 = np.intp(x0.ctypes.data) + batch * a_batch",
        "    b0 = np.intp(x1.ctypes.data) + batch * b_batch + panel * b_panel",
        "    c0 = np.intp(y0.ctypes.data) + batch * c_batch + panel * width * size",
        "    valid = min(width, n - panel * width)",
        "    masked = 1 if valid < width else 0",
        f"    first, last = group * {GROUP}, min(group * {GROUP} + {GROUP}, blocks)",
        "    k0 = 0",
        "    while k0 < depth or k0 == 0:",
        f"        count = min(depth - k0, {DEPTH})",
        "        for block in range(first, last):",
        "            row = block * base + min(block, extra)",
        "            rows = base + 1 if block < extra else base",
        "            tile(rows, masked, a0 + row * a_row + k0 * a_k, a_row, a_k, b0 + k0 * b_k, b_k, count,",
        "                 c0 + row * c_row, c_row, valid, k0)",
        f"        k0 += {DEPTH}",
    ]
    return build(lines, ["x0", "x1", "y0"], [dtype] * 3, 18, {"tile": tile(dtype)}, "matrix product by tiles")


def _plain(left: View, right: View, target: View) -> Loop:
    """The product as a plain loop: a tile of work is one row of C."""
    m, k, n = left.shape[-2], left.shape[-1], right.shape[-1]
    batched = len(target.shape) == 3
    batches = target.shape[0] if batched else 1
    steps = [v.steps() for v in (left, right)]
    batch = [s[0] if batched else 0 for s in steps]
    geometry = [m, k, n, batch[0], *steps[0][-2:], batch[1], *steps[1][-2:]]
    return Loop(_plain_kernel(target.dtype), geometry, batches * m if n else 0)


@cache
def _plain_kernel(dtype: np.dtype[Any]) -> Kernel:
    lines = [
        "rows, depth, n, ab, ar, ak, bb, bk, bn = g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8]",
        "for item in range(start, end):",
        "    p, q = item // rows * ab + item % rows * ar, item // rows * bb",
        "    for j in range(n):",
        f"        y0[item * n + j] = np.{dtype.name}(0)",
        "    for k in range(depth):",
        "        factor = x0[p + k * ak]",
        "        for j in range(n):",
        "            y0[item * n + j] += factor * x1[q + k * bk + j * bn]",
    ]
    return build(lines, ["x0", "x1", "y0"], [dtype] * 3, 9, {}, "matrix product, plain loop")
