"""Moments, and what is brought to mean 0, variance 1 or norm 1 with them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.op import Bad, Sample
from ..engine.spec import normal_axes, normal_axis, promote, show_shape
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from .domain import Rng, cases, reals
from .elementwise import cast, maximum, sqrt, square
from .family import composite, differ, tensors
from .linalg import norm
from .nn import Limits, floating
from .reduction import Axis
from .shape import reshape
from .statistics import mean, var

_FLOAT32 = np.dtype("float32")


def _wide(x: Tensor) -> Tensor:
    """x in at least float32: the squares of float16 numbers overflow soon."""
    return cast(x, promote(x.dtype, _FLOAT32))


def _small(epsilon: Any, what: str) -> float:
    if epsilon is None:
        return Limits.epsilon
    if isinstance(epsilon, (bool, str)) or not hasattr(epsilon, "__float__"):
        raise ArgumentTypeError(f"{what}: epsilon must be a number >= 0, got {short(epsilon)}")
    if not epsilon >= 0:
        raise InvalidArgument(f"{what}: epsilon must be a number >= 0, got {epsilon}")
    return float(epsilon)


def _beside(x: Tensor, axes: tuple[int, ...], name: str, values: Any, what: str) -> Tensor | None:
    """`values`, one per place along the axes of x, with axes of size 1 for all others."""
    if values is None:
        return None
    (values,) = tensors([values])
    if values.spec.shape == x.spec.shape:
        return cast(values, x.dtype)
    sizes = tuple(x.spec.shape[k] for k in axes)
    if differ(values.spec.shape, sizes):
        raise ShapeError(
            f"{what}: {name} needs shape {show_shape(sizes)} for axis {axes} of {show_shape(x.spec.shape)}, got "
            f"{show_shape(values.spec.shape)}"
        )
    values = cast(values, x.dtype)
    if axes == tuple(range(x.ndim - len(axes), x.ndim)):
        return values
    return reshape(values, [size if k in axes else 1 for k, size in enumerate(x.shape)])


def _scaled(x: Tensor, factor: Tensor | None, offset: Tensor | None) -> Tensor:
    x = x if factor is None else x * factor
    return x if offset is None else x + offset


def _moment_samples(rng: Rng) -> list[Sample]:
    values = reals(-3, 3)
    shapes: tuple[tuple[tuple[int, ...], Axis], ...] = (
        ((5,), 0), ((3, 4), (0,)), ((2, 3, 4), (0, 2)), ((2, 3), None), ((2, 0), 0),
    )  # fmt: skip
    kept = Sample((values.draw(rng, (3, 4)), [1]), {"keepdims": True})
    return [kept, *(Sample((values.draw(rng, shape), axes)) for shape, axes in shapes)]


@composite(
    reference=None,
    domain=cases(
        _moment_samples,
        lambda: [
            Bad((np.ones((2, 3)), 2), {}, ValueError), Bad((np.ones((2, 3)), (0, 0)), {}, ValueError),
            Bad((np.ones(3), 0.5), {}, TypeError), Bad((np.array(["a"]), 0), {}, TypeError),
        ],
    ),
)  # fmt: skip
def moments(x: Any, axes: Axis, keepdims: bool = False, synchronized: bool = False) -> tuple[Tensor, Tensor]:
    """The mean and the variance over axes.

    x: tensor or array; integers become the default float. axes: one, several, or None for all.
    keepdims: leave the reduced axes with size 1. synchronized: accepted as in Keras; there is one process.
    Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.moments([[1.0, 2.0], [3.0, 4.0]], axes=[0])]
    [[2.0, 3.0], [1.0, 1.0]]
    """
    x = floating(x)
    return mean(x, axes, keepdims), var(x, axes, keepdims)


def _batch_samples(rng: Rng) -> list[Sample]:
    def sample(shape: tuple[int, ...], axis: int, affine: bool) -> Sample:
        width = (shape[axis],)
        more = {"offset": rng.normal(size=width), "scale": rng.normal(size=width)} if affine else {}
        return Sample((rng.normal(size=shape), rng.normal(size=width), rng.uniform(0.5, 2, width), axis), more)

    return [
        sample((4, 3), -1, True), sample((4, 3), -1, False), sample((2, 3, 2), 1, True), sample((2, 2, 3), 0, False),
        sample((0, 3), -1, True),
    ]  # fmt: skip


@composite(
    reference=None,
    domain=cases(
        _batch_samples,
        lambda: [
            Bad((np.ones((2, 3)), np.ones(2), np.ones(3), -1), {}, ValueError),
            Bad((np.ones((2, 3)), np.ones(3), np.ones(3), 2), {}, ValueError),
            Bad((np.ones((2, 3)), np.ones(3), np.ones(3), -1), {"epsilon": -1}, ValueError),
            Bad((np.ones((2, 3)), np.ones(3), np.ones(3), -1), {"epsilon": "a"}, TypeError),
        ],
    ),
)
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, all of them one number per place along an axis.

    x: tensor or array. mean, variance, offset, scale: shape (x.shape[axis],); offset and scale may be None.
    Raises ShapeError for other shapes, AxisError for an axis out of range. Ioffe and Szegedy 2015, arXiv 1502.03167.

    >>> import autograd_nn as ag
    >>> ag.ops.batch_normalization([[1.0], [3.0]], [2.0], [1.0], axis=-1, epsilon=0.0).tolist()
    [[-1.0], [1.0]]
    """
    what = "batch_normalization"
    x = floating(x)
    at = (normal_axis(axis, x.ndim, what),)
    small = _small(epsilon, what)
    given = {"mean": mean, "variance": variance, "scale": scale, "offset": offset}
    centre, spread, factor, shift = (_beside(x, at, name, values, what) for name, values in given.items())
    if centre is None or spread is None:
        raise ArgumentTypeError(f"{what}: mean and variance must be tensors, got None; take them from ops.moments")
    inverse = 1 / sqrt(spread + small)
    return _scaled((x - centre) * (inverse if factor is None else inverse * factor), None, shift)


