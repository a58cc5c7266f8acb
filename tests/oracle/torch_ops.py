"""What each op is called in torch: functions of the same arguments, tensors in place of arrays."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from tests.oracle.torch_arrays import TORCH_ARRAYS
from tests.oracle.torch_attention import TORCH_ATTENTION
from tests.oracle.torch_complex import TORCH_COMPLEX, WITHOUT_COMPLEX
from tests.oracle.torch_linalg import TORCH_LINALG
from tests.oracle.torch_nan import TORCH_NAN
from tests.oracle.torch_numpy import TORCH_NUMPY, WITHOUT_NUMPY
from tests.oracle.torch_search import TORCH_SEARCH, WITHOUT_SEARCH
from tests.oracle.torch_signals import TORCH_SIGNALS, WITHOUT_SIGNALS

T = torch.Tensor


def over(function: Callable[..., T]) -> Callable[..., T]:
    """A reduction `function(x, dim, keepdim)` with NumPy's axes: None for all, several, or none at all."""

    def run(x: T, axis: Any = None, keepdims: bool = False, **more: Any) -> T:
        dims = axes_of(axis, x.ndim)
        return function(x, dims, keepdims, **more) if dims else function(x[..., None], (-1,), False, **more)

    return run


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    given = range(ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(sorted(k % ndim for k in given))


def products(x: T, dims: Sequence[int], keepdim: bool) -> T:
    for dim in sorted((k % x.ndim for k in dims), reverse=True):
        x = torch.prod(x, dim, keepdim)
    return x


def place(function: Callable[..., T]) -> Callable[..., T]:
    """argmax and argmin, whose axis None means the flattened tensor."""

    def run(x: T, axis: int | None = None, keepdims: bool = False) -> T:
        if axis is not None:
            return function(x, axis, keepdims)
        found = function(x.flatten(), 0)
        return found.reshape([1] * x.ndim) if keepdims else found

    return run


def flat_or(function: Callable[..., T]) -> Callable[..., T]:
    """A function along an axis, of the flattened tensor where the axis is None."""
    return lambda x, axis=-1: function(x.flatten(), 0) if axis is None else function(x, axis)


def cumulative(function: Callable[..., T]) -> Callable[..., T]:
    def run(x: T, axis: int | None = None, reverse: bool = False) -> T:
        x, dim = (x.flatten(), 0) if axis is None else (x, axis)
        return function(x.flip(dim), dim).flip(dim) if reverse else function(x, dim)

    return run


def named(dtype: Any) -> torch.dtype:
    return getattr(torch, str(np.dtype(dtype or "float32")))


def sizes(shape: Any) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> T:
    first, last = (0, start) if stop is None else (start, stop)
    if step < 0:
        return torch.tensor(list(range(first, last, step)), dtype=torch.int64)
    return torch.arange(first, last, step, dtype=None if dtype is None else named(dtype))


def eye(n: int, m: int | None = None, k: int = 0, dtype: Any = None) -> T:
    ones = torch.ones(n, n if m is None else m, dtype=named(dtype))
    return torch.tril(torch.triu(ones, k), k)


def linspace(start: T, stop: T, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> T:
    start, stop = torch.broadcast_tensors(start, stop)
    parts = max(num - 1 if endpoint else num, 1)
    steps = [start + (stop - start) * (k / parts) for k in range(num)]
    return torch.stack(steps, axis) if steps else torch.stack([start], axis).narrow(axis, 0, 0)


def softmax(x: T, axis: Any = -1) -> T:
    dims = axes_of(axis, x.ndim)
    return torch.exp(x - torch.logsumexp(x, dims, keepdim=True))


def log_softmax(x: T, axis: Any = -1) -> T:
    return x - torch.logsumexp(x, axes_of(axis, x.ndim), keepdim=True)


def sigmoid_crossentropy(target: T, x: T) -> T:
    target, x = torch.broadcast_tensors(target, x)
    return F.binary_cross_entropy_with_logits(x, target, reduction="none")


def binary_crossentropy(target: T, output: T, from_logits: bool = False) -> T:
    if from_logits:
        return sigmoid_crossentropy(target, output)
    return -(torch.xlogy(target, output) + torch.xlogy(1 - target, 1 - output))


def log_probabilities(output: T, from_logits: bool, axis: int) -> T:
    return F.log_softmax(output, axis) if from_logits else torch.log(output / output.sum(axis, keepdim=True))


def categorical_crossentropy(target: T, output: T, from_logits: bool = False, axis: int = -1) -> T:
    return -(target * log_probabilities(output, from_logits, axis)).sum(axis)


def sparse_categorical_crossentropy(target: T, output: T, from_logits: bool = False, axis: int = -1) -> T:
    logs = log_probabilities(output, from_logits, axis)
    return -logs.gather(axis, target.long().unsqueeze(axis)).squeeze(axis)


def expand_dims(x: T, axis: Any) -> T:
    given = axis if isinstance(axis, tuple) else (axis,)
    for k in sorted(a % (x.ndim + len(given)) for a in given):
        x = x.unsqueeze(k)
    return x


def indexed(x: T, key: Any) -> T:
    """x[key] with NumPy's meaning of ints beside arrays, and with slices that walk backwards."""
    items = key if isinstance(key, tuple) else (key,)
    arrays = any(isinstance(item, (T, list)) for item in items)
    return x[tuple(_item(item, x, arrays) for item in items)]


def _item(item: Any, x: T, arrays: bool) -> Any:
    if isinstance(item, slice) and item.step is not None and item.step < 0:
        return torch.tensor(list(range(*item.indices(x.shape[0]))))
    return torch.tensor([item]) if type(item) is int and arrays else item


def take(x: T, indices: Any, axis: int | None = None) -> T:
    x, axis = (x.flatten(), 0) if axis is None else (x, axis % x.ndim)
    return x[(*[slice(None)] * axis, torch.as_tensor(indices))]


def take_along_axis(x: T, indices: Any, axis: int | None = None) -> T:
    x, axis = (x.flatten(), 0) if axis is None else (x, axis)
    return torch.take_along_dim(x, torch.as_tensor(indices) % max(x.shape[axis], 1), axis)


def scatter_like(g: T, like: T, key: Any) -> T:
    places = indexed(torch.arange(like.numel()).reshape(like.shape), key)
    return torch.zeros(like.numel(), dtype=g.dtype).index_add(0, places.flatten(), g.flatten()).reshape(like.shape)


def pad(x: T, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> T:
    """Along each axis in turn, the places that NumPy's pad takes elements from."""
    for axis, (before, after) in enumerate(np.broadcast_to(pad_width, (x.ndim, 2)).tolist()):
        more = {"constant_values": -1} if mode == "constant" else {}
        places = np.pad(np.arange(x.shape[axis]), (before, after), mode, **more)
        outside = torch.tensor(places < 0).reshape([-1 if k == axis else 1 for k in range(x.ndim)])
        filler = torch.as_tensor(constant_values, dtype=x.dtype)
        if x.shape[axis]:
            x = torch.where(outside, filler, x[(*[slice(None)] * axis, torch.tensor(np.maximum(places, 0)))])
        else:
            x = filler.expand([len(places) if k == axis else size for k, size in enumerate(x.shape)])
    return x


def repeat(x: T, repeats: Any, axis: int | None = None) -> T:
    return torch.repeat_interleave(x, torch.tensor(repeats) if isinstance(repeats, list) else repeats, axis)


def roll(x: T, shift: Any, axis: Any = None) -> T:
    if isinstance(axis, tuple) and not isinstance(shift, tuple):
        shift = (shift,) * len(axis)
    return torch.roll(x, shift, axis) if axis is not None else torch.roll(x.reshape(-1), shift).reshape(x.shape)


def dot(a: T, b: T) -> T:
    if not a.ndim or not b.ndim:
        return a * b
    return torch.tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))


def tensordot(a: T, b: T, axes: Any = 2) -> T:
    if isinstance(axes, int):
        return torch.tensordot(a, b, axes)
    left, right = (list(side) if isinstance(side, tuple) else [side] for side in axes)
    return torch.tensordot(a, b, (left, right))


def norm(x: T, ord: Any = None, axis: Any = None, keepdims: bool = False) -> T:
    return torch.linalg.norm(x, ord, axis, keepdims)


def linear_recurrence(a: T, b: T, axis: int = -1, reverse: bool = False) -> T:
    if reverse:
        return linear_recurrence(a.flip(axis), b.flip(axis), axis).flip(axis)
    rows: list[T] = []
    for x, y in zip(a.unbind(axis), b.unbind(axis)):
        rows.append(y + x * rows[-1] if rows else y)
    return torch.stack(rows, axis) if rows else b


def shift(x: T, step: int = 1, axis: int = -1, fill: float = 0) -> T:
    if not x.shape[axis]:
        return x
    free = torch.full_like(x.narrow(axis, 0, 1), fill)
    rest = x.narrow(axis, 0 if step == 1 else 1, x.shape[axis] - 1)
    return torch.cat([free, rest] if step == 1 else [rest, free], axis)


def diagonal_like(d: T, like: T, offset: int = 0, axis1: int = 0, axis2: int = 1) -> T:
    return torch.diagonal_scatter(torch.zeros_like(like), d, offset, axis1, axis2)


def one_hot(x: T, num_classes: int, axis: int = -1, dtype: Any = None) -> T:
    return torch.stack([x == k for k in range(num_classes)], axis).to(named(dtype))


def meshgrid(*xs: T, indexing: str = "xy") -> list[T]:
    return list(torch.meshgrid(*[x.reshape(-1) for x in xs], indexing=indexing))


def tri(n: int, m: int | None = None, k: int = 0, dtype: Any = None) -> T:
    return torch.tril(torch.ones(n, n if m is None else m, dtype=named(dtype)), k)


# --- windows: channels last, and TensorFlow's padding


def first(x: T) -> T:
    return x.movedim(-1, 1)


def last(x: T) -> T:
    return x.movedim(1, -1)


def each(value: Any, count: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * count


def window_pads(spatial: Any, size: Any, strides: Any, dilation: Any, padding: str) -> list[tuple[int, int]]:
    found = []
    for n, k, s, d in zip(spatial, size, strides, dilation):
        reach = (k - 1) * d + 1
        total = 0 if padding == "valid" else max((-(-n // s) - 1) * s + reach - n, 0)
        found.append((reach - 1, 0) if padding == "causal" else (total // 2, total - total // 2))
    return found


def padded(x: T, pads: list[tuple[int, int]], value: float = 0.0) -> T:
    """A channels-first tensor with its spatial axes padded."""
    return F.pad(x, [n for two in reversed(pads) for n in two], value=value)


CONV = (F.conv1d, F.conv2d, F.conv3d)
CONV_TRANSPOSE = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
MAX_POOL = (F.max_pool1d, F.max_pool2d, F.max_pool3d)


def conv(
    x: T, kernel: T, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> T:
    count = kernel.ndim - 2
    steps, dilation = each(strides, count), each(dilation_rate, count)
    pads = window_pads(x.shape[1:-1], kernel.shape, steps, dilation, padding)
    weights = kernel.permute(-1, -2, *range(count)).contiguous()
    groups = x.shape[-1] // kernel.shape[-2]
    return last(CONV[count - 1](padded(first(x), pads), weights, None, steps, 0, dilation, groups))


def depthwise_conv(x: T, kernel: T, *rest: Any, **more: Any) -> T:
    return conv(x, kernel.flatten(-2).unsqueeze(-2), *rest, **more)


def separable_conv(x: T, depthwise: T, pointwise: T, *rest: Any, **more: Any) -> T:
    return conv(depthwise_conv(x, depthwise, *rest, **more), pointwise)


def conv_transpose(
    x: T, kernel: T, strides: Any = 1, padding: str = "valid", output_padding: Any = None, data_format: Any = None,
    dilation_rate: Any = 1,
) -> T:  # fmt: skip
    count = kernel.ndim - 2
    steps, dilation = each(strides, count), each(dilation_rate, count)
    weights = kernel.permute(-1, -2, *range(count)).contiguous()
    whole = CONV_TRANSPOSE[count - 1](first(x), weights, None, steps, 0, 0, 1, dilation)
    for axis, (n, k, s) in enumerate(zip(x.shape[1:-1], kernel.shape, steps), 2):
        size = n * s if padding == "same" else (n - 1) * s + max(k, s)
        ((before, _),) = window_pads([size], [k], [s], [1], padding)
        if padding == "same" and output_padding is not None:
            more = each(output_padding, count)[axis - 2]
            size, before = (n - 1) * s + k % 2 + more, max((k - k % 2 - more) // 2, 0)
        missing = max(before + size - whole.shape[axis], 0)
        whole = F.pad(whole.movedim(axis, -1), (0, missing)).movedim(-1, axis).narrow(axis, before, size)
    return last(whole)


def pooled(x: T, pool_size: Any, strides: Any, padding: str) -> tuple[T, Any, Any, list[tuple[int, int]]]:
    count = x.ndim - 2
    size = each(pool_size, count)
    steps = size if strides is None else each(strides, count)
    return first(x), size, steps, window_pads(x.shape[1:-1], size, steps, (1,) * count, padding)


def max_pool(x: T, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None) -> T:
    x, size, steps, pads = pooled(x, pool_size, strides, padding)
    return last(MAX_POOL[len(size) - 1](padded(x, pads, -math.inf), size, steps))


def average_pool(x: T, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None) -> T:
    """Sums by a convolution with ones, divided by how many elements of the input each window covers."""
    x, size, steps, pads = pooled(x, pool_size, strides, padding)
    ones = torch.ones(x.shape[1], 1, *size, dtype=x.dtype)
    sums, counts = (
        CONV[len(size) - 1](padded(t, pads), ones, None, steps, groups=x.shape[1]) for t in (x, torch.ones_like(x))
    )
    return last(sums / counts)


TORCH: dict[str, Callable[..., Any]] = {
    **TORCH_ATTENTION,
    **TORCH_COMPLEX,
    **TORCH_NUMPY,
    **TORCH_ARRAYS,
    **TORCH_SEARCH,
    **TORCH_SIGNALS,
    **TORCH_NAN,
    **TORCH_LINALG,
    "abs": torch.abs,
    "add": torch.add,
    "all": over(torch.all),
    "any": over(torch.any),
    "arange": arange,
    "arctan": torch.arctan,
    "argmax": place(torch.argmax),
    "argmin": place(torch.argmin),
    "argsort": flat_or(lambda x, dim: torch.argsort(x, dim=dim, stable=True)),
    "average_pool": average_pool,
    "binary_crossentropy": binary_crossentropy,
    "bitwise_and": torch.bitwise_and,
    "bitwise_not": torch.bitwise_not,
    "bitwise_or": torch.bitwise_or,
    "bitwise_xor": torch.bitwise_xor,
    "broadcast_like": lambda x, like: torch.broadcast_to(x, like.shape),
    "broadcast_to": lambda x, shape: torch.broadcast_to(x, sizes(shape)),
    "cast": lambda x, dtype: x.to(named(dtype)),
    "categorical_crossentropy": categorical_crossentropy,
    "ceil": torch.ceil,
    "clip": torch.clip,
    "concatenate": lambda xs, axis=0: torch.cat([x.flatten() for x in xs] if axis is None else xs, axis or 0),
    "conv": conv,
    "conv_transpose": conv_transpose,
    "copy": torch.clone,
    "cos": torch.cos,
    "cosh": torch.cosh,
    "count_nonzero": over(lambda x, dim, keepdim: torch.sum(x != 0, dim, keepdim)),
    "cumprod": cumulative(torch.cumprod),
    "cumsum": cumulative(torch.cumsum),
    "depthwise_conv": depthwise_conv,
    "diagonal": lambda x, offset=0, axis1=0, axis2=1: torch.diagonal(x, offset, axis1, axis2),
    "diagonal_like": diagonal_like,
    "divide": torch.divide,
    "dot": dot,
    "einsum": torch.einsum,
    "elu": F.elu,
    "empty": lambda shape, dtype=None: torch.zeros(sizes(shape), dtype=named(dtype)),
    "empty_like": lambda x, dtype=None: torch.zeros_like(x, dtype=named(dtype) if dtype else None),
    "equal": torch.eq,
    "erf": torch.erf,
    "erfinv": torch.erfinv,
    "exp": torch.exp,
    "expand_dims": expand_dims,
    "expm1": torch.expm1,
    "eye": eye,
    "flatten": lambda x: x.reshape(-1),
    "flip": lambda x, axis=None: torch.flip(x, axes_of(axis, x.ndim)),
    "floor": torch.floor,
    "floor_divide": torch.floor_divide,
    "full": lambda shape, value, dtype=None: torch.broadcast_to(
        torch.as_tensor(value, dtype=named(dtype) if dtype else None), sizes(shape)
    ),
    "full_like": lambda x, value, dtype=None: torch.broadcast_to(
        torch.as_tensor(value, dtype=named(dtype) if dtype else x.dtype), x.shape
    ),
    "gelu": lambda x, approximate=True: F.gelu(x, approximate="tanh" if approximate else "none"),
    "getitem": indexed,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    # The gradient of F.hardsigmoid has the 1/6 of float32.
    "hard_sigmoid": lambda x: F.relu6(x + 3) / 6,
    "hstack": torch.hstack,
    "identity": lambda n, dtype=None: eye(n, dtype=dtype),
    "isfinite": torch.isfinite,
    "isnan": torch.isnan,
    "l2_norm": over(lambda x, dim, keepdim: torch.linalg.vector_norm(x, 2, dim, keepdim)),
    "leaky_relu": lambda x, negative_slope=0.2: F.leaky_relu(x, negative_slope),
    "left_shift": torch.bitwise_left_shift,
    "less": torch.lt,
    "less_equal": torch.le,
    "linear_recurrence": linear_recurrence,
    "linspace": linspace,
    "log": torch.log,
    "log1p": torch.log1p,
    "log_sigmoid": F.logsigmoid,
    "log_softmax": log_softmax,
    "logical_and": torch.logical_and,
    "logical_not": torch.logical_not,
    "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor,
    "logsumexp": over(torch.logsumexp),
    "max": over(torch.amax),
    "max_pool": max_pool,
    "maximum": torch.maximum,
    "mean": over(torch.mean),
    "meshgrid": meshgrid,
    "min": over(torch.amin),
    "minimum": torch.minimum,
    "mod": torch.remainder,
    "moveaxis": torch.movedim,
    "multiply": torch.multiply,
    "multiply_no_nan": torch.multiply,
    "tanh_slope": lambda g, y: g * (1 - y * y),
    "negative": torch.negative,
    "norm": norm,
    "not_equal": torch.ne,
    "one_hot": one_hot,
    "ones": lambda shape, dtype=None: torch.ones(sizes(shape), dtype=named(dtype)),
    "ones_like": lambda x, dtype=None: torch.ones_like(x, dtype=named(dtype) if dtype else None),
    "outer": lambda a, b: torch.outer(a.flatten(), b.flatten()),
    "pad": pad,
    "positive": lambda x: x.clone(),
    "power": torch.pow,
    "prod": over(products),
    "ravel": lambda x: x.reshape(-1),
    "reciprocal": torch.reciprocal,
    "relu": torch.relu,
    "relu6": F.relu6,
    "repeat": repeat,
    "reshape": lambda x, shape: torch.reshape(x, sizes(shape)),
    "reshape_like": lambda x, like: torch.reshape(x, like.shape),
    "right_shift": torch.bitwise_right_shift,
    "roll": roll,
    "round": lambda x, decimals=0: torch.round(x.double(), decimals=decimals).to(x.dtype),
    "scatter_like": scatter_like,
    "selu": F.selu,
    "separable_conv": separable_conv,
    "shift": shift,
    "sigmoid": torch.sigmoid,
    "sigmoid_crossentropy": sigmoid_crossentropy,
    "sign": torch.sign,
    "silu": F.silu,
    "sin": torch.sin,
    "sinh": torch.sinh,
    "size_of": lambda x, axis=None: torch.tensor(math.prod(x.shape[k] for k in axes_of(axis, x.ndim))),
    "softmax": softmax,
    "softplus": lambda x: F.softplus(x, threshold=100),
    "softsign": F.softsign,
    "sort": flat_or(lambda x, dim: torch.sort(x, dim).values),
    "sparse_categorical_crossentropy": sparse_categorical_crossentropy,
    "split": lambda x, parts, axis=0: torch.tensor_split(x, parts, axis),
    "split_like": lambda x, likes, axis=0: torch.split(x, [like.shape[axis] for like in likes], axis),
    "sqrt": torch.sqrt,
    "square": torch.square,
    "squeeze": lambda x, axis=None: x.squeeze() if axis is None else x.squeeze(axis),
    "stack": lambda xs, axis=0: torch.stack(xs, axis),
    "std": over(lambda x, dim, keepdim, ddof=0: torch.std(x, dim, correction=ddof, keepdim=keepdim)),
    "stop_gradient": torch.detach,
    "subtract": torch.subtract,
    "sum": over(torch.sum),
    "swapaxes": torch.swapaxes,
    "take": take,
    "take_along_axis": take_along_axis,
    "tanh": torch.tanh,
    "tensordot": tensordot,
    "tile": lambda x, repeats: torch.tile(x, sizes(repeats)),
    "trace": lambda x, offset=0, axis1=0, axis2=1: torch.diagonal(x, offset, axis1, axis2).sum(-1),
    "transpose": lambda x, axes=None: x.permute(axes or tuple(range(x.ndim))[::-1]),
    "tri": tri,
    "tril": torch.tril,
    "triu": torch.triu,
    "trunc": torch.trunc,
    "unbroadcast": lambda g, like: g.sum_to_size(like.shape).to(like.dtype),
    "unstack": lambda x, num=None, axis=0: torch.unbind(x, axis),
    "var": over(lambda x, dim, keepdim, ddof=0: torch.var(x, dim, correction=ddof, keepdim=keepdim)),
    "vdot": lambda a, b: torch.dot(a.flatten(), b.flatten()),
    "vstack": torch.vstack,
    "zeros": lambda shape, dtype=None: torch.zeros(sizes(shape), dtype=named(dtype)),
    "zeros_like": lambda x, dtype=None: torch.zeros_like(x, dtype=named(dtype) if dtype else None),
}

_TRANSPOSE = "the transpose of another op, compared as its gradient"
_FUNCTIONS = "takes functions of Tensors, which torch's tensors do not go through"
_RANDOM = "torch draws from another generator"
_CTC = "its own lengths and decoders: compared with torch and Keras in test_ctc.py"

# Ops that are not compared, and why.
WITHOUT: dict[str, str] = {
    **WITHOUT_COMPLEX,
    **WITHOUT_NUMPY,
    **WITHOUT_SEARCH,
    **WITHOUT_SIGNALS,
    "associative_scan": _FUNCTIONS,
    "average_unpool": _TRANSPOSE,
    "cond": _FUNCTIONS,
    "conv_correlate": _TRANSPOSE,
    "conv_spread": _TRANSPOSE,
    "ctc_decode": _CTC,
    "ctc_loss": _CTC,
    "fori_loop": _FUNCTIONS,
    "map": _FUNCTIONS,
    "max_pick": _TRANSPOSE,
    "max_unpool": _TRANSPOSE,
    "random_bits": _RANDOM,
    "random_normal": _RANDOM,
    "random_uniform": _RANDOM,
    "scan": _FUNCTIONS,
    "switch": _FUNCTIONS,
    "vectorized_map": _FUNCTIONS,
    "while_loop": _FUNCTIONS,
}
