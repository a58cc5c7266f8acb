"""Matrices as products: Cholesky, QR, eigenvectors, singular values.

The gradients: Cholesky, Murray (2016, arXiv 1602.07527); QR, Walter and Lehmann (2013); eigenvectors, Giles (2008);
singular values, Townsend (2016, "Differentiating the singular value decomposition").
"""

import functools
import operator
from typing import Any

import numpy as np

from ..engine.op import Bad, Domain, Op, Sample
from ..engine.spec import Dim, Size, Spec
from ..engine.tensor import Tensor, record
from ..errors import GradientError, InvalidArgument, ShapeError, SymbolicError, short
from .creation import shape
from .domain import Rng, cases
from .elementwise import equal, where
from .family import composite, primitive
from .indexing import getitem
from .join import concatenate
from .linalg import matmul, swap_last
from .matrices import offsets, tril
from .shape import expand_dims
from .solving import full_rank, inv, matrices, regular, solve_matrices, solved

Random = Rng


def _symmetric(x: Tensor) -> Tensor:
    """The mean of x and its transpose: both triangles of a symmetric matrix count alike."""
    return (x + swap_last(x)) * 0.5


def _even(x: Any) -> Any:
    return (x + np.swapaxes(x, -1, -2)) / 2


def _positive(rng: Random, *sizes: int) -> Any:
    """Symmetric matrices with eigenvalues above 0, far from each other."""
    x = regular(rng, *sizes)
    return x @ np.swapaxes(x, -1, -2)


def _symmetric_domain(*bad: Bad) -> Domain:
    return cases(
        lambda rng: [Sample((_positive(rng, *sizes),)) for sizes in ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2))],
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 3)),), {}, ValueError),
            Bad((np.array([["a"]]),), {}, TypeError), *bad,
        ],
    )  # fmt: skip


def on_diagonal(values: Tensor) -> Tensor:
    """Matrices with the values of the last axis on their diagonal."""
    size = shape(values)[-1]
    return where(equal(offsets(size, size), 0), expand_dims(values, -1), 0)


def quotients(values: Tensor) -> Tensor:
    """1 / (v_j - v_i) at row i, column j, and 0 on the diagonal."""
    size = shape(values)[-1]
    same = equal(offsets(size, size), 0)
    return where(same, 0, 1 / where(same, 1, expand_dims(values, -2) - expand_dims(values, -1)))


# --- Cholesky


def _divided(x: Tensor, factor: Tensor) -> Tensor:
    """x times the inverse of the factor, from the right."""
    return swap_last(solve_matrices(swap_last(factor), swap_last(x)))


def _half(x: Tensor) -> Tensor:
    """The lower triangle with half the diagonal."""
    return (tril(x) + tril(x, -1)) * 0.5


def _cholesky(x: Any, upper: bool) -> Any:
    lower = np.linalg.cholesky(_even(x))
    return np.swapaxes(lower, -1, -2) if upper else lower


def _cholesky_rule(g: Tensor, y: Tensor, x: Tensor, upper: bool) -> Tensor:
    g, y = (swap_last(g), swap_last(y)) if upper else (g, y)
    middle = _half(matmul(swap_last(y), g))
    return _symmetric(_divided(solve_matrices(swap_last(y), middle), y))


def _cholesky_domain() -> Domain:
    found = _symmetric_domain(Bad((-np.eye(2),), {}, ValueError))
    return Domain(lambda rng: [*found.samples(rng), Sample((_positive(rng, 2, 2), True))], found.errors)


@primitive(
    eval=solved(_cholesky, "cholesky: a matrix is not positive definite"),
    infer=lambda x, upper: x,
    partials=(_cholesky_rule,),
    emit="cholesky",
    domain=_cholesky_domain(),
    family="solve",
    reference=lambda x, upper=False: np.linalg.cholesky(x, upper=upper),
)
def cholesky(x: Any, upper: bool = False) -> Tensor:
    """The lower triangular L with L @ L.T == x, or its transpose, for each symmetric matrix in the last two axes.

    x: of a matrix that is not symmetric the mean with its transpose is taken; integers become float64.
    Raises InvalidArgument for a matrix that is not positive definite, ShapeError for one that is not square.

    >>> import autograd_nn as ag
    >>> ag.ops.cholesky([[4.0, 2.0], [2.0, 2.0]]).tolist()
    [[2.0, 0.0], [1.0, 1.0]]
    """
    return record(cholesky.op, (matrices(x, "cholesky"),), {"upper": bool(upper)})


