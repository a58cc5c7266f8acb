"""ModelCheckpoint: which files it writes, when, and what it refuses before the first step."""

import errno
import os

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import callbacks
from autograd_nn.errors import InvalidArgument, ModelFileError

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = np.stack([X.sum(1), X[:, 0]], 1)


def trained(*cbs, epochs=3, **options):
    model = ag.Sequential([ag.layers.Dense(2, input_shape=(3,))])
    model.compile(ag.optimizers.SGD(0.05), "mse", metrics=["mae"])
    history = model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=list(cbs), **options)
    return model, history


def files(folder):
    return sorted(os.listdir(folder))


def test_names_are_filled_in(tmp_path):
    path = tmp_path / "{epoch:02d}-{val_loss:.2f}.safetensors"
    _, history = trained(callbacks.ModelCheckpoint(path), validation_split=0.2)
    losses = history.history["val_loss"]
    assert files(tmp_path) == [f"{k + 1:02d}-{loss:.2f}.safetensors" for k, loss in enumerate(losses)]


def test_the_last_file_is_the_model(tmp_path):
    path = tmp_path / "model.safetensors"
    model, _ = trained(callbacks.ModelCheckpoint(path))
    loaded = ag.models.load_model(path)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), loaded.get_weights()))
    assert loaded.optimizer.get_config() == model.optimizer.get_config()


def test_weights_only_after_every_second_batch(tmp_path):
    path = tmp_path / "{epoch}-{batch}.safetensors"
    model, _ = trained(callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=2))
    # Five batches per epoch; the count goes on from epoch to epoch.
    assert files(tmp_path) == [f"{name}.safetensors" for name in ("1-2", "1-4", "2-1", "2-3", "2-5", "3-2", "3-4")]


@pytest.mark.parametrize("save_freq, calls", [(1, 15), (4, 3), (7, 2), ("epoch", 3)])
def test_saved_batches_are_the_same_however_many_steps_a_call_runs(tmp_path, save_freq, calls):
    found = []

    class Counts(callbacks.ModelCheckpoint):
        def _save(self, epoch, values):
            found.append([w.copy() for w in self.model.get_weights()])

    def saved(*others):
        found.clear()
        ag.utils.set_random_seed(1)
        trained(Counts(tmp_path / "m.safetensors", save_freq=save_freq), *others)
        return [w[0].tobytes() for w in found]

    many = saved()
    assert len(many) == calls
    watching = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    assert many == saved(watching)


def test_only_the_best(tmp_path, capsys):
    path = tmp_path / "{epoch}.safetensors"
    checkpoint = callbacks.ModelCheckpoint(path, "val_mae", verbose=1, save_best_only=True, mode="max")
    _, history = trained(checkpoint, validation_split=0.2, epochs=4)
    values = history.history["val_mae"]
    best = [k for k, value in enumerate(values) if value > max(values[:k], default=-np.inf)]
    assert files(tmp_path) == [f"{k + 1}.safetensors" for k in best]
    said = capsys.readouterr().out
    assert f"Epoch 1: val_mae improved from None to {values[0]:.5f}, saving model to" in said
    assert "finished saving model to" in said
    assert checkpoint.best == max(values)


def test_a_value_to_be_beaten_first(tmp_path, capsys):
    options = {"save_best_only": True, "initial_value_threshold": 1e-9, "verbose": 1}
    trained(callbacks.ModelCheckpoint(tmp_path / "m.safetensors", "loss", **options))
    assert files(tmp_path) == []
    assert "Epoch 3: loss did not improve from 0.00000" in capsys.readouterr().out


def test_the_default_monitor_needs_no_validation(tmp_path):
    trained(callbacks.ModelCheckpoint(tmp_path / "m.safetensors"))
    assert files(tmp_path) == ["m.safetensors"]


def test_folders_with_names_to_fill_in_are_made(tmp_path):
    trained(callbacks.ModelCheckpoint(tmp_path / "{epoch}" / "m.safetensors"), epochs=2)
    assert files(tmp_path) == ["1", "2"]


