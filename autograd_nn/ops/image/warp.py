"""Images read at places between their pixels."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from ...engine.convert import as_tensor
from ...engine.op import Bad, Domain, Sample
from ...engine.tensor import Tensor, record
from ...errors import ShapeError
from ..creation import arange, ones_like, shape, zeros_like
from ..domain import Rng, cases
from ..elementwise import abs, cast, clip, floor, floor_divide, mod, round, where
from ..family import composite, differ
from ..indexing import ARRAY, getitem
from ..join import stack
from ..nn import floating
from ..shape import expand_dims, reshape
from ..solving import solve
from .layout import as_batch, as_given, bad_images, layout_of, one_of

_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_ORDERS = {"nearest": 0, "bilinear": 1}


# --- the element that stands for a place beyond the edge


def _mirrored(index: Tensor, size: Any) -> Tensor:
    last = size - 1
    return abs(mod(index + last, 2 * last) - last) if not isinstance(size, int) or size > 1 else zeros_like(index)


def _within(index: Tensor, size: Any, mode: str) -> Tensor:
    """The element that is read instead of a place outside 0..size - 1."""
    if mode == "wrap":
        return mod(index, size)
    if mode == "mirror":
        return _mirrored(index, size)
    if mode == "reflect":
        return floor_divide(_mirrored(2 * index + 1, 2 * size + 1) - 1, 2)
    return clip(index, 0, size - 1)


def _read(
    sizes: Sequence[Any], places: Sequence[Tensor], order: int, mode: str, value: Any, get: Callable[..., Tensor]
) -> Tensor:
    """What `get` gives at integer places, weighed by their nearness; `value` beyond the edges if constant."""
    nodes = []
    for place in places:
        base = round(place) if order == 0 else floor(place)
        share = None if order == 0 else place - base
        index = cast(base, "int64")
        near = [(index, None if share is None else 1 - share), (index + 1, share)]
        nodes.append(near[:1] if order == 0 else near)
    total: Any = 0
    for corner in product(*nodes):
        inside: Any = True
        weight: Any = None
        for (index, share), size in zip(corner, sizes):
            inside = (index >= 0) & (index < size) & inside
            weight = share if weight is None else weight * share
        part = get([_within(index, size, mode) for (index, _), size in zip(corner, sizes)])
        extra = (1,) * (part.ndim - inside.ndim)
        if mode == "constant":
            part = where(reshape(inside, (*shape(inside), *extra)), part, cast(value, part.dtype))
        total = total + (part if weight is None else part * cast(reshape(weight, (*shape(weight), *extra)), part.dtype))
    return total


def _back(y: Tensor, x: Tensor) -> Tensor:
    """Means of integers as integers again."""
    return y if x.dtype.kind == "f" else cast(round(y), x.dtype)


def _between(rng: Rng, size: tuple[int, ...]) -> Any:
    """Places away from the elements and from the middle between them, where what is read changes its form."""
    return rng.integers(-4, 6, size) + rng.choice([0.2, 0.3, 0.7, 0.8], size)


@composite(
    reference=None,
    name="image.map_coordinates",
    domain=cases(
        lambda rng: [
            *(
                Sample((rng.normal(size=(3, 4)), _between(rng, (2, 7)), order, mode))
                for order in (0, 1)
                for mode in _MODES
            ),
            Sample((rng.normal(size=5), _between(rng, (1, 2, 3)), 1), {"fill_value": 0.5}),
            Sample((rng.integers(0, 9, (3, 2)), rng.uniform(0, 1, (2, 3)), 1), {}, False),
        ],
        lambda: [
            Bad((np.ones((2, 2)), np.ones((3, 1)), 1), {}, ValueError),
            Bad((np.ones((2, 2)), np.ones((2, 1)), 2), {}, ValueError),
            Bad((np.ones((2, 2)), np.ones((2, 1)), 1, "edge"), {}, ValueError),
            Bad((np.ones(2), np.ones(1), 1), {}, ValueError),
        ],
    ),
)
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: Any = 0.0
) -> Tensor:
    """The elements of a tensor at places between them.

    inputs: any number of axes. coordinates: (axes, ...), a place along each axis. order: 0 for the nearest element,
    1 for the mean of those around, weighed by nearness; gradients flow to the coordinates too. fill_mode, beyond the
    edges: "constant" for `fill_value`, "nearest" for the last element, "wrap", "mirror" at the last element, "reflect"
    at its outer side.

    >>> import autograd_nn as ag
    >>> ag.ops.image.map_coordinates([1.0, 3.0], [[0.5, 1.0]], 1).tolist()
    [2.0, 3.0]
    """
    x, places = as_tensor(inputs), floating(coordinates)
    one_of(fill_mode, _MODES, "map_coordinates: fill_mode")
    one_of(order, (0, 1), "map_coordinates: order")
    if places.ndim < 2 or places.shape[0] != x.ndim:
        raise ShapeError(
            f"map_coordinates: coordinates need a first axis of size {x.ndim}, one per axis of inputs, and one more at "
            f"least, got shape {places.shape}"
        )
    y = floating(x) if order else x
    each = [getitem(places, k) for k in range(x.ndim)]

    def get(indices: list[Tensor]) -> Tensor:
        return record(getitem.op, (y, *indices), {"key": (ARRAY,) * len(indices)})

    return _back(_read(shape(x), each, order, fill_mode, fill_value, get), x)


# --- images


def _sampled(images: Tensor, rows: Tensor, columns: Tensor, order: int, mode: str, value: Any) -> Tensor:
    """Images (batch, height, width, channels) read at places (batch, new height, new width)."""
    batch, height, width, _ = shape(images)
    number = expand_dims(arange(batch), (1, 2))

    def get(indices: list[Tensor]) -> Tensor:
        return record(getitem.op, (images, number, *indices), {"key": (ARRAY,) * 3})

    return _read((height, width), (rows, columns), order, mode, value, get)


def _grid(images: Tensor, dtype: Any) -> tuple[Tensor, Tensor]:
    """The row and the column of every pixel, as they broadcast."""
    _, height, width, _ = shape(images)
    return expand_dims(arange(height, dtype=dtype), 1), expand_dims(arange(width, dtype=dtype), 0)


def _numbers(given: Any, ndim: int, size: tuple[int, ...], what: str) -> Tensor:
    """Settings of every image: one of that shape for all, or a batch of them."""
    x = floating(given)
    if x.ndim not in (ndim, ndim + 1) or x.shape[x.ndim - ndim :] != size:
        raise ShapeError(f"{what} must have shape {size}, or one such per image, got {x.shape}")
    return x if x.ndim == ndim + 1 else expand_dims(x, 0)


def _warped(
    images: Any, numbers: Tensor, how: str, mode: str, value: Any, data_format: str | None, what: str
) -> Tensor:
    """Images read where the projection of each pixel falls; numbers: (batch, 8)."""
    x, layout = layout_of(images, data_format, what)
    one_of(how, tuple(_ORDERS), f"{what}: interpolation")
    one_of(mode, _MODES, f"{what}: fill_mode")
    y = as_batch(x, layout) if how == "nearest" else floating(as_batch(x, layout))
    row, column = _grid(y, numbers.dtype)
    a = [expand_dims(numbers[:, k], (1, 2)) for k in range(8)]
    scale = a[6] * column + a[7] * row + 1
    # In a batch with one projection for all, each image still has its own places.
    every = expand_dims(cast(arange(shape(y)[0]) * 0, numbers.dtype), (1, 2))
    to_row = (a[3] * column + a[4] * row + a[5]) / scale + every
    to_column = (a[0] * column + a[1] * row + a[2]) / scale + every
    return _back(as_given(_sampled(y, to_row, to_column, _ORDERS[how], mode, value), layout), x)


def _warp_domain(numbers: Callable[[Rng, int], tuple[Any, ...]], wrong: Any) -> Domain:
    def samples(rng: Rng) -> list[Sample]:
        images = rng.normal(size=(2, 4, 5, 2))
        return [
            Sample((images, *numbers(rng, 2))), Sample((images[0], *(n[0] for n in numbers(rng, 1)))),
            Sample((images, *(n[0] for n in numbers(rng, 1))), {"interpolation": "nearest"}),
            Sample((images, *numbers(rng, 2)), {"data_format": "channels_first", "fill_value": 0.5}),
        ]  # fmt: skip

    def errors() -> list[Bad]:
        good = [n[0] for n in numbers(np.random.default_rng(0), 1)]
        return [
            *bad_images(np.ones((3, 3, 1)), *good), Bad((np.ones((3, 3, 1)), wrong, *good[1:]), {}, ValueError),
            Bad((np.ones((3, 3, 1)), *good), {"interpolation": "cubic"}, ValueError),
        ]  # fmt: skip

    return cases(samples, errors)


def _near_identity(rng: Rng, count: int) -> tuple[Any, ...]:
    return (np.array([1.0, 0, 0, 0, 1, 0, 0, 0]) + rng.normal(size=(count, 8)) * [*[0.2] * 6, 0, 0],)


@composite(reference=None, name="image.affine_transform", domain=_warp_domain(_near_identity, np.ones(6)))
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: Any = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images turned, stretched, sheared and moved: pixel (x, y) is read at (a0 x + a1 y + a2, b0 x + b1 y + b2).

    images: (height, width, channels) or a batch of them. transform: (8,), or (batch, 8): a0 a1 a2 b0 b1 b2 and two
    numbers that are not used. interpolation: "nearest" or "bilinear". fill_mode, fill_value: as in `map_coordinates`.
    Gradients flow to the images and to the transform.

    >>> import autograd_nn as ag
    >>> x = ag.tensor([[[1.0], [2.0], [3.0]]])
    >>> ag.ops.image.affine_transform(x, [1, 0, 1, 0, 1, 0, 0, 0]).tolist()
    [[[2.0], [3.0], [0.0]]]
    """
    numbers = _numbers(transform, 1, (8,), "affine_transform: transform")
    keep = as_tensor(np.array([1.0] * 6 + [0.0] * 2), numbers.dtype)
    return _warped(images, numbers * keep, interpolation, fill_mode, fill_value, data_format, "affine_transform")


