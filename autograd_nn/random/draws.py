"""Keras' random functions."""

import math
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.signatures import suggests
from ..engine.spec import as_dtype, normal_axis
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, DTypeError, InvalidArgument, ShapeError, short
from ..ops.creation import shape as shape_of
from ..ops.elementwise import cast, clip, erfinv, greater_equal, log, maximum, mod, where
from ..ops.indexing import take
from ..ops.random import random_bits, random_normal, random_uniform, random_words64
from ..ops.shape import expand_dims
from ..ops.sorting import argsort
from ..ops.statistics import argmax
from .seed import SeedGenerator, draw_key

Seed = int | SeedGenerator | None


@suggests
def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Normal random numbers.

    shape: ints, or scalar integer tensors for sizes not known yet. dtype: the default float if None.
    seed: an int gives the same numbers at every call; a SeedGenerator, or None for the global one, new numbers.

    >>> from autograd_nn import random
    >>> random.normal((2, 3), seed=1).shape
    (2, 3)
    """
    return random_normal(draw_key(seed), shape, mean, stddev, dtype)


@suggests
def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Uniform random numbers in [minval, maxval). Whole numbers come from `randint`.

    shape, dtype, seed: as in `normal`.

    >>> from autograd_nn import random
    >>> random.uniform((2, 3), seed=1).shape
    (2, 3)
    """
    if dtype is not None and as_dtype(dtype).kind != "f":
        raise DTypeError(f"uniform: dtype must be a floating one, got {short(dtype)}; use random.randint for ints")
    return random_uniform(draw_key(seed), shape, minval, maxval, dtype)


@suggests
def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Normal random numbers within two standard deviations of the mean, by the inverse of their distribution function.

    shape, dtype, seed: as in `normal`.

    >>> from autograd_nn import random
    >>> bool((abs(random.truncated_normal((100,), seed=1)) <= 2).all())
    True
    """
    edge = math.erf(math.sqrt(2))
    unit = random_uniform(draw_key(seed), shape, -edge, edge, dtype)
    inside = clip(math.sqrt(2) * erfinv(unit), -2.0, 2.0)
    return inside * as_tensor(stddev, unit.dtype) + as_tensor(mean, unit.dtype)


@suggests
def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Seed = None) -> Tensor:
    """Random whole numbers from minval up to but without maxval.

    minval, maxval: ints within the dtype. shape, seed: as in `normal`. Raises InvalidArgument for an empty range.

    >>> from autograd_nn import random
    >>> bool((random.randint((100,), 0, 6, seed=1) < 6).all())
    True
    """
    target = as_dtype(dtype)
    if target.kind not in "iu":
        raise DTypeError(f"randint: dtype must be an integer one, got {short(dtype)}; use random.uniform for floats")
    low, high = _bound(minval, "minval"), _bound(maxval, "maxval")
    info = np.iinfo(target)
    if not info.min <= low < high <= info.max + 1:
        raise InvalidArgument(f"randint: expected minval < maxval within {target}, got {low} and {high}")
    # Of 64 bits, so that the remainder's bias is below range / 2**64. Sums of unsigned words wrap around as they must.
    words = random_words64(draw_key(seed), shape)
    part = words if high - low == 2**64 else mod(words, high - low)
    return cast(part + np.uint64(low % 2**64), target)


def _bound(value: Any, what: str) -> int:
    if not hasattr(value, "__index__") or isinstance(value, bool):
        raise ArgumentTypeError(f"randint: {what} must be an int, got {short(value)}")
    return value.__index__()


@suggests
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Seed = None) -> Tensor:
    """Random classes, each with the probability softmax(logits), by the Gumbel-max method (Gumbel 1954).

    logits: (batch, classes). Returns (batch, num_samples) of `dtype`. seed: as in `normal`.

    >>> from autograd_nn import random
    >>> random.categorical([[0.0, -100.0]], 3, seed=1).tolist()
    [[0, 0, 0]]
    """
    logits = as_tensor(logits)
    if logits.ndim != 2:
        raise ShapeError(f"categorical: logits must have shape (batch, classes), got {logits.shape}")
    if not hasattr(num_samples, "__index__") or num_samples < 0:
        raise InvalidArgument(f"categorical: num_samples must be an int >= 0, got {short(num_samples)}")
    batch, classes = shape_of(logits)
    kind = logits.dtype if logits.dtype.kind == "f" else None
    unit = random_uniform(draw_key(seed), (batch, num_samples, classes), dtype=kind)
    noise = -log(-log(maximum(unit, 2.0**-24 if unit.dtype != np.float16 else 2.0**-11)))
    return cast(argmax(expand_dims(logits, 1) + noise, axis=-1), dtype)


@suggests
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Seed = None) -> Tensor:
    """inputs with a random part of about `rate` of the elements zero, the others divided by 1 - rate.

    noise_shape: shape of the random mask, which broadcasts to inputs; None in it stands for the size of inputs.
    seed: as in `normal`. Raises InvalidArgument unless 0 <= rate < 1. Srivastava et al. 2014.

    >>> from autograd_nn import random
    >>> sorted(set(random.dropout([1.0] * 100, 0.5, seed=1).tolist()))
    [0.0, 2.0]
    """
    inputs = as_tensor(inputs)
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
        raise InvalidArgument(f"dropout: rate must be a number with 0 <= rate < 1, got {short(rate)}")
    if inputs.dtype.kind != "f":
        raise DTypeError(f"dropout: inputs must be floats, got {inputs.dtype}; use ops.cast")
    if rate == 0:
        return inputs
    keep = greater_equal(random_bits(draw_key(seed), _noise_shape(inputs, noise_shape)), np.uint32(rate * 2**32))
    return where(keep, inputs * (1 / (1 - rate)), 0)


def _noise_shape(inputs: Tensor, noise_shape: Any) -> tuple[Any, ...]:
    sizes = shape_of(inputs)
    if noise_shape is None:
        return sizes
    if len(noise_shape) != len(sizes):
        raise ShapeError(f"dropout: noise_shape {short(noise_shape)} must have the {len(sizes)} axes of {inputs.shape}")
    return tuple(size if given is None else given for given, size in zip(noise_shape, sizes))


@suggests
def shuffle(x: Any, axis: int = 0, seed: Seed = None) -> Tensor:
    """x with its slices along an axis in random order; gradients find their way back.

    seed: as in `normal`. Raises AxisError for an axis out of range.

    >>> from autograd_nn import random
    >>> sorted(random.shuffle([3, 1, 2], seed=1).tolist())
    [1, 2, 3]
    """
    x = as_tensor(x)
    place = normal_axis(axis, x.ndim, "shuffle")
    order = argsort(random_words64(draw_key(seed), (shape_of(x)[place],)))
    return take(x, order, place)
