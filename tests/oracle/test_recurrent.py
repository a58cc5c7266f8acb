"""Recurrent layers, wrappers and Embedding against Keras: outputs, gradients, signatures, a training."""

import inspect

import keras
import numpy as np
import pytest
import torch

import autograd_nn as ag
from autograd_nn import layers, models

RNG = np.random.default_rng(0)
# Keras' torch backend computes matrix products in float32 whatever the dtype of their inputs is.
ROUNDED = 2e-5
MASK = np.array([[True, True, False, True, False], [False, True, True, False, False], [True] * 5])

LOOPS = {
    "last": {},
    "whole": {"return_sequences": True},
    "states": {"return_state": True},
    "all_backwards": {"return_sequences": True, "return_state": True, "go_backwards": True},
    "unrolled": {"unroll": True, "return_sequences": True},
    "zero_output": {"zero_output_for_mask": True, "return_sequences": True},
    "zero_last": {"zero_output_for_mask": True},
}
KINDS = {
    "SimpleRNN": [{}, {"activation": "relu", "use_bias": False}],
    "LSTM": [{}, {"activation": "softsign", "recurrent_activation": "hard_sigmoid", "use_bias": False}],
    "GRU": [{}, {"reset_after": False}, {"use_bias": False, "recurrent_activation": "tanh"}],
}
CASES = [(kind, {**cell, **LOOPS[loop]}) for kind, cells in KINDS.items() for cell in cells for loop in LOOPS]


@pytest.fixture(autouse=True)
def both_float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    ag.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    ag.config.set_floatx("float32")


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=ROUNDED, atol=ROUNDED)


def flat(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def compare(ours, theirs, x, **settings):
    """Equal outputs, and equal gradients by inputs and weights, for the same weights."""
    ours(x), theirs(x)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    ours.set_weights([RNG.normal(size=w.shape) * 0.5 for w in ours.weights])
    theirs.set_weights(ours.get_weights())
    mine, twin = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    given = {key: [torch.tensor(v) for v in value] if isinstance(value, list) else torch.tensor(value)
             for key, value in settings.items()}  # fmt: skip
    ys, zs = flat(ours(mine, **settings)), flat(theirs(twin, **given))
    assert len(ys) == len(zs)
    total, other = 0.0, 0.0
    for y, z in zip(ys, zs):
        close(y.numpy(), z.detach().numpy())
        cotangent = RNG.normal(size=y.shape)
        total, other = total + (y * cotangent).sum(), other + (z * torch.tensor(cotangent)).sum()
    total.backward()
    other.backward()
    close(mine.grad.numpy(), twin.grad.numpy())
    for w, v in zip(ours.trainable_weights, theirs.trainable_weights):
        close(w.grad.numpy(), v.value.grad.numpy())


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("kind", "settings"), CASES)
def test_recurrent_layer(kind, settings, masked):
    ours, theirs = getattr(layers, kind)(4, **settings), getattr(keras.layers, kind)(4, **settings)
    compare(ours, theirs, RNG.normal(size=(3, 5, 2)), **({"mask": MASK} if masked else {}))


@pytest.mark.parametrize(("kind", "count"), [("SimpleRNN", 1), ("LSTM", 2), ("GRU", 1)])
def test_initial_state(kind, count):
    states = [RNG.normal(size=(3, 4)) for _ in range(count)]
    ours, theirs = (getattr(room, kind)(4, return_state=True) for room in (layers, keras.layers))
    compare(ours, theirs, RNG.normal(size=(3, 5, 2)), initial_state=states)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("merge", ["concat", "sum", "ave", "mul", None])
@pytest.mark.parametrize("loop", ["last", "whole"])
def test_bidirectional(merge, loop, masked):
    made = [room.Bidirectional(room.LSTM(3, **LOOPS[loop]), merge_mode=merge) for room in (layers, keras.layers)]
    compare(*made, RNG.normal(size=(3, 5, 2)), **({"mask": MASK} if masked else {}))


@pytest.mark.parametrize("masked", [False, True])
def test_stacked_cells(masked):
    made = [
        room.RNN([room.LSTMCell(3), room.GRUCell(2), room.SimpleRNNCell(4)], return_sequences=True)
        for room in (layers, keras.layers)
    ]
    compare(*made, RNG.normal(size=(3, 5, 2)), **({"mask": MASK} if masked else {}))


def test_time_distributed():
    made = [room.TimeDistributed(room.Dense(4, activation="tanh")) for room in (layers, keras.layers)]
    compare(*made, RNG.normal(size=(3, 5, 2)))


def test_embedding():
    ours, theirs = layers.Embedding(7, 3, mask_zero=True), keras.layers.Embedding(7, 3, mask_zero=True)
    ids = RNG.integers(0, 7, (4, 5))
    ours(ids), theirs(ids)
    theirs.set_weights(ours.get_weights())
    y, z = ours(ids), theirs(ids)
    close(y.numpy(), z.detach().numpy())
    cotangent = RNG.normal(size=y.shape)
    (y * cotangent).sum().backward()
    (z * torch.tensor(cotangent)).sum().backward()
    close(ours.embeddings.grad.numpy(), theirs.embeddings.value.grad.numpy())
    np.testing.assert_array_equal(ours.compute_mask(ids), theirs.compute_mask(torch.tensor(ids)))


def test_stateful():
    made = [room.LSTM(3, stateful=True) for room in (layers, keras.layers)]
    x = RNG.normal(size=(3, 5, 2))
    made[0](x), made[1](x)
    made[1].set_weights(made[0].get_weights())
    for layer in made:
        layer.reset_state()
    for _ in range(3):
        close(made[0](x).numpy(), made[1](x).detach().numpy())


NAMES = [
    "RNN", "SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells", "Bidirectional",
    "TimeDistributed", "Embedding", "Wrapper",
]  # fmt: skip
ONLY_THEIRS = {"quantization_config"}


@pytest.mark.parametrize("name", NAMES)
def test_signature(name):
    found, expected = (inspect.signature(getattr(room, name).__init__).parameters for room in (layers, keras.layers))
    theirs = [(p.name, p.default) for p in expected.values() if p.name not in ONLY_THEIRS]
    assert [(p.name, p.default) for p in found.values()] == theirs


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell"])
def test_config(name):
    found, expected = (getattr(room, name)(3, dropout=0.2, name="x").get_config() for room in (layers, keras.layers))
    assert set(found) >= set(expected) - {"activity_regularizer"}
    plain = {key for key, value in expected.items() if isinstance(value, (int, float, str, bool))} - {"dtype"}
    assert {key: found[key] for key in plain} == {key: expected[key] for key in plain}


def classifier(room, make):
    return make([
        room.Input((9,)), room.Embedding(11, 4, mask_zero=True), room.LSTM(5, return_sequences=True),
        room.Bidirectional(room.GRU(3)), room.Dense(3, activation="softmax"),
    ])  # fmt: skip


def test_twenty_training_steps_of_a_classifier():
    ours, theirs = classifier(layers, models.Sequential), classifier(keras.layers, keras.Sequential)
    theirs.set_weights(ours.get_weights())
    x, y = RNG.integers(0, 11, (80, 9)), RNG.integers(0, 3, 80)
    x[:, 6:] *= RNG.integers(0, 2, (80, 1))
    losses = []
    for model in (ours, theirs):
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        losses.append(model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    for w, v in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(w, v, rtol=1e-3, atol=1e-5)
