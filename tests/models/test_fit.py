"""fit, evaluate and predict on arrays: History, batches, reproducibility, validation, single batches."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_nn import callbacks, layers, models, optimizers, utils

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5], [3.0]]).astype("float32")
ROOT = Path(__file__).parents[2]


def linear(optimizer="sgd", loss="mse", **options):
    model = models.Sequential([layers.Dense(1, input_shape=(4,), kernel_initializer="zeros")])
    model.compile(optimizer=optimizer, loss=loss, **options)
    return model


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights()))


def close(a, b):
    return all(np.allclose(x, y, rtol=1e-5, atol=1e-6) for x, y in zip(a.get_weights(), b.get_weights()))


# --- training


def test_training_finds_the_line():
    model = linear(optimizers.SGD(0.1))
    history = model.fit(X, Y, epochs=60, batch_size=8, verbose=0)
    assert np.allclose(model.get_weights()[0][:, 0], [1, -2, 0.5, 3], atol=1e-2)
    assert history.history["loss"][-1] < 1e-3 * history.history["loss"][0]
    assert model.evaluate(X, Y, verbose=0) < 1e-3


def test_history():
    model = linear(metrics=["mae"])
    history = model.fit(X, Y, epochs=3, verbose=0, validation_data=(X[:5], Y[:5]))
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae"]
    assert history.epoch == [0, 1, 2]
    assert history.params == {"verbose": 0, "epochs": 3, "steps": 1}
    assert history is model.history
    assert all(isinstance(v, float) for values in history.history.values() for v in values)


def test_the_loss_of_an_epoch_is_the_mean_over_samples():
    model = linear(optimizers.SGD(1e-30))
    loss = model.fit(X, Y, batch_size=7, verbose=0).history["loss"][0]
    assert np.isclose(loss, (Y**2).mean(), rtol=1e-5)
    assert np.isclose(model.evaluate(X, Y, batch_size=5, verbose=0), (Y**2).mean(), rtol=1e-5)


@given(st.integers(1, 30), st.integers(1, 30))
@settings(max_examples=20)
def test_every_sample_once_per_epoch(batch_size, samples):
    seen = []

    class Looks(models.Sequential):
        def train_step(self, data):
            seen.append(np.asarray(data[0])[:, 0])
            return super().train_step(data)

    model = Looks([layers.Dense(1, input_shape=(1,))])
    model.compile(optimizer=optimizers.SGD(1e-30), loss="mse", run_eagerly=True)
    x = np.arange(samples, dtype="float32")[:, None]
    model.fit(x, x * 0, batch_size=batch_size, epochs=2, verbose=0)
    per_epoch = -(-samples // batch_size)
    assert len(seen) == 2 * per_epoch
    for epoch in (seen[:per_epoch], seen[per_epoch:]):
        assert sorted(np.concatenate(epoch)) == list(range(samples))
        assert [len(batch) for batch in epoch] == [batch_size] * (samples // batch_size) + [samples % batch_size] * (
            samples % batch_size > 0
        )


def test_one_trace_serves_all_batches_and_epochs():
    model = linear()
    traces = []
    step = model.train_step

    class Counts(callbacks.Callback):
        def on_train_begin(self, logs=None):
            traces.append(0)

    model.train_step = lambda data: (traces.append(1), step(data))[1]
    model.fit(X, Y, batch_size=7, epochs=3, verbose=0, callbacks=[Counts()])
    model.fit(X[:9], Y[:9], batch_size=4, verbose=0)
    assert sum(traces) == 1


def test_eager_and_traced_training_agree():
    a, b = (linear("adam", run_eagerly=eagerly, metrics=["mae"]) for eagerly in (False, True))
    results = [m.fit(X, Y, epochs=3, batch_size=7, verbose=0, shuffle=False).history for m in (a, b)]
    assert close(a, b)
    assert all(np.allclose(results[0][k], results[1][k], rtol=1e-5) for k in results[0])
    assert b.run_eagerly
    b.run_eagerly = False
    b.fit(X, Y, verbose=0)


def test_compile_again_starts_with_a_new_program():
    model = linear(optimizers.SGD(0.1))
    model.fit(X, Y, verbose=0)
    model.compile(optimizer=optimizers.SGD(1e-30), loss="mae", metrics=["mse"])
    before, predicted = model.get_weights(), model.predict(X, verbose=0)
    history = model.fit(X, Y, verbose=0).history
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert np.isclose(history["loss"][0], abs(predicted - Y).mean(), rtol=1e-5)
    assert list(history) == ["loss", "mse"]


def test_steps_per_execution_changes_nothing_but_the_callbacks():
    a, b = linear(), linear(steps_per_execution=3)
    for model in (a, b):
        model.fit(X, Y, batch_size=5, epochs=2, verbose=0, shuffle=False)
    assert same(a, b)


# --- reproducibility


def test_the_same_seed_gives_the_same_training():
    def train():
        utils.set_random_seed(3)
        model = models.Sequential(
            [layers.Dense(8, activation="relu", input_shape=(4,)), layers.Dropout(0.3), layers.Dense(1)]
        )
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=3, batch_size=5, verbose=0)
        return model

    a, b = train(), train()
    assert same(a, b)
    utils.set_random_seed(4)
    c = linear("adam")
    utils.set_random_seed(5)
    d = linear("adam")
    for model in (c, d):
        model.fit(X, Y, epochs=2, batch_size=5, verbose=0)
    assert not same(c, d)


def test_the_same_seed_gives_the_same_bits_in_every_process():
    code = """
