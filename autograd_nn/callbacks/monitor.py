"""Callbacks that watch one number."""

import operator
from collections.abc import Callable
from typing import Any

from ..errors import InvalidArgument, did_you_mean, short
from .callback import Callback

MODES = ("auto", "min", "max")


class MonitorCallback(Callback):
    """Base of callbacks that ask whether a result got better.

    monitor:   its name in the logs
    mode:      "min" if smaller is better, "max" if larger is; "auto" knows that of losses and metrics
    min_delta: a smaller change is no improvement
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ) -> None:
        super().__init__()
        if mode not in MODES:
            hint = did_you_mean(mode, MODES) or f"; expected one of {', '.join(MODES)}"
            raise InvalidArgument(f"{type(self).__name__}: unknown mode {short(mode)}{hint}")
        if not isinstance(monitor, str):
            raise InvalidArgument(f"{type(self).__name__}: monitor must be the name of a result, got {short(monitor)}")
        self.monitor = monitor
        self.mode = mode
        self.best: Any = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    # The attributes that change during training.
    _remembered: tuple[str, ...] = ("best",)

    def get_state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._remembered}

    def set_state(self, state: dict[str, Any]) -> None:
        for name in self._remembered:
            setattr(self, name, state[name])

    def _set_monitor_op(self) -> None:
        """Choose the comparison; InvalidArgument where "auto" does not know."""
        direction = {"min": "down", "max": "up"}.get(self.mode) or self._direction()
        if direction is None:
            raise InvalidArgument(
                f"{type(self).__name__}: is a larger or a smaller {self.monitor!r} better? pass mode='max' or 'min'"
            )
        self.monitor_op = operator.gt if direction == "up" else operator.lt
        self.min_delta = self.min_delta if direction == "up" else -self.min_delta

    def _direction(self) -> str | None:
        directions: dict[str, str] = getattr(self.model, "log_directions", dict)()
        name = self.monitor.removeprefix("val_")
        return directions.get(name, "down" if name == "loss" else None)

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        assert self.monitor_op is not None
        return reference is None or bool(self.monitor_op(value - self.min_delta, reference))
