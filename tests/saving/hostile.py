"""Safetensors files that are wrong in one way each, for the tests of the reader."""

import json
import zlib

F4 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
ENTRY = json.dumps(F4).encode()
EIGHT = b"\0" * 8
MARK = b'"autograd_nn.header":"'


def file(header, data=EIGHT, length=None):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(raw) if length is None else length).to_bytes(8, "little") + raw + data


def one(data=EIGHT, **changes):
    """A file with one array whose entry is changed; a change to None leaves the key out."""
    entry = {key: value for key, value in {**F4, **changes}.items() if value is not None}
    return file({"w": entry}, data)


def two(first, second, data=b"\0" * 16):
    return file({"a": {**F4, "data_offsets": first}, "b": {**F4, "data_offsets": second}}, data)


def text(entry, data=EIGHT):
    return file(b'{"w":' + entry + b"}", data)


def metadata(value, **more):
    return file({"__metadata__": value, "w": F4, **more})


def signed(texts, arrays, data, sums=None):
    """A file whose own checksums are right, so that only the other checks can find the fault."""
    held = {**texts, "autograd_nn.arrays": sums, "autograd_nn.header": "0" * 8}
    raw = json.dumps({"__metadata__": held, **arrays}, separators=(",", ":"), ensure_ascii=False).encode()
    raw += b" " * (-len(raw) % 8)
    raw = len(raw).to_bytes(8, "little") + raw
    checksum = f"{zlib.crc32(raw):08x}".encode()
    return raw.replace(MARK + b"0" * 8, MARK + checksum) + data


def sums_of(**arrays):
    return json.dumps({name: f"{zlib.crc32(data):08x}" for name, data in arrays.items()})


def nested(depth, opening=b"[", closing=b"]"):
    return opening * depth + closing * depth


