"""What is to be drawn: a node per operation, parameter and input, and one per use of a constant array."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np

from ..engine.autodiff import GRADIENT
from ..engine.graph import Graph
from ..engine.tensor import Tensor
from ..engine.variable import Variable


class Kind(StrEnum):
    """What a node is; decides its shape and colour."""

    INPUT = "input"
    PARAMETER = "parameter"
    STATE = "state"
    CONSTANT = "constant"
    OPERATION = "operation"
    LAYER = "layer"
    GRADIENT = "gradient"
    BLOCK = "block"
    REST = "more"


@dataclass(frozen=True)
class Repeat:
    """A cluster that stands for `times` equal blocks; `place` tells it from others."""

    place: int
    times: int


Path = tuple[Any, ...]
ALIAS = "alias"


@dataclass(slots=True)
class Node:
    """A node of a picture.

    inputs:   places of the nodes it reads
    operands: all that it reads in order, None for a node drawn, else the scalar constant that its label shows
    path:     the clusters around it, outermost first: names of layers, or a Repeat
    members:  how many operations it stands for
    """

    kind: Kind
    tensor: Tensor | None
    inputs: tuple[int, ...] = ()
    operands: tuple[Tensor | None, ...] = ()
    path: Path = ()
    output: bool = False
    members: int = 1
    parameters: int = 0
    name: str = ""
    owner: str = ""


@dataclass(slots=True)
class Scene:
    """The nodes in topological order, and who owns the clusters."""

    nodes: list[Node] = field(default_factory=list)
    owners: dict[Path, str] = field(default_factory=dict)


def make_scene(graph: Graph, kinds: dict[Tensor, Kind]) -> Scene:
    """A node per thing to draw; the aliases that `grad` makes of its arguments are not worth one.

    `kinds` says what leaves are, where the leaves themselves do not tell.
    """
    scene = Scene()
    places: dict[Tensor, int] = {}
    ends = dict.fromkeys(graph.inputs)
    outputs = dict.fromkeys(graph.outputs)
    gradients = {t.grad: None for t in graph.nodes if t.grad is not None}
    for t in graph.nodes:
        is_leaf = t.op is None or t in ends
        if not is_leaf and t.op.name == ALIAS and t not in outputs and t.inputs[0] in places:  # type: ignore[union-attr]
            places[t] = places[t.inputs[0]]
            continue
        kind = kinds.get(t) or (_leaf_kind(t, ends) if is_leaf else _kind(t, gradients))
        if kind is Kind.CONSTANT and t not in outputs:
            continue
        path = () if is_leaf or kind is Kind.GRADIENT else _path(t, scene.owners)
        inputs, operands = ((), ()) if is_leaf else _operands(scene, places, t, path)
        places[t] = len(scene.nodes)
        scene.nodes.append(Node(kind, t, inputs, operands, path, t in outputs))
    _place_leaves(scene.nodes)
    return scene


def _path(t: Tensor, owners: dict[Path, str]) -> Path:
    """The layers around a node; notes their types in `owners`."""
    if t.scope is None:
        return ()
    path = t.scope.names
    if path not in owners:
        for depth, owner in enumerate(t.scope.owners, 1):
            owners[path[:depth]] = owner_text(owner)
    return path


def _leaf_kind(t: Tensor, ends: dict[Tensor, None]) -> Kind:
    if is_owned(t):
        return Kind.PARAMETER if t.requires_grad else Kind.STATE
    if t in ends:
        return Kind.INPUT
    return Kind.PARAMETER if t.requires_grad else Kind.CONSTANT


def is_owned(t: Tensor) -> bool:
    """Whether a leaf can belong to a layer: a Variable, or what stands for one in a traced graph."""
    return isinstance(t, Variable) or "captured" in t.params


def _kind(t: Tensor, gradients: dict[Tensor, None]) -> Kind:
    if t.op.family == "layer":  # type: ignore[union-attr]
        return Kind.LAYER
    in_pullback = t.scope is not None and GRADIENT in t.scope.owners
    return Kind.GRADIENT if in_pullback or t in gradients else Kind.OPERATION


def owner_text(owner: Any) -> str:
    """The type of a layer, empty for none."""
    return "" if owner is None else type(owner).__name__


def _operands(scene: Scene, places: dict[Tensor, int], t: Tensor, path: Path) -> tuple[Any, Any]:
    """The places of a node's inputs, drawing a constant array for this use alone, and its operands."""
    inputs: list[int] = []
    operands: list[Tensor | None] = []
    for i in t.inputs:
        place = places.get(i)
        if place is None and is_scalar(i):
            operands.append(i)
            continue
        if place is None:
            place = len(scene.nodes)
            scene.nodes.append(Node(Kind.CONSTANT, i, path=path))
        inputs.append(place)
        operands.append(None)
    return tuple(inputs), tuple(operands)


