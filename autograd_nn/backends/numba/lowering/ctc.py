"""The CTC loss, and how often each label is said when: forward and backward over the frames, one sequence per tile.

All sums of probabilities are taken in float64, whatever the dtype of the logits. A row of states has two places before
the first and after the last one, which no path reaches, so that no step asks where it is. What a loop over states
writes lies in another array than what it reads, and sums over states that share a label are a loop of their own, so
that LLVM can vectorise the others.
"""

from functools import cache
from typing import Any

import numpy as np

from ....engine.tensor import Tensor
from ....ops.ctc_paths import BLANK, LABEL, OUTPUT_LENGTH, TARGET_LENGTH, fault
from ..functions.elementary import elementary
from ..machine.kernel import Kernel, build
from .bind import Binding, Fault
from .loops import Loop

_WORDS = 5


def lower_ctc(b: Binding, t: Tensor) -> bool:
    """Both results of the op in one kernel."""
    sources = [view if view.contiguous else b.copied(view) for view in map(b.view, t.inputs)]
    batch, frames, classes = sources[0].shape
    labels = sources[1].shape[1]
    width = 2 * labels + 5
    specs: Any = b.specs[t]
    targets = [b.fresh(spec.shape, spec.dtype) for spec in specs]
    for k, target in enumerate(targets):
        b.place((t, k), target)
    scratch = [b.fresh((batch, width), np.int64), b.fresh((batch, frames + 1, width), np.float64)]
    scratch += [b.fresh((batch, width), np.float64) for _ in range(3)]

    def error(value: int, found: int) -> Exception:
        kind, row = divmod(found, batch)
        return fault(kind, row, value, (labels, frames, classes))

    wrong = Fault(b.constant(np.zeros((batch, 3), np.int64)), b.alarm, error)
    geometry = [frames, classes, labels, t.params["mask_index"], batch]
    loop = Loop(_kernel(sources[0].dtype), geometry, batch)
    b.run(loop, [*sources, *targets, *scratch, wrong.view, b.alarm], wrong)
    return True


def _added(target: str, terms: list[str]) -> list[str]:
    """Lines that set `target` to log(sum(exp)) of terms; -inf where all are."""
    top = terms[0]
    for term in terms[1:]:
        top = f"max({term}, {top})"
    total = " + ".join(f"exp({term} - base)" for term in terms)
    return [f"top = {top}", "base = top if top > low else np.float64(0)", f"{target} = base + log({total})"]


def _indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _checks() -> list[str]:
    """Lengths n and m and the states of a row, all of them such that no place outside the arrays is read."""
    return [
        "n, m, wrong, value = x2[row], x3[row], np.int64(0), np.int64(0)",
        "if n < np.int64(0) or n > np.int64(labels):",
        f"    wrong, value, n = np.int64({TARGET_LENGTH}), n, np.int64(0)",
        "if m < np.int64(0) or m > np.int64(frames):",
        f"    wrong, value, m = np.int64({OUTPUT_LENGTH}), m, np.int64(0)",
        "for s in range(width):",
        "    y2[states + s] = mask",
        "for j in range(np.uint64(n)):",
        "    label = x1[row * labels + j]",
        "    outside = label < np.int64(0) or label >= np.int64(classes)",
        "    if wrong == np.int64(0) and (outside or label == mask):",
        f"        wrong, value = np.int64({LABEL}) if outside else np.int64({BLANK}), label",
        "    y2[states + np.uint64(2) * j + np.uint64(3)] = mask if outside else label",
        "if wrong != np.int64(0):",
        "    alarm[np.uint64(0)] = np.int64(1)",
        "    f[np.uint64(3) * row] = np.int64(1)",
        "    f[np.uint64(3) * row + np.uint64(1)] = value",
        "    f[np.uint64(3) * row + np.uint64(2)] = wrong * np.int64(g[4]) + np.int64(row)",
    ]


def _forward() -> list[str]:
    """Log probabilities of the states before the first frame and after each, and the loss."""
    return [
        "for s in range(count + np.uint64(2)):",
        "    y3[reached + s] = low",
        "y3[reached + np.uint64(2)] = np.float64(0)",
        "for k in range(np.uint64(m)):",
        "    old = reached + k * width",
        "    new, heard = old + width, spoken + k * classes",
        "    y3[new] = low",
        "    y3[new + np.uint64(1)] = low",
        "    for s in range(np.uint64(2), count + np.uint64(2)):",
        "        label = y2[states + s]",
        "        u, v, w = y3[old + s], y3[old + s - np.uint64(1)], y3[old + s - np.uint64(2)]",
        "        w = w if label != y2[states + s - np.uint64(2)] else low",
        *_indented(_indented(_added("total", ["u", "v", "w"]))),
        "        y4[states + s] = total + np.float64(x0[heard + np.uint64(label)])",
        "    for s in range(np.uint64(2), count + np.uint64(2)):",
        "        y3[new + s] = y4[states + s]",
        "final = reached + np.uint64(m) * width + count",
        "u, v = y3[final + np.uint64(1)], y3[final]",
        *_added("total", ["u", "v"]),
        "loss = -total",
        "y0[row] = loss",
    ]


def _backward() -> list[str]:
    """How often each label is said; y4 holds log probabilities of what is still to come, y5 those one frame earlier."""
    return [
        "for k in range(frames * classes):",
        "    y1[spoken + k] = np.float64(0)",
        "for s in range(width):",
        "    y4[states + s] = low",
        "for k in range(np.uint64(m) if loss != -low else np.uint64(0)):",
        "    time = np.uint64(m) - np.uint64(1) - k",
        "    now, heard = reached + (time + np.uint64(1)) * width, spoken + time * classes",
        "    for s in range(np.uint64(2), count + np.uint64(2)):",
        "        label = y2[states + s]",
        "        u, v, w = y4[states + s], y4[states + s + np.uint64(1)], y4[states + s + np.uint64(2)]",
        "        w = w if label != y2[states + s + np.uint64(2)] else low",
        *_indented(_indented(_added("total", ["u", "v", "w"]))),
        "        first = np.float64(0) if s >= count else low",
        "        rest = first if k == np.uint64(0) else total",
        "        y6[states + s] = exp(y3[now + s] + rest + loss)",
        "        y5[states + s] = rest + np.float64(x0[heard + np.uint64(label)])",
        "    for s in range(np.uint64(2), count + np.uint64(2)):",
        "        y4[states + s] = y5[states + s]",
        "        y1[heard + np.uint64(y2[states + s])] += y6[states + s]",
    ]


@cache
def _kernel(dtype: np.dtype[Any]) -> Kernel:
    lines = [
        "frames, classes, labels, mask, low = g[0], g[1], g[2], np.int64(g[3]), np.float64(-np.inf)",
        "width = np.uint64(2) * labels + np.uint64(5)",
        "for row in range(start, end):",
        "    states, reached = row * width, row * (frames + np.uint64(1)) * width",
        "    spoken = row * frames * classes",
        *_indented(_checks()),
        "    count = np.uint64(2) * np.uint64(n) + np.uint64(1)",
        *_indented(_forward()),
        *_indented(_backward()),
    ]
    functions = elementary(np.float64)
    names = {name: functions[name] for name in ("exp", "log")}
    arguments = ["x0", "x1", "x2", "x3", "y0", "y1", "y2", "y3", "y4", "y5", "y6", "f", "alarm"]
    words = [np.int64] * 3
    kinds = [dtype, *words, dtype, dtype, np.int64, *[np.float64] * 4, np.int64, np.int64]
    return build(lines, arguments, kinds, _WORDS, names, "ctc")
