"""Rescaling and Normalization: the layer suite, and statistics that are adapted to data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import layers, models
from autograd_nn.errors import ArgumentTypeError, AxisError, DataError, InvalidArgument, ShapeError
from autograd_nn.testing import layer_suite
from autograd_nn.utils import PyDataset

RNG = np.random.default_rng(0)
CASES = {
    "rescaling": (layers.Rescaling, {"scale": 0.5, "offset": 1.0}, (3,), {"weights": (), "mask": True}),
    "rescaling_each": (layers.Rescaling, {"scale": [0.5, 2.0], "offset": [0.0, 1.0]}, (3, 2), {"output_shape": (3, 2)}),
    "normalization": (layers.Normalization, {"mean": [1.0, 2.0], "variance": [4.0, 1.0]}, (3, 2), {
        "weights": (), "mask": True, "output_shape": (3, 2),
    }),
    "normalization_invert": (
        layers.Normalization, {"axis": None, "mean": 1.0, "variance": 4.0, "invert": True}, (3,), {},
    ),
    "normalization_axes": (
        layers.Normalization, {"axis": (1, -1), "mean": [1.0, 2.0], "variance": [4.0, 0.0]}, (3, 4, 2), {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_layer_suite(name):
    layer_class, init_kwargs, input_shape, expected = CASES[name]
    layer_suite(layer_class, init_kwargs, input_shape, **expected)


def test_images_of_bytes_are_rescaled():
    y = layers.Rescaling(1 / 255)(np.array([[0, 255]], np.uint8))
    assert y.dtype == np.float32 and y.tolist() == [[0.0, 1.0]]


def test_scales_of_channels_that_stand_first():
    try:
        ag.config.set_image_data_format("channels_first")
        y = layers.Rescaling([1.0, 10.0])(np.ones((1, 2, 2, 2)))
    finally:
        ag.config.set_image_data_format("channels_last")
    assert y.numpy()[0, 0].max() == 1 and y.numpy()[0, 1].min() == 10


@given(st.sampled_from([None, -1, 1, (1, 2), (2, 3), (-1, 1)]), st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_adapted_data_have_mean_0_and_variance_1(axis, counts):
    batches = [RNG.normal(3.0, 5.0, size=(n, 3, 2, 2)) for n in counts]
    whole = np.concatenate(batches)
    layer = layers.Normalization(axis, dtype="float64")
    if not len(whole):
        with pytest.raises(DataError, match="no samples"):
            layer.adapt(batches)
        return
    layer.adapt(batches)
    kept = () if axis is None else axis if isinstance(axis, tuple) else (axis,)
    rest = tuple(k for k in range(4) if k not in {a % 4 for a in kept})
    np.testing.assert_allclose(layer.adapt_mean.numpy(), whole.mean(axis=rest), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(layer.adapt_variance.numpy(), whole.var(axis=rest), rtol=1e-9, atol=1e-9)
    y = layer(whole).numpy()
    np.testing.assert_allclose(y, (whole - layer.mean.numpy()) / layer.variance.numpy() ** 0.5, atol=1e-9)
    np.testing.assert_allclose(y.mean(axis=rest), 0, atol=1e-9)
    back = layers.Normalization(axis, invert=True, dtype="float64")
    back.adapt(batches)
    np.testing.assert_allclose(back(y).numpy(), whole, rtol=1e-9, atol=1e-9)


class Batches(PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return self.x[index::3], np.zeros(len(self.x[index::3]))


def test_data_come_in_many_forms():
    x = RNG.normal(size=(9, 2)).astype("float32")
    forms = (x, ag.tensor(x), [x[:4], x[4:]], ((part, None) for part in (x[:4], x[4:])), Batches(x))
    for data in forms:
        layer = layers.Normalization()
        layer.adapt(data)
        np.testing.assert_allclose(layer.adapt_mean.numpy(), x.mean(axis=0), rtol=1e-5, atol=1e-6)


def test_in_a_model_the_statistics_are_fixed_weights():
    x = RNG.normal(5.0, 2.0, size=(50, 3)).astype("float32")
    layer = layers.Normalization()
    layer.adapt(x)
    model = models.Sequential([layers.Input((3,)), layer, layers.Dense(1)])
    assert [w.path.split("/")[-1] for w in layer.non_trainable_weights] == ["mean", "variance", "count"]
    before = layer.get_weights()
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1], epochs=1, verbose=0)
    assert all(map(np.array_equal, before, layer.get_weights()))
    again = layers.Normalization.from_config(layer.get_config())
    again.build((None, 3))
    again.set_weights(before)
    assert np.array_equal(again(x).numpy(), layer(x).numpy())


@pytest.mark.parametrize(
    ("action", "error", "match"),
    [
        (lambda: layers.Normalization(mean=1.0), InvalidArgument, "both mean and variance"),
        (lambda: layers.Normalization(mean=[1.0], variance=2.0), InvalidArgument, "the same shape"),
        (lambda: layers.Normalization(None, [1.0], [1.0]), InvalidArgument, "at most 0 axes"),
        (lambda: layers.Normalization(1.5), ArgumentTypeError, "axis must be an int"),
        (lambda: layers.Normalization(3, name="n")(np.ones((2, 3))), AxisError, "'n': axis 3 is out of range"),
        (lambda: layers.Normalization(1)(layers.Input((None, 3))), ShapeError, "needs to know the sizes"),
        (lambda: layers.Normalization(-1, [1.0, 2.0], [1.0, 1.0])(np.ones((2, 3))), ShapeError, "does not fit"),
        (lambda: layers.Normalization(-1, [1.0], [1.0]).adapt(np.ones((2, 1))), InvalidArgument, "were given"),
        (lambda: layers.Normalization().adapt([]), DataError, "no samples"),
        (lambda: layers.Normalization().adapt([[1.0]]), ArgumentTypeError, "batches that are arrays"),
        (lambda: layers.Normalization().adapt(5), ArgumentTypeError, "an array or batches"),
        (lambda: layers.Normalization().adapt([np.ones((2, 3)), np.ones((2, 4))]), ShapeError, r"of shape \(2, 4\)"),
    ],
)  # fmt: skip
def test_what_cannot_be(action, error, match):
    with pytest.raises(error, match=match):
        action()
