"""Where ops are tested: value ranges, and the shapes that a family tries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.op import Bad, Domain, Sample

if TYPE_CHECKING:
    from numpy.random import Generator as Rng
else:
    # Loading numpy.random takes a good part of what importing this package may take.
    Rng = Any

Draw = Callable[[Rng, tuple[int, ...]], Any]


@dataclass(frozen=True)
class Values:
    """How elements are drawn, and whether the op has a derivative at them."""

    draw: Draw
    grad: bool = True


def reals(low: float, high: float, away: Sequence[float] = (), gap: float = 0.05, grad: bool = True) -> Values:
    """Uniform floats between `low` and `high`, at least `gap` from each kink in `away`."""

    def draw(rng: Rng, shape: tuple[int, ...]) -> Any:
        x = rng.uniform(low, high, shape)
        for kink in away:
            x = np.where(np.abs(x - kink) < gap, kink + np.where(x < kink, -gap, gap) * 2, x)
        return np.asarray(x)

    return Values(draw, grad)


def integers(low: int, high: int, dtype: str = "int64") -> Values:
    """Integers from `low` to `high`, both included."""
    return Values(lambda rng, shape: rng.integers(low, high, shape, dtype=dtype, endpoint=True), grad=False)


def bools() -> Values:
    """True and False."""
    return Values(lambda rng, shape: rng.integers(0, 2, shape).astype(bool), grad=False)


def distinct(low: float, high: float) -> Values:
    """Floats no two of which are closer than the spacing: no ties, no kinks of max, min or sort."""

    def draw(rng: Rng, shape: tuple[int, ...]) -> Any:
        count = int(np.prod(shape))
        return rng.permutation(np.linspace(low, high, max(count, 1)))[:count].reshape(shape)

    return Values(draw)


def cases(samples: Callable[[Rng], list[Sample]], errors: Callable[[], list[Bad]]) -> Domain:
    """A domain written out, for ops outside the families."""
    return Domain(samples, errors)


DATES = np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "datetime64[D]")
SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (5,), (3, 4), (2, 1, 3), (0, 3))
PAIRS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((), ()), ((5,), (5,)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3), ()), ((2, 1, 3), (4, 1)), ((0, 3), (1, 3)),
)  # fmt: skip


def gaussian(rng: Rng, *sizes: int) -> Any:
    """Complex numbers, normally distributed."""
    return np.asarray(rng.normal(size=sizes) + 1j * rng.normal(size=sizes))


def and_complex(found: Domain, samples: Callable[[Rng], list[Sample]]) -> Domain:
    """A domain together with samples of complex numbers."""
    return Domain(lambda rng: [*found.samples(rng), *samples(rng)], found.errors)


def unary_domain(values: Values, complex: bool = False) -> Domain:
    """One array of every usual shape, with `complex` also of complex numbers; refuses strings, objects and dates, or
    complex numbers."""

    def samples(rng: Rng) -> list[Sample]:
        real = [Sample((values.draw(rng, shape),), {}, values.grad) for shape in SHAPES]
        return [*real, *(Sample((gaussian(rng, *s),), {}, values.grad) for s in ((), (3, 2)) if complex)]

    def errors() -> list[Bad]:
        return [
            Bad((np.array(["a", "b"]),), {}, TypeError),
            Bad((DATES if complex else np.array([1 + 2j]),), {}, TypeError),
            Bad(([[1.0, 2.0], [3.0]],), {}, ValueError),
        ]

    return Domain(samples, errors)


def binary_domain(a: Values, b: Values, complex: bool = False) -> Domain:
    """Two arrays of equal and broadcasting shapes, with `complex` also of complex numbers; refuses shapes that do not
    broadcast, strings, and dates or complex numbers."""

    def samples(rng: Rng) -> list[Sample]:
        grad = a.grad and b.grad
        real = [Sample((a.draw(rng, s), b.draw(rng, t)), {}, grad) for s, t in PAIRS]
        if not complex:
            return real
        x, y = gaussian(rng, 3, 2), gaussian(rng, 2)
        return [*real, Sample((x, y), {}, grad), Sample((x, b.draw(rng, (2,))), {}, grad)]

    def errors() -> list[Bad]:
        rng = np.random.default_rng(0)
        good = b.draw(rng, (3,))
        return [
            Bad((a.draw(rng, (2, 4)), good), {}, ValueError),
            Bad((np.array(["a", "b", "c"]), good), {}, TypeError),
            Bad((DATES if complex else np.array([1j, 2j, 3j]), good), {}, TypeError),
        ]

    return Domain(samples, errors)
