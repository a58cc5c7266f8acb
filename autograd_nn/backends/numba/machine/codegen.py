"""From LLVM to machine code for this processor, and from stored machine code to addresses."""

import ctypes
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

import llvmlite.binding as llvm
from llvmlite.binding import ffi

from ...threads import num_threads

T = TypeVar("T")
_OWN = threading.local()


def _target() -> Any:
    """The processor for which this thread makes machine code."""
    if not hasattr(_OWN, "target"):
        _OWN.target = _new_target()
    return _OWN.target


def _new_target() -> Any:
    target, name = _processor()
    return target.create_target_machine(cpu=name, features=features(), opt=1, reloc="default", codemodel="jitdefault")


@cache
def _processor() -> tuple[Any, str]:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple()), llvm.get_host_cpu_name()


@cache
def features() -> str:
    """What this processor can do, as LLVM writes it, to be used to the full width of its vectors."""
    found = llvm.get_host_cpu_features()
    return found.flatten() + (",-prefer-256-bit" if found.get("avx512f") else "")


@cache
def fuses() -> bool:
    """Whether this processor multiplies and adds in one instruction."""
    return bool(llvm.get_host_cpu_features().get("fma")) or llvm.get_process_triple().startswith(("aarch64", "arm64"))


def together(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """The results of jobs that spend their time in LLVM, done by as many threads as programs run on."""
    left = list(enumerate(jobs))[::-1]
    done: dict[int, T] = {}
    errors: list[BaseException] = []

    def work() -> None:
        while left and not errors:
            try:
                k, job = left.pop()
            except IndexError:
                return
            try:
                done[k] = job()
            except BaseException as error:
                errors.append(error)

    others = [threading.Thread(target=work) for _ in range(min(len(jobs), num_threads()) - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]
    return [done[k] for k in range(len(jobs))]


def _freely(function: Any) -> Any:
    """A function of LLVM without llvmlite's lock, which lets in one thread whatever it works on: LLVM itself only asks
    that threads work on modules of different contexts."""
    return getattr(function, "_cfn", function)


def _module(text: str) -> Any:
    module = llvm.parse_assembly(text, llvm.create_context())
    module.triple = llvm.get_process_triple()
    module.verify()
    return module


def optimized(text: str) -> Any:
    """A module from its text, after LLVM's passes."""
    module = _module(text)
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    options.loop_vectorization = True
    options.slp_vectorization = False
    options.loop_unrolling = False
    passes = llvm.create_pass_builder(_target(), options)
    _freely(ffi.lib.LLVMPY_RunNewModulePassManager)(passes.getModulePassManager(), module, passes)
    return module


def machine_code(text: str, as_written: bool = False) -> bytes:
    """The object file of a module, after LLVM's passes unless it is good as written."""
    module = _module(text) if as_written else optimized(text)
    with ffi.OutputString() as wrong:
        memory = _freely(ffi.lib.LLVMPY_TargetMachineEmitToMemory)(_target(), module, 1, wrong)
        if not memory:
            raise RuntimeError(str(wrong))
    try:
        return ctypes.string_at(ffi.lib.LLVMPY_GetBufferStart(memory), ffi.lib.LLVMPY_GetBufferSize(memory))
    finally:
        ffi.lib.LLVMPY_DisposeMemoryBuffer(memory)


def offer(name: str, address: int) -> None:
    """Let code that is loaded from now on call a function by name."""
    llvm.add_symbol(name, address)


class Loaded:
    """Object files as machine code in memory; stays as long as the process lives."""

    def __init__(self, objects: list[bytes]) -> None:
        empty = llvm.parse_assembly("")
        empty.triple = llvm.get_process_triple()
        # An engine owns its target.
        self._engine = llvm.create_mcjit_compiler(empty, _new_target())
        for code in objects:
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function begins."""
        found: int = self._engine.get_function_address(name)
        return found
