"""The kernels of matrix products: by tiles, or element by element where there is no tile.

Both end in the elementwise loop that reads the product: its elements are then in the first cache, or in a register.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..machine.kernel import Kernel, build
from ..machine.memory import View
from ..tiles.tile import CALL, FETCH, STACK, lanes
from .expression import Body, split, uses
from .loops import Collapsed, Loop, collapse, offsets, written_once

# The most k of one stretch: 16 KiB of B's panel.
DEPTH = 256
# How many k ahead a tile fetches A where its columns are contiguous; else the rows of the next tile are fetched.
_AHEAD = 8
# The most bytes of C that wait on the stack for their ending.
WAITING = 2**15


class Ending(NamedTuple):
    """What becomes of each element of a product: operand `at` of a body, whose other operands are `sources`.

    All views have the batch axes of the result, then one for rows and one for columns.
    again: which of the other operands lie where a target does; they are not among the sources
    known: variables of the body that have their values before it
    """

    body: Body
    at: int
    sources: Sequence[View]
    targets: Sequence[View]
    note: str
    again: dict[int, int]
    known: tuple[str, ...] = ()

    @property
    def views(self) -> list[View]:
        """Those of the other operands, then those of the results."""
        return [*self.sources, *self.targets]


class _Loops(NamedTuple):
    """How the elements of an ending lie: sizes of the outer axes, then the words of each array; how each is read."""

    words: list[int]
    outer: int
    kinds: list[str]


def _loops(ending: Ending) -> _Loops:
    shape = ending.targets[0].shape
    steps = [view.steps() for view in ending.views]
    sizes, outer = collapse(shape[:-1], [s[:-1] for s in steps])
    words = [*sizes]
    for step, rows in zip(steps, outer):
        words += [*rows, step[-1]]
    kinds = [{0: "s", 1: "c"}.get(step[-1], "g") for step in steps]
    return _Loops(words, len(sizes), kinds)


def _names(ending: Ending) -> tuple[list[str], list[str]]:
    return [f"x{k + 2}" for k in range(len(ending.sources))], [f"y{k}" for k in range(len(ending.targets))]


def _row(ending: Ending, loops: _Loops, first: int, column: str, product: str) -> tuple[list[str], list[str]]:
    """The lines before a row's loop, and those inside it; `column` is the index along the row.

    first: where the words of the loops stand in the geometry.   product: the element of the product
    """
    sources, targets = _names(ending)
    at = {x: first + loops.outer + k * (loops.outer + 1) for k, x in enumerate([*sources, *targets])}
    kind = dict(zip([*sources, *targets], loops.kinds))
    head: list[str] = []
    for x in at:
        head += offsets(f"p_{x}", "place", loops.outer, first, at[x])
    along = {"s": "", "c": f" + {column}", "g": " + {column} * g[{step}]"}

    def element(x: str) -> str:
        return f"{x}[p_{x}{along[kind[x]].format(column=column, step=at[x] + loops.outer)}]"

    left = iter(sources)
    count = len(sources) + len(ending.again)
    operands = [targets[ending.again[k]] if k in ending.again else next(left) for k in range(count)]
    operands.insert(ending.at, "")
    read = [k for k in range(len(operands)) if f"v{k}" not in ending.known and uses(ending.body, f"v{k}")]
    inside = [f"v{k} = {element(operands[k]) if operands[k] else product}" for k in read]
    inside += ending.body.lines
    inside += [f"{element(y)} = {result}" for y, result in zip(targets, ending.body.results)]
    return head, inside


def _built(lines: list[str], operands: Sequence[View], ending: Ending, words: int, names: dict[str, Any]) -> Kernel:
    sources, targets = _names(ending)
    dtypes = [view.dtype for view in (*operands, *ending.views)]
    return build(lines, ["x0", "x1", *sources, *targets], dtypes, words, {**ending.body.names, **names}, ending.note)


def _indent(depth: int, lines: Sequence[str]) -> list[str]:
    return ["    " * depth + line for line in lines]


# --- by tiles


class Tiling(NamedTuple):
    """The geometry of a product by tiles: sizes, strides in bytes, and addresses of machine code.

    `columns` are those of a panel. A tile of work has `group` row blocks and `each` panels. `tiles` are for low and for
    high blocks, then both for the last panel. `c_row` is that of the C that waits for its ending.
    """

    columns: int
    m: int
    n: int
    depth: int
    stretch: int
    blocks: int
    base: int
    extra: int
    panels: int
    sets: int
    each: int
    groups: int
    group: int
    inner: int
    a_outer: int
    a_inner: int
    a_row: int
    a_k: int
    b_outer: int
    b_inner: int
    b_panel: int
    b_k: int
    c_row: int
    tiles: tuple[int, int, int, int]

    def words(self) -> list[int]:
        """The words of the geometry."""
        return [*self[1:-1], *self.tiles]


_FIELDS = Tiling._fields[1:-1]
_TILING = len(_FIELDS) + 4


def tiled(tiling: Tiling, operands: Sequence[View], ending: Ending, direct: bool) -> Loop:
    """The loop over tiles of work; `direct` where the product itself is the result."""
    loops = _loops(ending)
    words = [*tiling.words(), *loops.words, *(_placed(ending.targets[0], tiling) if direct else [])]
    dtypes = [view.dtype for view in (*operands, *ending.views)]
    single = [not any(view.steps()) for view in ending.sources]
    form = (direct, tiling.columns, len(words), loops.outer, *loops.kinds, *single, *dtypes)
    key = ("tiled", form, ending.body.lines, ending.body.results, ending.at, *ending.again.items(), ending.note)
    kernel = written_once(key, lambda: _tiled(tiling.columns, loops, operands, ending, direct, len(words)))
    batches = operands[0].shape[0] * operands[0].shape[1]
    return Loop(kernel, words, batches * tiling.groups * tiling.sets if tiling.m and tiling.n else 0)


def _tiled(columns: int, loops: _Loops, operands: Sequence[View], ending: Ending, direct: bool, words: int) -> Kernel:
    dtype = operands[0].dtype
    size = dtype.itemsize
    names: dict[str, Any] = {"call": CALL}
    fixed, ending = ([], ending) if direct else _fixed(ending)
    lines = [f"{', '.join(_FIELDS)} = {', '.join(f'g[{k}]' for k in range(len(_FIELDS)))}", "along_rows = a_k <= a_row"]
    if not direct:
        names |= {"stack": STACK, "fetch": FETCH[dtype.name]}
        lines += [f"waiting = np.uint64(stack({WAITING}))", *fixed]
    lines += [
        "for item in range(start, end):",
        "    part_of, group_of, batch = item % sets, item // sets % groups, item // sets // groups",
        "    panel0, first, last = part_of * each, group_of * group, min(group_of * group + group, blocks)",
        "    panel1, row0 = min(panel0 + each, panels), first * base + min(first, extra)",
        "    a = np.uint64(x0.ctypes.data) + batch // inner * a_outer + batch % inner * a_inner",
        "    b = np.uint64(x1.ctypes.data) + batch // inner * b_outer + batch % inner * b_inner",
    ]
    if direct:
        at = _TILING + len(loops.words)
        lines += [
            f"    turn, c_row = g[{at}], g[{at + 3}]",
            f"    c = np.uint64(y0.ctypes.data) + batch // turn * g[{at + 1}] + batch % turn * g[{at + 2}]",
            f"    c += panel0 * np.uint64({columns * size})",
        ]
    else:
        lines.append("    c = waiting - row0 * c_row")
    lines += [
        "    k0 = np.uint64(0)",
        "    while (k0 < depth) | (k0 == 0):",
        "        count = min(depth - k0, stretch)",
        "        for panel in range(panel0, panel1):",
        f"            valid = min(np.uint64({columns}), n - panel * np.uint64({columns}))",
        "            beyond = np.uint64(2) if panel == panels - np.uint64(1) else np.uint64(0)",
        f"            to = c + (panel - panel0) * np.uint64({columns * size})",
        "            for block in range(first, last):",
        "                row = block * base + min(block, extra)",
        "                high = np.uint64(1) if block < extra else np.uint64(0)",
        "                here, height = a + row * a_row + k0 * a_k, base + high",
        f"                ahead = here + (height * a_row if along_rows else np.uint64({_AHEAD}) * a_k)",
        f"                pace = height * np.uint64({size}) if along_rows else a_k",
        f"                call(g[np.uint64({_TILING - 4}) + beyond + high], here, a_row, a_k,",
        "                     b + panel * b_panel + k0 * b_k, b_k, count, to + row * c_row, c_row, valid, k0,",
        "                     ahead, pace)",
        "        k0 += stretch",
    ]
    if not direct:
        lines += _indent(1, _strip(ending, loops, columns, lanes(dtype)))
    return _built(lines, operands, ending, words, names)


def batch_axes(target: View) -> Collapsed:
    """The axes of a result in front of its rows and columns, neighbours joined, with their strides in bytes."""
    return collapse(target.shape[:-2], [target.strides[:-2]])


def _placed(target: View, tiling: Tiling) -> list[int]:
    """Where C goes: how many batches go together, the strides of such groups, of a batch in one, and of a row."""
    if target.contiguous:
        row = tiling.n * target.dtype.itemsize
        return [1, tiling.m * row, 0, row]
    sizes, (strides,) = batch_axes(target)
    outer, inner = [0, 0, *strides][-2:]
    return [sizes[-1] if sizes else 1, outer, inner, target.strides[-2]]


def _fixed(ending: Ending) -> tuple[list[str], Ending]:
    """The lines that are the same for all elements, and the ending without them."""
    left = iter([*zip(_names(ending)[0], ending.sources)])
    count = len(ending.sources) + len(ending.again) + 1
    lines, known = [], []
    for k in range(count):
        if k == ending.at or k - (k > ending.at) in ending.again:
            continue
        x, view = next(left)
        if not any(view.steps()) and uses(ending.body, f"v{k}"):
            lines.append(f"v{k} = {x}[np.uint64(0)]")
            known.append(f"v{k}")
    first, body = split(ending.body, known)
    return [*lines, *first], ending._replace(body=body, known=tuple(known))


def _strip(ending: Ending, loops: _Loops, columns: int, lane_count: int) -> list[str]:
    """The ending for the rows of a group and the columns of its panels: whole vectors, then what is left of a row."""
    element = "fetch(waiting, at + lane)"
    head, inside = _row(ending, loops, _TILING, "(column + lane)", element)
    return [
        f"left, wide = panel0 * np.uint64({columns}), each * np.uint64({columns})",
        "filled = min(wide, n - left)",
        f"whole = filled // np.uint64({lane_count}) * np.uint64({lane_count})",
        "for row in range(row0, last * base + min(last, extra)):",
        "    place = batch * m + row",
        *_indent(1, head),
        f"    for part in range(0, whole, np.uint64({lane_count})):",
        "        at, column = (row - row0) * wide + part, left + part",
        f"        for lane in range(np.uint64({lane_count})):",
        *_indent(3, inside),
        "    at, column = (row - row0) * wide, left",
        "    for lane in range(whole, filled):",
        *_indent(2, inside),
    ]


# --- element by element


def plain(operands: Sequence[View], ending: Ending) -> Loop:
    """A product as plain loops: a tile of work is one row."""
    left, right = operands
    outer, inner, m, depth = left.shape
    n = right.shape[-1]
    loops = _loops(ending)
    words = [m, depth, n, inner, *left.steps(), *right.steps()]
    head, inside = _row(ending, loops, len(words), "column", "total")
    lines = [
        "m, depth, n, inner, a_outer, a_inner, a_row, a_k = g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7]",
        "b_outer, b_inner, b_k, b_column = g[8], g[9], g[10], g[11]",
        "for place in range(start, end):",
        "    batch = place // m",
        "    p = batch // inner * a_outer + batch % inner * a_inner + place % m * a_row",
        "    q = batch // inner * b_outer + batch % inner * b_inner",
        *_indent(1, head),
        "    for column in range(n):",
        f"        total = np.{left.dtype.name}(0)",
        "        for k in range(depth):",
        "            total += x0[p + k * a_k] * x1[q + k * b_k + column * b_column]",
        *_indent(2, inside),
    ]
    words += loops.words
    return Loop(_built(lines, operands, ending, len(words), {}), words, outer * inner * m if n else 0)
