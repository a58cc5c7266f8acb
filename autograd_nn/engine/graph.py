"""The frozen graph: sorted, verified, evaluated, replayed. All loops are iterative."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any

from ..errors import DTypeError, GraphError, ShapeError
from .spec import Spec
from .tensor import MODE, PICK, RENDERER, Tensor, describe, record, recording

Step = tuple[Callable[..., Any], list[int], dict[str, Any], int, list[int]]


def toposort(outputs: Iterable[Tensor], stop: Iterable[Tensor] = ()) -> list[Tensor]:
    """Every tensor that `outputs` are made from, inputs before users, in an order given by the structure alone.

    The walk does not go below the tensors in `stop`. Raises GraphError for a cycle, naming it.
    """
    OPEN, DONE = 1, 2
    ends = dict.fromkeys(stop)
    state: dict[Tensor, int] = {}
    order: list[Tensor] = []
    stack = list(outputs)[::-1]
    while stack:
        t = stack[-1]
        mark = state.get(t)
        if mark is None:
            state[t] = OPEN
            if t not in ends:
                stack.extend(i for i in reversed(t.inputs) if _unfinished(state, t, i, stack, OPEN))
        else:
            stack.pop()
            if mark == OPEN:
                state[t] = DONE
                order.append(t)
    return order


def _unfinished(state: dict[Tensor, int], t: Tensor, i: Tensor, stack: list[Tensor], open_mark: int) -> bool:
    mark = state.get(i)
    if mark == open_mark:
        path = [u for u in stack if state.get(u) == open_mark]
        names = [u.name or (u.op.name if u.op else "leaf") for u in path[_place(path, i) :]]
        raise GraphError(f"cycle in the graph: {' -> '.join([*names, names[0]])}")
    return mark is None


def _place(path: list[Tensor], t: Tensor) -> int:
    return next(k for k, u in enumerate(path) if u is t)


class Graph:
    """A piece of the graph between `inputs` and `outputs`, frozen: its nodes in topological order.

    inputs, outputs: tuples of tensors
    nodes:           every tensor in between and both ends; the id of a node is its place here
    constants:       leaves with a value that are no inputs
    derived:         what others made of it, such as its program; it dies with the graph

    Raises GraphError when an output needs a valueless leaf that is not among the inputs.

    >>> import autograd_nn as ag
    >>> f = ag.jit(lambda x: ag.ops.tanh(x) * 2)
    >>> f(ag.tensor([0.0])).tolist()
    [0.0]
    >>> len(f.graph.nodes)
    4
    """

    __slots__ = ("__weakref__", "_slots", "_steps", "constants", "derived", "ids", "inputs", "name", "nodes", "outputs")

    def __init__(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], name: str = "graph") -> None:
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.name = name
        self.derived: dict[str, Any] = {}
        self._steps: list[Step] | None = None
        self._slots: dict[Tensor, int] = {}
        order = toposort(self.outputs, self.inputs)
        present = dict.fromkeys(order)
        unused = [t for t in dict.fromkeys(self.inputs) if t not in present]
        self.nodes = (*unused, *order)
        self.ids = {t: k for k, t in enumerate(self.nodes)}
        ends = dict.fromkeys(self.inputs)
        leaves = [t for t in order if t.op is None and t not in ends]
        self.constants = tuple(t for t in leaves if t.value is not None)
        missing = [t for t in leaves if t.value is None]
        if missing:
            raise GraphError(
                f"{name}: the outputs need {describe(missing[0])}, which is not among the inputs; "
                "add it to inputs, or build the outputs from the inputs given"
            )

    def __deepcopy__(self, memo: dict[int, Any]) -> "Graph":
        inputs, outputs = deepcopy((self.inputs, self.outputs), memo)
        return Graph(inputs, outputs, self.name)

    @property
    def operations(self) -> tuple[Tensor, ...]:
        """The nodes that compute something: neither inputs nor constants."""
        ends = dict.fromkeys(self.inputs)
        return tuple(t for t in self.nodes if t.op is not None and t not in ends)

    def verify(self) -> "Graph":
        """Check that every node's shape and dtype are what its op's shape rule gives; returns the graph.

        Raises GraphError naming the first node that disagrees, or that comes before one of its inputs.
        """
        ends = dict.fromkeys(self.inputs)
        for k, t in enumerate(self.nodes):
            if t in ends or t.op is None:
                continue
            if any(self.ids.get(i, k) >= k for i in t.inputs):
                raise GraphError(f"{self.name}: node {k} ({t.op.name}) comes before one of its inputs")
            if t.value is not None or t.op.apply is not None:
                continue
            expected = t.op.infer(*[i.spec for i in t.inputs], **t.params)
            if not _agree(expected, t.spec):
                raise GraphError(f"{self.name}: node {k} ({t.op.name}) is {t.spec}, its rule gives {expected}")
        return self

    def evaluate(self, *values: Any) -> tuple[Any, ...]:
        """The outputs' arrays for these arrays of the inputs, node by node on NumPy; frees what is no longer needed."""
        self.check_values(values)
        if self._steps is None:
            self._steps = self._schedule()
        held: list[Any] = [None] * len(self.nodes)
        for k, t in enumerate(self.constants, len(self.inputs)):
            held[k] = t.value
        held[: len(values)] = values
        for forward, sources, params, target, dead in self._steps:
            held[target] = forward(*[held[k] for k in sources], **params)
            for k in dead:
                held[k] = None
        return tuple(held[self._slots[t]] for t in self.outputs)

    def _schedule(self) -> list[Step]:
        """What to run in order: forward, slots of its inputs, params, slot of its result, slots dead afterwards."""
        operations = self.operations
        order = [*self.inputs, *self.constants, *operations]
        self._slots = {t: k for k, t in reversed(list(enumerate(order)))}
        until = {i: k for k, t in enumerate(operations) for i in t.inputs}
        for t in self.outputs:
            until.pop(t, None)
        ends: list[list[int]] = [[] for _ in operations]
        for t, k in until.items():
            ends[k].append(self._slots[t])
        return [
            (t.op.eval, [self._slots[i] for i in t.inputs], t.params, self._slots[t], ends[k])  # type: ignore[union-attr]
            for k, t in enumerate(operations)
        ]

    def check_values(self, values: Sequence[Any]) -> None:
        """GraphError, ShapeError or DTypeError unless `values` fit the inputs."""
        if len(values) != len(self.inputs):
            raise GraphError(f"{self.name}: expected {len(self.inputs)} inputs, got {len(values)}")
        for t, value in zip(self.inputs, values):
            if len(value.shape) != t.ndim or any(
                isinstance(size, int) and size != got for size, got in zip(t.spec.shape, value.shape)
            ):
                raise ShapeError(f"{self.name}: input {describe(t)} got shape {tuple(value.shape)}")
            if value.dtype != t.dtype:
                raise DTypeError(f"{self.name}: input {describe(t)} is {t.dtype}, got {value.dtype}")

    def replay(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The same operations recorded again on other inputs; their outputs."""
        new: dict[Tensor, Any] = dict(zip(self.inputs, inputs))
        for t in self.nodes:
            if t in new:
                continue
            if t.op is None:
                new[t] = t
            elif t.op is PICK:
                new[t] = new[t.inputs[0]][t.params["index"]]
            else:
                new[t] = _again(t, tuple(new[i] for i in t.inputs))
        return tuple(new[t] for t in self.outputs)

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"<Graph {self.name}: {len(self.inputs)} inputs, {len(self.nodes)} nodes, {len(self.outputs)} outputs>"

    def _repr_svg_(self) -> str | None:
        return RENDERER.svg(self) if RENDERER.svg else None


def _again(t: Tensor, inputs: tuple[Tensor, ...]) -> Any:
    """The operation of a node on other inputs; without history where the node was recorded under no_grad."""
    op: Any = t.op
    quiet = not t.requires_grad and op.order != 0 and any(i.requires_grad for i in t.inputs)
    with recording(MODE.recording and not quiet):
        return record(op, inputs, t.params) if op.apply is None else op.apply(inputs, t.params)


def _agree(expected: Any, found: Any) -> bool:
    if not isinstance(expected, Spec):
        return len(expected) == len(found) and all(map(_agree, expected, found))
    same = all(not (isinstance(a, int) and isinstance(b, int)) or a == b for a, b in zip(expected.shape, found.shape))
    return expected.dtype == found.dtype and expected.ndim == found.ndim and same
