"""What the two data sets of small colour images share."""

from pathlib import Path
from typing import Any

import numpy as np

from ..config import image_data_format
from ..errors import DataError
from .store import read_tar

Pair = tuple[np.ndarray, np.ndarray]
HEIGHT = WIDTH = 32


def load(what: str, file: Path, train: tuple[str, ...], test: str, labels: bytes) -> tuple[Pair, Pair]:
    """Training and test part of a tar archive of pickled batches, as uint8 arrays."""
    batches = read_tar(what, file, (*train, test))
    parts = [_batch(what, batch, labels) for batch in batches]
    x, y = (np.concatenate([part[k] for part in parts[:-1]]) for k in (0, 1))
    return (x, y), parts[-1]


def _batch(what: str, batch: dict[Any, Any], key: bytes) -> Pair:
    data, labels = batch.get(b"data"), batch.get(key)
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3 * 32 * 32:
        raise DataError(f"{what}: expected images of {3 * HEIGHT * WIDTH} bytes in each batch of the archive")
    if not isinstance(labels, list) or len(labels) != len(data) or not all(isinstance(label, int) for label in labels):
        raise DataError(f"{what}: expected one label for each image in each batch of the archive")
    x = data.reshape(-1, 3, HEIGHT, WIDTH)
    if image_data_format() == "channels_last":
        x = x.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), np.asarray(labels, np.uint8).reshape(-1, 1)
