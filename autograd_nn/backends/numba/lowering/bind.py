"""From a graph and the sizes of its inputs to a list of steps over views: what runs, in order, and where values lie."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ....engine.graph import Graph
from ....engine.spec import Spec
from ....engine.tensor import PICK, Tensor
from ..machine.kernel import Kernel
from ..machine.memory import ARENA, CONSTANT, INPUT, OUTPUT, Buffer, View, address, row_major, whole
from .drawn import drawn, fits
from .expression import Body, copy_body
from .loops import Loop, elementwise
from .moves import move

# Ops whose result on values known before the run is computed then; users' functions may have effects.
_NEVER_EARLY = ("control", "custom", "layer")
_ELEMENTWISE = ("unary", "binary", "ternary", "cast")
_WITH_GRAPHS = ("control", "loop", "branch")
_ONE_KERNEL = ("fused", "rows")
ELEMENTWISE = ("unary", "binary", "ternary", "cast", "control")
_MOST_EARLY = 4096
# Families that only move elements, whatever they are.
_MOVING = ("broadcast", "indexing", "join", "pad", "roll", "shape", "view")
# Families that move elements, or compute float16 in float32: they take any dtype.
_ANY_DTYPE = (
    "binary", "broadcast", "cast", "control", "indexing", "join", "pad", "roll", "shape", "ternary", "unary", "view",
)  # fmt: skip


class Fault(NamedTuple):
    """What a kernel may find wrong in its data, and the error for it.

    A kernel that finds something sets the word of `alarm`, which all of a program share, and it is the last to run.
    `view` has three words per tile, 0 while all is well: whether it found something, and two numbers for `error`.
    """

    view: View
    alarm: View
    error: Callable[[int, int], Exception]

    def check(self) -> None:
        """Raise the error of the first tile that found something; the words are clear again."""
        words = self.view.buffer.array
        found = words[words[:, 0] != 0].tolist()
        words[...] = 0
        if found:
            raise self.error(*found[0][1:])


@dataclass(eq=False, slots=True)
class NativeStep:
    """A kernel on views. `geometry` follows the arrays in its block; `recipe` is there if the loop is elementwise."""

    kernel: Kernel
    views: tuple[View, ...]
    geometry: list[int]
    tiles: int
    fault: Fault | None = None
    recipe: Any = None

    @property
    def results(self) -> tuple[View, ...]:
        """What an elementwise loop writes."""
        assert self.recipe is not None
        return self.views[len(self.views) - len(self.recipe.body.results) :]

    def rewrite(self, recipe: Any, results: Sequence[View]) -> None:
        """Make it the same elementwise loop from and to other places."""
        loop, views = recipe.again(results)
        self.kernel, self.views, self.geometry, self.tiles = loop.kernel, tuple(views), loop.geometry, loop.tiles
        self.recipe = loop.recipe


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
class LoopStep:
    """Kernels that run `count` times, over windows that move from one time to the next."""

    count: int
    steps: list["Step"] = field(default_factory=list)
    first: int = -1
    last: int = -1


@dataclass(eq=False)
class Deferred:
    """An elementwise loop that has not run yet. Operand number `draw` are random bits, and its source their key."""

    body: Body
    sources: list[View]
    note: str
    draw: int | None = None

    def waits(self, t: Tensor, user: Any) -> bool:
        """Whether it may be left to the only reader of its node: random bits to an elementwise loop of the same shape,
        other loops to a reduction."""
        if self.draw is None:
            return user.op.family == "reduction" and user.inputs[0] is t
        return not self.body.lines and same_loop(t, user)

    def within(self, b: "Binding", body: Body, inputs: Sequence[Tensor], at: int, note: str) -> "Deferred | None":
        """The loop of `body` that computes this as operand `at` on its way; None where it cannot."""
        if self.draw is None:
            return None
        sources = [self.sources[0] if k == at else b.view(i) for k, i in enumerate(inputs)]
        if not fits(sources, at, b.spec(inputs[at]).shape):  # type: ignore[arg-type]
            return None
        return Deferred(body, sources, f"{self.note}\n{note}", at)

    def room(self, b: "Binding", t: Tensor) -> View:
        """Where the value of the node that this computes is to lie."""
        return b.result(t)

    def run(self, b: "Binding", targets: Sequence[View]) -> None:
        """Append the loop."""
        shape = targets[0].shape
        if self.draw is None:
            loop = elementwise(self.body, self.sources, targets, shape, self.note)
        else:
            loop = drawn(self.body, self.sources, self.draw, targets, shape, self.note)
        b.run(loop, [*self.sources, *targets])


def same_loop(t: Tensor, user: Any) -> bool:
    """Whether the reader of a node is one elementwise loop of its shape."""
    specs = user.spec if user.op.many else [user.spec]
    elementwise_ops = user.op.family in _ELEMENTWISE or user.op.name == "fused"
    return elementwise_ops and all(spec.shape == t.spec.shape for spec in specs)


Step = NativeStep | PythonStep | LoopStep
Lowering = Callable[["Binding", Tensor], bool]
Runner = Callable[..., tuple[Any, ...]]


class Callee:
    """A graph in the params of an op, evaluated by a program of its own."""

    def __init__(self, graph: Graph, make: Callable[[Graph], Runner]) -> None:
        self.graph = graph
        found = graph.derived.get("callee")
        self.program: Any = found if found is not None else graph.derived.setdefault("callee", make(graph))

    def evaluate(self, *values: Any) -> tuple[Any, ...]:
        """The outputs' arrays for these arrays of the inputs."""
        found: tuple[Any, ...] = self.program(*values)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.graph, name)


