"""Tensors put together and taken apart along an axis."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import Dim, Shape, Size, Spec, normal_axis, promote, show_shape
from ..engine.tensor import Tensor, describe, record
from ..errors import DTypeError, InvalidArgument, ShapeError, SymbolicError, short
from .domain import Rng, cases, gaussian
from .family import composite, primitive, tensors
from .indexing import getitem
from .shape import expand_dims, ravel

Random = Rng


def _several(values: Any, what: str) -> tuple[Tensor, ...]:
    """The tensors to join; at least one."""
    if isinstance(values, (Tensor, np.ndarray)):
        values = tuple(values)
    if not isinstance(values, (list, tuple)):
        raise DTypeError(f"{what}: expected a list or tuple of tensors, got {short(values)}")
    if not values:
        raise InvalidArgument(f"{what}: expected at least one tensor, got none")
    return tensors(values)


# --- concatenate, and its gradient


def _differ(a: Size, b: Size) -> bool:
    return isinstance(a, int) and isinstance(b, int) and a != b


def _check_joined(shapes: Sequence[Shape], axis: int | None, what: str) -> None:
    """ShapeError unless the shapes are equal but for `axis`."""
    first = shapes[0]
    for place, shape in enumerate(shapes):
        if len(shape) != len(first) or any(_differ(a, b) and k != axis for k, (a, b) in enumerate(zip(first, shape))):
            but = "" if axis is None else f" but for axis {axis}"
            raise ShapeError(
                f"{what}: tensor 0 has shape {show_shape(first)}, tensor {place} {show_shape(shape)}; "
                f"shapes must be equal{but}"
            )


def _total(sizes: Sequence[Size]) -> Size:
    """The size of parts in a row."""
    unknown = [size for size in sizes if isinstance(size, Dim)]
    known = sum(size for size in sizes if isinstance(size, int))
    if not unknown:
        return known
    return unknown[0] if len(unknown) == 1 and not known else Dim()


def _common(sizes: Sequence[Size]) -> Size:
    """The size that all are, known where one of them is."""
    return next((size for size in sizes if isinstance(size, int)), sizes[0])


def _concatenate_infer(*specs: Spec, axis: int) -> Spec:
    shapes = [spec.shape for spec in specs]
    _check_joined(shapes, axis, "concatenate")
    shape = tuple(_total(sizes) if k == axis else _common(sizes) for k, sizes in enumerate(zip(*shapes)))
    return Spec(shape, promote(*[spec.dtype for spec in specs]))


def _concatenate_samples(rng: Random) -> list[Sample]:
    def case(axis: int | None, *shapes: tuple[int, ...]) -> Sample:
        return Sample(([rng.normal(size=shape) for shape in shapes],), {"axis": axis})

    return [
        case(0, (2, 3), (1, 3)), case(-1, (2, 3), (2, 1), (2, 0)), case(1, (2, 1, 2), (2, 3, 2)),
        case(0, (0, 2), (0, 2)), case(None, (2, 2), (3,)), case(0, (4,)),
        Sample(([gaussian(rng, 2), rng.normal(size=3)],)),
    ]  # fmt: skip


def _concatenate_errors() -> list[Bad]:
    x = np.ones((2, 3))
    return [
        Bad(([x, np.ones((2, 2))], 0), {}, ValueError), Bad(([x, x], 2), {}, ValueError), Bad(([],), {}, ValueError),
        Bad(([x, np.ones(3)], 0), {}, ValueError), Bad((5,), {}, TypeError),
        Bad(([np.ones(()), np.ones(())],), {}, ValueError),
    ]  # fmt: skip


@primitive(
    eval=lambda *xs, axis: np.concatenate(xs, axis),
    infer=_concatenate_infer,
    vjp=lambda g, y, *xs, axis: record(split_like.op, (g, *xs), {"axis": axis}),
    emit="concatenate",
    domain=cases(_concatenate_samples, _concatenate_errors),
    family="join",
    complex=True,
)
def concatenate(xs: Sequence[Any], axis: int | None = 0) -> Tensor:
    """The tensors one after another along an axis; flattened first if axis is None.

    xs: a list of tensors whose shapes are equal but for that axis. Raises ShapeError naming the first that differs.

    >>> import autograd_nn as ag
    >>> ag.ops.concatenate([[1.0, 2.0], [3.0]]).tolist()
    [1.0, 2.0, 3.0]
    """
    parts = _several(xs, "concatenate")
    if axis is None:
        parts, axis = tuple(ravel(part) for part in parts), 0
    return record(concatenate.op, parts, {"axis": normal_axis(axis, parts[0].ndim, "concatenate")})


def _split_like(x: Any, *likes: Any, axis: int) -> tuple[Any, ...]:
    ends = np.cumsum([like.shape[axis] for like in likes])
    return tuple(np.split(x, ends[:-1], axis))


def _split_like_infer(x: Spec, *likes: Spec, axis: int) -> tuple[Spec, ...]:
    for like in likes:
        _check_joined((x.shape, like.shape), axis, "split_like")
    total = _total([like.shape[axis] for like in likes])
    if _differ(total, x.shape[axis]):
        raise ShapeError(f"split_like: axis {axis} of {show_shape(x.shape)} has not the {total} elements of the parts")
    return tuple(Spec((*x.shape[:axis], like.shape[axis], *x.shape[axis + 1 :]), x.dtype) for like in likes)


@primitive(
    eval=_split_like,
    infer=_split_like_infer,
    vjp=lambda g, y, x, *likes, axis: (concatenate(g, axis), *[None] * len(likes)),
    emit="split",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 2)), [np.ones((1, 2)), np.ones((2, 2))])),
            Sample((rng.normal(size=(2, 4)), [np.ones((2, 0)), np.ones((2, 3)), np.ones((2, 1))]), {"axis": -1}),
            Sample((rng.normal(size=(0, 4)), [np.ones((0, 4))])),
        ],
        lambda: [
            Bad((np.ones(3), [np.ones(1), np.ones(1)]), {}, ValueError), Bad((np.ones(3), []), {}, ValueError),
            Bad((np.ones((3, 2)), [np.ones(3)]), {}, ValueError), Bad((np.ones(3), [np.ones(3)], 1), {}, ValueError),
        ],
    ),
    family="join",
    many=True,
    complex=True,
)  # fmt: skip
def split_like(x: Any, likes: Sequence[Any], axis: int = 0) -> list[Tensor]:
    """x in pieces of the sizes that `likes` have along an axis: the transpose of `concatenate`.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.split_like([1.0, 2.0, 3.0], [[0.0], [0.0, 0.0]])]
    [[1.0], [2.0, 3.0]]
    """
    x, parts = as_tensor(x), _several(likes, "split_like")
    place = normal_axis(axis, x.ndim, "split_like")
    _split_like_infer(x.spec, *[part.spec for part in parts], axis=place)
    return list(record(split_like.op, (x, *parts), {"axis": place}))


# --- stacking


def _stack_samples(rng: Random) -> list[Sample]:
    return [Sample(([rng.normal(size=shape) for _ in range(3)],)) for shape in ((2, 3), (4,), (0, 2), ())]


def _along_axis(rng: Random) -> list[Sample]:
    return [
        *_stack_samples(rng),
        Sample(([rng.normal(size=(2, 3)), rng.normal(size=(2, 3))], -1)),
        Sample(([rng.normal(size=3)], 1)),
    ]


def _stack_errors() -> list[Bad]:
    x = np.ones((2, 3))
    return [
        Bad(([],), {}, ValueError),
        Bad((5,), {}, TypeError),
        Bad(([x, np.ones((2, 2, 2))],), {}, ValueError),
    ]


def _axis_errors() -> list[Bad]:
    x = np.ones((2, 3))
    return [*_stack_errors(), Bad(([x, x], 3), {}, ValueError), Bad(([x, np.ones((2, 1))],), {}, ValueError)]


@composite(reference=np.stack, domain=cases(_along_axis, _axis_errors))
def stack(x: Sequence[Any], axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis. Raises ShapeError naming the first whose shape differs.

    >>> import autograd_nn as ag
    >>> ag.ops.stack([[1.0, 2.0], [3.0, 4.0]], axis=1).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    parts = _several(x, "stack")
    _check_joined([part.spec.shape for part in parts], None, "stack")
    return concatenate([expand_dims(part, axis) for part in parts], axis)


def _at_least(part: Tensor, ndim: int) -> Tensor:
    missing = ndim - part.ndim
    return expand_dims(part, tuple(range(missing))) if missing > 0 else part


@composite(reference=np.hstack, domain=cases(_stack_samples, _stack_errors))
def hstack(xs: Sequence[Any]) -> Tensor:
    """Tensors side by side: along axis 1, or axis 0 where they have one axis.

    >>> import autograd_nn as ag
    >>> ag.ops.hstack([[1.0], [2.0, 3.0]]).tolist()
    [1.0, 2.0, 3.0]
    """
    parts = [_at_least(part, 1) for part in _several(xs, "hstack")]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1)


@composite(reference=np.vstack, domain=cases(_stack_samples, _stack_errors))
def vstack(xs: Sequence[Any]) -> Tensor:
    """Tensors one below another, each of one axis as a row.

    >>> import autograd_nn as ag
    >>> ag.ops.vstack([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    return concatenate([_at_least(part, 2) for part in _several(xs, "vstack")], 0)


# --- splitting


def _split(x: Any, ends: int | tuple[int, ...], axis: int) -> tuple[Any, ...]:
    return tuple(np.split(x, ends, axis))


def _split_infer(x: Spec, ends: int | tuple[int, ...], axis: int) -> tuple[Spec, ...]:
    size = x.shape[axis]
    return tuple(Spec((*x.shape[:axis], part, *x.shape[axis + 1 :]), x.dtype) for part in _parts(size, ends, axis))


def _parts(size: Size, ends: int | tuple[int, ...], axis: int) -> list[Size]:
    """The sizes of the pieces."""
    if isinstance(ends, int):
        if not isinstance(size, int):
            return [size if ends == 1 else Dim()] * ends
        if size % ends:
            raise ShapeError(f"split: axis {axis} of size {size} has no {ends} equal pieces; give indices instead")
        return [size // ends] * ends
    if not isinstance(size, int):
        return [Dim() for _ in range(len(ends) + 1)]
    bounds = [slice(a, b).indices(size) for a, b in zip((None, *ends), (*ends, None))]
    return [len(range(*bound)) for bound in bounds]


@primitive(
    eval=_split,
    infer=_split_infer,
    vjp=lambda g, y, x, ends, axis: (concatenate(g, axis),),
    emit="split",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(4, 3)), 2)), Sample((rng.normal(size=(2, 5)), [1, 3]), {"axis": -1}),
            Sample((rng.normal(size=6), (2, 2))), Sample((rng.normal(size=(0, 2)), 3)), Sample((rng.normal(size=3), 1)),
        ],
        lambda: [
            Bad((np.ones(5), 2), {}, ValueError), Bad((np.ones(5), 0), {}, ValueError),
            Bad((np.ones(5), 2.0), {}, TypeError), Bad((np.ones(4), 2, 1), {}, ValueError),
            Bad((np.ones(5), [3, 1]), {}, ValueError),
        ],
    ),
    family="join",
    many=True,
    complex=True,
)  # fmt: skip
def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """x in pieces along an axis.

    indices_or_sections: how many equal pieces, or the rising places where a new one begins.
    Raises ShapeError where the axis has no equal pieces.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.split([1.0, 2.0, 3.0], [1])]
    [[1.0], [2.0, 3.0]]
    """
    x = as_tensor(x)
    place = normal_axis(axis, x.ndim, "split")
    return list(record(split.op, (x,), {"ends": _ends(indices_or_sections), "axis": place}))


