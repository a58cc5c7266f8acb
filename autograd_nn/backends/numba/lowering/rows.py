"""Row programs: what is done to each row of an array, loop after loop, in one kernel.

Rows are cut into tiles by the work on them, never by the number of threads, and each row is worked in one order: the
result is the same for any team.
"""

import math
from collections.abc import Sequence
from typing import Any

from ....engine.graph import Graph
from ....engine.tensor import Tensor
from ..machine.memory import View
from .bind import Binding
from .loops import Loop, collapse, tile_size
from .row_kernel import PIECE, SIDE, Layout, Made, across_rows, by_row
from .row_program import COLUMN, LEAD, WHOLE, Read, RowProgram, row_program

# Rows of up to so many elements are worked many at a time, element by element.
SHORT = 31
# The most tiles of one kernel: each has scratch rows of its own.
_MOST_TILES = 64


def lower_rows(b: Binding, t: Tensor) -> bool:
    """The row program of a node as one kernel."""
    op: Any = t.op
    program = row_program(t.params["graph"])
    if program is None:
        return False
    specs = b.specs[t] if op.many else (b.specs[t],)
    shape = _shape(program, specs[0])
    targets = [b.fresh(spec.shape, spec.dtype) for spec in specs]
    for k, target in enumerate(targets):
        b.place((t, k) if op.many else t, target)
    if math.prod(shape):
        sources = [_seen(b.view(t.inputs[read.place]), read, shape) for read in program.reads]
        _run(b, t.params["graph"], program, sources, targets, shape)
    return True


def _shape(program: RowProgram, spec: Any) -> tuple[int, ...]:
    """The sizes of the rows, from those of the first result."""
    shape, way = spec.shape, program.results[0][1]
    lead = shape if way == LEAD else shape[:-1]
    return *lead, program.length


def _seen(view: View, read: Read, shape: tuple[int, ...]) -> View:
    """A read as a view of all rows; the last axis has no steps where there is one number per row."""
    if read.way == WHOLE:
        return view.broadcast(shape)
    column = view if read.way == COLUMN else view._replace(shape=(*view.shape, 1), strides=(*view.strides, 0))
    return column.broadcast((*shape[:-1], 1))


def _run(
    b: Binding, graph: Graph, program: RowProgram, sources: Sequence[View], targets: Sequence[View], shape: Any
) -> None:
    """Append the kernel."""
    lead, n = shape[:-1], shape[-1]
    steps = [v.steps() for v in sources]
    sizes, outer = collapse(lead, [s[:-1] for s in steps])
    inner = [s[-1] if v.shape[-1] > 1 else 0 for s, v in zip(steps, sources)]
    kinds = tuple(map(_kind, outer, inner, [read.way for read in program.reads]))
    short = n <= SHORT
    layout = Layout(len(sizes), kinds, n > PIECE)
    made = _made(graph, program, layout, short)
    rows = math.prod(lead)
    units, size = (-(-rows // SIDE), n * SIDE) if short else (rows, n)
    group = max(1, tile_size(program.lines, program.names) // size, -(-units // _MOST_TILES))
    tiles = -(-units // group)
    geometry = [n, rows, group, *sizes]
    for step, along in zip(outer, inner):
        geometry += [*step, along]
    scratch = [b.fresh((tiles, count * (n if whole else 1)), dtype) for dtype, whole, count in made.scratch]
    b.run(Loop(made.kernel, geometry, tiles), [*sources, *targets, *scratch])


_STEPS = {1: "c", 2: "2", 3: "3", 4: "4"}


def _kind(outer: Sequence[int], inner: int, way: str) -> str:
    still = not any(outer)
    if not inner:
        return "n" if still else "s"
    return ("b" if still else "") + _STEPS.get(inner, "g")


def _made(graph: Graph, program: RowProgram, layout: Layout, short: bool) -> Made:
    """The kernel of a program for arrays that lie so; written once per graph."""
    known: dict[Any, Made] = graph.derived.setdefault("row kernels", {})
    if (layout, short) not in known:
        known[layout, short] = (across_rows if short else by_row)(program, layout)
    return known[layout, short]
