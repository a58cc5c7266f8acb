"""A callback that evaluates with moving averages of the weights."""

from ..errors import InvalidArgument
from .callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Puts the moving averages that the optimizer keeps with `use_ema=True` in place of the weights to evaluate.

    swap_on_epoch: also at the end of each epoch, for the callbacks that come after this one

    >>> import autograd_nn as ag
    >>> ag.callbacks.SwapEMAWeights().swap_on_epoch
    False
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._put(False)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._put(True)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._put(True)

    def on_test_end(self, logs: Logs = None) -> None:
        self._put(False)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._put(True)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._put(False)

    def _put(self, averages: bool) -> None:
        optimizer = self.model.optimizer
        if not getattr(optimizer, "use_ema", False):
            raise InvalidArgument(
                "SwapEMAWeights needs averages of the weights; create the optimizer with use_ema=True"
            )
        if averages != optimizer.averages_are_in:
            optimizer.swap_averages()
