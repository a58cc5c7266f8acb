"""Rewrites that make a graph smaller: what an op does to constants, to the result of an op that it undoes or joins, or
to an operand that changes nothing. NaN and infinities come out as before, so `x * 0` stays; and signed zeros,
except those of sums."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..engine.graph import Graph
from ..engine.tensor import Tensor, recording, tracing
from .algebra import RULES as ALGEBRA
from .rewrite import Rule, again, constant, make, rebuild

FOLDABLE = 4096
# A rule may make what another one rewrites; each round goes one step further up a chain.
_ROUNDS = 8


def simplify(graph: Graph) -> Graph:
    """The graph without aliases, casts and broadcasts that change nothing; constants are folded, chains of transposes,
    reshapes, casts and sums joined, arithmetic written with fewer and cheaper ops."""
    with tracing(None), recording(False):
        for _ in range(_ROUNDS):
            before = graph
            graph = rebuild(before, _rule(before))
            if all(a is b for a, b in zip(before.outputs, graph.outputs)):
                break
    return graph


def _rule(graph: Graph) -> Rule:
    uses: dict[Tensor, int] = dict.fromkeys(graph.outputs, 2)
    for t in graph.operations:
        for i in t.inputs:
            uses[i] = uses.get(i, 0) + 1

    def rule(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
        op: Any = t.op
        folded = _fold(t, inputs)
        if folded is not None:
            return folded
        if op.name == "sum":
            return _sums(t, inputs, alone=uses[t.inputs[0]] == 1)
        found = _RULES.get(op.name)
        return found(t, inputs) if found else None

    return rule


def _fold(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    """The value of an operation on small constants."""
    op: Any = t.op
    known = all(i.value is not None and i.op is None and not i.requires_grad for i in inputs)
    if not known or not inputs or op.many or op.apply or op.family in ("control", "custom", "loop", "branch"):
        return None
    if any(i.value.size > FOLDABLE for i in inputs):
        return None
    with np.errstate(all="ignore"):
        value = np.asarray(op.eval(*[i.value for i in inputs], **t.params))
    return constant(value) if value.size <= FOLDABLE else None


def _first(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor:
    return inputs[0]


def _same_spec(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    x = inputs[0].spec
    return inputs[0] if (x.shape, x.dtype) == (t.spec.shape, t.spec.dtype) else None


# --- conversions and views


def _casts(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    """A cast to the same dtype is nothing; of two casts the first may go if it keeps every number."""
    x = inputs[0]
    if x.spec.dtype == t.spec.dtype:
        return x
    if x.op is not t.op or not _keeps(x.inputs[0].spec.dtype, x.spec.dtype):
        return None
    found = _casts(t, x.inputs)
    return make(t.op, x.inputs, t.params, t) if found is None else found  # type: ignore[arg-type]


def _keeps(old: np.dtype[Any], new: np.dtype[Any]) -> bool:
    """Whether each number of one dtype has its place in another. NumPy calls int64 to float64 safe, which rounds."""
    rounds = old.kind in "iu" and new.kind == "f" and old.itemsize >= new.itemsize
    return np.can_cast(old, new, "safe") and not rounds


def _transposes(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    x, axes = inputs[0], t.params["axes"]
    if x.op is t.op:
        x, axes = x.inputs[0], tuple(x.params["axes"][k] for k in axes)
    if axes == tuple(range(len(axes))):
        return x
    return None if x is inputs[0] else make(t.op, (x,), {"axes": axes}, t)  # type: ignore[arg-type]


def _reshapes(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    same = _same_spec(t, inputs)
    if same is not None:
        return same
    x = inputs[0]
    if x.op is not None and x.op.name in ("reshape", "reshape_like", "expand_dims", "squeeze"):
        return again(t, (x.inputs[0], *inputs[1:]))
    return None


def _pieces(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    """A piece of a sum is the sum of the pieces, which fuses with what is done to them."""
    split = inputs[0]
    whole = split.inputs[0] if split.op is not None and split.op.name == "split" else None
    if whole is None or whole.op is None or whole.op.name not in ("add", "subtract"):
        return None
    if any(i.spec != whole.spec for i in whole.inputs):
        return None
    specs: Any = split._spec
    parts = [make(split.op, (i,), split.params, split, spec=specs) for i in whole.inputs]  # type: ignore[arg-type]
    return make(whole.op, tuple(make(t.op, (part,), t.params, t) for part in parts), whole.params, t)  # type: ignore[arg-type]


def _ones(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    """A single one is a constant."""
    return constant(np.ones((), t.spec.dtype)) if t.spec.shape == () else None


def _chosen(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    """`where` with one condition for all elements, or with the same on both sides."""
    condition, a, b = inputs
    known = condition.value if condition.op is None else None
    if known is not None and known.size and (known.all() or not known.any()):
        return _same_spec(t, (a if known.all() else b,))
    return _same_spec(t, (a,)) if a is b else None


# --- sums


def _sums(t: Tensor, inputs: tuple[Tensor, ...], alone: bool) -> Tensor | None:
    x, axis, keepdims = inputs[0], t.params["axis"], t.params["keepdims"]
    if not axis:
        return _same_spec(t, inputs)
    op = x.op
    if op is None:
        return None
    if op.name == "ones_like" and len(axis) == x.ndim and not keepdims:
        return ops.cast(ops.size_of(x.inputs[0]), t.spec.dtype)
    if op.name == "negative" and x.spec.dtype.kind == "f":
        return make(op, (make(t.op, x.inputs, t.params, t),), {}, t)  # type: ignore[arg-type]
    if op is t.op and alone and x.spec.dtype.kind == "f":
        return _sum_of_sum(t, x, axis, keepdims)
    return None


def _sum_of_sum(t: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor | None:
    """The sum of a sum over other axes is one over both."""
    first: tuple[int, ...] = x.params["axis"]
    if x.params["keepdims"] != keepdims:
        return None
    left = [k for k in range(x.inputs[0].ndim) if keepdims or k not in first]
    both = tuple(sorted({*first, *(left[k] for k in axis)}))
    return make(t.op, x.inputs, {"axis": both, "keepdims": keepdims}, t)  # type: ignore[arg-type]


_RULES: dict[str, Callable[[Tensor, tuple[Tensor, ...]], Tensor | None]] = {
    "alias": _first,
    "stop_gradient": _first,
    "copy": _first,
    "positive": _first,
    "cast": _casts,
    "unbroadcast": _same_spec,
    "broadcast_like": _same_spec,
    "pick": _pieces,
    "transpose": _transposes,
    "reshape": _reshapes,
    "reshape_like": _reshapes,
    "ones_like": _ones,
    "where": _chosen,
    **ALGEBRA,
}
