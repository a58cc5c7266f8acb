"""A graph of layers as plain data, in Keras' form, and back."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.graph import Graph
from ..engine.op import OPS
from ..engine.spec import public_shape
from ..engine.tensor import PICK, Tensor, record
from ..engine.tree import flatten, tree_map
from ..engine.variable import Variable
from ..errors import ArgumentTypeError, ModelFileError, UnknownName, did_you_mean, short
from ..layers.arguments import symbols_of
from ..saving.keras_configs import operation_of_keras
from ..saving.registry import custom_object_scope, deserialize_keras_object, serialize_keras_object
from .functional import layer_of, unique_names

OPERATIONS = "autograd_nn.ops"
TENSOR = "__keras_tensor__"
Address = tuple[str, int, int]


def is_functional_config(config: Any) -> bool:
    """Whether a config describes a graph of layers."""
    return isinstance(config, dict) and {"layers", "input_layers", "output_layers"} <= set(config)


# --- to data


def functional_config(model: Any, graph: Graph) -> dict[str, Any]:
    """Layers and bare operations with their calls, and which of their results are inputs and outputs."""
    entries, addresses = _entries(model, graph)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": entries,
        "input_layers": tree_map(lambda t: list(addresses[t]), model.input),
        "output_layers": tree_map(lambda t: list(addresses[t]), model.output),
    }


def _entries(model: Any, graph: Graph) -> tuple[list[dict[str, Any]], dict[Tensor, Address]]:
    """An entry per layer and operation, and per tensor (name, number of the call, number of the output)."""
    addresses: dict[Tensor, Address] = {}
    entries: dict[Any, dict[str, Any]] = {}
    for t, layer in zip(graph.inputs, _inputs_of(model, graph)):
        entries[layer] = {**serialize_keras_object(layer), "name": layer.name, "inbound_nodes": []}
        addresses[t] = (layer.name, 0, 0)
    names = _operation_names(model, graph)
    for t in graph.nodes:
        if t in addresses or t.op is None:
            continue
        if t.op is PICK:
            name, call, _ = addresses[t.inputs[0]]
            addresses[t] = (name, call, t.params["index"])
            continue
        layer = layer_of(t)
        entry = entries.get(t if layer is None else layer)
        if entry is None:
            entry = _operation_entry(t, names[t]) if layer is None else _layer_entry(layer)
            entries[t if layer is None else layer] = entry
        addresses[t] = (entry["name"], len(entry["inbound_nodes"]), 0)
        entry["inbound_nodes"].append(_call_entry(t, layer, addresses))
    return list(entries.values()), addresses


def _inputs_of(model: Any, graph: Graph) -> list[Any]:
    """The InputLayer of every input."""
    behind = {layer.output: layer for layer in model.layers if type(layer).__name__ == "InputLayer"}
    return [behind[t] for t in graph.inputs]


def _operation_names(model: Any, graph: Graph) -> dict[Tensor, str]:
    nodes = [t for t in graph.operations if layer_of(t) is None and t.op is not PICK]
    taken = [layer.name for layer in model.layers]
    given = unique_names([*taken, *[t.op.name for t in nodes]])  # type: ignore[union-attr]
    return dict(zip(nodes, given[len(taken) :]))


def _layer_entry(layer: Any) -> dict[str, Any]:
    return {**serialize_keras_object(layer), "name": layer.name, "inbound_nodes": []}


def _operation_entry(t: Tensor, name: str) -> dict[str, Any]:
    assert t.op is not None
    if OPS.get(t.op.name) is not t.op:
        raise ArgumentTypeError(
            f"the custom op {t.op.name!r} cannot be written into a config; call it inside a layer of your own"
        )
    config = {"name": name, "params": serialize_keras_object(dict(t.params))}
    return {"module": OPERATIONS, "class_name": t.op.name, "config": config, "name": name, "inbound_nodes": []}


def _call_entry(t: Tensor, layer: Any, addresses: dict[Tensor, Address]) -> dict[str, Any]:
    args, kwargs = (t.inputs, {}) if layer is None else t.params["arguments"].fill(t.inputs)

    def data(x: Any) -> Any:
        return _tensor_entry(x, addresses) if isinstance(x, Tensor) else serialize_keras_object(x)

    return {"args": [tree_map(data, arg) for arg in args], "kwargs": {k: tree_map(data, x) for k, x in kwargs.items()}}


def _tensor_entry(t: Tensor, addresses: dict[Tensor, Address]) -> dict[str, Any]:
    if t in addresses:
        shape = list(public_shape(t.spec.shape))
        return {
            "class_name": TENSOR,
            "config": {"shape": shape, "dtype": t.dtype.name, "keras_history": list(addresses[t])},
        }
    if isinstance(t, Variable):
        raise ArgumentTypeError(f"variable {t.path!r} is used outside of a layer and cannot be written into a config")
    return serialize_keras_object(np.asarray(t.value))


def call_as_data(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call as plain data: of tensors shape and dtype, of other values those that are plain."""

    def data(x: Any) -> Any:
        if isinstance(x, Tensor):
            return {"class_name": TENSOR, "config": {"shape": list(public_shape(x.spec.shape)), "dtype": x.dtype.name}}
        return x if isinstance(x, (bool, int, float, str)) else None

    return {"args": tree_map(data, list(args)), "kwargs": tree_map(data, kwargs)}


