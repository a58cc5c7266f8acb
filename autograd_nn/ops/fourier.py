"""Fourier transforms. Complex numbers are pairs (real, imaginary) of tensors, as in Keras.

All of them are linear: the gradient of a transform is the transform in the other direction.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import Spec, promote, show_shape
from ..engine.tensor import Tensor, record
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, SymbolicError, short
from .arrange import flip, pad
from .creation import ones, zeros, zeros_like
from .domain import Rng, cases
from .elementwise import cast, square, where
from .family import composite, primitive, same_shape
from .indexing import getitem, scatter_like
from .join import concatenate
from .nn import floating
from .searching import whole
from .shape import broadcast_to, moveaxis
from .slicing import extract_sequences

Pair = tuple[Tensor, Tensor]
Random = Rng


def _transformed(re: Any, im: Any, inverse: bool) -> tuple[Any, Any]:
    kind = np.result_type(re, im)
    z = np.asarray(re, np.result_type(kind, np.float32)) + 1j * im
    found = np.fft.ifft(z, norm="forward") if inverse else np.fft.fft(z)
    return np.array(found.real, kind), np.array(found.imag, kind)


def _infer(re: Spec, im: Spec, inverse: bool) -> tuple[Spec, Spec]:
    found = Spec(re.shape, promote(re.dtype, im.dtype))
    return found, found


def _pair_of(x: Any, what: str) -> Pair:
    """Real and imaginary part, floats of one shape and dtype."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ArgumentTypeError(f"{what}: expected a pair (real, imaginary), got {short(x)}")
    re, im = floating(x[0]), floating(x[1])
    same_shape(what, re, im, "the real and the imaginary part")
    kind = promote(re.dtype, im.dtype)
    return cast(_with_axes(re, 1, what), kind), cast(im, kind)


def _with_axes(x: Tensor, least: int, what: str) -> Tensor:
    if x.ndim < least or not all(x.spec.shape[x.ndim - least :]):
        raise ShapeError(f"{what}: needs {least} axes that are not empty, got shape {show_shape(x.spec.shape)}")
    return x


def _pairs(rng: Random, *shapes: tuple[int, ...]) -> list[tuple[Any, Any]]:
    return [(rng.normal(size=shape), rng.normal(size=shape)) for shape in shapes]


def _pair_errors(*rest: Any) -> list[Bad]:
    return [
        Bad((np.ones(3), *rest), {}, TypeError), Bad(((np.ones(3), np.ones(2)), *rest), {}, ValueError),
        Bad(((np.ones(()), np.ones(())), *rest), {}, ValueError),
        Bad(((np.array(["a"]), np.ones(1)), *rest), {}, TypeError),
    ]  # fmt: skip


def _pair_domain(*shapes: tuple[int, ...]) -> Domain:
    return cases(lambda rng: [Sample((pair,)) for pair in _pairs(rng, *shapes)], _pair_errors)


def _split(function: Callable[..., Any]) -> Callable[..., Any]:
    """A NumPy function of complex arrays, as one of pairs."""

    def run(x: Any, *args: Any, **kwargs: Any) -> Any:
        found = function(x[0] + 1j * x[1], *args, **kwargs)
        return found.real, found.imag

    return run


# --- along the last axis


@primitive(
    eval=_transformed,
    infer=_infer,
    vjp=lambda g, y, re, im, inverse: record(fourier.op, tuple(g), {"inverse": not inverse}),
    emit="fourier",
    domain=cases(
        lambda rng: [
            *(Sample((*pair, how)) for pair in _pairs(rng, (5,), (2, 4)) for how in (False, True)),
            Sample(_pairs(rng, (0, 3))[0]), Sample(_pairs(rng, (2, 1))[0]),
        ],
        lambda: [
            Bad((np.ones(3), np.ones(2)), {}, ValueError), Bad((1.0, 1.0), {}, ValueError),
            Bad((np.array(["a"]), np.ones(1)), {}, TypeError), Bad((np.ones((2, 0)), np.ones((2, 0))), {}, ValueError),
        ],
    ),
    family="fourier",
    many=True,
    reference=lambda re, im, inverse=False: (
        _split(lambda z: np.fft.ifft(z) * z.shape[-1] if inverse else np.fft.fft(z))((re, im))
    ),
)  # fmt: skip
def fourier(real: Any, imag: Any, inverse: bool = False) -> Pair:
    """The sums over n of (real + i imag)[n] exp(-2 pi i k n / N) for each k, along the last axis; a pair of tensors.

    inverse: exp(+2 pi i k n / N) instead; not divided by N.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.fourier([1.0, 1.0], [0.0, 0.0])]
    [[2.0, 0.0], [0.0, 0.0]]
    """
    return record(fourier.op, _pair_of((real, imag), "fourier"), {"inverse": bool(inverse)})


