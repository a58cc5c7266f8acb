"""Configs that Keras wrote, in the words of this library."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .. import ops
from ..errors import UnknownName, did_you_mean, short
from ..layers.naming import snake_case
from ..ops.einsum import einsum
from .registry import PACKAGE, deserialize_keras_object, get_registered_object

OPERATIONS = f"{PACKAGE}.ops"
# What Keras 3 writes and this library has no word for; left out where it says nothing.
_SAYS_NOTHING = (
    "quantization_config", "sparse", "ragged", "optional", "lora_rank", "lora_alpha", "build_config", "compile_config",
)  # fmt: skip
_POLICY = ("DTypePolicy", "Policy")
_CLASSES = {"Functional": "Model"}


def _array(data: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "__array__", "config": {**data, "shape": list(np.shape(data["value"]))}}


def _function(config: dict[str, Any]) -> dict[str, Any]:
    """A function that Keras names without its room: one of this library's, or else one of the user's."""
    for room in (f"{PACKAGE}.{name}" for name in ("activations", "losses", "metrics")):
        if get_registered_object(f"{room}>{config.get('config')}") is not None:
            return {**config, "module": room, "registered_name": None}
    return config


def _slice(parts: Any) -> dict[str, Any]:
    found = [parts.get(name) for name in ("start", "stop", "step")] if isinstance(parts, dict) else parts
    return {"class_name": "__slice__", "config": from_keras(found)}


_SPECIAL: dict[str, Callable[[Any], dict[str, Any]]] = {"__numpy__": _array, "__tensor__": _array, "__slice__": _slice}
# Where the arguments of a call in Keras are not the first ones of the function.
_CALLED: dict[str, Callable[..., Any]] = {
    "get_item": lambda x, key: x[tuple(key) if isinstance(key, list) else key],
    "average": lambda x, weights=None, axis=None: ops.average(x, axis=axis, weights=weights),
    "einsum": lambda *operands, subscripts, **settings: einsum(subscripts, *operands, **settings),
    "pad": lambda x, constant_values=None, **settings: ops.pad(x, constant_values=constant_values, **settings),
}


def operation_of_keras(entry: dict[str, Any]) -> Callable[..., Any]:
    """The function of an operation in a graph that Keras wrote; its settings there are arguments that follow.

    Raises UnknownName for an operation that is not here.

    >>> entry = {"class_name": "sum", "config": {"name": "sum_3", "axis": 1, "keepdims": False}}
    >>> operation_of_keras(entry)(ops.ones((2, 3))).tolist()
    [3.0, 3.0]
    """
    name = entry["class_name"]
    if name not in ops.__all__:
        raise UnknownName(f"config names op {short(name)}{did_you_mean(name, ops.__all__)}")
    settings = {key: deserialize_keras_object(value) for key, value in entry["config"].items() if key != "name"}
    return partial(_CALLED.get(name) or getattr(ops, name), **settings)


def is_keras_config(config: Any) -> bool:
    """Whether Keras wrote the config of an object.

    >>> is_keras_config({"module": "keras.layers", "class_name": "Dense", "config": {}})
    True
    """
    return isinstance(config, dict) and str(config.get("module") or "").split(".")[0] == "keras"


def from_keras(config: Any) -> Any:
    """The config with the rooms and classes of this library in place of Keras', and dtype policies by their name.

    >>> from_keras({"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}, "registered_name": None})
    {'module': 'autograd_nn.layers', 'class_name': 'Dense', 'config': {'units': 2}, 'registered_name': None}
    """
    if isinstance(config, list):
        return [from_keras(item) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "function" and config.get("module") == "builtins":
        return _function(config)
    special = _SPECIAL.get(str(config.get("class_name")))
    if special is not None and "config" in config:
        return special(config["config"])
    if is_keras_config(config):
        if config.get("class_name") in _POLICY:
            return config["config"]["name"]
        config = _renamed(config)
    kept = {key: value for key, value in config.items() if key not in _SAYS_NOTHING or _tells(key, value)}
    return {key: from_keras(value) for key, value in kept.items()}


def _tells(key: str, value: Any) -> bool:
    return bool(value) and key not in ("build_config", "compile_config")


def _renamed(config: dict[str, Any]) -> dict[str, Any]:
    """The entry of an object with its room here: "keras.src.models.functional" is "autograd_nn.models"."""
    rooms = [part for part in config["module"].split(".")[1:] if part != "src"]
    name = config["class_name"]
    if rooms[:1] == ["ops"]:
        return {**config, "module": OPERATIONS, "class_name": snake_case(name), "registered_name": None}
    # Optimizers may stand deep in a backend of Keras.
    room = "optimizers" if "optimizers" in rooms else rooms[0] if rooms else "models"
    return {
        **config,
        "module": f"{PACKAGE}.{room}",
        "class_name": _CLASSES.get(name, name),
        "registered_name": None,
    }
