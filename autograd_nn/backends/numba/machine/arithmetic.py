"""Typed numbers in LLVM: conversion, arithmetic and comparison of NumPy's dtypes, as kernels write them."""

import ast
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir

from .codegen import fuses

BIT, BYTE, WORD, POINTER = ir.IntType(1), ir.IntType(8), ir.IntType(64), ir.PointerType()
_FLOATS: dict[int, Any] = {2: ir.HalfType(), 4: ir.FloatType(), 8: ir.DoubleType()}
_FUSING = (_FLOATS[4], _FLOATS[8])
INT64, FLOAT64, BOOL = np.dtype(np.int64), np.dtype(np.float64), np.dtype(np.bool_)


class Value(NamedTuple):
    """A number in a register. `dtype` None: a literal of Python, which takes the dtype of what it meets."""

    ir: Any
    dtype: Any


def register_type(dtype: np.dtype[Any]) -> Any:
    """The LLVM type of a number in a register."""
    if dtype.kind == "f":
        return _FLOATS[dtype.itemsize]
    return BIT if dtype.kind == "b" else ir.IntType(8 * dtype.itemsize)


def memory_type(dtype: np.dtype[Any]) -> Any:
    """The LLVM type of an element of an array."""
    return BYTE if dtype.kind == "b" else register_type(dtype)


def typed(value: Value) -> Value:
    """A literal as int64, float64 or bool."""
    if value.dtype is not None:
        return value
    kind = type(value.ir)
    return literal(value.ir, BOOL if kind is bool else INT64 if kind is int else FLOAT64)


def literal(number: Any, dtype: np.dtype[Any]) -> Value:
    """A constant of that dtype."""
    scalar = dtype.type(number)
    if dtype.kind == "f":
        # llvmlite writes the bits of a double, which must be a number of the narrower type.
        return Value(ir.Constant(register_type(dtype), float(scalar)), dtype)
    return Value(ir.Constant(register_type(dtype), int(scalar)), dtype)


def cast(builder: Any, value: Value, dtype: np.dtype[Any]) -> Value:
    """The number in another dtype, as C converts."""
    if value.dtype is None:
        return literal(value.ir, dtype)
    if value.dtype == dtype:
        return value
    return Value(_convert(builder, value.ir, value.dtype, dtype), dtype)


_HALF, _SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def _convert(builder: Any, x: Any, old: np.dtype[Any], new: np.dtype[Any]) -> Any:
    if _HALF in (old, new) and _SINGLE not in (old, new) and new.kind != "b":
        # Processors convert half precision from and to single precision only; what else there is are library calls.
        return _through_single(builder, x, old, new)
    kind = register_type(new)
    if new.kind == "b":
        zero = ir.Constant(x.type, 0.0 if old.kind == "f" else 0)
        return builder.fcmp_unordered("!=", x, zero) if old.kind == "f" else builder.icmp_signed("!=", x, zero)
    if old.kind == "f" and new.kind == "f":
        return builder.fpext(x, kind) if new.itemsize > old.itemsize else builder.fptrunc(x, kind)
    if old.kind == "f":
        return builder.fptosi(x, kind) if new.kind == "i" else builder.fptoui(x, kind)
    if new.kind == "f":
        return builder.sitofp(x, kind) if old.kind == "i" else builder.uitofp(x, kind)
    if old.kind == "b":
        return builder.zext(x, kind)
    if new.itemsize == old.itemsize:
        return x
    if new.itemsize < old.itemsize:
        return builder.trunc(x, kind)
    return builder.sext(x, kind) if old.kind == "i" else builder.zext(x, kind)


def _through_single(builder: Any, x: Any, old: np.dtype[Any], new: np.dtype[Any]) -> Any:
    if old == _HALF:
        return _convert(builder, _convert(builder, x, old, _SINGLE), _SINGLE, new)
    wide = _convert(builder, x, old, FLOAT64)
    return _convert(builder, _rounded_to_odd(builder, wide), _SINGLE, _HALF)


