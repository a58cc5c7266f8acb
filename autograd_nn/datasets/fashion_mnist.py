"""70,000 images of 28x28 grey pixels of clothes by Zalando, in the form of MNIST.

0 T-shirt, 1 trousers, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot. Licence: MIT.
Reference: Xiao, Rasul and Vollgraf, arXiv:1708.07747. Keras states no hash of these files; the SHA-256 are those
published for the files at http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/, which have the same sizes.
"""

import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from ..engine.signatures import suggest_calls
from ..errors import DataError, MissingFile, short
from .store import BUCKET, Remote, located

Pair = tuple[np.ndarray, np.ndarray]
_FOLDER = "fashion-mnist"
_HASHES = {
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
}
FILES = tuple(Remote(name, f"{BUCKET}{name}", sha256) for name, sha256 in _HASHES.items())
_MOST = 70000
_WHAT = "fashion_mnist.load_data"


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Pair, Pair]:
    """Return `(x_train, y_train), (x_test, y_test)`: uint8 images (samples, 28, 28), labels (samples,).

    path: a folder with the four files of the data set; if None they are downloaded once

    Raises DataError where the files cannot be had or read, MissingFile for a folder that lacks one.
    """
    if path is not None and not Path(path).is_dir():
        raise MissingFile(f"{_WHAT}: path must be the folder of the four files, got {short(str(path), 150)}")
    files = [located(_WHAT, file, None if path is None else Path(path) / file.name, _FOLDER) for file in FILES]
    y_train, x_train, y_test, x_test = (_array(file) for file in files)
    if len(x_train) != len(y_train) or len(x_test) != len(y_test):
        raise DataError(f"{_WHAT}: expected as many labels as images in {files[0].parent}")
    return (x_train, y_train), (x_test, y_test)


def _array(file: Path) -> np.ndarray:
    """The array of an IDX file of bytes: its header says how many axes there are, and their sizes."""
    try:
        with gzip.open(file) as stream:
            head = stream.read(4)
            sizes = [int.from_bytes(stream.read(4), "big") for _ in range(head[3] if len(head) == 4 else 0)]
            data = stream.read(_MOST * 28 * 28 + 1)
    except (OSError, EOFError, zlib.error):
        raise DataError(f"{_WHAT}: {short(str(file), 150)} is damaged") from None
    right = [(3, [28, 28]), (1, [])]
    if head[:3] != b"\0\0\x08" or (len(sizes), sizes[1:]) not in right or len(data) != int(np.prod(sizes)):
        raise DataError(f"{_WHAT}: {short(str(file), 150)} is no file of images or labels of this data set")
    return np.frombuffer(data, np.uint8).reshape(sizes).copy()


suggest_calls(globals())
