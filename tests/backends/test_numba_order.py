"""Extremes' places, sorting and running totals along any axis."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.backends.threads import num_threads, set_num_threads

from .common import both, on, python_steps

SPECIAL = (np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5)
INTEGERS = ("int8", "uint8", "int32", "uint32", "int64", "uint64", "bool")


@pytest.fixture(autouse=True)
def same_threads():
    before = num_threads()
    yield
    set_num_threads(before)


@st.composite
def arrays(draw, dtypes=("float32", "float64", *INTEGERS), special=True, smallest=1):
    dtype = draw(st.sampled_from(dtypes))
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=smallest, max_side=20))
    values = st.sampled_from(SPECIAL) if dtype.startswith("float") and special else st.integers(0, 4)
    return draw(hnp.arrays(np.float64, shape, elements=values)).astype(dtype)


@settings(max_examples=80)
@given(arrays(), st.data())
def test_where_the_extremes_are(x, data):
    axis = data.draw(st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1)))
    both(lambda x: (ops.argmax(x, axis), ops.argmin(x, axis, keepdims=True)), x)


@settings(max_examples=60)
@given(arrays(smallest=0), st.data())
def test_sorting_is_stable_with_nan_last(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    both(lambda x: (ops.argsort(x, axis), ops.sort(x, axis)), x)


@settings(max_examples=60)
@given(arrays(("float32", "float64", "int32", "int64"), special=False, smallest=0), st.data())
def test_running_totals(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    reverse = data.draw(st.booleans())
    small = (x % 3).astype(x.dtype)
    both(lambda x: (ops.cumsum(x, axis, reverse=reverse), ops.cumprod(x, axis, reverse=reverse)), small)
    both(lambda x: ops.linear_recurrence(x * 0.25, x, axis, reverse=reverse), small)


def test_gradients_and_layouts_of_running_totals():
    x = np.random.default_rng(0).normal(size=(6, 5))

    def f(x):
        return ops.sum(ops.square(ops.cumsum(x, 0)) * ops.cumprod(ops.transpose(x), 1, reverse=True)[0, 0])

    both(ag.value_and_grad(f), x)
    assert python_steps(ag.value_and_grad(f), x) == []


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (3000, 40)])
def test_many_elements_and_threads(shape):
    x = np.random.default_rng(0).integers(-50, 50, shape).astype("float32")

    def f(x):
        found = [(ops.argmax(x, k), ops.argsort(x, k), ops.cumsum(x * 0.5, k)) for k in (0, 1)]
        return *found, ops.argmin(x)

    both(f, x)
    with on("numba"):
        compiled = ag.jit(f)
        set_num_threads(1)
        alone = [np.array(y) for part in compiled(x)[:2] for y in part]
        for threads in (2, 4):
            set_num_threads(threads)
            for a, b in zip(alone, [y for part in compiled(x)[:2] for y in part]):
                np.testing.assert_array_equal(a, b)
