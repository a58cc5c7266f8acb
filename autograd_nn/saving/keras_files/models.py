"""Whole models as `.keras` files, and weights as `.weights.h5`, as Keras 3 writes and reads them."""

import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...engine.variable import Variable
from ...errors import ArgumentTypeError, ModelFileError, short
from ..atomic import check_writable, shown, write_whole
from ..container import opened
from ..keras_configs import from_keras, is_keras_config
from ..loading import check_sizes, metrics_bounded, weights_within
from ..model_files import check_built, explained, from_json, our_version, tells_how_it_was_compiled, to_json
from ..registry import PACKAGE, custom_object_scope, deserialize_keras_object, serialize_keras_object
from ..state import assign_arrays, differences, refuse, state_fits
from .archive import CONFIG, METADATA, WEIGHTS, archive_bytes, read_members
from .configs import to_keras
from .hdf5 import Places, array_places, hdf5_bytes, import_h5py, opened_hdf5, read_array
from .paths import OPTIMIZER, Saved, in_two_models, optimizer_variables, place, saved_layers, spread_common

# Whose form is written.
_KERAS = "3.15.1"
# Keras 2.13 to 2.15 call the list of layers so.
_OLD_LAYERS = "_layer_checkpoint_dependencies"
# A layer has some sixty settings, the deepest known models have a thousand layers.
_MOST_VALUES = 1 << 18
# Numbers of one byte may be read into weights of eight.
_MOST_GROWTH = 8


# --- saving


def save_keras_model(model: Any, path: str) -> None:
    """Write the model as a `.keras` file: configuration, weights, how it was compiled, the optimizer's state.

    Raises ArgumentTypeError for a model that such a file cannot describe.
    """
    import_h5py()
    check_writable(path)
    twice = in_two_models(model)
    if twice is not None:
        raise ArgumentTypeError(
            f"save: layer {twice.name!r} is part of two models inside of {model.name!r}, which Keras cannot open; save "
            "the weights alone, with save_weights"
        )
    metadata = {"keras_version": _KERAS, "written_by": f"autograd_nn {our_version()}"}
    members = {
        METADATA: json.dumps(metadata).encode(),
        CONFIG: to_json(to_keras(_model_config(model)), model).encode(),
        WEIGHTS: hdf5_bytes(_groups(model)),
    }
    write_whole(path, [archive_bytes(members)])


def save_keras_weights(model: Any, path: str) -> None:
    """Write the weights, and the state of the optimizer, as Keras does into `.weights.h5`."""
    import_h5py()
    check_writable(path)
    check_built(model, "save_weights")
    write_whole(path, [hdf5_bytes(_groups(model))])


def refuse_keras_weights(model: Any, path: str) -> None:
    """ModelFileError: a `.keras` file holds a whole model."""
    raise ModelFileError(
        f"save_weights: {shown(path)} would be a whole model; call save(...), or use a name that ends in .weights.h5"
    )


def _model_config(model: Any) -> dict[str, Any]:
    config = json.loads(to_json(serialize_keras_object(model), model))
    if model.graph is None:
        config["build_config"] = {"input_shape": model._build_shape()}
    if not tells_how_it_was_compiled(model):
        return config
    return {**config, "compile_config": json.loads(to_json(model.get_compile_config(), model))}


def _groups(model: Any) -> dict[str, tuple[str | None, list[np.ndarray]]]:
    """What the file holds, by path."""
    groups: dict[str, tuple[str | None, list[np.ndarray]]] = {
        saved.path: (saved.name, [v.numpy() for v in saved.variables]) for saved in saved_layers(model)
    }
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        arrays = [_as_theirs(v) for v in optimizer_variables(optimizer)]
        groups[OPTIMIZER] = (optimizer.name, arrays)
    return groups


def _as_theirs(variable: Variable) -> np.ndarray:
    """A value of an optimizer; its step is an int32 in Keras."""
    array = variable.numpy()
    return array.astype(np.int32) if array.dtype.kind == "i" else array


# --- loading


def load_keras_model(path: str, custom_objects: dict[str, Any] | None = None, compile: bool = True) -> Any:
    """The model of a `.keras` file, compiled as it was where that can be told."""
    import_h5py()
    with opened(path) as (file, size, _):
        members = read_members(file, size, path)
    config = _read_json(members[CONFIG], CONFIG, path)
    _check_version(_read_json(members[METADATA], METADATA, path), path)
    with opened_hdf5(members[WEIGHTS], path) as weights, custom_object_scope(custom_objects or {}):
        places = _places(weights, len(members[WEIGHTS]), path)
        with explained(path), weights_within(_MOST_GROWTH * len(members[WEIGHTS])):
            model = _make(config, path)
        _fill(_named(saved_layers(model)), _without_optimizer(places), path)
        if compile and config.get("compile_config"):
            with explained(path):
                _compile(model, config["compile_config"], places, path)
    return model


