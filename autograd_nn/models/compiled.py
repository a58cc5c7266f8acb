"""The losses and metrics of a compiled model, one set per output."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import losses as losses_module
from .. import metrics as metrics_module
from .. import ops
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, NotBuiltError, short
from ..layers.naming import snake_case
from ..losses.loss import Loss, LossFunctionWrapper
from ..metrics.metric import Metric
from ..metrics.reduction import Mean, MeanMetricWrapper
from .outputs import by_output, flat, names_of, sample_weights, targets


class OutputLoss(NamedTuple):
    """The loss of one output; `tracker` gathers its mean where there are several."""

    name: str
    loss: Loss
    weight: float | None
    tracker: Mean | None


def last_size(t: Any) -> Any:
    return t.shape[-1] if t.ndim else None


def is_binary(y_pred: Any) -> bool:
    return last_size(y_pred) == 1


def is_sparse(y_true: Any, y_pred: Any) -> bool:
    """Whether targets are class ids beside predictions of several classes."""
    return y_true.ndim < y_pred.ndim or last_size(y_true) == 1 and last_size(y_pred) > 1


def resolve_loss(identifier: Any, y_true: Any, y_pred: Any) -> Loss:
    """A loss object; the strings "crossentropy" and "ce" choose by shape."""
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        kind = "binary" if is_binary(y_pred) else "sparse_categorical" if is_sparse(y_true, y_pred) else "categorical"
        found = losses_module.get(f"{kind}_crossentropy")
    else:
        found = losses_module.get(identifier)
    if isinstance(found, Loss) or not callable(found):
        return found
    name = identifier if isinstance(identifier, str) else object_name(found)
    # The function alone would not see a mask, which says how long the sequences are.
    return losses_module.CTC(name=name) if found is losses_module.ctc else LossFunctionWrapper(found, name=name)


def resolve_metric(identifier: Any, y_true: Any, y_pred: Any) -> Metric:
    """A metric object; the strings "accuracy" and "acc" choose by shape."""
    name = identifier if isinstance(identifier, str) else None
    if name is not None and name.lower() in ("accuracy", "acc"):
        kind = "binary" if is_binary(y_pred) else "sparse_categorical" if is_sparse(y_true, y_pred) else "categorical"
        found = metrics_module.get(f"{kind}_accuracy")
    else:
        found = metrics_module.get(identifier)
    if not isinstance(found, Metric):
        found = MeanMetricWrapper(found, name=object_name(found))
    if name is not None:
        found.name = name
    return found


def object_name(found: Any) -> str:
    """The name of a function or object in the logs."""
    own = getattr(found, "name", None) or getattr(found, "__name__", None)
    return own if isinstance(own, str) else snake_case(type(found).__name__)


def check_losses(loss: Any, loss_weights: Any, names: Sequence[str] | None) -> None:
    """UnknownName, ArgumentTypeError or InvalidArgument for losses that cannot be meant; `names` where known."""
    for item in loss.values() if isinstance(loss, dict) else loss if isinstance(loss, (list, tuple)) else [loss]:
        if not (isinstance(item, str) and item.lower() in ("crossentropy", "ce")):
            losses_module.get(item)
    check_loss_weights(loss_weights)
    if names:
        losses = by_output(loss, names, "loss")
        lacking = [
            name for name, item in zip(names, losses) if item is None and isinstance(loss, dict) and name not in loss
        ]
        if lacking:
            raise InvalidArgument(
                f"loss has no entry for output {lacking[0]!r}; pass None for an output without a loss"
            )
        by_output(loss_weights, names, "loss_weights", 1.0)


def check_loss_weights(weights: Any) -> None:
    if weights is None:
        return
    values = (
        weights.values() if isinstance(weights, dict) else weights if isinstance(weights, (list, tuple)) else [weights]
    )
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float, Tensor)):
            raise ArgumentTypeError(f"loss_weights must be numbers, in a list or a dict by output, got {short(value)}")


def check_metrics(metrics: Any, what: str) -> None:
    """UnknownName or ArgumentTypeError for metrics that cannot be meant."""
    if metrics is None:
        return
    if not isinstance(metrics, (list, tuple, dict)):
        raise ArgumentTypeError(
            f"{what} must be a list or a dict, got {short(metrics)}; write {what}=[{short(metrics)}]"
        )
    for item in _leaves(metrics):
        if not (isinstance(item, str) and item.lower() in ("accuracy", "acc")):
            metrics_module.get(item)


def _leaves(metrics: Any) -> list[Any]:
    items = metrics.values() if isinstance(metrics, dict) else metrics
    nested = [_leaves(item) if isinstance(item, (list, tuple)) else [item] for item in items]
    return [item for group in nested for item in group]


class CompileLoss:
    """The weighted sum of the losses of all outputs, resolved when the shapes are known."""

    def __init__(self, loss: Any, loss_weights: Any = None, output_names: Sequence[str] | None = None) -> None:
        self._loss = loss
        self._weights = loss_weights
        self._output_names = output_names
        self.names: list[str] = []
        self.outputs: list[OutputLoss | None] = []
        self.built = False

    def build(self, y: Any, y_pred: Any) -> None:
        """Choose loss objects for these targets and predictions."""
        self.names = names_of(y_pred, self._output_names)
        losses = by_output(self._loss, self.names, "loss")
        weights = by_output(self._weights, self.names, "loss_weights", None)
        several = sum(loss is not None for loss in losses) > 1
        known = targets(y, self.names, [loss is not None for loss in losses])
        self.outputs = []
        for name, loss, weight, y_true, pred in zip(self.names, losses, weights, known, flat(y_pred, self.names)):
            if loss is None:
                self.outputs.append(None)
                continue
            tracker = Mean(name=f"{name}_loss") if several else None
            self.outputs.append(OutputLoss(name, resolve_loss(loss, y_true, pred), weight, tracker))
        self.built = True

    @property
    def metrics(self) -> list[Metric]:
        """The means of the losses of single outputs, where there are several."""
        return [output.tracker for output in self.outputs if output and output.tracker]

    @property
    def wanted(self) -> list[bool]:
        return [output is not None for output in self.outputs]

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Tensor | None:
        if not self.built:
            self.build(y, y_pred)
        total: Tensor | None = None
        known = targets(y, self.names, self.wanted)
        weights = sample_weights(sample_weight, self.names)
        for output, y_true, pred, weight in zip(self.outputs, known, flat(y_pred, self.names), weights):
            if output is None:
                continue
            value = output.loss(y_true, pred, weight)
            if output.tracker is not None:
                output.tracker.update_state(value, sample_weight=ops.shape(pred)[0])
            if output.weight is not None:
                value = value * output.weight
            total = value if total is None else total + value
        return total


class _MetricsOfOutput(NamedTuple):
    name: str | None
    metrics: list[Metric]
    weighted: list[Metric]


class CompileMetrics(Metric):
    """All metrics given to `compile`, resolved when the shapes are known; `result()` is a dict by name."""

    def __init__(self, metrics: Any, weighted_metrics: Any = None, output_names: Sequence[str] | None = None) -> None:
        super().__init__(name="compile_metrics")
        self._given = metrics
        self._given_weighted = weighted_metrics
        self._output_names = output_names
        self._names: list[str] = []
        self._outputs: list[_MetricsOfOutput] = []
        self.built = False

    def build(self, y: Any, y_pred: Any) -> None:
        """Choose metric objects for these targets and predictions."""
        self._names = names_of(y_pred, self._output_names)
        plain = self._split(self._given, "metrics")
        weighted = self._split(self._given_weighted, "weighted_metrics")
        wanted = [bool(a or b) for a, b in zip(plain, weighted)]
        rows = zip(self._names, plain, weighted, targets(y, self._names, wanted), flat(y_pred, self._names))
        several = len(self._names) > 1
        for name, own, own_weighted, y_true, pred in rows:
            made = [[resolve_metric(m, y_true, pred) for m in group] for group in (own, own_weighted)]
            self._outputs.append(_MetricsOfOutput(name if several else None, *made))
        for metric in self.metrics:
            self._track(metric)
        self.built = True

    def _split(self, given: Any, what: str) -> list[list[Any]]:
        """The metrics of each output; None and single ones as lists."""
        if not given:
            return [[] for _ in self._names]
        if len(self._names) == 1 and isinstance(given, (list, tuple)):
            return [[m for m in _leaves(given) if m is not None]]
        groups = by_output(given, self._names, what)
        listed = [group if isinstance(group, (list, tuple)) else [group] for group in groups]
        return [[m for m in group if m is not None] for group in listed]

    @property
    def metrics(self) -> list[Metric]:
        plain = [m for output in self._outputs for m in output.metrics]
        return plain + [m for output in self._outputs for m in output.weighted]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if not self.built:
            self.build(y_true, y_pred)
        wanted = [bool(output.metrics or output.weighted) for output in self._outputs]
        rows = zip(
            self._outputs,
            targets(y_true, self._names, wanted),
            flat(y_pred, self._names),
            sample_weights(sample_weight, self._names),
        )
        for output, true, pred, weight in rows:
            for metric in output.metrics:
                metric.update_state(true, pred)
            for metric in output.weighted:
                metric.update_state(true, pred, weight)

    def named(self) -> dict[str, Metric]:
        """The metrics by their names in the logs: outputs in front, numbers behind a name that comes again."""
        found: dict[str, Metric] = {}
        for output in self._outputs:
            for metric in output.metrics:
                found[_free(_prefixed(output.name, metric.name), found)] = metric
        for output in self._outputs:
            for metric in output.weighted:
                name = _prefixed(output.name, metric.name)
                if name in found:
                    name = _free(_prefixed(output.name, f"weighted_{metric.name}"), found)
                found[name] = metric
        return found

    def result(self) -> dict[str, Any]:
        if not self.built:
            raise NotBuiltError("the metrics of this model have no results before the first batch")
        return {name: metric.result() for name, metric in self.named().items()}


def _prefixed(output: str | None, name: str) -> str:
    return f"{output}_{name}" if output else name


def _free(name: str, taken: dict[str, Any]) -> str:
    """The name, with the first number that makes it a new one where it is taken."""
    if name not in taken:
        return name
    index = 1
    while f"{name}_{index}" in taken:
        index += 1
    return f"{name}_{index}"
