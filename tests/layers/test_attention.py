"""Normalisation and attention layers through the layer suite, and what is particular to one."""

import json

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import initializers, layers, models, ops
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, ShapeError
from autograd_nn.layers.masks import get_mask, set_mask
from autograd_nn.testing import layer_suite

RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(5, 4, 6))
CHANGED = DATA[:, ::-1, :] * 0.7 + 0.1
ENDS = RNG.normal(size=(5, 3, 6))
BN_WEIGHTS = ("gamma", "beta", "moving_mean", "moving_variance")
MHA_WEIGHTS = ("kernel", "bias") * 4
TRAINING = {"call_kwargs": {"training": True}, "per_sample": False}


def several(*arrays):
    """Data for a layer called with several tensors."""
    return lambda batch: tuple(a[:batch] for a in arrays)


def listed(*arrays):
    """Data for a layer called with a list of tensors."""
    return lambda batch: [a[:batch] for a in arrays]


CASES = {
    "layer": (layers.LayerNormalization, {}, (6,), {"weights": ("gamma", "beta"), "mask": True, "output_shape": (6,)}),
    "layer_plain": (layers.LayerNormalization, {"center": False, "scale": False}, (2, 6), {"weights": ()}),
    "layer_axes": (layers.LayerNormalization, {"axis": [1, 2], "epsilon": 0.1}, (3, 4), {"output_shape": (3, 4)}),
    "layer_inner": (layers.LayerNormalization, {"axis": 1}, (3, 4), {}),
    "layer_rich": (
        layers.LayerNormalization,
        {"beta_initializer": "normal", "gamma_regularizer": "l2", "beta_constraint": "non_neg", "axis": -1},
        (6,),
        {},
    ),
    "layer_rms": (layers.LayerNormalization, {"rms_scaling": True}, (6,), {"weights": ("gamma",)}),
    "rms": (layers.RMSNormalization, {}, (6,), {"weights": ("scale",), "output_shape": (6,)}),
    "rms_axes": (layers.RMSNormalization, {"axis": (1, 2), "epsilon": 0.01}, (3, 4), {}),
    "unit": (layers.UnitNormalization, {}, (6,), {"weights": (), "mask": True}),
    "unit_axes": (layers.UnitNormalization, {"axis": [1, 2]}, (2, 3), {}),
    "group": (layers.GroupNormalization, {"groups": 2}, (3, 6), {"weights": ("gamma", "beta"), "mask": True}),
    "group_first": (layers.GroupNormalization, {"groups": 3, "axis": 1}, (6, 2, 2), {"output_shape": (6, 2, 2)}),
    "group_each": (layers.GroupNormalization, {"groups": -1, "scale": False}, (4, 3), {"weights": ("beta",)}),
    "batch": (layers.BatchNormalization, {}, (6,), {"weights": BN_WEIGHTS, "mask": True, "output_shape": (6,)}),
    "batch_training": (layers.BatchNormalization, {}, (6,), TRAINING),
    "batch_images": (layers.BatchNormalization, {"momentum": 0.5}, (2, 3, 4), TRAINING),
    "batch_first": (layers.BatchNormalization, {"axis": 1, "scale": False}, (3, 4), TRAINING),
    "batch_plain": (layers.BatchNormalization, {"center": False, "scale": False}, (3,), {"weights": BN_WEIGHTS[2:]}),
    "einsum": (
        layers.EinsumDense,
        {"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "de", "activation": "tanh"},
        (4, 5),
        {"weights": ("kernel", "bias"), "output_shape": (4, 2, 3)},
    ),
    "einsum_left": (
        layers.EinsumDense,
        {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"},
        (4, 5),
        {"output_shape": (4, 3)},
    ),
    "einsum_right": (
        layers.EinsumDense,
        {"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"},
        (4, 5),
        {"output_shape": (3, 5)},
    ),
    "einsum_plain": (layers.EinsumDense, {"equation": "ab,bc->ac", "output_shape": 3}, (4,), {"weights": ("kernel",)}),
    "attention": (layers.Attention, {}, listed(DATA, ENDS), {"weights": (), "output_shape": (4, 6)}),
    "attention_scaled": (layers.Attention, {"use_scale": True}, listed(DATA, ENDS, ENDS), {"weights": ("scale",)}),
    "attention_concat": (
        layers.Attention,
        {"score_mode": "concat", "use_scale": True},
        listed(DATA, ENDS),
        {"weights": ("scale", "concat_score_weight")},
    ),
    "attention_dropout": (layers.Attention, {"dropout": 0.5}, listed(DATA, ENDS), {"random_in_training": True}),
    "attention_causal": (
        layers.Attention,
        {},
        listed(DATA, DATA),
        {"call_kwargs": {"use_causal_mask": True, "return_attention_scores": True}},
    ),
    "additive": (layers.AdditiveAttention, {}, listed(DATA, ENDS), {"weights": ("scale",), "output_shape": (4, 6)}),
    "additive_plain": (layers.AdditiveAttention, {"use_scale": False}, listed(DATA, ENDS, ENDS), {"weights": ()}),
    "heads": (
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3},
        several(DATA, CHANGED),
        {"weights": MHA_WEIGHTS, "output_shape": (4, 6), "mask": True},
    ),
    "heads_of_three": (
        layers.MultiHeadAttention,
        {"num_heads": 3, "key_dim": 2, "value_dim": 4, "output_shape": 5, "use_bias": False},
        several(DATA, ENDS, ENDS * 2),
        {"weights": ("kernel",) * 4, "output_shape": (4, 5)},
    ),
    "heads_causal": (
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "sliding_window": 2, "use_gate": True},
        several(DATA, CHANGED),
        {"call_kwargs": {"use_causal_mask": True}, "weights": ("kernel", "bias") * 5},
    ),
    "heads_scores": (
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "kernel_regularizer": "l2", "activity_regularizer": "l2"},
        several(DATA, ENDS),
        {"call_kwargs": {"return_attention_scores": True, "use_causal_mask": True}},
    ),
    "heads_dropout": (
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "dropout": 0.5, "seed": 3},
        several(DATA, ENDS),
        {"random_in_training": True},
    ),
    "heads_axes": (
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 2, "attention_axes": (2,)},
        several(DATA.reshape(5, 2, 4, 3), CHANGED.reshape(5, 2, 4, 3)),
        {"output_shape": (2, 4, 3)},
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:LayerNormalization.rms_scaling")
def test_layer_suite(name):
    layer_class, init_kwargs, data, expected = CASES[name]
    given = {"input_data": data} if callable(data) else {"input_shape": data}
    layer_suite(layer_class, init_kwargs, **given, **expected)


