"""A progress bar: live on a terminal, one plain line at the end elsewhere."""

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..engine.signatures import Checked

# A redraw may take this share of the time at most.
_SHARE = 0.005


class Progbar(metaclass=Checked):
    """Shows how far a loop is, with its numbers and the time left.

    target:            how many steps there are, None if unknown
    width:             of the bar in characters
    verbose:           0 nothing, 1 a live bar (a plain line at the end where there is no terminal), 2 a line at the end
    interval:          least seconds between two redraws
    stateful_metrics:  names whose value is shown as given; others are averaged over the steps
    stateless_metrics: instead: names that are averaged; others are shown as given
    unit_name:         what a step is called

    >>> import autograd_nn as ag
    >>> bar = ag.utils.Progbar(target=3, verbose=0)
    >>> bar.update(1, [("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self._stateful = None if stateful_metrics is None else frozenset(stateful_metrics)
        self._stateless = None if stateless_metrics is None else frozenset(stateless_metrics)
        self._sums: dict[str, list[Any]] = {}
        self._seen = 0
        self._start = time.perf_counter()
        self._after_first: float | None = None
        self._next_draw = 0.0
        self._live: Any = None

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Show step `current`, counted from 1, with pairs of a name and a number; the last step ends the line."""
        now = time.perf_counter()
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        if current == 1:
            self._after_first = now
        skipped = self.verbose == 0 or not finalize and (self.verbose == 2 or now < self._next_draw)
        # Numbers shown as given need not be kept when nothing is shown.
        if not (skipped and self._stateless == frozenset()):
            self._add(current, values or (), finalize)
        self._seen = current
        if skipped:
            return
        if finalize:
            self._finish(current, now)
        elif self._on_terminal():
            self._draw(current, now)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show `n` steps more."""
        self.update(self._seen + n, values)

    def close(self) -> None:
        """Give the terminal back when the loop is broken off; a second call does nothing."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _add(self, current: int, values: Iterable[tuple[str, Any]], finalize: bool) -> None:
        steps = max(current - self._seen, 1)
        for name, value in values:
            if not self._averaged(name) or finalize:
                self._sums[name] = [value, 1]
            elif name in self._sums:
                self._sums[name][0] += value * steps
                self._sums[name][1] += steps
            else:
                self._sums[name] = [value * steps, steps]

    def _averaged(self, name: str) -> bool:
        if self._stateless is not None:
            return name in self._stateless
        return self._stateful is None or name not in self._stateful

    def _on_terminal(self) -> bool:
        if self._live is not None:
            return True
        if not (hasattr(sys.stdout, "isatty") and sys.stdout.isatty() or "ipykernel" in sys.modules):
            self._next_draw = float("inf")
            return False
        from rich.live import Live

        self._live = Live(auto_refresh=False, redirect_stderr=False)
        self._live.start()
        return True

    def _draw(self, current: int, now: float) -> None:
        self._live.update(self._line(current, now, finalize=False), refresh=True)
        done = time.perf_counter()
        self._next_draw = done + max(self.interval, (done - now) / _SHARE)

    def _finish(self, current: int, now: float) -> None:
        if self.verbose == 1 and self._on_terminal():
            self._live.update(self._line(current, now, finalize=True))
            self.close()
            return
        print(self._plain(current, now), flush=True)

    def _line(self, current: int, now: float, finalize: bool) -> Any:
        from rich.text import Text

        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(f"{self._count(current)} ", style="bold")
        if self.target:
            filled = int(self.width * min(current / self.target, 1))
            line.append("━" * filled, style="green")
            line.append("━" * (self.width - filled) + " ", style="bright_black")
        elapsed = now - self._start
        left = elapsed if finalize or not self.target else self._pace(current, now) * (self.target - current)
        line.append(clock(left), style="bold")
        line.append(f" {pace(self._pace(current, now))}/{self.unit_name}{self._numbers()}")
        return line

    def _plain(self, current: int, now: float) -> str:
        speed = f"{pace(self._pace(current, now))}/{self.unit_name}"
        return f"{self._count(current)} - {clock(now - self._start)} - {speed}{self._numbers()}"

    def _count(self, current: int) -> str:
        if not self.target:
            return f"{current}/?"
        return f"{current:{len(str(self.target))}d}/{self.target}"

    def _numbers(self) -> str:
        return "".join(f" - {name}: {number(total, count)}" for name, (total, count) in self._sums.items())

    def _pace(self, current: int, now: float) -> float:
        """Seconds per step; the first step, which also compiles, counts only while it is the only one."""
        if not current:
            return 0.0
        if self._after_first is not None and current > 1:
            return (now - self._after_first) / (current - 1)
        return (now - self._start) / current


def clock(seconds: float) -> str:
    """Seconds as `5s`, `1:05` or `1:00:05`.

    >>> clock(5), clock(65), clock(3605)
    ('5s', '1:05', '1:00:05')
    """
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def pace(seconds: float) -> str:
    """Seconds per step in a fitting unit.

    >>> pace(2.0), pace(0.002), pace(2e-5)
    ('2s', '2ms', '20us')
    """
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def number(total: Any, count: int) -> str:
    """A mean as text with four digits.

    >>> number(0.5, 1), number(1e-5, 1)
    ('0.5000', '1.0000e-05')
    """
    try:
        mean = float(np.mean(total)) / max(1, count)
    except (TypeError, ValueError):
        return str(total)
    return f"{mean:.4f}" if abs(mean) > 1e-3 else f"{mean:.4e}"
