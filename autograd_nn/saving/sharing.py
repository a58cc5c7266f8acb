"""Objects that stand in several places of a model, such as a layer of two nested models, are one object again."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..errors import ModelFileError

KEY = "shared_object_id"


# The number of each object by its id, with the object itself; the objects made by number.
_WRITTEN: ContextVar[dict[int, tuple[int, Any]] | None] = ContextVar("objects_written", default=None)
_MADE: ContextVar[dict[int, Any] | None] = ContextVar("objects_made", default=None)


@contextmanager
def numbering() -> Iterator[None]:
    """Inside, configs number the objects that have a state of their own.

    >>> import autograd_nn as ag
    >>> layer = ag.layers.Dropout(0.5)
    >>> with numbering():
    ...     data = ag.saving.serialize_keras_object([layer, layer])
    >>> with sharing():
    ...     first, second = ag.saving.deserialize_keras_object(data)
    >>> first is second
    True
    """
    token = _WRITTEN.set({})
    try:
        yield
    finally:
        _WRITTEN.reset(token)


@contextmanager
def sharing() -> Iterator[None]:
    """Inside, configs with one number mean one object.

    >>> with sharing():
    ...     remember({KEY: 3}, "layer"), made_before({KEY: 3, "class_name": "str"})
    ('layer', 'layer')
    """
    token = _MADE.set({})
    try:
        yield
    finally:
        _MADE.reset(token)


def numbered(obj: Any, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry of an object, with its number where it has a state and `numbering` is on."""
    written = _WRITTEN.get()
    if written is None or not (hasattr(type(obj), "variables") or hasattr(obj, "state")):
        return entry
    number, _ = written.setdefault(id(obj), (len(written), obj))
    return {**entry, KEY: number}


def made_before(entry: dict[str, Any]) -> Any:
    """The object that was made from an entry with the same number; None for the first one."""
    made, number = _MADE.get(), entry.get(KEY)
    found = made.get(number) if made is not None and type(number) is int else None
    if found is not None and type(found).__name__ != entry["class_name"]:
        raise ModelFileError(f"object {number} of its configuration is of two classes")
    return found


def remember(entry: dict[str, Any], obj: Any) -> Any:
    """`obj`, which the next entry with the same number will mean."""
    made = _MADE.get()
    if made is not None and type(entry.get(KEY)) is int:
        made[entry[KEY]] = obj
    return obj
