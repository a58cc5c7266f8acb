"""Indexing by arrays: gather and scatter equal the reference, whatever the key, and refuse what lies outside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.backends.threads import num_threads, set_num_threads
from autograd_nn.errors import AxisError
from autograd_nn.transforms import gradients

from .common import both, on, python_steps


@pytest.fixture(autouse=True)
def same_threads():
    before = num_threads()
    yield
    set_num_threads(before)


def numbers(shape, dtype="float64"):
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


# Ints in a key from here on stand for index arrays.
_ARRAYS = 1000


def keys(data, shape):
    """A key with up to three index arrays, ints, slices and new axes, and these arrays."""
    common = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=4))
    key, arrays = [], []
    for size in shape:
        kind = data.draw(st.sampled_from(("array", "array", "slice", "int", "new", "rest")))
        if kind == "rest":
            break
        if kind == "new":
            key.append(None)
        if kind in ("slice", "new") or len(arrays) == 3:
            start, stop, step = (data.draw(st.one_of(st.none(), st.integers(-size, size))) for _ in range(3))
            key.append(slice(start, stop, step or None))
        elif kind == "int":
            key.append(data.draw(st.integers(-size, size - 1)))
        else:
            kept = data.draw(st.sampled_from((common, tuple(1 for _ in common), common[1:])))
            arrays.append(data.draw(hnp.arrays("int64", kept, elements=st.integers(-size, size - 1))))
            key.append(_ARRAYS + len(arrays) - 1)
    if data.draw(st.booleans()) and len(key) < len(shape):
        key.append(...)
    return key, arrays


def filled(key, arrays):
    return tuple(arrays[item - _ARRAYS] if type(item) is int and item >= _ARRAYS else item for item in key)


@settings(max_examples=150)
@given(st.data(), hnp.array_shapes(min_dims=1, max_dims=4, max_side=5))
def test_any_key(data, shape):
    key, arrays = keys(data, shape)
    x = numbers(shape)
    both(lambda x, *arrays: x[filled(key, arrays)], x, *arrays)

    def loss(x, *arrays):
        return ops.sum(ops.square(x[filled(key, arrays)]))

    both(lambda x, *arrays: ag.grad(lambda x: loss(x, *arrays))(x), x, *arrays)


@settings(max_examples=30)
@given(st.data(), hnp.array_shapes(min_dims=1, max_dims=3, max_side=6))
def test_take_along_axis(data, shape):
    axis = data.draw(st.integers(0, len(shape) - 1))
    picks = data.draw(st.integers(0, 4))
    sizes = (*shape[:axis], picks, *shape[axis + 1 :])
    index = data.draw(hnp.arrays("int32", sizes, elements=st.integers(-shape[axis], shape[axis] - 1)))

    def loss(x, index):
        return ops.sum(ops.exp(ops.take_along_axis(x, index, axis)))

    both(lambda x, i: (ops.take_along_axis(x, i, axis), ag.grad(lambda x: loss(x, i))(x)), numbers(shape), index)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_dtypes_of_indices(dtype):
    both(lambda x, i: ops.take(x, i, 0), numbers((5, 3), "float32"), np.array([[4, 0], [1, 1]], dtype))


@pytest.mark.parametrize("dtype", ["float16", "float32", "int16", "bool"])
def test_dtypes_of_elements(dtype):
    x = numbers((5, 3), dtype)
    both(
        lambda x, i: (ops.take(x, i, 1), ops.scatter_like(ops.take(x, i, 1), x, (slice(None), i))), x, np.array([2, -1])
    )


def test_out_of_range_is_refused_and_the_program_goes_on():
    x, good = numbers((3, 4)), np.array([2, -3])
    with on("numba"):
        f = ag.jit(lambda x, i, j: x[i, j] * 2)
        for i, j, message in (
            ([0, 3], [0, 0], "index 3 is out of bounds for axis 0 with size 3"),
            ([0, 1], [0, -5], "index -5 is out of bounds for axis 1 with size 4"),
            ([0, 2**62], [0, 0], f"index {2**62} is out of bounds"),
        ):
            with pytest.raises(AxisError, match=f"getitem: {message}"):
                f(x, np.array(i), np.array(j))
            np.testing.assert_array_equal(f(x, good, good), x[good, good] * 2)


def test_out_of_range_in_a_gradient_and_in_an_empty_array():
    def loss(x, i):
        return ops.sum(ops.square(ops.take(x, i, 0)))

    with on("numba"):
        with pytest.raises(AxisError, match="index 9"):
            ag.jit(lambda x, i: ag.grad(lambda x: loss(x, i))(x))(numbers((3, 4)), np.array([9, 0]))
        with pytest.raises(AxisError, match="index 0"):
            ag.jit(lambda x, i: ops.take(x, i, 0))(numbers((0, 4)), np.array([0]))


@pytest.mark.parametrize("shape, count", [((50, 200), 300), ((400, 5), 900), ((3000,), 20000), ((40, 3, 70), 100)])
def test_threads_give_the_same_bits(shape, count):
    rng = np.random.default_rng(1)
    x, index = numbers(shape, "float32"), rng.integers(0, shape[0], count)
    weights = rng.normal(size=(count, *shape[1:])).astype("float32")

    def f(x, index, weights):
        return ag.value_and_grad(lambda x: ops.sum(ops.take(x, index, 0) * weights))(x)

    both(f, x, index, weights)
    with on("numba"):
        compiled = ag.jit(f)
        set_num_threads(1)
        alone = [np.array(y) for y in compiled(x, index, weights)]
        for threads in (2, 4):
            set_num_threads(threads)
            for a, b in zip(alone, compiled(x, index, weights)):
                np.testing.assert_array_equal(a, b)


def test_embedding_and_picked_classes_have_no_python_steps():
    def f(table, logits, tokens, classes):
        picked = ops.take_along_axis(logits, ops.expand_dims(classes, 1), 1)
        return ops.sum(ops.square(ops.take(table, tokens, 0))) + ops.sum(picked * picked)

    arrays = numbers((9, 4)), numbers((5, 3)), np.array([[1, 8], [0, 1]]), np.array([0, 2, 1, 1, 0])
    assert python_steps(lambda a, b, *rest: ag.grad(lambda a, b: f(a, b, *rest), (0, 1))(a, b), *arrays) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_a_refused_step_leaves_the_state_as_it_was(threads):
    """Weights are written in place, and those of the last layer before the gradient of the table is known."""
    set_num_threads(threads)
    with on("numba"):
        table, weights = ag.Variable(numbers((9, 4))), ag.Variable(numbers((4, 40)))
        rule = ag.optimizers.SGD(0.01)
        rule.build([table, weights])

        @ag.jit
        def step(tokens):
            found = ops.take(table.current(), tokens, 0) @ weights.current()
            loss = ops.sum(ops.square(found - 1))
            rule.apply(gradients(loss, [table, weights]), [table, weights])
            return loss

        good, bad = np.array([[1, 2], [3, 0]]), np.array([[1, 2], [9, 0]])
        losses = [float(step(good)) for _ in range(3)]
        before = table.numpy().copy(), weights.numpy().copy()
        with pytest.raises(AxisError, match="index 9"):
            step(bad)
        np.testing.assert_array_equal(table.numpy(), before[0])
        np.testing.assert_array_equal(weights.numpy(), before[1])
        losses.append(float(step(good)))
    assert losses == sorted(losses, reverse=True)
    assert len(set(losses)) == 4
