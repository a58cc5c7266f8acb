"""The elementary functions against extended precision, in units in the last place, on many and on special arguments."""

import ctypes
import math
from fractions import Fraction

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn.backends.numba.functions.elementary import ULP, elementary
from autograd_nn.backends.numba.functions.scalars import floats
from autograd_nn.backends.numba.machine import kernel
from autograd_nn.engine.op import OPS
from autograd_nn.ops import special

from .common import both, on

DTYPES = (np.float32, np.float64)
# Only where numbers of more digits than float64 exist, is there a judge for it.
EXTENDED = np.finfo(np.longdouble).nmant > np.finfo(np.float64).nmant
MANY = 200 if kernel.interpreted() else 20_000
EXACT = {
    # The C library's and the reference's, in float64: good to an ulp or so, which the stated bounds include.
    "erf": lambda x: np.array([math.erf(float(v)) for v in x], np.longdouble),
    "erfc": lambda x: np.array([math.erfc(float(v)) for v in x], np.longdouble),
    "erfinv": lambda x: special.erfinv(x.astype(np.float64)).astype(np.longdouble),
    "sigmoid": lambda x: np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x)))),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "softplus_tail": lambda x: np.log1p(np.exp(-np.abs(x))),
    "rsqrt": lambda x: 1 / np.sqrt(x),
}
OF_TWO = ("power", "hypot", "arctan2")


def run(name, function, *arrays):
    """A kernel that applies a function of kernels to arrays."""
    names = [f"x{k}" for k in range(len(arrays))]
    lines = ["for k in range(start, end):", f"    y0[k] = f({', '.join(x + '[k]' for x in names)})"]
    y = np.empty_like(arrays[0])
    dtypes = [y.dtype] * (len(arrays) + 1)
    made = kernel.build(lines, [*names, "y0"], dtypes, 1, {"f": function}, f"{name} alone")
    block = np.array([word for a in (*arrays, y) for word in (a.ctypes.data, a.size)] + [0], np.int64)
    if kernel.interpreted():
        made.call(block, 0, y.size)
        return y
    kernel.ready([made])
    words = [ctypes.c_int64] * 3
    ctypes.CFUNCTYPE(None, *words)(made.address)(block.ctypes.data, 0, y.size)
    return y


def special_points(dtype):
    limits = np.finfo(dtype)
    sizes = [0, 1, 2, 3, 0.5, 27, 100, 1000, 1e-3, np.pi / 4, np.pi / 2, np.pi, 1e15, np.inf, limits.max, limits.tiny]
    found = np.array([*sizes, limits.tiny / 8, limits.smallest_subnormal, 1 + limits.eps, 1 - limits.epsneg], dtype)
    return np.concatenate([found, -found, [np.nan]]).astype(dtype)


