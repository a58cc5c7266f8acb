"""Results that take the place of an input: the new value of a weight written where the old one lay.

Only the last act of a program may do so: after all that can fail, and after the last use of the old value, or in the
elementwise loop that reads it for the last time, element by element.
"""

from collections.abc import Sequence
from typing import Any

from .lifetimes import lifetimes
from .lowering.bind import LoopStep, NativeStep, PythonStep, Step
from .lowering.flow import flat, written
from .machine.memory import INPUT, Buffer, View

Replaced = tuple[tuple[int, int], ...]


def replace(steps: list[Step], outputs: Sequence[View | int], pairs: Replaced) -> dict[int, int]:
    """Rewrite the steps so that outputs lie where inputs were, where that is safe.

    pairs: (number of an input, number of the output that replaces it)
    Returns, by the slot of each such output's buffer, the number of the input.
    """
    lifetimes(steps)
    kernels = list(flat(steps))
    begin = 1 + max((k for k, step in enumerate(steps) if _may_fail(step)), default=-1)
    inputs: dict[int, Buffer] = {}
    for view in (v for step in kernels for v in step.views):
        buffer = view.root()[0]
        if buffer.kind == INPUT:
            inputs[buffer.slot] = buffer
    makers = _makers(steps, begin)
    found: dict[int, int] = {}
    rewritten: dict[int, Any] = {}
    for given, result in pairs:
        place = outputs[result]
        if not isinstance(place, View) or place.buffer.slot in found:
            continue
        if _settles(steps, makers.get(place.buffer), place, inputs.get(given), rewritten):
            found[place.buffer.slot] = given
    for k, recipe in rewritten.items():
        step = steps[k]
        assert isinstance(step, NativeStep)
        step.rewrite(recipe, step.results)
    return found


def _may_fail(step: Step) -> bool:
    """Whether a step can raise, so that nothing may have been replaced before."""
    return isinstance(step, PythonStep) or any(k.fault for k in flat([step]))


def _makers(steps: Sequence[Step], begin: int) -> dict[Buffer, int]:
    """The step from `begin` on that is alone in writing a buffer."""
    makers: dict[Buffer, int] = {}
    several: dict[Buffer, None] = {}
    for k, step in enumerate(steps):
        native = flat([step]) if not isinstance(step, PythonStep) else []
        for buffer in dict.fromkeys(b for s in native for b in written(s)):
            if buffer in makers or k < begin or isinstance(step, LoopStep):
                several[buffer] = None
            makers[buffer] = k
    return {buffer: k for buffer, k in makers.items() if buffer not in several}


def _settles(steps: list[Step], place: int | None, view: View, old: Buffer | None, rewritten: dict[int, Any]) -> bool:
    """Whether an output can lie where an input was; where its step still reads that, its new recipe is noted."""
    if place is None:
        return False
    if old is None or old.last < view.buffer.first:
        return True
    step = steps[place]
    if old.last > view.buffer.first or not isinstance(step, NativeStep) or step.recipe is None:
        return False
    recipe = rewritten.get(place, step.recipe)
    reads = [v for v in recipe.sources if v.buffer is old]
    aligned = all(v._replace(buffer=view.buffer) == view for v in reads)
    if not aligned or sum(v.root()[0] is old for v in step.views) > len(reads):
        return False
    sources = tuple(v._replace(buffer=view.buffer) if v.buffer is old else v for v in recipe.sources)
    rewritten[place] = recipe._replace(sources=sources)
    return True
