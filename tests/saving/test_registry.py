"""The registry: objects to data and back, names that may and may not be used, what `get` functions share."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import initializers, layers, regularizers, saving
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, UnknownName
from autograd_nn.saving.registry import register, resolve

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.lists(inner).map(tuple),
    max_leaves=20,
)


@given(plain)
def test_data_comes_back_as_it_was(value):
    written = saving.serialize_keras_object(value)
    read = saving.deserialize_keras_object(json.loads(json.dumps(written)))
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize("value", [slice(None, 3), Ellipsis, np.dtype("int32"), (slice(1, None, 2), None)])
def test_arguments_of_operations_come_back(value):
    assert saving.deserialize_keras_object(json.loads(json.dumps(saving.serialize_keras_object(value)))) == value


@pytest.mark.parametrize(
    "array", [np.arange(6, dtype="int32").reshape(2, 3), np.float32(2.5), np.zeros((0, 2)), np.array(True)]
)
def test_arrays_come_back(array):
    read = saving.deserialize_keras_object(json.loads(json.dumps(saving.serialize_keras_object(array))))
    assert np.array_equal(read, array) and read.dtype == array.dtype
    assert np.array_equal(saving.deserialize_keras_object(saving.serialize_keras_object(ag.tensor(array))), array)


def test_objects_of_rooms_with_the_same_name_are_told_apart():
    for room in (layers, initializers):
        made = room.Identity()
        assert type(saving.deserialize_keras_object(saving.serialize_keras_object(made))) is room.Identity


def test_the_form_is_that_of_keras():
    config = saving.serialize_keras_object(regularizers.L2(0.5))
    assert config == {
        "module": "autograd_nn.regularizers", "class_name": "L2", "config": {"l2": 0.5}, "registered_name": None,
    }  # fmt: skip


def test_registered_classes_and_functions():
    @saving.register_keras_serializable(package="tests", name="Renamed")
    class Own(layers.Layer):
        def call(self, x):
            return x

    assert saving.get_registered_name(Own) == "tests>Renamed"
    assert saving.get_registered_object("tests>Renamed") is Own
    assert isinstance(saving.deserialize_keras_object(saving.serialize_keras_object(Own())), Own)
    assert saving.get_registered_name(np.tanh) == "tanh" and saving.get_registered_object("nothing") is None


def test_a_class_defined_again_in_the_same_place_replaces_itself():
    def define():
        @saving.register_keras_serializable(package="tests")
        class Again(layers.Layer):
            pass

        return Again

    first, second = define(), define()
    assert first is not second and saving.get_registered_object("tests>Again") is second


def test_what_may_not_be_registered():
    @saving.register_keras_serializable(package="tests")
    def taken(x):
        return x

    def other(x):
        return x

    with pytest.raises(InvalidArgument, match="'tests>taken' is registered already"):
        saving.register_keras_serializable(package="tests", name="taken")(other)
    with pytest.raises(ArgumentTypeError, match="no get_config"):
        saving.register_keras_serializable()(int)


def test_scopes_of_custom_objects():
    def first(x):
        return x

    def second(x):
        return x

    with saving.custom_object_scope({"f": first}):
        with saving.CustomObjectScope({"f": second, "g": first}):
            assert saving.get_registered_object("f") is second
        assert saving.get_registered_object("f") is first and saving.get_registered_object("g") is None
    assert saving.get_registered_object("f") is None
    saving.get_custom_objects()["f"] = first
    assert ag.activations.get("f") is first
    saving.get_custom_objects().clear()


@pytest.mark.parametrize("value, match", [
    (object(), "has no get_config"),
    (lambda x: x, "has no name to be found by"),
    ({1: 2}, "keys must be strings"),
    (layers.Dense, "cannot write"),
])  # fmt: skip
def test_what_is_no_data(value, match):
    with pytest.raises(ArgumentTypeError, match=match):
        saving.serialize_keras_object(value)


@pytest.mark.parametrize("config, match", [
    ({"class_name": "Dens", "config": {}, "module": "autograd_nn.layers"}, "did you mean 'Dense'"),
    ({"class_name": "function", "config": "eval", "module": "builtins"}, "'eval', which is not registered"),
    ({"class_name": "Popen", "config": {}, "module": "subprocess", "registered_name": "x>Popen"}, "not registered"),
    ({"class_name": "Zzzzz", "config": {}}, "custom_objects={'Zzzzz': Zzzzz}"),
])  # fmt: skip
def test_names_that_are_not_registered(config, match):
    with pytest.raises(UnknownName, match=match):
        saving.deserialize_keras_object(config)


def test_resolve():
    @register(package="tests")
    class Thing:
        def __init__(self, size=1):
            self.size = size

    known = {"thing": Thing, "make": len}
    assert resolve("thing", known, "thing").size == 1 and resolve("make", known, "thing") is len
    assert resolve({"class_name": "thing", "config": {"size": 3}}, known, "thing").size == 3
    made = Thing()
    assert resolve(made, known, "thing") is made and resolve(None, known, "thing") is None
    with pytest.raises(UnknownName, match="unknown thing 'thingg'; did you mean 'thing'"):
        resolve("thingg", known, "thing")
    with pytest.raises(ArgumentTypeError, match=r"got class Thing; write Thing\(...\)"):
        resolve(Thing, known, "thing")
    with pytest.raises(ArgumentTypeError, match="must be a name"):
        resolve(3, known, "thing")
    with pytest.raises(InvalidArgument, match="'class_name' and 'config'"):
        resolve({"size": 3}, known, "thing")
