"""Sequential: a list of layers, each fed by the one before."""

from typing import Any

from ..engine.graph import Graph
from ..engine.tensor import Tensor, tracing
from ..engine.tree import flatten
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from ..layers.arguments import is_shape, shapes_of
from ..layers.embedding import Embedding
from ..layers.input import InputLayer
from ..layers.layer import Layer
from ..saving.registry import custom_object_scope, deserialize_keras_object, register, serialize_keras_object
from .configs import call_as_data
from .functional import check_layer_names
from .model import Model, check_is_layer


@register()
class Sequential(Model):
    """A stack of layers.

    layers: layers in order; the first may be an `Input`, or have `input_shape=`
    name:   automatic if None

    Without a known input shape the weights are made at the first call, or by `build(input_shape)`.
    Raises ArgumentTypeError for what is no layer, InvalidArgument for two layers of one name.

    >>> import autograd_nn as ag
    >>> model = ag.models.Sequential()
    >>> model.add(ag.layers.Dense(32, activation="relu", input_shape=(784,)))
    >>> model.add(ag.layers.Dense(10, activation="softmax"))
    >>> model.output_shape
    (None, 10)
    """

    _general_config = True

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        self._layers: list[Layer] = []
        self._tails: list[Any] = []
        self.autocast = False
        if layers is not None and not isinstance(layers, (list, tuple)):
            raise ArgumentTypeError(f"Sequential: layers must be a list, got {short(layers)}; write Sequential([...])")
        for layer in layers or ():
            self.add(layer)

    _untracked = Model._untracked | {"_tails"}

    # --- the stack

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input."""
        return [layer for layer in self._sublayers() if not isinstance(layer, InputLayer)]

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top.

        rebuild: accepted for Keras; the model always knows its shapes as soon as it can

        Raises ArgumentTypeError for what is no layer, InvalidArgument for a name that is taken or a second input, and
        what the layer raises for an input that does not fit; the model stays as it was.
        """
        layer = self._input_behind(layer)
        check_is_layer(layer, f"{self.name}.add()")
        if isinstance(layer, InputLayer) and self._layers:
            raise InvalidArgument(f"model {self.name!r}: the input must come first, before {self._layers[0].name!r}")
        check_layer_names([*self._layers, layer], self.name)
        if any(other is layer for other in self._layers):
            raise InvalidArgument(f"model {self.name!r}: layer {layer.name!r} is in it already; make a second one")
        new = [layer] if self._layers else self._begun_by(layer)
        tails = self._extended(new)
        self._layers = [*self._layers, *new]
        self._tails = tails
        self._changed()

    @staticmethod
    def _begun_by(layer: Any) -> list[Layer]:
        """The first layer, behind an input where it knows what it takes, as a model that is built does."""
        if isinstance(layer, InputLayer):
            return [layer]
        shape, dtype = layer._batch_input_shape, None
        known = layer.inputs if isinstance(layer, Model) else None
        if shape is None and known is not None and len(known) == 1:
            shape, dtype = known[0].shape, known[0].dtype
        return [layer] if shape is None else [
            InputLayer(batch_shape=shape, dtype=dtype, name=f"{layer.name}_input"), layer,
        ]  # fmt: skip

    def _input_behind(self, layer: Any) -> Any:
        """The InputLayer of an Input tensor; anything else as it is."""
        if not isinstance(layer, Tensor):
            return layer
        found = layer.params.get("layer")
        if layer.op is not None or not isinstance(found, InputLayer):
            raise ArgumentTypeError(f"{self.name}.add() expects a layer or an Input, got a tensor {layer.shape}")
        return found

    def _extended(self, new: list[Layer]) -> list[Any]:
        """The outputs after each layer, when `new` layers are put on top; unknown shapes leave the list empty."""
        tails = list(self._tails)
        with tracing(None):
            for layer in new:
                if isinstance(layer, InputLayer):
                    tails.append(layer.output)
                elif tails:
                    tails.append(layer(tails[-1]))
        return tails

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the top layer off and return it.

        rebuild: accepted for Keras; the model always knows its shapes

        Raises InvalidArgument when there is no layer, ArgumentTypeError for a rebuild that is no bool: only the top
        layer can be taken off.

        >>> import autograd_nn as ag
        >>> model = ag.models.Sequential([ag.layers.Dense(2, name="first"), ag.layers.Dense(1, name="second")])
        >>> model.pop().name
        'second'
        """
        if not isinstance(rebuild, bool):
            raise ArgumentTypeError(
                f"pop: rebuild must be True or False, got {short(rebuild)}; pop() takes off the top layer of model "
                f"{self.name!r}"
            )
        if not self.layers:
            raise InvalidArgument(f"pop: model {self.name!r} has no layers")
        layer = self._layers[-1]
        self._layers = self._layers[:-1]
        self._tails = self._tails[:-1]
        self._changed()
        return layer

    def _changed(self) -> None:
        self._graph = None
        self._compiled.programs.clear()
        self.built = len(self._tails) > 1

    @property
    def graph(self) -> Graph | None:
        """The graph of layers, as soon as the input shape is known."""
        if self._graph is None and len(self._tails) > 1:
            _, self._input_structure = flatten(self._tails[0])
            outputs, self._output_structure = flatten(self._tails[-1])
            self._input_names = [self._tails[0].name]
            self._graph = Graph([self._tails[0]], outputs, self.name)
        return self._graph

    # --- building and calling

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of that shape, None for sizes that may vary.

        Raises InvalidArgument for a model without layers or without a shape.
        """
        if not self.layers:
            raise InvalidArgument(f"model {self.name!r} has no layers; add one with {self.name}.add(...)")
        if self._tails and input_shape is None:
            return
        if input_shape is None:
            raise InvalidArgument(
                f"model {self.name!r}: give its first layer input_shape=..., or call build(input_shape)"
            )
        if not isinstance(input_shape, (tuple, list, dict)):
            raise ArgumentTypeError(
                f"build: input_shape must be a tuple of sizes, such as (None, 784), got {short(input_shape)}"
            )
        if self._tails or not is_shape(input_shape):
            self._check_built_for(input_shape)
            return
        first = InputLayer(batch_shape=tuple(input_shape), dtype=self.layers[0].compute_dtype)
        layers = self._layers
        self._layers = [first, *layers]
        self._tails = self._extended(self._layers)
        self._graph = None

    def _check_built_for(self, shape: Any) -> None:
        """ShapeError where the model is built for inputs of another shape."""
        known = self.inputs
        if not known or not is_shape(shape) or len(known) > 1:
            return
        expected = known[0].shape
        if len(shape) != len(expected) or any(None not in (a, b) and a != b for a, b in zip(shape[1:], expected[1:])):
            raise ShapeError(f"model {self.name!r} is built for inputs of shape {expected}, got {tuple(shape)}")

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        first = args[0] if args else next(iter(kwargs.values()), None)
        shape = shapes_of(first)
        self.build((None, *shape[1:]) if isinstance(first, Tensor) and shape else shape)
        self._built_with = call_as_data(args, kwargs)

    def _assume_shapes(self) -> None:
        # Rows of integers, as older Keras takes for granted.
        if not self.built and self._layers and isinstance(self._layers[0], Embedding):
            self.build((None, None))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The output of the last layer."""
        if self.graph is not None:
            return self._replay(self.graph, inputs, mask)
        outputs = inputs
        for layer in self.layers:
            outputs = layer(outputs)
        return outputs

    # --- config

    def get_config(self) -> dict[str, Any]:
        """The layers as plain data."""
        if type(self).__init__ is not Sequential.__init__:
            return super().get_config()
        return {
            "name": self.name, "trainable": self.trainable, "dtype": self.dtype,
            "layers": [serialize_keras_object(layer) for layer in self._layers],
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """The model of a config, with new weights."""
        if "layers" not in config:
            return super().from_config(config, custom_objects)
        with custom_object_scope(custom_objects or {}):
            layers = [deserialize_keras_object(layer) for layer in config["layers"]]
        return cls(layers, trainable=config.get("trainable", True), name=config.get("name"))
