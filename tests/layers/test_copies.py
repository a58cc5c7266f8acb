"""copy.deepcopy of layers and models: the same results, and nothing shared that changes."""

import copy

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers

X = np.linspace(-1, 1, 24).reshape(4, 6).astype("float32")
SERIES = X.reshape(4, 3, 2)


class Own(ag.Model):
    """A subclass with layers in a list, and one shared by name."""

    def __init__(self):
        super().__init__()
        self.parts = [layers.Dense(3), layers.BatchNormalization()]
        self.last = self.parts[0]

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


def sequential():
    return ag.Sequential(
        [layers.Input((6,)), layers.Dense(3), layers.Dropout(0.5, seed=1), layers.BatchNormalization()]
    )


def shared():
    a = layers.Input((6,))
    dense = layers.Dense(6, activation="tanh")
    return ag.Model(a, [dense(dense(a) * 2 + a), layers.LayerNormalization()(a)])


def deep():
    x = a = layers.Input((6,))
    for _ in range(400):
        x = layers.Activation("tanh")(x) + 0.01
    return ag.Model(a, layers.Dense(2)(x))


def recurrent():
    return ag.Sequential([layers.Input((3, 2)), layers.Bidirectional(layers.GRU(2)), layers.Dense(1)])


def nested():
    a = layers.Input((6,))
    return ag.Model(a, layers.Dense(2)(sequential()(a)))


def own():
    model = Own()
    model(X)
    return model


MODELS = {f.__name__: f for f in (sequential, shared, deep, recurrent, nested, own)}


def outputs(model, x):
    found = model.predict(x, verbose=0)
    return found if isinstance(found, list) else [found]


def values(model):
    return [v.numpy().copy() for v in model.variables]


@pytest.mark.parametrize("name", MODELS)
def test_a_copy_of_a_model_is_equal_and_apart(name):
    model, x = MODELS[name](), SERIES if name == "recurrent" else X
    twin = copy.deepcopy(model)
    assert twin.name == model.name and [w.path for w in twin.weights] == [w.path for w in model.weights]
    assert all(map(np.array_equal, outputs(twin, x), outputs(model, x)))
    assert not {id(v) for v in twin.variables} & {id(v) for v in model.variables}
    assert not {id(p) for p in twin._flatten_layers()} & {id(p) for p in model._flatten_layers()}
    before = outputs(model, x)
    for w in twin.weights:
        w.assign(w + 1)
    assert all(map(np.array_equal, outputs(model, x), before))
    assert not all(map(np.array_equal, outputs(twin, x), before))


@pytest.mark.parametrize("name", ["sequential", "nested", "own"])
def test_a_copy_of_a_compiled_model_trains_on_its_own(name):
    model = MODELS[name]()
    y = np.ones((4, model.compute_output_shape((4, 6))[-1]), "float32")
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    model.fit(X, y, epochs=2, verbose=0)
    twin = copy.deepcopy(model)
    start = values(model)
    first = twin.fit(X, y, epochs=3, shuffle=False, verbose=0).history
    assert all(map(np.array_equal, values(model), start))
    assert int(twin.optimizer.iterations) == 5 and int(model.optimizer.iterations) == 2
    assert model.fit(X, y, epochs=3, shuffle=False, verbose=0).history == first
    assert all(map(np.array_equal, values(model), values(twin)))


def test_a_copy_of_a_layer_keeps_what_it_was():
    layer = layers.Dense(2, kernel_regularizer="l2", kernel_constraint="non_neg", activity_regularizer="l1")
    layer(ag.tensor(X, requires_grad=True)).sum().backward()
    layer.trainable = False
    twin = copy.deepcopy(layer)
    assert twin.get_config() == layer.get_config() and twin.losses == [] and not twin.trainable_weights
    assert all(w.regularizer is twin.kernel_regularizer for w in twin.weights[:1])
    assert twin.kernel.grad is None and twin.kernel.constraint is twin.kernel_constraint
    fresh = copy.deepcopy(layers.Dense(3))
    assert fresh(X).shape == (4, 3)


def test_inputs_and_outputs_of_copied_layers_are_those_of_the_copied_graph():
    model = shared()
    twin = copy.deepcopy(model)
    assert twin.layers[0].output is twin.inputs[0] and twin.layers[0].output is not model.layers[0].output
    part = ag.Model(twin.layers[1].input, twin.layers[1].output)
    assert np.array_equal(part(X), model.layers[1](X))


def test_random_layers_go_on_from_where_they_were():
    layer = layers.Dropout(0.5, seed=3)
    layer(X, training=True)
    twin = copy.deepcopy(layer)
    assert np.array_equal(layer(X, training=True), twin(X, training=True))
