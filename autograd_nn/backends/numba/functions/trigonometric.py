"""sin, cos and tan of float32 and float64, right for every argument: no range in which they go wrong, and no branch.

The argument is divided by pi / 2 in integers: its mantissa times the 96 (float32) or 192 (float64) bits of 2 / pi that
matter at its exponent, modulo 4, as in M. Payne and R. Hanek, "Radian reduction for trigonometric functions", SIGNUM
Newsletter 18 (1983). The bits are chosen by halving: words by each bit of the exponent, then a shift. Polynomials on
|r| < pi / 4 from FreeBSD msun (k_sin.c, k_cos.c; Sun Microsystems 1993) and S. Moshier, Cephes (sinf.c).
"""

from functools import cache
from typing import Any

import numpy as np

from .scalars import Scalar, compiled

ULP = {"sin": (2, 2), "cos": (2, 2), "tan": (4, 4)}


@cache
def trigonometric(T: Any) -> dict[str, Scalar]:
    """sin, cos and tan of dtype `T`."""
    narrow = np.dtype(T).itemsize == 4
    quadrant, rest = _reduction32() if narrow else _reduction64()
    sine, cosine = _kernels32() if narrow else _kernels64()
    one, U = T(1), np.uint64
    odd, half_turn, none = U(1), U(2), U(0)

    def sin(x: Any) -> Any:
        n, r = quadrant(x), rest(x)
        y = cosine(r) if (n & odd) != none else sine(r)
        return (-y if (n & half_turn) != none else y) * np.copysign(one, x)

    def cos(x: Any) -> Any:
        n, r = quadrant(x), rest(x)
        y = sine(r) if (n & odd) != none else cosine(r)
        return -y if ((n + odd) & half_turn) != none else y

    def tan(x: Any) -> Any:
        n, r = quadrant(x), rest(x)
        s, c = sine(r), cosine(r)
        turned = (n & odd) != none
        return (-c if turned else s) / (s if turned else c) * np.copysign(one, x)

    return {f.__name__: compiled(f) for f in (sin, cos, tan)}


def _kernels32() -> tuple[Scalar, Scalar]:
    F, one, half = np.float32, np.float32(1), np.float32(0.5)
    s1, s2, s3 = F(-1.6666654611e-1), F(8.3321608736e-3), F(-1.9515295891e-4)
    c1, c2, c3 = F(4.166664568298827e-2), F(-1.388731625493765e-3), F(2.443315711809948e-5)

    @compiled
    def sine(r: Any) -> Any:
        z = r * r
        return r + r * z * (s1 + z * (s2 + z * s3))

    @compiled
    def cosine(r: Any) -> Any:
        z = r * r
        return one - half * z + z * z * (c1 + z * (c2 + z * c3))

    return sine, cosine


def _kernels64() -> tuple[Scalar, Scalar]:
    F, one, half = np.float64, np.float64(1), np.float64(0.5)
    s1, s2, s3, s4, s5, s6 = (
        F(-1.66666666666666324348e-01), F(8.33333333332248946124e-03), F(-1.98412698298579493134e-04),
        F(2.75573137070700676789e-06), F(-2.50507602534068634195e-08), F(1.58969099521155010221e-10),
    )  # fmt: skip
    c1, c2, c3, c4, c5, c6 = (
        F(4.16666666666666019037e-02), F(-1.38888888888741095749e-03), F(2.48015872894767294178e-05),
        F(-2.75573143513906633035e-07), F(2.08757232129817482790e-09), F(-1.13596475577881948265e-11),
    )  # fmt: skip

    @compiled
    def sine(r: Any) -> Any:
        z = r * r
        return r + r * z * (s1 + z * (s2 + z * (s3 + z * (s4 + z * (s5 + z * s6)))))

    @compiled
    def cosine(r: Any) -> Any:
        z = r * r
        h = half * z
        w = one - h
        return w + ((one - w - h) + z * z * (c1 + z * (c2 + z * (c3 + z * (c4 + z * (c5 + z * c6))))))

    return sine, cosine


