"""Tensors made from nothing but shapes and numbers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor, to_array
from ..engine.op import Bad, Domain, Sample
from ..engine.signatures import suggest_calls
from ..engine.spec import Dim, Spec, as_dtype, default_float, normal_axis, promote, scalar_dtype
from ..engine.tensor import Tensor, record
from ..errors import DTypeError, InvalidArgument, ShapeError, short
from .domain import DATES, cases
from .elementwise import cast
from .family import composite, primitive
from .reduction import size_of
from .shape import broadcast_infer, full_sizes, moveaxis, value_shape


def _like_domain() -> Domain:
    return cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)),), {}, False),
            Sample((rng.normal(size=()), "int32"), {}, False),
            Sample((np.ones((0, 2), bool),), {}, False),
        ],
        lambda: [
            Bad((np.ones(2), "complex64"), {}, TypeError),
            Bad((np.array(["a"]),), {}, TypeError),
            Bad(([[1.0], [1.0, 2.0]],), {}, ValueError),
        ],
    )


def _filled(number: int, name: str) -> Callable[..., Any]:
    """The decorator of `zeros_like` and `ones_like`."""
    return primitive(
        eval=lambda x, dtype: np.full(np.shape(x), number, dtype),
        infer=lambda x, dtype: Spec(x.shape, dtype),
        emit=f"fill:{number}",
        domain=_like_domain(),
        family="creation",
        name=name,
        complex=True,
    )


def _like(op: Any, x: Any, dtype: Any) -> Tensor:
    x = as_tensor(x)
    return record(op, (x,), {"dtype": x.dtype if dtype is None else as_dtype(dtype)})


@_filled(0, "zeros_like")
def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Zeros of the shape of x, and of its dtype unless another is given.

    >>> import autograd_nn as ag
    >>> ag.ops.zeros_like([1.0, 2.0]).tolist()
    [0.0, 0.0]
    """
    return _like(zeros_like.op, x, dtype)


