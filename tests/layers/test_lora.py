"""LoRA of every layer that has it: what is trained, what is computed, configs, files, what is refused."""

import copy

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers, models
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, NotBuiltError
from autograd_nn.testing import layer_suite

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4, 6)).astype("float32")
STEPS, IMAGE, VOLUME = (RNG.normal(size=(5, *sizes, 4)).astype("float32") for sizes in ((6,), (5, 4), (3, 3, 3)))
PLACES = RNG.integers(0, 7, (5, 4))


def places(batch):
    return np.random.default_rng(0).integers(0, 7, (batch, 4))


KINDS = {
    "dense": (layers.Dense, {"units": 3}, X, "kernel"),
    "einsum_product": (
        layers.EinsumDense, {"equation": "abc,cde->abde", "output_shape": (None, 2, 5), "bias_axes": "de"}, X, "kernel"
    ),
    "einsum": (layers.EinsumDense, {"equation": "abc,bd->acd", "output_shape": (6, 2)}, X, "kernel"),
    "embedding": (layers.Embedding, {"input_dim": 7, "output_dim": 3}, PLACES, "embeddings"),
    "conv1d": (layers.Conv1D, {"filters": 3, "kernel_size": 2, "padding": "causal"}, STEPS, "kernel"),
    "conv2d": (layers.Conv2D, {"filters": 4, "kernel_size": (3, 2), "groups": 2, "strides": 2}, IMAGE, "kernel"),
    "conv3d": (layers.Conv3D, {"filters": 2, "kernel_size": 2, "use_bias": False}, VOLUME, "kernel"),
}  # fmt: skip
every_case = pytest.mark.parametrize("name", KINDS)
# For every suite of layers.
LORA = {"lora_rank": 2, "lora_alpha": 3.0}
CASES = {
    name: (cls, {**arguments, **LORA}, x.shape[1:] if x.dtype.kind == "f" else places, {})
    for name, (cls, arguments, x, _) in KINDS.items()
}


def adapted(name, rank=2, **more):
    cls, arguments, x, weight = KINDS[name]
    layer = cls(**arguments)
    layer(x)
    plain = getattr(layer, weight)
    layer.enable_lora(rank, b_initializer="normal", **more)
    return layer, plain, getattr(layer, f"lora_{weight}_a"), getattr(layer, f"lora_{weight}_b")


@pytest.mark.filterwarnings("ignore:gradcheck")
@every_case
def test_layer_suite(name):
    cls, arguments, shape, _ = CASES[name]
    layer_suite(cls, arguments, *((None, shape) if callable(shape) else (shape,)))


@every_case
def test_the_product_is_added_and_alone_is_trained(name):
    cls, arguments, x, weight = KINDS[name]
    layer = cls(**arguments)
    before = layer(x).numpy()
    plain = getattr(layer, weight)
    layer.enable_lora(2, lora_alpha=3)
    np.testing.assert_array_equal(layer(x).numpy(), before)
    a, b = getattr(layer, f"lora_{weight}_a"), getattr(layer, f"lora_{weight}_b")
    assert not any(v is plain for v in layer.trainable_weights) and {id(a), id(b)} <= {
        id(v) for v in layer.trainable_weights
    }
    b.assign(RNG.normal(size=b.shape))
    merged = plain.numpy() + 1.5 * (a.numpy() @ b.numpy())
    np.testing.assert_allclose(getattr(layer, weight).numpy(), merged, rtol=1e-5, atol=1e-6)
    other = cls(**arguments)
    other(x)
    other.set_weights([merged, *([layer.bias.numpy()] if weight == "kernel" and layer.bias is not None else [])])
    np.testing.assert_allclose(layer(x).numpy(), other(x).numpy(), rtol=1e-4, atol=1e-5)


@every_case
def test_training_moves_the_narrow_weights_alone(name):
    cls, arguments, x, weight = KINDS[name]
    layer, plain, a, b = adapted(name)
    frozen, narrow = plain.numpy().copy(), [a.numpy().copy(), b.numpy().copy()]
    model = models.Sequential([layers.Input(x.shape[1:], dtype=x.dtype), layer, layers.Flatten(), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, np.ones((5, 1)), epochs=2, verbose=0)
    np.testing.assert_array_equal(plain.numpy(), frozen)
    assert (a.numpy() != narrow[0]).any() and (b.numpy() != narrow[1]).any()


def test_a_model_predicts_with_it_at_once():
    model = models.Sequential([layers.Dense(3, input_shape=(6,))])
    x = X[:, 0]
    before = model.predict(x, verbose=0)
    layer = model.layers[0]
    layer.enable_lora(1, b_initializer="ones", a_initializer="ones")
    expected = before + x.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model(x).numpy(), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)


