"""ConvLSTM, adaptive pooling, image sizes, encodings and spectral normalization against Keras."""

import inspect

import keras
import numpy as np
import pytest
import torch

import autograd_nn as ag
from autograd_nn import layers, models

RNG = np.random.default_rng(0)
FIRST = {"data_format": "channels_first"}
LSTM = {"filters": 3, "kernel_size": 2}
ROWS, IMAGES, VOLUMES = (2, 3, 5, 2), (2, 3, 5, 4, 2), (1, 2, 4, 3, 3, 2)
CASES = [
    *(
        (f"ConvLSTM{n}D", {**LSTM, **more}, shape)
        for n, shape in ((1, ROWS), (2, IMAGES), (3, VOLUMES))
        for more in (
            {}, {"padding": "same", "return_sequences": True}, {"strides": 2, "go_backwards": True},
            {"padding": "same", "dilation_rate": 2, "use_bias": False}, {**FIRST, "unit_forget_bias": False},
        )
    ),
    ("ConvLSTM2D", {**LSTM, "kernel_size": (1, 3), "activation": "elu", "recurrent_activation": "relu"}, IMAGES),
    *(
        (f"Adaptive{kind}Pooling{n}D", {"output_size": 2, **more}, shape)
        for kind in ("Average", "Max")
        for n, shape in ((1, (2, 7, 5)), (2, (2, 5, 6, 4)), (3, (1, 4, 3, 5, 4)))
        for more in ({}, FIRST)
    ),
    *(("Resizing", {"height": 3, "width": 7, **more}, (2, 5, 4, 3)) for more in (
        {}, {"interpolation": "nearest"}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True}, FIRST,
    )),
    *(("CenterCrop", {"height": h, "width": w}, (2, 6, 5, 3)) for h, w in ((3, 2), (6, 5), (4, 4))),
    ("UpSampling2D", {"size": (2, 3), "interpolation": "nearest"}, (2, 3, 4, 2)),
]  # fmt: skip
NAMES = [*dict.fromkeys(name for name, _, _ in CASES), "SpectralNormalization", "CategoryEncoding"]


def pair(name, settings, shape):
    ours, theirs = (getattr(room, name)(**settings) for room in (layers, keras.layers))
    for layer in (ours, theirs):
        layer.build(shape)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize(("name", "settings", "shape"), CASES)
def test_outputs_and_gradients(name, settings, shape):
    ours, theirs = pair(name, settings, shape)
    x = RNG.permutation(np.linspace(-2, 2, np.prod(shape))).reshape(shape).astype("float32")
    given, leaf = torch.tensor(x, requires_grad=True), ag.tensor(x, requires_grad=True)
    expected, found = theirs(given), ours(leaf)
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert ours.compute_output_shape(shape) == theirs.compute_output_shape(shape)
    weights = RNG.normal(size=expected.shape).astype("float32")
    (expected * torch.tensor(weights)).sum().backward()
    ag.ops.sum(found * weights).backward()
    np.testing.assert_allclose(leaf.grad.numpy(), given.grad.numpy(), rtol=1e-3, atol=1e-4)
    for mine, other in zip(ours.trainable_weights, theirs.trainable_weights):
        np.testing.assert_allclose(mine.grad.numpy(), other.value.grad.numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_signatures(name):
    found, expected = (inspect.signature(getattr(room, name).__init__).parameters for room in (layers, keras.layers))
    assert [(p.name, p.default) for p in found.values()] == [(p.name, p.default) for p in expected.values()]


@pytest.mark.parametrize(("name", "settings", "shape"), CASES)
def test_configs(name, settings, shape):
    found, expected = (getattr(room, name)(**settings, name="x").get_config() for room in (layers, keras.layers))
    left_out = {"dtype", "activity_regularizer"}
    if name == "Resizing":
        left_out |= {"factor", "bounding_box_format"}
    if name == "CenterCrop":
        left_out |= {"factor", "bounding_box_format"}
    plain = {key for key, value in expected.items() if not isinstance(value, dict)} - left_out
    assert {key: found.get(key) for key in plain} == {key: expected[key] for key in plain}


def twenty_steps(make, x, y):
    ours, theirs = make(layers, models.Sequential), make(keras.layers, keras.Sequential)
    ours.set_weights(theirs.get_weights())
    losses = []
    for model, rooms in ((ours, ag.optimizers), (theirs, keras.optimizers)):
        model.compile(rooms.SGD(0.1, momentum=0.9), "mse")
        losses.append([float(model.train_on_batch(x[k::5], y[k::5])) for k in range(5) for _ in range(4)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    for mine, other in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-4)


def test_twenty_steps_of_a_conv_lstm():
    x, y = RNG.normal(size=(20, 3, 5, 5, 1)).astype("float32"), RNG.normal(size=(20, 2)).astype("float32")

    def make(room, sequential):
        return sequential([
            room.Input(x.shape[1:]), room.ConvLSTM2D(3, 3, padding="same", return_sequences=True),
            room.ConvLSTM2D(2, 2), room.AdaptiveAveragePooling2D(2), room.Flatten(), room.Dense(2),
        ])  # fmt: skip

    twenty_steps(make, x, y)


def test_twenty_steps_of_spectral_normalization():
    x, y = RNG.normal(size=(20, 4, 4, 2)).astype("float32"), RNG.normal(size=(20, 2)).astype("float32")

    def make(room, sequential):
        return sequential([
            room.Input(x.shape[1:]), room.SpectralNormalization(room.Conv2D(3, 2, activation="tanh")), room.Flatten(),
            room.SpectralNormalization(room.Dense(4, activation="tanh"), power_iterations=2), room.Dense(2),
        ])  # fmt: skip

    twenty_steps(make, x, y)


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("numbers", [[3, 2, 0, 1], [[0, 1], [0, 0], [1, 2], [3, 1]], [[1], [2]]])
def test_encodings(mode, numbers):
    x = np.array(numbers)
    ours, theirs = (room.CategoryEncoding(4, mode) for room in (layers, keras.layers))
    assert np.array_equal(ours(x).numpy(), keras.ops.convert_to_numpy(theirs(x)))
    assert ours.compute_output_shape(x.shape) == theirs.compute_output_shape(x.shape)
    assert set(theirs.get_config()) <= set(ours.get_config())


def test_the_numbers_of_the_documentation():
    counts = layers.CategoryEncoding(num_tokens=4, output_mode="count")
    weights = np.array([[0.1, 0.2], [0.1, 0.1], [0.2, 0.3], [0.4, 0.2]])
    found = counts(np.array([[0, 1], [0, 0], [1, 2], [3, 1]]), count_weights=weights)
    expected = [[0.1, 0.2, 0, 0], [0.2, 0, 0, 0], [0, 0.2, 0.3, 0], [0, 0.2, 0, 0.4]]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
    re, im = ag.ops.fft((np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])))
    assert (re.tolist(), im.tolist()) == ([[1, -1], [1, 1]], [[1, -1], [1, 1]])
    assert [t.tolist() for t in ag.ops.rfft([0.0, 1.0, 2.0, 3.0, 4.0])][0] == pytest.approx([10, -2.5, -2.5])
