"""Median, quantiles and percentiles, also beside NaN."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import normal_axes, show_shape
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, ShapeError, short
from .creation import shape
from .domain import Rng, cases, distinct
from .elementwise import cast, ceil, floor, isnan, maximum, round, where
from .family import composite
from .indexing import getitem, take_along_axis
from .reduction import Axis, any, count, refuse_empty, sum
from .shape import expand_dims, moveaxis, reshape, transpose
from .sorting import sort

# How the element between two neighbours is found: from the lower, the upper, and the place between them.
METHODS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "linear": lambda low, high, part, place: low + (high - low) * part,
    "lower": lambda low, high, part, place: low,
    "higher": lambda low, high, part, place: high,
    "midpoint": lambda low, high, part, place: low + (high - low) * (cast(part > 0, part.dtype) * 0.5),
    "nearest": lambda low, high, part, place: where(round(place) > floor(place), high, low),
}


def _quantile(name: str, x: Any, q: Any, axis: Axis, method: str, keepdims: bool, skip: bool) -> Tensor:
    """The quantiles of x over axes; `skip` leaves NaN out, else it is the result wherever it stands."""
    x = as_tensor(x)
    x = x if x.dtype.kind == "f" else cast(x, "float64")
    axes = normal_axes(axis, x.ndim, name)
    refuse_empty(name, x.spec, axes)
    if method not in METHODS:
        raise InvalidArgument(f"{name}: method must be one of {', '.join(METHODS)}, got {short(method)}")
    share = _share(name, q, x)
    rest = tuple(k for k in range(x.ndim) if k not in axes)
    sizes = shape(x)
    rows = reshape(transpose(x, (*rest, *axes)), (*(sizes[k] for k in rest), count(x, axes, "int64")))
    missing = isnan(rows)
    line = sort(rows, -1)
    counted = sum(cast(~missing, x.dtype), -1, keepdims=True)
    found = _between(line, maximum(counted - 1, 0) * reshape(share, (-1,)), METHODS[method])
    if not skip:
        found = where(any(missing, -1, keepdims=True), float(np.nan), found)
    found = moveaxis(found, -1, 0) if share.ndim else getitem(found, (..., 0))
    return expand_dims(found, tuple(k + share.ndim for k in axes)) if keepdims and axes else found


def _share(name: str, q: Any, x: Tensor) -> Tensor:
    """q in the dtype of x; a Python number must not be rounded to float32 on the way."""
    share = cast(q if isinstance(q, Tensor) else as_tensor(q, "float64"), x.dtype)
    if share.ndim > 1:
        raise ShapeError(f"{name}: q must be a number or a vector, got shape {show_shape(share.spec.shape)}")
    if share.value is not None and not ((share.value >= 0) & (share.value <= 1)).all():
        raise InvalidArgument(f"{name}: q must lie within its range, 0..1 or 0..100 percent, got {short(q)}")
    return share


def _between(line: Tensor, place: Tensor, method: Callable[..., Tensor]) -> Tensor:
    """What stands at places, which need not be whole, of sorted rows."""
    lower, upper = (take_along_axis(line, cast(side(place), "int64"), -1) for side in (floor, ceil))
    return method(lower, upper, place - floor(place), place)


def _samples(rng: Rng, holes: bool, *q: Any) -> list[Sample]:
    shapes: tuple[tuple[tuple[int, ...], Axis, bool], ...] = (
        ((5,), None, False), ((3, 4), 0, False), ((3, 4), 1, True), ((2, 3, 2), (0, 2), False), ((2, 3), None, True),
        ((), None, False), ((0, 3), 1, False),
    )  # fmt: skip
    draws = [distinct(-3, 3.7).draw, _with_holes] if holes else [distinct(-3, 3).draw]
    return [
        Sample((draw(rng, size), *q), {"axis": axis, "keepdims": keepdims}, draw is not _with_holes)
        for draw in draws
        for size, axis, keepdims in shapes
    ]


def _quantile_domain(scale: float, holes: bool) -> Domain:
    def samples(rng: Rng) -> list[Sample]:
        x = distinct(-3, 3.7).draw(rng, (3, 4))
        ways = [Sample((x, 0.4 * scale), {"axis": 1, "method": method}) for method in METHODS]
        several = Sample((x, np.array([0.1, 0.55]) * scale), {"axis": 0, "keepdims": True})
        return [*_samples(rng, holes, 0.3 * scale), *ways, several]

    def errors() -> list[Bad]:
        return [
            Bad((np.ones(3), 2 * scale), {}, ValueError), Bad((np.ones(3), 0.5), {"method": "lineal"}, ValueError),
            Bad((np.ones((2, 3)), 0.5, 2), {}, ValueError), Bad((np.array(["a"]), 0.5), {}, TypeError),
            Bad((np.ones((0, 2)), 0.5, 0), {}, ValueError), Bad((np.ones(2), np.ones((1, 1))), {}, ValueError),
        ]  # fmt: skip

    return cases(samples, errors)


def _with_holes(rng: Rng, size: tuple[int, ...]) -> Any:
    """Distinct numbers, the first of every row of several missing."""
    x = distinct(-3, 3.7).draw(rng, size)
    if x.ndim and x.shape[-1] > 1:
        x[..., 0] = np.nan
    return x


def _median_domain(holes: bool) -> Domain:
    return cases(
        lambda rng: [*_samples(rng, holes), Sample((np.array([[1, 4], [2, 9]]),), {"axis": 1}, False)],
        lambda: [
            Bad((np.ones((2, 3)), 2), {}, ValueError), Bad((np.ones((0, 3)), 0), {}, ValueError),
            Bad((np.ones((2, 3)), 0.5), {}, TypeError), Bad((np.array(["a"]),), {}, TypeError),
        ],
    )  # fmt: skip


@composite(reference=np.quantile, domain=_quantile_domain(1, holes=False))
def quantile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The number below which the share q of the elements over axes lies; NaN where an element is NaN.

    q: from 0 to 1, a number, or a vector, whose axis then comes first in the result; gradients flow to it too.
    method: between two elements "linear", "lower", "higher", "midpoint" or "nearest". Integers become float64.
    Raises InvalidArgument for q outside 0..1, ShapeError over no elements.

    >>> import autograd_nn as ag
    >>> ag.ops.quantile([1.0, 2.0, 4.0], 0.75).item()
    3.0
    """
    return _quantile("quantile", x, q, axis, method, keepdims, skip=False)