def test_a_result_that_is_missing_now_and_then(tmp_path):
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "{epoch}.safetensors", save_best_only=True)
    with pytest.warns(UserWarning, match="'val_loss' is not among the results"):
        trained(checkpoint, validation_split=0.2, validation_freq=2, epochs=2)
    assert files(tmp_path) == ["1.safetensors", "2.safetensors"]


# --- refused before the first step


class Starts(callbacks.Callback):
    """Fails when training begins, so that what is raised before is seen."""

    def on_train_begin(self, logs=None):
        pytest.fail("training began")


def refused(error, match, checkpoint, **options):
    with pytest.raises(error, match=match) as caught:
        trained(Starts(), checkpoint, **options)
    return caught.value


@pytest.mark.parametrize(
    "name, options, match",
    [
        ("{val_los}.safetensors", {}, "names 'val_los'; did you mean 'val_loss'"),
        ("{epoc:02d}.safetensors", {}, "names 'epoc'; did you mean 'epoch'"),
        ("{batch}.safetensors", {}, "names 'batch'"),
        ("{batch}-{val_loss}.safetensors", {"save_freq": 2}, "names 'val_loss'"),
    ],
)
def test_unknown_names(tmp_path, name, options, match):
    model = ag.Sequential([ag.layers.Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse")
    weights = model.get_weights()
    checkpoint = callbacks.ModelCheckpoint(tmp_path / name, **options)
    with pytest.raises(InvalidArgument, match=match):
        model.fit(X, Y, verbose=0, callbacks=[checkpoint], validation_split=0.2)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))
    assert files(tmp_path) == []


def test_names_that_a_users_callback_may_add(tmp_path):
    class Adds(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["speed"] = 7.0

    trained(Adds(), callbacks.ModelCheckpoint(tmp_path / "{speed:.0f}.safetensors"))
    assert files(tmp_path) == ["7.safetensors"]


@pytest.mark.parametrize("path", ["{}.safetensors", "{epoch:zz}.safetensors", "{epoch.safetensors", "{0}.safetensors"])
def test_formats_that_cannot_be_filled_in(path):
    with pytest.raises(InvalidArgument, match="cannot be filled in"):
        callbacks.ModelCheckpoint(path)


@pytest.mark.parametrize("save_freq", [0, -1, 1.5, "batch", True, None])
def test_frequencies_that_cannot_be_meant(save_freq):
    with pytest.raises(InvalidArgument, match="save_freq must be 'epoch' or a number of batches"):
        callbacks.ModelCheckpoint("m.safetensors", save_freq=save_freq)


def test_places_that_cannot_be_written_to(tmp_path):
    refused(FileNotFoundError, "there is no folder", callbacks.ModelCheckpoint(tmp_path / "no" / "m.safetensors"))
    (tmp_path / "m.safetensors").mkdir()
    refused(IsADirectoryError, "is a folder", callbacks.ModelCheckpoint(tmp_path / "m.safetensors"))


def test_no_right_to_write(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused(PermissionError, "no right to write", callbacks.ModelCheckpoint(tmp_path / "m.safetensors"))


def test_a_disk_that_is_too_small(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 3})())
    error = refused(OSError, "the disk has 3 bytes left", callbacks.ModelCheckpoint(tmp_path / "m.safetensors"))
    assert error.errno == errno.ENOSPC


def test_a_disk_that_gets_full_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    trained(callbacks.ModelCheckpoint(path))
    before = path.read_bytes()

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        trained(callbacks.ModelCheckpoint(path))
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert files(tmp_path) == ["m.safetensors"]


def test_endings_and_models_that_cannot_be_saved(tmp_path):
    refused(ModelFileError, r"\.safetensors", callbacks.ModelCheckpoint(tmp_path / "m.pkl"))


def test_a_monitor_without_validation(tmp_path):
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "m.safetensors", save_best_only=True)
    refused(InvalidArgument, "there is no validation", checkpoint)
