"""The one team of threads of this process.

Workers are Python threads inside compiled code that holds no lock of the interpreter. Between programs a worker spins
for some 100 microseconds and then parks on an event. A program is run by the calling thread and by those workers that
are awake; the others are woken and help as soon as they come, so nobody ever waits for a thread to start. With the
team busy for another thread, a program runs alone.
"""

import os
import threading

import numpy as np

from ...threads import num_threads
from . import execute
from .execute import CLAIMS, PARKED, PER_THREAD, SPINNING, STATE, STOPPED, shared_bytes
from .memory import address, aligned_bytes

_IDLE_SPINS = 40000
# The alarm of tables in which nothing can go wrong.
_CALM = np.zeros(1, np.int64)
_CALM_AT = address(_CALM)


class _Crew:
    """Workers and what they share with their leader."""

    def __init__(self, workers: int) -> None:
        raw = aligned_bytes(shared_bytes(workers + 1))
        raw[...] = 0
        self.shared = raw.view(np.int64)
        self.place = address(raw)
        self.states = self.shared[(CLAIMS + STATE) // 8 :: PER_THREAD // 8][1:]
        self.threads = workers + 1
        self.events = [threading.Event() for _ in range(workers)]
        for k in range(workers):
            threading.Thread(target=self._work, args=(k,), name=f"autograd_nn-{k + 1}", daemon=True).start()

    def wake(self) -> None:
        """Call those who are parked."""
        for k, event in enumerate(self.events):
            if self.states[k] == PARKED:
                self.states[k] = SPINNING
                event.set()

    def dismiss(self) -> None:
        """Let the workers end."""
        self.states[...] = STOPPED
        for event in self.events:
            event.set()

    def _work(self, k: int) -> None:
        serve = execute.functions().serve
        while self.states[k] != STOPPED:
            serve(self.place, k + 1, _IDLE_SPINS)
            if self.states[k] == PARKED:
                self.events[k].wait()
            self.events[k].clear()


class Team:
    """The calling thread and its workers."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forked = False
        self._crew: _Crew | None = None

    def run(self, rows: int, begin: int, end: int, alarm: int = 0, together: bool = True) -> None:
        """Run rows begin..end of the table at that address; a row that sets the word at `alarm` is the last.

        together: whether there is enough to do to call the others
        """
        alarm = alarm or _CALM_AT
        crew = self._joined() if together else None
        try:
            if crew is None:
                execute.functions().alone(rows, begin, end, alarm)
            else:
                execute.functions().lead(rows, begin, end, crew.place, crew.threads, alarm)
        finally:
            self._part(crew)

    def repeat(self, rows: int, end: int, steps: int, bumps: int, count: int, alarm: int = 0) -> None:
        """Run all rows of a table so many times, with words that move on in between; not after an alarm."""
        alarm = alarm or _CALM_AT
        crew = self._joined()
        try:
            place, threads = (0, 1) if crew is None else (crew.place, crew.threads)
            execute.functions().repeat(rows, end, place, threads, steps, bumps, count, alarm)
        finally:
            self._part(crew)

    def _joined(self) -> "_Crew | None":
        """The crew, awake and ours alone until `_part`; None where there is none to be had."""
        threads = 1 if self.forked else num_threads()
        if threads == 1 or not self.lock.acquire(blocking=False):
            return None
        crew = self._crew
        if crew is None or crew.threads != threads:
            crew = self._renewed(threads - 1)
        crew.wake()
        return crew

    def _part(self, crew: "_Crew | None") -> None:
        if crew is not None:
            self.lock.release()

    def _renewed(self, workers: int) -> _Crew:
        if self._crew is not None:
            self._crew.dismiss()
        self._crew = _Crew(workers)
        return self._crew

    def after_fork(self) -> None:
        """In a child process there are no workers."""
        self.__init__()  # type: ignore[misc]
        self.forked = True


TEAM = Team()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TEAM.after_fork)
