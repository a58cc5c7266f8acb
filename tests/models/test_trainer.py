"""Steps that are overridden, models that fit builds, and what is trained: flags, masks, frozen layers."""

import numpy as np
import pytest

from autograd_nn import gradients, layers, losses, metrics, models, ops, optimizers
from autograd_nn.errors import ArgumentTypeError, SymbolicError
from autograd_nn.layers.masks import set_mask

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5], [3.0]]).astype("float32")


def linear(optimizer="sgd", loss="mse", **options):
    model = models.Sequential([layers.Dense(1, input_shape=(4,), kernel_initializer="zeros")])
    model.compile(optimizer=optimizer, loss=loss, **options)
    return model


def close(a, b):
    return all(np.allclose(x, y, rtol=1e-5, atol=1e-6) for x, y in zip(a.get_weights(), b.get_weights()))


# --- what may be overridden


def test_a_train_step_with_gradients_by_name():
    class Own(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1, kernel_initializer="zeros")

        def call(self, inputs):
            return self.dense(inputs)

        def train_step(self, data):
            x, y = data
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            self.optimizer.apply(gradients(loss, self.trainable_variables), self.trainable_variables)
            return {"loss": loss, "twice": 2 * loss}

    model, usual = Own(), linear()
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=2, verbose=0, shuffle=False, batch_size=24).history
    expected = usual.fit(X, Y, epochs=2, verbose=0, shuffle=False, batch_size=24).history
    assert close(model, usual)
    assert np.allclose(history["loss"], expected["loss"])
    assert np.allclose(history["twice"], 2 * np.array(expected["loss"]))


def test_a_loss_that_no_tracker_counted_is_shown_as_the_step_returned_it():
    class Own(models.Sequential):
        def train_step(self, data):
            x, y = data
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            self.optimizer.apply(gradients(loss, self.trainable_variables), self.trainable_variables)
            return {"loss": loss}

        def test_step(self, data):
            return {"loss": self.compute_loss(y=data[1], y_pred=self(data[0]))}

    model, usual = Own([layers.Dense(1, input_shape=(4,), kernel_initializer="zeros")]), linear()
    model.compile("sgd", "mse")
    history, expected = (
        m.fit(X, Y, epochs=2, verbose=0, shuffle=False, batch_size=24, validation_data=(X, Y)).history
        for m in (model, usual)
    )
    assert np.allclose(history["loss"], expected["loss"]) and np.allclose(history["val_loss"], expected["val_loss"])
    assert np.isclose(model.evaluate(X, Y, verbose=0), usual.evaluate(X, Y, verbose=0))


@pytest.mark.parametrize("eagerly", [False, True])
def test_a_train_step_with_backward(eagerly):
    class Own(models.Sequential):
        def train_step(self, data):
            x, y = data
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, None)
            self.zero_grad()
            loss.backward()
            weights = self.trainable_weights
            self.optimizer.apply([w.grad for w in weights], weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    model, usual = Own([layers.Dense(1, input_shape=(4,), kernel_initializer="zeros")]), linear(metrics=["mae"])
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=eagerly)
    histories = [m.fit(X, Y, epochs=3, verbose=0, shuffle=False, batch_size=8).history for m in (model, usual)]
    assert close(model, usual)
    assert list(histories[0]) == list(histories[1])
    assert np.allclose(histories[0]["mae"], histories[1]["mae"])


def test_a_model_of_models_that_is_no_function_itself():
    class Game(models.Model):
        def __init__(self):
            super().__init__()
            self.net = models.Sequential([layers.Dense(1, input_shape=(4,), kernel_initializer="zeros")])
            self.net_optimizer = optimizers.SGD()

        def train_step(self, x):
            loss = ops.mean((self.net(x) - 1) ** 2)
            variables = self.net.trainable_variables
            self.net_optimizer.apply(gradients(loss, variables), variables)
            return {"loss": loss}

    model = Game()
    model.compile()
    losses_seen = model.fit(X, epochs=3, verbose=0).history["loss"]
    assert losses_seen[0] == 1 and losses_seen[-1] < losses_seen[0]


