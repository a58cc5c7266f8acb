"""One seed for everything random."""

import random as python_random

import numpy as np

from ..engine.signatures import suggests
from ..errors import InvalidArgument, short
from ..random import set_global_seed


@suggests
def set_random_seed(seed: int) -> None:
    """Make what follows reproducible: initial weights, dropout, shuffling, and also `random` and `numpy.random`.

    seed: an int from 0 to 2**32 - 1. The same seed gives the same numbers in every process.

    >>> import autograd_nn as ag
    >>> ag.utils.set_random_seed(1)
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise InvalidArgument(f"set_random_seed: seed must be an int from 0 to 2**32 - 1, got {short(seed)}")
    python_random.seed(int(seed))
    np.random.seed(int(seed))
    set_global_seed(int(seed))