def load_keras_weights(model: Any, path: str, skip_mismatch: bool = False) -> None:
    """Replace the weights of a model (or layer) by those of a `.weights.h5` or `.keras` file; all or none.

    The state of the optimizer too, where the model has a built one and the file has its state.
    """
    import_h5py()
    check_built(model, "load_weights")
    with opened(path) as (file, size, _):
        if path.lower().endswith(".keras"):
            data = read_members(file, size, path)[WEIGHTS]
        else:
            data = file.read(size)
    names = _named(saved_layers(model))
    with opened_hdf5(data, path) as weights:
        every = _places(weights, len(data), path)
        places, state = _without_optimizer(every), _of_optimizer(every)
        found = differences(names, places)
        if found and not skip_mismatch:
            hint = "pass skip_mismatch=True to load what fits"
            raise refuse(found, f"load_weights: {shown(path)} does not fit {model.name!r}", hint)
        optimizer = getattr(model, "optimizer", None)
        slots = {} if optimizer is None else _named_slots(optimizer)
        restored = optimizer is not None and state_fits(optimizer, slots, state, path, skip_mismatch)
        arrays = _read(names, places, path)
        values = _read(slots, state, path) if restored else {}
    assign_arrays(names, arrays)
    if optimizer is not None and restored:
        assign_arrays(slots, values)
        spread_common(optimizer)
        optimizer.averages_are_in = False


def _named_slots(optimizer: Any) -> dict[str, Variable]:
    return {place(OPTIMIZER, k): variable for k, variable in enumerate(optimizer_variables(optimizer))}


def _named(layers: list[Saved]) -> dict[str, Variable]:
    return {name: variable for saved in layers for name, variable in saved.named().items()}


def _places(weights: Any, size: int, path: str) -> Places:
    return array_places(weights, size, path).renamed(_OLD_LAYERS, "layers")


def _without_optimizer(places: Places) -> Places:
    return places.only(lambda name: not name.startswith(f"{OPTIMIZER}/"))


def _of_optimizer(places: Places) -> Places:
    return places.only(lambda name: name.startswith(f"{OPTIMIZER}/"))


def _read(names: Mapping[str, Variable], places: Mapping[str, Any], path: str) -> dict[str, np.ndarray]:
    """The arrays that have the shape of their variable."""
    return {
        name: read_array(places[name], path)
        for name, variable in names.items()
        if name in places and places[name].shape == variable.shape
    }


def _fill(names: Mapping[str, Variable], places: Mapping[str, Any], path: str) -> None:
    found = differences(names, places)
    if found:
        raise ModelFileError(
            f"{shown(path)} does not fit its own configuration: {found.summary()}; is it whole?", found.details()
        )
    assign_arrays(names, _read(names, places, path))


def _read_json(data: bytes, name: str, path: str) -> dict[str, Any]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ModelFileError(f"{shown(path)} is broken: its {name} is no text") from None
    return from_json(text, name, path, _MOST_VALUES)


def _check_version(metadata: Mapping[str, Any], path: str) -> None:
    given = metadata.get("keras_version")
    if not isinstance(given, str) or given.split(".")[0] in ("1", "2"):
        raise ModelFileError(
            f"{shown(path)} was written by Keras {short(given)}, whose models are described in another way; open it "
            "with Keras 3 and save it again, or make the model and call load_weights on this file"
        )


def _make(config: dict[str, Any], path: str) -> Any:
    """The model of a config, built, without its values."""
    _refuse_code(config)
    check_sizes(config)
    model = deserialize_keras_object(from_keras(config) if is_keras_config(config) else config)
    if not getattr(model, "_is_model", False):
        raise ModelFileError(f"it describes {short(model)}, which is no model")
    shapes = (config.get("build_config") or {}).get("input_shape")
    if not model.built and shapes is not None:
        model.build(shapes)
    return model


def _refuse_code(config: Any) -> None:
    """ModelFileError where the config holds Python code."""
    stack = [config]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if item.get("class_name") == "__lambda__":
                raise ModelFileError(
                    "it holds the code of a Python function, which is never run; define the function with def, and "
                    "save and load the model with register_keras_serializable() or custom_objects={...}"
                )
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _compile(model: Any, how: dict[str, Any], places: Places, path: str) -> None:
    known = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "steps_per_execution")
    optimizer = how.get("optimizer")
    if isinstance(optimizer, dict) and optimizer.get("config", {}).get("learning_rate") == 0:
        # No optimizer can be made with a rate of 0, but one can be set to it; the array has it.
        how = {**how, "optimizer": {**optimizer, "config": {**optimizer["config"], "learning_rate": 1.0}}}
    # A compile_from_config of the user's own takes what its get_compile_config has told.
    if type(model).compile_from_config.__module__.startswith(f"{PACKAGE}."):
        how = {key: value for key, value in how.items() if key in known}
    with metrics_bounded():
        model.compile_from_config(from_keras(how))
    if model.optimizer is None:
        return
    names, own = _named_slots(model.optimizer), _of_optimizer(places)
    # An optimizer that was never used has no state for the weights yet.
    fresh = {place(OPTIMIZER, k) for k in range(len(model.optimizer.variables) - _count_of_slots(model.optimizer))}
    if set(own) in (set(names), fresh) and not differences(names, own).mismatched:
        assign_arrays(names, _read(names, own, path))
        spread_common(model.optimizer)
        return
    warnings.warn(
        f"{shown(path)}: the state of {model.optimizer.name!r} does not fit the weights that can be trained, so it "
        "starts anew; call compile(...) before saving whenever trainable was changed",
        stacklevel=5,
    )


def _count_of_slots(optimizer: Any) -> int:
    kept = [*optimizer._averages, *optimizer._gathered]
    return len(kept) + sum(map(len, optimizer._state))
