"""Ops that move elements without computing: reshape, transpose, join, split, pad, repeat."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import Dim, Shape, Spec, normal_axes, normal_axis, show_shape
from ..engine.tensor import Tensor, record
from ..errors import AxisError, DTypeError, InvalidArgument, ShapeError, short
from .domain import DATES, cases, gaussian
from .family import composite, primitive


def _expanded(x: Spec, axis: tuple[int, ...]) -> Spec:
    sizes = iter(x.shape)
    return Spec(tuple(1 if k in axis else next(sizes) for k in range(x.ndim + len(axis))), x.dtype)


@primitive(
    eval=np.expand_dims,
    infer=_expanded,
    partials=(lambda g, y, x, axis: squeeze(g, axis),),
    emit="view",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)), 1)), Sample((rng.normal(size=()), 0)),
            Sample((rng.normal(size=2), (0, -1))), Sample((rng.normal(size=(0, 2)), -1)),
        ],
        lambda: [
            Bad((np.ones(2), 2), {}, ValueError), Bad((np.ones(2), (0, 0)), {}, ValueError),
            Bad((np.ones(2), "0"), {}, TypeError),
        ],
    ),
    family="view",
    complex=True,
)  # fmt: skip
def expand_dims(x: Any, axis: int | tuple[int, ...]) -> Tensor:
    """x with new axes of size 1 at the places `axis` of the result.

    Raises AxisError for a place out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.expand_dims([1.0, 2.0], 0).shape
    (1, 2)
    """
    x = as_tensor(x)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    return record(expand_dims.op, (x,), {"axis": normal_axes(axis, x.ndim + count, "expand_dims")})


def _squeezed(x: Spec, axis: tuple[int, ...]) -> Spec:
    for k in axis:
        if isinstance(x.shape[k], int) and x.shape[k] != 1:
            raise ShapeError(f"squeeze: axis {k} of shape {show_shape(x.shape)} has size {x.shape[k]}, expected 1")
    return Spec(tuple(size for k, size in enumerate(x.shape) if k not in axis), x.dtype)


@primitive(
    eval=np.squeeze,
    infer=_squeezed,
    partials=(lambda g, y, x, axis: expand_dims(g, axis),),
    emit="view",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 1, 4)), 1)), Sample((rng.normal(size=(1, 2, 1)),)),
            Sample((rng.normal(size=(1, 0)), 0)), Sample((rng.normal(size=(1, 1)), (0, -1))),
        ],
        lambda: [
            Bad((np.ones((2, 1)), 0), {}, ValueError), Bad((np.ones((2, 1)), 2), {}, ValueError),
            Bad((np.ones((1, 1)), (1, -1)), {}, ValueError),
        ],
    ),
    family="view",
    complex=True,
)  # fmt: skip
def squeeze(x: Any, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """x without the axes `axis`, which must have size 1; without all such axes if None.

    Raises ShapeError for an axis of another size, AxisError for one out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.squeeze([[1.0, 2.0]], 0).shape
    (2,)
    """
    x = as_tensor(x)
    if axis is None:
        axis = tuple(k for k, size in enumerate(x.spec.shape) if size == 1)
    return record(squeeze.op, (x,), {"axis": normal_axes(axis, x.ndim, "squeeze")})


@primitive(
    eval=np.transpose,
    infer=lambda x, axes: Spec(tuple(x.shape[k] for k in axes), x.dtype),
    partials=(lambda g, y, x, axes: transpose(g, tuple(sorted(range(len(axes)), key=axes.__getitem__))),),
    emit="view",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3, 4)),)), Sample((rng.normal(size=(2, 3, 4)), (1, 2, 0))),
            Sample((rng.normal(size=()),)), Sample((rng.normal(size=(0, 2)), (-1, 0))), Sample((gaussian(rng, 2, 3),)),
        ],
        lambda: [
            Bad((np.ones((2, 3)), (0, 0)), {}, ValueError), Bad((np.ones((2, 3)), (0,)), {}, ValueError),
            Bad((np.ones((2, 3)), (0, 2)), {}, ValueError),
        ],
    ),
    family="view",
    complex=True,
)  # fmt: skip
def transpose(x: Any, axes: Any = None, *more: int) -> Tensor:
    """x with its axes in the order `axes`; reversed if None.

    Raises ShapeError unless `axes` names every axis once.

    >>> import autograd_nn as ag
    >>> ag.ops.transpose([[1.0, 2.0]]).shape
    (2, 1)
    """
    x = as_tensor(x)
    if more:
        axes = (axes, *more)
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(normal_axis(k, x.ndim, "transpose") for k in axes)
    if sorted(order) != list(range(x.ndim)):
        raise ShapeError(f"transpose: axes {tuple(axes)} must name each of the {x.ndim} axes once")
    return record(transpose.op, (x,), {"axes": order})


def _reshaped(x: Spec, *sizes: Spec, shape: tuple[int | None, ...]) -> Spec:
    target = list(spec_shape(shape, sizes))
    known = math.prod(size for size in target if isinstance(size, int) and size != -1)
    if -1 in target:
        target[target.index(-1)] = _inferred_size(x, [size for size in target if size != -1], known)
    elif not [s for s in (*target, *x.shape) if isinstance(s, Dim)] and known != math.prod(x.shape):  # type: ignore[arg-type]
        raise ShapeError(f"reshape: {show_shape(x.shape)} has {math.prod(x.shape)} elements, {shape} needs {known}")  # type: ignore[arg-type]
    return Spec(tuple(target), x.dtype)


def _inferred_size(x: Spec, rest: list[Any], known: int) -> Any:
    """The size that -1 stands for: a quotient, an unknown size of x that is left over, or a new one."""
    unknown = [size for size in x.shape if isinstance(size, Dim)]
    for size in rest:
        if isinstance(size, Dim) and size in unknown:
            unknown.remove(size)
        elif isinstance(size, Dim):
            return Dim()
    total = math.prod(size for size in x.shape if isinstance(size, int))
    if not unknown:
        if known == 0 or total % known:
            raise ShapeError(f"reshape: {show_shape(x.shape)} cannot become (-1, {known}): not a whole number of rows")
        return total // known
    return unknown[0] if len(unknown) == 1 and total == known else Dim()


def _reshape(x: Any, *sizes: Any, shape: tuple[int | None, ...]) -> Any:
    return np.reshape(x, value_shape(shape, sizes))


@primitive(
    eval=_reshape,
    infer=_reshaped,
    vjp=lambda g, y, x, *sizes, shape: (reshape_like(g, x), *[None] * len(sizes)),
    emit="view",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 6)), (3, -1))), Sample((rng.normal(size=()), (1, 1))),
            Sample((rng.normal(size=(0, 3)), (3, 0))), Sample((rng.normal(size=4), 4)),
            Sample((gaussian(rng, 2, 3), (3, 2))),
        ],
        lambda: [
            Bad((np.ones((2, 3)), (4, 2)), {}, ValueError), Bad((np.ones((2, 3)), (4, -1)), {}, ValueError),
            Bad((np.ones((2, 3)), (-1, -1)), {}, ValueError), Bad((np.ones(2), (2.5,)), {}, TypeError),
            Bad((np.ones(2),), {}, ValueError), Bad((np.ones(2), 2), {"newshape": 2}, ValueError),
        ],
    ),
    family="view",
    complex=True,
)  # fmt: skip
def reshape(x: Any, shape: Any = None, *more: Any, newshape: Any = None) -> Tensor:
    """x with the same elements in row-major order and another shape.

    shape: ints, of which one may be -1 (or None) for what is left; scalar integer tensors for sizes not known yet.
    newshape: Keras' name of it. Raises ShapeError when the number of elements differs.

    >>> import autograd_nn as ag
    >>> ag.ops.reshape([1.0, 2.0, 3.0, 4.0], (2, -1)).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    x = as_tensor(x)
    if (shape is None) == (newshape is None):
        raise InvalidArgument("reshape: give the new shape, such as (2, -1), once")
    shape = newshape if shape is None else shape
    sizes, dynamic = static_sizes((shape, *more) if more else shape, "reshape")
    if sizes.count(-1) > 1:
        raise ShapeError(f"reshape: shape {short(shape)} leaves more than one size open; give all but one")
    return record(reshape.op, (x, *dynamic), {"shape": sizes})


