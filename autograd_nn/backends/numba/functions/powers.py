"""Powers, roots and the logarithms of other bases.

power of float64 as in FreeBSD msun (e_pow.c; Sun Microsystems 1993), log2 and log10 of float64 as in its e_log2.c and
e_log10.c, branch-free; those of float32 go through float64, with polynomials only as long as float32 needs.
"""

from typing import Any

import numpy as np

from .scalars import Scalar, compiled

ULP = {
    "power": (1, 1), "exp2": (2, 2), "log2": (1, 1), "log10": (1, 1), "cbrt": (1, 1), "hypot": (1, 2), "rsqrt": (2, 2),
}  # fmt: skip
_MAGIC = np.float64(1.5 * 2.0**52)
_MAGIC_BITS = _MAGIC.view(np.int64)


def powers(T: Any, base: dict[str, Scalar]) -> dict[str, Scalar]:
    """The functions of dtype `T`; `base` holds its exponentials and logarithms."""
    kind = _narrow() if T is np.float32 else _wide(base)
    raised = kind.pop("raised")
    return {**kind, "exp2": base["exp2"], "power": _power(T, raised), "rsqrt": _rsqrt(T)}


def _rsqrt(T: Any) -> Scalar:
    one = T(1)

    @compiled
    def rsqrt(x: Any) -> Any:
        return one / np.sqrt(x)

    return rsqrt


def _power(T: Any, raised: Scalar) -> Scalar:
    zero, half, one, two, infinity, nothing = T(0), T(0.5), T(1), T(2), T(np.inf), T(np.nan)

    @compiled
    def power(a: Any, b: Any) -> Any:
        size = abs(a)
        whole = np.floor(b) == b
        odd = whole & (np.floor(b * half) * two != b)
        found = one if size == one else raised(size, b)
        signed = -found if odd & (np.copysign(one, a) < zero) else found
        real = nothing if (a < zero) & (size < infinity) & (not whole) else signed
        return one if (b == zero) | (a == one) else (real if (a == a) & (b == b) else a + b)

    return power


def _narrow() -> dict[str, Scalar]:
    """For float32, computed in float64."""
    F, D, J = np.float32, np.float64, np.int64
    magic, magic_bits, mantissa, bias = _MAGIC, _MAGIC_BITS, J(52), J(1023)
    low_bits, root = J(0xFFFFFFFFFFFFF), J(0x3FE6A09E667F3BCD)
    zero, one, two, infinity, nothing = D(0), D(1), D(2), D(np.inf), D(np.nan)
    most, least, log10_of_2 = D(160), D(-160), D(0.30102999566398119521)
    # Minimax polynomials: log2((1 + s) / (1 - s)) / s in s * s with error 2**-37, 2**r with 2**-29.
    l0, l1, l2, l3, l4 = (
        D(2.88539008179008), D(0.9617966733502388), D(0.5770835832389872), D(0.41167282855351534),
        D(0.34072798005910243),
    )  # fmt: skip
    e0, e1, e2, e3, e4, e5, e6 = (
        D(1.0000000005555276), D(0.6931472057326404), D(0.2402264688053507), D(0.055503287844209215),
        D(0.009618490050485654), D(0.0013399928825052981), D(0.00015345517844085255),
    )  # fmt: skip

    @compiled
    def logarithm(x: Any) -> Any:
        """log2 of a float32 that is not negative."""
        bits = J(D(x).view(J) - root)
        n = J((bits >> mantissa) + magic_bits).view(D) - magic
        f = J((bits & low_bits) + root).view(D) - one
        s = f / (two + f)
        z = s * s
        found = n + s * (l0 + z * (l1 + z * (l2 + z * (l3 + z * l4))))
        return -infinity if x == zero else (infinity if x == infinity else found)

    @compiled
    def raised(size: Any, b: Any) -> Any:
        t = D(b) * logarithm(D(size))
        t = most if t > most else (least if t < least else t)
        u = D(t + magic)
        r = t - (u - magic)
        p = e0 + r * (e1 + r * (e2 + r * (e3 + r * (e4 + r * (e5 + r * e6)))))
        return F(p * J((u.view(J) - magic_bits + bias) << mantissa).view(D))

    def log2(x: Any) -> Any:
        return F(logarithm(D(x)) if x >= zero else nothing)

    def log10(x: Any) -> Any:
        return F(logarithm(D(x)) * log10_of_2 if x >= zero else nothing)

    cube_root = _cube_root()

    def cbrt(x: Any) -> Any:
        size = D(abs(x))
        inside = (size > zero) & (size < infinity)
        y = F(cube_root(size if inside else one, zero))
        return np.copysign(y, x) if inside else x

    def hypot(a: Any, b: Any) -> Any:
        endless = (abs(a) == infinity) | (abs(b) == infinity)
        return F(infinity if endless else np.sqrt(D(a) * D(a) + D(b) * D(b)))

    return {f.__name__: compiled(f) for f in (raised, log2, log10, cbrt, hypot)}