@composite(reference=np.percentile, domain=_quantile_domain(100, holes=False))
def percentile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The number below which q percent of the elements over axes lie: `quantile` of q / 100.

    >>> import autograd_nn as ag
    >>> ag.ops.percentile([1.0, 2.0, 4.0], 75).item()
    3.0
    """
    return _quantile("percentile", x, _hundredth(q), axis, method, keepdims, skip=False)


def _hundredth(q: Any) -> Any:
    return q / 100 if isinstance(q, Tensor) else np.true_divide(q, 100)


@composite(reference=np.median, domain=_median_domain(holes=False))
def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The middle element over axes, or the mean of the two middle ones; NaN where an element is NaN.

    Integers become float64. Raises ShapeError over no elements.

    >>> import autograd_nn as ag
    >>> ag.ops.median([1.0, 9.0, 2.0]).item()
    2.0
    """
    return _quantile("median", x, 0.5, axis, "linear", keepdims, skip=False)


@composite(reference=np.nanquantile, domain=_quantile_domain(1, holes=True))
def nanquantile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` of the elements that are not NaN; NaN where there is none.

    >>> import autograd_nn as ag
    >>> ag.ops.nanquantile([1.0, float("nan"), 2.0], 0.5).item()
    1.5
    """
    return _quantile("nanquantile", x, q, axis, method, keepdims, skip=True)


@composite(reference=np.nanpercentile, domain=_quantile_domain(100, holes=True))
def nanpercentile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`percentile` of the elements that are not NaN; NaN where there is none.

    >>> import autograd_nn as ag
    >>> ag.ops.nanpercentile([1.0, float("nan"), 2.0], 50).item()
    1.5
    """
    return _quantile("nanpercentile", x, _hundredth(q), axis, method, keepdims, skip=True)


@composite(reference=np.nanmedian, domain=_median_domain(holes=True))
def nanmedian(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`median` of the elements that are not NaN; NaN where there is none.

    >>> import autograd_nn as ag
    >>> ag.ops.nanmedian([1.0, float("nan"), 2.0]).item()
    1.5
    """
    return _quantile("nanmedian", x, 0.5, axis, "linear", keepdims, skip=True)
