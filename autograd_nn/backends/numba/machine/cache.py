"""Machine code on disk: a private directory, entries that carry their own checksum, a bounded size.

An entry is an object file behind a header with the hash of what follows. Code is run as it is read, so nothing is
taken from a directory that others may write to, and nothing whose hash does not fit. An entry is written beside its
place and moved there, so that several processes may share the directory.
"""

import hashlib
import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
from platformdirs import user_cache_path

VARIABLE = "AUTOGRAD_NN_CACHE"
_MAGIC = b"autograd_nn kernel 1\n"
_HASH = 32
# The rooms whose files decide what machine code a kernel's source becomes.
_ROOMS = ("machine", "functions", "tiles")
MOST_BYTES = 256 * 2**20
_BETWEEN_LOOKS = 256


def _user_cache() -> Path:
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    return user_cache_path("autograd_nn", appauthor=False)


@cache
def version() -> str:
    """A hash of everything that machine code depends on besides a kernel's source."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        for file in sorted((Path(__file__).parent.parent / room).glob("*.py")):
            digest.update(file.read_bytes())
    cpu = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvm.get_process_triple()
    for part in (llvmlite.__version__, sys.version, *cpu):
        digest.update(part.encode())
    return digest.hexdigest()[:16]


@cache
def directory(chosen: str | None) -> Path | None:
    """The private directory of this version; None, with one warning, where there can be none."""
    root = _user_cache()
    try:
        path = root / version()
        new = not path.exists()
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (root, path):
            _make_private(folder)
        if new:
            _bound(root)
        return path
    except OSError as error:
        warnings.warn(f"compiled kernels are not kept: {error}; set {VARIABLE} to a directory of your own")
        return None


def _make_private(folder: Path) -> None:
    """OSError unless the folder is ours alone."""
    if os.name != "posix":
        return
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        raise PermissionError(f"{folder} is not a directory of this user")
    if info.st_mode & 0o077:
        folder.chmod(0o700)


def kept(key: str, make: Callable[[], bytes]) -> tuple[bytes, bool]:
    """The object file of that key, made if it is not on the disk; whether it was there."""
    folder = directory(os.environ.get(VARIABLE))
    if folder is None:
        return make(), False
    path = folder / f"{key}.o"
    found = _read(path)
    if found is not None:
        return found, True
    code = make()
    try:
        _write(path, _MAGIC + hashlib.sha256(code).digest() + code)
        _Written.count += 1
        if _Written.count % _BETWEEN_LOOKS == 0:
            _bound(folder.parent)
    except OSError:
        pass
    return code, False


def _read(path: Path) -> bytes | None:
    """What an entry holds; None if it is not there, or not whole, which is said once."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    start = len(_MAGIC) + _HASH
    code = data[start:]
    if data[: len(_MAGIC)] == _MAGIC and data[len(_MAGIC) : start] == hashlib.sha256(code).digest():
        return code
    _warn_damaged()
    path.unlink(missing_ok=True)
    return None


@cache
def _warn_damaged() -> None:
    warnings.warn("compiled kernels on disk were damaged and are built again")


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, also beside other processes."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


class _Written:
    """How many entries this process has added since the size was looked at."""

    count = 0


def _bound(root: Path) -> None:
    """Remove the oldest entries of all versions while they take too much space."""
    files = []
    for file in root.rglob("*"):
        try:
            info = file.lstat()
        except OSError:
            continue
        if stat.S_ISREG(info.st_mode):
            files.append((info.st_mtime, info.st_size, file))
    size = sum(nbytes for _, nbytes, _ in files)
    for _, nbytes, file in sorted(files):
        if size <= MOST_BYTES:
            return
        file.unlink(missing_ok=True)
        size -= nbytes
