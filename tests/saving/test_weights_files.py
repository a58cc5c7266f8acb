"""Weights alone through a file, and the state of the optimizer with them: training goes on with the same bits."""

import importlib.util
import warnings

import numpy as np
import pytest

from autograd_nn import callbacks, layers, metrics, models, optimizers
from autograd_nn.errors import ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 6)).astype("float32")
Y = (X[:, :1] - X[:, 1:2] > 0).astype("float32")
OPTIMIZERS = {
    "adam": lambda: optimizers.Adam(0.01, amsgrad=True),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "centered": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "nadam": lambda: optimizers.Nadam(0.01),
    "averages": lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=5),
    "accumulating": lambda: optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2),
    "schedule": lambda: optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
}


@pytest.fixture(params=[".safetensors", ".weights.h5"])
def path(request, tmp_path):
    if request.param == ".weights.h5" and importlib.util.find_spec("h5py") is None:
        pytest.skip("needs h5py")
    return str(tmp_path / f"model{request.param}")


def compiled(optimizer, frozen=()):
    model = models.Sequential([layers.Dense(4, "tanh", input_shape=(6,)), layers.Dense(1)])
    for k in frozen:
        model.layers[k].trainable = False
    model.compile(optimizer, "mse")
    return model


def fitted(model, epochs=1):
    model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return model


def built(model):
    model.optimizer.build(model.trainable_variables)
    return model


def state_of(model):
    arrays = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    return [(a.dtype.name, a.shape, a.tobytes()) for a in arrays]


def load_quietly(model, path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.load_weights(path, **options)
    return model


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_with_the_same_bits(name, path):
    model = fitted(compiled(OPTIMIZERS[name]()))
    model.save_weights(path)
    again = load_quietly(built(compiled(OPTIMIZERS[name]())), path)
    assert state_of(again) == state_of(model)
    assert state_of(fitted(again, 2)) == state_of(fitted(model, 2))


@pytest.mark.parametrize("ending", [".safetensors", ".keras"])
def test_the_state_in_the_file_of_a_whole_model(ending, tmp_path):
    if ending == ".keras":
        pytest.importorskip("h5py")
    model = fitted(compiled("adam"))
    model.save(tmp_path / f"model{ending}")
    again = load_quietly(built(compiled("adam")), tmp_path / f"model{ending}")
    assert state_of(again) == state_of(model)


def test_going_back_to_a_checkpoint_while_compiled(path):
    model = fitted(compiled("adam"))
    model.save_weights(path)
    first = state_of(fitted(model, 2))
    assert state_of(fitted(load_quietly(model, path), 2)) == first


def test_averages_that_are_in_place_of_the_weights(tmp_path):
    path = str(tmp_path / "swapped.safetensors")
    model = compiled(OPTIMIZERS["averages"]())
    fitted(model).optimizer.swap_averages()
    model.save_weights(path)
    again = load_quietly(built(compiled(OPTIMIZERS["averages"]())), path)
    assert again.optimizer.averages_are_in
    again.optimizer.swap_averages()
    model.optimizer.swap_averages()
    assert state_of(again) == state_of(model)


def test_an_optimizer_that_was_never_used(path):
    fitted(compiled("adam")).save_weights(path)
    model = compiled("adam")
    with pytest.warns(UserWarning, match=r"optimizer 'adam' in .* is left out; .*optimizer.build\(") as caught:
        model.load_weights(path)
    assert caught[0].filename == __file__
    assert len(model.optimizer.variables) == 2 and int(model.optimizer.iterations) == 0
    rate = compiled(optimizers.Adam(0.5))
    rate.save_weights(path)
    assert float(load_quietly(model, path).optimizer.learning_rate) == 0.5


@pytest.mark.parametrize("other", [lambda: optimizers.SGD(0.5, momentum=0.9), lambda: optimizers.Adam(amsgrad=True)])
def test_the_state_of_another_optimizer(other, path):
    source = fitted(compiled("adam"))
    source.save_weights(path)
    model = built(compiled(other()))
    state = [v.numpy() for v in model.optimizer.variables]
    with pytest.warns(UserWarning, match="left out; it is of another one"):
        model.load_weights(path)
    assert all(map(np.array_equal, source.get_weights(), model.get_weights()))
    assert all(map(np.array_equal, state, [v.numpy() for v in model.optimizer.variables]))


def test_a_state_of_other_shapes(tmp_path):
    pytest.importorskip("h5py")
    path = tmp_path / "frozen.weights.h5"
    fitted(compiled("adam", frozen=[0])).save_weights(path)
    model = built(compiled("adam", frozen=[1]))
    before = state_of(model)
    with pytest.raises(ShapeError, match="state of optimizer 'adam' .* 4 mismatched .*; pass skip_mismatch=True"):
        model.load_weights(path)
    assert state_of(model) == before
    with pytest.warns(UserWarning, match="left out"):
        model.load_weights(path, skip_mismatch=True)
    assert state_of(model) != before


def test_without_state_or_without_optimizer(path):
    model = fitted(compiled("adam"))
    plain = models.Sequential([layers.Dense(4, "tanh", input_shape=(6,)), layers.Dense(1)])
    model.save_weights(path)
    load_quietly(plain, path)
    plain.save_weights(path)
    before = state_of(model)
    assert state_of(load_quietly(model, path)) == before


def test_an_optimizer_of_another_models_weights(tmp_path):
    path = tmp_path / "model.safetensors"
    model = compiled("adam")
    model.optimizer.build(compiled("adam").trainable_variables)
    model.save_weights(path)
    before = state_of(model)
    assert state_of(load_quietly(model, path)) == before


def test_what_a_checkpoint_keeps(tmp_path):
    path = tmp_path / "last.safetensors"
    model = compiled("adam")
    keep = callbacks.ModelCheckpoint(path, save_weights_only=True)
    model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, callbacks=[keep], verbose=0)
    assert state_of(load_quietly(built(compiled("adam")), path)) == state_of(model)


@pytest.mark.parametrize("ending", [".safetensors", ".keras"])
@pytest.mark.parametrize("metric", [lambda: metrics.AUC(num_thresholds=20_000), lambda: metrics.MeanIoU(4000)])
def test_a_metric_of_many_numbers(metric, ending, tmp_path):
    if ending == ".keras":
        pytest.importorskip("h5py")
    model = models.Sequential([layers.Dense(1, "sigmoid", input_shape=(6,))])
    model.compile("adam", "binary_crossentropy", metrics=[metric()])
    model.save(tmp_path / f"model{ending}")
    again = models.load_model(tmp_path / f"model{ending}")
    assert again.compiled and again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)


class Watching(layers.Layer):
    """A layer that keeps a metric of its own, which is no weight of it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.watch = metrics.AUC(num_thresholds=5000)

    def call(self, inputs):
        return inputs


def test_a_metric_inside_a_layer_takes_nothing_from_the_weights(tmp_path):
    models.Sequential([layers.Dense(1, input_shape=(6,)), Watching()]).save(tmp_path / "model.safetensors")
    again = models.load_model(tmp_path / "model.safetensors", custom_objects={"Watching": Watching})
    assert again.layers[1].watch.num_thresholds == 5000
