"""Reductions over axes, and the un-broadcast that undoes NumPy's broadcasting."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import Dim, Shape, Spec, broadcast, normal_axes, show_shape
from ..engine.tensor import Tensor, record
from ..errors import ShapeError
from .cumulative import product_of_others
from .domain import DATES, Rng, Values, and_complex, bools, cases, gaussian, integers, reals
from .elementwise import cast, equal, exp, where
from .family import differ, dtype_of, primitive
from .shape import expand_dims

Axis = int | tuple[int, ...] | list[int] | None

# NumPy's types know no `keepdims` that is given at run time.
add_up: Callable[..., Any] = np.add.reduce


def reduced(shape: Shape, axis: tuple[int, ...], keepdims: bool) -> Shape:
    """The shape that is left after reducing `axis`."""
    if keepdims:
        return tuple(1 if k in axis else size for k, size in enumerate(shape))
    return tuple(size for k, size in enumerate(shape) if k not in axis)


def spread(g: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    """A reduced tensor, broadcast to the shape of `x` again."""
    return broadcast_like(g if keepdims else expand_dims(g, axis), x)


def reduction_infer(forward: Callable[..., Any]) -> Callable[..., Spec]:
    """Shape rule of a reduction whose dtype is what NumPy gives."""

    def infer(x: Spec, axis: tuple[int, ...], keepdims: bool, **params: Any) -> Spec:
        return Spec(reduced(x.shape, axis, keepdims), dtype_of(forward, x.dtype))

    return infer


def refuse_empty(name: str, x: Spec, axis: tuple[int, ...]) -> None:
    """ShapeError where an axis to reduce has no elements: an extreme of nothing does not exist."""
    if 0 in (x.shape[k] for k in axis):
        raise ShapeError(
            f"{name}: shape {show_shape(x.shape)} has no elements along axis {axis}; expected at least one"
        )


def reduction_domain(
    values: Values, empty: bool = True, also: Sequence[tuple[tuple[int, ...], dict[str, Any]]] = ()
) -> Domain:
    """Arrays of several shapes over no, one, several and all axes; refuses axes out of range or named twice.

    empty: whether an axis without elements can be reduced. also: shapes and arguments beyond the usual ones.
    """

    def samples(rng: Rng) -> list[Sample]:
        def case(shape: tuple[int, ...], axis: Axis, keepdims: bool = False, **more: Any) -> Sample:
            return Sample((values.draw(rng, shape),), {"axis": axis, "keepdims": keepdims, **more}, values.grad)

        usual = [
            case((), None), case((5,), 0), case((3, 4), None), case((3, 4), 1, True), case((2, 3, 4), (0, -1)),
            case((2, 1, 3), 1), case((2, 3), ()), *(case(shape, **arguments) for shape, arguments in also),
        ]  # fmt: skip
        return [*usual, case((0, 3), 0), case((2, 0), 1, True)] if empty else [*usual, case((0, 3), 1)]

    def errors() -> list[Bad]:
        x = values.draw(np.random.default_rng(0), (2, 3))
        return [
            Bad((x,), {"axis": 2}, ValueError),
            Bad((x,), {"axis": (0, -2)}, ValueError),
            Bad((x,), {"axis": 0.5}, TypeError),
            Bad((np.array(["a"]),), {}, TypeError),
        ]

    return Domain(samples, errors)


def reduce(op: Any, x: Any, axis: Axis, keepdims: bool, **params: Any) -> Tensor:
    """Record a reduction with its axes made canonical."""
    x = as_tensor(x)
    axes = normal_axes(axis, x.ndim, op.name)
    return record(op, (x,), {"axis": axes, "keepdims": bool(keepdims), **params})


@primitive(
    eval=add_up,
    infer=reduction_infer(np.sum),
    partials=(lambda g, y, x, axis, keepdims: spread(g, x, axis, keepdims),),
    emit="reduce:add",
    domain=and_complex(reduction_domain(reals(-3, 3)), lambda rng: [Sample((gaussian(rng, 2, 3),), {"axis": 1})]),
    family="reduction",
    reference=np.sum,
    complex=True,
)
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over axes; zero over no elements.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    Small integers and bools are summed as int64, as in NumPy. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=0).tolist()
    [4.0, 6.0]
    """
    return reduce(sum.op, x, axis, keepdims)


# --- sizes


def _product_of_sizes(x: Any, axis: tuple[int, ...]) -> Any:
    return np.int64(math.prod(x.shape[k] for k in axis))


