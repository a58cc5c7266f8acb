"""The kernel language: the part of Python that kernels are written in, translated straight to LLVM.

A kernel is ordinary Python on flat arrays and typed numbers, and Numba compiles it as it stands. But Numba infers
types and rewrites for any program, 0.4 s a kernel; kernels need none of that, because each name has one type from its
first assignment on. So they go from syntax tree to LLVM in one walk, and the functions that they name are written in
place. Where bounds are checked or the JIT is off, Numba runs the same source.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir

from ....errors import AutogradError
from . import arithmetic
from .arithmetic import BOOL, FLOAT64, INT64, POINTER, WORD, Value, cast, literal, memory_type, register_type, typed
from .joins import WRITTEN
from .sources import definition, surroundings

UINT64 = np.dtype(np.uint64)


class KernelError(AutogradError):
    """Source that is not in the kernel language: a mistake of the library."""


class Intrinsic(NamedTuple):
    """A function on words whose LLVM is written by hand: `write(builder, args)` gives a number of `dtype`, or None.

    words: with so many arguments it is made once, as it is written, under its name, and kernels call it; else it is
           written into every kernel
    """

    name: str
    write: Callable[[Any, Sequence[Any]], Any]
    words: int = 0
    dtype: Any = INT64

    def __call__(self, *words: Any) -> Any:
        """KernelError: Python itself cannot do what it does."""
        raise KernelError(f"{self.name} is for kernels only")


def shared(intrinsic: Intrinsic) -> str:
    """The module of an intrinsic that kernels call by name."""
    module = ir.Module()
    made = ir.Function(module, ir.FunctionType(ir.VoidType(), [WORD] * intrinsic.words), intrinsic.name)
    builder = ir.IRBuilder(made.append_basic_block("entry"))
    intrinsic.write(builder, made.args)
    builder.ret_void()
    return str(module)


class Array(NamedTuple):
    """A flat array: the address of its first element, and the dtype of its elements."""

    pointer: Any
    dtype: np.dtype[Any]


class _Variable(NamedTuple):
    """A slot of memory, which LLVM makes a register."""

    slot: Any
    dtype: np.dtype[Any]


def kernel(module: ir.Module, name: str, tree: ast.FunctionDef, dtypes: Sequence[Any], names: dict[str, Any]) -> Any:
    """Write `def kernel(x0, ..., g, start, end)` as a function on addresses of the arrays and of g, and two words."""
    made = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER] * (len(dtypes) + 1) + [WORD, WORD]), name)
    made.linkage = "internal"
    # Inlined into its entry it would go through all of LLVM's passes twice.
    made.attributes.add("noinline")
    for parameter in made.args[:-2]:
        parameter.add_attribute("noalias")
    scope: list[Any] = [Array(p, np.dtype(d)) for p, d in zip(made.args, [*dtypes, UINT64])]
    scope += [Value(p, UINT64) for p in made.args[-2:]]
    _write(made, tree, names, dict(zip((a.arg for a in tree.args.args), scope)))
    return made


def procedure(module: ir.Module, name: str, tree: ast.FunctionDef, names: dict[str, Any]) -> Any:
    """Write a function on words; it gives a word if it ends in `return`."""
    parameters = [a.arg for a in tree.args.args]
    result = WORD if isinstance(tree.body[-1], ast.Return) else ir.VoidType()
    made = ir.Function(module, ir.FunctionType(result, [WORD] * len(parameters)), name)
    _write(made, tree, names, {n: Value(p, INT64) for n, p in zip(parameters, made.args)})
    return made


def _write(made: Any, tree: ast.FunctionDef, names: dict[str, Any], scope: dict[str, Any]) -> None:
    entry, start = made.append_basic_block("entry"), made.append_basic_block("start")
    writer = _Writer(ir.IRBuilder(entry), ir.IRBuilder(start), names, scope, _changing(tree))
    try:
        writer.statements(tree.body)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise KernelError(f"{tree.name}: {error}") from error
    if not writer.builder.block.is_terminated:
        writer.builder.ret_void()
    writer.slots.position_at_end(entry)
    writer.slots.branch(start)


def _changing(tree: ast.FunctionDef) -> set[str]:
    """The names that are assigned more than once, and so need a place in memory; the others are registers."""
    counts: dict[str, int] = {}
    for node in ast.walk(tree):
        for target in _targets(node):
            counts[target] = counts.get(target, 0) + (2 if isinstance(node, ast.AugAssign) else 1)
    return {name for name, count in counts.items() if count > 1}


def _targets(node: ast.AST) -> list[str]:
    if isinstance(node, ast.AugAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    if not isinstance(node, ast.Assign):
        return []
    places = [place for t in node.targets for place in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [place.id for place in places if isinstance(place, ast.Name)]


class _Writer:
    """Writes one function: `slots` into its entry, `builder` at the end of what stands so far.

    changing: the names that need a slot
    """

    def __init__(
        self, slots: Any, builder: Any, names: dict[str, Any], scope: dict[str, Any], changing: set[str]
    ) -> None:
        self.slots = slots
        self.builder = builder
        self.names = names
        self.scope = scope
        self.changing = changing

    # --- statements

    def inside(self, nodes: Sequence[ast.stmt]) -> None:
        """Write statements that may not run: the registers that they set are not known afterwards."""
        outer = dict(self.scope)
        self.statements(nodes)
        self.scope = outer | {name: v for name, v in self.scope.items() if isinstance(v, _Variable)}

    def statements(self, nodes: Sequence[ast.stmt]) -> None:
        for node in nodes:
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                for target, value in zip(targets, [self.value(v) for v in values]):
                    self._store(target, value)
            case ast.Assign(targets=[target], value=value):
                self._store(target, self.value(value))
            case ast.AugAssign(target=target, op=op, value=value):
                self._store(target, arithmetic.binary(self.builder, op, self.value(target), self.value(value)))
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=bounds)):
                self._for(name, bounds, node.body)
            case ast.While():
                self._while(node)
            case ast.If():
                self._if(node)
            case ast.Return(value=value) if value is not None:
                self.builder.ret(cast(self.builder, self.value(value), INT64).ir)
            case ast.Expr(value=ast.Call()):
                self.evaluate(node.value)
            case ast.Expr(value=ast.Constant()):
                return
            case _:
                raise TypeError(f"not in the kernel language: {ast.unparse(node)}")

    def _store(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Subscript):
            array, place = self._element(target)
            stored = cast(self.builder, value, array.dtype).ir
            if array.dtype.kind == "b":
                stored = self.builder.zext(stored, arithmetic.BYTE)
            self.builder.store(stored, place, align=array.dtype.itemsize)
            return
        assert isinstance(target, ast.Name)
        known = self.scope.get(target.id)
        if isinstance(known, _Variable):
            if value.dtype is not None and value.dtype != known.dtype:
                raise TypeError(f"{target.id} is {known.dtype} and is set to {value.dtype}")
            self.builder.store(cast(self.builder, value, known.dtype).ir, known.slot)
            return
        value = typed(value)
        if target.id not in self.changing:
            self.scope[target.id] = value
            return
        slot = self.slots.alloca(register_type(value.dtype))
        self.scope[target.id] = _Variable(slot, value.dtype)
        self.builder.store(value.ir, slot)

    def _element(self, node: ast.Subscript) -> tuple[Array, Any]:
        """An element's array and address."""
        array = self.evaluate(node.value)
        index = cast(self.builder, self.value(node.slice), INT64).ir
        place = self.builder.gep(array.pointer, [index], inbounds=True, source_etype=memory_type(array.dtype))
        return array, place

    def _for(self, name: str, bounds: Sequence[ast.expr], body: Sequence[ast.stmt]) -> None:
        values = [self.value(b) for b in bounds]
        dtype = next((v.dtype for v in values if v.dtype is not None), INT64)
        if any(v.dtype not in (None, dtype) for v in values):
            raise TypeError(f"range of {', '.join(str(v.dtype) for v in values)}")
        start = cast(self.builder, values[0] if len(values) > 1 else Value(0, None), dtype).ir
        stop = cast(self.builder, values[min(len(values), 2) - 1], dtype).ir
        step = cast(self.builder, values[2] if len(values) > 2 else Value(1, None), dtype).ir
        before, loop, after = self.builder.block, self._block("loop"), self._block("after")
        less = self.builder.icmp_signed if dtype.kind == "i" else self.builder.icmp_unsigned
        self.builder.cbranch(less("<", start, stop), loop, after)
        self.builder.position_at_end(loop)
        counter = self.builder.phi(start.type)
        counter.add_incoming(start, before)
        outer = self.scope.get(name)
        self.scope[name] = Value(counter, dtype)
        self.inside(body)
        self.scope.pop(name)
        if outer is not None:
            self.scope[name] = outer
        following = self.builder.add(counter, step, flags=("nuw", "nsw") if dtype.kind == "u" else ("nsw",))
        counter.add_incoming(following, self.builder.block)
        less = self.builder.icmp_signed if dtype.kind == "i" else self.builder.icmp_unsigned
        self.builder.cbranch(less("<", following, stop), loop, after)
        self.builder.position_at_end(after)

    def _while(self, node: ast.While) -> None:
        test, body, after = self._block("test"), self._block("body"), self._block("after")
        self.builder.branch(test)
        self.builder.position_at_end(test)
        self.builder.cbranch(self._truth(node.test), body, after)
        self.builder.position_at_end(body)
        self.inside(node.body)
        self.builder.branch(test)
        self.builder.position_at_end(after)

    def _if(self, node: ast.If) -> None:
        then, otherwise, after = self._block("then"), self._block("else"), self._block("after")
        self.builder.cbranch(self._truth(node.test), then, otherwise)
        for block, statements in ((then, node.body), (otherwise, node.orelse)):
            self.builder.position_at_end(block)
            self.inside(statements)
            self.builder.branch(after)
        self.builder.position_at_end(after)

    def _block(self, name: str) -> Any:
        return self.builder.append_basic_block(name)

    # --- expressions

    def value(self, node: ast.expr) -> Value:
        """The number that an expression gives."""
        found = self.evaluate(node)
        if isinstance(found, Value):
            return found
        if isinstance(found, np.generic):
            return literal(found, found.dtype)
        if isinstance(found, (bool, int, float)):
            return Value(found, None)
        raise TypeError(f"{ast.unparse(node)} is no number")

    def _truth(self, node: ast.expr) -> Any:
        return cast(self.builder, self.value(node), BOOL).ir

    def evaluate(self, node: ast.expr) -> Any:
        """What an expression gives: a number, an array, or an object that the source names."""
        build = self.builder
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self._name(name)
            case ast.BinOp(left=left, op=op, right=right):
                return arithmetic.binary(build, op, self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return arithmetic.compare(build, op, self.value(left), self.value(right))
            case ast.UnaryOp(op=op, operand=operand):
                return arithmetic.unary(build, op, self.value(operand))
            case ast.BoolOp(op=op, values=values):
                return self._bool(op, values)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return arithmetic.select(build, self.value(test), self.value(body), self.value(orelse))
            case ast.Subscript():
                array, place = self._element(node)
                loaded = build.load(place, align=array.dtype.itemsize, typ=memory_type(array.dtype))
                if array.dtype.kind == "b":
                    loaded = build.icmp_unsigned("!=", loaded, arithmetic.BYTE(0))
                return Value(loaded, array.dtype)
            case ast.Attribute(value=ast.Attribute(value=array, attr="ctypes"), attr="data"):
                return Value(build.ptrtoint(self.evaluate(array).pointer, WORD), INT64)
            case ast.Attribute(value=value, attr=attr):
                return getattr(self.evaluate(value), attr)
            case ast.Call(func=ast.Attribute(value=value, attr="view"), args=[kind]):
                return arithmetic.bits(build, self.value(value), np.dtype(self.evaluate(kind)))
            case ast.Call(func=func, args=args):
                return self._call(self.evaluate(func), args)
        raise TypeError(f"not in the kernel language: {ast.unparse(node)}")

    def _name(self, name: str) -> Any:
        found = self.scope.get(name)
        if isinstance(found, _Variable):
            return Value(self.builder.load(found.slot, typ=register_type(found.dtype)), found.dtype)
        if found is not None:
            return found
        if name in self.names:
            return self.names[name]
        return _BUILT_IN[name]

    def _bool(self, op: ast.boolop, nodes: Sequence[ast.expr]) -> Value:
        join = self.builder.and_ if isinstance(op, ast.And) else self.builder.or_
        found = self._truth(nodes[0])
        for node in nodes[1:]:
            found = join(found, self._truth(node))
        return Value(found, BOOL)

    def _call(self, called: Any, nodes: Sequence[ast.expr]) -> Any:
        args = [self.value(n) for n in nodes]
        if isinstance(called, type) and issubclass(called, np.generic):
            return cast(self.builder, args[0], np.dtype(called))
        if called in _LIBRARY:
            return _LIBRARY[called](self.builder, *args)
        if isinstance(called, Intrinsic):
            return self._intrinsic(called, [cast(self.builder, a, INT64).ir for a in args])
        if isinstance(called, ir.Function):
            return Value(self.builder.call(called, [cast(self.builder, a, INT64).ir for a in args]), INT64)
        return self._inlined(called, args)

    def _intrinsic(self, called: Intrinsic, args: Sequence[Any]) -> Value | None:
        if called.words:
            module = self.builder.module
            kind = ir.FunctionType(ir.VoidType(), [WORD] * called.words)
            self.builder.call(module.globals.get(called.name) or ir.Function(module, kind, called.name), args)
            return None
        written = called.write(self.builder, args)
        return None if written is None else Value(written, called.dtype)

    def _inlined(self, called: Callable[..., Any], args: Sequence[Value]) -> Value:
        """The value of a function of numbers, written in place."""
        tree = definition(called)
        inner = _Scalars(self.builder, surroundings(called), dict(zip((a.arg for a in tree.args.args), args)))
        return inner.result(tree.body)


class _Scalars(_Writer):
    """Writes a function of numbers in place: assignments, then one `return`."""

    def __init__(self, builder: Any, names: dict[str, Any], scope: dict[str, Any]) -> None:
        super().__init__(None, builder, names, scope, set())

    def result(self, body: Sequence[ast.stmt]) -> Value:
        """The value of the final `return`."""
        for node in body[:-1]:
            self._statement(node)
        last = body[-1]
        assert isinstance(last, ast.Return) and last.value is not None
        return self.value(last.value)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._store(target, self.value(value))
            case _:
                super()._statement(node)

    def _store(self, target: ast.expr, value: Value) -> None:
        assert isinstance(target, ast.Name)
        self.scope[target.id] = value


def _unary(name: str) -> Callable[..., Value]:
    """An LLVM intrinsic of one float."""

    def write(builder: Any, x: Value) -> Value:
        x = typed(x)
        if x.dtype.kind != "f":
            x = cast(builder, x, FLOAT64)
        return Value(arithmetic.call(builder, f"llvm.{name}", x.ir.type, [x.ir]), x.dtype)

    return write


def _absolute(builder: Any, x: Value) -> Value:
    if x.dtype is not None and x.dtype.kind in "ub":
        return x
    if x.dtype is None or x.dtype.kind == "f":
        return _unary("fabs")(builder, x)
    negative = arithmetic.compare(builder, ast.Lt(), x, Value(0, None))
    return arithmetic.select(builder, negative, arithmetic.unary(builder, ast.USub(), x), x)


def _extreme(op: ast.cmpop) -> Callable[..., Value]:
    def write(builder: Any, a: Value, b: Value) -> Value:
        return arithmetic.select(builder, arithmetic.compare(builder, op, b, a), b, a)

    return write


def _copysign(builder: Any, a: Value, b: Value) -> Value:
    x, y, dtype = arithmetic.meet(builder, a, b)
    return Value(arithmetic.call(builder, "llvm.copysign", x.type, [x, y]), dtype)


def _fmod(builder: Any, a: Value, b: Value) -> Value:
    x, y, dtype = arithmetic.meet(builder, a, b)
    return Value(builder.frem(x, y), dtype)


def _is_nan(builder: Any, x: Value) -> Value:
    return arithmetic.compare(builder, ast.NotEq(), x, x)


_LIBRARY: dict[Any, Callable[..., Any]] = {
    abs: _absolute,
    np.abs: _absolute,
    min: _extreme(ast.Lt()),
    max: _extreme(ast.Gt()),
    np.copysign: _copysign,
    np.fmod: _fmod,
    np.isnan: _is_nan,
    **{getattr(np, name): _unary(name)
       for name in ("sqrt", "floor", "ceil", "rint", "trunc", "sin", "cos", "tan", "exp", "log")},
    np.arctan: _unary("atan"),
    **WRITTEN,
}  # fmt: skip
_BUILT_IN: dict[str, Any] = {
    "np": np, "abs": abs, "min": min, "max": max, "True": True, "False": False, "float": np.float64, "int": np.int64,
}  # fmt: skip


@contextmanager
def explained(source: str) -> Iterator[None]:
    """Show the source of a kernel with its error."""
    try:
        yield
    except KernelError as error:
        raise KernelError(f"{error}\n{source}") from error
