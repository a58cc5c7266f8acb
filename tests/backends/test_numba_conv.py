"""Convolution on the compiled backend: equal to the reference for any window, layout and number of threads."""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn.backends.numba.lowering.slide import Axis
from autograd_nn.ops.windows import Window, window

from .common import agree, both, flat, on


class Case(NamedTuple):
    """A convolution: shapes of input and kernel, window, groups, dtype, and which axis of the input lies innermost."""

    x: tuple[int, ...]
    kernel: tuple[int, ...]
    window: Window
    groups: int
    dtype: str
    innermost: int
    seed: int

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        out = (self.x[0], *self.window.outs(self.x[1:-1]), self.kernel[-1])
        x, kernel, g = (
            self.laid_out(rng.normal(size=shape).astype(self.dtype)) for shape in (self.x, self.kernel, out)
        )
        return x, kernel, g

    def laid_out(self, array: np.ndarray) -> np.ndarray:
        moved = np.ascontiguousarray(np.moveaxis(array, self.innermost, -1))
        return np.moveaxis(moved, -1, self.innermost)


@st.composite
def cases(draw: Any, most_channels: int = 20) -> Case:
    ndim = draw(st.sampled_from([1, 2, 2, 3]))
    sizes = draw(st.lists(st.integers(1, {1: 30, 2: 12, 3: 6}[ndim]), min_size=ndim, max_size=ndim))
    padding = draw(st.sampled_from(["valid", "same", "causal"] if ndim == 1 else ["valid", "same"]))
    steps, gaps = (1,) * ndim, (1,) * ndim
    axes = st.lists(st.integers(1, 3), min_size=ndim, max_size=ndim).map(tuple)
    if draw(st.booleans()):
        steps = draw(axes)
    elif draw(st.booleans()):
        gaps = draw(axes)
    taps = draw(st.lists(st.integers(1, 4), min_size=ndim, max_size=ndim))
    if padding == "valid":
        taps = [min(k, (n - 1) // d + 1) for k, n, d in zip(taps, sizes, gaps)]
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    channels = draw(st.sampled_from([1, 2, 3, most_channels]))
    filters = draw(st.sampled_from([1, 2, 9, 17]))
    batch = draw(st.sampled_from([0, 1, 2, 9]))
    return Case(
        (batch, *sizes, channels * groups),
        (*taps, channels, filters * groups),
        window(tuple(taps), steps, padding, gaps, ndim, "conv"),
        groups,
        draw(st.sampled_from(["float32", "float64"])),
        draw(st.sampled_from([-1, -1, 0, 1])),
        draw(st.integers(0, 99)),
    )


def maps(case: Case) -> list[tuple[Any, tuple[np.ndarray, ...]]]:
    """The three maps of a convolution, with their arrays."""
    x, kernel, g = case.arrays()
    w, groups = case.window, case.groups
    return [
        (lambda x, k: ag.ops.conv(x, k, w.strides, w.padding, None, w.dilation), (x, kernel)),
        (lambda g, k, x: ag.ops.conv_spread(g, k, x, w, groups), (g, kernel, x)),
        (lambda x, g, k: ag.ops.conv_correlate(x, g, k, w, groups), (x, g, kernel)),
    ]


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_three_maps_equal_the_reference(case):
    for function, arrays in maps(case):
        both(function, *arrays)


@settings(max_examples=6, deadline=None)
@given(cases(most_channels=5))
def test_the_plain_loops_equal_the_reference(case):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_DISABLE_JIT", "1")
        for function, arrays in maps(case):
            both(function, *arrays)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("x", "kernel", "options"),
    [
        ((2, 13, 13, 32), (3, 3, 32, 70), {}),
        ((2, 28, 28, 1), (3, 3, 1, 32), {"padding": "same"}),
        ((2, 19, 21, 3), (7, 7, 3, 33), {"strides": 2, "padding": "same"}),
        ((20, 4, 4, 32), (3, 3, 32, 33), {"padding": "same"}),
        ((3, 9, 9, 16), (1, 1, 16, 48), {}),
        ((3, 9, 9, 16), (1, 1, 16, 48), {"strides": 2}),
        ((1, 40, 24), (5, 24, 20), {"padding": "causal", "dilation_rate": 3}),
        ((1, 3, 3, 300), (3, 3, 300, 40), {"padding": "same"}),
    ],
)
def test_values_and_gradients_of_common_layers(x, kernel, options, dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=x).astype(dtype), rng.normal(size=kernel, scale=0.1).astype(dtype)]

    def loss(x, kernel):
        y = ag.ops.conv(x, kernel, **options)
        return (y * ag.ops.tanh(y)).sum()

    both(ag.grad(loss, (0, 1)), *arrays)


@pytest.mark.parametrize("multiplier", [1, 3])
def test_depthwise_and_separable(multiplier):
    rng = np.random.default_rng(0)
    x, depthwise = rng.normal(size=(3, 9, 8, 20)), rng.normal(size=(3, 2, 20, multiplier))
    pointwise = rng.normal(size=(1, 1, 20 * multiplier, 5))

    def loss(x, depthwise, pointwise):
        y = ag.ops.separable_conv(x, depthwise, pointwise, 2, "same")
        return (y * y).sum()

    both(lambda x, k: ag.ops.depthwise_conv(x, k, padding="same"), x, depthwise)
    both(ag.grad(loss, (0, 1, 2)), x, depthwise, pointwise)


