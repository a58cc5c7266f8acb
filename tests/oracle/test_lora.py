"""LoRA against Keras: order and names of weights, outputs, configs, files."""

import inspect

import keras
import numpy as np
import pytest

import autograd_nn as ag

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4, 6)).astype("float32")
CASES = {
    "Dense": ({"units": 3}, X),
    "EinsumDense": ({"equation": "abc,cde->abde", "output_shape": (None, 2, 5), "bias_axes": "de"}, X),
    "Conv1D": ({"filters": 3, "kernel_size": 2, "padding": "causal"}, RNG.normal(size=(5, 6, 4)).astype("float32")),
    "Conv2D": ({"filters": 4, "kernel_size": (3, 2), "groups": 2}, RNG.normal(size=(5, 5, 4, 4)).astype("float32")),
    "Conv3D": ({"filters": 2, "kernel_size": 2, "strides": 2}, RNG.normal(size=(5, 4, 4, 4, 3)).astype("float32")),
    "Embedding": ({"input_dim": 7, "output_dim": 3}, RNG.integers(0, 7, (5, 4))),
}
every_case = pytest.mark.parametrize("name", CASES)


def pair(name, **more):
    arguments, x = CASES[name]
    found = [getattr(library.layers, name)(**arguments, name="it", **more) for library in (ag, keras)]
    for layer in found:
        layer.build(x.shape)
    return *found, x


def same_weights(ours, theirs):
    values = [RNG.normal(size=w.shape) for w in theirs.get_weights()]
    for layer in (ours, theirs):
        layer.set_weights(values)


@every_case
def test_signatures(name):
    for method in ("__init__", "enable_lora"):
        ours, theirs = (
            [(p.name, p.default) for p in inspect.signature(getattr(getattr(r, name), method)).parameters.values()]
            for r in (ag.layers, keras.layers)
        )
        assert set(theirs) - set(ours) <= {("quantization_config", None), ("gptq_unpacked_column_size", None)} | {
            pair for pair in theirs if pair[0] == "kwargs"
        }
        # Convolutions of Keras hand them on by **kwargs.
        if method == "enable_lora" or not name.startswith("Conv"):
            assert [name for name, _ in ours if name.startswith("lora")] == [
                name for name, _ in theirs if name.startswith("lora")
            ]


@every_case
@pytest.mark.parametrize("alpha", [None, 3])
def test_weights_outputs_and_configs(name, alpha):
    ours, theirs, x = pair(name)
    for layer in (ours, theirs):
        layer.enable_lora(2, lora_alpha=alpha)
    assert [(v.path, v.trainable, tuple(v.shape)) for v in ours.weights] == [
        (v.path, v.trainable, tuple(v.shape)) for v in theirs.weights
    ]
    same_weights(ours, theirs)
    np.testing.assert_allclose(ours(x).numpy(), theirs(x).detach().numpy(), rtol=1e-4, atol=1e-5)
    configs = [layer.get_config() for layer in (ours, theirs)]
    for key in ("lora_rank", "lora_alpha"):
        assert configs[0][key] == configs[1][key]


@every_case
def test_enabled_by_the_constructor(name):
    ours, theirs, x = pair(name, lora_rank=2)
    assert ours.lora_enabled and (ours.lora_rank, ours.lora_alpha) == (theirs.lora_rank, theirs.lora_alpha)
    same_weights(ours, theirs)
    np.testing.assert_allclose(ours(x).numpy(), theirs(x).detach().numpy(), rtol=1e-4, atol=1e-5)


@every_case
def test_weight_files_go_both_ways(name, tmp_path):
    pytest.importorskip("h5py")
    arguments, x = CASES[name]

    def model(library, lora):
        layer = getattr(library.layers, name)(**arguments)
        made = library.Sequential([library.layers.Input(x.shape[1:], dtype=x.dtype.name), layer])
        if lora:
            layer.enable_lora(2, b_initializer="normal", lora_alpha=3)
        return made

    for source, target in ((ag, keras), (keras, ag)):
        for lora in (False, True):
            path = str(tmp_path / f"{source.__name__}{lora}.weights.h5")
            first, second = model(source, True), model(target, lora)
            first.save_weights(path)
            second.load_weights(path)
            values = [np.asarray(m.predict(x, verbose=0)) for m in (first, second)]
            np.testing.assert_allclose(*values, rtol=1e-4, atol=1e-5)
