"""Plain formulas for ops that look for elements, update them, or join them by segments."""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any


def bincount(x: Array, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Array:
    # NumPy gives integers for no elements, weights or not.
    return np.bincount(x, weights, minlength).astype(np.int64 if weights is None else np.float64)


def top_k(x: Array, k: int, sorted: bool = True) -> tuple[Array, Array]:
    places = np.array([np.lexsort((np.arange(row.size), -row))[:k] for row in x.reshape(-1, x.shape[-1])], np.int64)
    places = places.reshape(*x.shape[:-1], k)
    return np.take_along_axis(x, places, -1), places


def in_top_k(targets: Array, predictions: Array, k: int) -> Array:
    found = []
    for label, row in zip(targets, predictions):
        known = 0 <= label < len(row) and np.isfinite(row[label])
        found.append(bool(known and sum(value > row[label] for value in row) < k))
    return np.array(found, bool)


def multi_hot(x: Array, num_classes: int, axis: int = -1, dtype: Any = None) -> Array:
    hot = np.stack([x == k for k in range(num_classes)], axis)
    return (hot.any(1 if x.ndim > 1 else 0) if x.ndim else hot).astype(dtype or "float32")


def index_update(x: Array, updates: Array, key: Any) -> Array:
    y = x.copy()
    y[key] = updates
    return y


def scatter(indices: Array, values: Array, shape: Any) -> Array:
    y = np.zeros(shape, values.dtype)
    for row, value in zip(indices, values):
        y[tuple(row)] += value
    return y


def scatter_update(x: Array, indices: Array, updates: Array, reduction: str | None = None) -> Array:
    y = x.copy()
    join = {None: lambda a, b: b, "add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}[reduction]
    for row, value in zip(indices, updates):
        y[tuple(row)] = join(y[tuple(row)], value)
    return y


def by_segment(join: Callable[..., Any], start: float) -> Callable[..., Any]:
    def run(data: Array, ids: Array, num_segments: int | None = None, sorted: bool = False) -> Array:
        count = int(ids.max()) + 1 if num_segments is None else num_segments
        y = np.full((count, *data.shape[1:]), start, data.dtype)
        for row, place in zip(data, ids):
            y[place] = join(y[place], row)
        return y

    return run


def block(x: Array, starts: Any, shape: Any) -> Array:
    return x[tuple(slice(start, start + size) for start, size in zip(starts, shape))]


def slice_update(x: Array, starts: Any, updates: Array) -> Array:
    y = x.copy()
    y[tuple(slice(start, start + size) for start, size in zip(starts, updates.shape))] = updates
    return y


def extract_sequences(x: Array, length: int, stride: int) -> Array:
    return np.lib.stride_tricks.sliding_window_view(x, length, -1)[..., ::stride, :]


def depth_to_space(x: Array, block: int, data_format: str = "channels_last") -> Array:
    if data_format == "channels_first":
        return np.moveaxis(depth_to_space(np.moveaxis(x, 1, -1), block), -1, 1)
    n, h, w, c = x.shape
    y = np.zeros((n, h * block, w * block, c // block**2), x.dtype)
    for k in range(block**2):
        part = x[..., k * y.shape[-1] : (k + 1) * y.shape[-1]]
        y[:, k // block :: block, k % block :: block] = part
    return y


def space_to_depth(x: Array, block: int, data_format: str = "channels_last") -> Array:
    if data_format == "channels_first":
        return np.moveaxis(space_to_depth(np.moveaxis(x, 1, -1), block), -1, 1)
    return np.concatenate([x[:, k // block :: block, k % block :: block] for k in range(block**2)], -1)


ARRAY_REFERENCES: dict[str, Callable[..., Any]] = {
    "bincount": bincount,
    "depth_to_space": depth_to_space,
    "extract_sequences": extract_sequences,
    "in_top_k": in_top_k,
    "index_update": index_update,
    "multi_hot": multi_hot,
    "scatter": scatter,
    "scatter_update": scatter_update,
    "segment_max": by_segment(np.maximum, -np.inf),
    "segment_min": by_segment(np.minimum, np.inf),
    "segment_prod": by_segment(np.multiply, 1),
    "segment_sum": by_segment(np.add, 0),
    "slice": block,
    "slice_update": slice_update,
    "space_to_depth": space_to_depth,
    "top_k": top_k,
}
