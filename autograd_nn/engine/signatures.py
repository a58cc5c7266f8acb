"""Calls that do not fit a signature: the error says which argument, and what was probably meant.

All of it happens after a call has failed, or once while an object is made; a call that fits costs nothing more.
"""

import inspect
import os
import re
from abc import ABCMeta
from collections.abc import Callable, Iterable, Sequence
from functools import cache, wraps
from numbers import Real
from typing import Any, NamedTuple, TypeVar

from ..errors import ArgumentTypeError, AutogradError, InvalidArgument, did_you_mean, short

F = TypeVar("F", bound=Callable[..., Any])
PACKAGE = __name__.partition(".")[0]
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
# Classes whose arguments had other names once, with what gives the arguments their names of today.
MODERN: dict[type, Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]] = {}


def parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """The named parameters of a method, without `self`."""
    return tuple(p for p in list(inspect.signature(function).parameters.values())[1:] if p.kind in _NAMED)


def init_parameters(cls: type) -> dict[str, inspect.Parameter]:
    """The arguments of `cls(...)`: those of its `__init__`, and of its bases' as far as **kwargs reach."""
    found: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        if base is object or "__init__" not in vars(base):
            continue
        found = {p.name: p for p in parameters(vars(base)["__init__"])} | found
        kinds = [p.kind for p in inspect.signature(vars(base)["__init__"]).parameters.values()]
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            break
    own = [p.name for p in parameters(cls.__init__)]  # type: ignore[misc]
    return {name: found[name] for name in dict.fromkeys((*own, *found)) if name in found}


def unknown_argument(what: str, names: Iterable[str], known: Iterable[str]) -> ArgumentTypeError:
    """The error for arguments that nobody takes."""
    known = tuple(known)
    first = next(iter(names))
    hint = did_you_mean(first, known) or f"; known: {', '.join(known) or 'none'}"
    return ArgumentTypeError(f"{what}: unknown argument {first!r}{hint}")


def misfit(
    what: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], known: Iterable[str] = ()
) -> ArgumentTypeError | None:
    """Why `function(*args, **kwargs)` cannot be called; None where it can.

    what:  how the message calls it
    known: names that the function takes through its **kwargs

    >>> import autograd_nn as ag
    >>> print(misfit("f", lambda units, rate=0: 0, (), {"unit": 3}))
    f: unknown argument 'unit'; did you mean 'units'?
    """
    if function is object.__init__:
        return unknown_argument(what, kwargs, known) if kwargs else ArgumentTypeError(f"{what} takes no arguments")
    every = list(inspect.signature(function).parameters.values())
    taken = [p for p in every if p.name not in ("self", "cls")]
    if inspect.isfunction(function) and len(taken) < len(every):
        args = args[1:]
    named = {p.name: p for p in taken if p.kind in _NAMED}
    places = [p.name for p in taken if p.kind in (inspect.Parameter.POSITIONAL_ONLY, _NAMED[0])]
    kinds = [p.kind for p in taken]
    unknown = [name for name in kwargs if name not in named and name not in known]
    if unknown and (inspect.Parameter.VAR_KEYWORD not in kinds or did_you_mean(unknown[0], known)):
        return unknown_argument(what, unknown, dict.fromkeys((*named, *known)))
    if len(args) > len(places) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        names = ", ".join(places) or "none"
        return ArgumentTypeError(f"{what} takes {len(places)} arguments by position ({names}), got {len(args)}")
    twice = [name for name in places[: len(args)] if name in kwargs]
    if twice:
        return ArgumentTypeError(f"{what}: argument {twice[0]!r} is given twice, by position and by name")
    given = {*places[: len(args)], *kwargs}
    missing = [name for name, p in named.items() if p.default is p.empty and name not in given]
    if missing:
        call = ", ".join(name for name, p in named.items() if p.default is p.empty)
        return ArgumentTypeError(f"{what}: argument {missing[0]!r} is missing; write {what}({call})")
    return None


def suggests(function: F, what: str = "") -> F:
    """Decorator: a call that does not fit raises ArgumentTypeError that names the argument and the nearest right one.

    what: how the message calls it, by its name unless given

    >>> import autograd_nn as ag
    >>> @suggests
    ... def train(epochs=1):
    ...     return epochs
    >>> try:
    ...     train(epoch=2)
    ... except TypeError as error:
    ...     print(error)
    train: unknown argument 'epoch'; did you mean 'epochs'?
    """

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            better = misfit_of(error, function, args, kwargs, what)
            if better is None:
                raise
            raise better from None

    return wrapped  # type: ignore[return-value]


def misfit_of(
    error: TypeError, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], what: str = ""
) -> ArgumentTypeError | None:
    """What to raise instead of `error`, caught by the very caller of `function`; None if it came from inside.

    what: how the message calls it, by its name unless given
    """
    inside = error.__traceback__ is not None and error.__traceback__.tb_next is not None
    return None if inside else misfit(what or function.__name__, function, args, kwargs)


