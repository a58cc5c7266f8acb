"""The CTC loss of models: padding, masks, training, and labels that it refuses."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers, losses, ops
from autograd_nn.errors import DataError, InvalidArgument, ShapeError

RNG = np.random.default_rng(0)
LABELS = np.array([[1, 2, 2], [3, 0, 0], [0, 0, 0]])
LOGITS = RNG.normal(size=(3, 6, 4)).astype("float32")


def test_padding_is_no_label():
    expected = ops.ctc_loss(LABELS, LOGITS, [3, 1, 0], [6, 6, 6])
    np.testing.assert_array_equal(losses.ctc(LABELS, LOGITS), expected)
    np.testing.assert_array_equal(losses.CTC(reduction=None)(LABELS.astype("float32"), LOGITS), expected)
    wider = np.pad(LABELS, ((0, 0), (0, 4)))
    np.testing.assert_allclose(losses.ctc(wider, LOGITS), expected, rtol=1e-6)


def test_a_mask_says_how_many_frames_count():
    frames = np.zeros((3, 6, 2), "float32")
    for row, count in enumerate((6, 3, 2)):
        frames[row, :count] = RNG.uniform(0.5, 1, (count, 2))
    hidden = layers.Masking()(ag.tensor(frames))
    logits = layers.LSTM(4, return_sequences=True)(hidden)
    expected = ops.ctc_loss(LABELS, logits, [3, 1, 0], [6, 3, 2])
    np.testing.assert_allclose(losses.CTC(reduction=None)(LABELS, logits), expected, rtol=1e-6)
    np.testing.assert_allclose(
        losses.CTC()(LABELS, logits, [1.0, 2.0, 0.0]), (expected[0] + 2 * expected[1]) / 3, rtol=1e-6
    )


def spoken(count, rng, classes=4, frames=16):
    """Sequences in which each label sounds for a few frames, and their labels."""
    x, y = np.zeros((count, frames, classes), "float32"), np.zeros((count, 4), "int32")
    for row in range(count):
        at, before = 0, 0
        for k in range(rng.integers(1, 4, endpoint=True)):
            label = rng.choice([c for c in range(1, classes) if c != before])
            long = rng.integers(2, 3, endpoint=True)
            x[row, at : at + long, label] = 1
            y[row, k] = before = label
            at += long + rng.integers(0, 1, endpoint=True)
    return x + rng.normal(0, 0.1, x.shape).astype("float32"), y


@pytest.mark.parametrize("masked", [False, True])
def test_an_lstm_learns_to_read(masked):
    ag.utils.set_random_seed(0)
    x, y = spoken(256, np.random.default_rng(1))
    entry = [layers.Masking(99.0)] if masked else []
    if masked:
        x[:, 14:] = 99.0
    model = ag.Sequential([ag.Input((16, 4)), *entry, layers.LSTM(16, return_sequences=True), layers.Dense(4)])
    model.compile(ag.optimizers.Adam(0.03), loss="ctc")
    history = model.fit(x, y, batch_size=32, epochs=12, verbose=0).history["loss"]
    assert history[-1] < 0.15 * history[0]
    assert np.isclose(model.evaluate(x, y, verbose=0), history[-1], rtol=0.5)
    read, _ = ops.ctc_decode(model.predict(x, verbose=0), np.full(len(x), 14 if masked else 16))
    read = np.where(read[0].numpy() < 0, 0, read[0].numpy())
    right = (read[:, :4] == y).all(axis=1) & (read[:, 4:] == 0).all(axis=1)
    assert right.mean() > 0.9


@pytest.mark.parametrize(
    ("y", "error", "text"),
    [
        ([[1, 4, 0]], DataError, "label 4 at y[0, 1] is no class; expected whole numbers 1..3"),
        ([[1, -1, 0]], DataError, "label -1 at y[0, 1] is no class"),
        ([[1.5, 1, 0]], DataError, "label 1.5 at y[0, 0] is no class"),
        ([[0, 1, 2]], DataError, "label 1 at y[0, 1] stands after a 0, which pads; pad at the end"),
        ([[1, 2, 3, 1, 2]], DataError, "y[0] needs at least 5 frames"),
        ([[1, 1, 1]], DataError, "y[0] needs at least 5 frames"),
        ([1], ShapeError, "ctc expects labels (batch, labels)"),
    ],
)
def test_targets_are_checked_before_training(y, error, text):
    model = ag.Sequential([ag.Input((4, 2)), layers.Dense(4)])
    model.compile("sgd", loss="ctc")
    before = model.get_weights()
    with pytest.raises(error) as caught:
        model.fit(np.ones((1, 4, 2), "float32"), np.array(y), verbose=0)
    assert text in str(caught.value)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_a_model_without_frames_is_refused():
    model = ag.Sequential([ag.Input((4, 2)), layers.LSTM(4)])
    model.compile("sgd", loss="ctc")
    with pytest.raises(ShapeError, match="return_sequences=True"):
        model.fit(np.ones((1, 4, 2), "float32"), np.array([[1]]), verbose=0)


def test_errors_of_the_function():
    with pytest.raises(ShapeError, match="labels"):
        losses.ctc([1, 2], LOGITS)
    with pytest.raises(ShapeError, match="logits"):
        losses.ctc([[1, 2]], LOGITS[0])
    with pytest.raises(InvalidArgument, match="mask index"):
        losses.ctc([[0, 1, 0]] * 3, LOGITS)
