"""Angles: tangent, the inverse functions, degrees, and lengths in the plane."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.tensor import Tensor
from .domain import reals, unary_domain
from .elementwise import equal, multiply_no_nan, reciprocal, sin, square, where
from .exponentials import rsqrt
from .family import binary, composite, unary
from .nn import floating

_FREE = reals(-3, 3)
_RADIANS = float(np.pi / 180)
_DEGREES = float(180 / np.pi)

tan = unary(
    "tan",
    np.tan,
    vjp=lambda g, y, x: (g * (1 + square(y)),),
    emit="tan({0})",
    domain=reals(-1.2, 1.2),
    doc="The tangent of radians.",
)
arcsin = unary(
    "arcsin",
    np.arcsin,
    vjp=lambda g, y, x: (multiply_no_nan(g, rsqrt((1 - x) * (1 + x))),),
    emit="arcsin({0})",
    domain=reals(-0.9, 0.9),
    doc="The angle in -pi/2..pi/2 whose sine is x.",
)
arccos = unary(
    "arccos",
    np.arccos,
    vjp=lambda g, y, x: (multiply_no_nan(-g, rsqrt((1 - x) * (1 + x))),),
    emit="arccos({0})",
    domain=reals(-0.9, 0.9),
    doc="The angle in 0..pi whose cosine is x.",
)
arcsinh = unary(
    "arcsinh",
    np.arcsinh,
    vjp=lambda g, y, x: (multiply_no_nan(g, rsqrt(1 + square(x))),),
    emit="arcsinh({0})",
    domain=_FREE,
    doc="The number whose hyperbolic sine is x.",
)
arccosh = unary(
    "arccosh",
    np.arccosh,
    vjp=lambda g, y, x: (multiply_no_nan(g, rsqrt(x - 1) * rsqrt(x + 1)),),
    emit="arccosh({0})",
    domain=reals(1.2, 4),
    doc="The number >= 0 whose hyperbolic cosine is x; NaN below 1.",
)
arctanh = unary(
    "arctanh",
    np.arctanh,
    vjp=lambda g, y, x: (multiply_no_nan(g, reciprocal((1 - x) * (1 + x))),),
    emit="arctanh({0})",
    domain=reals(-0.8, 0.8),
    doc="The number whose hyperbolic tangent is x.",
)
deg2rad = unary(
    "deg2rad",
    np.deg2rad,
    vjp=lambda g, y, x: (g * _RADIANS,),
    emit=f"{{0}} * {_RADIANS}",
    domain=reals(-180, 180),
    doc="Degrees as radians.",
)
rad2deg = unary(
    "rad2deg",
    np.rad2deg,
    vjp=lambda g, y, x: (g * _DEGREES,),
    emit=f"{{0}} * {_DEGREES}",
    domain=_FREE,
    doc="Radians as degrees.",
)


def _share(a: Tensor, y: Tensor) -> Tensor:
    """a / hypot(a, b), and 0 at the origin, as for any norm."""
    zero = equal(y, 0)
    return where(zero, 0, a / where(zero, 1, y))


hypot = binary(
    "hypot",
    np.hypot,
    partials=(lambda g, y, a, b: g * _share(a, y), lambda g, y, a, b: g * _share(b, y)),
    emit="hypot({0}, {1})",
    domain=(reals(-3, 3, away=(0,)), _FREE),
    doc="The square root of x1**2 + x2**2, without overflow; its derivative at the origin is 0.",
)


def _over_square(a: Tensor, b: Tensor, by: Tensor) -> Tensor:
    """by / (a**2 + b**2), without overflow on the way."""
    length = hypot(a, b)
    return by / length / length


arctan2 = binary(
    "arctan2",
    np.arctan2,
    partials=(
        lambda g, y, a, b: multiply_no_nan(g, _over_square(a, b, b)),
        lambda g, y, a, b: multiply_no_nan(-g, _over_square(a, b, a)),
    ),
    emit="arctan2({0}, {1})",
    domain=(reals(-3, 3, away=(0,), gap=0.3), _FREE),
    doc="The angle in -pi..pi of the point with x2 along and x1 across.",
)

# 1 / (2 k + 1)! with alternating signs: sin(p) / p in powers of p**2, to the last bit of float64 for p**2 < 1/4.
_SERIES = (-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6)


@composite(reference=np.sinc, domain=unary_domain(reals(-3, 3)))
def sinc(x: Any) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0.

    x: tensor or array of any shape. Right to any order of derivative, also at 0.

    >>> import autograd_nn as ag
    >>> ag.ops.sinc([0.0, 0.5]).numpy().round(4).tolist()
    [1.0, 0.6366000175476074]
    """
    angle = floating(x) * float(np.pi)
    size = square(angle)
    near = size < 0.25
    series = as_tensor(np.zeros((), angle.dtype))
    for factor in _SERIES:
        series = (series + factor) * size
    safe = where(near, 1, angle)
    return where(near, 1 + series, sin(safe) / safe)
