"""Pooling over windows: the largest element, and the mean. Arrays are channels last, as in Keras."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import Spec, show_shape
from ..engine.tensor import Tensor, record
from ..errors import InvalidArgument, ShapeError
from .convolution import channels_first
from .domain import Rng, Values, cases, distinct, reals
from .family import primitive
from .shape import moveaxis
from .windows import Window, window

# --- on arrays, tap by tap


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _largest(x: Any, window: Window) -> tuple[Any, Any]:
    """The largest element of each window, and the number of the first tap that holds it."""
    padded = window.padded(x, _lowest(x.dtype))
    best: Any = None
    winner: Any = None
    for number, (_, place) in enumerate(window.taps(x.shape[1:-1])):
        read = padded[(slice(None), *place)]
        if best is None:
            best, winner = read.copy(), np.zeros(read.shape, np.int32)
            continue
        larger = (read > best) | np.isnan(read) & ~np.isnan(best)
        np.copyto(best, read, where=larger)
        winner[larger] = number
    return best, winner


def _unpool(g: Any, x: Any, window: Window) -> Any:
    """Each window's cotangent at the element that won it."""
    _, winner = _largest(x, window)
    padded = window.padded_zeros(x.shape, g.dtype)
    for number, (_, place) in enumerate(window.taps(x.shape[1:-1])):
        padded[(slice(None), *place)] += np.where(winner == number, g, 0)
    return np.ascontiguousarray(window.unpadded(padded, x.shape[1:-1]))


def _pick(v: Any, x: Any, window: Window) -> Any:
    """The element of v that stands where each window of x has its largest."""
    _, winner = _largest(x, window)
    padded = window.padded(v)
    out = np.zeros(winner.shape, v.dtype)
    for number, (_, place) in enumerate(window.taps(x.shape[1:-1])):
        np.copyto(out, padded[(slice(None), *place)], where=winner == number)
    return out


def _counts(shape: Any, window: Window, dtype: Any) -> Any:
    """How many elements of the input, padding not counted, each window reads."""
    ones = window.padded(np.ones((1, *shape[1:-1], 1), dtype))
    total = np.zeros((1, *window.outs(shape[1:-1]), 1), dtype)
    for _, place in window.taps(shape[1:-1]):
        total += ones[(slice(None), *place)]
    return total


def _mean(x: Any, window: Window) -> Any:
    padded = window.padded(x)
    y = np.zeros((x.shape[0], *window.outs(x.shape[1:-1]), x.shape[-1]), np.result_type(x, np.float16))
    for _, place in window.taps(x.shape[1:-1]):
        y += padded[(slice(None), *place)]
    return y / _counts(x.shape, window, y.dtype)


def _unmean(g: Any, like: Any, window: Window) -> Any:
    share = g / _counts(like.shape, window, g.dtype)
    padded = window.padded_zeros(like.shape, g.dtype)
    for _, place in window.taps(like.shape[1:-1]):
        padded[(slice(None), *place)] += share
    return np.ascontiguousarray(window.unpadded(padded, like.shape[1:-1]))


# --- shape rule and domains


def _pooled(x: Spec, window: Window, dtype: Any = None) -> Spec:
    spatial = [window.out(axis, size, "pool") for axis, size in enumerate(x.shape[1:-1])]
    return Spec((x.shape[0], *spatial, x.shape[-1]), dtype or x.dtype)


def _domain(values: Values) -> Domain:
    def samples(rng: Rng) -> list[Sample]:
        def case(shape: tuple[int, ...], *args: Any, **options: Any) -> Sample:
            return Sample((values.draw(rng, shape), *args), options)

        return [
            case((2, 6, 2), 2), case((1, 5, 4, 2), (3, 2), strides=(1, 2), padding="same"), case((1, 4, 4, 1), 3, 1),
            case((1, 3, 3, 3, 2), 2, padding="same"), case((0, 4, 2), 2),
        ]  # fmt: skip

    def errors() -> list[Bad]:
        x = values.draw(np.random.default_rng(0), (1, 3, 3, 2))
        return [
            Bad((x, 5), {}, ValueError),
            Bad((x, 0), {}, ValueError),
            Bad((x, 2), {"padding": "causal"}, ValueError),
            Bad((x[0, 0], 2), {}, ValueError),
            Bad((np.array(["a"]), 2), {}, TypeError),
        ]

    return cases(samples, errors)


def _adjoint_domain(sizes: Callable[[tuple[int, ...], Window], tuple[int, ...]]) -> Domain:
    """Pairs of an array shaped by `sizes` and an input, with a window."""

    def samples(rng: Rng) -> list[Sample]:
        found = []
        for sample in _domain(distinct(-3, 3)).samples(rng):
            x, size, *rest = sample.args
            w = _window(x.ndim, size, *rest, **sample.kwargs)
            found.append(Sample((rng.normal(size=sizes(x.shape, w)), x, w)))
        return found

    def errors() -> list[Bad]:
        x = np.arange(8.0).reshape(1, 4, 2)
        w = _window(3, 2)
        g = np.ones(sizes(x.shape, w))
        return [
            Bad((np.array(["a"]), x, w), {}, TypeError),
            Bad((g, np.array(["a"]), w), {}, TypeError),
            Bad((g * 1j, x, w), {}, TypeError),
        ]

    return cases(samples, errors)


