"""Families of ops: they give the shape rule, the fast path and the tests; an op adds what is its own."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from ..engine.convert import as_tensor, pair
from ..engine.op import OPS, Domain, Op, register
from ..engine.signatures import misfit, misfit_of
from ..engine.spec import Shape, Spec, broadcast, show_shape
from ..engine.tensor import MODE, Tensor, explain, locate, new, node, record, refuse_complex, symbolic
from ..errors import DataError, DTypeError, InvalidArgument, ShapeError
from .domain import Values, binary_domain, unary_domain

NO_PARAMS: dict[str, Any] = {}
UNFIT = (ShapeError, DTypeError, DataError, InvalidArgument)
Rule = Callable[..., Any]
# In the place of an argument that was not given: ops with their own frame for errors would be slower.
_MISSING: Any = object()


class Unary(Protocol):
    def __call__(self, x: Any) -> Tensor: ...


class Binary(Protocol):
    def __call__(self, x1: Any, x2: Any) -> Tensor: ...


@functools.cache
def dtype_of(function: Callable[..., Any], *dtypes: Any) -> Any:
    """The dtype that an elementwise NumPy function gives for these dtypes; DTypeError where it takes others."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(function(*[np.ones((), dtype) for dtype in dtypes])).dtype
    except TypeError:
        given = " and ".join(str(dtype) for dtype in dtypes)
        raise DTypeError(f"does not take {given}; convert with ops.cast") from None


def unary(
    name: str,
    forward: Callable[..., Any],
    *,
    vjp: Rule | None = None,
    emit: str,
    domain: Values,
    doc: str,
    order: int | None = None,
    complex: bool = False,
) -> Unary:
    """An elementwise op of one tensor. `vjp(g, y, x)` returns a tuple of one gradient."""
    partials = None if vjp is None else (lambda g, y, x: vjp(g, y, x)[0],)
    op = register(
        Op(
            name,
            eval=forward,
            infer=lambda x: Spec(x.shape, dtype_of(forward, x.dtype)),
            partials=partials if partials else (None,),
            emit=emit,
            domain=unary_domain(domain, complex),
            doc=doc,
            family="unary",
            order=0 if vjp is None else order,
            complex=complex,
        )
    )

    def call(x: Any = _MISSING, /, *extra: Any, **named: Any) -> Tensor:
        if extra or named:
            return call(*_in_order(call, (x, *extra), named))
        if type(x) is not Tensor:
            if x is _MISSING:
                _in_order(call, (), named)
            try:
                x = as_tensor(x)
            except UNFIT as error:
                raise locate(error, op) from None
        value = x.value
        flows = x.requires_grad and not MODE.quiet
        if value is None or flows and MODE.trace is not None:
            return symbolic(op, (x,), NO_PARAMS)
        if not complex and value.dtype.kind == "c":
            refuse_complex(op, (x,))
        try:
            value = forward(value)
        except Exception as error:
            raise explain(op, (x,), NO_PARAMS, error) from None
        if flows:
            return node(op, (x,), NO_PARAMS, value)
        y = new(Tensor)
        y.value = value
        y.requires_grad = False
        return y

    return _public(op, Unary, call, f"{doc}\n\nx: tensor or array of any shape. Returns a tensor of the same shape.")


def binary(
    name: str,
    forward: Callable[..., Any],
    *,
    partials: tuple[Rule | None, Rule | None] | None = None,
    emit: str,
    domain: tuple[Values, Values] | Values,
    doc: str,
    order: int | None = None,
    complex: bool = False,
) -> Binary:
    """An elementwise op of two tensors that broadcast. `partials` hold one rule `(g, y, a, b)` per operand."""
    left, right = (domain, domain) if isinstance(domain, Values) else domain
    op = register(
        Op(
            name,
            eval=forward,
            infer=lambda a, b: Spec(broadcast(a.shape, b.shape, what=name), dtype_of(forward, a.dtype, b.dtype)),
            partials=partials or (None, None),
            emit=emit,
            domain=binary_domain(left, right, complex),
            doc=doc,
            family="binary",
            order=0 if partials is None else order,
            complex=complex,
        )
    )

    def call(x1: Any = _MISSING, x2: Any = _MISSING, /, *extra: Any, **named: Any) -> Tensor:
        if extra or named:
            return call(*_in_order(call, (x1, x2, *extra), named))
        if type(x1) is not Tensor or type(x2) is not Tensor:
            if x2 is _MISSING:
                _in_order(call, (x1,), named)
            try:
                x1, x2 = pair(x1, x2)
            except UNFIT as error:
                raise locate(error, op) from None
        a, b = x1.value, x2.value
        flows = (x1.requires_grad or x2.requires_grad) and not MODE.quiet
        if a is None or b is None or flows and MODE.trace is not None:
            return symbolic(op, (x1, x2), NO_PARAMS)
        if not complex and (a.dtype.kind == "c" or b.dtype.kind == "c"):
            refuse_complex(op, (x1, x2))
        try:
            value = forward(a, b)
        except Exception as error:
            raise explain(op, (x1, x2), NO_PARAMS, error) from None
        if flows:
            return node(op, (x1, x2), NO_PARAMS, value)
        y = new(Tensor)
        y.value = value
        y.requires_grad = False
        return y

    text = f"{doc}\n\nx1, x2: tensors, arrays or numbers that broadcast. Returns a tensor of the broadcast shape."
    return _public(op, Binary, call, text)


