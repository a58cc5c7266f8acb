"""Callbacks that change the learning rate."""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ArgumentTypeError, InvalidArgument, short
from .callback import Callback, Logs
from .monitor import MonitorCallback


class LearningRateScheduler(Callback):
    """Sets the learning rate before every epoch to `schedule(epoch, learning_rate)`.

    schedule: takes the epoch, counted from 0, and the rate now; returns a float. May take the epoch only.
    verbose:  1 says so

    Raises ArgumentTypeError when the schedule does not return a float.

    >>> import autograd_nn as ag
    >>> halve = ag.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise ArgumentTypeError(f"LearningRateScheduler: schedule must be a function, got {short(schedule)}")
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        now = float(optimizer.learning_rate)
        rate = self.schedule(epoch, now) if takes_two(self.schedule) else self.schedule(epoch)
        rate = rate.item() if hasattr(rate, "item") else rate
        if not isinstance(rate, float):
            raise ArgumentTypeError(f"LearningRateScheduler: schedule must return a float, got {short(rate)}")
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def takes_two(function: Callable[..., Any]) -> bool:
    """Whether a function can be called with two positional arguments."""
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when `monitor` has not improved for `patience` epochs.

    factor:    < 1
    min_delta: a smaller change is no improvement
    cooldown:  epochs after a reduction in which nothing is counted
    min_lr:    the rate never gets smaller

    Raises InvalidArgument for a factor >= 1; `fit` raises it for a monitor that is not among the results.

    >>> import autograd_nn as ag
    >>> ag.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5).factor
    0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if not factor < 1:
            raise InvalidArgument(f"ReduceLROnPlateau: factor must be < 1, got {short(factor)}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    _remembered = ("best", "cooldown_counter", "wait")

    def _reset(self) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def in_cooldown(self) -> bool:
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.monitor not in logs:
            warnings.warn(
                f"ReduceLROnPlateau: no {self.monitor!r} in the results of this epoch; there are {', '.join(logs)}"
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(logs[self.monitor], self.best):
            self.best = logs[self.monitor]
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        before = float(optimizer.learning_rate)
        if before <= np.float32(self.min_lr):
            return
        rate = max(before * self.factor, self.min_lr)
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
