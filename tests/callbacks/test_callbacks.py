"""Callbacks: which hook is called when, with what; and what each callback does."""

import csv
import io
import math
import sys

import numpy as np
import pytest
from rich.console import Console

from autograd_nn import callbacks, layers, models, optimizers, utils
from autograd_nn.callbacks.callback import HOOKS
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, TrainingDiverged

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def model_for(learning_rate=0.05, **options):
    model = models.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile(optimizer=optimizers.SGD(learning_rate), loss="mse", **options)
    return model


class Recorder(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []


for name in HOOKS:
    if name.startswith("on_batch"):
        continue

    def hook(self, *args, name=name, **kwargs):
        self.calls.append((name, *[a for a in args if not isinstance(a, dict)]))
        self.logs = next((a for a in (*args, kwargs.get("logs")) if isinstance(a, dict)), None)

    setattr(Recorder, name, hook)


def short(calls):
    return [name.removeprefix("on_") + "".join(map(str, rest)) for name, *rest in calls]


def test_hooks_of_fit():
    recorder = Recorder()
    model_for().fit(X, Y, batch_size=6, epochs=2, verbose=0, validation_data=(X[:3], Y[:3]), callbacks=[recorder])
    batches = ["train_batch_begin0", "train_batch_end0", "train_batch_begin1", "train_batch_end1"]
    test = ["test_begin", "test_batch_begin0", "test_batch_end0", "test_end"]
    epochs = [[f"epoch_begin{k}", *batches, *test, f"epoch_end{k}"] for k in range(2)]
    assert short(recorder.calls) == ["train_begin", *epochs[0], *epochs[1], "train_end"]
    assert recorder.params == {"verbose": 0, "epochs": 2, "steps": 2}
    assert list(recorder.logs) == ["loss", "val_loss"]
    assert all(isinstance(value, float) for value in recorder.logs.values())


def test_hooks_of_evaluate_and_predict():
    recorder = Recorder()
    model = model_for(metrics=["mae"])
    model.evaluate(X, Y, batch_size=8, verbose=0, callbacks=[recorder])
    model.predict(X, batch_size=8, verbose=0, callbacks=recorder)
    steps = [
        [f"{kind}_begin", *[f"{kind}_batch_{when}{k}" for k in (0, 1) for when in ("begin", "end")], f"{kind}_end"]
        for kind in ("test", "predict")
    ]
    assert short(recorder.calls) == [*steps[0], *steps[1]]


def test_predictions_reach_the_callback():
    found = []

    class Outputs(callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            found.append(logs["outputs"])

    result = model_for().predict(X, batch_size=5, verbose=0, callbacks=[Outputs()])
    assert np.array_equal(np.concatenate(found), result)


def test_on_batch_hooks_are_those_of_training():
    seen = []

    class Old(callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(batch)

        def on_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    model_for().fit(X, Y, batch_size=12, verbose=0, callbacks=[Old()])
    assert seen[0] == 0
    assert seen[1] > 0


def test_callbacks_run_every_so_many_batches():
    recorder = Recorder()
    model_for(steps_per_execution=2).fit(X, Y, batch_size=4, verbose=0, callbacks=[recorder])
    assert short(recorder.calls)[2:6] == [
        "train_batch_begin0",
        "train_batch_end1",
        "train_batch_begin2",
        "train_batch_end2",
    ]


def test_training_stops_when_told():
    class Stop(callbacks.Callback):
        def __init__(self, hook, flag):
            super().__init__()
            setattr(self, hook, lambda number, logs=None: setattr(self.model, flag, True))

    model = model_for()
    assert model.fit(X, Y, epochs=9, verbose=0, callbacks=[Stop("on_epoch_end", "stop_training")]).epoch == [0]
    recorder = Recorder()
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[Stop("on_train_batch_end", "stop_training"), recorder])
    assert "train_batch_begin1" not in short(recorder.calls)
    assert model.predict(
        X, batch_size=4, verbose=0, callbacks=[Stop("on_predict_batch_end", "stop_predicting")]
    ).shape == (4, 1)
    recorder = Recorder()
    model.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[Stop("on_test_batch_end", "stop_evaluating"), recorder])
    assert "test_batch_begin1" not in short(recorder.calls)


def test_what_a_callback_adds_to_the_logs_reaches_history():
    class Adds(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["twice"] = 2 * epoch

    history = model_for().fit(X, Y, epochs=2, verbose=0, callbacks=[Adds()])
    assert history.history["twice"] == [0, 2]
    assert list(history.history) == ["loss", "twice"]


def test_history_is_kept_by_the_model_and_replaced():
    model = model_for()
    first = model.fit(X, Y, epochs=2, verbose=0)
    assert model.history is first
    assert model.fit(X, Y, verbose=0) is not first
    own = callbacks.History()
    assert model.fit(X, Y, epochs=3, initial_epoch=1, verbose=0, callbacks=[own]) is own
    assert own.epoch == [1, 2]


def test_nested_lists_and_ready_made_lists():
    a, b = Recorder(), Recorder()
    model = model_for()
    model.fit(X, Y, verbose=0, callbacks=[a, [b]])
    assert a.calls == b.calls
    ready = callbacks.CallbackList([a], add_history=True, model=model, epochs=1, steps=1, verbose=0)
    model.fit(X, Y, verbose=0, callbacks=ready)
    assert model.history.history["loss"]


@pytest.mark.parametrize(
    "wrong, message",
    [
        (callbacks.History, r"got class History; write History\("),
        (3, "expected Callback objects, got 3"),
        ("EarlyStopping", "expected Callback"),
    ],
)
def test_what_is_no_callback(wrong, message):
    with pytest.raises(ArgumentTypeError, match=message):
        callbacks.CallbackList([wrong])


# --- EarlyStopping


class Fake:
    """A model of which callbacks need no more than this."""

    def __init__(self, rate=0.5):
        self.stop_training = False
        self.weights = 0
        self.optimizer = optimizers.SGD(rate)

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def run(callback, values, name="val_loss"):
    """Epochs with these results; the number of epochs run."""
    model = Fake()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    callback.on_train_end({})
    return epoch + 1, model


@pytest.mark.parametrize(
    "options, values, expected",
    [
        ({}, [1.0, 0.5, 0.6, 0.1], 3),
        ({"patience": 2}, [1.0, 0.5, 0.6, 0.7, 0.1], 4),
        ({"patience": 2}, [1.0, 0.5, 0.6, 0.4, 0.5, 0.6, 0.7], 6),
        ({"min_delta": 0.2}, [1.0, 0.9, 0.1], 2),
        ({"mode": "max"}, [0.1, 0.5, 0.4, 0.9], 3),
        ({"baseline": 0.3, "patience": 2}, [1.0, 0.9, 0.95, 0.1], 3),
        ({"start_from_epoch": 2, "patience": 1}, [1.0, 2.0, 3.0, 4.0, 5.0], 4),
        ({"patience": 5}, [1.0, 2.0, 3.0], 3),
    ],
)
def test_early_stopping(options, values, expected):
    assert run(callbacks.EarlyStopping(**options), values)[0] == expected


def test_early_stopping_goes_back_to_the_best_weights(capsys):
    callback = callbacks.EarlyStopping(patience=2, restore_best_weights=True, verbose=1)
    epochs, model = run(callback, [1.0, 0.2, 0.6, 0.7, 0.1])
    assert (epochs, model.weights, callback.best, callback.best_epoch) == (4, 1, 0.2, 1)
    said = capsys.readouterr().out
    assert "Epoch 4: early stopping" in said
    assert "best epoch: 2" in said


def test_early_stopping_knows_which_metrics_grow():
    model = models.Sequential([layers.Dense(1, activation="sigmoid", input_shape=(3,))])
    model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])
    stop = callbacks.EarlyStopping("val_accuracy", patience=1)
    model.fit(X, Y > 0, epochs=2, validation_split=0.5, verbose=0, callbacks=[stop])
    assert stop.monitor_op(2, 1)
    unknown = callbacks.EarlyStopping("mine")
    with pytest.raises(InvalidArgument, match="mode='max' or 'min'"):
        run(unknown, [1.0], "mine")


