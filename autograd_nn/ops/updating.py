"""Parts of a tensor taken out and replaced, and values gathered by segment."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import Spec, show_shape
from ..engine.tensor import Tensor, record
from ..errors import AxisError, DTypeError, InvalidArgument, ShapeError, short
from .creation import arange, full, ones_like, shape, zeros, zeros_like
from .cumulative import linear_recurrence, shift
from .domain import Rng, cases, distinct
from .elementwise import cast, equal, not_equal, where
from .family import composite, primitive
from .indexing import Key, _scatter_infer, canonical, getitem, numpy_key, scatter_like, take
from .reduction import size_of
from .shape import reshape
from .sorting import argsort

Random = Rng

# --- an element-wise replacement at a place


def _at(key: Key, arrays: Sequence[Any], write: Callable[[Any], None]) -> None:
    """Write at a place; in row-major order, which NumPy leaves to the layout of the indices in memory."""
    place = numpy_key(key, [np.array(index, order="C") for index in arrays])
    try:
        write(place)
    except IndexError as error:
        raise AxisError(f"updates: {error}") from None


def _replaced(x: Any, u: Any, *arrays: Any, key: Key) -> Any:
    y, values = np.array(x, order="C"), np.array(u, order="C")
    _at(key, arrays, lambda place: y.__setitem__(place, values))
    return y


def _replace_infer(x: Spec, u: Spec, *arrays: Spec, key: Key) -> Spec:
    _scatter_infer(u, x, *arrays, key=key)
    return x


def _replace_grad(g: Tensor, y: Tensor, x: Tensor, u: Tensor, *arrays: Tensor, key: Key) -> tuple[Any, ...]:
    """To x all but what was replaced; to the updates the rest, but nothing to one that another wrote over."""
    kept = record(index_update.op, (g, zeros_like(u, g.dtype), *arrays), {"key": key})
    taken = record(getitem.op, (g, *arrays), {"key": key})
    if arrays:
        number = reshape(arange(size_of(u)), shape(u))
        owner = record(index_update.op, (full(shape(x), -1, "int64"), number, *arrays), {"key": key})
        taken = where(equal(record(getitem.op, (owner, *arrays), {"key": key}), number), taken, 0)
    return kept, taken, *[None] * len(arrays)


def _place_samples(rng: Random) -> list[Sample]:
    x, values = rng.normal(size=(4, 5)), distinct(-3, 3.7)
    return [
        Sample((x, values.draw(rng, (5,)), 1)), Sample((x, values.draw(rng, (4,)), (..., -1))),
        Sample((x, values.draw(rng, (3, 5)), np.array([0, 2, -1]))),
        Sample((rng.normal(size=6), values.draw(rng, (4,)), np.array([1, 1, 5, 1]))),
        Sample((np.array(1.0), np.array(2.0), ())), Sample((np.ones((0, 2)), np.ones(0), (..., 1))),
    ]  # fmt: skip


def _place_errors() -> list[Bad]:
    x = np.ones((2, 3))
    return [
        Bad((x, np.ones(3), 2), {}, IndexError), Bad((x, np.ones(4), 0), {}, ValueError),
        Bad((x, np.ones(3), 0.5), {}, TypeError), Bad((x, np.array(["a"]), 0), {}, TypeError),
    ]  # fmt: skip


_PLACES = cases(_place_samples, _place_errors)


def _updated(op: Any, x: Any, updates: Any, key: Any) -> Tensor:
    x = as_tensor(x)
    u = cast(updates, x.dtype)
    place, arrays = canonical(key)
    _replace_infer(x.spec, u.spec, *[index.spec for index in arrays], key=place)
    return record(op, (x, u, *arrays), {"key": place})


@primitive(
    eval=_replaced, infer=_replace_infer, vjp=_replace_grad, emit="index_update", domain=_PLACES, family="indexing"
)
def index_update(x: Any, updates: Any, key: Any) -> Tensor:
    """x with `updates` at [key]; where a place is named several times the last one stays.

    updates: of the shape of x[key]. Raises AxisError for an index out of range, ShapeError for updates that do not fit.

    >>> import autograd_nn as ag
    >>> ag.ops.index_update([1.0, 2.0, 3.0], [7.0, 8.0], [0, 2]).tolist()
    [7.0, 2.0, 8.0]
    """
    return _updated(index_update.op, x, updates, key)


def _joining(ufunc: np.ufunc) -> Callable[..., Any]:
    def run(x: Any, u: Any, *arrays: Any, key: Key) -> Any:
        y, values = np.array(x, order="C"), np.array(u, order="C")
        _at(key, arrays, lambda place: ufunc.at(y, place, values))
        return y

    return run


def _extreme_grad(g: Tensor, y: Tensor, x: Tensor, u: Tensor, *arrays: Tensor, key: Key) -> tuple[Any, ...]:
    """g where the extreme comes from, split evenly among ties."""
    from_u = cast(equal(u, record(getitem.op, (y, *arrays), {"key": key})), g.dtype)
    from_x = cast(equal(x, y), g.dtype)
    part = g / (from_x + record(scatter_like.op, (from_u, x, *arrays), {"key": key}))
    return part * from_x, record(getitem.op, (part, *arrays), {"key": key}) * from_u, *[None] * len(arrays)


def _product_grad(g: Tensor, y: Tensor, x: Tensor, u: Tensor, *arrays: Tensor, key: Key) -> tuple[Any, ...]:
    """g times the product of all other factors, found without division: right to every order where factors are 0."""

    def at(t: Tensor) -> Tensor:
        return record(getitem.op, (t, *arrays), {"key": key})

    to_u = at(g * x)
    if arrays:
        to_u = to_u * _others_at(u, at(reshape(arange(size_of(x)), shape(x))))
    return g * record(scatter_mul.op, (ones_like(x), u, *arrays), {"key": key}), to_u, *[None] * len(arrays)


def _others_at(u: Tensor, places: Tensor) -> Tensor:
    """For each update the product of the others at its place; `places` holds the number of the place of each.

    In the order of their places, what stands before an update within its place and what stands after it are two running
    products that begin anew at every place.
    """
    flat = reshape(places, (-1,))
    order = argsort(flat)
    sorted_u, sorted_places = take(reshape(u, (-1,)), order), take(flat, order)
    others: Any = 1
    for step in (1, -1):
        begins = not_equal(sorted_places, shift(sorted_places, step, 0, fill=-1))
        factors = where(begins, 0, shift(sorted_u, step, 0))
        others = others * linear_recurrence(factors, cast(begins, u.dtype), 0, reverse=step < 0)
    return reshape(take(others, argsort(order)), shape(u))


def _joins(name: str, ufunc: np.ufunc, vjp: Callable[..., Any]) -> Callable[..., Any]:
    def reference(x: Any, u: Any, key: Any) -> Any:
        y = x.copy()
        ufunc.at(y, key, u)
        return y

    return primitive(
        eval=_joining(ufunc),
        infer=_replace_infer,
        vjp=vjp,
        emit=f"scatter:{name}",
        domain=_PLACES,
        family="indexing",
        name=name,
        reference=reference,
    )


@_joins("scatter_max", np.maximum, _extreme_grad)
def scatter_max(x: Any, updates: Any, key: Any) -> Tensor:
    """x with the larger of itself and the updates at [key]; at ties the gradient is split evenly.

    >>> import autograd_nn as ag
    >>> ag.ops.scatter_max([1.0, 2.0], [3.0, 5.0, 0.0], [0, 0, 1]).tolist()
    [5.0, 2.0]
    """
    return _updated(scatter_max.op, x, updates, key)


@_joins("scatter_min", np.minimum, _extreme_grad)
def scatter_min(x: Any, updates: Any, key: Any) -> Tensor:
    """x with the smaller of itself and the updates at [key]; at ties the gradient is split evenly.

    >>> import autograd_nn as ag
    >>> ag.ops.scatter_min([1.0, 2.0], [3.0, 5.0, 0.0], [0, 0, 1]).tolist()
    [1.0, 0.0]
    """
    return _updated(scatter_min.op, x, updates, key)


@_joins("scatter_mul", np.multiply, _product_grad)
def scatter_mul(x: Any, updates: Any, key: Any) -> Tensor:
    """x multiplied by the updates at [key], as often as a place is named.

    >>> import autograd_nn as ag
    >>> ag.ops.scatter_mul([1.0, 2.0], [3.0, 5.0, 2.0], [0, 0, 1]).tolist()
    [15.0, 4.0]
    """
    return _updated(scatter_mul.op, x, updates, key)


# --- Keras' names: places as rows of indices


def _rows(indices: Any, ndim: int, what: str) -> tuple[Tensor, ...]:
    """The indices along each axis, from one row of them per place."""
    rows = as_tensor(indices)
    if rows.dtype.kind not in "iu":
        raise DTypeError(f"{what}: indices must be ints, got {rows.dtype}; use ops.cast")
    if not rows.ndim or rows.shape[-1] is None or not 1 <= rows.shape[-1] <= ndim:
        raise ShapeError(
            f"{what}: indices need 1 to {ndim} columns, one per axis that they name, got shape "
            f"{show_shape(rows.spec.shape)}"
        )
    return tuple(getitem(rows, (..., k)) for k in range(rows.shape[-1]))


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((np.array([[0, 1], [2, 0], [0, 1]]), rng.normal(size=3), (3, 2))),
            Sample((np.array([[1], [0]]), rng.normal(size=(2, 3)), (4, 3))),
            Sample((np.zeros((0, 1), "int64"), np.ones((0, 2)), (3, 2))),
        ],
        lambda: [
            Bad((np.array([[3]]), np.ones(1), (3,)), {}, IndexError),
            Bad((np.array([[0]]), np.ones(2), (3,)), {}, ValueError),
            Bad((np.array([[0, 0]]), np.ones(1), (3,)), {}, ValueError),
            Bad((np.array([[0.5]]), np.ones(1), (3,)), {}, TypeError),
        ],
    ),
)  # fmt: skip
def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Zeros of that shape with the values at the places that the rows of indices name, added up at a place named twice.

    indices: (n, k) ints, k indices per place. values: (n, ...), the parts to put there.

    >>> import autograd_nn as ag
    >>> ag.ops.scatter([[0], [2], [2]], [1.0, 2.0, 4.0], (3,)).tolist()
    [1.0, 0.0, 6.0]
    """
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    parts = as_tensor(values)
    return scatter_like(parts, zeros(sizes, parts.dtype), _rows(indices, len(sizes), "scatter"))


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            *(
                Sample((rng.normal(size=(3, 2)), np.array([[0, 1], [2, 0], [0, 1]]), rng.normal(size=3), how))
                for how in (None, "add", "max", "min", "mul")
            ),
            Sample((rng.normal(size=(3, 2)), np.array([[2], [0]]), rng.normal(size=(2, 2)))),
            Sample((np.ones((0, 2)), np.zeros((0, 1), "int64"), np.ones((0, 2)))),
        ],
        lambda: [
            Bad((np.ones(3), np.array([[3]]), np.ones(1)), {}, IndexError),
            Bad((np.ones(3), np.array([[0]]), np.ones(2)), {}, ValueError),
            Bad((np.ones(3), np.array([[0]]), np.ones(1), "mean"), {}, ValueError),
            Bad((np.ones(3), np.array([[0.5]]), np.ones(1)), {}, TypeError),
        ],
    ),
)  # fmt: skip
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Tensor:
    """inputs with the updates at the places that the rows of indices name.

    indices: (n, k) ints. updates: (n, ...). reduction: None to replace what is there, the last one staying where a
    place is named twice; "add", "max", "min" or "mul" to join it with what is there.

    >>> import autograd_nn as ag
    >>> ag.ops.scatter_update([1.0, 2.0, 3.0], [[0], [2]], [7.0, 8.0]).tolist()
    [7.0, 2.0, 8.0]
    """
    x = as_tensor(inputs)
    ways = {None: index_update, "max": scatter_max, "min": scatter_min, "mul": scatter_mul}
    if reduction not in (*ways, "add"):
        raise InvalidArgument(
            f"scatter_update: reduction must be None, 'add', 'max', 'min' or 'mul', got {short(reduction)}"
        )
    key = _rows(indices, x.ndim, "scatter_update")
    if reduction == "add":
        return x + scatter_like(cast(updates, x.dtype), x, key)
    return ways[reduction](x, updates, key)