class Binding:
    """The steps of a graph for one size of each input.

    `steps` in order. `make` gives the program of a graph that an op evaluates by itself. The body of a loop has a
    binding of its own, whose values live in a step of `loop`.
    """

    def __init__(
        self,
        graph: Graph,
        lowerings: dict[str, Lowering],
        make: Callable[[Graph], Runner],
        steps: list[Step],
        loop: LoopStep | None = None,
        numbers: Any = None,
        alarm: View | None = None,
    ) -> None:
        self.graph = graph
        self.lowerings = lowerings
        self.make = make
        self.steps = steps
        self.loop = loop
        self.why = ""
        self.specs: dict[Tensor, Any] = {}
        self.known: dict[Any, np.ndarray] = {}
        self.loose: dict[Any, int] = {}
        self.alarm = self.constant(np.zeros(1, np.int64)) if alarm is None else alarm
        self._numbers = itertools.count() if numbers is None else numbers
        self._views: dict[Any, View] = {}
        self._copies: dict[Any, View] = {}
        self.places: dict[Any, View] = {}
        self._waiting: dict[Tensor, Deferred] = {}
        self._makers: dict[Buffer, NativeStep] = {}
        self._users = _users(graph)

    def lower(self) -> None:
        """Append the steps of all nodes; the inputs have their places."""
        for t in self.graph.constants:
            self.know(t, np.asarray(t.value))
        for t in self.graph.operations:
            self._lower(t)

    def feed(self, t: Tensor, view: View) -> None:
        """Say where the value of an input lies."""
        self.specs[t] = Spec(view.shape, view.dtype)
        self._views.setdefault(t, view)

    def inherit(self, t: Tensor, outer: "Binding", given: Tensor) -> None:
        """Take an input from the binding around this one."""
        if given in outer.loose:
            self.specs[t], self.loose[t] = outer.specs[given], outer.loose[given]
        elif given in outer.known:
            self.know(t, outer.known[given])
        else:
            self.feed(t, outer.view(given))

    def inside(self, graph: Graph, steps: list[Step], loop: LoopStep | None) -> "Binding":
        """A binding for a graph within this one."""
        return Binding(graph, self.lowerings, self.make, steps, loop, self._numbers, self.alarm)

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

    def defer(self, t: Tensor, work: Deferred) -> bool:
        """Leave the value of a node to its only reader, where this can compute it on its way; else compute it now."""
        users = self._users.get(t, ())
        if len(users) == 1 and users[0] is not None and work.waits(t, users[0]):
            self._waiting[t] = work
        else:
            self.compute(t, work)
        return True

    def work(self, t: Tensor, body: Body, inputs: Sequence[Tensor], constants: Sequence[View], note: str) -> Deferred:
        """The elementwise loop of a node, which may compute one of its operands on its way."""
        spec = self.specs[t]
        shape = spec[0].shape if t.op.many else spec.shape  # type: ignore[union-attr]
        for at, i in enumerate(inputs):
            if i not in self._waiting or self.spec(i).shape != shape:
                continue
            found = self._waiting[i].within(self, body, inputs, at, note)
            if found is not None:
                del self._waiting[i]
                found.sources.extend(constants)
                return found
        return Deferred(body, [*map(self.view, inputs), *constants], note)

    def each(self, work: Deferred, targets: Sequence[View]) -> None:
        """Run a loop into these targets."""
        work.run(self, targets)

    def compute(self, t: Tensor, work: Deferred) -> None:
        """Run the loop of a node."""
        work.run(self, [work.room(self, t)])

    def order(self, t: Tensor) -> tuple[int, ...] | None:
        """The order of axes in which the only reader of a node wants to have it, if that is another."""
        users = self._users.get(t, ())
        user: Any = users[0] if len(users) == 1 else None
        return user.params["axes"] if user is not None and user.op.name == "transpose" else None

    def operand(self, t: Tensor) -> Deferred:
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
        return whole(Buffer(ARENA, math.prod(shape) * np.dtype(dtype).itemsize, home=self.loop), shape, dtype)

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

    def run(self, loop: Loop, views: Sequence[View], fault: Fault | None = None) -> None:
        """Append a kernel."""
        if not loop.tiles:
            return
        step = NativeStep(loop.kernel, tuple(views), loop.geometry, loop.tiles, fault, loop.recipe)
        self.steps.append(step)
        if loop.recipe is not None:
            self._makers.update((view.buffer, step) for view in step.results)

    def copied(self, view: View, dtype: Any = None) -> View:
        """The same elements, one after the other, only to be read; one copy serves all who ask."""

        def make() -> View:
            target = self.fresh(view.shape, view.dtype)
            self.move(view, target)
            return target

        return self.laid_out(view, "copied", make)

    def laid_out(self, view: View, how: str, make: Callable[[], View]) -> View:
        """The same elements in another layout, only to be read; what `make` makes serves all who ask."""
        if (view, how) not in self._copies:
            self._copies[view, how] = make()
        return self._copies[view, how]

    def move(self, source: View, target: View) -> None:
        """Write the elements of a view, broadcast, into another."""
        self.run(*move(source, target))

    def land(self, t: Tensor, user: Tensor, target: View) -> None:
        """Have the value of an input of `user` lie in `target`: written there at once where nobody else reads it."""
        view = self.view(t)
        step = self._makers.get(view.buffer)
        row = target.contiguous or target.strides[-1] == target.dtype.itemsize and target.shape[-1] > 1
        if step is None or not row or view.dtype != target.dtype or not self._only_for(t, user):
            self.move(view, target)
            return
        assert step.recipe is not None
        step.rewrite(step.recipe, [target if v.buffer is view.buffer else v for v in step.results])
        self.place(t, target)

    def _only_for(self, t: Tensor, user: Tensor) -> bool:
        """Whether a node is elementwise, so that its room is its own, and has one user."""
        maker: Any = t.inputs[0].op if t.op is PICK else t.op
        return (maker.family in _ELEMENTWISE or maker.name == "fused") and self._users.get(t) == [user]

    def hand_over(self, t: Tensor, k: int, inner: "Binding", result: Tensor) -> None:
        """Make a value of the binding of an inner graph output k of a node."""
        if result in inner.loose:
            self.loose[t, k] = inner.loose[result]
        elif result in inner.known:
            self.known[t, k] = inner.known[result]
        else:
            self._views[t, k] = inner.view(result)

    # --- inside

    def _lower(self, t: Tensor) -> None:
        if t.op is PICK:
            self._pick(t)
        elif t.op.family in _WITH_GRAPHS and t.op.name not in _ONE_KERNEL:  # type: ignore[union-attr]
            self._lower_with_graphs(t)
        else:
            self._lower_plain(t)

    def _lower_with_graphs(self, t: Tensor) -> None:
        """An op whose params hold graphs: as steps of this binding, else evaluated by programs of their own."""
        op: Any = t.op
        self.why = "which of its steps run is known only when it runs"
        lowering = self.lowerings.get(op.family)
        if lowering and lowering(self, t):
            return
        self.specs[t] = spec = self._infer(t)
        self._in_python(t, spec, {name: self._called(value) for name, value in t.params.items()}, self.why)

    def _called(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self._called, value))
        return Callee(value, self.make) if isinstance(value, Graph) else value

    def _lower_plain(self, t: Tensor) -> None:
        spec = self._infer(t)
        self.specs[t] = spec
        if self._early(t, spec):
            return
        settled = all(i in self._views or i in self.known or i in self._waiting for i in t.inputs)
        op: Any = t.op
        lowering = self.lowerings.get(op.family)
        real = not op.complex or not _complex(t)
        known = real and (op.family in _ANY_DTYPE or _plain(t))
        if settled and _sized(spec) and lowering and known and lowering(self, t):
            return
        sized = _sized(spec)
        reason = f"no kernel for {op.name}" if sized else "its size is known only when it runs"
        if not real:
            reason = f"no kernel for complex numbers in {op.name}"
        self._in_python(t, spec, t.params, reason)

    def _pick(self, t: Tensor) -> None:
        many, index = t.inputs[0], t.params["index"]
        self.specs[t] = self.specs[many][index]
        if (many, index) in self.loose:
            self.loose[t] = self.loose[many, index]
        elif (many, index) in self.known:
            self.know(t, self.known[many, index])
        else:
            self._views[t] = self._views[many, index]

    def _infer(self, t: Tensor) -> Any:
        op: Any = t.op
        given = [self.specs[i] for i in t.inputs]
        if "graph" in t.params and op.name in _ONE_KERNEL:
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
        if op.name not in ("reshape", "broadcast_to", "full", "random_bits") or not all(i in self.known for i in sizes):
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

    def _in_python(self, t: Tensor, spec: Any, params: dict[str, Any], reason: str) -> None:
        """A step that evaluates the op's own forward."""
        op: Any = t.op
        sources = tuple(self.loose[i] if i in self.loose else self.view(i) for i in t.inputs)
        specs = spec if op.many else (spec,)
        keys = [(t, k) for k in range(len(specs))] if op.many else [t]
        targets = tuple(self._target(key, s) for key, s in zip(keys, specs))
        self.steps.append(PythonStep(op, params, sources, targets, reason))

    def _target(self, key: Any, spec: Spec) -> View | int:
        if _sized(spec):
            self._views[key] = self.fresh(spec.shape, spec.dtype)  # type: ignore[arg-type]
            return self._views[key]
        self.loose[key] = next(self._numbers)
        return self.loose[key]

    def finish(self) -> tuple[View | int, ...]:
        """The outputs, in buffers of their own: a view or the number of a loose value for each."""
        found: dict[Tensor, View | int] = {}
        slot = 0
        for t in dict.fromkeys(self.graph.outputs):
            if t in self.loose:
                found[t] = self.loose[t]
                continue
            view = self.view(t)
            if view.buffer.kind != ARENA or not view.fills:
                target = self.fresh(view.shape, view.dtype)
                self.move(view, target)
                view = target
            view.buffer.kind = OUTPUT
            view.buffer.slot = slot
            found[t] = view
            slot += 1
        return tuple(found[t] for t in self.graph.outputs)


