"""Graphs of layers: which layers they hold and in which order, how inputs are matched, how they are built again."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from .. import ops
from ..engine.graph import Graph
from ..engine.spec import public_shape, show_shape
from ..engine.tensor import PICK, Tensor, describe, line_of, record
from ..engine.tree import LEAF, Structure, flatten
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, did_you_mean, short
from ..layers.input import InputLayer
from ..layers.layer import Layer
from ..layers.node import outputs_of


def check_ends(tensors: Any, what: str, name: str) -> tuple[list[Tensor], Structure]:
    """The flat inputs or outputs of a model and their structure; errors for what is no tensor of a graph."""
    flat, structure = flatten(tensors)
    if not flat:
        raise InvalidArgument(f"model {name!r}: {what} is empty; pass at least one tensor")
    for t in flat:
        if isinstance(t, Layer):
            raise ArgumentTypeError(f"model {name!r}: {what} must be tensors, got layer {t.name!r}; use its .output")
        if not isinstance(t, Tensor) or not t.is_symbolic:
            raise ArgumentTypeError(
                f"model {name!r}: {what} must be made from Input(...) and be without values, got {short(t)}"
            )
    if what == "inputs" and len(dict.fromkeys(flat)) < len(flat):
        raise InvalidArgument(f"model {name!r}: the same tensor is given twice among the inputs")
    # A list of one tensor means that tensor, as in Keras.
    return flat, LEAF if structure.kind in (list, tuple) and structure.children == (LEAF,) else structure


def make_graph(inputs: list[Tensor], outputs: list[Tensor], name: str) -> Graph:
    """The graph between inputs and outputs; a warning for an input that nothing uses."""
    graph = Graph(inputs, outputs, name)
    used = {id(i) for t in graph.nodes for i in t.inputs} | {id(t) for t in outputs}
    for t in inputs:
        if id(t) not in used:
            warnings.warn(f"model {name!r}: no output uses input {describe(t)}", stacklevel=5)
    return graph


# --- layers in order


def _node(t: Tensor) -> Tensor:
    """The node that made a tensor: itself, or the node of several outputs that it was taken from."""
    return t.inputs[0] if t.op is PICK else t


def layer_of(t: Tensor) -> Any:
    """The layer whose call made a tensor, the InputLayer of an input, None for other operations."""
    return _node(t).params.get("layer")


def ordered_layers(graph: Graph) -> list[Layer]:
    """The layers of a graph from far from the outputs to near, as Keras orders them; inputs as InputLayers."""
    inputs = {t: input_layer(t) for t in graph.inputs}
    keys = {node: inputs.get(node) or layer_of(node) or node for node in _walk(graph)}
    depths = _depths(graph, keys)
    index = {key: k for k, key in reversed(list(enumerate(keys.values())))}
    found = sorted(index, key=lambda key: (-depths[key], index[key]))
    unused = [layer for t, layer in inputs.items() if t not in keys]
    return [*unused, *(key for key in found if isinstance(key, Layer))]


def input_layer(t: Tensor) -> InputLayer:
    """The InputLayer of an input; a new one for a tensor in the middle of another graph."""
    layer = t.params.get("layer") if t.op is None else None
    return layer if isinstance(layer, InputLayer) else InputLayer(input_tensor=t)


def _walk(graph: Graph) -> Iterator[Tensor]:
    """The nodes of a graph from the outputs on, users before what they use, first inputs first."""
    ends = dict.fromkeys(graph.inputs)
    seen: set[Tensor] = set()
    stack = [_stop(t, ends) for t in reversed(graph.outputs)]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        yield node
        if node not in ends:
            stack.extend(_stop(i, ends) for i in reversed(node.inputs) if i.op is not None or i in ends)


def _stop(t: Tensor, ends: dict[Tensor, None]) -> Tensor:
    return t if t in ends else _node(t)


def _depths(graph: Graph, keys: dict[Tensor, Any]) -> dict[Any, int]:
    """How many nodes lie between each layer (or node) and the outputs, at most."""
    ends = dict.fromkeys(graph.inputs)
    of_node: dict[Tensor, int] = {}
    of_key: dict[Any, int] = {}
    for node in reversed(graph.nodes):
        if node not in keys:
            continue
        key = keys[node]
        depth = max(of_node.get(node, 0), of_key.get(key, 0))
        of_node[node] = of_key[key] = depth
        for i in node.inputs if node not in ends else ():
            source = _stop(i, ends)
            of_node[source] = max(depth + 1, of_node.get(source, 0))
    return of_key


def check_layer_names(layers: list[Any], model: str) -> None:
    """InvalidArgument where two layers have one name."""
    seen: dict[str, Any] = {}
    for layer in layers:
        other = seen.setdefault(layer.name, layer)
        if other is not layer:
            raise InvalidArgument(
                f"model {model!r}: two layers are named {layer.name!r}: {_whence(other)} and {_whence(layer)}; "
                "give one of them another name"
            )


def _whence(layer: Any) -> str:
    line = line_of(layer._site)
    return f"{type(layer).__name__} made at {line}" if line else type(layer).__name__


def unique_names(names: list[str]) -> list[str]:
    """The names, with a number behind those that are there already."""
    taken: dict[str, int] = {}
    found = []
    for name in names:
        count = taken.get(name, 0)
        taken[name] = count + 1
        found.append(f"{name}_{count}" if count else name)
    return found


# --- data for the inputs


def match_inputs(given: Any, inputs: tuple[Tensor, ...], structure: Structure, model: str) -> list[Tensor]:
    """One tensor per input, in their order, cast and with a last axis of size 1 added or removed where it is missing.

    given: a nest like the inputs, or a dict by input names. Raises ShapeError for what does not fit.
    """
    names = [t.name or "input" for t in inputs]
    flat = (
        _by_name(given, names, model) if _is_named(given, structure) else flatten(_aligned(given, structure, model))[0]
    )
    if len(flat) != len(inputs):
        raise ShapeError(f"model {model!r} has {len(inputs)} inputs ({', '.join(names)}), got {len(flat)}")
    return [_fitted(x, t, model) for x, t in zip(flat, inputs)]


def _is_named(given: Any, structure: Structure) -> bool:
    return isinstance(given, dict) and structure.kind is not dict


def _by_name(given: dict[str, Any], names: list[str], model: str) -> list[Any]:
    for name in names:
        if name not in given:
            wrong = [key for key in given if key not in names]
            hint = did_you_mean(name, wrong).replace("did you mean", "is it") if wrong else ""
            raise ShapeError(f"model {model!r}: input {name!r} is missing; got {', '.join(map(repr, given))}{hint}")
    return [given[name] for name in names]


def _aligned(given: Any, structure: Structure, model: str) -> Any:
    """The nest with its dicts in the order of the model's own."""
    if structure.kind is dict and isinstance(given, dict):
        if set(given) != set(structure.keys):
            raise ShapeError(f"model {model!r} expects inputs {sorted(structure.keys)}, got {sorted(given)}")
        return [_aligned(given[key], child, model) for key, child in zip(structure.keys, structure.children)]
    if isinstance(given, (list, tuple)) and len(given) == len(structure.children):
        return [_aligned(item, child, model) for item, child in zip(given, structure.children)]
    return given


