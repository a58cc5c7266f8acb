"""The header of a safetensors file, read by a parser that takes this form and no other.

A general JSON parser would build whatever a hostile file describes before anything could be checked; this one stops at
the first character that does not belong.
"""

import re
import sys
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from ..errors import ModelFileError, short

MOST_ENTRIES = 1 << 15
MOST_AXES = 64

_SPACE = re.compile(rb"[ \t\n\r]*+")
# At most 18 digits: below 2**63, and no minus, point or exponent.
_SIZE = re.compile(rb"(?:0|[1-9][0-9]{0,17})(?![0-9.eE])")
# An entry as nearly every writer has it, taken at once.
_SIZES = rb"(?:0|[1-9][0-9]{0,17})(?:, ?(?:0|[1-9][0-9]{0,17})){0,63}"
_ENTRY = re.compile(
    rb'\{"dtype": ?"(\w{1,8})", ?"shape": ?\[(' + _SIZES + rb')?\], ?"data_offsets": ?\[(' + _SIZES + rb")\]\}"
)
_STRING = re.compile(rb'"[^"\\\x00-\x1f]*+(?:\\[^\x00-\x1f][^"\\\x00-\x1f]*+)*+"')


def most_header_bytes(size: int) -> int:
    """The longest header that is read from a file of `size` bytes: what it may cost in memory stays within bounds.

    >>> most_header_bytes(0) >> 20, most_header_bytes(1 << 40) >> 20
    (4, 64)
    """
    return min((4 << 20) + size // 8, 64 << 20)


class Place(NamedTuple):
    """What the header says of one array: dtype code, sizes, first byte and byte after the last, among the arrays."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class _Broken(Exception):
    """What is wrong with a header."""


def parse_header(raw: bytes, name: str) -> tuple[dict[str, Place], dict[str, str]]:
    """The places of the arrays and the texts; ModelFileError for anything but a header of a safetensors file.

    name: of the file, for the message

    >>> header = b'{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  '
    >>> parse_header(header, "file")
    ({'w': Place(dtype='F32', shape=(2,), begin=0, end=8)}, {'a': 'b'})
    """
    try:
        return _Parser(raw, "header").header()
    except _Broken as error:
        raise ModelFileError(f"{name} is no safetensors file, or broken: {error}") from None


def parse_texts(text: str, name: str) -> dict[str, str]:
    """A JSON object of strings; ModelFileError for anything else.

    >>> parse_texts('{"a": "b"}', "file")
    {'a': 'b'}
    """
    parser = _Parser(text.encode(), "checksums")
    try:
        found = parser.texts()
        parser.finish()
    except _Broken as error:
        raise ModelFileError(f"{name} is broken: {error}") from None
    return found


def _sizes(text: bytes) -> tuple[int, ...]:
    return tuple(map(int, text.split(b",")))


def _place(name: str, dtype: str, shape: tuple[int, ...], offsets: tuple[int, ...]) -> Place:
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _Broken(f"array {short(name)}: data_offsets {short(list(offsets))} are no first and last byte")
    return Place(dtype, shape, *offsets)


class _Parser:
    """A place in a text, and what may come next."""

    def __init__(self, raw: bytes, what: str) -> None:
        self.raw = raw
        self.what = what
        self.at = 0

    def header(self) -> tuple[dict[str, Place], dict[str, str]]:
        places: dict[str, Place] = {}
        texts: dict[str, str] | None = None
        if not self.raw.startswith(b"{"):
            raise _Broken("the header does not start with '{'")
        for key in self.keys():
            if key == "__metadata__":
                if texts is not None:
                    raise _Broken("'__metadata__' stands twice in the header")
                texts = self.texts()
            elif key in places:
                raise _Broken(f"array {short(key)} stands twice in the header")
            else:
                places[key] = self.place(key)
            if len(places) > MOST_ENTRIES:
                raise _Broken(f"more than {MOST_ENTRIES} arrays")
        self.finish()
        return places, texts or {}

    def finish(self) -> None:
        self.space()
        if self.at != len(self.raw):
            raise self.unexpected("nothing more")

    def texts(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in self.keys():
            if key in found:
                raise _Broken(f"metadata {short(key)} stands twice in the header")
            found[key] = self.string()
            if len(found) > MOST_ENTRIES:
                raise _Broken(f"more than {MOST_ENTRIES} texts")
        return found

    def place(self, name: str) -> Place:
        self.space()
        match = _ENTRY.match(self.raw, self.at)
        if match is not None:
            self.at = match.end()
            dtype, shape, offsets = match.groups()
            return _place(name, sys.intern(dtype.decode()), _sizes(shape) if shape else (), _sizes(offsets))
        found: dict[str, Any] = {}
        for key in self.keys():
            if key in found:
                raise _Broken(f"array {short(name)}: {short(key)} stands twice in the header")
            if key == "dtype":
                found[key] = sys.intern(self.string())
            elif key in ("shape", "data_offsets"):
                found[key] = self.sizes(name)
            else:
                raise _Broken(f"array {short(name)}: unknown key {short(key)}")
        if len(found) != 3:
            missing = next(key for key in ("dtype", "shape", "data_offsets") if key not in found)
            raise _Broken(f"array {short(name)}: {missing} is missing")
        return _place(name, found["dtype"], found["shape"], found["data_offsets"])

    def sizes(self, name: str) -> tuple[int, ...]:
        self.take(b"[")
        found: list[int] = []
        if self.skip(b"]"):
            return ()
        while True:
            self.space()
            match = _SIZE.match(self.raw, self.at)
            if match is None:
                raise self.unexpected("an integer from 0 to 10**18 - 1")
            found.append(int(match[0]))
            self.at = match.end()
            if len(found) > MOST_AXES:
                raise _Broken(f"array {short(name)}: more than {MOST_AXES} axes")
            if self.skip(b"]"):
                return tuple(found)
            self.take(b",")

    def keys(self) -> Iterator[str]:
        """The keys of an object, each with the place after its colon; whoever asks reads the value."""
        self.take(b"{")
        if self.skip(b"}"):
            return
        while True:
            key = self.string()
            self.take(b":")
            yield key
            if self.skip(b"}"):
                return
            self.take(b",")

    def string(self) -> str:
        if not self.raw.startswith(b'"', self.at):
            self.space()
        match = _STRING.match(self.raw, self.at)
        if match is None:
            raise self.unexpected("a string")
        try:
            found = match[0].decode()
            found = scanstring(found, 1, True)[0] if "\\" in found else found[1:-1]
            found.isascii() or found.encode()
        except ValueError:
            raise self.unexpected("a string of valid Unicode") from None
        self.at = match.end()
        return found

    def space(self) -> None:
        self.at = _SPACE.match(self.raw, self.at).end()  # type: ignore[union-attr]

    def skip(self, character: bytes) -> bool:
        if not self.raw.startswith(character, self.at):
            self.space()
            if not self.raw.startswith(character, self.at):
                return False
        self.at += 1
        return True

    def take(self, character: bytes) -> None:
        if not self.skip(character):
            raise self.unexpected(repr(character.decode()))

    def unexpected(self, wanted: str) -> _Broken:
        got = self.raw[self.at : self.at + 12].decode("latin-1")
        return _Broken(
            f"expected {wanted} at byte {self.at} of the {self.what}, got {short(got) if got else 'its end'}"
        )
