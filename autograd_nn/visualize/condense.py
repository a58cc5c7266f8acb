"""From all nodes to those that a reader can take in: repeats shown once, clusters closed, the middle left out."""

from collections import Counter
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .fold import FEWEST_REPEATS, Edges, Run, all_edges, find_runs, fold, unique
from .scene import Kind, Node, Path, Repeat, Scene, entries, shared_first, signatures

MOST_NODES = 200
COMPUTING = (Kind.OPERATION, Kind.LAYER, Kind.GRADIENT, Kind.BLOCK)


class Drawing(NamedTuple):
    """What is drawn: nodes by place, the edges between them, and the type of each cluster's layer."""

    nodes: dict[int, Node]
    edges: Edges
    owners: dict[Path, str]


def condense(scene: Scene, most: int | None, repeats: bool) -> Drawing:
    """The drawing of a scene with at most `most` nodes (None for any number), repeated blocks shown once."""
    nodes = scene.nodes
    runs: list[Run] = []
    if repeats:
        nodes, codes = shared_first(nodes, signatures(scene), FEWEST_REPEATS)
        runs = find_runs(nodes, 2 * codes + entries(nodes), 0, len(nodes))
    kept, edges = fold(nodes, runs, all_edges(nodes))
    drawing = Drawing({int(k): nodes[k] for k in kept}, edges, scene.owners)
    if most is None or len(drawing.nodes) <= most:
        return drawing
    drawing = _close(drawing, most)
    return _shorten(drawing, most) if len(drawing.nodes) > most else drawing


def _close(drawing: Drawing, most: int) -> Drawing:
    """Clusters drawn as one node each, the innermost ones first, until at most `most` nodes are left."""
    deepest = max(len(node.path) for node in drawing.nodes.values())
    for depth in range(deepest - 1, -1, -1):
        sizes = Counter(_holder(node, depth) for node in drawing.nodes.values())
        outside = sizes.pop(None, 0)
        if depth == 0 or len(sizes) + outside <= most:
            return _merge(drawing, {k: _holder(node, depth) for k, node in drawing.nodes.items()}, sizes)
    return drawing


def _holder(node: Node, depth: int) -> Path | None:
    """The cluster at that depth that holds the node."""
    return node.path[: depth + 1] if len(node.path) > depth else None


def _merge(drawing: Drawing, holders: dict[int, Path | None], sizes: Counter[Any]) -> Drawing:
    """The drawing in which the nodes of each cluster are one, at the place of the last of them."""
    members: dict[Path, list[int]] = {}
    for k, path in holders.items():
        if path is not None and sizes[path] > 1:
            members.setdefault(path, []).append(k)
    nodes = dict(drawing.nodes)
    moved: dict[int, int] = {}
    for path, places in members.items():
        block = _block(path, [nodes.pop(k) for k in places], drawing.owners)
        nodes[places[-1]] = block
        moved.update(dict.fromkeys(places, places[-1]))
    return drawing._replace(nodes=dict(sorted(nodes.items())), edges=_move(drawing.edges, moved))


def _block(path: Path, members: list[Node], owners: dict[Path, str]) -> Node:
    """One node for a closed cluster."""
    last, depth = path[-1], len(path) - 1
    operations = [node for node in members if node.kind in COMPUTING]
    return Node(
        Kind.BLOCK,
        (operations or members)[-1].tensor,
        path=path[:-1],
        output=any(node.output for node in members),
        members=sum(node.members * repetitions(node, depth) for node in operations),
        parameters=sum(parameter_count(node) * repetitions(node, depth) for node in members),
        name=f"× {last.times}" if isinstance(last, Repeat) else last,
        owner=owners.get(named(path), ""),
    )


def repetitions(node: Node, depth: int = 0) -> int:
    """How often a node is there in truth, by the repeats in its path from `depth` on."""
    return prod(part.times for part in node.path[depth:] if isinstance(part, Repeat))


def parameter_count(node: Node) -> int:
    """How many numbers a node holds that training changes."""
    if node.kind is Kind.PARAMETER and node.tensor is not None:
        return int(np.prod([size or 1 for size in node.tensor.shape]))
    return node.parameters


def named(path: Path) -> Path:
    """The path without the repeats in it."""
    return tuple(part for part in path if not isinstance(part, Repeat))


def _shorten(drawing: Drawing, most: int) -> Drawing:
    """The first and the last nodes, and one node for all between them."""
    places = list(drawing.nodes)
    head = max(most // 2, 1)
    tail = len(places) - max(most - head - 1, 1)
    left_out = places[head:tail]
    hidden = [drawing.nodes[k] for k in left_out]
    operations = sum(node.members * repetitions(node) for node in hidden if node.kind in COMPUTING)
    nodes = {k: drawing.nodes[k] for k in (*places[: head + 1], *places[tail:])}
    nodes[left_out[0]] = Node(Kind.REST, None, members=operations)
    return drawing._replace(nodes=nodes, edges=_move(drawing.edges, dict.fromkeys(left_out, left_out[0])))


def _move(edges: Edges, moved: dict[int, int]) -> Edges:
    """The edges with the ends of merged nodes moved; those inside a merged node vanish, parallel ones become one."""
    sources = np.array([moved.get(k, k) for k in edges.sources.tolist()], np.int64)
    targets = np.array([moved.get(k, k) for k in edges.targets.tolist()], np.int64)
    merged = np.isin(sources, list(moved.values())) | np.isin(targets, list(moved.values()))
    slots = np.where(merged, 0, edges.slots)
    stays = sources != targets
    return unique(Edges(sources[stays], targets[stays], slots[stays], edges.carried[stays]))