@every_case
def test_config_copies_and_files(name, tmp_path):
    cls, arguments, x, weight = KINDS[name]
    assert "lora_rank" not in cls(**arguments).get_config()
    layer, _, _, _ = adapted(name, lora_alpha=5)
    config = layer.get_config()
    assert (config["lora_rank"], config["lora_alpha"]) == (2, 5)
    again = cls.from_config(config)
    again(x)
    assert again.lora_enabled and again.lora_alpha == 5
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(again(x).numpy(), layer(x).numpy(), rtol=1e-6)
    np.testing.assert_allclose(copy.deepcopy(layer)(x).numpy(), layer(x).numpy(), rtol=1e-6)
    model = models.Sequential([layers.Input(x.shape[1:], dtype=x.dtype), layer])
    model.save(tmp_path / "model.safetensors")
    loaded = ag.models.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded(x).numpy(), model(x).numpy())
    assert [v.trainable for v in loaded.weights] == [v.trainable for v in model.weights]


@every_case
def test_a_file_of_keras_holds_the_sum(name, tmp_path):
    pytest.importorskip("h5py")
    cls, arguments, x, weight = KINDS[name]
    layer, _, a, b = adapted(name)
    whole, plain = (
        models.Sequential([layers.Input(x.shape[1:], dtype=x.dtype), part]) for part in (layer, cls(**arguments))
    )
    expected = whole(x).numpy()
    whole.save_weights(tmp_path / "sum.weights.h5")
    plain.load_weights(tmp_path / "sum.weights.h5")
    np.testing.assert_allclose(plain(x).numpy(), expected, rtol=1e-5, atol=1e-6)
    whole.load_weights(tmp_path / "sum.weights.h5")
    assert not a.numpy().any() and not b.numpy().any()
    np.testing.assert_allclose(whole(x).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_narrow_weights_are_float32_and_named_beside_the_frozen_one():
    layer = layers.Dense(2, dtype="float64", name="wide", kernel_regularizer="l2")
    with ag.name_scope("outer"):
        layer.build((None, 3))
    layer.enable_lora(1)
    assert [v.path for v in layer.weights][2:] == ["outer/wide/lora_kernel_a", "outer/wide/lora_kernel_b"]
    assert layer.lora_kernel_a.dtype == "float32" and layer(np.ones((1, 3))).dtype == "float64"
    assert len(layer.losses) == 2


@pytest.mark.parametrize("make, error, match", [
    (lambda: layers.Dense(2).enable_lora(1), NotBuiltError, "enable_lora: 'dense.*' is not built"),
    (lambda: layers.Dense(2, lora_rank=0), InvalidArgument, "lora_rank must be an int >= 1, got 0"),
    (lambda: layers.Embedding(2, 2, lora_rank="2"), ArgumentTypeError, "lora_rank must be an int >= 1, got '2'"),
    (lambda: layers.Dense(2, lora_rank=1, lora_alpha="a"), InvalidArgument, "lora_alpha must be a finite number"),
    (lambda: layers.Dense(2, lora_rank=1, kernel_constraint="non_neg"), InvalidArgument, "has a kernel_constraint"),
    (lambda: built(kernel_constraint="non_neg").enable_lora(1), InvalidArgument, "has a kernel_constraint"),
    (lambda: built().enable_lora(1, lora_alpha=0), InvalidArgument, "lora_alpha must be a finite number > 0"),
    (lambda: built().enable_lora(1.5), ArgumentTypeError, "rank must be an int >= 1, got 1.5"),
    (lambda: built().enable_lora(1, b_initializer="zeroes"), InvalidArgument, "did you mean 'zeros'"),
    (lambda: built(lora_rank=1).enable_lora(1), InvalidArgument, "has it already, of rank 1; once is all"),
    (lambda: layers.Conv2D(2, 3, lora_rank=1, kernel_constraint="max_norm"), InvalidArgument, "a kernel_constraint"),
    (lambda: layers.Conv1D(2, 3).enable_lora(2), NotBuiltError, "enable_lora: 'conv1d.*' is not built"),
    (lambda: layers.Conv2D(2, 3, lora_rnk=1), ArgumentTypeError, "did you mean 'lora_rank'"),
    (lambda: layers.Dense(2).kernel, NotBuiltError, "kernel: 'dense.*' is not built"),
])  # fmt: skip
def test_what_is_refused(make, error, match):
    with pytest.raises(error, match=match):
        make()


def built(**arguments):
    layer = layers.Dense(2, **arguments)
    layer.build((None, 3))
    return layer


def test_a_call_that_fails_changes_nothing():
    layer = built()
    with pytest.raises(InvalidArgument):
        layer.enable_lora(1, b_initializer="zeroes")
    assert len(layer.weights) == len(layer.trainable_weights) == 2 and not layer.lora_enabled
