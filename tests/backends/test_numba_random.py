"""Random bits in kernels: the bits of the reference, drawn where they are used."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops, random
from autograd_nn.backends.threads import num_threads, set_num_threads

from .common import both, on, python_steps

KEY = np.array([11, 2**32 - 1, 3, 4], np.uint32)


@pytest.fixture(autouse=True)
def same_threads():
    before = num_threads()
    yield
    set_num_threads(before)


def kernels(function, *arrays):
    with on("numba"):
        compiled = ag.jit(function)
        compiled(*arrays)
        return [line for line in compiled.explain().splitlines() if line.startswith("kernel")]


@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (2, 2), (3,), (7,), (4096,), (4099,), (3, 5, 7), (70000,)])
def test_bits_are_those_of_the_reference(shape):
    both(lambda key: ops.random_bits(key, shape), KEY)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=3), st.sampled_from(("float32", "float64")), st.data())
def test_bits_inside_a_loop(shape, dtype, data):
    """Operands that broadcast, so that rows begin inside a block of four words, or not."""
    other = [data.draw(st.sampled_from((1, size))) for size in shape]
    x, y = np.ones(shape, dtype), np.arange(np.prod(other, dtype=int)).reshape(other).astype(dtype)

    def f(key, x, y):
        return ops.where(ops.random_bits(key, tuple(shape)) > np.uint32(2**31), x + y, x * y)

    both(f, KEY, x, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_normal_and_whole_numbers(dtype):
    both(lambda key: ops.random_uniform(key, (5, 9), -1.0, 2.0, dtype), KEY)
    both(lambda key: ops.random_normal(key, (5, 9), 1.0, 2.0, dtype), KEY)
    both(lambda x: random.randint((100,), -3, 9, seed=3) + ops.cast(x, "int32"), np.zeros(100, dtype))


def test_a_dropout_is_one_loop_and_its_mask_that_of_the_gradient():
    x = np.random.default_rng(0).normal(size=(32, 20)).astype("float32")

    def dropped(x, key):
        return ops.where(ops.random_bits(key, (32, 20)) >= np.uint32(2**30), ops.tanh(x) * (4 / 3), 0)

    def f(x, key):
        return dropped(x, key), ag.grad(lambda x: ops.sum(ops.square(dropped(x, key))))(x)

    both(f, x, KEY)
    assert len(kernels(dropped, x, KEY)) == 1
    assert sum("random_bits" in line for line in kernels(f, x, KEY)) == 1
    assert python_steps(f, x, KEY) == []


def test_a_seed_generator_moves_on():
    x = np.ones((8, 8), "float32")
    with on("numba"):
        generator = random.SeedGenerator(5)
        f = ag.jit(lambda x: random.dropout(x, 0.5, seed=generator))
        found = [f(x).numpy() for _ in range(3)]
    with on("reference"):
        again = random.SeedGenerator(5)
        expected = [random.dropout(x, 0.5, seed=again).numpy() for _ in range(3)]
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_give_the_same_bits(threads):
    x = np.ones((300, 100), "float32")

    def f(key, x):
        return random.dropout(x, 0.3, seed=1), ops.random_normal(key, (300, 101)), ops.random_bits(key, (70001,))

    with on("numba"):
        compiled = ag.jit(f)
        set_num_threads(1)
        alone = [np.array(y) for y in compiled(KEY, x)]
        set_num_threads(threads)
        for a, b in zip(alone, compiled(KEY, x)):
            np.testing.assert_array_equal(a, b)
