"""Areas under curves that a threshold draws."""

from typing import Any

import numpy as np

from .. import ops
from ..config import epsilon
from ..engine.convert import as_tensor
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, NotBuiltError, ShapeError, did_you_mean, short
from ..losses.loss import divide_no_nan
from ..saving.registry import register
from .counting import count, parse_thresholds
from .metric import Metric

_CURVES = ("ROC", "PR", "PRGAIN")
_SUMMATIONS = ("interpolation", "minoring", "majoring")


@register()
class AUC(Metric):
    """The area under a curve that a threshold from 0 to 1 draws, as sums over some thresholds.

    num_thresholds:   how many, evenly from 0 to 1
    curve:            "ROC" (found over falsely found), "PR" (precision over recall) or "PRGAIN"
    summation_method: "interpolation", "minoring" (lower sums) or "majoring" (upper sums)
    thresholds:       instead of `num_thresholds`, numbers from 0 to 1; 0 and 1 are added
    multi_label:      one area per label, shape `(batch, labels)`, then their mean
    num_labels:       their number, where known
    label_weights:    of each label: in the mean of areas, or of its predictions without `multi_label`
    from_logits:      a sigmoid is applied to y_pred

    Fawcett 2006, "An introduction to ROC analysis"; Davis and Goadrich 2006 (interpolation of PR); Flach and Kull 2015
    (PRGAIN).

    >>> import autograd_nn as ag
    >>> float(ag.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
    0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.curve = _choice(curve, _CURVES, "curve", str.upper)
        self.summation_method = _choice(summation_method, _SUMMATIONS, "summation_method", str.lower)
        if thresholds is None:
            if isinstance(num_thresholds, bool) or not isinstance(num_thresholds, int) or num_thresholds < 2:
                raise InvalidArgument(f"AUC: num_thresholds must be an int >= 2, got {short(num_thresholds)}")
            inner = [k / (num_thresholds - 1) for k in range(1, num_thresholds - 1)]
        else:
            inner = sorted(parse_thresholds(thresholds, 0.5, "AUC"))
        if num_labels and not multi_label:
            raise InvalidArgument("AUC: num_labels belongs to multi_label=True")
        self._from_thresholds = thresholds is not None
        self._thresholds = [-epsilon(), *inner, 1 + epsilon()]
        self.num_thresholds = len(self._thresholds)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else np.asarray(label_weights, self.dtype)
        self._from_logits = from_logits
        self.built = False
        if num_labels or not multi_label:
            self._build(num_labels)

    @property
    def thresholds(self) -> list[float]:
        return list(self._thresholds)

    def _build(self, labels: int | None) -> None:
        shape = (self.num_thresholds,) if labels is None else (self.num_thresholds, labels)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.true_negatives = self.add_variable(shape, name="true_negatives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = as_tensor(y_pred, self.dtype)
        if self.multi_label:
            self._check_labels(y_pred)
        if self._from_logits:
            y_pred = ops.sigmoid(y_pred)
        counts = count(
            y_true, y_pred, self._thresholds, dtype=self.dtype, what=self.name, sample_weight=sample_weight,
            label_weights=None if self.multi_label else self.label_weights, multi_label=self.multi_label,
        )  # fmt: skip
        for name, value in counts._asdict().items():
            getattr(self, name).assign_add(value)

    def _check_labels(self, y_pred: Tensor) -> None:
        labels = y_pred.spec.shape[1] if y_pred.ndim == 2 else None
        known = self.true_positives.spec.shape[1] if self.built else labels
        if not isinstance(labels, int) or labels != known:
            expected = known if self.built else "labels"
            raise ShapeError(
                f"{self.name}: multi_label=True expects predictions of shape (batch, {expected}), got "
                f"{show_shape(y_pred.spec.shape)}"
            )
        if not self.built:
            self._build(labels)

    def result(self) -> Tensor:
        if not self.built:
            raise NotBuiltError(f"{self.name}: no result before the first batch; give num_labels")
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._mean(ops.sum(self._steps_of_pr(), axis=0))
        x, y = self._points()
        return self._mean(ops.sum((x[:-1] - x[1:]) * self._heights(y), axis=0))

    def _points(self) -> tuple[Tensor, Tensor]:
        """The curve, from the lowest threshold to the highest."""
        tp, fp = as_tensor(self.true_positives), as_tensor(self.false_positives)
        tn, fn = as_tensor(self.true_negatives), as_tensor(self.false_negatives)
        if self.curve == "ROC":
            return divide_no_nan(fp, fp + tn), divide_no_nan(tp, tp + fn)
        if self.curve == "PR":
            return divide_no_nan(tp, tp + fn), divide_no_nan(tp, tp + fp)
        odds = divide_no_nan(tp + fn, tn + fp)
        none = ops.equal(tp, 0)
        recall_gain = ops.maximum(ops.where(none, 0, 1 - odds * divide_no_nan(fn, tp)), 0)
        return recall_gain, ops.where(none, 1, 1 - odds * divide_no_nan(fp, tp))

    def _heights(self, y: Tensor) -> Tensor:
        if self.summation_method == "interpolation":
            return (y[:-1] + y[1:]) / 2
        between = ops.minimum if self.summation_method == "minoring" else ops.maximum
        return between(y[:-1], y[1:])

    def _steps_of_pr(self) -> Tensor:
        """The areas between thresholds where true positives grow in proportion to positives."""
        tp, fn = as_tensor(self.true_positives), as_tensor(self.false_negatives)
        positives = tp + self.false_positives
        found = tp[:-1] - tp[1:]
        slope = divide_no_nan(found, ops.maximum(positives[:-1] - positives[1:], 0))
        intercept = tp[1:] - slope * positives[1:]
        both = ops.logical_and(positives[:-1] > 0, positives[1:] > 0)
        ratio = ops.where(both, divide_no_nan(positives[:-1], ops.maximum(positives[1:], 0)), 1)
        return divide_no_nan(slope * (found + intercept * ops.log(ratio)), ops.maximum(tp[1:] + fn[1:], 0))

    def _mean(self, areas: Tensor) -> Tensor:
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        return ops.sum(areas * self.label_weights) / float(self.label_weights.sum())

    def get_config(self) -> dict[str, Any]:
        weights = self.label_weights
        own = {
            "num_thresholds": self.num_thresholds, "curve": self.curve, "summation_method": self.summation_method,
            "multi_label": self.multi_label, "num_labels": self.num_labels,
            "label_weights": None if weights is None else weights.tolist(), "from_logits": self._from_logits,
        }  # fmt: skip
        if self._from_thresholds:
            own["thresholds"] = self.thresholds[1:-1]
        return {**super().get_config(), **own}


def _choice(value: Any, known: tuple[str, ...], what: str, spell: Any) -> str:
    name = spell(value) if isinstance(value, str) else value
    if name not in known:
        hint = did_you_mean(name, known) or f"; expected one of {', '.join(known)}"
        raise InvalidArgument(f"AUC: unknown {what} {short(value)}{hint}")
    return name
