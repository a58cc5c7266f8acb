"""Arguments, methods and attributes under the names that they had in Keras 1 and 2.

Signatures stay as they are: the arguments of a call that uses an old name are renamed before anything else sees them.
"""

import functools
from collections.abc import Callable
from typing import Any

from .. import layers, models, optimizers
from ..callbacks import ReduceLROnPlateau
from ..engine.signatures import MODERN
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, deprecated
from ..layers.masks import get_mask
from ..optimizers.schedules import InverseTimeDecay
from . import methods

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
GONE = ""  # The new name of what has no effect any more.

_INIT = {"init": "kernel_initializer", "W_regularizer": "kernel_regularizer", "b_regularizer": "bias_regularizer"}
_WEIGHTS = {**_INIT, "W_constraint": "kernel_constraint", "b_constraint": "bias_constraint", "bias": "use_bias"}
_LAYOUT = {"dim_ordering": "data_format"}
_IMAGES = {"border_mode": "padding", **_LAYOUT}
_RECURRENT = {
    **_WEIGHTS, "output_dim": "units", "inner_init": "recurrent_initializer", "inner_activation":
    "recurrent_activation", "U_regularizer": "recurrent_regularizer", "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout", "consume_less": GONE, "implementation": GONE,
}  # fmt: skip
_CONV1D = {
    **_WEIGHTS, **_IMAGES, "nb_filter": "filters", "filter_length": "kernel_size", "subsample_length": "strides",
    "atrous_rate": "dilation_rate",
}  # fmt: skip
_CONV2D = {
    **_WEIGHTS, **_IMAGES, "nb_filter": "filters", "nb_row": "kernel_size", "nb_col": "kernel_size",
    "subsample": "strides", "atrous_rate": "dilation_rate", "output_shape": GONE,
}  # fmt: skip
_POOL1D = {"pool_length": "pool_size", "stride": "strides", "border_mode": "padding"}
_NORM = {
    "beta_init": "beta_initializer", "gamma_init": "gamma_initializer", "mode": GONE,
    "beta_constraints": "beta_constraint", "gamma_constraints": "gamma_constraint",
}  # fmt: skip
_RATE, _ALPHA = {"p": "rate"}, {"alpha": "negative_slope"}
_QUEUES = {"workers": GONE, "use_multiprocessing": GONE, "max_queue_size": GONE, "max_q_size": GONE}
_OPTIMIZER = {"lr": "learning_rate", "decay": "learning_rate"}

CLASSES: dict[type, dict[str, str]] = {
    layers.Dense: {**_WEIGHTS, "output_dim": "units"},
    layers.Dropout: _RATE,
    layers.SpatialDropout1D: _RATE,
    layers.SpatialDropout2D: {**_RATE, **_LAYOUT},
    layers.GaussianDropout: _RATE,
    layers.GaussianNoise: {"sigma": "stddev"},
    layers.Embedding: {
        "init": "embeddings_initializer", "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
    },
    layers.SimpleRNN: {name: new for name, new in _RECURRENT.items() if name != "inner_activation"},
    layers.LSTM: {**_RECURRENT, "forget_bias_init": GONE},
    layers.GRU: _RECURRENT,
    layers.Conv1D: _CONV1D,
    layers.Conv2D: _CONV2D,
    layers.Conv2DTranspose: _CONV2D,
    layers.SeparableConv2D: {name: new for name, new in _CONV2D.items() if name not in _INIT and "W_" not in name},
    layers.MaxPooling1D: _POOL1D,
    layers.AveragePooling1D: _POOL1D,
    layers.MaxPooling2D: _IMAGES,
    layers.AveragePooling2D: _IMAGES,
    layers.GlobalMaxPooling2D: _LAYOUT,
    layers.GlobalAveragePooling2D: _LAYOUT,
    layers.UpSampling1D: {"length": "size"},
    layers.UpSampling2D: _LAYOUT,
    layers.ZeroPadding2D: _LAYOUT,
    layers.Cropping2D: _LAYOUT,
    layers.Flatten: _LAYOUT,
    layers.BatchNormalization: _NORM,
    layers.LeakyReLU: _ALPHA,
    layers.PReLU: {"init": "alpha_initializer"},
    models.Model: {"input": "inputs", "output": "outputs"},
    ReduceLROnPlateau: {"epsilon": "min_delta"},
}  # fmt: skip
METHODS: dict[str, dict[str, str]] = {
    "fit": {"nb_epoch": "epochs", **_QUEUES},
    "evaluate": _QUEUES,
    "predict": _QUEUES,
    "compile": {"sample_weight_mode": GONE, "class_mode": GONE, "experimental_run_tf_function": GONE},
}

