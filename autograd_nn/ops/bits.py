"""The same bits read as another dtype."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import Dim, Spec, as_dtype, show_shape
from ..engine.tensor import Tensor, record
from ..errors import ShapeError
from .domain import cases
from .family import primitive


def _infer(x: Spec, dtype: np.dtype[Any]) -> Spec:
    size, old, new = x.shape[-1] if x.shape else 1, x.dtype.itemsize, dtype.itemsize
    if old == new:
        return Spec(x.shape, dtype)
    if not x.shape or isinstance(size, int) and size * old % new:
        raise ShapeError(f"view: the last axis of shape {show_shape(x.shape)} holds no whole number of {dtype}")
    return Spec((*x.shape[:-1], size * old // new if isinstance(size, int) else Dim()), dtype)


def _read(x: Any, dtype: Any) -> Any:
    numbers = np.frombuffer(x.tobytes(), dtype)
    last = x.shape[-1:] and (x.shape[-1] * x.itemsize // numbers.itemsize,)
    return numbers.reshape((*x.shape[:-1], *last))


@primitive(
    eval=lambda x, dtype: np.array(x, order="C").view(dtype),
    infer=_infer,
    emit="bits",
    domain=cases(
        lambda rng: [
            Sample((rng.integers(0, 9, (2, 4)), "float64"), {}, False),
            Sample((rng.integers(0, 9, 4), "float32"), {}, False),
            Sample((rng.integers(0, 9, (2, 4), dtype="int32"), "int64"), {}, False),
            Sample((np.array(1), "uint64"), {}, False),
            Sample((np.ones((0, 2), int), "int32"), {}, False),
        ],
        lambda: [
            Bad((np.ones(3, "float32"), "float64"), {}, ValueError), Bad((np.ones(()), "float32"), {}, ValueError),
            Bad((np.ones(3), "complex64"), {}, TypeError), Bad((np.array(["a"]), "int32"), {}, TypeError),
        ],
    ),
    family="bits",
    reference=_read,
)  # fmt: skip
def view(x: Any, dtype: Any = None) -> Tensor:
    """The bits of x read as another dtype; without gradient. Where the dtype is of another size, so is the last axis.

    Raises ShapeError where the bits of the last axis make no whole numbers.

    >>> import autograd_nn as ag
    >>> ag.ops.view(ag.tensor([1.0], dtype="float32"), "int32").tolist()
    [1065353216]
    """
    x = as_tensor(x)
    return record(view.op, (x,), {"dtype": x.dtype if dtype is None else as_dtype(dtype)})
