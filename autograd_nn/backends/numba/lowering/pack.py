"""Laying out B for the tile: in panels whose rows follow one another."""

from typing import Any

import numpy as np

from ..machine.kernel import Kernel, build
from ..machine.memory import View
from ..tiles.tile import CALL, copy, turn, width
from .bind import Binding
from .loops import Loop

# How many rows and panels a tile of work packs, at most: contiguous rows of all panels lie near each other; of columns
# many elements of one panel do.
_OF_ROWS, _OF_COLUMNS = (16, 2**30), (128, 1)


def by_panels(b: Binding, right: View) -> View:
    """B with contiguous rows or columns, as panels: [outer batch, inner batch, panel, k, column]."""
    outer, inner, k, n = right.shape
    columns = width(right.dtype)

    def make() -> View:
        made = b.fresh((outer, inner, -(-n // columns), k, columns), right.dtype)
        _pack(b, right, made)
        return made

    return b.laid_out(right, "panels", make)


def _pack(b: Binding, source: View, made: View) -> None:
    """Move panels of columns."""
    outer, inner, rows, n = source.shape
    columns = width(source.dtype)
    x_outer, x_inner, x_row, x_column = source.strides
    rowwise = x_column == source.dtype.itemsize or n == 1
    move, step, (most, each) = (copy, x_row, _OF_ROWS) if rowwise else (turn, x_column, _OF_COLUMNS)
    panels, chunks = -(-n // columns), -(-rows // most)
    each = min(each, panels)
    parts = -(-panels // max(each, 1))
    geometry = [
        rows, n, columns, step, inner, most, chunks, panels, each, parts, x_outer, x_inner, columns * x_column, x_row,
        *made.strides[1:4], move(source.dtype),
    ]  # fmt: skip
    b.run(Loop(_kernel(source.dtype), geometry, outer * inner * chunks * parts), [source, made])


def _kernel(dtype: np.dtype[Any]) -> Kernel:
    lines = [
        "rows, n, columns, step, inner, most = g[0], g[1], g[2], g[3], g[4], g[5]",
        "chunks, panels, each, parts = g[6], g[7], g[8], g[9]",
        "x_outer, x_inner, x_panel, x_row, y_batch, y_panel, y_row = g[10], g[11], g[12], g[13], g[14], g[15], g[16]",
        "for item in range(start, end):",
        "    row, part, batch = item % chunks * most, item // chunks % parts, item // chunks // parts",
        "    source = np.uint64(x0.ctypes.data) + batch // inner * x_outer + batch % inner * x_inner + row * x_row",
        "    to = np.uint64(y0.ctypes.data) + batch * y_batch + row * y_row",
        "    for panel in range(part * each, min(part * each + each, panels)):",
        "        call(g[17], to + panel * y_panel, y_row, source + panel * x_panel, step, min(most, rows - row),",
        "             min(columns, n - panel * columns))",
    ]
    return build(lines, ["x0", "y0"], [dtype, dtype], 18, {"call": CALL}, "pack a matrix")
