"""Exponentials, logarithms and their kin as polynomials that LLVM vectorises, for float32 and float64.

Each is branch-free: special cases are chosen at the end, `x if x != x` hands a NaN through. The errors against the
correctly rounded result are stated per function in `ULP` and tested.

Sources: argument reduction and logarithm as in FreeBSD msun (e_exp.c, e_log.c, s_log1p.c; Sun Microsystems 1993), the
polynomials for float32 from S. Moshier, Cephes (expf.c, logf.c); exp for float64 is Taylor's series, whose remainder
on |r| < 0.35 is below half an ulp. erf is W. J. Cody's (see ops/special.py).
"""

from functools import cache
from typing import Any

import numpy as np

from ...ops.special import FAR, MIDDLE, NEAR
from .scalars import Scalar, compiled

# The largest error of each function in ulp, float32 and float64.
ULP = {
    "exp": (2, 2), "expm1": (3, 3), "log": (2, 2), "log1p": (3, 3), "tanh": (4, 4), "sigmoid": (4, 4),
    "softplus": (4, 4), "sinh": (5, 5), "cosh": (4, 4), "erf": (2, 4), "sin": (2, 2), "cos": (2, 2),
}  # fmt: skip


@cache
def elementary(T: Any) -> dict[str, Scalar]:
    """The functions of dtype `T`, by the names that expressions use."""
    base = _base(T)
    return {**base, **_derived(T, base)}


@cache
def _base(T: Any) -> dict[str, Scalar]:
    return _base32() if np.dtype(T).itemsize == 4 else _base64()


def _base64() -> dict[str, Scalar]:
    F, N, one, half = np.float64, np.int64, np.float64(1), np.float64(0.5)
    log2e, ln2_high, ln2_low = F(1.44269504088896338700), F(6.93147180369123816490e-01), F(1.90821492927058770002e-10)
    highest, lowest = F(710.0), F(-746.0)
    bias, mantissa_bits = N(1023), N(52)
    c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 = (
        F(1 / 2), F(1 / 6), F(1 / 24), F(1 / 120), F(1 / 720), F(1 / 5040), F(1 / 40320), F(1 / 362880),
        F(1 / 3628800), F(1 / 39916800), F(1 / 479001600), F(1 / 6227020800),
    )  # fmt: skip

    @compiled
    def power_of_two(n: Any) -> Any:
        return N((n + bias) << mantissa_bits).view(F)

    @compiled
    def series(r: Any) -> Any:
        """exp(r) - 1 for |r| < 0.35."""
        p = c12 + r * c13
        p = c10 + r * (c11 + r * p)
        p = c7 + r * (c8 + r * (c9 + r * p))
        p = c4 + r * (c5 + r * (c6 + r * p))
        return r + r * r * (c2 + r * (c3 + r * p))

    @compiled
    def exp(x: Any) -> Any:
        y = highest if x > highest else (lowest if x < lowest else x)
        n = np.floor(y * log2e + half)
        k = N(n)
        # 2**n in two factors, so that results below the smallest normal number and n = 1024 come out right.
        k1 = k >> N(1)
        r = (y - n * ln2_high) - n * ln2_low
        return x if x != x else (one + series(r)) * power_of_two(k1) * power_of_two(k - k1)

    @compiled
    def expm1(x: Any) -> Any:
        y = highest if x > highest else (lowest if x < lowest else x)
        n = np.floor(y * log2e + half)
        k = N(n)
        k1 = k >> N(1)
        r = (y - n * ln2_high) - n * ln2_low
        p = series(r)
        s1, s2 = power_of_two(k1), power_of_two(k - k1)
        small, large = s1 * p * s2 + (s1 * s2 - one), (one + p) * s1 * s2
        y = small if n < F(60) else large
        return x if (x != x) | (x == F(0)) else y

    g1, g2, g3, g4, g5, g6, g7 = (
        F(6.666666666666735130e-01), F(3.999999999940941908e-01), F(2.857142874366239149e-01),
        F(2.222219843214978396e-01), F(1.818357216161805012e-01), F(1.531383769920937332e-01),
        F(1.479819860511658591e-01),
    )  # fmt: skip
    tiny, lift, lifted_by = F(2.2250738585072014e-308), F(18014398509481984.0), F(54)
    low_bits, sqrt_half_bits = N(0x000FFFFFFFFFFFFF), N(0x3FE6A09E667F3BCD)

    @compiled
    def log_parts(x: Any, correction: Any) -> Any:
        """log(x) + correction for normal and subnormal x > 0."""
        small = x < tiny
        y = x * lift if small else x
        shifted = F(y).view(N) - sqrt_half_bits
        k = shifted >> mantissa_bits
        f = N((shifted & low_bits) + sqrt_half_bits).view(F) - one
        n = F(k) - (lifted_by if small else F(0))
        s = f / (F(2) + f)
        z = s * s
        w = z * z
        t = w * (g2 + w * (g4 + w * g6)) + z * (g1 + w * (g3 + w * (g5 + w * g7)))
        h = half * f * f
        return n * ln2_high - ((h - (s * (h + t) + (n * ln2_low + correction))) - f)

    return _logarithms(np.float64, log_parts) | {"exp": exp, "expm1": expm1}


