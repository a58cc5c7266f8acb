"""From what users ask to see (a tensor, a function with inputs, a program, a model) to a graph and its values."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.autodiff import FREED, facing, pullback
from ..engine.convert import as_tensor
from ..engine.graph import Graph, toposort
from ..engine.op import OPS
from ..engine.tensor import Tensor, describe, explain, leaf, recording, symbol, tracing
from ..engine.tree import flatten, unflatten
from ..engine.variable import Trace, Variable
from ..errors import ArgumentTypeError, AutogradError, GraphError, NotBuiltError, SymbolicError, short
from .scene import Kind

ACCEPTED = "a Tensor, a pair (function, example inputs), a jitted function, a Graph or a model"


@dataclass(slots=True)
class Subject:
    """A graph with what else is known of it.

    kinds:    what leaves are, where the leaves do not tell
    values:   arrays of nodes that have none themselves
    twins:    for leaves of a traced graph, the outside tensors they stand for
    """

    graph: Graph
    title: str
    kinds: dict[Tensor, Kind] = field(default_factory=dict)
    values: dict[Tensor, Any] = field(default_factory=dict)
    twins: dict[Tensor, Tensor] = field(default_factory=dict)

    def value(self, t: Tensor) -> Any:
        """The array of a node, None where it has none."""
        known = self.values.get(t)
        return t.value if known is None else known


def make_subject(obj: Any) -> Subject:
    """The graph of anything that can be drawn; ArgumentTypeError for anything else."""
    if isinstance(obj, Tensor):
        return _of_tensor(obj)
    if isinstance(obj, Graph):
        return Subject(obj, obj.name)
    if isinstance(obj, tuple) and len(obj) == 2 and callable(obj[0]):
        return _of_call(*obj)
    if hasattr(type(obj), "layers"):
        return _of_model(obj)
    graph = getattr(obj, "graph", None)
    if isinstance(graph, Graph):
        return Subject(graph, graph.name)
    name = getattr(obj, "__name__", short(obj))
    if hasattr(obj, "graph"):
        raise GraphError(f"plot_graph: {name} has no graph before its first call; call it, or pass ({name}, inputs)")
    if callable(obj):
        raise ArgumentTypeError(f"plot_graph: a function needs example inputs; pass ({name}, (x, y)) instead of {name}")
    raise ArgumentTypeError(f"plot_graph: expected {ACCEPTED}, got {short(obj)}")


def _of_tensor(t: Tensor) -> Subject:
    if t.op is FREED:
        raise GraphError(
            f"plot_graph: the graph of {describe(t)} was freed by backward(); "
            "draw it before, or call backward(retain_graph=True)"
        )
    order = toposort([t])
    leaves = [u for u in order if u.op is None]
    named = [u for u in leaves if u.name and not u.requires_grad and not isinstance(u, Variable)]
    name = t.name or (f"result of {t.op.name}" if t.op else "tensor")
    graph = Graph([u for u in leaves if u.value is None], [t], name)
    return Subject(graph, graph.name, dict.fromkeys(named, Kind.INPUT))


# --- a function with example inputs


def _of_call(function: Callable[..., Any], inputs: Any) -> Subject:
    args = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    name = str(getattr(function, "name", None) or getattr(function, "__name__", "function"))
    name = "function" if name == "<lambda>" else name
    names = _argument_names(function, args, name)
    leaves, structure = flatten(args)
    places = [k for k, x in enumerate(leaves) if isinstance(x, (Tensor, float)) or hasattr(x, "__array__")]
    given = [as_tensor(leaves[k], copy=False) for k in places]
    labels = [t.name or names[k] for k, t in zip(places, given)]

    def run(tensors: Sequence[Tensor]) -> list[Tensor]:
        filled = list(leaves)
        for k, t in zip(places, tensors):
            filled[k] = t
        return _results(function(*unflatten(structure, filled)), name)

    try:
        return _traced(run, given, labels, name)
    except SymbolicError:
        return _eager(run, given, labels, name)


def _argument_names(function: Callable[..., Any], args: tuple[Any, ...], name: str) -> list[str]:
    """A name per leaf of the arguments; ArgumentTypeError when the function does not take so many."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return [f"input[{k}]" for k in range(len(flatten(args)[0]))]
    try:
        bound = signature.bind(*args).arguments
    except TypeError as error:
        raise ArgumentTypeError(f"plot_graph: {name} does not take {len(args)} example inputs: {error}") from None
    names: list[str] = []
    for key, value in bound.items():
        word = "input" if signature.parameters[key].kind is inspect.Parameter.VAR_POSITIONAL else key
        count = len(flatten(value)[0])
        names += [word] if count == 1 else [f"{word}[{k}]" for k in range(count)]
    return names


