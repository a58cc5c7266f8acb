"""Whole models through a file: every layer, every optimizer, every kind of model, and training that goes on."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import autograd_nn as ag
from autograd_nn import layers, models, ops, optimizers, utils
from autograd_nn.engine.tree import flatten, tree_map
from autograd_nn.saving import load_model, load_weights, register_keras_serializable, save_weights
from autograd_nn.saving.state import named_variables

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 6)).astype("float32")
Y = (X[:, :1] - X[:, 1:2] > 0).astype("float32")


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "model.safetensors")


def through_file(model, path, **options):
    model.save(path)
    return load_model(path, **options)


def bits(arrays):
    return [(a.dtype.name, a.shape, a.tobytes()) for a in map(np.asarray, arrays)]


def state_of(model):
    """Every number that training depends on."""
    optimizer = model.optimizer.variables if model.compiled and model.optimizer else []
    return bits([v.numpy() for v in (*model.variables, *optimizer)])


def values(model, *inputs, **options):
    return bits(t.numpy() for t in flatten(model(*inputs, **options))[0])


# --- every layer


def layer_cases():
    """What the tests of the layers give to the layer suite."""
    found = {}
    for file in sorted((ROOT / "tests" / "layers").glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"cases_of_{file.stem}", file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, case in getattr(module, "CASES", {}).items():
            if isinstance(case, tuple) and len(case) == 4 and isinstance(case[0], type):
                found[f"{file.stem.removeprefix('test_')}-{name}"] = case
    return found


def random_inputs(shape, batch=3):
    if callable(shape):
        return shape(batch)
    if shape and isinstance(shape[0], (tuple, list)):
        return [random_inputs(one, batch) + 0.1 * k for k, one in enumerate(shape)]
    return np.random.default_rng(1).normal(size=(batch, *shape))


def pairs(batch):
    return np.arange(batch * 2).reshape(-1, 2) % 4


CASES = layer_cases()
CELLS = {cls: cls(4, dtype="float64") for cls in (layers.SimpleRNNCell, layers.LSTMCell, layers.GRUCell)}
MORE = {
    "embedding": (layers.Embedding, {"input_dim": 5, "output_dim": 2}, pairs, {}),
    "both_ways": (layers.Bidirectional, {"layer": layers.LSTM(2, dropout=0.5, dtype="float64")}, (3, 4), {}),
    "each_step": (layers.TimeDistributed, {"layer": layers.Dense(2, dtype="float64")}, (3, 4), {}),
    "spectral": (layers.SpectralNormalization, {"layer": layers.Dense(2, dtype="float64")}, (4,), {}),
    "categories": (layers.CategoryEncoding, {"num_tokens": 4}, pairs, {}),
    "lambda": (layers.Lambda, {"function": ops.tanh}, (4,), {}),
    "stateful": (layers.LSTM, {"units": 2, "stateful": True}, (3, 4), {}),
    "stacked": (
        layers.RNN,
        {"cell": [layers.GRUCell(2, dtype="float64"), layers.LSTMCell(3, dtype="float64")]},
        (3, 4),
        {},
    ),
    **{cls.__name__: (layers.RNN, {"cell": cell, "return_sequences": True}, (3, 4), {}) for cls, cell in CELLS.items()},
}
ALL = {**CASES, **MORE}
NEVER_ALONE = {"Layer", "Wrapper", "InputLayer", "SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"}


def test_every_layer_is_among_the_cases():
    classes = {name for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    classes = {getattr(layers, name) for name in classes if issubclass(getattr(layers, name), layers.Layer)}
    assert {cls.__name__ for cls in classes - {case[0] for case in ALL.values()}} <= NEVER_ALONE


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ALL)
def test_every_layer(name, path):
    layer_class, init_kwargs, shape, expected = ALL[name]
    data = random_inputs(shape)
    arguments = data if isinstance(data, tuple) else (data,)
    batch = 3 if init_kwargs.get("stateful") else None
    inputs = tree_map(lambda a: layers.Input(batch_shape=(batch, *a.shape[1:]), dtype=a.dtype), arguments)
    layer = layer_class(**{"dtype": "float64", **init_kwargs})
    model = models.Model(flatten(inputs)[0], layer(*inputs, **expected.get("call_kwargs", {})))
    for variable in layer.weights:
        variable.assign(np.random.default_rng(2).uniform(0.5, 1.5, variable.shape))
    again = through_file(model, path)
    given = flatten(arguments)[0]
    given = given if len(given) > 1 else given[0]
    assert values(again, given) == values(model, given)
    # Twice in training: states of random generators, moving averages, kept states.
    for _ in range(2):
        assert values(again, given, training=True) == values(model, given, training=True)
    assert state_of(again) == state_of(model)
    assert again.to_json() == model.to_json()


# --- every kind of model


@register_keras_serializable(package="files")
class Scaled(layers.Layer):
    def __init__(self, by=2.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")

    def call(self, inputs):
        return inputs * self.gain * self.by


@register_keras_serializable(package="files")
class Two(models.Model):
    """A model with its own call, two inputs, and layers in a list."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.stack = [layers.Dense(units), layers.Dropout(0.5), Scaled()]
        self.head = layers.Dense(1, activation="sigmoid")

    def call(self, inputs, training=False):
        x = inputs
        for layer in self.stack:
            x = layer(x, training=training) if isinstance(layer, layers.Dropout) else layer(x)
        return self.head(x)


