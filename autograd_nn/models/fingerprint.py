"""What a training is told apart by: its model, its data, and how they are cut into batches."""

import json
import zlib
from typing import Any

import numpy as np

from .data import ArrayBatches, Source

# Of larger arrays evenly spaced rows are looked at, about so many bytes in all.
MOST_BYTES = 64 * 2**20


def of_training(model: Any, source: Source, validation: Source | None, steps: int | None) -> dict[str, Any]:
    """Plain data, equal for two calls of `fit` that train the same model on the same data."""
    return {
        "the layers": _layers(model),
        "the weights": _variables(model.variables),
        "the optimizer": type(model.optimizer).__name__,
        "the state of the optimizer": _variables(model.optimizer.variables if model.optimizer else []),
        "the loss": _word(model.loss),
        **{f"training data: {key}": value for key, value in _data(source).items()},
        **{f"validation data: {key}": value for key, value in (_data(validation) if validation else {}).items()},
        "steps_per_epoch": steps,
    }


def difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Which entry differs first, as part of a sentence; empty if none does."""
    for key in dict.fromkeys([*before, *now]):
        a, b = before.get(key), now.get(key)
        if a != b:
            simple = not isinstance(a, list) and not isinstance(b, list)
            return f"{key} {a} there, {b} now" if simple else key
    return ""


def _variables(variables: Any) -> list[Any]:
    return [[str(v.dtype), list(v.value.shape)] for v in variables]


def _layers(model: Any) -> list[Any]:
    """Class and options of every layer; not its name, which counts up within a process."""
    return [[type(layer).__name__, _options(layer)] for layer in model._flatten_layers()]


def _options(layer: Any) -> int:
    if layer._sublayers():
        return 0
    try:
        config = layer.get_config()
    except Exception:
        # A user's layer need not have a config.
        return 0
    return zlib.crc32(json.dumps(_nameless(config), sort_keys=True, default=_word).encode())


def _nameless(config: Any) -> Any:
    if isinstance(config, dict):
        return {str(key): _nameless(value) for key, value in config.items() if key not in ("name", "seed")}
    return [_nameless(item) for item in config] if isinstance(config, (list, tuple)) else config


def _word(value: Any) -> Any:
    """A text for anything: names of functions and classes rather than where they lie in memory."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, dict):
        return {str(key): _word(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_word(item) for item in value]
    return getattr(value, "__name__", None) or type(value).__name__


def _data(source: Source) -> dict[str, Any]:
    if not isinstance(source, ArrayBatches):
        return {"kind": type(source).__name__, "batches": source.size}
    return {
        "kind": type(source).__name__,
        "batch_size": source.batch_size,
        "shuffle": source.shuffles,
        **{f"array {k}": _of_array(leaf) for k, leaf in enumerate(source.leaves)},
    }


def _of_array(array: Any) -> str:
    shape, dtype = getattr(array, "shape", None), getattr(array, "dtype", None)
    if not isinstance(array, np.ndarray) or array.dtype.hasobject or not array.size:
        return f"{shape} {dtype}"
    stride = -(-array.nbytes // MOST_BYTES)
    total = 0
    for row in _pieces(array[::stride]):
        total = zlib.crc32(np.ascontiguousarray(row).reshape(-1).view(np.uint8).data, total)
    return f"{shape} {dtype} {total:08x}"


def _pieces(array: np.ndarray) -> Any:
    """An array in parts of about a megabyte, so that no copy of it all is made."""
    rows = max(1, int(2**20 * len(array) // max(array.nbytes, 1)))
    return (array[k : k + rows] for k in range(0, len(array), rows))
