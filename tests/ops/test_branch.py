"""cond and switch: only the branch taken is computed, and gradients flow through it alone."""

from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import errors, ops


def same(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12)


def root(x: Any) -> Any:
    return ops.cond(ops.sum(x) > 0, lambda: ops.sqrt(x), lambda: x * x)


@pytest.mark.parametrize("x", [4.0, -3.0])
def test_compiled_equals_eager_to_the_second_order(x: float) -> None:
    for f in (root, ag.grad(root), ag.grad(ag.grad(root))):
        same(ag.jit(f)(x), f(x))


def test_only_the_branch_taken_is_computed() -> None:
    calls: list[str] = []
    left = ag.custom_op(lambda x: calls.append("left") or x + 1, infer=lambda x: x)
    right = ag.custom_op(lambda x: calls.append("right") or x - 1, infer=lambda x: x)
    f = ag.jit(lambda x: ops.cond(x > 0, lambda: left(x), lambda: right(x)))
    assert float(f(1.0)) == 2.0
    assert calls == ["left"]


def test_branches_need_different_things_from_outside() -> None:
    a, b = (ag.Variable(v, dtype="float32", name=n) for v, n in ((2.0, "a"), (3.0, "b")))
    f = ag.jit(lambda x: ag.gradients(ops.cond(x > 0, lambda: a * x, lambda: b * x * x), [a, b]))
    assert [float(g) for g in f(5.0)] == [5.0, 0.0]
    assert [float(g) for g in f(-2.0)] == [0.0, 4.0]


def test_variables_assigned_in_a_branch() -> None:
    count = ag.Variable(0.0, trainable=False, name="count")

    def add() -> Any:
        count.assign_add(1.0)
        return 1.0

    f = ag.jit(lambda x: ops.cond(x > 0, add, lambda: 2.0))
    assert [float(f(x)) for x in (1.0, -1.0, 3.0)] == [1.0, 2.0, 1.0]
    assert float(count) == 2.0


def test_python_numbers_take_the_dtype_of_the_other_branch() -> None:
    f = ag.jit(lambda x: ops.cond(x > 0, lambda: x, lambda: 0.0))
    assert f(np.array(-1.0)).dtype == "float64"


@pytest.mark.parametrize(
    ("other", "error"),
    [
        (lambda x: (x, x), errors.GraphError), (lambda x: ops.stack([x, x]), errors.ShapeError),
        (lambda x: x > 0, errors.DTypeError), (lambda x: "a", errors.ArgumentTypeError),
    ],
)  # fmt: skip
def test_branches_that_return_different_things(other: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="cond"):
        ag.jit(lambda x: ops.cond(x > 0, lambda v: v, other, x))(1.0)


def test_switch_compiled_clamps_and_differentiates() -> None:
    branches = (lambda x: x * x, lambda x: 3 * x, lambda x: -x)
    f = ag.jit(lambda k, x: ops.switch(k, branches, x))
    slope = ag.jit(ag.grad(f.function, 1))
    for k, value, gradient in ((-4, 4.0, 4.0), (0, 4.0, 4.0), (1, 6.0, 3.0), (2, -2.0, -1.0), (9, -2.0, -1.0)):
        assert (float(f(np.array(k), 2.0)), float(slope(np.array(k), 2.0))) == (value, gradient)


def test_cond_in_scan() -> None:
    def f(x: Any) -> Any:
        return ops.scan(lambda c, v: (ops.cond(v > 0, lambda: c * v, lambda: c + v), None), 1.0, x)[0]

    x = np.array([2.0, -1.0, 3.0, -0.5])
    same(f(x), 2.5)
    same(ag.grad(f)(x), [3.0, 3.0, 1.0, 1.0])
    ag.gradcheck(f, [x], order=2)
