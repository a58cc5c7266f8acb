"""Elements moved, doubled or surrounded: flip, roll, repeat, tile, pad."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor, to_array
from ..engine.op import Bad, Sample
from ..engine.spec import Dim, Size, Spec, as_dtype, normal_axes, normal_axis
from ..engine.tensor import Tensor, record
from ..errors import DTypeError, InvalidArgument, ShapeError, short
from .creation import arange, shape
from .domain import cases
from .elementwise import clip, maximum, minimum, mod
from .family import composite, primitive
from .indexing import getitem, take
from .reduction import sum
from .shape import broadcast_to, expand_dims, listed_sizes, ravel, reshape

# --- flip and roll


@primitive(
    eval=np.flip,
    infer=lambda x, axis: x,
    partials=(lambda g, y, x, axis: flip(g, axis),),
    emit="view",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)),)), Sample((rng.normal(size=(2, 3)), -1)),
            Sample((rng.normal(size=(2, 3, 2)), (0, 2))), Sample((rng.normal(size=()),)),
            Sample((rng.normal(size=(0, 2)), 0)),
        ],
        lambda: [
            Bad((np.ones(2), 1), {}, ValueError), Bad((np.ones((2, 2)), (0, 0)), {}, ValueError),
            Bad((np.ones(2), "0"), {}, TypeError),
        ],
    ),
    family="view",
)  # fmt: skip
def flip(x: Any, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """x with the order of elements along axes reversed; along all if None. Raises AxisError for one out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.flip([1.0, 2.0, 3.0]).tolist()
    [3.0, 2.0, 1.0]
    """
    x = as_tensor(x)
    return record(flip.op, (x,), {"axis": normal_axes(axis, x.ndim, "flip")})


@primitive(
    eval=np.roll,
    infer=lambda x, shift, axis: x,
    partials=(lambda g, y, x, shift, axis: roll(g, tuple(-k for k in shift), axis),),
    emit="roll",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)), 1)), Sample((rng.normal(size=(2, 3)), -4, 1)),
            Sample((rng.normal(size=(2, 3)), (1, 2), (0, 1))), Sample((rng.normal(size=(3, 4)), 2, (0, 1))),
            Sample((rng.normal(size=()), 2)), Sample((rng.normal(size=(0, 2)), 1, 0)),
        ],
        lambda: [
            Bad((np.ones(2), 1, 1), {}, ValueError), Bad((np.ones(2), 0.5), {}, TypeError),
            Bad((np.ones((2, 2)), (1, 2, 3), (0, 1)), {}, ValueError), Bad((np.ones(2), "1"), {}, TypeError),
        ],
    ),
    family="roll",
)  # fmt: skip
def roll(x: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Tensor:
    """x with its elements moved by `shift` places along axes, those beyond the end coming in at the front.

    shift: one int, or one per axis. axis: if None, x is taken as one row of elements. Raises AxisError, ShapeError.

    >>> import autograd_nn as ag
    >>> ag.ops.roll([1.0, 2.0, 3.0], 1).tolist()
    [3.0, 1.0, 2.0]
    """
    x = as_tensor(x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), shape(x))
    axes = tuple(normal_axis(k, x.ndim, "roll") for k in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    given = shift if isinstance(shift, (tuple, list)) else (shift,)
    shifts = tuple(_count(k, "roll: shift", least=None) for k in given)
    if len(shifts) == 1:
        shifts *= len(axes)
    if len(axes) == 1:
        axes *= len(shifts)
    if len(shifts) != len(axes):
        raise ShapeError(f"roll: {len(shifts)} shifts for {len(axes)} axes; give one for each")
    return record(roll.op, (x,), {"shift": shifts, "axis": axes})


def _count(value: Any, what: str, least: int | None = 0) -> int:
    if not hasattr(value, "__index__") or isinstance(value, bool):
        raise DTypeError(f"{what} must be an int, got {short(value)}")
    if least is not None and value < least:
        raise InvalidArgument(f"{what} must be >= {least}, got {value}")
    return value.__index__()


# --- repeat and tile


def _repeat_infer(x: Spec, repeats: int, axis: int) -> Spec:
    size = x.shape[axis]
    count: Size = size * repeats if isinstance(size, int) else (size if repeats == 1 else Dim())
    return Spec((*x.shape[:axis], count, *x.shape[axis + 1 :]), x.dtype)


def _repeat_grad(g: Tensor, y: Tensor, x: Tensor, repeats: int, axis: int) -> Tensor:
    sizes = shape(x)
    return sum(reshape(g, (*sizes[: axis + 1], repeats, *sizes[axis + 1 :])), axis + 1)


@primitive(
    eval=np.repeat,
    infer=_repeat_infer,
    partials=(_repeat_grad,),
    emit="gather",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)), 2)), Sample((rng.normal(size=(2, 3)), 3), {"axis": -1}),
            Sample((rng.normal(size=(2, 3)), [2, 0]), {"axis": 0}), Sample((rng.normal(size=()), 2)),
            Sample((rng.normal(size=(0, 2)), 2), {"axis": 0}), Sample((rng.normal(size=3), 0)),
        ],
        lambda: [
            Bad((np.ones(2), -1), {}, ValueError), Bad((np.ones(2), 1.5), {}, TypeError),
            Bad((np.ones(2), [1, 2, 3]), {}, ValueError), Bad((np.ones(2), 2, 1), {}, ValueError),
            Bad((np.ones(2), [1, -1]), {}, ValueError),
        ],
    ),
    family="indexing",
)  # fmt: skip
def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """x with each element along an axis repeated; of the flattened x if axis is None.

    repeats: one int, or one per element of the axis. Raises ShapeError where their number differs.

    >>> import autograd_nn as ag
    >>> ag.ops.repeat([1.0, 2.0], [1, 2]).tolist()
    [1.0, 2.0, 2.0]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = ravel(x), 0
    place = normal_axis(axis, x.ndim, "repeat")
    if np.ndim(repeats) == 0:
        return record(repeat.op, (x,), {"repeats": _count(repeats, "repeat: repeats"), "axis": place})
    return take(x, _repeated_places(x, to_array(repeats), place), place)


