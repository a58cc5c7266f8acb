"""Module paths of older Keras, and of parts of Keras that are not here.

One table, one finder at the end of `sys.meta_path`: it is asked only for modules that no file of the package is, so
that importing the package costs nothing more. A module of the table has the names of a room of today.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ..errors import UnknownAttribute, deprecated
from . import merge

PACKAGE = __name__.partition(".")[0]

# Old path: the room that has its names now.
OLD = {
    "engine.base_layer": "layers", "engine.input_layer": "layers", "engine.sequential": "models",
    "engine.topology": "layers", "engine.training": "models", "initializations": "initializers",
    "layers.advanced_activations": "layers", "layers.convolutional": "layers",
    "layers.convolutional_recurrent": "layers", "layers.embeddings": "layers", "layers.experimental": "layers",
    "layers.experimental.preprocessing": "layers", "layers.local": "layers", "layers.merge": "layers",
    "objectives": "losses", "optimizers.legacy": "optimizers", "optimizers.optimizer_v2": "optimizers",
    "preprocessing.text": "legacy.text", "utils.data_utils": "utils", "utils.generic_utils": "utils",
    "utils.io_utils": "utils", "utils.layer_utils": "utils", "utils.np_utils": "utils", "utils.vis_utils": "utils",
    "utils.visualize_util": "utils",
}  # fmt: skip
_INSTEAD = {"preprocessing.text": "Keras 3 has no Tokenizer any more"}
# Paths that Keras still has.
KEPT = {
    "preprocessing": "utils", "preprocessing.image": "utils", "preprocessing.sequence": "utils",
}  # fmt: skip
# Files of this package that bear the name of a module of Keras, which had more in it.
WIDER = {
    "engine": "layers", "layers.attention": "layers", "layers.core": "layers", "layers.noise": "layers",
    "layers.normalization": "layers", "layers.pooling": "layers", "layers.recurrent": "layers",
    "layers.wrappers": "layers",
}  # fmt: skip
# Old name in a room: its name now.
NAMES = {
    "layers": {
        "AtrousConvolution1D": "Conv1D", "AtrousConvolution2D": "Conv2D", "CuDNNGRU": "GRU", "CuDNNLSTM": "LSTM",
        "Deconvolution2D": "Conv2DTranspose",
    },
    "utils": {"plot": "plot_model"},
    "losses": {"cosine_proximity": "cosine_similarity"},
}  # fmt: skip
ABSENT = {
    "applications": "there are no trained networks here; build one from layers and load its weights",
    "distribution": "everything runs on the CPU of one machine",
    "dtype_policies": "a layer computes in one dtype: pass dtype= or call config.set_floatx",
    "export": "a model is saved by model.save",
    "mixed_precision": "a layer computes in one dtype: pass dtype= or call config.set_floatx",
    "quantizers": "weights are floats here",
    "src": "names come from the public modules, as `keras.layers` for `keras.src.layers`",
    "wrappers": "there are no wrappers for scikit-learn",
}


class Gate(ModuleType):
    """A module that has the names of a room, and `merge` of Keras 1 where it is called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        inside = _inside(self.__name__)
        if f"{inside}.{name}" in OLD or f"{inside}.{name}" in KEPT:
            return importlib.import_module(f"{self.__name__}.{name}")
        room = _room({**OLD, **KEPT}[inside])
        found = _old_name(self.__name__, room, name, quiet=False)
        return getattr(room, name) if found is None else found

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _inside(self.__name__) != "layers.merge":
            raise TypeError(f"module {self.__name__!r} is not callable")
        return merge.merge(*args, **kwargs)


class _Finder(MetaPathFinder, Loader):
    """Finds and makes the modules of the table."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = _inside(fullname)
        if name in ABSENT:
            raise ImportError(f"{fullname} is not here: {ABSENT[name]}", name=fullname)
        if name not in OLD and name not in KEPT:
            return None
        package = any(other.startswith(f"{name}.") for other in (*OLD, *KEPT))
        return ModuleSpec(fullname, self, is_package=package)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Gate(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        name = _inside(module.__name__)
        if name in OLD:
            deprecated(module.__name__, _INSTEAD.get(name, f"use {PACKAGE}.{OLD[name]}"))


def accept_old_modules() -> None:
    """Let old module paths be imported, and give the rooms of today their old names."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
    for path, room in {**{room: room for room in NAMES}, **WIDER}.items():
        module = sys.modules[f"{PACKAGE}.{path}"]
        module.__getattr__ = _asked(module, room, module.__getattr__)  # type: ignore[method-assign]
    package = sys.modules[PACKAGE]
    package.__getattr__ = _telling_why(package.__getattr__)  # type: ignore[method-assign]


def _telling_why(ask: Callable[[str], Any]) -> Callable[[str], Any]:
    """`__getattr__` of the package, which says why a part of Keras is not here."""

    def __getattr__(name: str) -> Any:
        if name in ABSENT:
            raise UnknownAttribute(f"{PACKAGE}.{name} is not here: {ABSENT[name]}")
        return ask(name)

    return __getattr__


def _asked(module: ModuleType, room: str, ask: Callable[[str], Any]) -> Callable[[str], Any]:
    """`__getattr__` of a module whose old names are those of `room`; `ask` is what it had before."""

    def __getattr__(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        # `from x import y` asks twice; once is for nothing but to know whether there is a y.
        quiet = sys._getframe(1).f_code.co_name == "_handle_fromlist"
        found = _old_name(module.__name__, _room(room), name, quiet)
        if found is not None:
            return found
        if name not in vars(_room(room)):
            return ask(name)
        if not quiet:
            deprecated(f"{module.__name__}.{name}", f"use {PACKAGE}.{room}.{name}")
        return vars(_room(room))[name]

    return __getattr__


def _old_name(where: str, room: ModuleType, name: str, quiet: bool) -> Any:
    """What a room had under another name, None for other names."""
    inside = _inside(room.__name__)
    if inside == "layers" and name == "merge":
        return importlib.import_module(f"{PACKAGE}.layers.merge")
    new = NAMES.get(inside, {}).get(name)
    if new is None:
        return None
    if not quiet:
        deprecated(f"{where}.{name}", f"use {room.__name__}.{new}")
    return getattr(room, new)


def _room(path: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{path}")


def _inside(name: str) -> str:
    """The path inside of this package, empty for others."""
    return name.removeprefix(f"{PACKAGE}.") if name.startswith(f"{PACKAGE}.") else ""
