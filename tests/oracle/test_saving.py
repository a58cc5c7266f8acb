"""Configs that Keras wrote make the same models here."""

import keras
import numpy as np
import pytest

from autograd_nn import models
from autograd_nn.errors import UnknownName

L = keras.layers


def images_and_numbers():
    images, numbers = L.Input((8, 8, 3)), L.Input((5,), name="numbers")
    x = L.Conv2D(4, 3, activation="gelu", kernel_regularizer="l2")(images)
    x = L.Flatten()(L.MaxPooling2D()(x))
    return keras.Model([images, numbers], L.Dense(1)(L.Concatenate()([x, numbers])))


def shared_and_operators():
    x, shared = L.Input((4,)), L.Dense(4)
    return keras.Model(x, shared(shared(x)) + x * 2 - 1)


MODELS = {
    "dense": lambda: keras.Sequential(
        [L.Input((4,)), L.Dense(3, "relu"), L.BatchNormalization(), L.Dropout(0.2), L.Dense(2, "softmax")]
    ),
    "recurrent": lambda: keras.Sequential(
        [L.Input((7,)), L.Embedding(10, 4, mask_zero=True), L.Bidirectional(L.LSTM(3, return_sequences=True)), L.GRU(4)]
    ),
    "several": images_and_numbers,
    "shared": shared_and_operators,
    "nested": lambda: keras.Sequential([L.Input((4,)), keras.Sequential([L.Dense(3)], name="inner"), L.Dense(2)]),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_json_of_keras(name):
    theirs = MODELS[name]()
    ours = models.model_from_json(theirs.to_json())
    assert ours.name == theirs.name
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    ours.set_weights(theirs.get_weights())
    rng = np.random.default_rng(0)
    x = [rng.integers(1, 9, (3, *t.shape[1:])).astype("float32") for t in theirs.inputs]
    x = x if len(x) > 1 else x[0]
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-5)


def test_a_layer_that_is_not_here():
    theirs = keras.Sequential([L.Input((4, 4, 1)), L.RandomFlip()])
    with pytest.raises(UnknownName, match="'RandomFlip', which is not registered"):
        models.model_from_json(theirs.to_json())
