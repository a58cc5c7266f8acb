"""Measurements beside the training steps, run inside a worker: whole `fit` calls, single samples, other sizes.

Each takes the maker of a training step, the workload and the contender's name.
"""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from . import in_keras
from .workloads import IMAGE, Workload, one_hot

MNIST = Path(__file__).resolve().parents[2] / "autograd_nn" / "datasets" / "mnist.npz"
Make = Callable[[Workload], Any]


def fit(make: Make, w: Workload, contender: str, threads: int, epochs: int, samples: int) -> dict[str, float]:
    """Wall time of the chapter's `fit` on MNIST, the first of its process, and the test accuracy after it."""
    with np.load(MNIST) as data:
        x, y = data["x_train"][:samples], data["y_train"][:samples]
        x_test, y_test = data["x_test"], data["y_test"]
    x, x_test = (images.reshape(-1, IMAGE**2).astype("float32") / 255 for images in (x, x_test))
    k = in_keras.framework(contender, threads)
    k.utils.set_random_seed(0)
    model = in_keras.mlp(k, w)
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    targets = one_hot(y)
    start = time.perf_counter()
    model.fit(x, targets, epochs=epochs, batch_size=w.batch, verbose=0)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "accuracy": float(model.evaluate(x_test, one_hot(y_test), verbose=0)[1])}


def predict(make: Make, w: Workload, contender: str, threads: int, count: int) -> dict[str, dict[str, float]]:
    """Microseconds to the output for one sample, by each way to get it."""
    ways = _predictor(w, contender, threads)
    found = {}
    for way, call in ways.items():
        for _ in range(5):
            call()
        found[way] = _spread([_seconds(call) * 1e6 for _ in range(count)])
    return found


def _predictor(w: Workload, contender: str, threads: int) -> dict[str, Callable[[], object]]:
    if contender in ("autograd_nn", "keras"):
        return in_keras.predictor(contender, w, threads)
    found: dict[str, Callable[[], object]] = importlib.import_module(f"benchmarks.in_{contender}").predictor(w, threads)
    return found


def resize(make: Make, w: Workload, contender: str, last: int) -> dict[str, float]:
    """Milliseconds of the first step on a batch of another size, of the later ones, and their difference."""
    step = make(replace(w, last=last)).step
    usual = 3
    for k in range(10 * usual):
        step(k % usual)
    first = _seconds(lambda: step(usual)) * 1e3
    later = statistics.median(_seconds(lambda: step(usual)) * 1e3 for _ in range(20))
    return {"first": first, "later": later, "extra": first - later}


def scale(
    make: Make, w: Workload, contender: str, kind: str, base: dict[str, int], factors: list[int], rounds: int
) -> list[dict[str, Any]]:
    """Milliseconds of the steps of models that grow in one way from a base, in turns."""
    w = w.changed(**base)
    grown = [_grown(w, kind, factor) for factor in factors]
    steps = [make(g) for g in grown]
    for made in steps:
        made.timed(2)
    blocks: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds):
        for made, block in zip(steps, blocks):
            block += made.timed(3)
    costs = [min(block) / g.flops for g, block in zip(grown, blocks)]
    return [
        {"factor": f, "flops": g.flops, **_spread([s * 1e3 for s in block]), "per unit": cost / costs[0]}
        for f, g, block, cost in zip(factors, grown, blocks, costs)
    ]


def _grown(w: Workload, kind: str, factor: int) -> Workload:
    if kind == "batch":
        return w.changed(w.batch * factor)
    return w.changed(**{kind: w.sizes[kind] * factor})


def nodes(make: Make, w: Workload, contender: str, threads: int, count: int) -> dict[str, float]:
    """Seconds to trace and compile a chain of about so many nodes, and to run it; how many nodes it has."""
    ag = in_keras.framework(contender, threads)
    matrix = np.eye(16, dtype=np.float32)

    def chain(x: Any, weight: Any) -> Any:
        for _ in range(count // 10):
            x = x @ matrix
            for _ in range(3):
                x = ag.ops.tanh(x * weight) + 0.5
        return ag.ops.sum(x)

    f = ag.jit(chain)
    x = np.full((4, 16), 0.25, np.float32)
    first = _seconds(lambda: f(x, x))
    return {"nodes": len(f.graph.operations), "first": first, "again": _seconds(lambda: f(x, x))}


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _spread(figures: list[float]) -> dict[str, float]:
    return {"median": statistics.median(figures), "minimum": min(figures)}
