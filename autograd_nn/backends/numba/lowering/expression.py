"""From elementwise nodes to the lines of a loop's body: one typed assignment per node."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ....engine.graph import Graph
from ....engine.spec import Spec, promote
from ....engine.tensor import Tensor
from ..functions.elementary import elementary
from ..functions.scalars import booleans, comparisons, floats, integers
from ..machine.kernel import interpreted

_LITERAL = re.compile(r"(?<![\w.{])(\d+)(?![\w.}])")
_CALL = re.compile(r"\b([a-z]\w*)\(")
_VARIABLE = re.compile(r"\bv\d+\b")
_BUILT_IN = ("abs",)


class Body(NamedTuple):
    """The statements of one element's work: reads `v0..`, its operands in order; `results` name what it gives."""

    lines: tuple[str, ...]
    results: tuple[str, ...]
    names: dict[str, Any]


def uses(body: Body, variable: str) -> bool:
    """Whether a body reads that variable."""
    return variable in _variables(body.lines, body.results)


@lru_cache(4096)
def _variables(lines: tuple[str, ...], results: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for line in (*lines, *results) for name in _VARIABLE.findall(line))


def split(body: Body, known: Sequence[str]) -> tuple[list[str], Body]:
    """The lines of a body that read nothing but `known` variables and one another, and the body without them."""
    found, first, rest = set(known), [], []
    for line in body.lines:
        name, _, expression = line.partition(" = ")
        if found.issuperset(_VARIABLE.findall(expression)):
            found.add(name)
            first.append(line)
        else:
            rest.append(line)
    return first, body._replace(lines=tuple(rest))


def table(dtype: np.dtype[Any]) -> dict[str, Callable[..., Any]]:
    """The functions that an expression in `dtype` may name."""
    T: Any = dtype.type
    if dtype.kind == "f":
        return {**comparisons(T), **floats(T), **elementary(T)}
    return {**comparisons(T), **(booleans(T) if dtype.kind == "b" else integers(T))}


def graph_body(graph: Graph) -> Body:
    """The body that computes the outputs of an elementwise graph from its inputs and constants, in that order."""
    variable = {t: f"v{k}" for k, t in enumerate((*graph.inputs, *graph.constants))}
    lines: list[str] = []
    names: dict[str, Any] = {}
    for t in graph.operations:
        variable[t] = f"v{len(variable)}"
        lines.append(f"{variable[t]} = {statement(t, [variable[i] for i in t.inputs], names)}")
    return Body(tuple(lines), tuple(variable[t] for t in graph.outputs), names)


def node_body(t: Tensor) -> Body:
    """The body of a single elementwise node."""
    names: dict[str, Any] = {}
    count = len(t.inputs)
    line = f"v{count} = {statement(t, [f'v{k}' for k in range(count)], names)}"
    return Body((line,), (f"v{count}",), names)


def copy_body() -> Body:
    """The body that hands its operand on."""
    return Body((), ("v0",), {})


def cast_body(dtype: np.dtype[Any]) -> Body:
    """The body that hands its operand on in another dtype."""
    return Body((), (f"np.{dtype.name}(v0)",), {})


def statement(t: Tensor, operands: Sequence[str], names: dict[str, Any]) -> str:
    """One node's expression in the dtype in which NumPy computes it, converted to the dtype of its result."""
    op: Any = t.op
    specs = [i.spec for i in t.inputs]
    result = t.spec.dtype
    if op.family == "broadcast":
        return operands[0]
    if op.family == "cast":
        halves = np.dtype(np.float16) in (result, specs[0].dtype)
        given = f"np.float32({operands[0]})" if halves else operands[0]
        return f"{given} != 0" if result.kind == "b" else f"np.{result.name}({given})"
    if op.name == "where":
        chosen = operands[0] if specs[0].dtype.kind == "b" else f"({operands[0]} != 0)"
        typed = [_typed(o, s.dtype, result) for o, s in zip(operands[1:], specs[1:])]
        return op.emit.format(chosen, *typed)
    work = work_dtype(op, specs, result)
    typed = [_typed(o, s.dtype, work) for o, s in zip(operands, specs)]
    text = _functions(_LITERAL.sub(rf"np.{work.name}(\1)", op.emit), work, names).format(*typed)
    return f"np.{result.name}({text})"


def work_dtype(op: Any, specs: Sequence[Spec], result: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which an op computes: that of its operands where it gives truth values, else that of its result.

    float16 is computed in float32 and rounded after each op, as NumPy does.
    """
    found = promote(*[s.dtype for s in specs]) if result.kind == "b" else result
    return np.dtype(np.float32) if found == np.float16 else found


def computable(t: Tensor) -> bool:
    """Whether an elementwise node has an expression for its dtypes.

    Left to NumPy: powers of integers, which raise for negative exponents; int64 beside uint64, which NumPy compares
    exactly although their common dtype is a float; float64 to float16, which processors round twice; float16 where
    Numba runs the kernels, which does not have it.
    """
    op: Any = t.op
    dtypes = [*(i.spec.dtype for i in t.inputs), t.spec.dtype]
    if np.dtype(np.float16) in dtypes and ((dtypes[0] == np.float64 and op.family == "cast") or interpreted()):
        return False
    if op.name == "power":
        return t.spec.dtype.kind == "f"
    mixed = {d.kind for d in dtypes[:-1]} >= {"i", "u"} and any(d.kind == "u" and d.itemsize == 8 for d in dtypes)
    return (not mixed or op.family == "cast") and known(t)


def known(t: Tensor) -> bool:
    """Whether a node has an expression, of which all functions exist for its dtype."""
    op: Any = t.op
    if op.family not in ("unary", "binary"):
        return True
    if "{0}" not in op.emit or any(t.params.values()):
        return False
    functions = table(work_dtype(op, [i.spec for i in t.inputs], t.spec.dtype))
    return all(name in functions or name in _BUILT_IN for name in _CALL.findall(op.emit))


def _typed(operand: str, dtype: np.dtype[Any], work: np.dtype[Any]) -> str:
    return operand if dtype == work else f"np.{work.name}({operand})"


def _functions(text: str, dtype: np.dtype[Any], names: dict[str, Any]) -> str:
    """The calls in an expression, renamed to the functions of this dtype."""
    known = table(dtype)

    def rename(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in _BUILT_IN or text[match.start() - 1 : match.start()] == ".":
            return match.group(0)
        names[f"{name}_{dtype.name}"] = known[name]
        return f"{name}_{dtype.name}("

    return _CALL.sub(rename, text)
