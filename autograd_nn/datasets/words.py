"""Texts as lists of word ranks: what `imdb` and `reuters` do with them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DataError, InvalidArgument

Texts = list[list[int]]


def shuffled(x: Any, y: Any, rng: np.random.RandomState) -> tuple[Any, Any]:
    """Both in one new order."""
    order = np.arange(len(x))
    rng.shuffle(order)
    return x[order], y[order]


def marked(x: Any, start_char: int | None, index_from: int) -> Texts:
    """The ranks moved up by `index_from`, behind `start_char`."""
    start = [] if start_char is None else [start_char]
    return [[*start, *(word + (index_from or 0) for word in text)] for text in x]


def shorter(x: Texts, y: Any, maxlen: int | None) -> tuple[Texts, Any]:
    """The texts of fewer than `maxlen` words."""
    if not maxlen:
        return x, y
    kept = [k for k, text in enumerate(x) if len(text) < maxlen]
    return [x[k] for k in kept], y[kept]


def limited(x: Texts, num_words: int | None, skip_top: int, oov_char: int | None) -> Texts:
    """Words outside of `skip_top` <= rank < `num_words` replaced by `oov_char`, or left out if that is None."""
    # Without num_words the very rarest word is replaced too, as in Keras.
    last = num_words or max(max(text) for text in x)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < last] for text in x]
    return [[word if skip_top <= word < last else oov_char for word in text] for text in x]


def objects(x: Texts) -> np.ndarray:
    """An array of lists, also where all lists are of one length."""
    made = np.empty(len(x), object)
    made[:] = x
    return made


def check_texts(what: str, x: Any, y: Any) -> None:
    """DataError unless x is an array of lists of ints, and y has one label for each."""
    if x.ndim != 1 or len(x) != len(y) or not len(x):
        raise DataError(f"{what}: expected as many labels as texts, got {x.shape} and {np.shape(y)}")
    if not all(isinstance(text, (list, np.ndarray)) and len(text) for text in x):
        raise DataError(f"{what}: expected lists of word numbers in the file")


def check_options(what: str, options: dict[str, Any], nullable: Sequence[str]) -> None:
    """InvalidArgument for an option that is no int."""
    for name, value in options.items():
        whole = hasattr(value, "__index__") and not isinstance(value, bool)
        if not whole and not (value is None and name in nullable):
            raise InvalidArgument(f"{what}: {name} must be an int{' or None' * (name in nullable)}, got {value!r}")


def check_split(what: str, test_split: Any) -> None:
    """InvalidArgument unless 0 <= test_split < 1."""
    number = isinstance(test_split, (int, float)) and not isinstance(test_split, bool)
    if not number or not 0 <= test_split < 1:
        raise InvalidArgument(f"{what}: test_split must be a number with 0 <= test_split < 1, got {test_split!r}")
