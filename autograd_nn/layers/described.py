"""Layers as plain data: the arguments that make an equal one."""

import inspect
from typing import Any, TypeVar

from .. import activations
from ..engine.signatures import of_config
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError
from ..saving.registry import PACKAGE, deserialize_keras_object, serialize_keras_object
from .arguments import init_names

D = TypeVar("D", bound="Described")
_BASE_NAMES = (
    "activity_regularizer", "trainable", "dtype", "autocast", "name", "input_shape", "input_dim", "batch_input_shape",
)  # fmt: skip


class Described:
    """What a layer knows of its own arguments."""

    # Whether get_config of this very class reports the arguments of whatever class a layer has.
    _general_config = True

    name: str
    dtype: Any
    trainable: Any
    activity_regularizer: Any
    _init_arguments: dict[str, Any]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer, as plain data.

        They are read from the attributes of the same names, or are the arguments as given. A subclass whose
        arguments are not attributes extends the result of `super().get_config()`.
        """
        known = init_names(type(self))
        base = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        config = {key: value for key, value in base.items() if key in known}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize_keras_object(self.activity_regularizer)
        for name in init_names(_described_class(type(self))):
            if name not in _BASE_NAMES:
                config[name] = self._serialized(name)
        return config

    def _serialized(self, name: str) -> Any:
        given = self._init_arguments.get(name)
        value = self.__dict__.get(name, given)
        if isinstance(value, (Described, Tensor)) and value is not given:
            value = given
        try:
            return activations.serialize(value) if inspect.isfunction(value) else serialize_keras_object(value)
        except ArgumentTypeError as error:
            kind = type(self).__name__
            own = not type(self).__module__.startswith(f"{PACKAGE}.")
            advice = f"; write get_config in {kind}" if own else ""
            raise ArgumentTypeError(f"{kind}.get_config: argument {name!r}: {error}{advice}") from None

    @classmethod
    @of_config
    def from_config(cls: type[D], config: dict[str, Any]) -> D:
        """The layer of a config."""
        return cls(**{key: deserialize_keras_object(value) for key, value in config.items()})


def _described_class(cls: type) -> type:
    """The class whose arguments a general `get_config` reports: the first one below all that are written by hand."""
    order = [base for base in cls.__mro__ if base is not object]
    written = [
        k for k, base in enumerate(order) if "get_config" in vars(base) and not vars(base).get("_general_config")
    ]
    return order[written[-1] + 1] if written else cls