def test_early_stopping_warns_of_a_missing_result():
    with pytest.warns(UserWarning, match="no 'val_loss' in the results of this epoch; there are loss"):
        run(callbacks.EarlyStopping(), [1.0], "loss")


@pytest.mark.parametrize(
    "options, message",
    [({"mode": "mim"}, "unknown mode 'mim'; did you mean 'min'"), ({"monitor": 3}, "monitor must be")],
)
def test_monitors_that_cannot_be_meant(options, message):
    with pytest.raises(InvalidArgument, match=message):
        callbacks.EarlyStopping(**options)


# --- learning rates


def test_learning_rate_scheduler(capsys):
    model = model_for(0.5)
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1)
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[halve])
    assert history.history["learning_rate"] == [0.25, 0.125, 0.0625]
    assert "Epoch 3: LearningRateScheduler setting learning rate to 0.0625." in capsys.readouterr().out
    by_epoch = callbacks.LearningRateScheduler(lambda epoch: 0.5 / (epoch + 1))
    assert model.fit(X, Y, epochs=2, verbose=0, callbacks=[by_epoch]).history["learning_rate"] == [0.5, 0.25]
    assert model.make_train_function() is model.make_train_function()


@pytest.mark.parametrize("result", [None, "0.1", [0.1]])
def test_a_schedule_that_returns_no_float(result):
    with pytest.raises(ArgumentTypeError, match="schedule must return a float"):
        model_for().fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch, rate: result)])