def _result_shape(shape: tuple[int, ...], window: Window) -> tuple[int, ...]:
    return (shape[0], *window.outs(shape[1:-1]), shape[-1])


def _window(ndim: int, pool_size: Any, strides: Any = None, padding: str = "valid", what: str = "pool") -> Window:
    if padding == "causal":
        raise InvalidArgument(f"{what}: padding must be 'valid' or 'same', got 'causal'")
    return window(pool_size, pool_size if strides is None else strides, padding, 1, ndim - 2, what)


def _pool(op: Any, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None) -> Tensor:
    x = as_tensor(inputs)
    if x.ndim < 3:
        raise ShapeError(f"{op.name}: expected (batch, *spatial, channels), got {show_shape(x.spec.shape)}")
    first = channels_first(data_format, op.name)
    if first:
        x = moveaxis(x, 1, -1)
    y = record(op, (x,), {"window": _window(x.ndim, pool_size, strides, padding, op.name)})
    return moveaxis(y, -1, 1) if first else y


# --- the ops


@primitive(
    eval=lambda x, window: _largest(x, window)[0],
    infer=_pooled,
    partials=(lambda g, y, x, window: max_unpool(g, x, window),),
    emit="pool:max",
    domain=_domain(distinct(-3, 3)),
    family="pooling",
)
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """The largest element of each window; at a tie the gradient goes to the first, as in Keras.

    inputs:    (batch, *spatial, channels), or channels first for data_format="channels_first"
    pool_size: an int or one per spatial axis. strides: the pool size if None. padding: "valid" or "same"
    Raises ShapeError for a window larger than the input, InvalidArgument for options that do not exist.

    >>> import autograd_nn as ag
    >>> ag.ops.max_pool([[[1.0], [3.0], [2.0], [0.0]]], 2).tolist()
    [[[3.0], [2.0]]]
    """
    return _pool(max_pool.op, inputs, pool_size, strides, padding, data_format)


@primitive(
    eval=_unpool,
    infer=lambda g, x, window: Spec(x.shape, g.dtype),
    partials=(lambda gg, y, g, x, window: max_pick(gg, x, window), None),
    emit="unpool:max",
    domain=_adjoint_domain(_result_shape),
    family="pooling",
)
def max_unpool(g: Any, x: Any, window: Window) -> Tensor:
    """The gradient of `max_pool`: each window's cotangent at the element that won it.

    >>> import autograd_nn as ag
    >>> from autograd_nn.ops.windows import window
    >>> ag.ops.max_unpool([[[5.0]]], [[[1.0], [3.0]]], window(2, 2, "valid", 1, 1, "pool")).tolist()
    [[[0.0], [5.0]]]
    """
    return record(max_unpool.op, (as_tensor(g), as_tensor(x)), {"window": window})


@primitive(
    eval=_pick,
    infer=lambda v, x, window: _pooled(x, window, v.dtype),
    partials=(lambda g, y, v, x, window: max_unpool(g, x, window), None),
    emit="pool:pick",
    domain=_adjoint_domain(lambda shape, window: shape),
    family="pooling",
)
def max_pick(v: Any, x: Any, window: Window) -> Tensor:
    """The element of v that stands where each window of x has its largest element.

    >>> import autograd_nn as ag
    >>> from autograd_nn.ops.windows import window
    >>> ag.ops.max_pick([[[7.0], [8.0]]], [[[1.0], [3.0]]], window(2, 2, "valid", 1, 1, "pool")).tolist()
    [[[8.0]]]
    """
    return record(max_pick.op, (as_tensor(v), as_tensor(x)), {"window": window})


@primitive(
    eval=_mean,
    infer=lambda x, window: _pooled(x, window, np.result_type(x.dtype, np.float16)),
    partials=(lambda g, y, x, window: average_unpool(g, x, window),),
    emit="pool:mean",
    domain=_domain(reals(-3, 3)),
    family="pooling",
)
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """The mean of each window; padding is not counted, as in Keras. Arguments and errors as in `max_pool`.

    >>> import autograd_nn as ag
    >>> ag.ops.average_pool([[[1.0], [3.0], [2.0], [0.0]]], 2).tolist()
    [[[2.0], [1.0]]]
    """
    return _pool(average_pool.op, inputs, pool_size, strides, padding, data_format)


@primitive(
    eval=_unmean,
    infer=lambda g, like, window: Spec(like.shape, g.dtype),
    partials=(lambda gg, y, g, like, window: record(average_pool.op, (gg,), {"window": window}), None),
    emit="unpool:mean",
    domain=_adjoint_domain(_result_shape),
    family="pooling",
)
def average_unpool(g: Any, like: Any, window: Window) -> Tensor:
    """The gradient of `average_pool`: each window's cotangent shared among the elements that it read.

    >>> import autograd_nn as ag
    >>> from autograd_nn.ops.windows import window
    >>> ag.ops.average_unpool([[[6.0]]], [[[1.0], [3.0]]], window(2, 2, "valid", 1, 1, "pool")).tolist()
    [[[3.0], [3.0]]]
    """
    return record(average_unpool.op, (as_tensor(g), as_tensor(like)), {"window": window})
