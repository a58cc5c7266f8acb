"""Random bits against published answers; distributions; the same bits in every process, eager and traced."""

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import errors, ops, random
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import BATCH, Spec
from autograd_nn.engine.tensor import symbol
from autograd_nn.ops.random import philox

MANY = 20_000
SEEDED: dict[str, Callable[[Any], ag.Tensor]] = {
    "categorical": lambda seed: random.categorical(np.zeros((3, 4)), 5, seed=seed),
    "dropout": lambda seed: random.dropout(np.ones(50), 0.5, seed=seed),
    "normal": lambda seed: random.normal((4, 5), seed=seed),
    "randint": lambda seed: random.randint((20,), 0, 100, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(20), seed=seed),
    "truncated_normal": lambda seed: random.truncated_normal((4, 5), seed=seed),
    "uniform": lambda seed: random.uniform((4, 5), seed=seed),
}
every_draw = pytest.mark.parametrize("draw", SEEDED.values(), ids=SEEDED)


def key(*words: int) -> ag.Tensor:
    return ag.tensor(np.array(words, np.uint32))


# --- bits


@pytest.mark.parametrize(
    ("counter", "key_words", "expected"),
    [
        ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_known_answers_of_random123(counter: list[int], key_words: list[int], expected: list[int]) -> None:
    found = philox(np.array(counter, np.uint32).reshape(4, 1), np.array(key_words, np.uint32))
    assert found.ravel().tolist() == expected


def test_element_i_is_word_i_mod_4_of_block_i_div_4() -> None:
    words = [7, 8, 9, 10]
    blocks = [philox(np.array([[b], [0], [9], [10]], np.uint32), np.array([7, 8], np.uint32)) for b in range(3)]
    expected = np.concatenate([block.ravel() for block in blocks])
    assert ops.random_bits(key(*words), 10).tolist() == expected[:10].tolist()
    assert ops.random_bits(key(*words), (2, 3)).tolist() == expected[:6].reshape(2, 3).tolist()


@pytest.mark.parametrize("place", range(4))
def test_every_word_of_the_key_counts(place: int) -> None:
    other = [1, 2, 3, 4]
    other[place] += 1
    first, second = (ops.random_bits(key(*words), 100).numpy() for words in ([1, 2, 3, 4], other))
    assert np.mean(first == second) < 0.05


def test_bits_are_balanced() -> None:
    words = ops.random_bits(key(1, 2, 3, 4), MANY).numpy()
    ones = np.unpackbits(words.view(np.uint8)).reshape(MANY, 32).mean(axis=0)
    assert np.abs(ones - 0.5).max() < 5 * 0.5 / math.sqrt(MANY)


def test_bits_of_a_shape_that_is_not_known_yet() -> None:
    x = symbol(Spec((BATCH, 3), np.dtype("float32")))
    bits = ops.random_bits(key(1, 2, 3, 4), ops.shape(x))
    assert bits.spec.shape == (BATCH, 3)
    graph = Graph([x], [bits]).verify()
    for size in (2, 5):
        expected = ops.random_bits(key(1, 2, 3, 4), (size, 3)).numpy()
        np.testing.assert_array_equal(graph.evaluate(np.ones((size, 3), np.float32))[0], expected)


# --- distributions


def normal_share(z: float) -> float:
    return (1 + math.erf(z / math.sqrt(2))) / 2


def truncated_share(z: float) -> float:
    return (normal_share(z) - normal_share(-2)) / (normal_share(2) - normal_share(-2))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("draw", "share"),
    [
        (random.uniform, lambda u: u),
        (random.normal, normal_share),
        (random.truncated_normal, truncated_share),
    ],
    ids=["uniform", "normal", "truncated_normal"],
)
def test_distribution_by_kolmogorov_and_smirnov(draw: Any, share: Callable[[float], float], dtype: str) -> None:
    found = draw((MANY,), dtype=dtype, seed=3)
    assert found.dtype == dtype
    shares = np.sort([share(float(v)) for v in found.numpy()])
    steps = np.arange(MANY) / MANY
    # 1.95 / sqrt(n) is exceeded by chance once in a thousand; float16 adds its own grain.
    limit = 1.95 / math.sqrt(MANY) + (2e-3 if dtype == "float16" else 0)
    assert max(np.abs(shares - steps).max(), np.abs(shares - steps - 1 / MANY).max()) < limit


def test_mean_and_deviation_of_normal() -> None:
    found = random.normal((MANY,), mean=5.0, stddev=0.1, seed=1, dtype="float64").numpy()
    assert abs(found.mean() - 5) < 5 * 0.1 / math.sqrt(MANY)
    assert abs(found.std() - 0.1) < 5 * 0.1 / math.sqrt(2 * MANY)


def test_neighbours_are_not_correlated() -> None:
    found = random.normal((MANY,), seed=1, dtype="float64").numpy()
    for lag in range(1, 9):
        assert abs(np.mean(found[lag:] * found[:-lag])) < 5 / math.sqrt(MANY)


@pytest.mark.parametrize(("dtype", "bits"), [("float32", 24), ("float64", 53)])
def test_uniform_fills_the_mantissa(dtype: str, bits: int) -> None:
    found = random.uniform((1000,), dtype=dtype, seed=1).numpy().astype(np.float64) * 2.0**bits
    assert np.all(found == np.floor(found))
    assert np.any(found % 2 == 1)
    assert found.min() >= 0
    assert found.max() < 2.0**bits


def test_uniform_keeps_to_its_bounds() -> None:
    found = random.uniform((MANY,), -2.0, 3.0, seed=1).numpy()
    assert -2 <= found.min() < -1.9
    assert 2.9 < found.max() < 3


@pytest.mark.parametrize(
    ("low", "high", "dtype"), [(0, 6, "int32"), (-5, 5, "int8"), (0, 256, "uint8"), (-(2**63), 2**63, "int64")]
)
def test_randint_is_even_over_its_range(low: int, high: int, dtype: str) -> None:
    found = random.randint((MANY,), low, high, dtype=dtype, seed=1).numpy()
    assert found.dtype == dtype
    share = (found.astype(np.float64) - low) / (high - low)
    assert share.min() >= 0
    assert share.max() <= 1
    counts = np.histogram(share, bins=2, range=(0, 1))[0]
    assert abs(counts[0] - MANY / 2) < 5 * math.sqrt(MANY) / 2
    if high - low <= 256:
        assert sorted(set(found.tolist())) == list(range(low, high))


def test_categorical_follows_the_logits() -> None:
    shares = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
    with np.errstate(divide="ignore"):
        found = random.categorical(np.log(shares), MANY, seed=1).numpy()
    assert found.shape == (2, MANY)
    assert found.dtype == np.int32
    for row, share in zip(found, shares):
        counts = np.bincount(row, minlength=3) / MANY
        assert np.all(np.abs(counts - share) <= 5 * np.sqrt(share * (1 - share) / MANY))


def test_shuffle_reaches_every_order_alike() -> None:
    generator = random.SeedGenerator(1)
    orders = [tuple(random.shuffle(np.arange(3), seed=generator).tolist()) for _ in range(600)]
    counts = [orders.count(order) for order in sorted(set(orders))]
    assert len(counts) == 6
    assert max(abs(count - 100) for count in counts) < 5 * math.sqrt(100)


def test_shuffle_moves_whole_slices_and_gradients_back() -> None:
    x = ag.tensor(np.arange(12.0).reshape(4, 3), requires_grad=True)
    moved = random.shuffle(x, axis=0, seed=4)
    assert sorted(moved.tolist()) == x.tolist()
    (moved * moved).sum().backward()
    assert x.grad.tolist() == (2 * x).tolist()


def test_dropout_scales_what_it_keeps() -> None:
    x = ag.tensor(np.full(MANY, 3.0), requires_grad=True)
    y = random.dropout(x, 0.2, seed=1)
    kept = y.numpy() != 0
    assert abs(kept.mean() - 0.8) < 5 * math.sqrt(0.16 / MANY)
    np.testing.assert_allclose(y.numpy()[kept], 3 / 0.8)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), kept / 0.8)


