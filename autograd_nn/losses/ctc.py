"""The loss for sequences of labels whose places in time are not known."""

from typing import Any

import numpy as np

from .. import ops
from ..engine.convert import as_tensor
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import DataError, ShapeError
from ..layers.masks import get_mask
from ..saving.registry import register
from .loss import LossFunctionWrapper, prediction, reduce_weighted_values, tensors

# As in Keras: what pads the labels is also the class that says nothing.
MASK = 0


@register()
def ctc(y_true: Any, y_pred: Any) -> Tensor:
    """The negative log probability that the frames of `y_pred` say the labels of `y_true`, over all alignments.

    y_true: labels from 1 on, shape `(batch, labels)`, padded at the end with 0
    y_pred: logits, shape `(batch, frames, classes)`, class 0 the blank; all frames count

    Returns shape `(batch,)`; inf for a sequence with fewer frames than its labels and the blanks between equal ones
    need. Raises ShapeError for other shapes, InvalidArgument for labels that are no class or stand after a 0.
    Graves et al. 2006, "Connectionist Temporal Classification".

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.ctc([[1, 2, 0]], ag.ops.zeros((1, 3, 3)))[0]), 4)
    1.6864
    """
    return _ctc(y_true, y_pred, None)


def _ctc(y_true: Any, y_pred: Any, mask: Tensor | None) -> Tensor:
    """As `ctc`, without the frames that a mask (batch, frames) leaves out at the end."""
    labels, logits = as_tensor(y_true), prediction(y_pred)
    if labels.ndim != 2:
        raise ShapeError(f"ctc: y must be labels (batch, labels), got {show_shape(labels.spec.shape)}")
    if logits.ndim != 3:
        raise ShapeError(
            f"ctc: the prediction must be logits (batch, frames, classes), got {show_shape(logits.spec.shape)}; give "
            "recurrent layers return_sequences=True"
        )
    said = ops.sum(ops.cast(ops.not_equal(labels, MASK), "int64"), axis=-1)
    if mask is None:
        mask = ops.ones_like(logits[:, :, 0], dtype="bool")
    heard = ops.sum(ops.cast(mask, "int64"), axis=-1)
    return ops.ctc_loss(ops.cast(labels, "int64"), logits, said, heard, mask_index=MASK)


@register()
class CTC(LossFunctionWrapper):
    """Connectionist temporal classification, averaged over sequences: labels without places in time.

    Labels from 1 on, shape `(batch, labels)`, padded at the end with 0; logits `(batch, frames, classes)`, class 0 the
    blank. All frames count, or where the prediction has a mask, those that it leaves in, which must be the first ones.

    >>> import autograd_nn as ag
    >>> round(float(ag.losses.CTC()([[1, 2, 0]], ag.ops.zeros((1, 3, 3)))), 4)
    1.6864
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None
    ) -> None:
        super().__init__(ctc, reduction=reduction, name=name, dtype=dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        # The mask has a value per frame and the loss one per sequence: it says how long the sequences are.
        mask = get_mask(y_pred)
        values = _ctc(tensors(y_true, self.dtype), tensors(y_pred, self.dtype), mask)
        return reduce_weighted_values(values, sample_weight, None, self.reduction, self.dtype, what=self.name)


def check_labels(y: np.ndarray[Any, Any], shape: tuple[Any, ...], label: str) -> None:
    """ShapeError or DataError where targets cannot be said by a prediction of that shape."""
    frames, classes = shape[1:] if len(shape) == 3 else (None, None)
    if len(shape) != 3 or y.ndim != 2:
        raise ShapeError(
            f"{label} has shape {y.shape}, the prediction has {show_shape(shape)}; ctc expects labels (batch, labels) "
            "and logits (batch, frames, classes), as from a layer with return_sequences=True"
        )
    wrong = (y < 0) | (y != np.floor(y)) if y.dtype.kind == "f" else y < 0
    if isinstance(classes, int):
        wrong |= y >= classes
    _refuse(y, wrong, label, f"is no class; expected whole numbers 1..{(classes or 0) - 1 or '...'}, and 0 as padding")
    late = (y[:, 1:] != MASK) & (y[:, :-1] == MASK)
    _refuse(y[:, 1:], late, label, "stands after a 0, which pads; pad at the end, as with padding='post'", 1)
    if isinstance(frames, int):
        _check_room(y, frames, label)


def _refuse(y: np.ndarray[Any, Any], wrong: np.ndarray[Any, Any], label: str, why: str, shift: int = 0) -> None:
    if wrong.any():
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        raise DataError(f"label {y[row, column]:g} at {label}[{row}, {column + shift}] {why}")


def _check_room(y: np.ndarray[Any, Any], frames: int, label: str) -> None:
    """DataError for labels that no path through so many frames says."""
    needed = (y != MASK).sum(axis=1) + ((y[:, 1:] == y[:, :-1]) & (y[:, 1:] != MASK)).sum(axis=1)
    if not (needed > frames).any():
        return
    row = int(np.argmax(needed > frames))
    raise DataError(
        f"{label}[{row}] needs at least {needed[row]} frames, one per label and one between equal ones, but the "
        f"prediction has {frames}; stride less over time, or shorten the labels"
    )
