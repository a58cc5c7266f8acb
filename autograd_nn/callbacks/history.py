"""What `fit` returns: the results of every epoch."""

from typing import Any

from ..errors import deprecated
from .callback import Callback, Logs

_OLD = {
    "acc": ("accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    "mean_absolute_error": ("mae",), "mean_squared_error": ("mse",), "mean_absolute_percentage_error": ("mape",),
    "mean_squared_logarithmic_error": ("msle",),
}  # fmt: skip


class Results(dict[str, list[Any]]):
    """Lists of results by name; older Keras had other names for what "accuracy" and "mae" measure."""

    def __missing__(self, name: str) -> list[Any]:
        kind = name.removeprefix("val_")
        before = name.removesuffix(kind)
        new = next((before + other for other in _OLD.get(kind, ()) if before + other in self), None)
        if new is None:
            raise KeyError(name)
        deprecated(f"history[{name!r}]", f"use history[{new!r}]")
        return self[new]


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
        self.history: dict[str, list[Any]] = Results()
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def get_state(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "history": self.history}

    def set_state(self, state: dict[str, Any]) -> None:
        self.epoch, self.history = state["epoch"], state["history"]
