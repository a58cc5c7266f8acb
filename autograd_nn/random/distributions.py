"""Random numbers of the gamma, beta and binomial distributions."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.signatures import suggests
from ..engine.spec import as_dtype, default_float
from ..engine.tensor import Tensor
from ..errors import DTypeError, InvalidArgument, short
from ..ops.creation import arange, shape
from ..ops.elementwise import cast, equal, greater_equal, less, log, logical_and, maximum, power, sqrt, where
from ..ops.indexing import take_along_axis
from ..ops.random import random_normal, random_uniform
from ..ops.reduction import sum as sum_
from ..ops.shape import broadcast_to, expand_dims, reshape, squeeze
from ..ops.statistics import argmax
from .draws import Seed
from .seed import draw_key

# Of one proposal at least 95 in 100 are taken: that none of so many is has a probability below 1e-15.
_PROPOSALS = 12


@suggests
def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Random numbers of the gamma distribution with mean and variance alpha.

    alpha: a number > 0, or an array of them that broadcasts to `shape`. shape, dtype, seed: as in `normal`.
    Marsaglia and Tsang 2000, "A simple method for generating gamma variables".

    >>> from autograd_nn import random
    >>> bool((random.gamma((100,), 2.0, seed=1) > 0).all())
    True
    """
    return _gamma(_streams(seed, 1)[0], shape, _positive(alpha, "gamma", "alpha"), _float(dtype, "gamma"))


@suggests
def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Random numbers between 0 and 1 of the beta distribution with mean alpha / (alpha + beta).

    alpha, beta: numbers > 0, or arrays of them that broadcast to `shape`. shape, dtype, seed: as in `normal`.

    >>> from autograd_nn import random
    >>> bool((random.beta((100,), 2.0, 3.0, seed=1) < 1).all())
    True
    """
    kind = _float(dtype, "beta")
    first, second = _streams(seed, 2)
    x = _gamma(first, shape, _positive(alpha, "beta", "alpha"), kind)
    y = _gamma(second, shape, _positive(beta, "beta", "beta"), kind)
    return x / (x + y)


@suggests
def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """How often each of `counts` trials succeeds, as floats. Takes as many random numbers as there are trials.

    counts:        ints >= 0; probabilities: 0..1; both broadcast to `shape`. shape, dtype, seed: as in `normal`.

    >>> from autograd_nn import random
    >>> random.binomial((3,), [0, 5, 9], 1.0, seed=1).tolist()
    [0.0, 5.0, 9.0]
    """
    kind = _float(dtype, "binomial")
    trials, chances = np.asarray(counts), np.asarray(probabilities)
    if (trials != np.floor(trials)).any() or (trials < 0).any():
        raise InvalidArgument(f"binomial: counts must be whole numbers >= 0, got {short(counts)}")
    if not ((chances >= 0) & (chances <= 1)).all():
        raise InvalidArgument(f"binomial: probabilities must lie in 0..1, got {short(probabilities)}")
    most = int(trials.max(initial=0))
    unit = random_uniform(_streams(seed, 1)[0], (most, *_sizes(shape)), dtype=kind)
    place = reshape(arange(most), (most, *[1] * (unit.ndim - 1)))
    hits = logical_and(less(unit, as_tensor(chances, kind)), less(place, as_tensor(trials, "int64")))
    return sum_(cast(hits, kind), axis=0)


def _gamma(key: Tensor, sizes: Any, alpha: np.ndarray, kind: Any) -> Tensor:
    """The first proposal that is taken; for alpha < 1 a number for alpha + 1, times a power."""
    normal_key, uniform_key, power_key = (_stream(key, k) for k in range(3))
    whole = as_tensor(np.where(alpha < 1, alpha + 1, alpha), kind)
    middle = whole - 1 / 3
    x = random_normal(normal_key, (_PROPOSALS, *_sizes(sizes)), dtype=kind)
    unit = random_uniform(uniform_key, (_PROPOSALS, *_sizes(sizes)), dtype=kind)
    root = 1 + x / sqrt(9 * middle)
    cube = root * root * root
    logs = log(maximum(where(greater_equal(0, cube), 1, cube), np.finfo(kind).tiny))
    bound = 0.5 * x * x + middle * (1 - cube + logs)
    taken = logical_and(cube > 0, less(log(maximum(unit, np.finfo(kind).tiny)), bound))
    first = expand_dims(argmax(cast(taken, "int64"), axis=0), 0)
    drawn = middle * squeeze(take_along_axis(cube, first, 0), 0)
    lift = maximum(random_uniform(power_key, sizes, dtype=kind), np.finfo(kind).tiny)
    small = as_tensor(np.where(alpha < 1, alpha, 1), kind)
    return drawn * where(equal(broadcast_to(small, shape(drawn)), 1), 1, power(lift, 1 / small))


def _sizes(sizes: Any) -> tuple[Any, ...]:
    return tuple(sizes) if hasattr(sizes, "__len__") else (sizes,)


def _streams(seed: Seed, count: int) -> list[Tensor]:
    """Keys of independent streams for one draw."""
    key = draw_key(seed)
    return [_stream(key, 4 * (k + 1)) for k in range(count)]


def _stream(key: Tensor, number: int) -> Tensor:
    return key + np.array([0, 0, number, 0], np.uint32)


def _positive(value: Any, what: str, name: str) -> np.ndarray:
    array = np.asarray(value, "float64")
    if not (array > 0).all() or not np.isfinite(array).all():
        raise InvalidArgument(f"{what}: {name} must be finite and > 0, got {short(value)}")
    return array


def _float(dtype: Any, what: str) -> Any:
    kind = default_float() if dtype is None else as_dtype(dtype)
    if kind.kind != "f":
        raise DTypeError(f"{what}: dtype must be a floating one, got {short(dtype)}")
    return kind
