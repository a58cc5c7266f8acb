"""From a Graph to a callable on arrays: the backends, and which one is current."""

from collections.abc import Callable
from typing import Any

from ..engine.graph import Graph
from ..engine.signatures import suggest_calls
from ..errors import UnknownName, did_you_mean
from . import reference

Program = Callable[..., tuple[Any, ...]]


Replaced = tuple[tuple[int, int], ...]


def _reference(graph: Graph, replaced: Replaced) -> Program:
    return reference.compile(graph)


def _numba(graph: Graph, replaced: Replaced) -> Program:
    """LLVM is loaded when first needed, so that the package imports fast."""
    from .numba import compile as compile_graph

    return compile_graph(graph, replaced)


BACKENDS: dict[str, Callable[[Graph, Replaced], Program]] = {"reference": _reference, "numba": _numba}
_OPTIMIZED = ("numba",)


class _Current:
    name = "numba"


def backend() -> str:
    """The name of the current backend."""
    return _Current.name


def set_backend(name: str) -> None:
    """Run what is compiled from now on with backend `name`; UnknownName if there is none such."""
    if name not in BACKENDS:
        raise UnknownName(f"unknown backend {name!r}{did_you_mean(name, BACKENDS)}; known: {', '.join(BACKENDS)}")
    _Current.name = name


def compile(graph: Graph, optimize: Callable[[Graph], Graph] | None = None, replaced: Replaced = ()) -> Program:
    """The program of `graph` on the current backend: arrays of its inputs to arrays of its outputs.

    optimize: what to do with the graph before, on backends that compile; the reference runs it as it was recorded
    replaced: (number of an input, number of the output that takes its place), for programs that can `update` in place
    """
    name = _Current.name
    return BACKENDS[name](optimize(graph) if optimize and name in _OPTIMIZED else graph, replaced)


suggest_calls(globals())
