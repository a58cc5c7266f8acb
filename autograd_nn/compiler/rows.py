"""Rows: what goes through an array row by row becomes one node whose params hold its graph.

A softmax with the crossentropy after it and the gradient of both is a dozen passes over one array, each of which waits
for a sum or an extreme of the pass before; so is a layer normalisation. But no row needs to know of another one. A row
program takes a row through all of it while it lies in the first cache.

Its members are reductions along the last axis, elementwise nodes of the shape that they reduce, and elementwise nodes
with one number per row. A level says what can be joined without a cycle: it counts how often a path has left a program,
so one that comes back ends on a higher level.
"""

from typing import Any, NamedTuple

from ..engine.graph import Graph
from ..engine.spec import Shape, Size
from ..engine.tensor import PICK, Tensor, symbol
from ..ops.control import ROWS, ROWS_MANY, VIEWS, operands
from .grouping import MOST_INPUTS, Plan, has_complex
from .rewrite import again, make

MOST_MEMBERS = 96
# Elements of the rows that are worth it: one is no row, and more than these do not stay in the first cache.
FEWEST, MOST = 2, 8192
REDUCTIONS = ("add", "multiply", "maximum", "minimum", "or", "and", "count")


class Frame(NamedTuple):
    """The arrays of a row program: the sizes of the axes before the last one, and of that."""

    lead: Shape
    length: Size

    @property
    def whole(self) -> Shape:
        return *self.lead, self.length

    @property
    def column(self) -> Shape:
        return *self.lead, 1


def rows(graph: Graph) -> Graph:
    """The graph with each group of nodes that go through rows as one `rows` node."""
    frames = _Frames(graph)
    if not frames.reductions:
        return graph
    new: dict[Tensor, Tensor] = {}
    for members in frames.groups():
        if len(members) > 1:
            new.update(_program(members, frames, new))
        else:
            new[members[0]] = again(members[0], tuple(new.get(i, i) for i in members[0].inputs))
    return Graph(graph.inputs, [new.get(t, t) for t in graph.outputs], graph.name)


class _Frames:
    """Which nodes of a graph go through rows, of what, and together with which others."""

    def __init__(self, graph: Graph) -> None:
        self.operations = graph.operations
        self.plan = Plan(graph)
        self.reductions = {t: f for t in self.operations if (f := _reduced(t)) is not None}
        self.frame: dict[Tensor, Frame] = {}
        if self.reductions:
            self._find()
            self._find_before()
            self.level = self._levels()
            self._sink()

    # --- who takes part

    def _find(self) -> None:
        """Frames of reductions, of what has their shape, and of what is made of their results."""
        live = set(self.reductions.values())
        for t in self.operations:
            if t in self.reductions:
                self.frame[t] = self.reductions[t]
            elif _is_view(t):
                self._set(t, self.frame.get(t.inputs[0]))
            elif self._elementwise(t):
                whole = Frame(t.spec.shape[:-1], t.spec.shape[-1])
                given = (self.frame.get(i) for i in t.inputs if i.spec.shape == t.spec.shape)
                found = next((f for f in given if f is not None and f.whole != t.spec.shape), None)
                self._set(t, found or (whole if whole in live else None))

    def _find_before(self) -> None:
        """Frames of numbers per row that are made of what comes from outside."""
        for t in reversed(self.operations):
            if t in self.frame or not (_is_view(t) or self._elementwise(t)):
                continue
            for u in self.plan.readers.get(t, ()):
                frame = self.frame.get(u) if u is not None else None
                if frame is not None and t.spec.shape in (frame.lead, frame.column):
                    self._set(t, frame)
        for t in self.operations:
            if t in self.frame and _is_view(t) and self.frame.get(t.inputs[0]) != self.frame[t]:
                del self.frame[t]

    def _set(self, t: Tensor, frame: Frame | None) -> None:
        if frame is not None and t.spec.shape in (frame.lead, frame.column, *([] if _is_view(t) else [frame.whole])):
            self.frame[t] = frame

    def _elementwise(self, t: Tensor) -> bool:
        """Whether a node is one expression per element that no reduction along other axes computes on its way."""
        if not self.plan.loops(t) or not t.ndim:
            return False
        owner = self.plan.owner.get(t)
        drawn = any(i.op is not None and i.op.family == "random" for i in t.inputs)
        return (owner is None or owner in self.reductions) and not drawn and _has_kernels(t)

    # --- who goes together

    def joined(self, a: Tensor, b: Tensor) -> bool:
        """Whether a node can be in one program with what reads it."""
        frame = self.frame.get(a)
        if frame is None or frame != self.frame.get(b):
            return False
        if all(a is not i for i in operands(b)):
            return True
        if _is_view(b):
            return a.spec.shape != frame.whole
        if b in self.reductions:
            return a.spec.shape == frame.whole
        return a.spec.shape == b.spec.shape or (b.spec.shape == frame.whole and a.spec.shape == frame.column)

    def _levels(self) -> dict[Tensor, int]:
        level: dict[Tensor, int] = {}
        for t in self.operations:
            level[t] = max((level[i] + self._leaves(i, t) for i in t.inputs if i in level), default=0)
        return level

    def _leaves(self, a: Tensor, b: Tensor) -> bool:
        """Whether the way from a node to what reads it leaves a program."""
        return a in self.frame and not self.joined(a, b)

    def _sink(self) -> None:
        """Move down what nothing needs before a program that reads it."""
        for t in reversed(self.operations):
            readers = [u for u in self.plan.readers.get(t, []) if u is not None]
            if any(self.joined(t, u) for u in readers):
                self.level[t] = min(self.level[u] - self._leaves(t, u) for u in readers)

    def groups(self) -> list[list[Tensor]]:
        """The operations in the order in which they can run; those of one program together, inputs first.

        Of one level come first the nodes outside of programs, none of which needs a program of its level.
        """
        leader = self._leaders()
        waiting: dict[tuple[int, bool, int], list[Tensor]] = {}
        first: dict[Tensor, int] = {}
        for place, t in enumerate(self.operations):
            at = first.setdefault(leader.get(t, t), place)
            waiting.setdefault((self.level[t], t in self.frame, at), []).append(t)
        return [group for key in sorted(waiting) for piece in _pieces(waiting[key]) for group in self._worth(piece)]

    def _leaders(self) -> dict[Tensor, Tensor]:
        """For each node of a program the one that stands for all of it."""
        leader = {t: t for t in self.frame}

        def find(t: Tensor) -> Tensor:
            while leader[t] is not t:
                leader[t] = leader[leader[t]]
                t = leader[t]
            return t

        for t in leader:
            for i in t.inputs:
                if i in leader and self.level[i] == self.level[t] and self.joined(i, t):
                    leader[find(t)] = find(i)
        return {t: find(t) for t in leader}

    def _worth(self, members: list[Tensor]) -> list[list[Tensor]]:
        """One program, if without it there would be more kernels than one; else the nodes by themselves."""
        inside = set(members)
        kernels = sum(t in self.reductions for t in members)
        after = any(self.plan.loops(t) and self.plan.owner.get(t) not in inside for t in members)
        return [members] if kernels and kernels + after > 1 else [[t] for t in members]


