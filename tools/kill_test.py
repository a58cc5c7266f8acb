"""Interrupt training at random moments, take it up again, and compare every bit with a training left alone.

    python3 tools/kill_test.py [--kills 200] [--fork] [--points 100] [--steps 10000] [--seed 0]

--kills   SIGKILL a training that writes a backup and a checkpoint after every batch; after each kill the files must be
          readable and hold every step that was told to be done; with --fork the processes that are killed are
          forks of one that has imported everything, which takes a third of the time
--points  break training off inside the process, at so many places, in the middle of epochs too
--steps   so many steps with validation and backups: memory, open files, threads and temporary files must not grow
Exits 1 where anything is lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from environment import ROOT, enter, say

CHILD = Path(__file__).with_name("interrupted.py")
LONG = Path(__file__).with_name("long_training.py")


class Kills(NamedTuple):
    """What was found after so many kills."""

    kills: int
    unreadable: int
    lost: int
    trainings: int
    different: int

    @property
    def failed(self) -> bool:
        """Whether anything was lost."""
        return bool(self.unreadable or self.lost or self.different)


class Child:
    """A process that trains: what it prints, and how it is killed."""

    def __init__(self, folder: Path, variant: str, fork: bool) -> None:
        self._popen: subprocess.Popen[str] | None = None
        if fork:
            self._fork(folder, variant)
            return
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(CHILD), str(folder), variant]
        self._popen = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        assert self._popen.stdout is not None
        self.pid, self.stdout = self._popen.pid, self._popen.stdout

    def _fork(self, folder: Path, variant: str) -> None:
        import interrupted

        reads, writes = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(reads)
            os.dup2(writes, 1)
            try:
                interrupted.tell(folder, variant)
            finally:
                os._exit(0)
        os.close(writes)
        self.stdout = os.fdopen(reads)

    def kill(self) -> None:
        """SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)

    def killed(self) -> bool:
        """Wait for the end of the process: whether it was killed."""
        self.stdout.close()
        if self._popen is None:
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) == -signal.SIGKILL
        return self._popen.wait() == -signal.SIGKILL


def killed_trainings(kills: int, seed: int, folder: Path, fork: bool = False) -> Kills:
    """Kill trainings so many times; each is taken up until it ends, and compared with one left alone."""
    from interrupted import VARIANTS, training

    draw = random.Random(seed)
    expected: dict[str, dict[str, str]] = {}
    done = unreadable = lost = trainings = different = 0
    while done < kills:
        variant = VARIANTS[trainings % len(VARIANTS)]
        if variant not in expected:
            expected[variant] = training(folder / f"alone-{variant}", variant, "epoch", backup=False)
        place = folder / f"training-{trainings}"
        ends = None
        while ends is None:
            told, ends = _run(Child(place, variant, fork), draw if done < kills else None)
            if ends is None:
                done += 1
            # A training that has ended, and is killed before it can say more, has removed its backup.
            if ends is None and told is not None:
                bad, missing = _inspect(place, told)
                unreadable, lost = unreadable + bad, lost + missing
        different += ends != expected[variant]
        trainings += 1
        shutil.rmtree(place)
    return Kills(done, unreadable, lost, trainings, different)


def _run(child: Child, draw: random.Random | None) -> tuple[int | None, dict[str, str] | None]:
    """Let it train, killed at a random moment: the last step told, None once all were done; and how it ended."""
    lines = _until(child, draw)
    killed = child.killed()
    told = max((int(line) for line in lines if line.isdigit()), default=0)
    ends = [json.loads(line.removeprefix("end ")) for line in lines if line.startswith("end ")]
    if not ends and not killed:
        raise RuntimeError(f"the training failed after {told} steps")
    return None if "over" in lines else told, ends[0] if ends else None


def _until(child: Child, draw: random.Random | None) -> list[str]:
    """Everything that a child told until it was killed, or had ended."""
    lines = _complete_lines(child.stdout)
    if draw is None:
        return list(lines)
    # Moments before the first step are rare, those within a step or a write are many.
    steps = draw.choice((0, 1, 2, 4, 8, 12))
    heard = [line for _, line in zip(range(steps + 1), lines)]
    time.sleep(draw.uniform(0, 0.3 if steps == 0 else 0.03))
    child.kill()
    return heard + list(lines)


def _complete_lines(stdout: IO[str]) -> Iterator[str]:
    for line in stdout:
        if line.endswith("\n"):
            yield line.strip()


def _inspect(folder: Path, told: int) -> tuple[int, int]:
    """How many files cannot be read after a kill, and how many steps that were told to be written down are lost."""
    from interrupted import BACKUP, BEST

    from autograd_nn.errors import ModelFileError
    from autograd_nn.saving.container import read_arrays

    unreadable, saved = 0, 0
    newest = folder / BACKUP / "latest.safetensors"
    for path in (newest, folder / BEST):
        try:
            arrays = read_arrays(path)[0]
        except FileNotFoundError:
            unreadable += told > 0
            continue
        except ModelFileError as error:
            say(str(error))
            unreadable += 1
            continue
        if path == newest:
            saved = int(arrays["optimizer/0"])
    return unreadable, max(0, told - saved)


def interrupted_points(points: int, folder: Path) -> int:
    """Break training off after each of so many numbers of steps; how many of them end with other bits."""
    from interrupted import STEPS, VARIANTS, Breaks, Interruption, training

    expected = {v: training(folder / f"expected-{v}", v, "epoch", backup=False) for v in VARIANTS}
    different = 0
    for point in range(points):
        variant = VARIANTS[point % len(VARIANTS)]
        frequency = (1, 3, "epoch", 7)[point // len(VARIANTS) % 4]
        place = folder / f"point-{point}"
        try:
            training(place, variant, frequency, Breaks(1 + point * (STEPS - 1) // max(points - 1, 1)))
        except Interruption:
            ends = training(place, variant, frequency)
            if ends != expected[variant]:
                other = [key for key in ends if ends[key] != expected[variant][key]]
                say(f"point {point} ({variant}, save_freq={frequency}): other {', '.join(other)}")
                different += 1
        shutil.rmtree(place)
    return different


def main() -> int:
    """Run what is asked for, print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--fork", action="store_true")
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    enter("test")
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.kills:
            found = killed_trainings(arguments.kills, arguments.seed, folder, arguments.fork)
            say(
                f"{found.kills} kills: {found.unreadable} unreadable files, {found.lost} lost steps; "
                f"{found.different} of {found.trainings} trainings ended with other bits"
            )
            failed |= found.failed
        if arguments.points:
            different = interrupted_points(arguments.points, folder)
            say(f"{arguments.points} points of interruption: {different} ended with other bits")
            failed |= different > 0
        if arguments.steps:
            env = {**os.environ, "PYTHONPATH": str(ROOT)}
            failed |= bool(subprocess.run([sys.executable, str(LONG), str(arguments.steps)], env=env).returncode)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
