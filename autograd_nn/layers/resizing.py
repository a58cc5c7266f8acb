"""Layers that change the sizes of images without weights: up-sampling, zero padding, cropping."""

from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, ShapeError, did_you_mean, short
from ..ops.windows import per_axis
from ..saving.registry import register
from .core import as_float
from .weights import check_positive_int
from .windowed import SPATIAL, Spatial, described, with_defaults

Pairs = tuple[tuple[int, int], ...]


# --- up-sampling


class UpSampling(Spatial):
    """What the up-sampling layers share: each element along a spatial axis becomes `size` elements."""

    def _repeated(self, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
        for axis, size in enumerate(sizes, self._first_spatial_axis()):
            x = ops.repeat(x, size, axis=axis)
        return x


@register()
class UpSampling1D(UpSampling):
    """Each time step `size` times.

    Input: (batch, steps, channels); output: (batch, size * steps, channels). Raises ArgumentTypeError or
    InvalidArgument unless size is an int >= 1.

    >>> import autograd_nn as ag
    >>> ag.layers.UpSampling1D()([[[1.0], [2.0]]]).tolist()
    [[[1.0], [1.0], [2.0], [2.0]]]
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        count = check_positive_int(size, f"{described(type(self), kwargs)}: size")
        super().__init__(**kwargs)
        self.size = count
        self._expects("channels_last")
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self._repeated(inputs, (self.size,))


@register()
class UpSampling2D(UpSampling):
    """Images `size` times as large.

    size:          an int, or one for the rows and one for the columns
    data_format:   "channels_last" or "channels_first"; `config.image_data_format()` if None
    interpolation: "nearest" (repeat each pixel), "bilinear" (between the centers of the pixels), or, for known sizes,
                   "bicubic", "lanczos3", "lanczos5"

    Input: (batch, height, width, channels); output: (batch, size[0] * height, size[1] * width, channels).
    Raises InvalidArgument for other sizes and interpolations.

    >>> import autograd_nn as ag
    >>> ag.layers.UpSampling2D()([[[[1.0], [2.0]]]]).shape
    (1, 2, 4, 1)
    """

    rank = 2
    interpolations = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        what = described(type(self), kwargs)
        sizes = per_axis(size, self.rank, what, "size")
        layout = standardize_data_format(data_format)
        kind = str(interpolation).lower()
        if kind not in self.interpolations:
            hint = did_you_mean(kind, self.interpolations) or f"; known: {', '.join(self.interpolations)}"
            raise InvalidArgument(f"{what}: unknown interpolation {short(interpolation)}{hint}")
        super().__init__(**kwargs)
        self.size = sizes
        self.interpolation = kind
        self._expects(layout)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if self.interpolation == "nearest":
            return self._repeated(inputs, self.size)
        x = as_float(inputs, self.compute_dtype)
        if self.interpolation != "bilinear":
            return self._interpolated(x)
        for axis, size in enumerate(self.size, self._first_spatial_axis()):
            x = _stretched(x, size, axis)
        return x

    def _interpolated(self, x: Tensor) -> Tensor:
        sizes = self._spatial(x.shape)
        if None in sizes:
            raise ShapeError(
                f"layer {self.name!r}: {self.interpolation!r} needs to know height and width, got {x.shape}"
            )
        target = [size * times for size, times in zip(sizes, self.size)]
        return ops.image.resize(x, target, self.interpolation, data_format=self.data_format)


def _stretched(x: Tensor, size: int, axis: int) -> Tensor:
    """Linear interpolation along an axis: `size` elements for each, at equal distances around its center."""
    if size == 1:
        return x
    everything = (slice(None),) * axis
    before = ops.concatenate([x[(*everything, slice(0, 1))], x[(*everything, slice(0, -1))]], axis=axis)
    after = ops.concatenate([x[(*everything, slice(1, None))], x[(*everything, slice(-1, None))]], axis=axis)
    shifts = [(k + 0.5) / size - 0.5 for k in range(size)]
    phases = [x + abs(shift) * ((before if shift < 0 else after) - x) for shift in shifts]
    sizes = list(ops.shape(x))
    sizes[axis] = sizes[axis] * size
    return ops.reshape(ops.stack(phases, axis=axis + 1), sizes)


@register()
class UpSampling3D(UpSampling):
    """Volumes `size` times as large, each element repeated. Arguments as in UpSampling2D, an int or three.

    Input: (batch, depth, height, width, channels); output: the same axes with new sizes.

    >>> import autograd_nn as ag
    >>> ag.layers.UpSampling3D()(ag.ops.ones((1, 2, 3, 4, 5))).shape
    (1, 4, 6, 8, 5)
    """

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        sizes = per_axis(size, self.rank, described(type(self), kwargs), "size")
        layout = standardize_data_format(data_format)
        super().__init__(**kwargs)
        self.size = sizes
        self._expects(layout)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self._repeated(inputs, self.size)


# --- margins added or taken away


def pairs_of(value: Any, rank: int, what: str) -> Pairs:
    """(before, after) for each spatial axis, from an int, or an int or a pair per axis; InvalidArgument for others."""
    given = [value] * rank if isinstance(value, int) else value
    if rank == 1 and isinstance(value, (tuple, list)):
        given = [value]
    if not isinstance(given, (tuple, list)) or len(given) != rank:
        raise InvalidArgument(f"{what} must be an int, or {rank} ints or pairs of ints, got {short(value)}")
    pairs = [tuple(item) if isinstance(item, (tuple, list)) else (item, item) for item in given]
    if any(len(pair) != 2 or not all(map(_is_width, pair)) for pair in pairs):
        raise InvalidArgument(f"{what} must hold ints >= 0, (before, after) for an axis, got {short(value)}")
    return tuple((int(before), int(after)) for before, after in pairs)


def _is_width(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool) and value >= 0


class ZeroPadding(Spatial):
    """What the zero padding layers share."""

    def _pad(self, x: Tensor, pairs: Pairs) -> Tensor:
        return ops.pad(x, self._all_axes(pairs))


@register()
class ZeroPadding1D(ZeroPadding):
    """Zeros before the first and after the last time step.

    padding:     an int for both ends, or (before, after)
    data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None

    Input: (batch, steps, channels); output: (batch, before + steps + after, channels).
    Raises InvalidArgument for a padding that is none.

    >>> import autograd_nn as ag
    >>> ag.layers.ZeroPadding1D((0, 1))([[[1.0], [2.0]]]).tolist()
    [[[1.0], [2.0], [0.0]]]
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        (pair,) = pairs_of(padding, 1, f"{described(type(self), kwargs)}: padding")
        layout = standardize_data_format(data_format)
        super().__init__(**kwargs)
        self.padding = pair
        self._expects(layout)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self._pad(inputs, (self.padding,))


class ZeroPaddingND(ZeroPadding):
    """What ZeroPadding2D and ZeroPadding3D share."""

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        pairs = pairs_of(padding, self.rank, f"{described(type(self), kwargs)}: padding")
        layout = standardize_data_format(data_format)
        super().__init__(**kwargs)
        self.padding = pairs
        self._expects(layout)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self._pad(inputs, self.padding)


@register()
class ZeroPadding2D(ZeroPaddingND):
    """Zeros around images.

    padding:     an int for all sides, (rows, columns), or ((top, bottom), (left, right))
    data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None

    Input: (batch, height, width, channels); output: the same axes with new sizes.

    >>> import autograd_nn as ag
    >>> ag.layers.ZeroPadding2D(((1, 0), (2, 2)))(ag.ops.ones((2, 5, 4, 3))).shape
    (2, 6, 8, 3)
    """

    rank = 2
    __init__ = with_defaults(ZeroPaddingND.__init__, padding=(1, 1))


@register()
class ZeroPadding3D(ZeroPaddingND):
    """Zeros around volumes. Arguments as in ZeroPadding2D, an int, or an int or a pair for each of three axes.

    Input: (batch, depth, height, width, channels); output: the same axes with new sizes.

    >>> import autograd_nn as ag
    >>> ag.layers.ZeroPadding3D()(ag.ops.ones((2, 5, 4, 3, 1))).shape
    (2, 7, 6, 5, 1)
    """

    rank = 3
    __init__ = with_defaults(ZeroPaddingND.__init__, padding=((1, 1), (1, 1), (1, 1)))


class Cropping(Spatial):
    """What the cropping layers share."""

    def _crop(self, x: Tensor, pairs: Pairs) -> Tensor:
        first = self._first_spatial_axis()
        for axis, (before, after) in enumerate(pairs):
            size = x.shape[first + axis]
            if size is not None and before + after >= size:
                raise ShapeError(
                    f"layer {self.name!r}: cropping {(before, after)} leaves nothing of the {size} elements along "
                    f"{SPATIAL[self.rank][axis]} of input {x.shape}"
                )
        return x[tuple(slice(before, -after or None) for before, after in self._all_axes(pairs))]


@register()
class Cropping1D(Cropping):
    """Time steps without the first and the last ones.

    cropping: an int for both ends, or (before, after)

    Input: (batch, steps, channels); output: (batch, steps - before - after, channels). Raises InvalidArgument for a
    cropping that is none, ShapeError for an input of which nothing would be left.

    >>> import autograd_nn as ag
    >>> ag.layers.Cropping1D()([[[1.0], [2.0], [3.0]]]).tolist()
    [[[2.0]]]
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        (pair,) = pairs_of(cropping, 1, f"{described(type(self), kwargs)}: cropping")
        super().__init__(**kwargs)
        self.cropping = pair
        self._expects("channels_last")
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self._crop(inputs, (self.cropping,))


class CroppingND(Cropping):
    """What Cropping2D and Cropping3D share."""

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        pairs = pairs_of(cropping, self.rank, f"{described(type(self), kwargs)}: cropping")
        layout = standardize_data_format(data_format)
        super().__init__(**kwargs)
        self.cropping = pairs
        self._expects(layout)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self._crop(inputs, self.cropping)


@register()
class Cropping2D(CroppingND):
    """Images without their margins.

    cropping:    an int for all sides, (rows, columns), or ((top, bottom), (left, right))
    data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None

    Input: (batch, height, width, channels); output: the same axes with new sizes. Errors as in Cropping1D.

    >>> import autograd_nn as ag
    >>> ag.layers.Cropping2D(((1, 0), (2, 1)))(ag.ops.ones((2, 5, 4, 3))).shape
    (2, 4, 1, 3)
    """

    rank = 2
    __init__ = with_defaults(CroppingND.__init__, cropping=((0, 0), (0, 0)))


@register()
class Cropping3D(CroppingND):
    """Volumes without their margins. Arguments as in Cropping2D, an int, or an int or a pair for each of three axes.

    Input: (batch, depth, height, width, channels); output: the same axes with new sizes.

    >>> import autograd_nn as ag
    >>> ag.layers.Cropping3D()(ag.ops.ones((2, 5, 4, 3, 1))).shape
    (2, 3, 2, 1, 1)
    """

    rank = 3
    __init__ = with_defaults(CroppingND.__init__, cropping=((1, 1), (1, 1), (1, 1)))
