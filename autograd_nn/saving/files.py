"""Save and load models and weights: the ending of the name says which kind of file."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from ..engine.signatures import suggest_calls
from ..errors import (
    ArgumentTypeError,
    FileInTheWay,
    FolderInTheWay,
    InvalidArgument,
    MissingFile,
    ModelFileError,
    short,
)
from .atomic import as_path, shown
from .keras_files.models import (
    load_keras_model,
    load_keras_weights,
    refuse_keras_weights,
    save_keras_model,
    save_keras_weights,
)
from .model_files import load_model_file, load_weights_file, save_model_file, save_weights_file

OURS = ".safetensors"
KERAS = ".keras"


class Kind(NamedTuple):
    """What can be done with files of one ending; None where they hold no whole models."""

    save_model: Callable[[Any, str], None] | None
    load_model: Callable[[str, dict[str, Any] | None, bool], Any] | None
    save_weights: Callable[[Any, str], None]
    load_weights: Callable[[Any, str, bool], None]


# By ending, the longer of two that fit first.
KINDS: dict[str, Kind] = {
    OURS: Kind(save_model_file, load_model_file, save_weights_file, load_weights_file),
    KERAS: Kind(save_keras_model, load_keras_model, refuse_keras_weights, load_keras_weights),
    ".weights.h5": Kind(None, None, save_keras_weights, load_keras_weights),
}

_FOREIGN = {
    ".weights.h5": "a Keras weights file",
    ".h5": "a Keras HDF5 file",
    ".hdf5": "a Keras HDF5 file",
    ".pt": "a PyTorch file",
    ".pth": "a PyTorch file",
    ".pkl": "a pickle, which could run any code",
    ".pickle": "a pickle, which could run any code",
    ".npz": "a NumPy archive",
    ".onnx": "an ONNX file",
    ".json": "a configuration without weights, for models.model_from_json",
}


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None) -> None:
    """Write a model to one file: configuration, weights, how it was compiled, and the optimizer's state.

    Training goes on after `load_model` as it would have gone on without, bit for bit where `utils.set_random_seed` was
    called before. What metrics have gathered is not kept, since every epoch starts anew.

    filepath:  ends in ".safetensors", which any safetensors reader can read, or in ".keras", which Keras 3 opens and
               which needs h5py; the file is written whole or not at all
    overwrite: whether an existing file is replaced
    zipped:    accepted for Keras; a ".keras" file always is, a ".safetensors" file never

    Raises ArgumentTypeError for a model with parts that no configuration can name, such as a lambda; FileInTheWay (a
    FileExistsError) for an existing file with `overwrite=False`; ModelFileError for another ending; OSError where the
    file cannot be written.

    >>> import os, tempfile
    >>> import autograd_nn as ag
    >>> model = ag.Sequential([ag.layers.Dense(2, input_shape=(3,))])
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> ag.saving.save_model(model, path)
    >>> ag.saving.load_model(path).output_shape
    (None, 2)
    """
    path, kind = _to_write(filepath, overwrite, "save")
    if not getattr(model, "_is_model", False):
        raise ArgumentTypeError(f"save_model expects a model, got {short(model)}")
    if zipped is not None and bool(zipped) != path.lower().endswith(KERAS):
        raise InvalidArgument(f"save: a {OURS} file is never zipped, a {KERAS} file always; leave out zipped={zipped}")
    if kind.save_model is None:
        raise _unsupported(path, "model.save(...)")
    kind.save_model(model, path)


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model that `save_model`, or Keras 3 into a ".keras" file, wrote, compiled as it was.

    custom_objects: names of classes and functions that may be used beside the registered ones
    compile:        whether to compile it, with the optimizer's state
    safe_mode:      accepted for Keras; nothing in a file is ever imported or run

    If `utils.set_random_seed` was called where the file was written, and here not at all or with the same seed, random
    numbers go on as they would have gone on there.

    Raises ModelFileError for a file that is broken, foreign or too new, or that names unknown classes; MissingFile (a
    FileNotFoundError), FolderInTheWay (an IsADirectoryError) or NoRight (a PermissionError) where no file can be read.
    """
    path, kind = _to_read(filepath, "load_model")
    if kind.load_model is None:
        raise _unsupported(path, "load_model(...)")
    return kind.load_model(path, custom_objects, bool(compile))


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Write the weights of a built model, the states of its random generators, and that of its optimizer, to one file.

    filepath, overwrite: as in `save_model`

    Raises NotBuiltError for a model without weights yet, and what `save_model` raises for the file.
    """
    path, kind = _to_write(filepath, overwrite, "save_weights")
    kind.save_weights(model, path)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False) -> None:
    """Replace the weights of a built model by those of a file, from `save_weights` or `save_model`, here or in Keras 3.

    skip_mismatch: load what has the same name and shape, and leave the rest

    A compiled model also gets the state of its optimizer, if the file has one. As in Keras, that of an optimizer that
    was never used is left out with a warning; `optimizer.build(model.trainable_variables)` makes the place for it.

    Raises ShapeError, with what is missing, extra or of another shape, for weights of another architecture, and
    ModelFileError for a broken file; the model is unchanged then.

    >>> import os, tempfile
    >>> import autograd_nn as ag
    >>> path = os.path.join(tempfile.mkdtemp(), "dense.safetensors")
    >>> first, second = (ag.Sequential([ag.layers.Dense(2, input_shape=(3,))]) for _ in range(2))
    >>> ag.saving.save_weights(first, path)
    >>> ag.saving.load_weights(second, path)
    >>> bool((first.get_weights()[0] == second.get_weights()[0]).all())
    True
    """
    path, kind = _to_read(filepath, "load_weights")
    kind.load_weights(model, path, bool(skip_mismatch))


def check_ending(filepath: Any, whole_model: bool = True) -> None:
    """ModelFileError unless the ending is one that `save_model`, or else `save_weights`, can write.

    >>> check_ending("model.safetensors")
    """
    method = "save" if whole_model else "save_weights"
    path = as_path(filepath)
    if _kind_of(path, method).save_model is None and whole_model:
        raise _unsupported(path, "model.save(...)")


def _to_write(filepath: Any, overwrite: bool, method: str) -> tuple[str, Kind]:
    path = as_path(filepath)
    kind = _kind_of(path, method)
    if not overwrite and os.path.exists(path):
        raise FileInTheWay(f"{method}: {shown(path)} exists already; pass overwrite=True or another name")
    return path, kind


def _to_read(filepath: Any, method: str) -> tuple[str, Kind]:
    path = as_path(filepath)
    if os.path.isdir(path):
        raise FolderInTheWay(f"{method}: {shown(path)} is a folder; give the name of a model file in it")
    if not os.path.exists(path):
        raise MissingFile(f"{method}: there is no file {shown(path)}")
    return path, _kind_of(path, method)


def _kind_of(path: str, method: str) -> Kind:
    name = path.lower()
    for ending in sorted(KINDS, key=len, reverse=True):
        if name.endswith(ending):
            return KINDS[ending]
    raise _unsupported(path, f"{method}(...)")


def _unsupported(path: str, call: str) -> ModelFileError:
    name = path.lower()
    what = next((what for ending, what in _FOREIGN.items() if name.endswith(ending)), None)
    told = f"{shown(path)} is {what}" if what else f"{shown(path)} has no ending that says what it is"
    return ModelFileError(f"{call}: {told}; not supported: use a name that ends in {OURS} or {KERAS}")


suggest_calls(globals())
