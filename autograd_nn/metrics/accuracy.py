"""How many predictions are right."""

from typing import Any

from .. import ops
from ..engine.convert import as_tensor
from ..engine.spec import default_float, show_shape
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, ShapeError, short
from ..losses.loss import check_shapes, fits, same_shape
from ..saving.registry import register
from .reduction import MeanMetricWrapper


def _right(a: Tensor, b: Tensor) -> Tensor:
    return ops.cast(ops.equal(a, b), default_float())


@register()
def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where `y_true == y_pred`, else 0; equal shapes.

    >>> import autograd_nn as ag
    >>> ag.metrics.accuracy([[1.0], [2.0]], [[1.0], [3.0]]).tolist()
    [[1.0], [0.0]]
    """
    return _right(*same_shape(y_true, y_pred, "accuracy"))


@register()
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """1 where `y_pred > threshold` agrees with y_true (0 or 1), else 0; equal shapes.

    >>> import autograd_nn as ag
    >>> ag.metrics.binary_accuracy([[1.0], [1.0]], [[0.9], [0.2]]).tolist()
    [[1.0], [0.0]]
    """
    y_true, y_pred = same_shape(y_true, y_pred, "binary_accuracy")
    return _right(y_true, ops.cast(y_pred > threshold, y_true.dtype))


@register()
def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest prediction is of the true class, else 0.

    y_true: one-hot, shape `(batch, ..., classes)`; y_pred: the same. Returns shape `(batch, ...)`.

    >>> import autograd_nn as ag
    >>> ag.metrics.categorical_accuracy([[0.0, 1.0], [1.0, 0.0]], [[0.1, 0.9], [0.2, 0.8]]).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    check_shapes(y_true.spec.shape, y_pred.spec.shape, "categorical_accuracy")
    return _right(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1))


@register()
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest prediction is of the true class, else 0.

    y_true: class ids, shape `(batch, ...)` or the same with a last axis of size 1; y_pred: shape
    `(batch, ..., classes)`. Returns shape `(batch, ...)`.

    >>> import autograd_nn as ag
    >>> ag.metrics.sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.2, 0.8]]).tolist()
    [1.0, 0.0]
    """
    y_pred = as_tensor(y_pred)
    labels = _labels(y_true, y_pred, "sparse_categorical_accuracy")
    return _right(labels, ops.argmax(y_pred, axis=-1))


@register()
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """1 where the true class is among the k largest predictions, else 0.

    y_true: one-hot, shape `(batch, ..., classes)`; y_pred: the same. Returns shape `(batch, ...)`.

    >>> import autograd_nn as ag
    >>> ag.metrics.top_k_categorical_accuracy([[0.0, 0.0, 1.0]], [[0.5, 0.2, 0.3]], k=2).tolist()
    [1.0]
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    check_shapes(y_true.spec.shape, y_pred.spec.shape, "top_k_categorical_accuracy")
    return _in_top_k(ops.argmax(y_true, axis=-1), y_pred, k)


@register()
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Tensor:
    """1 where the true class is among the k largest predictions, else 0.

    y_true: class ids, shape `(batch, ...)`; y_pred: shape `(batch, ..., classes)`, or with `from_sorted_ids` class ids,
    likeliest first. Returns shape `(batch, ...)`.

    >>> import autograd_nn as ag
    >>> ag.metrics.sparse_top_k_categorical_accuracy([2], [[0.5, 0.2, 0.3]], k=2).tolist()
    [1.0]
    """
    y_pred = as_tensor(y_pred)
    labels = _labels(y_true, y_pred, "sparse_top_k_categorical_accuracy")
    if not from_sorted_ids:
        return _in_top_k(labels, y_pred, k)
    found = ops.equal(ops.expand_dims(labels, -1), y_pred[..., : _check_k(k)])
    return ops.cast(ops.any(found, axis=-1), default_float())


def _labels(y_true: Any, y_pred: Tensor, what: str) -> Tensor:
    """Class ids as integers, with the shape of y_pred without its last axis."""
    labels = as_tensor(y_true)
    if labels.ndim == y_pred.ndim and labels.spec.shape[-1] == 1:
        labels = ops.squeeze(labels, -1)
    if not fits(labels.spec.shape, y_pred.spec.shape[:-1]):
        raise ShapeError(
            f"{what}: y has shape {show_shape(labels.spec.shape)}, expected class ids of shape "
            f"{show_shape(y_pred.spec.shape[:-1])} for predictions {show_shape(y_pred.spec.shape)}"
        )
    return ops.cast(labels, "int64")


def _check_k(k: Any) -> int:
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise InvalidArgument(f"k must be an int >= 1, got {short(k)}")
    return k


def _in_top_k(labels: Tensor, y_pred: Tensor, k: int) -> Tensor:
    """Fewer than k predictions are larger than that of the true class."""
    of_class = ops.one_hot(labels, y_pred.shape[-1], dtype="bool")
    own = ops.sum(ops.where(of_class, y_pred, 0), axis=-1, keepdims=True)
    larger = ops.sum(ops.cast(y_pred > own, "int64"), axis=-1)
    # A label that is no class is of no prediction.
    found = ops.logical_and(larger < _check_k(k), ops.any(of_class, axis=-1))
    return ops.cast(found, default_float())


@register()
class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal the truth.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.Accuracy()([[1.0], [2.0]], [[1.0], [3.0]]))
    0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name=name, dtype=dtype)


@register()
class BinaryAccuracy(MeanMetricWrapper):
    """The share of predictions on the right side of the threshold.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.BinaryAccuracy()([[1.0], [1.0]], [[0.9], [0.2]]))
    0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        if not isinstance(threshold, (int, float)) or not 0 <= threshold < 1:
            raise InvalidArgument(
                f"BinaryAccuracy: threshold must be a number with 0 <= threshold < 1, got {threshold}"
            )
        super().__init__(binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold


@register()
class CategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose largest prediction is of the true class, the truth one-hot.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.CategoricalAccuracy()([[0.0, 1.0], [1.0, 0.0]], [[0.1, 0.9], [0.2, 0.8]]))
    0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name=name, dtype=dtype)


@register()
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose largest prediction is of the true class, the truth as class ids.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.SparseCategoricalAccuracy()([1, 0], [[0.1, 0.9], [0.2, 0.8]]))
    0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name=name, dtype=dtype)


@register()
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose true class is among the k largest predictions, the truth one-hot.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.TopKCategoricalAccuracy(k=2)([[0.0, 0.0, 1.0]], [[0.5, 0.2, 0.3]]))
    1.0
    """

    _direction = "up"

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name=name, dtype=dtype, k=_check_k(k))
        self.k = k


@register()
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose true class is among the k largest predictions, the truth as class ids.

    >>> import autograd_nn as ag
    >>> float(ag.metrics.SparseTopKCategoricalAccuracy(k=2)([2], [[0.5, 0.2, 0.3]]))
    1.0
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name=name, dtype=dtype, k=_check_k(k), from_sorted_ids=from_sorted_ids
        )
        self.k = k
        self.from_sorted_ids = from_sorted_ids
