"""Regularizers: formulas, gradients, configs, errors."""

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import regularizers
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, ShapeError, UnknownName

W = np.random.default_rng(0).normal(size=(4, 3))
CASES = [
    (regularizers.L1(0.3), 0.3 * np.abs(W).sum()),
    (regularizers.L2(0.3), 0.3 * np.square(W).sum()),
    (regularizers.L1L2(0.1, 0.2), 0.1 * np.abs(W).sum() + 0.2 * np.square(W).sum()),
    (regularizers.L1L2(), 0.0),
]


@pytest.mark.parametrize("regularizer, expected", CASES)
def test_values_and_gradients(regularizer, expected):
    assert float(regularizer(ag.tensor(W))) == pytest.approx(expected)
    if expected:
        assert ag.gradcheck(regularizer, ag.tensor(W))


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonality(mode):
    regularizer = regularizers.OrthogonalRegularizer(0.5, mode)
    unit = W / np.linalg.norm(W, axis=1 if mode == "rows" else 0, keepdims=True)
    cosines = unit @ unit.T if mode == "rows" else unit.T @ unit
    count = len(cosines)
    expected = 0.5 * np.abs(cosines - np.eye(count)).sum() / 2 / (count * (count - 1) / 2)
    assert float(regularizer(ag.tensor(W))) == pytest.approx(expected)
    assert ag.gradcheck(regularizer, ag.tensor(W))
    assert float(regularizer(ag.tensor([[1.0]]))) == 0.0


@pytest.mark.parametrize("name", sorted(regularizers.KNOWN))
def test_names_and_configs(name):
    made = regularizers.get(name)
    again = regularizers.deserialize(regularizers.serialize(made))
    assert type(again) is type(made) and again.get_config() == made.get_config()


@pytest.mark.parametrize("make, error, match", [
    (lambda: regularizers.L1(-1), InvalidArgument, "l1 must be a finite number >= 0, got -1"),
    (lambda: regularizers.L2(float("nan")), InvalidArgument, "l2 must be"),
    (lambda: regularizers.L1L2(0.1, "x"), InvalidArgument, "l2 must be"),
    (lambda: regularizers.L2(True), InvalidArgument, "l2 must be"),
    (lambda: regularizers.OrthogonalRegularizer(mode="diagonal"), InvalidArgument, "'rows' or 'columns'"),
    (lambda: regularizers.OrthogonalRegularizer()(ag.tensor([1.0])), ShapeError, "expects a matrix"),
    (lambda: regularizers.get("l3"), UnknownName, "unknown regularizer 'l3'; did you mean 'l1'"),
    (lambda: regularizers.get(regularizers.L1), ArgumentTypeError, r"write L1\(...\)"),
])  # fmt: skip
def test_errors(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_a_function_serves_as_well():
    assert regularizers.get(np.sum) is np.sum and regularizers.get(None) is None
