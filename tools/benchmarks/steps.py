"""Training steps of several contenders on one workload: losses compared, then timed in turns."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .crew import Remote, WorkerFailed
from .worker import CONTENDERS
from .workloads import WORKLOADS, Workload

OURS = "autograd_nn"
COMPARED, TOLERANCE = 5, 1e-3
# About how long one contender runs before it is the next one's turn.
TURN = 0.25
Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """How to measure: blocks per contender, fresh processes per first step, threads, small sizes, what to say."""

    repeats: int
    starts: int
    threads: int
    quick: bool
    say: Callable[[str], None]

    def threads_for(self, w: Workload) -> int:
        return w.threads or self.threads

    def worker(self, contender: str, name: str, caches: Path) -> Remote:
        return Remote(contender, name, self.threads_for(WORKLOADS[name]), caches, self.quick)


def takes_part(contender: str, w: Workload) -> bool:
    """Whether a contender has this workload: only eager frameworks run ops one by one."""
    return w.model != "chain" or contender in (OURS, "torch")


def measure(name: str, contenders: list[str], settings: Settings) -> dict[str, Any]:
    """The figures of each contender; "error" where it, or the whole workload, failed."""
    w = WORKLOADS[name].quick() if settings.quick else WORKLOADS[name]
    rows: Rows = {c: {} for c in contenders if takes_part(c, w)}
    report: dict[str, Any] = {"what": w.what, "flops": w.flops, "threads": settings.threads_for(w), "rows": rows}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for contender in rows:
            _guarded(rows, contender, partial(_starts, name, contender, Path(folder), settings))
        workers = {c: stack.enter_context(settings.worker(c, name, _caches(Path(folder), c, 0))) for c in rows}
        settings.say(f"{name}: comparing losses")
        report["losses"] = _losses(rows, workers)
        if wrong := disagreement(report["losses"]):
            return {**report, "error": wrong}
        _time(name, rows, workers, settings)
    return report


def _guarded(rows: Rows, contender: str, work: Callable[[], dict[str, Any]]) -> None:
    """Take what a contender's work gives into its row, or why it failed."""
    if "error" in rows[contender]:
        return
    try:
        rows[contender] |= work()
    except WorkerFailed as error:
        rows[contender]["error"] = str(error)


def _starts(name: str, contender: str, folder: Path, settings: Settings) -> dict[str, Any]:
    """The fastest first steps in fresh processes, with an empty cache and then with what that left there."""
    if contender.endswith(".fit"):
        return {}
    settings.say(f"{name}: first steps of {contender}")
    found: dict[str, list[dict[str, float]]] = {"empty": [], "warm": []}
    for k in range(settings.starts):
        for state in found:
            with settings.worker(contender, name, _caches(folder, contender, k)) as worker:
                found[state].append(worker.ask("start"))
    return {"start": {state: {key: min(r[key] for r in runs) for key in runs[0]} for state, runs in found.items()}}


def _caches(folder: Path, contender: str, k: int) -> Path:
    """A contender's k-th folder for compiled code; what is timed over many steps starts with folder 0."""
    own = folder / contender.removesuffix(".fit") / str(k)
    own.mkdir(parents=True, exist_ok=True)
    return own


def _losses(rows: Rows, workers: dict[str, Remote]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}

    def compared(contender: str) -> dict[str, Any]:
        workers[contender].ask("prepare")
        found[contender] = workers[contender].ask("losses", count=COMPARED)
        return {}

    for contender in rows:
        _guarded(rows, contender, partial(compared, contender))
    return found


def disagreement(losses: dict[str, list[float]]) -> str:
    """What two contenders disagree on most, "" if on nothing: relative, over the first steps."""
    worst, text = TOLERANCE, ""
    names = list(losses)
    for first, second in ((a, b) for k, a in enumerate(names) for b in names[k + 1 :]):
        for step, (x, y) in enumerate(zip(losses[first], losses[second])):
            apart = abs(x - y) / max(abs(x), abs(y), 1e-30)
            if not apart <= worst:
                worst, text = apart, f"losses differ in step {step}: {first} {x:.6g}, {second} {y:.6g}"
    return text


def _time(name: str, rows: Rows, workers: dict[str, Remote], settings: Settings) -> None:
    """Blocks of steps in turns."""
    counts: dict[str, int] = {}
    blocks: dict[str, list[list[float]]] = {contender: [] for contender in rows}

    def built(contender: str) -> dict[str, Any]:
        counts[contender] = workers[contender].ask("build", seconds=0.0 if settings.quick else TURN)
        return {}

    def block(contender: str) -> dict[str, Any]:
        blocks[contender].append(workers[contender].ask("timed", count=counts[contender]))
        return {}

    def figures(contender: str) -> dict[str, Any]:
        return {"memory": workers[contender].ask("memory"), **summary(blocks[contender])}

    settings.say(f"{name}: building and timing")
    for contender in rows:
        _guarded(rows, contender, partial(built, contender))
    for _ in range(settings.repeats):
        for contender in rows:
            _guarded(rows, contender, partial(block, contender))
    for contender in rows:
        _guarded(rows, contender, partial(figures, contender))


def summary(blocks: list[list[float]]) -> dict[str, Any]:
    """Median and minimum of all steps in ms; `blocks` are the medians of the single blocks."""
    steps = [seconds * 1e3 for block in blocks for seconds in block]
    return {
        "median": statistics.median(steps),
        "minimum": min(steps),
        "steps": len(steps),
        "blocks": [statistics.median(block) * 1e3 for block in blocks],
    }


def peers(contenders: list[str]) -> list[str]:
    """The contenders that are not ours."""
    return [c for c in contenders if CONTENDERS[c][2] != OURS]
