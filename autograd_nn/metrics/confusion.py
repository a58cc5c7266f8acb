"""Metrics of decisions between yes and no: counts, precision, recall, and the best of one beside enough of another."""

from typing import Any

from .. import ops
from ..engine.convert import as_tensor
from ..engine.tensor import Tensor
from ..engine.variable import Variable
from ..errors import InvalidArgument, short
from ..losses.loss import divide_no_nan
from ..saving.registry import register
from .counting import LOWEST, count, parse_thresholds
from .metric import Metric


class _ConditionCount(Metric):
    """Base of the metrics that count one kind of prediction per threshold."""

    _counted: str

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = parse_thresholds(thresholds, 0.5, self.name)
        self.accumulator = self.add_variable((len(self.thresholds),), name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        counts = count(y_true, y_pred, self.thresholds, dtype=self.dtype, what=self.name, sample_weight=sample_weight)
        self.accumulator.assign_add(getattr(counts, self._counted))

    def result(self) -> Tensor:
        return _one_or_all(as_tensor(self.accumulator))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


def _one_or_all(values: Tensor) -> Tensor:
    return values[0] if values.shape[0] == 1 else values


@register()
class TruePositives(_ConditionCount):
    """How often a prediction of yes is right.

    thresholds: from 0 to 1, above which a prediction stands for yes; 0.5 if None. A list gives a list of results.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.TruePositives()([0, 1, 1, 1], [0.1, 0.2, 0.7, 0.9]))
    2.0
    """

    _counted = "true_positives"


@register()
class FalsePositives(_ConditionCount):
    """How often a prediction of yes is wrong.

    thresholds: from 0 to 1, above which a prediction stands for yes; 0.5 if None. A list gives a list of results.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.FalsePositives()([0, 1, 1, 1], [0.1, 0.2, 0.7, 0.9]))
    0.0
    """

    _counted = "false_positives"


@register()
class FalseNegatives(_ConditionCount):
    """How often a prediction of no is wrong.

    thresholds: from 0 to 1, above which a prediction stands for yes; 0.5 if None. A list gives a list of results.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.FalseNegatives()([0, 1, 1, 1], [0.1, 0.2, 0.7, 0.9]))
    1.0
    """

    _counted = "false_negatives"


@register()
class TrueNegatives(_ConditionCount):
    """How often a prediction of no is right.

    thresholds: from 0 to 1, above which a prediction stands for yes; 0.5 if None. A list gives a list of results.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.TrueNegatives()([0, 1, 1, 1], [0.1, 0.2, 0.7, 0.9]))
    1.0
    """

    _counted = "true_negatives"


class _Share(Metric):
    """Base of precision and recall: the share of true positives in themselves and what `_beside` names."""

    _direction = "up"
    _beside: str

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = _index(top_k, "top_k", 1, self.name)
        self.class_id = _index(class_id, "class_id", 0, self.name)
        self.thresholds = parse_thresholds(thresholds, 0.5 if top_k is None else LOWEST, self.name)
        size = (len(self.thresholds),)
        self.true_positives = self.add_variable(size, name="true_positives")
        setattr(self, self._beside, self.add_variable(size, name=self._beside))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        counts = count(
            y_true, y_pred, self.thresholds, dtype=self.dtype, what=self.name, sample_weight=sample_weight,
            top_k=self.top_k, class_id=self.class_id,
        )  # fmt: skip
        self.true_positives.assign_add(counts.true_positives)
        getattr(self, self._beside).assign_add(getattr(counts, self._beside))

    def result(self) -> Tensor:
        found = as_tensor(self.true_positives)
        return _one_or_all(divide_no_nan(found, found + getattr(self, self._beside)))

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


def _index(value: Any, name: str, least: int, what: str) -> Any:
    if value is None or isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    raise InvalidArgument(f"{what}: {name} must be an int >= {least} or None, got {short(value)}")


@register()
class Precision(_Share):
    """The share of right ones among the predictions of yes; 0 without any.

    thresholds: from 0 to 1, above which a prediction stands for yes; 0.5 if None. A list gives a list of results.
    top_k:      only the k largest predictions of a sample may be yes; without thresholds all of these are
    class_id:   only this class counts

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.Precision()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
    0.6667
    """

    _beside = "false_positives"


@register()
class Recall(_Share):
    """The share of those predicted as yes among what is yes; 0 without any.

    thresholds: from 0 to 1, above which a prediction stands for yes; 0.5 if None. A list gives a list of results.
    top_k:      only the k largest predictions of a sample may be yes; without thresholds all of these are
    class_id:   only this class counts

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.Recall()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
    0.6667
    """

    _beside = "false_negatives"


class _BestBeside(Metric):
    """Base of metrics that look for the threshold with the largest value of one share beside enough of another."""

    _direction = "up"
    _argument: str

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        if isinstance(value, (bool, str)) or not hasattr(value, "__float__") or not 0 <= value <= 1:
            raise InvalidArgument(f"{self.name}: {self._argument} must be a number from 0 to 1, got {short(value)}")
        if isinstance(num_thresholds, bool) or not isinstance(num_thresholds, int) or num_thresholds < 1:
            raise InvalidArgument(f"{self.name}: num_thresholds must be an int >= 1, got {short(num_thresholds)}")
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = _index(class_id, "class_id", 0, self.name)
        parts = num_thresholds - 1
        self.thresholds = [k / parts for k in range(num_thresholds)] if parts else [0.5]
        self.true_positives = self._counter("true_positives")
        self.false_positives = self._counter("false_positives")
        self.true_negatives = self._counter("true_negatives")
        self.false_negatives = self._counter("false_negatives")

    def _counter(self, name: str) -> Variable:
        return self.add_variable((len(self.thresholds),), name=name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        counts = count(
            y_true, y_pred, self.thresholds, dtype=self.dtype, what=self.name, sample_weight=sample_weight,
            class_id=self.class_id,
        )  # fmt: skip
        for name, value in counts._asdict().items():
            getattr(self, name).assign_add(value)

    def _share(self, first: Variable, second: Variable) -> Tensor:
        return divide_no_nan(as_tensor(first), first + second)

    @property
    def _recalls(self) -> Tensor:
        return self._share(self.true_positives, self.false_negatives)

    @property
    def _precisions(self) -> Tensor:
        return self._share(self.true_positives, self.false_positives)

    @property
    def _specificities(self) -> Tensor:
        return self._share(self.true_negatives, self.false_positives)

    def _best(self, wanted: Tensor, enough: Tensor) -> Tensor:
        return ops.max(ops.where(enough >= self.value, wanted, 0))

    def get_config(self) -> dict[str, Any]:
        own = {"class_id": self.class_id, "num_thresholds": self.num_thresholds, self._argument: self.value}
        return {**super().get_config(), **own}


@register()
class SensitivityAtSpecificity(_BestBeside):
    """The largest share of yes that is found, among thresholds that leave at least `specificity` of no alone.

    specificity: from 0 to 1; num_thresholds: how many are tried, evenly from 0 to 1; class_id: only this class counts

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])), 4)
    0.5
    """

    _argument = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def result(self) -> Tensor:
        return self._best(self._recalls, self._specificities)


@register()
class SpecificityAtSensitivity(_BestBeside):
    """The largest share of no that is left alone, among thresholds that find at least `sensitivity` of yes.

    sensitivity: from 0 to 1; num_thresholds: how many are tried, evenly from 0 to 1; class_id: only this class counts

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])), 4)
    0.6667
    """

    _argument = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> Tensor:
        return self._best(self._specificities, self._recalls)


@register()
class PrecisionAtRecall(_BestBeside):
    """The largest precision among thresholds with at least this recall.

    recall: from 0 to 1; num_thresholds: how many are tried, evenly from 0 to 1; class_id: only this class counts

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])), 4)
    0.5
    """

    _argument = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def result(self) -> Tensor:
        return self._best(self._precisions, self._recalls)


@register()
class RecallAtPrecision(_BestBeside):
    """The largest recall among thresholds with at least this precision.

    precision: from 0 to 1; num_thresholds: how many are tried, evenly from 0 to 1; class_id: only this class counts

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.RecallAtPrecision(0.5)([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])), 4)
    1.0
    """

    _argument = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def result(self) -> Tensor:
        return self._best(self._recalls, self._precisions)
