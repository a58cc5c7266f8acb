"""Every example runs as its reader would run it, in a folder of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

WRITES = {"mnist.py": ["model.svg"], "operators.py": ["graph.svg"]}
SAYS = {
    "mnist.py": ["test accuracy 0."],
    "operators.py": ["loss", "graph.svg"],
    "custom_op.py": ["swish, order 1: right", "swish, order 2: right", "the planted mistake: caught"],
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.name)
def test_example_runs(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-W", "error::DeprecationWarning", str(example), "--quick"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert all(text in run.stdout for text in SAYS.get(example.name, [])), run.stdout
    written = sorted(file.name for file in tmp_path.iterdir())
    assert written == WRITES.get(example.name, [])
    assert all("<svg" in (tmp_path / name).read_text(encoding="utf-8") for name in written)


def test_the_chapter_stays_short() -> None:
    assert len((ROOT / "examples" / "mnist.py").read_text(encoding="utf-8").splitlines()) <= 50
