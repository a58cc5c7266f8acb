"""Activation functions, and how they are named in configs."""

from typing import Any

from . import ops
from .engine.convert import as_tensor
from .engine.signatures import suggest_calls
from .engine.tensor import Tensor
from .saving.registry import custom_object_scope, register, resolve, serialize_keras_object

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
    "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


@register()
def linear(x: Any) -> Any:
    """x itself.

    >>> import autograd_nn as ag
    >>> ag.activations.linear(2.0)
    2.0
    """
    return x


@register()
def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """x above `threshold`, `negative_slope * (x - threshold)` elsewhere, at most `max_value`.

    >>> import autograd_nn as ag
    >>> ag.activations.relu([-2.0, 0.0, 8.0], negative_slope=0.5, max_value=6).tolist()
    [-1.0, 0.0, 6.0]
    """
    x = as_tensor(x)
    if negative_slope == 0 and threshold == 0:
        y = ops.relu(x)
    elif negative_slope == 0:
        y = ops.where(x > threshold, x, 0)
    else:
        y = ops.where(x > threshold, x, negative_slope * (x - threshold))
    return y if max_value is None else ops.minimum(y, max_value)


@register()
def relu6(x: Any) -> Tensor:
    """x limited to 0..6 (Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10").

    >>> import autograd_nn as ag
    >>> ag.activations.relu6([-1.0, 3.0, 9.0]).tolist()
    [0.0, 3.0, 6.0]
    """
    return relu(x, max_value=6)


@register()
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """x where it is positive, `negative_slope * x` elsewhere (Maas et al. 2013).

    >>> import autograd_nn as ag
    >>> ag.activations.leaky_relu([-1.0, 1.0], 0.5).tolist()
    [-0.5, 1.0]
    """
    return relu(x, negative_slope=negative_slope)


@register()
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al. 2015, arXiv 1511.07289).

    >>> import autograd_nn as ag
    >>> ag.activations.elu([0.0, 1.0]).tolist()
    [0.0, 1.0]
    """
    x = as_tensor(x)
    return ops.where(x > 0, x, alpha * ops.expm1(ops.where(x > 0, 0, x)))


@register()
def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere (Barron 2017, arXiv 1704.07483).

    >>> import autograd_nn as ag
    >>> ag.activations.celu([0.0, 1.0], alpha=2.0).tolist()
    [0.0, 1.0]
    """
    x = as_tensor(x)
    return ops.where(x > 0, x, alpha * ops.expm1(ops.where(x > 0, 0, x) / alpha))


@register()
def selu(x: Any) -> Tensor:
    """ELU with the scale and alpha that keep mean 0 and variance 1 (Klambauer et al. 2017, arXiv 1706.02515).

    >>> import autograd_nn as ag
    >>> round(float(ag.activations.selu(1.0)), 4)
    1.0507
    """
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


