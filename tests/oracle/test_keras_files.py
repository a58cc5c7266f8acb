"""Genuine files of Keras 3 read here, and files written here opened by Keras: the same model, and training goes on."""

import warnings

import keras
import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn.saving import load_model

pytest.importorskip("h5py")
BOTH = pytest.mark.parametrize("way", ("reading", "writing"))
RNG = np.random.default_rng(0)


def reals(*shape):
    return RNG.normal(size=shape).astype("float32")


def counts(*shape):
    return RNG.integers(1, 6, size=shape).astype("float32")


def randomized(model):
    """The model with random weights: positive, as variances must be, and small."""
    model.set_weights([RNG.uniform(0.1, 0.5, np.shape(w)).astype(np.asarray(w).dtype) for w in model.get_weights()])
    return model


def predicted(model, data):
    found = model.predict(data if len(data) > 1 else data[0], verbose=0)
    found = list(found.values()) if isinstance(found, dict) else found
    return [np.asarray(y) for y in (found if isinstance(found, (list, tuple)) else [found])]


def pair(build, way, path, **options):
    """A model, and the same one through a file, on the other side."""
    path = str(path / "model.keras")
    writer, reader = (keras, load_model) if way == "reading" else (ag, keras.saving.load_model)
    first = randomized(build(writer))
    first.save(path)
    return first, reader(path, **options)


def check_same(build, data, way, path):
    first, second = pair(build, way, path)
    for y, z in zip(predicted(first, data), predicted(second, data), strict=True):
        assert y.shape == z.shape
        np.testing.assert_allclose(z, y, rtol=1e-5, atol=1e-5)


# --- layers