def test_an_override_of_compute_loss_test_step_and_predict_step():
    class Own(models.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return ops.mean(ops.abs(y - y_pred)) + 1.0

        def predict_step(self, data):
            return self(data, training=False) * 0 + 7

    model = Own([layers.Dense(1, input_shape=(4,), kernel_initializer="zeros")])
    model.compile("sgd")
    assert np.isclose(model.evaluate(X, Y, verbose=0), abs(Y).mean() + 1, rtol=1e-5)
    assert (model.predict(X, verbose=0) == 7).all()
    model.fit(X, Y, verbose=0)

    class Test(models.Sequential):
        def test_step(self, data):
            return {"mine": ops.sum(data[0])}

    other = Test([layers.Dense(1, input_shape=(4,))])
    other.compile("sgd", "mse")
    assert np.isclose(other.evaluate(X, Y, batch_size=24, verbose=0), X.sum(), rtol=1e-4)


def test_a_step_that_returns_no_dict():
    class Own(models.Sequential):
        def train_step(self, data):
            return super().train_step(data)["loss"]

    model = Own([layers.Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentTypeError, match="train_step must return a dict"):
        model.fit(X, Y, verbose=0)


def test_python_control_flow_in_a_model_needs_run_eagerly():
    class Branches(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            y = self.dense(inputs)
            return y if float(ops.sum(y)) > 0 else -y

    model = Branches()
    model.compile("sgd", "mse")
    with pytest.raises(SymbolicError):
        model.fit(X, Y, verbose=0)
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, verbose=0)


def test_subclassed_models_and_deferred_ones_are_built_by_fit():
    class Own(models.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = layers.Dense(3, activation="relu"), layers.Dense(1)
            self.drop = layers.Dropout(0.5)

        def call(self, inputs, training=None):
            return self.out(self.drop(self.hidden(inputs), training=training))

    for model in (Own(), models.Sequential([layers.Dense(3), layers.Dense(1)])):
        model.compile("adam", "mse", metrics=["mae"])
        assert list(model.fit(X, Y, epochs=2, verbose=0).history) == ["loss", "mae"]
        assert model.count_params() in (19, 19)
        assert model.predict(X, verbose=0).shape == (24, 1)
    fresh = Own()
    assert fresh.predict(X, verbose=0).shape == (24, 1)


# --- training flags


def test_training_and_inference_differ_where_layers_do():
    model = models.Sequential([layers.Dropout(0.5, input_shape=(4,))])
    model.compile("sgd", "mse")
    assert np.array_equal(model.predict(X, verbose=0), X)
    assert model.evaluate(X, X, verbose=0) == 0
    with pytest.warns(UserWarning, match="no trainable weights"):
        assert model.fit(X, X, verbose=0).history["loss"][0] > 0


def test_dropout_is_new_in_every_step():
    model = models.Sequential([layers.Dropout(0.5, input_shape=(4,)), layers.Dense(1)])
    model.compile(optimizers.SGD(1e-30), "mse")
    found = model.fit(X, Y, epochs=4, verbose=0, shuffle=False).history["loss"]
    assert len(set(found)) == 4


def test_frozen_layers_stay_as_they_are():
    model = models.Sequential([layers.Dense(3, input_shape=(4,), name="frozen"), layers.Dense(1)])
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    after = model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before[:2], after[:2]))
    assert not np.array_equal(before[2], after[2])


def test_compile_decides_what_is_trained():
    critic = models.Sequential([layers.Dense(1, input_shape=(4,), name="critic_dense")], name="critic")
    critic.compile(optimizers.SGD(0.1), "mse")
    critic.trainable = False
    maker = layers.Dense(4, name="maker")
    gan = models.Sequential([layers.Input((4,)), maker, critic])
    gan.compile(optimizers.SGD(0.1), "mse")
    start = critic.get_weights()[0]
    gan.train_on_batch(X, Y)
    assert np.array_equal(critic.get_weights()[0], start)
    with pytest.warns(UserWarning, match="trainable of 'critic'.*changed after compile"):
        critic.train_on_batch(X, Y)
    assert not np.array_equal(critic.get_weights()[0], start)
    assert not critic.trainable
    held = critic.get_weights()[0]
    gan.train_on_batch(X, Y)
    assert np.array_equal(critic.get_weights()[0], held)
    critic.compile(optimizers.SGD(0.1), "mse")
    with pytest.warns(UserWarning, match="no trainable weights"):
        critic.train_on_batch(X, Y)


def test_masked_steps_do_not_count():
    p = ops.convert_to_tensor(np.array([[[1.0], [2.0]], [[3.0], [4.0]]], "float32"))
    set_mask(p, ops.convert_to_tensor(np.array([[True, False], [True, True]])))
    loss = losses.MeanSquaredError()(np.zeros((2, 2, 1)), p)
    assert np.isclose(float(loss), (1 + 9 + 16) / 3)
    mean = metrics.MeanSquaredError()
    mean.update_state(np.zeros((2, 2, 1)), p)
    kept, values = np.array([[1, 0], [1, 1]]), np.array([[1, 4], [9, 16]])
    assert np.isclose(float(mean.result()), (values * kept).mean(1).sum() / kept.mean(1).sum())
