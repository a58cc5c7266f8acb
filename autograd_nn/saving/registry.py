"""The closed registry: which classes and functions a config may name, and how they become configs and come back.

A config is plain data: `{"module": ..., "class_name": ..., "config": {...}, "registered_name": ...}`, Keras' form.
A name in it is looked up here and nowhere else: nothing is imported because data says so.
"""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from .. import ops
from ..engine.op import OPS
from ..engine.signatures import suggests
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, UnknownName, did_you_mean, short
from .sharing import made_before, numbered, remember

PACKAGE = __name__.partition(".")[0]
T = TypeVar("T")

_BY_NAME: dict[str, Any] = {}
_NAME_OF: dict[Any, str] = {}
_CUSTOM: dict[str, Any] = {}
_SCOPE: ContextVar[dict[str, Any] | None] = ContextVar("custom_objects", default=None)


def register(package: str = PACKAGE, name: str | None = None) -> Callable[[T], T]:
    """Decorator: a class or function of this library that configs may name, kept under its room and name."""

    def decorate(target: T) -> T:
        room = ".".join(target.__module__.split(".")[:2]) if package == PACKAGE else package
        if inspect.isfunction(target):
            target = suggests(target)
        _enter(f"{room}>{name or target.__name__}", target)  # type: ignore[attr-defined]
        return target

    return decorate


@suggests
def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Decorator: makes a class with `get_config`, or a function, usable in configs of models.

    package, name: the key is "package>name"; name is the object's own unless given. Raises ArgumentTypeError for a
    class without `get_config`, InvalidArgument for a key that another object holds.

    >>> import autograd_nn as ag
    >>> @ag.saving.register_keras_serializable(package="docs")
    ... def double(x):
    ...     return x * 2
    >>> ag.saving.get_registered_name(double)
    'docs>double'
    """

    def decorate(target: T) -> T:
        if inspect.isclass(target) and not hasattr(target, "get_config"):
            raise ArgumentTypeError(f"cannot register class {target.__name__}: it has no get_config(self)")
        _enter(f"{package}>{name or target.__name__}", target)  # type: ignore[attr-defined]
        return target

    return decorate


def _enter(key: str, target: Any) -> None:
    held = _BY_NAME.get(key)
    # A class defined again in the same place (a notebook cell run twice) replaces itself.
    if held is not None and (held.__module__, held.__qualname__) != (target.__module__, target.__qualname__):
        raise InvalidArgument(f"{key!r} is registered already, for {short(held)}; choose another name")
    _BY_NAME[key] = target
    _NAME_OF[target] = key


@suggests
def get_registered_name(obj: Any) -> str:
    """The key under which a class or function is registered, its own name if it is not.

    >>> import autograd_nn as ag
    >>> ag.saving.get_registered_name(ag.layers.Dense)
    'autograd_nn.layers>Dense'
    """
    return _NAME_OF.get(obj, obj.__name__)


@suggests
def get_registered_object(name: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The class or function of that key or custom name, None if there is none.

    >>> import autograd_nn as ag
    >>> ag.saving.get_registered_object("autograd_nn.layers>Dense").__name__
    'Dense'
    """
    for known in (custom_objects, _SCOPE.get(), _CUSTOM, _BY_NAME):
        if known and name in known:
            return known[name]
    return None


@suggests
def get_custom_objects() -> dict[str, Any]:
    """The names that every deserialization knows beside the registered ones; a dict to be changed in place.

    >>> import autograd_nn as ag
    >>> ag.saving.get_custom_objects()
    {}
    """
    return _CUSTOM


@contextlib.contextmanager
def custom_object_scope(custom_objects: dict[str, Any]) -> Iterator[None]:
    """Inside, names in configs and strings may also mean these objects.

    >>> import autograd_nn as ag
    >>> with ag.saving.custom_object_scope({"double": lambda x: x * 2}):
    ...     layer = ag.layers.Dense(3, activation="double")
    """
    token = _SCOPE.set({**(_SCOPE.get() or {}), **custom_objects})
    try:
        yield
    finally:
        _SCOPE.reset(token)


CustomObjectScope = custom_object_scope


# --- to data


@suggests
def serialize_keras_object(obj: Any) -> Any:
    """`obj` as plain data: numbers, strings and None as they are, the rest as dicts that name a registered class.

    Takes objects with `get_config`, functions, arrays, dtypes, tuples, slices, lists and dicts of them.
    Raises ArgumentTypeError for anything else, and for a lambda, which has no name to be found by.

    >>> import autograd_nn as ag
    >>> ag.saving.serialize_keras_object(ag.regularizers.L2(0.5))["config"]
    {'l2': 0.5}
    """
    if obj is None or isinstance(obj, (str, bool, int, float)):
        return obj
    if isinstance(obj, dict):
        return {_text_key(key): serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, list):
        return [serialize_keras_object(item) for item in obj]
    special = _serialize_special(obj)
    if special is not None:
        return special
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        return numbered(obj, _entry(type(obj), type(obj).__name__, obj.get_config()))
    if callable(obj) and not inspect.isclass(obj):
        return _entry(obj, "function", _function_name(obj))
    raise ArgumentTypeError(f"cannot write {short(obj)} into a config: {type(obj).__name__} has no get_config")


def _text_key(key: Any) -> str:
    if not isinstance(key, str):
        raise ArgumentTypeError(f"cannot write a dict with key {short(key)} into a config; keys must be strings")
    return key


