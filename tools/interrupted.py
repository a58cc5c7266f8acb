"""A training that may be interrupted at any moment, for kill_test.py: run as a script, it tells what it has done.

    python3 tools/interrupted.py FOLDER VARIANT

prints "ready" when training begins, the number of steps done before every step, "over" after the last one, and in the
end digests of everything.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

import autograd_nn as ag

VARIANTS = ("callbacks", "schedule", "averages")
SAMPLES, BATCH, EPOCHS = 130, 10, 4
STEPS = -(-SAMPLES // BATCH) * EPOCHS
BACKUP, BEST, TABLE = "backup", "best.safetensors", "table.csv"


class Draws(ag.callbacks.Callback):
    """A user's callback that draws random numbers and remembers what it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.total += float(np.random.uniform()) + logs["loss"]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["total"] = self.total

    def get_state(self) -> dict[str, Any]:
        return {"total": self.total}

    def set_state(self, state: dict[str, Any]) -> None:
        self.total = state["total"]


class Tells(ag.callbacks.Callback):
    """Prints how many steps are done, and written down, before each step."""

    def on_train_begin(self, logs: Any = None) -> None:
        print("ready", flush=True)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        print(int(self.model.optimizer.iterations), flush=True)

    def on_train_end(self, logs: Any = None) -> None:
        print("over", flush=True)


class Breaks(ag.callbacks.Callback):
    """Raises Interruption after so many steps of this call of `fit`."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise Interruption


class Interruption(Exception):
    """Stands for a power cut."""


def training(folder: Path, variant: str, save_freq: Any, *callbacks: Any, backup: bool = True) -> dict[str, str]:
    """Train with all that has a state; digests of the results.

    variant: "callbacks" sets the learning rate by callbacks, "schedule" by a schedule, "averages" trains with moving
             averages and gathered gradients
    """
    ag.utils.set_random_seed(3)
    draw = np.random.default_rng(5)
    x = draw.normal(size=(SAMPLES, 6)).astype("float32")
    y = np.tanh(x @ draw.normal(size=(6, 2))).astype("float32")
    model = ag.Sequential(
        [
            ag.layers.Dense(8, activation="relu", input_shape=(6,)),
            ag.layers.BatchNormalization(),
            ag.layers.Dropout(0.2),
            ag.layers.Dense(2),
        ]
    )
    model.compile(_optimizer(variant), "mse", metrics=["mae", "r2_score"])
    os.makedirs(folder, exist_ok=True)
    own = [
        *([ag.callbacks.BackupAndRestore(folder / BACKUP, save_freq=save_freq)] if backup else []),
        ag.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
        ag.callbacks.CSVLogger(folder / TABLE),
        Draws(),
        *_of_variant(variant),
        *callbacks,
    ]
    held = (x[:40] * 0.9, y[:40])
    history = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=own, validation_data=held)
    return {
        "weights": digest(*model.get_weights()),
        "optimizer": digest(*model.optimizer.variables),
        "history": hashlib.sha256(repr((history.epoch, history.history)).encode()).hexdigest(),
        "table": hashlib.sha256((folder / TABLE).read_bytes()).hexdigest(),
    }


def _optimizer(variant: str) -> Any:
    if variant == "schedule":
        return ag.optimizers.Adam(ag.optimizers.schedules.CosineDecay(0.01, STEPS))
    if variant == "averages":
        return ag.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, gradient_accumulation_steps=2)
    return ag.optimizers.Adam(0.01)


def _of_variant(variant: str) -> list[Any]:
    if variant == "schedule":
        return []
    if variant == "averages":
        return [ag.callbacks.SwapEMAWeights(swap_on_epoch=True)]
    return [
        ag.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        ag.callbacks.ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0.1),
    ]


def digest(*arrays: Any) -> str:
    """One digest of all bits of these arrays."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(np.asarray(array)).tobytes())
    return found.hexdigest()


def tell(folder: Path, variant: str) -> None:
    """Train in a folder with a backup and a checkpoint after every batch, telling what is done."""
    best = ag.callbacks.ModelCheckpoint(folder / BEST, save_weights_only=True, save_freq=1)
    print("end " + json.dumps(training(folder, variant, 1, best, Tells())), flush=True)


if __name__ == "__main__":
    tell(Path(sys.argv[1]), sys.argv[2])
