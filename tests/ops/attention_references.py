"""Attention and normalisation, place by place."""

import itertools
import math
from typing import Any

import numpy as np

Array = Any


def dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    bias: Array = None,
    mask: Array = None,
    scale: float | None = None,
    is_causal: bool = False,
) -> Array:
    """One query of one head at a time, over the keys that it sees."""
    batch, rows, heads, width = query.shape
    columns, kept = key.shape[1:3]
    whole = (batch, heads, rows, columns)
    added = np.broadcast_to(0.0 if bias is None else bias, whole)
    seen = np.broadcast_to(True if mask is None else mask, whole)
    result = np.zeros((*query.shape[:3], value.shape[3]))
    for b, n, t in itertools.product(range(batch), range(heads), range(rows)):
        of = n * kept // heads
        places = [s for s in range(columns) if seen[b, n, t, s] and not (is_causal and s > t)]
        logits = [query[b, t, n] @ key[b, s, of] * (scale or 1 / math.sqrt(width)) + added[b, n, t, s] for s in places]
        shares = [math.exp(v) for v in logits]
        result[b, t, n] = np.sum([w * value[b, s, of] for w, s in zip(shares, places)], 0) / np.sum(shares)
    return result


def _placed(x: Array, axes: tuple[int, ...], values: Array, default: float) -> Array:
    """One value per place along the axes, with axes of size 1 for the others."""
    if values is None:
        return np.float64(default)
    return np.reshape(values, [n if k in axes else 1 for k, n in enumerate(x.shape)])


def _positive(axis: Any, ndim: int) -> tuple[int, ...]:
    axes = range(ndim) if axis is None else axis if isinstance(axis, (list, tuple)) else (axis,)
    return tuple(k % ndim for k in axes)


def moments(x: Array, axes: Any, keepdims: bool = False) -> list[Array]:
    over = _positive(axes, x.ndim)
    with np.errstate(all="ignore"):
        count = math.prod(x.shape[k] for k in over)
        middle = x.sum(over, keepdims=True) / np.float64(count)
        spread = ((x - middle) ** 2).sum(over, keepdims=True) / np.float64(count)
    return [m if keepdims else m.reshape([n for k, n in enumerate(x.shape) if k not in over]) for m in (middle, spread)]


def batch_normalization(
    x: Array, mean: Array, variance: Array, axis: int, offset: Array = None, scale: Array = None, epsilon: float = 1e-3
) -> Array:
    axes = _positive(axis, x.ndim)
    mean, variance = _placed(x, axes, mean, 0), _placed(x, axes, variance, 1)
    return (x - mean) / np.sqrt(variance + epsilon) * _placed(x, axes, scale, 1) + _placed(x, axes, offset, 0)


def layer_normalization(
    x: Array,
    gamma: Array = None,
    beta: Array = None,
    axis: Any = -1,
    epsilon: float = 1e-7,
    rms_scaling: bool = False,
) -> Array:
    axes = _positive(axis, x.ndim)
    middle, spread = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    if rms_scaling:
        middle, beta = 0, None
    return (x - middle) / np.sqrt(spread + epsilon) * _placed(x, axes, gamma, 1) + _placed(x, axes, beta, 0)


def rms_normalization(x: Array, scale: Array = None, axis: Any = -1, epsilon: float = 1e-7) -> Array:
    axes = _positive(axis, x.ndim)
    return x / np.sqrt((x**2).mean(axes, keepdims=True) + epsilon) * _placed(x, axes, scale, 1)


def normalize(x: Array, axis: Any = -1, order: int = 2, epsilon: float = 1e-7) -> Array:
    sums = (np.abs(x) ** order).sum(_positive(axis, x.ndim), keepdims=True)
    return x / np.maximum(sums ** (1 / order), epsilon)


ATTENTION_REFERENCES = {
    "batch_normalization": batch_normalization,
    "dot_product_attention": dot_product_attention,
    "layer_normalization": layer_normalization,
    "moments": moments,
    "normalize": normalize,
    "rms_normalization": rms_normalization,
}
