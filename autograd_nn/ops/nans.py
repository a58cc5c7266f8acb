"""Reductions that leave NaN out."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import INEXACT
from ..engine.tensor import Tensor, refuse_complex
from .cumulative import cumprod, cumsum
from .domain import Rng, Values, cases, distinct
from .elementwise import cast, equal, isnan, sqrt, square, where
from .family import composite
from .reduction import Axis, all, prod, reduction_domain, sum
from .statistics import argmax, argmin, max, min


def _draw(rng: Rng, size: tuple[int, ...]) -> Any:
    """Distinct numbers, the first of every row of several missing."""
    x = distinct(-3, 3.7).draw(rng, size)
    if x.ndim and x.shape[-1] > 1:
        x[..., 0] = np.nan
    return x


def _reduction(empty: bool = True) -> Domain:
    """Samples as for other reductions, and the same with holes, where differences cannot be taken."""
    whole = reduction_domain(distinct(-3, 3.7), empty)
    holed = reduction_domain(Values(_draw, grad=False), empty)
    return Domain(lambda rng: [*whole.samples(rng), *holed.samples(rng)], whole.errors)


def _filled(x: Any, instead: float) -> Tensor:
    """x with a number in place of NaN."""
    x = as_tensor(x)
    return where(isnan(x), instead, x) if x.dtype.kind in INEXACT else x


def _counted(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    return sum(cast(~isnan(x), x.dtype if x.dtype.kind in INEXACT else "float64"), axis, keepdims)


@composite(reference=np.nansum, domain=_reduction())
def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over axes, NaN counted as 0.

    >>> import autograd_nn as ag
    >>> ag.ops.nansum([1.0, float("nan")]).item()
    1.0
    """
    return sum(_filled(x, 0), axis, keepdims)


@composite(reference=np.nanprod, domain=_reduction())
def nanprod(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product over axes, NaN counted as 1.

    >>> import autograd_nn as ag
    >>> ag.ops.nanprod([3.0, float("nan")]).item()
    3.0
    """
    return prod(_filled(x, 1), axis, keepdims)


@composite(reference=np.nanmean, domain=_reduction(empty=False))
def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean over axes of the elements that are not NaN; NaN where there is none.

    >>> import autograd_nn as ag
    >>> ag.ops.nanmean([1.0, float("nan"), 3.0]).item()
    2.0
    """
    x = as_tensor(x)
    return sum(_filled(x, 0), axis, keepdims) / _counted(x, axis, keepdims)


@composite(reference=np.nanvar, domain=_reduction(empty=False))
def nanvar(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance over axes of the elements that are not NaN; NaN where there is none.

    >>> import autograd_nn as ag
    >>> ag.ops.nanvar([1.0, float("nan"), 3.0]).item()
    1.0
    """
    x = as_tensor(x)
    refuse_complex(nanvar.op, (x,))
    centred = _filled(x - nanmean(x, axis, keepdims=True), 0)
    return sum(square(centred), axis, keepdims) / _counted(x, axis, keepdims)


@composite(reference=np.nanstd, domain=_reduction(empty=False))
def nanstd(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation over axes of the elements that are not NaN; where it is 0 its gradient is 0.

    >>> import autograd_nn as ag
    >>> ag.ops.nanstd([1.0, float("nan"), 3.0]).item()
    1.0
    """
    squares = nanvar(x, axis, keepdims)
    constant = equal(squares, 0)
    return where(constant, 0, sqrt(where(constant, 1, squares)))


def _extreme(function: Callable[..., Tensor], beyond: float, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    if x.dtype.kind != "f":
        return function(x, axis, keepdims)
    found = function(_filled(x, beyond), axis, keepdims)
    return where(all(isnan(x), axis, keepdims), float(np.nan), found)


@composite(reference=np.nanmax, domain=_reduction(empty=False))
def nanmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element over axes that is not NaN; NaN where there is none. Raises ShapeError over no elements.

    >>> import autograd_nn as ag
    >>> ag.ops.nanmax([1.0, float("nan"), 3.0]).item()
    3.0
    """
    return _extreme(max, -np.inf, x, axis, keepdims)


@composite(reference=np.nanmin, domain=_reduction(empty=False))
def nanmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element over axes that is not NaN; NaN where there is none. Raises ShapeError over no elements.

    >>> import autograd_nn as ag
    >>> ag.ops.nanmin([1.0, float("nan"), 3.0]).item()
    1.0
    """
    return _extreme(min, np.inf, x, axis, keepdims)


# --- places and running totals


def _along(rng: Rng, grad: bool) -> list[Sample]:
    shapes: tuple[tuple[tuple[int, ...], int | None], ...] = (
        ((5,), 0), ((3, 4), 1), ((3, 4), None), ((2, 1, 3), -1), ((), None), ((0, 3), 1),
    )  # fmt: skip
    holed = [Sample((_draw(rng, size), axis), {}, False) for size, axis in shapes]
    return [*holed, *(Sample((distinct(-3, 3.7).draw(rng, size), axis), {}, grad) for size, axis in shapes)]


def _along_domain(grad: bool) -> Domain:
    return cases(
        lambda rng: _along(rng, grad),
        lambda: [
            Bad((np.ones((2, 3)), 2), {}, ValueError), Bad((np.ones((2, 3)), 0.5), {}, TypeError),
            Bad((np.array(["a"]),), {}, TypeError),
        ],
    )  # fmt: skip


def _place(function: Callable[..., Tensor], beyond: float, x: Any, axis: int | None, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    found = function(_filled(x, beyond), axis, keepdims)
    return where(all(isnan(x), axis, keepdims), -1, found)


@composite(reference=np.nanargmax, domain=_along_domain(False), order=0)
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index (int64) along an axis of the largest element that is not NaN; -1 where there is none.

    >>> import autograd_nn as ag
    >>> ag.ops.nanargmax([float("nan"), 1.0, 3.0]).item()
    2
    """
    return _place(argmax, -np.inf, x, axis, keepdims)


@composite(reference=np.nanargmin, domain=_along_domain(False), order=0)
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index (int64) along an axis of the smallest element that is not NaN; -1 where there is none.

    >>> import autograd_nn as ag
    >>> ag.ops.nanargmin([float("nan"), 1.0, 3.0]).item()
    1
    """
    return _place(argmin, np.inf, x, axis, keepdims)


def _as(x: Tensor, dtype: Any) -> Tensor:
    return x if dtype is None else cast(x, dtype)


@composite(reference=np.nancumsum, domain=_along_domain(True))
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running sum along an axis, NaN counted as 0; over the flattened elements where the axis is None.

    >>> import autograd_nn as ag
    >>> ag.ops.nancumsum([1.0, float("nan"), 3.0]).tolist()
    [1.0, 1.0, 4.0]
    """
    return cumsum(_as(_filled(x, 0), dtype), axis)


@composite(reference=np.nancumprod, domain=_along_domain(True))
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The running product along an axis, NaN counted as 1; over the flattened elements where the axis is None.

    >>> import autograd_nn as ag
    >>> ag.ops.nancumprod([2.0, float("nan"), 3.0]).tolist()
    [2.0, 2.0, 6.0]
    """
    return cumprod(_as(_filled(x, 1), dtype), axis)
