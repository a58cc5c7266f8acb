"""What holds for every pass: the same values, a verified graph, nothing left to do the second time, linear time."""

import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.compiler import PASSES, optimize, show
from tests.backends.common import agree

from .graphs import CHOICES, MODELS, SHAPES, one_graph, random_graph, same_graph, same_values

DTYPES = st.sampled_from(["float32", "float64"])
# Simplification reads a graph in rounds and fusion leaves what it has made alone; a second run changes nothing.
ONCE = ("decompose", "shapes", "simplify", "broadcasts", "cse", "fuse")


@pytest.mark.parametrize("name", PASSES)
@settings(max_examples=25)
@given(CHOICES, SHAPES, DTYPES)
def test_a_pass_keeps_the_values(name, choices, shape, dtype):
    graph, arrays = random_graph(choices, shape, dtype)
    same_values(graph, optimize(graph, (name,)), arrays)


@settings(max_examples=40)
@given(CHOICES, SHAPES, DTYPES)
def test_all_passes_together_keep_the_values(choices, shape, dtype):
    graph, arrays = random_graph(choices, shape, dtype)
    same_values(graph, optimize(graph), arrays)


@pytest.mark.parametrize("name", ONCE)
@settings(max_examples=20)
@given(CHOICES, SHAPES)
def test_a_pass_leaves_nothing_for_a_second_one(name, choices, shape):
    graph, _ = random_graph(choices, shape, "float32")
    once = PASSES[name](graph)
    same_graph(once, PASSES[name](once))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("left_out", [None, *PASSES])
def test_without_one_pass_a_training_step_gives_the_same(model, left_out):
    step, arrays = MODELS[model]()
    graph = one_graph(step, *arrays)
    rng = np.random.default_rng(2)
    values = [*arrays, *(_some(rng, t.spec) for t in graph.inputs[len(arrays) :])]
    names = tuple(name for name in PASSES if name != left_out)
    agree(optimize(graph, names).evaluate(*values), graph.evaluate(*values))


def _some(rng, spec):
    if spec.dtype.kind == "f":
        return rng.uniform(0.1, 0.5, spec.shape).astype(spec.dtype)
    return rng.integers(1, 5, spec.shape).astype(spec.dtype)


def test_cost_is_linear_in_nodes():
    """Counted in calls of Python functions, which does not depend on the machine."""
    calls = [_calls(partial(optimize, _chain(length))) for length in (250, 500, 1000)]
    assert calls[2] - calls[1] < 2.2 * (calls[1] - calls[0])


def _chain(length):
    def f(x):
        y = x
        for k in range(length // 5):
            y = ops.tanh(y * 2 + x) - ops.mean(y, -1, keepdims=True) * (k + 0.5)
        return y

    return one_graph(f, np.ones((2, 3), "float32"))


def _calls(function):
    found = 0

    def note(frame, event, argument):
        nonlocal found
        found += event == "call"

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return found


def test_an_unknown_pass_is_refused():
    graph, _ = random_graph([(0, 0, 0, 0)], (2, 2), "float32")
    with pytest.raises(KeyError):
        optimize(graph, ("no such pass",))


def test_show_prints_nodes_and_the_graphs_inside_them():
    told = show(optimize(one_graph(lambda x: (ops.tanh(x) * 2, ops.sum(x, 1)), np.ones((2, 3), "float32"))))
    assert "fused(%0, float32(2.0))  float32[?, 3]" in told
    assert "tanh(%0)" in told and "sum(%0, axis=(1,), keepdims=False)  float32[?]" in told and "return" in told


def test_show_prints_bodies_of_loops():
    f = ag.jit(lambda x: ops.scan(lambda c, row: (c + row, c), ops.zeros(3), x)[0])
    f(np.ones((4, 3), "float32"))
    assert show(f.graph).count("return") == 2