def _repeated_places(x: Tensor, counts: np.ndarray, axis: int) -> np.ndarray:
    size = x.spec.shape[axis]
    if counts.dtype.kind not in "iu":
        raise DTypeError(f"repeat: repeats must be ints, got {counts.dtype}")
    if counts.min(initial=0) < 0:
        raise InvalidArgument(f"repeat: repeats must be >= 0, got {counts.min()}")
    if counts.shape not in ((1,), (size,)) and isinstance(size, int) or counts.ndim != 1:
        raise ShapeError(f"repeat: {counts.size} repeats for the {size} elements of axis {axis}; give one for each")
    return np.repeat(np.arange(size if isinstance(size, int) else counts.size), counts)


@composite(
    reference=np.tile,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)), 2)), Sample((rng.normal(size=(2, 3)), (2, 1))),
            Sample((rng.normal(size=3), (2, 1, 2))), Sample((rng.normal(size=()), 3)),
            Sample((rng.normal(size=(0, 2)), (2, 2))), Sample((rng.normal(size=3), 0)),
        ],
        lambda: [
            Bad((np.ones(2), -1), {}, ValueError), Bad((np.ones(2), 1.5), {}, TypeError),
            Bad((np.ones(2), (1, "2")), {}, TypeError),
        ],
    ),
)  # fmt: skip
def tile(x: Any, repeats: Any) -> Tensor:
    """x put side by side with itself, `repeats` times along each axis; missing ones count from the last axis.

    repeats: an int, ints, or a vector of them; scalar integer tensors for numbers not known yet, as ops.shape(x)[0]

    >>> import autograd_nn as ag
    >>> ag.ops.tile([1.0, 2.0], 2).tolist()
    [1.0, 2.0, 1.0, 2.0]
    """
    x = as_tensor(x)
    counts: list[Any] = [
        k if isinstance(k, Tensor) and k.is_symbolic else _count(k, "tile: repeats") for k in listed_sizes(repeats)
    ]
    ndim = max(x.ndim, len(counts))
    counts = [1] * (ndim - len(counts)) + counts
    sizes = [1] * (ndim - x.ndim) + list(shape(x))
    spread = expand_dims(reshape(x, tuple(sizes)), tuple(range(0, 2 * ndim, 2)))
    copies = broadcast_to(spread, tuple(part for pair in zip(counts, sizes) for part in pair))
    return reshape(copies, tuple(map(_product, counts, sizes)))


def _product(count: Any, size: Any) -> Any:
    """`count * size`, which stays the size that it was where the other is 1."""
    if isinstance(count, int) and count == 1:
        return size
    return count if isinstance(size, int) and size == 1 else count * size


# --- pad

Widths = tuple[tuple[int, int], ...]


def _padded(x: Spec, widths: Widths, value: Any) -> Spec:
    def size(old: Size, before: int, after: int) -> Size:
        if isinstance(old, int):
            return old + before + after
        return Dim() if before or after else old

    return Spec(tuple(size(old, *width) for old, width in zip(x.shape, widths)), x.dtype)


