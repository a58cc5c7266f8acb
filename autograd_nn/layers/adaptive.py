"""Adaptive pooling layers: an output of one size for inputs of any."""

from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..ops.windows import per_axis
from ..saving.registry import register
from .core import as_float
from .windowed import Spatial, described


class AdaptivePooling(Spatial):
    """What the adaptive pooling layers share."""

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        sizes = per_axis(output_size, self.rank, described(type(self), kwargs), "output_size")
        layout = standardize_data_format(data_format)
        super().__init__(**kwargs)
        self.output_size = sizes
        self._expects(layout)
        self.built = True


class AdaptiveAveragePooling(AdaptivePooling):
    """What the layers share that take means."""

    def call(self, inputs: Any) -> Any:
        x = as_float(inputs, self.compute_dtype)
        return ops.adaptive_average_pool(x, self.output_size, self.data_format)


class AdaptiveMaxPooling(AdaptivePooling):
    """What the layers share that take the largest elements."""

    def call(self, inputs: Any) -> Any:
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


@register()
class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """The mean of windows chosen so that `output_size` of them cover the steps.

    output_size: an int. data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None

    Input: (batch, steps, channels), a known number of steps; output: (batch, output_size, channels).

    >>> import autograd_nn as ag
    >>> ag.layers.AdaptiveAveragePooling1D(2)(ag.ops.ones((2, 7, 3))).shape
    (2, 2, 3)
    """

    rank = 1


@register()
class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The mean of windows chosen so that `output_size` of them cover each side. Arguments as in 1D, an int or two.

    Input: (batch, height, width, channels), sizes known; output: (batch, *output_size, channels).

    >>> import autograd_nn as ag
    >>> ag.layers.AdaptiveAveragePooling2D((2, 3))(ag.ops.ones((2, 7, 7, 3))).shape
    (2, 2, 3, 3)
    """

    rank = 2


@register()
class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """The mean of windows chosen so that `output_size` of them cover each side. Arguments as in 1D, an int or three.

    Input: (batch, depth, height, width, channels), sizes known; output: (batch, *output_size, channels).

    >>> import autograd_nn as ag
    >>> ag.layers.AdaptiveAveragePooling3D(2)(ag.ops.ones((2, 5, 5, 5, 1))).shape
    (2, 2, 2, 2, 1)
    """

    rank = 3


@register()
class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """The largest elements of windows chosen so that `output_size` of them cover the steps.

    Arguments, input and output as in AdaptiveAveragePooling1D.

    >>> import autograd_nn as ag
    >>> ag.layers.AdaptiveMaxPooling1D(2)([[[1.0], [2.0], [6.0]]]).tolist()
    [[[2.0], [6.0]]]
    """

    rank = 1


@register()
class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The largest elements of windows chosen so that `output_size` of them cover each side.

    Arguments, input and output as in AdaptiveAveragePooling2D.

    >>> import autograd_nn as ag
    >>> ag.layers.AdaptiveMaxPooling2D(2)(ag.ops.ones((2, 7, 7, 3))).shape
    (2, 2, 2, 3)
    """

    rank = 2


@register()
class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """The largest elements of windows chosen so that `output_size` of them cover each side.

    Arguments, input and output as in AdaptiveAveragePooling3D.

    >>> import autograd_nn as ag
    >>> ag.layers.AdaptiveMaxPooling3D(2)(ag.ops.ones((2, 5, 5, 5, 1))).shape
    (2, 2, 2, 2, 1)
    """

    rank = 3
