"""Pooling: the largest element or the mean of each window, or of all places at once."""

from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..engine.tensor import Tensor
from ..ops.windows import per_axis, window
from ..saving.registry import register
from .core import as_float
from .windowed import Spatial, check_reach, described, refuse_causal, with_defaults


class Pooling(Spatial):
    """What the pooling layers share; a subclass computes in `_pooled`."""

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        what = described(type(self), {"name": name})
        sizes = per_axis(pool_size, self.rank, what, "pool_size")
        refuse_causal(what, padding)
        checked = window(sizes, sizes if strides is None else strides, padding, 1, self.rank, what)
        layout = standardize_data_format(data_format)
        super().__init__(name=name, **kwargs)
        self._window = checked
        self.pool_size, self.strides, self.padding = checked.size, checked.strides, checked.padding
        self._expects(layout)
        self.built = True

    def call(self, inputs: Any) -> Any:
        check_reach(self.name, self._window, inputs.shape, self.data_format, "pool_size")
        return self._pooled(
            inputs, pool_size=self.pool_size, strides=self.strides, padding=self.padding, data_format=self.data_format
        )

    def _pooled(self, x: Tensor, **options: Any) -> Tensor:
        raise NotImplementedError


class MaxPooling(Pooling):
    """What MaxPooling1D, MaxPooling2D and MaxPooling3D share."""

    def _pooled(self, x: Tensor, **options: Any) -> Tensor:
        return ops.max_pool(x, **options)


class AveragePooling(Pooling):
    """What AveragePooling1D, AveragePooling2D and AveragePooling3D share."""

    def _pooled(self, x: Tensor, **options: Any) -> Tensor:
        return ops.average_pool(as_float(x, self.compute_dtype), **options)


@register()
class MaxPooling1D(MaxPooling):
    """The largest element of each window of time steps, channel by channel.

    pool_size:   steps of a window
    strides:     steps from one window to the next; pool_size if None
    padding:     "valid" (windows that fit) or "same" (as many windows as strides go into the length, rounded up)
    data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None

    Input: (batch, steps, channels); output: (batch, new steps, channels). Raises InvalidArgument for settings that do
    not exist, ShapeError for a window larger than the input.

    >>> import autograd_nn as ag
    >>> ag.layers.MaxPooling1D()([[[1.0], [3.0], [2.0], [0.0]]]).tolist()
    [[[3.0], [2.0]]]
    """

    rank = 1
    __init__ = with_defaults(Pooling.__init__, pool_size=2)


@register()
class MaxPooling2D(MaxPooling):
    """The largest element of each window of an image, channel by channel. Arguments as in MaxPooling1D, an int or two.

    Input: (batch, height, width, channels); output: (batch, new height, new width, channels).

    >>> import autograd_nn as ag
    >>> ag.layers.MaxPooling2D()(ag.ops.ones((2, 5, 4, 3))).shape
    (2, 2, 2, 3)
    """

    rank = 2
    __init__ = with_defaults(Pooling.__init__, pool_size=(2, 2))


@register()
class MaxPooling3D(MaxPooling):
    """The largest element of each window of a volume, channel by channel. Arguments as in MaxPooling1D, or three ints.

    Input: (batch, depth, height, width, channels); output: the same axes with new sizes.

    >>> import autograd_nn as ag
    >>> ag.layers.MaxPooling3D()(ag.ops.ones((2, 4, 4, 4, 3))).shape
    (2, 2, 2, 2, 3)
    """

    rank = 3
    __init__ = with_defaults(Pooling.__init__, pool_size=(2, 2, 2))


@register()
class AveragePooling1D(AveragePooling):
    """The mean of each window of time steps, channel by channel. Arguments, shapes and errors as in MaxPooling1D.

    Elements of padding do not count in a mean.

    >>> import autograd_nn as ag
    >>> ag.layers.AveragePooling1D(2)([[[1.0], [3.0], [2.0], [0.0]]]).tolist()
    [[[2.0], [1.0]]]
    """

    rank = 1


@register()
class AveragePooling2D(AveragePooling):
    """The mean of each window of an image, channel by channel. Arguments and shapes as in MaxPooling2D.

    >>> import autograd_nn as ag
    >>> ag.layers.AveragePooling2D(2)(ag.ops.ones((2, 5, 4, 3))).shape
    (2, 2, 2, 3)
    """

    rank = 2


