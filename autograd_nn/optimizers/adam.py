"""Adam: moving averages of the gradient and of its square."""

from typing import Any

from .. import ops
from ..engine.convert import as_tensor
from ..engine.tensor import Tensor
from ..errors import check_number
from ..saving.registry import register
from .optimizer import Optimizer, Slots


@register()
class Adam(Optimizer):
    """Adam: `w = w - rate * m / (sqrt(v) + epsilon)`, m and v moving averages of the gradient and of its square.

    `rate` is `learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t)` in step t, which corrects that m and v start at 0.

    beta_1, beta_2: how slowly the averages forget
    amsgrad:        use the largest v so far (Reddi, Kale and Kumar 2018, arXiv 1904.09237)

    Source: Kingma and Ba 2014, arXiv 1412.6980, the form before section 2.1. The other arguments are those of every
    Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.Adam(learning_rate=0.1).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        check_number("Adam", "beta_1", beta_1, low=0, high=1)
        check_number("Adam", "beta_2", beta_2, low=0, high=1)
        check_number("Adam", "epsilon", epsilon, low=0)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        self.slots = ("momentum", "velocity", *["velocity_hat"] * amsgrad)

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return ("beta_1", "beta_2", "epsilon", "amsgrad")

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        power_1 = as_tensor(self.beta_1, weight.dtype) ** step
        power_2 = as_tensor(self.beta_2, weight.dtype) ** step
        rate = learning_rate * ops.sqrt(1 - power_2) / (1 - power_1)
        m, v = slots["momentum"], slots["velocity"]
        m = m + (gradient - m) * (1 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1 - self.beta_2)
        new = {"momentum": m, "velocity": v}
        if self.amsgrad:
            v = new["velocity_hat"] = ops.maximum(slots["velocity_hat"], v)
        return weight - m * rate / (ops.sqrt(v) + self.epsilon), new


@register()
class AdamW(Adam):
    """Adam with weight decay that is apart from the gradient: 0.004 unless given.

    weight_decay: a number >= 0; before each update a weight loses `weight * weight_decay * learning_rate`

    Source: Loshchilov and Hutter 2017, arXiv 1711.05101. The other arguments are those of Adam and of every Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.AdamW(learning_rate=0.1, weight_decay=0.5).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.85
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        check_number("AdamW", "weight_decay", weight_decay, low=0)
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue, global_clipnorm,
            use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name,
            **unknown,
        )  # fmt: skip
