"""Running sums, products and linear recurrences along an axis."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor, pair
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import Spec, broadcast, normal_axis, promote
from ..engine.tensor import Tensor, record
from ..errors import ShapeError
from .domain import Rng, cases
from .family import dtype_of, primitive, same_shape
from .shape import reshape


def _running(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A running total of NumPy, from either end."""

    def run(x: Any, axis: int, reverse: bool) -> Any:
        return np.flip(forward(np.flip(x, axis), axis), axis) if reverse else forward(x, axis)

    return run


def _running_infer(forward: Callable[..., Any]) -> Callable[..., Spec]:
    return lambda x, axis, reverse: Spec(x.shape, dtype_of(forward, x.dtype))


def _running_domain(low: float, high: float) -> Domain:
    def samples(rng: Rng) -> list[Sample]:
        shapes: tuple[tuple[tuple[int, ...], int | None], ...] = (
            ((5,), 0), ((3, 4), 1), ((3, 4), None), ((2, 1, 3), 1), ((), None), ((0, 3), 0),
        )  # fmt: skip
        return [Sample((rng.uniform(low, high, shape), axis)) for shape, axis in shapes]

    def errors() -> list[Bad]:
        return [
            Bad((np.ones((2, 3)), 2), {}, ValueError),
            Bad((np.ones(()), 0), {}, ValueError),
            Bad((np.ones(3), 0.5), {}, TypeError),
            Bad((np.array(["a"]),), {}, TypeError),
        ]

    return Domain(samples, errors)


def _run(op: Any, x: Any, axis: int | None, reverse: bool) -> Tensor:
    x = as_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return record(op, (x,), {"axis": normal_axis(axis, x.ndim, op.name), "reverse": bool(reverse)})


@primitive(
    eval=_running(np.cumsum),
    infer=_running_infer(np.cumsum),
    partials=(lambda g, y, x, axis, reverse: cumsum(g, axis, reverse=not reverse),),
    emit="scan:add",
    domain=_running_domain(-3, 3),
    family="scan",
    reference=np.cumsum,
)
def cumsum(x: Any, axis: int | None = None, dtype: Any = None, *, reverse: bool = False) -> Tensor:
    """The running sum along an axis; over the flattened elements where the axis is None.

    x: tensor or array. dtype: what x is cast to before. reverse: run from the end.
    Small integers and bools are summed as int64, as in NumPy.
    Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.cumsum([1.0, 2.0, 3.0]).tolist()
    [1.0, 3.0, 6.0]
    """
    return _run(cumsum.op, as_tensor(x, dtype), axis, reverse)


def _shift(x: Any, axis: int, step: int, fill: float) -> Any:
    to, of = (slice(1, None), slice(None, -1)) if step > 0 else (slice(None, -1), slice(1, None))
    before = (slice(None),) * axis
    moved = np.full_like(x, fill)
    moved[(*before, to)] = x[(*before, of)]
    return moved


@primitive(
    eval=_shift,
    infer=lambda x, axis, step, fill: Spec(x.shape, x.dtype),
    partials=(lambda g, y, x, axis, step, fill: shift(g, -step, axis),),
    emit="shift",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=4),)), Sample((rng.normal(size=(2, 3)), -1, 0), {"fill": 2.0}),
            Sample((rng.normal(size=(1, 2)), 1, 0)), Sample((rng.normal(size=(2, 0)),)),
        ],
        lambda: [
            Bad((np.ones(2), 2), {}, ValueError), Bad((np.ones(2), 1, 1), {}, ValueError),
            Bad((np.ones(()),), {}, ValueError), Bad((np.array(["a"]),), {}, TypeError),
        ],
    ),
    family="scan",
)  # fmt: skip
def shift(x: Any, step: int = 1, axis: int = -1, fill: float = 0) -> Tensor:
    """x moved by one place along an axis, `fill` in the place that becomes free.

    step: 1 towards the end, -1 towards the front.
    Raises ShapeError for another step, AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.shift([1.0, 2.0, 3.0]).tolist()
    [0.0, 1.0, 2.0]
    """
    x = as_tensor(x)
    if step not in (1, -1):
        raise ShapeError(f"shift: step must be 1 or -1, got {step}; use roll for others")
    return record(shift.op, (x,), {"axis": normal_axis(axis, x.ndim, "shift"), "step": step, "fill": fill})


