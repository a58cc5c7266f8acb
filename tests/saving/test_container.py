"""Arrays and texts in safetensors files: round trips, other readers and writers, and files that are wrong."""

import json
import os
import socket
import subprocess
import sys
import tracemalloc
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from autograd_nn.errors import ArgumentTypeError, FolderInTheWay, InvalidArgument, MissingFile, ModelFileError, NoRight
from autograd_nn.saving import container
from autograd_nn.saving.container import read_arrays, read_metadata, write_arrays

from .hostile import HOSTILE

KINDS = [
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint64",
    "uint32",
    "uint16",
    "uint8",
    "bool",
    "complex64",
]
SMALL = {"dense/kernel": np.arange(3, dtype="float32"), "flags": np.array([True, False])}


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.safetensors"


# --- round trips

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = texts.filter(lambda name: name != "__metadata__")
arrays = st.sampled_from(KINDS).flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, min_side=0)))


@given(st.dictionaries(names, arrays, max_size=4), st.dictionaries(texts, texts, max_size=3))
def test_what_is_written_is_read(tmp_path_factory, given_arrays, given_texts):
    path = tmp_path_factory.mktemp("container") / "a.safetensors"
    write_arrays(path, given_arrays, given_texts)
    found, found_texts = read_arrays(path)
    assert list(found) == list(given_arrays) and found_texts == given_texts == read_metadata(path)
    assert all(same(found[name], array) for name, array in given_arrays.items())
    # The package of the format's authors reads the same.
    theirs = safetensors.numpy.load_file(path)
    assert all(same(theirs[name], array) for name, array in given_arrays.items())
    with safetensors.safe_open(path, "np") as file:
        assert {**file.metadata(), **given_texts} == file.metadata()


@given(st.dictionaries(names, arrays.map(np.ascontiguousarray), min_size=1, max_size=3))
def test_files_of_the_safetensors_package_are_read(tmp_path_factory, given_arrays):
    path = tmp_path_factory.mktemp("container") / "a.safetensors"
    safetensors.numpy.save_file(given_arrays, path, {"format": "np"})
    found, found_texts = read_arrays(path)
    assert found_texts == {"format": "np"}
    assert all(same(found[name], array) for name, array in given_arrays.items())


def test_other_layouts_become_plain(path):
    a = np.arange(12.0).reshape(3, 4)
    write_arrays(path, {"t": a.T, "rev": a[::-1, ::2], "big": a.astype(">f8"), "scalar": np.float32(3), "list": [1, 2]})
    found, _ = read_arrays(path)
    assert np.array_equal(found["t"], a.T) and np.array_equal(found["rev"], a[::-1, ::2])
    assert found["big"].dtype == np.dtype("<f8") and np.array_equal(found["big"], a)
    assert found["scalar"].shape == () and found["list"].dtype == np.int64
    assert all(array.flags.writeable and array.flags.c_contiguous for array in found.values())


