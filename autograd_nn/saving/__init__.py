"""Names in data to classes and back: a closed registry, nothing is imported because a file says so."""

from typing import TYPE_CHECKING

from ..lazy import later
from .registry import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)

if TYPE_CHECKING:
    from .files import load_model, load_weights, save_model, save_weights

__getattr__ = later(
    globals(),
    {
        "clone_model": "..models:clone_model", "load_model": ".files:load_model", "load_weights": ".files:load_weights",
        "model_from_json": "..models:model_from_json", "save_model": ".files:save_model",
        "save_weights": ".files:save_weights",
    },
)  # fmt: skip

__all__ = [
    "CustomObjectScope",
    "clone_model",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "model_from_json",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
