"""Where Keras keeps the variables of a model: by attribute names, and in lists by class names that are numbered.

Such a path is "layers/dense_1/vars/0" for the kernel of the second Dense of a model, whatever its name
(keras/src/saving/saving_lib.py). States of random generators are not among them: Keras does not write them.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ...engine.variable import Variable
from ...layers.naming import snake_case
from ...layers.weights import Weighted

OPTIMIZER = "optimizer"
_LAYERS = "layers"
# Attributes that have another name in Keras.
_RENAMED = {"_dropout": "_dropout_layer"}
# State of optimizers that Keras keeps for all weights together, one kind after the other; elsewhere weight by weight.
_LAST_SLOTS = {"Adam": ("velocity_hat",), "AdamW": ("velocity_hat",), "RMSprop": ("momentum", "average_gradient")}
# One number per weight that is the same for all, and in Keras is one for all: the last of a Nadam.
_COMMON = "momentum_product"


class Saved(NamedTuple):
    """A layer's own variables, in the order in which Keras numbers them."""

    path: str
    name: str
    variables: list[Variable]

    def named(self) -> dict[str, Variable]:
        """The variables by their names in a file."""
        return {place(self.path, k): variable for k, variable in enumerate(self.variables)}


def place(path: str, number: int) -> str:
    """The name of an array in a file.

    >>> place("layers/dense", 1), place("", 0)
    ('layers/dense/vars/1', 'vars/0')
    """
    return f"{path}/vars/{number}" if path else f"vars/{number}"


def saved_layers(model: Any) -> list[Saved]:
    """The model and all layers inside, each once, with paths.

    >>> import autograd_nn as ag
    >>> model = ag.Sequential([ag.layers.Dense(2, input_shape=(3,)), ag.layers.ReLU(), ag.layers.Dense(1)])
    >>> [saved.path for saved in saved_layers(model)]
    ['', 'layers/dense', 'layers/re_lu', 'layers/dense_1']
    """
    found: list[Saved] = []
    seen: set[int] = set()
    stack: list[tuple[Any, str]] = [(model, "")]
    while stack:
        layer, path = stack.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        found.append(Saved(path, layer.name, layer._variables_of_keras()))
        children = [(child, f"{path}/{name}" if path else name) for name, child in _children(layer)]
        stack.extend(reversed(children))
    return found


def in_two_models(model: Any) -> Any:
    """A layer that is in the graphs of two of the models inside; None where there is none."""
    owners: dict[int, Any] = {}
    for owner in model._flatten_layers():
        for layer in owner.layers if owner._is_model and owner.graph is not None else ():
            if owners.setdefault(id(layer), owner) is not owner:
                return layer
    return None


def _children(layer: Any) -> Iterator[tuple[str, Any]]:
    """The layers that a layer holds, by the path of each from there."""
    attributes = {_RENAMED.get(name, name): held for name, held in vars(layer).items() if name not in layer._untracked}
    if layer._is_model:
        attributes = {name: held for name, held in attributes.items() if not _of_the_model(name)}
        attributes[_LAYERS] = layer.layers
    graph = layer._is_model and layer.graph is not None
    # Private attributes come last, and what a graph holds first.
    for name in sorted(attributes, key=lambda name: (not (graph and name == _LAYERS), name.startswith("_"), name)):
        yield from _held(attributes[name], name)


def _of_the_model(name: str) -> bool:
    """Whether a list of layers is the one that a model of this library keeps itself."""
    return name in ("_layers", "_compilation", "_graph")


def _held(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Weighted):
        yield path, value
    elif isinstance(value, (list, tuple, dict)):
        taken: dict[str, int] = {}
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, Weighted):
                yield f"{path}/{_numbered(_class_name(item), taken)}", item
            elif isinstance(item, (list, tuple, dict)):
                yield from _held(item, f"{path}/{_numbered('container', taken)}")


def _class_name(layer: Any) -> str:
    name = type(layer).__name__
    return "functional" if name == "Model" and layer._is_model and layer.graph is not None else snake_case(name)


def _numbered(name: str, taken: dict[str, int]) -> str:
    taken[name] = taken.get(name, -1) + 1
    return f"{name}_{taken[name]}" if taken[name] else name


# --- optimizers


def optimizer_variables(optimizer: Any) -> list[Variable]:
    """The state of an optimizer in the order in which Keras numbers it.

    >>> import autograd_nn as ag
    >>> optimizer = ag.optimizers.RMSprop(momentum=0.9)
    >>> optimizer.build([ag.Variable([1.0], name="a"), ag.Variable([1.0], name="b")])
    >>> [variable.name.partition("/")[2] for variable in optimizer_variables(optimizer)]
    ['iteration', 'learning_rate', 'a_velocity', 'b_velocity', 'a_momentum', 'b_momentum']
    """
    of_weights = {id(slot) for state in optimizer._state for slot in state.values()}
    others = [variable for variable in optimizer.variables if id(variable) not in of_weights]
    last = _LAST_SLOTS.get(type(optimizer).__name__, ())
    first = [slot for state in optimizer._state for name, slot in state.items() if name not in (*last, _COMMON)]
    later = [state[name] for name in last for state in optimizer._state if name in state]
    return [*others, *first, *later, *_common(optimizer)[:1]]


def _common(optimizer: Any) -> list[Variable]:
    return [state[_COMMON] for state in optimizer._state if _COMMON in state]


def spread_common(optimizer: Any) -> None:
    """Give every weight the number that Keras keeps once for all of them."""
    for variable in _common(optimizer)[1:]:
        variable.assign(_common(optimizer)[0].numpy())
