"""torch's names of NumPy's elementwise functions and of activations."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

T = torch.Tensor


def isclose(a: T, b: T, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> T:
    a, b = torch.broadcast_tensors(a.double(), b.double())
    return torch.isclose(a, b, rtol, atol, equal_nan)


def divide_no_nan(a: T, b: T) -> T:
    zero = b == 0
    return torch.where(zero, 0.0, a / torch.where(zero, 1.0, b))


def sparsemax(x: T, axis: int = -1) -> T:
    """The support found without gradients, then the level as the mean of what takes part."""
    falling = torch.sort(x, axis, descending=True).values
    ranks = torch.arange(1, x.shape[axis] + 1).reshape([-1 if k == axis % x.ndim else 1 for k in range(x.ndim)])
    taking = falling * ranks + 1 > falling.cumsum(axis)
    level = ((falling * taking).sum(axis, keepdim=True) - 1) / taking.sum(axis, keepdim=True)
    return torch.relu(x - level)


TORCH_NUMPY: dict[str, Callable[..., Any]] = {
    "allclose": lambda *args, **kwargs: isclose(*args, **kwargs).all(),
    "angle": torch.angle,
    "arccos": torch.arccos,
    "arccosh": torch.arccosh,
    "arcsin": torch.arcsin,
    "arcsinh": torch.arcsinh,
    "arctan2": torch.arctan2,
    "arctanh": torch.arctanh,
    "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
    "celu": F.celu,
    "deg2rad": torch.deg2rad,
    "divide_no_nan": divide_no_nan,
    "erfc": torch.erfc,
    "exp2": torch.exp2,
    "fmax": torch.fmax,
    "fmin": torch.fmin,
    "fmod": torch.fmod,
    "gcd": torch.gcd,
    "glu": F.glu,
    "hard_shrink": F.hardshrink,
    "hard_silu": lambda x: x * F.relu6(x + 3) / 6,
    "hard_tanh": F.hardtanh,
    # torch has no gradient of heaviside, and ours to its second argument is 0 but at 0.
    "heaviside": lambda a, b: torch.where(a == 0, b, (a > 0).to(b.dtype)),
    "hypot": torch.hypot,
    "isclose": isclose,
    "isinf": torch.isinf,
    "isneginf": torch.isneginf,
    "isposinf": torch.isposinf,
    "isreal": torch.isreal,
    "lcm": torch.lcm,
    "ldexp": lambda a, b: a * 2.0 ** b.double(),
    "log10": torch.log10,
    "log2": torch.log2,
    "logaddexp": torch.logaddexp,
    "logaddexp2": torch.logaddexp2,
    "nan_to_num": torch.nan_to_num,
    "nextafter": torch.nextafter,
    "rad2deg": torch.rad2deg,
    "rsqrt": torch.rsqrt,
    "signbit": torch.signbit,
    "sinc": torch.sinc,
    "soft_shrink": F.softshrink,
    "sparse_plus": lambda x: torch.where(x <= -1, 0.0, torch.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: torch.clip((x + 1) / 2, 0, 1),
    "sparsemax": sparsemax,
    "squareplus": lambda x: (x + torch.sqrt(x * x + 4)) / 2,
    "tan": torch.tan,
    "tanh_shrink": F.tanhshrink,
    "threshold": F.threshold,
}

WITHOUT_NUMPY: dict[str, str] = {
    "saturate_cast": "torch wraps around beyond the range of a dtype",
}
