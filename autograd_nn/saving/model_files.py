"""Whole models, and weights alone, as one safetensors file: arrays, and what they mean as JSON in the metadata."""

import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..engine.variable import Variable
from ..errors import ArgumentTypeError, AutogradError, ModelFileError, NotBuiltError, short
from ..random.seed import global_state, set_global_state
from .atomic import check_writable, shown
from .container import read_arrays, write_arrays
from .loading import check_sizes, metrics_bounded, weights_within
from .registry import PACKAGE, custom_object_scope, deserialize_keras_object, serialize_keras_object
from .sharing import numbering, sharing
from .state import (
    OPTIMIZER,
    assign_arrays,
    differences,
    named_optimizer_variables,
    named_variables,
    refuse,
    state_fits,
)

FORMAT = 1
HEAD = "autograd_nn"
_MOST_VALUES = 1 << 20
_MOST_NESTS = 1 << 18

Names = Mapping[str, Variable]


# --- saving


def save_model_file(model: Any, path: str) -> None:
    """Write the model: configuration, weights, how it was compiled, the optimizer's state, and the random states."""
    check_writable(path)
    names = named_variables(model)
    arrays = {name: variable.numpy() for name, variable in names.items()}
    with numbering():
        texts = {HEAD: _head("model"), "config": to_json(serialize_keras_object(model), model)}
    state = {"build": model._build_record(), **_trainable(model, names), "random": _random_state()}
    if tells_how_it_was_compiled(model):
        texts["compile"] = to_json(model.get_compile_config(), model)
        state.update(_compilation(model, names))
        if state.get("optimizer"):
            arrays.update((k, v.numpy()) for k, v in named_optimizer_variables(model.optimizer, names).items())
    write_arrays(path, arrays, {**texts, "state": to_json(state, model)})


def save_weights_file(model: Any, path: str) -> None:
    """Write the weights and random states of a model (or layer), and the state of its optimizer."""
    check_writable(path)
    check_built(model, "save_weights")
    names = named_variables(model)
    arrays = {name: variable.numpy() for name, variable in names.items()}
    texts = {HEAD: _head("weights")}
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and _trains_only(optimizer, names):
        arrays.update((k, v.numpy()) for k, v in named_optimizer_variables(optimizer, names).items())
        texts["state"] = json.dumps({"optimizer": {"averages_are_in": optimizer.averages_are_in}})
    write_arrays(path, arrays, texts)


def _trains_only(optimizer: Any, names: Names) -> bool:
    """Whether all weights of an optimizer are among these; the state for others has no place in a model's file."""
    own = {id(variable) for variable in names.values()}
    return all(id(variable) in own for variable in optimizer._trainable_variables)


def check_built(model: Any, what: str) -> None:
    """NotBuiltError for a layer or model without its weights; one that has no call has those of its layers."""
    parts = [] if not getattr(model, "_is_model", False) or model._has_call() else model._sublayers()
    if not model.built and not (parts and all(part.built for part in parts)):
        raise NotBuiltError(
            f"{what}: {model.name!r} is not built; call it on data, or build(input_shape), to make its weights"
        )


def our_version() -> str:
    return str(getattr(sys.modules[PACKAGE], "__version__", "unknown"))


def _head(kind: str) -> str:
    return json.dumps({"format": FORMAT, "version": our_version(), "kind": kind})


def to_json(data: Any, model: Any) -> str:
    try:
        return json.dumps(data, default=serialize_keras_object)
    except (TypeError, ValueError) as error:
        if isinstance(error, AutogradError):
            raise
        raise ArgumentTypeError(f"model {model.name!r}: its configuration cannot be written: {error}") from None


def _trainable(model: Any, names: Names) -> dict[str, Any]:
    """What may be trained now: a flag per layer, and the names of the variables that may not."""
    return {
        "layers": [layer._trainable for layer in model._flatten_layers()],
        "fixed": [name for name, variable in names.items() if not variable.trainable],
    }


def _random_state() -> dict[str, Any] | None:
    """The seed of the process and what was drawn from it; None without a seed, where nothing could be repeated."""
    state = global_state()
    return None if state["seed"] is None else {**state, "state": state["state"].tolist()}


