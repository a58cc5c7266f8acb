"""What compile takes: losses, metrics and weights in all forms, for one output and for several."""

import numpy as np
import pytest

from autograd_nn import layers, losses, metrics, models, ops, optimizers, random, utils
from autograd_nn.errors import DataError, NotCompiledError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5], [3.0]]).astype("float32")
IDS = (Y[:, 0] > 0).astype(int)


def linear(optimizer="sgd", loss="mse", **options):
    model = models.Sequential([layers.Dense(1, input_shape=(4,), kernel_initializer="zeros")])
    model.compile(optimizer=optimizer, loss=loss, **options)
    return model


def two_in_two_out():
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    h = layers.Concatenate()([a, b])
    outputs = [
        layers.Dense(1, name="value", kernel_initializer="zeros")(h),
        layers.Dense(2, activation="softmax", name="side", kernel_initializer="zeros")(h),
    ]
    return models.Model([a, b], outputs)


# --- several inputs and outputs


@pytest.mark.parametrize(
    "x",
    [[X, X * 2], (X, X * 2), {"a": X, "b": X * 2}, {"b": X * 2, "a": X}],
    ids=["list", "tuple", "dict", "dict other order"],
)
@pytest.mark.parametrize(
    "y", [[Y, IDS], {"value": Y, "side": IDS}, {"side": IDS, "value": Y}], ids=["list", "dict", "dict other order"]
)
def test_data_by_order_or_by_name(x, y):
    model, expected = two_in_two_out(), two_in_two_out()
    options = {
        "optimizer": "sgd",
        "loss": ["mse", "sparse_categorical_crossentropy"],
        "metrics": {"side": ["accuracy"]},
    }
    model.compile(**options)
    expected.compile(**options)
    history = model.fit(x, y, epochs=2, verbose=0, shuffle=False, validation_split=0.25).history
    assert (
        history == expected.fit([X, X * 2], [Y, IDS], epochs=2, verbose=0, shuffle=False, validation_split=0.25).history
    )
    assert list(history) == [
        "loss",
        "side_accuracy",
        "side_loss",
        "val_loss",
        "val_side_accuracy",
        "val_side_loss",
        "val_value_loss",
        "value_loss",
    ]
    assert [p.shape for p in model.predict(x, verbose=0)] == [(24, 1), (24, 2)]


def test_the_total_loss_is_the_weighted_sum():
    model = two_in_two_out()
    model.compile("sgd", ["mse", "sparse_categorical_crossentropy"], loss_weights=[0.5, 3.0])
    logs = model.evaluate([X, X], [Y, IDS], verbose=0, return_dict=True)
    assert np.isclose(logs["loss"], 0.5 * logs["value_loss"] + 3 * logs["side_loss"], rtol=1e-5)
    assert model.evaluate([X, X], [Y, IDS], verbose=0) == [logs["loss"], logs["value_loss"], logs["side_loss"]]


@pytest.mark.parametrize(
    "loss, y",
    [
        ([None, "sparse_categorical_crossentropy"], [Y, IDS]),
        (["mse", None], [Y]),
        ({"value": "mse", "side": None}, {"value": Y}),
    ],
)
def test_an_output_without_a_loss_is_not_trained(loss, y):
    model = two_in_two_out()
    model.compile("sgd", loss)
    with pytest.warns(UserWarning, match="no gradient for"):
        history = model.fit([X, X], y, verbose=0).history
    assert list(history) == ["loss"]


def test_weights_per_output():
    weights = np.linspace(0, 1, 24)
    for sample_weight in ([weights, None], {"value": weights}):
        model = two_in_two_out()
        model.compile(optimizers.SGD(1e-30), ["mse", "sparse_categorical_crossentropy"])
        logs = model.evaluate([X, X], [Y, IDS], sample_weight=sample_weight, verbose=0, return_dict=True)
        assert np.isclose(logs["value_loss"], (Y[:, 0] ** 2 * weights).mean(), rtol=1e-5)
        assert np.isclose(logs["side_loss"], np.log(2), rtol=1e-5)


def test_outputs_in_a_dict():
    x = layers.Input((4,))
    model = models.Model(x, {"p": layers.Dense(1)(x), "q": layers.Dense(1)(x)})
    model.compile("sgd", {"p": "mse", "q": "mae"}, metrics={"q": ["mse"]})
    history = model.fit(X, {"q": Y, "p": Y}, verbose=0).history
    assert sorted(history) == ["loss", "p_loss", "q_loss", "q_mse"]
    assert set(model.predict(X, verbose=0)) == {"p", "q"}


def test_wrong_number_of_targets():
    model = two_in_two_out()
    model.compile("sgd", ["mse", "sparse_categorical_crossentropy"])
    for y, message in (
        ([Y], "1 array for 2 outputs"),
        ({"value": Y}, "lacks output 'side'"),
        ({"value": Y, "sid": IDS}, "did you mean 'side'"),
    ):
        with pytest.raises(DataError, match=message):
            model.fit([X, X], y, verbose=0)
    with pytest.raises(DataError, match="x has 1 arrays, the model has 2 inputs"):
        model.fit(X, [Y, IDS], verbose=0)


# --- losses and metrics in all forms


@pytest.mark.parametrize(
    "loss",
    [
        "mse",
        losses.mean_squared_error,
        losses.MeanSquaredError(),
        lambda t, p: ops.mean(ops.square(t - p), -1),
        ["mse"],
    ],
)
def test_losses_as_name_function_and_object(loss):
    model = linear(loss=loss)
    assert np.isclose(model.evaluate(X, Y, verbose=0), (Y**2).mean(), rtol=1e-5)


