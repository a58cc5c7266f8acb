"""A graph as a callable: bound once per size of its inputs, then run as a table of instructions."""

import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...engine.graph import Graph
from ...engine.tensor import Tensor, leaf
from .feed import Feed, Feeder
from .lowering.bind import LoopStep, PythonStep, Step, bind
from .lowering.lower import LOWERINGS
from .replace import Replaced
from .table import Table

# Tables of one program, for sizes that come again, and the memory that they may hold together.
_MOST_TABLES, _MOST_BYTES = 64, 2**28
_PLAIN = 0x100 | 0x1  # NumPy's flags of an array that is aligned and contiguous
_EMPTY = np.empty


class Program:
    """`program(*arrays)` gives the arrays of the graph's outputs; `newest` is the table made last.

    pairs: (number of an input, number of the output that replaces it), for `update`
    """

    def __init__(self, graph: Graph, pairs: Replaced = ()) -> None:
        self.graph = graph
        self.pairs = pairs
        self.newest: Table | None = None
        self._free: dict[Any, list[Table]] = {}
        self._held: dict[Any, int] = {}
        self._lock = threading.Lock()
        self._spare: dict[int, np.ndarray] = {}
        self._feeders: dict[Any, Feeder] = {}

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        arrays = [_prepared(v) for v in values]
        table, waiting = self._take(arrays, 0)
        try:
            return tuple(table.run(arrays, [_EMPTY(shape, dtype) for shape, dtype in table.made]))
        finally:
            waiting.append(table)

    def update(self, tensors: Sequence[Tensor]) -> list[Any]:
        """As a call with the values of these tensors, some of which are going to be replaced, as `pairs` says.

        An array that nobody else holds is written in place; where somebody does, its place is taken by the array that
        it had replaced one call before. So a step allocates nothing for them, and whoever held an old value keeps it.
        """
        arrays = [_prepared(t.value) for t in tensors]
        table, waiting = self._take(arrays, self._owned(arrays))
        try:
            found = table.run(arrays, self._made(table, arrays))
            for given, result in self.pairs:
                if found[result] is not arrays[given] and arrays[given].base is None:
                    self._spare[result] = arrays[given]
            return found
        finally:
            waiting.append(table)

    def repeat(self, tensors: Sequence[Tensor], feeds: Sequence[Feed], samples: int, steps: int) -> list[Any] | None:
        """As so many calls of `update` in one, the first inputs of which are the next `samples` of each feed.

        The outputs of the last step; None, and nothing done, where the program cannot keep its state in place.
        """
        key = (samples, *[(f.array.shape[1:], f.array.dtype) for f in feeds])
        feeder = self._feeders.get(key)
        if feeder is None:
            feeder = self._feeders[key] = Feeder(feeds, samples)
        arrays = [*feeder.batches, *[_prepared(t.value) for t in tensors]]
        table, waiting = self._take(arrays, self._owned(arrays))
        try:
            if len(table.replaced) < len(self.pairs) or not table.native:
                return None
            made = self._made(table, arrays)
            rows = table.placed(arrays, made)
            feeder.run(feeds, rows, steps, table.alarm)
            return table.found(made)
        finally:
            waiting.append(table)

    def explain(self, source: bool = False) -> str:
        """One line per step of the newest table: what was fused, what runs in Python and why."""
        table = self.newest
        if table is None:
            return "not run yet"
        kernels = table.kernels
        cached = sum(kernel.cached for kernel in kernels)
        seconds = sum(kernel.seconds for kernel in kernels)
        made = f"{len(kernels)} kernels ({cached} from the disk, {seconds:.2f} s to make)"
        lines = [f"{len(table.steps)} steps, {made}, {table.arena.nbytes} bytes of arena"]
        lines += [line for step in table.steps for line in _lines(step)]
        return "\n".join([*lines, *(kernel.source for kernel in kernels if source)])

    # --- tables

    def _take(self, arrays: Sequence[np.ndarray], owned: int) -> tuple[Table, list[Table]]:
        """A table that nobody runs, and where to put it back: each thread, and each call inside a call, has its own.

        owned: a bit for each pair, whether the array of its input may be written
        """
        shapes = [a.shape for a in arrays]
        key = (owned, *shapes)
        waiting = self._free.get(key)
        if waiting is not None:
            try:
                return waiting.pop(), waiting
            except IndexError:
                pass
        self.graph.check_values(arrays)
        steps, outputs = bind(self.graph, shapes, LOWERINGS, Program)
        table = Table(steps, outputs, len(arrays), tuple(p for k, p in enumerate(self.pairs) if owned >> k & 1))
        with self._lock:
            self._forget(key, table)
            self.newest = table
            return table, self._free.setdefault(key, [])

    def _forget(self, key: Any, table: Table) -> None:
        """Make room for a new table: the oldest go where there are too many, or where they hold too much memory."""
        self._held[key] = self._held.get(key, 0) + table.arena.nbytes
        while len(self._held) > 1 and (len(self._held) > _MOST_TABLES or sum(self._held.values()) > _MOST_BYTES):
            oldest = next(k for k in self._held if k != key)
            del self._held[oldest]
            self._free.pop(oldest, None)

    # --- replaced inputs

    def _owned(self, arrays: list[np.ndarray]) -> int:
        """A bit for each pair: whether nobody but its tensor and this list holds the array to be replaced."""
        if len({id(a) for a in arrays}) < len(arrays):
            return 0
        owned = 0
        for k, (given, _) in enumerate(self.pairs):
            if _holders(arrays, given) == _ALONE and arrays[given].base is None:
                owned |= 1 << k
        return owned

    def _made(self, table: Table, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Arrays for the outputs: those of replaced inputs, those that were replaced in the last call, or new ones."""
        made = [arrays[table.replaced[slot]] if slot in table.replaced else None for slot in range(len(table.made))]
        for _, result in self.pairs:
            slot = table.results[result]
            if slot >= 0 and made[slot] is None:
                made[slot] = self._taken(result, *table.made[slot])
        return [_EMPTY(*table.made[k]) if a is None else a for k, a in enumerate(made)]

    def _taken(self, result: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray | None:
        """The array that an output replaced in the last call, if it fits and nobody holds it."""
        spare = self._spare.pop(result, None)
        if spare is None or spare.shape != shape or spare.dtype != dtype or sys.getrefcount(spare) > _UNHELD:
            return None
        return spare


def _holders(arrays: list[np.ndarray], k: int) -> int:
    return sys.getrefcount(arrays[k])


def _prepared(value: Any) -> np.ndarray:
    """A value as an array whose elements lie one after the other."""
    if type(value) is np.ndarray and value.flags.num & _PLAIN == _PLAIN:
        return value
    return np.array(value, order="C")


def _held_by_a_tensor() -> int:
    """What `_holders` counts for an array that only its tensor and the list hold."""
    tensor = leaf(np.empty(1))
    return _holders([_prepared(t.value) for t in [tensor]], 0)


def _held_by_nobody() -> int:
    spare = {0: np.empty(1)}.pop(0, None)
    return sys.getrefcount(spare)


_ALONE, _UNHELD = _held_by_a_tensor(), _held_by_nobody()


def _lines(step: Step) -> Iterator[str]:
    """A step as `explain` shows it, with what runs inside it below."""
    if isinstance(step, LoopStep):
        yield f"loop    {step.count} times:"
        yield from ("  " + line for inner in step.steps for line in _lines(inner))
    elif isinstance(step, PythonStep):
        yield f"python  {step.op.name}: {step.reason}"
        for callee in _callees(step):
            yield from ("  " + line for line in callee.explain().splitlines())
    else:
        shapes = " ".join(str(view.shape) for view in step.views)
        yield f"kernel  {' + '.join(step.kernel.note.splitlines())}: {shapes}, {step.tiles} tiles"


def _callees(step: PythonStep) -> Iterator[Program]:
    """The programs that an op evaluates by itself."""
    for value in step.params.values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(getattr(part, "program", None), Program):
                yield part.program