def test_every_layer_of_these_rooms_is_here():
    rooms = ("attention", "batch_normalization", "einsum_dense", "multi_head_attention", "normalization")
    own = {f"{layers.__name__}.{room}" for room in rooms}
    public = {getattr(layers, name) for name in layers.__all__}
    expected = {cls for cls in public if getattr(cls, "__module__", "") in own and isinstance(cls, type)}
    assert expected == {case[0] for case in CASES.values()}


# --- BatchNormalization


def batch_layer(*axes):
    layer = layers.BatchNormalization(momentum=0.5, dtype="float64")
    layer.build((None, *axes, 3))
    return layer


def test_moving_moments_follow_the_batches_of_training_alone():
    layer, x = batch_layer(), DATA[:, 0, :3]
    layer(x)
    assert layer.moving_mean.tolist() == [0] * 3
    for k in range(1, 4):
        layer(x, training=True)
        share = 0.5**k
        assert np.allclose(layer.moving_mean, (1 - share) * x.mean(0), rtol=1e-12)
        assert np.allclose(layer.moving_variance, share + (1 - share) * x.var(0), rtol=1e-12)
    mean, variance = layer.moving_mean.numpy().copy(), layer.moving_variance.numpy().copy()
    assert np.allclose(layer(x), (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-12)
    assert np.array_equal(layer.moving_mean, mean)


def test_a_frozen_batch_normalization_works_as_after_training():
    layer, x = batch_layer(), DATA[:, 0, :3]
    layer.trainable = False
    assert np.allclose(layer(x, training=True), x / np.sqrt(1 + 1e-3), rtol=1e-12)
    assert layer.moving_mean.tolist() == [0] * 3
    assert len(layer.non_trainable_weights) == 4


def test_no_gradient_flows_into_the_moving_moments():
    layer = batch_layer()
    for _ in range(2):
        y = layer(ag.tensor(DATA[:, 0, :3], requires_grad=True), training=True)
        ops.sum(y * y).backward()
    assert layer.moving_mean.op is None and not layer.moving_mean.requires_grad
    assert layer.gamma.grad is not None


def test_masked_steps_do_not_count():
    layer, mask = batch_layer(4), np.array([[True, False, True, False]] * 5)
    x = np.where(mask[..., None], DATA[:, :, :3], 1e6)
    layer(x, training=True, mask=ag.tensor(mask))
    assert np.allclose(layer.moving_mean, 0.5 * x[mask].mean(0), rtol=1e-6)
    with pytest.raises(ShapeError, match=r"mask must have one axis less .* got mask \(5, 2, 2\)"):
        layer(x, training=True, mask=ag.tensor(mask.reshape(5, 2, 2)))


def test_fit_updates_the_moving_moments_and_predict_uses_them():
    model = models.Sequential([layers.Input((3,)), layers.BatchNormalization(momentum=0.0)])
    x = (DATA[:, 0, :3] * 3 + 1).astype("float32")
    model.compile(optimizer=ag.optimizers.SGD(1e-9), loss="mse")
    model.fit(x, x, batch_size=5, verbose=0)
    assert np.allclose(model.layers[0].moving_mean, x.mean(0), rtol=1e-5)
    expected = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3)
    assert np.allclose(model.predict(x, verbose=0), expected, atol=1e-5)


