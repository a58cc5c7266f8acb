"""scan, map and the loops: equal to a Python loop in value and gradients, eager and compiled, whatever they capture."""

from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import errors, ops
from autograd_nn.engine.spec import BATCH, Spec
from autograd_nn.engine.tensor import symbol

RNG = np.random.default_rng(0)
Array = Any


def same(a: Any, b: Any) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-12)


def step(w: Any, b: Any, carry: Any, x: Any) -> Any:
    h, c = carry
    z = ops.tanh(x + h @ w + b)
    c = c * 0.5 + z
    return (z * c, c), z - c


def by_scan(w: Any, b: Any, xs: Any, h: Any, c: Any, reverse: bool = False) -> Any:
    (h, c), ys = ops.scan(lambda carry, x: step(w, b, carry, x), (h, c), xs, reverse=reverse)
    return h, c, ys


def by_hand(w: Any, b: Any, xs: Any, h: Any, c: Any, reverse: bool = False) -> Any:
    carry, rows = (h, c), []
    count = xs.shape[0]
    for k in reversed(range(count)) if reverse else range(count):
        carry, y = step(w, b, carry, xs[k])
        rows.append(y)
    return (*carry, ops.stack(rows[::-1] if reverse else rows))


def arguments(count: int = 4, batch: int = 2, width: int = 3) -> list[Array]:
    shapes = ((width, width), (width,), (count, batch, width), (batch, width), (batch, width))
    return [RNG.normal(size=shape) for shape in shapes]


def loss(f: Any, reverse: bool) -> Any:
    def total(*args: Any) -> Any:
        h, c, ys = f(*args, reverse=reverse)
        return ops.sum(ops.sin(h)) + ops.sum(c * c) + ops.sum(ys * ys * ys)

    return total


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_values_and_gradients_are_those_of_a_python_loop(reverse: bool, compiled: bool) -> None:
    args, places = arguments(), tuple(range(5))
    wrap = ag.jit if compiled else lambda f: f
    for found, expected in zip(by_scan(*args, reverse=reverse), by_hand(*map(ag.tensor, args), reverse=reverse)):
        same(found, expected)
    found = wrap(ag.grad(loss(by_scan, reverse), places))(*args)
    for a, b in zip(found, ag.grad(loss(by_hand, reverse), places)(*args)):
        same(a, b)


@pytest.mark.parametrize("compiled", [False, True])
def test_second_gradients_are_those_of_a_python_loop(compiled: bool) -> None:
    args = arguments(3, 2, 2)
    directions = [RNG.normal(size=a.shape) for a in args]
    wrap = ag.jit if compiled else lambda f: f

    def slope(f: Any) -> Any:
        def inner(*xs: Any) -> Any:
            grads = ag.grad(loss(f, False), tuple(range(5)))(*xs)
            return sum(ops.sum(g * d) for g, d in zip(grads, directions))

        return ag.grad(inner, tuple(range(5)))

    for a, b in zip(wrap(slope(by_scan))(*args), slope(by_hand)(*args)):
        same(a, b)


def test_third_gradient() -> None:
    def cube(x: Any) -> Any:
        return ops.scan(lambda c, _: (c * x, None), ops.ones_like(x), length=3)[0]

    slope = ag.grad(ag.grad(ag.grad(cube)))
    same(slope(2.0), 6.0)


def test_forward_derivative() -> None:
    args = arguments()
    tangents = [RNG.normal(size=a.shape) for a in args]
    for a, b in zip(ag.jvp(by_scan, args, tangents)[1], ag.jvp(by_hand, args, tangents)[1]):
        same(a, b)


def test_one_trace_serves_every_length_and_batch() -> None:
    f = ag.jit(ag.grad(loss(by_scan, False), (0, 2)))
    for count, batch in ((4, 2), (5, 3), (7, 1), (1, 6)):
        args = arguments(count, batch)
        for a, b in zip(f(*args), ag.grad(loss(by_hand, False), (0, 2))(*args)):
            same(a, b)
    assert f.traces == 2


