"""From a function to a program: trace once per structure, freeze a Graph, run it on the current backend."""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import backends
from ..compiler import optimize
from ..engine.convert import as_tensor
from ..engine.graph import Graph, toposort
from ..engine.signatures import suggest_calls
from ..engine.spec import BATCH, Dim, Shape, Spec, show_shape, signature
from ..engine.tensor import MODE, Tensor, leaf, recording, symbol, tick, tracing
from ..engine.tree import Memo, Structure, flatten, unflatten
from ..engine.variable import Trace
from ..errors import ArgumentTypeError, AutogradError, GraphError, short
from ..ops.control import call

_STATIC = (bool, int, str, bytes, type(None))
# Shapes of arguments of which a function remembers the version that takes them.
_MOST_SHAPES = 4096


def compiled(graph: Graph, replaced: Sequence[tuple[int, int]] = ()) -> Callable[..., tuple[Any, ...]]:
    """The program of a graph on the current backend.

    replaced: (number of an input, number of the output that takes its place) for Variables that the graph writes
    """
    return backends.compile(graph, optimize, tuple(replaced))


class _Traced(NamedTuple):
    """One frozen version of a function, and why it was traced."""

    graph: Graph
    run: Callable[..., tuple[Any, ...]]
    captured: tuple[Tensor, ...]
    written: tuple[Tensor, ...]
    structure: Structure
    shapes: tuple[Shape, ...]
    reason: str

    def update(self, tensors: Sequence[Tensor]) -> Sequence[Any]:
        """The outputs for the values of these tensors, of which those that are written may be overwritten."""
        update = getattr(self.run, "update", None)
        return update(tensors) if update else self.run(*[t.value for t in tensors])

    def write(self, values: Sequence[Any]) -> list[Tensor]:
        """Give the Variables that the program writes their new values; the other outputs as tensors."""
        count = len(values) - len(self.written)
        for outside, value in zip(self.written, values[count:]):
            outside.value = value
            outside.stamp = tick()
        return [leaf(value) for value in values[:count]]


class _Arguments(NamedTuple):
    """The arguments of a call, taken apart: tensors, and the key of everything else."""

    tensors: list[Tensor]
    places: list[int]
    statics: list[Any]
    structure: Structure
    key: Any


