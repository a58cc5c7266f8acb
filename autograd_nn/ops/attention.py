"""Scaled dot-product attention, in matrix products and a softmax."""

import math
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Sample
from ..engine.spec import Size, broadcast, promote, show_shape
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from .arrange import repeat
from .creation import arange, shape
from .domain import Rng, cases
from .elementwise import cast, less_equal, where
from .family import composite, differ, tensors
from .linalg import matmul
from .nn import floating, softmax
from .shape import expand_dims, swapaxes


def _samples(rng: Rng) -> list[Sample]:
    def arrays(t: int, s: int, heads: int, kept: int, batch: int = 2) -> tuple[Any, Any, Any]:
        wide, narrow = (batch, t, heads, 3), (batch, s, kept, 3)
        return rng.normal(size=wide), rng.normal(size=narrow), rng.normal(size=narrow)

    mask = rng.integers(0, 2, (2, 1, 3, 4)).astype(bool)
    mask[..., 0] = True
    return [
        Sample(arrays(3, 4, 2, 2)), Sample(arrays(3, 3, 2, 2), {"is_causal": True}),
        Sample(arrays(2, 4, 1, 1), {"is_causal": True, "scale": 0.3}), Sample(arrays(3, 4, 2, 2), {"mask": mask}),
        Sample((*arrays(3, 4, 2, 2), rng.normal(size=(2, 3, 4)))), Sample(arrays(2, 3, 4, 2)),
        Sample(arrays(2, 3, 2, 1)), Sample(arrays(2, 3, 2, 2, batch=0)),
    ]  # fmt: skip


def _errors() -> list[Bad]:
    q, k = np.ones((2, 3, 4, 5)), np.ones((2, 6, 4, 5))
    return [
        Bad((q[0], k, k), {}, ValueError), Bad((q, k, k[:, :5]), {}, ValueError),
        Bad((q, k[..., :4], k), {}, ValueError), Bad((q, k[:, :, :3], k[:, :, :3]), {}, ValueError),
        Bad((q, k, k), {"mask": np.ones((3, 5), bool)}, ValueError),
        Bad((q, k, k), {"attn_logits_soft_cap": 1.0}, ValueError), Bad((q, k, k), {"scale": "a"}, TypeError),
        Bad((np.array(["a"]), k, k), {}, TypeError),
    ]  # fmt: skip


@composite(reference=None, domain=cases(_samples, _errors))
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """softmax(query . key * scale + bias) . value for every head: each query takes a mean of the values.

    query:     (batch, T, N, H): T places, N heads of H numbers
    key, value: (batch, S, K, H) and (batch, S, K, V): K heads; N must be a multiple of K, whose heads are shared then
    bias:      added to the products, broadcasts to (batch, N, T, S)
    mask:      booleans that broadcast to (batch, N, T, S), False where a key is not to be seen
    scale:     1 / sqrt(H) if None
    is_causal: a query sees no key further on than itself
    flash_attention, attn_logits_soft_cap: as in Keras; the first changes nothing, the second must be None

    Returns (batch, T, N, V). A query that sees no key gets the mean of all values.
    Raises ShapeError where shapes do not fit. Vaswani et al. 2017, arXiv 1706.03762.

    >>> import autograd_nn as ag
    >>> x = ag.tensor([[[[0.0]], [[2.0]]]])
    >>> ag.ops.dot_product_attention(ag.ops.zeros_like(x), x, x, is_causal=True).reshape(-1).tolist()
    [0.0, 1.0]
    """
    query, key, value = (floating(x) for x in tensors((query, key, value)))
    _check_shapes(query, key, value)
    if attn_logits_soft_cap is not None:
        raise InvalidArgument(
            f"dot_product_attention: attn_logits_soft_cap must be None, got {short(attn_logits_soft_cap)}"
        )
    dtype = promote(query.dtype, key.dtype, value.dtype)
    factor = _factor(scale, query)
    query, key, value = (_heads_first(cast(x, dtype)) for x in (query, key, value))
    key, value = (_shared(x, query.spec.shape[1]) for x in (key, value))
    # Scaled here and not before, so that factor, bias and masks lie in the loop of the product.
    logits = matmul(query, swapaxes(key, -2, -1)) * factor
    if bias is not None:
        bias = cast(as_tensor(bias), dtype)
        _check_fits("bias", bias, logits)
        logits = logits + bias
    logits = _hidden(logits, mask, is_causal)
    return _heads_first(matmul(softmax(logits, -1), value))