def test_an_error_inside_a_schedule_is_the_users_own():
    def broken(epoch, rate):
        return rate + None

    with pytest.raises(TypeError, match="unsupported operand"):
        model_for().fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(broken)])


@pytest.mark.parametrize(
    "options, values, expected",
    [
        ({"patience": 1}, [1.0, 1.0, 1.0], [0.5, 0.05, 0.005]),
        ({"patience": 2, "factor": 0.5}, [1.0, 1.0, 1.0, 0.5], [0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "factor": 0.5, "cooldown": 1}, [1.0, 1.0, 1.0, 1.0], [0.5, 0.25, 0.125, 0.0625]),
        ({"patience": 1, "factor": 0.5, "cooldown": 2}, [1.0, 1.0, 1.0, 1.0], [0.5, 0.25, 0.25, 0.125]),
        ({"patience": 1, "factor": 0.5, "min_lr": 0.2}, [1.0, 1.0, 1.0], [0.5, 0.25, 0.2]),
        ({"patience": 1, "factor": 0.5, "min_delta": 0.3}, [1.0, 0.8, 0.2], [0.5, 0.25, 0.25]),
    ],
)
def test_reduce_on_plateau(options, values, expected):
    callback = callbacks.ReduceLROnPlateau(**options)
    model = Fake()
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        logs = {"val_loss": value}
        callback.on_epoch_end(epoch, logs)
        rates.append(float(model.optimizer.learning_rate))
        assert "learning_rate" in logs
    assert np.allclose(rates, expected)


def test_reduce_on_plateau_needs_a_factor_below_one():
    with pytest.raises(InvalidArgument, match="factor must be < 1"):
        callbacks.ReduceLROnPlateau(factor=1.5)


# --- the small ones


def test_lambda_callback():
    seen = []
    callback = callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(epoch),
        on_train_end=lambda logs: seen.append(logs["loss"]),
        on_test_begin=lambda logs: seen.append("test"),
    )
    model_for().fit(X, Y, epochs=2, verbose=0, callbacks=[callback], validation_split=0.5)
    assert seen[:4] == [0, "test", 1, "test"]
    assert isinstance(seen[4], float)
    with pytest.raises(ArgumentTypeError, match="no hook 'on_epoch_edn'; did you mean 'on_epoch_end'"):
        callbacks.LambdaCallback(on_epoch_edn=print)


def test_terminate_on_nan(capsys):
    model = model_for(1e30)
    history = model.fit(X * 100, Y, batch_size=4, epochs=5, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.epoch) == 1
    assert not math.isfinite(history.history["loss"][0])
    assert "Invalid loss, terminating training" in capsys.readouterr().out
    with pytest.raises(TrainingDiverged, match="at batch"):
        model_for(1e30).fit(
            X * 100, Y, batch_size=4, epochs=5, verbose=0, callbacks=[callbacks.TerminateOnNaN(raise_error=True)]
        )


