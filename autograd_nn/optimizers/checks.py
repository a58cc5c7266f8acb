"""Arguments of optimizers that cannot be meant."""

import math
from collections.abc import Iterable
from typing import Any

from ..errors import ArgumentTypeError, InvalidArgument, did_you_mean, short


def refuse_unknown(what: str, unknown: dict[str, Any], known: Iterable[str]) -> None:
    """ArgumentTypeError for a misspelt argument, with the nearest known one."""
    for word in unknown:
        hint = "; did you mean 'learning_rate'?" if word == "lr" else did_you_mean(word, known)
        raise ArgumentTypeError(f"{what}: unknown argument {word!r}{hint or '; known: ' + ', '.join(sorted(known))}")


def check_number(
    what: str, name: str, value: Any, *, low: float = -math.inf, above: float = -math.inf, high: float = math.inf
) -> None:
    """InvalidArgument unless `value` is a finite number in range."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if number and math.isfinite(value) and low <= value <= high and value > above:
        return
    ends = [f"> {above}"] if above > -math.inf else [f">= {low}"] if low > -math.inf else []
    ends += [f"<= {high}"] if high < math.inf else []
    raise InvalidArgument(
        f"{what}: {name} must be a finite number {' and '.join(ends)}, got {short(value)}".replace("  ", " ")
    )


def check_steps(what: str, name: str, value: Any, least: int) -> None:
    if value is None or isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return
    raise InvalidArgument(f"{what}: {name} must be an int >= {least} or None, got {short(value)}")