def test_dropout_of_nothing_and_along_a_noise_shape() -> None:
    x = ag.tensor(np.ones((50, 4)))
    assert random.dropout(x, 0) is x
    rows = random.dropout(x, 0.5, noise_shape=(None, 1), seed=1).numpy()
    assert set(rows.mean(axis=1).tolist()) == {0.0, 2.0}


# --- seeds


@every_draw
def test_an_int_seed_gives_the_same_each_time(draw: Callable[[Any], ag.Tensor]) -> None:
    assert draw(3).tolist() == draw(3).tolist()
    assert draw(3).tolist() != draw(4).tolist()


@every_draw
def test_a_generator_gives_new_numbers_each_time(draw: Callable[[Any], ag.Tensor]) -> None:
    first, second = random.SeedGenerator(3), random.SeedGenerator(3)
    a, b = draw(first).tolist(), draw(first).tolist()
    assert a != b
    assert [a, b] == [draw(second).tolist(), draw(second).tolist()]


@every_draw
def test_the_global_seed_starts_everything_again(draw: Callable[[Any], ag.Tensor]) -> None:
    random.set_global_seed(5)
    first = [draw(None).tolist(), draw(None).tolist(), random.make_seed(), random.SeedGenerator().seed]
    random.set_global_seed(5)
    assert first == [draw(None).tolist(), draw(None).tolist(), random.make_seed(), random.SeedGenerator().seed]
    assert first[0] != first[1]
    assert first[2] != first[3]


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**63 + 5, -1])
def test_every_int_is_a_seed_of_its_own(seed: int) -> None:
    same, other = random.SeedGenerator(seed), random.SeedGenerator(seed + 1)
    assert random.SeedGenerator(seed).next().tolist() == same.next().tolist() != other.next().tolist()


