"""associative_scan: running totals of any associative operation, in about log2(n) rounds."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import normal_axis
from ..engine.tensor import Tensor
from ..engine.tree import Structure, flatten, unflatten
from ..errors import GraphError, ShapeError
from .arrange import flip
from .capture import check_function
from .creation import shape
from .domain import cases
from .family import composite
from .indexing import getitem
from .join import concatenate, stack
from .scanning import sequences_of
from .shape import reshape

Parts = list[Tensor]


def _part(xs: Parts, axis: int, *bounds: int | None) -> Parts:
    return [getitem(x, (*[slice(None)] * axis, slice(*bounds))) for x in xs]


def _size(x: Tensor, axis: int) -> int:
    size = x.spec.shape[axis]
    if not isinstance(size, int):
        raise ShapeError(f"associative_scan: axis {axis} of elems must have a known size; else use ops.scan")
    return size


def _running(f: Callable[[Parts, Parts], Parts], xs: Parts, axis: int, count: int) -> Parts:
    """The running totals of `count` elements: those of pairs of neighbours, and between them one element more."""
    if count < 2:
        return xs
    odd = _running(f, f(_part(xs, axis, 0, -1, 2), _part(xs, axis, 1, None, 2)), axis, count // 2)
    left = odd if count % 2 else _part(odd, axis, 0, -1)
    rest = f(left, _part(xs, axis, 2, None, 2)) if count > 2 else []
    even = [concatenate([x, y], axis) for x, y in zip(_part(xs, axis, 0, 1), rest)] or _part(xs, axis, 0, 1)
    return [_interleaved(a, b, axis) for a, b in zip(even, odd)]


def _interleaved(even: Tensor, odd: Tensor, axis: int) -> Tensor:
    """Elements of both in turn, the first of `even` first."""
    count = _size(odd, axis)
    (front,) = _part([even], axis, 0, count)
    sizes = [*shape(odd)]
    sizes[axis] = 2 * count
    mixed = reshape(stack([front, odd], axis + 1), sizes)
    return concatenate([mixed, *_part([even], axis, count, None)], axis) if _size(even, axis) > count else mixed


def _add(a: Any, b: Any) -> Any:
    return a + b


def _affine(a: Any, b: Any) -> Any:
    return {"m": a["m"] * b["m"], "t": a["t"] * b["m"] + b["t"]}


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((_add, rng.normal(size=(5, 3)))), Sample((_add, rng.normal(size=(3, 8))), {"axis": 1}),
            Sample((_affine, {"m": rng.normal(size=6), "t": rng.normal(size=6)}), {"reverse": True}),
            Sample((_affine, {"m": rng.normal(size=(2, 7)), "t": rng.normal(size=(2, 7))}), {"axis": -1}),
            Sample((_add, rng.normal(size=(1, 2)))), Sample((_add, rng.normal(size=(0, 2)))),
        ],
        lambda: [
            Bad((3, np.ones(3)), {}, TypeError), Bad((_add, np.ones(3)), {"axis": 1}, ValueError),
            Bad((_affine, {"m": np.ones(3), "t": np.ones(4)}), {}, ValueError),
            Bad((lambda a, b: (a, b), np.ones(3)), {}, ValueError), Bad((_add, np.ones(())), {}, ValueError),
        ],
    ),
)  # fmt: skip
def associative_scan(f: Callable[..., Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """The totals of the first 1, 2, ... elements along an axis, added up by an associative operation (Blelloch 1990).

    f:       takes two nests like `elems`, with any number of elements along the axis, and combines them one by one
    elems:   a tensor or a nest of them, of one known size along the axis
    reverse: totals from the end

    Raises ShapeError for different or unknown sizes, GraphError for a result of another form.

    >>> import autograd_nn as ag
    >>> ag.ops.associative_scan(lambda a, b: a * b, [1.0, 2.0, 3.0, 4.0]).tolist()
    [1.0, 2.0, 6.0, 24.0]
    """
    check_function(f, "associative_scan", "f")
    leaves, form = sequences_of(elems)
    xs = [as_tensor(x) for x in leaves]
    places = {normal_axis(axis, x.ndim, "associative_scan: axis") for x in xs}
    sizes = {_size(x, place) for x in xs for place in places}
    if len(places) != 1 or len(sizes) != 1:
        raise ShapeError(f"associative_scan: elems must have one size along axis {axis}, got {[x.shape for x in xs]}")
    (place,), (count,) = places, sizes
    given = [flip(x, place) for x in xs] if reverse else xs
    found = _running(lambda a, b: _combined(f, a, b, form), given, place, count)
    return unflatten(form, [flip(x, place) for x in found] if reverse else found)


def _combined(f: Callable[..., Any], a: Parts, b: Parts, form: Structure) -> Parts:
    found, structure = flatten(f(unflatten(form, a), unflatten(form, b)))
    if structure != form:
        raise GraphError(f"associative_scan: f must return the form of elems, {form}, got {structure}")
    return [as_tensor(x) for x in found]
