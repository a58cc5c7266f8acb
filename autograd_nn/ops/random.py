"""Random numbers as a pure function of a key: counter-based bits, and what is made of them."""

import math
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import Spec, as_dtype, default_float
from ..engine.tensor import Tensor, describe, record
from ..errors import DTypeError, ShapeError
from .domain import Rng, cases
from .elementwise import bitwise_or, cast, cos, left_shift, log, right_shift, sqrt
from .family import composite, primitive
from .shape import full_sizes, spec_shape, value_shape

_MULTIPLY = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (np.uint32(0x9E3779B9), np.uint32(0xBB67AE85))
_ROUNDS = 10
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Philox4x32-10: four random words for each counter.

    counter: uint32 of shape (4, n). key: uint32 of shape (2,). Returns uint32 of shape (4, n).
    Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
    """
    a, b, c, d = counter.astype(np.uint64)
    k0, k1 = np.asarray(key, np.uint32).reshape(2, 1).astype(np.uint64)
    for _ in range(_ROUNDS):
        first, second = _MULTIPLY[0] * a, _MULTIPLY[1] * c
        a, b, c, d = (second >> _HALF) ^ b ^ k0, second & _LOW, (first >> _HALF) ^ d ^ k1, first & _LOW
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return np.stack([a, b, c, d]).astype(np.uint32)


def _bits(key: Any, *dynamic: Any, shape: tuple[int | None, ...]) -> Any:
    sizes = value_shape(shape, dynamic)
    count = math.prod(sizes)
    block = np.arange(-(-count // 4), dtype=np.uint64)
    counter = np.empty((4, len(block)), np.uint32)
    counter[0], counter[1] = block & _LOW, block >> _HALF
    counter[2], counter[3] = key[2], key[3]
    return philox(counter, key[:2]).T.reshape(-1)[:count].reshape(sizes)


def _key_samples(rng: Rng, **more: Any) -> list[Sample]:
    shapes: tuple[Any, ...] = ((2, 3), (), (0, 3), 9)
    keys = rng.integers(0, 2**32, (len(shapes), 4), dtype=np.uint32)
    return [Sample((key, shape), more, False) for key, shape in zip(keys, shapes)]


def _key_errors() -> list[Bad]:
    key = np.zeros(4, np.uint32)
    return [
        Bad((key[:2], (2,)), {}, ValueError), Bad((np.zeros(4), (2,)), {}, TypeError),
        Bad((key, (-1,)), {}, ValueError), Bad((key, (2.5,)), {}, TypeError), Bad((7, (2,)), {}, TypeError),
    ]  # fmt: skip


@primitive(
    eval=_bits,
    infer=lambda key, *dynamic, shape: Spec(spec_shape(shape, dynamic), np.dtype("uint32")),
    emit="random",
    domain=cases(_key_samples, _key_errors),
    family="random",
)
def random_bits(key: Any, shape: Any) -> Tensor:
    """Random uint32 words of that shape: the same for the same key, independent for another.

    key: uint32 of shape (4,): the two words of a Philox key, then two that count draws.
    shape: ints, or scalar integer tensors for sizes not known yet. Element i is word i % 4 of block i // 4.
    Source: Philox4x32-10, Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".

    >>> import autograd_nn as ag
    >>> key = ag.tensor([0, 0, 0, 0], dtype="uint32")
    >>> [hex(word) for word in ag.ops.random_bits(key, 4).tolist()]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    key = as_tensor(key)
    if key.dtype != np.uint32:
        raise DTypeError(f"random_bits: key must be uint32 of shape (4,), got {describe(key)} of {key.dtype}")
    if key.spec.shape != (4,):
        raise ShapeError(f"random_bits: key must have shape (4,), got {describe(key)}")
    sizes, dynamic = full_sizes(shape, "random_bits")
    return record(random_bits.op, (key, *dynamic), {"shape": sizes})


# --- made of bits