def _serialize_special(obj: Any) -> dict[str, Any] | None:
    if isinstance(obj, tuple):
        return _special("__tuple__", [serialize_keras_object(item) for item in obj])
    if isinstance(obj, slice):
        return _special("__slice__", [serialize_keras_object(part) for part in (obj.start, obj.stop, obj.step)])
    if obj is Ellipsis:
        return _special("__ellipsis__", None)
    if isinstance(obj, np.dtype):
        return _special("__dtype__", obj.name)
    if isinstance(obj, (np.ndarray, np.generic, Tensor)) and not hasattr(obj, "get_config"):
        array = np.asarray(obj)
        return _special("__array__", {"value": array.tolist(), "dtype": array.dtype.name, "shape": list(array.shape)})
    return None


def _special(class_name: str, config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def _entry(target: Any, class_name: str, config: Any) -> dict[str, Any]:
    key = _NAME_OF.get(target)
    room = key.partition(">")[0] if key else None
    built_in = room is not None and room.split(".")[0] == PACKAGE
    return {
        "module": room if built_in else getattr(target, "__module__", None),
        "class_name": class_name,
        "config": config,
        "registered_name": None if built_in else key or target.__name__,
    }


def _function_name(function: Any) -> str:
    name = getattr(function, "__name__", "<lambda>")
    if name == "<lambda>" or "<locals>" in getattr(function, "__qualname__", "") and function not in _NAME_OF:
        raise ArgumentTypeError(
            f"cannot write function {name!r} into a config: it has no name to be found by; define it with def and "
            "decorate it with register_keras_serializable()"
        )
    return name


# --- from data


@suggests
def deserialize_keras_object(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The object that `serialize_keras_object` made `config` from.

    custom_objects: names that may be used beside the registered ones.
    Raises UnknownName for a name that is not registered, with the nearest known one.

    >>> import autograd_nn as ag
    >>> config = ag.saving.serialize_keras_object(ag.regularizers.L2(0.5))
    >>> float(ag.saving.deserialize_keras_object(config).l2)
    0.5
    """
    if custom_objects:
        with custom_object_scope(custom_objects):
            return deserialize_keras_object(config)
    if isinstance(config, list):
        return [deserialize_keras_object(item) for item in config]
    if not isinstance(config, dict):
        return config
    if not {"class_name", "config"} <= set(config):
        return {key: deserialize_keras_object(value) for key, value in config.items()}
    special = _SPECIAL.get(config["class_name"])
    if special is not None:
        return special(config["config"])
    found = made_before(config)
    return remember(config, _construct(_find(config), config["config"])) if found is None else found


def _find(config: dict[str, Any]) -> Any:
    """The class or function that a config names."""
    class_name, inner = config["class_name"], config["config"]
    name = inner if class_name == "function" else class_name
    module = str(config.get("module") or "")
    for key in (config.get("registered_name"), name, f"{module}>{name}"):
        found = get_registered_object(key) if isinstance(key, str) else None
        if found is not None:
            return found
    if class_name == "function" and isinstance(name, str) and module.split(".")[:2] == [PACKAGE, "ops"] and name in OPS:
        return getattr(ops, name)
    names = [known for known in (key.partition(">")[2] for key in _BY_NAME) if known != name]
    guess = did_you_mean(name, names)
    label = name if isinstance(name, str) and name.isidentifier() else "..."
    hint = f"{guess} If not, " if guess else "; "
    raise UnknownName(
        f"config names {short(name)}, which is not registered{hint}pass custom_objects={{{short(name)}: {label}}}"
    )


def _construct(target: Any, config: Any) -> Any:
    if not inspect.isclass(target):
        return target
    if hasattr(target, "from_config"):
        return target.from_config(config)
    return target(**{key: deserialize_keras_object(value) for key, value in config.items()})


_SPECIAL: dict[str, Callable[[Any], Any]] = {
    "__tuple__": lambda items: tuple(map(deserialize_keras_object, items)),
    "__slice__": lambda parts: slice(*map(deserialize_keras_object, parts)),
    "__ellipsis__": lambda _: Ellipsis,
    "__dtype__": np.dtype,
    "__array__": lambda data: np.array(data["value"], data["dtype"]).reshape(data["shape"]),
}


# --- what `get` functions share


def resolve(identifier: Any, known: dict[str, Any], what: str) -> Any:
    """What a user means by `identifier` where a `what` ("activation", "optimizer", ...) is expected.

    None stays None. A string names a custom object or an entry of `known`; a class found so is made with its
    defaults. A dict is a config. Instances and functions are returned as they are.
    Raises UnknownName for other strings, ArgumentTypeError for a class and for other types.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        return _make(_named(identifier, known, what))
    if isinstance(identifier, dict):
        return _from_config(identifier, known, what)
    if inspect.isclass(identifier):
        raise ArgumentTypeError(f"{what}: got class {identifier.__name__}; write {identifier.__name__}(...)")
    if callable(identifier) or isinstance(identifier, tuple(set(filter(inspect.isclass, known.values())))):
        return identifier
    raise ArgumentTypeError(f"{what} must be a name, a function, an object or a config, got {short(identifier)}")


def _named(name: str, known: dict[str, Any], what: str) -> Any:
    found = get_registered_object(name) or known.get(name)
    if found is None:
        names = sorted(known)
        listed = did_you_mean(name, known) or f"; known: {', '.join(names)}"
        raise UnknownName(f"unknown {what} {short(name)}{listed}", f"known: {', '.join(names)}")
    return found


def _make(found: Any) -> Any:
    return found() if inspect.isclass(found) else found


def _from_config(config: dict[str, Any], known: dict[str, Any], what: str) -> Any:
    if not {"class_name", "config"} <= set(config):
        raise InvalidArgument(f"{what}: a config has the keys 'class_name' and 'config', got {short(config)}")
    name = config["config"] if config["class_name"] == "function" else config["class_name"]
    if config.get("registered_name") is None and name in known:
        return _construct(known[name], config["config"])
    return deserialize_keras_object(config)
