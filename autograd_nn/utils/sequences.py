"""Sequences made ready for training: padded to one length, or cut out of a long one."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.convert import as_tensor, to_array
from ..engine.signatures import suggests
from ..engine.tree import tree_map
from ..errors import ArgumentTypeError, DataError, InvalidArgument, ShapeError, did_you_mean, short
from .py_dataset import PyDataset

_ENDS = ("pre", "post")


@suggests
def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> NDArray[Any]:
    """Sequences of different lengths as rows of one array.

    maxlen:     length of the rows; that of the longest sequence if None
    padding:    "pre" or "post": where `value` fills what is missing
    truncating: "pre" or "post": where too long sequences lose elements

    Returns shape `(sequences, maxlen, *shape of an element)`. Raises ArgumentTypeError for what is no list of
    sequences, ShapeError for elements of different shapes, InvalidArgument for other options.

    >>> import autograd_nn as ag
    >>> ag.utils.pad_sequences([[1], [2, 3]]).tolist()
    [[0, 1], [2, 3]]
    """
    if not hasattr(sequences, "__len__") or isinstance(sequences, (str, bytes)):
        raise ArgumentTypeError(f"pad_sequences: expected a list of sequences, got {short(sequences)}")
    for index, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ArgumentTypeError(f"pad_sequences: sequences[{index}] is {short(sequence)}, expected a sequence")
    _choose("padding", padding, _ENDS)
    _choose("truncating", truncating, _ENDS)
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    if isinstance(maxlen, bool) or not isinstance(maxlen, (int, np.integer)) or maxlen < 0:
        raise InvalidArgument(f"pad_sequences: maxlen must be an int >= 0 or None, got {short(maxlen)}")
    kind = np.dtype(dtype)
    if isinstance(value, str) and kind.kind not in "OUS":
        raise ArgumentTypeError(f"pad_sequences: value {value!r} does not fit into dtype {kind}; pass dtype=object")
    element = next((np.asarray(s).shape[1:] for s in sequences if len(s)), ())
    rows = np.full((len(sequences), maxlen, *element), value, dtype)
    for index, sequence in enumerate(sequences):
        _put(rows[index], sequence, index, padding, truncating)
    return rows


def _put(row: NDArray[Any], sequence: Any, index: int, padding: str, truncating: str) -> None:
    maxlen = len(row)
    kept = sequence[max(len(sequence) - maxlen, 0) :] if truncating == "pre" else sequence[:maxlen]
    if not len(kept):
        return
    array = np.asarray(kept, row.dtype)
    if array.shape[1:] != row.shape[1:]:
        raise ShapeError(
            f"pad_sequences: elements of sequences[{index}] have shape {array.shape[1:]}, expected {row.shape[1:]}"
        )
    place = slice(maxlen - len(array), None) if padding == "pre" else slice(len(array))
    row[place] = array


def _choose(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        hint = did_you_mean(value, known) or f"; expected {' or '.join(map(repr, known))}"
        raise InvalidArgument(f"unknown {name} {short(value)}{hint}")


class _Windows(PyDataset):
    """Batches of windows into one long array."""

    def __init__(
        self, data: NDArray[Any], targets: Any, starts: NDArray[Any], offsets: NDArray[Any], batch_size: int | None,
        rng: "np.random.Generator | None",
    ) -> None:  # fmt: skip
        super().__init__()
        self.data = data
        self.targets = targets
        self.starts = starts
        self.offsets = offsets
        self.batch_size = batch_size
        self.rng = rng
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.starts) if self.batch_size is None else -(-len(self.starts) // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        size = self.batch_size
        starts = self.starts[index] if size is None else self.starts[index * size : (index + 1) * size]
        windows = self.data[np.add.outer(starts, self.offsets)]
        return windows if self.targets is None else (windows, self.targets[starts])

    def __iter__(self) -> Iterator[Any]:
        return map(self._tensors, range(len(self)))

    def take(self, count: int) -> Iterator[Any]:
        """The first batches."""
        return itertools.islice(self, count)

    def _tensors(self, index: int) -> Any:
        return tree_map(as_tensor, self[index])

    def on_epoch_end(self) -> None:
        if self.rng is not None:
            self.rng.shuffle(self.starts)


@suggests
def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> PyDataset:
    """Windows of a long series, with their targets, as a PyDataset for `fit`; `take(n)` gives the first n batches.

    data:            shape `(steps, ...)`
    targets:         `targets[i]` belongs to the window that begins at step i; None for windows alone
    sequence_length: steps in a window
    sequence_stride: steps between the beginnings of two windows
    sampling_rate:   steps between two elements of a window
    batch_size:      windows in a batch; None for single windows
    shuffle, seed:   a new order in each epoch
    start_index, end_index: only data from the first to before the second

    Raises InvalidArgument for numbers out of range, DataError where no window fits.

    >>> import numpy as np
    >>> import autograd_nn as ag
    >>> windows = ag.utils.timeseries_dataset_from_array(np.arange(6), np.arange(2, 8), 3)
    >>> [t.tolist() for t in windows[0]]
    [[[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]], [2, 3, 4, 5]]
    """
    data = to_array(data)
    first, last = start_index or 0, len(data) if end_index is None else end_index
    numbers = {"sequence_length": sequence_length, "sequence_stride": sequence_stride, "sampling_rate": sampling_rate}
    for name, number in {**numbers, "end_index": last}.items():
        _check_steps(name, number, 1, len(data))
    _check_steps("start_index", first, 0, last - 1)
    if batch_size is not None:
        _check_steps("batch_size", batch_size, 1)
    count = last - first - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = to_array(targets)
        count = min(count, len(targets) - first)
    if count < 1:
        raise DataError(
            f"timeseries_dataset_from_array: no window of {sequence_length} elements, {sampling_rate} steps apart, "
            f"fits into {last - first} steps"
        )
    starts = first + np.arange(0, count, sequence_stride)
    offsets = np.arange(sequence_length) * sampling_rate
    rng = np.random.default_rng(seed) if shuffle else None
    return _Windows(data, targets, starts, offsets, batch_size, rng)


def _check_steps(name: str, number: Any, least: int, most: int | None = None) -> None:
    whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
    if whole and number >= least and (most is None or number <= most):
        return
    limit = "" if most is None else f" to {most}"
    raise InvalidArgument(
        f"timeseries_dataset_from_array: {name} must be an int from {least}{limit}, got {short(number)}"
    )
