"""Time workloads beside other libraries: `python3 tools/bench.py --against torch,torch.compile,jax,keras`.

Every contender starts from the same weights and takes the same batches; before anything is timed, the losses of the
first steps must agree. Each runs in a process of its own, a block of steps at a time and in turns, so that what slows
the machine slows all of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from environment import enter

OURS = ("autograd_nn", "autograd_nn.fit")
PEERS = ("torch", "torch.compile", "jax", "keras", "keras.fit")
STEPS = ("mlp_seed", "mlp_wide", "convnet", "lstm", "gpt_nano", "eager")
OTHERS = ("fit", "predict", "resize", "import")
GROWING = ("scaling", "nodes")


def names(known: tuple[str, ...]) -> Any:
    """A parser of names with commas between them."""

    def parse(text: str) -> list[str]:
        found = [name for name in text.split(",") if name]
        unknown = [name for name in found if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {unknown[0]}; choose from {', '.join(known)}")
        return found

    return parse


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    everything = (*STEPS, *OTHERS, *GROWING)
    parser.add_argument("--workload", type=names(everything), help="what to measure (all but scaling and nodes)")
    parser.add_argument("--scaling", action="store_true", help="measure how cost grows with batch, width, depth, nodes")
    parser.add_argument("--against", type=names(PEERS), default=[], help=f"whom to run beside ours: {','.join(PEERS)}")
    parser.add_argument("--only-peers", action="store_true", help="leave ours out")
    parser.add_argument("--repeats", type=int, default=10, help="blocks of steps per contender (default 10)")
    parser.add_argument("--starts", type=int, default=1, help="fresh processes per first step; the fastest counts")
    parser.add_argument("--threads", type=int, help="of every contender (default: all processors)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--markdown", action="store_true", help="print tables for a README")
    found = parser.parse_args(given)
    if found.workload is None:
        found.workload = list(GROWING) if found.scaling else [*STEPS, *OTHERS]
    elif found.scaling:
        found.workload += [name for name in GROWING if name not in found.workload]
    return found


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Measure everything that is asked for."""
    # These need what the environment that was entered just now has.
    from benchmarks import crew, machine, others, peak, steps

    threads = given.threads or len(crew.available())
    settings = steps.Settings(max(given.repeats, 1), max(given.starts, 1), threads, given.quick, say)
    contenders = [*(() if given.only_peers else OURS), *given.against]
    meter = peak.Peak()
    peaks = dict.fromkeys(map(str, sorted({1, threads})), 0.0)
    result: dict[str, Any] = {"machine": machine.machine(), "threads": threads, "steps": {}, "others": {}}
    for name in given.workload:
        _raise_peaks(peaks, meter)
        if name in STEPS:
            result["steps"][name] = steps.measure(name, contenders, settings)
        else:
            result["others"][name] = others.OTHERS[name](contenders, settings)
    _raise_peaks(peaks, meter)
    return {**result, "peak": peaks}


def _raise_peaks(peaks: dict[str, float], meter: Any) -> None:
    """Measure again: something else that runs can make the peak lower, and shares of it higher, but not the reverse."""
    for count, rate in peaks.items():
        peaks[count] = max(rate, meter.gflops(int(count)))


def say(text: str) -> None:
    """Tell what happens, beside the figures."""
    print(f"==> {text}", file=sys.stderr, flush=True)


def show(result: dict[str, Any], markdown: bool) -> None:
    """Print the machine, the tables, and what was asked for."""
    from benchmarks import report

    about = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    caches = ", ".join(f"{level} {size}" for level, size in about["caches"].items())
    peaks = ", ".join(f"{rate:.0f} GFLOP/s on {n}" for n, rate in result["peak"].items())
    print(f"{about['processor']}, {about['cores']} cores ({caches}), {about['system']}\n{versions}")
    print(f"float32, {result['threads']} threads; multiply-add peak {peaks} (threads); load before {about['load']}")
    if result["steps"]:
        print("\n" + report.shown(report.step_table(result["steps"], result["peak"]), markdown))
    for found in result["others"].values():
        print(f"\n{found['what']}\n\n" + report.shown(report.other_table(found), markdown))
    verdicts = report.verdicts(result)
    if verdicts:
        print("\n" + report.shown(report.verdict_table(verdicts), markdown))


def failed(result: dict[str, Any]) -> bool:
    """Whether something could not be measured, or losses disagreed."""
    return '"error"' in json.dumps(result)


def main() -> int:
    """Measure and print; 1 where something failed. A target that is missed is no failure."""
    given = arguments()
    enter(*(["bench"] if given.against else []))
    result = run(given)
    show(result, given.markdown)
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 1 if failed(result) else 0


if __name__ == "__main__":
    sys.exit(main())
