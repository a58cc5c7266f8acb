"""grad and its kin: any order, nests, closures, and the errors of wrong use."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.errors import DTypeError, GradientError

X = np.array([0.3, -1.2, 2.0])


def cube_sum(x):
    return (x**3).sum()


@given(st.integers(1, 6))
def test_derivatives_of_any_order(order):
    f = ops.exp
    for _ in range(order):
        f = ag.grad(f)
    assert float(f(0.5)) == pytest.approx(np.exp(0.5), rel=1e-6)


def test_grad_of_nests_has_their_form():
    def loss(p, x):
        return (p["w"][0] * x + p["b"]).sum()

    params = {"w": (ag.tensor(X),), "b": ag.tensor(1.0, dtype="float64")}
    found = ag.grad(loss)(params, X)
    assert list(found) == ["w", "b"]
    np.testing.assert_allclose(found["w"][0].numpy(), X)
    assert float(found["b"]) == 3.0


def test_argnums_choose_arguments():
    both = ag.grad(lambda a, b: (a * b).sum(), argnums=(1, 0))(X, 2 * X)
    np.testing.assert_allclose(both[0].numpy(), X)
    np.testing.assert_allclose(both[1].numpy(), 2 * X)
    with pytest.raises(TypeError, match="argnums 2"):
        ag.grad(cube_sum, argnums=2)(X)


def test_value_and_grad_with_aux():
    (value, aux), slope = ag.value_and_grad(lambda x: (cube_sum(x), "aux"), has_aux=True)(X)
    assert float(value) == pytest.approx((X**3).sum()) and aux == "aux"
    np.testing.assert_allclose(slope.numpy(), 3 * X**2)


def test_results_keep_history_only_where_it_can_be_asked_for():
    assert not ag.grad(cube_sum)(X).requires_grad
    w = ag.tensor(X, requires_grad=True)
    slope = ag.grad(lambda x: (w * x * x).sum())(X)
    slope.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * X)


def test_hessian_jacobian_hvp_agree():
    def f(x):
        return (ops.sin(x) * x[::-1]).sum()

    h = ag.hessian(f)(ag.tensor(X)).numpy()
    np.testing.assert_allclose(h, h.T, atol=1e-15)
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(ag.hvp(f, X, v).numpy(), h @ v, rtol=1e-12)
    np.testing.assert_allclose(ag.jacobian(ag.grad(f))(X).numpy(), h, rtol=1e-12)


def test_vjp_and_jvp_are_adjoint():
    def f(x):
        return ops.tanh(x[:2]) * x[1:]

    y, pull = ag.vjp(f, X)
    v, g = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0])
    _, moved = ag.jvp(f, (X,), (v,))
    assert not y.requires_grad and not moved.requires_grad
    assert float((moved * g).sum()) == pytest.approx(float((pull(g)[0] * v).sum()), rel=1e-12)


def test_gradient_of_unused_argument_is_zero():
    assert ag.grad(lambda a, b: ops.sum(a), argnums=1)(X, X).tolist() == [0, 0, 0]


def test_perturbations_are_not_confused():
    # d/dx [x * d/dy (x + y)] = 1, the classic trap of Siskind and Pearlmutter 2005
    assert float(ag.grad(lambda x: x * ag.grad(lambda y: x + y)(1.0))(3.0)) == 1.0


@pytest.mark.parametrize(
    ("f", "x", "error"),
    [
        (lambda x: x * 2, X, GradientError),
        (lambda x: 3.0, X, GradientError),
        (lambda x: x.sum(), np.arange(3), DTypeError),
        (lambda x: (x > 0).sum(), X, DTypeError),
    ],
)
def test_wrong_use_is_an_error(f, x, error):
    with pytest.raises(error) as caught:
        ag.grad(f)(x)
    assert len(str(caught.value).splitlines()[0]) <= 300


def test_vjp_of_other_structure_or_shape():
    _, pull = ag.vjp(lambda x: x * 2, X)
    with pytest.raises(GradientError, match="structure"):
        pull((1.0, 2.0))
    with pytest.raises(ValueError, match="shape"):
        pull(np.ones(2))


def test_no_grad_keeps_no_inputs():
    w = ag.tensor(X, requires_grad=True)
    with ag.no_grad():
        y = w * 2
    assert not y.requires_grad and y.inputs == ()


def test_gradients_with_respect_to_what_keeps_no_history():
    x = ag.tensor([1.0, 2.0])
    with pytest.raises(GradientError, match=r"gradients: wrt\[1\].*has no requires_grad.*ag.grad"):
        ag.gradients((x * x).sum(), [ag.tensor(1.0, requires_grad=True), x])
    with pytest.raises(GradientError, match="has no requires_grad"):
        ag.jit(lambda x: ag.gradients((x * x).sum(), [x])[0])(x.numpy())


def test_gradients_are_none_where_nothing_depends():
    w, frozen = ag.Variable([1.0]), ag.Variable([1.0], trainable=False)
    assert ag.gradients((w * 2).sum(), [frozen]) == [None]


def test_jvp_hands_on_what_else_a_function_returns():
    y, dy, aux = ag.jvp(lambda x: (x * x, {"kept": x + 1}), (3.0,), (1.0,), has_aux=True)
    assert (float(y), float(dy), float(aux["kept"])) == (9.0, 6.0, 4.0)
    with pytest.raises(GradientError, match=r"jvp: with has_aux the function must return \(result, aux\)"):
        ag.jvp(lambda x: x * x, (3.0,), (1.0,), has_aux=True)