@register()
class AveragePooling3D(AveragePooling):
    """The mean of each window of a volume, channel by channel. Arguments and shapes as in MaxPooling3D.

    >>> import autograd_nn as ag
    >>> ag.layers.AveragePooling3D(2)(ag.ops.ones((2, 4, 4, 4, 3))).shape
    (2, 2, 2, 2, 3)
    """

    rank = 3


# --- over all places at once


class GlobalPooling(Spatial):
    """What the global pooling layers share."""

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        layout = standardize_data_format(data_format)
        super().__init__(**kwargs)
        self._expects(layout)
        self.keepdims = keepdims
        self.built = True

    def _axes(self) -> tuple[int, ...]:
        first = self._first_spatial_axis()
        return tuple(range(first, first + self.rank))


class GlobalMax(GlobalPooling):
    """What GlobalMaxPooling1D, GlobalMaxPooling2D and GlobalMaxPooling3D share."""

    def call(self, inputs: Any) -> Any:
        return ops.max(inputs, axis=self._axes(), keepdims=self.keepdims)


class GlobalAverage(GlobalPooling):
    """What GlobalAveragePooling1D, GlobalAveragePooling2D and GlobalAveragePooling3D share."""

    def call(self, inputs: Any) -> Any:
        return ops.mean(as_float(inputs, self.compute_dtype), axis=self._axes(), keepdims=self.keepdims)


@register()
class GlobalMaxPooling1D(GlobalMax):
    """The largest element over all time steps, channel by channel.

    data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None
    keepdims:    keep the axis of the steps, with size 1

    Input: (batch, steps, channels); output: (batch, channels).

    >>> import autograd_nn as ag
    >>> ag.layers.GlobalMaxPooling1D()([[[1.0, 2.0], [3.0, 0.0]]]).tolist()
    [[3.0, 2.0]]
    """

    rank = 1


@register()
class GlobalMaxPooling2D(GlobalMax):
    """The largest element of an image, channel by channel. Arguments as in GlobalMaxPooling1D.

    Input: (batch, height, width, channels); output: (batch, channels).

    >>> import autograd_nn as ag
    >>> ag.layers.GlobalMaxPooling2D()(ag.ops.ones((2, 5, 4, 3))).shape
    (2, 3)
    """

    rank = 2


@register()
class GlobalMaxPooling3D(GlobalMax):
    """The largest element of a volume, channel by channel. Arguments as in GlobalMaxPooling1D.

    Input: (batch, depth, height, width, channels); output: (batch, channels).

    >>> import autograd_nn as ag
    >>> ag.layers.GlobalMaxPooling3D()(ag.ops.ones((2, 4, 4, 4, 3))).shape
    (2, 3)
    """

    rank = 3


@register()
class GlobalAveragePooling1D(GlobalAverage):
    """The mean over all time steps, channel by channel. Arguments and shapes as in GlobalMaxPooling1D.

    Where the input has a mask (batch, steps), or the call is given one, masked steps do not count.

    >>> import autograd_nn as ag
    >>> ag.layers.GlobalAveragePooling1D()([[[1.0, 2.0], [3.0, 0.0]]]).tolist()
    [[2.0, 1.0]]
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        kept = ops.cast(ops.expand_dims(mask, 2 if self.data_format == "channels_last" else 1), "bool")
        x = as_float(inputs, self.compute_dtype)
        total = ops.sum(ops.where(kept, x, 0), axis=self._axes(), keepdims=self.keepdims)
        return total / ops.sum(ops.cast(kept, x.dtype), axis=self._axes(), keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None


@register()
class GlobalAveragePooling2D(GlobalAverage):
    """The mean of an image, channel by channel. Arguments and shapes as in GlobalMaxPooling2D.

    >>> import autograd_nn as ag
    >>> ag.layers.GlobalAveragePooling2D()(ag.ops.ones((2, 5, 4, 3))).shape
    (2, 3)
    """

    rank = 2


@register()
class GlobalAveragePooling3D(GlobalAverage):
    """The mean of a volume, channel by channel. Arguments and shapes as in GlobalMaxPooling3D.

    >>> import autograd_nn as ag
    >>> ag.layers.GlobalAveragePooling3D()(ag.ops.ones((2, 4, 4, 4, 3))).shape
    (2, 3)
    """

    rank = 3
