"""The scalar functions that kernel expressions name, for one dtype each.

They are free of branches, so that a loop around them is vectorised, and plain Python on NumPy scalars when the JIT is
off. Constants carry the dtype, because a bare `1` or `0.5` would widen the arithmetic. `elementary.py` holds the
transcendental ones.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

Scalar = Callable[..., Any]


def compiled(function: Scalar) -> Scalar:
    """Mark a function as one that kernels call: assignments and one `return`, written in place."""
    return function


@cache
def comparisons(T: Any) -> dict[str, Scalar]:
    """Functions of all dtypes. A NaN in either operand of an extreme is the result."""

    def maximum(a: Any, b: Any) -> Any:
        return a if (a >= b) | (a != a) else b

    def minimum(a: Any, b: Any) -> Any:
        return a if (a <= b) | (a != a) else b

    return {f.__name__: compiled(f) for f in (maximum, minimum)}


@cache
def integers(T: Any) -> dict[str, Scalar]:
    """Functions of integers, with NumPy's results where the processor would trap: x // 0 is 0, as is x % 0."""
    zero, one, bits = T(0), T(1), T(8 * np.dtype(T).itemsize)
    signed = np.dtype(T).kind == "i"
    minus_one = T(-1) if signed else T(0)

    def floor_divide(a: Any, b: Any) -> Any:
        trap = (b == zero) | (b == minus_one)
        quotient = a // (one if trap else b)
        return (zero if b == zero else zero - a) if trap else quotient

    def mod(a: Any, b: Any) -> Any:
        trap = (b == zero) | (b == minus_one)
        rest = a % (one if trap else b)
        return zero if trap else rest

    def fmod(a: Any, b: Any) -> Any:
        trap = (b == zero) | (b == minus_one)
        rest = a % (one if trap else b)
        other_side = (rest != zero) & ((a < zero) != (rest < zero))
        return zero if trap else (rest - b if other_side else rest)

    def left_shift(a: Any, b: Any) -> Any:
        inside = (b >= zero) & (b < bits)
        return a << (b if inside else zero) if inside else zero

    def right_shift(a: Any, b: Any) -> Any:
        inside = (b >= zero) & (b < bits)
        shifted = a >> (b if inside else zero)
        beyond = minus_one if signed & (a < zero) else zero
        return shifted if inside else beyond

    def sign(x: Any) -> Any:
        return (one if x > zero else zero) - (one if x < zero else zero)

    def isfinite(x: Any) -> Any:
        return x == x

    def invert(x: Any) -> Any:
        return ~x

    made = (floor_divide, mod, fmod, left_shift, right_shift, sign, isfinite, invert)
    return {f.__name__: compiled(f) for f in made} | _whole()


def _whole() -> dict[str, Scalar]:
    """Roundings of what is whole."""

    def same(x: Any) -> Any:
        return x

    return dict.fromkeys(("floor", "ceil", "trunc", "round"), compiled(same))


@cache
def booleans(T: Any) -> dict[str, Scalar]:
    """Functions of truth values."""

    def invert(x: Any) -> Any:
        return not x

    def isfinite(x: Any) -> Any:
        return x == x

    return {f.__name__: compiled(f) for f in (invert, isfinite)} | _whole()


@cache
def floats(T: Any) -> dict[str, Scalar]:
    """Functions of floats that the processor knows, or the C library."""
    zero, half, one, whole = T(0), T(0.5), T(1), T(2.0 ** np.finfo(T).nmant)

    def sqrt(x: Any) -> Any:
        return np.sqrt(x)

    def floor(x: Any) -> Any:
        return np.floor(x)

    def ceil(x: Any) -> Any:
        return np.ceil(x)

    def sign(x: Any) -> Any:
        return x if x != x else (one if x > zero else zero) - (one if x < zero else zero)

    def isfinite(x: Any) -> Any:
        return x - x == zero

    def trunc(x: Any) -> Any:
        return np.copysign(np.floor(abs(x)), x)

    def round(x: Any) -> Any:
        size = abs(x)
        # Beside numbers from `whole` on there is no room for fractions; adding it drops them, halves to even.
        y = (size + whole) - whole
        return np.copysign(y, x) if size < whole else x

    def mod(a: Any, b: Any) -> Any:
        rest = np.fmod(a, b)
        other_side = (rest != zero) & ((b < zero) != (rest < zero))
        return (rest + b if other_side else rest) if rest != zero else (np.copysign(rest, b) if b != zero else rest)

    def fmod(a: Any, b: Any) -> Any:
        return np.fmod(a, b)

    def signbit(x: Any) -> Any:
        return np.copysign(one, x) < zero

    def floor_divide(a: Any, b: Any) -> Any:
        rest = np.fmod(a, b)
        other_side = (rest != zero) & ((b < zero) != (rest < zero))
        quotient = (a - rest) / b - (one if other_side else zero)
        below = np.floor(quotient)
        rounded = below + one if quotient - below > half else below
        whole = rounded if quotient != zero else np.copysign(zero, a / b)
        return whole if b != zero else a / b

    made = (sqrt, floor, ceil, trunc, round, sign, isfinite, mod, fmod, signbit, floor_divide)
    return {f.__name__: compiled(f) for f in made}
