"""Ftrl: follow the regularized leader."""

from typing import Any

from .. import ops
from ..engine.tensor import Tensor
from ..errors import check_number
from ..saving.registry import register
from .optimizer import Optimizer, Slots


@register()
class Ftrl(Optimizer):
    """Follow the regularized leader: keeps weights at exactly 0 until their gradients outweigh the L1 penalty.

    learning_rate_power:        <= 0; how the rate falls with the squares of gradients, 0 for a fixed rate
    initial_accumulator_value:  sum of squares before the first step, >= 0
    l1_regularization_strength: >= 0, strength of the L1 penalty
    l2_regularization_strength: >= 0, strength of the L2 penalty
    l2_shrinkage_regularization_strength: >= 0, an L2 penalty that is added to the gradient instead
    beta:                       of the paper

    Source: McMahan et al. 2013, "Ad click prediction: a view from the trenches". The other arguments are those of every
    Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.Ftrl(learning_rate=0.1).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.6031
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        check_number("Ftrl", "learning_rate_power", learning_rate_power, high=0)
        check_number("Ftrl", "initial_accumulator_value", initial_accumulator_value, low=0)
        check_number("Ftrl", "l1_regularization_strength", l1_regularization_strength, low=0)
        check_number("Ftrl", "l2_regularization_strength", l2_regularization_strength, low=0)
        check_number("Ftrl", "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength, low=0)
        check_number("Ftrl", "beta", beta)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        self.slots = ("accumulator", "linear")

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return (
            "learning_rate_power",
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
            "beta",
        )

    def initial_slots(self, weight: Tensor) -> Slots:
        total = ops.full_like(weight, self.initial_accumulator_value)
        return {"accumulator": total, "linear": ops.zeros_like(weight)}

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        power = -self.learning_rate_power
        before = slots["accumulator"]
        total = before + ops.square(gradient)
        risen = ops.power(total, power)
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * weight
        linear = slots["linear"] + shrunk - (risen - ops.power(before, power)) / learning_rate * weight
        quadratic = risen / learning_rate + 2 * (self.l2_regularization_strength + self.beta / (2 * learning_rate))
        l1 = self.l1_regularization_strength
        new = (ops.clip(linear, -l1, l1) - linear) / quadratic
        return new, {"accumulator": total, "linear": linear}
