"""Names opened around layers: the paths of their weights, and the groups in a picture."""

import pytest

import autograd_nn as ag
from autograd_nn import layers
from autograd_nn.errors import InvalidArgument


class Block(layers.Layer):
    def build(self, input_shape):
        with ag.name_scope("inside"):
            self.own = self.add_weight(shape=(1,), name="own")
            self.first = layers.Dense(2, name="first")
            self.first.build(input_shape)

    def call(self, inputs):
        with ag.name_scope("part"):
            return self.first(inputs) * self.own


def paths(layer):
    return [v.path for v in layer.weights]


def test_names_around_layers_and_inside_of_them():
    with ag.name_scope("a"), ag.name_scope("b"):
        block = Block(name="block")
        block.build((None, 3))
    expected = ["a/b/block/own", "a/b/block/inside/first/kernel", "a/b/block/inside/first/bias"]
    assert paths(block) == expected
    after = layers.Dense(1, name="after")
    after.build((None, 2))
    assert paths(after) == ["after/kernel", "after/bias"]


def test_another_beginning_and_one_caller_twice():
    with ag.name_scope("a"), ag.name_scope("b", override_parent="x/y"):
        layer = layers.Dense(1, use_bias=False, name="one")
        layer.build((None, 2))
    with ag.name_scope("a", caller=layer), ag.name_scope("a", caller=layer):
        twice = layers.Dense(1, use_bias=False, name="two")
        twice.build((None, 2))
    with ag.name_scope("a", caller=layer), ag.name_scope("a", caller=layer, deduplicate=False):
        again = layers.Dense(1, use_bias=False, name="three")
        again.build((None, 2))
    assert paths(layer) + paths(twice) + paths(again) == ["x/y/b/one/kernel", "a/two/kernel", "a/a/three/kernel"]


def test_a_scope_ends_with_an_error_and_can_be_opened_again():
    opened = ag.name_scope("a")
    with pytest.raises(ZeroDivisionError), opened:
        raise ZeroDivisionError
    with opened, opened:
        layer = layers.Dense(1, use_bias=False, name="one")
        layer.build((None, 2))
    assert paths(layer) == ["a/a/one/kernel"]


def test_nodes_belong_to_it():
    x = ag.Input((3,))
    with ag.name_scope("part"):
        y = x * 2.0
    assert y.scope.names == ("part",) and (x * 2.0).scope is None


@pytest.mark.parametrize("name", ["a/b", 3, None])
def test_what_is_no_name(name):
    with pytest.raises(InvalidArgument, match=r"name_scope: name must be a string without '/', got"):
        ag.name_scope(name)
