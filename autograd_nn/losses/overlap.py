"""Losses of overlap, for segmentation, and of embeddings, for similarity."""

from typing import Any

from .. import ops
from ..config import epsilon
from ..engine.convert import as_tensor
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import ShapeError, check_number
from ..layers.masks import set_mask
from ..saving.registry import register
from .loss import LossFunctionWrapper, fits, prediction, same_shape

Axis = int | tuple[int, ...] | list[int] | None


@register()
def dice(y_true: Any, y_pred: Any, axis: Axis = None) -> Tensor:
    """1 minus twice the overlap by the sum of both: 0 for equal masks, 1 for disjoint ones.

    y_true, y_pred: 0..1, equal shapes. axis: over which is summed; all if None. Returns the shape without these axes.
    Raises ShapeError for other shapes. Milletari et al. 2016, arXiv 1606.04797.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.dice([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.3333
    """
    y_true, y_pred = same_shape(y_true, y_pred, "dice")
    axes = _axes(axis)
    both = ops.sum(y_true * y_pred, axis=axes)
    return 1 - 2 * both / (ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes) + epsilon())


@register()
def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Axis = None) -> Tensor:
    """1 minus the overlap by `overlap + alpha * missed + beta * wrongly found`; `dice` for alpha = beta = 0.5.

    y_true, y_pred, axis: as in `dice`. alpha weighs what y_pred lacks, beta what it has too much.
    Salehi et al. 2017, arXiv 1706.05721.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.tversky([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.3333
    """
    y_true, y_pred = same_shape(y_true, y_pred, "tversky")
    axes = _axes(axis)
    both = ops.sum(y_true * y_pred, axis=axes)
    missed = ops.sum((1 - y_pred) * y_true, axis=axes)
    wrong = ops.sum(y_pred * (1 - y_true), axis=axes)
    return 1 - both / (both + alpha * missed + beta * wrong + epsilon())


@register()
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Pulls embeddings of one class together and pushes those of different classes apart.

    y_true:          class ids, shape `(batch,)` or `(batch, 1)`
    y_pred:          embeddings of norm 1, shape `(batch, n)`
    ref_labels, ref_embeddings: what they are compared with; the batch itself if None
    remove_diagonal: do not compare a sample with itself
    gamma, margin:   scale, and distance between classes

    Returns shape `(batch,)`; values of 0 do not count in a mean. Raises ShapeError for other shapes.
    Sun et al. 2020, arXiv 2002.10857.

    >>> import autograd_nn as ag
    >>> ag.losses.circle([0, 0], [[1.0, 0.0], [1.0, 0.0]]).shape
    (2,)
    """
    y_pred = prediction(y_pred)
    labels = _column(y_true, y_pred, "y_true")
    others = y_pred if ref_embeddings is None else as_tensor(ref_embeddings, y_pred.dtype)
    other_labels = labels if ref_labels is None else _column(ref_labels, others, "ref_labels")
    distance = ops.maximum(1 - ops.matmul(y_pred, ops.transpose(others)), 0)
    same = ops.equal(labels, ops.transpose(other_labels))
    different = ops.logical_not(same)
    if remove_diagonal:
        rows = ops.cumsum(ops.ones_like(labels), axis=0)
        same = ops.logical_and(same, ops.not_equal(rows, ops.transpose(rows)))
    near = gamma * ops.maximum(margin + distance, 0) * (distance - margin)
    far = gamma * ops.maximum(1 + margin - distance, 0) * (1 - margin - distance)
    values = ops.softplus(_logsumexp_where(same, near) + _logsumexp_where(different, far))
    set_mask(values, values > 0)
    return values


def _logsumexp_where(chosen: Tensor, values: Tensor) -> Tensor:
    return ops.logsumexp(ops.where(chosen, values, float("-inf")), axis=1)


def _column(labels: Any, embeddings: Tensor, what: str) -> Tensor:
    """Class ids as one column beside the rows of embeddings."""
    labels = ops.cast(as_tensor(labels), "int64")
    rows = embeddings.spec.shape[:1]
    if embeddings.ndim != 2 or not (fits(labels.spec.shape, rows) or fits(labels.spec.shape, (*rows, 1))):
        raise ShapeError(
            f"circle: {what} has shape {show_shape(labels.spec.shape)} beside embeddings of shape "
            f"{show_shape(embeddings.spec.shape)}; expected class ids (batch,) and embeddings (batch, n)"
        )
    return ops.expand_dims(labels, 1) if labels.ndim == 1 else labels


def _axes(axis: Axis) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


@register()
class Dice(LossFunctionWrapper):
    """1 minus twice the overlap by the sum of both, for segmentation.

    axis: over which is summed; all if None

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.Dice()([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.3333
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axis = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction=reduction, name=name, dtype=dtype, axis=axis)
        self.axis = axis


@register()
class Tversky(LossFunctionWrapper):
    """1 minus the overlap by `overlap + alpha * missed + beta * wrongly found`, for segmentation.

    alpha, beta: numbers >= 0
    axis:        over which is summed; all if None

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.Tversky()([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.3333
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axis = None,
        dtype: Any = None,
    ) -> None:
        check_number("Tversky", "alpha", alpha, low=0)
        check_number("Tversky", "beta", beta, low=0)
        super().__init__(tversky, reduction=reduction, name=name, dtype=dtype, alpha=alpha, beta=beta, axis=axis)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis


@register()
class Circle(LossFunctionWrapper):
    """Pulls embeddings of one class together and pushes those of different classes apart; y_true are class ids.

    gamma:           scale, a number > 0
    margin:          distance between classes, 0..1
    remove_diagonal: do not compare a sample with itself

    >>> import autograd_nn as ag
    >>> ag.losses.Circle(reduction="none")([0, 0], [[1.0, 0.0], [1.0, 0.0]]).shape
    (2,)
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        check_number("Circle", "gamma", gamma, above=0)
        check_number("Circle", "margin", margin, low=0, high=1)
        super().__init__(
            circle, reduction=reduction, name=name, dtype=dtype,
            gamma=gamma, margin=margin, remove_diagonal=remove_diagonal,
        )  # fmt: skip
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal
