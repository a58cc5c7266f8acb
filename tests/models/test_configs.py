"""Models as data: JSON and back, clones, custom classes, broken data."""

import json

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers, models, ops
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, ModelFileError, UnknownName
from autograd_nn.saving import register_keras_serializable

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


@register_keras_serializable(package="tests")
class Scale(layers.Layer):
    def __init__(self, by=2.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def call(self, x):
        return x * self.by


@register_keras_serializable(package="tests")
def squash(x):
    return x / (1 + ops.abs(x))


def make(kind):
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    shared = layers.Dense(4, name="shared", activation=squash)
    if kind == "sequential":
        return models.Sequential([layers.Dense(3, input_shape=(4,)), Scale(3.0), layers.Lambda(squash)])
    if kind == "deferred":
        return models.Sequential([layers.Dense(3), layers.Dense(2)])
    if kind == "shared":
        return models.Model([a, b], shared(layers.add([shared(a), shared(b)])))
    if kind == "operators":
        parts = ops.split(
            ops.concatenate([a, b[:, ::-1], ops.cast(a > 0, "float32") * np.arange(4.0)], axis=1), 3, axis=1
        )
        return models.Model([a, b], {"sum": parts[0] + 2 ** parts[1], "rest": ops.softmax(parts[2], axis=-1) - 1})
    if kind == "nested":
        inner = models.Model(a, [shared(a), a * 2], name="inner")
        outputs = inner(b)
        stack = models.Sequential([layers.Input((4,)), layers.Dense(2)], name="stack")
        return models.Model({"only": b}, (stack(outputs[1]), [outputs[0]]))
    return models.Model(a, layers.Dropout(0.5)(layers.Softmax()(a, mask=ops.cast(a > 0, "bool")), training=False))


KINDS = ["sequential", "shared", "operators", "nested", "arguments"]


def data_for(model):
    return dict.fromkeys(model.input.keys(), X) if isinstance(model.input, dict) else [X] * len(model.inputs)


def values(model):
    return [t.numpy() for t in ag.engine.tree.flatten(model(data_for(model)))[0]]


@pytest.mark.parametrize("kind", KINDS)
def test_json_and_back(kind):
    model = make(kind)
    text = model.to_json(indent=1)
    again = models.model_from_json(text)
    assert again.to_json(indent=1) == text
    again.set_weights(model.get_weights())
    assert all(map(np.array_equal, values(again), values(model)))
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert again.output_names == model.output_names and again.name == model.name


@pytest.mark.parametrize("kind", [*KINDS, "deferred"])
def test_clones_have_new_weights(kind):
    model = make(kind)
    clone = models.clone_model(model)
    if kind == "deferred":
        model(X), clone(X)
    assert not {id(w) for w in model.weights} & {id(w) for w in clone.weights}
    clone.set_weights(model.get_weights())
    assert all(map(np.array_equal, values(clone), values(model)))


def test_a_deferred_model_is_data_too():
    model = make("deferred")
    again = models.model_from_json(model.to_json())
    assert not again.built and again(X).shape == (5, 2)


def test_frozen_layers_stay_frozen():
    model = make("shared")
    model.trainable = False
    assert not models.model_from_json(model.to_json()).trainable
    assert models.clone_model(model).trainable_weights == []


def test_a_clone_with_other_layers_and_inputs():
    model = make("shared")
    seen = []

    def wider(layer):
        seen.append(layer.name)
        return type(layer).from_config({**layer.get_config(), "name": f"new_{layer.name}"})

    inputs = [layers.Input((4,)), layers.Input((4,))]
    clone = models.clone_model(model, input_tensors=inputs, clone_function=wider)
    assert all(t is u for t, u in zip(clone.inputs, inputs))
    assert len(seen) == len(set(seen)) == 2
    assert clone.get_layer("new_shared").activation is squash


def test_a_clone_of_a_subclass_comes_from_its_config():
    @register_keras_serializable(package="tests")
    class Net(models.Model):
        def __init__(self, width=3, **kwargs):
            super().__init__(**kwargs)
            self.dense = layers.Dense(width)

        def call(self, x):
            return self.dense(x)

    clone = models.clone_model(Net(width=7))
    assert clone(X).shape == (5, 7)
    assert models.model_from_json(Net(width=2).to_json())(X).shape == (5, 2)
    with pytest.raises(InvalidArgument, match="no graph of layers"):
        models.clone_model(Net(), clone_function=lambda layer: layer)


def test_what_is_no_model():
    with pytest.raises(ArgumentTypeError, match="expects a model"):
        models.clone_model(layers.Dense(2))
    with pytest.raises(InvalidArgument, match="has 2 inputs, got 1"):
        models.clone_model(make("shared"), input_tensors=[layers.Input((4,))])


@pytest.mark.parametrize("text, match", [("{", "no JSON"), ("[]", "expected the JSON of a model"), ("{}", "expected")])
def test_broken_json(text, match):
    with pytest.raises(ModelFileError, match=match):
        models.model_from_json(text)


def test_classes_that_are_not_registered():
    class Unknown(layers.Layer):
        def call(self, x):
            return x

    text = models.Sequential([layers.Input((4,)), Unknown()]).to_json()
    with pytest.raises(UnknownName, match="'Unknown', which is not registered.*custom_objects={'Unknown': Unknown}"):
        models.model_from_json(text)
    assert models.model_from_json(text, custom_objects={"Unknown": Unknown})(X).shape == (5, 4)


def test_data_never_imports_or_runs_anything():
    config = json.loads(make("sequential").to_json())
    config["config"]["layers"][1] = {"module": "os", "class_name": "system", "config": "true", "registered_name": None}
    with pytest.raises(UnknownName, match="'system', which is not registered"):
        models.model_from_json(json.dumps(config))


def test_a_config_with_a_missing_part():
    config = json.loads(make("shared").to_json())
    config["config"]["layers"] = [e for e in config["config"]["layers"] if e["name"] != "a"]
    with pytest.raises(ModelFileError, match=r"feeds .* from \('a', 0, 0\), which no layer of it makes"):
        models.model_from_json(json.dumps(config))
    config = json.loads(make("shared").to_json())
    config["config"]["output_layers"] = ["shared", 9, 0]
    with pytest.raises(ModelFileError, match="refers to .*which no layer of it makes"):
        models.model_from_json(json.dumps(config))


def test_an_unknown_operation():
    text = make("operators").to_json().replace('"class_name": "concatenate"', '"class_name": "concatenat"')
    with pytest.raises(UnknownName, match="config names op .*did you mean"):
        models.model_from_json(text)


def test_what_cannot_be_written():
    a = layers.Input((4,))
    custom = ag.custom_op(lambda x: x * 2, lambda g, y, x: (g * 2,), name="double_in_tests", infer=lambda x: x)
    with pytest.raises(ArgumentTypeError, match="custom op 'double_in_tests'"):
        models.Model(a, custom(a)).to_json()
    dense = layers.Dense(2)
    with pytest.raises(ArgumentTypeError, match="variable 'dense.*/kernel' is used outside of a layer"):
        y = dense(a)
        models.Model(a, y @ ops.transpose(dense.kernel)).to_json()
    with pytest.raises(ArgumentTypeError, match="register_keras_serializable"):
        models.Sequential([layers.Lambda(lambda x: x)]).to_json()
