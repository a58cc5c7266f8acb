"""Ops that are several simpler ones: written out, so that fusion sees their parts."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..engine.convert import as_tensor
from ..engine.graph import Graph
from ..engine.spec import INEXACT
from ..engine.tensor import Tensor, recording, tracing
from ..ops.reduction import count
from .rewrite import rebuild

Axes = tuple[int, ...]


def decompose(graph: Graph) -> Graph:
    """The graph in which softmax, logsumexp, mean, variance, norm, one-hot and rounding to decimals are made of
    reductions and elementwise ops."""
    with tracing(None), recording(False):
        return rebuild(graph, _rule)


def _rule(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    op: Any = t.op
    rule = _RULES.get(op.name)
    if rule is None or inputs[0].value is not None or _half(t) or _half(inputs[0]):
        return None
    made = rule(inputs[0], **t.params)
    if made is None:
        return None
    if made.spec.dtype != t.spec.dtype:
        made = ops.cast(made, t.spec.dtype)
    made.site, made.scope, made.name = t.site, t.scope, t.name
    return made


def _half(t: Tensor) -> bool:
    """float16 keeps the rounding of NumPy's own forward."""
    return t.spec.dtype.kind == "f" and t.spec.dtype.itemsize == 2


def _wide(x: Tensor) -> Tensor:
    return x if x.spec.dtype.kind in INEXACT else ops.cast(x, "float64")


def _peak(x: Tensor, axis: Axes) -> Tensor | None:
    """The largest element over axes, limited to finite numbers; None where there may be no element."""
    if any(size == 0 for size in x.spec.shape):
        return None
    limits = np.finfo(x.spec.dtype)
    return ops.clip(ops.max(x, axis, keepdims=True), _number(limits.min, x), _number(limits.max, x))


def _number(value: Any, like: Tensor) -> Tensor:
    return as_tensor(np.asarray(value, like.spec.dtype))


def _softmax(x: Tensor, axis: Axes) -> Tensor | None:
    top = _peak(x, axis)
    if top is None:
        return None
    terms = ops.exp(x - top)
    return terms / ops.maximum(ops.sum(terms, axis, keepdims=True), _number(1, x))


def _log_softmax(x: Tensor, axis: Axes) -> Tensor | None:
    top = _peak(x, axis)
    if top is None:
        return None
    below = x - top
    return below - ops.log(ops.maximum(ops.sum(ops.exp(below), axis, keepdims=True), _number(1, x)))


def _logsumexp(x: Tensor, axis: Axes, keepdims: bool) -> Tensor | None:
    x = _wide(x)
    limits, highest = np.finfo(x.spec.dtype), ops.max(x, axis, keepdims=True)
    top = ops.clip(highest, _number(limits.min, x), _number(limits.max, x))
    total = ops.sum(ops.exp(x - top), axis, keepdims=True)
    found = ops.log(ops.maximum(total, _number(1, x))) + highest
    return found if keepdims or not axis else ops.squeeze(found, axis)


def _round(x: Tensor, decimals: int) -> Tensor | None:
    if not decimals or x.spec.dtype.kind != "f":
        return None
    power = _number(10.0 ** abs(decimals), x)
    return ops.round(x * power) / power if decimals > 0 else ops.round(x / power) * power


def _mean(x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    x = _wide(x)
    return ops.sum(x, axis, keepdims) / _count(x, axis)


def _count(x: Tensor, axis: Axes) -> Any:
    found = count(x, axis, x.spec.dtype)
    return _number(found, x) if isinstance(found, int) else found


def _var(x: Tensor, axis: Axes, keepdims: bool, ddof: float) -> Tensor:
    x = _wide(x)
    squares = ops.square(x - _mean(x, axis, True))
    return ops.sum(squares, axis, keepdims) / _freedom(x, axis, ddof)


def _freedom(x: Tensor, axis: Axes, ddof: float) -> Any:
    """What a sum of squares along the axes is divided by."""
    elements = count(x, axis, x.spec.dtype)
    if isinstance(elements, int):
        return _number(max(elements - ddof, 0), x)
    return ops.maximum(elements - ddof, 0) if ddof else elements


def _std(x: Tensor, axis: Axes, keepdims: bool, ddof: float) -> Tensor:
    return ops.sqrt(_var(x, axis, keepdims, ddof))


def _l2_norm(x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    return ops.sqrt(ops.sum(ops.square(x), axis, keepdims))


def _one_hot(x: Tensor, num_classes: int, axis: int, dtype: Any) -> Tensor:
    classes = np.arange(num_classes).reshape((-1,) + (1,) * (x.ndim - axis))
    return ops.cast(ops.equal(ops.expand_dims(x, axis), as_tensor(classes)), dtype)


_RULES: dict[str, Callable[..., Tensor | None]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "round": _round,
    "mean": _mean,
    "var": _var,
    "std": _std,
    "l2_norm": _l2_norm,
    "one_hot": _one_hot,
}