def call_of_data(record: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that `call_as_data` described, with tensors that have no values."""

    def made(data: Any) -> Any:
        if _is_tensor(data):
            return symbols_of(data["config"]["shape"], data["config"]["dtype"])
        if isinstance(data, list):
            return [made(item) for item in data]
        return {key: made(value) for key, value in data.items()} if isinstance(data, dict) else data

    return made(record["args"]), made(record["kwargs"])


# --- from data


def model_from_functional_config(cls: Any, config: dict[str, Any], custom_objects: dict[str, Any] | None) -> Any:
    """The model of `functional_config`, with new weights."""
    with custom_object_scope(custom_objects or {}):
        found = _rebuild(config["layers"])
    inputs = _at(config["input_layers"], found)
    outputs = _at(config["output_layers"], found)
    model = cls(inputs=inputs, outputs=outputs, name=config.get("name"))
    if not config.get("trainable", True):
        model.trainable = False
    return model


def _at(places: Any, found: dict[Address, Tensor]) -> Any:
    """The nest of addresses with the tensors in place of them."""
    if isinstance(places, dict):
        return {key: _at(value, found) for key, value in places.items()}
    if len(places) == 3 and isinstance(places[0], str):
        return _lookup(places, found)
    return [_at(place, found) for place in places]


def _lookup(address: Any, found: dict[Address, Tensor]) -> Tensor:
    try:
        return found[tuple(address)]
    except (KeyError, TypeError):
        raise ModelFileError(f"the config of a model refers to {short(address)}, which no layer of it makes") from None


def _rebuild(entries: list[dict[str, Any]]) -> dict[Address, Tensor]:
    """All tensors by address: calls are made as soon as what they need is there."""
    found: dict[Address, Tensor] = {}
    waiting: list[tuple[str, int, dict[str, Any], Callable[..., Any]]] = []
    for entry in entries:
        apply = _maker(entry, found)
        waiting += [(entry["name"], k, call, apply) for k, call in enumerate(entry["inbound_nodes"])]
    while waiting:
        later = []
        for name, k, call, apply in waiting:
            if not all(address in found for address in _needed(call)):
                later.append((name, k, call, apply))
                continue
            for place, t in enumerate(flatten(apply(call))[0]):
                found[name, k, place] = t
        if len(later) == len(waiting):
            name, _, call, _ = later[0]
            missing = [address for address in _needed(call) if address not in found]
            raise ModelFileError(f"the config of a model feeds {name!r} from {missing[0]}, which no layer of it makes")
        waiting = later
    return found


def _maker(entry: dict[str, Any], found: dict[Address, Tensor]) -> Callable[[dict[str, Any]], Any]:
    """What makes the tensors of a call of this layer or operation."""
    if entry.get("module") == OPERATIONS:
        if "params" not in entry["config"]:
            function = operation_of_keras(entry)
            return lambda call: function(*_tensors(call, found), **_filled(call["kwargs"], found))
        op = OPS.get(entry["class_name"])
        if op is None:
            raise UnknownName(f"config names op {short(entry['class_name'])}{did_you_mean(entry['class_name'], OPS)}")
        params = deserialize_keras_object(entry["config"]["params"])
        return lambda call: record(op, tuple(as_tensor(x) for x in _filled(call["args"], found)), params)
    layer = deserialize_keras_object(entry)
    layer.name = entry["name"]
    if not entry["inbound_nodes"]:
        found[entry["name"], 0, 0] = layer.output
    return lambda call: layer(*_filled(call["args"], found), **_filled(call["kwargs"], found))


def _tensors(call: dict[str, Any], found: dict[Address, Tensor]) -> list[Any]:
    """The arguments of the call of an operation, which computes at once, whatever it takes, where none is a tensor."""
    if not _needed(call):
        raise ModelFileError("the config of a model has an operation that uses nothing of the model")
    return _filled(call["args"], found)


def _is_tensor(data: Any) -> bool:
    return isinstance(data, dict) and data.get("class_name") == TENSOR


def _needed(data: Any) -> list[Address]:
    """The addresses of the tensors in the arguments of a call."""
    if _is_tensor(data):
        name, call, place = data["config"]["keras_history"]
        return [(name, call, place)]
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [address for item in items for address in _needed(item)]


def _filled(data: Any, found: dict[Address, Tensor]) -> Any:
    """The arguments of a call, tensors in place of their addresses."""
    if _is_tensor(data):
        return _lookup(data["config"]["keras_history"], found)
    if isinstance(data, list):
        return [_filled(item, found) for item in data]
    if isinstance(data, dict) and "class_name" not in data:
        return {key: _filled(value, found) for key, value in data.items()}
    return deserialize_keras_object(data)
