"""When something that happens every so many batches is due."""

import math
from typing import Any

import numpy as np

from ..errors import InvalidArgument, short


class Frequency:
    """Counts batches across epochs.

    every: "epoch", or a number of batches
    Raises InvalidArgument for anything else; `who` names the callback in the message.
    """

    def __init__(self, every: Any, who: str) -> None:
        whole = isinstance(every, (int, np.integer)) and not isinstance(every, bool)
        if every != "epoch" and not (whole and every >= 1):
            raise InvalidArgument(f"{who}: save_freq must be 'epoch' or a number of batches >= 1, got {short(every)}")
        self.every = every
        self.seen = 0
        self.last = -1

    def due(self, batch: int) -> bool:
        """Whether it is due after this batch of an epoch, counted from 0; batches may be left out."""
        if self.every == "epoch":
            return False
        self.seen += batch + 1 if batch <= self.last else batch - self.last
        self.last = batch
        if self.seen < self.every:
            return False
        self.seen = 0
        return True

    def ahead(self) -> float:
        """How many more batches there are until it is due."""
        return math.inf if self.every == "epoch" else max(1, self.every - self.seen)

    def get_state(self) -> dict[str, int]:
        return {"seen": self.seen, "last": self.last}

    def set_state(self, state: dict[str, int]) -> None:
        self.seen, self.last = state["seen"], state["last"]
