"""Metrics that are losses: errors and crossentropies, averaged over all samples of an epoch."""

from typing import Any

from .. import ops
from ..engine.tensor import Tensor
from ..losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    check_smoothing,
    sparse_categorical_crossentropy,
)
from ..losses.loss import same_shape
from ..losses.regression import mean_absolute_error, mean_squared_error
from ..saving.registry import register
from .reduction import Mean, MeanMetricWrapper


@register()
class MeanSquaredError(MeanMetricWrapper):
    """The mean of `(y_true - y_pred)**2`.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.MeanSquaredError()([[0.0], [2.0]], [[1.0], [2.0]]))
    0.5
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, name=name, dtype=dtype)


@register()
class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of `|y_true - y_pred|`.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.MeanAbsoluteError()([[0.0], [2.0]], [[1.0], [2.0]]))
    0.5
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, name=name, dtype=dtype)


@register()
class RootMeanSquaredError(Mean):
    """The square root of the mean of `(y_true - y_pred)**2`.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.RootMeanSquaredError()([[0.0], [2.0]], [[2.0], [4.0]]))
    2.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        y_true, y_pred = same_shape(y_true, y_pred, self.name)
        super().update_state(ops.square(y_pred - y_true), sample_weight)

    def result(self) -> Tensor:
        return ops.sqrt(super().result())


@register()
class BinaryCrossentropy(MeanMetricWrapper):
    """The crossentropy of probabilities that each stand for themselves; arguments as in `losses.BinaryCrossentropy`.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.BinaryCrossentropy()([[1.0]], [[0.5]])), 4)
    0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        check_smoothing(label_smoothing)
        super().__init__(
            binary_crossentropy, name=name, dtype=dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


@register()
class CategoricalCrossentropy(MeanMetricWrapper):
    """The crossentropy of classes, the truth one-hot; arguments as in `losses.CategoricalCrossentropy`.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        check_smoothing(label_smoothing)
        super().__init__(
            categorical_crossentropy, name=name, dtype=dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@register()
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The crossentropy of classes, the truth as ids; arguments as in `losses.SparseCategoricalCrossentropy`.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 4)
    0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, name=name, dtype=dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip
