"""Mean and spread, the extremes and where they are."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import INEXACT, Spec, normal_axes, normal_axis
from ..engine.tensor import Tensor, record
from ..errors import ArgumentTypeError, short
from .domain import Rng, and_complex, cases, distinct, gaussian, reals
from .elementwise import cast, equal, maximum, minimum, where
from .family import primitive
from .reduction import (
    Axis,
    add_up,
    count,
    reduce,
    reduced,
    reduction_domain,
    reduction_infer,
    refuse_empty,
    spread,
    sum,
)

# --- mean, variance, standard deviation


def _total_dtype(dtype: Any) -> Any:
    """What NumPy adds up in: float64 for integers, float32 for float16."""
    if dtype.kind not in INEXACT:
        return np.dtype("float64")
    return np.dtype("float32") if dtype.itemsize == 2 else dtype


def _narrow(result: Any, x: Any) -> Any:
    """A result added up in float32 back in the float16 of `x`."""
    return result.astype(x.dtype) if x.dtype.kind == "f" and x.dtype.itemsize == 2 else result


def _mean(x: Any, axis: tuple[int, ...] = (), keepdims: bool = False) -> Any:
    total = add_up(x, axis=axis, dtype=_total_dtype(x.dtype), keepdims=keepdims)
    return _narrow(total / math.prod(x.shape[k] for k in axis), x)


@primitive(
    eval=_mean,
    infer=reduction_infer(_mean),
    partials=(lambda g, y, x, axis, keepdims: spread(g / count(x, axis, g.dtype), x, axis, keepdims),),
    emit="reduce:mean",
    domain=and_complex(
        reduction_domain(reals(-3, 3), empty=False), lambda rng: [Sample((gaussian(rng, 2, 3),), {"axis": 0})]
    ),
    family="reduction",
    reference=np.mean,
    complex=True,
)
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean over axes; NaN over no elements.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    Integers and bools give float64, as in NumPy. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.mean([[1.0, 2.0], [3.0, 4.0]], axis=0).tolist()
    [2.0, 3.0]
    """
    return reduce(mean.op, x, axis, keepdims)


def _var(x: Any, axis: tuple[int, ...] = (), keepdims: bool = False, ddof: float = 0) -> Any:
    wide = np.asarray(x, _total_dtype(x.dtype))
    total = add_up(np.square(wide - _mean(wide, axis, True)), axis=axis, keepdims=keepdims)
    elements = math.prod(x.shape[k] for k in axis)
    return _narrow(total / (elements - ddof if elements > ddof else 0), x)


def _deviation(g: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool, ddof: float) -> Tensor:
    """g / (n - ddof) times the distance from the mean."""
    centred = x - mean(x, axis, keepdims=True)
    return spread(g / (count(x, axis, g.dtype) - ddof), x, axis, keepdims) * centred


def _ddof(ddof: Any, name: str) -> float:
    if isinstance(ddof, bool) or not isinstance(ddof, (int, float)):
        raise ArgumentTypeError(f"{name}: ddof must be a number such as 0 or 1, got {short(ddof)}")
    return ddof


_SPREAD_CASES = (((5,), {"axis": 0, "ddof": 1}), ((3, 4), {"axis": None, "ddof": 1}))


@primitive(
    eval=_var,
    infer=reduction_infer(_var),
    partials=(lambda g, y, x, axis, keepdims, ddof: _deviation(2 * g, x, axis, keepdims, ddof),),
    emit="reduce:var",
    domain=reduction_domain(reals(-3, 3), empty=False, also=_SPREAD_CASES),
    family="reduction",
    reference=np.var,
)
def var(x: Any, axis: Axis = None, keepdims: bool = False, *, ddof: float = 0) -> Tensor:
    """The variance over axes: squared distances from the mean, divided by n - ddof.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    ddof: 0 for the population, 1 for an unbiased estimate from a sample. NaN over no elements.
    Integers and bools give float64, as in NumPy. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.var([1.0, 3.0]).item(), ag.ops.var([1.0, 3.0], ddof=1).item()
    (1.0, 2.0)
    """
    return reduce(var.op, x, axis, keepdims, ddof=_ddof(ddof, "var"))


def _std(x: Any, axis: tuple[int, ...] = (), keepdims: bool = False, ddof: float = 0) -> Any:
    return np.sqrt(_var(x, axis, keepdims, ddof))


@primitive(
    eval=_std,
    infer=reduction_infer(_std),
    partials=(lambda g, y, x, axis, keepdims, ddof: _deviation(where(equal(y, 0), 0, g / y), x, axis, keepdims, ddof),),
    emit="reduce:std",
    domain=reduction_domain(reals(-3, 3), empty=False, also=_SPREAD_CASES),
    family="reduction",
    reference=np.std,
)
def std(x: Any, axis: Axis = None, keepdims: bool = False, *, ddof: float = 0) -> Tensor:
    """The standard deviation over axes, the square root of `var`; where it is 0 its gradient is 0.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    ddof: 0 for the population, 1 to divide by n - 1. NaN over no elements.
    Integers and bools give float64, as in NumPy. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.std([1.0, 3.0]).item()
    1.0
    """
    return reduce(std.op, x, axis, keepdims, ddof=_ddof(ddof, "std"))


# --- extremes


def _extreme_infer(name: str, forward: Callable[..., Any]) -> Callable[..., Spec]:
    rule = reduction_infer(forward)

    def infer(x: Spec, axis: tuple[int, ...], keepdims: bool) -> Spec:
        refuse_empty(name, x, axis)
        return rule(x, axis, keepdims)

    return infer


def _extreme_rule(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    """g where x is the extreme, split evenly among ties."""
    ties = cast(equal(x, spread(y, x, axis, keepdims)), g.dtype)
    return spread(g / sum(ties, axis, keepdims), x, axis, keepdims) * ties


def _beside(initial: Any, op: Any, join: Callable[..., Tensor], x: Any, axis: Axis, keepdims: bool) -> Tensor:
    """An extreme in which a number takes part besides the elements."""
    if initial is None:
        return reduce(op, x, axis, keepdims)
    x = as_tensor(x)
    axes = normal_axes(axis, x.ndim, op.name)
    if 0 in (x.spec.shape[k] for k in axes):
        return sum(x, axes, keepdims) + cast(initial, x.dtype)
    return join(reduce(op, x, axes, keepdims), cast(initial, x.dtype))


@primitive(
    eval=np.maximum.reduce,
    infer=_extreme_infer("max", np.max),
    partials=(_extreme_rule,),
    emit="reduce:maximum",
    domain=reduction_domain(distinct(-3, 3), empty=False),
    family="reduction",
    reference=np.max,
)
def max(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The largest element over axes; at ties the gradient is split evenly.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    initial: a number that takes part besides, and is the result over no elements. NaN propagates.
    Raises ShapeError over no elements without `initial`, AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.max([[1.0, 2.0], [3.0, 0.0]], axis=0).tolist()
    [3.0, 2.0]
    """
    return _beside(initial, max.op, maximum, x, axis, keepdims)


@primitive(
    eval=np.minimum.reduce,
    infer=_extreme_infer("min", np.min),
    partials=(_extreme_rule,),
    emit="reduce:minimum",
    domain=reduction_domain(distinct(-3, 3), empty=False),
    family="reduction",
    reference=np.min,
)
def min(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The smallest element over axes; at ties the gradient is split evenly.

    x: tensor or array. axis: one, several, or None for all. keepdims: leave the reduced axes with size 1.
    initial: a number that takes part besides, and is the result over no elements. NaN propagates.
    Raises ShapeError over no elements without `initial`, AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.min([[1.0, 2.0], [3.0, 0.0]], axis=0).tolist()
    [1.0, 0.0]
    """
    return _beside(initial, min.op, minimum, x, axis, keepdims)


def _place_infer(name: str) -> Callable[..., Spec]:
    def infer(x: Spec, axis: int | None, keepdims: bool) -> Spec:
        axes = tuple(range(x.ndim)) if axis is None else (axis,)
        refuse_empty(name, x, axes)
        return Spec(reduced(x.shape, axes, keepdims), np.dtype("int64"))

    return infer


def _place_samples(rng: Rng) -> list[Sample]:
    values = distinct(-3, 3)
    places: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
        ((), {}), ((5,), {"axis": 0}), ((3, 4), {}), ((3, 4), {"axis": -1}), ((2, 3, 4), {"axis": 1, "keepdims": True}),
        ((2, 3), {"keepdims": True}), ((0, 3), {"axis": 1}),
    )  # fmt: skip
    ties = Sample((np.array([[1, 3, 3], [2, 2, 0]]),), {"axis": 1}, False)
    return [*(Sample((values.draw(rng, shape),), arguments, False) for shape, arguments in places), ties]


def _place_errors() -> list[Bad]:
    return [
        Bad((np.ones((2, 3)),), {"axis": 2}, ValueError),
        Bad((np.ones((0, 3)),), {"axis": 0}, ValueError),
        Bad((np.ones((2, 3)),), {"axis": (0, 1)}, TypeError),
        Bad((np.array(["a"]),), {}, TypeError),
    ]


def _place(op: Any, x: Any, axis: int | None, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    at = None if axis is None else normal_axis(axis, x.ndim, op.name)
    return record(op, (x,), {"axis": at, "keepdims": bool(keepdims)})


@primitive(
    eval=np.argmax,
    infer=_place_infer("argmax"),
    emit="reduce:argmax",
    domain=cases(_place_samples, _place_errors),
    family="reduction",
)
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index (int64) of the largest element along an axis, of the first one at ties.

    x: tensor or array. axis: an int, or None for the index into the flattened elements.
    Raises ShapeError over no elements, AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.argmax([[1.0, 2.0], [3.0, 0.0]], axis=1).tolist()
    [1, 0]
    """
    return _place(argmax.op, x, axis, keepdims)


@primitive(
    eval=np.argmin,
    infer=_place_infer("argmin"),
    emit="reduce:argmin",
    domain=cases(_place_samples, _place_errors),
    family="reduction",
)
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index (int64) of the smallest element along an axis, of the first one at ties.

    x: tensor or array. axis: an int, or None for the index into the flattened elements.
    Raises ShapeError over no elements, AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.argmin([[1.0, 2.0], [3.0, 0.0]], axis=1).tolist()
    [0, 1]
    """
    return _place(argmin.op, x, axis, keepdims)