STEPS, FLAT, IMAGE, TWO = reals(3, 5, 4), reals(3, 4), reals(2, 8, 8, 3), [reals(3, 4), reals(3, 4)]
CUBE = reals(2, 5, 5, 5, 2)
# By class: settings, and data; further cases of one class have a number behind.
LAYERS = {
    "Dense": ({"units": 3, "activation": "gelu", "kernel_regularizer": "l2", "bias_constraint": "non_neg"}, FLAT),
    "Dense_1": ({"units": 3, "use_bias": False, "kernel_initializer": "he_normal"}, STEPS),
    "Activation": ({"activation": "tanh"}, FLAT),
    "Flatten": ({}, STEPS),
    "Reshape": ({"target_shape": (2, -1)}, FLAT),
    "Permute": ({"dims": (2, 1)}, STEPS),
    "RepeatVector": ({"n": 3}, FLAT),
    "Dropout": ({"rate": 0.5, "seed": 3}, FLAT),
    "Masking": ({"mask_value": 0.0}, STEPS),
    "Embedding": ({"input_dim": 7, "output_dim": 3}, counts(3, 5)),
    "Conv1D": ({"filters": 3, "kernel_size": 2, "strides": 2, "padding": "causal"}, STEPS),
    "Conv2D": ({"filters": 4, "kernel_size": (3, 2), "padding": "same", "activation": "relu"}, IMAGE),
    "Conv2D_1": ({"filters": 6, "kernel_size": 3, "groups": 3, "dilation_rate": 2}, IMAGE),
    "Conv2DTranspose": ({"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"}, IMAGE),
    "MaxPooling1D": ({"pool_size": 2}, STEPS),
    "MaxPooling2D": ({"pool_size": 2, "strides": 1, "padding": "same"}, IMAGE),
    "AveragePooling1D": ({"pool_size": 2}, STEPS),
    "AveragePooling2D": ({"pool_size": (2, 3)}, IMAGE),
    "GlobalAveragePooling1D": ({}, STEPS),
    "GlobalAveragePooling2D": ({"keepdims": True}, IMAGE),
    "GlobalMaxPooling1D": ({}, STEPS),
    "GlobalMaxPooling2D": ({}, IMAGE),
    "UpSampling2D": ({"size": (2, 3)}, IMAGE),
    "ZeroPadding2D": ({"padding": ((1, 2), (0, 1))}, IMAGE),
    "BatchNormalization": ({"momentum": 0.9, "epsilon": 0.01}, FLAT),
    "BatchNormalization_1": ({"axis": 1, "scale": False}, IMAGE),
    "LayerNormalization": ({"epsilon": 0.01}, STEPS),
    "ReLU": ({"max_value": 0.9, "negative_slope": 0.2, "threshold": 0.1}, FLAT),
    "LeakyReLU": ({"negative_slope": 0.1}, FLAT),
    "Softmax": ({"axis": 1}, STEPS),
    "SimpleRNN": ({"units": 3, "return_sequences": True}, STEPS),
    "LSTM": ({"units": 3, "recurrent_dropout": 0.1, "go_backwards": True}, STEPS),
    "LSTM_1": ({"units": 3, "unit_forget_bias": False, "return_sequences": True}, STEPS),
    "GRU": ({"units": 3, "dropout": 0.2}, STEPS),
    "GRU_1": ({"units": 3, "reset_after": False}, STEPS),
    "Add": ({}, TWO),
    "Subtract": ({}, TWO),
    "Multiply": ({}, TWO),
    "Average": ({}, TWO),
    "Maximum": ({}, TWO),
    "Minimum": ({}, TWO),
    "Concatenate": ({"axis": -1}, TWO),
    "Dot": ({"axes": 1, "normalize": True}, TWO),
    # not of the first need
    "SeparableConv1D": ({"filters": 3, "kernel_size": 2, "depth_multiplier": 2}, STEPS),
    "SeparableConv2D": ({"filters": 3, "kernel_size": 2}, IMAGE),
    "DepthwiseConv1D": ({"kernel_size": 2}, STEPS),
    "DepthwiseConv2D": ({"kernel_size": 2, "depth_multiplier": 2}, IMAGE),
    "Conv1DTranspose": ({"filters": 2, "kernel_size": 3}, STEPS),
    "Conv3D": ({"filters": 2, "kernel_size": 2}, CUBE),
    "ConvLSTM2D": ({"filters": 2, "kernel_size": 2}, reals(2, 3, 5, 5, 2)),
    "MaxPooling3D": ({}, CUBE),
    "AveragePooling3D": ({"pool_size": 2}, CUBE),
    "UpSampling1D": ({"size": 3}, STEPS),
    "ZeroPadding1D": ({"padding": 2}, STEPS),
    "Cropping1D": ({"cropping": (1, 2)}, STEPS),
    "Cropping2D": ({"cropping": ((1, 2), (0, 1))}, IMAGE),
    "ELU": ({"alpha": 0.5}, FLAT),
    "PReLU": ({"shared_axes": [1]}, STEPS),
    "GaussianNoise": ({"stddev": 0.1}, FLAT),
    "GaussianDropout": ({"rate": 0.1}, FLAT),
    "AlphaDropout": ({"rate": 0.1}, FLAT),
    "SpatialDropout1D": ({"rate": 0.1}, STEPS),
    "SpatialDropout2D": ({"rate": 0.1}, IMAGE),
    "ActivityRegularization": ({"l1": 0.1}, FLAT),
    "Attention": ({"use_scale": True}, [STEPS, STEPS]),
    "AdditiveAttention": ({}, [STEPS, STEPS]),
    "EinsumDense": ({"equation": "abc,cd->abd", "output_shape": (None, 3), "bias_axes": "d"}, STEPS),
    "GroupNormalization": ({"groups": 2}, STEPS),
    "UnitNormalization": ({}, FLAT),
    "RMSNormalization": ({}, FLAT),
    "Identity": ({}, FLAT),
    "Rescaling": ({"scale": 0.5, "offset": 1.0}, FLAT),
    "CategoryEncoding": ({"num_tokens": 7}, counts(3, 4)),
    "Resizing": ({"height": 4, "width": 5}, IMAGE),
    "Normalization": ({"mean": [0.1, 0.2, 0.3, 0.4], "variance": [1.0, 2.0, 3.0, 4.0]}, FLAT),
}  # fmt: skip


def one_layer(name, settings, data):
    def build(k):
        inputs = [k.Input(x.shape[1:]) for x in data]
        layer = getattr(k.layers, name.partition("_")[0])(**settings)
        return k.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))

    return build


@BOTH
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, way, tmp_path):
    settings, data = LAYERS[name]
    data = data if isinstance(data, list) else [data]
    check_same(one_layer(name, settings, data), data, way, tmp_path)


