"""A graph that goes through rows, in the order in which a kernel computes it: loops over a row, and numbers between.

Loop number k reads numbers of sections before k; a reduction of what loop k computes, and all that is made of it, is in
section k. Section 0 is made of what comes from outside.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ....engine.graph import Graph
from ....engine.tensor import Tensor
from ....ops.control import VIEWS, operands
from .expression import computable, statement
from .reduce import Rule, rule

# How an operand is read: as an element of the row, or as one number per row of a node with or without the last axis.
WHOLE, COLUMN, LEAD = "whole", "column", "lead"


class Read(NamedTuple):
    """An input of the program, by its number, and how it is read: `way`."""

    place: int
    way: str
    dtype: np.dtype[Any]


class Node(NamedTuple):
    """An elementwise node: its variable, its expression, and the variables of its operands."""

    name: str
    text: str
    operands: tuple[str, ...]
    dtype: np.dtype[Any]


class Reduction(NamedTuple):
    """A reduction of the variable `operand` along the row; `join` is the name of its rule."""

    name: str
    operand: str
    join: str
    rule: Rule


class RowProgram(NamedTuple):
    """What a kernel computes. Variables a0, a1, ... are `reads`, others nodes; `whole` are those with an element each.

    loops:    the elementwise nodes of loops 1, 2, ...
    sections: the reductions, then the elementwise nodes of one number per row, of sections 0, 1, ...
    results:  the variables that are written, and the way in which each is
    """

    reads: tuple[Read, ...]
    loops: tuple[tuple[Node, ...], ...]
    sections: tuple[tuple[tuple[Reduction, ...], tuple[Node, ...]], ...]
    results: tuple[tuple[str, str], ...]
    whole: frozenset[str]
    dtypes: dict[str, np.dtype[Any]]
    names: dict[str, Any]
    length: int
    note: str

    @property
    def lines(self) -> list[str]:
        """The expressions of all elementwise nodes."""
        parts = [*self.loops, *(numbers for _, numbers in self.sections)]
        return [node.text for part in parts for node in part]


def row_program(graph: Graph) -> RowProgram | None:
    """The program of a graph, None without expressions for all of it; made once per graph."""
    if "rows" not in graph.derived:
        known = all(t.op.family == "reduction" or t.op.name in VIEWS or computable(t) for t in graph.operations)  # type: ignore[union-attr]
        graph.derived["rows"] = _Planner(graph).program() if known else None
    found: RowProgram | None = graph.derived["rows"]
    return found


class _Planner:
    """Names the variables of a graph and finds when each is computed."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.operations = graph.operations
        self.row: Any = next(t for t in self.operations if _is_reduction(t)).inputs[0].spec.shape
        self.place = {t: k for k, t in enumerate(graph.inputs)}
        self.variable = {t: f"v{k}" for k, t in enumerate(self.operations)}
        self.reads: dict[tuple[int, str], Read] = {}
        self.names: dict[str, Any] = {}
        self.time = self._times()

    def program(self) -> RowProgram:
        """The whole of it."""
        loops: list[list[Node]] = [[] for _ in range(max(self.time.values()))]
        sections: list[tuple[list[Reduction], list[Node]]] = [([], []) for _ in range(1 + len(loops))]
        for t in self.operations:
            given = tuple(self._operand(i, t) for i in operands(t))
            name = self.variable[t]
            if _is_reduction(t):
                sections[self.time[t]][0].append(Reduction(name, given[0], *_rule(t)))
                continue
            node = Node(name, self._text(t, given), given, t.spec.dtype)
            (loops[self.time[t] - 1] if self._is_whole(t) else sections[self.time[t]][1]).append(node)
        reads = tuple(self.reads.values())
        dtypes = {self.variable[t]: t.spec.dtype for t in self.operations}
        whole = [self.variable[t] for t in self.operations if self._is_whole(t)]
        return RowProgram(
            reads,
            tuple(map(tuple, loops)),
            tuple((tuple(sums), tuple(numbers)) for sums, numbers in sections),
            tuple((self.variable[t], self._way(t)) for t in self.graph.outputs),
            frozenset([*whole, *(f"a{k}" for k, read in enumerate(reads) if read.way == WHOLE)]),
            {**dtypes, **{f"a{k}": read.dtype for k, read in enumerate(reads)}},
            self.names,
            self.row[-1],
            "\n".join(t.op.name for t in self.operations),  # type: ignore[union-attr]
        )

    def _text(self, t: Tensor, given: Sequence[str]) -> str:
        if t.op.name in VIEWS:  # type: ignore[union-attr]
            return given[0]
        return statement(t, [*given, *[""] * (len(t.inputs) - len(given))], self.names)

    def _operand(self, i: Tensor, user: Tensor) -> str:
        """The variable of an operand."""
        if i in self.variable:
            return self.variable[i]
        way = WHOLE if _is_reduction(user) else self._way(user)
        key = self.place[i], way
        self.reads.setdefault(key, Read(*key, i.spec.dtype))
        return f"a{list(self.reads).index(key)}"

    def _way(self, t: Tensor) -> str:
        if t.spec.shape == self.row:
            return WHOLE
        return COLUMN if t.ndim == len(self.row) else LEAD

    def _is_whole(self, t: Tensor) -> bool:
        return t.spec.shape == self.row

    def _times(self) -> dict[Tensor, int]:
        """The number of the loop or section of each node. What only later loops read is computed there."""
        time: dict[Tensor, int] = {}
        readers: dict[Tensor, list[Tensor]] = {}
        for t in self.operations:
            given = [i for i in operands(t) if i in self.variable]
            for i in given:
                readers.setdefault(i, []).append(t)
            later = self._is_whole(t)
            first = 1 if later or _is_reduction(t) else 0
            time[t] = max((time[i] + (later and not self._is_whole(i)) for i in given), default=0)
            time[t] = max(time[t], first)
        kept = set(self.graph.outputs)
        for t in reversed(self.operations):
            if self._is_whole(t) and t in readers and t not in kept:
                time[t] = min(time[u] for u in readers[t])
        return time


def _is_reduction(t: Tensor) -> bool:
    return t.op is not None and t.op.family == "reduction"


def _rule(t: Tensor) -> tuple[str, Rule]:
    emit: str = t.op.emit  # type: ignore[union-attr]
    name = "add" if emit == "unbroadcast" else emit.removeprefix("reduce:")
    return name, rule(name, t.spec.dtype)
