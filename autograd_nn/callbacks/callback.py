"""The base of callbacks, and what is common to all."""

from typing import Any

import numpy as np

from ..engine.signatures import Checked
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, short

Logs = dict[str, Any] | None


class Callback(metaclass=Checked):
    """Base of callbacks: `fit`, `evaluate` and `predict` call its methods at their turns.

    params: dict with "verbose", "epochs" and "steps" (None where unknown)
    model:  the model being trained

    `logs` hold the results so far, as Python floats; what a callback adds to those of `on_epoch_end`, the callbacks
    after it and History see. A callback that remembers something defines `get_state` and `set_state`, so that
    BackupAndRestore can take up an interrupted training with it.

    >>> import autograd_nn as ag
    >>> class Stop(ag.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         self.model.stop_training = epoch >= 3
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    @property
    def model(self) -> Any:
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    def get_state(self) -> dict[str, Any]:
        """What BackupAndRestore keeps of this callback: None, numbers, texts, arrays, and lists, tuples, dicts of them.

        Called between batches and epochs, when all callbacks have had their turn.
        """
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` gave.

        Called after `on_train_begin`, and in the middle of an epoch again after `on_epoch_begin`; not called where the
        state was an empty dict.
        """

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before the first epoch of `fit`."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After the last epoch of `fit`, with the logs of that epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After an epoch and its validation; validation results start with `val_`."""

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """The same as `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """The same as `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of training, counted from 0 in each epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of training, with the results of the epoch so far."""
        self.on_batch_end(batch, logs=logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Before `evaluate`, and before validation in `fit`."""

    def on_test_end(self, logs: Logs = None) -> None:
        """After `evaluate`, and after validation in `fit`."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of evaluation."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """After `predict`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of prediction, with `logs["outputs"]`."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


def plain_logs(logs: Logs) -> dict[str, Any]:
    """Logs sorted by name, with numbers as Python floats and dicts in them unfolded.

    >>> plain_logs({"loss": np.float32(0.5), "all": {"mae": 1}})
    {'mae': 1.0, 'loss': 0.5}
    """
    result: dict[str, Any] = {}
    if not logs:
        return result
    for name, value in sorted(logs.items()):
        if isinstance(value, dict):
            result.update(plain_logs(value))
        else:
            result[name] = plain(value)
    return result


def plain(value: Any) -> Any:
    """A number as a Python float; anything else as it is."""
    if isinstance(value, Tensor):
        value = value.concrete("logs")
    if isinstance(value, (int, float, np.generic)) or isinstance(value, np.ndarray) and value.ndim == 0:
        return float(value)
    return value


def flatten_callbacks(callbacks: Any) -> list[Callback]:
    """One callback, or nested lists of them, as a list; ArgumentTypeError for anything that is none."""
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [callback for item in callbacks for callback in flatten_callbacks(item)]
    if isinstance(callbacks, type):
        raise ArgumentTypeError(f"callbacks: got class {callbacks.__name__}; write {callbacks.__name__}(...)")
    missing = [name for name in ("set_model", "set_params", *HOOKS) if not hasattr(callbacks, name)]
    if missing:
        raise ArgumentTypeError(f"callbacks: expected Callback objects, got {short(callbacks)}; it has no {missing[0]}")
    return [callbacks]
