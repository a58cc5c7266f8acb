"""Linear systems: inverse, determinant, solutions, pseudoinverse. The gradients are those of Giles, "Collected matrix
derivative results for forward and reverse mode algorithmic differentiation" (2008); of the pseudoinverse, Golub and
Pereyra (1973).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import INEXACT, Spec, broadcast, promote, show_shape
from ..engine.tensor import Tensor, record
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from .domain import Rng, cases
from .elementwise import cast, where
from .family import composite, primitive, same_shape
from .linalg import matmul, swap_last, trace
from .matrices import tril, triu
from .shape import expand_dims, squeeze

Random = Rng


def matrices(x: Any, what: str, square: bool = True, complex_too: bool = False) -> Tensor:
    """x as float matrices in its last two axes, or complex ones where `complex_too`; ShapeError where it has none, or
    none that are square."""
    x = as_tensor(x)
    sizes = x.spec.shape[-2:]
    if len(sizes) < 2:
        raise ShapeError(f"{what}: needs matrices in the last two axes, got shape {show_shape(x.spec.shape)}")
    if square and isinstance(sizes[0], int) and isinstance(sizes[1], int) and sizes[0] != sizes[1]:
        raise ShapeError(f"{what}: the matrices must be square, got shape {show_shape(x.spec.shape)}")
    return x if x.dtype.kind in (INEXACT if complex_too else "f") else cast(x, "float64")


def solved(function: Callable[..., Any], problem: str) -> Callable[..., Any]:
    """A function of numpy.linalg whose failure is an error of this library; it computes float16 as float32."""

    def run(*arrays: Any, **params: Any) -> Any:
        kind = np.result_type(*arrays)
        wide = [np.asarray(a, np.float32) if a.dtype == np.float16 else a for a in arrays]
        try:
            found = function(*wide, **params)
        except np.linalg.LinAlgError:
            raise InvalidArgument(problem) from None
        if isinstance(found, tuple):
            return tuple(np.asarray(part, kind) for part in found)
        return np.asarray(found, kind)

    return run


def regular(rng: Random, *sizes: int) -> Any:
    """Square matrices far from singular, singular values far from each other."""
    n = sizes[-1]
    return rng.normal(size=sizes) * 0.3 + np.diag(np.arange(1.0, n + 1))


def _square_domain(scalar_sizes: tuple[tuple[int, ...], ...] = ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2))) -> Domain:
    return cases(
        lambda rng: [Sample((regular(rng, *sizes),)) for sizes in scalar_sizes],
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 3)),), {}, ValueError),
            Bad((np.array([["a"]]),), {}, TypeError),
        ],
    )  # fmt: skip


# --- inverse and determinant


def _inv_domain() -> Domain:
    found = _square_domain()
    return Domain(found.samples, lambda: [*found.errors(), Bad((np.zeros((2, 2)),), {}, ValueError)])


@primitive(
    eval=solved(np.linalg.inv, "inv: a matrix is singular; use pinv or lstsq"),
    infer=lambda x: x,
    partials=(lambda g, y, x: -matmul(swap_last(y), matmul(g, swap_last(y))),),
    emit="inv",
    domain=_inv_domain(),
    family="solve",
    reference=np.linalg.inv,
)
def inv(x: Any) -> Tensor:
    """The inverse of each matrix in the last two axes.

    Integers become float64. Raises ShapeError for matrices that are not square, InvalidArgument for singular ones.

    >>> import autograd_nn as ag
    >>> ag.ops.inv([[2.0, 0.0], [0.0, 4.0]]).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return record(inv.op, (matrices(x, "inv"),), {})


def _each(g: Tensor) -> Tensor:
    """One number per matrix, to multiply matrices by."""
    return expand_dims(g, (-2, -1))


def _cofactors(x: Any) -> Any:
    """From the singular values: the product of all but one of them, for each."""
    u, s, vt = np.linalg.svd(x)
    size = s.shape[-1]
    others = np.stack([np.prod(np.delete(s, k, -1), -1) for k in range(size)], -1) if size else s
    turns = np.linalg.det(u) * np.linalg.det(vt)
    return turns[..., None, None] * ((u * others[..., None, :]) @ vt)


