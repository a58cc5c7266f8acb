"""Metrics that add up: sums and means over all samples of an epoch."""

from collections.abc import Callable
from typing import Any

from .. import ops
from ..engine.convert import as_tensor
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import ShapeError
from ..layers.masks import get_mask
from ..losses.loss import divide_no_nan, fits, masked_weight, squeeze_or_expand_to_same_rank
from ..saving.registry import deserialize_keras_object, register, serialize_keras_object
from .metric import Metric

Reduce = Callable[..., Tensor]


def per_sample(values: Any, sample_weight: Any, reduce: Reduce, dtype: Any, what: str) -> tuple[Tensor, Tensor | None]:
    """One value per sample, already weighted, and one weight per sample."""
    values = as_tensor(values, dtype)
    if sample_weight is None:
        return _flat(values, reduce), None
    values, weight = squeeze_or_expand_to_same_rank(values, as_tensor(sample_weight, dtype))
    sizes = zip(values.spec.shape, weight.spec.shape)
    if weight.ndim > values.ndim or not all(w == 1 or fits((v,), (w,)) for v, w in sizes):
        raise ShapeError(
            f"{what}: sample_weight has shape {show_shape(weight.spec.shape)}, the values have "
            f"{show_shape(values.spec.shape)}; pass one weight per sample"
        )
    if values.ndim > weight.ndim:
        values = reduce(values, axis=tuple(range(weight.ndim, values.ndim)))
    weight = ops.broadcast_like(weight, values)
    return _flat(values * weight, reduce), _flat(weight, reduce)


def _flat(values: Tensor, reduce: Reduce) -> Tensor:
    return reduce(values, axis=tuple(range(1, values.ndim))) if values.ndim > 1 else values


@register()
class Sum(Metric):
    """The weighted sum of all values.

    >>> import autograd_nn as ag
    >>> total = ag.metrics.Sum()
    >>> total.update_state([1.0, 2.0])
    >>> total.update_state([3.0], sample_weight=[2.0])
    >>> float(total.result())
    9.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, _ = per_sample(values, sample_weight, ops.sum, self.dtype, self.name)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Tensor:
        return as_tensor(self.total)


@register()
class Mean(Metric):
    """The weighted mean of all values; 0 before any.

    >>> import autograd_nn as ag
    >>> mean = ag.metrics.Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.update_state([8.0], sample_weight=[2.0])
    >>> float(mean.result())
    5.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, weight = per_sample(values, sample_weight, ops.mean, self.dtype, self.name)
        self.total.assign_add(ops.sum(values))
        self.count.assign_add(ops.sum(ops.ones_like(values) if weight is None else weight))

    def result(self) -> Tensor:
        return divide_no_nan(as_tensor(self.total), as_tensor(self.count))


@register()
class MeanMetricWrapper(Mean):
    """The mean of a function `fn(y_true, y_pred, **kwargs)` that returns values per sample.

    >>> import autograd_nn as ag
    >>> error = ag.metrics.MeanMetricWrapper(ag.losses.mean_absolute_error, name="error")
    >>> float(error([[1.0]], [[3.0]]))
    2.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name or getattr(fn, "__name__", None) or getattr(fn, "name", None), dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        mask = get_mask(y_pred)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        if mask is not None:
            weight = None if sample_weight is None else as_tensor(sample_weight, self.dtype)
            sample_weight = masked_weight(weight, mask, as_tensor(values, self.dtype), "sum")
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), **self._fn_kwargs}
        # A subclass knows its function.
        return {**config, "fn": serialize_keras_object(self._fn)} if type(self) is MeanMetricWrapper else config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Metric":
        return cls(**{**config, "fn": deserialize_keras_object(config["fn"])} if "fn" in config else config)
