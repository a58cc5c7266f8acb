"""Functional and subclassed models: graphs of every kind, layers and names, shapes, errors."""

import gc
import warnings
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import layers, models, ops
from autograd_nn.errors import (
    ArgumentTypeError,
    GraphError,
    InvalidArgument,
    NotBuiltError,
    ShapeError,
    UnknownName,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4)).astype("float32")


def mlp(**kwargs):
    x = layers.Input((4,), name="x")
    y = layers.Dense(3, activation="tanh", name="hidden")(x)
    return models.Model(x, layers.Dense(2, name="head")(y), **kwargs)


def by_hand(model, x):
    hidden, head = model.get_layer("hidden"), model.get_layer("head")
    return np.tanh(x @ hidden.kernel.numpy() + hidden.bias.numpy()) @ head.kernel.numpy() + head.bias.numpy()


# --- the same in all ways of running


def test_value_eagerly_traced_and_as_a_part_of_another_model():
    model = mlp()
    expected = by_hand(model, X)
    outer_in = layers.Input((4,))
    outer = models.Model(outer_in, model(outer_in))
    for call in (model, ag.jit(model), ag.jit(model, batched=True), outer, ag.jit(outer, batched=True)):
        assert np.allclose(call(X).numpy(), expected, atol=1e-6)
        assert np.allclose(call(X[:2]).numpy(), expected[:2], atol=1e-6)


def test_one_trace_serves_every_batch_size_and_holds_primitive_operations():
    model = mlp(name="net")
    program = ag.jit(model, batched=True)
    for size in (1, 2, 5):
        program(X[:size])
    assert program.traces == 1
    assert all(t.op.family != "layer" for t in program.graph.operations)
    assert ("net", "hidden") in {t.scope.names for t in program.graph.operations if t.scope}


def test_gradients_flow_to_all_weights_and_to_the_input():
    model = mlp()
    x = ag.tensor(X, requires_grad=True)
    ops.sum(ops.square(model(x))).backward()
    assert all(w.grad is not None and w.grad.shape == w.shape for w in model.weights)


def test_gradients_are_those_of_central_differences():
    x = layers.Input((4,), dtype="float64")
    y = layers.Dense(3, activation="tanh", dtype="float64")(x)
    model = models.Model(x, layers.Dense(2, dtype="float64")(y) * y[:, :2])
    weights = [w.numpy() for w in model.weights]
    assert ag.gradcheck(lambda w, x: model.stateless_call(w, [], x)[0], (weights, X.astype("float64")), order=2)


# --- graphs


def test_several_inputs_and_outputs_shared_layers_and_operators():
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    shared = layers.Dense(3, name="shared")
    left, right = shared(a), shared(b)
    total = left * 2 + ops.relu(right) - 1.0
    model = models.Model([a, b], [total, layers.Dense(1, name="head")(left)])
    first, second = model([X, X + 1])
    expected = 2 * (X @ shared.kernel.numpy()) + np.maximum((X + 1) @ shared.kernel.numpy(), 0) - 1
    assert np.allclose(first.numpy(), expected, atol=1e-5)
    assert second.shape == (5, 1)
    assert len(model.weights) == 4
    assert model.input_names == ["a", "b"] and model.output_names == ["subtract", "head"]
    assert model.input_shape == [(None, 4), (None, 4)] and model.output_shape == [(None, 3), (None, 1)]


def test_dicts_as_inputs_and_outputs():
    ins = {"b": layers.Input((4,), name="b"), "a": layers.Input((2,), name="a")}
    model = models.Model(ins, {"sum": layers.Dense(1)(ins["a"]) + layers.Dense(1)(ins["b"]), "a": ins["a"] * 1.0})
    data = {"a": np.ones((3, 2)), "b": np.ones((3, 4))}
    assert model(data)["sum"].shape == (3, 1)
    assert np.array_equal(model(data)["a"].numpy(), np.ones((3, 2)))
    assert model.output_names == ["sum", "a"] and model.input_shape == {"b": (None, 4), "a": (None, 2)}
    with pytest.raises(ShapeError, match=r"expects inputs \['a', 'b'\], got \['a', 'c'\]"):
        model({"a": data["a"], "c": data["b"]})


