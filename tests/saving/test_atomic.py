"""Files are written whole or not at all, whatever ends the writer."""

import contextlib
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from autograd_nn.errors import AutogradError, FolderInTheWay, InvalidArgument, MissingFile, NoRight
from autograd_nn.saving import atomic
from autograd_nn.saving.atomic import check_writable, write_whole

OLD, NEW = b"old " * 1000, b"new!" * 3000

posix = pytest.mark.skipif(os.name != "posix", reason="signals, rights and limits are those of POSIX")


def parts(data, count=8):
    size = -(-len(data) // count)
    return [data[k : k + size] for k in range(0, len(data), size)]


def in_process(code, *arguments, timeout=120):
    """Run code in a process of its own; what it printed."""
    head = "import os, signal, sys, errno\nfrom autograd_nn.saving.atomic import write_whole, check_writable\n"
    run = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(code), *map(str, arguments)],
        capture_output=True, text=True, timeout=timeout, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.fixture
def target(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(OLD)
    return file


def test_a_new_and_an_old_file(tmp_path):
    file = tmp_path / "x.bin"
    write_whole(file, [b"one", memoryview(b" two"), b""])
    assert file.read_bytes() == b"one two"
    write_whole(str(file), iter([NEW]))
    assert file.read_bytes() == NEW
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.bin"]


@posix
def test_the_mode_is_what_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "x", [b"x"])
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


@posix
def test_a_link_is_followed(target, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link"
    link.symlink_to(target)
    write_whole(link, [NEW])
    assert link.is_symlink() and target.read_bytes() == NEW


@pytest.mark.parametrize("length", [1, 200, 255])
def test_names_as_long_as_the_folder_allows(tmp_path, length):
    file = tmp_path / ("ä" * (length // 2) + "x" * (length % 2))
    write_whole(file, [NEW])
    assert file.read_bytes() == NEW


# --- what cannot be written


@pytest.mark.parametrize("check", [check_writable, lambda path: write_whole(path, [NEW])])
def test_places_where_nothing_can_be_written(check, target, tmp_path):
    with pytest.raises(MissingFile, match="there is no folder"):
        check(tmp_path / "no" / "x")
    with pytest.raises(MissingFile, match="there is no folder"):
        check(target / "x")
    with pytest.raises(FolderInTheWay, match="is a folder"):
        check(tmp_path)
    with pytest.raises(NoRight, match="name too long"):
        check(tmp_path / ("x" * 300))
    for path in (3, None, b"bytes", "", "a\0b"):
        with pytest.raises(InvalidArgument, match="file path"):
            check(path)
    assert target.read_bytes() == OLD
    assert len(list(tmp_path.iterdir())) == 1


@posix
def test_devices_and_pipes_are_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", tmp_path / "pipe"):
        with pytest.raises(NoRight, match="device or a pipe"):
            check_writable(path)


@posix
def test_without_rights(target, tmp_path):
    """Root may write everywhere; so the process becomes nobody first, where it is root."""
    target.chmod(0o444)
    (tmp_path / "closed").mkdir(mode=0o755)
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "file").write_bytes(OLD)
    (tmp_path / "open" / "file").chmod(0o444)
    (tmp_path / "open").chmod(0o777)
    if os.getuid() != 0:
        (tmp_path / "closed").chmod(0o555)
    # Folders of pytest are closed to others.
    for folder in (tmp_path, *tmp_path.parents[:3]):
        with contextlib.suppress(OSError):
            folder.chmod(folder.stat().st_mode | 0o055)
    code = """
        from autograd_nn.errors import NoRight
        if os.getuid() == 0:
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
        for path in sys.argv[1:]:
            for call in (check_writable, lambda path: write_whole(path, [b"new"])):
                try:
                    call(path)
                except NoRight as error:
                    print(str(error).partition(": ")[2].split(" ")[0:3])
    """
    found = in_process(code, tmp_path / "closed" / "x", tmp_path / "open" / "file").splitlines()
    assert found == ["['no', 'right', 'to']"] * 2 + ["['the', 'file', 'is']"] * 2
    assert (tmp_path / "open" / "file").read_bytes() == OLD


# --- failures while writing


class Stop(BaseException):
    pass


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError(), KeyboardInterrupt(), Stop()])
def test_an_error_leaves_the_old_file_and_nothing_else(target, tmp_path, error):
    def chunks():
        yield NEW
        raise error

    with pytest.raises(type(error)) as caught:
        write_whole(target, chunks())
    assert caught.value is error
    assert target.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_failing_system_call(target, tmp_path, monkeypatch, step):
    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(atomic.os, step, fail)
    with pytest.raises(OSError, match="Input/output"):
        write_whole(target, [NEW])
    assert target.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [target]


