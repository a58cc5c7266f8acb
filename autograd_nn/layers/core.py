"""Dense, Activation, Identity, Lambda, Masking: the layers that nearly every model has."""

import inspect
from collections.abc import Callable
from typing import Any

from .. import activations, constraints, initializers, ops, regularizers
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, ShapeError, short
from ..saving.registry import register
from .input_spec import InputSpec
from .layer import Layer
from .lora import Adaptable
from .weights import check_positive_int


@register()
class Dense(Adaptable):
    """`activation(inputs @ kernel + bias)`: every output is a weighted sum of all inputs along the last axis.

    units:      number of outputs
    activation: name or function; none if None
    use_bias:   whether a bias is added
    kernel_initializer, bias_initializer:   names, objects or configs
    kernel_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss
    kernel_constraint, bias_constraint:     projections after each update
    lora_rank, lora_alpha: as in `enable_lora`, which is called as soon as there is a kernel; no LoRA if None

    Input: (batch, ..., n); output: (batch, ..., units). Kernel: (n, units); bias: (units,).
    Raises ArgumentTypeError or InvalidArgument unless units is an int >= 1, ShapeError for an input of another width.

    >>> import autograd_nn as ag
    >>> ag.layers.Dense(2, kernel_initializer="ones")([[1.0, 2.0, 3.0]]).tolist()
    [[6.0, 6.0]]
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: Any = None,
        lora_alpha: Any = None,
        **kwargs: Any,
    ) -> None:
        units = check_positive_int(units, f"Dense {kwargs.get('name') or ''}".strip() + ": units")
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._init_lora(lora_rank, lora_alpha)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        width = known_last_size(input_shape, self.name)
        self._kernel = self.add_weight(
            (width, self.units), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip
        self.input_spec = InputSpec(min_ndim=2, axes={-1: width})
        self._adapt_if_asked()

    @property
    def kernel(self) -> Tensor:
        """The weights (n, units), those of LoRA included; a Variable without it."""
        return self._adapted_weight()

    @kernel.setter
    def kernel(self, weight: Any) -> None:
        self._kernel = weight

    def call(self, inputs: Any) -> Any:
        y = ops.matmul(as_float(inputs, self.compute_dtype), self.kernel)
        return self.activation(y if self.bias is None else y + self.bias)


def as_float(x: Tensor, dtype: str) -> Tensor:
    """x, integers and bools as floats of that dtype."""
    return x if x.dtype.kind == "f" else ops.cast(x, dtype)


def known_last_size(shape: Any, layer: str) -> int:
    """The last size of an input shape; ShapeError where it is not known."""
    if not isinstance(shape, (tuple, list)) or not shape or isinstance(shape[-1], (tuple, list, dict)):
        raise ShapeError(f"layer {layer!r} expects one input of at least 2 axes, got shape {short(shape)}")
    if shape[-1] is None:
        raise ShapeError(
            f"layer {layer!r} needs to know the last size of its input, got {tuple(shape)}; "
            "give all sizes: Input(shape=...) or input_shape=..."
        )
    return int(shape[-1])


@register()
class Activation(Layer):
    """An activation function as a layer.

    activation: name or function

    Input and output: any shape. Raises UnknownName for an unknown name.

    >>> import autograd_nn as ag
    >>> ag.layers.Activation("relu")([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


@register()
class Identity(Layer):
    """The inputs as they are.

    >>> import autograd_nn as ag
    >>> ag.layers.Identity()([1.0]).tolist()
    [1.0]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs


@register()
class Lambda(Layer):
    """A function of tensors as a layer.

    function:     `function(inputs, **arguments)`; it may also take `mask` and `training`
    output_shape: accepted for Keras; the shape follows from the function
    mask:         the mask of the output, or a function `(inputs, mask)` of it
    arguments:    more keyword arguments for the function

    The function goes into a config by its name: define it with `def` and decorate it with
    `register_keras_serializable()`, or pass it as `custom_objects`; a lambda has no name to be found by.

    >>> import autograd_nn as ag
    >>> ag.layers.Lambda(lambda x: x * 2)([1.0]).tolist()
    [2.0]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not callable(function):
            raise ArgumentTypeError(f"Lambda: expected a function of tensors, got {short(function)}")
        super().__init__(**kwargs)
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments = arguments or {}
        self.supports_masking = mask is not None
        self._takes = call_spec_of(function)
        self.built = True

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        given = {"mask": mask, "training": training}
        return self.function(inputs, **{**self.arguments, **{k: v for k, v in given.items() if k in self._takes}})

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask


def call_spec_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The parameters of a function that is no method; none for one that does not tell."""
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


@register()
class Masking(Layer):
    """Marks the time steps all of whose features equal `mask_value` as steps to skip, and sets them to zero.

    Input: (batch, time, features); output: the same, with a mask (batch, time).

    >>> import autograd_nn as ag
    >>> ag.layers.Masking(9.0)([[[9.0, 9.0], [9.0, 1.0]]]).tolist()
    [[[0.0, 0.0], [9.0, 1.0]]]
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True
        self.built = True

    def _kept(self, inputs: Any, keepdims: bool) -> Tensor:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=keepdims)

    def call(self, inputs: Any) -> Any:
        return inputs * ops.cast(self._kept(inputs, keepdims=True), inputs.dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return self._kept(inputs, keepdims=False)
