"""Arrays in an HDF5 file that lies in memory, read so that the file can lead to nothing but numbers.

Only hard links are followed, each to an object not seen before, and only plain arrays are read: no links to other
files, no data kept elsewhere, no virtual or compressed arrays, no references. What an array would take is compared with
the bytes that the file has for it before memory is taken.
"""

import io
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...errors import AutogradError, MissingPackage, ModelFileError, short
from ..atomic import shown
from ..header import MOST_AXES

MAGIC = b"\x89HDF\r\n\x1a\n"
BFLOAT16 = "bfloat16"
# The deepest known models, with the state of an optimizer, have some five thousand arrays and groups.
MOST_OBJECTS = 1 << 13
_MOST_GROUPS_DEEP = 32
_CHUNK = 1 << 20


def import_h5py() -> Any:
    """The h5py package; MissingPackage, with the command that installs it, where it is not installed."""
    try:
        import h5py
    except ImportError:
        raise MissingPackage("files of Keras need h5py; install it with pip install autograd_nn[keras]") from None
    return h5py


@contextmanager
def explained_hdf5(path: str) -> Iterator[None]:
    """Whatever goes wrong inside is told as a fault of the file, in one line."""
    try:
        yield
    except AutogradError:
        raise
    except MemoryError:
        raise ModelFileError(f"{shown(path)}: no memory for the arrays it describes") from None
    except (Exception, RecursionError) as error:
        raise ModelFileError(
            f"{shown(path)} is broken: its HDF5 cannot be read: {short(str(error).partition(chr(10))[0], 120)}"
        ) from None


# --- reading


@contextmanager
def opened_hdf5(data: bytes, path: str) -> Iterator[Any]:
    """The file of these bytes, open; `path` is its name for messages."""
    h5py = import_h5py()
    if not data.startswith(MAGIC):
        raise ModelFileError(
            f"{shown(path)} is no HDF5 file, or broken: it has {len(data)} bytes and starts with {short(data[:8])}"
        )
    with explained_hdf5(path):
        access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        access.set_fapl_core(backing_store=False)
        access.set_file_image(data)
        file = h5py.File(h5py.h5f.open(b"memory", h5py.h5f.ACC_RDONLY, access))
    with file:
        yield file


class Places(Mapping[str, Any]):
    """The arrays of an open file by name, like "layers/dense/vars/0", each opened and checked when it is asked for.

    names: what the file calls them; size: how many bytes it has; path: its name for messages
    """

    def __init__(self, file: Any, names: Mapping[str, bytes], size: int, path: str) -> None:
        self._file = file
        self._names = names
        self._size = size
        self._path = path
        self._opened: dict[str, Any] = {}
        self._stored = 0

    def __getitem__(self, name: str) -> Any:
        if name not in self._opened:
            with explained_hdf5(self._path):
                self._opened[name] = self._open(name)
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def only(self, wanted: Callable[[str], bool]) -> "Places":
        """Those with such a name."""
        return Places(self._file, {k: v for k, v in self._names.items() if wanted(k)}, self._size, self._path)

    def renamed(self, old: str, new: str) -> "Places":
        """The same with one part of the names replaced."""
        return Places(self._file, {k.replace(old, new): v for k, v in self._names.items()}, self._size, self._path)

    def _open(self, name: str) -> Any:
        h5py = import_h5py()
        found = h5py.Dataset(h5py.h5o.open(self._file.id, self._names[name]))
        self._stored += _checked_array(found, name, self._path)
        if self._stored > self._size:
            raise ModelFileError(
                f"{shown(self._path)} is broken: its arrays need {self._stored} bytes, it has {self._size}"
            )
        return found


