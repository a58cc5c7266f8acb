"""Ops whose params hold graphs: calls written in place, and scans whose steps run through the table.

The body of a scan is bound once. What moves from step to step are windows: a sequence shows one of its elements, a
stack of results the place of one. A carry lies in a stack of its own, and a step writes its new value next to the old
one; that stack is also what the gradient and the outputs want to keep. The table then holds the instructions of all
steps, so that nothing has to decide anything while it runs.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ....engine.spec import Spec
from ....engine.tensor import Tensor
from ..machine.memory import ARENA, Buffer, View
from .bind import Binding, LoopStep, NativeStep, Step

# The most instructions of one loop; a longer one runs its body's program step by step.
MOST_INSTRUCTIONS = 100_000


def lower_call(b: Binding, t: Tensor) -> bool:
    """The steps of the graph that is called, in place."""
    graph = t.params["graph"]
    inner = b.inside(graph, b.steps, b.loop)
    for given, stand in zip(t.inputs, graph.inputs):
        inner.inherit(stand, b, given)
    inner.lower()
    for k, result in enumerate(graph.outputs):
        b.hand_over(t, k, inner, result)
    b.specs[t] = tuple(inner.specs[result] for result in graph.outputs)
    return True


class _Walk(NamedTuple):
    """The steps of a loop: how many, and which element of the sequences each of them takes."""

    steps: int
    order: np.ndarray


def lower_loop(b: Binding, t: Tensor) -> bool:
    """A scan whose steps are kernels, all of them in the table."""
    op: Any = t.op
    if op.name != "scan":
        return False
    if any(i in b.loose for i in t.inputs):
        b.why = "its sizes are known only when it runs"
        return False
    carries, steps = t.params["carries"], t.params["steps"]
    length = t.params["length"]
    count = b.spec(t.inputs[carries]).shape[0] if steps else length
    assert isinstance(count, int)
    order = np.arange(count)[::-1] if t.params["reverse"] else np.arange(count)
    return _Scan(b, t, _Walk(count, order)).lower()


class _Scan:
    """One scan on its way into a binding."""

    def __init__(self, b: Binding, t: Tensor, walk: _Walk) -> None:
        self.b, self.t, self.walk = b, t, walk
        self.body = t.params["body"]
        self.carries, self.steps = t.params["carries"], t.params["steps"]
        self.saved = t.params["saved"]
        self.loop = LoopStep(walk.steps)
        self.inner = b.inside(self.body, self.loop.steps, self.loop)
        self.starts = t.inputs[: self.carries]
        self.news = self.body.outputs[: self.carries]
        self.rows = self.body.outputs[self.carries :]
        self.stands = self.body.inputs[: self.carries]

    def lower(self) -> bool:
        """Append the loop, unless something in it has no kernel."""
        stacks = [self._stack(k) for k in range(self.carries)]
        self._feed(stacks)
        self.inner.lower()
        reason = self._obstacle()
        if reason:
            self.b.why = reason
            return False
        for start, stack in zip(self.starts, stacks):
            first = self._before(stack)[:1] if self.walk.steps else [0]
            self.b.move(self.b.view(start), _row(stack, int(first[0])))
        landed: dict[Tensor, View] = {}
        for new, stack in zip(self.news, stacks):
            self._land(new, stack.row(self.loop, self._after(stack)), landed, stack)
        outputs = [self._output(row, landed, stacks) for row in self.rows]
        self._hoist()
        if self.walk.steps:
            self.b.steps.append(self.loop)
        self._place(stacks, outputs)
        return True

    # --- carries

    def _stack(self, k: int) -> View:
        """Room for a carry: for all steps where somebody wants to see it, else for two in turn."""
        spec = self.b.spec(self.starts[k])
        seen = self.saved or any(row is self.news[k] or row is self.stands[k] for row in self.rows)
        rows = self.walk.steps + 1 if seen else min(self.walk.steps + 1, 2)
        return self.b.fresh((rows, *spec.shape), spec.dtype)  # type: ignore[arg-type]

    def _before(self, stack: View) -> np.ndarray:
        """The row of a carry's stack that holds it before each step."""
        if stack.shape[0] <= self.walk.steps:
            return np.arange(self.walk.steps) % 2
        return self.walk.order + 1 if self.t.params["reverse"] else self.walk.order

    def _after(self, stack: View) -> np.ndarray:
        """The row that holds it after each step."""
        if stack.shape[0] <= self.walk.steps:
            return np.arange(1, self.walk.steps + 1) % 2
        return self.walk.order if self.t.params["reverse"] else self.walk.order + 1

    def _feed(self, stacks: list[View]) -> None:
        """Give the inputs of the body their places."""
        inputs = self.body.inputs
        for stand, stack in zip(self.stands, stacks):
            self.inner.feed(stand, stack.row(self.loop, self._before(stack)))
        for k in range(self.carries, len(inputs)):
            if k < self.carries + self.steps:
                sequence = self.b.view(self.t.inputs[k])
                self.inner.feed(inputs[k], sequence.row(self.loop, self.walk.order))
            else:
                self.inner.inherit(inputs[k], self.b, self.t.inputs[k])

    def _obstacle(self) -> str:
        """Why the steps cannot be in the table; empty if they can."""
        inner = self.inner
        if any(result in inner.loose for result in self.body.outputs):
            return "the sizes inside are known only when it runs"
        for step in inner.steps:
            if not isinstance(step, (NativeStep, LoopStep)):
                return f"Python in each of its {self.walk.steps} steps: {step.reason} ({step.op.name})"
        if instructions(inner.steps) * self.walk.steps > MOST_INSTRUCTIONS:
            return f"{self.walk.steps} steps are too many for a table"
        return ""

    # --- results

    def _land(self, result: Tensor, row: View, landed: dict[Tensor, View], stack: View) -> None:
        """Have the value of a result of the body written into a window: at once where it has room of its own."""
        view = self.inner.view(result)
        buffer = view.buffer
        if buffer.kind == ARENA and buffer.home is self.loop and view.fills and result not in landed:
            buffer.become(row.buffer)
            landed[result] = stack
        else:
            self.inner.move(view, row)

    def _output(self, row: Tensor, landed: dict[Tensor, View], stacks: list[View]) -> View:
        """Where the stacked values of an output of the body lie."""
        for k in range(self.carries):
            if self.news[k] is row:
                return self._kept(stacks[k], after=True)
            if self.stands[k] is row:
                return self._kept(stacks[k], after=False)
        place = next((k for k, t in enumerate(self.body.inputs) if t is row), -1)
        if self.carries <= place < self.carries + self.steps:
            return self.b.view(self.t.inputs[place])
        if row in landed:
            return landed[row]
        spec = self.inner.spec(row)
        stack = self.b.fresh((self.walk.steps, *spec.shape), spec.dtype)  # type: ignore[arg-type]
        self._land(row, stack.row(self.loop, self.walk.order), landed, stack)
        return landed.setdefault(row, stack)

    def _kept(self, stack: View, after: bool) -> View:
        """A carry's stack without the row that is no step's: its values after, or before, each step."""
        first = int(after != self.t.params["reverse"])
        return stack.cut(first, first + self.walk.steps)

    def _hoist(self) -> None:
        """Move kernels that do the same in each step to the front of the loop."""
        moved, kept = invariant(self.loop, self.b.loop)
        self.b.steps.extend(moved)
        self.loop.steps[:] = kept

    def _place(self, stacks: list[View], outputs: list[View]) -> None:
        b, count = self.b, self.walk.steps
        kept = [self._kept(stack, after=False) for stack in stacks] if self.saved else []
        last = [_row(stack, int(self._after(stack)[-1]) if count else 0) for stack in stacks]
        specs = []
        for k, view in enumerate((*last, *outputs, *kept)):
            b.place((self.t, k), view)
            specs.append(Spec(view.shape, view.dtype))
        b.specs[self.t] = tuple(specs)