def suggest_calls(space: dict[str, Any]) -> None:
    """Decorate the public functions that a module defines with `suggests`, once all are defined.

    space: its `globals()`
    """
    for name, item in list(space.items()):
        own = inspect.isfunction(item) and item.__module__ == space["__name__"]
        if own and not name.startswith("_") and not hasattr(item, "__wrapped__"):
            space[name] = suggests(item)


class Checked(ABCMeta):
    """The type of classes whose constructors name the argument that does not fit, and what was probably meant.

    Arguments of this library's own classes that are annotated as bool, str, int or float must be of that type, and
    what their `from_config` gets must be a config.
    """

    def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, Any], **options: Any) -> Any:
        method = space.get("from_config")
        if isinstance(method, classmethod) and space["__module__"].startswith(f"{PACKAGE}."):
            space = {**space, "from_config": classmethod(of_config(method.__func__))}
        return super().__new__(mcs, name, bases, space, **options)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if kwargs and cls in MODERN:
            args, kwargs = MODERN[cls](args, kwargs)
        try:
            made = super().__call__(*args, **kwargs)
        except AutogradError as error:
            _name_place(error, cls, args, kwargs)
            raise
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            _check_kinds(cls, args, kwargs)
            inside = error.__traceback__ is not None and error.__traceback__.tb_next is not None
            init = cls.__init__  # type: ignore[misc]
            better = None if inside else misfit(cls.__name__, init, (None, *args), kwargs, init_parameters(cls))
            better = better or _taken_twice(error, cls, kwargs)
            if better is not None:
                raise better from None
            raise
        _check_kinds(cls, args, kwargs)
        return made

    # Those of ABCMeta are slow, and there are no virtual subclasses here.
    __instancecheck__ = type.__instancecheck__
    __subclasscheck__ = type.__subclasscheck__

    @property
    def __signature__(cls) -> inspect.Signature:
        init = cls.__init__  # type: ignore[misc]
        own = [] if init is object.__init__ else list(inspect.signature(init).parameters.values())[1:]
        return inspect.Signature(own)


