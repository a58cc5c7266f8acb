"""The register tile: `C = sum_k A[:, k] B[k, :]` with all of C in vector registers, as LLVM fused multiply-adds.

A tile has some rows and one or more vectors of columns. For each k it loads the vectors of B's row once and multiplies
them by one broadcast element of A per row. A may have any strides in bytes between rows and between k; B's rows and
C's rows are contiguous. Of a masked tile the columns beyond `valid` are neither read nor written.

Each function here is machine code made once, on words: `call(address, ...)` in a kernel calls it, and its address
stands in the kernel's geometry.
"""

import hashlib
import threading
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir

from ..machine import cache as disk
from ..machine.codegen import Loaded, machine_code, together
from ..machine.language import Intrinsic
from .vectors import VOID, WORD, Host, Vectors, host

# Into how many sums a tile with few of them may split each, and how many must run side by side.
_MOST_SETS, _SIDE_BY_SIDE = 4, 8
_LOADED: list[Loaded] = []
_LOCK = threading.RLock()


def _call(builder: Any, args: Sequence[Any]) -> None:
    kind = ir.FunctionType(VOID, [WORD] * (len(args) - 1))
    builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])


def _stack(builder: Any, args: Sequence[Any]) -> Any:
    with builder.goto_entry_block():
        room = builder.alloca(ir.ArrayType(ir.IntType(8), args[0].constant))
        room.align = 64
        return builder.ptrtoint(room, WORD)


def _fetch(element: Any, align: int) -> Callable[[Any, Sequence[Any]], Any]:
    def write(builder: Any, args: Sequence[Any]) -> Any:
        first = builder.inttoptr(args[0], element.as_pointer())
        return builder.load(builder.gep(first, [args[1]], inbounds=True), align=align)

    return write


# call(address, word, ...): a function on words
CALL = Intrinsic("call", _call)
# stack(bytes): the address of so many bytes of this thread
STACK = Intrinsic("stack", _stack)
# fetch(address, index): an element of an array
FETCH = {
    "float32": Intrinsic("fetch", _fetch(ir.FloatType(), 4), dtype=np.dtype(np.float32)),
    "float64": Intrinsic("fetch", _fetch(ir.DoubleType(), 8), dtype=np.dtype(np.float64)),
}


def width(dtype: Any, rows: int = 0) -> int:
    """Columns of a tile: more of them for a product of one row or two, which leaves registers free."""
    return lanes(dtype) * _host().vectors * {1: 4, 2: 2}.get(rows, 1)


def lanes(dtype: Any) -> int:
    """Columns of a vector."""
    return _host().vector // np.dtype(dtype).itemsize


def _host() -> Host:
    shape = host()
    assert shape is not None
    return shape


class _Function(NamedTuple):
    """A function to be made: its name, what writes it, and the number of its arguments."""

    name: str
    write: Callable[[Vectors], None]
    arguments: int


def _made(dtype: np.dtype[Any], *functions: _Function) -> list[int]:
    """The addresses of functions, from the disk if they are there."""

    def code(f: _Function) -> bytes:
        vectors = Vectors(ir.Module(), f"{f.name}_{dtype.name}", f.arguments, dtype, _host())
        f.write(vectors)
        vectors.build.ret_void()
        return machine_code(str(vectors.module), as_written=True)

    def kept(f: _Function) -> bytes:
        key = hashlib.sha256(f"{f.name}_{dtype.name}".encode()).hexdigest()[:32]
        return disk.kept(key, lambda: code(f))[0]

    objects = together([partial(kept, f) for f in functions])
    with _LOCK:
        loaded = Loaded(objects)
        _LOADED.append(loaded)
        return [loaded.address(f"{f.name}_{dtype.name}") for f in functions]


