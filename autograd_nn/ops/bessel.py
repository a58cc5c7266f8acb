"""The modified Bessel functions of the first kind (Abramowitz and Stegun 9.6)."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.tensor import Tensor, record
from ..errors import ArgumentTypeError, short
from .domain import cases, reals, unary_domain
from .elementwise import cast
from .family import composite, primitive

# From this size on the function of order 0 is infinite in float64.
_LARGEST = 720.0


def _bessel_i(x: Any, order: int) -> Any:
    """I_0 times the quotients I_k / I_(k - 1), which the recurrence 9.6.26 gives from above."""
    wide = np.asarray(x, np.float64)
    found = np.asarray(np.i0(wide))
    reach = float(np.abs(wide[np.isfinite(wide)]).max(initial=0.0))
    quotient = np.zeros_like(wide)
    for k in range(order + 30 + int(10 * np.sqrt(min(reach, _LARGEST))), 0, -1):
        quotient = wide / (2 * k + wide * quotient)
        found = found * quotient if k <= order else found
    return np.asarray(found, x.dtype)


def _slope(g: Tensor, y: Tensor, x: Tensor, order: int) -> Tensor:
    if order == 0:
        return g * bessel_i(x, 1)
    return g * (bessel_i(x, order - 1) + bessel_i(x, order + 1)) * 0.5


@primitive(
    eval=_bessel_i,
    infer=lambda x, order: x,
    partials=(_slope,),
    emit="bessel_i",
    domain=cases(
        lambda rng: [
            *(Sample((rng.uniform(0.3, 6, size), k)) for size in ((), (3, 2), (0, 2)) for k in (0, 1, 2)),
            Sample((rng.uniform(-30, -20, 3), 1)),
        ],
        lambda: [
            Bad((np.ones(2), -1), {}, TypeError), Bad((np.ones(2), 0.5), {}, TypeError),
            Bad((np.array([1j]), 0), {}, TypeError), Bad((np.array(["a"]), 0), {}, TypeError),
        ],
    ),
    family="special",
)  # fmt: skip
def bessel_i(x: Any, order: int) -> Tensor:
    """The modified Bessel function of the first kind of a whole order >= 0.

    x: tensor or array; integers become float64. Raises ArgumentTypeError for another order.

    >>> import autograd_nn as ag
    >>> ag.ops.bessel_i([0.0], 1).tolist()
    [0.0]
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise ArgumentTypeError(f"bessel_i: order must be an int >= 0, got {short(order)}")
    x = as_tensor(x)
    return record(bessel_i.op, (x if x.dtype.kind == "f" else cast(x, "float64"),), {"order": order})


@composite(reference=np.i0, domain=unary_domain(reals(-4, 4)))
def i0(x: Any) -> Tensor:
    """The modified Bessel function of the first kind of order 0, as `numpy.i0`.

    x: tensor or array of any shape; integers become float64.

    >>> import autograd_nn as ag
    >>> ag.ops.i0([0.0]).tolist()
    [1.0]
    """
    return bessel_i(x, 0)