def stacked(*layers):
    """A Sequential of what `layers` make in a package."""
    return lambda k: k.Sequential([make(k) for make in layers])


WRAPPED = {
    "lstm_cell": lambda k: k.layers.RNN(k.layers.LSTMCell(3), return_sequences=True),
    "gru_cell": lambda k: k.layers.RNN(k.layers.GRUCell(3)),
    "simple_cell": lambda k: k.layers.RNN(k.layers.SimpleRNNCell(3, dropout=0.1)),
    "stacked_cells": lambda k: k.layers.RNN(
        k.layers.StackedRNNCells([k.layers.LSTMCell(3), k.layers.LSTMCell(2), k.layers.GRUCell(2)])
    ),
    "list_of_cells": lambda k: k.layers.RNN([k.layers.GRUCell(3), k.layers.GRUCell(2)]),
    "bidirectional": lambda k: k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True)),
    "bidirectional_two": lambda k: k.layers.Bidirectional(
        k.layers.GRU(3), merge_mode="sum", backward_layer=k.layers.GRU(3, go_backwards=True)
    ),
    "time_distributed": lambda k: k.layers.TimeDistributed(k.layers.Dense(2, name="inside")),
    "time_distributed_model": lambda k: k.layers.TimeDistributed(
        k.Sequential([k.Input((4,)), k.layers.Dense(2), k.layers.Dense(3)])
    ),
    "spectral": lambda k: k.layers.SpectralNormalization(k.layers.Dense(2)),
}  # fmt: skip


@BOTH
@pytest.mark.parametrize("name", WRAPPED)
def test_layers_around_layers(name, way, tmp_path):
    check_same(stacked(lambda k: k.Input((5, 4)), WRAPPED[name]), [STEPS], way, tmp_path)


# --- models


def digits(k):
    L = k.layers
    return k.Sequential(
        [L.Input((8, 8, 3)), L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dropout(0.2),
         L.Dense(6, "relu"), L.BatchNormalization(), L.Dense(3, "softmax")]
    )  # fmt: skip


def text(k):
    L = k.layers
    return k.Sequential(
        [L.Input((6,)), L.Embedding(9, 4, mask_zero=True), L.Bidirectional(L.LSTM(3, return_sequences=True)), L.GRU(2)]
    )


def text_graph(k):
    L = k.layers
    x = L.Input((6,))
    y = L.LSTM(3, return_sequences=True)(L.Embedding(9, 4, mask_zero=True)(x))
    return k.Model(x, L.Dense(2)(L.LSTM(4)(y)))


def shared(k):
    L = k.layers
    x, z, layer = L.Input((4,)), L.Input((4,)), L.Dense(4, "tanh")
    return k.Model([x, z], L.Dot(1)([layer(layer(x)), layer(z)]))


def several(k):
    L = k.layers
    x, z = L.Input((4,), name="left"), L.Input((3,), name="right")
    both = L.Concatenate()([L.Dense(3, name="zz")(x), L.Dense(2, name="aa")(z)])
    return k.Model({"left": x, "right": z}, [L.Dense(1, name="one")(both), L.Dense(2, name="two")(both)])


def nested(k):
    L = k.layers
    inner_in = L.Input((3,))
    inner = k.Model(inner_in, L.Dense(3)(L.Dense(4, "relu")(inner_in)), name="inner")
    deep = k.Sequential([L.Input((4,)), L.Dense(3), inner, L.Dense(4)], name="deep")
    x = L.Input((4,))
    last = k.Sequential([L.Dense(3), L.Dense(2)], name="last")
    return k.Model(x, last(deep(deep(x))) + last(L.Dense(4)(x)))


def branches(k):
    """Layers of one class whose order in a file is neither that of making nor that of names."""
    L = k.layers
    x = L.Input((4,))
    third, first, second = L.Dense(3, name="c"), L.Dense(3, name="b"), L.Dense(3, name="a")
    return k.Model(x, L.Add()([third(second(x)), first(x), L.Dense(3)(third(first(x)))]))