def listed_sizes(shape: Any) -> Sequence[Any]:
    """The sizes in a tuple or in a vector of integers; those of a vector put together are taken from its parts."""
    if isinstance(shape, (tuple, list)):
        return shape
    if not isinstance(shape, (Tensor, np.ndarray)) or shape.ndim != 1 or shape.dtype.kind not in "iu":
        return (shape,)
    if isinstance(shape, np.ndarray) or not shape.is_symbolic:
        return [int(size) for size in np.asarray(shape)]
    name = None if shape.op is None else shape.op.name
    if name == "concatenate":
        return [size for part in shape.inputs for size in listed_sizes(part)]
    if name == "expand_dims":
        return [shape.inputs[0]]
    count = shape.spec.shape[0]
    return [shape[k] for k in range(count)] if isinstance(count, int) else (shape,)


def static_sizes(shape: Any, what: str) -> tuple[tuple[int | None, ...], tuple[Tensor, ...]]:
    """A shape as ints with None for each size that only a tensor knows, and these tensors in order."""
    given = listed_sizes(shape)
    sizes: list[int | None] = []
    dynamic: list[Tensor] = []
    for size in given:
        if isinstance(size, Tensor) and size.is_symbolic:
            sizes.append(None)
            dynamic.append(size)
        elif size is None:
            sizes.append(-1)
        elif not hasattr(size, "__index__") or isinstance(size, bool):
            raise DTypeError(f"{what}: a size must be an int, got {short(size)}")
        elif size.__index__() < -1:
            raise ShapeError(f"{what}: sizes must be >= 0 (or one -1), got {short(shape)}")
        else:
            sizes.append(size.__index__())
    return tuple(sizes), tuple(dynamic)


