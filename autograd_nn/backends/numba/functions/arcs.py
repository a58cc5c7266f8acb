"""The inverse trigonometric functions.

Reductions and polynomials from FreeBSD msun (s_atan.c, s_atanf.c, e_atan2.c, e_asin.c; Sun Microsystems 1993), arcsin
of float32 from S. Moshier, Cephes (asinf.c).
"""

from functools import cache
from typing import Any

import numpy as np

from .scalars import Scalar, compiled

ULP = {"arctan": (1, 1), "arctan2": (2, 2), "arcsin": (1, 1), "arccos": (1, 1)}
# The angles whose tangents are 1/2, 1, 3/2 and infinity, and what their rounding to float64 lost.
_ANGLES = (0.46364760900080609, 0.78539816339744828, 0.98279372324732905, 1.5707963267948966)
_LOST = (2.26987774529616870924e-17, 3.06161699786838301793e-17, 1.39033110312309984516e-17, 6.12323399573676603587e-17)


@cache
def arcs(T: Any) -> dict[str, Scalar]:
    """arctan, arctan2, arcsin and arccos of dtype `T`."""
    return {**_tangent(T), **_sine(T)}


def _lost(T: Any, k: int) -> Any:
    """What the rounding of an angle to `T` lost."""
    return T(_ANGLES[k] - float(T(_ANGLES[k])) + _LOST[k])


def _tangent(T: Any) -> dict[str, Scalar]:
    zero, one, two, three_halves, infinity = T(0), T(1), T(2), T(1.5), T(np.inf)
    first, second, third, fourth = T(0.4375), T(0.6875), T(1.1875), T(2.4375)
    a0, a1, a2, a3 = map(T, _ANGLES)
    l0, l1, l2, l3 = (_lost(T, k) for k in range(4))
    rest = _tangent32() if T is np.float32 else _tangent64()
    pi, pi_low, quarter, three_quarters = two * a3, two * l3, a1, T(3 * np.pi / 4)

    @compiled
    def angle(size: Any) -> Any:
        """arctan of a number that is not negative: an angle of the table and the rest."""
        low, middle, high, top = size < first, size < second, size < third, size < fourth
        below = one if low else (two + size if middle else (one + size if high else one + three_halves * size))
        above = size if low else (two * size - one if middle else (size - one if high else size - three_halves))
        q = (above if top else -one) / (below if top else size)
        whole = zero if low else (a0 if middle else (a1 if high else (a2 if top else a3)))
        lost = zero if low else (l0 if middle else (l1 if high else (l2 if top else l3)))
        return whole - ((q * rest(q * q) - lost) - q)

    def arctan(x: Any) -> Any:
        return np.copysign(angle(abs(x)), x)

    def arctan2(y: Any, x: Any) -> Any:
        up, along = abs(y), abs(x)
        none, endless = (up == zero) & (along == zero), (up == infinity) & (along == infinity)
        steep = angle((zero if none else up) / (one if none | endless else along))
        left = np.copysign(one, x) < zero
        diagonal = three_quarters if left else quarter
        turned = diagonal if endless else (pi - (steep - pi_low) if left else steep)
        return np.copysign(turned, y) if (x == x) & (y == y) else x + y

    return {f.__name__: compiled(f) for f in (arctan, arctan2)}


def _tangent32() -> Scalar:
    F = np.float32
    t0, t1, t2, t3, t4 = (
        F(3.3333328366e-01), F(-1.9999158382e-01), F(1.4253635705e-01), F(-1.0648017377e-01), F(6.1687607318e-02),
    )  # fmt: skip

    @compiled
    def rest(z: Any) -> Any:
        """1 - arctan(q) / q where z = q * q."""
        return z * (t0 + z * (t1 + z * (t2 + z * (t3 + z * t4))))

    return rest