def _cube_root() -> Scalar:
    D, J = np.float64, np.int64
    magic, magic_bits, mantissa, bias, one_bits = _MAGIC, _MAGIC_BITS, J(52), J(1023), J(0x3FF0000000000000)
    low_bits, upper_bits = J(0xFFFFFFFFFFFFF), J(-1 << 26)
    one, two, half, third, three = D(1), D(2), D(0.5), D(1 / 3), D(3)
    root2, root4 = D(2 ** (1 / 3)), D(4 ** (1 / 3))
    # A minimax polynomial for the cube root in 1..2 with error 2**-16.
    c0, c1, c2, c3, c4 = (
        D(0.5069813569559807), D(0.7181483125948447), D(-0.30060568252245884), D(0.08608867228524354),
        D(-0.010603448585378646),
    )  # fmt: skip

    @compiled
    def cube_root(x: Any, exponent: Any) -> Any:
        """The cube root of a normal x > 0, times 2**exponent."""
        bits = J(D(x).view(J))
        n = J((bits >> mantissa) - bias + magic_bits).view(D) - magic
        m = J((bits & low_bits) | one_bits).view(D)
        q = np.floor((n + half) * third)
        left = n - three * q
        y = m * (one if left < half else (two if left < two - half else two + two))
        t = (c0 + m * (c1 + m * (c2 + m * (c3 + m * c4)))) * (
            one if left < half else (root2 if left < two - half else root4)
        )
        # Halley's method triples the digits; rounded, so that the square is exact, they take one step of Newton's.
        cube = t * t * t
        t = J(D(t * (cube + two * y) / (two * cube + y)).view(J) & upper_bits).view(D)
        r = y / (t * t)
        t = t + t * ((r - t) / (t + t + r))
        return t * J((J(D(q + exponent + magic).view(J)) - magic_bits + bias) << mantissa).view(D)

    return cube_root


def _wide(base: dict[str, Scalar]) -> dict[str, Scalar]:
    """For float64."""
    return {"raised": _raised(base["scaled"]), **_bases(base), **_roots()}


def _roots() -> dict[str, Scalar]:
    D = np.float64
    zero, one, infinity, tiny = D(0), D(1), D(np.inf), np.finfo(D).tiny
    lift, lifted_by, cube_root = D(2.0**54), D(-18), _cube_root()
    large, small, up, down = D(2.0**500), D(2.0**-400), D(2.0**600), D(2.0**-600)

    def cbrt(x: Any) -> Any:
        size = abs(x)
        inside = (size > zero) & (size < infinity)
        low = size < tiny
        y = cube_root((size * lift if low else size) if inside else one, lifted_by if low else zero)
        return np.copysign(y, x) if inside else x

    def hypot(a: Any, b: Any) -> Any:
        x, y = abs(a), abs(b)
        most = x if x > y else y
        by = down if most > large else (up if most < small else one)
        back = up if most > large else (down if most < small else one)
        p, q = x * by, y * by
        found = np.sqrt(p * p + q * q) * back
        return infinity if (x == infinity) | (y == infinity) else found

    return {f.__name__: compiled(f) for f in (cbrt, hypot)}


def _bases(base: dict[str, Scalar]) -> dict[str, Scalar]:
    D, J = np.float64, np.int64
    exponent, above_one = base["exponent"], base["above_one"]
    zero, half, one, two, infinity, nothing = D(0), D(0.5), D(1), D(2), D(np.inf), D(np.nan)
    tiny, lift, lifted_by, upper_bits = np.finfo(D).tiny, D(2.0**54), D(54), J(-1 << 32)
    g1, g2, g3, g4, g5, g6, g7 = (
        D(6.666666666666735130e-01), D(3.999999999940941908e-01), D(2.857142874366239149e-01),
        D(2.222219843214978396e-01), D(1.818357216161805012e-01), D(1.531383769920937332e-01),
        D(1.479819860511658591e-01),
    )  # fmt: skip

    def logarithm(inverse_high: Any, inverse_low: Any, unit_high: Any, unit_low: Any) -> Scalar:
        """The logarithm of a base: 1 / log(base) and log(2) / log(base), each in two parts."""

        @compiled
        def found(x: Any) -> Any:
            inside = (x > zero) & (x < infinity)
            low = x < tiny
            y = (x * lift if low else x) if inside else one
            n = exponent(D(y)) - (lifted_by if low else zero)
            f = above_one(D(y))
            square = half * f * f
            s = f / (two + f)
            z = s * s
            w = z * z
            t = w * (g2 + w * (g4 + w * g6)) + z * (g1 + w * (g3 + w * (g5 + w * g7)))
            high = J(D(f - square).view(J) & upper_bits).view(D)
            low_part = (f - high) - square + s * (square + t)
            whole, large = n * unit_high, high * inverse_high
            w = whole + large
            rest = n * unit_low + (low_part + high) * inverse_low + low_part * inverse_high + ((whole - w) + large)
            return rest + w if inside else (-infinity if x == zero else (nothing if x < zero else x))

        return found

    log2 = logarithm(D(1.44269504072144627571e00), D(1.67517131648865118353e-10), one, zero)
    log10 = logarithm(
        D(4.34294481878168880939e-01), D(2.50829467116452752298e-11),
        D(3.01029995663611771306e-01), D(3.69423907715893078616e-13),
    )  # fmt: skip
    return {"log2": log2, "log10": log10}