# --- masks and causality


def test_attention_passes_the_mask_of_the_query_to_its_first_output():
    mask = ag.tensor(np.array([[True, True, False, True]] * 5))
    query, value = ag.tensor(DATA), ag.tensor(ENDS)
    set_mask(query, mask)
    for layer, args in (
        (layers.Attention(), ([query, value],)),
        (layers.MultiHeadAttention(2, 3), (query, value)),
    ):
        y, scores = layer(*args, return_attention_scores=True)
        assert get_mask(y) is mask or get_mask(y).tolist() == mask.tolist()
        assert get_mask(scores) is None


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3}, {"sliding_window": 2}])
def test_a_causal_query_does_not_see_what_comes_later(settings):
    layer = layers.MultiHeadAttention(2, 3, **settings)
    y = layer(DATA, DATA, use_causal_mask=True).numpy()
    changed = DATA.copy()
    changed[:, 2:] += 1.0
    other = layer(changed, changed, use_causal_mask=True).numpy()
    assert np.allclose(y[:, :2], other[:, :2], atol=1e-6) and not np.allclose(y[:, 2:], other[:, 2:], atol=1e-3)


def test_masks_of_value_and_key_hide_places():
    layer, mask = layers.MultiHeadAttention(2, 3), np.array([[True, False, True]] * 5)
    changed = ENDS.copy()
    changed[:, 1] += 5.0
    for given in ({"value_mask": mask}, {"key_mask": mask}, {"attention_mask": np.repeat(mask[:, None], 4, 1)}):
        assert np.allclose(layer(DATA, ENDS, **given), layer(DATA, changed, **given), atol=1e-6)


