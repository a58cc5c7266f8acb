"""Ops that put elements elsewhere, as moves between views: join, split, pad, roll, repeat, shift, diagonals."""

import itertools
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ..machine.memory import View
from .bind import Binding
from .expression import cast_body
from .loops import elementwise
from .moves import part


def fill(b: Binding, target: View, number: Any = 0) -> None:
    """Write one number everywhere."""
    b.move(b.constant(np.asarray(number, target.dtype)), target)


def converted(b: Binding, view: View, dtype: Any) -> View:
    """A view of elements of that dtype, converted where they are not."""
    if view.dtype == dtype:
        return view
    target = b.fresh(view.shape, dtype)
    b.run(elementwise(cast_body(dtype), [view], [target], view.shape, "cast"), [view, target])
    return target


def lower_join(b: Binding, t: Tensor) -> bool:
    """Concatenation writes each part into its place; a split is views."""
    op: Any = t.op
    if op.name == "concatenate":
        return _concatenate(b, t, t.params["axis"])
    x, axis = b.view(t.inputs[0]), t.params["axis"]
    start = 0
    for k, spec in enumerate(b.specs[t]):
        b.place((t, k), part(x, axis, start, spec.shape[axis]))
        start += spec.shape[axis]
    return True


def _concatenate(b: Binding, t: Tensor, axis: int) -> bool:
    dtype = t.spec.dtype
    if any(i.spec.dtype != dtype and np.float16 in (i.spec.dtype, dtype) for i in t.inputs):
        return False
    target, start = b.result(t), 0
    for i in t.inputs:
        size = b.spec(i).shape[axis]
        place = part(target, axis, start, size)  # type: ignore[arg-type]
        if i.spec.dtype == dtype:
            b.land(i, t, place)
        else:
            b.move(converted(b, b.view(i), dtype), place)
        start += size  # type: ignore[operator]
    return True


def lower_pad(b: Binding, t: Tensor) -> bool:
    """The margins are filled, one axis after the other; the inside is moved."""
    inside = b.result(t)
    for axis, (before, after) in enumerate(t.params["widths"]):
        size = inside.shape[axis]
        for start, width in ((0, before), (size - after, after)):
            fill(b, part(inside, axis, start, width), t.params["value"])
        inside = part(inside, axis, before, size - before - after)
    b.land(t.inputs[0], t, inside)
    return True


def lower_roll(b: Binding, t: Tensor) -> bool:
    """Each rolled axis falls into two pieces that change places."""
    x, target = b.view(t.inputs[0]), b.result(t)
    shifts: dict[int, int] = {}
    for axis, shift in zip(t.params["axis"], t.params["shift"]):
        shifts[axis] = (shifts.get(axis, 0) + shift) % max(x.shape[axis], 1)
    pieces = [((0, s, x.shape[k] - s), (x.shape[k] - s, 0, s)) for k, s in shifts.items()]
    for chosen in itertools.product(*pieces):
        source, place = x, target
        for axis, (of, to, size) in zip(shifts, chosen):
            source, place = part(source, axis, of, size), part(place, axis, to, size)
        b.move(source, place)
    return True


def repeated(b: Binding, t: Tensor) -> bool:
    """An axis of the repetitions behind the one that is repeated."""
    x, axis, repeats = b.view(t.inputs[0]), t.params["axis"], t.params["repeats"]
    shape = (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :])
    strides = (*x.strides[: axis + 1], 0, *x.strides[axis + 1 :])
    target = b.result(t).reshaped(shape)
    assert target is not None
    b.move(x._replace(shape=shape, strides=strides), target)
    return True


def shifted(b: Binding, t: Tensor) -> bool:
    """All but one place move by one, and one is filled."""
    x, target = b.view(t.inputs[0]), b.result(t)
    axis, step = t.params["axis"], t.params["step"]
    size = x.shape[axis]
    if not size:
        return True
    fill(b, part(target, axis, 0 if step > 0 else size - 1, 1), t.params["fill"])
    of, to = (0, 1) if step > 0 else (1, 0)
    b.move(part(x, axis, of, size - 1), part(target, axis, to, size - 1))
    return True


def lower_diagonal(b: Binding, t: Tensor) -> bool:
    """A diagonal is a view; on a diagonal, elements are moved into zeros."""
    op: Any = t.op
    if op.name == "diagonal":
        view = b.view(t.inputs[0]).apply(lambda ghost: np.diagonal(ghost, **t.params))
        if view is not None:
            b.place(t, view)
        return view is not None
    target = b.result(t)
    fill(b, target)
    place = target.apply(lambda ghost: np.diagonal(ghost, **t.params))
    assert place is not None
    b.move(b.view(t.inputs[0]), place)
    return True
