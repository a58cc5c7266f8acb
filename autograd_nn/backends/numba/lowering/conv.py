"""Convolution and its two gradients: loops around the register tile of sliding windows, without a copy of windows.

Forward, a row of the tile is an output, a column a filter, and the sum runs over channels and taps. For the gradient
in the input, a row is an element of the input, a column a channel, and the sum runs over filters and taps. For the
gradient in the kernel, a row is a channel, a column a filter, and the sum runs over outputs, in parts whose size does
not depend on the number of threads. See Georganas et al. 2019, High-Performance Deep Learning via a Single Building
Block. With one channel per group a column is a channel: the depthwise convolution.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ....engine.tensor import Tensor
from ....ops.convolution import conv, conv_correlate
from ....ops.windows import Window
from ..machine.memory import View, row_major, whole
from .arrange import converted, fill
from .bind import Binding
from .ending import Ending, followed
from .expression import copy_body
from .reduce import reduce
from .slide import Axis, Steps, across_batch, correlate, gather, scatter
from .slide_kernel import Job, Matrix, Places, height, matrix, panel, slide

# Below how many rows along the last axis the images are the rows; row blocks of one strip then.
_FEW_ROWS, _BLOCKS = 6, 4
# Below how many channels an input is padded along its last axis, so that taps beside each other are one of more depth.
_FEW_CHANNELS = 16
# How many tiles of work there are at least, where there is enough of it; bytes of B above which one has one panel.
_TILES, _LARGE = 16, 1 << 18
# Of a sum over places: bytes that a strip reads, places of a row where they are free, bytes of all parts.
_STRIP, _ROW, _MOST_PARTS = 1 << 15, 128, 1 << 25


class _Shape(NamedTuple):
    """A convolution: channels and filters are those of one group."""

    axes: tuple[Axis, ...]
    groups: int
    channels: int
    filters: int

    @classmethod
    def of(cls, window: Window, x: tuple[int, ...], kernel: tuple[int, ...], groups: int) -> "_Shape":
        """That of a convolution of arrays of these shapes."""
        return cls(axes_of(window, x), groups, kernel[-2], kernel[-1] // groups)

    @property
    def each(self) -> bool:
        """Whether every group has one channel, so that columns are channels."""
        return self.channels == 1 and self.groups > 1

    @property
    def pointwise(self) -> bool:
        return all(axis == Axis(axis.given, axis.given, 1, axis.dilation, 0, 1) for axis in self.axes)


def lower_convolution(b: Binding, t: Tensor) -> bool:
    """A convolution, one of its gradients, or its transpose."""
    dtype = t.spec.dtype
    if dtype.kind != "f":
        return False
    first, second = (converted(b, b.view(i), dtype) for i in t.inputs[:2])
    if not first.size or not second.size:
        b.place(t, b.constant(np.zeros((), dtype)).broadcast(b.spec(t).shape))  # type: ignore[arg-type]
        return True
    shape: Any = b.spec(t).shape
    if not math.prod(shape):
        b.result(t)
        return True
    window, groups = t.params["window"], t.params.get("groups", 1)
    if t.op is conv_correlate.op:
        _to_kernel(b, first, second, b.result(t), _Shape.of(window, first.shape, shape, groups))
        return True
    forward = t.op is conv.op
    what = _Shape.of(window, first.shape if forward else shape, second.shape, groups)
    if not forward and what.each and what.filters > 1:
        _to_input_of_many(b, first, second, b.result(t), what)
        return True
    return followed(b, t, partial(_forward if forward else _to_input, b, first, second, what))


def axes_of(window: Window, shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """How a window slides along the spatial axes of an input."""
    sizes = shape[1:-1]
    return tuple(
        Axis(size, made, window.strides[k], window.dilation[k], window.pads(k, size)[0], window.size[k])
        for k, (size, made) in enumerate(zip(sizes, window.outs(sizes)))
    )


# --- forward


def _forward(b: Binding, x: View, kernel: View, shape: _Shape, target: View, ending: Ending | None) -> None:
    if shape.each:
        x = _repeated(b, x, shape.filters)
    elif shape.pointwise:
        x, target, shape = _places_as_images(x, target, shape)
    else:
        x, shape = _padded(b, x, shape)
    _run(b, x, kernel, target, shape, False, ending)


def _to_input(b: Binding, g: View, kernel: View, shape: _Shape, target: View, ending: Ending | None) -> None:
    """The gradient in the input, and the transpose."""
    if shape.each:
        g = _repeated(b, g, 1)
    elif shape.pointwise:
        g, target, shape = _places_as_images(g, target, shape)
    _run(b, g, kernel, target, shape, True, ending)


def _to_input_of_many(b: Binding, g: View, kernel: View, target: View, shape: _Shape) -> None:
    """The gradient in an input of which each channel has several filters: that of each alone, then their sum."""
    alone = shape._replace(groups=shape.groups * shape.filters, filters=1)
    every = b.fresh((*target.shape, shape.filters), target.dtype)
    _to_input(b, g, kernel, alone, whole(every.buffer, (*target.shape[:-1], g.shape[-1]), every.dtype), None)
    reduce(b, "add", copy_body(), [every], every.shape, (len(every.shape) - 1,), target, "add of multiples")


def _run(b: Binding, a: View, kernel: View, target: View, shape: _Shape, backward: bool, ending: Ending | None) -> None:
    """The kernel of a sum over channels and taps, by a plan for the sizes."""
    right = matrix(b, _weights(b, kernel, shape, backward))
    steps = _steps(a, target, right, shape, backward)
    sizes = [axis.given if backward else axis.made for axis in shape.axes]
    batch, count, images = a.shape[0], math.prod(sizes), a.shape[0]
    total = batch * count
    if shape.axes[-1].made < min(_FEW_ROWS, batch):
        rows = height() * (_BLOCKS if total >= _TILES * _BLOCKS * height() else 1)
        plan = across_batch(shape.axes, steps, batch, rows, a.steps()[0], target.steps()[0], backward)
        images, places = 1, Places(total, rows, 0, 1, rows * count, -(-batch // rows), count)
    else:
        plan = (scatter if backward else gather)(shape.axes, steps)
        places = Places(total, sizes[-1], count, sizes[-1], 0, 1, 1)
    units = images * len(plan.strips)
    large = right.nbytes > _LARGE
    cut = (units < _TILES or large) and (ending is None or right.groups == 1)
    split = 1 if cut else right.panels
    per = max(1, min(_TILES, units * right.panels // (4 * _TILES))) if large else 1
    group = a.shape[-1] // right.groups * a.steps()[-1]
    job = Job(
        images=images, per=per, split=split, sums=0,
        a_image=a.steps()[0], a_group=group, a_panel=right.width * a.steps()[-1] if shape.each else 0,
        a_k=steps.a_depth, b_image=0, c_image=target.steps()[0], c_part=0, c_group=right.columns,
    )  # fmt: skip
    slide(b, job, plan, a, right, target, shape.each, ending, places)


def _steps(a: View, target: View, right: Matrix, shape: _Shape, backward: bool) -> Steps:
    taps = row_major([axis.taps for axis in shape.axes], right.tap)
    a_steps, c_steps = a.steps()[1:-1], target.steps()[1:-1]
    if shape.each:
        return Steps(a_steps, c_steps, taps, shape.axes[-1].dilation * a_steps[-1], right.row, 1)
    return Steps(a_steps, c_steps, taps, a.steps()[-1], right.row, shape.filters if backward else shape.channels)


def _weights(b: Binding, kernel: View, shape: _Shape, backward: bool) -> View:
    """The kernel as (groups, taps, what is summed, columns)."""
    kernel = kernel if kernel.contiguous else b.copied(kernel)
    size, filters = kernel.dtype.itemsize, shape.groups * shape.filters
    taps, step = math.prod(kernel.shape[:-2]), shape.channels * filters * size
    if shape.each:
        return kernel._replace(shape=(1, taps, 1, filters), strides=(0, step, step, size))
    sizes, strides = (shape.channels, shape.filters), (filters * size, size)
    order = -1 if backward else 1
    return kernel._replace(
        shape=(shape.groups, taps, *sizes[::order]), strides=(shape.filters * size, step, *strides[::order])
    )


def _repeated(b: Binding, x: View, times: int) -> View:
    """Each channel several times, the channels one after the other."""
    if times == 1:
        return x if x.steps()[-1] == 1 else b.copied(x)
    apart = x._replace(shape=(*x.shape, 1), strides=(*x.strides, 0)).broadcast((*x.shape, times))
    return whole(b.copied(apart).buffer, (*x.shape[:-1], x.shape[-1] * times), x.dtype)


def _places_as_images(a: View, target: View, shape: _Shape) -> tuple[View, View, _Shape]:
    """A window of one element sees each place as an image of its own."""
    count = math.prod(a.shape[:-1])
    joined = a.reshaped((count, 1, a.shape[-1]))
    if joined is None:
        return a, target, shape
    made = whole(target.buffer, (count, 1, target.shape[-1]), target.dtype)
    return joined, made, shape._replace(axes=(Axis(1, 1, 1, 1, 0, 1),))


def _padded(b: Binding, x: View, shape: _Shape) -> tuple[View, _Shape]:
    """An input of few channels with its padding along the last axis, where outputs read beyond it."""
    *outer, last = shape.axes
    if x.shape[-1] >= _FEW_CHANNELS or shape.groups > 1 or not last.clipped():
        return x, shape
    size = max(last.source(last.taps - 1, last.made - 1) + 1 + last.before, last.given + last.before)
    target = b.fresh((*x.shape[:-2], size, x.shape[-1]), x.dtype)
    fill(b, target)
    b.move(x, target._replace(shape=x.shape, offset=last.before * target.strides[-2]))
    return target, shape._replace(axes=(*outer, last._replace(given=size, before=0)))


def _places_in_rows(x: View, g: View, shape: _Shape) -> tuple[View, View, _Shape]:
    """A window of one element sees all places in rows of a length that the first cache holds."""
    count = math.prod(x.shape[:-1])
    length = max(n for n in range(1, _ROW + 1) if count % n == 0)
    rows = [view.reshaped((count // length, length, view.shape[-1])) for view in (x, g)]
    if rows[0] is None or rows[1] is None:
        return x, g, shape
    return rows[0], rows[1], shape._replace(axes=(Axis(length, length, 1, 1, 0, 1),))


# --- the gradient in the kernel


def _to_kernel(b: Binding, x: View, g: View, target: View, shape: _Shape) -> None:
    if shape.each:
        x = _repeated(b, x, shape.filters)
    elif shape.pointwise:
        x, g, shape = _places_in_rows(x, g, shape)
    else:
        x, shape = _padded(b, x, shape)
    g = g if g.steps()[-1] == 1 else b.copied(g)
    last, along = shape.axes[-1], x.steps()[-1]
    across = last.dilation * x.steps()[-2]
    rows = 1 if shape.each else shape.channels
    joined = not last.clipped() and (rows == 1 or across == rows * along)
    right = _columns(g, shape)
    filters = shape.groups * shape.filters
    taps = row_major([axis.taps for axis in shape.axes], shape.channels * filters)
    depth = last.stride * x.steps()[-2]
    steps = Steps(x.steps()[1:-1], g.steps()[1:-1], taps, depth, g.steps()[-2], 1)
    strips = _strips(x, g, shape.axes)
    a_row = across if joined and rows == 1 else along
    plan = correlate(shape.axes, steps, rows, joined, strips, a_row, filters)
    units = x.shape[0] * strips
    parts = max(1, min(units, -(-_TILES // right.panels), _MOST_PARTS // (target.size * 8)))
    per = -(-units // parts)
    parts = -(-units // per)
    pieces = b.fresh((parts, *target.shape), target.dtype) if parts > 1 else target
    job = Job(
        images=x.shape[0], per=per, split=1, sums=1,
        a_image=x.steps()[0], a_group=shape.channels * along, a_panel=right.width * along if shape.each else 0,
        a_k=depth, b_image=g.steps()[0], c_image=0, c_part=target.size, c_group=shape.filters,
    )  # fmt: skip
    slide(b, job, plan, x, right, pieces, shape.each)
    if parts > 1:
        reduce(b, "add", copy_body(), [pieces], pieces.shape, (0,), target, "add of parts")


def _columns(g: View, shape: _Shape) -> Matrix:
    """The cotangent as the right operand: its places are what is summed."""
    groups, columns = (1, g.shape[-1]) if shape.each else (shape.groups, shape.filters)
    wide = panel(g.dtype)
    return Matrix(g, groups, columns, wide, columns, wide, 0, g.steps()[-2])


def _strips(x: View, g: View, axes: Sequence[Axis]) -> int:
    """Into how many strips an image is cut, so that what one reads about fits the first cache."""
    nbytes = (x.size // x.shape[0] + g.size // g.shape[0]) * x.dtype.itemsize
    return max(1, min(-(-nbytes // _STRIP), math.prod(axis.made for axis in axes[:-1])))
