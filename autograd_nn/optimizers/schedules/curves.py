"""Learning rates that fall along a curve: polynomial, hyperbola, cosine."""

import math
from typing import Any

from ... import ops
from ...engine.convert import as_tensor
from ...engine.spec import default_float
from ...engine.tensor import Tensor
from ...errors import check_number
from ...saving.registry import register
from .schedule import LearningRateSchedule


@register()
class PolynomialDecay(LearningRateSchedule):
    """`(initial - end) * (1 - step / decay_steps)**power + end`, and `end` after `decay_steps`.

    cycle: instead, decay_steps is stretched to the next multiple that is not below the step

    Raises InvalidArgument unless decay_steps > 0.

    >>> import autograd_nn as ag
    >>> rate = ag.optimizers.schedules.PolynomialDecay(1.0, decay_steps=4, end_learning_rate=0.5)
    >>> float(rate(2)), float(rate(9))
    (0.75, 0.5)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        check_number("PolynomialDecay", "decay_steps", decay_steps, above=0)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        step = as_tensor(step, default_float())
        end: Any = self.decay_steps
        if self.cycle:
            end = end * ops.maximum(ops.ceil(step / end), 1)
        else:
            step = ops.minimum(step, end)
        fall = self.initial_learning_rate - self.end_learning_rate
        return fall * ops.power(1 - step / end, self.power) + self.end_learning_rate

    def get_config(self) -> dict[str, Any]:
        keys = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")
        return {key: getattr(self, key) for key in keys}


@register()
class InverseTimeDecay(LearningRateSchedule):
    """`initial / (1 + decay_rate * step / decay_steps)`; with `staircase` the quotient of steps is rounded down.

    Raises InvalidArgument unless decay_steps > 0.

    >>> import autograd_nn as ag
    >>> float(ag.optimizers.schedules.InverseTimeDecay(1.0, decay_steps=2, decay_rate=0.5)(4))
    0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        check_number("InverseTimeDecay", "decay_steps", decay_steps, above=0)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        portion = as_tensor(step, default_float()) / self.decay_steps
        if self.staircase:
            portion = ops.floor(portion)
        return self.initial_learning_rate / (1 + self.decay_rate * portion)

    def get_config(self) -> dict[str, Any]:
        keys = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")
        return {key: getattr(self, key) for key in keys}


@register()
class CosineDecay(LearningRateSchedule):
    """Half a cosine from `initial` down to `alpha * initial` in `decay_steps`, perhaps after a straight rise.

    warmup_target: the rate first rises to this in `warmup_steps`, and falls from there; None for no rise

    Raises InvalidArgument unless decay_steps > 0 and, with a target, warmup_steps >= 0. Loshchilov and Hutter 2016,
    arXiv 1608.03983; Goyal et al. 2017, arXiv 1706.02677.

    >>> import autograd_nn as ag
    >>> rate = ag.optimizers.schedules.CosineDecay(0.0, decay_steps=4, warmup_target=1.0, warmup_steps=2)
    >>> float(rate(1)), float(rate(2)), float(rate(6))
    (0.5, 1.0, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        check_number("CosineDecay", "decay_steps", decay_steps, above=0)
        check_number("CosineDecay", "warmup_steps", warmup_steps, low=0)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Tensor:
        step = as_tensor(step, default_float())
        if self.warmup_target is None:
            return self.initial_learning_rate * self._fall(step)
        fallen = self.warmup_target * self._fall(step - self.warmup_steps)
        if not self.warmup_steps:
            return fallen
        rise = (self.warmup_target - self.initial_learning_rate) * (step / self.warmup_steps)
        return ops.where(step < self.warmup_steps, rise + self.initial_learning_rate, fallen)

    def _fall(self, step: Tensor) -> Tensor:
        portion = ops.minimum(step, self.decay_steps) / self.decay_steps
        return (1 - self.alpha) * 0.5 * (1 + ops.cos(math.pi * portion)) + self.alpha

    def get_config(self) -> dict[str, Any]:
        keys = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")
        return {key: getattr(self, key) for key in keys}


@register()
class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after another, each `t_mul` times as long as the one before and `m_mul` times as high.

    first_decay_steps: length of the first; alpha: the least rate as a share of the initial one

    Raises InvalidArgument unless first_decay_steps > 0, t_mul >= 1 and m_mul > 0. Loshchilov and Hutter 2016,
    arXiv 1608.03983.

    >>> import autograd_nn as ag
    >>> rate = ag.optimizers.schedules.CosineDecayRestarts(1.0, first_decay_steps=2, m_mul=0.5)
    >>> round(float(rate(1)), 4), round(float(rate(2)), 4), round(float(rate(4)), 4)
    (0.5, 0.5, 0.25)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        check_number("CosineDecayRestarts", "first_decay_steps", first_decay_steps, above=0)
        check_number("CosineDecayRestarts", "t_mul", t_mul, low=1)
        check_number("CosineDecayRestarts", "m_mul", m_mul, above=0)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self._t_mul = t_mul
        self._m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        restarts, portion = self._place(as_tensor(step, default_float()) / self.first_decay_steps)
        height = as_tensor(self._m_mul, portion.dtype) ** restarts
        cosine = 0.5 * height * (1 + ops.cos(math.pi * portion))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)

    def _place(self, periods: Tensor) -> tuple[Tensor, Tensor]:
        """How many restarts there were, and which part of the present cosine is over; `periods` in first lengths."""
        if self._t_mul == 1:
            restarts = ops.floor(periods)
            return restarts, periods - restarts
        longer = as_tensor(self._t_mul, periods.dtype)
        restarts = ops.floor(ops.log(1 - periods * (1 - longer)) / ops.log(longer))
        before = (1 - longer**restarts) / (1 - longer)
        return restarts, (periods - before) / longer**restarts

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate, "first_decay_steps": self.first_decay_steps,
            "t_mul": self._t_mul, "m_mul": self._m_mul, "alpha": self.alpha, "name": self.name,
        }  # fmt: skip
