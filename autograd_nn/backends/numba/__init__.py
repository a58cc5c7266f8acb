"""The compiled backend: fused loops, register tiles and a table of instructions, made by Numba for this processor."""

from ...engine.graph import Graph
from .program import Program


def compile(graph: Graph) -> Program:
    """The program of `graph`: arrays of its inputs to arrays of its outputs."""
    return Program(graph.verify())
