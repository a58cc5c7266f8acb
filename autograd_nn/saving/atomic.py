"""Files written whole or not at all: whatever happens meanwhile, the old file stays until the new one is complete."""

import contextlib
import os
import stat
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import FolderInTheWay, InvalidArgument, MissingFile, NoRight, short

try:
    import fcntl
except ImportError:  # a system without POSIX locks
    fcntl = None  # type: ignore[assignment]

Chunk = bytes | memoryview

# Where no lock can tell whether its writer lives, a temporary file counts as left over after a day.
_OLD = 24 * 3600.0


def write_whole(path: Any, chunks: Iterable[Chunk]) -> None:
    """Write `chunks` to `path`, all of them or nothing.

    The bytes go to a temporary file in the same folder, to the disk, and only then under the name `path`, so that at
    every moment, also after a crash, the old file or the new one is there and whole. A link is followed; the file it
    points to is replaced. Temporary files of processes that were killed while writing to `path` are removed.

    Raises what `check_writable` raises, and OSError for a full disk; the old file stays, no temporary file is left.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note.txt"
    >>> write_whole(path, [b"one ", b"two"])
    >>> path.read_text()
    'one two'
    """
    check_writable(path)
    target = Path(os.path.realpath(path))
    _remove_leftovers(target)
    temporary, descriptor = _claim(target)
    try:
        for chunk in chunks:
            _write_all(descriptor, chunk)
        os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    _sync_folder(target.parent)


def check_writable(path: Any) -> None:
    """Raise now what `write_whole(path, ...)` would raise later, the full disk excepted; nothing is written.

    Raises MissingFile (a FileNotFoundError) for a missing folder, FolderInTheWay (an IsADirectoryError) where `path` is
    a folder, NoRight (a PermissionError) without the right to write, InvalidArgument for what cannot be a path.

    >>> check_writable("no/such/folder/model.safetensors")
    Traceback (most recent call last):
    autograd_nn.errors.MissingFile: cannot write 'no/such/folder/model.safetensors': ...
    """
    name = as_path(path)
    try:
        target = Path(os.path.realpath(name))
        found = target.stat() if target.exists() else None
    except OSError as error:
        raise NoRight(f"cannot write {shown(name)}: {error.strerror}") from None
    folder = target.parent
    if not folder.is_dir():
        raise MissingFile(
            f"cannot write {shown(name)}: there is no folder {shown(str(folder))}; make it with os.makedirs"
        )
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise FolderInTheWay(f"cannot write {shown(name)}: it is a folder; give the name of a file in it")
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise NoRight(f"cannot write {shown(name)}: it is a device or a pipe; give the name of a file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise NoRight(f"cannot write {shown(name)}: no right to write to the folder {shown(str(folder))}")
    if found is not None and not os.access(target, os.W_OK):
        raise NoRight(f"cannot write {shown(name)}: the file is read-only; remove it or choose another name")


def as_path(path: Any) -> str:
    """A path as text; InvalidArgument for anything that no file can be called.

    >>> as_path(Path("folder") / "model.safetensors")
    'folder/model.safetensors'
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidArgument(f"a file path must be a str or a Path, got {short(path)}")
    name = os.fspath(path)
    if not isinstance(name, str) or not name or "\0" in name:
        raise InvalidArgument(f"a file path must be text with at least one character, got {short(name)}")
    return name


def shown(path: str, limit: int = 60) -> str:
    """A path for an error line: of a long one the end, which says more.

    >>> shown("folder/model.safetensors", 20)
    "'...el.safetensors'"
    """
    text = short(path, len(path) * 10)
    return text if len(text) <= limit else f"{text[0]}...{text[5 - limit :]}"


def _write_all(descriptor: int, chunk: Chunk) -> None:
    left = memoryview(chunk)
    while left.nbytes:
        left = left[os.write(descriptor, left) :]


# --- temporary files: ".NAME.SUM.RANDOM.part", locked while their writer lives


def _prefix(target: Path) -> str:
    # A name may be as long as a folder allows; the checksum keeps the shortened ones apart.
    name = os.fsencode(target.name)
    return f".{os.fsdecode(name[:100])}.{zlib.crc32(name):08x}."


def _claim(target: Path) -> tuple[Path, int]:
    """A new temporary file beside `target`, open and locked."""
    while True:
        temporary = target.parent / f"{_prefix(target)}{os.urandom(8).hex()}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(temporary, flags, 0o666)
        _lock(descriptor)
        # Another writer may have taken it for a leftover in the moment before it was locked.
        if temporary.exists():
            return temporary, descriptor
        os.close(descriptor)


def _lock(descriptor: int, wait: bool = True) -> bool | None:
    """Whether the lock was taken; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _remove_leftovers(target: Path) -> None:
    prefix = _prefix(target)
    for name in _names(target.parent):
        if name.startswith(prefix) and name.endswith(".part"):
            with contextlib.suppress(OSError):
                _remove_if_left(target.parent / name)


def _names(folder: Path) -> Iterator[str]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        yield from sorted(entry.name for entry in entries)


def _remove_if_left(temporary: Path) -> None:
    """Remove a temporary file unless its writer lives: a living one holds the lock."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(temporary, flags)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return
        locked = _lock(descriptor, wait=False)
        if locked or locked is None and time.time() - found.st_mtime > _OLD:
            os.unlink(temporary)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk too; some file systems cannot."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
