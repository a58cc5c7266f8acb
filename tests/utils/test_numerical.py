"""to_categorical, normalize, PyDataset's arguments, set_random_seed."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_nn import utils
from autograd_nn.errors import ArgumentTypeError, DataError, DTypeError, InvalidArgument

ids = hnp.arrays("int64", hnp.array_shapes(max_dims=3, max_side=5), elements=st.integers(0, 6))


@given(ids)
def test_one_hot_rows(x):
    rows = utils.to_categorical(x, 7)
    shape = x.shape[:-1] if x.ndim > 1 and x.shape[-1] == 1 else x.shape
    assert rows.shape == (*shape, 7)
    assert (rows.sum(-1) == 1).all()
    assert np.array_equal(rows.argmax(-1), x.reshape(shape))


def test_number_of_classes():
    assert utils.to_categorical([0, 3]).shape == (2, 4)
    assert utils.to_categorical(np.array([1.0, 2.0])).shape == (2, 3)
    assert utils.to_categorical(2).tolist() == [0, 0, 1]
    assert utils.to_categorical([], 3).shape == (0, 3)
    assert utils.to_categorical([0], np.int64(2)).shape == (1, 2)


@pytest.mark.parametrize(
    "x, classes, error, message",
    [
        ([0, 3], 3, DataError, "id 3 at index 1 is outside 0..2"),
        ([0, -1], None, DataError, "id -1 at index 1"),
        ([0, 0.5], None, DataError, "0.5 at index 1 is no class id"),
        (["a"], None, DTypeError, "expected numbers"),
        ([], None, DataError, "x is empty"),
        ([0], 0, InvalidArgument, "num_classes"),
        ([0], 2.5, InvalidArgument, "num_classes"),
        ([0], True, InvalidArgument, "num_classes"),
        ([0, np.nan], None, DataError, "nan at index 1"),
    ],
)
def test_what_is_no_class(x, classes, error, message):
    with pytest.raises(error, match=message):
        utils.to_categorical(x, classes)


@given(
    hnp.arrays("float64", hnp.array_shapes(min_dims=2, max_dims=3, max_side=4), elements=st.floats(-9, 9)),
    st.sampled_from([1, 2, 3]),
)
def test_normalize(x, order):
    scaled = utils.normalize(x, order=order)
    norms = np.linalg.norm(scaled, order, axis=-1)
    zero = ~x.any(-1)
    assert not scaled[zero].any()
    tiny = abs(x).max(-1) < 1e-100
    assert np.allclose(norms[~zero & ~tiny], 1)


def test_normalize_arguments():
    assert np.allclose(utils.normalize([3.0, 4.0]), [0.6, 0.8])
    assert np.allclose(utils.normalize([[3.0], [4.0]], axis=0), [[0.6], [0.8]])
    for order in (0, "2", True):
        with pytest.raises(ArgumentTypeError, match="order must be"):
            utils.normalize([1.0], order=order)
    with pytest.raises(ValueError, match="out of range"):
        utils.normalize([1.0], axis=1)


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": "2"}, {"max_queue_size": 0}, {"workers": True}])
def test_dataset_arguments(options):
    with pytest.raises(InvalidArgument, match="must be an int >= 1"):
        utils.PyDataset(**options)


def test_dataset_methods_must_be_defined():
    data = utils.Sequence()
    with pytest.raises(NotImplementedError, match="PyDataset must define __getitem__"):
        data[0]
    with pytest.raises(NotImplementedError, match="__len__"):
        len(data)
    with pytest.warns(UserWarning, match="threads"):
        utils.PyDataset(use_multiprocessing=True)


def test_set_random_seed():
    def draws():
        utils.set_random_seed(5)
        return random.random(), np.random.random()

    assert draws() == draws()
    for seed in (-1, 2**32, 1.5, "1", None, True):
        with pytest.raises(InvalidArgument, match="seed must be an int"):
            utils.set_random_seed(seed)
