"""Moving elements: any view of any dtype, and the ops that put elements elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.backends.threads import num_threads, set_num_threads

from .common import both, on, python_steps

DTYPES = ("float32", "float64", "float16", "int8", "int64", "uint16", "bool")


@pytest.fixture(autouse=True)
def same_threads():
    before = num_threads()
    yield
    set_num_threads(before)


def numbers(shape, dtype="float64"):
    return (np.arange(np.prod(shape, dtype=int)) % 251 - 7).reshape(shape).astype(dtype)


shapes = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=20)


@settings(max_examples=60)
@given(st.data(), hnp.array_shapes(min_dims=1, max_dims=4, max_side=20), st.sampled_from(DTYPES))
def test_a_view_of_a_view_is_copied_in_order(data, shape, dtype):
    axes = data.draw(st.permutations(range(len(shape))))
    turned = tuple(shape[k] for k in axes)
    key = data.draw(hnp.basic_indices(turned, allow_newaxis=True))
    both(lambda x: ops.reshape(ops.transpose(x, axes)[key], (-1,)), numbers(shape, dtype))


@settings(max_examples=30)
@given(shapes, st.data())
def test_flip_and_roll(shape, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    shift = data.draw(st.integers(-25, 25))
    both(lambda x: (ops.flip(x), ops.flip(x, axis), ops.roll(x, shift, axis), ops.roll(x, shift)), numbers(shape))


@settings(max_examples=30)
@given(shapes, st.data(), st.sampled_from(DTYPES))
def test_join_and_split(shape, data, dtype):
    axis = data.draw(st.integers(0, len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    parts = [numbers((*shape[:axis], size, *shape[axis + 1 :]), dtype) for size in sizes]

    def f(*parts):
        whole = ops.concatenate(parts, axis)
        return whole, ops.stack([whole, whole], -1), ops.split(whole, np.cumsum(sizes)[:-1].tolist(), axis)

    both(f, *parts)


def test_joined_parts_of_several_dtypes():
    both(lambda a, b: ops.concatenate([a, b], 1), numbers((3, 2), "int32"), numbers((3, 4), "float32"))


@settings(max_examples=30)
@given(shapes, st.data(), st.sampled_from(("constant", "reflect", "symmetric", "edge", "wrap")))
def test_pad_repeat_and_tile(shape, data, mode):
    widths = [tuple(data.draw(st.integers(0, 3)) for _ in range(2)) for _ in shape]
    axis = data.draw(st.integers(0, len(shape) - 1))
    repeats = data.draw(st.integers(0, 3))
    if mode == "constant" or np.prod(shape):
        both(lambda x: ops.pad(x, widths, mode), numbers(shape))
    both(lambda x: (ops.repeat(x, repeats, axis), ops.tile(x, [repeats] * len(shape))), numbers(shape))


@pytest.mark.parametrize("shape", [(1, 1), (300, 7), (7, 300), (513, 130), (3, 65, 66)])
def test_large_transposes(shape):
    both(lambda x: ops.reshape(ops.swapaxes(x, -1, -2), (-1,)), numbers(shape, "float32"))
    both(lambda x: ops.concatenate([ops.swapaxes(x, -1, -2)] * 2, -1), numbers(shape, "float32"))


def test_gradients_of_moves():
    def f(x):
        y = ops.pad(ops.flip(ops.roll(x, 2, 1), 0), ((1, 0), (0, 2)), constant_values=1.0)
        a, b = ops.split(ops.concatenate([y, y[:, ::-2]], 1), [3], 1)
        return ops.sum(ops.tanh(a)) + ops.sum(ops.square(b)) + ops.sum(ops.diagonal(y) * ops.shift(ops.diagonal(y)))

    both(ag.value_and_grad(f), numbers((4, 6)) / 10)


def test_nothing_that_moves_elements_runs_in_python():
    def f(x):
        y = ops.concatenate([ops.flip(x, 1), ops.roll(x, 1, 0)], 0)
        y = ops.pad(y, 2, "reflect") + ops.sum(ops.stack(ops.split(x, 2, 0), -1))
        return y[::-1, 1:-1:2], ops.repeat(x, 2, 1), ops.diagonal(x), ops.tile(x, (2, 2)), ops.shift(x)

    assert python_steps(ag.value_and_grad(lambda x: sum(ops.sum(y) for y in f(x))), numbers((4, 4))) == []


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_share_a_move(threads):
    x = numbers((700, 90), "float32")

    def f(x):
        return ops.reshape(ops.transpose(x), (-1,)), ops.concatenate([x, ops.flip(x)], 1), ops.pad(x, 3)

    with on("numba"):
        compiled = ag.jit(f)
        set_num_threads(1)
        alone = [np.array(y) for y in compiled(x)]
        set_num_threads(threads)
        for a, b in zip(alone, compiled(x)):
            np.testing.assert_array_equal(a, b)