@register_keras_serializable(package="files")
def squash(x):
    return x / (1 + ops.abs(x))


def make(kind):
    a, b = layers.Input((6,), name="a"), layers.Input((6,), name="b")
    shared = layers.Dense(6, name="shared", activation=squash)
    if kind == "sequential":
        parts = [layers.Dense(4, input_shape=(6,)), layers.BatchNormalization(), layers.Dropout(0.4), layers.Dense(1)]
        return models.Sequential(parts)
    if kind == "shared":
        return models.Model([a, b], shared(layers.add([shared(a), Scaled(3.0)(shared(b))])))
    if kind == "dict":
        return models.Model({"x": a, "y": b}, {"p": shared(a) + b, "q": ops.softmax(layers.Dense(2)(b) * 2.0)})
    if kind == "nested":
        inner = models.Model(a, [shared(a), layers.Dense(6)(a)], name="inner")
        twins = [models.Sequential([layers.Input((6,)), layers.Dense(2, name="same")], name=f"twin{k}") for k in "ab"]
        first, second = inner(b)
        return models.Model(b, [twin(t) for twin, t in zip(twins, (first, second))])
    if kind == "adapted":
        scaling = layers.Normalization()
        scaling.adapt(X * 3 + 1)
        return models.Sequential([layers.Input((6,)), scaling, layers.Dense(1)])
    if kind == "called":
        model = models.Sequential([layers.Dense(4), layers.Dense(1)])
        model(X)
        return model
    model = Two(name="mine")
    model.build((None, 6)) if kind == "built" else model(X)
    return model


KINDS = ["sequential", "shared", "dict", "nested", "adapted", "called", "subclass", "built"]


def data_for(model):
    if model.inputs is None or len(model.inputs) == 1:
        return X
    return dict.fromkeys(model.input, X) if isinstance(model.input, dict) else [X] * len(model.inputs)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model(kind, path):
    model = make(kind)
    again = through_file(model, path)
    data = data_for(model)
    assert type(again) is type(model) and again.name == model.name and again.output_names == model.output_names
    assert values(again, data) == values(model, data)
    assert values(again, data, training=True) == values(model, data, training=True)
    assert state_of(again) == state_of(model)
    assert not again.compiled
    # The file is one that every reader of the format takes.
    found = safetensors.numpy.load_file(path)
    assert sorted(found) == sorted(named_variables(model))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "nested"])
def test_every_kind_is_trained_on(kind, path):
    utils.set_random_seed(1)
    model = make(kind)
    x, y = data_for(model), Y
    if kind == "dict":
        y = {"p": np.repeat(Y, 6, 1), "q": np.repeat(Y, 2, 1)}
    if kind == "shared":
        y = np.repeat(Y, 6, 1)
    model.compile("adam", "mse", metrics=None if kind == "dict" else ["mae"])
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    model.save(path)
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    again = load_model(path)
    again.fit(x, y, batch_size=8, epochs=2, verbose=0)
    assert state_of(again) == state_of(model)