def _recur(a: Any, b: Any, axis: int, reverse: bool) -> Any:
    y = np.array(b, np.result_type(a, b))
    rows, factors = np.moveaxis(y, axis, 0), np.moveaxis(a, axis, 0)
    count = len(rows)
    order = range(count - 2, -1, -1) if reverse else range(1, count)
    back = 1 if reverse else -1
    for k in order:
        rows[k] += factors[k] * rows[k + back]
    return y


def _recur_vjp(g: Tensor, y: Tensor, a: Tensor, b: Tensor, axis: int, reverse: bool) -> tuple[Tensor, Tensor]:
    step = -1 if reverse else 1
    gb = linear_recurrence(shift(a, -step, axis), g, axis, reverse=not reverse)
    return gb * shift(y, step, axis), gb


@primitive(
    eval=_recur,
    infer=lambda a, b, axis, reverse: Spec(broadcast(a.shape, b.shape), promote(a.dtype, b.dtype)),
    vjp=_recur_vjp,
    emit="scan:fma",
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=4), rng.normal(size=4))),
            Sample((rng.normal(size=(2, 0)), rng.normal(size=(2, 0)))),
            Sample((rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), 0)),
            Sample((rng.normal(size=(2, 3)), rng.normal(size=(2, 3))), {"reverse": True}),
        ],
        lambda: [
            Bad((np.ones(2), np.ones(3)), {}, ValueError), Bad((np.ones(2), np.ones((3, 2))), {}, ValueError),
            Bad((np.ones(2), np.ones(2), 1), {}, ValueError), Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
        ],
    ),
    family="scan",
)  # fmt: skip
def linear_recurrence(a: Any, b: Any, axis: int = -1, *, reverse: bool = False) -> Tensor:
    """y with y[k] = b[k] + a[k] * y[k - 1] along an axis, y[0] = b[0].

    a, b: tensors of one shape; a[0] is not used. reverse: y[k] = b[k] + a[k] * y[k + 1], from the end.
    Raises ShapeError where the shapes differ, AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.linear_recurrence([0.5, 0.5, 0.5], [8.0, 0.0, 1.0]).tolist()
    [8.0, 4.0, 3.0]
    """
    a, b = pair(a, b)
    same_shape("linear_recurrence", a, b, "a and b")
    at = normal_axis(axis, b.ndim, "linear_recurrence")
    return record(linear_recurrence.op, (a, b), {"axis": at, "reverse": bool(reverse)})


def _cumprod_rule(g: Tensor, y: Tensor, x: Tensor, axis: int, reverse: bool) -> Tensor:
    step = -1 if reverse else 1
    before = cumprod(shift(x, step, axis, fill=1), axis, reverse=reverse)
    return before * linear_recurrence(shift(x, -step, axis), g, axis, reverse=not reverse)


@primitive(
    eval=_running(np.cumprod),
    infer=_running_infer(np.cumprod),
    partials=(_cumprod_rule,),
    emit="scan:multiply",
    domain=_running_domain(-2, 2),
    family="scan",
    reference=np.cumprod,
)
def cumprod(x: Any, axis: int | None = None, dtype: Any = None, *, reverse: bool = False) -> Tensor:
    """The running product along an axis; over the flattened elements where the axis is None.

    x: tensor or array. dtype: what x is cast to before. reverse: run from the end.
    The gradient is right where elements are zero.
    Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.cumprod([1.0, 2.0, 3.0]).tolist()
    [1.0, 2.0, 6.0]
    """
    return _run(cumprod.op, as_tensor(x, dtype), axis, reverse)


def product_of_others(x: Tensor, axis: int) -> Tensor:
    """For each element the product of all others along the axis, without division, so right where some are zero."""
    before = cumprod(shift(x, 1, axis, fill=1), axis)
    after = cumprod(shift(x, -1, axis, fill=1), axis, reverse=True)
    return before * after