@_filled(1, "ones_like")
def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Ones of the shape of x, and of its dtype unless another is given.

    >>> import autograd_nn as ag
    >>> ag.ops.ones_like([5, 6]).tolist()
    [1, 1]
    """
    return _like(ones_like.op, x, dtype)


@composite(
    reference=None,
    order=0,
    domain=_like_domain(),
)
def empty_like(x: Any, dtype: Any = None) -> Tensor:
    """A tensor of the shape and dtype of x whose values mean nothing; they are zeros, so that runs repeat.

    >>> import autograd_nn as ag
    >>> ag.ops.empty_like([1.0, 2.0]).shape
    (2,)
    """
    return zeros_like(x, dtype)


@composite(
    reference=np.full_like,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(2, 3)), rng.normal(size=()))), Sample((np.ones((0, 2)), rng.normal(size=2))),
            Sample((rng.normal(size=()), 3), {"dtype": "int32"}, False),
        ],
        lambda: [
            Bad((np.ones(2), np.ones(3)), {}, ValueError), Bad((np.ones(2), "a"), {}, TypeError),
            Bad((np.ones(2), 1.0), {"dtype": "complex64"}, TypeError),
        ],
    ),
)  # fmt: skip
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """fill_value everywhere in the shape of x, with its dtype unless another is given.

    fill_value: a number, or a tensor that broadcasts to x; gradients flow to it.

    >>> import autograd_nn as ag
    >>> ag.ops.full_like([1.0, 2.0], 5).tolist()
    [5.0, 5.0]
    """
    x = as_tensor(x)
    return full(shape(x), fill_value, x.dtype if dtype is None else dtype)


# --- from a shape


@primitive(
    eval=lambda value, *dynamic, shape: np.full(value_shape(shape, dynamic), value, value.dtype),
    infer=broadcast_infer,
    vjp=lambda g, y, value, *dynamic, shape: (g, *[None] * len(dynamic)),
    emit="broadcast",
    domain=cases(
        lambda rng: [
            Sample(((2, 3), rng.normal(size=()))), Sample(((), rng.normal(size=()))),
            Sample(((0, 3), rng.normal(size=3))), Sample(((2, 3), rng.normal(size=(2, 1)))),
            Sample((4, 7), {"dtype": "int32"}, False),
        ],
        lambda: [
            Bad(((2,), np.ones(3)), {}, ValueError), Bad(((-1,), 1.0), {}, ValueError),
            Bad(((2.5,), 1.0), {}, TypeError), Bad(((2,), 1.0), {"dtype": "complex64"}, TypeError),
        ],
    ),
    family="broadcast",
)  # fmt: skip
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """A tensor of that shape with fill_value everywhere.

    shape: an int, ints, or scalar integer tensors for sizes not known yet. fill_value: a number, or a tensor that
    broadcasts to the shape; gradients flow to it. dtype: that of fill_value if None.

    >>> import autograd_nn as ag
    >>> ag.ops.full((2, 2), 7).tolist()
    [[7, 7], [7, 7]]
    """
    sizes, dynamic = full_sizes(shape, "full")
    value = as_tensor(fill_value) if dtype is None else cast(fill_value, dtype)
    return record(full.op, (value, *dynamic), {"shape": sizes})


def _shape_domain() -> Domain:
    return cases(
        lambda rng: [
            Sample(((2, 3),), {}, False), Sample(((),), {}, False), Sample((4,), {"dtype": "int32"}, False),
            Sample(((0, 3), "bool"), {}, False),
        ],
        lambda: [
            Bad(((-1,),), {}, ValueError), Bad(((2.5,),), {}, TypeError), Bad(("a",), {}, TypeError),
            Bad(((2,), "complex64"), {}, TypeError), Bad(((None, 2),), {}, ValueError),
        ],
    )  # fmt: skip


def float_or(dtype: Any) -> np.dtype[Any]:
    """The dtype asked for, or the default float."""
    return default_float() if dtype is None else as_dtype(dtype)


@composite(reference=np.zeros, domain=_shape_domain(), order=0)
def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """Zeros of that shape, of the default float dtype unless another is given.

    shape: an int, ints, or scalar integer tensors for sizes not known yet.

    >>> import autograd_nn as ag
    >>> ag.ops.zeros((2, 2)).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    return full(shape, 0, float_or(dtype))


@composite(reference=np.ones, domain=_shape_domain(), order=0)
def ones(shape: Any, dtype: Any = None) -> Tensor:
    """Ones of that shape, of the default float dtype unless another is given.

    shape: an int, ints, or scalar integer tensors for sizes not known yet.

    >>> import autograd_nn as ag
    >>> ag.ops.ones(3, "int32").tolist()
    [1, 1, 1]
    """
    return full(shape, 1, float_or(dtype))


