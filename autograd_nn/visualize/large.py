"""A layout for large graphs, where the layout programs would take minutes: rows by depth, neighbours near."""

import numpy as np

from .condense import Drawing

COLUMN, ROW = 120.0, 64.0
SWEEPS = 4


def layered(drawing: Drawing) -> dict[int, tuple[float, float]]:
    """A position in points for every node: below all its inputs, near the middle of its neighbours.

    Sugiyama, Tagawa, Toda 1981, "Methods for visual understanding of hierarchical system structures", with the order
    of a row by the mean of the neighbours (barycenters).
    """
    sources, targets = _numbered(drawing)
    ranks = _hang_leaves(_depths(len(drawing.nodes), sources, targets), sources, targets)
    columns = _columns(ranks, sources, targets)
    return {place: (float(x) * COLUMN, -float(rank) * ROW) for place, x, rank in zip(drawing.nodes, columns, ranks)}


def first_of_longest(drawing: Drawing) -> int:
    """The place of the node in which a longest path begins."""
    sources, targets = _numbered(drawing)
    depths = _depths(len(drawing.nodes), sources, targets)
    node = int(np.argmax(depths))
    while depths[node]:
        above = sources[(targets == node)]
        node = int(above[np.argmax(depths[above])])
    return list(drawing.nodes)[node]


def _numbered(drawing: Drawing) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the edges that lead forward, as places in the order of the nodes."""
    places = np.array(list(drawing.nodes), np.int64)
    sources = np.searchsorted(places, drawing.edges.sources)
    targets = np.searchsorted(places, drawing.edges.targets)
    forward = sources < targets
    return sources[forward], targets[forward]


def _depths(size: int, sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The number of edges on the longest path to each node."""
    depths = [0] * size
    by_target = np.argsort(targets, kind="stable")
    for source, target in zip(sources[by_target].tolist(), targets[by_target].tolist()):
        depths[target] = max(depths[target], depths[source] + 1)
    return np.array(depths, np.int64)


def _hang_leaves(depths: np.ndarray, sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The row of each node: its depth, but a leaf stands right above its first user."""
    ranks = depths.copy()
    leaves = np.ones(len(ranks), bool)
    leaves[targets] = False
    never = np.iinfo(np.int64).max
    first_use = np.full(len(ranks), never)
    np.minimum.at(first_use, sources, ranks[targets])
    used = leaves & (first_use < never)
    ranks[used] = first_use[used] - 1
    return ranks


def _columns(ranks: np.ndarray, sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The place of each node in its row, rows centred."""
    columns = _spread(ranks, np.arange(len(ranks), dtype=float))
    for sweep in range(SWEEPS):
        near, far = (sources, targets) if sweep % 2 == 0 else (targets, sources)
        total = np.bincount(far, columns[near], len(ranks))
        degree = np.bincount(far, minlength=len(ranks))
        columns = _spread(ranks, np.where(degree > 0, total / np.maximum(degree, 1), columns))
    return columns


def _spread(ranks: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Whole columns per row in the wanted order, the row's middle at 0."""
    order = np.lexsort((wanted, ranks))
    sizes = np.bincount(ranks)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    columns = np.empty(len(ranks))
    columns[order] = np.arange(len(ranks)) - np.repeat(starts, sizes)
    return columns - (sizes[ranks] - 1) / 2