@composite(reference=_split(np.fft.fft), domain=_pair_domain((5,), (2, 4), (0, 3)))
def fft(x: Any) -> Pair:
    """The discrete Fourier transform along the last axis, of a pair (real, imaginary) as such a pair.

    Integers become floats. Raises ArgumentTypeError for anything but a pair, ShapeError for parts of two shapes.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.fft(([0.0, 1.0], [1.0, 1.0]))]
    [[1.0, -1.0], [2.0, 0.0]]
    """
    return fourier(*_pair_of(x, "fft"))


def _plane(x: Any, inverse: bool, what: str) -> Pair:
    """The transform along the last two axes."""
    re, im = _pair_of(x, what)
    _with_axes(re, 2, what)
    rows = fourier(re, im, inverse)
    columns = fourier(*(moveaxis(part, -2, -1) for part in rows), inverse)
    return moveaxis(columns[0], -1, -2), moveaxis(columns[1], -1, -2)


def _plane_domain() -> Domain:
    found = _pair_domain((3, 4), (2, 2, 3), (0, 2, 2))
    return Domain(found.samples, lambda: [*found.errors(), Bad(((np.ones(2), np.ones(2)),), {}, ValueError)])


@composite(reference=_split(np.fft.fft2), domain=_plane_domain())
def fft2(x: Any) -> Pair:
    """The discrete Fourier transform along the last two axes, of a pair (real, imaginary) as such a pair.

    Errors as in `fft`.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.fft2(([[1.0, 1.0]], [[0.0, 0.0]]))]
    [[[2.0, 0.0]], [[0.0, 0.0]]]
    """
    return _plane(x, False, "fft2")


@composite(reference=_split(np.fft.ifft2), domain=_plane_domain())
def ifft2(x: Any) -> Pair:
    """The inverse of `fft2`.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.ifft2(([[2.0, 0.0]], [[0.0, 0.0]]))]
    [[[1.0, 1.0]], [[0.0, 0.0]]]
    """
    re, im = _plane(x, True, "ifft2")
    rows, columns = _known(re, "ifft2", 2)
    return re / (rows * columns), im / (rows * columns)


def _known(x: Tensor, what: str, count: int = 1) -> tuple[int, ...]:
    """The sizes of the last axes; SymbolicError where one is not known yet."""
    sizes = tuple(size for size in x.shape[-count:] if size is not None)
    if len(sizes) < count:
        raise SymbolicError(f"{what}: the sizes of the last {count} axes must be known, got {show_shape(x.spec.shape)}")
    return sizes


def _to_length(x: Tensor, size: int, what: str) -> Tensor:
    """x with that many elements along the last axis: without its last ones, or with zeros after them."""
    (now,) = _known(x, what)
    if now == size:
        return x
    if now > size:
        return getitem(x, (..., slice(None, size)))
    return pad(x, [(0, 0)] * (x.ndim - 1) + [(0, size - now)])


def _real_errors(*rest: Any) -> list[Bad]:
    return [
        Bad((np.ones(()), *rest), {}, ValueError), Bad((np.ones((2, 0)), *rest), {}, ValueError),
        Bad((np.array(["a"]), *rest), {}, TypeError),
    ]  # fmt: skip


@composite(
    reference=lambda x, fft_length=None: (lambda z: (z.real, z.imag))(np.fft.rfft(x, fft_length)),
    domain=cases(
        lambda rng: [
            *(Sample((rng.normal(size=shape),)) for shape in ((4,), (2, 5), (1,), (0, 3))),
            Sample((rng.normal(size=(2, 4)), 6)), Sample((rng.normal(size=7), 5)),
        ],
        lambda: [
            *_real_errors(), Bad((np.ones(3), 0), {}, ValueError), Bad((np.ones(3), 2.0), {}, TypeError)
        ],
    ),
)  # fmt: skip
def rfft(x: Any, fft_length: int | None = None) -> Pair:
    """The first half of the Fourier transform of real numbers along the last axis, a pair (real, imaginary).

    fft_length: x is cut, or filled with zeros, to so many elements; its own number if None
    The results have fft_length // 2 + 1 elements along the last axis.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.rfft([0.0, 1.0, 2.0, 3.0])]
    [[6.0, -2.0, -2.0], [0.0, 2.0, 0.0]]
    """
    x = _with_axes(floating(x), 1, "rfft")
    if fft_length is not None:
        x = _to_length(x, whole(fft_length, "rfft: fft_length", 1), "rfft")
    half = _known(x, "rfft")[0] // 2 + 1
    re, im = fourier(x, zeros_like(x))
    return getitem(re, (..., slice(None, half))), getitem(im, (..., slice(None, half)))


