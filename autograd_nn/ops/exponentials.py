"""Powers and logarithms to other bases, inverse roots, and the complement of the error function."""

from typing import Any

import numpy as np

from . import special
from .domain import reals
from .elementwise import equal, exp, isfinite, multiply_no_nan, reciprocal, sigmoid, square, where
from .family import binary, unary

_FREE = reals(-3, 3)
_POSITIVE = reals(0.2, 4)
_LN2 = float(np.log(2))
_LN10 = float(np.log(10))

rsqrt = unary(
    "rsqrt",
    lambda x: np.true_divide(np.ones((), np.sqrt(x).dtype), np.sqrt(x)),
    vjp=lambda g, y, x: (multiply_no_nan(g * -0.5, y * y * y),),
    emit="rsqrt({0})",
    domain=_POSITIVE,
    doc="1 / sqrt(x).",
)
cbrt = unary(
    "cbrt",
    np.cbrt,
    vjp=lambda g, y, x: (multiply_no_nan(g, reciprocal(3 * square(y))),),
    emit="cbrt({0})",
    domain=reals(-3, 3, away=(0,), gap=0.2),
    doc="The cube root, also of negative numbers; its derivative at 0 is +inf.",
)
exp2 = unary(
    "exp2",
    np.exp2,
    vjp=lambda g, y, x: (multiply_no_nan(g, y * _LN2),),
    emit="exp2({0})",
    domain=_FREE,
    doc="2 to the power x.",
)
log2 = unary(
    "log2",
    np.log2,
    vjp=lambda g, y, x: (multiply_no_nan(g, reciprocal(x * _LN2)),),
    emit="log2({0})",
    domain=_POSITIVE,
    doc="The logarithm to base 2.",
)
log10 = unary(
    "log10",
    np.log10,
    vjp=lambda g, y, x: (multiply_no_nan(g, reciprocal(x * _LN10)),),
    emit="log10({0})",
    domain=_POSITIVE,
    doc="The logarithm to base 10.",
)
erfc = unary(
    "erfc",
    special.erfc,
    vjp=lambda g, y, x: (g * float(-2 / np.sqrt(np.pi)) * exp(-square(x)),),
    emit="erfc({0})",
    domain=_FREE,
    doc="1 - erf(x), exact also where that is nearly 0 (Abramowitz and Stegun 7.1.2).",
)


def _share(a: Any, b: Any, y: Any, log: float = 1.0) -> Any:
    """How much of the sum is the term of a; 0 where both terms are 0."""
    both = equal(a, b) & ~isfinite(a)
    share = sigmoid(where(both, 0, a - b) * log)
    return where(equal(y, -np.inf), 0, share)


logaddexp = binary(
    "logaddexp",
    np.logaddexp,
    partials=(lambda g, y, a, b: g * _share(a, b, y), lambda g, y, a, b: g * _share(b, a, y)),
    emit=f"maximum({{0}}, {{1}}) + ({_LN2} if {{0}} == {{1}} else softplus_tail({{0}} - {{1}}))",
    domain=_FREE,
    doc="log(exp(x1) + exp(x2)), without overflow; where both are -inf its derivative is 0.",
)
logaddexp2 = binary(
    "logaddexp2",
    np.logaddexp2,
    partials=(lambda g, y, a, b: g * _share(a, b, y, _LN2), lambda g, y, a, b: g * _share(b, a, y, _LN2)),
    emit=f"maximum({{0}}, {{1}}) + (1 if {{0}} == {{1}} else softplus_tail(({{0}} - {{1}}) * {_LN2}) / {_LN2})",
    domain=_FREE,
    doc="log2(2**x1 + 2**x2), without overflow; where both are -inf its derivative is 0.",
)
