"""CTC against its definition, as hypothesis finds cases; corner cases; errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.errors import DTypeError, InvalidArgument, ShapeError
from tests.ops import ctc_references as truth


@st.composite
def sequences(draw):
    """Logits, targets, both lengths, and the mask index; some targets cannot be said."""
    batch, frames, classes, labels = (draw(st.integers(low, high)) for low, high in ((1, 2), (1, 5), (2, 3), (0, 3)))
    mask = draw(st.integers(0, classes - 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    target = rng.choice([k for k in range(classes) if k != mask], (batch, labels))
    lengths = rng.integers(0, labels, batch, endpoint=True)
    heard = rng.integers(0, frames, batch, endpoint=True)
    # Padding is not read, whatever it is.
    target = np.where(np.arange(labels) < lengths[:, None], target, draw(st.sampled_from((-1, mask, 99))))
    return target, rng.normal(size=(batch, frames, classes)) * 3, lengths, heard, mask


@settings(max_examples=60)
@given(sequences())
def test_the_loss_sums_over_all_alignments(case):
    *arrays, mask = case
    found = ops.ctc_loss(*arrays, mask_index=mask)
    np.testing.assert_allclose(found, truth.ctc_loss(*arrays, mask), rtol=1e-12, atol=1e-12)


@settings(max_examples=40)
@given(sequences())
def test_a_wide_beam_finds_the_best_of_all_texts(case):
    _, logits, _, heard, mask = case
    options = {"strategy": "beam_search", "beam_width": 400, "top_paths": 3, "mask_index": mask}
    labels, scores = ops.ctc_decode(logits, heard, **options)
    texts, expected = truth.ctc_decode(logits, heard, **options)
    np.testing.assert_array_equal(labels, texts)
    np.testing.assert_allclose(scores, expected, rtol=1e-12, atol=1e-12)


@settings(max_examples=40)
@given(sequences(), st.booleans())
def test_greedy_reads_the_best_class_of_each_frame(case, merge):
    _, logits, _, heard, mask = case
    labels, scores = ops.ctc_decode(logits, heard, merge_repeated=merge, mask_index=mask)
    texts, expected = truth.ctc_decode(logits, heard, merge_repeated=merge, mask_index=mask)
    np.testing.assert_array_equal(labels, texts)
    np.testing.assert_allclose(scores, expected, rtol=1e-12)
    assert (labels.dtype, scores.dtype) == (np.int32, np.float64)


@settings(max_examples=30)
@given(sequences())
def test_what_is_said_in_a_frame_are_probabilities(case):
    """The gradient is softmax minus the probability of each class in each frame, given the target."""
    target, logits, lengths, heard, mask = case
    x = ag.tensor(logits, requires_grad=True)
    loss = ops.ctc_loss(target, x, lengths, heard, mask_index=mask)
    loss.sum().backward()
    said = ops.softmax(logits).numpy() - x.grad.numpy()
    possible = np.isfinite(loss.numpy())[:, None] & (np.arange(logits.shape[1]) < heard[:, None])
    np.testing.assert_allclose(said.sum(axis=2)[possible], 1, rtol=1e-12)
    assert (said[possible] > -1e-12).all()
    assert (x.grad.numpy()[~possible] == 0).all()


@settings(max_examples=10, deadline=None)
@given(sequences())
def test_second_derivatives(case):
    target, logits, lengths, heard, mask = case
    possible = np.isfinite(ops.ctc_loss(target, logits, lengths, heard, mask_index=mask).numpy())
    weights = np.where(possible, 1.5, 0)

    def f(x):
        loss = ops.ctc_loss(target, x, lengths, heard, mask_index=mask)
        return ops.sum(ops.where(possible, loss, 0) * weights)

    ag.gradcheck(f, (logits,), order=2)


def test_third_derivatives_are_those_of_the_sum_over_alignments():
    logits, u = (np.random.default_rng(k).normal(size=(1, 3, 3)) for k in (0, 1))
    paths = [path for path, _ in truth.paths(logits[0]) if truth.said(path, 0) == (1, 2)]

    def written_out(x):
        scores = ops.log_softmax(x, -1)[0]
        return -ops.logsumexp(ops.stack([sum(scores[t, k] for t, k in enumerate(path)) for path in paths]))

    def loss(x):
        return ops.sum(ops.ctc_loss([[1, 2]], x, [2], [3]))

    def third(f):
        def along(g):
            return ag.grad(lambda x: ops.sum(g(x) * u))

        return along(along(ag.grad(f)))(ag.tensor(logits))

    np.testing.assert_allclose(third(loss), third(written_out), rtol=1e-9, atol=1e-12)


def test_what_cannot_be_said_costs_inf_and_teaches_nothing():
    logits = ag.tensor(np.random.default_rng(0).normal(size=(3, 2, 3)), requires_grad=True)
    loss = ops.ctc_loss([[1, 2], [1, 1], [1, 2]], logits, [2, 2, 2], [2, 2, 1])
    assert np.isfinite(loss.numpy()).tolist() == [True, False, False]
    loss.sum().backward()
    assert np.isfinite(logits.grad.numpy()).all()
    assert not logits.grad.numpy()[1:].any()


def test_impossible_classes_and_nan():
    logits = np.zeros((2, 3, 3))
    logits[0, :, 2] = -np.inf
    logits[1, 1, 0] = np.nan
    x = ag.tensor(logits, requires_grad=True)
    loss = ops.ctc_loss([[1], [1]], x, [1, 1], [3, 3])
    np.testing.assert_allclose(loss[0], -np.log(6 / 8))
    assert np.isnan(loss[1].item())
    loss[0].backward()
    assert np.isfinite(x.grad.numpy()[0]).all()


def test_a_long_sequence_does_not_underflow():
    frames = 3000
    loss = ops.ctc_loss([[1] * 100], np.zeros((1, frames, 50)), [100], [frames]).numpy()
    assert np.isfinite(loss).all() and 0 < loss[0] < frames * np.log(50)


@pytest.mark.parametrize(("dtype", "expected"), [("float16", "float32"), ("int64", "float32"), ("float64", "float64")])
def test_dtypes(dtype, expected):
    logits = np.ones((1, 3, 2), dtype)
    assert ops.ctc_loss(np.array([[1]], "int8"), logits, [1], np.array([3], "uint8")).dtype == expected
    for strategy in ("greedy", "beam_search"):
        labels, scores = ops.ctc_decode(logits, [3], strategy)
        assert (labels.dtype, scores.dtype) == (np.int32, expected)


LOGITS = np.ones((2, 4, 3))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (([[1, 2], [1, 2]], LOGITS, [3, 1], [4, 4]), InvalidArgument, "target_length[0] is 3, but target has 2"),
        (([[1, 2], [1, 2]], LOGITS, [2, 1], [4, -1]), InvalidArgument, "output_length[1] is -1, but output has 4"),
        (([[1, 2], [3, 2]], LOGITS, [2, 1], [4, 4]), InvalidArgument, "label 3 in row 1 of target is outside 0..2"),
        (([[0, 2], [1, 2]], LOGITS, [2, 1], [4, 4]), InvalidArgument, "label 0 in row 0 of target is the mask"),
        (([[1.0, 2], [1, 2]], LOGITS, [2, 1], [4, 4]), DTypeError, "target must be ints, got float32"),
        (([[1, 2], [1, 2]], LOGITS[0], [2, 1], [4, 4]), ShapeError, "output must be logits (batch, frames, classes)"),
        (([[1, 2]], LOGITS, [2, 1], [4, 4]), ShapeError, "target of shape (1, 2) and logits (2, 4, 3)"),
        (([[1, 2], [1, 2]], LOGITS, [[2], [1]], [4, 4]), ShapeError, "target_length must be one length per sequence"),
        (([[1, 2], [1, 2]], LOGITS, [2, 1], [4, 4], 3), InvalidArgument, "one of the 3 classes 0..2, got 3"),
    ],
)
def test_errors_of_the_loss(arguments, error, text):
    with pytest.raises(error) as caught:
        ops.ctc_loss(*arguments)
    assert str(caught.value).startswith("ctc_loss: ") and text in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"strategy": "beam_serach"}, InvalidArgument, "unknown strategy 'beam_serach'; did you mean 'beam_search'?"),
        ({"strategy": "viterbi"}, InvalidArgument, "expected one of greedy, beam_search"),
        ({"beam_width": 0}, InvalidArgument, "beam_width must be >= 1, got 0"),
        ({"beam_width": 2, "top_paths": 3}, InvalidArgument, "top_paths must be at most beam_width, got 3 and 2"),
        ({"mask_index": -1}, InvalidArgument, "mask_index must be >= 0, got -1"),
        ({"sequence_lengths": [4, 5]}, InvalidArgument, "sequence_lengths[1] is 5, but inputs has 4 frames"),
    ],
)
def test_errors_of_decoding(options, error, text):
    with pytest.raises(error) as caught:
        ops.ctc_decode(LOGITS, **{"sequence_lengths": [4, 4], **options})
    assert str(caught.value).startswith("ctc_decode: ") and text in str(caught.value)
