"""Every op against torch: values, and gradients for random cotangents, in float64."""

from typing import Any

import numpy as np
import pytest
import torch

from autograd_nn.engine.op import OPS
from autograd_nn.engine.tree import flatten
from autograd_nn.testing.suite import Case, subject_of
from tests.oracle.torch_ops import TORCH, WITHOUT

pytestmark = pytest.mark.filterwarnings("ignore:.*degrees of freedom is <= 0")
RTOL = {"float64": 1e-12, "complex128": 1e-12, "float32": 1e-6, "complex64": 1e-6}


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_every_op_is_compared_or_excused() -> None:
    assert set(TORCH) | set(WITHOUT) == set(OPS)
    assert not set(TORCH) & set(WITHOUT)
    assert all(WITHOUT.values())


def theirs(case: Case, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    args, kwargs = case.arguments(inputs)
    return flatten(TORCH[case.subject.name](*args, **kwargs))[0]


def close(case: Case, found: Any, expected: Any, what: str) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    case.expect(found.shape == expected.shape, f"{what}: shape {found.shape}, torch has {expected.shape}")
    case.expect(found.dtype == expected.dtype, f"{what}: dtype {found.dtype}, torch has {expected.dtype}")
    rtol = RTOL.get(str(found.dtype), 0.0)
    atol = rtol * np.abs(expected[np.isfinite(expected)]).max(initial=1.0) if rtol else 0.0
    same = np.allclose(found, expected, rtol, atol, equal_nan=True)
    case.expect(same, f"{what}: {found.ravel()[:5]}, torch {expected.ravel()[:5]}")


def drawn(rng: np.random.Generator, like: torch.Tensor) -> Any:
    real = rng.normal(size=tuple(like.shape))
    return real + 1j * rng.normal(size=tuple(like.shape)) if like.is_complex() else real


@pytest.mark.parametrize("name", sorted(set(TORCH) & set(OPS)))
def test_values_equal_torch(name: str) -> None:
    for case in subject_of(OPS[name]).cases():
        expected = theirs(case, [torch.tensor(a) for a in case.arrays])
        found = case.values(case.arrays)
        case.expect(len(found) == len(expected), f"{len(found)} results, torch has {len(expected)}")
        for a, b in zip(found, expected):
            close(case, a, b.resolve_conj().resolve_neg().numpy(), "value")


@pytest.mark.parametrize("name", sorted(name for name in set(TORCH) & set(OPS) if OPS[name].order != 0))
def test_gradients_equal_torch(name: str) -> None:
    rng = np.random.default_rng(0)
    for case in subject_of(OPS[name]).cases():
        if not case.grad or not any(a.dtype.kind in "fc" for a in case.arrays):
            continue
        inputs = [torch.tensor(a, requires_grad=a.dtype.kind in "fc") for a in case.arrays]
        outputs = [y for y in theirs(case, inputs) if y.requires_grad]
        cotangents = [drawn(rng, y) for y in outputs]
        asked = [t for t in inputs if t.requires_grad]
        seeds = [torch.tensor(np.asarray(u)) for u in cotangents]
        expected = torch.autograd.grad(outputs, asked, seeds, allow_unused=True)
        found = case.gradients(case.arrays, tuple(np.asarray(u) for u in cotangents))
        for x, a, b in zip(asked, found, expected):
            zeros = np.zeros_like(x.detach().numpy())
            torch_has = zeros if b is None else b.resolve_conj().resolve_neg().numpy()
            close(case, zeros if a is None else a, torch_has, "gradient")
