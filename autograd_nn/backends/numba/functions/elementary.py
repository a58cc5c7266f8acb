"""The elementary functions as polynomials that LLVM vectorises, for float32 and float64.

Here stand exponentials, logarithms and what is made of them; the other families have files of their own. All are
branch-free: special cases are chosen at the end, `x if x != x` hands a NaN through. The errors against the correctly
rounded result are stated per function in `ULP` and tested.

Sources: argument reduction and logarithm as in FreeBSD msun (e_exp.c, e_log.c, s_log1p.c; Sun Microsystems 1993), the
polynomials for float32 from S. Moshier, Cephes (expf.c, logf.c); exp for float64 is Taylor's series, whose remainder
on |r| < 0.35 is below half an ulp.
"""

from functools import cache
from typing import Any

import numpy as np

from . import arcs, gaussian, hyperbolic, powers, trigonometric
from .scalars import Scalar, compiled

# The largest error of each function in ulp, float32 and float64.
ULP = {
    "exp": (2, 2), "expm1": (2, 3), "log": (1, 1), "log1p": (1, 1), "sigmoid": (3, 3), "softplus": (3, 3),
    "softplus_tail": (3, 3),
    **hyperbolic.ULP, **trigonometric.ULP, **arcs.ULP, **powers.ULP, **gaussian.ULP,
}  # fmt: skip


@cache
def elementary(T: Any) -> dict[str, Scalar]:
    """The functions of dtype `T`, by the names that expressions use."""
    base = _base(T)
    wide = base if T is np.float64 else _base(np.float64)
    return {
        **{name: base[name] for name in ("exp", "expm1", "log", "log1p")},
        **_logistic(T, base),
        **hyperbolic.hyperbolic(T, base),
        **trigonometric.trigonometric(T),
        **arcs.arcs(T),
        **powers.powers(T, base),
        **gaussian.gaussian(T, base, wide),
    }


@cache
def _base(T: Any) -> dict[str, Scalar]:
    """exp, expm1, log, log1p, and the parts that other functions use."""
    return {**_exponentials(T), **_logarithms(T)}


class Format:
    """Numbers of a float dtype as integers: `magic` plus a small whole number has that number in its last bits."""

    def __init__(self, T: Any) -> None:
        narrow = T is np.float32
        self.integer: Any = np.int32 if narrow else np.int64
        self.mantissa = self.integer(23 if narrow else 52)
        self.bias = self.integer(127 if narrow else 1023)
        self.magic = T(1.5 * 2.0 ** int(self.mantissa))
        self.magic_bits = self.magic.view(self.integer)
        self.tiny = np.finfo(T).tiny
        self.lift, self.lifted_by = T(2.0 ** (int(self.mantissa) + 2)), T(int(self.mantissa) + 2)
        self.low_bits = self.integer((1 << int(self.mantissa)) - 1)
        # The high part of log(2) has so few bits that its product with an exponent is exact.
        self.ln2_high = T(0.693359375) if narrow else T(6.93147180369123816490e-01)
        self.ln2_low = T(-2.12194440e-4) if narrow else T(1.90821492927058770002e-10)


