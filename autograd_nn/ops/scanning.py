"""scan: a loop as one op, whose params hold the Graph of its body and whose gradient is a scan again."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.graph import Graph
from ..engine.op import Bad, Op, Sample
from ..engine.spec import Size, Spec
from ..engine.tensor import MODE, Tensor, describe, record
from ..engine.tree import LEAF, Structure, flatten, unflatten
from ..errors import ArgumentTypeError, GraphError, InvalidArgument, ShapeError, short
from .backward_loop import BackwardLoop
from .capture import Piece, Specs, check_function, inferred, settled, traced
from .creation import zeros_like
from .domain import cases
from .family import composite


def _lengths(sizes: Sequence[Size], length: int | None, what: str = "scan") -> Size:
    """The number of steps; ShapeError when two known ones differ."""
    known = list(dict.fromkeys(size for size in (length, *sizes) if isinstance(size, int)))
    if len(known) > 1:
        raise ShapeError(
            f"{what}: the first axes of xs, and length, must be equal, got {' and '.join(map(str, known))}"
        )
    return known[0] if known else sizes[0]


def _evaluate(
    *values: Any, body: Graph, carries: int, steps: int, length: int | None, reverse: bool, saved: bool
) -> tuple[Any, ...]:
    carry = values[:carries]
    sequences, fixed = values[carries : carries + steps], values[carries + steps :]
    count: Any = _lengths([len(s) for s in sequences], length)
    stacks: list[Any] = []
    for k in reversed(range(count)) if reverse else range(count):
        found = body.evaluate(*carry, *[s[k] for s in sequences], *fixed)
        rows = (*found[carries:], *(carry if saved else ()))
        stacks = stacks or [np.empty((count, *row.shape), row.dtype) for row in rows]
        for stack, row in zip(stacks, rows):
            stack[k] = row
        carry = found[:carries]
    return (*carry, *(stacks if count else _no_rows(values, body, carries, steps, saved)))


def _no_rows(values: Sequence[Any], body: Graph, carries: int, steps: int, saved: bool) -> list[Any]:
    """The stacks of a loop without steps: their sizes follow from those of the inputs."""
    specs = [Spec(v.shape[1:] if carries <= k < carries + steps else v.shape, v.dtype) for k, v in enumerate(values)]
    rows = [*inferred(body, specs)[carries:], *(specs[:carries] if saved else ())]
    return [np.empty((0, *(size if isinstance(size, int) else 0 for size in s.shape)), s.dtype) for s in rows]


def _infer(
    *specs: Spec, body: Graph, carries: int, steps: int, length: int | None, reverse: bool, saved: bool
) -> tuple[Spec, ...]:
    sequences = specs[carries : carries + steps]
    count = _lengths([s.shape[0] for s in sequences], length)
    inner = [*specs[:carries], *(Spec(s.shape[1:], s.dtype) for s in sequences), *specs[carries + steps :]]
    rows = [*inferred(body, inner)[carries:], *(specs[:carries] if saved else ())]
    return (*specs[:carries], *(Spec((count, *s.shape), s.dtype) for s in rows))


def scan_vjp(
    g: Sequence[Tensor | None], y: Sequence[Tensor], *inputs: Tensor,
    body: Graph, carries: int, steps: int, length: int | None, reverse: bool, saved: bool,
) -> list[Tensor | None]:  # fmt: skip
    """The body's pullback from the last step to the first, on the carries that the loop had before each step."""
    if not saved:
        y = looped(body, inputs, carries, steps, length, reverse, saved=True)
    before = y[len(y) - carries :]
    back = BackwardLoop(body, carries, steps, [k for k in range(carries, len(g)) if g[k] is not None], inputs)
    start = [zeros_like(inputs[k]) if k >= carries or g[k] is None else g[k] for k in (*back.floats, *back.shared)]
    cotangents = [g[k] for k in back.given]
    sequences = (*before, *inputs[carries : carries + steps])
    arguments: Any = (*start, *cotangents, *sequences, *inputs[carries + steps :])
    count = len(cotangents) + len(sequences)
    results = looped(back.graph, arguments, len(start), count, length, not reverse, saved=False)
    found: list[Tensor | None] = [None] * len(inputs)
    for k, gradient in zip((*back.floats, *back.shared, *back.rows), results):
        found[k] = gradient
    kept = results[len(results) - len(back.kept) :]
    inside = (*body.inputs[: carries + steps], *back.cotangents, *back.kept)
    stacks: Any = dict(zip(inside, (*sequences, *cotangents, *kept)))
    for k, part in back.taken_out(stacks, inputs).items():
        found[k] = part if (inner := found[k]) is None else inner + part
    return found


SCAN = Op("scan", eval=_evaluate, infer=_infer, vjp=scan_vjp, emit="scan", family="loop", many=True, gaps=True)


