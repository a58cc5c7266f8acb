"""Products of matrices and vectors, diagonals, and norms."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor, pair
from ..engine.op import Bad, Sample
from ..engine.spec import Dim, Size, Spec, broadcast, normal_axes, normal_axis, promote, show_shape
from ..engine.tensor import Tensor, record
from ..errors import AxisError, DTypeError, InvalidArgument, ShapeError, short
from . import statistics
from .complexes import conj
from .domain import DATES, Rng, cases, gaussian, reals
from .elementwise import abs, cast, equal, not_equal, power, where
from .family import composite, differ, primitive
from .reduction import Axis, add_up, reduce, reduced, reduction_domain, spread, sum
from .shape import expand_dims, reshape, squeeze, transpose


def _matmul_infer(a: Spec, b: Spec) -> Spec:
    if not a.ndim or not b.ndim:
        raise ShapeError(f"matmul: needs at least one axis, got {show_shape(a.shape)} and {show_shape(b.shape)}; use *")
    inner, other = a.shape[-1], b.shape[-2 if b.ndim > 1 else -1]
    if isinstance(inner, int) and isinstance(other, int) and inner != other:
        raise ShapeError(
            f"matmul: the last axis of {show_shape(a.shape)} must equal the last but one of {show_shape(b.shape)}: "
            f"{inner} is not {other}"
        )
    rows = a.shape[-2:-1]
    columns = b.shape[-1:] if b.ndim > 1 else ()
    return Spec((*broadcast(a.shape[:-2], b.shape[:-2], what="matmul"), *rows, *columns), promote(a.dtype, b.dtype))


def swap_last(x: Tensor) -> Tensor:
    """x with its last two axes exchanged."""
    order = list(range(x.ndim))
    order[-2:] = order[-1], order[-2]
    return transpose(x, tuple(order))


def _matmul_left(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Tensor:
    if b.ndim == 1:
        return expand_dims(g, -1) * b
    if a.ndim == 1:
        return squeeze(matmul(b, expand_dims(g, -1)), -1)
    return matmul(g, swap_last(b))


def _matmul_right(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Tensor:
    if a.ndim == 1:
        return a * g if b.ndim == 1 else expand_dims(a, -1) * expand_dims(g, -2)
    if b.ndim == 1:
        return squeeze(matmul(swap_last(a), expand_dims(g, -1)), -1)
    if b.ndim == 2 < a.ndim and a.shape[-1] and g.shape[-1]:
        return matmul(swap_last(reshape(a, (-1, a.shape[-1]))), reshape(g, (-1, g.shape[-1])))
    return matmul(swap_last(a), g)


def _matmul_samples(rng: Rng) -> list[Sample]:
    shapes = (
        ((3, 4), (4, 2)), ((4,), (4,)), ((4,), (4, 2)), ((3, 4), (4,)), ((2, 3, 4), (4, 2)), ((2, 3, 4), (2, 4, 5)),
        ((2, 1, 3, 4), (5, 4, 2)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,)), ((0, 4), (4, 2)), ((3, 0), (0, 2)),
        ((2, 3, 0), (0, 2)), ((2, 2, 3), (3, 0)),
    )  # fmt: skip
    mixed = [Sample((gaussian(rng, 2, 3), rng.normal(size=(3, 2)))), Sample((gaussian(rng, 3), gaussian(rng, 3)))]
    return [*(Sample((rng.normal(size=a), rng.normal(size=b))) for a, b in shapes), *mixed]


@primitive(
    eval=np.matmul,
    infer=_matmul_infer,
    partials=(_matmul_left, _matmul_right),
    emit="gemm",
    domain=cases(
        _matmul_samples,
        lambda: [
            Bad((np.ones((2, 3)), np.ones((2, 3))), {}, ValueError), Bad((np.ones(3), 2.0), {}, ValueError),
            Bad((np.ones((2, 3, 4)), np.ones((3, 4, 2))), {}, ValueError),
            Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
        ],
    ),
    family="product",
    complex=True,
)  # fmt: skip
def matmul(x1: Any, x2: Any) -> Tensor:
    """The matrix product over the last axis of x1 and the last but one of x2; leading axes broadcast.

    A vector takes part as a row on the left, as a column on the right, as in NumPy. Raises ShapeError.

    >>> import autograd_nn as ag
    >>> ag.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    return record(matmul.op, (as_tensor(x1), as_tensor(x2)), {})


# --- diagonals


def _diagonal_samples(rng: Rng) -> list[Sample]:
    written: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
        ((3, 3), ()), ((2, 4), (1,)), ((4, 2), (-1,)), ((2, 3, 4), (0, 0, 2)), ((2, 3, 4), (1, -1, 1)), ((2, 2), (5,)),
        ((0, 3), ()),
    )  # fmt: skip
    return [Sample((rng.normal(size=shape), *args)) for shape, args in written]


