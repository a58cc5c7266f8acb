"""Hinge, divergence, focal, overlap and similarity losses: formulas, printed numbers, errors, traced steps."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_nn import jit, losses, ops, tensor
from autograd_nn.errors import InvalidArgument, ShapeError
from autograd_nn.testing import gradcheck

RNG = np.random.default_rng(0)
N, CLASSES = 6, 4
PROBABILITIES = RNG.dirichlet(np.ones(CLASSES), N)
IDS = RNG.integers(0, CLASSES, N)
ONE_HOT = np.eye(CLASSES)[IDS]
BITS = RNG.integers(0, 2, (N, CLASSES)).astype(float)
SHARES = RNG.random((N, CLASSES)) * 0.8 + 0.1
UNIT = SHARES / np.linalg.norm(SHARES, axis=1, keepdims=True)

ALL = {
    "BinaryCrossentropy": (BITS, SHARES),
    "BinaryFocalCrossentropy": (BITS, SHARES),
    "CategoricalCrossentropy": (ONE_HOT, PROBABILITIES),
    "CategoricalFocalCrossentropy": (ONE_HOT, PROBABILITIES),
    "CategoricalGeneralizedCrossEntropy": (IDS, PROBABILITIES),
    "CategoricalHinge": (ONE_HOT, SHARES),
    "Circle": (IDS, UNIT),
    "CTC": (np.array([[1, 2], [3, 0], [2, 2], [1, 3], [0, 0], [3, 3]]), RNG.normal(size=(N, 5, CLASSES))),
    "CosineSimilarity": (BITS + 0.5, SHARES),
    "Dice": (BITS, SHARES),
    "Hinge": (BITS, SHARES),
    "Huber": (BITS * 3, SHARES),
    "KLDivergence": (np.roll(PROBABILITIES, 1, 0), PROBABILITIES),
    "LogCosh": (BITS, SHARES),
    "MeanAbsoluteError": (BITS, SHARES),
    "MeanAbsolutePercentageError": (BITS + 1, SHARES),
    "MeanSquaredError": (BITS, SHARES),
    "MeanSquaredLogarithmicError": (BITS, SHARES),
    "Poisson": (BITS * 3, SHARES),
    "SparseCategoricalCrossentropy": (IDS, PROBABILITIES),
    "SquaredHinge": (BITS, SHARES),
    "Tversky": (BITS, SHARES),
}
every_loss = pytest.mark.parametrize("name", ALL)
elementwise = pytest.mark.parametrize(
    "name", [n for n, (y, p) in ALL.items() if y.shape == p.shape and n not in ("Dice", "Tversky")]
)


def test_every_loss_is_tried():
    classes = [c for c in losses.KNOWN.values() if inspect.isclass(c)]
    assert {c.__name__ for c in classes} == set(ALL)


@every_loss
def test_a_traced_loss_agrees_with_an_eager_one_for_every_batch_size(name):
    y, p = ALL[name]
    loss = getattr(losses, name)(dtype="float64")
    step = jit(lambda y, p: loss(y, p), batched=True)
    for size in (N, 3, N):
        assert np.isclose(float(step(y[:size], p[:size])), float(loss(y[:size], p[:size])), rtol=1e-12)
    assert step.traces == 1


@every_loss
def test_gradients(name):
    y, p = ALL[name]
    loss = getattr(losses, name)(dtype="float64")
    gradcheck(lambda p: loss(y, p), tensor(p, requires_grad=True))


@every_loss
def test_config_round_trip(name):
    loss = getattr(losses, name)(reduction="sum", name="mine")
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert losses.get(name).get_config() == getattr(losses, name)().get_config()


@every_loss
def test_a_constant_weight_scales_the_sum(name):
    y, p = ALL[name]
    loss = getattr(losses, name)(reduction="sum", dtype="float64")
    if name in ("Dice", "Tversky"):
        loss = getattr(losses, name)(reduction="sum", axis=1, dtype="float64")
    assert np.isclose(float(loss(y, p, np.full(N, 3.0))), 3 * float(loss(y, p)))


@elementwise
def test_shapes_are_never_broadcast(name):
    y, p = ALL[name]
    with pytest.raises(ShapeError):
        getattr(losses, name)()(y[:, :1], p)
    with pytest.raises(ShapeError):
        getattr(losses, name)()(y[:1], p)


numbers = hnp.arrays("float64", hnp.array_shapes(min_dims=2, max_dims=3), elements=st.floats(-50, 50))


@given(numbers, st.floats(0.1, 10))
def test_formulas_of_regression(p, delta):
    y = np.roll(p, 1, 0)
    e = p - y
    expected = {
        losses.huber(y, p, delta): np.where(abs(e) <= delta, e**2 / 2, delta * abs(e) - delta**2 / 2),
        losses.log_cosh(y, p): np.log(np.cosh(e)),
        losses.mean_absolute_percentage_error(y, p): 100 * abs(e) / np.maximum(abs(y), 1e-7),
        losses.poisson(y, abs(p) + 1): abs(p) + 1 - y * np.log(abs(p) + 1 + 1e-7),
        losses.hinge(np.where(y < 0, -1, 1.0), p): np.maximum(0, 1 - np.where(y < 0, -1, 1) * p),
    }
    for values, elements in expected.items():
        assert np.allclose(values, elements.mean(-1), rtol=1e-12, atol=1e-12)


@given(numbers)
def test_log_cosh_lies_between_square_and_distance(p):
    values = losses.log_cosh(np.zeros_like(p), p).numpy()
    assert (values <= abs(p).mean(-1) + 1e-12).all()
    assert (values <= (p**2 / 2).mean(-1) + 1e-12).all()
    assert (values >= 0).all()


@given(hnp.arrays("float64", (3, 4), elements=st.floats(0.01, 1)), st.floats(0, 5))
def test_focal_losses_are_crossentropies_for_gamma_zero_and_shrink_with_gamma(p, gamma):
    p = p / p.sum(-1, keepdims=True)
    y = np.eye(4)[[0, 1, 3]]
    plain = losses.categorical_crossentropy(y, p).numpy()
    assert np.allclose(losses.categorical_focal_crossentropy(y, p, alpha=1.0, gamma=0.0), plain, atol=1e-12)
    assert (losses.categorical_focal_crossentropy(y, p, alpha=1.0, gamma=gamma).numpy() <= plain + 1e-12).all()
    binary = losses.binary_crossentropy(y, p).numpy()
    assert np.allclose(losses.binary_focal_crossentropy(y, p, gamma=0.0), binary, atol=1e-12)
    assert (losses.binary_focal_crossentropy(y, p, gamma=gamma).numpy() <= binary + 1e-12).all()


@given(hnp.arrays("float64", (3, 4), elements=st.floats(0.01, 1)))
def test_divergence_is_crossentropy_without_entropy(p):
    p = p / p.sum(-1, keepdims=True)
    y = np.roll(p, 1, 0)
    entropy = -(y * np.log(y)).sum(-1)
    assert np.allclose(losses.kl_divergence(y, p), losses.categorical_crossentropy(y, p).numpy() - entropy, atol=1e-6)
    assert np.allclose(losses.kl_divergence(p, p), 0, atol=1e-12)


def test_overlap():
    mask = BITS.reshape(2, 3, CLASSES)
    assert np.allclose(losses.dice(mask, mask, axis=(1, 2)), 0, atol=1e-6)
    assert np.allclose(losses.dice(mask, 1 - mask, axis=[1, 2]), 1)
    assert np.isclose(float(losses.tversky(mask, SHARES.reshape(2, 3, CLASSES))), float(losses.dice(BITS, SHARES)))
    lacking = losses.tversky([[1.0, 1.0]], [[1.0, 0.0]], alpha=1.0, beta=0.0)
    too_much = losses.tversky([[1.0, 0.0]], [[1.0, 1.0]], alpha=1.0, beta=0.0)
    assert np.allclose([lacking, too_much], [0.5, 0], atol=1e-6)
    with pytest.raises(ShapeError, match="one number for the whole batch"):
        losses.Dice()(BITS, SHARES, np.ones(N))


def test_circle_is_small_for_what_is_apart_and_counts_only_positive_values():
    apart = np.array([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    near, wrong = losses.circle([0, 0, 1, 1], apart), losses.circle([0, 1, 0, 1], apart)
    assert (near.numpy() < 1e-5).all() and (wrong.numpy() > 10).all()
    values = losses.circle([0, 1, 2, 0], apart).numpy()
    assert (values == 0).any() and (values > 0).any()
    assert np.isclose(float(losses.Circle(dtype="float64")([0, 1, 2, 0], apart)), values[values > 0].mean())
    with pytest.raises(ShapeError, match="expected class ids"):
        losses.circle([[0, 1], [1, 0]], apart[:2])


def test_generalized_crossentropy_lies_between_distance_and_crossentropy():
    p = PROBABILITIES[np.arange(N), IDS]
    assert np.allclose(losses.categorical_generalized_cross_entropy(IDS, PROBABILITIES, 1 - 1e-9), 1 - p, atol=1e-6)
    assert np.allclose(losses.categorical_generalized_cross_entropy(IDS, PROBABILITIES, 1e-9), -np.log(p), atol=1e-5)
    for q in (0, 1, -1, True, "0.5"):
        with pytest.raises(InvalidArgument, match="q must be"):
            losses.CategoricalGeneralizedCrossEntropy(q)


@pytest.mark.parametrize(
    "make",
    [
        lambda: losses.Huber(0), lambda: losses.Huber("1"), lambda: losses.huber([[0.0]], [[1.0]], -1),
        lambda: losses.Tversky(alpha=-1), lambda: losses.Circle(gamma=0), lambda: losses.Circle(margin=2),
        lambda: losses.BinaryFocalCrossentropy(gamma=-1), lambda: losses.CategoricalFocalCrossentropy(gamma=True),
        lambda: losses.BinaryFocalCrossentropy(label_smoothing=2),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_meant(make):
    with pytest.raises(InvalidArgument, match="must be"):
        make()


@pytest.mark.parametrize("label", [4, -1, 0.5])
def test_a_label_that_is_no_class(label):
    with pytest.raises(InvalidArgument, match="at index 1 is not a whole number in 0..3"):
        losses.categorical_generalized_cross_entropy([0, label], PROBABILITIES[:2], 0.5)


def test_class_ids_for_a_focal_loss():
    with pytest.raises(ShapeError, match="categorical_focal_crossentropy: labels .* look like class ids"):
        losses.categorical_focal_crossentropy(IDS, PROBABILITIES)


@pytest.mark.parametrize(
    "name, function",
    [
        ("kld", "kl_divergence"), ("KLD", "kl_divergence"), ("mape", "mean_absolute_percentage_error"),
        ("MAPE", "mean_absolute_percentage_error"), ("msle", "mean_squared_logarithmic_error"),
        ("MSLE", "mean_squared_logarithmic_error"), ("huber", "huber"), ("log_cosh", "log_cosh"),
    ],
)  # fmt: skip
def test_short_names(name, function):
    assert losses.get(name) is getattr(losses, function)


# Numbers that the documentation of Keras prints, with the inputs it gives.
TWO, HALF = [[0.0, 1.0], [0.0, 0.0]], [[0.6, 0.4], [0.4, 0.6]]
THREE, OF_THREE = [[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]
PRINTED = [
    ("Hinge", {}, TWO, HALF, 1.3),
    ("SquaredHinge", {}, TWO, HALF, 1.86),
    ("CategoricalHinge", {}, [[0, 1], [0, 0]], HALF, 1.4),
    ("BinaryCrossentropy", {"from_logits": True}, [0, 1, 0, 0], [-18.6, 0.51, 2.94, -12.8], 0.865),
    ("BinaryCrossentropy", {}, [[0, 1], [0, 0]], HALF, 0.815),
    ("BinaryFocalCrossentropy", {"gamma": 2, "from_logits": True}, [0, 1, 0, 0], [-18.6, 0.51, 2.94, -12.8], 0.691),
    (
        "BinaryFocalCrossentropy", {"gamma": 3, "from_logits": True}, [[0, 1], [0, 0]],
        [[-18.6, 0.51], [2.94, -12.8]], 0.647,
    ),
    (
        "BinaryFocalCrossentropy", {"gamma": 2, "apply_class_balancing": True, "from_logits": True}, [0, 1, 0, 0],
        [-18.6, 0.51, 2.94, -12.8], 0.51,
    ),
    ("CategoricalCrossentropy", {}, THREE, OF_THREE, 1.177),
    ("SparseCategoricalCrossentropy", {}, [1, 2], OF_THREE, 1.177),
    ("CategoricalFocalCrossentropy", {}, THREE, OF_THREE, 0.23315276),
    ("CategoricalFocalCrossentropy", {"reduction": "sum"}, THREE, OF_THREE, 0.46631),
]  # fmt: skip


@pytest.mark.parametrize("name, options, y, p, expected", PRINTED)
def test_printed_numbers(name, options, y, p, expected):
    assert np.isclose(float(getattr(losses, name)(**options)(y, p)), expected, atol=6e-4)


def test_a_mask_counts_in_every_loss():
    from autograd_nn.layers.masks import set_mask

    p = tensor(SHARES)
    set_mask(p, ops.not_equal(tensor(np.arange(N)), 2))
    kept = np.arange(N) != 2
    loss = losses.Huber(dtype="float64")
    assert np.isclose(float(loss(BITS, p)), float(loss(BITS[kept], SHARES[kept])))
