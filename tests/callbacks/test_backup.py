"""BackupAndRestore: what it brings back, from where it goes on, and what it refuses."""

import os
import random
import signal

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import callbacks, utils
from autograd_nn.backends.numba.machine.kernel import interpreted
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, ModelFileError
from autograd_nn.models import hurry

X = np.random.default_rng(0).normal(size=(50, 3)).astype("float32")
Y = np.random.default_rng(1).normal(size=(50, 2)).astype("float32")


class Cut(Exception):
    pass


class Cuts(callbacks.Callback):
    """Breaks training off after so many batches, or at a hook."""

    def __init__(self, batches=None, hook=None, epoch=None):
        super().__init__()
        self.left = batches
        if hook is not None:
            setattr(self, hook, lambda *args, **kwargs: self.cut(*args, epoch=epoch))

    def on_train_batch_end(self, batch, logs=None):
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise Cut

    def cut(self, *args, epoch):
        if epoch is None or args[0] == epoch:
            raise Cut


def made(units=2, dropout=0.3, metrics=("mae",), seed=3):
    if seed is not None:
        utils.set_random_seed(seed)
    model = ag.Sequential(
        [ag.layers.Dense(4, "tanh", input_shape=(3,)), ag.layers.Dropout(dropout), ag.layers.Dense(units)]
    )
    model.compile("adam", "mse", metrics=list(metrics))
    return model


def everything(model, history):
    arrays = [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]
    return [a.tobytes() for a in arrays], history.epoch, history.history


def fit(folder, *others, freq=1, model=None, x=X, y=Y, epochs=3, options=None, **arguments):
    """Train with a backup in this folder, without for None; what came out, None if it was broken off."""
    model = model or made()
    backup = [] if folder is None else [callbacks.BackupAndRestore(folder, save_freq=freq, **(options or {}))]
    given = {"batch_size": 10, **arguments} if y is not None else arguments
    try:
        return everything(model, model.fit(x, y, epochs=epochs, verbose=0, callbacks=[*backup, *others], **given))
    except Cut:
        return None


def test_a_training_without_an_end_goes_on(tmp_path):
    expected = fit(None)
    folder = tmp_path / "backup"
    for batches in (2, 1, 4, 5):
        assert fit(folder, Cuts(batches)) is None
        assert os.listdir(folder) == ["latest.safetensors"]
    assert fit(folder) == expected
    assert not folder.exists()


@pytest.mark.parametrize("freq", [2, "epoch"])
@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_epoch_end", "on_test_begin", "on_test_end"])
def test_broken_off_at_any_hook(tmp_path, freq, hook):
    arguments = {"validation_data": (X[:9], Y[:9])}
    expected = fit(None, **arguments)
    watched = Cuts(hook=hook, epoch=1 if "epoch" in hook else None)
    assert fit(tmp_path / "b", watched, freq=freq, **arguments) is None
    assert fit(tmp_path / "b", freq=freq, **arguments) == expected


def test_before_the_first_batch_and_after_the_last(tmp_path):
    expected = fit(None)
    assert fit(tmp_path / "a", Cuts(hook="on_epoch_begin", epoch=0)) is None
    # The first weights come back, whatever the seed of the second program is.
    assert fit(tmp_path / "a", model=made(seed=None)) == expected
    assert fit(tmp_path / "b", Cuts(hook="on_train_end")) is None
    assert fit(tmp_path / "b") == expected


def test_without_a_seed(tmp_path):
    model = made(seed=None)
    start = model.get_weights()
    assert fit(tmp_path / "b", Cuts(7), model=model) is None
    resumed = made(seed=None)
    assert fit(tmp_path / "b", model=resumed)[1] == [0, 1, 2]
    assert not any(np.array_equal(a, b) for a, b in zip(start, resumed.get_weights()))


