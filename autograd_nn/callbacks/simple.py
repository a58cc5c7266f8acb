"""Small callbacks: functions as a callback, a stop on NaN, a CSV file."""

import csv
import math
import os
import warnings
from collections.abc import Callable
from typing import IO, Any

from ..errors import ArgumentTypeError, TrainingDiverged, did_you_mean, short
from .callback import HOOKS, Callback, Logs


class LambdaCallback(Callback):
    """A callback made of functions: each is called with what the method of that name gets.

    Raises ArgumentTypeError for a name that is no hook, with the nearest known one.

    >>> import autograd_nn as ag
    >>> show = ag.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> show.on_epoch_end(0, {"loss": 0.5})
    0 0.5
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **others: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
            "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end, **others,
        }  # fmt: skip
        for name, function in given.items():
            if name.startswith("on_") and name not in HOOKS:
                hint = did_you_mean(name, HOOKS) or f"; known: {', '.join(HOOKS)}"
                raise ArgumentTypeError(f"LambdaCallback: no hook {name!r}{hint}")
            if function is not None:
                setattr(self, name, function)


class TerminateOnNaN(Callback):
    """Stops training when the loss is not finite; with `raise_error` raises TrainingDiverged.

    Without this callback `fit` raises TrainingDiverged.

    >>> import autograd_nn as ag
    >>> ag.callbacks.TerminateOnNaN().raise_error
    False
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise TrainingDiverged(
                f"the loss is {loss} at batch {batch}; lower the learning rate, or pass clipnorm=1.0"
            )
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True


class CSVLogger(Callback):
    """Writes the results of every epoch into a CSV file.

    filename:  opened when training begins
    separator: one character between the columns
    append:    add to the file instead of replacing it

    >>> import autograd_nn as ag
    >>> ag.callbacks.CSVLogger("training.csv").filename
    'training.csv'
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        if not isinstance(separator, str) or len(separator) != 1:
            raise ArgumentTypeError(f"CSVLogger: separator must be one character, got {short(separator)}")
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self.writer: Any = None
        self.csv_file: IO[str] | None = None
        self.append_header = True
        self._fresh = False
        self._on_disk = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self._close()
        # What an interrupted training has written is kept until it is known whether this one takes it up.
        self.csv_file = open(self.filename, "a", newline="")  # noqa: SIM115
        self._fresh = not self.append
        self.append_header = self._fresh or os.path.getsize(self.filename) == 0
        self.writer = self.keys = None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._empty()

    def _empty(self) -> None:
        if self._fresh and self.csv_file is not None:
            self.csv_file.truncate(0)
        self._fresh = False

    def get_state(self) -> dict[str, Any]:
        """How much of the file is written; so much of it is on the disk when this returns."""
        if self._fresh or self.csv_file is None:
            return {}
        self.csv_file.flush()
        size = os.fstat(self.csv_file.fileno()).st_size
        if size != self._on_disk:
            os.fsync(self.csv_file.fileno())
            self._on_disk = size
        return {"size": size, "keys": self.keys}

    def set_state(self, state: dict[str, Any]) -> None:
        """Cut off what was written after `get_state`, since it comes again."""
        if self.csv_file is None:
            return
        if os.fstat(self.csv_file.fileno()).st_size < state["size"]:
            warnings.warn(f"CSVLogger: {self.filename} lacks the rows of earlier epochs, which cannot be written again")
            self._empty()
            return
        self.csv_file.truncate(state["size"])
        self._fresh, self.append_header = False, state["size"] == 0
        if state["keys"] is not None:
            self._write_with(state["keys"])

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._empty()
        logs = logs or {}
        if self.writer is None:
            self._start(sorted(logs))
        assert self.keys is not None and self.csv_file is not None
        self.writer.writerow({"epoch": epoch, **{key: _cell(logs.get(key, "NA")) for key in self.keys}})
        self.csv_file.flush()

    def _start(self, keys: list[str]) -> None:
        """The header; where the first epoch has no validation, a later one may."""
        validated = any(key.startswith("val_") for key in keys)
        self._write_with(keys if validated else [*keys, *(f"val_{key}" for key in keys)])
        if self.append_header:
            self.writer.writeheader()

    def _write_with(self, keys: list[str]) -> None:
        assert self.csv_file is not None
        self.keys = keys
        self.writer = csv.DictWriter(self.csv_file, ["epoch", *keys], delimiter=self.sep)

    def on_train_end(self, logs: Logs = None) -> None:
        self._empty()
        self._close()

    def _close(self) -> None:
        if self.csv_file is not None and not self.csv_file.closed:
            self.csv_file.close()
        self.writer = None


def _cell(value: Any) -> Any:
    if isinstance(value, str) or not hasattr(value, "__len__"):
        return value
    return f'"[{", ".join(map(str, value))}]"'
