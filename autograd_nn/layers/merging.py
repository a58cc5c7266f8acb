"""Layers that make one tensor of several: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot."""

import functools
from typing import Any

from .. import ops
from ..config import epsilon
from ..engine.signatures import suggest_calls
from ..engine.spec import Shape, broadcast, normal_axis, show_shape
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from ..saving.registry import register
from .layer import Layer


class Merge(Layer):
    """Base of layers that take a list of tensors; a subclass defines `_merge(tensors)`."""

    _count: int | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """A merge layer has no weights; whether the shapes fit is checked at every call."""

    def call(self, inputs: Any) -> Any:
        kind = type(self).__name__
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise ArgumentTypeError(f"layer {self.name!r} expects a list of tensors; write {kind}()([a, b])")
        if self._count is not None and len(inputs) != self._count:
            raise ArgumentTypeError(f"layer {self.name!r} expects exactly {self._count} tensors, got {len(inputs)}")
        return self._merge(self._fitted(list(inputs)))

    def _merge(self, tensors: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def _fitted(self, tensors: list[Tensor]) -> list[Tensor]:
        """The tensors with as many axes each, new ones after the batch; ShapeError unless they broadcast."""
        ndim = max(t.ndim for t in tensors)
        # A batch of one, as a state shared by all samples, broadcasts.
        batches = {t.spec.shape[0] for t in tensors if t.ndim and isinstance(t.spec.shape[0], int)} - {1}
        spread = [tuple(range(1, 1 + ndim - t.ndim)) for t in tensors]
        shapes = [_with_ones(t.spec.shape, len(axes)) for t, axes in zip(tensors, spread)]
        try:
            broadcast(*[shape[1:] for shape in shapes])
        except ShapeError:
            raise self._misfit(tensors, "shapes that broadcast") from None
        if len(batches) > 1:
            raise self._misfit(tensors, "one batch size")
        return [ops.expand_dims(t, axes) if axes else t for t, axes in zip(tensors, spread)]

    def _misfit(self, tensors: list[Tensor], expected: str) -> ShapeError:
        shown = ", ".join(show_shape(t.spec.shape) + (f" from {t.name!r}" if t.name else "") for t in tensors)
        return ShapeError(f"layer {self.name!r} expects {expected}, got {shown}")

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Steps that count in one of the inputs; None unless all inputs have masks."""
        masks = previous_mask if isinstance(previous_mask, (list, tuple)) else [previous_mask]
        if any(mask is None for mask in masks):
            return None
        return functools.reduce(ops.logical_or, masks)


def _with_ones(shape: Shape, count: int) -> Shape:
    return (*shape[:1], *[1] * count, *shape[1:])


@register()
class Add(Merge):
    """The sum of the inputs, which broadcast.

    >>> import autograd_nn as ag
    >>> ag.layers.Add()([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[3.0]]
    """

    def _merge(self, tensors: list[Tensor]) -> Tensor:
        return functools.reduce(ops.add, tensors)


@register()
class Subtract(Merge):
    """The first of two inputs minus the second.

    >>> import autograd_nn as ag
    >>> ag.layers.Subtract()([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[-1.0]]
    """

    _count = 2

    def _merge(self, tensors: list[Tensor]) -> Tensor:
        return ops.subtract(*tensors)


@register()
class Multiply(Merge):
    """The product of the inputs, element by element.

    >>> import autograd_nn as ag
    >>> ag.layers.Multiply()([ag.tensor([[3.0]]), ag.tensor([[2.0]])]).tolist()
    [[6.0]]
    """

    def _merge(self, tensors: list[Tensor]) -> Tensor:
        return functools.reduce(ops.multiply, tensors)


@register()
class Average(Merge):
    """The mean of the inputs.

    >>> import autograd_nn as ag
    >>> ag.layers.Average()([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[1.5]]
    """

    def _merge(self, tensors: list[Tensor]) -> Tensor:
        return functools.reduce(ops.add, tensors) / len(tensors)


@register()
class Maximum(Merge):
    """The largest of the inputs, element by element; at a tie the gradient is split.

    >>> import autograd_nn as ag
    >>> ag.layers.Maximum()([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[2.0]]
    """

    def _merge(self, tensors: list[Tensor]) -> Tensor:
        return functools.reduce(ops.maximum, tensors)


@register()
class Minimum(Merge):
    """The smallest of the inputs, element by element; at a tie the gradient is split.

    >>> import autograd_nn as ag
    >>> ag.layers.Minimum()([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[1.0]]
    """

    def _merge(self, tensors: list[Tensor]) -> Tensor:
        return functools.reduce(ops.minimum, tensors)


@register()
class Concatenate(Merge):
    """The inputs one after the other along `axis`; all other sizes must be equal.

    >>> import autograd_nn as ag
    >>> ag.layers.Concatenate()([ag.tensor([[1.0]]), ag.tensor([[2.0, 3.0]])]).tolist()
    [[1.0, 2.0, 3.0]]
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def _fitted(self, tensors: list[Tensor]) -> list[Tensor]:
        axis = normal_axis(self.axis, tensors[0].ndim, f"layer {self.name!r}")
        if len({t.ndim for t in tensors}) > 1:
            raise self._misfit(tensors, "inputs with equally many axes")
        rest = [tuple(size for k, size in enumerate(t.spec.shape) if k != axis) for t in tensors]
        for sizes in zip(*rest):
            if len({size for size in sizes if isinstance(size, int)}) > 1:
                raise self._misfit(tensors, f"equal sizes on all axes but {self.axis}")
        return tensors

    def _merge(self, tensors: list[Tensor]) -> Tensor:
        return ops.concatenate(tensors, axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The masks of the inputs one after the other, inputs without one counting fully."""
        if previous_mask is None or all(mask is None for mask in previous_mask):
            return None
        whole = [_whole_mask(t, mask) for t, mask in zip(inputs, previous_mask)]
        return ops.any(ops.concatenate(whole, axis=self.axis), axis=-1)


def _whole_mask(t: Tensor, mask: Tensor | None) -> Tensor:
    """A mask of the shape of t."""
    if mask is None:
        return ops.ones_like(t, dtype="bool")
    wide = mask
    while wide.ndim < t.ndim:
        wide = ops.expand_dims(wide, -1)
    return ops.logical_or(wide, ops.zeros_like(t, dtype="bool"))


@register()
class Dot(Merge):
    """The sum of products of two inputs along an axis of each.

    axes:      the axis, or one per input; the batch axis 0 cannot be among them
    normalize: divide both by their lengths along it first, which gives the cosine

    Inputs of shapes (batch, a..., n) and (batch, b..., n) give (batch, a..., b...); two vectors give (batch, 1).
    Raises ShapeError unless the two sizes are equal.

    >>> import autograd_nn as ag
    >>> ag.layers.Dot(axes=1)([ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0, 4.0]])]).tolist()
    [[11.0]]
    """

    _count = 2

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        pair = (axes, axes) if isinstance(axes, int) else axes
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(isinstance(axis, int) for axis in pair):
            raise ArgumentTypeError(f"Dot: axes must be an int or two ints, got {short(axes)}")
        if 0 in pair:
            raise InvalidArgument(f"Dot: axes must not hold the batch axis 0, got {short(axes)}")
        super().__init__(**kwargs)
        self.axes = axes
        self.normalize = normalize

    def _axes(self, tensors: list[Tensor]) -> list[int]:
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        return [normal_axis(axis, t.ndim, f"layer {self.name!r}") for axis, t in zip(pair, tensors)]

    def _fitted(self, tensors: list[Tensor]) -> list[Tensor]:
        if any(t.ndim < 2 for t in tensors):
            raise self._misfit(tensors, "at least 2 axes in each input")
        sizes = [t.spec.shape[axis] for t, axis in zip(tensors, self._axes(tensors))]
        if all(isinstance(size, int) for size in sizes) and sizes[0] != sizes[1]:
            raise self._misfit(tensors, f"equal sizes along axes {self.axes}")
        return tensors

    def _merge(self, tensors: list[Tensor]) -> Tensor:
        axes = self._axes(tensors)
        if self.normalize:
            tensors = [_unit(t, axis) for t, axis in zip(tensors, axes)]
        a, b = (_rows(t, axis) for t, axis in zip(tensors, axes))
        product = ops.matmul(a, ops.swapaxes(b, 1, 2))
        kept = [_others(t, axis) for t, axis in zip(tensors, axes)]
        if not kept[0] and not kept[1]:
            return ops.squeeze(product, 2)
        return ops.reshape(product, (ops.shape(product)[0], *kept[0], *kept[1]))

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None


def _others(t: Tensor, axis: int) -> list[Any]:
    """The sizes of t without batch and axis."""
    return [size for k, size in enumerate(ops.shape(t)) if k not in (0, axis)]


def _rows(t: Tensor, axis: int) -> Tensor:
    """t as (batch, rows, n), where n is the size of the axis."""
    last = ops.moveaxis(t, axis, -1)
    sizes = ops.shape(last)
    return ops.reshape(last, (sizes[0], -1, sizes[-1])) if t.ndim != 3 else last


def _unit(t: Tensor, axis: int) -> Tensor:
    squares = ops.sum(ops.square(t), axis=axis, keepdims=True)
    return t / ops.sqrt(ops.maximum(squares, epsilon() ** 2))


def add(inputs: Any, **kwargs: Any) -> Any:
    """`Add(**kwargs)(inputs)`: the sum of the inputs.

    >>> import autograd_nn as ag
    >>> ag.layers.add([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[3.0]]
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """`Subtract(**kwargs)(inputs)`: the first of two inputs minus the second.

    >>> import autograd_nn as ag
    >>> ag.layers.subtract([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[-1.0]]
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """`Multiply(**kwargs)(inputs)`: the product of the inputs.

    >>> import autograd_nn as ag
    >>> ag.layers.multiply([ag.tensor([[3.0]]), ag.tensor([[2.0]])]).tolist()
    [[6.0]]
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """`Average(**kwargs)(inputs)`: the mean of the inputs.

    >>> import autograd_nn as ag
    >>> ag.layers.average([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[1.5]]
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """`Maximum(**kwargs)(inputs)`: the largest of the inputs.

    >>> import autograd_nn as ag
    >>> ag.layers.maximum([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[2.0]]
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """`Minimum(**kwargs)(inputs)`: the smallest of the inputs.

    >>> import autograd_nn as ag
    >>> ag.layers.minimum([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[1.0]]
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`: the inputs one after the other.

    >>> import autograd_nn as ag
    >>> ag.layers.concatenate([ag.tensor([[1.0]]), ag.tensor([[2.0]])]).tolist()
    [[1.0, 2.0]]
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot(axes, **kwargs)(inputs)`: the sum of products of two inputs along an axis of each.

    >>> import autograd_nn as ag
    >>> ag.layers.dot([ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0, 4.0]])], axes=1).tolist()
    [[11.0]]
    """
    return Dot(axes=axes, **kwargs)(inputs)


suggest_calls(globals())
