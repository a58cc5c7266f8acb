"""The few instructions that Numba lacks: typed pointers from addresses, calls through pointers, atomics, fences."""

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

WORD = ir.IntType(64)


@intrinsic
def pointer(typing: Any, address: Any, dtype: Any) -> Any:
    """The address of elements of `dtype` as a pointer."""
    result = types.CPointer(dtype.dtype)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(result))

    return result(types.intp, dtype), codegen


@intrinsic
def call_kernel(typing: Any, function: Any, block: Any, start: Any, end: Any) -> Any:
    """Call `void kernel(block, start, end)` at address `function`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [WORD, WORD, WORD])
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp), codegen


@intrinsic
def atomic_add(typing: Any, address: Any, amount: Any) -> Any:
    """Add to the word at `address`, sequentially consistent; the word before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", builder.inttoptr(args[0], WORD.as_pointer()), args[1], "seq_cst")

    return types.intp(types.intp, types.intp), codegen


@intrinsic
def atomic_load(typing: Any, address: Any) -> Any:
    """The word at `address`, with everything that its writer wrote before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(args[0], WORD.as_pointer()), "acquire", 8)

    return types.intp(types.intp), codegen


@intrinsic
def atomic_store(typing: Any, address: Any, word: Any) -> Any:
    """Write the word at `address` after everything written before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[1], builder.inttoptr(args[0], WORD.as_pointer()), "release", 8)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), codegen


@intrinsic
def relax(typing: Any) -> Any:
    """Tell the processor that this is a spinning loop."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if llvm.get_process_triple().startswith("x86"):
            name = "llvm.x86.sse2.pause"
            known = builder.module.globals.get(name)
            builder.call(known or ir.Function(builder.module, ir.FunctionType(ir.VoidType(), []), name), [])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def atomic_exchange_if(typing: Any, address: Any, expected: Any, word: Any) -> Any:
    """Replace the word at `address` if it is the expected one; whether it was."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = builder.cmpxchg(builder.inttoptr(args[0], WORD.as_pointer()), args[1], args[2], "seq_cst")
        return builder.zext(builder.extract_value(found, 1), WORD)

    return types.intp(types.intp, types.intp, types.intp), codegen
