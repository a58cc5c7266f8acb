"""Constraints: what a weight is projected onto after each update."""

from typing import Any

from . import ops
from .config import epsilon
from .engine.convert import as_tensor
from .engine.signatures import Checked, suggest_calls
from .engine.tensor import Tensor
from .saving.registry import custom_object_scope, register, resolve, serialize_keras_object

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm", "min_max_norm",
    "non_neg", "serialize", "unit_norm",
]  # fmt: skip

Axis = int | tuple[int, ...] | list[int]


@register()
class Constraint(metaclass=Checked):
    """Base of constraints: a callable from a weight to a weight of the same shape and dtype.

    >>> import autograd_nn as ag
    >>> class Half(ag.constraints.Constraint):
    ...     def __call__(self, w):
    ...         return w / 2
    >>> Half()(ag.tensor([2.0])).tolist()
    [1.0]
    """

    def __call__(self, w: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(w)")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Constraint":
        return cls(**config)


@register()
class NonNeg(Constraint):
    """Negative elements become zero.

    >>> import autograd_nn as ag
    >>> ag.constraints.NonNeg()([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Tensor:
        return ops.maximum(as_tensor(w), 0)


@register()
class UnitNorm(Constraint):
    """Every vector along `axis` gets Euclidean norm 1.

    axis: int or several ints; 0 for the weights into each unit of a Dense layer

    >>> import autograd_nn as ag
    >>> ag.constraints.UnitNorm()([[3.0], [4.0]]).tolist()[0][0].__round__(5)
    0.6
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w = as_tensor(w)
        return w / (epsilon() + _norms(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


@register()
class MaxNorm(Constraint):
    """Vectors along `axis` that are longer than `max_value` are shortened to it (Srivastava et al. 2014, JMLR 15).

    max_value: largest Euclidean norm
    axis:      int or several ints; 0 for the weights into each unit of a Dense layer

    >>> import autograd_nn as ag
    >>> ag.constraints.MaxNorm(1.0)([[0.3], [0.4]]).tolist()[1][0].__round__(5)
    0.4
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w = as_tensor(w)
        norms = _norms(w, self.axis)
        return w * (ops.clip(norms, 0, self.max_value) / (epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


@register()
class MinMaxNorm(Constraint):
    """The norms of vectors along `axis` move into `min_value..max_value`, by the part `rate` of the way.

    min_value, max_value: the interval of Euclidean norms
    rate:                 1 to be inside at once, less to move there slowly
    axis:                 int or several ints; 0 for the weights into each unit of a Dense layer

    >>> import autograd_nn as ag
    >>> ag.constraints.MinMaxNorm(1.0, 2.0)([[0.3], [0.4]]).tolist()[0][0].__round__(5)
    0.6
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Tensor:
        w = as_tensor(w)
        norms = _norms(w, self.axis)
        desired = self.rate * ops.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


def _norms(w: Tensor, axis: Axis) -> Tensor:
    axes = tuple(axis) if isinstance(axis, list) else axis
    return ops.sqrt(ops.sum(ops.square(w), axis=axes, keepdims=True))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
KNOWN: dict[str, Any] = {
    "MaxNorm": MaxNorm, "max_norm": MaxNorm, "MinMaxNorm": MinMaxNorm, "min_max_norm": MinMaxNorm, "NonNeg": NonNeg,
    "non_neg": NonNeg, "nonneg": NonNeg, "UnitNorm": UnitNorm, "unit_norm": UnitNorm, "unitnorm": UnitNorm,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """The constraint of that name or config; functions and Constraint objects as they are; None for None.

    Raises UnknownName with the nearest known name, ArgumentTypeError for a class and for other types.

    >>> import autograd_nn as ag
    >>> ag.constraints.get("non_neg")([-1.0]).tolist()
    [0.0]
    """
    return resolve(identifier, KNOWN, "constraint")


def serialize(constraint: Any) -> Any:
    """A constraint as a config.

    >>> import autograd_nn as ag
    >>> ag.constraints.serialize(ag.constraints.UnitNorm())["config"]
    {'axis': 0}
    """
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a config or name; `custom_objects` are names that may be used beside the known ones.

    >>> import autograd_nn as ag
    >>> ag.constraints.deserialize(ag.constraints.serialize(ag.constraints.MaxNorm(3))).max_value
    3
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


suggest_calls(globals())