def test_a_model_without_weights_yet(path):
    model = models.Sequential([layers.Dense(3), layers.Dense(2)])
    model.compile("sgd", "mse")
    again = through_file(model, path)
    assert not again.built and again.compiled
    again.fit(X, Y.repeat(2, 1), verbose=0)
    assert again.count_params() == 6 * 3 + 3 + 3 * 2 + 2


def test_trainable_flags(path):
    model = models.Sequential(
        [layers.Dense(3, input_shape=(6,)), layers.BatchNormalization(), models.Sequential([layers.Dense(1)])]
    )
    model.layers[0].trainable = False
    model.layers[2].trainable = False
    model.layers[2].layers[0].trainable = True
    again = through_file(model, path)
    flags = [[layer.trainable for layer in m._flatten_layers()] for m in (model, again)]
    assert flags[0] == flags[1]
    assert [v.trainable for v in model.variables] == [v.trainable for v in again.variables]


def test_what_was_trainable_at_compile_is_trained(path):
    """A discriminator is compiled, then frozen inside a GAN: alone it is trained on."""
    model = make("sequential")
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.trainable = False
    again = through_file(model, path)
    assert not again.trainable_variables
    before = again.get_weights()
    with pytest.warns(UserWarning, match="changed after"):
        again.fit(X, Y, verbose=0, shuffle=False)
    assert not np.array_equal(before[0], again.get_weights()[0])
    assert not again.trainable_variables


def test_names_do_not_depend_on_the_layers_made_before(path):
    first = make("nested")
    assert list(named_variables(make("nested"))) == list(named_variables(first))
    assert list(named_variables(first)) == [
        "inner/shared/kernel", "inner/shared/bias", "inner/dense/kernel", "inner/dense/bias",
        "twina/same/kernel", "twina/same/bias", "twinb/same/kernel", "twinb/same/bias",
    ]  # fmt: skip
    one = models.Sequential([layers.LSTM(2, dropout=0.5, input_shape=(3, 2)), layers.Dense(2), layers.Dense(1)])
    two = models.Sequential([layers.LSTM(2, dropout=0.5, input_shape=(3, 2)), layers.Dense(2), layers.Dense(1)])
    assert one.layers[1].name != two.layers[1].name
    save_weights(one, path)
    load_weights(two, path)
    assert state_of(one) == state_of(two)


def test_a_layer_called_optimizer(path):
    model = models.Sequential([layers.Dense(1, name="optimizer", input_shape=(6,))])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    assert state_of(through_file(model, path)) == state_of(model)


# --- every optimizer

OPTIMIZERS = {
    **{cls.__name__: lambda cls=cls: cls(0.01) for cls in optimizers._CLASSES},
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
    "centered": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True, global_clipnorm=0.1),
    "amsgrad": lambda: optimizers.Adam(0.01, amsgrad=True, clipvalue=0.1),
    "averages": lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=5),
    "accumulating": lambda: optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2),
    "decaying": lambda: optimizers.AdamW(0.01, weight_decay=0.1, loss_scale_factor=4.0),
    "schedule": lambda: optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on_as_it_would_have(name, path):
    utils.set_random_seed(5)
    model = models.Sequential([layers.Dense(4, "tanh", input_shape=(6,)), layers.Dropout(0.2), layers.Dense(1)])
    optimizer = OPTIMIZERS[name]()
    if name == "decaying":
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "mse")
    model.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    again = through_file(model, path)
    assert state_of(again) == state_of(model)
    assert again.optimizer.get_config() == model.optimizer.get_config()
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    again = load_model(path)
    again.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert state_of(again) == state_of(model)


def test_a_rate_of_zero(path):
    model = make("sequential")
    model.compile("adam", "mse")
    model.optimizer.learning_rate = 0.0
    assert float(through_file(model, path).optimizer.learning_rate) == 0.0


def test_without_compile_and_without_optimizer(path):
    model = make("sequential")
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    again = through_file(model, path, compile=False)
    assert not again.compiled and values(again, X) == values(model, X)
    model.compile(None, "mse")
    assert through_file(model, path).optimizer is None


