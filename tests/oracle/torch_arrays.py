"""torch's names of NumPy's functions that put arrays together, and of what is made of them."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

T = torch.Tensor


def append(a: T, b: T, axis: int | None = None) -> T:
    return torch.cat([a.flatten(), b.flatten()]) if axis is None else torch.cat([a, b], axis)


def select(conditions: list[T], choices: list[T], default: Any = 0) -> T:
    found = torch.as_tensor(default, dtype=choices[0].dtype)
    for condition, choice in reversed(list(zip(conditions, choices))):
        found = torch.where(condition, choice, found)
    return found


def diff(a: T, n: int = 1, axis: int = -1) -> T:
    return torch.diff(a, n, axis) if n else a.clone()


def ptp(x: T, axis: Any = None, keepdims: bool = False) -> T:
    dims = tuple(range(x.ndim)) if axis is None else axis
    return x * 0 if dims == () else torch.amax(x, dims, keepdims) - torch.amin(x, dims, keepdims)


def average(x: T, axis: Any = None, weights: T | None = None) -> T:
    dims = tuple(range(x.ndim)) if axis is None else axis
    if weights is None:
        return x.mean(dims) if dims != () else x.clone()
    return (x * weights).sum(dims) / weights.broadcast_to(x.shape).sum(dims)


def trapezoid(y: T, x: T | None = None, dx: float = 1.0, axis: int = -1) -> T:
    return torch.trapezoid(y, dx=dx, dim=axis) if x is None else torch.trapezoid(y, x, dim=axis)


def kron(a: T, b: T) -> T:
    ndim = max(a.ndim, b.ndim)
    outer, fine = ((1,) * (ndim - t.ndim) + tuple(t.shape) for t in (a, b))
    letters = "abcdefgh"
    left, right = letters[:ndim], letters[:ndim].upper()
    both = "".join(p + q for p, q in zip(left, right))
    found = torch.einsum(f"{left},{right}->{both}", a.reshape(outer), b.reshape(fine))
    return found.reshape([n * m for n, m in zip(outer, fine)])


def cross(a: T, b: T, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> T:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = (F.pad(t.movedim(k, -1), (0, 3 - t.shape[k])) for t, k in ((a, axisa), (b, axisb)))
    return torch.cross(*torch.broadcast_tensors(a, b), dim=-1).movedim(-1, axisc)


def correlate(a: T, b: T, mode: str = "valid") -> T:
    if len(a) < len(b):
        return correlate(b, a, mode).flip(0)
    m = len(b)
    pads = {"valid": (0, 0), "same": (m // 2, m - 1 - m // 2), "full": (m - 1, m - 1)}[mode]
    return F.conv1d(F.pad(a, pads)[None, None], b[None, None])[0, 0]


def vander(x: T, n: int | None = None, increasing: bool = False) -> T:
    powers = torch.arange(len(x) if n is None else n)
    return x[:, None] ** (powers if increasing else powers.flip(0))


def linspace(start: T, stop: T, num: int, endpoint: bool, axis: int) -> T:
    parts = max(num - 1 if endpoint else num, 1)
    steps = [start + (stop - start) * (k / parts) for k in range(num)]
    return torch.stack(steps, axis) if steps else torch.stack([start + stop], axis).narrow(axis, 0, 0)


def logspace(a: T, b: T, num: int, endpoint: bool = True, base: float = 10, axis: int = 0) -> T:
    return float(base) ** linspace(a, b, num, endpoint, axis)


def geomspace(a: T, b: T, num: int, endpoint: bool = True, axis: int = 0) -> T:
    sign = -1 if a.numel() and (a < 0).all() else 1
    return sign * torch.exp(linspace(torch.log(a * sign), torch.log(b * sign), num, endpoint, axis))


def depth_to_space(x: T, block: int, data_format: str = "channels_last") -> T:
    if data_format == "channels_first":
        return depth_to_space(x.movedim(1, -1), block).movedim(-1, 1)
    found = x.unflatten(-1, (block, block, x.shape[-1] // block**2)).permute(0, 1, 3, 2, 4, 5)
    return found.flatten(3, 4).flatten(1, 2)


def space_to_depth(x: T, block: int, data_format: str = "channels_last") -> T:
    if data_format == "channels_first":
        return space_to_depth(x.movedim(1, -1), block).movedim(-1, 1)
    return torch.cat([x[:, k // block :: block, k % block :: block] for k in range(block**2)], -1)


def histogram(x: T, bins: Any = 10, range: Any = None) -> tuple[T, T]:
    given = torch.tensor(bins, dtype=x.dtype) if isinstance(bins, list) else bins
    counts, limits = torch.histogram(x, given) if range is None else torch.histogram(x, given, range=range)
    return counts.long(), limits


def window(function: Callable[..., T]) -> Callable[..., T]:
    return lambda n: function(n, periodic=False)


TORCH_ARRAYS: dict[str, Callable[..., Any]] = {
    "append": append,
    "array_split": lambda x, parts, axis=0: torch.tensor_split(x, parts, axis),
    "average": average,
    "bartlett": window(torch.bartlett_window),
    "blackman": window(torch.blackman_window),
    "corrcoef": torch.corrcoef,
    "correlate": correlate,
    "cross": cross,
    "depth_to_space": depth_to_space,
    "diag": torch.diag,
    "diagflat": torch.diagflat,
    "diff": diff,
    "dsplit": torch.dsplit,
    "dstack": torch.dstack,
    "fliplr": torch.fliplr,
    "flipud": torch.flipud,
    "geomspace": geomspace,
    "hamming": window(torch.hamming_window),
    "hanning": window(torch.hann_window),
    "histogram": histogram,
    "hsplit": torch.hsplit,
    "inner": torch.inner,
    "kron": kron,
    "logspace": logspace,
    "ptp": ptp,
    "rot90": lambda x, k=1, axes=(0, 1): torch.rot90(x, k, axes),
    "select": select,
    "space_to_depth": space_to_depth,
    "trapezoid": trapezoid,
    "vander": vander,
    "vsplit": torch.vsplit,
}