@pytest.mark.parametrize("options", [{}, {"strides": 2, "padding": "same"}, {"strides": (3, 1)}])
def test_transpose(options):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 5, 4, 9)), rng.normal(size=(3, 2, 18, 9))
    both(lambda x, k: ag.ops.conv_transpose(x, k, **options), x, kernel)
    both(ag.grad(lambda x, k: (ag.ops.conv_transpose(x, k, **options) ** 2).sum(), (0, 1)), x, kernel)


def test_channels_first_and_mixed_dtypes():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 6, 9, 8)).astype("float32"), rng.normal(size=(3, 3, 6, 10))
    both(lambda x, k: ag.ops.conv(x, k, data_format="channels_first"), x, kernel)


def test_an_empty_sum_is_zero():
    w = window(2, 1, "valid", 1, 1, "conv")
    with on("numba"):
        found = ag.jit(lambda x, g, k: ag.ops.conv_correlate(x, g, k, w))(
            np.ones((0, 4, 2)), np.ones((0, 3, 5)), np.ones((2, 2, 5))
        )
    agree(found, np.zeros((2, 2, 5)))


def test_the_number_of_threads_changes_no_bit():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(9, 14, 14, 12)).astype("float32"), rng.normal(size=(3, 3, 12, 40)).astype("float32")
    before = ag.config.num_threads()
    found = []
    try:
        with on("numba"):
            for threads in (1, 2, 4):
                ag.config.set_num_threads(threads)
                loss = ag.jit(ag.value_and_grad(lambda x, k: (ag.ops.conv(x, k, padding="same") ** 2).sum(), (0, 1)))
                found.append([np.asarray(part).tobytes() for part in flat(loss(x, kernel))])
    finally:
        ag.config.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def _layer(x, kernel, bias, other, options):
    """A convolution with what follows it in a layer: one result that is used again, and one that tells where."""
    y = ag.ops.relu(ag.ops.conv(x, kernel, **options) + bias) * other
    return y, y > 0.5


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("x", "kernel", "options"),
    [
        ((2, 9, 8, 5), (3, 3, 5, 19), {}),
        ((3, 9, 8, 5), (3, 2, 5, 19), {"strides": 2, "padding": "same"}),
        ((17, 3, 2, 5), (3, 3, 5, 19), {"padding": "same"}),
        ((3, 4, 4, 6), (1, 1, 6, 18), {}),
        ((2, 5, 6, 6), (3, 3, 2, 51), {}),
        ((2, 5, 6, 20), (3, 3, 1, 20), {}),
        ((1, 4, 4, 40), (3, 3, 40, 200), {"padding": "same"}),
        ((2, 30, 3), (4, 3, 2), {"padding": "causal"}),
        ((1, 3, 4, 3, 2), (2, 2, 2, 2, 5), {}),
    ],
)
def test_what_follows_runs_in_the_same_kernel(x, kernel, options, plain):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=x), rng.normal(size=kernel), rng.normal(size=kernel[-1])]
    shape = ag.ops.conv(*arrays[:2], **options).shape
    arrays.append(rng.normal(size=(shape[0], *(1,) * (len(shape) - 2), shape[-1])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_DISABLE_JIT", str(int(plain)))
        both(lambda *a: _layer(*a, options), *arrays)
        with on("numba"):
            layer = ag.jit(lambda *a: _layer(*a, options))
            layer(*arrays)
    assert sum("conv" in line for line in layer.explain().splitlines()) == 1
    assert "conv + " in layer.explain()


def test_what_follows_a_transpose_runs_in_the_same_kernel():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, 5, 4, 9)), rng.normal(size=(3, 2, 18, 9)), rng.normal(size=18)]
    layer = ag.jit(lambda x, k, bias: ag.ops.tanh(ag.ops.conv_transpose(x, k, 2, "same") + bias))
    both(lambda x, k, bias: ag.ops.tanh(ag.ops.conv_transpose(x, k, 2, "same") + bias), *arrays)
    with on("numba"):
        layer(*arrays)
    assert "conv_transpose + " in layer.explain()


def test_a_convolution_of_which_only_truth_values_remain():
    rng = np.random.default_rng(0)
    both(lambda x, k: ag.ops.conv(x, k) > 0, rng.normal(size=(2, 6, 3)), rng.normal(size=(2, 3, 4)))


def test_nothing_runs_in_python():
    with on("numba"):
        step = ag.jit(ag.grad(lambda x, k: (ag.ops.conv(x, k, 2, "same") ** 2).sum(), (0, 1)))
        step(np.ones((2, 7, 7, 4)), np.ones((3, 3, 4, 5)))
        assert "python" not in step.explain()


@given(
    st.integers(1, 12), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from(["valid", "same"])
)  # fmt: skip
def test_an_axis_reads_what_feeds(size, taps, stride, dilation, padding):
    w = Window((taps,), (stride,), (dilation,), padding)
    if padding == "valid" and w.reach(0) > size:
        return
    axis = Axis(size, math.prod(w.outs((size,))), stride, dilation, w.pads(0, size)[0], taps)
    read = {(tap, place, out) for out in range(axis.made) for tap, place in axis.reads(out)}
    fed = {(tap, place, out) for place in range(size) for tap, out in axis.fed(place)}
    spans = {
        (tap, axis.source(tap, out), out) for tap, (low, high) in enumerate(axis.spans()) for out in range(low, high)
    }
    assert read == fed == spans
