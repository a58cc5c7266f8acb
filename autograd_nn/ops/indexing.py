"""Picking elements: NumPy's indexing, its gradient, and what is made of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import Dim, Shape, Size, Spec, broadcast, normal_axis, show_shape
from ..engine.tensor import Tensor, describe, record
from ..errors import AxisError, DTypeError, InvalidArgument, ShapeError, short
from .creation import arange, shape
from .domain import Rng, cases, gaussian
from .family import composite, primitive
from .shape import expand_dims, ravel

# A key as the ops hold it: a tuple of ints, None for a new axis, `...`, a slice as (start, stop, step),
# and ARRAY for each index that is a tensor, taken from the op's inputs in order.
ARRAY = "array"
Item = Any
Key = tuple[Item, ...]
ALL = (None, None, None)


def canonical(key: Any) -> tuple[Key, tuple[Tensor, ...]]:
    """What stands between the brackets, as a hashable key and the tensors that its ARRAY places stand for."""
    items: list[Item] = []
    arrays: list[Tensor] = []
    for item in key if isinstance(key, tuple) else (key,):
        items.append(_item(item, arrays))
    if items.count(...) > 1:
        raise AxisError("getitem: an index can hold only one ellipsis ('...')")
    return tuple(items), tuple(arrays)


def _item(item: Any, arrays: list[Tensor]) -> Item:
    if item is None or item is ...:
        return item
    if isinstance(item, slice):
        return tuple(_bound(part, arrays) for part in (item.start, item.stop, item.step))
    if isinstance(item, (bool, np.bool_)):
        return _array(as_tensor(bool(item)), arrays)
    if isinstance(item, Tensor):
        item = as_tensor(item)
        known = item.value is not None and item.ndim == 0 and item.dtype.kind in "iu"
        return int(item) if known else _array(item, arrays)
    if hasattr(item, "__index__") and getattr(item, "ndim", 0) == 0:
        return item.__index__()
    if isinstance(item, (str, bytes, float)):
        raise DTypeError(f"getitem: expected ints, slices, ..., None or arrays of ints or bools, got {short(item)}")
    empty_list = isinstance(item, (list, tuple)) and not item
    return _array(as_tensor(item, dtype="int64" if empty_list else None), arrays)


def _bound(part: Any, arrays: list[Tensor]) -> Any:
    if part is None:
        return None
    if isinstance(part, Tensor):
        part = as_tensor(part)
        return _array(part, arrays) if part.is_symbolic else part.__index__()
    if not hasattr(part, "__index__"):
        raise DTypeError(f"getitem: the ends of a slice must be ints, got {short(part)}")
    return part.__index__()


def _array(index: Tensor, arrays: list[Tensor]) -> str:
    if index.dtype.kind not in "iub":
        raise DTypeError(
            f"getitem: an index must hold ints or bools, got {describe(index)} of {index.dtype}; use ops.cast"
        )
    arrays.append(index)
    return ARRAY


def numpy_key(key: Key, arrays: Sequence[Any]) -> tuple[Any, ...]:
    """The key as NumPy takes it, with `arrays` in their places."""
    given = iter(arrays)

    def fill(item: Any) -> Any:
        return next(given) if item is ARRAY else item

    return tuple(slice(*map(fill, item)) if type(item) is tuple else fill(item) for item in key)


# --- the shape rule


def indexed(x: Shape, key: Key, arrays: Sequence[Spec]) -> Shape:
    """The shape of x[key]; AxisError for an index out of range or too many of them.

    Several array indices (ints and bools beside them too) broadcast; their axes stand where they stood if next to
    each other, else in front: NumPy's rule.
    """
    given = iter(arrays)
    used = sum(_consumed(item, given) for item in key)
    if used > len(x):
        raise AxisError(f"getitem: {used} indices for a tensor of {len(x)} axes, {show_shape(x)}")
    given = iter(arrays)
    kept: list[Size] = []
    picks: list[tuple[int, int, Shape]] = []
    axis = 0
    for place, item in enumerate(key if ... in key else (*key, ...)):
        count = 1
        if item is ...:
            count = len(x) - used
            kept.extend(x[axis : axis + count])
        elif item is None:
            count = 0
            kept.append(1)
        elif type(item) is tuple:
            kept.append(_sliced(x[axis], item, given))
        else:
            shape, count = _picked(x, axis, item, given)
            picks.append((place, len(kept), shape))
        axis += count
    return _placed(kept, picks)


def _placed(kept: list[Size], picks: list[tuple[int, int, Shape]]) -> Shape:
    """The axes that stay, with those of the indices at their place; picks: place in the key, axes before, shape."""
    if not picks:
        return tuple(kept)
    joined = broadcast(*[shape for _, _, shape in picks], what="getitem: indices")
    neighbours = picks[-1][0] - picks[0][0] == len(picks) - 1
    first = picks[0][1] if neighbours else 0
    return (*kept[:first], *joined, *kept[first:])


def _consumed(item: Item, given: Any) -> int:
    """How many axes of x an item of the key takes."""
    if type(item) is tuple:
        for part in item:
            if part is ARRAY:
                next(given)
        return 1
    if item is ARRAY:
        index = next(given)
        return index.ndim if index.dtype.kind == "b" else 1
    return 0 if item is None or item is ... else 1


def _picked(x: Shape, axis: int, item: Item, given: Any) -> tuple[Shape, int]:
    """The shape that an int or array index takes part with, and how many axes it takes."""
    if item is not ARRAY:
        size = x[axis]
        if isinstance(size, int) and not -size <= item < size:
            raise AxisError(
                f"getitem: index {item} is out of range for axis {axis} with size {size} of {show_shape(x)}"
            )
        return (), 1
    index = next(given)
    if index.dtype.kind != "b":
        return index.shape, 1
    for k, size in enumerate(index.shape):
        if isinstance(size, int) and isinstance(x[axis + k], int) and size != x[axis + k]:
            raise ShapeError(
                f"getitem: a mask of shape {show_shape(index.shape)} does not fit axis {axis + k} of {show_shape(x)}"
            )
    return (Dim(),), index.ndim


def _sliced(size: Size, bounds: tuple[Any, ...], given: Any) -> Size:
    dynamic = [next(given) for part in bounds if part is ARRAY]
    if bounds[2] == 0:
        raise InvalidArgument("getitem: the step of a slice must not be 0")
    if bounds in (ALL, (None, None, 1), (None, None, -1), (0, None, None)):
        return size
    if dynamic or not isinstance(size, int):
        return Dim()
    return len(range(*slice(*bounds).indices(size)))


# --- getitem and its gradient


def _getitem(x: Any, *arrays: Any, key: Key) -> Any:
    try:
        return np.asarray(x)[numpy_key(key, arrays)]
    except IndexError as error:
        raise AxisError(f"getitem: {error}") from None


def _scatter(g: Any, like: Any, *arrays: Any, key: Key) -> Any:
    try:
        return _added(g, like, numpy_key(key, arrays))
    except IndexError as error:
        raise AxisError(f"scatter_like: {error}") from None
    except ValueError as error:
        raise ShapeError(f"scatter_like: {error}") from None


def _added(g: Any, like: Any, place: tuple[Any, ...]) -> Any:
    """Zeros like `like` with g added at [place]."""
    if not any(isinstance(part, np.ndarray) and part.ndim and part.dtype.kind in "iu" for part in place):
        out = np.zeros(like.shape, g.dtype)
        out[place] = g
        return out
    # NumPy adds at flat places several times faster than at rows.
    flat = np.zeros(like.size, g.dtype)
    np.add.at(flat, np.arange(like.size).reshape(like.shape)[place].ravel(), np.ravel(g))
    return flat.reshape(like.shape)


def _index_samples(rng: Rng) -> list[Sample]:
    x, row, image = rng.normal(size=(4, 5)), rng.normal(size=6), rng.normal(size=(2, 3, 4))
    mask = rng.integers(0, 2, (4, 5)).astype(bool)
    return [
        Sample((x, 1)), Sample((x, (slice(None), -1))), Sample((row, slice(4, None, -2))), Sample((x, (..., None, 2))),
        Sample((x, ())), Sample((x, mask)), Sample((image, (slice(None), mask[0, :3]))),
        Sample((x, np.array([0, 2, 2, -1]))), Sample((row, np.array([[0, 5], [5, -6]]))),
        Sample((image, (np.array([[1], [0]]), slice(1, None), np.array([0, 0, 3])))),
        Sample((image, (0, slice(None), [1, 1]))), Sample((rng.normal(size=()), ())),
        Sample((rng.normal(size=()), None)), Sample((rng.normal(size=(0, 3)), (slice(None), [2, 0]))),
        Sample((x, np.zeros(0, "int64"))), Sample((x, slice(3, 1))),
        Sample((np.arange(6), np.array([1, 1])), {}, False), Sample((gaussian(rng, 4), np.array([1, 1, 3]))),
    ]  # fmt: skip


def _index_errors() -> list[Bad]:
    x = np.ones((2, 3))
    return [
        Bad((x, 2), {}, IndexError), Bad((x, (0, 0, 0)), {}, IndexError), Bad((x, np.array([0, 5])), {}, IndexError),
        Bad((x, 1.0), {}, TypeError), Bad((x, "a"), {}, TypeError), Bad((x, np.array([0.5])), {}, TypeError),
        Bad((x, np.array([True, False, True])), {}, ValueError), Bad((x, slice(None, None, 0)), {}, ValueError),
        Bad((x, (np.array([0, 1]), np.array([0, 1, 2]))), {}, ValueError), Bad((x, (..., ...)), {}, IndexError),
    ]  # fmt: skip


@primitive(
    eval=_getitem,
    infer=lambda x, *arrays, key: Spec(indexed(x.shape, key, arrays), x.dtype),
    vjp=lambda g, y, x, *arrays, key: (
        record(scatter_like.op, (g, x, *arrays), {"key": key}),
        *[None] * len(arrays),
    ),
    emit="gather",
    domain=cases(_index_samples, _index_errors),
    family="indexing",
    complex=True,
)
def getitem(x: Any, key: Any) -> Tensor:
    """x[key] with NumPy's meaning: ints, slices, `...`, None, boolean masks, integer arrays, and mixes of them.

    x: tensor or array. key: as between brackets; tensors in it may be symbolic. The gradient adds up where an element
    is picked several times. Raises AxisError for an index out of range, ShapeError for a mask or indices that do not
    fit, DTypeError for indices that are not ints or bools.

    >>> import autograd_nn as ag
    >>> x = ag.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x[:, -1].tolist(), x[[1, 1], 0].tolist(), x[x > 2].tolist()
    ([2.0, 4.0], [3.0, 3.0], [3.0, 4.0])
    """
    x = as_tensor(x)
    place, arrays = canonical(key)
    return record(getitem.op, (x, *arrays), {"key": place})


def _scatter_samples(rng: Rng) -> list[Sample]:
    like, column = np.zeros((4, 5)), np.array([0, 2, 2, -1])
    return [
        Sample((rng.normal(size=5), like, 1)), Sample((rng.normal(size=4), like, (slice(None), -1))),
        Sample((rng.normal(size=(4, 5)), like, column)), Sample((rng.normal(size=(4, 4)), like, (..., column))),
        Sample((rng.normal(size=(0, 5)), like, np.zeros(0, "int64"))), Sample((rng.normal(size=()), np.zeros(()), ())),
        Sample((rng.normal(size=(2, 5)), like, np.array([True, False, False, True]))),
    ]  # fmt: skip


def _scatter_errors() -> list[Bad]:
    like = np.zeros((2, 3))
    return [
        Bad((np.ones(3), like, 2), {}, IndexError), Bad((np.ones(4), like, 0), {}, ValueError),
        Bad((np.ones(3), like, 0.5), {}, TypeError), Bad((np.ones((2, 3)), like, np.array([0, 7])), {}, IndexError),
    ]  # fmt: skip


def _scatter_infer(g: Spec, like: Spec, *arrays: Spec, key: Key) -> Spec:
    shape = indexed(like.shape, key, arrays)
    if len(shape) != g.ndim or any(
        isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(shape, g.shape)
    ):
        raise ShapeError(f"scatter_like: the places named have shape {show_shape(shape)}, got {show_shape(g.shape)}")
    return Spec(like.shape, g.dtype)


@primitive(
    eval=_scatter,
    infer=_scatter_infer,
    vjp=lambda gg, y, g, like, *arrays, key: (
        record(getitem.op, (gg, *arrays), {"key": key}),
        *[None] * (1 + len(arrays)),
    ),
    emit="scatter",
    domain=cases(_scatter_samples, _scatter_errors),
    family="indexing",
    complex=True,
)
def scatter_like(g: Any, like: Any, key: Any) -> Tensor:
    """Zeros of the shape of `like` with g added at [key], as often as a place is named: the transpose of indexing.

    g: tensor of the shape of like[key]. Raises as `getitem`, and ShapeError where g has another shape.

    >>> import autograd_nn as ag
    >>> ag.ops.scatter_like([1.0, 2.0, 4.0], [0.0, 0.0, 0.0], [0, 2, 2]).tolist()
    [1.0, 0.0, 6.0]
    """
    g, like = as_tensor(g), as_tensor(like)
    place, arrays = canonical(key)
    if like.value is not None and g.value is not None:
        _scatter_infer(g.spec, like.spec, *[index.spec for index in arrays], key=place)
    return record(scatter_like.op, (g, like, *arrays), {"key": place})


# --- made of getitem


@composite(
    reference=np.take,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)), [0, -1, 0])),
            Sample((rng.normal(size=(3, 4)), [[0, 2], [1, -1]]), {"axis": 1}),
            Sample((rng.normal(size=(3, 4)), 1), {"axis": 0}), Sample((rng.normal(size=()), 0)),
            Sample((rng.normal(size=(0, 4)), [1, 1]), {"axis": 1}), Sample((rng.normal(size=3), np.zeros(0, "int64"))),
        ],
        lambda: [
            Bad((np.ones(3), [3]), {}, IndexError), Bad((np.ones(3), -4), {}, IndexError),
            Bad((np.ones(3), [0.5]), {}, TypeError), Bad((np.ones(3), [0], 1), {}, ValueError),
            Bad((np.ones(3), [True]), {}, TypeError),
        ],
    ),
)  # fmt: skip
def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """The elements or slices of x at `indices` along an axis; of the flattened x if axis is None.

    indices: ints of any shape, negative ones counted from the end. Raises AxisError for an index out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.take([1.0, 2.0, 3.0], [2, -3]).tolist()
    [3.0, 1.0]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = ravel(x), 0
    place = normal_axis(axis, x.ndim, "take")
    return getitem(x, (*[slice(None)] * place, _indices(indices, "take")))


