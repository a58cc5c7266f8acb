"""Workers from the side of the one who asks: started with the same threads, asked in turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TOOLS = Path(__file__).resolve().parent.parent
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NPROC")
# Threads that wait may spin a while after their work; nobody else is timed meanwhile.
PAUSE = 0.05


class WorkerFailed(Exception):
    """A worker could not do what it was asked for."""


def available() -> list[int]:
    """The processors that may be used."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def environment(threads: int, caches: Path) -> dict[str, str]:
    """The environment of a worker: thread pools of one size, caches of compiled code in a folder of this run."""
    intra = "true" if threads > 1 else "false"
    # A package that Python may not keep compiled is compiled anew at each start, which is not what users have.
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **outside,
        **dict.fromkeys(POOLS, str(threads)),
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={intra} intra_op_parallelism_threads={threads}",
        "JAX_PLATFORMS": "cpu",
        "KERAS_BACKEND": "jax",
        "AUTOGRAD_NN_CACHE": str(caches / "autograd_nn"),
        "TORCHINDUCTOR_CACHE_DIR": str(caches / "inductor"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(TOOLS), str(TOOLS.parent), os.environ.get("PYTHONPATH")])),
    }


class Remote:
    """One worker, from its start to its end."""

    def __init__(self, contender: str, workload: str, threads: int, caches: Path, quick: bool = False) -> None:
        self.contender = contender
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the worker
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", contender, workload, str(threads), *["quick"] * quick],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env=environment(threads, caches), cwd=caches,
        )  # fmt: skip
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._process.pid, available()[:threads])

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._errors.close()

    def ask(self, do: str, **given: Any) -> Any:
        """The answer to one request; WorkerFailed where it is an error or the worker has ended."""
        assert self._process.stdin and self._process.stdout
        time.sleep(PAUSE)
        try:
            self._process.stdin.write(json.dumps({"do": do, **given}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._errors.seek(0)
            raise WorkerFailed(f"the process ended: {self._errors.read()[-300:].strip()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerFailed(answer["error"])
        return answer["result"]
