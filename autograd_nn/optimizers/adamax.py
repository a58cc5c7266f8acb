"""Relatives of Adam: Adamax, Nadam and Lamb."""

from typing import Any

from .. import ops
from ..engine.convert import as_tensor
from ..engine.tensor import Tensor
from ..errors import check_number
from ..saving.registry import register
from .optimizer import Optimizer, Slots


@register()
class Adamax(Optimizer):
    """Adam with the largest gradient so far in place of the root of squares.

    `m = m + (g - m) * (1 - beta_1); u = max(beta_2 * u, |g|); w = w - learning_rate / (1 - beta_1**t) * m / (u +
    epsilon)` in step t.

    beta_1, beta_2: how slowly m and u forget

    Source: Kingma and Ba 2014, arXiv 1412.6980, section 7.1. The other arguments are those of every
    Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.Adamax(learning_rate=0.1).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        check_number("Adamax", "beta_1", beta_1, low=0, high=1)
        check_number("Adamax", "beta_2", beta_2, low=0, high=1)
        check_number("Adamax", "epsilon", epsilon, low=0)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.slots = ("momentum", "norm")

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return ("beta_1", "beta_2", "epsilon")

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        m = slots["momentum"] + (gradient - slots["momentum"]) * (1 - self.beta_1)
        u = ops.maximum(self.beta_2 * slots["norm"], ops.abs(gradient))
        correction = 1 - as_tensor(self.beta_1, weight.dtype) ** step
        return weight - learning_rate * m / (correction * (u + self.epsilon)), {"momentum": m, "norm": u}


@register()
class Nadam(Optimizer):
    """Adam with Nesterov momentum, whose weight `beta_1 * (1 - 0.96**t / 2)` grows with the step t.

    beta_1, beta_2: how slowly the averages of the gradient and of its square forget

    Source: Dozat 2015, "Incorporating Nesterov momentum into Adam". The other arguments are those of every
    Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.Nadam(learning_rate=0.1).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.8937
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        check_number("Nadam", "beta_1", beta_1, low=0, high=1)
        check_number("Nadam", "beta_2", beta_2, low=0, high=1)
        check_number("Nadam", "epsilon", epsilon, low=0)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.slots = ("momentum", "velocity", "momentum_product")

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return ("beta_1", "beta_2", "epsilon")

    def initial_slots(self, weight: Tensor) -> Slots:
        zeros = ops.zeros_like(weight)
        return {"momentum": zeros, "velocity": zeros, "momentum_product": ops.ones((), weight.dtype)}

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        now, later = self._momentum_weight(step), self._momentum_weight(step + 1)
        product = slots["momentum_product"] * now
        m = slots["momentum"] + (gradient - slots["momentum"]) * (1 - self.beta_1)
        v = slots["velocity"] + (ops.square(gradient) - slots["velocity"]) * (1 - self.beta_2)
        mean = later * m / (1 - product * later) + (1 - now) * gradient / (1 - product)
        spread = ops.sqrt(v / (1 - as_tensor(self.beta_2, weight.dtype) ** step))
        new = {"momentum": m, "velocity": v, "momentum_product": product}
        return weight - mean * learning_rate / (spread + self.epsilon), new

    def _momentum_weight(self, step: Tensor) -> Tensor:
        return self.beta_1 * (1 - 0.5 * as_tensor(0.96, step.dtype) ** step)


@register()
class Lamb(Optimizer):
    """Adam whose step has, for each weight, a length in proportion to the norm of the weight; for large batches.

    beta_1, beta_2: how slowly the averages of the gradient and of its square forget

    Source: You et al. 2019, arXiv 1904.00962. The other arguments are those of every
    Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.Lamb(learning_rate=0.1).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        check_number("Lamb", "beta_1", beta_1, low=0, high=1)
        check_number("Lamb", "beta_2", beta_2, low=0, high=1)
        check_number("Lamb", "epsilon", epsilon, low=0)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.slots = ("momentum", "velocity")

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return ("beta_1", "beta_2", "epsilon")

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        m = slots["momentum"] + (gradient - slots["momentum"]) * (1 - self.beta_1)
        v = slots["velocity"] + (ops.square(gradient) - slots["velocity"]) * (1 - self.beta_2)
        mean = m / (1 - as_tensor(self.beta_1, weight.dtype) ** step)
        spread = ops.sqrt(v / (1 - as_tensor(self.beta_2, weight.dtype) ** step)) + self.epsilon
        change = mean / spread
        length, change_length = ops.sqrt(ops.sum(ops.square(weight))), ops.sqrt(ops.sum(ops.square(change)))
        usable = ops.logical_and(length > 0, change_length > 0)
        ratio = ops.where(usable, length / ops.where(usable, change_length, 1), 1)
        return weight - ratio * learning_rate * change, {"momentum": m, "velocity": v}
