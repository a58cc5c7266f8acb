"""Compiled kernels on disk: a private directory, checked entries, a bounded size.

Numba's files hold pickles, so nothing is read from a directory that others may write to, and nothing whose checksum
does not fit. An entry is a source file named by the hash of its text, and Numba's index and code for it.
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
from typing import NamedTuple, TypeVar

import llvmlite
import numba
import numpy as np

VARIABLE = "AUTOGRAD_NN_CACHE"
# The files whose functions become part of every kernel.
_CODE = ("elementary.py", "intrinsics.py", "kernel.py", "scalars.py", "tile.py")
MOST_BYTES = 256 * 2**20
_Made = TypeVar("_Made")


class Place(NamedTuple):
    """Where a kernel's source lies, and whether its code is kept there."""

    path: str
    kept: bool


def _user_cache() -> Path:
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "autograd_nn"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "autograd_nn"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autograd_nn"


@cache
def version() -> str:
    """A hash of everything that compiled code depends on besides its own source."""
    digest = hashlib.sha256()
    for name in _CODE:
        digest.update(Path(__file__).with_name(name).read_bytes())
    for part in (numba.__version__, llvmlite.__version__, np.__version__, sys.version):
        digest.update(part.encode())
    return digest.hexdigest()[:16]


@cache
def directory(chosen: str | None) -> Path | None:
    """The private directory of this version; None, with one warning, where there can be none."""
    root = _user_cache()
    try:
        path = root / version()
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (root, path):
            _make_private(folder)
        _forget_old(root)
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


def _forget_old(root: Path) -> None:
    """Remove the oldest entries of all versions while they take too much space."""
    files = [
        (info.st_mtime, info.st_size, file) for file in root.rglob("*") if stat.S_ISREG((info := file.lstat()).st_mode)
    ]
    size = sum(bytes for _, bytes, _ in files)
    for _, bytes, file in sorted(files):
        if size <= MOST_BYTES:
            return
        file.unlink(missing_ok=True)
        size -= bytes


def place(key: str, text: str) -> Place:
    """Where the kernel with this source is kept; the source is written there."""
    folder = directory(os.environ.get(VARIABLE))
    if folder is None:
        return Place(f"<kernel {key}>", False)
    path = folder / f"kernel_{key}.py"
    try:
        if not path.exists() or path.read_text() != text:
            _write(path, text.encode())
    except OSError:
        return Place(f"<kernel {key}>", False)
    return Place(str(path), True)


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, also beside other processes."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(name, path)


def guarded(place: Place, make: Callable[[], _Made]) -> _Made:
    """What `make` gives, from an entry on disk that is whole, else compiled again and kept."""
    if not place.kept:
        return make()
    seal = Path(place.path).with_suffix(".sum")
    if _sealed(seal) != _sum(seal):
        _drop(seal)
    try:
        made = make()
    except Exception:
        if not _files(seal):
            raise
        warnings.warn("a compiled kernel on disk was damaged and is built again")
        _drop(seal)
        made = make()
    try:
        if not seal.exists():
            _write(seal, _sum(seal).encode())
    except OSError:
        pass
    return made


def _files(seal: Path) -> list[Path]:
    """What Numba keeps for a kernel."""
    return sorted((seal.parent / "__pycache__").glob(f"{seal.stem}.*.nb*"))


def _sealed(seal: Path) -> str:
    try:
        return seal.read_text()
    except (OSError, ValueError):
        return ""


def _sum(seal: Path) -> str:
    digest = hashlib.sha256()
    for file in _files(seal):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _drop(seal: Path) -> None:
    """Forget an entry; said once where it had been sealed, and so was damaged since."""
    if seal.exists():
        warnings.warn(f"the compiled kernel {seal.stem} on disk was damaged and is built again")
    for file in (*_files(seal), seal):
        file.unlink(missing_ok=True)
