"""The examples in Keras' own documentation, run with this library in Keras' place: they must print the same."""

import doctest
import inspect
import re

import keras
import numpy as np
import pytest

import autograd_nn as ag

ROOMS = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "random",
    "regularizers",
    "utils",
)
NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")
# Examples that fail with Keras too, or are about what this library does not have.
BROKEN = {
    "losses.binary_focal_crossentropy": "uses a name that it does not define",
    "metrics.binary_focal_crossentropy": "uses a name that it does not define",
    "losses.kl_divergence": "asks for equality to the last bit",
    "metrics.kl_divergence": "asks for equality to the last bit",
    "metrics.concordance_correlation": "names a function that Keras does not have",
    "metrics.pearson_correlation": "names a function that Keras does not have",
    "initializers.VarianceScaling": "is not valid Python",
    "initializers.variance_scaling": "is not valid Python",
    "optimizers.RMSprop": "makes a keras.backend.Variable",
    "utils.clear_session": "calls keras.backend.clear_session",
    "utils.pack_x_y_sample_weight": "names a class that Keras does not have",
}


def examples():
    for room in ROOMS:
        for name, target in sorted(vars(getattr(keras, room)).items()):
            documented = callable(target) and not name.startswith("_") and hasattr(getattr(ag, room), name)
            key = f"{room}.{name}"
            if documented and ">>>" in (target.__doc__ or "") and key not in BROKEN:
                yield pytest.param(room, inspect.cleandoc(target.__doc__), id=key)


def run(source, names):
    source = source.replace("import keras", "import autograd_nn as keras").replace("from keras", "from autograd_nn")
    try:
        return eval(source, names)
    except SyntaxError:
        exec(source, names)
        return None


def printed(text):
    return [float(number) for number in NUMBER.findall(re.sub(r"shape=\([^)]*\)|dtype=\S+", "", text))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("room, doc", list(examples()))
def test_examples(room, doc):
    np.random.seed(3)
    names = {**vars(ag.layers), **vars(getattr(ag, room)), **vars(ag), "keras": ag, "np": np}
    for example in doctest.DocTestParser().get_examples(doc):
        got = run(example.source, names)
        if got is not None and NUMBER.search(example.want) and not example.want.startswith("<"):
            np.testing.assert_allclose(np.ravel(got), printed(example.want), rtol=2e-3, atol=6e-4)
