"""From source text to machine code: a kernel is a plain Python function over flat arrays, and an entry for the table.

The body `kernel(x0, ..., y0, ..., g, start, end)` works tiles start..end. The arrays are flat; `g` holds its geometry
as uint64. The entry `void(block, start, end)` takes the addresses of the arrays and of `g` from an instruction's block:
an address and a length per array, then the words of `g`.

`build` only notes a kernel; `ready` makes all that a program needs at once, from the disk where they are there.
"""

import ast
import ctypes
import hashlib
import linecache
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir

from . import cache, language
from .arithmetic import POINTER, WORD
from .codegen import Loaded, machine_code, offer, optimized, together
from .language import procedure, shared
from .sources import OPTIONS, definition, surroundings, with_numba

# Instructions of a block begin with two words per array.
WORDS_PER_ARRAY = 2


@dataclass(eq=False)
class Kernel:
    """One loop. `dtypes` are those of its arrays, `words` the number of words of its geometry."""

    source: str
    note: str
    dtypes: tuple[np.dtype[Any], ...]
    words: int
    names: dict[str, Any]
    key: str
    address: int = 0
    seconds: float = 0.0
    cached: bool = False
    _body: Callable[..., None] | None = None

    def call(self, block: np.ndarray, start: int, end: int) -> None:
        """Work tiles start..end in the interpreter: where the JIT is off, or bounds are checked."""
        at = WORDS_PER_ARRAY * len(self.dtypes)
        pairs = block[:at].reshape(-1, 2).tolist()
        arrays = [_array(address, size, dtype) for (address, size), dtype in zip(pairs, self.dtypes)]
        geometry = block[at : at + self.words].astype(np.uint64)
        if self._body is None:
            self._body = _in_python(self)
        with np.errstate(all="ignore"):
            self._body(*arrays, geometry, np.uint64(start), np.uint64(end))

    @property
    def arguments(self) -> list[str]:
        """The names of its arrays: x0, x1, ... are only read."""
        return self.source.partition("(")[2].partition(", g, start, end)")[0].split(", ")

    @property
    def ir(self) -> str:
        """The LLVM of the kernel, after all passes."""
        return str(optimized(_llvm(self)))


def _array(address: int, size: int, dtype: np.dtype[Any]) -> np.ndarray:
    if not size:
        return np.empty(0, dtype)
    raw = (ctypes.c_uint8 * (size * dtype.itemsize)).from_address(address)
    return np.ctypeslib.as_array(raw).view(dtype)


@dataclass
class Library:
    """The kernels of this process by their source, and their machine code."""

    kernels: dict[str, Kernel] = field(default_factory=dict)
    loaded: list[Loaded] = field(default_factory=list)
    shared: set[str] = field(default_factory=set)
    lock: Any = field(default_factory=threading.RLock)


LIBRARY = Library()
_PROCEDURES = threading.Lock()
# Python's parser fails where several threads use it at once (CPython issue 106905).
_PARSER = threading.RLock()


def _set(variable: str) -> bool:
    return os.environ.get(variable, "0") not in ("", "0")


def interpreted() -> bool:
    """Whether kernels run through Python: no JIT, or one that checks bounds."""
    return _set("NUMBA_DISABLE_JIT") or _set("NUMBA_BOUNDSCHECK")


def build(
    lines: Sequence[str], arguments: Sequence[str], dtypes: Sequence[Any], words: int, names: dict[str, Any], note: str
) -> Kernel:
    """The kernel with these body lines, which may name the functions and intrinsics in `names`."""
    comment = [f"    # {line}" for line in note.splitlines()]
    source = "\n".join(
        [f"def kernel({', '.join(arguments)}, g, start, end):", *comment, *("    " + line for line in lines), ""]
    )
    kinds = tuple(map(np.dtype, dtypes))
    text = f"{source}{' '.join(d.str for d in kinds)}"
    with LIBRARY.lock:
        found = LIBRARY.kernels.get(text)
        if found is None:
            key = hashlib.sha256(text.encode()).hexdigest()[:32]
            found = LIBRARY.kernels[text] = Kernel(source, note, kinds, words, names, key)
        return found


