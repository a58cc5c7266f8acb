"""What goes through an array row by row becomes one node, which gives what its nodes gave."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.compiler import PASSES, optimize
from autograd_nn.compiler.grouping import MOST_INPUTS
from autograd_nn.compiler.rows import MOST, MOST_MEMBERS, rows

from .graphs import CHOICES, MODELS, SHAPES, count, one_graph, passes_of, random_graph, same_graph, same_values

X = np.random.default_rng(0).normal(size=(4, 5))
BEFORE = tuple(name for name in PASSES if name not in ("rows", "fuse"))


def programs(graph):
    """The ops of each row program."""
    return [[t.op.name for t in n.params["graph"].operations] for n in graph.operations if n.op.name == "rows"]


def grouped(function, *arrays):
    """The graph with row programs, which gives the same."""
    after = passes_of(function, *arrays, names=(*BEFORE, "rows"))
    same_values(one_graph(function, *arrays), after, arrays)
    return after


@settings(max_examples=60, deadline=None)
@given(CHOICES, SHAPES, st.sampled_from(["float32", "float64"]))
def test_values_stay(choices, shape, dtype):
    graph, arrays = random_graph(choices, shape, dtype)
    before = optimize(graph, BEFORE)
    same_values(before, optimize(before, ("rows",)), arrays)
    same_values(before, optimize(before, ("rows", "fuse")), arrays)


@settings(max_examples=30, deadline=None)
@given(CHOICES, SHAPES)
def test_programs_are_bounded_and_hold_a_reduction(choices, shape):
    graph, _ = random_graph(choices, shape, "float64")
    for t in optimize(graph, (*BEFORE, "rows")).operations:
        if t.op.name == "rows":
            inner = t.params["graph"]
            assert len(t.inputs) <= MOST_INPUTS
            assert len(inner.operations) <= MOST_MEMBERS
            assert any(u.op.family == "reduction" for u in inner.operations)


def test_softmax_is_one_node():
    assert count(grouped(lambda x: ops.softmax(x), X)) == {"rows": 1}


def test_crossentropy_of_softmax_and_its_gradient_are_one_node():
    def loss(x, y):
        return ops.sum(y * ops.log(ops.softmax(x)), -1)

    after = grouped(lambda x, y: (loss(x, y), ag.grad(lambda x: ops.mean(loss(x, y)))(x)), X, np.abs(X))
    assert len(programs(after)) == 1
    assert not [t for t in after.operations if t.op.family == "reduction" and t.ndim]


def test_normalisation_is_one_node_and_so_is_its_gradient():
    def f(x):
        return ops.layer_normalization(x, np.arange(5.0), np.ones(5))

    assert count(grouped(f, X)) == {"rows": 1}
    after = grouped(lambda x: ag.grad(lambda x: ops.sum(f(x) * ops.cos(x)))(x), X)
    assert len(programs(after)) == 1


def test_sums_over_other_axes_stay_outside_with_what_they_alone_need():
    def f(x, w):
        y = ops.softmax(x)
        return y, ops.sum(y * w, 0)

    after = grouped(f, X, X)
    assert len(programs(after)) == 1
    assert count(after) == {"rows": 1, "multiply": 1, "sum": 1}


def test_a_path_around_a_program_does_not_close_a_cycle():
    def f(x):
        y = x - ops.max(x, 1, keepdims=True)
        z = y @ ops.transpose(y) @ y
        return y * ops.sum(z, 1, keepdims=True) + z, ops.sum(y, 1)

    after = grouped(f, X)
    assert [names.count("sum") for names in programs(after)] == [1, 1]


def test_one_reduction_by_itself_is_no_program():
    assert programs(grouped(lambda x: ops.sum(ops.square(x) * 2.0, 1), X)) == []


def test_numbers_of_rows_come_without_the_last_axis_too():
    def f(x):
        return ops.log(ops.sum(ops.exp(x - ops.expand_dims(ops.max(x, 1), 1)), 1))

    assert count(grouped(f, X)) == {"rows": 1}


def test_a_number_of_each_row_is_no_row_of_numbers():
    """The sums of a square array are as long as its rows; beside the whole array they lie along them."""
    x = X[:, :4]

    def f(x):
        s = ops.sum(x, 1)
        return x * s + ops.max(x, 1, keepdims=True), s * 2.0

    grouped(f, x)


def test_random_bits_stay_with_the_loop_that_draws_them():
    dropout = ag.layers.Dropout(0.5, seed=1)
    after = passes_of(lambda x: ops.softmax(dropout(x, training=True)), X.astype("float32"), names=(*BEFORE, "rows"))
    (bits,) = (t for t in after.operations if t.op.name == "random_bits")
    assert all(t.op.name != "rows" for t in after.operations if any(i is bits for i in t.inputs))
    assert len(programs(after)) == 1


@pytest.mark.parametrize("n", [1, MOST + 1])
def test_rows_too_short_or_long_are_left(n):
    assert programs(grouped(lambda x: ops.softmax(x), np.ones((2, n)))) == []


def test_half_precision_is_left():
    assert programs(grouped(lambda x: ops.softmax(x), X.astype("float16"))) == []


def test_long_chains_are_cut():
    def f(x):
        for _ in range(40):
            x = ops.tanh(x - ops.max(x, 1, keepdims=True))
        return x

    found = programs(grouped(f, X))
    assert sum(map(len, found)) == 120
    assert all(len(names) <= MOST_MEMBERS for names in found)


@pytest.mark.parametrize("model", MODELS)
def test_a_second_time_changes_nothing(model):
    step, arrays = MODELS[model]()
    once = passes_of(step, *arrays, names=(*BEFORE, "rows"))
    same_graph(rows(once), once)


@pytest.mark.parametrize("model", ["RMSprop", "block"])
def test_the_pass_can_be_left_out(model):
    step, arrays = MODELS[model]()
    assert "rows" not in count(passes_of(step, *arrays, names=(*BEFORE, "fuse")))