def _rounded_to_odd(builder: Any, wide: Any) -> Any:
    """A double in single precision so that rounding it once more gives what rounding once would have given.

    Source: Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to
    odd".
    """
    word, one = ir.IntType(32), ir.IntType(32)(1)
    near = builder.fptrunc(wide, register_type(_SINGLE))
    back = builder.fpext(near, wide.type)
    bits_of = builder.bitcast(near, word)
    even = builder.icmp_unsigned("==", builder.and_(bits_of, one), word(0))
    moved = builder.and_(builder.fcmp_ordered("!=", back, wide), even)
    size = [call(builder, "llvm.fabs", wide.type, [v]) for v in (back, wide)]
    up = builder.fcmp_ordered("<", *size)
    step = builder.select(up, one, word(-1))
    odd = builder.select(moved, builder.add(bits_of, step), bits_of)
    return builder.bitcast(odd, near.type)


def common(a: Value, b: Value) -> Any:
    """The dtype in which two numbers meet."""
    if a.dtype is None:
        return typed(a).dtype if b.dtype is None else b.dtype
    if b.dtype is None or a.dtype == b.dtype:
        return a.dtype
    found = np.promote_types(a.dtype, b.dtype)
    if found.kind == "f" and a.dtype.kind != "f" and b.dtype.kind != "f":
        raise TypeError(f"{a.dtype} meets {b.dtype}")
    return found


def meet(builder: Any, a: Value, b: Value) -> tuple[Any, Any, np.dtype[Any]]:
    """Both numbers in their common dtype."""
    dtype = common(a, b)
    return cast(builder, a, dtype).ir, cast(builder, b, dtype).ir, dtype


def binary(builder: Any, op: ast.operator, a: Value, b: Value) -> Value:
    """An arithmetic operator."""
    if a.dtype is None and b.dtype is None:
        return Value(_FOLD[type(op)](a.ir, b.ir), None)
    if isinstance(op, (ast.LShift, ast.RShift)):
        b = cast(builder, b, a.dtype if a.dtype is not None else b.dtype)
    if isinstance(op, ast.Div) and common(a, b).kind != "f":
        a, b = cast(builder, a, FLOAT64), cast(builder, b, FLOAT64)
    x, y, dtype = meet(builder, a, b)
    if dtype.kind == "f":
        return Value(_float(builder, op, x, y), dtype)
    if dtype.kind == "b" and not isinstance(op, (ast.BitAnd, ast.BitOr, ast.BitXor)):
        x, y, dtype = builder.zext(x, WORD), builder.zext(y, WORD), INT64
    return Value(_integer(builder, op, x, y, dtype.kind == "i"), dtype)


_FOLD: dict[type, Any] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.LShift: lambda a, b: a << b,
}


def _float(builder: Any, op: ast.operator, x: Any, y: Any) -> Any:
    match op:
        case ast.Add():
            return _fused(builder, x, y) or _fused(builder, y, x) or builder.fadd(x, y)
        case ast.Sub() if _product(x):
            return _fused(builder, x, builder.fneg(y))
        case ast.Sub():
            return _fused(builder, y, x, negative=True) or builder.fsub(x, y)
        case ast.Mult():
            return builder.fmul(x, y)
        case ast.Div():
            return builder.fdiv(x, y)
        case ast.Pow():
            return call(builder, "llvm.pow", x.type, [x, y])
    raise TypeError(f"no {type(op).__name__} of floats")


def _product(x: Any) -> bool:
    """Whether a number was made by a multiplication that can be one instruction with an addition.

    It is decided here and not by LLVM, which fuses or not by what else a loop holds: two kernels of one expression, in
    place and not, would differ in the last bit.
    """
    return isinstance(x, ir.Instruction) and x.opname == "fmul" and x.type in _FUSING and fuses()


def _fused(builder: Any, product: Any, other: Any, negative: bool = False) -> Any:
    """product + other, or other - product, with one rounding; None where that is no single instruction."""
    if not _product(product):
        return None
    a, b = product.operands
    return call(builder, "llvm.fma", other.type, [builder.fneg(a) if negative else a, b, other])


