"""Images in another size: every pixel is a weighted mean of those near its place, as in Keras on JAX and NumPy."""

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...engine.convert import as_tensor
from ...engine.op import Bad, Sample
from ...engine.tensor import Tensor
from ...errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from ..arrange import pad
from ..creation import arange
from ..domain import Rng, cases
from ..elementwise import abs, cast, clip, maximum, round, sin, square, where
from ..family import composite
from ..indexing import getitem, take
from ..linalg import matmul
from ..nn import floating
from ..reduction import sum
from ..searching import whole
from ..shape import expand_dims, moveaxis
from ..statistics import max, min
from .layout import Layout, bad_images, layout_of, one_of

Kernel = Callable[[Tensor], Tensor]


# --- the weight of a pixel at distance x


def _triangle(x: Tensor) -> Tensor:
    return maximum(1 - x, 0)


def _cubic(x: Tensor) -> Tensor:
    """Keys' cubic with a = -1/2 (1981, "Cubic convolution interpolation for digital image processing")."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return where(x >= 2, 0, where(x >= 1, far, near))


def _lanczos(radius: float) -> Kernel:
    def weight(x: Tensor) -> Tensor:
        apart = x > 1e-3
        safe = where(apart, x, 1)
        found = radius * sin(math.pi * safe) * sin(math.pi / radius * safe) / square(math.pi * safe)
        return where(x > radius, 0, where(apart, found, 1))

    return weight


_KERNELS: dict[str, Kernel] = {
    "bilinear": _triangle, "bicubic": _cubic, "lanczos3": _lanczos(3.0), "lanczos5": _lanczos(5.0)
}  # fmt: skip
INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")


def _weights(size: int, target: int, scale: Any, translation: Any, kernel: Kernel, antialias: bool) -> Tensor:
    """How much of each of `size` elements goes into each of `target`: a matrix of shape (target, size)."""
    inverse = 1 / as_tensor(scale)
    # In tensors of the dtype of the scale, so that gradients flow to it.
    kind = inverse.dtype
    places = (arange(target, dtype=kind) + 0.5) * inverse - translation * inverse - 0.5
    distance = abs(expand_dims(places, 1) - arange(size, dtype=kind))
    weights = kernel(distance / maximum(inverse, 1) if antialias else distance)
    total = sum(weights, 1, keepdims=True)
    weighty = abs(total) > 1000 * float(np.finfo(np.float32).eps)
    inside = expand_dims((places >= -0.5) & (places <= size - 0.5), 1)
    return where(weighty & inside, weights / where(weighty, total, 1), 0)


def along(x: Tensor, weights: Tensor, axis: int) -> Tensor:
    """The product of a matrix with the vectors along an axis, counted from the end."""
    if axis == -2:
        return matmul(weights, x)
    return moveaxis(matmul(weights, moveaxis(x, axis, -2)), -2, axis)


def _nearest(x: Tensor, axis: int, size: int, target: int) -> Tensor:
    return take(x, (2 * np.arange(target) + 1) * size // (2 * target), axis)


def _rounded(y: Tensor, x: Tensor) -> Tensor:
    """Means of integers as integers again."""
    return y if x.dtype.kind == "f" else cast(clip(round(y), min(x), max(x)), x.dtype)


# --- resize


def _resize_samples(rng: Rng) -> list[Sample]:
    x = rng.normal(size=(2, 4, 5, 2))
    ways = [Sample((x, (3, 8), how), {"antialias": smooth}) for how in INTERPOLATIONS for smooth in (False, True)]
    return [
        *ways, Sample((x[0], (5, 5))), Sample((x, [4, 5])), Sample((x, (2, 3)), {"crop_to_aspect_ratio": True}),
        Sample((x, (6, 3), "bicubic"), {"pad_to_aspect_ratio": True, "fill_value": 0.5}),
        Sample((x, (4, 2)), {"data_format": "channels_first"}), Sample((np.ones((0, 2, 2, 1)), (3, 3))),
        Sample((rng.integers(0, 255, (3, 3, 1)), (4, 4), "bicubic")),
    ]  # fmt: skip


@composite(
    reference=None,
    name="image.resize",
    domain=cases(
        _resize_samples,
        lambda: [
            *bad_images(np.ones((2, 2, 1)), (3, 3)), Bad((np.ones((2, 2, 1)), 3), {}, TypeError),
            Bad((np.ones((2, 2, 1)), (3, 0)), {}, ValueError),
            Bad((np.ones((2, 2, 1)), (3, 3), "cubic"), {}, ValueError),
            Bad((np.ones((2, 2, 1)), (3, 3)), {"fill_mode": "edge"}, ValueError),
            Bad((np.ones((2, 2, 1)), (3, 3)), {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, ValueError),
        ],
    ),
)  # fmt: skip
def resize(
    images: Any,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images in another size.

    images: (height, width, channels) or a batch of them; heights and widths must be known. size: (height, width).
    interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5". antialias: smooth what is made smaller.
    crop_to_aspect_ratio: cut the images to the new ratio of the sides first; pad_to_aspect_ratio: add `fill_value`.
    Means of integers are rounded. Raises InvalidArgument for settings that do not exist, ShapeError for other axes.

    >>> import autograd_nn as ag
    >>> ag.ops.image.resize(ag.tensor([[[1.0], [3.0]]]), (1, 4)).tolist()
    [[[1.0], [1.5], [2.5], [3.0]]]
    """
    x, layout = layout_of(images, data_format, "resize")
    one_of(interpolation, INTERPOLATIONS, "resize: interpolation")
    one_of(fill_mode, ("constant",), "resize: fill_mode")
    target = _target(size)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise InvalidArgument("resize: only one of crop_to_aspect_ratio and pad_to_aspect_ratio may be True")
    if crop_to_aspect_ratio:
        x = _cut(x, layout, target)
    elif pad_to_aspect_ratio:
        x = _framed(x, layout, target, fill_value)
    y = x if interpolation == "nearest" else floating(x)
    for axis, now, then in zip((layout.height, layout.width), layout.sizes(x, "resize"), target):
        if now == then:
            continue
        if interpolation == "nearest":
            y = _nearest(y, axis, now, then)
        else:
            weights = _weights(now, then, np.float64(then / now), 0.0, _KERNELS[interpolation], antialias)
            y = along(y, cast(weights, y.dtype), axis)
    return y if interpolation == "nearest" else _rounded(y, x)


