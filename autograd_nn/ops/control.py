"""Ops whose params hold a Graph: a call that is one node, differentiated as a whole."""

from collections.abc import Callable, Sequence
from typing import Any

from ..engine.autodiff import pullback
from ..engine.graph import Graph
from ..engine.op import Op
from ..engine.spec import INEXACT, Spec
from ..engine.tensor import Tensor, record, recording, symbol, tracing

Runner = Callable[..., tuple[Any, ...]]
Compiler = Callable[[Graph], Runner]


def _evaluate(*values: Any, graph: Graph, compiler: Compiler) -> tuple[Any, ...]:
    runner = graph.derived.get("runner")
    if runner is None:
        runner = graph.derived["runner"] = compiler(graph)
    return runner(*values)


def _infer(*specs: Spec, graph: Graph, compiler: Compiler | None) -> tuple[Spec, ...]:
    if all(spec == t.spec for spec, t in zip(specs, graph.inputs)):
        return tuple(t.spec for t in graph.outputs)
    with tracing(None):
        return tuple(t.spec for t in graph.replay([symbol(spec) for spec in specs]))


def pullback_graph(graph: Graph) -> tuple[Graph, tuple[int, ...]]:
    """The graph from (cotangents of the outputs, inputs) to the cotangents of inputs, and which inputs these are."""
    found = graph.derived.get("pullback")
    if found is None:
        found = graph.derived["pullback"] = _make_pullback(graph)
    return found


def _make_pullback(graph: Graph) -> tuple[Graph, tuple[int, ...]]:
    with tracing(None), recording(True):
        inputs = [symbol(t.spec, requires_grad=t.dtype.kind in INEXACT, name=t.name) for t in graph.inputs]
        outputs = graph.replay(inputs)
        cotangents = [symbol(t.spec, requires_grad=t.dtype.kind in INEXACT) for t in outputs]
        wrt = [t for t in inputs if t.requires_grad]
        grads = pullback(outputs, cotangents, wrt)
    by_input = dict(zip(wrt, grads))
    which = tuple(k for k, t in enumerate(inputs) if by_input.get(t) is not None)
    found = [by_input[inputs[k]] for k in which]
    return Graph([*cotangents, *inputs], found, f"{graph.name}_pullback"), which  # type: ignore[arg-type]


def _vjp(g: Sequence[Tensor], y: Any, *inputs: Tensor, graph: Graph, compiler: Compiler) -> tuple[Tensor | None, ...]:
    backward, which = pullback_graph(graph)
    found: list[Tensor | None] = [None] * len(inputs)
    if which:
        for k, gradient in zip(which, call(backward, (*g, *inputs), compiler)):
            found[k] = gradient
    return tuple(found)


CALL = Op("call", eval=_evaluate, infer=_infer, vjp=_vjp, emit="call", many=True, family="control", complex=True)


def _fused_infer(*specs: Spec, graph: Graph) -> Any:
    found = _infer(*specs, graph=graph, compiler=None)
    return found if len(found) > 1 else found[0]


def _inlined(name: str) -> tuple[Op, Op]:
    """An op that is what the graph in its params says, with one result and with several."""
    one = Op(name, eval=lambda *v, graph: graph.evaluate(*v)[0], infer=_fused_infer, emit=name, family="control")
    many = Op(
        name, eval=lambda *v, graph: graph.evaluate(*v), infer=_fused_infer, emit=name, family="control", many=True
    )
    return one, many


# Elementwise nodes that are one loop, and nodes that go through an array row by row.
FUSED, FUSED_MANY = _inlined("fused")
ROWS, ROWS_MANY = _inlined("rows")
# Ops of one number per row that only write a shape in another way, and ops whose second operand only lends its shape.
VIEWS = ("expand_dims", "squeeze", "reshape", "reshape_like")
_LIKE = ("broadcast_like", "reshape_like", "unbroadcast")


def operands(t: Tensor) -> tuple[Tensor, ...]:
    """The inputs of a node of a row program whose values it needs."""
    return t.inputs[:1] if t.op is not None and t.op.name in _LIKE else t.inputs


def call(graph: Graph, inputs: Sequence[Tensor], compiler: Compiler) -> tuple[Tensor, ...]:
    """The outputs of `graph` on `inputs` as one node, run by what `compiler` makes of the graph.

    Its gradient is a call of the graph's own pullback, which computes the forward again.
    """
    return record(CALL, tuple(inputs), {"graph": graph, "compiler": compiler})
