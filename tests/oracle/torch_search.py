"""torch's names of what looks for elements, counts them, and joins them by segments."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

T = torch.Tensor


def top_k(x: T, k: int, sorted: bool = True) -> tuple[T, T]:
    order = torch.sort(x, dim=-1, descending=True, stable=True)
    return order.values[..., :k], order.indices[..., :k]


def digitize(x: T, bins: T) -> T:
    if len(bins) > 1 and bins[0] > bins[-1]:
        return len(bins) - torch.bucketize(x, bins.flip(0), right=False)
    return torch.bucketize(x, bins, right=True)


def bincount(x: T, weights: T | None = None, minlength: int = 0) -> T:
    if weights is None:
        return torch.bincount(x, minlength=minlength)
    size = max(int(x.max()) + 1 if len(x) else 0, minlength)
    return torch.zeros(size, dtype=weights.dtype).index_add(0, x, weights)


def multi_hot(x: T, num_classes: int, axis: int = -1, dtype: Any = None) -> T:
    hot = F.one_hot(x, num_classes).movedim(-1, axis)
    return (hot.amax(1 if x.ndim > 1 else 0) if x.ndim else hot).to(getattr(torch, dtype or "float32"))


def placed(x: T, key: Any) -> T:
    """The flat place of each element of x[key]."""
    return torch.arange(x.numel()).reshape(x.shape)[key]


def joined(how: str) -> Callable[..., T]:
    def run(x: T, updates: T, key: Any) -> T:
        flat = x.flatten().scatter_reduce(0, placed(x, key).flatten(), updates.flatten(), how)
        return flat.reshape(x.shape)

    return run


def index_update(x: T, updates: T, key: Any) -> T:
    """Every place takes the last update that names it; scatter alone leaves that open."""
    places = placed(x, key).flatten()
    last = {int(place): k for k, place in enumerate(places)}
    chosen = torch.tensor(list(last.values()), dtype=torch.int64)
    return x.flatten().scatter(0, places[chosen], updates.flatten()[chosen]).reshape(x.shape)


def rows(indices: T) -> tuple[T, ...]:
    return tuple(indices[..., k] for k in range(indices.shape[-1]))


def scatter_update(x: T, indices: T, updates: T, reduction: str | None = None) -> T:
    ways = {"add": "sum", "max": "amax", "min": "amin", "mul": "prod"}
    join = index_update if reduction is None else joined(ways[reduction])
    return join(x, updates, rows(indices))


def by_segment(how: str, start: float) -> Callable[..., T]:
    def run(data: T, ids: T, num_segments: int | None = None, sorted: bool = False) -> T:
        count = int(ids.max()) + 1 if num_segments is None else num_segments
        return joined(how)(torch.full((count, *data.shape[1:]), start, dtype=data.dtype), data, ids)

    return run


def block(x: T, starts: Any, shape: Any) -> T:
    return x[tuple(slice(int(start), int(start) + size) for start, size in zip(starts, shape))]


def slice_update(x: T, starts: Any, updates: T) -> T:
    key = tuple(slice(int(start), int(start) + size) for start, size in zip(starts, updates.shape))
    return index_update(x, updates, key)


TORCH_SEARCH: dict[str, Callable[..., Any]] = {
    "argpartition": lambda x, kth, axis=-1: torch.argsort(x, dim=axis, stable=True),
    "bincount": bincount,
    "digitize": digitize,
    "extract_sequences": lambda x, length, stride: x.unfold(-1, length, stride),
    "index_update": index_update,
    "isin": lambda a, b, invert=False: torch.isin(a, b, invert=invert),
    "multi_hot": multi_hot,
    "nonzero": lambda x: torch.nonzero(x, as_tuple=True),
    "scatter": lambda indices, values, shape: joined("sum")(
        torch.zeros(shape, dtype=values.dtype), values, rows(indices)
    ),
    "scatter_max": joined("amax"),
    "scatter_min": joined("amin"),
    "scatter_mul": joined("prod"),
    "scatter_update": scatter_update,
    "segment_max": by_segment("amax", -math.inf),
    "segment_min": by_segment("amin", math.inf),
    "segment_prod": by_segment("prod", 1),
    "segment_sum": by_segment("sum", 0),
    "searchsorted": lambda line, values, side="left": torch.searchsorted(line.to(values.dtype), values, side=side),
    "slice": block,
    "slice_update": slice_update,
    "top_k": top_k,
    "unravel_index": torch.unravel_index,
}

WITHOUT_SEARCH: dict[str, str] = {
    "in_top_k": "torch has no such function",
}
