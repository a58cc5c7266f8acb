"""Ctrl-C in the middle of a training step waits for the end of the step."""

import signal
import threading
from collections.abc import Callable
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Inside `with`, signals that raise an exception are answered between steps, so that no step is left half done.

    Between `hold()` and `release()` a first signal waits while `patient` is set; a second one is answered at once. This
    concerns SIGINT (Ctrl-C raises KeyboardInterrupt), and SIGTERM where the program has set a handler of its own;
    without one SIGTERM ends the process as the system does it. Outside of the main thread, which alone gets signals,
    nothing is changed.
    """

    patient = False

    def __init__(self) -> None:
        self._before: dict[int, Callable[..., Any]] = {}
        self._holding = False
        self._waiting: int | None = None

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            handlers = {number: signal.getsignal(number) for number in _SIGNALS}
            self._before = {number: handler for number, handler in handlers.items() if callable(handler)}
            for number in self._before:
                signal.signal(number, self._receive)
        return self

    def __exit__(self, *error: Any) -> None:
        self._holding = False
        for number, handler in self._before.items():
            # A handler that was set in the meantime stays.
            if signal.getsignal(number) == self._receive:
                signal.signal(number, handler)
        self._answer()

    def hold(self) -> None:
        """From here on a signal waits, if `patient` is set."""
        self._holding = self.patient

    def release(self, first: Callable[[], Any]) -> None:
        """Answer the signal that waits, if there is one, after calling `first`; later ones are answered at once."""
        self._holding = False
        if self._waiting is not None:
            try:
                first()
            finally:
                self._answer()

    def _receive(self, number: int, frame: Any) -> None:
        if self._holding and self._waiting is None:
            self._waiting = number
            return
        self._waiting = None
        self._before[number](number, frame)

    def _answer(self) -> None:
        number, self._waiting = self._waiting, None
        if number is not None:
            self._before[number](number, None)
