"""Files from the network, kept in a private cache."""

import hashlib
import http.client
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import IO, Any

from platformdirs import user_cache_path

from ..engine.signatures import suggests
from ..errors import DataError, InvalidArgument, short
from .progbar import Progbar

_CACHE_NAME = __name__.partition(".")[0]
_CHUNK = 1 << 16
_SCHEMES = ("https", "http", "file")
_ALGORITHMS = ("auto", "sha256", "md5")
_SHA256_LENGTH = 64
# Seconds without an answer, or without another byte.
_PATIENCE = 20


@suggests
def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file that is downloaded unless the cache has it.

    fname:          its name in the cache; the last part of `origin` if None
    origin:         an address that begins with https://, http:// or file://
    file_hash:      the file's SHA-256 (or MD5) in hexadecimal; another file is downloaded again, then refused
    hash_algorithm: "sha256", "md5", or "auto" by the length of the hash; md5_hash: an MD5 hash, the old way
    extract:        unpack a tar or zip archive, and return the folder; untar: a tar archive
    archive_format: "tar", "zip" or "auto"
    cache_dir:      the user's own cache folder if None; the file goes into its `cache_subdir`
    force_download: even if the cache has it

    What is downloaded stands under its name only when it is complete and its hash is right; nothing in an archive may
    leave the folder. Raises InvalidArgument for arguments that cannot be meant, DataError where the file cannot be had.

    >>> import pathlib, tempfile
    >>> import autograd_nn as ag
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_text("hello")
    >>> path = ag.utils.get_file(origin=(folder / "a.txt").as_uri(), cache_dir=folder / "cache")
    Downloading data from ...
    >>> pathlib.Path(path).read_text()
    'hello'
    """
    address = _check_origin(origin)
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    if hash_algorithm not in _ALGORITHMS:
        raise InvalidArgument(f"get_file: hash_algorithm must be one of {_ALGORITHMS}, got {short(hash_algorithm)}")
    name = _file_name(fname, address)
    folder = Path(cache_dir).expanduser() if cache_dir is not None else user_cache_path(_CACHE_NAME)
    folder = folder / cache_subdir
    folder.mkdir(parents=True, exist_ok=True)
    unpack = extract or untar
    target = folder / (f"{name}_archive" if unpack and not fname else name)
    if force_download or not target.exists() or not _hash_is(target, file_hash, hash_algorithm):
        _download(address, target, file_hash, hash_algorithm)
    if not unpack:
        return str(target)
    stem = name.partition(".")[0] if fname else name
    unpacked = folder / (f"{stem}_extracted" if fname else stem)
    _extract(target, unpacked, "tar" if untar else archive_format)
    return str(unpacked)


def _check_origin(origin: Any) -> str:
    scheme = urllib.parse.urlsplit(origin).scheme if isinstance(origin, str) else ""
    if scheme not in _SCHEMES:
        raise InvalidArgument(
            f"get_file: origin must be an address that begins with https://, http:// or file://, got {short(origin)}"
        )
    return origin


def _file_name(fname: Any, address: str) -> str:
    name = os.fspath(fname) if fname else os.path.basename(urllib.parse.urlsplit(address).path)
    if not name or name in (".", "..") or any(separator in name for separator in "/\\"):
        raise InvalidArgument(
            f"get_file: fname must be a name without folders, got {short(name)}; use cache_dir for the folder"
        )
    return name


def _hash_is(file: Path, expected: str | None, algorithm: str) -> bool:
    if expected is None:
        return True
    kind = algorithm if algorithm != "auto" else "sha256" if len(expected) == _SHA256_LENGTH else "md5"
    with open(file, "rb") as stream:
        found = hashlib.file_digest(stream, kind).hexdigest()
    return found == expected.lower()


def _download(address: str, target: Path, expected: str | None, algorithm: str) -> None:
    """Into a file beside the target, which takes its place only when all is well."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    partial = Path(temporary)
    try:
        with os.fdopen(handle, "wb") as sink:
            _fetch(address, sink)
        if not _hash_is(partial, expected, algorithm):
            raise DataError(f"get_file: {short(address, 120)} does not have the hash {expected}; nothing was kept")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _fetch(address: str, sink: IO[bytes]) -> None:
    print(f"Downloading data from {address}")
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE) as source:
            size = int(source.headers.get("Content-Length") or 0) or None
            bar = Progbar(size, unit_name="byte")
            done = 0
            while chunk := source.read(_CHUNK):
                sink.write(chunk)
                done += len(chunk)
                bar.update(done)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise DataError(f"get_file: cannot fetch {short(address, 120)}: {short(str(error), 100)}") from None
    if size is not None and done != size:
        raise DataError(f"get_file: {short(address, 120)} ended after {done} of {size} bytes")


def _extract(archive: Path, folder: Path, archive_format: str | None) -> None:
    kinds = ("tar", "zip") if archive_format == "auto" else (archive_format,)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        if "tar" in kinds and tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                tar.extractall(part, filter="data")
        elif "zip" in kinds and zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                _refuse_outside(packed)
                packed.extractall(part)
        else:
            raise DataError(f"get_file: {archive.name} is no archive of the kind {' or '.join(map(str, kinds))}")
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
    except tarfile.FilterError as error:
        raise _refused(error.tarinfo.name) from None
    except tarfile.TarError as error:
        raise DataError(f"get_file: cannot unpack {archive.name}: {short(str(error), 150)}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _refuse_outside(packed: zipfile.ZipFile) -> None:
    for name in packed.namelist():
        if name.startswith(("/", "\\")) or ".." in Path(name).parts or ":" in name:
            raise _refused(name)


def _refused(name: str) -> DataError:
    return DataError(f"get_file: the archive names {short(name)}, which is outside its folder or no plain file")
