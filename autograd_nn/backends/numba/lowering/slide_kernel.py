"""The kernel of all sliding sums: it goes through the segments of a plan, with the register tile or as a plain loop.

All distances are in elements. A tile of work is a run of units, each a strip of one image, times a run of panels of
columns. Rows of a segment are cut into blocks of nearly equal height.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..machine.kernel import Kernel, build, interpreted
from ..machine.memory import View
from ..tiles.taps import ENTRY, tap_tile, tile_lanes, tile_width
from ..tiles.vectors import host
from .bind import Binding
from .ending import Ending
from .loops import Loop
from .moves import words
from .pack import by_panels
from .slide import WORDS, Plan

# Bytes between B's rows above which B is packed into panels.
_CLOSE = 128
# How many arrays the kernel reads besides those of an ending.
_OWN = 3
# Rows and columns of a tile where there is no register tile.
_PLAIN = (4, 16)


def by_tiles() -> bool:
    """Whether there is a register tile."""
    return host() is not None and not interpreted()


def height() -> int:
    """Rows of a tile."""
    shape = host()
    return shape.rows if shape and by_tiles() else _PLAIN[0]


def panel(dtype: Any) -> int:
    """Columns of a tile."""
    return tile_width(dtype) if by_tiles() else _PLAIN[1]


class Matrix(NamedTuple):
    """The right operand, for each group its columns in panels; distances from group to group, and so on."""

    view: View
    groups: int
    columns: int
    width: int
    group: int
    panel: int
    tap: int
    row: int

    @property
    def panels(self) -> int:
        return self.groups * -(-self.columns // self.width)

    @property
    def nbytes(self) -> int:
        return self.view.size * self.view.dtype.itemsize


def matrix(b: Binding, view: View) -> Matrix:
    """A right operand from (groups, taps, rows, columns), packed into panels unless its rows are close together."""
    groups, taps, rows, columns = view.shape
    group, tap, row, column = view.steps()
    wide = panel(view.dtype)
    close = row * view.dtype.itemsize <= _CLOSE or taps * rows == 1
    if (column == 1 or columns == 1) and (close or not by_tiles()):
        return Matrix(view, groups, columns, wide, group, wide, tap, row)
    if not by_tiles():
        return matrix(b, b.copied(view))
    if tap == rows * row:
        # Taps that follow one another stay so: then taps beside each other can be one of more depth.
        view = view._replace(shape=(groups, 1, taps * rows, columns))
    packed = by_panels(b, view)
    group, tap, side, row, _ = packed.steps()
    return Matrix(packed, groups, columns, wide, group, side, tap if view.shape[1] == taps else rows * row, row)


class Job(NamedTuple):
    """What is the same for all segments. `per` units and `split` panels are one tile of work.

    sums: whether units of one tile of work add up; then `c_part` lies between the results of tiles
    """

    images: int
    per: int
    split: int
    sums: int
    a_image: int
    a_group: int
    a_panel: int
    a_k: int
    b_image: int
    c_image: int
    c_part: int
    c_group: int


class Places(NamedTuple):
    """Which rows of the result, counted in row-major order over all axes but the last, those of a strip are.

    The first row of strip s of an image i: `i * image + s // parts * strip + s % parts * part`; rows lie `step` apart.
    """

    total: int
    most: int
    image: int
    strip: int
    part: int
    parts: int
    step: int


_NAMES = (
    *Job._fields, "strips", "panels", "inner", "columns", "width", "height", "a_row", "b_group", "b_panel", "b_k",
    "c_row", "segments", "table",
)  # fmt: skip


def slide(
    b: Binding, job: Job, plan: Plan, a: View, right: Matrix, target: View, each: bool,
    ending: Ending | None = None, places: Places | None = None,
) -> None:  # fmt: skip
    """Append the kernel that sums products of `a` and `right` into `target`, or into that of an ending.

    places: which places of the result the rows of strips are, for an ending
    """
    strips = len(plan.strips)
    geometry = words((
        *job, strips, right.panels, right.panels // right.groups, right.columns, right.width, height(), plan.a_row,
        right.group, right.panel, right.row, plan.c_row, *plan.places(),
    ))  # fmt: skip
    parts, splits = -(-job.images * strips // job.per), -(-right.panels // job.split)
    own = [a, right.view, b.constant(plan.words)]
    if ending is None or places is None:
        b.run(Loop(_kernel(target.dtype, by_tiles(), each), geometry, parts * splits), [*own, target])
        return
    geometry += [*places, *ending.words()]
    kernel = _ending_kernel(target.dtype, by_tiles(), each, ending, len(geometry))
    b.run(Loop(kernel, geometry, parts * splits), [*own, *ending.views])


@cache
def _kernel(dtype: np.dtype[Any], tiled: bool, each: bool) -> Kernel:
    dtypes = [dtype, dtype, np.dtype(np.int64), dtype]
    return build(_lines(dtype, tiled, each, "y0"), ["x0", "x1", "x2", "y0"], dtypes, len(_NAMES),
                 _functions(dtype, tiled, each), "sum of windows")  # fmt: skip


def _ending_kernel(dtype: np.dtype[Any], tiled: bool, each: bool, ending: Ending, count: int) -> Kernel:
    first = len(_NAMES)
    total, most, image, strip, part, parts, step = (f"np.intp(g[{first + k}])" for k in range(len(Places._fields)))
    then = [
        f"begin, step = image * {image} + strip // {parts} * {strip} + strip % {parts} * {part}, {step}",
        f"count = min({most}, ({total} - begin + step - 1) // step)",
        "c0, c1 = p0 * width, (p0 + split) * width if p0 + split < panels else panels // inner * columns",
        *ending.lines(first + len(Places._fields), _OWN),
    ]
    lines = _lines(dtype, tiled, each, f"y{ending.made}") + ["        " + line for line in then]
    dtypes = [dtype, dtype, np.dtype(np.int64), *ending.dtypes]
    names = {**ending.body.names, **_functions(dtype, tiled, each)}
    return build(lines, ["x0", "x1", "x2", *ending.names(_OWN)], dtypes, count, names, ending.note)


def _functions(dtype: np.dtype[Any], tiled: bool, each: bool) -> dict[str, Any]:
    return {"each_tile" if each else "tile": tap_tile(dtype, each)} if tiled else {}


def _lines(dtype: np.dtype[Any], tiled: bool, each: bool, result: str) -> list[str]:
    """The lines that sum all units of a tile of work into the array `result`."""
    body = _by_tile(dtype, "each_tile" if each else "tile", result) if tiled else _by_loop(dtype, each, result)
    return [
        *(f"{name} = np.intp(g[{k}])" for k, name in enumerate(_NAMES)),
        "units, splits = images * strips, (panels + split - 1) // split",
        "for item in range(np.intp(start), np.intp(end)):",
        "    part, p0 = item // splits, item % splits * split",
        "    for unit in range(part * per, min(part * per + per, units)):",
        "        image, strip = unit // strips, unit % strips",
        "        for number in range(p0, min(p0 + split, panels)):",
        "            group, side = number // inner, number % inner",
        "            valid = min(width, columns - side * width)",
        "            for s in range(x2[strip], x2[strip + 1]):",
        f"                at = segments + s * {WORDS}",
        "                a = x2[at] + image * a_image + group * a_group + side * a_panel",
        "                q = x2[at + 1] + image * b_image + group * b_group + side * b_panel",
        "                c = x2[at + 2] + image * c_image + part * c_part + group * c_group + side * width",
        "                rows, depth, taps = x2[at + 3], x2[at + 4], x2[at + 6]",
        f"                first = table + x2[at + 5] * {ENTRY}",
        "                add = x2[at + 7] + (unit - part * per) * sums",
        *("                " + line for line in body),
    ]


def _by_tile(dtype: np.dtype[Any], name: str, result: str) -> list[str]:
    size = dtype.itemsize
    rest = "to_a, a_row, a_k, to_b, b_k, depth, to_table, taps, to_c, c_row, valid, add)"
    return [
        "blocks = (rows + height - 1) // height",
        "base, extra = rows // blocks, rows % blocks",
        f"kind = (valid + {tile_lanes(dtype) - 1}) // {tile_lanes(dtype)} if valid < width else 0",
        f"to_a, to_b = np.intp(x0.ctypes.data) + a * {size}, np.intp(x1.ctypes.data) + q * {size}",
        f"to_c, to_table = np.intp({result}.ctypes.data) + c * {size}, np.intp(x2.ctypes.data) + first * 8",
        "if extra:",
        f"    {name}(base + 1, kind, extra, {rest}",
        "row = extra * (base + 1)",
        f"to_a, to_c = to_a + row * a_row * {size}, to_c + row * c_row * {size}",
        f"{name}(base, kind, blocks - extra, {rest}",
    ]


def _by_loop(dtype: np.dtype[Any], each: bool, result: str) -> list[str]:
    factor = "x0[p + j]" if each else "x0[p]"
    return [
        "for row in range(rows):",
        "    to = c + row * c_row",
        "    if add == 0:",
        "        for j in range(valid):",
        f"            {result}[to + j] = np.{dtype.name}(0)",
        "    for tap in range(taps):",
        f"        entry = first + tap * {ENTRY}",
        "        for k in range(depth):",
        "            p, r = a + x2[entry] + row * a_row + k * a_k, q + x2[entry + 1] + k * b_k",
        "            for j in range(valid):",
        f"                {result}[to + j] += {factor} * x1[r + j]",
    ]
