"""Elementwise ops: arithmetic, comparison, logic, and the elementary functions."""

import inspect
from typing import Any

import numpy as np

from ..engine.convert import as_tensor, pair, refuse_real
from ..engine.op import OPS, Bad, Sample
from ..engine.spec import Spec, as_dtype, broadcast
from ..engine.tensor import Tensor, record
from ..errors import DTypeError, InvalidArgument, short
from . import special
from .domain import DATES, Rng, bools, cases, distinct, gaussian, integers, reals, unary_domain
from .family import binary, composite, dtype_of, primitive, unary

_FREE = reals(-3, 3)
_POSITIVE = reals(0.2, 4)


def _no_nan(g: Any, d: Any) -> Any:
    shape = np.broadcast_shapes(np.shape(g), np.shape(d))
    return np.multiply(g, d, out=np.zeros(shape, np.result_type(g, d)), where=np.not_equal(g, 0))


# A zero cotangent must stay zero where the derivative is infinite, so that `where` does not leak NaN.
multiply_no_nan = binary(
    "multiply_no_nan",
    _no_nan,
    partials=(lambda g, y, a, b: multiply_no_nan(g, b), lambda g, y, a, b: multiply_no_nan(g, a)),
    emit="({0} * {1} if {0} != 0 else {0} * 0)",
    domain=(reals(-3, 3, away=(0,)), _FREE),
    doc="x1 * x2, and zero where x1 is zero even if x2 is infinite or NaN.",
    complex=True,
)


# --- arithmetic

