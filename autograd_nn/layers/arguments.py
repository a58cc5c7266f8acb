"""Arguments of layers: what `__init__` knows, what `call` takes, and the errors for names that neither has."""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from ..engine.convert import as_tensor
from ..engine.signatures import init_parameters, parameters, unknown_argument
from ..engine.spec import BATCH, Dim, Spec, as_dtype, public_shape
from ..engine.tensor import Tensor, symbol
from ..engine.tree import flatten, tree_map
from ..engine.variable import Variable
from ..errors import ArgumentTypeError, short

_EMPTY = inspect.Parameter.empty
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def init_names(cls: type) -> tuple[str, ...]:
    """The argument names of `cls(...)`: those of its `__init__`, and of its bases' as far as **kwargs reach."""
    return tuple(init_parameters(cls))


def bind_init(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `cls(*args, **kwargs)` by name, as given; none where they do not fit: `Checked` says why."""
    signature = inspect.signature(cls.__init__)  # type: ignore[misc]
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError:
        # Copying makes an object without arguments, too.
        return {}
    given: dict[str, Any] = {}
    for name, value in list(bound.arguments.items())[1:]:
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            given.update(value)
        elif kind is not inspect.Parameter.VAR_POSITIONAL:
            given[name] = value
    return given


class CallSpec(NamedTuple):
    """What `call` of a layer class takes."""

    names: tuple[str, ...]
    most: int | None
    open: bool
    default_training: Any
    masks: bool


@cache
def call_spec(call: Callable[..., Any]) -> CallSpec:
    """The CallSpec of a `call` function."""
    found = parameters(call)
    kinds = [p.kind for p in inspect.signature(call).parameters.values()]
    most = None if inspect.Parameter.VAR_POSITIONAL in kinds else sum(p.kind is _NAMED[0] for p in found)
    names = tuple(p.name for p in found)
    training = next((p.default for p in found if p.name == "training" and p.default is not _EMPTY), None)
    takes_masks = any(name == "mask" or name.endswith("_mask") for name in names)
    return CallSpec(names, most, inspect.Parameter.VAR_KEYWORD in kinds, training, takes_masks)


def check_call(layer: str, spec: CallSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """ArgumentTypeError for more positional arguments than `call` takes, and for a name that it does not know."""
    if spec.most is not None and len(args) > spec.most:
        hint = "; pass several tensors as one list [a, b]" if all(hasattr(x, "__array__") for x in args) else ""
        raise ArgumentTypeError(f"layer {layer!r} takes ({', '.join(spec.names)}), got {len(args)} arguments{hint}")
    unknown = [name for name in kwargs if name not in spec.names and name != "training"]
    if unknown and not spec.open:
        raise unknown_argument(f"layer {layer!r}", unknown, dict.fromkeys((*spec.names, "training")))


@cache
def build_names(build: Callable[..., Any]) -> tuple[str, ...]:
    """The parameters of a `build` function, without self."""
    return tuple(p.name for p in parameters(build))


def shapes_of(nest: Any) -> Any:
    """The nest with its tensors replaced by their public shapes, anything else by None."""
    return tree_map(lambda x: public_shape(x.spec.shape) if isinstance(x, Tensor) else None, nest)


def is_shape(value: Any) -> bool:
    """Whether `value` is one shape: a tuple or list of sizes."""
    return isinstance(value, (tuple, list)) and all(size is None or hasattr(size, "__index__") for size in value)


def has_tensor(nest: Any) -> bool:
    return any(isinstance(x, Tensor) for x in flatten(nest)[0])


def first_layer_shape(kwargs: dict[str, Any], what: str) -> tuple[int | None, ...] | None:
    """The shape with batch axis that `input_shape=` and its kin give, None if they are absent."""
    for key in ("batch_input_shape", "batch_shape"):
        if kwargs.get(key) is not None:
            return tuple(kwargs[key])
    shape = kwargs.get("input_shape")
    if shape is None and kwargs.get("input_dim") is not None:
        length = kwargs.get("input_length")
        shape = (kwargs["input_dim"],) if length is None else (length, kwargs["input_dim"])
    if shape is None:
        return None
    if not is_shape(shape):
        raise ArgumentTypeError(f"{what}: input_shape must be a tuple of ints, such as (784,), got {short(shape)}")
    return (None, *shape)


def is_numbers(value: Any) -> bool:
    """Whether `value` is a number, or nested lists of numbers."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(is_numbers, value))
    return isinstance(value, (int, float))


def as_input(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.current() if isinstance(x, Variable) else x
    return as_tensor(x) if hasattr(x, "__array__") else x


def tensors_in(nest: Any) -> list[Tensor]:
    return [x for x in flatten(nest)[0] if isinstance(x, Tensor)]


def symbols_of(shape: Any, dtype: str) -> Any:
    """Tensors without values of these shapes; an unknown first size is the batch."""
    if is_shape(shape):
        sizes = [BATCH if k == 0 and size is None else Dim() if size is None else int(size)
                 for k, size in enumerate(shape)]  # fmt: skip
        return symbol(Spec(tuple(sizes), as_dtype(dtype)))
    if isinstance(shape, dict):
        return {key: symbols_of(item, dtype) for key, item in shape.items()}
    return None if shape is None else type(shape)(symbols_of(item, dtype) for item in shape)
