"""Ops that users write: a forward on arrays, and the gradient that belongs to it."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Op, Sample
from ..engine.signatures import suggests
from ..engine.spec import Dim, Spec, as_dtype, show_shape
from ..engine.tensor import MODE, Tensor, node, record
from ..engine.tree import flatten, unflatten
from ..errors import ArgumentTypeError, GradientError, ShapeError, short
from .domain import DATES, cases
from .family import named, primitive


@primitive(
    eval=lambda x: x,
    infer=lambda x: x,
    partials=(None,),
    emit="view",
    domain=cases(
        lambda rng: [Sample((rng.normal(size=s),), {}, False) for s in ((), (3, 4), (0, 2))],
        lambda: [
            Bad((np.array(["a"]),), {}, TypeError), Bad((DATES,), {}, TypeError),
            Bad(([[1.0], [1.0, 2.0]],), {}, ValueError),
        ],
    ),
    family="view",
    order=0,
    complex=True,
)  # fmt: skip
def stop_gradient(variable: Any) -> Tensor:
    """A tensor or variable as a constant: no gradient flows through.

    >>> import autograd_nn as ag
    >>> float(ag.grad(lambda x: x * ag.ops.stop_gradient(x))(3.0))
    3.0
    """
    return record(stop_gradient.op, (as_tensor(variable),), {})


class CustomOp:
    """A user's op: called like a function of tensors. `op` is its record; its inputs have the forward's names."""

    def __init__(self, op: Op, signature: inspect.Signature | None) -> None:
        self.op = op
        self.convert = named(op, as_tensor)
        self.__name__ = op.name
        self.__doc__ = op.doc
        self.__signature__ = signature

    def __call__(self, *inputs: Any) -> Tensor:
        return record(self.op, tuple(map(self.convert, inputs)), {})

    def __repr__(self) -> str:
        return f"<custom op {self.op.name}>"


@suggests
def custom_op(
    forward: Callable[..., Any],
    vjp: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    infer: Callable[..., Any] | None = None,
) -> CustomOp:
    """Make an op of a forward on arrays and its gradient rule.

    forward: takes one array per input, returns an array; plain NumPy or Numba
    vjp:     `vjp(g, y, *inputs)` on tensors, returns a tuple with one gradient or None per input. Written in tensor
             ops it differentiates to any order; returning arrays it is first order. None: no gradient
    infer:   shape rule from Specs to a Spec or shape; without it the forward is tried on ones of the same shape

    Raises GradientError when the gradients are wrong in number, shape or dtype.

    >>> import numpy as np, autograd_nn as ag
    >>> cube = ag.custom_op(lambda x: x ** 3, lambda g, y, x: (g * 3 * x * x,), name="cube")
    >>> float(ag.grad(cube)(2.0))
    12.0
    """
    for role, function in (("forward", forward), ("vjp", vjp), ("infer", infer)):
        if function is not None and not callable(function):
            raise ArgumentTypeError(f"custom_op: {role} must be a function, got {short(function)}")
    label = name or getattr(forward, "__name__", "custom").replace("<lambda>", "custom")
    op = Op(
        label,
        eval=_forward(forward, label),
        infer=_shape_rule(forward, infer, label),
        vjp=_checked(vjp, label) if vjp else None,
        partials=None if vjp else (),
        emit="custom",
        doc=(inspect.getdoc(forward) or "").partition("\n")[0],
        family="custom",
        order=None if vjp else 0,
    )
    return CustomOp(op, _signature(forward))


def _signature(forward: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(forward)
    except ValueError:
        return None


def _forward(forward: Callable[..., Any], label: str) -> Callable[..., Any]:
    """The user's forward on arrays that it cannot write into."""

    @functools.wraps(forward)
    def run(*values: Any) -> Any:
        views = [np.asarray(value).view() for value in values]
        for view in views:
            view.flags.writeable = False
        result = np.asarray(forward(*views))
        as_dtype(result.dtype)
        return result.copy() if any(np.shares_memory(result, view) for view in views) else result

    return run


def _shape_rule(forward: Callable[..., Any], infer: Callable[..., Any] | None, label: str) -> Callable[..., Spec]:
    if infer is None:
        return functools.partial(_tried, forward, label)

    def rule(*specs: Spec) -> Spec:
        found = infer(*specs)
        return found if isinstance(found, Spec) else Spec(tuple(found), specs[0].dtype)

    return rule


def _tried(forward: Callable[..., Any], label: str, *specs: Spec) -> Spec:
    """The spec of the forward's result on ones; sizes that move with an unknown size are unknown."""
    dims = list(dict.fromkeys(size for spec in specs for size in spec.shape if isinstance(size, Dim)))
    results = [_on_ones(forward, specs, {dim: base + k for k, dim in enumerate(dims)}) for base in (2, 7)]
    first, second = results
    if first.ndim != second.ndim:
        raise ShapeError(f"{label}: the number of axes depends on a size that is not known yet; pass infer=")
    shape = tuple(a if a == b else _moving(a, b, dims) for a, b in zip(first.shape, second.shape))
    return Spec(shape, first.dtype)


def _moving(a: int, b: int, dims: list[Dim]) -> Dim:
    """The unknown size that was tried as `a` and then as `b`."""
    return next((dim for k, dim in enumerate(dims) if (a, b) == (2 + k, 7 + k)), Dim())


