"""States of callbacks come back from text and arrays as they were."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn.errors import ArgumentTypeError
from autograd_nn.models.plain_state import as_bytes, from_bytes, from_plain, to_plain

dtypes = st.sampled_from(["float16", "float32", "float64", "int8", "int64", "uint32", "bool", "complex64"])
arrays = st.builds(lambda dtype, n: np.arange(n).astype(dtype), dtypes, st.integers(0, 4))
numbers = st.one_of(
    st.booleans(), st.integers(-(2**80), 2**80), st.floats(), st.sampled_from([np.float32(0.1), np.int8(3)])
)
leaves = st.one_of(st.none(), numbers, st.text(max_size=3), arrays)
nests = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from(["array", "tuple", "dict", "a"]), inner, max_size=3),
    ),
    max_leaves=8,
)


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    return repr(a) == repr(b)


@given(nests)
def test_a_state_comes_back(state):
    held = {}
    text = from_bytes(as_bytes(to_plain(state, held, "callbacks", "a state")))
    assert same(from_plain(text, held), state)


def test_tensors_come_back_as_arrays():
    held = {}
    found = from_plain(to_plain([ag.ops.ones((2,))], held, "callbacks", "a state"), held)
    assert same(found, [np.ones(2, "float32")])


@pytest.mark.parametrize("state", [object(), {1: 2}, {1, 2}, [print], np.array(["text"]), b"bytes"])
def test_what_cannot_be_written(state):
    with pytest.raises(ArgumentTypeError, match="get_state of Mine holds"):
        to_plain({"state": state}, {}, "callbacks", "get_state of Mine")