def _homography(start: Tensor, end: Tensor) -> Tensor:
    """The eight numbers of the projections that send the end points to the start points."""
    rows, targets = [], []
    for k in range(4):
        x, y, u, v = end[:, k, 0], end[:, k, 1], start[:, k, 0], start[:, k, 1]
        one, zero = ones_like(x), zeros_like(x)
        rows += [
            stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1),
            stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1),
        ]
        targets += [u, v]
    return solve(stack(rows, 1), stack(targets, -1))


def _corners(rng: Rng, count: int) -> tuple[Any, ...]:
    corners = np.array([[0.0, 0], [4, 0], [0, 3], [4, 3]])
    return corners + rng.normal(size=(count, 4, 2)) * 0.2, corners + rng.normal(size=(count, 4, 2)) * 0.2


@composite(reference=None, name="image.perspective_transform", domain=_warp_domain(_corners, np.ones((3, 2))))
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: Any = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images seen from elsewhere: four points of them, (x, y), come to lie at four others.

    images: (height, width, channels) or a batch of them. start_points, end_points: (4, 2) or (batch, 4, 2).
    interpolation: "nearest" or "bilinear". fill_value: what lies beyond the edges.

    >>> import autograd_nn as ag
    >>> corners = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> x = ag.tensor([[[1.0], [2.0]], [[3.0], [4.0]]])
    >>> ag.ops.image.perspective_transform(x, corners, corners).tolist()
    [[[1.0], [2.0]], [[3.0], [4.0]]]
    """
    start = _numbers(start_points, 2, (4, 2), "perspective_transform: start_points")
    end = _numbers(end_points, 2, (4, 2), "perspective_transform: end_points")
    found = _homography(start, end)
    return _warped(images, found, interpolation, "constant", fill_value, data_format, "perspective_transform")


@composite(
    reference=None,
    name="image.displace",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3, 4, 2)), _between(rng, (2, 3, 4, 2)))),
            Sample((rng.normal(size=(3, 4, 1)), _between(rng, (3, 4, 2)), "bilinear", "constant", 0.5)),
            Sample((rng.normal(size=(3, 4, 1)), _between(rng, (3, 4, 2))), {"interpolation": "nearest"}),
            Sample((rng.normal(size=(2, 2, 4, 3)), _between(rng, (2, 4, 3, 2))), {"data_format": "channels_first"}),
        ],
        lambda: [
            *bad_images(np.ones((3, 3, 1)), np.zeros((3, 3, 2))),
            Bad((np.ones((3, 3, 1)), np.zeros((3, 4, 2))), {}, ValueError),
            Bad((np.ones((3, 3, 1)), np.zeros((3, 3, 2))), {"interpolation": "cubic"}, ValueError),
        ],
    ),
)  # fmt: skip
def displace(
    images: Any,
    moves: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: Any = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images read beside each pixel: (row, column) is read at (row + moves[..., 0], column + moves[..., 1]).

    images: (height, width, channels) or a batch of them. moves: (height, width, 2) or a batch of them, in pixels.
    interpolation, fill_mode, fill_value: as in `affine_transform`. Gradients flow to the images and the moves.

    >>> import autograd_nn as ag
    >>> ag.ops.image.displace([[[1.0], [2.0]]], [[[0.0, 1.0], [0.0, -0.5]]]).tolist()
    [[[2.0], [1.5]]]
    """
    x, layout = layout_of(images, data_format, "displace")
    one_of(interpolation, tuple(_ORDERS), "displace: interpolation")
    one_of(fill_mode, _MODES, "displace: fill_mode")
    y = as_batch(x, layout) if interpolation == "nearest" else floating(as_batch(x, layout))
    given = floating(moves)
    by = given if layout.batched else expand_dims(given, 0)
    expected = (*y.spec.shape[:3], 2)
    if differ(by.spec.shape, expected):
        raise ShapeError(f"displace: moves must be two numbers for each pixel {y.shape[:3]}, got shape {given.shape}")
    row, column = _grid(y, by.dtype)
    read = _sampled(y, row + by[..., 0], column + by[..., 1], _ORDERS[interpolation], fill_mode, fill_value)
    return _back(as_given(read, layout), x)
