"""`backward` and the pullback: what accumulates, what is freed, what is refused."""

import math
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.autodiff import match, pullback, reach, relevant
from autograd_nn.engine.spec import Spec
from autograd_nn.engine.tensor import MODE, symbol
from autograd_nn.errors import GradientError, ShapeError


def parameter(value: Any = (1.0, 2.0), **more: Any) -> ag.Tensor:
    return ag.tensor(value, dtype="float64", requires_grad=True, **more)


def gradient(t: ag.Tensor) -> Any:
    assert t.grad is not None
    return t.grad.tolist()


# --- accumulation


def test_gradients_add_up_over_uses_and_calls() -> None:
    x = parameter()
    (x * x + x).sum().backward()
    assert gradient(x) == [3, 5]
    (3 * x).sum().backward()
    assert gradient(x) == [6, 8]
    x.grad = None
    (3 * x).sum().backward()
    assert gradient(x) == [3, 3]


def test_only_leaves_that_ask_get_a_gradient() -> None:
    x, c = parameter(), ag.tensor([5.0, 6.0], dtype="float64")
    y = x * c
    y.sum().backward()
    assert (gradient(x), c.grad, y.grad) == ([5, 6], None, None)


def test_a_leaf_is_its_own_gradient() -> None:
    x = parameter(3.0)
    x.backward()
    assert gradient(x) == 1


def test_a_diamond_is_walked_once() -> None:
    calls = []
    counted = ag.custom_op(np.sin, lambda g, y, x: (calls.append(1) or g * ops.cos(x),))  # type: ignore[func-returns-value]
    x = parameter(0.5)
    y = counted(x)
    (y * 2 + y * 3).backward()
    assert len(calls) == 1
    assert gradient(x) == pytest.approx(5 * math.cos(0.5))


def test_a_given_cotangent_weighs_the_outputs() -> None:
    x = parameter()
    (x * x).backward([10, 100])
    assert gradient(x) == [20, 400]


def test_broadcasting_is_undone() -> None:
    row, column, number = parameter((1.0, 2.0, 3.0)), parameter(((1.0,), (2.0,))), parameter(2.0)
    (row * column * number).sum().backward()
    assert gradient(row) == [6, 6, 6]
    assert gradient(column) == [[12], [12]]
    assert gradient(number) == 18


def test_a_gradient_has_the_dtype_of_its_leaf() -> None:
    x = ag.tensor([1.0, 2.0], dtype="float32", requires_grad=True)
    (x * ag.tensor([1.0, 2.0], dtype="float64")).sum().backward()
    assert x.grad is not None and x.grad.dtype == "float32"


def test_several_outputs_of_one_node() -> None:
    x = parameter((1.0, 2.0, 3.0, 4.0))
    first, second = ops.split(x, 2)
    (first * first).sum().backward(retain_graph=True)
    assert gradient(x) == [2, 4, 0, 0]
    (second * 5).sum().backward()
    assert gradient(x) == [2, 4, 5, 5]


# --- freeing


def test_backward_twice_needs_retain_graph() -> None:
    x = parameter()
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GradientError, match=r"freed by an earlier backward.*retain_graph=True"):
        y.backward()
    assert gradient(x) == [2, 4]


def test_retain_graph_allows_another_backward() -> None:
    x = parameter()
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert gradient(x) == [4, 8]


def test_a_shared_part_that_was_freed_is_refused() -> None:
    x = parameter()
    shared = x * x
    shared.sum().backward()
    with pytest.raises(GradientError, match="freed"):
        (shared * 3).sum().backward()


def test_values_outlive_their_graph() -> None:
    x = parameter()
    y = x * x
    y.sum().backward()
    assert y.tolist() == [1, 4]


# --- any order


def test_create_graph_differentiates_again() -> None:
    x = parameter(2.0)
    (x**4).backward(create_graph=True)
    first, x.grad = x.grad, None
    assert first is not None and first.item() == 32
    first.backward(create_graph=True)
    second, x.grad = x.grad, None
    assert second is not None and second.item() == 48
    second.backward()
    assert gradient(x) == 48


def test_without_create_graph_a_gradient_has_no_history() -> None:
    x = parameter(2.0)
    (x**4).backward(retain_graph=True)
    assert x.grad is not None and not x.grad.requires_grad
    with pytest.raises(GradientError, match="depends on no tensor with requires_grad"):
        x.grad.backward()


