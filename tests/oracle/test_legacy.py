"""What Keras kept of its old names, beside ours: the Tokenizer and `K`."""

import warnings

import keras
import numpy as np
import pytest
from keras.src.legacy import backend as theirs
from keras.src.legacy.preprocessing import text as old_text

from autograd_nn import backend as K
from autograd_nn.legacy import text

TEXTS = ["The cat sat on the mat.", "The dog ate my homework!", "A cat, a dog; a CAT", "", "the the the"]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize("options", [{}, {"num_words": 4}, {"oov_token": "<unk>"}, {"oov_token": "?", "num_words": 5},
                                     {"char_level": True}, {"lower": False, "filters": "."}])  # fmt: skip
def test_tokenizer(options):
    a, b = text.Tokenizer(**options), old_text.Tokenizer(**options)
    for tokenizer in (a, b):
        tokenizer.fit_on_texts(TEXTS[:3])
        tokenizer.fit_on_texts(TEXTS[3:])
    assert a.word_index == b.word_index and a.index_word == b.index_word
    assert dict(a.word_counts) == dict(b.word_counts) and a.word_docs == dict(b.word_docs)
    new = [*TEXTS, "an unknown word and the cat"]
    assert a.texts_to_sequences(new) == b.texts_to_sequences(new)
    numbers = [[1, 2, 3, 99], [], [5]]
    assert a.sequences_to_texts(numbers) == b.sequences_to_texts(numbers)
    for mode in text.MODES:
        np.testing.assert_allclose(a.texts_to_matrix(new, mode), b.texts_to_matrix(new, mode))


def test_hashes():
    assert text.hashing_trick(TEXTS[0], 50, "md5") == old_text.hashing_trick(TEXTS[0], 50, "md5")
    assert text.one_hot(TEXTS[2], 50) == old_text.one_hot(TEXTS[2], 50)


RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4)).astype("float32")
P = np.abs(X) / np.abs(X).sum(-1, keepdims=True)
T = np.eye(4, dtype="float32")[[0, 2, 1]]
IMAGE = RNG.normal(size=(2, 6, 6, 3)).astype("float32")
CASES = {
    "abs": (X,), "all": (X > 0,), "any": (X > 0, 1), "arange": (1, 7, 2), "argmax": (X,), "argmin": (X,),
    "batch_flatten": (IMAGE,), "bias_add": (X, X[0]), "binary_crossentropy": ((X > 0).astype("float32"), P),
    "cast": (X, "int32"), "cast_to_floatx": (X.astype("float64"),), "categorical_crossentropy": (T, P),
    "clip": (X, -0.5, 0.5), "concatenate": ([X, X],), "cos": (X,), "cumprod": (X,), "cumsum": (X,), "dot": (X, X.T),
    "elu": (X,), "equal": (X, X), "exp": (X,), "expand_dims": (X,), "eye": (3,), "flatten": (X,),
    "gather": (X, np.array([2, 0])), "greater": (X, 0.0), "greater_equal": (X, 0.0), "hard_sigmoid": (X * 2,),
    "l2_normalize": (X, 1), "less": (X, 0.0), "less_equal": (X, 0.0), "log": (P,), "max": (X, 1), "maximum": (X, 0.0),
    "mean": (X, 0), "min": (X,), "minimum": (X, 0.0), "not_equal": (X, X), "one_hot": (np.array([1, 3]), 4),
    "ones": ((2, 3),), "ones_like": (X,), "permute_dimensions": (IMAGE, (0, 3, 1, 2)), "pow": (P, 2.0), "prod": (X, 1),
    "relu": (X, 0.1, 0.7), "repeat": (X, 2), "repeat_elements": (X, 2, 1), "reshape": (X, (4, 3)), "reverse": (X, 0),
    "round": (X * 3,), "sigmoid": (X,), "sign": (X,), "sin": (X,), "softmax": (X,), "softplus": (X,), "softsign": (X,),
    "sparse_categorical_crossentropy": (np.array([0, 2, 1]), P), "sqrt": (P,), "square": (X,), "squeeze": (X[None], 0),
    "stack": ([X, X],), "std": (X, 1), "sum": (X, 1, True), "switch": (X > 0, X, -X), "tanh": (X,),
    "tile": (X, (2, 1)), "transpose": (X,), "var": (X, 0), "zeros": ((2,),), "zeros_like": (X,),
    "in_top_k": (P, np.array([0, 1, 2]), 2),
}  # fmt: skip
# The old functions run on TensorFlow; what each is in Keras of today.
NUMPY = {
    "argmax": lambda x: x.argmax(-1), "argmin": lambda x: x.argmin(-1), "arange": lambda a, b, c: np.arange(a, b, c),
    "batch_flatten": lambda x: x.reshape(len(x), -1), "bias_add": lambda x, b: x + b,
    "binary_crossentropy": keras.ops.binary_crossentropy, "cast_to_floatx": lambda x: x.astype("float32"),
    "categorical_crossentropy": keras.ops.categorical_crossentropy,
    "concatenate": lambda x: np.concatenate(x, -1), "expand_dims": lambda x: x[..., None], "flatten": np.ravel,
    "gather": lambda x, i: x[i], "l2_normalize": lambda x, axis: x / np.linalg.norm(x, axis=axis, keepdims=True),
    "permute_dimensions": np.transpose, "pow": np.power,
    "relu": lambda x, a, m: np.clip(np.where(x > 0, x, a * x), None, m),
    "repeat": lambda x, n: np.repeat(x[:, None], n, 1), "repeat_elements": np.repeat, "reverse": np.flip,
    "switch": np.where, "in_top_k": lambda p, t, k: keras.ops.in_top_k(t, p, k),
    "sparse_categorical_crossentropy": keras.ops.sparse_categorical_crossentropy,
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_backend_functions(name):
    expected = NUMPY.get(name) or getattr(keras.ops, name)
    expected = keras.ops.convert_to_numpy(expected(*CASES[name]))
    np.testing.assert_allclose(np.asarray(getattr(K, name)(*CASES[name])), expected, rtol=2e-5, atol=2e-6)


def test_which_functions_of_the_old_backend_are_here():
    old = {
        name for name, f in vars(theirs).items() if callable(f) and f.__module__ == theirs.__name__ and name[0] != "_"
    }
    missing = old - set(dir(K))
    assert missing == {
        "batch_normalization", "binary_focal_crossentropy", "categorical_focal_crossentropy", "conv1d",
        "conv2d_transpose", "conv3d", "ctc_label_dense_to_sparse", "depthwise_conv2d", "foldl", "foldr", "is_sparse",
        "moving_average_update", "name_scope", "pool3d", "random_bernoulli", "random_normal_variable",
        "random_uniform_variable", "resize_images", "resize_volumes", "rnn", "separable_conv2d", "spatial_2d_padding",
        "spatial_3d_padding", "temporal_padding", "to_dense",
    }  # fmt: skip


@pytest.mark.parametrize(
    "a, b, axes",
    [((3, 4), (3, 4), 1), ((3, 4, 5), (3, 5, 6), None), ((3, 4, 5), (3, 6, 5), (2, 2)), ((3, 4), (3, 4, 6), (1, 1))],
)
def test_batch_dot(a, b, axes):
    x, y = RNG.normal(size=a), RNG.normal(size=b)
    i, j = (axes, axes) if isinstance(axes, int) else axes or (len(a) - 1, len(b) - 2)
    rows = [np.tensordot(x[k], y[k], (i - 1, j - 1)) for k in range(3)]
    expected = np.stack(rows)[:, None] if np.ndim(rows[0]) == 0 else np.stack(rows)
    np.testing.assert_allclose(np.asarray(K.batch_dot(x, y, axes)), expected, rtol=1e-5)


def test_the_names_of_the_backend_of_today():
    kept = {name for name in dir(keras.backend) if not name.startswith("_")} - {"get_uid", "result_type"}
    assert kept <= set(K.__all__)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [getattr(K, name) for name in kept]
    for dtype in ("float16", "int32", "bool", "uint8"):
        for name in ("is_float_dtype", "is_int_dtype", "standardize_dtype"):
            assert getattr(K, name)(dtype) == getattr(keras.backend, name)(dtype)


def test_ctc_batch_cost():
    x = RNG.normal(size=(2, 7, 5))
    probabilities = (np.exp(x) / np.exp(x).sum(-1, keepdims=True)).astype("float32")
    labels, lengths, times = np.array([[1, 2, 0], [3, 3, 0]]), np.array([[3], [2]]), np.array([[7], [6]])
    found = K.ctc_batch_cost(labels, probabilities, times, lengths)
    expected = keras.ops.ctc_loss(labels, np.log(probabilities), lengths[:, 0], times[:, 0], mask_index=4)
    assert found.shape == (2, 1)
    np.testing.assert_allclose(np.asarray(found)[:, 0], keras.ops.convert_to_numpy(expected), rtol=1e-3)


@pytest.mark.parametrize("greedy", [True, False])
def test_ctc_decode(greedy):
    x = RNG.normal(size=(2, 7, 4)) * 3
    probabilities = (np.exp(x) / np.exp(x).sum(-1, keepdims=True)).astype("float32")
    paths, scores = K.ctc_decode(probabilities, np.array([7, 5]), greedy=greedy, beam_width=20)
    expected, _ = keras.ops.ctc_decode(
        np.log(probabilities + 1e-7), np.array([7, 5]), "greedy" if greedy else "beam_search", 20, 1, True, 3
    )
    assert len(paths) == 1 and np.asarray(scores).shape == (2, 1)
    rows = [[int(i) for i in row if i >= 0] for row in np.asarray(paths[0])]
    assert rows == [[int(i) for i in row if i >= 0] for row in keras.ops.convert_to_numpy(expected)[0]]
