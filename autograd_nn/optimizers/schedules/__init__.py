"""Learning rates that change with the step."""

from typing import Any

from ...engine.signatures import suggest_calls
from ...saving.registry import custom_object_scope, deserialize_keras_object, serialize_keras_object
from .curves import CosineDecay, CosineDecayRestarts, InverseTimeDecay, PolynomialDecay
from .schedule import ExponentialDecay, LearningRateSchedule, PiecewiseConstantDecay

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """A schedule as a config."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule of a config; `custom_objects` are names that may be used beside the known ones."""
    with custom_object_scope(custom_objects or {}):
        return deserialize_keras_object(config)


suggest_calls(globals())
