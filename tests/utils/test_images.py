"""Images as arrays and as files: axes, dtypes and sizes, and what is no image."""

import io
import sys

import numpy as np
import pytest

from autograd_nn import utils
from autograd_nn.errors import (
    ArgumentTypeError,
    DataError,
    FolderInTheWay,
    InvalidArgument,
    MissingFile,
    MissingPackage,
    ShapeError,
)

COLOURS = np.arange(24, dtype="uint8").reshape(2, 4, 3)


@pytest.fixture
def pillow():
    return pytest.importorskip("PIL.Image")


def file_of(array, kind="png", **more):
    file = io.BytesIO()
    utils.save_img(file, array, file_format=kind, scale=False, **more)
    return file


def test_axes_and_dtypes():
    assert utils.img_to_array(COLOURS).dtype == "float32"
    assert np.array_equal(utils.img_to_array(COLOURS), COLOURS)
    assert np.array_equal(utils.img_to_array(COLOURS, "channels_first"), COLOURS.transpose(2, 0, 1))
    assert utils.img_to_array(COLOURS, dtype="uint8").dtype == "uint8"
    grey = COLOURS[..., 0]
    assert utils.img_to_array(grey).shape == (2, 4, 1)
    assert utils.img_to_array(grey, "channels_first").shape == (1, 2, 4)


@pytest.mark.parametrize("shape", [(3,), (1, 2, 3, 4)])
def test_what_is_no_image(shape):
    with pytest.raises(ShapeError, match="expected"):
        utils.img_to_array(np.zeros(shape))
    with pytest.raises(InvalidArgument, match="data_format"):
        utils.img_to_array(np.zeros((2, 2)), "channels")


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_an_image_goes_to_a_file_and_comes_back(pillow, tmp_path, channels, data_format):
    array = np.random.default_rng(0).integers(0, 256, (5, 7, channels))
    given = array.transpose(2, 0, 1) if data_format == "channels_first" else array
    path = tmp_path / "image.PNG"
    utils.save_img(path, given, data_format, scale=False)
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    for where in (path, str(path), io.BytesIO(path.read_bytes())):
        found = utils.load_img(where, mode)
        assert np.array_equal(utils.img_to_array(found, data_format), given)


def test_numbers_are_stretched_to_all_brightnesses(pillow):
    picture = utils.array_to_img(np.array([-1.0, 0.0, 3.0]).reshape(1, 3, 1))
    assert np.asarray(picture).tolist() == [[0, 63, 255]]
    assert not np.asarray(utils.array_to_img(np.full((2, 2, 3), 7))).any()
    assert np.asarray(utils.array_to_img(COLOURS, dtype="uint8")).max() == 255


def test_deep_grey_stays(pillow):
    deep = np.array([[[0], [40000]]])
    picture = utils.array_to_img(deep, scale=False)
    assert picture.mode == "I" and np.array_equal(utils.img_to_array(picture), deep)
    for kind in ("png", "tiff"):
        assert np.array_equal(utils.img_to_array(utils.load_img(file_of(deep, kind), "grayscale")), deep)


def test_sizes(pillow):
    array = np.zeros((4, 8, 1))
    array[:, 2:6] = 200
    file = file_of(array)
    plain = utils.load_img(file, "grayscale", target_size=(2, 2))
    middle = utils.load_img(file, "grayscale", target_size=(2, 2), keep_aspect_ratio=True)
    assert plain.size == middle.size == (2, 2)
    assert np.asarray(middle).min() == 200 and utils.load_img(file, target_size=[4, 8]).size == (8, 4)
    with pytest.raises(InvalidArgument, match=r"interpolation must be one of nearest, .*; did you mean 'bicubic'"):
        utils.load_img(file, target_size=(2, 2), interpolation="bicubik")


def test_a_jpeg_has_no_fourth_channel(pillow, tmp_path):
    path = tmp_path / "image.jpg"
    with pytest.warns(UserWarning, match="fourth channel") as found:
        utils.save_img(path, np.ones((4, 4, 4)), quality=90)
    assert found[0].filename == __file__ and utils.load_img(path).mode == "RGB"


@pytest.mark.parametrize("array, error, match", [
    (np.zeros((2, 2)), ShapeError, "expected one image"),
    (np.zeros((0, 2, 3)), ShapeError, "expected one image"),
    (np.zeros((2, 2, 2)), ShapeError, "1, 3 or 4 channels"),
    (np.full((2, 2, 3), np.nan), DataError, "not finite"),
    (np.full((2, 2, 3), 256), DataError, "between 0 and 255, got 256.0 to 256.0"),
    (np.full((2, 2, 1), -1), DataError, "between 0 and 2147483647, got -1.0"),
])  # fmt: skip
def test_what_cannot_be_an_image(pillow, array, error, match):
    with pytest.raises(error, match=match):
        utils.array_to_img(array, scale=False)


@pytest.mark.parametrize("options, error, match", [
    ({"color_mode": "rbg"}, InvalidArgument, "color_mode must be one of grayscale, rgb, rgba, got 'rbg'; did you"),
    ({"target_size": 4}, InvalidArgument, "target_size must be"),
    ({"target_size": (0, 4)}, InvalidArgument, "target_size must be"),
    ({"path": 3}, ArgumentTypeError, "must be a path or a BytesIO, got 3"),
    ({"path": "no/such.png"}, MissingFile, "there is no file 'no/such.png'"),
    ({"path": "."}, FolderInTheWay, "'.' is a folder"),
    ({"path": io.BytesIO(b"no image")}, DataError, "the BytesIO is no image, or broken"),
])  # fmt: skip
def test_what_cannot_be_loaded(pillow, options, error, match):
    with pytest.raises(error, match=match):
        utils.load_img(**{"path": file_of(COLOURS), **options})


def test_half_a_file_is_no_image(pillow):
    data = file_of(np.random.default_rng(0).integers(0, 256, (40, 40, 3))).getvalue()
    with pytest.raises(DataError, match="no image, or broken"):
        utils.load_img(io.BytesIO(data[: len(data) // 2]))


@pytest.mark.parametrize("path, kind, error, match", [
    ("image.pgn", None, InvalidArgument, "no format 'pgn' of image files; did you mean 'png'"),
    ("image", None, InvalidArgument, "no format '' of image files; such as"),
    (io.BytesIO(), None, InvalidArgument, "pass file_format='png'"),
    (io.BytesIO(), 3, InvalidArgument, "no format 3"),
    ("no/such/image.png", None, MissingFile, "there is no folder 'no/such'"),
])  # fmt: skip
def test_where_no_image_can_be_saved(pillow, path, kind, error, match):
    with pytest.raises(error, match=match):
        utils.save_img(path, COLOURS, file_format=kind)


def test_a_format_that_holds_no_deep_grey(pillow):
    for kind, deep in (("jpeg", 300), ("png", 70000)):
        with pytest.raises(DataError, match=f"{kind.upper()} file cannot hold a brightness of {deep}"):
            file_of(np.array([[[0], [deep]]]), kind)


@pytest.mark.parametrize("name, args", [
    ("array_to_img", (COLOURS,)), ("save_img", ("image.png", COLOURS)), ("load_img", ("image.png",)),
])  # fmt: skip
def test_without_pillow_the_error_says_what_to_install(monkeypatch, name, args):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingPackage, match=rf"{name} needs Pillow; .*pip install autograd_nn\[image\]"):
        getattr(utils, name)(*args)
