"""Complex numbers: which ops take them, what the others say, gradients, and programs."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.compiler import optimize
from autograd_nn.engine.autodiff import pullback
from autograd_nn.engine.convert import scalar
from autograd_nn.engine.op import OPS
from autograd_nn.engine.tree import flatten
from autograd_nn.errors import DTypeError, GradientError
from autograd_nn.testing.suite import Case, subject_of
from tests.ops.references import REFERENCES

# The closed list: whoever adds an op to it adds samples of complex numbers to its domain, too.
TAKEN = {
    "abs", "add", "broadcast_like", "broadcast_to", "cast", "concatenate", "conj", "copy", "divide", "eig", "equal",
    "exp", "expand_dims", "getitem", "imag_part", "isfinite", "isnan", "matmul", "mean", "multiply", "multiply_no_nan",
    "negative", "not_equal", "ones_like", "phase", "positive", "real_part", "reciprocal", "reshape", "reshape_like",
    "scatter_like", "size_of", "solve_matrices", "split", "split_like", "sqrt", "square", "squeeze", "stop_gradient",
    "subtract", "sum", "transpose", "unbroadcast", "view_as_real", "where", "zeros_like",
}  # fmt: skip
Z = np.array([[1 + 2j, -0.5 + 1j, 3 - 1j], [0.2 - 0.7j, 2j, -1.5 + 0j]])
PAIRS = np.stack([Z.real, Z.imag], -1)


def turned(case: Case) -> tuple[Any, ...] | None:
    """The arrays of a case, the first of floats made complex; None where none is."""
    places = [k for k, a in enumerate(case.arrays) if a.dtype.kind == "f" and a.size]
    if not places:
        return None
    first = case.arrays[places[0]]
    moved = np.asarray(first + 0.5j * np.arange(1, first.size + 1).reshape(first.shape))
    return tuple(moved if k == places[0] else a for k, a in enumerate(case.arrays))


def test_the_list_is_closed() -> None:
    assert {name for name, op in OPS.items() if op.complex} == TAKEN


@pytest.mark.parametrize("name", sorted(OPS))
def test_complex_numbers_are_taken_as_numpy_takes_them_or_refused(name: str) -> None:
    subject = subject_of(OPS[name], None, REFERENCES.get(name))
    case, arrays = next(((case, a) for case in subject.cases() if (a := turned(case)) is not None), (None, None))
    if case is None:
        return
    try:
        found = case.values(arrays)
    except DTypeError as error:
        assert name not in TAKEN - {"cast"}
        assert len(str(error).partition("\n")[0]) <= 300
        assert "complex128" in str(error)
        return
    assert name in TAKEN or subject.op.family == "composite"
    # What is summed down to a real tensor is real, which NumPy's formula does not say.
    if subject.reference is not None and name != "unbroadcast":
        args, kwargs = case.arguments(arrays)
        expected = flatten(subject.reference(*args, **kwargs))[0]
        case.same(found, [np.asarray(y) for y in expected], "complex numbers")


@pytest.mark.parametrize("f", [ops.sin, ops.max, ops.sort, ops.norm, ops.softmax, lambda z: z < 1, lambda z: z**3])
def test_others_say_what_to_do_also_without_a_value(f: Any) -> None:
    with pytest.raises(DTypeError, match=r"ops\.real"):
        f(ag.tensor(Z))
    with pytest.raises(DTypeError, match=r"ops\.real"):
        ag.jit(f)(Z)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda: ops.cast(Z, "float32"), "drop the imaginary part"),
        (lambda: ag.tensor(Z, "float64"), "drop the imaginary part"),
        (lambda: ag.tensor([1.0]).assign([1j]), "it is float32, got complex128"),
        (lambda: float(ag.tensor(1j)), r"use complex\(\)"),
        (lambda: ops.zeros((2,), "complex64"), r"ops\.cast\(x, 'complex64'\)"),
        (lambda: ag.layers.Dense(2, dtype="complex64"), "not taken here"),
        (lambda: ag.Input((2,), dtype="complex64"), "not taken here"),
        (lambda: ag.Variable(1j), "expected real numbers"),
        (lambda: ops.view_as_real([1.0]), "expected complex numbers"),
        (lambda: ag.tensor([1j], "complex65"), "did you mean 'complex64'"),
    ],
)
def test_what_is_refused(f: Any, words: str) -> None:
    with pytest.raises(DTypeError, match=words):
        f()


@pytest.mark.parametrize(
    ("other", "dtype"), [(1j, "complex64"), (2.0, "complex64"), (2, "complex64"), (np.float64(2), "complex128")]
)
def test_python_numbers_do_not_widen(other: Any, dtype: str) -> None:
    assert (ag.tensor(Z, "complex64") * other).dtype == dtype
    assert (ag.tensor([1.0], "float32") * 1j).dtype == "complex64"
    assert (ag.tensor([1.0], "float64") * 1j).dtype == "complex128"
    assert (ag.tensor([1], "int8") * 1j).dtype == "complex64"


def test_signed_zeros_of_constants_are_told_apart() -> None:
    signs = [np.signbit(scalar(number, None).value.imag) for number in (complex(2, 0.0), complex(2, -0.0))]
    assert signs == [False, True]


def test_a_complex_tensor_is_a_tensor() -> None:
    z = ag.tensor(Z, requires_grad=True)
    assert repr(ag.tensor(1j)) == "Tensor(0.+1.j, dtype=complex64)"
    assert complex(z[0, 0]) == Z[0, 0]
    assert ops.dtype(z) == "complex128"
    for twin in (copy.deepcopy(z), pickle.loads(pickle.dumps(z))):
        np.testing.assert_array_equal(twin.numpy(), Z)
        assert twin.requires_grad
    for found, expected in ((z.real, Z.real), (z.imag, Z.imag), (z.conj(), Z.conj()), (np.angle(z), np.angle(Z))):
        np.testing.assert_array_equal(found.numpy(), expected)
    np.testing.assert_array_equal(ops.convert_to_numpy([1j]), [1j])


# --- gradients


def loss(z: Any) -> Any:
    w = ops.exp(z * 0.3j) / (z + 5) + ops.conj(z) * ops.abs(z)
    return ops.sum(ops.real(ops.matmul(w, ops.transpose(z))) ** 2) + ops.sum(ops.angle(w))


def test_the_gradient_is_that_of_the_parts() -> None:
    found = ag.grad(loss)(Z).numpy()
    parts = ag.grad(lambda pairs: loss(ops.view_as_complex(pairs)))(PAIRS).numpy()
    np.testing.assert_allclose(found, parts[..., 0] + 1j * parts[..., 1], rtol=1e-13)


@pytest.mark.parametrize("f", [ops.abs, ops.angle, lambda z: ops.sqrt(ops.real(z * ops.conj(z)))])
def test_at_zero_nothing_is_spoiled(f: Any) -> None:
    found = ag.grad(lambda z: ops.sum(ops.where(z == 0, 0, f(z))))(np.array([0j, 1 + 1j])).numpy()
    assert found[0] == 0
    assert np.isfinite(found[1])


@pytest.mark.parametrize("f", [ops.abs, ops.angle])
def test_the_gradient_at_zero_is_zero(f: Any) -> None:
    assert ag.grad(f)(np.array(0j)).item() == 0


def test_every_way_to_a_gradient_gives_the_same() -> None:
    expected = ag.grad(loss)(Z).numpy()
    z = ag.tensor(Z, requires_grad=True)
    value = loss(z)
    (by_gradients,) = ag.gradients(value, [z])
    value.backward()
    ways = {
        "gradients": by_gradients, "backward": z.grad, "jit of grad": ag.jit(ag.grad(loss))(Z),
        "grad of jit": ag.grad(ag.jit(loss))(Z), "checkpoint": ag.grad(ag.checkpoint(loss))(Z),
        "vjp": ag.vjp(loss, Z)[1](1.0)[0],
    }  # fmt: skip
    for way, found in ways.items():
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, err_msg=way)


def test_jvp_and_vjp_are_transposes() -> None:
    rng = np.random.default_rng(0)
    f = lambda z: z * z * ops.conj(z) + ops.abs(z)  # noqa: E731
    v, u = (rng.normal(size=Z.shape) + 1j * rng.normal(size=Z.shape) for _ in range(2))
    _, moved = ag.jvp(f, (Z,), (v,))
    (pulled,) = ag.vjp(f, Z)[1](u)
    np.testing.assert_allclose(np.vdot(u, moved.numpy()).real, np.vdot(pulled.numpy(), v).real, rtol=1e-12)
    eps = 1e-6
    difference = (f(ag.tensor(Z + eps * v)).numpy() - f(ag.tensor(Z - eps * v)).numpy()) / (2 * eps)
    np.testing.assert_allclose(moved.numpy(), difference, rtol=1e-7)


def test_a_complex_result_has_no_gradient() -> None:
    for ask in (lambda: ag.grad(ops.sum)(Z), lambda: ops.sum(ag.tensor(Z, requires_grad=True)).backward()):
        with pytest.raises(GradientError, match=r"real number, got .*complex128; take ops\.abs"):
            ask()
    for function in (ag.jacobian(ops.abs), ag.hessian(lambda z: ops.sum(ops.abs(z)))):
        with pytest.raises(GradientError, match="jacobian: complex numbers"):
            function(Z)


def test_a_real_operand_gets_a_real_gradient() -> None:
    x, z = ag.tensor(Z.real, requires_grad=True), ag.tensor(Z)
    (slope,) = pullback([ops.real(x * z)], [ops.ones_like(x)], [x])
    np.testing.assert_array_equal(slope.numpy(), Z.real)
    assert slope.dtype == "float64"


def test_products_of_vectors_conjugate_as_numpy_does() -> None:
    a, b = Z[0], Z[1]
    for name in ("vdot", "dot", "outer", "correlate", "kron", "cross"):
        np.testing.assert_allclose(getattr(ops, name)(a, b).numpy(), getattr(np, name)(a, b), rtol=1e-13, err_msg=name)


# --- programs


def test_a_program_leaves_complex_numbers_to_numpy_and_says_so() -> None:
    f = ag.jit(lambda x: ops.sum(ops.abs(ops.exp(ops.view_as_complex(x) * 2j) + 1)) + ops.sum(ops.sin(x) * 2))
    np.testing.assert_allclose(f(PAIRS).numpy(), f.function(ag.tensor(PAIRS)).numpy(), rtol=1e-12)
    told = f.explain()
    for name in ("multiply", "exp", "add", "abs"):
        assert f"python  {name}: no kernel for complex numbers in {name}" in told
    assert "kernel  sin" in told


def test_fusion_never_takes_a_complex_tensor() -> None:
    def f(x: Any) -> Any:
        z = ops.view_as_complex(x) * (2 + 1j) + 1
        real = ops.exp(ops.real(z) * 2) + 1
        return ops.sum(ops.abs(ops.exp(z - 1) * real) * 3 + real, -1), ops.sum(z * z, -1), ops.mean(z, 0)

    jitted = ag.jit(lambda x: (f(x), ag.grad(lambda x: ops.sum(f(x)[0]))(x)))
    jitted(PAIRS)
    graph = optimize(jitted.graph)
    inside = [u for t in graph.operations if t.op.name in ("fused", "rows") for u in t.params["graph"].nodes]
    assert inside
    assert all(u.dtype.kind != "c" for u in inside)


def test_a_program_serves_other_sizes_and_complex_constants() -> None:
    f = ag.jit(lambda z, c: ops.mean(ops.reshape(z * c + 1j, (-1,)), 0))
    for count in (2, 3, 5):
        z = np.arange(count) * (1 + 1j)
        np.testing.assert_allclose(f(z, 2j).numpy(), (z * 2j + 1j).mean(), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("turn", [lambda z: z, lambda z: z[::-1, ::2], np.asfortranarray, lambda z: z.T])
def test_a_program_moves_complex_numbers_of_any_layout(turn: Any, dtype: str) -> None:
    z = turn(np.arange(24).reshape(4, 6).astype(dtype) * (1 + 2j)).astype(dtype, copy=False)
    f = ag.jit(lambda z: (z, ops.transpose(z), z[::2], ops.concatenate([z, z]), ops.positive(z)))
    for found, expected in zip(f(z), (z, z.T, z[::2], np.concatenate([z, z]), z)):
        np.testing.assert_array_equal(found.numpy(), expected)
