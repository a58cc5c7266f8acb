"""Stochastic gradient descent."""

from typing import Any

from ..engine.tensor import Tensor
from ..errors import check_number
from ..saving.registry import register
from .optimizer import Optimizer, Slots


@register()
class SGD(Optimizer):
    """Stochastic gradient descent with momentum: `v = momentum * v - learning_rate * g; w = w + v`.

    nesterov: `w = w + momentum * v - learning_rate * g` instead (Sutskever et al. 2013).
    The other arguments are those of every Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> sgd = ag.optimizers.SGD(learning_rate=0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     sgd.apply([ag.tensor([1.0])], [w])
    >>> w.tolist()
    [-0.25]
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        check_number("SGD", "momentum", momentum, low=0, high=1)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.momentum = momentum
        self.nesterov = nesterov
        self.slots = ("momentum",) if momentum else ()

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return ("momentum", "nesterov")

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        change = gradient * learning_rate
        if not self.momentum:
            return weight - change, {}
        velocity = slots["momentum"] * self.momentum - change
        moved = velocity * self.momentum - change if self.nesterov else velocity
        return weight + moved, {"momentum": velocity}