def many_entries(count, key=lambda k: f"{k}"):
    return file({key(k): {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for k in range(count)}, b"")


HOSTILE = {
    # no safetensors file at all
    "empty": b"",
    "one byte": b"\0",
    "seven bytes": b"\0" * 7,
    "no header": b"\0" * 8,
    "zeros": b"\0" * 4096,
    "ones": b"\xff" * 4096,
    "hdf5": b"\x89HDF\r\n\x1a\n" + b"\0" * 2048,
    "zip": b"PK\x03\x04" + b"\0" * 2048,
    "pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
    "npy": b"\x93NUMPY\x01\0v\0{'descr': '<f8'}" + b" " * 64,
    "text": b"hello, this is a text and no model at all\n",
    "json alone": b'{"w": {"dtype": "F32"}}',
    # its length
    "length of 2**64 - 1": file(b"{}", b"", 2**64 - 1),
    "length of 2**63": file(b"{}", b"", 2**63),
    "length of 2**31": file(b"{}", b"", 2**31),
    "length one too long": file({"w": F4}, b"", len(json.dumps({"w": F4})) + 1),
    "length one too short": file({"w": F4}, EIGHT, len(json.dumps({"w": F4})) - 1),
    "length into the data": file({"w": F4}, EIGHT, len(json.dumps({"w": F4})) + 4),
    "length 1": file(b"{", b""),
    "huge header": file(b"{" + b" " * (12 << 20) + b"}", b""),
    # its form
    "array for a header": file(b"[]", b""),
    "number for a header": file(b"1", b""),
    "null for a header": file(b"null", b""),
    "string for a header": file(b'"w"', b""),
    "space before": file(b" {}", b""),
    "byte order mark": file(b"\xef\xbb\xbf{}", b""),
    "utf-16": file("{}".encode("utf-16"), b""),
    "nul after": file(b"{}\0", b""),
    "two headers": file(b"{}{}", b""),
    "trailing comma": file(b'{"w":' + json.dumps(F4).encode() + b",}"),
    "no comma": file(b'{"a":' + json.dumps(F4).encode() + b' "b":' + json.dumps(F4).encode() + b"}"),
    "no colon": file(b'{"w"{}}', b""),
    "single quotes": file(b"{'w':{}}", b""),
    "key without quotes": file(b"{w:{}}", b""),
    "comment": file(b"{/* */}", b""),
    "string without an end": file(b'{"w', b""),
    "escape without an end": file(b'{"w\\', b""),
    "escape that is none": file(b'{"\\q":{}}', b""),
    "escape cut off": file(b'{"\\u12":{}}', b""),
    "newline in a name": file(b'{"a\nb":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "invalid utf-8 in a name": file(b'{"\xff":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "overlong utf-8": file(b'{"\xc0\xaf":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "surrogate in a name": file(b'{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "surrogate as utf-8": file(b'{"\xed\xa0\x80":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    "deep arrays": file(nested(100_000), b""),
    "deep objects": file(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b""),
    "deep in an entry": text(nested(100_000)),
    "deep in a shape": text(b'{"dtype":"F32","shape":' + nested(100_000) + b',"data_offsets":[0,8]}'),
    "many empty arrays": file(b"{" + b"[],[]," * 500_000 + b"}", b""),
    # its entries
    "entry is null": text(b"null"),
    "entry is a number": text(b"1"),
    "entry is an array": text(b"[]"),
    "entry is empty": text(b"{}"),
    "dtype is missing": one(dtype=None),
    "shape is missing": one(shape=None),
    "offsets are missing": one(data_offsets=None),
    "another key": one(strides=[1]),
    "name twice": file(b'{"w":' + ENTRY + b',"w":' + ENTRY + b"}"),
    "name twice, once escaped": file(b'{"w":' + ENTRY + b',"\\u0077":' + ENTRY + b"}"),
    "dtype twice": text(b'{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}'),
    "dtype unknown": one(dtype="F33"),
    "dtype in lower case": one(dtype="f32"),
    "dtype of objects": one(dtype="O"),
    "dtype of NumPy": one(dtype="float32"),
    "dtype empty": one(dtype=""),
    "dtype a number": one(dtype=32),
    "dtype null": text(b'{"dtype":null,"shape":[2],"data_offsets":[0,8]}'),
    "dtype very long": one(dtype="F" * 100_000),
    # its sizes
    "size negative": one(shape=[-2]),
    "sizes both negative": one(shape=[-1, -2]),
    "size -0": text(b'{"dtype":"F32","shape":[-0],"data_offsets":[0,8]}'),
    "size a float": one(shape=[2.0]),
    "size with an exponent": text(b'{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}'),
    "size a bool": one(shape=[True, 2]),
    "size a string": one(shape=["2"]),
    "size null": one(shape=[None]),
    "size NaN": one(shape=[float("nan")]),
    "size infinite": one(shape=[float("inf")]),
    "size with a zero before": text(b'{"dtype":"F32","shape":[02],"data_offsets":[0,8]}'),
    "size in other digits": text('{"dtype":"F32","shape":[٢],"data_offsets":[0,8]}'.encode()),
    "size with an underscore": text(b'{"dtype":"F32","shape":[1_0],"data_offsets":[0,8]}'),
    "shape a number": one(shape=2),
    "shape an object": one(shape={"0": 2}),
    "shape too small": one(shape=[1]),
    "shape too large": one(shape=[3]),
    "scalar with two elements": one(shape=[]),
    "size of 2**63": one(shape=[2**63]),
    "size of 2**64": one(shape=[2**64]),
    "size of 10**4000": one(shape=[10**4000]),
    "sizes that overflow to 8 bytes": one(shape=[2**62 + 1, 4]),
    "sizes that overflow to 0": one(shape=[2**32, 2**32]),
    "terabytes": one(shape=[2**40], data_offsets=[0, 2**42]),
    "terabytes times zero": one(shape=[2**59, 2**59, 0], data_offsets=[0, 0], data=b""),
    "a thousand axes": one(shape=[1] * 1000, data_offsets=[0, 4], data=b"\0" * 4),
    "a million axes": one(shape=[1] * 1_000_000, data_offsets=[0, 4], data=b"\0" * 4),
    # its places
    "offset negative": one(data_offsets=[-8, 0]),
    "offset a float": one(data_offsets=[0.0, 8.0]),
    "offset a bool": one(data_offsets=[False, 8]),
    "one offset": one(data_offsets=[8]),
    "three offsets": one(data_offsets=[0, 4, 8]),
    "offsets in turn": one(data_offsets=[8, 0]),
    "offset after the end": one(data_offsets=[8, 16]),
    "offset of 2**64": one(data_offsets=[2**64, 2**64 + 8]),
    "gap before": one(data_offsets=[8, 16], data=b"\0" * 16),
    "gap between": two([0, 8], [16, 24], b"\0" * 24),
    "same place": two([0, 8], [0, 8], EIGHT),
    "overlap": two([0, 8], [4, 12], b"\0" * 12),
    "overlap inside": file(
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}, "b": {**F4, "data_offsets": [4, 12]}}, b"\0" * 16
    ),
    "bytes after": one(data=b"\0" * 9),
    "many bytes after": one(data=b"\0" * 8192),
    "no bytes": one(data=b""),
    "one byte missing": one(data=b"\0" * 7),
    "bytes without an array": file({}, EIGHT),
    "bool of other bytes": one(dtype="BOOL", data_offsets=[0, 2], data=b"\1\2"),
    "too many arrays": many_entries(33_000),
    "too long names": many_entries(100, lambda k: "x" * 50_000 + str(k)),
    # its texts
    "metadata null": metadata(None),
    "metadata an array": metadata(["a"]),
    "metadata a string": metadata("a"),
    "metadata with a number": metadata({"a": 1}),
    "metadata with null": metadata({"a": None}),
    "metadata nested": metadata({"a": {"b": "c"}}),
    "metadata twice": file(b'{"__metadata__":{},"__metadata__":{},"w":' + json.dumps(F4).encode() + b"}"),
    "metadata key twice": file(b'{"__metadata__":{"a":"b","a":"c"},"w":' + json.dumps(F4).encode() + b"}"),
    "metadata with a surrogate": metadata({"a": "\ud800"}),
    "metadata of many texts": metadata({str(k): "" for k in range(33_000)}),
    "metadata wide and long": file(b'{"__metadata__":{"a":"\xf0\x9f\x98\x80\\n' + b"x" * (3 << 20) + b'"},"w":1}'),
    # its checksums
    "header checksum alone": metadata({"autograd_nn.header": "00000000"}),
    "array checksums alone": metadata({"autograd_nn.arrays": "{}"}),
    "header checksum wrong": metadata({"autograd_nn.arrays": sums_of(w=EIGHT), "autograd_nn.header": "00000000"}),
    "header checksum not hexadecimal": metadata({"autograd_nn.arrays": "{}", "autograd_nn.header": "zzzzzzzz"}),
    "header checksum escaped": metadata({"autograd_nn.arrays": "{}", "autograd_nn.header": "\u00e9" * 8}),
    "array checksum wrong": signed({}, {"w": F4}, EIGHT, sums_of(w=b"other")),
    "array checksum missing": signed({}, {"w": F4}, EIGHT, "{}"),
    "array checksum of another": signed({}, {"w": F4}, EIGHT, sums_of(w=EIGHT, v=EIGHT)),
    "array checksum a number": signed({}, {"w": F4}, EIGHT, '{"w":1}'),
    "array checksums no JSON": signed({}, {"w": F4}, EIGHT, "nothing"),
    "array checksums deep": signed({}, {"w": F4}, EIGHT, "[" * 100_000),
    "array checksums a list": signed({}, {"w": F4}, EIGHT, "[]"),
    "array checksums many lists": signed({}, {"w": F4}, EIGHT, "[[],[]," * 300_000),
    "array checksums twice": signed({}, {"w": F4}, EIGHT, '{"w":"0","w":"1"}'),
    "signed, with a gap": signed({}, {"w": {**F4, "data_offsets": [8, 16]}}, b"\0" * 16, sums_of(w=EIGHT)),
    "signed, with bytes after": signed({}, {"w": F4}, b"\0" * 16, sums_of(w=EIGHT)),
}  # fmt: skip
