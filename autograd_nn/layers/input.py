"""Where data enters a functional model."""

from typing import Any

from ..engine.signatures import suggests
from ..engine.spec import BATCH, Dim, Shape, Spec, as_dtype, public_shape
from ..engine.tensor import Tensor, symbol
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from ..saving.registry import register
from .arguments import is_shape
from .layer import Layer


@register()
class InputLayer(Layer):
    """The layer behind an `Input`: it computes nothing, its `output` is the tensor. Arguments as for `Input`."""

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        given = shape if shape is not None else kwargs.pop("input_shape", None)
        if input_tensor is not None:
            batch_shape, dtype = _of_tensor(input_tensor, given, batch_shape), input_tensor.dtype
        super().__init__(dtype=dtype, name=name, **kwargs)
        self.batch_shape = _batch_shape(given, batch_size, batch_shape, self.name)
        self.built = True
        self._tensor = self._make_tensor() if input_tensor is None else input_tensor

    def _make_tensor(self) -> Tensor:
        sizes: Shape = tuple(
            (BATCH if k == 0 else Dim()) if size is None else size for k, size in enumerate(self.batch_shape)
        )
        tensor = symbol(Spec(sizes, as_dtype(self.dtype)), name=self.name)
        tensor.params = {"layer": self}
        return tensor

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("an InputLayer is not called; use its output")

    @property
    def output(self) -> Tensor:
        """The tensor that stands for the data."""
        return self._tensor

    @property
    def input(self) -> Tensor:
        return self._tensor

    def get_config(self) -> dict[str, Any]:
        return {"batch_shape": list(self.batch_shape), "dtype": self.dtype, "name": self.name}


def _of_tensor(tensor: Any, shape: Any, batch_shape: Any) -> tuple[int | None, ...]:
    if not isinstance(tensor, Tensor) or not tensor.is_symbolic:
        raise ArgumentTypeError(f"Input: tensor must be one made of another Input, got {short(tensor)}")
    if shape is not None or batch_shape is not None:
        raise InvalidArgument("Input: give either tensor or a shape, not both")
    return public_shape(tensor.spec.shape)


def _batch_shape(shape: Any, batch_size: Any, batch_shape: Any, name: str) -> tuple[int | None, ...]:
    if (shape is None) == (batch_shape is None):
        raise InvalidArgument(f"Input {name!r}: give shape=(784,) without the batch size, or batch_shape=(None, 784)")
    if batch_shape is not None:
        if batch_size is not None:
            raise InvalidArgument(f"Input {name!r}: batch_size is part of batch_shape already; leave it out")
        sizes = batch_shape
    else:
        sizes = (batch_size, *shape) if is_shape(shape) else shape
    if not is_shape(sizes):
        hint = f"; write shape=({shape},)" if isinstance(shape, int) else ""
        raise ArgumentTypeError(f"Input {name!r}: a shape is a tuple of ints and None, got {short(sizes)}{hint}")
    if any(size is not None and (isinstance(size, bool) or size < 0) for size in sizes):
        raise ShapeError(f"Input {name!r}: sizes must be ints >= 0 or None, got {tuple(sizes)}")
    return tuple(size if size is None else int(size) for size in sizes)


@suggests
def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
) -> Tensor:
    """A tensor without a value, which stands for the data of a functional model.

    shape:       sizes without the batch, None for one that may vary
    batch_size:  where it is fixed
    dtype:       the default float if None
    batch_shape: sizes with the batch, instead of `shape`
    name:        of the input; automatic if None
    tensor:      an existing tensor without a value to use as input

    Raises InvalidArgument for none or both of the shapes, ShapeError and ArgumentTypeError for what is no shape.

    >>> import autograd_nn as ag
    >>> x = ag.layers.Input(shape=(784,))
    >>> x.shape
    (None, 784)
    """
    return InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, batch_shape=batch_shape, input_tensor=tensor, name=name
    ).output
