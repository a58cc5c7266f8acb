"""What kind of number an element is, comparison within a tolerance, and arithmetic that minds NaN and zero."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor, pair
from ..engine.op import Bad, Sample
from ..engine.spec import as_dtype
from ..engine.tensor import Tensor, refuse_complex
from ..errors import ArgumentTypeError, short
from .domain import DATES, Rng, Values, cases, distinct, integers, reals, unary_domain
from .elementwise import abs as magnitude
from .elementwise import cast, equal, greater_equal, isfinite, isnan, less_equal, maximum, minimum, trunc, where, zeros
from .family import binary, composite, unary
from .reduction import all

_FREE = reals(-3, 3)

# --- kinds of numbers

isinf = unary(
    "isinf",
    np.isinf,
    emit="({0} == {0}) != isfinite({0})",
    domain=_FREE,
    doc="Whether x is infinite, of either sign.",
)
signbit = unary(
    "signbit", np.signbit, emit="signbit({0})", domain=_FREE, doc="Whether the sign is minus, also that of -0.0."
)


@composite(reference=np.isposinf, domain=unary_domain(_FREE), order=0)
def isposinf(x: Any) -> Tensor:
    """Whether x is +inf.

    >>> import autograd_nn as ag
    >>> ag.ops.isposinf([float("inf"), float("-inf"), 1.0]).tolist()
    [True, False, False]
    """
    return greater_equal(as_tensor(x), np.inf)


@composite(reference=np.isneginf, domain=unary_domain(_FREE), order=0)
def isneginf(x: Any) -> Tensor:
    """Whether x is -inf.

    >>> import autograd_nn as ag
    >>> ag.ops.isneginf([float("inf"), float("-inf"), 1.0]).tolist()
    [False, True, False]
    """
    return less_equal(as_tensor(x), -np.inf)


def _inexact(x: Any) -> Tensor:
    """x as a tensor, integers and bools as float64: what NumPy computes in."""
    x = as_tensor(x)
    return x if x.dtype.kind == "f" else cast(x, "float64")


# --- comparison within a tolerance


def _tolerance(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ArgumentTypeError(f"{what} must be a number such as 1e-5, got {short(value)}")
    return float(value)


def _close_samples(rng: Rng) -> list[Sample]:
    x = rng.normal(size=(3, 4))
    special = np.array([np.nan, np.inf, -np.inf, 1.0])
    return [
        Sample((x, x + rng.normal(size=(3, 4)) * 1e-5), {}, False), Sample((x, x[0] * 1.001, 1e-2), {}, False),
        Sample((special, special), {}, False), Sample((special, special), {"equal_nan": True}, False),
        Sample((special, special[::-1].copy(), 0.0, 1.0), {}, False), Sample((np.array(3), np.array(3)), {}, False),
        Sample((np.ones((0, 2)), np.ones(2)), {}, False),
    ]  # fmt: skip


def _close_errors() -> list[Bad]:
    return [
        Bad((np.ones(2), np.ones(3)), {}, ValueError), Bad((np.ones(2), np.array(["a", "b"])), {}, TypeError),
        Bad((np.ones(2), np.ones(2)), {"rtol": "1e-5"}, TypeError),
        Bad((np.ones(2), np.ones(2), 0, None), {}, TypeError),
    ]  # fmt: skip


@composite(reference=np.isclose, domain=cases(_close_samples, _close_errors), order=0)
def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |x1 - x2| <= atol + rtol * |x2|, element by element; infinities are close to themselves only.

    x1, x2: tensors, arrays or numbers that broadcast. equal_nan: whether NaN is close to NaN.

    >>> import autograd_nn as ag
    >>> ag.ops.isclose([1.0, 2.0], [1.000001, 2.1]).tolist()
    [True, False]
    """
    a, b = (_inexact(x) for x in pair(x1, x2))
    within = magnitude(a - b) <= magnitude(b) * _tolerance(rtol, "isclose: rtol") + _tolerance(atol, "isclose: atol")
    close = within & isfinite(a) & isfinite(b) | equal(a, b)
    return close | isnan(a) & isnan(b) if equal_nan else close