@pytest.mark.parametrize("order", range(1, 9))
def test_every_order_of_sin(order: int) -> None:
    x = parameter(0.3)
    y = ops.sin(x)
    for _ in range(order):
        (y,) = pullback([y], [ops.ones_like(y)], [x])  # type: ignore[list-item]
    assert y.item() == pytest.approx(math.sin(0.3 + order * math.pi / 2), rel=1e-14)


# --- what is refused


def test_several_elements_need_a_cotangent() -> None:
    with pytest.raises(GradientError, match=r"needs a scalar, got the result of multiply \(2,\).*\.sum\(\) or"):
        (parameter() * 2).backward()


def test_a_cotangent_of_another_shape() -> None:
    with pytest.raises(ShapeError, match=r"gradient has shape \(3,\)"):
        (parameter() * 2).backward([1, 2, 3])


def test_nothing_that_requires_a_gradient() -> None:
    with pytest.raises(GradientError, match="requires_grad=True"):
        (ag.tensor(1.0) * 2).backward()


def test_a_failed_backward_changes_no_gradient() -> None:
    def broken(g: Any, y: Any, x: Any) -> Any:
        raise ZeroDivisionError("on purpose")

    x, z = parameter(), parameter()
    y = ops.sum(ag.custom_op(np.sin, broken)(x) + z * 2)
    with pytest.raises(ZeroDivisionError):
        y.backward()
    assert (x.grad, z.grad) == (None, None)
    assert MODE.recording and MODE.site is None and MODE.scope is None


def test_a_wrong_gradient_of_a_custom_op_is_named() -> None:
    op = ag.custom_op(np.sin, lambda g, y, x: (g, g), name="mine")
    with pytest.raises(GradientError, match="custom op 'mine': vjp must return a tuple of 1 gradients.*got 2"):
        op(parameter()).sum().backward()


# --- the pullback


def test_pullback_gives_none_for_what_does_not_matter() -> None:
    x, z = parameter(), parameter()
    y = (x * x).sum()
    gx, gz = pullback([y], [ops.ones_like(y)], [x, z])
    assert gx is not None and gx.tolist() == [2, 4]
    assert gz is None


def test_pullback_stops_at_inner_tensors() -> None:
    x = parameter()
    inner = x * x
    y = (inner * 3).sum()
    (g,) = pullback([y], [ops.ones_like(y)], [inner])
    assert g is not None and g.tolist() == [3, 3]


def test_pullback_adds_the_cotangents_of_one_output_named_twice() -> None:
    x = parameter(3.0)
    y = x * x
    (g,) = pullback([y, y], [ag.tensor(1.0, "float64"), ag.tensor(10.0, "float64")], [x])
    assert g is not None and g.item() == 66


def test_the_newest_tensor_comes_first() -> None:
    x = parameter()
    a = x * 2
    b = ops.tanh(a)
    y = (a + b).sum()
    stamps = [t.stamp for t in reach([y])]
    assert stamps == sorted(stamps, reverse=True)
    assert list(relevant(reach([y]), [b]))[0] is b
    assert a not in relevant(reach([y]), [b])


def test_match_undoes_broadcasting_and_casting() -> None:
    g = ag.tensor(np.ones((3, 4)))
    like = ag.tensor(np.zeros((1, 4), "float32"))
    assert match(g, g) is g
    assert match(g, like).tolist() == [[3, 3, 3, 3]]
    assert match(g, like).dtype == "float32"


def test_symbolic_gradients_have_the_specs_of_their_leaves() -> None:
    x = symbol(Spec((3, 4), np.dtype("float32")), requires_grad=True)
    w = symbol(Spec((4, 2), np.dtype("float32")), requires_grad=True)
    y = ops.sum(ops.tanh(x @ w))
    found = pullback([y], [ops.ones_like(y)], [x, w])
    assert [g.spec for g in found if g is not None] == [x.spec, w.spec]


def test_no_warning_escapes_from_a_singular_gradient(recwarn: pytest.WarningsRecorder) -> None:
    x = parameter((0.0, 4.0))
    y = ops.where(x > 0, ops.sqrt(x), 0.0).sum()
    y.backward()
    assert gradient(x) == [0, 0.25]
    assert not recwarn.list
