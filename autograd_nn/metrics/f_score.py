"""F scores: the harmonic mean of precision and recall."""

from typing import Any

from .. import ops
from ..config import epsilon
from ..engine.convert import as_tensor
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..engine.variable import Variable
from ..errors import InvalidArgument, NotBuiltError, ShapeError, did_you_mean, short
from ..losses.loss import align_weight, same_shape
from ..saving.registry import register
from .metric import Metric

_AVERAGES = ("micro", "macro", "weighted")


@register()
class FBetaScore(Metric):
    """`(1 + beta**2) * precision * recall / (beta**2 * precision + recall)`.

    average:   None for one score per class, "micro" for one of all decisions together, "macro" for the mean over
               classes, "weighted" for the mean weighed by how often a class occurs
    beta:      how much more recall counts, a number > 0
    threshold: above which a prediction stands for yes, 0 < threshold <= 1; only the largest of a sample if None

    y_true, y_pred: shape `(batch, classes)`. Raises ShapeError for others. van Rijsbergen 1979.

    >>> import autograd_nn as ag
    >>> ag.metrics.FBetaScore(beta=2.0, threshold=0.5)([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.2]]).numpy().round(4)
    array([0.5556, 1.    ], dtype=float32)
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in (None, *_AVERAGES):
            hint = did_you_mean(average, _AVERAGES) or f"; expected {', '.join(_AVERAGES)} or None"
            raise InvalidArgument(f"{self.name}: unknown average {short(average)}{hint}")
        if isinstance(beta, bool) or not isinstance(beta, (int, float)) or not beta > 0:
            raise InvalidArgument(f"{self.name}: beta must be a number > 0, got {short(beta)}")
        if threshold is not None and (not isinstance(threshold, (int, float)) or not 0 < threshold <= 1):
            raise InvalidArgument(
                f"{self.name}: threshold must be a number with 0 < threshold <= 1 or None, got {short(threshold)}"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.axis = None if average == "micro" else 0
        self.built = False

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, name="intermediate_weights")
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = same_shape(as_tensor(y_true, self.dtype), as_tensor(y_pred, self.dtype), self.name)
        if y_pred.ndim != 2 or not isinstance(y_pred.spec.shape[1], int):
            raise ShapeError(f"{self.name}: expected shape (batch, classes), got {show_shape(y_pred.spec.shape)}")
        if not self.built:
            self._build(y_pred.spec.shape[1])
        yes = ops.cast(self._decide(y_pred), self.dtype)
        weight = ops.ones_like(y_true)
        if sample_weight is not None:
            weight = align_weight(y_true, as_tensor(sample_weight, self.dtype), self.name)[1]
        self._add(self.true_positives, yes * y_true * weight)
        self._add(self.false_positives, yes * (1 - y_true) * weight)
        self._add(self.false_negatives, (1 - yes) * y_true * weight)
        self._add(self.intermediate_weights, y_true * weight)

    def _decide(self, y_pred: Tensor) -> Tensor:
        if self.threshold is not None:
            return y_pred > self.threshold
        largest = ops.equal(y_pred, ops.max(y_pred, axis=-1, keepdims=True))
        return ops.logical_and(largest, ops.abs(y_pred) > 1e-9)

    def _add(self, state: Variable, values: Tensor) -> None:
        state.assign_add(ops.sum(values, axis=self.axis))

    def result(self) -> Tensor:
        if not self.built:
            raise NotBuiltError(f"{self.name}: no result before the first batch")
        small = epsilon()
        found = as_tensor(self.true_positives)
        precision = found / (found + self.false_positives + small)
        recall = found / (found + self.false_negatives + small)
        scores = precision * recall / (self.beta**2 * precision + recall + small) * (1 + self.beta**2)
        if self.average == "weighted":
            weights = as_tensor(self.intermediate_weights)
            return ops.sum(scores * weights / (ops.sum(weights) + small))
        return scores if self.average is None else ops.mean(scores)

    def get_config(self) -> dict[str, Any]:
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


@register()
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall: `FBetaScore` with beta 1.

    >>> import autograd_nn as ag
    >>> ag.metrics.F1Score(threshold=0.5)([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.2]]).numpy().round(4)
    array([0.6667, 1.    ], dtype=float32)
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "beta"}
