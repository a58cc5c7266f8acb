"""The gradient check: what rules give, against differences, and against themselves under other circumstances."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..engine.signatures import suggest_calls
from ..engine.spec import promote
from ..errors import GradcheckError, InvalidArgument, short
from .differences import Differences
from .layouts import LAYOUTS, matters
from .numeric import SCALES, Scale
from .problem import Array, Arrays, Problem, problem_of
from .report import Finding, GradcheckReport

Gradients = tuple[Array | None, ...]


def gradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    order: int = 1,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    seed: int = 0,
) -> GradcheckReport:
    """Compare the gradients of `f` with central differences, and say what is wrong where they differ.

    f:               any function of Tensors that returns Tensors (nests of them are welcome), or a custom op
    inputs:          a tuple or list of arguments for f, each a tensor, array, number or a nest of these; or its only
                     argument. Floats are differentiated, use float64; integers and other values are passed on.
                     Complex numbers count as pairs (real, imaginary) along a new last axis
    order:           2 also checks the gradient of the gradient, with all mixed derivatives; and so on
    eps:             step of the differences for inputs of size one; None for the best one of the dtype
    atol, rtol:      how far apart they may be; None for 0 and for what the dtype allows (float64: 1e-6)
    raise_exception: raise GradcheckError, which carries the report, instead of returning it
    seed:            of the random weights of the outputs, and of the random directions

    Every element of inputs of up to 64 elements is checked, larger ones along random directions that together cover
    every element. Checked besides: that inputs are not written to, that a second call gives the same, that nothing is
    remembered from another call, and that inputs in other memory layouts have the same gradient.
    Returns a GradcheckReport, which is true where all is right.

    >>> import autograd_nn as ag
    >>> x = ag.tensor([0.5, 1.0], dtype="float64")
    >>> bool(ag.gradcheck(lambda x: ag.ops.tanh(x) * x, x, order=2))
    True
    >>> wrong = ag.custom_op(lambda x: x * x, lambda g, y, x: (g * x,))
    >>> ag.gradcheck(wrong, x, raise_exception=False).hint
    'factor 1/2: a mean over 2 elements where a sum is due, or a missing factor'
    """
    _check_arguments(order, eps)
    rng = np.random.default_rng(seed)
    problem = problem_of(f, inputs, rng)
    notes = _notes(problem)
    scale = _scale(problem, eps, rtol)
    report = _checked(problem, order, scale, 0.0 if atol is None else atol, rng, notes)
    if raise_exception and not report:
        raise GradcheckError(report.headline, "\n".join(report.details()), report)
    return report


def _check_arguments(order: int, eps: float | None) -> None:
    if not isinstance(order, int) or isinstance(order, bool) or order < 1:
        raise InvalidArgument(f"gradcheck: order must be an int >= 1, got {short(order)}")
    if eps is not None and not eps > 0:
        raise InvalidArgument(f"gradcheck: eps must be > 0, got {short(eps)}; leave it out for the best one")


def _checked(
    problem: Problem, order: int, scale: Scale, atol: float, rng: np.random.Generator, notes: tuple[str, ...]
) -> GradcheckReport:
    checked, worst = 0, Finding()
    for level in range(1, order + 1):
        checker = _Checker(problem, scale, atol, rng)
        wrong = checker.run()
        checked += checker.checked
        if wrong is not None:
            return GradcheckReport(False, level, _at_order(wrong, level), checked, notes)
        worst = max(worst, checker.worst, key=lambda finding: finding.share)
        if level < order:
            problem = problem.derivative(rng)
    return GradcheckReport(True, order, worst, checked, notes)


def _at_order(wrong: Finding, level: int) -> Finding:
    if level == 1:
        return wrong
    lower = "the gradient is right" if level == 2 else f"derivatives up to order {level - 1} are right"
    return replace(wrong, hint=f"{lower}, its own gradient is not: {wrong.hint}")


def _notes(problem: Problem) -> tuple[str, ...]:
    """What the reader should know of the inputs; a warning for floats that are too short for differences."""
    notes = []
    coarse = [k for k in problem.floats if problem.arrays[k].dtype != np.float64]
    if coarse:
        which = ", ".join(f"{problem.names[k]} is {problem.arrays[k].dtype}" for k in coarse)
        notes.append(f"{which}: differences are good to a few digits only; use float64")
        warnings.warn(f"gradcheck: {notes[0]}", stacklevel=4)
    if any((u == 0).any() for u in problem.cotangents):
        notes.append("outputs that are not finite were left out")
    return tuple(notes)


def _scale(problem: Problem, eps: float | None, rtol: float | None) -> Scale:
    """Tolerances for the shortest float among inputs and outputs."""
    kinds = [problem.arrays[k].dtype for k in problem.floats] + [u.dtype for u in problem.cotangents]
    scale = SCALES[min(kinds, key=lambda kind: kind.itemsize).name]
    return scale._replace(step=scale.step if eps is None else eps, rtol=scale.rtol if rtol is None else rtol)


class _Checker:
    """All checks of one order of derivative. The first that fails says what is wrong."""

    def __init__(self, problem: Problem, scale: Scale, atol: float, rng: np.random.Generator) -> None:
        self.problem = problem
        self.scale = scale
        self.atol = atol
        self.rng = rng
        self.checked = 0
        self.worst = Finding()
        self.rounding = 0.0
        self.same = scale.rtol * 1e-3
        self.values: Arrays = ()
        self.gradients: Gradients = ()

    def run(self) -> Finding | None:
        """What is wrong, None if nothing is."""
        steps = (self._first, self._again, self._against_differences, self._stale, self._elsewhere, self._precision)
        for step in (*steps, self._layouts):
            wrong = step()
            if wrong is not None:
                return wrong
        return None

    def _first(self) -> Finding | None:
        """Compute values and gradients once, and see that nothing is written to."""
        before = [array.copy() for array in self.problem.arrays]
        recorded = self.problem.record()
        wrong = self._written(before, "f")
        if wrong:
            return wrong
        self.values = tuple(y.copy() for y in recorded.values())
        self.gradients = _copied(recorded.pull(self.problem.cotangents))
        for y, kept in zip(recorded.values(), self.values):
            if y.tobytes() != kept.tobytes():
                return Finding(cause="mutation", hint="the gradient rule writes into the output that it is given")
        return self._written(before, "the gradient rule")

    def _written(self, before: list[Array], who: str) -> Finding | None:
        for name, array, kept in zip(self.problem.names, self.problem.arrays, before):
            if array.tobytes() != kept.tobytes():
                return Finding(name, cause="mutation", hint=f"{who} writes into its input; work on a copy")
        return None

    def _again(self) -> Finding | None:
        """The same call must give the same, with and without a history."""
        recorded = self.problem.record()
        hint = "not deterministic: two equal calls differ; fix the seed"
        for values in (recorded.values(), self.problem.outputs()):
            wrong = self._compare_values(values, "not deterministic", hint)
            if wrong:
                return wrong
        hint = "the gradient is not deterministic: two equal calls differ; fix the seed"
        wrong = self._compare_gradients(recorded.pull(self.problem.cotangents), "not deterministic", hint)
        if wrong:
            return wrong
        hint = "a second pullback through the same graph differs: the rule uses up or changes what it saved"
        return self._compare_gradients(recorded.pull(self.problem.cotangents), "stale", hint)

    def _against_differences(self) -> Finding | None:
        differences = Differences(self.problem, self.gradients, self.scale, self.atol, self.rng)
        wrong = differences.run()
        self.checked, self.worst, self.rounding = differences.checked, differences.worst, differences.rounding
        return wrong

    def _stale(self) -> Finding | None:
        """A call elsewhere between forward and pullback must not matter."""
        recorded = self.problem.record()
        self._moved().record()
        hint = "stale saved input: after another call of f, the pullback of the first call differs"
        return self._compare_gradients(recorded.pull(self.problem.cotangents), "stale", hint)

    def _elsewhere(self) -> Finding | None:
        """The gradient at a second place, each input along one direction."""
        moved = self._moved()
        gradients = moved.gradients()
        differences = Differences(moved, gradients, self.scale, self.atol, self.rng)
        for place in self.problem.floats:
            x = moved.arrays[place]
            found = differences.compare(place, self.rng.uniform(0.5, 1.5, x.shape) * np.maximum(1.0, np.abs(x)))
            if found.share > 1 and not found.rough and np.isfinite(found.numeric):
                hint = "right here, wrong at a second place nearby: the rule remembers its first input, or a constant"
                values = (found.analytic, found.numeric, found.allowed)
                return Finding(self.problem.names[place], None, *values, "stale", hint)
        return None

    def _moved(self) -> Problem:
        """The problem at a place some steps away."""
        arrays = list(self.problem.arrays)
        for place in self.problem.floats:
            x = arrays[place]
            shift = self.rng.uniform(4, 8, x.shape) * self.rng.choice([-1.0, 1.0], x.shape) * self.scale.step
            arrays[place] = np.asarray(x + shift * np.maximum(1.0, np.abs(x)), x.dtype)
        return self.problem.at(tuple(arrays))

    def _precision(self) -> Finding | None:
        """A float64 gradient all of whose elements are float32 numbers went through float32: weights are random."""
        kinds = [array.dtype for array in self.problem.arrays if array.dtype.kind == "f"]
        if promote(*kinds) != min(kinds, key=lambda kind: kind.itemsize) or self.scale.unit != SCALES["float64"].unit:
            return None
        for place, g in zip(self.problem.floats, self.gradients):
            visible = np.zeros(0) if g is None else g[np.abs(g) > self.rounding / SCALES["float32"].unit]
            if visible.size and np.array_equal(visible.astype(np.float32), visible) and not _few_bits(visible):
                hint = "the gradient went through float32 although all is float64; keep the dtype of g"
                return Finding(self.problem.names[place], cause="float32", hint=hint)
        return None

    def _layouts(self) -> Finding | None:
        """Values and gradients for inputs and cotangents in other memory layouts."""
        for layout, arrange in LAYOUTS.items():
            arrays, cotangents = (
                tuple(arrange(a) if matters(a, layout) else a for a in group)
                for group in (self.problem.arrays, self.problem.cotangents)
            )
            recorded = self.problem.at(arrays, cotangents).record()
            hint = f"wrong only for {layout} memory layout of the input: f reads the buffer, not the elements"
            wrong = self._compare_values(recorded.values(), "layout", hint)
            if wrong:
                return wrong
            hint = f"wrong only for {layout} memory layout: the gradient rule reads the buffer, not the elements"
            wrong = self._compare_gradients(recorded.pull(cotangents), "layout", hint)
            if wrong:
                return wrong
        return None

    def _compare_values(self, values: Arrays, cause: str, hint: str) -> Finding | None:
        for k, (found, expected) in enumerate(zip(values, self.values)):
            wrong = self._compare(f"output[{k}]", found, expected, cause, hint)
            if wrong:
                return wrong
        return None

    def _compare_gradients(self, gradients: Gradients, cause: str, hint: str) -> Finding | None:
        for place, found, expected in zip(self.problem.floats, gradients, self.gradients):
            shape = self.problem.arrays[place].shape
            a, b = (np.zeros(shape) if g is None else g for g in (found, expected))
            wrong = self._compare(self.problem.names[place], a, b, cause, hint)
            if wrong:
                return wrong
        return None

    def _compare(self, name: str, found: Array, expected: Array, cause: str, hint: str) -> Finding | None:
        """Two runs that must agree but for the order of their sums."""
        if found.shape != expected.shape:
            return Finding(name, cause=cause, hint=f"{hint} (shape {found.shape} instead of {expected.shape})")
        tallest = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
        with np.errstate(all="ignore"):
            apart = np.abs(found.astype(np.float64) - expected)
        apart = np.where((found == expected) | (np.isnan(found) & np.isnan(expected)), 0.0, apart)
        allowed = self.same * float(tallest)
        if np.all(apart <= allowed):
            return None
        index = np.unravel_index(int(np.argmax(np.nan_to_num(apart, nan=np.inf))), apart.shape)
        return Finding(name, tuple(map(int, index)), float(found[index]), float(expected[index]), allowed, cause, hint)


def _copied(gradients: Gradients) -> Gradients:
    return tuple(None if g is None else g.copy() for g in gradients)


def _few_bits(values: np.ndarray) -> bool:
    """Whether numbers fit into float32 by chance: what is left of terms that cancel has a bit or two."""
    mantissas = np.frexp(values)[0] * 2**12
    return bool(np.all(mantissas == np.round(mantissas)))


suggest_calls(globals())
