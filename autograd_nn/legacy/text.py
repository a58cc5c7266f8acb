"""Texts as word numbers, the way of `keras.preprocessing.text`, which Keras 3 has no more."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import InvalidArgument, NotBuiltError, did_you_mean, short

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
MODES = ("binary", "count", "freq", "tfidf")
Analyzer = Callable[[str], list[str]]


def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text; characters in `filters` separate words as `split` does.

    >>> text_to_word_sequence("The cat sat.")
    ['the', 'cat', 'sat']
    """
    text = input_text.lower() if lower else input_text
    marks: dict[str, str | int | None] = dict.fromkeys(filters, split)
    separated = text.translate(str.maketrans(marks))
    return [word for word in separated.split(split) if word]


def hashing_trick(
    text: str, n: int, hash_function: Any = None, filters: str = FILTERS, lower: bool = True, split: str = " ",
    analyzer: Analyzer | None = None,
) -> list[int]:  # fmt: skip
    """A number from 1 to n - 1 for each word, by its hash: "md5", a function, or Python's own, new in each process.

    >>> len(hashing_trick("the cat the", 100, "md5"))
    3
    """
    number = hash if hash_function is None else _md5 if hash_function == "md5" else hash_function
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [number(word) % (n - 1) + 1 for word in words]


def one_hot(
    input_text: str, n: int, filters: str = FILTERS, lower: bool = True, split: str = " ",
    analyzer: Analyzer | None = None,
) -> list[int]:  # fmt: skip
    """`hashing_trick` with Python's hash."""
    return hashing_trick(input_text, n, None, filters, lower, split, analyzer)


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Learns the words of texts, and turns texts into lists of word numbers or rows of a matrix.

    num_words:  only words with a number below this are kept; None for all
    filters:    characters that separate words; lower: whether case is ignored; split: what separates words
    char_level: each character is a word
    oov_token:  the word that stands for unknown ones, number 1; they are left out if it is None
    analyzer:   a function from a text to its words

    `word_index` has the number of each word, from 1, the most frequent first.

    >>> tokenizer = Tokenizer(num_words=10)
    >>> tokenizer.fit_on_texts(["the cat sat", "the dog"])
    >>> tokenizer.texts_to_sequences(["the dog sat down"])
    [[1, 4, 3]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Analyzer | None = None,
    ) -> None:
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.document_count = 0
        self.word_counts: dict[str, int] = {}
        self.word_docs: dict[str, int] = {}
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}
        self.index_docs: dict[int, int] = {}

    def _words(self, text: Any) -> list[str]:
        if self.char_level or isinstance(text, (list, tuple)):
            if not self.lower:
                return list(text)
            return [part.lower() for part in text]
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of texts, beside those counted before; a text may be a list of words."""
        for text in texts:
            words = self._words(text)
            self.document_count += 1
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in dict.fromkeys(words):
                self.word_docs[word] = self.word_docs.get(word, 0) + 1
        ranked = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        names = ranked if self.oov_token is None else [self.oov_token, *ranked]
        self.word_index = {word: k for k, word in enumerate(names, 1)}
        self.index_word = {k: word for word, k in self.word_index.items()}
        self.index_docs = {self.word_index[word]: count for word, count in self.word_docs.items()}

    def _number(self, word: str) -> int | None:
        number = self.word_index.get(word)
        if number is not None and (not self.num_words or number < self.num_words):
            return number
        return None if self.oov_token is None else self.word_index.get(self.oov_token)

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """The numbers of the words of each text."""
        rows = [[self._number(word) for word in self._words(text)] for text in texts]
        return [[number for number in row if number is not None] for row in rows]

    def sequences_to_texts(self, sequences: Iterable[Sequence[int]]) -> list[str]:
        """The words of these numbers, with spaces between them."""
        rows = [[self._word(int(number)) for number in row] for row in sequences]
        return [" ".join(word for word in row if word is not None) for row in rows]

    def _word(self, number: int) -> str | None:
        word = self.index_word.get(number)
        kept = word is not None and (not self.num_words or number < self.num_words)
        return word if kept else self.oov_token

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """One row per text, one column per word number: "binary", "count", "freq" or "tfidf"."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """As `texts_to_matrix`, from numbers.

        Raises NotBuiltError before any text was seen where that is needed, InvalidArgument for another mode.
        """
        if mode not in MODES:
            hint = did_you_mean(mode, MODES)
            raise InvalidArgument(f"Tokenizer: mode must be one of {MODES}, got {short(mode)}{hint}")
        if not self.word_index and (not self.num_words or mode == "tfidf"):
            raise NotBuiltError("Tokenizer: call fit_on_texts(texts) first, or give num_words=...")
        columns = self.num_words or len(self.word_index) + 1
        found = np.zeros((len(sequences), columns))
        for row, numbers in zip(found, sequences):
            for number, count in Counter(n for n in numbers if n < columns).items():
                row[number] = self._weight(mode, number, count, len(numbers))
        return found

    def _weight(self, mode: str, number: int, count: int, length: int) -> float:
        if mode == "tfidf":
            rarity = math.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
            return (1 + math.log(count)) * rarity
        return {"binary": 1.0, "count": count, "freq": count / length}[mode]
