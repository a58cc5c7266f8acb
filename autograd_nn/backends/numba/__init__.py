"""The compiled backend: kernels of our own, as machine code for this processor, and a table of instructions.

From a Graph to the machine, floor by floor: `lowering` turns nodes into steps, a kernel with views and a geometry each;
`machine` takes kernels, which are written in a part of Python that Numba compiles too, to machine code, keeps it on
disk, and walks tables of it with a team of threads; `functions` holds what kernels call on numbers, `tiles` what they
call on registers. Here, a `Program` binds a graph for sizes of its inputs and writes the table.
"""

from collections.abc import Sequence

from ...engine.graph import Graph
from .program import Program


def compile(graph: Graph, replaced: Sequence[tuple[int, int]] = ()) -> Program:
    """The program of `graph`: arrays of its inputs to arrays of its outputs.

    replaced: (number of an input, number of the output that takes its place)
    """
    return Program(graph.verify(), tuple(replaced))
