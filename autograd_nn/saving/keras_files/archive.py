"""The zip archive of a `.keras` file: three members, whose sizes are checked before anything is unpacked."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import BinaryIO

from ...errors import ModelFileError, short
from ..atomic import shown

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"
MEMBERS = (METADATA, CONFIG, WEIGHTS)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
# Keras stores without compression, and random bits hardly shrink; zeros would shrink a thousandfold.
_MOST_RATIO = 100
_MOST_TEXT = 16 << 20
# A directory of three entries with names, dates and notes needs less.
_MOST_DIRECTORY = 1 << 16
_END = b"PK\x05\x06"


def read_members(file: BinaryIO, size: int, path: str) -> dict[str, bytes]:
    """The three members of a `.keras` archive by name.

    size: that of the file; path: its name for messages
    Raises ModelFileError for other members, or such as are encrypted, damaged, or larger than the file can hold.
    """
    _check_end(file, size, path)
    try:
        with zipfile.ZipFile(file) as archive:
            members = _checked(archive.infolist(), size, path)
            return {name: _unpacked(archive, members[name], path) for name in MEMBERS}
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error, RuntimeError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            f"{shown(path)} is no .keras file, or broken: {short(str(error).partition(chr(10))[0], 120)}"
        ) from None


def _check_end(file: BinaryIO, size: int, path: str) -> None:
    """ModelFileError unless the end of the archive tells of a directory of few entries: zipfile would read them all."""
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < 22:
        raise ModelFileError(
            f"{shown(path)} is no .keras file, or truncated: its {size} bytes do not end as a zip archive does"
        )
    entries = int.from_bytes(tail[place + 10 : place + 12], "little")
    length = int.from_bytes(tail[place + 12 : place + 16], "little")
    if entries > len(MEMBERS) + 29 or length > _MOST_DIRECTORY:
        raise ModelFileError(f"{shown(path)} is no .keras file: it has {entries} members, expected {len(MEMBERS)}")
    file.seek(0)


def _checked(infos: list[zipfile.ZipInfo], size: int, path: str) -> dict[str, zipfile.ZipInfo]:
    """The members by name, if they are the right ones and their sizes possible."""
    names = [info.filename for info in infos]
    extra = [name for name in names if name not in MEMBERS]
    missing = [name for name in MEMBERS if name not in names]
    if missing:
        raise ModelFileError(f"{shown(path)} is no .keras file: {missing[0]} is missing in it")
    if extra:
        raise ModelFileError(f"{shown(path)} holds {short(extra[0])}, which no layer here could use; not supported")
    if len(names) != len(MEMBERS):
        raise ModelFileError(f"{shown(path)} is broken: it has a member twice")
    for info in infos:
        _check_sizes(info, size, path)
    if sum(info.compress_size for info in infos) > size:
        raise ModelFileError(f"{shown(path)} is broken: its members overlap")
    return dict(zip(names, infos))


def _check_sizes(info: zipfile.ZipInfo, size: int, path: str) -> None:
    what = f"{shown(path)}: member {info.filename}"
    if info.flag_bits & _ENCRYPTED:
        raise ModelFileError(f"{what} is encrypted; unpack it and pack it again without a password")
    if info.compress_type not in _METHODS:
        raise ModelFileError(f"{what} is compressed by method {info.compress_type}; use store or deflate")
    if info.compress_size > size or info.file_size > _MOST_RATIO * info.compress_size:
        raise ModelFileError(
            f"{what} would be {info.file_size} bytes from {info.compress_size} in a file of {size}; refused as a bomb"
        )
    if info.filename != WEIGHTS and info.file_size > _MOST_TEXT:
        raise ModelFileError(f"{what} is too large: {info.file_size} bytes, at most {_MOST_TEXT} are read")


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str) -> bytes:
    with archive.open(info) as member:
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise ModelFileError(
            f"{shown(path)} is broken: member {info.filename} has {len(data)} bytes, should have {info.file_size}"
        )
    return data


def archive_bytes(members: Mapping[str, bytes]) -> bytes:
    """An archive of these members, stored as they are; the same members give the same bytes."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return memory.getvalue()