def operators(k):
    o = k.ops
    x = k.Input((4, 3))
    y = o.sum(x, axis=1, keepdims=True) * 2 - 1
    y = o.concatenate([o.reshape(y, (-1, 3)), o.mean(x, axis=1)], axis=1)
    y = o.expand_dims(o.maximum(y[:, 1:5], -y[:, :4]), 1) / 3
    y = o.stack([o.squeeze(y, 1), o.relu(o.transpose(x, (0, 2, 1))[:, 0, :])], axis=1)
    return k.Model(x, o.softmax(o.tanh(y) ** 2 + 1.5, axis=-1))


def attention(k):
    L = k.layers
    x = L.Input((5, 4))
    y = L.MultiHeadAttention(2, 3, dropout=0.1)(x, x, use_causal_mask=True)
    return k.Model(x, L.Dense(2)(L.LayerNormalization()(y + x)))


MODELS = {
    "digits": (digits, [IMAGE]),
    "text": (text, [counts(3, 6)]),
    "text_graph": (text_graph, [counts(3, 6)]),
    "shared": (shared, TWO),
    "nested": (nested, [FLAT]),
    "branches": (branches, [FLAT]),
    "operators": (operators, [reals(2, 4, 3)]),
    "attention": (attention, [STEPS]),
}


@BOTH
@pytest.mark.parametrize("name", MODELS)
def test_model(name, way, tmp_path):
    build, data = MODELS[name]
    check_same(build, data, way, tmp_path)