def _words(key: Any, shape: Any, count: int) -> list[Tensor]:
    """`count` independent tensors of words of that shape."""
    sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
    words = random_bits(key, (*sizes, count))
    return [words[..., k] for k in range(count)]


def _unit(words: list[Tensor], dtype: np.dtype[Any]) -> Tensor:
    """Multiples of 2**-bits in [0, 1) that fill the mantissa of the dtype: 53, 24 or 11 bits."""
    if dtype == np.float64:
        high, low = cast(right_shift(words[0], 5), dtype), cast(right_shift(words[1], 6), dtype)
        return (high * 2.0**26 + low) * 2.0**-53
    bits = 24 if dtype == np.float32 else 11
    return cast(right_shift(words[0], 32 - bits), dtype) * 2.0**-bits


def _draws(key: Any, shape: Any, dtype: np.dtype[Any], count: int) -> list[Tensor]:
    """`count` independent tensors of uniform numbers in [0, 1)."""
    each = 2 if dtype == np.float64 else 1
    words = _words(key, shape, count * each) if count * each > 1 else [random_bits(key, shape)]
    return [_unit(words[k * each : (k + 1) * each], dtype) for k in range(count)]


def _floating(dtype: Any, what: str) -> np.dtype[Any]:
    target = default_float() if dtype is None else as_dtype(dtype)
    if target.kind != "f":
        raise DTypeError(f"{what}: dtype must be a floating one, got {target}")
    return target


def random_words64(key: Any, shape: Any) -> Tensor:
    """Random uint64 words of that shape, from two words of the generator each."""
    high, low = _words(key, shape, 2)
    return bitwise_or(left_shift(cast(high, "uint64"), 32), cast(low, "uint64"))


@composite(
    reference=None,
    order=0,
    domain=cases(
        lambda rng: [*_key_samples(rng), *_key_samples(rng, low=-1.0, high=3.0, dtype="float64")],
        lambda: [*_key_errors(), Bad((np.zeros(4, np.uint32), (2,)), {"dtype": "int32"}, TypeError)],
    ),
)
def random_uniform(key: Any, shape: Any, low: Any = 0.0, high: Any = 1.0, dtype: Any = None) -> Tensor:
    """Uniform random numbers in [low, high), of 24 random bits for float32 and 53 for float64.

    key, shape: as in `random_bits`. low, high: numbers or tensors that broadcast to the shape.

    >>> import autograd_nn as ag
    >>> key = ag.tensor([1, 2, 3, 4], dtype="uint32")
    >>> ag.ops.random_uniform(key, (2, 3)).shape
    (2, 3)
    """
    target = _floating(dtype, "random_uniform")
    unit = _draws(key, shape, target, 1)[0]
    low, high = as_tensor(low, target), as_tensor(high, target)
    return unit * (high - low) + low


@composite(
    reference=None,
    order=0,
    domain=cases(
        lambda rng: [*_key_samples(rng), *_key_samples(rng, mean=-1.0, stddev=3.0, dtype="float64")],
        lambda: [*_key_errors(), Bad((np.zeros(4, np.uint32), (2,)), {"dtype": "int32"}, TypeError)],
    ),
)
def random_normal(key: Any, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None) -> Tensor:
    """Normal random numbers, by the method of Box and Muller 1958 from two uniform ones each.

    key, shape: as in `random_bits`. mean, stddev: numbers or tensors that broadcast to the shape.

    >>> import autograd_nn as ag
    >>> key = ag.tensor([1, 2, 3, 4], dtype="uint32")
    >>> ag.ops.random_normal(key, (2, 3)).shape
    (2, 3)
    """
    target = _floating(dtype, "random_normal")
    a, b = _draws(key, shape, target, 2)
    # 1 - a is in (0, 1], so that the logarithm is finite.
    normal = sqrt(-2.0 * log(1.0 - a)) * cos(2 * math.pi * b)
    return normal * as_tensor(stddev, target) + as_tensor(mean, target)