def _fitted(x: Any, t: Tensor, model: str) -> Tensor:
    if not isinstance(x, Tensor):
        raise ArgumentTypeError(f"model {model!r}: input {t.name!r} must be a tensor or array, got {short(x)}")
    y = _ranked(x, t)
    if y is None or any(_differ(size, expected) for size, expected in zip(y.spec.shape, t.spec.shape)):
        hint = "; for one sample pass x[None]" if _is_one_sample(x, t) else ""
        raise ShapeError(
            f"model {model!r} expects input {t.name!r} of shape {show_shape(t.spec.shape)}, "
            f"got {show_shape(x.spec.shape)}{hint}"
        )
    return y if y.dtype == t.dtype else ops.cast(y, t.dtype)


def _ranked(x: Tensor, t: Tensor) -> Tensor | None:
    """x with as many axes as t; None where that takes more than a last axis of size 1."""
    if x.ndim == t.ndim:
        return x
    if x.ndim == t.ndim + 1 and x.spec.shape[-1] == 1:
        return ops.squeeze(x, -1)
    if x.ndim == t.ndim - 1 and t.spec.shape[-1] == 1:
        return ops.expand_dims(x, -1)
    return None


def _differ(size: Any, expected: Any) -> bool:
    return isinstance(size, int) and isinstance(expected, int) and size != expected


def _is_one_sample(x: Tensor, t: Tensor) -> bool:
    return x.ndim == t.ndim - 1 and not any(map(_differ, x.spec.shape, t.spec.shape[1:]))


# --- building a graph again


def rebuilt(graph: Graph, inputs: list[Tensor], twin: Callable[[Any], Any]) -> list[Tensor]:
    """The outputs of the same graph on other inputs, with `twin(layer)` in place of every layer."""
    new: dict[Tensor, Any] = dict(zip(graph.inputs, inputs))
    for t in graph.nodes:
        if t in new:
            continue
        if t.op is None:
            new[t] = t
        elif t.op is PICK:
            new[t] = new[t.inputs[0]][t.params["index"]]
        elif layer_of(t) is not None:
            outputs = outputs_of(twin(layer_of(t)), t.params["arguments"], [new[i] for i in t.inputs])[0]
            new[t] = outputs if t.op.many else outputs[0]
        else:
            new[t] = record(t.op, tuple(new[i] for i in t.inputs), t.params)
    return [new[t] for t in graph.outputs]


def shapes_nest(tensors: Any) -> Any:
    """A nest of tensors with their public shapes in place of them."""
    if isinstance(tensors, Tensor):
        return public_shape(tensors.spec.shape)
    if isinstance(tensors, dict):
        return {key: shapes_nest(value) for key, value in tensors.items()}
    return [shapes_nest(value) for value in tensors]
