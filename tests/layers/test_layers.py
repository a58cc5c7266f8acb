"""Every layer through the layer suite, and what is particular to one."""

import json

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers
from autograd_nn.errors import UnknownName
from autograd_nn.saving import custom_object_scope
from autograd_nn.testing import layer_suite

CASES = {
    "dense": (layers.Dense, {"units": 3}, (4,), {"output_shape": (3,), "weights": ("kernel", "bias"), "mask": True}),
    "dense_plain": (layers.Dense, {"units": 3, "use_bias": False}, (2, 4), {"weights": ("kernel",)}),
    "dense_rich": (
        layers.Dense,
        {
            "units": 2, "activation": "tanh", "kernel_initializer": "he_normal", "bias_initializer": "ones",
            "kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l2",
            "kernel_constraint": "max_norm", "bias_constraint": "non_neg",
        },
        (4,),
        {"output_shape": (2,)},
    ),
    "activation": (layers.Activation, {"activation": "tanh"}, (4,), {"weights": (), "mask": True}),
    "softmax": (layers.Softmax, {}, (2, 4), {"output_shape": (2, 4), "mask": True}),
    "softmax_axes": (layers.Softmax, {"axis": [1, 2]}, (2, 4), {"output_shape": (2, 4)}),
    "relu": (layers.ReLU, {}, (4,), {"output_shape": (4,), "mask": True}),
    "relu_full": (layers.ReLU, {"max_value": 0.9, "negative_slope": 0.2, "threshold": 0.1}, (4,), {}),
    "leaky_relu": (layers.LeakyReLU, {"negative_slope": 0.1}, (4,), {"output_shape": (4,), "mask": True}),
    "elu": (layers.ELU, {"alpha": 0.5}, (4,), {"output_shape": (4,), "mask": True}),
    "prelu": (layers.PReLU, {"alpha_initializer": "ones"}, (2, 3), {"weights": ("alpha",), "mask": True}),
    "prelu_shared": (layers.PReLU, {"shared_axes": 1, "alpha_constraint": "non_neg"}, (2, 3), {"output_shape": (2, 3)}),
    "activity": (layers.ActivityRegularization, {"l1": 0.1, "l2": 0.2}, (4,), {"output_shape": (4,), "mask": True}),
    "identity": (layers.Identity, {}, (4,), {"output_shape": (4,), "mask": True}),
    "flatten": (layers.Flatten, {}, (2, 3, 4), {"output_shape": (24,), "mask": False}),
    "flatten_first": (layers.Flatten, {"data_format": "channels_first"}, (2, 3, 4), {"output_shape": (24,)}),
    "flatten_scalar": (layers.Flatten, {}, (), {"output_shape": (1,)}),
    "reshape": (layers.Reshape, {"target_shape": (3, 2)}, (6,), {"output_shape": (3, 2), "mask": False}),
    "reshape_open": (layers.Reshape, {"target_shape": (-1, 2)}, (3, 4), {"output_shape": (6, 2)}),
    "permute": (layers.Permute, {"dims": (2, 1)}, (3, 4), {"output_shape": (4, 3)}),
    "repeat_vector": (layers.RepeatVector, {"n": 2}, (3,), {"output_shape": (2, 3)}),
    "dropout": (layers.Dropout, {"rate": 0.5}, (20,), {"random_in_training": True, "mask": True}),
    "dropout_seeded": (layers.Dropout, {"rate": 0.3, "seed": 3}, (20,), {"random_in_training": True}),
    "dropout_none": (layers.Dropout, {"rate": 0.0}, (4,), {"weights": ()}),
    "dropout_noise": (layers.Dropout, {"rate": 0.5, "noise_shape": (None, 1, 9)}, (4, 9), {"random_in_training": True}),
    "masking": (layers.Masking, {"mask_value": 0.0}, (3, 2), {"output_shape": (3, 2), "mask": True}),
    "add": (layers.Add, {}, [(4,), (4,), (4,)], {"output_shape": (4,), "mask": True}),
    "add_broadcast": (layers.Add, {}, [(3, 4), (4,)], {"output_shape": (3, 4)}),
    "subtract": (layers.Subtract, {}, [(4,), (4,)], {"output_shape": (4,)}),
    "multiply": (layers.Multiply, {}, [(4,), (1,)], {"output_shape": (4,)}),
    "average": (layers.Average, {}, [(4,), (4,)], {"output_shape": (4,)}),
    "maximum": (layers.Maximum, {}, [(4,), (4,)], {"output_shape": (4,)}),
    "minimum": (layers.Minimum, {}, [(4,), (4,)], {"output_shape": (4,)}),
    "concatenate": (layers.Concatenate, {}, [(4,), (2,)], {"output_shape": (6,), "mask": True}),
    "concatenate_axis": (layers.Concatenate, {"axis": 1}, [(1, 2), (3, 2)], {"output_shape": (4, 2)}),
    "dot": (layers.Dot, {"axes": 1}, [(4,), (4,)], {"output_shape": (1,)}),
    "dot_matrices": (layers.Dot, {"axes": (2, 1)}, [(2, 4), (4, 3)], {"output_shape": (2, 3)}),
    "dot_unequal": (layers.Dot, {"axes": (1, 3)}, [(4,), (2, 3, 4)], {"output_shape": (2, 3)}),
    "dot_cosine": (layers.Dot, {"axes": -1, "normalize": True}, [(2, 4), (3, 4)], {"output_shape": (2, 3)}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_layer_suite(name):
    layer_class, init_kwargs, input_shape, expected = CASES[name]
    layer_suite(layer_class, init_kwargs, input_shape, **expected)


def test_every_layer_of_these_rooms_is_here():
    rooms = ("activation", "core", "merging", "regularization", "reshaping")
    own = {f"{layers.__name__}.{room}" for room in rooms}
    public = {getattr(layers, name) for name in layers.__all__}
    expected = {cls for cls in public if getattr(cls, "__module__", "") in own and isinstance(cls, type)}
    assert expected - {layers.Lambda} == {case[0] for case in CASES.values()}


def double(x, by=2.0, training=False):
    return x * by if not training else x


def test_lambda_takes_arguments_flags_and_masks():
    layer = layers.Lambda(double, arguments={"by": 3.0})
    x = np.ones((2, 3), "float32")
    assert layer(x).tolist() == (3 * x).tolist() and layer(x, training=True).tolist() == x.tolist()
    assert layers.Lambda(lambda x, mask=None: x if mask is None else x * 0)(x).tolist() == x.tolist()
    assert layer.compute_output_shape((None, 3)) == (None, 3)


def test_lambda_comes_back_by_the_name_of_its_function():
    layer = layers.Lambda(double, arguments={"by": 3.0}, name="lam")
    config = layer.get_config()
    with custom_object_scope({"double": double}):
        again = layers.Lambda.from_config(json.loads(json.dumps(config)))
    assert again.function is double and again.arguments == {"by": 3.0} and again.name == "lam"
    with pytest.raises(UnknownName, match="'double', which is not registered"):
        layers.Lambda.from_config(config)


def test_dropout_scales_and_leaves_gradients_to_what_stays():
    layer = layers.Dropout(0.25, seed=0)
    x = ag.tensor(np.ones((100, 100)), requires_grad=True)
    y = layer(x, training=True)
    kept = y.numpy() != 0
    assert abs(kept.mean() - 0.75) < 0.02 and np.allclose(y.numpy()[kept], 1 / 0.75)
    y.sum().backward()
    assert np.allclose(x.grad.numpy(), np.where(kept, 1 / 0.75, 0))
