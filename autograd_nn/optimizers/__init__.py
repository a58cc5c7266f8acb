"""Optimizers: how weights follow their gradients."""

from typing import Any

from ..errors import ArgumentTypeError, short
from ..saving.registry import custom_object_scope, resolve, serialize_keras_object
from . import schedules
from .adam import Adam
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["Adam", "Optimizer", "RMSprop", "SGD", "deserialize", "get", "schedules", "serialize"]

KNOWN: dict[str, Any] = {"adam": Adam, "rmsprop": RMSprop, "sgd": SGD}
_OTHER_SPELLINGS = {"Adam": "adam", "RMSProp": "rmsprop", "RMSprop": "rmsprop", "SGD": "sgd"}


def get(identifier: Any) -> Any:
    """The optimizer of that name or config; Optimizer objects as they are; None for None.

    Raises UnknownName with the nearest known name, ArgumentTypeError for a class and for other types.

    >>> import autograd_nn as ag
    >>> ag.optimizers.get("rmsprop")
    <RMSprop name=rm_sprop>
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if callable(identifier) and not isinstance(identifier, type):
        raise ArgumentTypeError(f"optimizer must be a name or an Optimizer, got {short(identifier)}")
    known = {**KNOWN, **{name: KNOWN[usual] for name, usual in _OTHER_SPELLINGS.items()}}
    return resolve(identifier, known if not isinstance(identifier, str) or identifier in known else KNOWN, "optimizer")


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