@composite(
    reference=lambda x, fft_length=None: np.fft.irfft(x[0] + 1j * x[1], fft_length),
    domain=cases(
        lambda rng: [
            *(Sample((pair,)) for pair in _pairs(rng, (3,), (2, 4), (0, 3))),
            *(Sample((_pairs(rng, (2, 4))[0], length)) for length in (5, 7, 10, 1)),
        ],
        lambda: [*_pair_errors(), Bad(((np.ones(3), np.ones(3)), 0), {}, ValueError)],
    ),
)  # fmt: skip
def irfft(x: Any, fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`: real numbers from the first half of their Fourier transform, a pair (real, imaginary).

    fft_length: how many numbers; 2 * (elements of a part - 1) if None, as the half of an even number is assumed

    >>> import autograd_nn as ag
    >>> ag.ops.irfft(([6.0, -2.0, -2.0], [0.0, 2.0, 0.0])).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    re, im = _pair_of(x, "irfft")
    length = 2 * (_known(re, "irfft")[0] - 1) if fft_length is None else fft_length
    count = whole(length, "irfft: fft_length", 1)
    re, im = (_to_length(part, count // 2 + 1, "irfft") for part in (re, im))
    mirrored = (..., slice(1, (count + 1) // 2))
    whole_re = concatenate([re, flip(getitem(re, mirrored), -1)], -1)
    whole_im = concatenate([im, -flip(getitem(im, mirrored), -1)], -1)
    return fourier(whole_re, whole_im, True)[0] / count


# --- in windows that slide over a signal


def _window(window: Any, length: int, fft_length: int, dtype: Any, what: str) -> Tensor:
    """The weights of a window, with zeros on both sides up to the length of the transform."""
    if fft_length < length:
        raise InvalidArgument(f"{what}: fft_length {fft_length} must be >= sequence_length {length}")
    if window is None:
        return ones(fft_length, dtype)
    if isinstance(window, str):
        if window not in _COSINES:
            raise InvalidArgument(f"{what}: window must be 'hann', 'hamming', an array or None, got {short(window)}")
        weights = as_tensor(_cosine(window, length), dtype)
    else:
        weights = cast(window, dtype)
    if weights.shape != (length,):
        raise ShapeError(f"{what}: window must have shape {(length,)}, got {show_shape(weights.spec.shape)}")
    left = (fft_length - length) // 2
    return pad(weights, (left, fft_length - length - left))


_COSINES = {"hann": 0.5, "hamming": 0.54}


def _cosine(window: str, length: int) -> Any:
    """The periodic window of that name."""
    share = _COSINES[window]
    return share - (1 - share) * np.cos(2 * np.pi * np.arange(length) / length)


def _lengths(what: str, **given: Any) -> list[int]:
    return [whole(value, f"{what}: {name}", 1) for name, value in given.items()]


def _weights(window: Any, length: int, fft_length: int) -> Any:
    """A window for the tests."""
    given = np.ones(fft_length) if window is None else _cosine(window, length) if isinstance(window, str) else window
    left = (fft_length - len(given)) // 2
    return np.pad(given, (left, fft_length - len(given) - left))


def _stft_reference(
    x: Any, length: int, stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> tuple[Any, Any]:
    weights = _weights(window, length, fft_length)
    edges = [(0, 0)] * (x.ndim - 1) + [(fft_length // 2,) * 2]
    signal = np.pad(x, edges, "reflect") if center else x
    starts = range(0, signal.shape[-1] - fft_length + 1, stride)
    z = np.stack([np.fft.rfft(signal[..., k : k + fft_length] * weights) for k in starts], -2)
    return z.real, z.imag


def _signal_samples(rng: Random) -> list[Sample]:
    x = rng.normal(size=20)
    return [
        Sample((x, 6, 3, 8)), Sample((rng.normal(size=(2, 12)), 4, 2, 4, "hamming")), Sample((x, 5, 5, 5, None, False)),
        Sample((x, 4, 2, 6, np.array([0.5, 1.0, 1.0, 0.25]), False)), Sample((np.ones((0, 9)), 4, 2, 4)),
    ]  # fmt: skip


def _signal_errors(x: Any) -> list[Bad]:
    return [
        Bad((x, 6, 3, 4), {}, ValueError), Bad((x, 4, 2, 4, "han"), {}, ValueError),
        Bad((x, 4, 0, 4), {}, ValueError), Bad((x, 4.0, 2, 4), {}, TypeError),
        Bad((x, 4, 2, 4, np.ones(3)), {}, ValueError),
    ]  # fmt: skip


@composite(
    reference=_stft_reference,
    domain=cases(_signal_samples, lambda: [*_signal_errors(np.ones(12)), *_real_errors(4, 2, 4)]),
)
def stft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> Pair:
    """The short-time Fourier transform of signals along the last axis: `rfft` of windows that slide over it.

    sequence_length: of a window. sequence_stride: from one to the next. fft_length: of a transform, at least
    sequence_length. window: weights: "hann", "hamming", an array, or None for ones. center: mirror the signal at its
    ends, so that window k is centred at element k * sequence_stride.
    Returns a pair (real, imaginary) of shape (..., windows, fft_length // 2 + 1).

    >>> import autograd_nn as ag
    >>> [t.shape for t in ag.ops.stft(ag.ops.ones((2, 16)), 4, 2, 4)]
    [(2, 9, 3), (2, 9, 3)]
    """
    length, stride, size = _lengths(
        "stft", sequence_length=sequence_length, sequence_stride=sequence_stride, fft_length=fft_length
    )
    signal = _with_axes(floating(x), 1, "stft")
    weights = _window(window, length, size, signal.dtype, "stft")
    if center:
        _known(signal, "stft")
        signal = pad(signal, [(0, 0)] * (signal.ndim - 1) + [(size // 2, size // 2)], mode="reflect")
    return rfft(extract_sequences(signal, size, stride) * weights)


def _istft_reference(
    x: Any, length: int, stride: int, fft_length: int, size: Any = None, window: Any = "hann", center: bool = True
) -> Any:
    weights = _weights(window, length, fft_length)
    frames = np.fft.irfft(x[0] + 1j * x[1], fft_length) * weights
    total = (frames.shape[-2] - 1) * stride + fft_length
    signal, norm = np.zeros((*frames.shape[:-2], total)), np.zeros(total)
    for k in range(frames.shape[-2]):
        signal[..., k * stride : k * stride + fft_length] += frames[..., k, :]
        norm[k * stride : k * stride + fft_length] += weights**2
    signal = signal / np.where(norm > 1e-10, norm, 1) * (fft_length / stride if window is None else 1)
    start = fft_length // 2 if center else 0
    return signal[..., start : (total - start if size is None else start + size)]


def _istft_samples(rng: Random) -> list[Sample]:
    return [
        Sample((_pairs(rng, (5, 5))[0], 6, 3, 8)), Sample((_pairs(rng, (2, 4, 3))[0], 4, 2, 4, 5, "hamming")),
        Sample((_pairs(rng, (4, 3))[0], 5, 2, 5, None, None, False)),
        Sample((_pairs(rng, (4, 3))[0], 4, 2, 5, None, np.array([0.5, 1.0, 1.0, 0.25]))),
        Sample((_pairs(rng, (0, 4, 3))[0], 4, 2, 4)),
    ]  # fmt: skip


@composite(
    reference=_istft_reference,
    domain=cases(
        _istft_samples,
        lambda: [
            *_pair_errors(4, 2, 4),
            Bad(((np.ones((2, 3)), np.ones((2, 3))), 6, 3, 4), {}, ValueError),
            Bad(((np.ones((2, 3)), np.ones((2, 3))), 4, 0, 4), {}, ValueError),
        ],
    ),
)
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """The inverse of `stft`: a signal from the pair of its transforms in windows.

    length: elements of the signal; as many as there are windows for if None. The other arguments as given to `stft`.

    >>> import autograd_nn as ag
    >>> x = ag.ops.stft([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 4, 2, 4)
    >>> ag.ops.istft(x, 4, 2, 4).numpy().round(4).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    size, stride, points = _lengths(
        "istft", sequence_length=sequence_length, sequence_stride=sequence_stride, fft_length=fft_length
    )
    re, im = _pair_of(x, "istft")
    count, _ = _known(_with_axes(re, 2, "istft"), "istft", 2)
    weights = _window(window, size, points, re.dtype, "istft")
    frames = irfft((re, im), points) * weights
    total = (count - 1) * stride + points
    like = pad(zeros_like(getitem(frames, (..., 0, slice(None)))), [(0, 0)] * (re.ndim - 2) + [(0, total - points)])
    places = np.arange(count)[:, None] * stride + np.arange(points)
    norm = scatter_like(broadcast_to(square(weights), places.shape), zeros(total, re.dtype), places)
    scale = (points / stride if window is None else 1) / where(norm > 1e-10, norm, 1)
    signal = scatter_like(frames, like, (..., places)) * scale
    start = points // 2 if center else 0
    end = total - start if length is None else start + whole(length, "istft: length", 1)
    return getitem(signal, (..., slice(start, end)))
