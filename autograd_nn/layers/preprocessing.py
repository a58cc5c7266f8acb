"""Layers that bring data into a range: Rescaling, Normalization."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .. import ops
from ..config import epsilon, image_data_format
from ..engine.convert import as_tensor, to_array
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, AxisError, DataError, InvalidArgument, ShapeError, short
from ..saving.registry import register
from .core import as_float
from .layer import Layer


@register()
class Rescaling(Layer):
    """`inputs * scale + offset`, such as Rescaling(1 / 255) for images of bytes.

    scale, offset: numbers, or arrays that broadcast against the inputs, such as one number per channel

    Input and output: any shape; integers become floats.

    >>> import autograd_nn as ag
    >>> ag.layers.Rescaling(0.5, offset=-1.0)([2, 4]).tolist()
    [0.0, 1.0]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        x = as_float(inputs, self.compute_dtype)
        scale = as_tensor(self.scale, x.dtype)
        if scale.ndim and image_data_format() == "channels_first":
            scale = ops.reshape(scale, (*scale.shape, *(1,) * (3 - scale.ndim)))
        return x * scale + as_tensor(self.offset, x.dtype)


@register()
class Normalization(Layer):
    """`(inputs - mean) / sqrt(variance)`, with mean and variance per element along `axis`.

    axis:           the axis or axes that keep elements of their own; None for one mean of everything
    mean, variance: numbers or arrays; if None, weights that `adapt(data)` sets
    invert:         compute `inputs * sqrt(variance) + mean` instead

    Input and output: any shape. Raises InvalidArgument unless mean and variance are both given, with the same shape, or
    neither; AxisError for an axis out of range; ShapeError for a size along `axis` that is not known.

    >>> import autograd_nn as ag
    >>> layer = ag.layers.Normalization(axis=None)
    >>> layer.adapt(ag.tensor([[1.0], [3.0]]))
    >>> layer([[1.0], [5.0]]).tolist()
    [[-1.0], [3.0]]
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        axes = () if axis is None else tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
        if any(isinstance(a, bool) or not hasattr(a, "__index__") for a in axes):
            raise ArgumentTypeError(f"Normalization: axis must be an int, ints, or None, got {short(axis)}")
        if (mean is None) != (variance is None):
            raise InvalidArgument("Normalization: give both mean and variance, or neither and call adapt(data)")
        if mean is not None and np.shape(mean) != np.shape(variance):
            raise InvalidArgument(
                f"Normalization: mean and variance must have the same shape, got {np.shape(mean)} and "
                f"{np.shape(variance)}"
            )
        if mean is not None and np.ndim(mean) > len(axes):
            raise InvalidArgument(
                f"Normalization: mean must have at most {len(axes)} axes, those of axis={axis}, got {np.ndim(mean)}"
            )
        super().__init__(**kwargs)
        self.axis = axes
        self.input_mean = mean
        self.input_variance = variance
        self.invert = invert
        self.supports_masking = True

    def get_config(self) -> dict[str, Any]:
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {
            **super().get_config(), "axis": self.axis, "invert": self.invert,
            **{key: None if value is None else to_array(value).tolist() for key, value in given.items()},
        }  # fmt: skip

    def build(self, input_shape: Any) -> None:
        self._kept = self._kept_axes(input_shape)
        sizes = tuple(int(input_shape[axis]) for axis in self._kept)
        self._placed = tuple(input_shape[axis] if axis in self._kept else 1 for axis in range(len(input_shape)))
        if self.input_mean is not None:
            self._given = [self._spread(to_array(v), sizes) for v in (self.input_mean, self.input_variance)]
            return
        self.adapt_mean = self.add_weight(sizes, "zeros", trainable=False, name="mean")
        self.adapt_variance = self.add_weight(sizes, "ones", trainable=False, name="variance")
        # Nothing reads it: it is there so that the weights are those of Keras.
        self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")

    def _kept_axes(self, shape: Any) -> tuple[int, ...]:
        """The axes with elements of their own, from 0 on; AxisError or ShapeError where the shape lacks them."""
        ndim = len(shape)
        wrong = [axis for axis in self.axis if not -ndim <= axis < ndim]
        if wrong:
            raise AxisError(f"layer {self.name!r}: axis {wrong[0]} is out of range for input of shape {tuple(shape)}")
        kept = tuple(sorted(axis % ndim for axis in self.axis))
        if any(shape[axis] is None for axis in kept):
            raise ShapeError(
                f"layer {self.name!r} needs to know the sizes of its input along axis {self.axis}, got {tuple(shape)}"
            )
        return kept

    def _spread(self, value: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
        """A given mean or variance as it broadcasts against the inputs."""
        try:
            return np.broadcast_to(value, sizes).reshape(self._placed)
        except ValueError:
            raise ShapeError(
                f"layer {self.name!r}: mean of shape {value.shape} does not fit {sizes} along axis {self.axis}"
            ) from None

    @property
    def mean(self) -> Tensor | None:
        """The mean that is subtracted, with as many axes as the input; None before it is known."""
        return self._moments(self.compute_dtype)[0] if self.built else None

    @property
    def variance(self) -> Tensor | None:
        """The variance, as `mean`."""
        return self._moments(self.compute_dtype)[1] if self.built else None

    def _moments(self, dtype: Any) -> list[Tensor]:
        """Mean and variance, as they broadcast against the inputs."""
        if self.input_mean is not None:
            return [as_tensor(value, dtype) for value in self._given]
        return [ops.reshape(weight, self._placed) for weight in (self.adapt_mean, self.adapt_variance)]

    def call(self, inputs: Any) -> Any:
        x = as_float(inputs, self.compute_dtype)
        mean, variance = self._moments(x.dtype)
        deviation = ops.maximum(ops.sqrt(variance), epsilon())
        return x * deviation + mean if self.invert else (x - mean) / deviation

    def adapt(self, data: Any) -> None:
        """Set mean and variance to those of the data: an array, or an iterable of batches (arrays, or tuples (x, ...)).

        Raises DataError for data without samples, ShapeError for batches that differ in their sizes along `axis`,
        InvalidArgument for a layer that was given mean and variance.
        """
        if self.input_mean is not None:
            raise InvalidArgument(f"adapt of {self.name!r}: mean and variance were given; leave them out to adapt")
        count, mean, squares = 0, np.zeros(()), np.zeros(())
        for batch in _batches(data, self.name):
            if not self.built:
                self.build(batch.shape)
            n, here, spread = self._moments_of(batch)
            if not n:
                continue
            shift = here - mean
            # Chan, Golub and LeVeque 1979: sums of squares around the mean, joined without cancellation.
            squares = squares + spread * n + shift**2 * (count * n / (count + n))
            mean = mean + shift * (n / (count + n))
            count += n
        if not count:
            raise DataError(f"adapt of {self.name!r}: the data hold no samples")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(squares / count)

    def _moments_of(self, batch: np.ndarray) -> tuple[int, Any, Any]:
        """How many elements a batch has for each mean, their mean and their variance."""
        kept = self._kept
        if batch.ndim != len(self._placed) or any(batch.shape[axis] != self._placed[axis] for axis in kept):
            raise ShapeError(
                f"adapt of {self.name!r}: built for sizes {self._placed} along axis {self.axis}, got data of shape "
                f"{batch.shape}"
            )
        rest = tuple(axis for axis in range(batch.ndim) if axis not in kept)
        n = math.prod(batch.shape[axis] for axis in rest)
        if not n:
            return 0, None, None
        return n, batch.mean(axis=rest, dtype=np.float64), batch.var(axis=rest, dtype=np.float64)


def _batches(data: Any, name: str) -> Iterator[np.ndarray]:
    """The batches of data: of an array the only one, else the arrays, or the first parts of tuples, in it."""
    if isinstance(data, Tensor) or hasattr(data, "__array__"):
        yield to_array(data)
        return
    if not isinstance(data, Iterable) and not hasattr(data, "__getitem__"):
        raise ArgumentTypeError(f"adapt of {name!r} expects an array or batches of arrays, got {short(data)}")
    numbered = hasattr(data, "__getitem__") and hasattr(data, "__len__")
    for batch in (data[k] for k in range(len(data))) if numbered else data:
        x = batch[0] if isinstance(batch, tuple) else batch
        if not hasattr(x, "__array__"):
            raise ArgumentTypeError(f"adapt of {name!r} expects batches that are arrays, got {short(x)}")
        yield to_array(x)
