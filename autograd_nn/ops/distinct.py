"""The values of a tensor without repetition."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import Dim, Spec, normal_axis
from ..engine.tensor import Tensor, record
from ..errors import ShapeError
from .arrange import pad
from .domain import cases, distinct
from .elementwise import cast
from .family import composite, primitive
from .indexing import getitem, take
from .searching import whole
from .shape import reshape


def _places(x: Any) -> Any:
    """The first row of each kind in their order, the kind of each row, and how many rows of each there are."""
    rows = x.reshape(len(x), -1) if x.ndim > 1 else x
    found = np.unique(rows, axis=0 if x.ndim > 1 else None, return_index=True, return_inverse=True, return_counts=True)
    return tuple(np.asarray(part, np.int64).reshape(-1) for part in found[1:])


def _places_infer(x: Spec) -> tuple[Spec, Spec, Spec]:
    kinds, whole_number = Spec((Dim(),), np.dtype("int64")), Spec(x.shape[:1], np.dtype("int64"))
    return kinds, whole_number, kinds


def _place_errors() -> list[Bad]:
    return [
        Bad((np.array(["a"]),), {}, TypeError), Bad((np.array([1j]),), {}, TypeError),
        Bad(([[1.0], [1.0, 2.0]],), {}, ValueError),
    ]  # fmt: skip


@primitive(
    eval=_places,
    infer=_places_infer,
    emit="unique",
    domain=cases(
        lambda rng: [
            Sample((np.array([3, 1, 2, 1]),), {}, False), Sample((np.array([[1.0, 0], [0, 1], [1, 0]]),), {}, False),
            Sample((np.zeros((0,)),), {}, False), Sample((np.zeros((2, 0)),), {}, False),
        ],
        lambda: [*_place_errors(), Bad((np.ones(()),), {}, ValueError)],
    ),
    family="search",
    many=True,
    reference=lambda x: tuple(
        part.reshape(-1) for part in np.unique(
            x, axis=0, return_index=True, return_inverse=True, return_counts=True
        )[1:]
    ),
)  # fmt: skip
def unique_places(x: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Of the rows of x: the first of each kind in their order, the kind of each, and how many there are of each kind.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.unique_places([5.0, 7.0, 5.0])]
    [[0, 1], [0, 1, 0], [2, 1]]
    """
    x = as_tensor(x)
    if not x.ndim:
        raise ShapeError("unique_places: needs at least one axis, got a scalar")
    return record(unique_places.op, (x,), {})


def _reference(x: Any, axis: Any = None, size: Any = None, fill_value: Any = 0, **more: Any) -> Any:
    more.pop("sorted", None)
    found = np.unique(x, axis=axis, **more)
    parts = list(found) if isinstance(found, tuple) else [found]
    if size is not None:
        parts[0] = np.array([*parts[0], *[fill_value] * size][:size])
    return (
        parts[0]
        if len(parts) == 1
        else tuple(np.asarray(part).reshape(-1) if k else part for k, part in enumerate(parts))
    )


@composite(
    reference=_reference,
    domain=cases(
        lambda rng: [
            Sample((distinct(-3, 3).draw(rng, (5,)),)), Sample((np.array([[3, 1], [2, 1]]),), {}, False),
            Sample((np.array([[1, 0], [0, 1], [1, 0]]),), {"axis": 0, "return_index": True}, False),
            Sample((np.array([[1, 0, 1], [0, 1, 0]]),), {"axis": 1, "return_counts": True}, False),
            Sample((np.array([3.0, 1, 2, 1]),), {"return_inverse": True}, False),
            Sample((np.array([3, 1, 2, 1]),), {"size": 5, "fill_value": 7}, False),
            Sample((np.array([3, 1, 2, 1]),), {"size": 2}, False),
        ],
        lambda: [
            *_place_errors(), Bad((np.ones((2, 2)),), {"axis": 2}, ValueError),
            Bad((np.ones(2),), {"size": -1}, ValueError),
        ],
    ),
)  # fmt: skip
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The values of x without repetition, rising; or the slices along an axis. Gradients go to the first of each kind.

    sorted: accepted as in Keras; the result is the same. return_index, return_inverse, return_counts: also where each
    first stands, the kind of every element (flat), and how many there are of each kind. axis: None for the flattened
    tensor. size: so many kinds, the first ones, or filled with `fill_value` (0 if None; index and counts with 0).
    Each NaN is a kind of its own in NumPy with equal_nan=False; here all are one.

    >>> import autograd_nn as ag
    >>> ag.ops.unique([3.0, 1.0, 3.0]).tolist()
    [1.0, 3.0]
    """
    x = as_tensor(x)
    at = None if axis is None else normal_axis(axis, x.ndim, "unique")
    flat = reshape(x, (-1,)) if at is None else x
    line = 0 if at is None else at
    order = (line, *(k for k in range(flat.ndim) if k != line))
    index, inverse, counts = unique_places(flat if line == 0 else flat.transpose(order))
    values = take(flat, index, line)
    if size is not None:
        count = whole(size, "unique: size", 0)
        values = _sized(values, count, line, 0 if fill_value is None else fill_value)
        index, counts = _sized(index, count, 0, 0), _sized(counts, count, 0, 0)
    wanted = ((index, return_index), (inverse, return_inverse), (counts, return_counts))
    more = [part for part, asked in wanted if asked]
    return (values, *more) if more else values


def _sized(x: Tensor, count: int, axis: int, value: Any) -> Tensor:
    """x with `count` elements along an axis: without the last, or with `value` after them."""
    pads = [(0, 0)] * x.ndim
    pads[axis] = (0, count)
    longer = pad(x, pads, constant_values=cast(value, x.dtype))
    return getitem(longer, (*(slice(None),) * axis, slice(None, count)))
