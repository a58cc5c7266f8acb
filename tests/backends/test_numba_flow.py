"""Loops, branches and calls as parts of one program; results that take the place of inputs; work in line with nodes."""

import gc

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.backends.numba import compile as compile_graph
from autograd_nn.backends.numba import program as program_module
from autograd_nn.backends.numba.lowering.bind import LoopStep, PythonStep
from autograd_nn.backends.numba.machine.memory import ARENA, Buffer, plan
from autograd_nn.backends.numba.program import Program
from autograd_nn.compiler import optimize

from .common import agree, both, on

RNG = np.random.default_rng(0)


def steps_of(function, *arrays):
    """The steps of the program of a function, after a run of it."""
    f = ag.jit(function)
    with on("numba"), ag.no_grad():
        f(*arrays)
        program = compile_graph(optimize(f.graph))
        program(*arrays)
    return program.newest.steps


def derivatives(function, count):
    """The values of a function, its gradients, and the gradients of a function of these."""

    def flat(*arrays):
        found = function(*arrays)
        leaves = found if isinstance(found, (tuple, list)) else [found]
        return sum(ops.sum(ops.sin(t)) for t in leaves if t.dtype.kind == "f")

    def slope(*arrays):
        return sum(ops.sum(ops.cos(g)) for g in ag.grad(flat, tuple(range(count)))(*arrays))

    return lambda *arrays: (
        function(*arrays),
        ag.grad(flat, tuple(range(count)))(*arrays),
        ag.grad(slope, tuple(range(count)))(*arrays),
    )


def rnn(h, x, w):
    return ops.scan(lambda h, x: (ops.tanh(h @ w + x), h * 2), h, x)


def backwards(h, x, w):
    return ops.scan(lambda h, x: (ops.tanh(h @ w + x), ops.sum(h)), h, x, reverse=True)


def two_carries(h, x, w):
    (a, b), rows = ops.scan(lambda c, x: ((c[1] * 0.5 + x, c[0] @ w), (c[0], x, c[1] - x)), (h, h * 2), x)
    return a, b, *rows


def nested(h, x, w):
    def outer(h, x):
        inner, seen = ops.scan(lambda c, row: (c * 0.9 + row, c * row), x[0], h)
        return ops.tanh(h @ w + inner), ops.sum(seen)

    return ops.scan(outer, h, x)


def untouched(h, x, w):
    (a, b), rows = ops.scan(lambda c, x: ((c[1], c[0]), (w[0], x * 1)), (h, x[0] if x.shape[0] else h), x)
    return a, b, *rows


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("loop", [rnn, backwards, two_carries, nested])
def test_scans_and_their_derivatives(loop, count):
    h, x, w = RNG.normal(size=(2, 3)), RNG.normal(size=(count, 2, 3)), RNG.normal(size=(3, 3))
    if loop is nested and not count:
        pytest.skip("its step reads a row")
    both(derivatives(loop, 3), h, x, w)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6])
