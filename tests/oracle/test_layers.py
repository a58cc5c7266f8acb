"""Layers, activations, initializers, regularizers, constraints and whole graphs of layers against Keras."""

import json

import keras
import numpy as np
import pytest
import torch

import autograd_nn as ag
from autograd_nn import activations, constraints, initializers, layers, ops, regularizers

RNG = np.random.default_rng(0)
RTOL = 1e-12
# Keras' torch backend computes matrix products and some quotients in float32 whatever the dtype of their inputs is.
ROUNDED = 3e-6


@pytest.fixture(autouse=True)
def both_float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    ag.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    ag.config.set_floatx("float32")


def reals(*shape):
    return RNG.normal(size=shape)


def close(found, expected, rtol=RTOL):
    assert found.shape == expected.shape
    assert found.dtype == np.float64
    rtol = rtol if expected.dtype == np.float64 else ROUNDED
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


def of_torch(t):
    return t.detach().numpy()


LAYERS = {
    "dense": ("Dense", {"units": 3, "activation": "tanh"}, [(5, 4)]),
    "dense_3d": ("Dense", {"units": 3}, [(5, 2, 4)]),
    "dense_plain": ("Dense", {"units": 3, "use_bias": False}, [(5, 4)]),
    "activation": ("Activation", {"activation": "softplus"}, [(5, 4)]),
    "softmax": ("Softmax", {"axis": 1}, [(5, 3, 4)]),
    "relu": ("ReLU", {}, [(5, 4)]),
    "relu_full": ("ReLU", {"max_value": 0.9, "negative_slope": 0.2, "threshold": 0.1}, [(5, 4)]),
    "relu_threshold": ("ReLU", {"threshold": 0.5}, [(5, 4)]),
    "leaky_relu": ("LeakyReLU", {}, [(5, 4)]),
    "elu": ("ELU", {"alpha": 0.5}, [(5, 4)]),
    "flatten": ("Flatten", {}, [(5, 2, 3)]),
    "flatten_first": ("Flatten", {"data_format": "channels_first"}, [(5, 2, 3, 4)]),
    "flatten_vector": ("Flatten", {}, [(5,)]),
    "reshape": ("Reshape", {"target_shape": (-1, 2)}, [(5, 3, 4)]),
    "permute": ("Permute", {"dims": (2, 1)}, [(5, 3, 4)]),
    "repeat": ("RepeatVector", {"n": 3}, [(5, 4)]),
    "masking": ("Masking", {"mask_value": 0.0}, [(5, 3, 2)]),
    "identity": ("Identity", {}, [(5, 3)]),
    "add": ("Add", {}, [(5, 4), (5, 4), (5, 4)]),
    "add_broadcast": ("Add", {}, [(5, 3, 4), (5, 4)]),
    "subtract": ("Subtract", {}, [(5, 4), (5, 1)]),
    "multiply": ("Multiply", {}, [(5, 4), (5, 4)]),
    "average": ("Average", {}, [(5, 4), (5, 4)]),
    "maximum": ("Maximum", {}, [(5, 4), (5, 4)]),
    "minimum": ("Minimum", {}, [(5, 4), (5, 4)]),
    "concatenate": ("Concatenate", {"axis": 1}, [(5, 1, 4), (5, 2, 4)]),
    "dot": ("Dot", {"axes": 1}, [(5, 4), (5, 4)]),
    "dot_cosine": ("Dot", {"axes": (2, 1), "normalize": True}, [(5, 2, 4), (5, 4, 3)]),
    "dot_unequal": ("Dot", {"axes": (1, 2)}, [(5, 4), (5, 3, 4)]),
}  # fmt: skip


def pair_of(name, settings, data):
    """The same layer twice, built, with the same weights."""
    ours, theirs = getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)
    given = data[0] if len(data) == 1 else list(data)
    ours(given), theirs(given)
    ours.set_weights([reals(*w.shape) for w in ours.weights])
    theirs.set_weights(ours.get_weights())
    return ours, theirs


