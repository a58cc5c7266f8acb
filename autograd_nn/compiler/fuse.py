"""Fusion: elementwise neighbours of one shape become one node whose params hold their graph."""

from collections.abc import Iterator
from typing import Any

from ..engine.graph import Graph
from ..engine.tensor import PICK, Tensor, symbol
from ..ops.control import FUSED, FUSED_MANY
from .rewrite import again, make

ELEMENTWISE = ("unary", "binary", "ternary", "cast")
_MOST_INPUTS = 24
_MOST_MEMBERS = 64


def fuse(graph: Graph) -> Graph:
    """The graph with each group of connected elementwise nodes of one shape as one `fused` node.

    Every node has a level: that of its elementwise inputs of the same shape, one more than that of others. A path from
    a node to another that leaves the shape or the elementwise ops ends on a higher level, so what is fused on one level
    cannot make a cycle. A node that only later ones read sinks to the first of them, and so joins their loop.
    """
    operations = graph.operations
    level = _sunk(graph, _levels(operations))
    groups = _groups(operations, level)
    outside = _needed_outside(graph, groups)
    new: dict[Tensor, Tensor] = {}
    for members in _in_order(operations, level, groups):
        if len(members) > 1:
            new.update(_fused(members, outside, new))
        else:
            t = members[0]
            new[t] = again(t, tuple(new.get(i, i) for i in t.inputs))
    return Graph(graph.inputs, [new.get(t, t) for t in graph.outputs], graph.name)


def fusible(t: Tensor) -> bool:
    """Whether a node is one scalar expression per element; a broadcast to a known shape is the expression `x`."""
    op = t.op
    if op is None:
        return False
    return op.family in ELEMENTWISE or (
        op.family == "broadcast" and (len(t.inputs) == 1 or op.name == "broadcast_like")
    )


def _joins(a: Tensor, b: Tensor) -> bool:
    """Whether two neighbours can be in one loop."""
    return fusible(a) and fusible(b) and a.spec.shape == b.spec.shape


def _levels(operations: tuple[Tensor, ...]) -> dict[Tensor, int]:
    level: dict[Tensor, int] = {}
    for t in operations:
        level[t] = max((level[i] + (not _joins(i, t)) for i in t.inputs if i in level), default=0)
    return level


def _sunk(graph: Graph, level: dict[Tensor, int]) -> dict[Tensor, int]:
    """Levels after moving down each elementwise node that nothing needs before a neighbour of its shape does."""
    users: dict[Tensor, list[Tensor]] = {}
    for t in graph.operations:
        for i in t.inputs:
            users.setdefault(i, []).append(t)
    for t in reversed(graph.operations):
        readers = users.get(t, [])
        if fusible(t) and any(_joins(t, u) for u in readers):
            level[t] = min(level[u] - (not _joins(t, u)) for u in readers)
    return level


def _groups(operations: tuple[Tensor, ...], level: dict[Tensor, int]) -> dict[Tensor, Tensor]:
    """For each elementwise node the one that stands for its group: connected nodes of one shape and level."""
    leader: dict[Tensor, Tensor] = {t: t for t in operations if fusible(t)}

    def find(t: Tensor) -> Tensor:
        while leader[t] is not t:
            leader[t] = leader[leader[t]]
            t = leader[t]
        return t

    for t in leader:
        for i in t.inputs:
            if i in leader and level[i] == level[t] and _joins(i, t):
                leader[find(t)] = find(i)
    return {t: find(t) for t in leader}


def _in_order(
    operations: tuple[Tensor, ...], level: dict[Tensor, int], groups: dict[Tensor, Tensor]
) -> Iterator[list[Tensor]]:
    """What becomes one node each, inputs first; a group too large for one loop in pieces."""
    waiting: dict[tuple[int, int], list[Tensor]] = {}
    first: dict[Tensor, int] = {}
    for place, t in enumerate(operations):
        at = first.setdefault(groups.get(t, t), place)
        waiting.setdefault((level[t], at), []).append(t)
    for key in sorted(waiting):
        yield from _pieces(waiting[key])


def _pieces(members: list[Tensor]) -> Iterator[list[Tensor]]:
    if all(t.op.family == "broadcast" for t in members):  # type: ignore[union-attr]
        yield from ([t] for t in members)
        return
    piece: dict[Tensor, None] = {}
    sources: dict[Tensor, None] = {}
    for t in members:
        new = dict.fromkeys(i for i in t.inputs if i not in piece)
        if piece and (len({**sources, **new}) > _MOST_INPUTS or len(piece) == _MOST_MEMBERS):
            yield list(piece)
            piece, sources = {}, {}
            new = dict.fromkeys(t.inputs)
        piece[t] = None
        sources.update(new)
    yield list(piece)


def _needed_outside(graph: Graph, groups: dict[Tensor, Tensor]) -> dict[Tensor, list[Tensor | None]]:
    """For each member the nodes that read it; None stands for the outputs."""
    readers: dict[Tensor, list[Tensor | None]] = {t: [None] for t in graph.outputs if t in groups}
    for t in graph.operations:
        for i in t.inputs:
            if i in groups:
                readers.setdefault(i, []).append(t)
    return readers


def _fused(
    members: list[Tensor], readers: dict[Tensor, list[Tensor | None]], new: dict[Tensor, Tensor]
) -> dict[Tensor, Tensor]:
    """What stands for the members of a group that are read outside."""
    inside = dict.fromkeys(members)
    sources = list(dict.fromkeys(i for t in members for i in t.inputs if i not in inside))
    symbols = [symbol(i.spec, name=i.name) for i in sources]
    inner = dict(zip(sources, symbols))
    for t in members:
        inner[t] = make(t.op, tuple(inner[i] for i in t.inputs), t.params, t)  # type: ignore[arg-type]
    results = [t for t in members if any(u not in inside for u in readers.get(t, ()))]
    label = "+".join(t.op.name for t in members)  # type: ignore[union-attr]
    params = {"graph": Graph(symbols, [inner[t] for t in results], label)}
    outer = tuple(new.get(i, i) for i in sources)
    if len(results) == 1:
        return {results[0]: make(FUSED, outer, params, results[0])}
    specs: Any = tuple(t.spec for t in results)
    many = make(FUSED_MANY, outer, params, results[-1], spec=specs)
    return {t: make(PICK, (many,), {"index": k}, t) for k, t in enumerate(results)}
