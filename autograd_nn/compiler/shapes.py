"""Operands of which only the shape matters: replaced by the first tensor that has it, so that nothing is computed or
kept for its shape alone. Sizes are taken from inputs, where these have them."""

import math
from typing import Any

import numpy as np

from .. import ops
from ..engine.graph import Graph
from ..engine.spec import Dim
from ..engine.tensor import Tensor, recording, tracing
from .rewrite import constant, make, rebuild

# Which operand of an op only lends its shape; for the second kind its dtype, too.
LIKE = {"broadcast_like": 1, "reshape_like": 1, "scatter_like": 1, "diagonal_like": 1}
LIKE_WITH_DTYPE = {"unbroadcast": 1, "zeros_like": 0, "ones_like": 0}


def borrow_shapes(graph: Graph) -> Graph:
    """The graph in which shapes are taken from inputs where possible, else from the earliest tensor."""
    first: dict[Any, Tensor] = {}
    sizes: dict[Dim, tuple[Tensor, int]] = {}
    for t in graph.inputs:
        _note(first, t)
        for axis, size in enumerate(t.spec.shape):
            if isinstance(size, Dim):
                sizes.setdefault(size, (t, axis))

    def rule(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
        name: str = t.op.name  # type: ignore[union-attr]
        if name == "size_of":
            return _size(t, inputs[0], sizes)
        place, with_dtype = LIKE.get(name), False
        if place is None:
            place, with_dtype = LIKE_WITH_DTYPE.get(name), True
        if place is None or place >= len(inputs):
            return None
        like = inputs[place]
        found = _note(first, like)[with_dtype]
        if found is like:
            return None
        return make(t.op, (*inputs[:place], found, *inputs[place + 1 :]), t.params, t)  # type: ignore[arg-type]

    with tracing(None), recording(False):
        return rebuild(graph, rule)


def _note(first: dict[Any, Tensor], t: Tensor) -> tuple[Tensor, Tensor]:
    """The first tensor of that shape, and the first that has the same dtype as well."""
    spec = t.spec
    if not hasattr(spec, "shape"):
        return t, t
    shape = tuple(size if isinstance(size, int) else id(size) for size in spec.shape)
    return first.setdefault(shape, t), first.setdefault((shape, spec.dtype), t)


def _size(t: Tensor, x: Tensor, sizes: dict[Dim, tuple[Tensor, int]]) -> Tensor | None:
    """A number of elements, from the sizes of inputs and a constant."""
    shape = [x.spec.shape[k] for k in t.params["axis"]]
    unknown = [size for size in shape if isinstance(size, Dim)]
    if any(size not in sizes for size in unknown):
        return None
    if len(shape) == 1 and unknown and sizes[unknown[0]][0] is x and sizes[unknown[0]][1] == t.params["axis"][0]:
        return None
    known = math.prod(size for size in shape if isinstance(size, int))
    parts = [ops.size_of(source, axis) for source, axis in (sizes[size] for size in unknown)]
    if known != 1 or not parts:
        parts.append(constant(np.asarray(known, np.int64)))
    found = parts[0]
    for part in parts[1:]:
        found = found * part
    return found
