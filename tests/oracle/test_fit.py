"""Whole trainings against Keras: same weights, same data, same order of batches."""

import keras
import numpy as np
import pytest

from autograd_nn import layers, models
from autograd_nn.datasets import mnist

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6)).astype("float32")
Y = RNG.normal(size=(50, 2)).astype("float32")
IDS = RNG.integers(0, 3, 50)
WEIGHTS = RNG.random(50).astype("float32")
QUIET = {"verbose": 0, "shuffle": False}


def pair(build, *arguments):
    """The same model in both libraries, with the weights of the second."""
    ours, theirs = build(layers, models, *arguments), build(keras.layers, keras.models, *arguments)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def dense(layers, models, units=2, activation=None, **options):
    x = layers.Input(shape=(6,))
    h = layers.Dense(8, activation="tanh", **options)(x)
    return models.Model(x, layers.Dense(units, activation=activation, name="last", **options)(h))


def two_outputs(layers, models):
    x = layers.Input(shape=(6,))
    h = layers.Dense(8, activation="relu")(x)
    return models.Model(x, [layers.Dense(2, name="first")(h), layers.Dense(3, activation="softmax", name="second")(h)])


def same_history(ours, theirs, rtol=2e-4):
    assert list(ours.history) == list(theirs.history)
    assert ours.epoch == theirs.epoch
    assert ours.params == theirs.params
    for name in ours.history:
        np.testing.assert_allclose(ours.history[name], theirs.history[name], rtol=rtol, err_msg=name)


def same_weights(ours, theirs, rtol=2e-4):
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol / 10)


def both(build, arguments, compile_options, x, y, **fit):
    ours, theirs = pair(build, *arguments)
    for model in (ours, theirs):
        model.compile(**compile_options)
    same_history(ours.fit(x, y, **QUIET, **fit), theirs.fit(x, y, **QUIET, **fit))
    same_weights(ours, theirs)
    return ours, theirs


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam"])
@pytest.mark.parametrize(
    "build, arguments, options, y",
    [
        (dense, (2,), {"loss": "mse", "metrics": ["mae", "mse"]}, Y),
        (dense, (3, "softmax"), {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, IDS),
        (dense, (3, "softmax"), {"loss": "categorical_crossentropy", "metrics": ["acc"]}, np.eye(3)[IDS]),
        (dense, (1, "sigmoid"), {"loss": "binary_crossentropy", "metrics": ["accuracy"]}, IDS % 2),
    ],
)
def test_twenty_steps(optimizer, build, arguments, options, y):
    ours, theirs = both(
        build, arguments, {"optimizer": optimizer, **options}, X, y, epochs=5, batch_size=13, validation_split=0.2
    )
    np.testing.assert_allclose(ours.evaluate(X, y, verbose=0), theirs.evaluate(X, y, verbose=0), rtol=2e-4)
    np.testing.assert_allclose(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=2e-4, atol=1e-5)
    np.testing.assert_allclose(ours.train_on_batch(X, y), theirs.train_on_batch(X, y), rtol=2e-4)
    np.testing.assert_allclose(ours.test_on_batch(X, y), theirs.test_on_batch(X, y), rtol=2e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": ["mse", "sparse_categorical_crossentropy"]},
        {
            "loss": {"first": "mse", "second": "sparse_categorical_crossentropy"},
            "loss_weights": {"first": 0.3, "second": 2.0},
        },
        {
            "loss": ["mse", "sparse_categorical_crossentropy"],
            "loss_weights": [0.5, 0.25],
            "metrics": [["mae"], ["accuracy"]],
        },
        {"loss": ["mse", "sparse_categorical_crossentropy"], "metrics": {"second": "accuracy"}},
        {"loss": ["mse", "sparse_categorical_crossentropy"], "metrics": [None, ["accuracy", "accuracy"]]},
    ],
)
def test_several_outputs(options):
    ours, theirs = both(two_outputs, (), {"optimizer": "sgd", **options}, X, [Y, IDS], epochs=3, validation_split=0.3)
    np.testing.assert_allclose(
        ours.evaluate(X, [Y, IDS], verbose=0), theirs.evaluate(X, [Y, IDS], verbose=0), rtol=2e-4
    )
    a, b = (m.evaluate(X, [Y, IDS], verbose=0, return_dict=True) for m in (ours, theirs))
    assert list(a) == list(b)


def test_weights_of_samples_and_weighted_metrics():
    options = {"optimizer": "sgd", "loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mae", "mse"]}
    both(dense, (), options, X, Y, epochs=3, sample_weight=WEIGHTS)


def test_weights_of_classes():
    options = {"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", "weighted_metrics": ["accuracy"]}
    both(dense, (3, "softmax"), options, X, IDS, epochs=3, class_weight={0: 1.0, 1: 0.5, 2: 3.0})


def test_regularizers_count():
    def build(layers, models):
        return dense(layers, models, kernel_regularizer="l2", bias_regularizer="l1")

    both(build, (), {"optimizer": "sgd", "loss": "mse"}, X, Y, epochs=3)


def test_validation_at_some_epochs_and_from_a_later_start():
    both(
        dense,
        (),
        {"optimizer": "sgd", "loss": "mse"},
        X,
        Y,
        epochs=7,
        initial_epoch=2,
        validation_data=(X[:9], Y[:9]),
        validation_freq=2,
    )


def test_steps_per_epoch_go_on_where_the_last_epoch_ended():
    with pytest.warns(UserWarning):
        both(dense, (), {"optimizer": "sgd", "loss": "mse"}, X, Y, epochs=4, batch_size=10, steps_per_epoch=3)


def test_generators():
    def batches():
        while True:
            for start in range(0, 50, 10):
                yield X[start : start + 10], Y[start : start + 10], WEIGHTS[start : start + 10]

    ours, theirs = pair(dense)
    for model in (ours, theirs):
        model.compile(optimizer="sgd", loss="mse")
    options = {"epochs": 3, "steps_per_epoch": 4, "verbose": 0}
    same_history(ours.fit(batches(), **options), theirs.fit(batches(), **options))
    same_weights(ours, theirs)


def test_the_model_of_the_chapter():
    def build(layers, models):
        model = models.Sequential()
        model.add(layers.Dense(32, activation="relu", input_shape=(784,)))
        model.add(layers.Dense(10, activation="softmax"))
        return model

    (images, labels), (test_images, test_labels) = mnist.load_data()
    x = images[:6400].reshape(-1, 784).astype("float32") / 255
    options = {"optimizer": "rmsprop", "loss": "categorical_crossentropy", "metrics": ["accuracy"]}
    ours, theirs = pair(build)
    for model in (ours, theirs):
        model.compile(**options)
    y = np.eye(10)[labels[:6400]]
    a, b = (model.fit(x, y, epochs=2, batch_size=128, **QUIET) for model in (ours, theirs))
    same_history(a, b, rtol=2e-3)
    test_x = test_images.reshape(-1, 784).astype("float32") / 255
    ours_accuracy, theirs_accuracy = (m.evaluate(test_x, np.eye(10)[test_labels], verbose=0)[1] for m in (ours, theirs))
    assert abs(ours_accuracy - theirs_accuracy) < 0.002