def _base32() -> dict[str, Scalar]:
    F, N, one, half = np.float32, np.int32, np.float32(1), np.float32(0.5)
    log2e, ln2_high, ln2_low = F(1.44269504088896341), F(0.693359375), F(-2.12194440e-4)
    highest, lowest = F(89.0), F(-104.0)
    bias, mantissa_bits, one_bit = N(127), N(23), N(1)
    c2, c3, c4, c5, c6, c7 = (
        F(5.0000001201e-1), F(1.6666665459e-1), F(4.1665795894e-2), F(8.3334519073e-3), F(1.3981999507e-3),
        F(1.9875691500e-4),
    )  # fmt: skip

    @compiled
    def power_of_two(n: Any) -> Any:
        return N(N(n + bias) << mantissa_bits).view(F)

    @compiled
    def series(r: Any) -> Any:
        """exp(r) - 1 for |r| < 0.35."""
        p = c2 + r * (c3 + r * (c4 + r * (c5 + r * (c6 + r * c7))))
        return r + r * r * p

    @compiled
    def exp(x: Any) -> Any:
        y = highest if x > highest else (lowest if x < lowest else x)
        n = F(np.floor(y * log2e + half))
        k = N(n)
        k1 = N(k >> one_bit)
        r = (y - n * ln2_high) - n * ln2_low
        return x if x != x else (one + series(r)) * power_of_two(k1) * power_of_two(N(k - k1))

    @compiled
    def expm1(x: Any) -> Any:
        y = highest if x > highest else (lowest if x < lowest else x)
        n = F(np.floor(y * log2e + half))
        k = N(n)
        k1 = N(k >> one_bit)
        r = (y - n * ln2_high) - n * ln2_low
        p = series(r)
        s1, s2 = power_of_two(k1), power_of_two(N(k - k1))
        small, large = s1 * p * s2 + (s1 * s2 - one), (one + p) * s1 * s2
        y = small if n < F(30) else large
        return x if (x != x) | (x == F(0)) else y

    p0, p1, p2, p3, p4, p5, p6, p7, p8 = (
        F(7.0376836292e-2), F(-1.1514610310e-1), F(1.1676998740e-1), F(-1.2420140846e-1), F(1.4249322787e-1),
        F(-1.6668057665e-1), F(2.0000714765e-1), F(-2.4999993993e-1), F(3.3333331174e-1),
    )  # fmt: skip
    tiny, lift, lifted_by = F(1.17549435e-38), F(33554432.0), F(25)
    low_bits, sqrt_half_bits = N(0x007FFFFF), N(0x3F3504F3)

    @compiled
    def log_parts(x: Any, correction: Any) -> Any:
        """log(x) + correction for normal and subnormal x > 0."""
        small = x < tiny
        y = F(x * lift if small else x)
        shifted = N(y.view(N) - sqrt_half_bits)
        k = N(shifted >> mantissa_bits)
        f = N(N(shifted & low_bits) + sqrt_half_bits).view(F) - one
        n = F(k) - (lifted_by if small else F(0))
        z = f * f
        p = p2 + f * (p1 + f * p0)
        p = p5 + f * (p4 + f * (p3 + f * p))
        p = p8 + f * (p7 + f * (p6 + f * p))
        y = f * z * p + (n * ln2_low + correction) - half * z
        return n * ln2_high + (f + y)

    return _logarithms(np.float32, log_parts) | {"exp": exp, "expm1": expm1}