@composite(reference=None, domain=_shape_domain(), order=0)
def empty(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of that shape whose values mean nothing; they are zeros, so that runs repeat.

    >>> import autograd_nn as ag
    >>> ag.ops.empty((2, 3)).shape
    (2, 3)
    """
    return full(shape, 0, float_or(dtype))


# --- ranges


def _filled_bounds(bounds: tuple[Any, ...], dynamic: tuple[Any, ...]) -> list[Any]:
    given = iter(dynamic)
    return [next(given) if bound is None else bound for bound in bounds]


def _arange(*dynamic: Any, bounds: tuple[Any, ...], dtype: Any) -> Any:
    start, stop, step = _filled_bounds(bounds, dynamic)
    return np.arange(start, stop, step, dtype)  # type: ignore[call-overload]


def _arange_infer(*dynamic: Spec, bounds: tuple[Any, ...], dtype: Any) -> Spec:
    if not dynamic:
        start, stop, step = bounds
        return Spec((max(0, math.ceil((stop - start) / step)),), dtype)
    stop = dynamic[0]
    counts_up = bounds == (0, None, 1) and stop.dim is not None
    return Spec((stop.dim if counts_up and stop.dim else Dim(),), dtype)


@primitive(
    eval=_arange,
    infer=_arange_infer,
    emit="range",
    domain=cases(
        lambda rng: [
            Sample((5,), {}, False), Sample((2, 9, 3), {}, False), Sample((3, 0, -1), {}, False),
            Sample((0,), {}, False), Sample((0.0, 1.0, 0.25), {"dtype": "float64"}, False),
            Sample((4,), {"dtype": "float32"}, False),
        ],
        lambda: [
            Bad((1, 5, 0), {}, ValueError), Bad(("a",), {}, TypeError), Bad((np.ones(2),), {}, ValueError),
            Bad((3,), {"dtype": "complex64"}, TypeError),
        ],
    ),
    family="creation",
)  # fmt: skip
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """start, start + step, ... up to but without stop; from 0 where only one bound is given, by 1 without a step.

    start, stop, step: numbers, or scalar tensors, also without a value yet. dtype: int64 for ints, else the default
    float dtype. Raises InvalidArgument for a step of 0.

    >>> import autograd_nn as ag
    >>> ag.ops.arange(2, 8, 3).tolist()
    [2, 5]
    """
    by = 1 if step is None else step
    given = (0, start, by) if stop is None else (start, stop, by)
    bounds: list[Any] = []
    dynamic: list[Tensor] = []
    for name, bound in zip(("start", "stop", "step"), given):
        scalar = _scalar(bound, f"arange: {name}")
        bounds.append(None if scalar.is_symbolic else scalar.item())
        if scalar.is_symbolic:
            dynamic.append(scalar)
    if bounds[2] == 0:
        raise InvalidArgument("arange: step must not be 0")
    target = _range_dtype(given) if dtype is None else as_dtype(dtype)
    return record(arange.op, tuple(dynamic), {"bounds": tuple(bounds), "dtype": target})


def _scalar(value: Any, what: str) -> Tensor:
    t = as_tensor(value)
    if t.ndim:
        raise ShapeError(f"{what} must be a single number, got shape {t.shape}")
    return t


def _range_dtype(bounds: tuple[Any, ...]) -> np.dtype[Any]:
    """The common dtype, which Python numbers never widen."""
    kinds = [type(bound) for bound in bounds]
    tensors = [as_tensor(bound).dtype for bound, kind in zip(bounds, kinds) if kind not in (int, float)]
    common = promote(*tensors) if tensors else None
    return scalar_dtype(float if float in kinds else int, common)


@composite(
    reference=np.linspace,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=()), rng.normal(size=()), 5)),
            Sample((rng.normal(size=(2, 3)), rng.normal(size=3), 4), {"axis": -1}),
            Sample((rng.normal(size=2), rng.normal(size=2), 3), {"endpoint": False}),
            Sample((rng.normal(size=()), rng.normal(size=()), 1)), Sample((rng.normal(size=2), rng.normal(size=2), 0)),
        ],
        lambda: [
            Bad((0.0, 1.0, -1), {}, ValueError), Bad((0.0, 1.0, 2.5), {}, TypeError), Bad(("a", 1.0), {}, TypeError),
            Bad((np.ones(2), np.ones(3)), {}, ValueError), Bad((0.0, 1.0), {"axis": 3}, ValueError),
        ],
    ),
)  # fmt: skip
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """num evenly spaced numbers from start to stop, along a new axis; gradients flow to both ends.

    start, stop: numbers or tensors that broadcast. endpoint: whether stop is the last one. retstep: return the distance
    of two neighbours, too.

    >>> import autograd_nn as ag
    >>> ag.ops.linspace(0.0, 1.0, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    if not hasattr(num, "__index__") or isinstance(num, bool):
        raise DTypeError(f"linspace: num must be an int, got {short(num)}")
    if num < 0:
        raise InvalidArgument(f"linspace: num must be >= 0, got {num}")
    a, b = as_tensor(start), as_tensor(stop)
    kind = promote(a.dtype, b.dtype)
    kind = kind if kind.kind == "f" else default_float()
    steps = max(num - 1 if endpoint else num, 1)
    ndim = max(a.ndim, b.ndim)
    part = as_tensor((np.arange(num) / steps).reshape(-1, *[1] * ndim).astype(kind))
    line = moveaxis(cast(a, kind) * (1 - part) + cast(b, kind) * part, 0, normal_axis(axis, ndim + 1, "linspace"))
    line = line if dtype is None else cast(line, dtype)
    return (line, (cast(b, kind) - cast(a, kind)) / steps) if retstep else line


# --- shapes and conversion


@primitive(
    eval=np.copy,
    infer=lambda x: x,
    partials=(lambda g, y, x: g,),
    emit="{0}",
    domain=cases(
        lambda rng: [Sample((rng.normal(size=shape),)) for shape in ((2, 3), (), (0, 3))],
        lambda: [
            Bad((np.array(["a"]),), {}, TypeError), Bad((DATES,), {}, TypeError),
            Bad(([[1.0], [1.0, 2.0]],), {}, ValueError),
        ],
    ),
    family="unary",
    complex=True,
)  # fmt: skip
def copy(x: Any) -> Tensor:
    """The same values in a tensor of their own, which later assignments to a Variable do not reach.

    >>> import autograd_nn as ag
    >>> ag.ops.copy([1.0, 2.0]).tolist()
    [1.0, 2.0]
    """
    return record(copy.op, (as_tensor(x),), {})


def shape(x: Any) -> tuple[Any, ...]:
    """The size of each axis: an int where it is known, else an int64 scalar tensor that knows it when the graph runs.

    >>> import autograd_nn as ag
    >>> ag.ops.shape([[1.0, 2.0]])
    (1, 2)
    """
    x = as_tensor(x)
    return tuple(size if isinstance(size, int) else size_of(x, axis) for axis, size in enumerate(x.spec.shape))


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Tensor:
    """x as a tensor, of another dtype if one is given; a tensor that fits is returned as it is.

    sparse, ragged: only None or False, there are no such tensors (InvalidArgument).

    >>> import autograd_nn as ag
    >>> ag.ops.convert_to_tensor([1, 2], "float32")
    Tensor([1., 2.], dtype=float32)
    """
    if sparse or ragged:
        raise InvalidArgument("convert_to_tensor: there are no sparse or ragged tensors; leave the argument out")
    return as_tensor(x, dtype)


def array(x: Any, dtype: Any = None) -> Tensor:
    """x as a tensor, of another dtype if one is given: `convert_to_tensor` by NumPy's name.

    >>> import autograd_nn as ag
    >>> ag.ops.array([1, 2], "float32")
    Tensor([1., 2.], dtype=float32)
    """
    return as_tensor(x, dtype)


def ndim(x: Any) -> int:
    """The number of axes.

    >>> import autograd_nn as ag
    >>> ag.ops.ndim([[1.0, 2.0]])
    2
    """
    return as_tensor(x).ndim


def dtype(x: Any) -> str:
    """The name of the dtype.

    >>> import autograd_nn as ag
    >>> ag.ops.dtype([1.0, 2.0])
    'float32'
    """
    return as_tensor(x).dtype.name


def convert_to_numpy(x: Any) -> np.ndarray:
    """The value of a tensor as a read-only array, or an array made of x.

    Raises SymbolicError for a tensor without a value.

    >>> import autograd_nn as ag
    >>> ag.ops.convert_to_numpy([1.0, 2.0])
    array([1., 2.], dtype=float32)
    """
    return x.numpy() if isinstance(x, Tensor) else to_array(x, complex_too=True)


def is_tensor(x: Any) -> bool:
    """Whether x is a Tensor.

    >>> import autograd_nn as ag
    >>> ag.ops.is_tensor([1.0])
    False
    """
    return isinstance(x, Tensor)


suggest_calls(globals())
