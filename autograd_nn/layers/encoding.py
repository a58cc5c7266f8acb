"""CategoryEncoding: class numbers as vectors."""

from typing import Any

from .. import ops
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, DataError, DTypeError, InvalidArgument, did_you_mean, short
from ..saving.registry import register
from .layer import Layer
from .weights import check_positive_int

_MODES = ("count", "one_hot", "multi_hot")


@register()
class CategoryEncoding(Layer):
    """Class numbers as vectors of `num_tokens` numbers.

    num_tokens:  how many classes there are; numbers are 0..num_tokens - 1
    output_mode: "one_hot" (a vector for each number), "multi_hot" (for each row a vector with 1 at the classes that
                 occur in it), "count" (for each row how often each class occurs in it)
    sparse:      there are no sparse tensors here; False

    Call: class numbers (batch, n) or (n,), and for "count" count_weights of the same shape, what each number counts.
    Output: (batch, num_tokens), or (n, num_tokens) for "one_hot". Numbers that are no class raise DataError where their
    values are known; inside a compiled program they give zeros.

    >>> import autograd_nn as ag
    >>> ag.layers.CategoryEncoding(4)([[0, 1], [3, 3]]).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        mode = "multi_hot" if output_mode == "binary" else output_mode
        if mode not in _MODES:
            hint = did_you_mean(mode, _MODES) or f"; known: {', '.join(_MODES)}"
            raise InvalidArgument(f"CategoryEncoding: unknown output_mode {short(output_mode)}{hint}")
        if num_tokens is None:
            raise ArgumentTypeError("CategoryEncoding: num_tokens, the number of classes, must be given")
        if sparse:
            raise InvalidArgument("CategoryEncoding: sparse=True is not possible, there are no sparse tensors")
        count = check_positive_int(num_tokens, "CategoryEncoding: num_tokens")
        super().__init__(**kwargs)
        self.num_tokens, self.output_mode, self.sparse = count, mode, sparse
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None and self.output_mode != "count":
            raise InvalidArgument(f"layer {self.name!r}: count_weights are for output_mode='count' alone")
        x = self._numbers(inputs)
        if self.output_mode == "multi_hot":
            return ops.multi_hot(x, self.num_tokens, dtype=self.compute_dtype)
        if self.output_mode == "one_hot" and x.ndim > 1 and x.shape[-1] == 1:
            x = ops.squeeze(x, -1)
        hot = ops.one_hot(x, self.num_tokens, dtype=self.compute_dtype)
        if self.output_mode == "one_hot":
            return hot
        if count_weights is not None:
            hot = hot * ops.expand_dims(ops.cast(count_weights, self.compute_dtype), -1)
        return ops.sum(hot, axis=1 if x.ndim > 1 else 0)

    def _numbers(self, inputs: Tensor) -> Tensor:
        """The class numbers as ints with one axis at least; DataError for those that are no class."""
        x = ops.cast(inputs, "int64") if inputs.dtype.kind == "f" else inputs
        if x.dtype.kind not in "iu":
            raise DTypeError(f"layer {self.name!r} expects class numbers, got {inputs.dtype}")
        value = x.value
        if value is not None and value.size and not 0 <= value.min() <= value.max() < self.num_tokens:
            raise DataError(
                f"layer {self.name!r} expects numbers in 0..{self.num_tokens - 1}, got {value.min()}..{value.max()}"
            )
        return ops.expand_dims(x, -1) if not x.ndim else x
