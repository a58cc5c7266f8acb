"""Operators, NumPy-named methods and NumPy's own functions on Tensor, all from the registry."""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import OPS
from ..engine.tensor import Tensor
from ..errors import DTypeError, ShapeError, short
from .aliases import ALIASES

_BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide", "mod": "mod",
    "pow": "power", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "left_shift", "rshift": "right_shift",
}  # fmt: skip
_COMPARE = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
_UNARY = {"neg": "negative", "pos": "positive", "abs": "abs", "invert": "bitwise_not"}

METHODS = (
    "all", "any", "argmax", "argmin", "argsort", "clip", "copy", "cumprod", "cumsum", "diagonal", "dot", "flatten",
    "max", "mean", "min", "prod", "ravel", "repeat", "reshape", "round", "squeeze", "std", "sum", "swapaxes", "take",
    "trace", "transpose", "var",
)  # fmt: skip


def install() -> None:
    """Give Tensor its operators and methods. Called once, after all ops are registered."""
    for dunder, name in _BINARY.items():
        function = _function(name)
        setattr(Tensor, f"__{dunder}__", function)
        setattr(Tensor, f"__r{dunder}__", _reflected(function))
    for dunder, name in {**_COMPARE, **_UNARY}.items():
        setattr(Tensor, f"__{dunder}__", _function(name))
    for name in METHODS:
        setattr(Tensor, name, _function(name))
    for name, attribute in _WRITTEN_OUT.items():
        setattr(Tensor, name, attribute)


def _function(name: str) -> Callable[..., Any]:
    call = OPS[name].call
    assert call is not None
    return call


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    def reflected(self: Tensor, other: Any) -> Tensor:
        return function(other, self)

    return reflected


def _equal(self: Tensor, other: Any) -> Any:
    return NotImplemented if _no_number(other) else _function("equal")(self, other)


def _not_equal(self: Tensor, other: Any) -> Any:
    return NotImplemented if _no_number(other) else _function("not_equal")(self, other)


def _no_number(other: Any) -> bool:
    """Whether `==` has to answer as Python does for unlike things."""
    return other is None or isinstance(other, (str, bytes, dict, set, type))


def _divmod(self: Any, other: Any) -> tuple[Tensor, Tensor]:
    return _function("floor_divide")(self, other), _function("mod")(self, other)


def _round(self: Tensor, digits: int | None = None) -> Tensor:
    return _function("round")(self, digits or 0)


def _transposed(self: Tensor) -> Tensor:
    """The tensor with its axes reversed."""
    return _function("transpose")(self)


def _matrix_transposed(self: Tensor) -> Tensor:
    """The tensor with its last two axes exchanged."""
    if self.ndim < 2:
        raise ShapeError(f"mT: needs at least two axes, got shape {self.shape}; use T")
    return _function("swapaxes")(self, -1, -2)


def _astype(self: Tensor, dtype: Any) -> Tensor:
    """The tensor with another dtype: `ops.cast`."""
    return _function("cast")(self, dtype)


def _conjugate(self: Tensor) -> Tensor:
    """The tensor with the sign of its imaginary part changed: `ops.conj`."""
    return _function("conj")(self)


# --- NumPy's ufuncs

# NumPy's name of a function where ours differs.
_RENAMED = {
    **ALIASES, "invert": "bitwise_not", "remainder": "mod", "rint": "round", "around": "round", "concat": "concatenate",
    "permute_dims": "transpose", "degrees": "rad2deg", "radians": "deg2rad",
}  # fmt: skip
_REDUCE = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
}  # fmt: skip
_ACCUMULATE = {"add": "cumsum", "multiply": "cumprod"}
_UFUNC_DEFAULTS = {
    "out": None, "where": True, "casting": "same_kind", "order": "K", "dtype": None, "subok": True, "signature": None,
    "initial": np._NoValue,
}  # fmt: skip


def _array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    rest = {name: value for name, value in kwargs.items() if not _is_default(value, _UFUNC_DEFAULTS.get(name, ...))}
    full_name = f"np.{ufunc.__name__}" if method == "__call__" else f"np.{ufunc.__name__}.{method}"
    if isinstance(rest.get("out"), tuple) and any(isinstance(out, Tensor) for out in rest["out"]):
        raise DTypeError(f"{full_name}: a Tensor is never written in place; leave out= away and use the result")
    if "out" in rest:
        raise DTypeError(f"{full_name}: cannot write a Tensor into an array; use the result, or pass t.numpy()")
    if method == "__call__" and not rest:
        return _divmod(*inputs) if ufunc is np.divmod else _counterpart(ufunc.__name__, full_name)(*inputs)
    table = {"reduce": _REDUCE, "accumulate": _ACCUMULATE}.get(method, {})
    if ufunc.__name__ in table and set(rest) <= {"axis", "keepdims"}:
        return _function(table[ufunc.__name__])(*inputs, **{"axis": 0, **rest})
    given = f" with {', '.join(rest)}=" if rest else ""
    raise DTypeError(f"{full_name}{given} does not take Tensors; use autograd_nn.ops, or pass t.numpy()")