def _diagonal_errors() -> list[Bad]:
    return [
        Bad((np.ones(3),), {}, ValueError),
        Bad((np.ones((2, 2)), 0, 0, 2), {}, ValueError),
        Bad((np.ones((2, 2)), 0, 1, -1), {}, ValueError),
        Bad((np.ones((2, 2)), 0.5), {}, TypeError),
    ]


def _diagonal_axes(name: str, x: Tensor, offset: Any, axis1: int, axis2: int) -> dict[str, int]:
    first, second = normal_axis(axis1, x.ndim, name), normal_axis(axis2, x.ndim, name)
    if first == second:
        raise AxisError(f"{name}: axis1 and axis2 must differ, both are {axis1}; shape {show_shape(x.spec.shape)}")
    if not hasattr(offset, "__index__"):
        raise DTypeError(f"{name}: offset must be an int, got {short(offset)}")
    return {"offset": offset.__index__(), "axis1": first, "axis2": second}


def _diagonal_size(rows: Size, columns: Size, offset: int) -> Size:
    if isinstance(rows, int) and isinstance(columns, int):
        return max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    return rows if rows == columns and not offset else Dim()


def _diagonal_infer(x: Spec, offset: int, axis1: int, axis2: int) -> Spec:
    rest = tuple(size for k, size in enumerate(x.shape) if k not in (axis1, axis2))
    return Spec((*rest, _diagonal_size(x.shape[axis1], x.shape[axis2], offset)), x.dtype)


