"""Arguments of training that cannot be meant, found before anything runs."""

from typing import Any

import numpy as np

from ..errors import InvalidArgument, short


def check_count(name: str, value: Any, least: int = 1) -> None:
    """InvalidArgument unless `value` is an int >= `least`; None passes."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))
    if value is None or whole and value >= least:
        return
    raise InvalidArgument(f"{name} must be an int >= {least}, got {short(value)}")


def check_required_count(name: str, value: Any, least: int = 1) -> None:
    if value is None:
        raise InvalidArgument(f"{name} must be an int >= {least}, got None")
    check_count(name, value, least)


def check_verbose(verbose: Any) -> None:
    if isinstance(verbose, str) and verbose != "auto" or verbose not in ("auto", 0, 1, 2):
        raise InvalidArgument(f"verbose must be 'auto', 0, 1 or 2, got {short(verbose)}")


def check_frequency(value: Any) -> None:
    """`validation_freq`: every so many epochs, or the epochs, counted from 1."""
    if isinstance(value, (list, tuple, set, range)):
        for epoch in value:
            check_required_count("validation_freq: an epoch", epoch)
        return
    check_required_count("validation_freq", value)


def check_split(split: Any, samples: int | None = None) -> None:
    """`validation_split`: a share of the samples that leaves some on both sides."""
    number = isinstance(split, (int, float, np.number)) and not isinstance(split, bool)
    if not number or not 0 <= split < 1:
        raise InvalidArgument(f"validation_split must be a number with 0 <= split < 1, got {short(split)}")
    if not split or samples is None:
        return
    kept = split_point(split, samples)
    if kept == 0 or kept == samples:
        raise InvalidArgument(
            f"validation_split={split} of {samples} samples leaves {kept} to train on and {samples - kept} to validate "
            "on; both must be at least 1"
        )


def split_point(split: float, samples: int) -> int:
    """How many of the samples are trained on."""
    return int(np.floor(samples * (1.0 - split)))


def check_fit_arguments(arguments: dict[str, Any]) -> None:
    """InvalidArgument for the first argument of `fit` that cannot be meant."""
    check_count("batch_size", arguments["batch_size"])
    check_required_count("epochs", arguments["epochs"], 0)
    check_required_count("initial_epoch", arguments["initial_epoch"], 0)
    check_count("steps_per_epoch", arguments["steps_per_epoch"])
    check_count("validation_steps", arguments["validation_steps"])
    check_count("validation_batch_size", arguments["validation_batch_size"])
    check_frequency(arguments["validation_freq"])
    check_verbose(arguments["verbose"])
    check_split(arguments["validation_split"])
    if not isinstance(arguments["shuffle"], (bool, np.bool_)):
        raise InvalidArgument(f"shuffle must be True or False, got {short(arguments['shuffle'])}")