def _heads_first(x: Tensor) -> Tensor:
    """(batch, places, heads, numbers) as (batch, heads, places, numbers), and back."""
    return swapaxes(x, 1, 2)


def _shared(x: Tensor, heads: Size) -> Tensor:
    """x with each of its heads repeated, unless it has as many as the query, or one, which broadcasts."""
    own = x.spec.shape[1]
    if own == heads or own == 1 or not isinstance(heads, int) or not isinstance(own, int):
        return x
    return repeat(x, heads // own, axis=1)


def _factor(scale: Any, query: Tensor) -> float:
    if scale is None:
        return 1 / math.sqrt(query.spec.shape[-1])  # type: ignore[arg-type]
    if isinstance(scale, (bool, str)) or not hasattr(scale, "__float__"):
        raise ArgumentTypeError(f"dot_product_attention: scale must be a number, got {short(scale)}")
    return float(scale)


def _hidden(logits: Tensor, mask: Any, is_causal: bool) -> Tensor:
    """The products with those not to be seen far below all others."""
    # Far below, and not -inf: rows without any key left stay finite, and are means, as in Keras.
    low = float(np.finfo(logits.dtype).min) * 0.7
    if is_causal:
        logits = where(causal_mask(*shape(logits)[-2:]), logits, low)
    if mask is None:
        return logits
    seen = cast(as_tensor(mask), "bool")
    _check_fits("mask", seen, logits)
    return where(seen, logits, low)


def causal_mask(rows: Any, columns: Any) -> Tensor:
    """Booleans (rows, columns), True where the column is not further on than the row; a constant for known sizes."""
    return less_equal(expand_dims(_places(columns), 0), expand_dims(_places(rows), 1))


def _places(count: Any) -> Tensor:
    return arange(count, dtype="int32")


# --- errors


def _check_fits(name: str, x: Tensor, logits: Tensor) -> None:
    whole = logits.spec.shape
    if x.ndim <= 4 and not differ(broadcast(whole, x.spec.shape, what=f"{name} and (batch, N, T, S)"), whole):
        return
    raise ShapeError(
        f"dot_product_attention: {name} must broadcast to (batch, N, T, S) = {show_shape(whole)}, got "
        f"{show_shape(x.spec.shape)}"
    )


def _check_shapes(query: Tensor, key: Tensor, value: Tensor) -> None:
    """ShapeError unless the three belong together."""
    given = {"query": query.spec.shape, "key": key.spec.shape, "value": value.spec.shape}
    for name, sizes in given.items():
        if len(sizes) != 4:
            raise ShapeError(
                f"dot_product_attention: {name} needs 4 axes (batch, places, heads, numbers), got {show_shape(sizes)}"
            )
    q, k, v = given.values()
    numbers, places = _unequal(q[3], k[3]), _unequal(k[1], v[1])
    shared = isinstance(q[2], int) and isinstance(k[2], int) and (not k[2] or q[2] % k[2] != 0)
    if numbers or places or shared or _unequal(k[2], v[2]) or not isinstance(q[3], int):
        shown = ", ".join(f"{name} {show_shape(sizes)}" for name, sizes in given.items())
        raise ShapeError(
            f"dot_product_attention: expected query (batch, T, N, H), key (batch, S, K, H), value (batch, S, K, V), N "
            f"a multiple of K, got {shown}"
        )


def _unequal(a: Size, b: Size) -> bool:
    return isinstance(a, int) and isinstance(b, int) and a != b
