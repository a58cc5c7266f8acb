"""60,000 colour images of 32x32 pixels: aeroplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.

Reference: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

import os

from ..engine.signatures import suggest_calls
from .cifar import Pair, load
from .store import Remote, located

FILE = Remote(
    "cifar-10-python.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)  # fmt: skip
_TRAIN = tuple(f"cifar-10-batches-py/data_batch_{k}" for k in range(1, 6))


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Pair, Pair]:
    """Return `(x_train, y_train), (x_test, y_test)`: uint8 images (samples, 32, 32, 3), labels (samples, 1).

    path: the archive on this machine; if None it is downloaded once. With the image layout "channels_first" the
    images are (samples, 3, 32, 32).

    Raises DataError where the file cannot be had or read, MissingFile for a `path` that is not there.
    """
    what = "cifar10.load_data"
    return load(what, located(what, FILE, path), _TRAIN, "cifar-10-batches-py/test_batch", b"labels")


suggest_calls(globals())
