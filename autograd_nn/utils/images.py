"""Images as arrays, and as files by way of Pillow."""

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import floatx, standardize_data_format
from ..engine.signatures import suggests
from ..errors import (
    ArgumentTypeError,
    DataError,
    FolderInTheWay,
    InvalidArgument,
    MissingFile,
    MissingPackage,
    ShapeError,
    did_you_mean,
    short,
)

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
# What Pillow calls images whose one channel has more than eight bits, and which stay as they are.
_DEEP_GREY = ("I", "I;16")
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_CHANNELS = (1, 3, 4)
_BRIGHTEST = 255
_DEEPEST_PNG = 65535
# `suggests` stands between a function and its caller.
_STACKLEVEL = 3


@suggests
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


@suggests
def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array as a Pillow image: grey, red-green-blue, or that with a fourth channel for how opaque it is.

    x:           array (height, width, channels), or (channels, height, width), with 1, 3 or 4 channels
    data_format: "channels_last" or "channels_first", the configured one if None
    scale:       whether the smallest number becomes 0 and the largest 255; else the numbers are the brightnesses
    dtype:       in which it is scaled, the default float if None

    Fractions are cut off. One channel with a brightness above 255 makes an image of 32-bit integers. Raises ShapeError
    for other axes or channels, DataError for brightnesses that an image cannot hold, MissingPackage without Pillow,
    which `pip install autograd_nn[image]` installs.

    >>> import autograd_nn as ag
    >>> picture = ag.utils.array_to_img([[[0.0], [0.5], [1.0]]])
    >>> picture.size, picture.mode, ag.utils.img_to_array(picture)[0, :, 0].tolist()
    ((3, 1), 'L', [0.0, 127.0, 255.0])
    """
    first = standardize_data_format(data_format) == "channels_first"
    image = _import_pillow("array_to_img")
    array = np.asarray(x, floatx() if dtype is None else dtype)
    if array.ndim != 3 or not array.size:
        raise ShapeError(f"array_to_img: expected one image (height, width, channels), got shape {array.shape}")
    array = array.transpose(1, 2, 0) if first else array
    if array.shape[2] not in _CHANNELS:
        raise ShapeError(
            f"array_to_img: an image has 1, 3 or 4 channels, got shape {array.shape}, {array.shape[2]} channels last"
        )
    if not np.isfinite(array).all():
        raise DataError("array_to_img: the array has numbers that are not finite")
    array = _stretched(array) if scale else array
    return image.fromarray(_as_brightness(array))


def _stretched(array: NDArray[Any]) -> NDArray[Any]:
    """The numbers between 0 and 255; all 0 where they are equal."""
    array = array - array.min()
    largest = array.max()
    return (array / largest if largest else array) * _BRIGHTEST


def _as_brightness(array: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers of a kind that Pillow has a mode for."""
    lowest, highest, one = array.min(), array.max(), array.shape[2] == 1
    limit = np.iinfo(np.int32).max if one else _BRIGHTEST
    if lowest <= -1 or highest >= limit + 1:
        raise DataError(
            f"array_to_img: with scale=False brightnesses must be between 0 and {limit}, got {lowest} to {highest}; "
            "use scale=True, or np.clip"
        )
    plain = array[:, :, 0] if one else array
    return plain.astype("int32" if highest > _BRIGHTEST else "uint8")


@suggests
def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as an image file.

    path:        where, or an open file
    x:           array (height, width, channels), or (channels, height, width), with 1, 3 or 4 channels
    data_format: "channels_last" or "channels_first", the configured one if None
    file_format: such as "png"; by the end of the path if None
    scale:       whether the smallest number becomes 0 and the largest 255
    kwargs:      more for `PIL.Image.save`, such as `quality=`

    A JPEG file has no fourth channel: it is left out with a warning. Raises what `array_to_img` raises, InvalidArgument
    for a format that Pillow cannot write, MissingFile for a folder that does not exist.

    >>> import io
    >>> import numpy as np
    >>> import autograd_nn as ag
    >>> file = io.BytesIO()
    >>> ag.utils.save_img(file, np.zeros((2, 3, 1)), file_format="png")
    >>> ag.utils.load_img(file).size
    (3, 2)
    """
    image = _import_pillow("save_img")
    kind = _writable(image, path, file_format)
    picture = array_to_img(x, data_format, scale)
    if picture.mode == "RGBA" and kind == "JPEG":
        warnings.warn("a JPEG file holds no fourth channel: it is left out", stacklevel=_STACKLEVEL)
        picture = picture.convert("RGB")
    if picture.mode == "I" and kind == "PNG" and picture.getextrema()[1] <= _DEEPEST_PNG:
        picture = picture.convert("I;16")
    if isinstance(path, (str, os.PathLike)) and not Path(path).parent.is_dir():
        raise MissingFile(f"save_img: there is no folder {short(str(Path(path).parent))}")
    try:
        picture.save(path, format=kind, **kwargs)
    except OSError as error:
        if not str(error).startswith("cannot write mode"):
            raise
        raise DataError(
            f"save_img: a {kind} file cannot hold a brightness of {picture.getextrema()[1]}; use scale=True or 'tiff'"
        ) from None


def _writable(image: Any, path: Any, file_format: str | None) -> str:
    """Pillow's word for the format of a file; InvalidArgument for one that it does not write."""
    named = file_format
    if named is None:
        if not isinstance(path, (str, os.PathLike)):
            raise InvalidArgument("save_img: an open file has no name to tell its format: pass file_format='png'")
        named = Path(path).suffix[1:]
    image.init()
    endings = {end[1:]: kind for end, kind in image.registered_extensions().items() if kind in image.SAVE}
    kinds = {**endings, **{kind.lower(): kind for kind in image.SAVE}}
    kind = kinds.get(named.lower()) if isinstance(named, str) else None
    if kind is None:
        hint = did_you_mean(named, kinds) or "; such as 'png' or 'jpeg'"
        raise InvalidArgument(f"save_img: no format {short(named)} of image files{hint}")
    return str(kind)