def tells_how_it_was_compiled(model: Any) -> bool:
    """Whether the model is compiled, and `compile_from_config` can do it again; a warning where it cannot.

    It cannot for a `compile` of the user's own.
    """
    if not model.compiled:
        return False
    own = [
        method
        for method in ("compile", "get_compile_config")
        if not getattr(type(model), method).__module__.startswith(f"{PACKAGE}.")
    ]
    if own != ["compile"]:
        return True
    kind = type(model).__name__
    warnings.warn(
        f"{kind} has its own compile(); it is saved uncompiled: define get_compile_config and compile_from_config "
        f"in {kind}, or call compile(...) after loading",
        stacklevel=6,
    )
    return False


def _compilation(model: Any, names: Names) -> dict[str, Any]:
    """What of a compiled model neither its configuration nor its arrays say."""
    found: dict[str, Any] = {}
    flags = model._compiled.flags
    if flags is not None:
        with flags.applied():
            found["compiled"] = _trainable(model, names)
    optimizer = model.optimizer
    if optimizer is not None:
        of_variable = {id(variable): name for name, variable in names.items()}
        weights = [of_variable.get(id(v)) for v in optimizer._trainable_variables]
        found["optimizer"] = (
            None
            if not _trains_only(optimizer, names)
            else {
                "weights": weights if optimizer.built else None,
                "undecayed": [name for name, v in names.items() if not optimizer._decays(v)],
                "averages_are_in": optimizer.averages_are_in,
            }
        )
    return found


# --- loading