def test_csv_logger(tmp_path):
    file = tmp_path / "log.csv"
    model = model_for()
    logger = callbacks.CSVLogger(file)
    history = model.fit(X, Y, epochs=2, verbose=0, validation_split=0.5, callbacks=[logger]).history
    rows = list(csv.DictReader(file.open()))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert [float(row["val_loss"]) for row in rows] == history["val_loss"]
    model.fit(X, Y, epochs=1, verbose=0, validation_split=0.5, callbacks=[callbacks.CSVLogger(file, append=True)])
    assert [row["epoch"] for row in csv.DictReader(file.open())] == ["0", "1", "0"]
    model.fit(
        X,
        Y,
        epochs=3,
        verbose=0,
        validation_split=0.5,
        validation_freq=2,
        callbacks=[callbacks.CSVLogger(file, separator=";")],
    )
    rows = list(csv.DictReader(file.open(), delimiter=";"))
    assert [row["val_loss"] == "NA" for row in rows] == [True, False, True]
    with pytest.raises(ArgumentTypeError, match="one character"):
        callbacks.CSVLogger(file, separator=", ")


# --- progress


def test_plain_lines_without_a_terminal(capsys):
    model = model_for(metrics=["mae"])
    for verbose in (1, 2, "auto"):
        model.fit(X, Y, batch_size=5, epochs=2, verbose=verbose)
        lines = capsys.readouterr().out.splitlines()
        assert lines[::2] == ["Epoch 1/2", "Epoch 2/2"]
        assert all(
            line.startswith("3/3 - 0s - ") and "step - loss: " in line and " - mae: " in line for line in lines[1::2]
        )
    model.fit(X, Y, verbose=0)
    assert capsys.readouterr().out == ""
    model.evaluate(X, Y, verbose=1)
    model.predict(X, verbose=1)
    assert [line.split(" - ")[0] for line in capsys.readouterr().out.splitlines()] == ["1/1", "1/1"]


def test_validation_shows_in_the_line_of_its_epoch(capsys):
    model_for().fit(X, Y, verbose=2, validation_split=0.5)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert " - loss: " in lines[0]
    assert " - val_loss: " in lines[0]


def test_training_that_is_broken_off_gives_the_terminal_back(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr("rich._console", Console(file=screen, force_terminal=True, width=120))

    def broken(batch, logs):
        raise KeyboardInterrupt

    stop = callbacks.LambdaCallback(on_epoch_end=broken)
    with pytest.raises(KeyboardInterrupt):
        model_for().fit(X, Y, callbacks=[stop])
    assert "1/1" in screen.getvalue()
    assert sys.stdout is screen


def test_unknown_length(capsys):
    class Endless(utils.PyDataset):
        @property
        def num_batches(self):
            return None

        def __getitem__(self, index):
            return X, Y

    model_for().fit(iter([(X, Y)] * 3), steps_per_epoch=3, verbose=2)
    model_for().evaluate(iter([(X, Y)] * 3), verbose=2)
    model_for().fit(Endless(), steps_per_epoch=2, verbose=2)
    assert [line.split(" - ")[0] for line in capsys.readouterr().out.splitlines()] == ["3/3", "3/3", "2/2"]


def test_averages_take_the_place_of_the_weights_to_evaluate():
    model = models.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile(optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5), "mse")
    seen = {}

    class Watch(callbacks.Callback):
        def on_test_begin(self, logs=None):
            seen.setdefault("test", []).append(self.model.layers[0].kernel.numpy())

        def on_train_batch_end(self, batch, logs=None):
            seen.setdefault("train", []).append(self.model.layers[0].kernel.numpy())

    start = model.layers[0].kernel.numpy()
    model.fit(X, Y, batch_size=6, verbose=0, validation_data=(X, Y), callbacks=[callbacks.SwapEMAWeights(), Watch()])
    first, second = seen["train"]
    expected = 0.5 * first + 0.5 * second
    assert np.allclose(seen["test"][0], expected, atol=1e-6)
    assert np.allclose(model.layers[0].kernel.numpy(), expected, atol=1e-6)
    assert not np.allclose(start, expected)


def test_averages_at_the_end_of_an_epoch_are_for_later_callbacks_only():
    model = models.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile(optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5), "mse")
    plain = models.clone_model(model)
    plain.set_weights(model.get_weights())
    plain.compile(optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5), "mse")
    swap = [callbacks.SwapEMAWeights(swap_on_epoch=True)]
    model.fit(X, Y, batch_size=6, epochs=3, shuffle=False, verbose=0, callbacks=swap)
    plain.fit(X, Y, batch_size=6, epochs=3, shuffle=False, verbose=0)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(model.get_weights(), plain.get_weights()))


def test_averages_need_an_optimizer_that_keeps_them():
    with pytest.raises(InvalidArgument, match="use_ema=True"):
        model_for().fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[callbacks.SwapEMAWeights()])
