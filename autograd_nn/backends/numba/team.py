"""The one team of threads of this process.

Workers are Python threads inside compiled code that holds no lock of the interpreter. Each has a mailbox of words in
memory. Between programs a worker spins for about 100 microseconds and then parks on an event. A program is run by the
calling thread and by those workers that are awake; the others are woken and join as soon as they come, so nobody ever
waits for a thread to start. With the team busy for another thread, a program runs alone.
"""

import os
import threading

import numpy as np

from ..threads import num_threads
from .execute import BOX_WORDS, IDLE, PARKED, SHARED_BYTES, STATE, THREAD, lead, serve
from .memory import address, aligned_bytes

_IDLE_SPINS = 6000


class Team:
    """The calling thread and its workers."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forked = False
        self._events: list[threading.Event] = []
        self._shared = aligned_bytes(SHARED_BYTES)
        self._shared[...] = 0
        self._boxes = np.zeros((0, BOX_WORDS), np.int64)
        self._nobody = self._boxes

    def run(self, rows: np.ndarray, begin: int, end: int) -> None:
        """Run rows begin..end of a table."""
        threads = 1 if self.forked else num_threads()
        if threads == 1 or not self.lock.acquire(blocking=False):
            lead(rows, begin, end, self._nobody, 0, address(self._shared))
            return
        try:
            if len(self._events) != threads - 1:
                self._resize(threads - 1)
            self._wake()
            lead(rows, begin, end, self._boxes, address(self._boxes), address(self._shared))
        finally:
            self.lock.release()

    def _wake(self) -> None:
        for event, box in zip(self._events, self._boxes):
            if box[STATE] == PARKED:
                event.set()

    def _resize(self, workers: int) -> None:
        """Let the old workers end, and start new ones with mailboxes of their own."""
        for event, box in zip(self._events, self._boxes):
            box[THREAD] = -1
            event.set()
        raw = aligned_bytes(max(workers, 1) * BOX_WORDS * 8)
        self._boxes = raw.view(np.int64).reshape(-1, BOX_WORDS)[:workers]
        self._boxes[...] = 0
        self._events = [threading.Event() for _ in range(workers)]
        for k, event in enumerate(self._events):
            arguments = (self._boxes[k], event)
            threading.Thread(target=self._work, args=arguments, name=f"autograd_nn-{k + 1}", daemon=True).start()

    def _work(self, box: np.ndarray, event: threading.Event) -> None:
        place = address(box)
        while True:
            event.wait()
            event.clear()
            if box[THREAD] == -1 and box[STATE] == PARKED:
                return
            box[STATE] = IDLE
            serve(box, place, address(self._shared), _IDLE_SPINS)

    def after_fork(self) -> None:
        """In a child process there are no workers."""
        self.__init__()  # type: ignore[misc]
        self.forked = True


TEAM = Team()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TEAM.after_fork)
