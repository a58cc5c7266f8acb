"""torch's names of linear systems and decompositions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

T = torch.Tensor


def even(x: T) -> T:
    return (x + x.mT) / 2


def solve(a: T, b: T) -> T:
    return torch.linalg.solve(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else torch.linalg.solve(a, b)


def cholesky_inverse(x: T, upper: bool = False) -> T:
    lower = torch.triu(x).mT if upper else torch.tril(x)
    return torch.linalg.inv(lower @ lower.mT)


def lstsq(a: T, b: T, rcond: Any = None) -> T:
    return torch.linalg.pinv(a) @ b


def matrix_rank(x: T, tol: float | None = None) -> T:
    return torch.linalg.matrix_rank(x) if tol is None else torch.linalg.matrix_rank(x, atol=tol, rtol=0)


def svd(x: T, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular vectors are known up to a sign: that of NumPy."""
    if not compute_uv:
        return torch.linalg.svdvals(x)
    u, s, vt = torch.linalg.svd(x, full_matrices)
    if full_matrices:
        return u, s, vt
    ours = torch.tensor(np.linalg.svd(x.detach().numpy(), full_matrices=False)[0])
    sign = torch.sign((u.detach() * ours).sum(-2))
    return u * sign[..., None, :], s, vt * sign[..., :, None]


TORCH_LINALG: dict[str, Callable[..., Any]] = {
    "cholesky": lambda x, upper=False: torch.linalg.cholesky(even(x), upper=upper),
    "cholesky_inverse": cholesky_inverse,
    "cofactors": lambda x: torch.linalg.det(x)[..., None, None] * torch.linalg.inv(x).mT,
    "det": torch.linalg.det,
    "eigh": lambda x: torch.linalg.eigh(even(x)),
    "inv": torch.linalg.inv,
    "logdet": torch.logdet,
    "lstsq": lstsq,
    "matrix_rank": matrix_rank,
    "pinv": torch.linalg.pinv,
    "qr": lambda x, mode="reduced": torch.linalg.qr(x, mode),
    "qr_complete": lambda x: torch.linalg.qr(x, "complete"),
    "qr_tall": torch.linalg.qr,
    "slogdet": torch.linalg.slogdet,
    "solve": solve,
    "solve_matrices": torch.linalg.solve,
    "solve_triangular": lambda a, b, lower=False: solve(torch.tril(a) if lower else torch.triu(a), b),
    "svd": svd,
}