def in_another_process(code: str) -> str:
    command = [sys.executable, "-c", f"from autograd_nn import ops, random\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_same_seed_gives_the_same_bits_in_every_process() -> None:
    code = "random.set_global_seed(11); print(random.normal((5,)).numpy().tobytes().hex(), random.make_seed())"
    random.set_global_seed(11)
    here = f"{random.normal((5,)).numpy().tobytes().hex()} {random.make_seed()}\n"
    assert in_another_process(code) == in_another_process(code) == here


def test_without_a_global_seed_processes_differ() -> None:
    code = "print(random.make_seed(), random.uniform((3,)).tolist())"
    assert in_another_process(code) != in_another_process(code)


def test_a_generator_comes_back_from_its_config() -> None:
    generator = random.SeedGenerator(42, name="noise")
    twin = random.SeedGenerator.from_config(generator.get_config())
    assert twin.next().tolist() == generator.next().tolist()
    assert twin.name == "noise"


def test_a_key_keeps_its_value_after_the_next_draw() -> None:
    generator = random.SeedGenerator(1)
    first = generator.next()
    generator.next()
    assert first.tolist() == [1, 0, 0, 0]


# --- in compiled programs


def test_a_traced_program_draws_as_an_eager_one() -> None:
    eager, traced = random.SeedGenerator(9), random.SeedGenerator(9)
    program = ag.jit(lambda x: random.dropout(x, 0.5, seed=traced))
    x = np.ones(40)
    for _ in range(3):
        np.testing.assert_array_equal(program(x).numpy(), random.dropout(x, 0.5, seed=eager).numpy())
    assert traced.state.tolist() == [9, 0, 0, 3]


def test_two_draws_in_one_program_differ() -> None:
    generator = random.SeedGenerator(9)
    first, second = ag.jit(lambda: (random.uniform((5,), seed=generator), random.uniform((5,), seed=generator)))()
    assert first.tolist() != second.tolist()


def test_the_global_seed_reaches_a_program_traced_before() -> None:
    program = ag.jit(lambda x: x + random.normal((4,)))
    x = np.zeros(4, np.float32)
    random.set_global_seed(1)
    first = program(x).tolist()
    assert program(x).tolist() != first
    random.set_global_seed(1)
    assert program(x).tolist() == first


# --- errors


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: random.SeedGenerator("1"), TypeError, "seed must be an int"),
        (lambda: random.SeedGenerator(True), TypeError, "seed must be an int"),
        (lambda: random.normal((2,), seed=random.SeedGenerator), TypeError, "write SeedGenerator"),
        (lambda: random.set_global_seed(1.5), TypeError, "seed must be an int"),
        (lambda: random.normal((2,), dtype="int32"), TypeError, "floating"),
        (lambda: random.uniform((2,), dtype="int32"), TypeError, "random.randint"),
        (lambda: random.randint((2,), 0, 5, dtype="float32"), TypeError, "random.uniform"),
        (lambda: random.randint((2,), 5, 5), ValueError, "minval < maxval"),
        (lambda: random.randint((2,), 0, 300, dtype="uint8"), ValueError, "within uint8"),
        (lambda: random.randint((2,), 0.5, 3), TypeError, "minval must be an int"),
        (lambda: random.uniform((-2,)), ValueError, "sizes must be >= 0"),
        (lambda: random.dropout(np.ones(2), 1.0), ValueError, "0 <= rate < 1"),
        (lambda: random.dropout(np.ones(2), 50), ValueError, "0 <= rate < 1"),
        (lambda: random.dropout(np.ones(2), "0.5"), ValueError, "0 <= rate < 1"),
        (lambda: random.dropout(np.ones(2, int), 0.5), TypeError, "floats"),
        (lambda: random.dropout(np.ones((2, 3)), 0.5, noise_shape=(2,)), ValueError, "noise_shape"),
        (lambda: random.categorical(np.ones(3), 2), ValueError, "batch, classes"),
        (lambda: random.categorical(np.ones((1, 3)), -1), ValueError, "num_samples"),
        (lambda: random.shuffle(np.ones(3), axis=1), ValueError, "axis 1"),
    ],
)
def test_errors(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        call()
    assert isinstance(caught.value, errors.AutogradError)
