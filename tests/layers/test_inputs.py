"""Input, InputLayer, InputSpec: shapes, names, and the errors for inputs that do not fit."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers, models
from autograd_nn.errors import ArgumentTypeError, DTypeError, InvalidArgument, ShapeError


def test_shapes_and_dtypes():
    x = layers.Input(shape=(784,))
    assert x.shape == (None, 784) and x.dtype == np.float32 and x.is_symbolic
    assert layers.Input((3, None), batch_size=5, dtype="int32").shape == (5, 3, None)
    assert layers.Input(batch_shape=(None, 2)).shape == (None, 2)
    assert layers.Input(()).shape == (None,)


def test_all_inputs_share_the_batch_size():
    a, b = layers.Input((3,)), layers.Input((3,))
    assert (a + b).spec.shape[0] is a.spec.shape[0]
    assert layers.Input((None,)).spec.shape[1] is not layers.Input((None,)).spec.shape[1]


def test_a_name_and_the_layer_behind():
    x = layers.Input((3,), name="image")
    assert x.name == "image"
    assert models.Model(x, layers.Dense(1)(x)).layers[0].output is x


def test_an_existing_tensor_as_input():
    x = layers.Input((3,))
    y = layers.Dense(4)(x)
    z = layers.Input(tensor=y)
    assert z is y
    assert models.Model(z, layers.Dense(1)(z)).input_shape == (None, 4)


@pytest.mark.parametrize(
    "make, error, match",
    [
        (lambda: layers.Input(), InvalidArgument, r"give shape=\(784,\)"),
        (lambda: layers.Input((3,), batch_shape=(None, 3)), InvalidArgument, "batch_shape"),
        (lambda: layers.Input(batch_shape=(None, 3), batch_size=2), InvalidArgument, "part of batch_shape"),
        (lambda: layers.Input(784), ArgumentTypeError, r"write shape=\(784,\)"),
        (lambda: layers.Input((-3,)), ShapeError, "ints >= 0"),
        (lambda: layers.Input((2.5,)), ArgumentTypeError, "tuple of ints"),
        (lambda: layers.Input((True,)), ShapeError, "ints >= 0"),
        (lambda: layers.Input((3,), dtype="flot32"), DTypeError, "did you mean"),
        (lambda: layers.Input((3,), name="a/b"), InvalidArgument, "not allowed"),
        (lambda: layers.Input(tensor=np.ones(3)), ArgumentTypeError, "made of another Input"),
        (lambda: layers.Dense(2, input_shape=784), ArgumentTypeError, r"such as \(784,\)"),
    ],
)
def test_what_is_no_shape(make, error, match):
    with pytest.raises(error, match=match):
        make()


# --- what a layer expects


def test_width_of_dense_names_layer_expectation_input_and_its_source():
    model = models.Sequential([layers.Input((4,)), layers.Dense(3, name="dense_1"), layers.Dense(2, name="dense_2")])
    other = layers.Dense(5, name="source")(layers.Input((3,)))
    with pytest.raises(ShapeError) as caught:
        model.get_layer("dense_2")(other)
    first = str(caught.value).splitlines()[0]
    assert "'dense_2' expects last axis 3" in first and "input (None, 5) from 'source'" in first
    assert "test_inputs.py:" in first and len(first) <= 300


def test_a_shared_layer_of_another_width_names_its_first_use():
    shared = layers.Dense(3, name="shared")
    shared(np.ones((2, 8)))
    with pytest.raises(
        ShapeError, match=r"'shared' expects last axis 8 \(built at test_inputs.py:\d+\), got input \(2, 5\)"
    ):
        shared(np.ones((2, 5)))


def test_one_sample_without_batch_axis():
    with pytest.raises(ShapeError, match=r"at least 2 axes, got input \(4,\); for one sample pass x\[None\]"):
        layers.Dense(3)(np.ones(4))


def test_dense_after_flatten_of_unknown_sizes():
    x = layers.Flatten()(layers.Input((None, None, 3)))
    with pytest.raises(ShapeError, match=r"needs to know the last size.*Input\(shape=...\)"):
        layers.Dense(2)(x)


@pytest.mark.parametrize(
    "spec, shape, expected",
    [
        ({"ndim": 3}, (2, 3), "3 axes"),
        ({"max_ndim": 1}, (2, 3), "at most 1 axes"),
        ({"min_ndim": 3}, (2, 3), "at least 3 axes"),
        ({"axes": {1: 4}}, (2, 3), "axis 1 of size 4"),
        ({"axes": {-1: 4}}, (2, 3), "last axis 4"),
        ({"shape": (None, 4)}, (2, 3), r"shape \(None, 4\)"),
        ({"dtype": "int32"}, (2, 3), "dtype int32"),
    ],
)
def test_input_spec(spec, shape, expected):
    layer = layers.Identity(name="here")
    layer.input_spec = layers.InputSpec(**spec)
    with pytest.raises((ShapeError, DTypeError), match=f"'here' expects {expected}"):
        layer(np.ones(shape))


def test_input_spec_takes_what_fits():
    layer = layers.Identity()
    layer.input_spec = layers.InputSpec(shape=(None, 3, 1), allow_last_axis_squeeze=True, dtype="float32")
    assert layer(np.ones((2, 3))).shape == (2, 3)
    layer.input_spec = [layers.InputSpec(ndim=1), layers.InputSpec(ndim=2)]
    layer([np.ones(2), np.ones((2, 2))])
    with pytest.raises(ShapeError, match="expects 2 inputs, got 1"):
        layer(np.ones(2))
    layer.input_spec = [layers.InputSpec(name="a"), layers.InputSpec(name="b")]
    layer({"b": np.ones(2), "a": np.ones(2)})
    with pytest.raises(ShapeError, match="misses input 'b'"):
        layer({"a": np.ones(2)})
    again = layers.InputSpec.from_config(layers.InputSpec(min_ndim=2, axes={-1: 3}).get_config())
    assert repr(again) == "InputSpec(min_ndim=2, axes={-1: 3})"


# --- arguments of layers


@pytest.mark.parametrize("units", [0, -3])
def test_units_that_are_too_small(units):
    with pytest.raises(InvalidArgument, match=f"units must be an int >= 1, got {units}"):
        layers.Dense(units)


@pytest.mark.parametrize("units", [2.5, "10", True, None])
def test_units_that_are_no_int(units):
    with pytest.raises(ArgumentTypeError, match="units must be an int >= 1"):
        layers.Dense(units)


def test_units_of_numpy():
    layer = layers.Dense(np.int64(3))
    assert type(layer.units) is int


@pytest.mark.parametrize(
    "rate, hint", [(50, "50 means 0.5?"), (1.0, "got 1.0"), (-0.1, "got -0.1"), (float("nan"), "nan")]
)
def test_rates_of_dropout(rate, hint):
    with pytest.raises(InvalidArgument, match=r"0 <= rate < 1.*" + hint.replace("?", r"\?")):
        layers.Dropout(rate)


def test_a_rate_is_a_number():
    with pytest.raises(ArgumentTypeError, match="rate must be a number"):
        layers.Dropout("0.5")


@pytest.mark.parametrize(
    "make, error, match",
    [
        (lambda: layers.Dense(3, activation="relue"), ValueError, "unknown activation 'relue'; did you mean 'relu'"),
        (lambda: layers.Dense(3, kernel_initializer="glorot_unifrom"), ValueError, "did you mean 'glorot_uniform'"),
        (lambda: layers.Dense(3, kernel_regularizer="l3"), ValueError, "did you mean 'l1'"),
        (lambda: layers.Dense(3, kernel_constraint="max_nrom"), ValueError, "did you mean 'max_norm'"),
        (
            lambda: layers.Dense(3, kernel_initializer=ag.initializers.Ones),
            TypeError,
            r"got class Ones; write Ones\(...\)",
        ),
        (lambda: layers.Activation(3), TypeError, "activation must be a name, a function"),
        (lambda: layers.Lambda("x"), TypeError, "expected a function of tensors"),
        (lambda: layers.Reshape("x"), TypeError, "target_shape must be a tuple of ints"),
        (lambda: layers.Reshape((-1, -1)), ValueError, "one -1"),
        (lambda: layers.Permute((1, 3)), ValueError, "name the axes 1..n once each"),
        (lambda: layers.RepeatVector(0), ValueError, "n must be an int >= 1"),
        (lambda: layers.Dot(axes=0), ValueError, "batch axis"),
        (lambda: layers.Dot(axes="x"), TypeError, "int or two ints"),
        (lambda: layers.ReLU(max_value=-1), ValueError, "max_value must be a number >= 0"),
        (lambda: layers.ReLU(negative_slope=-1), ValueError, "negative_slope must be a number >= 0"),
        (lambda: layers.LeakyReLU(float("nan")), ValueError, "negative_slope"),
        (lambda: layers.Flatten(data_format="channels_lst"), ValueError, "did you mean 'channels_last'"),
    ],
)
def test_arguments_that_cannot_be_meant(make, error, match):
    with pytest.raises(error, match=match) as caught:
        make()
    assert len(str(caught.value).splitlines()[0]) <= 300


def test_one_state_for_all_samples_merges_with_each():
    a, b = layers.Input((2,)), layers.Input((2,))
    model = ag.Model([a, b], layers.Add()([layers.Multiply()([a, b]), b]))
    assert model([ag.ops.ones((1, 2)), 3 * ag.ops.ones((4, 2))]).tolist() == [[6.0, 6.0]] * 4


@pytest.mark.parametrize(
    "layer, shapes, match",
    [
        (layers.Add(name="sum"), [(2, 3), (2, 4)], r"'sum' expects shapes that broadcast, got \(2, 3\), \(2, 4\)"),
        (layers.Multiply(name="sum"), [(2, 3), (3, 3)], r"'sum' expects one batch size, got \(2, 3\), \(3, 3\)"),
        (layers.Concatenate(), [(2, 3), (3, 3)], r"equal sizes on all axes but -1, got \(2, 3\), \(3, 3\)"),
        (layers.Concatenate(), [(2, 3), (2, 3, 1)], "equally many axes"),
        (layers.Dot(axes=1), [(2, 3), (2, 4)], "equal sizes along axes 1"),
        (layers.Dot(axes=1), [(2,), (2, 4)], "at least 2 axes"),
    ],
)
def test_shapes_that_do_not_merge_are_listed(layer, shapes, match):
    with pytest.raises(ShapeError, match=match):
        layer([np.ones(shape) for shape in shapes])


def test_merging_names_the_sources():
    with pytest.raises(ShapeError, match=r"\(None, 3\) from 'p', \(None, 4\) from 'q'"):
        layers.Add()([layers.Input((3,), name="p"), layers.Input((4,), name="q")])


@pytest.mark.parametrize("inputs", [np.ones((2, 3)), []])
def test_merge_layers_take_lists(inputs):
    with pytest.raises(TypeError, match=r"write Add\(\)\(\[a, b\]\)|list of tensors|expects tensors"):
        layers.Add()(inputs)


def test_subtract_takes_two():
    with pytest.raises(TypeError, match="exactly 2 tensors, got 3"):
        layers.Subtract()([np.ones((2, 3))] * 3)


def test_reshape_that_does_not_fit():
    with pytest.raises(ShapeError, match=r"cannot reshape \(2, 6\) to \(None, 4, 2\): 6 elements, expected 8"):
        layers.Reshape((4, 2))(np.ones((2, 6)))
    with pytest.raises(ShapeError, match="6 elements, expected 4 or a multiple"):
        layers.Reshape((-1, 4))(np.ones((2, 6)))
