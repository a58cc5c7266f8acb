"""Fusion: elementwise neighbours of one shape become one node whose params hold their graph.

Three steps. `grouping.py` says which nodes share a loop. Then the groups are gone through from the last to the first:
a group takes in cheap nodes that it would otherwise read from memory, and nothing is kept that no later one needs.
Last, each group becomes a `fused` node.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..engine.graph import Graph
from ..engine.spec import Shape, Size
from ..engine.tensor import PICK, Tensor, symbol
from ..ops.control import FUSED, FUSED_MANY
from .grouping import MOST_INPUTS, MOST_MEMBERS, Plan
from .rewrite import again, make

# What costs no more than reading its result from memory.
_CHEAP = frozenset((
    "abs", "add", "bitwise_and", "bitwise_or", "bitwise_xor", "broadcast_like", "broadcast_to", "cast", "equal", "full",
    "greater", "greater_equal", "isfinite", "isnan", "less", "less_equal", "logical_and", "logical_not", "logical_or",
    "logical_xor", "maximum", "minimum", "multiply", "multiply_no_nan", "negative", "not_equal", "relu", "relu6",
    "sign", "square", "subtract", "tanh_slope", "where",
))  # fmt: skip
# What costs little where it is done once per row.
_CHEAP_PER_ROW = _CHEAP | {"divide", "reciprocal", "sqrt"}


@dataclass(slots=True)
class _Group:
    """Nodes of one loop, inputs first; what they read from outside, and which of them others read."""

    members: list[Tensor]
    sources: list[Tensor]
    results: list[Tensor]


def fuse(graph: Graph) -> Graph:
    """The graph with each group of elementwise nodes of one shape as one `fused` node."""
    made: list[_Group] = []
    plan = Plan(graph)
    stored = _always_stored(graph, plan)
    needed = dict.fromkeys(graph.outputs)
    for members in reversed(plan.groups()):
        results = [t for t in members if t in needed]
        if not results:
            continue
        kept = _closure(members, results)
        if plan.loops(kept[-1]):
            kept = _with_cheap(kept, stored, plan)
        group = _Group(kept, _sources(kept), results)
        needed.update(dict.fromkeys(group.sources))
        made.append(group)
    new: dict[Tensor, Tensor] = {}
    for group in reversed(made):
        new.update(_fused(group, new) if len(group.members) > 1 else _single(group.members[0], new))
    return Graph(graph.inputs, [new.get(t, t) for t in graph.outputs], graph.name)


def _always_stored(graph: Graph, plan: Plan) -> set[Tensor]:
    """What is in memory in any case: what no loop computes, and what a node other than a loop reads."""
    stored: set[Tensor] = set(graph.inputs) | set(graph.constants) | set(graph.outputs)
    for t in graph.operations:
        if not plan.loops(t):
            stored.add(t)
            stored.update(i for i in t.inputs if plan.owner.get(i) is not t)
    return stored


def _closure(members: list[Tensor], results: Iterable[Tensor]) -> list[Tensor]:
    """The members that these results are made from."""
    wanted = set(results)
    for t in reversed(members):
        if t in wanted:
            wanted.update(t.inputs)
    return [t for t in members if t in wanted]


def _sources(members: list[Tensor]) -> list[Tensor]:
    inside = set(members)
    return list(dict.fromkeys(i for t in members for i in t.inputs if i not in inside))


# --- computing again instead of reading


def _with_cheap(members: list[Tensor], stored: set[Tensor], plan: Plan) -> list[Tensor]:
    """The members and copies of cheap nodes before them, which take the place of operands.

    Taking in a node must not make the loop read more: of the operands it brings along at most one may be as large as
    the loop and new to it, and none if the node is in memory in any case.
    """
    shape = members[-1].spec.shape
    found = dict.fromkeys(members)
    sources = dict.fromkeys(_sources(members))
    waiting = list(sources)
    taken: list[Tensor] = []
    while waiting and len(found) < MOST_MEMBERS:
        t = waiting.pop()
        if t in found or not _is_cheap(t, shape, plan):
            continue
        new = [i for i in t.inputs if i not in sources and i not in found]
        large = [i for i in new if i.spec.shape == shape]
        if len(sources) - 1 + len(new) > MOST_INPUTS or not _pays(t, large, shape, stored, plan):
            continue
        del sources[t]
        sources.update(dict.fromkeys(new))
        waiting.extend(new)
        found[t] = None
        taken.append(t)
    return [*_sorted(taken), *members]


def _pays(t: Tensor, large: list[Tensor], shape: Shape, stored: set[Tensor], plan: Plan) -> bool:
    if not large:
        return True
    if len(large) > 1 or t in stored or t.spec.shape != shape or _drawn(large[0]):
        return False
    return large[0] in stored or _is_cheap(large[0], shape, plan)


def _drawn(t: Tensor) -> bool:
    """Whether a node is random bits: the loop that draws them keeps a truth value per element, not the bits."""
    return t.op is not None and t.op.family == "random"


def _is_cheap(t: Tensor, shape: Shape, plan: Plan) -> bool:
    """Whether a node may be computed again in a loop over that shape."""
    if not plan.loops(t) or len(t.spec.shape) > len(shape):
        return False
    if t.spec.shape == shape:
        return t.op.name in _CHEAP  # type: ignore[union-attr]
    if not all(map(_fits, t.spec.shape[::-1], shape[::-1])):
        return False
    per_row = not t.spec.shape or t.spec.shape[-1] == 1
    return t.op.name in (_CHEAP_PER_ROW if per_row else _CHEAP)  # type: ignore[union-attr]


def _fits(size: Size, whole: Size) -> bool:
    return size == 1 or size is whole or size == whole


def _sorted(taken: list[Tensor]) -> list[Tensor]:
    """Inputs first. A node is taken after its users, but not always after the last of them."""
    rest = set(taken)
    found: dict[Tensor, None] = {}
    stack = list(taken)
    while stack:
        t = stack[-1]
        ahead = [i for i in t.inputs if i in rest and i not in found]
        if ahead:
            stack.extend(ahead)
            continue
        stack.pop()
        found[t] = None
    return list(found)


# --- nodes for groups


def _single(t: Tensor, new: dict[Tensor, Tensor]) -> dict[Tensor, Tensor]:
    return {t: again(t, tuple(new.get(i, i) for i in t.inputs))}


def _fused(group: _Group, new: dict[Tensor, Tensor]) -> dict[Tensor, Tensor]:
    """What stands for the results of a group."""
    symbols = [symbol(i.spec, name=i.name) for i in group.sources]
    inner = dict(zip(group.sources, symbols))
    for t in group.members:
        inner[t] = make(t.op, tuple(inner[i] for i in t.inputs), t.params, t)  # type: ignore[arg-type]
    results = group.results
    label = "+".join(t.op.name for t in group.members)  # type: ignore[union-attr]
    params = {"graph": Graph(symbols, [inner[t] for t in results], label)}
    outer = tuple(new.get(i, i) for i in group.sources)
    if len(results) == 1:
        return {results[0]: make(FUSED, outer, params, results[0])}
    specs: Any = tuple(t.spec for t in results)
    many = make(FUSED_MANY, outer, params, results[-1], spec=specs)
    return {t: make(PICK, (many,), {"index": k}, t) for k, t in enumerate(results)}
