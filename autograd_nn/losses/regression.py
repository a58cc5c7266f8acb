"""Losses between numbers."""

from typing import Any

from .. import ops
from ..engine.tensor import Tensor
from ..saving.registry import register
from .loss import LossFunctionWrapper, same_shape


@register()
def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean over the last axis of `(y_true - y_pred)**2`.

    y_true, y_pred: equal shapes `(batch, ..., n)`; `(batch,)` beside `(batch, 1)` counts as equal.
    Returns shape `(batch, ...)`. Raises ShapeError for other shapes: they are never broadcast.

    >>> import autograd_nn as ag
    >>> ag.losses.mean_squared_error([[0.0, 2.0]], [[1.0, 2.0]]).tolist()
    [0.5]
    """
    y_true, y_pred = same_shape(y_true, y_pred, "mean_squared_error")
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@register()
def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean over the last axis of `|y_true - y_pred|`.

    y_true, y_pred: equal shapes `(batch, ..., n)`; `(batch,)` beside `(batch, 1)` counts as equal.
    Returns shape `(batch, ...)`. Raises ShapeError for other shapes: they are never broadcast.

    >>> import autograd_nn as ag
    >>> ag.losses.mean_absolute_error([[0.0, 2.0]], [[1.0, 2.0]]).tolist()
    [0.5]
    """
    y_true, y_pred = same_shape(y_true, y_pred, "mean_absolute_error")
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@register()
class MeanSquaredError(LossFunctionWrapper):
    """The mean of `(y_true - y_pred)**2`.

    >>> import autograd_nn as ag
    >>> float(ag.losses.MeanSquaredError()([[0.0, 2.0]], [[1.0, 2.0]]))
    0.5
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_squared_error, reduction=reduction, name=name, dtype=dtype)


@register()
class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of `|y_true - y_pred|`.

    >>> import autograd_nn as ag
    >>> float(ag.losses.MeanAbsoluteError()([[0.0, 2.0]], [[1.0, 2.0]]))
    0.5
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_absolute_error, reduction=reduction, name=name, dtype=dtype)