def test_narrow_floats(path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    kinds = [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2]
    given_arrays = {kind.__name__: np.arange(5).astype(kind) for kind in kinds}
    write_arrays(path, given_arrays)
    found, _ = read_arrays(path)
    assert all(same(found[name], array) for name, array in given_arrays.items())
    with safetensors.safe_open(path, "np") as file:
        assert sorted(file.keys()) == sorted(given_arrays)


def test_without_what_knows_bfloat16(path):
    path.write_bytes(one_of("BF16", 2))
    code = f"from autograd_nn.saving.container import read_arrays; read_arrays({str(path)!r})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "array 'w' is bfloat16, which NumPy knows after `import ml_dtypes`" in run.stderr


def one_of(code, size):
    header = json.dumps({"w": {"dtype": code, "shape": [1], "data_offsets": [0, size]}}).encode()
    return len(header).to_bytes(8, "little") + header + b"\0" * size


def test_arrays_lie_at_multiples_of_their_element_size(path):
    write_arrays(path, {"a": np.zeros(3, "uint8"), "b": np.zeros(3), "c": np.zeros(1, "float16")})
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    assert length % 8 == 0
    assert [header[name]["data_offsets"][0] % size for name, size in (("a", 1), ("b", 8), ("c", 2))] == [0, 0, 0]


def test_the_same_arrays_give_the_same_bytes(path, tmp_path):
    write_arrays(path, SMALL, {"a": "b"})
    write_arrays(tmp_path / "again", SMALL, {"a": "b"})
    assert path.read_bytes() == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize(
    "given_arrays, given_texts, error, what",
    [
        ({"w": np.array(["a"])}, {}, ArgumentTypeError, "'w': dtype <U1 cannot be written"),
        ({"w": np.array([None])}, {}, ArgumentTypeError, "dtype object"),
        ({"w": np.zeros(1, "complex128")}, {}, ArgumentTypeError, "dtype complex128"),
        ({"w": np.zeros(1, [("a", "f4")])}, {}, ArgumentTypeError, "cannot be written"),
        ({3: np.zeros(1)}, {}, ArgumentTypeError, "must be str, got 3"),
        ({"\ud800": np.zeros(1)}, {}, ArgumentTypeError, "valid Unicode"),
        ({"__metadata__": np.zeros(1)}, {}, InvalidArgument, "__metadata__"),
        ({}, {"a": 3}, ArgumentTypeError, "must be str, got 3"),
        ({}, {"autograd_nn.header": "x"}, InvalidArgument, "kept for checksums"),
        ({}, {"a": "x" * (5 << 20)}, InvalidArgument, "keep large arrays out of get_config"),
    ],
)
def test_what_cannot_be_written(path, given_arrays, given_texts, error, what):
    with pytest.raises(error, match=what):
        write_arrays(path, given_arrays, given_texts)
    assert not path.exists()


# --- files that are wrong


def test_places_where_no_file_is(tmp_path):
    for read in (read_arrays, read_metadata):
        with pytest.raises(MissingFile, match="there is no file"):
            read(tmp_path / "no")
        with pytest.raises(MissingFile, match="cannot open"):
            (tmp_path / "file").write_bytes(b"")
            read(tmp_path / "file" / "inside")
        with pytest.raises(FolderInTheWay, match="is a folder"):
            read(tmp_path)
        with pytest.raises(InvalidArgument, match="file path"):
            read(None)


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices are those of POSIX")
def test_pipes_and_devices_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for place in (tmp_path / "pipe", tmp_path / "socket", "/dev/zero", "/dev/null"):
            with pytest.raises(ModelFileError, match="is a device or a pipe"):
                read_arrays(place)


def test_a_file_without_the_right_to_read(path, monkeypatch):
    write_arrays(path, SMALL)

    def deny(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(container.os, "open", deny)
    with pytest.raises(NoRight, match="no right to read"):
        read_arrays(path)


def test_every_flipped_bit_is_found(path):
    write_arrays(path, SMALL, {"key": "value"})
    raw = path.read_bytes()
    with open(path, "r+b", buffering=0) as file:
        for place, byte in enumerate(raw):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([byte ^ 1 << bit]), place)
                with pytest.raises(ModelFileError) as caught:
                    read_arrays(path)
                assert "\n" not in str(caught.value)
            os.pwrite(file.fileno(), bytes([byte]), place)
    assert same(read_arrays(path)[0]["flags"], SMALL["flags"])


def test_every_truncation_is_found(path):
    write_arrays(path, SMALL)
    raw = path.read_bytes()
    for size in range(len(raw)):
        os.truncate(path, len(raw) - size - 1)
        with pytest.raises(ModelFileError):
            read_arrays(path)


def test_the_broken_array_and_its_bytes_are_named(path):
    write_arrays(path, {"dense/bias": np.zeros(4, "float32"), "dense_1/kernel": np.ones((8, 8))})
    raw = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(raw[:8], "little")
    raw[start + 100] ^= 4
    path.write_bytes(raw)
    with pytest.raises(ModelFileError, match=rf"'dense_1/kernel' checksum differs \(bytes {start}-{start + 512}\)"):
        read_arrays(path)
    raw[start + 100] ^= 4
    raw[9] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ModelFileError, match="no safetensors file, or broken"):
        read_arrays(path)


def test_a_file_that_shrinks_while_it_is_read(path, monkeypatch):
    write_arrays(path, SMALL)
    check = container._check_places
    monkeypatch.setattr(container, "_check_places", lambda *given: (check(*given), os.truncate(path, 20)))
    with pytest.raises(ModelFileError, match="ends inside of the array"):
        read_arrays(path)


WATCHED = """
import json, os, sys, tracemalloc
import autograd_nn.saving.container as container
from autograd_nn.errors import ModelFileError

events, watching = [], False

def hook(event, arguments):
    if watching and event.split(".")[0] not in ("object",):
        events.append([event, str(arguments[0]) if arguments else ""])

sys.addaudithook(hook)
container.read_arrays(sys.argv[1])
for path in sys.argv[2:]:
    size = os.path.getsize(path)
    events.clear()
    tracemalloc.start()
    watching = True
    try:
        container.read_arrays(path)
        told = "nothing"
    except ModelFileError as error:
        told = str(error)
    except BaseException as error:
        told = f"{type(error).__name__}: {str(error)[:200]}"
    watching = False
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(json.dumps([path, told, peak - 2 * size, events]))
"""


def test_hostile_files(tmp_path):
    """Each is refused in one line; nothing but the file is opened, nothing imported or run, and little memory taken."""
    assert len(HOSTILE) >= 80
    paths = {}
    for number, (name, raw) in enumerate(HOSTILE.items()):
        place = tmp_path / f"{number}.safetensors"
        place.write_bytes(raw)
        paths[str(place)] = name
    good = tmp_path / "good.safetensors"
    write_arrays(good, SMALL)
    run = subprocess.run(
        [sys.executable, "-c", WATCHED, str(good), *paths],
        capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(found) == len(HOSTILE)
    for place, told, memory, events in found:
        name = paths[place]
        assert told.count("\n") == 0 and len(told) <= 300, name
        assert "broken" in told or "no model file" in told, (name, told)
        assert memory <= 64 << 20, (name, memory)
        assert all(event == "open" and opened == place for event, opened in events), (name, events)


def test_a_large_array_takes_its_own_size_only(path):
    write_arrays(path, {"w": np.zeros(8 << 20, "uint8")})
    tracemalloc.start()
    read_arrays(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 << 20