def looped(
    body: Graph, inputs: Sequence[Tensor], carries: int, steps: int, length: int | None, reverse: bool,
    saved: bool | None = None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A loop over `body` as one node: final carries, then the stacked outputs of the steps.

    inputs:  carries, then the `steps` sequences, then tensors that every step uses
    saved:   whether the stacked carries before each step follow as more outputs, for the gradient; None where a
             gradient may be asked for. Without them the gradient computes the loop again
    """
    if saved is None:
        saved = MODE.recording and any(t.requires_grad for t in inputs)
    params = {"body": body, "carries": carries, "steps": steps, "length": length, "reverse": reverse, "saved": saved}
    return record(SCAN, tuple(inputs), params)


# --- what users call


def _geometric(c: Any, x: Any) -> Any:
    return c * 0.5 + x, c * x


def _two_carries(c: Any, x: Any) -> Any:
    a, b = c
    return (a * b + x, a - 0.5 * b), {"sum": a + b, "x": x * x}


_DOMAIN = cases(
    lambda rng: [
        Sample((_geometric, rng.normal(size=3), rng.normal(size=(4, 3)))),
        Sample((_geometric, rng.normal(size=()), rng.normal(size=4)), {"reverse": True}),
        Sample((_two_carries, (rng.normal(size=2), rng.normal(size=2)), rng.normal(size=(3, 2)))),
        Sample((lambda c, x: (c * c, c), rng.uniform(0.5, 1, (2, 3))), {"length": 3}),
        Sample((_geometric, rng.normal(size=3), rng.normal(size=(0, 3)))),
    ],
    lambda: [
        Bad((3, np.ones(2), np.ones((4, 2))), {}, TypeError), Bad((_geometric, np.ones(2)), {}, ValueError),
        Bad((_geometric, np.ones(2), np.ones((4, 3))), {}, ValueError),
        Bad((_geometric, np.ones(2), np.ones(())), {}, ValueError),
        Bad((_geometric, np.ones(2), np.ones((4, 2)), 3), {}, ValueError),
        Bad((_geometric, np.ones(2), np.ones((4, 2)), -1), {}, ValueError),
        Bad((lambda c, x: c, np.ones(2), np.ones((4, 2))), {}, TypeError),
        Bad((lambda c, x: ((c, c), x), np.ones(2), np.ones((4, 2))), {}, ValueError),
        Bad((lambda c, x: (c > 0, x), np.ones(2), np.ones((4, 2))), {}, TypeError),
        Bad((_geometric, np.ones(2), np.ones((4, 2))), {"unroll": 0}, ValueError),
    ],
)  # fmt: skip


@composite(reference=None, domain=_DOMAIN)
def scan(
    f: Callable[..., Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:  # fmt: skip
    """A loop that hands a carry from step to step: `carry, y = f(carry, x)` for each x along the first axis of xs.

    f:       takes the carry and a slice of xs, returns the next carry, of the same form, shapes and dtypes, and an
             output (or None). It is traced once; it may use tensors and Variables from outside, and gradients flow to
             them; it cannot assign Variables
    init:    the first carry: a tensor, a number, or a nest of them
    xs:      a tensor or a nest of them with equal first sizes, also unknown ones; None with a `length`
    length:  the number of steps, where it is not that of xs
    reverse: from the last step to the first
    unroll:  accepted as in Keras; the loop runs as one op either way

    Returns the last carry and the outputs of all steps, stacked along a new first axis. The gradient keeps the carry
    of every step and computes the rest of each step again.
    Raises ShapeError, DTypeError or GraphError when the carry changes its shape, dtype or form.

    >>> import autograd_nn as ag
    >>> total, sums = ag.ops.scan(lambda c, x: (c + x, c + x), 0, [1, 2, 3, 4])
    >>> total.item(), sums.tolist()
    (10, [1, 3, 6, 10])
    """
    check_function(f, "scan", "f")
    _check_counts(length, unroll)
    return scanned("scan", f, init, xs, length, bool(reverse))


def scanned(
    what: str, f: Callable[..., Any], init: Any, xs: Any, length: int | None = None, reverse: bool = False
) -> tuple[Any, Any]:
    """As `scan`, its errors naming `what`."""
    carry, form = flatten(init)
    leaves, rows = sequences_of(xs)
    sequences = [_sequence(x, what) for x in leaves]
    if not sequences and length is None:
        raise InvalidArgument(f"{what}: without xs there is nothing to count the steps by; give length=")
    _lengths([t.spec.shape[0] for t in sequences], length, what)
    slices = [Spec(t.spec.shape[1:], t.dtype) for t in sequences]
    structure = Structure(tuple, None, (form, rows))

    def trace(specs: Specs) -> Piece:
        return _checked(traced(f, [*specs, *slices], structure, what), form, what)

    values, piece = settled(trace, carry, what)
    outside = list(piece.needs)
    body = piece.graph(outside, piece.outputs, getattr(f, "__name__", "body").replace("<lambda>", "body"))
    inputs = [*values, *sequences, *map(as_tensor, outside)]
    results = looped(body, inputs, len(values), len(sequences), length, reverse)
    count = len(body.outputs)
    return unflatten(form, results[: len(values)]), unflatten(piece.structure.children[1], results[len(values) : count])


def sequences_of(xs: Any) -> tuple[list[Any], Structure]:
    """The leaves of xs and their structure; nested lists of numbers are one leaf."""
    leaves, structure = flatten(xs)
    return ([xs], LEAF) if leaves and all(isinstance(x, (int, float)) for x in leaves) else (leaves, structure)


def _sequence(x: Any, what: str) -> Tensor:
    t = as_tensor(x)
    if not t.ndim:
        raise ShapeError(f"{what}: xs must have a first axis to walk along, got {describe(t)}")
    return t


def _check_counts(length: Any, unroll: Any) -> None:
    for name, value, least in (("length", length, 0), ("unroll", unroll, 1)):
        if value is None or name == "unroll" and isinstance(value, bool):
            continue
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise ArgumentTypeError(f"scan: {name} must be an int, got {short(value)}")
        if value < least:
            raise InvalidArgument(f"scan: {name} must be an int >= {least}, got {value}")


def _checked(piece: Piece, form: Structure, what: str) -> Piece:
    """The piece, if it returns a carry of that form and an output."""
    found = piece.structure
    if found.kind not in (tuple, list) or len(found.children) != 2:
        raise ArgumentTypeError(f"{what}: f must return a pair (carry, output), got {found}; the output may be None")
    if found.children[0] != form:
        raise GraphError(
            f"{what}: a step must return a carry of the form of the first, {form}, got {found.children[0]}"
        )
    return piece
