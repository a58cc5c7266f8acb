"""`merge` of Keras 1: one function for what are eight layers now."""

from typing import Any

from ..errors import ArgumentTypeError, InvalidArgument, deprecated, did_you_mean, short
from ..layers import add, average, concatenate, dot, maximum, multiply

_MODES = {"sum": add, "mul": multiply, "ave": average, "max": maximum}
_WORDS = (*_MODES, "concat", "dot", "cos")


def merge(
    inputs: Any,
    mode: str = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    name: Any = None,
) -> Any:
    """Several tensors as one, the way of Keras 1: mode "sum", "mul", "ave", "max", "concat", "dot" or "cos".

    Raises InvalidArgument for another mode, ArgumentTypeError for a function as mode.

    >>> import warnings
    >>> import autograd_nn as ag
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     merge([ag.tensor([[1.0]]), ag.tensor([[2.0]])], mode="concat").tolist()
    [[1.0, 2.0]]
    """
    if callable(mode):
        raise ArgumentTypeError("merge: a function as mode is not taken; write layers.Lambda(function)(inputs)")
    if mode not in _WORDS:
        raise InvalidArgument(f"merge: mode must be one of {_WORDS}, got {short(mode)}{did_you_mean(mode, _WORDS)}")
    called = {} if name is None else {"name": name}
    if mode in _MODES:
        made = _MODES[mode]
        deprecated(f"merge(mode={mode!r})", f"use layers.{made.__name__}(inputs)")
        return made(inputs, **called)
    if mode == "concat":
        deprecated("merge(mode='concat')", "use layers.concatenate(inputs, axis=...)")
        return concatenate(inputs, axis=concat_axis, **called)
    deprecated(f"merge(mode={mode!r})", "use layers.dot(inputs, axes=..., normalize=...)")
    axes = (
        dot_axes
        if isinstance(dot_axes, int)
        else tuple(axis[0] if isinstance(axis, list) else axis for axis in dot_axes)
    )
    return dot(inputs, axes=axes, normalize=mode == "cos", **called)
