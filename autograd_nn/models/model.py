"""Model: a graph of layers, or a class with its own `call`, that can be trained."""

import json
from collections.abc import Callable
from typing import Any

from .. import visualize
from ..engine.graph import Graph
from ..engine.signatures import unknown_argument
from ..engine.tensor import Tensor
from ..engine.tree import flatten, unflatten
from ..errors import ArgumentTypeError, InvalidArgument, NotBuiltError, UnknownName, did_you_mean, short
from ..layers.arguments import shapes_of, symbols_of
from ..layers.layer import Layer
from ..layers.masks import set_mask
from ..saving import files
from ..saving.registry import register, serialize_keras_object
from .configs import call_as_data, call_of_data, functional_config, is_functional_config, model_from_functional_config
from .functional import (
    check_ends,
    check_layer_names,
    input_layer,
    layer_of,
    make_graph,
    match_inputs,
    ordered_layers,
    shapes_nest,
    unique_names,
)  # fmt: skip
from .trainer import Trainer


@register()
class Model(Trainer, Layer):
    """Layers that train together. Itself a layer, so it can be part of another model.

    inputs, outputs: tensors made from `Input`, alone or in nested lists and dicts; everything between them becomes the
                     model, in any directed acyclic graph: several inputs and outputs, shared layers, operators
    name:            automatic if None
    trainable:       whether the weights may be trained

    Without inputs and outputs it is a base class: make the layers in `__init__` after `super().__init__()`, and define
    `call(self, inputs, training=None)`.

    Raises GraphError where an output needs an input that is not given, InvalidArgument for two layers of one name.

    >>> import autograd_nn as ag
    >>> x = ag.layers.Input(shape=(4,))
    >>> y = ag.layers.Dense(2, activation="softmax")(x)
    >>> model = ag.models.Model(inputs=x, outputs=y)
    >>> model(ag.ops.ones((3, 4))).shape
    (3, 2)
    """

    _is_model = True
    _general_config = True

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any) -> None:
        unknown = [key for key in kwargs if key not in ("trainable", "dtype")]
        if unknown:
            known = ("inputs", "outputs", "name", "trainable", "dtype")
            raise unknown_argument(type(self).__name__, unknown, known)
        super().__init__(name=name, **kwargs)
        self._graph: Graph | None = None
        self._built_with: dict[str, Any] | None = None
        if (inputs is None) != (outputs is None):
            raise InvalidArgument(f"model {self.name!r}: give both inputs and outputs, or neither and define call")
        if inputs is not None:
            self._make_functional(inputs, outputs)

    def _make_functional(self, inputs: Any, outputs: Any) -> None:
        flat_inputs, self._input_structure = check_ends(inputs, "inputs", self.name)
        flat_outputs, self._output_structure = check_ends(outputs, "outputs", self.name)
        graph = make_graph(flat_inputs, flat_outputs, self.name)
        layers = ordered_layers(graph)
        check_layer_names(layers, self.name)
        self._layers = layers
        self._graph = graph
        self._input_names = unique_names([input_layer(t).name for t in flat_inputs])
        self.autocast = False
        self.built = True

    @property
    def graph(self) -> Graph | None:
        """The graph of layers between inputs and outputs; None for a model with its own `call`."""
        return self._graph

    # --- what it is made of

    @property
    def layers(self) -> list[Layer]:
        """The layers, inputs first; those of a model with its own `call` in the order of its attributes."""
        return self._sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name, or at that place of `layers`.

        Raises UnknownName with the nearest name, InvalidArgument for a place out of range or none of both.

        >>> import autograd_nn as ag
        >>> model = ag.models.Sequential([ag.layers.Dense(2, name="first")])
        >>> model.get_layer("first").units
        2
        """
        if (name is None) == (index is None):
            raise InvalidArgument("get_layer: give either name or index")
        layers = self.layers
        if index is not None:
            if not hasattr(index, "__index__"):
                raise ArgumentTypeError(f"get_layer: index must be an int, got {short(index)}")
            if not -len(layers) <= index < len(layers):
                raise InvalidArgument(f"get_layer: model {self.name!r} has {len(layers)} layers, got index {index}")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        hint = did_you_mean(name, names) or f"; its layers: {', '.join(names)}"
        raise UnknownName(f"model {self.name!r} has no layer {short(name)}{hint}")

    @property
    def inputs(self) -> list[Tensor] | None:
        """The input tensors; None for a model without a graph."""
        return None if self.graph is None else list(self.graph.inputs)

    @property
    def outputs(self) -> list[Tensor] | None:
        """The output tensors; None for a model without a graph."""
        return None if self.graph is None else list(self.graph.outputs)

    @property
    def input(self) -> Any:
        """The input tensors in the structure in which they were given."""
        graph = self._built_graph("input")
        return unflatten(self._input_structure, graph.inputs)

    @property
    def output(self) -> Any:
        """The output tensors in the structure in which they were given."""
        graph = self._built_graph("output")
        return unflatten(self._output_structure, graph.outputs)

    @property
    def input_shape(self) -> Any:
        """The shape of the input, None for sizes that may vary; a list or dict for several."""
        return shapes_nest(self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, None for sizes that may vary; a list or dict for several."""
        return shapes_nest(self.output)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs; empty for a model without a graph."""
        return [] if self.graph is None else list(self._input_names)

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: keys of a dict, else of the layers that made them; empty without a graph."""
        if self.graph is None:
            return []
        if self._output_structure.kind is dict and len(self._output_structure.keys) == len(self.graph.outputs):
            return list(self._output_structure.keys)
        return unique_names([_maker_name(t) for t in self.graph.outputs])

    def _output_layers(self) -> list[Any]:
        if self.graph is None:
            return []
        found = [layer_of(t) for t in self.graph.outputs]
        if any(layer is None for layer in found):
            return []
        last = [layer._output_layers() if layer._is_model else [layer] for layer in found]
        return [layer for group in last for layer in group] if all(len(group) == 1 for group in last) else []

    def _built_graph(self, what: str) -> Graph:
        if self.graph is None:
            raise NotBuiltError(
                f"model {self.name!r} has no {what} yet: it is not built, or has its own call; give its first layer "
                "input_shape=..., or call build(input_shape)"
            )
        return self.graph

    # --- the computation

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The outputs for these inputs."""
        if self.graph is None:
            raise NotImplementedError(
                f"{type(self).__name__} must define call(self, inputs), or be given inputs= and outputs="
            )
        return self._replay(self.graph, inputs, mask)

    def _has_call(self) -> bool:
        """Whether the model itself is a function of inputs; if not, its train_step calls what it likes."""
        return self.graph is not None or type(self).call is not Model.call

    def _replay(self, graph: Graph, inputs: Any, mask: Any) -> Any:
        tensors = match_inputs(inputs, graph.inputs, self._input_structure, self.name)
        for t, m in zip(tensors, flatten(mask)[0]):
            set_mask(t, m)
        return unflatten(self._output_structure, graph.replay(tensors))

    def build(self, input_shape: Any) -> None:
        """Make the weights of all layers, by calling the model on tensors of that shape without values."""
        if self.graph is not None:
            return
        self.built = True
        self._built_with = call_as_data((symbols_of(input_shape, self.compute_dtype),), {})
        try:
            self.compute_output_shape(input_shape)
        except Exception:
            self.built = False
            raise

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._built_with = call_as_data(args, kwargs)
        # The layers of a model with its own call build themselves as they are called.
        if type(self).build is Model.build:
            self.built = True
            return
        super()._build_for(args, kwargs)

    def _build_record(self) -> dict[str, Any] | None:
        """The call that built the model, as data; None where there was none."""
        return self._built_with

    def _build_shape(self) -> Any:
        """The shapes of the first argument of the call that built the model; None where there was none."""
        args = call_of_data(self._built_with)[0] if self._built_with is not None else ()
        return shapes_of(args[0]) if args else None

    def _build_as(self, record: dict[str, Any]) -> None:
        """Build the model, and the layers inside, as the call of a record did."""
        args, kwargs = call_of_data(record)
        self.compute_output_spec(*args, **kwargs)
        self._built_with = record

    # --- files

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None) -> None:
        """Write the model to one file, from which `models.load_model` makes it again; see `saving.save_model`.

        filepath:  ends in ".safetensors", or in ".keras" for a file that Keras 3 opens (needs h5py)
        overwrite: whether an existing file is replaced

        >>> import os, tempfile
        >>> import autograd_nn as ag
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> ag.Sequential([ag.layers.Dense(2, input_shape=(3,))]).save(path)
        >>> ag.models.load_model(path).count_params()
        8
        """
        files.save_model(self, filepath, overwrite, zipped)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights alone to one file; see `saving.save_weights`."""
        files.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False) -> None:
        """Replace the weights by those of a file; see `saving.load_weights`.

        skip_mismatch: load what has the same name and shape, and leave the rest
        """
        files.load_weights(self, filepath, skip_mismatch)

    # --- to be seen

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers: shapes, numbers of parameters, and what feeds each.

        line_length:    width in characters
        positions:      where the columns end, as shares of the width or in characters
        print_fn:       called with the text instead of printing
        expand_nested:  also list the layers of models inside
        show_trainable: say which layers training changes
        layer_range:    names of the first and the last layer to list

        Raises NotBuiltError for a model whose shapes are not known yet.
        """
        if not self.layers:
            raise InvalidArgument(f"summary: model {self.name!r} has no layers")
        self._assume_shapes()
        visualize.summarize(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def _assume_shapes(self) -> None:
        """Build the model where its inputs can only be of one form."""

    def _repr_svg_(self) -> str | None:
        if self.graph is None:
            return None
        return visualize.plot_graph(self, to_file=None)._repr_svg_()

    # --- config

    def get_config(self) -> dict[str, Any]:
        """The graph of layers as plain data; for a subclass with its own arguments, these."""
        if self._graph is not None and type(self).__init__ is Model.__init__:
            return functional_config(self, self._graph)
        config = super().get_config()
        return {key: value for key, value in config.items() if key not in ("inputs", "outputs")}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The model of a config, with new weights.

        custom_objects: names of classes and functions that may be used beside the registered ones
        """
        if is_functional_config(config):
            return model_from_functional_config(cls, config, custom_objects)
        return super().from_config(config)

    def to_json(self, **kwargs: Any) -> str:
        """The config as JSON; `kwargs` go to `json.dumps`. `models.model_from_json` reads it.

        >>> import autograd_nn as ag
        >>> model = ag.models.Sequential([ag.layers.Dense(2, input_shape=(3,))])
        >>> ag.models.model_from_json(model.to_json()).count_params()
        8
        """
        return json.dumps(serialize_keras_object(self), **kwargs)


def _maker_name(t: Tensor) -> str:
    layer = layer_of(t)
    if layer is not None:
        return layer.name
    return t.name or (t.op.name if t.op else "output")


def check_is_layer(layer: Any, where: str) -> None:
    """ArgumentTypeError unless `layer` is a Layer object."""
    if isinstance(layer, type):
        raise ArgumentTypeError(f"{where}: got class {layer.__name__}; write {layer.__name__}(...)")
    if not isinstance(layer, Layer):
        raise ArgumentTypeError(f"{where} expects a layer, got {short(layer)}; write for example Dense(32)")
