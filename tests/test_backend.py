"""`K`: variables, symbolic tensors, functions and gradients."""

import warnings

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import backend as K

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def small():
    return ag.Sequential([ag.layers.Dense(3, input_shape=(4,)), ag.layers.Dropout(0.5), ag.layers.Dense(2)])


def test_each_old_name_warns_at_the_line_that_uses_it():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        K.square(2.0)
        K.epsilon()
    assert [str(w.message) for w in found] == ["K.square is an old name of Keras; use ops.square"]
    assert found[0].filename == __file__
    with pytest.raises(AttributeError, match="did you mean 'square'"):
        K.sqare  # noqa: B018
    assert {"square", "epsilon", "function"} <= set(dir(K))


def test_the_module_is_the_name_of_the_backend():
    assert ag.backend() == K() == K.backend() == ag.config.backend()


def test_variables():
    v = K.variable([1.0, 2.0], name="v")
    assert K.get_value(v).tolist() == [1.0, 2.0] and K.dtype(v) == "float32" and K.int_shape(v) == (2,)
    K.set_value(v, [3.0, 4.0])
    K.update_add(v, 1.0)
    K.update_sub(v, [0.0, 1.0])
    assert K.eval(v).tolist() == [4.0, 4.0] and K.count_params(v) == 2 and K.ndim(v) == 1
    K.batch_set_value([(v, [0.0, 1.0])])
    assert K.batch_get_value([v, K.update(v, [5.0, 5.0])])[1].tolist() == [5.0, 5.0]
    assert K.constant(2.0, shape=(2, 2)).tolist() == [[2.0, 2.0], [2.0, 2.0]]


def test_placeholders():
    assert K.placeholder((None, 3)).shape == (None, 3) and K.placeholder(ndim=2).shape == (None, None)
    assert K.int_shape(small().output) == (None, 2)


def test_functions_of_a_model():
    model = small()
    x = np.ones((5, 4), "float32")
    first = K.function([model.input], [model.layers[0].output, model.output])
    inner, outer = first([x])
    np.testing.assert_allclose(inner, x @ model.get_weights()[0] + model.get_weights()[1], rtol=1e-5)
    np.testing.assert_allclose(outer, model.predict(x, verbose=0), rtol=1e-5)
    phased = K.function([model.input, K.learning_phase()], [model.layers[1].output])
    assert (phased([x, 1])[0] == 0).any() and not (phased([x, 0])[0] == 0).any()
    assert not K.learning_phase()
    assert K.function([model.input], model.output)(x).shape == (5, 2)


def test_gradients_of_a_model():
    model = small()
    slopes = K.gradients(K.sum(K.square(model.output)), [model.input, model.layers[0].output])
    scaled = slopes[0] / (K.sqrt(K.mean(K.square(slopes[0]))) + 1e-5)
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    by_input, by_inner, unit = K.function([model.input], [*slopes, scaled])([x])
    expected = ag.grad(lambda t: ag.ops.sum(ag.ops.square(model(t))))(x)
    np.testing.assert_allclose(by_input, np.asarray(expected), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(by_inner @ model.get_weights()[0].T, by_input, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.sqrt((unit**2).mean()), 1.0, rtol=1e-3)
    weight = model.layers[0].kernel
    by_weight = K.function([model.input], K.gradients(K.sum(model.output), weight))([x])
    assert by_weight[0].shape == (4, 3)


def test_gradients_of_values():
    w = K.variable([1.0, 2.0])
    assert K.gradients(K.sum(K.square(w)), [w])[0].tolist() == [2.0, 4.0]


def test_a_loss_written_with_k():
    def loss(y_true, y_pred):
        return K.mean(K.square(y_true - y_pred), axis=-1)

    model = small()
    model.compile("sgd", loss)
    x, y = np.ones((4, 4)), np.zeros((4, 2))
    expected = np.square(model.predict(x, verbose=0)).mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_random_numbers():
    assert K.random_normal((200,), 5.0, 0.1, seed=1).shape == (200,)
    assert float(K.mean(K.random_normal((200,), 5.0, 0.1, seed=1))) == pytest.approx(5, abs=0.1)
    assert 2 <= float(K.min(K.random_uniform((50,), 2.0, 3.0, seed=1))) <= 3
    assert float(K.max(K.abs(K.truncated_normal((50,), seed=1)))) <= 2
    assert float(K.sum(K.dropout(K.ones((10,)), 0.5, seed=1))) != 10


def test_images():
    assert K.conv2d(np.ones((1, 5, 5, 1), "float32"), np.ones((3, 3, 1, 2), "float32")).shape == (1, 3, 3, 2)
    assert K.pool2d(np.ones((1, 4, 4, 1), "float32"), (2, 2), (2, 2), pool_mode="avg").shape == (1, 2, 2, 1)
    K.set_image_dim_ordering("th")
    try:
        assert K.image_data_format() == "channels_first" and K.image_dim_ordering() == "th"
    finally:
        K.set_image_dim_ordering("tf")


def test_choices():
    assert K.switch(True, lambda: K.constant(1.0), lambda: K.constant(2.0)).tolist() == 1.0
    assert K.map_fn(lambda t: t * 2, np.array([1.0, 2.0])).tolist() == [2.0, 4.0]
