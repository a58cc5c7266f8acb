"""Old arguments, methods and attributes: what they mean now, and the one warning that says so."""

import warnings
from pathlib import Path

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import callbacks, layers, models, optimizers
from autograd_nn.engine.signatures import init_parameters
from autograd_nn.errors import ArgumentTypeError
from autograd_nn.legacy import arguments


def warned(call):
    """What the call gives, and the messages of its warnings, which all stand at lines of this file."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        made = call()
    old = [w for w in found if w.category is DeprecationWarning]
    assert all(Path(w.filename) == Path(__file__) for w in old)
    return made, [str(w.message) for w in old]


def same_config(a, b):
    drop = {"name"}
    assert {k: v for k, v in a.get_config().items() if k not in drop} == {
        k: v for k, v in b.get_config().items() if k not in drop
    }


PAIRS = [
    (
        lambda: layers.Dense(output_dim=3, init="uniform", bias=False),
        lambda: layers.Dense(3, None, False, "uniform"),
        3,
    ),
    (lambda: layers.Dropout(p=0.25), lambda: layers.Dropout(0.25), 1),
    (
        lambda: layers.Convolution2D(8, 3, 5, border_mode="same", subsample=(2, 2), dim_ordering="tf"),
        lambda: layers.Conv2D(8, (3, 5), (2, 2), "same", "channels_last"),
        3,
    ),
    (
        lambda: layers.Convolution2D(nb_filter=8, nb_row=2, nb_col=3),
        lambda: layers.Conv2D(8, (2, 3)),
        3,
    ),
    (lambda: layers.Conv2D(8, 2, nb_col=3), lambda: layers.Conv2D(8, (2, 3)), 1),
    (
        lambda: layers.Convolution1D(nb_filter=4, filter_length=3, subsample_length=2),
        lambda: layers.Conv1D(4, 3, 2),
        3,
    ),
    (lambda: layers.MaxPooling1D(pool_length=3, stride=2), lambda: layers.MaxPooling1D(3, 2), 2),
    (
        lambda: layers.LSTM(output_dim=4, inner_init="glorot_normal", inner_activation="hard_sigmoid", dropout_W=0.5),
        lambda: layers.LSTM(4, recurrent_initializer="glorot_normal", recurrent_activation="hard_sigmoid", dropout=0.5),
        4,
    ),
    (lambda: layers.GRU(3, implementation=2), lambda: layers.GRU(3), 1),
    (lambda: layers.LeakyReLU(alpha=0.2), lambda: layers.LeakyReLU(0.2), 1),
    (lambda: layers.GaussianNoise(sigma=0.2), lambda: layers.GaussianNoise(0.2), 1),
    (lambda: layers.Embedding(10, 3, init="uniform"), lambda: layers.Embedding(10, 3, "uniform"), 1),
    (lambda: layers.BatchNormalization(mode=0), lambda: layers.BatchNormalization(), 1),
    (lambda: optimizers.SGD(lr=0.5, momentum=0.9), lambda: optimizers.SGD(0.5, 0.9), 1),
    (lambda: optimizers.Adam(lr=0.5, decay=0.0), lambda: optimizers.Adam(0.5), 2),
    (
        lambda: optimizers.RMSprop(lr=0.5, decay=0.1),
        lambda: optimizers.RMSprop(optimizers.schedules.InverseTimeDecay(0.5, 1, 0.1)),
        2,
    ),
    (
        lambda: optimizers.SGD(0.5, decay=0.1),
        lambda: optimizers.SGD(optimizers.schedules.InverseTimeDecay(0.5, 1, 0.1)),
        1,
    ),
]  # fmt: skip


@pytest.mark.parametrize("old, new, count", PAIRS)
def test_an_old_argument_means_the_new_one(old, new, count):
    made, messages = warned(old)
    same_config(made, new())
    assert len(messages) == count and all("is an old name of Keras; " in message for message in messages)


def test_every_old_argument_leads_to_one_that_there_is():
    for kind, names in {**arguments.CLASSES, optimizers.SGD: {"lr": "learning_rate"}}.items():
        known = init_parameters(kind)
        assert not set(names) & set(known), kind
        assert {new for new in names.values() if new} <= set(known), kind


def test_both_names_are_refused():
    with pytest.raises(ArgumentTypeError, match="'p' and 'rate'"), pytest.warns(DeprecationWarning):
        layers.Dropout(rate=0.1, p=0.2)
    with pytest.raises(ArgumentTypeError, match="'epochs'"), pytest.warns(DeprecationWarning):
        ready().fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, nb_epoch=2)


def test_a_layer_with_old_arguments_can_be_copied_from_its_config():
    layer, _ = warned(lambda: layers.Dense(output_dim=3, init="zeros"))
    same_config(layers.Dense.from_config(layer.get_config()), layer)


def test_names_are_given_out_once():
    ag.utils.clear_session()
    assert warned(lambda: layers.Dense(output_dim=3))[0].name == "dense"


def ready(metrics=None):
    model = ag.Sequential([layers.Dense(1, input_shape=(2,), activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=metrics)
    return model


def batches(with_targets=True):
    while True:
        x = np.ones((4, 2), "float32")
        yield (x, np.ones((4, 1))) if with_targets else x


def test_training_by_old_names():
    model = ready()
    x, y = np.ones((4, 2)), np.ones((4, 1))
    history, messages = warned(lambda: model.fit(x, y, nb_epoch=2, workers=4, use_multiprocessing=True, verbose=0))
    assert history.epoch == [0, 1] and len(messages) == 3
    history, messages = warned(lambda: model.fit_generator(batches(), 3, 2, verbose=0))
    assert history.epoch == [0, 1] and len(messages) == 1 and "use fit" in messages[0]
    loss, _ = warned(lambda: model.evaluate_generator(batches(), 2))
    assert loss == model.evaluate(x, y, verbose=0)
    found, _ = warned(lambda: model.predict_generator(batches(False), steps=2))
    assert found.shape == (8, 1)


def test_predicted_classes():
    assert warned(lambda: ready().predict_classes(np.ones((3, 2))))[0].shape == (3, 1)
    model = ag.Sequential([layers.Dense(3, input_shape=(2,), activation="softmax")])
    x = np.random.default_rng(0).normal(size=(5, 2))
    assert np.array_equal(warned(lambda: model.predict_classes(x))[0], model.predict(x, verbose=0).argmax(-1))
    assert np.array_equal(warned(lambda: model.predict_proba(x))[0], model.predict(x, verbose=0))


def test_old_ends_of_a_model():
    x = ag.Input((2,))
    y = layers.Dense(1)(x)
    model, messages = warned(lambda: models.Model(input=x, output=y))
    assert model.output is y and len(messages) == 2


def test_the_learning_rate_of_an_optimizer():
    optimizer = optimizers.SGD(0.5)
    assert warned(lambda: float(optimizer.lr))[0] == 0.5
    _, messages = warned(lambda: setattr(optimizer, "lr", 0.25))
    assert float(optimizer.learning_rate) == 0.25 and messages


@pytest.mark.parametrize("name", ["acc", "accuracy"])
def test_accuracy_in_the_history(name):
    x, y = np.ones((4, 2)), np.ones((4, 1))
    history = ready([name]).fit(x, y, validation_split=0.5, verbose=0).history
    found, messages = warned(lambda: (history["acc"], history["val_acc"]))
    assert found == (history[name], history[f"val_{name}"])
    assert len(messages) == (2 if name == "accuracy" else 0)
    assert "nothing" not in history and history.get("acc") == (history["acc"] if name == "acc" else None)
    with pytest.raises(KeyError):
        history["nothing"]


def test_errors_in_the_history():
    x, y = np.ones((4, 2)), np.ones((4, 1))
    history = ready(["mae", "mse"]).fit(x, y, validation_split=0.5, verbose=0).history
    found, messages = warned(lambda: (history["mean_squared_error"], history["val_mean_absolute_error"]))
    assert found == (history["mse"], history["val_mae"]) and len(messages) == 2


def test_accuracy_as_monitor():
    x, y = np.ones((4, 2)), np.ones((4, 1))
    stop = callbacks.EarlyStopping(monitor="val_acc")
    _, messages = warned(lambda: ready(["accuracy"]).fit(x, y, validation_split=0.5, verbose=0, callbacks=[stop]))
    assert messages == ["monitor='val_acc' is an old name of Keras; use monitor='val_accuracy'"]
    own = callbacks.EarlyStopping(monitor="val_acc")
    _, messages = warned(lambda: ready(["acc"]).fit(x, y, validation_split=0.5, verbose=0, callbacks=[own]))
    assert not messages and own.monitor == "val_acc"
