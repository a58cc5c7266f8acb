"""What belongs to which output of a model: losses, weights, metrics and targets given alone, as a list or by name."""

from collections.abc import Sequence
from typing import Any

from ..errors import DataError, InvalidArgument, did_you_mean, short

# The defaults of Keras for outputs without a name.
_UNNAMED = "output_{}"


def names_of(y_pred: Any, output_names: Sequence[str] | None) -> list[str]:
    """The names of the outputs in the order of `flat`."""
    if isinstance(y_pred, dict):
        known = list(output_names or ())
        return known if set(known) == set(y_pred) else sorted(y_pred)
    count = len(y_pred) if isinstance(y_pred, (list, tuple)) else 1
    if output_names and len(output_names) == count:
        return list(output_names)
    return [_UNNAMED.format(k + 1) for k in range(count)]


def flat(value: Any, names: Sequence[str]) -> list[Any]:
    """Outputs as a list in the order of `names`."""
    if isinstance(value, dict):
        return [value[name] for name in names]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def by_output(value: Any, names: Sequence[str], what: str, missing: Any = None) -> list[Any]:
    """One entry per output from a single one, a list in the order of the outputs, or a dict by name.

    Raises InvalidArgument for a list of another length and for a name that is no output.
    """
    if isinstance(value, dict):
        for key in value:
            if key not in names:
                hint = did_you_mean(key, names) or f"; the outputs are {', '.join(names)}"
                raise InvalidArgument(f"{what}: there is no output {short(key)}{hint}")
        return [value.get(name, missing) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise InvalidArgument(
                f"{what}: {len(value)} given for {len(names)} outputs {short(list(names))}; give one per output"
            )
        return list(value)
    return [value] * len(names)


def targets(y: Any, names: Sequence[str], wanted: Sequence[bool], what: str = "y") -> list[Any]:
    """One target per output; `wanted` says for which outputs there is a loss or metric.

    Raises DataError for a wrong number or for a missing or unknown name.
    """
    if y is None:
        return [None] * len(names)
    if isinstance(y, dict):
        unknown = [key for key in y if key not in names]
        if unknown:
            hint = did_you_mean(unknown[0], names) or f"; the outputs are {', '.join(names)}"
            raise DataError(f"{what}: there is no output {short(unknown[0])}{hint}")
        lacking = [name for name, want in zip(names, wanted) if want and name not in y]
        if lacking:
            raise DataError(f"{what} lacks output {lacking[0]!r}; it has {', '.join(map(repr, y))}")
        return [y.get(name) for name in names]
    if not isinstance(y, (list, tuple)):
        y = [y]
    if len(y) == len(names):
        return list(y)
    if len(y) == sum(wanted):
        rest = iter(y)
        return [next(rest) if want else None for want in wanted]
    raise DataError(
        f"{what} has {len(y)} array{'s' if len(y) != 1 else ''} for {len(names)} outputs {short(list(names))}"
    )


def sample_weights(weights: Any, names: Sequence[str]) -> list[Any]:
    """One array of weights per output, or None; a single array counts for all."""
    if isinstance(weights, dict):
        unknown = [key for key in weights if key not in names]
        if unknown:
            raise DataError(f"sample_weight: there is no output {short(unknown[0])}{did_you_mean(unknown[0], names)}")
        return [weights.get(name) for name in names]
    if isinstance(weights, (list, tuple)):
        if len(weights) != len(names):
            raise DataError(f"sample_weight: {len(weights)} arrays for {len(names)} outputs {short(list(names))}")
        return list(weights)
    return [weights] * len(names)
