"""What a layer call knows of the calls around it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..engine.tensor import tracing
from ..engine.variable import Trace


class _Context(threading.local):
    """layers: those being called or built, outermost first; training: the flag of the innermost call, None outside.

    silent: whether losses are dropped, because only shapes are asked for.
    """

    layers: tuple[Any, ...] = ()
    training: bool | None = None
    silent: bool = False


CONTEXT = _Context()


@contextmanager
def entered(layer: Any, training: bool | None) -> Iterator[None]:
    """`layer` is being called inside."""
    layers, before = CONTEXT.layers, CONTEXT.training
    CONTEXT.layers, CONTEXT.training = (*layers, layer), training
    try:
        yield
    finally:
        CONTEXT.layers, CONTEXT.training = layers, before


@contextmanager
def shapes_only() -> Iterator[None]:
    """A trace whose program is thrown away: nothing inside changes a variable or leaves a loss."""
    before = CONTEXT.silent
    CONTEXT.silent = True
    try:
        with tracing(Trace()):
            yield
    finally:
        CONTEXT.silent = before
