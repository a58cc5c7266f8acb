"""Calculus: functions that differentiate functions, to any order."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .. import ops
from ..engine.autodiff import facing, pullback, reach
from ..engine.convert import as_tensor
from ..engine.op import Op
from ..engine.signatures import suggest_calls, suggests
from ..engine.spec import INEXACT
from ..engine.tensor import MODE, Tensor, describe, leaf, record, recording, symbolic
from ..engine.tree import Structure, flatten, unflatten
from ..engine.variable import Variable
from ..errors import ArgumentTypeError, DTypeError, GradientError, ShapeError, short

ALIAS = Op(
    "alias",
    eval=lambda x: x,
    infer=lambda x: x,
    partials=(lambda g, y, x: g,),
    emit="view",
    family="view",
    complex=True,
)
Argnums = int | Sequence[int]


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute inside without keeping history; nodes hold no inputs.

    >>> import autograd_nn as ag
    >>> w = ag.tensor(2.0, requires_grad=True)
    >>> with ag.no_grad():
    ...     (w * 3).requires_grad
    False
    """
    with recording(False):
        yield


def _twin(x: Any, what: str) -> Tensor:
    """A node with the value of x from which gradients can be asked without touching x."""
    x = as_tensor(x)
    if x.dtype.kind not in INEXACT:
        raise DTypeError(f"{what}: needs floats to differentiate, got {describe(x)} of dtype {x.dtype}; cast it first")
    twin = record(ALIAS, (x,), {}) if MODE.trace is None else symbolic(ALIAS, (x,), {})
    twin.requires_grad = True
    return twin


class _Opened:
    """Arguments of a call, those to be differentiated replaced by twins."""

    def __init__(self, args: tuple[Any, ...], argnums: Argnums, what: str) -> None:
        self.single = isinstance(argnums, int)
        places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        for place in places:
            if not -len(args) <= place < len(args):
                raise ArgumentTypeError(f"{what}: argnums {place} is out of range, the call has {len(args)} arguments")
        chosen = [place % len(args) for place in places]
        opened = list(args)
        self.twins: list[Tensor] = []
        self.structures: list[tuple[Structure, int]] = []
        for place in chosen:
            leaves, structure = flatten(args[place])
            twins = [_twin(x, what) for x in leaves]
            opened[place] = unflatten(structure, twins)
            self.twins += twins
            self.structures.append((structure, len(twins)))
        self.args = tuple(opened)

    def pack(self, grads: Sequence[Any]) -> Any:
        """Gradients in the form of the arguments."""
        rest = list(grads)
        packed = []
        for structure, count in self.structures:
            packed.append(unflatten(structure, rest[:count]))
            rest = rest[count:]
        return packed[0] if self.single else tuple(packed)


def _outer(outputs: Sequence[Tensor], wrt: Sequence[Tensor]) -> bool:
    """Whether something besides `wrt` may ask for the gradient of the result."""
    ends = dict.fromkeys(wrt)
    return any(t.value is None or t.op is None and t not in ends for t in reach(outputs))


def _pull(outputs: Sequence[Tensor], cotangents: Sequence[Tensor], wrt: Sequence[Tensor], keep: bool) -> list[Tensor]:
    """Cotangents as users know them (`facing`), in and out."""
    grads = pullback(outputs, [facing(g) for g in cotangents], wrt, create_graph=keep)
    return [ops.zeros_like(t) if g is None else facing(g) for t, g in zip(wrt, grads)]


def _scalar(value: Any, what: str) -> Tensor:
    if not isinstance(value, Tensor):
        raise GradientError(
            f"{what}: the function must return a scalar Tensor, got {short(value)}; compute it with ops"
        )
    if value.spec.shape != () and (value.value is None or value.value.size != 1):
        raise GradientError(f"{what}: the function must return a scalar, got {describe(value)}; reduce it with .sum()")
    if value.dtype.kind == "c":
        raise GradientError(
            f"{what}: the function must return a real number, got dtype {value.dtype}; take ops.abs, ops.real or "
            "ops.imag of the result, or use vjp"
        )
    if value.dtype.kind != "f":
        raise DTypeError(f"{what}: the function must return a float, got dtype {value.dtype}")
    return value


def _check_function(f: Any, what: str) -> None:
    if not callable(f):
        raise ArgumentTypeError(f"{what}: expected a function of tensors, got {short(f)}")


