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


def _patience(callback: Callback) -> float:
    """How many batches may pass before a callback wants to be called."""
    if isinstance(callback, ProgbarLogger):
        return math.inf
    patience = getattr(callback, "batches_ahead", None)
    if patience is not None:
        return float(patience())
    own = getattr(callback, "__dict__", {})
    hooked = (hook in own or getattr(type(callback), hook, None) is not getattr(Callback, hook) for hook in _HOOKS)
    return 1 if any(hooked) else math.inf


def hurried(
    train: Any, source: Any, callbacks: Sequence[Callback], epoch: int, step: Callable[[Batch, int], Logs],
    first: int = 0,
) -> Iterator[tuple[int, int, Callable[[], Logs]]] | None:  # fmt: skip
    """The steps of an epoch in groups that take about `SECONDS_PER_CALL`: numbers of first and last, what runs them.

    step:  one step by itself, on a batch with its number
    first: the number of the first step to run
    None unless batches are rows of arrays as they are, and no callback looks at each of them.
    """
    if not isinstance(train, StepProgram) or not isinstance(source, ArrayBatches):
        return None
    # The patience of ModelCheckpoint changes from batch to batch; that of the others is the same at every moment.
    if any(_patience(callback) == 1 and not hasattr(callback, "batches_ahead") for callback in callbacks):
        return None
    arrays = source.arrays()
    pace = None if arrays is None else _Pace(train, source, arrays, epoch, step)
    return None if pace is None else _groups(source, pace, callbacks, first)


def _groups(
    source: ArrayBatches, pace: "_Pace", callbacks: Sequence[Callback], done: int
) -> Iterator[tuple[int, int, Callable[[], Logs]]]:
    while done < source.count:
        count = int(min(pace.steps(done), min(map(_patience, callbacks), default=math.inf)))
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
        found = self._train.repeat(self._batch, feeds, count)
        if found is None:
            self._possible = False
            return None
        results, undo = found
        logs = results_of(results, "train_step")
        if math.isfinite(logs.get("loss", 0.0)):
            return logs
        undo()
        return None
