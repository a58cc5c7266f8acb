"""Convolution, its two gradients, and its transpose: three bilinear maps whose gradients are one another.

Layouts as in Keras: images (batch, *spatial, channels), kernels (*window, channels // groups, filters).
"""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import Dim, Spec, promote, show_shape
from ..engine.tensor import Tensor, record
from ..errors import InvalidArgument, ShapeError, did_you_mean, short
from .domain import Rng, cases
from .family import composite, primitive
from .shape import moveaxis, reshape
from .windows import Window, window

# --- the three maps on arrays, each a sum over the taps of the window


def _grouped(x: Any, groups: int) -> Any:
    """Channels as (groups, 1, channels // groups): matrices of one row per place and group."""
    return x.reshape(*x.shape[:-1], groups, 1, x.shape[-1] // groups)


def _rows(x: Any, groups: int) -> Any:
    """All places as one axis: (places, groups, channels // groups)."""
    return x.reshape(x[..., 0].size, groups, x.shape[-1] // groups)


def _weights(kernel: Any, groups: int) -> Any:
    """The kernel of one tap as (groups, channels // groups, filters // groups)."""
    return kernel.reshape(kernel.shape[0], groups, -1).transpose(1, 0, 2)


def _product(x: Any, weights: Any) -> Any:
    """Channels of x times weights, group by group."""
    groups, _, filters = weights.shape
    if groups == 1:
        return x @ weights[0]
    y = np.matmul(_grouped(x, groups), weights)
    return y.reshape(*x.shape[:-1], groups * filters)


def _conv(x: Any, kernel: Any, window: Window, groups: int) -> Any:
    sizes = x.shape[1:-1]
    padded = window.padded(x)
    y = np.zeros((x.shape[0], *window.outs(sizes), kernel.shape[-1]), np.result_type(x, kernel))
    for tap, place in window.taps(sizes):
        y += _product(padded[(slice(None), *place)], _weights(kernel[tap], groups))
    return y


def _spread(g: Any, kernel: Any, shape: tuple[int, ...], window: Window, groups: int) -> Any:
    """The adjoint in x: every window's cotangent goes back to the elements that it read."""
    sizes = shape[1:-1]
    padded = window.padded_zeros(shape, np.result_type(g, kernel))
    for tap, place in window.taps(sizes):
        padded[(slice(None), *place)] += _product(g, _weights(kernel[tap], groups).transpose(0, 2, 1))
    return np.ascontiguousarray(window.unpadded(padded, sizes))


def _correlate(x: Any, g: Any, shape: tuple[int, ...], window: Window, groups: int) -> Any:
    """The adjoint in the kernel: per tap, the products of what it read and the cotangents, summed over places."""
    padded = window.padded(x)
    rows = _rows(g, groups).transpose(1, 0, 2)
    out = np.empty(shape, np.result_type(x, g))
    for tap, place in window.taps(x.shape[1:-1]):
        read = _rows(padded[(slice(None), *place)], groups).transpose(1, 2, 0)
        out[tap] = np.matmul(read, rows).transpose(1, 0, 2).reshape(shape[-2:])
    return out


# --- shape rules


def _conv_infer(x: Spec, kernel: Spec, window: Window, groups: int) -> Spec:
    spatial = [window.out(axis, size, "conv") for axis, size in enumerate(x.shape[1:-1])]
    return Spec((x.shape[0], *spatial, kernel.shape[-1]), promote(x.dtype, kernel.dtype))


def _check_conv(x: Spec, kernel: Spec, groups: int, what: str) -> None:
    """ShapeError unless image and kernel fit together."""
    if x.ndim < 3 or kernel.ndim != x.ndim:
        raise ShapeError(
            f"{what}: expected (batch, *spatial, channels) and a kernel (*window, channels, filters) of as many axes, "
            f"got {show_shape(x.shape)} and {show_shape(kernel.shape)}; add an axis with ops.expand_dims or reshape"
        )
    channels, taken, filters = x.shape[-1], kernel.shape[-2], kernel.shape[-1]
    if not isinstance(channels, int) or not isinstance(taken, int) or not isinstance(filters, int):
        raise ShapeError(f"{what}: the number of channels must be known, got {show_shape(x.shape)}")
    if channels != taken * groups:
        raise ShapeError(
            f"{what}: input {show_shape(x.shape)} has {channels} channels, kernel {show_shape(kernel.shape)} expects "
            f"{taken * groups} (groups={groups}); channels last?"
        )
    if filters % groups:
        raise ShapeError(f"{what}: {filters} filters cannot be divided into {groups} groups")


def _check_window(kernel: Spec, window: Window, what: str) -> None:
    """ShapeError unless the kernel has the sizes of the window."""
    if kernel.shape[:-2] != window.size:
        raise ShapeError(f"{what}: expected a kernel of window {window.size}, got shape {show_shape(kernel.shape)}")


# --- test domains


def _samples(rng: Rng) -> list[Sample]:
    def case(x: tuple[int, ...], kernel: tuple[int, ...], **options: Any) -> Sample:
        return Sample((rng.normal(size=x), rng.normal(size=kernel)), options)

    return [
        case((2, 5, 2), (3, 2, 2)),
        case((2, 6, 2), (3, 2, 3), padding="causal", dilation_rate=2),
        case((1, 5, 4, 2), (3, 2, 2, 2), strides=2, padding="same"),
        case((2, 4, 5, 2), (2, 2, 1, 4), strides=(1, 2)),
        case((1, 5, 5, 1), (2, 3, 1, 2), padding="same", dilation_rate=(2, 1)),
        case((1, 3, 3, 3, 1), (2, 2, 2, 1, 2)),
        case((0, 4, 3), (2, 3, 2)),
    ]


def _errors() -> list[Bad]:
    x, kernel = np.ones((1, 5, 5, 2)), np.ones((3, 3, 2, 4))
    return [
        Bad((x, np.ones((3, 3, 3, 4))), {}, ValueError),
        Bad((np.ones((5, 2)), kernel), {}, ValueError),
        Bad((np.ones((1, 2, 5, 2)), kernel), {}, ValueError),
        Bad((x, kernel), {"padding": "smae"}, ValueError),
        Bad((x, kernel), {"strides": 0}, ValueError),
        Bad((x, kernel), {"strides": 2, "dilation_rate": 2}, ValueError),
        Bad((np.array(["a"]), kernel), {}, TypeError),
    ]


_DOMAIN = cases(_samples, _errors)


def _adjoint_domain(of_kernel: bool) -> Domain:
    """The samples of `conv`, with a cotangent in the place of the input that is asked for."""

    def samples(rng: Rng) -> list[Sample]:
        found = []
        for x, kernel, g, w, groups in _bound(rng):
            args = (x, g, kernel, w, groups) if of_kernel else (g, kernel, x, w, groups)
            found.append(Sample(args))
        return found

    def errors() -> list[Bad]:
        x, kernel, g, w, groups = next(iter(_bound(np.random.default_rng(0))))
        wrong = np.array(["a"])
        first, rest = (x, (g, kernel)) if of_kernel else (g, (kernel, x))
        return [
            Bad((wrong, *rest, w, groups), {}, TypeError),
            Bad((first, wrong, rest[1], w, groups), {}, TypeError),
            Bad((first, rest[0], wrong, w, groups), {}, TypeError),
        ]

    return cases(samples, errors)


def _bound(rng: Rng) -> list[tuple[Any, Any, Any, Window, int]]:
    found = []
    for sample in _samples(rng):
        x, kernel = sample.args
        w, groups = _window_of(as_tensor(x), as_tensor(kernel), **sample.kwargs)
        found.append((x, kernel, rng.normal(size=_conv(x, kernel, w, groups).shape), w, groups))
    return found


# --- the ops


@primitive(
    eval=_conv,
    infer=_conv_infer,
    partials=(
        lambda g, y, x, kernel, window, groups: conv_spread(g, kernel, x, window, groups),
        lambda g, y, x, kernel, window, groups: conv_correlate(x, g, kernel, window, groups),
    ),
    emit="conv",
    domain=_DOMAIN,
    family="convolution",
)
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Convolution over one, two or three spatial axes (a correlation, as in Keras).

    inputs:  (batch, *spatial, channels), or (batch, channels, *spatial) for data_format="channels_first"
    kernel:  (*window, channels // groups, filters); the number of groups follows from the channels
    padding: "valid", "same", or "causal" for one spatial axis
    Raises ShapeError for sizes that do not fit, InvalidArgument for options that do not exist.

    >>> import numpy as np, autograd_nn as ag
    >>> ag.ops.conv(np.ones((1, 5, 5, 1)), np.ones((3, 3, 1, 2))).shape
    (1, 3, 3, 2)
    """
    x, w = as_tensor(inputs), as_tensor(kernel)
    first = channels_first(data_format, "conv")
    if first and x.ndim > 2:
        x = moveaxis(x, 1, -1)
    shape, groups = _window_of(x, w, strides, padding, dilation_rate)
    y = record(conv.op, (x, w), {"window": shape, "groups": groups})
    return moveaxis(y, -1, 1) if first else y


def _window_of(
    x: Tensor, kernel: Tensor, strides: Any = 1, padding: str = "valid", dilation_rate: Any = 1
) -> tuple[Window, int]:
    """The window of a convolution and its number of groups; ShapeError unless input and kernel fit."""
    groups = _groups(x.shape[-1] if x.ndim else 1, kernel.shape[-2] if kernel.ndim > 1 else 1)
    _check_conv(x.spec, kernel.spec, groups, "conv")
    sizes: Any = kernel.shape[:-2]
    return window(sizes, strides, padding, dilation_rate, x.ndim - 2, "conv"), groups


def _groups(channels: int | None, taken: int | None) -> int:
    return channels // taken if channels and taken and channels % taken == 0 else 1


def channels_first(data_format: str | None, what: str) -> bool:
    """Whether channels stand before the spatial axes; InvalidArgument for another word."""
    formats = ("channels_last", "channels_first")
    if data_format is not None and data_format not in formats:
        hint = did_you_mean(data_format, formats) or f"; expected one of {formats}"
        raise InvalidArgument(f"{what}: unknown data_format {short(data_format)}{hint}")
    return data_format == "channels_first"


@primitive(
    eval=lambda g, kernel, like, window, groups: _spread(g, kernel, like.shape, window, groups),
    infer=lambda g, kernel, like, window, groups: Spec(like.shape, promote(g.dtype, kernel.dtype)),
    partials=(
        lambda gg, y, g, kernel, like, window, groups: conv_again(gg, kernel, window, groups),
        lambda gg, y, g, kernel, like, window, groups: conv_correlate(gg, g, kernel, window, groups),
        None,
    ),
    emit="conv_spread",
    domain=_adjoint_domain(of_kernel=False),
    family="convolution",
)
def conv_spread(g: Any, kernel: Any, like: Any, window: Window, groups: int = 1) -> Tensor:
    """The gradient of `conv` in its input: a cotangent of the result spread over an input shaped like `like`.

    >>> import numpy as np, autograd_nn as ag
    >>> from autograd_nn.ops.windows import window
    >>> w = window(3, 1, "valid", 1, 1, "conv")
    >>> ag.ops.conv_spread(np.ones((1, 3, 2)), np.ones((3, 1, 2)), np.ones((1, 5, 1)), w)[0, :, 0].tolist()
    [2.0, 4.0, 6.0, 4.0, 2.0]
    """
    inputs = (as_tensor(g), as_tensor(kernel), as_tensor(like))
    _check_window(inputs[1].spec, window, "conv_spread")
    return record(conv_spread.op, inputs, {"window": window, "groups": groups})


@primitive(
    eval=lambda x, g, like, window, groups: _correlate(x, g, like.shape, window, groups),
    infer=lambda x, g, like, window, groups: Spec(like.shape, promote(x.dtype, g.dtype)),
    partials=(
        lambda gg, y, x, g, like, window, groups: conv_spread(g, gg, x, window, groups),
        lambda gg, y, x, g, like, window, groups: conv_again(x, gg, window, groups),
        None,
    ),
    emit="conv_correlate",
    domain=_adjoint_domain(of_kernel=True),
    family="convolution",
)
def conv_correlate(x: Any, g: Any, like: Any, window: Window, groups: int = 1) -> Tensor:
    """The gradient of `conv` in its kernel, shaped like `like`, for a cotangent g of the result.

    >>> import numpy as np, autograd_nn as ag
    >>> from autograd_nn.ops.windows import window
    >>> w = window(3, 1, "valid", 1, 1, "conv")
    >>> ag.ops.conv_correlate(np.ones((1, 5, 1)), np.ones((1, 3, 2)), np.ones((3, 1, 2)), w)[:, 0, 0].tolist()
    [3.0, 3.0, 3.0]
    """
    inputs = (as_tensor(x), as_tensor(g), as_tensor(like))
    _check_window(inputs[2].spec, window, "conv_correlate")
    return record(conv_correlate.op, inputs, {"window": window, "groups": groups})


def conv_again(x: Tensor, kernel: Tensor, window: Window, groups: int) -> Tensor:
    """`conv` with a window that is known already."""
    return record(conv.op, (x, kernel), {"window": window, "groups": groups})


def _transposed_sizes(sizes: tuple[Any, ...], window: Window, extra: tuple[int, ...] | None) -> tuple[Any, ...]:
    """Spatial sizes of the transpose: the sizes whose convolution with this window gives `sizes`."""
    found: list[Any] = []
    for axis, size in enumerate(sizes):
        stride, reach = window.strides[axis], window.reach(axis)
        if isinstance(size, Dim):
            found.append(Dim())
        elif extra is None:
            found.append(size * stride + (max(reach - stride, 0) if window.padding == "valid" else 0))
        else:
            found.append(_padded_size(size, axis, window, extra[axis]))
    return tuple(found)


def _padded_size(size: int, axis: int, window: Window, extra: int) -> int:
    """The size with explicit padding on the far side."""
    reach = window.reach(axis)
    half = 0 if window.padding == "valid" else reach // 2
    return (size - 1) * window.strides[axis] + reach - 2 * half + extra


def _transpose_shape(x: Any, kernel: Any, window: Window, extra: tuple[int, ...] | None) -> tuple[Any, ...]:
    return (x.shape[0], *_transposed_sizes(x.shape[1:-1], window, extra), kernel.shape[-2])


def _transpose_samples(rng: Rng) -> list[Sample]:
    def case(x: tuple[int, ...], kernel: tuple[int, ...], **options: Any) -> Sample:
        return Sample((rng.normal(size=x), rng.normal(size=kernel)), options)

    return [
        case((2, 4, 3), (3, 2, 3)),
        case((1, 3, 4, 2), (3, 2, 1, 2), strides=2, padding="same"),
        case((1, 3, 3, 1), (2, 3, 2, 1), strides=(1, 3)),
        case((1, 3, 2), (3, 1, 2), strides=2, padding="same", output_padding=1),
        case((1, 3, 4, 2), (4, 1, 1, 2), strides=(3, 2), padding="same", output_padding=(0, 1)),
        case((0, 4, 3), (2, 2, 3)),
    ]


@primitive(
    eval=lambda x, kernel, window, extra: _spread(x, kernel, _transpose_shape(x, kernel, window, extra), window, 1),
    infer=lambda x, kernel, window, extra: Spec(
        _transpose_shape(x, kernel, window, extra), promote(x.dtype, kernel.dtype)
    ),
    partials=(
        lambda g, y, x, kernel, window, extra: conv_again(g, kernel, window, 1),
        lambda g, y, x, kernel, window, extra: conv_correlate(g, x, kernel, window, 1),
    ),
    emit="conv_spread",
    domain=cases(
        _transpose_samples,
        lambda: [
            Bad((np.ones((1, 4, 3)), np.ones((3, 2, 4))), {}, ValueError),
            Bad((np.ones((4, 3)), np.ones((3, 2, 3))), {}, ValueError),
            Bad((np.ones((1, 4, 3)), np.ones((3, 2, 3))), {"padding": "vaild"}, ValueError),
            Bad((np.ones((1, 4, 3)), np.ones((3, 2, 3))), {"strides": 2, "output_padding": 2}, ValueError),
        ],
    ),
    family="convolution",
)
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """The transpose of a convolution: from the shape of its result to the shape of its input.

    inputs: (batch, *spatial, channels). kernel: (*window, filters, channels), as in Keras.
    output_padding: elements added to the far side of each spatial axis, below the stride. Raises as `conv`.

    >>> import numpy as np, autograd_nn as ag
    >>> ag.ops.conv_transpose(np.ones((1, 3, 3, 2)), np.ones((3, 3, 1, 2)), strides=2).shape
    (1, 7, 7, 1)
    """
    x, w = as_tensor(inputs), as_tensor(kernel)
    first = channels_first(data_format, "conv_transpose")
    if first and x.ndim > 2:
        x = moveaxis(x, 1, -1)
    _check_transpose(x.spec, w.spec)
    sizes: Any = w.shape[:-2]
    shape = window(sizes, strides, padding, dilation_rate, x.ndim - 2, "conv_transpose")
    extra = output_padding_of(output_padding, shape, "conv_transpose")
    if extra is not None and _leads_nowhere(shape, extra):
        y = _cut(x, w, shape, extra)
    else:
        y = _transposed(x, w, shape, extra)
    return moveaxis(y, -1, 1) if first else y


def _transposed(x: Tensor, kernel: Tensor, window: Window, extra: tuple[int, ...] | None) -> Tensor:
    return record(conv_transpose.op, (x, kernel), {"window": window, "extra": extra})


def _leads_nowhere(window: Window, extra: tuple[int, ...]) -> bool:
    """Whether no convolution leads back from the sizes: those of even windows whose output padding is 0."""
    even = [window.reach(axis) % 2 == 0 and not more for axis, more in enumerate(extra)]
    return window.padding == "same" and any(even)


def _cut(x: Tensor, kernel: Tensor, window: Window, extra: tuple[int, ...]) -> Tensor:
    """The transpose for "same" padding, cut out of the one without padding."""
    reaches = [window.reach(axis) for axis in range(len(extra))]
    surplus = [reach - reach % 2 - more for reach, more in zip(reaches, extra)]
    whole = _transposed(x, kernel, window._replace(padding="valid"), tuple(max(-n, 0) for n in surplus))
    cuts = [slice(max(n, 0) // 2, -((n + 1) // 2) if n > 0 else None) for n in surplus]
    return whole[(slice(None), *cuts, slice(None))]


def _check_transpose(x: Spec, kernel: Spec) -> None:
    if x.ndim < 3 or kernel.ndim != x.ndim or x.shape[-1] != kernel.shape[-1]:
        raise ShapeError(
            "conv_transpose: expected (batch, *spatial, channels) and a kernel (*window, filters, channels) with the "
            f"same channels, got {show_shape(x.shape)} and {show_shape(kernel.shape)}"
        )


def output_padding_of(value: Any, window: Window, what: str) -> tuple[int, ...] | None:
    """One int per axis from the forms that users write, None for None; InvalidArgument unless 0 <= it < stride."""
    if value is None:
        return None
    ndim = len(window.size)
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * ndim
    if len(given) != ndim or not all(isinstance(v, int) and 0 <= v < s for v, s in zip(given, window.strides)):
        raise InvalidArgument(
            f"{what}: output_padding must be >= 0 and below strides {window.strides}, got {short(value)}"
        )
    return given


# --- depthwise and separable forms


def _depthwise_samples(rng: Rng) -> list[Sample]:
    def case(x: tuple[int, ...], kernel: tuple[int, ...], **options: Any) -> Sample:
        return Sample((rng.normal(size=x), rng.normal(size=kernel)), options)

    return [
        case((2, 5, 2), (3, 2, 2)),
        case((1, 4, 5, 3), (3, 2, 3, 1), strides=2, padding="same"),
        case((0, 4, 2), (2, 2, 1)),
    ]


@composite(reference=None, domain=cases(_depthwise_samples, _errors))
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Convolution of each channel by itself.

    kernel: (*window, channels, multiplier); the result has channels * multiplier channels. Raises as `conv`.

    >>> import numpy as np, autograd_nn as ag
    >>> ag.ops.depthwise_conv(np.ones((1, 4, 4, 3)), np.ones((2, 2, 3, 2))).shape
    (1, 3, 3, 6)
    """
    w = as_tensor(kernel)
    x = as_tensor(inputs)
    channels = x.shape[1 if channels_first(data_format, "depthwise_conv") else -1] if x.ndim > 2 else None
    if w.ndim != x.ndim or None in w.shape or w.shape[-2] != channels:
        raise ShapeError(
            f"depthwise_conv: expected a kernel (*window, channels, multiplier) for input {show_shape(x.spec.shape)}, "
            f"got {show_shape(w.spec.shape)}"
        )
    shape: Any = w.shape
    *sizes, _, multiplier = shape
    flat = reshape(w, (*sizes, 1, shape[-2] * multiplier))
    return conv(x, flat, strides, padding, data_format, dilation_rate)


def _separable_samples(rng: Rng) -> list[Sample]:
    return [
        Sample((rng.normal(size=(2, 5, 2)), rng.normal(size=(3, 2, 2)), rng.normal(size=(1, 4, 3)))),
        Sample((rng.normal(size=(1, 4, 4, 3)), rng.normal(size=(2, 2, 3, 1)), rng.normal(size=(1, 1, 3, 2)))),
    ]


@composite(
    reference=None,
    domain=cases(
        _separable_samples,
        lambda: [
            Bad((np.ones((1, 5, 2)), np.ones((3, 3, 1)), np.ones((1, 3, 1))), {}, ValueError),
            Bad((np.ones((1, 5, 2)), np.ones((3, 2, 1)), np.ones((1, 3, 1))), {}, ValueError),
            Bad((np.ones((1, 5, 2)), np.ones((3, 2, 1)), np.ones((1, 2, 1))), {"padding": 3}, ValueError),
        ],
    ),
)
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """A depthwise convolution, then one with a window of one element that mixes the channels.

    depthwise_kernel: (*window, channels, multiplier). pointwise_kernel: (1, ..., channels * multiplier, filters).

    >>> import numpy as np, autograd_nn as ag
    >>> ag.ops.separable_conv(np.ones((1, 4, 2)), np.ones((2, 2, 1)), np.ones((1, 2, 5))).shape
    (1, 3, 5)
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)
