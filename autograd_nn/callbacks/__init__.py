"""Callbacks: what happens besides training, between its batches and epochs."""

from .callback import Callback
from .callback_list import CallbackList
from .early_stopping import EarlyStopping
from .history import History
from .learning_rate import LearningRateScheduler, ReduceLROnPlateau
from .progbar_logger import ProgbarLogger
from .simple import CSVLogger, LambdaCallback, TerminateOnNaN
from .swap_ema_weights import SwapEMAWeights

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TerminateOnNaN",
]
