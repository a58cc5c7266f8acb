"""Nests and names of scopes against Keras."""

import inspect
from collections import OrderedDict, defaultdict, deque, namedtuple

import keras
import pytest
from keras.src.tree import optree_impl

import autograd_nn as ag

Pair = namedtuple("Pair", "x y")
NESTS = [
    [], [[]], [1], [None], {"b": 1, "a": [2, 3]}, Pair(1, (2,)), deque([1, 2]), OrderedDict(b=1, a=2),
    defaultdict(list, b=1, a=(2, {})), None, 3, "abc", ([], {}), {1, 2}, {2: [{"x": (3, Pair([4], 5))}], 1: None},
]  # fmt: skip
NAMES = sorted(name for name in dir(keras.tree) if not name.startswith("_"))


def test_all_names_with_their_arguments():
    for name in NAMES:
        ours, theirs = getattr(ag.tree, name), getattr(keras.tree, name)
        if name != "MAP_TO_NONE":
            kept = [[(p.name, p.default) for p in inspect.signature(f).parameters.values()] for f in (ours, theirs)]
            assert kept[0] == kept[1]


def outcomes(call, reference=keras.tree):
    """What both libraries say; only the type where they raise an error."""
    found = []
    for tree in (ag.tree, reference):
        try:
            found.append(call(tree))
        except (ValueError, TypeError) as error:
            found.append(ValueError if isinstance(error, ValueError) else TypeError)
    return found


@pytest.mark.parametrize("nest", NESTS, ids=repr)
def test_functions_of_one_nest(nest):
    for call in (
        lambda t: t.flatten(nest), lambda t: t.flatten_with_path(nest), lambda t: t.is_nested(nest),
        lambda t: t.lists_to_tuples(nest), lambda t: t.map_structure(repr, nest),
        lambda t: t.map_structure(repr, nest, none_is_leaf=False), lambda t: t.map_shape_structure(repr, nest),
        lambda t: t.traverse(lambda part: "found" if part == 2 else None, nest),
        lambda t: t.traverse(lambda part: t.MAP_TO_NONE if part == 2 else None, nest),
        lambda t: t.traverse(lambda part: "short" if isinstance(part, (list, tuple)) and len(part) < 2 else None,
                             nest, top_down=False),
        lambda t: t.pack_sequence_as(nest, list(range(len(t.flatten(nest))))),
        lambda t: t.pack_sequence_as(nest, [0, 0, 0]),
    ):  # fmt: skip
        ours, theirs = outcomes(call)
        assert ours == theirs and type(ours) is type(theirs)


def test_functions_of_two_nests():
    """Beside torch, Keras compares structures less strictly than its documentation says; with optree it does."""
    for a in NESTS:
        for b in NESTS:
            for call in (
                lambda t, a=a, b=b: t.assert_same_structure(a, b),
                lambda t, a=a, b=b: t.assert_same_paths(a, b),
                lambda t, a=a, b=b: t.map_structure(lambda x, y: (x, y), a, b),
            ):
                ours, theirs = outcomes(call, optree_impl)
                assert ours == theirs, (a, b)
            ours, theirs = outcomes(lambda t, a=a, b=b: t.map_structure_up_to(a, repr, b))
            assert ours == theirs, (a, b)


def by_scopes(library):
    class Block(library.layers.Layer):
        def build(self, input_shape):
            with library.name_scope("inside"):
                self.own = self.add_weight(shape=(1,), name="own")
                self.first = library.layers.Dense(2, name="first")
                self.first.build(input_shape)

    with library.name_scope("a"), library.name_scope("b"):
        block = Block(name="block")
        block.build((None, 3))
        with library.name_scope("c", override_parent="x/y"):
            dense = library.layers.Dense(2, name="dense")
            dense.build((None, 3))
    return [v.path for v in (*block.weights, *dense.weights)]


def test_paths_in_scopes():
    assert by_scopes(ag) == by_scopes(keras)
