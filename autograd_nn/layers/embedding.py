"""Embedding: rows of a table, looked up by integers."""

from typing import Any

from .. import constraints, initializers, ops, regularizers
from ..engine.tensor import Tensor
from ..errors import DataError, short
from ..saving.registry import register, serialize_keras_object
from .lora import Adaptable
from .weights import check_positive_int


@register()
class Embedding(Adaptable):
    """Each integer becomes a row of a trained table.

    input_dim:  number of rows; inputs are integers from 0 to input_dim - 1
    output_dim: size of a row
    embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table
    mask_zero:  inputs of 0 are padding: the output has a mask that is False there
    input_length: number of integers in a sample, which lets a Sequential that begins with this layer know its shapes
    weights:    the table to start with, (input_dim, output_dim), or a list that holds it
    lora_rank, lora_alpha: as in `enable_lora`, which is called as soon as there is a table; no LoRA if None

    Input: integers of any shape; output: that shape with output_dim as its last axis. Floats are cut to integers.
    Raises ArgumentTypeError or InvalidArgument unless both sizes are ints >= 1, DataError for an integer out of range
    (AxisError inside a compiled program).

    >>> import autograd_nn as ag
    >>> ag.layers.Embedding(10, 4)([[1, 2, 3]]).shape
    (1, 3, 4)
    """

    _adapted = "embeddings"

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: Any = None,
        lora_alpha: Any = None,
        **kwargs: Any,
    ) -> None:
        rows, width = (check_positive_int(n, f"Embedding: {what}")
                       for n, what in ((input_dim, "input_dim"), (output_dim, "output_dim")))  # fmt: skip
        super().__init__(**kwargs)
        length = kwargs.get("input_length")
        if length is not None and self._batch_input_shape is None:
            self._batch_input_shape = (None, *length) if isinstance(length, (tuple, list)) else (None, length)
        self.input_dim = rows
        self.output_dim = width
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False
        self._init_lora(lora_rank, lora_alpha)
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape: Any = None) -> None:
        self._embeddings = self.add_weight(
            (self.input_dim, self.output_dim), self.embeddings_initializer,
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint, name="embeddings",
        )  # fmt: skip
        self._adapt_if_asked()

    @property
    def embeddings(self) -> Tensor:
        """The table, that of LoRA included; a Variable without it."""
        return self._adapted_weight()

    @embeddings.setter
    def embeddings(self, table: Any) -> None:
        self._embeddings = table

    def get_config(self) -> dict[str, Any]:
        serialized = ("embeddings_initializer", "embeddings_regularizer", "embeddings_constraint")
        plain = ("input_dim", "output_dim", "mask_zero")
        return {
            **super().get_config(), **{name: getattr(self, name) for name in plain},
            **{name: serialize_keras_object(getattr(self, name)) for name in serialized},
        }  # fmt: skip

    def call(self, inputs: Any) -> Any:
        places = inputs if inputs.dtype.kind in "iu" else ops.cast(inputs, "int32")
        if places is not inputs and not inputs.is_symbolic and (inputs.numpy() % 1).any():
            largest = short(inputs.numpy().max().item())
            raise DataError(f"layer {self.name!r} expects integers, got fractions; the largest number is {largest}")
        if not places.is_symbolic:
            self._check(places.numpy())
        return ops.take(self.embeddings, places, axis=0)

    def _check(self, places: Any) -> None:
        wrong = places[(places < 0) | (places >= self.input_dim)]
        if wrong.size:
            raise DataError(
                f"layer {self.name!r} has rows for integers from 0 to {self.input_dim - 1}, got {wrong[0]}; "
                "input_dim must be larger than the largest integer"
            )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None