def bind(
    graph: Graph,
    shapes: Sequence[tuple[int, ...]],
    lowerings: dict[str, Lowering],
    make: Callable[[Graph], Runner],
) -> tuple[list[Step], tuple[View | int, ...]]:
    """The steps of a graph for these shapes of its inputs, and where its outputs lie."""
    binding = Binding(graph, lowerings, make, [])
    for slot, (t, shape) in enumerate(zip(graph.inputs, shapes)):
        buffer = Buffer(INPUT, math.prod(shape) * t.dtype.itemsize, slot)
        binding.feed(t, View(buffer, 0, shape, row_major(shape, t.dtype.itemsize), t.dtype))
    binding.lower()
    return binding.steps, binding.finish()


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


def _specs(t: Tensor) -> list[Spec]:
    """What a node reads and gives."""
    return [*(i.spec for i in t.inputs), *([t.spec] if isinstance(t.spec, Spec) else t.spec)]


def _complex(t: Tensor) -> bool:
    """Whether a node reads or gives complex numbers, which kernels do not know."""
    return any(spec.dtype.kind == "c" for spec in _specs(t))


def _plain(t: Tensor) -> bool:
    """Whether kernels know all dtypes of a node."""
    specs = _specs(t)
    return all(spec.dtype.itemsize != 2 or spec.dtype.kind != "f" for spec in specs)


