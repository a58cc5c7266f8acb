"""Colours: grey, and hue, saturation and value."""

from typing import Any

import numpy as np

from ...engine.convert import as_tensor
from ...engine.op import Bad, Domain, Sample
from ...engine.tensor import Tensor
from ...errors import DTypeError, ShapeError
from ..creation import copy
from ..domain import cases, distinct
from ..elementwise import abs, cast, clip, equal, maximum, minimum, mod, where
from ..family import composite
from ..join import stack
from ..nn import floating
from ..reduction import sum
from .layout import bad_images, layout_of


def _channels(x: Tensor, axis: int, known: tuple[int, ...], what: str) -> int:
    count = x.shape[axis]
    if count not in known:
        raise ShapeError(f"{what}: images need {' or '.join(map(str, known))} channels, got shape {x.shape}")
    return count


@composite(
    reference=None,
    name="image.rgb_to_grayscale",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3, 4, 3)),)), Sample((rng.normal(size=(3, 2, 1)),)),
            Sample((rng.normal(size=(3, 2, 2)), "channels_first")), Sample((rng.integers(0, 255, (2, 2, 3)),)),
        ],
        lambda: [*bad_images(np.ones((2, 2, 3))), Bad((np.ones((2, 2, 2)),), {}, ValueError)],
    ),
)  # fmt: skip
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Tensor:
    """The brightness of colours: 0.2989 red + 0.587 green + 0.114 blue, as one channel; grey images as they are.

    images: (height, width, 3) or a batch of them. Integers are cut, not rounded. Raises ShapeError for other channels.

    >>> import autograd_nn as ag
    >>> ag.ops.image.rgb_to_grayscale(ag.ops.ones((2, 2, 3))).shape
    (2, 2, 1)
    """
    x, layout = layout_of(images, data_format, "rgb_to_grayscale")
    if _channels(x, layout.channels, (1, 3), "rgb_to_grayscale") == 1:
        return copy(x)
    y = floating(x)
    weights = as_tensor(np.array([0.2989, 0.587, 0.114]), y.dtype)
    if layout.channels == -3:
        weights = weights[:, None, None]
    return cast(sum(y * weights, layout.channels, keepdims=True), x.dtype)


def _planes(images: Any, data_format: str | None, what: str) -> tuple[list[Tensor], int]:
    x, layout = layout_of(images, data_format, what)
    if x.dtype.kind != "f":
        raise DTypeError(f"{what}: images must be floats, got {x.dtype}; use ops.cast")
    _channels(x, layout.channels, (3,), what)
    axis = layout.channels + x.ndim
    return [x[(*(slice(None),) * axis, k)] for k in range(3)], axis


def _colour_domain() -> Domain:
    values = distinct(0.05, 0.97)
    return cases(
        lambda rng: [
            Sample((values.draw(rng, (2, 3, 2, 3)),)), Sample((values.draw(rng, (2, 3, 3)),)),
            Sample((values.draw(rng, (3, 2, 2)), "channels_first")), Sample((np.ones((0, 2, 2, 3)),)),
        ],
        lambda: [
            *bad_images(np.ones((2, 2, 3))), Bad((np.ones((2, 2, 1)),), {}, ValueError),
            Bad((np.ones((2, 2, 3), int),), {}, TypeError),
        ],
    )  # fmt: skip


@composite(reference=None, name="image.rgb_to_hsv", domain=_colour_domain())
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Tensor:
    """Hue, saturation and value, each in 0..1, of colours of floats in 0..1.

    images: (height, width, 3) or a batch of them. Raises DTypeError for integers, ShapeError for other channels.

    >>> import autograd_nn as ag
    >>> ag.ops.image.rgb_to_hsv(ag.tensor([[[0.0, 0.5, 0.5]]])).tolist()
    [[[0.5, 1.0, 0.5]]]
    """
    planes, axis = _planes(images, data_format, "rgb_to_hsv")
    least = float(np.finfo(planes[0].dtype).eps)
    r, g, b = (where(abs(plane) < least, 0, plane) for plane in planes)
    value = maximum(maximum(r, g), b)
    spread = value - minimum(minimum(r, g), b)
    saturation = where(value > 0, spread / where(value > 0, value, 1), 0)
    norm = 1 / (6 * where(spread > 0, spread, 1))
    hue = where(equal(value, g), norm * (b - r) + 2 / 6, norm * (r - g) + 4 / 6)
    hue = where(equal(value, r), norm * (g - b), hue)
    hue = where(spread > 0, hue, 0) + cast(hue < 0, hue.dtype)
    return stack([hue, saturation, value], axis)


@composite(reference=None, name="image.hsv_to_rgb", domain=_colour_domain())
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Tensor:
    """The inverse of `rgb_to_hsv`.

    >>> import autograd_nn as ag
    >>> ag.ops.image.hsv_to_rgb(ag.tensor([[[0.5, 1.0, 0.5]]])).tolist()
    [[[0.0, 0.5, 0.5]]]
    """
    (hue, saturation, value), axis = _planes(images, data_format, "hsv_to_rgb")
    place = mod(hue, 1.0) * 6
    pure = (clip(abs(place - 3) - 1, 0, 1), clip(2 - abs(place - 2), 0, 1), clip(2 - abs(place - 4), 0, 1))
    return stack([value * (1 - saturation + saturation * share) for share in pure], axis)
