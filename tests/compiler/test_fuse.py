"""Which nodes become one loop, what a loop computes again instead of reading it, and what training steps come to."""

import numpy as np
import pytest

from autograd_nn import ops
from autograd_nn.compiler import PASSES, grouping

from .graphs import MODELS, count, one_graph, passes_of, same_values

X = np.random.default_rng(0).normal(size=(4, 5))


# Row programs would take part of the graphs below before loops are made.
NAMES = tuple(name for name in PASSES if name != "rows")


def fused(function, *arrays):
    after = passes_of(function, *arrays, names=NAMES)
    same_values(one_graph(function, *arrays), after, arrays)
    return after


def loops(graph):
    """The ops of each loop, and how many results it has."""
    found = [t.params["graph"] for t in graph.operations if t.op.name == "fused"]
    return [([t.op.name for t in g.operations], len(g.outputs)) for g in found]


def test_a_chain_is_one_loop():
    assert loops(fused(lambda x: ops.tanh(x * 3.0) + 1.0, X)) == [(["multiply", "tanh", "add"], 1)]


def test_a_product_between_parts_two_loops():
    after = fused(lambda x: ops.exp(ops.exp(x * 3.0) @ ops.transpose(x) + 1.0), X)
    assert loops(after) == [(["multiply", "exp"], 1), (["add", "exp"], 1)]


def test_a_path_around_a_loop_does_not_close_a_cycle():
    def f(x):
        y = ops.exp(x)
        return y * ops.sum(y, 1, keepdims=True) + ops.sin(y)

    after = fused(f, X)
    assert loops(after) == [(["multiply", "sin", "add"], 1)]


def test_what_only_a_reduction_reads_is_its_own_loop():
    """exp(x) is read twice and stored; the square is computed while the sum runs."""

    def f(x):
        y = ops.exp(x)
        return y + 1.0, ops.sum(ops.square(y) * 3.0, 0)

    names = [ops_of for ops_of, _ in loops(fused(f, X))]
    assert ["square", "multiply"] in names


def test_cheap_nodes_are_computed_again_instead_of_stored():
    """The second loop reads x, which is there anyway, and not the product."""

    def f(x):
        y = x * 3.0
        return ops.tanh(ops.exp(y) @ ops.transpose(x) @ x + y)

    first, second = loops(fused(f, X))
    assert first == (["multiply", "exp"], 1)
    assert second == (["multiply", "add", "tanh"], 1)


def test_costly_nodes_are_stored():
    def f(x):
        y = ops.exp(x)
        return ops.tanh(ops.exp(y) @ ops.transpose(x) @ x + y)

    assert [n for _, n in loops(fused(f, X))] == [2, 1]


def test_what_is_per_row_is_computed_in_the_loop_that_needs_it():
    after = fused(lambda x: x / ops.sqrt(ops.sum(x, 1, keepdims=True) * 2.0), X)
    assert loops(after) == [(["multiply", "sqrt", "divide"], 1)]


def test_costly_nodes_per_row_are_not():
    after = fused(lambda x: x * ops.exp(ops.sum(x, 1, keepdims=True)), X)
    assert count(after) == {"sum": 1, "exp": 1, "multiply": 1}


def test_random_bits_become_truth_values_where_they_are_drawn():
    """The gradient reads a truth value per element, and the bits are read once."""
    step, arrays = MODELS["dropout"]()
    after = passes_of(step, *arrays)
    (bits,) = (t for t in after.operations if t.op.name == "random_bits")
    assert sum(any(i is bits for i in t.inputs) for t in after.operations) == 1


def test_unconnected_scalars_share_a_loop():
    def f(x):
        return ops.sum(x) + 1.0, ops.max(x) * 2.0, ops.min(x) - 3.0

    assert loops(fused(f, X)) == [(["add", "multiply", "subtract"], 3)]


def test_what_depends_on_sizes_alone_is_not_part_of_a_loop():
    graph = passes_of(lambda x: ops.mean(x), X)
    assert not loops(graph)
    assert count(graph)["cast"] == 1


@pytest.mark.parametrize("count_of", [30, 100])
def test_loops_are_bounded(count_of):
    def many_inputs(*xs):
        total = xs[0]
        for k, x in enumerate(xs[1:]):
            total = ops.tanh(total + x * float(k))
        return total

    after = fused(many_inputs, *[X * k for k in range(count_of)])
    for t in after.operations:
        if t.op.name == "fused":
            assert len(t.inputs) <= grouping.MOST_INPUTS
            assert len(t.params["graph"].operations) <= grouping.MOST_MEMBERS


def test_broadcasts_alone_stay_views():
    after = passes_of(lambda x: ops.broadcast_to(ops.sum(x, 1, keepdims=True), (4, 5)), X, names=("fuse",))
    assert "fused" not in count(after)


# How many loops and row programs a training step has, and how many arrays the loop of gelu keeps for its gradient.
LOOPS = {"RMSprop": (7, 1), "Adam": (8, 1), "dropout": (9, 0), "block": (11, 5)}


@pytest.mark.parametrize("model", MODELS)
def test_training_steps_have_few_loops(model):
    step, arrays = MODELS[model]()
    graph = passes_of(step, *arrays)
    assert (len(loops(graph)), count(graph).get("rows", 0)) == LOOPS[model]
    left = {"unary", "binary", "ternary"}
    alone = [t for t in graph.operations if t.op.family in left and t.ndim and 1 not in t.shape]
    assert len(alone) <= 3


def test_an_update_is_one_loop_per_weight_and_casts_nothing():
    step, arrays = MODELS["Adam"]()
    updates = [(names, n) for names, n in loops(passes_of(step, *arrays)) if names.count("sqrt") and "square" in names]
    assert len(updates) == 4
    assert all(n == 3 and "cast" not in names for names, n in updates)


def test_gelu_keeps_one_array_for_its_gradient():
    step, arrays = MODELS["block"]()
    (forward,) = (n for names, n in loops(passes_of(step, *arrays)) if "tanh" in names)
    assert forward == 2
