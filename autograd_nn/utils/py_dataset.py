"""Data sets that are asked for one batch at a time."""

import warnings
from typing import Any

from ..engine.signatures import Checked
from ..errors import InvalidArgument, short


class PyDataset(metaclass=Checked):
    """Base of data sets that give batches by number: define `__len__` (batches per epoch) and `__getitem__(index)`.

    `__getitem__` returns `(x, y)` or `(x, y, sample_weight)` of one batch; `on_epoch_end` may shuffle.

    workers:             threads that make batches ahead; 1 makes each when it is needed
    use_multiprocessing: accepted for Keras; threads are used, with a warning
    max_queue_size:      batches made ahead at most

    >>> import numpy as np
    >>> import autograd_nn as ag
    >>> class Squares(ag.utils.PyDataset):
    ...     def __len__(self):
    ...         return 10
    ...     def __getitem__(self, index):
    ...         x = np.random.default_rng(index).normal(size=(32, 1))
    ...         return x, x * x
    >>> Squares().num_batches
    10
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        for name, value in (("workers", workers), ("max_queue_size", max_queue_size)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InvalidArgument(f"PyDataset: {name} must be an int >= 1, got {short(value)}")
        if use_multiprocessing:
            warnings.warn("PyDataset: use_multiprocessing is not offered, threads are used")
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__(), the number of batches")

    @property
    def num_batches(self) -> int | None:
        """Batches per epoch; None for an endless data set."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before every epoch."""

    def on_epoch_end(self) -> None:
        """Called after every epoch."""


Sequence = PyDataset