def _slope(g: Any, x: Any) -> Any:
    """From the singular values: the product of all but two of them, for each pair."""
    u, s, vt = np.linalg.svd(x)
    size = s.shape[-1]
    if not size:
        return g
    pairs = [[np.prod(np.delete(s, (i, j), -1), -1) * (i != j) for j in range(size)] for i in range(size)]
    others = np.moveaxis(np.array(pairs), (0, 1), (-2, -1))
    inside = np.swapaxes(u, -1, -2) @ g @ np.swapaxes(vt, -1, -2)
    found = -others * np.swapaxes(inside, -1, -2)
    along = others @ np.diagonal(inside, 0, -2, -1)[..., None]
    found[..., range(size), range(size)] = along[..., 0]
    return (np.linalg.det(u) * np.linalg.det(vt))[..., None, None] * (u @ found @ vt)


def _slope_rule(gg: Tensor, y: Tensor, g: Tensor, x: Tensor) -> Tensor:
    """The third derivative of the determinant, along g and gg, from the inverse."""
    below = inv(x)
    first, second = matmul(below, g), matmul(below, gg)
    a, b = (_each(trace(t, 0, -2, -1)) for t in (first, second))
    both = matmul(first, second)
    level = (a * b - _each(trace(both, 0, -2, -1))) * below
    rest = matmul(both + matmul(second, first) - a * second - b * first, below)
    return _each(det(x)) * swap_last(level + rest)


def _slope_reference(g: Any, x: Any) -> Any:
    """The cofactors are polynomials: of degree 2, for which this difference is exact, for 3 rows and columns."""
    ahead, behind = (np.linalg.det(m)[..., None, None] * np.swapaxes(np.linalg.inv(m), -1, -2) for m in (x + g, x - g))
    return (ahead - behind) / 2


@primitive(
    eval=solved(_slope, "cofactors_slope: the singular values were not found; is there NaN in x?"),
    infer=lambda g, x: x,
    partials=(lambda gg, y, g, x: cofactors_slope(gg, x), _slope_rule),
    emit="cofactors_slope",
    domain=cases(
        lambda rng: [
            *(Sample((rng.normal(size=s), regular(rng, *s))) for s in ((3, 3), (2, 3, 3), (0, 2, 2))),
            Sample((rng.normal(size=(3, 3)), np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 0.5])), {}, False),
        ],
        lambda: [
            Bad((np.ones((2, 2)), np.ones((2, 3))), {}, ValueError), Bad((np.ones((2, 2)), np.ones(3)), {}, ValueError),
            Bad((np.ones((3, 3)), np.ones((2, 2))), {}, ValueError), Bad((np.eye(1), np.array([["a"]])), {}, TypeError),
        ],
    ),
    family="solve",
    reference=_slope_reference,
)  # fmt: skip
def cofactors_slope(g: Any, x: Any) -> Tensor:
    """How the cofactors of x change along g: the second derivative of the determinant, for singular x too.

    g, x: square matrices of one shape. Its own gradient with respect to x needs matrices that are not singular.

    >>> import autograd_nn as ag
    >>> ag.ops.cofactors_slope([[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]).tolist()
    [[0.0, 0.0], [0.0, 1.0]]
    """
    along, x = matrices(g, "cofactors_slope"), matrices(x, "cofactors_slope")
    same_shape("cofactors_slope", along, x, "g and x")
    return record(cofactors_slope.op, (along, x), {})


@primitive(
    eval=solved(_cofactors, "cofactors: the singular values were not found; is there NaN in x?"),
    infer=lambda x: x,
    partials=(lambda g, y, x: cofactors_slope(g, x),),
    emit="cofactors",
    domain=_square_domain(),
    family="solve",
    reference=lambda x: np.linalg.det(x)[..., None, None] * np.swapaxes(np.linalg.inv(x), -1, -2),
)
def cofactors(x: Any) -> Tensor:
    """The gradient of the determinant of each matrix, for singular ones too, and so is its own.

    >>> import autograd_nn as ag
    >>> ag.ops.cofactors([[2.0, 0.0], [0.0, 0.0]]).numpy().round(6).tolist()
    [[0.0, 0.0], [0.0, 2.0]]
    """
    return record(cofactors.op, (matrices(x, "cofactors"),), {})