@pytest.mark.parametrize("case", LAYERS)
def test_layer(case):
    name, settings, shapes = LAYERS[case]
    data = [reals(*shape) for shape in shapes]
    ours, theirs = pair_of(name, settings, data)
    inputs = [ag.tensor(x, requires_grad=True) for x in data]
    twins = [torch.tensor(x, requires_grad=True) for x in data]
    y, z = (f(x[0] if len(x) == 1 else x) for f, x in ((ours, inputs), (theirs, twins)))
    rtol = ROUNDED if name == "Dense" or z.dtype == torch.float32 else RTOL
    close(y.numpy(), of_torch(z), rtol)
    cotangent = reals(*y.shape)
    (y * cotangent).sum().backward()
    (z * torch.tensor(cotangent)).sum().backward()
    for x, twin in zip(inputs, twins):
        close(x.grad.numpy(), twin.grad.numpy(), rtol)
    for w, v in zip(ours.trainable_weights, theirs.trainable_weights):
        close(w.grad.numpy(), v.value.grad.numpy(), rtol)


@pytest.mark.parametrize("case", LAYERS)
def test_shape_rule_and_config(case):
    name, settings, shapes = LAYERS[case]
    ours, theirs = getattr(layers, name)(**settings, name="x"), getattr(keras.layers, name)(**settings, name="x")
    for batch in (5, None):
        given = [(batch, *shape[1:]) for shape in shapes]
        given = given[0] if len(given) == 1 else given
        assert tuple(ours.compute_output_shape(given)) == tuple(theirs.compute_output_shape(given))
    found, expected = ours.get_config(), theirs.get_config()
    known = {key: value for key, value in expected.items() if isinstance(value, (int, float, str, bool, tuple, list))}
    ignored = {"dtype", "quantization_config"}
    assert {key: _plain(found[key]) for key in known.keys() - ignored} == {
        key: _plain(known[key]) for key in known.keys() - ignored
    }


def _plain(value):
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        return value["config"]
    return list(value) if isinstance(value, tuple) else value


def test_dense_names_its_initializers_as_keras_does():
    found = layers.Dense(2, kernel_regularizer="l2").get_config()
    expected = keras.layers.Dense(2, kernel_regularizer="l2").get_config()
    for key in ("kernel_initializer", "bias_initializer", "kernel_regularizer"):
        assert found[key]["class_name"] == expected[key]["class_name"]
        shared = {name: expected[key]["config"][name] for name in found[key]["config"]}
        assert found[key]["config"] == pytest.approx(shared)


# The sparsemax of Keras sums to more than 1 where several numbers are close.
ACTIVATIONS = [name for name in activations.KNOWN if hasattr(keras.activations, name) and name != "sparsemax"]
GRID = np.linspace(-7, 7, 40).reshape(4, 10)


def test_activations_of_the_chapter_are_there():
    must = "relu sigmoid tanh softmax linear elu selu softplus softsign exponential hard_sigmoid leaky_relu gelu silu"
    assert {*must.split(), "swish", "log_softmax"} <= {*ACTIVATIONS, "swish"}


def _tolerance(name):
    """Keras has the constants of these in float32."""
    return ROUNDED if name in ("selu", "hard_sigmoid", "hard_silu", "hard_swish") else RTOL


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name):
    x, twin = ag.tensor(GRID, requires_grad=True), torch.tensor(GRID, requires_grad=True)
    y, z = getattr(activations, name)(x), getattr(keras.activations, name)(twin)
    close(y.numpy(), of_torch(z), _tolerance(name))
    cotangent = reals(*y.shape)
    (y * cotangent).sum().backward()
    (z * torch.tensor(cotangent)).sum().backward()
    close(x.grad.numpy(), twin.grad.numpy(), _tolerance(name))


REGULARIZERS = [
    ("L1", {"l1": 0.3}), ("L2", {"l2": 0.3}), ("L1L2", {"l1": 0.1, "l2": 0.2}), ("L1L2", {}),
    ("OrthogonalRegularizer", {"factor": 0.3}), ("OrthogonalRegularizer", {"mode": "columns"}),
]  # fmt: skip


@pytest.mark.parametrize("name, settings", REGULARIZERS)
def test_regularizer(name, settings):
    w = reals(4, 3)
    found = getattr(regularizers, name)(**settings)(ag.tensor(w))
    expected = getattr(keras.regularizers, name)(**settings)(torch.tensor(w))
    np.testing.assert_allclose(found.numpy(), np.asarray(expected), rtol=ROUNDED)


CONSTRAINTS = [
    ("MaxNorm", {"max_value": 1.0}), ("NonNeg", {}), ("UnitNorm", {"axis": 1}), ("UnitNorm", {"axis": [0, 1]}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.3}),
]  # fmt: skip


