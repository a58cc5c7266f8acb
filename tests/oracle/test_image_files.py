"""Images as arrays and files against Keras."""

import io

import keras
import numpy as np
import pytest

import autograd_nn as ag

pytest.importorskip("PIL")
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5, 7, 1), (5, 7, 3), (6, 4, 4)])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("dtype", [None, "float64"])
def test_arrays_as_images(shape, scale, dtype):
    array = RNG.uniform(0, 255, shape)
    ours, theirs = (library.utils.array_to_img(array, scale=scale, dtype=dtype) for library in (ag, keras))
    assert ours.mode == theirs.mode and np.array_equal(np.asarray(ours), np.asarray(theirs))
    first = [library.utils.img_to_array(ours, "channels_first") for library in (ag, keras)]
    assert np.array_equal(*first) and first[0].dtype == first[1].dtype


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp"])
def test_files_are_the_same(tmp_path, kind):
    array = RNG.uniform(-3, 3, (9, 11, 3))
    ours, theirs = (tmp_path / f"{name}.{kind}" for name in ("ours", "theirs"))
    ag.utils.save_img(ours, array)
    keras.utils.save_img(theirs, array)
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("size", [(3, 8), (8, 3), (20, 20)])
def test_loaded_images(interpolation, keep, size):
    file = io.BytesIO()
    ag.utils.save_img(file, RNG.uniform(0, 1, (13, 10, 4)), file_format="png")
    for mode in ("grayscale", "rgb", "rgba"):
        options = {"target_size": size, "interpolation": interpolation, "keep_aspect_ratio": keep}
        ours, theirs = (library.utils.load_img(file, mode, **options) for library in (ag, keras))
        assert ours.mode == theirs.mode and np.array_equal(np.asarray(ours), np.asarray(theirs))
