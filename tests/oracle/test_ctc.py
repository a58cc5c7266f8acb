"""CTC beside PyTorch and Keras: values, gradients, decoding, the loss."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

import autograd_nn as ag  # noqa: E402
from autograd_nn import losses, ops  # noqa: E402

pytestmark = pytest.mark.oracle
functional = torch.nn.functional
SHAPES = [(1, 1, 2, 1), (3, 6, 4, 2), (5, 12, 6, 4), (4, 9, 3, 6), (8, 40, 11, 7), (2, 5, 4, 0)]


def case(seed, batch, frames, classes, labels, mask=0):
    rng = np.random.default_rng(seed)
    target = rng.choice([k for k in range(classes) if k != mask], (batch, labels))
    lengths = rng.integers(0, labels, batch, endpoint=True)
    heard = rng.integers(1, frames, batch, endpoint=True)
    return target, rng.normal(size=(batch, frames, classes)) * 2, lengths, heard


def inputs(seed, batch, frames, classes):
    """float32 as all that Keras computes on this backend."""
    _, logits, _, heard = case(seed, batch, frames, classes, 1)
    return logits.astype("float32"), heard


def by_torch(target, logits, lengths, heard, mask, zero_infinity):
    x = torch.tensor(logits, requires_grad=True)
    loss = functional.ctc_loss(
        functional.log_softmax(x, -1).transpose(0, 1), torch.tensor(target), torch.tensor(heard),
        torch.tensor(lengths), blank=mask, reduction="none", zero_infinity=zero_infinity,
    )  # fmt: skip
    return x, loss


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients(shape, seed):
    """Losses as with zero_infinity=False, gradients as with True: inf, and no gradient, for what cannot be said."""
    mask = (0, shape[2] - 1)[seed % 2]
    arrays = case(seed, *shape, mask)
    _, expected = by_torch(*arrays, mask, False)
    expected = expected.detach().numpy()
    target, logits, lengths, heard = arrays
    weights = np.random.default_rng(seed).normal(size=len(logits))
    x = ag.tensor(logits, requires_grad=True)
    loss = ops.ctc_loss(target, x, lengths, heard, mask_index=mask)
    np.testing.assert_allclose(loss, expected, rtol=1e-10, atol=1e-10)
    y, safe = by_torch(*arrays, mask, True)
    (safe * torch.tensor(weights)).sum().backward()
    ops.sum(ops.where(np.isfinite(expected), loss, 0) * weights).backward()
    np.testing.assert_allclose(x.grad, y.grad.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_op_of_keras(dtype):
    target, logits, lengths, heard = case(0, 6, 15, 5, 4)
    found = ops.ctc_loss(target, logits.astype(dtype), lengths, heard)
    expected = keras.ops.ctc_loss(target, logits.astype(dtype), lengths, heard).numpy()
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "options", [{}, {"merge_repeated": False}, {"mask_index": 3}, {"mask_index": None}, {"top_paths": 2}], ids=str
)
def test_greedy_decoding(options, seed):
    logits, heard = inputs(seed, 5, 14, 4)
    labels, scores = ops.ctc_decode(logits, heard, **options)
    texts, expected = (y.numpy() for y in keras.ops.ctc_decode(logits, heard, **options))
    assert (labels.dtype, labels.shape, scores.dtype) == (texts.dtype, texts.shape, expected.dtype)
    np.testing.assert_array_equal(labels, texts)
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("width", "paths", "mask"), [(100, 1, 0), (4, 1, 0), (10, 3, 2), (7, 7, 3), (1, 1, 0)])
def test_beam_search(width, paths, mask, seed):
    logits, heard = inputs(seed, 4, 12, 4)
    options = {"strategy": "beam_search", "beam_width": width, "top_paths": paths, "mask_index": mask}
    labels, scores = ops.ctc_decode(logits, heard, **options)
    texts, expected = (y.numpy() for y in keras.ops.ctc_decode(logits, heard, **options))
    assert (labels.dtype, labels.shape) == (texts.dtype, texts.shape)
    assert (scores.dtype, scores.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    np.testing.assert_array_equal(labels, texts)


def test_the_loss_of_keras():
    target, logits, lengths, _ = case(1, 6, 15, 5, 4)
    target = np.where(np.arange(4) < lengths[:, None], target, 0).astype("int32")
    logits = logits.astype("float32")
    plain = keras.losses.ctc(target, keras.ops.convert_to_tensor(logits)).numpy()
    np.testing.assert_allclose(losses.ctc(target, logits), plain, rtol=1e-5)
    for reduction in ("sum_over_batch_size", "sum", "none"):
        mean = keras.losses.CTC(reduction=reduction)
        expected = losses.CTC(reduction=reduction)(target, logits)
        np.testing.assert_allclose(expected, mean(target, logits).numpy(), rtol=1e-5)
    assert losses.CTC().get_config() == keras.losses.CTC().get_config()
    assert losses.get("ctc").__name__ == keras.losses.get("ctc").__name__ == "ctc"
