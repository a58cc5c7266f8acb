"""What a layer call knows of the calls around it."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from ..engine.signatures import Checked
from ..engine.tensor import scope, tracing
from ..engine.variable import Trace
from ..errors import InvalidArgument, short


class _Scope(NamedTuple):
    """A name around layers: how many layers were being called when it was opened, and its arguments."""

    depth: int
    name: str
    caller: Any
    parent: str | None


class _Context(threading.local):
    """layers: those being called or built, outermost first; training: the flag of the innermost call, None outside.

    scopes: the names opened by `name_scope`, outermost first.
    silent: whether losses are dropped, because only shapes are asked for.
    """

    layers: tuple[Any, ...] = ()
    scopes: tuple[_Scope, ...] = ()
    training: bool | None = None
    silent: bool = False


CONTEXT = _Context()


class Rebuilt:
    """How often a layer that was in use got other weights: programs made before compute what it was."""

    times = 0


@contextmanager
def entered(layer: Any, training: bool | None) -> Iterator[None]:
    """`layer` is being called inside."""
    layers, before = CONTEXT.layers, CONTEXT.training
    CONTEXT.layers, CONTEXT.training = (*layers, layer), training
    try:
        yield
    finally:
        CONTEXT.layers, CONTEXT.training = layers, before


class name_scope(metaclass=Checked):
    """A name in the paths of the weights made inside, and around the nodes in pictures.

    name:            a part of a path, without "/"
    caller:          whoever opens it; opened again by the same caller under the same name, it is one scope
    deduplicate:     whether that is so
    override_parent: a path to begin with in the place of all scopes and layers around

    Raises InvalidArgument for a name that is no string or has a "/".

    >>> import autograd_nn as ag
    >>> with ag.name_scope("encoder"):
    ...     layer = ag.layers.Dense(2, name="first")
    ...     layer.build((None, 3))
    >>> layer.kernel.path
    'encoder/first/kernel'
    """

    def __init__(
        self, name: str, caller: Any = None, deduplicate: bool = True, override_parent: str | None = None
    ) -> None:
        if not isinstance(name, str) or "/" in name:
            raise InvalidArgument(f"name_scope: name must be a string without '/', got {short(name)}")
        self.name = name
        self.caller = caller
        self.deduplicate = deduplicate
        self.override_parent = override_parent
        self._open: list[ExitStack] = []

    def __enter__(self) -> "name_scope":
        stack = ExitStack()
        last = CONTEXT.scopes[-1] if CONTEXT.scopes else None
        again = last is not None and self.caller is not None and (last.name, last.depth) == (self.name, _depth())
        if not (self.deduplicate and again and last is not None and last.caller is self.caller):
            stack.callback(setattr, CONTEXT, "scopes", CONTEXT.scopes)
            CONTEXT.scopes = (*CONTEXT.scopes, _Scope(_depth(), self.name, self.caller, self.override_parent))
            stack.enter_context(scope(self.name))
        self._open.append(stack)
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.pop().close()


def _depth() -> int:
    return len(CONTEXT.layers)


def path_around(layer: Any) -> list[str]:
    """The names of the scopes and layers around a layer, outermost first; models have no part in it."""
    around = CONTEXT.layers
    inside = next((k for k, other in enumerate(around) if other is layer), len(around))
    names: list[str] = []
    for depth in range(inside + 1):
        for opened in CONTEXT.scopes:
            if opened.depth == depth:
                names = [*(names if opened.parent is None else filter(None, opened.parent.split("/"))), opened.name]
        if depth < inside and not around[depth]._is_model:
            names.append(around[depth].name)
    return names


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
