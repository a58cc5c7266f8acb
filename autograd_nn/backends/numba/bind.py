"""From a graph and the sizes of its inputs to a list of steps over views: what runs, in order, and where values lie."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engine.graph import Graph
from ...engine.spec import Spec
from ...engine.tensor import PICK, Tensor
from .expression import Body, copy_body
from .kernel import Kernel
from .loops import Loop, elementwise
from .memory import ARENA, CONSTANT, INPUT, OUTPUT, Buffer, View, address, whole

# Ops whose result on values known before the run is computed then; users' functions may have effects.
_NEVER_EARLY = ("control", "custom", "layer")
_MOST_EARLY = 4096


@dataclass(eq=False, slots=True)
class NativeStep:
    """A kernel on views. `geometry` follows the arrays in its block."""

    kernel: Kernel
    views: tuple[View, ...]
    geometry: list[int]
    tiles: int


@dataclass(eq=False, slots=True)
class PythonStep:
    """An op's NumPy forward. Sources and targets are views, or numbers of values whose size only the run knows."""

    op: Any
    params: dict[str, Any]
    sources: tuple[View | int, ...]
    targets: tuple[View | int, ...]
    reason: str

    @property
    def views(self) -> tuple[View, ...]:
        return tuple(v for v in (*self.sources, *self.targets) if isinstance(v, View))


@dataclass(eq=False, slots=True)
class Deferred:
    """An elementwise loop that has not run yet."""

    body: Body
    sources: list[View]
    note: str


Step = NativeStep | PythonStep
Lowering = Callable[["Binding", Tensor], bool]


