"""Copies of models with new weights."""

import json
from collections.abc import Callable
from typing import Any

from ..engine.graph import Graph
from ..engine.signatures import suggest_calls
from ..engine.tree import flatten, unflatten
from ..errors import ArgumentTypeError, InvalidArgument, ModelFileError, short
from ..layers.input import Input, InputLayer
from ..layers.layer import Layer
from ..saving.keras_configs import from_keras, is_keras_config
from ..saving.registry import custom_object_scope, deserialize_keras_object
from .functional import rebuilt
from .model import Model
from .sequential import Sequential


def clone_model(
    model: Model, input_tensors: Any = None, clone_function: Callable[[Layer], Layer] | None = None
) -> Model:
    """A model of the same structure with new weights.

    input_tensors:  inputs for the copy instead of new ones
    clone_function: from a layer to the layer that takes its place; by default one with the same config

    Raises ArgumentTypeError for what is no model, InvalidArgument for input_tensors beside a model without a graph.

    >>> import autograd_nn as ag
    >>> model = ag.models.Sequential([ag.layers.Dense(2, input_shape=(3,))])
    >>> ag.models.clone_model(model).count_params()
    8
    """
    if not isinstance(model, Model):
        raise ArgumentTypeError(f"clone_model expects a model, got {short(model)}")
    twin = _twins(clone_function or _copy)
    if isinstance(model, Sequential) and input_tensors is None:
        layers = [layer if isinstance(layer, InputLayer) else twin(layer) for layer in _with_input(model)]
        return Sequential(layers, trainable=model.trainable, name=model.name)
    if model.graph is None:
        if input_tensors is not None or clone_function is not None:
            raise InvalidArgument(f"clone_model: {model.name!r} has no graph of layers; clone it by its config alone")
        return type(model).from_config(model.get_config())
    return _clone_graph(model, model.graph, input_tensors, twin)


def _copy(layer: Layer) -> Layer:
    return type(layer).from_config(layer.get_config())


def _twins(clone: Callable[[Layer], Layer]) -> Callable[[Layer], Layer]:
    """`clone`, called once per layer, so that shared layers stay shared."""
    made: dict[Layer, Layer] = {}

    def twin(layer: Layer) -> Layer:
        if layer not in made:
            made[layer] = clone(layer)
        return made[layer]

    return twin


def _with_input(model: Sequential) -> list[Any]:
    """The layers of a Sequential, after a new input where it has one."""
    graph = model.graph
    if graph is None:
        return list(model.layers)
    t = graph.inputs[0]
    return [InputLayer(batch_shape=t.shape, dtype=t.dtype, name=t.name), *model.layers]


def _clone_graph(model: Model, graph: Graph, input_tensors: Any, twin: Callable[[Layer], Layer]) -> Model:
    if input_tensors is None:
        inputs = [Input(batch_shape=t.shape, dtype=t.dtype, name=n) for t, n in zip(graph.inputs, model.input_names)]
    else:
        inputs = flatten(input_tensors)[0]
    if len(inputs) != len(graph.inputs):
        raise InvalidArgument(f"clone_model: {model.name!r} has {len(graph.inputs)} inputs, got {len(inputs)}")
    outputs = rebuilt(graph, inputs, twin)
    return Model(
        inputs=unflatten(model._input_structure, inputs),
        outputs=unflatten(model._output_structure, outputs),
        name=model.name,
        trainable=model.trainable,
    )


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model that `model.to_json()` described, here or in Keras 3, with new weights.

    custom_objects: names of classes and functions that may be used beside the registered ones
    Raises ModelFileError for text that is not the JSON of a model, ArgumentTypeError for what is no text.

    >>> import autograd_nn as ag
    >>> model = ag.models.Sequential([ag.layers.Dense(2, input_shape=(3,))])
    >>> ag.models.model_from_json(model.to_json()).output_shape
    (None, 2)
    """
    if not isinstance(json_string, (str, bytes)):
        raise ArgumentTypeError(f"model_from_json expects the text that to_json() gives, got {short(json_string)}")
    try:
        config = json.loads(json_string)
    except ValueError as error:
        raise ModelFileError(f"model_from_json: the text is no JSON: {error}") from None
    if not isinstance(config, dict) or not {"class_name", "config"} <= set(config):
        raise ModelFileError(f"model_from_json: expected the JSON of a model, got {short(config)}")
    with custom_object_scope(custom_objects or {}):
        return deserialize_keras_object(from_keras(config) if is_keras_config(config) else config)


suggest_calls(globals())
