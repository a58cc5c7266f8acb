"""torch's names of quantiles, and of reductions that leave NaN out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

T = torch.Tensor


def joined(x: T, axis: Any, keepdims: bool) -> tuple[T, tuple[int, ...]]:
    """x with the axes to reduce as one last axis, and the shape of the result."""
    given = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = sorted(k % x.ndim for k in given) if x.ndim else []
    rest = [k for k in range(x.ndim) if k not in axes]
    shape = [1 if k in axes else n for k, n in enumerate(x.shape) if keepdims or k not in axes]
    kept = [x.shape[k] for k in rest]
    flat = x.permute([*rest, *axes]).reshape([*kept, -1]) if x.numel() else x.new_zeros([*kept, 1])
    return flat, tuple(shape)


def quantile_with(function: Callable[..., T], scale: float) -> Callable[..., T]:
    def run(x: T, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> T:
        flat, shape = joined(x, axis, keepdims)
        share = torch.as_tensor(q, dtype=x.dtype) / scale
        shape = (*share.shape, *shape)
        # torch refuses quantiles of tensors without elements.
        found = function(flat, share, -1, interpolation=method) if flat.numel() else flat.sum(-1)
        return found.reshape(shape)

    return run


def median_with(function: Callable[..., T]) -> Callable[..., T]:
    def run(x: T, axis: Any = None, keepdims: bool = False) -> T:
        flat, shape = joined(x.double(), axis, keepdims)
        return function(flat, 0.5, -1).reshape(shape) if flat.numel() else flat.sum(-1).reshape(shape)

    return run


def filled(x: T, value: float) -> T:
    return torch.where(torch.isnan(x), value, x)


def reduced(function: Callable[[T], T]) -> Callable[..., T]:
    """A function of rows, over axes."""

    def run(x: T, axis: Any = None, keepdims: bool = False) -> T:
        flat, shape = joined(x, axis, keepdims)
        return function(flat).reshape(shape)

    return run


def extreme(function: Callable[..., T], beyond: float) -> Callable[[T], T]:
    """An extreme of each row but for NaN; NaN where there is nothing else."""
    return lambda rows: torch.where(torch.isnan(rows).all(-1), np.nan, function(filled(rows, beyond), -1))


def nanvar(rows: T) -> T:
    return torch.nanmean((rows - torch.nanmean(rows, -1, keepdim=True)) ** 2, -1)


def cumulative(function: Callable[..., T], value: float) -> Callable[..., T]:
    def run(x: T, axis: int | None = None) -> T:
        x = filled(x, value)
        return function(x.flatten(), 0) if axis is None else function(x, axis)

    return run


def place(function: Callable[..., T], value: float) -> Callable[..., T]:
    return lambda x, axis=None: function(filled(x, value), axis)


def totals(function: Callable[..., T], value: float) -> Callable[..., T]:
    def run(x: T, axis: Any = None, keepdims: bool = False) -> T:
        given = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
        x = filled(x, value)
        for k in sorted((k % x.ndim for k in given), reverse=True):
            x = function(x, k, keepdims)
        return x

    return run


TORCH_NAN: dict[str, Callable[..., Any]] = {
    "median": median_with(torch.quantile),
    "nanargmax": place(torch.argmax, -np.inf),
    "nanargmin": place(torch.argmin, np.inf),
    "nancumprod": cumulative(torch.cumprod, 1),
    "nancumsum": cumulative(torch.cumsum, 0),
    "nanmax": reduced(extreme(torch.amax, -np.inf)),
    "nanmean": reduced(lambda rows: torch.nanmean(rows, -1)),
    "nanmedian": median_with(torch.nanquantile),
    "nanmin": reduced(extreme(torch.amin, np.inf)),
    "nanpercentile": quantile_with(torch.nanquantile, 100),
    "nanprod": totals(torch.prod, 1),
    "nanquantile": quantile_with(torch.nanquantile, 1),
    "nanstd": reduced(lambda rows: torch.sqrt(nanvar(rows)) if rows.shape[-1] > 1 else nanvar(rows)),
    "nansum": totals(torch.sum, 0),
    "nanvar": reduced(nanvar),
    "percentile": quantile_with(torch.quantile, 100),
    "quantile": quantile_with(torch.quantile, 1),
}