_FORMATS = {"tf": "channels_last", "th": "channels_first", "default": None}
_VALUES: dict[str, Callable[[Any], Any]] = {"dim_ordering": lambda value: _FORMATS.get(value, value)}


def accept_old_arguments() -> None:
    """Let classes and methods take their old arguments, and give models and optimizers their old methods."""
    table = {**CLASSES, **{kind: _OPTIMIZER for kind in vars(optimizers).values() if _is_optimizer(kind)}}
    MODERN.update({kind: functools.partial(_modern, kind.__name__, names) for kind, names in table.items()})
    for name, names in METHODS.items():
        setattr(models.Model, name, _accepting(getattr(models.Model, name), names))
    layers.Layer.add_loss = _accepting(layers.Layer.add_loss, {"inputs": GONE})  # type: ignore[method-assign]
    for name in methods.OF_MODELS:
        setattr(models.Model, name, getattr(methods, name))
    optimizers.Optimizer.lr = methods.lr  # type: ignore[attr-defined]
    Tensor._keras_mask = property(get_mask, doc="The mask that its layer gave with it.")  # type: ignore[attr-defined]


def _is_optimizer(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, optimizers.Optimizer)


def _accepting(method: Callable[..., Any], names: dict[str, str]) -> Callable[..., Any]:
    """The method, which takes its arguments under their old names too."""

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = _modern(method.__name__, names, args, kwargs)
        return method(self, *args, **kwargs)

    return wrapped


def _instead(name: str, new: str) -> str:
    if name == "decay":
        return "use learning_rate=InverseTimeDecay(rate, decay_steps=1, decay_rate=decay)"
    if name in ("nb_row", "nb_col"):
        return "use kernel_size=(rows, columns)"
    return f"use {new}=" if new else "it has no effect, leave it out"


def _modern(what: str, names: dict[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
    """The arguments under their names of today; ArgumentTypeError where both names are given."""
    found = [name for name in kwargs if name in names]
    if not found:
        return args, kwargs
    for name in found:
        deprecated(f"{what}({name}=...)", _instead(name, names[name]))
    if "nb_row" in names:
        args, kwargs = _join_sizes(args, kwargs)
    decay = kwargs.get("decay") if names is _OPTIMIZER else None
    given: dict[str, Any] = {}
    for name, value in kwargs.items():
        if names is _OPTIMIZER and name == "decay" or names.get(name) == GONE:
            continue
        new = names.get(name, name)
        if new in given or new != name and new in kwargs:
            raise ArgumentTypeError(f"{what}: got {name!r} and {new!r}, which are the same; leave out {name!r}")
        given[new] = _VALUES[name](value) if name in _VALUES else value
    return _with_decay(decay, args, given) if decay else (args, given)


def _join_sizes(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
    """`kernel_size` from `nb_row` and `nb_col`, which come with other old names also as the second and third place."""
    rest = dict(kwargs)
    if len(args) >= 3 and isinstance(args[1], int) and isinstance(args[2], int):
        return (args[0], (args[1], args[2]), *args[3:]), rest
    if len(args) == 2 and "nb_col" in rest:
        return (args[0], (args[1], rest.pop("nb_col"))), rest
    if "nb_row" in rest or "nb_col" in rest:
        rows = rest.pop("nb_row", None)
        columns = rest.pop("nb_col", rows)
        rest["kernel_size"] = (columns if rows is None else rows, columns)
    return args, rest


def _with_decay(decay: float, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
    """`decay` as the schedule that it was: rate / (1 + decay * step)."""
    rate = args[0] if args else kwargs.get("learning_rate", 0.01)
    schedule = InverseTimeDecay(rate, decay_steps=1, decay_rate=decay)
    return ((schedule, *args[1:]), kwargs) if args else ((), {**kwargs, "learning_rate": schedule})
