"""Copies of tensors without values: with them goes the graph that they were made from."""

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .tensor import Tensor


def copied(t: "Tensor", memo: dict[int, Any]) -> "Tensor":
    """A copy of a tensor without a value, and of all nodes and leaves below it, for `copy.deepcopy`.

    The layers that nodes name are copied too; operations are shared, and so are tensors that are computed already.
    """
    made: list[tuple[Tensor, Tensor]] = []
    stack = [t]
    while stack:
        u = stack.pop()
        if id(u) in memo:
            continue
        if u.value is None:
            memo[id(u)] = object.__new__(type(u))
            made.append((u, memo[id(u)]))
            stack.extend(u.inputs)
        else:
            memo[id(u)] = deepcopy(u, memo) if u.op is None else u
    # All twins are known before any layer is copied, since layers remember the tensors of their calls.
    for u, twin in made:
        _fill(u, twin, memo)
    return memo[id(t)]


def _fill(u: "Tensor", twin: "Tensor", memo: dict[int, Any]) -> None:
    twin.value = None
    twin.op, twin.name, twin.stamp, twin.site, twin._spec = u.op, u.name, u.stamp, u.site, u._spec
    twin.requires_grad = u.requires_grad
    twin.inputs = tuple(memo[id(i)] for i in u.inputs)
    twin.scope, twin.params = deepcopy((u.scope, u.params), memo)