def _tangent64() -> Scalar:
    F = np.float64
    t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10 = (
        F(3.33333333333329318027e-01), F(-1.99999999998764832476e-01), F(1.42857142725034663711e-01),
        F(-1.11111104054623557880e-01), F(9.09088713343650656196e-02), F(-7.69187620504482999495e-02),
        F(6.66107313738753120669e-02), F(-5.83357013379057348645e-02), F(4.97687799461593236017e-02),
        F(-3.65315727442169155270e-02), F(1.62858201153657823623e-02),
    )  # fmt: skip

    @compiled
    def rest(z: Any) -> Any:
        """1 - arctan(q) / q where z = q * q."""
        w = z * z
        even = t0 + w * (t2 + w * (t4 + w * (t6 + w * (t8 + w * t10))))
        return z * even + w * (t1 + w * (t3 + w * (t5 + w * (t7 + w * t9))))

    return rest


def _sine(T: Any) -> dict[str, Scalar]:
    zero, half, one, two, tiny = T(0), T(0.5), T(1), T(2), np.finfo(T).tiny
    N = np.int32 if T is np.float32 else np.int64
    upper_bits = N(-1 << 12) if T is np.float32 else N(-1 << 32)
    right, right_low, eighth = T(_ANGLES[3]), _lost(T, 3), T(_ANGLES[3]) * half
    pi = two * right
    rest = _sine32() if T is np.float32 else _sine64()

    @compiled
    def upper(x: Any) -> Any:
        """x without its lower half, so that its square is exact."""
        return N(T(x).view(N) & upper_bits).view(T)

    @compiled
    def square(size: Any) -> Any:
        """The square of the sine of the angle that is computed: half of the complement's from 1/2 on."""
        return size * size if size < half else half * (one - size)

    def arcsin(x: Any) -> Any:
        size = abs(x)
        t = square(size)
        r, s = rest(t), np.sqrt(t if t > zero else zero)
        w = upper(s)
        lost = (t - w * w) / (s + w + tiny)
        far = eighth - ((two * s * r - (right_low - two * lost)) - (eighth - two * w))
        y = size + size * r if size < half else far
        return np.copysign(y, x) if size <= one else (x - x) / zero

    def arccos(x: Any) -> Any:
        size = abs(x)
        t = square(size)
        r, s = rest(t), np.sqrt(t if t > zero else zero)
        w = upper(s)
        lost = (t - w * w) / (s + w + tiny)
        near = right - (x - (right_low - x * r))
        acute, obtuse = two * (w + (r * s + lost)), pi - two * (s + (r * s - right_low))
        found = near if size < half else (obtuse if x < zero else acute)
        return found if size <= one else (x - x) / zero

    return {f.__name__: compiled(f) for f in (arcsin, arccos)}


def _sine32() -> Scalar:
    F = np.float32
    s0, s1, s2, s3, s4 = (
        F(1.6666752422e-1), F(7.4953002686e-2), F(4.5470025998e-2), F(2.4181311049e-2), F(4.2163199048e-2),
    )  # fmt: skip

    @compiled
    def rest(t: Any) -> Any:
        """arcsin(s) / s - 1 where t = s * s."""
        return t * (s0 + t * (s1 + t * (s2 + t * (s3 + t * s4))))

    return rest


def _sine64() -> Scalar:
    F, one = np.float64, np.float64(1)
    p0, p1, p2, p3, p4, p5 = (
        F(1.66666666666666657415e-01), F(-3.25565818622400915405e-01), F(2.01212532134862925881e-01),
        F(-4.00555345006794114027e-02), F(7.91534994289814532176e-04), F(3.47933107596021167570e-05),
    )  # fmt: skip
    q1, q2, q3, q4 = (
        F(-2.40339491173441421878e00), F(2.02094576023350569471e00), F(-6.88283971605453293030e-01),
        F(7.70381505559019352791e-02),
    )  # fmt: skip

    @compiled
    def rest(t: Any) -> Any:
        """arcsin(s) / s - 1 where t = s * s."""
        above = t * (p0 + t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * p5)))))
        return above / (one + t * (q1 + t * (q2 + t * (q3 + t * q4))))

    return rest
