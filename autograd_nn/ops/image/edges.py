"""Margins added and taken away, and images cut into patches."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.convert import as_tensor
from ...engine.op import Bad, Domain, Sample
from ...engine.spec import show_shape
from ...engine.tensor import Tensor
from ...errors import InvalidArgument, ShapeError
from ..arrange import pad
from ..convolution import channels_first, conv
from ..creation import arange
from ..domain import cases
from ..elementwise import cast, equal
from ..family import composite
from ..indexing import getitem
from ..searching import whole
from ..shape import expand_dims, reshape, squeeze
from ..windows import per_axis
from .layout import bad_images, layout_of

# Before, after, and the new size; two of them are given.
Given = tuple[Any, Any, Any]

# --- margins


def _ends(
    before: Any, after: Any, target: Any, size: int, names: tuple[str, str, str], growing: int
) -> tuple[int, int]:
    """What is added (growing 1) or taken (-1) before and after, from two of the three; InvalidArgument otherwise."""
    given = dict(zip(names, (before, after, target)))
    missing = [name for name, value in given.items() if value is None]
    if len(missing) != 1:
        raise InvalidArgument(f"exactly two of {', '.join(names)} must be given, {3 - len(missing)} are")
    known = {name: whole(value, name, 0) for name, value in given.items() if value is not None}
    change = growing * (known.get(names[2], 0) - size)
    first = known[names[0]] if names[0] in known else change - known[names[1]]
    last = known[names[1]] if names[1] in known else change - known[names[0]]
    left = size + growing * (first + last)
    if first < 0 or last < 0 or left < 0:
        raise InvalidArgument(f"{names[0]} {first}, {names[1]} {last} and {names[2]} {left} must be >= 0")
    return first, last


def _margins(
    images: Any, rows: Given, columns: Given, data_format: str | None, what: str, word: str, growing: int
) -> tuple[Tensor, list[tuple[int, int]]]:
    x, layout = layout_of(images, data_format, what)
    height, width = layout.sizes(x, what)
    pairs = [(0, 0)] * x.ndim
    pairs[layout.height] = _ends(*rows, height, (f"top_{word}", f"bottom_{word}", "target_height"), growing)
    pairs[layout.width] = _ends(*columns, width, (f"left_{word}", f"right_{word}", "target_width"), growing)
    return x, pairs


def _margin_domain(taken: bool) -> Domain:
    size = (1, 2, None, None, 2 if taken else 8, 1 if taken else 9)
    return cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 4, 5, 2)), *size)), Sample((rng.normal(size=(4, 5, 1)), 1, 0, 1, 2)),
            Sample((rng.normal(size=(2, 4, 5)), 1, 1, 0, 1), {"data_format": "channels_first"}),
        ],
        lambda: [
            *bad_images(np.ones((4, 5, 1)), 1, 1, 1, 1), Bad((np.ones((4, 5, 1)), 1, 1, 1), {}, ValueError),
            Bad((np.ones((4, 5, 1)), -1, 1, 1, 1), {}, ValueError),
            Bad((np.ones((4, 5, 1)), 1.5, 1, 1, 1), {}, TypeError),
            Bad((np.ones((4, 5, 1)), 9, 1, None, 1), {"target_height": 4}, ValueError),
        ],
    )  # fmt: skip


@composite(reference=None, name="image.pad_images", domain=_margin_domain(False))
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with zeros around them: of rows and of columns two of before, after and the new size must be given.

    images: (height, width, channels) or a batch of them. Raises InvalidArgument for other numbers of settings.

    >>> import autograd_nn as ag
    >>> ag.ops.image.pad_images(ag.ops.ones((2, 2, 1)), 1, 0, target_height=4, target_width=3).shape
    (4, 3, 1)
    """
    rows, columns = (top_padding, bottom_padding, target_height), (left_padding, right_padding, target_width)
    return pad(*_margins(images, rows, columns, data_format, "pad_images", "padding", 1))


