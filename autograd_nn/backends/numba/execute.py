"""Walking a table of instructions, alone or together.

A row of the table: address of the kernel, address of its block, number of tiles, whether all threads meet after it.
Each thread takes its share of an instruction's tiles. Which thread works a tile changes no bit of the result, so
threads may come in between any two instructions at which all meet.

`shared` holds the words of the meeting, each in a cache line of its own: how many workers have arrived so far, how
often the leader has let them go on, with how many threads, and whether a program runs.
"""

from typing import Any

import numba

from .intrinsics import atomic_add, atomic_exchange_if, atomic_load, atomic_store, call_kernel, pointer, relax

ROW = 4
ARRIVED, RELEASED, THREADS, ACTIVE = 0, 64, 128, 192
SHARED_BYTES = 256

# A worker's mailbox: its state, then which table it works on, from which row to which, as which thread.
STATE, TABLE, ROWS, BEGIN, END, THREAD, SEEN = range(7)
BOX_WORDS = 16
_BOX_BYTES = 8 * BOX_WORDS
PARKED, IDLE, CLAIMED, GO = 0, 1, 2, 3


@numba.njit(nogil=True, error_model="numpy")
def _share(table: Any, k: Any, thread: Any, threads: Any) -> None:
    """Work one thread's part of an instruction."""
    tiles = table[k, 2]
    first, last = tiles * thread // threads, tiles * (thread + 1) // threads
    if tiles == 1:
        first, last = 0, (1 if thread == 0 else 0)
    if last > first:
        call_kernel(table[k, 0], table[k, 1], first, last)


@numba.njit(nogil=True, error_model="numpy")
def lead(table: Any, begin: Any, end: Any, boxes: Any, places: Any, shared: Any) -> Any:
    """Run rows begin..end as the first thread, with every worker that is awake; the most threads that took part."""
    threads = 1
    arrived = atomic_load(shared + ARRIVED)
    met = True
    if boxes.shape[0]:
        atomic_store(shared + ACTIVE, 1)
    for k in range(begin, end):
        if met and boxes.shape[0]:
            threads = _gather(table, k, end, boxes, places, shared, threads)
            atomic_store(shared + THREADS, threads)
            atomic_add(shared + RELEASED, 1)
        _share(table, k, 0, threads)
        met = table[k, 3] != 0
        if met and threads > 1:
            arrived += threads - 1
            while atomic_load(shared + ARRIVED) < arrived:
                relax()
    if boxes.shape[0]:
        atomic_store(shared + ACTIVE, 0)
    return threads


@numba.njit(nogil=True, error_model="numpy")
def _gather(table: Any, k: Any, end: Any, boxes: Any, places: Any, shared: Any, threads: Any) -> Any:
    """Let workers that wait begin with row k, unless that is work for one; the number of threads now."""
    if table[k, 2] == 1:
        return threads
    seen = atomic_load(shared + RELEASED) + 1
    for b in range(boxes.shape[0]):
        place = places + b * _BOX_BYTES
        if threads <= boxes.shape[0] and atomic_exchange_if(place, IDLE, CLAIMED):
            boxes[b, TABLE], boxes[b, ROWS] = table.ctypes.data, table.shape[0]
            boxes[b, BEGIN], boxes[b, END] = k, end
            boxes[b, THREAD], boxes[b, SEEN] = threads, seen
            threads += 1
            atomic_store(place, GO)
    return threads


@numba.njit(nogil=True, error_model="numpy")
def serve(box: Any, place: Any, shared: Any, spins: Any) -> None:
    """Run what is put into a mailbox, until no program ran for so many turns; then park."""
    left = spins
    while left:
        if atomic_load(place) == GO:
            table = numba.carray(pointer(box[TABLE], numba.int64), (box[ROWS], ROW))
            _follow(table, box, shared)
            atomic_store(place, IDLE)
            left = spins
        relax()
        left = spins if atomic_load(shared + ACTIVE) else left - 1
        if not left and not atomic_exchange_if(place, IDLE, PARKED):
            left = spins


@numba.njit(nogil=True, error_model="numpy")
def _follow(table: Any, box: Any, shared: Any) -> None:
    seen, thread, end = box[SEEN], box[THREAD], box[END]
    met = True
    threads = 1
    for k in range(box[BEGIN], end):
        if met:
            while atomic_load(shared + RELEASED) < seen:
                relax()
            threads = atomic_load(shared + THREADS)
            seen += 1
        _share(table, k, thread, threads)
        met = table[k, 3] != 0
        if met:
            atomic_add(shared + ARRIVED, 1)
