"""506 districts of Boston in the 1970s: 13 features each, and the median price of a house in 1000 dollars.

One feature, "B", assumes that the share of Black residents sets prices; choose `california_housing` unless that is
what you want to study. Reference: Harrison and Rubinfeld, Journal of Environmental Economics and Management 5 (1978).
"""

import os

from ..engine.signatures import suggest_calls
from .housing import Pair, split
from .store import BUCKET, Remote, located
from .words import check_split

FILE = Remote(
    "boston_housing.npz", f"{BUCKET}boston_housing.npz",
    "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
)  # fmt: skip


def load_data(
    path: str | os.PathLike[str] = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Pair, Pair]:
    """Return `(x_train, y_train), (x_test, y_test)`: floats of shape (samples, 13), and prices.

    path: a local file; as it is, the file is downloaded once
    test_split: the share of the samples that is for testing; seed: of their order

    Raises DataError where the file cannot be had or read, MissingFile for a `path` that is not there, InvalidArgument
    for a share that is not 0 <= test_split < 1.
    """
    what = "boston_housing.load_data"
    check_split(what, test_split)
    return split(what, located(what, FILE, path), 13, test_split, seed, None)


suggest_calls(globals())
