"""The loop that computes the gradients of a loop: its body, and what is taken out of it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..engine.autodiff import pullback
from ..engine.graph import Graph
from ..engine.tensor import Tensor, recording, symbol, tracing
from .creation import zeros_like
from .linalg import matmul, swap_last
from .reduction import unbroadcast
from .shape import reshape


class Product(NamedTuple):
    """A term of a gradient: the transpose of `left` times `right`, both matrices that each step makes anew.

    The sum of such products over all steps is one product of the matrices of all steps below each other.
    """

    left: Tensor
    right: Tensor


class BackwardLoop:
    """The pullback of a body as the body of a loop. Lists of numbers are places among the inputs or outputs of `body`.

    floats:   carries that have cotangents, which are the carry of this loop
    shared:   inputs of all steps whose gradients are summed up beside them
    rows:     inputs of one step each that have gradients
    given:    outputs of one step each that have cotangents; places behind the body's own stand for the saved carries
    products, sums: terms of gradients of inputs of all steps that are computed after the loop, for all steps at once
    kept:     what each step must give out for them
    """

    def __init__(self, body: Graph, carries: int, steps: int, given: list[int], inputs: Sequence[Tensor]) -> None:
        self.given = given
        self.floats = [k for k in range(carries) if inputs[k].dtype.kind == "f"]
        wanted = [k for k in range(carries, len(inputs)) if inputs[k].requires_grad]
        outputs = (*body.outputs, *body.inputs[:carries])
        with tracing(None), recording(True):
            self.cotangents = [symbol(outputs[k].spec, requires_grad=True) for k in given]
            carried = [symbol(body.inputs[k].spec, requires_grad=True) for k in self.floats]
            sources = [body.inputs[k] for k in (*self.floats, *wanted)]
            ends = [outputs[k] for k in (*given, *self.floats)]
            slopes = dict(zip((*self.floats, *wanted), pullback(ends, [*self.cotangents, *carried], sources)))
            live = {k: t for k in wanted if (t := slopes[k]) is not None}
            self.rows = [k for k in live if k < carries + steps]
            terms = {k: _terms(t) for k, t in live.items() if k >= carries + steps}
            rest = self._take_out(
                terms, [*body.inputs[: carries + steps], *self.cotangents], body.inputs[carries + steps :]
            )
            self.shared = list(rest)
            totals = [symbol(body.inputs[k].spec, requires_grad=True) for k in self.shared]
            grown = [_sum([total, *rest[k]]) for total, k in zip(totals, self.shared)]
            handed = [zeros_like(body.inputs[k]) if (t := slopes[k]) is None else t for k in self.floats]
        results = [*handed, *grown, *(live[k] for k in self.rows), *self.kept]
        self.graph = Graph([*carried, *totals, *self.cotangents, *body.inputs], results, f"{body.name}_pullback")

    def _take_out(
        self, terms: dict[int, list[Tensor]], stacked: Sequence[Tensor], fixed: Sequence[Tensor]
    ) -> dict[int, list[Tensor]]:
        """Sort the terms of gradients, by input; those that stay in the loop.

        stacked: tensors whose values of all steps are there without this loop; fixed: those equal in all steps
        """
        same, there = dict.fromkeys(fixed), dict.fromkeys(stacked)
        pairs = {k: [(t, _product(t, same)) for t in found] for k, found in terms.items()}
        self.products = {k: [p for _, p in found if p is not None] for k, found in pairs.items()}
        needed = dict.fromkeys(t for found in self.products.values() for p in found for t in p)
        self.kept = [t for t in needed if t not in there]
        there |= needed
        left = {k: [t for t, p in found if p is None] for k, found in pairs.items()}
        self.sums = {k: [t.inputs[0] for t in found if _sums_up(t, there)] for k, found in left.items()}
        rest = {k: [t for t in found if not _sums_up(t, there)] for k, found in left.items()}
        return {k: found for k, found in rest.items() if found}

    def taken_out(self, stacks: Mapping[Tensor, Tensor], inputs: Sequence[Tensor]) -> dict[int, Tensor]:
        """The parts of gradients that are computed after the loop, from the values of all steps."""
        found: dict[int, Tensor] = {}
        for k, products in self.products.items():
            parts = [matmul(swap_last(_below_each_other(stacks[a])), _below_each_other(stacks[b])) for a, b in products]
            parts += [unbroadcast(stacks[t], inputs[k]) for t in self.sums[k]]
            if parts:
                found[k] = _sum(parts)
        return found


def _terms(t: Tensor) -> list[Tensor]:
    """The tensors of which `t` is the sum."""
    found: list[Tensor] = []
    stack = [t]
    while stack:
        u = stack.pop()
        if u.op is not None and u.op.name == "add" and all(i.spec == t.spec for i in u.inputs):
            stack.extend(reversed(u.inputs))
        else:
            found.append(u)
    return found


def _sum(terms: Sequence[Tensor]) -> Tensor:
    total: Any = terms[0]
    for t in terms[1:]:
        total = total + t
    return total


def _product(t: Tensor, fixed: Mapping[Tensor, None]) -> Product | None:
    """The product that a term is, if its matrices differ from step to step and have known widths."""
    if t.op is None or t.op.name != "matmul" or t.inputs[0].op is None or t.inputs[0].op.name != "transpose":
        return None
    left, right = t.inputs[0].inputs[0], t.inputs[1]
    known = all(u.ndim == 2 and isinstance(u.spec.shape[1], int) and u.spec.shape[1] for u in (left, right))
    return Product(left, right) if known and left not in fixed and right not in fixed else None


def _sums_up(t: Tensor, there: Mapping[Tensor, None]) -> bool:
    """Whether a term is the sum over a broadcast of what will be there for all steps."""
    return t.op is not None and t.op.name == "unbroadcast" and t.inputs[0] in there


def _below_each_other(stack: Tensor) -> Tensor:
    """The matrices of all steps as one with more rows."""
    return reshape(stack, (-1, stack.spec.shape[-1]))
