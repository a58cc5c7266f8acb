"""The gradient against differences: element by element for small inputs, along random directions for large ones."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .diagnosis import Evidence, Table, diagnose
from .numeric import ROUNDING, Break, Line, Scale, broken, central, refined
from .problem import Array, Problem, joined
from .report import Finding

SMALL = 64
GROUPS = 16
LARGE = 1024


@dataclass
class Comparison:
    """One derivative of the problem along a direction, from the rules and from differences."""

    analytic: float
    numeric: float
    allowed: float
    rough: bool = False

    @property
    def share(self) -> float:
        """The difference as a share of the tolerance; infinite where they are not comparable."""
        difference = abs(self.analytic - self.numeric)
        if difference == 0:
            return 0.0
        share = difference / self.allowed if self.allowed else np.inf
        return share if share == share else np.inf


@dataclass
class Differences:
    """Compares the gradients of a problem with differences.

    gradients: one per float input; None where nothing depends on it
    scale:     steps and tolerances for the dtype; atol is added
    worst:     the comparison nearest to its tolerance so far
    checked:   how many were made
    """

    problem: Problem
    gradients: tuple[Array | None, ...]
    scale: Scale
    atol: float
    rng: np.random.Generator
    worst: Finding = field(default_factory=Finding)
    checked: int = 0

    def run(self) -> Finding | None:
        """What is wrong, None if all is right."""
        failing = [place for place in self.problem.floats if not self._right(place)]
        if not failing:
            return None
        shown = [p for p in self.problem.floats if p in failing or self.problem.arrays[p].size <= SMALL]
        tables = {place: self.table(place) for place in shown}
        place = max(failing, key=lambda p: self._worst_share(tables[p]))
        if not tables[place].bad.any():
            return self._along_direction(place)
        return self._explain(place, tables)

    def gradient(self, place: int) -> Array:
        """The gradient of an input, zeros where nothing depends on it."""
        found = self.gradients[self.problem.floats.index(place)]
        return np.zeros_like(self.problem.arrays[place]) if found is None else found

    def compare(self, place: int, direction: Array) -> Comparison:
        """The derivative along `direction`: quickly, and with care where that disagrees."""
        line = line_through(self.problem, place, direction)
        weights = joined(self.problem.cotangents)
        with np.errstate(invalid="ignore"):
            terms = (self.gradient(place) * direction)[direction != 0].astype(np.float64)
        analytic, size = float(terms.sum()), _typical(terms[np.isfinite(terms)])
        step = _typical(direction[direction != 0])
        room = self.scale.rtol * size + self.atol * step + self.rounding * max(1.0, step)
        self.checked += 1
        first = central(line, weights, self.scale.step, self.scale.unit)
        quick = Comparison(analytic, first.value, room + 2 * first.error)
        if quick.share <= 1:
            return quick
        floor = max(1e-6 * first.size, 1e7 * self.rounding, 1e7 * self.scale.unit)
        careful = refined(line, weights, self.scale, floor)
        rough = careful.share(max(size, floor)) > 1e3 * self.scale.rtol
        return Comparison(analytic, careful.value, room + (0.0 if rough else 2 * careful.error), rough)

    @cached_property
    def rounding(self) -> float:
        """How far a derivative may be off because terms of the size of the values and gradients cancel in it."""
        weights = joined(self.problem.cotangents)
        used = weights != 0
        values = np.abs(weights[used] * self.problem.vector()[used]).sum()
        gradients = [np.abs(g[np.isfinite(g)]).max(initial=0.0) for g in self.gradients if g is not None]
        return ROUNDING * self.scale.unit * float(values + max(gradients, default=0.0))

    def _right(self, place: int) -> bool:
        size = self.problem.arrays[place].size
        if size <= SMALL:
            return not self.table(place).bad.any()
        return all(self.compare(place, d).share <= 1 for d in self._directions(place))

    def _directions(self, place: int) -> list[Array]:
        """Random directions, each along its own share of the elements; together they cover all."""
        x = self.problem.arrays[place]
        order = self.rng.permutation(x.size)
        found = []
        for group in np.array_split(order, GROUPS):
            direction = np.zeros(x.size)
            direction[group] = self.rng.uniform(0.5, 1.5, group.size) * self.rng.choice([-1.0, 1.0], group.size)
            found.append(direction.reshape(x.shape) * _unit(x))
        return found

    def table(self, place: int) -> Table:
        """Element by element; of a large input a sample, and the element that bisection finds."""
        x = self.problem.arrays[place]
        numeric, allowed, rough = np.full(x.shape, np.nan), np.full(x.shape, np.nan), np.zeros(x.shape, bool)
        for flat in self._elements(place):
            index = np.unravel_index(flat, x.shape)
            unit = _unit(x)[index]
            direction = np.zeros(x.shape)
            direction[index] = unit
            found = self.compare(place, direction)
            numeric[index], allowed[index], rough[index] = found.numeric / unit, found.allowed / unit, found.rough
        table = Table(self.gradient(place).astype(np.float64), numeric, allowed, rough)
        self._remember(place, table)
        return table

    def _elements(self, place: int) -> list[int]:
        size = self.problem.arrays[place].size
        if size <= LARGE:
            return list(range(size))
        sample = [int(k) for k in self.rng.choice(size, SMALL, replace=False)]
        return list(dict.fromkeys([*self._bisected(place), *sample]))

    def _bisected(self, place: int) -> list[int]:
        """The element of a large input at which halving the worst direction ends."""
        worst = max(self._directions(place), key=lambda d: self.compare(place, d).share)
        elements = np.flatnonzero(worst)
        while elements.size > 1:
            halves = np.array_split(elements, 2)
            elements = max(halves, key=lambda half: self._off(place, worst, half))
        return [int(elements[0])]

    def _off(self, place: int, direction: Array, elements: Array) -> float:
        part = np.zeros(direction.size)
        part[elements] = direction.ravel()[elements]
        found = self.compare(place, part.reshape(direction.shape))
        apart = abs(found.analytic - found.numeric)
        return apart if apart == apart else np.inf

    def _worst_share(self, table: Table) -> float:
        shares = _shares(table)
        return float(shares.max(initial=0.0))

    def _remember(self, place: int, table: Table) -> None:
        finding = self._finding(place, table)
        if finding is not None and finding.share > self.worst.share:
            self.worst = finding

    def _finding(self, place: int, table: Table, cause: str = "", hint: str = "") -> Finding | None:
        if not table.probed.any():
            return None
        index = worst_index(table)
        analytic, numeric, allowed = (float(a[index]) for a in (table.analytic, table.numeric, table.allowed))
        return Finding(self.problem.names[place], index, analytic, numeric, allowed, cause, hint)

    def _explain(self, place: int, tables: dict[int, Table]) -> Finding | None:
        table = tables[place]
        index = worst_index(table)
        evidence = Evidence(
            self.problem,
            place,
            index,
            tables,
            connected=self.gradients[self.problem.floats.index(place)] is not None,
            kink=self._kink(place, index),
            fit=max(10 * self.scale.rtol, 1e-5),
        )
        return self._finding(place, table, *diagnose(evidence))

    def _kink(self, place: int, index: tuple[int, ...]) -> Break | None:
        x = self.problem.arrays[place]
        direction = np.zeros(x.shape)
        direction[index] = 1.0
        line = line_through(self.problem, place, direction)
        step = self.scale.step * float(_unit(x)[index])
        return broken(line, joined(self.problem.cotangents), step, self.rounding)

    def _along_direction(self, place: int) -> Finding:
        """No single element is off by enough, all of them together are."""
        found = max((self.compare(place, d) for d in self._directions(place)), key=lambda c: c.share)
        hint = "no single element that was tried is wrong, a random direction of many is"
        name = self.problem.names[place]
        return Finding(name, None, found.analytic, found.numeric, found.allowed, "direction", hint)


def line_through(problem: Problem, place: int, direction: Array) -> Line:
    """The outputs along a line through one input, as one vector."""
    x = problem.arrays[place]

    def line(t: float) -> Array:
        return problem.changed(place, np.asarray(x + t * direction, x.dtype)).vector()

    return line


def _typical(terms: Array) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.square(terms).mean())) if terms.size else 0.0


def worst_index(table: Table) -> tuple[int, ...]:
    """The element whose difference is the largest share of its tolerance."""
    flat = int(np.argmax(_shares(table)))
    return tuple(int(k) for k in np.unravel_index(flat, table.analytic.shape))


def _shares(table: Table) -> Array:
    with np.errstate(all="ignore"):
        shares = np.abs(table.analytic - table.numeric) / table.allowed
    shares = np.where(table.bad & ~(shares > 1), np.inf, shares)
    return np.where(table.probed, np.nan_to_num(shares, nan=0.0, posinf=np.inf), -1.0)


def _unit(x: Array) -> Array:
    """By how much an element may move: in proportion to itself, but for small ones."""
    size = np.abs(x.astype(np.float64))
    return np.where(np.isfinite(size), np.maximum(1.0, size), 1.0)
