"""Differences, areas, averages, and the products of vectors beyond dot."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor, pair
from ..engine.op import Bad, Sample
from ..engine.spec import normal_axes, normal_axis, show_shape
from ..engine.tensor import Tensor
from ..errors import DTypeError, InvalidArgument, ShapeError, short
from . import statistics
from .arrange import flip, pad
from .complexes import conj
from .creation import arange, shape
from .domain import DATES, Rng, cases, distinct
from .einsum import tensordot
from .elementwise import cast, not_equal, power
from .family import composite
from .indexing import getitem, take
from .join import stack
from .linalg import l2_norm, matmul, swap_last
from .reduction import Axis, reduction_domain, sum
from .shape import expand_dims, moveaxis, reshape
from .statistics import mean

# --- along an axis


@composite(
    reference=np.diff,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)),)), Sample((rng.normal(size=(3, 4)), 2, 0)),
            Sample((rng.normal(size=3), 0)),
            Sample((rng.normal(size=2), 3)), Sample((np.array([True, False, False]),), {}, False),
            Sample((np.ones((0, 2)),)),
        ],
        lambda: [
            Bad((np.ones(3), -1), {}, ValueError), Bad((np.ones(3), 1.0), {}, TypeError),
            Bad((np.ones(()),), {}, ValueError), Bad((np.ones(3), 1, 1), {}, ValueError),
        ],
    ),
)  # fmt: skip
def diff(a: Any, n: int = 1, axis: int = -1) -> Tensor:
    """What each element along an axis is more than the one before, n times over.

    Raises ShapeError for a scalar, AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.diff([1.0, 3.0, 6.0]).tolist()
    [2.0, 3.0]
    """
    x = as_tensor(a)
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise DTypeError(f"diff: n must be an int, got {short(n)}")
    if n < 0:
        raise InvalidArgument(f"diff: n must be >= 0, got {n}")
    before = (slice(None),) * normal_axis(axis, x.ndim, "diff")
    for _ in range(n):
        later, earlier = (getitem(x, (*before, part)) for part in (slice(1, None), slice(None, -1)))
        x = not_equal(later, earlier) if x.dtype.kind == "b" else later - earlier
    return x


@composite(reference=np.ptp, domain=reduction_domain(distinct(-3, 3), empty=False))
def ptp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest minus the smallest element over axes.

    x: tensor or array. axis: one, several, or None for all. Raises ShapeError over no elements.

    >>> import autograd_nn as ag
    >>> ag.ops.ptp([1.0, 5.0, 3.0]).item()
    4.0
    """
    x = as_tensor(x)
    axes = normal_axes(axis, x.ndim, "ptp")
    return statistics.max(x, axes, keepdims) - statistics.min(x, axes, keepdims)


@composite(
    reference=lambda x, axis=None, weights=None: np.mean(x, axis) if weights is None else np.average(x, axis, weights),
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)),)), Sample((rng.normal(size=(3, 4)), 1)),
            Sample((rng.normal(size=(3, 4)), 1, rng.uniform(0.5, 2, 4))), Sample((rng.normal(size=()),)),
            Sample((rng.normal(size=(2, 3)), None, rng.uniform(0.5, 2, (2, 3)))),
            Sample((rng.normal(size=(2, 3, 2)), (0, 2), rng.uniform(0.5, 2, (2, 3, 2)))), Sample((np.ones((0, 2)), 1)),
        ],
        lambda: [
            Bad((np.ones((2, 3)), 2), {}, ValueError), Bad((np.ones((2, 3)), 1, np.ones(2)), {}, ValueError),
            Bad((np.ones((2, 3)), None, np.ones(3)), {}, ValueError), Bad((np.array(["a"]),), {}, TypeError),
        ],
    ),
)  # fmt: skip
def average(x: Any, axis: Axis = None, weights: Any = None) -> Tensor:
    """The mean over axes, each element counted by its weight.

    weights: of the shape of x, or a vector along the one axis. Raises ShapeError for weights of another shape.

    >>> import autograd_nn as ag
    >>> ag.ops.average([1.0, 4.0], weights=[2.0, 1.0]).item()
    2.0
    """
    x = as_tensor(x)
    if weights is None:
        return mean(x, axis)
    w = as_tensor(weights)
    axes = normal_axes(axis, x.ndim, "average")
    if w.ndim == 1 and len(axes) == 1 and axis is not None:
        w = expand_dims(w, tuple(k for k in range(x.ndim) if k not in axes))
    fits = w.ndim == x.ndim and all(a in (b, None) or b is None for a, b in zip(w.shape, x.shape) if a != 1)
    if not fits or any(w.shape[k] == 1 != x.shape[k] for k in axes):
        raise ShapeError(
            f"average: weights of shape {show_shape(as_tensor(weights).spec.shape)} must have the shape "
            f"{show_shape(x.spec.shape)} of x, or be a vector along the one axis"
        )
    w = w if w.dtype.kind == "f" or x.dtype.kind != "f" else cast(w, x.dtype)
    return sum(x * w, axes) / sum(w, axes)


