"""Keras' backend, `K` in older books: settings, and functions on tensors under the names that they once had.

The names that Keras 3 still has are here as they are. Every other function warns once per line and says what it is
called now. The module is also the function `backend()`, the name of the backend that runs programs.
"""

import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from . import losses, ops, random
from .activations import relu as _relu
from .backends import backend, set_backend
from .config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from .engine.convert import as_tensor, tensor
from .engine.graph import Graph, toposort
from .engine.signatures import suggest_calls, suggests
from .engine.spec import as_dtype, public_shape
from .engine.tensor import Tensor, symbol
from .engine.tree import flatten as _leaves
from .engine.variable import Variable
from .errors import UnknownAttribute, deprecated, did_you_mean
from .layers.context import CONTEXT
from .layers.input import Input
from .ops.einsum import einsum
from .transforms import gradients as _gradients
from .transforms import no_grad
from .utils import clear_session, is_keras_tensor

__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "image_data_format", "is_float_dtype", "is_int_dtype",
    "is_keras_tensor", "learning_phase", "set_backend", "set_epsilon", "set_floatx", "set_image_data_format",
    "standardize_dtype",
]  # fmt: skip


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype, the default float for None.

    >>> import numpy as np
    >>> standardize_dtype(np.int32)
    'int32'
    """
    return floatx() if dtype is None else as_dtype(dtype).name


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is one of floats."""
    return as_dtype(dtype).kind == "f"


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is one of integers."""
    return as_dtype(dtype).kind in "iu"


class _Phase:
    """What `learning_phase()` gives: it stands for the training flag among the inputs of `K.function`."""

    def __bool__(self) -> bool:
        return bool(CONTEXT.training)

    def __int__(self) -> int:
        return int(bool(self))

    __index__ = __int__


_PHASE = _Phase()


def learning_phase() -> Any:
    """The training flag: false outside of training; as an input of `K.function` it takes 0 or 1."""
    return _PHASE


_DERIVATIVE = "derivative"


def _symbolic_gradients(loss: Any, variables: Any) -> list[Any]:
    """Tensors without values, which `K.function` fills with the gradients of the sum of `loss`."""
    wanted = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    if all(x.value is not None for x in (loss, *wanted)):
        return list(_gradients(ops.sum(loss), wanted))
    made = []
    for x in wanted:
        t = symbol(x.spec)
        t.params = {_DERIVATIVE: (loss, x)}
        made.append(t)
    return made


class _Function:
    """What `K.function` gives: a call with arrays returns a list of arrays.

    Gradients among the outputs, or in what they are made from, are computed first, by another run of the graph.
    """

    def __init__(self, inputs: Sequence[Any], outputs: Any, updates: Any = None, name: str | None = None) -> None:
        self._single = isinstance(outputs, Tensor)
        flat = _leaves(outputs)[0]
        self._phase = [k for k, x in enumerate(inputs) if isinstance(x, _Phase)]
        self._inputs = [x for x in inputs if not isinstance(x, _Phase)]
        self._derivatives = [t for t in toposort(flat, self._inputs) if _DERIVATIVE in (t.params or {})]
        self._graph = Graph((*self._inputs, *self._derivatives), tuple(flat))
        pairs = [t.params[_DERIVATIVE] for t in self._derivatives]
        self._slopes = [(Graph(tuple(self._inputs), (loss, x)), x) for loss, x in pairs]

    def __call__(self, *given: Any) -> Any:
        values = list(given[0]) if len(given) == 1 and isinstance(given[0], (list, tuple)) else list(given)
        phase = [bool(values[k]) for k in self._phase]
        values = [v for k, v in enumerate(values) if k not in self._phase]
        arrays = [np.asarray(v, x.dtype) for v, x in zip(values, self._inputs)]
        before, CONTEXT.training = CONTEXT.training, phase[0] if phase else CONTEXT.training
        try:
            slopes = [self._slope(graph, x, arrays) for graph, x in self._slopes]
            with no_grad():
                found = [np.asarray(t) for t in self._graph.replay([*map(as_tensor, arrays), *slopes])]
        finally:
            CONTEXT.training = before
        return found[0] if self._single else found

    def _slope(self, graph: Graph, x: Tensor, arrays: list[Any]) -> Tensor:
        leaves = [tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
        loss, at = graph.replay(leaves)
        found = _gradients(ops.sum(loss), [x if isinstance(x, Variable) else at])[0]
        return ops.stop_gradient(ops.zeros_like(at) if found is None else found)


def _placeholder(
    shape: Any = None, ndim: int | None = None, dtype: Any = None, sparse: bool = False, name: str | None = None
) -> Tensor:
    return Input(batch_shape=(None,) * (ndim or 0) if shape is None else tuple(shape), dtype=dtype, name=name)


def _variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Variable:
    made = Variable(np.asarray(value, dtype or floatx()), name=name)
    made.constraint = constraint
    return made


def _filled(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    made = as_tensor(np.asarray(value, dtype or floatx()))
    return made if shape is None else ops.broadcast_to(made, tuple(shape))


def _value(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, Tensor) else x


def _assign(x: Variable, value: Any) -> Variable:
    x.assign(value)
    return x


def _assign_all(pairs: Any) -> None:
    for x, value in pairs:
        x.assign(value)


def _size(shape: Any) -> int:
    return int(np.prod(shape))


def _batch_flatten(x: Any) -> Tensor:
    return ops.reshape(x, (ops.shape(x)[0], _size(as_tensor(x).shape[1:])))


def _batch_dot(x: Any, y: Any, axes: Any = None) -> Tensor:
    """The products sample by sample; `axes` are summed, by default the last of x and the last but one of y."""
    x, y = as_tensor(x), as_tensor(y)
    if axes is None:
        axes = (x.ndim - 1, max(y.ndim - 2, 1))
    a, b = (axes, axes) if isinstance(axes, int) else axes
    a, b = a % x.ndim, b % y.ndim
    names = iter("abcdefghijklmnopqrstuvw")
    first = ["z", *(next(names) for _ in range(1, x.ndim))]
    second = ["z", *(first[a] if k == b else next(names) for k in range(1, y.ndim))]
    kept = [c for k, c in enumerate(first) if k != a] + [c for k, c in enumerate(second) if k not in (0, b)]
    made = einsum(f"{''.join(first)},{''.join(second)}->{''.join(kept)}", x, y)
    return ops.expand_dims(made, 1) if made.ndim == 1 else made


def _l2_normalize(x: Any, axis: Any = None) -> Tensor:
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squares, 1e-12))


def _ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Tensor:
    """The CTC loss of each sample, (batch, 1); the blank is the last class, y_pred are probabilities."""
    lengths = [ops.cast(ops.squeeze(n, -1), "int32") for n in (input_length, label_length)]
    classes: Any = as_tensor(y_pred).shape[-1]
    logits = ops.log(as_tensor(y_pred) + epsilon())
    loss = ops.ctc_loss(ops.cast(y_true, "int32"), logits, lengths[1], lengths[0], mask_index=classes - 1)
    return ops.expand_dims(loss, 1)


def _ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Tensor], Any]:
    """The best label sequences, each (batch, length) with -1 behind the end, and their scores."""
    logits = ops.log(as_tensor(y_pred) + epsilon())
    decoded, scores = ops.ctc_decode(
        logits, ops.cast(input_length, "int32"), strategy="greedy" if greedy else "beam_search",
        beam_width=beam_width, top_paths=top_paths, mask_index=logits.shape[-1] - 1,
    )  # fmt: skip
    return list(ops.unstack(decoded, decoded.shape[0])), scores


def _old_relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    return _relu(x, negative_slope=alpha, max_value=max_value, threshold=threshold)


def _switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    if callable(then_expression) or callable(else_expression):
        yes, no = (f if callable(f) else lambda f=f: f for f in (then_expression, else_expression))
        return ops.cond(condition, yes, no)
    return ops.where(condition, then_expression, else_expression)


def _repeat(x: Any, n: int) -> Tensor:
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def _conv2d(
    x: Any, kernel: Any, strides: Any = (1, 1), padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Tensor:
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def _pool2d(
    x: Any, pool_size: Any, strides: Any = (1, 1), padding: str = "valid", data_format: Any = None,
    pool_mode: str = "max",
) -> Tensor:  # fmt: skip
    pool = ops.max_pool if pool_mode == "max" else ops.average_pool
    return pool(x, pool_size, strides, padding, data_format)


def _image_dim_ordering() -> str:
    return "tf" if image_data_format() == "channels_last" else "th"


def _set_image_dim_ordering(dim_ordering: str) -> None:
    set_image_data_format({"tf": "channels_last", "th": "channels_first"}[dim_ordering])


def _loss(function: Callable[..., Any]) -> Callable[..., Any]:
    """A loss whose first arguments were called `target` and `output`."""
    return lambda target, output, from_logits=False, axis=-1: function(
        target, output, from_logits=from_logits, **({} if function is losses.binary_crossentropy else {"axis": axis})
    )


def _cost(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda target, output, from_logits=False: function(target, output, from_logits=from_logits)


_SAME = (
    "abs", "all", "any", "cast", "cos", "cumprod", "cumsum", "dot", "equal", "exp", "greater", "greater_equal", "less",
    "less_equal", "log", "max", "maximum", "mean", "min", "minimum", "not_equal", "ones_like", "prod", "reshape",
    "round", "shape", "sigmoid", "sign", "sin", "softmax", "softplus", "softsign", "square", "squeeze", "stack",
    "std", "stop_gradient", "sum", "tanh", "tile", "transpose", "var", "zeros_like", "elu", "hard_sigmoid", "eye",
    "one_hot",
)  # fmt: skip
# Old name: what it is called now, and the function.
_OLD: dict[str, tuple[str, Callable[..., Any]]] = {
    **{name: (f"ops.{name}", getattr(ops, name)) for name in _SAME},
    "arange": ("ops.arange", lambda start, stop=None, step=1, dtype="int32": ops.arange(start, stop, step, dtype)),
    "argmax": ("ops.argmax", lambda x, axis=-1: ops.argmax(x, axis)),
    "argmin": ("ops.argmin", lambda x, axis=-1: ops.argmin(x, axis)),
    "batch_dot": ("ops.einsum", _batch_dot),
    "batch_flatten": ("layers.Flatten", _batch_flatten),
    "batch_get_value": ("np.asarray", lambda tensors: [_value(x) for x in tensors]),
    "batch_set_value": ("variable.assign", _assign_all),
    "bias_add": ("the operator +", lambda x, bias, data_format=None: x + bias),
    "binary_crossentropy": ("ops.binary_crossentropy", _cost(ops.binary_crossentropy)),
    "cast_to_floatx": ("ops.cast", lambda x: _value(x).astype(floatx()) if _is_array(x) else ops.cast(x, floatx())),
    "categorical_crossentropy": ("ops.categorical_crossentropy", _loss(ops.categorical_crossentropy)),
    "clip": ("ops.clip", lambda x, min_value, max_value: ops.clip(x, min_value, max_value)),
    "concatenate": ("ops.concatenate", lambda tensors, axis=-1: ops.concatenate(tensors, axis)),
    "constant": ("ops.full", _filled),
    "conv2d": ("ops.conv", _conv2d),
    "count_params": ("ops.size", lambda x: _size(as_tensor(x).shape)),
    "ctc_batch_cost": ("ops.ctc_loss", _ctc_batch_cost),
    "ctc_decode": ("ops.ctc_decode", _ctc_decode),
    "dropout": (
        "random.dropout",
        lambda x, level, noise_shape=None, seed=None: random.dropout(x, level, noise_shape, seed),
    ),
    "dtype": ("x.dtype", lambda x: as_tensor(x).dtype.name),
    "eval": ("np.asarray", _value),
    "expand_dims": ("ops.expand_dims", lambda x, axis=-1: ops.expand_dims(x, axis)),
    "flatten": ("ops.ravel", lambda x: ops.reshape(x, (-1,))),
    "function": ("a Model of the inputs and outputs", _Function),
    "gather": ("ops.take", lambda reference, indices: ops.take(reference, indices, axis=0)),
    "get_value": ("np.asarray", _value),
    "gradients": ("gradients", _symbolic_gradients),
    "image_dim_ordering": ("config.image_data_format", _image_dim_ordering),
    "in_top_k": ("ops.in_top_k", lambda predictions, targets, k: ops.in_top_k(targets, predictions, k)),
    "int_shape": ("x.shape", lambda x: public_shape(as_tensor(x).spec.shape)),
    "l2_normalize": ("ops.normalize", _l2_normalize),
    "map_fn": ("ops.map", lambda fn, elems, name=None, dtype=None: ops.map(fn, elems)),
    "ndim": ("x.ndim", lambda x: as_tensor(x).ndim),
    "ones": ("ops.ones", lambda shape, dtype=None, name=None: ops.ones(shape, dtype or floatx())),
    "permute_dimensions": ("ops.transpose", lambda x, pattern: ops.transpose(x, pattern)),
    "placeholder": ("Input", _placeholder),
    "pool2d": ("ops.max_pool", _pool2d),
    "pow": ("ops.power", lambda x, a: ops.power(x, a)),
    "random_normal": (
        "random.normal",
        lambda shape, mean=0.0, stddev=1.0, dtype=None, seed=None: random.normal(shape, mean, stddev, dtype, seed),
    ),
    "random_uniform": (
        "random.uniform",
        lambda shape, minval=0.0, maxval=1.0, dtype=None, seed=None: random.uniform(shape, minval, maxval, dtype, seed),
    ),
    "relu": ("ops.relu", _old_relu),
    "repeat": ("ops.repeat", _repeat),
    "repeat_elements": ("ops.repeat", lambda x, rep, axis: ops.repeat(x, rep, axis=axis)),
    "reverse": ("ops.flip", lambda x, axes: ops.flip(x, axes)),
    "set_image_dim_ordering": ("config.set_image_data_format", _set_image_dim_ordering),
    "set_value": ("variable.assign", _assign),
    "sparse_categorical_crossentropy": (
        "ops.sparse_categorical_crossentropy",
        _loss(ops.sparse_categorical_crossentropy),
    ),
    "sqrt": ("ops.sqrt", lambda x: ops.sqrt(ops.maximum(x, 0))),
    "switch": ("ops.where or ops.cond", _switch),
    "truncated_normal": (
        "random.truncated_normal",
        lambda shape, mean=0.0, stddev=1.0, dtype=None, seed=None: random.truncated_normal(
            shape, mean, stddev, dtype, seed
        ),
    ),
    "update": ("variable.assign", _assign),
    "update_add": ("variable.assign_add", lambda x, increment: _assign(x, x + increment)),
    "update_sub": ("variable.assign_sub", lambda x, decrement: _assign(x, x - decrement)),
    "variable": ("Variable", _variable),
    "zeros": ("ops.zeros", lambda shape, dtype=None, name=None: ops.zeros(shape, dtype or floatx())),
}


def _is_array(x: Any) -> bool:
    return not isinstance(x, Tensor)


class _Backend(ModuleType):
    """The module, which is called as the function of the same name, and has the old names."""

    def __call__(self) -> str:
        return backend()

    def __getattr__(self, name: str) -> Any:
        if name not in _OLD:
            raise UnknownAttribute(f"keras.backend has no {name!r}{did_you_mean(name, (*_OLD, *__all__))}")
        instead, function = _OLD[name]
        deprecated(f"K.{name}", f"use {instead}")
        return suggests(function, f"K.{name}")

    def __dir__(self) -> list[str]:
        return sorted([*__all__, *_OLD])


suggest_calls(globals())
sys.modules[__name__].__class__ = _Backend