def _layer_samples(rng: Rng) -> list[Sample]:
    def sample(shape: tuple[int, ...], axis: Any, sizes: tuple[int, ...] | None, **more: Any) -> Sample:
        affine = () if sizes is None else (rng.normal(size=sizes), rng.normal(size=sizes))
        return Sample((rng.normal(size=shape), *affine), {"axis": axis, **more})

    return [
        sample((3, 4), -1, (4,)), sample((3, 4), -1, None), sample((2, 3, 4), [1, 2], (3, 4)),
        sample((2, 3, 2), 1, (3,)), sample((2, 3, 2), (0, 2), (2, 2)), sample((5,), 0, (5,), epsilon=0.1),
        sample((3, 4), -1, (4,), rms_scaling=True), sample((0, 4), -1, (4,)),
    ]  # fmt: skip


_LAYER_ERRORS = [
    Bad((np.ones((2, 3)), np.ones(2)), {}, ValueError), Bad((np.ones((2, 3)),), {"axis": 2}, ValueError),
    Bad((np.ones((2, 3)),), {"epsilon": -1.0}, ValueError), Bad((np.array(["a"]),), {}, TypeError),
]  # fmt: skip


@composite(reference=None, domain=cases(_layer_samples, lambda: _LAYER_ERRORS))
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Axis = -1, epsilon: Any = None, *, rms_scaling: bool = False
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, with the moments over `axis`.

    x: tensor or array. gamma, beta: the sizes of x along `axis`, or None. axis: one or several.
    epsilon: `config.epsilon()` if None. rms_scaling: leave out mean and beta, as the argument of Keras does.
    Raises ShapeError where gamma or beta do not fit, AxisError for an axis out of range. Ba et al. 2016,
    arXiv 1607.06450.

    >>> import autograd_nn as ag
    >>> ag.ops.layer_normalization([[1.0, 3.0], [2.0, 2.0]], epsilon=0.0001).numpy().round(2).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    what = "layer_normalization"
    given = floating(x)
    x = _wide(given)
    axes = normal_axes(axis, x.ndim, what)
    small = _small(epsilon, what)
    factor, offset = (_beside(x, axes, name, v, what) for name, v in (("gamma", gamma), ("beta", beta)))
    middle, spread = moments(x, axes, keepdims=True)
    inverse = 1 / sqrt(spread + small)
    if rms_scaling:
        return cast(_scaled(x * inverse, factor, None), given.dtype)
    return cast(_scaled((x - middle) * inverse, factor, offset), given.dtype)


