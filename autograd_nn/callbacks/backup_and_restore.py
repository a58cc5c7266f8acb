"""Training that is interrupted, by whatever, and taken up again as if nothing had happened."""

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidArgument, ModelFileError, NoRight, short
from ..saving.atomic import as_path
from ..saving.container import read_arrays, read_metadata, write_arrays
from .callback import Callback, Logs
from .frequency import Frequency

_FORMAT = "autograd_nn training"
_NAMES = ("latest.safetensors", "second.safetensors")


class BackupAndRestore(Callback):
    """Writes down the whole state of training, and takes it up again in the next call of `fit`.

    backup_dir:        a folder for this training alone; made if need be
    save_freq:         "epoch", or after so many batches
    double_checkpoint: keep the last two backups: where the newest cannot be read, the one before is taken
    delete_checkpoint: remove the backups when training has ended

    A program that was killed at any moment, by SIGKILL too, goes on when it is simply run again, and ends with the same
    bits: weights, state of the optimizer, history, results of metrics in the middle of an epoch, the files of
    CSVLogger, all random numbers, what EarlyStopping and the other callbacks remember, and callbacks of your own that
    define `get_state` and `set_state`. Backups are written beside the old one, brought to the disk, and put in its
    place, so that the newest can be read at every moment; a first one is written before the first step.

    Arrays go on at the very batch. Of a generator, the batches given before are drawn again and dropped; a PyDataset is
    asked for the batches that are left, and what its `on_epoch_end` has changed does not come back.

    Ctrl-C ends training after the step that runs, writes a backup of that step, and raises KeyboardInterrupt. SIGTERM
    ends a Python program at once: the last backup counts, as with SIGKILL; for a backup of the last step call
    `signal.signal(signal.SIGTERM, signal.default_int_handler)` at the start of the program.

    The learning rate is part of the state. `fit` raises ModelFileError for the backup of another model, of other data,
    or of another `batch_size`, and for one that is broken; OSError where the folder cannot be written to.

    >>> import tempfile
    >>> import autograd_nn as ag
    >>> folder = tempfile.mkdtemp()
    >>> model = ag.Sequential([ag.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> x = np.ones((8, 2), "float32")
    >>> class Fails(ag.callbacks.Callback):
    ...     def on_epoch_begin(self, epoch, logs=None):
    ...         if epoch == 2:
    ...             raise RuntimeError("power cut")
    >>> backup = ag.callbacks.BackupAndRestore(folder)
    >>> model.fit(x, x[:, :1], epochs=4, verbose=0, callbacks=[backup, Fails()])
    Traceback (most recent call last):
    RuntimeError: power cut
    >>> model.fit(x, x[:, :1], epochs=4, verbose=0, callbacks=[backup]).epoch
    [0, 1, 2, 3]
    """

    comes_last = True

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        for name, value in (("double_checkpoint", double_checkpoint), ("delete_checkpoint", delete_checkpoint)):
            if not isinstance(value, (bool, np.bool_)):
                raise InvalidArgument(f"BackupAndRestore: {name} must be True or False, got {short(value)}")
        self.backup_dir = as_path(backup_dir)
        self._frequency = Frequency(save_freq, "BackupAndRestore")
        self.save_freq = save_freq
        self.double_checkpoint = bool(double_checkpoint)
        self.delete_checkpoint = bool(delete_checkpoint)
        self._count = 0

    def batches_ahead(self) -> float:
        """How many batches may pass before the next backup."""
        return self._frequency.ahead()

    def get_state(self) -> dict[str, Any]:
        return {"count": self._count, **self._frequency.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        self._count = state["count"]
        self._frequency.set_state(state)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._make_folder()
        found = self._newest()
        if found is None:
            self._frequency = Frequency(self.save_freq, "BackupAndRestore")
            self._count = 0
            self._save()
        else:
            self.model.training_progress.resume(*found)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._frequency.due(batch):
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save()

    def on_interrupt(self) -> None:
        self._save()

    def on_train_end(self, logs: Logs = None) -> None:
        if not self.delete_checkpoint:
            return
        # The newest last: a program killed between the two takes up the end of training, not an older state.
        for path in reversed(self._by_age()):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.rmdir(self.backup_dir)

    # --- files

    def _make_folder(self) -> None:
        try:
            os.makedirs(self.backup_dir, exist_ok=True)
        except OSError as error:
            raise NoRight(
                f"BackupAndRestore: cannot make the folder {short(self.backup_dir)}: {error.strerror}"
            ) from None

    def _save(self) -> None:
        """Write a backup in the place of the oldest."""
        self._count += 1
        place = self._count % 2 if self.double_checkpoint else 0
        arrays = self.model.training_progress.gather()
        write_arrays(self._paths()[place], arrays, {"format": _FORMAT, "count": str(self._count)})

    def _paths(self) -> list[Path]:
        return [Path(self.backup_dir) / name for name in _NAMES]

    def _by_age(self) -> list[Path]:
        """The backups there are, newest first; those that cannot be read last."""
        return sorted(filter(Path.exists, self._paths()), key=_count_of, reverse=True)

    def _newest(self) -> tuple[dict[str, np.ndarray], str] | None:
        """The arrays of the newest backup that can be read, and its name; ModelFileError where none can be."""
        broken: ModelFileError | None = None
        for path in self._by_age():
            try:
                return read_arrays(path)[0], short(str(path))
            except ModelFileError as error:
                broken = broken or error
        if broken is not None:
            raise ModelFileError(f"BackupAndRestore: {broken}; remove it to train from the beginning") from None
        return None


def _count_of(path: Path) -> int:
    try:
        return int(read_metadata(path).get("count", "-1"))
    except (ModelFileError, ValueError):
        return -1
