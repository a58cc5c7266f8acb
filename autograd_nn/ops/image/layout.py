"""Where rows, columns and channels of images stand."""

from typing import Any, NamedTuple

from ...engine.convert import as_tensor
from ...engine.op import Bad
from ...engine.spec import show_shape
from ...engine.tensor import Tensor
from ...errors import InvalidArgument, ShapeError, SymbolicError, did_you_mean, short
from ..convolution import channels_first
from ..shape import expand_dims, moveaxis, squeeze


class Layout(NamedTuple):
    """The axes of images, counted from the end, and whether they are a batch."""

    height: int
    width: int
    channels: int
    batched: bool

    def sizes(self, x: Tensor, what: str) -> tuple[int, int]:
        """Height and width; SymbolicError where they are not known yet."""
        height, width = x.shape[self.height], x.shape[self.width]
        if height is None or width is None:
            raise SymbolicError(f"{what}: height and width must be known, got shape {show_shape(x.spec.shape)}")
        return height, width


def layout_of(images: Any, data_format: str | None, what: str) -> tuple[Tensor, Layout]:
    """Images as a tensor, and their layout; ShapeError for another number of axes."""
    x = as_tensor(images)
    if x.ndim not in (3, 4):
        raise ShapeError(
            f"{what}: images need 3 axes (height, width, channels), or 4 with a batch, got {show_shape(x.spec.shape)}"
        )
    first = channels_first(data_format, what)
    return x, Layout(-2, -1, -3, x.ndim == 4) if first else Layout(-3, -2, -1, x.ndim == 4)


def as_batch(x: Tensor, layout: Layout) -> Tensor:
    """Images as (batch, height, width, channels)."""
    x = x if layout.batched else expand_dims(x, 0)
    return moveaxis(x, 1, -1) if layout.channels == -3 else x


def as_given(x: Tensor, layout: Layout) -> Tensor:
    """A batch (batch, height, width, channels) with the axes of the layout."""
    x = moveaxis(x, -1, 1) if layout.channels == -3 else x
    return x if layout.batched else squeeze(x, 0)


def one_of(value: Any, known: tuple[Any, ...], what: str) -> Any:
    """A word among those that are known; InvalidArgument for another."""
    if value not in known:
        words = [word for word in known if isinstance(word, str)]
        raise InvalidArgument(f"{what} must be one of {known}, got {short(value)}{did_you_mean(value, words)}")
    return value


def bad_images(images: Any, *rest: Any) -> list[Bad]:
    """What functions of images refuse: other numbers of axes, words, and a layout that does not exist."""
    return [
        Bad((images[0], *rest), {}, ValueError), Bad((images, *rest), {"data_format": "channels"}, ValueError),
        Bad(([[["a"]]], *rest), {}, TypeError),
    ]  # fmt: skip
