"""What `compile` sets on a model: optimizer, losses, metrics, and how steps are run."""

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from .. import optimizers
from ..engine.signatures import suggests
from ..engine.tensor import Tensor
from ..engine.tree import Memo, Structure
from ..engine.variable import Variable
from ..metrics.metric import Metric
from ..metrics.reduction import Mean
from ..saving.registry import PACKAGE, deserialize_keras_object, serialize_keras_object
from .arguments import check_count
from .compiled import CompileLoss, CompileMetrics, check_losses, check_metrics
from .freezing import Flags
from .target_checks import Checked, check_last_layer

Logs = dict[str, Any]


class Compilation:
    """What `compile` sets, and the programs made from it."""

    def __init__(self) -> None:
        self.done = False
        self.optimizer: Any = None
        self.loss: Any = None
        self.compile_loss: CompileLoss | None = None
        self.compile_metrics: CompileMetrics | None = None
        self.loss_tracker: Mean | None = None
        self.run_eagerly = False
        self.steps_per_execution = 1
        self.jit_compile: Any = "auto"
        self.arguments: dict[str, Any] = {}
        self.programs: dict[str, Callable[..., Any]] = {}
        self.rebuilt_before = 0
        self.tracked: list[Metric] = []
        self.flags: Flags | None = None
        self.checked: list[Checked | None] | None = None
        self.last_layers_checked = False
        # The structure of a batch, by the form of what it was made from; only where the checks of form were passed.
        self.forms: dict[Any, Structure] = Memo(256)
        # While `fit` runs: how far it has come.
        self.progress: Any = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Compilation":
        twin = Compilation()
        memo[id(self)] = twin
        # Programs read and write the variables that they were made for.
        held = {**self.__dict__, "programs": {}, "progress": None}
        twin.__dict__.update((name, deepcopy(value, memo)) for name, value in held.items())
        return twin


