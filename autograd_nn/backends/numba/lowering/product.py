"""Products as steps: matmul, and sums of products over named axes as one matmul between views."""

import math
from typing import Any, NamedTuple

import numpy as np

from ....engine.tensor import Tensor
from ..machine.memory import View, row_major
from .arrange import converted
from .bind import Binding, Deferred
from .expression import Body, copy_body
from .gemm import Produced, Product
from .loops import collapse
from .reduce import reduce

_PRODUCT = Body(("v2 = v0 * v1",), ("v2",), {})


def lower_product(b: Binding, t: Tensor) -> bool:
    """Matrix products and sums of products of floats."""
    op: Any = t.op
    if t.spec.dtype.kind != "f":
        return False
    if op.name == "matmul":
        left, right = (converted(b, b.view(i), t.spec.dtype) for i in t.inputs)
        return b.defer(t, _matmul(b, left, right, b.spec(t).shape))  # type: ignore[arg-type]
    return op.name == "einsum" and _einsum(b, t)


def _matmul(b: Binding, left: View, right: View, shape: tuple[int, ...]) -> Produced:
    """The product of matrices, of which leading axes become one batch axis, or rows where B has none."""
    lacks: tuple[int, ...] = ()
    if len(left.shape) == 1:
        left, lacks = left._replace(shape=(1, *left.shape), strides=(0, *left.strides)), (-2,)
    if len(right.shape) == 1:
        right, lacks = right._replace(shape=(*right.shape, 1), strides=(*right.strides, 0)), (*lacks, -1)
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    count = math.prod(batch)
    joined = left.reshaped((1, 1, count * left.shape[-2], left.shape[-1])) if len(right.shape) == 2 else None
    if joined is None:
        left, right = _stacked(b, batch, left, right)
    else:
        left, right = joined, right._replace(shape=(1, 1, *right.shape), strides=(0, 0, *right.strides))
    return Produced(copy_body(), [], "matmul", Product(left, right, shape, lacks), 0)


def _stacked(b: Binding, batch: tuple[int, ...], left: View, right: View) -> tuple[View, View]:
    """Matrices with two batch axes; copied where these cannot be had otherwise."""
    views = [view.broadcast((*batch, *view.shape[-2:])) for view in (left, right)]
    sizes, steps = collapse(batch, [view.strides[:-2] for view in views])
    if len(sizes) > 2:
        views = [b.copied(view) for view in views]
        sizes, steps = collapse(batch, [view.strides[:-2] for view in views])
    front = 2 - len(sizes)
    left, right = (
        view._replace(shape=(*[1] * front, *sizes, *view.shape[-2:]), strides=(*[0] * front, *step, *view.strides[-2:]))
        for view, step in zip(views, steps)
    )
    return left, right


# --- sums of products over named axes


class _Named(NamedTuple):
    """A view with a letter for each axis."""

    view: View
    letters: str

    def ordered(self, letters: str) -> View:
        """The view with its axes in that order; those that it lacks have size 1."""
        at = [self.letters.find(letter) for letter in letters]
        shape = tuple(self.view.shape[k] if k >= 0 else 1 for k in at)
        return self.view._replace(shape=shape, strides=tuple(self.view.strides[k] if k >= 0 else 0 for k in at))


class _Sum(NamedTuple):
    """A sum of products that is not computed yet: its letters, and the shape that `work` writes."""

    work: Deferred
    letters: str
    shape: tuple[int, ...]

    def computed(self, b: Binding, dtype: Any, sizes: dict[str, int]) -> _Named:
        """Its value, with an axis for each letter."""
        target = b.fresh(tuple(sizes[letter] for letter in self.letters), dtype)
        self.work.run(b, [target._replace(shape=self.shape, strides=row_major(self.shape, target.dtype.itemsize))])
        return _Named(target, self.letters)


