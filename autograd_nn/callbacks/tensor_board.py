"""TensorBoard: results and weights as files that TensorBoard shows."""

import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import AutogradError, InvalidArgument, short
from . import event_file
from .callback import Callback, Logs, plain
from .event_file import EventFile


class TensorBoard(Callback):
    """Writes what TensorBoard shows: `tensorboard --logdir logs` (a program of its own) draws the curves.

    log_dir:        the folder, with a folder "train" and a folder "validation" for each run
    histogram_freq: every so many epochs the distribution of each weight; 0 for never
    write_graph:    the layers of the model
    write_images:   also the weights as pictures, together with their distributions
    write_steps_per_second: the speed of each epoch, and of each batch if batches are written
    update_freq:    "epoch", "batch", or every so many batches
    profile_batch, embeddings_freq: 0; there is no profiler (see `explain`), and no file that the projector could read

    Names of curves: "epoch_loss" and so on, "epoch_learning_rate", "batch_loss", "evaluation_loss_vs_iterations".
    With update_freq="epoch" training is as fast as without. Raises InvalidArgument for settings that do not exist.

    >>> import autograd_nn as ag
    >>> ag.callbacks.TensorBoard("logs", histogram_freq=1).log_dir
    'logs'
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> "TensorBoard":
        # Only an object with methods for batches sees them one by one.
        freq = args[5] if len(args) > 5 else kwargs.get("update_freq", "epoch")
        return super().__new__(BatchTensorBoard if cls is TensorBoard and freq != "epoch" else cls)

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        if update_freq not in ("epoch", "batch") and not _positive(update_freq):
            raise InvalidArgument(
                f"TensorBoard: update_freq must be 'epoch', 'batch' or an int >= 1, got {short(update_freq)}"
            )
        if histogram_freq and not _positive(histogram_freq):
            raise InvalidArgument(f"TensorBoard: histogram_freq must be an int >= 0, got {short(histogram_freq)}")
        if profile_batch:
            raise InvalidArgument("TensorBoard: profile_batch must be 0, there is no profiler; see the model's explain")
        if embeddings_freq:
            raise InvalidArgument(
                "TensorBoard: embeddings_freq must be 0, the projector reads files of TensorFlow only"
            )
        self.log_dir = str(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq, self.embeddings_metadata = embeddings_freq, embeddings_metadata
        self._train_step = self._test_step = 0
        self._files: dict[str, EventFile] = {}

    def _write(self, part: str, step: int, values: list[bytes]) -> None:
        """One event of the run's "train" or "validation" part."""
        if values:
            self._files.setdefault(part, EventFile(Path(self.log_dir) / part)).write(step, values)

    def set_model(self, model: Any) -> None:
        """Note the model, and write its layers."""
        super().set_model(model)
        if self.write_graph and type(model).__name__ in ("Functional", "Sequential"):
            try:
                config = model.to_json()
            except AutogradError as error:
                warnings.warn(f"TensorBoard: the model has no config to write: {error}", stacklevel=2)
                return
            self._write("train", 0, [event_file.model_config("keras", config)])

    def on_train_begin(self, logs: Logs = None) -> None:
        self._train_step = 0

    def on_train_end(self, logs: Logs = None) -> None:
        for file in self._files.values():
            file.close()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._begin, self._before = time.perf_counter(), self._iterations()

    def _iterations(self) -> int:
        """How many steps the optimizer has made."""
        optimizer = getattr(self.model, "optimizer", None)
        return 0 if optimizer is None else int(optimizer.iterations)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs:
            self._write_epoch(epoch, logs)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write("train", epoch, list(self._weights()))
        for file in self._files.values():
            file.flush()

    def _write_epoch(self, epoch: int, logs: dict[str, Any]) -> None:
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        if getattr(self.model, "optimizer", None) is not None:
            train["learning_rate"] = plain(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            train["steps_per_second"] = (self._iterations() - self._before) / (time.perf_counter() - self._begin)
        tested = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
        for part, results in (("train", train), ("validation", tested)):
            self._write(part, epoch, _scalars("epoch_{}", results))

    def _weights(self) -> Iterator[bytes]:
        """The distribution of each weight, and its picture."""
        for layer in self.model.layers:
            for weight in layer.weights:
                value, name = np.asarray(weight.numpy()), weight.path.replace(":", "_")
                yield event_file.histogram(f"{name}/histogram", value)
                for k, pixels in enumerate(_pictures(value) if self.write_images else ()):
                    yield event_file.image(f"{name}/image/{k}", pixels)

    def on_test_end(self, logs: Logs = None) -> None:
        if getattr(self.model, "optimizer", None) is not None:
            self._write("validation", self._iterations(), _scalars("evaluation_{}_vs_iterations", logs or {}))
            self._files.get("validation", EventFile(self.log_dir)).flush()


class BatchTensorBoard(TensorBoard):
    """A TensorBoard that also writes the results of batches."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._train_step += 1
        self._batch_begin = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._train_step % self.update_freq:
            return
        results = dict(logs or {})
        if self.write_steps_per_second:
            results["steps_per_second"] = 1 / (time.perf_counter() - self._batch_begin)
        self._write("train", self._train_step, _scalars("batch_{}", results))


def _positive(value: Any) -> bool:
    return not isinstance(value, bool) and hasattr(value, "__index__") and value >= 1


def _scalars(name: str, results: dict[str, Any]) -> list[bytes]:
    """The results that are numbers, under such names."""
    numbers = {key: plain(value) for key, value in results.items()}
    return [event_file.scalar(name.format(key), value) for key, value in numbers.items() if isinstance(value, float)]


def _pictures(weight: Any) -> Iterator[Any]:
    """The pictures that Keras makes of a weight: a bias as a column, a matrix lying down, kernels one by one."""
    x = np.squeeze(weight)
    if x.ndim == 1:
        yield x.reshape(-1, 1, 1)
    elif x.ndim == 2:
        yield (x.T if x.shape[0] > x.shape[1] else x)[..., None]
    elif x.ndim == 3:
        yield from np.moveaxis(x, -1, 0)[..., None]
    elif x.ndim == 4 and x.shape[-1] in (1, 3, 4):
        yield from x
