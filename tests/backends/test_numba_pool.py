"""Pooling on the compiled backend: equal to the reference for any window, also at ties, NaN and infinities."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn.ops.windows import Window, window

from .common import both, flat, on


class Case(NamedTuple):
    """A pooling: the shape of the input, the window, the dtype, and whether special numbers are among the elements."""

    shape: tuple[int, ...]
    window: Window
    dtype: str
    special: bool
    seed: int

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """An input, a cotangent of the result, and other values in the places of the input."""
        rng = np.random.default_rng(self.seed)
        x = rng.integers(-2, 3, size=self.shape).astype(self.dtype)
        if self.special:
            x[rng.random(self.shape) < 0.1] = np.nan
            x[rng.random(self.shape) < 0.5] = -np.inf
        out = (self.shape[0], *self.window.outs(self.shape[1:-1]), self.shape[-1])
        return x, rng.normal(size=out).astype(self.dtype), rng.normal(size=self.shape).astype(self.dtype)


@st.composite
def cases(draw: Any) -> Case:
    ndim = draw(st.sampled_from([1, 2, 2, 3]))
    sizes = draw(st.lists(st.integers(1, {1: 20, 2: 11, 3: 5}[ndim]), min_size=ndim, max_size=ndim))
    padding = draw(st.sampled_from(["valid", "same"]))
    taps = draw(st.lists(st.integers(1, 4), min_size=ndim, max_size=ndim))
    if padding == "valid":
        taps = [min(pair) for pair in zip(taps, sizes)]
    steps = draw(st.lists(st.integers(1, 5), min_size=ndim, max_size=ndim)) if draw(st.booleans()) else taps
    batch, channels = draw(st.sampled_from([0, 1, 3, 9])), draw(st.sampled_from([1, 3, 8, 33, 70]))
    return Case(
        (batch, *sizes, channels),
        window(tuple(taps), tuple(steps), padding, 1, ndim, "pool"),
        draw(st.sampled_from(["float32", "float64"])),
        draw(st.booleans()),
        draw(st.integers(0, 99)),
    )


def maps(case: Case) -> list[tuple[Any, tuple[np.ndarray, ...]]]:
    """The five pooling ops, with their arrays."""
    x, g, v = case.arrays()
    w = case.window
    return [
        (lambda x: ag.ops.max_pool(x, w.size, w.strides, w.padding), (x,)),
        (lambda g, x: ag.ops.max_unpool(g, x, w), (g, x)),
        (lambda v, x: ag.ops.max_pick(v, x, w), (v, x)),
        (lambda v: ag.ops.average_pool(v, w.size, w.strides, w.padding), (v,)),
        (lambda g, x: ag.ops.average_unpool(g, x, w), (g, x)),
    ]


@settings(max_examples=60, deadline=None)
@given(cases())
def test_pooling_equals_the_reference(case):
    for function, arrays in maps(case):
        both(function, *arrays)


@settings(max_examples=6, deadline=None)
@given(cases())
def test_the_plain_loops_equal_the_reference(case):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_DISABLE_JIT", "1")
        for function, arrays in maps(case):
            both(function, *arrays)


@pytest.mark.parametrize("pool", [ag.ops.max_pool, ag.ops.average_pool])
def test_gradients_of_gradients(pool):
    x = np.random.default_rng(0).normal(size=(2, 7, 6, 5))

    def slope(x):
        return (ag.grad(lambda x: (pool(x, 3, 2, "same") ** 3).sum())(x) ** 2).sum()

    both(ag.grad(slope), x)


def test_channels_first():
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 6))
    both(lambda x: ag.ops.max_pool(x, 2, data_format="channels_first"), x)


def test_integers_keep_their_dtype():
    both(lambda x: ag.ops.max_pool(x, 2), np.arange(16).reshape(1, 8, 2))


@pytest.mark.parametrize("strides", [2, 1])
def test_the_number_of_threads_changes_no_bit(strides):
    x = np.random.default_rng(0).normal(size=(9, 12, 12, 40)).astype("float32")
    before = ag.config.num_threads()
    found = []
    try:
        with on("numba"):
            for threads in (1, 2, 4):
                ag.config.set_num_threads(threads)
                step = ag.jit(ag.value_and_grad(lambda x: (ag.ops.average_pool(x, 2, strides) ** 2).sum()))
                found.append([np.asarray(part).tobytes() for part in flat(step(x))])
    finally:
        ag.config.set_num_threads(before)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("shape", [(9, 7, 6, 20), (2, 6, 7, 70)])
def test_what_follows_runs_in_the_same_kernel(shape, plain):
    x = np.random.default_rng(0).normal(size=shape)

    def layer(x):
        y = ag.ops.relu(x)
        slope = ag.ops.max_unpool(ag.ops.max_pool(y, 2) * 2 + 1, y, window(2, 2, "valid", 1, 2, "pool"))
        return ag.ops.where(y > 0, slope, -y), ag.ops.average_pool(y, 3, 1) - y[:, 2:, 2:]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_DISABLE_JIT", str(int(plain)))
        both(layer, x)
        with on("numba"):
            compiled = ag.jit(layer)
            compiled(x)
    assert [line for line in compiled.explain().splitlines() if "pool" in line and " + " not in line] == []


def test_nothing_runs_in_python():
    with on("numba"):
        step = ag.jit(ag.grad(lambda x: (ag.ops.max_pool(x, 2) + ag.ops.average_pool(x, 2)).sum()))
        step(np.ones((2, 6, 6, 4)))
        assert "python" not in step.explain()
