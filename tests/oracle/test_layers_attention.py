"""Normalisation and attention layers against Keras: values, gradients, weights, signatures, trainings."""

import inspect

import keras
import numpy as np
import pytest
import torch

import autograd_nn as ag
from autograd_nn import layers

RNG = np.random.default_rng(0)
# Keras' torch backend computes matrix products and moments in float32 whatever the dtype of their inputs is; the ops
# below these layers are compared with torch itself to 1e-12 in test_ops.
ROUNDED = 1e-5


@pytest.fixture(autouse=True)
def both_float64(request):
    """Both libraries compute in float64, unless a test says float32."""
    chosen = "float32" if "training_steps" in request.node.name else "float64"
    keras.config.set_floatx(chosen)
    keras.config.set_dtype_policy(chosen)
    ag.config.set_floatx(chosen)
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    ag.config.set_floatx("float32")


def reals(*shape):
    return RNG.normal(size=shape)


def close(found, expected, rtol=ROUNDED):
    assert found.shape == expected.shape
    scale = np.abs(expected).max(initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)


def flat(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def nest(arrays, form, make):
    """The call's positional arguments: one tensor, a list of tensors, or several tensors."""
    made = [make(a) for a in arrays]
    return made, {"one": made, "list": [made], "several": made}[form]


def weights_like(layer):
    """Random weights, positive where they are not trained: they may be variances."""
    return [0.5 * reals(*w.shape) if w.trainable else RNG.uniform(0.5, 2, w.shape) for w in layer.weights]


def pair_of(name, settings, arrays, form):
    """The same layer twice, built, with the same weights."""
    ours, theirs = getattr(layers, name)(**settings), getattr(keras.layers, name)(**settings)
    ours(*nest(arrays, form, ag.tensor)[1]), theirs(*nest(arrays, form, torch.tensor)[1])
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [w.path.split("/")[1:] for w in ours.weights] == [w.path.split("/")[1:] for w in theirs.weights]
    theirs.set_weights(weights_like(ours))
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def torched(value):
    if isinstance(value, np.ndarray):
        return torch.tensor(value)
    return [torched(v) for v in value] if isinstance(value, list) else value


def compare(name, settings, arrays, form="one", **call):
    """Equal outputs, and equal gradients by inputs and weights, for the same weights."""
    ours, theirs = pair_of(name, settings, arrays, form)
    inputs, args = nest(arrays, form, lambda a: ag.tensor(a, requires_grad=True))
    twins, others = nest(arrays, form, lambda a: torch.tensor(a, requires_grad=True))
    ys, zs = flat(ours(*args, **call)), flat(theirs(*others, **{k: torched(v) for k, v in call.items()}))
    assert len(ys) == len(zs)
    total, other = 0.0, 0.0
    for y, z in zip(ys, zs):
        assert y.dtype == np.float64
        close(y.numpy(), z.detach().numpy())
        cotangent = reals(*y.shape)
        total, other = total + (y * cotangent).sum(), other + (z * torch.tensor(cotangent)).sum()
    total.backward()
    other.backward()
    for x, twin in zip(inputs, twins):
        close(x.grad.numpy(), twin.grad.numpy())
    for w, v in zip(ours.trainable_weights, theirs.trainable_weights):
        close(w.grad.numpy(), v.value.grad.numpy())
    for w, v in zip(ours.non_trainable_weights, theirs.non_trainable_weights):
        close(w.numpy(), v.value.detach().numpy())


NORMAL = {
    "layer": ("LayerNormalization", {}, (5, 4)),
    "layer_axes": ("LayerNormalization", {"axis": [1, 2], "epsilon": 0.1}, (5, 3, 4)),
    "layer_plain": ("LayerNormalization", {"center": False, "scale": False}, (5, 4)),
    "layer_rms": ("LayerNormalization", {"rms_scaling": True}, (5, 4)),
    "rms": ("RMSNormalization", {}, (5, 4)),
    "rms_axes": ("RMSNormalization", {"axis": (1, 2)}, (5, 3, 4)),
    "unit": ("UnitNormalization", {}, (5, 4)),
    "unit_axes": ("UnitNormalization", {"axis": [1, 2]}, (5, 3, 4)),
    "group": ("GroupNormalization", {"groups": 2}, (5, 3, 4)),
    "group_first": ("GroupNormalization", {"groups": 3, "axis": 1}, (5, 6, 2, 2)),
    "group_each": ("GroupNormalization", {"groups": -1, "center": False}, (5, 3, 4)),
    "batch": ("BatchNormalization", {}, (5, 4)),
    "batch_images": ("BatchNormalization", {"momentum": 0.7}, (2, 3, 3, 4)),
    "batch_first": ("BatchNormalization", {"axis": 1, "scale": False}, (5, 3, 4)),
    "batch_plain": ("BatchNormalization", {"center": False, "scale": False, "epsilon": 0.1}, (5, 4)),
}


@pytest.mark.filterwarnings("ignore:.*rms_scaling")
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("case", NORMAL)
def test_normalization(case, training):
    name, settings, shape = NORMAL[case]
    call = {"training": True} if training and name == "BatchNormalization" else {}
    compare(name, settings, [reals(*shape) + 0.5], **call)


@pytest.mark.parametrize("kept", [RNG.integers(0, 2, (5, 4)), np.ones((5, 4))])
def test_batch_normalization_of_masked_steps(kept):
    compare("BatchNormalization", {}, [reals(5, 4, 3)], mask=kept.astype(bool), training=True)


EINSUM = {
    "heads": ({"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "de"}, (5, 3, 4)),
    "back": ({"equation": "abcd,cde->abe", "output_shape": (None, 3), "bias_axes": "e"}, (5, 3, 2, 4)),
    "left": ({"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y", "activation": "tanh"}, (5, 3, 4)),
    "right": ({"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"}, (5, 3, 4)),
    "inner_bias": ({"equation": "abc,cd->abd", "output_shape": (3, 6), "bias_axes": "b"}, (5, 3, 4)),
    "plain": ({"equation": "ab,bc->ac", "output_shape": (3,)}, (5, 4)),
}


@pytest.mark.parametrize("case", EINSUM)
def test_einsum_dense(case):
    settings, shape = EINSUM[case]
    compare("EinsumDense", settings, [reals(*shape)])


QUERY_MASK = np.array([[True, True, False], [True, True, True]])
VALUE_MASK = np.array([[True, False, True, True], [True, True, False, False]])
ATTENTION = {
    "dot": ("Attention", {}, 2, {}),
    "scale": ("Attention", {"use_scale": True}, 3, {"return_attention_scores": True}),
    "concat": ("Attention", {"score_mode": "concat", "use_scale": True}, 3, {}),
    "causal": ("Attention", {}, 2, {"use_causal_mask": True}),
    "masks": ("Attention", {}, 2, {"mask": [QUERY_MASK, VALUE_MASK]}),
    "all": ("Attention", {}, 3, {"mask": [QUERY_MASK, VALUE_MASK, None], "use_causal_mask": True}),
    "value_mask": ("Attention", {}, 2, {"mask": [None, VALUE_MASK]}),
    "additive": ("AdditiveAttention", {}, 2, {}),
    "additive_masks": ("AdditiveAttention", {}, 3, {"mask": [QUERY_MASK, VALUE_MASK], "use_causal_mask": True}),
    "additive_plain": ("AdditiveAttention", {"use_scale": False}, 2, {"return_attention_scores": True}),
}


@pytest.mark.parametrize("case", ATTENTION)
def test_attention(case):
    name, settings, count, call = ATTENTION[case]
    compare(name, settings, [reals(2, 3, 4), reals(2, 4, 4), reals(2, 4, 4)][:count], "list", **call)


SMALL = {"num_heads": 2, "key_dim": 3}
SEEN = RNG.integers(0, 2, (2, 3, 4)).astype(bool)
SEEN[..., 0] = True
HEADS = {
    "plain": (SMALL, 2, {}),
    "three": ({"num_heads": 3, "key_dim": 2, "value_dim": 4, "output_shape": 5}, 3, {}),
    "no_bias": ({**SMALL, "use_bias": False, "output_shape": (2, 3)}, 2, {}),
    "gate": ({**SMALL, "use_gate": True}, 2, {}),
    "scores": (SMALL, 2, {"return_attention_scores": True}),
    "causal": (SMALL, 2, {"use_causal_mask": True}),
    "causal_scores": (SMALL, 3, {"use_causal_mask": True, "return_attention_scores": True}),
    "window": ({**SMALL, "sliding_window": 2}, 2, {}),
    "window_causal": ({**SMALL, "sliding_window": 2}, 2, {"use_causal_mask": True}),
    "mask": (SMALL, 2, {"attention_mask": SEEN}),
    "mask_causal": (SMALL, 2, {"attention_mask": SEEN, "use_causal_mask": True}),
    "mask_of_heads": (SMALL, 2, {"attention_mask": np.stack([SEEN, SEEN | True], axis=1)}),
    "value_mask": (SMALL, 2, {"value_mask": VALUE_MASK}),
    "masks": (SMALL, 3, {"value_mask": VALUE_MASK, "key_mask": VALUE_MASK, "attention_mask": SEEN}),
    "mask_scores": (SMALL, 2, {"attention_mask": SEEN, "return_attention_scores": True}),
    "dropout_idle": ({**SMALL, "dropout": 0.5}, 2, {"attention_mask": SEEN & False}),
}


@pytest.mark.parametrize("case", HEADS)
def test_multi_head_attention(case):
    settings, count, call = HEADS[case]
    compare("MultiHeadAttention", settings, [reals(2, 3, 5), reals(2, 4, 6), reals(2, 4, 7)][:count], "several", **call)


@pytest.mark.parametrize("axes", [None, 1, 2, (1, 2)])
def test_multi_head_attention_along_axes(axes):
    settings = {**SMALL, "attention_axes": axes}
    compare("MultiHeadAttention", settings, [reals(2, 3, 4, 5), reals(2, 3, 4, 5)], "several")


def test_a_query_that_sees_nothing_gets_the_mean_of_the_values():
    ours, theirs = pair_of("MultiHeadAttention", SMALL, [reals(2, 3, 5)] * 2, "several")
    x, seen = reals(2, 3, 5), np.zeros((2, 3, 3), bool)
    found, expected = ours(x, x, attention_mask=seen), theirs(*[torch.tensor(x)] * 2, attention_mask=torch.tensor(seen))
    close(found.numpy(), expected.detach().numpy())


@pytest.mark.parametrize("causal", [False, True])
def test_masks_of_the_inputs_are_taken_and_that_of_the_query_passed_on(causal):
    def model(k):
        a, b = k.Input((3,), dtype="int32"), k.Input((4,), dtype="int32")
        query, value = (k.layers.Embedding(5, 4, mask_zero=True)(t) for t in (a, b))
        y = k.layers.MultiHeadAttention(2, 3)(query, value, use_causal_mask=causal)
        return k.Model([a, b], k.layers.LSTM(2)(y))

    ours, theirs = model(ag), model(keras)
    theirs.set_weights(ours.get_weights())
    data = [np.array([[1, 2, 3], [4, 1, 0], [2, 0, 0]]), np.array([[1, 2, 3, 4], [1, 0, 0, 0], [3, 2, 0, 0]])]
    close(ours(data).numpy(), theirs([torch.tensor(a) for a in data]).detach().numpy())


NAMES = [
    "LayerNormalization", "RMSNormalization", "UnitNormalization", "GroupNormalization", "BatchNormalization",
    "EinsumDense", "Attention", "AdditiveAttention", "MultiHeadAttention",
]  # fmt: skip
ONLY_THEIRS = {"gptq_unpacked_column_size", "quantization_config"}
NEEDED = {"EinsumDense": {"equation": "ab,bc->ac", "output_shape": (3,)}, "MultiHeadAttention": SMALL}


@pytest.mark.parametrize("name", NAMES)
def test_signature(name):
    for method in ("__init__", "call"):
        ours, theirs = (inspect.signature(getattr(getattr(r, name), method)).parameters for r in (layers, keras.layers))
        wanted = [(p.name, p.default or None) for p in theirs.values() if p.name not in ONLY_THEIRS]
        found = [(p.name, p.default or None) for p in ours.values()]
        assert set(found) >= set(wanted) - {("training", None)}
        assert [n for n, _ in found if n != "training"] == [n for n, _ in wanted if n != "training"]


@pytest.mark.parametrize("name", NAMES)
def test_config(name):
    found, expected = (getattr(r, name)(**NEEDED.get(name, {}), name="x").get_config() for r in (layers, keras.layers))
    left_out = {"dtype", *ONLY_THEIRS} | ({"activity_regularizer"} - found.keys())
    plain = {k: v for k, v in expected.items() if v is None or isinstance(v, (int, float, str, bool, list, tuple))}
    assert {k: found[k] for k in plain.keys() - left_out} == {k: plain[k] for k in plain.keys() - left_out}
    assert set(found) >= set(expected) - left_out
    for key in set(expected) - set(plain) - left_out:
        assert found[key]["class_name"] == expected[key]["class_name"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("EinsumDense", "MultiHeadAttention")])
def test_shape_rule(name):
    ours, theirs = getattr(layers, name)(), getattr(keras.layers, name)()
    ours, theirs = (layer(2) if isinstance(layer, type) else layer for layer in (ours, theirs))
    given = [(None, 3, 32), (None, 4, 32)] if "Attention" in name else (None, 3, 32)
    assert tuple(ours.compute_output_shape(given)) == tuple(theirs.compute_output_shape(given))


def test_kernels_of_heads_start_as_those_of_keras():
    """Inputs and outputs are counted by the equation, not as for a convolution."""
    x = reals(1, 2, 60)
    ours, theirs = (r.MultiHeadAttention(8, 10) for r in (layers, keras.layers))
    ours(x, x), theirs(torch.tensor(x), torch.tensor(x))
    for w, v in zip(ours.weights, theirs.weights):
        limit = np.abs(v.value.detach().numpy()).max()
        assert np.abs(w.numpy()).max() == pytest.approx(limit, rel=0.01)


# --- trainings


def transformer(k):
    tokens, places = k.Input((8,), dtype="int32"), k.Input((8,), dtype="int32")
    x = k.layers.Add()([k.layers.Embedding(11, 16)(tokens), k.layers.Embedding(8, 16)(places)])
    normal = k.layers.LayerNormalization()(x)
    x = k.layers.Add()([x, k.layers.MultiHeadAttention(2, 8)(normal, normal, use_causal_mask=True)])
    inner = k.layers.Dense(32, activation="gelu")(k.layers.LayerNormalization()(x))
    x = k.layers.Add()([x, k.layers.Dense(16)(inner)])
    return k.Model([tokens, places], k.layers.Dense(11)(k.layers.LayerNormalization()(x)))


def perceptron(k):
    # A bias before BatchNormalization would have gradient 0, and Adam divides its rounding by itself.
    return k.Sequential([
        k.Input((6,)), k.layers.Dense(16, use_bias=False), k.layers.BatchNormalization(momentum=0.9),
        k.layers.Activation("relu"), k.layers.Dense(12, activation="tanh"),
        k.layers.BatchNormalization(momentum=0.8, scale=False), k.layers.Dense(3),
    ])  # fmt: skip


def trained(make, x, y):
    """Both models after 20 steps of Adam from the same weights, and the losses of the steps."""
    ours, theirs = make(ag), make(keras)
    theirs.set_weights(ours.get_weights())
    losses = []
    for k, model in ((ag, ours), (keras, theirs)):
        model.compile(optimizer="adam", loss=k.losses.SparseCategoricalCrossentropy(from_logits=True))
        losses.append([float(model.train_on_batch(x, y)) for _ in range(20)])
    np.testing.assert_allclose(*losses, rtol=2e-5)
    assert losses[0][-1] < losses[0][0]
    return ours, theirs


def test_twenty_training_steps_of_a_transformer():
    x = [RNG.integers(0, 11, (12, 8)), np.tile(np.arange(8), (12, 1))]
    ours, theirs = trained(transformer, x, RNG.integers(0, 11, (12, 8)))
    for w, v in zip(ours.get_weights(), theirs.get_weights()):
        # Adam divides the rounding of gradients that are exactly 0, those of the keys' biases, by itself.
        np.testing.assert_allclose(w, v, rtol=1e-3, atol=1e-3 if w.shape == (2, 8) else 1e-4)
    close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), 1e-4)


def test_twenty_training_steps_of_a_perceptron_with_batch_normalization():
    x, y = (2 * reals(24, 6) + 1).astype("float32"), RNG.integers(0, 3, 24)
    ours, theirs = trained(perceptron, x, y)
    moving = [k for k, w in enumerate(ours.weights) if "moving" in w.path]
    assert len(moving) == 4
    found, expected = ours.get_weights(), theirs.get_weights()
    assert all(np.abs(found[k] - found[k].round()).max() > 1e-3 for k in moving)
    for w, v in zip(found, expected):
        np.testing.assert_allclose(w, v, rtol=1e-3, atol=1e-4)
    close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), 1e-4)
    close(np.float64(ours.evaluate(x, y, verbose=0)), np.float64(theirs.evaluate(x, y, verbose=0)), 1e-4)