def _exponentials(T: Any) -> dict[str, Scalar]:
    form = Format(T)
    N, one, zero, shift, magic, magic_bits = form.integer, T(1), T(0), form.integer(1), form.magic, form.magic_bits
    bias, mantissa, ln2_high, ln2_low = form.bias, form.mantissa, form.ln2_high, form.ln2_low
    log2e, ln2 = T(1.44269504088896338700), T(0.69314718055994530942)
    highest, lowest, plain = (T(89), T(-104), T(30)) if T is np.float32 else (T(710), T(-746), T(60))
    highest2, lowest2 = (T(129), T(-151)) if T is np.float32 else (T(1025), T(-1076))
    series = _series32() if T is np.float32 else _series64()
    # So far results below 1 are lifted, so that subnormal ones come from one more factor.
    lift = 64 if T is np.float32 else 100
    lifted_bias, plain_bias, lowered = N(int(bias) + lift - int(magic_bits)), N(bias - magic_bits), T(2.0**-lift)

    @compiled
    def power_of_two(n: Any) -> Any:
        return N(N(n + bias) << mantissa).view(T)

    @compiled
    def scaled(y: Any, k: Any) -> Any:
        """y * 2**k, in two factors, so that subnormal results and k = 1024 come out right."""
        half = N(k >> shift)
        return y * power_of_two(half) * power_of_two(N(k - half))

    @compiled
    def exp(x: Any) -> Any:
        y = highest if x > highest else x
        y = lowest if y < lowest else y
        t = T(y * log2e + magic)
        n = t - magic
        r = (y - n * ln2_high) - n * ln2_low
        # Not by underflow, which costs some processors 100 cycles.
        e = zero if x < lowest else one + series(r)
        return scaled(e, N(t.view(N) - magic_bits))

    @compiled
    def exp_falling(x: Any) -> Any:
        """exp(x) for x <= 0."""
        y = lowest if x < lowest else x
        t = T(y * log2e + magic)
        n = t - magic
        r = (y - n * ln2_high) - n * ln2_low
        e = zero if x < lowest else one + series(r)
        return e * N(N(t.view(N) + lifted_bias) << mantissa).view(T) * lowered

    @compiled
    def expm1_rising(x: Any) -> Any:
        """exp(x) - 1 for x >= 0 whose exponential has a place for the 1."""
        t = T(x * log2e + magic)
        n = t - magic
        p = series((x - n * ln2_high) - n * ln2_low)
        s = N(N(t.view(N) + plain_bias) << mantissa).view(T)
        return s * p + (s - one)

    @compiled
    def exp2(x: Any) -> Any:
        y = highest2 if x > highest2 else (lowest2 if x < lowest2 else x)
        t = T(y + magic)
        r = (y - (t - magic)) * ln2
        return x if x != x else scaled(one + series(r), N(t.view(N) - magic_bits))

    @compiled
    def expm1(x: Any) -> Any:
        y = highest if x > highest else (lowest if x < lowest else x)
        t = T(y * log2e + magic)
        n = t - magic
        k = N(t.view(N) - magic_bits)
        half = N(k >> shift)
        p = series((y - n * ln2_high) - n * ln2_low)
        s1, s2 = power_of_two(half), power_of_two(N(k - half))
        small, large = s1 * p * s2 + (s1 * s2 - one), (one + p) * s1 * s2
        y = small if n < plain else large
        return x if (x != x) | (x == zero) else y

    return {
        "exp": exp, "exp2": exp2, "expm1": expm1, "scaled": scaled, "exp_falling": exp_falling,
        "expm1_rising": expm1_rising,
    }  # fmt: skip


def _series64() -> Scalar:
    F = np.float64
    c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 = (
        F(1 / 2), F(1 / 6), F(1 / 24), F(1 / 120), F(1 / 720), F(1 / 5040), F(1 / 40320), F(1 / 362880),
        F(1 / 3628800), F(1 / 39916800), F(1 / 479001600), F(1 / 6227020800),
    )  # fmt: skip

    @compiled
    def series(r: Any) -> Any:
        """exp(r) - 1 for |r| < 0.35."""
        p = c12 + r * c13
        p = c10 + r * (c11 + r * p)
        p = c7 + r * (c8 + r * (c9 + r * p))
        p = c4 + r * (c5 + r * (c6 + r * p))
        return r + r * r * (c2 + r * (c3 + r * p))

    return series


def _series32() -> Scalar:
    F = np.float32
    c2, c3, c4, c5, c6, c7 = (
        F(5.0000001201e-1), F(1.6666665459e-1), F(4.1665795894e-2), F(8.3334519073e-3), F(1.3981999507e-3),
        F(1.9875691500e-4),
    )  # fmt: skip

    @compiled
    def series(r: Any) -> Any:
        """exp(r) - 1 for |r| < 0.35."""
        p = c2 + r * (c3 + r * (c4 + r * (c5 + r * (c6 + r * c7))))
        return r + r * r * p

    return series