def test_one_causal_graph_serves_every_length():
    layer = layers.MultiHeadAttention(2, 3, dtype="float64")
    inputs = layers.Input((None, 6), dtype="float64")
    model = models.Model(inputs, layer(inputs, inputs, use_causal_mask=True))
    for count in (1, 3, 4):
        x = DATA[:, :count]
        assert np.allclose(model(x), layer(x, x, use_causal_mask=True), rtol=1e-12)


def test_heads_see_what_one_head_after_another_sees():
    """The layer, from the formula of the paper and its own weights."""
    layer = layers.MultiHeadAttention(2, 3, value_dim=4, dtype="float64")
    found, scores = layer(DATA, ENDS, return_attention_scores=True)
    wq, bq, wk, bk, wv, bv, wo, bo = layer.get_weights()
    expected = bo + np.zeros(DATA.shape)
    for h in range(2):
        q, k, v = DATA @ wq[:, h] + bq[h], ENDS @ wk[:, h] + bk[h], ENDS @ wv[:, h] + bv[h]
        share = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(3))
        share /= share.sum(-1, keepdims=True)
        assert np.allclose(scores[:, h], share, rtol=1e-12)
        expected += share @ v @ wo[h]
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-12)


# --- initial weights and configs


def test_projections_count_inputs_and_outputs_by_their_equation():
    layer = layers.EinsumDense("abc,cde->abde", output_shape=(None, 8, 10))
    layer.build((None, 4, 20))
    limit = np.sqrt(6 / (20 + 80))
    assert 0.9 * limit < np.abs(layer.kernel.numpy()).max() <= limit


def test_a_seeded_initializer_gives_the_projections_their_own_weights_again():
    ag.utils.set_random_seed(1)
    made = [layers.MultiHeadAttention(2, 3) for _ in range(2)]
    for layer in made:
        layer(DATA, DATA)
    assert not np.allclose(made[0].query_dense.kernel, made[0].key_dense.kernel)
    seeded = layers.MultiHeadAttention(2, 3, kernel_initializer=initializers.GlorotUniform(seed=5))
    seeded(DATA, DATA)
    assert np.array_equal(seeded.query_dense.kernel, seeded.key_dense.kernel)


def test_a_model_with_all_of_them_comes_back_from_json():
    a = layers.Input((4, 6))
    x = layers.MultiHeadAttention(2, 3, attention_axes=1)(a, a, use_causal_mask=True)
    x = layers.GroupNormalization(3)(layers.BatchNormalization()(layers.LayerNormalization()(x)))
    x = layers.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d")(layers.RMSNormalization()(x))
    x = layers.AdditiveAttention()([x, layers.Attention()([x, x])])
    model = models.Model(a, layers.UnitNormalization()(x))
    again = models.model_from_json(json.dumps(json.loads(model.to_json())))
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(DATA, verbose=0), model.predict(DATA, verbose=0))


# --- bad inputs