OPERATIONS = {
    "einsum": lambda o, x: o.einsum("abc,acd->abd", x, o.transpose(x, (0, 2, 1))),
    "average": lambda o, x: o.average(x, axis=1),
    "pad": lambda o, x: o.pad(x, ((0, 0), (1, 2), (0, 0)), constant_values=3.0),
    "take": lambda o, x: o.take(x, [0, 1], axis=1),
    "var": lambda o, x: o.var(x, axis=(1, 2)) + o.std(x, axis=(1, 2)) + o.min(o.prod(x, axis=1), axis=-1),
    "where": lambda o, x: o.where(x > 0, o.clip(x, -1.0, 1.0), o.cumsum(x, axis=1)),
    "split": lambda o, x: o.matmul(o.split(x, 2, axis=1)[1], o.moveaxis(x, 1, 2)),
    "argmax": lambda o, x: o.one_hot(o.argmax(x, axis=-1), 4) * o.logsumexp(x, axis=2, keepdims=True),
    "convolution": lambda o, x: o.max_pool(o.flip(o.tile(x, (1, 2, 1)), axis=1), 2),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_reading_operations(name, tmp_path):
    def build(k):
        x = k.Input((4, 3))
        return k.Model(x, OPERATIONS[name](k.ops, x))

    check_same(build, [reals(2, 4, 3)], "reading", tmp_path)


@BOTH
def test_several_inputs_and_outputs_by_name(way, tmp_path):
    first, second = pair(several, way, tmp_path)
    data = {"left": FLAT, "right": reals(3, 3)}
    for y, z in zip(first.predict(data, verbose=0), second.predict(data, verbose=0), strict=True):
        np.testing.assert_allclose(z, y, rtol=1e-5, atol=1e-5)


@BOTH
@pytest.mark.parametrize("name", MODELS)
def test_weights_alone(name, way, tmp_path):
    build, data = MODELS[name]
    path = str(tmp_path / "w.weights.h5")
    one, two = (keras, ag) if way == "reading" else (ag, keras)
    first, second = randomized(build(one)), build(two)
    first.save_weights(path)
    second.load_weights(path)
    for y, z in zip(predicted(first, data), predicted(second, data), strict=True):
        np.testing.assert_allclose(z, y, rtol=1e-5, atol=1e-5)


def test_weights_from_a_whole_model(tmp_path):
    path = str(tmp_path / "m.keras")
    first, second = randomized(digits(keras)), digits(ag)
    first.save(path)
    second.load_weights(path)
    np.testing.assert_allclose(predicted(second, [IMAGE])[0], predicted(first, [IMAGE])[0], rtol=1e-5, atol=1e-5)


# --- training

X, Y = reals(16, 4), RNG.integers(0, 3, 16).astype("float32")
OPTIMIZERS = {
    "SGD": {},
    "SGD_momentum": {"momentum": 0.9, "nesterov": True},
    "Adam": {},
    "Adam_amsgrad": {"amsgrad": True, "clipnorm": 1.0},
    "AdamW": {"weight_decay": 0.01},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adagrad": {},
    "Adadelta": {"learning_rate": 1.0},
    "Adamax": {},
    "Nadam": {},
    "Ftrl": {},
    "Lion": {},
    "Adam_ema": {"use_ema": True, "ema_momentum": 0.9},
    "SGD_accumulation": {"gradient_accumulation_steps": 2},
}


def trained(k, optimizer, loss="sparse_categorical_crossentropy", **options):
    model = k.Sequential([k.Input((4,)), k.layers.Dense(5, "tanh"), k.layers.Dense(3, "softmax")])
    model.compile(optimizer, loss, **options)
    model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return model


@BOTH
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on(name, way, tmp_path):
    path = str(tmp_path / "m.keras")
    k, reader = (keras, load_model) if way == "reading" else (ag, keras.saving.load_model)
    first = trained(k, getattr(k.optimizers, name.partition("_")[0])(**OPTIMIZERS[name]), metrics=["accuracy"])
    first.save(path)
    second = reader(path)
    assert [v.shape for v in first.optimizer.variables[:2]] == [v.shape for v in second.optimizer.variables[:2]]
    for model in (first, second):
        model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for v, w in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(first.evaluate(X, Y, verbose=0), second.evaluate(X, Y, verbose=0), rtol=1e-4, atol=1e-5)


WEIGHTS_CASES = {
    # The optimizer that writes, the one that reads, whether that one is built: what Keras does with the state.
    "same": ("Adam", "Adam", True, "restored"),
    "unbuilt": ("Adam", "Adam", False, "left out"),
    "another": ("Adam", "SGD", True, "left out"),
    "ema": ("Adam_ema", "Adam_ema", True, "restored"),
    "nadam": ("Nadam", "Nadam", True, "restored"),
}


@pytest.mark.parametrize("name", WEIGHTS_CASES)
@pytest.mark.parametrize("k", (keras, ag), ids=("keras", "ours"))
def test_the_optimizer_in_a_weights_file(name, k, tmp_path):
    """Here and in Keras `load_weights` takes the state of the optimizer from the same files."""
    wrote, reads, is_built, expected = WEIGHTS_CASES[name]
    path = str(tmp_path / "w.weights.h5")
    first = trained(keras, getattr(keras.optimizers, wrote.partition("_")[0])(**OPTIMIZERS[wrote]))
    first.save_weights(path)
    second = k.Sequential([k.Input((4,)), k.layers.Dense(5, "tanh"), k.layers.Dense(3, "softmax")])
    optimizer = getattr(k.optimizers, reads.partition("_")[0])(**OPTIMIZERS[reads])
    second.compile(optimizer, "sparse_categorical_crossentropy")
    if is_built:
        optimizer.build(second.trainable_variables)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        second.load_weights(path)
    assert bool(caught) == (expected == "left out")
    for v, w in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)
    assert int(optimizer.iterations) == (8 if expected == "restored" else 0)
    if expected == "restored":
        for model in (first, second):
            model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        for v, w in zip(first.get_weights(), second.get_weights(), strict=True):
            np.testing.assert_allclose(w, v, rtol=1e-4, atol=1e-5)


COMPILED = {
    "objects": lambda k: {
        "loss": k.losses.SparseCategoricalCrossentropy(from_logits=False),
        "metrics": [k.metrics.SparseCategoricalAccuracy(name="hits"), k.metrics.SparseTopKCategoricalAccuracy(k=2)],
    },
    "function": lambda k: {
        "loss": k.losses.sparse_categorical_crossentropy,
        "weighted_metrics": [k.metrics.sparse_categorical_accuracy, "accuracy"],
    },
    "list": lambda k: {"loss": ["sparse_categorical_crossentropy"], "loss_weights": [2.0], "metrics": [["acc"]]},
}


