"""The LU factors of matrices. The gradient: de Hoog, Anderssen and Lukas (2011, "Differentiation of matrix
functionals using triangular factorization").
"""

from typing import Any

import numpy as np

from ..engine.op import Bad, Sample
from ..engine.spec import Spec
from ..engine.tensor import Tensor, record
from .creation import shape
from .domain import Rng, cases
from .elementwise import cast, equal
from .family import composite, primitive
from .indexing import take_along_axis
from .linalg import matmul, swap_last
from .matrices import offsets, tril, triu
from .shape import expand_dims
from .solving import matrices, regular, solve_matrices


def _eliminated(x: Any) -> tuple[Any, Any, Any]:
    """Gauss' elimination with the largest pivot of each column: factors, exchanges, and the order of the rows."""
    # NumPy multiplies float16 slowly and rounds every step.
    lu = np.array(x, np.promote_types(x.dtype, np.float32), order="C")
    size = lu.shape[-1]
    flat = lu.reshape(-1, size, size)
    pivots = np.zeros((len(flat), size), np.int32)
    order = np.broadcast_to(np.arange(size), (len(flat), size)).copy()
    each = np.arange(len(flat))
    for k in range(size):
        best = k + np.argmax(np.abs(flat[:, k:, k]), 1)
        pivots[:, k] = best
        for rows in (flat, order):
            rows[each, k], rows[each, best] = rows[each, best].copy(), rows[each, k].copy()
        pivot = flat[:, k, k, None]
        flat[:, k + 1 :, k] /= np.where(pivot == 0, 1, pivot)
        flat[:, k + 1 :, k + 1 :] -= flat[:, k + 1 :, k, None] * flat[:, k, None, k + 1 :]
    shape = x.shape[:-1]
    return flat.reshape(x.shape).astype(x.dtype), pivots.reshape(shape), order.reshape(shape)


def _rule(g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
    lu, order = y[0], y[2]
    size = shape(lu)[-1]
    lower = tril(lu, -1) + cast(equal(offsets(size, size), 0), lu.dtype)
    upper = triu(lu)
    middle = tril(matmul(swap_last(lower), tril(g[0], -1)), -1) + triu(matmul(triu(g[0]), swap_last(upper)))
    left = solve_matrices(swap_last(lower), middle)
    rows = swap_last(solve_matrices(upper, swap_last(left)))
    back = take_along_axis(rows, expand_dims(order.argsort(-1), -1), -2)
    return (back,)


def _infer(x: Spec) -> tuple[Spec, Spec, Spec]:
    return x, Spec(x.shape[:-1], np.dtype("int32")), Spec(x.shape[:-1], np.dtype("int64"))


def _plain(x: Any) -> tuple[Any, ...]:
    """One matrix after another, one row after another."""
    lu, pivots = np.array(x, float), np.zeros(x.shape[:-1], np.int32)
    orders = np.zeros(x.shape[:-1], np.int64)
    for place in np.ndindex(x.shape[:-2]):
        a, rows = lu[place], list(range(x.shape[-1]))
        for k in range(len(a)):
            pivots[(*place, k)] = best = k + int(np.argmax(np.abs(a[k:, k])))
            a[[k, best]], rows[k], rows[best] = a[[best, k]], rows[best], rows[k]
            for row in range(k + 1, len(a)):
                a[row, k] /= a[k, k]
                a[row, k + 1 :] -= a[row, k] * a[k, k + 1 :]
        orders[place] = rows
    return lu, pivots, orders


def _samples(rng: Rng) -> list[Sample]:
    shapes = ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2))
    return [Sample((regular(rng, *sizes)[..., ::-1, :].copy(),)) for sizes in shapes]


def _errors() -> list[Bad]:
    return [
        Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 3)),), {}, ValueError),
        Bad((np.array([["a"]]),), {}, TypeError),
    ]  # fmt: skip


@primitive(
    eval=_eliminated,
    infer=_infer,
    vjp=_rule,
    emit="lu",
    domain=cases(_samples, _errors),
    family="solve",
    many=True,
    reference=_plain,
)
def lu_rows(x: Any) -> tuple[Tensor, Tensor, Tensor]:
    """`lu_factor`, and the order in which the rows of x stand in the product of the factors.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.lu_rows([[0.0, 2.0], [1.0, 3.0]])]
    [[[1.0, 3.0], [0.0, 2.0]], [1, 1], [1, 0]]
    """
    return record(lu_rows.op, (matrices(x, "lu_rows"),), {})


@composite(reference=lambda x: _plain(x)[:2], domain=cases(_samples, _errors))
def lu_factor(x: Any) -> tuple[Tensor, Tensor]:
    """The LU factors of each square matrix in the last two axes, in one matrix, and the exchanges of rows (int32).

    Below the diagonal stands L, whose diagonal is 1, above and on it U. Row k was exchanged with row pivots[k], one
    after another, as in LAPACK. The gradient needs a matrix that is not singular.
    Integers become float64. Raises ShapeError for matrices that are not square.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.lu_factor([[0.0, 2.0], [1.0, 3.0]])]
    [[[1.0, 3.0], [0.0, 2.0]], [1, 1]]
    """
    return lu_rows(matrices(x, "lu_factor"))[:2]
