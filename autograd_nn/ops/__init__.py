"""Operations on tensors, each in one block: shape rule, forward, gradient, kernel expression, test domain, doc."""

# The modules are imported for the ops that they register.
# ruff: noqa: F401

from typing import TYPE_CHECKING, Any

from ..engine.op import OPS
from . import (
    arrange,
    associative,
    branch,
    convolution,
    creation,
    cumulative,
    custom,
    einsum,
    elementwise,
    indexing,
    join,
    linalg,
    loops,
    matrices,
    methods,
    nn,
    pooling,
    random,
    reduction,
    scanning,
    sorting,
    statistics,
)

# `shape` takes the place of the module of that name.
from .creation import convert_to_numpy, convert_to_tensor, is_tensor, shape
from .custom import custom_gradient

methods.install()

_CALLS = {name: op.call for name, op in sorted(OPS.items()) if op.call is not None}
globals().update(_CALLS)
__all__ = list(_CALLS)
__all__ += ["convert_to_numpy", "convert_to_tensor", "custom_gradient", "is_tensor", "shape"]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