def of_config(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: `from_config`, before it becomes a classmethod, with errors that say what a config is."""

    @wraps(method)
    def from_config(cls: type, config: Any, *args: Any, **kwargs: Any) -> Any:
        what = f"{cls.__name__}.from_config expects a dict such as get_config() gives"
        if not isinstance(config, dict):
            raise ArgumentTypeError(f"{what}, got {short(config)}")
        try:
            return method(cls, config, *args, **kwargs)
        except AutogradError:
            raise
        except KeyError as error:
            if not _raised_here(error):
                raise
            raise InvalidArgument(f"{what}; {short(error.args[0])} is missing, got {short(config)}") from None
        except (TypeError, ValueError, AttributeError) as error:
            if not _raised_here(error):
                raise
            raise InvalidArgument(f"{what}, got {short(config)}") from error

    return suggests(from_config)


def _raised_here(error: Exception) -> bool:
    """Whether an error comes from the code of this library, and not from a class of the user."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and str(place.tb_frame.f_globals.get("__name__")).partition(".")[0] == PACKAGE


def _name_place(error: AutogradError, cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Put class and argument in front of a message that knows neither: `Dense: kernel_initializer: unknown ...`."""
    first = str(error).partition("\n")[0]
    if cls.__name__ in first or getattr(error, "placed", False):
        return
    given = {**dict(zip(_kinds(cls)[0], args)), **kwargs}
    guilty = [name for name, value in given.items() if value is not None and _blames(first, short(value))]
    error.place(": ".join([cls.__name__, *(name for name in guilty[:1] if name not in first)]))


def _blames(message: str, value: str) -> bool:
    """Whether a message is about that value: "unknown loss 'mes'; ...", "... must be an int, got 'a'"."""
    return re.search(rf"(got|unknown \w+) {re.escape(value)}($|[;,])", message) is not None


def _taken_twice(error: Exception, cls: type, kwargs: dict[str, Any]) -> ArgumentTypeError | None:
    """The error for an argument that a base class takes and this one gives it itself."""
    found = re.search(r"__init__\(\) got multiple values for (?:keyword )?argument '(\w+)'", str(error))
    if found is None or found[1] not in kwargs:
        return None
    return unknown_argument(cls.__name__, [found[1]], [name for name in init_parameters(cls) if name != found[1]])


def _check_kinds(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """ArgumentTypeError or InvalidArgument for the first argument of one of our classes that cannot be meant."""
    if not cls.__module__.startswith(f"{PACKAGE}."):
        return
    places, kinds = _kinds(cls)
    for name, value in (*zip(places, args), *kwargs.items()):
        kind, optional = kinds.get(name, (None, True))
        if value is None and optional or kind is None:
            continue
        if value is None or not kind.test(value):
            raise ArgumentTypeError(f"{cls.__name__}: {name} must be {kind.said}, got {short(value)}")
        least = _LEAST.get(name) if kind in (_INT, _FLOAT) else None
        if least is not None and value < least:
            raise InvalidArgument(f"{cls.__name__}: {name} must be {kind.said} >= {least}, got {short(value)}")


@cache
def _kinds(cls: type) -> tuple[tuple[str, ...], dict[str, tuple["_Kind", bool]]]:
    """The arguments by position; what those must be whose kind is known, and whether they may be None."""
    found = init_parameters(cls)
    places = tuple(p.name for p in parameters(cls.__init__) if p.kind is _NAMED[0])  # type: ignore[misc]
    kinds = {name: (_kind(p), _may_be_none(p)) for name, p in found.items()}
    return places, {name: (kind, optional) for name, (kind, optional) in kinds.items() if kind is not None}


def _kind(parameter: inspect.Parameter) -> "_Kind | None":
    if parameter.annotation is Any:
        return _BY_NAME.get(parameter.name)
    return next((kind for type_, kind in _BY_TYPE if parameter.annotation in (type_, type_ | None)), None)


def _may_be_none(parameter: inspect.Parameter) -> bool:
    named = parameter.annotation is Any and parameter.name == "axis"
    return parameter.default is None or named or "None" in str(parameter.annotation)


class _Kind(NamedTuple):
    """What an argument must be: in words, and as a test."""

    said: str
    test: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    number = isinstance(value, Real) and not isinstance(value, bool) or hasattr(value, "dtype") and value.ndim == 0
    return number and bool(value == value)


def _is_int(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _are(test: Callable[[Any], bool], value: Any) -> bool:
    """Whether all elements of a value pass, however deep they are nested."""
    if isinstance(value, (list, tuple, range)):
        return all(_are(test, item) for item in value)
    return getattr(value, "ndim", 0) > 0 and getattr(value.dtype, "kind", "") in "iuf" or test(value)


_INT = _Kind("an int", _is_int)
_FLOAT = _Kind("a number", _is_number)
_AXES = _Kind("an int or a tuple of ints", lambda value: _are(_is_int, value))
_NUMBERS = _Kind("a number or an array of numbers", lambda value: _are(_is_number, value))
_SIZES = _Kind(
    "a tuple of ints and None",
    lambda v: isinstance(v, (tuple, list)) and all(size is None or _is_int(size) for size in v),
)
_SEVERAL = _Kind("a list of numbers", lambda value: hasattr(value, "__len__") and _are(_is_number, value))
_CALLABLE = _Kind("a function", callable)
_PATH = _Kind("a path", lambda value: isinstance(value, (str, os.PathLike)))
_BY_TYPE: tuple[tuple[Any, _Kind], ...] = (
    (bool, _Kind("True or False", lambda v: isinstance(v, bool) or type(v).__name__ == "bool" or v in (0, 1))),
    (str, _Kind("a string", lambda value: isinstance(value, str))),
    (int, _INT),
    (float, _FLOAT),
    (int | tuple[int, ...] | list[int], _AXES),
    (Sequence[int], _SEVERAL),
    (Sequence[float], _SEVERAL),
    (Callable[..., Any], _CALLABLE),
    (str | os.PathLike[str], _PATH),
    (Iterable[str], _Kind("a list of names", lambda value: isinstance(value, (list, tuple, set, frozenset)))),
    (dict[str, Any], _Kind("a dict", lambda value: isinstance(value, dict))),
    (dict[int, int | None], _Kind("a dict of sizes by axis", lambda v: isinstance(v, dict) and all(map(_is_int, v)))),
)
# What arguments without a type of their own must be: Keras' names mean the same in every class.
_BY_NAME = {
    "alpha": _NUMBERS, "axis": _AXES, "input_axes": _AXES, "label_weights": _NUMBERS, "log_dir": _PATH,
    "mask": _Kind("a function or an array", lambda v: callable(v) or hasattr(v, "__array__")), "mean": _NUMBERS,
    "noise_shape": _SIZES, "offset": _NUMBERS, "output_axes": _AXES,
    "output_shape": _Kind("a size, sizes or a function", lambda v: callable(v) or _is_int(v) or _SIZES.test(v)),
    "renorm_clipping": _Kind("None", lambda value: False), "scale": _NUMBERS,
    "seed": _Kind("an int or a SeedGenerator", lambda v: _is_int(v) or hasattr(v, "state") or isinstance(v, dict)),
    "value": _Kind("a number or an array of numbers", lambda v: _are(_is_number, v) or isinstance(v, dict)),
    "shape": _SIZES, "variance": _NUMBERS,
    "weights": _Kind("a list of arrays", lambda v: hasattr(v, "__len__") and _are(_is_number, v)),
}  # fmt: skip
# The least value of arguments that count or measure.
_LEAST = {
    "patience": 0, "cooldown": 0, "start_from_epoch": 0, "verbose": 0, "stddev": 0, "min_lr": 0, "max_ndim": 0,
    "min_ndim": 0, "ndim": 0, "initial_learning_rate": 0, "end_learning_rate": 0, "decay_rate": 0, "warmup_target": 0,
    "max_value": 0, "min_value": 0, "min_delta": 0, "factor": 0, "rate": 0, "width": 1,
}  # fmt: skip
