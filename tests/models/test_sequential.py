"""Sequential: added and popped, known and deferred shapes, what may not be added."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers, models
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, NotBuiltError, ShapeError

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def test_the_chapter():
    model = models.Sequential()
    model.add(layers.Dense(32, activation="relu", input_shape=(784,)))
    model.add(layers.Dense(10, activation="softmax"))
    assert model.built and model.count_params() == 25_450
    assert model.input_shape == (None, 784) and model.output_shape == (None, 10)
    assert [type(layer) for layer in model.layers] == [layers.Dense, layers.Dense]


@pytest.mark.parametrize(
    "first",
    [
        lambda: [layers.Input((4,)), layers.Dense(3)],
        lambda: [layers.InputLayer((4,)), layers.Dense(3)],
        lambda: [layers.Dense(3, input_shape=(4,))],
        lambda: [layers.Dense(3, input_dim=4)],
        lambda: [layers.Dense(3, batch_input_shape=(None, 4))],
    ],
)
def test_ways_to_give_the_shape(first):
    model = models.Sequential([*first(), layers.Dense(2)])
    assert model.built and model.input_shape == (None, 4) and model(X).shape == (5, 2)
    assert len(model.layers) == 2


def test_a_deferred_model_is_built_by_its_first_call_or_by_a_shape():
    called, built = (models.Sequential([layers.Dense(3), layers.Dense(2)]) for _ in range(2))
    assert not called.built and called.graph is None and called.weights == []
    y = called(X)
    built.build((None, 4))
    assert called.built and called.input_shape == built.input_shape == (None, 4)
    assert y.shape == (5, 2) and np.array_equal(called(X[:2]).numpy(), called(X).numpy()[:2])
    assert called.count_params() == built.count_params() == 23


def test_a_deferred_model_inside_a_program_and_inside_a_model():
    first, second = (models.Sequential([layers.Dense(3), layers.Dense(2)]) for _ in range(2))
    assert ag.jit(lambda x: first(x))(X).shape == (5, 2) and first.input_shape == (None, 4)
    x = layers.Input((4,))
    assert models.Model(x, second(x))(X).shape == (5, 2) and second.count_params() == 23


def test_layers_added_later_and_taken_off():
    model = models.Sequential([layers.Dense(3, input_shape=(4,))])
    model(X)
    model.add(layers.Dense(2, name="top"))
    assert model(X).shape == (5, 2) and model.output_names == ["top"]
    assert model.pop().name == "top" and model(X).shape == (5, 3)
    model.pop()
    assert model.layers == [] and not model.built
    with pytest.raises(InvalidArgument, match="has no layers"):
        model.pop()


def test_predictions_follow_what_is_added_and_taken_off():
    model = models.Sequential([layers.Dense(3, input_shape=(4,))])
    for change, width in ((None, 3), (lambda: model.add(layers.Dense(2)), 2), (model.pop, 3)):
        if change:
            change()
        assert model.predict(X, verbose=0).shape == (5, width)


@pytest.mark.parametrize("place", [3, 0, "top", None])
def test_pop_takes_no_place(place):
    model = models.Sequential([layers.Dense(2, input_shape=(3,)), layers.Dense(1)])
    with pytest.raises(ArgumentTypeError, match=r"pop: rebuild must be True or False, got .* takes off the top layer"):
        model.pop(place)
    assert len(model.layers) == 2
    assert model.pop(rebuild=False).units == 1


def test_sequential_models_nest():
    inner = models.Sequential([layers.Dense(3, name="a"), layers.Dense(2, name="b")], name="inner")
    outer = models.Sequential([layers.Input((4,)), inner, layers.Dense(1)])
    assert outer(X).shape == (5, 1) and outer.layers[0] is inner and len(outer.weights) == 6


def test_a_model_that_is_built_gives_the_shape():
    x = layers.Input((4,), dtype="int32")
    for base in (models.Model(x, layers.Embedding(5, 3)(x)), models.Sequential([x, layers.Embedding(5, 3)])):
        model = models.Sequential([base, layers.Flatten(), layers.Dense(2)])
        assert model.built and model.input_shape == (None, 4) and model.output_shape == (None, 2)
        assert model.layers[0] is base and model.inputs[0].dtype == "int32"
        again = models.Sequential.from_config(model.get_config())
        assert again.output_shape == (None, 2) and len(again.weights) == len(model.weights)
    assert not models.Sequential([models.Sequential([layers.Dense(1)])]).built


def test_several_inputs_without_a_graph():
    model = models.Sequential([layers.Add(), layers.Dense(2)])
    assert model([X, X]).shape == (5, 2) and model.count_params() == 10


def test_training_and_losses_reach_the_layers():
    model = models.Sequential([layers.Dense(50, input_shape=(4,), kernel_regularizer="l2"), layers.Dropout(0.5)])
    assert (model(X, training=True).numpy() == 0).sum() > (model(X).numpy() == 0).sum()
    assert len(model.losses) == 1


def test_an_add_that_fails_changes_nothing():
    model = models.Sequential([layers.Dense(3, input_shape=(4,))])
    with pytest.raises(ShapeError):
        model.add(layers.Reshape((7,)))
    assert len(model.layers) == 1 and model(X).shape == (5, 3)


@pytest.mark.parametrize(
    "wrong, match",
    [
        (layers.Dense, r"got class Dense; write Dense\(...\)"),
        ("dense", "expects a layer, got 'dense'"),
        (None, "expects a layer, got None"),
        (ag.tensor([1.0]), "a layer or an Input, got a tensor"),
        (lambda x: x, "expects a layer"),
    ],
)
def test_what_is_no_layer(wrong, match):
    with pytest.raises(ArgumentTypeError, match=match):
        models.Sequential().add(wrong)


def test_layers_must_be_a_list():
    with pytest.raises(ArgumentTypeError, match=r"layers must be a list.*write Sequential\(\[...\]\)"):
        models.Sequential(layers.Dense(3))


def test_names_and_layers_are_there_once():
    layer = layers.Dense(3, name="same")
    with pytest.raises(InvalidArgument, match="two layers are named 'same'"):
        models.Sequential([layer, layers.Dense(2, name="same")])
    with pytest.raises(InvalidArgument, match="is in it already"):
        models.Sequential([layer, layer])


def test_an_input_comes_first():
    with pytest.raises(InvalidArgument, match="input must come first"):
        models.Sequential([layers.Dense(3), layers.Input((4,))])


def test_an_empty_model():
    for use in (lambda m: m(X), lambda m: m.build((None, 4)), lambda m: m.summary()):
        with pytest.raises(InvalidArgument, match="has no layers"):
            use(models.Sequential())


def test_a_model_without_a_shape():
    model = models.Sequential([layers.Dense(2)])
    with pytest.raises(NotBuiltError, match="not built"):
        model.summary()
    with pytest.raises(NotBuiltError, match="give its first layer input_shape"):
        model.output_shape  # noqa: B018
    with pytest.raises(InvalidArgument, match="input_shape"):
        model.build()


def test_one_sample_and_wrong_widths():
    model = models.Sequential([layers.Dense(2, input_shape=(784,))])
    with pytest.raises(ShapeError, match=r"got \(784,\); for one sample pass x\[None\]"):
        model(np.ones(784))
    with pytest.raises(ShapeError, match=r"\(None, 784\), got \(2, 783\)"):
        model(np.ones((2, 783)))


def test_a_long_stack():
    model = models.Sequential([layers.Input((4,)), *[layers.Dense(4) for _ in range(300)]])
    assert model(X).shape == (5, 4) and len(model.weights) == 600
