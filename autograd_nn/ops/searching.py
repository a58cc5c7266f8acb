"""Where elements stand: in an order, in bins, among others; and how often they occur."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor, pair
from ..engine.op import Bad, Sample
from ..engine.spec import Dim, Spec, show_shape
from ..engine.tensor import Tensor, record
from ..errors import AxisError, DTypeError, InvalidArgument, ShapeError, short
from .domain import Rng, cases
from .elementwise import floor_divide, mod
from .family import composite, primitive
from .indexing import take_along_axis

Random = Rng


def whole(value: Any, what: str, least: int | None = None) -> int:
    """An int argument; DTypeError for anything else, InvalidArgument below `least`."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise DTypeError(f"{what} must be an int, got {short(value)}")
    if least is not None and value.__index__() < least:
        raise InvalidArgument(f"{what} must be >= {least}, got {value}")
    return value.__index__()


def _vector(x: Any, what: str) -> Tensor:
    x = as_tensor(x)
    if x.ndim != 1:
        raise ShapeError(f"{what} must be a vector, got shape {show_shape(x.spec.shape)}")
    return x


# --- in an order


@primitive(
    eval=lambda line, values, side: np.asarray(np.searchsorted(line, values, side)),
    infer=lambda line, values, side: Spec(values.shape, np.dtype("int64")),
    emit="searchsorted",
    domain=cases(
        lambda rng: [
            Sample((np.sort(rng.normal(size=5)), rng.normal(size=(2, 3))), {}, False),
            Sample((np.array([1, 2, 2, 3]), np.array([2, 0, 9])), {"side": "right"}, False),
            Sample((np.ones(0), np.array(1.0)), {}, False), Sample((np.arange(3), np.ones((0, 2))), {}, False),
        ],
        lambda: [
            Bad((np.ones((2, 2)), np.ones(2)), {}, ValueError), Bad((np.ones(2), np.array(["a"])), {}, TypeError),
            Bad((np.ones(2), np.ones(2), "middle"), {}, ValueError),
        ],
    ),
    family="search",
)  # fmt: skip
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Tensor:
    """The places (int64) in a rising vector before which the values would have to stand to keep it rising.

    side: "left" for the first such place, "right" for the last. Raises ShapeError unless sorted_sequence is a vector.

    >>> import autograd_nn as ag
    >>> ag.ops.searchsorted([1.0, 2.0, 3.0], [0.0, 2.0, 9.0]).tolist()
    [0, 1, 3]
    """
    if side not in ("left", "right"):
        raise InvalidArgument(f"searchsorted: side must be 'left' or 'right', got {short(side)}")
    line = _vector(sorted_sequence, "searchsorted: sorted_sequence")
    return record(searchsorted.op, (line, as_tensor(values)), {"side": side})


@primitive(
    eval=lambda x, bins: np.asarray(np.digitize(x, bins)),
    infer=lambda x, bins: Spec(x.shape, np.dtype("int64")),
    emit="digitize",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)), np.array([-1.0, 0.0, 1.0])), {}, False),
            Sample((np.array([1, 5, 9]), np.array([6, 4, 2])), {}, False),
            Sample((np.array(0.5), np.array([0.0, 1.0])), {}, False), Sample((np.ones((0, 2)), np.ones(1)), {}, False),
        ],
        lambda: [
            Bad((np.ones(2), np.ones((2, 2))), {}, ValueError), Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
            Bad((np.ones(2), np.array([1.0, 3.0, 2.0])), {}, ValueError),
        ],
    ),
    family="search",
)  # fmt: skip
def digitize(x: Any, bins: Any) -> Tensor:
    """The number (int64) of the bin that each element falls into: i where bins[i - 1] <= x < bins[i].

    bins: a rising vector of limits, or a falling one, for which bins[i - 1] > x >= bins[i].
    Raises InvalidArgument for limits that neither rise nor fall.

    >>> import autograd_nn as ag
    >>> ag.ops.digitize([0.5, 1.0, 9.0], [0.0, 1.0, 2.0]).tolist()
    [1, 2, 3]
    """
    limits = _vector(bins, "digitize: bins")
    if limits.value is not None:
        steps = np.diff(limits.value)
        if (steps < 0).any() and (steps > 0).any():
            raise InvalidArgument(f"digitize: bins must rise or fall throughout, got {short(limits.tolist())}")
    return record(digitize.op, (as_tensor(x), limits), {})


