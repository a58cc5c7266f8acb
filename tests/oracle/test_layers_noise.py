"""Noise, PReLU, penalties on activities and preprocessing against Keras."""

import inspect

import keras
import numpy as np
import pytest
import torch

import autograd_nn as ag
from autograd_nn import layers
from autograd_nn.layers.naming import reset_names

RNG = np.random.default_rng(0)
RTOL = 1e-12
# Keras' torch backend has constants and statistics of a layer in float32.
ROUNDED = 3e-6
MEAN, VARIANCE = [1.0, 2.0, 3.0], [4.0, 1.0, 0.25]
CASES = [
    ("PReLU", {"alpha_initializer": "ones"}, (5, 3)), ("PReLU", {"shared_axes": [1, 2]}, (5, 4, 3, 2)),
    ("ActivityRegularization", {"l1": 0.1, "l2": 0.3}, (5, 3)), ("Rescaling", {"scale": 0.5, "offset": 1.0}, (5, 3)),
    ("Rescaling", {"scale": [1.0, 2.0, 3.0]}, (5, 3)), ("Normalization", {"mean": MEAN, "variance": VARIANCE}, (5, 3)),
    ("Normalization", {"mean": MEAN, "variance": VARIANCE, "invert": True}, (5, 2, 3)),
    ("Normalization", {"axis": (1, 2), "mean": MEAN, "variance": VARIANCE}, (5, 2, 3)),
    ("Normalization", {"axis": None, "mean": 1.0, "variance": 4.0}, (5, 3)),
    ("SpatialDropout1D", {"rate": 0.3}, (5, 4, 3)), ("SpatialDropout2D", {"rate": 0.3, "seed": 1}, (5, 4, 2, 3)),
    ("SpatialDropout3D", {"rate": 0.3, "data_format": "channels_first"}, (5, 4, 2, 3, 1)),
    ("GaussianNoise", {"stddev": 0.3}, (5, 3)), ("GaussianDropout", {"rate": 0.3}, (5, 3)),
    ("AlphaDropout", {"rate": 0.3, "noise_shape": [None, 1]}, (5, 3)),
]  # fmt: skip
IDS = [f"{name}-{k}" for k, (name, _, _) in enumerate(CASES)]


@pytest.fixture(autouse=True)
def both_float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    ag.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    ag.config.set_floatx("float32")


def both(name, settings):
    return getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)


def close(found, expected, rtol):
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize(("name", "settings", "shape"), CASES, ids=IDS)
def test_value_gradient_and_losses(name, settings, shape):
    ours, theirs = both(name, settings)
    x = RNG.normal(size=shape)
    ours(x), theirs(x)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    ours.set_weights([RNG.normal(size=w.shape) for w in ours.weights])
    theirs.set_weights(ours.get_weights())
    mine, twin = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = ours(mine), theirs(twin)
    rtol = ROUNDED if name in ("Normalization", "ActivityRegularization") else RTOL
    close(y, z, rtol)
    cotangent = RNG.normal(size=shape)
    losses, others = (
        sum(ours.losses, start=(y * cotangent).sum()),
        sum(theirs.losses, (z * torch.tensor(cotangent)).sum()),
    )
    close(losses, others, rtol)
    losses.backward()
    others.backward()
    close(mine.grad, twin.grad, rtol)
    for w, v in zip(ours.trainable_weights, theirs.trainable_weights):
        close(w.grad, v.value.grad, rtol)


@pytest.mark.parametrize(("name", "settings", "shape"), CASES, ids=IDS)
def test_config_and_shape_rule(name, settings, shape):
    ours, theirs = both(name, {**settings, "name": "x"})
    found, expected = ours.get_config(), theirs.get_config()
    plain = {key for key, value in expected.items() if not isinstance(value, dict)} - {"dtype"}
    assert {key: found[key] for key in plain} == {key: expected[key] for key in plain}
    for given in (shape, (None, *shape[1:])):
        assert ours.compute_output_shape(given) == tuple(theirs.compute_output_shape(given))


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CASES}))
def test_signature_and_automatic_name(name):
    found, expected = (inspect.signature(getattr(room, name).__init__).parameters for room in (layers, keras.layers))
    kinds = [
        [(p.name, p.default) for p in parameters.values() if p.kind is not p.VAR_KEYWORD]
        for parameters in (found, expected)
    ]
    assert kinds[0] == kinds[1]
    settings = next(settings for given, settings, _ in CASES if given == name)
    reset_names()
    keras.utils.clear_session()
    for _ in range(2):
        ours, theirs = both(name, settings)
        assert ours.name == theirs.name and ours.supports_masking == theirs.supports_masking


@pytest.mark.parametrize("axis", [-1, None, (1, 2)])
def test_adapted_statistics_fit_into_each_other(axis):
    ours, theirs = both("Normalization", {"axis": axis})
    x = RNG.normal(3.0, 2.0, size=(20, 4, 3))
    ours.adapt(x), theirs.adapt(x)
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert w.dtype == v.dtype or v.dtype == np.float32
        np.testing.assert_allclose(w, v, rtol=ROUNDED)
    theirs.set_weights(ours.get_weights())
    ours.set_weights(theirs.get_weights())
    close(ours(x), theirs(torch.tensor(x)), ROUNDED)
