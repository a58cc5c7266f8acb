"""Sliding windows over spatial axes: how sizes, strides, padding and dilation go together.

Arrays are channels last: (batch, *spatial, channels). A window is walked tap by tap: tap t of the window reads a
strided slice of the padded input, so convolution, its gradients and pooling are sums over taps of slices.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ..engine.spec import Dim, Size
from ..errors import InvalidArgument, ShapeError, did_you_mean, short

PADDINGS = ("valid", "same", "causal")


class Window(NamedTuple):
    """A window, per spatial axis: its size, its strides, the distance of its taps, and the padding mode."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: str

    def reach(self, axis: int) -> int:
        """How many elements the dilated window spans."""
        return (self.size[axis] - 1) * self.dilation[axis] + 1

    def out(self, axis: int, size: Size, what: str) -> Size:
        """How many windows fit along an axis; ShapeError if none."""
        if isinstance(size, Dim):
            return size if self.padding != "valid" and self.strides[axis] == 1 else Dim()
        if self.padding != "valid":
            return -(-size // self.strides[axis])
        count = (size - self.reach(axis)) // self.strides[axis] + 1
        if count <= 0:
            raise ShapeError(
                f"{what}: window {self.reach(axis)} is larger than input size {size} along spatial axis {axis}; "
                "use padding='same', a smaller window or a larger input"
            )
        return count

    def pads(self, axis: int, size: int) -> tuple[int, int]:
        """Elements of padding before and after an axis of that size."""
        if self.padding == "valid":
            return 0, 0
        if self.padding == "causal":
            return self.reach(axis) - 1, 0
        total = max((-(-size // self.strides[axis]) - 1) * self.strides[axis] + self.reach(axis) - size, 0)
        return total // 2, total - total // 2

    def outs(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """How many windows fit along each axis."""
        return tuple(self.out(axis, size, "window") for axis, size in enumerate(sizes))  # type: ignore[misc]

    def taps(self, sizes: Sequence[int]) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Each tap's place in the window, and the slices of the padded array that it reads."""
        outs = self.outs(sizes)
        for tap in product(*map(range, self.size)):
            yield (
                tap,
                tuple(
                    slice(t * d, t * d + s * (n - 1) + 1, s)
                    for t, d, s, n in zip(tap, self.dilation, self.strides, outs)
                ),
            )

    def padded(self, x: Any, fill: Any = 0) -> Any:
        """A channels-last array with its spatial axes padded."""
        pads = [self.pads(axis, size) for axis, size in enumerate(x.shape[1:-1])]
        if not any(map(any, pads)):
            return x
        return np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)

    def padded_zeros(self, shape: Sequence[int], dtype: Any) -> Any:
        """Zeros of a channels-last shape, spatial axes padded."""
        pads = [self.pads(axis, size) for axis, size in enumerate(shape[1:-1])]
        return np.zeros((shape[0], *(n + sum(p) for n, p in zip(shape[1:-1], pads)), shape[-1]), dtype)

    def unpadded(self, x: Any, sizes: Sequence[int]) -> Any:
        """A padded array without its padding, for spatial sizes `sizes`."""
        starts = [self.pads(axis, size)[0] for axis, size in enumerate(sizes)]
        return x[(slice(None), *(slice(a, a + n) for a, n in zip(starts, sizes)))]


def window(size: Any, strides: Any, padding: Any, dilation: Any, ndim: int, what: str) -> Window:
    """A Window from the forms that users write: an int or one int per axis; InvalidArgument for anything else."""
    if not isinstance(padding, str) or padding.lower() not in PADDINGS:
        hint = did_you_mean(padding, PADDINGS) or "; expected 'valid' or 'same'"
        raise InvalidArgument(f"{what}: unknown padding {short(padding)}{hint}")
    if padding.lower() == "causal" and ndim != 1:
        raise InvalidArgument(f"{what}: padding 'causal' is for one spatial axis, got {ndim}; use 'same' or 'valid'")
    chosen = per_axis(size, ndim, what, "window size")
    steps = per_axis(strides, ndim, what, "strides")
    spaces = per_axis(dilation, ndim, what, "dilation_rate")
    if max(steps) > 1 and max(spaces) > 1:
        raise InvalidArgument(f"{what}: strides {steps} and dilation_rate {spaces} cannot both be above 1")
    return Window(chosen, steps, spaces, padding.lower())


def per_axis(value: Any, ndim: int, what: str, name: str) -> tuple[int, ...]:
    """One positive int per axis, from an int or a sequence."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * ndim
    if len(given) != ndim or not all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in given):
        raise InvalidArgument(f"{what}: {name} must be an int or {ndim} ints, got {short(value)}")
    if min(given) < 1:
        raise InvalidArgument(f"{what}: {name} must be >= 1, got {short(value)}")
    return tuple(map(int, given))