@primitive(
    eval=solved(np.linalg.det, "det: no determinant"),
    infer=lambda x: Spec(x.shape[:-2], x.dtype),
    partials=(lambda g, y, x: _each(g) * cofactors(x),),
    emit="det",
    domain=_square_domain(),
    family="solve",
    reference=np.linalg.det,
)
def det(x: Any) -> Tensor:
    """The determinant of each matrix in the last two axes; its third derivative needs one that is not singular.

    Integers become float64. Raises ShapeError for matrices that are not square.

    >>> import autograd_nn as ag
    >>> ag.ops.det([[2.0, 0.0], [0.0, 4.0]]).item()
    8.0
    """
    return record(det.op, (matrices(x, "det"),), {})


@primitive(
    eval=solved(lambda x: tuple(np.linalg.slogdet(x)), "slogdet: no determinant"),
    infer=lambda x: (Spec(x.shape[:-2], x.dtype), Spec(x.shape[:-2], x.dtype)),
    vjp=lambda g, y, x: (_each(g[1]) * swap_last(inv(x)),),
    emit="slogdet",
    domain=_square_domain(),
    family="solve",
    many=True,
    reference=lambda x: tuple(np.linalg.slogdet(x)),
)
def slogdet(x: Any) -> tuple[Tensor, Tensor]:
    """The sign of the determinant of each matrix, and the logarithm of its absolute value.

    Integers become float64. Raises ShapeError for matrices that are not square.

    >>> import autograd_nn as ag
    >>> [t.item() for t in ag.ops.slogdet([[0.0, 1.0], [1.0, 0.0]])]
    [-1.0, 0.0]
    """
    return record(slogdet.op, (matrices(x, "slogdet"),), {})


@composite(reference=lambda x: np.log(np.linalg.det(x)), domain=_square_domain())
def logdet(x: Any) -> Tensor:
    """The logarithm of the determinant of each matrix; NaN where that is negative.

    Integers become float64. Raises ShapeError for matrices that are not square.

    >>> import autograd_nn as ag
    >>> ag.ops.logdet([[1.0, 0.0], [0.0, 1.0]]).item()
    0.0
    """
    sign, size = slogdet(matrices(x, "logdet"))
    return where(sign < 0, float(np.nan), size)


# --- solutions


def _solve_infer(a: Spec, b: Spec) -> Spec:
    return Spec((*broadcast(a.shape[:-2], b.shape[:-2], what="solve"), *b.shape[-2:]), promote(a.dtype, b.dtype))


