"""cond and switch: one of several functions, chosen while the program runs; only that one is computed."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.autodiff import pullback
from ..engine.convert import as_tensor
from ..engine.graph import Graph
from ..engine.op import Bad, Op, Sample
from ..engine.spec import Dim, Spec
from ..engine.tensor import Tensor, describe, record, recording, symbol, tracing
from ..engine.tree import flatten, unflatten
from ..errors import ArgumentTypeError, DTypeError, GraphError, ShapeError
from .capture import Piece, check_function, inferred, traced
from .creation import zeros_like
from .domain import cases
from .elementwise import cast, where
from .family import composite, differ

Branches = Sequence[Callable[..., Any]]


def _evaluate(index: Any, *values: Any, branches: tuple[Graph, ...]) -> tuple[Any, ...]:
    return branches[min(max(int(index), 0), len(branches) - 1)].evaluate(*values)


def _infer(index: Spec, *specs: Spec, branches: tuple[Graph, ...]) -> tuple[Spec, ...]:
    return tuple(_common(found) for found in zip(*(inferred(graph, specs) for graph in branches)))


def _common(specs: Sequence[Spec]) -> Spec:
    """What is known of a result whichever branch made it."""
    first = specs[0]
    if all(spec == first for spec in specs):
        return first
    sizes = (tuple(dict.fromkeys(sizes)) for sizes in zip(*(spec.shape for spec in specs)))
    return Spec(tuple(next((s for s in known if isinstance(s, int)), Dim()) if len(known) > 1 else known[0]
                      for known in sizes), first.dtype)  # fmt: skip


def _vjp(
    g: Sequence[Tensor | None], y: Any, index: Tensor, *inputs: Tensor, branches: tuple[Graph, ...]
) -> list[Tensor | None]:
    """The same choice among the branches' pullbacks."""
    given = [k for k, t in enumerate(g) if t is not None]
    wanted = [k for k, t in enumerate(inputs) if t.requires_grad]
    pulls = [_pullback(graph, given, wanted) for graph in branches]
    live = [k for k in wanted if any(grads[k] is not None for _, grads in pulls)]
    graphs = tuple(_filled(graph, seeds, grads, live) for graph, (seeds, grads) in zip(branches, pulls))
    found: list[Tensor | None] = [None] * len(inputs)
    if live:
        arguments: Any = (index, *(g[k] for k in given), *inputs)
        for k, gradient in zip(live, record(BRANCH, arguments, {"branches": graphs})):
            found[k] = gradient
    return [None, *found]


Pulled = tuple[list[Tensor], dict[int, Tensor | None]]


def _pullback(graph: Graph, given: list[int], wanted: list[int]) -> Pulled:
    """Stand-ins for the cotangents of the outputs `given`, and the cotangents of the inputs `wanted`."""
    with tracing(None), recording(True):
        seeds = [symbol(graph.outputs[k].spec, requires_grad=True) for k in given]
        grads = pullback([graph.outputs[k] for k in given], seeds, [graph.inputs[k] for k in wanted])
    return seeds, dict(zip(wanted, grads))


def _filled(graph: Graph, seeds: list[Tensor], grads: dict[int, Tensor | None], live: list[int]) -> Graph:
    """The pullback of a branch, with zeros where only other branches depend on an input."""
    with tracing(None), recording(True):
        found = [grads[k] for k in live]
        filled = [zeros_like(graph.inputs[k]) if t is None else t for k, t in zip(live, found)]
    return Graph([*seeds, *graph.inputs], filled, f"{graph.name}_pullback")


BRANCH = Op("branch", eval=_evaluate, infer=_infer, vjp=_vjp, emit="branch", family="branch", many=True, gaps=True)


def _chosen(index: Tensor, branches: Branches, operands: tuple[Any, ...], what: str) -> Any:
    """The choice as one node; Variables that a branch assigns are assigned afterwards."""
    leaves, structure = flatten(operands)
    inputs = [as_tensor(x) for x in leaves]
    pieces = [traced(f, [t.spec for t in inputs], structure, what, assigns=True) for f in branches]
    _check_alike([piece.structure for piece in pieces], what)
    outputs = _aligned(pieces, what)
    written = list(dict.fromkeys(v for piece in pieces for v in piece.trace.writes))
    for piece, results in zip(pieces, outputs):
        results += [piece.trace.read(v) for v in written]
        piece.needs.update(piece.trace.reads)
    outside = list(dict.fromkeys(t for piece in pieces for t in piece.needs))
    graphs = tuple(
        piece.graph(outside, results, f"{what}_{k}") for k, (piece, results) in enumerate(zip(pieces, outputs))
    )
    found = record(BRANCH, (index, *inputs, *map(as_tensor, outside)), {"branches": graphs})
    count = len(found) - len(written)
    for variable, new in zip(written, found[count:]):
        variable.assign(new)
    return unflatten(pieces[0].structure, found[:count])


