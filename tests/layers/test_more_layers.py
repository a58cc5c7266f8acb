"""ConvLSTM, adaptive pooling, image sizes, encodings and spectral normalization through the layer suite."""

import json

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers, models
from autograd_nn.errors import ArgumentTypeError, DataError, InvalidArgument, ShapeError
from autograd_nn.testing import layer_suite
from tests.layers.test_recurrent import Holding

RNG = np.random.default_rng(0)
FIRST = {"data_format": "channels_first"}
LSTM = {"filters": 2, "kernel_size": 2}
KERNELS = ("kernel", "recurrent_kernel", "bias")


def numbers(batch):
    return np.random.default_rng(1).integers(0, 4, (batch, 3))


CASES = {
    "conv_lstm_1d": (layers.ConvLSTM1D, LSTM, (3, 4, 2), {"output_shape": (3, 2), "weights": KERNELS}),
    "conv_lstm_2d": (layers.ConvLSTM2D, LSTM, (2, 3, 4, 1), {"output_shape": (2, 3, 2), "weights": KERNELS}),
    "conv_lstm_2d_rich": (
        layers.ConvLSTM2D,
        {
            **LSTM, "padding": "same", "return_sequences": True, "go_backwards": True, "unit_forget_bias": False,
            "kernel_regularizer": "l2", "recurrent_activation": "hard_sigmoid", "bias_constraint": "non_neg",
        },
        (2, 3, 3, 1),
        {"output_shape": (2, 3, 3, 2), "mask": True},
    ),
    "conv_lstm_2d_first": (
        layers.ConvLSTM2D, {**LSTM, **FIRST, "strides": 2, "use_bias": False}, (2, 1, 4, 5),
        {"output_shape": (2, 2, 2), "weights": KERNELS[:2]},
    ),
    "conv_lstm_2d_dropout": (
        layers.ConvLSTM2D, {**LSTM, "dropout": 0.4, "recurrent_dropout": 0.3}, (2, 3, 3, 2),
        {"random_in_training": True},
    ),
    "conv_lstm_3d": (layers.ConvLSTM3D, LSTM, (2, 2, 3, 2, 1), {"output_shape": (1, 2, 1, 2)}),
    "adaptive_average_1d": (layers.AdaptiveAveragePooling1D, {"output_size": 3}, (7, 2), {"output_shape": (3, 2)}),
    "adaptive_average_2d": (
        layers.AdaptiveAveragePooling2D, {"output_size": (2, 3), **FIRST}, (2, 5, 6), {"output_shape": (2, 2, 3)}
    ),
    "adaptive_average_3d": (layers.AdaptiveAveragePooling3D, {"output_size": 2}, (3, 4, 2, 1), {"weights": ()}),
    "adaptive_max_1d": (layers.AdaptiveMaxPooling1D, {"output_size": (2,)}, (5, 2), {"output_shape": (2, 2)}),
    "adaptive_max_2d": (layers.AdaptiveMaxPooling2D, {"output_size": 2}, (4, 5, 1), {"output_shape": (2, 2, 1)}),
    "adaptive_max_3d": (layers.AdaptiveMaxPooling3D, {"output_size": (1, 2, 2)}, (3, 4, 2, 1), {}),
    "resizing": (layers.Resizing, {"height": 3, "width": 6}, (4, 5, 2), {"output_shape": (3, 6, 2)}),
    "resizing_rich": (
        layers.Resizing,
        {"height": 2, "width": 6, "interpolation": "bicubic", "antialias": True, "pad_to_aspect_ratio": True, **FIRST},
        (1, 5, 4),
        {"output_shape": (1, 2, 6)},
    ),
    "center_crop": (layers.CenterCrop, {"height": 2, "width": 3}, (4, 5, 1), {"output_shape": (2, 3, 1)}),
    "center_crop_small": (layers.CenterCrop, {"height": 6, "width": 3, **FIRST}, (1, 4, 5), {}),
    "spectral_dense": (
        Holding(layers.SpectralNormalization, "layer", lambda d: layers.Dense(3, dtype=d)), {}, (4,),
        {"output_shape": (3,), "weights": ("kernel", "vector_u", "bias"), "random_in_training": True},
    ),
    "spectral_conv": (
        Holding(layers.SpectralNormalization, "layer", lambda d: layers.Conv2D(2, 2, dtype=d)),
        {"power_iterations": 3}, (3, 3, 1), {"output_shape": (2, 2, 2), "random_in_training": True},
    ),
    "up_sampling_bicubic": (
        layers.UpSampling2D, {"interpolation": "bicubic", "size": (2, 3)}, (3, 2, 1), {"output_shape": (6, 6, 1)}
    ),
    "up_sampling_lanczos": (layers.UpSampling2D, {"interpolation": "lanczos3", **FIRST}, (1, 3, 4), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_layer_suite(name):
    layer_class, init_kwargs, input_shape, expected = CASES[name]
    layer_suite(layer_class, init_kwargs, input_shape, **expected)


@pytest.mark.parametrize(("mode", "shape"), [("multi_hot", (4,)), ("count", (4,)), ("one_hot", (3, 4))])
def test_category_encoding(mode, shape):
    layer_suite(
        layers.CategoryEncoding, {"num_tokens": 4, "output_mode": mode}, None, numbers, output_shape=shape,
        gradients=False, weights=(),
    )  # fmt: skip


def test_weighted_counts():
    layer = layers.CategoryEncoding(4, "count")
    weights = [[0.1, 0.2], [0.1, 0.1], [0.2, 0.3], [0.4, 0.2]]
    found = layer(np.array([[0, 1], [0, 0], [1, 2], [3, 1]]), count_weights=np.array(weights))
    expected = [[0.1, 0.2, 0, 0], [0.2, 0, 0, 0], [0, 0.2, 0.3, 0], [0, 0.2, 0, 0.4]]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


def test_conv_lstm_keeps_its_states():
    layer = layers.ConvLSTM2D(2, 2, stateful=True, return_state=True)
    x = RNG.normal(size=(1, 4, 3, 3, 1)).astype("float32")
    whole = layers.ConvLSTM2D(2, 2)
    whole.build(x.shape)
    layer.build((1, 2, 3, 3, 1))
    layer.set_weights(whole.get_weights())
    layer(x[:, :2])
    np.testing.assert_allclose(layer(x[:, 2:])[0].numpy(), whole(x).numpy(), rtol=1e-5, atol=1e-6)
    layer.reset_state()
    assert not any(np.any(state.numpy()) for state in layer.states)


def test_masked_steps_leave_the_state_of_a_conv_lstm():
    layer = layers.ConvLSTM2D(2, 2)
    x = RNG.normal(size=(1, 4, 3, 3, 1)).astype("float32")
    masked = layer(x, mask=np.array([[True, True, False, False]]))
    np.testing.assert_allclose(masked.numpy(), layer(x[:, :2]).numpy(), rtol=1e-6)


def trained(model, x, y):
    model.compile("adam", "mse")
    model.fit(x, y, epochs=2, batch_size=4, verbose=0)
    return model


def test_conv_lstm_is_trained_by_kernels_alone():
    x, y = RNG.normal(size=(8, 3, 5, 5, 1)), RNG.normal(size=(8, 3, 3, 2))
    model = trained(models.Sequential([layers.ConvLSTM2D(2, 3)]), x, y)
    told = model._compiled.programs["train"].explain()
    assert "kernel  sum of windows" in told and "python" not in told.lower(), told


def test_the_largest_singular_value_becomes_one():
    layer = layers.SpectralNormalization(layers.Dense(3), power_iterations=60)
    x = RNG.normal(size=(2, 4)).astype("float32")
    layer(x)
    assert np.linalg.norm(layer.kernel.numpy(), 2) != pytest.approx(1, abs=1e-3)
    layer(x, training=True)
    assert np.linalg.norm(layer.kernel.numpy(), 2) == pytest.approx(1, abs=1e-5)
    assert layer.kernel is layer.layer.kernel


def test_a_kernel_of_zeros_stays():
    layer = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    assert layer(np.ones((1, 3), "float32"), training=True).tolist() == [[0.0, 0.0]]


def test_spectral_normalization_comes_back_from_its_config():
    layer = layers.SpectralNormalization(layers.Dense(2), power_iterations=2)
    again = layers.SpectralNormalization.from_config(json.loads(json.dumps(layer.get_config())))
    assert again.power_iterations == 2 and again.layer.units == 2


@pytest.mark.parametrize(
    ("action", "error", "match"),
    [
        (lambda: layers.ConvLSTM2D(2, 5)(np.ones((1, 2, 3, 3, 1))), ShapeError, "kernel_size 5 is larger"),
        (lambda: layers.ConvLSTM2D(2, 2)(layers.Input((2, None, 3, 1))), ShapeError, "needs to know the spatial sizes"),
        (lambda: layers.ConvLSTM2D(2, 2)(np.ones((1, 3, 3, 1))), ShapeError, "5 axes|ndim=5|expects"),
        (lambda: layers.ConvLSTM2D(2, 2, padding="causal"), InvalidArgument, "'valid' or 'same'"),
        (lambda: layers.ConvLSTM2D(0, 2), InvalidArgument, "must be"),
        (lambda: layers.CategoryEncoding(), ArgumentTypeError, "num_tokens"),
        (lambda: layers.CategoryEncoding(3, "counts"), InvalidArgument, "did you mean 'count'"),
        (lambda: layers.CategoryEncoding(3, sparse=True), InvalidArgument, "no sparse tensors"),
        (lambda: layers.CategoryEncoding(3)(np.array([1, 3])), DataError, "numbers in 0..2, got 1..3"),
        (
            lambda: layers.CategoryEncoding(3)(np.array([1]), count_weights=np.array([1.0])), InvalidArgument,
            "output_mode='count'",
        ),
        (lambda: layers.SpectralNormalization(layers.ReLU())(np.ones((1, 2))), ArgumentTypeError, "neither 'kernel'"),
        (lambda: layers.SpectralNormalization(layers.Dense(2), 0), InvalidArgument, "power_iterations"),
        (lambda: layers.Resizing(2, 2, "cubic"), InvalidArgument, "unknown interpolation 'cubic'"),
        (lambda: layers.Resizing(2, 0), InvalidArgument, "width"),
        (lambda: layers.Resizing(2, 2)(layers.Input((None, 2, 1))), ShapeError, "needs to know height and width"),
        (lambda: layers.CenterCrop(2, 2)(np.ones((2, 2))), ShapeError, "3 axes, or 4"),
        (lambda: layers.AdaptiveMaxPooling2D((1, 2, 3)), InvalidArgument, "output_size must be an int or 2 ints"),
    ],
)  # fmt: skip
def test_what_cannot_be(action, error, match):
    with pytest.raises(error, match=match):
        action()


def test_image_sizes_keep_integers():
    x = np.arange(16, dtype="uint8").reshape(4, 4, 1)
    assert layers.Resizing(2, 2)(x).dtype == np.uint8
    assert layers.CenterCrop(2, 2)(x).numpy().ravel().tolist() == [5.0, 6.0, 9.0, 10.0]
    assert ag.layers.CenterCrop(2, 2).compute_output_shape((None, 4, 4, 1)) == (None, 2, 2, 1)
