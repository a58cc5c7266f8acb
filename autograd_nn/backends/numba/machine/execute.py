"""Walking a table of instructions, alone or together, in the kernel language.

A row of the table: address of the kernel, address of its block, number of tiles. The leader publishes one instruction
after the other. Its tiles are cut into one range per thread; each thread claims from its own range first and then from
the ranges of the others, so that a thread which the system has put aside holds nobody up. The leader goes on when all
tiles are done. Which thread works a tile changes no bit of the result.

Meanwhile results below the normal numbers are 0: the second moments of weights that are no longer used decay into them,
and each operation on one takes more than a hundred cycles.

What is shared lies in cache lines of its own. A claim is one compare-and-exchange on a word that holds the number of
the instruction and the next tile, so whoever comes late claims nothing; only then are kernel and block touched.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from . import kernel
from .intrinsics import add, call_kernel, drop_subnormals, exchange_if, load, relax, round_as, store

ROW_WORDS = 3
_LINE = 64
# Words of the first line: the number of the instruction, its kernel, block and tiles, among how many it is shared.
NUMBER, FUNCTION, BLOCK, TILES, THREADS = 0, 8, 16, 24, 32
# Lines of their own: tiles done, whether a program runs; then two per thread: its claims, and its state.
DONE, ACTIVE, CLAIMS = _LINE, 2 * _LINE, 3 * _LINE
STATE, PER_THREAD = _LINE, 2 * _LINE
# States of a worker.
SPINNING, PARKED, STOPPED = 0, 1, 2


def shared_bytes(threads: int) -> int:
    """The size of what so many threads share."""
    return CLAIMS + PER_THREAD * threads


def work(shared: int, thread: int, number: int) -> None:
    """Work tiles of an instruction until none is left to claim."""
    function, block, tiles = load(shared + FUNCTION), load(shared + BLOCK), load(shared + TILES)
    threads = load(shared + THREADS)
    shift = 0
    while shift < threads:
        owner = (thread + shift) % threads
        first = tiles * owner // threads
        count = tiles * (owner + 1) // threads - first
        place = shared + CLAIMS + owner * PER_THREAD
        going = 1
        while going:
            claims = load(place)
            index = claims & 0xFFFFFFFF
            going = 1 if (claims >> 32 == number) & (index < count) else 0
            if going:
                taken = max(1, (count - index) // 2)
                if exchange_if(place, claims, claims + taken):
                    call_kernel(function, block, first + index, first + index + taken)
                    add(shared + DONE, taken)
        shift += 1


def lead(rows: int, begin: int, end: int, shared: int, threads: int, alarm: int) -> None:
    """Run rows begin..end with all workers that come, no further than to one that raises the alarm."""
    before = drop_subnormals()
    number = load(shared + NUMBER)
    store(shared + ACTIVE, 1)
    k = begin
    while k < end:
        row = rows + k * 24
        tiles = load(row + 16)
        if tiles == 1:
            call_kernel(load(row), load(row + 8), 0, 1)
        else:
            number = (number + 1) & 0x3FFFFFFF
            store(shared + FUNCTION, load(row))
            store(shared + BLOCK, load(row + 8))
            store(shared + TILES, tiles)
            store(shared + THREADS, threads)
            store(shared + DONE, 0)
            for t in range(threads):
                store(shared + CLAIMS + t * PER_THREAD, number << 32)
            store(shared + NUMBER, number)
            work(shared, 0, number)
            while load(shared + DONE) < tiles:
                relax()
        k = end if load(alarm) else k + 1
    store(shared + ACTIVE, 0)
    round_as(before)


def alone(rows: int, begin: int, end: int, alarm: int) -> None:
    """Run rows begin..end without help, no further than to one that raises the alarm."""
    before = drop_subnormals()
    k = begin
    while k < end:
        row = rows + k * 24
        call_kernel(load(row), load(row + 8), 0, load(row + 16))
        k = end if load(alarm) else k + 1
    round_as(before)


def serve(shared: int, thread: int, spins: int) -> None:
    """Help with what is published, until nothing was for so many turns; then park, or stop if told to."""
    before = drop_subnormals()
    state = shared + CLAIMS + thread * PER_THREAD + STATE
    seen, left = -1, spins
    while left:
        number = load(shared + NUMBER)
        if number != seen:
            work(shared, thread, number)
            seen = number
            left = spins
        else:
            relax()
            if load(shared + ACTIVE) == 0:
                left -= 1
        if load(state) == STOPPED:
            left = 0
    exchange_if(state, SPINNING, PARKED)
    round_as(before)


def fill(ids: int, head: int, holes: int, count: int, words: int) -> None:
    """Write the addresses of arrays, `head` bytes into the objects at `ids`, into words: index, array, offset each."""
    for k in range(count):
        hole = holes + k * 24
        place = load(load(ids + load(hole + 8) * 8) + head)
        store(words + load(hole) * 8, place + load(hole + 16))


def repeat(rows: int, end: int, shared: int, threads: int, steps: int, bumps: int, count: int, alarm: int) -> None:
    """Run all rows so many times, or until the alarm; after each, words move on: `bumps` holds their addresses and by
    how much."""
    left = steps
    while left > 0:
        if threads == 1:
            alone(rows, 0, end, alarm)
        else:
            lead(rows, 0, end, shared, threads, alarm)
        left = 0 if load(alarm) else left - 1
        for k in range(count):
            place = load(bumps + k * 16)
            store(place, load(place) + load(bumps + k * 16 + 8))


@cache
def functions() -> Any:
    """The compiled functions of this module, which let other Python threads run meanwhile."""
    words: dict[Callable[..., None], int] = {work: 3, lead: 6, alone: 4, serve: 3, fill: 5, repeat: 8}
    addresses = kernel.procedures(list(words))
    return SimpleNamespace(**{
        f.__name__: ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * count)(addresses[f.__name__])
        for f, count in words.items()
    })  # fmt: skip