def _reshaped_like(x: Spec, like: Spec) -> Spec:
    known = all(isinstance(size, int) for size in (*x.shape, *like.shape))
    if known and math.prod(x.shape) != math.prod(like.shape):  # type: ignore[arg-type]
        raise ShapeError(f"reshape_like: {show_shape(x.shape)} and {show_shape(like.shape)} differ in their elements")
    return Spec(like.shape, x.dtype)


@primitive(
    eval=lambda x, like: np.reshape(x, like.shape),
    infer=_reshaped_like,
    partials=(lambda g, y, x, like: reshape_like(g, x), None),
    emit="view",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 6)), rng.normal(size=(3, 4)))), Sample((rng.normal(size=1), np.ones(()))),
            Sample((rng.normal(size=(0, 2)), np.ones(0))),
        ],
        lambda: [
            Bad((np.ones(3), np.ones(4)), {}, ValueError), Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
            Bad((np.ones(3), DATES), {}, TypeError),
        ],
    ),
    family="view",
    complex=True,
)  # fmt: skip
def reshape_like(x: Any, like: Any) -> Tensor:
    """x with the shape of `like`, which must have as many elements.

    >>> import autograd_nn as ag
    >>> ag.ops.reshape_like([1.0, 2.0], [[0.0], [0.0]]).shape
    (2, 1)
    """
    return record(reshape_like.op, (as_tensor(x), as_tensor(like)), {})


# --- sizes that may not be known yet


def full_sizes(shape: Any, what: str) -> tuple[tuple[int | None, ...], tuple[Tensor, ...]]:
    """As `static_sizes`, for results of which no size can be left open."""
    sizes, dynamic = static_sizes(shape, what)
    if -1 in sizes:
        raise ShapeError(f"{what}: every size must be given, got {short(shape)}; take unknown ones from ops.shape(x)")
    return sizes, dynamic


def spec_shape(sizes: tuple[int | None, ...], dynamic: tuple[Spec, ...]) -> Shape:
    """The shape that a rule gives for these sizes, each unknown one named by the tensor it comes from."""
    given = iter(dynamic)
    return tuple(next(given).dim or Dim() if size is None else size for size in sizes)


