"""Reductions: along rows or along columns, whichever lie closer in what is read."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.backends.numba import compile as compile_graph
from autograd_nn.compiler import optimize

from .common import both, on


def layer_norm(x, scale):
    mean = ops.mean(x, axis=1, keepdims=True)
    variance = ops.mean(ops.square(x - mean), axis=1, keepdims=True)
    return (x - mean) / ops.sqrt(variance + 1e-3) * scale


def slope_of_scale(x, scale):
    return ag.grad(lambda x, scale: ops.sum(ops.sin(layer_norm(x, scale))), argnums=1)(x, scale)


@pytest.mark.parametrize("rows", [1, 7, 300, 3000])
def test_sums_over_rows_of_what_rows_have_in_common(rows):
    rng = np.random.default_rng(0)
    both(slope_of_scale, rng.normal(size=(rows, 40)).astype("float32"), rng.normal(size=40).astype("float32"))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("turned", [False, True])
def test_the_innermost_loop_goes_where_elements_are_neighbours(axis, turned):
    x, per_row = np.ones((50, 60), "float32"), np.ones((50, 1), "float32")

    def f(x, y, c):
        return ops.sum((ops.transpose(x) if turned else x) * y * c, axis=axis)

    values = (np.ascontiguousarray(x.T) if turned else x), (x if turned else x[:1]), per_row
    both(f, *values)
    with on("numba"):
        jitted = ag.jit(f)
        jitted(*values)
        program = compile_graph(optimize(jitted.graph))
        program(*values)
    along_rows = "row_parts" in program.newest.steps[-1].kernel.source
    assert turned or along_rows == (axis == 1)
