"""Layers that make training harder so that the model generalizes better: dropout, and penalties on activities."""

from typing import Any

from .. import random, regularizers
from ..errors import ArgumentTypeError, InvalidArgument, short
from ..saving.registry import register
from .layer import Layer


def checked_rate(rate: Any, what: str) -> Any:
    """`rate` if it is a number with 0 <= rate < 1; ArgumentTypeError or InvalidArgument naming `what` for others."""
    if isinstance(rate, (bool, str)) or not hasattr(rate, "__float__"):
        raise ArgumentTypeError(f"{what} must be a number with 0 <= rate < 1, got {short(rate)}")
    if not 0 <= rate < 1:
        hint = f"; {rate} means {rate / 100}?" if 1 < rate < 100 else ""
        raise InvalidArgument(f"{what} must be a number with 0 <= rate < 1, got {short(rate)}{hint}")
    return rate


class Noisy(Layer):
    """Base of the layers that draw random numbers while training."""

    def _draws(self, seed: Any, active: bool) -> None:
        """Note the seed, and make a generator from it if there is something to draw."""
        self.seed = seed
        if active:
            self.seed_generator = seed if isinstance(seed, random.SeedGenerator) else random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True


@register()
class Dropout(Noisy):
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
        rate = checked_rate(rate, "Dropout: rate")
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self._draws(seed, rate > 0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator)


@register()
class ActivityRegularization(Layer):
    """The inputs as they are, with a penalty on them, per sample, added to the loss.

    l1, l2: factors of the sum of absolute values and of the sum of squares

    Raises InvalidArgument for a negative factor.

    >>> import autograd_nn as ag
    >>> layer = ag.layers.ActivityRegularization(l1=0.5)
    >>> y = layer([[1.0, -3.0]])
    >>> [float(loss) for loss in layer.losses]
    [2.0]
    """

    _general_config = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2
        self.supports_masking = True
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "activity_regularizer"}

    def call(self, inputs: Any) -> Any:
        return inputs
