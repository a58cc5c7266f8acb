"""Settings that hold everywhere: the default float dtype, epsilon, the image layout and the backend."""

import math
from typing import Any

from .backends import backend, set_backend
from .backends.threads import num_threads, set_num_threads
from .engine.signatures import suggest_calls
from .engine.spec import default_float, set_default_float
from .errors import InvalidArgument, did_you_mean, short
from .ops.nn import Limits

__all__ = [
    "backend",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_interactive_logging_enabled",
    "is_traceback_filtering_enabled",
    "num_threads",
    "set_backend",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_num_threads",
    "standardize_data_format",
]

IMAGE_DATA_FORMATS = ("channels_first", "channels_last")


class _Settings:
    image_data_format = "channels_last"
    interactive_logging = True
    traceback_filtering = True


def floatx() -> str:
    """The dtype that Python floats, new weights and inputs have unless told otherwise.

    >>> import autograd_nn as ag
    >>> ag.config.floatx()
    'float32'
    """
    return default_float().name


def set_floatx(value: str) -> None:
    """Make `value`, one of "float16", "float32", "float64", the default float dtype; InvalidArgument for others.

    >>> import autograd_nn as ag
    >>> ag.config.set_floatx("float32")
    """
    set_default_float(value)


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite.

    >>> import autograd_nn as ag
    >>> ag.config.epsilon()
    1e-07
    """
    return Limits.epsilon


def set_epsilon(value: float) -> None:
    """Make `value`, a positive finite number, the small number; InvalidArgument for others.

    >>> import autograd_nn as ag
    >>> ag.config.set_epsilon(1e-7)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise InvalidArgument(f"epsilon must be a positive number, got {short(value)}")
    Limits.epsilon = float(value)


def image_data_format() -> str:
    """The place of the channels of images: "channels_last" (height, width, channels) or "channels_first".

    >>> import autograd_nn as ag
    >>> ag.config.image_data_format()
    'channels_last'
    """
    return _Settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Make `data_format` the default layout of images; InvalidArgument for an unknown one.

    >>> import autograd_nn as ag
    >>> ag.config.set_image_data_format("channels_last")
    """
    _Settings.image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: Any) -> str:
    """`data_format` in lower case, the default one for None; InvalidArgument for an unknown one.

    >>> import autograd_nn as ag
    >>> ag.config.standardize_data_format(None)
    'channels_last'
    """
    if data_format is None:
        return image_data_format()
    name = str(data_format).lower()
    if name not in IMAGE_DATA_FORMATS:
        hint = did_you_mean(name, IMAGE_DATA_FORMATS)
        raise InvalidArgument(
            f"data_format must be 'channels_first' or 'channels_last', got {short(data_format)}{hint}"
        )
    return name


def enable_interactive_logging() -> None:
    """Let `fit` and its kin show a progress bar where verbose="auto", as they do from the start."""
    _Settings.interactive_logging = True


def disable_interactive_logging() -> None:
    """Let `fit` and its kin print one line per epoch where verbose="auto"."""
    _Settings.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether verbose="auto" means a progress bar.

    >>> import autograd_nn as ag
    >>> ag.config.is_interactive_logging_enabled()
    True
    """
    return _Settings.interactive_logging


def enable_traceback_filtering() -> None:
    """For scripts that say so; errors here name the user's own mistake, and their tracebacks are never cut."""
    _Settings.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """For scripts that say so; tracebacks are never cut."""
    _Settings.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """What the last of the two calls said; it changes nothing.

    >>> import autograd_nn as ag
    >>> ag.config.is_traceback_filtering_enabled()
    True
    """
    return _Settings.traceback_filtering


suggest_calls(globals())
