"""The few instructions that Python has no word for: memory at an address, calls through pointers, atomics, fences."""

from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir

from .language import Intrinsic

_WORD, _HALF, _VOID = ir.IntType(64), ir.IntType(32), ir.VoidType()


def _place(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _WORD.as_pointer())


def _call_kernel(builder: Any, args: Sequence[Any]) -> None:
    kind = ir.FunctionType(ir.VoidType(), [_WORD] * 3)
    builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])


def _load(builder: Any, args: Sequence[Any]) -> Any:
    return builder.load_atomic(_place(builder, args[0]), "acquire", 8)


def _store(builder: Any, args: Sequence[Any]) -> None:
    builder.store_atomic(args[1], _place(builder, args[0]), "release", 8)


def _add(builder: Any, args: Sequence[Any]) -> Any:
    return builder.atomic_rmw("add", _place(builder, args[0]), args[1], "seq_cst")


def _exchange_if(builder: Any, args: Sequence[Any]) -> Any:
    found = builder.cmpxchg(_place(builder, args[0]), args[1], args[2], "seq_cst")
    return builder.zext(builder.extract_value(found, 1), _WORD)


def _relax(builder: Any, args: Sequence[Any]) -> None:
    if llvm.get_process_triple().startswith("x86"):
        builder.call(_known(builder, "llvm.x86.sse2.pause", _VOID, []), [])


def _known(builder: Any, name: str, result: Any, arguments: Sequence[Any]) -> Any:
    found = builder.module.globals.get(name)
    return found or ir.Function(builder.module, ir.FunctionType(result, arguments), name)


def _set_rounding(builder: Any, change: Any) -> Any:
    """Change the word in which the processor keeps how it rounds; the word before, 0 where it is not known."""
    triple = llvm.get_process_triple()
    if triple.startswith(("aarch64", "arm64")):
        before = builder.call(_known(builder, "llvm.aarch64.get.fpcr", _WORD, []), [])
        builder.call(_known(builder, "llvm.aarch64.set.fpcr", _VOID, [_WORD]), [change(before, 1 << 24)])
        return before
    if not triple.startswith("x86"):
        return _WORD(0)
    with builder.goto_entry_block():
        room = builder.alloca(_HALF)
    builder.call(_known(builder, "llvm.x86.sse.stmxcsr", _VOID, [room.type]), [room])
    before = builder.zext(builder.load(room), _WORD)
    builder.store(builder.trunc(change(before, 1 << 15), _HALF), room)
    builder.call(_known(builder, "llvm.x86.sse.ldmxcsr", _VOID, [room.type]), [room])
    return before


def _drop_subnormals(builder: Any, args: Sequence[Any]) -> Any:
    return _set_rounding(builder, lambda before, flag: builder.or_(before, _WORD(flag)))


def _round_as(builder: Any, args: Sequence[Any]) -> None:
    _set_rounding(builder, lambda before, flag: args[0])


# call_kernel(function, block, start, end)
call_kernel = Intrinsic("call_kernel", _call_kernel)
# load(address): the word there, with everything that its writer wrote before
load = Intrinsic("load", _load)
# store(address, word), after everything written before
store = Intrinsic("store", _store)
# add(address, amount): the word before
add = Intrinsic("add", _add)
# exchange_if(address, expected, word): whether the expected one was there, and so was replaced
exchange_if = Intrinsic("exchange_if", _exchange_if)
# drop_subnormals(): from now on this thread takes 0 for results below the normal numbers; how it rounded before
drop_subnormals = Intrinsic("drop_subnormals", _drop_subnormals)
# round_as(before): rounds again as it did
round_as = Intrinsic("round_as", _round_as)
# relax(): this is a spinning loop
relax = Intrinsic("relax", _relax)