def _reduced(t: Tensor) -> Frame | None:
    """The frame of a reduction along the last axis alone; None for other nodes."""
    op: Any = t.op
    if op is None or op.family != "reduction" or not _has_kernels(t):
        return None
    shape: Shape = t.inputs[0].spec.shape
    if op.name == "unbroadcast":
        along = t.spec.shape == (*shape[:-1], 1) and t.inputs[0].spec.dtype == t.spec.dtype
    else:
        along = op.emit.removeprefix("reduce:") in REDUCTIONS and t.params["axis"] == (len(shape) - 1,)
    length = shape[-1] if along and len(shape) > 1 else 0
    return Frame(shape[:-1], length) if isinstance(length, int) and FEWEST <= length <= MOST else None


def _is_view(t: Tensor) -> bool:
    """Whether a node only writes the shape of its first operand in another way."""
    return t.op is not None and t.op.name in VIEWS and (len(t.inputs) == 1 or t.op.name == "reshape_like")


def _has_kernels(t: Tensor) -> bool:
    """Whether programs of rows know the dtypes of a node: float16 is computed in another one."""
    wide = all(s.dtype.itemsize != 2 or s.dtype.kind != "f" for s in (t.spec, *(i.spec for i in t.inputs)))
    return wide and not has_complex(t)


def _pieces(members: list[Tensor]) -> list[list[Tensor]]:
    """A group too large for one program, in several."""
    pieces: list[dict[Tensor, None]] = [{}]
    sources: dict[Tensor, None] = {}
    for t in members:
        new = dict.fromkeys(i for i in t.inputs if i not in pieces[-1])
        if pieces[-1] and (len({**sources, **new}) > MOST_INPUTS or len(pieces[-1]) == MOST_MEMBERS):
            pieces.append({})
            sources, new = {}, dict.fromkeys(t.inputs)
        pieces[-1][t] = None
        sources.update(new)
    return [list(piece) for piece in pieces]


def _program(members: list[Tensor], frames: _Frames, new: dict[Tensor, Tensor]) -> dict[Tensor, Tensor]:
    """What stands for the results of a group."""
    inside = set(members)
    results = [t for t in members if any(u not in inside for u in frames.plan.readers.get(t, ()))]
    sources = list(dict.fromkeys(i for t in members for i in t.inputs if i not in inside))
    symbols = [symbol(i.spec, name=i.name) for i in sources]
    inner = dict(zip(sources, symbols))
    for t in members:
        inner[t] = make(t.op, tuple(inner[i] for i in t.inputs), t.params, t)  # type: ignore[arg-type]
    label = "+".join(t.op.name for t in members)  # type: ignore[union-attr]
    params = {"graph": Graph(symbols, [inner[t] for t in results], label)}
    outer = tuple(new.get(i, i) for i in sources)
    if len(results) == 1:
        return {results[0]: make(ROWS, outer, params, results[0])}
    specs: Any = tuple(t.spec for t in results)
    many = make(ROWS_MANY, outer, params, results[-1], spec=specs)
    return {t: make(PICK, (many,), {"index": k}, t) for k, t in enumerate(results)}
