"""Convolutions over one, two or three spatial axes, and their transposes."""

from typing import Any

from .. import activations, constraints, initializers, ops, regularizers
from ..config import standardize_data_format
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, ShapeError
from ..ops.convolution import output_padding_of
from ..ops.windows import Window
from ..saving.registry import register
from .core import as_float
from .lora import Adaptable
from .weights import check_positive_int
from .windowed import ImageSpec, Spatial, check_image_shape, check_reach, checked_window, described, with_defaults


class Convolving(Spatial):
    """What all convolution layers share: a window, kernels, a bias, and an activation.

    A subclass makes its kernels in `_build_kernels` and computes in `_convolved`.
    """

    def _set_window(self, window: Window, data_format: str) -> None:
        self._window = window
        self.kernel_size, self.strides, self.dilation_rate = window.size, window.strides, window.dilation
        self.padding = window.padding
        self._expects(data_format)

    def _set_output(self, activation: Any, use_bias: bool) -> None:
        self.activation = activations.get(activation)
        self.use_bias = use_bias

    def _set_weight(self, what: str, initializer: Any, regularizer: Any, constraint: Any) -> None:
        """Note how the weights called `what` are made, penalized and projected."""
        setattr(self, f"{what}_initializer", initializers.get(initializer))
        setattr(self, f"{what}_regularizer", regularizers.get(regularizer))
        setattr(self, f"{what}_constraint", constraints.get(constraint))

    def _make_weight(self, name: str, shape: tuple[int, ...], what: str) -> Any:
        """A weight made as `_set_weight` noted for `what`."""
        return self.add_weight(
            shape, getattr(self, f"{what}_initializer"), regularizer=getattr(self, f"{what}_regularizer"),
            constraint=getattr(self, f"{what}_constraint"), name=name,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        channels = check_image_shape(input_shape, self.input_spec, self.name)
        self._check_sizes(input_shape, channels)
        filters = self._build_kernels(channels)
        self.bias = self._make_weight("bias", (filters,), "bias") if self.use_bias else None
        self.input_spec = ImageSpec(self.rank, self.data_format, channels)

    def _check_sizes(self, shape: Any, channels: int) -> None:
        """ShapeError for an input that the convolution cannot take."""
        check_reach(self.name, self._window, shape, self.data_format, "kernel_size")

    def _build_kernels(self, channels: int) -> int:
        """Make the kernels, and tell the number of output channels."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        y = self._convolved(as_float(inputs, self.compute_dtype))
        return self.activation(y if self.bias is None else y + self._placed_bias())

    def _convolved(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _placed_bias(self) -> Any:
        """The bias with its axis where the channels stand."""
        if self.data_format == "channels_last":
            return self.bias
        return ops.reshape(self.bias, (-1, *(1,) * self.rank))

    def _options(self) -> dict[str, Any]:
        """The arguments that all convolution ops take."""
        return {
            "strides": self.strides, "padding": self.padding, "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }  # fmt: skip


class Convolution(Adaptable, Convolving):
    """What Conv1D, Conv2D and Conv3D share."""

    causal = False

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        what = described(type(self), kwargs)
        count, parts = check_positive_int(filters, f"{what}: filters"), check_positive_int(groups, f"{what}: groups")
        window = checked_window(what, self.rank, kernel_size, strides, padding, dilation_rate, self.causal)
        layout = standardize_data_format(data_format)
        if count % parts:
            raise InvalidArgument(f"{what}: {count} filters cannot be divided into {parts} groups")
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.groups = count, parts
        self._set_window(window, layout)
        self._set_output(activation, use_bias)
        self._set_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._set_weight("bias", bias_initializer, bias_regularizer, bias_constraint)
        self._init_lora(lora_rank, lora_alpha)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self._adapt_if_asked()

    @property
    def kernel(self) -> Tensor:
        """The filters (*kernel_size, channels // groups, filters), LoRA included; a Variable without it."""
        return self._adapted_weight()

    @kernel.setter
    def kernel(self, weight: Any) -> None:
        self._kernel = weight

    def _check_sizes(self, shape: Any, channels: int) -> None:
        if channels % self.groups:
            raise ShapeError(
                f"layer {self.name!r}: the {channels} channels of input {tuple(shape)} cannot be divided into "
                f"{self.groups} groups"
            )
        super()._check_sizes(shape, channels)

    def _build_kernels(self, channels: int) -> int:
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self._make_weight("kernel", shape, "kernel")
        return self.filters

    def convolution_op(self, inputs: Any, kernel: Any) -> Tensor:
        """The convolution with these kernels, without bias and activation; a subclass may change either."""
        return ops.conv(inputs, kernel, **self._options())

    def _convolved(self, x: Tensor) -> Tensor:
        return self.convolution_op(x, self.kernel)


@register()
class Conv1D(Convolution):
    """Convolution over time steps: every filter weighs all channels of a window that slides over the steps.

    filters:       number of outputs per step
    kernel_size:   steps of a window
    strides:       steps from one window to the next
    padding:       "valid" (none), "same" (zeros so that strides of 1 keep the length), "causal" (zeros before the first
                   step, so that no output sees a later input)
    data_format:   "channels_last" or "channels_first"; `config.image_data_format()` if None
    dilation_rate: distance of the elements of a window; not with strides above 1
    groups:        number of groups of channels, each with filters of its own
    activation:    name or function; none if None
    use_bias, *_initializer, *_regularizer, *_constraint, lora_rank, lora_alpha: as in Dense

    Input: (batch, steps, channels); output: (batch, new steps, filters). Kernel: (kernel_size, channels // groups,
    filters); bias: (filters,). Raises InvalidArgument for settings that do not exist or do not go together, ShapeError
    for an input that does not fit.

    >>> import autograd_nn as ag
    >>> ag.layers.Conv1D(4, 3)(ag.ops.ones((2, 10, 8))).shape
    (2, 8, 4)
    """

    rank = 1
    causal = True


@register()
class Conv2D(Convolution):
    """Convolution over images: every filter weighs all channels of a window that slides over rows and columns.

    kernel_size, strides, dilation_rate: an int, or one for the rows and one for the columns
    The other arguments, and the errors, are those of Conv1D; padding is "valid" or "same".

    Input: (batch, height, width, channels); output: (batch, new height, new width, filters).
    Kernel: (*kernel_size, channels // groups, filters); bias: (filters,).

    >>> import autograd_nn as ag
    >>> ag.layers.Conv2D(4, 3, padding="same", activation="relu")(ag.ops.ones((2, 10, 10, 3))).shape
    (2, 10, 10, 4)
    """

    rank = 2
    __init__ = with_defaults(Convolution.__init__, strides=(1, 1), dilation_rate=(1, 1))


@register()
class Conv3D(Convolution):
    """Convolution over volumes. Arguments and errors as in Conv2D, with an int or three.

    Input: (batch, depth, height, width, channels); output: (batch, new depth, new height, new width, filters).
    Kernel: (*kernel_size, channels // groups, filters); bias: (filters,).

    >>> import autograd_nn as ag
    >>> ag.layers.Conv3D(4, (2, 3, 3))(ag.ops.ones((1, 5, 6, 6, 2))).shape
    (1, 4, 4, 4, 4)
    """

    rank = 3
    __init__ = with_defaults(Convolution.__init__, strides=(1, 1, 1), dilation_rate=(1, 1, 1))


class TransposedConvolution(Convolving):
    """What Conv1DTranspose, Conv2DTranspose and Conv3DTranspose share."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        what = described(type(self), kwargs)
        count = check_positive_int(filters, f"{what}: filters")
        window = checked_window(what, self.rank, kernel_size, strides, padding, dilation_rate)
        extra = output_padding_of(output_padding, window, what)
        layout = standardize_data_format(data_format)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.output_padding = count, extra
        self._set_window(window, layout)
        self._set_output(activation, use_bias)
        self._set_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._set_weight("bias", bias_initializer, bias_regularizer, bias_constraint)

    def _check_sizes(self, shape: Any, channels: int) -> None:
        """Nothing: an input of any size has a transpose."""

    def _build_kernels(self, channels: int) -> int:
        self.kernel = self._make_weight("kernel", (*self.kernel_size, self.filters, channels), "kernel")
        return self.filters

    def _convolved(self, x: Tensor) -> Tensor:
        return ops.conv_transpose(x, self.kernel, output_padding=self.output_padding, **self._options())


@register()
class Conv1DTranspose(TransposedConvolution):
    """The transpose of a convolution over time steps: makes strides times as many steps.

    output_padding: elements added at the far end, 0 <= output_padding < strides; None for the size that padding and
                    strides give by themselves
    The other arguments, and the errors, are those of Conv1D; padding is "valid" or "same".

    Input: (batch, steps, channels); output: (batch, new steps, filters), where new steps are steps * strides for "same"
    and steps * strides + max(kernel_size - strides, 0) for "valid". Kernel: (kernel_size, filters, channels).

    >>> import autograd_nn as ag
    >>> ag.layers.Conv1DTranspose(4, 3, strides=2)(ag.ops.ones((2, 5, 8))).shape
    (2, 11, 4)
    """

    rank = 1


@register()
class Conv2DTranspose(TransposedConvolution):
    """The transpose of a convolution over images: makes larger images. Arguments as in Conv1DTranspose, an int or two.

    Input: (batch, height, width, channels); output: (batch, new height, new width, filters).
    Kernel: (*kernel_size, filters, channels); bias: (filters,). Dumoulin and Visin 2016, arXiv 1603.07285.

    >>> import autograd_nn as ag
    >>> ag.layers.Conv2DTranspose(4, 3, strides=2, padding="same")(ag.ops.ones((2, 5, 5, 8))).shape
    (2, 10, 10, 4)
    """

    rank = 2
    __init__ = with_defaults(TransposedConvolution.__init__, strides=(1, 1), dilation_rate=(1, 1))


@register()
class Conv3DTranspose(TransposedConvolution):
    """The transpose of a convolution over volumes. Arguments as in Conv1DTranspose, an int or three.

    Input: (batch, depth, height, width, channels); output: (batch, new depth, new height, new width, filters).
    Kernel: (*kernel_size, filters, channels); bias: (filters,).

    >>> import autograd_nn as ag
    >>> ag.layers.Conv3DTranspose(4, 2, strides=2)(ag.ops.ones((1, 2, 3, 3, 2))).shape
    (1, 4, 6, 6, 4)
    """

    rank = 3

    # Keras has output_padding and data_format in the other order here.
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
