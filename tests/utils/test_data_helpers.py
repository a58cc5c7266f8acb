"""Padding, windows of series, splitting, packing, sessions; the padded rows and windows also against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_nn import Input, Sequential, jit, layers, saving, tensor, utils
from autograd_nn.errors import ArgumentTypeError, DataError, InvalidArgument, ShapeError

sequences = st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=5)


@given(sequences, st.none() | st.integers(0, 7), st.sampled_from(["pre", "post"]), st.sampled_from(["pre", "post"]))
def test_padding(rows, maxlen, padding, truncating):
    padded = utils.pad_sequences(rows, maxlen, padding=padding, truncating=truncating, value=-1)
    length = max(map(len, rows), default=0) if maxlen is None else maxlen
    assert padded.shape == (len(rows), length) and padded.dtype == "int32"
    for row, given_row in zip(padded.tolist(), rows):
        kept = given_row[:length] if truncating == "post" else given_row[len(given_row) - min(length, len(given_row)) :]
        filling = [-1] * (length - len(kept))
        assert row == (kept + filling if padding == "post" else filling + kept)


def test_padding_of_vectors_and_strings():
    padded = utils.pad_sequences([[[1, 2]], [], [[3, 4], [5, 6]]], dtype="float64")
    assert padded.tolist() == [[[0, 0], [1, 2]], [[0, 0], [0, 0]], [[3, 4], [5, 6]]]
    words = utils.pad_sequences([["a"], ["b", "c"]], dtype=object, value="")
    assert words.tolist() == [["", "a"], ["b", "c"]]


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: utils.pad_sequences(3), ArgumentTypeError, "expected a list of sequences"),
        (lambda: utils.pad_sequences([1, 2]), ArgumentTypeError, r"sequences\[0\] is 1"),
        (lambda: utils.pad_sequences([[1]], padding="pos"), InvalidArgument, "did you mean 'post'"),
        (lambda: utils.pad_sequences([[1]], truncating=1), InvalidArgument, "unknown truncating 1"),
        (lambda: utils.pad_sequences([[1]], maxlen=-1), InvalidArgument, "maxlen must be"),
        (lambda: utils.pad_sequences([[1]], value="x"), ArgumentTypeError, "pass dtype=object"),
        (lambda: utils.pad_sequences([[[1, 2]], [[1, 2, 3]]]), ShapeError, r"sequences\[1\] have shape \(3,\)"),
        (lambda: utils.split_dataset(np.arange(4)), InvalidArgument, "give left_size"),
        (lambda: utils.split_dataset(np.arange(4), 4), InvalidArgument, "left_size must be"),
        (lambda: utils.split_dataset(np.arange(4), 0.1), InvalidArgument, "left 0 and right 4"),
        (lambda: utils.split_dataset(np.arange(4), 3, 3), InvalidArgument, "left 3 and right 3"),
        (lambda: utils.split_dataset((np.arange(4), np.arange(3)), 0.5), DataError, "different numbers of samples"),
        (lambda: utils.split_dataset(iter([1]), 0.5), ArgumentTypeError, "expected an array"),
        (lambda: utils.split_dataset(np.arange(4), 0.5)[0].batch(0), InvalidArgument, "batch_size must be"),
        (lambda: utils.unpack_x_y_sample_weight((1, 2, 3, 4)), DataError, "got a tuple of 4"),
        (lambda: utils.timeseries_dataset_from_array(np.arange(5), None, 6), InvalidArgument, "sequence_length"),
        (lambda: utils.timeseries_dataset_from_array(np.arange(5), None, 3, 0), InvalidArgument, "sequence_stride"),
        (lambda: utils.timeseries_dataset_from_array(np.arange(5), None, 3, 1, 3), DataError, "no window of 3"),
        (
            lambda: utils.timeseries_dataset_from_array(np.arange(5), None, 2, start_index=5),
            InvalidArgument,
            "start_index",
        ),
        (
            lambda: utils.timeseries_dataset_from_array(np.arange(5), None, 2, batch_size="8"),
            InvalidArgument,
            "batch_size",
        ),
    ],
)
def test_what_cannot_be_meant(make, error, message):
    with pytest.raises(error, match=message):
        make()


@given(
    st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.integers(17, 20), st.integers(1, 5)
)
def test_windows(length, stride, rate, first, last, batch):
    series, targets = np.arange(20) ** 2, np.arange(20)
    found = utils.timeseries_dataset_from_array(
        series, targets, length, stride, rate, batch, start_index=first, end_index=last
    )
    windows = np.concatenate([found[k][0] for k in range(len(found))])
    expected = [series[s : s + length * rate : rate] for s in range(first, last - (length - 1) * rate, stride)]
    assert np.array_equal(windows, expected)
    begins = np.concatenate([found[k][1] for k in range(len(found))])
    assert begins.tolist() == list(range(first, last - (length - 1) * rate, stride))
    assert all(len(found[k][0]) == batch for k in range(len(found) - 1))


def test_windows_without_targets_batches_or_order():
    plain = utils.timeseries_dataset_from_array(np.arange(6), None, 4, batch_size=None)
    assert [plain[k].tolist() for k in range(len(plain))] == [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5]]
    assert len(utils.timeseries_dataset_from_array(np.arange(20), np.arange(3), 4)[0][1]) == 3
    mixed = utils.timeseries_dataset_from_array(np.arange(50), None, 1, shuffle=True, seed=1)
    before = mixed[0].ravel()
    mixed.on_epoch_end()
    assert before.tolist() != mixed[0].ravel().tolist() != sorted(before.tolist())
    assert sorted(mixed[0].ravel().tolist()) == list(range(50))


def test_windows_are_looked_at_as_tensors():
    windows = utils.timeseries_dataset_from_array(np.arange(9.0), np.arange(9.0), 3, batch_size=2)
    (x, y), *others = windows.take(2)
    assert x.numpy().tolist() == [[0, 1, 2], [1, 2, 3]] and y.numpy().tolist() == [0, 1]
    assert len(others) == 1 and len(list(windows)) == len(windows)


def test_fit_takes_windows_and_split_data():
    series = np.sin(np.arange(60.0))[:, None]
    windows = utils.timeseries_dataset_from_array(series, series[5:], 5, batch_size=16)
    model = Sequential([layers.Flatten(), layers.Dense(1)])
    model.compile("adam", "mse")
    assert len(model.fit(windows, epochs=2, verbose=0).history["loss"]) == 2
    left, right = utils.split_dataset((series[:50].reshape(10, 5, 1), series[:10]), left_size=0.8, shuffle=True, seed=0)
    history = model.fit(left.batch(4), validation_data=right.batch(2), verbose=0).history
    assert set(history) == {"loss", "val_loss"}


def test_split():
    left, right = utils.split_dataset({"a": np.arange(10), "b": np.arange(10) * 2}, left_size=3, right_size=0.5)
    assert (left.cardinality(), len(right)) == (3, 5)
    assert [int(sample["b"]) for sample in right] == [10, 12, 14, 16, 18]
    one, other = utils.split_dataset(np.arange(10), 0.7, shuffle=True, seed=3)
    assert sorted(map(int, [*one, *other])) == list(range(10)) and list(map(int, one)) != list(range(7))
    assert [len(b) for b in one.batch(3)] == [3, 3, 1]
    with pytest.raises(IndexError):
        one[7]


def test_packing():
    x, y, w = np.ones(2), np.zeros(2), np.ones(2)
    for data in ((x,), (x, y), (x, y, w)):
        packed = utils.pack_x_y_sample_weight(*data)
        assert all(a is b for a, b in zip(utils.unpack_x_y_sample_weight(packed), (*data, None, None)))
    assert utils.pack_x_y_sample_weight([x, y]) == ([x, y],)
    assert utils.unpack_x_y_sample_weight([x]) == (x, None, None)


def test_sessions():
    utils.clear_session()
    assert layers.Dense(1).name == "dense"
    assert layers.Dense(1).name == "dense_1"
    utils.clear_session(free_memory=False)
    assert layers.Dense(1).name == "dense"


def test_symbolic_tensors():
    symbol = Input((3,))
    assert utils.is_keras_tensor(symbol) and utils.is_keras_tensor(layers.Dense(1)(symbol))
    assert not any(utils.is_keras_tensor(x) for x in (tensor([1.0]), np.ones(1), None, "x"))
    seen = []
    jit(lambda x: (seen.append(utils.is_keras_tensor(x)), x * 2)[1])(np.ones(2))
    assert seen == [False]


def test_names_of_the_registry_are_here_too():
    assert utils.register_keras_serializable is saving.register_keras_serializable
    assert utils.custom_object_scope is utils.CustomObjectScope