@composite(
    reference=lambda x, upper=False: np.linalg.inv(np.triu(x).T @ np.triu(x) if upper else np.tril(x) @ np.tril(x).T),
    domain=cases(
        lambda rng: [
            Sample((regular(rng, 3, 3),)), Sample((regular(rng, 2, 2), True)), Sample((np.ones((0, 0)),)),
        ],
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 3)),), {}, ValueError),
            Bad((np.zeros((2, 2)),), {}, ValueError), Bad((np.array([["a"]]),), {}, TypeError),
        ],
    ),
)  # fmt: skip
def cholesky_inverse(x: Any, upper: bool = False) -> Tensor:
    """The inverse of the matrix whose Cholesky factor is x, lower triangular unless `upper`.

    Raises ShapeError for matrices that are not square, InvalidArgument for a singular factor.

    >>> import autograd_nn as ag
    >>> ag.ops.cholesky_inverse([[2.0, 0.0], [0.0, 1.0]]).tolist()
    [[0.25, 0.0], [0.0, 1.0]]
    """
    factor = matrices(x, "cholesky_inverse")
    turned = inv(tril(swap_last(factor) if upper else factor))
    return matmul(swap_last(turned), turned)


# --- columns that complete a basis


def _only_determined(g: Any, basis: Any, what: str) -> Any:
    """g, after a look at what it asks of columns that may be turned among themselves."""
    inside = np.swapaxes(basis, -1, -2) @ g
    turning = np.abs(inside - np.swapaxes(inside, -1, -2)).max(initial=0)
    if turning > np.sqrt(np.finfo(g.dtype).eps) * np.abs(g).max(initial=0):
        raise GradientError(
            f"{what}: the result depends on columns that only complete a basis and are arbitrary: it has no gradient; "
            "leave them out, or depend on what every such basis shares, like their product with their transpose"
        )
    return g


_DETERMINED = Op(
    "determined",
    eval=_only_determined,
    infer=lambda g, basis, what: g,
    partials=(lambda gg, y, g, basis, what: gg, None),
    emit="determined",
    family="solve",
)


def _completed(what: str, g: Tensor, q: Tensor, count: Any) -> Tensor:
    """The cotangent of the first `count` columns of an orthogonal q, with what that of the others asks of them.

    As the columns stay orthogonal, the others move within the first ones by what these move within the others; how the
    others turn among themselves is arbitrary.
    """
    head, tail = (..., slice(None, count)), (..., slice(count, None))
    others = getitem(q, tail)
    rest = record(_DETERMINED, (getitem(g, tail), others), {"what": what})
    return getitem(g, head) - matmul(others, matmul(swap_last(rest), getitem(q, head)))


# --- QR


def _qr_infer(x: Spec) -> tuple[Spec, Spec]:
    rows, columns = x.shape[-2:]
    return x, Spec((*x.shape[:-2], columns, columns), x.dtype)


def _qr_rule(g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
    (to_q, to_r), (q, r) = g, y
    middle = matmul(r, swap_last(to_r)) - matmul(swap_last(to_q), q)
    mirrored = tril(middle) + swap_last(tril(middle, -1))
    return (_divided(to_q + matmul(q, mirrored), swap_last(r)),)


def _tall_samples(rng: Random) -> list[Sample]:
    return [Sample((full_rank(rng, *sizes),)) for sizes in ((3, 3), (4, 2), (2, 3, 2), (1, 1), (0, 2, 2))]


def _qr_errors() -> list[Bad]:
    return [
        Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 2)), "full"), {}, ValueError),
        Bad((np.array([["a"]]),), {}, TypeError),
    ]  # fmt: skip


@primitive(
    eval=solved(lambda x: tuple(np.linalg.qr(x)), "qr: not found"),
    infer=_qr_infer,
    vjp=_qr_rule,
    emit="qr",
    domain=cases(
        _tall_samples,
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 3)),), {}, ValueError),
            Bad((np.array([["a"]]),), {}, TypeError),
        ],
    ),
    family="solve",
    many=True,
    reference=lambda x: tuple(np.linalg.qr(x)),
)  # fmt: skip
def qr_tall(x: Any) -> tuple[Tensor, Tensor]:
    """Q and R of matrices with no more columns than rows: the part of `qr` that has a formula for its gradient.

    >>> import autograd_nn as ag
    >>> [t.shape for t in ag.ops.qr_tall([[1.0], [2.0]])]
    [(2, 1), (1, 1)]
    """
    return record(qr_tall.op, (_tall(x, "qr_tall"),), {})