def test_unknown_sizes_stay_the_same_unknown() -> None:
    x = symbol(Spec((BATCH, 3), np.dtype("float32")))
    carry, ys = ops.scan(lambda c, row: (c + row, c), ops.zeros((3,)), x)
    assert carry.shape == (3,)
    assert ys.spec.shape == (BATCH, 3)


def test_captured_variables_get_gradients() -> None:
    w = ag.Variable(RNG.normal(size=(3, 3)), name="w")
    x = RNG.normal(size=(4, 3))

    def f() -> Any:
        return ops.sum(ops.scan(lambda h, row: (ops.tanh(h @ w + row), None), ops.zeros(3, "float64"), x)[0])

    value = f()
    value.backward()
    expected = w.grad

    def hand(weights: Any) -> Any:
        h = ops.zeros(3, "float64")
        for row in x:
            h = ops.tanh(h @ weights + row)
        return ops.sum(h)

    same(expected, ag.grad(hand)(w.numpy()))

    @ag.jit
    def compiled() -> Any:
        return ag.gradients(f(), [w])[0]

    same(compiled(), expected)
    w.assign(w * 2)
    same(compiled(), ag.grad(hand)(w.numpy()))


def test_captured_tensors_of_the_graph_around() -> None:
    @ag.jit
    def f(x: Any, a: Any) -> Any:
        b = ops.exp(a)
        return ops.sum(ops.scan(lambda c, row: (c * b + row, c * a), ops.zeros_like(b), x)[1])

    def hand(x: Any, a: Any) -> Any:
        b, c, total = ops.exp(a), 0.0, 0.0
        for k in range(4):
            total, c = total + c * a, c * b + x[k]
        return ops.sum(total)

    x, a = RNG.normal(size=4), np.array(0.3)
    same(f(x, a), hand(ag.tensor(x), ag.tensor(a)))
    for p, q in zip(ag.jit(ag.grad(f.function, (0, 1)))(x, a), ag.grad(hand, (0, 1))(ag.tensor(x), ag.tensor(a))):
        same(p, q)


def test_scan_in_scan() -> None:
    def rows(m: Any, a: Any) -> Any:
        def outer(c: Any, row: Any) -> Any:
            return ops.scan(lambda d, v: (d * a + v * c, None), c, row)[0], c

        return ops.scan(outer, a, m)[0]

    ag.gradcheck(rows, [RNG.normal(size=(3, 2)), np.array(0.7)], order=2)


def test_memory_of_a_loop_without_gradients_holds_no_carries() -> None:
    carry, _ = ops.scan(lambda c, _: (c + 1.0, None), ops.zeros((1000,)), length=3)
    assert carry.op is None
    same(carry, np.full(1000, 3.0))


def held(x: Any) -> Any:
    with ag.no_grad():
        y = x * x
    return x * y


def test_no_grad_inside_a_body_and_inside_what_captures_it() -> None:
    def f(x: Any) -> Any:
        return ops.scan(lambda c, _: (held(c) * ops.stop_gradient(x), None), x, length=1)[0]

    for wrap in (lambda g: g, ag.jit, ag.checkpoint):
        same(ag.grad(wrap(held))(3.0), 9.0)
        same(ag.grad(wrap(f))(3.0), 27.0)


def test_gradients_of_weights_are_products_of_all_steps() -> None:
    args = arguments()
    f = ag.jit(ag.grad(loss(by_scan, False), (0, 1)))
    f(*args)
    names = [t.op.name for t in f.graph.operations]
    assert names.count("scan") == 2
    assert names.count("matmul") == 1
    back = [t for t in f.graph.operations if t.op.name == "scan"][1]
    assert back.params["carries"] == 2


def test_integer_carry_beside_a_float_one() -> None:
    def f(x: Any) -> Any:
        (_, total), _ = ops.scan(lambda c, row: ((c[0] + 1, c[1] + row * ops.cast(c[0], row.dtype)), None), (0, 0.0), x)
        return total

    same(ag.grad(f)(np.ones(4)), [0, 1, 2, 3])


