"""The benchmark's contenders start from the same weights and agree: ours and PyTorch's, at small sizes."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.mark.parametrize("name", ["mlp_seed", "mlp_wide", "convnet", "lstm", "gpt_nano", "eager"])
def test_losses_of_the_first_steps_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    workloads, in_torch, in_keras = (
        importlib.import_module(f"benchmarks.{part}") for part in ("workloads", "in_torch", "in_keras")
    )
    w: Any = replace(workloads.WORKLOADS[name].quick(), dropout=0.0)
    # The reference backend is the truth, also where another one is the default.
    monkeypatch.setattr(in_keras, "framework", lambda name, threads: importlib.import_module(name))
    ours = in_keras.make(w, 1, "autograd_nn").losses(5)
    theirs = in_torch.make(w, 1, "").losses(5)
    assert ours == pytest.approx(theirs, rel=1e-3)