def _ends(given: Any) -> int | tuple[int, ...]:
    if isinstance(given, (list, tuple, np.ndarray)) and np.ndim(given) == 1:
        ends = tuple(_int(end, "a place") for end in given)
        if any(a < 0 or b < a for a, b in zip(ends, (*ends[1:], *ends[-1:]))):
            raise InvalidArgument(f"split: the places {short(ends)} must be >= 0 and rise")
        return ends
    sections = _int(given, "indices_or_sections")
    if sections < 1:
        raise InvalidArgument(f"split: expected at least one piece, got {sections}")
    return sections


def _int(value: Any, what: str) -> int:
    if not hasattr(value, "__index__") or isinstance(value, bool):
        raise DTypeError(f"split: {what} must be an int, got {short(value)}")
    return value.__index__()


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)),)), Sample((rng.normal(size=(2, 3)),), {"axis": -1}),
            Sample((rng.normal(size=(2, 0)), 2)), Sample((rng.normal(size=3),)),
        ],
        lambda: [
            Bad((np.ones(()),), {}, ValueError), Bad((np.ones((2, 3)), 3), {}, ValueError),
            Bad((np.ones((2, 3)), None, 2), {}, ValueError),
        ],
    ),
)  # fmt: skip
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """x as a list of its slices along an axis, which is dropped.

    num: the size of that axis, needed where it is not known yet. Raises ShapeError where it differs, SymbolicError
    where the size is unknown and not given.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.unstack([[1.0, 2.0], [3.0, 4.0]])]
    [[1.0, 2.0], [3.0, 4.0]]
    """
    x = as_tensor(x)
    place = normal_axis(axis, x.ndim, "unstack")
    size = x.spec.shape[place]
    if isinstance(size, Dim) and num is None:
        raise SymbolicError(f"unstack: axis {place} of {describe(x)} is not known yet; give num=")
    count = size if num is None else num
    if isinstance(size, int) and count != size:
        raise ShapeError(f"unstack: axis {place} of {describe(x)} has size {size}, got num={count}")
    return [getitem(x, (*[slice(None)] * place, k)) for k in range(count)]
