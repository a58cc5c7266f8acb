"""A graph as a callable: bound once per size of its inputs, then a table of instructions and some Python between."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.graph import Graph
from .bind import Binding, NativeStep, PythonStep, Step
from .execute import ROW
from .kernel import interpreted
from .lower import LOWERINGS
from .memory import ARENA, CONSTANT, INPUT, OUTPUT, Buffer, View, address, aligned_bytes, plan
from .team import TEAM

_MOST_TABLES = 64


class Program:
    """`program(*arrays)` gives the arrays of the graph's outputs; `newest` is the table made last."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._free: dict[Any, list[Table]] = {}
        self._lock = threading.Lock()
        self.newest: Table | None = None

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        arrays = [_prepared(v) for v in values]
        key = tuple([a.shape for a in arrays])
        table = self._take(key, arrays)
        try:
            return table.run(arrays)
        finally:
            waiting = self._free.get(key)
            if waiting is not None:
                waiting.append(table)

    def explain(self, source: bool = False) -> str:
        """One line per step of the newest table: what was fused, what runs in Python and why."""
        table = self.newest
        if table is None:
            return "not run yet"
        kernels = list(dict.fromkeys(table.kernels))
        cached = sum(kernel.cached for kernel in kernels)
        seconds = sum(kernel.seconds for kernel in kernels)
        made = f"{len(kernels)} kernels ({cached} from the disk, {seconds:.2f} s to make)"
        lines = [f"{len(table.binding.steps)} steps, {made}, {table.arena.nbytes} bytes of arena"]
        lines += [_line(step) for step in table.binding.steps]
        return "\n".join([*lines, *(kernel.source for kernel in kernels if source)])

    def _take(self, key: Any, arrays: Sequence[np.ndarray]) -> "Table":
        """A table that nobody runs: each thread, and each call inside a call, has its own."""
        try:
            return self._free[key].pop()
        except (KeyError, IndexError):
            pass
        self.graph.check_values(arrays)
        table = Table(Binding(self.graph, key, LOWERINGS))
        with self._lock:
            if len(self._free) >= _MOST_TABLES and key not in self._free:
                self._free.pop(next(iter(self._free)))
            self._free.setdefault(key, [])
            self.newest = table
        return table


def _line(step: Step) -> str:
    if isinstance(step, PythonStep):
        return f"python  {step.op.name}: {step.reason}"
    shapes = " ".join(str(view.shape) for view in step.views)
    return f"kernel  {' + '.join(step.kernel.note.splitlines())}: {shapes}, {step.tiles} tiles"


def _prepared(value: Any) -> np.ndarray:
    """A value as an array whose elements lie one after the other."""
    array = np.asarray(value)
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.array(array, order="C")


