"""The MNIST database of handwritten digits: 70,000 images of 28x28 grey pixels, labelled 0 to 9.

The data are by Y. LeCun, C. Cortes and C. J. C. Burges, under the licence CC BY-SA 3.0
(https://creativecommons.org/licenses/by-sa/3.0/), as one NumPy archive with the keys of Keras' file of the same name.
Reference: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition",
Proceedings of the IEEE 86 (1998).
"""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autograd_nn.engine.signatures import suggest_calls
from autograd_nn.errors import DataError, short

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]

SHIPPED = Path(__file__).with_name("mnist.npz")
KERAS_NAME = "mnist.npz"
SHAPES = {"x_train": (60000, 28, 28), "y_train": (60000,), "x_test": (10000, 28, 28), "y_test": (10000,)}


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """Return `(x_train, y_train), (x_test, y_test)`: uint8 pixels of 0 to 255, and uint8 labels of 0 to 9.

    The shipped file is read, without a network; `path` names another archive of the same form.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape, y_train[:5].tolist()
    ((60000, 28, 28), (10000, 28, 28), [5, 0, 4, 1, 9])
    """
    # "mnist.npz" is how Keras calls its download, unless there is such a file.
    keras_name = path is not None and os.fspath(path) == KERAS_NAME and not Path(path).exists()
    file = SHIPPED if path is None or keras_name else Path(path)
    arrays = _read(file)
    for name, shape in SHAPES.items():
        _check(file, name, arrays[name], shape)
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _read(file: Path) -> dict[str, NDArray[np.uint8]]:
    try:
        archive = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise FileNotFoundError(_message(file, "does not exist")) from None
    except IsADirectoryError:
        raise IsADirectoryError(_message(file, "is a directory")) from None
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise _wrong(file, "is not a NumPy .npz archive") from None
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise _wrong(file, "holds one array")
    with archive:
        missing = [name for name in SHAPES if name not in archive]
        if missing:
            raise _wrong(file, f"lacks {', '.join(missing)}")
        try:
            return {name: archive[name] for name in SHAPES}
        except (ValueError, EOFError, zipfile.BadZipFile, zlib.error):
            raise _wrong(file, "is damaged") from None


def _check(file: Path, name: str, array: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    if array.shape != shape or array.dtype != np.uint8:
        raise _wrong(file, f"has {name} of shape {array.shape}, {array.dtype}; expected {shape}, uint8")


def _wrong(file: Path, problem: str) -> DataError:
    return DataError(_message(file, problem))


def _message(file: Path, problem: str) -> str:
    return f"mnist.load_data: {short(str(file), 150)} {problem}; leave out path= for the shipped file"


suggest_calls(globals())
