"""Learning rates that change with the step."""

from collections.abc import Sequence
from typing import Any

from ... import ops
from ...engine.convert import as_tensor
from ...engine.signatures import Checked
from ...engine.spec import default_float
from ...engine.tensor import Tensor
from ...errors import InvalidArgument, short
from ...saving.registry import register


class LearningRateSchedule(metaclass=Checked):
    """Base of schedules: `schedule(step)` gives the learning rate after `step` updates.

    A subclass defines `__call__(step)` in ops, and `get_config`.

    >>> import autograd_nn as ag
    >>> class Halving(ag.optimizers.schedules.LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5 ** ag.ops.cast(step, "float32")
    >>> float(ag.optimizers.SGD(Halving()).learning_rate)
    0.10000000149011612
    """

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step)")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} must define get_config() to be saved")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearningRateSchedule":
        return cls(**config)


@register()
class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`; with `staircase` the quotient is rounded down.

    >>> import autograd_nn as ag
    >>> float(ag.optimizers.schedules.ExponentialDecay(1.0, decay_steps=10, decay_rate=0.5)(20))
    0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        if not isinstance(decay_steps, (int, float)) or decay_steps <= 0:
            raise InvalidArgument(f"ExponentialDecay: decay_steps must be a number > 0, got {short(decay_steps)}")
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        portion = as_tensor(step, default_float()) / self.decay_steps
        if self.staircase:
            portion = ops.floor(portion)
        return self.initial_learning_rate * as_tensor(self.decay_rate, default_float()) ** portion

    def get_config(self) -> dict[str, Any]:
        keys = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")
        return {key: getattr(self, key) for key in keys}


@register()
class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to step `boundaries[0]` inclusive, then `values[1]`, and so on.

    boundaries: steps, rising; values: one more than boundaries

    >>> import autograd_nn as ag
    >>> rate = ag.optimizers.schedules.PiecewiseConstantDecay([10], [1.0, 0.5])
    >>> float(rate(10)), float(rate(11))
    (1.0, 0.5)
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise InvalidArgument(
                f"PiecewiseConstantDecay: {len(boundaries)} boundaries need {len(boundaries) + 1} values, "
                f"got {len(values)}"
            )
        if any(a >= b for a, b in zip(boundaries, boundaries[1:])):
            raise InvalidArgument(f"PiecewiseConstantDecay: boundaries must rise, got {short(list(boundaries))}")
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step = as_tensor(step, "float64")
        rate = as_tensor(self.values[-1], default_float())
        for boundary, value in reversed(list(zip(self.boundaries, self.values))):
            rate = ops.where(step <= boundary, value, rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}
