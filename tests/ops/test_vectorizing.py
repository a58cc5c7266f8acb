"""`vectorize` against NumPy's, its gradients and its errors."""

from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.errors import ArgumentTypeError, DTypeError, InvalidArgument, ShapeError, SymbolicError
from autograd_nn.testing import gradcheck

RNG = np.random.default_rng(0)
A, B, V = RNG.normal(size=(3, 1, 2)), RNG.normal(size=(4, 2)), RNG.normal(size=(5, 1, 2, 3))


@pytest.mark.parametrize(
    ("ours", "theirs", "arguments", "options"),
    [
        (lambda a, b: ops.where(a > b, a * b, b), lambda a, b: a * b if a > b else b, (A, B), {}),
        (lambda a, b: (a + b, a - b), lambda a, b: (a + b, a - b), (A, 2.0), {}),
        (lambda a, n: a**n, lambda a, n: a**n, (np.abs(A), 3), {"excluded": {1}}),
        (lambda m, v: ops.matmul(m, v), np.matmul, (V, RNG.normal(size=(4, 3))), {"signature": "(m, n),(n)->(m)"}),
        (lambda x: (ops.sum(x), x * 2), lambda x: (np.sum(x), x * 2), (B,), {"signature": "(n)->(),(n)"}),
        (lambda x: ops.outer(x, x), lambda x: np.outer(x, x), (B,), {"signature": "(n)->(n,n)"}),
        (lambda x: x + 1, lambda x: x + 1, (np.float64(2.0),), {}),
    ],
    ids=["broadcast", "two results", "excluded", "matrices", "mixed results", "larger", "scalar"],
)
def test_numpy_gives_the_same(ours: Any, theirs: Any, arguments: Any, options: Any) -> None:
    found = ops.vectorize(ours, **options)(*arguments)
    expected = np.vectorize(theirs, **options)(*arguments)
    pairs = list(zip(found, expected)) if isinstance(expected, tuple) else [(found, expected)]
    for a, b in pairs:
        assert a.shape == np.shape(b)
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-12)


def test_keywords_are_looped_over_unless_excluded() -> None:
    f = ops.vectorize(lambda x, scale, rows: x * scale + ops.sum(rows), excluded=["rows"])
    rows = ag.tensor(np.ones(3))
    found = f(np.ones((2, 1)), scale=np.array([1.0, 2.0]), rows=rows)
    np.testing.assert_array_equal(found.numpy(), [[4.0, 5.0]] * 2)


def test_gradients_flow_and_programs_run() -> None:
    f = ops.vectorize(lambda a, b: ops.tanh(a) * b * b)
    gradcheck(f, (A, B), order=2)
    np.testing.assert_allclose(ag.jit(f)(A, B).numpy(), np.tanh(A) * B * B, rtol=1e-12)


def test_nothing_and_the_room_of_numpy() -> None:
    assert ops.vectorize(lambda x: x * 2)(np.zeros((0, 3))).shape == (0, 3)
    assert ops.numpy.vectorize is ops.vectorize


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.vectorize(3), ArgumentTypeError, "pyfunc"),
        (lambda: ops.vectorize(lambda x: x, signature="m,n->k"), InvalidArgument, "signature must be like"),
        (lambda: ops.vectorize(lambda x: x, signature=3), InvalidArgument, "signature must be like"),
        (lambda: ops.vectorize(lambda x: x, excluded=[1.5]), ArgumentTypeError, "places and names"),
        (lambda: ops.vectorize(lambda x: x, signature="(m)->(m)")(1.0), ShapeError, "needs the axes"),
        (lambda: ops.vectorize(lambda x: x, signature="(m)->(m)")(A, B), InvalidArgument, "1 arguments, the call 2"),
        (lambda: ops.vectorize(ops.dot, signature="(n),(n)->()")(B, V), ShapeError, "axis 'n' has size 2 and 3"),
        (lambda: ops.vectorize(ops.add)([1, 2], [1, 2, 3]), ShapeError, "do not broadcast"),
        (lambda: ops.vectorize(lambda x: (x, x), signature="(n)->(n)")(B), InvalidArgument, "1 results, pyfunc 2"),
        (lambda: ops.vectorize(ops.sum, signature="(n)->(n)")(B), ShapeError, "have not the axes"),
        (lambda: ops.vectorize(lambda x: x)(ag.Input((2,))), SymbolicError, "sizes of arguments must be known"),
        (lambda: ops.vectorize(lambda x: x)(np.array([1j])), DTypeError, "takes real numbers"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
