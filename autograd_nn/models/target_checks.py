"""Targets against loss and last layer: the mistakes that train without an error and learn nothing."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..engine.spec import show_shape
from ..errors import DataError, InvalidArgument, ShapeError
from ..losses.crossentropy import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from ..losses.ctc import check_labels, ctc
from ..losses.divergence import (
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    kl_divergence,
)
from ..losses.hinge import categorical_hinge, hinge, squared_hinge
from ..losses.loss import Loss, LossFunctionWrapper, fits
from ..losses.overlap import dice, tversky
from ..losses.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)
from .arrays import Array

# How far labels of two classes may leave 0..1.
NOISE = 0.25
CROSSENTROPIES = {
    "binary_crossentropy": "sigmoid",
    "binary_focal_crossentropy": "sigmoid",
    "categorical_crossentropy": "softmax",
    "categorical_focal_crossentropy": "softmax",
    "sparse_categorical_crossentropy": "softmax",
}
_SHORT_NAMES = {"bce": "binary_crossentropy", "BCE": "binary_crossentropy"}


class Checked(NamedTuple):
    """One output whose targets are checked. `layer` made it, None if unknown."""

    name: str
    loss: Loss
    shape: tuple[Any, ...]
    layer: Any


def loss_kind(loss: Any) -> str:
    """The name of a built-in loss given as string, function or object; "" for others."""
    if isinstance(loss, str):
        loss = _SHORT_NAMES.get(loss, loss)
        return loss if loss in CROSSENTROPIES else ""
    function = loss.fn if isinstance(loss, LossFunctionWrapper) else loss
    name = getattr(function, "__name__", "")
    return name if function in _CHECKS else ""


def from_logits(loss: Any) -> bool:
    return bool(getattr(loss, "from_logits", False) or getattr(loss, "_fn_kwargs", {}).get("from_logits", False))


def activation_of(layer: Any) -> str:
    """The name of the activation that a layer ends with; "" if it has none or is not known."""
    function = getattr(layer, "activation", None)
    if function is not None:
        return getattr(function, "__name__", "")
    name = type(layer).__name__
    return {"Softmax": "softmax", "ReLU": "relu", "Dense": "linear"}.get(name, "")


def check_last_layer(loss: Any, layer: Any) -> None:
    """InvalidArgument or a warning where the activation of the last layer does not belong to the loss."""
    kind, activation = loss_kind(loss), activation_of(layer)
    if activation == "softmax" and getattr(layer, "units", None) == 1:
        raise InvalidArgument(
            f"layer {layer.name!r} has softmax over 1 unit, whose output is always 1; use activation='sigmoid', or one "
            "unit per class"
        )
    if kind not in CROSSENTROPIES:
        return
    expected = CROSSENTROPIES[kind]
    if activation == "linear" and not from_logits(loss):
        raise InvalidArgument(
            f"{kind} expects probabilities, but the last layer {layer.name!r} is linear; give it "
            f"activation='{expected}' or use losses.{class_name(kind)}(from_logits=True)"
        )
    if from_logits(loss) and activation in ("softmax", "sigmoid"):
        warnings.warn(
            f"{kind} with from_logits=True applies {activation} again: the last layer {layer.name!r} has it already; "
            "remove one of them",
            stacklevel=4,
        )


def class_name(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("_"))


def check_target(y: Array, output: Checked, label: str = "y") -> None:
    """ShapeError, DataError or InvalidArgument where the targets of one output cannot be meant."""
    check = _CHECKS.get(output.loss.fn) if isinstance(output.loss, LossFunctionWrapper) else None
    elsewhere = getattr(output.loss, "axis", -1) not in (-1, len(output.shape) - 1)
    if check is not None and not elsewhere:
        check(y, output, label)


def _same_shape(y: Array, output: Checked, label: str) -> None:
    shape = output.shape
    if any(fits(candidate, shape) for candidate in (y.shape, (*y.shape, 1))) or fits(y.shape, (*shape, 1)):
        return
    hint = f"; give layer {output.name!r} {y.shape[-1]} units" if y.ndim == len(shape) > 1 else "; reshape y"
    raise ShapeError(
        f"{label} has shape {y.shape}, output {output.name!r} has {show_shape(shape)} for {output.loss.name}; they "
        f"must be equal and are never broadcast{hint}"
    )


def _regression(y: Array, output: Checked, label: str) -> None:
    _same_shape(y, output, label)
    activation = activation_of(output.layer)
    low = float(y.min()) if y.size and y.dtype.kind != "b" else 0.0
    if activation == "relu" and low < 0:
        warnings.warn(f"{label} goes down to {low:g}, but layer {output.name!r} ends with relu and cannot be negative")
    if activation in ("sigmoid", "softmax") and y.size and (low < 0 or float(y.max()) > 1):
        warnings.warn(f"{label} leaves 0..1, but layer {output.name!r} ends with {activation} and cannot")


def _counts(y: Array, output: Checked, label: str) -> None:
    _same_shape(y, output, label)
    wrong = y < 0 if y.dtype.kind != "b" else np.zeros(0, bool)
    if wrong.any():
        raise DataError(f"{label} for poisson must be counts >= 0, got {y[wrong][0]} at {_place(wrong, label)}")


def _binary(y: Array, output: Checked, label: str) -> None:
    classes = output.shape[-1]
    if y.size and y.dtype.kind in "iu" and isinstance(classes, int) and classes > 1 and _is_ids(y, output.shape):
        raise ShapeError(
            f"{label} of shape {y.shape} looks like class ids beside {classes} outputs of {output.name!r}; use "
            f"loss='sparse_categorical_crossentropy' instead of {_function(output)}"
        )
    _same_shape(y, output, label)
    # Labels with a little noise are meant, as in the training of GANs; -1 and 1, or 0 to 255, are not.
    wrong = (y < -NOISE) | (y > 1 + NOISE) if y.dtype.kind != "b" else np.zeros(0, bool)
    if wrong.any():
        raise DataError(f"{label} for {_function(output)} must be in 0..1, got {y[wrong][0]} at {_place(wrong, label)}")


def _categorical(y: Array, output: Checked, label: str) -> None:
    classes = output.shape[-1]
    if classes == 1:
        raise InvalidArgument(
            f"{_function(output)} of 1 class is always 0; give {output.name!r} one unit per class, or use "
            "sigmoid and binary_crossentropy"
        )
    if _is_ids(y, output.shape):
        raise ShapeError(
            f"{label} of shape {y.shape} looks like class ids, {_function(output)} expects one-hot "
            f"{show_shape(output.shape)}; use loss='sparse_categorical_crossentropy', or "
            f"utils.to_categorical(y, {classes})"
        )
    _same_shape(y, output, label)


def _sparse(y: Array, output: Checked, label: str) -> None:
    classes = output.shape[-1]
    if y.ndim == len(output.shape) and y.shape[-1] == classes != 1:
        raise ShapeError(
            f"{label} of shape {y.shape} looks one-hot, {_function(output)} expects class ids; use "
            "loss='categorical_crossentropy', or y.argmax(-1)"
        )
    if not _is_ids(y, output.shape):
        raise ShapeError(
            f"{label} has shape {y.shape}, {_function(output)} expects class ids of shape "
            f"{show_shape(output.shape[:-1])} for output {output.name!r}"
        )
    if y.dtype.kind == "f":
        wrong = y != np.floor(y)
        if wrong.any():
            raise DataError(
                f"{label} must be class ids, got {y[wrong][0]} at {_place(wrong, label)}; convert it to whole numbers"
            )
    if isinstance(classes, int):
        _check_range(y, classes, getattr(output.loss, "ignore_class", None), label)


def _check_range(y: Array, classes: int, ignored: int | None, label: str) -> None:
    if not y.size or y.dtype.kind == "b" or y.min() >= 0 and y.max() < classes:
        return
    wrong = (y < 0) | (y >= classes)
    if ignored is not None:
        wrong &= y != ignored
    if not wrong.any():
        return
    hint = "; labels look 1-based, subtract 1" if y.min() == 1 and y.max() == classes else ""
    raise DataError(
        f"label {int(y[wrong][0])} at {_place(wrong, label)} is outside 0..{classes - 1}, the last layer has {classes} "
        f"units{hint}"
    )


def _function(output: Checked) -> str:
    return output.loss.fn.__name__ if isinstance(output.loss, LossFunctionWrapper) else output.loss.name


def _is_ids(y: Array, shape: tuple[Any, ...]) -> bool:
    """Whether y has the shape of class ids beside predictions of that shape."""
    return fits(y.shape, shape[:-1]) or shape[-1] != 1 and fits(y.shape, (*shape[:-1], 1))


def _place(wrong: Array, label: str) -> str:
    return f"{label}[{', '.join(str(int(k)) for k in np.argwhere(wrong)[0])}]"


_CHECKS: dict[Any, Callable[[Array, Checked, str], None]] = {
    **dict.fromkeys(
        (mean_squared_error, mean_absolute_error, mean_absolute_percentage_error, mean_squared_logarithmic_error,
         huber, log_cosh, cosine_similarity, hinge, squared_hinge), _regression,
    ),
    **dict.fromkeys((categorical_hinge, kl_divergence, dice, tversky), _same_shape),
    ctc: lambda y, output, label: check_labels(y, output.shape, label),
    poisson: _counts,
    **dict.fromkeys((binary_crossentropy, binary_focal_crossentropy), _binary),
    **dict.fromkeys((categorical_crossentropy, categorical_focal_crossentropy), _categorical),
    **dict.fromkeys((sparse_categorical_crossentropy, categorical_generalized_cross_entropy), _sparse),
}  # fmt: skip
