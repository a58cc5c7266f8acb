"""Layer itself: weights found and frozen, the call around `call`, losses, states, configs, names, errors."""

import gc
import json
import tracemalloc

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers, ops, regularizers
from autograd_nn.engine.variable import Variable
from autograd_nn.errors import (
    ArgumentTypeError,
    DTypeError,
    GraphError,
    InvalidArgument,
    NotBuiltError,
    ShapeError,
    UnknownAttribute,
    UnknownName,
)
from autograd_nn.layers.naming import reset_names, snake_case
from autograd_nn.random import SeedGenerator

X = np.arange(6.0).reshape(2, 3)


class Scale(layers.Layer):
    """A layer as users write it."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

    def call(self, inputs, training=None):
        if training:
            self.seen.assign_add(1.0)
        return inputs * self.gain * self.factor


class Block(layers.Layer):
    """Layers in an attribute, a list and a dict."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(2)
        self.listed = [layers.Dense(2), (layers.Dense(2),)]
        self.named = {"a": layers.Dense(2, use_bias=False)}
        self.own = Variable(np.ones(2, "float32"), name="own")
        self.noise = layers.Dropout(0.5)

    def call(self, x):
        x = self.listed[1][0](self.listed[0](self.first(x)))
        return self.noise(self.named["a"](x)) + self.own


# --- weights


def test_weights_of_nested_layers_in_the_order_of_attributes():
    block = Block()
    block(X)
    assert [w.shape for w in block.weights] == [(2,), (3, 2), (2,), (2, 2), (2,), (2, 2), (2,), (2, 2)]
    assert len(block.variables) == 9
    assert block.variables[-1] is block.noise.seed_generator.state
    assert block.non_trainable_variables == [block.noise.seed_generator.state]
    assert block.non_trainable_weights == []


def test_a_layer_put_into_a_list_later_is_found():
    block = Block()
    block(X)
    block.listed.append(layers.Dense(5, use_bias=False))
    block.listed[-1](X)
    assert block.weights[-2].shape == (3, 5)


def test_a_shared_layer_counts_once():
    block = Block()
    block.again = block.first
    block(X)
    assert len(block.weights) == 8


def test_layers_that_know_each_other_end():
    a, b = Scale(), Scale()
    a.other, b.other = b, a
    a(X), b(X)
    assert len(a.weights) == 4


def test_freezing_reaches_all_layers_and_comes_back():
    block = Block()
    block.listed[0].trainable = False
    block(X)
    assert len(block.trainable_weights) == 6
    assert not block.listed[0].kernel.requires_grad
    block.trainable = False
    assert block.trainable_weights == [] and len(block.non_trainable_weights) == 8
    assert not block.own.trainable
    block.trainable = True
    assert len(block.trainable_weights) == 8 and block.own.requires_grad


def test_freezing_keeps_the_order_of_weights():
    layer = Scale()
    layer(X)
    order = [w.path for w in layer.weights]
    layer.trainable = False
    assert [w.path for w in layer.weights] == order
    layer.trainable = True
    assert [w.path for w in layer.trainable_weights] == [order[0]]


def test_a_frozen_layer_gives_no_gradient():
    dense = layers.Dense(2)
    dense.trainable = False
    x = ag.tensor(X, requires_grad=True)
    dense(x).sum().backward()
    assert dense.kernel.grad is None and x.grad is not None


def test_paths_name_the_layers_around_but_no_model():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__(name="outer")
            self.inner = layers.Dense(1, name="inner")

        def call(self, x):
            return self.inner(x)

    outer = Outer()
    ag.models.Sequential([layers.Input((3,)), outer])
    assert outer.weights[0].path == "outer/inner/kernel"


def test_set_weights_changes_nothing_when_one_shape_is_wrong():
    dense = layers.Dense(2)
    with pytest.raises(ShapeError, match="not built yet"):
        dense.set_weights([np.ones((3, 2)), np.ones(2)])
    dense(X)
    before = dense.get_weights()
    with pytest.raises(ShapeError, match=r"'dense.*/bias' has shape \(2,\), got \(3,\)"):
        dense.set_weights([np.ones((3, 2)), np.ones(3)])
    with pytest.raises(ShapeError, match="expected 2 arrays, got 1"):
        dense.set_weights([np.ones((3, 2))])
    with pytest.raises(ArgumentTypeError):
        dense.set_weights("weights")
    assert all(map(np.array_equal, dense.get_weights(), before))


