"""Rows joined by the number of the segment that each belongs to."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import INEXACT, show_shape
from ..engine.tensor import Tensor
from ..errors import DTypeError, InvalidArgument, ShapeError
from .creation import full, shape
from .domain import cases, distinct
from .family import composite
from .indexing import scatter_like
from .searching import whole
from .statistics import max
from .updating import scatter_max, scatter_min, scatter_mul


def _domain() -> Domain:
    values = distinct(-3, 3.7)
    return cases(
        lambda rng: [
            Sample((values.draw(rng, (5,)), np.array([0, 0, 1, 3, 1]))),
            Sample((values.draw(rng, (4, 2)), np.array([2, 0, 2, 1])), {"num_segments": 4}),
            Sample((values.draw(rng, (3,)), np.array([0, 1, 1])), {"sorted": True}),
            Sample((np.ones((0, 2)), np.zeros(0, "int64")), {"num_segments": 2}),
        ],
        lambda: [
            Bad((np.ones(3), np.array([0, 1])), {}, ValueError), Bad((np.ones(2), np.array([0, -1])), {}, ValueError),
            Bad((np.ones(2), np.array([0, 3])), {"num_segments": 2}, ValueError),
            Bad((np.ones(2), np.array([0.5, 1])), {}, TypeError), Bad((np.ones(()), np.array([0])), {}, ValueError),
        ],
    )  # fmt: skip


def _segments(name: str, data: Any, segment_ids: Any, num_segments: int | None) -> tuple[Tensor, Tensor, Any]:
    """Rows, the segment of each, and the shape of the result."""
    rows, ids = as_tensor(data), as_tensor(segment_ids)
    if ids.dtype.kind not in "iu":
        raise DTypeError(f"{name}: segment_ids must be ints, got {ids.dtype}; use ops.cast")
    unequal = None not in (*rows.shape[:1], *ids.shape) and rows.shape[:1] != ids.shape
    if ids.ndim != 1 or not rows.ndim or unequal:
        raise ShapeError(
            f"{name}: segment_ids must be a vector with one number per row of data {show_shape(rows.spec.shape)}, got "
            f"shape {show_shape(ids.spec.shape)}"
        )
    if num_segments is None and ids.value is None:
        return rows, ids, (max(ids) + 1, *shape(rows)[1:])
    top = -1 if ids.value is None else int(np.max(ids.value, initial=-1))
    count = top + 1 if num_segments is None else whole(num_segments, f"{name}: num_segments", 0)
    if top >= count or ids.value is not None and np.min(ids.value, initial=0) < 0:
        raise InvalidArgument(f"{name}: segment_ids must be in 0..{count - 1}")
    return rows, ids, (count, *shape(rows)[1:])


def _limits(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """What is below and above all numbers of a dtype, or its lowest and largest."""
    if dtype.kind in INEXACT:
        return -np.inf, np.inf
    return (False, True) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)


@composite(reference=None, domain=_domain())
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The sum of the rows of each segment; 0 for a segment without rows.

    data: (n, ...). segment_ids: (n,) ints, the segment of each row. num_segments: how many there are, one more than the
    largest number if None. sorted: accepted as in Keras; the result is the same.

    >>> import autograd_nn as ag
    >>> ag.ops.segment_sum([1.0, 2.0, 4.0], [0, 2, 0]).tolist()
    [5.0, 0.0, 2.0]
    """
    rows, ids, target = _segments("segment_sum", data, segment_ids, num_segments)
    return scatter_like(rows, full(target, 0, rows.dtype), ids)


@composite(reference=None, domain=_domain())
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The largest of the rows of each segment; -inf (or the lowest integer) for a segment without rows.

    Arguments as in `segment_sum`; at ties the gradient is split evenly.

    >>> import autograd_nn as ag
    >>> ag.ops.segment_max([1.0, 2.0, 4.0], [0, 1, 0]).tolist()
    [4.0, 2.0]
    """
    rows, ids, target = _segments("segment_max", data, segment_ids, num_segments)
    return scatter_max(full(target, _limits(rows.dtype)[0], rows.dtype), rows, ids)


@composite(reference=None, domain=_domain())
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The smallest of the rows of each segment; inf (or the largest integer) for a segment without rows.

    Arguments as in `segment_sum`; at ties the gradient is split evenly.

    >>> import autograd_nn as ag
    >>> ag.ops.segment_min([1.0, 2.0, 4.0], [0, 1, 0]).tolist()
    [1.0, 2.0]
    """
    rows, ids, target = _segments("segment_min", data, segment_ids, num_segments)
    return scatter_min(full(target, _limits(rows.dtype)[1], rows.dtype), rows, ids)


@composite(reference=None, domain=_domain())
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The product of the rows of each segment; 1 for a segment without rows.

    Arguments as in `segment_sum`.

    >>> import autograd_nn as ag
    >>> ag.ops.segment_prod([3.0, 2.0, 4.0], [0, 1, 0]).tolist()
    [12.0, 2.0]
    """
    rows, ids, target = _segments("segment_prod", data, segment_ids, num_segments)
    return scatter_mul(full(target, 1, rows.dtype), rows, ids)
