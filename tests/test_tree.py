"""Keras' functions on nests: what holds for every nest, and nests that differ."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import tree
from autograd_nn.errors import ArgumentTypeError, InvalidArgument

Pair = namedtuple("Pair", "x y")
LEAVES = st.none() | st.integers() | st.text(max_size=2)


def wider(inner):
    items = st.lists(inner, max_size=3)
    keyed = st.dictionaries(st.text(max_size=2), inner, max_size=3)
    return (
        items | items.map(tuple) | items.map(deque) | st.builds(Pair, inner, inner) | keyed | keyed.map(OrderedDict)
        | keyed.map(lambda d: defaultdict(list, d))
    )  # fmt: skip


NESTS = st.recursive(LEAVES, wider, max_leaves=12)


@given(NESTS)
def test_what_is_taken_apart_is_put_together_again(nest):
    again = tree.pack_sequence_as(nest, tree.flatten(nest))
    assert again == nest and type(again) is type(nest)
    assert tree.map_structure(lambda leaf: leaf, nest) == tree.traverse(lambda part: None, nest) == nest
    for path, leaf in tree.flatten_with_path(nest):
        part = nest
        for key in path:
            part = part[key]
        assert part is leaf


@given(NESTS)
def test_maps_visit_the_leaves_in_order(nest):
    seen = []
    counted = tree.map_structure(lambda leaf: (seen.append(leaf), len(seen))[1], nest)
    assert seen == tree.flatten(nest) and tree.flatten(counted) == list(range(1, len(seen) + 1))
    tree.assert_same_structure(nest, counted)
    tree.assert_same_paths(nest, tree.lists_to_tuples(nest))
    assert not [part for part in parts(tree.lists_to_tuples(nest)) if isinstance(part, list)]
    pairs = tree.map_structure(lambda a, b: a is b, nest, nest)
    assert all(tree.flatten(pairs))
    assert tree.map_structure_up_to(nest, lambda a: a, nest) == nest


def parts(nest):
    found = []
    tree.traverse(found.append, nest)
    return found


def test_none_that_is_no_leaf():
    double = tree.map_structure(lambda a: a * 2, {"a": 1, "b": [None]}, none_is_leaf=False)
    assert double == {"a": 2, "b": [None]}
    with pytest.raises(InvalidArgument, match="None must stand at the same place"):
        tree.map_structure(lambda a, b: a, [None], [1], none_is_leaf=False)


def test_traversal():
    assert tree.traverse(lambda x: tree.MAP_TO_NONE if x == 2 else None, [1, 2, (3, 2)]) == [1, None, (3, None)]
    assert tree.traverse(lambda x: "t" if isinstance(x, tuple) else None, [1, ((2,),)]) == [1, "t"]
    assert tree.traverse(lambda x: sum(x) if isinstance(x, (list, tuple)) else None, [1, (2, 3)], top_down=False) == 6


@pytest.mark.parametrize("a, b", [
    ([1, 2], (1, 2)), ([1], [1, 2]), ({"a": 1}, {"b": 1}), ([1], [[1]]), ([[1]], [1]), (Pair(1, 2), (1, 2)), ([], {}),
])  # fmt: skip
def test_structures_that_differ(a, b):
    for check in (tree.assert_same_structure, lambda a, b: tree.map_structure(lambda x, y: x, a, b)):
        with pytest.raises(InvalidArgument, match="the structures differ"):
            check(a, b)
    tree.assert_same_structure({"a": 1, "b": 2}, OrderedDict(b=1, a=2))
    assert tree.map_structure(lambda x, y: x - y, {"a": 1, "b": 2}, OrderedDict(b=1, a=2)) == {"a": -1, "b": 1}


@pytest.mark.parametrize("call, error, match", [
    (lambda: tree.map_structure(3, [1]), ArgumentTypeError, "func must be a function, got 3"),
    (lambda: tree.map_structure(len), InvalidArgument, "at least one structure"),
    (lambda: tree.map_structure_up_to([1, [2]], str, [1, 2]), InvalidArgument, "the structures differ"),
    (lambda: tree.pack_sequence_as([1, 2], [1]), InvalidArgument, "has 2 leaves, got 1"),
    (lambda: tree.pack_sequence_as([1, 2], 5), ArgumentTypeError, "must be a sequence, got 5"),
    (lambda: tree.flatten({1: 2, "a": 3}), ArgumentTypeError, "keys of a dict must be sortable"),
    (lambda: tree.assert_same_paths([1], [[1]]), InvalidArgument, r"only in a: \[\(0,\)\]; only in b: \[\(0, 0\)\]"),
])  # fmt: skip
def test_what_cannot_be_meant(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_an_old_argument():
    with pytest.warns(DeprecationWarning, match="check_types"):
        ag.tree.assert_same_structure([1], [2], check_types=False)