@pytest.mark.parametrize("name, settings", CONSTRAINTS)
def test_constraint(name, settings):
    w = reals(4, 3)
    found = getattr(constraints, name)(**settings)(ag.tensor(w))
    expected = getattr(keras.constraints, name)(**settings)(torch.tensor(w))
    close(found.numpy(), of_torch(expected))


@pytest.mark.parametrize("name", sorted({c.__name__ for c in initializers.KNOWN.values()}))
def test_initializer_distribution(name):
    """Mean, deviation and range of many values, as Keras' initializer of the same name."""
    shape = (300, 1, 151) if name == "STFT" else (300, 200)
    seeded = issubclass(getattr(initializers, name), initializers.RandomInitializer)

    def make(room):
        return getattr(room, name)(**({"seed": 1} if seeded else {}))

    found = np.asarray(make(initializers)(shape).numpy())
    expected = of_torch(make(keras.initializers)(shape))
    assert found.shape == expected.shape
    spread = expected.std()
    assert abs(found.mean() - expected.mean()) < 0.02 * spread + 1e-12
    assert abs(found.std() - spread) < 0.02 * spread + 1e-12
    for q in (1, 25, 75, 99):
        assert abs(np.percentile(found, q) - np.percentile(expected, q)) < 0.05 * spread + 1e-12


# --- graphs of layers


def build(k, o):
    """A graph with two inputs, a shared layer, a model inside, operators, and two outputs."""
    a, b = k.Input((4,), name="a"), k.Input((3,), name="b")
    shared = k.layers.Dense(4, activation="tanh", name="shared")
    inner_in = k.Input((4,), name="inner_in")
    inner = k.Model(inner_in, k.layers.Dense(2, name="inner_dense")(inner_in), name="inner")
    left = shared(a)
    right = shared(k.layers.Dense(4, name="lift")(b))
    merged = k.layers.Concatenate(name="merged")([left, right * 2.0 + o.tanh(left)])
    x = k.layers.Dense(4, name="late")(merged)
    deep = k.Sequential([k.layers.Dense(4, name="s1"), k.layers.Dense(4, name="s2")], name="stack")(x)
    return k.Model([a, b], [inner(deep), k.layers.Dense(1, name="head")(right)], name="net")


def both_graphs():
    ours, theirs = build(ag, ops), build(keras, keras.ops)
    ours.set_weights([0.3 * reals(*w.shape) for w in ours.weights])
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def test_graph_has_layers_weights_and_names_in_the_order_of_keras():
    ours, theirs = both_graphs()
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert ours.output_names == list(theirs.output_names)
    assert ours.input_shape == list(theirs.input_shape)
    assert ours.output_shape == list(theirs.output_shape)
    assert ours.count_params() == theirs.count_params()


def test_graph_value_and_gradients():
    ours, theirs = both_graphs()
    data = [reals(5, 4), reals(5, 3)]
    found, expected = ours(data), theirs([torch.tensor(x) for x in data])
    for y, z in zip(found, expected):
        close(y.numpy(), of_torch(z), ROUNDED)
    (found[0].sum() + ops.square(found[1]).sum()).backward()
    (expected[0].sum() + torch.square(expected[1]).sum()).backward()
    for w, v in zip(ours.trainable_weights, theirs.trainable_weights):
        close(w.grad.numpy(), v.value.grad.numpy(), ROUNDED)


def test_json_names_the_same_layers_as_keras():
    ours, theirs = both_graphs()
    found, expected = json.loads(ours.to_json()), json.loads(theirs.to_json())

    def names(config):
        kinds = ("InputLayer", "Dense", "Concatenate", "Sequential", "Functional", "Model")
        return sorted(e["config"]["name"] for e in config["config"]["layers"] if e["class_name"] in kinds)

    assert names(found) == names(expected)


def test_losses_of_a_model():
    def model(k):
        dense = k.layers.Dense(
            3,
            kernel_regularizer=k.regularizers.L2(0.1),
            bias_regularizer="l1",
            activity_regularizer=k.regularizers.L1(0.2),
        )
        return k.Sequential([k.Input((4,)), dense, k.layers.Dense(2, kernel_regularizer="l2")])

    ours, theirs = model(ag), model(keras)
    ours.set_weights([reals(*w.shape) for w in ours.weights])
    theirs.set_weights(ours.get_weights())
    x = reals(5, 4)
    ours(x), theirs(torch.tensor(x))
    found, expected = [float(t) for t in ours.losses], [float(t.detach()) for t in theirs.losses]
    np.testing.assert_allclose(sorted(found), sorted(expected), rtol=ROUNDED)