def array_places(file: Any, size: int, path: str) -> Places:
    """The arrays of an open file by name.

    size: how many bytes the file has
    Raises ModelFileError for links to elsewhere, for objects with two names, and for anything that is neither a group
    nor an array. Nothing is opened for that: a file of too many objects costs no more than counting them.
    """
    h5py = import_h5py()
    names: dict[str, bytes] = {}
    seen: set[int] = set()

    # What a visit returns, beside None, ends it.
    def see_link(key: bytes, link: Any) -> str | None:
        fault = _fault_of_link(key, link, seen)
        seen.add(link.u)
        return fault

    def see_object(key: bytes, item: Any) -> str | None:
        if item.type == h5py.h5o.TYPE_DATASET:
            names[key.decode("utf-8", "replace")] = key
        return (
            None
            if item.type in (h5py.h5o.TYPE_DATASET, h5py.h5o.TYPE_GROUP)
            else _told(key, "is neither a group nor an array")
        )

    with explained_hdf5(path):
        # In the order of the file: any other one is made by sorting all names of a group first.
        native = h5py.h5.ITER_NATIVE
        seen.add(h5py.h5o.get_info(file.id).addr)
        fault = file.id.links.visit(see_link, info=True, order=native)
        fault = fault or h5py.h5o.visit(file.id, see_object, info=True, order=native)
    if fault:
        raise ModelFileError(f"{shown(path)}{fault}")
    return Places(file, names, size, path)


def _fault_of_link(key: bytes, link: Any, seen: set[int]) -> str | None:
    """What is wrong with a link, unless it is the only name of its object, and there are not too many."""
    if len(seen) > MOST_OBJECTS or key.count(b"/") > _MOST_GROUPS_DEEP:
        return f" is broken: more than {MOST_OBJECTS} objects, or groups too deep"
    if link.type != import_h5py().h5l.TYPE_HARD:
        return _told(key, "is a link to somewhere else, which is never followed")
    return _told(key, "is a second name of another object; it must be its own") if link.u in seen else None


def _told(key: bytes, what: str) -> str:
    return f": {short(key.decode('utf-8', 'replace'))} {what}"


def _checked_array(item: Any, name: str, path: str) -> int:
    """How many bytes an array takes; ModelFileError for one that is not plain, or not in the file."""
    h5d, h5t = import_h5py().h5d, import_h5py().h5t

    def refuse(what: str) -> ModelFileError:
        return ModelFileError(f"{shown(path)}: array {short(name)} {what}")

    layout, kind = item.id.get_create_plist(), item.id.get_type()
    if layout.get_external_count() or layout.get_layout() not in (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED):
        raise refuse("keeps its data in another file, which is never opened")
    if layout.get_nfilters():
        raise refuse("is compressed; Keras writes plain arrays: store it so with h5repack -f NONE")
    if not isinstance(kind, (h5t.TypeIntegerID, h5t.TypeFloatID, h5t.TypeEnumID, h5t.TypeOpaqueID)):
        raise refuse("holds no numbers")
    dtype, shape = item.dtype, item.shape
    if dtype.itemsize != kind.get_size() or dtype.kind not in "fiub" and dtype != np.dtype("V2"):
        raise refuse(f"has dtype {short(str(dtype))}, which no weight has")
    if shape is None or len(shape) > MOST_AXES:
        raise refuse(f"has shape {short(shape)}")
    needed, held = math.prod(shape) * dtype.itemsize, item.id.get_storage_size()
    chunk = math.prod(layout.get_chunk()) * dtype.itemsize if layout.get_layout() == h5d.CHUNKED else 0
    if chunk > max(needed, _CHUNK):
        raise refuse(f"of {needed} bytes is kept in chunks of {chunk} bytes")
    if needed > held:
        raise refuse(f"of shape {short(shape)} needs {needed} bytes, has {held}")
    return needed


def read_array(item: Any, path: str) -> np.ndarray:
    """The values of an array that was checked; bfloat16, which NumPy does not know itself, as float32."""
    with explained_hdf5(path):
        array = np.asarray(item[()])
    if array.dtype.kind != "V":
        return array
    return (array.reshape(-1).view("<u2").astype(np.uint32) << 16).view(np.float32).reshape(array.shape)


# --- writing


def hdf5_bytes(groups: Mapping[str, tuple[str | None, list[np.ndarray]]]) -> bytes:
    """An HDF5 file with, per path, a group "vars" that has a name and holds the arrays "0", "1", ..."""
    h5py = import_h5py()
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for path, (name, arrays) in groups.items():
            group = file.create_group(f"{path}/vars" if path else "vars")
            if name is not None:
                group.attrs["name"] = name
            for k, array in enumerate(arrays):
                data = group.create_dataset(str(k), data=array)
                if array.dtype.name == BFLOAT16:
                    data.attrs["dtype"] = BFLOAT16
    return memory.getvalue()