def tile(dtype: np.dtype[Any], rows: int, columns: int) -> int:
    """`call(tile, a, a_row, a_k, b, b_k, k, c, c_row, valid, add, ahead, pace)`: addresses and strides in bytes.

    rows, columns: those of C; masked where these columns do not fill vectors.   valid: columns, of which the last
    vector may have fewer than it holds   add: whether to add to C instead of replacing it
    ahead, pace: memory to be fetched meanwhile, a column of the tile for each k; it need not exist
    """
    # A product of another size needs other heights near the greatest: made together, they cost nothing then.
    most = _host().rows
    heights = tuple(range(max(1, most - 2), most + 1))
    masked = columns % lanes(dtype) != 0
    return _tiles(dtype, heights if rows in heights else (rows,), -(-columns // lanes(dtype)), masked)[rows]


@cache
def _tiles(dtype: np.dtype[Any], heights: tuple[int, ...], vectors: int, masked: bool) -> dict[int, int]:
    """The addresses of tiles by their heights."""
    suffix = "_masked" if masked else ""
    functions = [
        _Function(f"tile_{rows}_{vectors}{suffix}", partial(_tile, rows=rows, vectors=vectors, masked=masked), 12)
        for rows in heights
    ]
    return dict(zip(heights, _made(dtype, *functions)))


@cache
def copy(dtype: np.dtype[Any]) -> int:
    """`call(copy, to, to_step, source, source_step, count, valid)`: rows of a tile's width, filled up with zeros."""
    return _made(dtype, _Function("copy", _copy, 6))[0]


@cache
def turn(dtype: np.dtype[Any]) -> int:
    """`call(turn, to, to_step, source, source_step, count, valid)`: as copy, of contiguous columns that far apart."""
    return _made(dtype, _Function("turn", _turn, 6))[0]


@cache
def dots(dtype: np.dtype[Any]) -> int:
    """`call(dots, a, a_row, b, k, c, c_row, rows)`: C[r] = sum_k A[r, k] B[k], of contiguous rows."""
    return _made(dtype, _Function("dots", _dots, 7))[0]


def _tile(v: Vectors, rows: int, vectors: int, masked: bool) -> None:
    a, a_row, a_k, b, b_k, depth, c, c_row, valid, add, ahead, pace = v.args
    build = v.build
    masks = v.masks(valid, vectors, vectors - 1) if masked else [None] * vectors
    cells = rows * vectors
    sets = min(_MOST_SETS, -(-_SIDE_BY_SIDE // cells))

    def one(at_a: Any, at_b: Any, sums: Sequence[Any]) -> list[Any]:
        columns = [v.load(v.step(at_b, j), mask) for j, mask in enumerate(masks)]
        made = []
        for r in range(rows):
            factor = v.splat(v.number(at_a))
            made += [v.multiply_add(factor, column, sums[r * vectors + j]) for j, column in enumerate(columns)]
            at_a = build.add(at_a, a_row)
        return made

    def turn(carried: list[Any]) -> list[Any]:
        at_a, at_b, soon, *sums = carried
        for k in range(sets):
            s = k * cells
            v.prefetch(soon)
            v.prefetch(build.add(soon, WORD((rows - 1) * v.size)))
            sums[s : s + cells] = one(at_a, at_b, sums[s : s + cells])
            at_a, at_b = build.add(at_a, a_k), build.add(at_b, b_k)
            soon = build.add(soon, pace)
        return [at_a, at_b, soon, *sums]

    def rest(carried: list[Any]) -> list[Any]:
        at_a, at_b, *sums = carried
        return [build.add(at_a, a_k), build.add(at_b, b_k), *one(at_a, at_b, sums)]

    at_a, at_b, _, *sums = v.loop(build.sdiv(depth, WORD(sets)), [a, b, ahead, *[v.zero] * (sets * cells)], turn)
    while len(sums) > cells:
        half = len(sums) // cells // 2 * cells
        sums = [build.fadd(x, y) for x, y in zip(sums[:half], sums[half:])] + sums[2 * half :]
    if sets > 1:
        _, _, *sums = v.loop(build.srem(depth, WORD(sets)), [at_a, at_b, *sums], rest)

    def finish(adds: bool) -> None:
        place = c
        for k, total in enumerate(sums):
            j = k % vectors
            to, mask = v.step(place, j), masks[j]
            v.store(build.fadd(total, v.load(to, mask)) if adds else total, to, mask)
            place = build.add(place, c_row) if j == vectors - 1 else place

    v.choose(build.icmp_signed("!=", add, WORD(0)), lambda: finish(True), lambda: finish(False))


def _copy(v: Vectors) -> None:
    """Rows of B, or columns of A, moved together."""
    to, to_step, source, source_step, count, valid = v.args
    full = v.build.icmp_signed("==", valid, WORD(v.lanes * v.host.vectors))

    def rows(masks: list[Any]) -> None:
        def row(places: list[Any]) -> list[Any]:
            for j, mask in enumerate(masks):
                v.store(v.load(v.step(places[1], j), mask), v.step(places[0], j))
            return [v.build.add(places[0], to_step), v.build.add(places[1], source_step)]

        v.loop(count, [to, source], row)

    v.choose(full, lambda: rows([None] * v.host.vectors), lambda: rows(v.masks(valid, v.host.vectors)))


def _turn(v: Vectors) -> None:
    """Columns become rows, squares of vectors beside each other at a time, so that a row's piece is written at once; a
    column beyond `valid` repeats the last one."""
    build = v.build
    to, to_step, source, source_step, count, valid = v.args
    last, lanes_of = build.sub(valid, WORD(1)), WORD(v.lanes)

    def column(k: int) -> Any:
        chosen = build.select(build.icmp_signed("<", WORD(k), valid), WORD(k), last)
        return build.add(source, build.mul(chosen, source_step))

    columns = [column(k) for k in range(v.lanes * v.host.vectors)]
    ahead = build.mul(source_step, WORD(len(columns)))

    def squares(carried: list[Any]) -> list[Any]:
        row, at = carried
        for c in columns:
            v.prefetch(build.add(build.add(c, at), ahead))
        for j in range(v.host.vectors):
            place = v.step(row, j)
            for value in _transposed(v, [v.load(build.add(c, at)) for c in columns[j * v.lanes : (j + 1) * v.lanes]]):
                v.store(value, place)
                place = build.add(place, to_step)
        return [build.add(row, build.mul(to_step, lanes_of)), v.step(at, 1)]

    def single(carried: list[Any]) -> list[Any]:
        row, at = carried
        for k, c in enumerate(columns):
            v.set_number(v.number(build.add(c, at)), build.add(row, WORD(k * v.size)))
        return [build.add(row, to_step), build.add(at, WORD(v.size))]

    ends = v.loop(build.sdiv(count, lanes_of), [to, WORD(0)], squares)
    v.loop(build.srem(count, lanes_of), ends, single)


def _transposed(v: Vectors, rows: list[Any]) -> list[Any]:
    """A square of vectors with rows and columns exchanged: each round interleaves the two halves."""
    n = len(rows)
    low = [k // 2 + k % 2 * n for k in range(n)]
    high = [n // 2 + k for k in low]
    for _ in range(n.bit_length() - 1):
        pairs = list(zip(rows[: n // 2], rows[n // 2 :]))
        rows = [v.shuffle(a, b, order) for a, b in pairs for order in (low, high)]
    return rows


def _dots(v: Vectors) -> None:
    """Products of rows with one vector, four rows at a time with two sums for each."""
    a, a_row, b, depth, c, c_row, rows = v.args
    build = v.build
    pair = 2 * v.lanes
    turns, left = build.sdiv(depth, WORD(pair)), build.srem(depth, WORD(pair))
    masks = v.masks(left, 2)

    def add(at: list[Any], at_b: Any, sums: list[Any], chosen: list[Any]) -> list[Any]:
        columns = [v.load(v.step(at_b, j), mask) for j, mask in enumerate(chosen)]
        return [
            v.multiply_add(v.load(v.step(place, j), mask), columns[j], sums[2 * r + j])
            for r, place in enumerate(at)
            for j, mask in enumerate(chosen)
        ]

    def group(count: int) -> Any:
        def run(carried: list[Any]) -> list[Any]:
            first, to = carried
            at = [first]
            for _ in range(count - 1):
                at.append(build.add(at[-1], a_row))

            def turn(inner: list[Any]) -> list[Any]:
                places, place, sums = inner[:count], inner[count], inner[count + 1 :]
                return [*(v.step(p, 2) for p in places), v.step(place, 2), *add(places, place, sums, [None, None])]

            ends = v.loop(turns, [*at, b, *[v.zero] * (2 * count)], turn)
            sums = add(ends[:count], ends[count], ends[count + 1 :], masks)
            for r in range(count):
                total = _total(v, build.fadd(sums[2 * r], sums[2 * r + 1]))
                v.set_number(total, to)
                to = build.add(to, c_row)
            return [build.add(at[-1], a_row), to]

        return run

    ends = v.loop(build.sdiv(rows, WORD(4)), [a, c], group(4))
    v.loop(build.srem(rows, WORD(4)), ends, group(1))


def _total(v: Vectors, value: Any) -> Any:
    """The sum of the lanes: the halves are added until one is left."""
    count = v.lanes
    while count > 1:
        count //= 2
        low, high = (v.shuffle(value, value, range(first, first + count)) for first in (0, count))
        value = v.build.fadd(low, high)
    return v.build.extract_element(value, ir.IntType(32)(0))
