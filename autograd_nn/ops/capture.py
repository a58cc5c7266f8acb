"""Functions as Graphs: what a body computes, and the tensors outside that it needs."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..engine.convert import as_tensor
from ..engine.graph import Graph
from ..engine.spec import Spec, default_float, promote
from ..engine.tensor import Tensor, describe, recording, symbol, tick, tracing
from ..engine.tree import Structure, flatten, unflatten
from ..engine.variable import Trace
from ..errors import ArgumentTypeError, DTypeError, GraphError, ShapeError, short
from .family import differ

Specs = Sequence[Spec]


class _Body(Trace):
    """The trace of a body. Floats that it reads can be differentiated, whoever asks later."""

    def __init__(self, what: str, assigns: bool) -> None:
        super().__init__()
        self.what = what
        self.assigns = assigns

    def read(self, outside: Tensor) -> Tensor:
        found = self.writes.get(outside, self.reads.get(outside))
        if found is None:
            found = self.reads[outside] = placeholder(outside.spec, outside.name)
            found.site = outside.site
        return found

    def write(self, outside: Tensor, value: Any) -> None:
        if not self.assigns:
            raise GraphError(
                f"{self.what}: {describe(outside)} is assigned inside the loop, which would keep the last value only; "
                "make it part of the carry and assign it after the loop"
            )
        super().write(outside, value)


def placeholder(spec: Spec, name: str | None = None) -> Tensor:
    """A leaf without a value that stands for a tensor of that spec, differentiable if it is a float."""
    return symbol(spec, requires_grad=spec.dtype.kind == "f", name=name)


class Piece(NamedTuple):
    """A traced function: its inputs, its outputs, and what stands for each tensor from outside that it needs.

    weak: per output whether it was a Python number, whose dtype may still adapt
    """

    inputs: list[Tensor]
    outputs: list[Tensor]
    structure: Structure
    weak: list[bool]
    needs: dict[Tensor, Tensor]
    trace: Trace

    def graph(self, outside: Sequence[Tensor], outputs: Sequence[Tensor], name: str) -> Graph:
        """The Graph from the inputs, followed by what stands for the tensors `outside`, to `outputs`."""
        stand = [self.needs[t] if t in self.needs else placeholder(t.spec, t.name) for t in outside]
        graph = Graph([*self.inputs, *stand], outputs, name)
        if not any(a is b for a, b in zip(stand, outside)):
            return graph
        # A tensor of the graph around it must not be an input itself: the body would keep that graph alive.
        with tracing(None), recording(True):
            fresh = [placeholder(t.spec, t.name) for t in graph.inputs]
            return Graph(fresh, graph.replay(fresh), name)


def traced(f: Callable[..., Any], specs: Specs, structure: Structure, what: str, assigns: bool = False) -> Piece:
    """`f` traced once on tensors of these specs, which are the leaves of its arguments.

    assigns: whether Variables may be assigned inside
    Raises ArgumentTypeError for results that are no tensors, GraphError for an assignment that is not allowed.
    """
    start, trace = tick(), _Body(what, assigns)
    inputs = [placeholder(spec) for spec in specs]
    with tracing(trace), recording(True):
        found, result = flatten(f(*unflatten(structure, inputs)))
        outputs = [_output(x, trace, what) for x in found]
    weak = [isinstance(x, (bool, int, float)) for x in found]
    edge = _edge([*outputs, *trace.writes.values()], start)
    return Piece(inputs, outputs, result, weak, {**trace.reads, **{t: t for t in edge}}, trace)


def _output(x: Any, trace: Trace, what: str) -> Tensor:
    try:
        t = as_tensor(x)
    except TypeError:
        raise ArgumentTypeError(
            f"{what}: the function returned {short(x)}; return tensors, numbers, or nests of them"
        ) from None
    return trace.read(t) if t.value is not None and t.requires_grad else t


def _edge(outputs: Sequence[Tensor], start: int) -> list[Tensor]:
    """The tensors without a value that were made before `start` and that what was made since uses."""
    seen: dict[Tensor, None] = {}
    stack = list(reversed(outputs))
    while stack:
        t = stack.pop()
        if t.value is None and t not in seen:
            seen[t] = None
            stack.extend(reversed(t.inputs if t.stamp >= start else ()))
    return [t for t in seen if t.stamp < start]


class Carry(NamedTuple):
    """Values that a loop hands from step to step, and the piece that makes the next ones."""

    values: list[Tensor]
    piece: Piece


def settled(trace: Callable[[Specs], Piece], leaves: Sequence[Any], what: str) -> Carry:
    """The piece of a loop whose first results replace its first arguments, with start values of the right dtype.

    Python numbers among the start values take the dtype that the loop gives them.
    Raises GraphError, ShapeError or DTypeError when a result cannot replace its argument.
    """
    values = [as_tensor(x) for x in leaves]
    piece = trace([t.spec for t in values])
    weak = [isinstance(x, (bool, int, float)) for x in leaves]
    wanted = _adapted(values, piece, weak)
    while wanted != [t.dtype for t in values]:
        values = [as_tensor(x, dtype) if w else v for x, v, dtype, w in zip(leaves, values, wanted, weak)]
        piece = trace([t.spec for t in values])
        wanted = _adapted(values, piece, weak)
    for k, (value, new) in enumerate(zip(values, piece.outputs)):
        _check_kept(k, value, new, what)
    return Carry(values, piece)


def _adapted(values: Sequence[Tensor], piece: Piece, weak: Sequence[bool]) -> list[Any]:
    """The dtypes that start values should have: Python numbers rise towards what a step makes of them."""
    return [_risen(v.dtype, t.dtype) if w else v.dtype for v, t, w in zip(values, piece.outputs, weak)]


def _risen(now: Any, made: Any) -> Any:
    """The next dtype to try: a whole number beside floats becomes a default float first, as in other operations."""
    if now.kind != "f" and made.kind == "f":
        return default_float()
    return promote(now, made)


def _check_kept(k: int, value: Tensor, new: Tensor, what: str) -> None:
    message = (
        f"{what}: value {k} of the carry is {value.spec}, after a step {new.spec}; it must keep its shape and dtype"
    )
    if differ(value.spec.shape, new.spec.shape):
        raise ShapeError(message)
    if value.dtype != new.dtype:
        raise DTypeError(f"{message}: cast one of them")


def inferred(graph: Graph, specs: Specs) -> list[Spec]:
    """The specs of a graph's outputs for inputs of other specs."""
    if all(spec == t.spec for spec, t in zip(specs, graph.inputs)):
        return [t.spec for t in graph.outputs]
    with tracing(None):
        return [t.spec for t in graph.replay([symbol(spec) for spec in specs])]


def check_function(f: Any, what: str, name: str) -> None:
    """ArgumentTypeError unless `f` can be called."""
    if not callable(f):
        raise ArgumentTypeError(f"{what}: {name} must be a function, got {short(f)}")
