"""Configs of this library in the words of Keras 3."""

from collections.abc import Callable
from typing import Any

from ...errors import ArgumentTypeError, short
from ..keras_configs import OPERATIONS
from ..registry import PACKAGE

Config = dict[str, Any]

_SCHEDULES = (
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "PiecewiseConstantDecay",
    "PolynomialDecay",
)  # fmt: skip
_FUNCTIONAL = {
    "module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional",
}  # fmt: skip
# Arguments of every layer that these do not take.
_UNTOLD = dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), ("trainable",))


def to_keras(config: Any) -> Any:
    """The config with Keras' rooms and classes in place of this library's.

    Raises ArgumentTypeError for an operation that Keras cannot have in a config.

    >>> to_keras({"module": "autograd_nn.layers", "class_name": "ReLU", "config": {}, "registered_name": None})
    {'module': 'keras.layers', 'class_name': 'ReLU', 'config': {}, 'registered_name': None}
    """
    if isinstance(config, (list, tuple)):
        return [to_keras(item) for item in config]
    if not isinstance(config, dict):
        return config
    if not {"class_name", "config"} <= set(config):
        return {key: to_keras(value) for key, value in config.items()}
    special = _SPECIAL.get(config["class_name"])
    if special is not None:
        return special(config["config"])
    if config.get("module") == OPERATIONS and "inbound_nodes" in config:
        return _operation(config)
    module = str(config.get("module") or "")
    if module.split(".")[0] != PACKAGE:
        return {key: to_keras(value) for key, value in config.items()}
    if config["class_name"] == "function":
        return {**config, "module": "builtins", "registered_name": "function"}
    untold = _UNTOLD.get(config["class_name"], ())
    inner = {key: to_keras(value) for key, value in config["config"].items() if key not in untold}
    return {**{key: to_keras(value) for key, value in config.items()}, "config": inner, **_place(module, config)}


def _place(module: str, config: Config) -> Config:
    name = config["class_name"]
    if module == f"{PACKAGE}.models":
        return {"module": "keras"} if name == "Sequential" else _FUNCTIONAL
    rooms = ".".join(module.split(".")[1:])
    return {"module": "keras.optimizers.schedules" if name in _SCHEDULES else f"keras.{rooms}"}


def _array(data: Config) -> Any:
    return {"class_name": "__numpy__", "config": {**data, "shape": None}} if data["shape"] else data["value"]


def _slice(parts: list[Any]) -> Config:
    return {"class_name": "__slice__", "config": dict(zip(("start", "stop", "step"), to_keras(parts)))}


_SPECIAL: dict[str, Callable[[Any], Any]] = {
    "__tuple__": to_keras,
    "__slice__": _slice,
    "__ellipsis__": lambda _: {"class_name": "__ellipsis__", "config": {}},
    "__dtype__": lambda name: name,
    "__array__": _array,
}


# --- operations

_PLAIN = {
    "numpy": (
        "add", "subtract", "multiply", "divide", "true_divide", "floor_divide", "power", "mod", "negative", "absolute",
        "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "square", "reciprocal", "sign", "sin", "cos", "tan",
        "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arctan2", "arcsinh", "arccosh", "arctanh", "floor",
        "ceil", "maximum", "minimum", "matmul", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
        "logical_and", "logical_or", "logical_not", "logical_xor", "where", "logaddexp", "isnan", "isinf", "isfinite",
    ),
    "nn": ("relu", "relu6", "sigmoid", "softplus", "softsign", "silu", "log_sigmoid", "hard_sigmoid", "selu"),
    "math": ("rsqrt", "erf", "erfinv"),
}  # fmt: skip
_ROOM = {name: room for room, names in _PLAIN.items() for name in names}
_ALIASES = {"abs": "absolute"}
_REDUCTIONS = ("sum", "mean", "max", "min", "prod", "any", "all")


def _operation(entry: Config) -> Config:
    """The entry of an operation of a graph: its parameters are the arguments of the class in Keras."""
    name = _ALIASES.get(entry["class_name"], entry["class_name"])
    params = to_keras(entry["config"]["params"])
    calls = [{"args": to_keras(call["args"]), "kwargs": to_keras(call["kwargs"])} for call in entry["inbound_nodes"]]
    if name in _ROOM and not params:
        room, settings = _ROOM[name], {}
    elif name in _REDUCTIONS and set(params) <= {"axis", "keepdims"}:
        room, settings = "numpy", params
    elif name in _WITH_PARAMS:
        room, name, settings = _WITH_PARAMS[name](params, calls)
    else:
        raise ArgumentTypeError(
            f"operation {short(entry['name'])} cannot be written for Keras: {name} has no form there; call it inside a "
            "layer of your own, or save to a name that ends in .safetensors"
        )
    class_name = "".join(part.capitalize() for part in name.split("_"))
    return {
        "module": f"keras.src.ops.{room}",
        "class_name": class_name,
        "config": {"name": entry["name"], **settings},
        "registered_name": class_name,
        "name": entry["name"],
        "inbound_nodes": calls,
    }


def _only(axes: Any) -> Any:
    return axes[0] if isinstance(axes, list) and len(axes) == 1 else axes


def _joined(name: str) -> Callable[[Config, list[Config]], tuple[str, str, Config]]:
    """An operation on a list of tensors, which Keras takes as one argument."""

    def form(params: Config, calls: list[Config]) -> tuple[str, str, Config]:
        for call in calls:
            call["args"] = [call["args"]]
        return "numpy", name, params

    return form


def _item(params: Config, calls: list[Config]) -> tuple[str, str, Config]:
    key = [_slice(part) if isinstance(part, list) else part for part in params["key"]]
    for call in calls:
        call["args"] = [*call["args"], key]
    return "numpy", "get_item", {}


_WITH_PARAMS: dict[str, Callable[[Config, list[Config]], tuple[str, str, Config]]] = {
    "reshape": lambda params, _: ("numpy", "reshape", {"newshape": params["shape"]}),
    "expand_dims": lambda params, _: ("numpy", "expand_dims", {"axis": _only(params["axis"])}),
    "squeeze": lambda params, _: ("numpy", "squeeze", params),
    "transpose": lambda params, _: ("numpy", "transpose", params),
    "concatenate": _joined("concatenate"),
    "stack": _joined("stack"),
    "getitem": _item,
    "softmax": lambda params, _: ("nn", "softmax", {"axis": _only(params["axis"])}),
    "log_softmax": lambda params, _: ("nn", "log_softmax", {"axis": _only(params["axis"])}),
    "cast": lambda params, _: ("core", "cast", params),
}
