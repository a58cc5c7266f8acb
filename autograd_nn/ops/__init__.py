"""Operations on tensors, each in one block: shape rule, forward, gradient, kernel expression, test domain, doc."""

# The modules are imported for the ops that they register.
# ruff: noqa: F401

from typing import TYPE_CHECKING, Any

from ..engine.op import OPS
from ..lazy import later
from . import (
    activations,
    adaptive,
    arrange,
    assembly,
    associative,
    attention,
    bessel,
    bits,
    branch,
    complexes,
    convolution,
    creation,
    ctc,
    cumulative,
    custom,
    decompositions,
    differences,
    distances,
    distinct,
    eigen,
    einsum,
    elementwise,
    exponentials,
    factors,
    floats,
    folding,
    fourier,
    image,
    indexing,
    join,
    linalg,
    loops,
    matrices,
    methods,
    nans,
    nn,
    normalization,
    pooling,
    quantiles,
    random,
    ranking,
    reduction,
    scanning,
    searching,
    segments,
    slicing,
    solving,
    sorting,
    spacing,
    statistics,
    trigonometry,
    updating,
)
from .aliases import ALIASES

# `shape` takes the place of the module of that name.
from .creation import array, convert_to_numpy, convert_to_tensor, dtype, is_tensor, ndim, shape
from .custom import custom_gradient
from .namespaces import rooms
from .vectorizing import vectorize

methods.install()

_CALLS = {name: op.call for name, op in sorted(OPS.items()) if op.call is not None and "." not in name}
_CALLS |= {alias: _CALLS[name] for alias, name in ALIASES.items()}
globals().update(_CALLS)
globals().update(rooms(__name__, _CALLS | {"array": array, "ndim": ndim, "vectorize": vectorize}))
__all__ = list(_CALLS)
__all__ += [
    "array", "convert_to_numpy", "convert_to_tensor", "custom_gradient", "dtype", "is_tensor", "jvp", "ndim", "shape",
    "vectorize",
]  # fmt: skip

# Keras has it among the ops; here it is made of transforms, which are made of ops.
_LATER = {"jvp": "..transforms:jvp"}
linalg.__getattr__ = later(vars(linalg), _LATER)  # type: ignore[method-assign]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...

else:
    __getattr__ = later(globals(), _LATER)
