"""Nested lists, tuples, dicts and deques under Keras' names: taken apart, changed, put together again.

The items of a dict stand in the order of its sorted keys, those of an OrderedDict in their own. None is a leaf.
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

from .engine.signatures import suggests
from .errors import ArgumentTypeError, InvalidArgument, deprecated, short

_SERIES = (list, tuple, deque)
_MAPPINGS = (dict, OrderedDict, defaultdict)


class MAP_TO_NONE:
    """What a function returns to `traverse` to have None in the place of a part."""


def _is_named(nest: Any) -> bool:
    return isinstance(nest, tuple) and hasattr(nest, "_fields")


@suggests
def is_nested(structure: Any) -> bool:
    """Whether it is a list, tuple, named tuple, dict or deque, and no leaf.

    >>> is_nested({"a": 1}), is_nested(42)
    (True, False)
    """
    return type(structure) in (*_SERIES, *_MAPPINGS) or _is_named(structure)


def _children(nest: Any) -> list[tuple[Any, Any]]:
    """The keys or places, and what is there, in order."""
    if type(nest) not in _MAPPINGS:
        return list(enumerate(nest))
    if type(nest) is OrderedDict:
        return list(nest.items())
    try:
        return [(key, nest[key]) for key in sorted(nest)]
    except TypeError:
        raise ArgumentTypeError(f"tree: keys of a dict must be sortable, got {short(list(nest))}") from None


def _like(nest: Any, found: Iterable[tuple[Any, Any]]) -> Any:
    """A nest of the same kind with these children, in the order of `_children`."""
    children = dict(found)
    if type(nest) in _MAPPINGS:
        items = [(key, children[key]) for key in nest]
        return defaultdict(nest.default_factory, items) if type(nest) is defaultdict else type(nest)(items)
    if _is_named(nest):
        return type(nest)(*children.values())
    if type(nest) is deque:
        return deque(children.values(), nest.maxlen)
    return type(nest)(children.values())


def _checked(function: Any, what: str) -> None:
    if not callable(function):
        raise ArgumentTypeError(f"tree.{what}: func must be a function, got {short(function)}")


@suggests
def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """The structure with `func` asked about every part: what it returns takes the part's place, None leaves it.

    top_down: whether a part is asked about before its children, which are passed over where it is replaced

    Raises ArgumentTypeError for what is no function.

    >>> traverse(lambda part: tuple(part) if isinstance(part, list) else None, [1, [2]], top_down=False)
    (1, (2,))
    """
    _checked(func, "traverse")
    return _traverse(func, structure, top_down)


def _traverse(func: Callable[[Any], Any], structure: Any, top_down: bool) -> Any:
    found = func(structure) if top_down else None
    if found is None and is_nested(structure):
        structure = _like(structure, [(key, _traverse(func, part, top_down)) for key, part in _children(structure)])
    if not top_down:
        found = func(structure)
    return structure if found is None else None if found is MAP_TO_NONE else found


@suggests
def flatten(structure: Any) -> list[Any]:
    """The leaves.

    >>> flatten({"b": 1, "a": [2, (3, None)]})
    [2, 3, None, 1]
    """
    return [leaf for _, leaf in flatten_with_path(structure)]


@suggests
def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves, each with the keys and places that lead to it.

    >>> flatten_with_path([{"a": 42}])
    [((0, 'a'), 42)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf) for key, part in _children(structure) for path, leaf in flatten_with_path(part)
    ]  # fmt: skip


@suggests
def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """The structure of `func` of the leaves at the same place of all structures.

    none_is_leaf: whether `func` also gets None; else None stays

    Raises InvalidArgument for structures that differ, ArgumentTypeError for what is no function.

    >>> map_structure(lambda a, b: a * b, [1, (2, 3)], [4, (5, 6)])
    [4, (10, 18)]
    """
    _checked(func, "map_structure")
    _some(structures, "map_structure")
    return _mapped(func, structures, none_is_leaf)


def _some(structures: tuple[Any, ...], what: str) -> None:
    if not structures:
        raise InvalidArgument(f"tree.{what}: at least one structure must be given")


def _mapped(func: Callable[..., Any], structures: tuple[Any, ...], none_is_leaf: bool) -> Any:
    first = structures[0]
    for other in structures[1:]:
        _check_same(first, other)
    if is_nested(first):
        rows = zip(*[[part for _, part in _children_like(first, other)] for other in structures])
        return _like(first, [(key, _mapped(func, row, none_is_leaf)) for (key, _), row in zip(_children(first), rows)])
    if none_is_leaf or all(leaf is not None for leaf in structures):
        return func(*structures)
    if any(leaf is not None for leaf in structures):
        raise InvalidArgument(f"tree.map_structure: None must stand at the same place in all, got {short(structures)}")
    return None


def _children_like(first: Any, other: Any) -> list[tuple[Any, Any]]:
    """The children of `other` in the order of those of `first`."""
    if type(first) not in _MAPPINGS:
        return _children(other)
    return [(key, other[key]) for key, _ in _children(first)]


def _check_same(a: Any, b: Any) -> None:
    """InvalidArgument unless both are leaves, or of one kind with as many children."""
    kinds = [dict if type(x) in _MAPPINGS else type(x) if is_nested(x) else None for x in (a, b)]
    if kinds == [None, None]:
        return
    if kinds[0] is not kinds[1]:
        raise InvalidArgument(f"tree: the structures differ: {short(a)} and {short(b)}")
    keys = [set(x) if kinds[0] is dict else len(x) for x in (a, b)]
    if keys[0] != keys[1]:
        raise InvalidArgument(f"tree: the structures differ: {short(a)} and {short(b)}, of {len(a)} and {len(b)} items")


@suggests
def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """The structure of `func` of the parts that stand where `shallow_structure` has leaves.

    Raises InvalidArgument for structures that are not as deep, ArgumentTypeError for what is no function.

    >>> map_structure_up_to([None, [None]], str, [(1, 1), [2]])
    ['(1, 1)', ['2']]
    """
    _checked(func, "map_structure_up_to")
    _some(structures, "map_structure_up_to")
    return _mapped_up_to(shallow_structure, func, structures)


def _mapped_up_to(shallow: Any, func: Callable[..., Any], structures: tuple[Any, ...]) -> Any:
    if not is_nested(shallow):
        return func(*structures)
    for other in structures:
        _check_same(shallow, other)
    rows = zip(*[[part for _, part in _children_like(shallow, other)] for other in structures])
    return _like(shallow, [(key, _mapped_up_to(part, func, row)) for (key, part), row in zip(_children(shallow), rows)])


@suggests
def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """InvalidArgument unless both are nested in the same way; all kinds of dict are one kind.

    >>> assert_same_structure([(0, 1)], [(2, 3)])
    """
    if check_types is not None:
        deprecated("check_types=", "leave it out, or use assert_same_paths")
    _mapped(lambda *leaves: None, (a, b), True)


@suggests
def assert_same_paths(a: Any, b: Any) -> None:
    """InvalidArgument unless the same keys and places lead to the leaves of both, whatever lists or tuples they are.

    >>> assert_same_paths([0, (1, 2)], (3, [4, 5]))
    """
    ours, theirs = ([path for path, _ in flatten_with_path(x)] for x in (a, b))
    lacking = [[p for p in ours if p not in theirs], [p for p in theirs if p not in ours]]
    if any(lacking):
        raise InvalidArgument(f"tree: only in a: {short(lacking[0], 100)}; only in b: {short(lacking[1], 100)}")


@suggests
def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """The structure with other leaves, those of `flat_sequence` in order.

    Raises InvalidArgument for another number of leaves, ArgumentTypeError for what is no sequence.

    >>> pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
    {'b': 3, 'a': (1, 2)}
    """
    if not hasattr(flat_sequence, "__iter__"):
        raise ArgumentTypeError(f"tree.pack_sequence_as: flat_sequence must be a sequence, got {short(flat_sequence)}")
    leaves, needed = list(flat_sequence), len(flatten(structure))
    if len(leaves) != needed:
        raise InvalidArgument(f"tree.pack_sequence_as: the structure has {needed} leaves, got {len(leaves)}")
    rest = iter(leaves)
    return _mapped(lambda leaf: next(rest), (structure,), True)


@suggests
def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in the place of lists.

    >>> lists_to_tuples([1, {"a": [2]}])
    (1, {'a': (2,)})
    """
    return _traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, False)


@suggests
def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """The structure of `func` of the shapes in it: lists and tuples of ints and None.

    >>> map_shape_structure(len, {"a": (None, 3), "b": [(1, 2, 3)]})
    {'a': 2, 'b': [3]}
    """
    _checked(func, "map_shape_structure")
    return _mapped_shapes(func, structure)


def _mapped_shapes(func: Callable[[Any], Any], nest: Any) -> Any:
    shape = isinstance(nest, (list, tuple)) and all(size is None or isinstance(size, int) for size in nest)
    if shape or not is_nested(nest):
        return func(nest)
    return _like(nest, [(key, _mapped_shapes(func, part)) for key, part in _children(nest)])
