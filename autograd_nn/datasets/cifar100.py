"""60,000 colour images of 32x32 pixels, of 100 kinds in 20 groups.

Reference: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

import os

from ..engine.signatures import suggest_calls
from ..errors import InvalidArgument, did_you_mean, short
from .cifar import Pair, load
from .store import Remote, located

FILE = Remote(
    "cifar-100-python.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
)  # fmt: skip
MODES = ("fine", "coarse")


def load_data(label_mode: str = "fine", path: str | os.PathLike[str] | None = None) -> tuple[Pair, Pair]:
    """Return `(x_train, y_train), (x_test, y_test)` as `cifar10.load_data` does.

    label_mode: "fine" for the 100 kinds, "coarse" for the 20 groups; other modes raise InvalidArgument
    """
    what = "cifar100.load_data"
    if label_mode not in MODES:
        hint = did_you_mean(label_mode, MODES)
        raise InvalidArgument(f"{what}: label_mode must be 'fine' or 'coarse', got {short(label_mode)}{hint}")
    names = ("cifar-100-python/train",), "cifar-100-python/test"
    return load(what, located(what, FILE, path), *names, f"{label_mode}_labels".encode())


suggest_calls(globals())
