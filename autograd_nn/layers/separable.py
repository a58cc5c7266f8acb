"""Convolutions that look at each channel by itself: depthwise, and separable with a mix of the channels after it."""

from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..engine.tensor import Tensor
from ..saving.registry import register
from .convolution import Convolving
from .weights import check_positive_int
from .windowed import checked_window, described, with_defaults


class Depthwise(Convolving):
    """What DepthwiseConv1D and DepthwiseConv2D share."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        what = described(type(self), kwargs)
        multiplier = check_positive_int(depth_multiplier, f"{what}: depth_multiplier")
        window = checked_window(what, self.rank, kernel_size, strides, padding, dilation_rate)
        layout = standardize_data_format(data_format)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = multiplier
        self._set_window(window, layout)
        self._set_output(activation, use_bias)
        self._set_weight("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._set_weight("bias", bias_initializer, bias_regularizer, bias_constraint)

    def _build_kernels(self, channels: int) -> int:
        self.kernel = self._make_weight("kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise")
        return channels * self.depth_multiplier

    def _convolved(self, x: Tensor) -> Tensor:
        return ops.depthwise_conv(x, self.kernel, **self._options())


@register()
class DepthwiseConv1D(Depthwise):
    """Convolution over time steps of each channel by itself.

    kernel_size, strides, padding, data_format, dilation_rate: as in Conv1D; padding is "valid" or "same"
    depth_multiplier: number of outputs per channel
    activation, use_bias, depthwise_*, bias_*, activity_regularizer: as in Dense

    Input: (batch, steps, channels); output: (batch, new steps, channels * depth_multiplier).
    Kernel: (kernel_size, channels, depth_multiplier); bias: (channels * depth_multiplier,). Errors as in Conv1D.

    >>> import autograd_nn as ag
    >>> ag.layers.DepthwiseConv1D(3, depth_multiplier=2)(ag.ops.ones((2, 10, 8))).shape
    (2, 8, 16)
    """

    rank = 1


@register()
class DepthwiseConv2D(Depthwise):
    """Convolution over images of each channel by itself. Arguments as in DepthwiseConv1D, an int or two.

    Input: (batch, height, width, channels); output: (batch, new height, new width, channels * depth_multiplier).
    Kernel: (*kernel_size, channels, depth_multiplier); bias: (channels * depth_multiplier,).

    >>> import autograd_nn as ag
    >>> ag.layers.DepthwiseConv2D(3, padding="same")(ag.ops.ones((2, 10, 10, 3))).shape
    (2, 10, 10, 3)
    """

    rank = 2
    __init__ = with_defaults(Depthwise.__init__, strides=(1, 1), dilation_rate=(1, 1))


class Separable(Convolving):
    """What SeparableConv1D and SeparableConv2D share."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        what = described(type(self), kwargs)
        count = check_positive_int(filters, f"{what}: filters")
        multiplier = check_positive_int(depth_multiplier, f"{what}: depth_multiplier")
        window = checked_window(what, self.rank, kernel_size, strides, padding, dilation_rate)
        layout = standardize_data_format(data_format)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.depth_multiplier = count, multiplier
        self._set_window(window, layout)
        self._set_output(activation, use_bias)
        self._set_weight("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._set_weight("pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        self._set_weight("bias", bias_initializer, bias_regularizer, bias_constraint)

    def _build_kernels(self, channels: int) -> int:
        depthwise = (*self.kernel_size, channels, self.depth_multiplier)
        pointwise = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = self._make_weight("depthwise_kernel", depthwise, "depthwise")
        self.pointwise_kernel = self._make_weight("pointwise_kernel", pointwise, "pointwise")
        return self.filters

    def _convolved(self, x: Tensor) -> Tensor:
        return ops.separable_conv(x, self.depthwise_kernel, self.pointwise_kernel, **self._options())


@register()
class SeparableConv1D(Separable):
    """A depthwise convolution over time steps, then a weighted sum over the channels of each step.

    filters:          number of outputs per step
    depth_multiplier: number of outputs of the depthwise convolution per channel
    kernel_size, strides, padding, data_format, dilation_rate: as in Conv1D; padding is "valid" or "same"
    activation, use_bias, depthwise_*, pointwise_*, bias_*, activity_regularizer: as in Dense

    Input: (batch, steps, channels); output: (batch, new steps, filters). Kernels: (kernel_size, channels,
    depth_multiplier) and (1, channels * depth_multiplier, filters); bias: (filters,). Errors as in Conv1D.

    >>> import autograd_nn as ag
    >>> ag.layers.SeparableConv1D(4, 3)(ag.ops.ones((2, 10, 8))).shape
    (2, 8, 4)
    """

    rank = 1


@register()
class SeparableConv2D(Separable):
    """A depthwise convolution over images, then a weighted sum over the channels of each pixel.

    Arguments as in SeparableConv1D, an int or two. Chollet 2017, arXiv 1610.02357.

    Input: (batch, height, width, channels); output: (batch, new height, new width, filters). Kernels: (*kernel_size,
    channels, depth_multiplier) and (1, 1, channels * depth_multiplier, filters); bias: (filters,).

    >>> import autograd_nn as ag
    >>> ag.layers.SeparableConv2D(4, 3, padding="same")(ag.ops.ones((2, 10, 10, 3))).shape
    (2, 10, 10, 4)
    """

    rank = 2
    __init__ = with_defaults(Separable.__init__, strides=(1, 1), dilation_rate=(1, 1))