def primitive(
    *,
    eval: Callable[..., Any],
    infer: Callable[..., Any],
    partials: tuple[Rule | None, ...] | None = None,
    vjp: Rule | None = None,
    emit: str,
    domain: Domain,
    family: str = "",
    many: bool = False,
    order: int | None = None,
    name: str | None = None,
    reference: Callable[..., Any] | None = None,
    complex: bool = False,
) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: the public function (arguments made canonical, then `record`) together with its op.

    The function calls `function.op`, its own record: `return record(reshape.op, (x,), {"shape": shape})`.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        op = register(
            Op(
                name or function.__name__.rstrip("_"),
                eval=eval,
                infer=infer,
                partials=partials,
                vjp=vjp,
                emit=emit,
                domain=domain,
                doc=(inspect.getdoc(function) or "").partition("\n")[0],
                family=family,
                many=many,
                order=0 if partials is None and vjp is None else order,
                reference=reference,
                complex=complex,
            )
        )
        return _with_name(op, function)

    return decorate


def composite(
    *, reference: Callable[..., Any] | None, domain: Domain, order: int | None = None, name: str | None = None
) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: a public function written in other ops. Its shape rule, gradient and kernel are theirs.

    `reference` is NumPy's function of the same meaning, for the tests.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        def missing(*args: Any, **params: Any) -> Any:
            raise NotImplementedError(f"{function.__name__} is made of other ops")

        op = register(
            Op(
                name or function.__name__.rstrip("_"),
                eval=missing,
                infer=missing,
                domain=domain,
                doc=(inspect.getdoc(function) or "").partition("\n")[0],
                family="composite",
                emit="composite",
                order=order,
                reference=reference,
            )
        )
        return _with_name(op, function)

    return decorate


def named(op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, its errors about shapes, dtypes and data naming the op."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except UNFIT as error:
            raise locate(error, op) from None
        except TypeError as error:
            better = misfit_of(error, function, args, kwargs)
            if better is None:
                raise
            raise better from None

    return run


def _with_name(op: Op, function: Callable[..., Any]) -> Any:
    """Make `function` the public function of `op`."""
    call = named(op, function)
    call.op = op  # type: ignore[attr-defined]
    op.call = call
    return call


def _public(op: Op, form: type, call: Callable[..., Any], text: str) -> Any:
    """Give the function that users call its name, documentation and signature, that of the protocol `form`."""
    call.__name__ = call.__qualname__ = op.name
    call.__doc__ = text
    shown = inspect.signature(form.__call__)
    call.__signature__ = shown.replace(parameters=list(shown.parameters.values())[1:])  # type: ignore[attr-defined]
    call.op = op  # type: ignore[attr-defined]
    op.call = call
    return call


def _in_order(call: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
    """The arguments of an op by position, when some came by name; ArgumentTypeError where they do not fit."""
    given = tuple(value for value in args if value is not _MISSING)
    names = list(call.__signature__.parameters)  # type: ignore[attr-defined]
    rest = names[len(given) :]
    if len(given) + len(named) != len(names) or not all(name in named for name in rest):
        wrong = misfit(call.__name__, call, given, named)
        assert wrong is not None
        raise wrong
    return [*given, *(named[name] for name in rest)]


def tensors(values: Sequence[Any]) -> tuple[Tensor, ...]:
    """Several arguments as tensors."""
    return tuple(as_tensor(value) for value in values)


def apply(name: str, *inputs: Any, **params: Any) -> Any:
    """Record the op of that name on `inputs`: for gradient rules that name an op defined further down."""
    return record(OPS[name], tensors(inputs), params)


def differ(a: Shape, b: Shape) -> bool:
    """Whether two shapes cannot be the same, whatever their unknown sizes turn out to be."""
    return len(a) != len(b) or any(s != t for s, t in zip(a, b) if isinstance(s, int) and isinstance(t, int))


def same_shape(what: str, a: Tensor, b: Tensor, names: str) -> None:
    """ShapeError unless `a` and `b` have one shape: for ops whose operands must not broadcast."""
    if differ(a.spec.shape, b.spec.shape):
        raise ShapeError(
            f"{what}: {names} must have the same shape, got {show_shape(a.spec.shape)} and {show_shape(b.spec.shape)}"
        )