def test_assignment_inside_is_refused() -> None:
    count = ag.Variable(0.0, trainable=False, dtype="float32", name="count")
    with pytest.raises(errors.GraphError, match="scan: 'count' .*assigned inside the loop"):
        ops.scan(lambda c, x: (count.assign_add(x), None), 0.0, np.ones(3, "float32"))
    same(count, 0.0)


def test_random_numbers_inside_are_refused() -> None:
    with pytest.raises(errors.GraphError, match="assigned inside the loop"):
        ops.map(lambda x: x + ag.random.normal(()), np.ones(3, "float32"))


def test_carry_of_another_form_is_named() -> None:
    with pytest.raises(
        errors.ShapeError, match=r"scan: value 0 of the carry is float32\(\), after a step float32\(3,\)"
    ):
        ops.scan(lambda c, x: (c + x, None), 0.0, ops.ones((2, 3)))
    with pytest.raises(errors.GraphError, match="form"):
        ops.scan(lambda c, x: ([c], None), 0.0, ops.ones((2,)))


def test_python_numbers_take_the_dtype_of_the_loop() -> None:
    assert ops.scan(lambda c, x: (c + x, None), 0.0, np.ones(3))[0].dtype == "float64"
    assert ops.scan(lambda c, x: (c + x, None), 0, np.ones(3, "float32"))[0].dtype == "float32"


# --- while_loop


def halve(x: Any) -> Any:
    return ops.while_loop(lambda v: ops.sum(v * v) > 1.0, lambda v: v * 0.5 + 0.1 * ops.sin(v), x)


def test_while_loop_compiled_equals_eager() -> None:
    for size in (0.1, 3.0, 100.0):
        x = RNG.uniform(1, 2, 3) * size
        same(ag.jit(halve)(x), halve(x))
        slope = ag.grad(lambda v: ops.sum(halve(v) ** 2))
        same(ag.jit(slope)(x), slope(x))
        bend = ag.grad(lambda v: ops.sum(ag.grad(lambda u: ops.sum(halve(u) ** 3))(v)))
        same(ag.jit(bend)(x), bend(x))


def test_while_loop_stops_at_the_limit() -> None:
    f = ag.jit(lambda x: ops.while_loop(lambda v: v < 100.0, lambda v: v * 2.0, x, maximum_iterations=3))
    assert float(f(1.0)) == 8.0
    assert float(f(70.0)) == 140.0
    assert float(ag.jit(ag.grad(f.function))(1.0)) == 8.0


def test_while_loop_gradient_of_captured_variable() -> None:
    w = ag.Variable(2.0, dtype="float32", name="w")
    f = ag.jit(lambda x: ag.gradients(ops.while_loop(lambda v: v < 10.0, lambda v: v * w, x), [w])[0])
    assert float(f(1.5)) == 3 * 4 * 1.5


def test_while_loop_of_another_form_is_refused() -> None:
    with pytest.raises(errors.GraphError, match="form"):
        ag.jit(lambda x: ops.while_loop(lambda a, b: a < 3, lambda a, b: a + 1, (x, x)))(1.0)


def test_fori_loop_with_bounds_known_when_it_runs() -> None:
    f = ag.jit(lambda n, x: ops.fori_loop(0, n, lambda i, v: v * x, ops.ones_like(x)))
    for n in (0, 1, 4):
        same(f(np.array(n), 2.0), 2.0**n)
    slope = ag.jit(ag.grad(f.function, 1))
    same(slope(np.array(3), 2.0), 12.0)


def test_functional_model_with_a_scan() -> None:
    inputs = ag.Input((4, 3))
    steps = ops.transpose(inputs, (1, 0, 2))
    outputs = ops.scan(lambda c, x: (c + x, None), ops.zeros_like(steps[0]), steps)[0]
    x = RNG.normal(size=(5, 4, 3)).astype("float32")
    np.testing.assert_allclose(ag.Model(inputs, outputs)(x), x.sum(1), rtol=1e-5)
