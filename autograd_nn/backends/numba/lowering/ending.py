"""What becomes of the elements that a kernel just wrote: an elementwise loop over them, while they are in the cache.

One of the loop's targets holds what the kernel itself writes, and then what the loop makes of it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ....engine.tensor import Tensor
from ..machine.memory import View
from .bind import Binding, Deferred, same_loop
from .expression import Body, copy_body, uses
from .loops import Collapsed, collapse, offsets


class Ending(NamedTuple):
    """The loop of `body`, of which operand `at` is what the kernel writes first, into target number `made`."""

    body: Body
    at: int
    sources: Sequence[View]
    targets: Sequence[View]
    made: int
    note: str

    @property
    def views(self) -> list[View]:
        """The other operands, broadcast to the result, then the results."""
        return [*(view.broadcast(self.targets[0].shape) for view in self.sources), *self.targets]

    @property
    def dtypes(self) -> list[np.dtype[Any]]:
        """Those of the views."""
        return [view.dtype for view in self.views]

    def names(self, own: int) -> list[str]:
        """What a kernel that reads `own` other arrays calls the views."""
        return [f"x{k + own}" for k in range(len(self.sources))] + [f"y{k}" for k in range(len(self.targets))]

    def outer(self) -> Collapsed:
        """All axes but the last, neighbours joined."""
        return collapse(self.targets[0].shape[:-1], [view.steps()[:-1] for view in self.views])

    def words(self) -> list[int]:
        """The geometry of the loop."""
        sizes, steps = self.outer()
        return sizes + [word for view, step in zip(self.views, steps) for word in (*step, view.steps()[-1])]

    def lines(self, first: int, own: int) -> list[str]:
        """The loop over `count` rows, the first of which is `begin`, `step` apart, and columns c0..c1 of each.

        Rows are counted in row-major order over all axes but the last. The geometry stands from word `first`.
        """
        outer, names = len(self.outer().sizes), self.names(own)
        at = {name: first + outer + k * (outer + 1) for k, name in enumerate(names)}
        reads = {0: "{x}[p_{x}]", 1: "{x}[p_{x} + column]"}
        element = {
            x: reads.get(view.steps()[-1], "{x}[p_{x} + column * g[{word}]]").format(x=x, word=at[x] + outer)
            for x, view in zip(names, self.views)
        }
        operands = names[: len(self.sources)]
        operands.insert(self.at, f"y{self.made}")
        inside = [f"v{k} = {element[x]}" for k, x in enumerate(operands) if uses(self.body, f"v{k}")]
        inside += self.body.lines
        inside += [f"{element[f'y{k}']} = {result}" for k, result in enumerate(self.body.results)]
        return [
            "for row in range(count):",
            "    place = np.uint64(begin + row * step)",
            *("    " + line for x in names for line in offsets(f"p_{x}", "place", outer, first, at[x])),
            "    for column in range(np.uint64(c0), np.uint64(c1)):",
            *("        " + line for line in inside),
        ]


class Followed(Deferred):
    """An elementwise loop of which operand `at` is not computed yet: `write(target, ending)` does that."""

    def __init__(self, body: Body, sources: list[View], note: str, at: int, dtype: Any, write: Any) -> None:
        super().__init__(body, sources, note)
        self.at, self.dtype, self.write = at, dtype, write

    @property
    def bare(self) -> bool:
        """Whether there is nothing else to compute."""
        return not self.body.lines and self.body.results == (f"v{self.at}",)

    def waits(self, t: Tensor, user: Any) -> bool:
        """Whether this may be left to the only reader of its node: an elementwise loop of the same shape."""
        return self.bare and same_loop(t, user)

    def within(self, b: Binding, body: Body, inputs: Sequence[Tensor], at: int, note: str) -> Deferred:
        """The loop of `body`, of which this is operand `at`."""
        sources = [b.view(i) for k, i in enumerate(inputs) if k != at]
        return Followed(body, sources, f"{self.note}\n{note}", at, self.dtype, self.write)

    def run(self, b: Binding, targets: Sequence[View]) -> None:
        """Append the kernels that compute the operand and what becomes of it."""
        made = next((k for k, view in enumerate(targets) if view.dtype == self.dtype and view.contiguous), None)
        if self.bare:
            self.write(targets[0], None)
        elif made is not None:
            self.write(targets[made], Ending(self.body, self.at, self.sources, targets, made, self.note))
        else:
            between = b.fresh(targets[0].shape, self.dtype)
            self.write(between, None)
            sources = [*self.sources[: self.at], between, *self.sources[self.at :]]
            Deferred(self.body, sources, self.note).run(b, targets)


def followed(b: Binding, t: Tensor, write: Callable[[View, Ending | None], None]) -> bool:
    """Let `write` compute a node, together with the elementwise loop that alone reads it."""
    op: Any = t.op
    return b.defer(t, Followed(copy_body(), [], op.name, 0, t.spec.dtype, write))
