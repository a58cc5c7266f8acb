"""Matrices with a pattern: identity, triangles, grids."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.tensor import Tensor
from ..errors import DTypeError, InvalidArgument, ShapeError, short
from .creation import arange, float_or, shape
from .domain import cases
from .elementwise import cast, where
from .family import composite
from .shape import broadcast_to, expand_dims, full_sizes, reshape


def _triangle_domain() -> Domain:
    return cases(
        lambda rng: [
            Sample((3,), {}, False), Sample((3, 4, 1), {}, False), Sample((2, 5, -1), {"dtype": "int32"}, False),
            Sample((0, 2), {}, False),
        ],
        lambda: [
            Bad((-1,), {}, ValueError), Bad((2.5,), {}, TypeError), Bad((2, 2, 0.5), {}, TypeError),
            Bad((2,), {"dtype": "complex64"}, TypeError),
        ],
    )  # fmt: skip


def offsets(rows: Any, columns: Any) -> Tensor:
    """Column minus row of each place of a matrix; sizes may be scalar tensors."""
    return expand_dims(arange(columns), 0) - expand_dims(arange(rows), 1)


def _offset(k: Any, what: str) -> int:
    if not hasattr(k, "__index__"):
        raise DTypeError(f"{what}: k, the diagonal, must be an int, got {short(k)}")
    return k.__index__()


def _matrix_sizes(rows: Any, columns: Any, what: str) -> tuple[Any, Any]:
    full_sizes((rows, rows if columns is None else columns), what)
    return rows, rows if columns is None else columns


@composite(reference=np.eye, domain=_triangle_domain(), order=0)
def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Tensor:
    """An N x M matrix with ones on diagonal k, zeros elsewhere; M = N if None.

    >>> import autograd_nn as ag
    >>> ag.ops.eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return cast(offsets(*_matrix_sizes(N, M, "eye")) == _offset(k, "eye"), float_or(dtype))


@composite(
    reference=np.identity,
    order=0,
    domain=cases(
        lambda rng: [Sample((3,), {}, False), Sample((0,), {}, False), Sample((2,), {"dtype": "int32"}, False)],
        lambda: [
            Bad((-1,), {}, ValueError), Bad((2.5,), {}, TypeError), Bad((2,), {"dtype": "complex64"}, TypeError)
        ],
    ),
)  # fmt: skip
def identity(n: Any, dtype: Any = None) -> Tensor:
    """The n x n identity matrix.

    >>> import autograd_nn as ag
    >>> ag.ops.identity(2, "int32").tolist()
    [[1, 0], [0, 1]]
    """
    return eye(n, dtype=dtype)


@composite(reference=np.tri, domain=_triangle_domain(), order=0)
def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Tensor:
    """An N x M matrix with ones at and below diagonal k, zeros above; M = N if None.

    >>> import autograd_nn as ag
    >>> ag.ops.tri(2).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return cast(offsets(*_matrix_sizes(N, M, "tri")) <= _offset(k, "tri"), float_or(dtype))


def _triangle_of(x: Any, k: int, lower: bool, what: str) -> Tensor:
    x = as_tensor(x)
    if x.ndim < 2:
        raise ShapeError(f"{what}: needs at least two axes, got shape {x.shape}")
    place = offsets(*shape(x)[-2:])
    k = _offset(k, what)
    return where(place <= k if lower else place >= k, x, 0)


def _part_domain() -> Domain:
    return cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)),)), Sample((rng.normal(size=(3, 3)), 1)),
            Sample((rng.normal(size=(2, 3, 2)), -1)), Sample((rng.normal(size=(0, 2)),)),
        ],
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 2)), 0.5), {}, TypeError),
            Bad((np.array([["a"]]),), {}, TypeError),
        ],
    )  # fmt: skip


@composite(reference=np.tril, domain=_part_domain())
def tril(x: Any, k: int = 0) -> Tensor:
    """x with zeros above diagonal k of its last two axes. Raises ShapeError for fewer than two axes.

    >>> import autograd_nn as ag
    >>> ag.ops.tril([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[1.0, 0.0], [3.0, 4.0]]
    """
    return _triangle_of(x, k, True, "tril")


@composite(reference=np.triu, domain=_part_domain())
def triu(x: Any, k: int = 0) -> Tensor:
    """x with zeros below diagonal k of its last two axes. Raises ShapeError for fewer than two axes.

    >>> import autograd_nn as ag
    >>> ag.ops.triu([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[1.0, 2.0], [0.0, 4.0]]
    """
    return _triangle_of(x, k, False, "triu")


# --- grids


@composite(
    reference=np.meshgrid,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=2), rng.normal(size=3))),
            Sample((rng.normal(size=2), rng.normal(size=3), rng.normal(size=1)), {"indexing": "ij"}),
            Sample((rng.normal(size=4),)), Sample((rng.normal(size=()), rng.normal(size=0))),
        ],
        lambda: [
            Bad((np.ones((2, 2)), np.ones(2)), {}, ValueError), Bad((np.ones(2),), {"indexing": "yx"}, ValueError),
            Bad((np.array(["a"]),), {}, TypeError),
        ],
    ),
)  # fmt: skip
def meshgrid(*x: Any, indexing: str = "xy") -> list[Tensor]:
    """One tensor per axis of a grid with its coordinate at each point.

    x: the coordinates along each axis, of one axis each. indexing: "xy" puts the first along columns, "ij" along rows.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.meshgrid([1, 2], [3, 4])]
    [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    if indexing not in ("xy", "ij"):
        raise InvalidArgument(f"meshgrid: indexing must be 'xy' or 'ij', got {short(indexing)}")
    lines = [as_tensor(line) for line in x]
    for place, line in enumerate(lines):
        if line.ndim > 1:
            raise ShapeError(f"meshgrid: coordinates {place} must have one axis, got shape {line.shape}")
    lines = [reshape(line, (-1,)) for line in lines]
    axes = list(range(len(lines)))
    if indexing == "xy" and len(lines) > 1:
        axes[:2] = 1, 0
    sizes: list[Any] = [1] * len(lines)
    for line, axis in zip(lines, axes):
        sizes[axis] = shape(line)[0]
    rest = [tuple(k for k in range(len(lines)) if k != axis) for axis in axes]
    return [broadcast_to(expand_dims(line, others), tuple(sizes)) for line, others in zip(lines, rest)]
