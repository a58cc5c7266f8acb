"""Many steps in one call are the same steps."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn.backends.numba.machine.kernel import interpreted
from autograd_nn.models import data, hurry

from ..backends.common import on

X = np.random.default_rng(0).normal(size=(203, 6)).astype("float32")
Y = np.random.default_rng(1).normal(size=(203, 2)).astype("float32")


@pytest.fixture(autouse=True)
def numba():
    with on("numba"):
        yield


class Watches(ag.callbacks.Callback):
    """Looks at every batch, so that each is a call of its own."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((batch, logs["loss"]))


def trained(callbacks=(), epochs=3, x=X, y=Y, **arguments):
    ag.utils.set_random_seed(7)
    model = ag.Sequential(
        [ag.layers.Dense(5, activation="tanh", input_shape=(6,)), ag.layers.Dropout(0.3), ag.layers.Dense(2)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    history = model.fit(x, y, batch_size=10, epochs=epochs, verbose=0, callbacks=list(callbacks), **arguments)
    return model, history.history


def counted(monkeypatch):
    """How many steps each call of a program ran."""
    calls = []
    plain = hurry.StepProgram.repeat

    def repeat(self, data, feeds, steps):
        found = plain(self, data, feeds, steps)
        calls.append(steps if found is not None else 0)
        return found

    monkeypatch.setattr(hurry.StepProgram, "repeat", repeat)
    return calls


@pytest.mark.skipif(interpreted(), reason="kernels run in Python")
def test_the_same_bits_as_step_by_step(monkeypatch):
    calls = counted(monkeypatch)
    quick, history = trained()
    assert sum(calls) > 40 and max(calls) > 5
    watches = Watches()
    slow, expected = trained([watches])
    assert len(watches.seen) == 3 * 21
    assert history == expected
    for a, b in zip(quick.get_weights(), slow.get_weights()):
        assert a.tobytes() == b.tobytes()
    for a, b in zip(quick.optimizer.variables, slow.optimizer.variables):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_samples_in_order_and_with_weights():
    weights = np.linspace(0, 1, 203).astype("float32")
    quick, history = trained(shuffle=False, sample_weight=weights)
    slow, expected = trained([Watches()], shuffle=False, sample_weight=weights)
    assert history == expected


@pytest.mark.skipif(interpreted(), reason="kernels run in Python")
def test_a_loss_that_is_not_finite_is_found_at_its_batch():
    y = Y.copy()
    y[150] = 3e38
    told = []
    for callbacks in ((), [Watches()]):
        with pytest.raises(ag.errors.TrainingDiverged) as caught:
            trained(callbacks, epochs=1, y=y, shuffle=False)
        told.append(str(caught.value).partition("; ")[0])
    assert told[0] == told[1]
    assert "batch 15 of epoch 1" in told[0]


@pytest.mark.parametrize("most", [0, 2**20])
def test_data_that_must_be_converted_is_so_at_once_or_batch_by_batch(monkeypatch, most):
    calls = counted(monkeypatch)
    monkeypatch.setattr(data, "MOST_CONVERTED", most)
    _, history = trained(x=X.astype("float64"), y=Y)
    assert bool(calls) == bool(most)
    _, expected = trained([Watches()])
    assert history == expected


def test_x_alone(monkeypatch):
    class Pulls(ag.Sequential):
        def train_step(self, x):
            loss = ag.ops.mean((self(x, training=True) - 1) ** 2)
            self.optimizer.apply(ag.gradients(loss, self.trainable_variables), self.trainable_variables)
            return {"loss": loss}

    def history(callbacks):
        model = Pulls([ag.layers.Dense(1, input_shape=(6,), kernel_initializer="zeros")])
        model.compile("sgd")
        return model.fit(X, batch_size=10, epochs=2, shuffle=False, verbose=0, callbacks=callbacks).history

    calls = counted(monkeypatch)
    assert history([]) == history([Watches()]) and calls


def test_weights_that_somebody_holds_stay_as_they_were():
    model, _ = trained()
    held = [v.value for v in model.trainable_variables]
    copies = [a.copy() for a in held]
    model.fit(X, Y, batch_size=10, epochs=2, verbose=0)
    for a, b in zip(held, copies):
        np.testing.assert_array_equal(a, b)
    assert any((a != v.numpy()).any() for a, v in zip(held, model.trainable_variables))


def test_the_progress_bar_moves(capsys):
    ag.utils.set_random_seed(0)
    model = ag.Sequential([ag.layers.Dense(1, input_shape=(6,))])
    model.compile("sgd", "mse")
    model.fit(X, Y[:, :1], batch_size=1, epochs=1, verbose=1)
    assert "203/203" in capsys.readouterr().out


def test_functions_that_watch_batches_see_each():
    seen = []
    trained([ag.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))], epochs=1)
    assert seen == list(range(21))


@pytest.mark.parametrize("seconds", [0.0, 1e-4, 100.0])
def test_the_same_bits_however_steps_are_grouped(monkeypatch, seconds):
    # One output and plain SGD: the step of the bias is one product and one difference, in place or not.
    def weights(seconds):
        monkeypatch.setattr(hurry, "SECONDS_PER_CALL", seconds)
        ag.utils.set_random_seed(1)
        model = ag.Sequential([ag.layers.Dense(1, input_shape=(6,))])
        model.compile(ag.optimizers.SGD(0.05), "mse")
        model.fit(X, Y[:, :1], batch_size=8, epochs=4, verbose=0)
        return [w.tobytes() for w in model.get_weights()]

    assert weights(seconds) == weights(0.0)
