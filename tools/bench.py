"""Time workloads beside other libraries: `python3 tools/bench.py eager --against torch [--repeats N] [--json]`.

Each contender runs in turn, again and again, on one thread, so that what slows the machine slows all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from environment import enter

OURS = "autograd_nn"
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
Run = Callable[[], object]


@dataclass(frozen=True)
class Workload:
    """Something to time.

    what:       what one run computes
    unit:       what the time of a run is divided into
    amount:     how many of these there are in one run
    contenders: per library, a function that prepares everything and returns what is timed
    """

    what: str
    unit: str
    amount: int
    contenders: dict[str, Callable[[], Run]]


CHAIN = 1000
ELEMENTS = 64


def eager_ours() -> Run:
    import autograd_nn as ag

    start = ag.tensor([0.01 * k for k in range(ELEMENTS)], requires_grad=True)
    weight = ag.tensor([1.0 + 0.001 * k for k in range(ELEMENTS)], requires_grad=True)

    def run() -> object:
        y = start
        for _ in range(CHAIN // 2):
            y = ag.ops.tanh(y * weight)
        y.sum().backward()
        gradient, start.grad, weight.grad = weight.grad, None, None
        return gradient

    return run


def eager_torch() -> Run:
    import torch

    torch.set_num_threads(1)
    start = torch.tensor([0.01 * k for k in range(ELEMENTS)], requires_grad=True)
    weight = torch.tensor([1.0 + 0.001 * k for k in range(ELEMENTS)], requires_grad=True)

    def run() -> object:
        y = start
        for _ in range(CHAIN // 2):
            y = torch.tanh(y * weight)
        y.sum().backward()
        gradient, start.grad, weight.grad = weight.grad, None, None
        return gradient

    return run


WORKLOADS = {
    "eager": Workload(
        what=f"chain of {CHAIN} multiply and tanh on {ELEMENTS} float32, forward and backward",
        unit="us per op",
        amount=CHAIN,
        contenders={OURS: eager_ours, "torch": eager_torch},
    ),
}


def measure(workload: Workload, names: list[str], repeats: int) -> dict[str, list[float]]:
    """Microseconds per unit of every contender in every repeat, after two runs that do not count."""
    runs = {name: workload.contenders[name]() for name in names}
    found: dict[str, list[float]] = {name: [] for name in names}
    for repeat in range(-2, repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            spent = time.perf_counter() - start
            if repeat >= 0:
                found[name].append(spent / workload.amount * 1e6)
    return found


def summary(workload: Workload, times: dict[str, list[float]]) -> dict[str, object]:
    """Median and minimum per contender, and ours as a share of each: medians of the ratios within one repeat."""
    shares = {
        name: statistics.median(ours / theirs for ours, theirs in zip(times[OURS], other))
        for name, other in times.items()
    }
    rows = {
        name: {"median": statistics.median(all_), "minimum": min(all_), "ours / this": shares[name]}
        for name, all_ in times.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return {
        "workload": workload.what,
        "unit": workload.unit,
        "repeats": len(times[OURS]),
        "threads": 1,
        "machine": machine,
        "results": rows,
    }


def show(report: dict[str, object]) -> None:
    """Print the summary as a small table."""
    print(f"{report['workload']}\n{report['machine']}, one thread, {report['repeats']} interleaved repeats\n")
    print(f"{str(report['unit']):<16}{'median':>10}{'minimum':>10}{'ours / this':>14}")
    results: dict[str, dict[str, float]] = report["results"]  # type: ignore[assignment]
    for name, row in results.items():
        print(f"{name:<16}{row['median']:>10.2f}{row['minimum']:>10.2f}{row['ours / this']:>14.2f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("workload", choices=WORKLOADS)
    others = sorted({name for workload in WORKLOADS.values() for name in workload.contenders} - {OURS})
    parser.add_argument("--against", action="append", default=[], choices=others, help="a library to run beside ours")
    parser.add_argument("--repeats", type=int, default=30, help="how often each contender runs (default 30)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args()


def main() -> int:
    """Time one workload and print the figures."""
    given = arguments()
    for variable in THREADS:
        os.environ[variable] = "1"
    enter(*(["bench"] if given.against else []))
    workload = WORKLOADS[given.workload]
    missing = [name for name in given.against if name not in workload.contenders]
    if missing:
        print(f"{given.workload} has no {missing[0]}; it has {', '.join(workload.contenders)}", file=sys.stderr)
        return 2
    report = summary(workload, measure(workload, [OURS, *given.against], max(given.repeats, 1)))
    if given.json:
        print(json.dumps(report, indent=2))
    else:
        show(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
