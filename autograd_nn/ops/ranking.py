"""The largest elements of rows, and vectors that mark classes."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import normal_axis
from ..engine.tensor import Tensor
from ..errors import AxisError, DTypeError, InvalidArgument, ShapeError
from .arrange import flip
from .creation import shape
from .domain import cases
from .elementwise import clip, isfinite
from .family import composite
from .indexing import getitem, take_along_axis
from .nn import one_hot
from .reduction import all, sum
from .searching import refuse_sparse, whole
from .shape import expand_dims
from .sorting import argsort
from .statistics import max


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((rng.permutation(12).reshape(3, 4) / 3, 2)), Sample((rng.permutation(5) / 2, 5)),
            Sample((np.array([1, 3, 3, 2]), 2), {"sorted": False}, False), Sample((np.ones((0, 3)), 1)),
        ],
        lambda: [
            Bad((np.ones(3), 4), {}, ValueError), Bad((np.ones(3), -1), {}, ValueError),
            Bad((np.ones(3), 1.5), {}, TypeError), Bad((np.ones(()), 1), {}, ValueError),
        ],
    ),
)  # fmt: skip
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest elements along the last axis, falling, and their indices (int64); the first of equal ones first.

    sorted: accepted as in Keras; the result is sorted always. Raises InvalidArgument for k beyond the size.

    >>> import autograd_nn as ag
    >>> [t.tolist() for t in ag.ops.top_k([1.0, 5.0, 3.0], 2)]
    [[5.0, 3.0], [1, 2]]
    """
    x, count = as_tensor(x), whole(k, "top_k: k", 0)
    if not x.ndim:
        raise ShapeError("top_k: needs at least one axis, got a scalar")
    size = x.shape[-1]
    if size is not None and count > size:
        raise InvalidArgument(f"top_k: k must be at most the size {size} of the last axis, got {count}")
    # The order of the reversed row, reversed, puts the first of equal elements first.
    rising = argsort(flip(x, -1), -1)
    places = shape(x)[-1] - 1 - getitem(flip(rising, -1), (..., slice(None, count)))
    return take_along_axis(x, places, -1), places


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((np.array([2, 0, 1]), rng.normal(size=(3, 4)), 2), {}, False),
            Sample((np.array([1, 1]), np.array([[1.0, 1.0, 0.0], [1.0, np.nan, 0.0]]), 1), {}, False),
            Sample((np.array([5, -1]), rng.normal(size=(2, 3)), 3), {}, False),
            Sample((np.zeros(0, "int64"), np.ones((0, 3)), 1), {}, False),
        ],
        lambda: [
            Bad((np.array([0]), np.ones(3), 1), {}, ValueError),
            Bad((np.array([0.5]), np.ones((1, 3)), 1), {}, TypeError),
            Bad((np.array([0, 1]), np.ones((3, 3)), 1), {}, ValueError),
            Bad((np.array([0]), np.ones((1, 3)), "1"), {}, TypeError),
        ],
    ),
    order=0,
)  # fmt: skip
def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """Whether the prediction for each target is among the k largest of its row; equal ones are all among them.

    targets: class numbers, one per row. predictions: a matrix, one row of classes each. False for a target outside the
    classes and for a prediction that is not finite.

    >>> import autograd_nn as ag
    >>> ag.ops.in_top_k([1, 0], [[0.1, 0.8, 0.1], [0.2, 0.5, 0.3]], 1).tolist()
    [True, False]
    """
    labels, rows = as_tensor(targets), as_tensor(predictions)
    count = whole(k, "in_top_k: k")
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"in_top_k: targets must be ints, got {labels.dtype}; use ops.cast")
    sizes = (labels.shape[:1], rows.shape[:1])
    if labels.ndim != 1 or rows.ndim != 2 or None not in (*sizes[0], *sizes[1]) and sizes[0] != sizes[1]:
        raise ShapeError(
            f"in_top_k: targets (n,) and predictions (n, classes) expected, got {labels.shape} and {rows.shape}"
        )
    classes = shape(rows)[1]
    inside = (labels >= 0) & (labels < classes)
    chosen = take_along_axis(rows, expand_dims(clip(labels, 0, classes - 1), 1), 1)
    larger = sum(rows > chosen, 1)
    return inside & (larger < count) & all(isfinite(chosen), 1)


@composite(
    reference=lambda x, kth, axis=-1: np.argsort(x, axis, kind="stable"),
    domain=cases(
        lambda rng: [
            Sample((rng.integers(0, 9, (3, 4)), 1), {}, False), Sample((rng.normal(size=(3, 2)), 2, 0), {}, False),
            Sample((rng.normal(size=5), -1), {}, False), Sample((np.ones((0, 3)), 0), {}, False),
        ],
        lambda: [
            Bad((np.ones(3), 3), {}, ValueError), Bad((np.ones(3), 0.5), {}, TypeError),
            Bad((np.ones(3), 0, 1), {}, ValueError), Bad((np.ones(()), 0), {}, ValueError),
        ],
    ),
    order=0,
)  # fmt: skip
def argpartition(x: Any, kth: int, axis: int = -1) -> Tensor:
    """Indices (int64) that put smaller elements before place kth along an axis and larger ones behind it.

    The indices here are those of `argsort`, which do so for every place. Raises AxisError for a place outside.

    >>> import autograd_nn as ag
    >>> ag.ops.argpartition([3.0, 1.0, 2.0], 1).tolist()
    [1, 2, 0]
    """
    x = as_tensor(x)
    place = normal_axis(axis, x.ndim, "argpartition")
    size, at = x.shape[place], whole(kth, "argpartition: kth")
    if size is not None and not -size <= at < size:
        raise AxisError(f"argpartition: kth {at} is out of range for axis {place} of size {size}")
    return argsort(x, place)


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((rng.integers(0, 4, (2, 3)), 4), {}, False), Sample((np.array([0, 2]), 3), {}, False),
            Sample((rng.integers(0, 3, (2, 2)), 3), {"axis": 1, "dtype": "int32"}, False),
            Sample((np.array(1), 3), {}, False), Sample((np.zeros((0, 2), "int64"), 3), {}, False),
        ],
        lambda: [
            Bad((np.array([0, 1]),), {}, TypeError), Bad((np.array([0, 1]), 0), {}, ValueError),
            Bad((np.array([0, 1]), 2), {"sparse": True}, ValueError), Bad((np.array(["a"]), 2), {}, TypeError),
        ],
    ),
    order=0,
)  # fmt: skip
def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """For each row of class numbers a vector with 1 at the classes that occur in it and 0 elsewhere.

    inputs: ints, (classes,) or (rows, classes, ...). num_classes: how many classes there are. axis: their place among
    the axes before those of a row are joined. dtype: of the result, the default float if None.

    >>> import autograd_nn as ag
    >>> ag.ops.multi_hot([[0, 2], [1, 1]], 3).tolist()
    [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    refuse_sparse("multi_hot", sparse)
    classes = as_tensor(inputs)
    joined = 1 if classes.ndim > 1 else 0
    hot = one_hot(classes, whole(num_classes, "multi_hot: num_classes", 1), axis, dtype)
    return max(hot, joined) if classes.ndim else hot
