"""The polynomials against extended precision, in units in the last place."""

import math

import numpy as np
import pytest

from autograd_nn.backends.numba.elementary import ULP, elementary

WIDE = np.finfo(np.longdouble).nmant > np.finfo(np.float64).nmant
EXACT = {
    # The C library's, in float64: good to one ulp, which the stated bound includes.
    "erf": lambda x: np.array([math.erf(float(v)) for v in x], np.longdouble),
    "sigmoid": lambda x: np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x)))),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
}


def points(name, dtype):
    rng = np.random.default_rng(0)
    big = 90 if dtype == np.float32 else 712
    limits = np.finfo(dtype)
    parts = [
        rng.uniform(-big, big, 20_000), rng.normal(size=20_000), rng.normal(size=5000) * 1e-3,
        rng.normal(size=999) * 1e-20,
        [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, limits.tiny, limits.tiny / 8, limits.max, -limits.max],
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        x = np.concatenate(parts).astype(dtype)
    return np.abs(x) if name == "log" else x


@pytest.mark.skipif(not WIDE, reason="no extended precision on this machine")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(ULP))
def test_error_is_within_what_is_stated(name, dtype):
    import numba

    x, function = points(name, dtype), elementary(dtype)[name]
    found = np.empty_like(x)

    @numba.njit(error_model="numpy", fastmath={"contract"})
    def loop(x, y):
        for k in range(x.size):
            y[k] = function(x[k])

    loop(x, found)
    with np.errstate(all="ignore"):
        exact = EXACT.get(name, getattr(np, name, None))(x.astype(np.longdouble))
        rounded = exact.astype(dtype)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(rounded))
    np.testing.assert_array_equal(found[np.isinf(rounded)], rounded[np.isinf(rounded)])
    finite = np.isfinite(rounded)
    error = np.abs(found[finite] - exact[finite]) / np.spacing(np.abs(rounded[finite]))
    assert error.max() <= ULP[name][dtype == np.float64]
