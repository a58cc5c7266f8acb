"""The register tile: `C = sum_k A[:, k] B[k, :]` with all of C in vector registers, as LLVM fused multiply-adds.

A tile has some rows and two or more vectors of columns. For each k it loads the vectors of B's row once and multiplies
them by one broadcast element of A per row. A may have any strides in bytes between rows and between k; B's rows and
C's rows are contiguous. Columns beyond `valid` are neither read nor written.
"""

from functools import cache
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

WORD, INDEX, BIT, VOID = ir.IntType(64), ir.IntType(32), ir.IntType(1), ir.VoidType()


class Host(NamedTuple):
    """What this processor's registers hold: bytes of a vector, and the rows and vectors of a tile."""

    vector: int
    rows: int
    vectors: int


@cache
def host() -> Host | None:
    """The tile of this processor; None where its vectors are not known."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return Host(64, 14, 2)
    if features.get("avx2") and features.get("fma"):
        return Host(32, 6, 2)
    if features.get("neon") or llvm.get_process_triple().startswith(("aarch64", "arm64")):
        return Host(16, 8, 3)
    return None


@cache
def tile(dtype: np.dtype[Any]) -> Any:
    """`tile(rows, masked, a, a_row, a_k, b, b_k, k, c, c_row, valid, add)`: addresses and strides in bytes, as int64.

    rows:   how many rows, at most the host's
    masked: whether fewer columns than the tile's are valid
    add:    whether to add to C instead of replacing it
    """
    shape = host()
    assert shape is not None

    @intrinsic
    def run(typing: Any, rows: Any, masked: Any, a: Any, a_row: Any, a_k: Any, b: Any, b_k: Any, k: Any, c: Any,
            c_row: Any, valid: Any, add: Any) -> Any:  # fmt: skip
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            _dispatch(builder, _Maker(builder.module, dtype, shape), args)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 12), codegen

    return run


def _dispatch(builder: Any, maker: "_Maker", args: Any) -> None:
    """Call the function for this number of rows, masked or not."""
    rows, masked, rest = args[0], args[1], args[2:]
    after = builder.append_basic_block("after")
    key = builder.add(builder.mul(rows, WORD(2)), masked)
    cases = builder.switch(key, after)
    for count in range(1, maker.host.rows + 1):
        for mask in (0, 1):
            block = builder.append_basic_block(f"rows{count}")
            cases.add_case(WORD(2 * count + mask), block)
            with builder.goto_block(block):
                builder.call(maker.function(count, bool(mask)), rest)
                builder.branch(after)
    builder.position_at_end(after)


class _Maker:
    """Writes the tile functions of a dtype into a module."""

    def __init__(self, module: Any, dtype: np.dtype[Any], shape: Host) -> None:
        self.module = module
        self.host = shape
        self.size = dtype.itemsize
        self.lanes = shape.vector // dtype.itemsize
        self.name = "f32" if dtype.itemsize == 4 else "f64"
        self.element = ir.FloatType() if dtype.itemsize == 4 else ir.DoubleType()
        self.vector = ir.VectorType(self.element, self.lanes)
        self.mask = ir.VectorType(BIT, self.lanes)

    def function(self, rows: int, masked: bool) -> Any:
        """The function for so many rows; written once per module."""
        name = f"tile_{self.name}_{rows}{'_masked' if masked else ''}"
        known = self.module.globals.get(name)
        if known is not None:
            return known
        function = ir.Function(self.module, ir.FunctionType(VOID, [WORD] * 10), name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        self._write(function, rows, masked)
        return function

    def _write(self, function: Any, rows: int, masked: bool) -> None:
        a, a_row, a_k, b, b_k, count, c, c_row, valid, add = function.args
        entry, loop, body, done, adding, storing, end = (
            function.append_basic_block(n) for n in ("entry", "loop", "body", "done", "adding", "storing", "end")
        )
        build = ir.IRBuilder(entry)
        masks = self._masks(build, valid) if masked else [None] * self.host.vectors
        build.branch(loop)

        build.position_at_end(loop)
        k, at_a, at_b = (build.phi(WORD) for _ in range(3))
        zero = ir.Constant(self.vector, [0.0] * self.lanes)
        sums = [[build.phi(self.vector) for _ in masks] for _ in range(rows)]
        for phi, start in ((k, WORD(0)), (at_a, a), (at_b, b), *((p, zero) for row in sums for p in row)):
            phi.add_incoming(start, entry)
        build.cbranch(build.icmp_signed("<", k, count), body, done)

        build.position_at_end(body)
        columns = [self._load(build, self._step(build, at_b, j), mask) for j, mask in enumerate(masks)]
        place = at_a
        for row in sums:
            factor = self._splat(build, build.load(build.inttoptr(place, self.element.as_pointer()), align=self.size))
            for total, column in zip(row, columns):
                total.add_incoming(
                    build.call(self._intrinsic("fma", self.vector, [self.vector] * 3), [factor, column, total]), body
                )
            place = build.add(place, a_row)
        k.add_incoming(build.add(k, WORD(1)), body)
        at_a.add_incoming(build.add(at_a, a_k), body)
        at_b.add_incoming(build.add(at_b, b_k), body)
        build.branch(loop)

        build.position_at_end(done)
        build.cbranch(build.icmp_signed("!=", add, WORD(0)), adding, storing)
        for block, adds in ((adding, True), (storing, False)):
            build.position_at_end(block)
            place = c
            for row in sums:
                for j, (total, mask) in enumerate(zip(row, masks)):
                    to = self._step(build, place, j)
                    self._store(build, build.fadd(total, self._load(build, to, mask)) if adds else total, to, mask)
                place = build.add(place, c_row)
            build.branch(end)
        build.position_at_end(end)
        build.ret_void()

    def _masks(self, build: Any, valid: Any) -> list[Any]:
        """For each vector of a row which of its lanes are valid."""
        indices = ir.VectorType(INDEX, self.lanes)
        lanes = ir.Constant(indices, list(range(self.lanes)))
        left = build.trunc(valid, INDEX)
        return [
            build.icmp_signed("<", lanes, self._splat(build, build.sub(left, INDEX(j * self.lanes)), indices))
            for j in range(self.host.vectors)
        ]

    def _splat(self, build: Any, value: Any, kind: Any = None) -> Any:
        kind = kind or self.vector
        first = build.insert_element(ir.Constant(kind, ir.Undefined), value, INDEX(0))
        return build.shuffle_vector(first, first, ir.Constant(ir.VectorType(INDEX, self.lanes), [0] * self.lanes))

    def _step(self, build: Any, place: Any, vectors: int) -> Any:
        return build.add(place, WORD(vectors * self.host.vector)) if vectors else place

    def _load(self, build: Any, place: Any, mask: Any) -> Any:
        pointer = build.inttoptr(place, self.vector.as_pointer())
        if mask is None:
            return build.load(pointer, align=self.size)
        function = self._intrinsic("masked.load", self.vector, [pointer.type, INDEX, self.mask, self.vector], ".p0")
        return build.call(function, [pointer, INDEX(self.size), mask, ir.Constant(self.vector, [0.0] * self.lanes)])

    def _store(self, build: Any, value: Any, place: Any, mask: Any) -> None:
        pointer = build.inttoptr(place, self.vector.as_pointer())
        if mask is None:
            build.store(value, pointer, align=self.size)
            return
        function = self._intrinsic("masked.store", VOID, [self.vector, pointer.type, INDEX, self.mask], ".p0")
        build.call(function, [value, pointer, INDEX(self.size), mask])

    def _intrinsic(self, what: str, result: Any, arguments: list[Any], suffix: str = "") -> Any:
        name = f"llvm.{what}.v{self.lanes}{self.name}{suffix}"
        known = self.module.globals.get(name)
        return known or ir.Function(self.module, ir.FunctionType(result, arguments), name)
