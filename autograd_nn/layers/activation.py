"""Activations with settings, as layers."""

import math
from typing import Any

from .. import activations, constraints, initializers, ops, regularizers
from ..errors import InvalidArgument, ShapeError, short
from ..saving.registry import register
from .input_spec import InputSpec
from .layer import Layer


def _check_slope(value: Any, layer: str) -> float:
    """A number >= 0."""
    if isinstance(value, bool) or not hasattr(value, "__float__") or not 0 <= float(value) < math.inf:
        raise InvalidArgument(f"{layer}: negative_slope must be a number >= 0, got {short(value)}")
    return float(value)


class _Elementwise(Layer):
    """An activation layer: keeps shape and mask, has no weights."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True


@register()
class ReLU(_Elementwise):
    """x above `threshold`, `negative_slope * (x - threshold)` elsewhere, at most `max_value`.

    Input and output: any shape. Raises InvalidArgument for negative settings.

    >>> import autograd_nn as ag
    >>> ag.layers.ReLU(max_value=6)([-1.0, 3.0, 9.0]).tolist()
    [0.0, 3.0, 6.0]
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        for name, value in (("max_value", max_value), ("threshold", threshold)):
            if value is None and name == "max_value":
                continue
            if isinstance(value, (bool, str)) or value is None or not value >= 0:
                raise InvalidArgument(f"ReLU: {name} must be a number >= 0, got {short(value)}")
        slope = _check_slope(negative_slope, "ReLU")
        super().__init__(**kwargs)
        self.max_value = max_value
        self.negative_slope = slope
        self.threshold = threshold

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@register()
class LeakyReLU(_Elementwise):
    """x where it is positive, `negative_slope * x` elsewhere (Maas et al. 2013).

    Input and output: any shape. Raises InvalidArgument for a negative slope.

    >>> import autograd_nn as ag
    >>> ag.layers.LeakyReLU(0.5)([-1.0, 1.0]).tolist()
    [-0.5, 1.0]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        slope = _check_slope(negative_slope, "LeakyReLU")
        super().__init__(**kwargs)
        self.negative_slope = slope

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, self.negative_slope)


@register()
class ELU(_Elementwise):
    """x where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al. 2015, arXiv 1511.07289).

    >>> import autograd_nn as ag
    >>> ag.layers.ELU()([0.0, 1.0]).tolist()
    [0.0, 1.0]
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, self.alpha)


@register()
class Softmax(_Elementwise):
    """exp(x) divided by its sum over `axis`: positive numbers that sum to 1.

    axis: int or several ints

    Input and output: any shape. A `mask` of booleans, passed to the call, takes elements out (they become 0).

    >>> import autograd_nn as ag
    >>> ag.layers.Softmax()([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        axes = tuple(self.axis) if isinstance(self.axis, (tuple, list)) else self.axis
        if mask is None:
            return ops.softmax(inputs, axis=axes)
        # A row without any element left must give zeros, not the softmax of equal numbers.
        hidden = ops.where(mask, inputs, -math.inf)
        kept = ops.cast(ops.any(mask, axis=axes, keepdims=True), inputs.dtype)
        return ops.softmax(ops.where(ops.any(mask, axis=axes, keepdims=True), hidden, inputs), axis=axes) * kept


@register()
class PReLU(Layer):
    """x where it is positive, `alpha * x` elsewhere, with a trained slope alpha (He et al. 2015, arXiv 1502.01852).

    alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes
    shared_axes: axes along which all elements have one slope, such as [1, 2] for the pixels of images

    Input and output: any shape. Slopes: the input's shape without the batch, 1 along shared axes.
    Raises InvalidArgument for an axis that is none, ShapeError for a size that is not known.

    >>> import autograd_nn as ag
    >>> ag.layers.PReLU(alpha_initializer=ag.initializers.Constant(0.5))([[-1.0, 1.0]]).tolist()
    [[-0.5, 1.0]]
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        shared = shared_axes if shared_axes is None or isinstance(shared_axes, (list, tuple)) else [shared_axes]
        if shared is not None and any(
            isinstance(axis, bool) or not isinstance(axis, int) or axis < 1 for axis in shared
        ):
            raise InvalidArgument(f"PReLU: shared_axes must hold axes from 1 on, got {short(shared_axes)}")
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = None if shared is None else list(shared)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shared = self.shared_axes or []
        ndim = len(input_shape)
        if any(axis >= ndim for axis in shared):
            raise InvalidArgument(f"layer {self.name!r}: shared_axes {shared} for input of shape {tuple(input_shape)}")
        sizes = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        if None in sizes:
            raise ShapeError(
                f"layer {self.name!r} needs to know the sizes of its input, got {tuple(input_shape)}; "
                f"or share slopes along the others: shared_axes={[k for k in range(1, ndim) if input_shape[k] is None]}"
            )
        self.alpha = self.add_weight(
            tuple(sizes), self.alpha_initializer, regularizer=self.alpha_regularizer, constraint=self.alpha_constraint,
            name="alpha",
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=ndim, axes={k: input_shape[k] for k in range(1, ndim) if k not in shared})

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs) - self.alpha * activations.relu(-inputs)
