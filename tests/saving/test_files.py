"""Saving and loading that cannot be: wrong names, broken, foreign and hostile files, other architectures."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import layers, models, ops, saving
from autograd_nn.errors import (
    ArgumentTypeError,
    InvalidArgument,
    ModelFileError,
    NotBuiltError,
    ShapeError,
)
from autograd_nn.saving import load_model
from autograd_nn.saving.container import read_arrays, write_arrays

ROOT = Path(__file__).parents[2]
X = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")


class Unregistered(layers.Layer):
    def __init__(self, by=2.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def call(self, inputs):
        return inputs * self.by


def halve(x):
    return x / 2


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "model.safetensors")


def small(units=3, **options):
    return models.Sequential([layers.Dense(units, input_shape=(6,), **options), layers.Dense(1)])


def changed(path, **texts):
    """The file with other texts in its metadata, its checksums right."""
    arrays, held = read_arrays(path)
    write_arrays(path, arrays, {**held, **texts})


def edited(path, what, change):
    data = json.loads(read_arrays(path)[1][what])
    change(data)
    changed(path, **{what: json.dumps(data)})


# --- names


def test_the_names_are_everywhere():
    for name in saving.__all__:
        assert callable(getattr(saving, name)), name
    assert models.load_model is saving.load_model and models.save_model is saving.save_model
    assert saving.clone_model is models.clone_model and saving.model_from_json is models.model_from_json


def test_saving_is_light():
    code = "import sys, autograd_nn.saving; print('safetensors' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout == "False\n"


@pytest.mark.parametrize(
    "name, what",
    [
        ("model.h5", "is a Keras HDF5 file; not supported"),
        ("model.pt", "is a PyTorch file; not supported"),
        ("model.pkl", "is a pickle, which could run any code"),
        ("model.npz", "is a NumPy archive"),
        ("model.txt", "has no ending that says what it is"),
        ("model", "has no ending that says what it is"),
    ],
)
def test_other_endings(tmp_path, name, what):
    model, file = small(), tmp_path / name
    for write in (model.save, model.save_weights):
        with pytest.raises(ModelFileError, match=f"{what}.*a name that ends in .safetensors"):
            write(file)
    assert not file.exists()
    file.write_bytes(b"anything")
    for read in (load_model, model.load_weights):
        with pytest.raises(ModelFileError, match=what):
            read(file)


def test_overwriting(path):
    model = small()
    model.save(path, overwrite=False)
    before = Path(path).read_bytes()
    for write in (model.save, model.save_weights):
        with pytest.raises(FileExistsError, match="exists already; pass overwrite=True"):
            write(path, overwrite=False)
    assert Path(path).read_bytes() == before
    with pytest.raises(InvalidArgument, match="never zipped"):
        model.save(path, zipped=True)
    model.save(Path(path), zipped=False)


def test_no_file_to_read(tmp_path):
    for read in (load_model, small().load_weights):
        with pytest.raises(FileNotFoundError, match="there is no file"):
            read(tmp_path / "no.safetensors")
        with pytest.raises(IsADirectoryError, match="is a folder"):
            read(tmp_path)
        (tmp_path / "empty.safetensors").touch()
        with pytest.raises(ModelFileError, match="0 bytes"):
            read(tmp_path / "empty.safetensors")
        with pytest.raises(InvalidArgument, match="file path"):
            read(None)


def test_no_place_to_write(tmp_path):
    for write in (small().save, small().save_weights):
        with pytest.raises(FileNotFoundError, match="there is no folder"):
            write(tmp_path / "no" / "model.safetensors")
        (tmp_path / "folder.safetensors").mkdir(exist_ok=True)
        with pytest.raises(IsADirectoryError, match="is a folder"):
            write(tmp_path / "folder.safetensors")


def test_what_is_no_model(path):
    with pytest.raises(ArgumentTypeError, match="expects a model"):
        saving.save_model(layers.Dense(2), path)
    with pytest.raises(NotBuiltError, match="not built"):
        models.Sequential([layers.Dense(2)]).save_weights(path)


class Game(models.Model):
    """It has a train_step alone, and is never called."""

    def __init__(self, size):
        super().__init__()
        self.player = models.Sequential([layers.Dense(2, input_shape=(size,))] if size else [layers.Dense(2)])


def test_weights_of_a_model_without_a_call(path):
    game, other = Game(3), Game(3)
    game.save_weights(path)
    other.load_weights(path)
    assert np.array_equal(game.player.get_weights()[0], other.player.get_weights()[0])
    with pytest.raises(NotBuiltError, match="not built"):
        Game(None).save_weights(path)


# --- broken, foreign, too new


def test_a_flipped_bit_names_the_array(path):
    small().save(path)
    raw = bytearray(Path(path).read_bytes())
    raw[-1] ^= 8
    Path(path).write_bytes(raw)
    for read in (load_model, small().load_weights):
        with pytest.raises(ModelFileError, match=r"array 'dense_1/kernel' checksum differs \(bytes \d+-\d+\)"):
            read(path)


def test_a_newer_format(path):
    small().save(path)
    changed(path, autograd_nn=json.dumps({"format": 2, "version": "3.1", "kind": "model"}))
    with pytest.raises(ModelFileError, match="written by autograd_nn '3.1', this is .*install a newer one"):
        load_model(path)


def test_weights_alone_are_no_model(path):
    model = small()
    model.save_weights(path)
    with pytest.raises(ModelFileError, match="holds weights and no model.*model.load_weights"):
        load_model(path)
    write_arrays(path, {"dense/kernel": np.zeros((6, 3))})
    with pytest.raises(ModelFileError, match="holds weights and no model"):
        load_model(path)


# --- custom classes and functions


def test_custom_objects(path):
    model = models.Sequential([layers.Input((6,)), Unregistered(3.0), layers.Lambda(halve), layers.Dense(1, halve)])
    model.save(path)
    with pytest.raises(ModelFileError, match="'Unregistered', which is not registered.*custom_objects={'Unregistered'"):
        load_model(path)
    with pytest.raises(ModelFileError, match="'halve', which is not registered.*custom_objects={'halve': halve}"):
        load_model(path, custom_objects={"Unregistered": Unregistered})
    again = load_model(path, custom_objects={"Unregistered": Unregistered, "halve": halve})
    assert np.array_equal(again(X).numpy(), model(X).numpy())
    with saving.custom_object_scope({"Unregistered": Unregistered, "halve": halve}):
        assert load_model(path).layers[0].by == 3.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: models.Sequential([layers.Input((6,)), layers.Lambda(lambda x: x * 2)]),
        lambda: models.Sequential([layers.Dense(2, activation=lambda x: x * 2, input_shape=(6,))]),
    ],
)
def test_a_lambda_cannot_be_saved(path, make):
    with pytest.raises(ArgumentTypeError, match="define it with def and.*register_keras_serializable") as caught:
        make().save(path)
    assert "write get_config" not in str(caught.value)
    assert not Path(path).exists()


def test_a_loss_that_is_a_lambda(path):
    model = small()
    model.compile("sgd", loss=lambda y, p: ops.mean(y - p))
    with pytest.raises(ArgumentTypeError, match="no name to be found by"):
        model.save(path)


class OwnCompile(models.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.head = layers.Dense(1)

    def compile(self, first_optimizer, **kwargs):
        super().compile(**kwargs)
        self.first_optimizer = first_optimizer

    def call(self, inputs):
        return self.head(inputs)


def test_a_compile_of_ones_own(path):
    model = OwnCompile()
    model(X)
    model.compile(first_optimizer="sgd", optimizer="adam", loss="mse")
    with pytest.warns(UserWarning, match="has its own compile.*get_compile_config"):
        model.save(path)
    again = load_model(path, custom_objects={"OwnCompile": OwnCompile})
    assert not again.compiled and np.array_equal(again(X).numpy(), model(X).numpy())


def test_a_custom_class_that_fails_tells_so(path):
    class Failing(layers.Layer):
        def __init__(self, **kwargs):
            raise KeyError("my own mistake")

    models.Sequential([layers.Input((6,)), Unregistered()]).save(path)
    with pytest.raises(ModelFileError, match="cannot be followed: KeyError: .*my own mistake") as caught:
        load_model(path, custom_objects={"Unregistered": Failing})
    assert isinstance(caught.value.__cause__, KeyError)


# --- other architectures


def test_weights_of_another_architecture(path):
    models.Sequential([layers.Dense(3, input_shape=(6,)), layers.Dense(2, name="top")]).save_weights(path)
    model = models.Sequential([layers.Dense(4, input_shape=(6,)), layers.Dense(2)])
    before = model.get_weights()
    with pytest.raises(ShapeError) as caught:
        model.load_weights(path)
    first, *details = str(caught.value).splitlines()
    assert "2 missing (first 'dense_1/kernel'), 2 extra (first 'top/kernel'), 2 mismatched" in first
    assert "skip_mismatch=True" in first and len(first) <= 300
    assert details == [
        "missing in the file: 'dense_1/kernel', 'dense_1/bias'",
        "extra in the file: 'top/kernel', 'top/bias'",
        "of another shape or dtype: 'dense/kernel': file (6, 3) float32, model (6, 4) float32, "
        "'dense/bias': file (3,) float32, model (4,) float32",
    ]
    assert all(map(np.array_equal, before, model.get_weights()))


def test_only_five_of_many_are_listed(path):
    models.Sequential([layers.Dense(6, input_shape=(6,), name=f"a{k}") for k in range(8)]).save_weights(path)
    with pytest.raises(ShapeError, match=r"'a1/kernel', 'a1/bias', 'a2/kernel', \.\.\. \(5 of 16\)"):
        models.Sequential([layers.Dense(6, input_shape=(6,), name="b")]).load_weights(path)


def test_skip_mismatch_loads_what_fits(path):
    first = models.Sequential([layers.Dense(3, input_shape=(6,), bias_initializer="ones"), layers.Dense(2)])
    first.save_weights(path)
    second = models.Sequential([layers.Dense(3, input_shape=(6,)), layers.Dense(5)])
    before = second.layers[1].get_weights()
    second.load_weights(path, skip_mismatch=True)
    assert all(map(np.array_equal, first.layers[0].get_weights(), second.layers[0].get_weights()))
    assert all(map(np.array_equal, before, second.layers[1].get_weights()))


def test_weights_of_a_whole_model_and_of_another_float(path):
    model = small()
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save(path)
    again = small(dtype="float64")
    again.load_weights(path)
    assert all(map(np.array_equal, model.get_weights(), again.get_weights()))
    with pytest.raises(NotBuiltError, match="load_weights.*not built"):
        models.Sequential([layers.Dense(3), layers.Dense(1)]).load_weights(path)


# --- hostile configurations, with checksums that are right


def dense(config):
    return config["config"]["layers"][1]


def entry(metric, **config):
    return {"class_name": metric, "config": config, "module": "autograd_nn.metrics", "registered_name": metric}


HOSTILE = {
    "another class": (
        "config",
        lambda c: dense(c).update(class_name="system", module="os", registered_name="os>system"),
    ),
    "a builtin": ("config", lambda c: dense(c).update(class_name="function", config="eval", module="builtins")),
    "an op for a layer": (
        "config",
        lambda c: dense(c).update(class_name="function", config="tanh", module="autograd_nn.ops"),
    ),
    "a dunder": (
        "config",
        lambda c: dense(c).update(class_name="function", config="__import__", module="autograd_nn.ops"),
    ),
    "a name that is a list": ("config", lambda c: dense(c).update(class_name=["Dense"])),
    "no layers": ("config", lambda c: c["config"].update(layers=None)),
    "layers that are numbers": ("config", lambda c: c["config"].update(layers=[1, 2])),
    "no model": ("config", lambda c: c.update(dense(c))),
    "wide enough to fill the memory": ("config", lambda c: dense(c)["config"].update(units=10**12)),
    "wider than the arrays": ("config", lambda c: dense(c)["config"].update(units=10**5)),
    "an unknown argument": ("config", lambda c: dense(c)["config"].update(hook="x")),
    "a negative width": ("config", lambda c: dense(c)["config"].update(units=-1)),
    "an array of objects": (
        "config",
        lambda c: dense(c)["config"].update(
            kernel_initializer={"class_name": "__array__", "config": {"value": [1], "dtype": "O", "shape": [10**9]}}
        ),
    ),
    "a dtype of nonsense": (
        "config",
        lambda c: dense(c)["config"].update(dtype={"class_name": "__dtype__", "config": "f8," * 99}),
    ),
    "flags of other layers": ("state", lambda s: s.update(layers=[True])),
    "no flags": ("state", lambda s: s.pop("layers")),
    "flags that are a number": ("state", lambda s: s.update(fixed=1)),
    "a random state of nonsense": ("state", lambda s: s.update(random={"seed": "x", "drawn": -1, "state": [1]})),
    "an optimizer of other weights": ("state", lambda s: s["optimizer"].update(weights=["no"])),
    "an optimizer of too few weights": ("state", lambda s: s["optimizer"].update(weights=[])),
    "a list for the optimizer": ("state", lambda s: s.update(optimizer=[1])),
    "an optimizer of nonsense": ("compile", lambda c: c.update(optimizer={"class_name": "os", "config": {}})),
    "a metric too large": ("compile", lambda c: c.update(metrics=[entry("AUC", num_thresholds=10**9)])),
    "a matrix too large": ("compile", lambda c: c.update(metrics=[entry("MeanIoU", num_classes=10**5)])),
    "many large metrics": (
        "compile",
        lambda c: c.update(metrics=[entry("MeanIoU", num_classes=5000, name=f"m{k}") for k in range(9)]),
    ),
    "a loss of nonsense": ("compile", lambda c: c.update(loss="nothing")),
    "an argument of nonsense": ("compile", lambda c: c.update(callbacks="x")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_configurations(name, path):
    ag.utils.set_random_seed(0)
    model = small()
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save(path)
    edited(path, *HOSTILE[name])
    state = ag.random.seed.global_state()
    with pytest.raises(ModelFileError) as caught:
        load_model(path)
    assert len(str(caught.value).splitlines()[0]) <= 300
    if "random" in name:
        assert ag.random.seed.global_state()["seed"] == state["seed"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "[]",
        "1",
        "null",
        "[" * 100_000,
        '{"a":' * 100_000,
        "[[],[]," * 200_000,
        "[" + "1," * (1 << 21) + "1]",
    ],
    ids=range(9),
)
@pytest.mark.parametrize("what", ["config", "state", "autograd_nn"])
def test_hostile_json(what, text, path):
    small().save(path)
    changed(path, **{what: text})
    with pytest.raises(ModelFileError, match=f"its {what} is"):
        load_model(path)


def test_a_text_that_is_missing(path):
    small().save(path)
    arrays, texts = read_arrays(path)
    for what in ("config", "state"):
        write_arrays(path, arrays, {key: value for key, value in texts.items() if key != what})
        with pytest.raises(ModelFileError, match=f"its {what} is missing"):
            load_model(path)


WATCHED = """
import sys
import autograd_nn as ag
from autograd_nn.errors import ModelFileError
events = []
ag.models.load_model(sys.argv[1])
watching = True
sys.addaudithook(lambda event, given: events.append(f"{event} {given[0] if given else ''}") if watching else None)
ag.models.load_model(sys.argv[1])
try:
    ag.models.load_model(sys.argv[2])
except ModelFileError:
    events.append("refused")
watching = False
quiet = ("object.__getattr__", "object.__setattr__", "sys._getframe", "builtins.id")
print(list(dict.fromkeys(event for event in events if event.split()[0] not in quiet)))
"""


def test_nothing_but_the_file_is_opened(path, tmp_path):
    model = small()
    model.compile("adam", "mse")
    model.save(path)
    bad = str(tmp_path / "bad.safetensors")
    model.save(bad)
    edited(bad, *HOSTILE["another class"])
    run = subprocess.run([sys.executable, "-c", WATCHED, path, bad], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == str([f"open {path}", f"open {bad}", "refused"])
