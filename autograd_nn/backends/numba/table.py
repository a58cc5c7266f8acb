"""The instructions of a graph for one size of each input, with all their memory, and how they are run."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .image import Image
from .lifetimes import lifetimes
from .lowering.bind import PythonStep, Step
from .lowering.flow import flat
from .machine.execute import functions
from .machine.kernel import Kernel, interpreted, ready
from .machine.memory import ARENA, CONSTANT, INPUT, OUTPUT, Buffer, View, address, aligned_bytes, plan
from .machine.team import TEAM
from .places import Places
from .replace import Replaced, replace

# Tiles that can be shared, below which other threads are not woken: each is worth a microsecond or more.
_WORTH_CALLING = 16


class Table:
    """Rows of instructions and Python steps between them.

    steps, outputs: what `bind` gives
    made:           shape and dtype of the array that each slot of the outputs needs
    replaced:       by slot the number of the input whose array it takes over
    results:        the slot of each output, or -1 - n for loose value n
    """

    def __init__(self, steps: list[Step], outputs: tuple[View | int, ...], inputs: int, pairs: Replaced = ()) -> None:
        self.steps, self.outputs = steps, outputs
        self.made = [(v.shape, v.dtype) for v in dict.fromkeys(outputs) if isinstance(v, View)]
        self.replaced = replace(steps, outputs, pairs) if pairs else {}
        self.segments: list[tuple[int, int] | PythonStep] = []
        self._faults = [step.fault for step in flat(steps) if step.fault]
        self.alarm = self._faults[0].alarm.buffer.address if self._faults else 0
        self._loose = 1 + max((v for v in _values(steps) if isinstance(v, int)), default=-1)
        self.results = [v.buffer.slot if isinstance(v, View) else -1 - v for v in outputs]
        self._interpreted = interpreted()
        buffers = lifetimes(steps)
        self._constants = [b for b in buffers if b.kind == CONSTANT]
        self._place([b for b in buffers if b.kind == ARENA])
        self._write(inputs)

    # --- making

    def _place(self, buffers: Sequence[Buffer]) -> None:
        self.arena = aligned_bytes(plan(buffers))
        self._base = address(self.arena)
        for buffer in buffers:
            buffer.address += self._base

    def _write(self, inputs: int) -> None:
        """Blocks and instructions; where addresses of inputs and outputs stand in them."""
        kernels: dict[Kernel, int] = {}
        image = Image(kernels, inputs)
        for step in self.steps:
            if isinstance(step, PythonStep):
                self.segments.append(step)
                continue
            begin = image.count
            image.append(step)
            if self.segments and isinstance(self.segments[-1], tuple):
                begin = self.segments.pop()[0]  # type: ignore[index]
            self.segments.append((begin, image.count))
        self.kernels = list(kernels)
        ready(self.kernels, beside=[functions])
        self.words, self.rows = image.words(), image.rows()
        self._numbers = self.rows[:, 0].copy()
        addresses = np.array([kernel.address for kernel in self.kernels], np.int64)
        self.rows[:, 0] = addresses[self._numbers] if len(addresses) else 0
        self.rows[:, 1] = self.rows[:, 1] * 8 + address(self.words)
        self._rows_at = address(self.rows)
        shared = self.rows[:, 2]
        self._large = int(shared[shared > 1].sum()) >= _WORTH_CALLING
        holes = image.holes()
        self._places = Places(self.words, np.column_stack([holes, self.words[holes[:, 0]]]), inputs + len(self.made))

    # --- running

    def run(self, arrays: Sequence[np.ndarray], made: Sequence[np.ndarray]) -> list[Any]:
        """The arrays of the outputs; `made` are those that the slots of the outputs use."""
        self._places.fill([*arrays, *made])
        loose: list[Any] = [None] * self._loose
        for segment in self.segments:
            if isinstance(segment, tuple):
                self._native(*segment)
                self._check()
            else:
                self._python(segment, arrays, made, loose)
        return [made[k] if k >= 0 else loose[-1 - k] for k in self.results]

    @property
    def native(self) -> bool:
        """Whether a run is one walk through the rows, which can be repeated."""
        return not self._interpreted and self.segments == [(0, len(self.rows))]

    def placed(self, arrays: Sequence[np.ndarray], made: Sequence[np.ndarray]) -> np.ndarray:
        """The rows, after the addresses of these arrays were written into their blocks."""
        self._places.fill([*arrays, *made])
        return self.rows

    def found(self, made: Sequence[np.ndarray]) -> list[Any]:
        """The arrays of the outputs after a native run; raises what a kernel found wrong in it."""
        self._check()
        return [made[k] for k in self.results]

    def _check(self) -> None:
        """Raise the error of the first kernel that found something wrong, and be ready again."""
        if not self._faults or not self._faults[0].alarm.buffer.array[0]:
            return
        self._faults[0].alarm.buffer.array[0] = 0
        for fault in self._faults:
            fault.check()

    def _native(self, begin: int, end: int) -> None:
        if not self._interpreted:
            TEAM.run(self._rows_at, begin, end, self.alarm, self._large)
            return
        base = address(self.words)
        for k in range(begin, end):
            block, tiles = int(self.rows[k, 1]), int(self.rows[k, 2])
            self.kernels[self._numbers[k]].call(self.words[(block - base) // 8 :], 0, tiles)
            if self._faults and self._faults[0].alarm.buffer.array[0]:
                return

    def _python(
        self, step: PythonStep, arrays: Sequence[np.ndarray], made: Sequence[np.ndarray], loose: list[Any]
    ) -> None:
        def array(place: View | int) -> Any:
            return loose[place] if isinstance(place, int) else self._array(place, arrays, made)

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

    def _array(self, view: View, arrays: Sequence[np.ndarray], made: Sequence[np.ndarray]) -> np.ndarray:
        """A view as an array on the memory of its buffer."""
        if not view.size:
            return np.empty(view.shape, view.dtype)
        buffer = view.buffer
        if buffer.kind == ARENA:
            return view.over(self.arena[buffer.address - self._base :])
        held = {INPUT: arrays, OUTPUT: made}
        array = held[buffer.kind][buffer.slot] if buffer.kind in held else buffer.array
        return view.over(array.reshape(-1).view(np.uint8))


def _values(steps: Sequence[Step]) -> Iterator[View | int]:
    """Everything that Python steps read and write."""
    for step in steps:
        if isinstance(step, PythonStep):
            yield from (*step.sources, *step.targets)
