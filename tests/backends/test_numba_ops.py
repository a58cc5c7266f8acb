"""Every op of the registry: compiled equals reference, in float32 and float64, in every memory layout."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from autograd_nn.engine.op import OPS, Sample
from autograd_nn.testing.layouts import LAYOUTS, matters

from .common import both

CALLABLE = [name for name, op in OPS.items() if op.call is not None and op.domain is not None]


def split(sample: Sample) -> tuple[list[np.ndarray], Callable[..., tuple[Any, ...]]]:
    """The arrays among the arguments of a sample, and how others take their places."""
    places = [k for k, x in enumerate(sample.args) if isinstance(x, np.ndarray)]

    def filled(*arrays: Any) -> tuple[Any, ...]:
        args = list(sample.args)
        for place, array in zip(places, arrays):
            args[place] = array
        return tuple(args)

    return [sample.args[k] for k in places], filled


def variants(arrays: list[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """The same arrays in other layouts and in float32."""
    yield arrays
    yield [a.astype("float32") if a.dtype == np.float64 else a for a in arrays]
    for layout, change in LAYOUTS.items():
        if any(matters(a, layout) for a in arrays):
            yield [change(a) if matters(a, layout) else a for a in arrays]


@pytest.mark.parametrize("name", CALLABLE)
def test_compiled_equals_reference(name):
    op = OPS[name]
    for sample in op.domain.samples(np.random.default_rng(0)):
        arrays, filled = split(sample)
        for chosen in variants(arrays):
            both(lambda *traced, f=filled, s=sample: op.call(*f(*traced), **s.kwargs), *chosen)