import numpy as np
from autograd_nn import layers, models, utils
utils.set_random_seed(7)
x = np.random.normal(size=(40, 3))
model = models.Sequential([layers.Dense(5, activation="relu"), layers.Dropout(0.5), layers.Dense(1)])
model.compile("rmsprop", "mse")
model.fit(x, x[:, 0], epochs=2, batch_size=16, verbose=0)
print(b"".join(w.tobytes() for w in model.get_weights()).hex())
"""
    runs = [
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout != ""


def test_shuffling_is_new_in_every_epoch_and_can_be_switched_off():
    orders = []

    class Looks(models.Sequential):
        def train_step(self, data):
            orders.append(np.asarray(data[0])[:, 0].tolist())
            return super().train_step(data)

    model = Looks([layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse", run_eagerly=True)
    x = np.arange(50.0)[:, None]
    model.fit(x, x, batch_size=50, epochs=3, verbose=0)
    assert orders[0] != orders[1] != orders[2] != orders[0]
    model.fit(x, x, batch_size=50, epochs=2, verbose=0, shuffle=False)
    assert orders[3] == orders[4] == x[:, 0].tolist()


def test_training_leaves_the_data_alone():
    x, y = X.copy(), Y.copy()
    linear().fit(x, y, epochs=2, batch_size=5, verbose=0, validation_split=0.3)
    assert np.array_equal(x, X)
    assert np.array_equal(y, Y)


# --- validation


def test_validation_split_takes_the_last_samples_and_does_not_train_on_them():
    y = Y.copy()
    y[-6:] = 1e6
    model = linear()
    history = model.fit(X, y, validation_split=0.25, verbose=0).history
    assert history["loss"][0] < 1e6 < history["val_loss"][0]


def test_validation_data_overrides_validation_split():
    model, other = linear(), linear()
    history = model.fit(
        X, Y, validation_split=0.5, validation_data=(X[:2], Y[:2], [1.0, 0.0]), verbose=0, shuffle=False
    ).history
    other.fit(X, Y, verbose=0, shuffle=False)
    assert same(model, other)
    assert np.isclose(
        history["val_loss"][0], model.evaluate(X[:2], Y[:2], sample_weight=np.array([1.0, 0.0]), verbose=0)
    )


@pytest.mark.parametrize("frequency, expected", [(1, 4), (2, 2), ([1, 4], 2), (5, 0)])
def test_validation_frequency(frequency, expected):
    history = linear().fit(X, Y, epochs=4, validation_split=0.5, validation_freq=frequency, verbose=0).history
    assert len(history.get("val_loss", [])) == expected
    assert len(history["loss"]) == 4


def test_validation_leaves_the_training_metrics_alone():
    with_validation, without = linear(metrics=["mae"]), linear(metrics=["mae"])
    a = with_validation.fit(X, Y, epochs=2, verbose=0, shuffle=False, validation_data=(X * 5, Y)).history
    b = without.fit(X, Y, epochs=2, verbose=0, shuffle=False).history
    assert {k: v for k, v in a.items() if not k.startswith("val_")} == b


# --- single batches


def test_train_on_batch_is_one_step_of_fit():
    a, b = linear(metrics=["mae"]), linear(metrics=["mae"])
    result = a.train_on_batch(X, Y)
    history = b.fit(X, Y, batch_size=24, shuffle=False, verbose=0).history
    assert same(a, b)
    assert result == [history["loss"][0], history["mae"][0]]
    assert a.test_on_batch(X, Y, return_dict=True) == dict(
        zip(("loss", "mae"), a.evaluate(X, Y, batch_size=24, verbose=0))
    )
    assert np.array_equal(a.predict_on_batch(X), a.predict(X, batch_size=24, verbose=0))
    assert isinstance(linear().train_on_batch(X, Y, sample_weight=np.ones(24)), float)
