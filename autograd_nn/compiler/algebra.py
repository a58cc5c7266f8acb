"""Arithmetic with fewer and cheaper ops. Each rule keeps NaN, infinities and signed zeros; those that round otherwise
than before, by one unit in the last place, say so."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..engine.tensor import Tensor
from .rewrite import Rule, constant, make

Inputs = tuple[Tensor, ...]


def _is(t: Tensor, number: float) -> bool:
    return t.op is None and t.value is not None and t.value.shape == () and bool(t.value == number)


def _as(t: Tensor, x: Tensor) -> Tensor | None:
    """x, if it can stand where t stood."""
    return x if (x.spec.shape, x.spec.dtype) == (t.spec.shape, t.spec.dtype) else None


def _operand(x: Tensor, name: str) -> Tensor | None:
    """The operand of a unary op of that name."""
    return x.inputs[0] if x.op is not None and x.op.name == name else None


def _in_place(t: Tensor, name: str, *inputs: Tensor) -> Tensor | None:
    """The op of that name on these inputs, if all is of the dtype of t."""
    if any(i.spec.dtype != t.spec.dtype for i in inputs):
        return None
    op: Any = getattr(ops, name).op
    return make(op, inputs, {}, t)


def _add(t: Tensor, inputs: Inputs) -> Tensor | None:
    a, b = inputs
    minus_a, minus_b = _operand(a, "negative"), _operand(b, "negative")
    if minus_b is not None:
        return _in_place(t, "subtract", a, minus_b)
    return _in_place(t, "subtract", b, minus_a) if minus_a is not None else None


def _subtract(t: Tensor, inputs: Inputs) -> Tensor | None:
    a, b = inputs
    if _is(b, 0):
        return _as(t, a)
    minus_b = _operand(b, "negative")
    return _in_place(t, "add", a, minus_b) if minus_b is not None else None


def _multiply(t: Tensor, inputs: Inputs) -> Tensor | None:
    for x, y in (inputs, inputs[::-1]):
        if _is(y, 1):
            return _as(t, x)
        if _is(y, -1) and t.spec.dtype.kind in "if" and x.spec.shape == t.spec.shape:
            return _in_place(t, "negative", x)
        below = _operand(y, "reciprocal")
        if below is not None and below.spec.shape == t.spec.shape:
            # Rounds once instead of twice. An inverse per row is cheaper than a division per element, so it stays.
            return _in_place(t, "divide", x, below)
    a, b = (_operand(x, "negative") for x in inputs)
    if a is not None and b is not None:
        return _in_place(t, "multiply", a, b)
    return _in_place(t, "square", inputs[0]) if inputs[0] is inputs[1] else None


def _divide(t: Tensor, inputs: Inputs) -> Tensor | None:
    a, b = inputs
    if _is(b, 1):
        return _as(t, a)
    if t.spec.dtype.kind != "f" or a.spec.dtype != t.spec.dtype:
        return None
    inverse = _exact_inverse(b, t.spec.dtype)
    return None if inverse is None else _in_place(t, "multiply", a, inverse)


def _exact_inverse(b: Tensor, dtype: np.dtype[Any]) -> Tensor | None:
    """1 / b for a power of two: the only numbers by which division and multiplication round the same."""
    if b.op is not None or b.value is None or b.value.shape != () or b.spec.dtype != dtype:
        return None
    value = b.value[()]
    inverse = dtype.type(1) / value if value and np.isfinite(value) else value
    normal = abs(inverse) >= np.finfo(dtype).tiny
    return constant(np.asarray(inverse)) if normal and abs(np.frexp(value)[0]) == 0.5 and np.isfinite(inverse) else None


def _undone(t: Tensor, inputs: Inputs) -> Tensor | None:
    """f(f(x)) is x."""
    x = inputs[0]
    return _as(t, x.inputs[0]) if x.op is t.op else None


def _same(t: Tensor, inputs: Inputs) -> Tensor | None:
    """The extreme of a number and itself."""
    return _as(t, inputs[0]) if inputs[0] is inputs[1] else None


def _power(t: Tensor, inputs: Inputs) -> Tensor | None:
    """Small constant exponents are products and roots, as NumPy itself takes a root for 1/2; cubes round otherwise."""
    x, exponent = inputs
    if exponent.op is not None or exponent.value is None or exponent.value.shape != () or x.spec != t.spec:
        return None
    rule = _POWERS.get(float(exponent.value))
    if rule is None or (t.spec.dtype.kind != "f" and float(exponent.value) not in (1, 2, 3, 4)):
        return None
    return rule(t, x)


_POWERS: dict[float, Callable[[Tensor, Tensor], Tensor | None]] = {
    1.0: lambda t, x: x,
    2.0: lambda t, x: _in_place(t, "square", x),
    3.0: lambda t, x: _in_place(t, "multiply", ops.square(x), x),
    4.0: lambda t, x: _in_place(t, "square", ops.square(x)),
    0.5: lambda t, x: _in_place(t, "sqrt", x),
    -1.0: lambda t, x: _in_place(t, "reciprocal", x),
}

RULES: dict[str, Rule] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negative": _undone,
    "logical_not": _undone,
    "maximum": _same,
    "minimum": _same,
    "power": _power,
}