def test_metrics_as_name_function_and_object():
    def bias(y_true, y_pred):
        return ops.mean(y_pred - y_true, axis=-1)

    model = linear(metrics=["mae", metrics.MeanSquaredError(name="squares"), bias, losses.mean_absolute_error, "mae"])
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert list(logs) == ["bias", "loss", "mae", "mae_1", "mean_absolute_error", "squares"]
    assert np.isclose(logs["bias"], -Y.mean(), rtol=1e-4, atol=1e-6)
    assert np.isclose(logs["squares"], logs["loss"])
    results = model.evaluate(X, Y, verbose=0)
    assert results[0] == logs["loss"]
    assert len(results) == 6


@pytest.mark.parametrize(
    "units, activation, loss, y, kind",
    [
        (1, "sigmoid", "binary_crossentropy", IDS, metrics.BinaryAccuracy),
        (2, "softmax", "sparse_categorical_crossentropy", IDS, metrics.SparseCategoricalAccuracy),
        (2, "softmax", "sparse_categorical_crossentropy", IDS[:, None], metrics.SparseCategoricalAccuracy),
        (2, "softmax", "categorical_crossentropy", np.eye(2)[IDS], metrics.CategoricalAccuracy),
    ],
)
def test_accuracy_is_chosen_by_shape(units, activation, loss, y, kind):
    for name in ("accuracy", "acc"):
        model = models.Sequential([layers.Dense(units, activation=activation, input_shape=(4,))])
        model.compile("sgd", loss, metrics=[name])
        history = model.fit(X, y, verbose=0).history
        assert name in history
        assert type(model.metrics[1].metrics[0]) is kind
        predicted = model.predict(X, verbose=0)
        right = (predicted.argmax(1) if units > 1 else predicted[:, 0] > 0.5) == IDS
        assert np.isclose(model.evaluate(X, y, verbose=0)[1], right.mean())


def test_crossentropy_is_chosen_by_shape():
    for units, activation, y in ((1, "sigmoid", IDS), (2, "softmax", IDS), (2, "softmax", np.eye(2)[IDS])):
        model = models.Sequential(
            [layers.Dense(units, activation=activation, input_shape=(4,), kernel_initializer="zeros")]
        )
        model.compile("sgd", "crossentropy")
        assert np.isclose(model.evaluate(X, y, verbose=0), np.log(2), rtol=1e-5)


def test_losses_of_layers_count():
    class Penalty(layers.Layer):
        def call(self, inputs):
            self.add_loss(10.0 + 0 * ops.sum(inputs))
            return inputs

    model = models.Sequential(
        [layers.Dense(1, input_shape=(4,), kernel_initializer="ones", kernel_regularizer="l2"), Penalty()]
    )
    model.compile(optimizers.SGD(1e-30), "mse")
    plain = ((X.sum(1, keepdims=True) - Y) ** 2).mean()
    assert np.isclose(model.evaluate(X, Y, verbose=0), plain + 10 + 0.01 * 4, rtol=1e-5)
    assert np.isclose(model.fit(X, Y, verbose=0).history["loss"][0], plain + 10 + 0.01 * 4, rtol=1e-5)


def test_a_model_with_losses_of_its_own_needs_no_targets():
    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(), initializer="zeros")

        def call(self, inputs):
            self.add_loss(ops.square(self.w - 3.0))
            return inputs * self.w

    model = models.Sequential([layers.Input((4,)), Own()])
    model.compile(optimizers.SGD(0.5))
    model.fit(X, epochs=5, verbose=0)
    assert np.isclose(model.get_weights()[0], 3.0)
    quiet = models.Sequential([layers.Dense(1, input_shape=(4,))])
    quiet.compile("sgd")
    with pytest.raises(NotCompiledError, match="no loss to compute"):
        quiet.fit(X, Y, verbose=0)


# --- configuration


def test_compile_config_round_trip():
    model = linear(optimizers.Adam(0.25), losses.MeanAbsoluteError(), metrics=["mse"])
    config = model.get_compile_config()
    other = models.Sequential([layers.Dense(1, input_shape=(4,))])
    assert other.get_compile_config() == {}
    other.compile_from_config(config)
    assert float(other.optimizer.learning_rate) == 0.25
    assert isinstance(other.loss, losses.MeanAbsoluteError)
    assert list(other.evaluate(X, Y, verbose=0, return_dict=True)) == ["loss", "mse"]


def test_what_the_model_tells_of_its_training():
    model = models.Sequential([layers.Dense(1, input_shape=(4,))])
    assert not model.compiled
    assert model.optimizer is None
    assert model.metrics == []
    model.compile("adam", "mse", metrics=["mae"])
    assert model.compiled
    assert model.metrics_names == ["loss", "compile_metrics"]
    assert isinstance(model.optimizer, optimizers.Adam)
    assert model.loss == "mse"
    model.fit(X, Y, verbose=0)
    model.reset_metrics()
    assert float(model.metrics[0].result()) == 0
    assert model.log_directions() == {"loss": "down", "mae": "down"}


def test_metrics_that_the_model_holds_are_reported_and_reset():
    class Own(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)
            self.size = metrics.Mean(name="size")

        def call(self, inputs):
            y = self.dense(inputs)
            self.size.update_state(ops.ones((1,)) * 3)
            return y

    model = Own()
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=2, batch_size=6, verbose=0).history
    assert history["size"] == [3.0, 3.0]


def test_random_numbers_outside_a_program_stay_reproducible():
    utils.set_random_seed(1)
    first = random.uniform((3,)).tolist()
    linear().fit(X, Y, verbose=0)
    utils.set_random_seed(1)
    assert random.uniform((3,)).tolist() == first