def test_carries_that_change_places_and_outputs_that_do_not_change(count):
    both(untouched, RNG.normal(size=(2, 3)), RNG.normal(size=(count, 2, 3)), RNG.normal(size=(3, 3)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sequences_in_any_layout(dtype):
    h, w = RNG.normal(size=(2, 3)).astype(dtype), RNG.normal(size=(3, 3)).astype(dtype)
    x = RNG.normal(size=(3, 2, 7)).astype(dtype)
    both(lambda h, x, w: rnn(h, ops.transpose(x, (2, 1, 0))[1:], ops.transpose(w)), h, x, w)
    both(lambda h, x, w: rnn(h, ops.flip(ops.transpose(x, (2, 1, 0)), 0), w), h, x, w)
    both(lambda h, x, w: rnn(h, ops.broadcast_to(x[:, :, 0].T, (4, 2, 3)), w), h, x, w)


def test_a_scan_is_kernels_only():
    steps = steps_of(rnn, np.ones((2, 3)), np.ones((4, 2, 3)), np.ones((3, 3)))
    (loop,) = [step for step in steps if isinstance(step, LoopStep)]
    assert loop.count == 4
    assert not any(isinstance(step, PythonStep) for step in (*steps, *loop.steps))


def test_what_is_the_same_in_each_step_is_done_before_the_loop():
    steps = steps_of(lambda h, x, w: rnn(h, x, ops.exp(w) * 2), np.ones((2, 3)), np.ones((4, 2, 3)), np.ones((3, 3)))
    inside = steps_of(
        lambda h, x, w: ops.scan(lambda h, x: (ops.tanh(h @ (ops.exp(w) * 2) + x), h * 2), h, x),
        np.ones((2, 3)), np.ones((4, 2, 3)), np.ones((3, 3)),
    )  # fmt: skip
    sizes = [[len(s.steps) for s in found if isinstance(s, LoopStep)] for found in (steps, inside)]
    assert sizes[0] == sizes[1]


def test_the_gradient_of_a_scan_repeats_no_product():
    def loss(h, x, w):
        return ops.sum(rnn(h, x, w)[0])

    f = ag.jit(ag.grad(loss, (0, 1, 2)))
    with ag.no_grad():
        f(np.ones((2, 3)), np.ones((4, 2, 3)), np.ones((3, 3)))
    loops = [t for t in optimize(f.graph).operations if t.op.name == "scan"]
    products = [sum(t.op.name == "matmul" for t in loop.params["body"].operations) for loop in loops]
    assert products == [1, 1]


def lstm_by_hand(x, w, r):
    """A loop as somebody writes it: everything inside."""

    def step(carry, x):
        h, c = carry
        i, f, g, o = ops.split(ops.tanh(x) @ w + h @ r, 4, axis=1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return (h, c), h

    zeros = ops.zeros((2, 3))
    (h, _), rows = ops.scan(step, (ops.cast(zeros, x.dtype), ops.cast(zeros, x.dtype)), x)
    return h, rows


def test_products_that_need_no_carry_leave_their_loops():
    x, w, r = RNG.normal(size=(5, 2, 4)), RNG.normal(size=(4, 12)), RNG.normal(size=(3, 12))
    both(derivatives(lstm_by_hand, 3), x, w, r)
    f = ag.jit(ag.grad(lambda x, w, r: ops.sum(lstm_by_hand(x, w, r)[1]), (0, 1, 2)))
    with ag.no_grad():
        f(x, w, r)
    operations = optimize(f.graph).operations
    loops = [t for t in operations if t.op.name == "scan"]
    inside = [sum(t.op.name == "matmul" for t in loop.params["body"].operations) for loop in loops]
    assert inside == [1, 1]
    assert sum(t.op.name == "matmul" for t in operations) == 4


def test_python_inside_a_scan_is_told():
    triple = ag.custom_op(lambda x: 3 * x, lambda g, y, x: (3 * g,), name="triple_in_a_scan")
    f = lambda c, x: ops.scan(lambda c, x: (triple(c) * 0.3 + ops.tanh(x), c), c, x)  # noqa: E731
    both(f, np.ones(3), RNG.normal(size=(4, 3)))
    j = ag.jit(f)
    with on("numba"), ag.no_grad():
        j(np.ones(3), np.ones((4, 3)))
    assert "triple_in_a_scan" in j.explain() and "Python in each of its 4 steps" in j.explain()


def test_sizes_known_only_inside():
    total = lambda c, x: (c + ops.sum(x[x > 0]), c)  # noqa: E731
    both(lambda x: ops.scan(total, ops.zeros_like(x[0, 0]), x), RNG.normal(size=(3, 4)))
    both(lambda x: ops.map(lambda row: row * 2, x[x > 0]), RNG.normal(size=7))


def test_map_and_fori_loop():
    x = RNG.normal(size=(4, 3))
    both(derivatives(lambda x: ops.map(lambda row: row * ops.sum(row), x), 1), x)
    both(derivatives(lambda x: ops.vectorized_map(lambda p: p[0] @ p[1], (x, x * 2)), 1), x)
    both(derivatives(lambda x: ops.fori_loop(1, 5, lambda i, s: s * 0.5 + ops.cast(i, "float64"), x), 1), x)
    both(lambda x, n: ops.fori_loop(0, n, lambda i, s: s * 0.5 + 1, x), x, np.array(3))
    both(lambda x: ops.associative_scan(lambda a, b: a @ b, ops.stack([x[:3]] * 5)), x)


def test_a_count_that_only_the_run_knows_takes_any_number():
    f = ag.jit(lambda x, n: ops.fori_loop(0, n, lambda i, s: s * 2, x))
    with on("numba"):
        for n in (0, 1, 5, 2, 5):
            agree(f(np.ones(3), np.array(n)), np.full(3, 2.0**n))


def test_while_loop_and_its_derivatives():
    f = lambda x: ops.while_loop(lambda x: ops.sum(x * x) < 50, lambda x: x * 1.5 + ops.sin(x), x)  # noqa: E731
    both(derivatives(f, 1), RNG.uniform(0.5, 1, 3))


@pytest.mark.parametrize("flag", [True, False])
def test_branches_and_their_derivatives(flag):
    f = lambda p, x, y: ops.cond(p, lambda: (ops.exp(x) * y, x), lambda: (x - y, y * y))  # noqa: E731
    x, y = RNG.normal(size=3), RNG.normal(size=3)
    both(derivatives(lambda x, y: f(ops.sum(x) > (-100 if flag else 100), x, y), 2), x, y)
    j = ag.jit(f)
    with on("numba"), ag.no_grad():
        j(np.array(flag), x, y)
    assert "which of its steps run is known only when it runs" in j.explain()


@pytest.mark.parametrize("index", [-1, 0, 1, 2, 7])
def test_switch(index):
    branches = [lambda x: x * 2, ops.exp, lambda x: ops.cumsum(x)]
    both(lambda i, x: ops.switch(i, branches, x), np.array(index), RNG.normal(size=4))


def test_assignment_in_a_branch():
    def run():
        v = ag.Variable(np.zeros(3))
        f = ag.jit(lambda p: ops.cond(p, lambda: v.assign(v + 1), lambda: v.assign(v * 3)))
        with ag.no_grad():
            for flag in (True, True, False, True):
                f(np.array(flag))
        return v.numpy()

    with on("numba"):
        agree(run(), np.full(3, 7.0))


def test_checkpoint_is_part_of_the_program():
    def f(x, w):
        inner = ag.checkpoint(lambda x: ops.tanh(x @ w) * 2)
        return inner(inner(x))

    x, w = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 3))
    both(derivatives(f, 2), x, w)
    assert not any(isinstance(step, PythonStep) for step in steps_of(f, x, w))


def test_a_call_of_which_sizes_are_known_only_when_it_runs():
    both(lambda x: ag.checkpoint(lambda y: (ops.exp(y), y[y > 1]))(x[x > 0]), RNG.normal(size=9))


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("options", [{}, {"go_backwards": True, "return_sequences": True}, {"masked": True}])
def test_recurrent_layers(cell, options):
    options = dict(options)
    masked = options.pop("masked", False)

    def run():
        ag.utils.set_random_seed(0)
        layer = getattr(ag.layers, cell)(5, **options)
        x = np.random.default_rng(1).normal(size=(3, 6, 4)).astype("float32")
        mask = np.arange(6) < np.array([[6], [3], [1]]) if masked else None
        layer(x)

        def f(x):
            y = layer(x, mask=mask)
            return y, ag.gradients(ops.sum(ops.sin(y)), layer.trainable_variables)

        with ag.no_grad():
            return ag.jit(f)(x)

    with on("reference"):
        expected = run()
    with on("numba"):
        found = run()
    agree(found, expected)


# --- results that replace an input


def pair_program():
    """The sum of v, then v * 2 + x in the place of v, and m plus that in the place of m; inputs x, v, m."""
    x, v, m = (ag.engine.tensor.symbol(ag.engine.spec.Spec((3,), np.dtype("float32"))) for _ in range(3))
    graph = ag.engine.graph.Graph([x, v, m], [ops.sum(v), v * 2 + x, m + (v * 2 + x)])
    return Program(optimize(graph), ((1, 1), (2, 2)))


def leaves():
    return [ag.engine.tensor.leaf(np.arange(3, dtype="float32") + k) for k in range(3)]


def advance(program, tensors):
    found = program.update(tensors)
    for t, value in zip(tensors[1:], found[1:]):
        t.value = value
    return found[0]


def test_what_nobody_else_holds_is_written_in_place():
    program, tensors = pair_program(), leaves()
    places = [t.value.__array_interface__["data"][0] for t in tensors]
    for _ in range(3):
        new = tensors[1].value * 2 + tensors[0].value
        expected = [tensors[1].value.sum(), new, tensors[2].value + new]
        total = advance(program, tensors)
        agree([total, tensors[1].value, tensors[2].value], expected)
        assert [t.value.__array_interface__["data"][0] for t in tensors] == places


def test_whoever_holds_an_old_value_keeps_it():
    program, tensors = pair_program(), leaves()
    held, copies = [], []
    for k in range(6):
        if k % 2:
            held.append(tensors[1].value[1:] if k % 3 else tensors[1].numpy())
            copies.append(held[-1].copy())
        expected = tensors[1].value * 2 + tensors[0].value
        advance(program, tensors)
        agree(tensors[1].value, expected)
    agree(held, copies)


def test_two_arrays_take_turns_where_the_last_value_is_held():
    program, tensors = pair_program(), leaves()
    places = []
    for _ in range(6):
        before = tensors[1].value
        advance(program, tensors)
        places.append(tensors[1].value.__array_interface__["data"][0])
        del before
        gc.collect()
    assert len(set(places)) == 2


def test_one_array_under_two_names_is_not_written():
    program, tensors = pair_program(), leaves()
    tensors[0].value = tensors[1].value
    expected = tensors[1].value * 3
    x = tensors[0].value.copy()
    advance(program, tensors)
    agree([tensors[0].value, tensors[1].value], [x, expected])


def test_an_old_value_that_is_read_later_is_not_overwritten_before():
    x, v = (ag.engine.tensor.symbol(ag.engine.spec.Spec((3,), np.dtype("float32"))) for _ in range(2))
    program = Program(optimize(ag.engine.graph.Graph([x, v], [v * 2 + x, ops.exp(ops.sum(v)) * v])), ((1, 0),))
    tensors = leaves()[:2]
    v = tensors[1].value.copy()
    agree(program.update(tensors), [v * 2 + tensors[0].value, np.exp(v.sum()) * v])


@pytest.mark.parametrize("rows", [5, 700])
def test_a_weight_that_a_product_changes(rows):
    x, g, w = (
        ag.engine.tensor.symbol(ag.engine.spec.Spec(s, np.dtype("float64"))) for s in ((rows, 6), (rows, 9), (6, 9))
    )
    for new in (w - 0.1 * (ops.transpose(x) @ g), w @ ops.transpose(w) @ w + w):
        program = Program(optimize(ag.engine.graph.Graph([x, g, w], [new])), ((2, 0),))
        tensors = [ag.engine.tensor.leaf(RNG.normal(size=t.spec.shape)) for t in (x, g, w)]
        a, b, c = (t.value.copy() for t in tensors)
        place = tensors[2].value.__array_interface__["data"][0]
        expected = c - 0.1 * (a.T @ b) if new.op.name == "subtract" else c @ c.T @ c + c
        (found,) = program.update(tensors)
        agree(found, expected)
        if new.op.name == "subtract":
            assert found.__array_interface__["data"][0] == place


def test_values_that_change_places():
    a, b = (ag.engine.tensor.symbol(ag.engine.spec.Spec((3,), np.dtype("float32"))) for _ in range(2))
    program = Program(optimize(ag.engine.graph.Graph([a, b], [b * 1.0, a + 0.0])), ((0, 0), (1, 1)))
    tensors = leaves()[:2]
    x, y = (t.value.copy() for t in tensors)
    for _ in range(3):
        tensors[0].value, tensors[1].value = program.update(tensors)
        x, y = y, x
        agree([t.value for t in tensors], [x, y])


def test_tables_for_other_sizes_hold_bounded_memory(monkeypatch):
    monkeypatch.setattr(program_module, "_MOST_BYTES", 40_000)
    f = ag.jit(lambda x: ops.sum(ops.cumsum(ops.exp(x), axis=0) * 2, axis=0), batched=True)
    with on("numba"):
        for size in [*range(50, 90), 50]:
            x = RNG.normal(size=(size, 10))
            agree(f(x), (np.exp(x).cumsum(0) * 2).sum(0))
    program = next(iter(f._versions.values()))[0].run
    assert 1 < len(program._held) < 20
    assert sum(program._held.values()) <= 40_000


# --- work in line with nodes


def chain(count):
    def f(x, w):
        for k in range(count // 5):
            x = ops.softmax(ops.tanh(x @ w) * 0.5, axis=k % 2)
        return x

    return f


def test_instructions_and_memory_grow_with_nodes_and_no_faster():
    counts = {}
    for size in (100, 400):
        f = ag.jit(chain(size))
        with on("numba"), ag.no_grad():
            f(np.ones((4, 4)), np.ones((4, 4)))
        program = next(iter(f._versions.values()))[0].run
        counts[size] = len(program.newest.rows), len(program.newest.words), program.newest.arena.nbytes
    rows, words, nbytes = (b / a for a, b in zip(counts[100], counts[400]))
    assert 3.5 < rows < 4.5 and 3.5 < words < 4.5
    assert nbytes < 1.5


def test_the_plan_looks_at_few_gaps_however_many_buffers():
    class Counted(int):
        compared = 0

        def __lt__(self, other):
            Counted.compared += 1
            return int(self) < int(other)

    work = {}
    for count in (1000, 4000):
        rng = np.random.default_rng(0)
        buffers = [
            Buffer(ARENA, Counted(size), first=k, last=k + int(life))
            for k, (size, life) in enumerate(zip(rng.integers(1, 10**6, count), rng.integers(0, 40, count)))
        ]
        Counted.compared = 0
        plan(buffers)
        work[count] = Counted.compared
    assert work[4000] < 5 * max(work[1000], 1) + 100


@pytest.mark.parametrize("seed", range(3))
def test_buffers_that_live_at_one_time_lie_apart(seed):
    rng = np.random.default_rng(seed)
    buffers = []
    for _ in range(200):
        first = int(rng.integers(0, 100))
        buffers.append(Buffer(ARENA, int(rng.integers(0, 5000)), first=first, last=first + int(rng.integers(0, 20))))
    top = plan(buffers)
    for k, a in enumerate(buffers):
        assert a.address % 64 == 0 and a.address + a.nbytes <= top
        for b in buffers[:k]:
            apart = a.address + a.nbytes <= b.address or b.address + b.nbytes <= a.address
            assert apart or a.last < b.first or b.last < a.first or not a.nbytes or not b.nbytes
