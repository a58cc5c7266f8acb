"""Callbacks that watch a result which there will not be, found before the first epoch."""

from typing import Any

from ..callbacks.callback import Callback
from ..callbacks.callback_list import CallbackList
from ..callbacks.model_checkpoint import ModelCheckpoint
from ..callbacks.monitor import MonitorCallback
from ..errors import InvalidArgument, deprecated, did_you_mean
from ..saving.registry import PACKAGE


def check_monitors(model: Any, calls: CallbackList, validated: bool) -> None:
    """InvalidArgument for a result of training that a callback needs and that there will not be.

    OSError where a ModelCheckpoint could not write its files.
    """
    known = [*model.log_directions(), "learning_rate"]
    known += [name for name in _own_results(model) if name not in known]
    known += [f"val_{name}" for name in known if name != "learning_rate"] if validated else []
    others = any(_adds_results(callback) for callback in calls.callbacks) or model._overrides("train_step")
    for callback in calls.callbacks:
        if not isinstance(callback, MonitorCallback):
            continue
        new = callback.monitor.replace("acc", "accuracy")
        if callback.monitor in ("acc", "val_acc") and callback.monitor not in known and new in known:
            deprecated(f"monitor={callback.monitor!r}", f"use monitor={new!r}")
            callback.monitor = new
        if callback.monitor not in known and getattr(callback, "save_best_only", True):
            _refuse(callback, known, validated, others)
        if isinstance(callback, ModelCheckpoint):
            callback.check_before_training(known, others)


def _own_results(model: Any) -> list[str]:
    """Names of metrics that the model and its layers hold, and of those without a direction."""
    metrics = [metric for metric in model.metrics if metric is not model._compiled.compile_metrics]
    compiled = model._compiled.compile_metrics
    return [metric.name for metric in metrics] + (list(compiled.named()) if compiled is not None else [])


def _refuse(callback: MonitorCallback, known: list[str], validated: bool, others: bool) -> None:
    kind, monitor = type(callback).__name__, callback.monitor
    if not validated and monitor.startswith("val_") and monitor.removeprefix("val_") in known:
        raise InvalidArgument(
            f"{kind} watches {monitor!r}, but there is no validation; pass validation_data or validation_split to fit, "
            f"or monitor={monitor.removeprefix('val_')!r}"
        )
    hint = did_you_mean(monitor, known)
    if hint or not others:
        raise InvalidArgument(
            f"{kind}: there is no result {monitor!r}{hint}; available: {', '.join(known)}".replace("?;", "?")
        )


def _adds_results(callback: Callback) -> bool:
    """Whether a callback of the user may add results of its own to the logs."""
    foreign = type(callback).__module__.partition(".")[0] != PACKAGE
    return foreign or "on_epoch_end" in vars(callback)