def _tall(x: Any, what: str) -> Tensor:
    x = matrices(x, what, square=False)
    rows, columns = x.shape[-2:]
    if rows is not None and columns is not None and rows < columns:
        raise ShapeError(f"{what}: needs as many rows as columns at least, got shape {x.shape}; use qr")
    return x


def _complete_rule(g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
    (to_q, to_r), (q, r) = g, y
    count = shape(r)[-1]
    columns, rows = (..., slice(None, count)), (..., slice(None, count), slice(None))
    known = getitem(q, columns), getitem(r, rows)
    return _qr_rule((_completed("qr", to_q, q, count), getitem(to_r, rows)), known, x)


def _complete_infer(x: Spec) -> tuple[Spec, Spec]:
    rows = x.shape[-2]
    return Spec((*x.shape[:-2], rows, rows), x.dtype), x


@primitive(
    eval=solved(lambda x: tuple(np.linalg.qr(x, "complete")), "qr: not found"),
    infer=_complete_infer,
    vjp=_complete_rule,
    emit="qr",
    domain=cases(
        lambda rng: [Sample(case.args, {}, case.args[0].shape[-1] != 2) for case in _tall_samples(rng)],
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 3)),), {}, ValueError),
            Bad((np.array([["a"]]),), {}, TypeError),
        ],
    ),
    family="solve",
    many=True,
    reference=lambda x: tuple(np.linalg.qr(x, "complete")),
)  # fmt: skip
def qr_complete(x: Any) -> tuple[Tensor, Tensor]:
    """A square Q and R of the shape of x, which has no more columns than rows.

    The columns of Q beyond those of x are arbitrary: a result has a gradient if it only depends on what every such
    basis shares, else asking for one raises GradientError.

    >>> import autograd_nn as ag
    >>> [t.shape for t in ag.ops.qr_complete([[1.0], [2.0]])]
    [(2, 2), (2, 1)]
    """
    return record(qr_complete.op, (_tall(x, "qr_complete"),), {})


