"""Lion: steps of one size in the direction of a momentum."""

from typing import Any

from .. import ops
from ..engine.tensor import Tensor
from ..errors import check_number
from ..saving.registry import register
from .optimizer import Optimizer, Slots


@register()
class Lion(Optimizer):
    """Lion: `w = w - learning_rate * sign(beta_1 * m + (1 - beta_1) * g); m = beta_2 * m + (1 - beta_2) * g`.

    beta_1: weight of the momentum in the direction, 0 < beta_1 <= 1
    beta_2: how slowly the momentum forgets

    A learning rate 3 to 10 times smaller than for AdamW, and as much more weight decay, suits it.
    Source: Chen et al. 2023, arXiv 2302.06675. The other arguments are those of every
    Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.Lion(learning_rate=0.25).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.75
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        check_number("Lion", "beta_1", beta_1, above=0, high=1)
        check_number("Lion", "beta_2", beta_2, low=0, high=1)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.slots = ("momentum",)

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return ("beta_1", "beta_2")

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        m = slots["momentum"]
        direction = ops.sign(m * self.beta_1 + gradient * (1 - self.beta_1))
        return weight - learning_rate * direction, {"momentum": m * self.beta_2 + gradient * (1 - self.beta_2)}
