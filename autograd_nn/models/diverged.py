"""What is said when the loss is no longer finite."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.tensor import recording
from ..engine.tree import tree_map
from ..errors import TrainingDiverged
from ..transforms import gradients
from .data import Batch, unpack


def report_divergence(model: Any, loss: float, data: Batch, before: Sequence[Any], epoch: int, batch: int) -> None:
    """Raise TrainingDiverged naming the batch and the first gradient or weight that is not finite.

    before: the weights before the last update, to which the model returns
    """
    for variable, array in zip(model._trained_variables(), before):
        variable.assign(array)
    rate = float(model.optimizer.learning_rate)
    found = _first_weight(model) or ("" if model._overrides("train_step") else _first_gradient(model, data))
    place = f"; first non-finite: {found}" if found else _largest_weight(model)
    raise TrainingDiverged(
        f"the loss is {loss} at batch {batch} of epoch {epoch + 1}{place}; learning_rate is {rate:g}, try a smaller "
        "one, or clipnorm=1.0",
        "the weights are those from before this batch; with callbacks.TerminateOnNaN() training stops without an error",
    )


def _first_weight(model: Any) -> str:
    for variable in model._trained_variables():
        wrong = int((~np.isfinite(variable.numpy())).sum())
        if wrong:
            return f"weight {variable.path!r} ({wrong} of {variable.size} values)"
    return ""


def _largest_weight(model: Any) -> str:
    """Where nothing else is wrong, the loss itself overflowed."""
    largest = max(model._trained_variables(), key=lambda v: np.abs(v.numpy()).max(initial=0), default=None)
    if largest is None:
        return ""
    size = np.abs(largest.numpy()).max(initial=0)
    return f"; weights and gradients before it are finite, the largest weight is {size:.2g} in {largest.path!r}"


def _first_gradient(model: Any, data: Batch) -> str:
    """The gradients of the batch again, by the usual step, from the last layer to the first as they are computed."""
    x, y, weight = unpack(tree_map(as_tensor, data))
    with recording(True):
        loss = model._compute_loss(x, y, model(x, training=True), weight, training=True)
        found = gradients(loss, model._trained_variables())
    for variable, gradient in reversed(list(zip(model._trained_variables(), found))):
        wrong = 0 if gradient is None else int((~np.isfinite(gradient.numpy())).sum())
        if wrong:
            return f"gradient of {variable.path!r} ({wrong} of {variable.size} values)"
    return ""
