"""Complex numbers, eigenvalues and the last names of Keras' ops, against torch and Keras."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch

import autograd_nn as ag
from autograd_nn import ops

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3)) + np.diag([0.0, 3.0, 6.0])
W = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))
X = RNG.normal(size=(3, 3)) + np.diag([0.0, 3.0, 6.0])
TURNING = np.array([[1.0, -2.0, 0.3], [0.7, 1.4, 0.2], [0.1, 0.4, 3.0]])


class Ours:
    """The words of a loss in this library."""

    abs, exp, sqrt, conj, real, imag, angle, eig = (
        ops.abs, ops.exp, ops.sqrt, ops.conj, ops.real, ops.imag, ops.angle, ops.eig,
    )  # fmt: skip
    sum, mean, matmul, where, pairs, joined = (
        ops.sum, ops.mean, ops.matmul, ops.where, ops.view_as_real, ops.view_as_complex,
    )  # fmt: skip
    constant, polar = ops.array, ops.polar

    @staticmethod
    def turned(x: Any) -> Any:
        return ops.transpose(x)

    @staticmethod
    def cat(xs: Any) -> Any:
        return ops.concatenate(xs)


class Theirs:
    """The same words in torch."""

    abs, exp, sqrt, conj, real, imag, angle, eig = (
        torch.abs, torch.exp, torch.sqrt, torch.conj, torch.real, torch.imag, torch.angle, torch.linalg.eig,
    )  # fmt: skip
    sum, mean, matmul, where, pairs, joined = (
        torch.sum, torch.mean, torch.matmul, torch.where, torch.view_as_real, torch.view_as_complex,
    )  # fmt: skip
    constant, polar = torch.tensor, torch.polar

    @staticmethod
    def turned(x: Any) -> Any:
        return x.T

    @staticmethod
    def cat(xs: Any) -> Any:
        return torch.cat(xs)


LOSSES: dict[str, tuple[Callable[..., Any], Any]] = {
    "products": (lambda n, z: n.sum(n.abs(n.matmul(z, n.conj(n.turned(z))) * n.constant(W)) ** 2), Z),
    "quotients": (lambda n, z: n.sum(n.real(n.constant(W) / (z * z + 9) - z / n.constant(W))), Z),
    "exp": (lambda n, z: n.sum(n.imag(n.exp(z * (0.3 + 0.5j)))), Z),
    "sqrt": (lambda n, z: n.sum(n.abs(n.sqrt(z) * z + n.constant(W))), Z),
    "angle": (lambda n, z: n.sum(n.angle(z * z) ** 2 * n.abs(z)), Z),
    "pairs": (lambda n, z: n.sum(n.pairs(z * z) ** 3), Z),
    "joined": (lambda n, x: n.sum(n.abs(n.joined(x) ** 2 + n.constant(W)[:, 0])), RNG.normal(size=(3, 2))),
    "where": (lambda n, z: n.sum(n.abs(n.where(n.real(z) > 0, z * z, n.constant(W)) + z) ** 3), Z),
    "parts": (lambda n, z: n.sum(n.abs(n.cat([z[0], z[1:, 1] * z[:2, 0], z[-1]]) * n.mean(z)) ** 2), Z),
    "real operand": (lambda n, x: n.sum(n.abs(n.exp(x * n.constant(W)) + x)), X),
    "polar": (lambda n, x: n.sum(n.abs(n.polar(x * x, x) + n.constant(W)) ** 3), X),
    "eigenvalues": (lambda n, x: n.sum(n.abs(n.eig(x)[0]) ** 3), X),
    "complex eigenvalues": (lambda n, x: n.sum(n.abs(n.eig(x)[0] + 1j) ** 3), TURNING),
    "eigenvectors": (lambda n, x: n.sum(n.abs(n.eig(x)[1]) ** 3), TURNING),
    "of a complex matrix": (lambda n, z: n.sum(n.abs(n.eig(z)[1]) ** 3 * n.real(n.eig(z)[0])), Z),
}


@pytest.mark.parametrize("name", LOSSES)
def test_two_gradients_equal_torch(name: str) -> None:
    loss, place = LOSSES[name]
    along = RNG.normal(size=place.shape) + (1j * RNG.normal(size=place.shape) if np.iscomplexobj(place) else 0)

    def moved(z: Any) -> Any:
        return ops.sum(ops.real(ag.grad(lambda z: loss(Ours, z))(z) * along))

    z = torch.tensor(place, requires_grad=True)
    value = loss(Theirs, z)
    (first,) = torch.autograd.grad(value, z, create_graph=True)
    (second,) = torch.autograd.grad((first * torch.tensor(along)).real.sum(), z)
    np.testing.assert_allclose(loss(Ours, ag.tensor(place)).item(), value.item(), rtol=1e-12)
    np.testing.assert_allclose(ag.grad(lambda z: loss(Ours, z))(place).numpy(), first.detach().numpy(), rtol=1e-9)
    for ask in (ag.grad(moved), ag.jit(ag.grad(moved))):
        np.testing.assert_allclose(ask(place).numpy(), second.resolve_conj().numpy(), rtol=1e-8, atol=1e-10)


def ours(x: Any) -> Any:
    return tuple(map(ours, x)) if isinstance(x, (tuple, list)) else ops.convert_to_numpy(x)


def theirs(x: Any) -> Any:
    return tuple(map(theirs, x)) if isinstance(x, (tuple, list)) else np.asarray(x.detach().resolve_conj().numpy())


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("view_as_complex", (np.stack([X, X.T], -1).astype("float32"),)), ("view_as_real", (Z,)),
        ("polar", (np.abs(X), X.T.copy())),
        ("eig", (X,)), ("i0", (X,)), ("real", (Z,)), ("imag", (Z,)), ("conj", (Z,)), ("angle", (Z,)), ("angle", (X,)),
        ("isreal", (Z * np.eye(3),)), ("abs", (Z,)),
    ],
)  # fmt: skip
def test_names_give_what_they_give_in_keras(name: str, arguments: Any) -> None:
    found = ours(getattr(ops, name)(*arguments))
    expected = theirs(getattr(keras.ops, name)(*map(torch.tensor, arguments)))
    for a, b in zip(found, expected) if isinstance(found, tuple) else [(found, expected)]:
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_jvp_as_in_keras() -> None:
    def f(library: Any) -> Any:
        return lambda x, y: (library.sin(x) * y, {"aux": y})

    found = ops.jvp(f(ops), (X, X + 1), (X.T.copy(), X), has_aux=True)
    primals, tangents = ((torch.tensor(a), torch.tensor(b)) for a, b in ((X, X + 1), (X.T.copy(), X)))
    expected = keras.ops.jvp(f(keras.ops), primals, tangents, has_aux=True)
    for a, b in zip(found[:2], expected[:2]):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)
    np.testing.assert_array_equal(found[2]["aux"].numpy(), expected[2]["aux"].numpy())


def test_vectorize_as_in_keras() -> None:
    a, b = RNG.normal(size=(4, 1, 2, 3)), RNG.normal(size=(5, 3))
    found = ops.vectorize(ops.matmul, signature="(m,n),(n)->(m)")(a, b)
    expected = keras.ops.vectorize(keras.ops.matmul, signature="(m,n),(n)->(m)")(torch.tensor(a), torch.tensor(b))
    # Keras computes in float32 whatever it is given.
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("room", ["", "image", "linalg", "nn", "numpy"])
def test_no_name_of_ops_is_missing(room: str) -> None:
    theirs_, ours_ = (getattr(library.ops, room) if room else library.ops for library in (keras, ag))
    assert [name for name in dir(theirs_) if not name.startswith("_") and not hasattr(ours_, name)] == []
