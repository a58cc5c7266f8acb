"""What torch has of attention and normalisation, with the arguments of our ops."""

from typing import Any

import torch
import torch.nn.functional as F

T = torch.Tensor


def _axes(axis: Any, ndim: int) -> list[int]:
    axes = range(ndim) if axis is None else axis if isinstance(axis, (list, tuple)) else (axis,)
    return sorted(k % ndim for k in axes)


def dot_product_attention(
    query: T,
    key: T,
    value: T,
    bias: T | None = None,
    mask: T | None = None,
    scale: float | None = None,
    is_causal: bool = False,
) -> T:
    heads = [x.transpose(1, 2) for x in (query, key, value)]
    seen = bias if mask is None else mask
    grouped = key.shape[2] != query.shape[2]
    found = F.scaled_dot_product_attention(*heads, attn_mask=seen, is_causal=is_causal, scale=scale, enable_gqa=grouped)
    return found.transpose(1, 2)


def moments(x: T, axes: Any, keepdims: bool = False) -> list[T]:
    over = _axes(axes, x.ndim)
    return [x.mean(over, keepdim=keepdims), torch.var(x, over, correction=0, keepdim=keepdims)]


def batch_normalization(
    x: T,
    mean: T,
    variance: T,
    axis: int,
    offset: T | None = None,
    scale: T | None = None,
    epsilon: float = 1e-3,
) -> T:
    # F.batch_norm has no gradient by its running moments.
    found = (x.movedim(axis, -1) - mean) * torch.rsqrt(variance + epsilon)
    found = found if scale is None else found * scale
    return (found if offset is None else found + offset).movedim(-1, axis)


def _last(x: T, axes: list[int]) -> T:
    return x.movedim(axes, list(range(x.ndim - len(axes), x.ndim)))


def layer_normalization(
    x: T,
    gamma: T | None = None,
    beta: T | None = None,
    axis: Any = -1,
    epsilon: float = 1e-7,
    rms_scaling: bool = False,
) -> T:
    axes = _axes(axis, x.ndim)
    moved = _last(x, axes)
    sizes = [x.shape[k] for k in axes]
    if rms_scaling:
        inverse = torch.rsqrt(torch.var(x, axes, correction=0, keepdim=True) + epsilon)
        return x * inverse if gamma is None else x * inverse * gamma
    found = F.layer_norm(moved, sizes, gamma, beta, epsilon)
    return found.movedim(list(range(x.ndim - len(axes), x.ndim)), axes)


def rms_normalization(x: T, scale: T | None = None, axis: Any = -1, epsilon: float = 1e-7) -> T:
    axes = _axes(axis, x.ndim)
    found = F.rms_norm(_last(x, axes), [x.shape[k] for k in axes], scale, epsilon)
    return found.movedim(list(range(x.ndim - len(axes), x.ndim)), axes)


def normalize(x: T, axis: Any = -1, order: int = 2, epsilon: float = 1e-7) -> T:
    return x / torch.linalg.vector_norm(x, order, _axes(axis, x.ndim), keepdim=True).clamp_min(epsilon)


TORCH_ATTENTION = {
    "batch_normalization": batch_normalization,
    "dot_product_attention": dot_product_attention,
    "layer_normalization": layer_normalization,
    "moments": moments,
    "normalize": normalize,
    "rms_normalization": rms_normalization,
}