GO_ON = """
import sys, numpy as np
import autograd_nn as ag
if sys.argv[1] == "seed":
    ag.utils.set_random_seed(9)
model = ag.models.load_model(sys.argv[2])
x, y = np.load(sys.argv[3]).values()
model.fit(x, y, batch_size=8, epochs=2, verbose=0)
np.savez(sys.argv[4], *[v.numpy() for v in (*model.variables, *model.optimizer.variables)])
"""


@pytest.mark.parametrize("how", ["fresh", "seed"])
def test_training_goes_on_in_another_process(how, path, tmp_path):
    """Shuffling, dropout, batch normalization, the optimizer: the same bits as without the file between."""
    utils.set_random_seed(9)
    model = make("sequential")
    model.compile(optimizers.Adam(0.05), "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    model.save(path)
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    np.savez(tmp_path / "data.npz", X, Y)
    run = [sys.executable, "-c", GO_ON, how, path, str(tmp_path / "data.npz"), str(tmp_path / "found.npz")]
    subprocess.run(run, check=True, cwd=ROOT)
    assert bits(np.load(tmp_path / "found.npz").values()) == state_of(model)


def test_a_seed_of_this_process_is_left_alone(path):
    utils.set_random_seed(1)
    model = make("sequential")
    model.save(path)
    utils.set_random_seed(2)
    expected = ag.random.uniform((3,)).tolist()
    utils.set_random_seed(2)
    load_model(path)
    assert ag.random.uniform((3,)).tolist() == expected


@register_keras_serializable(package="model_files")
class Hashed(layers.Layer):
    def __init__(self, modulus, inner, **kwargs):
        super().__init__(**kwargs)
        self.modulus, self.inner = modulus, inner

    def call(self, x):
        return self.inner(x)


def test_large_numbers_in_a_configuration(path):
    assert (
        through_file(ag.Sequential([layers.Input((6,)), Hashed(10**12, layers.ReLU())]), path).layers[0].modulus
        == 10**12
    )
    ag.Sequential([layers.Input((6,)), Hashed(3, layers.RepeatVector(10**12))]).save(path)
    with pytest.raises(ag.errors.ModelFileError, match="it has n=1000000000000, and at most 10000000 is read"):
        load_model(path)


def test_large_metrics_are_not_read(path):
    model = ag.Sequential([layers.Input((6,)), layers.Dense(1, "sigmoid")])
    model.compile("sgd", "mse", metrics=[ag.metrics.AUC(num_thresholds=1_000_001)])
    model.save(path)
    with pytest.raises(ag.errors.ModelFileError, match="it has num_thresholds=1000001"):
        load_model(path)
    assert not load_model(path, compile=False).compiled


def test_a_layer_of_two_nested_models_is_one_layer_again(tmp_path):
    shared = ag.layers.Dense(3, name="shared")
    inner = [ag.layers.Input((4,)) for _ in range(2)]
    one = ag.Model(inner[0], shared(inner[0]), name="one")
    two = ag.Model(inner[1], ag.layers.Dense(2)(shared(inner[1])), name="two")
    x = ag.layers.Input((4,))
    model = ag.Model(x, [one(x), two(x)])
    model.save(tmp_path / "m.safetensors")
    again = ag.models.load_model(tmp_path / "m.safetensors")
    assert len(again.weights) == len(model.weights) == 4
    assert again.get_layer("one").layers[-1] is again.get_layer("two").layers[1]
    data = np.ones((2, 4), "float32")
    for a, b in zip(model.predict(data, verbose=0), again.predict(data, verbose=0)):
        assert a.tobytes() == b.tobytes()


def test_a_seed_generator_of_two_layers_is_one_again(tmp_path):
    seed = ag.random.SeedGenerator(3)
    model = ag.Sequential(
        [ag.layers.Dropout(0.5, seed=seed, input_shape=(4,)), ag.layers.GaussianNoise(1.0, seed=seed)]
    )
    model.save(tmp_path / "m.safetensors")
    again = ag.models.load_model(tmp_path / "m.safetensors")
    data = np.ones((2, 4), "float32")
    assert np.array_equal(model(data, training=True).numpy(), again(data, training=True).numpy())
    assert np.array_equal(model(data, training=True).numpy(), again(data, training=True).numpy())
