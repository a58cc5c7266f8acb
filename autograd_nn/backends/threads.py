"""How many threads programs may use."""

import os
from functools import cache

from ..engine.signatures import suggest_calls
from ..errors import InvalidArgument, short


@cache
def available() -> int:
    """The processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Threads:
    count: int | None = None


def num_threads() -> int:
    """The number of threads that a compiled program uses."""
    return _Threads.count or available()


def set_num_threads(count: int) -> None:
    """Let compiled programs use `count` threads; results are the same bits for any number.

    Raises InvalidArgument unless it is an int of at least 1.

    >>> import autograd_nn as ag
    >>> ag.config.set_num_threads(1)
    >>> ag.config.num_threads()
    1
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise InvalidArgument(f"set_num_threads: expected an int of at least 1, got {short(count)}")
    _Threads.count = count


suggest_calls(globals())
