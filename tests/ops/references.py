"""Plain formulas for ops that NumPy lacks under their name, written apart from the ops themselves."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.ops.array_references import ARRAY_REFERENCES
from tests.ops.attention_references import ATTENTION_REFERENCES
from tests.ops.ctc_references import CTC_REFERENCES
from tests.ops.image_references import IMAGE_REFERENCES
from tests.ops.loop_references import LOOPS
from tests.ops.numpy_references import NUMPY_REFERENCES
from tests.ops.window_references import WINDOW_REFERENCES

Array = Any


def elementwise(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """A function of one Python float, applied to every element."""

    def run(x: Array) -> Array:
        return np.array([function(float(v)) for v in np.ravel(x)], np.float64).reshape(np.shape(x))

    return run


def sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v))


def gelu(x: Array, approximate: bool = True) -> Array:
    if approximate:
        return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    return x * (1 + elementwise(math.erf)(x / math.sqrt(2))) / 2


def elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def selu(x: Array) -> Array:
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1))


def erfinv(v: float) -> float:
    """The root of erf, by bisection."""
    low, high = -6.0, 6.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erf(middle) < v else (low, middle)
    return (low + high) / 2


def axes_of(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def softmax(x: Array, axis: Any = -1) -> Array:
    with np.errstate(all="ignore"):
        e = np.exp(x)
        return np.nan_to_num(e / e.sum(axes_of(axis), keepdims=True))


def log_softmax(x: Array, axis: Any = -1) -> Array:
    return x - np.log(np.exp(x).sum(axes_of(axis), keepdims=True))


def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    return np.log(np.exp(x).sum(axes_of(axis), keepdims=keepdims))


def l2_norm(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    return np.sqrt((x * x).sum(axes_of(axis), keepdims=keepdims))


def binary_crossentropy(target: Array, output: Array, from_logits: bool = False) -> Array:
    p = 1 / (1 + np.exp(-output)) if from_logits else output
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def categorical_crossentropy(target: Array, output: Array, from_logits: bool = False, axis: int = -1) -> Array:
    p = softmax(output, axis) if from_logits else output / output.sum(axis, keepdims=True)
    return -(target * np.log(p)).sum(axis)


def sparse_categorical_crossentropy(target: Array, output: Array, from_logits: bool = False, axis: int = -1) -> Array:
    places = np.moveaxis(np.zeros_like(output), axis, -1)
    np.put_along_axis(places, target[..., None], 1.0, -1)
    return categorical_crossentropy(np.moveaxis(places, -1, axis), output, from_logits, axis)


def diagonal_like(d: Array, like: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """An index per element of `like`: its diagonal says where the elements of d go."""
    out = np.zeros(like.size, d.dtype)
    out[np.arange(like.size).reshape(like.shape).diagonal(offset, axis1, axis2)] = d
    return out.reshape(like.shape)


def one_hot(x: Array, num_classes: int, axis: int = -1, dtype: Any = None) -> Array:
    hot = [np.asarray(x) == k for k in range(num_classes)]
    return np.stack(hot, axis).astype(dtype or "float32")


def linear_recurrence(a: Array, b: Array, axis: int = -1, *, reverse: bool = False) -> Array:
    a, b = (np.moveaxis(t, axis, 0) for t in (a, b))
    rows: list[Array] = []
    for step in reversed(range(len(b))) if reverse else range(len(b)):
        rows.append(b[step] + (a[step] * rows[-1] if rows else 0))
    return np.moveaxis(np.array(rows[::-1] if reverse else rows).reshape(b.shape), 0, axis)


def shift(x: Array, step: int = 1, axis: int = -1, fill: float = 0) -> Array:
    rows = list(np.moveaxis(x, axis, 0))
    free = [np.full_like(row, fill) for row in rows[:1]]
    moved = free + rows[:-1] if step == 1 else rows[1:] + free
    return np.moveaxis(np.array(moved).reshape(np.moveaxis(x, axis, 0).shape), 0, axis)


def cumulative(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Array, axis: int | None = None, *, reverse: bool = False) -> Array:
        flat, place = (np.ravel(x), 0) if axis is None else (x, axis)
        return np.flip(function(np.flip(flat, place), place), place) if reverse else function(flat, place)

    return run


def unbroadcast(g: Array, like: Array) -> Array:
    """Every element of g added to the element of `like` that was broadcast to it."""
    out = np.zeros(like.size, like.dtype)
    places = np.broadcast_to(np.arange(like.size).reshape(like.shape), g.shape)
    for place, value in zip(places.ravel(), g.ravel()):
        out[place] += value
    return out.reshape(like.shape)


def scatter_like(g: Array, like: Array, key: Any) -> Array:
    out = np.zeros(like.size, g.dtype)
    places = np.arange(like.size).reshape(like.shape)[key]
    for place, value in zip(np.ravel(places), np.ravel(g)):
        out[place] += value
    return out.reshape(like.shape)


def size_of(x: Array, axis: Any = None) -> Array:
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    return np.int64(math.prod(x.shape[k] for k in axes))


def split_like(x: Array, likes: Any, axis: int = 0) -> Array:
    return np.split(x, np.cumsum([like.shape[axis] for like in likes])[:-1], axis)


def unstack(x: Array, num: int | None = None, axis: int = 0) -> Array:
    return [np.take(x, k, axis) for k in range(x.shape[axis])]


def take_along_axis(x: Array, indices: Array, axis: int | None = None) -> Array:
    return np.take_along_axis(x, np.asarray(indices), axis)


def filled(value: int) -> Callable[..., Any]:
    return lambda shape, dtype=None: np.full(shape, value, dtype or "float32")


def diagonal_ones(n: int, m: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    rows, columns = np.indices((n, n if m is None else m))
    return (columns - rows == k).astype(dtype or "float32")


def lower_ones(n: int, m: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    rows, columns = np.indices((n, n if m is None else m))
    return (columns - rows <= k).astype(dtype or "float32")


def philox_block(block: int, key: Array) -> list[int]:
    """Philox4x32-10 in Python integers (Salmon et al. 2011, figure 2)."""
    low = 0xFFFFFFFF
    x = [block & low, block >> 32, int(key[2]), int(key[3])]
    k = [int(key[0]), int(key[1])]
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(q >> 32) ^ x[1] ^ k[0], q & low, (p >> 32) ^ x[3] ^ k[1], p & low]
        k = [(k[0] + 0x9E3779B9) & low, (k[1] + 0xBB67AE85) & low]
    return x


def random_bits(key: Array, shape: Any) -> Array:
    count = math.prod(sizes_of(shape))
    words = [word for block in range(count // 4 + 1) for word in philox_block(block, key)]
    return np.array(words[:count], np.uint32).reshape(shape)


def sizes_of(shape: Any) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)


def units(key: Array, shape: Any, count: int, dtype: Any) -> list[Array]:
    """Uniform numbers in [0, 1): words high and low for float64, the upper 24 bits of one word for float32."""
    each = 2 if dtype == "float64" else 1
    words = random_bits(key, (*sizes_of(shape), count * each)).astype(np.float64)
    if each == 1:
        return [(words[..., k] // 2**8 * 2.0**-24).astype(np.float32) for k in range(count)]
    return [(words[..., 2 * k] // 32 * 2.0**26 + words[..., 2 * k + 1] // 64) * 2.0**-53 for k in range(count)]


def random_uniform(key: Array, shape: Any, low: float = 0.0, high: float = 1.0, dtype: Any = "float32") -> Array:
    (u,) = units(key, shape, 1, dtype)
    return (low + (high - low) * u).astype(dtype)


def random_normal(key: Array, shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32") -> Array:
    a, b = units(key, shape, 2, dtype)
    return (mean + stddev * np.sqrt(-2 * np.log(1 - a)) * np.cos(2 * np.pi * b).astype(dtype)).astype(dtype)


REFERENCES: dict[str, Callable[..., Any]] = {
    **WINDOW_REFERENCES,
    **NUMPY_REFERENCES,
    **ARRAY_REFERENCES,
    **ATTENTION_REFERENCES,
    **CTC_REFERENCES,
    **IMAGE_REFERENCES,
    **LOOPS,
    "binary_crossentropy": binary_crossentropy,
    "broadcast_like": lambda x, like: np.zeros(like.shape, x.dtype) + x,
    "cast": lambda x, dtype: np.array(x, dtype),
    "categorical_crossentropy": categorical_crossentropy,
    "cumprod": cumulative(np.cumprod),
    "cumsum": cumulative(np.cumsum),
    "diagonal_like": diagonal_like,
    "elu": elu,
    "empty": filled(0),
    "empty_like": np.zeros_like,
    "erf": elementwise(math.erf),
    "erfinv": elementwise(erfinv),
    "eye": diagonal_ones,
    "gelu": gelu,
    "getitem": lambda x, key: x[key],
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "identity": lambda n, dtype=None: diagonal_ones(n, dtype=dtype),
    "l2_norm": l2_norm,
    "leaky_relu": lambda x, negative_slope=0.2: np.where(x > 0, x, negative_slope * x),
    "linear_recurrence": linear_recurrence,
    "log_sigmoid": lambda x: np.log(1 / (1 + np.exp(-x))),
    "log_softmax": log_softmax,
    "logsumexp": logsumexp,
    "multiply_no_nan": lambda a, b: a * b,
    "tanh_slope": lambda g, y: g - g * y * y,
    "one_hot": one_hot,
    "ones": filled(1),
    "random_bits": random_bits,
    "random_normal": random_normal,
    "random_uniform": random_uniform,
    "relu": lambda x: np.where(x > 0, x, 0.0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "reshape_like": lambda x, like: x.reshape(like.shape),
    "scatter_like": scatter_like,
    "selu": selu,
    "shift": shift,
    "sigmoid": elementwise(sigmoid),
    "sigmoid_crossentropy": lambda t, x: binary_crossentropy(t, x, from_logits=True),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "size_of": size_of,
    "softmax": softmax,
    "softplus": elementwise(lambda v: math.log(1 + math.exp(v))),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sparse_categorical_crossentropy": sparse_categorical_crossentropy,
    "split_like": split_like,
    "stop_gradient": lambda x: x,
    "take_along_axis": take_along_axis,
    "tri": lower_ones,
    "unbroadcast": unbroadcast,
    "unstack": unstack,
    "zeros": filled(0),
}