@composite(
    reference=np.trapezoid,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)),)), Sample((rng.normal(size=(3, 4)), rng.normal(size=4))),
            Sample((rng.normal(size=(3, 4)), rng.normal(size=3)), {"axis": 0}),
            Sample((rng.normal(size=5),), {"dx": 0.5}),
            Sample((rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))), Sample((np.ones((0, 3)),)),
        ],
        lambda: [
            Bad((np.ones(3), np.ones(4)), {}, ValueError), Bad((np.ones(3),), {"axis": 1}, ValueError),
            Bad((np.ones(()),), {}, ValueError), Bad((np.array(["a"]),), {}, TypeError),
        ],
    ),
)  # fmt: skip
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The area under y along an axis, its points joined by straight lines.

    x: where the points lie, a vector along that axis or of the shape of y; else they lie dx apart.

    >>> import autograd_nn as ag
    >>> ag.ops.trapezoid([1.0, 2.0, 3.0]).item()
    4.0
    """
    y = as_tensor(y)
    place = normal_axis(axis, y.ndim, "trapezoid")
    before = (slice(None),) * place
    heights = getitem(y, (*before, slice(1, None))) + getitem(y, (*before, slice(None, -1)))
    if x is None:
        return sum(heights * (0.5 * dx), place)
    points = as_tensor(x)
    if points.ndim == 1:
        points = expand_dims(points, tuple(k for k in range(y.ndim) if k != place))
    widths = diff(points, axis=place - y.ndim)
    return sum(widths * heights * 0.5, place)


# --- products


def _two(*pairs: tuple[tuple[int, ...], tuple[int, ...]]) -> Any:
    return lambda rng: [Sample((rng.normal(size=a), rng.normal(size=b))) for a, b in pairs]


@composite(
    reference=np.inner,
    domain=cases(
        _two(((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), (3,)), ((), (2,)), ((0, 2), (3, 2))),
        lambda: [
            Bad((np.ones(2), np.ones(3)), {}, ValueError), Bad((np.ones((2, 3)), np.ones((3, 2))), {}, ValueError),
            Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
        ],
    ),
)  # fmt: skip
def inner(x1: Any, x2: Any) -> Tensor:
    """The sum of products over the last axis of both; scalars multiply. Raises ShapeError where the sizes differ.

    >>> import autograd_nn as ag
    >>> ag.ops.inner([1.0, 2.0], [3.0, 4.0]).item()
    11.0
    """
    a, b = pair(x1, x2)
    return tensordot(a, b, ((-1,), (-1,))) if a.ndim and b.ndim else a * b


@composite(
    reference=np.kron,
    domain=cases(
        _two(((2,), (3,)), ((2, 3), (2, 2)), ((2,), (2, 3)), ((), (2,)), ((), ()), ((0, 2), (2, 2))),
        lambda: [
            Bad((np.array(["a"]), np.ones(1)), {}, TypeError), Bad((np.ones(1), DATES), {}, TypeError),
            Bad(([[1.0], [1.0, 2.0]], 1.0), {}, ValueError),
        ],
    ),
)  # fmt: skip
def kron(x1: Any, x2: Any) -> Tensor:
    """The Kronecker product: each element of x1 times the whole of x2, put in its place.

    >>> import autograd_nn as ag
    >>> ag.ops.kron([1.0, 10.0], [1.0, 2.0]).tolist()
    [1.0, 2.0, 10.0, 20.0]
    """
    a, b = pair(x1, x2)
    ndim = max(a.ndim, b.ndim)
    outer, fine = ([1] * (ndim - t.ndim) + list(shape(t)) for t in (a, b))
    spread = reshape(a, tuple(size for n in outer for size in (n, 1)))
    copies = reshape(b, tuple(size for n in fine for size in (1, n)))
    return reshape(spread * copies, tuple(n * m for n, m in zip(outer, fine)))


def _cross_samples(rng: Rng) -> list[Sample]:
    def case(a: tuple[int, ...], b: tuple[int, ...], **axes: int) -> Sample:
        return Sample((rng.normal(size=a), rng.normal(size=b)), axes)

    return [
        case((3,), (3,)), case((2, 3), (3,)), case((3, 4), (3, 4), axis=0), case((3, 2), (2, 3), axisa=0, axisc=0),
        case((0, 3), (0, 3)), case((2, 1, 3), (4, 3)),
    ]  # fmt: skip


@composite(
    reference=np.cross,
    domain=cases(
        _cross_samples,
        lambda: [
            Bad((np.ones(4), np.ones(4)), {}, ValueError), Bad((np.ones(()), np.ones(3)), {}, ValueError),
            Bad((np.ones((2, 3)), np.ones((4, 3))), {}, ValueError), Bad((np.ones(3), np.ones(3), 1), {}, ValueError),
        ],
    ),
)  # fmt: skip
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The vector at right angles to x1 and x2, along an axis of size 3 (or 2, for a third component 0).

    axisa, axisb, axisc: that axis in x1, x2 and the result; axis: one for all three. Of two plane vectors only the
    third component is returned. The other axes broadcast. Raises ShapeError for another size.

    >>> import autograd_nn as ag
    >>> ag.ops.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).tolist()
    [0.0, 0.0, 1.0]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = pair(x1, x2)
    (a1, a2, a3), (b1, b2, b3) = _components(a, axisa, "x1"), _components(b, axisb, "x2")
    if a3 is None and b3 is None:
        return a1 * b2 - a2 * b1
    a3, b3 = 0 if a3 is None else a3, 0 if b3 is None else b3
    found = stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], -1)
    return moveaxis(found, -1, axisc)


def _components(x: Tensor, axis: int, what: str) -> tuple[Any, Any, Any]:
    place = normal_axis(axis, x.ndim, f"cross: axis of {what}")
    size = x.shape[place]
    if size not in (2, 3):
        raise ShapeError(f"cross: axis {place} of {what} {show_shape(x.spec.shape)} must have size 2 or 3")
    before = (slice(None),) * place
    parts = [getitem(x, (*before, k)) for k in range(size)]
    return (*parts, None) if size == 2 else tuple(parts)


# --- from vectors to matrices


@composite(
    reference=np.vander,
    domain=cases(
        lambda rng: [
            Sample((rng.uniform(0.3, 2, 3),)), Sample((rng.uniform(0.3, 2, 3), 2), {"increasing": True}),
            Sample((rng.uniform(0.3, 2, 2), 0)), Sample((np.array([1, 2, 3]),), {}, False), Sample((np.ones(0), 2)),
        ],
        lambda: [
            Bad((np.ones((2, 2)),), {}, ValueError), Bad((np.ones(2), -1), {}, ValueError),
            Bad((np.ones(2), 1.5), {}, TypeError), Bad((np.array(["a"]),), {}, TypeError),
        ],
    ),
)  # fmt: skip
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """The matrix whose columns are x to the power N - 1, ..., 1, 0; N is the length of x if None.

    x: a vector. increasing: begin with the power 0.

    >>> import autograd_nn as ag
    >>> ag.ops.vander([2.0, 3.0]).tolist()
    [[2.0, 1.0], [3.0, 1.0]]
    """
    x = as_tensor(x)
    if x.ndim != 1:
        raise ShapeError(f"vander: x must be a vector, got shape {show_shape(x.spec.shape)}")
    if N is not None and (isinstance(N, bool) or not hasattr(N, "__index__")):
        raise DTypeError(f"vander: N must be an int, got {short(N)}")
    if N is not None and N < 0:
        raise InvalidArgument(f"vander: N must be >= 0, got {N}")
    exponents = cast(arange(shape(x)[0] if N is None else N), x.dtype)
    return power(expand_dims(x, 1), exponents if increasing else flip(exponents))


@composite(
    reference=np.corrcoef,
    domain=cases(
        lambda rng: [
            *(Sample((rng.normal(size=shape),)) for shape in ((3, 5), (2, 4), (0, 3))),
            Sample((rng.normal(size=4),), {}, False),
        ],
        lambda: [
            Bad((np.ones((2, 2, 2)),), {}, ValueError), Bad((np.ones(()),), {}, ValueError),
            Bad((np.array(["a"]),), {}, TypeError),
        ],
    ),
)  # fmt: skip
def corrcoef(x: Any) -> Tensor:
    """The correlation of each row of x with each other one (Pearson), a matrix of numbers from -1 to 1.

    x: one variable per row, one observation per column; a vector is one variable. NaN for a variable that is constant.

    >>> import autograd_nn as ag
    >>> ag.ops.corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]).numpy().round(4).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    x = as_tensor(x)
    if x.ndim not in (1, 2):
        raise ShapeError(f"corrcoef: needs a vector or a matrix, got shape {show_shape(x.spec.shape)}")
    centred = x - mean(x, -1, keepdims=True)
    unit = centred / l2_norm(centred, -1, keepdims=True)
    return sum(unit * unit, -1) if x.ndim == 1 else matmul(unit, swap_last(unit))


