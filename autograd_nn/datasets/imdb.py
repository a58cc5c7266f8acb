"""50,000 film reviews from IMDB, half for training, as lists of word ranks; the label says whether the review is good.

Reference: Maas, Daly, Pham, Huang, Ng and Potts, "Learning Word Vectors for Sentiment Analysis", ACL 2011.
"""

import os
from typing import Any

import numpy as np

from ..engine.signatures import suggest_calls
from ..errors import InvalidArgument
from .store import BUCKET, Remote, located, read_json, read_npz
from .words import check_options, check_texts, limited, marked, objects, shorter, shuffled

FILE = Remote(
    "imdb.npz", f"{BUCKET}imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
)  # fmt: skip
WORDS = Remote("imdb_word_index.json", f"{BUCKET}imdb_word_index.json", "bfafd718b763782e994055a2d397834f")
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def load_data(
    path: str | os.PathLike[str] = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return `(x_train, y_train), (x_test, y_test)`: arrays of lists of ints, and labels 0 or 1.

    path:       a local file; as it is, the file is downloaded once
    num_words:  words of this rank and above become `oov_char`; skip_top: so do words below this rank
    maxlen:     longer reviews are left out, those of this length too
    seed:       of the order of the reviews
    start_char: stands at the beginning of each review; oov_char: words are left out if it is None
    index_from: is added to the rank of each word; 0 pads, 1 starts, 2 stands for other words

    Raises DataError where the file cannot be had or read, MissingFile for a `path` that is not there, InvalidArgument
    for options that cannot be meant.
    """
    what = "imdb.load_data"
    options = {"num_words": num_words, "skip_top": skip_top, "maxlen": maxlen, "start_char": start_char}
    options |= {"oov_char": oov_char, "index_from": index_from}
    check_options(what, options, ("num_words", "maxlen", "start_char", "oov_char", "index_from"))
    arrays = read_npz(what, located(what, FILE, path), _ARRAYS, objects=("x_train", "x_test"))
    rng = np.random.RandomState(seed)
    texts: list[Any] = []
    labels: list[Any] = []
    for x, y in (arrays[:2], arrays[2:]):
        check_texts(what, x, y)
        x, y = shuffled(x, y, rng)
        x, y = shorter(marked(x, start_char, index_from), y, maxlen)
        if not x:
            raise InvalidArgument(f"{what}: no review has fewer than maxlen={maxlen} words; increase maxlen")
        texts.append(x)
        labels.append(y)
    first = len(texts[0])
    both = limited(texts[0] + texts[1], num_words, skip_top, oov_char)
    return (objects(both[:first]), labels[0]), (objects(both[first:]), labels[1])


def get_word_index(path: str | os.PathLike[str] = "imdb_word_index.json") -> dict[str, int]:
    """The rank of each word, from 1; `load_data` adds `index_from` to it.

    path: a local file; as it is, the file is downloaded once. Raises as `load_data`.
    """
    what = "imdb.get_word_index"
    return read_json(what, located(what, WORDS, path))


suggest_calls(globals())
