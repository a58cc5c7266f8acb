"""Embedding: rows of a table, looked up by integers."""

from typing import Any

from .. import constraints, initializers, ops, regularizers
from ..errors import DataError
from ..saving.registry import register, serialize_keras_object
from .layer import Layer
from .weights import check_positive_int


@register()
class Embedding(Layer):
    """Each integer becomes a row of a trained table.

    input_dim:  number of rows; inputs are integers from 0 to input_dim - 1
    output_dim: size of a row
    embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table
    mask_zero:  inputs of 0 are padding: the output has a mask that is False there
    weights:    the table to start with, (input_dim, output_dim), or a list that holds it

    Input: integers of any shape; output: that shape with output_dim as its last axis. Floats are cut to integers.
    Raises ArgumentTypeError or InvalidArgument unless both sizes are ints >= 1, DataError for an integer out of range
    (AxisError inside a compiled program).

    >>> import autograd_nn as ag
    >>> ag.layers.Embedding(10, 4)([[1, 2, 3]]).shape
    (1, 3, 4)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ) -> None:
        rows, width = (check_positive_int(n, f"Embedding: {what}")
                       for n, what in ((input_dim, "input_dim"), (output_dim, "output_dim")))  # fmt: skip
        super().__init__(**kwargs)
        self.input_dim = rows
        self.output_dim = width
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim), self.embeddings_initializer,
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint, name="embeddings",
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        serialized = ("embeddings_initializer", "embeddings_regularizer", "embeddings_constraint")
        plain = ("input_dim", "output_dim", "mask_zero")
        return {
            **super().get_config(), **{name: getattr(self, name) for name in plain},
            **{name: serialize_keras_object(getattr(self, name)) for name in serialized},
        }  # fmt: skip

    def call(self, inputs: Any) -> Any:
        places = inputs if inputs.dtype.kind in "iu" else ops.cast(inputs, "int32")
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