def _is_default(value: Any, default: Any) -> bool:
    return value is default or isinstance(value, (str, bool, int, type(None))) and value == default


def _counterpart(name: str, full_name: str) -> Callable[..., Any]:
    op = OPS.get(_RENAMED.get(name, name))
    # Transforms give pairs here, not complex numbers.
    if op is None or op.call is None or full_name.startswith("np.fft."):
        raise DTypeError(f"{full_name} has no counterpart for Tensors; pass t.numpy() to leave the graph")
    return op.call


# --- NumPy's other functions

# They return no array, or one that nobody differentiates: they get the values.
_LEAVE_GRAPH = {
    "allclose", "array2string", "array_equal", "array_repr", "array_str", "copyto", "may_share_memory", "save",
    "savetxt", "savez", "savez_compressed", "shares_memory",
}  # fmt: skip
# Of the same name in NumPy's namespace and in numpy.linalg, where they mean another pair of axes.
_OTHER_AXES = {"diagonal", "trace"}
# NumPy's default where Keras has another, which ours is.
_DEFAULTS = {"take_along_axis": {"axis": -1}}
# NumPy's name of an argument where ours differs.
_ARGUMENTS = {
    "a_min": "x_min", "a_max": "x_max", "min": "x_min", "max": "x_max", "reps": "repeats", "x": "x1", "y": "x2",
}  # fmt: skip


def _array_function(self: Tensor, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    name = func.__name__
    full_name = f"{func.__module__.replace('numpy', 'np', 1)}.{name}"
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name](*args, **kwargs)
    if name in _LEAVE_GRAPH:
        return func(*_values(args), **_values(kwargs))
    if name in _OTHER_AXES and func.__module__ == "numpy.linalg":
        raise DTypeError(f"{full_name} does not take Tensors; use ops.{name}(t, axis1=-2, axis2=-1)")
    call = _counterpart(name, full_name)
    positional, named = _translated(func, call, full_name, args, kwargs)
    return call(*positional, **{**_DEFAULTS.get(name, {}), **named})


def _values(nest: Any) -> Any:
    """The nest with arrays in place of tensors."""
    if isinstance(nest, Tensor):
        return nest.numpy()
    if isinstance(nest, dict):
        return {key: _values(item) for key, item in nest.items()}
    return type(nest)(map(_values, nest)) if type(nest) in (list, tuple) else nest


@cache
def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def _translated(
    func: Any, call: Any, full_name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """NumPy's arguments as ours: names changed, defaults that ours lack left out, others refused."""
    theirs, ours = _signature(func), _signature(call)
    if theirs is None or ours is None:
        return list(args), {name: value for name, value in kwargs.items() if value is not None}
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for name, value in theirs.bind(*args, **kwargs).arguments.items():
        parameter = theirs.parameters[name]
        known = name if name in ours.parameters else _ARGUMENTS.get(name, "")
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            named.update(value)
        elif positional and known in ours.parameters:
            named[known] = value
        elif parameter.default is parameter.empty:
            positional.append(value)
        elif not (_is_default(value, parameter.default) or _is_default(value, _UFUNC_DEFAULTS.get(name, ...))):
            raise DTypeError(f"{full_name}: Tensors do not take {name}={short(value)}; leave it out, or pass t.numpy()")
    return positional, named


_ATTRIBUTES: dict[str, Callable[..., Any]] = {
    "shape": lambda a: as_tensor(a).shape,
    "ndim": lambda a: as_tensor(a).ndim,
    "size": lambda a, axis=None: as_tensor(a).size if axis is None else as_tensor(a).shape[axis],
    "result_type": lambda *given: np.result_type(*[t.dtype if isinstance(t, Tensor) else t for t in given]),
}

_WRITTEN_OUT: dict[str, Any] = {
    "__array_function__": _array_function,
    "__array_ufunc__": _array_ufunc,
    "__divmod__": _divmod,
    "__eq__": _equal,
    "__getitem__": lambda self, key: _function("getitem")(self, key),
    "__ne__": _not_equal,
    "__rdivmod__": _reflected(_divmod),
    "__round__": _round,
    "T": property(_transposed),
    "astype": _astype,
    "conj": _conjugate,
    "imag": property(lambda self: _function("imag")(self)),
    "mT": property(_matrix_transposed),
    "real": property(lambda self: _function("real")(self)),
}