def _einsum(b: Binding, t: Tensor) -> bool:
    """Two operands at a time, from the left."""
    left, _, output = t.params["subscripts"].partition("->")
    given = [_Named(converted(b, b.view(i), t.spec.dtype), term) for i, term in zip(t.inputs, left.split(","))]
    sizes = _sizes(given)
    while len(given) > 2:
        x, y, *rest = given
        needed = set(output).union(*(other.letters for other in rest))
        kept = "".join(letter for letter in dict.fromkeys(x.letters + y.letters) if letter in needed)
        given = [_pair(b, x, y, kept, sizes).computed(b, t.spec.dtype, sizes), *rest]
    x, y = given
    found = _pair(b, x, y, output, sizes)
    if found.letters == output and found.shape == b.spec(t).shape:
        return b.defer(t, found.work)
    b.place(t, found.computed(b, t.spec.dtype, sizes).ordered(output))
    return True


def _sizes(given: list[_Named]) -> dict[str, int]:
    """The size of each letter; 1 fits any other."""
    sizes: dict[str, int] = {}
    for named in given:
        for letter, size in zip(named.letters, named.view.shape):
            if sizes.get(letter, 1) == 1:
                sizes[letter] = size
    return sizes


def _pair(b: Binding, x: _Named, y: _Named, output: str, sizes: dict[str, int]) -> _Sum:
    """The sum of products of two operands over all letters that the output lacks."""
    x, y = (_alone_summed(b, named, other.letters + output) for named, other in ((x, y), (y, x)))
    shared = [letter for letter in x.letters if letter in y.letters]
    inner = "".join(letter for letter in shared if letter not in output)
    if not inner:
        work = Deferred(_PRODUCT, [x.ordered(output), y.ordered(output)], "multiply")
        return _Sum(work, output, tuple(sizes[letter] for letter in output))
    batch = "".join(letter for letter in shared if letter in output)
    left, right = ("".join(letter for letter in n.letters if letter not in shared) for n in (x, y))
    if left and right and output == batch + right + left:
        x, y, left, right = y, x, right, left
    rows = _grouped(b, x, [batch, left, inner], sizes)
    columns = _grouped(b, y, [batch, inner, right], sizes)
    stacks = _stacked(b, tuple(sizes[letter] for letter in batch), rows, columns)
    ends = [math.prod(sizes[letter] for letter in right)] if right else []
    shape = (*(sizes[letter] for letter in batch + left), *ends)
    lacks = (*(() if left else (-2,)), *(() if right else (-1,)))
    return _Sum(Produced(copy_body(), [], "einsum", Product(*stacks, shape, lacks), 0), batch + left + right, shape)


def _alone_summed(b: Binding, named: _Named, elsewhere: str) -> _Named:
    """An operand summed over the letters that stand nowhere else."""
    axes = tuple(k for k, letter in enumerate(named.letters) if letter not in elsewhere)
    if not axes:
        return named
    kept = [k for k in range(len(named.letters)) if k not in axes]
    target = b.fresh(tuple(named.view.shape[k] for k in kept), named.view.dtype)
    reduce(b, "add", copy_body(), [named.view], named.view.shape, axes, target, "add")
    return _Named(target, "".join(named.letters[k] for k in kept))


def _grouped(b: Binding, named: _Named, groups: list[str], sizes: dict[str, int]) -> View:
    """An operand with the batch axes of the first group, and one axis for each other group."""
    letters = "".join(groups)
    view = named.ordered(letters).broadcast(tuple(sizes[letter] for letter in letters))
    found = _joined(view, [len(group) for group in groups])
    return found or _joined(b.copied(view), [len(group) for group in groups])  # type: ignore[return-value]


def _joined(view: View, counts: list[int]) -> View | None:
    """A view with neighbouring axes made one, except for the first so many; None where that needs a copy."""
    at = counts[0]
    shape, strides = view.shape[:at], view.strides[:at]
    for count in counts[1:]:
        part = slice(at, at + count)
        sizes, (steps,) = collapse(view.shape[part], [view.strides[part]])
        if len(sizes) > 1:
            return None
        shape, strides = (*shape, math.prod(sizes)), (*strides, *(steps or [0]))
        at += count
    return view._replace(shape=shape, strides=strides)
