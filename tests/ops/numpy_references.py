"""Plain formulas for ops that NumPy has under another name or not at all: elementwise functions and activations."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any


def each(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """A function of one Python float, applied to every element."""

    def run(x: Array) -> Array:
        return np.array([function(float(v)) for v in np.ravel(x)], np.float64).reshape(np.shape(x))

    return run


def saturate_cast(x: Array, dtype: str) -> Array:
    if dtype == "bool":
        return np.clip(x, 0, 1).astype(bool)
    limits = np.finfo(dtype) if dtype.startswith("f") else np.iinfo(dtype)
    clipped = [min(max(v, limits.min), limits.max) for v in np.ravel(x).tolist()]
    return np.array(clipped, dtype).reshape(np.shape(x))


def glu(x: Array, axis: int = -1) -> Array:
    a, b = np.split(x, 2, axis)
    return a / (1 + np.exp(-b))


def sparsemax(x: Array, axis: int = -1) -> Array:
    """max(x - level, 0), the level found by bisection so that the sum is 1."""
    low, high = x.min(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(200):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


def bessel_i(x: Array, order: int) -> Array:
    """The power series (Abramowitz and Stegun 9.6.10), whose terms have one sign."""
    term = np.where(x < 0, -1.0, 1.0) ** order * np.abs(x / 2) ** order / math.factorial(order)
    total = np.zeros_like(x)
    for k in range(1, 150):
        total = total + term
        term = term * np.square(x / 2) / (k * (k + order))
    return total


NUMPY_REFERENCES: dict[str, Callable[..., Any]] = {
    "bessel_i": bessel_i,
    "celu": each(lambda v: max(v, 0) + min(0, math.exp(v) - 1)),
    "erfc": each(math.erfc),
    "glu": glu,
    "hard_shrink": each(lambda v: v if abs(v) > 0.5 else 0),
    "hard_silu": each(lambda v: v * min(max(v / 6 + 0.5, 0), 1)),
    "hard_tanh": each(lambda v: min(max(v, -1), 1)),
    "rsqrt": each(lambda v: v**-0.5),
    "saturate_cast": saturate_cast,
    "soft_shrink": each(lambda v: math.copysign(max(abs(v) - 0.5, 0), v)),
    "sparse_plus": each(lambda v: 0 if v <= -1 else v if v >= 1 else (v + 1) ** 2 / 4),
    "sparse_sigmoid": each(lambda v: min(max((v + 1) / 2, 0), 1)),
    "sparsemax": sparsemax,
    "squareplus": each(lambda v: (v + math.hypot(v, 2)) / 2),
    "tanh_shrink": each(lambda v: v - math.tanh(v)),
    "threshold": lambda x, limit, value: np.where(x > limit, x, value),
}