BAD = [
    (lambda: layers.LayerNormalization(axis="last"), ArgumentTypeError, "axis must be an int or a list of ints"),
    (lambda: layers.LayerNormalization(epsilon=-1), InvalidArgument, "epsilon must be a number >= 0, got -1"),
    (lambda: layers.LayerNormalization(axis=3)(DATA), ValueError, "'layer_normalization.*axis 3 is out of range"),
    (lambda: layers.LayerNormalization(axes=1), ArgumentTypeError, "unknown argument 'axes'; did you mean 'axis'"),
    (lambda: layers.BatchNormalization(momentum=1.5), InvalidArgument, "momentum must be a number from 0 to 1"),
    (lambda: layers.BatchNormalization(axis=[1, 2]), ArgumentTypeError, "axis must be an int"),
    (lambda: layers.BatchNormalization(renorm=True), InvalidArgument, "renorm=True is not supported"),
    (lambda: layers.BatchNormalization()(layers.Input((None,))), ShapeError, "size of axis 1"),
    (lambda: layers.GroupNormalization(0), InvalidArgument, "groups must be an int >= 1, or -1"),
    (lambda: layers.GroupNormalization("4"), ArgumentTypeError, "groups must be an int"),
    (lambda: layers.GroupNormalization(4)(DATA), InvalidArgument, "4 groups do not divide 6 channels of axis 2"),
    (lambda: layers.GroupNormalization(2, axis=0)(DATA), InvalidArgument, "axis 0 is the batch axis"),
    (lambda: layers.RMSNormalization(axis=True), ArgumentTypeError, "axis must be an int"),
    (lambda: layers.UnitNormalization(axis=5)(DATA), ValueError, "axis 5 is out of range"),
    (lambda: layers.EinsumDense("ab,bc", 3), InvalidArgument, "equation must have the form"),
    (lambda: layers.EinsumDense("ab,bc->az", 3), InvalidArgument, "'z' stands only in the output"),
    (lambda: layers.EinsumDense("ab,bcz->ac", 3), InvalidArgument, "'z' stands only in the kernel"),
    (lambda: layers.EinsumDense("ab,bc->ac", 0), InvalidArgument, "output_shape must be an int >= 1, got 0"),
    (lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="b"), InvalidArgument, "names 'b', which output 'ac' lacks"),
    (lambda: layers.EinsumDense("ab,bc->ac", 3)(DATA), ShapeError, "does not name the axes of input"),
    (lambda: layers.EinsumDense("abc,cd->abd", 3)(DATA), ShapeError, "output_shape .3,. does not fit the output 'abd'"),
    (lambda: layers.EinsumDense("abc,cd->abd", (3, 2))(DATA), ShapeError, "'b' has size 4 in input"),
    (lambda: layers.Attention(score_mode="concatt"), InvalidArgument, "did you mean 'concat'"),
    (lambda: layers.Attention(dropout=50), InvalidArgument, "dropout must be .*50 means 0.5"),
    (lambda: layers.Attention()(DATA), ShapeError, "expects .query, value. or .query, value, key., got one tensor"),
    (lambda: layers.Attention()([DATA]), ShapeError, "got 1 inputs"),
    (lambda: layers.Attention()([DATA, ENDS], mask=DATA), ArgumentTypeError, "mask must be .query_mask, value_mask."),
    (lambda: layers.MultiHeadAttention(0, 3), InvalidArgument, "num_heads must be an int >= 1, got 0"),
    (lambda: layers.MultiHeadAttention(2, 2.5), ArgumentTypeError, "key_dim must be an int"),
    (lambda: layers.MultiHeadAttention(2, 3, dropout=1.0), InvalidArgument, "dropout must be a number with 0 <= rate"),
    (lambda: layers.MultiHeadAttention(2, 3, attention_axes="x"), ArgumentTypeError, "attention_axes must be an int"),
    (lambda: layers.MultiHeadAttention(2, 3, num_head=2), ArgumentTypeError, "did you mean 'num_heads'"),
    (lambda: layers.MultiHeadAttention(2, 3)(DATA, DATA[:, 0]), ShapeError, "expects value .batch, places, numbers."),
    (lambda: layers.MultiHeadAttention(2, 3)(DATA, ENDS, DATA), ShapeError, "value and key must have the same places"),
    (lambda: layers.MultiHeadAttention(2, 3)(DATA), ShapeError, "expects value .* got None"),
]  # fmt: skip


@pytest.mark.parametrize("k", range(len(BAD)))
def test_bad_inputs(k):
    make, error, message = BAD[k]
    with pytest.raises(error, match=message) as caught:
        make()
    first = str(caught.value).partition("\n")[0]
    assert len(first) <= 300 and "numpy" not in first.lower()


def test_a_normalization_reused_on_another_width_says_so():
    layer = layers.LayerNormalization(name="norm")
    layer(DATA)
    with pytest.raises(ShapeError, match="layer 'norm' expects last axis 6"):
        layer(DATA[..., :5])
