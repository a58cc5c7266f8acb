"""The team of threads: the same bits for any number, from several callers, after fork, and under Ctrl-C."""

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn.backends.numba.machine.kernel import interpreted

from .common import on

pytestmark = pytest.mark.skipif(interpreted(), reason="kernels run in Python, without a team")


def model_step():
    def step(x, w):
        hidden = ag.ops.tanh(x @ w)
        return hidden, ag.ops.softmax(hidden, axis=-1), hidden.sum(axis=0), ag.ops.exp(x).sum()

    return ag.jit(step)


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(301, 203)).astype("float32"), rng.normal(size=(203, 97)).astype("float32")


@pytest.fixture
def numba():
    with on("numba"):
        yield


@pytest.fixture
def threads():
    before = ag.config.num_threads()
    yield
    ag.config.set_num_threads(before)


def test_the_same_bits_for_any_number_of_threads(numba, threads):
    found = []
    for count in (1, 2, 4, 8, 3, 1):
        ag.config.set_num_threads(count)
        found.append([np.asarray(t) for t in model_step()(*arrays())])
    for other in found[1:]:
        for a, b in zip(found[0], other):
            assert a.tobytes() == b.tobytes()


def test_several_threads_call_at_once(numba):
    step = model_step()
    expected = [[np.asarray(t).tobytes() for t in step(*arrays(seed))] for seed in range(4)]
    wrong = []

    def call(seed):
        for _ in range(20):
            if [np.asarray(t).tobytes() for t in step(*arrays(seed))] != expected[seed]:
                wrong.append(seed)

    callers = [threading.Thread(target=call, args=(seed,)) for seed in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on_alone(numba):
    step = model_step()
    expected = np.asarray(step(*arrays())[0]).tobytes()
    child = os.fork()
    if not child:
        same = np.asarray(step(*arrays())[0]).tobytes() == expected
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert np.asarray(step(*arrays())[0]).tobytes() == expected


FIT = """
import numpy as np, autograd_nn as ag
ag.set_backend("numba")
model = ag.Sequential([ag.layers.Dense(64, activation="relu", input_shape=(50,)), ag.layers.Dense(1)])
model.compile("adam", "mse")
x, y = np.zeros((6400, 50), "float32"), np.zeros((6400, 1), "float32")
model.fit(x, y, verbose=0)
print("training", flush=True)
try:
    model.fit(x, y, epochs=100000, verbose=0)
except KeyboardInterrupt:
    assert all(np.isfinite(w).all() for w in model.get_weights())
    print("interrupted", flush=True)
    raise
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_ends_a_fit_soon():
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", FIT], stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout.readline() == "training\n"
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert out == "interrupted\n"
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode in (-signal.SIGINT, 130, 1)


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="torch is not installed")
@pytest.mark.parametrize("first", ["torch", "autograd_nn"])
def test_beside_torch_in_one_process(first):
    second = {"torch": "autograd_nn", "autograd_nn": "torch"}[first]
    text = f"""
import {first}, {second}, numpy as np
import torch, autograd_nn as ag
ag.set_backend("numba")
a = np.random.default_rng(0).normal(size=(200, 200)).astype("float32")
f = ag.jit(lambda x: ag.ops.tanh(x @ x))
for _ in range(20):
    ours, theirs = np.asarray(f(a)), torch.tanh(torch.tensor(a) @ torch.tensor(a)).numpy()
    np.testing.assert_allclose(ours, theirs, atol=2e-5)
"""
    subprocess.run([sys.executable, "-c", text], check=True, timeout=120)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_results_below_the_normal_numbers_are_zero_in_programs_alone(numba, threads, count):
    ag.config.set_num_threads(count)
    x = np.full(300_000, 1.5e-38, np.float32)
    assert not ag.jit(lambda x: x * 0.5)(x).numpy().any()
    assert not ag.jit(lambda x: x * 0.5)(np.full(300_000, 3e-308)).numpy().any()
    assert (x * np.float32(0.5)).all(), "NumPy rounds as before"
