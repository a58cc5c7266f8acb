"""The truth: every node evaluated by its op's NumPy forward, one after another."""

from collections.abc import Callable
from typing import Any

from ..engine.graph import Graph
from ..engine.spec import errstate


def compile(graph: Graph) -> Callable[..., tuple[Any, ...]]:
    """A callable from the arrays of the graph's inputs to those of its outputs."""
    graph.verify()

    def run(*values: Any) -> tuple[Any, ...]:
        with errstate(all="ignore"):
            return graph.evaluate(*values)

    return run
