"""What mistake a wrong gradient looks like."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from .numeric import Break
from .problem import Array, Problem

Diagnosis = tuple[str, str]


@dataclass(frozen=True)
class Table:
    """The derivatives of one input, element by element, as arrays of its shape.

    numeric and allowed are NaN where no difference was taken; rough marks where differences do not settle.
    """

    analytic: Array
    numeric: Array
    allowed: Array
    rough: Array

    @property
    def probed(self) -> Array:
        return ~np.isnan(self.allowed)

    @property
    def bad(self) -> Array:
        """Where the two are further apart than allowed, or not comparable."""
        with np.errstate(all="ignore"):
            return self.probed & ~(np.abs(self.analytic - self.numeric) <= self.allowed)


@dataclass(frozen=True)
class Evidence:
    """All that is known of a wrong gradient.

    place:     the input, and `worst` its element that is furthest off
    tables:    of this input and of the others, by place
    connected: whether the outputs depend on this input in the graph
    kink:      how left and right derivative disagree at the worst element, if they do
    fit:       relative closeness that counts as a match
    """

    problem: Problem
    place: int
    worst: tuple[int, ...]
    tables: dict[int, Table]
    connected: bool
    kink: Break | None
    fit: float

    @property
    def table(self) -> Table:
        return self.tables[self.place]

    def match(self, a: Array, b: Array, where: Array | None = None) -> bool:
        """Whether two gradients agree wherever differences were taken, and are not all zero."""
        mask = self.table.probed if where is None else where
        a, b = np.asarray(a)[mask], np.asarray(b)[mask]
        if not a.size or not np.isfinite(a).all() or not np.isfinite(b).all() or not np.any(b):
            return False
        return bool(np.all(np.abs(a - b) <= self.fit * np.maximum(np.abs(b), 1e-2 * np.abs(b).max())))


def diagnose(evidence: Evidence) -> Diagnosis:
    """The cause in one word, and in a sentence."""
    for rule in RULES:
        found = rule(evidence)
        if found:
            return found
    bad, probed = int(evidence.table.bad.sum()), int(evidence.table.probed.sum())
    return "unknown", f"{bad} of {probed} elements are wrong, in no known pattern; compare the rule term by term"


def _not_finite(e: Evidence) -> Diagnosis | None:
    analytic, numeric = e.table.analytic[e.worst], e.table.numeric[e.worst]
    if not np.isfinite(numeric):
        return "edge", "f is not finite on both sides of this element: no derivative to compare with; move the input"
    if not np.isfinite(analytic):
        return "not finite", f"the gradient is {analytic} where the function is smooth"
    return None


def _kink(e: Evidence) -> Diagnosis | None:
    if e.kink is None:
        return None
    if e.kink.jump:
        return "kink", "a jump of the function: it has no derivative here; move the input"
    sides = f"{e.kink.left:.4g} from the left and {e.kink.right:.4g} from the right"
    return "kink", f"a kink: the derivative is {sides}; move the input"


def _rough(e: Evidence) -> Diagnosis | None:
    if not e.table.rough[e.worst]:
        return None
    return "rough", "differences do not settle for any step: a jump, or noise as of float32 inside a float64 function"


def _zero(e: Evidence) -> Diagnosis | None:
    if np.any(e.table.analytic[e.table.probed]):
        return None
    if e.problem.order > 1:
        return "zero", "zero: the gradient rule leaves the graph; write it in ag.ops on the tensors that it is given"
    if not e.connected:
        return "zero", "disconnected: f leaves the graph before its output (numpy(), detach(), stop_gradient, a cast)"
    return "zero", "the gradient is zero, the function is not constant: a rule returns zero or drops this input"


def _sign(e: Evidence) -> Diagnosis | None:
    return ("sign", "wrong sign") if e.match(-e.table.analytic, e.table.numeric) else None


def _factor(e: Evidence) -> Diagnosis | None:
    t = e.table
    mask = t.probed & (np.abs(t.numeric) > 1e-3 * np.nanmax(np.abs(t.numeric), initial=0))
    if not mask.any():
        return None
    ratio = float(np.median(t.analytic[mask] / t.numeric[mask]))
    if not ratio or abs(ratio - 1) < e.fit / 10 or not e.match(t.analytic / ratio, t.numeric):
        return None
    named = _named_factor(ratio, e)
    if not named and mask.sum() == 1:
        return None
    return "factor", named or f"a constant factor of {ratio:.7g}"


def _named_factor(ratio: float, e: Evidence) -> str:
    outputs = e.problem.cotangents
    sizes = [size for y in outputs for size in y.shape] + [y.size for y in (*outputs, e.problem.arrays[e.place])]
    for size in dict.fromkeys(size for size in sizes if size > 1):
        if np.isclose(ratio, 1 / size, rtol=e.fit):
            return f"factor 1/{size}: a mean over {size} elements where a sum is due, or a missing factor"
        if np.isclose(ratio, size, rtol=e.fit):
            return f"factor {size}: a sum over {size} elements where a mean is due, or a factor too many"
    if np.isclose(ratio, round(ratio), rtol=e.fit):
        return f"factor {round(ratio)}: a term counted too often"
    if np.isclose(1 / ratio, round(1 / ratio), rtol=e.fit):
        return f"factor 1/{round(1 / ratio)}: a factor is missing"
    return ""


def _transposed(e: Evidence) -> Diagnosis | None:
    t = e.table
    shape = t.analytic.shape
    if len(shape) < 2 or not t.probed.all():
        return None
    for axes in permutations(range(len(shape))):
        moved = np.transpose(t.numeric, axes)
        if axes != tuple(range(len(shape))) and moved.shape == shape and e.match(t.analytic, moved):
            return "transposed", f"transposed: the gradient is right with its axes in the order {axes}"
    if e.match(t.analytic, np.ravel(t.numeric, order="F").reshape(shape)):
        return "transposed", "the elements of the gradient are in column-major order; transpose before reshape"
    return None


def _swapped(e: Evidence) -> Diagnosis | None:
    mine = e.table
    for place, other in e.tables.items():
        if place == e.place or other.analytic.shape != mine.analytic.shape:
            continue
        both = mine.probed & other.probed
        if e.match(mine.analytic, other.numeric, both) and e.match(other.analytic, mine.numeric, both):
            return "swapped", f"the gradients of {e.problem.names[e.place]} and {e.problem.names[place]} are swapped"
    return None


def _missing_sum(e: Evidence) -> Diagnosis | None:
    """Whether only one slice of an output reaches an input that was broadcast along that axis."""
    problem = e.problem
    for k, u in enumerate(problem.cotangents):
        for axis in range(u.ndim):
            if _was_broadcast(problem.arrays[e.place], u, axis) and _only_one_slice(e, k, axis):
                name = problem.names[e.place]
                return "broadcast", f"a missing sum: {name} was broadcast along axis {axis} of the output; sum over it"
    return None


def _was_broadcast(x: Array, output: Array, axis: int) -> bool:
    own = axis - (output.ndim - x.ndim)
    return 1 < output.shape[axis] <= 64 and (own < 0 or x.shape[own] == 1)


def _only_one_slice(e: Evidence, output: int, axis: int) -> bool:
    recorded = e.problem.record()
    place = e.problem.floats.index(e.place)
    sums: list[Array] = []
    for index in range(e.problem.cotangents[output].shape[axis]):
        cotangents = [np.zeros_like(u) for u in e.problem.cotangents]
        np.moveaxis(cotangents[output], axis, 0)[index] = np.moveaxis(e.problem.cotangents[output], axis, 0)[index]
        found = recorded.pull(tuple(cotangents))[place]
        sums.append(np.zeros_like(e.table.analytic) if found is None else found)
    reaching = [part for part in sums if np.any(part)]
    return len(reaching) == 1


def _float32(e: Evidence) -> Diagnosis | None:
    t = e.table
    with np.errstate(all="ignore"):
        apart = np.abs(t.analytic - t.numeric)[t.bad] / np.nanmax(np.abs(t.numeric[t.probed]), initial=0)
    if t.bad.sum() > 1 and np.all(apart < 1e-3) and np.array_equal(t.analytic.astype(np.float32), t.analytic):
        return "float32", "the gradient has the precision of float32; keep the dtype of g and of the inputs"
    return None


def _negative(e: Evidence) -> Diagnosis | None:
    t, x = e.table, e.problem.arrays[e.place]
    right = t.probed & ~t.bad
    for word, side in (("negative", x < 0), ("positive", x > 0)):
        if right.any() and t.bad.sum() > 1 and np.all(side[t.bad]) and not np.any(side[right]):
            return word, f"wrong only where {e.problem.names[e.place]} is {word}"
    return None


def _nonlinear(e: Evidence) -> Diagnosis | None:
    """Half the cotangent must give half the gradient."""
    half = tuple(0.5 * u for u in e.problem.cotangents)
    found = e.problem.record().pull(half)[e.problem.floats.index(e.place)]
    if found is None or e.match(2 * found, e.table.analytic):
        return None
    return "not linear", "half the cotangent does not give half the gradient: the rule drops g, or uses it twice"


def _offset(e: Evidence) -> Diagnosis | None:
    t = e.table
    apart = (t.analytic - t.numeric)[t.probed]
    if apart.size < 3 or not np.allclose(apart, apart[0], rtol=1e-3, atol=0):
        return None
    return "offset", f"every element is off by {apart[0]:.4g}: a term is missing, or too many"


def _one_element(e: Evidence) -> Diagnosis | None:
    t = e.table
    if t.bad.sum() != 1 or t.probed.sum() < 2:
        return None
    last = e.worst == tuple(size - 1 for size in t.analytic.shape)
    return "element", f"only {'the last' if last else 'one'} of {int(t.probed.sum())} elements is wrong"


RULES: tuple[Callable[[Evidence], Diagnosis | None], ...] = (
    _not_finite, _kink, _rough, _zero, _sign, _factor, _transposed, _swapped, _missing_sum, _float32, _nonlinear,
    _offset, _negative, _one_element,
)  # fmt: skip
