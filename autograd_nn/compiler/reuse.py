"""Products that two loops both compute: the first one keeps them for the other.

The gradient of a scan computes each step again from the carries that the scan saved. Elementwise work is cheap to
repeat; a product is not. So a product, with what is added to it, that the body of one loop shares with the body of an
earlier one becomes an output of the earlier loop and one more sequence of the later one.
"""

from typing import Any

from ..engine.graph import Graph
from ..engine.spec import Spec
from ..engine.tensor import PICK, Tensor, symbol
from .rewrite import again, make, rebuild

_HEAVY = ("product", "convolution")


def reuse(graph: Graph) -> Graph:
    """The graph in which no loop computes a product that an earlier one made of the same values."""
    loops = [t for t in graph.operations if t.op.name == "scan"]  # type: ignore[union-attr]
    if len(loops) < 2:
        return graph
    given: dict[Tensor, dict[Tensor, int]] = {}
    taken: dict[Tensor, tuple[Tensor, list[tuple[Tensor, Tensor]]]] = {}
    for later in loops:
        earlier = _source(later)
        found = [] if earlier is None or earlier in taken else _shared(earlier, later)
        if earlier is None or not found:
            continue
        kept = given.setdefault(earlier, {})
        for _, same in found:
            kept.setdefault(same, len(kept))
        taken[later] = earlier, found
    return rebuild(graph, _Rule(given, taken)) if taken else graph


def _source(later: Tensor) -> Tensor | None:
    """The loop whose saved carries a loop walks over."""
    first = later.params["carries"]
    for sequence in later.inputs[first : first + later.params["steps"]]:
        if sequence.op is PICK and sequence.inputs[0].op is later.op and sequence.inputs[0].params["saved"]:
            return sequence.inputs[0]
    return None


