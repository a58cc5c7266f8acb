"""How well predictions follow the truth: explained variance and correlations."""

from typing import Any

from .. import ops
from ..config import epsilon
from ..engine.convert import as_tensor
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, NotBuiltError, ShapeError, did_you_mean, short
from ..losses.loss import align_weight, divide_no_nan, same_shape
from ..saving.registry import register
from .metric import Metric
from .reduction import MeanMetricWrapper

_AGGREGATIONS = ("uniform_average", "variance_weighted_average")


@register()
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """The correlation of y_true and y_pred along `axis`: 1 where one grows in proportion to the other.

    y_true, y_pred: equal shapes. Returns the shape without that axis; NaN where one is constant. Pearson 1895.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]])[0]), 4)
    1.0
    """
    y_true, y_pred = same_shape(y_true, y_pred, "pearson_correlation")
    return ops.mean(_standard(y_true, axis) * _standard(y_pred, axis), axis=axis)


@register()
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """As `pearson_correlation`, lessened where means or scales differ: 1 only for equal values.

    y_true, y_pred: equal shapes. Returns the shape without that axis. Lin 1989, Biometrics 45.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.concordance_correlation([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])[0]), 4)
    0.5714
    """
    y_true, y_pred = same_shape(y_true, y_pred, "concordance_correlation")
    mean_true = ops.mean(y_true, axis=axis, keepdims=True)
    mean_pred = ops.mean(y_pred, axis=axis, keepdims=True)
    spread = ops.var(y_true, axis=axis, keepdims=True) + ops.var(y_pred, axis=axis, keepdims=True)
    scale = spread + ops.square(mean_true - mean_pred) + epsilon()
    return ops.mean(2 * (y_true - mean_true) * (y_pred - mean_pred) / scale, axis=axis)


def _standard(x: Tensor, axis: int) -> Tensor:
    apart = x - ops.mean(x, axis=axis, keepdims=True)
    return apart / ops.std(x, axis=axis, keepdims=True)


@register()
class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation` over samples.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.PearsonCorrelation()([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]])), 4)
    1.0
    """

    _direction = "up"

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis


@register()
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation` over samples.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.ConcordanceCorrelation()([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])), 4)
    0.5714
    """

    _direction = "up"

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis


@register()
class R2Score(Metric):
    """1 minus the squared error by the variance of the truth: 1 for exact predictions, 0 for those of the mean.

    class_aggregation: "uniform_average" of the outputs, "variance_weighted_average", or None for one score each
    num_regressors:    number of inputs, for the adjusted score; 0 for the plain one, which also stands where there are
                       too few samples to adjust

    y_true, y_pred: shape `(batch, n)`. An output whose truth is constant scores 1 if it is exact, else 0.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
    0.5714
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, *_AGGREGATIONS):
            hint = did_you_mean(class_aggregation, _AGGREGATIONS) or f"; expected {', '.join(_AGGREGATIONS)} or None"
            raise InvalidArgument(f"R2Score: unknown class_aggregation {short(class_aggregation)}{hint}")
        if isinstance(num_regressors, bool) or not isinstance(num_regressors, int) or num_regressors < 0:
            raise InvalidArgument(f"R2Score: num_regressors must be an int >= 0, got {short(num_regressors)}")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), name="num_samples")
        self.built = False

    def _build(self, outputs: Any) -> None:
        self.squared_sum = self.add_variable((outputs,), name="squared_sum")
        self.sum = self.add_variable((outputs,), name="sum")
        self.total_mse = self.add_variable((outputs,), name="residual")
        self.count = self.add_variable((outputs,), name="count")
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = same_shape(as_tensor(y_true, self.dtype), as_tensor(y_pred, self.dtype), self.name)
        if y_pred.ndim != 2 or not isinstance(y_pred.spec.shape[1], int):
            raise ShapeError(f"{self.name}: expected shape (batch, n), got {show_shape(y_pred.spec.shape)}")
        if not self.built:
            self._build(y_pred.spec.shape[1])
        weight = ops.ones_like(y_true)
        if sample_weight is not None:
            _, given = align_weight(y_true, as_tensor(sample_weight, self.dtype), self.name)
            weight = ops.broadcast_like(given, y_true)
        self.sum.assign_add(ops.sum(y_true * weight, axis=0))
        self.squared_sum.assign_add(ops.sum(ops.square(y_true) * weight, axis=0))
        self.total_mse.assign_add(ops.sum(ops.square(y_true - y_pred) * weight, axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))
        self.num_samples.assign_add(ops.sum(ops.ones_like(y_true)))

    def result(self) -> Tensor:
        if not self.built:
            raise NotBuiltError(f"{self.name}: no result before the first batch")
        total = self.squared_sum - self.sum * divide_no_nan(as_tensor(self.sum), as_tensor(self.count))
        error = as_tensor(self.total_mse)
        constant = ops.equal(total, 0)
        exact = ops.cast(ops.equal(error, 0), error.dtype)
        scores = ops.where(constant, exact, 1 - error / ops.where(constant, 1, total))
        return self._adjusted(self._gathered(scores, total))

    def _gathered(self, scores: Tensor, total: Tensor) -> Tensor:
        if self.class_aggregation is None:
            return scores
        if self.class_aggregation == "uniform_average":
            return ops.mean(scores)
        return divide_no_nan(ops.sum(total * scores), ops.sum(total))

    def _adjusted(self, score: Tensor) -> Tensor:
        if not self.num_regressors:
            return score
        free = self.num_samples - self.num_regressors - 1
        enough = free > 0
        return ops.where(enough, 1 - (1 - score) * (self.num_samples - 1) / ops.where(enough, free, 1), score)

    def get_config(self) -> dict[str, Any]:
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
