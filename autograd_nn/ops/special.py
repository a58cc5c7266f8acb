"""NumPy forms of functions that NumPy lacks; the reference for the kernels of the same name."""

from typing import Any

import numpy as np


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) without overflow and without loss of relative accuracy for large negative x."""
    e = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1 / (1 + e), e / (1 + e)).astype(e.dtype)


# Rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error function",
# Math. Comp. 23 (1969); numerator and denominator from the highest power down.
NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
MIDDLE = (
    (
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
        2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
        3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    ),
)  # fmt: skip
FAR = (
    (
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
        1.60837851487422766e-2, 6.58749161529837803e-4,
    ),
    (
        1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)  # fmt: skip


def _rational(x: Any, coefficients: Any) -> Any:
    top, bottom = coefficients
    return np.polyval(top, x) / np.polyval(bottom, x)


def erf(x: Any) -> Any:
    """The error function, to two units in the last place of float64."""
    kind = np.result_type(x, np.float16)
    x = np.asarray(x, np.float64)
    size = np.minimum(np.abs(x), 6.0)
    near = x * _rational(np.square(np.minimum(size, 0.5)), NEAR)
    middle = 1 - np.exp(-np.square(size)) * _rational(np.clip(size, 0.46875, 4.0), MIDDLE)
    z = 1 / np.square(np.maximum(size, 4.0))
    tail = (1 / np.sqrt(np.pi) - z * _rational(z, FAR)) / np.maximum(size, 4.0)
    far = 1 - np.exp(-np.square(size)) * tail
    outside = np.copysign(np.where(size > 4.0, far, middle), x)
    return np.where(size <= 0.46875, near, outside).astype(kind)


def _exp_of_square(x: Any) -> Any:
    """exp(-x**2), the square in two parts so that its rounding is not magnified (Cody 1969)."""
    coarse = np.trunc(x * 16) / 16
    return np.exp(-np.square(coarse)) * np.exp(-(x - coarse) * (x + coarse))


def erfc(x: Any) -> Any:
    """1 - erf(x), with full relative accuracy where that is nearly 0."""
    kind = np.result_type(x, np.float16)
    x = np.asarray(x, np.float64)
    # Beyond 30 the result is below the smallest float64.
    size = np.minimum(np.abs(x), 30.0)
    near = 1 - x * _rational(np.square(np.minimum(size, 0.5)), NEAR)
    middle = _rational(np.clip(size, 0.46875, 4.0), MIDDLE)
    z = 1 / np.square(np.maximum(size, 4.0))
    tail = (1 / np.sqrt(np.pi) - z * _rational(z, FAR)) / np.maximum(size, 4.0)
    outside = _exp_of_square(size) * np.where(size > 4.0, tail, middle)
    mirrored = np.where(np.less(x, 0), 2 - outside, outside)
    return np.where(size <= 0.46875, near, mirrored).astype(kind)


# Polynomials of M. Giles, "Approximating the erfinv function", GPU Computing Gems 2 (2012), highest power first.
CENTRE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 2.1858087e-04, -1.25372503e-03, -4.17768164e-03,
    2.46640727e-01, 1.50140941,
)  # fmt: skip
ENDS = (
    -2.00214257e-04, 1.00950558e-04, 1.34934322e-03, -3.67342844e-03, 5.73950773e-03, -7.6224613e-03, 9.43887047e-03,
    1.00167406, 2.83297682,
)  # fmt: skip


def erfinv(y: Any) -> Any:
    """The inverse of the error function: a polynomial good to float32, and two steps of Newton's method for float64."""
    kind = np.result_type(y, np.float16)
    y = np.asarray(y, np.float64)
    inside = np.where(np.abs(y) < 1, y, 0.0)
    w = -np.log1p(-np.square(inside))
    near = np.polyval(CENTRE, np.minimum(w, 5.0) - 2.5)
    x = inside * np.where(w < 5.0, near, np.polyval(ENDS, np.sqrt(np.maximum(w, 5.0)) - 3.0))
    for _ in range(2):
        x = x - (erf(x) - inside) * np.exp(np.square(x)) * (np.sqrt(np.pi) / 2)
    outside = np.where(np.abs(y) == 1, np.copysign(np.inf, y), np.nan)
    return np.where(np.abs(y) < 1, x, outside).astype(kind)
