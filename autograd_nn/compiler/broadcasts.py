"""Broadcasts put off: what is the same along an axis is computed once there, and spread by the op that needs it whole.

The gradient of a mean, say, is one number. Spread to the shape of its operand, negated and multiplied there, it would
be an array; after this pass it is a scalar operand of one multiplication.
"""

from typing import Any

from .. import ops
from ..engine.graph import Graph
from ..engine.spec import broadcast
from ..engine.tensor import Tensor, recording, tracing
from .rewrite import make, rebuild

_ELEMENTWISE = ("unary", "binary", "ternary", "cast")


def put_off_broadcasts(graph: Graph) -> Graph:
    """The graph in which elementwise ops take operands before they are broadcast, where the result allows it."""
    with tracing(None), recording(False):
        return rebuild(graph, _rule)


def _rule(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    op: Any = t.op
    if op.family in _ELEMENTWISE:
        found = _without(t, inputs)
        return _after(t, inputs) if found is None else found
    if op.name == "expand_dims":
        return _expanded(t, inputs[0])
    source = _source(inputs[0]) if op.name == "broadcast_like" else None
    return None if source is None else make(op, (source, inputs[1]), t.params, t)


def _source(t: Tensor) -> Tensor | None:
    """What a node broadcasts, if it does nothing else."""
    if t.op is None or t.op.family != "broadcast":
        return None
    return t.inputs[0] if len(t.inputs) == 1 or t.op.name == "broadcast_like" else None


def _without(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    """Operands before their broadcast, where another one has the shape of the result."""
    sources = [_source(i) for i in inputs]
    whole = [s is None and i.spec.shape == t.spec.shape for s, i in zip(sources, inputs)]
    if not any(whole) or all(s is None for s in sources):
        return None
    taken = tuple(i if s is None else s for s, i in zip(sources, inputs))
    return make(t.op, taken, t.params, t)  # type: ignore[arg-type]


def _after(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    """The op on what is broadcast, then the broadcast."""
    sources = [_source(i) for i in inputs]
    spread = next((i for s, i in zip(sources, inputs) if s is not None), None)
    if spread is None or spread.spec.shape != t.spec.shape:
        return None
    taken = tuple(i if s is None else s for s, i in zip(sources, inputs))
    if any(s is None and i.ndim for s, i in zip(sources, inputs)):
        return None
    small = broadcast(*(i.spec.shape for i in taken))
    if small == t.spec.shape:
        return None
    op: Any = t.op
    made = make(op, taken, t.params, t, spec=op.infer(*(i.spec for i in taken), **t.params))
    return make(spread.op, (made, *spread.inputs[1:]), spread.params, t)  # type: ignore[arg-type]


def _expanded(t: Tensor, x: Tensor) -> Tensor | None:
    """A new axis for what is broadcast, then the broadcast."""
    source = _source(x)
    if source is None or x.op is None or x.op.name != "broadcast_like" or not _whole_rank(source, x):
        return None
    axis = t.params["axis"]
    if not source.ndim:
        return make(x.op, (source, ops.expand_dims(x.inputs[1], axis)), {}, t)
    return make(x.op, (ops.expand_dims(source, axis), ops.expand_dims(x.inputs[1], axis)), {}, t)


def _whole_rank(source: Tensor, x: Tensor) -> bool:
    """Whether the axes of what is broadcast are those of the result: all, or none."""
    return source.ndim in (0, x.ndim)
