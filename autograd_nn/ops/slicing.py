"""Blocks of a tensor taken out or replaced, and rows cut into overlapping sequences."""

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import AxisError, ShapeError, SymbolicError
from .creation import arange
from .domain import cases
from .elementwise import cast
from .family import composite
from .indexing import getitem, take
from .searching import whole
from .shape import expand_dims
from .updating import index_update


def _starts(given: Any, ndim: int, what: str) -> list[Any]:
    """One start per axis: ints where they are known, else scalar tensors."""
    parts = list(given) if isinstance(given, (list, tuple)) else [as_tensor(given)[k] for k in range(ndim)]
    if len(parts) != ndim:
        raise ShapeError(f"{what}: start_indices must hold one start for each of the {ndim} axes, got {len(parts)}")
    return [p if isinstance(p, Tensor) and p.is_symbolic else whole(p, f"{what}: a start") for p in parts]


def _block(x: Tensor, starts: Sequence[Any], sizes: Sequence[int], what: str) -> tuple[Any, ...]:
    """The block as a key: plain slices, or for starts not known yet the indices along every axis."""
    for axis, (start, size, total) in enumerate(zip(starts, sizes, x.shape)):
        if isinstance(start, int) and total is not None and not 0 <= start <= total - size:
            raise AxisError(f"{what}: {size} elements from {start} do not lie within axis {axis} of {x.shape}")
    if all(isinstance(start, int) for start in starts):
        return tuple(builtins.slice(start, start + size) for start, size in zip(starts, sizes))
    lines = [arange(size) + cast(start, "int64") for start, size in zip(starts, sizes)]
    axes = range(len(lines))
    return tuple(expand_dims(line, tuple(k for k in axes if k != axis)) for axis, line in enumerate(lines))


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)), (1, 0), (2, 3))), Sample((rng.normal(size=5), [2], [0])),
            Sample((rng.normal(size=(2, 3)), np.array([0, 1]), (2, 2))), Sample((rng.normal(size=()), (), ())),
        ],
        lambda: [
            Bad((np.ones(3), (2,), (2,)), {}, IndexError), Bad((np.ones(3), (0, 0), (1,)), {}, ValueError),
            Bad((np.ones((2, 2)), (0, 0), (1,)), {}, ValueError), Bad((np.ones(3), (0.5,), (1,)), {}, TypeError),
            Bad((np.ones(3), (-1,), (1,)), {}, IndexError),
        ],
    ),
)  # fmt: skip
def slice(inputs: Any, start_indices: Any, shape: Sequence[int]) -> Tensor:
    """The block of that shape that begins at start_indices.

    start_indices: one start per axis, ints or a vector or scalars that may have no value yet. shape: ints.
    Raises AxisError for a block beyond the tensor, ShapeError for another number of starts or sizes.

    >>> import autograd_nn as ag
    >>> ag.ops.slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2)).tolist()
    [[2, 3], [5, 6]]
    """
    x = as_tensor(inputs)
    sizes = [whole(size, "slice: a size of shape", 0) for size in shape]
    if len(sizes) != x.ndim:
        raise ShapeError(f"slice: shape must hold one size for each of the {x.ndim} axes, got {len(sizes)}")
    return getitem(x, _block(x, _starts(start_indices, x.ndim, "slice"), sizes, "slice"))


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=(3, 4)), (1, 0), rng.normal(size=(2, 3)))),
            Sample((rng.normal(size=5), [2], np.ones(0))), Sample((rng.normal(size=()), (), rng.normal(size=()))),
            Sample((rng.normal(size=(2, 3)), np.array([0, 1]), rng.normal(size=(2, 2)))),
        ],
        lambda: [
            Bad((np.ones(3), (2,), np.ones(2)), {}, IndexError), Bad((np.ones(3), (0, 0), np.ones(1)), {}, ValueError),
            Bad((np.ones((2, 2)), (0, 0), np.ones(1)), {}, ValueError),
            Bad((np.ones(3), (0.5,), np.ones(1)), {}, TypeError),
        ],
    ),
)  # fmt: skip
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Tensor:
    """inputs with the block that begins at start_indices replaced by the updates; gradients flow to both.

    start_indices: as in `slice`. updates: of as many axes, of known sizes. Raises AxisError for a block beyond inputs.

    >>> import autograd_nn as ag
    >>> ag.ops.slice_update([1.0, 2.0, 3.0], [1], [7.0, 8.0]).tolist()
    [1.0, 7.0, 8.0]
    """
    x, block = as_tensor(inputs), as_tensor(updates)
    if block.ndim != x.ndim:
        raise ShapeError(f"slice_update: updates must have the {x.ndim} axes of inputs, got shape {block.shape}")
    sizes = [size for size in block.shape if size is not None]
    if len(sizes) != x.ndim:
        raise SymbolicError(f"slice_update: the sizes of updates {show_shape(block.spec.shape)} must be known")
    return index_update(x, block, _block(x, _starts(start_indices, x.ndim, "slice_update"), sizes, "slice_update"))


@composite(
    reference=None,
    domain=cases(
        lambda rng: [
            Sample((rng.normal(size=7), 3, 2)), Sample((rng.normal(size=(2, 5)), 2, 1)),
            Sample((np.ones((0, 4)), 4, 1)),
        ],
        lambda: [
            Bad((np.ones(3), 4, 1), {}, ValueError), Bad((np.ones(3), 2, 0), {}, ValueError),
            Bad((np.ones(3), 2.0, 1), {}, TypeError), Bad((np.ones(()), 1, 1), {}, ValueError),
        ],
    ),
)  # fmt: skip
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Tensor:
    """The last axis cut into sequences of one length, which begin sequence_stride apart: (..., n) to (..., m, length).

    Raises ShapeError where not even one fits, SymbolicError where the size is not known yet.

    >>> import autograd_nn as ag
    >>> ag.ops.extract_sequences([1, 2, 3, 4], 2, 1).tolist()
    [[1, 2], [2, 3], [3, 4]]
    """
    x = as_tensor(x)
    length = whole(sequence_length, "extract_sequences: sequence_length", 1)
    stride = whole(sequence_stride, "extract_sequences: sequence_stride", 1)
    if not x.ndim:
        raise ShapeError("extract_sequences: needs at least one axis, got a scalar")
    size = x.shape[-1]
    if size is None:
        raise SymbolicError("extract_sequences: the size of the last axis must be known")
    if size < length:
        raise ShapeError(f"extract_sequences: sequence_length {length} is beyond the size {size} of the last axis")
    starts = np.arange(0, size - length + 1, stride)
    return take(x, starts[:, None] + np.arange(length), -1)
