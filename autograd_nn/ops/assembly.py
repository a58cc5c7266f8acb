"""Tensors joined, split, turned and laid on diagonals, by NumPy's handy names."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import normal_axis, show_shape
from ..engine.tensor import Tensor
from ..errors import AxisError, DTypeError, InvalidArgument, ShapeError, SymbolicError, short
from .arrange import flip
from .creation import shape, zeros
from .domain import Rng, cases
from .elementwise import where
from .family import composite
from .join import concatenate, split
from .linalg import diagonal, diagonal_like
from .shape import expand_dims, ravel, swapaxes

Random = Rng


def _int(value: Any, what: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise DTypeError(f"{what} must be an int, got {short(value)}")
    return value.__index__()


def _needs_axes(x: Any, count: int, what: str) -> Tensor:
    x = as_tensor(x)
    if x.ndim < count:
        raise ShapeError(f"{what}: needs at least {count} axes, got shape {show_shape(x.spec.shape)}")
    return x


# --- joining


@composite(
    reference=np.append,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)), rng.normal(size=2))),
            Sample((rng.normal(size=(2, 3)), rng.normal(size=(1, 3)), 0)),
            Sample((rng.normal(size=(2, 3)), rng.normal(size=(2, 1))), {"axis": -1}),
            Sample((rng.normal(size=()), rng.normal(size=()))), Sample((np.ones((0, 2)), rng.normal(size=2))),
        ],
        lambda: [
            Bad((np.ones((2, 3)), np.ones((2, 2)), 0), {}, ValueError),
            Bad((np.ones(2), np.ones(2), 1), {}, ValueError),
            Bad((np.array(["a"]), np.ones(1)), {}, TypeError), Bad((np.ones(2), np.ones((2, 2)), 0), {}, ValueError),
        ],
    ),
)  # fmt: skip
def append(x1: Any, x2: Any, axis: int | None = None) -> Tensor:
    """x2 after x1 along an axis; both flattened first if axis is None.

    Raises ShapeError where the shapes differ beside that axis.

    >>> import autograd_nn as ag
    >>> ag.ops.append([1.0, 2.0], [[3.0]]).tolist()
    [1.0, 2.0, 3.0]
    """
    return concatenate([x1, x2], axis)


@composite(
    reference=np.dstack,
    domain=cases(
        lambda rng: [
            Sample(([rng.normal(size=shape) for _ in range(2)],)) for shape in ((2, 3), (3,), (), (2, 0), (2, 1, 3))
        ],
        lambda: [
            Bad(([],), {}, ValueError), Bad((5,), {}, TypeError),
            Bad(([np.ones(2), np.ones(3)],), {}, ValueError), Bad(([np.ones((2, 2)), np.ones(2)],), {}, ValueError),
        ],
    ),
)  # fmt: skip
def dstack(xs: Sequence[Any]) -> Tensor:
    """Tensors one behind another: along axis 2, vectors as a row of depth 1 first.

    >>> import autograd_nn as ag
    >>> ag.ops.dstack([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[[1.0, 3.0], [2.0, 4.0]]]
    """
    if not isinstance(xs, (list, tuple)):
        raise DTypeError(f"dstack: expected a list or tuple of tensors, got {short(xs)}")
    return concatenate([_deep(as_tensor(x)) for x in xs], 2)


def _deep(x: Tensor) -> Tensor:
    missing = {0: (0, 1, 2), 1: (0, 2), 2: (2,)}.get(x.ndim)
    return x if missing is None else expand_dims(x, missing)


# --- splitting


@composite(
    reference=np.array_split,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(5, 2)), 3)), Sample((rng.normal(size=(2, 4)), [1, 3]), {"axis": -1}),
            Sample((rng.normal(size=2), 3)), Sample((np.ones((0, 2)), 2)),
        ],
        lambda: [
            Bad((np.ones(5), 0), {}, ValueError), Bad((np.ones(5), 2.0), {}, TypeError),
            Bad((np.ones(4), 2, 1), {}, ValueError), Bad((np.ones(5), [3, 1]), {}, ValueError),
        ],
    ),
)  # fmt: skip
def array_split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """x in pieces along an axis, which need not be equal: the first ones have an element more.

    indices_or_sections: how many pieces, or the rising places where a new one begins.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.array_split([1.0, 2.0, 3.0], 2)]
    [[1.0, 2.0], [3.0]]
    """
    x = as_tensor(x)
    place = normal_axis(axis, x.ndim, "array_split")
    if isinstance(indices_or_sections, (list, tuple, np.ndarray)):
        return split(x, indices_or_sections, place)
    sections = _int(indices_or_sections, "array_split: indices_or_sections")
    if sections < 1:
        raise InvalidArgument(f"array_split: expected at least one piece, got {sections}")
    size = x.shape[place]
    if size is None:
        raise SymbolicError(f"array_split: the size of axis {place} is not known yet; give places instead of a number")
    least, more = divmod(size, sections)
    return split(x, [k * least + min(k, more) for k in range(1, sections)], place)


def _split_domain(*shapes: tuple[int, ...], few: int) -> Domain:
    """Shapes to halve; refuses fewer axes than `few`, and pieces that are not equal."""

    def samples(rng: Random) -> list[Sample]:
        halves = [Sample((rng.normal(size=shape), 2)) for shape in shapes]
        return [*halves, Sample((rng.normal(size=shapes[0]), [1]))]

    def errors() -> list[Bad]:
        return [
            Bad((np.ones((1,) * (few - 1)), 1), {}, ValueError),
            Bad((np.ones((3, 3, 3)), 2), {}, ValueError),
            Bad((np.ones((2, 2, 2)), 0), {}, ValueError),
            Bad((np.ones((2, 2, 2)), 1.0), {}, TypeError),
        ]

    return Domain(samples, errors)


@composite(reference=np.hsplit, domain=_split_domain((3, 4), (4,), (0, 2), few=1))
def hsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """x in pieces side by side: along axis 1, or axis 0 where it is the only one.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.hsplit([[1.0, 2.0]], 2)]
    [[[1.0]], [[2.0]]]
    """
    x = _needs_axes(x, 1, "hsplit")
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@composite(reference=np.vsplit, domain=_split_domain((4, 3), (2, 0), few=2))
def vsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """x in pieces one below another, along axis 0. Raises ShapeError for fewer than two axes.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.vsplit([[1.0], [2.0]], 2)]
    [[[1.0]], [[2.0]]]
    """
    return split(_needs_axes(x, 2, "vsplit"), indices_or_sections, 0)


@composite(reference=np.dsplit, domain=_split_domain((2, 3, 4), (0, 1, 2), few=3))
def dsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """x in pieces one behind another, along axis 2. Raises ShapeError for fewer than three axes.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.dsplit([[[1.0, 2.0]]], 2)]
    [[[[1.0]]], [[[2.0]]]]
    """
    return split(_needs_axes(x, 3, "dsplit"), indices_or_sections, 2)


# --- turning


def _turn_domain(few: int) -> Domain:
    return cases(
        lambda rng: [Sample((rng.normal(size=shape),)) for shape in ((2, 3), (2, 1, 3), (0, 2))],
        lambda: [
            Bad((np.ones((1,) * (few - 1)),), {}, ValueError), Bad((np.array([["a"]]),), {}, TypeError),
            Bad(([[1.0], [1.0, 2.0]],), {}, ValueError),
        ],
    )  # fmt: skip


@composite(reference=np.fliplr, domain=_turn_domain(2))
def fliplr(x: Any) -> Tensor:
    """x with the order of its columns, axis 1, reversed. Raises ShapeError for fewer than two axes.

    >>> import autograd_nn as ag
    >>> ag.ops.fliplr([[1.0, 2.0]]).tolist()
    [[2.0, 1.0]]
    """
    return flip(_needs_axes(x, 2, "fliplr"), 1)


@composite(reference=np.flipud, domain=_turn_domain(1))
def flipud(x: Any) -> Tensor:
    """x with the order of its rows, axis 0, reversed. Raises ShapeError for a scalar.

    >>> import autograd_nn as ag
    >>> ag.ops.flipud([1.0, 2.0]).tolist()
    [2.0, 1.0]
    """
    return flip(_needs_axes(x, 1, "flipud"), 0)


@composite(
    reference=lambda x, k=1, axes=(0, 1): np.rot90(x, k, axes),
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)),)), Sample((rng.normal(size=(2, 3)), 2)),
            Sample((rng.normal(size=(2, 3)), -1)),
            Sample((rng.normal(size=(2, 3, 4)), 1, (2, 0))), Sample((rng.normal(size=(0, 2)), 4)),
        ],
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 2)), 0.5), {}, TypeError),
            Bad((np.ones((2, 2)), 1, (0, 0)), {}, ValueError), Bad((np.ones((2, 2)), 1, (0, 2)), {}, ValueError),
        ],
    ),
)  # fmt: skip
def rot90(array: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    """array turned k times by 90 degrees, from the first of two axes towards the second.

    Raises AxisError for axes out of range or the same one twice, ShapeError for fewer than two axes.

    >>> import autograd_nn as ag
    >>> ag.ops.rot90([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """
    x = _needs_axes(array, 2, "rot90")
    if len(axes) != 2:
        raise AxisError(f"rot90: axes must be two ints, got {short(axes)}")
    first, second = (normal_axis(axis, x.ndim, "rot90") for axis in axes)
    if first == second:
        raise AxisError(f"rot90: axes must differ, got {short(axes)}")
    turns: tuple[Callable[[], Tensor], ...] = (
        lambda: x,
        lambda: swapaxes(flip(x, second), first, second),
        lambda: flip(x, (first, second)),
        lambda: flip(swapaxes(x, first, second), second),
    )
    return turns[_int(k, "rot90: k") % 4]()


# --- diagonals


def _diag_errors() -> list[Bad]:
    return [
        Bad((np.ones(2), 0.5), {}, TypeError), Bad((np.array(["a"]),), {}, TypeError),
        Bad(([[1.0], [1.0, 2.0]],), {}, ValueError),
    ]  # fmt: skip


@composite(
    reference=np.diag,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=3),)), Sample((rng.normal(size=3), 1)), Sample((rng.normal(size=2), -2)),
            Sample((rng.normal(size=(3, 4)),)), Sample((rng.normal(size=(3, 4)), -1)), Sample((np.ones(0), 1)),
        ],
        lambda: [*_diag_errors(), Bad((np.ones((2, 2, 2)),), {}, ValueError), Bad((np.ones(()),), {}, ValueError)],
    ),
)  # fmt: skip
def diag(x: Any, k: int = 0) -> Tensor:
    """The square matrix with the vector x on diagonal k; of a matrix, its diagonal k.

    Raises ShapeError unless x has one axis or two.

    >>> import autograd_nn as ag
    >>> ag.ops.diag([1.0, 2.0]).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    x, k = as_tensor(x), _int(k, "diag: k")
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(f"diag: needs a vector or a matrix, got shape {show_shape(x.spec.shape)}")
    size = shape(x)[0] + abs(k)
    return diagonal_like(x, zeros((size, size), x.dtype), k)


@composite(
    reference=np.diagflat,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=3),)), Sample((rng.normal(size=(2, 2)), 1)), Sample((rng.normal(size=()), -1)),
            Sample((np.ones((0, 2)),)),
        ],
        _diag_errors,
    ),
)  # fmt: skip
def diagflat(x: Any, k: int = 0) -> Tensor:
    """The square matrix with the elements of x, flattened, on diagonal k.

    >>> import autograd_nn as ag
    >>> ag.ops.diagflat([[1.0, 2.0]]).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    return diag(ravel(x), k)


# --- choosing


@composite(
    reference=np.select,
    domain=cases(
        lambda rng: [
            Sample(([rng.normal(size=(3, 4)) > 0, rng.normal(size=4) > 0], [rng.normal(size=(3, 4)), np.ones(4)])),
            Sample(([rng.normal(size=3) > 0], [rng.normal(size=3)], 7.0)), Sample(([np.array(True)], [np.ones(())])),
            Sample(([np.ones((0, 2), bool)], [np.ones((0, 2))])),
        ],
        lambda: [
            Bad(([], []), {}, ValueError), Bad(([np.array([True])], []), {}, ValueError),
            Bad(([np.array([1.0])], [np.ones(1)]), {}, TypeError),
            Bad(([np.array([True, False])], [np.ones(3)]), {}, ValueError),
        ],
    ),
)  # fmt: skip
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    """For each element the choice beside the first condition that holds, else the default.

    condlist: bools, choicelist: as many tensors; all of them broadcast. Gradients flow to what is chosen.
    Raises InvalidArgument for lists of different length, DTypeError for conditions that are no bools.

    >>> import autograd_nn as ag
    >>> ag.ops.select([[True, False], [True, True]], [1.0, 2.0], 0.0).tolist()
    [1.0, 2.0]
    """
    if not condlist or len(condlist) != len(choicelist):
        raise InvalidArgument(
            f"select: condlist and choicelist must be as long, not empty; got {len(condlist)} and {len(choicelist)}"
        )
    found = default
    for condition, choice in reversed(list(zip(condlist, choicelist))):
        condition = as_tensor(condition)
        if condition.dtype.kind != "b":
            raise DTypeError(f"select: conditions must be bools, got {condition.dtype}; write x > 0 or ops.cast")
        found = where(condition, choice, found)
    return found