def _size_infer(x: Spec, axis: tuple[int, ...]) -> Spec:
    sizes = [x.shape[k] for k in axis]
    dim = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], Dim) else None
    return Spec((), np.dtype("int64"), dim)


@primitive(
    eval=_product_of_sizes,
    infer=_size_infer,
    emit="size",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)),), {}, False), Sample((rng.normal(size=(2, 3)), 1), {}, False),
            Sample((rng.normal(size=()),), {}, False), Sample((np.ones((0, 4)), (0, -1)), {}, False),
        ],
        lambda: [
            Bad((np.ones(2), 1), {}, ValueError), Bad((np.ones((2, 2)), (0, 0)), {}, ValueError),
            Bad((np.ones(2), "0"), {}, TypeError),
        ],
    ),
    family="size",
    complex=True,
)  # fmt: skip
def size_of(x: Any, axis: Axis = None) -> Tensor:
    """The number of elements along axes as an int64 scalar, known at the latest when the graph runs.

    x: tensor or array. axis: one, several, or None for all. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.size_of([[1.0, 2.0, 3.0]], axis=1).item()
    3
    """
    x = as_tensor(x)
    return record(size_of.op, (x,), {"axis": normal_axes(axis, x.ndim, "size_of")})


def count(x: Tensor, axis: tuple[int, ...], dtype: Any) -> Any:
    """The number of elements along axes: an int where it is known, else a scalar of `dtype`."""
    sizes = [size for k in axis if isinstance(size := x.spec.shape[k], int)]
    return math.prod(sizes) if len(sizes) == len(axis) else cast(size_of(x, axis), dtype)


# --- product and logarithmic sum


def _others(x: Tensor, axis: tuple[int, ...]) -> Tensor:
    """For each element the product of all others over the axes."""
    along = product_of_others(x, axis[0])
    if len(axis) == 1:
        return along
    return along * _others(prod(x, axis[0], keepdims=True), axis[1:])


