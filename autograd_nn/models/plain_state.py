"""Nests of numbers, texts and arrays as one text and a dict of arrays, and back with every bit."""

import json
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, short

Arrays = dict[str, np.ndarray]
# What stands for an array, a tuple or a NumPy number in the text.
_ARRAY, _TUPLE, _NUMBER, _DICT = "array", "tuple", "number", "dict"


def to_plain(value: Any, arrays: Arrays, prefix: str, what: str) -> Any:
    """`value` as JSON data; its arrays go into `arrays`, under names that begin with `prefix`.

    value: None, bool, int, float, str, arrays and tensors, lists, tuples and dicts with str keys of them
    what:  names it in the message of the ArgumentTypeError for anything else
    """
    if value is None or isinstance(value, (bool, str)) or type(value) in (int, float):
        return value
    if isinstance(value, Tensor):
        value = np.asarray(value)
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        name = f"{prefix}/{len(arrays)}"
        arrays[name] = np.array(value)
        return {_ARRAY if isinstance(value, np.ndarray) else _NUMBER: name}
    if isinstance(value, list):
        return [to_plain(item, arrays, prefix, what) for item in value]
    if isinstance(value, tuple):
        return {_TUPLE: [to_plain(item, arrays, prefix, what) for item in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {_DICT: {key: to_plain(item, arrays, prefix, what) for key, item in value.items()}}
    raise ArgumentTypeError(
        f"{what} holds {short(value)}; a state is made of None, numbers, texts, arrays, and lists, tuples and dicts "
        "with str keys of them"
    )


def from_plain(data: Any, arrays: Arrays) -> Any:
    """What `to_plain` was given; KeyError, TypeError or ValueError for data that it cannot have made.

    >>> arrays = {}
    >>> from_plain(to_plain({"best": 0.1, "weights": [np.ones(2)]}, arrays, "early", "state"), arrays)
    {'best': 0.1, 'weights': [array([1., 1.])]}
    """
    if isinstance(data, list):
        return [from_plain(item, arrays) for item in data]
    if not isinstance(data, dict):
        return data
    ((kind, content),) = data.items()
    if kind == _DICT:
        return {key: from_plain(item, arrays) for key, item in content.items()}
    if kind == _TUPLE:
        return tuple(from_plain(item, arrays) for item in content)
    return np.array(arrays[content]) if kind == _ARRAY else arrays[content][()]


def as_bytes(data: Any) -> np.ndarray:
    """JSON data as an array of bytes."""
    return np.frombuffer(json.dumps(data, separators=(",", ":")).encode(), np.uint8)


def from_bytes(array: np.ndarray) -> Any:
    """The JSON data in an array of bytes; ValueError where there is none."""
    return json.loads(array.tobytes())
