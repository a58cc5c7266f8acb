"""The multiply-add peak of this machine: a register tile on data in the first cache, written as LLVM vectors.

It is independent of the library's own tile, so that a slower tile cannot make the peak smaller.
"""

from __future__ import annotations

import ctypes
import threading
import time

import llvmlite.binding as llvm
import numpy as np

# Per processor feature: lanes of float32 in a vector, rows and vectors of the tile.
TILES = {"avx512f": (16, 14, 2), "fma": (8, 6, 2), "neon": (4, 8, 2)}
PLAIN = (4, 4, 2)
DEPTH = 256


def tile_of_host() -> tuple[int, int, int]:
    """Lanes, rows and vectors that fit this processor's registers."""
    features = llvm.get_host_cpu_features()
    arm = llvm.get_process_triple().startswith(("aarch64", "arm64"))
    return next((tile for name, tile in TILES.items() if features.get(name) or arm and name == "neon"), PLAIN)


def source(lanes: int, rows: int, vectors: int) -> str:
    """`run(a, b, c, repeats)`: so many times C = sum of a column of A times a row of B, over DEPTH of them."""
    vector = f"<{lanes} x float>"
    sums = [f"s{r}_{v}" for r in range(rows) for v in range(vectors)]
    phis = [f"  %{s} = phi {vector} [ zeroinitializer, %outer ], [ %n{s}, %inner ]" for s in sums]
    body = []
    for v in range(vectors):
        body += [
            f"  %o{v} = add i64 %row, {v * lanes}",
            f"  %p{v} = getelementptr float, ptr %b, i64 %o{v}",
            f"  %b{v} = load {vector}, ptr %p{v}, align 4",
        ]
    for r in range(rows):
        body += [
            f"  %q{r} = add i64 %column, {r}",
            f"  %a{r} = getelementptr float, ptr %a, i64 %q{r}",
            f"  %x{r} = load float, ptr %a{r}, align 4",
            f"  %i{r} = insertelement {vector} poison, float %x{r}, i32 0",
            f"  %f{r} = shufflevector {vector} %i{r}, {vector} poison, <{lanes} x i32> zeroinitializer",
        ]
        body += [
            f"  %ns{r}_{v} = call {vector} @llvm.fma.v{lanes}f32({vector} %f{r}, {vector} %b{v}, {vector} %s{r}_{v})"
            for v in range(vectors)
        ]
    stores = []
    for k, s in enumerate(sums):
        stores += [f"  %c{k} = getelementptr float, ptr %c, i64 {k * lanes}",
                   f"  store volatile {vector} %n{s}, ptr %c{k}, align 4"]  # fmt: skip
    return "\n".join([
        f"declare {vector} @llvm.fma.v{lanes}f32({vector}, {vector}, {vector})",
        "define void @run(ptr %a, ptr %b, ptr %c, i64 %repeats) {",
        "entry:", "  br label %outer",
        "outer:", "  %t = phi i64 [ 0, %entry ], [ %nt, %done ]", "  br label %inner",
        "inner:", "  %k = phi i64 [ 0, %outer ], [ %nk, %inner ]", *phis,
        f"  %row = mul i64 %k, {lanes * vectors}", f"  %column = mul i64 %k, {rows}", *body,
        "  %nk = add i64 %k, 1", f"  %more = icmp ult i64 %nk, {DEPTH}", "  br i1 %more, label %inner, label %done",
        "done:", *stores,
        "  %nt = add i64 %t, 1", "  %again = icmp ult i64 %nt, %repeats", "  br i1 %again, label %outer, label %end",
        "end:", "  ret void", "}",
    ])  # fmt: skip


class Peak:
    """The compiled tile, ready to be run on any number of threads."""

    def __init__(self) -> None:
        self._lanes, self._rows, self._vectors = tile_of_host()
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features().flatten()
        machine = llvm.Target.from_default_triple().create_target_machine(llvm.get_host_cpu_name(), features, opt=3)
        module = llvm.parse_assembly(source(self._lanes, self._rows, self._vectors))
        module.verify()
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)
        self._run = kind(self._engine.get_function_address("run"))

    def gflops(self, threads: int, seconds: float = 0.05, repeats: int = 12) -> float:
        """The highest rate of so many threads together, in units of 1e9 operations per second."""
        once = 2 * self._lanes * self._vectors * self._rows * DEPTH
        count = max(1, int(seconds * 50e9 / once))
        return max(threads * count * once / self._seconds(threads, count) for _ in range(repeats)) / 1e9

    def _seconds(self, threads: int, count: int) -> float:
        """From when the first begins to when the last is done."""
        barrier = threading.Barrier(threads)
        times: list[float] = []
        crew = [threading.Thread(target=self._work, args=(barrier, count, times)) for _ in range(threads)]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join()
        return max(times) - min(times)

    def _work(self, barrier: threading.Barrier, count: int, times: list[float]) -> None:
        # One array a thread, so that no cache line is shared.
        sizes = (self._rows * DEPTH, self._lanes * self._vectors * DEPTH, self._rows * self._vectors * self._lanes)
        data = np.full(sum(sizes) + 64, 0.5, np.float32)
        a = data.ctypes.data
        b = a + 4 * sizes[0]
        barrier.wait()
        times.append(time.perf_counter())
        self._run(a, b, b + 4 * sizes[1], count)
        times.append(time.perf_counter())
