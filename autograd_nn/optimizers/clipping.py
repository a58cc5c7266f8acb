"""Gradients scaled down to a norm (Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063)."""

from collections.abc import Sequence

from .. import ops
from ..engine.tensor import Tensor


def clip_by_norm(gradient: Tensor, limit: float) -> Tensor:
    """The gradient, scaled down to norm `limit` where it is longer."""
    norm = ops.sqrt(ops.sum(ops.square(gradient)))
    return gradient * limit / ops.maximum(norm, limit)


def global_norm(gradients: Sequence[Tensor]) -> Tensor:
    """The norm of all gradients together."""
    total = ops.sum(ops.square(gradients[0]))
    for gradient in gradients[1:]:
        total = total + ops.sum(ops.square(gradient))
    return ops.sqrt(total)


def clip_by_global_norm(gradients: Sequence[Tensor], limit: float) -> list[Tensor]:
    """All gradients, scaled down together to norm `limit` where they are longer; NaN where the norm is not finite."""
    norm = global_norm(gradients)
    scale = limit / ops.maximum(norm, limit) + (norm - norm)
    return [gradient * ops.cast(scale, gradient.dtype) for gradient in gradients]
