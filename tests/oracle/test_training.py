"""Losses, metrics, optimizers, schedules and whole trainings against Keras."""

import re

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
UNIT = LOGITS / np.linalg.norm(LOGITS, axis=1, keepdims=True)
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
    "MeanAbsolutePercentageError": [({}, BITS, SHARES), ({}, SHARES - 0.5, BITS)],
    "MeanSquaredLogarithmicError": [({}, BITS, SHARES), ({}, SHARES - 0.5, BITS)],
    "Huber": [({}, BITS, SHARES), ({"delta": 0.3}, SHARES, LOGITS)],
    "LogCosh": [({}, BITS, SHARES), ({}, SHARES, LOGITS)],
    "CosineSimilarity": [({}, BITS, SHARES), ({"axis": 1}, BITS.reshape(4, 4, -1), SHARES.reshape(4, 4, -1))],
    "Poisson": [({}, BITS, SHARES), ({}, SHARES * 9, np.roll(SHARES, 1, 0))],
    "Hinge": [({}, BITS, LOGITS), ({}, 2 * BITS - 1, LOGITS), ({}, SHARES, LOGITS)],
    "SquaredHinge": [({}, BITS, LOGITS), ({}, 2 * BITS - 1, LOGITS)],
    "CategoricalHinge": [({}, ONE_HOT, LOGITS), ({}, ONE_HOT, PROBABILITIES)],
    "KLDivergence": [({}, np.roll(PROBABILITIES, 1, 0), PROBABILITIES), ({}, ONE_HOT, PROBABILITIES)],
    "BinaryFocalCrossentropy": [
        ({}, BITS, SHARES),
        ({"apply_class_balancing": True, "gamma": 1.5, "alpha": 0.3}, BITS, SHARES),
        ({"from_logits": True, "label_smoothing": 0.1}, BITS, LOGITS),
    ],
    "CategoricalFocalCrossentropy": [
        ({}, ONE_HOT, PROBABILITIES),
        ({"gamma": 1.5, "alpha": [0.1, 0.2, 0.3, 0.4, 0.5], "label_smoothing": 0.2}, ONE_HOT, SHARES),
        ({"from_logits": True}, ONE_HOT, LOGITS),
    ],
    "CategoricalGeneralizedCrossEntropy": [({"q": q}, IDS, PROBABILITIES) for q in (0.5, 0.8)],
    "Dice": [({}, BITS, SHARES), ({"axis": (1, 2)}, BITS.reshape(4, 2, 2, 5), SHARES.reshape(4, 2, 2, 5))],
    "Tversky": [({}, BITS, SHARES), ({"alpha": 0.3, "beta": 0.9, "axis": 1}, BITS, SHARES)],
    "Circle": [({}, IDS, UNIT), ({"gamma": 8.0, "margin": 0.25, "remove_diagonal": False}, IDS[:, None], UNIT)],
}
CANCELLING = ("CosineSimilarity", "MeanSquaredLogarithmicError", "Circle")
OVERLAP = ("Dice", "Tversky")
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
    # Dice and Tversky without an axis are one number per batch, which has no samples to weigh.
    weights = WEIGHTS[: len(y)] if weighted and p.ndim == 2 and not (name in OVERLAP and not options) else None
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
    theirs = getattr(keras.losses, function)(y, keras.ops.convert_to_tensor(p), **options)
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
    expected = theirs.grad.numpy()
    rounded = ROUNDED * abs(expected).max() if name in CANCELLING else 1e-14
    np.testing.assert_allclose(ours.grad.numpy()[inside], expected[inside], rtol=2 * ROUNDED, atol=rounded)