def _raised(scaled: Scalar) -> Scalar:
    D, J = np.float64, np.int64
    magic, magic_bits, mantissa, bias = _MAGIC, _MAGIC_BITS, J(52), J(1023)
    upper_bits, low_bits, one_bits = J(-1 << 32), J(0xFFFFFFFFFFFFF), J(0x3FF0000000000000)
    # Mantissas up to the roots of 3/2 and 3: nearest to 1, to 3/2, and to 2.
    to_one, to_three_halves = J(0x3988F << 32), J(0xBB67A << 32)
    one, two, three, half, zero, infinity = D(1), D(2), D(3), D(0.5), D(0), D(np.inf)
    three_halves = D(1.5)
    lift, lifted_by, tiny, far, most, least = D(2.0**54), D(54), np.finfo(D).tiny, D(2.0**66), D(1026), D(-1080)
    log_high, log_low = D(5.84962487220764160156e-01), D(1.35003920212974897128e-08)
    l1, l2, l3, l4, l5, l6 = (
        D(5.99999999999994648725e-01), D(4.28571428578550184252e-01), D(3.33333329818377432918e-01),
        D(2.72728123808534006489e-01), D(2.30660745775561754067e-01), D(2.06975017800338417784e-01),
    )  # fmt: skip
    p1, p2, p3, p4, p5 = (
        D(1.66666666666666019037e-01), D(-2.77777777770155933842e-03), D(6.61375632143793436117e-05),
        D(-1.65339022054652515390e-06), D(4.13813679705723846039e-08),
    )  # fmt: skip
    ln2, ln2_high, ln2_low = (
        D(6.93147180559945286227e-01),
        D(6.93147182464599609375e-01),
        D(-1.90465429995776804525e-09),
    )
    # 2 / (3 log(2)) and its parts.
    unit, unit_high, unit_low = (
        D(9.61796693925975554329e-01),
        D(9.61796700954437255859e-01),
        D(-7.02846165095275826516e-09),
    )

    @compiled
    def upper(x: Any) -> Any:
        """x without its lower half, so that products of such numbers are exact."""
        return J(D(x).view(J) & upper_bits).view(D)

    @compiled
    def raised(size: Any, b: Any) -> Any:
        """size**b for size >= 0: log2(size) in two parts, of which b times the first is exact, then 2 to that."""
        low = size < tiny
        bits = J(D(size * lift if low else size).view(J))
        share = J(bits & low_bits)
        middle, beyond = (share >= to_one) & (share < to_three_halves), share >= to_three_halves
        n = J((bits >> mantissa) - bias + magic_bits).view(D) - magic
        n = n - (lifted_by if low else zero) + (one if beyond else zero)
        m = J(share | one_bits).view(D)
        x = m * half if beyond else m
        centre = three_halves if middle else one
        u, v = x - centre, one / (x + centre)
        ss = u * v
        s_high, t_high = upper(ss), upper(x + centre)
        s_low = v * ((u - s_high * t_high) - s_high * (x - (t_high - centre)))
        z = ss * ss
        r = z * z * (l1 + z * (l2 + z * (l3 + z * (l4 + z * (l5 + z * l6))))) + s_low * (s_high + ss)
        square = s_high * s_high
        sum_high = upper(three + square + r)
        sum_low = r - ((sum_high - three) - square)
        u, v = s_high * sum_high, s_low * sum_high + sum_low * ss
        p_high = upper(u + v)
        p_low = v - (p_high - u)
        z_high = unit_high * p_high
        z_low = unit_low * p_high + p_low * unit + (log_low if middle else zero)
        at = log_high if middle else zero
        first = upper(((z_high + z_low) + at) + n)
        second = z_low - (((first - n) - at) - z_high)
        y = far if b > far else (-far if b < -far else b)
        y_high = upper(y)
        low_part, high_part = (y - y_high) * first + y * second, y_high * first
        total = low_part + high_part
        inside = (total < most) & (total > least)
        low_part, high_part, total = (
            low_part if inside else zero, high_part if inside else zero, total if inside else zero,
        )  # fmt: skip
        shifted = D(total + magic)
        high_part = high_part - (shifted - magic)
        t = upper(low_part + high_part)
        u, v = t * ln2_high, (low_part - (t - high_part)) * ln2 + t * ln2_low
        z = u + v
        w = v - (z - u)
        t = z * z
        t = z - t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * p5))))
        found = scaled(one - (((z * t) / (t - two) - (w + z * w)) - z), J(shifted.view(J) - magic_bits))
        # Past the range, and from 0 and infinity, the sign of the logarithm decides.
        grows = (size > one) == (b > zero)
        edge = (size == zero) | (size == infinity) | (not inside)
        return (infinity if grows else zero) if edge else found

    return raised
