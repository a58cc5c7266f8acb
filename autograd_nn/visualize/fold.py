"""Repeated blocks, found in the order of the nodes and shown once."""

from typing import NamedTuple

import numpy as np

from .scene import Node, Path, Repeat, common

FEWEST_REPEATS = 3
FEWEST_SAVED = 6
LONGEST_BLOCK = 2_000


class Run(NamedTuple):
    """`times` equal blocks of `length` nodes, the first at `start`."""

    start: int
    length: int
    times: int

    @property
    def stop(self) -> int:
        return self.start + self.length * self.times

    @property
    def saved(self) -> int:
        return self.length * (self.times - 1)


class Stretch(NamedTuple):
    """Nodes from `start` to `stop` that look the same `length` nodes later."""

    start: int
    stop: int
    length: int

    @property
    def saved(self) -> int:
        return ((self.stop - self.start) // self.length - 1) * self.length


class Edges(NamedTuple):
    """From node to node, the place among the inputs, and whether it leads from one repetition to the next."""

    sources: np.ndarray
    targets: np.ndarray
    slots: np.ndarray
    carried: np.ndarray


def all_edges(nodes: list[Node]) -> Edges:
    """An edge per input that is drawn."""
    rows = [(i, k, slot) for k, node in enumerate(nodes) for slot, i in enumerate(node.inputs)]
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Edges(table[:, 0], table[:, 1], table[:, 2], np.zeros(len(rows), bool))


def find_runs(nodes: list[Node], codes: np.ndarray, low: int, high: int) -> list[Run]:
    """The repeats among the nodes from `low` to `high`, outer ones before those inside their first block."""
    taken = np.zeros(high - low, bool)
    runs: list[Run] = []
    for found in sorted(_stretches(codes[low:high]), key=lambda s: (-s.saved, s.length, s.start)):
        if taken[found.start : found.stop].any():
            continue
        run = _settle(nodes, Stretch(low + found.start, low + found.stop, found.length))
        while run is not None:
            taken[run.start - low : run.stop - low] = True
            runs.append(run)
            runs += find_runs(nodes, codes, run.start, run.start + run.length)
            run = _settle(nodes, Stretch(run.stop, low + found.stop, found.length))
    return runs


def _stretches(codes: np.ndarray) -> list[Stretch]:
    """Every stretch in which the codes repeat with some period."""
    found = []
    for length in range(1, min(len(codes) // FEWEST_REPEATS, LONGEST_BLOCK) + 1):
        if not _may_repeat(codes, length):
            continue
        least = max((FEWEST_REPEATS - 1) * length, FEWEST_SAVED)
        differs = np.flatnonzero(codes[:-length] != codes[length:])
        bounds = np.concatenate(([-1], differs, [len(codes) - length]))
        for k in np.flatnonzero(np.diff(bounds) > least):
            found.append(Stretch(int(bounds[k]) + 1, int(bounds[k + 1]) + length, length))
    return found


def _may_repeat(codes: np.ndarray, length: int) -> bool:
    """A quick no for most lengths: three equal blocks hold two neighbours of every `length`-th place that match."""
    matches = codes[:-length:length] == codes[length::length]
    return bool((matches[:-1] & matches[1:]).any())


def _settle(nodes: list[Node], found: Stretch) -> Run | None:
    """The run, begun where clusters begin and cut where the wiring changes; None if too little is left."""
    length = found.length
    starts = range(found.start, min(found.start + length, found.stop - FEWEST_REPEATS * length + 1))
    start = next((s for s in starts if _whole(nodes, s, length)), None)
    if start is None:
        return None
    times = (found.stop - start) // length
    for repetition in range(1, times):
        if not _same_wiring(nodes, start, length, repetition):
            times = repetition
            break
    run = Run(start, length, times)
    return run if times >= FEWEST_REPEATS and run.saved >= FEWEST_SAVED else None


def _whole(nodes: list[Node], start: int, length: int) -> bool:
    """Whether a block begins no cluster that began before it, and ends all that it begins."""
    around = len(surroundings(nodes, start, 2 * length))
    before = nodes[start - 1].path if start else ()
    middle = nodes[start + length - 1].path, nodes[start + length].path
    return len(common(before, nodes[start].path)) <= around and len(common(*middle)) <= around


def surroundings(nodes: list[Node], start: int, length: int) -> Path:
    """The clusters that hold all of `length` nodes."""
    path = nodes[start].path
    for node in nodes[start + 1 : start + length]:
        path = common(path, node.path)
    return path


def _same_wiring(nodes: list[Node], start: int, length: int, repetition: int) -> bool:
    """Whether a block reads, inside the run, what the block before it reads one block earlier."""
    low = start + repetition * length
    for k in range(low, low + length):
        for now, then in zip(nodes[k].inputs, nodes[k - length].inputs):
            if now >= start and then >= start and now - length != then:
                return False
            if now < start <= then:
                return False
    return True


def fold(nodes: list[Node], runs: list[Run], edges: Edges) -> tuple[np.ndarray, Edges]:
    """The places of the nodes that stay, and the edges between them; the kept nodes get the cluster of their repeat."""
    kept = np.ones(len(nodes), bool)
    for run in runs:
        _enclose(nodes, run)
        kept[run.start + run.length : run.stop] = False
        edges = _redirect(edges, run)
    return np.flatnonzero(kept), unique(edges)


def _enclose(nodes: list[Node], run: Run) -> None:
    depth = len(surroundings(nodes, run.start, run.length * run.times))
    repeat = Repeat(run.start, run.times)
    for node in nodes[run.start : run.start + run.length]:
        node.path = (*node.path[:depth], repeat, *node.path[depth:])


def _redirect(edges: Edges, run: Run) -> Edges:
    """The edges with every end inside the run moved to its first block."""
    sources, targets = edges.sources - run.start, edges.targets - run.start
    size = run.stop - run.start
    source_in = (sources >= 0) & (sources < size)
    target_in = (targets >= 0) & (targets < size)
    carried = edges.carried | source_in & target_in & (sources // run.length != targets // run.length)
    return Edges(
        run.start + np.where(source_in, sources % run.length, sources),
        run.start + np.where(target_in, targets % run.length, targets),
        edges.slots,
        carried,
    )


def unique(edges: Edges) -> Edges:
    """Each edge once, in order of targets and places."""
    rows = np.stack([edges.targets, edges.slots, edges.sources, edges.carried], axis=1)
    rows = np.unique(rows, axis=0)
    return Edges(rows[:, 2], rows[:, 0], rows[:, 1], rows[:, 3].astype(bool))
