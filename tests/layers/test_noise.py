"""Layers of noise through the layer suite, and the distribution of what they draw."""

import math

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, ShapeError
from autograd_nn.testing import layer_suite

FIRST = {"data_format": "channels_first"}
RANDOM = {"random_in_training": True, "mask": True, "weights": ()}
CASES = {
    "spatial1d": (layers.SpatialDropout1D, {"rate": 0.5}, (2, 20), RANDOM),
    "spatial2d": (layers.SpatialDropout2D, {"rate": 0.5, "seed": 3}, (2, 2, 20), RANDOM),
    "spatial2d_first": (layers.SpatialDropout2D, {"rate": 0.5, **FIRST}, (20, 2, 2), RANDOM),
    "spatial3d": (layers.SpatialDropout3D, {"rate": 0.5}, (2, 1, 2, 20), RANDOM),
    "spatial_none": (layers.SpatialDropout1D, {"rate": 0.0}, (2, 3), {}),
    "gaussian_noise": (layers.GaussianNoise, {"stddev": 0.5}, (20,), RANDOM),
    "gaussian_noise_none": (layers.GaussianNoise, {"stddev": 0.0}, (4,), {}),
    "gaussian_dropout": (layers.GaussianDropout, {"rate": 0.5}, (20,), RANDOM),
    "alpha_dropout": (layers.AlphaDropout, {"rate": 0.5}, (20,), RANDOM),
    "alpha_dropout_noise": (layers.AlphaDropout, {"rate": 0.5, "noise_shape": (None, 1, 9)}, (4, 9), RANDOM),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_layer_suite(name):
    layer_class, init_kwargs, input_shape, expected = CASES[name]
    layer_suite(layer_class, init_kwargs, input_shape, **expected)


def test_every_layer_of_this_room_is_here():
    public = {getattr(layers, name) for name in layers.__all__}
    room = {cls for cls in public if getattr(cls, "__module__", "") == f"{layers.__name__}.noise"}
    assert room == {case[0] for case in CASES.values()}


@pytest.mark.parametrize(
    ("layer", "shape", "spatial"),
    [
        (layers.SpatialDropout1D(0.25, seed=1), (40, 3, 50), (1,)),
        (layers.SpatialDropout2D(0.25, seed=1), (40, 3, 2, 50), (1, 2)),
        (layers.SpatialDropout2D(0.25, "channels_first", seed=1), (40, 50, 3, 2), (2, 3)),
        (layers.SpatialDropout3D(0.25, "channels_first", seed=1), (40, 50, 1, 3, 2), (2, 3, 4)),
    ],
)
def test_whole_channels_are_dropped(layer, shape, spatial):
    y = layer(np.ones(shape), training=True).numpy()
    assert np.array_equal(y.min(axis=spatial), y.max(axis=spatial))
    kept = y != 0
    assert abs(kept.mean() - 0.75) < 0.03 and np.allclose(y[kept], 1 / 0.75)


def moments(layer, x):
    y = layer(x, training=True).numpy()
    return y.mean(), y.std()


def test_moments_of_the_noise():
    x = np.full((300, 300), 2.0)
    mean, deviation = moments(layers.GaussianNoise(0.5, seed=1, dtype="float64"), x)
    assert abs(mean - 2) < 0.01 and abs(deviation - 0.5) < 0.01
    mean, deviation = moments(layers.GaussianDropout(0.2, seed=1, dtype="float64"), x)
    assert abs(mean - 2) < 0.02 and abs(deviation - 2 * math.sqrt(0.25)) < 0.02


def test_alpha_dropout_keeps_mean_and_deviation_of_selus():
    x = np.random.default_rng(0).normal(size=(400, 400))
    for rate in (0.1, 0.5):
        mean, deviation = moments(layers.AlphaDropout(rate, seed=1, dtype="float64"), x)
        assert abs(mean) < 0.01 and abs(deviation - 1) < 0.01


def test_dropped_elements_of_alpha_dropout_are_one_number():
    layer = layers.AlphaDropout(0.5, seed=1, dtype="float64")
    y = layer(np.arange(1.0, 2001.0), training=True).numpy()
    values, counts = np.unique(y, return_counts=True)
    assert counts.max() == counts[values.argmin()] and abs(counts.max() - 1000) < 100


def test_a_seed_repeats_the_noise():
    x = np.ones((3, 4))
    for kind, strength in ((layers.GaussianNoise, 0.5), (layers.GaussianDropout, 0.5), (layers.AlphaDropout, 0.5)):
        first, second = (kind(strength, seed=7)(x, training=True).numpy() for _ in range(2))
        assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("action", "error", "match"),
    [
        (lambda: layers.SpatialDropout1D(1.0), InvalidArgument, "SpatialDropout1D: rate must be .* got 1.0"),
        (lambda: layers.SpatialDropout2D(50), InvalidArgument, "SpatialDropout2D: rate .*; 50 means 0.5"),
        (lambda: layers.SpatialDropout2D(0.5)(np.ones((2, 3, 4))), ShapeError, r"4 axes \(batch, height, width"),
        (lambda: layers.SpatialDropout2D(0.5, "channel_first"), InvalidArgument, "did you mean 'channels_first'"),
        (lambda: layers.GaussianNoise(-1), InvalidArgument, "GaussianNoise: stddev must be a number from 0 to 1"),
        (lambda: layers.GaussianNoise("1"), ArgumentTypeError, "GaussianNoise: stddev"),
        (lambda: layers.GaussianDropout(1.0), InvalidArgument, "GaussianDropout: rate"),
        (lambda: layers.AlphaDropout(True), ArgumentTypeError, "AlphaDropout: rate"),
        (lambda: layers.AlphaDropout(0.5, (1,))(np.ones((2, 3)), training=True), ShapeError, "noise_shape"),
        (lambda: layers.PReLU(shared_axes=[0]), InvalidArgument, "shared_axes must hold axes from 1 on"),
        (lambda: layers.PReLU(shared_axes=2)(np.ones((2, 3))), InvalidArgument, r"shared_axes \[2\] for input"),
        (lambda: layers.PReLU()(layers.Input((None, 3))), ShapeError, r"shared_axes=\[1\]"),
        (lambda: layers.ActivityRegularization(-1.0), InvalidArgument, "l1"),
    ],
)  # fmt: skip
def test_what_cannot_be(action, error, match):
    with pytest.raises(error, match=match):
        action()


def test_slopes_are_trained_where_the_input_is_negative():
    layer = layers.PReLU(ag.initializers.Constant(0.25), shared_axes=[1], dtype="float64")
    x = np.array([[[1.0, -2.0], [-3.0, 4.0]]])
    y = layer(x)
    assert y.tolist() == [[[1.0, -0.5], [-0.75, 4.0]]]
    y.sum().backward()
    assert layer.alpha.grad.tolist() == [[-3.0, -2.0]]
