"""Common subexpressions: equal operations on equal inputs are computed once."""

from typing import Any

from ..engine.graph import Graph
from ..engine.tensor import Tensor
from .rewrite import again, rebuild


def share(graph: Graph) -> Graph:
    """The graph in which no two nodes do the same to the same inputs."""
    seen: dict[Any, Tensor] = {}

    def rule(t: Tensor, inputs: tuple[Tensor, ...]) -> Tensor | None:
        inputs = tuple(seen.setdefault(_identity(i), i) for i in inputs)
        key = (t.op, tuple(map(_identity, inputs)), _frozen(t.params))
        try:
            return seen.setdefault(key, again(t, inputs))
        except TypeError:
            return None

    return rebuild(graph, rule)


def _identity(t: Tensor) -> Any:
    """Scalars with the same value are the same input; other tensors only if they are one object."""
    if t.op is None and t.value is not None and t.value.shape == () and not t.requires_grad:
        return (t.dtype, t.value.tobytes())
    return t


def _frozen(params: dict[str, Any]) -> Any:
    return tuple(sorted(params.items()))
