"""Images seen through a small window: blurred, differentiated, compared."""

from typing import Any

import numpy as np

from ...engine.op import Bad, Sample
from ...engine.tensor import Tensor
from ...errors import InvalidArgument, ShapeError, short
from ..convolution import depthwise_conv
from ..creation import arange
from ..domain import Rng, cases
from ..elementwise import cast, exp, square
from ..family import composite, differ
from ..join import stack
from ..linalg import outer
from ..nn import floating
from ..reduction import sum
from ..searching import whole
from ..shape import broadcast_to, expand_dims, squeeze
from ..statistics import mean
from ..windows import per_axis
from .layout import as_batch, as_given, bad_images, layout_of


def _bell(size: int, sigma: Any, dtype: Any) -> Tensor:
    """A Gaussian of that width on `size` places, with sum 1."""
    places = (arange(size, dtype=dtype) - (size - 1) / 2) / sigma
    weights = exp(square(places) * -0.5)
    return weights / sum(weights)


def _filtered(x: Tensor, kernel: Tensor, padding: str) -> Tensor:
    """Every channel of a batch of images through the same window."""
    channels = whole(x.shape[-1], "the number of channels", 1)
    height, width = whole(kernel.shape[0], "height", 1), whole(kernel.shape[1], "width", 1)
    return depthwise_conv(x, broadcast_to(expand_dims(kernel, (2, 3)), (height, width, channels, 1)), 1, padding)


@composite(
    reference=None,
    name="image.gaussian_blur",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 5, 4, 2)),)), Sample((rng.normal(size=(5, 6, 1)), (3, 5), (1.5, 0.5))),
            Sample((rng.normal(size=(2, 4, 5)), (3, 3), (0.7, 1.0)), {"data_format": "channels_first"}),
        ],
        lambda: [
            *bad_images(np.ones((4, 4, 1))), Bad((np.ones((4, 4, 1)), 0), {}, ValueError),
            Bad((np.ones((4, 4, 1)), 3, (1.0,)), {}, ValueError),
        ],
    ),
)  # fmt: skip
def gaussian_blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Tensor:
    """Images blurred by a Gaussian; beyond the edges they are 0.

    images: (height, width, channels) or a batch of them. kernel_size: places of the window along the width and the
    height, or one number for both. sigma: the standard deviations along the width and the height, in pixels.

    >>> import autograd_nn as ag
    >>> ag.ops.image.gaussian_blur(ag.ops.ones((3, 3, 1)))[1, 1].numpy().round(4).tolist()
    [1.0]
    """
    x, layout = layout_of(images, data_format, "gaussian_blur")
    sizes = per_axis(kernel_size, 2, "gaussian_blur", "kernel_size")
    if not hasattr(sigma, "__len__") or len(sigma) != 2:
        raise InvalidArgument(f"gaussian_blur: sigma must be two numbers, got {short(sigma)}")
    y = floating(as_batch(x, layout))
    across, down = (_bell(size, sigma[k], y.dtype) for k, size in enumerate(sizes))
    return cast(as_given(_filtered(y, outer(down, across), "same"), layout), x.dtype)


_SOBEL = np.array([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]])


@composite(
    reference=None,
    name="image.sobel_edges",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 5, 4, 2)),)), Sample((rng.normal(size=(1, 1, 4, 5)), "channels_first")),
            Sample((np.ones((0, 3, 3, 1)),)),
        ],
        lambda: [*bad_images(np.ones((4, 4, 1))), Bad((np.ones(3),), {}, ValueError)],
    ),
)  # fmt: skip
def sobel_edges(images: Any, data_format: str | None = None) -> Tensor:
    """The slopes of images along rows and columns (Sobel and Feldman 1968); beyond the edges images are 0.

    images: (batch, height, width, channels). Result: a new last axis with the slope down, then the slope to the right.

    >>> import autograd_nn as ag
    >>> ag.ops.image.sobel_edges(ag.ops.ones((1, 3, 3, 1)))[0, 1, 1].tolist()
    [[0.0, 0.0]]
    """
    x, layout = layout_of(images, data_format, "sobel_edges")
    y = floating(as_batch(x, layout))
    found = [_filtered(y, cast(kernel, y.dtype), "same") for kernel in (_SOBEL, _SOBEL.T)]
    return stack([as_given(slope, layout) for slope in found], -1)


def _alike(rng: Rng, *size: int) -> tuple[Any, Any]:
    """Two images that resemble each other."""
    x = rng.uniform(size=size)
    return x, 0.7 * x + 0.3 * rng.uniform(size=size)


@composite(
    reference=None,
    name="image.ssim",
    domain=cases(
        lambda rng: [
            Sample(_alike(rng, 2, 6, 5, 2), {"filter_size": 3}),
            Sample((*_alike(rng, 12, 11, 1), 2.0)),
            Sample(
                _alike(rng, 2, 4, 5),
                {"filter_size": 2, "k1": 0.1, "data_format": "channels_first"},
            ),
        ],
        lambda: [
            *bad_images(np.ones((12, 12, 1)), np.ones((12, 12, 1))),
            Bad((np.ones((12, 12, 1)), np.ones((12, 13, 1))), {}, ValueError),
            Bad((np.ones((4, 4, 1)), np.ones((4, 4, 1))), {}, ValueError),
        ],
    ),
)
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """The structural similarity of images, 1 for equal ones: one number for each (Wang et al. 2004).

    image1, image2: (height, width, channels) or a batch of them, of one shape. max_val: the range of their values.
    filter_size, filter_sigma: of the Gaussian window in which they are compared. k1, k2: keep small variances apart.

    >>> import autograd_nn as ag
    >>> ag.ops.image.ssim(ag.ops.ones((12, 12, 1)), ag.ops.ones((12, 12, 1))).item()
    1.0
    """
    first, layout = layout_of(image1, data_format, "ssim")
    second, other = layout_of(image2, data_format, "ssim")
    if layout != other or differ(first.spec.shape, second.spec.shape):
        raise ShapeError(f"ssim: image1 and image2 must have the same shape, got {first.shape} and {second.shape}")
    a, b = (floating(as_batch(x, layout)) for x in (first, second))
    size = whole(filter_size, "ssim: filter_size", 1)
    bell = _bell(size, filter_sigma, a.dtype)

    def local(x: Tensor) -> Tensor:
        return _filtered(x, outer(bell, bell), "valid")

    of_a, of_b = local(a), local(b)
    variances = local(a * a) - of_a * of_a + local(b * b) - of_b * of_b
    both = local(a * b) - of_a * of_b
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    found = (2 * of_a * of_b + c1) * (2 * both + c2) / ((of_a * of_a + of_b * of_b + c1) * (variances + c2))
    score = mean(found, (1, 2, 3))
    return cast(score if layout.batched else squeeze(score, 0), first.dtype)
