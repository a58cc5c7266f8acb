"""Row programs as kernels: they give what the reference gives, in all layouts, and the same bits for any team."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops

from .common import agree, on

DTYPES = ("float32", "float64")
LENGTHS = (2, 7, 8, 9, 10, 33, 64, 600, 1000)


def crossentropy(x, y):
    p = ops.softmax(x)
    return ops.sum(-y * ops.log(ops.clip(p / ops.sum(p, -1, keepdims=True), 1e-7, 1 - 1e-7)), -1)


def normalized(x, y):
    d = x - ops.mean(x, -1, keepdims=True)
    return d * ops.reciprocal(ops.sqrt(ops.mean(ops.square(d), -1, keepdims=True) + 1e-3)) * y[0] + y[-1]


def mixed(x, y):
    """Every reduction, numbers per row with and without the last axis, several dtypes."""
    top, low = ops.max(x, -1), ops.min(y, -1, keepdims=True)
    above = x > ops.expand_dims(top, -1) * 0.5
    some, every = ops.any(above, -1), ops.all(above, -1, keepdims=True)
    product = ops.prod(ops.tanh(y) * 0.1 + 1, -1)
    counted = ops.sum(ops.cast(above, "int32"), -1, keepdims=True)
    z = ops.where(above | every, x, low) * ops.cast(counted, x.dtype)
    return z, top * product, some, counted, ops.sum(z, -1)


def gradient(function):
    def found(x, y):
        def total(x):
            z = function(x, y)
            return ops.sum(z * (ops.cos(y) if z.shape == y.shape else 0.5))

        return ag.grad(total)(x)

    return found


FUNCTIONS = {
    "softmax": lambda x, y: ops.softmax(x * 0.5 + y[:1]),
    "log_softmax": lambda x, y: ops.log_softmax(x) * y,
    "crossentropy": crossentropy,
    "normalized": normalized,
    "mixed": mixed,
    "softmax'": gradient(lambda x, y: ops.softmax(x)),
    "crossentropy'": gradient(crossentropy),
    "normalized'": gradient(normalized),
}


def kernels(function, *arrays):
    """The values of a function, and the kernels of its program that are row programs."""
    with on("numba"):
        compiled = ag.jit(function)
        found = compiled(*arrays)
        lines = compiled.explain().splitlines()
    assert not [line for line in lines if line.startswith("python")]
    return found, [line for line in lines if line.startswith("kernel") and ("sum" in line or "max" in line)]


def reference(function, *arrays):
    with on("reference"):
        return ag.jit(function)(*arrays)


def data(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for _ in range(2)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_rows_of_all_lengths(name, n, dtype):
    arrays = data((5, n), dtype)
    agree(kernels(FUNCTIONS[name], *arrays)[0], reference(FUNCTIONS[name], *arrays))


@pytest.mark.parametrize("lead", [(1,), (33,), (2, 3), (2, 1, 3, 2), (100,)])
@pytest.mark.parametrize("n", [10, 64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_axes_before_the_row(name, lead, n):
    arrays = data((*lead, n), "float32")
    agree(kernels(FUNCTIONS[name], *arrays)[0], reference(FUNCTIONS[name], *arrays))


@pytest.mark.parametrize("shape", [(0, 10), (3, 0, 64), (4, 1), (3, 0)])
@pytest.mark.parametrize("function", [normalized, gradient(normalized)])
def test_no_rows_and_rows_of_nothing(function, shape):
    x, y = np.ones(shape, "float32"), np.ones((max(shape[0], 1), *shape[1:]), "float32")
    with np.errstate(all="ignore"):
        agree(kernels(function, x, y)[0], reference(function, x, y))


def test_one_program_serves_every_number_of_rows():
    def function(x):
        return normalized(x, np.arange(20.0, dtype="float32").reshape(2, 10)), ops.log_softmax(x)

    with on("numba"):
        compiled = ag.jit(function, batched=True)
        for rows in (5, 0, 1, 70):
            x = data((rows, 10), "float32")[0]
            agree(compiled(x), reference(function, x) if rows else (x, x))


def views(x, y):
    """Operands that are views: transposed, every second, backwards, one row or one column for all."""
    a = ops.transpose(x)[: y.shape[0], : y.shape[1]]
    rows = ops.softmax(a * y[:, ::2].sum() + y[::-1] * y[:1] + y[:, :1])
    return rows * x.T[: y.shape[0], ::-1][:, : y.shape[1]], ops.sum(rows * y[:, ::-1], -1)


@pytest.mark.parametrize("n", [6, 40])
def test_layouts(n):
    x, y = data((60, 60), "float64")
    arrays = x, y[:4, :n].copy()
    agree(kernels(views, *arrays)[0], reference(views, *arrays))


@pytest.mark.parametrize("n", [3, 40])
@pytest.mark.parametrize("step", [2, 3, 4, 5])
def test_steps_within_the_row(step, n):
    x, y = data((7, n * step), "float32")

    def function(x, y):
        return ops.softmax(x[:, ::step]) + ops.max(y[:, ::step], -1, keepdims=True)

    agree(kernels(function, x, y)[0], reference(function, x, y))


@pytest.mark.parametrize("n", [10, 50])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_and_infinity_stay_in_their_rows(name, n):
    x, y = data((9, n), "float32")
    x[1, 3], x[2, 0], x[3, n - 1], x[4, :], x[5, 2:4] = np.nan, np.inf, -np.inf, -np.inf, (np.inf, np.nan)
    y[7, 1] = np.nan
    with np.errstate(all="ignore"):
        agree(kernels(FUNCTIONS[name], x, y)[0], reference(FUNCTIONS[name], x, y))


@pytest.mark.parametrize("shape", [(300, 10), (100, 64), (10, 1000)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_bits_for_any_team(name, shape):
    arrays = data(shape, "float32")
    before = ag.config.num_threads()
    found = []
    try:
        for threads in (1, 2, 4):
            ag.config.set_num_threads(threads)
            values = kernels(FUNCTIONS[name], *arrays)[0]
            found.append([np.asarray(v) for v in (values if isinstance(values, tuple) else (values,))])
    finally:
        ag.config.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other):
            assert a.tobytes() == b.tobytes()


def test_softmax_crossentropy_and_its_gradient_are_one_kernel():
    x, y = data((128, 10), "float32")

    def step(x, y):
        return ag.value_and_grad(lambda x: ops.mean(crossentropy(x, y)))(x)

    found, programs = kernels(step, x, y)
    agree(found, reference(step, x, y))
    assert len([line for line in programs if "exp" in line or "log" in line or "reciprocal" in line]) == 1


@pytest.mark.parametrize("function", [normalized, gradient(normalized)])
def test_normalisation_is_one_kernel(function):
    _, programs = kernels(function, *data((24, 128), "float32"))
    assert len(programs) == 1


def test_an_attention_mask_is_read_as_it_lies():
    x, _ = data((2, 3, 8, 40), "float32")
    mask = np.triu(np.full((8, 40), -np.inf, "float32"), 30)

    def function(x, mask):
        return ops.softmax(x * 0.5 + mask)

    found, programs = kernels(function, x, mask)
    agree(found, reference(function, x, mask))
    assert len(programs) == 1


CHOICES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=20)


def grow(choices, x, y):
    """Values of rows and numbers of rows, each made of those before."""
    rows, numbers = [x, y], [ops.sum(x, -1, keepdims=True)]
    for kind, a, b in choices:
        row, other, number = rows[a % len(rows)], rows[b % len(rows)], numbers[b % len(numbers)]
        if kind < 3:
            rows.append((ops.tanh(row) * other, row - number, ops.exp(-ops.square(row)) + number)[kind])
        else:
            numbers.append((ops.mean(row * other, -1, keepdims=True), ops.max(row, -1, keepdims=True),
                            ops.sin(number), ops.expand_dims(ops.min(row, -1), -1))[kind - 3])  # fmt: skip
    return rows[-1], numbers[-1], rows[len(rows) // 2]


@settings(max_examples=25, deadline=None)
@given(CHOICES, st.sampled_from([(3, 5), (40, 9), (6, 70)]))
def test_random_programs(choices, shape):
    x, y = data(shape, "float64", len(choices))

    def function(x, y):
        return grow(choices, x, y)

    agree(kernels(function, x, y)[0], reference(function, x, y))