class Table:
    """The instructions of a graph for one size of each input, with all their memory."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding
        self.segments: list[tuple[int, int] | PythonStep] = []
        self.outputs = binding.outputs
        self._made = [(v.buffer, v.shape, v.dtype) for v in dict.fromkeys(binding.outputs) if isinstance(v, View)]
        self._inputs = len(binding.graph.inputs)
        self._constants = self._lifetimes(binding)
        self._place()
        self._write(binding)

    # --- making

    def _lifetimes(self, binding: Binding) -> list[Buffer]:
        """When each buffer is first and last needed; the constants, to keep them alive."""
        buffers: dict[Buffer, None] = {}
        for moment, step in enumerate(binding.steps):
            for view in step.views:
                buffer = view.buffer
                if buffer not in buffers:
                    buffers[buffer] = None
                    buffer.first = moment
                buffer.last = moment
        self._arena_buffers = [b for b in buffers if b.kind == ARENA]
        return [b for b in buffers if b.kind == CONSTANT]

    def _place(self) -> None:
        size = plan(self._arena_buffers)
        self.arena = aligned_bytes(size)
        base = address(self.arena)
        self._base = base
        for buffer in self._arena_buffers:
            buffer.array = self.arena[buffer.address : buffer.address + max(buffer.nbytes, 1)]
            buffer.address += base

    def _write(self, binding: Binding) -> None:
        """Blocks and instructions; where addresses of inputs and outputs stand in them."""
        words: list[int] = []
        rows: list[tuple[int, int, int]] = []
        holes: list[tuple[int, int, int]] = []
        self.kernels = []
        for step in binding.steps:
            if isinstance(step, PythonStep):
                self.segments.append(step)
                continue
            rows.append((step.kernel.address, len(words), step.tiles))
            self.kernels.append(step.kernel)
            self._block(step, words, holes)
            if self.segments and isinstance(self.segments[-1], tuple):
                begin, end = self.segments[-1]
                self.segments[-1] = (begin, end + 1)
            else:
                self.segments.append((len(rows) - 1, len(rows)))
        self.words = np.array(words, np.uint64).view(np.int64)
        self.rows = np.array([(*row, 1) for row in rows], np.int64).reshape(-1, ROW)
        self._meet()
        self.rows[:, 1] = self.rows[:, 1] * 8 + address(self.words)
        self._hole_at = np.array([h[0] for h in holes], np.int64)
        self._hole_slot = np.array([h[1] for h in holes], np.int64)
        self._hole_offset = np.array([h[2] for h in holes], np.int64)

    def _block(self, step: NativeStep, words: list[int], holes: list[tuple[int, int, int]]) -> None:
        for view in step.views:
            buffer = view.buffer
            if buffer.kind in (INPUT, OUTPUT):
                slot = buffer.slot + (self._inputs if buffer.kind == OUTPUT else 0)
                holes.append((len(words), slot, view.offset))
            words += [buffer.address + view.offset, view.extent()]
        words += step.geometry

    def _meet(self) -> None:
        """Mark after which instructions all threads meet: not between two that one thread does alone."""
        alone = self.rows[:, 2] == 1
        self.rows[:-1, 3] = ~(alone[:-1] & alone[1:])
        for segment in self.segments:
            if isinstance(segment, tuple):
                self.rows[segment[1] - 1, 3] = 1

    # --- running

    def run(self, arrays: Sequence[np.ndarray]) -> tuple[Any, ...]:
        made = [np.empty(shape, dtype) for _, shape, dtype in self._made]
        bases = np.array([a.__array_interface__["data"][0] for a in (*arrays, *made)], np.int64)
        self.words[self._hole_at] = bases[self._hole_slot] + self._hole_offset
        loose: list[Any] = [None] * self.binding.loose_count
        for segment in self.segments:
            if isinstance(segment, tuple):
                self._native(*segment)
            else:
                self._python(segment, arrays, made, loose)
        return tuple(made[v.buffer.slot] if isinstance(v, View) else loose[v] for v in self.outputs)

    def _native(self, begin: int, end: int) -> None:
        if not interpreted():
            TEAM.run(self.rows, begin, end)
            return
        base = address(self.words)
        for k in range(begin, end):
            block, tiles = self.rows[k, 1], self.rows[k, 2]
            self.kernels[k].call(self.words[(block - base) // 8 :], 0, int(tiles))

    def _python(
        self, step: PythonStep, arrays: Sequence[np.ndarray], made: Sequence[np.ndarray], loose: list[Any]
    ) -> None:
        def array(place: View | int) -> Any:
            if isinstance(place, int):
                return loose[place]
            buffer = place.buffer
            if buffer.kind == INPUT:
                return _over(place, arrays[buffer.slot])
            return _over(place, made[buffer.slot] if buffer.kind == OUTPUT else buffer.array)

        sources = [array(source) for source in step.sources]
        if step.op.family == "custom":
            sources = [np.array(source) for source in sources]
        with np.errstate(all="ignore"):
            results = step.op.eval(*sources, **step.params)
        for target, result in zip(step.targets, results if step.op.many else (results,)):
            if isinstance(target, int):
                loose[target] = np.array(result)
            else:
                array(target)[...] = result


def _over(view: View, array: np.ndarray) -> np.ndarray:
    """A view as an array on the memory of its buffer."""
    if not view.size:
        return np.empty(view.shape, view.dtype)
    raw = array if array.dtype == np.uint8 else array.reshape(-1).view(np.uint8)
    return view.over(raw)