# --- how often


def _bincount(x: Any, *weights: Any, minlength: int) -> Any:
    size = int(np.max(x, initial=minlength - 1)) + 1
    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    places = (rows + size * np.arange(len(rows))[:, None]).ravel()
    given = weights[0].ravel() if weights else None
    found = np.bincount(places, given, size * len(rows)).reshape(*x.shape[:-1], size)
    return found.astype(weights[0].dtype) if weights and weights[0].dtype.kind == "f" else found


def _bincount_infer(x: Spec, *weights: Spec, minlength: int) -> Spec:
    kinds = [w.dtype if w.dtype.kind == "f" else np.dtype("float64") for w in weights]
    return Spec((*x.shape[:-1], Dim()), kinds[0] if kinds else np.dtype("int64"))


@primitive(
    eval=_bincount,
    infer=_bincount_infer,
    vjp=lambda g, y, x, *weights, minlength: (None, *[take_along_axis(g, x, -1) for _ in weights]),
    emit="bincount",
    domain=cases(
        lambda rng: [
            Sample((np.array([0, 1, 1, 3]),), {}, False), Sample((np.array([0, 1, 1, 3]), rng.normal(size=4))),
            Sample((np.array([2, 0, 2]), rng.normal(size=3), 5)),
            Sample((np.zeros(0, "int64"),), {"minlength": 2}, False),
            Sample((np.zeros(0, "int64"), np.ones(0))),
        ],
        lambda: [
            Bad((np.array([0, -1]),), {}, ValueError), Bad((np.array([0.5]),), {}, TypeError),
            Bad((np.array([0, 1]), np.ones(3)), {}, ValueError),
            Bad((np.array([0, 1]),), {"minlength": -1}, ValueError),
            Bad((np.array(3),), {}, ValueError), Bad((np.array([1]),), {"sparse": True}, ValueError),
        ],
    ),
    family="search",
)  # fmt: skip
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each of 0, 1, 2, ... occurs in x, or the sum of the weights where it does.

    x: ints >= 0, a vector, or a matrix of which each row is counted. weights: of the shape of x; gradients flow to
    them. minlength: the least length of the result. sparse: only False, there are no sparse tensors.

    >>> import autograd_nn as ag
    >>> ag.ops.bincount([0, 2, 2]).tolist()
    [1, 0, 2]
    """
    refuse_sparse("bincount", sparse)
    x = as_tensor(x)
    if x.dtype.kind not in "iu":
        raise DTypeError(f"bincount: x must hold ints, got {x.dtype}; use ops.cast")
    if x.ndim not in (1, 2):
        raise ShapeError(f"bincount: x must be a vector or a matrix, got shape {show_shape(x.spec.shape)}")
    if x.value is not None and np.min(x.value, initial=0) < 0:
        raise InvalidArgument(f"bincount: x must be >= 0, got {np.min(x.value)}")
    given = () if weights is None else (as_tensor(weights),)
    for w in given:
        if x.value is not None and w.value is not None and w.shape != x.shape:
            raise ShapeError(f"bincount: weights must have the shape {x.shape} of x, got {w.shape}")
    return record(bincount.op, (x, *given), {"minlength": whole(minlength, "bincount: minlength", 0)})


def refuse_sparse(name: str, sparse: Any) -> None:
    """InvalidArgument where sparse tensors are asked for."""
    if sparse:
        raise InvalidArgument(
            f"{name}: sparse={short(sparse)} is not possible, there are no sparse tensors; leave it out"
        )


@primitive(
    eval=np.nonzero,
    infer=lambda x: (lambda count: tuple(Spec((count,), np.dtype("int64")) for _ in x.shape))(Dim()),
    emit="nonzero",
    domain=cases(
        lambda rng: [
            Sample((rng.integers(0, 2, (3, 4)),), {}, False), Sample((np.array([0.0, 2.0, np.nan]),), {}, False),
            Sample((np.ones((0, 2)),), {}, False), Sample((np.array([[[True], [False]]]),), {}, False),
        ],
        lambda: [
            Bad((np.ones(()),), {}, ValueError), Bad((np.array(["a"]),), {}, TypeError),
            Bad((np.array([1j]),), {}, TypeError),
        ],
    ),
    family="search",
    many=True,
)  # fmt: skip
def nonzero(x: Any) -> tuple[Tensor, ...]:
    """The indices (int64) of the elements that are not zero, one vector per axis. Raises ShapeError for a scalar.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.nonzero([[0, 5], [7, 0]])]
    [[0, 1], [1, 0]]
    """
    x = as_tensor(x)
    if not x.ndim:
        raise ShapeError("nonzero: needs at least one axis, got a scalar")
    return record(nonzero.op, (x,), {})


@primitive(
    eval=lambda a, b: np.asarray(np.isin(a, b)),
    infer=lambda a, b: Spec(a.shape, np.dtype("bool")),
    emit="isin",
    domain=cases(
        lambda rng: [
            Sample((rng.integers(0, 5, (3, 4)), rng.integers(0, 5, 2)), {}, False),
            Sample((rng.integers(0, 5, 4), np.array(2)), {"invert": True}, False),
            Sample((np.array(1.0), np.ones((2, 1))), {}, False),
            Sample((np.ones((0, 2)), np.ones(1)), {}, False),
        ],
        lambda: [
            Bad((np.array(["a"]), np.ones(1)), {}, TypeError), Bad((np.ones(1), np.array([1j])), {}, TypeError),
            Bad(([[1.0], [1.0, 2.0]], 1.0), {}, ValueError),
        ],
    ),
    family="search",
    reference=np.isin,
)  # fmt: skip
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of x1 is among those of x2, or with `invert` whether it is not.

    assume_unique: accepted as in NumPy; the result is the same.

    >>> import autograd_nn as ag
    >>> ag.ops.isin([1, 2, 3], [3, 1]).tolist()
    [True, False, True]
    """
    a, b = pair(x1, x2)
    found = record(isin.op, (a, b), {})
    return ~found if invert else found


