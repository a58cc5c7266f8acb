"""The measurements beside the training steps, from the side of the one who asks."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .crew import WorkerFailed, environment
from .steps import OURS, Settings

FACTORS = [1, 2, 4, 8, 16, 32, 64]
NODES = [2500, 5000, 10000]
CHAPTER = "mlp_seed"
# What grows from which size on: large enough that one step is work and not calls.
BASES = {
    "batch": {"batch": 256, "width": 128},
    "width": {"batch": 512, "width": 64},
    "depth": {"batch": 512, "width": 128},
}
Report = dict[str, Any]


def fit(contenders: list[str], settings: Settings) -> Report:
    """`fit` of the chapter's model: 5 epochs of MNIST at batch 128."""
    size = {"epochs": 1, "samples": 1024} if settings.quick else {"epochs": 5, "samples": 60000}
    able = [c for c in contenders if c in (OURS, "keras")]
    found = _asked("fit", able, settings, settings.starts, {**size, "threads": settings.threads})
    return {"what": "fit of 784-32-10, 5 epochs of MNIST, batch 128, first call of a process; seconds", "rows": found}


def predict(contenders: list[str], settings: Settings) -> Report:
    """The output for one sample."""
    given = {"count": 20 if settings.quick else 1000, "threads": settings.threads}
    able = [c for c in contenders if c in (OURS, "keras", "torch", "jax")]
    found = _asked("predict", able, settings, 0, given)
    return {"what": "the output of 784-32-10 for one sample; microseconds", "rows": found}


def resize(contenders: list[str], settings: Settings) -> Report:
    """A batch of another size."""
    able = [c for c in contenders if not c.endswith(".fit")]
    found = _asked("resize", able, settings, 0, {"last": 3 if settings.quick else 96})
    return {"what": "784-32-10: a batch of 96 after batches of 128; milliseconds", "rows": found}


def imports(contenders: list[str], settings: Settings) -> Report:
    """The time that `import` takes, in fresh processes."""
    names = [c for c in contenders if c in (OURS, "keras", "torch", "jax")]
    times: dict[str, list[float]] = {name: [] for name in names}
    settings.say("import: fresh processes")
    with tempfile.TemporaryDirectory() as folder:
        env = environment(settings.threads, Path(folder))
        for _ in range(2 if settings.quick else 7):
            for name in names:
                code = f"import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"
                run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
                if run.returncode == 0:
                    times[name].append(float(run.stdout))
    rows = {n: {"median": statistics.median(t), "minimum": min(t)} if t else _failed() for n, t in times.items()}
    return {"what": "import of the package; seconds", "rows": rows}


def _failed() -> dict[str, Any]:
    return {"error": "it cannot be imported"}


def scaling(contenders: list[str], settings: Settings) -> Report:
    """Batch, width and depth doubled: the time per unit of work beside that of the smallest."""
    factors = FACTORS[:2] if settings.quick else FACTORS
    rows: dict[str, Any] = {}
    for contender in (c for c in contenders if not c.endswith(".fit")):
        rows[contender] = {}
        for kind in BASES:
            settings.say(f"scaling: {kind}, {contender}")
            given = {"kind": kind, "factors": factors, "rounds": settings.repeats, "base": BASES[kind]}
            rows[contender][kind] = _once(contender, settings, "scale", given)
    return {"what": "training steps that grow; time per unit of work, relative to the smallest", "rows": rows}


def nodes(contenders: list[str], settings: Settings) -> Report:
    """Tracing and compiling graphs of many nodes, each in a fresh process with an empty cache."""
    counts = [50, 100] if settings.quick else NODES
    found = []
    for count in counts:
        settings.say(f"nodes: {count}")
        found.append(_once(OURS, settings, "nodes", {"count": count, "threads": settings.threads}))
    return {"what": "trace and compile of a chain, first call with an empty cache; seconds", "rows": {OURS: found}}


def _once(contender: str, settings: Settings, name: str, given: dict[str, Any]) -> Any:
    """The answer of a fresh worker with an empty cache; its error where it has none."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with settings.worker(contender, CHAPTER, Path(folder)) as worker:
                return worker.ask("extra", name=name, **given)
        except WorkerFailed as error:
            return {"error": str(error)}


def _asked(name: str, contenders: list[str], settings: Settings, starts: int, given: dict[str, Any]) -> Report:
    """The answers of workers; with `starts`, the fastest in fresh processes with an empty and with a warm cache."""
    found: Report = {}
    for contender in contenders:
        settings.say(f"{name}: {contender}")
        once = _states(contender, settings, name, starts, given) if starts else _once(contender, settings, name, given)
        found[contender] = once
    return found


def _states(contender: str, settings: Settings, name: str, starts: int, given: dict[str, Any]) -> Report:
    runs: dict[str, list[dict[str, float]]] = {"empty": [], "warm": []}
    for _ in range(starts):
        with tempfile.TemporaryDirectory() as folder:
            for state in runs:
                try:
                    with settings.worker(contender, CHAPTER, Path(folder)) as worker:
                        runs[state].append(worker.ask("extra", name=name, **given))
                except WorkerFailed as error:
                    return {"error": str(error)}
    return {state: min(found, key=lambda run: run["seconds"]) for state, found in runs.items()}


OTHERS: dict[str, Callable[[list[str], Settings], Report]] = {
    "fit": fit, "predict": predict, "resize": resize, "import": imports, "scaling": scaling, "nodes": nodes,
}  # fmt: skip
GROWING = ("scaling", "nodes")
