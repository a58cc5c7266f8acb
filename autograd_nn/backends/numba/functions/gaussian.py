"""The error function, what it lacks to 1, and its inverse.

erf and erfc of float64 and erfinv as in ops/special.py (W. J. Cody 1969, M. Giles 2012); erf of float32 in float32: a
minimax polynomial in x * x below 0.92, and exp of one for the logarithm of 1 - erf above; erfc of float32 in float64.
"""

from typing import Any

import numpy as np

from ....ops.special import CENTRE, ENDS, FAR, MIDDLE, NEAR
from .scalars import Scalar, compiled

# erfinv of float64 is that good up to 0.99; nearer to 1 the difference of erf to its argument loses digits.
ULP = {"erf": (2, 4), "erfc": (1, 6), "erfinv": (1, 16)}


def gaussian(T: Any, base: dict[str, Scalar], wide: dict[str, Scalar]) -> dict[str, Scalar]:
    """The functions of dtype `T`; `base` and `wide` hold the exponentials of `T` and of float64."""
    ratio = _ratio64()
    erf = _erf64(ratio, wide["exp"])
    return {
        "erf": _erf32(base["exp_falling"]) if T is np.float32 else erf,
        "erfc": _erfc(T, ratio, wide["exp"]),
        "erfinv": _erfinv(T, erf, wide),
    }


def _erf32(exp_falling: Scalar) -> Scalar:
    F = np.float32
    one, split, flat = F(1), F(0.92), F(4)
    n0, n1, n2, n3, n4, n5, n6 = (
        F(0.12837917), F(-0.37612635), F(0.11283693), F(-0.026859248), F(0.005200661), F(-0.00081384904),
        F(8.3522915e-05),
    )  # fmt: skip
    f0, f1, f2, f3, f4, f5, f6 = (
        F(-0.00019563956), F(-1.1276758), F(-0.63718194), F(-0.10393187), F(0.022227058), F(-0.0030432546),
        F(0.0001959413),
    )  # fmt: skip

    @compiled
    def erf(x: Any) -> Any:
        size = abs(x)
        z = x * x
        near = x + x * (n0 + z * (n1 + z * (n2 + z * (n3 + z * (n4 + z * (n5 + z * n6))))))
        t = size if size < flat else flat
        far = one - exp_falling(f0 + t * (f1 + t * (f2 + t * (f3 + t * (f4 + t * (f5 + t * f6))))))
        return near if size < split else (np.copysign(far, x) if x == x else x)

    return erf


def _ratio64() -> Scalar:
    """erf(x) / x up to 0.46875, erfc(x) * exp(x * x) above, of the size of x."""
    D = np.float64
    n0, n1, n2, n3, n4 = map(D, NEAR[0])
    _, d1, d2, d3, d4 = map(D, NEAR[1])
    m0, m1, m2, m3, m4, m5, m6, m7, m8 = map(D, MIDDLE[0])
    _, e1, e2, e3, e4, e5, e6, e7, e8 = map(D, MIDDLE[1])
    f0, f1, f2, f3, f4, f5 = map(D, FAR[0])
    _, h1, h2, h3, h4, h5 = map(D, FAR[1])
    one, root_pi, half, split, four = D(1), D(1 / np.sqrt(np.pi)), D(0.5), _CLOSE, D(4)

    @compiled
    def ratio(size: Any) -> Any:
        q = half if size > half else size
        q = q * q
        s = split if size < split else (four if size > four else size)
        top = m8 + s * (m7 + s * (m6 + s * (m5 + s * (m4 + s * (m3 + s * (m2 + s * (m1 + s * m0)))))))
        bottom = e8 + s * (e7 + s * (e6 + s * (e5 + s * (e4 + s * (e3 + s * (e2 + s * (e1 + s)))))))
        w = four if size < four else size
        z = one / (w * w)
        far_top = z * (f5 + z * (f4 + z * (f3 + z * (f2 + z * (f1 + z * f0)))))
        far_bottom = h5 + z * (h4 + z * (h3 + z * (h2 + z * (h1 + z))))
        beyond, close = size > four, size <= split
        near_top = n4 + q * (n3 + q * (n2 + q * (n1 + q * n0)))
        near_bottom = d4 + q * (d3 + q * (d2 + q * (d1 + q)))
        # One division for the three ranges.
        found = (far_top if beyond else (near_top if close else top)) / (
            far_bottom if beyond else (near_bottom if close else bottom)
        )
        return (root_pi - found) / w if beyond else found

    return ratio


# Where the two meanings of the ratio meet.
_CLOSE = np.float64(0.46875)


def _erf64(ratio: Scalar, exp: Scalar) -> Scalar:
    one, flat, split = np.float64(1), np.float64(6), _CLOSE

    @compiled
    def erf(x: Any) -> Any:
        size = abs(x)
        size = flat if size > flat else size
        share = ratio(size)
        far = one - exp(-size * size) * share
        found = x * share if size <= split else np.copysign(far, x)
        return found if x == x else x

    return erf


def _erfc(T: Any, ratio: Scalar, exp: Scalar) -> Scalar:
    D = np.float64
    # Beyond 30 there is no float64 above 0. Added and taken away again, the last number rounds to sixteenths.
    one, two, zero, flat, split, sixteenths = D(1), D(2), D(0), D(30), _CLOSE, D(1.5 * 2.0**48)

    @compiled
    def erfc(given: Any) -> Any:
        x = D(given)
        size = abs(x)
        size = flat if size > flat else size
        share = ratio(size)
        # The square of the coarse part is exact; rounding that of all of it would cost the digits of a far tail.
        coarse = (size + sixteenths) - sixteenths
        outside = exp(-coarse * coarse) * exp((coarse - size) * (coarse + size)) * share
        found = one - x * share if size <= split else (two - outside if x < zero else outside)
        return T(found if x == x else x)

    return erfc


def _erfinv(T: Any, erf: Scalar, wide: dict[str, Scalar]) -> Scalar:
    D, exp, log1p = np.float64, wide["exp"], wide["log1p"]
    c0, c1, c2, c3, c4, c5, c6, c7, c8 = map(D, CENTRE)
    e0, e1, e2, e3, e4, e5, e6, e7, e8 = map(D, ENDS)
    zero, one, split, centre, ends, slope = D(0), D(1), D(5), D(2.5), D(3), D(np.sqrt(np.pi) / 2)
    # The polynomial is good to seven digits, and each step of Newton's method doubles them.
    infinity, nothing, enough = D(np.inf), D(np.nan), np.bool_(T is np.float32)

    @compiled
    def newton(x: Any, y: Any) -> Any:
        return x - (erf(x) - y) * exp(x * x) * slope

    @compiled
    def erfinv(y: Any) -> Any:
        size = abs(D(y))
        inside = D(y) if size < one else zero
        w = -log1p(-inside * inside)
        s = (w if w < split else split) - centre
        near = c8 + s * (c7 + s * (c6 + s * (c5 + s * (c4 + s * (c3 + s * (c2 + s * (c1 + s * c0)))))))
        s = np.sqrt(split if w < split else w) - ends
        far = e8 + s * (e7 + s * (e6 + s * (e5 + s * (e4 + s * (e3 + s * (e2 + s * (e1 + s * e0)))))))
        first = newton(inside * (near if w < split else far), inside)
        x = first if enough else newton(first, inside)
        edge = np.copysign(infinity, D(y)) if size == one else nothing
        return T(x if size < one else edge)

    return erfinv