def _on_ones(forward: Callable[..., Any], specs: Sequence[Spec], sizes: dict[Dim, int]) -> Any:
    shapes = [tuple(sizes[s] if isinstance(s, Dim) else s for s in spec.shape) for spec in specs]
    with np.errstate(all="ignore"):
        return np.asarray(forward(*[np.ones(shape, spec.dtype) for shape, spec in zip(shapes, specs)]))


def _checked(vjp: Callable[..., Any], label: str) -> Callable[..., Any]:
    """The user's rule, its result checked at once."""

    def run(g: Tensor, y: Tensor, *inputs: Tensor) -> tuple[Tensor | None, ...]:
        grads = vjp(g, y, *inputs)
        if not isinstance(grads, (tuple, list)) or len(grads) != len(inputs):
            got = f"{len(grads)}" if isinstance(grads, (tuple, list)) else short(type(grads).__name__)
            raise GradientError(
                f"custom op {label!r}: vjp must return a tuple of {len(inputs)} gradients, one per input, got {got}"
            )
        return tuple(_checked_gradient(g_i, x, k, label) for k, (g_i, x) in enumerate(zip(grads, inputs)))

    return run


def _checked_gradient(g: Any, x: Tensor, k: int, label: str) -> Tensor | None:
    if g is None or not x.requires_grad:
        return None
    where = f"custom op {label!r}: gradient {k}"
    if not isinstance(g, Tensor):
        g = _first_order(g, x, label, where)
    got, expected = g.spec, x.spec
    if got.dtype != expected.dtype:
        raise GradientError(f"{where} has dtype {got.dtype}, expected {expected.dtype} like the input; cast it")
    if show_shape(got.shape) != show_shape(expected.shape):
        raise GradientError(
            f"{where} has shape {show_shape(got.shape)}, expected {show_shape(expected.shape)} like the input; "
            "sum over broadcast axes with ops.unbroadcast(g, like)"
        )
    return g


def _first_order(g: Any, x: Tensor, label: str, where: str) -> Tensor:
    """A gradient given as an array, as a node whose own gradient is an error."""

    def refuse(*args: Any) -> Any:
        raise GradientError(
            f"custom op {label!r}: its vjp returned an array, so it has a first derivative only; "
            "write the vjp in tensor ops for higher orders"
        )

    array = np.asarray(g)
    if not MODE.recording:
        return as_tensor(array)
    once = Op(f"{label}_gradient", eval=lambda _: array, infer=lambda _: Spec(array.shape, array.dtype), vjp=refuse)
    return node(once, (x,), {}, array)


@suggests
def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator, as in Keras: f returns its result and the function that gives its gradients.

    f: takes tensors, returns `(result, grad_fn)`; `grad_fn(upstream)` (or `grad_fn(*args, upstream=g)`) returns one
       gradient per argument

    >>> import autograd_nn as ag
    >>> @ag.ops.custom_gradient
    ... def log1pexp(x):
    ...     e = ag.ops.exp(x)
    ...     def grad(upstream):
    ...         return upstream * (1 - 1 / (1 + e))
    ...     return ag.ops.log(1 + e), grad
    >>> round(float(ag.grad(log1pexp)(100.0)), 3)
    1.0
    """

    @functools.wraps(f)
    def wrapped(*args: Any) -> Any:
        inputs = tuple(map(as_tensor, args))
        pair = f(*inputs)
        if not isinstance(pair, tuple) or len(pair) != 2 or not callable(pair[1]):
            raise GradientError("custom_gradient: the function must return (result, grad_fn), got " + short(pair))
        results, structure = flatten(pair[0])
        params = {"rule": pair[1], "count": len(results), "function": wrapped}
        outputs = record(_OVERRIDE, (*map(as_tensor, results), *inputs), params)
        return unflatten(structure, outputs)

    return wrapped


def _override_vjp(g: Any, y: Any, *inputs: Tensor, rule: Any, count: int, function: Any) -> tuple[Tensor | None, ...]:
    by_keyword = "upstream" in inspect.signature(rule).parameters and count == 1
    found = rule(upstream=g[0]) if by_keyword else rule(*g)
    grads = found if isinstance(found, (tuple, list)) else (found,)
    arguments = inputs[count:]
    if len(grads) != len(arguments):
        raise GradientError(f"custom_gradient: expected {len(arguments)} gradients, one per argument, got {len(grads)}")
    checked = [_checked_gradient(gi, x, k, "custom_gradient") for k, (gi, x) in enumerate(zip(grads, arguments))]
    return (*[None] * count, *checked)


def _override_again(inputs: tuple[Tensor, ...], params: dict[str, Any]) -> Any:
    return tuple(flatten(params["function"](*inputs[params["count"] :]))[0])


# The results stand among the inputs, without a gradient: what f computed is kept, its own history is passed by.
_OVERRIDE = Op(
    "custom_gradient",
    eval=lambda *values, rule, count, function: tuple(values[:count]),
    infer=lambda *specs, rule, count, function: tuple(specs[:count]),
    vjp=_override_vjp,
    emit="view",
    family="custom",
    many=True,
    apply=_override_again,
)
