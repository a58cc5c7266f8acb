"""Files of Keras without Keras: what is written is read back, and hostile ones lead to one line and nothing else."""

import json
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import errors, layers, models, ops
from autograd_nn.errors import ArgumentTypeError, FileInTheWay, ModelFileError, NotBuiltError, ShapeError
from autograd_nn.saving import deserialize_keras_object, load_model, register_keras_serializable
from autograd_nn.saving.keras_files import hdf5 as files_hdf5

from .hostile_keras import (
    ARCHIVES,
    ARRAYS,
    CONFIGS,
    KERNEL,
    OTHERS,
    TWO,
    WEIGHTS,
    functional,
    h5py,
    hdf5,
    operation,
    packed,
    sequential,
    tensor,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 4)).astype("float32"), RNG.normal(size=(12, 2)).astype("float32")
# What a fault may cost: far below what the hostile files ask for.
MOST_BYTES = 40 << 20


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "model.keras")


@pytest.fixture
def weights_path(tmp_path):
    return str(tmp_path / "model.weights.h5")


def two_dense(**options):
    return models.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2)], **options)


def written(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def listed(path):
    with h5py.File(path) as file:
        found = []
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return found


# --- what is written


def test_the_members_and_their_places(path, tmp_path):
    model = two_dense(name="mine")
    model.compile("sgd", "mse")
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        config = json.loads(archive.read("config.json"))
        weights = archive.extract("model.weights.h5", tmp_path)
    assert [config["module"], config["class_name"], config["config"]["name"]] == ["keras", "Sequential", "mine"]
    assert config["compile_config"]["loss"] == "mse"
    assert listed(weights) == [
        "layers/dense/vars/0", "layers/dense/vars/1", "layers/dense_1/vars/0", "layers/dense_1/vars/1",
        "optimizer/vars/0", "optimizer/vars/1",
    ]  # fmt: skip


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = two_dense()
    for name in ("a.keras", "b.keras"):
        model.save(tmp_path / name)
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()


def graph():
    x, z, shared = layers.Input((4,)), layers.Input((4,)), layers.Dense(4, "tanh")
    inner = models.Sequential([layers.Input((4,)), layers.Dense(4), layers.Dropout(0.5, seed=1)], name="inner")
    y = ops.concatenate([shared(shared(x)), inner(z) * 2 - 1], axis=-1)
    return models.Model([x, z], [layers.Dense(2)(y), ops.sum(y, axis=1, keepdims=True)])


def test_a_graph_through_a_file(path):
    model = graph()
    model.save(path)
    twin = load_model(path)
    for y, z in zip(model([X, X]), twin([X, X]), strict=True):
        assert y.tolist() == z.tolist()


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "nadam", "adafactor", "lamb"])
def test_training_goes_on(path, optimizer):
    model = two_dense()
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    model.save(path)
    twin = load_model(path)
    for one in (model, twin):
        one.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for v, w in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-6, atol=1e-7)


def test_without_compiling(path):
    model = two_dense()
    model.compile("sgd", "mse")
    model.save(path)
    assert not load_model(path, compile=False).compiled


def test_a_learning_rate_of_zero(path):
    model = two_dense()
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0
    model.save(path)
    assert float(load_model(path).optimizer.learning_rate) == 0


def test_weights_of_one_model_in_another(weights_path):
    first, second = two_dense(), two_dense()
    first.save_weights(weights_path)
    second.load_weights(weights_path)
    assert first(X).tolist() == second(X).tolist()


@register_keras_serializable(package="keras_files")
class Twofold(layers.Layer):
    def __init__(self, times=1.0, **kwargs):
        super().__init__(**kwargs)
        self.times, self.parts = times, [layers.Dense(4), {"last": layers.Dense(4)}]

    def build(self, shape):
        self.gain = self.add_weight((shape[-1],), "ones", name="gain")

    def call(self, x):
        return self.parts[1]["last"](self.parts[0](x)) * self.gain * self.times


def test_a_layer_of_the_users_own(path, weights_path):
    model = models.Sequential([layers.Input((4,)), Twofold(2.0)])
    model.save(path)
    assert load_model(path)(X).tolist() == model(X).tolist()
    model.save_weights(weights_path)
    inside = "layers/twofold/parts"
    assert listed(weights_path) == [
        f"{inside}/container/dense/vars/0", f"{inside}/container/dense/vars/1", f"{inside}/dense/vars/0",
        f"{inside}/dense/vars/1", "layers/twofold/vars/0",
    ]  # fmt: skip


