"""Small callbacks: functions as a callback, a stop on NaN, a CSV file."""

import csv
import math
import os
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

    def on_train_begin(self, logs: Logs = None) -> None:
        self._close()
        kept = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self.append_header = not kept
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115
        self.writer = self.keys = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        if self.writer is None:
            self._start(sorted(logs))
        assert self.keys is not None and self.csv_file is not None
        self.writer.writerow({"epoch": epoch, **{key: _cell(logs.get(key, "NA")) for key in self.keys}})
        self.csv_file.flush()

    def _start(self, keys: list[str]) -> None:
        """The header; where the first epoch has no validation, a later one may."""
        validated = any(key.startswith("val_") for key in keys)
        self.keys = keys if validated else [*keys, *(f"val_{key}" for key in keys)]
        assert self.csv_file is not None
        self.writer = csv.DictWriter(self.csv_file, ["epoch", *self.keys], delimiter=self.sep)
        if self.append_header:
            self.writer.writeheader()

    def on_train_end(self, logs: Logs = None) -> None:
        self._close()

    def _close(self) -> None:
        if self.csv_file is not None and not self.csv_file.closed:
            self.csv_file.close()
        self.writer = None


def _cell(value: Any) -> Any:
    if isinstance(value, str) or not hasattr(value, "__len__"):
        return value
    return f'"[{", ".join(map(str, value))}]"'
