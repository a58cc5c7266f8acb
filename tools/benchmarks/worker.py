"""One framework on one workload, in a process of its own: answers requests, one JSON object a line.

`python -m benchmarks.worker CONTENDER WORKLOAD THREADS [quick]`. The time from the start of the framework's import
counts, so nothing that a framework might need is imported before.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# For each contender its side here, its variant, and the framework that is imported.
CONTENDERS = {
    "autograd_nn": ("in_keras", "autograd_nn", "autograd_nn"),
    "autograd_nn.fit": ("in_keras", "autograd_nn.fit", "autograd_nn"),
    "torch": ("in_torch", "", "torch"),
    "torch.compile": ("in_torch", "compile", "torch"),
    "jax": ("in_jax", "", "jax"),
    "keras": ("in_keras", "keras", "keras"),
    "keras.fit": ("in_keras", "keras.fit", "keras"),
}
# What a framework imports when it first runs; loaded beforehand where memory is measured from after the imports.
LATE = {"autograd_nn": ["autograd_nn.backends.numba"]}
MB = 2**20


@dataclass
class Worker:
    """The state between requests. Every public method is a request; its result is the answer."""

    contender: str
    workload: str
    threads: int
    quick: bool = False
    made: Any = None
    memory_before: int = 0

    def start(self) -> dict[str, float]:
        """Import, build, run the first step: seconds of each, and of all without making the data."""
        side, variant, framework = CONTENDERS[self.contender]
        begin = time.perf_counter()
        importlib.import_module(framework)
        imported = time.perf_counter() - begin
        w = self._workload()
        w.batches()
        w.weights()
        make = importlib.import_module(f"benchmarks.{side}").make
        begin = time.perf_counter()
        self.made = make(w, self.threads, variant)
        built = time.perf_counter() - begin
        begin = time.perf_counter()
        loss = float(self.made.step(0))
        first = time.perf_counter() - begin
        return {"import": imported, "build": built, "first": first, "total": imported + built + first, "loss": loss}

    def prepare(self) -> None:
        """Import everything and make the data; memory counts from here."""
        side, _, framework = CONTENDERS[self.contender]
        for name in (framework, *LATE.get(framework, []), f"benchmarks.{side}"):
            importlib.import_module(name)
        self._workload().batches()
        self.memory_before = _reset_peak()

    def losses(self, count: int) -> list[float]:
        """The losses of the first steps, without dropout."""
        found: list[float] = self._make(replace(self._workload(), dropout=0.0)).losses(count)
        return found

    def build(self, seconds: float) -> int:
        """Make the step as it is timed, and run it a few times; how many steps take so many seconds."""
        self.made = self._make(self._workload())
        self.made.timed(3)
        usual = sorted(self.made.timed(5))
        return max(3, min(200, round(seconds / usual[len(usual) // 2])))

    def timed(self, count: int) -> list[float]:
        """Seconds of each of so many steps, after one that does not count."""
        self.made.step(0)
        found: list[float] = self.made.timed(count)
        return found

    def memory(self) -> dict[str, float]:
        """Peak of the process in MB, and of what came after the imports."""
        peak = _peak()
        return {"peak": peak / MB, "above": (peak - self.memory_before) / MB}

    def extra(self, name: str, **given: Any) -> Any:
        """A measurement of its own: a function of the module `extras`."""
        measure = getattr(importlib.import_module("benchmarks.extras"), name)
        return measure(self._make, self._workload(), self.contender, **given)

    def _workload(self) -> Any:
        found = importlib.import_module("benchmarks.workloads").WORKLOADS[self.workload]
        return found.quick() if self.quick else found

    def _make(self, w: Any) -> Any:
        side, variant, _ = CONTENDERS[self.contender]
        return importlib.import_module(f"benchmarks.{side}").make(w, self.threads, variant)


def _reset_peak() -> int:
    """Let the peak of this process begin anew, where the system can; the bytes in use, or the peak so far."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    """The most bytes of memory that this process has had."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def serve(requests: Any, answers: Any, worker: Worker) -> None:
    """Answer requests until there are no more."""
    for line in requests:
        request = json.loads(line)
        try:
            answer = {"result": getattr(worker, request.pop("do"))(**request)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Serve on the standard streams; what libraries print goes to the error stream."""
    contender, workload, threads, *quick = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers, Worker(contender, workload, int(threads), bool(quick)))


if __name__ == "__main__":
    main()