@composite(reference=None, name="image.crop_images", domain=_margin_domain(True))
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images without their margins: of rows and of columns two of before, after and the new size must be given.

    images: (height, width, channels) or a batch of them. Raises InvalidArgument for other numbers of settings.

    >>> import autograd_nn as ag
    >>> ag.ops.image.crop_images(ag.ops.ones((4, 4, 1)), 1, 0, target_height=2, target_width=3).shape
    (2, 3, 1)
    """
    rows, columns = (top_cropping, bottom_cropping, target_height), (left_cropping, right_cropping, target_width)
    x, pairs = _margins(images, rows, columns, data_format, "crop_images", "cropping", -1)
    return getitem(x, tuple(slice(before, -after or None) for before, after in pairs))


# --- patches


def _patch_domain(rank: int) -> Domain:
    sizes = (5, 6, 4)[:rank]
    return cases(
        lambda rng: [
            Sample((rng.normal(size=(2, *sizes, 2)), 2)),
            Sample((rng.normal(size=(*sizes, 1)), (2,) * rank, 1), {"padding": "same"}),
            Sample((rng.normal(size=(1, 2, *sizes)), 2, 2), {"data_format": "channels_first"}),
        ],
        lambda: [
            Bad((np.ones((2, *sizes, 1)), 9), {}, ValueError),
            Bad((np.ones(3), 2), {}, ValueError),
            Bad((np.ones((2, *sizes, 1)), 0), {}, ValueError),
            Bad((np.ones((2, *sizes, 1)), 2), {"padding": "full"}, ValueError),
        ],
    )


def _patches(
    x: Tensor, rank: int, size: Any, strides: Any, dilation_rate: Any, padding: str, data_format: str | None, what: str
) -> Tensor:
    """The elements of every window as channels: a convolution with a kernel of ones and zeros."""
    batched = x.ndim == rank + 2
    if x.ndim not in (rank + 1, rank + 2):
        raise ShapeError(f"{what}: needs {rank + 1} axes, or {rank + 2} with a batch, got {show_shape(x.spec.shape)}")
    first = channels_first(data_format, what)
    x = x if batched else expand_dims(x, 0)
    channels = whole(x.shape[1 if first else -1], f"{what}: the number of channels", 1)
    window = per_axis(size, rank, what, "size")
    count = int(np.prod(window)) * channels
    places = arange(count)
    kernel = cast(equal(expand_dims(places, 0), expand_dims(places, 1)), x.dtype)
    steps = window if strides is None else strides
    y = conv(x, reshape(kernel, (*window, channels, count)), steps, padding, data_format, dilation_rate)
    return y if batched else squeeze(y, 0)


@composite(reference=None, name="image.extract_patches", domain=_patch_domain(2))
def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The pixels of every window of images as the channels of one pixel; of volumes where `size` has three numbers.

    images: (height, width, channels) or a batch of them. size: of a window, an int or (height, width). strides: from
    one window to the next; the size if None.
    Result: (..., new height, new width, height * width * channels of a window).

    >>> import autograd_nn as ag
    >>> ag.ops.image.extract_patches(ag.ops.ones((2, 6, 6, 3)), 2).shape
    (2, 3, 3, 12)
    """
    if isinstance(size, Sequence) and len(size) == 3:
        return extract_patches_3d(images, size, strides, dilation_rate, padding, data_format)
    return _patches(as_tensor(images), 2, size, strides, dilation_rate, padding, data_format, "extract_patches")


@composite(reference=None, name="image.extract_patches_3d", domain=_patch_domain(3))
def extract_patches_3d(
    volumes: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The elements of every window of volumes as the channels of one element. Arguments as in `extract_patches`.

    >>> import autograd_nn as ag
    >>> ag.ops.image.extract_patches_3d(ag.ops.ones((2, 4, 4, 4, 1)), 2).shape
    (2, 2, 2, 2, 8)
    """
    return _patches(as_tensor(volumes), 3, size, strides, dilation_rate, padding, data_format, "extract_patches_3d")
