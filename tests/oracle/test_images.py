"""Images in other sizes and read between their pixels, against jax in float64: values, first and second derivatives."""

import keras
import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops

jax = pytest.importorskip("jax", reason="jax is not installed (the extra bench has it)")
jnp, jax_image = jax.numpy, jax.image
ndimage = pytest.importorskip("jax.scipy.ndimage")

RNG = np.random.default_rng(0)
METHODS = {"bilinear": "linear", "bicubic": "cubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5"}
MODES = ["constant", "nearest", "wrap", "mirror", "reflect"]


@pytest.fixture(autouse=True)
def wide():
    with jax.enable_x64(True):
        yield


def same(ours, theirs, *arrays, second=True):
    """Value, gradients, and the product of the Hessian with a vector."""
    found, expected = ours(*map(ag.tensor, arrays)).numpy(), np.asarray(theirs(*map(jnp.asarray, arrays)))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    weights = np.cos(np.arange(found.size)).reshape(found.shape)
    places = tuple(range(len(arrays)))

    def our_loss(*xs):
        return ops.sum(ops.square(ours(*xs)) * weights)

    def their_loss(*xs):
        return jnp.sum(jnp.square(theirs(*xs)) * weights)

    ours_first, theirs_first = ag.grad(our_loss, argnums=places), jax.grad(their_loss, argnums=places)
    for a, b in zip(ours_first(*map(ag.tensor, arrays)), theirs_first(*map(jnp.asarray, arrays))):
        np.testing.assert_allclose(a.numpy(), np.asarray(b), rtol=1e-9, atol=1e-10)
    if not second:
        return
    probes = [np.sin(np.arange(a.size)).reshape(a.shape) for a in arrays]
    ours_second = ag.grad(lambda *xs: sum(ops.sum(g * p) for g, p in zip(ours_first(*xs), probes)), argnums=places)
    theirs_second = jax.grad(lambda *xs: sum(jnp.sum(g * p) for g, p in zip(theirs_first(*xs), probes)), argnums=places)
    for a, b in zip(ours_second(*map(ag.tensor, arrays)), theirs_second(*map(jnp.asarray, arrays))):
        np.testing.assert_allclose(a.numpy(), np.asarray(b), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("size", "antialias"), [((3, 8), False), ((9, 2), True)])
@pytest.mark.parametrize("method", METHODS)
def test_resize(method, size, antialias):
    x = RNG.normal(size=(2, 4, 5, 3))
    same(
        lambda x: ops.image.resize(x, size, method, antialias),
        lambda x: jax_image.resize(x, (2, *size, 3), METHODS[method], antialias=antialias),
        x,
        second=False,
    )


@pytest.mark.parametrize("size", [(3, 8), (7, 11)])
def test_nearest(size):
    x = RNG.normal(size=(2, 4, 5, 3))
    same(
        lambda x: ops.image.resize(x, size, "nearest"),
        lambda x: jax_image.resize(x, (2, *size, 3), "nearest"),
        x,
        second=False,
    )


@pytest.mark.parametrize("settings", [{"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": 2}])
@pytest.mark.parametrize("size", [(4, 4), (3, 9), (8, 3)])
def test_ratios_of_sides_as_in_keras(size, settings):
    x = RNG.normal(size=(2, 5, 8, 3)).astype("float32")
    expected = keras.ops.convert_to_numpy(keras.ops.image.resize(x, size, **settings))
    np.testing.assert_allclose(ops.image.resize(x, size, **settings).numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("method", "antialias"), [("linear", False), ("cubic", True), ("lanczos3", True)])
def test_scale_and_translate(method, antialias):
    x, scale, translation = RNG.normal(size=(5, 6, 2)), np.array([0.63, 1.37]), np.array([0.31, -0.42])
    same(
        lambda *xs: ops.image.scale_and_translate(xs[0], (4, 7, 2), *xs[1:], (0, 1), method, antialias),
        lambda *xs: jax_image.scale_and_translate(xs[0], (4, 7, 2), (0, 1), *xs[1:], method, antialias),
        x, scale, translation,
        second=method == "cubic",
    )  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", [0, 1])
def test_map_coordinates(order, mode):
    x = RNG.normal(size=(4, 5))
    places = RNG.integers(-5, 8, (2, 9)) + RNG.choice([0.2, 0.3, 0.7, 0.8], (2, 9))
    same(
        lambda x, places: ops.image.map_coordinates(x, places, order, mode, 0.5),
        lambda x, places: ndimage.map_coordinates(x, places, order, mode, 0.5),
        x, places,
        second=order == 1 and mode in ("constant", "mirror"),
    )  # fmt: skip


def keras_like(name, found, *args, rtol=1e-4, **kwargs):
    expected = keras.ops.convert_to_numpy(getattr(keras.ops.image, name)(*args, **kwargs))
    np.testing.assert_allclose(found.numpy(), expected, rtol=rtol, atol=2e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", ["nearest", "bilinear"])
def test_affine_transforms_as_in_keras(how, mode):
    x = RNG.normal(size=(2, 5, 6, 3)).astype("float32")
    turn = np.array([[0.9, 0.2, 0.31, -0.15, 1.1, 0.42, 0, 0], [1.2, 0.1, -1.37, 0.2, 0.8, 0.13, 0, 0]], "float32")
    keras_like("affine_transform", ops.image.affine_transform(x, turn, how, mode), x, turn, how, mode)


@pytest.mark.parametrize("how", ["nearest", "bilinear"])
def test_perspective_as_in_keras(how):
    x = RNG.normal(size=(2, 5, 6, 3)).astype("float32")
    start = np.array([[0.2, 0.1], [4.7, 0.3], [0.4, 3.8], [5.1, 4.2]], "float32")
    end = np.array([[0.0, 0.3], [5.2, 0.0], [0.1, 4.1], [4.6, 3.7]], "float32")
    points = np.stack([start, start + 0.3]), np.stack([end, end])
    keras_like("perspective_transform", ops.image.perspective_transform(x, *points, how), x, *points, how)


def test_structural_similarity_as_in_keras():
    x, y = RNG.uniform(size=(2, 3, 14, 15, 2)).astype("float32")
    keras_like("ssim", ops.image.ssim(x, y, 1.0, k1=0.02), x, y, 1.0, k1=0.02)
