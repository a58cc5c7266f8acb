"""torch's names of what takes complex numbers, and of Bessel functions."""

from collections.abc import Callable
from typing import Any

import torch

T = torch.Tensor


def bessel_i(x: T, order: int) -> T:
    found = [torch.special.i0(x), torch.special.i1(x)]
    for k in range(1, order):
        found.append(found[-2] - 2 * k / x * found[-1])
    return found[order]


def cofactors(x: T) -> T:
    """Determinants of what is left without a row and a column."""
    size = x.shape[-1]
    rest = [[k for k in range(size) if k != i] for i in range(size)]

    def minor(i: int, j: int) -> T:
        return (-1) ** (i + j) * torch.linalg.det(x[..., rest[i], :][..., rest[j]])

    return torch.stack([torch.stack([minor(i, j) for j in range(size)], -1) for i in range(size)], -2)


def where(condition: T, a: Any, b: Any) -> T:
    if any(isinstance(x, T) and x.is_complex() for x in (a, b)):
        a, b = (x.to(torch.complex128) for x in (a, b))
    return torch.where(condition, a, b)


def imag(x: T) -> T:
    return x.imag.clone() if x.is_complex() else torch.zeros_like(x)


def matmul(a: T, b: T) -> T:
    kind = torch.promote_types(a.dtype, b.dtype)
    return torch.matmul(a.to(kind), b.to(kind))


def polar(size: T, angle: T) -> T:
    return torch.polar(*torch.broadcast_tensors(size, angle))


TORCH_COMPLEX: dict[str, Callable[..., Any]] = {
    "bessel_i": bessel_i,
    "cofactors_slope": lambda g, x: (cofactors(x + g) - cofactors(x - g)) / 2,
    "conj": torch.conj_physical,
    "i0": torch.special.i0,
    "imag": imag,
    "imag_part": lambda x: x.imag.clone(),
    "matmul": matmul,
    "phase": torch.angle,
    "polar": polar,
    "real": lambda x: x.real.clone() if x.is_complex() else x.clone(),
    "real_part": lambda x: x.real.clone(),
    "view_as_complex": lambda x: torch.complex(x[..., 0], x[..., 1]),
    "view_as_real": lambda x: torch.stack([x.real, x.imag], -1),
    "where": where,
}
WITHOUT_COMPLEX = {
    "eig": "torch has no gradient of what depends on the angle of a vector: see test_complexes.py",
}
