"""The benchmark runs, compares losses, and judges; nothing here looks at how long anything takes."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("mlp_seed", "mlp_wide", "convnet", "lstm", "gpt_nano")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "AUTOGRAD_NN_VENV": sys.prefix}
    command = [sys.executable, str(ROOT / "tools" / "bench.py"), "--quick", "--repeats", "1", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True)


def module(name: str) -> Any:
    return importlib.import_module(f"benchmarks.{name}")


def test_it_measures_prints_and_writes(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    run = bench("--workload", "mlp_seed,eager,resize,import", "--threads", "1", "--json", str(file))
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads(file.read_text())
    assert result["peak"]["1"] > 0
    assert result["machine"]["versions"]["numpy"] == np.__version__
    rows = result["steps"]["mlp_seed"]["rows"]
    assert set(rows) == {"autograd_nn", "autograd_nn.fit"}
    assert 0 < rows["autograd_nn"]["minimum"] <= rows["autograd_nn"]["median"]
    assert set(rows["autograd_nn"]["start"]) == {"empty", "warm"}
    assert len(result["steps"]["mlp_seed"]["losses"]["autograd_nn"]) == 5
    assert {"first", "later", "extra"} == set(result["others"]["resize"]["rows"]["autograd_nn"])
    assert "mlp_seed: import to first loss, warm cache" in run.stdout
    assert "import autograd_nn" in run.stdout


def test_scaling_and_nodes_run(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    run = bench("--scaling", "--markdown", "--json", str(file))
    assert run.returncode == 0, run.stdout + run.stderr
    others = json.loads(file.read_text())["others"]
    assert [size["factor"] for size in others["scaling"]["rows"]["autograd_nn"]["depth"]] == [1, 2]
    few, many = others["nodes"]["rows"]["autograd_nn"]
    assert 1.8 < many["nodes"] / few["nodes"] < 2.2
    assert "|---" in run.stdout


@pytest.mark.parametrize("option", ["--workload", "--against"])
def test_unknown_names_are_refused(option: str) -> None:
    run = bench(option, "tensorflow")
    assert run.returncode == 2
    assert "unknown: tensorflow; choose from" in run.stderr


def test_a_contender_that_fails_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    steps, crew = module("steps"), module("crew")
    settings = steps.Settings(1, 1, 1, True, lambda text: None)
    with settings.worker("autograd_nn", "mlp_seed", tmp_path) as worker:
        with pytest.raises(crew.WorkerFailed, match="no attribute 'juggle'"):
            worker.ask("juggle")
        worker.ask("prepare")
        assert len(worker.ask("losses", count=2)) == 2


def test_losses_must_agree() -> None:
    disagreement = module("steps").disagreement
    assert disagreement({"a": [1.0, 2.0], "b": [1.0005, 2.0]}) == ""
    assert disagreement({"a": [1.0, 2.0], "b": [1.0, 2.01]}) == "losses differ in step 1: a 2, b 2.01"
    assert "b nan" in disagreement({"a": [1.0], "b": [float("nan")]})


def test_flops_of_the_chapters_model() -> None:
    w = module("workloads").WORKLOADS["mlp_seed"]
    forward = weights = 784 * 32 + 32 * 10
    assert w.flops == 2 * 128 * (forward + weights + 32 * 10)


def test_flops_of_a_convolution_count_places_of_the_output() -> None:
    w = module("workloads").WORKLOADS["convnet"].changed(batch=1, first=1, second=1)
    assert w.flops == 2 * (2 * 26 * 26 * 9 + 3 * 11 * 11 * 9 + 3 * 25 * 10)


def test_masked_pairs_are_not_counted() -> None:
    w = module("workloads").WORKLOADS["gpt_nano"].changed(batch=1, words=0, width=1, blocks=1, time=2)
    assert w.flops == 2 * 3 * (2 * 12 + 3 * 2)


@pytest.mark.parametrize("name", MODELS)
def test_weights_and_batches_are_the_same_every_time(name: str) -> None:
    w = module("workloads").WORKLOADS[name].quick()
    for first, second in ((w.weights(), w.weights()), (dict(enumerate(w.batches())), dict(enumerate(w.batches())))):
        assert list(first) == list(second)
        assert all(np.array_equal(a, b) for a, b in zip(flat(first), flat(second)))


def flat(nest: Any) -> list[Any]:
    return [part for value in nest.values() for part in (value if isinstance(value, tuple) else (value,))]


def test_the_peak_is_measured() -> None:
    peak = module("peak").Peak()
    assert peak.gflops(2, seconds=0.001, repeats=1) > 0


def row(blocks: list[float], above: float, first: float, total: float) -> dict[str, Any]:
    start = {"empty": {"first": first}, "warm": {"total": total}}
    return {"median": sorted(blocks)[1], "blocks": blocks, "memory": {"above": above}, "start": start}


def judged(rows: dict[str, Any]) -> list[Any]:
    steps = {"mlp_seed": {"rows": rows, "flops": 1, "threads": 1}}
    found: list[Any] = module("report").verdicts({"steps": steps, "peak": {"1": 100.0}, "others": {}})
    return found


def test_verdicts_compare_blocks_that_ran_in_turns() -> None:
    report = module("report")
    rows = {"autograd_nn": row([1.0, 3.0, 1.0], 5, 1.0, 0.4), "jax": row([2.0, 6.0, 1.0], 9, 0.5, 2.0)}
    found = judged(rows)
    assert [v.found for v in found] == [0.5, 1.0, 0.4]
    assert [v.limit for v in found] == pytest.approx([1 / 3, 0.5, 0.5])
    assert [v.met for v in found] == [False, False, True]
    table = report.shown(report.verdict_table(found), markdown=True)
    assert "| mlp_seed: step, of jax's | 0.5  | <= 0.333  | MISSED |" in table


def test_what_failed_is_missed() -> None:
    (verdict,) = judged({"autograd_nn": {"error": "no kernel"}, "jax": row([2.0, 6.0, 1.0], 9, 0.5, 2.0)})
    assert not verdict.met


def test_cost_out_of_proportion_is_missed() -> None:
    report = module("report")
    sizes = [{"factor": 1, "flops": 10, "minimum": 1.0}, {"factor": 2, "flops": 20, "minimum": 2.6}]
    others = {"scaling": {"rows": {"autograd_nn": {"batch": sizes}}}}
    (verdict,) = report.verdicts({"steps": {}, "others": others, "peak": {}})
    assert not verdict.met
    assert verdict.found == pytest.approx(1.3)