def ready(kernels: Iterable[Kernel], beside: Sequence[Callable[[], Any]] = ()) -> None:
    """Give each kernel its address: what is not on the disk is compiled and kept there.

    beside: what else is to be compiled meanwhile
    """
    with LIBRARY.lock:
        new = [k for k in dict.fromkeys(kernels) if not k.address]
        if not new or interpreted():
            return
        for kernel in new:
            _share(kernel)
        jobs: list[Callable[[], Any]] = [*(partial(_made, kernel) for kernel in new), *beside]
        loaded = Loaded(together(jobs)[: len(new)])
        LIBRARY.loaded.append(loaded)
        for kernel in new:
            kernel.address = loaded.address(f"entry_{kernel.key}")


def _made(kernel: Kernel) -> bytes:
    """The object file of a kernel."""
    begin = time.perf_counter()
    code, kernel.cached = cache.kept(kernel.key, lambda: machine_code(_llvm(kernel)))
    kernel.seconds = time.perf_counter() - begin
    return code


def _share(kernel: Kernel) -> None:
    """Load the intrinsics that a kernel calls by name."""
    for intrinsic in kernel.names.values():
        name = getattr(intrinsic, "name", None) if getattr(intrinsic, "words", 0) else None
        if name is None or name in LIBRARY.shared:
            continue
        key = hashlib.sha256(name.encode()).hexdigest()[:32]
        code, _ = cache.kept(key, lambda made=intrinsic: machine_code(shared(made), as_written=True))  # type: ignore[misc]
        loaded = Loaded([code])
        LIBRARY.loaded.append(loaded)
        offer(name, loaded.address(name))
        LIBRARY.shared.add(name)


def procedures(functions: Sequence[Callable[..., Any]]) -> dict[str, int]:
    """The addresses, by name, of functions on words, each of which may call those before it."""

    def write() -> bytes:
        module = ir.Module()
        known: dict[str, Any] = {}
        with _PARSER:
            for f in functions:
                names = {**surroundings(f), **known}
                known[f.__name__] = procedure(module, f"{f.__name__}_{key}", definition(f), names)
        return machine_code(str(module))

    with _PARSER:
        text = "\n".join(ast.unparse(definition(f)) for f in functions)
    key = hashlib.sha256(text.encode()).hexdigest()[:32]
    # Not the lock of the library: who holds that may be waiting for this.
    with _PROCEDURES:
        loaded = Loaded([cache.kept(key, write)[0]])
        LIBRARY.loaded.append(loaded)
        return {f.__name__: loaded.address(f"{f.__name__}_{key}") for f in functions}


def _llvm(kernel: Kernel) -> str:
    """A module with the kernel's body, and the entry that takes its arguments from a block."""
    module = ir.Module()
    with _PARSER, language.explained(kernel.source):
        tree = ast.parse(kernel.source).body[0]
        assert isinstance(tree, ast.FunctionDef)
        body = language.kernel(module, "kernel", tree, kernel.dtypes, kernel.names)
    entry = ir.Function(module, ir.FunctionType(ir.VoidType(), [WORD] * 3), f"entry_{kernel.key}")
    builder = ir.IRBuilder(entry.append_basic_block("entry"))
    block = builder.inttoptr(entry.args[0], POINTER)
    count = len(kernel.dtypes)
    places = [builder.gep(block, [WORD(WORDS_PER_ARRAY * k)], source_etype=WORD) for k in range(count + 1)]
    arrays = [builder.load(place, typ=POINTER, align=8) for place in places[:-1]]
    builder.call(body, [*arrays, places[-1], *entry.args[1:]])
    builder.ret_void()
    return str(module)


def _in_python(kernel: Kernel) -> Callable[..., None]:
    """The kernel as Python runs it, or Numba with checks of bounds."""
    off = _set("NUMBA_DISABLE_JIT")
    names = {name: f if off else with_numba(f) for name, f in kernel.names.items()}
    path = f"<kernel {kernel.key}>"
    linecache.cache[path] = (len(kernel.source), None, kernel.source.splitlines(keepends=True), path)
    space: dict[str, Any] = {"np": np, **names}
    exec(compile(kernel.source, path, "exec"), space)
    body: Callable[..., None] = space["kernel"]
    if off:
        return body
    import numba

    checked: Callable[..., None] = numba.njit(**OPTIONS)(body)
    return checked