def _indices(indices: Any, what: str) -> Tensor:
    empty_list = isinstance(indices, (list, tuple)) and not indices
    index = as_tensor(indices, dtype="int64" if empty_list else None)
    if index.dtype.kind not in "iu":
        raise DTypeError(f"{what}: indices must be ints, got {index.dtype}; use ops.cast")
    return index


@composite(
    reference=np.take_along_axis,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)), rng.integers(-4, 4, (3, 2)), 1)),
            Sample((rng.normal(size=(3, 4)), rng.integers(0, 3, (2, 4)), 0)),
            Sample((rng.normal(size=(2, 3)), [5, 0, 0], None)), Sample((rng.normal(size=4), [1, 1], -1)),
            Sample((rng.normal(size=(0, 3)), np.zeros((0, 1), "int64"), 1)),
            Sample((rng.normal(size=(3, 4)), rng.integers(0, 4, (1, 2)), 1)),
        ],
        lambda: [
            Bad((np.ones((2, 3)), [[3], [0]], 1), {}, IndexError), Bad((np.ones((2, 3)), [0], 1), {}, ValueError),
            Bad((np.ones((2, 3)), [[0.5]], 1), {}, TypeError), Bad((np.ones((2, 3)), [[0]], 2), {}, ValueError),
            Bad((np.ones((2, 3)), np.zeros((3, 1), "int64"), 1), {}, ValueError),
        ],
    ),
)  # fmt: skip
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """For each place, the element of x at `indices` along an axis, as `argsort` and `argmax` give them.

    indices: ints, with as many axes as x and sizes that broadcast beside `axis`. axis: if None, x is flattened.
    Raises AxisError for an index out of range, ShapeError for another number of axes.

    >>> import autograd_nn as ag
    >>> ag.ops.take_along_axis([[1.0, 2.0], [3.0, 4.0]], [[1], [0]], axis=1).tolist()
    [[2.0], [3.0]]
    """
    x, index = as_tensor(x), _indices(indices, "take_along_axis")
    if axis is None:
        x, axis = ravel(x), 0
    place = normal_axis(axis, x.ndim, "take_along_axis")
    if index.ndim != x.ndim:
        raise ShapeError(f"take_along_axis: indices of shape {index.shape} must have the {x.ndim} axes of x {x.shape}")
    ours, theirs = (t.spec.shape[:place] + t.spec.shape[place + 1 :] for t in (x, index))
    broadcast(ours, theirs, what="take_along_axis")
    grid = [_along(size, k, x.ndim) for k, size in enumerate(shape(x))]
    return getitem(x, (*grid[:place], index, *grid[place + 1 :]))


def _along(size: Any, axis: int, ndim: int) -> Tensor:
    """0, 1, ... along one of several axes."""
    return expand_dims(arange(size), tuple(k for k in range(ndim) if k != axis))
