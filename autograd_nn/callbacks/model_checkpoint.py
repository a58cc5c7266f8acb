"""Saves the model while it trains."""

import errno
import os
import shutil
import string
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InvalidArgument, did_you_mean, short
from ..saving.atomic import as_path, check_writable
from ..saving.files import check_ending
from ..saving.registry import serialize_keras_object
from .callback import Logs
from .frequency import Frequency
from .monitor import MonitorCallback


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after every epoch or every so many batches.

    filepath:          what `model.save` takes, with `{epoch}` (counted from 1), `{batch}` and names of results to be
                       filled in, as in "{epoch:02d}-{val_loss:.2f}.safetensors"
    monitor:           a name in the logs, for `save_best_only`
    verbose:           1 says what is saved and why not
    save_best_only:    save only when `monitor` is better than ever before
    save_weights_only: `model.save_weights` instead of `model.save`
    mode:              "min", "max" or "auto"
    save_freq:         "epoch", or after so many batches; the results are then those of the epoch so far
    initial_value_threshold: what `monitor` must be better than at first

    A file is replaced only by a whole new one. Raises InvalidArgument for an unknown mode or frequency; `fit` raises it
    before the first epoch for an unknown name in `filepath` and, with `save_best_only`, for a monitor that is not among
    the results, ModelFileError for an ending that is not supported, ArgumentTypeError for a model that cannot be saved,
    and OSError where the folder is missing or cannot be written to, or the disk is too small. Folders whose names are
    filled in are made.

    >>> import autograd_nn as ag
    >>> ag.callbacks.ModelCheckpoint("best.safetensors", monitor="loss", save_best_only=True).monitor
    'loss'
    """

    _remembered = ("best",)

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = as_path(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self._frequency = Frequency(save_freq, "ModelCheckpoint")
        self.save_freq = save_freq
        self._epoch = 0
        self._fields()

    def batches_ahead(self) -> float:
        """How many batches may pass before the next one that is saved."""
        return self._frequency.ahead()

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), **self._frequency.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._frequency.set_state(state)

    def check_before_training(self, known: Sequence[str], more: bool) -> None:
        """What would go wrong at the first saving, raised before the first step.

        known: the names of results; more: whether callbacks or the model may add others
        """
        results = known if self.save_freq == "epoch" else [name for name in known if not name.startswith("val_")]
        names = ["epoch", *([] if self.save_freq == "epoch" else ["batch"]), *results]
        for name in self._fields():
            hint = did_you_mean(name, names)
            if name not in names and (hint or not more):
                raise InvalidArgument(
                    f"ModelCheckpoint: filepath {short(self.filepath)} names {name!r}{hint or '; '}"
                    f"{'' if hint else 'known: ' + ', '.join(names)}"
                )
        path = self._static_path()
        check_ending(path, not self.save_weights_only)
        if not self.save_weights_only:
            # A layer that no configuration can name is found here rather than after an epoch.
            serialize_keras_object(self.model)
        self._check_place(path)

    def _check_place(self, path: str) -> None:
        check_writable(path)
        folder = os.path.dirname(os.path.realpath(path))
        needed, free = self._least_size(), shutil.disk_usage(folder).free
        if needed > free:
            raise OSError(
                errno.ENOSPC, f"ModelCheckpoint: a file takes {needed} bytes, the disk has {free} bytes left", path
            )

    def _least_size(self) -> int:
        optimizer = None if self.save_weights_only else self.model.optimizer
        held = [*self.model.variables, *(optimizer.variables if optimizer is not None else [])]
        return sum(v.value.nbytes for v in held)

    def _fields(self) -> list[str]:
        """The names in `filepath`; InvalidArgument for a format that cannot be filled in."""
        try:
            parts = [part for part in string.Formatter().parse(self.filepath) if part[1] is not None]
            names = [str(name).partition(".")[0].partition("[")[0] for _, name, _, _ in parts]
            self.filepath.format(**dict.fromkeys(names, 1))
        except (ValueError, IndexError, KeyError, AttributeError, TypeError) as error:
            raise InvalidArgument(
                f"ModelCheckpoint: filepath {short(self.filepath)} cannot be filled in ({error}); write for example "
                "'{epoch:02d}-{val_loss:.2f}.safetensors'"
            ) from None
        return names

    def _static_path(self) -> str:
        """A path like those to come, in a folder that must be there before."""
        path = self.filepath.format(**dict.fromkeys(self._fields(), 1))
        folder, name = os.path.split(self.filepath)
        if "{" not in folder:
            return path
        return os.path.join(os.path.dirname(folder.partition("{")[0]), "1" + os.path.splitext(name)[1])

    # --- saving

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._frequency.due(batch):
            self._save(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, dict(logs or {}))

    def _save(self, epoch: int, values: dict[str, Any]) -> None:
        path = self._path(epoch, values)
        if not self._wanted(epoch, values, path):
            return
        if "{" in os.path.dirname(self.filepath):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        self._say(epoch, f"finished saving model to {path}")

    def _path(self, epoch: int, values: dict[str, Any]) -> str:
        try:
            return self.filepath.format(**{"epoch": epoch + 1, **values})
        except (KeyError, ValueError) as error:
            raise InvalidArgument(
                f"ModelCheckpoint: filepath {short(self.filepath)} cannot be filled in ({error}); the results are "
                f"{', '.join(values)}"
            ) from None

    def _wanted(self, epoch: int, values: dict[str, Any], path: str) -> bool:
        if not self.save_best_only:
            self._say(epoch, f"saving model to {path}")
            return True
        current = values.get(self.monitor)
        if current is None or np.ndim(current) > 0:
            why = "is not among the results" if current is None else "is not one number"
            warnings.warn(f"ModelCheckpoint: {self.monitor!r} {why} ({', '.join(values)}); saving whatever it may be")
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        before = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {before}")
            return False
        self._say(epoch, f"{self.monitor} improved from {before} to {current:.5f}, saving model to {path}")
        self.best = current
        return True

    def _say(self, epoch: int, text: str) -> None:
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: {text}")
