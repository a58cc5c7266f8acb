"""Graph to Graph, pure: decompose, simplify, common subexpressions, fusion. Every pass returns a verified graph, and
also goes through the graphs that ops call: bodies of loops, branches, checkpointed functions."""

from collections.abc import Callable

from ..engine.graph import Graph
from .broadcasts import put_off_broadcasts
from .cse import share
from .decompose import decompose
from .fuse import fuse
from .hoist import hoist
from .nested import everywhere
from .reuse import reuse
from .rows import rows
from .shapes import borrow_shapes
from .show import show
from .simplify import simplify

__all__ = ["PASSES", "optimize", "show"]

Pass = Callable[[Graph], Graph]
PASSES: dict[str, Pass] = {
    "decompose": decompose,
    "shapes": borrow_shapes,
    "simplify": simplify,
    "broadcasts": put_off_broadcasts,
    "cse": share,
    "reuse": reuse,
    "hoist": hoist,
    "rows": rows,
    "fuse": fuse,
}


def optimize(graph: Graph, passes: tuple[str, ...] = tuple(PASSES)) -> Graph:
    """The graph after the named passes, in order, verified after each.

    >>> import autograd_nn as ag
    >>> f = ag.jit(lambda x: ag.ops.tanh(x + 0.5) * 1)
    >>> _ = f(ag.tensor([0.0]))
    >>> print(show(optimize(f.graph, ("simplify",))))
    function(%0 float32[1])
        %1 = add(%0, float32(0.5))  float32[1]
        %2 = tanh(%1)  float32[1]
        return %2
    """
    for name in passes:
        graph = everywhere(name, PASSES[name])(graph)
    return graph
