"""Images as arrays: axes and dtypes, and what is no image."""

import numpy as np
import pytest

from autograd_nn import utils
from autograd_nn.errors import InvalidArgument, ShapeError


def test_axes_and_dtypes():
    image = np.arange(24, dtype="uint8").reshape(2, 4, 3)
    assert utils.img_to_array(image).dtype == "float32"
    assert np.array_equal(utils.img_to_array(image), image)
    assert np.array_equal(utils.img_to_array(image, "channels_first"), image.transpose(2, 0, 1))
    assert utils.img_to_array(image, dtype="uint8").dtype == "uint8"
    grey = image[..., 0]
    assert utils.img_to_array(grey).shape == (2, 4, 1)
    assert utils.img_to_array(grey, "channels_first").shape == (1, 2, 4)


@pytest.mark.parametrize("shape", [(3,), (1, 2, 3, 4)])
def test_what_is_no_image(shape):
    with pytest.raises(ShapeError, match="expected"):
        utils.img_to_array(np.zeros(shape))
    with pytest.raises(InvalidArgument, match="data_format"):
        utils.img_to_array(np.zeros((2, 2)), "channels")