def test_a_dict_by_names_feeds_a_list_of_inputs():
    a, b = layers.Input((4,), name="first"), layers.Input((2,), name="second")
    model = models.Model([a, b], layers.concatenate([a, b]))
    assert model({"second": np.ones((3, 2)), "first": np.zeros((3, 4))}).shape == (3, 6)
    with pytest.raises(ShapeError, match="input 'second' is missing.*is it 'secnd'"):
        model({"secnd": np.ones((3, 2)), "first": np.zeros((3, 4))})


def test_nested_structures():
    a, b, c = (layers.Input((2,), name=name) for name in "abc")
    model = models.Model([a, {"p": b, "q": [c]}], (a + b, [c]))
    ones = np.ones((3, 2))
    outputs = model([ones, {"q": [3 * ones], "p": ones}])
    assert outputs[0].tolist() == (2 * ones).tolist() and outputs[1][0].tolist() == (3 * ones).tolist()


def test_a_model_between_tensors_in_the_middle():
    model = mlp()
    features = models.Model(model.inputs, model.get_layer("hidden").output)
    head = models.Model(model.get_layer("hidden").output, model.outputs)
    assert np.allclose(head(features(X)).numpy(), model(X).numpy(), atol=1e-6)
    assert features.get_layer("hidden") is model.get_layer("hidden")
    assert isinstance(head.layers[0], layers.InputLayer)


def test_an_input_may_be_an_output():
    x = layers.Input((4,))
    model = models.Model(x, [x, x])
    assert np.array_equal(model(X)[1].numpy(), X)


def test_a_model_used_twice_shares_its_weights():
    model = mlp()
    x, y = layers.Input((4,)), layers.Input((4,))
    twin = models.Model([x, y], layers.subtract([model(x), model(y)]))
    assert len(twin.weights) == 4
    assert np.allclose(twin([X, X]).numpy(), 0)


def test_models_three_deep():
    inner = mlp(name="inner")
    a = layers.Input((4,))
    middle = models.Sequential([layers.Input((4,)), layers.Dense(4, name="m"), inner], name="middle")
    outer = models.Model(a, middle(a) + inner(a))
    assert len(outer.weights) == 6
    assert np.allclose(outer(X).numpy(), middle(X).numpy() + inner(X).numpy(), atol=1e-5)


def test_unknown_sizes_beside_the_batch():
    x = layers.Input((None, 4))
    model = models.Model(x, layers.Dense(2)(layers.Dense(3)(x)))
    assert model.output_shape == (None, None, 2)
    assert model(np.ones((2, 7, 4))).shape == (2, 7, 2) and model(np.ones((1, 3, 4))).shape == (1, 3, 2)


def test_a_fixed_batch_size():
    x = layers.Input((4,), batch_size=5)
    model = models.Model(x, layers.Dense(1)(x))
    assert model.output_shape == (5, 1)
    with pytest.raises(ShapeError, match=r"shape \(5, 4\), got \(2, 4\)"):
        model(X[:2])


def test_training_reaches_the_layers_and_a_call_may_overrule():
    x = layers.Input((50,))
    model = models.Model(x, [layers.Dropout(0.5)(x), layers.Dropout(0.5)(x, training=True)])
    ones = np.ones((2, 50))
    plain, always = model(ones)
    assert np.array_equal(plain.numpy(), ones) and (always.numpy() == 0).any()
    assert (model(ones, training=True)[0].numpy() == 0).any()


def test_losses_of_layers_are_those_of_the_model():
    x = layers.Input((4,))
    model = models.Model(x, layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")(x))
    assert len(model.losses) == 1
    model(X)
    model(X)
    assert len(model.losses) == 2


@st.composite
def graphs(draw):
    """A random graph of layers: its recipe, as pairs of a kind and the places that it reads."""
    steps = []
    for k in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["dense", "shared", "add", "times", "relu", "concat"]))
        reads = [draw(st.integers(0, k + 1)), draw(st.integers(0, k + 1))]
        steps.append((kind, reads))
    return steps


