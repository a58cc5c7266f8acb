"""Train for many steps with validation, backups and checkpoints: nothing that is held may grow.

    python3 tools/long_training.py STEPS

Prints what is held after a tenth of the steps and at the end; exits 1 where it has grown.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autograd_nn as ag

STEPS_PER_EPOCH = 10
# The history, one float per result and epoch, and what the allocator holds back.
MOST_GROWTH = 8 * 2**20


class Held(NamedTuple):
    """What a process holds: resident bytes, open files, threads, files in the folder of the training."""

    resident: int
    open_files: int
    threads: int
    files: int

    def grown(self, later: Held) -> bool:
        """Whether more is held later."""
        counts = later[1:] > self[1:] if later[1:] != self[1:] else False
        return bool(counts) or later.resident > self.resident + MOST_GROWTH


def held(folder: Path) -> Held:
    """What this process holds now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        resident, files = pages * resource.getpagesize(), len(os.listdir("/proc/self/fd"))
    except OSError:  # a system without /proc: the most that was ever resident, in KiB or bytes
        resident, files = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0
    return Held(resident, files, threading.active_count(), sum(1 for path in folder.rglob("*") if path.is_file()))


class Watches(ag.callbacks.Callback):
    """Notes what is held after a tenth of the epochs, and after the last."""

    def __init__(self, folder: Path, epochs: int) -> None:
        super().__init__()
        self.folder, self.when = folder, (epochs // 10, epochs - 1)
        self.found: list[Held] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch in self.when:
            self.found.append(held(self.folder))


def train(steps: int, folder: Path) -> list[Held]:
    """Train for so many steps; what was held after a tenth of them and at the end."""
    epochs = max(20, steps // STEPS_PER_EPOCH)
    ag.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(32 * STEPS_PER_EPOCH, 20)).astype("float32")
    y = np.sin(x[:, :1])
    model = ag.Sequential([ag.layers.Dense(16, activation="relu", input_shape=(20,)), ag.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    watches = Watches(folder, epochs)
    callbacks = [
        ag.callbacks.BackupAndRestore(folder / "backup", double_checkpoint=True),
        ag.callbacks.ModelCheckpoint(folder / "best.safetensors", save_best_only=True),
        ag.callbacks.CSVLogger(folder / "table.csv"),
        watches,
    ]
    model.fit(x, y, epochs=epochs, verbose=0, callbacks=callbacks, validation_data=(x[:64], y[:64]))
    return watches.found


def main() -> int:
    """Train, print what was held, compare."""
    steps = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        early, late = train(steps, Path(name))
    for when, now in ((f"after {steps // 10} steps", early), (f"after {steps} steps", late)):
        print(
            f"{when}: {now.resident / 2**20:.1f} MiB resident, {now.open_files} open files, {now.threads} threads, "
            f"{now.files} files"
        )
    return int(early.grown(late))


if __name__ == "__main__":
    sys.exit(main())
