"""Masks: made, passed on through layers and models, merged, and forgotten with their tensors."""

import gc
import subprocess
import sys

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers, models, ops
from autograd_nn.layers import masks
from autograd_nn.layers.masks import get_mask, set_mask

STEPS = np.array([[[1.0, 2.0], [0.0, 0.0], [3.0, 0.0]]])
KEPT = [[True, False, True]]


class Sees(layers.Layer):
    """Remembers the mask that it was called with."""

    def call(self, x, mask=None):
        self.seen = mask
        return x


def test_masking_makes_a_mask_and_zeros():
    y = layers.Masking(0.0)(STEPS)
    assert get_mask(y).tolist() == KEPT
    assert np.array_equal(y.numpy(), STEPS)


def test_a_mask_reaches_a_call_that_asks_for_it():
    sees = Sees()
    sees(layers.Masking()(STEPS))
    assert sees.seen.tolist() == KEPT
    sees(STEPS)
    assert sees.seen is None
    sees(STEPS, mask=ag.tensor([[True, True, False]]))
    assert sees.seen.tolist() == [[True, True, False]]


@pytest.mark.parametrize("layer", [layers.Dense(2), layers.Dropout(0.5), layers.Activation("relu"), layers.ReLU()])
def test_layers_that_support_masks_pass_them_on(layer):
    assert get_mask(layer(layers.Masking()(STEPS))).tolist() == KEPT


def test_layers_that_do_not_support_masks_drop_them():
    assert get_mask(layers.Flatten()(layers.Masking()(STEPS))) is None


def test_a_mask_survives_the_cast_of_its_tensor():
    masked = layers.Masking(dtype="float64")(STEPS)
    sees = Sees(dtype="float32")
    assert sees(masked).dtype == np.float32
    assert sees.seen.tolist() == KEPT


def test_merged_masks():
    a, b = layers.Masking()(STEPS), layers.Masking(1.0)(np.ones((1, 3, 2)))
    assert get_mask(layers.Add()([a, b])).tolist() == KEPT
    assert get_mask(layers.Add()([a, ag.tensor(STEPS)])) is None
    assert get_mask(layers.Concatenate(axis=1)([a, ag.tensor(STEPS)])).tolist() == [
        [True, False, True, True, True, True]
    ]
    assert get_mask(layers.Concatenate()([a, b])).tolist() == KEPT


def test_masks_travel_through_models_and_programs():
    sees = Sees()
    inputs = layers.Input((3, 2))
    inner_in = layers.Input((3, 2))
    inner = models.Model(inner_in, layers.Dense(2)(layers.Masking()(inner_in)))
    model = models.Model(inputs, sees(inner(inputs)))
    model(STEPS)
    assert sees.seen.tolist() == KEPT

    def kept(x):
        model(x)
        return ops.cast(sees.seen, "float32")

    assert ag.jit(kept)(STEPS).tolist() == [[1.0, 0.0, 1.0]]


def test_a_mask_given_to_a_model_goes_to_its_input():
    sees = Sees()
    inputs = layers.Input((3, 2))
    models.Model(inputs, sees(inputs))(STEPS, mask=ag.tensor(KEPT))
    assert sees.seen.tolist() == KEPT


def test_masks_die_with_their_tensors():
    gc.collect()
    before = len(masks._MASKS)
    y = layers.Masking()(STEPS)
    assert len(masks._MASKS) == before + 1
    del y
    gc.collect()
    assert len(masks._MASKS) == before


def test_set_mask_none_takes_it_away():
    t = ag.tensor([1.0])
    set_mask(t, ag.tensor([True]))
    set_mask(t, None)
    assert get_mask(t) is None


def test_softmax_leaves_masked_elements_out():
    x, mask = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]), np.array([[True, True, False], [False, False, False]])
    y = layers.Softmax(dtype="float64")(x, mask=mask).numpy()
    assert np.allclose(y[0], [1 / (1 + np.e), np.e / (1 + np.e), 0])
    assert np.array_equal(y[1], [0, 0, 0])
    t = ag.tensor(x, requires_grad=True)
    (layers.Softmax(dtype="float64")(t, mask=mask) * x).sum().backward()
    assert np.isfinite(t.grad.numpy()).all()


def test_masks_of_a_nest_go_to_their_own_tensors():
    masked, plain = layers.Masking()(STEPS), ag.tensor(STEPS)
    first, second = ag.tensor(STEPS), masked
    y = layers.Identity()([plain, masked])
    assert get_mask(y[0]) is None and get_mask(y[1]).tolist() == KEPT
    masks.set_masks({"a": first, "b": second}, {"a": None, "b": ag.tensor([[False, True, True]])})
    assert get_mask(first) is None and get_mask(second).tolist() == [[False, True, True]]


class Halves(layers.Layer):
    """Says what becomes of masks, and nothing else of them."""

    def call(self, x):
        return x[:, :2]

    def compute_mask(self, inputs, previous_mask):
        return None if previous_mask is None else previous_mask[:, :2]


class Wraps(layers.Layer):
    """Passes the mask of its inputs on, but for outputs that have one."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.inner = layers.Masking(3.0)

    def call(self, x):
        return self.inner(x)


def test_a_layer_that_computes_a_mask_passes_it_on():
    assert Halves().supports_masking and not layers.Flatten().supports_masking
    assert get_mask(Halves()(layers.Masking()(STEPS))).tolist() == [KEPT[0][:2]]


def test_the_mask_that_a_layer_inside_gave_stays():
    x = np.array([[[3.0, 3.0], [0.0, 0.0], [1.0, 3.0]]])
    assert get_mask(Wraps()(layers.Masking()(x))).tolist() == [[False, True, True]]


def test_a_tensor_with_a_mask_may_outlive_the_interpreter():
    code = "import autograd_nn as ag, sys; from autograd_nn.layers.masks import set_mask\n"
    code += "sys.held = ag.tensor([1.0]); set_mask(sys.held, ag.tensor([True]))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not run.stderr


def test_a_symbolic_call_knows_that_there_will_be_a_mask() -> None:
    class NeedsMask(ag.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.supports_masking = True

        def call(self, inputs, mask=None):
            assert mask is not None
            return inputs * ag.ops.expand_dims(ag.ops.cast(mask, "float32"), -1)

    x = ag.Input((None,), dtype="int32")
    embedded = ag.layers.Embedding(5, 2, mask_zero=True, embeddings_initializer="ones")(x)
    y = NeedsMask()(ag.layers.Dense(1, kernel_initializer="ones")(embedded))
    found = ag.Model(x, y)(np.array([[1, 2, 0]]))
    assert found.tolist() == [[[2.0], [2.0], [0.0]]]
    with pytest.raises(AssertionError):
        NeedsMask()(ag.layers.Dense(1)(ag.Input((3, 2))))