def _check_alike(structures: Sequence[Any], what: str) -> None:
    for k, structure in enumerate(structures):
        if structure != structures[0]:
            raise GraphError(
                f"{what}: branches must return nests of one form, got {structures[0]} and, of branch {k}, {structure}"
            )


def _aligned(pieces: Sequence[Piece], what: str) -> list[list[Tensor]]:
    """The outputs of all branches, Python numbers with the dtype that they have in another branch."""
    columns = list(zip(*(zip(piece.outputs, piece.weak) for piece in pieces)))
    aligned = [_aligned_column(k, column, what) for k, column in enumerate(columns)]
    return [[column[b] for column in aligned] for b in range(len(pieces))]


def _aligned_column(k: int, column: Sequence[tuple[Tensor, bool]], what: str) -> list[Tensor]:
    model = next((t for t, weak in column if not weak), column[0][0])
    found = [as_tensor(t.value, model.dtype) if weak and t.value is not None else t for t, weak in column]
    for t in found:
        if differ(t.spec.shape, model.spec.shape):
            raise ShapeError(f"{what}: branches must return equal shapes, result {k} is {model.spec} and {t.spec}")
        if t.dtype != model.dtype:
            raise DTypeError(
                f"{what}: branches must return equal dtypes, result {k} is {model.spec} and {t.spec}; cast one"
            )
    return found


def _selector(x: Any, what: str, name: str, kinds: str) -> Tensor:
    t = as_tensor(x)
    if t.dtype.kind not in kinds:
        kind = "a bool" if kinds[0] == "b" else "an integer"
        raise DTypeError(f"{what}: {name} must be {kind}, got {describe(t)} of dtype {t.dtype}")
    if t.ndim:
        raise ShapeError(f"{what}: {name} must be a single value, got {describe(t)}; reduce it, or use ops.where")
    return t


# --- what users call


def _square(x: Any) -> Any:
    return x * x


def _triple(x: Any) -> Any:
    return x * 3.0


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((np.array(flag), lambda x, y: (x * y, x), lambda x, y: (x + y, y * y), rng.normal(size=3),
                    rng.normal(size=3)))
            for flag in (True, False)
        ] + [Sample((np.array(True), _square, _triple, rng.normal(size=())))],
        lambda: [
            Bad((np.array([True, False]), _square, _triple, 1.0), {}, ValueError),
            Bad((0.5, _square, _triple, 1.0), {}, TypeError), Bad((True, 3, _triple, 1.0), {}, TypeError),
        ],
    ),
)  # fmt: skip
def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], *operands: Any) -> Any:
    """What `true_fn(*operands)` or `false_fn(*operands)` returns; the other one is not computed.

    pred: a bool or integer scalar. Where it has a value, the function chosen is simply called; else both are traced,
          and must return nests of one form, with equal shapes and dtypes. They may use and assign what is outside.

    Gradients flow through the branch that was taken.
    Raises DTypeError or ShapeError for another pred, and for branches that return different things.

    >>> import autograd_nn as ag
    >>> ag.jit(lambda x: ag.ops.cond(x > 0, lambda: ag.ops.sqrt(x), lambda: -x))(ag.tensor(9.0)).item()
    3.0
    """
    check_function(true_fn, "cond", "true_fn")
    check_function(false_fn, "cond", "false_fn")
    flag = _selector(pred, "cond", "pred", "biu")
    if flag.value is not None:
        return (true_fn if flag else false_fn)(*operands)
    index = where(flag if flag.dtype.kind == "b" else flag != 0, 1, 0)
    return _chosen(cast(index, "int32"), (false_fn, true_fn), operands, "cond")


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((np.array(k), (_square, _triple, lambda x: 1 - x), rng.normal(size=(2, 3))))
            for k in (-1, 0, 1, 2, 5)
        ],
        lambda: [
            Bad((np.array([0, 1]), (_square, _triple), 1.0), {}, ValueError),
            Bad((0.5, (_square, _triple), 1.0), {}, TypeError), Bad((0, (), 1.0), {}, TypeError),
            Bad((0, _square, 1.0), {}, TypeError),
        ],
    ),
)  # fmt: skip
def switch(index: Any, branches: Branches, *operands: Any) -> Any:
    """What `branches[index](*operands)` returns; the others are not computed. index is clamped to the branches.

    index:    an integer scalar
    branches: functions that return nests of one form, with equal shapes and dtypes

    Raises DTypeError or ShapeError for another index, and for branches that return different things.

    >>> import autograd_nn as ag
    >>> ag.ops.switch(1, [lambda x, y: x + y, lambda x, y: x - y], 2.0, 0.5)
    1.5
    """
    if not isinstance(branches, (list, tuple)) or not branches:
        raise ArgumentTypeError(f"switch: branches must be a list of functions, got {branches!r:.60}")
    for f in branches:
        check_function(f, "switch", "branches[k]")
    place = _selector(index, "switch", "index", "iu")
    if place.value is not None:
        return branches[min(max(int(place), 0), len(branches) - 1)](*operands)
    return _chosen(place, branches, operands, "switch")
