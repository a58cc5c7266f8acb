"""A graph as text, one node per line: what each pass made of it."""

from typing import Any

from ..engine.graph import Graph
from ..engine.spec import Spec
from ..engine.tensor import Tensor

_INDENT = "    "


def show(graph: Graph) -> str:
    """The nodes of a graph in order: number, op, inputs, params, shape and dtype; graphs in params below their node.

    >>> import autograd_nn as ag
    >>> from autograd_nn.compiler import show
    >>> f = ag.jit(lambda x: ag.ops.tanh(x) * x)
    >>> _ = f(ag.tensor([0.0]))
    >>> print(show(f.graph))
    function(%0 float32[1])
        %1 = tanh(%0)  float32[1]
        %2 = multiply(%1, %0)  float32[1]
        return %2
    """
    return "\n".join(_lines(graph, ""))


def _lines(graph: Graph, indent: str) -> list[str]:
    names = {t: f"%{k}" for k, t in enumerate((*dict.fromkeys(graph.inputs), *graph.operations))}
    names.update({t: _number(t) for t in graph.constants})
    head = ", ".join(f"{names[t]} {_spec(t.spec)}" for t in graph.inputs)
    lines = [f"{indent}{graph.name}({head})"]
    inside = indent + _INDENT
    for t in graph.operations:
        op: Any = t.op
        given = [names[i] for i in t.inputs]
        given += [f"{key}={value!r}" for key, value in t.params.items() if not _graphs(value) and not callable(value)]
        lines.append(f"{inside}{names[t]} = {op.name}({', '.join(given)})  {_spec(t.spec)}")
        for part in t.params.values():
            for g in _graphs(part):
                lines += _lines(g, inside + _INDENT)
    lines.append(f"{inside}return {', '.join(names[t] for t in graph.outputs)}")
    return lines


def _graphs(value: Any) -> tuple[Graph, ...]:
    if isinstance(value, Graph):
        return (value,)
    return tuple(g for part in value for g in _graphs(part)) if isinstance(value, tuple) else ()


def _number(t: Tensor) -> str:
    value: Any = t.value
    return f"{value.dtype}({value})" if value.size == 1 else f"constant {_spec(t.spec)}"


def _spec(spec: Any) -> str:
    if not isinstance(spec, Spec):
        return " ".join(map(_spec, spec))
    return f"{spec.dtype}[{', '.join(str(size) if isinstance(size, int) else '?' for size in spec.shape)}]"
