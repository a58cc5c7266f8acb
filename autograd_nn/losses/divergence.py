"""Losses between probabilities beside the plain crossentropies: divergence, and those that turn from easy samples."""

from typing import Any

import numpy as np

from .. import ops
from ..config import epsilon
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, check_number, short
from ..saving.registry import register
from .crossentropy import check_smoothing, class_axis, class_ids, one_hot_pair
from .loss import LossFunctionWrapper, prediction, same_shape


@register()
def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """The sum over the last axis of `y_true * log(y_true / y_pred)`, both at least `config.epsilon()`.

    y_true, y_pred: probabilities, shape `(batch, ..., n)`. Returns shape `(batch, ...)`. Raises ShapeError for other
    shapes. Kullback and Leibler 1951.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])[0]), 4)
    0.1438
    """
    y_true, y_pred = same_shape(y_true, y_pred, "kl_divergence")
    truth = ops.clip(y_true, epsilon(), 1)
    return ops.sum(truth * ops.log(truth / ops.clip(y_pred, epsilon(), 1)), axis=-1)


@register()
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """The mean over `axis` of binary crossentropy times `(1 - p)**gamma`, p the probability given to the truth.

    y_true, y_pred, from_logits, label_smoothing: as in `binary_crossentropy`
    alpha: with `apply_class_balancing` the weight of class 1; class 0 has `1 - alpha`

    Returns shape `(batch, ...)`. Raises ShapeError for other shapes. Lin et al. 2017, arXiv 1708.02002.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.binary_focal_crossentropy([[1.0]], [[0.5]])[0]), 4)
    0.1733
    """
    check_smoothing(label_smoothing)
    y_true, y_pred = same_shape(y_true, y_pred, "binary_focal_crossentropy")
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    values = ops.binary_crossentropy(y_true, y_pred)
    values = _power(1 - (y_true * y_pred + (1 - y_true) * (1 - y_pred)), gamma) * values
    if apply_class_balancing:
        values = (y_true * alpha + (1 - y_true) * (1 - alpha)) * values
    return ops.mean(values, axis=axis)


@register()
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """The sum over classes of `-alpha * (1 - p)**gamma * t * log p`.

    y_true, y_pred, from_logits, label_smoothing, axis: as in `categorical_crossentropy`
    alpha: a number, or one per class

    Returns the shape without that axis. Raises ShapeError for other shapes. Lin et al. 2017, arXiv 1708.02002.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.0433
    """
    check_smoothing(label_smoothing)
    y_true, y_pred, axis = one_hot_pair(y_true, y_pred, axis, "categorical_focal_crossentropy")
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[-1]
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    p = ops.clip(p, epsilon(), 1 - epsilon())
    return ops.sum(_power(1 - p, gamma) * alpha * -y_true * ops.log(p), axis=axis)


@register()
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Tensor:
    """The value `(1 - p**q) / q` with p the probability of the true class; robust against wrong labels.

    y_true: class ids, shape `(batch, ...)`; y_pred: probabilities, shape `(batch, ..., classes)`
    q:      0 < q < 1; near 0 like crossentropy, near 1 like the mean absolute error

    Returns shape `(batch, ...)`. Raises ShapeError for other shapes, InvalidArgument for q out of range and for
    labels that are no class.
    Zhang and Sabuncu 2018, arXiv 1805.07836.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], 0.5)[0]), 4)
    1.0
    """
    _check_q("categorical_generalized_cross_entropy", q)
    y_pred = prediction(y_pred)
    labels = class_ids(y_true, y_pred, class_axis(-1, y_pred))
    _refuse_other_labels(labels, y_pred.shape[-1])
    chosen = ops.one_hot(ops.cast(labels, "int64"), y_pred.shape[-1], dtype=y_pred.dtype)
    p = ops.sum(chosen * y_pred, axis=-1)
    return (1 - _power(p, q)) / q


def _refuse_other_labels(labels: Tensor, classes: int) -> None:
    """InvalidArgument for the first label that is no class, where labels have values."""
    if labels.value is None:
        return
    values = np.ravel(labels.value)
    wrong = (values < 0) | (values >= classes) | (values != np.floor(values))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise InvalidArgument(
            f"categorical_generalized_cross_entropy: label {values[place]} at index {place} is not a whole number in "
            f"0..{classes - 1}"
        )


def _power(base: Tensor, exponent: float) -> Tensor:
    return ops.square(base) if exponent == 2 else ops.power(base, exponent)


def _check_q(what: str, q: Any) -> None:
    if isinstance(q, bool) or not isinstance(q, (int, float)) or not 0 < q < 1:
        raise InvalidArgument(f"{what}: q must be a number with 0 < q < 1, got {short(q)}")


@register()
class KLDivergence(LossFunctionWrapper):
    """The sum of `y_true * log(y_true / y_pred)` over the last axis, averaged over samples.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
    0.1438
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(kl_divergence, reduction=reduction, name=name, dtype=dtype)


@register()
class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary crossentropy that turns from samples which are right already.

    apply_class_balancing: weigh class 1 by `alpha`, class 0 by `1 - alpha`
    gamma:                 how strongly; 0 for plain crossentropy
    from_logits, label_smoothing, axis: as in `BinaryCrossentropy`

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.BinaryFocalCrossentropy()([[1.0]], [[0.5]])), 4)
    0.1733
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        check_smoothing(label_smoothing)
        check_number("BinaryFocalCrossentropy", "gamma", gamma, low=0)
        super().__init__(
            binary_focal_crossentropy, reduction, name, dtype, apply_class_balancing=apply_class_balancing,
            alpha=alpha, gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma


@register()
class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Crossentropy of classes that turns from samples which are right already, the truth one-hot.

    alpha: weight, a number or one per class
    gamma: how strongly; 0 for plain crossentropy
    from_logits, label_smoothing, axis: as in `CategoricalCrossentropy`

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.0433
    """

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        check_smoothing(label_smoothing)
        check_number("CategoricalFocalCrossentropy", "gamma", gamma, low=0)
        super().__init__(
            categorical_focal_crossentropy, reduction, name, dtype,
            alpha=alpha, gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
        self.alpha = alpha
        self.gamma = gamma


@register()
class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """The mean of `(1 - p**q) / q` with p the probability of the true class, the truth as class ids.

    q: 0 < q < 1; near 0 like crossentropy, near 1 like the mean absolute error

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]])), 4)
    1.0
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        _check_q("CategoricalGeneralizedCrossEntropy", q)
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
        self.q = q
