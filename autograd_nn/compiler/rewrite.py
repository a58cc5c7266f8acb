"""Rebuilding a graph node by node: what every pass does."""

from collections.abc import Callable
from typing import Any

from ..engine.graph import Graph
from ..engine.op import Op
from ..engine.tensor import Tensor, leaf, symbol

Rule = Callable[[Tensor, tuple[Tensor, ...]], Tensor | None]


def rebuild(graph: Graph, rule: Rule) -> Graph:
    """The graph with each operation replaced by what `rule(node, new inputs)` gives; kept where it gives None."""
    new: dict[Tensor, Tensor] = {}
    for t in graph.operations:
        inputs = tuple(new.get(i, i) for i in t.inputs)
        found = rule(t, inputs)
        new[t] = again(t, inputs) if found is None else found
    return Graph(graph.inputs, [new.get(t, t) for t in graph.outputs], graph.name)


def again(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor:
    """The same operation on these inputs; the node itself where they are its own."""
    if all(a is b for a, b in zip(inputs, t.inputs)):
        return t
    return make(t.op, inputs, t.params, t)  # type: ignore[arg-type]


def make(op: Op, inputs: tuple[Tensor, ...], params: dict[str, Any], like: Tensor, spec: Any = None) -> Tensor:
    """A node that stands where `like` stood: same spec, line and scope."""
    known: Any = like._spec if spec is None else spec
    t = symbol(known)
    t.op, t.inputs, t.params = op, inputs, params
    t.site, t.scope, t.name = like.site, like.scope, like.name
    return t


def constant(value: Any) -> Tensor:
    """A leaf with this value."""
    return leaf(value)
