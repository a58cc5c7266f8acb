"""Passes inside of ops whose params hold graphs: called functions, bodies of loops, branches."""

from collections.abc import Callable
from typing import Any

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .rewrite import make, rebuild

Pass = Callable[[Graph], Graph]
_WITH_GRAPHS = ("control", "loop", "branch")


def holds_graphs(t: Tensor) -> bool:
    """Whether a node calls graphs; what is one kernel is no call."""
    op = t.op
    return op is not None and op.family in _WITH_GRAPHS and op.name not in ("fused", "rows")


def everywhere(name: str, rule: Pass) -> Pass:
    """The pass `rule` on the graphs that a graph calls, and then on itself; verified. Each graph is done once."""

    def done(graph: Graph) -> Graph:
        found: Graph | None = graph.derived.get(name)
        if found is None:
            found = graph.derived[name] = rule(rebuild(graph, inside)).verify()
        return found

    def inside(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
        if not holds_graphs(t):
            return None
        params = {key: _each(value, done) for key, value in t.params.items()}
        return make(t.op, inputs, params, t)  # type: ignore[arg-type]

    return done


def _each(value: Any, done: Pass) -> Any:
    if isinstance(value, tuple):
        return tuple(_each(part, done) for part in value)
    return done(value) if isinstance(value, Graph) else value
