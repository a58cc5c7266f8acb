"""The base of losses: how values per sample become one number, and which shapes belong together."""

from collections.abc import Callable
from typing import Any

from .. import ops
from ..engine.convert import as_tensor
from ..engine.signatures import Checked
from ..engine.spec import as_dtype, default_float, show_shape
from ..engine.tensor import Tensor
from ..engine.tree import tree_map
from ..errors import InvalidArgument, ShapeError, did_you_mean, short
from ..layers.masks import get_mask
from ..layers.naming import snake_case

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss(metaclass=Checked):
    """Base of losses: `loss(y_true, y_pred, sample_weight=None)` gives one number.

    name:      shown in logs
    reduction: "sum_over_batch_size" and "mean" divide the sum by the number of values, "sum" does not divide,
               "mean_with_sample_weight" divides by the sum of the weights, "none" and None keep all values
    dtype:     of the computation; the default float if None

    A subclass defines `call(y_true, y_pred)`, which returns values per sample, and `get_config`.
    Raises InvalidArgument for an unknown reduction.

    >>> import autograd_nn as ag
    >>> class Squared(ag.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ag.ops.mean(ag.ops.square(y_pred - y_true), axis=-1)
    >>> float(Squared()([[1.0, 2.0]], [[1.0, 4.0]]))
    2.0
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.reduction = check_reduction(reduction)
        self.dtype = default_float().name if dtype is None else as_dtype(dtype).name

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        mask = get_mask(y_pred)
        y_pred, y_true = tensors(y_pred, self.dtype), tensors(y_true, self.dtype)
        values = self.call(y_true, y_pred)
        valid = None
        for part in (mask, self.valid(y_true, y_pred), get_mask(values)):
            if part is not None:
                valid = part if valid is None else ops.logical_and(valid, part)
        return reduce_weighted_values(values, sample_weight, valid, self.reduction, self.dtype, what=self.name)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Values per sample, shape `(batch, ...)`."""
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def valid(self, y_true: Any, y_pred: Any) -> Tensor | None:
        """Which values count, as booleans of the shape of the values; None for all."""
        return None

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class LossFunctionWrapper(Loss):
    """A loss made of a function `fn(y_true, y_pred, **kwargs)` that returns values per sample."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name or getattr(fn, "__name__", None), reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if isinstance(y_true, Tensor) and isinstance(y_pred, Tensor):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._fn_kwargs}


def tensors(value: Any, dtype: Any) -> Any:
    """An array, nested lists of numbers, or a nest of arrays, as tensors of that dtype."""
    nested = isinstance(value, dict) or isinstance(value, (list, tuple)) and any(hasattr(v, "shape") for v in value)
    return tree_map(lambda t: as_tensor(t, dtype), value) if nested else as_tensor(value, dtype)


def check_reduction(reduction: Any) -> Any:
    if reduction is not None and not isinstance(reduction, str) or reduction not in REDUCTIONS:
        known = [name for name in REDUCTIONS if name]
        hint = did_you_mean(reduction, known) or f"; expected one of {', '.join(known)} or None"
        raise InvalidArgument(f"unknown reduction {short(reduction)}{hint}")
    return reduction


def squeeze_or_expand_to_same_rank(x1: Tensor, x2: Tensor, expand_rank_1: bool = True) -> tuple[Tensor, Tensor]:
    """Both with the same number of axes, where one lacks a last axis of size 1 that the other has.

    `(n,)` beside `(n, 1)` becomes `(n, 1)`; `(n, t)` beside `(n, t, 1)` makes that `(n, t)`. Others stay as they are.
    """
    if x1.ndim == x2.ndim + 1 and x1.spec.shape[-1] == 1:
        if x2.ndim == 1 and expand_rank_1:
            return x1, ops.expand_dims(x2, -1)
        return ops.squeeze(x1, -1), x2
    if x2.ndim == x1.ndim + 1 and x2.spec.shape[-1] == 1:
        if x1.ndim == 1 and expand_rank_1:
            return ops.expand_dims(x1, -1), x2
        return x1, ops.squeeze(x2, -1)
    return x1, x2


def prediction(y_pred: Any) -> Tensor:
    """Predictions as a float tensor."""
    y_pred = as_tensor(y_pred)
    return y_pred if y_pred.dtype.kind == "f" else ops.cast(y_pred, default_float())


def same_shape(y_true: Any, y_pred: Any, what: str) -> tuple[Tensor, Tensor]:
    """Both as tensors of one dtype and one shape; ShapeError rather than broadcasting."""
    y_pred = prediction(y_pred)
    y_true, y_pred = squeeze_or_expand_to_same_rank(as_tensor(y_true, y_pred.dtype), y_pred)
    check_shapes(y_true.spec.shape, y_pred.spec.shape, what)
    return y_true, y_pred


def check_shapes(y_true: tuple[Any, ...], y_pred: tuple[Any, ...], what: str) -> None:
    """ShapeError unless the shapes are equal, as far as they are known."""
    if fits(y_true, y_pred):
        return
    raise ShapeError(
        f"{what}: y has shape {show_shape(y_true)}, the prediction has {show_shape(y_pred)}; they must be equal and "
        f"are never broadcast{_shape_hint(y_true, y_pred)}"
    )


def fits(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    """Whether two shapes are equal, as far as they are known."""
    return len(a) == len(b) and all(p == q or not (isinstance(p, int) and isinstance(q, int)) for p, q in zip(a, b))


def _shape_hint(y_true: tuple[Any, ...], y_pred: tuple[Any, ...]) -> str:
    if len(y_true) == len(y_pred) and len(y_true) > 1 and isinstance(y_true[-1], int):
        return f"; give the last layer {y_true[-1]} units, or pick columns of y"
    if len(y_true) == 1 and len(y_pred) == 2 and isinstance(y_pred[-1], int):
        return "; give the last layer 1 unit, or pass y with one column per unit"
    return "; reshape y"


def reduce_weighted_values(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: Any = None,
    what: str = "loss",
) -> Tensor:
    """Values per sample times their weights, as one number (or all values for the reductions "none" and None).

    sample_weight: shape of the values, or of their first axes
    mask:          which values count, booleans of the shape of the values

    Raises ShapeError for weights of another shape.
    """
    values = as_tensor(values, dtype)
    weight = None if sample_weight is None else as_tensor(sample_weight, values.dtype)
    if mask is not None:
        weight = masked_weight(weight, as_tensor(mask), values, reduction)
    if weight is not None:
        values, weight = align_weight(values, weight, what)
        values = values * weight
    if reduction in (None, "none") or values.ndim == 0:
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and weight is not None:
        return divide_no_nan(ops.sum(values), ops.sum(weight))
    return ops.mean(values)


def masked_weight(weight: Tensor | None, mask: Tensor, values: Tensor, reduction: str | None) -> Tensor:
    """Weights that are zero where the mask is, scaled so that a mean counts only the rest."""
    kept = ops.cast(mask, values.dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        kept = kept * divide_no_nan(ops.sum(ops.ones_like(kept)), ops.sum(kept))
    if weight is None:
        return kept
    kept, weight = align_weight(kept, weight, "mask")
    return kept * weight


def align_weight(values: Tensor, weight: Tensor, what: str) -> tuple[Tensor, Tensor]:
    """Values and weights so shaped that weights apply along the first axes of the values."""
    values, weight = squeeze_or_expand_to_same_rank(values, weight)
    sizes = zip(values.spec.shape, weight.spec.shape)
    if not values.ndim and weight.ndim:
        raise ShapeError(
            f"{what}: sample_weight has shape {show_shape(weight.spec.shape)}, but this loss is one number for the "
            "whole batch; leave sample_weight out, or use a loss with one value per sample (axis= where it has one)"
        )
    if weight.ndim > values.ndim or not all(w == 1 or fits((v,), (w,)) for v, w in sizes):
        raise ShapeError(
            f"{what}: sample_weight has shape {show_shape(weight.spec.shape)}, the loss per sample has "
            f"{show_shape(values.spec.shape)}; pass one weight per sample"
        )
    missing = values.ndim - weight.ndim
    if weight.ndim and missing:
        weight = ops.expand_dims(weight, tuple(range(weight.ndim, values.ndim)))
    return values, weight


def divide_no_nan(top: Tensor, bottom: Tensor) -> Tensor:
    """top / bottom, and 0 where bottom is 0."""
    zero = ops.equal(bottom, 0)
    return ops.where(zero, 0, top / ops.where(zero, 1, bottom))
