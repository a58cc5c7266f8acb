"""The errors a user can meet, and the one form of their messages.

The first line says what, where, got, expected and what to type, in at most 300 characters;
details stand on the lines below it.
"""

import math
import opcode
import sys
import warnings
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

FIRST_LINE = 300
_PACKAGE = __name__.partition(".")[0]


class AutogradError(Exception):
    """Base of every error that this library raises on purpose."""

    def __init__(self, message: str, details: str = "") -> None:
        first, _, rest = message.partition("\n")
        if len(first) > FIRST_LINE:
            details = "\n".join(filter(None, [first, rest, details]))
            first, rest = first[: FIRST_LINE - 3] + "...", ""
        super().__init__("\n".join(filter(None, [first, rest, details])))

    # Whether the message says where the error is.
    placed = False

    def place(self, where: str) -> None:
        """Put in front of the message where the error is."""
        self.args = (AutogradError(f"{where}: {self.args[0]}").args[0], *self.args[1:])
        self.placed = True


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


class MissingPackage(AutogradError, ImportError):
    """An optional package that is not installed."""


class MissingFile(AutogradError, FileNotFoundError):
    """A file or folder that does not exist."""


class FolderInTheWay(AutogradError, IsADirectoryError):
    """A folder where a file is expected."""


class NoRight(AutogradError, PermissionError):
    """A file or folder that may not be written."""


class FileInTheWay(AutogradError, FileExistsError):
    """A file that may not be overwritten."""


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
    limit = 1 if len(word) <= 7 else 2
    distances = {name: edit_distance(low, name.lower(), limit) for name in names}
    best = min(distances.values(), default=limit + 1)
    if best <= limit and best < len(low):
        return min((name for name in names if distances[name] == best), key=lambda name: _unlikely(word, name))
    shortened = [name for name in names if _abbreviates(low, name.lower()) or low.startswith(f"{name.lower()}_")]
    return min(shortened, key=len) if shortened else None


def _unlikely(word: str, name: str) -> tuple[Any, ...]:
    """The order of names that are equally far: swapped letters first, then the longest common beginning, then case."""
    low, other = word.lower(), name.lower()
    return sorted(low) != sorted(other), -_prefix(low, name), name[:1].isupper() != word[:1].isupper(), name


def _abbreviates(word: str, name: str) -> bool:
    """Whether `word` is the beginning of a name, or of each of its parts: "batch", "val_split"."""
    if len(word) >= 4 and name.startswith(word):
        return True
    beginnings, parts = word.split("_"), name.split("_")
    same = len(beginnings) == len(parts) > 1
    return same and all(part.startswith(start) and len(start) >= 2 for start, part in zip(beginnings, parts))


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


def deprecated(name: str, instead: str) -> None:
    """A DeprecationWarning at the line outside of this package that used an old name.

    >>> with warnings.catch_warnings(record=True) as found:
    ...     warnings.simplefilter("always")
    ...     deprecated("nb_epoch=", "use epochs=")
    >>> print(found[0].message)
    nb_epoch= is an old name of Keras; use epochs=
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None:
        where = frame.f_globals.get("__name__", "")
        if where.partition(".")[0] not in (_PACKAGE, "importlib"):
            break
        # `warnings` itself does not count the frames of an import statement.
        level += not where.startswith("importlib._bootstrap")
        frame = frame.f_back
    warnings.warn(f"{name} is an old name of Keras; {instead}", DeprecationWarning, stacklevel=level)


def suggest_names(package: str) -> None:
    """Make every loaded module of a package say which name was probably meant by one that it does not have.

    `from package.room import name` says so, too. Runs once, when all modules are loaded.

    >>> import autograd_nn as ag
    >>> try:
    ...     ag.ops.matmull
    ... except AttributeError as error:
    ...     print(error)
    module 'autograd_nn.ops' has no attribute 'matmull'; did you mean 'matmul'?
    """
    for name, module in list(sys.modules.items()):
        if name == package or name.startswith(f"{package}."):
            module.__getattr__ = _suggesting(module, vars(module).get("__getattr__"))  # type: ignore[method-assign]


def _suggesting(module: ModuleType, find: Callable[[str], Any] | None) -> Callable[[str], Any]:
    """The `__getattr__` of a module: what `find`, its own one, has, else an error that helps."""

    def __getattr__(name: str) -> Any:
        if find is not None:
            try:
                return find(name)
            except AttributeError:
                pass
        if name.startswith("__"):
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        known = vars(module).get("__all__") or [key for key in vars(module) if not key.startswith("_")]
        raise missing_name(module.__name__, name, known) from None

    return __getattr__


def missing_name(module: str, name: str, known: Iterable[str]) -> Exception:
    """The error for a name that a module does not have: ImportError where `from module import name` asks for it."""
    hint = did_you_mean(name, known) or f"; dir({module}) lists its names"
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == _PACKAGE:
        frame = frame.f_back
    if frame.f_code.co_code[frame.f_lasti] == opcode.opmap["IMPORT_FROM"]:
        return ImportError(f"cannot import name {name!r} from {module!r}{hint}", name=name)
    error = UnknownAttribute(f"module {module!r} has no attribute {name!r}{hint}")
    error.name, error.obj = name, sys.modules[module]
    return error
