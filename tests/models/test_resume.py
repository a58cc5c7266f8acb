"""Training is killed and taken up again, in processes of its own; tools/kill_test.py does the same in large."""

import importlib
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"


@pytest.fixture(autouse=True)
def tools_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))


@contextmanager
def started(code, *arguments):
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{TOOLS}"}
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_killed_at_random_moments(tmp_path):
    found = importlib.import_module("kill_test").killed_trainings(4, seed=int(time.time()), folder=tmp_path)
    assert found.kills >= 4
    assert not found.failed, found


def test_interrupted_in_the_middle_of_epochs(tmp_path):
    assert importlib.import_module("kill_test").interrupted_points(7, tmp_path) == 0


INTERRUPTED = """
import sys, threading
import numpy as np
import autograd_nn as ag

class Ready(ag.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            print("ready", flush=True)

def run(epochs):
    ag.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(20000, 20)).astype("float32")
    model = ag.Sequential([ag.layers.Dense(16, activation="relu", input_shape=(20,)), ag.layers.Dense(4)])
    model.compile("adam", "mse")
    backup = ag.callbacks.BackupAndRestore(sys.argv[1])
    try:
        model.fit(x, x[:, :4], epochs=epochs, verbose=0, callbacks=[backup, Ready()])
    finally:
        print(int(model.optimizer.iterations), flush=True)

run(int(sys.argv[2]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number, code", [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, -signal.SIGTERM)])
def test_ctrl_c_and_sigterm_among_many_steps_per_call(tmp_path, number, code):
    from autograd_nn.saving.container import read_arrays

    with started(INTERRUPTED, str(tmp_path), "1000000") as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode in (code, 128 + number, 1), err
    saved = int(read_arrays(tmp_path / "latest.safetensors")[0]["optimizer/0"])
    assert os.listdir(tmp_path) == ["latest.safetensors"]
    if number == signal.SIGINT:
        assert err.strip().endswith("KeyboardInterrupt")
        # The backup is that of the very step at which training ended, in the middle of an epoch of 625.
        assert saved == int(out)
    else:
        assert saved % 625 == 0


def test_nothing_grows_over_many_steps():
    with started("import long_training, sys; sys.exit(long_training.main())", "1000") as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    assert out.count("open files") == 2
