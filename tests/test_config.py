"""Settings that hold everywhere."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import config, layers
from autograd_nn.errors import InvalidArgument


@pytest.fixture(autouse=True)
def restored():
    before = config.floatx(), config.epsilon(), config.image_data_format(), config.backend()
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])
    config.set_image_data_format(before[2])
    config.set_backend(before[3])


def test_floatx_is_the_dtype_of_new_weights_inputs_and_python_floats():
    config.set_floatx("float64")
    assert config.floatx() == "float64"
    assert layers.Dense(2)(np.ones((1, 2), "float32")).dtype == np.float64
    assert layers.Input((2,)).dtype == np.float64 and ag.tensor(1.0).dtype == np.float64


def test_epsilon_and_image_layout():
    config.set_epsilon(1e-5)
    config.set_image_data_format("CHANNELS_FIRST")
    assert config.epsilon() == 1e-5 and config.image_data_format() == "channels_first"
    assert layers.Flatten().data_format == "channels_first"


@pytest.mark.parametrize("call, match", [
    (lambda: config.set_floatx("int32"), "floatx must be"),
    (lambda: config.set_epsilon(0), "positive number"),
    (lambda: config.set_epsilon("1e-7"), "positive number"),
    (lambda: config.set_epsilon(float("nan")), "positive number"),
    (lambda: config.set_image_data_format("channel_last"), "did you mean 'channels_last'"),
    (lambda: config.set_backend("refrence"), "did you mean 'reference'"),
])  # fmt: skip
def test_values_that_cannot_be_meant(call, match):
    before = config.floatx(), config.epsilon(), config.image_data_format(), config.backend()
    with pytest.raises(InvalidArgument, match=match):
        call()
    assert before == (config.floatx(), config.epsilon(), config.image_data_format(), config.backend())