def test_get_weights_are_copies():
    dense = layers.Dense(2)
    dense(X)
    dense.get_weights()[0][:] = 7
    assert not (dense.kernel.numpy() == 7).any()


def test_add_weight_refuses_unknown_sizes_and_wrong_initializers():
    layer = layers.Layer(name="mine")
    with pytest.raises(ShapeError, match="'mine'.*all sizes must be known"):
        layer.add_weight(shape=(None, 2), name="w")
    with pytest.raises(ShapeError, match="initializer of 'w' gave"):
        layer.add_weight(shape=(2,), initializer=lambda shape, dtype: np.ones(3), name="w")
    with pytest.raises(UnknownName, match="did you mean 'zeros'"):
        layer.add_weight(shape=(2,), initializer="zeroes")
    assert layer.weights == []


def test_count_params_needs_a_built_layer():
    with pytest.raises(NotBuiltError, match="not built"):
        layers.Dense(2).count_params()


# --- the call


def test_arrays_lists_and_numbers_are_taken():
    layer = layers.Identity()
    assert layer(X).dtype == np.float32
    assert layer([[1, 2]]).tolist() == [[1, 2]]
    assert layer(2.5).tolist() == 2.5
    assert layer([X, X])[1].shape == (2, 3)
    assert layer({"a": X})["a"].shape == (2, 3)


def test_integers_are_left_and_dense_makes_them_floats():
    assert layers.Identity()(np.array([1, 2])).dtype == np.int64
    assert layers.Dense(2)(np.array([[1, 2]])).dtype == np.float32
    assert layers.Dense(2)(np.array([[1, 2]], "uint8")).dtype == np.float32


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_dtype_of_weights_and_results(dtype):
    dense = layers.Dense(2, dtype=dtype)
    assert dense(X).dtype == dense.kernel.dtype == np.dtype(dtype)
    assert dense.dtype == dense.compute_dtype == dense.variable_dtype == dtype


def test_autocast_can_be_left_out():
    assert layers.Identity(autocast=False)(X).dtype == np.float64


def test_training_flag_explicit_then_around_then_default():
    seen = []

    class Probe(layers.Layer):
        def call(self, x, training=None):
            seen.append(training)
            return x

    class On(layers.Layer):
        def call(self, x, training=True):
            seen.append(training)
            return x

    class Outer(layers.Layer):
        def __init__(self, *inner):
            super().__init__()
            self.inner = inner

        def call(self, x):
            for layer in self.inner:
                x = layer(x)
            return self.inner[0](x, training=False)

    Probe()(X)
    Probe()(X, training=True)
    Probe()(X, True)
    On()(X)
    Outer(Probe(), On())(X, training=True)
    assert seen == [False, True, True, True, True, True, False]


def test_training_does_not_leak_out_of_a_call_that_fails():
    class Failing(layers.Layer):
        def call(self, x, training=None):
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        Failing()(X, training=True)
    assert np.array_equal(layers.Dropout(0.5)(X).numpy(), X.astype("float32"))


def test_states_change_eagerly_and_in_programs_alike():
    eager, traced = Scale(), Scale()
    eager(X), traced(X)
    program = ag.jit(lambda x: traced(x, training=True))
    for _ in range(3):
        eager(X, training=True)
        program(X)
    assert float(eager.seen) == float(traced.seen) == 3.0


def test_a_program_reads_the_weights_of_the_moment():
    layer = Scale()
    layer(X)
    program = ag.jit(layer)
    before = program(X).numpy()
    layer.set_weights([np.full(3, 2.0), 0.0])
    assert np.array_equal(program(X).numpy(), 2 * before)


def test_a_layer_first_called_inside_a_program_is_built():
    layer = layers.Dense(2)
    y = ag.jit(lambda x: layer(x))(X)
    assert layer.built and np.allclose(y.numpy(), layer(X).numpy())