def _prod_rule(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    g = spread(g, x, axis, keepdims)
    return g * _others(x, axis) if axis else g


@primitive(
    eval=np.multiply.reduce,
    infer=reduction_infer(np.prod),
    partials=(_prod_rule,),
    emit="reduce:multiply",
    domain=reduction_domain(reals(-2, 2)),
    family="reduction",
    reference=np.prod,
)
def prod(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """The product over axes; one over no elements. The gradient is right where elements are zero.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    dtype: what x is cast to before; if None, small integers and bools are multiplied as int64, as in NumPy.
    Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.prod([[1.0, 2.0], [3.0, 4.0]], axis=0).tolist()
    [3.0, 8.0]
    """
    return reduce(prod.op, x if dtype is None else cast(x, dtype), axis, keepdims)


def peak(x: Any, axis: tuple[int, ...]) -> Any:
    """The largest element over axes, the axes kept; -inf of nothing."""
    if x.size:
        return np.maximum.reduce(x, axis=axis, keepdims=True)
    return np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)


def finite(top: Any) -> Any:
    """A number to subtract instead of `top`: x - top would be NaN where both are infinite."""
    limits = np.finfo(top.dtype)
    return np.maximum(np.minimum(top, limits.max), limits.min)


def _logsumexp(x: Any, axis: tuple[int, ...] = (), keepdims: bool = False) -> Any:
    x = x if x.dtype.kind == "f" else np.asarray(x, np.float64)
    top = peak(x, axis)
    total = add_up(np.exp(x - finite(top)), axis=axis, keepdims=True)
    # The largest term is 1, so `total` is below 1 only where all elements are -inf.
    y = np.log(np.maximum(total, 1)) + top
    return y if keepdims else np.squeeze(y, axis)


def _logsumexp_rule(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    level = where(equal(y, -np.inf), 0, y)
    return spread(g, x, axis, keepdims) * exp(x - spread(level, x, axis, keepdims))


@primitive(
    eval=_logsumexp,
    infer=reduction_infer(_logsumexp),
    partials=(_logsumexp_rule,),
    emit="reduce:logsumexp",
    domain=reduction_domain(reals(-5, 5), empty=False),
    family="reduction",
)
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over axes, without overflow; -inf with gradient 0 over nothing but -inf.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    Integers and bools give float64. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.logsumexp([1000.0, -1000.0]).item()
    1000.0
    """
    return reduce(logsumexp.op, x, axis, keepdims)


# --- truth and counting


@primitive(
    eval=np.logical_or.reduce,
    infer=reduction_infer(np.any),
    emit="reduce:or",
    domain=reduction_domain(bools()),
    family="reduction",
    reference=np.any,
)
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether an element over axes is true (not zero); false over no elements.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.any([[True, False], [False, False]], axis=1).tolist()
    [True, False]
    """
    return reduce(any.op, x, axis, keepdims)


@primitive(
    eval=np.logical_and.reduce,
    infer=reduction_infer(np.all),
    emit="reduce:and",
    domain=reduction_domain(bools()),
    family="reduction",
    reference=np.all,
)
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether every element over axes is true (not zero); true over no elements.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.all([[True, False], [True, True]], axis=1).tolist()
    [False, True]
    """
    return reduce(all.op, x, axis, keepdims)


def _count_nonzero(x: Any, axis: tuple[int, ...] = (), keepdims: bool = False) -> Any:
    return add_up(np.not_equal(x, 0), axis=axis, keepdims=keepdims, dtype=np.int64)


@primitive(
    eval=_count_nonzero,
    infer=reduction_infer(_count_nonzero),
    emit="reduce:count",
    domain=reduction_domain(integers(0, 1)),
    family="reduction",
)
def count_nonzero(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """How many elements over axes are not zero, as int64.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.count_nonzero([[1.0, 0.0], [2.0, 3.0]], axis=1).tolist()
    [1, 2]
    """
    return reduce(count_nonzero.op, x, axis, keepdims)


# --- broadcasting to and from the shape of another tensor


def _unbroadcast(g: Any, like: Any) -> Any:
    extra = g.ndim - like.ndim
    axes = tuple(k for k in range(g.ndim) if k < extra or like.shape[k - extra] == 1 != g.shape[k])
    summed = np.sum(g, axis=axes, keepdims=True, dtype=g.dtype) if axes else g
    part = summed.real if like.dtype.kind != "c" == summed.dtype.kind else summed
    return np.asarray(part).reshape(like.shape).astype(like.dtype, copy=False)


def _fits(small: Shape, large: Shape, what: str) -> None:
    """ShapeError unless `small` broadcasts to `large`."""
    if differ(broadcast(small, large, what=what), large):
        raise ShapeError(f"{what}: shape {show_shape(small)} does not broadcast to {show_shape(large)}")


def _unbroadcast_infer(g: Spec, like: Spec) -> Spec:
    _fits(like.shape, g.shape, "unbroadcast")
    return Spec(like.shape, like.dtype)


def _broadcast_infer(x: Spec, like: Spec) -> Spec:
    _fits(x.shape, like.shape, "broadcast_like")
    return Spec(like.shape, x.dtype)


def _like_samples(down: bool) -> Callable[[Rng], list[Sample]]:
    def samples(rng: Rng) -> list[Sample]:
        shapes = (((3, 4), (4,)), ((3, 4), (3, 1)), ((2, 3), ()), ((2, 3), (2, 3)), ((0, 3), (3,)))
        pairs = shapes if down else tuple((b, a) for a, b in shapes)
        return [Sample((rng.normal(size=a), rng.normal(size=b))) for a, b in pairs]

    return samples


def _like_errors() -> list[Bad]:
    return [
        Bad((np.ones((2, 3)), np.ones(4)), {}, ValueError),
        Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
        Bad((np.ones(3), DATES), {}, TypeError),
    ]


@primitive(
    eval=_unbroadcast,
    infer=_unbroadcast_infer,
    partials=(lambda gg, y, g, like: broadcast_like(gg, g), None),
    emit="unbroadcast",
    domain=cases(_like_samples(down=True), _like_errors),
    family="reduction",
    complex=True,
)
def unbroadcast(g: Any, like: Any) -> Tensor:
    """g summed over the axes along which `like` was broadcast to it, with the dtype of `like`: the real part where that
    is real.

    >>> import autograd_nn as ag
    >>> ag.ops.unbroadcast([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0]).tolist()
    [4.0, 6.0]
    """
    return record(unbroadcast.op, (as_tensor(g), as_tensor(like)), {})


@primitive(
    eval=lambda x, like: np.broadcast_to(x, like.shape),
    infer=_broadcast_infer,
    partials=(lambda g, y, x, like: g, None),
    emit="broadcast",
    domain=cases(_like_samples(down=False), _like_errors),
    family="broadcast",
    complex=True,
)
def broadcast_like(x: Any, like: Any) -> Tensor:
    """x broadcast to the shape of `like`, with its own dtype.

    >>> import autograd_nn as ag
    >>> ag.ops.broadcast_like(1.0, [0, 0]).tolist()
    [1.0, 1.0]
    """
    return record(broadcast_like.op, (as_tensor(x), as_tensor(like)), {})
