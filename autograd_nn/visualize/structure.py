"""A model as layers: who feeds whom, and with which shapes. Models and layers are known by their attributes alone."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from ..engine.graph import Graph
from ..engine.spec import Spec
from ..engine.tensor import PICK, Tensor


@dataclass(slots=True, eq=False)
class Box:
    """A layer with what its calls in one model read and give; `layer` is None for an input or a bare operation.

    sources: the boxes that feed it, each with the place among that box's outputs (None where it has only one)
    """

    name: str
    kind: str
    layer: Any = None
    inputs: list[Spec] = field(default_factory=list)
    outputs: list[Spec] = field(default_factory=list)
    sources: list[tuple["Box", int | None]] = field(default_factory=list)


def is_model(layer: Any) -> bool:
    """Whether a layer is a model, which has layers of its own."""
    return hasattr(type(layer), "layers")


def is_sequential(model: Any) -> bool:
    return any(cls.__name__ == "Sequential" for cls in type(model).__mro__)


def graph_of(model: Any) -> Graph | None:
    """The graph of a functional or sequential model, None for other layers and models."""
    graph = getattr(model, "graph", None) if is_model(model) else None
    return graph if isinstance(graph, Graph) else None


def boxes_of(graph: Graph) -> tuple[list[Box], list[tuple[Box, int | None]]]:
    """A box per input and layer in topological order, one for all calls of a layer; and the box behind each output."""
    made: dict[Any, Box] = {}
    holders: dict[Tensor, tuple[Box, int | None]] = {}
    for t in graph.inputs:
        made[t] = Box(t.name or "input", "InputLayer", outputs=[t.spec])
        holders[t] = made[t], None
    for t in graph.nodes:
        if t in holders or t.op is None:
            continue
        if t.op is PICK:
            holders[t] = holders[t.inputs[0]][0], t.params["index"]
            continue
        box = made.setdefault(t.params["layer"] if t.op.family == "layer" else t, _box(t))
        box.inputs += [i.spec for i in t.inputs]
        box.outputs += list(t._spec) if t.op.many else [t.spec]  # type: ignore[arg-type]
        box.sources += [holders[i] for i in t.inputs if i in holders]
        holders[t] = box, None
    _number(list(made.values()))
    return list(made.values()), [holders[t] for t in graph.outputs]


def _number(boxes: list[Box]) -> None:
    """Give bare operations of one name different ones: add, add_1, add_2."""
    taken = {box.name for box in boxes if box.kind != "Operation"}
    for box in boxes:
        if box.kind == "Operation":
            numbered = (f"{box.name}_{k}" if k else box.name for k in itertools.count())
            box.name = next(name for name in numbered if name not in taken)
            taken.add(box.name)


def _box(t: Tensor) -> Box:
    assert t.op is not None
    if t.op.family != "layer":
        return Box(t.name or t.op.name, "Operation")
    layer = t.params["layer"]
    return Box(str(layer.name), type(layer).__name__, layer)
