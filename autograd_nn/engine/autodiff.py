"""The chain rule over nodes: cotangents flow from outputs to inputs through the ops' own rules."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import GradientError, ShapeError
from .convert import as_tensor
from .op import OPS, Op
from .spec import errstate
from .tensor import MODE, PICK, Tensor, describe, leaf, recording, scope, stale, unpack

_by_stamp = operator.attrgetter("stamp")


def _freed(*args: Any, **params: Any) -> Any:
    raise GradientError("this graph was freed by an earlier backward(); call that one with retain_graph=True")


FREED = Op("freed", eval=_freed, infer=_freed, vjp=_freed)
GRADIENT = object()  # the owner of the scope that gradients are recorded in


def reach(outputs: Sequence[Tensor]) -> list[Tensor]:
    """The tensors that gradients of `outputs` flow through, newest first."""
    seen = {t: None for t in outputs if t.requires_grad}
    stack = list(seen)
    while stack:
        for i in stack.pop().inputs:
            if i.requires_grad and i not in seen:
                seen[i] = None
                stack.append(i)
    return sorted(seen, key=_by_stamp, reverse=True)


def relevant(order: list[Tensor], wrt: Sequence[Tensor]) -> dict[Tensor, None]:
    """Those of `order` (newest first) that depend on a tensor in `wrt`, and these themselves."""
    found = dict.fromkeys(wrt)
    for t in reversed(order):
        if t not in found and any(i in found for i in t.inputs):
            found[t] = None
    return found


def pullback(
    outputs: Sequence[Tensor], cotangents: Sequence[Tensor], wrt: Sequence[Tensor], *, create_graph: bool = True
) -> list[Tensor | None]:
    """The cotangents of `wrt` for these cotangents of `outputs`; None where nothing depends on it.

    With `create_graph` the result is part of the graph and can be differentiated again.

    A cotangent c of a complex tensor z stands for the change Re(c dz), so that a holomorphic op has the rule of the
    real one; users are shown `facing` of it.
    """
    order = reach(outputs)
    paths = relevant(order, wrt)
    with recording(create_graph and MODE.recording), errstate(all="ignore"):
        found = _flow([t for t in order if t in paths], outputs, cotangents, paths, dict.fromkeys(wrt))
    return [found.get(t) for t in wrt]


def facing(g: Tensor) -> Tensor:
    """A cotangent as users know it, or back: of a complex tensor z of a real loss L it is dL/d re + i dL/d im, the
    direction in which L rises fastest, as in PyTorch; the rules pass on its conjugate."""
    return OPS["conj"].call(g) if g.dtype.kind == "c" else g  # type: ignore[misc]


def backward(output: Tensor, gradient: Any, retain_graph: bool, create_graph: bool) -> None:
    """`Tensor.backward`: adds to `.grad` of the leaves, then frees the nodes unless told to keep them."""
    if not output.requires_grad:
        raise GradientError(
            f"backward: {describe(output)} depends on no tensor with requires_grad; "
            "create one with ag.tensor(..., requires_grad=True)"
        )
    seed = facing(_seed(output, gradient))
    order = reach((output,))
    with recording(create_graph), errstate(all="ignore"):
        found = _flow(order, (output,), (seed,), None, None)
        owners = {} if MODE.trace is None else MODE.trace.owners(found)
        for t, g in found.items():
            g = facing(g)
            owner = owners.get(t, t)
            before = owner.grad
            owner.grad = g if before is None else before + g
    if not retain_graph and output.value is not None:
        for t in order:
            if t.inputs:
                t.inputs = ()
                t.op = FREED


def _seed(output: Tensor, gradient: Any) -> Tensor:
    if gradient is None:
        if output.value is not None and output.value.size != 1 or output.value is None and output.spec.shape != ():
            raise GradientError(
                f"backward needs a scalar, got {describe(output)}; reduce it with .sum() or pass gradient="
            )
        if output.dtype.kind == "c":
            raise GradientError(
                f"backward needs a real number, got {describe(output)} of {output.dtype}; take ops.abs, ops.real or "
                "ops.imag of it, or pass gradient="
            )
        return OPS["ones_like"].call(output)  # type: ignore[misc]
    seed = as_tensor(gradient, dtype=output.dtype)
    if seed.spec.shape != output.spec.shape and seed.value is not None and output.value is not None:
        raise ShapeError(
            f"backward: gradient has shape {seed.shape}, {describe(output)} expects the same shape as itself"
        )
    return seed


def _flow(
    order: list[Tensor],
    outputs: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    paths: dict[Tensor, None] | None,
    wrt: dict[Tensor, None] | None,
) -> dict[Tensor, Tensor]:
    """Walk `order` from the outputs; the cotangents of `wrt`, or of all leaves where it is None."""
    cots: dict[Tensor, Any] = {}
    for t, g in zip(outputs, cotangents):
        cots[t] = cots[t] + g if t in cots else g
    found: dict[Tensor, Tensor] = {}
    mode, before = MODE, MODE.site
    # Only nodes that are kept need to know the line of the node that they differentiate.
    keeps = mode.recording or any(t.value is None for t in outputs)
    join = operator.add if keeps else _sum_of_values
    try:
        with scope("gradient", GRADIENT):
            for t in order:
                g = cots.pop(t, None)
                if g is None:
                    continue
                if t in wrt if wrt is not None else t.op is None:
                    found[t] = g
                if t.op is None:
                    continue
                if keeps:
                    mode.site = t.site
                if t.op is PICK:
                    _collect(cots, t.inputs[0], t.params["index"], g)
                else:
                    _step(t, g, cots, paths, join)
    finally:
        mode.site = before
    return found


def _sum_of_values(a: Tensor, b: Tensor) -> Tensor:
    """The sum of two cotangents of one tensor, where nobody will differentiate it."""
    return leaf(a.value + b.value)


def _step(
    t: Tensor, g: Any, cots: dict[Tensor, Any], paths: dict[Tensor, None] | None, join: Callable[..., Tensor]
) -> None:
    """Add the cotangents of one node's inputs to `cots`."""
    op: Any = t.op
    inputs, params, stamp = t.inputs, t.params, t.stamp
    y: Any = t
    if op.many:
        y = unpack(t)
        g = _complete(y, g, op.gaps)
    rules = op.partials
    grads = op.vjp(g, y, *inputs, **params) if rules is None else rules
    for gi, i in zip(grads, inputs):
        if i.stamp > stamp:
            raise stale(t, i)
        if gi is None or not i.requires_grad or paths is not None and i not in paths:
            continue
        if rules is not None:
            gi = gi(g, y, *inputs, **params)
            if gi is None:
                continue
        gv, iv = gi.value, i.value
        if gv is None or iv is None or gv.shape != iv.shape or gv.dtype is not iv.dtype:
            gi = match(gi, i)
        before = cots.get(i)
        cots[i] = gi if before is None else join(before, gi)