def _shared(earlier: Tensor, later: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Nodes of the body of a loop and the nodes of an earlier body with the same values, worth keeping."""
    body: Graph = later.params["body"]
    same = _same_inputs(earlier, later)
    same.update((t, t) for t in body.constants)
    known = {_key(t, t.inputs): t for t in earlier.params["body"].operations}
    for t in body.operations:
        if all(i in same for i in t.inputs):
            found = known.get(_key(t, tuple(same[i] for i in t.inputs)))
            if found is not None:
                same[t] = found
    fixed = _fixed(body, later)
    users: dict[Tensor, list[Tensor]] = {}
    for t in body.operations:
        for i in t.inputs:
            users.setdefault(i, []).append(t)
    heavy = [t for t in body.operations if t in same and t not in fixed and t.op.family in _HEAVY]  # type: ignore[union-attr]
    ends = dict.fromkeys(_end(t, same, users) for t in heavy)
    return [(t, same[t]) for t in ends]


def _end(t: Tensor, same: dict[Tensor, Tensor], users: dict[Tensor, list[Tensor]]) -> Tensor:
    """The last of the cheap steps that follow a product one after the other: what is kept instead of it."""
    while True:
        readers = users.get(t, [])
        if len(readers) != 1 or readers[0] not in same or readers[0].op.name not in ("add", "subtract"):  # type: ignore[union-attr]
            return t
        if readers[0].spec != t.spec:
            return t
        t = readers[0]


def _same_inputs(earlier: Tensor, later: Tensor) -> dict[Tensor, Tensor]:
    """For inputs of a body the nodes of the earlier body that have the same values in the same steps."""
    body: Graph = later.params["body"]
    before: Graph = earlier.params["body"]
    carries, steps = later.params["carries"], later.params["steps"]
    walked: dict[Tensor, Tensor] = {}
    held: dict[Tensor, Tensor] = {}
    for k, t in enumerate(earlier.inputs[earlier.params["carries"] :]):
        (walked if k < earlier.params["steps"] else held)[t] = before.inputs[earlier.params["carries"] + k]
    same: dict[Tensor, Tensor] = {}
    for k, (stand, t) in enumerate(zip(body.inputs, later.inputs)):
        if carries <= k < carries + steps:
            found = _output(earlier, t) if t.op is PICK and t.inputs[0] is earlier else walked.get(t)
        else:
            found = held.get(t) if k >= carries else None
        if found is not None:
            same[stand] = found
    return same


def _output(loop: Tensor, picked: Tensor) -> Tensor | None:
    """The node of a loop's body whose stacked values are an output of it."""
    body, carries, place = loop.params["body"], loop.params["carries"], picked.params["index"]
    if place < carries:
        return None
    found: Tensor = (*body.outputs, *body.inputs[:carries])[place]
    return found


def _fixed(body: Graph, loop: Tensor) -> dict[Tensor, None]:
    """The nodes of a body that have the same value in all steps."""
    moving = loop.params["carries"] + loop.params["steps"]
    found = dict.fromkeys((*body.inputs[moving:], *body.constants))
    for t in body.operations:
        if all(i in found for i in t.inputs):
            found[t] = None
    return found


def _key(t: Tensor, inputs: tuple[Tensor, ...]) -> Any:
    def identity(i: Tensor) -> Any:
        plain = i.op is None and i.value is not None and i.value.size == 1
        return (i.dtype, i.value.shape, i.value.tobytes()) if plain else id(i)

    return (id(t.op), tuple(map(identity, inputs)), repr(sorted(t.params.items())))


class _Rule:
    """Writes the loops anew: those that give more, those that take it, and the picks of what moved."""

    def __init__(self, given: dict[Tensor, dict[Tensor, int]], taken: dict[Tensor, Any]) -> None:
        self.given, self.taken = given, taken
        self.new: dict[Tensor, Tensor] = {}

    def __call__(self, t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
        if t in self.given:
            self.new[t] = self._giving(t, inputs)
            return self.new[t]
        if t in self.taken:
            return self._taking(t, inputs)
        if t.op is PICK and t.inputs[0] in self.given:
            return self._picked(t, inputs)
        return None

    def _giving(self, t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor:
        body: Graph = t.params["body"]
        extra = list(self.given[t])
        more = Graph(body.inputs, [*body.outputs, *extra], body.name)
        specs: Any = t._spec
        stacks = [Spec((specs[-1].shape[0], *u.spec.shape), u.spec.dtype) for u in extra]
        at = len(body.outputs)
        params = {**t.params, "body": more}
        return make(t.op, inputs, params, t, spec=(*specs[:at], *stacks, *specs[at:]))  # type: ignore[arg-type]

    def _picked(self, t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor:
        """An output of a loop; the saved carries come after the new outputs."""
        loop, place = t.inputs[0], t.params["index"]
        moved = place >= len(loop.params["body"].outputs)
        return make(PICK, inputs, {"index": place + moved * len(self.given[loop])}, t)

    def _taking(self, t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor:
        body: Graph = t.params["body"]
        at = t.params["carries"] + t.params["steps"]
        earlier, found = self.taken[t]
        new = {node: symbol(node.spec, requires_grad=node.requires_grad) for node, _ in found}
        stands = list(new.values())
        stacks = [self._stack(earlier, same) for _, same in found]
        for u in body.operations:
            if u not in new:
                new[u] = again(u, tuple(new.get(i, i) for i in u.inputs))
        outputs = [new.get(u, u) for u in body.outputs]
        walked = Graph([*body.inputs[:at], *stands, *body.inputs[at:]], outputs, body.name)
        params = {**t.params, "body": walked, "steps": t.params["steps"] + len(stands)}
        return make(t.op, (*inputs[:at], *stacks, *inputs[at:]), params, t)  # type: ignore[arg-type]

    def _stack(self, earlier: Tensor, same: Tensor) -> Tensor:
        """The values of a node of an earlier loop in all steps."""
        source = self.new[earlier]
        place = len(earlier.params["body"].outputs) + self.given[earlier][same]
        specs: Any = source._spec
        return make(PICK, (source,), {"index": place}, same, spec=specs[place])
