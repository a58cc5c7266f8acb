"""Activations beyond the usual ones: shrinking, gating, and sparse, with the semantics of Keras 3."""

from typing import Any

import numpy as np

from ..engine.op import Bad, Sample
from ..engine.spec import normal_axis
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from .arrange import flip
from .creation import arange, shape
from .cumulative import cumsum
from .domain import cases, distinct, reals, unary_domain
from .elementwise import abs, cast, clip, expm1, relu, sigmoid, sqrt, square, tanh, where
from .family import composite
from .indexing import getitem
from .nn import floating, hard_sigmoid
from .reduction import sum
from .shape import reshape
from .sorting import sort


def _number(value: Any, what: str, least: float | None = None) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ArgumentTypeError(f"{what} must be a number, got {short(value)}")
    if least is not None and not value >= least:
        raise InvalidArgument(f"{what} must be >= {least}, got {value}")
    return float(value)


@composite(reference=None, domain=unary_domain(reals(-3, 3, away=(0,))))
def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where it is positive, alpha * (exp(x / alpha) - 1) elsewhere (Barron 2017, arXiv 1704.07483).

    x: tensor or array of any shape. alpha: not 0; minus the limit for large negative x.

    >>> import autograd_nn as ag
    >>> ag.ops.celu([0.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    x, alpha = floating(x), _number(alpha, "celu: alpha")
    if alpha == 0:
        raise InvalidArgument("celu: alpha must not be 0")
    positive = x > 0
    # Without the inner `where` expm1 would overflow on the branch not taken.
    return where(positive, x, alpha * expm1(where(positive, 0, x) / alpha))


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)),)), Sample((rng.normal(size=(2, 4, 3)), 1)), Sample((rng.normal(size=2),)),
            Sample((rng.normal(size=(0, 2)),)),
        ],
        lambda: [
            Bad((np.ones((2, 3)),), {}, ValueError), Bad((np.ones((2, 2)), 2), {}, ValueError),
            Bad((np.ones(()),), {}, ValueError), Bad((np.array(["a", "b"]),), {}, TypeError),
        ],
    ),
)  # fmt: skip
def glu(x: Any, axis: int = -1) -> Tensor:
    """The first half of x along an axis, gated by the sigmoid of the second (Dauphin et al. 2016, arXiv 1612.08083).

    x: tensor or array of even size along the axis. Raises ShapeError for an odd size, AxisError for an axis out of it.

    >>> import autograd_nn as ag
    >>> ag.ops.glu([2.0, 0.0]).tolist()
    [1.0]
    """
    x = floating(x)
    place = normal_axis(axis, x.ndim, "glu")
    size = x.shape[place]
    if size is None or size % 2:
        raise ShapeError(f"glu: axis {place} of shape {x.shape} must have an even, known size")
    before = (slice(None),) * place
    half = size // 2
    return getitem(x, (*before, slice(None, half))) * sigmoid(getitem(x, (*before, slice(half, None))))


@composite(reference=None, domain=unary_domain(reals(-3, 3, away=(-0.5, 0.5))))
def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x where |x| is above the threshold, 0 elsewhere.

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.hard_shrink([-2.0, 0.25, 1.0]).tolist()
    [-2.0, 0.0, 1.0]
    """
    x = floating(x)
    return where(abs(x) > _number(threshold, "hard_shrink: threshold"), x, 0)


@composite(reference=None, domain=unary_domain(reals(-3, 3, away=(-0.5, 0.5))))
def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x moved towards 0 by the threshold, and 0 within it.

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.soft_shrink([-2.0, 0.25, 1.0]).tolist()
    [-1.5, 0.0, 0.5]
    """
    x, by = floating(x), _number(threshold, "soft_shrink: threshold")
    return where(x > by, x - by, where(x < -by, x + by, 0))


