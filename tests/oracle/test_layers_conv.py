"""Convolution, pooling and resizing layers against Keras: outputs, gradients, shapes, signatures, training."""

import inspect

import keras
import numpy as np
import pytest
import torch

import autograd_nn as ag
from autograd_nn import layers, models, optimizers
from autograd_nn.layers.naming import reset_names

RNG = np.random.default_rng(0)
RTOL = 1e-12
# Keras' torch backend computes means, and where between pixels an interpolation reads, in float32.
ROUNDED = 3e-6
FIRST = {"data_format": "channels_first"}
IMAGE = (2, 6, 7, 4)
STEPS = (2, 8, 4)
VOLUME = (1, 6, 5, 5, 4)


@pytest.fixture(autouse=True)
def both_float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    ag.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    ag.config.set_floatx("float32")


WINDOWS = [
    {}, {"strides": 2}, {"padding": "same"}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2},
    {"dilation_rate": 2, "padding": "same", "activation": "tanh"}, FIRST, {**FIRST, "strides": 2, "padding": "same"},
    {"use_bias": False},
]  # fmt: skip
KINDS = [("Conv1D", STEPS), ("Conv2D", IMAGE), ("Conv3D", VOLUME)]
CONVOLUTIONS = [
    *((name, {"filters": 4, "kernel_size": size, **w}, x) for name, x in KINDS for size in (2, 3) for w in WINDOWS),
    *((name, {"filters": 6, "kernel_size": 2, "groups": 2, **w}, x) for name, x in KINDS for w in ({}, FIRST)),
    ("Conv2D", {"filters": 3, "kernel_size": (3, 2), "strides": (1, 2)}, IMAGE),
    ("Conv2D", {"filters": 3, "kernel_size": (1, 3), "dilation_rate": (1, 2), "padding": "same"}, IMAGE),
    *(("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", **w}, STEPS)
      for w in ({}, {"strides": 2}, {"dilation_rate": 3}, FIRST)),
]  # fmt: skip
TRANSPOSES = [
    *((f"{name}Transpose", {"filters": 3, "kernel_size": size, **w}, x)
      for name, x in KINDS for size in (2, 3) for w in WINDOWS),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": (2, 4), "strides": (3, 2), "padding": "same"}, IMAGE),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 1, "strides": 2, "padding": "same"}, IMAGE),
    *(("Conv2DTranspose", {"filters": 2, "kernel_size": size, "strides": 3, "padding": p, "output_padding": extra},
       IMAGE) for size in (1, 2, 3, 5) for p in ("valid", "same") for extra in (1, (2, 1))),
    *(("Conv2DTranspose", {"filters": 2, "kernel_size": size, "strides": 2, "padding": "same", "output_padding": extra},
       IMAGE) for size in (3, 4, (1, 2)) for extra in (0, (1, 0))),
    ("Conv1DTranspose", {"filters": 2, "kernel_size": 2, "padding": "same", "output_padding": 0}, STEPS),
]  # fmt: skip
DEPTHWISE = [
    *((f"DepthwiseConv{n}D", {"kernel_size": 3, "depth_multiplier": 2, **w}, x)
      for n, x in ((1, STEPS), (2, IMAGE)) for w in WINDOWS),
    *((f"SeparableConv{n}D", {"filters": 5, "kernel_size": 3, "depth_multiplier": 2, **w}, x)
      for n, x in ((1, STEPS), (2, IMAGE)) for w in WINDOWS),
]  # fmt: skip
POOLS = [
    *((f"{kind}Pooling{n}D", {"pool_size": 2, **w}, x)
      for kind in ("Max", "Average") for n, x in ((1, STEPS), (2, IMAGE), (3, VOLUME))
      for w in ({}, {"strides": 1}, {"padding": "same"}, {"strides": 3, "padding": "same"}, FIRST)),
    ("MaxPooling2D", {"pool_size": (3, 2), "strides": (1, 2)}, IMAGE),
    # Where padding is not the same on both sides, Keras' torch backend repeats elements instead of leaving them out.
    ("AveragePooling2D", {"pool_size": (3, 5), "strides": (1, 2), "padding": "same"}, IMAGE),
    *((f"Global{kind}Pooling{n}D", w, x)
      for kind in ("Max", "Average") for n, x in ((1, STEPS), (2, IMAGE), (3, VOLUME))
      for w in ({}, {"keepdims": True}, FIRST)),
]  # fmt: skip
RESIZES = [
    ("UpSampling1D", {}, STEPS), ("UpSampling1D", {"size": 3}, STEPS),
    ("UpSampling2D", {}, IMAGE), ("UpSampling2D", {"size": (2, 3), **FIRST}, IMAGE),
    ("UpSampling2D", {"interpolation": "bilinear"}, IMAGE),
    ("UpSampling2D", {"interpolation": "bilinear", "size": (3, 4), **FIRST}, IMAGE),
    ("UpSampling3D", {}, VOLUME), ("UpSampling3D", {"size": (1, 2, 3), **FIRST}, VOLUME),
    ("ZeroPadding1D", {}, STEPS), ("ZeroPadding1D", {"padding": (0, 2), **FIRST}, STEPS),
    ("ZeroPadding2D", {}, IMAGE), ("ZeroPadding2D", {"padding": ((1, 0), (2, 3)), **FIRST}, IMAGE),
    ("ZeroPadding2D", {"padding": (1, 2)}, IMAGE), ("ZeroPadding3D", {}, VOLUME),
    ("ZeroPadding3D", {"padding": (0, 1, 2), **FIRST}, VOLUME),
    ("Cropping1D", {}, STEPS), ("Cropping1D", {"cropping": (2, 0)}, STEPS), ("Cropping2D", {}, IMAGE),
    ("Cropping2D", {"cropping": ((1, 0), (0, 2)), **FIRST}, IMAGE), ("Cropping2D", {"cropping": (1, 2)}, IMAGE),
    ("Cropping3D", {}, VOLUME), ("Cropping3D", {"cropping": ((1, 0), (1, 1), (0, 1)), **FIRST}, VOLUME),
]  # fmt: skip
CASES = [*CONVOLUTIONS, *TRANSPOSES, *DEPTHWISE, *POOLS, *RESIZES]


