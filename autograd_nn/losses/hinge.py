"""Losses of decisions: how far predictions are from the right side of a margin."""

from typing import Any

from .. import ops
from ..engine.tensor import Tensor
from ..saving.registry import register
from .loss import LossFunctionWrapper, same_shape


@register()
def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """The mean over the last axis of `max(0, 1 - y_true * y_pred)`.

    y_true: -1 or 1; where all are 0 or 1, 0 counts as -1. y_pred: the same shape. Returns the shape without its last
    axis. Raises ShapeError for other shapes.

    >>> import autograd_nn as ag
    >>> ag.losses.hinge([[-1.0, 1.0]], [[0.0, 2.0]]).tolist()
    [0.5]
    """
    y_true, y_pred = same_shape(y_true, y_pred, "hinge")
    return ops.mean(_missing_margin(y_true, y_pred), axis=-1)


@register()
def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """The mean over the last axis of `max(0, 1 - y_true * y_pred)**2`; arguments as in `hinge`.

    >>> import autograd_nn as ag
    >>> ag.losses.squared_hinge([[-1.0, 1.0]], [[1.0, 2.0]]).tolist()
    [2.0]
    """
    y_true, y_pred = same_shape(y_true, y_pred, "squared_hinge")
    return ops.mean(ops.square(_missing_margin(y_true, y_pred)), axis=-1)


@register()
def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """How much less than 1 the score of the true class is above the best other one, over the last axis.

    y_true: one-hot, shape `(batch, ..., classes)`; y_pred: scores, the same shape. Returns shape `(batch, ...)`.
    Raises ShapeError for other shapes. Crammer and Singer 2001, JMLR 2.

    >>> import autograd_nn as ag
    >>> ag.losses.categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]]).tolist()
    [0.75]
    """
    y_true, y_pred = same_shape(y_true, y_pred, "categorical_hinge")
    own = ops.sum(y_true * y_pred, axis=-1)
    best_other = ops.max((1 - y_true) * y_pred, axis=-1)
    return ops.maximum(best_other - own + 1, 0)


def _missing_margin(y_true: Tensor, y_pred: Tensor) -> Tensor:
    bits = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    signs = ops.where(bits, 2 * y_true - 1, y_true)
    return ops.maximum(1 - signs * y_pred, 0)


@register()
class Hinge(LossFunctionWrapper):
    """The mean of `max(0, 1 - y_true * y_pred)`, y_true -1 or 1 (or 0 and 1 for these).

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.Hinge()([[-1.0, 1.0]], [[0.0, 2.0]])), 4)
    0.5
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "hinge", dtype: Any = None
    ) -> None:
        super().__init__(hinge, reduction=reduction, name=name, dtype=dtype)


@register()
class SquaredHinge(LossFunctionWrapper):
    """The mean of `max(0, 1 - y_true * y_pred)**2`, y_true -1 or 1 (or 0 and 1 for these).

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.SquaredHinge()([[-1.0, 1.0]], [[1.0, 2.0]])), 4)
    2.0
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(squared_hinge, reduction=reduction, name=name, dtype=dtype)


@register()
class CategoricalHinge(LossFunctionWrapper):
    """The mean of how much less than 1 the score of the true class is above the best other one; y_true one-hot.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]])), 4)
    0.75
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(categorical_hinge, reduction=reduction, name=name, dtype=dtype)
