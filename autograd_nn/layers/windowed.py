"""What layers over images share: where the channels stand, and the errors for inputs and settings that do not fit."""

from collections.abc import Callable
from inspect import signature
from types import FunctionType
from typing import Any, TypeVar

from ..engine.spec import Spec, public_shape
from ..engine.tensor import Tensor
from ..errors import InvalidArgument, ShapeError, short
from ..ops.windows import Window, per_axis, window
from .input_spec import InputSpec
from .layer import Layer

F = TypeVar("F", bound=Callable[..., Any])

SPATIAL = {1: ("steps",), 2: ("height", "width"), 3: ("depth", "height", "width")}
_EXAMPLE = {1: (100,), 2: (28, 28), 3: (16, 16, 16)}
_COLOURS = (1, 3, 4)


class ImageSpec(InputSpec):
    """An input with a batch axis, `rank` spatial axes, and channels last or first.

    >>> ImageSpec(2).expected()
    '4 axes (batch, height, width, channels)'
    """

    def __init__(self, rank: int, data_format: str = "channels_last", channels: int | None = None) -> None:
        self.rank = rank
        self.data_format = data_format
        self.channels = channels
        self.channel_axis = 1 if data_format == "channels_first" else rank + 1
        super().__init__(ndim=rank + 2, axes={} if channels is None else {self.channel_axis: channels})

    def get_config(self) -> dict[str, Any]:
        return {"rank": self.rank, "data_format": self.data_format, "channels": self.channels}

    def _in_order(self, spatial: tuple[Any, ...], channels: Any) -> tuple[Any, ...]:
        return (channels, *spatial) if self.data_format == "channels_first" else (*spatial, channels)

    def expected(self) -> str:
        """The axes, by number and name."""
        names = ("batch", *self._in_order(SPATIAL[self.rank], "channels"))
        return f"{len(names)} axes ({', '.join(names)})"

    def violation(self, spec: Spec) -> str:
        if spec.ndim != self.ndim:
            return self.expected()
        return f"{self.channels} channels (axis {self.channel_axis})" if super().violation(spec) else ""

    def hint(self, t: Tensor) -> str:
        if t.ndim == self.ndim:
            return self._other_layout(t)
        if t.ndim == self.rank + 1:
            return self._missing_axis(t)
        example = self._in_order(_EXAMPLE[self.rank], 1)
        sizes = ", ".join(map(str, example))
        return f"; pass inputs as (n, {sizes}) or add Reshape(({sizes}))" if t.ndim <= self.rank else ""

    def _other_layout(self, t: Tensor) -> str:
        """What to type where the channels stand at the other end."""
        last = self.data_format == "channels_last"
        if t.shape[1 if last else -1] != self.channels:
            return ""
        other = "channels_first" if last else "channels_last"
        return f"; {other.replace('_', ' ')}? pass data_format={other!r}"

    def _missing_axis(self, t: Tensor) -> str:
        """What to type where either the batch or the channels are missing."""
        last = self.data_format == "channels_last"
        channels = t.shape[-1 if last else 0]
        if channels == self.channels or self.channels is None and channels in _COLOURS:
            return f"; for one sample pass x[None], shape {public_shape((1, *t.spec.shape))}"
        return f"; for one channel pass {'x[..., None]' if last else 'x[:, None]'}"


class Spatial(Layer):
    """Base of the layers over `rank` spatial axes. Their sizes are plain tuples in the config, as in Keras."""

    rank = 0
    _general_config = True

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {key: self.__dict__[key] if isinstance(self.__dict__.get(key), tuple) else value
                for key, value in config.items()}  # fmt: skip

    def _expects(self, data_format: str) -> None:
        """Note where the channels stand, and take inputs of `rank` spatial axes alone."""
        self.data_format = data_format
        self.input_spec = ImageSpec(self.rank, data_format)

    def _spatial(self, shape: Any) -> Any:
        """The spatial sizes of a shape."""
        return shape[2:] if self.data_format == "channels_first" else shape[1:-1]

    def _first_spatial_axis(self) -> int:
        return 2 if self.data_format == "channels_first" else 1

    def _all_axes(self, pairs: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        """A pair for every axis from those of the spatial axes: (0, 0) for batch and channels."""
        none = ((0, 0),)
        return none * 2 + pairs if self.data_format == "channels_first" else none + pairs + none


def described(cls: type, kwargs: dict[str, Any]) -> str:
    """How messages call a layer that does not exist yet: its class, and its name if it is given one."""
    return f"{cls.__name__} {kwargs.get('name') or ''}".strip()


def checked_window(
    layer: str, rank: int, kernel_size: Any, strides: Any, padding: Any, dilation_rate: Any, causal: bool = False
) -> Window:
    """The window of a convolution layer; InvalidArgument naming the argument for what is no window."""
    sizes = per_axis(kernel_size, rank, layer, "kernel_size")
    if not causal:
        refuse_causal(layer, padding)
    return window(sizes, strides, padding, dilation_rate, rank, layer)


def refuse_causal(layer: str, padding: Any) -> None:
    if isinstance(padding, str) and padding.lower() == "causal":
        raise InvalidArgument(f"{layer}: padding must be 'valid' or 'same', got 'causal'; Conv1D alone has it")


def check_image_shape(shape: Any, spec: ImageSpec, layer: str) -> int:
    """The number of channels of an input shape; ShapeError where the shape does not fit or does not tell."""
    if not isinstance(shape, (tuple, list)) or len(shape) != spec.ndim or not all(map(_is_size, shape)):
        raise ShapeError(f"layer {layer!r} expects {spec.expected()}, got shape {short(shape)}")
    channels = shape[spec.channel_axis]
    if channels is None:
        raise ShapeError(
            f"layer {layer!r} needs to know the number of channels (axis {spec.channel_axis}) of its input, "
            f"got {tuple(shape)}; give it: Input(shape=...) or input_shape=..."
        )
    return int(channels)


def _is_size(value: Any) -> bool:
    return value is None or hasattr(value, "__index__")


def check_reach(layer: str, w: Window, shape: Any, data_format: str, argument: str) -> None:
    """ShapeError where the window is larger than the input, for the sizes that are known."""
    first = data_format == "channels_first"
    sizes = shape[2:] if first else shape[1:-1]
    for axis, size in enumerate(sizes):
        if size is None or w.padding != "valid" or size >= w.reach(axis):
            continue
        hint = f"use padding='same' or a smaller {argument}"
        if not first and _looks_like_channels(shape):
            hint = "channels first? pass data_format='channels_first'"
        raise ShapeError(
            f"layer {layer!r}: {argument} {w.reach(axis)} is larger than input {size} along "
            f"{SPATIAL[len(sizes)][axis]} of {tuple(shape)}; {hint}"
        )


def _looks_like_channels(shape: Any) -> bool:
    """Whether axis 1 of an image looks like its colours."""
    rest = [size for size in shape[2:] if size is not None]
    return len(shape) > 3 and shape[1] in _COLOURS and bool(rest) and shape[1] < min(rest)


def with_defaults(function: F, **defaults: Any) -> F:
    """A copy of a function whose last arguments have other defaults."""
    assert isinstance(function, FunctionType)
    known = signature(function).parameters.values()
    optional = [p for p in known if p.name in defaults or p.default is not p.empty]
    values = tuple(defaults.get(p.name, p.default) for p in optional)
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, values, function.__closure__)
    copy.__annotations__ = function.__annotations__
    return copy  # type: ignore[return-value]
