"""The layer suite finds what is wrong with a layer, and names it."""

import numpy as np
import pytest

from autograd_nn import layers, ops
from autograd_nn.random import SeedGenerator, uniform
from autograd_nn.testing import layer_suite


class Right(layers.Layer):
    """A layer without fault, whose subclasses have one each."""

    def __init__(self, by=2.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def build(self, input_shape):
        self.w = self.add_weight((input_shape[-1],), name="w")

    def call(self, x):
        return ops.tanh(x * self.w) * self.by


class LosesArgument(Right):
    def get_config(self):
        config = super().get_config()
        config["by"] = 1.0
        return config


class LosesName(Right):
    @classmethod
    def from_config(cls, config):
        return cls(by=config["by"], dtype=config["dtype"], trainable=config["trainable"])


class TakesAnything(Right):
    def __init__(self, by=2.0, **kwargs):
        super().__init__(by, **{key: value for key, value in kwargs.items() if key in ("name", "dtype", "trainable")})


class BakesBatch(Right):
    def call(self, x):
        return ops.reshape(super().call(x), (3, -1))


class MixesSamples(Right):
    def call(self, x):
        return super().call(x) - ops.mean(x, axis=0)


class Forgets(Right):
    calls = 0

    def call(self, x):
        Forgets.calls += 1
        return super().call(x) + float(Forgets.calls)


class Widens(Right):
    def call(self, x):
        return ops.cast(super().call(x), "float64")


class BlocksGradient(Right):
    def call(self, x):
        return super().call(ops.stop_gradient(x))


class RandomInTraining(Right):
    def __init__(self, by=2.0, **kwargs):
        super().__init__(by, **kwargs)
        self.seeds = SeedGenerator(0)

    def call(self, x, training=False):
        y = super().call(x)
        return y * uniform((1,), dtype=y.dtype, seed=self.seeds) if training else y


def test_a_right_layer_passes():
    layer_suite(Right, {"by": 3.0}, (4,), output_shape=(4,), weights=("w",), mask=False)
    layer_suite(RandomInTraining, {}, (4,), random_in_training=True)
    layer_suite(MixesSamples, {}, (4,), per_sample=False)


@pytest.mark.parametrize("layer_class, match", [
    (LosesArgument, "config|the layer of the config"),
    (LosesName, "config"),
    (TakesAnything, "a misspelt argument is accepted"),
    (BakesBatch, "compute_output_shape gives"),
    (MixesSamples, "samples in a larger batch"),
    (Forgets, "the layer of the config|a second call"),
    (Widens, "a float32 layer returns float64"),
    (BlocksGradient, "gradient|disconnected|zero"),
    (RandomInTraining, "two calls with training=True differ"),
])  # fmt: skip
def test_a_wrong_layer_is_found(layer_class, match):
    with pytest.raises(Exception, match=match):
        layer_suite(layer_class, {"by": 3.0}, (4,))


@pytest.mark.parametrize("expected, match", [
    ({"output_shape": (5,)}, r"output shape \(3, 4\), expected \(3, 5\)"),
    ({"weights": ("kernel",)}, "weights"),
    ({"mask": True}, "supports_masking is not True"),
    ({"random_in_training": True}, "two calls with training=True agree"),
])  # fmt: skip
def test_wrong_expectations_are_found(expected, match):
    with pytest.raises(AssertionError, match=match):
        layer_suite(Right, {}, (4,), **expected)


def test_data_may_be_given():
    layer_suite(layers.Dense, {"units": 2}, input_data=lambda batch: np.arange(3.0 * batch).reshape(batch, 3) / 10)