def _row(stack: View, k: int) -> View:
    cut = stack.cut(k, k + 1)
    return cut._replace(shape=cut.shape[1:], strides=cut.strides[1:])


def instructions(steps: list[Step]) -> int:
    """How many rows of the table steps take."""
    return sum(step.count * instructions(step.steps) if isinstance(step, LoopStep) else 1 for step in steps)


def invariant(loop: LoopStep, around: LoopStep | None) -> tuple[list[Step], list[Step]]:
    """The kernels of a loop that do the same in each step, whose results from now on live around it, and the rest."""
    writers: dict[Buffer, int] = {}
    for step in flat(loop.steps):
        for buffer in written(step):
            writers[buffer] = writers.get(buffer, 0) + 1
    moved: list[Step] = []
    kept: list[Step] = []
    for each in loop.steps:
        if isinstance(each, NativeStep) and _same_in_each(each, loop, writers):
            for buffer in written(each):
                buffer.home = around
            moved.append(each)
        else:
            kept.append(each)
    return moved, kept


def _same_in_each(step: NativeStep, loop: LoopStep, writers: dict[Buffer, int]) -> bool:
    own = written(step)
    if any(b.kind != ARENA or b.home is not loop or writers[b] != 1 for b in own):
        return False
    return all(not _moves(view.buffer, loop) for view in step.views if view.buffer not in own)


def _moves(buffer: Buffer, loop: LoopStep) -> bool:
    """Whether what a buffer holds differs between the steps of a loop."""
    while buffer.within is not None:
        if buffer.loop is loop:
            return True
        buffer = buffer.within.buffer
    return buffer.home is loop


def flat(steps: Sequence[Step]) -> list[NativeStep]:
    """All kernels of steps, those of loops once."""
    found: list[NativeStep] = []
    for step in steps:
        if isinstance(step, LoopStep):
            found.extend(flat(step.steps))
        elif isinstance(step, NativeStep):
            found.append(step)
    return found


def written(step: NativeStep) -> list[Buffer]:
    """The buffers that a kernel writes: those of arguments that are not named x0, x1, ..."""
    return [view.root()[0] for name, view in zip(step.kernel.arguments, step.views) if not name.startswith("x")]
