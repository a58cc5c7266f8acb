"""The errors a user can meet, and the one form of their messages.

The first line says what, where, got, expected and what to type, in at most 300 characters;
details stand on the lines below it.
"""

import math
from collections.abc import Iterable
from typing import Any

FIRST_LINE = 300


class AutogradError(Exception):
    """Base of every error that this library raises on purpose."""

    def __init__(self, message: str, details: str = "") -> None:
        first, _, rest = message.partition("\n")
        if len(first) > FIRST_LINE:
            details = "\n".join(filter(None, [first, rest, details]))
            first, rest = first[: FIRST_LINE - 3] + "...", ""
        super().__init__("\n".join(filter(None, [first, rest, details])))


class ShapeError(AutogradError, ValueError):
    """Shapes that do not fit together."""


class AxisError(ShapeError, IndexError):
    """An axis or index outside the tensor."""


class DTypeError(AutogradError, TypeError):
    """A dtype that the operation does not take."""


class GraphError(AutogradError, RuntimeError, ValueError):
    """A graph that cannot be built, frozen or evaluated."""


class SymbolicError(GraphError, TypeError):
    """A value asked of a tensor that has none yet."""


class GradientError(AutogradError, RuntimeError, ValueError):
    """A gradient that does not exist, or that would be wrong."""


class GradcheckError(GradientError):
    """A gradient check that failed; `report` says where, by how much, and what the likely cause is."""

    def __init__(self, message: str, details: str = "", report: Any = None) -> None:
        super().__init__(message, details)
        self.report = report


class DataError(AutogradError, ValueError):
    """Training data that cannot be meant."""


class ModelFileError(AutogradError, ValueError):
    """A model file that is broken, foreign or too new."""


class NotBuiltError(AutogradError, ValueError):
    """A layer or model whose shapes are not known yet."""


class NotCompiledError(AutogradError, RuntimeError, ValueError):
    """Training asked of a model without optimizer and loss."""


class TrainingDiverged(AutogradError, ArithmeticError, RuntimeError):
    """A loss that is no longer finite."""


class InvalidArgument(AutogradError, ValueError):
    """An argument whose value cannot be meant."""


class UnknownName(InvalidArgument, KeyError):
    """A name that is not known here; the message suggests the nearest known one."""

    def __str__(self) -> str:
        return str(self.args[0])


class ArgumentTypeError(AutogradError, TypeError):
    """An argument of the wrong type."""


class UnknownAttribute(AutogradError, AttributeError):
    """An attribute that does not exist; the message suggests the nearest one."""


def edit_distance(a: str, b: str, limit: int) -> int:
    """Number of insertions, deletions, substitutions and swaps of neighbours from `a` to `b`.

    Stops early with `limit + 1` once the distance must exceed `limit`. Optimal string alignment,
    Damerau 1964.

    >>> edit_distance("complie", "compile", 2)
    1
    """
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row, older = row, [i], before
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before = last
    return row[-1]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` most likely misspells, or None when all are distant.

    >>> nearest("relue", ["relu", "elu", "selu"])
    'relu'
    >>> nearest("batch", ["batch_size", "epochs"])
    'batch_size'
    """
    names = sorted(set(known))
    if word in names:
        return word
    low = word.lower()
    limit = 1 if len(word) <= 4 else 2
    # Names that differ in case only: the one whose first letter is as typed.
    ranked = sorted(
        (edit_distance(low, name.lower(), limit), -_prefix(low, name), name[:1] != word[:1], name) for name in names
    )
    if ranked and ranked[0][0] <= limit and ranked[0][0] < len(low):
        return ranked[0][3]
    longer = [
        n for n in names if len(low) >= 4 and (n.lower().startswith(low) or low.startswith(n.lower()) and len(n) >= 4)
    ]
    return min(longer, key=len) if longer else None


def _prefix(a: str, b: str) -> int:
    shared = 0
    for x, y in zip(a, b.lower()):
        if x != y:
            break
        shared += 1
    return shared


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """The end of an error line: `; did you mean 'relu'?`, or nothing for distant words.

    >>> did_you_mean("relue", ["relu", "tanh"])
    "; did you mean 'relu'?"
    """
    guess = nearest(word, known) if isinstance(word, str) else None
    return f"; did you mean {guess!r}?" if guess else ""


def short(value: object, limit: int = 60) -> str:
    """A one-line `repr` of at most `limit` characters, safe for an error line.

    >>> short("a" * 100, 10)
    "'aaaaaa..."
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def check_number(
    what: str, name: str, value: Any, *, low: float = -math.inf, above: float = -math.inf, high: float = math.inf
) -> None:
    """InvalidArgument unless `value` is a finite number in range: `low <= value <= high` and `value > above`.

    >>> check_number("SGD", "momentum", 0.9, low=0, high=1)
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if number and math.isfinite(value) and low <= value <= high and value > above:
        return
    ends = [f"> {above}"] if above > -math.inf else [f">= {low}"] if low > -math.inf else []
    ends += [f"<= {high}"] if high < math.inf else []
    raise InvalidArgument(
        f"{what}: {name} must be a finite number {' and '.join(ends)}, got {short(value)}".replace("  ", " ")
    )