def _results(result: Any, name: str) -> list[Tensor]:
    tensors = [x for x in flatten(result)[0] if isinstance(x, Tensor)]
    if not tensors:
        raise GraphError(f"plot_graph: {name} returned {short(result)}; there is a graph only where it returns tensors")
    return tensors


def _traced(
    run: Callable[[Sequence[Tensor]], list[Tensor]], given: list[Tensor], labels: list[str], name: str
) -> Subject:
    """All operations of a function, those without a gradient too."""
    symbols = [symbol(t.spec, t.dtype.kind == "f", label) for t, label in zip(given, labels)]
    trace = Trace()
    with tracing(trace), recording(True):
        outputs = run(symbols)
    twins = {twin: outside for outside, twin in trace.reads.items()}
    graph = Graph([*symbols, *twins], outputs, name)
    known = {t: given[k].value for k, t in enumerate(symbols)} | {t: u.value for t, u in twins.items()}
    graph = _only_used(graph, symbols)
    return Subject(graph, name, {}, _evaluate(graph, known), twins)


def _only_used(graph: Graph, arguments: Sequence[Tensor]) -> Graph:
    """The graph without the captured tensors that nothing reads."""
    used = dict.fromkeys(i for t in graph.nodes for i in t.inputs)
    ends = dict.fromkeys((*arguments, *graph.outputs))
    return Graph([t for t in graph.inputs if t in used or t in ends], graph.outputs, graph.name)


def _evaluate(graph: Graph, known: dict[Tensor, Any]) -> dict[Tensor, Any]:
    """The arrays of all nodes; none at all where an example input has no value."""
    if any(known.get(t) is None for t in graph.inputs):
        return {}
    found = dict(known)
    for t in graph.operations:
        values = [found.get(i, i.value) for i in t.inputs]
        try:
            found[t] = t.op.eval(*values, **t.params)  # type: ignore[union-attr]
        except Exception as error:
            raise explain(t.op, t.inputs, t.params, error) from None  # type: ignore[arg-type]
    return found


def _eager(
    run: Callable[[Sequence[Tensor]], list[Tensor]], given: list[Tensor], labels: list[str], name: str
) -> Subject:
    """The operations that a function with Python control flow on values ran."""
    leaves = [leaf(t.value, None, t.dtype.kind == "f", label) for t, label in zip(given, labels)]
    outputs = run(leaves)
    return Subject(Graph([], outputs, name), name, dict.fromkeys(leaves, Kind.INPUT))


# --- models


def _of_model(model: Any) -> Subject:
    graph = getattr(model, "graph", None)
    name = str(getattr(model, "name", "model"))
    if not isinstance(graph, Graph):
        raise NotBuiltError(
            f"plot_graph: model {short(name)} has no graph yet; give its first layer input_shape=..., "
            "or pass the pair (model, example inputs)"
        )
    try:
        return _expanded(graph, name)
    except AutogradError:
        return Subject(graph, name)


def _expanded(graph: Graph, name: str) -> Subject:
    """A model's graph with the operations inside its layers."""
    symbols = [symbol(t.spec, False, t.name) for t in graph.inputs]
    trace = Trace()
    with tracing(trace), recording(True):
        outputs = graph.replay(symbols)
    twins = {twin: outside for outside, twin in trace.reads.items()}
    whole = _only_used(Graph([*symbols, *twins], outputs, name), symbols)
    return Subject(whole, name, {}, {t: u.value for t, u in twins.items()}, twins)


# --- gradients


def gradients(subject: Subject) -> dict[Tensor, Any]:
    """The `.grad` of leaves and, for one scalar output, its gradient at every other node."""
    found = _at_nodes(subject)
    for t in subject.graph.nodes:
        outside = subject.twins.get(t, t)
        if outside.grad is not None and outside.grad.value is not None:
            found[t] = outside.grad.value
    return found


def _at_nodes(subject: Subject) -> dict[Tensor, Any]:
    outputs, inputs = subject.graph.outputs, subject.graph.inputs
    if len(outputs) != 1 or not outputs[0].requires_grad or any(subject.value(t) is None for t in inputs):
        return {}
    if outputs[0].op is None or outputs[0].op.many or outputs[0].shape not in ((), (1,)):
        return {}
    wrt = [t for t in subject.graph.nodes if t.requires_grad and not (t.op and t.op.many)]
    try:
        with recording(True):
            cotangent = OPS["ones_like"].call(outputs[0])  # type: ignore[misc]
            found = pullback(outputs, [cotangent], wrt, create_graph=bool(inputs))
            pairs = [(t, facing(g)) for t, g in zip(wrt, found) if g is not None]
        arrays = Graph(inputs, [g for _, g in pairs]).evaluate(*[subject.value(t) for t in inputs])
    except AutogradError:
        return {}
    return {t: array for (t, _), array in zip(pairs, arrays)}
