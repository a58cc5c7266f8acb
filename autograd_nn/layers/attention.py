"""Attention and AdditiveAttention: means of values, weighted by how well their keys fit a query."""

from typing import Any

from .. import ops, random
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, did_you_mean, short
from ..ops.attention import causal_mask
from ..saving.registry import register
from . import masks
from .layer import Layer
from .regularization import checked_rate

_MODES = ("dot", "concat")


class FirstMasked(Layer):
    """Base of layers whose first output, and only that, has the mask of the query."""

    def _pass_mask(self, inputs: Any, outputs: Any, mask: Any) -> None:
        first = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
        masks.set_mask(first, self.compute_mask(inputs, mask))


@register()
class Attention(FirstMasked):
    """Each query takes a mean of the values, weighted by the softmax of its products with the keys.

    use_scale:  a trained number multiplies the products
    score_mode: "dot", or "concat" for a trained number times the sum of tanh(query + key)
    dropout:    share of the weights that are dropped while training
    seed:       of the dropout

    Call: [query, value] or [query, value, key], of shapes (batch, T, n), (batch, S, m), (batch, S, n), where the values
    are the keys if none are given; mask [query_mask, value_mask], booleans (batch, T) and (batch, S);
    return_attention_scores; use_causal_mask, so that no query sees a key further on than itself.
    Output: (batch, T, m), and for return_attention_scores also the weights (batch, T, S). Luong et al. 2015,
    arXiv 1508.04025.

    >>> import autograd_nn as ag
    >>> query, value = ag.tensor([[[0.0]]]), ag.tensor([[[1.0], [3.0]]])
    >>> ag.layers.Attention()([query, value]).tolist()
    [[[2.0]]]
    """

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: Any = None, **kwargs: Any
    ) -> None:
        kind = type(self).__name__
        if score_mode not in _MODES:
            hint = did_you_mean(score_mode, _MODES) or "; known: dot, concat"
            raise InvalidArgument(f"{kind}: unknown score_mode {short(score_mode)}{hint}")
        checked_rate(dropout, f"{kind}: dropout")
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = seed
        self.supports_masking = True
        if dropout > 0:
            self.seed_generator = seed if isinstance(seed, random.SeedGenerator) else random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        self._check_count(input_shape)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check_count(inputs)
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = self._two_masks(mask)
        scores = self._scores(query, key)
        weights = ops.softmax(_without(scores, _seen(scores, value_mask, use_causal_mask)), -1)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        output = ops.matmul(weights, value)
        if query_mask is not None:
            output = ops.where(ops.expand_dims(query_mask, -1), output, 0)
        return (output, weights) if return_attention_scores else output

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self._two_masks(mask)[0]

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        if self.score_mode == "dot":
            products = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return products if self.scale is None else products * self.scale
        sums = _each_pair(query, key)
        return self.concat_score_weight * ops.sum(ops.tanh(sums if self.scale is None else self.scale * sums), -1)

    def _check_count(self, inputs: Any) -> None:
        if isinstance(inputs, (list, tuple)) and 2 <= len(inputs) <= 3 and not isinstance(inputs[0], (int, type(None))):
            return
        got = f"{len(inputs)} inputs" if isinstance(inputs, list) else "one tensor"
        raise ShapeError(f"layer {self.name!r} expects [query, value] or [query, value, key], got {got}")

    def _two_masks(self, mask: Any) -> tuple[Any, Any]:
        """The masks of query and value as booleans."""
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= 3:
            raise ArgumentTypeError(f"layer {self.name!r}: mask must be [query_mask, value_mask], got {short(mask)}")
        query, value = (None if m is None else ops.cast(m, "bool") for m in mask[:2])
        return query, value


def _each_pair(query: Tensor, key: Tensor) -> Tensor:
    """The sum of each query with each key, (batch, T, S, n)."""
    return ops.expand_dims(query, -2) + ops.expand_dims(key, -3)


def _seen(scores: Tensor, value_mask: Any, causal: bool) -> Tensor | None:
    """Booleans that broadcast to the scores, False for what a query must not see; None if it may see all."""
    values = None if value_mask is None else ops.expand_dims(value_mask, -2)
    if not causal:
        return values
    earlier = causal_mask(*ops.shape(scores)[-2:])
    return earlier if values is None else ops.logical_and(values, earlier)


def _without(scores: Tensor, seen: Tensor | None) -> Tensor:
    """The scores, far lower where they are not seen: not -inf, so that a row without any stays a mean, as in Keras."""
    if seen is None:
        return scores
    return ops.where(seen, scores, scores - (65504.0 if scores.dtype.itemsize == 2 else 1e9))


@register()
class AdditiveAttention(Attention):
    """As Attention, weighted by the softmax of the sum of tanh(query + key), each number of it times a trained one.

    use_scale: whether there are these trained numbers, (n,)
    dropout:   share of the weights that are dropped while training

    Call and output as those of Attention; query and key must have the same last size. Bahdanau et al. 2015,
    arXiv 1409.0473.

    >>> import autograd_nn as ag
    >>> query, value = ag.tensor([[[0.0]]]), ag.tensor([[[1.0], [1.0]]])
    >>> ag.layers.AdditiveAttention()([query, value]).tolist()
    [[[1.0]]]
    """

    _general_config = True

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check_count(input_shape)
        width = input_shape[0][-1]
        self.scale = self.add_weight((width,), "glorot_uniform", name="scale") if self.use_scale else None

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        terms = ops.tanh(_each_pair(query, key))
        return ops.sum(terms if self.scale is None else self.scale * terms, -1)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "score_mode"}
