"""The data sets as Keras reads the same files, and the same names, arguments and addresses."""

import importlib
import inspect

import keras
import numpy as np
import pytest

from autograd_nn import datasets
from tests.datasets import files

OPTIONS = [
    {}, {"num_words": 30}, {"num_words": 30, "skip_top": 5}, {"num_words": 30, "oov_char": None}, {"maxlen": 12},
    {"seed": 7, "maxlen": 20, "num_words": 40}, {"start_char": None}, {"start_char": None, "index_from": 0},
    {"index_from": 5, "oov_char": 3}, {"start_char": 9, "skip_top": 12},
]  # fmt: skip


@pytest.fixture
def theirs(monkeypatch):
    def load(name, path, **options):
        module = importlib.import_module(f"keras.src.datasets.{name}")
        monkeypatch.setattr(module, "get_file", lambda *args, **kwargs: str(path))
        return module.load_data(**options)

    return load


def plain(pairs):
    return [[list(text) if isinstance(text, list) else text for text in part] for pair in pairs for part in pair]


@pytest.mark.parametrize("options", OPTIONS)
def test_imdb(tmp_path, theirs, options):
    path = files.imdb(tmp_path / "x.npz", 60)
    assert plain(datasets.imdb.load_data(path, **options)) == plain(theirs("imdb", path, **options))


@pytest.mark.parametrize("options", [*OPTIONS, {"test_split": 0.35, "num_words": 25}])
def test_reuters(tmp_path, theirs, options):
    path = files.reuters(tmp_path / "x.npz", 60)
    assert plain(datasets.reuters.load_data(path, **options)) == plain(theirs("reuters", path, **options))


@pytest.mark.parametrize("name, features", [("boston_housing", 13), ("california_housing", 8)])
@pytest.mark.parametrize("options", [{}, {"test_split": 0.3, "seed": 5}])
def test_houses(tmp_path, theirs, name, features, options):
    path = files.housing(tmp_path / "x.npz", features, 700)
    ours = getattr(datasets, name).load_data(path=path, **options)
    for a, b in zip(ours, theirs(name, path, **options)):
        assert all(np.array_equal(x, y) for x, y in zip(a, b))


def test_label_names():
    assert datasets.reuters.get_label_names() == keras.datasets.reuters.get_label_names()


@pytest.mark.parametrize("name", [n for n in dir(keras.datasets) if not n.startswith("_")])
def test_arguments_addresses_and_hashes(name):
    ours, module = getattr(datasets, name), importlib.import_module(f"keras.src.datasets.{name}")
    for function in ("load_data", "get_word_index", "get_label_names"):
        if not hasattr(module, function):
            continue
        theirs = {p.name: p.default for p in inspect.signature(getattr(module, function)).parameters.values()}
        theirs.pop("kwargs", None)
        found = {p.name: p.default for p in inspect.signature(getattr(ours, function)).parameters.values()}
        if name == "mnist":
            theirs["path"] = None
        assert {key: found[key] for key in theirs} == theirs and list(found)[: len(theirs)] == list(theirs)
        assert set(found) - set(theirs) <= {"path"}
    source = inspect.getsource(module)
    remotes = [getattr(ours, word) for word in ("FILE", "WORDS") if hasattr(ours, word)]
    assert all(remote.hash in source for remote in remotes)
    assert all(remote.origin.rpartition("/")[2] in source for remote in remotes)
