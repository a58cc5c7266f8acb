"""Show what a change does to the generated kernels.

    python3 tools/kernel_diff.py save DIR       the kernels and steps of training steps and op programs, as they are now
    python3 tools/kernel_diff.py compare DIR    what differs now from what was saved there
    python3 tools/kernel_diff.py diff OLD NEW   what differs between two that were saved

With --ir the LLVM of the kernels is saved and compared too. Exits 1 where something differs.
"""

from __future__ import annotations

import argparse
import difflib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from environment import ROOT, enter, say

TOOLS = ROOT / "tools"
STEPS = "steps.txt"


def save(folder: Path, names: list[str], ir: bool, quick: bool) -> list[str]:
    """Write each program's kernels into a folder of its own; the names of those that could not be made."""
    failed = []
    flags = ["--ir"] * ir + ["--quick"] * quick
    with tempfile.TemporaryDirectory() as cache:
        env = {**os.environ, "PYTHONPATH": f"{TOOLS}{os.pathsep}{ROOT}", "AUTOGRAD_NN_CACHE": cache}
        for name in names:
            command = [sys.executable, "-m", "benchmarks.kernels", name, str(folder.absolute() / name), *flags]
            run = subprocess.run(command, cwd=cache, env=env, capture_output=True, text=True)
            if run.returncode:
                failed.append(name)
                say(f"{name} could not be made: {(run.stderr.strip().splitlines() or ['no message'])[-1]}")
            else:
                say(f"{name}: {counted(folder / name)}")
    return failed


def counted(folder: Path) -> str:
    """How many steps and kernels a program has."""
    lines = (folder / STEPS).read_text(encoding="utf-8").splitlines() if (folder / STEPS).exists() else []
    kinds = {kind: sum(line.strip().startswith(f"{kind} ") for line in lines) for kind in ("kernel", "python", "loop")}
    kernels = len(list(folder.glob("*.py")))
    return f"{kinds['kernel']} kernel steps, {kinds['python']} Python steps, {kinds['loop']} loops; {kernels} kernels"


def differences(old: Path, new: Path) -> Iterator[str]:
    """Lines that tell what differs between two saved folders; none where nothing does."""
    for name in sorted({f.name for folder in (old, new) for f in folder.iterdir() if f.is_dir()}):
        found = [*_texts(old / name / STEPS, new / name / STEPS), *_kernels(old / name, new / name)]
        if found:
            yield f"=== {name}"
            yield f"was: {counted(old / name)}"
            yield f"now: {counted(new / name)}"
            yield from found


def _kernels(old: Path, new: Path) -> Iterator[str]:
    """Changed kernels as unified diffs; those that are gone or new as diffs from and to nothing."""
    for kind in (".py", ".ll"):
        before, after = ({f.stem: f for f in sorted(folder.glob(f"*{kind}"))} for folder in (old, new))
        common = before.keys() & after.keys()
        for stem in sorted(common):
            yield from _texts(before[stem], after[stem])
        gone = {stem: f for stem, f in before.items() if stem not in common}
        made = {stem: f for stem, f in after.items() if stem not in common}
        for a, b in _pairs(gone, made):
            yield from _texts(a, b)


def _pairs(gone: dict[str, Path], made: dict[str, Path]) -> Iterator[tuple[Path | None, Path | None]]:
    """Kernels with the same note belong together, the most alike first."""
    left = dict(made)
    for stem, file in gone.items():
        note = stem.rpartition("-")[0]
        alike = [other for other in left if other.rpartition("-")[0] == note]
        best = max(alike, key=lambda other: _likeness(file, left[other]), default=None)
        yield file, left.pop(best) if best is not None else None
    yield from ((None, file) for file in left.values())


def _likeness(a: Path, b: Path) -> float:
    return difflib.SequenceMatcher(None, _lines(a), _lines(b)).ratio()


def _lines(file: Path | None) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file is not None and file.exists() else []


def _texts(old: Path | None, new: Path | None) -> Iterator[str]:
    before, after = (file.name if file is not None and file.exists() else "nothing" for file in (old, new))
    return difflib.unified_diff(_lines(old), _lines(new), before, after, lineterm="")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    ways = parser.add_subparsers(dest="way", required=True)
    for way, text in (("save", "write the kernels"), ("compare", "compare with those saved"), ("diff", "compare two")):
        own = ways.add_parser(way, help=text)
        own.add_argument("folder", type=Path)
        if way == "diff":
            own.add_argument("new", type=Path)
            continue
        own.add_argument("--program", action="append", help="only this one; may be given again")
        own.add_argument("--ir", action="store_true", help="also the LLVM of the kernels")
        own.add_argument("--quick", action="store_true", help="small sizes")
    return parser.parse_args()


def chosen(given: argparse.Namespace) -> list[str]:
    """The programs that are asked for."""
    # It imports the package, which the environment that was entered just now has.
    from benchmarks.kernels import NAMES

    wrong = [name for name in given.program or () if name not in NAMES]
    if wrong:
        sys.exit(f"no program {wrong[0]!r}; there are {', '.join(NAMES)}")
    return given.program or list(NAMES)


def shown(old: Path, new: Path) -> int:
    """Print what differs; 1 where something does."""
    lines = list(differences(old, new))
    print("\n".join(lines) if lines else "the kernels are the same")
    return 1 if lines else 0


def main() -> int:
    """Do what the command line says."""
    given = arguments()
    enter()
    if given.way == "diff":
        return shown(given.folder, given.new)
    names = chosen(given)
    if given.way == "save":
        return 1 if save(given.folder, names, given.ir, given.quick) else 0
    with tempfile.TemporaryDirectory() as folder:
        failed = save(Path(folder), names, given.ir, given.quick)
        return shown(given.folder, Path(folder)) or bool(failed)


if __name__ == "__main__":
    sys.exit(main())