def test_dropout_draws_anew_at_every_run_of_a_program():
    layer = layers.Dropout(0.5, seed=1)
    program = ag.jit(lambda x: layer(x, training=True))
    ones = np.ones((4, 50))
    first, second = program(ones).numpy(), program(ones).numpy()
    again = layers.Dropout(0.5, seed=1)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, again(ones, training=True).numpy())
    assert np.array_equal(second, again(ones, training=True).numpy())


def test_nodes_inside_a_program_carry_the_layers_they_belong_to():
    block = Block()
    block(X)
    program = ag.jit(lambda x: block(x))
    program(X)
    scopes = {t.scope.names for t in program.graph.operations if t.scope is not None}
    assert (block.name, block.first.name) in scopes
    assert (block.name, block.named["a"].name) in scopes and (block.name,) in scopes


def test_build_with_several_shapes():
    class Pair(layers.Layer):
        def build(self, query_shape, value_shape):
            self.w = self.add_weight((query_shape[-1], value_shape[-1]), name="w")

        def call(self, query, value):
            return query @ self.w + value

    layer = Pair()
    assert layer(X, np.ones((2, 5))).shape == (2, 5)
    assert layer.w.shape == (3, 5)
    assert Pair().compute_output_shape((None, 3), (None, 5)) == (None, 5)


def test_build_happens_once_also_through_super():
    calls = []

    class Mine(layers.Dense):
        def build(self, input_shape):
            calls.append(input_shape)
            super().build(input_shape)

    layer = Mine(2)
    layer.build((None, 3))
    layer.build((None, 3))
    layer(X)
    assert calls == [(None, 3)] and len(layer.weights) == 2 and layer.built


def test_more_arguments_and_keyword_tensors():
    class Mix(layers.Layer):
        def call(self, a, b=None, *, share=0.5):
            return a * share + b * (1 - share)

    a, b = layers.Input((3,)), layers.Input((3,))
    y = Mix()(a, b=b, share=0.25)
    model = ag.models.Model([a, b], y)
    assert np.allclose(model([X, X + 1]).numpy(), X + 0.75)


def test_several_outputs():
    class Two(layers.Layer):
        def call(self, x):
            return {"double": x * 2, "rest": (x, x + 1)}

    x = layers.Input((3,))
    y = Two()(x)
    model = ag.models.Model(x, [y["rest"][1], y["double"]])
    found = model(X)
    assert np.allclose(found[0].numpy(), X + 1) and np.allclose(found[1].numpy(), X * 2)


def test_calls_do_not_pile_up():
    layer = layers.Dense(3, activity_regularizer="l2", kernel_regularizer="l2")
    data = np.ones((4, 8), "float32")

    def steps(count):
        for _ in range(count):
            layer(data)
            sum(layer.losses).backward()

    steps(20)
    gc.collect()
    tracemalloc.start()
    steps(200)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 100_000


# --- losses