@pytest.mark.skipif(interpreted(), reason="kernels run in Python")
@pytest.mark.parametrize("freq", [7, "epoch"])
def test_many_steps_in_a_call(tmp_path, monkeypatch, freq):
    counts = []
    repeat = hurry.StepProgram.repeat
    monkeypatch.setattr(
        hurry.StepProgram, "repeat", lambda self, *given: counts.append(given[-1]) or repeat(self, *given)
    )

    def cut(epoch, logs):
        if epoch == 1:
            raise Cut

    x, y = np.tile(X, (8, 1)), np.tile(Y, (8, 1))
    expected = fit(None, x=x, y=y)
    assert max(counts) > 7
    counts.clear()
    assert fit(tmp_path / "b", callbacks.LambdaCallback(on_epoch_end=cut), freq=freq, x=x, y=y) is None
    assert freq == "epoch" or 1 < max(counts) <= 7
    assert fit(tmp_path / "b", freq=freq, x=x, y=y) == expected


@pytest.mark.parametrize("cut", [1, 4])
def test_steps_per_execution_and_steps_per_epoch(tmp_path, cut):
    def model():
        found = made()
        found.compile("adam", "mse", metrics=["mae"], steps_per_execution=2)
        return found

    # Three batches of each epoch of five: where an epoch begins moves through the data.
    expected = fit(None, model=model(), steps_per_epoch=3)
    assert fit(tmp_path / "b", Cuts(cut), model=model(), steps_per_epoch=3) is None
    assert fit(tmp_path / "b", model=model(), steps_per_epoch=3) == expected


def test_metrics_that_make_their_state_late(tmp_path):
    expected = fit(None, model=made(metrics=["r2_score"]))
    assert fit(tmp_path / "b", Cuts(3), model=made(metrics=["r2_score"])) is None
    assert fit(tmp_path / "b", model=made(metrics=["r2_score"])) == expected


# --- data that gives its batches itself


def generator(seed=0):
    draw = np.random.default_rng(seed)
    while True:
        x = draw.normal(size=(6, 3)).astype("float32")
        yield x, x[:, :2]


class Batches(utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return X[index * 10 : index * 10 + 10], Y[index * 10 : index * 10 + 10]


class Anew:
    """Can be iterated anew in every epoch."""

    def __iter__(self):
        return iter([(X[k : k + 10], Y[k : k + 10]) for k in range(0, 50, 10)])


SOURCES = {
    "generator": (generator, {"steps_per_epoch": 4}),
    "dataset": (Batches, {}),
    "dataset by threads": (lambda: Batches(workers=2), {}),
    "dataset in parts": (Batches, {"steps_per_epoch": 3}),
    "iterable": (Anew, {}),
    "iterable in parts": (Anew, {"steps_per_epoch": 3}),
}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("cut", [2, 6])
def test_data_that_gives_its_batches(tmp_path, kind, cut):
    make, arguments = SOURCES[kind]

    def run(folder, *others):
        held = {"validation_data": generator(1), "validation_steps": 2}
        return fit(folder, *others, x=make(), y=None, **arguments, **held)

    expected = run(None)
    assert run(tmp_path / "b", Cuts(cut)) is None
    assert run(tmp_path / "b") == expected


def test_a_generator_that_has_become_shorter(tmp_path):
    pairs = [(X[:5], Y[:5])] * 8
    assert fit(tmp_path / "b", Cuts(6), x=iter(pairs), y=None, steps_per_epoch=4, epochs=2) is None
    with pytest.raises(ag.errors.DataError, match="ends after 3 batches; 5 were taken before"):
        fit(tmp_path / "b", x=iter(pairs[:3]), y=None, steps_per_epoch=4, epochs=2)


# --- what callbacks remember


def test_callbacks_of_this_library(tmp_path):
    def others(table, *more):
        return [
            callbacks.EarlyStopping("loss", patience=1, min_delta=0.5, restore_best_weights=True),
            callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.5),
            callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5),
            callbacks.CSVLogger(table),
            *more,
        ]

    expected = fit(None, *others(tmp_path / "a.csv"), epochs=5)
    assert expected[1] == [0, 1]
    for cut in (3, 7, 2):
        fit(tmp_path / "b", *others(tmp_path / "b.csv", Cuts(cut)), epochs=5)
    assert fit(tmp_path / "b", *others(tmp_path / "b.csv"), epochs=5) == expected
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


