"""What a gradient check works on: a function of named arrays, and its pullback as another such function."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import ops
from ..engine.autodiff import pullback
from ..engine.convert import to_array
from ..engine.tensor import Tensor, leaf
from ..engine.tree import flatten, unflatten
from ..errors import ArgumentTypeError, GradientError, short

Array = np.ndarray[Any, Any]
Arrays = tuple[Array, ...]


@dataclass(frozen=True)
class Problem:
    """A function of tensors, at one place.

    run:        tensors for all inputs to the float outputs, in order
    names:      what the user calls each input
    arrays:     the inputs; only those of floats are differentiated
    cotangents: one array per output; what is checked is the gradient of the outputs' weighted sum
    order:      how many derivatives `run` already took, plus one
    """

    run: Callable[[Sequence[Tensor]], tuple[Tensor, ...]]
    names: tuple[str, ...]
    arrays: Arrays
    cotangents: Arrays
    order: int = 1

    @property
    def floats(self) -> tuple[int, ...]:
        """The places of the inputs that are differentiated."""
        return tuple(k for k, array in enumerate(self.arrays) if array.dtype.kind == "f")

    def at(self, arrays: Arrays, cotangents: Arrays | None = None) -> "Problem":
        """The same function at another place."""
        return replace(self, arrays=arrays, cotangents=self.cotangents if cotangents is None else cotangents)

    def changed(self, place: int, array: Array) -> "Problem":
        """The same function with one input replaced."""
        return self.at((*self.arrays[:place], array, *self.arrays[place + 1 :]))

    def outputs(self) -> Arrays:
        """The values of the outputs, computed without a history."""
        with np.errstate(all="ignore"):
            return tuple(np.asarray(y.value) for y in self.run([leaf(array) for array in self.arrays]))

    def vector(self) -> Array:
        """All outputs in one float64 vector."""
        outputs = self.outputs()
        if [y.shape for y in outputs] != [u.shape for u in self.cotangents]:
            shapes = ", ".join(str(y.shape) for y in outputs)
            raise GradientError(f"gradcheck: the shapes of the outputs changed to {shapes} as the input moved a little")
        return joined(outputs)

    def record(self) -> "Recorded":
        """The outputs with their history."""
        inputs = [leaf(array, requires_grad=array.dtype.kind == "f") for array in self.arrays]
        with np.errstate(all="ignore"):
            return Recorded(self, inputs, self.run(inputs))

    def gradients(self) -> tuple[Array | None, ...]:
        """The gradient of each float input; None where nothing depends on it."""
        return self.record().pull(self.cotangents)

    def derivative(self, rng: np.random.Generator) -> "Problem":
        """The pullback as a function of the inputs and of the cotangents."""
        count, floats, run = len(self.arrays), self.floats, self.run

        def pull(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
            outer = any(t.requires_grad for t in tensors)
            inner = [_open(t) if k in floats else t for k, t in enumerate(tensors[:count])]
            wrt = [inner[k] for k in floats]
            grads = pullback(run(inner), tensors[count:], wrt, create_graph=outer)
            return tuple(leaf(np.zeros_like(t.value)) if g is None else g for g, t in zip(grads, wrt))

        seeds = tuple(f"cotangent[{k}]" for k in range(len(self.cotangents)))
        arrays = (*self.arrays, *self.cotangents)
        with np.errstate(all="ignore"):
            outputs = pull([leaf(array) for array in arrays])
        cotangents = tuple(cotangent(np.asarray(y.value), rng) for y in outputs)
        return Problem(pull, (*self.names, *seeds), arrays, cotangents, self.order + 1)


@dataclass(frozen=True)
class Recorded:
    """A problem whose outputs were computed with their history."""

    problem: Problem
    inputs: list[Tensor]
    outputs: tuple[Tensor, ...]

    def values(self) -> Arrays:
        return tuple(np.asarray(y.value) for y in self.outputs)

    def pull(self, cotangents: Arrays) -> tuple[Array | None, ...]:
        """The gradients of the float inputs for these cotangents of the outputs."""
        wrt = [self.inputs[k] for k in self.problem.floats]
        grads = pullback(self.outputs, [leaf(u) for u in cotangents], wrt, create_graph=False)
        return tuple(None if g is None else np.asarray(g.value) for g in grads)


def _open(t: Tensor) -> Tensor:
    return t if t.requires_grad else leaf(t.value, requires_grad=True)


def joined(arrays: Arrays) -> Array:
    """Several arrays, row by row, in one float64 vector."""
    return np.concatenate([np.ravel(array).astype(np.float64) for array in arrays] or [np.zeros(0)])


def cotangent(y: Array, rng: np.random.Generator) -> Array:
    """Random weights of size 1/2 to 3/2 for the elements of an output; zero where it is not finite."""
    size = rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1.0, 1.0], y.shape)
    return np.where(np.isfinite(y), size, 0.0).astype(y.dtype)


def problem_of(f: Callable[..., Any], inputs: Any, rng: np.random.Generator) -> Problem:
    """`f` as a function of arrays at the place `inputs`."""
    arguments = tuple(inputs) if type(inputs) in (tuple, list) else (inputs,)
    leaves, structure = flatten(arguments)
    arrays = [_array(x) for x in leaves]
    given = [k for k, array in enumerate(arrays) if array is not None]
    pairs = [k for k, array in enumerate(arrays) if array is not None and array.dtype.kind == "c"]
    labels = list(_paths(arguments, _parameter_names(f, len(arguments))))
    names = tuple(getattr(leaves[k], "name", None) or labels[k] for k in given)

    def run(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        full = list(leaves)
        for k, t in zip(given, tensors):
            full[k] = ops.view_as_complex(t) if k in pairs else t
        return _float_outputs(f(*unflatten(structure, full)))

    values = tuple(_real(array) for array in arrays if array is not None)
    with np.errstate(all="ignore"):
        outputs = run([leaf(array.copy()) for array in values])
    return Problem(run, names, values, tuple(cotangent(np.asarray(y.value), rng) for y in outputs))


def _array(x: Any) -> Array | None:
    """A leaf of the inputs as a new array in row-major order; None for what is passed on as it is."""
    if type(x) is float:
        return np.asarray(x, np.float64)
    if isinstance(x, (Tensor, np.ndarray, np.generic)):
        return np.array(to_array(x, copy=False, complex_too=True), order="C", copy=True)
    return None


def _real(array: Array) -> Array:
    """Complex numbers as pairs of real ones, which differences are taken of."""
    return np.stack([array.real, array.imag], -1) if np.iscomplexobj(array) else array


def _float_outputs(result: Any) -> tuple[Tensor, ...]:
    leaves, _ = flatten(result)
    for y in leaves:
        if not isinstance(y, Tensor):
            raise ArgumentTypeError(
                f"gradcheck: f must return Tensors, got {short(y)} of type {type(y).__name__}; "
                "keep the computation in ag.ops"
            )
    real = (ops.view_as_real(y) if y.dtype.kind == "c" else y for y in leaves)
    outputs = tuple(y for y in real if y.dtype.kind == "f")
    if not outputs:
        kinds = ", ".join(y.dtype.name for y in leaves) or "nothing"
        raise GradientError(f"gradcheck: f must return a float tensor, got {kinds}; there is no gradient to check")
    return outputs


def _parameter_names(f: Callable[..., Any], count: int) -> list[str]:
    """What `f` calls its positional arguments."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    rest = next((p.name for p in parameters if p.kind == p.VAR_POSITIONAL), "inputs")
    return names + [f"{rest}[{k}]" for k in range(count - len(names))]


def _paths(nest: Any, names: Sequence[str] | str) -> Iterator[str]:
    """The path of each leaf of a nest, in the order of `flatten`."""
    if nest is None:
        return
    if isinstance(nest, dict):
        for key, item in nest.items():
            yield from _paths(item, f"{names}[{key!r}]")
    elif isinstance(nest, (list, tuple)):
        for k, item in enumerate(nest):
            yield from _paths(item, f"{names}[{k}]" if isinstance(names, str) else names[k])
    else:
        assert isinstance(names, str)
        yield names
