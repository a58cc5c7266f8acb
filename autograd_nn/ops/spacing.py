"""Numbers with even ratios, counts in bins, windows for signals, and pixels for channels."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import default_float, show_shape
from ..engine.tensor import Tensor
from ..errors import DTypeError, InvalidArgument, ShapeError, short
from .creation import linspace, shape
from .custom import stop_gradient
from .differences import diff
from .domain import Rng, cases
from .elementwise import cast, equal, exp, log, power, sign, where
from .family import composite
from .indexing import getitem
from .join import concatenate
from .nn import floating
from .searching import searchsorted, whole
from .shape import ravel, reshape, transpose
from .sorting import sort
from .statistics import max, min

Random = Rng

# --- even ratios


def _spaced_errors() -> list[Bad]:
    return [
        Bad((1.0, 2.0, -1), {}, ValueError), Bad((1.0, 2.0, 2.5), {}, TypeError), Bad(("a", 1.0), {}, TypeError),
        Bad((np.ones(2), np.ones(3)), {}, ValueError),
    ]  # fmt: skip


def _spaced_samples(rng: Random) -> list[Sample]:
    def ends(*size: int) -> tuple[Any, Any]:
        return np.asarray(rng.uniform(0.5, 1, size)), np.asarray(rng.uniform(2, 3, size))

    return [
        Sample((*ends(), 5)), Sample((*ends(2, 3), 4), {"axis": -1}), Sample((*ends(2), 3), {"endpoint": False}),
        Sample((*ends(), 1)), Sample((*ends(2), 0)),
    ]  # fmt: skip


@composite(
    reference=np.logspace,
    domain=cases(
        lambda rng: [*_spaced_samples(rng), Sample((np.array(0.0), np.array(3.0), 4), {"base": 2})], _spaced_errors
    ),
)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None, axis: int = 0
) -> Tensor:
    """base to the powers `linspace(start, stop, num)`; gradients flow to both ends.

    start, stop: numbers or tensors that broadcast. endpoint: whether stop is the last power.

    >>> import autograd_nn as ag
    >>> ag.ops.logspace(0.0, 2.0, 3).tolist()
    [1.0, 10.0, 100.0]
    """
    line = linspace(start, stop, num, endpoint, axis=axis)
    found = power(cast(base, line.dtype), line)
    return found if dtype is None else cast(found, dtype)


@composite(
    reference=np.geomspace,
    domain=cases(
        lambda rng: [*_spaced_samples(rng), Sample((np.array(-1.0), np.array(-8.0), 4))],
        lambda: [*_spaced_errors(), Bad((0.0, 1.0), {}, ValueError), Bad((-1.0, 1.0), {}, ValueError)],
    ),
)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Tensor:
    """num numbers from start to stop, each the same multiple of the one before; gradients flow to both ends.

    start, stop: numbers or tensors that broadcast, of one sign and not 0 (InvalidArgument where they have values).

    >>> import autograd_nn as ag
    >>> ag.ops.geomspace(1.0, 4.0, 3).numpy().round(4).tolist()
    [1.0, 2.0, 4.0]
    """
    a, b = floating(start), floating(stop)
    product = a * b
    if product.value is not None and not np.all(product.value > 0):
        raise InvalidArgument(f"geomspace: start and stop need one sign, not 0; got {short(start)}, {short(stop)}")
    side = stop_gradient(sign(a) + b * 0)
    line = exp(linspace(log(a * side), log(b * side), num, endpoint, axis=axis))
    signs = linspace(side, side, num, endpoint, axis=axis)
    found = line * signs
    return found if dtype is None else cast(found, dtype)


# --- counts in bins


@composite(
    reference=np.histogram,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=20), 5), {}, False), Sample((rng.normal(size=(3, 4)), 3, (-1.0, 1.0)), {}, False),
            Sample((np.array([1.0, 2.0, 1.5, 9.0]), [1.0, 2.0, 3.0]), {}, False),
            Sample((np.array([2.0, 2.0]), 2), {}, False),
        ],
        lambda: [
            Bad((np.ones(3), 0), {}, ValueError), Bad((np.ones(3), 2.5), {}, TypeError),
            Bad((np.ones(3), 2, (1.0, 0.0)), {}, ValueError), Bad((np.array(["a"]), 2), {}, TypeError),
        ],
    ),
    order=0,
)  # fmt: skip
def histogram(x: Any, bins: Any = 10, range: tuple[float, float] | None = None) -> tuple[Tensor, Tensor]:
    """How many elements fall into each bin (int64), and the limits of the bins; the last bin holds its upper limit too.

    bins: how many of equal width, or a rising vector of limits. range: where the first begins and the last ends; the
    smallest and the largest element if None.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.histogram([0.0, 1.0, 1.0, 2.0], 2)]
    [[1, 3], [0.0, 1.0, 2.0]]
    """
    line = sort(ravel(stop_gradient(x)))
    line = line if line.dtype.kind == "f" else cast(line, "float64")
    limits = _limits(line, bins, range)
    below = searchsorted(line, getitem(limits, slice(None, -1)), "left")
    up_to = searchsorted(line, getitem(limits, slice(-1, None)), "right")
    return diff(concatenate([below, up_to])), limits


def _limits(line: Tensor, bins: Any, span: tuple[float, float] | None) -> Tensor:
    if np.ndim(bins):
        return cast(bins, line.dtype)
    count = whole(bins, "histogram: bins", 1)
    if span is not None and not span[0] <= span[1]:
        raise InvalidArgument(f"histogram: range must be (low, high), got {short(span)}")
    low, high = (min(line), max(line)) if span is None else (cast(end, line.dtype) for end in span)
    half = where(equal(low, high), 0.5, low * 0)
    return linspace(low - half, high + half, count + 1)


# --- windows


def _window(function: Callable[[int], Any], name: str) -> Callable[..., Any]:
    return composite(
        reference=lambda x: function(x).astype(np.float32),
        domain=cases(
            lambda rng: [Sample((5,), {}, False), Sample((1,), {}, False), Sample((0,), {}, False)],
            lambda: [Bad((2.5,), {}, TypeError), Bad(("5",), {}, TypeError), Bad((-1,), {}, ValueError)],
        ),
        order=0,
        name=name,
    )


def _values(function: Callable[[int], Any], x: Any) -> Tensor:
    size = whole(x, f"{function.__name__}: x", 0)
    return as_tensor(function(size).astype(default_float()))


@_window(np.bartlett, "bartlett")
def bartlett(x: Any) -> Tensor:
    """A window of x numbers that rises from 0 to 1 and falls again, in straight lines.

    >>> import autograd_nn as ag
    >>> ag.ops.bartlett(3).tolist()
    [0.0, 1.0, 0.0]
    """
    return _values(np.bartlett, x)


@_window(np.blackman, "blackman")
def blackman(x: Any) -> Tensor:
    """A window of x numbers, 0.42 - 0.5 cos(t) + 0.08 cos(2 t) for t from 0 to 2 pi.

    >>> import autograd_nn as ag
    >>> ag.ops.blackman(3).numpy().round(4).tolist()
    [-0.0, 1.0, -0.0]
    """
    return _values(np.blackman, x)


@_window(np.hamming, "hamming")
def hamming(x: Any) -> Tensor:
    """A window of x numbers, 0.54 - 0.46 cos(t) for t from 0 to 2 pi.

    >>> import autograd_nn as ag
    >>> ag.ops.hamming(3).numpy().round(2).tolist()
    [0.07999999821186066, 1.0, 0.07999999821186066]
    """
    return _values(np.hamming, x)


@_window(np.hanning, "hanning")
def hanning(x: Any) -> Tensor:
    """A window of x numbers, 0.5 - 0.5 cos(t) for t from 0 to 2 pi.

    >>> import autograd_nn as ag
    >>> ag.ops.hanning(3).tolist()
    [0.0, 1.0, 0.0]
    """
    return _values(np.hanning, x)


@composite(
    reference=lambda x, beta: np.kaiser(x, beta).astype(np.float32),
    domain=cases(
        lambda rng: [Sample((5, 14.0), {}, False), Sample((1, 2.0), {}, False), Sample((0, 2.0), {}, False)],
        lambda: [
            Bad((2.5, 1.0), {}, TypeError), Bad((-1, 1.0), {}, ValueError), Bad((3, "14"), {}, TypeError)
        ],
    ),
    order=0,
)  # fmt: skip
def kaiser(x: Any, beta: float) -> Tensor:
    """A window of x numbers, I0(beta sqrt(1 - t^2)) / I0(beta) for t from -1 to 1; I0 is the Bessel function.

    >>> import autograd_nn as ag
    >>> [round(w, 4) for w in ag.ops.kaiser(3, 2.0).tolist()]
    [0.4387, 1.0, 0.4387]
    """
    if isinstance(beta, bool) or not isinstance(beta, (int, float)):
        raise DTypeError(f"kaiser: beta must be a number, got {short(beta)}")
    return as_tensor(np.kaiser(whole(x, "kaiser: x", 0), beta).astype(default_float()))


# --- pixels for channels


def _image_domain(size: tuple[int, ...], wrong: tuple[int, ...]) -> Domain:
    first = (size[0], size[3], size[1], size[2])
    return cases(
        lambda rng: [
            Sample((rng.normal(size=size), 2)), Sample((rng.normal(size=first), 2, "channels_first")),
            Sample((rng.normal(size=(0, *size[1:])), 2)), Sample((rng.normal(size=size), 1)),
        ],
        lambda: [
            Bad((np.ones(wrong), 2), {}, ValueError), Bad((np.ones((2, 2)), 2), {}, ValueError),
            Bad((np.ones(size), 0), {}, ValueError), Bad((np.ones(size), 2, "channels"), {}, ValueError),
        ],
    )  # fmt: skip


def _image(name: str, x: Any, block_size: Any, data_format: str) -> tuple[Tensor, int, Sequence[int]]:
    """The image with its channels last, the size of a block, and how its axes go back."""
    x, block = as_tensor(x), whole(block_size, f"{name}: block_size", 1)
    if data_format not in ("channels_last", "channels_first"):
        raise InvalidArgument(
            f"{name}: data_format must be 'channels_last' or 'channels_first', got {short(data_format)}"
        )
    if x.ndim != 4:
        raise ShapeError(f"{name}: needs 4 axes, images of one batch, got shape {show_shape(x.spec.shape)}")
    first = data_format == "channels_first"
    return transpose(x, (0, 2, 3, 1)) if first else x, block, (0, 3, 1, 2) if first else (0, 1, 2, 3)


@composite(reference=None, domain=_image_domain((2, 2, 3, 8), (1, 2, 2, 3)))
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Images with each pixel's channels spread over a block of pixels: (n, h, w, b * b * c) to (n, h * b, w * b, c).

    Raises ShapeError where the channels are no multiple of the pixels of a block.

    >>> import autograd_nn as ag
    >>> ag.ops.depth_to_space([[[[1, 2, 3, 4]]]], 2).tolist()
    [[[[1], [2]], [[3], [4]]]]
    """
    x, b, back = _image("depth_to_space", x, block_size, data_format)
    n, h, w, c = shape(x)
    if isinstance(c, int) and c % (b * b):
        raise ShapeError(f"depth_to_space: {c} channels are no multiple of the {b * b} pixels of a block")
    apart = transpose(reshape(x, (n, h, w, b, b, c // (b * b))), (0, 1, 3, 2, 4, 5))
    return transpose(reshape(apart, (n, h * b, w * b, c // (b * b))), tuple(back))


@composite(reference=None, domain=_image_domain((2, 4, 2, 3), (1, 3, 2, 3)))
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Images with each block of pixels as the channels of one: (n, h * b, w * b, c) to (n, h, w, b * b * c).

    Raises ShapeError where height or width are no multiple of the block.

    >>> import autograd_nn as ag
    >>> ag.ops.space_to_depth([[[[1], [2]], [[3], [4]]]], 2).tolist()
    [[[[1, 2, 3, 4]]]]
    """
    x, b, back = _image("space_to_depth", x, block_size, data_format)
    n, h, w, c = shape(x)
    for size in (h, w):
        if isinstance(size, int) and size % b:
            raise ShapeError(f"space_to_depth: height and width must be multiples of {b}, got shape {x.shape}")
    together = transpose(reshape(x, (n, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
    return transpose(reshape(together, (n, h // b, w // b, b * b * c)), tuple(back))
