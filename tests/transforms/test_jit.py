"""jit and checkpoint: one trace per structure, the same numbers, state written last."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.errors import ArgumentTypeError, SymbolicError

X = np.array([0.3, -1.2, 2.0])


def summed_grad(f):
    """The sum of f's gradient, a scalar function again."""
    return lambda x: ag.grad(f)(x).sum()


def test_traces_once_per_structure_and_opens_sizes_that_change():
    f = ag.jit(lambda x, y: ops.tanh(x) * y + x.sum())
    for size in (3, 4, 5, 1, 9):
        x = np.linspace(-1, 1, size)
        np.testing.assert_allclose(f(x, 2.0).numpy(), np.tanh(x) * 2 + x.sum(), rtol=1e-12)
    assert f.traces == 2
    f(X.astype("float32"), 2.0)
    assert f.traces == 3
    assert f.graph.verify() is f.graph


def test_sizes_that_were_equal_by_chance_are_told_apart():
    f = ag.jit(lambda x, y: ag.grad(lambda x, y: (x * y).sum(), argnums=1)(x, y))
    for a, b in ((3, 3), (5, 5), (4, 1)):
        x, y = np.arange(1.0, a + 1), np.ones(b)
        expected = x if a == b else x.sum(keepdims=True)
        np.testing.assert_allclose(f(x, y).numpy(), expected)


def test_batched_is_traced_once_for_every_batch_size():
    f = ag.jit(lambda x: ops.sum(x * x, axis=1), batched=True)
    for size in (4, 1, 7):
        assert f(np.ones((size, 2))).shape == (size,)
    assert f.traces == 1


def test_static_arguments_are_part_of_the_structure():
    f = ag.jit(lambda x, axis, flag=True: ops.sum(x, axis=axis) if flag else x)
    assert f(np.ones((2, 3)), 0).shape == (3,)
    assert f(np.ones((2, 3)), 1).shape == (2,)
    assert f(np.ones((2, 3)), 1, flag=False).shape == (2, 3)
    assert f.traces == 3
    with pytest.raises(ArgumentTypeError, match="hashable"):
        f(np.ones(2), {1, 2})


def test_nests_in_and_out():
    f = ag.jit(lambda nest: {"sum": nest["a"] + nest["b"][0], "same": (nest["a"], None, 3)})
    out = f({"a": X, "b": [X]})
    np.testing.assert_allclose(out["sum"].numpy(), 2 * X)
    assert out["same"][1] is None and int(out["same"][2]) == 3


def test_variables_are_read_anew_and_written_last():
    w, seen = ag.Variable(np.zeros(3), name="w"), []

    @ag.jit
    def step(x):
        seen.append(1)
        before = w * 1
        w.assign(w + x)
        return before, w * 1

    for k in range(1, 4):
        before, after = step(X)
        np.testing.assert_allclose(after.numpy(), k * X)
        np.testing.assert_allclose(before.numpy(), (k - 1) * X)
    w.assign(np.zeros(3))
    np.testing.assert_allclose(step(X)[1].numpy(), X)
    assert len(seen) == 1


def test_captured_tensors_get_gradients():
    w = ag.tensor(X, requires_grad=True)
    f = ag.jit(lambda x: (w * x).sum())
    f(2 * X).backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * X)
    w.assign(X + 1)
    assert float(f(np.ones(3))) == pytest.approx((X + 1).sum())


@pytest.mark.parametrize("wrap", [ag.jit, ag.checkpoint], ids=["jit", "checkpoint"])
def test_wrapped_functions_differentiate_to_any_order(wrap):
    def plain(x):
        return (ops.exp(x) * x).sum()

    f, g = plain, wrap(plain)
    for _ in range(3):
        np.testing.assert_allclose(np.asarray(g(X)), np.asarray(f(X)), rtol=1e-12)
        f, g = summed_grad(f), summed_grad(g)


@given(st.lists(st.sampled_from(["jit", "grad", "checkpoint"]), min_size=1, max_size=4))
def test_transforms_nest_in_any_order(names):
    def plain(x):
        return (ops.sin(x) * x).sum()

    f = h = plain
    for name in names:
        if name == "grad":
            f, h = summed_grad(f), summed_grad(h)
        else:
            f = getattr(ag, name)(f)
    np.testing.assert_allclose(np.asarray(f(X)), np.asarray(h(X)), rtol=1e-12)


def test_checkpoint_sees_closures_inside_a_trace():
    w = ag.Variable(X, name="w")

    @ag.jit
    def f(x):
        scale = x.sum()
        block = ag.checkpoint(lambda v: ops.tanh(v * w) * scale)
        return ag.gradients(block(x).sum(), [w])[0]

    expected = ag.grad(lambda v: (ops.tanh(ag.tensor(X) * v) * X.sum()).sum())(X)
    np.testing.assert_allclose(f(X).numpy(), expected.numpy(), rtol=1e-12)


def test_checkpoint_keeps_only_its_inputs():
    x = ag.tensor(X, requires_grad=True)
    y = ag.checkpoint(lambda v: ops.exp(ops.sin(v)))(x)
    assert y.inputs[0].inputs == (x,)


def test_python_control_flow_on_symbols_names_the_line():
    @ag.jit
    def f(x):
        return x if x.sum() > 0 else -x

    with pytest.raises(SymbolicError, match=r"test_jit\.py:\d+") as caught:
        f(X)
    assert "ops.cond" in str(caught.value)


def test_a_failed_trace_leaves_nothing_behind():
    w = ag.Variable(np.zeros(3), name="w")

    @ag.jit
    def f(x):
        w.assign(w + 1)
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        f(X)
    assert w.numpy().tolist() == [0, 0, 0]
    assert float((w * 1).sum()) == 0


def test_keywords_that_are_part_of_the_structure_are_told_apart():
    f = ag.jit(lambda scale=1: ag.ops.ones((2,)) * scale)
    assert f(scale=2).tolist() == [2.0, 2.0]
    assert f(scale=3).tolist() == [3.0, 3.0]
    assert f().tolist() == [1.0, 1.0]
