"""Layers that move numbers without computing: Flatten, Reshape, Permute, RepeatVector."""

import math
from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from ..saving.registry import register
from .input_spec import InputSpec
from .layer import Layer
from .weights import check_positive_int


@register()
class Flatten(Layer):
    """All axes but the batch in one.

    data_format: "channels_last" or "channels_first", whose channels are moved to the end first

    Input: (batch, ...); output: (batch, n).

    >>> import autograd_nn as ag
    >>> ag.layers.Flatten()(ag.ops.zeros((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        sizes = inputs.spec.shape[1:]
        if all(isinstance(size, int) for size in sizes):
            return _reshape_rows(inputs, (math.prod(sizes),))
        return ops.reshape(inputs, (ops.shape(inputs)[0], -1))


def _reshape_rows(x: Tensor, shape: tuple[Any, ...]) -> Tensor:
    """Every row of x with another shape."""
    return ops.reshape(x, (ops.shape(x)[0], *shape))


@register()
class Reshape(Layer):
    """Every sample with another shape.

    target_shape: sizes without the batch; one may be -1 for what is left

    Input: (batch, ...); output: (batch, *target_shape). Raises ShapeError when the number of elements differs.

    >>> import autograd_nn as ag
    >>> ag.layers.Reshape((2, -1))(ag.ops.zeros((5, 6))).shape
    (5, 2, 3)
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        sizes = (target_shape,) if isinstance(target_shape, int) else target_shape
        if not isinstance(sizes, (tuple, list)) or any(not hasattr(size, "__index__") for size in sizes):
            raise ArgumentTypeError(f"Reshape: target_shape must be a tuple of ints, got {short(target_shape)}")
        if any(size < -1 for size in sizes) or list(sizes).count(-1) > 1:
            raise InvalidArgument(f"Reshape: target_shape may hold one -1 and sizes >= 0, got {tuple(sizes)}")
        super().__init__(**kwargs)
        self.target_shape = tuple(sizes)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return _reshape_rows(inputs, self._sizes(inputs))

    def _sizes(self, inputs: Tensor) -> tuple[int, ...]:
        """The target shape, -1 replaced where the input's sizes are known."""
        given = inputs.spec.shape[1:]
        if not all(isinstance(size, int) for size in given):
            return self.target_shape
        have = math.prod(size for size in given if isinstance(size, int))
        known = math.prod(size for size in self.target_shape if size != -1)
        fits = have == known if -1 not in self.target_shape else known > 0 and have % known == 0
        if not fits:
            raise ShapeError(
                f"layer {self.name!r} cannot reshape {show_shape(inputs.spec.shape)} to (None, "
                f"{', '.join(map(str, self.target_shape))}): {have} elements, expected {known}"
                + (" or a multiple" if -1 in self.target_shape else "")
            )
        return tuple(have // known if size == -1 else size for size in self.target_shape)


@register()
class Permute(Layer):
    """The axes in another order.

    dims: the new order of the axes, counted from 1 without the batch

    >>> import autograd_nn as ag
    >>> ag.layers.Permute((2, 1))(ag.ops.zeros((5, 6, 7))).shape
    (5, 7, 6)
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        order = (dims,) if isinstance(dims, int) else dims
        if not isinstance(order, (tuple, list)) or sorted(order) != list(range(1, len(order) + 1)):
            raise InvalidArgument(
                f"Permute: dims must name the axes 1..n once each, without the batch, got {short(dims)}"
            )
        super().__init__(**kwargs)
        self.dims = tuple(order)
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))


@register()
class RepeatVector(Layer):
    """Every vector n times: (batch, features) to (batch, n, features).

    >>> import autograd_nn as ag
    >>> ag.layers.RepeatVector(3)(ag.ops.zeros((2, 4))).shape
    (2, 3, 4)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        count = check_positive_int(n, "RepeatVector: n")
        super().__init__(**kwargs)
        self.n = count
        self.input_spec = InputSpec(ndim=2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)