IDS2 = RNG.integers(0, CLASSES, N)
YES = RNG.integers(0, 2, N).astype(float)
RISK = RNG.random(N).round(1)
METRICS = [
    ("Accuracy", {}, BITS, SHARES.round()),
    ("BinaryAccuracy", {"threshold": 0.4}, BITS, SHARES),
    ("CategoricalAccuracy", {}, ONE_HOT, PROBABILITIES),
    ("SparseCategoricalAccuracy", {}, IDS, PROBABILITIES),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT, PROBABILITIES),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, IDS, PROBABILITIES),
    ("MeanSquaredError", {}, BITS, SHARES),
    ("MeanAbsoluteError", {}, BITS, SHARES),
    ("RootMeanSquaredError", {}, BITS, SHARES),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, BITS, SHARES),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, LOGITS),
    ("SparseCategoricalCrossentropy", {}, IDS, PROBABILITIES),
    ("MeanAbsolutePercentageError", {}, BITS + 1, SHARES),
    ("MeanSquaredLogarithmicError", {}, BITS, SHARES),
    ("CosineSimilarity", {}, BITS, SHARES),
    ("LogCoshError", {}, BITS, SHARES),
    ("Hinge", {}, 2 * BITS - 1, LOGITS),
    ("SquaredHinge", {}, 2 * BITS - 1, LOGITS),
    ("CategoricalHinge", {}, ONE_HOT, LOGITS),
    ("KLDivergence", {}, ONE_HOT, PROBABILITIES),
    ("Poisson", {}, BITS, SHARES),
    ("PearsonCorrelation", {}, LOGITS, SHARES),
    ("ConcordanceCorrelation", {}, LOGITS, SHARES),
    ("R2Score", {}, LOGITS, LOGITS + SHARES),
    ("R2Score", {"class_aggregation": None}, LOGITS, LOGITS + SHARES),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, LOGITS, LOGITS + SHARES),
    ("F1Score", {}, ONE_HOT, PROBABILITIES),
    ("F1Score", {"average": "macro", "threshold": 0.5}, BITS, SHARES),
    ("FBetaScore", {"average": "micro", "beta": 2.0, "threshold": 0.3}, BITS, SHARES),
    ("FBetaScore", {"average": "weighted", "beta": 0.5}, ONE_HOT, PROBABILITIES),
    *[
        (name, options, BITS, SHARES)
        for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "Precision", "Recall")
        for options in ({}, {"thresholds": 0.3}, {"thresholds": [0.1, 0.5, 0.7]}, {"thresholds": [0.0, 0.5, 1.0]})
    ],
    *[
        (name, options, ONE_HOT, PROBABILITIES)
        for name in ("Precision", "Recall")
        for options in ({"top_k": 2}, {"class_id": 1}, {"top_k": 3, "class_id": 2, "thresholds": 0.2})
    ],
    *[
        (name, {**options, argument: 0.6}, YES, RISK)
        for name, argument in (
            ("SensitivityAtSpecificity", "specificity"),
            ("SpecificityAtSensitivity", "sensitivity"),
            ("PrecisionAtRecall", "recall"),
            ("RecallAtPrecision", "precision"),
        )
        for options in ({}, {"num_thresholds": 7}, {"num_thresholds": 1})
    ],
    ("PrecisionAtRecall", {"recall": 0.4, "class_id": 1}, ONE_HOT, PROBABILITIES),
    *[
        ("AUC", {"curve": curve, "summation_method": method, "num_thresholds": 11}, YES, RISK)
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
    ],
    ("AUC", {}, BITS, SHARES),
    ("AUC", {"thresholds": [0.2, 0.3, 0.9]}, YES, RISK),
    ("AUC", {"thresholds": [0.25, 0.5, 0.75]}, YES, RISK),
    ("AUC", {"multi_label": True}, BITS, SHARES),
    ("AUC", {"multi_label": True, "num_labels": 5, "label_weights": [1.0, 2.0, 0.0, 1.0, 3.0]}, BITS, SHARES),
    ("AUC", {"multi_label": True, "thresholds": [0.2, 0.7], "curve": "PR"}, BITS, SHARES),
    ("AUC", {"from_logits": True}, BITS, LOGITS),
    ("IoU", {"num_classes": CLASSES, "target_class_ids": [0, 2], "dtype": "float64"}, IDS, IDS2),
    ("MeanIoU", {"num_classes": CLASSES, "dtype": "float64"}, IDS, IDS2),
    ("MeanIoU", {"num_classes": CLASSES - 1, "ignore_class": 1, "dtype": "float64"}, IDS, IDS2),
    ("MeanIoU", {"num_classes": CLASSES, "sparse_y_pred": False, "dtype": "float64"}, IDS, PROBABILITIES),
    ("BinaryIoU", {"threshold": 0.3, "dtype": "float64"}, YES, RISK),
    ("OneHotIoU", {"num_classes": CLASSES, "target_class_ids": [1], "dtype": "float64"}, ONE_HOT, PROBABILITIES),
    ("OneHotMeanIoU", {"num_classes": CLASSES, "dtype": "float64"}, ONE_HOT, PROBABILITIES),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name, options, y, p", METRICS, ids=[f"{name}-{options}" for name, options, *_ in METRICS])
def test_metrics(name, options, y, p, weighted):
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for start, stop in ((0, 7), (7, 14), (14, N)):
        weights = WEIGHTS[start:stop] if weighted else None
        ours.update_state(y[start:stop], p[start:stop], weights)
        theirs.update_state(y[start:stop], keras.ops.convert_to_tensor(p[start:stop]), weights)
        np.testing.assert_allclose(ours.result(), value(theirs.result()), rtol=ROUNDED, atol=1e-6)
    assert re.fullmatch(rf"{ours.name}(_\d+)?", theirs.name)


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
    "AdamW": [{}, {"amsgrad": True, "beta_1": 0.8}],
    "Adagrad": [{}, {"initial_accumulator_value": 0.0, "epsilon": 1e-3}],
    "Adadelta": [{}, {"rho": 0.8, "epsilon": 1e-3}],
    "Adamax": [{}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}],
    "Nadam": [{}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}],
    "Lamb": [{}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}],
    "Lion": [{}, {"beta_1": 0.8, "beta_2": 0.9}],
    "Ftrl": [
        {},
        {"l1_regularization_strength": 0.3, "l2_regularization_strength": 0.2, "beta": 0.1},
        {"learning_rate_power": -0.3, "initial_accumulator_value": 0.2, "l2_shrinkage_regularization_strength": 0.1},
    ],
    "Adafactor": [{}, {"beta_2_decay": -0.6, "clip_threshold": 0.5, "epsilon_2": 0.01}, {"relative_step": False}],
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
    rtol = max(rtol, ROUNDED) if "clipnorm" in str(options) or name == "Adafactor" else rtol
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
        ("PolynomialDecay", (0.1, 7)),
        ("PolynomialDecay", (0.1, 5, 0.01, 0.5, True)),
        ("InverseTimeDecay", (0.1, 3, 0.5)),
        ("InverseTimeDecay", (0.1, 3, 0.5, True)),
        ("CosineDecay", (0.1, 7)),
        ("CosineDecay", (0.0, 5, 0.1, "name", 0.2, 4)),
        ("CosineDecayRestarts", (0.1, 3)),
        ("CosineDecayRestarts", (0.1, 2, 1.5, 0.8, 0.1)),
        ("CosineDecayRestarts", (0.1, 3, 1.0, 0.5)),
    ],
)
def test_schedules(name, arguments):
    ours, theirs = getattr(schedules, name)(*arguments), getattr(keras.optimizers.schedules, name)(*arguments)
    for step in range(12):
        np.testing.assert_allclose(ours(step), value(theirs(step)), rtol=1e-12, atol=1e-17)
    assert ours.get_config() == theirs.get_config()


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
