"""Losses between numbers."""

import math
from typing import Any

from .. import ops
from ..config import epsilon
from ..engine.tensor import Tensor
from ..errors import check_number
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
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean over the last axis of `100 * |(y_true - y_pred) / y_true|`, y_true at least `config.epsilon()` in size.

    Shapes and errors as in `mean_squared_error`.

    >>> import autograd_nn as ag
    >>> ag.losses.mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).tolist()
    [25.0]
    """
    y_true, y_pred = same_shape(y_true, y_pred, "mean_absolute_percentage_error")
    share = ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), epsilon()))
    return 100 * ops.mean(share, axis=-1)


@register()
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean over the last axis of `(log(1 + y_true) - log(1 + y_pred))**2`, both at least `config.epsilon()`.

    Shapes and errors as in `mean_squared_error`.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.mean_squared_logarithmic_error([[0.0]], [[1.0]])[0]), 4)
    0.4805
    """
    y_true, y_pred = same_shape(y_true, y_pred, "mean_squared_logarithmic_error")
    small = epsilon()
    difference = ops.log(ops.maximum(y_pred, small) + 1) - ops.log(ops.maximum(y_true, small) + 1)
    return ops.mean(ops.square(difference), axis=-1)


@register()
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """The mean over the last axis of `e**2 / 2` for an error `|e| <= delta`, `delta * |e| - delta**2 / 2` beyond.

    Shapes and errors as in `mean_squared_error`; InvalidArgument unless delta is a number > 0. Huber 1964.

    >>> import autograd_nn as ag
    >>> ag.losses.huber([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
    [1.5]
    """
    check_number("huber", "delta", delta, above=0)
    y_true, y_pred = same_shape(y_true, y_pred, "huber")
    error = y_pred - y_true
    size = ops.abs(error)
    return ops.mean(ops.where(size <= delta, 0.5 * ops.square(error), delta * size - 0.5 * delta**2), axis=-1)


@register()
def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """The mean over the last axis of `log(cosh(y_pred - y_true))`, without overflow.

    Shapes and errors as in `mean_squared_error`.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.log_cosh([[0.0]], [[1.0]])[0]), 4)
    0.4338
    """
    y_true, y_pred = same_shape(y_true, y_pred, "log_cosh")
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2 * error) - math.log(2), axis=-1)


@register()
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """The negative cosine of the angle between vectors along `axis`: -1 for the same direction, 0 for a zero vector.

    y_true, y_pred: equal shapes. Returns the shape without that axis. Raises ShapeError for other shapes.

    >>> import autograd_nn as ag
    >>> ag.losses.cosine_similarity([[1.0, 0.0]], [[2.0, 0.0]]).tolist()
    [-1.0]
    """
    y_true, y_pred = same_shape(y_true, y_pred, "cosine_similarity")
    return -ops.sum(ops.normalize(y_true, axis=axis) * ops.normalize(y_pred, axis=axis), axis=axis)


@register()
def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """The mean over the last axis of `y_pred - y_true * log(y_pred)`: counts y_true beside expected counts y_pred.

    Shapes and errors as in `mean_squared_error`.

    >>> import autograd_nn as ag
    >>> ag.losses.poisson([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
    [2.0]
    """
    y_true, y_pred = same_shape(y_true, y_pred, "poisson")
    return ops.mean(y_pred - y_true * ops.log(y_pred + epsilon()), axis=-1)


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


@register()
class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean of `100 * |(y_true - y_pred) / y_true|`.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]])), 4)
    25.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction=reduction, name=name, dtype=dtype)


@register()
class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of `(log(1 + y_true) - log(1 + y_pred))**2`.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.MeanSquaredLogarithmicError()([[0.0]], [[1.0]])), 4)
    0.4805
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction=reduction, name=name, dtype=dtype)


@register()
class LogCosh(LossFunctionWrapper):
    """The mean of `log(cosh(y_pred - y_true))`: like a square for small errors, like a distance for large ones.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.LogCosh()([[0.0]], [[1.0]])), 4)
    0.4338
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(log_cosh, reduction=reduction, name=name, dtype=dtype)


@register()
class Poisson(LossFunctionWrapper):
    """The mean of `y_pred - y_true * log(y_pred)`: counts y_true beside expected counts y_pred.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.Poisson()([[0.0, 0.0]], [[1.0, 3.0]])), 4)
    2.0
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "poisson", dtype: Any = None
    ) -> None:
        super().__init__(poisson, reduction=reduction, name=name, dtype=dtype)


@register()
class Huber(LossFunctionWrapper):
    """The mean of squares of errors up to `delta`, of distances beyond; outliers count less.

    delta: a number > 0

    >>> import autograd_nn as ag
    >>> float(ag.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
    1.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        check_number("Huber", "delta", delta, above=0)
        super().__init__(huber, reduction=reduction, name=name, dtype=dtype, delta=delta)
        self.delta = delta


@register()
class CosineSimilarity(LossFunctionWrapper):
    """The mean of the negative cosine of the angle between vectors along `axis`.

    >>> import autograd_nn as ag
    >>> float(ag.losses.CosineSimilarity()([[1.0, 0.0]], [[2.0, 0.0]]))
    -1.0
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction=reduction, name=name, dtype=dtype, axis=axis)
        self.axis = axis
