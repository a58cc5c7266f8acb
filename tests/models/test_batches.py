"""Single batches: what is checked at each of them, and what only once for batches of one form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_nn import config, layers, models
from autograd_nn.errors import DataError, ShapeError
from autograd_nn.models.arrays import _all_finite, check_finite

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype("float32")
LABELS = np.arange(6) % 3


def classifier():
    model = models.Sequential([layers.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def broken(place, value):
    x = X.copy()
    x[place] = value
    return x


METHODS = pytest.mark.parametrize("method", ["train_on_batch", "test_on_batch"])


@METHODS
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_are_checked_at_every_batch(method, value):
    model = classifier()
    call = getattr(model, method)
    for _ in range(3):
        call(X, LABELS)
    before = model.get_weights()
    with pytest.raises(DataError, match=r"x has 1 non-finite value, .* at x\[2, 1\]"):
        call(broken((2, 1), value), LABELS)
    with pytest.raises(DataError, match="label 3 at y.5. is outside 0..2"):
        call(X, np.array([0, 1, 2, 0, 1, 3]))
    with pytest.raises(DataError, match="sample_weight"):
        call(X, LABELS, sample_weight=np.array([1, 1, np.nan, 1, 1, 1], "float32"))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


@METHODS
def test_another_form_is_checked_anew(method):
    model = classifier()
    call = getattr(model, method)
    for _ in range(3):
        call(X, LABELS)
    with pytest.raises(ShapeError, match="x has shape"):
        call(X[:, :3], LABELS)
    with pytest.raises(DataError, match="y"):
        call(X, LABELS[:5])


def test_forms_that_need_a_conversion_give_the_same_results():
    model = classifier()
    expected = model.test_on_batch(X, LABELS)
    for _ in range(3):
        assert model.test_on_batch(X.astype("float64"), LABELS) == expected
        assert model.test_on_batch(np.asfortranarray(X), LABELS.astype("int8")) == expected
        assert model.test_on_batch(X[::-1], LABELS[::-1]) == pytest.approx(expected)


def test_a_known_form_is_checked_again_after_compile_and_after_another_default():
    model = classifier()
    for _ in range(2):
        model.train_on_batch(X, LABELS)
    model.compile("sgd", "categorical_crossentropy")
    with pytest.raises(ShapeError, match="class ids"):
        model.train_on_batch(X, LABELS)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(X, LABELS)
    config.set_floatx("float64")
    try:
        model.train_on_batch(X, LABELS)
    finally:
        config.set_floatx("float32")


def test_several_inputs_and_weights_keep_their_places():
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    model = models.Model({"a": a, "b": b}, layers.Dense(1)(layers.Subtract()([a, b])))
    model.compile("sgd", "mse")
    y = np.ones((6, 1), "float32")
    first = model.test_on_batch({"a": X, "b": 2 * X}, y, sample_weight=np.ones(6, "float32"))
    again = model.test_on_batch({"a": X, "b": 2 * X}, y, sample_weight=np.ones(6, "float32"))
    turned = model.test_on_batch({"b": 2 * X, "a": X}, y, sample_weight=np.ones(6, "float32"))
    assert first == again == turned


def test_a_few_samples_are_predicted_as_many_are():
    model = classifier()
    many = model.predict(X, batch_size=4, verbose=0)
    np.testing.assert_allclose(model.predict(X, verbose=0), many, rtol=1e-6)
    np.testing.assert_allclose(model.predict(X[:1], verbose=0), many[:1], rtol=1e-6)
    with pytest.raises(DataError, match="0 samples"):
        model.predict(X[:0], verbose=0)
    for _ in range(2):
        with pytest.raises(DataError, match="non-finite"):
            model.predict(broken((0, 0), np.nan)[:1], verbose=0)


@given(st.sampled_from(["float16", "float32", "float64"]), st.data())
def test_finite_numbers_are_told_from_others(dtype, data):
    bits = {"float16": "uint16", "float32": "uint32", "float64": "uint64"}[dtype]
    words = st.integers(0, np.iinfo(bits).max)
    array = np.array(data.draw(st.lists(words, min_size=1, max_size=12)), bits).view(dtype)
    assert _all_finite(array) == np.isfinite(array).all()
    assert _all_finite(np.repeat(array, 2)[::2]) == np.isfinite(array).all()


@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf])
def test_a_large_array_with_one_such_number(value):
    array = np.zeros((1100, 1000), "float32")
    check_finite(array, "x")
    array[1099, 999] = value
    with pytest.raises(DataError, match=r"1 non-finite value, .* x\[1099, 999\]"):
        check_finite(array, "x")
