"""Where the files of data sets come from: the user's own `path=`, or a download that stays in a private cache.

A download is kept only if it has the hash that is written here. Whatever a file holds, reading it looks for the
expected members alone, in memory: nothing is unpacked, and no object is made but arrays, numbers, strings, lists and
dicts.
"""

import io
import json
import os
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from platformdirs import user_cache_path

from ..errors import DataError, MissingFile, short
from ..utils.download import get_file
from .unpickler import plain_object

BUCKET = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_PACKAGE = __name__.partition(".")[0]
_LARGEST = 1 << 30


class Remote(NamedTuple):
    """A file to download: its name in the cache, its address, and its hash (SHA-256, or MD5 where Keras knows that)."""

    name: str
    origin: str
    hash: str


def located(what: str, remote: Remote, path: Any = None, subfolder: str = "") -> Path:
    """The file of a data set on this machine.

    what: the function, for messages; path: the user's own file, or None or the name of `remote` for the download

    Raises MissingFile for a `path` that is no file, DataError where the download fails; it says where to put the file.
    """
    if path is not None and (os.fspath(path) != remote.name or Path(path).is_file()):
        if not Path(path).is_file():
            raise MissingFile(f"{what}: there is no file {short(str(path), 150)}; leave out path= to download it")
        return Path(path)
    folder = user_cache_path(_PACKAGE) / "datasets" / subfolder
    for made in (folder.parent, folder):
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return Path(get_file(remote.name, remote.origin, cache_dir=folder.parent, cache_subdir=folder.name,
                             file_hash=remote.hash))  # fmt: skip
    except DataError as error:
        reason = str(error).removeprefix("get_file: ")
        raise DataError(
            f"{what}: {short(reason, 200).strip(chr(34))}",
            f"Without a network: get {remote.origin} by other means,\nthen pass path=... or put it there as "
            f"{folder / remote.name}",
        ) from None


def read_npz(what: str, file: Path, names: tuple[str, ...], objects: tuple[str, ...] = ()) -> list[Any]:
    """The arrays of these names in an .npz archive; those in `objects` may be arrays of lists of numbers.

    Raises DataError for a file that is damaged, lacks a name, or holds anything else.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return [_read_npy(_member(archive, f"{name}.npy"), name in objects) for name in names]
    except DataError as error:
        raise _wrong(what, file, str(error)) from None
    except KeyError:
        raise _wrong(what, file, f"does not hold all of {', '.join(names)}") from None
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise _wrong(what, file, f"is no .npz archive that can be read ({short(str(error), 80)})") from None


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    info = archive.getinfo(name)
    if info.file_size > _LARGEST:
        raise DataError(f"has {name} of {info.file_size} bytes")
    with archive.open(info) as stream:
        # What the archive says of the size need not be true.
        return io.BytesIO(stream.read(info.file_size))


def _read_npy(stream: IO[bytes], is_object: bool) -> Any:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if is_object and dtype.hasobject:
        found = plain_object(stream.read())
        if not isinstance(found, np.ndarray) or found.shape != shape:
            raise DataError("holds something else than an array of lists")
        return found
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def read_tar(what: str, file: Path, names: tuple[str, ...]) -> list[Any]:
    """The pickled dicts of these names in a tar archive, one per name.

    Raises DataError for a file that is damaged, lacks a name, or has a link or something else under it.
    """
    found: dict[str, Any] = {}
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                if member.name not in names:
                    continue
                stream = archive.extractfile(member) if member.isreg() and member.size <= _LARGEST else None
                if stream is None:
                    raise _wrong(what, file, f"has {member.name} that is no file")
                found[member.name] = plain_object(stream.read())
    except DataError as error:
        raise error if str(error).startswith(what) else _wrong(what, file, str(error)) from None
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise _wrong(what, file, f"is no archive that can be read ({short(str(error), 80)})") from None
    missing = [name for name in names if not isinstance(found.get(name), dict)]
    if missing:
        raise _wrong(what, file, f"lacks {', '.join(missing)}")
    return [found[name] for name in names]


def read_json(what: str, file: Path) -> dict[str, int]:
    """A word index: a dict from words to ints; DataError for anything else."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise _wrong(what, file, "is no JSON") from None
    if not isinstance(found, dict) or not all(isinstance(value, int) for value in found.values()):
        raise _wrong(what, file, "is no dict from words to numbers")
    return found


def _wrong(what: str, file: Path, problem: str) -> DataError:
    return DataError(f"{what}: {short(str(file), 150)} {problem}")
