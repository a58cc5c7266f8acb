"""Functions on words whose LLVM is written by hand in vectors of the host: what the tiles are made of."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

WORD, INDEX, BIT, VOID = ir.IntType(64), ir.IntType(32), ir.IntType(1), ir.VoidType()


class Host(NamedTuple):
    """What this processor's registers hold: bytes of a vector, the rows and vectors of a tile, whether it fuses a
    multiplication with an addition."""

    vector: int
    rows: int
    vectors: int
    fused: bool = True


@cache
def host() -> Host | None:
    """The tile of this processor; None where its vectors are not known."""
    features, triple = llvm.get_host_cpu_features(), llvm.get_process_triple()
    if features.get("avx512f"):
        return Host(64, 14, 2)
    if features.get("avx2") and features.get("fma"):
        return Host(32, 6, 2)
    if features.get("neon") or triple.startswith(("aarch64", "arm64")):
        return Host(16, 8, 3)
    if triple.startswith("x86_64"):
        return Host(16, 6, 2, fused=False)
    return None


class Vectors:
    """Writes one function on words. Places are addresses in bytes; loads and stores may be masked."""

    def __init__(self, module: Any, name: str, arguments: int, dtype: Any, shape: Host) -> None:
        dtype = np.dtype(dtype)
        self.module, self.host, self.size = module, shape, dtype.itemsize
        self.lanes = shape.vector // dtype.itemsize
        self.element = ir.FloatType() if dtype.itemsize == 4 else ir.DoubleType()
        self.kind = f"v{self.lanes}{'f32' if dtype.itemsize == 4 else 'f64'}"
        self.vector = ir.VectorType(self.element, self.lanes)
        self.zero = ir.Constant(self.vector, [0.0] * self.lanes)
        self.function = ir.Function(module, ir.FunctionType(VOID, [WORD] * arguments), name)
        self.build = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.args = self.function.args

    def loop(self, count: Any, carried: Sequence[Any], body: Callable[[list[Any]], Sequence[Any]]) -> list[Any]:
        """Write `count` turns of `body`, which makes the carried values of the next turn from those of this one."""
        build, before = self.build, self.build.block
        head, inside, after = (build.append_basic_block(n) for n in ("head", "inside", "after"))
        build.branch(head)
        build.position_at_end(head)
        starts = [WORD(0), *carried]
        phis = [build.phi(value.type) for value in starts]
        for phi, value in zip(phis, starts):
            phi.add_incoming(value, before)
        build.cbranch(build.icmp_signed("<", phis[0], count), inside, after)
        build.position_at_end(inside)
        results = [build.add(phis[0], WORD(1)), *body(phis[1:])]
        for phi, value in zip(phis, results):
            phi.add_incoming(value, build.block)
        build.branch(head)
        build.position_at_end(after)
        return phis[1:]

    def choose(self, condition: Any, then: Callable[[], None], otherwise: Callable[[], None]) -> None:
        """Write two ways to go on, which meet again."""
        with self.build.if_else(condition) as (yes, no):
            with yes:
                then()
            with no:
                otherwise()

    def masks(self, valid: Any, count: int, known: int = 0) -> list[Any]:
        """For each of `count` vectors which of its lanes are below `valid`; None for the first `known`, which are."""
        indices = ir.VectorType(INDEX, self.lanes)
        lanes = ir.Constant(indices, list(range(self.lanes)))
        left = self.build.trunc(valid, INDEX)
        rests = [self.splat(self.build.sub(left, INDEX(j * self.lanes)), indices) for j in range(known, count)]
        return [None] * known + [self.build.icmp_signed("<", lanes, rest) for rest in rests]

    def splat(self, value: Any, kind: Any = None) -> Any:
        """A vector with one number in each lane."""
        kind = kind or self.vector
        first = self.build.insert_element(ir.Constant(kind, ir.Undefined), value, INDEX(0))
        return self.build.shuffle_vector(first, first, ir.Constant(ir.VectorType(INDEX, self.lanes), [0] * self.lanes))

    def shuffle(self, a: Any, b: Any, lanes: Sequence[int]) -> Any:
        """Chosen lanes of two vectors."""
        return self.build.shuffle_vector(a, b, ir.Constant(ir.VectorType(INDEX, len(lanes)), list(lanes)))

    def number(self, place: Any) -> Any:
        """One number."""
        return self.build.load(self.build.inttoptr(place, self.element.as_pointer()), align=self.size)

    def set_number(self, value: Any, place: Any) -> None:
        """Write one number."""
        self.build.store(value, self.build.inttoptr(place, self.element.as_pointer()), align=self.size)

    def step(self, place: Any, vectors: int) -> Any:
        """The place some vectors further."""
        return self.build.add(place, WORD(vectors * self.host.vector)) if vectors else place

    def load(self, place: Any, mask: Any = None) -> Any:
        """A vector; zero where it is masked."""
        pointer = self.build.inttoptr(place, self.vector.as_pointer())
        if mask is None:
            return self.build.load(pointer, align=self.size)
        function = self._known("masked.load", self.vector, [pointer.type, INDEX, mask.type, self.vector], ".p0")
        return self.build.call(function, [pointer, INDEX(self.size), mask, self.zero])

    def store(self, value: Any, place: Any, mask: Any = None) -> None:
        """Write a vector; nothing where it is masked."""
        pointer = self.build.inttoptr(place, self.vector.as_pointer())
        if mask is None:
            self.build.store(value, pointer, align=self.size)
            return
        function = self._known("masked.store", VOID, [self.vector, pointer.type, INDEX, mask.type], ".p0")
        self.build.call(function, [value, pointer, INDEX(self.size), mask])

    def prefetch(self, place: Any) -> None:
        """Ask for the line of a place, which need not exist."""
        pointer = self.build.inttoptr(place, ir.IntType(8).as_pointer())
        known = self.module.globals.get("llvm.prefetch.p0")
        kind = ir.FunctionType(VOID, [pointer.type, INDEX, INDEX, INDEX])
        # To read, to keep, and data.
        wanted = [INDEX(0), INDEX(3), INDEX(1)]
        self.build.call(known or ir.Function(self.module, kind, "llvm.prefetch.p0"), [pointer, *wanted])

    def multiply_add(self, a: Any, b: Any, total: Any) -> Any:
        """a * b + total."""
        function = self._known("fma" if self.host.fused else "fmuladd", self.vector, [self.vector] * 3)
        return self.build.call(function, [a, b, total])

    def _known(self, what: str, result: Any, arguments: list[Any], suffix: str = "") -> Any:
        name = f"llvm.{what}.{self.kind}{suffix}"
        known = self.module.globals.get(name)
        return known or ir.Function(self.module, ir.FunctionType(result, arguments), name)
