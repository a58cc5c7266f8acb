"""The variables of models and optimizers by names that are the same in every process, and arrays put into them."""

import re
import warnings
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..engine.variable import Variable
from ..errors import ShapeError, short
from ..layers.naming import snake_case
from ..random import SeedGenerator
from .atomic import shown

OPTIMIZER = "optimizer/"
_KEPT = ("optimizer",)
_SHOWN = 5


def named_variables(model: Any) -> dict[str, Variable]:
    """All weights and states of random generators of a model (or layer) by name, like "dense_1/kernel".

    A layer is called by its name, one whose name was made automatically by its class, numbered within the model: so
    the same code gives the same names, however many layers were made before. Shared layers appear once.

    >>> import autograd_nn as ag
    >>> model = ag.Sequential([ag.layers.Dense(2, input_shape=(3,)), ag.layers.Dense(1, use_bias=False)])
    >>> list(named_variables(model))
    ['dense/kernel', 'dense/bias', 'dense_1/kernel']
    """
    found: dict[str, Variable] = {}
    seen = {id(model)}
    weights: set[int] = set()
    stack = [(model, "")]
    while stack:
        layer, prefix = stack.pop()
        for name, variable, is_seed in _own(layer):
            # Two layers may draw from one generator; each then has its state.
            if is_seed or id(variable) not in weights:
                weights.add(id(variable))
                found[_unique(prefix + name, found)] = variable
        children = [(child, name) for child, name in _children(layer, top=not prefix) if id(child) not in seen]
        seen.update(id(child) for child, _ in children)
        stack.extend((child, f"{prefix}{name}/") for child, name in reversed(children))
    return found


def _own(layer: Any) -> list[tuple[str, Variable, bool]]:
    """The variables of a layer alone: last part of the name, variable, whether it is the state of a generator."""
    seeds = [generator.state for generator in layer._parts(SeedGenerator)]
    of_seeds = {id(variable) for variable in seeds}
    others = [v for v in layer._own_variables(seeds=True) if id(v) not in of_seeds]
    return [(v.path.rpartition("/")[2], v, False) for v in others] + [("seed_generator", v, True) for v in seeds]


def _children(layer: Any, top: bool) -> list[tuple[Any, str]]:
    taken: list[str] = list(_KEPT) if top else []
    found = []
    for child in layer._sublayers():
        name = _unique(_relative_name(child), taken)
        taken.append(name)
        found.append((child, name))
    return found


def _relative_name(layer: Any) -> str:
    """The name of a layer; without the number of an automatic one, which counts all layers of the process."""
    automatic = snake_case(type(layer).__name__)
    return automatic if re.fullmatch(re.escape(automatic) + r"(_\d+)?", layer.name) else layer.name


def _unique(name: str, taken: Collection[str]) -> str:
    number, found = 0, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def named_optimizer_variables(optimizer: Any, names: Mapping[str, Variable]) -> dict[str, Variable]:
    """The state of an optimizer by name, like "optimizer/dense/kernel/momentum".

    names: the variables of the model by name
    """
    of_weight = {id(variable): name for name, variable in names.items()}
    places: dict[int, str] = {}
    for k, weight in enumerate(optimizer._trainable_variables):
        name = of_weight.get(id(weight), weight.path)
        state = {**optimizer._state[k]}
        for what, variables in (("average", optimizer._averages), ("gradient_accumulator", optimizer._gathered)):
            if variables:
                state[what] = variables[k]
        places.update((id(variable), f"{name}/{what}") for what, variable in state.items())
    found: dict[str, Variable] = {}
    for variable in optimizer.variables:
        name = places.get(id(variable), variable.path.rpartition("/")[2])
        found[_unique(OPTIMIZER + name, found)] = variable
    return found


# --- arrays into variables


class Differences(NamedTuple):
    """How the arrays of a file differ from the variables they are meant for."""

    missing: list[str]
    extra: list[str]
    mismatched: list[str]

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.mismatched)

    def summary(self) -> str:
        """One line: how many of each, with the first."""
        groups = zip(("missing", "extra", "mismatched"), self)
        return ", ".join(
            f"{len(group)} {word} (first {group[0].partition(': file')[0]})" for word, group in groups if group
        )

    def details(self) -> str:
        """Lines with the first five of each."""
        groups = zip(("missing in the file", "extra in the file", "of another shape or dtype"), self)
        return "\n".join(_listed(word, group) for word, group in groups if group)


def _listed(word: str, group: list[str]) -> str:
    more = f", ... ({_SHOWN} of {len(group)})" if len(group) > _SHOWN else ""
    return f"{word}: {', '.join(group[:_SHOWN])}{more}"


def differences(variables: Mapping[str, Variable], arrays: Mapping[str, np.ndarray]) -> Differences:
    """What keeps `arrays` from being the values of `variables`."""
    return Differences(
        [short(name) for name in variables if name not in arrays],
        [short(name) for name in arrays if name not in variables],
        [
            f"{short(name)}: file {_spec(arrays[name])}, model {_spec(variable)}"
            for name, variable in variables.items()
            if name in arrays and not _fits(arrays[name], variable)
        ],
    )


def _spec(x: Any) -> str:
    return f"{tuple(x.shape)} {x.dtype}"


def _fits(array: np.ndarray, variable: Variable) -> bool:
    # Narrow floats that NumPy does not know itself have a kind of their own.
    floats = array.dtype.kind in "fV" and variable.dtype.kind == "f"
    return array.shape == variable.shape and (floats or np.can_cast(array.dtype, variable.dtype))


def assign_arrays(variables: Mapping[str, Variable], arrays: Mapping[str, np.ndarray]) -> None:
    """Give each variable the array of its name, where there is one that fits."""
    for name, variable in variables.items():
        if name in arrays and _fits(arrays[name], variable):
            variable.assign(arrays[name].astype(variable.dtype, copy=False))


def refuse(found: Differences, what: str, hint: str) -> ShapeError:
    """The error for weights of another architecture."""
    return ShapeError(f"{what}: {found.summary()}; {hint}", found.details())


def state_fits(
    optimizer: Any, slots: Mapping[str, Variable], arrays: Mapping[str, Any], path: str, skip_mismatch: bool
) -> bool:
    """Whether `arrays` are the state of an optimizer, whose variables `slots` are; a warning for that of another one.

    Raises ShapeError where only shapes differ, unless `skip_mismatch`.
    """
    found = differences(slots, arrays)
    if not arrays or not found:
        return bool(arrays)
    what = f"load_weights: the state of optimizer {optimizer.name!r} in {shown(path)}"
    if not (found.missing or found.extra or skip_mismatch):
        raise refuse(found, f"{what} does not fit", "pass skip_mismatch=True to leave it out")
    hint = (
        f"it is of another one: {found.summary()}"
        if optimizer.built
        else "to load it, call model.optimizer.build(model.trainable_variables) before"
    )
    warnings.warn(f"{what} is left out; {hint}", stacklevel=6)
    return False
