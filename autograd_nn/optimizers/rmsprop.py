"""RMSprop: each weight's rate divided by the root of its recent mean squared gradient."""

from typing import Any

from .. import ops
from ..engine.tensor import Tensor
from ..errors import check_number
from ..saving.registry import register
from .optimizer import Optimizer, Slots


@register()
class RMSprop(Optimizer):
    """RMSprop: `v = rho * v + (1 - rho) * g**2; w = w - learning_rate * g / sqrt(v + epsilon)`.

    rho:      how slowly the mean of squares forgets
    momentum: of the change, if > 0
    centered: divide by the standard deviation instead (Graves 2013, arXiv 1308.0850)

    Source: Hinton, "Neural Networks for Machine Learning", lecture 6e (2012). The other arguments are those of every
    Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.RMSprop(learning_rate=0.1).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.6838
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        check_number("RMSprop", "rho", rho, low=0, high=1)
        check_number("RMSprop", "momentum", momentum, low=0, high=1)
        check_number("RMSprop", "epsilon", epsilon, low=0)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        self.slots = ("velocity", *["momentum"] * bool(momentum), *["average_gradient"] * centered)

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return ("rho", "momentum", "epsilon", "centered")

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        rho = self.rho
        new = {"velocity": rho * slots["velocity"] + (1 - rho) * ops.square(gradient)}
        spread = new["velocity"]
        if self.centered:
            new["average_gradient"] = rho * slots["average_gradient"] + (1 - rho) * gradient
            spread = spread - ops.square(new["average_gradient"])
        change = learning_rate * gradient / ops.sqrt(spread + self.epsilon)
        if self.momentum:
            change = new["momentum"] = self.momentum * slots["momentum"] + change
        return weight - change, new
