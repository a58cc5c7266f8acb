"""Layers that make training harder so that the model generalizes better."""

from typing import Any

from .. import random
from ..errors import ArgumentTypeError, InvalidArgument, short
from ..saving.registry import register
from .layer import Layer


@register()
class Dropout(Layer):
    """While training, sets a random part `rate` of the inputs to zero and divides the others by 1 - rate.

    rate:        0 <= rate < 1
    noise_shape: shape of the random mask, None in it for the size of the inputs; all of the inputs if None
    seed:        an int for the same masks in every run

    Input and output: any shape; unchanged when not training. Raises InvalidArgument for another rate.
    Srivastava et al. 2014, JMLR 15.

    >>> import autograd_nn as ag
    >>> ag.layers.Dropout(0.5)([1.0, 2.0]).tolist()
    [1.0, 2.0]
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        self._check_rate(rate)
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed
        if rate > 0:
            self.seed_generator = seed if isinstance(seed, random.SeedGenerator) else random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    @staticmethod
    def _check_rate(rate: Any) -> None:
        if isinstance(rate, (bool, str)) or not hasattr(rate, "__float__"):
            raise ArgumentTypeError(f"Dropout: rate must be a number with 0 <= rate < 1, got {short(rate)}")
        if not 0 <= rate < 1:
            hint = f"; {rate} means {rate / 100}?" if 1 < rate < 100 else ""
            raise InvalidArgument(f"Dropout: rate must be a number with 0 <= rate < 1, got {short(rate)}{hint}")

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator)
