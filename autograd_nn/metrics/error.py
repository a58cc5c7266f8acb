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
from ..losses.divergence import kl_divergence
from ..losses.hinge import categorical_hinge, hinge, squared_hinge
from ..losses.loss import same_shape
from ..losses.regression import cosine_similarity as negative_cosine
from ..losses.regression import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)
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


@register()
class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of `100 * |(y_true - y_pred) / y_true|`.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.MeanAbsolutePercentageError()([[2.0], [4.0]], [[1.0], [4.0]])), 4)
    25.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_percentage_error, name=name, dtype=dtype)


@register()
class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of `(log(1 + y_true) - log(1 + y_pred))**2`.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.MeanSquaredLogarithmicError()([[0.0]], [[1.0]])), 4)
    0.4805
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_logarithmic_error, name=name, dtype=dtype)


@register()
class LogCoshError(MeanMetricWrapper):
    """The mean of `log(cosh(y_pred - y_true))`.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.LogCoshError()([[0.0]], [[1.0]])), 4)
    0.4338
    """

    _direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(log_cosh, name=name, dtype=dtype)


@register()
class Hinge(MeanMetricWrapper):
    """The mean of `max(0, 1 - y_true * y_pred)`, y_true -1 or 1 (or 0 and 1 for these).

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.Hinge()([[-1.0, 1.0]], [[0.0, 2.0]])), 4)
    0.5
    """

    _direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, name=name, dtype=dtype)


@register()
class SquaredHinge(MeanMetricWrapper):
    """The mean of `max(0, 1 - y_true * y_pred)**2`, y_true -1 or 1 (or 0 and 1 for these).

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.SquaredHinge()([[-1.0, 1.0]], [[1.0, 2.0]])), 4)
    2.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, name=name, dtype=dtype)


@register()
class CategoricalHinge(MeanMetricWrapper):
    """The mean of how much less than 1 the score of the true class is above the best other one; y_true one-hot.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]])), 4)
    0.75
    """

    _direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(categorical_hinge, name=name, dtype=dtype)


@register()
class KLDivergence(MeanMetricWrapper):
    """The sum of `y_true * log(y_true / y_pred)` over the last axis, averaged over samples.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
    0.1438
    """

    _direction = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(kl_divergence, name=name, dtype=dtype)


@register()
class Poisson(MeanMetricWrapper):
    """The mean of `y_pred - y_true * log(y_pred)`.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.Poisson()([[0.0, 0.0]], [[1.0, 3.0]])), 4)
    2.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, name=name, dtype=dtype)


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    return -negative_cosine(y_true, y_pred, axis)


@register()
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between vectors along `axis`: 1 for the same direction (the loss gives -1).

    >>> import autograd_nn as ag
    >>> float(ag.metrics.CosineSimilarity()([[1.0, 0.0]], [[2.0, 0.0]]))
    1.0
    """

    _direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(_cosine, name=name, dtype=dtype, axis=axis)
