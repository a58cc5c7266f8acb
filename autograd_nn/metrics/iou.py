"""Intersection over union: how well the areas of classes overlap, for segmentation."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from ..config import epsilon
from ..engine.convert import as_tensor
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, short
from ..losses.loss import align_weight, check_shapes, squeeze_or_expand_to_same_rank
from ..saving.registry import register
from .metric import Metric


class _Confusion(Metric):
    """Base of the metrics with a confusion matrix: how much of each true class was predicted as each class.

    The state is float64 unless a dtype is given, so that it counts exactly and takes weights as they are.
    """

    _direction = "up"

    def __init__(
        self, num_classes: int, name: str | None, dtype: Any, ignore_class: int | None, sparse_y_true: bool,
        sparse_y_pred: bool, axis: int,
    ) -> None:  # fmt: skip
        super().__init__(name=name, dtype="float64" if dtype is None else dtype)
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 1:
            raise InvalidArgument(f"{self.name}: num_classes must be an int >= 1, got {short(num_classes)}")
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable((num_classes, num_classes), name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true = as_tensor(y_true) if self.sparse_y_true else ops.argmax(y_true, axis=self.axis)
        y_pred = as_tensor(y_pred) if self.sparse_y_pred else ops.argmax(y_pred, axis=self.axis)
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        check_shapes(y_true.spec.shape, y_pred.spec.shape, self.name)
        true, pred = ops.cast(y_true, "int64"), ops.cast(y_pred, "int64")
        weight = ops.ones_like(true, dtype=self.dtype)
        if sample_weight is not None:
            weight = ops.broadcast_like(align_weight(true, as_tensor(sample_weight, self.dtype), self.name)[1], true)
        counts = ops.logical_and(self._is_class(true), self._is_class(pred))
        if self.ignore_class is not None:
            counts = ops.logical_and(counts, ops.not_equal(true, self.ignore_class))
        place = ops.ravel(ops.where(counts, true * self.num_classes + pred, 0))
        empty = np.zeros(self.num_classes**2, self.dtype)
        cells = ops.scatter_like(ops.ravel(ops.where(counts, weight, 0)), empty, place)
        self.total_cm.assign_add(ops.reshape(cells, (self.num_classes, self.num_classes)))

    def _is_class(self, ids: Tensor) -> Tensor:
        return ops.logical_and(ids >= 0, ids < self.num_classes)


@register()
class IoU(_Confusion):
    """The mean over some classes of `overlap / (true + predicted - overlap)`; classes that do not occur are left out.

    num_classes:      ids outside 0..num_classes-1 are left out
    target_class_ids: the classes of the mean
    ignore_class:     a true class that is left out
    sparse_y_true, sparse_y_pred: class ids; if False scores per class, of which the largest along `axis` counts

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        for class_id in target_class_ids:
            if isinstance(class_id, bool) or not isinstance(class_id, int) or not 0 <= class_id < num_classes:
                raise InvalidArgument(
                    f"{self.name}: target_class_ids has {short(class_id)}, which is outside 0..{num_classes - 1}"
                )
        self.target_class_ids = list(target_class_ids)

    def result(self) -> Tensor:
        matrix = as_tensor(self.total_cm)
        overlap = ops.diagonal(matrix)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - overlap
        both, either = (ops.cast(t[self.target_class_ids], "float32") for t in (overlap, union))
        occurs = either > 1e-9
        shares = ops.where(occurs, both / (either + epsilon()), 0)
        return ops.sum(shares) / (ops.sum(ops.cast(occurs, "float32")) + epsilon())

    def get_config(self) -> dict[str, Any]:
        keys = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**Metric.get_config(self), **{key: getattr(self, key) for key in keys}}


@register()
class BinaryIoU(IoU):
    """IoU of no (class 0) and yes (class 1), where a prediction of at least `threshold` stands for yes.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
    0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_classes=2, target_class_ids=target_class_ids, name=name, dtype=dtype)
        if isinstance(threshold, (bool, str)) or not hasattr(threshold, "__float__"):
            raise InvalidArgument(f"{self.name}: threshold must be a number, got {short(threshold)}")
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(y_true, ops.cast(as_tensor(y_pred) >= self.threshold, "int64"), sample_weight)

    def get_config(self) -> dict[str, Any]:
        keys = ("target_class_ids", "threshold")
        return {**Metric.get_config(self), **{key: getattr(self, key) for key in keys}}


@register()
class MeanIoU(IoU):
    """IoU averaged over all classes that occur; arguments as in `IoU`.

    >>> import autograd_nn as ag
    >>> round(float(ag.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        keys = ("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**Metric.get_config(self), **{key: getattr(self, key) for key in keys}}


@register()
class OneHotIoU(IoU):
    """IoU with a one-hot truth and scores per class, unless `sparse_y_pred`; other arguments as in `IoU`.

    >>> import autograd_nn as ag
    >>> iou = ag.metrics.OneHotIoU(num_classes=2, target_class_ids=[0, 1])
    >>> round(float(iou([[1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])), 4)
    0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        keys = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis")
        return {**Metric.get_config(self), **{key: getattr(self, key) for key in keys}}


@register()
class OneHotMeanIoU(MeanIoU):
    """MeanIoU with a one-hot truth and scores per class, unless `sparse_y_pred`; other arguments as in `IoU`.

    >>> import autograd_nn as ag
    >>> iou = ag.metrics.OneHotMeanIoU(num_classes=2)
    >>> round(float(iou([[1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])), 4)
    0.5
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        keys = ("num_classes", "ignore_class", "sparse_y_pred", "axis")
        return {**Metric.get_config(self), **{key: getattr(self, key) for key in keys}}
