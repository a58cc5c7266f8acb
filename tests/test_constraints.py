"""Constraints: what they promise holds, they are projections, they have names and configs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_nn as ag
from autograd_nn import constraints
from autograd_nn.errors import ArgumentTypeError, UnknownName

weights = hnp.arrays("float64", (4, 3), elements=st.floats(-10, 10).map(lambda v: v if abs(v) > 1e-3 else 0.5))


def norms(w, axis):
    return np.sqrt(np.square(w).sum(axis=axis))


@given(weights, st.sampled_from([0, 1, (0, 1)]))
def test_norms(w, axis):
    assert (norms(constraints.MaxNorm(1.5, axis)(w).numpy(), axis) <= 1.5 + 1e-9).all()
    assert np.allclose(norms(constraints.UnitNorm(axis)(w).numpy(), axis), 1, atol=1e-3)
    between = norms(constraints.MinMaxNorm(0.5, 1.0, axis=axis)(w).numpy(), axis)
    assert ((between > 0.5 - 1e-3) & (between <= 1.0 + 1e-9)).all()
    short = w / norms(w, axis).max() / 10
    assert np.allclose(constraints.MaxNorm(1.5, axis)(short).numpy(), short, rtol=1e-3)


@given(weights)
def test_rate_and_sign(w):
    half = norms(constraints.MinMaxNorm(0.0, 1.0, rate=0.5)(w).numpy(), 0)
    assert np.allclose(half, 0.5 * np.clip(norms(w, 0), 0, 1) + 0.5 * norms(w, 0), rtol=1e-3)
    assert np.array_equal(constraints.NonNeg()(w).numpy(), np.maximum(w, 0))


def test_zero_vectors_stay_finite():
    for made in map(constraints.get, ("max_norm", "unit_norm", "min_max_norm", "non_neg")):
        assert np.isfinite(made(np.zeros((3, 2))).numpy()).all()


@pytest.mark.parametrize("name", sorted(constraints.KNOWN))
def test_names_and_configs(name):
    made = constraints.get(name)
    again = constraints.deserialize(constraints.serialize(made))
    assert type(again) is type(made) and again.get_config() == made.get_config()
    assert made(ag.tensor(np.ones((2, 2), "float32"))).dtype == np.float32


def test_what_get_refuses():
    with pytest.raises(UnknownName, match="unknown constraint 'max_nrom'; did you mean 'max_norm'"):
        constraints.get("max_nrom")
    with pytest.raises(ArgumentTypeError, match=r"write NonNeg\(...\)"):
        constraints.get(constraints.NonNeg)
