"""Pooling to a size: the windows follow from it, and may overlap by one element."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import ShapeError, SymbolicError
from .convolution import channels_first
from .domain import Rng, Values, cases, distinct, reals
from .family import composite
from .indexing import take
from .linalg import matmul
from .nn import floating
from .pooling import average_pool, max_pool
from .shape import moveaxis
from .statistics import max
from .windows import per_axis


def _bounds(size: int, count: int) -> tuple[Any, Any]:
    """Where each of `count` windows begins and ends."""
    k = np.arange(count)
    return k * size // count, -(-(k + 1) * size // count)


def _domain(values: Values) -> Domain:
    def samples(rng: Rng) -> list[Sample]:
        return [
            Sample((values.draw(rng, (2, 7, 2)), 3)), Sample((values.draw(rng, (2, 5, 6, 1)), (2, 3))),
            Sample((values.draw(rng, (1, 4, 6, 2)), (2, 3))), Sample((values.draw(rng, (1, 3, 4, 3, 2)), 2)),
            Sample((values.draw(rng, (1, 2, 5)), 7), {"data_format": "channels_first"}),
            Sample((np.ones((0, 4, 2)), 3)),
        ]  # fmt: skip

    def errors() -> list[Bad]:
        x = np.ones((1, 4, 4, 1))
        return [
            Bad((x, 0), {}, ValueError), Bad((x, (2, 2, 2)), {}, ValueError), Bad((x[0, 0], 2), {}, ValueError),
            Bad((x, 2, "channels"), {}, ValueError), Bad((np.array([[["a"]]]), 2), {}, TypeError),
        ]  # fmt: skip

    return cases(samples, errors)


def _prepared(inputs: Any, output_size: Any, data_format: str | None, what: str) -> tuple[Tensor, Any, Any, bool]:
    """The inputs with channels last, their spatial sizes, those that are asked for, and whether channels were first."""
    x = as_tensor(inputs)
    if x.ndim not in (3, 4, 5):
        raise ShapeError(f"{what}: expected (batch, *spatial, channels), got {show_shape(x.spec.shape)}")
    first = channels_first(data_format, what)
    targets = per_axis(output_size, x.ndim - 2, what, "output_size")
    x = moveaxis(x, 1, -1) if first else x
    sizes = x.shape[1:-1]
    if None in sizes:
        raise SymbolicError(f"{what}: the spatial sizes must be known, got {show_shape(x.spec.shape)}")
    return x, sizes, targets, first


def _whole_windows(sizes: Any, targets: Any) -> tuple[int, ...] | None:
    """The window where all have one size and none overlap."""
    if any(size % target for size, target in zip(sizes, targets)):
        return None
    return tuple(size // target for size, target in zip(sizes, targets))


def _each_window(x: Any, output_size: Any, data_format: Any, join: Any) -> Any:
    x = np.moveaxis(x, 1, -1) if data_format else x
    targets = np.broadcast_to(output_size, x.ndim - 2)
    y = np.zeros((len(x), *targets, x.shape[-1]))
    for place in np.ndindex(*targets):
        ends = [[k * n // t, -(-(k + 1) * n // t)] for k, n, t in zip(place, x.shape[1:], targets)]
        part = x[(slice(None), *(slice(a, b) for a, b in ends))]
        y[(slice(None), *place)] = join(part, axis=tuple(range(1, x.ndim - 1)))
    return np.moveaxis(y, -1, 1) if data_format else y


@composite(
    reference=lambda x, size, data_format=None: _each_window(x, size, data_format, np.mean),
    domain=_domain(reals(-3, 3)),
)
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Tensor:
    """The mean of windows chosen so that `output_size` of them cover each spatial axis.

    inputs: (batch, *spatial, channels) with one to three spatial axes of known sizes, or channels first for
    data_format="channels_first". output_size: an int or one per spatial axis. Window k of n goes from
    floor(k * size / n) to ceil((k + 1) * size / n).

    >>> import autograd_nn as ag
    >>> ag.ops.adaptive_average_pool([[[1.0], [2.0], [6.0]]], 2).tolist()
    [[[1.5], [4.0]]]
    """
    x, sizes, targets, first = _prepared(inputs, output_size, data_format, "adaptive_average_pool")
    x = floating(x)
    window = _whole_windows(sizes, targets)
    if window is not None:
        x = average_pool(x, window)
    for axis, (size, target) in enumerate(zip(sizes, targets), 1) if window is None else ():
        begin, end = _bounds(size, target)
        k = np.arange(size)
        share = ((k >= begin[:, None]) & (k < end[:, None])) / (end - begin)[:, None]
        x = moveaxis(matmul(as_tensor(share, x.dtype), moveaxis(x, axis, -2)), -2, axis)
    return moveaxis(x, -1, 1) if first else x


@composite(
    reference=lambda x, size, data_format=None: _each_window(x, size, data_format, np.max),
    domain=_domain(distinct(-3, 3)),
)
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Tensor:
    """The largest elements of windows chosen so that `output_size` of them cover each spatial axis.

    Arguments and windows as in `adaptive_average_pool`.

    >>> import autograd_nn as ag
    >>> ag.ops.adaptive_max_pool([[[1.0], [2.0], [6.0]]], 2).tolist()
    [[[2.0], [6.0]]]
    """
    x, sizes, targets, first = _prepared(inputs, output_size, data_format, "adaptive_max_pool")
    window = _whole_windows(sizes, targets)
    if window is not None:
        x = max_pool(x, window)
    for axis, (size, target) in enumerate(zip(sizes, targets), 1) if window is None else ():
        begin, end = _bounds(size, target)
        # Shorter windows read their last element again, which changes no maximum.
        places = np.minimum(begin[:, None] + np.arange((end - begin).max(initial=1)), end[:, None] - 1)
        x = max(take(x, places, axis), axis + 1)
    return moveaxis(x, -1, 1) if first else x
