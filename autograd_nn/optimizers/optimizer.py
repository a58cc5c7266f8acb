"""The base of optimizers: a pure rule from gradients to new weights, under Keras' face."""

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..engine.convert import as_tensor
from ..engine.signatures import Checked
from ..engine.spec import default_float
from ..engine.tensor import Tensor, leaf
from ..engine.variable import Variable, snapshot
from ..errors import ArgumentTypeError, InvalidArgument, NotBuiltError, ShapeError, check_number
from ..layers.naming import snake_case
from ..saving.registry import deserialize_keras_object, serialize_keras_object
from .checks import check_steps, refuse_unknown
from .clipping import clip_by_global_norm, clip_by_norm
from .schedules.schedule import LearningRateSchedule

Slots = dict[str, Tensor]
_OPTIONS = (
    "learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
    "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps", "name",
)  # fmt: skip


class Optimizer(metaclass=Checked):
    """Base of optimizers.

    learning_rate:   a number > 0, a LearningRateSchedule, or a function without arguments
    weight_decay:    before each update a weight loses `weight * weight_decay * learning_rate`
    clipnorm:        the gradient of each weight is scaled down to at most this norm
    clipvalue:       each element of a gradient is limited to -clipvalue..clipvalue
    global_clipnorm: all gradients together are scaled down to at most this norm; only one of the three may be given
    use_ema:         keep moving averages of the weights with `ema_momentum`; they replace the weights every
                     `ema_overwrite_frequency` steps, and at the end of `fit`
    loss_scale_factor: the loss is multiplied, the gradients are divided by it
    gradient_accumulation_steps: an update happens every so many steps, with the mean of their gradients

    A subclass names its state per weight in `slots` (zeros at first, unless it defines `initial_slots(weight)`) and
    defines the pure rule `update_weight(weight, gradient, slots, learning_rate, step)`, which returns the new weight
    and the new slots; or it defines `update_step(gradient, variable, learning_rate)` and assigns, as in Keras.

    Raises InvalidArgument for values that cannot be meant, ArgumentTypeError for unknown arguments.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0, 2.0])
    >>> ag.optimizers.SGD(learning_rate=0.5).apply([ag.tensor([1.0, 1.0])], [w])
    >>> w.tolist()
    [0.5, 1.5]
    """

    slots: tuple[str, ...] = ()

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **unknown: Any,
    ) -> None:
        what = type(self).__name__
        refuse_unknown(what, unknown, (*_OPTIONS, *self.get_own_config_names()))
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = [f"{key}={value}" for key, value in clips.items() if value is not None]
        if len(given) > 1:
            raise InvalidArgument(f"{what}: only one of clipnorm, clipvalue, global_clipnorm may be given, got {given}")
        for key, value in {**clips, "loss_scale_factor": loss_scale_factor}.items():
            if value is not None:
                check_number(what, key, value, above=0)
        if weight_decay is not None:
            check_number(what, "weight_decay", weight_decay, low=0)
        check_number(what, "ema_momentum", ema_momentum, low=0, high=1)
        check_steps(what, "ema_overwrite_frequency", ema_overwrite_frequency, 1)
        check_steps(what, "gradient_accumulation_steps", gradient_accumulation_steps, 2)
        self.name = name or snake_case(what)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._excluded: tuple[Variable, ...] = ()
        self._excluded_names: tuple[str, ...] = ()
        self._trainable_variables: list[Variable] = []
        self._places: dict[Variable, int] = {}
        self._state: list[dict[str, Variable]] = []
        self._variables: list[Variable] = []
        self._averages: list[Variable] = []
        self.averages_are_in = False
        self._gathered: list[Variable] = []
        self._update_now: Tensor | None = None
        self._iterations = self._track(Variable(np.zeros((), "int64"), trainable=False, name=f"{self.name}/iteration"))
        self._learning_rate = self._make_learning_rate(learning_rate)

    # --- the pure face

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        """The rule, pure: the new value of one weight and its new slots. `step` counts from 1, as a float."""
        raise NotImplementedError(f"{type(self).__name__} must define update_weight or update_step")

    def initial_slots(self, weight: Tensor) -> Slots:
        """The state of one weight before the first update."""
        return {name: ops.zeros_like(weight) for name in self.slots}

    def init(self, params: Sequence[Any]) -> dict[str, Any]:
        """The state for these parameters before the first update: step 0 and the slots of each.

        >>> import autograd_nn as ag
        >>> ag.optimizers.SGD(momentum=0.9).init([ag.tensor([1.0])])["slots"][0]["momentum"].tolist()
        [0.0]
        """
        slots = [self.initial_slots(p) for p in map(as_tensor, params)]
        return {"step": as_tensor(np.zeros((), "int64")), "slots": slots}

    def update(
        self, params: Sequence[Any], grads: Sequence[Any], state: dict[str, Any]
    ) -> tuple[list[Tensor], dict[str, Any]]:
        """New parameters and new state; nothing is assigned.

        params, grads: tensors of equal shapes; state: from `init` or from the last update

        >>> import autograd_nn as ag
        >>> sgd = ag.optimizers.SGD(learning_rate=0.5)
        >>> w = [ag.tensor([1.0])]
        >>> w, state = sgd.update(w, [ag.tensor([1.0])], sgd.init(w))
        >>> w[0].tolist()
        [0.5]
        """
        weights, slopes = list(map(as_tensor, params)), list(map(as_tensor, grads))
        if len(weights) != len(slopes):
            raise ArgumentTypeError(
                f"{self.name}: {len(weights)} params but {len(slopes)} grads; give one per parameter"
            )
        step = state["step"]
        rate = self.rate_at(step)
        results = [
            self.update_weight(self.decayed(w, rate), g, slots, ops.cast(rate, w.dtype), ops.cast(step + 1, w.dtype))
            for w, g, slots in zip(weights, self.clip(slopes), state["slots"])
        ]
        return [w for w, _ in results], {"step": step + 1, "slots": [slots for _, slots in results]}

    def clip(self, grads: list[Tensor]) -> list[Tensor]:
        """Gradients limited as the arguments say."""
        if self.clipnorm is not None:
            return [clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm is not None:
            return clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue is not None:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    def decayed(self, weight: Tensor, learning_rate: Any) -> Tensor:
        """A weight after `weight_decay`."""
        if self.weight_decay is None:
            return weight
        return weight - weight * self.weight_decay * ops.cast(learning_rate, weight.dtype)

    def rate_at(self, step: Any) -> Tensor:
        """The learning rate after `step` updates."""
        if isinstance(self._learning_rate, Variable):
            return as_tensor(self._learning_rate)
        if isinstance(self._learning_rate, LearningRateSchedule):
            return as_tensor(self._learning_rate(step))
        return as_tensor(self._learning_rate())

    # --- Keras' face

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the state for these variables; a second call does nothing."""
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._places = {v: k for k, v in enumerate(self._trainable_variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._gathered = self.add_optimizer_variables(variables, "gradient_accumulator")
        self._state = [self._make_slots(v) for v in self._trainable_variables]
        self.built = True

    def _make_slots(self, variable: Variable) -> dict[str, Variable]:
        prefix = variable.path.replace("/", "_")
        # A leaf with the value of now: the state is made once, also when that happens inside a trace.
        slots = self.initial_slots(leaf(variable.value))
        return {
            name: self.add_variable(value.shape, np.asarray(value), value.dtype, f"{prefix}_{name}")  # type: ignore[arg-type]
            for name, value in slots.items()
        }

    @property
    def variables(self) -> list[Variable]:
        """The whole state: iteration, learning rate, then the slots, weight by weight."""
        return list(self._variables)

    @property
    def iterations(self) -> Any:
        """How many updates there were, as an integer Variable."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations, self.gradient_accumulation_steps)
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The rate now: a Variable that can be set, or what the schedule gives."""
        return self._learning_rate if isinstance(self._learning_rate, Variable) else self.rate_at(self._iterations)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value) and not isinstance(value, Tensor):
            if isinstance(self._learning_rate, Variable):
                self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = value
            return
        if isinstance(self._learning_rate, LearningRateSchedule):
            raise ArgumentTypeError(
                f"{self.name}: the learning rate follows {type(self._learning_rate).__name__} and cannot be set; "
                "create the optimizer with a number to set it"
            )
        number = float(value) if isinstance(value, (Tensor, np.ndarray, np.generic)) else value
        check_number(self.name, "learning_rate", number, low=0)
        if isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(number)
        else:
            self._learning_rate = self._make_learning_rate(number)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """Update from pairs (gradient, variable); returns the iteration."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update the variables in place.

        grads:               one per variable, None where there is none (warns)
        trainable_variables: those of the first call, or None for these

        Raises NotBuiltError without variables before `build`, InvalidArgument for variables that are new or for no
        gradient at all, ShapeError for a gradient of another shape.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._known(grads, trainable_variables)
        kept = [(as_tensor(g), v) for g, v in zip(grads, variables) if g is not None]
        self._report_missing([v for g, v in zip(grads, variables) if g is None], bool(kept))
        for g, v in kept:
            if g.spec.shape != v.spec.shape:
                raise ShapeError(f"{self.name}: the gradient of {v.path!r} has shape {g.shape}, expected {v.shape}")
        scale = self.loss_scale_factor
        slopes = [g if scale is None else g / scale for g, _ in kept]
        changed = [v for _, v in kept]
        self._update(self._gather(slopes, changed), changed)
        for variable in changed:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        self._iterations.assign_add(1)
        self._update_now = None

    def _update(self, grads: list[Tensor], variables: list[Variable]) -> None:
        rate = self.rate_at(self._iterations)
        for variable in variables:
            if self.weight_decay is not None and self._decays(variable):
                self.assign(variable, self.decayed(as_tensor(variable), rate))
        for gradient, variable in zip(self.clip(grads), variables):
            self.update_step(gradient, variable, rate)
        if self.use_ema:
            self._average()

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        """Update one variable and its slots: assigns what `update_weight` gives."""
        state = self._state[self._places[variable]]
        dtype = variable.dtype
        new, slots = self.update_weight(
            as_tensor(variable),
            ops.cast(gradient, dtype),
            {name: as_tensor(slot) for name, slot in state.items()},
            ops.cast(learning_rate, dtype),
            ops.cast(self.iterations + 1, dtype),
        )
        for name, slot in state.items():
            self.assign(slot, slots[name])
        self.assign(variable, new)

    def assign(self, variable: Variable, value: Any) -> None:
        """Give a variable its new value; while gradients are gathered, only in the step that updates."""
        variable.assign(value if self._update_now is None else ops.where(self._update_now, value, variable))

    def assign_add(self, variable: Variable, value: Any) -> None:
        self.assign(variable, variable + value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        self.assign(variable, variable - value)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """At the end of training: with `use_ema` the averages become the weights."""
        if self.averages_are_in:
            self.swap_averages()
        for variable, average in zip(self._trainable_variables, self._averages):
            variable.assign(average)

    def swap_averages(self) -> None:
        """Exchange the weights and their moving averages; nothing happens before `build`."""
        self.averages_are_in = bool(self._averages) and not self.averages_are_in
        for variable, average in zip(self._trainable_variables, self._averages):
            held = np.array(variable.value)
            variable.assign(average)
            average.assign(held)

    def stateless_apply(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """What `apply` would make of these values: the new weights and the new state; the optimizer stays as it is.

        optimizer_variables: in the order of `variables`; trainable_variables: in that of `build`

        Raises NotBuiltError before `build`, InvalidArgument for another number of values.

        >>> import autograd_nn as ag
        >>> sgd = ag.optimizers.SGD(learning_rate=0.5)
        >>> sgd.build([ag.Variable([1.0])])
        >>> weights, state = sgd.stateless_apply(sgd.variables, [ag.tensor([1.0])], [ag.tensor([3.0])])
        >>> weights[0].tolist()
        [2.5]
        """
        if not self.built:
            raise NotBuiltError(f"{self.name}: stateless_apply needs the state; call build(variables) first")
        weights, state = self._trainable_variables, self._variables
        if len(trainable_variables) != len(weights) or len(optimizer_variables) != len(state):
            raise InvalidArgument(
                f"{self.name}: stateless_apply expects {len(weights)} weights and {len(state)} optimizer variables, "
                f"got {len(trainable_variables)} and {len(optimizer_variables)}"
            )
        own = [*weights, *state]
        given = [
            snapshot(v) if isinstance(v, Variable) else as_tensor(v)
            for v in (*trainable_variables, *optimizer_variables)
        ]
        before = [snapshot(v) for v in own]
        try:
            for variable, value in zip(own, given):
                variable.assign(value)
            self.apply(grads, weights)
            after = [snapshot(v) for v in own]
        finally:
            for variable, value in zip(own, before):
                variable.assign(value)
        return after[: len(weights)], after[len(weights) :]

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave variables out of `weight_decay`: those in `var_list`, and those whose name matches a pattern."""
        if self.built:
            raise InvalidArgument("exclude_from_weight_decay must be called before the optimizer is built")
        self._excluded = tuple(var_list or ())
        self._excluded_names = tuple(var_names or ())

    def add_variable(
        self, shape: Sequence[int], initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Variable:
        """A new piece of state, zeros unless an array is given as `initializer`."""
        kind = default_float() if dtype is None else dtype
        value = np.zeros(tuple(shape), kind) if isinstance(initializer, str) else np.asarray(initializer, kind)
        return self._track(Variable(value, trainable=False, name=f"{self.name}/{name or 'variable'}"))

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A new piece of state with the shape and dtype of a variable."""
        full = f"{reference_variable.path.replace('/', '_')}_{name or 'var'}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, full)  # type: ignore[arg-type]

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """State for each variable: a list for one name, a tuple of lists for several."""
        names = [name] if isinstance(name, str) else list(name)
        rows = [[self.add_variable_from_reference(v, n, initializer) for n in names] for v in trainable_variables]
        columns = tuple([row[k] for row in rows] for k in range(len(names)))
        return columns[0] if isinstance(name, str) else columns

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the whole state by arrays in the order of `variables`."""
        if len(weights) != len(self._variables):
            raise ShapeError(f"{self.name}: expected {len(self._variables)} arrays, got {len(weights)}")
        for variable, weight in zip(self._variables, weights):
            if np.shape(weight) != variable.shape:
                raise ShapeError(
                    f"{self.name}: {variable.path!r} expects shape {variable.shape}, got {np.shape(weight)}"
                )
        for variable, weight in zip(self._variables, weights):
            variable.assign(weight)

    # --- configuration

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        """The arguments that a subclass has beside those of every optimizer."""
        return ()

    def get_config(self) -> dict[str, Any]:
        rate = self._learning_rate
        return {
            "name": self.name,
            "learning_rate": float(rate) if isinstance(rate, Variable) else serialize_keras_object(rate),
            **{key: getattr(self, key) for key in _OPTIONS if key not in ("name", "learning_rate")},
            **{key: getattr(self, key) for key in self.get_own_config_names()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "Optimizer":
        rate = deserialize_keras_object(config["learning_rate"], custom_objects)
        return cls(**{**config, "learning_rate": rate})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    # --- inside

    def _track(self, variable: Variable) -> Variable:
        self._variables.append(variable)
        return variable

    def _make_learning_rate(self, value: Any) -> Any:
        if isinstance(value, type):
            raise ArgumentTypeError(
                f"{type(self).__name__}: learning_rate got class {value.__name__}; write {value.__name__}(...)"
            )
        if callable(value) and not isinstance(value, Tensor):
            return value
        number = value.item() if isinstance(value, (np.generic, Tensor)) else value
        check_number(type(self).__name__, "learning_rate", number, above=0)
        rate = Variable(np.asarray(number, default_float()), trainable=False, name=f"{self.name}/learning_rate")
        return self._track(rate)

    def _known(self, grads: list[Any], given: Sequence[Variable] | None) -> list[Variable]:
        if given is None:
            if not self.built:
                raise NotBuiltError(f"{self.name}: apply(grads) needs variables; call build(variables), or pass them")
            variables = self._trainable_variables
        else:
            variables = list(given)
            self.build(variables)
        if len(grads) != len(variables):
            raise InvalidArgument(
                f"{self.name}: {len(grads)} gradients for {len(variables)} variables; give one per variable"
            )
        for variable in variables:
            if variable not in self._places:
                raise InvalidArgument(
                    f"{self.name}: {variable.path!r} is not among the variables it was built with; use a new optimizer"
                )
        return variables

    def _report_missing(self, missing: list[Variable], any_left: bool) -> None:
        if not any_left:
            raise InvalidArgument(f"{self.name}: no gradient for any variable; does the loss depend on them?")
        if missing:
            names = ", ".join(v.path for v in missing)
            warnings.warn(f"{self.name}: no gradient for {names}; the loss does not depend on them")

    def _gather(self, grads: list[Tensor], variables: list[Variable]) -> list[Tensor]:
        """With `gradient_accumulation_steps`: the mean of the gradients so far, and whether this step updates."""
        steps = self.gradient_accumulation_steps
        if not steps:
            return grads
        now = ops.equal(ops.mod(self._iterations + 1, steps), 0)
        held = [self._gathered[self._places[v]] for v in variables]
        sums = [g + h for g, h in zip(grads, held)]
        for variable, total in zip(held, sums):
            variable.assign(ops.where(now, 0, total))
        self._update_now = now
        return [total / steps for total in sums]

    def _average(self) -> None:
        """Moving averages of the weights, and their return into the weights every so many steps."""
        first = ops.equal(self.iterations, 0)
        for variable, average in zip(self._trainable_variables, self._averages):
            momentum = ops.where(first, 0.0, self.ema_momentum)
            momentum = ops.cast(momentum, variable.dtype)
            average.assign(momentum * average + (1 - momentum) * variable)
            if self.ema_overwrite_frequency:
                turn = ops.equal(ops.mod(self.iterations + 1, self.ema_overwrite_frequency), 0)
                variable.assign(ops.where(turn, average, variable))

    def _decays(self, variable: Variable) -> bool:
        if any(variable is other for other in self._excluded):
            return False
        return not any(re.search(pattern, variable.name or "") for pattern in self._excluded_names)
