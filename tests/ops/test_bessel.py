"""Modified Bessel functions where their formulas are delicate."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops


def test_derivatives_at_zero_of_any_order() -> None:
    slopes, f = [], ops.i0
    for _ in range(5):
        slopes.append(f(ag.tensor(0.0, "float64")).item())
        f = ag.grad(f)
    assert slopes == [1.0, 0.0, 0.5, 0.0, 0.375]


@pytest.mark.parametrize("x", [1e-8, 0.5, 20.0, 300.0, 700.0, -50.0])
def test_the_recurrence_holds(x: float) -> None:
    below, here, above = (ops.bessel_i(np.array(x), k).item() for k in (1, 2, 3))
    assert np.isclose(below - above, 4 / x * here, rtol=1e-12)


def test_sizes_do_not_disturb_each_other() -> None:
    both = ops.bessel_i(np.array([0.5, 600.0]), 2).numpy()
    assert np.isclose(both[0], ops.bessel_i(np.array(0.5), 2).item(), rtol=1e-15)


def test_integers_and_float32() -> None:
    np.testing.assert_allclose(ops.i0([0, 1, 2]).numpy(), np.i0([0, 1, 2]), rtol=1e-15)
    assert ops.i0(np.ones(2, "float32")).dtype == "float32"