@composite(
    reference=lambda x, mode="reduced": tuple(np.linalg.qr(x, mode)),
    domain=cases(
        lambda rng: [
            *_tall_samples(rng), Sample((rng.normal(size=(2, 4)) + np.eye(2, 4) * 2,)),
            Sample((rng.normal(size=(3, 2)), "complete"), {}, False),
        ],
        _qr_errors,
    ),
)  # fmt: skip
def qr(x: Any, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Q with orthogonal columns and an upper triangular R with Q @ R == x, for matrices in the last two axes.

    mode: "reduced" for Q with min(rows, columns) columns, "complete" for a square Q, whose further columns are
    arbitrary: a result that depends on which they are has no gradient (GradientError).
    Integers become float64. Raises InvalidArgument for another mode.

    >>> import autograd_nn as ag
    >>> [t.shape for t in ag.ops.qr([[1.0], [2.0]])]
    [(2, 1), (1, 1)]
    """
    if mode not in ("reduced", "complete"):
        raise InvalidArgument(f"qr: mode must be 'reduced' or 'complete', got {short(mode)}")
    x = matrices(x, "qr", square=False)
    rows, columns = x.shape[-2:]
    if rows is None or columns is None:
        raise SymbolicError(f"qr: the sizes of the matrices must be known, got shape {x.shape}; use qr_tall")
    if rows >= columns:
        return qr_tall(x) if mode == "reduced" else qr_complete(x)
    q, r = qr_tall(getitem(x, (..., slice(None, rows))))
    return q, concatenate([r, matmul(swap_last(q), getitem(x, (..., slice(rows, None))))], -1)


# --- eigenvectors


def _eigh_rule(g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
    (to_w, to_v), (w, v) = g, y
    middle = on_diagonal(to_w) + quotients(w) * matmul(swap_last(v), to_v)
    return (_symmetric(matmul(v, matmul(middle, swap_last(v)))),)


@primitive(
    eval=solved(lambda x: tuple(np.linalg.eigh(_even(x))), "eigh: not found; is there NaN in x?"),
    infer=lambda x: (Spec(x.shape[:-1], x.dtype), x),
    vjp=_eigh_rule,
    emit="eigh",
    domain=_symmetric_domain(),
    family="solve",
    many=True,
    reference=lambda x: tuple(np.linalg.eigh(x)),
)
def eigh(x: Any) -> tuple[Tensor, Tensor]:
    """The eigenvalues of each symmetric matrix, rising, and its eigenvectors as columns.

    x: of a matrix that is not symmetric the mean with its transpose is taken; integers become float64. The gradient
    of eigenvectors needs eigenvalues that differ.

    >>> import autograd_nn as ag
    >>> ag.ops.eigh([[2.0, 0.0], [0.0, 1.0]])[0].tolist()
    [1.0, 2.0]
    """
    return record(eigh.op, (matrices(x, "eigh"),), {})


# --- singular values


def _smaller(rows: Size, columns: Size) -> Size:
    if isinstance(rows, int) and isinstance(columns, int):
        return min(rows, columns)
    return rows if rows is columns else Dim()


def _svd_infer(x: Spec, full: bool) -> tuple[Spec, Spec, Spec]:
    rows, columns = x.shape[-2:]
    least = _smaller(rows, columns)
    left, right = (rows, columns) if full else (least, least)
    sizes = ((rows, left), (least,), (right, columns))
    first, second, third = (Spec((*x.shape[:-2], *size), x.dtype) for size in sizes)
    return first, second, third


def _svd_rule(g: Any, y: Any, x: Tensor, full: bool) -> tuple[Tensor]:
    (to_u, to_s, to_vt), (u, s, vt) = g, y
    count = shape(s)[-1]
    if to_u is not None and full and u.shape[-1] != count:
        to_u = _completed("svd", to_u, u, count)
    if to_vt is not None and full and vt.shape[-2] != count:
        to_vt = swap_last(_completed("svd", swap_last(to_vt), swap_last(vt), count))
    u, v = getitem(u, (..., slice(None, count))), swap_last(getitem(vt, (..., slice(None, count), slice(None))))
    apart, row = quotients(s * s), expand_dims(s, -2)
    parts: list[Tensor] = []
    if to_s is not None:
        parts.append(matmul(u * expand_dims(to_s, -2), swap_last(v)))
    if to_u is not None:
        parts.append(_from_left(to_u, u, v, apart, row))
    if to_vt is not None:
        parts.append(swap_last(_from_left(swap_last(to_vt), v, u, apart, row)))
    return (functools.reduce(operator.add, parts),)


def _from_left(g: Tensor, u: Tensor, v: Tensor, apart: Tensor, row: Tensor) -> Tensor:
    """What the cotangent of u gives: its part within the columns of u, and the rest, divided by the singular values."""
    inside = matmul(swap_last(u), g)
    turned = apart * (inside - swap_last(inside)) * row
    rest = (g - matmul(u, inside)) / row
    return matmul(matmul(u, turned) + rest, swap_last(v))


@primitive(
    eval=solved(lambda x, full: tuple(np.linalg.svd(x, full)), "svd: not found; is there NaN in x?"),
    infer=_svd_infer,
    vjp=_svd_rule,
    emit="svd",
    domain=cases(
        lambda rng: [
            *(Sample((*case.args, False)) for case in _tall_samples(rng)),
            Sample((np.swapaxes(_tall_samples(rng)[1].args[0], 0, 1), False)),
            Sample((rng.normal(size=(3, 2)), True), {}, False), Sample((regular(rng, 2, 2), True)),
            Sample((rng.normal(size=(3, 2)), True, False)),
        ],
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones(()),), {}, ValueError),
            Bad((np.array([["a"]]),), {}, TypeError),
        ],
    ),
    family="solve",
    many=True,
    reference=lambda x, full_matrices=True, compute_uv=True: (
        tuple(np.linalg.svd(x, full_matrices)) if compute_uv else np.linalg.svd(x, compute_uv=False)
    ),
)  # fmt: skip
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """U, the singular values, falling, and the transpose of V with U @ diag(s) @ Vt == x, for each matrix.

    full_matrices: square U and V; else min(rows, columns) vectors of each. compute_uv: False for the singular values
    alone. Integers become float64. The gradient of U and V needs singular values that differ. Vectors beyond the first
    min(rows, columns) are arbitrary: a result that depends on which they are has no gradient (GradientError).

    >>> import autograd_nn as ag
    >>> ag.ops.svd([[3.0, 0.0], [0.0, 2.0]])[1].tolist()
    [3.0, 2.0]
    """
    x, full = matrices(x, "svd", square=False), bool(full_matrices and compute_uv)
    if full and None in x.shape[-2:]:
        raise SymbolicError(
            f"svd: the sizes of the matrices must be known, got shape {x.shape}; or full_matrices=False"
        )
    found = record(svd.op, (x,), {"full": full})
    return found if compute_uv else found[1]


svd.op.gaps = True