@BOTH
@pytest.mark.parametrize("name", COMPILED)
def test_losses_and_metrics(name, way, tmp_path):
    path = str(tmp_path / "m.keras")
    k, reader = (keras, load_model) if way == "reading" else (ag, keras.saving.load_model)
    schedule = k.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5)
    first = trained(k, k.optimizers.SGD(schedule), **COMPILED[name](k))
    first.save(path)
    second = reader(path)
    found, expected = (m.evaluate(X, Y, verbose=0, return_dict=True) for m in (second, first))
    assert list(found) == list(expected)
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-5, atol=1e-5)


@BOTH
def test_frozen_layers(way, tmp_path):
    def build(k):
        model = digits(k)
        model.layers[0].trainable = False
        model.compile("adam", "mse")
        return model

    first, second = pair(build, way, tmp_path)
    assert [layer.trainable for layer in second.layers] == [layer.trainable for layer in first.layers]
    assert len(second.trainable_variables) == len(first.trainable_variables)


# --- what is the user's own


@keras.saving.register_keras_serializable(package="files")
class Scale(keras.layers.Layer):
    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start, self.inside = start, [keras.layers.Dense(4), {"a": keras.layers.Dense(4)}]

    def build(self, shape):
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")
        self.inside[0].build(shape)
        self.inside[1]["a"].build(shape)

    def call(self, x):
        return self.inside[1]["a"](self.inside[0](x)) * self.gain * self.start

    def get_config(self):
        return {**super().get_config(), "start": self.start}


class OurScale(ag.layers.Layer):
    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start, self.inside = start, [ag.layers.Dense(4), {"a": ag.layers.Dense(4)}]

    def build(self, shape):
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")

    def call(self, x):
        return self.inside[1]["a"](self.inside[0](x)) * self.gain * self.start


def test_a_class_of_the_user(tmp_path):
    path = str(tmp_path / "m.keras")
    OurScale.__name__ = "Scale"
    theirs = randomized(keras.Sequential([keras.Input((4,)), Scale(2.0)]))
    theirs.save(path)
    with pytest.raises(ag.errors.ModelFileError, match="custom_objects"):
        load_model(path)
    ours = load_model(path, custom_objects={"Scale": OurScale})
    np.testing.assert_allclose(predicted(ours, [FLAT])[0], predicted(theirs, [FLAT])[0], rtol=1e-5, atol=1e-5)


@keras.saving.register_keras_serializable(package="files")
def double(x):
    return x * 2


def subclass(k):
    class Own(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.zeta, self._hidden, self.alpha = k.layers.Dense(4), k.layers.Dense(4), k.layers.Dense(4)
            self.many = [k.layers.Dense(4), (k.layers.Dense(4), {"b": k.layers.Dense(4), "a": k.layers.ReLU()})]
            self.inner = k.Sequential([k.layers.Dense(4), k.layers.Dense(4)])

        def call(self, x):
            x = self.many[1][1]["b"](self.many[1][0](self.many[0](self.inner(self.zeta(x)))))
            return self.alpha(self._hidden(x))

    model = Own()
    model(FLAT)
    return model


@BOTH
def test_weights_of_a_model_with_its_own_call(way, tmp_path):
    path = str(tmp_path / "w.weights.h5")
    one, two = (keras, ag) if way == "reading" else (ag, keras)
    first, second = subclass(one), subclass(two)
    first.save_weights(path)
    second.load_weights(path)
    y, z = (
        np.asarray(keras.ops.convert_to_numpy(m(FLAT)) if k is keras else m(FLAT))
        for m, k in ((first, one), (second, two))
    )
    np.testing.assert_allclose(z, y, rtol=1e-5, atol=1e-5)


def test_a_function_of_the_user(tmp_path):
    path = str(tmp_path / "m.keras")
    keras.Sequential([keras.Input((4,)), keras.layers.Lambda(double), keras.layers.Dense(2, double)]).save(path)
    with pytest.raises(ag.errors.ModelFileError, match="custom_objects={'files>double'"):
        load_model(path)
    ours = load_model(path, custom_objects={"files>double": double})
    np.testing.assert_allclose(ours.layers[0](FLAT).numpy(), FLAT * 2)


def test_python_code_in_a_file_is_refused(tmp_path):
    path = str(tmp_path / "m.keras")
    keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)]).save(path)
    with pytest.raises(ag.errors.ModelFileError, match="code of a Python function, which is never run"):
        load_model(path)
