"""From LLVM to machine code for this processor, and from stored machine code to addresses."""

from functools import cache
from typing import Any

import llvmlite.binding as llvm


@cache
def _target() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features(), opt=1, reloc="default", codemodel="jitdefault"
    )


@cache
def features() -> str:
    """What this processor can do, as LLVM writes it, to be used to the full width of its vectors."""
    found = llvm.get_host_cpu_features()
    return found.flatten() + (",-prefer-256-bit" if found.get("avx512f") else "")


@cache
def fuses() -> bool:
    """Whether this processor multiplies and adds in one instruction."""
    return bool(llvm.get_host_cpu_features().get("fma")) or llvm.get_process_triple().startswith(("aarch64", "arm64"))


def _module(text: str) -> Any:
    module = llvm.parse_assembly(text)
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
    passes.getModulePassManager().run(module, passes)
    return module


def machine_code(text: str, as_written: bool = False) -> bytes:
    """The object file of a module, after LLVM's passes unless it is good as written."""
    code: bytes = _target().emit_object(_module(text) if as_written else optimized(text))
    return code


def offer(name: str, address: int) -> None:
    """Let code that is loaded from now on call a function by name."""
    llvm.add_symbol(name, address)


class Loaded:
    """Object files as machine code in memory; stays as long as the process lives."""

    def __init__(self, objects: list[bytes]) -> None:
        empty = llvm.parse_assembly("")
        empty.triple = llvm.get_process_triple()
        self._engine = llvm.create_mcjit_compiler(empty, _target())
        for code in objects:
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Where a function begins."""
        found: int = self._engine.get_function_address(name)
        return found
