"""Layers that give images another size: Resizing, CenterCrop."""

from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, ShapeError, did_you_mean, short
from ..ops.image.resize import INTERPOLATIONS
from ..saving.registry import register
from .core import as_float
from .layer import Layer
from .weights import check_positive_int


class ImageSize(Layer):
    """What both layers share: images, or a batch of them, of known height and width."""

    def _set_size(self, height: int, width: int, data_format: str) -> None:
        self.height, self.width, self.data_format = height, width, data_format
        self.built = True

    def _sizes(self, x: Tensor) -> tuple[int, int]:
        if x.ndim not in (3, 4):
            raise ShapeError(f"layer {self.name!r} expects images of 3 axes, or 4 with a batch, got shape {x.shape}")
        sizes = x.shape[-2:] if self.data_format == "channels_first" else x.shape[-3:-1]
        if None in sizes:
            raise ShapeError(f"layer {self.name!r} needs to know height and width of its images, got {x.shape}")
        return sizes[0], sizes[1]  # type: ignore[return-value]

    def _resized(self, x: Tensor, **settings: Any) -> Tensor:
        size = (self.height, self.width)
        return ops.image.resize(x, size, data_format=self.data_format, **settings)


def _checked(cls: type, height: int, width: int, data_format: str | None) -> tuple[int, int, str]:
    kind = cls.__name__
    return (
        check_positive_int(height, f"{kind}: height"), check_positive_int(width, f"{kind}: width"),
        standardize_data_format(data_format),
    )  # fmt: skip


@register()
class Resizing(ImageSize):
    """Images in another size.

    height, width: of the result
    interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5"
    crop_to_aspect_ratio: cut the images to the new ratio of the sides first
    pad_to_aspect_ratio:  add bars of `fill_value` that give them the new ratio first
    fill_mode:     "constant"
    antialias:     smooth what is made smaller
    data_format:   "channels_last" or "channels_first"; `config.image_data_format()` if None

    Input: (batch, height, width, channels) or one image, height and width known; output: the same axes with new sizes.
    Raises InvalidArgument for settings that do not exist or do not go together.

    >>> import autograd_nn as ag
    >>> ag.layers.Resizing(4, 6)(ag.ops.ones((2, 8, 8, 3))).shape
    (2, 4, 6, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        sizes = _checked(type(self), height, width, data_format)
        if interpolation not in INTERPOLATIONS:
            hint = did_you_mean(interpolation, INTERPOLATIONS) or f"; known: {', '.join(INTERPOLATIONS)}"
            raise InvalidArgument(f"Resizing: unknown interpolation {short(interpolation)}{hint}")
        if fill_mode != "constant":
            raise InvalidArgument(f"Resizing: fill_mode must be 'constant', got {short(fill_mode)}")
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise InvalidArgument("Resizing: only one of crop_to_aspect_ratio and pad_to_aspect_ratio may be True")
        super().__init__(**kwargs)
        self._set_size(*sizes)
        self.interpolation, self.antialias = interpolation, bool(antialias)
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode, self.fill_value = fill_mode, fill_value

    def call(self, inputs: Any) -> Any:
        self._sizes(inputs)
        return self._resized(
            inputs, interpolation=self.interpolation, antialias=self.antialias, fill_value=self.fill_value,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio, pad_to_aspect_ratio=self.pad_to_aspect_ratio,
        )  # fmt: skip


@register()
class CenterCrop(ImageSize):
    """The middle of images; images that are too small are made larger first, the sides keeping their ratio.

    height, width: of the result
    data_format:   "channels_last" or "channels_first"; `config.image_data_format()` if None

    Input: (batch, height, width, channels) or one image, height and width known; output: the same axes with new sizes.

    >>> import autograd_nn as ag
    >>> ag.layers.CenterCrop(1, 2)([[[1.0], [2.0], [3.0], [4.0]]]).tolist()
    [[[2.0], [3.0]]]
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        sizes = _checked(type(self), height, width, data_format)
        super().__init__(**kwargs)
        self._set_size(*sizes)

    def call(self, inputs: Any) -> Any:
        height, width = self._sizes(inputs)
        x = as_float(inputs, self.compute_dtype)
        if height < self.height or width < self.width:
            return self._resized(x, crop_to_aspect_ratio=True)
        top, left = (height - self.height) // 2, (width - self.width) // 2
        place: tuple[Any, ...] = (slice(top, top + self.height), slice(left, left + self.width))
        return x[(..., *place) if self.data_format == "channels_first" else (..., *place, slice(None))]
