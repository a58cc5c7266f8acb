"""tanh, sinh, cosh and their inverses, made of exponentials and logarithms."""

from typing import Any

import numpy as np

from .scalars import Scalar, compiled

ULP = {"tanh": (3, 3), "sinh": (3, 3), "cosh": (3, 3), "arcsinh": (2, 2), "arccosh": (3, 3), "arctanh": (3, 3)}


def hyperbolic(T: Any, base: dict[str, Scalar]) -> dict[str, Scalar]:
    """The hyperbolic functions of dtype `T`; `base` holds its exponentials and logarithms."""
    return {**_forward(T, base), **_inverse(T, base)}


def _forward(T: Any, base: dict[str, Scalar]) -> dict[str, Scalar]:
    exp, expm1, expm1_rising = base["exp"], base["expm1"], base["expm1_rising"]
    zero, half, one, two = T(0), T(0.5), T(1), T(2)
    flat = T(22.0) if T is np.float64 else T(10.0)

    def tanh(x: Any) -> Any:
        size = abs(x)
        t = expm1_rising(two * (flat if size > flat else size))
        return np.copysign(t / (t + two), x)

    def sinh(x: Any) -> Any:
        size = abs(x)
        t = expm1(size if size < flat else flat)
        root = exp(half * size)
        small, large = half * (t + t / (t + one)), (half * root) * root
        y = small if size < flat else large
        return x if (x != x) | (x == zero) else (-y if x < zero else y)

    def cosh(x: Any) -> Any:
        size = abs(x)
        e = exp(size if size < flat else flat)
        root = exp(half * size)
        small, large = half * e + half / e, (half * root) * root
        return small if size < flat else large

    return {f.__name__: compiled(f) for f in (tanh, sinh, cosh)}


def _inverse(T: Any, base: dict[str, Scalar]) -> dict[str, Scalar]:
    log, log1p = base["log"], base["log1p"]
    zero, half, one, two, ln2, nothing = T(0), T(0.5), T(1), T(2), T(np.log(2)), T(np.nan)
    # From here on 1 is lost beside the square.
    wide = T(2.0**14) if T is np.float32 else T(2.0**28)

    def arcsinh(x: Any) -> Any:
        size = abs(x)
        s = size if size < wide else wide
        square = s * s
        y = log1p(s + square / (one + np.sqrt(one + square))) if size < wide else log(size) + ln2
        return x if (x != x) | (x == zero) else np.copysign(y, x)

    def arccosh(x: Any) -> Any:
        t = (x if x < wide else wide) - one
        y = log1p(t + np.sqrt(two * t + t * t)) if x < wide else log(x) + ln2
        return nothing if x < one else y

    def arctanh(x: Any) -> Any:
        size = abs(x)
        y = half * log1p(two * size / (one - size))
        return x if x == zero else np.copysign(y, x)

    return {f.__name__: compiled(f) for f in (arcsinh, arccosh, arctanh)}
