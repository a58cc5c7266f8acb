"""Functions of functions: gradients of any order, checkpointing, and compilation."""

from .calculus import grad, gradients, hessian, hvp, jacobian, jvp, no_grad, value_and_grad, vjp
from .jit import Jitted, checkpoint, jit

__all__ = [
    "Jitted", "checkpoint", "grad", "gradients", "hessian", "hvp", "jacobian", "jit", "jvp", "no_grad",
    "value_and_grad", "vjp",
]  # fmt: skip
