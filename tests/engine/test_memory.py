"""Size: long chains without recursion, graphs that die at once, steps that leave nothing behind."""

import gc
import os
import subprocess
import sys
import tracemalloc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import Spec
from autograd_nn.engine.tensor import Tensor, symbol

ROOT = Path(__file__).resolve().parents[2]
LENGTH = 150_000
CHAIN = f"""
import sys, weakref
import autograd_nn as ag
from autograd_nn import ops
x = ag.tensor(1.0, requires_grad=True)
ops.negative(x)
sys.setrecursionlimit(200)
y = x
for _ in range({LENGTH} // 2):
    y = ops.negative(y) * 1.0
middle = weakref.ref(y.inputs[0])
{{}}
del y
assert middle() is None
print(x.grad.item() if x.grad is not None else "no gradient")
"""


def run(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_a_long_chain_runs_backward_and_is_freed() -> None:
    assert run(CHAIN.format("y.backward()")) == ("1.0" if LENGTH // 2 % 2 == 0 else "-1.0")


def test_a_long_chain_is_freed_without_backward() -> None:
    assert run(CHAIN.format("")) == "no gradient"


def test_a_long_chain_is_frozen_evaluated_replayed_and_freed() -> None:
    code = f"""
import sys
import numpy as np
import autograd_nn as ag
from autograd_nn.engine.graph import Graph
from autograd_nn.engine.spec import Spec
from autograd_nn.engine.tensor import symbol
x = symbol(Spec((), np.dtype("float32")), requires_grad=True)
ag.ops.negative(x)
sys.setrecursionlimit(200)
y = x
for _ in range({LENGTH // 3}):
    y = ag.ops.negative(y)
graph = Graph([x], [y]).verify()
print(graph.evaluate(np.ones((), "float32"))[0], len(graph.replay([ag.tensor(1.0)])))
del graph, y
"""
    assert run(code) == "1.0 1"


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def watched(t: Tensor, seen: list[weakref.ref[Tensor]]) -> Tensor:
    seen.append(weakref.ref(t))
    return t


def test_intermediates_die_with_backward_alone() -> None:
    seen: list[weakref.ref[Tensor]] = []
    x = ag.tensor(np.ones(4), requires_grad=True)
    with without_collector():
        y: Any = x
        for _ in range(20):
            y = watched(ops.tanh(watched(y * x, seen)), seen)
        y = y.sum()
        y.backward()
        assert [ref() for ref in seen] == [None] * 40


@pytest.mark.parametrize("create_graph", [False, True])
def test_graphs_die_when_their_last_name_does(create_graph: bool) -> None:
    seen: list[weakref.ref[Tensor]] = []
    x = ag.tensor(np.ones(4), requires_grad=True)
    with without_collector():
        y = watched(ops.tanh(watched(x * x, seen)), seen).sum()
        y.backward(retain_graph=True, create_graph=create_graph)
        seen.append(weakref.ref(x.grad))  # type: ignore[arg-type]
        x.grad = None
        del y
        assert [ref() for ref in seen] == [None] * 3


def test_a_failed_call_keeps_nothing_alive() -> None:
    x = ag.tensor(np.ones(4), requires_grad=True)
    with without_collector():
        y = x * 2
        ref = weakref.ref(y)
        with pytest.raises(ValueError, match="broadcast"):
            y + np.ones(3)
        del y
        assert ref() is None


def test_symbolic_graphs_die_when_their_last_name_does() -> None:
    with without_collector():
        x = symbol(Spec((3,), np.dtype("float64")), requires_grad=True)
        inner = ops.tanh(x)
        graph = Graph([x], [inner * 2])
        graph.evaluate(np.ones(3))
        refs = [weakref.ref(graph), weakref.ref(inner)]
        del graph, inner
        assert [ref() for ref in refs] == [None, None]


def test_training_steps_leave_nothing_behind() -> None:
    rng = np.random.default_rng(0)
    x, y = ag.tensor(rng.normal(size=(32, 8))), ag.tensor(rng.normal(size=(32, 1)))
    weights = [ag.Variable(rng.normal(size=shape)) for shape in ((8, 16), (16,), (16, 1))]

    def step() -> None:
        a, b, c = weights
        loss = ops.mean(ops.square(ops.tanh(x @ a + b) @ c - y))
        loss.backward()
        for w in weights:
            w.assign(w.numpy() - 0.01 * w.grad.numpy())  # type: ignore[union-attr]
            w.grad = None

    for _ in range(20):
        step()
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(1000):
            step()
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 2**20


def test_many_constants_leave_nothing_behind() -> None:
    x = ag.tensor(1.0)
    for number in range(1000):
        x + float(number)
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(1000, 11_000):
            x + float(number)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 2**16


def test_the_work_per_op_does_not_grow_with_the_graph() -> None:
    def calls(length: int) -> int:
        """Python function calls of a chain of that length, forward and backward."""
        count = 0

        def trace(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event == "call"

        x = ag.tensor(1.0, requires_grad=True)
        before = sys.getprofile()
        sys.setprofile(trace)
        try:
            y = x
            for _ in range(length):
                y = ops.tanh(y)
            y.backward()
        finally:
            sys.setprofile(before)
        return count

    calls(10)
    short, middle, long = (calls(n) for n in (100, 1000, 2000))
    assert long - middle == pytest.approx((middle - short) * 1000 / 900, rel=0.01)
