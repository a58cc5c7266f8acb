"""Images as columns of windows and back, and axes taken apart and joined by a pattern."""

import math
import re
from itertools import product
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, ShapeError, short
from .arrange import pad
from .creation import shape, zeros
from .domain import cases
from .family import composite
from .indexing import getitem, scatter_like
from .join import stack
from .searching import whole
from .shape import reshape, transpose
from .windows import per_axis


class _Grid:
    """Windows of a size, with strides, holes and padding, over an image."""

    def __init__(self, what: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> None:
        self.what = what
        self.size = per_axis(kernel_size, 2, what, "kernel_size")
        self.dilation = per_axis(dilation, 2, what, "dilation")
        self.stride = per_axis(stride, 2, what, "stride")
        pads = padding if isinstance(padding, (tuple, list)) else (padding, padding)
        self.padding = tuple(whole(p, f"{what}: padding", 0) for p in pads)

    def counts(self, sizes: tuple[int, int]) -> tuple[int, ...]:
        """How many windows there are along each axis; ShapeError for none."""
        found = tuple(
            (n + 2 * p - (k - 1) * d - 1) // s + 1
            for n, p, k, d, s in zip(sizes, self.padding, self.size, self.dilation, self.stride)
        )
        if min(found) < 1:
            raise ShapeError(f"{self.what}: kernel_size {self.size} is larger than the image {sizes} with its padding")
        return found

    def taps(self, counts: tuple[int, ...]) -> list[Any]:
        """The places of the padded image that each element of the windows reads."""
        return [
            (
                ...,
                *(
                    slice(t * d, t * d + s * (n - 1) + 1, s)
                    for t, d, s, n in zip(tap, self.dilation, self.stride, counts)
                ),
            )
            for tap in product(*map(range, self.size))
        ]  # fmt: skip


def _columns(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Windows of images, one after another."""
    size, holes, margin, step = (np.broadcast_to(v, 2) for v in (kernel_size, dilation, padding, stride))
    x = np.pad(x, [(0, 0), (0, 0), (margin[0],) * 2, (margin[1],) * 2])
    reach = (size - 1) * holes + 1
    starts = product(*(range(0, n - r + 1, s) for n, r, s in zip(x.shape[2:], reach, step)))
    found = [x[:, :, i : i + reach[0] : holes[0], j : j + reach[1] : holes[1]] for i, j in starts]
    return np.stack([part.reshape(len(x), part[:1].size or x.shape[1] * int(np.prod(size))) for part in found], -1)


def _added(x: Any, output_size: Any, *rest: Any, **more: Any) -> Any:
    """Where the elements of windows come from, numbered, says where they are added up."""
    height, width = np.broadcast_to(output_size, 2)
    size = np.prod(np.broadcast_to(rest[0], 2))
    channels = x.shape[1] // size
    numbers = np.arange(1.0, channels * height * width + 1).reshape(1, channels, height, width)
    places = _columns(numbers, *rest, **more)[0].astype(int)
    out = np.zeros((len(x), channels * height * width + 1))
    for n in range(len(x)):
        np.add.at(out[n], places, x[n])
    return out[:, 1:].reshape(len(x), channels, height, width)


@composite(
    reference=_columns,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 2, 4, 5)), 2)), Sample((rng.normal(size=(1, 1, 5, 4)), (3, 2)), {"stride": 2}),
            Sample((rng.normal(size=(1, 2, 4, 4)), 2, 2, (1, 0), (1, 2))), Sample((np.ones((0, 1, 3, 3)), 2)),
        ],
        lambda: [
            Bad((np.ones((1, 1, 3, 3)), 5), {}, ValueError), Bad((np.ones((3, 3)), 2), {}, ValueError),
            Bad((np.ones((1, 1, 3, 3)), 0), {}, ValueError), Bad((np.ones((1, 1, 3, 3)), 2, 1, -1), {}, ValueError),
            Bad((np.array([[[["a"]]]]), 1), {}, TypeError),
        ],
    ),
)  # fmt: skip
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The elements of every window of images as a column: (batch, channels * height * width of a window, windows).

    x: (batch, channels, height, width). kernel_size, dilation, padding, stride: an int or two.
    Raises ShapeError for a window that is larger than the image.

    >>> import autograd_nn as ag
    >>> ag.ops.unfold(ag.ops.ones((1, 2, 4, 4)), 2, stride=2).shape
    (1, 8, 4)
    """
    x = as_tensor(x)
    grid = _Grid("unfold", kernel_size, dilation, padding, stride)
    batch, channels, *sizes = _four_axes(x, "unfold")
    counts = grid.counts((sizes[0], sizes[1]))
    padded = pad(x, [(0, 0), (0, 0), *((p, p) for p in grid.padding)])
    taps = stack([getitem(padded, place) for place in grid.taps(counts)], 2)
    return reshape(taps, (batch, channels * math.prod(grid.size), math.prod(counts)))


def _four_axes(x: Tensor, what: str) -> list[Any]:
    if x.ndim != 4:
        raise ShapeError(f"{what}: expected (batch, channels, height, width), got shape {show_shape(x.spec.shape)}")
    return [shape(x)[0], *(whole(size, f"{what}: the size of axis {k}", 0) for k, size in enumerate(x.shape[1:], 1))]


@composite(
    reference=_added,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 8, 12)), (4, 5), 2)),
            Sample((rng.normal(size=(1, 6, 4)), (5, 4), (3, 2)), {"stride": 2}),
            Sample((rng.normal(size=(1, 8, 4)), 4, 2, 2, (1, 0), (1, 2))), Sample((np.ones((0, 4, 4)), 3, 2)),
        ],
        lambda: [
            Bad((np.ones((1, 4, 3)), 3, 2), {}, ValueError), Bad((np.ones((1, 3, 4)), 3, 2), {}, ValueError),
            Bad((np.ones((4, 4)), 3, 2), {}, ValueError), Bad((np.ones((1, 4, 4)), 1, 2), {}, ValueError),
        ],
    ),
)  # fmt: skip
def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Images from the columns that `unfold` makes of them: what several windows hold of a pixel is added up.

    x: (batch, channels * height * width of a window, windows). output_size: height and width of the images.
    Raises ShapeError where the columns do not fit.

    >>> import autograd_nn as ag
    >>> ag.ops.fold(ag.ops.ones((1, 8, 4)), 4, 2, stride=2).shape
    (1, 2, 4, 4)
    """
    x = as_tensor(x)
    grid = _Grid("fold", kernel_size, dilation, padding, stride)
    sizes = per_axis(output_size, 2, "fold", "output_size")
    counts = grid.counts((sizes[0], sizes[1]))
    area = math.prod(grid.size)
    if x.ndim != 3 or x.shape[1] is None or x.shape[1] % area or x.shape[2] not in (None, math.prod(counts)):
        raise ShapeError(
            f"fold: expected (batch, a multiple of {area}, {math.prod(counts)} windows), got shape "
            f"{show_shape(x.spec.shape)}"
        )
    batch, channels = shape(x)[0], x.shape[1] // area
    parts = reshape(x, (batch, channels, area, *counts))
    like = zeros((batch, channels, *(n + 2 * p for n, p in zip(sizes, grid.padding))), x.dtype)
    total = like
    for k, place in enumerate(grid.taps(counts)):
        total = total + scatter_like(parts[:, :, k], like, place)
    return getitem(total, (..., *(slice(p, p + n) for n, p in zip(sizes, grid.padding))))


# --- axes by a pattern


def _groups(side: str, pattern: str) -> list[list[str]]:
    """The names of each axis on one side of a pattern; several in parentheses are one axis."""
    found: list[list[str]] = []
    for inside, alone in re.findall(r"\(([^()]*)\)|([^\s()]+)", side):
        found.append([alone] if alone else inside.split())
    names = [name for group in found for name in group]
    if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        raise InvalidArgument(f"rearrange: pattern {short(pattern)} needs every name once, letters and digits only")
    return found


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3, 4)), "b h w -> w (b h)")),
            Sample((rng.normal(size=(2, 4, 6)), "b (h p) (w q) -> (b p q) h w"), {"p": 2, "q": 3}),
            Sample((rng.normal(size=(2, 3)), "a b -> b a")), Sample((np.ones((0, 4)), "a (b c) -> c b a"), {"b": 2}),
        ],
        lambda: [
            Bad((np.ones((2, 3)), "a b -> a c"), {}, ValueError),
            Bad((np.ones((2, 3)), "a b c -> a b c"), {}, ValueError),
            Bad((np.ones((2, 3)), "a b"), {}, ValueError),
            Bad((np.ones((2, 3)), "a (b c) -> a b c"), {"b": 2}, ValueError),
        ],
    ),
)  # fmt: skip
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Tensor:
    """A tensor with its axes named, taken apart, exchanged and joined: "b (h p) w -> (b p) h w" with p=2.

    pattern: names of the axes before and after; several in parentheses stand for one axis, the last varying fastest.
    axes_lengths: sizes of names in parentheses, all but one of each. Raises InvalidArgument for a pattern that does not
    fit. Rogozhnikov, "Einops" (2022).

    >>> import autograd_nn as ag
    >>> ag.ops.rearrange(ag.ops.ones((2, 6)), "a (b c) -> (a b) c", b=3).shape
    (6, 2)
    """
    x = as_tensor(tensor)
    sides = pattern.split("->") if isinstance(pattern, str) else ()
    if len(sides) != 2:
        raise InvalidArgument(f"rearrange: pattern must be such as 'a b -> b a', got {short(pattern)}")
    before, after = (_groups(side, pattern) for side in sides)
    names, wanted = ([name for group in groups for name in group] for groups in (before, after))
    if sorted(names) != sorted(wanted):
        raise InvalidArgument(f"rearrange: both sides of pattern {short(pattern)} must have the same names")
    if len(before) != x.ndim:
        raise ShapeError(f"rearrange: pattern {short(pattern)} names {len(before)} axes, got shape {x.shape}")
    sizes: dict[str, Any] = {}
    for group, size in zip(before, shape(x)):
        sizes.update(_apart(group, size, axes_lengths, pattern))
    y = transpose(reshape(x, tuple(sizes[name] for name in names)), tuple(names.index(name) for name in wanted))
    joined = []
    for group in after:
        total: Any = 1
        for name in group:
            total = total * sizes[name]
        joined.append(total)
    return reshape(y, tuple(joined))


def _apart(group: list[str], size: Any, given: dict[str, int], pattern: str) -> dict[str, Any]:
    """The sizes of the names that an axis is made of."""
    known = {name: whole(given[name], f"rearrange: {name}", 1) for name in group if name in given}
    missing = [name for name in group if name not in given]
    product_known = math.prod(known.values())
    fits = not isinstance(size, int) or (size % product_known == 0 if missing else size == product_known)
    if len(missing) > 1 or not fits:
        raise InvalidArgument(
            f"rearrange: pattern {short(pattern)} with {given} does not take apart an axis of size {size}"
        )
    if missing:
        known[missing[0]] = size // product_known if product_known > 1 else size
    return known
