"""Data of one batch as a tuple, and data sets in two parts."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..engine.convert import to_array
from ..engine.signatures import suggest_calls, suggests
from ..engine.tree import flatten, unflatten
from ..errors import ArgumentTypeError, DataError, InvalidArgument, short
from .py_dataset import PyDataset


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Data as `train_step` gets them: x alone, `(x, y)` or `(x, y, sample_weight)`; `(x,)` where x is a list.

    >>> import autograd_nn as ag
    >>> ag.utils.pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """`x, y, sample_weight` of such data, None for what is missing; DataError for a longer tuple.

    >>> import autograd_nn as ag
    >>> ag.utils.unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise DataError(f"expected (x,), (x, y) or (x, y, sample_weight), got a tuple of {len(data)}")
    return (*data, None, None)[:3]


class ArrayDataset(PyDataset):
    """Samples of arrays: iterating gives one after another; `batch(n)` is a data set of batches for `fit`.

    arrays: an array, or a tuple or dict of arrays of one length
    """

    def __init__(self, arrays: Any, batch_size: int | None = None) -> None:
        super().__init__()
        self.arrays = arrays
        self.batch_size = batch_size

    def cardinality(self) -> int:
        """The number of samples, or of batches."""
        return len(self)

    def __len__(self) -> int:
        samples = len(flatten(self.arrays)[0][0])
        return samples if self.batch_size is None else -(-samples // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        size = self.batch_size
        return _select(self.arrays, index if size is None else slice(index * size, (index + 1) * size))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def batch(self, batch_size: int) -> "ArrayDataset":
        """The same samples in batches."""
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise InvalidArgument(f"batch: batch_size must be an int >= 1, got {short(batch_size)}")
        return ArrayDataset(self.arrays, batch_size)


@suggests
def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[ArrayDataset, ArrayDataset]:
    """A data set in two parts, left and right.

    dataset:               an array, or a tuple, list or dict of arrays of one length
    left_size, right_size: a share between 0 and 1, or a number of samples; one may be left out
    shuffle, seed:         draw the samples of the parts at random
    preferred_backend:     taken for Keras' sake

    Raises InvalidArgument for sizes that do not fit, DataError for arrays of different lengths.

    >>> import numpy as np
    >>> import autograd_nn as ag
    >>> left, right = ag.utils.split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), [int(sample) for sample in right]
    (8, [8, 9])
    """
    if isinstance(dataset, list) and not all(hasattr(part, "shape") for part in dataset):
        dataset = to_array(dataset)
    leaves, tree = flatten(tuple(dataset) if isinstance(dataset, list) else dataset)
    if not leaves or not all(hasattr(leaf, "shape") and len(leaf.shape) for leaf in leaves):
        raise ArgumentTypeError(
            f"split_dataset: expected an array, or a tuple or dict of arrays, got {short(type(dataset).__name__)}"
        )
    arrays = [to_array(leaf) for leaf in leaves]
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        raise DataError(f"split_dataset: the arrays have different numbers of samples: {sorted(lengths)}")
    total = lengths.pop()
    left, right = _sizes(left_size, right_size, total)
    order = np.random.default_rng(seed).permutation(total) if shuffle else np.arange(total)
    whole = unflatten(tree, arrays)
    return ArrayDataset(_select(whole, order[:left])), ArrayDataset(_select(whole, order[total - right :]))


def _select(arrays: Any, key: Any) -> Any:
    leaves, tree = flatten(arrays)
    return unflatten(tree, [leaf[key] for leaf in leaves])


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    if left is None and right is None:
        raise InvalidArgument("split_dataset: give left_size or right_size, such as left_size=0.8")
    numbers = {"left_size": left, "right_size": right}
    found = {name: _samples(name, value, total) for name, value in numbers.items() if value is not None}
    wanted = sum(found.values())
    left_count = found.get("left_size", total - wanted)
    right_count = found.get("right_size", total - wanted)
    if wanted > total or not left_count or not right_count:
        raise InvalidArgument(
            f"split_dataset: left {left_count} and right {right_count} of {total} samples; both parts must have some, "
            "and not more than all together"
        )
    return left_count, right_count


def _samples(name: str, value: Any, total: int) -> int:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 < value < total
    share = isinstance(value, (float, np.floating)) and 0 < value < 1
    if not whole and not share:
        raise InvalidArgument(
            f"split_dataset: {name} must be a share between 0 and 1 or an int below {total}, got {short(value)}"
        )
    return int(value) if whole else round(value * total)


suggest_calls(globals())