@register()
def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x)).

    >>> import autograd_nn as ag
    >>> float(ag.activations.sigmoid(0.0))
    0.5
    """
    return ops.sigmoid(x)


@register()
def hard_sigmoid(x: Any) -> Tensor:
    """`x / 6 + 1 / 2` limited to 0..1.

    >>> import autograd_nn as ag
    >>> ag.activations.hard_sigmoid([-3.0, 0.0, 3.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return relu6(as_tensor(x) + 3) / 6


@register()
def log_sigmoid(x: Any) -> Tensor:
    """log(sigmoid(x)), without overflow.

    >>> import autograd_nn as ag
    >>> round(float(ag.activations.log_sigmoid(0.0)), 4)
    -0.6931
    """
    return -ops.softplus(-as_tensor(x))


@register()
def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent.

    >>> import autograd_nn as ag
    >>> float(ag.activations.tanh(0.0))
    0.0
    """
    return ops.tanh(x)


@register()
def hard_tanh(x: Any) -> Tensor:
    """x limited to -1..1.

    >>> import autograd_nn as ag
    >>> ag.activations.hard_tanh([-2.0, 0.5]).tolist()
    [-1.0, 0.5]
    """
    return ops.clip(x, -1, 1)


@register()
def softplus(x: Any) -> Tensor:
    """log(1 + exp(x)).

    >>> import autograd_nn as ag
    >>> round(float(ag.activations.softplus(0.0)), 4)
    0.6931
    """
    return ops.softplus(x)


@register()
def softsign(x: Any) -> Tensor:
    """x / (1 + |x|).

    >>> import autograd_nn as ag
    >>> ag.activations.softsign([-1.0, 3.0]).tolist()
    [-0.5, 0.75]
    """
    x = as_tensor(x)
    return x / (1 + ops.abs(x))


@register()
def exponential(x: Any) -> Tensor:
    """exp(x).

    >>> import autograd_nn as ag
    >>> float(ag.activations.exponential(0.0))
    1.0
    """
    return ops.exp(x)


@register()
def silu(x: Any) -> Tensor:
    """x * sigmoid(x), also called swish (Ramachandran et al. 2017, arXiv 1710.05941).

    >>> import autograd_nn as ag
    >>> float(ag.activations.silu(0.0))
    0.0
    """
    return ops.silu(x)


@register()
def hard_silu(x: Any) -> Tensor:
    """x * hard_sigmoid(x), also called hard swish (Howard et al. 2019, arXiv 1905.02244).

    >>> import autograd_nn as ag
    >>> ag.activations.hard_silu([0.0, 3.0]).tolist()
    [0.0, 3.0]
    """
    x = as_tensor(x)
    return x * hard_sigmoid(x)


@register()
def gelu(x: Any, approximate: bool = False) -> Tensor:
    """x times the normal distribution function of x (Hendrycks and Gimpel 2016, arXiv 1606.08415).

    approximate: use the tanh form

    >>> import autograd_nn as ag
    >>> float(ag.activations.gelu(0.0))
    0.0
    """
    return ops.gelu(x, approximate=approximate)


@register()
def mish(x: Any) -> Tensor:
    """x * tanh(softplus(x)) (Misra 2019, arXiv 1908.08681).

    >>> import autograd_nn as ag
    >>> float(ag.activations.mish(0.0))
    0.0
    """
    x = as_tensor(x)
    return x * ops.tanh(ops.softplus(x))


@register()
def softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Tensor:
    """exp(x) divided by its sum over `axis`: positive numbers that sum to 1.

    >>> import autograd_nn as ag
    >>> ag.activations.softmax([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """
    return ops.softmax(x, axis=axis)


@register()
def log_softmax(x: Any, axis: int | tuple[int, ...] = -1) -> Tensor:
    """log(softmax(x)), without overflow.

    >>> import autograd_nn as ag
    >>> round(float(ag.activations.log_softmax([0.0, 0.0])[0]), 4)
    -0.6931
    """
    return ops.log_softmax(x, axis=axis)


@register()
def glu(x: Any, axis: int = -1) -> Tensor:
    """a * sigmoid(b), a and b the two halves of x along `axis` (Dauphin et al. 2016, arXiv 1612.08083).

    >>> import autograd_nn as ag
    >>> ag.activations.glu([4.0, 0.0]).tolist()
    [2.0]
    """
    return ops.glu(x, axis=axis)


@register()
def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x where it is further than `threshold` from 0, else 0.

    >>> import autograd_nn as ag
    >>> ag.activations.hard_shrink([-2.0, 0.25]).tolist()
    [-2.0, 0.0]
    """
    return ops.hard_shrink(x, threshold=threshold)


@register()
def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x drawn towards 0 by `threshold`, and 0 within it.

    >>> import autograd_nn as ag
    >>> ag.activations.soft_shrink([-2.0, 0.25]).tolist()
    [-1.5, 0.0]
    """
    return ops.soft_shrink(x, threshold=threshold)


@register()
def tanh_shrink(x: Any) -> Tensor:
    """x - tanh(x).

    >>> import autograd_nn as ag
    >>> round(float(ag.activations.tanh_shrink(1.0)), 4)
    0.2384
    """
    return ops.tanh_shrink(x)


@register()
def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """x where it is larger than `threshold`, else `default_value`.

    >>> import autograd_nn as ag
    >>> ag.activations.threshold([1.0, 3.0], 2.0, -1.0).tolist()
    [-1.0, 3.0]
    """
    return ops.threshold(x, threshold, default_value)


@register()
def squareplus(x: Any, b: float = 4) -> Tensor:
    """(x + sqrt(x**2 + b)) / 2 (Barron 2021, arXiv 2112.11687).

    >>> import autograd_nn as ag
    >>> float(ag.activations.squareplus(0.0))
    1.0
    """
    return ops.squareplus(x, b=b)


@register()
def sparse_plus(x: Any) -> Tensor:
    """0 up to -1, `(x + 1)**2 / 4` up to 1, then x.

    >>> import autograd_nn as ag
    >>> ag.activations.sparse_plus([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.25, 2.0]
    """
    return ops.sparse_plus(x)


@register()
def sparse_sigmoid(x: Any) -> Tensor:
    """`(x + 1) / 2` limited to 0..1.

    >>> import autograd_nn as ag
    >>> ag.activations.sparse_sigmoid([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return ops.sparse_sigmoid(x)


@register()
def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """The nearest probabilities to x along `axis`, of which many are 0 (Martins and Astudillo 2016, arXiv 1602.02068).

    >>> import autograd_nn as ag
    >>> ag.activations.sparsemax([0.0, 0.5, 1.5]).tolist()
    [0.0, 0.0, 1.0]
    """
    return ops.sparsemax(x, axis=axis)


swish = silu
hard_swish = hard_silu

KNOWN: dict[str, Any] = {
    **{
        function.__name__: function
        for function in (
            celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear,
            log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign,
            sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink,
        )
    },
    "swish": silu,
    "hard_swish": hard_silu,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """The activation of that name or config, `linear` for None; functions and layers as they are.

    Raises UnknownName with the nearest known name, ArgumentTypeError for a class and for other types.

    >>> import autograd_nn as ag
    >>> ag.activations.get("relu").__name__
    'relu'
    """
    return linear if identifier is None else resolve(identifier, KNOWN, "activation")


def serialize(activation: Any) -> Any:
    """The name of an activation of this room, the config of another one.

    >>> import autograd_nn as ag
    >>> ag.activations.serialize(ag.activations.relu)
    'relu'
    """
    name = getattr(activation, "__name__", "")
    if KNOWN.get(name) is activation:
        return name
    return serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation of a config or name; `custom_objects` are names that may be used beside the known ones.

    >>> import autograd_nn as ag
    >>> ag.activations.deserialize("tanh").__name__
    'tanh'
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


suggest_calls(globals())
