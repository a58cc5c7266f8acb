"""Images bent at random, as Keras' `ops.image.elastic_transform`."""

from typing import Any

from ..engine.signatures import suggests
from ..errors import ArgumentTypeError, InvalidArgument, short
from ..ops.creation import shape
from ..ops.image import displace, gaussian_blur
from ..ops.image.layout import as_batch, layout_of
from ..ops.nn import floating
from ..ops.shape import squeeze
from .draws import Seed, normal


def _positive(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ArgumentTypeError(f"elastic_transform: {name} must be a number such as 5.0, got {short(value)}")
    if not value > 0:
        raise InvalidArgument(f"elastic_transform: {name} must be > 0, got {short(value)}")
    return float(value)


@suggests
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: Any = 0.0,
    seed: Seed = None,
    data_format: str | None = None,
) -> Any:
    """Images bent at random, all channels alike (Simard, Steinkraus and Platt 2003).

    images: (height, width, channels) or a batch of them. alpha: how far pixels move. sigma: over how many pixels the
    displacements, normal numbers of that standard deviation, are blurred. interpolation, fill_mode, fill_value: as in
    `affine_transform`. seed: an int gives the same displacements at every call. Gradients flow to the images.

    >>> import autograd_nn as ag
    >>> ag.ops.image.elastic_transform(ag.ops.ones((8, 8, 1)), sigma=1.0, seed=1).shape
    (8, 8, 1)
    """
    x, layout = layout_of(images, data_format, "elastic_transform")
    size, far = _positive(sigma, "sigma"), _positive(alpha, "alpha")
    y = floating(as_batch(x, layout))
    noise = normal((*shape(y)[:3], 2), 0.0, size, y.dtype, seed)
    window = int(6 * size) | 1
    moves = far * gaussian_blur(noise, (window, window), (size, size), "channels_last")
    moves = moves if layout.batched else squeeze(moves, 0)
    return displace(x, moves, interpolation, fill_mode, fill_value, data_format)
