"""The order of elements along an axis."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import Spec, normal_axis
from ..engine.tensor import Tensor, record
from .domain import Rng, Values, cases, distinct, integers
from .family import composite, primitive
from .indexing import take_along_axis
from .shape import ravel


def _order_domain(values: Values) -> Domain:
    def samples(rng: Rng) -> list[Sample]:
        def case(shape: tuple[int, ...], axis: int | None = -1) -> Sample:
            return Sample((values.draw(rng, shape),), {"axis": axis}, values.grad)

        return [case((5,)), case((3, 4), 0), case((2, 3), None), case((0, 3)), case((), None), case((2, 0, 3), 1)]

    return cases(
        samples,
        lambda: [
            Bad((np.ones(2), 1), {}, ValueError), Bad((np.ones(2), "0"), {}, TypeError),
            Bad((np.ones(()),), {}, ValueError),
        ],
    )  # fmt: skip


@primitive(
    eval=lambda x, axis: np.argsort(x, axis, kind="stable"),
    infer=lambda x, axis: Spec(x.shape, np.dtype("int64")),
    emit="argsort",
    domain=_order_domain(integers(0, 3)),
    family="sort",
    reference=lambda x, axis=-1: np.argsort(x, axis, kind="stable"),
)
def argsort(x: Any, axis: int | None = -1) -> Tensor:
    """The indices that sort x along an axis, equal elements in the order they stand in; of flattened x if None.

    Returns int64. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.argsort([3.0, 1.0, 2.0]).tolist()
    [1, 2, 0]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = ravel(x), -1
    return record(argsort.op, (x,), {"axis": normal_axis(axis, x.ndim, "argsort")})


@composite(reference=np.sort, domain=_order_domain(distinct(-3, 3)))
def sort(x: Any, axis: int | None = -1) -> Tensor:
    """The elements along an axis in rising order, NaN last; of flattened x if axis is None.

    >>> import autograd_nn as ag
    >>> ag.ops.sort([3.0, 1.0, 2.0]).tolist()
    [1.0, 2.0, 3.0]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = ravel(x), -1
    return take_along_axis(x, argsort(x, axis), axis)
