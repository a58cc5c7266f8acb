"""Products that need no carry leave their loop: one large product before or after it instead of a small one per step.

`x[t] @ w` in the body of a scan is a row of `x @ w`, which can be computed before; and if `a[t] @ w` is only given out,
the loop can give out `a` and leave the product to what comes after. Large products run at a better rate, and what stays
in the loop is only what has to wait for the step before.
"""

from typing import Any, NamedTuple

from ..engine.graph import Graph
from ..engine.spec import Size, Spec
from ..engine.tensor import PICK, Tensor, symbol
from .grouping import ELEMENTWISE
from .rewrite import again, make, rebuild


def hoist(graph: Graph) -> Graph:
    """The graph whose scans leave products with a matrix that does not change to large products around them."""
    sunk: dict[Tensor, dict[int, _Tail]] = {}

    def rule(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
        if t.op.name == "scan":  # type: ignore[union-attr]
            return _Loop(t, inputs).rewritten(sunk)
        if t.op is PICK and t.params["index"] in sunk.get(inputs[0], {}):
            return sunk[inputs[0]][t.params["index"]].after(t, inputs[0])
        return None

    return rebuild(graph, rule)


class _Tail(NamedTuple):
    """The last operations on an output of a body: a product, and elementwise ones on its result.

    places: what stands outside of the loop for everything else that they read
    """

    nodes: list[Tensor]
    places: dict[Tensor, Tensor]

    def after(self, t: Tensor, loop: Tensor) -> Tensor:
        """The same operations on the values of all steps that a loop gives out; `t` picks them."""
        specs: Any = loop._spec
        given = specs[t.params["index"]]
        new = {self.nodes[0].inputs[0]: make(PICK, (loop,), t.params, t, spec=given)}
        for u in self.nodes:
            spec = Spec((given.shape[0], *u.spec.shape), u.spec.dtype)
            inputs = tuple(new[i] if i in new else self.places[i] for i in u.inputs)
            new[u] = make(u.op, inputs, u.params, u, spec=spec)  # type: ignore[arg-type]
        return new[self.nodes[-1]]


class _Loop:
    """A scan, and what of its body can be computed outside."""

    def __init__(self, t: Tensor, inputs: tuple[Tensor, ...]) -> None:
        self.t, self.inputs = t, inputs
        self.body: Graph = t.params["body"]
        self.carries, self.steps = t.params["carries"], t.params["steps"]
        stands = self.body.inputs
        first, last = self.carries, self.carries + self.steps
        self.stacks: dict[Tensor, Tensor] = dict(zip(stands[first:last], inputs[first:last]))
        self.fixed: dict[Tensor, Tensor] = dict(zip(stands[last:], inputs[last:]))
        self.fixed.update((c, c) for c in self.body.constants)
        self.count: Size = inputs[first].spec.shape[0] if self.steps else t.params["length"]

    def rewritten(self, sunk: dict[Tensor, dict[int, _Tail]]) -> Tensor | None:
        """The scan without these products; None where there is none. `sunk`: what is to follow it, by output."""
        before = self._before()
        new = {node: symbol(node.spec, requires_grad=node.requires_grad) for node in before}
        stands = list(new.values())
        for u in self.body.operations:
            if u not in new:
                new[u] = again(u, tuple(new.get(i, i) for i in u.inputs))
        outputs = [new.get(u, u) for u in self.body.outputs]
        after = self._after()
        for k, tail in after.items():
            left = tail.nodes[0].inputs[0]
            outputs[k] = new.get(left, left)
        if not before and not after:
            return None
        at = self.carries + self.steps
        body = Graph([*self.body.inputs[:at], *stands, *self.body.inputs[at:]], outputs, self.body.name)
        params = {**self.t.params, "body": body, "steps": self.steps + len(stands)}
        specs: Any = list(self.t._spec)  # type: ignore[arg-type]
        for k in after:
            specs[k] = self._stacked(outputs[k].spec)
        inputs = (*self.inputs[:at], *before.values(), *self.inputs[at:])
        made = make(self.t.op, inputs, params, self.t, spec=tuple(specs))  # type: ignore[arg-type]
        sunk[made] = after
        return made

    def _stacked(self, spec: Spec) -> Spec:
        return Spec((self.count, *spec.shape), spec.dtype)

    def _before(self) -> dict[Tensor, Tensor]:
        """Products in the body that need no carry, and the same for all steps outside of it."""
        found: dict[Tensor, Tensor] = {}
        for u in self.body.operations:
            if all(i in self.fixed for i in u.inputs) and not u.op.many and u.op is not PICK:  # type: ignore[union-attr]
                self.fixed[u] = again(u, tuple(self.fixed[i] for i in u.inputs))
            elif self._stackable(u):
                inputs = tuple(self.stacks[i] if i in self.stacks else self.fixed[i] for i in u.inputs)
                self.stacks[u] = make(u.op, inputs, u.params, u, spec=self._stacked(u.spec))  # type: ignore[arg-type]
                if _is_product(u):
                    found[u] = self.stacks[u]
        return found

    def _stackable(self, u: Tensor) -> bool:
        """Whether the same operation on stacks is the stack of a node."""
        if not all(i in self.stacks or i in self.fixed for i in u.inputs):
            return False
        if _is_product(u):
            return u.inputs[0] in self.stacks and u.inputs[1] in self.fixed
        if u.op.family not in ELEMENTWISE:  # type: ignore[union-attr]
            return False
        return all(i.ndim == u.ndim if i in self.stacks else i.ndim <= u.ndim for i in u.inputs)

    def _after(self) -> dict[int, _Tail]:
        """Outputs that end in a product with a matrix that does not change, and what is done to it."""
        users: dict[Tensor, int] = {}
        for u in (*(i for v in self.body.operations for i in v.inputs), *self.body.outputs):
            users[u] = users.get(u, 0) + 1
        places = {**self.fixed, **self.stacks}
        found = {}
        for k in range(self.carries, len(self.body.outputs)):
            nodes = self._tail(self.body.outputs[k], users)
            if nodes:
                found[k] = _Tail(nodes[::-1], places)
        return found

    def _tail(self, u: Tensor, users: dict[Tensor, int]) -> list[Tensor]:
        """The nodes from an output back to such a product; none if there is none, or if others read them."""
        nodes: list[Tensor] = []
        while u.op is not None and u not in self.stacks and u not in self.fixed and users[u] == 1:
            nodes.append(u)
            if _is_product(u):
                return nodes if u.inputs[1] in self.fixed else []
            moving = [i for i in u.inputs if i not in self.stacks and i not in self.fixed]
            if len(moving) != 1 or u.op.family not in ELEMENTWISE or any(i.ndim != u.ndim for i in u.inputs):
                return []
            u = moving[0]
        return []


def _is_product(t: Tensor) -> bool:
    """Whether a node is a matrix times a matrix."""
    return t.op is not None and t.op.name == "matmul" and all(i.ndim == 2 for i in t.inputs)
