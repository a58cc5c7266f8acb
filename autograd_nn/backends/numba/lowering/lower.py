"""How each family of ops becomes kernels or views. A lowering returns False where it does not know the case."""

import importlib
from typing import Any

import numpy as np

from ....engine.graph import Graph
from ....engine.tensor import Tensor
from ..machine.memory import View
from .arrange import lower_diagonal, lower_join, lower_pad, lower_roll
from .bind import Binding, Deferred, Lowering
from .expression import Body, computable, copy_body, graph_body, node_body
from .flow import lower_call, lower_loop
from .gather import lower_indexing
from .order import lower_place, lower_sort
from .product import lower_product
from .reduce import reduce
from .rows import lower_rows
from .running import lower_running


def _label(t: Tensor) -> str:
    """A node as the comment of its kernel: only what the library itself names."""
    op: Any = t.op
    return op.name


_BODIES: dict[Any, Body | None] = {}
_MOST_BODIES = 4096


def _body(t: Tensor) -> Body | None:
    """The body of an elementwise node, None without an expression for it; written once per op and dtypes."""
    key = (t.op, t.spec.dtype, *(i.spec.dtype for i in t.inputs), any(t.params.values()))
    if key not in _BODIES:
        if len(_BODIES) >= _MOST_BODIES:
            _BODIES.clear()
        _BODIES[key] = node_body(t) if computable(t) else None
    return _BODIES[key]


def _loop_of(graph: Graph) -> tuple[Body | None, str]:
    """The body of a fused graph, None without expressions for all of it, and its note; written once per graph."""
    found: tuple[Body | None, str] | None = graph.derived.get("loop")
    if found is None:
        body = graph_body(graph) if all(map(computable, graph.operations)) else None
        found = graph.derived["loop"] = body, "\n".join(_label(u) for u in graph.operations)
    return found


def lower_node(b: Binding, t: Tensor) -> bool:
    """One elementwise op."""
    body = _body(t)
    return body is not None and b.defer(t, b.work(t, body, t.inputs, (), _label(t)))


def lower_fused(b: Binding, t: Tensor) -> bool:
    """Elementwise ops in one loop."""
    op: Any = t.op
    if op.name != "fused":
        return lower_rows(b, t) if op.name == "rows" else lower_call(b, t)
    graph = t.params["graph"]
    body, note = _loop_of(graph)
    if body is None:
        return False
    work = b.work(t, body, t.inputs, [b.constant(c.value) for c in graph.constants], note)
    if not op.many:
        return b.defer(t, work)
    targets = [b.fresh(spec.shape, spec.dtype) for spec in b.specs[t]]
    for k, target in enumerate(targets):
        b.place((t, k), target)
    b.each(work, targets)
    return True


def lower_random(b: Binding, t: Tensor) -> bool:
    """Random bits are left to the loop that reads them."""
    key = b.view(t.inputs[0])
    return b.defer(t, Deferred(copy_body(), [key if key.contiguous else b.copied(key)], _label(t), 0))


def lower_reduction(b: Binding, t: Tensor) -> bool:
    """A reduction, together with the elementwise loop before it."""
    op: Any = t.op
    if op.name == "unbroadcast":
        return _lower_unbroadcast(b, t)
    name = op.emit.removeprefix("reduce:")
    if name in ("argmax", "argmin"):
        return lower_place(b, t)
    if name not in ("add", "multiply", "maximum", "minimum", "or", "and", "count"):
        return False
    work, shape = b.operand(t.inputs[0]), b.spec(t.inputs[0]).shape
    note = "\n".join(filter(None, (work.note, _label(t))))
    reduce(b, name, work.body, work.sources, shape, t.params["axis"], b.result(t), note)  # type: ignore[arg-type]
    return True


def _lower_unbroadcast(b: Binding, t: Tensor) -> bool:
    given, kept = b.spec(t.inputs[0]), b.spec(t).shape
    front = given.ndim - len(kept)
    axes = tuple(k for k in range(given.ndim) if k < front or kept[k - front] == 1 != given.shape[k])
    if given.dtype != t.spec.dtype or (axes and given.dtype.kind != "f"):
        return False
    if not axes:
        b.place(t, b.view(t.inputs[0]))
        return True
    work = b.operand(t.inputs[0])
    note = "\n".join(filter(None, (work.note, _label(t))))
    reduce(b, "add", work.body, work.sources, given.shape, axes, b.result(t), note)  # type: ignore[arg-type]
    return True


def lower_view(b: Binding, t: Tensor) -> bool:
    """The same elements seen in another way."""
    op: Any = t.op
    if op.name == "diagonal":
        return lower_diagonal(b, t)
    x = b.view(t.inputs[0])
    if op.name in ("reshape", "reshape_like"):
        shape = b.spec(t).shape
        b.place(t, x.reshaped(shape) or b.copied(x).reshaped(shape))  # type: ignore[arg-type]
        return True
    if not x.shape and not b.spec(t).shape:
        return _placed(b, t, x)
    return _placed(b, t, x.apply(lambda ghost: op.eval(ghost, **t.params)))


def _placed(b: Binding, t: Tensor, view: View | None) -> bool:
    if view is not None:
        b.place(t, b.copied(view) if view.backwards else view)
    return view is not None


def lower_broadcast(b: Binding, t: Tensor) -> bool:
    """A view with steps of zero."""
    return _placed(b, t, b.view(t.inputs[0]).broadcast(b.spec(t).shape))  # type: ignore[arg-type]


def lower_creation(b: Binding, t: Tensor) -> bool:
    """Zeros and ones are one element, seen from everywhere."""
    op: Any = t.op
    if not op.emit.startswith("fill:"):
        return False
    number = np.asarray(int(op.emit.partition(":")[2]), t.spec.dtype)
    return _placed(b, t, b.constant(number).broadcast(b.spec(t).shape))  # type: ignore[arg-type]


def _when_met(place: str, name: str) -> Lowering:
    """The lowering of a room that is loaded with its first op, so that programs without it start sooner."""

    def lower(b: Binding, t: Tensor) -> bool:
        found: bool = getattr(importlib.import_module(f".{place}", __package__), name)(b, t)
        return found

    return lower


LOWERINGS: dict[str, Lowering] = {
    "unary": lower_node,
    "binary": lower_node,
    "ternary": lower_node,
    "cast": lower_node,
    "control": lower_fused,
    "loop": lower_loop,
    "product": lower_product,
    "convolution": _when_met("conv", "lower_convolution"),
    "ctc": _when_met("ctc", "lower_ctc"),
    "pooling": _when_met("pool", "lower_pooling"),
    "reduction": lower_reduction,
    "view": lower_view,
    "broadcast": lower_broadcast,
    "creation": lower_creation,
    "indexing": lower_indexing,
    "join": lower_join,
    "pad": lower_pad,
    "random": lower_random,
    "sort": lower_sort,
    "roll": lower_roll,
    "shape": lower_diagonal,
    "scan": lower_running,
}