@given(graphs())
def test_random_graphs_are_the_same_by_replay_trace_and_config(steps):
    a, b = layers.Input((4,)), layers.Input((4,))
    shared = layers.Dense(4, name="shared")
    made = {
        "dense": lambda p, q: layers.Dense(4, activation="tanh")(p), "shared": lambda p, q: shared(p),
        "add": lambda p, q: layers.add([p, q]), "times": lambda p, q: p * 0.5 - q, "relu": lambda p, q: ops.relu(p),
        "concat": lambda p, q: layers.Dense(4)(layers.concatenate([p, q])),
    }  # fmt: skip
    tensors = [a, b]
    for kind, reads in steps:
        tensors.append(made[kind](*[tensors[r] for r in reads]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = models.Model([a, b], tensors[-2:])
        again = models.Model.from_config(model.get_config())
        clone = models.clone_model(model)
    again.set_weights(model.get_weights())
    clone.set_weights(model.get_weights())
    expected = [t.numpy() for t in model([X, X + 1])]
    for other in (ag.jit(model, batched=True), again, clone):
        for found, y in zip(other([X, X + 1]), expected):
            assert np.allclose(found.numpy(), y, atol=1e-5)


# --- subclasses


class Net(models.Model):
    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.hidden = layers.Dense(width, activation="tanh")
        self.stack = [layers.Dense(2), layers.Dropout(0.5)]

    def call(self, x, training=False):
        return self.stack[1](self.stack[0](self.hidden(x)), training=training)


def test_a_subclass_builds_as_it_is_called():
    net = Net()
    assert net.layers == [net.hidden, *net.stack] and not net.built
    y = net(X)
    assert net.built and net.count_params() == 23 and np.array_equal(net(X).numpy(), y.numpy())
    assert not np.array_equal(net(X, training=True).numpy(), y.numpy())
    assert net.graph is None and net.inputs is None and net.output_names == []


def test_a_subclass_builds_from_a_shape():
    net = Net()
    net.build((None, 4))
    assert net.count_params() == 23
    assert net.compute_output_shape((7, 4)) == (7, 2)
    assert net.losses == []


def test_a_build_that_fails_leaves_the_model_unbuilt():
    net = Net()
    with pytest.raises(ShapeError):
        net.build((4,))
    assert not net.built
    net.build((None, 4))
    assert net.built


def test_a_subclass_with_its_own_build():
    class Own(models.Model):
        def build(self, input_shape):
            self.w = self.add_weight((input_shape[-1], 2), name="w")
            super().build(input_shape)

        def call(self, x):
            return x @ self.w

    assert Own()(X).shape == (5, 2)
    own = Own()
    own.build((None, 4))
    assert own.count_params() == 8


def test_a_subclass_inside_a_functional_model():
    net = Net()
    x = layers.Input((4,))
    model = models.Model(x, net(x))
    assert np.allclose(model(X).numpy(), net(X).numpy(), atol=1e-6) and model.layers[1] is net


def test_a_subclass_may_be_functional():
    class Fixed(models.Model):
        def __init__(self):
            x = layers.Input((4,))
            super().__init__(inputs=x, outputs=layers.Dense(2)(x))
            self.scale = 2.0

        def call(self, inputs, training=None):
            return super().call(inputs) * self.scale

    model = Fixed()
    assert model.output_shape == (None, 2) and model(X).shape == (5, 2) and len(model.weights) == 2


def test_config_of_a_subclass_holds_its_arguments():
    config = Net(width=7, name="n").get_config()
    assert config["width"] == 7 and config["name"] == "n" and "inputs" not in config
    assert Net.from_config(config).hidden.units == 7


def test_a_model_without_call():
    with pytest.raises(NotImplementedError, match="must define call"):
        models.Model()(X)


# --- layers, names, shapes


def test_get_layer():
    model = mlp(name="net")
    assert model.get_layer(index=1) is model.get_layer("hidden") and model.get_layer(index=-1).name == "head"
    with pytest.raises(UnknownName, match="'net' has no layer 'hiden'; did you mean 'hidden'"):
        model.get_layer("hiden")
    with pytest.raises(UnknownName, match="its layers: x, hidden, head"):
        model.get_layer("something")
    with pytest.raises(InvalidArgument, match="3 layers, got index 3"):
        model.get_layer(index=3)
    with pytest.raises(InvalidArgument, match="either name or index"):
        model.get_layer()


def test_repeated_output_names_are_told_apart():
    a, b = layers.Input((4,)), layers.Input((4,))
    shared = layers.Dense(1, name="out")
    assert models.Model([a, b], [shared(a), shared(b)]).output_names == ["out", "out_1"]


def test_last_layers_for_error_hints():
    model = mlp()
    assert model._output_layers() == [model.get_layer("head")]
    x = layers.Input((4,))
    assert models.Model(x, model(x))._output_layers() == [model.get_layer("head")]
    assert models.Model(x, model(x) * 2)._output_layers() == []


def test_freezing_a_model():
    model = mlp()
    model.trainable = False
    assert model.trainable_weights == [] and not model.get_layer("hidden").trainable
    model.get_layer("head").trainable = True
    model.trainable = True
    assert len(model.trainable_weights) == 4


def test_a_picture_and_a_summary():
    model = mlp(name="net")
    assert model._repr_svg_().lstrip().startswith("<")
    lines = []
    model.summary(print_fn=lines.append)
    assert "hidden (Dense)" in lines[0] and "23" in lines[0]
    assert Net()._repr_svg_() is None
    with pytest.raises(NotBuiltError):
        Net().summary()


def test_misspelt_methods():
    with pytest.raises(AttributeError, match="did you mean 'compile'"):
        mlp().complie(loss="mse")
    with pytest.raises(AttributeError, match="did you mean 'summary'"):
        mlp().sumary()


def test_a_model_that_is_dropped_is_freed():
    model = mlp()
    model(X)
    ag.jit(model)(X)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


# --- errors


def test_two_layers_of_one_name():
    x = layers.Input((4,))
    y = layers.Dense(2, name="twin")(layers.Dense(3, name="twin")(x))
    with pytest.raises(
        InvalidArgument, match=r"two layers are named 'twin': Dense made at test_model.py:\d+ and Dense made"
    ):
        models.Model(x, y)


def test_an_output_that_needs_another_input():
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    y = layers.Dense(2)(layers.add([a, b]))
    with pytest.raises(
        GraphError, match=r"the outputs need 'b' \(None, 4\) from test_model.py:\d+, which is not among"
    ):
        models.Model(a, y)


def test_tensors_of_two_models_do_not_mix():
    first, second = mlp(), mlp()
    with pytest.raises(GraphError, match="not among the inputs"):
        models.Model(first.inputs, second.outputs)


def test_an_unused_input_warns():
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    with pytest.warns(UserWarning, match=r"no output uses input 'b' \(None, 4\)"):
        model = models.Model([a, b], layers.Dense(1)(a))
    assert model([X, X]).shape == (5, 1) and [layer.name for layer in model.layers][0] == "b"


@pytest.mark.parametrize(
    "make, error, match",
    [
        (lambda: models.Model(inputs=layers.Input((3,))), InvalidArgument, "both inputs and outputs"),
        (lambda: models.Model(np.ones(3), np.ones(3)), ArgumentTypeError, r"inputs must be made from Input"),
        (lambda: models.Model(layers.Input((3,)), layers.Dense(3)), ArgumentTypeError, "got layer.*use its .output"),
        (lambda: models.Model([], layers.Input((3,))), InvalidArgument, "inputs is empty"),
        (lambda: models.Model(layers.Input((3,)), "x"), ArgumentTypeError, "outputs must be made from Input"),
        (lambda: models.Model(inputz=layers.Input((3,))), ArgumentTypeError, "did you mean 'inputs'"),
    ],
)
def test_what_makes_no_model(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_the_same_input_twice():
    x = layers.Input((3,))
    with pytest.raises(InvalidArgument, match="given twice"):
        models.Model([x, x], x + 1)


@pytest.mark.parametrize(
    "data, match",
    [
        (np.ones(4), r"input 'x' of shape \(None, 4\), got \(4,\); for one sample pass x\[None\]"),
        (np.ones((2, 3)), r"input 'x' of shape \(None, 4\), got \(2, 3\)"),
        (np.ones((2, 2, 4)), r"got \(2, 2, 4\)"),
        ([X, X], "has 1 inputs"),
    ],
)
def test_data_that_does_not_fit(data, match):
    with pytest.raises(ShapeError, match=match):
        mlp()(data)


def test_a_last_axis_of_size_one_may_be_missing_or_too_many():
    x, y = layers.Input((1,)), layers.Input((4,))
    assert models.Model(x, layers.Dense(2)(x))(np.ones(5)).shape == (5, 2)
    assert models.Model(y, layers.Dense(2)(y))(X[..., None]).shape == (5, 2)


def test_data_is_cast_to_the_dtype_of_its_input():
    x, y = layers.Input((4,), dtype="float64"), layers.Input((4,), dtype="int32")
    model = models.Model([x, y], [x * 1.0, y + 1])
    found = model([X, X])
    assert found[0].dtype == np.float64 and found[1].dtype == np.int32
