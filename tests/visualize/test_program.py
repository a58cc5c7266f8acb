"""Finding a layout program, with and without the system's."""

import os
import stat
from pathlib import Path

import pytest

from autograd_nn.visualize import program

SOURCE = "digraph { a -> b }"


def fake_dot(folder: Path, script: str) -> None:
    file = folder / "dot"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def test_with_an_empty_path_the_installed_program_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert b"<svg" in program.lay_out(SOURCE, "svg")


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for dot is a shell script")
def test_the_systems_program_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_dot(tmp_path, "echo drawn by the system")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program.lay_out(SOURCE, "svg") == b"drawn by the system\n"


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for dot is a shell script")
@pytest.mark.parametrize("script", ["exit 1", "true"])
def test_a_broken_system_program_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    fake_dot(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert b"<svg" in program.lay_out(SOURCE, "svg")


def test_without_any_program_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(program, "PURE", "a-package-that-is-not-there")
    with pytest.raises(program.LayoutError, match="pip install"):
        program.lay_out(SOURCE, "svg")


def test_what_the_program_says_stands_below_the_first_line() -> None:
    with pytest.raises(program.LayoutError) as caught:
        program.lay_out("digraph { a -> ", "svg")
    assert "syntax" in str(caught.value).lower() and len(str(caught.value).splitlines()[0]) <= 300
