"""Losses: what training makes small."""

from typing import Any

from ..saving.registry import custom_object_scope, resolve, serialize_keras_object
from .crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from .loss import Loss
from .regression import MeanAbsoluteError, MeanSquaredError, mean_absolute_error, mean_squared_error

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_crossentropy",
]

_OBJECTS = (
    BinaryCrossentropy, CategoricalCrossentropy, MeanAbsoluteError, MeanSquaredError, SparseCategoricalCrossentropy,
    binary_crossentropy, categorical_crossentropy, mean_absolute_error, mean_squared_error,
    sparse_categorical_crossentropy,
)  # fmt: skip
_ALIASES = {
    "bce": binary_crossentropy, "BCE": binary_crossentropy, "mae": mean_absolute_error, "MAE": mean_absolute_error,
    "mse": mean_squared_error, "MSE": mean_squared_error,
}  # fmt: skip
KNOWN: dict[str, Any] = {**{item.__name__: item for item in _OBJECTS}, **_ALIASES}


def get(identifier: Any) -> Any:
    """The loss of that name or config; functions and Loss objects as they are; None for None.

    Raises UnknownName with the nearest known name, ArgumentTypeError for a class and for other types.

    >>> import autograd_nn as ag
    >>> ag.losses.get("mse").__name__
    'mean_squared_error'
    """
    return resolve(identifier, KNOWN, "loss")


def serialize(loss: Any) -> Any:
    """A loss as a config.

    >>> import autograd_nn as ag
    >>> ag.losses.serialize(ag.losses.MeanSquaredError())["class_name"]
    'MeanSquaredError'
    """
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss of a config or name; `custom_objects` are names that may be used beside the known ones.

    >>> import autograd_nn as ag
    >>> ag.losses.deserialize(ag.losses.serialize(ag.losses.MeanSquaredError())).name
    'mean_squared_error'
    """
    with custom_object_scope(custom_objects or {}):
        return get(name)