def _reduction32() -> tuple[Scalar, Scalar]:
    """The quadrant 0..3 of |x|, modulo 8 where it is not reduced, and what is left of |x| in -pi/4..pi/4."""
    F, D, K, U, L, J = np.float32, np.float64, np.int32, np.uint32, np.uint64, np.int64
    # 25 zeros, then the bits of 2 / pi.
    w0, w1, w2, w3, w4, w5, w6 = map(U, (0x51, 0x7CC1B727, 0x220A94FE, 0x13ABE8FA, 0x9A6EE06D, 0xB14ACC9E, 0x21C820FF))
    size_bits, mantissa, hidden, exponent_at, bias = U(0x7FFFFFFF), U(0x7FFFFF), U(0x800000), U(23), U(127)
    none, one, two, five, last = U(0), U(1), U(2), U(5), U(31)
    word, half_word, half_quarter, quarter_at, sign_bits = L(32), L(0x7FFFFFFF), L(1 << 61), L(62), L(2)
    low_at, high_at, nothing, next_quadrant = L(1), J(32), L(0), L(1)
    high_unit, low_unit = D(np.pi * 2.0**-33), D(np.pi * 2.0**-64)
    first, quarter, pi_half, infinity = F(1), F(np.pi / 4), D(np.pi / 2), F(np.inf)

    @compiled
    def shifted(high: Any, low: Any, by: Any) -> Any:
        return U(U(high << by) | U(U(low >> one) >> U(last - by)))

    @compiled
    def quarters(x: Any) -> Any:
        """|x| / (pi / 2) modulo 4 in units of 2**-62, for |x| >= 1."""
        bits = U(F(x).view(U) & size_bits)
        at = U(U(bits >> exponent_at) - bias)
        m = L(U(bits & mantissa) | hidden)
        word_at, by = U(at >> five), U(at & last)
        second = U(word_at & two) != none
        a0, a1, a2 = w2 if second else w0, w3 if second else w1, w4 if second else w2
        a3, a4 = w5 if second else w3, w6 if second else w4
        odd = U(word_at & one) != none
        b0, b1, b2, b3 = a1 if odd else a0, a2 if odd else a1, a3 if odd else a2, a4 if odd else a3
        high, middle, low = shifted(b0, b1, by), shifted(b1, b2, by), shifted(b2, b3, by)
        return L((m * L(high)) << word) + m * L(middle) + ((m * L(low)) >> word)

    @compiled
    def quadrant(x: Any) -> Any:
        size = abs(x)
        small = nothing if size < quarter else next_quadrant
        return small if size < first else L(quarters(x) + half_quarter) >> quarter_at

    @compiled
    def rest(x: Any) -> Any:
        size = abs(x)
        f = L(quarters(x) << sign_bits)
        high, low = K(J(f) >> high_at), K((f >> low_at) & half_word)
        large = F(D(high) * high_unit + D(low) * low_unit)
        near = size if size < quarter else F(D(size) - pi_half)
        found = near if size < first else large
        return found if size < infinity else size - size

    return quadrant, rest