@primitive(
    eval=np.diagonal,
    infer=_diagonal_infer,
    partials=(lambda g, y, x, offset, axis1, axis2: diagonal_like(g, x, offset, axis1, axis2),),
    emit="view",
    domain=cases(_diagonal_samples, _diagonal_errors),
    family="view",
)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements of x whose index along axis2 is that along axis1 plus `offset`, as a new last axis.

    x: tensor or array of at least two axes. Raises AxisError for an axis out of range or the same one twice.

    >>> import autograd_nn as ag
    >>> ag.ops.diagonal([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [1.0, 4.0]
    """
    x = as_tensor(x)
    return record(diagonal.op, (x,), _diagonal_axes("diagonal", x, offset, axis1, axis2))


def _on_diagonal(d: Any, like: Any, offset: int, axis1: int, axis2: int) -> Any:
    x = np.zeros(like.shape, d.dtype)
    place = np.diagonal(x, offset, axis1, axis2)
    place.flags.writeable = True
    place[...] = d
    return x


def _on_diagonal_samples(rng: Rng) -> list[Sample]:
    written: tuple[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]], ...] = (
        ((3,), (3, 3), ()), ((2,), (2, 4), (1,)), ((3, 2), (2, 3, 4), (0, 0, 2)), ((0,), (0, 3), ()),
    )  # fmt: skip
    return [Sample((rng.normal(size=d), rng.normal(size=like), *args)) for d, like, args in written]


@primitive(
    eval=_on_diagonal,
    infer=lambda d, like, offset, axis1, axis2: Spec(like.shape, d.dtype),
    partials=(
        lambda g, y, d, like, offset, axis1, axis2: diagonal(g, offset, axis1, axis2),
        None,
    ),
    emit="diagonal",
    domain=cases(
        _on_diagonal_samples,
        lambda: [
            Bad((np.ones(2), np.ones((3, 3))), {}, ValueError), Bad((np.ones(3), np.ones(3)), {}, ValueError),
            Bad((np.ones(3), np.ones((3, 3)), 0, 1, 1), {}, ValueError),
            Bad((np.array(["a"]), np.ones((1, 1))), {}, TypeError),
        ],
    ),
    family="shape",
)  # fmt: skip
def diagonal_like(d: Any, like: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Zeros of the shape of `like` with the elements of d where `diagonal` takes them from.

    Raises ShapeError unless d has the shape of that diagonal.

    >>> import autograd_nn as ag
    >>> ag.ops.diagonal_like([1.0, 2.0], [[5.0, 5.0], [5.0, 5.0]]).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    d, like = as_tensor(d), as_tensor(like)
    params = _diagonal_axes("diagonal_like", like, offset, axis1, axis2)
    expected = _diagonal_infer(like.spec, **params).shape
    if differ(d.spec.shape, expected):
        raise ShapeError(
            f"diagonal_like: the diagonal of {show_shape(like.spec.shape)} has shape {show_shape(expected)}, "
            f"got {show_shape(d.spec.shape)}"
        )
    return record(diagonal_like.op, (d, like), params)


@composite(reference=np.trace, domain=cases(_diagonal_samples, _diagonal_errors))
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of the diagonal of x over two axes; the other axes remain.

    x: tensor or array of at least two axes. Raises AxisError for an axis out of range or the same one twice.

    >>> import autograd_nn as ag
    >>> ag.ops.trace([[1.0, 2.0], [3.0, 4.0]]).item()
    5.0
    """
    return sum(diagonal(x, offset, axis1, axis2), -1)


# --- products of vectors


def _vector_samples(*pairs: tuple[tuple[int, ...], tuple[int, ...]]) -> Callable[[Rng], list[Sample]]:
    return lambda rng: [Sample((rng.normal(size=a), rng.normal(size=b))) for a, b in pairs]


@composite(
    reference=np.dot,
    domain=cases(
        _vector_samples(
            ((3,), (3,)), ((2, 3), (3, 4)), ((2, 3), (3,)), ((), (2,)), ((3,), (2, 3, 4)), ((2, 3), (4, 3, 2)),
            ((2, 2, 3), (3,)), ((0,), (0,)),
        ),
        lambda: [
            Bad((np.ones(2), np.ones(3)), {}, ValueError), Bad((np.ones((2, 3)), np.ones((2, 3))), {}, ValueError),
            Bad((np.ones((2, 3)), np.ones((2, 2, 3))), {}, ValueError), Bad((np.array(["a"]), 1.0), {}, TypeError),
        ],
    ),
)  # fmt: skip
def dot(x1: Any, x2: Any) -> Tensor:
    """The sum of products over the last axis of x1 and the last but one of x2, or its only one.

    Scalars multiply, as in NumPy. Raises ShapeError where the sizes differ.

    >>> import autograd_nn as ag
    >>> ag.ops.dot([1.0, 2.0], [3.0, 4.0]).item()
    11.0
    """
    a, b = pair(x1, x2)
    if not a.ndim or not b.ndim:
        return a * b
    if b.ndim <= 2:
        return matmul(a, b)
    return squeeze(matmul(expand_dims(a, tuple(range(a.ndim - 1, a.ndim + b.ndim - 2))), b), -2)


@composite(
    reference=np.vdot,
    domain=cases(
        _vector_samples(((3,), (3,)), ((2, 3), (3, 2)), ((), ()), ((0,), (0,))),
        lambda: [
            Bad((np.ones(2), np.ones(3)), {}, ValueError), Bad((np.ones(1), np.ones(3)), {}, ValueError),
            Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
        ],
    ),
)  # fmt: skip
def vdot(x1: Any, x2: Any) -> Tensor:
    """The sum of products of all elements of x1, of complex ones the conjugates, and x2, both flattened.

    Raises ShapeError where the numbers of elements differ.

    >>> import autograd_nn as ag
    >>> ag.ops.vdot([[1.0, 2.0]], [[3.0], [4.0]]).item()
    11.0
    """
    a, b = pair(x1, x2)
    return matmul(reshape(conj(a), (-1,)), reshape(b, (-1,)))


@composite(
    reference=np.outer,
    domain=cases(
        _vector_samples(((2,), (3,)), ((2, 2), (3,)), ((), ()), ((0,), (2,))),
        lambda: [
            Bad((np.array(["a"]), np.ones(1)), {}, TypeError), Bad((np.ones(1), DATES), {}, TypeError),
            Bad(([[1.0], [1.0, 2.0]], 1.0), {}, ValueError),
        ],
    ),
)  # fmt: skip
def outer(x1: Any, x2: Any) -> Tensor:
    """The product of every element of x1 with every element of x2, both flattened.

    >>> import autograd_nn as ag
    >>> ag.ops.outer([1.0, 2.0], [3.0, 4.0]).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    a, b = pair(x1, x2)
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


# --- norms


@primitive(
    eval=lambda x, axis, keepdims: np.sqrt(add_up(np.square(x), axis=axis, keepdims=keepdims)),
    infer=lambda x, axis, keepdims: Spec(reduced(x.shape, axis, keepdims), x.dtype),
    partials=(lambda g, y, x, axis, keepdims: x * spread(where(equal(y, 0), 0, g / y), x, axis, keepdims),),
    emit="reduce:l2_norm",
    domain=reduction_domain(reals(-3, 3, away=(0,)), empty=False),
    family="reduction",
)
def l2_norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The square root of the sum of squares over axes; where it is 0 its gradient is 0.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    Integers become float64. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.l2_norm([[3.0, 4.0]]).item()
    5.0
    """
    return reduce(l2_norm.op, _inexact(x), axis, keepdims)


def _inexact(x: Any) -> Tensor:
    x = as_tensor(x)
    return x if x.dtype.kind == "f" else cast(x, "float64")


def _power_norm(x: Tensor, p: float, axis: int, keepdims: bool) -> Tensor:
    """sum(|x|**p) ** (1 / p), with gradient 0 where that is 0."""
    total = sum(power(abs(x), p), axis, keepdims)
    zero = equal(total, 0)
    return where(zero, 0, power(where(zero, 1, total), 1 / p))


def _vector_norm(x: Tensor, ord: Any, axis: int, keepdims: bool) -> Tensor:
    if ord is None or ord == 2:
        return l2_norm(x, axis, keepdims)
    if isinstance(ord, (str, bool)) or not isinstance(ord, (int, float)):
        raise InvalidArgument(f"norm: ord of a vector must be None, a number, inf or -inf, got {short(ord)}")
    if ord == math.inf:
        return statistics.max(abs(x), axis, keepdims)
    if ord == -math.inf:
        return statistics.min(abs(x), axis, keepdims)
    if ord == 0:
        return sum(cast(not_equal(x, 0), x.dtype), axis, keepdims)
    return sum(abs(x), axis, keepdims) if ord == 1 else _power_norm(x, float(ord), axis, keepdims)


def _matrix_norm(x: Tensor, ord: Any, rows: int, columns: int, keepdims: bool) -> Tensor:
    if ord is None or ord == "fro":
        return l2_norm(x, (rows, columns), keepdims)
    if ord not in (1, -1, math.inf, -math.inf):
        raise InvalidArgument(f"norm: ord of a matrix must be None, 'fro', 1, -1, inf or -inf, got {short(ord)}")
    added, compared = (rows, columns) if ord in (1, -1) else (columns, rows)
    extreme = statistics.max if ord > 0 else statistics.min
    found = extreme(sum(abs(x), added, keepdims=True), compared, keepdims=True)
    return found if keepdims else squeeze(found, (rows, columns))


def _norm_samples(rng: Rng) -> list[Sample]:
    values = reals(-3, 3, away=(0,))
    vectors = [Sample((values.draw(rng, (5,)), p)) for p in (None, 2, 1, math.inf, -math.inf, 0, 3, 1.5)]
    matrices = [Sample((values.draw(rng, (3, 4)), p)) for p in (None, "fro", 1, -1, math.inf, -math.inf)]
    along: tuple[dict[str, Any], ...] = (
        {"axis": 1}, {"axis": -1, "keepdims": True}, {"axis": 0, "ord": 1}, {"axis": (0, 2), "ord": 1},
        {"axis": (2, 0), "ord": 1, "keepdims": True}, {"axis": (-1, 0), "ord": "fro"},
    )  # fmt: skip
    return [*vectors, *matrices, *(Sample((values.draw(rng, (2, 3, 4)),), arguments) for arguments in along)]


@composite(
    reference=np.linalg.norm,
    domain=cases(
        _norm_samples,
        lambda: [
            Bad((np.ones((2, 2, 2)), 1), {}, ValueError), Bad((np.ones(3), "fro"), {}, ValueError),
            Bad((np.ones((2, 2)), 2), {}, ValueError), Bad((np.ones((2, 2)), "frob"), {}, ValueError),
            Bad((np.ones((2, 2)), None, 2), {}, ValueError), Bad((np.ones((2, 2, 2)), None, (0, 1, 2)), {}, ValueError),
            Bad((np.array(["a"]),), {}, TypeError),
        ],
    ),
)  # fmt: skip
def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The norm of a vector or a matrix; where it is 0 its gradient is 0.

    x: tensor or array; integers become float64. axis: one for vectors, a pair for matrices; None for x itself.
    ord: None for the root of the sum of squares (of x of any shape, if axis is None too). For vectors p for
    sum(|x|**p)**(1/p), inf and -inf for the extremes of |x|, 0 for the number of elements that are not 0. For matrices
    'fro', 1 and -1 for the extremes of the column sums of |x|, inf and -inf for those of the row sums.
    Raises InvalidArgument for another ord, ShapeError where x is neither vector nor matrix.

    >>> import autograd_nn as ag
    >>> ag.ops.norm([3.0, -4.0]).item(), ag.ops.norm([3.0, -4.0], ord=1).item()
    (5.0, 7.0)
    """
    x = _inexact(x)
    if axis is None and ord is None:
        return l2_norm(x, None, keepdims)
    given = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    normal_axes(given, x.ndim, "norm")
    axes = [normal_axis(k, x.ndim, "norm") for k in given]
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ShapeError(
            f"norm: expected one axis or two, got {len(axes)} of shape {show_shape(x.spec.shape)}; give axis="
        )
    return _matrix_norm(x, ord, axes[0], axes[1], keepdims)
