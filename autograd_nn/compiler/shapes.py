"""Operands of which only the shape matters: replaced by the first tensor that has it, so that nothing is computed or
kept for its shape alone."""

from typing import Any

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .rewrite import make, rebuild

# Which operand of an op only lends its shape (and dtype, for `unbroadcast`).
LIKE = {
    "broadcast_like": 1, "reshape_like": 1, "unbroadcast": 1, "zeros_like": 0, "ones_like": 0, "size_of": 0,
    "scatter_like": 1, "diagonal_like": 1,
}  # fmt: skip


def borrow_shapes(graph: Graph) -> Graph:
    """The graph in which shapes are taken from inputs where possible, else from the earliest tensor."""
    first: dict[Any, Tensor] = {}
    for t in graph.inputs:
        first.setdefault(_key(t), t)

    def rule(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
        place = LIKE.get(t.op.name)  # type: ignore[union-attr]
        if place is None or place >= len(inputs):
            return None
        like = inputs[place]
        found = first.setdefault(_key(like), like)
        if found is like:
            return None
        return make(t.op, (*inputs[:place], found, *inputs[place + 1 :]), t.params, t)  # type: ignore[arg-type]

    return rebuild(graph, rule)


def _key(t: Tensor) -> Any:
    """Shape and dtype; unknown sizes that name themselves are the same where they are one object."""
    spec = t.spec
    if not hasattr(spec, "shape"):
        return t
    return (tuple(size if isinstance(size, int) else id(size) for size in spec.shape), spec.dtype)
