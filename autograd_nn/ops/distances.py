"""How far apart things are."""

from typing import Any

import numpy as np

from ..engine.convert import pair
from ..engine.op import Bad, Sample
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import ShapeError
from .domain import cases
from .elementwise import cast, square
from .exponentials import log10
from .family import composite, same_shape
from .linalg import l2_norm
from .nn import floating
from .shape import expand_dims
from .statistics import mean


@composite(
    reference=lambda x, y: np.sqrt(np.square(x[..., :, None, :] - y[..., None, :, :]).sum(-1)),
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 2)), rng.normal(size=(4, 2)))),
            Sample((rng.normal(size=(2, 1, 3)), rng.normal(size=(2, 3)))),
            Sample((np.ones((0, 2)), rng.normal(size=(3, 2)))),
        ],
        lambda: [
            Bad((np.ones((2, 3)), np.ones((2, 2))), {}, ValueError), Bad((np.ones(3), np.ones((2, 3))), {}, ValueError),
            Bad((np.array([["a"]]), np.ones((1, 1))), {}, TypeError),
        ],
    ),
)  # fmt: skip
def cdist(x: Any, y: Any) -> Tensor:
    """The distance of every row of x to every row of y: (..., m, d) and (..., n, d) to (..., m, n).

    At distance 0 the gradient is 0. Raises ShapeError for rows of two lengths.

    >>> import autograd_nn as ag
    >>> ag.ops.cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]]).tolist()
    [[5.0, 1.0]]
    """
    a, b = pair(x, y)
    a, b = floating(a), floating(b)
    if a.ndim < 2 or b.ndim < 2 or None not in (a.shape[-1], b.shape[-1]) and a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"cdist: x and y need rows of one length, got shapes {show_shape(a.spec.shape)} and "
            f"{show_shape(b.spec.shape)}"
        )
    return l2_norm(expand_dims(a, -2) - expand_dims(b, -3), -1)


@composite(
    reference=lambda x1, x2, max_val: 20 * np.log10(max_val) - 10 * np.log10(np.square(x1 - x2).mean()),
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), 1.0)),
            Sample((rng.normal(size=4), rng.normal(size=4), 255)),
        ],
        lambda: [
            Bad((np.ones(3), np.ones(2), 1.0), {}, ValueError), Bad((np.ones((2, 1)), np.ones(2), 1.0), {}, ValueError),
            Bad((np.array(["a"]), np.ones(1), 1.0), {}, TypeError),
        ],
    ),
)  # fmt: skip
def psnr(x1: Any, x2: Any, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio in decibels: 20 log10(max_val) - 10 log10(mean of squared differences).

    x1, x2: of one shape. max_val: the largest value that they may have.

    >>> import autograd_nn as ag
    >>> round(ag.ops.psnr([1.0, 0.0], [0.0, 0.0], 1.0).item(), 4)
    3.0103
    """
    a, b = pair(x1, x2)
    a, b = floating(a), floating(b)
    same_shape("psnr", a, b, "x1 and x2")
    return 20 * log10(cast(max_val, a.dtype)) - 10 * log10(mean(square(a - b)))