def _integer(builder: Any, op: ast.operator, x: Any, y: Any, signed: bool) -> Any:
    match op:
        case ast.Add():
            return builder.add(x, y)
        case ast.Sub():
            return builder.sub(x, y)
        case ast.Mult():
            return builder.mul(x, y)
        case ast.BitAnd():
            return builder.and_(x, y)
        case ast.BitOr():
            return builder.or_(x, y)
        case ast.BitXor():
            return builder.xor(x, y)
        case ast.LShift():
            return builder.shl(x, y)
        case ast.RShift():
            return builder.ashr(x, y) if signed else builder.lshr(x, y)
        case ast.FloorDiv():
            return _floor_divide(builder, x, y) if signed else builder.udiv(x, y)
        case ast.Mod():
            return _modulo(builder, x, y) if signed else builder.urem(x, y)
    raise TypeError(f"no {type(op).__name__} of integers")


def _off(builder: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """The remainder that C gives, and whether it lies on the other side of zero than the divisor."""
    rest = builder.srem(x, y)
    zero = ir.Constant(x.type, 0)
    other_side = builder.icmp_signed("<", builder.xor(rest, y), zero)
    return rest, builder.and_(builder.icmp_signed("!=", rest, zero), other_side)


def _floor_divide(builder: Any, x: Any, y: Any) -> Any:
    _, off = _off(builder, x, y)
    quotient = builder.sdiv(x, y)
    return builder.select(off, builder.sub(quotient, ir.Constant(x.type, 1)), quotient)


def _modulo(builder: Any, x: Any, y: Any) -> Any:
    rest, off = _off(builder, x, y)
    return builder.select(off, builder.add(rest, y), rest)


_SIGNS: dict[type, str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


def compare(builder: Any, op: ast.cmpop, a: Value, b: Value) -> Value:
    """A comparison; with a NaN only `!=` holds."""
    x, y, dtype = meet(builder, a, b)
    sign = _SIGNS[type(op)]
    if dtype.kind == "f":
        made = builder.fcmp_unordered(sign, x, y) if sign == "!=" else builder.fcmp_ordered(sign, x, y)
    elif dtype.kind == "i":
        made = builder.icmp_signed(sign, x, y)
    else:
        made = builder.icmp_unsigned(sign, x, y)
    return Value(made, BOOL)


def unary(builder: Any, op: ast.unaryop, x: Value) -> Value:
    """A sign, a complement, or a negation."""
    if x.dtype is None:
        return Value({ast.USub: lambda v: -v, ast.UAdd: lambda v: v, ast.Not: lambda v: not v}[type(op)](x.ir), None)
    match op:
        case ast.UAdd():
            return x
        case ast.Not():
            truth = cast(builder, x, BOOL)
            return Value(builder.not_(truth.ir), BOOL)
        case ast.Invert():
            return Value(builder.not_(x.ir), x.dtype)
    if x.dtype.kind == "f":
        return Value(builder.fneg(x.ir), x.dtype)
    return Value(builder.neg(x.ir), x.dtype)


def select(builder: Any, condition: Value, a: Value, b: Value) -> Value:
    """One of two numbers, both of which have been computed."""
    x, y, dtype = meet(builder, a, b)
    return Value(builder.select(cast(builder, condition, BOOL).ir, x, y), dtype)


def bits(builder: Any, x: Value, dtype: np.dtype[Any]) -> Value:
    """The same bits as a number of another dtype of that size."""
    value = typed(x)
    return Value(builder.bitcast(value.ir, register_type(dtype)), dtype)


def call(builder: Any, name: str, kind: Any, args: list[Any]) -> Any:
    """Call an LLVM intrinsic on numbers of one type."""
    suffix = {"half": "f16", "float": "f32", "double": "f64"}.get(str(kind), str(kind))
    full = f"{name}.{suffix}"
    module = builder.module
    known = module.globals.get(full) or ir.Function(module, ir.FunctionType(kind, [a.type for a in args]), full)
    return builder.call(known, args)
