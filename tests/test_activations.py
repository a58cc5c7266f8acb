"""Activations: formulas, gradients, names; values against Keras stand in tests/oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_nn as ag
from autograd_nn import activations, layers
from autograd_nn.errors import ArgumentTypeError, UnknownName
from autograd_nn.saving import register_keras_serializable

# A gated unit halves an axis.
NAMES = sorted(set(activations.KNOWN) - {"glu"})
SMOOTH = [
    "celu", "elu", "exponential", "gelu", "linear", "log_sigmoid", "log_softmax", "mish", "selu", "sigmoid", "silu",
    "softmax", "softplus", "softsign", "squareplus", "tanh", "tanh_shrink",
]  # fmt: skip
reals = hnp.arrays("float64", (3, 4), elements=st.floats(-20, 20))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shape_and_dtype_are_kept_and_large_inputs_stay_finite(name, dtype):
    x = np.linspace(-30, 30, 12, dtype=dtype).reshape(3, 4)
    y = activations.get(name)(ag.tensor(x))
    assert y.shape == (3, 4) and y.dtype == np.dtype(dtype)
    assert np.isfinite(y.numpy()).all()


@pytest.mark.parametrize("name", NAMES)
def test_gradient_to_second_order(name):
    x = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4)) * np.where(np.arange(4) % 2, 1, -1)
    assert ag.gradcheck(activations.get(name), ag.tensor(x), order=2 if name in SMOOTH else 1)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "celu", "selu", "relu6"])
def test_gradients_at_the_kink_are_finite(name):
    x = ag.tensor([0.0, -0.0], requires_grad=True)
    activations.get(name)(x).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


@given(reals)
def test_relu_with_all_its_settings(x):
    found = activations.relu(x, negative_slope=0.1, max_value=5.0, threshold=1.0).numpy()
    expected = np.minimum(np.where(x > 1, x, 0.1 * (x - 1)), 5)
    assert np.allclose(found, expected)


@given(reals)
def test_gates_and_shrinkage(x):
    gated = activations.glu(x).numpy()
    assert gated.shape == (3, 2) and np.allclose(gated, x[:, :2] / (1 + np.exp(-x[:, 2:])))
    assert np.allclose(activations.hard_shrink(x, 2.0), np.where(abs(x) > 2, x, 0))
    assert np.allclose(activations.soft_shrink(x, 2.0), np.sign(x) * np.maximum(abs(x) - 2, 0))
    assert np.allclose(activations.threshold(x, 1.0, -3.0), np.where(x > 1, x, -3))
    assert np.allclose(activations.tanh_shrink(x), x - np.tanh(x))
    sparse = activations.sparsemax(x).numpy()
    assert np.allclose(sparse.sum(-1), 1) and (sparse >= 0).all()
    assert np.allclose(activations.sparsemax(sparse), sparse)


def test_a_gated_unit_trains():
    assert ag.gradcheck(activations.glu, ag.tensor(np.random.default_rng(0).normal(size=(3, 4))), order=2)


@given(reals)
def test_identities(x):
    softmax = activations.softmax(x).numpy()
    assert np.allclose(softmax.sum(-1), 1) and np.allclose(np.exp(activations.log_softmax(x).numpy()), softmax)
    assert np.allclose(activations.sigmoid(x).numpy() + activations.sigmoid(-x).numpy(), 1)
    assert np.allclose(activations.softplus(x).numpy() - activations.softplus(-x).numpy(), x, atol=1e-9)
    assert np.allclose(activations.elu(x).numpy(), np.where(x > 0, x, np.expm1(np.minimum(x, 0))))
    assert np.allclose(activations.selu(x).numpy(), activations.elu(x, 1.6732632423543772).numpy() * 1.0507009873554805)
    assert np.allclose(activations.mish(x).numpy(), x * np.tanh(activations.softplus(x).numpy()))
    assert np.allclose(activations.hard_sigmoid(x).numpy(), np.clip(x / 6 + 0.5, 0, 1))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_survives_a_config(name):
    function = activations.get(name)
    assert activations.get(activations.serialize(function)) is function
    assert activations.deserialize({"class_name": "function", "config": function.__name__}) is function
    layer = layers.Activation(name)
    assert layers.Activation.from_config(layer.get_config()).activation is function


def test_what_get_takes():
    assert activations.get(None) is activations.linear
    assert activations.get(np.tanh) is np.tanh
    layer = layers.ReLU()
    assert activations.get(layer) is layer
    assert isinstance(
        activations.get({"class_name": "ReLU", "config": {"max_value": 6}, "module": "autograd_nn.layers"}), layers.ReLU
    )


def test_own_functions_go_by_their_registered_name():
    @register_keras_serializable(package="tests")
    def own_activation(x):
        return x * 3

    config = activations.serialize(own_activation)
    assert config["registered_name"] == "tests>own_activation"
    assert activations.deserialize(config) is own_activation
    assert activations.deserialize("mine", custom_objects={"mine": own_activation}) is own_activation


@pytest.mark.parametrize("wrong, error, match", [
    ("relue", UnknownName, "unknown activation 'relue'; did you mean 'relu'"),
    ("xyzzy", UnknownName, "known: celu, elu"),
    (3, ArgumentTypeError, "got 3"),
    (layers.ReLU, ArgumentTypeError, r"got class ReLU; write ReLU\(...\)"),
])  # fmt: skip
def test_what_get_refuses(wrong, error, match):
    with pytest.raises(error, match=match):
        activations.get(wrong)