def _target(size: Any) -> tuple[int, int]:
    if not isinstance(size, (tuple, list)):
        raise ArgumentTypeError(f"resize: size must be (height, width), got {short(size)}")
    if len(size) != 2:
        raise InvalidArgument(f"resize: size must be (height, width), got {short(size)}")
    return whole(size[0], "resize: the height of size", 1), whole(size[1], "resize: the width of size", 1)


def _cut(x: Tensor, layout: Layout, target: tuple[int, int]) -> Tensor:
    """The middle of images, with the ratio of the target."""
    height, width = layout.sizes(x, "resize")
    rows = builtins.max(builtins.min(height, int(width * target[0] / target[1])), 1)
    columns = builtins.max(builtins.min(width, int(height * target[1] / target[0])), 1)
    top, left = (height - rows) // 2, (width - columns) // 2
    place: tuple[Any, ...] = (slice(top, top + rows), slice(left, left + columns))
    return getitem(x, (..., *place) if layout.channels == -3 else (..., *place, slice(None)))


def _framed(x: Tensor, layout: Layout, target: tuple[int, int], value: float) -> Tensor:
    """Images with bars above and below, or beside, that give them the ratio of the target."""
    height, width = layout.sizes(x, "resize")
    top = (builtins.max(height, int(width * target[0] / target[1])) - height) // 2
    left = (builtins.max(width, int(height * target[1] / target[0])) - width) // 2
    pads = [(0, 0)] * x.ndim
    pads[layout.height], pads[layout.width] = (top, top), (0, 0) if top else (left, left)
    return pad(x, pads, constant_values=cast(value, x.dtype))


# --- scale and translate

_METHODS = {
    "linear": "bilinear", "bilinear": "bilinear", "trilinear": "bilinear", "cubic": "bicubic", "bicubic": "bicubic",
    "tricubic": "bicubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5",
}  # fmt: skip


@composite(
    reference=None,
    name="image.scale_and_translate",
    domain=cases(
        lambda rng: [
            *(
                Sample(
                    (rng.normal(size=(4, 5, 2)), (3, 6, 2), np.array([0.7, 1.3]), np.array([0.2, -0.3]), (0, 1), how)
                )
                for how in ("cubic", "lanczos3")
            ),
            Sample((rng.normal(size=(2, 5)), (2, 4), np.array([0.71]), np.array([0.1]), (1,), "linear", False)),
        ],
        lambda: [
            Bad((np.ones((2, 2)), (2, 2), np.ones(1), np.ones(1), (0,), "cube"), {}, ValueError),
            Bad((np.ones((2, 2)), (2,), np.ones(1), np.ones(1), (0,), "cubic"), {}, ValueError),
            Bad((np.ones((2, 2)), (2, 2), np.ones(2), np.ones(1), (0,), "cubic"), {}, ValueError),
        ],
    ),
)  # fmt: skip
def scale_and_translate(
    images: Any,
    output_shape: Sequence[int],
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Images stretched by `scale` and moved by `translation` pixels; gradients flow to all three.

    output_shape: the whole shape. spatial_dims: the axes that are stretched. scale, translation: a number for each.
    method: "linear", "cubic", "lanczos3" or "lanczos5". antialias: as in `resize`

    >>> import autograd_nn as ag
    >>> x = ag.tensor([[0.0, 1.0, 2.0]])
    >>> ag.ops.image.scale_and_translate(x, (1, 3), [1.0], [1.0], (1,), "linear").tolist()
    [[0.0, 0.0, 1.0]]
    """
    x = as_tensor(images)
    kernel = _KERNELS[_METHODS[one_of(method, tuple(_METHODS), "scale_and_translate: method")]]
    factors, shifts = floating(scale), floating(translation)
    axes = tuple(spatial_dims)
    for name, given in (("scale", factors), ("translation", shifts)):
        if given.shape != (len(axes),):
            raise ShapeError(f"scale_and_translate: {name} needs {len(axes)} numbers, got shape {given.shape}")
    if len(output_shape) != x.ndim:
        raise ShapeError(f"scale_and_translate: output_shape needs {x.ndim} sizes, got {len(output_shape)}")
    y = floating(x)
    for k, axis in enumerate(axes):
        size = whole(x.shape[axis], f"scale_and_translate: the size of axis {axis}", 0)
        weights = _weights(size, output_shape[axis], factors[k], shifts[k], kernel, antialias)
        y = along(y, cast(weights, y.dtype), axis - x.ndim if axis >= 0 else axis)
    return _rounded(y, x)