def _take_apart(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Arguments:
    leaves, structure = flatten((args, kwargs))
    tensors: list[Tensor] = []
    places: list[int] = []
    statics: list[Any] = []
    for place, x in enumerate(leaves):
        if isinstance(x, (Tensor, float, complex)) or hasattr(x, "__array__"):
            tensors.append(as_tensor(x, copy=False))
            places.append(place)
            statics.append(None)
        else:
            statics.append(x)
    kinds = tuple((t.dtype, t.ndim) for t in tensors)
    return _Arguments(tensors, places, statics, structure, (structure, kinds, tuple(map(_static_key, statics))))


def _static_key(x: Any) -> Any:
    if isinstance(x, _STATIC):
        return (type(x), x)
    try:
        hash(x)
    except TypeError:
        raise ArgumentTypeError(
            f"jit: argument {short(x)} is neither a tensor nor hashable; pass arrays, numbers, or a hashable object"
        ) from None
    return x


class Jitted:
    """A function that runs as one program. `.graph` is the Graph of its newest version, None before the first call."""

    def __init__(self, function: Callable[..., Any], batched: bool = False, name: str | None = None) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.batched = batched
        self.name = name or getattr(function, "__name__", "function").replace("<lambda>", "function")
        self.graph: Graph | None = None
        self.traces = 0
        self._versions: dict[Any, list[_Traced]] = {}
        self._exact: dict[Any, _Traced] = Memo(_MOST_SHAPES)
        self._plain: dict[Any, _Traced] = Memo(_MOST_SHAPES)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if MODE.trace is not None:
            return self.function(*args, **kwargs)
        leaves: list[Any] = []
        known = None if kwargs else (backends.backend(), signature(args, leaves))
        traced = self._plain.get(known)
        if traced is not None and not (MODE.recording and any(t.requires_grad for t in traced.captured)):
            values = traced.update([*map(leaf, leaves), *traced.captured])
            return unflatten(traced.structure, traced.write(values))
        arguments = _take_apart(args, kwargs)
        if any(t.value is None for t in arguments.tensors):
            return self.function(*args, **kwargs)
        traced = self._find(arguments)
        values_of = [t.value for t in arguments.tensors]
        if known is not None and len(leaves) == len(values_of) and all(map(operator.is_, leaves, values_of)):
            self._plain[known] = traced
        inputs = (*arguments.tensors, *traced.captured)
        if MODE.recording and any(t.requires_grad for t in inputs):
            outputs = call(traced.graph, inputs, compiled)
            traced.write([t.value for t in outputs])
            return unflatten(traced.structure, outputs[: len(outputs) - len(traced.written)])
        return unflatten(traced.structure, traced.write(traced.update(inputs)))

    def repeat(self, args: tuple[Any, ...], feeds: Sequence[Any], steps: int) -> Any:
        """So many calls in one: each takes the next samples of the feeds in place of the arrays in `args`.

        args:  arguments with which the function has been called, all of them arrays of one batch
        feeds: for each of these arrays all samples, and the order in which to take them
        Gives the results of the last call, and a function that brings the Variables back to what they were before the
        first; None, and nothing done, where the backend or the function does not allow it.
        """
        leaves: list[Any] = []
        traced = self._plain.get((backends.backend(), signature(args, leaves)))
        repeat = getattr(traced.run, "repeat", None) if traced else None
        if traced is None or repeat is None:
            return None
        before = [(t, t.value.copy()) for t in traced.written]

        def undo() -> None:
            for t, value in before:
                t.value = value
                t.stamp = tick()

        values = repeat(traced.captured, feeds, len(leaves[0]), steps)
        if values is None:
            return None
        return unflatten(traced.structure, traced.write(values)), undo

    def explain(self, source: bool = False) -> str:
        """What the program of each version does: fused steps, Python steps and why, seconds spent compiling.

        source: also show the kernels' source
        """
        parts = []
        for number, traced in enumerate((v for vs in self._versions.values() for v in vs), 1):
            shapes = ", ".join(map(show_shape, traced.shapes))
            told = getattr(traced.run, "explain", None)
            parts.append(f"version {number}, traced for {shapes or 'no arrays'}: {traced.reason}")
            parts.append(told(source) if told else "every op on NumPy, as it was recorded (backend 'reference')")
        return "\n".join(parts) or "not called yet"

    def _find(self, arguments: _Arguments) -> _Traced:
        """The version for these arguments: one seen with the same shapes, one that admits them, or a new one."""
        shapes = tuple(t.value.shape for t in arguments.tensors)
        exact = (arguments.key, shapes, backends.backend())
        found = self._exact.get(exact)
        if found is None:
            versions = self._versions.setdefault((arguments.key, backends.backend()), [])
            found = next((v for v in versions if _admits(v.shapes, shapes)), None)
            if found is None:
                found = self._trace_shapes(arguments, versions, shapes)
                versions.append(found)
            self._exact[exact] = found
        return found

    def _trace_shapes(self, arguments: _Arguments, versions: list[_Traced], shapes: tuple[Any, ...]) -> _Traced:
        """Trace with known sizes first; from the second time on, sizes that were seen to change are left open."""
        if not versions:
            reason = self._reason(arguments)
            opened = tuple((BATCH, *s[1:]) if s else s for s in shapes)
            return self._trace(arguments, opened if self.batched else shapes, reason)
        last = versions[-1].shapes
        reason = "sizes changed from " + ", ".join(map(show_shape, last))
        if self.batched:
            return self._trace(arguments, tuple((BATCH, *s[1:]) if s else s for s in shapes), reason)
        try:
            return self._trace(arguments, _opened(last, shapes), reason)
        except AutogradError:
            return self._trace(arguments, shapes, reason)

    def _reason(self, arguments: _Arguments) -> str:
        """Why no version knows arguments of this kind."""
        if len(self._versions) == 1:
            return "first call"
        (structure, kinds, statics), name = list(self._versions)[-2]
        if name != backends.backend():
            return f"the backend changed from {name!r}"
        if structure != arguments.key[0]:
            return "the arguments have another structure"
        if kinds != arguments.key[1]:
            return "dtypes or numbers of axes changed from " + ", ".join(f"{d.name} {n}-d" for d, n in kinds)
        return "an argument that is part of the structure changed from " + short([s for s in statics if s is not None])

    def _trace(self, arguments: _Arguments, shapes: tuple[Shape, ...], reason: str) -> _Traced:
        specs = [Spec(shape, t.dtype) for shape, t in zip(shapes, arguments.tensors)]
        symbols = [symbol(spec, t.requires_grad, t.name) for spec, t in zip(specs, arguments.tensors)]
        filled = list(arguments.statics)
        for place, t in zip(arguments.places, symbols):
            filled[place] = t
        args, kwargs = unflatten(arguments.structure, filled)
        trace = Trace()
        with tracing(trace), recording(True):
            leaves, structure = flatten(self.function(*args, **kwargs))
            outputs = [_result(x, self.name) for x in leaves]
        self.traces += 1
        graph, captured = _freeze(symbols, [*outputs, *trace.writes.values()], trace, self.name)
        self.graph = graph
        written = tuple(trace.writes)
        number = {t: len(symbols) + k for k, t in enumerate(captured)}
        replaced = [(number[t], len(outputs) + k) for k, t in enumerate(written) if t in number]
        return _Traced(graph, compiled(graph, replaced), captured, written, structure, shapes, reason)


def _result(x: Any, name: str) -> Tensor:
    try:
        return as_tensor(x)
    except TypeError:
        raise GraphError(f"jit: {name} returned {short(x)}; return tensors, numbers, or nests of them") from None


def _freeze(
    symbols: Sequence[Tensor], outputs: Sequence[Tensor], trace: Trace, name: str
) -> tuple[Graph, tuple[Tensor, ...]]:
    """The Graph of a trace and the outside tensors that it reads, in the order in which it needs them."""
    needed = dict.fromkeys(toposort(outputs, symbols))
    read = [(outside, twin) for outside, twin in trace.reads.items() if twin in needed]
    graph = Graph([*symbols, *(twin for _, twin in read)], outputs, name)
    return graph, tuple(outside for outside, _ in read)


def _admits(known: tuple[Shape, ...], shapes: tuple[Any, ...]) -> bool:
    """Whether sizes fit a version; an unknown size must be the same wherever it stands."""
    bound: dict[Dim, int] = {}
    for pattern, shape in zip(known, shapes):
        for size, got in zip(pattern, shape):
            if isinstance(size, Dim):
                size = bound.setdefault(size, got)
            if size != got:
                return False
    return True


def _opened(before: tuple[Shape, ...], now: tuple[Any, ...]) -> tuple[Shape, ...]:
    """Shapes in which each size that changed is unknown; sizes that changed alike are the same unknown."""
    opened: dict[Any, Dim] = {}

    def size(a: Any, b: int) -> Any:
        return b if a == b else opened.setdefault((a, b), Dim())

    return tuple(tuple(map(size, a, b)) for a, b in zip(before, now))


def jit(f: Callable[..., Any] | None = None, *, batched: bool = False) -> Any:
    """The same function as one compiled program, traced once per structure of its arguments.

    f:       takes tensors, arrays, floats or nests of them (traced), and hashable values (part of the structure);
             Variables and tensors with requires_grad that it uses are read anew at every call, and Variables
             assigned inside are written after the program has run
    batched: the first axis of every array argument is one batch axis of unknown size

    A call with other sizes is traced once more with the changed sizes left open, and then serves all of them.

    >>> import autograd_nn as ag
    >>> f = ag.jit(lambda x, y: ag.ops.tanh(x) * y + 1)
    >>> f(ag.tensor([0.0, 1.0]), 2.0).shape
    (2,)
    >>> f.traces
    1
    """
    if f is None:
        return functools.partial(jit, batched=batched)
    if not callable(f):
        raise ArgumentTypeError(f"jit: expected a function, got {short(f)}")
    return Jitted(f, batched)


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function as one node that keeps only its inputs; its gradient computes the forward again.

    Saves memory for time (Griewank and Walther 2000, "Revolve"; Chen et al. 2016, arXiv 1604.06174).

    >>> import autograd_nn as ag
    >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> ag.checkpoint(lambda x: ag.ops.exp(x) * x)(x).sum().backward()
    >>> x.grad.shape
    (2,)
    """

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        arguments = _take_apart(args, kwargs)
        symbols = [symbol(t.spec, t.requires_grad, t.name) for t in arguments.tensors]
        filled = list(arguments.statics)
        for place, t in zip(arguments.places, symbols):
            filled[place] = t
        inner_args, inner_kwargs = unflatten(arguments.structure, filled)
        start, trace = tick(), Trace()
        with tracing(trace), recording(True):
            leaves, structure = flatten(f(*inner_args, **inner_kwargs))
            outputs = [_result(x, "checkpoint") for x in leaves]
        outputs += trace.writes.values()
        edge = _edge(outputs, symbols, start)
        graph, captured = _freeze([*symbols, *edge], outputs, trace, "checkpoint")
        results = call(graph, (*arguments.tensors, *edge, *map(as_tensor, captured)), compiled)
        count = len(results) - len(trace.writes)
        for outside, new in zip(trace.writes, results[count:]):
            outside.assign(new)
        return unflatten(structure, results[:count])

    return wrapped


def _edge(outputs: Sequence[Tensor], symbols: Sequence[Tensor], start: int) -> list[Tensor]:
    """The valueless tensors made before `start` that what was made since uses directly."""
    made = [t for t in toposort(outputs, symbols) if t.stamp >= start]
    used = dict.fromkeys(
        i for i in (*(i for t in made for i in t.inputs), *outputs) if i.value is None and i.stamp < start
    )
    return [t for t in used if not any(t is s for s in symbols)]


suggest_calls(globals())
