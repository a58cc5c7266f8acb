"""Machine code on disk: private, checked, shared by processes, bounded."""

import os
import subprocess
import sys
import warnings

import pytest

from autograd_nn.backends.numba.machine import cache
from autograd_nn.backends.numba.machine.kernel import interpreted

STEP = """
import numpy as np, autograd_nn as ag
ag.set_backend("numba")
f = ag.jit(lambda x, y: ag.ops.tanh(x @ y).sum() + ag.ops.exp(x).mean())
print(float(f(np.full((7, 5), 0.25, "float32"), np.full((5, 3), 0.5, "float32"))))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    cache.directory.cache_clear()
    cache._warn_damaged.cache_clear()
    yield tmp_path
    cache.directory.cache_clear()


def entry(folder, key="a" * 32):
    return folder / cache.version() / f"{key}.o"


def test_what_was_made_is_found_again(folder):
    assert cache.kept("a" * 32, lambda: b"code") == (b"code", False)
    assert cache.kept("a" * 32, lambda: pytest.fail("made twice")) == (b"code", True)


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_the_directory_is_private(folder):
    cache.kept("a" * 32, lambda: b"code")
    for path in (folder, folder / cache.version()):
        assert path.stat().st_mode & 0o077 == 0
    assert entry(folder).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("size", [0, 1, 10, 30, 60, -1])
def test_a_truncated_entry_is_built_again_with_one_warning(folder, size):
    cache.kept("a" * 32, lambda: b"code" * 20)
    cache.kept("b" * 32, lambda: b"code" * 20)
    for key in ("a" * 32, "b" * 32):
        path = entry(folder, key)
        path.write_bytes(path.read_bytes()[:size])
    with pytest.warns(UserWarning, match="damaged") as caught:
        assert cache.kept("a" * 32, lambda: b"new") == (b"new", False)
        assert cache.kept("b" * 32, lambda: b"new") == (b"new", False)
    assert len(caught) == 1
    assert cache.kept("a" * 32, lambda: b"") == (b"new", True)


def test_any_changed_byte_is_noticed(folder):
    cache.kept("a" * 32, lambda: bytes(range(200)))
    path = entry(folder)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        cache._warn_damaged.cache_clear()
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.warns(UserWarning, match="damaged"):
            assert cache.kept("a" * 32, lambda: b"new")[1] is False
        path.write_bytes(whole)


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
def test_a_link_in_place_of_the_directory_is_refused(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "link").symlink_to(elsewhere)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "link"))
    cache.directory.cache_clear()
    with pytest.warns(UserWarning, match="not kept"):
        assert cache.kept("a" * 32, lambda: b"code") == (b"code", False)
    cache.directory.cache_clear()


def test_where_nothing_can_be_written_kernels_are_made_every_time(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("no directory")
    monkeypatch.setenv(cache.VARIABLE, str(file))
    cache.directory.cache_clear()
    with pytest.warns(UserWarning, match="AUTOGRAD_NN_CACHE"):
        assert cache.kept("a" * 32, lambda: b"code") == (b"code", False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.kept("a" * 32, lambda: b"code") == (b"code", False)
    cache.directory.cache_clear()


def test_the_oldest_entries_go_when_there_is_too_much(folder, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 3000)
    for k in range(5):
        cache.kept(f"{k}" * 32, lambda: b"x" * 900)
        os.utime(entry(folder, f"{k}" * 32), (k, k))
    cache._bound(folder)
    assert [entry(folder, f"{k}" * 32).exists() for k in range(5)] == [False, False, True, True, True]


@pytest.mark.skipif(interpreted(), reason="kernels run in Python")
def test_processes_that_begin_at_once_share_the_directory(tmp_path):
    environment = {**os.environ, cache.VARIABLE: str(tmp_path), "PYTHONWARNINGS": "error"}
    processes = [
        subprocess.Popen([sys.executable, "-c", STEP], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    outcomes = [p.communicate(timeout=120) for p in processes]
    assert [p.returncode for p in processes] == [0] * 4, outcomes
    assert len({out for out, _ in outcomes}) == 1
    folder = next(path for path in tmp_path.iterdir())
    assert not [path for path in folder.iterdir() if path.suffix != ".o"]


@pytest.mark.skipif(interpreted(), reason="kernels run in Python")
def test_foreign_entries_are_built_again(tmp_path):
    environment = {**os.environ, cache.VARIABLE: str(tmp_path)}

    def run():
        return subprocess.run([sys.executable, "-c", STEP], env=environment, capture_output=True, text=True, check=True)

    first = run()
    for path in next(path for path in tmp_path.iterdir()).iterdir():
        path.write_bytes(b"\x80\x04\x95 not machine code")
    second = run()
    assert second.stdout == first.stdout
    assert second.stderr.count("UserWarning") == 1
    assert "damaged" not in run().stderr
