"""Joining two numbers of a sum, a product or an extreme in whatever order is fastest.

LLVM keeps the order of floating-point additions, so that it cannot add up a row in vectors. These functions let it
choose another order, once, when it compiles: what a kernel computes is the same in every run.
"""

from collections.abc import Callable
from typing import Any

from . import arithmetic
from .arithmetic import Value


def add(a: Any, b: Any) -> Any:
    return a + b


def multiply(a: Any, b: Any) -> Any:
    return a * b


def maximum(a: Any, b: Any) -> Any:
    return a if (a >= b) | (a != a) else b


def minimum(a: Any, b: Any) -> Any:
    return a if (a <= b) | (a != a) else b


def _any_order(name: str) -> Callable[..., Value]:
    def write(builder: Any, a: Value, b: Value) -> Value:
        x, y, dtype = arithmetic.meet(builder, a, b)
        return Value(getattr(builder, name)(x, y, flags=("reassoc", "nsz")), dtype)

    return write


def _extreme(name: str) -> Callable[..., Value]:
    def write(builder: Any, a: Value, b: Value) -> Value:
        x, y, dtype = arithmetic.meet(builder, a, b)
        return Value(arithmetic.call(builder, f"llvm.{name}", x.type, [x, y]), dtype)

    return write


# What the compiler writes for each, of floats.
WRITTEN: dict[Any, Callable[..., Value]] = {
    add: _any_order("fadd"),
    multiply: _any_order("fmul"),
    maximum: _extreme("maximum"),
    minimum: _extreme("minimum"),
}
JOINS = {f.__name__: f for f in WRITTEN}