def test_training_that_was_stopped_stays_so(tmp_path):
    class Stops(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    class CutsWhenStopped(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise Cut

    expected = fit(None, Stops())
    assert fit(tmp_path / "b", Stops(), CutsWhenStopped()) is None
    assert fit(tmp_path / "b", Stops()) == expected


def test_rows_that_come_again_are_cut_off(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("earlier\n")
    logger = callbacks.CSVLogger(table, append=True)
    assert fit(tmp_path / "b", logger, Cuts(hook="on_epoch_end", epoch=1), freq=3) is None
    assert len(table.read_text().splitlines()) == 3
    fit(tmp_path / "b", callbacks.CSVLogger(table, append=True), freq=3)
    assert [line.split(",")[0] for line in table.read_text().splitlines()] == ["earlier", "0", "1", "2"]


def test_a_table_that_is_gone(tmp_path):
    table = tmp_path / "t.csv"
    assert fit(tmp_path / "b", callbacks.CSVLogger(table), Cuts(8)) is None
    table.unlink()
    with pytest.warns(UserWarning, match="lacks the rows of earlier epochs"):
        fit(tmp_path / "b", callbacks.CSVLogger(table))
    assert [line.split(",")[0] for line in table.read_text().splitlines()] == ["epoch", "1", "2"]


class Remembers(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = {"numbers": [], "pair": (0, None), "array": np.zeros(2, "float32"), "draws": []}

    def on_train_batch_end(self, batch, logs=None):
        self.seen["numbers"].append(logs["loss"])
        self.seen["pair"] = (batch, "batch")
        self.seen["array"] = self.seen["array"] + np.float32(0.1)
        self.seen["draws"] += [
            random.random(),
            float(np.random.uniform()),
            float(ag.random.uniform(())),
            random.gauss(0, 1),
        ]

    def get_state(self):
        return self.seen

    def set_state(self, state):
        self.seen = state


def test_a_users_callback_and_all_random_numbers(tmp_path):
    whole, first, second = Remembers(), Remembers(), Remembers()
    fit(None, whole)
    assert fit(tmp_path / "b", first, Cuts(8)) is None
    # The callback is called before the one that breaks off, and the backup after both: step 8 comes again.
    fit(tmp_path / "b", second)
    assert second.seen["draws"] == whole.seen["draws"]
    assert second.seen["numbers"] == whole.seen["numbers"]
    assert second.seen["pair"] == whole.seen["pair"]
    assert second.seen["array"].tobytes() == whole.seen["array"].tobytes()
    assert second.seen["array"].dtype == np.float32


def test_a_state_that_cannot_be_written(tmp_path):
    class Holds(callbacks.Callback):
        def get_state(self):
            return {"model": self.model}

    with pytest.raises(ArgumentTypeError, match="get_state of Holds holds <Sequential"):
        fit(tmp_path / "b", Holds())


# --- files


def test_a_finished_training_that_is_kept_goes_on_with_more_epochs(tmp_path):
    kept = {"delete_checkpoint": False}
    expected = fit(None, epochs=5)
    fit(tmp_path / "b", epochs=3, options=kept)
    assert fit(tmp_path / "b", epochs=3, options=kept)[1] == [0, 1, 2]
    assert fit(tmp_path / "b", epochs=5, options=kept) == expected


def test_other_files_in_the_folder_stay(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    fit(tmp_path)
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_the_one_before_is_taken_where_the_newest_is_broken(tmp_path):
    expected = fit(None)
    options = {"double_checkpoint": True}
    assert fit(tmp_path, Cuts(7), options=options) is None
    paths = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert [path.name for path in paths] in (
        ["latest.safetensors", "second.safetensors"], ["second.safetensors", "latest.safetensors"],
    )  # fmt: skip
    data = bytearray(paths[-1].read_bytes())
    data[-3] ^= 1
    paths[-1].write_bytes(data)
    assert fit(tmp_path, options=options) == expected


def test_a_broken_backup_is_refused(tmp_path):
    assert fit(tmp_path, Cuts(7)) is None
    path = tmp_path / "latest.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match=r"is broken.*remove it to train from the beginning"):
        fit(tmp_path)
    assert path.read_bytes() == before


def test_a_file_of_something_else_is_refused(tmp_path):
    made().save(tmp_path / "latest.safetensors")
    with pytest.raises(ModelFileError, match="is not the backup of a training"):
        fit(tmp_path)


@pytest.mark.parametrize(
    "change, match",
    [
        ({"model": lambda: made(units=3), "y": np.ones((50, 3), "float32")}, "the layers"),
        ({"model": lambda: made(dropout=0.4)}, "the layers"),
        ({"x": X + 1}, "training data: array 0"),
        ({"y": Y * 2}, "training data: array 1"),
        ({"x": X[:40], "y": Y[:40]}, "training data"),
        ({"batch_size": 20}, "training data: batch_size 10 there, 20 now"),
        ({"shuffle": False}, "training data: shuffle True there, False now"),
        ({"validation_split": 0.2}, "training data"),
        ({"validation_data": (X, Y)}, "validation data"),
        ({"steps_per_epoch": 3}, "steps_per_epoch None there, 3 now"),
    ],
)
def test_another_training_is_refused(tmp_path, change, match):
    assert fit(tmp_path, Cuts(7)) is None
    before = (tmp_path / "latest.safetensors").read_bytes()
    model = change.pop("model", made)()
    weights = model.get_weights()
    with pytest.raises(ModelFileError, match=f"backup of another training .{match}"):
        fit(tmp_path, model=model, **change)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))
    assert (tmp_path / "latest.safetensors").read_bytes() == before


def test_places_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PermissionError, match="cannot make the folder"):
        fit(tmp_path / "file" / "b", Cuts(1))
    (tmp_path / "b" / "latest.safetensors").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        fit(tmp_path / "b", Cuts(1))


@pytest.mark.parametrize(
    "arguments, match",
    [
        ({"save_freq": 0}, "save_freq must be"),
        ({"save_freq": False}, "save_freq must be"),
        ({"backup_dir": ""}, "path must be text"),
        ({"double_checkpoint": 2}, "double_checkpoint must be True or False"),
        ({"delete_checkpoint": "no"}, "delete_checkpoint must be"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, match):
    with pytest.raises(InvalidArgument, match=match):
        callbacks.BackupAndRestore(**{"backup_dir": "b", **arguments})


# --- Ctrl-C


class Presses(callbacks.Callback):
    """Ctrl-C in the middle of a step: after the program has run, before the callbacks are done."""

    def __init__(self, times=1, number=signal.SIGINT):
        super().__init__()
        self.times, self.number, self.after = times, number, 0

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == 7:
            for _ in range(self.times):
                os.kill(os.getpid(), self.number)
            self.after += 1


def test_ctrl_c_waits_for_the_end_of_the_step_and_is_raised(tmp_path):
    expected = fit(None)
    handler, presses = signal.getsignal(signal.SIGINT), Presses()
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "b", presses, freq="epoch")
    assert presses.after == 1
    assert signal.getsignal(signal.SIGINT) is handler
    found = ag.saving.container.read_arrays(tmp_path / "b" / "latest.safetensors")[0]
    assert found["optimizer/0"] == 7
    assert fit(tmp_path / "b", freq="epoch") == expected


def test_a_second_ctrl_c_does_not_wait(tmp_path):
    presses = Presses(2)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "b", presses, freq="epoch")
    assert presses.after == 0
    assert fit(tmp_path / "b", freq="epoch") == fit(None)


def test_sigterm_with_a_handler_does_the_same(tmp_path):
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path / "b", Presses(number=signal.SIGTERM), freq="epoch")
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)
    assert fit(tmp_path / "b", freq="epoch") == fit(None)
