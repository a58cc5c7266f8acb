"""Python's operators, NumPy-named methods, and NumPy's own functions, on Tensors."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import errors, ops
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.op import OPS
from autograd_nn.engine.spec import BATCH, Spec
from autograd_nn.engine.tensor import Tensor, symbol
from autograd_nn.ops.methods import METHODS

A = np.array([[1.5, -2.0, 3.0], [4.0, 0.5, -6.0]])
B = np.array([[2.0, 3.0, -1.0], [0.5, 2.0, 4.0]])
INTS = np.array([[5, 3, 8], [1, 9, 2]])

ARITHMETIC = (
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.lt,
    operator.le, operator.gt, operator.ge, operator.eq, operator.ne, divmod,
)  # fmt: skip
BITWISE = (operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift)
UNARY = (operator.neg, operator.pos, abs, round, lambda x: round(x, 1))


def value(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(map(value, result))
    assert isinstance(result, Tensor)
    return result.numpy()


def same(found: Any, expected: Any) -> None:
    """Equal in value, shape and dtype, and a Tensor where NumPy gives an array."""
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            same(a, b)
        return
    assert isinstance(found, Tensor)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-14)
    assert found.shape == np.shape(expected)
    assert found.dtype == np.asarray(expected).dtype


# --- operators


@pytest.mark.parametrize("apply", ARITHMETIC, ids=lambda f: f.__name__)
@pytest.mark.parametrize("other", [B, B[0], np.float64(1.5), 2.5, 3, True], ids=lambda b: type(b).__name__)
def test_binary_operators_on_both_sides(apply: Callable[..., Any], other: Any) -> None:
    t = ag.tensor(A)
    same(apply(t, other), apply(A, other))
    same(apply(other, t), apply(other, A))
    same(apply(t, ag.tensor(other, dtype="float64")), apply(A, np.asarray(other, "float64")))


@pytest.mark.parametrize("apply", BITWISE, ids=lambda f: f.__name__)
@pytest.mark.parametrize("other", [INTS % 5, INTS[0] % 5, np.int64(3), 2], ids=lambda b: type(b).__name__)
def test_bitwise_operators_on_both_sides(apply: Callable[..., Any], other: Any) -> None:
    t = ag.tensor(INTS)
    same(apply(t, other), apply(INTS, other))
    same(apply(other, t), apply(other, INTS))


@pytest.mark.parametrize("apply", UNARY)
def test_unary_operators(apply: Callable[..., Any]) -> None:
    expected = np.round(A, 1) if apply is UNARY[-1] else np.round(A) if apply is round else apply(A)
    same(apply(ag.tensor(A)), expected)


def test_invert_of_ints_and_bools() -> None:
    same(~ag.tensor(INTS), ~INTS)
    same(~ag.tensor(INTS > 3), ~(INTS > 3))


@pytest.mark.parametrize("other", [2, 3, 0.5, np.array([1.0, 2.0, 3.0])], ids=str)
def test_power_on_both_sides(other: Any) -> None:
    positive = np.abs(A)
    same(ag.tensor(positive) ** other, positive**other)
    same(other ** ag.tensor(positive), other**positive)


def test_matmul_on_both_sides() -> None:
    same(ag.tensor(A) @ B.T, A @ B.T)
    same(A @ ag.tensor(B.T), A @ B.T)


def test_in_place_forms_make_new_tensors() -> None:
    t = first = ag.tensor(A)
    t += 1
    t *= B
    t -= B
    t /= 2
    t **= 2
    same(t, (((A + 1) * B - B) / 2) ** 2)
    same(first, A)


def test_an_array_is_not_written_by_an_in_place_form() -> None:
    array = A.copy()
    with pytest.raises(errors.DTypeError, match="cannot write a Tensor into an array"):
        array += ag.tensor(B)
    np.testing.assert_array_equal(array, A)


def test_comparison_with_what_is_no_number_answers_as_python_does() -> None:
    t = ag.tensor(A)
    assert (t == None) is False  # noqa: E711
    assert (t != "relu") is True
    with pytest.raises(TypeError):
        t < None  # noqa: B015


def test_operators_refuse_what_is_no_number() -> None:
    for other in ("a", None, object()):
        with pytest.raises(TypeError):
            ag.tensor(A) + other


@pytest.mark.parametrize(
    ("apply", "array"), [(operator.neg, A > 0), (operator.invert, A), (lambda t: t & t, A), (lambda t: t - t, A > 0)]
)
def test_a_dtype_that_an_operator_does_not_take(apply: Callable[[Any], Any], array: Any) -> None:
    with pytest.raises(errors.DTypeError, match=f"does not take {array.dtype}.*ops.cast"):
        apply(ag.tensor(array))


# --- methods


CALLS: dict[str, tuple[Any, ...]] = {
    "clip": (-1, 2),
    "dot": (B.T,),
    "repeat": (2,),
    "reshape": (3, 2),
    "swapaxes": (0, 1),
}
CALLS |= {"take": ([0, -1], 1)}


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_those_of_arrays(name: str) -> None:
    arguments = CALLS.get(name, ())
    array = A > 1 if name in ("all", "any") else A
    same(getattr(ag.tensor(array), name)(*arguments), getattr(array, name)(*arguments))


@pytest.mark.parametrize("name", ["all", "any", "argmax", "argmin", "max", "mean", "min", "prod", "std", "sum", "var"])
def test_reducing_methods_take_axis_and_keepdims(name: str) -> None:
    array = A > 1 if name in ("all", "any") else A
    same(getattr(ag.tensor(array), name)(axis=1), getattr(array, name)(axis=1))
    same(getattr(ag.tensor(array), name)(axis=-2, keepdims=True), getattr(array, name)(axis=-2, keepdims=True))


def test_attributes_of_arrays() -> None:
    cube = np.arange(24.0).reshape(2, 3, 4)
    t = ag.tensor(cube)
    same(t.T, cube.T)
    same(t.mT, cube.swapaxes(-1, -2))
    same(t.astype("int32"), cube.astype("int32"))
    same(t.squeeze(), cube.squeeze())
    same(t.reshape(-1, 4), cube.reshape(-1, 4))
    same(t.reshape((4, 6)), cube.reshape((4, 6)))
    same(t.transpose(2, 0, 1), cube.transpose(2, 0, 1))
    same(t.diagonal(1, 1, 2), cube.diagonal(1, 1, 2))
    assert (t.shape, t.ndim, t.size, len(t)) == (cube.shape, cube.ndim, cube.size, len(cube))
    same(list(t), list(cube))


def test_matrix_transpose_needs_two_axes() -> None:
    with pytest.raises(errors.ShapeError, match="two axes"):
        ag.tensor([1.0, 2.0]).mT  # noqa: B018


def test_a_misspelled_method_is_answered_with_a_suggestion() -> None:
    with pytest.raises(AttributeError, match="did you mean 'reshape'"):
        ag.tensor(A).reshpe(3, 2)


def test_gradients_flow_through_operators_and_methods() -> None:
    t = ag.tensor(A, requires_grad=True)
    (B * t.T.reshape(2, 3).clip(-5, 5) + t.mean() - (t % 7).copy()).sum().backward()
    u = ag.tensor(A, requires_grad=True)
    ops.sum(ops.multiply(B, ops.clip(ops.reshape(ops.transpose(u), (2, 3)), -5, 5))).backward()
    # The mean adds 1 to each element, the remainder takes 1 away.
    np.testing.assert_allclose(t.grad.numpy(), u.grad.numpy(), atol=1e-14)


def test_operators_on_symbols() -> None:
    x = symbol(Spec((BATCH, 3), np.dtype("float64")))
    y = divmod(B[0] - x, 2)[1] + round(+x) * np.float64(2) - abs(-x).T.T
    assert y.spec == Spec((BATCH, 3), np.dtype("float64"))
    graph = Graph([x], [y]).verify()
    for array in (A, np.vstack([A, B])):
        expected = (B[0] - array) % 2 + np.round(array) * 2 - np.abs(array)
        np.testing.assert_allclose(graph.evaluate(array)[0], expected)


# --- NumPy's functions

T, U = ag.tensor(A), ag.tensor(B)
FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "abs": lambda a, b: np.abs(a),
    "absolute": lambda a, b: np.absolute(a),
    "add": lambda a, b: np.add(a, b),
    "add of None": lambda a, b: np.add(a, b, out=None, where=True, dtype=None),
    "add.reduce": lambda a, b: np.add.reduce(a),
    "add.reduce axis": lambda a, b: np.add.reduce(a, axis=1, keepdims=True),
    "add.accumulate": lambda a, b: np.add.accumulate(a, axis=1),
    "all": lambda a, b: np.all(a > b, axis=0),
    "amax": lambda a, b: np.amax(a, 1),
    "any": lambda a, b: np.any(a > b),
    "argmax": lambda a, b: np.argmax(a, axis=1),
    "argsort": lambda a, b: np.argsort(a, axis=1, kind=None),
    "around": lambda a, b: np.around(a, 1),
    "array on the left": lambda a, b: B + a,
    "broadcast_to": lambda a, b: np.broadcast_to(a, (2, 2, 3)),
    "clip by name": lambda a, b: np.clip(a, a_min=-1, a_max=1),
    "clip of tensors": lambda a, b: np.clip(a, b - 1, b + 1),
    "concatenate": lambda a, b: np.concatenate([a, b], axis=1),
    "concat": lambda a, b: np.concat((a, b)),
    "copy": lambda a, b: np.copy(a),
    "cumsum": lambda a, b: np.cumsum(a, 0),
    "divide": lambda a, b: np.divide(a, b),
    "divmod": lambda a, b: np.divmod(a, b),
    "dot": lambda a, b: np.dot(a, b.T),
    "einsum": lambda a, b: np.einsum("ij,kj->ik", a, b),
    "exp": lambda a, b: np.exp(a),
    "expand_dims": lambda a, b: np.expand_dims(a, 1),
    "flip": lambda a, b: np.flip(a, axis=1),
    "full_like": lambda a, b: np.full_like(a, 3.0),
    "hstack": lambda a, b: np.hstack([a, b]),
    "isfinite": lambda a, b: np.isfinite(a),
    "linalg.norm": lambda a, b: np.linalg.norm(a, axis=1),
    "matmul": lambda a, b: np.matmul(a, b.T),
    "maximum": lambda a, b: np.maximum(a, b),
    "maximum.reduce": lambda a, b: np.maximum.reduce(a, axis=None),
    "mean": lambda a, b: np.mean(a, axis=0, keepdims=True),
    "mean, all arguments": lambda a, b: np.mean(a, 0, None, None, True),
    "moveaxis": lambda a, b: np.moveaxis(a, 0, 1),
    "multiply": lambda a, b: np.multiply(2, a),
    "ones_like": lambda a, b: np.ones_like(a),
    "outer": lambda a, b: np.outer(a[0], b[0]),
    "pad": lambda a, b: np.pad(a, ((1, 0), (2, 1)), constant_values=2),
    "pad reflect": lambda a, b: np.pad(a, 1, mode="reflect"),
    "permute_dims": lambda a, b: np.permute_dims(a, (1, 0)),
    "positive": lambda a, b: np.positive(a),
    "prod": lambda a, b: np.prod(a),
    "ravel": lambda a, b: np.ravel(a),
    "repeat": lambda a, b: np.repeat(a, 2, axis=1),
    "reshape": lambda a, b: np.reshape(a, (3, 2)),
    "rint": lambda a, b: np.rint(a),
    "roll": lambda a, b: np.roll(a, 1, axis=1),
    "round": lambda a, b: np.round(a, 1),
    "scalar on the left": lambda a, b: np.float64(2) * a,
    "sin": lambda a, b: np.sin(a),
    "sort": lambda a, b: np.sort(a, axis=0),
    "split": lambda a, b: np.split(a, 3, axis=1),
    "squeeze": lambda a, b: np.squeeze(a[:1]),
    "stack": lambda a, b: np.stack([a, b], axis=1),
    "std": lambda a, b: np.std(a),
    "sum": lambda a, b: np.sum(a, axis=0),
    "sum of None": lambda a, b: np.sum(a, axis=None, dtype=None, out=None),
    "swapaxes": lambda a, b: np.swapaxes(a, 0, 1),
    "take": lambda a, b: np.take(a, [1, 0], axis=1),
    "take_along_axis": lambda a, b: np.take_along_axis(a, np.array([[1], [0]]), axis=1),
    "tensordot": lambda a, b: np.tensordot(a, b, axes=([1], [1])),
    "tile": lambda a, b: np.tile(a, (2, 1)),
    "tile by name": lambda a, b: np.tile(a, reps=2),
    "trace": lambda a, b: np.trace(a),
    "transpose": lambda a, b: np.transpose(a),
    "tril": lambda a, b: np.tril(a, k=1),
    "trunc": lambda a, b: np.trunc(a),
    "var": lambda a, b: np.var(a, axis=1),
    "vstack": lambda a, b: np.vstack((a, b)),
    "where": lambda a, b: np.where(a > b, a, 0.0),
    "zeros_like": lambda a, b: np.zeros_like(a, dtype="int32"),
}  # fmt: skip


@pytest.mark.parametrize("call", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_of_numpy_on_tensors(call: Callable[[Any, Any], Any]) -> None:
    same(call(T, U), call(A, B))


@pytest.mark.parametrize("ufunc", [u for u in vars(np).values() if isinstance(u, np.ufunc)], ids=lambda u: u.__name__)
def test_every_ufunc_answers_with_a_tensor_or_says_what_to_do(ufunc: np.ufunc) -> None:
    arrays = [np.array([[2.0, 1.0], [1.0, 2.0]])] * ufunc.nin
    try:
        found = ufunc(*map(ag.tensor, arrays))
    except errors.DTypeError as error:
        assert "t.numpy()" in str(error) or "ops.cast" in str(error)
        return
    same(found, ufunc(*arrays))


def test_gradients_flow_through_functions_of_numpy() -> None:
    t = ag.tensor(A, requires_grad=True)
    np.sum(np.sin(np.concatenate([t, B])) * np.float64(2)).backward()
    np.testing.assert_allclose(t.grad.numpy(), 2 * np.cos(A))


def test_functions_of_numpy_on_symbols() -> None:
    x = symbol(Spec((BATCH, 3), np.dtype("float64")))
    y = np.mean(np.exp(np.stack([x, B[:1] + x], axis=1)), axis=1)
    assert y.spec.shape == (BATCH, 3)
    expected = np.mean(np.exp(np.stack([A, B[:1] + A], axis=1)), axis=1)
    np.testing.assert_allclose(Graph([x], [y]).verify().evaluate(A)[0], expected)


def test_functions_that_leave_the_graph_take_tensors() -> None:
    assert np.allclose(T, A)
    assert np.array_equal(T, A)
    assert np.shape(T) == (2, 3)
    assert np.ndim(T) == 2
    assert np.size(T) == 6
    assert np.size(T, 1) == 3
    assert np.result_type(T, np.float32) == np.float64
    assert np.array_repr(T) == repr(A)
    target = np.zeros_like(A)
    np.copyto(target, T)
    np.testing.assert_array_equal(target, A)
    np.testing.assert_array_equal(np.asarray(T), A)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: np.packbits(T), "np.packbits has no counterpart"),
        (lambda: np.fft.fft(T), "np.fft.fft has no counterpart"),
        (lambda: np.unwrap(T), "np.unwrap has no counterpart"),
        (lambda: np.add(T, A, where=A > 0), "np.add with where="),
        (lambda: np.add(A, T, dtype="float32"), "np.add with dtype="),
        (lambda: np.add(A, B, out=T), "never written in place"),
        (lambda: np.add(T, B, out=np.zeros((2, 3))), "cannot write a Tensor"),
        (lambda: np.add.outer(T, U), "np.add.outer"),
        (lambda: np.subtract.reduce(T), "np.subtract.reduce"),
        (lambda: np.sum(T, dtype="float32"), "dtype='float32'"),
        (lambda: np.sum(T, where=A > 0), "where="),
        (lambda: np.std(T, mean=A), "mean="),
        (lambda: np.linalg.trace(T), r"ops.trace\(t, axis1=-2, axis2=-1\)"),
    ],
)
def test_what_numpy_asks_in_vain_is_answered_with_what_to_do(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(errors.DTypeError, match=words):
        call()


def test_what_has_no_counterpart_is_tested_with_what_truly_has_none() -> None:
    assert not {"packbits", "unwrap"} & set(OPS)
