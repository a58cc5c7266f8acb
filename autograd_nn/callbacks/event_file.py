"""Event files as TensorBoard reads them: records with checksums that hold protocol buffers.

The formats: TFRecord (a length, its checksum, the data, their checksum), CRC-32C (Castagnoli 1993), turned
and shifted, and the messages Event, Summary, HistogramProto, TensorProto of TensorFlow's event.proto and summary.proto.
"""

import itertools
import os
import struct
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

_NUMBERS = itertools.count()
_POLYNOMIAL = 0x82F63B78
_STRING = 7


def _table() -> list[int]:
    rows = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
        rows.append(byte)
    return rows


_TABLE = _table()


def masked_crc32c(data: bytes) -> int:
    """The checksum of data as records hold it.

    >>> hex(masked_crc32c(b"123456789"))
    '0xc78ab0e5'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """Data as one record of a file."""
    length = struct.pack("<Q", len(data))
    sums = [struct.pack("<I", masked_crc32c(part)) for part in (length, data)]
    return length + sums[0] + data + sums[1]


# --- protocol buffers: a key (number and kind of the field), then the value


def varint(value: int) -> bytes:
    """An integer in groups of seven bits, the lowest first.

    >>> varint(300).hex()
    'ac02'
    """
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, value: int | float | bytes | str) -> bytes:
    """A field: ints as varints, floats as doubles, bytes and strings with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def _single(number: int, value: float) -> bytes:
    """A field that holds a float of 32 bits; what is too large for it is infinite."""
    with np.errstate(over="ignore"):
        return varint(number << 3 | 5) + np.float32(value).astype("<f4").tobytes()


def _doubles(number: int, values: Iterable[float]) -> bytes:
    return _field(number, np.asarray(list(values), "<f8").tobytes())


def scalar(tag: str, value: float) -> bytes:
    """A number with a name, as a value of a summary."""
    return _field(1, tag) + _single(2, value)


def histogram(tag: str, values: Any, buckets: int = 30) -> bytes:
    """How numbers are distributed over buckets of equal width, as a value of a summary; numbers must be finite."""
    x = np.asarray(values, np.float64).ravel()
    x = x[np.isfinite(x)]
    low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
    counts, edges = np.histogram(x, buckets, (low, high)) if high > low else (np.array([x.size]), np.array([low, high]))
    parts = [low, high, float(x.size), float(x.sum()), float(np.square(x).sum())]
    body = b"".join(_field(number, value) for number, value in enumerate(parts, 1))
    return _field(1, tag) + _field(5, body + _doubles(6, edges[1:]) + _doubles(7, counts))


def image(tag: str, pixels: Any) -> bytes:
    """A picture (height, width, channels) of floats in 0..1, as a value of a summary."""
    height, width, channels = pixels.shape
    body = _field(1, height) + _field(2, width) + _field(3, channels) + _field(4, _png(pixels))
    return _field(1, tag) + _field(4, body)


def _png(pixels: Any) -> bytes:
    """A picture as a PNG: a byte for the filter before each row, compressed."""
    height, width, channels = pixels.shape
    shades = (np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8).reshape(height, -1)
    rows = np.concatenate([np.zeros((height, 1), np.uint8), shades], 1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def model_config(tag: str, config: str) -> bytes:
    """A model as JSON, as the value of a summary from which TensorBoard draws its layers."""
    plugin = _field(1, _field(1, "graph_keras_model") + _field(2, b"1"))
    return _field(1, tag) + _field(8, _field(1, _STRING) + _field(2, b"") + _field(8, config)) + _field(9, plugin)


class EventFile:
    """A file of events in a folder, made when the first is written."""

    def __init__(self, folder: Any) -> None:
        self.folder = Path(folder)
        self._file: Any = None

    def write(self, step: int, values: Iterable[bytes]) -> None:
        """One event: the values of a summary at a step."""
        if self._file is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = f"events.out.tfevents.{int(time.time())}.{os.getpid()}.{next(_NUMBERS)}.v2"
            self._file = (self.folder / name).open("xb")
            self._event(_field(3, "brain.Event:2"))
        self._event(_field(2, step) + _field(5, b"".join(_field(1, value) for value in values)))

    def _event(self, body: bytes) -> None:
        self._file.write(record(_field(1, time.time()) + body))

    def flush(self) -> None:
        """Write what is held back, so that others can read it."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file; what is written after that begins a new one."""
        if self._file is not None:
            self._file.close()
            self._file = None
