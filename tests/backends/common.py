"""Running one function on both backends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import autograd_nn as ag

TOLERANCE = {4: 1e-5, 8: 1e-12, 2: 2e-3}


@contextmanager
def on(backend: str) -> Iterator[None]:
    before = ag.backend()
    ag.set_backend(backend)
    try:
        yield
    finally:
        ag.set_backend(before)


def flat(result: Any) -> list[np.ndarray]:
    """All arrays in a result."""
    if isinstance(result, dict):
        return flat(list(result.values()))
    if isinstance(result, (tuple, list)):
        return [array for item in result for array in flat(item)]
    return [np.asarray(result)]


def agree(found: Any, expected: Any) -> None:
    """Equal shapes, dtypes, NaNs and infinities; equal values up to the backend's tolerance relative to their scale."""
    founds, expecteds = flat(found), flat(expected)
    assert len(founds) == len(expecteds)
    for a, b in zip(founds, expecteds):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        if b.dtype.kind not in "fc":
            np.testing.assert_array_equal(a, b)
            continue
        finite = np.abs(b[np.isfinite(b)])
        scale = float(finite.max()) if finite.size else 1.0
        tolerance = TOLERANCE[b.real.dtype.itemsize]
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


def both(function: Callable[..., Any], *arrays: Any) -> None:
    """The compiled function gives what the reference gives."""
    with on("reference"):
        expected = ag.jit(function)(*arrays)
    with on("numba"):
        found = ag.jit(function)(*arrays)
    agree(found, expected)


def python_steps(function: Callable[..., Any], *arrays: Any) -> list[str]:
    """The lines of what the compiled function leaves to NumPy."""
    with on("numba"):
        compiled = ag.jit(function)
        compiled(*arrays)
        return [line for line in compiled.explain().splitlines() if line.lstrip().startswith("python")]
