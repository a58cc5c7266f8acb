"""Every argument of every constructor, given what cannot be meant.

Generated from the signatures: an object, a text, a number below all ranges, NaN, a dict, a list and None for each.
"""

import inspect
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import autograd_nn as ag
from autograd_nn import layers
from autograd_nn.engine.signatures import Checked, init_parameters
from autograd_nn.errors import FIRST_LINE, AutogradError, short

ROOMS = (
    ag.layers, ag.optimizers, ag.optimizers.schedules, ag.losses, ag.metrics, ag.callbacks, ag.initializers,
    ag.regularizers, ag.constraints, ag.random, ag.utils,
)  # fmt: skip
# What the arguments that must be given get.
NEEDED: dict[str, Any] = {
    "activation": "relu", "axes": 1, "backup_dir": "folder", "boundaries": [1], "cell": layers.LSTMCell(2),
    "cells": [layers.LSTMCell(2)], "decay_rate": 0.5, "decay_steps": 5, "dims": (1,), "equation": "ab,bc->ac",
    "filename": "log.csv", "filepath": "model.keras", "filters": 2, "first_decay_steps": 3, "fn": abs,
    "function": abs, "height": 2, "initial_learning_rate": 0.1, "input_dim": 3, "kernel_size": 1, "key_dim": 2,
    "layer": layers.LSTM(2, name="inner"), "learning_rate": 0.1, "n": 2, "num_classes": 3, "num_heads": 2,
    "output_dim": 2, "output_shape": 3, "output_size": 2, "pool_size": 2, "precision": 0.5, "rank": 1, "rate": 0.5,
    "recall": 0.5, "scale": 2.0, "schedule": abs, "sensitivity": 0.5, "shape": (3,), "size": 2, "specificity": 0.5,
    "stddev": 0.5, "target": 3, "target_class_ids": [0], "target_shape": (-1,), "units": 2, "values": [1.0, 2.0],
    "width": 2,
}  # fmt: skip


# An argument with a default that is none.
ALSO_NEEDED = {"CategoryEncoding": {"num_tokens": 3}}
# They take arguments of any name.
OPEN = {"MeanMetricWrapper", "CallbackList", "LambdaCallback"}


class Odd:
    """What no argument takes."""

    def __repr__(self) -> str:
        return "Odd()"


VALUES = (Odd(), "x?!", -7, float("nan"), {"a": 1}, ["q"], None)
INTERNALS = re.compile(r"__init__|NoneType|object is not|unhashable|ufunc|ndarray|numpy\.|np\.|numba")
# Arguments that take anything of these kinds; everything else must refuse all of VALUES but None.
TEXTS = {"name", "monitor", "filename", "filepath", "backup_dir", "log_dir", "separator", "unit_name", "swap_on_epoch"}
NEGATIVE = {
    "alpha", "attention_axes", "axes", "axis", "baseline", "beta", "beta_2_decay", "fill_value", "gain", "groups",
    "ignore_class", "initial_value_threshold", "input_axes", "label_weights", "learning_rate_power", "mask_value",
    "maxval", "mean", "minval", "noise_shape", "offset", "output_axes", "output_shape", "power", "renorm_momentum",
    "scale", "seed", "shape", "target_shape", "threshold", "value", "variance", "weights",
}  # fmt: skip
DICTS = {"arguments", "seed", "value", "kwargs"}
ANYTHING = {"embeddings_metadata", "model", "target", "interval", "stateful_metrics", "stateless_metrics"}


def classes() -> Iterator[Any]:
    found: dict[type, None] = {}
    for room in ROOMS:
        for name in sorted(dir(room)):
            cls = getattr(room, name)
            public = isinstance(cls, Checked) and not cls.__name__.startswith("_")
            if public and cls.__module__.startswith("autograd_nn.") and cls is not layers.InputLayer:
                found[cls] = None
    return iter(found)


def accepts(name: str, value: Any) -> bool:
    """Whether an argument of that name may be given this value."""
    if name in ANYTHING or value is None:
        return True
    if isinstance(value, str):
        return name in TEXTS
    if value == -7:
        return name in NEGATIVE
    return isinstance(value, dict) and name in DICTS


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: f"{cls.__module__.split('.')[1]}.{cls.__name__}")
def test_arguments_that_cannot_be_meant(cls: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = inspect.signature(cls).parameters
    needed = {name: NEEDED[name] for name, p in own.items() if p.default is p.empty and name in NEEDED}
    needed |= ALSO_NEEDED.get(cls.__name__, {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cls(**needed)
        for name in init_parameters(cls):
            for value in VALUES:
                check_refused(cls, name, value, needed)


def check_refused(cls: Any, name: str, value: Any, needed: dict[str, Any]) -> None:
    try:
        cls(**{**needed, name: value})
    except AutogradError as error:
        first = str(error).partition("\n")[0]
        assert len(first) <= FIRST_LINE
        assert not INTERNALS.search(first), first
        assert cls.__name__ in first or name in first, first
    else:
        assert accepts(name, value), f"{cls.__name__}({name}={short(value)}) is accepted"


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: f"{cls.__module__.split('.')[1]}.{cls.__name__}")
def test_calls_that_do_not_fit(cls: Any) -> None:
    own = inspect.signature(cls).parameters
    required = [name for name, p in own.items() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    if required:
        with pytest.raises(TypeError, match=f"{cls.__name__}: argument '{required[0]}' is missing; write"):
            cls()
    if cls.__name__ in OPEN:
        return
    with pytest.raises(TypeError, match=f"{cls.__name__}.*'no_such_thing'"):
        given = {name: NEEDED[name] for name in required if name in NEEDED} | ALSO_NEEDED.get(cls.__name__, {})
        cls(**given, no_such_thing=1)


def test_a_class_of_the_user_is_helped_too() -> None:
    class Scale(layers.Layer):
        def __init__(self, factor: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor + 1

    with pytest.raises(TypeError, match="Scale: argument 'factor' is missing"):
        Scale()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'factr'; did you mean 'factor'"):
        Scale(factr=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="^can only concatenate str"):
        Scale("a")  # type: ignore[arg-type]


def test_the_signature_of_a_class_is_that_of_its_constructor() -> None:
    assert next(iter(inspect.signature(layers.Dense).parameters)) == "units"