def _rms_samples(rng: Rng) -> list[Sample]:
    def sample(shape: tuple[int, ...], axis: Any, sizes: tuple[int, ...] | None) -> Sample:
        scale = () if sizes is None else (rng.normal(size=sizes),)
        return Sample((rng.normal(size=shape), *scale), {"axis": axis})

    return [
        sample((3, 4), -1, (4,)), sample((3, 4), -1, None), sample((2, 3, 4), [1, 2], (3, 4)),
        sample((2, 3, 2), 1, (3,)), sample((0, 4), -1, (4,)),
    ]  # fmt: skip


@composite(reference=None, domain=cases(_rms_samples, lambda: _LAYER_ERRORS))
def rms_normalization(x: Any, scale: Any = None, axis: Axis = -1, epsilon: Any = None) -> Tensor:
    """x / sqrt(mean of squares + epsilon) * scale, with the mean over `axis`.

    x: tensor or array. scale: the sizes of x along `axis`, or None. epsilon: `config.epsilon()` if None.
    Raises ShapeError where scale does not fit, AxisError for an axis out of range. Zhang and Sennrich 2019,
    arXiv 1910.07467.

    >>> import autograd_nn as ag
    >>> ag.ops.rms_normalization([[3.0, -3.0]]).numpy().round(3).tolist()
    [[1.0, -1.0]]
    """
    what = "rms_normalization"
    given = floating(x)
    x = _wide(given)
    axes = normal_axes(axis, x.ndim, what)
    factor = _beside(x, axes, "scale", scale, what)
    inverse = 1 / sqrt(mean(square(x), axes, keepdims=True) + _small(epsilon, what))
    return cast(_scaled(x * inverse, factor, None), given.dtype)


def _normalize_samples(rng: Rng) -> list[Sample]:
    values = reals(-3, 3, away=(0,))
    several: Sequence[dict[str, Any]] = (
        {}, {"axis": 0}, {"order": 1}, {"axis": (0, 1)}, {"order": 3, "axis": 1}, {"epsilon": 100.0},
    )  # fmt: skip
    return [*(Sample((values.draw(rng, (3, 4)),), arguments) for arguments in several), Sample((np.ones((0, 3)),))]


@composite(
    reference=None,
    domain=cases(
        _normalize_samples,
        lambda: [
            Bad((np.ones((2, 3)),), {"order": 0}, ValueError), Bad((np.ones((2, 3)),), {"order": 1.5}, TypeError),
            Bad((np.ones((2, 3)),), {"axis": 2}, ValueError), Bad((np.array(["a"]),), {}, TypeError),
        ],
    ),
)  # fmt: skip
def normalize(x: Any, axis: Axis = -1, order: int = 2, epsilon: Any = None) -> Tensor:
    """x / max(norm, epsilon), with the norm of that order over `axis`.

    x: tensor or array. order: an int >= 1. epsilon: `config.epsilon()` if None.
    Raises InvalidArgument or ArgumentTypeError for another order, AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.normalize([[3.0, 4.0], [0.0, 0.0]]).numpy().round(3).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    if isinstance(order, bool) or not hasattr(order, "__index__"):
        raise ArgumentTypeError(f"normalize: order must be an int >= 1, got {short(order)}")
    if order < 1:
        raise InvalidArgument(f"normalize: order must be an int >= 1, got {order}")
    x = floating(x)
    axes = normal_axes(axis, x.ndim, "normalize")
    if not axes:
        raise ShapeError("normalize: x needs at least one axis, got a scalar; use ops.sign")
    ord, along = (None, axes) if order == 2 and len(axes) > 1 else (order, axes if len(axes) > 1 else axes[0])
    return x / maximum(norm(x, ord, along, keepdims=True), _small(epsilon, "normalize"))
