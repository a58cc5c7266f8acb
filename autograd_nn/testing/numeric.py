"""Derivatives along a line from differences: a quick fourth-order one, and a careful one that knows its own error."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .problem import Array

Line = Callable[[float], Array]
# Not a power of two: steps must not keep in time with the rounding of a float32 inside the function.
SHRINK = 7.3
ROUNDING = 8.0


class Scale(NamedTuple):
    """What the precision of a dtype allows.

    rtol:  relative tolerance of a comparison
    step:  step of the differences, for inputs of size one
    unit:  spacing of floats at one
    sizes: how many steps, each an eighth of the last, the careful difference may try
    """

    rtol: float
    step: float
    unit: float
    sizes: int


# The step balances the fourth-order error h^4 with rounding unit / h.
SCALES = {
    "float64": Scale(1e-6, 1e-3, 2.0**-52, 14),
    "float32": Scale(3e-3, 2e-2, 2.0**-23, 5),
    "float16": Scale(1e-1, 1e-1, 2.0**-10, 3),
}


class Estimate(NamedTuple):
    """A derivative from differences.

    value: the derivative of the weighted sum of outputs
    error: how far it may be off
    size:  sum of the outputs' derivatives without their signs: what cancels in `value`
    """

    value: float
    error: float
    size: float

    def share(self, floor: float) -> float:
        """The error in proportion to the size."""
        return self.error / max(self.size, floor) if self.error else 0.0


NOT_FINITE = Estimate(np.nan, np.inf, 0.0)


def central(line: Line, weights: Array, h: float, unit: float) -> Estimate:
    """The fourth-order central difference of the weighted sum; its error is what rounding makes.

    (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h (Fornberg 1988, Math. Comp. 51, table 1).
    """
    after, before, far_after, far_before = line(h), line(-h), line(2 * h), line(-2 * h)
    with np.errstate(all="ignore"):
        slopes = (8 * (after - before) - (far_after - far_before)) / (12 * h)
        used = weights != 0
        terms = (weights * slopes)[used]
        moving = used & (slopes != 0)
        noise = ROUNDING * unit / h * float(np.abs(weights * np.maximum(abs(after), abs(before)))[moving].sum())
    if not np.isfinite(terms).all():
        return NOT_FINITE
    return Estimate(float(terms.sum()), noise, float(np.abs(terms).sum()))


def refined(line: Line, weights: Array, scale: Scale, floor: float) -> Estimate:
    """The central difference at the step around which it changes least, in proportion to itself.

    Large steps suffer from curvature and kinks nearby, small ones from rounding; the steps in between agree.
    Derivatives below `floor` count as zero.
    """
    best = NOT_FINITE
    found: list[Estimate] = []
    for k in range(scale.sizes):
        h = scale.step * SHRINK ** (2 - k)
        found.append(central(line, weights, h, scale.unit))
        if _exhausted(found, h, scale.unit):
            break
        if len(found) > 2:
            best = min(best, _middle(found[-3:]), key=lambda estimate: estimate.share(floor))
        if best.error <= 1e-2 * scale.rtol * best.size:
            break
    return best


def _middle(three: list[Estimate]) -> Estimate:
    before, e, after = three
    if not np.isfinite([before.value, e.value, after.value]).all():
        return NOT_FINITE
    change = max(abs(e.value - before.value), abs(e.value - after.value))
    return Estimate(e.value, change + e.error, max(part.size for part in three))


def _exhausted(found: list[Estimate], h: float, unit: float) -> bool:
    """Whether rounding hides all change at this small step, though there was some at the step before."""
    return h < unit**0.5 and len(found) > 1 and found[-1].size == 0 != found[-2].size


def one_sided(line: Line, weights: Array, h: float) -> tuple[float, float]:
    """The second-order differences of the weighted sum to the left and to the right."""
    used = weights != 0
    with np.errstate(all="ignore"):
        left = (3 * line(0.0) - 4 * line(-h) + line(-2 * h)) / (2 * h)
        right = (-3 * line(0.0) + 4 * line(h) - line(2 * h)) / (2 * h)
        return float((weights * left)[used].sum()), float((weights * right)[used].sum())


class Break(NamedTuple):
    """The derivatives to the left and to the right of a place where they disagree; `jump` where f itself does."""

    left: float
    right: float
    jump: bool


def broken(line: Line, weights: Array, h: float, rounding: float) -> Break | None:
    """How the left and right derivatives disagree, if they go on to do so for a smaller step."""
    gaps = []
    for step in (h / SHRINK, h / SHRINK**2):
        left, right = one_sided(line, weights, step)
        gaps.append(abs(right - left))
        if not gaps[-1] > 1e-3 * max(abs(left), abs(right)) + rounding / step:
            return None
    growth = gaps[1] / gaps[0]
    return Break(left, right, growth > SHRINK / 2) if growth > 0.5 else None
