"""Conventions of softmax and one-hot, and crossentropies against numbers worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import config, ops
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import BATCH, Spec
from autograd_nn.engine.tensor import symbol
from autograd_nn.errors import DTypeError, InvalidArgument, ShapeError

INF = np.inf
LOW, HIGH = 1e-7, 1 - 1e-7


def gradient(f, x):
    return ag.grad(lambda t: ops.sum(f(t)))(np.asarray(x, "float64")).numpy()


def jacobian(f, x):
    return ag.jacobian(f)(np.asarray(x, "float64")).numpy()


# --- softmax


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=6))
def test_softmax_is_a_distribution(numbers):
    y = ops.softmax(np.array(numbers)).numpy()
    assert (y >= 0).all() and y.sum() == pytest.approx(1)
    np.testing.assert_allclose(
        ops.log_softmax(np.array(numbers)).numpy()[y > 0], np.log(y[y > 0]), rtol=1e-9, atol=1e-12
    )


def test_softmax_of_infinities():
    assert ops.softmax([-INF, 1.0]).tolist() == [0, 1]
    assert ops.log_softmax([-INF, 1.0]).tolist() == [-INF, 0]
    assert ops.softmax([-INF, -INF]).tolist() == [0, 0]
    assert ops.log_softmax([-INF, -INF]).tolist() == [-INF, -INF]
    assert np.isnan(ops.softmax([np.nan, 1.0]).numpy()).all()
    np.testing.assert_array_equal(jacobian(ops.softmax, [-INF, -INF]), np.zeros((2, 2)))
    np.testing.assert_array_equal(jacobian(ops.softmax, [-INF, 1]), np.zeros((2, 2)))


def test_softmax_over_several_axes_is_one_distribution():
    x = np.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_allclose(ops.softmax(x, (0, 2)).numpy().sum((0, 2)), np.ones(3))
    np.testing.assert_allclose(ops.softmax(x, None).numpy().sum(), 1)


def test_integers_become_the_default_float():
    assert ops.softmax([1, 2]).dtype == ops.elu([1, 2]).dtype == "float32"


# --- one-hot


def test_class_numbers_outside_give_zeros():
    assert ops.one_hot([-1, 1, 2], 2).tolist() == ops.one_hot([-1.0, 1.9, 2.0], 2).tolist() == [[0, 0], [0, 1], [0, 0]]


@pytest.mark.parametrize(("axis", "shape"), [(-1, (2, 3, 4)), (0, (4, 2, 3)), (1, (2, 4, 3)), (-3, (4, 2, 3))])
def test_the_new_axis_stands_where_it_is_told(axis, shape):
    x = np.arange(6).reshape(2, 3) % 4
    y = ops.one_hot(x, 4, axis=axis)
    assert y.shape == shape
    np.testing.assert_array_equal(ops.argmax(y, axis).numpy(), x)


@pytest.mark.parametrize(
    ("x", "classes", "error", "words"),
    [
        ([0], 0, InvalidArgument, "at least 1"),
        ([0], True, DTypeError, "num_classes"),
        ([0], "2", DTypeError, "num_classes"),
    ],
)
def test_one_hot_names_what_is_wrong(x, classes, error, words):
    with pytest.raises(error, match=words):
        ops.one_hot(x, classes)


# --- activations


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (ops.leaky_relu, 0.2), (ops.elu, 1), (ops.relu6, 0), (ops.softsign, 1), (ops.log_sigmoid, 0.5),
        (ops.hard_sigmoid, 1 / 6),
    ],
)  # fmt: skip
def test_derivatives_at_zero(f, slope):
    assert gradient(f, [0.0])[0] == pytest.approx(slope, rel=1e-15)


@pytest.mark.parametrize("f", [ops.elu, ops.selu, ops.log_sigmoid, ops.softsign, ops.hard_sigmoid, ops.leaky_relu])
def test_large_numbers_neither_overflow_nor_give_nan(f):
    x = np.array([-1e4, 1e4])
    with np.errstate(over="raise", invalid="raise"):
        assert np.isfinite(f(x).numpy()).all()
    assert np.isfinite(gradient(f, x)).all()


# --- crossentropies


def test_binary_crossentropy_by_hand():
    found = ops.binary_crossentropy([1.0, 0.0, 0.25], np.array([0.8, 0.3, 0.5])).numpy()
    np.testing.assert_allclose(found, [-math.log(0.8), -math.log(0.7), -math.log(0.5)], rtol=1e-12)


def test_binary_crossentropy_limits_probabilities():
    found = ops.binary_crossentropy(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])).numpy()
    np.testing.assert_allclose(found, [-math.log(LOW), -math.log(LOW), -math.log(HIGH)], rtol=1e-8)


@given(st.floats(0, 1), st.floats(-30, 30))
def test_binary_crossentropy_from_logits_is_that_of_the_sigmoid(t, x):
    p = 1 / (1 + math.exp(-x))
    q = 1 / (1 + math.exp(x))
    found = ops.binary_crossentropy(np.array(t), np.array(x), from_logits=True).item()
    assert found == pytest.approx(-t * math.log(p) - (1 - t) * math.log(q), rel=1e-9, abs=1e-12)
    slope = ag.grad(lambda v: ops.binary_crossentropy(np.array(t), v, from_logits=True))(np.array(x))
    assert slope.item() == pytest.approx(p - t, rel=1e-9, abs=1e-12)


def test_binary_crossentropy_from_large_logits():
    x = np.array([1e4, -1e4])
    assert ops.binary_crossentropy([1.0, 0.0], x, from_logits=True).tolist() == [0, 0]
    assert ops.binary_crossentropy([0.0, 1.0], x, from_logits=True).tolist() == [1e4, 1e4]
    assert ops.binary_crossentropy([1.0], np.array([50.0]), from_logits=True).item() == pytest.approx(math.exp(-50))


def test_the_limit_of_probabilities_is_epsilon_of_the_configuration():
    config.set_epsilon(1e-3)
    try:
        found = ops.binary_crossentropy(np.array(1.0), np.array(0.0)).item()
    finally:
        config.set_epsilon(LOW)
    assert found == pytest.approx(-math.log(1e-3))


def test_categorical_crossentropy_by_hand():
    target = np.array([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])
    output = np.array([[0.1, 0.7, 0.2], [2.0, 1.0, 1.0]])
    expected = [-math.log(0.7), -0.5 * math.log(0.5) - 0.5 * math.log(0.25)]
    np.testing.assert_allclose(ops.categorical_crossentropy(target, output).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(
        ops.categorical_crossentropy(target, np.log(output), from_logits=True).numpy(), expected, rtol=1e-12
    )


def test_categorical_crossentropy_limits_probabilities():
    found = ops.categorical_crossentropy(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).item()
    assert found == pytest.approx(-math.log(LOW), rel=1e-12)


@given(st.integers(0, 2), st.lists(st.floats(-20, 20), min_size=3, max_size=3), st.booleans())
def test_sparse_is_categorical_of_one_hot(label, numbers, from_logits):
    output = np.array(numbers) if from_logits else np.abs(numbers) + 0.1
    sparse = ops.sparse_categorical_crossentropy(label, output, from_logits)
    dense = ops.categorical_crossentropy(np.eye(3)[label], output, from_logits)
    assert sparse.item() == pytest.approx(dense.item(), rel=1e-12)


def test_the_axis_of_classes_may_stand_anywhere():
    output = np.random.default_rng(0).uniform(0.1, 1, (2, 3, 4))
    labels = np.array([[0, 1, 2, 1], [2, 2, 0, 1]])
    found = ops.sparse_categorical_crossentropy(labels, output, axis=1).numpy()
    p = output / output.sum(1, keepdims=True)
    np.testing.assert_allclose(found, -np.log(np.take_along_axis(p, labels[:, None], 1)[:, 0]), rtol=1e-12)
    np.testing.assert_array_equal(ops.sparse_categorical_crossentropy(labels[:, None], output, axis=1).numpy(), found)


def test_gradient_from_logits_is_softmax_minus_target():
    x, labels = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]), np.array([0, 2])
    found = gradient(lambda t: ops.sparse_categorical_crossentropy(labels, t, from_logits=True), x)
    np.testing.assert_allclose(found, ops.softmax(x).numpy() - np.eye(3)[labels], rtol=1e-12)


@pytest.mark.parametrize(
    ("op", "target", "output"),
    [
        (ops.binary_crossentropy, (3,), (3, 1)),
        (ops.binary_crossentropy, (3, 3), (3, 1)),
        (ops.categorical_crossentropy, (3,), (2, 3)),
        (ops.categorical_crossentropy, (1, 3), (2, 3)),
        (ops.sparse_categorical_crossentropy, (2, 3), (2, 3)),
        (ops.sparse_categorical_crossentropy, (1,), (2, 3)),
    ],
)
@pytest.mark.parametrize("from_logits", [False, True])
def test_targets_never_broadcast(op, target, output, from_logits):
    with pytest.raises(ShapeError, match=op.__name__):
        op(np.zeros(target), np.ones(output), from_logits)


@pytest.mark.parametrize(
    ("labels", "words"),
    [([0, 3], r"label 3 at index \(1,\).*0\.\.2"), ([-1, 0], r"label -1 at index \(0,\)"), ([0.5, 1.0], "label 0.5")],
)
def test_labels_outside_the_classes_are_named(labels, words):
    with pytest.raises(InvalidArgument, match=words):
        ops.sparse_categorical_crossentropy(labels, np.ones((2, 3)))


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float32"])
def test_labels_of_any_dtype_keep_that_of_the_output(dtype):
    labels = np.array([0, 2], dtype)
    assert ops.sparse_categorical_crossentropy(labels, np.ones((2, 3), "float32")).dtype == "float32"
    assert ops.binary_crossentropy(np.ones(2, dtype), np.full(2, 0.5, "float32")).dtype == "float32"


@pytest.mark.parametrize("from_logits", [False, True])
def test_one_graph_serves_every_batch_size(from_logits):
    output = symbol(Spec((BATCH, 3), np.dtype("float64")), requires_grad=True)
    labels = symbol(Spec((BATCH,), np.dtype("int64")))
    loss = ops.mean(ops.sparse_categorical_crossentropy(labels, output, from_logits))
    (slope,) = ag.transforms.gradients(loss, [output])
    graph = Graph((labels, output), (loss, slope)).verify()
    for rows in (1, 4):
        y, x = np.arange(rows) % 3, np.random.default_rng(rows).uniform(0.1, 1, (rows, 3))
        value, found = graph.evaluate(y, x)
        expected = lambda t, y=y: ops.mean(ops.sparse_categorical_crossentropy(y, t, from_logits))  # noqa: E731
        np.testing.assert_allclose(value, expected(x).numpy(), rtol=1e-12)
        np.testing.assert_allclose(found, gradient(expected, x), rtol=1e-12)
