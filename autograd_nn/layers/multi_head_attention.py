"""MultiHeadAttention: projections to several heads, attention in each, a projection back."""

import math
import string
from typing import Any

from .. import constraints, initializers, ops, regularizers
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, ShapeError, short
from ..ops.attention import causal_mask
from ..ops.einsum import einsum
from ..saving.registry import register, serialize_keras_object
from .activation import Softmax
from .attention import FirstMasked
from .einsum_dense import EinsumDense
from .regularization import Dropout, checked_rate
from .weights import check_positive_int

_DESCRIBED = (
    "num_heads", "key_dim", "value_dim", "dropout", "use_bias", "use_gate", "attention_axes", "sliding_window", "seed",
)  # fmt: skip
_DENSE = ("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "kernel_constraint",
          "bias_constraint")  # fmt: skip


@register()
class MultiHeadAttention(FirstMasked):
    """Several attentions side by side, each on its own projections of query, key and value.

    num_heads:       number of attentions
    key_dim, value_dim: sizes of each head's queries and keys, and of its values; value_dim is key_dim if None
    dropout:         share of the weights that are dropped while training
    use_bias:        whether the projections have a bias
    output_shape:    last size, or sizes, of the output; that of the query if None
    attention_axes:  the axes of places; all between batch and last axis if None
    sliding_window:  a query sees only keys less than so many places away
    flash_attention: accepted as in Keras; changes nothing
    use_gate:        a sigmoid of one more projection of the query multiplies the heads' outputs
    kernel_initializer, ... bias_constraint, activity_regularizer: of the projections
    seed:            of the dropout

    Call: query (batch, T, n), value (batch, S, m), key (batch, S, k), the values if None; query_mask (batch, T),
    value_mask and key_mask (batch, S), taken from the tensors where not given; attention_mask (batch, T, S) with
    optional heads after the batch; return_attention_scores; training; use_causal_mask.
    Output: (batch, T, n), for return_attention_scores also the weights (batch, num_heads, T, S).
    Kernels: query (n, num_heads, key_dim), key, value, output (num_heads, value_dim, n). Vaswani et al. 2017,
    arXiv 1706.03762.

    >>> import autograd_nn as ag
    >>> layer = ag.layers.MultiHeadAttention(num_heads=2, key_dim=3)
    >>> x = ag.ops.ones((1, 4, 5))
    >>> layer(x, x, use_causal_mask=True).shape
    (1, 4, 5)
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        what = "MultiHeadAttention"
        heads, size = (
            check_positive_int(num_heads, f"{what}: num_heads"),
            check_positive_int(key_dim, f"{what}: key_dim"),
        )
        depth = size if value_dim is None else check_positive_int(value_dim, f"{what}: value_dim")
        window = None if sliding_window is None else check_positive_int(sliding_window, f"{what}: sliding_window")
        checked_rate(dropout, f"{what}: dropout")
        sizes, axes = _checked_shape(output_shape), _checked_axes(attention_axes)
        super().__init__(**kwargs)
        self.num_heads, self.key_dim, self.value_dim = heads, size, depth
        self.dropout = dropout
        self.use_bias = use_bias
        self.use_gate = use_gate
        self.attention_axes = axes
        self.sliding_window = window
        self.seed = seed
        self.supports_masking = True
        # `output_shape` itself would hide what a built layer may say of its outputs.
        self._output_sizes = sizes
        self._activity_regularizer = regularizers.get(activity_regularizer)
        self._kernel_initializer = initializers.get(kernel_initializer)
        self._bias_initializer = initializers.get(bias_initializer)
        self._kernel_regularizer = regularizers.get(kernel_regularizer)
        self._bias_regularizer = regularizers.get(bias_regularizer)
        self._kernel_constraint = constraints.get(kernel_constraint)
        self._bias_constraint = constraints.get(bias_constraint)

    def get_config(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in _DESCRIBED}
        dense = {name: serialize_keras_object(getattr(self, f"_{name}")) for name in (*_DENSE, "activity_regularizer")}
        return {**super().get_config(), **plain, "output_shape": self._output_sizes, **dense}

    # --- weights

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:  # type: ignore[override]
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        keys, values = (self.num_heads, self.key_dim), (self.num_heads, self.value_dim)
        self.query_dense = self._projection("query", query_shape, keys)
        self.key_dense = self._projection("key", key_shape, keys)
        self.gate_dense = self._projection("gate", query_shape, values, "sigmoid") if self.use_gate else None
        self.value_dense = self._projection("value", value_shape, values)
        self._read_axes(len(query_shape) + 1)
        self._softmax = Softmax(tuple(range(-len(self._axes), 0)), dtype=self.dtype)
        self._dropout = Dropout(self.dropout, seed=self.seed, dtype=self.dtype)
        output = self._output_sizes or (query_shape[-1],)
        self.output_dense = self._projection("attention_output", (*query_shape[:-1], *values), output, bound=2)

    def _projection(self, name: str, shape: Any, sizes: Any, activation: Any = None, bound: int = 1) -> EinsumDense:
        """A built layer that replaces the last `bound` axes of inputs of that shape by axes of these sizes."""
        free = len(shape) - bound
        letters = string.ascii_lowercase
        kept, summed, new = (letters[a:b] for a, b in _steps(free, bound, len(sizes)))
        own = {key: getattr(self, f"_{key}") for key in _DENSE}
        layer = EinsumDense(
            f"{kept}{summed},{summed}{new}->{kept}{new}",
            output_shape=(*[None] * (free - 1), *sizes),
            activation=activation,
            bias_axes=new if self.use_bias else None,
            activity_regularizer=self._activity_regularizer,
            dtype=self.dtype,
            name=name,
            **{**own, **{key: _anew(own[key]) for key in ("kernel_initializer", "bias_initializer")}},
        )
        layer.build(tuple(shape))
        return layer

    def _read_axes(self, rank: int) -> None:
        """The axes of places of projected tensors with `rank` axes, and the equations of scores and outputs."""
        given = tuple(range(1, rank - 2)) if self.attention_axes is None else self.attention_axes
        self._axes = tuple(axis if axis >= 0 else rank - 1 + axis for axis in given)
        self._equations = _equations(rank, self._axes)

    def _check_shapes(self, query: Any, value: Any, key: Any) -> None:
        for name, shape in (("query", query), ("value", value), ("key", key)):
            if not isinstance(shape, (list, tuple)) or len(shape) < 3 or shape[-1] is None:
                raise ShapeError(
                    f"layer {self.name!r} expects {name} (batch, places, numbers) with a known last size, got "
                    f"{short(shape)}"
                )
        if len(value) != len(key) or any(
            None not in pair and pair[0] != pair[1] for pair in zip(value[1:-1], key[1:-1])
        ):
            raise ShapeError(
                f"layer {self.name!r}: value and key must have the same places, got {tuple(value)} and {tuple(key)}"
            )

    # --- the call

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        key = value if key is None else key
        seen = self._padding(query_mask, value_mask, key_mask)
        if self.sliding_window is not None:
            seen = _both(seen, ops.expand_dims(_near(query, value, self.sliding_window), 0))
        if attention_mask is not None:
            given = ops.cast(attention_mask, "bool")
            seen = _both(given, None if seen is None else self._over_heads(seen, given.ndim))
        gate = None if self.gate_dense is None else self.gate_dense(query)
        heads = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        if self.dropout > 0 or return_attention_scores or query.ndim != 3:
            output, weights = self._weighted(*heads, seen, use_causal_mask, training)
        else:
            output, weights = self._direct(*heads, seen, use_causal_mask), None
        output = self.output_dense(output if gate is None else output * gate)
        return (output, weights) if return_attention_scores else output

    def _padding(self, query_mask: Any, value_mask: Any, key_mask: Any) -> Tensor | None:
        """What the masks of the three leave to be seen, (batch, T or 1, S or 1)."""
        seen = None if query_mask is None else ops.expand_dims(ops.cast(query_mask, "bool"), -1)
        for mask in (value_mask, key_mask):
            seen = seen if mask is None else _both(seen, ops.expand_dims(ops.cast(mask, "bool"), -2))
        return seen

    def _direct(self, query: Tensor, key: Tensor, value: Tensor, seen: Tensor | None, causal: bool) -> Tensor:
        scale = 1 / math.sqrt(self.key_dim)
        mask = None if seen is None else self._over_heads(seen, 4)
        return ops.dot_product_attention(query, key, value, mask=mask, scale=scale, is_causal=causal)

    def _weighted(
        self, query: Tensor, key: Tensor, value: Tensor, seen: Tensor | None, causal: bool, training: Any
    ) -> tuple[Tensor, Tensor]:
        """The output and the weights, for any axes of places."""
        if causal:
            seen = _both(seen, ops.expand_dims(causal_mask(ops.shape(query)[1], ops.shape(value)[1]), 0))
        products, combined = self._equations
        scores = einsum(products, key, query * (1 / math.sqrt(self.key_dim)))
        mask = None if seen is None else self._over_heads(seen, scores.ndim)
        weights = self._softmax(scores, mask=mask)
        return einsum(combined, self._dropout(weights, training=training), value), weights

    def _over_heads(self, mask: Tensor, ndim: int) -> Tensor:
        """The mask with `ndim` axes, the new ones before those of the places."""
        for _ in range(ndim - mask.ndim):
            mask = ops.expand_dims(mask, -2 * len(self._axes) - 1)
        return mask


def _both(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    if a is None or b is None:
        return b if a is None else a
    return ops.logical_and(a, b)


def _near(query: Tensor, value: Tensor, window: int) -> Tensor:
    """Booleans (T, S), True where query and key are less than `window` places apart."""
    rows, columns = (ops.arange(ops.shape(x)[1], dtype="int32") for x in (query, value))
    return ops.abs(ops.expand_dims(rows, 1) - ops.expand_dims(columns, 0)) < window


def _steps(*counts: int) -> list[tuple[int, int]]:
    """The bounds of pieces of these lengths, one after another."""
    ends = [sum(counts[: k + 1]) for k in range(len(counts))]
    return list(zip([0, *ends], ends))


def _equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str]:
    """The equations of scores from (key, query), and of outputs from (weights, value)."""
    target = string.ascii_lowercase[:rank]
    fresh = iter(string.ascii_lowercase[rank:])
    batch = [k for k in range(rank - 1) if k not in axes]
    source = "".join(target[k] if k in batch or k == rank - 1 else next(fresh) for k in range(rank))
    scores = "".join([*(target[k] for k in batch), *(target[k] for k in axes), *(source[k] for k in axes)])
    return f"{source},{target}->{scores}", f"{scores},{source}->{target}"


def _anew(initializer: Any) -> Any:
    """An equal initializer that draws other numbers, unless its seed was given."""
    if not isinstance(initializer, initializers.Initializer):
        return initializer
    return type(initializer).from_config(initializer.get_config())


def _checked_shape(output_shape: Any) -> tuple[int, ...] | None:
    if output_shape is None:
        return None
    sizes = output_shape if isinstance(output_shape, (list, tuple)) else (output_shape,)
    if not sizes:
        raise ArgumentTypeError(
            f"MultiHeadAttention: output_shape must be an int, ints or None, got {short(output_shape)}"
        )
    return tuple(check_positive_int(size, "MultiHeadAttention: output_shape") for size in sizes)


def _checked_axes(axes: Any) -> tuple[int, ...] | None:
    if axes is None:
        return None
    given = axes if isinstance(axes, (list, tuple)) else (axes,)
    if not given or any(isinstance(k, bool) or not hasattr(k, "__index__") for k in given):
        raise ArgumentTypeError(f"MultiHeadAttention: attention_axes must be an int, ints or None, got {short(axes)}")
    return tuple(k.__index__() for k in given)
