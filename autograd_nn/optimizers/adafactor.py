"""Adafactor: Adam with the squares of a matrix kept as one row and one column."""

from typing import Any

from .. import ops
from ..engine.tensor import Tensor
from ..errors import check_number
from ..saving.registry import register
from .optimizer import Optimizer, Slots


@register()
class Adafactor(Optimizer):
    """Adam without momentum whose mean of squares is, for a matrix, the product of a row and a column of means.

    beta_2_decay:   how the mean of squares forgets: `1 - t**beta_2_decay` in step t
    epsilon_1:      added to squares
    epsilon_2:      least root mean square of a weight, to which the step is in proportion
    clip_threshold: the root mean square of a step is at most this, before the learning rate
    relative_step:  taken for Keras' sake; the rate is at most `1 / sqrt(t)` either way, in Keras too

    Source: Shazeer and Stern 2018, arXiv 1804.04235. The other arguments are those of every
    Optimizer.

    >>> import autograd_nn as ag
    >>> w = ag.Variable([1.0])
    >>> ag.optimizers.Adafactor(learning_rate=0.1).apply([ag.tensor([1.0])], [w])
    >>> round(float(w[0]), 4)
    0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        check_number("Adafactor", "beta_2_decay", beta_2_decay, high=0)
        check_number("Adafactor", "epsilon_1", epsilon_1, low=0)
        check_number("Adafactor", "epsilon_2", epsilon_2, low=0)
        check_number("Adafactor", "clip_threshold", clip_threshold, above=0)
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **unknown,
        )  # fmt: skip
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    @classmethod
    def get_own_config_names(cls) -> tuple[str, ...]:
        return ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")

    def initial_slots(self, weight: Tensor) -> Slots:
        if weight.ndim < 2:
            return {"velocity": ops.zeros_like(weight)}
        return {"row": ops.zeros_like(weight[..., 0]), "column": ops.zeros_like(weight[..., 0, :])}

    def update_weight(
        self, weight: Tensor, gradient: Tensor, slots: Slots, learning_rate: Tensor, step: Tensor
    ) -> tuple[Tensor, Slots]:
        rate = ops.minimum(learning_rate, 1 / ops.sqrt(step)) * ops.maximum(_rms(weight), self.epsilon_2)
        squares = ops.square(gradient) + self.epsilon_1
        keep = 1 - step**self.beta_2_decay
        if "velocity" in slots:
            new = {"velocity": keep * slots["velocity"] + (1 - keep) * squares}
            spread = new["velocity"]
        else:
            row = keep * slots["row"] + (1 - keep) * ops.mean(squares, axis=-1)
            column = keep * slots["column"] + (1 - keep) * ops.mean(squares, axis=-2)
            new = {"row": row, "column": column}
            share = row / ops.mean(row, axis=-1, keepdims=True)
            spread = ops.expand_dims(share, -1) * ops.expand_dims(column, -2)
        change = gradient / ops.sqrt(spread)
        return weight - rate * change / ops.maximum(_rms(change) / self.clip_threshold, 1), new


def _rms(x: Tensor) -> Tensor:
    return ops.sqrt(ops.mean(ops.square(x)))
