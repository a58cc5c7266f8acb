"""einsum beyond its usual samples: random subscripts against NumPy, order of products, unknown sizes, messages."""

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import BATCH, Spec
from autograd_nn.engine.tensor import symbol
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, ShapeError

SIZES = dict(zip("abcd", (2, 3, 1, 2)))
TERMS = st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3)


@st.composite
def subscripts(draw):
    terms = draw(TERMS)
    present = sorted(set("".join(terms)))
    output = draw(st.permutations(present))[: draw(st.integers(0, len(present)))]
    return f"{','.join(terms)}->{''.join(output)}"


def operands(text):
    rng = np.random.default_rng(0)
    return [rng.normal(size=[SIZES[letter] for letter in term]) for term in text.partition("->")[0].split(",")]


@given(subscripts())
def test_random_subscripts_are_what_numpy_computes(text):
    xs = operands(text)
    np.testing.assert_allclose(ops.einsum(text, *xs).numpy(), np.einsum(text, *xs), rtol=1e-12, atol=1e-13)


@given(subscripts())
def test_gradients_of_random_subscripts(text):
    xs = operands(text)
    found = ag.grad(lambda *ts: ops.sum(ops.einsum(text, *ts)), argnums=tuple(range(len(xs))))(*xs)
    for k, x in enumerate(xs):
        # The sum of an einsum is linear in each operand: its derivative is its value at the unit arrays.
        units = np.eye(x.size).reshape(x.size, *x.shape)
        expected = [np.einsum(text, *xs[:k], unit, *xs[k + 1 :]).sum() for unit in units]
        np.testing.assert_allclose(found[k].numpy().ravel(), expected, rtol=1e-10, atol=1e-12)


def test_an_axis_of_size_one_broadcasts_and_so_does_its_gradient():
    a, b = np.ones((2, 3)), np.array([[2.0]])
    left, right = ag.grad(lambda a, b: ops.sum(ops.einsum("ij,jk->ik", a, b)), argnums=(0, 1))(a, b)
    np.testing.assert_array_equal(left.numpy(), np.full((2, 3), 2))
    np.testing.assert_array_equal(right.numpy(), [[6]])


def test_a_chain_is_multiplied_in_a_cheap_order():
    n = 60
    column, row, matrix = np.ones((n, 1)), np.ones((1, n)), np.ones((n, n))
    chain = ops.einsum("ij,jk,kl->il", *[ag.tensor(x, requires_grad=True) for x in (matrix, column, row)])
    between, end = Graph((), (chain,)).operations
    assert between.shape == (n, 1) and end is chain


def test_unknown_sizes():
    x = symbol(Spec((BATCH, 4, 2), np.dtype("float64")), requires_grad=True)
    scores = ops.einsum("bqd,bkd->bqk", x, x)
    assert scores.spec.shape == (BATCH, 4, 4)
    (slope,) = ag.transforms.gradients(ops.sum(scores), [x])
    graph = Graph((x,), (slope,)).verify()
    for rows in (1, 3):
        data = np.random.default_rng(0).normal(size=(rows, 4, 2))
        expected = np.broadcast_to(2 * data.sum(1, keepdims=True), data.shape)
        np.testing.assert_allclose(graph.evaluate(data)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "float32"])
def test_dtypes_are_those_of_numpy(dtype):
    x = np.array([[1, 0, 1], [1, 1, 0]]).astype(dtype)
    for text, xs in (("ij->i", [x]), ("ij,ij->", [x, x]), ("ij,kj->ik", [x, x]), ("ij,i", [x, x[:, 0]])):
        expected = np.asarray(np.einsum(text, *xs))
        found = ops.einsum(text, *xs)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize(
    ("text", "shapes", "error", "words"),
    [
        ("ij,jk->ik", [(2, 3), (4, 2)], ShapeError, "'j'"),
        ("ij,jk->ik", [(2, 3)], InvalidArgument, "2 operands, got 1"),
        ("ijk->i", [(2, 3)], ShapeError, "3 axes"),
        ("ij->ik", [(2, 3)], InvalidArgument, "'k'"),
        ("ij->ii", [(2, 3)], InvalidArgument, "twice"),
        ("ii->i", [(2, 3)], ShapeError, "diagonal"),
        ("...i->i", [(2, 3)], InvalidArgument, r"\.\.\."),
        ("i..j", [(2, 3)], InvalidArgument, "read"),
        (None, [(2, 3)], ArgumentTypeError, "string"),
    ],
)
def test_messages(text, shapes, error, words):
    with pytest.raises(error, match=words):
        ops.einsum(text, *[np.ones(shape) for shape in shapes])


def test_many_letters():
    text = string.ascii_letters[:12]
    x = np.ones((1,) * 12)
    assert ops.einsum(f"{text},{text}->{text[::-1]}", x, x).shape == (1,) * 12


def test_tensordot_names_the_sizes_that_differ():
    with pytest.raises(ShapeError, match=r"tensordot.*\(2, 3\).*\(1, 2\)"):
        ops.tensordot(np.ones((2, 3)), np.ones((1, 2)), 1)