class Binding:
    """The steps of a graph for one size of each input.

    `steps` in order; `outputs` is a view or the number of a loose value for each output of the graph.
    """

    def __init__(self, graph: Graph, shapes: Sequence[tuple[int, ...]], lowerings: dict[str, Lowering]) -> None:
        self.graph = graph
        self.lowerings = lowerings
        self.steps: list[Step] = []
        self.specs: dict[Tensor, Any] = {}
        self.known: dict[Tensor, np.ndarray] = {}
        self.loose: dict[Any, int] = {}
        self.loose_count = 0
        self._views: dict[Any, View] = {}
        self._waiting: dict[Tensor, Deferred] = {}
        self._users = _users(graph)
        for slot, (t, shape) in enumerate(zip(graph.inputs, shapes)):
            buffer = Buffer(INPUT, math.prod(shape) * t.dtype.itemsize, slot)
            self.specs[t] = Spec(tuple(shape), t.dtype)
            self._views.setdefault(t, whole(buffer, tuple(shape), t.dtype))
        for t in graph.constants:
            self.know(t, np.asarray(t.value))
        for t in graph.operations:
            self._lower(t)
        self.outputs = self._finish(graph)

    # --- what lowerings use

    def spec(self, t: Tensor) -> Spec:
        spec: Spec = self.specs[t]
        return spec

    def view(self, t: Tensor) -> View:
        """Where the value of a node lies."""
        if t in self._waiting:
            self.compute(t, self._waiting.pop(t))
        if t not in self._views:
            self._views[t] = self.constant(self.known[t])
        return self._views[t]

    def defer(self, t: Tensor, work: "Deferred") -> bool:
        """Leave an elementwise node to its only user, if this is a reduction; else compute it now."""
        users = self._users.get(t, ())
        if len(users) == 1 and users[0] is not None and users[0].op.family == "reduction" and users[0].inputs[0] is t:  # type: ignore[union-attr]
            self._waiting[t] = work
        else:
            self.compute(t, work)
        return True

    def compute(self, t: Tensor, work: "Deferred") -> None:
        """Run the loop of an elementwise node."""
        target = self.result(t)
        loop = elementwise(work.body, work.sources, [target], target.shape, work.note)
        self.run(loop, [*work.sources, target])

    def operand(self, t: Tensor) -> "Deferred":
        """What a reduction reads: the loop that was left to it, or the elements of a view."""
        found = self._waiting.pop(t, None)
        return found or Deferred(copy_body(), [self.view(t)], "")

    def constant(self, value: Any) -> View:
        """A view of bytes that do not change."""
        array = np.array(value, order="C")
        buffer = Buffer(CONSTANT, array.nbytes, address=address(array), array=array)
        return whole(buffer, array.shape, array.dtype)

    def fresh(self, shape: tuple[int, ...], dtype: Any) -> View:
        """Room in the arena."""
        return whole(Buffer(ARENA, math.prod(shape) * np.dtype(dtype).itemsize), shape, dtype)

    def place(self, t: Tensor | tuple[Tensor, int], view: View) -> None:
        """Say where the value of a node lies."""
        self._views[t] = view

    def know(self, t: Tensor, value: np.ndarray) -> None:
        """Say what the value of a node is, before the run."""
        self.known[t] = value
        self.specs[t] = Spec(value.shape, value.dtype)

    def result(self, t: Tensor) -> View:
        """Room for the value of a node."""
        view = self.fresh(self.spec(t).shape, t.spec.dtype)  # type: ignore[arg-type]
        self.place(t, view)
        return view

    def run(self, loop: Loop, views: Sequence[View]) -> None:
        """Append a kernel."""
        if loop.tiles:
            self.steps.append(NativeStep(loop.kernel, tuple(views), loop.geometry, loop.tiles))

    def copied(self, view: View, dtype: Any = None) -> View:
        """The same elements, one after the other."""
        target = self.fresh(view.shape, view.dtype)
        self.run(elementwise(copy_body(), [view], [target], view.shape, "copy"), [view, target])
        return target

    # --- inside

    def _lower(self, t: Tensor) -> None:
        if t.op is PICK:
            self._pick(t)
            return
        spec = self._infer(t)
        self.specs[t] = spec
        if self._early(t, spec):
            return
        settled = all(i in self._views or i in self.known or i in self._waiting for i in t.inputs)
        op: Any = t.op
        lowering = self.lowerings.get(op.family)
        if settled and _sized(spec) and lowering and _plain(t) and lowering(self, t):
            return
        self._in_python(t, spec)

    def _pick(self, t: Tensor) -> None:
        many, index = t.inputs[0], t.params["index"]
        self.specs[t] = self.specs[many][index]
        if (many, index) in self.loose:
            self.loose[t] = self.loose[many, index]
        else:
            self._views[t] = self._views[many, index]

    def _infer(self, t: Tensor) -> Any:
        op: Any = t.op
        given = [self.specs[i] for i in t.inputs]
        if "graph" in t.params and op.name == "fused":
            return _infer_graph(t.params["graph"], given, op.many)
        found = op.infer(*given, **t.params)
        if op.many or _sized(found):
            return found
        shape = self._shape_from_values(t)
        return found if shape is None else Spec(shape, found.dtype)

    def _shape_from_values(self, t: Tensor) -> tuple[int, ...] | None:
        """The shape of a result that takes sizes as inputs, where these are known before the run."""
        op: Any = t.op
        sizes = t.inputs[1:]
        if op.name not in ("reshape", "broadcast_to", "full") or not all(i in self.known for i in sizes):
            return None
        given = iter(int(self.known[i]) for i in sizes)
        shape = [next(given) if size is None else size for size in t.params["shape"]]
        if -1 in shape:
            rest = math.prod(size for size in shape if size != -1)
            shape[shape.index(-1)] = math.prod(self.spec(t.inputs[0]).shape) // max(rest, 1)  # type: ignore[arg-type]
        return tuple(shape)

    def _early(self, t: Tensor, spec: Any) -> bool:
        """Whether the value was found before the run, and is noted."""
        op: Any = t.op
        if op.many or op.family in _NEVER_EARLY:
            return False
        if op.family == "size":
            self.know(t, np.asarray(math.prod(self.spec(t.inputs[0]).shape[k] for k in t.params["axis"]), np.int64))
            return True
        if not _sized(spec) or math.prod(spec.shape) > _MOST_EARLY or not all(i in self.known for i in t.inputs):
            return False
        with np.errstate(all="ignore"):
            self.know(t, np.asarray(op.eval(*[self.known[i] for i in t.inputs], **t.params)))
        return True

    def _in_python(self, t: Tensor, spec: Any) -> None:
        """A step that evaluates the op's own forward."""
        op: Any = t.op
        sources = tuple(self.loose[i] if i in self.loose else self.view(i) for i in t.inputs)
        specs = spec if op.many else (spec,)
        keys = [(t, k) for k in range(len(specs))] if op.many else [t]
        targets = tuple(self._target(key, s) for key, s in zip(keys, specs))
        reason = "its size is known only when it runs" if not all(map(_sized, specs)) else f"no kernel for {op.name}"
        self.steps.append(PythonStep(op, t.params, sources, targets, reason))

    def _target(self, key: Any, spec: Spec) -> View | int:
        if _sized(spec):
            self._views[key] = self.fresh(spec.shape, spec.dtype)  # type: ignore[arg-type]
            return self._views[key]
        self.loose[key] = self.loose_count
        self.loose_count += 1
        return self.loose[key]

    def _finish(self, graph: Graph) -> tuple[View | int, ...]:
        """Outputs in buffers of their own."""
        found: dict[Tensor, View | int] = {}
        slot = 0
        for t in dict.fromkeys(graph.outputs):
            if t in self.loose:
                found[t] = self.loose[t]
                continue
            view = self.view(t)
            if (
                view.buffer.kind != ARENA
                or not view.contiguous
                or view.offset
                or view.size * view.dtype.itemsize != view.buffer.nbytes
            ):
                view = self.copied(view)
            view.buffer.kind = OUTPUT
            view.buffer.slot = slot
            found[t] = view
            slot += 1
        return tuple(found[t] for t in graph.outputs)


def _users(graph: Graph) -> dict[Tensor, list[Tensor | None]]:
    """The nodes that read each node; None stands for the outside."""
    users: dict[Tensor, list[Tensor | None]] = {t: [None] for t in graph.outputs}
    for t in graph.operations:
        for i in t.inputs:
            users.setdefault(i, []).append(t)
    return users


def _sized(spec: Any) -> bool:
    """Whether all sizes are numbers."""
    specs = [spec] if isinstance(spec, Spec) else spec
    return all(isinstance(size, int) for s in specs for size in s.shape)


def _plain(t: Tensor) -> bool:
    """Whether kernels know all dtypes of a node."""
    specs = [*(i.spec for i in t.inputs), *([t.spec] if isinstance(t.spec, Spec) else t.spec)]
    return all(spec.dtype.itemsize != 2 or spec.dtype.kind != "f" for spec in specs)


def _infer_graph(graph: Graph, given: Sequence[Spec], many: bool) -> Any:
    """The specs of the outputs of an elementwise graph."""
    specs: dict[Tensor, Any] = {t: Spec(np.shape(t.value), t.spec.dtype) for t in graph.constants}
    specs.update(zip(graph.inputs, given))
    for t in graph.operations:
        specs[t] = t.op.infer(*[specs[i] for i in t.inputs], **t.params)  # type: ignore[union-attr]
    found = tuple(specs[t] for t in graph.outputs)
    return found if many else found[0]
