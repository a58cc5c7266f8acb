"""Gamma, beta and binomial numbers: moments, distribution, edges, tracing, wrong arguments."""

import math

import numpy as np
import pytest

from autograd_nn import errors, jit, random

N = 40_000


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("alpha", [0.2, 0.9, 1.0, 2.5, 50.0])
def test_gamma_has_its_moments(alpha, dtype):
    x = random.gamma((N,), alpha, dtype=dtype, seed=3).numpy().astype("float64")
    assert x.min() >= 0
    spread = math.sqrt(alpha / N)
    assert abs(x.mean() - alpha) < 5 * spread
    assert abs(x.var() / alpha - 1) < 5 * math.sqrt((2 + 6 / alpha) / N)


def test_gamma_of_one_is_exponential():
    x = np.sort(random.gamma((N,), 1.0, dtype="float64", seed=5).numpy())
    assert abs(1 - np.exp(-x) - (np.arange(N) + 0.5) / N).max() < 1.95 / math.sqrt(N)


@pytest.mark.parametrize("a, b", [(0.5, 0.5), (2.0, 5.0), (1.0, 1.0)])
def test_beta_has_its_moments(a, b):
    x = random.beta((N,), a, b, dtype="float64", seed=1).numpy()
    mean, variance = a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1))
    assert ((x >= 0) & (x <= 1)).all()
    assert abs(x.mean() - mean) < 5 * math.sqrt(variance / N)
    assert abs(x.var() / variance - 1) < 0.05


def test_beta_of_ones_is_uniform():
    x = np.sort(random.beta((N,), 1.0, 1.0, dtype="float64", seed=2).numpy())
    assert abs(x - (np.arange(N) + 0.5) / N).max() < 1.95 / math.sqrt(N)


@pytest.mark.parametrize("count, chance", [(1, 0.3), (7, 0.5), (40, 0.05)])
def test_binomial_follows_its_probabilities(count, chance):
    x = random.binomial((N,), count, chance, seed=4).numpy()
    assert np.array_equal(x, np.round(x)) and x.min() >= 0 and x.max() <= count
    for k in range(3):
        share = math.comb(count, k) * chance**k * (1 - chance) ** (count - k)
        assert abs((x == k).mean() - share) < 5 * math.sqrt(share * (1 - share) / N) + 1e-9


def test_parameters_broadcast():
    assert random.gamma((3, 2), [1.0, 5.0], seed=1).shape == (3, 2)
    assert random.beta((2, 3), [[1.0], [2.0]], 3.0, seed=1).shape == (2, 3)
    assert random.binomial((2, 3), [[0], [4]], [0.0, 0.5, 1.0], seed=1).numpy()[:, 2].tolist() == [0, 4]
    assert random.gamma((), 2.0, seed=1).shape == ()
    many = random.gamma((2, N // 2), [[1.0], [9.0]], seed=6).numpy()
    assert np.allclose(many.mean(1), [1, 9], rtol=0.05)


@pytest.mark.parametrize(
    "draw",
    [
        lambda seed: random.gamma((4,), 0.5, seed=seed),
        lambda seed: random.beta((4,), 0.5, 2.0, seed=seed),
        lambda seed: random.binomial((4,), 9, 0.5, seed=seed),
    ],
)
def test_seeds_and_traces(draw):
    assert draw(7).tolist() == draw(7).tolist()
    generator, other = random.SeedGenerator(1), random.SeedGenerator(1)
    eager = [draw(generator).tolist() for _ in range(3)]
    assert eager[0] != eager[1]
    step = jit(lambda: draw(other))
    assert np.allclose([step().tolist() for _ in range(3)], eager, rtol=1e-5)


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: random.gamma((2,), 0.0), errors.InvalidArgument, "alpha must be finite and > 0"),
        (lambda: random.beta((2,), 1.0, [-1.0, 1.0]), errors.InvalidArgument, "beta must be finite and > 0"),
        (lambda: random.binomial((2,), 1.5, 0.5), errors.InvalidArgument, "counts must be whole"),
        (lambda: random.binomial((2,), -1, 0.5), errors.InvalidArgument, "counts must be whole"),
        (lambda: random.binomial((2,), 1, 1.5), errors.InvalidArgument, "probabilities must lie in 0..1"),
        (lambda: random.gamma((2,), 1.0, dtype="int32"), errors.DTypeError, "must be a floating one"),
    ],
)
def test_what_cannot_be_meant(make, error, message):
    with pytest.raises(error, match=message):
        make()