class Compiled:
    """The part of the trainer that knows what `compile` was given."""

    _compilation: Compilation
    stop_training = False

    if TYPE_CHECKING:
        # What the Layer beside it in Model brings.
        losses: list[Tensor]
        trainable_variables: list[Variable]

        def _flatten_layers(self) -> list[Any]: ...
        def _parts(self, *kinds: type) -> list[Any]: ...

    # --- compile

    @suggests
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose how to train.

        optimizer:           name, Optimizer, or None for models that are not trained
        loss, metrics:       name, object or function; for several outputs a list in their order or a dict by name
        loss_weights:        numbers, in a list or a dict; the total loss is the weighted sum
        weighted_metrics:    metrics that take sample_weight into account
        run_eagerly:         run each step as Python code instead of a traced program, to debug it
        steps_per_execution: batches between two calls of the callbacks
        jit_compile, auto_scale_loss: taken for Keras' sake; a step is always compiled unless it runs eagerly

        Raises UnknownName, InvalidArgument or ArgumentTypeError for what cannot be meant; the model stays as it was.

        >>> import autograd_nn as ag
        >>> model = ag.Sequential([ag.layers.Dense(1, input_shape=(4,))])
        >>> model.compile(optimizer="sgd", loss="mse")
        """
        names = self._known_output_names()
        state = Compilation()
        state.optimizer = optimizers.get(optimizer)
        check_losses(loss, loss_weights, names)
        check_metrics(metrics, "metrics")
        check_metrics(weighted_metrics, "weighted_metrics")
        check_count("steps_per_execution", steps_per_execution)
        state.last_layers_checked = self._check_last_layers(loss, names)
        state.loss = loss
        if loss is not None:
            state.compile_loss = CompileLoss(loss, loss_weights, names)
        if metrics is not None or weighted_metrics is not None:
            state.compile_metrics = CompileMetrics(metrics, weighted_metrics, names)
        state.loss_tracker = Mean(name="loss")
        state.run_eagerly = bool(run_eagerly)
        state.steps_per_execution = steps_per_execution
        state.jit_compile = jit_compile
        state.arguments = {
            "optimizer": state.optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip
        state.done = True
        state.flags = Flags(self) if getattr(self, "built", False) else None
        self._set_compilation(state)
        self.stop_training = False

    def _known_output_names(self) -> list[str] | None:
        """Names of outputs where the model has them: functional models, built ones."""
        names = getattr(self, "output_names", None)
        return list(names) if names else None

    def _check_last_layers(self, loss: Any, names: list[str] | None) -> bool:
        """Check the activation of each output against its loss; False where the layers are not known yet."""
        layers = list(self._output_layers())
        if loss is None or not layers:
            return False
        if isinstance(loss, dict):
            losses = [loss.get(name) for name in names or ()]
        else:
            losses = list(loss) if isinstance(loss, (list, tuple)) else [loss] * len(layers)
        for one, layer in zip(losses, layers):
            check_last_layer(one, layer)
        return True

    def _output_layers(self) -> list[Any]:
        return []

    def _overrides(self, step: str) -> bool:
        """Whether a step is the user's own."""
        return step in self.__dict__ or not getattr(type(self), step).__module__.startswith(f"{PACKAGE}.")

    def _set_compilation(self, state: Compilation) -> None:
        # Layers track what is assigned to them; this must stay out of their weights.
        object.__setattr__(self, "_compilation", state)

    @property
    def _compiled(self) -> Compilation:
        state = self.__dict__.get("_compilation")
        if state is None:
            state = Compilation()
            self._set_compilation(state)
        return state

    def _flags_to_train_with(self) -> Flags:
        """Which weights were trainable at `compile`, or when the model was built; warns of changes since."""
        state = self._compiled
        if state.flags is None:
            state.flags = Flags(self)
        state.flags.warn_of_changes()
        return state.flags

    def _trained_variables(self) -> list[Any]:
        """The weights that training changes."""
        with self._flags_to_train_with().applied():
            return self.trainable_variables

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled.done

    @property
    def optimizer(self) -> Any:
        return self._compiled.optimizer

    @optimizer.setter
    def optimizer(self, optimizer: Any) -> None:
        self._compiled.optimizer = optimizers.get(optimizer)
        self._compiled.programs.clear()

    @property
    def loss(self) -> Any:
        """The loss as given to `compile`."""
        return self._compiled.loss

    @property
    def run_eagerly(self) -> bool:
        return self._compiled.run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._compiled.run_eagerly = bool(value)
        self._compiled.programs.clear()

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile` as a config; empty before."""
        return {key: serialize_keras_object(value) for key, value in self._compiled.arguments.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """`compile` with the arguments of a config."""
        self.compile(**{key: deserialize_keras_object(value) for key, value in config.items()})
        if getattr(self, "built", False) and self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    # --- metrics

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss, the metrics of `compile`, the losses of single outputs, and the metrics of layers."""
        state = self._compiled
        found: list[Metric] = [m for m in (state.loss_tracker, state.compile_metrics) if m is not None]
        if state.compile_loss is not None:
            found += state.compile_loss.metrics
        return found + self._own_metrics()

    def _own_metrics(self) -> list[Metric]:
        """Metrics that the model and its layers hold as attributes; those of models inside are left to these."""
        layers = [layer for layer in self._flatten_layers() if layer is self or not isinstance(layer, Compiled)]
        found = [metric for layer in layers for metric in layer._parts(Metric)]
        return list({id(metric): metric for metric in found}.values())

    @property
    def metrics_names(self) -> list[str]:
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Forget what the metrics have gathered."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> Logs:
        """The results of all metrics by name."""
        results: Logs = {}
        for metric in self.metrics:
            result = metric.result()
            if isinstance(result, dict):
                results.update(result)
            else:
                results[metric.name] = result
        return results

    def log_directions(self) -> dict[str, str]:
        """Whether a larger ("up") or a smaller ("down") result is better, by name, where that is known."""
        state = self._compiled
        named = state.compile_metrics.named() if state.compile_metrics else {}
        found = {name: metric._direction for name, metric in named.items() if metric._direction}
        trackers = state.compile_loss.metrics if state.compile_loss else []
        return {"loss": "down", **{tracker.name: "down" for tracker in trackers}, **found}
