"""The kernel of the CTC loss and its gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.backends.threads import num_threads, set_num_threads
from autograd_nn.errors import InvalidArgument

from .common import both, on, python_steps


@pytest.fixture(autouse=True)
def same_threads():
    before = num_threads()
    yield
    set_num_threads(before)


def case(seed, batch, frames, classes, labels, mask=0, dtype="float64"):
    """Logits, targets and lengths; some targets are too long for their frames."""
    rng = np.random.default_rng(seed)
    target = rng.choice([k for k in range(classes) if k != mask], (batch, labels))
    lengths = rng.integers(0, labels, batch, endpoint=True)
    heard = rng.integers(0, frames, batch, endpoint=True)
    return (rng.normal(size=(batch, frames, classes)) * 2).astype(dtype), target, lengths, heard


def loss_and_gradient(x, target, lengths, heard, mask=0):
    def total(x):
        loss = ops.ctc_loss(target, x, lengths, heard, mask_index=mask)
        return ops.sum(ops.where(ops.isfinite(loss), loss, 0))

    return ops.ctc_loss(target, x, lengths, heard, mask_index=mask), ag.grad(total)(x)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(0, 5), st.integers(0, 12), st.integers(2, 6), st.integers(0, 5),
    st.sampled_from(("float32", "float64")), st.data(),
)  # fmt: skip
def test_loss_and_gradient(seed, batch, frames, classes, labels, dtype, data):
    mask = data.draw(st.integers(0, classes - 1))
    arrays = case(seed, batch, frames, classes, labels, mask, dtype)
    both(lambda *arrays: loss_and_gradient(*arrays, mask), *arrays)


def test_views_small_integers_and_infinite_logits():
    x, target, lengths, heard = case(0, 4, 9, 5, 3)
    x[0, :, 2], x[1, 3] = -np.inf, np.nan
    wide = np.concatenate([x, x], axis=2).transpose(1, 0, 2)

    def f(x, *rest):
        return loss_and_gradient(ops.transpose(x[..., ::2], (1, 0, 2)), *rest)

    both(f, wide, target.astype("int8"), lengths.astype("uint8"), heard.astype("int32"))


def test_a_training_step_leaves_nothing_to_numpy_at_any_batch_size():
    arrays = case(1, 6, 10, 5, 3, dtype="float32")
    assert python_steps(loss_and_gradient, *arrays) == []
    step = ag.jit(loss_and_gradient, batched=True)
    for size in (6, 2, 5):
        part = [a[:size] for a in arrays]
        for found, expected in zip(step(*part), loss_and_gradient(*map(ag.tensor, part))):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert step.traces == 1


def test_second_derivatives():
    x, target, lengths, heard = case(2, 2, 4, 3, 2)

    def f(x, target, lengths, heard):
        return ag.grad(lambda x: ops.sum(ops.square(loss_and_gradient(x, target, lengths, heard)[1])))(x)

    both(f, x, target, lengths, heard)


def test_the_same_bits_with_any_number_of_threads():
    arrays = case(3, 33, 60, 12, 9, dtype="float32")
    compiled = ag.jit(loss_and_gradient)
    set_num_threads(1)
    alone = [np.array(y) for y in compiled(*arrays)]
    for threads in (2, 4):
        set_num_threads(threads)
        for a, b in zip(alone, compiled(*arrays)):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda x, y, n, m: (x, y, n + 4, m), "target_length[0] is"),
        (lambda x, y, n, m: (x, y, n, m - 20), "output_length[0] is"),
        (lambda x, y, n, m: (x, y + 9, n * 0 + 1, m), "label 10 in row 0 of target is outside 0..4"),
        (lambda x, y, n, m: (x, y * 0, n * 0 + 1, m), "label 0 in row 0 of target is the mask index"),
    ],
)
def test_errors_are_those_of_the_reference_and_pass(change, text):
    x, target, lengths, heard = case(4, 3, 9, 5, 3)
    target[0] = 1
    with on("numba"):
        compiled = ag.jit(loss_and_gradient)
        expected = compiled(x, target, lengths, heard)
        for _ in range(2):
            with pytest.raises(InvalidArgument) as caught:
                compiled(*change(x, target, lengths, heard))
            assert str(caught.value).startswith("ctc_loss: ") and text in str(caught.value)
            with pytest.raises(InvalidArgument, match=str(caught.value).partition(":")[0]):
                loss_and_gradient(*map(ag.tensor, change(x, target, lengths, heard)))
        for a, b in zip(compiled(x, target, lengths, heard), expected):
            np.testing.assert_array_equal(a, b)
