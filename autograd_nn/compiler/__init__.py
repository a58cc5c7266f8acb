"""Graph to Graph, pure: decompose, simplify, common subexpressions, fusion. Every pass returns a verified graph."""

from collections.abc import Callable

from ..engine.graph import Graph
from .cse import share
from .decompose import decompose
from .fuse import fuse
from .shapes import borrow_shapes
from .simplify import simplify

Pass = Callable[[Graph], Graph]
PASSES: dict[str, Pass] = {
    "decompose": decompose,
    "simplify": simplify,
    "cse": share,
    "shapes": borrow_shapes,
    "fuse": fuse,
}


def optimize(graph: Graph, passes: tuple[str, ...] = tuple(PASSES)) -> Graph:
    """The graph after the named passes, in order, verified after each."""
    for name in passes:
        graph = PASSES[name](graph).verify()
    return graph
