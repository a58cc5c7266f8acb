"""Where batches come from: arrays, generators and data sets, all as `x`, `(x, y)` or `(x, y, sample_weight)`."""

import itertools
import math
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..engine.tree import flatten, unflatten
from ..errors import ArgumentTypeError, DataError, InvalidArgument, short
from ..utils.packing import unpack_x_y_sample_weight as unpack
from ..utils.py_dataset import PyDataset
from .arrays import arrays_of, check_lengths, take
from .weights import class_weights

# x alone, or a tuple of x, y and sample_weight.
Batch = Any
# A data source that takes longer than this for one batch is reported.
STALL_SECONDS = 30.0
# Arrays of more bytes are converted batch by batch.
MOST_CONVERTED = 64 * 2**20


class Source:
    """Base of what gives batches.

    size:     batches per epoch, None if unknown
    restarts: whether every epoch can begin anew
    """

    size: int | None = None
    restarts = True

    def __init__(self) -> None:
        self._current: Iterator[Batch] | None = None
        self._begun = self._taken = 0

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0, from number `first` on."""
        raise NotImplementedError(f"{type(self).__name__} must define batches(epoch, first)")

    def first(self) -> Batch:
        """A batch for looking at shapes; it is not lost."""
        raise NotImplementedError(f"{type(self).__name__} must define first()")

    def steps(self, epoch: int, count: int | None, first: int = 0) -> Iterator[Batch]:
        """The next batches up to number `count`, going on where the last epoch ended; all batches for None.

        first: the number of the next batch in this epoch, whose first batches were taken before
        Raises DataError where a generator ends too early; other sources warn and end the epoch.
        """
        if count is None:
            yield from self.batches(epoch, first)
            return
        for k in range(first, count):
            batch = self._next(epoch, fresh=k == 0)
            if batch is None:
                self._report_end(k, count, epoch)
                return
            yield batch

    def rewind(self) -> None:
        """Begin anew where that is possible."""
        self._current = None

    def _next(self, epoch: int, fresh: bool) -> Batch | None:
        """The next batch; None where there is none left and this is not the beginning of an epoch."""
        if self._current is None:
            self._begin(epoch)
        batch = self._take()
        if batch is None and fresh and self.restarts:
            self._begin(epoch)
            batch = self._take()
        return batch

    def _begin(self, epoch: int, first: int = 0) -> None:
        self._current = self.batches(epoch, first)
        self._begun, self._taken = epoch, first

    def _take(self) -> Batch | None:
        batch = None if self._current is None else next(self._current, None)
        self._taken += 1
        if batch is None:
            self._current = None
        return batch

    def get_state(self) -> dict[str, Any]:
        """How far the source has come, as plain numbers."""
        return {"begun": self._begun, "taken": self._taken, "open": self._current is not None}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from where the source was."""
        self._current = None
        if state["open"]:
            self._begin(state["begun"], state["taken"])

    def _report_end(self, done: int, count: int, epoch: int) -> None:
        message = f"the data ended after {done} of {count} batches in epoch {epoch + 1}"
        if not self.restarts:
            raise DataError(f"{message}: the generator is exhausted; make it endless, or lower steps_per_epoch")
        warnings.warn(f"{message}; lower steps_per_epoch")


class ArrayBatches(Source):
    """Batches of arrays, in a new order in every epoch where a seed is given."""

    def __init__(self, parts: Batch, count: int, batch_size: int, seed: int | None, casts: list[Any]) -> None:
        super().__init__()
        self._leaves, self._structure = flatten(parts)
        self._casts = casts
        self._count = count
        self._batch_size = batch_size
        self._seed = seed
        self.size = self.count
        self._arrays: list[np.ndarray | None] | None = None

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        order = None if self._seed is None else self.order(epoch)
        for start in range(first * self._batch_size, self._count, self._batch_size):
            stop = min(start + self._batch_size, self._count)
            yield self._batch(slice(start, stop) if order is None else order[start:stop])

    def order(self, epoch: int) -> np.ndarray:
        """The numbers of the samples in the order of an epoch."""
        if self._seed is None:
            return np.arange(self._count)
        return np.random.default_rng((self._seed, epoch)).permutation(self._count)

    def taken(self, order: np.ndarray, step: int) -> Batch:
        """The batch of a step in an epoch with that order."""
        return self._batch(order[step * self._batch_size : (step + 1) * self._batch_size])

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), "seed": self._seed}

    def set_state(self, state: dict[str, Any]) -> None:
        self._seed = state["seed"]
        super().set_state(state)

    @property
    def shuffles(self) -> bool:
        """Whether every epoch has an order of its own."""
        return self._seed is not None

    @property
    def leaves(self) -> list[Any]:
        """The arrays with all samples, as they were given."""
        return list(self._leaves)

    @property
    def batch_size(self) -> int:
        """Samples of every batch but the last."""
        return self._batch_size

    @property
    def count(self) -> int:
        """Batches per epoch."""
        return math.ceil(self._count / self._batch_size)

    def arrays(self) -> list[np.ndarray] | None:
        """The arrays with all samples as batches have them; None where these must be made batch by batch."""
        if self._arrays is None:
            self._arrays = [_whole(a, cast) for a, cast in zip(self._leaves, self._casts)]
        return None if any(a is None for a in self._arrays) else self._arrays  # type: ignore[return-value]

    def _batch(self, index: Any) -> Batch:
        taken = [cast(take(array, index)) for array, cast in zip(self._leaves, self._casts)]
        return unflatten(self._structure, taken)

    def first(self) -> Batch:
        return self._batch(slice(0, self._batch_size))


