"""Convolution and pooling by their definitions: one window after another, in plain loops."""

import itertools

import numpy as np

from autograd_nn.ops.windows import window


def windows(x, shape):
    """(place of the window, array of what it reads with NaN for padding) for every window of a channels-last array."""
    sizes = x.shape[1:-1]
    pads = [shape.pads(axis, size) for axis, size in enumerate(sizes)]
    padded = np.pad(x.astype(float), [(0, 0), *pads, (0, 0)], constant_values=np.nan)
    for place in itertools.product(*map(range, shape.outs(sizes))):
        reads = (
            slice(p * s, p * s + (k - 1) * d + 1, d)
            for p, s, k, d in zip(place, shape.strides, shape.size, shape.dilation)
        )
        yield place, padded[(slice(None), *reads)]


def conv(x, kernel, window, groups):
    y = np.zeros((len(x), *window.outs(x.shape[1:-1]), kernel.shape[-1]))
    per_in, per_out = x.shape[-1] // groups, kernel.shape[-1] // groups
    for place, read in windows(x, window):
        for f in range(kernel.shape[-1]):
            first = f // per_out * per_in
            part = np.nan_to_num(read[..., first : first + per_in])
            y[(slice(None), *place, f)] = (part * kernel[..., f]).sum(axis=tuple(range(1, part.ndim)))
    return y


def _adjoint(linear, shape, g):
    """The adjoint of a linear map, applied to g: one basis element after another."""
    out = np.zeros(shape)
    for k in range(out.size):
        basis = np.zeros(out.size)
        basis[k] = 1
        out.flat[k] = (linear(basis.reshape(shape)) * g).sum()
    return out


def conv_spread(g, kernel, like, window, groups=1):
    return _adjoint(lambda x: conv(x, kernel, window, groups), like.shape, g)


def conv_correlate(x, g, like, window, groups=1):
    return _adjoint(lambda kernel: conv(x, kernel, window, groups), like.shape, g)


def pool(x, window, reduce):
    y = np.zeros((len(x), *window.outs(x.shape[1:-1]), x.shape[-1]))
    for place, read in windows(x, window):
        y[(slice(None), *place)] = reduce(read, axis=tuple(range(1, read.ndim - 1)))
    return y


def average_unpool(g, like, window):
    return _adjoint(lambda x: pool(x, window, np.nanmean), like.shape, g)


def max_pick(v, x, window):
    y = np.zeros((len(x), *window.outs(x.shape[1:-1]), x.shape[-1]))
    values = dict(windows(v, window))
    for place, read in windows(x, window):
        for n, c in itertools.product(range(len(x)), range(x.shape[-1])):
            best = np.nanargmax(read[n, ..., c])
            y[(n, *place, c)] = values[place][n, ..., c].flat[best]
    return y


def max_unpool(g, x, window):
    return _adjoint(lambda v: max_pick(v, x, window), x.shape, g)


def of_window(function, sizes_of):
    """A reference that takes the arguments of the public op: strides, padding and dilation instead of a Window."""

    def run(x, second, strides=None, padding="valid", dilation_rate=1):
        sizes = sizes_of(second)
        steps = strides or (1 if hasattr(second, "shape") else second)
        return function(x, second, window(sizes, steps, padding, dilation_rate, x.ndim - 2, "reference"))

    return run


def public_conv(x, kernel, window):
    return conv(x, kernel, window, x.shape[-1] // kernel.shape[-2])


def depthwise(x, kernel, window):
    return conv(x, kernel.reshape(*window.size, 1, -1), window, x.shape[-1])


def transpose(x, kernel, strides=1, padding="valid", output_padding=None):
    if output_padding is not None:
        return cut(transpose(x, kernel, strides), x, kernel, strides, output_padding)
    shape = window(kernel.shape[:-2], strides, padding, 1, x.ndim - 2, "reference")
    sizes = (n * s + (max(k - s, 0) if padding == "valid" else 0) for n, s, k in zip(x.shape[1:-1], shape[1], shape[0]))
    like = np.zeros((len(x), *sizes, kernel.shape[-2]))
    return conv_spread(x, kernel, like, shape)


def cut(whole, x, kernel, strides, output_padding):
    """The part of the transpose without padding that "same" padding and an output padding leave, as in Keras."""
    spatial = x.ndim - 2
    places = []
    for n, k, s, extra in zip(
        x.shape[1:-1], kernel.shape, *(np.broadcast_to(v, spatial) for v in (strides, output_padding))
    ):
        start = max((k - k % 2 - extra) // 2, 0)
        places.append(slice(start, start + (n - 1) * s + k % 2 + extra))
    return whole[(slice(None), *places)]


def separable(x, first, second):
    y = of_window(depthwise, lambda k: k.shape[:-2])(x, first)
    return np.einsum("...c,cf->...f", y, second.reshape(second.shape[-2:]))


WINDOW_REFERENCES = {
    "average_pool": of_window(lambda x, size, window: pool(x, window, np.nanmean), lambda size: size),
    "average_unpool": average_unpool,
    "conv": of_window(public_conv, lambda kernel: kernel.shape[:-2]),
    "conv_correlate": conv_correlate,
    "conv_spread": conv_spread,
    "conv_transpose": transpose,
    "depthwise_conv": of_window(depthwise, lambda kernel: kernel.shape[:-2]),
    "max_pick": max_pick,
    "max_pool": of_window(lambda x, size, window: pool(x, window, np.nanmax), lambda size: size),
    "max_unpool": max_unpool,
    "separable_conv": separable,
}
