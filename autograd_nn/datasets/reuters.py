"""11,228 newswires from Reuters, as lists of word ranks, with one of 46 topics each.

Reference: Reuters-21578, D. D. Lewis, 1997.
"""

import os

import numpy as np

from ..engine.signatures import suggest_calls
from ..errors import InvalidArgument
from .store import BUCKET, Remote, located, read_json, read_npz
from .words import check_options, check_split, check_texts, limited, marked, objects, shorter, shuffled

FILE = Remote(
    "reuters.npz", f"{BUCKET}reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
)  # fmt: skip
WORDS = Remote("reuters_word_index.json", f"{BUCKET}reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921")
TOPICS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar",
    "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp",
    "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel",
    "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead",
)  # fmt: skip


def load_data(
    path: str | os.PathLike[str] = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return `(x_train, y_train), (x_test, y_test)`: arrays of lists of ints, and topics 0 to 45.

    test_split: the share of the newswires, from the end, that is for testing; the other arguments as in
    `imdb.load_data`, and so are the errors.
    """
    what = "reuters.load_data"
    options = {"num_words": num_words, "skip_top": skip_top, "maxlen": maxlen, "start_char": start_char}
    options |= {"oov_char": oov_char, "index_from": index_from}
    check_options(what, options, ("num_words", "maxlen", "start_char", "oov_char", "index_from"))
    check_split(what, test_split)
    x, y = read_npz(what, located(what, FILE, path), ("x", "y"), objects=("x",))
    check_texts(what, x, y)
    x, y = shuffled(x, y, np.random.RandomState(seed))
    x, y = shorter(marked(x, start_char, index_from), y, maxlen)
    if not x:
        raise InvalidArgument(f"{what}: no newswire has fewer than maxlen={maxlen} words; increase maxlen")
    x = objects(limited(x, num_words, skip_top, oov_char))
    first = int(len(x) * (1 - test_split))
    return (x[:first], y[:first]), (x[first:], y[first:])


def get_word_index(path: str | os.PathLike[str] = "reuters_word_index.json") -> dict[str, int]:
    """The rank of each word, from 1; `load_data` adds `index_from` to it.

    path: a local file; as it is, the file is downloaded once. Raises as `load_data`.
    """
    what = "reuters.get_word_index"
    return read_json(what, located(what, WORDS, path))


def get_label_names() -> tuple[str, ...]:
    """The names of the topics, in the order of their numbers.

    >>> get_label_names()[3]
    'earn'
    """
    return TOPICS


suggest_calls(globals())
