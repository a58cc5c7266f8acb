"""Rewrites that make a graph smaller without changing a bit of its result."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .rewrite import Rule, again, constant, make, rebuild

FOLDABLE = 4096


def simplify(graph: Graph) -> Graph:
    """The graph without aliases, casts to the same dtype, broadcasts to the same shape, and products with one;
    constants are folded, chains of transposes and reshapes joined."""
    return rebuild(graph, _rule)


def _rule(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    folded = _fold(t, inputs)
    if folded is not None:
        return folded
    rule = _RULES.get(t.op.name)  # type: ignore[union-attr]
    return rule(t, inputs) if rule else None


def _fold(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    """The value of an operation on small constants."""
    op: Any = t.op
    known = all(i.value is not None and i.op is None and not i.requires_grad for i in inputs)
    if not known or not inputs or op.many or op.apply or op.family in ("control", "custom"):
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


def _is(t: Tensor, number: int) -> bool:
    return t.op is None and t.value is not None and t.value.shape == () and bool(t.value == number)


def _neutral(number: int, left: bool) -> Rule:
    """x op number is x; also number op x where `left`."""

    def rule(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
        a, b = inputs
        if _is(b, number):
            return _same_spec(t, (a,))
        return _same_spec(t, (b,)) if left and _is(a, number) else None

    return rule


def _undone(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
    """f(f(x)) is x."""
    x = inputs[0]
    return x.inputs[0] if x.op is t.op else None


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
    if x.op is not None and x.op.name in ("reshape", "reshape_like"):
        return again(t, (x.inputs[0], *inputs[1:]))
    return None


_RULES: dict[str, Callable[[Tensor, tuple[Tensor, ...]], Tensor | None]] = {
    "alias": _first,
    "stop_gradient": _first,
    "cast": _same_spec,
    "unbroadcast": _same_spec,
    "broadcast_like": _same_spec,
    "subtract": _neutral(0, left=False),
    "multiply": _neutral(1, left=True),
    "divide": _neutral(1, left=False),
    "negative": _undone,
    "transpose": _transposes,
    "reshape": _reshapes,
    "reshape_like": _reshapes,
}
