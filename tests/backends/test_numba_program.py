"""Whole programs: random graphs, training steps, sizes that change, threads, and what runs in Python."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.backends.numba import compile as compile_graph
from autograd_nn.backends.numba.lowering.bind import PythonStep
from autograd_nn.backends.numba.machine.kernel import LIBRARY
from autograd_nn.backends.threads import num_threads, set_num_threads

from .common import agree, both, on

UNARY = (ops.tanh, ops.exp, ops.sigmoid, ops.relu, ops.square, ops.softmax, ops.negative, ops.softplus, ops.abs)
BINARY = (ops.add, ops.subtract, ops.multiply, ops.maximum, ops.minimum)


@pytest.fixture(autouse=True)
def same_threads():
    before = num_threads()
    yield
    set_num_threads(before)


def step(values, choice):
    """One more value from those there are: choices are numbers, so that a failing graph shrinks."""
    kind, a, b, which = choice
    x, y = values[a % len(values)], values[b % len(values)]
    if kind == 0:
        return ops.tanh(UNARY[which % len(UNARY)](x))
    if kind == 1:
        return BINARY[which % len(BINARY)](x, y)
    if kind == 2:
        return ops.mean(x, which % 2, keepdims=True) + y
    if kind == 3:
        return ops.max(x, which % 2, keepdims=True) * 0.5 + y
    if kind == 4:
        return ops.tanh(x @ ops.transpose(y) @ x)
    return ops.where(x > 0, y, ops.transpose(ops.transpose(x)))


CHOICES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=40
)


@settings(max_examples=12)
@given(CHOICES, st.sampled_from([(1, 1), (3, 5), (17, 33)]), st.sampled_from(["float32", "float64"]))
def test_random_graphs(choices, shape, dtype):
    rng = np.random.default_rng(0)
    x, y = (rng.uniform(-1, 1, shape).astype(dtype) for _ in range(2))

    def f(x, y):
        values = [x, y]
        for choice in choices:
            values.append(step(values, choice))
        return values[-1], ops.sum(values[-1]), values[len(values) // 2]

    set_num_threads(1)
    both(f, x, y)
    set_num_threads(2)
    both(f, x, y)


def train(hidden, steps, optimizer="RMSprop"):
    """Losses and weights of a small network, the state of its optimizer written by the program."""
    rng = np.random.default_rng(0)
    shapes = ((20, hidden), (hidden,), (hidden, 10), (10,))
    weights = [ag.Variable(rng.normal(size=s).astype("float32") * 0.3) for s in shapes]
    rule = getattr(ag.optimizers, optimizer)(0.01)
    rule.build(weights)

    @ag.jit
    def one(x, y):
        w1, b1, w2, b2 = weights
        p = ops.softmax(ops.relu(x @ w1 + b1) @ w2 + b2)
        loss = ops.mean(ops.categorical_crossentropy(y, p))
        rule.apply(ag.gradients(loss, weights), weights)
        return loss

    losses = []
    with ag.no_grad():
        for k in range(steps):
            size = 13 if k % 3 else 30
            x = rng.normal(size=(size, 20)).astype("float32")
            y = np.eye(10, dtype="float32")[rng.integers(0, 10, size)]
            losses.append(one(x, y).numpy())
    return losses, [w.numpy() for w in weights]


@pytest.mark.parametrize("optimizer", ["RMSprop", "Adam", "SGD"])
def test_training_is_that_of_the_reference_and_the_same_bits_for_any_team(optimizer):
    with on("reference"):
        expected = train(37, 12, optimizer)
    found = {}
    for threads in (1, 2, 4, 8):
        set_num_threads(threads)
        with on("numba"):
            found[threads] = train(37, 12, optimizer)
    agree(found[1], expected)
    for threads in (2, 4, 8):
        assert all(
            np.array_equal(a, b) for a, b in zip(found[1][0] + found[1][1], found[threads][0] + found[threads][1])
        )


@pytest.mark.parametrize("m", [1, 5, 6, 7, 11, 13])
@pytest.mark.parametrize("n", [1, 7, 16, 17, 33])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_around_the_edges_of_a_tile(m, n, dtype):
    rng = np.random.default_rng(m * n)
    for k in (1, 3, 256, 257):
        a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
        both(lambda a, b: (a @ b, ops.transpose(b) @ ops.transpose(a)), a, b)


@pytest.mark.parametrize("shape", [(70, 300), (3, 100_000), (5000, 33), (100_000,), (4, 1, 5, 6), (300, 7, 20), (2, 0)])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_reductions_of_every_size(shape, axis):
    x = np.random.default_rng(0).normal(size=shape)
    both(lambda x: (ops.sum(x * x, axis=axis), ops.count_nonzero(x > 0, axis=axis), ops.any(x > 3, axis=axis)), x)
    both(lambda x: ops.sum(ops.transpose(x), axis=axis), x)
    if x.size:
        both(lambda x: (ops.max(x, axis=axis), ops.min(x, axis=axis)), x)


def test_special_values_pass_through():
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308, -1e308, 5e-324, 710.0, -746.0])
    for f in (*UNARY[:5], ops.log, ops.log1p, ops.expm1, ops.sqrt, ops.erf, ops.sinh, ops.cosh, ops.softplus):
        both(lambda x, f=f: (f(x), ops.maximum(x, 0.5), ops.isfinite(x), ops.sign(x)), x)


def test_what_has_no_kernel_runs_in_python_and_says_so():
    triple = ag.custom_op(lambda x: 3 * x, lambda g, y, x: (3 * g,), name="triple")
    f = ag.jit(lambda x: (triple(x * 2) + 1, x[x > 0], (x[x > 0] * 2).sum()))
    x = np.linspace(-1, 1, 7)
    with on("numba"):
        agree(f(x), (6 * x + 1, x[x > 0], (x[x > 0] * 2).sum()))
        program = compile_graph(f.graph)
    program(x)
    reasons = [s.reason for s in program.newest.steps if isinstance(s, PythonStep)]
    assert "no kernel for triple" in reasons
    assert any("size" in reason for reason in reasons)


def test_explain_tells_what_was_fused_and_what_was_not():
    half = ag.custom_op(lambda x: x / 2, lambda g, y, x: (g / 2,), name="half")
    f = ag.jit(lambda x: (ops.tanh(x) * 2 + 1, half(x)))
    assert f.explain() == "not called yet"
    with on("numba"):
        f(np.ones((3, 4)))
    told = f.explain(source=True)
    for part in ("tanh + multiply + add", "no kernel for half", "def kernel(", "(3, 4)"):
        assert part in told


def test_results_are_the_callers_own():
    with on("numba"):
        f = ag.jit(lambda x: (x, x.T, x[1:], x + 1))
        x = np.arange(6.0).reshape(2, 3)
        first = f(x)
        x[...] = 0
        f(x + 100)
    y = np.arange(6.0).reshape(2, 3)
    agree(first, (y, y.T, y[1:], y + 1))


def test_several_python_threads_at_once():
    with on("numba"):
        f = ag.jit(lambda x: ops.tanh(x @ x).sum(axis=0))
        x = np.random.default_rng(0).normal(size=(64, 64))
        expected = f(x).numpy()
        wrong = []

        def work():
            for _ in range(100):
                if not np.array_equal(f(x).numpy(), expected):
                    wrong.append(1)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_fork_a_program_runs_alone():
    with on("numba"):
        f = ag.jit(lambda x: (x @ x).sum())
        x = np.ones((64, 64))
        expected = float(f(x))
        child = os.fork()
        if child == 0:
            os._exit(0 if float(f(x)) == expected else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


CODE = """
import numpy as np, autograd_nn as ag
from autograd_nn import ops
x = np.linspace(-2, 2, 15).reshape(3, 5)
f = lambda x: (ops.softmax(ops.tanh(x) * 2 + 1), ops.sum(x * x, 0), ops.exp(x[:, ::2]), x @ x.T, ops.log(x))
expected = ag.jit(f)(x)
ag.set_backend("numba")
for a, b in zip(ag.jit(f)(x), expected):
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-12)
print("equal")
"""


@pytest.mark.parametrize("variable", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_kernels_are_plain_python_and_stay_within_their_arrays(variable):
    run = subprocess.run(
        [sys.executable, "-c", CODE], env={**os.environ, variable: "1"}, capture_output=True, text=True
    )
    assert run.stdout.strip() == "equal", run.stderr


def test_another_batch_size_compiles_nothing():
    f = ag.jit(lambda x: ops.sum(ops.softmax(x) * 2, axis=1), batched=True)
    with on("numba"):
        f(np.ones((128, 10)))
        before = len(LIBRARY.kernels)
        agree(f(np.ones((96, 10))), np.full(96, 2.0))
    assert len(LIBRARY.kernels) == before
    assert f.traces == 1


def test_a_size_that_does_not_broadcast_is_an_error_in_every_later_call():
    f = ag.jit(lambda x: ag.ops.tanh(x * 2 + np.arange(5.0)) * x)
    with on("numba"):
        assert [f(np.ones(n)).shape for n in (5, 1, 5)] == [(5,)] * 3
        for _ in range(2):
            with pytest.raises(ag.errors.ShapeError):
                f(np.ones(7))
