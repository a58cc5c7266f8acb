"""custom_op, custom_gradient and stop_gradient: right ones work at any order, wrong ones are named at once."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.spec import Spec
from autograd_nn.errors import ArgumentTypeError, GradientError

X = np.array([0.5, -1.5, 2.0])


def cube(vjp=lambda g, y, x: (g * 3 * x * x,), **kwargs):
    return ag.custom_op(lambda x: x**3, vjp, name="cube", **kwargs)


def test_differentiates_to_any_order_in_tensor_ops():
    third = ag.grad(ag.grad(ag.grad(cube())))
    assert float(third(2.0)) == 6.0


def test_arrays_make_it_first_order_and_say_so():
    op = cube(lambda g, y, x: (g.numpy() * 3 * x.numpy() ** 2,))
    np.testing.assert_allclose(ag.grad(lambda x: op(x).sum())(X).numpy(), 3 * X**2)
    with pytest.raises(GradientError, match=r"'cube'.*first derivative only"):
        ag.hessian(lambda x: op(x).sum())(X)


def test_backward_through_a_first_order_op():
    x = ag.tensor(X, requires_grad=True)
    cube(lambda g, y, x: (g.numpy() * 3 * x.numpy() ** 2,))(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * X**2)


@pytest.mark.parametrize(
    ("vjp", "words"),
    [
        (lambda g, y, x: g, ["tuple of 1 gradients", "Tensor"]),
        (lambda g, y, x: (g, g), ["tuple of 1 gradients", "got 2"]),
        (lambda g, y, x: ((g * x).sum(),), ["gradient 0", "shape ()", "expected (3,)"]),
        (lambda g, y, x: (ops.cast(g, "float32"),), ["gradient 0", "float32", "expected float64"]),
        (lambda g, y, x: (np.ones(3, "int64"),), ["gradient 0", "int64"]),
    ],
)
def test_wrong_gradients_are_named_at_once(vjp, words):
    with pytest.raises(GradientError, match="'cube'") as caught:
        ag.grad(lambda x: cube(vjp)(x).sum())(X)
    first = str(caught.value).splitlines()[0]
    assert all(word in first for word in words) and len(first) <= 300


def test_several_inputs_and_none():
    op = ag.custom_op(lambda a, b: a * b, lambda g, y, a, b: (g * b, None), name="half")
    a, b = ag.grad(lambda a, b: op(a, b).sum(), argnums=(0, 1))(X, 2 * X)
    np.testing.assert_allclose(a.numpy(), 2 * X)
    assert b.tolist() == [0, 0, 0]


def test_without_vjp_nothing_flows():
    op = ag.custom_op(np.round)
    assert not op(ag.tensor(X, requires_grad=True)).requires_grad


def test_inputs_cannot_be_written_and_results_are_not_shared():
    def spoil(x):
        x[0] = 9
        return x

    with pytest.raises(ValueError, match="read-only"):
        ag.custom_op(spoil)(X)
    same = ag.custom_op(lambda x: x)
    t = ag.tensor(X)
    assert not np.shares_memory(same(t).numpy(), t.numpy())


def test_shape_rule_is_found_or_given():
    seen = []
    pairs = ag.custom_op(lambda x: x[:, :1] + x, name="pairs")
    f = ag.jit(lambda x: seen.append(x) or pairs(x), batched=True)
    assert f(np.ones((4, 3))).shape == f(np.ones((4, 3))).shape == (4, 3)
    assert f.graph.outputs[0].shape == (None, 3)
    total = ag.custom_op(lambda x: x.sum(0), name="total", infer=lambda x: Spec(x.shape[1:], x.dtype))
    assert ag.jit(total)(np.ones((4, 3))).shape == (3,)


def test_numba_forward():
    import numba

    @numba.njit
    def double(x):
        return x * 2

    op = ag.custom_op(double, lambda g, y, x: (g * 2,))
    assert ag.grad(lambda x: op(x).sum())(X).tolist() == [2, 2, 2]


def test_only_functions_make_ops():
    with pytest.raises(ArgumentTypeError, match="forward"):
        ag.custom_op(3)


@pytest.mark.parametrize("wrap", [lambda f: f, ag.jit, ag.checkpoint], ids=["plain", "jit", "checkpoint"])
def test_custom_gradient_replaces_the_history_and_differentiates_again(wrap):
    @ops.custom_gradient
    def log1pexp(x):
        e = ops.exp(x)

        def grad(*args, upstream=None):
            return upstream * (1 - 1 / (1 + e))

        return ops.log(1 + e), grad

    f = wrap(lambda x: log1pexp(x).sum())
    s = 1 / (1 + np.exp(-X))
    np.testing.assert_allclose(ag.grad(f)(X).numpy(), s, rtol=1e-12)
    np.testing.assert_allclose(ag.hessian(f)(X).numpy(), np.diag(s * (1 - s)), rtol=1e-12)


def test_custom_gradient_of_two_results():
    @ops.custom_gradient
    def both(a, b):
        return (a * b, a + b), lambda g, h: (g * 10, h * 100)

    a, b = ag.grad(lambda a, b: (lambda r: (r[0] + r[1]).sum())(both(a, b)), argnums=(0, 1))(X, X)
    assert a.tolist() == [10, 10, 10] and b.tolist() == [100, 100, 100]


def test_custom_gradient_checks_its_function():
    with pytest.raises(GradientError, match="grad_fn"):
        ops.custom_gradient(lambda x: x)(X)
    with pytest.raises(GradientError, match="expected 1 gradients"):
        ag.grad(lambda x: ops.custom_gradient(lambda x: (x, lambda g: (g, g)))(x).sum())(X)


def test_stop_gradient():
    assert float(ag.grad(lambda x: x * ag.stop_gradient(x))(3.0)) == 3.0