def _infer_graph(graph: Graph, given: Sequence[Spec], many: bool) -> Any:
    """The specs of the outputs of an elementwise graph."""
    found = _substituted(graph, given) or _inferred(graph, given)
    return found if many else found[0]


def _substituted(graph: Graph, given: Sequence[Spec]) -> tuple[Spec, ...] | None:
    """The same by sizes alone, where those of the inputs say all that was unknown when the graph was made."""
    sizes: dict[Any, Any] = {}
    for t, spec in zip(graph.inputs, given):
        for known, size in zip(t.spec.shape, spec.shape, strict=True):
            if sizes.setdefault(known, size) != size or isinstance(known, int) and known != size:
                return None
    shapes = {tuple(n if isinstance(n, int) else sizes.get(n) for n in t.spec.shape) for t in graph.outputs}
    shape = shapes.pop()
    if shapes or None in shape or not all(_broadcasts(spec.shape, shape) for spec in given):
        return None
    return tuple(Spec(shape, t.spec.dtype) for t in graph.outputs)  # type: ignore[arg-type]


def _broadcasts(shape: Sequence[Any], result: Sequence[Any]) -> bool:
    """Whether each size is 1 or that of the result, so that nothing can disagree on the way there."""
    return len(shape) <= len(result) and all(a in (1, b) for a, b in zip(reversed(shape), reversed(result)))


def _inferred(graph: Graph, given: Sequence[Spec]) -> tuple[Spec, ...]:
    specs: dict[Tensor, Any] = {t: Spec(np.shape(t.value), t.spec.dtype) for t in graph.constants}
    specs.update(zip(graph.inputs, given))
    for t in graph.operations:
        specs[t] = t.op.infer(*[specs[i] for i in t.inputs], **t.params)  # type: ignore[union-attr]
    return tuple(specs[t] for t in graph.outputs)