def value_shape(sizes: tuple[int | None, ...], dynamic: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape when the graph runs and all sizes have values."""
    given = iter(dynamic)
    return tuple(int(next(given)) if size is None else size for size in sizes)


def broadcast_infer(x: Spec, *dynamic: Spec, shape: tuple[int | None, ...]) -> Spec:
    """Shape rule of what spreads x over a whole shape."""
    target = spec_shape(shape, dynamic)
    pairs = zip(reversed(x.shape), reversed(target))
    fits = all(a in (1, b) or not isinstance(a, int) or not isinstance(b, int) for a, b in pairs)
    if len(target) < x.ndim or not fits:
        raise ShapeError(
            f"shape {show_shape(x.shape)} does not broadcast to {show_shape(target)}; counted from the last axis, "
            "sizes must be equal or 1 in the first"
        )
    return Spec(target, x.dtype)


@primitive(
    eval=lambda x, *dynamic, shape: np.broadcast_to(x, value_shape(shape, dynamic)),
    infer=broadcast_infer,
    vjp=lambda g, y, x, *dynamic, shape: (g, *[None] * len(dynamic)),
    emit="broadcast",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 1)), (2, 3, 4))), Sample((rng.normal(size=()), (2,))),
            Sample((rng.normal(size=3), 3)), Sample((rng.normal(size=(1, 2)), (0, 2))),
            Sample((rng.normal(size=()), ())),
        ],
        lambda: [
            Bad((np.ones(3), (4,)), {}, ValueError), Bad((np.ones((2, 3)), (3,)), {}, ValueError),
            Bad((np.ones(1), (-1,)), {}, ValueError), Bad((np.ones(1), (2.0,)), {}, TypeError),
        ],
    ),
    family="broadcast",
    complex=True,
)  # fmt: skip
def broadcast_to(x: Any, shape: Any) -> Tensor:
    """x repeated along axes of size 1, and new ones in front, to `shape`.

    shape: ints, or scalar integer tensors for sizes not known yet. Raises ShapeError where x does not fit.

    >>> import autograd_nn as ag
    >>> ag.ops.broadcast_to([1.0, 2.0], (2, 2)).tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """
    sizes, dynamic = full_sizes(shape, "broadcast_to")
    return record(broadcast_to.op, (as_tensor(x), *dynamic), {"shape": sizes})


# --- other orders of the axes


def _axes_in_order(axis: Any, ndim: int, what: str) -> tuple[int, ...]:
    """Axes counted from the front, in the order given."""
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(normal_axis(k, ndim, what) for k in given)
    if len(set(axes)) < len(axes):
        raise AxisError(f"{what}: {axis} names an axis twice")
    return axes


@composite(
    reference=np.moveaxis,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3, 4)), 0, -1)), Sample((rng.normal(size=(2, 3, 4)), (0, 1), (-1, 0))),
            Sample((rng.normal(size=3), 0, 0)), Sample((rng.normal(size=(0, 2)), 1, 0)),
        ],
        lambda: [
            Bad((np.ones((2, 3)), 2, 0), {}, ValueError), Bad((np.ones((2, 3)), (0, 1), 0), {}, ValueError),
            Bad((np.ones((2, 3)), (0, 0), (0, 1)), {}, ValueError), Bad((np.ones(2), 0, "0"), {}, TypeError),
        ],
    ),
)  # fmt: skip
def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """x with the axes `source` at the places `destination`; the others keep their order.

    Raises AxisError for an axis out of range or named twice, ShapeError for a different number of places.

    >>> import autograd_nn as ag
    >>> ag.ops.moveaxis([[[1.0, 2.0, 3.0]]], 2, 0).shape
    (3, 1, 1)
    """
    x = as_tensor(x)
    start = _axes_in_order(source, x.ndim, "moveaxis source")
    end = _axes_in_order(destination, x.ndim, "moveaxis destination")
    if len(start) != len(end):
        raise ShapeError(f"moveaxis: {len(start)} source axes and {len(end)} destinations; expected as many")
    moved = dict(zip(end, start))
    rest = iter(k for k in range(x.ndim) if k not in start)
    return transpose(x, tuple(moved[k] if k in moved else next(rest) for k in range(x.ndim)))


@composite(
    reference=np.swapaxes,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3, 4)), 0, -1)), Sample((rng.normal(size=3), 0, 0)),
            Sample((rng.normal(size=(0, 2)), 1, 0)),
        ],
        lambda: [
            Bad((np.ones((2, 3)), 2, 0), {}, ValueError), Bad((np.ones((2, 3)), 0, -3), {}, ValueError),
            Bad((np.ones(2), 0, "0"), {}, TypeError), Bad((np.ones(()), 0, 0), {}, ValueError),
        ],
    ),
)  # fmt: skip
def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """x with two axes exchanged. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.swapaxes([[1.0, 2.0, 3.0]], 0, 1).shape
    (3, 1)
    """
    x = as_tensor(x)
    a, b = normal_axis(axis1, x.ndim, "swapaxes"), normal_axis(axis2, x.ndim, "swapaxes")
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return transpose(x, tuple(order))


# --- one axis


def _flat_domain() -> Domain:
    return cases(
        lambda rng: [Sample((rng.normal(size=shape),)) for shape in ((2, 3), (), (4,), (0, 3), (2, 1, 2))],
        lambda: [
            Bad((np.array(["a"]),), {}, TypeError), Bad((DATES,), {}, TypeError),
            Bad(([[1.0], [1.0, 2.0]],), {}, ValueError),
        ],
    )  # fmt: skip


@composite(reference=np.ravel, domain=_flat_domain())
def ravel(x: Any) -> Tensor:
    """x as one axis, in row-major order.

    >>> import autograd_nn as ag
    >>> ag.ops.ravel([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    return reshape(x, (-1,))


@composite(reference=np.ravel, domain=_flat_domain())
def flatten(x: Any) -> Tensor:
    """x as one axis, in row-major order: another name for `ravel`, as NumPy's arrays have it.

    >>> import autograd_nn as ag
    >>> ag.ops.flatten([[1.0], [3.0]]).tolist()
    [1.0, 3.0]
    """
    return reshape(x, (-1,))
