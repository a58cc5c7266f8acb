"""Losses between probabilities: how surprised the prediction is by the truth.

Formulas: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 3.13. Probabilities are kept 1e-7 away from
0 and 1, so that no logarithm is infinite.
"""

from typing import Any

from .. import ops
from ..engine.convert import as_tensor
from ..engine.spec import normal_axis, show_shape
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from ..saving.registry import register
from .loss import LossFunctionWrapper, check_shapes, fits, prediction, same_shape


@register()
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """The mean over `axis` of `-(t log p + (1 - t) log(1 - p))`.

    y_true:          0 or 1, or probabilities, shape `(batch, ..., n)`
    y_pred:          probabilities (logits with `from_logits`), same shape
    label_smoothing: 0 to 1, draws the truth towards 1/2

    Returns shape `(batch, ...)`. Raises ShapeError for other shapes.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.binary_crossentropy([[1.0]], [[0.5]])[0]), 4)
    0.6931
    """
    check_smoothing(label_smoothing)
    y_true, y_pred = same_shape(y_true, y_pred, "binary_crossentropy")
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits), axis=axis)


@register()
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """The sum over classes of `-t log p`.

    y_true:          one-hot or probabilities, shape `(batch, ..., classes)`
    y_pred:          probabilities (logits with `from_logits`), same shape; scaled to sum 1
    label_smoothing: 0 to 1, the share of the truth that is spread evenly over all classes
    axis:            of the classes

    Returns the shape without that axis. Raises ShapeError for other shapes, with a hint for class ids.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    check_smoothing(label_smoothing)
    y_true, y_pred, axis = one_hot_pair(y_true, y_pred, axis, "categorical_crossentropy")
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[-1]
    return ops.categorical_crossentropy(y_true, y_pred, from_logits, axis)


@register()
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """The value `-log p` of the true class.

    y_true:       class ids, shape `(batch, ...)`, or the same with a last axis of size 1
    y_pred:       probabilities (logits with `from_logits`), shape `(batch, ..., classes)`; scaled to sum 1
    ignore_class: a class id whose values are 0
    axis:         of the classes

    Returns shape `(batch, ...)`. Raises ShapeError for other shapes, InvalidArgument for ids outside 0..classes-1.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    y_pred = prediction(y_pred)
    axis = class_axis(axis, y_pred)
    labels = class_ids(y_true, y_pred, axis)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(labels, y_pred, from_logits, axis)
    valid = ops.not_equal(labels, ignore_class)
    values = ops.sparse_categorical_crossentropy(ops.where(valid, labels, 0), y_pred, from_logits, axis)
    return ops.where(valid, values, 0)


def one_hot_pair(y_true: Any, y_pred: Any, axis: Any, what: str) -> tuple[Tensor, Tensor, int]:
    """One-hot truth, prediction and axis of the classes; ShapeError for other shapes, with a hint for class ids."""
    y_pred = prediction(y_pred)
    y_true = as_tensor(y_true, y_pred.dtype)
    axis = class_axis(axis, y_pred)
    _refuse_class_ids(y_true, y_pred, axis, what)
    check_shapes(y_true.spec.shape, y_pred.spec.shape, what)
    return y_true, y_pred, axis


def class_ids(y_true: Any, y_pred: Tensor, axis: int) -> Tensor:
    """Class ids with the shape of y_pred without its axis of classes."""
    labels = as_tensor(y_true)
    if labels.ndim == y_pred.ndim and labels.spec.shape[axis] == 1:
        labels = ops.squeeze(labels, axis)
    expected = tuple(size for k, size in enumerate(y_pred.spec.shape) if k != axis)
    if not fits(labels.spec.shape, expected):
        one_hot = fits(labels.spec.shape, y_pred.spec.shape)
        hint = "y looks one-hot; use categorical_crossentropy, or y.argmax(-1)" if one_hot else "reshape y"
        raise ShapeError(
            f"sparse_categorical_crossentropy: y has shape {show_shape(labels.spec.shape)}, expected class ids of "
            f"shape {show_shape(expected)} for predictions {show_shape(y_pred.spec.shape)}; {hint}"
        )
    return labels


def class_axis(axis: Any, y_pred: Tensor) -> int:
    if isinstance(axis, bool):
        raise ArgumentTypeError(f"axis must be an int, got {axis}")
    return normal_axis(axis, y_pred.ndim, "axis of the classes")


def check_smoothing(label_smoothing: Any) -> None:
    if (
        isinstance(label_smoothing, bool)
        or not isinstance(label_smoothing, (int, float))
        or not 0 <= label_smoothing <= 1
    ):
        raise InvalidArgument(f"label_smoothing must be a number from 0 to 1, got {short(label_smoothing)}")


def _refuse_class_ids(y_true: Tensor, y_pred: Tensor, axis: int, what: str) -> None:
    true, pred = y_true.spec.shape, y_pred.spec.shape
    rest = tuple(size for k, size in enumerate(pred) if k != axis)
    kept = tuple(1 if k == axis else size for k, size in enumerate(pred))
    if pred[axis] != 1 and rest and (fits(true, rest) or fits(true, kept)):
        raise ShapeError(
            f"{what}: labels of shape {show_shape(true)} look like class ids, expected one-hot "
            f"{show_shape(pred)}; use sparse_categorical_crossentropy, or utils.to_categorical(y, {y_pred.shape[axis]})"
        )


@register()
class BinaryCrossentropy(LossFunctionWrapper):
    """The crossentropy of probabilities that each stand for themselves.

    from_logits:     y_pred are logits, no sigmoid has been applied
    label_smoothing: 0 to 1, draws the truth towards 1/2
    axis:            over which the mean of one sample is taken

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        check_smoothing(label_smoothing)
        super().__init__(
            binary_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@register()
class CategoricalCrossentropy(LossFunctionWrapper):
    """The crossentropy of classes, the truth one-hot.

    from_logits:     y_pred are logits, no softmax has been applied
    label_smoothing: 0 to 1, the share of the truth that is spread evenly over all classes
    axis:            of the classes

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        check_smoothing(label_smoothing)
        super().__init__(
            categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@register()
class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The crossentropy of classes, the truth as class ids.

    from_logits:  y_pred are logits, no softmax has been applied
    ignore_class: a class id that counts neither in the sum nor in the mean
    axis:         of the classes

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.SparseCategoricalCrossentropy()([1, 0], [[0.5, 0.5], [0.5, 0.5]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def valid(self, y_true: Any, y_pred: Any) -> Tensor | None:
        if self.ignore_class is None:
            return None
        return ops.not_equal(class_ids(y_true, y_pred, class_axis(self.axis, y_pred)), self.ignore_class)