def test_losses_are_those_of_the_last_call():
    class Costly(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            self.add_loss([ops.max(x), 1.0])
            return x

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.a, self.b = Costly(), layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")

        def call(self, x):
            return self.b(self.a(x))

    outer = Outer()
    outer(X)
    y = outer(X)
    found = [float(loss) for loss in outer.losses]
    expected = [15.0, 5.0, 1.0, 0.01 * np.abs(y.numpy()).sum() / 2, 0.01 * np.square(outer.b.kernel.numpy()).sum()]
    assert found == pytest.approx(expected, rel=1e-5)
    assert len(outer.a.losses) == 3


def test_losses_inside_a_program_do_not_stay():
    layer = layers.Dense(2, activity_regularizer="l2")
    layer(X)
    eager = [float(loss) for loss in layer.losses]

    @ag.jit
    def program(x):
        layer(x)
        return sum(layer.losses)

    assert float(program(X)) == pytest.approx(sum(eager))
    assert layer.losses == []
    layer(X)
    assert [float(loss) for loss in layer.losses] == pytest.approx(eager)


def test_asking_for_shapes_leaves_no_loss():
    layer = layers.Dense(2, activity_regularizer="l2")
    layer(layers.Input((3,)))
    layer.compute_output_shape((None, 3))
    assert layer.losses == []


def test_add_loss_refuses_what_is_no_scalar():
    with pytest.raises(ShapeError, match=r"expected a scalar, got shape \(2,\)"):
        layers.Layer().add_loss(ag.tensor([1.0, 2.0]))


def test_frozen_weights_are_not_penalized():
    layer = layers.Dense(2, kernel_regularizer=regularizers.L2(1.0))
    layer(X)
    assert len(layer.losses) == 1
    layer.trainable = False
    assert layer.losses == []


# --- stateless


def test_stateless_call_returns_new_states_and_changes_none():
    layer = Scale()
    layer(X)
    outputs, states = layer.stateless_call([np.full(3, 2.0)], [5.0], X, training=True)
    assert np.allclose(outputs.numpy(), 4 * X)
    assert [float(s) for s in states] == [6.0]
    assert float(layer.seen) == 0.0 and layer.gain.tolist() == [1, 1, 1]


def test_stateless_call_can_be_differentiated_and_traced():
    layer = layers.Dense(2, activity_regularizer="l2")
    layer(X)
    kernel, bias = layer.get_weights()

    def loss(kernel, bias):
        y, _, losses = layer.stateless_call([kernel, bias], [], X.astype("float32"), return_losses=True)
        return ops.sum(ops.square(y)) + losses[0]

    found = ag.grad(loss, (0, 1))(kernel, bias)
    traced = ag.jit(ag.grad(loss, (0, 1)))(kernel, bias)
    y = layer(X)
    (ops.sum(ops.square(y)) + layer.losses[0]).backward()
    for a, b, variable in zip(found, traced, (layer.kernel, layer.bias)):
        assert np.allclose(a.numpy(), variable.grad.numpy(), rtol=1e-5)
        assert np.allclose(b.numpy(), variable.grad.numpy(), rtol=1e-5)


def test_stateless_call_checks_numbers():
    layer = layers.Dense(2)
    with pytest.raises(NotBuiltError):
        layer.stateless_call([], [], X)
    layer(X)
    with pytest.raises(ShapeError, match="has 2 trainable_variables, got 1"):
        layer.stateless_call([np.ones((3, 2))], [], X)


# --- config


def test_arguments_of_a_class_without_get_config_are_reported():
    layer = Scale(3.0, name="x", dtype="float64")
    config = layer.get_config()
    assert config == {"name": "x", "trainable": True, "dtype": "float64", "factor": 3.0}
    assert Scale.from_config(config).factor == 3.0


def test_a_changed_attribute_is_reported():
    layer = layers.Dropout(0.5)
    layer.rate = 0.25
    assert layer.get_config()["rate"] == 0.25


def test_a_handwritten_config_extends_that_of_its_base():
    class Wide(layers.Dense):
        def __init__(self, units, thing=None, **kwargs):
            super().__init__(units, **kwargs)
            self._thing = thing

        def get_config(self):
            return {**super().get_config(), "thing": "hidden"}

    config = Wide(3, thing=object(), activation="relu").get_config()
    assert (config["units"], config["activation"], config["thing"]) == (3, "relu", "hidden")


def test_a_subclass_that_takes_more_is_reported_whole():
    class Wide(layers.Dense):
        def __init__(self, units, extra=1, **kwargs):
            super().__init__(units * extra, **kwargs)
            self.extra = extra

    layer = Wide(2, extra=1, activation="relu", name="w")
    again = Wide.from_config(json.loads(json.dumps(layer.get_config())))
    assert (again.units, again.extra, again.activation.__name__, again.name) == (2, 1, "relu", "w")


def test_an_argument_that_is_no_data_asks_for_get_config():
    class Holds(layers.Layer):
        def __init__(self, thing):
            super().__init__()
            self.thing = thing

    with pytest.raises(ArgumentTypeError, match="argument 'thing'.*write get_config in Holds"):
        Holds(object()).get_config()


def test_a_layer_as_an_argument_becomes_a_config():
    class Twice(layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def call(self, x):
            return self.inner(self.inner(x))

    again = Twice.from_config(Twice(layers.Dense(3, name="inner")).get_config())
    assert isinstance(again.inner, layers.Dense) and again.inner.units == 3


# --- names and errors


def test_automatic_names():
    reset_names()
    assert [layers.Dense(1).name for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert [layers.LeakyReLU().name, layers.ReLU().name, layers.RepeatVector(2).name] == [
        "leaky_re_lu", "re_lu", "repeat_vector",
    ]  # fmt: skip
    assert snake_case("Conv2DTranspose") == "conv2d_transpose"


@pytest.mark.parametrize("name", ["a\nb", "a'b", 'a"b', "../x", "a/b", "a..b", "", "<b>", "a\x00"])
def test_names_with_strange_characters_are_refused(name):
    with pytest.raises(InvalidArgument, match="characters that are not allowed"):
        layers.Dense(1, name=name)


def test_a_name_is_a_string():
    with pytest.raises(ArgumentTypeError, match="name must be a string"):
        layers.Dense(1, name=3)


@pytest.mark.parametrize(
    "make, guess",
    [
        (lambda: layers.Dense(unit=3), "units"),
        (lambda: layers.Dense(3, kernel_initialiser="ones"), "kernel_initializer"),
        (lambda: layers.Dense(3, naem="x"), "name"),
        (lambda: layers.Dropout(rat=0.5), "rate"),
        (lambda: layers.Input(shap=(3,)), "shape"),
        (lambda: layers.Dense(3)(X, trainig=True), "training"),
        (lambda: Scale(factr=1), "factor"),
        (lambda: layers.add([X, X], nmae="x"), "name"),
    ],
)
def test_misspelt_arguments(make, guess):
    with pytest.raises(TypeError, match=f"did you mean '{guess}'"):
        make()


def test_missing_arguments_are_named():
    with pytest.raises(TypeError, match="units"):
        layers.Dense()


def test_misspelt_attributes():
    with pytest.raises(AttributeError, match="did you mean 'kernel'") as caught:
        dense = layers.Dense(2)
        dense(X)
        dense.kernle  # noqa: B018
    assert caught.value.name == "kernle" and caught.value.obj is dense


def test_an_error_inside_a_property_is_not_hidden():
    class Broken(layers.Layer):
        @property
        def size(self):
            return self.missing_part

    with pytest.raises(UnknownAttribute, match="missing_part"):
        Broken().size  # noqa: B018


def test_a_forgotten_super_init_is_named():
    class Forgot(layers.Layer):
        def __init__(self):
            self.x = 1

        def call(self, x):
            return x

    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\) first in Forgot"):
        Forgot()(X)


def test_inputs_that_are_no_tensors():
    with pytest.raises(ArgumentTypeError, match="expects tensors or arrays as inputs, got 'abc'"):
        layers.Dense(2)("abc")
    with pytest.raises(ArgumentTypeError, match="got None"):
        layers.Dense(2)(None)
    with pytest.raises(ArgumentTypeError, match=r"one list \[a, b\]"):
        layers.Add()(X, X)
    with pytest.raises(DTypeError, match="mask"):
        layers.Dense(2)(np.ma.masked_array(X, X > 2))


def test_a_call_that_returns_no_tensor():
    class Wrong(layers.Layer):
        def call(self, x):
            return None

    with pytest.raises(ArgumentTypeError, match="must return tensors"):
        Wrong(name="wrong")(layers.Input((3,)))


def test_errors_of_operations_name_the_innermost_layer():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__(name="outer")
            self.inner = layers.Lambda(lambda x: x @ np.ones((7, 2)), name="inner")

        def call(self, x):
            return self.inner(x)

    with pytest.raises(ShapeError, match=r"^layer 'inner': matmul"):
        Outer()(X)


def test_input_and_output_need_a_symbolic_call():
    dense = layers.Dense(2, name="fresh")
    dense(X)
    with pytest.raises(GraphError, match="'fresh' has no input and output yet"):
        dense.output  # noqa: B018
    x = layers.Input((3,))
    y = dense(x)
    assert dense.output is y and dense.input is x


def test_an_unknown_dtype():
    with pytest.raises(DTypeError, match="did you mean 'float32'"):
        layers.Dense(2, dtype="flaot32")


def test_weights_and_seeds_given_to_a_first_layer():
    dense = layers.Dense(1, use_bias=False, weights=[[[1.0], [2.0], [3.0]]], input_dim=3)
    assert dense(X).tolist() == [[8.0], [26.0]]
    generator = SeedGenerator(3)
    assert layers.Dropout(0.5, seed=generator).seed_generator is generator
