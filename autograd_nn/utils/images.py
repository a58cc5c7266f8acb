"""Images as arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import floatx, standardize_data_format
from ..errors import ShapeError


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> NDArray[Any]:
    """An image as an array with three axes.

    img:         a Pillow image, or an array `(height, width)` or `(height, width, channels)`
    data_format: "channels_last" or "channels_first", the configured one if None
    dtype:       the default float if None

    Raises ShapeError for an array with another number of axes.

    >>> import numpy as np
    >>> import autograd_nn as ag
    >>> ag.utils.img_to_array(np.zeros((4, 6))).shape
    (4, 6, 1)
    """
    first = standardize_data_format(data_format) == "channels_first"
    array = np.asarray(img, floatx() if dtype is None else dtype)
    if array.ndim not in (2, 3):
        raise ShapeError(f"img_to_array: expected (height, width) or (height, width, channels), got {array.shape}")
    array = array[..., None] if array.ndim == 2 else array
    return array.transpose(2, 0, 1) if first else array
