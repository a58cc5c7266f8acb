"""Nested lists, tuples and dicts of tensors: taken apart and put together again."""

from collections.abc import Callable
from typing import Any


class Structure:
    """The shape of a nest without its leaves. Equal and hashable by content."""

    __slots__ = ("children", "kind", "keys")

    def __init__(self, kind: Any, keys: Any = None, children: tuple["Structure", ...] = ()) -> None:
        self.kind = kind
        self.keys = keys
        self.children = children

    def _key(self) -> tuple[Any, Any, tuple["Structure", ...]]:
        return (self.kind, self.keys, self.children)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return "*" if self.kind is None else f"{self.kind.__name__}{list(self.children)}"


LEAF = Structure(None)


def flatten(nest: Any) -> tuple[list[Any], Structure]:
    """The leaves of a nest, left to right, and its structure. None is an empty nest.

    >>> leaves, structure = flatten({"a": 1, "b": (2, 3)})
    >>> leaves
    [1, 2, 3]
    >>> unflatten(structure, leaves)
    {'a': 1, 'b': (2, 3)}
    """
    if nest is not None and not isinstance(nest, (dict, list, tuple)):
        return [nest], LEAF
    leaves: list[Any] = []
    return leaves, _flatten(nest, leaves)


def _flatten(nest: Any, leaves: list[Any]) -> Structure:
    if nest is None:
        return Structure(type(None))
    if isinstance(nest, dict):
        keys = tuple(nest)
        return Structure(dict, keys, tuple(_flatten(nest[k], leaves) for k in keys))
    if isinstance(nest, (list, tuple)):
        return Structure(type(nest), None, tuple(_flatten(item, leaves) for item in nest))
    leaves.append(nest)
    return LEAF


def unflatten(structure: Structure, leaves: list[Any] | tuple[Any, ...]) -> Any:
    """The nest of that structure with these leaves."""
    if structure is LEAF:
        return leaves[0]
    return _unflatten(structure, iter(leaves))


def _unflatten(structure: Structure, leaves: Any) -> Any:
    if structure.kind is None:
        return next(leaves)
    if structure.kind is type(None):
        return None
    items = [_unflatten(child, leaves) for child in structure.children]
    if structure.kind is dict:
        return dict(zip(structure.keys, items))
    if hasattr(structure.kind, "_fields"):
        return structure.kind(*items)
    return structure.kind(items)


def tree_map(function: Callable[..., Any], nest: Any, *others: Any) -> Any:
    """The nest with `function` applied to each leaf (and to the leaves at its place in the others)."""
    leaves, structure = flatten(nest)
    if not others:
        return unflatten(structure, [function(leaf) for leaf in leaves])
    rest = [flatten(other)[0] for other in others]
    return unflatten(structure, [function(*items) for items in zip(leaves, *rest)])


class Memo(dict[Any, Any]):
    """What was found out about the newest keys: it forgets the oldest where there would be more than `most`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= self.most and key not in self:
            self.pop(next(iter(self)), None)
        super().__setitem__(key, value)