def _reduction64() -> tuple[Scalar, Scalar]:
    """The same for float64."""
    F, K, U, J = np.float64, np.int32, np.uint64, np.int64
    # 54 zeros, then the bits of 2 / pi.
    w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15, w16, w17, w18 = map(U, (
        0x28B, 0xE60DB9391054A7F0, 0x9D5F47D4D377036D, 0x8A5664F10E4107F9, 0x458EAF7AEF1586DC, 0x91B8E909374B8019,
        0x24BBA827464873F8, 0x77AC72C4A69CFBA2, 0x08D7D4BAED1213A6, 0x71C09AD17DF904E6, 0x4758E60D4CE7D272,
        0x117E2EF7E4A0EC7F, 0xE25FFF7816603FBC, 0xBC462D6829B47DB4, 0xD9FB3C9F2C26DD3D, 0x18FD9A797FA8B5D4,
        0x9EEB1FAF97C5ECF4, 0x1CE7DE294A4BA9AF, 0xED7EC47E35742158,
    ))  # fmt: skip
    size_bits, mantissa, hidden, exponent_at, bias = (
        U(0x7FFFFFFFFFFFFFFF), U(0xFFFFFFFFFFFFF), U(0x10000000000000), U(52), U(1023),
    )  # fmt: skip
    none, one, two, four, eight, six, last = U(0), U(1), U(2), U(4), U(8), U(6), U(63)
    word, low_word, half_quarter, quarter_at = U(32), U(0xFFFFFFFF), U(1 << 61), U(62)
    high_at, low_at, low_half, no, yes = J(32), U(33), U(0x7FFFFFFF), np.bool_(False), np.bool_(True)
    high_unit, low_unit, lowest_unit = F(2.0**31), F(2.0**-30), F(2.0**-61)
    pi_high, pi_low = F(np.pi * 2.0**-64), F(1.2246467991473532e-16 * 2.0**-64)
    first, quarter, infinity = F(1), F(np.pi / 4), F(np.inf)
    pi_half, pi_half_low = F(np.pi / 2), F(6.123233995736766e-17)

    @compiled
    def shifted(high: Any, low: Any, by: Any) -> Any:
        return (high << by) | ((low >> one) >> (last - by))

    @compiled
    def quarters(x: Any, low_part: Any) -> Any:
        """|x| / (pi / 2) modulo 4 for |x| >= 1: its upper 64 bits in units of 2**-62, or the 64 bits after them."""
        bits = F(x).view(U) & size_bits
        at = (bits >> exponent_at) - bias
        m = (bits & mantissa) | hidden
        word_at, by = at >> six, at & last
        up = (word_at & eight) != none
        a0, a1, a2, a3 = w8 if up else w0, w9 if up else w1, w10 if up else w2, w11 if up else w3
        a4, a5, a6, a7 = w12 if up else w4, w13 if up else w5, w14 if up else w6, w15 if up else w7
        a8, a9, a10 = w16 if up else w8, w17 if up else w9, w18 if up else w10
        up = (word_at & four) != none
        b0, b1, b2, b3 = a4 if up else a0, a5 if up else a1, a6 if up else a2, a7 if up else a3
        b4, b5, b6 = a8 if up else a4, a9 if up else a5, a10 if up else a6
        up = (word_at & two) != none
        c0, c1, c2, c3, c4 = (
            b2 if up else b0, b3 if up else b1, b4 if up else b2, b5 if up else b3, b6 if up else b4
        )  # fmt: skip
        up = (word_at & one) != none
        d0, d1, d2, d3 = c1 if up else c0, c2 if up else c1, c3 if up else c2, c4 if up else c3
        high, middle, low = shifted(d0, d1, by), shifted(d1, d2, by), shifted(d2, d3, by)
        # The mantissa in two words, times three words of 64 bits, each in two.
        m0, m1 = m & low_word, m >> word
        p1 = m0 * (low >> word) + ((m0 * (low & low_word)) >> word)
        p2 = m0 * (middle & low_word) + (p1 >> word)
        p3 = m0 * (middle >> word) + (p2 >> word)
        p4 = m0 * (high & low_word) + (p3 >> word)
        p5 = m0 * (high >> word) + (p4 >> word)
        q2 = m1 * (low >> word) + ((m1 * (low & low_word)) >> word)
        q3 = m1 * (middle & low_word) + (q2 >> word)
        q4 = m1 * (middle >> word) + (q3 >> word)
        q5 = m1 * (high & low_word) + (q4 >> word)
        p_low, q_low = (p3 << word) | (p2 & low_word), (q3 << word) | (q2 & low_word)
        sum_low = p_low + q_low
        carry = one if sum_low < p_low else none
        sum_high = ((p5 << word) | (p4 & low_word)) + ((q5 << word) | (q4 & low_word)) + carry
        return sum_low if low_part else sum_high

    @compiled
    def quadrant(x: Any) -> Any:
        size = abs(x)
        small = none if size < quarter else one
        return small if size < first else (quarters(x, no) + half_quarter) >> quarter_at

    @compiled
    def rest(x: Any) -> Any:
        size = abs(x)
        f, g = quarters(x, no) << two, quarters(x, yes)
        # Pieces of at most 31 bits and a sign, because the processor converts those fast; in units of 2**-63.
        high, middle = K(J(f) >> high_at), K((f & low_word) >> one)
        low, lowest = K(g >> low_at), K((g >> two) & low_half)
        h, t = F(high) * high_unit, F(middle)
        s = h + t
        u = ((h - s) + t) + F(low) * low_unit
        whole = s + u
        part = ((s - whole) + u) + F(lowest) * lowest_unit
        large = whole * pi_high + (whole * pi_low + part * pi_high)
        near = size if size < quarter else (size - pi_half) - pi_half_low
        found = near if size < first else large
        return found if size < infinity else size - size

    return quadrant, rest
