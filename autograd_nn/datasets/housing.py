"""What the two data sets of house prices share."""

from pathlib import Path

import numpy as np

from ..errors import DataError
from .store import read_npz
from .words import shuffled

Pair = tuple[np.ndarray, np.ndarray]


def split(what: str, file: Path, features: int, test_split: float, seed: int, first: int | None) -> tuple[Pair, Pair]:
    """Training and test part of the arrays `x` (samples, features) and `y` (samples,), of the first samples alone."""
    x, y = read_npz(what, file, ("x", "y"))
    if x.ndim != 2 or x.shape[1] != features or y.shape != (len(x),):
        raise DataError(
            f"{what}: {file} holds x {x.shape} and y {y.shape}, expected (samples, {features}) and (samples,)"
        )
    x, y = shuffled(x[:first], y[:first], np.random.RandomState(seed))
    kept = int(len(x) * (1 - test_split))
    return (x[:kept], y[:kept]), (x[kept:], y[kept:])
