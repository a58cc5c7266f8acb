"""The order of elements along an axis: where the extremes are, and the stable sort.

NaN counts as larger than all numbers in a sort and as the extreme in argmax and argmin, as in NumPy.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ..machine.kernel import Kernel, build
from ..machine.memory import View, whole
from .bind import Binding
from .loops import Loop, collapse, offsets

TILE, _COLUMNS = 4096, 512
_HEAD = 6


class _Rows:
    """Axes beside one of views of equal shape, joined: the geometry of a loop over rows along that axis.

    wide: whether the last of the other axes lies closer than the one in question, and becomes an inner loop
    """

    def __init__(self, views: Sequence[View], axis: int, wide: bool = False) -> None:
        shape = views[0].shape
        self.length = shape[axis]
        self.along = [v.steps()[axis] for v in views]
        kept = [k for k in range(len(shape)) if k != axis]
        self.sizes, self.steps = collapse([shape[k] for k in kept], [[v.steps()[k] for k in kept] for v in views])
        near = self.steps[0][-1] if self.sizes else 0
        self.wide = wide and bool(near) and near < self.along[0]
        self.n = self.sizes.pop() if self.wide else 1
        self.inner = [s.pop() if self.wide else 0 for s in self.steps]

    def geometry(self, work: int) -> tuple[list[int], int]:
        """The words of a kernel, and its tiles, for so much work per element."""
        rows, chunk = math.prod(self.sizes), max(1, min(self.n, _COLUMNS))
        chunks = -(-self.n // chunk)
        group = max(1, TILE // max(1, self.length * chunk * work))
        words = [self.length, self.n, rows, chunk, chunks, group, *self.sizes]
        for step, along, near in zip(self.steps, self.along, self.inner):
            words += [*step, along, near]
        return words, -(-rows * chunks // group)


def _head(names: Sequence[str], outer: int) -> list[str]:
    """Lines up to the row: `p_x` where it begins, `s_x` its step, `n_x` the step of the inner loop from k0 to k1."""
    at = {x: _HEAD + outer + k * (outer + 2) for k, x in enumerate(names)}
    lines = [
        "length, n, rows, chunk, chunks, group = g[0], g[1], g[2], g[3], g[4], g[5]",
        *(f"s_{x}, n_{x} = g[{at[x] + outer}], g[{at[x] + outer + 1}]" for x in names),
        "for item in range(start * group, min(end * group, rows * chunks)):",
        "    row, k0 = item // chunks, item % chunks * chunk",
        "    k1 = min(k0 + chunk, n)",
    ]
    return lines + ["    " + line for x in names for line in offsets(f"p_{x}", "row", outer, _HEAD, at[x])]


def _words(names: Sequence[str], outer: int) -> int:
    return _HEAD + outer + len(names) * (outer + 2)


# --- extremes


def lower_place(b: Binding, t: Tensor) -> bool:
    """argmax and argmin."""
    op: Any = t.op
    x, axis = b.view(t.inputs[0]), t.params["axis"]
    if axis is None:
        flat = x.reshaped((x.size,)) or b.copied(x).reshaped((x.size,))
        assert flat is not None
        x, axis = flat, 0
    target = b.result(t)
    if not target.size:
        return True
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    place = whole(target.buffer, shape, target.dtype).broadcast(x.shape)
    rows = _Rows([x, place], axis, wide=True)
    dtype = np.dtype(np.uint8) if x.dtype.kind == "b" else x.dtype
    geometry, tiles = rows.geometry(1)
    kernel = _place_kernel(op.name, dtype, len(rows.sizes), rows.wide, rows.along[0] == 1)
    best = [b.fresh((target.size,), _key_dtype(dtype))] if rows.wide else []
    b.run(Loop(kernel, geometry, tiles), [x, target, *best])
    return True


def _key_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"int{8 * dtype.itemsize}") if dtype.kind == "f" else dtype


def _key(name: str, dtype: np.dtype[Any]) -> list[str]:
    """From `v` to `e`, a whole number that is the larger the sooner v is chosen: its maximum is a vector instruction.

    The bits of floats are in order but for negative ones, whose bits are turned over; -0 becomes 0 first.
    """
    turn = ["e = ~e"] if name == "argmin" else []
    if dtype.kind != "f":
        return ["e = v", *turn]
    kind, bits = _key_dtype(dtype).name, 8 * dtype.itemsize - 1
    return [
        f"z = v + np.{dtype.name}(0)",
        f"i = np.{dtype.name}(z).view(np.{kind})",
        f"e = i ^ ((i >> np.{kind}({bits})) & np.{kind}({2**bits - 1}))",
        *turn,
        f"e = np.{kind}({2**bits - 1}) if v != v else e",
    ]


@cache
def _place_kernel(name: str, dtype: np.dtype[Any], outer: int, wide: bool, contiguous: bool) -> Kernel:
    key, kind = _key(name, dtype), _key_dtype(dtype)
    lines = _head(["x0", "y0"], outer)
    if wide:
        lines += [
            "    for k in range(k0, k1):",
            "        v = x0[p_x0 + k * n_x0]",
            *("        " + line for line in key),
            "        y0[p_y0 + k * n_y0] = np.int64(0)",
            "        y1[p_y0 + k * n_y0] = e",
            "    for j in range(np.uint64(1), length):",
            "        for k in range(k0, k1):",
            "            v, b, a = x0[p_x0 + j * s_x0 + k * n_x0], y1[p_y0 + k * n_y0], y0[p_y0 + k * n_y0]",
            *("            " + line for line in key),
            "            y0[p_y0 + k * n_y0] = np.int64(j) if e > b else a",
            "            y1[p_y0 + k * n_y0] = max(e, b)",
        ]
    else:
        place = "x0[p_x0 + j]" if contiguous else "x0[p_x0 + j * s_x0]"
        lines += [
            f"    b, a = np.{kind.name}({np.iinfo(kind).min}), length",
            "    for j in range(length):",
            f"        v = {place}",
            *("        " + line for line in key),
            "        b = max(e, b)",
            "    for j in range(length):",
            f"        v = {place}",
            *("        " + line for line in key),
            "        a = min(a, j if e == b else length)",
            "    y0[p_y0] = np.int64(a)",
        ]
    more, kinds = (["y1"], [kind]) if wide else ([], [])
    return build(lines, ["x0", "y0", *more], [dtype, np.int64, *kinds], _words("xy", outer), {}, name)


# --- sorting


def lower_sort(b: Binding, t: Tensor) -> bool:
    """argsort, by merging runs of doubling length."""
    x, target = b.view(t.inputs[0]), b.result(t)
    if not target.size:
        return True
    scratch = b.fresh(target.shape, target.dtype)
    rows = _Rows([x, target], t.params["axis"])
    dtype = np.dtype(np.uint8) if x.dtype.kind == "b" else x.dtype
    geometry, tiles = rows.geometry(8)
    b.run(Loop(_sort_kernel(dtype, len(rows.sizes)), geometry, tiles), [x, target, scratch])
    return True


@cache
def _sort_kernel(dtype: np.dtype[Any], outer: int) -> Kernel:
    less = "(v < u) | ((u != u) & (v == v))" if dtype.kind == "f" else "v < u"
    lines = [
        *_head(["x0", "y0"], outer),
        "    for j in range(length):",
        "        y0[p_y0 + j * s_y0] = np.int64(j)",
        "    width = np.uint64(1)",
        "    while width < length:",
        "        for low in range(np.uint64(0), length, np.uint64(2) * width):",
        "            middle, high = min(low + width, length), min(low + np.uint64(2) * width, length)",
        "            a, b = low, middle",
        "            for j in range(low, high):",
        "                right = a >= middle",
        "                if a < middle and b < high:",
        "                    u = x0[p_x0 + np.uint64(y0[p_y0 + a * s_y0]) * s_x0]",
        "                    v = x0[p_x0 + np.uint64(y0[p_y0 + b * s_y0]) * s_x0]",
        f"                    right = {less}",
        "                if right:",
        "                    y1[p_y0 + j * s_y0] = y0[p_y0 + b * s_y0]",
        "                    b += np.uint64(1)",
        "                else:",
        "                    y1[p_y0 + j * s_y0] = y0[p_y0 + a * s_y0]",
        "                    a += np.uint64(1)",
        "        for j in range(length):",
        "            y0[p_y0 + j * s_y0] = y1[p_y0 + j * s_y0]",
        "        width = np.uint64(2) * width",
    ]
    return build(lines, ["x0", "y0", "y1"], [dtype, np.int64, np.int64], _words("xy", outer), {}, "argsort")