def points(dtype, seed=0):
    rng = np.random.default_rng(seed)
    limits = np.finfo(dtype)
    ends = limits.maxexp * math.log10(2)
    parts = [
        rng.normal(size=MANY) * 3, rng.uniform(-1, 1, MANY), rng.uniform(-1.1, 1.1, MANY) * ends * math.log(10),
        10.0 ** rng.uniform(-ends, ends, MANY) * rng.choice([-1, 1], MANY), 1 + rng.normal(size=MANY) * 1e-2,
        np.arange(1, MANY) * (np.pi / 2), special_points(dtype),
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        return np.concatenate(parts).astype(dtype)


def arguments(name, dtype):
    x = points(dtype)
    if name == "erfinv":
        inside = np.random.default_rng(0).uniform(-0.99, 0.99, MANY)
        return (np.concatenate([inside, [0, -0.0, 1, -1, 1.5, np.nan, 1e-30]]).astype(dtype),)
    if name not in OF_TWO:
        return (x,)
    rng = np.random.default_rng(1)
    first, second = (grid.ravel() for grid in np.meshgrid(special_points(dtype), special_points(dtype)))
    positive, exponents = np.exp(rng.normal(size=x.size)), rng.normal(size=x.size) * 20
    pairs = [
        (first, second), (x, rng.permutation(x)), (x, rng.integers(-9, 9, x.size)), (positive, exponents),
    ]  # fmt: skip
    return tuple(np.concatenate(part).astype(dtype) for part in zip(*pairs))


def error(found, exact):
    """The largest distance in ulp; NaNs, infinities and the signs of zeros must be the same."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(found.dtype)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(rounded))
    endless = np.isinf(rounded)
    np.testing.assert_array_equal(found[endless], rounded[endless])
    zero = exact == 0
    np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(exact[zero]))
    finite = np.isfinite(rounded)
    return (np.abs(found[finite] - exact[finite]) / np.spacing(np.abs(rounded[finite]))).max()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(ULP))
def test_error_is_within_what_is_stated(name, dtype):
    if dtype == np.float64 and not EXTENDED:
        pytest.skip("no extended precision on this machine")
    arrays = arguments(name, dtype)
    found = run(name, elementary(dtype)[name], *arrays)
    judge = EXACT.get(name) or getattr(np, name)
    with np.errstate(all="ignore"):
        exact = judge(*(a.astype(np.longdouble) for a in arrays))
    assert error(found, exact) <= ULP[name][dtype == np.float64]


def test_every_function_has_a_stated_error():
    for dtype in DTYPES:
        assert set(elementary(dtype)) == set(ULP)


@pytest.mark.parametrize("dtype", DTYPES)
def test_roundings_are_exact(dtype):
    x = np.concatenate([points(dtype), np.arange(-6, 6, 0.25, dtype)])
    for name in ("floor", "ceil", "trunc", "round"):
        found, expected = run(name, floats(dtype)[name], x), getattr(np, name)(x)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


ELEMENTWISE = [name for name, op in OPS.items() if op.family in ("unary", "binary")]


WITHOUT_KERNEL = {
    "nextafter": "seldom in a loop that matters",
}


@pytest.mark.skipif(kernel.interpreted(), reason="Numba has no float16")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_elementwise_op_has_a_kernel_for_floats(name, dtype):
    """float16 is computed in float32 and rounded after each op, as NumPy does."""
    if name.startswith("bitwise") or name.endswith("shift") or name in ("gcd", "lcm", "ldexp"):
        pytest.skip("takes integers")
    if name in WITHOUT_KERNEL:
        pytest.skip(WITHOUT_KERNEL[name])
    op, rng = OPS[name], np.random.default_rng(0)
    arrays = [rng.uniform(0.05, 0.9, (5, 7)).astype(dtype) for _ in range(1 + (op.family == "binary"))]
    both(op.call, *arrays)
    with on("numba"):
        f = ag.jit(op.call)
        f(*arrays)
    assert "no kernel for" not in f.explain()


@pytest.mark.parametrize("x", [6381956970095103 * 2.0**797, 2.0**1023, 1e22, 3.0e8 * np.pi])
def test_huge_angles_are_reduced_with_all_their_digits(x):
    """Expected: the exact rest of x by pi, from 1200 bits of pi by Machin's formula."""
    rest = float_rest(x)
    found = run("sin", elementary(np.float64)["sin"], np.array([x]))
    np.testing.assert_allclose(found, [np.sin(rest)], rtol=1e-15, atol=0)


def pi_times(one):
    """pi as a whole number of parts, `one` of which are 1: Machin's formula."""

    def arctan_of_inverse(n):
        term, total, k = one // n, one // n, 1
        while term:
            term //= -n * n
            k += 2
            total += term // k
        return total

    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))


def float_rest(x, bits=1200):
    """x modulo 2 pi as a float, in whole numbers with so many bits after the point."""
    one = 1 << bits
    turn = 2 * pi_times(one)
    rest = int(Fraction(x) * one) % turn
    return (rest - turn if 2 * rest > turn else rest) / one


def exact_erfc(x, bits=2600):
    """erfc by the series of erf (Abramowitz and Stegun 7.1.5), with so many bits that what is left of 1 is exact."""
    one, square = 1 << bits, Fraction(x) ** 2
    term = total = int(Fraction(x) * one)
    k = 0
    while term:
        k += 1
        term = -term * square.numerator // (square.denominator * k)
        total += term // (2 * k + 1)
    root_of_pi = math.isqrt(pi_times(one) * one)
    return Fraction(one * root_of_pi - 2 * total * one, one * root_of_pi)


@pytest.mark.parametrize("dtype", DTYPES)
def test_erfc_is_right_in_the_far_tail(dtype):
    """Down to subnormal numbers, whose ulp is the smallest number of all."""
    sizes = np.concatenate([np.linspace(0.4, 27.2, 68), [0.46875, 4.0, 9.1875, 26.5433, 26.6, 27.226]])
    x = np.concatenate([sizes, -sizes[::9]]).astype(dtype)
    found = run("erfc", elementary(dtype)["erfc"], x)
    for value, y in zip(x, found):
        exact = exact_erfc(value.item())
        ulp = Fraction(np.spacing(dtype(float(exact))).item())
        assert abs(Fraction(y.item()) - exact) <= ULP["erfc"][dtype == np.float64] * ulp, value
    assert run("erfc", elementary(dtype)["erfc"], np.array([28, 1e30, np.inf, -np.inf], dtype)).tolist() == [0, 0, 0, 2]
