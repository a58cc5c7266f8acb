"""Module paths of older Keras, in processes of their own: importing leaves traces."""

import importlib
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import autograd_nn as ag
from autograd_nn.errors import ArgumentTypeError, InvalidArgument, UnknownAttribute
from autograd_nn.legacy import merge, modules

IMPORTS = [
    ("from autograd_nn.layers.convolutional import Conv2D, Convolution2D, MaxPooling2D, ZeroPadding2D", 1),
    ("from autograd_nn.layers.core import Dense, Dropout, Activation, Flatten, Reshape, Lambda", 3),
    ("from autograd_nn.layers.recurrent import LSTM, GRU, SimpleRNN", 3),
    ("from autograd_nn.layers.normalization import BatchNormalization", 1),
    ("from autograd_nn.layers.embeddings import Embedding", 1),
    ("from autograd_nn.layers.advanced_activations import LeakyReLU, PReLU", 1),
    ("from autograd_nn.layers.noise import GaussianNoise", 0),
    ("from autograd_nn.layers.pooling import GlobalAveragePooling2D", 0),
    ("from autograd_nn.layers.wrappers import TimeDistributed, Bidirectional", 0),
    ("from autograd_nn.layers.merge import concatenate, add", 1),
    ("from autograd_nn.layers import CuDNNLSTM, CuDNNGRU, Deconvolution2D", 3),
    ("from autograd_nn.layers import *; Dense, Input", 0),
    ("from autograd_nn.engine.topology import Layer, InputSpec", 1),
    ("from autograd_nn.engine import Layer", 1),
    ("from autograd_nn.layers.experimental import preprocessing; preprocessing.Rescaling(1.0)", 2),
    ("from autograd_nn.utils.np_utils import to_categorical", 1),
    ("from autograd_nn.utils import np_utils; np_utils.to_categorical([1])", 1),
    ("from autograd_nn.utils.vis_utils import plot_model", 1),
    ("from autograd_nn.utils.visualize_util import plot", 2),
    ("from autograd_nn.utils.data_utils import get_file, Sequence", 1),
    ("from autograd_nn.utils.generic_utils import Progbar, get_custom_objects", 1),
    ("from autograd_nn.objectives import mean_squared_error", 1),
    ("from autograd_nn.optimizers.legacy import Adam", 1),
    ("from autograd_nn.preprocessing.sequence import pad_sequences", 0),
    ("from autograd_nn.preprocessing import sequence; sequence.pad_sequences", 0),
    ("from autograd_nn.preprocessing.text import Tokenizer, text_to_word_sequence; Tokenizer()", 1),
    ("from autograd_nn.preprocessing.image import img_to_array", 0),
    ("import autograd_nn.preprocessing.sequence as s; s.pad_sequences", 0),
    ("import autograd_nn as keras; keras.preprocessing.sequence.pad_sequences", 0),
    ("import autograd_nn.layers.convolutional as c; c.Conv2D", 1),
    ("from autograd_nn import backend as K; K.epsilon()", 0),
    ("import autograd_nn.backend as K; K.square(2.0)", 1),
    ("import autograd_nn as keras; assert keras.backend() == keras.backend.backend()", 0),
    ("from autograd_nn.layers import Input; from autograd_nn.models import Model, Sequential", 0),
    ("from autograd_nn.optimizers.schedules import ExponentialDecay", 0),
]
ALL = "\n".join(f"check({code!r}, {count})" for code, count in IMPORTS)
PROGRAM = """
import sys, warnings
def check(code, count):
    for name in [n for n in sys.modules if n.startswith("autograd_nn.")]:
        if type(sys.modules[name]).__name__ == "Gate":
            del sys.modules[name]
            package, _, last = name.rpartition(".")
            vars(sys.modules.get(package, sys)).pop(last, None)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        exec(compile(code, "<user>", "exec"), {{}})
    old = [w for w in found if w.category is DeprecationWarning]
    if len(old) != count or any(w.filename != "<user>" for w in old):
        print(code, [(str(w.message), w.filename) for w in old])
{checks}
"""


def test_old_paths():
    root = Path(ag.__file__).parent.parent
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(checks=ALL)], cwd=root, capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("", "")


def test_the_table_names_rooms_and_no_real_file():
    folder = Path(ag.__file__).parent
    for path, room in {**modules.OLD, **modules.KEPT, **modules.WIDER}.items():
        importlib.import_module(f"autograd_nn.{room}")
        real = (folder / path.replace(".", "/")).with_suffix(".py").exists() or (
            folder / path.replace(".", "/")
        ).is_dir()
        assert real == (path in modules.WIDER), path
    for room, names in modules.NAMES.items():
        found = importlib.import_module(f"autograd_nn.{room}")
        assert all(new in vars(found) and old not in vars(found) for old, new in names.items())


@pytest.mark.parametrize("name", modules.ABSENT)
def test_an_absent_part_says_why(name):
    with pytest.raises(ImportError, match="is not here: "):
        importlib.import_module(f"autograd_nn.{name}")
    with pytest.raises(UnknownAttribute, match="is not here: "):
        getattr(ag, name)
    assert not hasattr(ag, name)


def test_other_names_stay_unknown():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("autograd_nn.nothing")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("autograd_nn.layers.nothing")
    with pytest.raises(AttributeError, match="did you mean 'Dense'"):
        ag.layers.Dens  # noqa: B018
    with pytest.raises(AttributeError):
        ag.nothing  # noqa: B018


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "mode, expected",
    [("sum", [[4.0, 6.0]]), ("mul", [[3.0, 8.0]]), ("ave", [[2.0, 3.0]]), ("max", [[3.0, 4.0]]),
     ("concat", [[1.0, 2.0, 3.0, 4.0]]), ("dot", [[11.0]])],
)  # fmt: skip
def test_merge(mode, expected):
    a, b = ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0, 4.0]])
    assert ag.layers.merge([a, b], mode=mode).tolist() == expected


def test_merge_refuses():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InvalidArgument, match="did you mean 'concat'"):
            merge.merge([], mode="concta")
        with pytest.raises(ArgumentTypeError, match="layers.Lambda"):
            merge.merge([], mode=lambda x: x)
