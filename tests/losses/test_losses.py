"""Losses: shapes, reductions, weights, and errors for what does not fit; tests/oracle compares with Keras."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_nn import losses, ops
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, ShapeError, UnknownName
from autograd_nn.losses.loss import LossFunctionWrapper

ELEMENTWISE = [losses.mean_squared_error, losses.mean_absolute_error, losses.binary_crossentropy]
OBJECTS = [
    losses.MeanSquaredError,
    losses.MeanAbsoluteError,
    losses.BinaryCrossentropy,
    losses.CategoricalCrossentropy,
    losses.SparseCategoricalCrossentropy,
]
probabilities = hnp.arrays("float64", hnp.array_shapes(min_dims=2, max_dims=3), elements=st.floats(0.01, 0.99))


@pytest.mark.parametrize("loss", ELEMENTWISE)
@pytest.mark.parametrize(
    "true, pred", [((4, 3), (4, 1)), ((4,), (4, 4)), ((4, 1), (4, 3)), ((1, 3), (4, 3)), ((4, 2), (4, 3))]
)
def test_shapes_are_never_broadcast(loss, true, pred):
    with pytest.raises(ShapeError, match="never broadcast"):
        loss(np.full(true, 0.5), np.full(pred, 0.5))


@pytest.mark.parametrize("loss", ELEMENTWISE)
def test_a_missing_last_axis_of_size_one_counts_as_equal(loss):
    rng = np.random.default_rng(0)
    y, p = rng.random(5), rng.random(5)
    expected = loss(y[:, None], p[:, None]).numpy()
    assert np.array_equal(loss(y, p[:, None]).numpy(), expected)
    assert np.array_equal(loss(y[:, None], p).numpy(), expected)


@given(probabilities)
def test_formulas(p):
    y = np.roll(p, 1, 0)
    scaled = p / p.sum(-1, keepdims=True)
    bernoulli = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    expected = {
        losses.mean_squared_error: ((y - p) ** 2).mean(-1),
        losses.mean_absolute_error: abs(y - p).mean(-1),
        losses.binary_crossentropy: bernoulli.mean(-1),
        losses.categorical_crossentropy: -(y * np.log(np.clip(scaled, 1e-7, 1 - 1e-7))).sum(-1),
    }
    for loss, values in expected.items():
        if loss is losses.categorical_crossentropy and p.shape[-1] == 1:
            continue
        assert np.allclose(loss(y, p), values, rtol=1e-12, atol=1e-14)


@given(probabilities)
def test_errors_vanish_where_the_prediction_is_true(p):
    assert not losses.mean_squared_error(p, p).numpy().any()
    assert not losses.mean_absolute_error(p, p).numpy().any()


@given(probabilities)
def test_crossentropy_is_least_where_the_prediction_is_the_truth(p):
    p = p / p.sum(-1, keepdims=True)
    other = np.roll(p, 1, -1)
    least = losses.categorical_crossentropy(p, p).numpy()
    assert (least <= losses.categorical_crossentropy(p, other).numpy() + 1e-12).all()


@given(probabilities)
def test_logits_and_probabilities_agree(p):
    p = p / p.sum(-1, keepdims=True)
    y = np.eye(p.shape[-1])[p.argmin(-1)]
    for name in ("categorical_crossentropy", "binary_crossentropy"):
        loss = getattr(losses, name)
        logits = np.log(p) if name.startswith("cat") else np.log(p) - np.log1p(-np.minimum(p, 1 - 1e-6))
        shown = p if name.startswith("cat") else np.minimum(p, 1 - 1e-6)
        assert np.allclose(loss(y, logits, from_logits=True), loss(y, shown), rtol=1e-5, atol=1e-6)


@given(probabilities)
def test_sparse_agrees_with_one_hot(p):
    ids = np.arange(p[..., 0].size).reshape(p.shape[:-1]) % p.shape[-1]
    one_hot = np.eye(p.shape[-1])[ids]
    expected = losses.categorical_crossentropy(one_hot, p).numpy()
    assert np.allclose(losses.sparse_categorical_crossentropy(ids, p), expected)
    assert np.allclose(losses.sparse_categorical_crossentropy(ids[..., None].astype("float32"), p), expected)


def test_reductions():
    y, p = np.zeros((4, 2)), np.arange(8.0).reshape(4, 2)
    values = (p**2).mean(-1)
    weights = np.array([1.0, 0.0, 2.0, 0.5])

    def reduced(reduction, sample_weight=None):
        return losses.MeanSquaredError(reduction, dtype="float64")(y, p, sample_weight).numpy()

    assert np.isclose(reduced("sum_over_batch_size"), values.mean())
    assert np.isclose(reduced("mean", weights), (values * weights).mean())
    assert np.isclose(reduced("sum", weights), (values * weights).sum())
    assert np.isclose(reduced("mean_with_sample_weight", weights), (values * weights).sum() / weights.sum())
    assert np.isclose(reduced("mean_with_sample_weight"), values.mean())
    assert reduced("mean_with_sample_weight", np.zeros(4)) == 0
    assert np.allclose(reduced("none", weights), values * weights)
    assert np.allclose(reduced(None), values)


def test_weights_apply_along_the_first_axes():
    y, p = np.zeros((3, 4, 2)), np.arange(24.0).reshape(3, 4, 2)
    values = (p**2).mean(-1)
    loss = losses.MeanSquaredError(dtype="float64")
    per_sample, per_step = np.array([1.0, 2.0, 3.0]), np.arange(12.0).reshape(3, 4)
    assert np.isclose(float(loss(y, p, per_sample)), (values * per_sample[:, None]).mean())
    assert np.isclose(float(loss(y, p, per_sample[:, None])), (values * per_sample[:, None]).mean())
    assert np.isclose(float(loss(y, p, per_step)), (values * per_step).mean())


@pytest.mark.parametrize("shape", [(4,), (3, 3), (3, 4, 2, 1), (1, 4)])
def test_weights_that_fit_nowhere(shape):
    if shape == (1, 4):
        shape = (2, 4)
    with pytest.raises(ShapeError, match="sample_weight has shape"):
        losses.MeanSquaredError()(np.zeros((3, 4, 2)), np.zeros((3, 4, 2)), np.ones(shape))


def test_ignored_class_counts_neither_in_sum_nor_in_mean():
    p = np.array([[0.2, 0.8], [0.6, 0.4], [0.9, 0.1]])
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1, dtype="float64")
    expected = losses.SparseCategoricalCrossentropy(dtype="float64")([1, 0], p[[0, 2]])
    assert np.isclose(float(loss([1, -1, 0], p)), float(expected))
    assert np.isclose(float(loss([1, -1, 0], p, [2.0, 9.0, 2.0])), 2 * float(expected))
    assert losses.sparse_categorical_crossentropy([1, -1, 0], p, ignore_class=-1).tolist()[1] == 0


@pytest.mark.parametrize("label", [3, -1, 0.5])
def test_a_label_that_is_no_class(label):
    with pytest.raises(InvalidArgument, match="at index"):
        losses.sparse_categorical_crossentropy([0, label], np.full((2, 3), 1 / 3))


def test_class_ids_and_one_hot_mistaken_for_each_other():
    p = np.full((4, 3), 1 / 3)
    with pytest.raises(ShapeError, match=r"class ids.*to_categorical\(y, 3\)"):
        losses.categorical_crossentropy([0, 1, 2, 0], p)
    with pytest.raises(ShapeError, match="one-hot"):
        losses.sparse_categorical_crossentropy(np.eye(3)[[0, 1, 2, 0]], p)


@pytest.mark.parametrize("axis", [1, -2])
def test_classes_on_another_axis(axis):
    p = np.random.default_rng(0).random((2, 3, 4))
    ids = np.array([[0, 1, 2, 0], [2, 2, 1, 0]])
    moved = losses.sparse_categorical_crossentropy(ids, np.moveaxis(p, 1, -1))
    assert np.allclose(losses.sparse_categorical_crossentropy(ids, p, axis=axis), moved)
    one_hot = np.moveaxis(np.eye(3)[ids], -1, 1)
    assert np.allclose(losses.categorical_crossentropy(one_hot, p, axis=axis), moved)


def test_dtypes():
    assert losses.mean_squared_error(np.zeros((2, 2)), np.ones((2, 2))).dtype == "float64"
    assert losses.mean_squared_error([[0, 1]], [[1, 1]]).dtype == "float32"
    assert losses.MeanSquaredError()(np.zeros((2, 2)), np.ones((2, 2))).dtype == "float32"
    assert losses.MeanSquaredError(dtype="float64")([[0.0]], [[1.0]]).dtype == "float64"


def test_a_function_of_the_user_is_a_loss():
    loss = LossFunctionWrapper(lambda t, p, scale: ops.mean(ops.abs(t - p), -1) * scale, scale=3.0)
    assert float(loss([[0.0]], [[2.0]])) == 6.0


@pytest.mark.parametrize("smoothing", [-0.1, 1.5, True, "0.1"])
@pytest.mark.parametrize("kind", [losses.BinaryCrossentropy, losses.CategoricalCrossentropy])
def test_label_smoothing_must_be_a_share(kind, smoothing):
    with pytest.raises(InvalidArgument, match="label_smoothing"):
        kind(label_smoothing=smoothing)


@pytest.mark.parametrize("reduction", ["men", "", 1, ["sum"]])
def test_unknown_reduction(reduction):
    with pytest.raises(InvalidArgument, match="unknown reduction"):
        losses.MeanSquaredError(reduction=reduction)


@pytest.mark.parametrize(
    "name, function",
    [
        ("mse", "mean_squared_error"),
        ("MSE", "mean_squared_error"),
        ("mae", "mean_absolute_error"),
        ("bce", "binary_crossentropy"),
        ("BCE", "binary_crossentropy"),
        ("mean_squared_error", "mean_squared_error"),
    ],
)
def test_get_by_name(name, function):
    assert losses.get(name) is getattr(losses, function)


def test_get_objects_and_classes():
    loss = losses.MeanSquaredError()
    assert losses.get(loss) is loss
    assert losses.get(None) is None
    assert isinstance(losses.get("CategoricalCrossentropy"), losses.CategoricalCrossentropy)
    with pytest.raises(ArgumentTypeError, match=r"write MeanSquaredError\("):
        losses.get(losses.MeanSquaredError)
    with pytest.raises(UnknownName, match="did you mean 'categorical_crossentropy'"):
        losses.get("categorical_crossentrpy")


@pytest.mark.parametrize("kind", OBJECTS)
def test_config_round_trip(kind):
    options = {"label_smoothing": 0.1, "from_logits": True} if kind is losses.CategoricalCrossentropy else {}
    loss = kind(reduction="sum", name="mine", **options)
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is kind
    assert again.get_config() == loss.get_config()
    assert (again.name, again.reduction) == ("mine", "sum")
