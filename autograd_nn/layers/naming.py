"""Names of layers: made from the class, unique in the process, and safe to show and to write into files."""

import re
from collections import Counter
from typing import Any

from ..errors import ArgumentTypeError, InvalidArgument, short

_ALLOWED = re.compile(r"\w[\w.\- ]*")
_used: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """`name` of a class in lower case with underscores.

    >>> snake_case("MaxPooling2D"), snake_case("LSTMCell"), snake_case("ReLU")
    ('max_pooling2d', 'lstm_cell', 're_lu')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(prefix: str) -> str:
    """`prefix`, or `prefix_1`, `prefix_2`, ... where it was given out before."""
    count = _used[prefix]
    _used[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def reset_names() -> None:
    """Start counting automatic names anew."""
    _used.clear()


def check_name(name: Any, what: str) -> str:
    """`name` if it may be the name of a layer.

    Raises ArgumentTypeError unless it is a string, InvalidArgument unless it consists of letters, digits, `_`, `-`, `.`
    and spaces and starts with a letter, digit or `_`.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"{what}: name must be a string, got {short(name)}")
    if not _ALLOWED.fullmatch(name) or ".." in name:
        raise InvalidArgument(
            f"{what}: name {short(name)} has characters that are not allowed; use letters, digits, '_', '-' and '.'"
        )
    return name
