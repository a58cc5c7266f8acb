"""Weights of samples and of classes, checked."""

from typing import Any

import numpy as np

from ..engine.spec import default_float
from ..engine.tree import flatten
from ..errors import ArgumentTypeError, DataError, InvalidArgument, short


def check_weights(sample_weight: Any, name: str = "sample_weight") -> None:
    """DataError for a negative weight, with its place."""
    for array in flatten(sample_weight)[0]:
        negative = array < 0
        if negative.any():
            place = ", ".join(str(int(k)) for k in np.argwhere(negative)[0])
            raise DataError(f"{name} must be >= 0, got {array[negative][0]} at {name}[{place}]")


def check_class_weight(class_weight: Any) -> None:
    """A dict from class ids to weights >= 0."""
    if not isinstance(class_weight, dict):
        raise ArgumentTypeError(f"class_weight must be a dict like {{0: 1.0, 1: 2.0}}, got {short(class_weight)}")
    for key, value in class_weight.items():
        if isinstance(key, bool) or not isinstance(key, (int, np.integer)):
            raise InvalidArgument(f"class_weight: keys must be class ids (ints), got {short(key)}")
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < np.inf:
            raise InvalidArgument(f"class_weight: the weight of class {key} must be a number >= 0, got {short(value)}")


def class_weights(y: Any, class_weight: dict[int, float], sample_weight: Any = None) -> Any:
    """One weight per sample, that of its class.

    y: class ids `(n,)` or `(n, 1)`, or one-hot `(n, classes)`
    Raises InvalidArgument for several outputs, beside sample_weight, and for a class without weight.
    """
    check_class_weight(class_weight)
    if sample_weight is not None:
        raise InvalidArgument("class_weight and sample_weight cannot be given both; multiply them into sample_weight")
    if not isinstance(y, np.ndarray):
        raise InvalidArgument("class_weight needs y as one array; for several outputs pass sample_weight")
    ids = y
    if y.ndim > 1:
        ids = y[..., 0] if y.shape[-1] == 1 else y.argmax(axis=-1)
    if ids.ndim != 1:
        raise InvalidArgument(f"class_weight needs one class per sample, got y of shape {y.shape}; pass sample_weight")
    classes, places = np.unique(np.round(ids).astype("int64"), return_inverse=True)
    missing = [int(k) for k in classes if int(k) not in class_weight]
    if missing:
        raise InvalidArgument(f"class_weight has no weight for class {missing[0]}, got {short(class_weight)}")
    return np.array([class_weight[int(k)] for k in classes], default_float())[places]
