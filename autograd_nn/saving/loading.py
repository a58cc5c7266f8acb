"""What must be known while a model is read from a file: how much memory its weights, and the rest of it, may take."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..errors import ModelFileError, short

_LEFT: ContextVar[list[int] | None] = ContextVar("bytes_left", default=None)

_MOST_IN_MODEL = 10**7
_MOST_IN_METRICS = 10**4
_PACKAGES = (__name__.partition(".")[0], "keras")
_METRICS = ("metrics", "weighted_metrics")
_ANY_SIZE = ("seed", "shared_object_id", "optimizer", "loss", "start", "stop")


@contextmanager
def weights_within(size: int) -> Iterator[None]:
    """Inside, all new weights together may take `size` bytes, and start as zeros, since values from a file follow.

    >>> with weights_within(100):
    ...     claim_weight("kernel", 40), claim_weight("bias", 60)
    (True, True)
    """
    token = _LEFT.set([size])
    try:
        yield
    finally:
        _LEFT.reset(token)


def claim_weight(name: str, size: int) -> bool:
    """Whether values from a file will follow; ModelFileError for more bytes than its arrays have.

    A configuration may say `units=10**12`: this is found before memory is taken.
    """
    left = _LEFT.get()
    if left is None:
        return False
    left[0] -= size
    if left[0] < 0:
        raise ModelFileError(f"weight {name!r} would take {size} bytes, more than the arrays of the file have")
    return True


def check_sizes(config: Any) -> None:
    """ModelFileError for an integer in the configuration of a model, or of its metrics, that no real one has.

    Not only weights take memory: a metric may ask for `num_thresholds=10**9`. Seeds, slices, optimizers and losses may
    have any numbers, since these make nothing of that size; so may classes of the user, who alone knows what they do.

    >>> check_sizes({"class_name": "RepeatVector", "config": {"n": 10**12}})
    Traceback (most recent call last):
    autograd_nn.errors.ModelFileError: it has n=1000000000000, and at most 10000000 is read from a file
    """
    stack: list[tuple[str, Any, int, bool]] = [("", config, _MOST_IN_MODEL, True)]
    while stack:
        key, item, most, ours = stack.pop()
        if isinstance(item, dict):
            if "module" in item:
                ours = str(item["module"]).split(".")[0] in _PACKAGES
            inside = [pair for pair in item.items() if pair[0] not in _ANY_SIZE]
            stack.extend((name, value, _MOST_IN_METRICS if name in _METRICS else most, ours) for name, value in inside)
        elif isinstance(item, list):
            stack.extend((key, value, most, ours) for value in item)
        elif ours and isinstance(item, int) and abs(item) > most:
            raise ModelFileError(f"it has {short(key)[1:-1]}={short(item)}, and at most {most} is read from a file")