def _solve_left(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return -matmul(solve_matrices(swap_last(a), g), swap_last(y))


def _pair_samples(rng: Random) -> list[Sample]:
    return [
        Sample((regular(rng, 3, 3), rng.normal(size=3))), Sample((regular(rng, 3, 3), rng.normal(size=(3, 2)))),
        Sample((regular(rng, 2, 2, 2), rng.normal(size=(2, 2)))),
        Sample((regular(rng, 2, 2), rng.normal(size=(0, 2, 1)))),
        Sample((regular(rng, 2, 2, 2), rng.normal(size=(2, 2, 3)))),
    ]  # fmt: skip


def _pair_errors() -> list[Bad]:
    return [
        Bad((np.ones((2, 3)), np.ones(2)), {}, ValueError), Bad((np.eye(2), np.ones(3)), {}, ValueError),
        Bad((np.ones(2), np.ones(2)), {}, ValueError), Bad((np.array([["a"]]), np.ones(1)), {}, TypeError),
    ]  # fmt: skip


def _solution(a: Any, b: Any) -> Any:
    """NumPy's solve, vectors being what has one axis less than the matrices."""
    return np.linalg.solve(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else np.linalg.solve(a, b)


def _system(name: str, a: Any, b: Any, square: bool = True, complex_too: bool = False) -> tuple[Tensor, Tensor, bool]:
    """Matrices a and b of one dtype, and whether b was given as vectors."""
    left, right = matrices(a, name, square, complex_too), as_tensor(b)
    kind = promote(left.dtype, right.dtype)
    vector = right.ndim == left.ndim - 1
    right = matrices(expand_dims(right, -1) if vector else right, name, False, complex_too)
    rows, given = left.spec.shape[-2], right.spec.shape[-2]
    if isinstance(rows, int) and isinstance(given, int) and rows != given:
        raise ShapeError(
            f"{name}: a has {rows} rows and b {given}, shapes {show_shape(left.spec.shape)}, {as_tensor(b).shape}"
        )
    kind = kind if kind.kind in INEXACT else np.dtype("float64")
    return cast(left, kind), cast(right, kind), vector


@primitive(
    eval=solved(np.linalg.solve, "solve: a matrix is singular; use lstsq"),
    infer=_solve_infer,
    partials=(_solve_left, lambda g, y, a, b: solve_matrices(swap_last(a), g)),
    emit="solve",
    domain=cases(
        lambda rng: [case for case in _pair_samples(rng) if case.args[1].ndim != case.args[0].ndim - 1],
        lambda: [*_pair_errors(), Bad((np.zeros((2, 2)), np.ones((2, 1))), {}, ValueError)],
    ),
    family="solve",
    reference=_solution,
    complex=True,
)
def solve_matrices(a: Any, b: Any) -> Tensor:
    """The x with a @ x == b, for matrices a and b in the last two axes; leading axes broadcast.

    >>> import autograd_nn as ag
    >>> ag.ops.solve_matrices([[2.0, 0.0], [0.0, 4.0]], [[2.0], [2.0]]).tolist()
    [[1.0], [0.5]]
    """
    left, right = matrices(a, "solve_matrices", complex_too=True), matrices(b, "solve_matrices", False, True)
    return record(solve_matrices.op, _system("solve_matrices", left, right, complex_too=True)[:2], {})


@composite(
    reference=_solution,
    domain=cases(_pair_samples, lambda: [*_pair_errors(), Bad((np.zeros((2, 2)), np.ones(2)), {}, ValueError)]),
)
def solve(a: Any, b: Any) -> Tensor:
    """The x with a @ x == b.

    a: square matrices in the last two axes. b: as many axes as a for matrices, one less for vectors.
    Integers become float64. Raises ShapeError where the sizes do not fit, InvalidArgument for a singular matrix.

    >>> import autograd_nn as ag
    >>> ag.ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
    [1.0, 0.5]
    """
    left, right, vector = _system("solve", a, b)
    found = solve_matrices(left, right)
    return squeeze(found, -1) if vector else found


@composite(
    reference=lambda a, b, lower=False: _solution(np.tril(a) if lower else np.triu(a), b),
    domain=cases(
        lambda rng: [*_pair_samples(rng), *(Sample((*case.args, True)) for case in _pair_samples(rng)[:2])],
        _pair_errors,
    ),
)
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Tensor:
    """The x with a @ x == b, where only the upper (or lower) triangle of a is read.

    Arguments and errors as in `solve`.

    >>> import autograd_nn as ag
    >>> ag.ops.solve_triangular([[2.0, 0.0], [9.0, 4.0]], [2.0, 2.0]).tolist()
    [1.0, 0.5]
    """
    left, right, vector = _system("solve_triangular", a, b)
    found = solve_matrices(tril(left) if lower else triu(left), right)
    return squeeze(found, -1) if vector else found


# --- pseudoinverse


def _pinv(x: Any, rcond: float | None) -> Any:
    if not x.size:
        return np.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
    return np.linalg.pinv(x, max(x.shape[-2:]) * np.finfo(x.dtype).eps if rcond is None else rcond)


def _pinv_rule(g: Tensor, y: Tensor, x: Tensor, rcond: float | None) -> Tensor:
    """Golub and Pereyra's derivative at constant rank, transposed."""
    yt, gt = swap_last(y), swap_last(g)
    rows, columns = gt - matmul(x, matmul(y, gt)), gt - matmul(matmul(gt, y), x)
    return matmul(rows, matmul(y, yt)) + matmul(matmul(yt, y), columns) - matmul(yt, matmul(g, yt))


def _rcond(value: Any, what: str) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise ArgumentTypeError(f"{what}: rcond must be None or a number such as 1e-6, got {short(value)}")
    return value


def full_rank(rng: Random, *sizes: int) -> Any:
    """Matrices of full rank, of any shape."""
    return rng.normal(size=sizes) * 0.3 + np.eye(sizes[-2], sizes[-1]) * np.arange(1.0, sizes[-1] + 1)


@primitive(
    eval=solved(_pinv, "pinv: the singular values were not found; is there NaN in x?"),
    infer=lambda x, rcond: Spec((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype),
    partials=(_pinv_rule,),
    emit="pinv",
    domain=cases(
        lambda rng: [
            Sample((full_rank(rng, *sizes),)) for sizes in ((3, 2), (2, 3), (2, 2, 2), (0, 2, 3))
        ],
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 2)), "1e-6"), {}, TypeError),
            Bad((np.array([["a"]]),), {}, TypeError),
        ],
    ),
    family="solve",
    reference=lambda x, rcond=None: np.linalg.pinv(x) if x.size else np.zeros((*x.shape[:-2], *x.shape[:-3:-1])),
)  # fmt: skip
def pinv(x: Any, rcond: float | None = None) -> Tensor:
    """The pseudoinverse (Moore, Penrose) of each matrix in the last two axes.

    rcond: singular values below this share of the largest count as 0; the larger size times the dtype's precision if
    None. The gradient is right where the rank stays the same nearby.

    >>> import autograd_nn as ag
    >>> ag.ops.pinv([[2.0, 0.0]]).tolist()
    [[0.5], [0.0]]
    """
    return record(pinv.op, (matrices(x, "pinv", square=False),), {"rcond": _rcond(rcond, "pinv")})


