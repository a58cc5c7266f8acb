"""What a framework hands over for a workload."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


def nothing() -> None:
    """Nothing to do before a step."""


@dataclass
class Contender:
    """One framework's training step.

    step:  runs step k on batch k and gives its loss, as a number
    reset: forgets what the framework gathers over steps, such as a running mean of the loss
    many:  makes ready a call that runs so many steps, where that is what is timed
    """

    step: Callable[[int], float]
    reset: Callable[[], object] = nothing
    many: Callable[[int], Callable[[], object]] | None = None

    def losses(self, count: int) -> list[float]:
        """The losses of the first steps."""
        found = []
        for k in range(count):
            self.reset()
            found.append(float(self.step(k)))
        return found

    def timed(self, count: int) -> list[float]:
        """Seconds of each of so many steps; with `many`, their mean."""
        if self.many is not None:
            call = self.many(count)
            start = time.perf_counter()
            call()
            return [(time.perf_counter() - start) / count]
        found = []
        for k in range(count):
            start = time.perf_counter()
            self.step(k)
            found.append(time.perf_counter() - start)
        return found
