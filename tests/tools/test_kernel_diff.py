"""What a change does to the kernels is shown."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "kernel_diff.py"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "AUTOGRAD_NN_VENV": sys.prefix}
    return subprocess.run([sys.executable, str(TOOL), *map(str, arguments)], env=env, capture_output=True, text=True)


def saved(folder: Path, kernels: dict[str, str], steps: str = "kernel  add: 1 tiles") -> Path:
    program = folder / "op_x"
    program.mkdir(parents=True)
    (program / "steps.txt").write_text(steps + "\n")
    for name, text in kernels.items():
        (program / name).write_text(text)
    return folder


def differences(*folders: Path) -> list[str]:
    tool: Any = importlib.import_module("kernel_diff")
    return list(tool.differences(*folders))


def test_save_writes_sources_and_steps_and_nothing_differs_from_itself(tmp_path: Path) -> None:
    first = run("save", tmp_path / "a", "--program", "op_matmul")
    assert first.returncode == 0, first.stdout + first.stderr
    program = tmp_path / "a" / "op_matmul"
    sources = sorted(program.glob("*.py"))
    assert sources and all(file.read_text().startswith("def kernel(") for file in sources)
    assert "kernel  " in (program / "steps.txt").read_text()
    second = run("compare", tmp_path / "a", "--program", "op_matmul")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "the kernels are the same" in second.stdout


def test_the_llvm_can_be_saved(tmp_path: Path) -> None:
    assert run("save", tmp_path, "--program", "op_elementwise", "--ir").returncode == 0
    texts = [file.read_text() for file in (tmp_path / "op_elementwise").glob("*.ll")]
    assert texts and all("define" in text for text in texts)


def test_a_changed_kernel_is_shown_as_a_difference(tmp_path: Path) -> None:
    old = saved(tmp_path / "old", {"add-11111111.py": "a\nb\n", "tanh-22222222.py": "same\n"})
    new = saved(tmp_path / "new", {"add-33333333.py": "a\nc\n", "tanh-22222222.py": "same\n"})
    found = differences(old, new)
    assert {"--- add-11111111.py", "+++ add-33333333.py", "-b", "+c"} <= set(found)
    assert not any("tanh" in line for line in found)


def test_kernels_that_are_gone_and_new_ones_are_shown(tmp_path: Path) -> None:
    old = saved(tmp_path / "old", {"add-11111111.py": "a\n"})
    new = saved(tmp_path / "new", {"relu-22222222.py": "r\n"}, "kernel  relu: 1 tiles\nkernel  relu: 1 tiles")
    found = differences(old, new)
    assert {"--- add-11111111.py", "+++ nothing", "--- nothing", "+++ relu-22222222.py", "-a", "+r"} <= set(found)
    assert "was: 1 kernel steps, 0 Python steps, 0 loops; 1 kernels" in found
    assert "now: 2 kernel steps, 0 Python steps, 0 loops; 1 kernels" in found


def test_of_kernels_with_one_note_the_most_alike_are_compared(tmp_path: Path) -> None:
    old = saved(tmp_path / "old", {"add-11111111.py": "a\nb\nc\nd\n"})
    new = saved(tmp_path / "new", {"add-22222222.py": "x\ny\n", "add-33333333.py": "a\nb\nc\ne\n"})
    found = differences(old, new)
    assert found.index("--- add-11111111.py") + 1 == found.index("+++ add-33333333.py")
    assert "+++ add-22222222.py" in found


def test_an_unknown_program_is_refused(tmp_path: Path) -> None:
    result = run("save", tmp_path, "--program", "op_juggle")
    assert result.returncode == 1
    assert "no program 'op_juggle'; there are mlp_seed" in result.stderr


@pytest.mark.parametrize("name", ["op_softmax", "op_gather"])
def test_every_op_program_runs(name: str, tmp_path: Path) -> None:
    assert run("save", tmp_path, "--program", name).returncode == 0
