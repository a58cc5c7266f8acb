"""Regularizers: penalties on weights or outputs that are added to the loss."""

import math
from typing import Any

from . import ops
from .config import epsilon
from .engine.convert import as_tensor
from .engine.signatures import Checked, suggest_calls
from .engine.tensor import Tensor
from .errors import InvalidArgument, ShapeError, short
from .saving.registry import custom_object_scope, register, resolve, serialize_keras_object

__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2",
    "orthogonal_regularizer", "serialize",
]  # fmt: skip


@register()
class Regularizer(metaclass=Checked):
    """Base of regularizers: a callable from a tensor to a scalar penalty.

    >>> import autograd_nn as ag
    >>> class Mean(ag.regularizers.Regularizer):
    ...     def __call__(self, x):
    ...         return ag.ops.mean(x)
    >>> float(Mean()(ag.tensor([1.0, 3.0])))
    2.0
    """

    def __call__(self, x: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(x)")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} must define get_config()")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Regularizer":
        return cls(**config)


@register()
class L1(Regularizer):
    """`l1 * sum(|x|)`. Raises InvalidArgument unless l1 is a finite number >= 0.

    >>> import autograd_nn as ag
    >>> float(ag.regularizers.L1(0.5)([-2.0, 2.0]))
    2.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor(0.01 if l1 is None else l1, "l1")

    def __call__(self, x: Any) -> Tensor:
        return self.l1 * ops.sum(ops.abs(x))

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


@register()
class L2(Regularizer):
    """`l2 * sum(x**2)`. Raises InvalidArgument unless l2 is a finite number >= 0.

    >>> import autograd_nn as ag
    >>> float(ag.regularizers.L2(0.5)([-2.0, 2.0]))
    4.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor(0.01 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Tensor:
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


@register()
class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x**2)`. Raises InvalidArgument unless both are finite numbers >= 0.

    >>> import autograd_nn as ag
    >>> float(ag.regularizers.L1L2(0.5, 0.5)([-2.0, 2.0]))
    6.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor(l1 or 0.0, "l1")
        self.l2 = _factor(l2 or 0.0, "l2")

    def __call__(self, x: Any) -> Tensor:
        x = as_tensor(x)
        penalty = as_tensor(0, x.dtype)
        if self.l1:
            penalty = penalty + self.l1 * ops.sum(ops.abs(x))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(x))
        return penalty

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


@register()
class OrthogonalRegularizer(Regularizer):
    """Pushes the rows (or columns) of a matrix to be orthogonal: `factor` times the mean |cosine| of different ones.

    factor: strength, a number >= 0
    mode:   "rows" or "columns"

    Raises InvalidArgument for another mode, ShapeError for a tensor that is no matrix.

    >>> import autograd_nn as ag
    >>> float(ag.regularizers.OrthogonalRegularizer(1.0)([[1.0, 0.0], [0.0, 1.0]]))
    0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor(factor, "factor")
        if mode not in ("rows", "columns"):
            raise InvalidArgument(f"OrthogonalRegularizer: mode must be 'rows' or 'columns', got {short(mode)}")
        self.mode = mode

    def __call__(self, x: Any) -> Tensor:
        x = as_tensor(x)
        if x.ndim != 2:
            raise ShapeError(f"OrthogonalRegularizer: expects a matrix, got shape {x.shape}")
        vectors = x if self.mode == "rows" else ops.transpose(x)
        lengths = ops.sqrt(ops.maximum(ops.sum(ops.square(vectors), axis=1, keepdims=True), epsilon() ** 2))
        unit = vectors / lengths
        cosines = ops.matmul(unit, ops.transpose(unit))
        count = x.shape[0 if self.mode == "rows" else 1]
        different = 1 - ops.eye(count, dtype=x.dtype)
        pairs = max(count * (count - 1) / 2, 1.0)
        return self.factor * 0.5 * ops.sum(ops.abs(cosines * different)) / pairs

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


def _factor(value: Any, name: str) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__") or not 0 <= float(value) < math.inf:
        raise InvalidArgument(f"regularizer: {name} must be a finite number >= 0, got {short(value)}")
    return float(value)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
KNOWN: dict[str, Any] = {
    "L1": L1, "l1": L1, "L2": L2, "l2": L2, "L1L2": L1L2, "l1_l2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer, "orthogonal_regularizer": OrthogonalRegularizer,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """The regularizer of that name or config; functions and Regularizer objects as they are; None for None.

    Raises UnknownName with the nearest known name, ArgumentTypeError for a class and for other types.

    >>> import autograd_nn as ag
    >>> ag.regularizers.get("l2").l2
    0.01
    """
    return resolve(identifier, KNOWN, "regularizer")


def serialize(regularizer: Any) -> Any:
    """A regularizer as a config.

    >>> import autograd_nn as ag
    >>> ag.regularizers.serialize(ag.regularizers.L1(0.5))["config"]
    {'l1': 0.5}
    """
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a config or name; `custom_objects` are names that may be used beside the known ones.

    >>> import autograd_nn as ag
    >>> ag.regularizers.deserialize(ag.regularizers.serialize(ag.regularizers.L1(0.5))).l1
    0.5
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


suggest_calls(globals())
