"""Images bent at random."""

from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops, random
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, ShapeError

IMAGES = np.random.default_rng(0).uniform(size=(2, 12, 10, 3)).astype("float32")
bend = ops.image.elastic_transform


def test_pixels_move_by_the_blurred_noise() -> None:
    noise = random.normal((2, 12, 10, 2), 0.0, 1.5, seed=3)
    moves = 4.0 * ops.image.gaussian_blur(noise, (9, 9), (1.5, 1.5))
    expected = ops.image.displace(IMAGES, moves, "nearest", "wrap")
    found = bend(IMAGES, 4.0, 1.5, "nearest", "wrap", seed=3)
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_one_seed_gives_one_picture_in_every_layout() -> None:
    found = bend(IMAGES, 4.0, 1.0, seed=1).numpy()
    first = bend(IMAGES.transpose(0, 3, 1, 2), 4.0, 1.0, seed=1, data_format="channels_first").numpy()
    np.testing.assert_allclose(first.transpose(0, 2, 3, 1), found, rtol=1e-6)
    assert not np.allclose(found, bend(IMAGES, 4.0, 1.0, seed=2).numpy())
    assert bend(IMAGES[0], seed=1).shape == (12, 10, 3)
    assert bend((IMAGES * 255).astype("uint8"), seed=1).dtype == "uint8"


def test_a_plain_picture_stays_plain_and_programs_run() -> None:
    plain = np.full((1, 8, 8, 1), 0.5, "float32")
    np.testing.assert_allclose(bend(plain, seed=1).numpy(), plain, rtol=1e-6)
    bent = ag.jit(lambda x: bend(x, 3.0, 1.0, seed=1))
    np.testing.assert_allclose(bent(IMAGES).numpy(), bend(IMAGES, 3.0, 1.0, seed=1).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"sigma": 0}, InvalidArgument, "sigma must be > 0"), ({"alpha": "20"}, ArgumentTypeError, "alpha must be"),
        ({"interpolation": "cubic"}, InvalidArgument, "interpolation"),
        ({"fill_mode": "edge"}, InvalidArgument, "fill_mode"),
    ],
)  # fmt: skip
def test_what_is_refused(options: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        bend(IMAGES, **options)
    with pytest.raises(ShapeError, match="images need 3 axes"):
        bend(IMAGES[0, 0])
