"""Optimizers: how weights follow their gradients."""

from typing import Any

from ..engine.signatures import suggest_calls
from ..errors import ArgumentTypeError, short
from ..saving.registry import custom_object_scope, resolve, serialize_keras_object
from . import schedules
from .adafactor import Adafactor
from .adagrad import Adadelta, Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax, Lamb, Nadam
from .ftrl import Ftrl
from .lion import Lion
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = [
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Nadam", "Optimizer",
    "RMSprop", "SGD", "deserialize", "get", "schedules", "serialize",
]  # fmt: skip

_CLASSES = (Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, Nadam, RMSprop, SGD)
KNOWN: dict[str, Any] = {cls.__name__.lower(): cls for cls in _CLASSES}
_BY_CLASS_NAME: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES}


def get(identifier: Any) -> Any:
    """The optimizer of that name (in upper or lower case) or config; Optimizer objects as they are; None for None.

    Raises UnknownName with the nearest known name, ArgumentTypeError for a class and for other types.

    >>> import autograd_nn as ag
    >>> ag.optimizers.get("rmsprop")
    <RMSprop name=rm_sprop>
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if callable(identifier) and not isinstance(identifier, type):
        raise ArgumentTypeError(f"optimizer must be a name or an Optimizer, got {short(identifier)}")
    if isinstance(identifier, str):
        name = identifier.lower() if identifier.lower() in KNOWN else identifier
        return resolve(name, KNOWN, "optimizer")
    return resolve(identifier, {**KNOWN, **_BY_CLASS_NAME}, "optimizer")


def serialize(optimizer: Optimizer) -> Any:
    """An optimizer as a config.

    >>> import autograd_nn as ag
    >>> ag.optimizers.serialize(ag.optimizers.SGD())["class_name"]
    'SGD'
    """
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer of a config; `custom_objects` are names that may be used beside the known ones.

    >>> import autograd_nn as ag
    >>> ag.optimizers.deserialize(ag.optimizers.serialize(ag.optimizers.SGD()))
    <SGD name=sgd>
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


suggest_calls(globals())
