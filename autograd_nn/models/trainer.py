"""Training, evaluation and prediction: the part of a model that Keras calls the trainer."""

import inspect
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import ops
from ..callbacks.callback import plain_logs
from ..callbacks.callback_list import CallbackList
from ..callbacks.simple import TerminateOnNaN
from ..config import is_interactive_logging_enabled
from ..engine.convert import as_tensor
from ..engine.signatures import suggests
from ..engine.tensor import Tensor, recording
from ..engine.tree import LEAF, flatten, tree_map, unflatten
from ..errors import (
    DataError,
    NotCompiledError,
)
from ..layers.context import Rebuilt
from ..transforms import gradients, no_grad
from .arguments import check_count, check_fit_arguments, check_verbose
from .compilation import Compiled, Logs
from .compiled import CompileMetrics
from .data import Batch, Source, unpack
from .diverged import report_divergence
from .feeding import BATCH_SIZE, Feeder, split_validation
from .freezing import Flags
from .hurry import StepProgram, hurried, results_of
from .interrupts import Interrupts
from .monitors import check_monitors
from .progress import Progress


class _Plan(NamedTuple):
    """What `fit` trains and validates on."""

    source: Source
    steps: int | None
    validation: Source | None
    validation_steps: int | None
    frequency: Any

    def validates(self, epoch: int) -> bool:
        """Whether an epoch, counted from 0, ends with a validation."""
        if self.validation is None:
            return False
        if isinstance(self.frequency, (int, np.integer)):
            return (epoch + 1) % self.frequency == 0
        return epoch + 1 in self.frequency


