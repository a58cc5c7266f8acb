"""Losses, metrics, optimizers, schedules and whole trainings against Keras."""

import keras
import numpy as np
import pytest

from autograd_nn import Variable, config, losses, metrics, optimizers, tensor
from autograd_nn.layers.naming import snake_case
from autograd_nn.optimizers import schedules

RNG = np.random.default_rng(0)
N, CLASSES = 16, 5
PROBABILITIES = RNG.dirichlet(np.ones(CLASSES), N)
LOGITS = RNG.normal(size=(N, CLASSES)) * 4
IDS = RNG.integers(0, CLASSES, N)
ONE_HOT = np.eye(CLASSES)[IDS]
SHARES = RNG.random((N, CLASSES))
BITS = RNG.integers(0, 2, (N, CLASSES)).astype(float)
WEIGHTS = RNG.random(N)
# Keras' torch backend takes means, and sums of squares, in float32 whatever the dtype of their input is; the formulas
# themselves are checked in float64 in tests/losses and tests/optimizers.
ROUNDED = 5e-7
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"]

LOSSES = {
    "MeanSquaredError": [
        ({}, BITS, SHARES),
        ({}, BITS[:, 0], SHARES[:, :1]),
        ({}, BITS.reshape(4, 4, -1), SHARES.reshape(4, 4, -1)),
    ],
    "MeanAbsoluteError": [({}, BITS, SHARES), ({}, BITS[:, 0], SHARES[:, :1])],
    "BinaryCrossentropy": [
        ({}, BITS, SHARES),
        ({}, BITS, BITS),
        ({"label_smoothing": 0.2}, BITS, SHARES),
        ({"from_logits": True}, BITS, LOGITS),
        ({"from_logits": True, "label_smoothing": 0.1}, BITS, LOGITS),
    ],
    "CategoricalCrossentropy": [
        ({}, ONE_HOT, PROBABILITIES),
        ({}, ONE_HOT, ONE_HOT),
        ({}, ONE_HOT, SHARES),
        ({"label_smoothing": 0.2}, ONE_HOT, PROBABILITIES),
        ({"from_logits": True}, ONE_HOT, LOGITS),
        ({"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, LOGITS),
    ],
    "SparseCategoricalCrossentropy": [
        ({}, IDS, PROBABILITIES),
        ({}, IDS[:, None], PROBABILITIES),
        ({"from_logits": True}, IDS, LOGITS),
        ({"ignore_class": 2}, IDS, PROBABILITIES),
        ({"ignore_class": 2, "from_logits": True}, IDS, LOGITS),
    ],
}
LOSS_CASES = [(name, *case) for name, cases in LOSSES.items() for case in cases]


@pytest.fixture(autouse=True)
def both_float64(request):
    """Both libraries compute in float64, unless a test says float32."""
    chosen = request.node.callspec.params.get("dtype", "float64") if hasattr(request.node, "callspec") else "float64"
    keras.config.set_floatx(chosen)
    config.set_floatx(chosen)
    yield
    keras.config.set_floatx("float32")
    config.set_floatx("float32")


def value(t):
    return keras.ops.convert_to_numpy(t)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name, options, y, p", LOSS_CASES)
def test_losses(name, options, y, p, reduction, weighted):
    weights = WEIGHTS[: len(y)] if weighted and p.ndim == 2 else None
    ours = getattr(losses, name)(reduction=reduction, **options)(y, p, weights)
    theirs = getattr(keras.losses, name)(reduction=reduction, **options)(y, p, weights)
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours, value(theirs), rtol=ROUNDED, atol=1e-14)


@pytest.mark.parametrize("name, options, y, p", LOSS_CASES)
def test_loss_functions(name, options, y, p):
    function = snake_case(name)
    if function.startswith("mean"):
        y = y.reshape(p.shape)
    ours = getattr(losses, function)(y, p, **options)
    theirs = getattr(keras.losses, function)(y, p, **options)
    exact = name.endswith("CategoricalCrossentropy")
    np.testing.assert_allclose(ours, value(theirs), rtol=1e-12 if exact else ROUNDED, atol=1e-14)


@pytest.mark.parametrize("name, options, y, p", LOSS_CASES)
def test_gradients_of_losses(name, options, y, p):
    import torch

    ours = tensor(p, requires_grad=True)
    getattr(losses, name)(**options)(y, ours).backward()
    theirs = torch.tensor(p, requires_grad=True)
    getattr(keras.losses, name)(**options)(torch.tensor(y), theirs).backward()
    inside = np.ones(p.shape, bool) if "from_logits" in options else (p > 1e-6) & (p < 1 - 1e-6)
    np.testing.assert_allclose(ours.grad.numpy()[inside], theirs.grad.numpy()[inside], rtol=ROUNDED, atol=1e-14)


METRICS = {
    "Accuracy": ({}, BITS, SHARES.round()),
    "BinaryAccuracy": ({"threshold": 0.4}, BITS, SHARES),
    "CategoricalAccuracy": ({}, ONE_HOT, PROBABILITIES),
    "SparseCategoricalAccuracy": ({}, IDS, PROBABILITIES),
    "TopKCategoricalAccuracy": ({"k": 2}, ONE_HOT, PROBABILITIES),
    "SparseTopKCategoricalAccuracy": ({"k": 2}, IDS, PROBABILITIES),
    "MeanSquaredError": ({}, BITS, SHARES),
    "MeanAbsoluteError": ({}, BITS, SHARES),
    "RootMeanSquaredError": ({}, BITS, SHARES),
    "BinaryCrossentropy": ({"label_smoothing": 0.1}, BITS, SHARES),
    "CategoricalCrossentropy": ({"from_logits": True}, ONE_HOT, LOGITS),
    "SparseCategoricalCrossentropy": ({}, IDS, PROBABILITIES),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", METRICS)
def test_metrics(name, weighted):
    options, y, p = METRICS[name]
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for start, stop in ((0, 7), (7, 14), (14, N)):
        weights = WEIGHTS[start:stop] if weighted else None
        ours.update_state(y[start:stop], p[start:stop], weights)
        theirs.update_state(y[start:stop], p[start:stop], weights)
        np.testing.assert_allclose(ours.result(), value(theirs.result()), rtol=ROUNDED)
    assert ours.name == theirs.name


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize(
    "shape, weights", [((4,), (4,)), ((4, 3), (4,)), ((4, 3), (4, 3)), ((4, 3, 2), (4, 3)), ((4, 3), None), ((), None)]
)
def test_reductions(name, shape, weights):
    values = RNG.random(shape)
    given = None if weights is None else RNG.random(weights)
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    ours.update_state(values, given)
    theirs.update_state(values, given)
    np.testing.assert_allclose(ours.result(), value(theirs.result()), rtol=ROUNDED)


COMMON = [
    {},
    {"clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"global_clipnorm": 0.7},
    {"weight_decay": 0.05},
    {"use_ema": True, "ema_overwrite_frequency": 3},
]
OWN = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "RMSprop": [{}, {"momentum": 0.5}, {"centered": True}, {"rho": 0.8, "momentum": 0.9, "centered": True}],
    "Adam": [{}, {"amsgrad": True}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}],
}
OPTIMIZERS = [(name, {**own, **common}) for name, cases in OWN.items() for own in cases for common in COMMON]


@pytest.mark.parametrize("dtype, rtol", [("float64", 1e-12), ("float32", 5e-6)])
@pytest.mark.parametrize("name, options", OPTIMIZERS, ids=str)
def test_optimizers(name, options, dtype, rtol):
    import torch

    rng = np.random.default_rng(1)
    start = [rng.normal(size=shape).astype(dtype) for shape in ((4, 3), (3,))]
    ours = [Variable(a, name=f"w{k}") for k, a in enumerate(start)]
    theirs = [keras.Variable(a, dtype=dtype, name=f"w{k}") for k, a in enumerate(start)]
    ours_optimizer = getattr(optimizers, name)(learning_rate=0.05, **options)
    theirs_optimizer = getattr(keras.optimizers, name)(learning_rate=0.05, **options)
    for _ in range(20):
        grads = [rng.normal(size=a.shape).astype(dtype) for a in start]
        ours_optimizer.apply([tensor(g) for g in grads], ours)
        with torch.no_grad():
            theirs_optimizer.apply([torch.tensor(g) for g in grads], theirs)
    rtol = max(rtol, ROUNDED) if "clipnorm" in str(options) else rtol
    for a, b in zip(ours, theirs):
        assert a.dtype == dtype
        np.testing.assert_allclose(a.numpy(), value(b), rtol=rtol, atol=rtol)
    assert int(ours_optimizer.iterations) == int(theirs_optimizer.iterations) == 20


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("ExponentialDecay", (0.1, 7, 0.5)),
        ("ExponentialDecay", (0.1, 7, 0.5, True)),
        ("PiecewiseConstantDecay", ([3, 9], [0.1, 0.05, 0.01])),
    ],
)
def test_schedules(name, arguments):
    ours, theirs = getattr(schedules, name)(*arguments), getattr(keras.optimizers.schedules, name)(*arguments)
    for step in range(12):
        np.testing.assert_allclose(ours(step), value(theirs(step)), rtol=1e-12)


def test_gathered_gradients():
    import torch

    ours, theirs = Variable(np.ones(3)), keras.Variable(np.ones(3), dtype="float64")
    mine = optimizers.Adam(0.05, gradient_accumulation_steps=3, weight_decay=0.1)
    other = keras.optimizers.Adam(0.05, gradient_accumulation_steps=3, weight_decay=0.1)
    rng = np.random.default_rng(0)
    for _ in range(8):
        g = rng.normal(size=3)
        mine.apply([tensor(g)], [ours])
        with torch.no_grad():
            other.apply([torch.tensor(g)], [theirs])
        np.testing.assert_allclose(ours.numpy(), value(theirs), rtol=1e-12)
