"""Convolution, pooling and resizing layers through the layer suite, and what is particular to them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_nn as ag
from autograd_nn import layers, models, utils
from autograd_nn.errors import FIRST_LINE, ArgumentTypeError, InvalidArgument, ShapeError
from autograd_nn.layers.masks import get_mask
from autograd_nn.layers.naming import reset_names
from autograd_nn.testing import layer_suite
from autograd_nn.transforms import jit

RNG = np.random.default_rng(0)
BOTH = ("kernel", "bias")
THREE = ("depthwise_kernel", "pointwise_kernel", "bias")
FIRST = {"data_format": "channels_first"}
RICH = {
    "activation": "tanh", "bias_initializer": "ones", "bias_regularizer": "l1", "activity_regularizer": "l2",
    "bias_constraint": "non_neg",
}  # fmt: skip
KERNEL = {"kernel_initializer": "he_normal", "kernel_regularizer": "l2", "kernel_constraint": "max_norm"}
DEPTHWISE = {"depthwise_initializer": "he_normal", "depthwise_regularizer": "l2", "depthwise_constraint": "max_norm"}

CASES = {
    "conv1d": (layers.Conv1D, {"filters": 3, "kernel_size": 2}, (5, 2), {"output_shape": (4, 3), "weights": BOTH}),
    "conv1d_causal": (
        layers.Conv1D, {"filters": 2, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, (5, 2),
        {"output_shape": (5, 2), "mask": False},
    ),
    "conv1d_first": (layers.Conv1D, {"filters": 2, "kernel_size": 2, **FIRST}, (3, 5), {"output_shape": (2, 4)}),
    "conv1d_causal_first": (
        layers.Conv1D, {"filters": 2, "kernel_size": 3, "padding": "causal", "strides": 2, **FIRST}, (3, 5),
        {"output_shape": (2, 3)},
    ),
    "conv2d": (
        layers.Conv2D, {"filters": 2, "kernel_size": 3}, (5, 4, 2),
        {"output_shape": (3, 2, 2), "weights": BOTH, "mask": False},
    ),
    "conv2d_rich": (
        layers.Conv2D, {"filters": 2, "kernel_size": (2, 3), "strides": (2, 1), "padding": "SAME", **RICH, **KERNEL},
        (5, 4, 1), {"output_shape": (3, 4, 2)},
    ),
    "conv2d_plain": (
        layers.Conv2D, {"filters": 4, "kernel_size": 2, "groups": 2, "use_bias": False}, (3, 3, 2),
        {"output_shape": (2, 2, 4), "weights": ("kernel",)},
    ),
    "conv2d_dilated": (layers.Conv2D, {"filters": 2, "kernel_size": 2, "dilation_rate": (2, 1)}, (4, 4, 1), {}),
    "conv2d_first": (layers.Conv2D, {"filters": 2, "kernel_size": 2, **FIRST}, (3, 4, 3), {"output_shape": (2, 3, 2)}),
    "conv3d": (
        layers.Conv3D, {"filters": 2, "kernel_size": 2}, (3, 3, 3, 1), {"output_shape": (2, 2, 2, 2), "weights": BOTH},
    ),
    "conv3d_first": (
        layers.Conv3D, {"filters": 1, "kernel_size": (1, 2, 1), "padding": "same", **FIRST}, (1, 2, 3, 2),
        {"output_shape": (1, 2, 3, 2)},
    ),
    "conv1d_transpose": (
        layers.Conv1DTranspose, {"filters": 2, "kernel_size": 3, "strides": 2}, (3, 2),
        {"output_shape": (7, 2), "weights": BOTH, "mask": False},
    ),
    "conv2d_transpose": (
        layers.Conv2DTranspose, {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"}, (2, 3, 2),
        {"output_shape": (4, 6, 2), "weights": BOTH},
    ),
    "conv2d_transpose_rich": (
        layers.Conv2DTranspose,
        {"filters": 1, "kernel_size": 3, "strides": 3, "padding": "same", "output_padding": (1, 2), **RICH, **KERNEL},
        (2, 2, 1), {"output_shape": (5, 6, 1)},
    ),
    "conv2d_transpose_first": (
        layers.Conv2DTranspose, {"filters": 1, "kernel_size": 2, "dilation_rate": 2, "use_bias": False, **FIRST},
        (2, 2, 3), {"output_shape": (1, 4, 5), "weights": ("kernel",)},
    ),
    "conv3d_transpose": (
        layers.Conv3DTranspose, {"filters": 1, "kernel_size": 2, "strides": (1, 2, 1)}, (2, 2, 1, 2),
        {"output_shape": (3, 4, 2, 1), "weights": BOTH},
    ),
    "depthwise_conv1d": (
        layers.DepthwiseConv1D, {"kernel_size": 2, "depth_multiplier": 2}, (4, 2),
        {"output_shape": (3, 4), "weights": BOTH, "mask": False},
    ),
    "depthwise_conv2d": (
        layers.DepthwiseConv2D, {"kernel_size": 2, "padding": "same", **RICH, **DEPTHWISE}, (3, 3, 2),
        {"output_shape": (3, 3, 2), "weights": BOTH},
    ),
    "depthwise_conv2d_first": (
        layers.DepthwiseConv2D, {"kernel_size": 2, "strides": 2, "use_bias": False, **FIRST}, (2, 4, 4),
        {"output_shape": (2, 2, 2), "weights": ("kernel",)},
    ),
    "separable_conv1d": (
        layers.SeparableConv1D, {"filters": 3, "kernel_size": 2}, (4, 2), {"output_shape": (3, 3), "weights": THREE},
    ),
    "separable_conv2d": (
        layers.SeparableConv2D,
        {
            "filters": 2, "kernel_size": 2, "depth_multiplier": 2, "padding": "same", **RICH, **DEPTHWISE,
            "pointwise_initializer": "ones", "pointwise_regularizer": "l1", "pointwise_constraint": "non_neg",
        },
        (3, 3, 2), {"output_shape": (3, 3, 2), "weights": THREE, "mask": False},
    ),
    "separable_conv2d_first": (
        layers.SeparableConv2D, {"filters": 3, "kernel_size": 2, "use_bias": False, **FIRST}, (2, 3, 3),
        {"output_shape": (3, 2, 2), "weights": THREE[:2]},
    ),
    "max_pooling1d": (layers.MaxPooling1D, {}, (5, 2), {"output_shape": (2, 2), "weights": (), "mask": False}),
    "max_pooling2d": (layers.MaxPooling2D, {}, (5, 4, 2), {"output_shape": (2, 2, 2)}),
    "max_pooling2d_same": (
        layers.MaxPooling2D, {"pool_size": (3, 2), "strides": 2, "padding": "same", **FIRST}, (2, 5, 4),
        {"output_shape": (2, 3, 2)},
    ),
    "max_pooling3d": (layers.MaxPooling3D, {"strides": (1, 2, 1)}, (3, 3, 2, 1), {"output_shape": (2, 1, 1, 1)}),
    "average_pooling1d": (
        layers.AveragePooling1D, {"pool_size": 2}, (5, 2), {"output_shape": (2, 2), "weights": (), "mask": False},
    ),
    "average_pooling2d": (
        layers.AveragePooling2D, {"pool_size": 3, "strides": 1, "padding": "same"}, (4, 3, 2),
        {"output_shape": (4, 3, 2)},
    ),
    "average_pooling2d_first": (
        layers.AveragePooling2D, {"pool_size": 2, **FIRST}, (2, 4, 5), {"output_shape": (2, 2, 2)},
    ),
    "average_pooling3d": (layers.AveragePooling3D, {"pool_size": 2}, (2, 3, 4, 1), {"output_shape": (1, 1, 2, 1)}),
    "global_max_pooling1d": (layers.GlobalMaxPooling1D, {}, (4, 2), {"output_shape": (2,), "mask": False}),
    "global_max_pooling2d": (layers.GlobalMaxPooling2D, {**FIRST, "keepdims": True}, (2, 3, 4), {
        "output_shape": (2, 1, 1),
    }),
    "global_max_pooling3d": (layers.GlobalMaxPooling3D, {}, (2, 2, 3, 2), {"output_shape": (2,)}),
    "global_average_pooling1d": (layers.GlobalAveragePooling1D, {}, (4, 2), {"output_shape": (2,), "mask": True}),
    "global_average_pooling1d_first": (
        layers.GlobalAveragePooling1D, {**FIRST, "keepdims": True}, (4, 2), {"output_shape": (4, 1)},
    ),
    "global_average_pooling2d": (layers.GlobalAveragePooling2D, {"keepdims": True}, (4, 3, 2), {
        "output_shape": (1, 1, 2), "mask": False,
    }),
    "global_average_pooling3d": (layers.GlobalAveragePooling3D, FIRST, (2, 2, 3, 2), {"output_shape": (2,)}),
    "up_sampling1d": (layers.UpSampling1D, {}, (3, 2), {"output_shape": (6, 2), "weights": (), "mask": False}),
    "up_sampling2d": (layers.UpSampling2D, {"size": (2, 3)}, (3, 2, 1), {"output_shape": (6, 6, 1)}),
    "up_sampling2d_first": (layers.UpSampling2D, FIRST, (2, 2, 3), {"output_shape": (2, 4, 6)}),
    "up_sampling2d_bilinear": (
        layers.UpSampling2D, {"size": (2, 3), "interpolation": "bilinear"}, (3, 2, 2), {"output_shape": (6, 6, 2)},
    ),
    "up_sampling2d_bilinear_first": (
        layers.UpSampling2D, {"size": (1, 4), "interpolation": "bilinear", **FIRST}, (2, 3, 1),
        {"output_shape": (2, 3, 4)},
    ),
    "up_sampling3d": (layers.UpSampling3D, {"size": (1, 2, 3)}, (2, 2, 1, 2), {"output_shape": (2, 4, 3, 2)}),
    "up_sampling3d_first": (layers.UpSampling3D, FIRST, (1, 1, 2, 2), {"output_shape": (1, 2, 4, 4)}),
    "zero_padding1d": (layers.ZeroPadding1D, {"padding": (2, 1)}, (3, 2), {"output_shape": (6, 2), "mask": False}),
    "zero_padding1d_first": (layers.ZeroPadding1D, FIRST, (3, 2), {"output_shape": (3, 4)}),
    "zero_padding2d": (layers.ZeroPadding2D, {"padding": ((1, 0), 2)}, (3, 2, 1), {"output_shape": (4, 6, 1)}),
    "zero_padding2d_first": (layers.ZeroPadding2D, {"padding": (1, 2), **FIRST}, (1, 3, 2), {
        "output_shape": (1, 5, 6),
    }),
    "zero_padding3d": (layers.ZeroPadding3D, {}, (1, 2, 1, 2), {"output_shape": (3, 4, 3, 2)}),
    "cropping1d": (layers.Cropping1D, {}, (4, 2), {"output_shape": (2, 2), "weights": (), "mask": False}),
    "cropping1d_after": (layers.Cropping1D, {"cropping": (0, 3)}, (4, 2), {"output_shape": (1, 2)}),
    "cropping2d": (layers.Cropping2D, {"cropping": ((1, 0), (0, 2))}, (3, 4, 1), {"output_shape": (2, 2, 1)}),
    "cropping2d_first": (layers.Cropping2D, {"cropping": 1, **FIRST}, (1, 3, 4), {"output_shape": (1, 1, 2)}),
    "cropping3d": (layers.Cropping3D, {}, (3, 4, 3, 2), {"output_shape": (1, 2, 1, 2)}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_layer_suite(name):
    layer_class, init_kwargs, input_shape, expected = CASES[name]
    layer_suite(layer_class, init_kwargs, input_shape, **expected)


def test_every_layer_of_these_rooms_is_here():
    own = {f"{layers.__name__}.{room}" for room in ("convolution", "separable", "pooling", "resizing")}
    public = {getattr(layers, name) for name in layers.__all__}
    assert {cls for cls in public if getattr(cls, "__module__", "") in own} == {case[0] for case in CASES.values()}


# --- what cannot be meant


def image(*shape):
    return np.ones(shape or (2, 8, 8, 3))


def built():
    layer = layers.Conv2D(4, 3, name="conv")
    layer(image())
    return layer


RANK = r"expects 4 axes \(batch, height, width, channels\)"
BAD_CALLS = [
    (lambda: layers.Conv2D(4, 3, name="c")(image(5, 784)), rf"'c' {RANK}, got input \(5, 784\); .*Reshape\(\(28, 28"),
    (lambda: layers.Conv2D(4, 3)(layers.Input((784,), name="photo")), r"\(None, 784\) from 'photo'"),
    (lambda: layers.Conv2D(4, 3)(image(600, 28, 28)), r"for one channel pass x\[..., None\]"),
    (lambda: layers.Conv2D(4, 3)(image(28, 28, 3)), r"for one sample pass x\[None\], shape \(1, 28, 28, 3\)"),
    (lambda: layers.Conv2D(4, 3, **FIRST)(image(9, 28, 28)), r"\(batch, channels, height, width\).*pass x\[:, None\]"),
    (lambda: layers.Conv2D(4, 3, **FIRST)(image(3, 28, 28)), r"for one sample pass x\[None\]"),
    (lambda: layers.Conv2D(4, 3)(image(1, 1, 8, 8, 3)), RANK),
    (lambda: built()(image(8, 8, 3)), r"built at test_convolution.py:\d+.*for one sample pass x\[None\]"),
    (lambda: built()(image(2, 8, 8, 1)), r"'conv' expects 3 channels \(axis 3\).*got input \(2, 8, 8, 1\)$"),
    (lambda: built()(image(2, 3, 8, 8)), r"channels first\? pass data_format='channels_first'"),
    (lambda: built()(image(2, 2, 8, 3)), r"'conv'.* 3 is larger than input size 2"),
    (lambda: layers.Conv2D(4, 5)(image(2, 3, 32, 32)), r"channels first\? pass data_format='channels_first'"),
    (lambda: layers.Conv2D(4, 5, name="conv_4")(layers.Input((3, 3, 64))),
     r"'conv_4': kernel_size 5 is larger than input 3 along height of \(None, 3, 3, 64\); use padding='same'"),
    (lambda: layers.Conv1D(4, 3, dilation_rate=3)(image(2, 6, 1)), "kernel_size 7 is larger than input 6 along steps"),
    (lambda: layers.Conv2D(4, 3, groups=2)(image()), r"the 3 channels of input \(2, 8, 8, 3\) cannot .* 2 groups"),
    (lambda: layers.Conv2D(4, 3)(layers.Input((8, 8, None))), r"needs to know the number of channels \(axis 3\)"),
    (lambda: layers.Conv2D(4, 3).build((None, 28)), rf"{RANK}, got shape \(None, 28\)"),
    (lambda: layers.MaxPooling2D(4, name="p")(image(1, 3, 4, 1)), "'p': pool_size 4 is larger than input 3 along"),
    (lambda: layers.MaxPooling2D()(image(2, 3)), RANK),
    (lambda: layers.GlobalMaxPooling1D()(image(2, 3)), r"3 axes \(batch, steps, channels\).*for one sample"),
    (lambda: layers.Cropping2D(4, name="cut")(image()), r"'cut': cropping \(4, 4\) leaves nothing of the 8 .* height"),
    (lambda: layers.Cropping1D((0, 3))(layers.Input((3, 2))), "leaves nothing of the 3 elements along steps"),
    (lambda: models.Sequential([layers.Conv2D(4, 3, input_shape=(8, 8, 1)), layers.Conv2D(4, 7)]),
     "kernel_size 7 is larger than input 6"),
]  # fmt: skip
BAD_SETTINGS = [
    (lambda: layers.Conv2D(0, 3), InvalidArgument, "Conv2D: filters must be an int >= 1, got 0"),
    (lambda: layers.Conv2D("8", 3), ArgumentTypeError, "filters must be an int >= 1, got '8'"),
    (lambda: layers.Conv2D(2.5, 3), ArgumentTypeError, "got 2.5"),
    (lambda: layers.Conv2D(4, 0, name="a"), InvalidArgument, "Conv2D a: kernel_size must be >= 1, got 0"),
    (lambda: layers.Conv2D(4, (3, 3, 3)), InvalidArgument, r"kernel_size must be an int or 2 ints, got \(3, 3, 3\)"),
    (lambda: layers.Conv2D(4, "3"), InvalidArgument, "kernel_size must be an int or 2 ints, got '3'"),
    (lambda: layers.Conv2D(4, 3, strides=(1, 0)), InvalidArgument, r"strides must be >= 1, got \(1, 0\)"),
    (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), InvalidArgument, "cannot both be above 1"),
    (lambda: layers.Conv2D(4, 3, padding="smae"), InvalidArgument, "unknown padding 'smae'; did you mean 'same'"),
    (lambda: layers.Conv1D(4, 3, padding="casual"), InvalidArgument, "did you mean 'causal'"),
    (lambda: layers.Conv2D(4, 3, padding="causal"), InvalidArgument, "Conv1D alone has it"),
    (lambda: layers.DepthwiseConv1D(3, padding="causal"), InvalidArgument, "Conv1D alone has it"),
    (lambda: layers.MaxPooling1D(padding="causal"), InvalidArgument, "must be 'valid' or 'same'"),
    (lambda: layers.Conv2D(4, 3, data_format="channel_last"), InvalidArgument, "did you mean 'channels_last'"),
    (lambda: layers.Conv2D(4, 3, groups=3), InvalidArgument, "4 filters cannot be divided into 3 groups"),
    (lambda: layers.Conv2D(4, 3, groups=0), InvalidArgument, "groups must be an int >= 1"),
    (lambda: layers.Conv2D(4, 3, activation="relue"), InvalidArgument, "did you mean 'relu'"),
    (lambda: layers.Conv2D(4, 3, stride=2), ArgumentTypeError, "unknown argument 'stride'; did you mean 'strides'"),
    (lambda: layers.Conv2D(4), ArgumentTypeError, "Conv2D: argument 'kernel_size' is missing; write Conv2D"),
    (lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2), InvalidArgument,
     r"Conv2DTranspose: output_padding must be >= 0 and below strides \(2, 2\), got 2"),
    (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), InvalidArgument, "depth_multiplier must be an int >= 1"),
    (lambda: layers.SeparableConv2D(3, 3, depth_multiplier="2"), ArgumentTypeError, "depth_multiplier"),
    (lambda: layers.MaxPooling2D(0), InvalidArgument, "MaxPooling2D: pool_size must be >= 1, got 0"),
    (lambda: layers.MaxPooling2D(padding="sam"), InvalidArgument, "did you mean 'same'"),
    (lambda: layers.UpSampling2D(0), InvalidArgument, "size must be >= 1"),
    (lambda: layers.UpSampling1D("2"), ArgumentTypeError, "size must be an int >= 1, got '2'"),
    (lambda: layers.UpSampling2D(interpolation="bilinaer"), InvalidArgument, "did you mean 'bilinear'"),
    (lambda: layers.UpSampling2D(interpolation="area"), InvalidArgument, "known: nearest, bilinear, bicubic"),
    (lambda: layers.ZeroPadding2D(-1), InvalidArgument, "padding must hold ints >= 0"),
    (lambda: layers.ZeroPadding2D((1, 2, 3)), InvalidArgument, "2 ints or pairs of ints"),
    (lambda: layers.ZeroPadding1D((1, 2, 3)), InvalidArgument, "padding must hold"),
    (lambda: layers.ZeroPadding2D("1"), InvalidArgument, "padding must be an int"),
    (lambda: layers.Cropping3D(((1, 1), (1, True), 0)), InvalidArgument, "cropping must hold ints >= 0"),
]  # fmt: skip


def refused(error, match, action):
    with pytest.raises(error, match=match) as caught:
        action()
    assert len(str(caught.value).splitlines()[0]) <= FIRST_LINE


@pytest.mark.parametrize(("action", "match"), BAD_CALLS)
def test_inputs_that_do_not_fit(action, match):
    refused(ShapeError, match, action)


@pytest.mark.parametrize(("action", "error", "match"), BAD_SETTINGS)
def test_settings_that_cannot_be(action, error, match):
    refused(error, match, action)


def test_what_is_refused_leaves_nothing_behind():
    reset_names()
    refused(InvalidArgument, "groups", lambda: layers.Conv2D(4, 3, groups=3))
    layer = layers.Conv2D(4, 3)
    assert layer.name == "conv2d"
    refused(ShapeError, "larger", lambda: layer(image(1, 2, 2, 3)))
    assert not layer.built and not layer.weights
    assert layer(image()).shape == (2, 6, 6, 4)


# --- laws


WITH_FORMAT = [name for name, case in CASES.items() if case[1].get("data_format") == "channels_first"]


@pytest.mark.parametrize("name", WITH_FORMAT)
def test_channels_first_is_channels_last_with_the_axes_moved(name):
    layer_class, settings, shape, _ = CASES[name]
    first = layer_class(**settings, dtype="float64")
    last = layer_class(**{**settings, "data_format": "channels_last"}, dtype="float64")
    x = RNG.normal(size=(2, *shape))
    first(x), last(np.moveaxis(x, 1, -1))
    last.set_weights(first.get_weights())
    y, z = first(x).numpy(), last(np.moveaxis(x, 1, -1)).numpy()
    np.testing.assert_allclose(y, np.moveaxis(z, -1, 1) if y.ndim > 2 else z, rtol=1e-12, atol=1e-12)


def test_the_layout_of_images_is_a_setting():
    try:
        ag.config.set_image_data_format("channels_first")
        assert layers.Conv2D(4, 3)(image(2, 3, 8, 8)).shape == (2, 4, 6, 6)
        assert layers.Cropping1D()(image(2, 8, 3)).shape == (2, 6, 3)
    finally:
        ag.config.set_image_data_format("channels_last")


@given(
    st.integers(1, 4), st.integers(1, 3), st.sampled_from(["valid", "same"]), st.integers(0, 3), st.integers(1, 2),
    st.integers(1, 2),
)  # fmt: skip
def test_the_transpose_is_the_adjoint_of_the_convolution(size, stride, padding, more, channels, filters):
    conv = layers.Conv1D(filters, size, stride, padding, use_bias=False, dtype="float64")
    back = layers.Conv1DTranspose(channels, size, stride, padding, use_bias=False, dtype="float64")
    y = RNG.normal(size=(2, 1 + more, filters))
    x = RNG.normal(size=back(y).shape)
    conv.build(x.shape)
    back.set_weights(conv.get_weights())
    np.testing.assert_allclose(np.sum(conv(x).numpy() * y), np.sum(x * back(y).numpy()), rtol=1e-9, atol=1e-9)


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.integers(0, 5))
def test_a_causal_output_sees_no_later_input(size, stride, dilation, step):
    stride = stride if dilation == 1 else 1
    layer = layers.Conv1D(2, size, stride, "causal", dilation_rate=dilation, dtype="float64")
    x = RNG.normal(size=(1, 7, 2))
    changed = x.copy()
    changed[:, step + 1 :] += 1
    seen = step // stride + 1
    assert np.array_equal(layer(x).numpy()[:, :seen], layer(changed).numpy()[:, :seen])


def test_a_subclass_may_change_the_convolution():
    class Doubled(layers.Conv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, 2 * kernel)

    class Called(layers.Conv2D):
        def call(self, inputs):
            return self.convolution_op(inputs, 2 * self.kernel) + self.bias

    x = ag.tensor(RNG.normal(size=(2, 5, 6, 3)).astype("float32"))
    plain = layers.Conv2D(4, 3, strides=2, bias_initializer="normal")
    y = plain(2 * x)
    for kind in (Doubled, Called):
        layer = kind(4, 3, strides=2)
        layer.build(x.shape)
        layer.set_weights(plain.get_weights())
        np.testing.assert_allclose(layer(x).numpy(), y.numpy(), rtol=1e-5, atol=1e-5)


def test_separable_is_depthwise_and_then_pointwise():
    whole = layers.SeparableConv2D(5, 3, depth_multiplier=2, padding="same", dtype="float64")
    x = RNG.normal(size=(2, 6, 5, 3))
    y = whole(x)
    depthwise, pointwise, bias = whole.get_weights()
    first = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", use_bias=False, dtype="float64")
    second = layers.Conv2D(5, 1, dtype="float64")
    first.build(x.shape), second.build((None, 6, 5, 6))
    first.set_weights([depthwise]), second.set_weights([pointwise, bias])
    np.testing.assert_allclose(second(first(x)).numpy(), y.numpy(), rtol=1e-12, atol=1e-12)


def test_bilinear_keeps_planes():
    rows, columns = np.meshgrid(np.arange(5.0), np.arange(4.0), indexing="ij")
    x = (2 * rows - 3 * columns)[None, ..., None]
    y = layers.UpSampling2D((3, 2), interpolation="bilinear", dtype="float64")(x).numpy()[0, :, :, 0]
    rows, columns = np.meshgrid((np.arange(15) + 0.5) / 3 - 0.5, (np.arange(8) + 0.5) / 2 - 0.5, indexing="ij")
    np.testing.assert_allclose(y[1:-1, 1:-1], (2 * rows - 3 * columns)[1:-1, 1:-1], rtol=1e-12)
    assert y[0, 0] == x[0, 0, 0, 0] and y[-1, -1] == x[0, -1, -1, 0]


def test_images_of_bytes_and_empty_batches():
    layer = layers.Conv2D(2, 3)
    y = layer(np.full((1, 4, 4, 1), 200, np.uint8))
    assert y.dtype == np.float32 and np.array_equal(y.numpy(), layer(np.full((1, 4, 4, 1), 200.0)).numpy())
    assert layers.AveragePooling2D(2)(np.array([[[[1], [2]], [[3], [4]]]], np.uint8)).tolist() == [[[[2.5]]]]
    for make in (
        layer,
        layers.MaxPooling2D(),
        layers.UpSampling2D(interpolation="bilinear"),
        layers.Conv2DTranspose(2, 3),
    ):
        assert make(np.ones((0, 4, 4, 1))).shape[0] == 0


# --- in a model


def open_model():
    x = layers.Input((None, None, 3))
    y = layers.Conv2D(4, 3, activation="relu")(x)
    y = layers.MaxPooling2D(padding="same")(y)
    y = layers.Conv2DTranspose(2, 3, strides=2)(y)
    y = layers.UpSampling2D(2, interpolation="bilinear")(layers.ZeroPadding2D()(y))
    y = layers.SeparableConv2D(3, 2)(layers.Cropping2D(1)(y))
    return models.Model(x, [y, layers.GlobalAveragePooling2D()(y)])


def test_one_model_serves_images_of_every_size():
    model = open_model()
    assert model.output_shape == [(None, None, None, 3), (None, 3)]
    program = jit(lambda x: model(x))
    for shape in ((2, 9, 8, 3), (1, 6, 11, 3)):
        x = RNG.normal(size=shape).astype("float32")
        eager = x
        for layer in model.layers[1:]:
            eager, last = layer(eager), eager
        for found in (model(x), program(x)):
            np.testing.assert_allclose(found[1].numpy(), eager.numpy(), rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(found[0].numpy(), last.numpy(), rtol=1e-5, atol=1e-5)


def test_summary_and_json():
    utils.clear_session()
    model = open_model()
    lines = []
    model.summary(line_length=120, print_fn=lambda *text, **_: lines.extend(map(str, text)))
    text = "\n".join(lines)
    for layer in model.layers:
        assert layer.name in text and type(layer).__name__ in text
    again = models.model_from_json(model.to_json())
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]
    assert again.count_params() == model.count_params()


def test_average_over_the_steps_that_count():
    ids = np.array([[3, 1, 0, 0], [2, 0, 4, 1]])
    embedding = layers.Embedding(5, 2, mask_zero=True)
    y = layers.GlobalAveragePooling1D()(embedding(ids))
    rows = embedding(ids).numpy()
    expected = [row[number != 0].mean(axis=0) for row, number in zip(rows, ids)]
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6)
    assert get_mask(y) is None and get_mask(layers.Conv1D(2, 2)(embedding(ids))) is None


def test_layers_of_a_model_are_trained():
    ag.utils.set_random_seed(1)
    model = models.Sequential([
        layers.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(),
        layers.DepthwiseConv2D(2, activation="relu"), layers.Conv2DTranspose(4, 2), layers.GlobalMaxPooling2D(),
        layers.Dense(1),
    ])  # fmt: skip
    x = RNG.normal(size=(64, 8, 8, 1)).astype("float32")
    y = x.max(axis=(1, 2))
    model.compile(ag.optimizers.Adam(0.02), "mse")
    before = model.get_weights()
    losses = model.fit(x, y, batch_size=16, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    assert not any(map(np.array_equal, before, model.get_weights()))
