"""An operation of one's own, with its gradient checked: `python examples/custom_op.py [--quick]`."""

import sys

import numpy as np

import autograd_nn as ag

SIZE = 5 if "--quick" in sys.argv else 50


def forward(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """`x * sigmoid(slope * x)`, in plain NumPy."""
    return x / (1 + np.exp(-slope * x))


def vjp(g: ag.Tensor, y: ag.Tensor, x: ag.Tensor, slope: ag.Tensor) -> tuple[ag.Tensor, ag.Tensor]:
    """One gradient per input, in Tensor operations: so it can be differentiated again."""
    gate = ag.ops.sigmoid(slope * x)
    bend = gate * (1 - gate)
    return g * (gate + slope * x * bend), (g * x * x * bend).sum()


def wrong(g: ag.Tensor, y: ag.Tensor, x: ag.Tensor, slope: ag.Tensor) -> tuple[ag.Tensor, ag.Tensor]:
    """The same with a planted mistake: the second gradient is doubled."""
    dx, dslope = vjp(g, y, x, slope)
    return dx, 2 * dslope


swish = ag.custom_op(forward, vjp, name="swish")
planted = ag.custom_op(forward, wrong, name="planted")

rng = np.random.default_rng(0)
x = ag.tensor(rng.normal(size=SIZE), dtype="float64", requires_grad=True, name="x")
slope = ag.tensor(1.5, dtype="float64", requires_grad=True, name="slope")

for order in (1, 2):
    report = ag.gradcheck(swish, (x, slope), order=order)
    print(f"swish, order {order}: {'right' if report else 'wrong'}")
    print(report)

report = ag.gradcheck(planted, (x, slope), raise_exception=False)
print("the planted mistake:", "missed" if report else "caught")
print(report)
