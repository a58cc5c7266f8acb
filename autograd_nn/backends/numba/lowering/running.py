"""Running totals along an axis: sums, products, and linear recurrences.

Where another axis lies closest in memory, one step along the running axis is a loop over that axis, which is
vectorised; else each row is a chain of its own.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ..machine.kernel import Kernel, build
from ..machine.memory import View
from .arrange import converted, shifted
from .bind import Binding
from .loops import Loop, collapse, offsets
from .moves import grounded, part, words

TILE, _COLUMNS = 4096, 512
_HEAD = 7
_JOINS = {"scan:add": "{y} + {x}", "scan:multiply": "{y} * {x}", "scan:fma": "{x} + {a} * {y}"}


def lower_running(b: Binding, t: Tensor) -> bool:
    """cumsum, cumprod, linear_recurrence and shift."""
    op: Any = t.op
    if op.name == "shift":
        return shifted(b, t)
    if t.spec.dtype.kind == "b":
        return False
    axis, reverse = t.params["axis"], t.params["reverse"]
    target = b.result(t)
    sources = [converted(b, b.view(i), target.dtype) for i in t.inputs]
    views = [_reversed(v, axis) if reverse else v for v in (*sources, target)]
    if target.size:
        b.run(*_running(op.emit, views, axis))
    return True


def _reversed(view: View, axis: int) -> View:
    """The same elements from the end of an axis to its start."""
    strides = tuple(-s if k == axis else s for k, s in enumerate(view.strides))
    return part(view, axis, view.shape[axis] - 1, 1)._replace(shape=view.shape, strides=strides)


def _running(emit: str, views: Sequence[View], axis: int) -> tuple[Loop, list[View]]:
    shape, dtype = views[-1].shape, views[-1].dtype
    length = shape[axis]
    along = [v.steps()[axis] for v in views]
    kept = [k for k in range(len(shape)) if k != axis]
    sizes, steps = collapse([shape[k] for k in kept], [[v.steps()[k] for k in kept] for v in views])
    wide = bool(sizes) and length > 1 and sizes[-1] > 1 and steps[-1][-1] < abs(along[-1])
    n = sizes.pop() if wide else 1
    inner = [s.pop() if wide else 0 for s in steps]
    rows, chunk = math.prod(sizes), min(n, _COLUMNS)
    chunks = -(-n // chunk)
    group = max(1, TILE // (length * chunk))
    based = [grounded(v) for v in views]
    geometry = [length, n, rows, chunk, chunks, group, 0, *sizes]
    for (_, base), step, s, near in zip(based, along, steps, inner):
        geometry += [*words([*s, base, step, near])]
    tiles = -(-rows * chunks // group)
    return Loop(_kernel(emit, dtype, len(sizes), wide), geometry, tiles), [v for v, _ in based]


@cache
def _kernel(emit: str, dtype: np.dtype[Any], outer: int, wide: bool) -> Kernel:
    names = ["x0", "x1", "y0"] if emit == "scan:fma" else ["x0", "y0"]
    per_array = outer + 3
    at = {x: _HEAD + outer + k * per_array for k, x in enumerate(names)}
    near = " + k * n_{x}" if wide else ""
    place = {x: f"{x}[p_{x} + j * s_{x}{near.format(x=x)}]" for x in names}
    before = f"y0[p_y0 + j * s_y0 - s_y0{near.format(x='y0')}]"
    value = "x1" if emit == "scan:fma" else "x0"
    joined = _JOINS[emit].format(y=before if wide else "total", x=place[value], a=place["x0"])
    lines = [
        "length, n, rows, chunk, chunks, group = g[0], g[1], g[2], g[3], g[4], g[5]",
        *(f"s_{x}, n_{x} = g[{at[x] + outer + 1}], g[{at[x] + outer + 2}]" for x in names),
        "for item in range(start * group, min(end * group, rows * chunks)):",
        "    row, k0 = item // chunks, item % chunks * chunk",
        "    k1 = min(k0 + chunk, n)",
    ]
    for x in names:
        lines += ["    " + line for line in offsets(f"q_{x}", "row", outer, _HEAD, at[x])]
        lines.append(f"    p_{x} = g[{at[x] + outer}] + q_{x}")
    first, result = place[value].replace("j * s_", "np.uint64(0) * s_"), f"np.{dtype.name}({joined})"
    if wide:
        lines += [
            "    for k in range(k0, k1):",
            f"        y0[p_y0 + k * n_y0] = {first}",
            "    for j in range(np.uint64(1), length):",
            "        for k in range(k0, k1):",
            f"            {place['y0']} = {result}",
        ]
    else:
        lines += [
            f"    total = {first}",
            "    y0[p_y0] = total",
            "    for j in range(np.uint64(1), length):",
            f"        total = {result}",
            f"        {place['y0']} = total",
        ]
    return build(lines, names, [dtype] * len(names), _HEAD + outer + per_array * len(names), {}, emit)