@composite(
    reference=np.unravel_index,
    domain=cases(
        lambda rng: [
            Sample((np.array([0, 5, 3]), (2, 3)), {}, False), Sample((np.array(7), (3, 2, 2)), {}, False),
            Sample((np.zeros((0, 2), "int64"), (4,)), {}, False),
        ],
        lambda: [
            Bad((np.array([6]), (2, 3)), {}, ValueError), Bad((np.array([0.5]), (2, 3)), {}, TypeError),
            Bad((np.array([0]), (2.0, 3)), {}, TypeError), Bad((np.array([-1]), (2, 3)), {}, ValueError),
        ],
    ),
    order=0,
)  # fmt: skip
def unravel_index(indices: Any, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """Places among the flattened elements as indices, one tensor per axis of `shape`.

    Raises AxisError for a place outside, where it has a value.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.unravel_index([0, 5], (2, 3))]
    [[0, 1], [0, 2]]
    """
    places = as_tensor(indices)
    if places.dtype.kind not in "iu":
        raise DTypeError(f"unravel_index: indices must be ints, got {places.dtype}; use ops.cast")
    sizes = [whole(size, "unravel_index: a size of shape", 0) for size in shape]
    total = int(np.prod(sizes))
    if places.value is not None and ((places.value < 0) | (places.value >= total)).any():
        raise AxisError(f"unravel_index: indices must be in 0..{total - 1} for shape {tuple(sizes)}")
    found: list[Tensor] = []
    for size in reversed(sizes):
        found.append(mod(places, size))
        places = floor_divide(places, size)
    return tuple(reversed(found))