@composite(
    reference=np.correlate,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=n), rng.normal(size=m), mode))
            for mode in ("valid", "same", "full") for n, m in ((5, 3), (3, 5), (4, 2), (1, 1))
        ],
        lambda: [
            Bad((np.ones((2, 2)), np.ones(2)), {}, ValueError), Bad((np.ones(2), np.ones(2), "fulll"), {}, ValueError),
            Bad((np.ones(0), np.ones(2)), {}, ValueError), Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
        ],
    ),
)  # fmt: skip
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Tensor:
    """The sum of products of x1 with x2, of complex numbers its conjugate, laid on it at each place.

    x1, x2: vectors of known size. mode: "valid" for places where the shorter lies on the longer as a whole, "full" for
    all where they touch, "same" for as many as the longer has elements. Raises InvalidArgument for another mode.

    >>> import autograd_nn as ag
    >>> ag.ops.correlate([1.0, 2.0, 3.0], [1.0, 1.0]).tolist()
    [3.0, 5.0]
    """
    a, b = pair(x1, x2)
    return _correlated(a, conj(b), mode)


def _correlated(a: Tensor, b: Tensor, mode: str) -> Tensor:
    n, m = _length(a, "x1"), _length(b, "x2")
    if mode not in ("valid", "same", "full"):
        raise InvalidArgument(f"correlate: mode must be 'valid', 'same' or 'full', got {short(mode)}")
    if n < m:
        return flip(_correlated(b, a, mode))
    before = {"valid": 0, "same": m // 2, "full": m - 1}[mode]
    after = {"valid": 0, "same": m - 1 - m // 2, "full": m - 1}[mode]
    places = np.arange(n + before + after - m + 1)[:, None] + np.arange(m)
    return matmul(take(pad(a, (before, after)), places), b)


def _length(x: Tensor, what: str) -> int:
    size = x.shape[0] if x.ndim == 1 else None
    if not size:
        raise ShapeError(f"correlate: {what} must be a vector of known size, not 0, got {show_shape(x.spec.shape)}")
    return size