def is_scalar(t: Tensor) -> bool:
    """Whether a constant is a plain number, which a label can show."""
    return t.name is None and np.ndim(t.value) == 0


def _place_leaves(nodes: list[Node]) -> None:
    """Put every parameter of a layer into the innermost cluster that holds its users.

    What stands in no cluster (the gradient, the optimizer's update) does not count as a user.
    """
    found: dict[int, Path] = {}
    for node in nodes:
        for i in node.inputs if node.path else ():
            if nodes[i].kind in (Kind.PARAMETER, Kind.STATE) and is_owned(nodes[i].tensor):  # type: ignore[arg-type]
                found[i] = common(found[i], node.path) if i in found else node.path
    for i, path in found.items():
        nodes[i].path = path


def common(a: Path, b: Path) -> Path:
    """The clusters that two paths share.

    >>> common(("model", "dense"), ("model", "relu"))
    ('model',)
    """
    shared = 0
    for x, y in zip(a, b):
        if x != y:
            break
        shared += 1
    return a[:shared]


def signatures(scene: Scene) -> np.ndarray:
    """A number per node, equal for nodes that do the same to the same kinds of tensors, whatever their names."""
    codes: dict[Hashable, int] = {}
    specs = [_spec_key(node.tensor) for node in scene.nodes]
    found = np.empty(len(scene.nodes), np.int64)
    for k, node in enumerate(scene.nodes):
        types = tuple(scene.owners.get(node.path[: d + 1], "") for d in range(len(node.path)))
        inputs = tuple([specs[i] for i in node.inputs])
        key = (node.kind, node.output, specs[k], inputs, _operation_key(node), types)
        found[k] = codes.setdefault(key, len(codes))
    return found


def entries(nodes: list[Node]) -> np.ndarray:
    """Whether each node lies in another cluster than the node before it."""
    before = [(), *(node.path for node in nodes)]
    return np.array([node.path != path for node, path in zip(nodes, before)], bool)


def shared_first(nodes: list[Node], codes: np.ndarray, many: int) -> tuple[list[Node], np.ndarray]:
    """The nodes and their codes with leaves that `many` equal nodes read at the front: these belong to no block."""
    reads = [(i, code) for node, code in zip(nodes, codes.tolist()) for i in dict.fromkeys(node.inputs)]
    readers = Counter((i, code) for i, code in reads if not nodes[i].inputs)
    shared = {i for (i, _), times in readers.items() if times >= many}
    order = sorted(range(len(nodes)), key=lambda k: k not in shared)
    places = {old: new for new, old in enumerate(order)}
    moved = [replace(nodes[k], inputs=tuple(places[i] for i in nodes[k].inputs)) for k in order]
    return moved, codes[order]


def _spec_key(t: Tensor | None) -> Hashable:
    if t is None or t.op is not None and t.op.many:
        return None
    return t.shape, t.dtype


def _operation_key(node: Node) -> Hashable:
    t = node.tensor
    if t is None or t.op is None:
        return None
    scalars = tuple(None if o is None else (np.asarray(o.value).item(), o.dtype) for o in node.operands)
    return t.op.name, scalars, tuple((name, _param_key(value)) for name, value in t.params.items())


def _param_key(value: Any) -> Hashable:
    config = getattr(value, "get_config", None)
    if config is not None:
        return type(value).__name__, repr({k: v for k, v in config().items() if k not in ("name", "seed")})
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value
