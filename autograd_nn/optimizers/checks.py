"""Arguments of optimizers that cannot be meant."""

from collections.abc import Iterable
from typing import Any

from ..errors import ArgumentTypeError, InvalidArgument, did_you_mean, short


def refuse_unknown(what: str, unknown: dict[str, Any], known: Iterable[str]) -> None:
    """ArgumentTypeError for a misspelt argument, with the nearest known one."""
    for word in unknown:
        hint = "; did you mean 'learning_rate'?" if word == "lr" else did_you_mean(word, known)
        raise ArgumentTypeError(f"{what}: unknown argument {word!r}{hint or '; known: ' + ', '.join(sorted(known))}")


def check_steps(what: str, name: str, value: Any, least: int) -> None:
    if value is None or isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return
    raise InvalidArgument(f"{what}: {name} must be an int >= {least} or None, got {short(value)}")