def _logarithms(F: Any, log_parts: Scalar) -> dict[str, Scalar]:
    zero, one, two, infinity, nothing = F(0), F(1), F(2), F(np.inf), F(np.nan)

    @compiled
    def log(x: Any) -> Any:
        inside = (x > zero) & (x < infinity)
        found = log_parts(x if inside else one, zero)
        return found if inside else (-infinity if x == zero else (nothing if x < zero else x))

    @compiled
    def log1p(x: Any) -> Any:
        u = one + x
        inside = (u > zero) & (u < infinity)
        v = u if inside else one
        # What was lost in 1 + x, seen from the larger of the two.
        lost_of_one, lost_of_x = one - (v - x), x - (v - one)
        lost = lost_of_one if v > two else lost_of_x
        found = log_parts(v, lost / v)
        exact = (x == zero) | (u == one)
        found = x if exact else found
        return found if inside else (-infinity if u == zero else (nothing if u < zero else u))

    return {"log": log, "log1p": log1p}


def _derived(F: Any, base: dict[str, Scalar]) -> dict[str, Scalar]:
    exp, expm1, log1p = base["exp"], base["expm1"], base["log1p"]
    zero, half, one, two = F(0), F(0.5), F(1), F(2)
    flat = F(22.0) if F is np.float64 else F(10.0)

    def tanh(x: Any) -> Any:
        size = abs(x)
        t = expm1(two * (flat if size > flat else size))
        y = t / (t + two)
        signed = -y if x < zero else y
        return x if (x != x) | (x == zero) else signed

    def sigmoid(x: Any) -> Any:
        e = exp(-abs(x))
        return (one if x >= zero else e) / (one + e)

    def softplus(x: Any) -> Any:
        fall = log1p(exp(-abs(x)))
        return (x if (x > zero) | (x != x) else zero) + fall

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

    return {f.__name__: compiled(f) for f in (tanh, sigmoid, softplus, sinh, cosh)} | _periodic() | {"erf": _erf()}


def _periodic() -> dict[str, Scalar]:
    def sin(x: Any) -> Any:
        return np.sin(x)

    def cos(x: Any) -> Any:
        return np.cos(x)

    return {"sin": compiled(sin), "cos": compiled(cos)}


def _erf() -> Scalar:
    exp = _base(np.float64)["exp"]
    (n0, n1, n2, n3, n4), (_, d1, d2, d3, d4) = NEAR
    (m0, m1, m2, m3, m4, m5, m6, m7, m8), (_, e1, e2, e3, e4, e5, e6, e7, e8) = MIDDLE
    (f0, f1, f2, f3, f4, f5), (_, h1, h2, h3, h4, h5) = FAR
    root_pi = float(1 / np.sqrt(np.pi))

    @compiled
    def erf(x: Any) -> Any:
        wide: Any = np.float64(x)
        size: Any = abs(wide)
        size = 6.0 if size > 6.0 else size
        q = 0.5 if size > 0.5 else size
        q = q * q
        near = wide * (n4 + q * (n3 + q * (n2 + q * (n1 + q * n0)))) / (d4 + q * (d3 + q * (d2 + q * (d1 + q))))
        s = 0.46875 if size < 0.46875 else (4.0 if size > 4.0 else size)
        top = m8 + s * (m7 + s * (m6 + s * (m5 + s * (m4 + s * (m3 + s * (m2 + s * (m1 + s * m0)))))))
        bottom = e8 + s * (e7 + s * (e6 + s * (e5 + s * (e4 + s * (e3 + s * (e2 + s * (e1 + s)))))))
        fall = exp(-size * size)
        w = 4.0 if size < 4.0 else size
        z = 1.0 / (w * w)
        rest = z * (f5 + z * (f4 + z * (f3 + z * (f2 + z * (f1 + z * f0)))))
        rest = rest / (h5 + z * (h4 + z * (h3 + z * (h2 + z * (h1 + z)))))
        far, middle = 1.0 - fall * (root_pi - rest) / w, 1.0 - fall * top / bottom
        beyond = far if size > 4.0 else middle
        signed = -beyond if wide < 0.0 else beyond
        found = near if size <= 0.46875 else signed
        return wide if x != x else found

    return erf