add = binary(
    "add",
    np.add,
    partials=(lambda g, y, a, b: g, lambda g, y, a, b: g),
    emit="{0} + {1}",
    domain=_FREE,
    doc="x1 + x2.",
    complex=True,
)
subtract = binary(
    "subtract",
    np.subtract,
    partials=(lambda g, y, a, b: g, lambda g, y, a, b: -g),
    emit="{0} - {1}",
    domain=_FREE,
    doc="x1 - x2.",
    complex=True,
)
multiply = binary(
    "multiply",
    np.multiply,
    partials=(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    emit="{0} * {1}",
    domain=_FREE,
    doc="x1 * x2.",
    complex=True,
)
divide = binary(
    "divide",
    np.true_divide,
    partials=(
        lambda g, y, a, b: multiply_no_nan(g, reciprocal(b)),
        lambda g, y, a, b: multiply_no_nan(-g, y / b),
    ),
    emit="{0} / {1}",
    domain=(_FREE, reals(-3, 3, away=(0,), gap=0.3)),
    doc="x1 / x2, a float also for integers.",
    complex=True,
)
floor_divide = binary(
    "floor_divide",
    np.floor_divide,
    emit="floor_divide({0}, {1})",
    domain=(integers(-9, 9), integers(1, 4)),
    doc="The largest integer not above x1 / x2.",
)
mod = binary(
    "mod",
    np.mod,
    partials=(lambda g, y, a, b: g, lambda g, y, a, b: -g * floor_divide(a, b)),
    emit="mod({0}, {1})",
    domain=(reals(0.3, 0.9), reals(1, 2)),
    doc="The remainder of x1 / x2, with the sign of x2.",
)
maximum = binary(
    "maximum",
    np.maximum,
    partials=(lambda g, y, a, b: g * _wins(a, b), lambda g, y, a, b: g * _wins(b, a)),
    emit="maximum({0}, {1})",
    domain=(distinct(-3, 3), distinct(-2.9, 3.3)),
    doc="The larger of x1 and x2; at a tie the gradient is split evenly.",
)
minimum = binary(
    "minimum",
    np.minimum,
    partials=(lambda g, y, a, b: g * _wins(b, a), lambda g, y, a, b: g * _wins(a, b)),
    emit="minimum({0}, {1})",
    domain=(distinct(-3, 3), distinct(-2.9, 3.3)),
    doc="The smaller of x1 and x2; at a tie the gradient is split evenly.",
)


def _wins(a: Tensor, b: Tensor) -> Tensor:
    """1 where a is larger, 1/2 at ties, 0 elsewhere."""
    return (cast(a > b, a.dtype) + cast(a >= b, a.dtype)) * 0.5


_power = binary(
    "power",
    np.power,
    partials=(
        lambda g, y, a, b: multiply_no_nan(g, multiply_no_nan(b, _power(a, b - 1))),
        lambda g, y, a, b: g * multiply_no_nan(y, log(where(equal(a, 0), 1, a))),
    ),
    emit="power({0}, {1})",
    domain=(_POSITIVE, reals(-2, 3)),
    doc="x1 to the power x2; the derivative of x**0 at 0, and of 0**x, is 0.",
)


def power(*args: Any, **named: Any) -> Tensor:
    """x1 to the power x2; the derivative of x**0 at 0, and of 0**x, is 0.

    x1, x2: tensors, arrays or numbers that broadcast.

    >>> import autograd_nn as ag
    >>> ag.ops.power([1.0, 2.0, 3.0], 2).tolist()
    [1.0, 4.0, 9.0]
    """
    if len(args) == 2 and type(args[1]) is int and args[1] == 2 and not named:
        return square(args[0])
    return _power(*args, **named)


power.__signature__ = inspect.signature(_power)  # type: ignore[attr-defined]
_power.op.call = power  # type: ignore[attr-defined]

negative = unary("negative", np.negative, vjp=lambda g, y, x: (-g,), emit="-{0}", domain=_FREE, doc="-x.", complex=True)
reciprocal = unary(
    "reciprocal",
    lambda x: np.true_divide(np.ones((), x.dtype), x),
    vjp=lambda g, y, x: (multiply_no_nan(-g, square(y)),),
    emit="1 / {0}",
    domain=reals(-3, 3, away=(0,), gap=0.3),
    doc="1 / x.",
    complex=True,
)
abs = unary(
    "abs",
    np.abs,
    vjp=lambda g, y, x: (g * (_turn(x, y) if x.dtype.kind == "c" else sign(x)),),
    emit="abs({0})",
    domain=reals(-3, 3, away=(0,)),
    doc="|x|; its derivative at 0 is 0.",
    complex=True,
)


def _turn(x: Tensor, size: Tensor) -> Tensor:
    """The conjugate of a complex number with size 1 in place of its own, 0 for 0."""
    zero = equal(size, 0)
    return OPS["conj"].call(x) * where(zero, 0, 1 / where(zero, 1, size))  # type: ignore[misc]


sign = unary(
    "sign",
    np.sign,
    vjp=lambda g, y, x: (zeros(g),),
    emit="sign({0})",
    domain=reals(-3, 3, away=(0,)),
    doc="-1, 0 or 1.",
)
floor = unary(
    "floor", np.floor, vjp=lambda g, y, x: (zeros(g),), emit="floor({0})", domain=reals(0.1, 0.9), doc="Rounded down."
)
ceil = unary(
    "ceil", np.ceil, vjp=lambda g, y, x: (zeros(g),), emit="ceil({0})", domain=reals(0.1, 0.9), doc="Rounded up."
)

trunc = unary(
    "trunc",
    np.trunc,
    vjp=lambda g, y, x: (zeros(g),),
    emit="trunc({0})",
    domain=reals(0.1, 0.9),
    doc="Rounded towards zero.",
)
positive = unary("positive", np.positive, vjp=lambda g, y, x: (g,), emit="{0}", domain=_FREE, doc="+x.", complex=True)


def _round_samples(rng: Rng) -> list[Sample]:
    x = reals(0.1, 0.4)
    plain = [Sample((x.draw(rng, shape),)) for shape in ((), (3, 4), (0, 2))]
    return [*plain, Sample((np.array([0.123, 4.567]), 1)), Sample((np.array([12, 35]), -1), {}, False)]


def _round_errors() -> list[Bad]:
    return [
        Bad((np.ones(2), 0.5), {}, TypeError),
        Bad((np.ones(2), "1"), {}, TypeError),
        Bad((np.array(["a"]),), {}, TypeError),
    ]


@primitive(
    eval=np.round,
    infer=lambda x, decimals: x,
    partials=(lambda g, y, x, decimals: zeros(g),),
    emit="round({0})",
    domain=cases(_round_samples, _round_errors),
    family="unary",
)
def round(x: Any, decimals: int = 0) -> Tensor:
    """x rounded to so many decimals, halves to the even neighbour; negative decimals round to tens.

    >>> import autograd_nn as ag
    >>> ag.ops.round([0.5, 1.5, 2.6]).tolist()
    [0.0, 2.0, 3.0]
    """
    if not hasattr(decimals, "__index__"):
        raise DTypeError(f"round: decimals must be an int, got {short(decimals)}")
    return record(round.op, (as_tensor(x),), {"decimals": decimals.__index__()})


def zeros(g: Tensor) -> Tensor:
    """A gradient that is zero everywhere."""
    return multiply_no_nan(as_tensor(np.zeros((), g.dtype)), g)


# --- powers, exponentials, logarithms

square = unary(
    "square", np.square, vjp=lambda g, y, x: (g * 2 * x,), emit="{0} * {0}", domain=_FREE, doc="x * x.", complex=True
)
sqrt = unary(
    "sqrt",
    np.sqrt,
    vjp=lambda g, y, x: (multiply_no_nan(g, 0.5 / y),),
    emit="sqrt({0})",
    domain=_POSITIVE,
    doc="The square root; its derivative at 0 is +inf.",
    complex=True,
)
exp = unary(
    "exp",
    np.exp,
    vjp=lambda g, y, x: (multiply_no_nan(g, y),),
    emit="exp({0})",
    domain=_FREE,
    doc="e to the power x.",
    complex=True,
)
expm1 = unary(
    "expm1",
    np.expm1,
    vjp=lambda g, y, x: (multiply_no_nan(g, exp(x)),),
    emit="expm1({0})",
    domain=_FREE,
    doc="exp(x) - 1, exact for small x.",
)
log = unary(
    "log",
    np.log,
    vjp=lambda g, y, x: (multiply_no_nan(g, reciprocal(x)),),
    emit="log({0})",
    domain=_POSITIVE,
    doc="The natural logarithm.",
)
log1p = unary(
    "log1p",
    np.log1p,
    vjp=lambda g, y, x: (multiply_no_nan(g, reciprocal(1 + x)),),
    emit="log1p({0})",
    domain=reals(-0.7, 3),
    doc="log(1 + x), exact for small x.",
)


# --- trigonometric and hyperbolic functions

sin = unary("sin", np.sin, vjp=lambda g, y, x: (g * cos(x),), emit="sin({0})", domain=_FREE, doc="The sine of radians.")
cos = unary(
    "cos", np.cos, vjp=lambda g, y, x: (g * -sin(x),), emit="cos({0})", domain=_FREE, doc="The cosine of radians."
)
# One op, since the gradient of the commonest activation should not cost three.
tanh_slope = binary(
    "tanh_slope",
    lambda g, y: g - g * y * y,
    partials=(lambda gg, s, g, y: tanh_slope(gg, y), lambda gg, s, g, y: gg * g * y * -2),
    emit="{0} - {0} * {1} * {1}",
    domain=_FREE,
    doc="x1 - x1 * x2 * x2, the gradient of tanh where x2 is its result.",
)
tanh = unary(
    "tanh",
    np.tanh,
    vjp=lambda g, y, x: (tanh_slope(g, y),),
    emit="tanh({0})",
    domain=reals(-5, 5),
    doc="The hyperbolic tangent.",
)
sinh = unary(
    "sinh",
    np.sinh,
    vjp=lambda g, y, x: (multiply_no_nan(g, cosh(x)),),
    emit="sinh({0})",
    domain=_FREE,
    doc="The hyperbolic sine.",
)
cosh = unary(
    "cosh",
    np.cosh,
    vjp=lambda g, y, x: (multiply_no_nan(g, sinh(x)),),
    emit="cosh({0})",
    domain=_FREE,
    doc="The hyperbolic cosine.",
)
arctan = unary(
    "arctan",
    np.arctan,
    vjp=lambda g, y, x: (g / (1 + square(x)),),
    emit="arctan({0})",
    domain=_FREE,
    doc="The angle in radians whose tangent is x.",
)


# --- activations and their kin

sigmoid = unary(
    "sigmoid",
    special.sigmoid,
    vjp=lambda g, y, x: (g * y * sigmoid(-x),),
    emit="sigmoid({0})",
    domain=reals(-5, 5),
    doc="1 / (1 + exp(-x)), without overflow.",
)
relu = unary(
    "relu",
    lambda x: np.maximum(x, np.zeros((), x.dtype)),
    vjp=lambda g, y, x: (g * cast(y > 0, g.dtype),),
    emit="maximum({0}, 0)",
    domain=reals(-3, 3, away=(0,)),
    doc="max(x, 0); its derivative at 0 is 0.",
)
softplus = unary(
    "softplus",
    lambda x: np.logaddexp(x, np.zeros((), x.dtype)),
    vjp=lambda g, y, x: (g * sigmoid(x),),
    emit="softplus({0})",
    domain=reals(-5, 5),
    doc="log(1 + exp(x)), without overflow.",
)
erf = unary(
    "erf",
    special.erf,
    vjp=lambda g, y, x: (g * float(2 / np.sqrt(np.pi)) * exp(-square(x)),),
    emit="erf({0})",
    domain=reals(-3, 3),
    doc="The error function (Abramowitz and Stegun 7.1.1).",
)
erfinv = unary(
    "erfinv",
    special.erfinv,
    vjp=lambda g, y, x: (multiply_no_nan(g, float(np.sqrt(np.pi) / 2) * exp(square(y))),),
    emit="erfinv({0})",
    domain=reals(-0.9, 0.9),
    doc="The inverse of the error function, on -1..1 (Abramowitz and Stegun 7.1).",
)


@composite(reference=None, domain=unary_domain(reals(-4, 4)))
def silu(x: Any) -> Tensor:
    """x * sigmoid(x), also called swish (Ramachandran et al. 2017, arXiv 1710.05941).

    >>> import autograd_nn as ag
    >>> ag.ops.silu([0.0]).tolist()
    [0.0]
    """
    x = as_tensor(x)
    return x * sigmoid(x)


@composite(reference=None, domain=unary_domain(reals(-4, 4)))
def gelu(x: Any, approximate: bool = True) -> Tensor:
    """x times the normal distribution function of x (Hendrycks and Gimpel 2016, arXiv 1606.08415).

    approximate: use the tanh form, as Keras does by default.

    >>> import autograd_nn as ag
    >>> ag.ops.gelu([0.0]).tolist()
    [0.0]
    """
    x = as_tensor(x)
    if approximate:
        return 0.5 * x * (1 + tanh(float(np.sqrt(2 / np.pi)) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + erf(x * float(np.sqrt(0.5))))


# --- comparison and logic

equal = binary("equal", np.equal, emit="{0} == {1}", domain=integers(0, 2), doc="Whether x1 == x2.", complex=True)
not_equal = binary(
    "not_equal", np.not_equal, emit="{0} != {1}", domain=integers(0, 2), doc="Whether x1 != x2.", complex=True
)
less = binary("less", np.less, emit="{0} < {1}", domain=integers(0, 2), doc="Whether x1 < x2.")
less_equal = binary("less_equal", np.less_equal, emit="{0} <= {1}", domain=integers(0, 2), doc="Whether x1 <= x2.")
greater = binary("greater", np.greater, emit="{0} > {1}", domain=integers(0, 2), doc="Whether x1 > x2.")
greater_equal = binary(
    "greater_equal", np.greater_equal, emit="{0} >= {1}", domain=integers(0, 2), doc="Whether x1 >= x2."
)
logical_and = binary(
    "logical_and", np.logical_and, emit="({0} != 0) & ({1} != 0)", domain=bools(), doc="Whether both are true."
)
logical_or = binary(
    "logical_or", np.logical_or, emit="({0} != 0) | ({1} != 0)", domain=bools(), doc="Whether one is true."
)
logical_xor = binary(
    "logical_xor", np.logical_xor, emit="({0} != 0) ^ ({1} != 0)", domain=bools(), doc="Whether just one is true."
)
logical_not = unary("logical_not", np.logical_not, emit="{0} == 0", domain=bools(), doc="Whether x is false.")
bitwise_and = binary("bitwise_and", np.bitwise_and, emit="{0} & {1}", domain=integers(0, 9), doc="x1 & x2, bit by bit.")
bitwise_or = binary("bitwise_or", np.bitwise_or, emit="{0} | {1}", domain=integers(0, 9), doc="x1 | x2, bit by bit.")
bitwise_xor = binary("bitwise_xor", np.bitwise_xor, emit="{0} ^ {1}", domain=integers(0, 9), doc="x1 ^ x2, bit by bit.")
bitwise_not = unary("bitwise_not", np.bitwise_not, emit="invert({0})", domain=integers(0, 9), doc="~x, bit by bit.")
left_shift = binary("left_shift", np.left_shift, emit="left_shift({0}, {1})", domain=integers(0, 9), doc="x1 * 2**x2.")
right_shift = binary(
    "right_shift", np.right_shift, emit="right_shift({0}, {1})", domain=integers(0, 9), doc="x1 // 2**x2."
)
isnan = unary("isnan", np.isnan, emit="{0} != {0}", domain=_FREE, doc="Whether x is not a number.", complex=True)
isfinite = unary("isfinite", np.isfinite, emit="isfinite({0})", domain=_FREE, doc="Whether x is finite.", complex=True)


# --- choice and conversion


def _where_samples(rng: Rng) -> list[Sample]:
    shapes = (((), (), ()), ((4,), (4,), (4,)), ((3, 1), (1, 4), (3, 4)), ((0,), (0,), (1,)))
    mixed = Sample((np.array([True, False]), gaussian(rng, 2), rng.normal(size=2)))
    real = (Sample((rng.integers(0, 2, c).astype(bool), rng.normal(size=a), rng.normal(size=b))) for c, a, b in shapes)
    return [*real, mixed]


def _where_errors() -> list[Bad]:
    mask, x = np.array([True, False]), np.ones(2)
    return [
        Bad((mask, np.ones(3), x), {}, ValueError),
        Bad((mask, np.array(["a", "b"]), x), {}, TypeError),
        Bad((mask, x, DATES[:2]), {}, TypeError),
        Bad((mask, x), {}, ValueError),
    ]


@primitive(
    eval=np.where,
    infer=lambda c, a, b: Spec(
        broadcast(c.shape, a.shape, b.shape, what="where"), dtype_of(np.maximum, a.dtype, b.dtype)
    ),
    partials=(None, lambda g, y, c, a, b: where(c, g, 0), lambda g, y, c, a, b: where(c, 0, g)),
    emit="({1} if {0} else {2})",
    domain=cases(_where_samples, _where_errors),
    family="ternary",
    complex=True,
)
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """x1 where the condition holds, x2 elsewhere; no gradient flows to the branch not taken.

    condition, x1, x2: tensors, arrays or numbers that broadcast. Without x1 and x2 the indices where the condition
    holds, as `nonzero`.

    >>> import autograd_nn as ag
    >>> ag.ops.where([True, False], [1.0, 2.0], 0.0).tolist()
    [1.0, 0.0]
    """
    if x1 is None and x2 is None:
        return OPS["nonzero"].call(condition)  # type: ignore[misc]
    if x1 is None or x2 is None:
        raise InvalidArgument("where: give both x1 and x2, or neither for the indices where the condition holds")
    a, b = pair(x1, x2)
    return record(where.op, (as_tensor(condition), a, b), {})


def _clip_samples(rng: Rng) -> list[Sample]:
    inside, shapes = reals(-3, 3, away=(-1, 1)), ((), (3, 4), (0, 2))
    return [Sample((inside.draw(rng, shape), -1.0, 1.0)) for shape in shapes]


def _clip_errors() -> list[Bad]:
    return [
        Bad((np.ones(3), None, None), {}, ValueError),
        Bad((np.ones(3), np.zeros(2), 1), {}, ValueError),
        Bad((np.array(["a"]), 0, 1), {}, TypeError),
    ]


@composite(reference=np.clip, domain=cases(_clip_samples, _clip_errors))
def clip(x: Any, x_min: Any = None, x_max: Any = None) -> Tensor:
    """x limited to x_min..x_max; at a limit the gradient is split evenly.

    x_min, x_max: tensors, arrays or numbers that broadcast; one of them may be None for no limit.

    >>> import autograd_nn as ag
    >>> ag.ops.clip([-2.0, 0.5, 2.0], -1, 1).tolist()
    [-1.0, 0.5, 1.0]
    """
    if x_min is None and x_max is None:
        raise InvalidArgument("clip: both limits are None; give x_min or x_max")
    x = as_tensor(x)
    low = x if x_min is None else maximum(x, x_min)
    return low if x_max is None else minimum(low, x_max)


def _cast_samples(rng: Rng) -> list[Sample]:
    shapes: tuple[tuple[int, ...], ...] = ((), (3, 4), (0,))
    floats = [Sample((rng.normal(size=shape), "float64")) for shape in shapes]
    wider = [Sample((rng.normal(size=3), "complex128")), Sample((np.array([1j, 2.0]), "complex64"), {}, False)]
    whole = [Sample((rng.normal(size=3), "int32"), {}, False), Sample((np.array([0, 2]), "bool"), {}, False)]
    return [*floats, *wider, *whole]


def _cast_errors() -> list[Bad]:
    return [
        Bad((np.ones(2), "flaot32"), {}, TypeError),
        Bad((np.array([1j]), "float32"), {}, TypeError),
        Bad((np.array(["a"]), "float32"), {}, TypeError),
    ]


@primitive(
    eval=lambda x, dtype: x.astype(dtype),
    infer=lambda x, dtype: Spec(x.shape, dtype, x.dim),
    partials=(lambda g, y, x, dtype: g,),
    emit="cast({0})",
    domain=cases(_cast_samples, _cast_errors),
    family="cast",
    complex=True,
)
def cast(x: Any, dtype: Any) -> Tensor:
    """x with another dtype, by NumPy's `astype`.

    x: tensor or array. dtype: name or type. Raises DTypeError for a dtype that is not supported, and for complex
    numbers that are to become real ones.

    >>> import autograd_nn as ag
    >>> ag.ops.cast([1.7, -1.7], "int32").tolist()
    [1, -1]
    """
    x, target = as_tensor(x), as_dtype(dtype, complex_too=True)
    refuse_real(x.dtype, target)
    return x if x.dtype == target else record(cast.op, (x,), {"dtype": target})
