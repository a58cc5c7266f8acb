"""20,640 districts of California in 1990: 8 features each, and the median price of a house in dollars.

Reference: Pace and Barry, "Sparse Spatial Autoregressions", Statistics and Probability Letters 33 (1997).
"""

import os

from ..engine.signatures import suggest_calls
from ..errors import InvalidArgument, did_you_mean, short
from .housing import Pair, split
from .store import BUCKET, Remote, located
from .words import check_split

FILE = Remote(
    "california_housing.npz", f"{BUCKET}california_housing.npz",
    "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
)  # fmt: skip
VERSIONS = {"large": None, "small": 600}


def load_data(
    version: str = "large",
    path: str | os.PathLike[str] = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> tuple[Pair, Pair]:
    """Return `(x_train, y_train), (x_test, y_test)`: floats of shape (samples, 8), and prices.

    version: "large", or "small" for 600 samples; the other arguments and errors as in `boston_housing.load_data`
    """
    what = "california_housing.load_data"
    check_split(what, test_split)
    if version not in VERSIONS:
        hint = did_you_mean(version, VERSIONS)
        raise InvalidArgument(f"{what}: version must be 'large' or 'small', got {short(version)}{hint}")
    return split(what, located(what, FILE, path), 8, test_split, seed, VERSIONS[version])


suggest_calls(globals())