@suggests
def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False) -> Callable[..., Any]:
    """The function that returns f's value and its gradient with respect to the arguments `argnums`.

    f:       returns a scalar, or (scalar, anything else) with `has_aux`; arguments may be nests of tensors

    With respect to a complex argument the gradient is d/d re + i d/d im, as in PyTorch.
    Raises GradientError for a result that is no scalar, DTypeError for integers.

    >>> import autograd_nn as ag
    >>> value, slope = ag.value_and_grad(lambda x: x ** 3)(2.0)
    >>> float(value), float(slope)
    (8.0, 12.0)
    """

    _check_function(f, "grad")

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        opened = _Opened(args, argnums, "grad")
        with recording(True):
            result = f(*opened.args, **kwargs)
        value, aux = result if has_aux else (result, None)
        value = _scalar(value, "grad")
        keep = MODE.recording and _outer((value,), opened.twins)
        grads = opened.pack(_pull((value,), (ops.ones_like(value),), opened.twins, keep))
        (shown,) = _shown((value,), keep)
        return ((shown, aux), grads) if has_aux else (shown, grads)

    return wrapped


@suggests
def grad(f: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of a scalar function with respect to the arguments `argnums`, itself differentiable.

    Returns the gradient in the form of the argument, with `has_aux` the pair (gradient, aux).

    >>> import autograd_nn as ag
    >>> slope = ag.grad(lambda x: x ** 3)
    >>> float(slope(2.0)), float(ag.grad(slope)(2.0))
    (12.0, 12.0)
    """
    both = value_and_grad(f, argnums, has_aux=has_aux)

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value, grads = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return wrapped


def _call_open(f: Callable[..., Any], opened: _Opened, what: str) -> tuple[list[Tensor], Structure]:
    with recording(True):
        leaves, structure = flatten(f(*opened.args))
    if not all(isinstance(t, Tensor) for t in leaves):
        raise GradientError(f"{what}: the function must return Tensors, got {short(leaves)}; compute them with ops")
    return leaves, structure


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[..., tuple[Any, ...]]]:
    """f's result, and the function from cotangents of the result to a tuple of cotangents of the arguments.

    >>> import autograd_nn as ag
    >>> y, pull = ag.vjp(lambda a, b: a * b, 2.0, 5.0)
    >>> [float(g) for g in pull(1.0)]
    [5.0, 2.0]
    """
    opened = _Opened(args, tuple(range(len(args))), "vjp")
    outputs, structure = _call_open(f, opened, "vjp")
    keep = MODE.recording and _outer(outputs, opened.twins)

    def pull(cotangents: Any) -> tuple[Any, ...]:
        given, form = flatten(cotangents)
        if form != structure:
            raise GradientError(f"vjp: cotangents have structure {form}, the result has {structure}")
        seeds = [_seed(g, y) for g, y in zip(given, outputs)]
        again = MODE.recording and any(g.requires_grad or g.value is None for g in seeds)
        return opened.pack(_pull(outputs, seeds, opened.twins, keep or again))

    return unflatten(structure, _shown(outputs, keep)), pull


def _shown(results: Sequence[Tensor], keep: bool) -> list[Tensor]:
    """Results for the caller: without the history of twins, unless somebody outside may ask for it."""
    return [t if keep or t.value is None else leaf(t.value) for t in results]


def _seed(g: Any, y: Tensor) -> Tensor:
    seed = as_tensor(g, dtype=y.dtype)
    if seed.shape != y.shape:
        raise ShapeError(f"vjp: cotangent has shape {seed.shape}, the result {describe(y)} expects {y.shape}")
    return seed


@suggests
def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> tuple[Any, ...]:
    """fun's result at `primals`, and its directional derivative along `tangents`: a pullback of a pullback.

    primals, tangents: sequences of arguments, of the same form
    has_aux:           fun returns (result, anything else), and this the triple with that at the end

    >>> import autograd_nn as ag
    >>> y, dy = ag.jvp(lambda x: x ** 3, (2.0,), (1.0,))
    >>> float(dy)
    12.0
    """
    opened = _Opened(tuple(primals), tuple(range(len(primals))), "jvp")
    directions, _ = flatten(tuple(tangents))
    if len(directions) != len(opened.twins):
        raise GradientError(f"jvp: {len(opened.twins)} primals but {len(directions)} tangents; give one per primal")
    seeds = [_seed(v, t) for v, t in zip(directions, opened.twins)]
    aux: list[Any] = []

    def result(*args: Any) -> Any:
        found = fun(*args)
        if not has_aux:
            return found
        if not isinstance(found, tuple) or len(found) != 2:
            raise GradientError(f"jvp: with has_aux the function must return (result, aux), got {short(found)}")
        aux.append(found[1])
        return found[0]

    outputs, structure = _call_open(result, opened, "jvp")
    keep = MODE.recording and _outer((*outputs, *seeds), opened.twins)
    dual = [_twin(ops.zeros_like(y), "jvp") if y.dtype.kind in INEXACT else ops.zeros_like(y) for y in outputs]
    with recording(True):
        pulled = _pull(outputs, dual, opened.twins, True)
    slopes = iter(_pull(pulled, seeds, [d for d in dual if d.requires_grad], True))
    moved = [next(slopes) if d.requires_grad else d for d in dual]
    return unflatten(structure, _shown(outputs, keep)), unflatten(structure, _shown(moved, keep)), *aux


@suggests
def jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """The function that returns all first derivatives of a tensor function, shape `result.shape + argument.shape`.

    >>> import autograd_nn as ag
    >>> ag.jacobian(lambda x: x * x)(ag.tensor([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """

    _check_function(f, "jacobian")

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        opened = _Opened(args, argnums, "jacobian")
        with recording(True):
            y = f(*opened.args, **kwargs)
        if not isinstance(y, Tensor) or None in y.shape:
            raise GradientError(f"jacobian: the function must return one Tensor of known shape, got {short(y)}")
        if any(t.dtype.kind == "c" for t in (y, *opened.twins)):
            raise GradientError("jacobian: complex numbers have no one derivative; take ops.view_as_real of them")
        keep = MODE.recording and _outer((y,), opened.twins)
        rows = [_pull((y,), (seed,), opened.twins, keep) for seed in _basis(y)]
        blocks = [_stack(y, t, [row[k] for row in rows]) for k, t in enumerate(opened.twins)]
        return opened.pack(blocks)

    return wrapped


def _basis(y: Tensor) -> list[Tensor]:
    """One cotangent per element of y, one there and zero elsewhere."""
    shape: Any = y.shape
    count = 1
    for size in shape:
        count *= size
    eye = ops.eye(count, dtype=y.dtype)
    return [ops.reshape(eye[k], shape) for k in range(count)]


def _stack(y: Tensor, t: Tensor, rows: list[Tensor]) -> Tensor:
    shape: Any = (*y.shape, *t.shape)
    return ops.reshape(ops.stack(rows), shape) if rows else ops.zeros(shape, dtype=t.dtype)


@suggests
def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """The function that returns all second derivatives of a scalar function, shape `argument.shape` twice.

    >>> import autograd_nn as ag
    >>> ag.hessian(lambda x: (x ** 3).sum())(ag.tensor([1.0, 2.0])).tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The Hessian of a scalar function at `primals` times `tangents`, without building it.

    primals, tangents: a tensor or a nest of them, of the same form; returns that form

    >>> import autograd_nn as ag
    >>> ag.hvp(lambda x: (x ** 3).sum(), ag.tensor([1.0, 2.0]), ag.tensor([1.0, 1.0])).tolist()
    [6.0, 12.0]
    """
    directions = [as_tensor(v) for v in flatten(tangents)[0]]

    def slope(x: Any) -> Tensor:
        pulled = flatten(grad(f)(x))[0]
        if len(pulled) != len(directions):
            raise GradientError(f"hvp: {len(pulled)} primals but {len(directions)} tangents; give one per primal")
        products = [ops.sum(g * v) for g, v in zip(pulled, directions)]
        return functools.reduce(lambda a, b: a + b, products)

    return grad(slope)(primals)


def gradients(output: Tensor, wrt: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradients of a scalar with respect to tensors of its graph; None where it does not depend on one.

    Inside `jit`, Variables stand for what the program reads. Raises GradientError for a float tensor without
    `requires_grad`, whose history is not kept: None would not tell that from a tensor that plays no part.

    >>> import autograd_nn as ag
    >>> w = ag.tensor(3.0, requires_grad=True)
    >>> [float(g) for g in ag.gradients(w * w, [w])]
    [6.0]
    """
    sources = [as_tensor(t) for t in wrt]
    for k, (given, source) in enumerate(zip(wrt, sources)):
        if source.dtype.kind == "f" and not source.requires_grad and not isinstance(given, Variable):
            raise GradientError(
                f"gradients: wrt[{k}], {describe(source)}, has no requires_grad; make it with "
                "ag.tensor(..., requires_grad=True), or differentiate a function of it with ag.grad(f)"
            )
    output = _scalar(output, "gradients")
    keep = _outer((output,), sources)
    found = pullback((output,), (ops.ones_like(output),), sources, create_graph=keep)
    return [None if g is None else facing(g) for g in found]


suggest_calls(globals())