@composite(reference=None, domain=unary_domain(reals(-3, 3)))
def tanh_shrink(x: Any) -> Tensor:
    """x - tanh(x).

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.tanh_shrink([0.0]).tolist()
    [0.0]
    """
    x = floating(x)
    return x - tanh(x)


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((reals(-3, 3, away=(0.5,)).draw(rng, shape), 0.5, -1.0)) for shape in ((3, 4), (), (0, 2))
        ],
        lambda: [
            Bad((np.ones(2), "0", 1.0), {}, TypeError), Bad((np.ones(2), 0.0, None), {}, TypeError),
            Bad((np.array(["a"]), 0.0, 0.0), {}, TypeError),
        ],
    ),
)  # fmt: skip
def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """x where it is above the threshold, default_value elsewhere.

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.threshold([-1.0, 2.0], 0.0, 5.0).tolist()
    [5.0, 2.0]
    """
    x = floating(x)
    limit, instead = _number(threshold, "threshold"), _number(default_value, "threshold: default_value")
    return where(x > limit, x, instead)


@composite(reference=None, domain=unary_domain(reals(-5, 5, away=(-3, 3))))
def hard_silu(x: Any) -> Tensor:
    """x * hard_sigmoid(x), also called hard_swish (Howard et al. 2019, arXiv 1905.02244).

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.hard_silu([0.0, 3.0]).tolist()
    [0.0, 3.0]
    """
    x = floating(x)
    return x * hard_sigmoid(x)


@composite(reference=None, domain=unary_domain(reals(-3, 3, away=(-1, 1))))
def hard_tanh(x: Any) -> Tensor:
    """x limited to -1..1.

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.hard_tanh([-2.0, 0.5, 2.0]).tolist()
    [-1.0, 0.5, 1.0]
    """
    return clip(floating(x), -1, 1)


@composite(reference=None, domain=unary_domain(reals(-3, 3)))
def squareplus(x: Any, b: float = 4) -> Tensor:
    """(x + sqrt(x**2 + b)) / 2, a softplus without exponentials (Barron 2021, arXiv 2112.11687).

    x: tensor or array of any shape. b: how round the corner at 0 is.

    >>> import autograd_nn as ag
    >>> ag.ops.squareplus([0.0]).tolist()
    [1.0]
    """
    x = floating(x)
    return (x + sqrt(square(x) + _number(b, "squareplus: b", 0))) / 2


@composite(reference=None, domain=unary_domain(reals(-3, 3, away=(-1, 1))))
def sparse_plus(x: Any) -> Tensor:
    """0 up to -1, (x + 1)**2 / 4 up to 1, x from there on.

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.sparse_plus([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.25, 2.0]
    """
    x = floating(x)
    return where(x <= -1, 0, where(x < 1, square(x + 1) / 4, x))


@composite(reference=None, domain=unary_domain(reals(-3, 3, away=(-1, 1))))
def sparse_sigmoid(x: Any) -> Tensor:
    """(x + 1) / 2 limited to 0..1, the derivative of sparse_plus.

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.sparse_sigmoid([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return clip((floating(x) + 1) / 2, 0, 1)


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((distinct(-1.1, 1.3).draw(rng, (3, 4)),)), Sample((distinct(-1.1, 1.3).draw(rng, (2, 3, 2)), 1)),
            Sample((rng.normal(size=5),)), Sample((rng.normal(size=(0, 2)),)),
        ],
        lambda: [
            Bad((np.ones((2, 3)), 2), {}, ValueError), Bad((np.ones(()),), {}, ValueError),
            Bad((np.ones(3), 0.5), {}, TypeError), Bad((np.array(["a"]),), {}, TypeError),
        ],
    ),
)  # fmt: skip
def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """The nearest point to x with elements >= 0 and sum 1 along an axis (Martins and Astudillo 2016, arXiv 1602.02068).

    x: tensor or array. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.sparsemax([1.0, 1.0, -4.0]).tolist()
    [0.5, 0.5, 0.0]
    """
    x = floating(x)
    place = normal_axis(axis, x.ndim, "sparsemax")
    falling = flip(sort(x, place), place)
    places = [1] * x.ndim
    places[place] = -1
    ranks = reshape(cast(arange(1, shape(x)[place] + 1), x.dtype), tuple(places))
    # The largest elements take part, as many as are above the level that they would be lowered by.
    taking = falling * ranks + 1 > cumsum(falling, place)
    count = sum(cast(taking, x.dtype), place, keepdims=True)
    level = (sum(where(taking, falling, 0), place, keepdims=True) - 1) / count
    return relu(x - level)
