"""Optimizers whose rates fall with the gradients that were seen: Adagrad and Adadelta."""

from typing import Any

from .. import ops
from ..engine.tensor import Tensor
from ..errors import check_number
from ..saving.registry import register
from .optimizer import Optimizer, Slots


@register()
class Adagrad(Optimizer):
    """Adagrad: `a = a + g**2; w = w - learning_rate * g / sqrt(a + epsilon)`.

    initial_accumulator_value: a before the first step, >= 0

    Source: Duchi, Hazan and Singer 2011, JMLR 12. The other arguments are those of every
    Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.Adagrad(learning_rate=0.1).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.9047
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
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
        check_number("Adagrad", "initial_accumulator_value", initial_accumulator_value, low=0)
        check_number("Adagrad", "epsilon", epsilon, low=0)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon
        self.slots = ("accumulator",)

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return ("initial_accumulator_value", "epsilon")

    def initial_slots(self, weight: Tensor) -> Slots:
        return {"accumulator": ops.full_like(weight, self.initial_accumulator_value)}

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        total = slots["accumulator"] + ops.square(gradient)
        return weight - learning_rate * gradient / ops.sqrt(total + self.epsilon), {"accumulator": total}


@register()
class Adadelta(Optimizer):
    """Adadelta: the step is the gradient times the root mean square of past steps by that of past gradients.

    rho: how slowly the means of squares forget

    Source: Zeiler 2012, arXiv 1212.5701, there with learning rate 1. The other arguments are those of every
    Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.Adadelta(learning_rate=1.0).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.9986
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
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
        check_number("Adadelta", "rho", rho, low=0, high=1)
        check_number("Adadelta", "epsilon", epsilon, low=0)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.rho = rho
        self.epsilon = epsilon
        self.slots = ("accumulated_grad", "accumulated_delta_var")

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return ("rho", "epsilon")

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        rho = self.rho
        squares = rho * slots["accumulated_grad"] + (1 - rho) * ops.square(gradient)
        steps = slots["accumulated_delta_var"]
        change = -ops.sqrt(steps + self.epsilon) * gradient / ops.sqrt(squares + self.epsilon)
        new = {"accumulated_grad": squares, "accumulated_delta_var": rho * steps + (1 - rho) * ops.square(change)}
        return weight + learning_rate * change, new