def named(cases):
    return [pytest.param(*case, id=f"{case[0]}-{k}") for k, case in enumerate(cases)]


def both(name, settings):
    return getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)


def close(found, expected, rtol=RTOL):
    assert found.shape == tuple(expected.shape) and found.dtype == np.float64
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=rtol, atol=rtol)


def compare(ours, theirs, x, rtol, **settings):
    """Equal outputs, and equal gradients by inputs and weights, for the weights of ours in both."""
    ours(x), theirs(x)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [w.path.split("/")[-1] for w in ours.weights] == [w.path.split("/")[-1] for w in theirs.weights]
    theirs.set_weights([RNG.normal(size=w.shape) for w in theirs.weights])
    ours.set_weights(theirs.get_weights())
    mine, twin = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y = ours(mine, **settings)
    z = theirs(twin, **{key: torch.tensor(value) for key, value in settings.items()})
    close(y.numpy(), z, rtol)
    cotangent = RNG.normal(size=y.shape)
    (y * cotangent).sum().backward()
    (z * torch.tensor(cotangent)).sum().backward()
    close(mine.grad.numpy(), twin.grad, rtol)
    for w, v in zip(ours.trainable_weights, theirs.trainable_weights):
        close(w.grad.numpy(), v.value.grad, rtol)


@pytest.mark.parametrize(("name", "settings", "shape"), named(CASES))
def test_layer(name, settings, shape):
    rounded = settings.get("interpolation") == "bilinear" or name.startswith("GlobalAverage")
    compare(*both(name, settings), RNG.normal(size=shape), ROUNDED if rounded else RTOL)


@pytest.mark.parametrize(("name", "settings", "shape"), named(CASES))
def test_shape_rule(name, settings, shape):
    ours, theirs = both(name, settings)
    channels = 1 if settings.get("data_format") == "channels_first" else len(shape) - 1
    open_shape = tuple(size if axis == channels else None for axis, size in enumerate(shape))
    for given in (shape, (None, *shape[1:]), open_shape):
        assert ours.compute_output_shape(given) == tuple(theirs.compute_output_shape(given))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("settings", [{}, {"keepdims": True}, FIRST])