def test_short_writes_are_continued(target, monkeypatch):
    write = os.write
    monkeypatch.setattr(atomic.os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    write_whole(target, [NEW[:700]])
    assert target.read_bytes() == NEW[:700]


@posix
def test_a_limit_of_the_file_size(target, tmp_path):
    code = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            write_whole(sys.argv[1], [b"x" * 50_000] * 4)
        except OSError as error:
            print(errno.errorcode[error.errno])
    """
    assert in_process(code, target) == "EFBIG"
    assert target.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [target]


@posix
def test_a_full_disk(tmp_path):
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], capture_output=True)
    if made.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        file = tmp_path / "x"
        file.write_bytes(OLD)
        with pytest.raises(OSError) as caught:
            write_whole(file, [b"x" * 100_000] * 4)
        assert caught.value.errno == 28 and not isinstance(caught.value, AutogradError)
        assert file.read_bytes() == OLD
        assert list(tmp_path.iterdir()) == [file]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


# --- killed processes


@posix
def test_killed_at_every_step(target, tmp_path):
    """SIGKILL before each chunk, before and after each system call: the old file or the new one, whole."""
    code = """
        import autograd_nn.saving.atomic as atomic
        old, new = b"old " * 1000, b"new!" * 3000

        def kill(*_):
            os.kill(os.getpid(), signal.SIGKILL)

        def killing_chunks(k):
            for place in range(4):
                if place == k:
                    kill()
                yield new[place * 3000 : (place + 1) * 3000]

        def after(call):
            return lambda *given: (call(*given), kill())

        moments = [lambda k=k: write_whole(sys.argv[1], killing_chunks(k)) for k in range(4)]
        for name in ("fsync", "replace", "write"):
            for wrong in (kill, after(getattr(os, name))):
                def moment(name=name, wrong=wrong):
                    setattr(atomic.os, name, wrong)
                    write_whole(sys.argv[1], killing_chunks(9))
                moments.append(moment)
        for moment in moments:
            open(sys.argv[1], "wb").write(old)
            child = os.fork()
            if child == 0:
                moment()
                os._exit(3)
            status = os.waitpid(child, 0)[1]
            assert os.WIFSIGNALED(status), status
            found = open(sys.argv[1], "rb").read()
            print("old" if found == old else "new" if found == new else "broken")
    """
    found = in_process(code, target).split()
    assert found == ["old"] * 7 + ["new"] + ["old"] * 2
    left = [file.name for file in tmp_path.iterdir() if file != target]
    assert len(left) <= 1, "each write removes what the one before left"
    write_whole(target, [NEW])
    assert list(tmp_path.iterdir()) == [target]


@posix
def test_killed_at_random_moments(target):
    code = """
        import random, time
        rng = random.Random(0)
        kinds = [bytes([k]) * 400_000 for k in range(2)]
        for turn in range(25):
            child = os.fork()
            if child == 0:
                while True:
                    for kind in kinds:
                        write_whole(sys.argv[1], [kind[k : k + 20_000] for k in range(0, 400_000, 20_000)])
            time.sleep(rng.uniform(0.001, 0.02))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            found = open(sys.argv[1], "rb").read()
            print("whole" if found in kinds or found == b"old " * 1000 else "broken")
    """
    assert in_process(code, target).split() == ["whole"] * 25


# --- what killed processes leave


def test_a_living_writer_is_left_alone(target, tmp_path):
    def chunks():
        yield NEW[:4]
        write_whole(target, [b"second"])
        assert target.read_bytes() == b"second"
        yield NEW[4:]

    write_whole(target, chunks())
    assert target.read_bytes() == NEW
    assert list(tmp_path.iterdir()) == [target]


def test_leftovers_of_this_target_alone_are_removed(target, tmp_path):
    mine = tmp_path / f"{atomic._prefix(target)}0123456789abcdef.part"
    others = [
        tmp_path / f"{atomic._prefix(tmp_path / 'other')}0.part",
        tmp_path / ".model.bin",
        tmp_path / "model.part",
    ]
    for file in (mine, *others):
        file.write_bytes(b"left")
    write_whole(target, [NEW])
    assert not mine.exists() and all(file.exists() for file in others)


def test_without_locks_only_old_leftovers_are_removed(target, tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "fcntl", None)
    fresh, old = (tmp_path / f"{atomic._prefix(target)}{k}.part" for k in "ab")
    for file in (fresh, old):
        file.write_bytes(b"left")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    write_whole(target, [NEW])
    assert fresh.exists() and not old.exists()
    assert target.read_bytes() == NEW


@posix
def test_two_processes_write_the_same_target(target, tmp_path):
    code = """
        kinds = [bytes([k]) * 100_000 for k in range(2)]
        children = []
        for kind in kinds:
            child = os.fork()
            if child == 0:
                for _ in range(40):
                    write_whole(sys.argv[1], [kind[k : k + 10_000] for k in range(0, 100_000, 10_000)])
                    if open(sys.argv[1], "rb").read() not in kinds:
                        os._exit(1)
                os._exit(0)
            children.append(child)
        print([os.waitpid(child, 0)[1] for child in children])
    """
    assert in_process(code, target) == "[0, 0]"
    assert list(tmp_path.iterdir()) == [target]


@posix
def test_a_temporary_file_taken_for_a_leftover_is_made_anew(target, monkeypatch):
    """Between its making and its locking another writer may remove it."""
    lock, removed = atomic._lock, []

    def late(descriptor, wait=True):
        if wait and not removed:
            removed.extend(file for file in target.parent.iterdir() if file != target)
            removed[0].unlink()
        return lock(descriptor, wait)

    monkeypatch.setattr(atomic, "_lock", late)
    write_whole(target, [NEW])
    assert removed and target.read_bytes() == NEW