@composite(
    reference=lambda a, b, rcond=None: np.linalg.lstsq(a, b, rcond)[0],
    domain=cases(
        lambda rng: [
            Sample((full_rank(rng, 4, 2), rng.normal(size=4))), Sample((full_rank(rng, 4, 2), rng.normal(size=(4, 3)))),
            Sample((full_rank(rng, 2, 3), rng.normal(size=2))), Sample((np.ones((0, 2)), np.ones(0))),
        ],
        lambda: [
            Bad((np.ones((2, 3)), np.ones(3)), {}, ValueError), Bad((np.ones(3), np.ones(3)), {}, ValueError),
            Bad((np.eye(2), np.ones(2), "small"), {}, TypeError), Bad((np.array([["a"]]), np.ones(1)), {}, TypeError),
        ],
    ),
)  # fmt: skip
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Tensor:
    """The x that makes the sum of squares of a @ x - b least; the shortest one where there are several.

    a: a matrix. b: a vector or a matrix. rcond: as in `pinv`. Raises ShapeError where the rows do not fit.

    >>> import autograd_nn as ag
    >>> ag.ops.lstsq([[1.0], [1.0]], [2.0, 4.0]).numpy().round(4).tolist()
    [3.0]
    """
    left, right, vector = _system("lstsq", a, b, square=False)
    found = matmul(pinv(left, rcond), right)
    return squeeze(found, -1) if vector else found


@primitive(
    eval=lambda x, tol: np.asarray(np.linalg.matrix_rank(x, tol) if x.size else np.zeros(x.shape[:-2], np.int64)),
    infer=lambda x, tol: Spec(x.shape[:-2], np.dtype("int64")),
    emit="matrix_rank",
    domain=cases(
        lambda rng: [
            Sample((regular(rng, 3, 3),), {}, False), Sample((np.ones((3, 2)),), {}, False),
            Sample((np.diag([1.0, 0.1]), 0.5), {}, False), Sample((np.ones((0, 2, 2)),), {}, False),
        ],
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 2)), "1e-6"), {}, TypeError),
            Bad((np.array([["a"]]),), {}, TypeError),
        ],
    ),
    family="solve",
    reference=lambda x, tol=None: np.int64(np.linalg.matrix_rank(x, tol)) if x.size else np.zeros(0, np.int64),
)  # fmt: skip
def matrix_rank(x: Any, tol: float | None = None) -> Tensor:
    """How many singular values of each matrix in the last two axes are above tol, as int64.

    tol: if None, the largest singular value times the larger size times the dtype's precision.

    >>> import autograd_nn as ag
    >>> ag.ops.matrix_rank([[1.0, 1.0], [1.0, 1.0]]).item()
    1
    """
    given = _rcond(tol, "matrix_rank: tol")
    return record(matrix_rank.op, (matrices(x, "matrix_rank", square=False),), {"tol": given})
