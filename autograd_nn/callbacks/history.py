"""What `fit` returns: the results of every epoch."""

from typing import Any

from .callback import Callback, Logs


class History(Callback):
    """Keeps the results of every epoch: `history["loss"]` is a list, `epoch` the numbers of the epochs.

    Every model has one; `fit` returns it.

    >>> import autograd_nn as ag
    >>> history = ag.callbacks.History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