@register_keras_serializable(package="keras_files")
class Calls(models.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = layers.Dense(3), layers.Dense(2)

    def call(self, x):
        return self.second(self.first(x["a"]) + x["b"])

    def compile(self, optimizer, how):
        super().compile(optimizer, loss=how)
        self.how = how

    def get_compile_config(self):
        return {"optimizer": self.optimizer, "how": self.how}

    def compile_from_config(self, config):
        self.compile(**{key: deserialize_keras_object(value) for key, value in config.items()})


def test_a_model_with_its_own_call_and_compile(path):
    model, x = Calls(), {"a": X, "b": X[:, :3]}
    model.compile("sgd", how="mae")
    y = model(x).numpy()
    model.save(path)
    again = load_model(path)
    assert again(x).numpy().tolist() == y.tolist() and again.how == "mae" and again.compiled


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_dtypes(path, dtype):
    model = models.Sequential([layers.Input((4,)), layers.Dense(2, dtype=dtype)])
    model.save(path)
    twin = load_model(path)
    assert [w.dtype for w in twin.weights] == [np.dtype(dtype)] * 2
    assert twin(X).tolist() == model(X).tolist()


# --- what is read


def test_a_file_as_keras_writes_it(path):
    model = load_model(written(path, packed()))
    expected = (X @ ARRAYS[KERNEL] + 1) @ np.ones((3, 2))
    np.testing.assert_allclose(model(X).numpy(), expected, rtol=1e-5)


def test_names_of_keras_2(weights_path):
    old = hdf5(lambda file: file.move("layers", "_layer_checkpoint_dependencies"))
    model = two_dense()
    model.load_weights(written(weights_path, old))
    assert model.get_weights()[0].tolist() == ARRAYS[KERNEL].tolist()


def test_bfloat16(weights_path):
    def narrow(file):
        bits = (ARRAYS[KERNEL].view("u4") >> 16).astype("u2")
        file.create_dataset(KERNEL, data=bits.view("V2")).attrs["dtype"] = "bfloat16"

    model = two_dense()
    model.load_weights(written(weights_path, hdf5(narrow, without=(KERNEL,))))
    assert model.get_weights()[0].tolist() == ARRAYS[KERNEL].tolist()


def test_settings_of_operations_are_kept(path):
    config = functional(operation("Sum", tensor(), axis=1, keepdims=True))
    model = load_model(written(path, packed(config, weights=hdf5(without=tuple(ARRAYS)))))
    np.testing.assert_allclose(model(X).numpy(), X.sum(1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize("name", OTHERS)
def test_weights_that_do_not_fit(name, path, weights_path):
    model = two_dense()
    before = model.get_weights()
    with pytest.raises(ShapeError, match="does not fit 'sequential"):
        model.load_weights(written(weights_path, OTHERS[name]))
    assert all((v == w).all() for v, w in zip(before, model.get_weights()))
    model.load_weights(weights_path, skip_mismatch=True)
    with pytest.raises(ModelFileError, match="does not fit its own configuration|more than the arrays of the file"):
        load_model(written(path, packed(weights=OTHERS[name])))


def test_state_of_another_optimizer(path):
    def other(file):
        for k in range(9):
            file[f"optimizer/vars/{k}"] = np.zeros(k)

    how = {"optimizer": "adam", "loss": "mse"}
    with pytest.warns(UserWarning, match="the state of 'adam' does not fit"):
        model = load_model(written(path, packed(sequential(*TWO, compile_config=how), weights=hdf5(other))))
    assert int(model.optimizer.iterations) == 0


# --- hostile files


def state_of_sgd(file):
    file["optimizer/vars/0"], file["optimizer/vars/1"] = np.int32(3), np.float32(0.5)


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """What the interpreter was asked to open or run while the list is not None."""
    # Once before, so that what is imported at first use is there.
    how = {"optimizer": "sgd", "loss": "mse", "metrics": ["mae"]}
    first = packed(sequential(*TWO, compile_config=how), weights=hdf5(state_of_sgd))
    load_model(written(str(tmp_path_factory.mktemp("first") / "model.keras"), first))
    seen = {"now": None}

    def hook(event, arguments):
        if seen["now"] is not None and event in ("open", "exec", "os.system", "subprocess.Popen", "socket.connect"):
            seen["now"].append((event, str(arguments[0])))

    sys.addaudithook(hook)
    return seen


def refused(act, path, events):
    """The one line with which a file is refused; nothing but the file was opened, nothing run, little memory taken."""
    tracemalloc.start()
    events["now"] = []
    try:
        with pytest.raises(ModelFileError) as caught:
            act()
        found, (_, most) = events["now"], tracemalloc.get_traced_memory()
    finally:
        events["now"] = None
        tracemalloc.stop()
    assert [event for event in found if event != ("open", path) and not event[1].endswith(".py")] == []
    assert most < MOST_BYTES
    line = str(caught.value).partition("\n")[0]
    assert len(line) <= 300
    return line


@pytest.mark.parametrize("name", WEIGHTS)
def test_hostile_weights(name, path, weights_path, events):
    model = two_dense()
    before = model.get_weights()
    written(weights_path, WEIGHTS[name])
    assert "model.weights.h5" in refused(lambda: model.load_weights(weights_path), weights_path, events)
    assert all((v == w).all() for v, w in zip(before, model.get_weights()))
    written(path, packed(weights=WEIGHTS[name]))
    refused(lambda: load_model(path), path, events)


def test_an_empty_file_says_so(path, weights_path):
    for read, where in ((load_model, path), (two_dense().load_weights, weights_path)):
        with pytest.raises(ModelFileError, match="0 bytes"):
            read(written(where, b""))


def flat(file, count):
    for k in range(count):
        file[f"a/{k}"] = np.float32(1)


def as_layers(file, count):
    for k in range(count // 4):
        file[f"layers/l{k}/vars/0"], file[f"layers/l{k}/vars/1"] = np.float32(1), np.float32(1)


def chains(file, count):
    for k in range(count // 30):
        file.create_group("/".join([f"a{k}", *["b"] * 29]))


@pytest.fixture
def work(monkeypatch):
    """How many links were seen, and how many arrays were opened."""
    done = {"links": 0, "arrays": 0}

    def counted(name, function):
        def run(*args):
            done[name] += 1
            return function(*args)

        return run

    monkeypatch.setattr(files_hdf5, "_fault_of_link", counted("links", files_hdf5._fault_of_link))
    monkeypatch.setattr(files_hdf5, "_checked_array", counted("arrays", files_hdf5._checked_array))
    return done


@pytest.mark.parametrize("make", [flat, as_layers, chains])
def test_too_many_objects_are_counted_and_not_opened(make, weights_path, work):
    written(weights_path, hdf5(lambda file: make(file, 12_000)))
    with pytest.raises(ModelFileError, match="more than 8192 objects"):
        two_dense().load_weights(weights_path)
    assert work == {"links": files_hdf5.MOST_OBJECTS + 1, "arrays": 0}


def test_arrays_that_the_model_does_not_ask_for_are_not_opened(weights_path, work):
    written(weights_path, hdf5(lambda file: flat(file, 2000)))
    with pytest.raises(ShapeError, match="2000 extra"):
        two_dense().load_weights(weights_path)
    two_dense().load_weights(weights_path, skip_mismatch=True)
    assert work["arrays"] == 2 * len(ARRAYS)


@pytest.mark.parametrize("name", CONFIGS)
def test_hostile_configs(name, path, events):
    written(path, packed(CONFIGS[name]))
    refused(lambda: load_model(path), path, events)


@pytest.mark.parametrize("name", ARCHIVES)
def test_hostile_archives(name, path, events):
    written(path, ARCHIVES[name])
    assert "model.keras" in refused(lambda: load_model(path), path, events)


def test_every_cut_and_many_flipped_bits(path, weights_path):
    whole, model = packed(), two_dense()
    for end in range(0, len(whole), 211):
        with pytest.raises(ModelFileError):
            load_model(written(path, whole[:end]))
    weights = hdf5()
    for place in RNG.integers(0, len(weights), 200):
        data = bytearray(weights)
        data[place] ^= 1 << RNG.integers(8)
        try:
            model.load_weights(written(weights_path, bytes(data)))
        except (ModelFileError, ShapeError) as error:
            assert len(str(error).partition("\n")[0]) <= 300


# --- other faults


def test_unknown_classes_say_what_to_pass(path):
    written(path, packed(CONFIGS["a class of the user"]))
    with pytest.raises(ModelFileError, match="'Mine', which is not registered.*custom_objects"):
        load_model(path)


def test_without_h5py(path, weights_path, monkeypatch):
    model = two_dense()
    model.save(path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    acts = (
        lambda: load_model(path),
        lambda: model.save(path),
        lambda: model.load_weights(path),
        lambda: model.save_weights(weights_path),
    )
    for act in acts:
        with pytest.raises(errors.MissingPackage, match=r"pip install autograd_nn\[keras\]"):
            act()


def test_what_cannot_be_written(path, tmp_path):
    with pytest.raises(ModelFileError, match="use a name that ends in .weights.h5"):
        two_dense().save_weights(path)
    with pytest.raises(NotBuiltError):
        models.Sequential([layers.Dense(2)]).save_weights(tmp_path / "a.weights.h5")
    with pytest.raises(ModelFileError, match="is a Keras HDF5 file; not supported"):
        two_dense().save(tmp_path / "a.h5")
    x = layers.Input((4,))
    with pytest.raises(ArgumentTypeError, match="cumsum has no form there"):
        models.Model(x, ops.cumsum(x, axis=1)).save(path)
    inner = models.Sequential([layers.Input((4,)), layers.Dense(4)], name="inner")
    outer = models.Sequential([layers.Input((4,)), inner])
    with pytest.raises(ArgumentTypeError, match="'inner' is part of two models"):
        models.Model(x, outer(inner(x))).save(path)
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_stays(path):
    two_dense().save(path)
    with open(path, "rb") as file:
        before = file.read()
    with pytest.raises(FileInTheWay):
        two_dense().save(path, overwrite=False)
    with pytest.raises(ArgumentTypeError):
        models.Sequential([layers.Input((4,)), layers.Lambda(lambda x: x)]).save(path)
    with open(path, "rb") as file:
        assert file.read() == before


def test_zipped(path, tmp_path):
    two_dense().save(path, zipped=True)
    with pytest.raises(errors.InvalidArgument, match="never zipped, a .keras file always"):
        two_dense().save(path, zipped=False)
    with pytest.raises(errors.InvalidArgument, match="never zipped, a .keras file always"):
        two_dense().save(tmp_path / "a.safetensors", zipped=True)
    assert ag.saving.load_model(path).count_params() == 23
