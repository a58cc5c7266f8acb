"""Many training steps in one call of a program, where nothing wants to see each of them."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..callbacks import Callback, ProgbarLogger
from ..callbacks.callback import plain_logs
from ..errors import ArgumentTypeError, short
from ..transforms import jit, no_grad
from .data import ArrayBatches, Batch

Logs = dict[str, Any]
# A progress bar that moves so often looks alive, and Ctrl-C is answered at once.
SECONDS_PER_CALL = 0.05
_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


class StepProgram:
    """A step of training, testing or prediction as one program for batches of any size."""

    def __init__(self, run: Callable[[Any], Any]) -> None:
        self._program = jit(run, batched=True)

    def __call__(self, data: Any) -> Any:
        with no_grad():
            return self._program(data)

    def repeat(self, data: Batch, feeds: Sequence[Any], steps: int) -> Any:
        """So many steps at once, as `Jitted.repeat`; `data` is a batch that has been taken."""
        with no_grad():
            return self._program.repeat((data,), feeds, steps)

    def explain(self, source: bool = False) -> str:
        """What the program does."""
        told: str = self._program.explain(source)
        return told


class Feed(NamedTuple):
    """All samples of an array, and the order in which to take them."""

    array: np.ndarray
    order: np.ndarray


def results_of(logs: Any, step: str) -> Logs:
    """The results of a step as plain numbers; ArgumentTypeError if these are not in a dict."""
    if not isinstance(logs, dict):
        raise ArgumentTypeError(f"{step} must return a dict of results, got {short(logs)}")
    return plain_logs(logs)


def _watches(callback: Callback) -> bool:
    """Whether a callback wants to see every batch."""
    if isinstance(callback, ProgbarLogger):
        return False
    return any(getattr(type(callback), hook) is not getattr(Callback, hook) for hook in _HOOKS)


def hurried(
    train: Any, source: Any, callbacks: Sequence[Callback], epoch: int, step: Callable[[Batch, int], Logs]
) -> Iterator[tuple[int, int, Callable[[], Logs]]] | None:
    """The steps of an epoch in groups that take about `SECONDS_PER_CALL`: numbers of first and last, what runs them.

    step: one step by itself, on a batch with its number
    None unless batches are rows of arrays as they are, and no callback looks at each of them.
    """
    if not isinstance(train, StepProgram) or not isinstance(source, ArrayBatches) or any(map(_watches, callbacks)):
        return None
    arrays = source.arrays()
    return None if arrays is None else _groups(source, _Pace(train, source, arrays, epoch, step))


def _groups(source: ArrayBatches, pace: "_Pace") -> Iterator[tuple[int, int, Callable[[], Logs]]]:
    done = 0
    while done < source.count:
        count = pace.steps(done)
        yield done, done + count - 1, lambda first=done, count=count: pace.run(first, count)  # type: ignore[misc]
        done += count


class _Pace:
    """Runs groups of steps, and learns how long one takes."""

    def __init__(
        self,
        train: StepProgram,
        source: ArrayBatches,
        arrays: list[Any],
        epoch: int,
        step: Callable[[Batch, int], Logs],
    ) -> None:
        self._train, self._source, self._arrays, self._step = train, source, arrays, step
        self._order = np.ascontiguousarray(source.order(epoch))
        self._whole = len(self._order) // source.batch_size
        self._batch: Batch | None = None
        self._seconds = math.inf
        self._possible = True

    def steps(self, done: int) -> int:
        """How many steps to run next, after those that are done."""
        count = int(SECONDS_PER_CALL / self._seconds) if self._possible else 1
        return max(1, min(count, self._whole - done))

    def run(self, first: int, count: int) -> Logs:
        """Run so many steps; where the loss is not finite after them, again one by one, to find the first."""
        begin = time.perf_counter()
        logs = self._together(first, count) if count > 1 else None
        if logs is None:
            for number in range(first, first + count):
                self._batch = self._source.taken(self._order, number)
                logs = self._step(self._batch, number)
        self._seconds = min(self._seconds, (time.perf_counter() - begin) / count)
        assert logs is not None
        return logs

    def _together(self, first: int, count: int) -> Logs | None:
        order = self._order[first * self._source.batch_size :]
        feeds = [Feed(array, order) for array in self._arrays]
        found = self._train.repeat(self._batch or (), feeds, count)
        if found is None:
            self._possible = False
            return None
        results, undo = found
        logs = results_of(results, "train_step")
        if math.isfinite(logs.get("loss", 0.0)):
            return logs
        undo()
        return None
