"""Arrays made ready for training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.convert import to_array
from ..engine.signatures import suggests
from ..engine.spec import normal_axis
from ..errors import ArgumentTypeError, DataError, InvalidArgument, short


@suggests
def to_categorical(x: Any, num_classes: int | None = None) -> NDArray[Any]:
    """Class ids as one-hot rows.

    x:           ids 0, 1, ..., any shape; a last axis of size 1 is dropped
    num_classes: largest id + 1 unless given

    Returns float64 of shape `(*x.shape, num_classes)`. Raises DataError for ids outside 0..num_classes-1 and for
    numbers that are no ids.

    >>> import autograd_nn as ag
    >>> ag.utils.to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    ids = to_array(x)
    if ids.dtype.kind == "f" and not np.array_equal(ids, np.round(ids)):
        wrong = int(np.argmax((ids != np.round(ids)).reshape(-1)))
        raise DataError(
            f"to_categorical: {ids.reshape(-1)[wrong]} at index {wrong} is no class id; expected 0, 1, 2, ..."
        )
    if num_classes is not None and (
        not isinstance(num_classes, (int, np.integer)) or isinstance(num_classes, bool) or num_classes < 1
    ):
        raise InvalidArgument(f"to_categorical: num_classes must be an int >= 1 or None, got {short(num_classes)}")
    shape = ids.shape[:-1] if ids.ndim > 1 and ids.shape[-1] == 1 else ids.shape
    flat = ids.reshape(-1).astype("int64")
    if not flat.size and num_classes is None:
        raise DataError("to_categorical: x is empty; give num_classes")
    classes = int(flat.max()) + 1 if num_classes is None else int(num_classes)
    outside = (flat < 0) | (flat >= classes)
    if outside.any():
        place = int(np.argmax(outside))
        raise DataError(f"to_categorical: id {flat[place]} at index {place} is outside 0..{classes - 1}")
    rows = np.zeros((flat.size, classes))
    rows[np.arange(flat.size), flat] = 1
    return rows.reshape((*shape, classes))


@suggests
def normalize(x: Any, axis: int = -1, order: int = 2) -> NDArray[Any]:
    """x divided by its norm of order `order` along `axis`; zero rows stay zero.

    >>> import autograd_nn as ag
    >>> import numpy as np
    >>> ag.utils.normalize(np.array([[3.0, 4.0]])).tolist()
    [[0.6, 0.8]]
    """
    if not isinstance(order, (int, float)) or isinstance(order, bool) or order < 1:
        raise ArgumentTypeError(f"normalize: order must be a number >= 1, got {short(order)}")
    array = np.atleast_1d(to_array(x))
    norm = np.atleast_1d(np.linalg.norm(array, order, normal_axis(axis, array.ndim)))
    norm[norm == 0] = 1
    return array / np.expand_dims(norm, axis)