@suggests
def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """An image file as a Pillow image; `img_to_array` makes an array of it.

    path:              where, or a BytesIO
    color_mode:        "grayscale", "rgb" or "rgba"; grey images of more than eight bits stay so
    target_size:       (height, width) if it shall be resized
    interpolation:     "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos"
    keep_aspect_ratio: whether the middle is cut out in the proportions of `target_size` first

    Raises MissingFile, DataError for a file that is no image, InvalidArgument or ArgumentTypeError for arguments that
    cannot be meant, MissingPackage without Pillow, which `pip install autograd_nn[image]` installs.

    >>> import io
    >>> import numpy as np
    >>> import autograd_nn as ag
    >>> file = io.BytesIO()
    >>> ag.utils.save_img(file, np.zeros((4, 6, 3)), file_format="png")
    >>> ag.utils.img_to_array(ag.utils.load_img(file, target_size=(2, 2))).shape
    (2, 2, 3)
    """
    _check_choice("color_mode", color_mode, tuple(_MODES))
    _check_choice("interpolation", interpolation, _INTERPOLATIONS)
    size = None if target_size is None else _checked_size(target_size)
    image = _import_pillow("load_img")
    picture = _opened(image, path)
    if picture.mode != _MODES[color_mode] and not (color_mode == "grayscale" and picture.mode in _DEEP_GREY):
        picture = picture.convert(_MODES[color_mode])
    if size is None or picture.size == size:
        return picture
    box = _middle(picture.size, size) if keep_aspect_ratio else None
    return picture.resize(size, image.Resampling[interpolation.upper()], box=box)


def _check_choice(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidArgument(
            f"load_img: {name} must be one of {', '.join(known)}, got {short(value)}{did_you_mean(value, known)}"
        )


def _checked_size(size: Any) -> tuple[int, int]:
    """(width, height), as Pillow has it."""
    whole = isinstance(size, (tuple, list)) and len(size) == 2 and all(hasattr(n, "__index__") for n in size)
    if not whole or min(size) < 1:
        raise InvalidArgument(f"load_img: target_size must be (height, width), two ints >= 1, got {short(size)}")
    return int(size[1]), int(size[0])


def _middle(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[int, int, int, int]:
    """The largest box in the middle of an image that has the proportions of the wanted size."""
    width, height = size
    wide = min(width, height * wanted[0] // wanted[1])
    high = min(height, width * wanted[1] // wanted[0])
    left, top = (width - wide) // 2, (height - high) // 2
    return left, top, left + wide, top + high


def _opened(image: Any, path: Any) -> Any:
    """The image of a file, read whole, so that the file is closed again."""
    if isinstance(path, io.BytesIO):
        source, name = path, "the BytesIO"
    elif isinstance(path, (str, bytes, os.PathLike)):
        source, name = _bytes_of(path), short(os.fsdecode(path))
    else:
        raise ArgumentTypeError(f"load_img: path must be a path or a BytesIO, got {short(path)}")
    try:
        picture = image.open(source)
        picture.load()
    except (OSError, SyntaxError, ValueError, image.DecompressionBombError) as error:
        raise DataError(f"load_img: {name} is no image, or broken: {short(str(error), 80)}") from None
    return picture


def _bytes_of(path: Any) -> io.BytesIO:
    try:
        return io.BytesIO(Path(os.fsdecode(path)).read_bytes())
    except FileNotFoundError:
        raise MissingFile(f"load_img: there is no file {short(os.fsdecode(path))}") from None
    except IsADirectoryError:
        raise FolderInTheWay(f"load_img: {short(os.fsdecode(path))} is a folder, not an image") from None


def _import_pillow(what: str) -> Any:
    """Pillow's module of images; MissingPackage, with the command that installs it, where it is not installed."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingPackage(f"{what} needs Pillow; install it with pip install autograd_nn[image]") from None
    return Image
