"""Nests of tensors are taken apart and put together again."""

from collections import namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_nn.engine.tree import Memo, flatten, tree_map, unflatten

Pair = namedtuple("Pair", ["first", "second"])
NESTS = st.recursive(
    st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.tuples(inner, inner).map(lambda two: Pair(*two))
    ),
    max_leaves=8,
)


@given(NESTS)
def test_taking_apart_and_putting_together_is_the_identity(nest: Any) -> None:
    leaves, structure = flatten(nest)
    again = unflatten(structure, leaves)
    assert again == nest and type(again) is type(nest)


@given(NESTS, NESTS)
def test_structures_are_equal_when_the_nests_differ_in_leaves_only(a: Any, b: Any) -> None:
    (_, first), (leaves, second) = flatten(a), flatten(b)
    (_, renamed) = flatten(unflatten(second, [0] * len(leaves)))
    assert renamed == second and hash(renamed) == hash(second)
    assert (first == second) == (tree_map(lambda _: 0, a) == tree_map(lambda _: 0, b) and alike(a, b))


def alike(a: Any, b: Any) -> bool:
    """Whether two nests have the same types at the same places."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(alike, a.values(), b.values()))
    return not isinstance(a, (list, tuple)) or len(a) == len(b) and all(map(alike, a, b))


def test_mapping_over_several_nests() -> None:
    assert tree_map(lambda x, y: x + y, {"a": 1, "b": (2, 3)}, {"a": 10, "b": (20, 30)}) == {"a": 11, "b": (22, 33)}


def test_dictionaries_keep_their_order() -> None:
    leaves, _ = flatten({"b": 1, "a": 2})
    assert leaves == [1, 2]


def test_too_few_leaves() -> None:
    _, structure = flatten([1, 2])
    with pytest.raises(StopIteration):
        unflatten(structure, [1])


def test_a_memo_keeps_the_newest() -> None:
    memo = Memo(3)
    for k in range(5):
        memo[k] = str(k)
    assert memo == {2: "2", 3: "3", 4: "4"}
    memo[2] = "again"
    assert memo == {2: "again", 3: "3", 4: "4"}
