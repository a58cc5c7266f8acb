"""From source text to machine code: a kernel is a plain Python function over flat arrays, and an entry for the table.

The body `kernel(x0, ..., y0, ..., g, start, end)` works tiles start..end. The arrays are flat; `g` holds its geometry
as uint64. The entry `void(block, start, end)` makes the arrays from the words of an instruction's block: an address
and a length per array, then the words of `g`.
"""

import ctypes
import hashlib
import linecache
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from numba import carray, cfunc, types

from . import cache
from .intrinsics import pointer
from .scalars import OPTIONS

# Instructions of a block begin with two words per array.
WORDS_PER_ARRAY = 2
_NAMES = {"np": np, "carray": carray, "pointer": pointer}


@dataclass(eq=False)
class Kernel:
    """One compiled loop. `dtypes` are those of its arrays, `words` the number of words of its geometry."""

    source: str
    note: str
    dtypes: tuple[np.dtype[Any], ...]
    words: int
    body: Callable[..., None]
    address: int = 0
    keep: Any = None
    seconds: float = 0.0
    cached: bool = False

    def call(self, block: np.ndarray, start: int, end: int) -> None:
        """Work tiles start..end in the interpreter: where the JIT is off, or bounds are checked."""
        at = WORDS_PER_ARRAY * len(self.dtypes)
        pairs = block[:at].reshape(-1, 2).tolist()
        arrays = [_array(address, size, dtype) for (address, size), dtype in zip(pairs, self.dtypes)]
        geometry = block[at : at + self.words].astype(np.uint64)
        with np.errstate(all="ignore"):
            self.body(*arrays, geometry, np.uint64(start), np.uint64(end))


def _array(address: int, size: int, dtype: np.dtype[Any]) -> np.ndarray:
    if not size:
        return np.empty(0, dtype)
    raw = (ctypes.c_uint8 * (size * dtype.itemsize)).from_address(address)
    return np.ctypeslib.as_array(raw).view(dtype)


@dataclass
class Library:
    """The kernels of this process, by their source."""

    kernels: dict[str, Kernel] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)


LIBRARY = Library()


def interpreted() -> bool:
    """Whether kernels run through Python: no JIT, or one that checks bounds."""
    return bool(numba.config.DISABLE_JIT or numba.config.BOUNDSCHECK)


def build(
    lines: Sequence[str], arguments: Sequence[str], dtypes: Sequence[Any], words: int, names: dict[str, Any], note: str
) -> Kernel:
    """The kernel with these body lines; compiled, taken from the disk, or the one that this process has already."""
    comment = [f"    # {line}" for line in note.splitlines()]
    source = "\n".join(
        [f"def kernel({', '.join(arguments)}, g, start, end):", *comment, *("    " + line for line in lines), ""]
    )
    text = source + _entry(arguments, dtypes, words)
    with LIBRARY.lock:
        found = LIBRARY.kernels.get(text)
        if found is None:
            found = LIBRARY.kernels[text] = _make(text, source, tuple(map(np.dtype, dtypes)), words, names, note)
        return found


def _entry(arguments: Sequence[str], dtypes: Sequence[Any], words: int) -> str:
    """The source of the entry: arrays from the words of the block, then the body."""
    count = len(arguments)
    lines = [
        "",
        "",
        "def entry(block, start, end):",
        f"    words = carray(pointer(block, np.int64), ({2 * count + words},))",
    ]
    for k, (name, dtype) in enumerate(zip(arguments, dtypes)):
        lines.append(f"    {name} = carray(pointer(words[{2 * k}], np.{np.dtype(dtype).name}), (words[{2 * k + 1}],))")
    lines.append(f"    g = carray(pointer(block + {16 * count}, np.uint64), ({words},))")
    lines.append(f"    kernel({', '.join(arguments)}, g, np.uint64(start), np.uint64(end))")
    return "\n".join([*lines, ""])


def _make(
    text: str, source: str, dtypes: tuple[np.dtype[Any], ...], words: int, names: dict[str, Any], note: str
) -> Kernel:
    key = hashlib.sha256(text.encode()).hexdigest()[:32]
    # Machine code is linked by name, and code from the disk meets code of this process: every kernel has its own.
    body_name, entry_name = f"kernel_{key}", f"entry_{key}"
    text = text.replace("kernel(", f"{body_name}(").replace("def entry(", f"def {entry_name}(")
    place = cache.place(key, text)
    # Numba stores under which module the globals of a kernel are found again.
    space = {"__name__": __name__, **_NAMES, **names}
    _define(text, place.path, space)
    plain = space[body_name]
    if interpreted():
        return Kernel(source, note, dtypes, words, _checked(plain))
    begin = time.perf_counter()
    body = numba.njit(**OPTIONS)(plain)
    body._compiler._customize_flags = _without_aliases
    space[body_name] = body
    signature = types.void(types.intp, types.intp, types.intp)

    def compile_entry() -> Any:
        return cfunc(signature, cache=place.kept, **OPTIONS)(space[entry_name])

    entry = cache.guarded(place, compile_entry)
    seconds = time.perf_counter() - begin
    return Kernel(source, note, dtypes, words, plain, entry.address, entry, seconds, bool(entry.cache_hits))


def _checked(plain: Callable[..., None]) -> Callable[..., None]:
    made: Callable[..., None] = numba.njit(**OPTIONS)(plain)
    return made


def _without_aliases(flags: Any) -> Any:
    """The arrays of a kernel never overlap; told so, LLVM needs no checks before each vector loop."""
    flags.noalias = True
    return flags


def _define(text: str, path: str, space: dict[str, Any]) -> None:
    """Run generated source: the one place where that happens."""
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    exec(compile(text, path, "exec"), space)
