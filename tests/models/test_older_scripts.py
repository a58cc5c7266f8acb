"""What scripts written for Keras do, and once could not do here."""

import contextlib
import io

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import config, layers
from autograd_nn.errors import DataError


def test_labels_with_noise_train_and_other_codes_do_not():
    model = ag.Sequential([layers.Dense(1, activation="sigmoid", input_shape=(2,))])
    model.compile("sgd", "binary_crossentropy")
    x = np.ones((4, 2))
    for noisy in (1.05, 1.2, -0.2):
        model.train_on_batch(x, np.full((4, 1), noisy))
    for wrong in (-1.0, 2.0, 255.0):
        with pytest.raises(DataError, match="must be in 0..1"):
            model.train_on_batch(x, np.full((4, 1), wrong))


def test_the_length_of_an_embedding():
    model = ag.Sequential([layers.Embedding(10, 3, input_length=5), layers.Flatten(), layers.Dense(1)])
    assert model.input_shape == (None, 5) and model.output_shape == (None, 1)
    assert ag.Sequential([layers.Embedding(10, 3, input_length=(5,))]).input_shape == (None, 5)


def test_a_summary_of_words():
    model = ag.Sequential([layers.Embedding(10, 3), layers.SimpleRNN(4)])
    assert not model.built
    lines = []
    model.summary(print_fn=lines.append)
    assert "62" in "".join(lines) and model.output_shape == (None, 4)
    assert model.predict(np.array([[1, 2, 3]]), verbose=0).shape == (1, 4)


def test_add_loss_with_inputs():
    class Small(layers.Layer):
        def call(self, inputs):
            self.add_loss(ag.ops.sum(inputs), inputs=inputs)
            return inputs

    layer = Small()
    with pytest.warns(DeprecationWarning, match="add_loss"):
        layer(ag.tensor([1.0, 2.0]))
    assert [float(loss) for loss in layer.losses] == [3.0]


def test_the_mask_of_a_tensor():
    embedded = layers.Embedding(4, 2, mask_zero=True)(np.array([[1, 0]]))
    assert embedded._keras_mask.tolist() == [[True, False]]
    assert ag.tensor([1.0])._keras_mask is None


def printed(verbose):
    model = ag.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, verbose=verbose)
    return out.getvalue().count("\n")


def test_interactive_logging():
    config.disable_interactive_logging()
    try:
        assert not config.is_interactive_logging_enabled()
        assert printed("auto") == printed(2)
    finally:
        config.enable_interactive_logging()
    assert printed("auto") == printed(1)


def test_traceback_filtering_is_taken():
    config.disable_traceback_filtering()
    assert not config.is_traceback_filtering_enabled()
    config.enable_traceback_filtering()
    assert config.is_traceback_filtering_enabled()
