"""How many predictions are right and wrong, for each of several thresholds."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import ops
from ..config import epsilon
from ..engine.convert import as_tensor
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, ShapeError, short
from ..losses.loss import align_weight, same_shape

LOWEST = -1e10
Sums = tuple[Tensor, Tensor]


class Counts(NamedTuple):
    """Weights of predictions per threshold, shape `(thresholds,)`, or `(thresholds, labels)` if labels stay apart."""

    true_positives: Tensor
    false_positives: Tensor
    false_negatives: Tensor
    true_negatives: Tensor


def parse_thresholds(thresholds: Any, default: float, what: str) -> list[float]:
    """One or several numbers from 0 to 1 as a list; InvalidArgument for others."""
    if thresholds is None:
        return [default]
    given = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    for value in given:
        if isinstance(value, (bool, str)) or not hasattr(value, "__float__") or not 0 <= value <= 1:
            raise InvalidArgument(f"{what}: thresholds must be numbers from 0 to 1, got {short(value)}")
    if not given:
        raise InvalidArgument(f"{what}: thresholds must not be empty")
    return [float(value) for value in given]


def are_even(thresholds: Sequence[float]) -> bool:
    """Whether the thresholds divide 0..1 into equal parts: then each prediction is put where it belongs at once."""
    count = len(thresholds)
    return count >= 3 and np.allclose(thresholds, np.arange(count) / (count - 1), atol=epsilon())


def count(
    y_true: Any,
    y_pred: Any,
    thresholds: Sequence[float],
    *,
    dtype: Any,
    what: str,
    sample_weight: Any = None,
    label_weights: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    multi_label: bool = False,
) -> Counts:
    """What counts as right and wrong, where a prediction above the threshold stands for yes.

    y_true: not 0 for yes; y_pred: numbers; equal shapes `(batch, ...)`. Raises ShapeError for other shapes.
    """
    y_true, y_pred = same_shape(as_tensor(y_true, dtype), as_tensor(y_pred, dtype), what)
    if top_k is not None:
        y_pred = _only_largest(y_pred, top_k, what)
    weight = ops.ones_like(y_pred)
    if sample_weight is not None:
        weight = ops.broadcast_like(align_weight(y_pred, as_tensor(sample_weight, dtype), what)[1], y_pred)
    if label_weights is not None:
        weight = weight * as_tensor(label_weights, dtype)
    if class_id is not None:
        y_true, y_pred, weight = (_one_class(t, class_id, what) for t in (y_true, y_pred, weight))
    if not multi_label:
        y_true, y_pred, weight = ops.ravel(y_true), ops.ravel(y_pred), ops.ravel(weight)
    yes = ops.cast(ops.not_equal(y_true, 0), dtype)
    true, false = yes * weight, (1 - yes) * weight
    gather = _by_place if are_even(thresholds) else _by_comparison
    (found, missed), (wrong, spared) = gather(y_pred, (true, false), thresholds)
    return Counts(found, wrong, missed, spared)


def _by_comparison(y_pred: Tensor, weights: Sequence[Tensor], thresholds: Sequence[float]) -> list[Sums]:
    """Sums of the weights of predictions above each threshold, and of the others."""
    edges = as_tensor(np.reshape(thresholds, (-1, *[1] * y_pred.ndim)), y_pred.dtype)
    above = ops.expand_dims(y_pred, 0) > edges
    return [
        (ops.sum(ops.where(above, weight, 0), axis=1), ops.sum(ops.where(above, 0, weight), axis=1))
        for weight in weights
    ]


def _by_place(y_pred: Tensor, weights: Sequence[Tensor], thresholds: Sequence[float]) -> list[Sums]:
    """The same for thresholds that divide 0..1 evenly: each prediction goes to the last threshold below it."""
    parts = len(thresholds) - 1
    # A comparison, so that NaN counts as no.
    share = ops.where(y_pred > 0, ops.minimum(y_pred, 1), 0)
    place = ops.cast(ops.ceil(share * parts), "int64")
    if thresholds[0] < 0:
        place = ops.maximum(place, 1)
    labels = [size for size in y_pred.spec.shape[1:] if isinstance(size, int)]
    empty = np.zeros((parts + 2, *labels), y_pred.dtype)
    key = (place, np.arange(labels[0])[None]) if labels else place
    gathered = [ops.scatter_like(weight, empty, key) for weight in weights]
    # Sums from both ends: a difference with the total might be a little below 0.
    return [
        (ops.flip(ops.cumsum(ops.flip(sums, axis=0), axis=0), axis=0)[1:], ops.cumsum(sums, axis=0)[:-1])
        for sums in gathered
    ]


def _only_largest(y_pred: Tensor, k: int, what: str) -> Tensor:
    """The k largest predictions over the last axis, the others below every threshold."""
    classes = y_pred.spec.shape[-1] if y_pred.ndim else None
    if not isinstance(classes, int) or k > classes:
        raise ShapeError(f"{what}: top_k={k} needs predictions (batch, classes >= {k}), got {y_pred.shape}")
    largest = ops.argsort(-y_pred, axis=-1)[..., :k]
    kept = ops.sum(ops.one_hot(largest, classes, dtype=y_pred.dtype), axis=-2)
    return ops.where(kept > 0, y_pred, LOWEST)


def _one_class(t: Tensor, class_id: int, what: str) -> Tensor:
    classes = t.spec.shape[-1] if t.ndim > 1 else 0
    if not isinstance(classes, int) or not 0 <= class_id < classes:
        raise ShapeError(
            f"{what}: class_id={class_id} needs shape (batch, classes > {class_id}), got {show_shape(t.spec.shape)}"
        )
    return t[..., class_id]
