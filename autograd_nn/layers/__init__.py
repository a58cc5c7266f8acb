"""Layers: what models are made of."""

from typing import Any

from ..saving.registry import custom_object_scope, deserialize_keras_object, serialize_keras_object
from .activation import ELU, LeakyReLU, ReLU, Softmax
from .core import Activation, Dense, Identity, Lambda, Masking
from .embedding import Embedding
from .input import Input, InputLayer
from .input_spec import InputSpec
from .layer import Layer
from .merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)  # fmt: skip
from .recurrent import RNN, StackedRNNCells
from .recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell
from .recurrent_layers import GRU, LSTM, SimpleRNN
from .regularization import Dropout
from .reshaping import Flatten, Permute, RepeatVector, Reshape
from .wrappers import Bidirectional, TimeDistributed, Wrapper

__all__ = [
    "Activation", "Add", "Average", "Bidirectional", "Concatenate", "Dense", "Dot", "Dropout", "ELU", "Embedding",
    "Flatten", "GRU", "GRUCell", "Identity", "Input", "InputLayer", "InputSpec", "LSTM", "LSTMCell", "Lambda",
    "Layer", "LeakyReLU", "Masking", "Maximum", "Minimum", "Multiply", "Permute", "RNN", "ReLU", "RepeatVector",
    "Reshape", "SimpleRNN", "SimpleRNNCell", "Softmax", "StackedRNNCells", "Subtract", "TimeDistributed", "Wrapper",
    "add", "average", "concatenate", "deserialize", "dot", "maximum", "minimum", "multiply", "serialize", "subtract",
]  # fmt: skip


def serialize(layer: Any) -> Any:
    """A layer as a config.

    >>> import autograd_nn as ag
    >>> ag.layers.serialize(ag.layers.Dense(2))["class_name"]
    'Dense'
    """
    return serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The layer of a config; `custom_objects` are names that may be used beside the registered ones.

    >>> import autograd_nn as ag
    >>> ag.layers.deserialize(ag.layers.serialize(ag.layers.Dense(2))).units
    2
    """
    with custom_object_scope(custom_objects or {}):
        return deserialize_keras_object(config)