def match(g: Tensor, like: Tensor) -> Tensor:
    """A cotangent with the shape and dtype of the tensor it belongs to: broadcasting undone, in one place."""
    gv, lv = g.value, like.value
    if gv is not None and lv is not None:
        if gv.shape == lv.shape and gv.dtype == lv.dtype:
            return g
    else:
        a, b = g.spec, like.spec
        if a.shape == b.shape and a.dtype == b.dtype:
            return g
    return OPS["unbroadcast"].call(g, like)  # type: ignore[misc]


def _collect(cots: dict[Tensor, Any], parent: Tensor, index: int, g: Tensor) -> None:
    """Add `g` to the cotangent of output `index` of a node with several."""
    slots = cots.setdefault(parent, [])
    slots.extend([None] * (index + 1 - len(slots)))
    slots[index] = g if slots[index] is None else slots[index] + g


def _complete(outputs: tuple[Tensor, ...], slots: list[Any], gaps: bool) -> tuple[Tensor | None, ...]:
    """One cotangent per output of a node with several; zeros, or None with `gaps`, where nothing depends on one."""
    slots = slots + [None] * (len(outputs) - len(slots))
    if gaps:
        return tuple(slots)
    return tuple(OPS["zeros_like"].call(y) if g is None else g for y, g in zip(outputs, slots))  # type: ignore[misc]
