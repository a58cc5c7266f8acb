"""Layers that add random noise while training: spatial dropout, Gaussian noise, alpha dropout."""

import math
from typing import Any

from .. import ops, random
from ..config import standardize_data_format
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from ..saving.registry import register
from .core import as_float
from .regularization import Noisy, checked_rate
from .windowed import ImageSpec

# The slope and scale of selu for which mean and variance of activations keep 0 and 1 (Klambauer et al. 2017).
_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


class SpatialDropout(Noisy):
    """What SpatialDropout1D, SpatialDropout2D and SpatialDropout3D share."""

    rank = 0

    def _set_rate(self, rate: Any, seed: Any, data_format: str) -> None:
        self.rate = rate
        self.data_format = data_format
        self.input_spec = ImageSpec(self.rank, data_format)
        self._draws(seed, rate > 0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        channel = 1 if self.data_format == "channels_first" else self.rank + 1
        shape = tuple(None if axis in (0, channel) else 1 for axis in range(self.rank + 2))
        return random.dropout(inputs, self.rate, noise_shape=shape, seed=self.seed_generator)


@register()
class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels: while training, a random part `rate` of them is zero at all time steps.

    rate: 0 <= rate < 1
    seed: an int for the same masks in every run

    Input and output: (batch, steps, channels). Tompson et al. 2014, arXiv 1411.4280.

    >>> import autograd_nn as ag
    >>> ag.layers.SpatialDropout1D(0.5)([[[1.0, 2.0]]]).tolist()
    [[[1.0, 2.0]]]
    """

    rank = 1

    def __init__(
        self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        rate = checked_rate(rate, "SpatialDropout1D: rate")
        super().__init__(name=name, dtype=dtype, **kwargs)
        self._set_rate(rate, seed, "channels_last")


class SpatialDropoutND(SpatialDropout):
    """What SpatialDropout2D and SpatialDropout3D share."""

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        rate = checked_rate(rate, f"{type(self).__name__}: rate")
        layout = standardize_data_format(data_format)
        super().__init__(name=name, dtype=dtype, **kwargs)
        self._set_rate(rate, seed, layout)


@register()
class SpatialDropout2D(SpatialDropoutND):
    """Dropout of whole channels of images. Arguments as in SpatialDropout1D.

    data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None

    Input and output: (batch, height, width, channels).

    >>> import autograd_nn as ag
    >>> ag.layers.SpatialDropout2D(0.5)(ag.ops.ones((2, 3, 3, 4)), training=True).shape
    (2, 3, 3, 4)
    """

    rank = 2


@register()
class SpatialDropout3D(SpatialDropoutND):
    """Dropout of whole channels of volumes. Arguments as in SpatialDropout2D.

    Input and output: (batch, depth, height, width, channels).

    >>> import autograd_nn as ag
    >>> ag.layers.SpatialDropout3D(0.5)(ag.ops.ones((2, 3, 3, 3, 4)), training=True).shape
    (2, 3, 3, 3, 4)
    """

    rank = 3


@register()
class GaussianNoise(Noisy):
    """While training, adds normal random numbers with mean 0 to the inputs.

    stddev: their standard deviation, 0 <= stddev <= 1
    seed:   an int for the same numbers in every run

    Input and output: any shape. Raises InvalidArgument for another deviation.

    >>> import autograd_nn as ag
    >>> ag.layers.GaussianNoise(0.1)([1.0, 2.0]).tolist()
    [1.0, 2.0]
    """

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Any) -> None:
        if isinstance(stddev, (bool, str)) or not hasattr(stddev, "__float__"):
            raise ArgumentTypeError(f"GaussianNoise: stddev must be a number from 0 to 1, got {short(stddev)}")
        if not 0 <= stddev <= 1:
            raise InvalidArgument(f"GaussianNoise: stddev must be a number from 0 to 1, got {short(stddev)}")
        super().__init__(**kwargs)
        self.stddev = stddev
        self._draws(seed, stddev > 0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.stddev == 0:
            return inputs
        x = as_float(inputs, self.compute_dtype)
        return x + random.normal(ops.shape(x), 0.0, self.stddev, x.dtype, self.seed_generator)


@register()
class GaussianDropout(Noisy):
    """While training, multiplies the inputs by normal random numbers with mean 1 and variance rate / (1 - rate).

    rate: 0 <= rate < 1
    seed: an int for the same numbers in every run

    Input and output: any shape. Raises InvalidArgument for another rate. Srivastava et al. 2014, JMLR 15, section 10.

    >>> import autograd_nn as ag
    >>> ag.layers.GaussianDropout(0.5)([1.0, 2.0]).tolist()
    [1.0, 2.0]
    """

    def __init__(self, rate: float, seed: Any = None, **kwargs: Any) -> None:
        rate = checked_rate(rate, "GaussianDropout: rate")
        super().__init__(**kwargs)
        self.rate = rate
        self._draws(seed, rate > 0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        x = as_float(inputs, self.compute_dtype)
        deviation = math.sqrt(self.rate / (1 - self.rate))
        return x * random.normal(ops.shape(x), 1.0, deviation, x.dtype, self.seed_generator)


@register()
class AlphaDropout(Noisy):
    """Dropout for networks of selu: dropped elements take selu's lowest value, and mean and variance are kept.

    rate, noise_shape, seed: as in Dropout

    Input and output: any shape. Raises InvalidArgument for another rate, ShapeError for a noise shape with another
    number of axes than the inputs. Klambauer et al. 2017, arXiv 1706.02515.

    >>> import autograd_nn as ag
    >>> ag.layers.AlphaDropout(0.5)([1.0, 2.0]).tolist()
    [1.0, 2.0]
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        rate = checked_rate(rate, "AlphaDropout: rate")
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self._draws(seed, rate > 0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        x = as_float(inputs, self.compute_dtype)
        lowest = -_SELU_ALPHA * _SELU_SCALE
        scale = 1 / math.sqrt((1 - self.rate) * (1 + self.rate * lowest**2))
        drawn = random.uniform(self._shape_of_noise(x), dtype=x.dtype, seed=self.seed_generator)
        return scale * (ops.where(drawn >= self.rate, x, lowest) - lowest * self.rate)

    def _shape_of_noise(self, x: Tensor) -> tuple[Any, ...]:
        sizes = ops.shape(x)
        if self.noise_shape is None:
            return sizes
        if len(self.noise_shape) != len(sizes):
            raise ShapeError(
                f"layer {self.name!r}: noise_shape {short(self.noise_shape)} must have the {len(sizes)} axes of "
                f"input {x.shape}"
            )
        return tuple(size if given is None else given for given, size in zip(self.noise_shape, sizes))
