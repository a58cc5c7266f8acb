"""When values are needed: the first and last moment of each buffer, from which the arena is planned."""

from collections.abc import Sequence

from .lowering.bind import LoopStep, Step
from .machine.memory import Buffer


def lifetimes(steps: Sequence[Step]) -> list[Buffer]:
    """All buffers that steps use; each now knows the first and the last moment at which it is needed."""
    _count(steps, 0)
    found: dict[Buffer, None] = {}
    _live(steps, (), found)
    return list(found)


def _count(steps: Sequence[Step], moment: int) -> int:
    """Number the moments, one per kernel; loops learn theirs."""
    for step in steps:
        if isinstance(step, LoopStep):
            step.first = moment
            moment = _count(step.steps, moment)
            step.last = moment - 1
        else:
            moment += 1
    return moment


def _live(steps: Sequence[Step], around: tuple[LoopStep, ...], found: dict[Buffer, None]) -> None:
    """Note uses. What lives outside of a loop is needed until its end, for every step uses it."""
    moment = around[-1].first if around else 0
    for step in steps:
        if isinstance(step, LoopStep):
            _live(step.steps, (*around, step), found)
            moment = step.last + 1
            continue
        for view in step.views:
            buffer = view.root()[0]
            inner = around[1 + around.index(buffer.home) :] if buffer.home in around else around
            first, last = (inner[0].first, inner[0].last) if inner else (moment, moment)
            if buffer not in found:
                found[buffer] = None
                buffer.first = first
            buffer.first, buffer.last = min(buffer.first, first), max(buffer.last, last)
        moment += 1