def _logarithms(T: Any) -> dict[str, Scalar]:
    form = Format(T)
    N, mantissa, magic, magic_bits, low_bits = form.integer, form.mantissa, form.magic, form.magic_bits, form.low_bits
    tiny, lift, lifted_by = form.tiny, form.lift, form.lifted_by
    zero, half, one, two, infinity, nothing = T(0), T(0.5), T(1), T(2), T(np.inf), T(np.nan)
    near_one = T(1.5)
    root = N(0x3F3504F3 if T is np.float32 else 0x3FE6A09E667F3BCD)
    fraction = _fraction32(form) if T is np.float32 else _fraction64(form)

    @compiled
    def exponent(x: Any) -> Any:
        """The n for which x / 2**n is between the roots of 1/2 and 2."""
        return N(N(N(T(x).view(N) - root) >> mantissa) + magic_bits).view(T) - magic

    @compiled
    def above_one(x: Any) -> Any:
        """x / 2**n - 1."""
        return N(N(N(T(x).view(N) - root) & low_bits) + root).view(T) - one

    @compiled
    def log_parts(x: Any, correction: Any) -> Any:
        """log(x) + correction for normal and subnormal x > 0."""
        small = x < tiny
        y = T(x * lift if small else x)
        return fraction(above_one(y), exponent(y) - (lifted_by if small else zero), correction)

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

    @compiled
    def log1p_unit(x: Any) -> Any:
        """log(1 + x) for x in 0..1."""
        u = T(one + x)
        # 1.5 - u / 2 is 1 / u, as good as the last bit needs.
        lost = (x - (u - one)) * (near_one - half * u)
        return fraction(above_one(u), exponent(u), lost) if u != one else x

    return {
        "log": log, "log1p": log1p, "log1p_unit": log1p_unit, "exponent": exponent, "above_one": above_one,
    }  # fmt: skip


def _fraction64(form: Format) -> Scalar:
    F, half, two, ln2_high, ln2_low = np.float64, np.float64(0.5), np.float64(2), form.ln2_high, form.ln2_low
    g1, g2, g3, g4, g5, g6, g7 = (
        F(6.666666666666735130e-01), F(3.999999999940941908e-01), F(2.857142874366239149e-01),
        F(2.222219843214978396e-01), F(1.818357216161805012e-01), F(1.531383769920937332e-01),
        F(1.479819860511658591e-01),
    )  # fmt: skip

    @compiled
    def fraction(f: Any, n: Any, correction: Any) -> Any:
        """log(1 + f) + n log(2) + correction."""
        s = f / (two + f)
        z = s * s
        w = z * z
        t = w * (g2 + w * (g4 + w * g6)) + z * (g1 + w * (g3 + w * (g5 + w * g7)))
        h = half * f * f
        return n * ln2_high - ((h - (s * (h + t) + (n * ln2_low + correction))) - f)

    return fraction


def _fraction32(form: Format) -> Scalar:
    F, half, ln2_high, ln2_low = np.float32, np.float32(0.5), form.ln2_high, form.ln2_low
    p0, p1, p2, p3, p4, p5, p6, p7, p8 = (
        F(7.0376836292e-2), F(-1.1514610310e-1), F(1.1676998740e-1), F(-1.2420140846e-1), F(1.4249322787e-1),
        F(-1.6668057665e-1), F(2.0000714765e-1), F(-2.4999993993e-1), F(3.3333331174e-1),
    )  # fmt: skip

    @compiled
    def fraction(f: Any, n: Any, correction: Any) -> Any:
        """log(1 + f) + n log(2) + correction."""
        z = f * f
        p = p2 + f * (p1 + f * p0)
        p = p5 + f * (p4 + f * (p3 + f * p))
        p = p8 + f * (p7 + f * (p6 + f * p))
        y = f * z * p + (n * ln2_low + correction) - half * z
        return n * ln2_high + (f + y)

    return fraction


def _logistic(T: Any, base: dict[str, Scalar]) -> dict[str, Scalar]:
    exp_falling, log1p_unit = base["exp_falling"], base["log1p_unit"]
    zero, one = T(0), T(1)

    def sigmoid(x: Any) -> Any:
        e = exp_falling(-abs(x))
        # So written, sigmoid(x) and sigmoid(-x) share their division.
        share = one / (one + e)
        return share if x >= zero else e * share

    @compiled
    def softplus_tail(x: Any) -> Any:
        """log(1 + exp(-|x|))."""
        return log1p_unit(exp_falling(-abs(x)))

    def softplus(x: Any) -> Any:
        return (x if (x > zero) | (x != x) else zero) + softplus_tail(x)

    return {f.__name__: compiled(f) for f in (sigmoid, softplus, softplus_tail)}
