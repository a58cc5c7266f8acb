"""What reductions promise beyond NumPy's values: ties, zeros, infinities, unknown sizes, dtypes."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import BATCH, Spec
from autograd_nn.engine.tensor import symbol
from autograd_nn.errors import ArgumentTypeError, ShapeError

INF = np.inf


def gradient(f, x):
    return ag.grad(lambda t: ops.sum(f(t)))(np.asarray(x, "float64")).numpy()


@pytest.mark.parametrize("extreme", [ops.max, ops.min])
def test_ties_share_the_gradient(extreme):
    np.testing.assert_array_equal(gradient(extreme, [2.0, 2.0, 2.0, 2.0]), [0.25] * 4)
    np.testing.assert_array_equal(gradient(ops.max, [[1, 3, 3], [4, 0, 0]]), [[0, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(
        gradient(lambda t: ops.max(t, axis=1), [[1, 3, 3], [4, 0, 0]]), [[0, 0.5, 0.5], [1, 0, 0]]
    )


@pytest.mark.parametrize("op", [ops.max, ops.min, ops.argmax, ops.argmin])
def test_the_extreme_of_nothing_is_named(op):
    with pytest.raises(ShapeError, match=op.__name__):
        op(np.ones((0, 3)), axis=0)
    with pytest.raises(ShapeError, match=op.__name__):
        op(symbol(Spec((BATCH, 0), np.dtype("float64"))), axis=1)
    assert op(np.ones((0, 3)), axis=1).shape == (0,)


def test_nan_propagates_through_extremes_and_their_gradient():
    assert np.isnan(ops.max([1.0, np.nan]).item())
    assert np.isnan(gradient(ops.max, [1.0, np.nan])).all()


@pytest.mark.parametrize(
    ("x", "first"),
    [([0, 2, 3], [6, 0, 0]), ([0, 0, 3], [0, 0, 0]), ([2, 3, 4], [12, 8, 6]), ([0], [1]), ([], [])],
)
def test_gradient_of_a_product_with_zeros(x, first):
    np.testing.assert_array_equal(gradient(ops.prod, x), first)


def test_higher_derivatives_of_a_product_with_zeros():
    x = np.array([0.0, 0.0, 3.0])
    hessian = [[0, 3, 0], [3, 0, 0], [0, 0, 0]]
    np.testing.assert_array_equal(ag.hessian(ops.prod)(x).numpy(), hessian)
    third = ag.grad(lambda t: ag.hessian(ops.prod)(t)[0, 1])(x)
    np.testing.assert_array_equal(third.numpy(), [0, 0, 1])


@pytest.mark.parametrize("axis", [None, (0, 1), (1, 0), (0, 2), 1])
def test_product_over_several_axes_has_one_gradient_per_element(axis):
    x = np.arange(8.0).reshape(2, 2, 2) - 1
    over = tuple(range(3)) if axis is None else tuple(np.atleast_1d(axis))
    found = gradient(lambda t: ops.prod(t, axis), x)
    for place in np.ndindex(x.shape):
        others = x.copy()
        others[place] = 1
        line = tuple(slice(None) if k in over else place[k] for k in range(3))
        assert found[place] == np.prod(others[line])


def test_logsumexp_of_infinities():
    assert ops.logsumexp([-INF, -INF]).item() == -INF
    assert ops.logsumexp([INF, 1.0]).item() == INF
    assert ops.logsumexp(np.ones((2, 0)), axis=1).tolist() == [-INF, -INF]
    assert np.isnan(ops.logsumexp([np.nan, 1.0]).item())
    np.testing.assert_array_equal(gradient(ops.logsumexp, [-INF, -INF]), [0, 0])
    np.testing.assert_array_equal(gradient(ops.logsumexp, [-INF, 1]), [0, 1])
    np.testing.assert_array_equal(ag.hessian(ops.logsumexp)(np.array([-INF, -INF])).numpy(), np.zeros((2, 2)))


def test_logsumexp_does_not_overflow():
    assert ops.logsumexp([1e4, 1e4]).item() == pytest.approx(1e4 + np.log(2))
    assert ops.logsumexp([-1e4, -1e4]).item() == pytest.approx(-1e4 + np.log(2))


def test_the_standard_deviation_of_equal_numbers_has_gradient_zero():
    np.testing.assert_array_equal(gradient(ops.std, [2.0, 2.0]), [0, 0])
    np.testing.assert_array_equal(ag.hessian(ops.std)(np.array([2.0, 2.0])).numpy(), np.zeros((2, 2)))


def test_ddof_beyond_the_count_gives_what_numpy_gives():
    with np.errstate(all="ignore"):
        assert ops.var([1.0, 2.0], ddof=3).item() == INF
    with pytest.raises(ArgumentTypeError, match="ddof"):
        ops.var([1.0, 2.0], ddof="1")


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64", "float32", "float64"])
@pytest.mark.parametrize(
    "name",
    [
        "sum", "mean", "var", "std", "max", "min", "prod", "argmax", "argmin", "any", "all", "count_nonzero", "cumsum",
        "cumprod",
    ],
)  # fmt: skip
def test_dtypes_are_those_of_numpy(name, dtype):
    x = np.array([[1, 0, 1], [1, 1, 0]]).astype(dtype)
    for axis in (None, 1):
        expected = np.asarray(getattr(np, name)(x, axis=axis))
        found = getattr(ops, name)(x, axis=axis)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found.numpy(), expected)
    unknown = getattr(ops, name)(symbol(Spec((BATCH, 3), x.dtype)), axis=1)
    assert unknown.dtype == expected.dtype


def test_float16_is_added_up_in_float32():
    x = np.full(100_000, 100, "float16")
    assert ops.mean(x).item() == 100 and ops.mean(x).dtype == "float16"
    assert ops.var(x).item() == 0


@pytest.mark.parametrize(
    "f", [ops.mean, ops.var, ops.std, lambda t: ops.var(t, ddof=1), ops.prod, ops.max, ops.logsumexp]
)
def test_one_graph_serves_every_batch_size(f):
    x = symbol(Spec((BATCH, 2), np.dtype("float64")), requires_grad=True)
    loss = f(x)
    (slope,) = ag.transforms.gradients(loss, [x])
    graph = Graph((x,), (loss, slope)).verify()
    for rows in (2, 5):
        data = np.random.default_rng(rows).normal(size=(rows, 2))
        value, found = graph.evaluate(data)
        np.testing.assert_allclose(value, f(data).numpy(), rtol=1e-12)
        np.testing.assert_allclose(found, gradient(f, data), rtol=1e-12)


def test_size_of_knows_the_axis_it_stands_for():
    x = symbol(Spec((BATCH, 4), np.dtype("float32")))
    assert ops.size_of(x, 0).spec.dim is BATCH
    assert ops.size_of(x, 1).spec.dim is None
    assert ops.size_of(x).spec.dim is None
    (count,) = Graph((x,), (ops.size_of(x),)).evaluate(np.ones((3, 4), "float32"))
    assert count == 12 and count.dtype == np.int64


@pytest.mark.parametrize(("op", "a", "b"), [(ops.unbroadcast, (2, 3), (4,)), (ops.broadcast_like, (2, 3), (3,))])
def test_shapes_that_do_not_broadcast_are_refused_before_they_have_values(op, a, b):
    with pytest.raises(ShapeError, match=op.__name__):
        op(symbol(Spec(a, np.dtype("float64"))), symbol(Spec(b, np.dtype("float64"))))
