"""What must be known while a model is read from a file: how much memory its weights, and the rest of it, may take."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..errors import ModelFileError, short

# How many bytes new weights, and the states of metrics, may still take.
_LEFT: ContextVar[dict[str, int] | None] = ContextVar("bytes_left", default=None)

_MOST_IN_MODEL = 10**7
# Thresholds are first made as a list of Python's numbers.
_MOST_IN_METRICS = 10**6
# Matrices of some thousand classes, or thresholds by the million.
_METRIC_BYTES = 1 << 28
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
    with _within({"weight": size, "metric": _METRIC_BYTES}):
        yield


@contextmanager
def metrics_bounded() -> Iterator[None]:
    """Inside, the states of new metrics may take no more than those of real models do."""
    with _within({"metric": _METRIC_BYTES}):
        yield


@contextmanager
def _within(left: dict[str, int]) -> Iterator[None]:
    token = _LEFT.set(left)
    try:
        yield
    finally:
        _LEFT.reset(token)


def claim_weight(name: str, size: int) -> bool:
    """Whether values from a file will follow; ModelFileError for more bytes than its arrays have.

    A configuration may say `units=10**12`: this is found before memory is taken.
    """
    return _claim("weight", name, size, "the arrays of the file have")


def claim_state(name: str, size: int) -> None:
    """ModelFileError for a state of a metric that a file asks for and that no real one has.

    >>> with metrics_bounded():
    ...     claim_state("io_u/matrix", 10**10)
    Traceback (most recent call last):
    autograd_nn.errors.ModelFileError: metric 'io_u/matrix' would take 10000000000 bytes, more than a file may ask for
    """
    _claim("metric", name, size, "a file may ask for")


def _claim(what: str, name: str, size: int, most: str) -> bool:
    left = _LEFT.get()
    if left is None or what not in left:
        return False
    left[what] -= size
    if left[what] < 0:
        raise ModelFileError(f"{what} {name!r} would take {size} bytes, more than {most}")
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