class Trainer(Compiled):
    """Mixin of models: `compile`, `fit`, `evaluate`, `predict`, and the steps that may be overridden.

    `train_step(data)`, `test_step(data)` and `predict_step(data)` get one batch as `x`, `(x,)` if x is a list,
    `(x, y)` or `(x, y, sample_weight)`. Each is traced once and runs as one program, unless `run_eagerly=True`.
    """

    stop_evaluating = False
    stop_predicting = False
    history: Any = None

    # --- one step: what may be overridden

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The total loss of a batch: the weighted sum of the losses of the outputs, and `self.losses`."""
        loss = self._compiled.compile_loss
        total = None if loss is None else loss(y, y_pred, sample_weight)
        for extra in self.losses:
            extra = ops.sum(extra)
            total = extra if total is None else total + extra
        if total is None:
            raise NotCompiledError("no loss to compute: pass loss= to compile(), or call add_loss in a layer")
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Logs:
        """Take a batch into the metrics; the results of the epoch so far."""
        if self._compiled.compile_metrics is not None:
            self._compiled.compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Tensor:
        """`compute_loss`, whose overrides may do without `training`."""
        if "training" in inspect.signature(self.compute_loss).parameters:
            return self.compute_loss(x, y, y_pred, sample_weight, training=training)
        return self.compute_loss(x, y, y_pred, sample_weight)

    def train_step(self, data: Any) -> Logs:
        """One update of the weights from one batch; the results of the epoch so far."""
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=True)  # type: ignore[operator]
        loss = self._compute_loss(x, y, y_pred, sample_weight, training=True)
        self._track_loss(loss, x)
        optimizer = self.optimizer
        variables = self.trainable_variables
        if optimizer is None:
            raise NotCompiledError("compile(optimizer=None) leaves the weights alone; pass an optimizer to train")
        if variables:
            grads = gradients(optimizer.scale_loss(loss), variables)
            with no_grad():
                optimizer.apply(grads, variables)
        else:
            warnings.warn("the model has no trainable weights; fit only computes its loss")
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> Logs:
        """The loss and metrics of one batch; the results so far."""
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=False)  # type: ignore[operator]
        self._track_loss(self._compute_loss(x, y, y_pred, sample_weight, training=False), x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for one batch."""
        return self(unpack(data)[0], training=False)  # type: ignore[operator]

    def _track_loss(self, loss: Any, x: Any) -> None:
        tracker = self._compiled.loss_tracker
        if tracker is not None:
            tracker.update_state(loss, sample_weight=ops.shape(flatten(x)[0][0])[0])

    def zero_grad(self) -> None:
        """Forget the gradients that `backward` left at the weights."""
        for variable in self.trainable_variables:
            variable.grad = None

    # --- programs

    def make_train_function(self, force: bool = False) -> Callable[..., Any]:
        """The program of `train_step`; made once, and anew with `force`."""
        return self._program("train", self.train_step, force, grad=True)

    def make_test_function(self, force: bool = False) -> Callable[..., Any]:
        """The program of `test_step`."""
        return self._program("test", self.test_step, force)

    def make_predict_function(self, force: bool = False) -> Callable[..., Any]:
        """The program of `predict_step`."""
        return self._program("predict", self.predict_step, force)

    def _program(self, name: str, step: Callable[..., Any], force: bool, grad: bool = False) -> Callable[..., Any]:
        state = self._compiled
        flags = self._flags_to_train_with()
        if force or state.rebuilt_before != Rebuilt.times:
            state.programs.clear()
            state.rebuilt_before = Rebuilt.times
        if name not in state.programs:
            state.tracked = self.metrics
            state.programs[name] = _make_program(step, grad, state.run_eagerly, flags)
        return state.programs[name]

    # --- fit

    @suggests
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train for `epochs` epochs; returns a History.

        x, y:             arrays with samples along the first axis (lists or dicts of them for several inputs, outputs);
                          or x alone: a generator of (x, y) or (x, y, sample_weight), an iterable, or a PyDataset
        batch_size:       samples per step, 32 if None; the last batch may be smaller
        verbose:          0 silent, 1 or "auto" a progress bar (plain lines without a terminal), 2 a line per epoch
        validation_split: the share of the samples, taken from the end, that is validated on and not trained on
        validation_data:  (x, y), (x, y, sample_weight), a generator or a PyDataset
        shuffle:          a new order of the samples in every epoch, the same for the same `utils.set_random_seed`
        class_weight:     a dict from class ids to weights
        sample_weight:    weights >= 0, shape (samples,); for several outputs a list or a dict by name
        steps_per_epoch:  batches per epoch; needed for generators
        validation_freq:  validate every so many epochs, or after the epochs in a list, counted from 1

        Raises NotCompiledError before `compile`, and for data that cannot be meant DataError, ShapeError, DTypeError,
        InvalidArgument or ArgumentTypeError before the first epoch; TrainingDiverged when the loss is not finite.

        >>> import numpy as np
        >>> import autograd_nn as ag
        >>> ag.utils.set_random_seed(0)
        >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
        >>> model = ag.Sequential([ag.layers.Dense(1, input_shape=(1,))])
        >>> model.compile(optimizer=ag.optimizers.SGD(learning_rate=0.5), loss="mse")
        >>> history = model.fit(x, 3 * x, epochs=20, verbose=0)
        >>> history.history["loss"][-1] < 1e-3
        True
        """
        self._require_compiled("fit")
        check_fit_arguments(locals())
        feeder = Feeder(self)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_validation(x, y, sample_weight, validation_split)
        source = feeder.training(x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch)
        validation = feeder.validation(validation_data, validation_batch_size or batch_size, validation_steps)
        calls = self._callback_list(callbacks, verbose, epochs, steps_per_epoch or source.size, history=True)
        check_monitors(self, calls, validated=validation is not None)
        plan = _Plan(source, steps_per_epoch, validation, validation_steps, validation_freq)
        self._compiled.progress = Progress(self, source, validation, steps_per_epoch, calls.callbacks, initial_epoch)
        try:
            with calls, Interrupts() as interrupts:
                return self._train(plan, range(initial_epoch, epochs), calls, interrupts)
        finally:
            self._compiled.progress = None

    def _train(self, plan: "_Plan", wanted: range, calls: CallbackList, interrupts: Interrupts) -> Any:
        """The epochs of `fit`, with everything checked and ready."""
        self.make_train_function()
        self.stop_training = False
        progress = self.training_progress
        calls.on_train_begin()
        epochs = progress.epochs(wanted)
        for epoch in epochs:
            self.reset_metrics()
            calls.on_epoch_begin(epoch)
            logs = self._train_epoch(plan, calls, epoch, interrupts)
            if plan.validates(epoch):
                results = self._test(plan.validation, plan.validation_steps, calls)  # type: ignore[arg-type]
                logs = {**logs, **{f"val_{name}": value for name, value in results.items()}}
            progress.reach(epoch + 1, 0, logs)
            calls.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        if self.optimizer is not None and (len(epochs) or progress.resumes()):
            self.optimizer.finalize_variable_values(self._trained_variables())
        calls.on_train_end(progress.logs)
        return self.history

    def _train_epoch(self, plan: "_Plan", calls: CallbackList, epoch: int, interrupts: Interrupts) -> Logs:
        """All batches of an epoch; the results after the last one."""
        train = self.make_train_function()
        progress = self.training_progress
        first, logs = progress.begin_epoch()
        if first and self.stop_training:
            return self._final(logs)
        step = self._checked_step(train, calls, epoch)
        stride = self._compiled.steps_per_execution
        alone = stride == 1 and not plan.steps
        groups = hurried(train, plan.source, calls.callbacks, epoch, step, first) if alone else None
        groups = groups or _one_by_one(plan.source.steps(epoch, plan.steps, first), stride, step, first)
        for begin, last, run in groups:
            calls.on_train_batch_begin(begin)
            interrupts.hold()
            logs = run()
            progress.reach(epoch, last + 1, logs)
            calls.on_train_batch_end(last, logs)
            interrupts.release(calls.on_interrupt)
            # The first step may have to be compiled, and what runs as Python code may take as long as it likes.
            interrupts.patient = not self.run_eagerly
            if self.stop_training:
                break
        return self._final(logs)

    def _checked_step(self, train: Callable[..., Any], calls: CallbackList, epoch: int) -> Callable[[Batch, int], Logs]:
        """One step, which raises TrainingDiverged unless a callback looks at the loss."""
        calm = any(isinstance(callback, TerminateOnNaN) for callback in calls.callbacks)
        weights = self._trained_variables()

        def step(data: Batch, number: int) -> Logs:
            before = [variable.value for variable in weights]
            found = results_of(train(data), "train_step")
            loss = found.get("loss")
            if isinstance(loss, float) and not math.isfinite(loss) and not calm:
                report_divergence(self, loss, data, before, epoch, number)
            return found

        return step

    def _final(self, logs: Logs) -> Logs:
        """The results of the metrics, where the logs of the last step are these."""
        results = plain_logs(self.get_metrics_result()) if logs else logs
        if set(results) != set(logs):
            return logs
        tracker = self._compiled.loss_tracker
        # A train_step written by the user may return its loss without taking it into the tracker.
        untold = tracker is not None and "loss" in logs and not float(tracker.count)
        return {**results, "loss": logs["loss"]} if untold else results

    # --- evaluate and predict

    @suggests
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss, and the metrics if there are any: a number, a list, or with `return_dict` a dict.

        Arguments and errors as in `fit`; `steps` batches are taken, all if None.

        >>> import numpy as np
        >>> import autograd_nn as ag
        >>> model = ag.Sequential([ag.layers.Dense(1, input_shape=(1,), kernel_initializer="zeros")])
        >>> model.compile(loss="mse")
        >>> model.evaluate(np.ones((4, 1)), np.ones((4, 1)), verbose=0)
        1.0
        """
        self._require_compiled("evaluate")
        check_count("batch_size", batch_size)
        check_count("steps", steps)
        check_verbose(verbose)
        source = Feeder(self).testing(x, y, sample_weight, batch_size)
        calls = self._callback_list(callbacks, verbose, 1, steps or source.size)
        with calls:
            logs = self._test(source, steps, calls)
        return logs if return_dict else self._in_order(logs)

    def _test(self, source: Source, steps: int | None, calls: CallbackList) -> Logs:
        test = self.make_test_function()
        self.stop_evaluating = False
        calls.on_test_begin()
        self.reset_metrics()
        logs: Logs = {}
        source.rewind()
        for first, last, group in _strides(source.steps(0, steps), self._compiled.steps_per_execution):
            calls.on_test_batch_begin(first)
            for data in group:
                logs = results_of(test(data), "test_step")
            calls.on_test_batch_end(last, logs)
            if self.stop_evaluating:
                break
        logs = self._final(logs)
        calls.on_test_end(logs)
        return logs

    @suggests
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for all samples, as NumPy arrays in the form of the outputs.

        x: arrays with samples along the first axis, a generator, an iterable or a PyDataset; for one sample `x[None]`

        >>> import numpy as np
        >>> import autograd_nn as ag
        >>> model = ag.Sequential([ag.layers.Dense(2, input_shape=(3,))])
        >>> model.predict(np.ones((5, 3)), verbose=0).shape
        (5, 2)
        """
        check_count("batch_size", batch_size)
        check_count("steps", steps)
        check_verbose(verbose)
        unseen = verbose == 0 and callbacks is None and steps is None
        if unseen and type(x) is np.ndarray and x.ndim and 0 < len(x) <= (batch_size or BATCH_SIZE):
            return self._predicted(x)
        source = Feeder(self).predicting(x, batch_size)
        calls = self._callback_list(callbacks, verbose, 1, steps or source.size)
        with calls:
            return self._predict(source, steps, calls)

    def _predict(self, source: Source, steps: int | None, calls: CallbackList) -> Any:
        predict = self.make_predict_function()
        self.stop_predicting = False
        parts: list[list[Any]] = []
        structure = LEAF
        calls.on_predict_begin()
        for first, last, group in _strides(source.steps(0, steps), self._compiled.steps_per_execution):
            calls.on_predict_batch_begin(first)
            for data in group:
                leaves, structure = flatten(tree_map(_array, predict(data)))
                parts.append(leaves)
            calls.on_predict_batch_end(last, {"outputs": unflatten(structure, parts[-1])})
            if self.stop_predicting:
                break
        calls.on_predict_end()
        if not parts:
            raise DataError("predict: the data source gives no batch")
        return unflatten(structure, [np.concatenate(column) for column in zip(*parts)])

    # --- single batches

    @suggests
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One update of the weights from one batch; the results of this batch as `evaluate` gives them."""
        self._require_compiled("train_on_batch")
        data = Feeder(self).batch(x, y, sample_weight, class_weight)
        return self._on_batch(self.make_train_function(), data, return_dict, "train_step")

    @suggests
    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The results of one batch as `evaluate` gives them."""
        self._require_compiled("test_on_batch")
        data = Feeder(self).batch(x, y, sample_weight)
        return self._on_batch(self.make_test_function(), data, return_dict, "test_step")

    def _on_batch(self, program: Callable[..., Any], data: Batch, return_dict: bool, step: str) -> Any:
        for metric in self._compiled.tracked:
            metric.reset_state()
        logs = results_of(program(data), step)
        return logs if return_dict else self._in_order(logs)

    @suggests
    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        return self._predicted(x)

    # --- inside

    def _predicted(self, x: Any) -> Any:
        data = Feeder(self).batch(x, with_targets=False)
        return tree_map(_array, self.make_predict_function()(data))

    def _require_compiled(self, method: str) -> None:
        if not self._compiled.done:
            raise NotCompiledError(f"{method}: call model.compile(optimizer=..., loss=...) first")

    @property
    def training_progress(self) -> Progress:
        """How far `fit` has come, for callbacks that write it down; NotCompiledError outside of `fit`."""
        progress = self._compiled.progress
        if progress is None:
            raise NotCompiledError("training_progress: there is no training; callbacks use it while fit runs")
        return progress

    def _callback_list(
        self, callbacks: Any, verbose: Any, epochs: int, steps: int | None, history: bool = False
    ) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            return callbacks
        shown = (1 if is_interactive_logging_enabled() else 2) if verbose == "auto" else int(verbose)
        return CallbackList(
            callbacks,
            add_history=history,
            add_progbar=shown != 0,
            model=self,
            verbose=shown,
            epochs=epochs,
            steps=steps,
        )

    def _in_order(self, logs: Logs) -> Any:
        """Results as a list in the order of the metrics; the number itself where there is only one."""
        names: list[str] = []
        for metric in self._compiled.tracked:
            names += [m.name for m in metric.metrics] if isinstance(metric, CompileMetrics) else [metric.name]
        found = [logs[name] for name in dict.fromkeys(names) if name in logs]
        found += [logs[name] for name in sorted(logs) if name not in names]
        return found[0] if len(found) == 1 else found


def _make_program(step: Callable[..., Any], grad: bool, eagerly: bool, flags: Flags) -> Callable[..., Any]:
    def run(data: Any) -> Any:
        with recording(grad), flags.applied():
            return step(data)

    return (lambda data: run(tree_map(as_tensor, data))) if eagerly else StepProgram(run)


def _strides(batches: Iterator[Batch], stride: int, first: int = 0) -> Iterator[tuple[int, int, list[Batch]]]:
    """Batches in groups of `stride`, with the numbers of their first and last."""
    group: list[Batch] = []
    for batch in batches:
        group.append(batch)
        if len(group) == stride:
            yield first, first + stride - 1, group
            first, group = first + stride, []
    if group:
        yield first, first + len(group) - 1, group


def _one_by_one(
    batches: Iterator[Batch], stride: int, step: Callable[[Batch, int], Logs], begin: int
) -> Iterator[tuple[int, int, Callable[[], Logs]]]:
    """Steps in groups of `stride`, from number `begin` on: the numbers of the first and last, and what runs them."""
    for first, last, group in _strides(batches, stride, begin):
        yield first, last, lambda group=group, last=last: [step(data, last) for data in group][-1]  # type: ignore[misc]


def _array(t: Any) -> Any:
    return np.asarray(t.numpy() if isinstance(t, Tensor) else t)
