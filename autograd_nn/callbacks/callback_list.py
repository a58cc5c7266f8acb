"""Several callbacks as one."""

from typing import Any

from .callback import Callback, Logs, flatten_callbacks, plain_logs
from .history import History
from .progbar_logger import ProgbarLogger


class CallbackList(Callback):
    """Several callbacks, called one after the other.

    callbacks:   a callback, or nested lists of them
    add_history: append a History unless there is one
    add_progbar: append a ProgbarLogger unless there is one
    params:      handed to `set_params`

    As a context manager it gives the terminal back when training is broken off.
    Raises ArgumentTypeError for a class and for objects that are no callbacks.

    >>> import autograd_nn as ag
    >>> ag.callbacks.CallbackList(ag.callbacks.History(), epochs=1).params
    {'epochs': 1}
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Callback] = flatten_callbacks(callbacks)
        if add_history:
            self._add(History)
        if add_progbar:
            self._add(ProgbarLogger)
        self._order()
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    def _add(self, kind: type[Callback]) -> None:
        if not any(isinstance(callback, kind) for callback in self.callbacks):
            self.callbacks.append(kind())

    def _order(self) -> None:
        # What writes down the state of the others sees them last, when each of them has done its part.
        self.callbacks.sort(key=lambda callback: getattr(callback, "comes_last", False))

    def __enter__(self) -> "CallbackList":
        return self

    def __exit__(self, *error: Any) -> None:
        for callback in self.callbacks:
            if isinstance(callback, ProgbarLogger):
                callback.close()

    def append(self, callback: Callback) -> None:
        """Call one more callback, after the others."""
        self.callbacks += flatten_callbacks(callback)
        self._order()

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        for callback in self.callbacks:
            if isinstance(callback, History):
                model.history = callback
            callback.set_model(model)

    def on_interrupt(self) -> None:
        """Training is about to be broken off by Ctrl-C, between two batches."""
        for callback in self.callbacks:
            getattr(callback, "on_interrupt", lambda: None)()

    def on_train_begin(self, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_train_begin(logs)

    def on_train_end(self, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_train_end(logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_batch_begin(batch, logs=logs)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_batch_end(batch, logs=logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_train_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs=logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_test_begin(logs)

    def on_test_end(self, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_test_end(logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_test_batch_begin(batch, logs=logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_test_batch_end(batch, logs=logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_predict_begin(logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_predict_end(logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_predict_batch_begin(batch, logs=logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            callback.on_predict_batch_end(batch, logs=logs)