def _whole(array: Any, cast: Callable[[Any], Any]) -> np.ndarray | None:
    """An array of all samples, converted if it is small; None if it cannot be read row by row as it lies in memory."""
    if not isinstance(array, np.ndarray):
        return None
    dtype = cast(array[:0]).dtype
    if dtype != array.dtype and array.size * dtype.itemsize <= MOST_CONVERTED:
        array = cast(array)
    fits = array.dtype == dtype and array.flags.c_contiguous and dtype.itemsize in (1, 2, 4, 8)
    return array if fits else None


Prepare = Callable[[Any, int], Batch]


class StreamBatches(Source):
    """Batches of a generator, an iterator or anything that can be iterated anew in every epoch."""

    def __init__(self, stream: Any, prepare: Prepare) -> None:
        super().__init__()
        self.restarts = not hasattr(stream, "__next__")
        self.size = len(stream) if self.restarts and hasattr(stream, "__len__") else None
        self._stream = stream
        self._prepare = prepare
        self._iterator: Iterator[Any] = iter(stream)
        self._peeked: list[Any] = []
        self._drawn = 0

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        if self.restarts and not self._peeked:
            self._iterator = iter(self._stream)
        # An iterator that cannot begin anew stands where `set_state` has brought it.
        number = 0 if self.restarts else first
        with watch() as waiting:
            while True:
                with waiting():
                    item = self._take_item(number, epoch)
                if item is None:
                    return
                if number >= first:
                    yield self._prepare(item[0], number)
                number += 1

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), "drawn": self._drawn}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from where the source was: the items of an iterator that it had given are drawn and dropped."""
        if not self.restarts:
            while self._drawn < state["drawn"]:
                if self._take_item(self._drawn, 0) is None:
                    raise DataError(
                        f"the generator ends after {self._drawn} batches; {state['drawn']} were taken before"
                    )
        super().set_state(state)

    def _take_item(self, number: int, epoch: int) -> list[Any] | None:
        item = [self._peeked.pop()] if self._peeked else self._draw(number, epoch)
        self._drawn += item is not None
        return item

    def _draw(self, number: int, epoch: int) -> list[Any] | None:
        try:
            return [next(self._iterator)]
        except StopIteration:
            return None
        except Exception as error:
            error.add_note(f"raised by the generator for batch {number} of epoch {epoch + 1}")
            raise

    def first(self) -> Batch:
        if not self._peeked:
            item = self._draw(0, 0)
            if item is None:
                raise DataError("the generator yields no batch")
            self._peeked += item
        return self._prepare(self._peeked[0], 0)


class DatasetBatches(Source):
    """Batches of a PyDataset, asked for by number; the order is new in every epoch where a seed is given."""

    def __init__(self, dataset: PyDataset, prepare: Prepare, seed: int | None) -> None:
        super().__init__()
        self.size = dataset.num_batches
        self._dataset = dataset
        self._prepare = prepare
        self._seed = seed
        if self.size is not None and self.size < 1:
            raise DataError(f"{type(dataset).__name__} has {self.size} batches; __len__ must return at least 1")

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), "seed": self._seed}

    def set_state(self, state: dict[str, Any]) -> None:
        self._seed = state["seed"]
        super().set_state(state)

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        self._dataset.on_epoch_begin()
        with watch() as waiting:
            items = self._items(itertools.islice(self._order(epoch), first, None))
            number = first
            while True:
                with waiting():
                    item = next(items, None)
                if item is None:
                    break
                yield self._prepare(item[0], number)
                number += 1
        self._dataset.on_epoch_end()

    def _order(self, epoch: int) -> Iterator[int]:
        if self.size is None:
            return iter(range(2**62))
        if self._seed is None:
            return iter(range(self.size))
        return map(int, np.random.default_rng((self._seed, epoch)).permutation(self.size))

    def _items(self, order: Iterator[int]) -> Iterator[list[Any]]:
        workers = getattr(self._dataset, "workers", 1)
        if workers == 1:
            for index in order:
                yield [self._dataset[index]]
            return
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(workers)
        try:
            ahead = [
                pool.submit(self._dataset.__getitem__, k) for _, k in zip(range(self._dataset.max_queue_size), order)
            ]
            while ahead:
                item = ahead.pop(0).result()
                following = next(order, None)
                if following is not None:
                    ahead.append(pool.submit(self._dataset.__getitem__, following))
                yield [item]
        finally:
            # Whoever breaks off does not wait for batches that nobody will take.
            pool.shutdown(wait=False, cancel_futures=True)

    def first(self) -> Batch:
        return self._prepare(self._dataset[0], 0)


@contextmanager
def watch() -> Iterator[Callable[[], Any]]:
    """Inside, `with waiting():` around each wait; one that takes too long is reported once, while it lasts."""
    since: list[float | None] = [None]
    over = threading.Event()

    def look() -> None:
        while not over.wait(STALL_SECONDS / 10):
            began = since[0]
            if began is not None and time.monotonic() - began > STALL_SECONDS:
                warnings.warn(f"the data source has not given the next batch for {STALL_SECONDS:g} seconds")
                return

    @contextmanager
    def waiting() -> Iterator[None]:
        since[0] = time.monotonic()
        try:
            yield
        finally:
            since[0] = None

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield waiting
    finally:
        over.set()


def is_stream(x: Any) -> bool:
    """Whether data gives batches itself instead of being cut into them."""
    if isinstance(x, PyDataset) or hasattr(x, "__next__"):
        return True
    return hasattr(x, "__iter__") and not hasattr(x, "shape") and not isinstance(x, (list, tuple, dict, str, bytes))


def refuse_beside_stream(x: Any, y: Any, sample_weight: Any) -> None:
    """ArgumentTypeError for targets or weights beside data that gives them itself."""
    kind = type(x).__name__
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ArgumentTypeError(f"x is a {kind}, which gives (x, y, sample_weight) itself; leave out {name}")


def pack(x: Any, y: Any = None, sample_weight: Any = None) -> Batch:
    """Data as `train_step` gets them: x alone as it is, `(x,)` where x is a list, or a longer tuple.

    >>> pack(1, 2)
    (1, 2)
    """
    if sample_weight is not None:
        return (x, y, sample_weight)
    if y is not None:
        return (x, y)
    return (x,) if isinstance(x, (tuple, list)) else x


class Preparer:
    """Makes what a generator yields a batch: checked against the first one, converted, weighted."""

    def __init__(
        self, needs_y: bool, casts: Callable[[Any], Any], class_weight: Any, check: Callable[[Any], None]
    ) -> None:
        self._needs_y = needs_y
        self._casts = casts
        self._class_weight = class_weight
        self._check = check
        self._shapes: list[tuple[int, ...]] | None = None

    def __call__(self, item: Any, number: int) -> Batch:
        where = f"batch {number}"
        x, y, weight = self._parts(item, where)
        parts = {"x": arrays_of(x, f"{where}: x"), "y": arrays_of(y, f"{where}: y")}
        weights = arrays_of(weight, f"{where}: sample_weight")
        try:
            check_lengths({**parts, "sample_weight": weights})
            self._check(parts["y"])
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
        self._compare(parts, where)
        if self._class_weight is not None:
            weights = class_weights(parts["y"], self._class_weight, weights)
        alone = isinstance(item, tuple) and parts["y"] is None and weights is None
        return self._casts((parts["x"],) if alone else pack(parts["x"], parts["y"], weights))

    def _parts(self, item: Any, where: str) -> tuple[Any, Any, Any]:
        if not self._needs_y and not isinstance(item, tuple):
            return item, None, None
        if not isinstance(item, (tuple, list)) or not 1 <= len(item) <= 3:
            got = f"a tuple of {len(item)}" if isinstance(item, (tuple, list)) else f"{type(item).__name__} without y"
            raise DataError(f"{where}: the data source must yield (x, y) or (x, y, sample_weight), got {got}")
        if self._needs_y and (len(item) < 2 or item[1] is None):
            raise DataError(f"{where}: the data source yields x only; the loss needs (x, y)")
        return unpack(tuple(item))

    def _compare(self, parts: dict[str, Any], where: str) -> None:
        """Every batch has as many arrays, with as many axes, as the first one."""
        shapes = [array.shape for array in flatten((parts["x"], parts["y"]))[0]]
        if self._shapes is None:
            self._shapes = shapes
        same = len(shapes) == len(self._shapes) and all(len(a) == len(b) for a, b in zip(shapes, self._shapes))
        if not same:
            raise DataError(f"{where} has arrays of shapes {short(shapes)}, the first batch had {short(self._shapes)}")


def require_steps(x: Any, steps: Any, name: str) -> None:
    """InvalidArgument for an iterator, which does not tell how long an epoch is, without steps."""
    if hasattr(x, "__next__") and steps is None:
        raise InvalidArgument(f"a generator does not tell how long an epoch is; pass {name}=<number of batches>")
