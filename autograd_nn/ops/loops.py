"""Loops made of scan: map, fori_loop; and while_loop, whose number of steps shows only while it runs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.graph import Graph
from ..engine.op import Bad, Op, Sample
from ..engine.spec import Spec
from ..engine.tensor import MODE, Tensor, record
from ..engine.tree import Structure, flatten, tree_map, unflatten
from ..errors import ArgumentTypeError, DTypeError, GraphError, InvalidArgument, ShapeError, short
from .capture import Piece, Specs, check_function, placeholder, settled, traced
from .creation import arange
from .domain import Rng, cases
from .family import composite
from .scanning import looped, scan_vjp, scanned


def _evaluate(*values: Any, test: Graph, body: Graph, count: int, limit: int | None) -> tuple[Any, ...]:
    state, fixed = values[:count], values[count:]
    steps = 0
    while steps != limit and bool(test.evaluate(*state, *fixed)[0]):
        state = body.evaluate(*state, *fixed)
        steps += 1
    return (*state, np.asarray(steps))


def _infer(*specs: Spec, test: Graph, body: Graph, count: int, limit: int | None) -> tuple[Spec, ...]:
    return (*specs[:count], Spec((), np.dtype("int64")))


def _vjp(
    g: Sequence[Tensor | None], y: Sequence[Tensor], *inputs: Tensor,
    test: Graph, body: Graph, count: int, limit: int | None,
) -> list[Tensor | None]:  # fmt: skip
    """That of a scan of as many steps as the loop took."""
    places = arange(y[count])
    with_place = Graph([*body.inputs[:count], placeholder(places.spec._replace(shape=())), *body.inputs[count:]],
                       body.outputs, body.name)  # fmt: skip
    arguments = (*inputs[:count], places, *inputs[count:])
    results = looped(with_place, arguments, count, 1, None, False, saved=True)
    cotangents = [*g[:count], *[None] * (len(results) - count)]
    found = scan_vjp(
        cotangents, results, *arguments, body=with_place, carries=count, steps=1, length=None, reverse=False, saved=True
    )
    return [*found[:count], *found[count + 1 :]]


WHILE = Op("while", eval=_evaluate, infer=_infer, vjp=_vjp, emit="while", family="loop", many=True, gaps=True)


def _eager(
    test: Callable[..., Any], body: Callable[..., Any], state: Any, form: Structure, limit: int | None
) -> Any:  # fmt: skip
    """The loop in Python, its steps recorded one by one."""
    steps = 0
    while steps != limit and bool(_truth(_called(test, state))):
        state = tree_map(as_tensor, _called(body, state))
        _check_form(flatten(state)[1], form)
        steps += 1
    return state


def _called(f: Callable[..., Any], state: Any) -> Any:
    return f(*state) if isinstance(state, (list, tuple)) else f(state)


def _truth(x: Any) -> Tensor:
    t = as_tensor(x)
    if t.ndim or t.dtype.kind not in "biu":
        raise DTypeError(f"while_loop: cond must return one bool, got {t.spec}; reduce it with ops.any or ops.all")
    return t


def _check_form(found: Structure, form: Structure) -> None:
    if found != form:
        raise GraphError(f"while_loop: body must return the form of loop_vars, {form}, got {found}")


def _recorded(
    test: Callable[..., Any], body: Callable[..., Any], leaves: list[Any], form: Structure, limit: int | None
) -> Any:  # fmt: skip
    """The loop as one node."""
    arguments = Structure(tuple, None, (form,))

    def trace(specs: Specs) -> Piece:
        piece = traced(lambda state: _called(body, state), specs, arguments, "while_loop")
        _check_form(piece.structure, form)
        return piece

    values, step = settled(trace, leaves, "while_loop")
    specs = [t.spec for t in values]
    question = traced(lambda state: _truth(_called(test, state)), specs, arguments, "while_loop")
    outside = list(dict.fromkeys([*question.needs, *step.needs]))
    params = {
        "test": question.graph(outside, question.outputs, "cond"), "body": step.graph(outside, step.outputs, "body"),
        "count": len(values), "limit": limit,
    }  # fmt: skip
    results = record(WHILE, (*values, *(as_tensor(t) for t in outside)), params)
    return unflatten(form, results[: len(values)])


# --- what users call


def _limit(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentTypeError(f"while_loop: maximum_iterations must be an int or None, got {short(value)}")
    if value < 0:
        raise InvalidArgument(f"while_loop: maximum_iterations must be >= 0, got {value}")
    return int(value)


def _small(x: Any) -> Any:
    return (x * x).sum() < 100.0


def _grow(x: Any) -> Any:
    return x * 1.5 + 0.1


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((_small, _grow, rng.uniform(1, 2, 3))),
            Sample((_small, _grow, rng.uniform(1, 2, 3)), {"maximum_iterations": 2}),
            Sample((lambda i, x: i < 3, lambda i, x: (i + 1, x * x), (0, rng.uniform(0.5, 1, (2, 2))))),
            Sample((_small, _grow, rng.uniform(20, 30, 3))),
        ],
        lambda: [
            Bad((3, _grow, 1.0), {}, TypeError), Bad((_small, 3, 1.0), {}, TypeError),
            Bad((lambda x: x, _grow, 1.0), {}, TypeError), Bad((_small, _grow, np.ones(2), 1.5), {}, TypeError),
            Bad((_small, lambda x: (x, x), np.ones(2)), {}, ValueError),
            Bad((_small, _grow, np.ones(2), -1), {}, ValueError),
        ],
    ),
)  # fmt: skip
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """loop_vars after `loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)` holds.

    cond, body:         take the items of loop_vars if that is a list or tuple, else loop_vars itself; cond returns one
                        bool, body the next loop_vars, of the same form
    maximum_iterations: the most steps; no limit if None

    Inside a traced function it is one op, and the shapes and dtypes of loop_vars must stay. Gradients run through all
    steps, backwards, and keep loop_vars of every step.
    Raises GraphError for loop_vars of another form, DTypeError for a cond that returns no bool.

    >>> import autograd_nn as ag
    >>> i, x = ag.ops.while_loop(lambda i, x: x < 100, lambda i, x: (i + 1, x * 2), (0, 1))
    >>> i.item(), x.item()
    (7, 128)
    """
    check_function(cond, "while_loop", "cond")
    check_function(body, "while_loop", "body")
    limit = _limit(maximum_iterations)
    leaves, form = flatten(loop_vars)
    if MODE.trace is None and all(as_tensor(x).value is not None for x in leaves):
        return _eager(cond, body, unflatten(form, [as_tensor(x) for x in leaves]), form, limit)
    return _recorded(cond, body, leaves, form, limit)


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((0, 4, lambda i, x: x * 0.5 + (i > 1), rng.normal(size=(2, 3)))),
            Sample((1, 4, lambda i, s: (s[1] * (i < 3), s[0] + s[1]), (rng.normal(size=2), rng.normal(size=2)))),
            Sample((3, 1, lambda i, x: x * x, rng.normal(size=2))),
        ],
        lambda: [
            Bad((0, 3, 5, 1.0), {}, TypeError), Bad((0, "a", lambda i, x: x, 1.0), {}, TypeError),
            Bad((0, 3, lambda i, x: (x, x), 1.0), {}, ValueError), Bad((0.5, 3, lambda i, x: x, 1.0), {}, TypeError),
            Bad((0, np.ones(2, int), lambda i, x: x, 1.0), {}, ValueError),
        ],
    ),
)  # fmt: skip
def fori_loop(lower: Any, upper: Any, body_fun: Callable[..., Any], init_val: Any) -> Any:
    """The state after `state = body_fun(i, state)` for i = lower, ..., upper - 1. Gradients run through all steps.

    lower, upper: integers, or scalar integer tensors, also without a value yet
    body_fun:     takes an int64 scalar and the state, returns the next state, of the same form, shapes and dtypes

    Raises DTypeError for other bounds, and what `scan` raises for a state that changes its form.

    >>> import autograd_nn as ag
    >>> ag.ops.fori_loop(0, 10, lambda i, s: s + i, 0).item()
    45
    """
    check_function(body_fun, "fori_loop", "body_fun")
    bounds = [_bound(x, name) for x, name in ((lower, "lower"), (upper, "upper"))]
    places = arange(*bounds, dtype="int64")
    return scanned("fori_loop", lambda state, i: (body_fun(i, state), None), init_val, places)[0]


def _bound(x: Any, name: str) -> Tensor:
    t = as_tensor(x)
    if t.dtype.kind not in "iu":
        raise DTypeError(f"fori_loop: {name} must be an integer, got {short(x)}")
    if t.ndim:
        raise ShapeError(f"fori_loop: {name} must be a single integer, got shape {t.shape}")
    return t


def _map_errors() -> list[Bad]:
    return [
        Bad((3, np.ones(2)), {}, TypeError),
        Bad((lambda x: x, np.ones(())), {}, ValueError),
        Bad((lambda x: x, (np.ones(2), np.ones(3))), {}, ValueError),
        Bad((lambda x: "a", np.ones(2)), {}, TypeError),
    ]


def _map_samples(rng: Rng) -> list[Sample]:
    return [
        Sample((lambda x: x * x.sum(), rng.normal(size=(4, 3)))),
        Sample((lambda p: {"a": p[0] * p[1], "b": p[1] - 1}, (rng.normal(size=(3, 2)), rng.normal(size=3)))),
        Sample((lambda x: x * 2.0, rng.normal(size=(0, 2)))),
    ]


@composite(reference=None, domain=cases(_map_samples, _map_errors))
def map(f: Callable[..., Any], xs: Any) -> Any:
    """`f(x)` for each x along the first axis of xs, stacked.

    xs: a tensor or a nest of them with equal first sizes; f gets a nest of slices, and may return a nest.
        Nested lists of numbers are one tensor.

    >>> import autograd_nn as ag
    >>> ag.ops.map(lambda x: x * x, [1.0, 2.0, 3.0]).tolist()
    [1.0, 4.0, 9.0]
    """
    check_function(f, "map", "f")
    return scanned("map", lambda _, x: (None, f(x)), None, xs)[1]


@composite(reference=None, domain=cases(_map_samples, _map_errors))
def vectorized_map(function: Callable[..., Any], elements: Any) -> Any:
    """`function(x)` for each x along the first axis of elements, stacked; as `map`, one element after the other.

    >>> import autograd_nn as ag
    >>> a, b = ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0])
    >>> ag.ops.vectorized_map(lambda p: p[0] + p[1], (a, b)).tolist()
    [4.0, 6.0]
    """
    check_function(function, "vectorized_map", "function")
    return scanned("vectorized_map", lambda _, x: (None, function(x)), None, elements)[1]
