"""Which nodes share a loop.

Every node has a level: that of its elementwise inputs of the same loop, one more than that of others. A path from a
node to another that leaves the loop ends on a higher level, so what is joined on one level cannot make a cycle. A node
that only later ones read sinks to the first of them, and so joins their loop.

What only a reduction reads is the reduction's: its loop is computed while the reduction runs, and never stored.
"""

import math

from ..engine.graph import Graph
from ..engine.tensor import Tensor

ELEMENTWISE = ("unary", "binary", "ternary", "cast")
MOST_INPUTS = 24
MOST_MEMBERS = 64
# Up to how many elements a loop costs less than to begin it: such loops are joined even if nothing connects them.
_SMALL = 64

Readers = dict[Tensor, list[Tensor | None]]


def has_complex(t: Tensor) -> bool:
    """Whether a node reads or gives complex numbers, which no kernel knows."""
    op = t.op
    assert op is not None
    return op.complex and any(x.dtype.kind == "c" for x in (*t.inputs, *(() if op.many else (t,))))


def fusible(t: Tensor) -> bool:
    """Whether a node is one scalar expression per element; a broadcast to a known shape is the expression `x`."""
    op = t.op
    if op is None or op.family not in (*ELEMENTWISE, "broadcast") or has_complex(t):
        return False
    return op.family != "broadcast" or len(t.inputs) == 1 or op.name == "broadcast_like"


class Plan:
    """The loops of a graph. `owner` names the reduction that alone needs a node, for each node that has one."""

    def __init__(self, graph: Graph) -> None:
        self.operations = graph.operations
        self.readers = _readers(graph)
        self.fixed = _known_with_sizes(self.operations)
        self.owner = self._owners()
        self.level = self._levels()
        self._sink()

    def loops(self, t: Tensor) -> bool:
        """Whether a node is computed by a loop when the program runs."""
        return fusible(t) and t not in self.fixed

    def joined(self, a: Tensor, b: Tensor) -> bool:
        """Whether two neighbours can be in one loop."""
        return (
            self.loops(a) and self.loops(b) and a.spec.shape == b.spec.shape and self.owner.get(a) is self.owner.get(b)
        )

    def _owners(self) -> dict[Tensor, Tensor]:
        owner: dict[Tensor, Tensor] = {}
        for t in reversed(self.operations):
            readers = self.readers.get(t, [])
            if not self.loops(t) or not readers:
                continue
            first = readers[0]
            if first is not None and first.op.family == "reduction" and len(readers) == 1:  # type: ignore[union-attr]
                if first.inputs[0] is t:
                    owner[t] = first
            elif all(u is not None and u in owner and u.spec.shape == t.spec.shape for u in readers):
                found = {owner[u] for u in readers if u is not None}
                if len(found) == 1:
                    owner[t] = found.pop()
        return owner

    def _levels(self) -> dict[Tensor, int]:
        level: dict[Tensor, int] = {}
        for t in self.operations:
            level[t] = max((level[i] + (not self.joined(i, t)) for i in t.inputs if i in level), default=0)
        return level

    def _sink(self) -> None:
        """Move down each node of a loop that nothing needs before a neighbour does; small last ones to the last."""
        level, last = self.level, self._last_of_small()
        for t in reversed(self.operations):
            readers = self.readers.get(t, [])
            if not self.loops(t):
                continue
            if all(u is None for u in readers):
                level[t] = last.get(t.spec.shape, level[t])
            elif any(u is not None and self.joined(t, u) for u in readers):
                level[t] = min(level[u] - (not self.joined(t, u)) for u in readers if u is not None)

    def _last_of_small(self) -> dict[object, int]:
        last: dict[object, int] = {}
        for t in self.operations:
            if self.loops(t) and _small(t):
                last[t.spec.shape] = max(last.get(t.spec.shape, 0), self.level[t])
        return last

    def groups(self) -> list[list[Tensor]]:
        """The operations in the order in which they can run, those of one loop together, each with its inputs first."""
        leader = self._leaders()
        waiting: dict[tuple[int, int], list[Tensor]] = {}
        first: dict[Tensor, int] = {}
        for place, t in enumerate(self.operations):
            at = first.setdefault(leader.get(t, t), place)
            waiting.setdefault((self.level[t], at), []).append(t)
        return [piece for key in sorted(waiting) for piece in _pieces(waiting[key])]

    def _leaders(self) -> dict[Tensor, Tensor]:
        """For each node of a loop the one that stands for its group."""
        leader: dict[Tensor, Tensor] = {t: t for t in self.operations if self.loops(t)}

        def find(t: Tensor) -> Tensor:
            while leader[t] is not t:
                leader[t] = leader[leader[t]]
                t = leader[t]
            return t

        small: dict[object, Tensor] = {}
        for t in leader:
            near = [i for i in t.inputs if i in leader and self.level[i] == self.level[t] and self.joined(i, t)]
            if _small(t) and t not in self.owner:
                near.append(small.setdefault((self.level[t], t.spec.shape), t))
            for i in near:
                leader[find(t)] = find(i)
        return {t: find(t) for t in leader}


def _readers(graph: Graph) -> Readers:
    """The nodes that read each node; None stands for the outputs."""
    readers: Readers = {t: [None] for t in graph.outputs}
    for t in graph.operations:
        for i in dict.fromkeys(t.inputs):
            readers.setdefault(i, []).append(t)
    return readers


def _known_with_sizes(operations: tuple[Tensor, ...]) -> set[Tensor]:
    """Nodes made of constants and sizes alone: their values are found before the program runs."""
    known: set[Tensor] = set()
    for t in operations:
        op = t.op
        if op is None or not t.inputs:
            continue
        from_known = all(i in known or (i.op is None and i.value is not None) for i in t.inputs)
        if op.family == "size" or (from_known and op.family in ELEMENTWISE and _small(t)):
            known.add(t)
    return known


def _small(t: Tensor) -> bool:
    sizes = [size for size in t.spec.shape if isinstance(size, int)]
    return len(sizes) == t.ndim and math.prod(sizes) <= _SMALL


def _pieces(members: list[Tensor]) -> list[list[Tensor]]:
    """A group too large for one loop, in several; broadcasts alone are no loop."""
    if all(t.op.family == "broadcast" for t in members):  # type: ignore[union-attr]
        return [[t] for t in members]
    pieces: list[dict[Tensor, None]] = [{}]
    sources: dict[Tensor, None] = {}
    for t in members:
        piece = pieces[-1]
        new = dict.fromkeys(i for i in t.inputs if i not in piece)
        if piece and (len({**sources, **new}) > MOST_INPUTS or len(piece) == MOST_MEMBERS):
            pieces.append({})
            sources, new = {}, dict.fromkeys(t.inputs)
        pieces[-1][t] = None
        sources.update(new)
    return [list(piece) for piece in pieces]
