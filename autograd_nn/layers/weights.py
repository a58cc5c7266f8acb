"""The weights of layers: found through attributes, lists and dicts, frozen, read and replaced."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import constraints, initializers, random, regularizers
from ..engine.convert import to_array
from ..engine.spec import as_dtype
from ..engine.variable import Variable
from ..errors import ArgumentTypeError, InvalidArgument, NotBuiltError, ShapeError, UnknownAttribute, nearest, short
from ..saving.loading import claim_weight
from .context import path_around

_PLAIN = frozenset({str, int, float, bool, type(None)})


def _members(value: Any, kinds: tuple[type, ...]) -> Iterator[Any]:
    """The objects of these kinds in `value`: itself, or inside of lists, tuples and dicts."""
    if isinstance(value, kinds):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _members(item, kinds)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _members(item, kinds)


class Weighted:
    """What a layer and a model know of their weights."""

    # Attributes that hold weights or layers of others, which are not parts of this layer.
    _untracked: frozenset[str] = frozenset({"_calls", "_init_arguments", "_losses", "_own_trainable", "_own_fixed"})

    name: str
    built: bool

    def _init_weights(self, trainable: bool) -> None:
        self._trainable = bool(trainable)
        self._own_trainable: list[Variable] = []
        self._own_fixed: list[Variable] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        kind = type(self).__name__
        if "_own_trainable" not in self.__dict__:
            raise UnknownAttribute(
                f"{kind} has no attribute {name!r} yet; call super().__init__() first in {kind}.__init__"
            )
        if hasattr(type(self), name):
            # A property failed: what it raised says more than that the property is missing.
            return object.__getattribute__(self, name)
        guess = nearest(name, [n for n in (*dir(type(self)), *self.__dict__) if not n.startswith("_")])
        hint = f"; did you mean {guess!r}?" if guess else ""
        error = UnknownAttribute(f"{kind} {self.name!r} has no attribute {name!r}{hint}")
        error.name, error.obj = name, self
        raise error

    def _parts(self, *kinds: type) -> list[Any]:
        """The objects of these kinds among the attributes, each once, in the order in which they were set."""
        held = (v for name, v in self.__dict__.items() if type(v) not in _PLAIN and name not in self._untracked)
        found = (part for value in held for part in _members(value, kinds))
        return list({id(part): part for part in found if part is not self}.values())

    def _sublayers(self) -> list[Any]:
        """The layers that are attributes of this one."""
        return self._parts(Weighted)

    def _flatten_layers(self) -> list[Any]:
        """This layer and all layers inside it, each once, outer ones first."""
        found: dict[int, Any] = {}
        stack = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in found:
                found[id(layer)] = layer
                stack.extend(reversed(layer._sublayers()))
        return list(found.values())

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A new weight of this layer.

        shape:       sizes, all known; () if None
        initializer: name, object, config or function `(shape, dtype)`; glorot_uniform for floats, else zeros
        dtype:       the layer's own if None
        trainable:   whether optimizers change it
        autocast, aggregation: accepted as in Keras; weights keep their dtype and there is one process

        Raises ShapeError for sizes that are not known, and what the initializer raises.

        >>> import autograd_nn as ag
        >>> layer = ag.layers.Layer(name="mine")
        >>> layer.add_weight(shape=(2,), initializer="ones", name="gain").path
        'mine/gain'
        """
        sizes = self._check_weight_shape(shape, name)
        kind = as_dtype(self.variable_dtype if dtype is None else dtype)
        default = "glorot_uniform" if kind.kind == "f" else "zeros"
        make = initializers.get(default if initializer is None else initializer)
        if claim_weight(f"{self.name}/{name}", math.prod(sizes) * kind.itemsize):
            make = np.zeros
        value = make(sizes, dtype=kind)
        if tuple(value.shape) != sizes:
            raise ShapeError(
                f"layer {self.name!r}: initializer of {name!r} gave {tuple(value.shape)}, expected {sizes}"
            )
        variable = Variable(
            value, trainable=trainable, dtype=kind, name=name or "variable",
            regularizer=regularizers.get(regularizer), constraint=constraints.get(constraint),
        )  # fmt: skip
        variable.path = "/".join([*self._path(), variable.name or "variable"])
        variable.name = variable.path
        self._own(variable)
        return variable

    def _check_weight_shape(self, shape: Any, name: str | None) -> tuple[int, ...]:
        sizes = () if shape is None else (shape,) if hasattr(shape, "__index__") else tuple(shape)
        if any(not hasattr(size, "__index__") or size < 0 for size in sizes):
            raise ShapeError(
                f"layer {self.name!r}: weight {name!r} cannot have shape {short(shape)}; all sizes must be known"
            )
        return tuple(int(size) for size in sizes)

    def _path(self) -> list[str]:
        """The names of what is around this layer, models left out, and its own."""
        return [*path_around(self), self.name]

    def _own(self, variable: Variable) -> None:
        (self._own_trainable if variable.trainable else self._own_fixed).append(variable)
        if not self._trainable:
            _set_trainable(variable, False)

    def _own_variables(self, seeds: bool) -> list[Variable]:
        """The variables of this layer alone, trainable ones first, states of its random generators last."""
        owned = {id(v) for v in (*self._own_trainable, *self._own_fixed)}
        for variable in self._parts(Variable):
            if id(variable) not in owned:
                self._own(variable)
        states = [generator.state for generator in self._parts(random.SeedGenerator)] if seeds else []
        return [*self._own_trainable, *self._own_fixed, *states]

    def _variables_of_keras(self) -> list[Variable]:
        """What a file of Keras holds of this layer alone."""
        return self._own_variables(seeds=False)

    def _all_variables(self, seeds: bool) -> list[Variable]:
        found = (v for layer in self._flatten_layers() for v in layer._own_variables(seeds))
        return list({id(v): v for v in found}.values())

    @property
    def variables(self) -> list[Variable]:
        """All variables: weights and the states of random generators, outer layers first."""
        return self._all_variables(seeds=True)

    @property
    def weights(self) -> list[Variable]:
        """All weights: per layer the trainable ones, then the others; outer layers first."""
        return self._all_variables(seeds=False)

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that an optimizer changes; none while `trainable` is False."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that an optimizer leaves alone, states of random generators among them."""
        return [v for v in self.variables if not v.trainable] if self.trainable else self.variables

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that an optimizer changes; none while `trainable` is False."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that an optimizer leaves alone."""
        return [v for v in self.weights if not v.trainable] if self.trainable else self.weights

    @property
    def trainable(self) -> bool:
        """Whether the weights may be trained; setting it also sets it for all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if "_own_trainable" not in self.__dict__:
            raise UnknownAttribute(f"{type(self).__name__}: call super().__init__() before setting trainable")
        for layer in self._flatten_layers():
            layer._own_variables(seeds=False)
            layer._trainable = bool(value)
            for variable in layer._own_trainable:
                _set_trainable(variable, bool(value))

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights` as arrays, copies.

        >>> import autograd_nn as ag
        >>> layer = ag.layers.Dense(2)
        >>> layer.build((None, 3))
        >>> [w.shape for w in layer.get_weights()]
        [(3, 2), (2,)]
        """
        return [variable.numpy().copy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the values of `weights` by these arrays, in the same order.

        Raises ShapeError when number or shapes differ; nothing is changed then.

        >>> import autograd_nn as ag
        >>> layer = ag.layers.Dense(1, use_bias=False)
        >>> layer.build((None, 2))
        >>> layer.set_weights([[[1.0], [2.0]]])
        >>> layer([[1.0, 1.0]]).tolist()
        [[3.0]]
        """
        variables = self.weights
        if not isinstance(weights, (list, tuple)):
            raise ArgumentTypeError(f"set_weights of {self.name!r} expects a list of arrays, got {short(weights)}")
        if len(weights) != len(variables):
            hint = "" if self.built else "; it is not built yet: call it on data first"
            raise ShapeError(
                f"set_weights of {self.name!r}: expected {len(variables)} arrays, got {len(weights)}{hint}",
                "\n".join(f"{v.path} {v.shape}" for v in variables),
            )
        arrays = [to_array(value, v.dtype) for v, value in zip(variables, weights)]
        for variable, array in zip(variables, arrays):
            if array.shape != variable.shape:
                raise ShapeError(f"set_weights: {variable.path!r} has shape {variable.shape}, got {array.shape}")
        for variable, array in zip(variables, arrays):
            variable.assign(array)

    def count_params(self) -> int:
        """The number of elements of all weights; NotBuiltError before the layer is built.

        >>> import autograd_nn as ag
        >>> layer = ag.layers.Dense(2)
        >>> layer.build((None, 3))
        >>> layer.count_params()
        8
        """
        self._require_built("count_params")
        return sum(variable.size for variable in self.weights)

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise NotBuiltError(
                f"{what}: {self.name!r} is not built; call it on data, or build(input_shape), to make its weights"
            )

    @property
    def variable_dtype(self) -> str:
        raise NotImplementedError

    _is_model = False


def _set_trainable(variable: Variable, value: bool) -> None:
    variable.trainable = value
    variable.requires_grad = value and variable.dtype.kind == "f"


def freeze(variable: Variable) -> None:
    """Make a weight one that no optimizer changes."""
    _set_trainable(variable, False)


def check_positive_int(value: Any, what: str) -> int:
    """`value` as an int >= 1; ArgumentTypeError or InvalidArgument naming `what` for anything else."""
    if isinstance(value, (bool, str)) or not hasattr(value, "__index__"):
        raise ArgumentTypeError(f"{what} must be an int >= 1, got {short(value)}")
    if value < 1:
        raise InvalidArgument(f"{what} must be an int >= 1, got {short(value)}")
    return int(value)