def _unpadded(g: Tensor, widths: Widths) -> Tensor:
    return getitem(g, tuple(slice(before, -after or None) for before, after in widths))


@primitive(
    eval=lambda x, widths, value: np.pad(x, widths, constant_values=value),
    infer=_padded,
    partials=(lambda g, y, x, widths, value: _unpadded(g, widths),),
    emit="pad",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)), 1)),
            Sample((rng.normal(size=(2, 3)), ((0, 1), (2, 0))), {"constant_values": 3.0}),
            Sample((rng.normal(size=4), (1, 2)), {"mode": "reflect"}),
            Sample((rng.normal(size=3), (5, 4)), {"mode": "symmetric"}),
            Sample((rng.normal(size=(2, 3)), ((1, 1), (0, 2))), {"mode": "edge"}),
            Sample((rng.normal(size=3), 4), {"mode": "wrap"}), Sample((rng.normal(size=()), 1)),
            Sample((rng.normal(size=(0, 2)), (1, 1))), Sample((rng.normal(size=3), (7, 8)), {"mode": "reflect"}),
        ],
        lambda: [
            Bad((np.ones(2), -1), {}, ValueError), Bad((np.ones(2), 0.5), {}, TypeError),
            Bad((np.ones(2), 1, "reflected"), {}, ValueError),
            Bad((np.ones((2, 2)), ((1, 1), (1, 1), (1, 1))), {}, ValueError),
            Bad((np.ones(0), 1, "edge"), {}, ValueError),
        ],
    ),
    family="pad",
)  # fmt: skip
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """x with elements added at both ends of its axes.

    pad_width: an int, (before, after), or one such pair per axis. mode: "constant", or "reflect", "symmetric", "edge",
    "wrap" with NumPy's meaning. constant_values: the number to put there, 0 if None.
    Raises InvalidArgument for a negative width or an unknown mode, ShapeError for a wrong number of pairs.

    >>> import autograd_nn as ag
    >>> ag.ops.pad([1.0, 2.0, 3.0], (1, 2), mode="reflect").tolist()
    [2.0, 1.0, 2.0, 3.0, 2.0, 1.0]
    """
    x = as_tensor(x)
    widths = _widths(pad_width, x.ndim)
    if not any(before or after for before, after in widths):
        return x
    if mode == "constant":
        filler = 0 if constant_values is None else constant_values
        return record(
            pad.op,
            (x,),
            {"widths": widths, "value": _pad_value(filler, x.dtype)},
        )
    if mode not in _PLACES:
        raise InvalidArgument(f"pad: unknown mode {short(mode)}; known: constant, {', '.join(_PLACES)}")
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = take(x, _places(x, axis, before, after, mode), axis)
    return x


def _widths(given: Any, ndim: int) -> Widths:
    """One pair per axis, from NumPy's short forms."""
    widths = to_array(given)
    if widths.dtype.kind not in "iu":
        raise DTypeError(f"pad: pad_width must hold ints, got {short(given)}")
    if widths.min(initial=0) < 0:
        raise InvalidArgument(f"pad: pad_width must be >= 0, got {short(given)}")
    pairs = widths.shape[-1:] in ((), (1,), (2,))
    if not pairs or widths.ndim > 2 or widths.ndim == 2 and len(widths) not in (1, ndim):
        raise ShapeError(f"pad: pad_width {short(given)} does not fit {ndim} axes; give (before, after) per axis")
    return tuple((int(a), int(b)) for a, b in np.broadcast_to(widths, (ndim, 2)))


def _pad_value(given: Any, dtype: Any) -> Any:
    value = to_array(given)
    if value.ndim:
        raise ShapeError(f"pad: constant_values must be a single number, got shape {value.shape}")
    return value.astype(as_dtype(dtype)).item()


# For each mode, where place i of the padded axis takes its element from, on an axis of n elements.
_PLACES = {
    "reflect": lambda i, n: _mirrored(mod(i, maximum(2 * n - 2, 1)), 2 * n - 2),
    "symmetric": lambda i, n: _mirrored(mod(i, 2 * n), 2 * n - 1),
    "edge": lambda i, n: clip(i, 0, n - 1),
    "wrap": lambda i, n: mod(i, n),
}


def _mirrored(i: Any, last: Any) -> Tensor:
    return minimum(i, last - i)


def _places(x: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    n = shape(x)[axis]
    if isinstance(n, int) and n == 0:
        raise ShapeError(f"pad: axis {axis} has no elements to repeat; use mode='constant'")
    return _PLACES[mode](arange(-before, n + after), n)