@composite(
    reference=lambda *args, **kwargs: np.bool_(np.allclose(*args, **kwargs)),
    domain=cases(_close_samples, _close_errors),
    order=0,
)
def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether all elements of x1 and x2 are close, as `isclose` says.

    >>> import autograd_nn as ag
    >>> bool(ag.ops.allclose([1.0, 2.0], [1.0, 2.0000001]))
    True
    """
    return all(isclose(x1, x2, rtol, atol, equal_nan))


# --- extremes and quotients


def _wins(a: Tensor, b: Tensor) -> Tensor:
    """1 where a is larger, 1/2 at ties, 0 elsewhere and beside NaN."""
    return (cast(a > b, a.dtype) + cast(a >= b, a.dtype)) * 0.5


def _first(a: Tensor, b: Tensor, larger: bool) -> Tensor:
    """The share of a in fmax or fmin of a and b."""
    return where(isnan(b), 1, _wins(a, b) if larger else _wins(b, a))


def _second(a: Tensor, b: Tensor, larger: bool) -> Tensor:
    """The share of b: what the share of a leaves."""
    return 1 - _first(a, b, larger)


fmax = binary(
    "fmax",
    np.fmax,
    partials=(lambda g, y, a, b: g * _first(a, b, True), lambda g, y, a, b: g * _second(a, b, True)),
    emit="{0} if ({0} >= {1}) | ({1} != {1}) else {1}",
    domain=(distinct(-3, 3), distinct(-2.9, 3.3)),
    doc="The larger of x1 and x2, or the one that is not NaN; at a tie the gradient is split evenly.",
)
fmin = binary(
    "fmin",
    np.fmin,
    partials=(lambda g, y, a, b: g * _first(a, b, False), lambda g, y, a, b: g * _second(a, b, False)),
    emit="{0} if ({0} <= {1}) | ({1} != {1}) else {1}",
    domain=(distinct(-3, 3), distinct(-2.9, 3.3)),
    doc="The smaller of x1 and x2, or the one that is not NaN; at a tie the gradient is split evenly.",
)
fmod = binary(
    "fmod",
    np.fmod,
    partials=(lambda g, y, a, b: g, lambda g, y, a, b: -g * trunc(a / b)),
    emit="fmod({0}, {1})",
    domain=(reals(-0.9, 0.9, away=(0,)), reals(1, 2)),
    doc="The remainder of x1 / x2, with the sign of x1.",
)
heaviside = binary(
    "heaviside",
    np.heaviside,
    partials=(lambda g, y, a, b: zeros(g), lambda g, y, a, b: where(equal(a, 0), g, 0)),
    emit="{1} if {0} == 0 else (1 if {0} > 0 else ({0} if {0} != {0} else 0))",
    domain=(reals(-3, 3, away=(0,)), _FREE),
    doc="0 where x1 is negative, 1 where it is positive, and x2 where it is 0.",
)
ldexp = binary(
    "ldexp",
    np.ldexp,
    partials=(lambda g, y, a, b: ldexp(g, b), None),
    emit="ldexp({0}, {1})",
    domain=(_FREE, Values(integers(-4, 4).draw)),
    doc="x1 times 2 to the power x2, an integer.",
)
gcd = binary(
    "gcd", np.gcd, emit="gcd({0}, {1})", domain=integers(0, 30), doc="The greatest common divisor of integers."
)
lcm = binary("lcm", np.lcm, emit="lcm({0}, {1})", domain=integers(0, 30), doc="The least common multiple of integers.")
nextafter = binary(
    "nextafter",
    np.nextafter,
    emit="nextafter({0}, {1})",
    domain=_FREE,
    doc="The next number that the dtype knows after x1, towards x2.",
)


def _quotient_samples(rng: Rng) -> list[Sample]:
    b = reals(-3, 3, away=(0,), gap=0.3)
    shapes: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (((3, 4), (4,)), ((), ()), ((0, 2), (2,)))
    held = np.array([0.0, 2.0, 0.0])
    return [
        *(Sample((rng.normal(size=s), b.draw(rng, t))) for s, t in shapes),
        Sample((rng.normal(size=3), held), {}, False),
    ]


@composite(
    reference=lambda a, b: np.where(b == 0, 0.0, a / np.where(b == 0, 1, b)),
    domain=cases(
        _quotient_samples,
        lambda: [
            Bad((np.ones(2), np.ones(3)), {}, ValueError), Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
            Bad((np.ones(3), DATES), {}, TypeError),
        ],
    ),
)  # fmt: skip
def divide_no_nan(x1: Any, x2: Any) -> Tensor:
    """x1 / x2, and 0 with gradient 0 where x2 is 0.

    x1, x2: tensors, arrays or numbers that broadcast.

    >>> import autograd_nn as ag
    >>> ag.ops.divide_no_nan([1.0, 2.0], [0.0, 4.0]).tolist()
    [0.0, 0.5]
    """
    a, b = pair(x1, x2)
    nothing = equal(b, 0)
    return where(nothing, 0, a / where(nothing, 1, b))


# --- into what is finite, or fits


def _tame_samples(rng: Rng) -> list[Sample]:
    wild = np.array([np.nan, np.inf, -np.inf, 2.5])
    return [
        Sample((rng.normal(size=(3, 4)),)), Sample((rng.normal(size=()),)), Sample((np.ones((0, 2)),)),
        Sample((wild,), {"nan": 1.0, "posinf": 7.0, "neginf": -7.0}, False), Sample((np.array([1, 2]),), {}, False),
    ]  # fmt: skip


@composite(
    reference=lambda x, nan=0.0, posinf=None, neginf=None: np.nan_to_num(x, True, nan, posinf, neginf),
    domain=cases(
        _tame_samples,
        lambda: [
            Bad((np.array(["a"]),), {}, TypeError), Bad((np.ones(2),), {"nan": "0"}, TypeError),
            Bad((np.ones(2),), {"posinf": "max"}, TypeError),
        ],
    ),
)  # fmt: skip
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """x with numbers in place of NaN and the infinities; where it is replaced its gradient is 0.

    nan, posinf, neginf: what to put there; None for the largest and the lowest finite number of the dtype.

    >>> import autograd_nn as ag
    >>> ag.ops.nan_to_num([float("nan"), 1.0]).tolist()
    [0.0, 1.0]
    """
    x = as_tensor(x)
    instead = _tolerance(nan, "nan_to_num: nan")
    high = None if posinf is None else _tolerance(posinf, "nan_to_num: posinf")
    low = None if neginf is None else _tolerance(neginf, "nan_to_num: neginf")
    refuse_complex(nan_to_num.op, (x,))
    if x.dtype.kind != "f":
        return x
    limits = np.finfo(x.dtype)
    found = where(isnan(x), instead, x)
    found = where(isposinf(x), float(limits.max) if high is None else high, found)
    return where(isneginf(x), float(limits.min) if low is None else low, found)


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)) * 300, "uint8"), {}, False), Sample((rng.normal(size=(2, 2)), "float64")),
            Sample((np.array([-5, 7, 999]), "int8"), {}, False), Sample((np.zeros((0, 2)), "int32"), {}, False),
            Sample((np.array([1e9, -1e9, 0.0]), "int16"), {}, False), Sample((np.array(2.0), "bool"), {}, False),
        ],
        lambda: [
            Bad((np.ones(2), "flaot32"), {}, TypeError), Bad((np.ones(2), "complex64"), {}, TypeError),
            Bad((np.array(["a"]), "int8"), {}, TypeError),
        ],
    ),
)  # fmt: skip
def saturate_cast(x: Any, dtype: Any) -> Tensor:
    """x with another dtype, numbers beyond its range becoming its lowest or largest one.

    x: tensor or array. dtype: name or type. Raises DTypeError for a dtype that is not supported.

    >>> import autograd_nn as ag
    >>> ag.ops.saturate_cast([-5.0, 300.0], "uint8").tolist()
    [0, 255]
    """
    x, target = as_tensor(x), as_dtype(dtype)
    refuse_complex(saturate_cast.op, (x,))
    (low, high), (lowest, highest) = _range(target), _range(x.dtype)
    if lowest < low:
        x = maximum(x, _bound(low, x.dtype))
    if highest > high:
        x = minimum(x, _bound(high, x.dtype))
    return cast(x, target)


def _range(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """The lowest and the largest number of a dtype."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    return np.iinfo(dtype).min, np.iinfo(dtype).max


def _bound(limit: Any, dtype: np.dtype[Any]) -> Tensor:
    """`limit` in a dtype; the next number towards 0 where rounding went beyond it."""
    found = np.asarray(limit, dtype)
    beyond = dtype.kind == "f" and abs(int(found)) > abs(limit)
    return as_tensor(np.nextafter(found, np.zeros((), dtype)) if beyond else found)
