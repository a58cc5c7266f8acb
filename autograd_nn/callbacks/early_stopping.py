"""Stops training when a result no longer gets better."""

import warnings
from typing import Any

from .callback import Logs
from .monitor import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Stops training when `monitor` has not improved for `patience` epochs.

    monitor:              a name in the logs; `val_loss` needs validation data
    min_delta:            a smaller change is no improvement
    patience:             epochs without improvement before training stops
    verbose:              1 says so
    mode:                 "min", "max" or "auto"
    baseline:             a value that must be beaten
    restore_best_weights: go back to the weights of the best epoch at the end
    start_from_epoch:     epochs before this one are not watched

    Raises InvalidArgument for an unknown mode; `fit` raises it for a monitor that is not among the results.

    >>> import autograd_nn as ag
    >>> ag.callbacks.EarlyStopping(monitor="loss", patience=2).patience
    2
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    _remembered = ("wait", "stopped_epoch", "best", "best_weights", "best_epoch")

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights: Any = None
        self.best_epoch = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)
        self.wait += 1
        if self._is_improvement(current, self.best):
            self._improved(epoch, current)
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _improved(self, epoch: int, current: Any) -> None:
        self.best = current
        self.best_epoch = epoch
        if self.restore_best_weights:
            self._keep(epoch)
        if self.baseline is None or self._is_improvement(current, self.baseline):
            self.wait = 0

    def _keep(self, epoch: int) -> None:
        self.best_weights = self.model.get_weights()
        self.best_epoch = epoch

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Logs) -> Any:
        """The watched result in these logs; None with a warning where it is missing."""
        logs = logs or {}
        if self.monitor not in logs:
            warnings.warn(
                f"EarlyStopping: no {self.monitor!r} in the results of this epoch; there are {', '.join(logs)}"
            )
        return logs.get(self.monitor)
