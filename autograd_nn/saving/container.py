"""Named arrays and texts in one safetensors file, written whole, checked to the last bit when read.

The format: the length of the header as eight bytes, little-endian; the header, a JSON object that gives each array's
dtype, shape and place, and under `__metadata__` the texts; then the arrays, without gaps
(https://huggingface.co/docs/safetensors). Two texts of our own hold checksums: "autograd_nn.arrays" the CRC-32 of each
array, "autograd_nn.header" that of everything before the arrays, taken with zeros in its own place.
"""

import contextlib
import json
import math
import os
import stat
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from ..errors import ArgumentTypeError, FolderInTheWay, InvalidArgument, MissingFile, ModelFileError, NoRight, short
from .atomic import Chunk, as_path, shown, write_whole
from .header import MOST_ENTRIES, Place, most_header_bytes, parse_header, parse_texts

ARRAY_SUMS = "autograd_nn.arrays"
HEADER_SUM = "autograd_nn.header"
_NO_SUM = "0" * 8
_CHUNK = 1 << 20

DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
    "C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
}  # fmt: skip
_NAMES = {name: code for code, name in DTYPES.items()}
_OTHERS = ("bfloat16", "float8_e4m3fn", "float8_e5m2")


# --- writing


def write_arrays(path: Any, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays and texts as one safetensors file, whole or not at all.

    arrays:   of bool, integers, floats, complex64, bfloat16 or float8; written little-endian, in C order
    metadata: texts by name

    Raises ArgumentTypeError for other dtypes, names and texts, InvalidArgument for too long a header, and what
    `write_whole` raises.

    >>> import tempfile, numpy as np
    >>> path = tempfile.mkdtemp() + "/a.safetensors"
    >>> write_arrays(path, {"w": np.arange(3.0)}, {"note": "three"})
    >>> read_arrays(path)
    ({'w': array([0., 1., 2.])}, {'note': 'three'})
    """
    ready = {_checked_name(name): _checked_array(name, array) for name, array in arrays.items()}
    texts = {_checked_text(key): _checked_text(value) for key, value in (metadata or {}).items()}
    taken = [key for key in texts if key in (ARRAY_SUMS, HEADER_SUM)]
    if taken:
        raise InvalidArgument(f"metadata: the name {taken[0]!r} is kept for checksums; choose another one")
    # Wide elements first: so every array lies at a multiple of its element size.
    order = sorted(ready, key=lambda name: (-ready[name].itemsize, name))
    sums = {name: _hex(_sum_of(ready[name])) for name in ready}
    entries = _entries(ready, order)
    texts = {**texts, ARRAY_SUMS: json.dumps(sums, ensure_ascii=False, separators=(",", ":"))}
    write_whole(path, _chunks(_header(texts, entries), [ready[name] for name in order]))


def _checked_name(name: Any) -> str:
    if name == "__metadata__":
        raise InvalidArgument("no array can be called '__metadata__': the file keeps its texts under this name")
    return _checked_text(name)


def _checked_text(text: Any) -> str:
    if not isinstance(text, str):
        raise ArgumentTypeError(f"names and metadata of a file must be str, got {short(text)}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError(f"names and metadata of a file must be valid Unicode, got {short(text)}") from None
    return text


def _checked_array(name: str, array: Any) -> np.ndarray:
    found = np.asarray(array)
    if found.dtype.name not in _NAMES:
        raise ArgumentTypeError(f"array {short(name)}: dtype {found.dtype} cannot be written; convert it to float32")
    return found


def _flat(array: np.ndarray) -> np.ndarray:
    """The bytes of an array as the file has them."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False) if array.dtype.name not in _OTHERS else array
    return np.ascontiguousarray(little).reshape(-1).view(np.uint8)


def _sum_of(array: np.ndarray) -> int:
    return zlib.crc32(_flat(array).data)


def _hex(checksum: int) -> str:
    return f"{checksum:08x}"


def _entries(arrays: Mapping[str, np.ndarray], order: list[str]) -> dict[str, Any]:
    places: dict[str, list[int]] = {}
    end = 0
    for name in order:
        begin, end = end, end + arrays[name].nbytes
        places[name] = [begin, end]
    return {
        name: {"dtype": _NAMES[a.dtype.name], "shape": list(a.shape), "data_offsets": places[name]}
        for name, a in arrays.items()
    }


def _header(texts: dict[str, str], entries: dict[str, Any]) -> bytes:
    """Length and header, its checksum filled in."""
    whole = {"__metadata__": {**texts, HEADER_SUM: _NO_SUM}, **entries}
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    most = most_header_bytes(8 + len(text) + max((entry["data_offsets"][1] for entry in entries.values()), default=0))
    if len(text) > most or len(entries) > MOST_ENTRIES:
        raise InvalidArgument(
            f"{len(entries)} arrays and a configuration of {len(text)} bytes: at most {MOST_ENTRIES} and {most} "
            "can be written; keep large arrays out of get_config"
        )
    empty = len(text).to_bytes(8, "little") + text
    return _with_sum(empty, _NO_SUM, _hex(zlib.crc32(empty)))


def _with_sum(header: bytes, held: str, given: str) -> bytes:
    """The header with another checksum in the place of `held`."""
    # The last text of the metadata, whose values cannot hold an unescaped quote.
    before, mark, after = header.rpartition(f'"{HEADER_SUM}":"{held}"'.encode())
    return before + mark[: -len(held) - 1] + given.encode() + b'"' + after if mark else header


def _chunks(header: bytes, arrays: list[np.ndarray]) -> Iterator[Chunk]:
    yield header
    for array in arrays:
        data = _flat(array).data
        for begin in range(0, len(data), _CHUNK):
            yield data[begin : begin + _CHUNK]


# --- reading


def read_arrays(path: Any) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays, in the order in which they were written, and the texts of a safetensors file.

    Files of other programs, without checksums, are read too. Nothing is imported or run, and no memory is taken for
    sizes that the file does not have.

    Raises ModelFileError, one line, for a file that is broken in any way: a single bit that changed is found, and the
    array named. Raises MissingFile, FolderInTheWay or NoRight where there is no file to read.

    >>> read_arrays("no.safetensors")
    Traceback (most recent call last):
    autograd_nn.errors.MissingFile: there is no file 'no.safetensors'
    """
    with opened(path) as (file, size, name):
        places, texts, start = _read_header(file, size, name)
        sums = _array_sums(places, texts, name)
        arrays: dict[str, np.ndarray] = {}
        for key in sorted(places, key=lambda key: places[key].begin):
            arrays[key] = _read_array(file, key, places[key], start, sums.get(key), name)
    return {key: arrays[key] for key in places}, _without_sums(texts)


def read_metadata(path: Any) -> dict[str, str]:
    """The texts of a safetensors file alone; raises what `read_arrays` raises, but does not look at the arrays.

    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/a.safetensors"
    >>> write_arrays(path, {}, {"note": "empty"})
    >>> read_metadata(path)
    {'note': 'empty'}
    """
    with opened(path) as (file, size, name):
        return _without_sums(_read_header(file, size, name)[1])


def _without_sums(texts: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in texts.items() if key not in (ARRAY_SUMS, HEADER_SUM)}


@contextlib.contextmanager
def opened(path: Any) -> Iterator[tuple[BinaryIO, int, str]]:
    """The file, its size, and its name for messages."""
    given = as_path(path)
    name = shown(given)
    try:
        # Opening a pipe would wait, opening a device may do something.
        _check_is_file(os.stat(given), name)
        file = open(given, "rb", buffering=0, opener=_open_at_once)  # noqa: SIM115  closed below, errors apart
    except FileNotFoundError:
        raise MissingFile(f"there is no file {name}") from None
    except PermissionError:
        raise NoRight(f"no right to read {name}") from None
    except (FolderInTheWay, ModelFileError):
        raise
    except OSError as error:
        raise MissingFile(f"cannot open {name}: {error.strerror}") from None
    with file:
        found = os.fstat(file.fileno())
        _check_is_file(found, name)
        yield file, found.st_size, name


def _open_at_once(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _check_is_file(found: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise FolderInTheWay(f"{name} is a folder; give the name of a model file in it")
    if not stat.S_ISREG(found.st_mode):
        raise ModelFileError(f"{name} is a device or a pipe, not a model file")


def _read_header(file: BinaryIO, size: int, name: str) -> tuple[dict[str, Place], dict[str, str], int]:
    """Places and texts, and where in the file the arrays start."""
    if size < 8:
        raise ModelFileError(f"{name} is no model file: {size} bytes; a safetensors file has at least 10")
    head = _exactly(file, 8, name)
    length = int.from_bytes(head, "little")
    most = min(most_header_bytes(size), size - 8)
    if length > most:
        raise ModelFileError(
            f"{name} is no safetensors file, or broken: its header should have {length} bytes, "
            f"at most {most} are possible in a file of {size}"
        )
    raw = _exactly(file, length, name)
    places, texts = parse_header(raw, name)
    _check_header_sum(head + raw, texts, name)
    _check_places(places, size - 8 - length, name)
    return places, texts, 8 + length


def _check_header_sum(header: bytes, texts: dict[str, str], name: str) -> None:
    if ARRAY_SUMS not in texts and HEADER_SUM not in texts:
        return
    held = texts.get(HEADER_SUM, "")
    if len(held) != 8 or ARRAY_SUMS not in texts or _hex(zlib.crc32(_with_sum(header, held, _NO_SUM))) != held:
        raise ModelFileError(f"{name} is broken: header checksum differs (bytes 0-{len(header)})")


def _check_places(places: dict[str, Place], size: int, name: str) -> None:
    """Every array has the bytes its shape needs, and together they fill the file without gaps."""
    end = 0
    for key, place in sorted(places.items(), key=lambda item: (item[1].begin, item[1].end)):
        if place.dtype not in DTYPES:
            raise ModelFileError(f"{name} is broken: array {short(key)} has unknown dtype {short(place.dtype)}")
        needed = _itemsize(key, place.dtype, name) * math.prod(place.shape)
        if place.end - place.begin != needed:
            raise ModelFileError(
                f"{name} is broken: array {short(key)} of shape {short(place.shape)} needs {needed} bytes, "
                f"has {place.end - place.begin}"
            )
        if place.begin != end:
            fault = "overlap" if place.begin < end else "leave a gap"
            raise ModelFileError(f"{name} is broken: arrays {fault} at byte {place.begin}, before {short(key)}")
        end = place.end
    if end != size:
        fault = f"truncated: {size} of {end} bytes" if end > size else f"{size - end} bytes too long"
        raise ModelFileError(f"{name} is broken: {fault} of arrays")


def _itemsize(key: str, code: str, name: str) -> int:
    try:
        return np.dtype(DTYPES[code]).itemsize
    except TypeError:
        raise ModelFileError(
            f"{name}: array {short(key)} is {DTYPES[code]}, which NumPy knows after `import ml_dtypes`"
        ) from None


def _array_sums(places: dict[str, Place], texts: dict[str, str], name: str) -> dict[str, str]:
    """The checksum of each array; empty for a file of another program."""
    if ARRAY_SUMS not in texts:
        return {}
    sums = parse_texts(texts[ARRAY_SUMS], name)
    if set(sums) != set(places):
        raise ModelFileError(f"{name} is broken: its checksums are those of other arrays")
    return sums


def _read_array(file: BinaryIO, key: str, place: Place, start: int, checksum: str | None, name: str) -> np.ndarray:
    bounds = f"(bytes {start + place.begin}-{start + place.end})"
    try:
        array = np.empty(place.shape, np.dtype(DTYPES[place.dtype]))
    except ValueError:
        raise ModelFileError(f"{name} is broken: array {short(key)} has shape {short(place.shape)}") from None
    except MemoryError:
        raise ModelFileError(f"{name}: no memory for array {short(key)} of shape {short(place.shape)}") from None
    data = array.reshape(-1).view(np.uint8).data
    found = 0
    for begin in range(0, len(data), _CHUNK):
        part = data[begin : begin + _CHUNK]
        _fill(file, part, f"array {short(key)}", name)
        found = zlib.crc32(part, found)
    if checksum is not None and _hex(found) != checksum:
        raise ModelFileError(f"{name} is broken: array {short(key)} checksum differs {bounds}")
    if array.dtype == bool and array.size and array.view(np.uint8).max() > 1:
        raise ModelFileError(f"{name} is broken: bool array {short(key)} holds other bytes than 0 and 1 {bounds}")
    return array if np.little_endian else array.byteswap()


def _exactly(file: BinaryIO, count: int, name: str) -> bytes:
    data = bytearray(count)
    _fill(file, memoryview(data), "header", name)
    return bytes(data)


def _fill(file: BinaryIO, part: memoryview, what: str, name: str) -> None:
    while part.nbytes:
        count = file.readinto(part)  # type: ignore[attr-defined]
        if not count:
            raise ModelFileError(f"{name} is broken: it ends inside of the {what}")
        part = part[count:]