def load_model_file(path: str, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Any:
    """The model of a file, as it was when it was saved."""
    arrays, texts = read_arrays(path)
    _check_head(texts, path)
    config, state = from_json(texts.get("config"), "config", path), from_json(texts.get("state"), "state", path)
    with custom_object_scope(custom_objects or {}):
        with explained(path), weights_within(sum(array.nbytes for array in arrays.values())):
            model = _make(config, state)
        names = named_variables(model)
        _fill(names, _apart(arrays)[0], path)
        if compile and "compile" in texts:
            how = from_json(texts["compile"], "compile", path)
            with explained(path):
                _compile(model, how, state, names)
                _restore_optimizer(model, state.get("optimizer"), names, arrays, path)
    with explained(path):
        _set_trainable(model, state, names)
        _restore_random(state.get("random"))
    return model


def load_weights_file(model: Any, path: str, skip_mismatch: bool = False) -> None:
    """Replace the weights and random states of a model (or layer) by those of a file; all of them or none.

    The state of the optimizer too, where the model has a built one and the file has its state.
    """
    arrays, texts = read_arrays(path)
    check_built(model, "load_weights")
    names = named_variables(model)
    weights, state = _apart(arrays)
    found = differences(names, weights)
    if found and not skip_mismatch:
        hint = "pass skip_mismatch=True to load what fits"
        raise refuse(found, f"load_weights: {shown(path)} does not fit {model.name!r}", hint)
    optimizer = getattr(model, "optimizer", None)
    slots = {} if optimizer is None else named_optimizer_variables(optimizer, names)
    restored = optimizer is not None and state_fits(optimizer, slots, state, path, skip_mismatch)
    how = from_json(texts["state"], "state", path).get("optimizer") if restored and "state" in texts else None
    assign_arrays(names, weights)
    if optimizer is not None and restored:
        assign_arrays(slots, state)
        optimizer.averages_are_in = isinstance(how, dict) and how.get("averages_are_in") is True


def _apart(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The arrays of the model, and those of its optimizer."""
    state = {name: array for name, array in arrays.items() if name.startswith(OPTIMIZER)}
    return {name: array for name, array in arrays.items() if name not in state}, state


def _check_head(texts: Mapping[str, str], path: str) -> None:
    head = from_json(texts[HEAD], HEAD, path) if HEAD in texts else {}
    number, version, kind = head.get("format"), head.get("version"), head.get("kind")
    if isinstance(number, int) and number > FORMAT:
        raise ModelFileError(
            f"{shown(path)} was written by autograd_nn {short(version)}, this is {our_version()}, which cannot read "
            "it; install a newer one with pip install -U autograd-nn"
        )
    if kind != "model" or number != FORMAT:
        what = "holds weights" if kind in (None, "weights") else "is of an unknown kind"
        raise ModelFileError(
            f"{shown(path)} {what} and no model; make the model, build it, and call model.load_weights(...)"
        )


def from_json(text: str | None, what: str, path: str, most_values: int = _MOST_VALUES) -> dict[str, Any]:
    """A JSON object of the metadata, whose size in memory is bounded before it is read."""
    broken = f"{shown(path)} is broken: its {what}"
    if text is None:
        raise ModelFileError(f"{broken} is missing")
    if text.count("[") + text.count("{") > _MOST_NESTS or text.count(",") > most_values:
        raise ModelFileError(f"{broken} is too large")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelFileError(f"{broken} is no JSON") from None
    if not isinstance(found, dict):
        raise ModelFileError(f"{broken} is no JSON object")
    return found


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Whatever a configuration leads to is told as a fault of the file, in one line."""
    try:
        yield
    except MemoryError:
        raise ModelFileError(f"{shown(path)}: its configuration asks for more memory than there is") from None
    except AutogradError as error:
        first = str(error).partition("\n")[0]
        raise ModelFileError(f"{shown(path)}: {first}") from error
    except (Exception, RecursionError) as error:
        raise ModelFileError(
            f"{shown(path)}: its configuration cannot be followed: {type(error).__name__}: {short(str(error), 120)}"
        ) from error


def _make(config: dict[str, Any], state: dict[str, Any]) -> Any:
    """The model, built, without its values."""
    check_sizes(config)
    with sharing():
        model = deserialize_keras_object(config)
    if not getattr(model, "_is_model", False):
        raise ModelFileError(f"it describes {short(model)}, which is no model")
    if model.graph is None and state.get("build") is not None:
        model._build_as(state["build"])
    return model


def _fill(variables: Names, arrays: Mapping[str, np.ndarray], path: str) -> None:
    found = differences(variables, arrays)
    if found:
        raise ModelFileError(
            f"{shown(path)} does not fit its own configuration: {found.summary()}; was a class changed since?",
            found.details(),
        )
    assign_arrays(variables, arrays)


def _set_trainable(model: Any, state: Mapping[str, Any], names: Names) -> None:
    layers, flags = model._flatten_layers(), state["layers"]
    if len(layers) != len(flags):
        raise ModelFileError(f"it has {len(flags)} layers, its configuration makes {len(layers)}")
    for layer, flag in zip(layers, flags):
        layer._trainable = bool(flag)
    fixed = set(state["fixed"])
    for name, variable in names.items():
        variable.trainable = name not in fixed
        variable.requires_grad = variable.trainable and variable.dtype.kind == "f"


def _compile(model: Any, how: dict[str, Any], state: Mapping[str, Any], names: Names) -> None:
    """Compile as it was, with what was trainable then."""
    check_sizes(how)
    _set_trainable(model, state.get("compiled", state), names)
    optimizer = how.get("optimizer")
    if isinstance(optimizer, dict) and optimizer["config"].get("learning_rate") == 0:
        # No optimizer can be made with a rate of 0, but one can be set to it; the array has it.
        how = {**how, "optimizer": {**optimizer, "config": {**optimizer["config"], "learning_rate": 1.0}}}
    with metrics_bounded():
        model.compile_from_config(how)


def _restore_optimizer(
    model: Any, state: Mapping[str, Any] | None, names: Names, arrays: Mapping[str, np.ndarray], path: str
) -> None:
    if state is None or model.optimizer is None:
        return
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    optimizer.exclude_from_weight_decay([names[name] for name in state["undecayed"]])
    if state["weights"] is not None:
        optimizer.build([names[name] for name in state["weights"]])
    model.optimizer = optimizer
    _fill(named_optimizer_variables(optimizer, names), _apart(arrays)[1], path)
    optimizer.averages_are_in = bool(state["averages_are_in"])


def _restore_random(state: Mapping[str, Any] | None) -> None:
    """Draw on from where the saved process was; a seed that this process set itself, another one, is left alone."""
    if state is None:
        return
    words = np.array(state["state"], np.uint32)
    if type(state["seed"]) is not int or type(state["drawn"]) is not int or words.shape != (4,):
        raise ModelFileError(f"its random state is none: {short(state)}")
    if global_state()["seed"] in (None, state["seed"]):
        set_global_state({**state, "state": words})