def test_mask_of_the_average(settings, masked):
    mask = np.array([[True, True, False, True, False], [False, True, True, True, True]])
    x = RNG.normal(size=(2, 3, 5) if settings == FIRST else (2, 5, 3))
    compare(*both("GlobalAveragePooling1D", settings), x, ROUNDED, **({"mask": mask} if masked else {}))


NAMES = sorted({name for name, _, _ in CASES})
# Not in the signatures or configs of both: Keras hands the first two on by **kwargs.
APART = {"lora_rank", "lora_alpha", "quantization_config"}


@pytest.mark.parametrize("name", NAMES)
def test_signature_and_automatic_name(name):
    found, expected = (inspect.signature(getattr(room, name).__init__).parameters for room in (layers, keras.layers))
    theirs = [(p.name, p.default, p.kind) for p in expected.values() if p.name not in APART]
    assert [(p.name, p.default, p.kind) for p in found.values() if p.name not in APART] == theirs
    settings = next(settings for given, settings, _ in CASES if given == name)
    reset_names()
    keras.utils.clear_session()
    for _ in range(2):
        ours, theirs = both(name, settings)
        assert ours.name == theirs.name and ours.supports_masking == theirs.supports_masking


@pytest.mark.parametrize(("name", "settings", "shape"), named(CASES))
def test_config(name, settings, shape):
    ours, theirs = (getattr(room, name)(**settings, name="x") for room in (layers, keras.layers))
    found, expected = ours.get_config(), theirs.get_config()
    assert set(expected) - APART - {"activity_regularizer"} <= set(found)
    plain = {key for key, value in expected.items() if not isinstance(value, dict)}
    plain -= {"dtype", "activity_regularizer", *APART}
    assert {key: found[key] for key in plain} == {key: expected[key] for key in plain}


def test_the_other_names_of_keras():
    classes = {name: thing for name, thing in vars(keras.layers).items() if inspect.isclass(thing)}
    aliases = {name: thing.__name__ for name, thing in classes.items() if thing.__name__ in NAMES and name not in NAMES}
    assert len(aliases) == 20
    for alias, name in aliases.items():
        assert getattr(layers, alias) is getattr(layers, name)


# --- training


def convnet(room, make, images):
    """A small network of every kind of layer with weights, and of pools, padding and cropping between them."""
    return make([
        room.Input(images.shape[1:]), room.ZeroPadding2D(1), room.Conv2D(6, 3, activation="relu"), room.MaxPooling2D(),
        room.SeparableConv2D(8, 3, padding="same", activation="tanh"), room.DepthwiseConv2D(3, depth_multiplier=2),
        room.Conv2DTranspose(4, 3, strides=2, padding="same", activation="elu"), room.UpSampling2D(),
        room.AveragePooling2D(2), room.Cropping2D(1), room.GlobalAveragePooling2D(), room.Dense(3),
    ])  # fmt: skip


OPTIMIZERS = {"sgd": ("SGD", {"learning_rate": 0.05, "momentum": 0.9}), "adam": ("Adam", {"learning_rate": 0.01})}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_twenty_training_steps_of_a_convnet(optimizer):
    name, settings = OPTIMIZERS[optimizer]
    x, y = RNG.normal(size=(40, 10, 10, 2)), RNG.integers(0, 3, 40)
    ours, theirs = convnet(layers, models.Sequential, x), convnet(keras.layers, keras.Sequential, x)
    ours.set_weights(theirs.get_weights())
    losses = []
    for model, rooms in ((ours, (optimizers, ag.losses)), (theirs, (keras.optimizers, keras.losses))):
        loss = rooms[1].SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=getattr(rooms[0], name)(**settings), loss=loss)
        losses.append([model.train_on_batch(x[k::5], y[k::5]) for k in range(5) for _ in range(4)])
    np.testing.assert_allclose(np.array(losses[0]), np.array([float(loss) for loss in losses[1]]), rtol=1e-4)
    for w, v in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(w, v, rtol=1e-3, atol=1e-4)
