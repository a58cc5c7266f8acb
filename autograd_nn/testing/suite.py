"""Every operation tested from its own record: values, shapes, gradients, layouts, errors."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.autodiff import facing, pullback
from ..engine.graph import Graph, toposort
from ..engine.op import Domain, Op, Sample
from ..engine.signatures import suggest_calls
from ..engine.spec import INEXACT, Dim, Spec
from ..engine.tensor import Tensor, leaf, symbol
from ..engine.tree import Structure, flatten, unflatten
from ..errors import FIRST_LINE, AutogradError, GradientError, InvalidArgument, did_you_mean
from .gradcheck import gradcheck
from .layouts import LAYOUTS, matters
from .problem import Array, Arrays

_WIDE = {np.dtype("float64"): np.dtype("float32"), np.dtype("complex128"): np.dtype("complex64")}
_WIDER = {narrow: wide for wide, narrow in _WIDE.items()}
SEED = 0
EXACT = 1e-12


@dataclass(frozen=True)
class Subject:
    """An op under test: its record, the function that users call, where it is tested, what it must equal."""

    op: Op
    call: Callable[..., Any]
    domain: Domain
    reference: Callable[..., Any] | None

    @property
    def name(self) -> str:
        return self.op.name

    @property
    def order(self) -> int:
        """How many orders of derivative are checked: as many as there are, two at most."""
        return 2 if self.op.order is None else min(self.op.order, 2)

    def cases(self) -> list["Case"]:
        return [Case.of(self, k, sample) for k, sample in enumerate(self.domain.samples(np.random.default_rng(SEED)))]


@dataclass(frozen=True)
class Case:
    """One sample of an op, its arrays apart from its other arguments."""

    subject: Subject
    number: int
    leaves: tuple[Any, ...]
    structure: Structure
    grad: bool

    @staticmethod
    def of(subject: Subject, number: int, sample: Sample) -> "Case":
        leaves, structure = flatten((sample.args, sample.kwargs))
        return Case(subject, number, tuple(leaves), structure, sample.grad)

    @property
    def arrays(self) -> Arrays:
        return tuple(x for x in self.leaves if isinstance(x, np.ndarray))

    def arguments(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with `values` in place of the arrays."""
        rest = iter(values)
        return unflatten(self.structure, [next(rest) if isinstance(x, np.ndarray) else x for x in self.leaves])

    def call(self, values: Sequence[Any]) -> tuple[Tensor, ...]:
        """The outputs for other values of the arrays: arrays, or tensors with or without a value."""
        args, kwargs = self.arguments([leaf(v) if isinstance(v, np.ndarray) else v for v in values])
        with np.errstate(all="ignore"):
            return tuple(flatten(self.subject.call(*args, **kwargs))[0])

    def values(self, arrays: Arrays) -> Arrays:
        return tuple(np.asarray(y.value) for y in self.call(arrays))

    def gradients(self, arrays: Arrays, cotangents: Arrays) -> tuple[Array | None, ...]:
        """The gradients of the float arrays; None where nothing depends on them."""
        inputs = [leaf(a, requires_grad=a.dtype.kind in INEXACT) for a in arrays]
        grads = _pull(self.call(inputs), inputs, [leaf(u) for u in cotangents])
        return tuple(None if g is None else np.asarray(g.value) for g in grads)

    def expect(self, condition: Any, message: str) -> None:
        if not condition:
            raise AssertionError(f"{self}: {message}")

    def same(self, found: Sequence[Any], expected: Sequence[Any], what: str, rtol: float = EXACT) -> None:
        """AssertionError unless both hold the same arrays, but for rounding."""
        self.expect(len(found) == len(expected), f"{what}: {len(found)} results, expected {len(expected)}")
        for a, b in zip(found, expected):
            self.expect((a is None) == (b is None), f"{what}: one of {a} and {b} is missing")
            if a is not None:
                self._same_array(np.asarray(a), np.asarray(b), what, rtol)

    def _same_array(self, a: Array, b: Array, what: str, rtol: float) -> None:
        self.expect(a.shape == b.shape, f"{what}: shape {a.shape}, expected {b.shape}")
        self.expect(a.dtype == b.dtype, f"{what}: dtype {a.dtype}, expected {b.dtype}")
        wide = b if b.dtype.kind == "c" else b.astype(np.float64)
        tallest = np.abs(wide[np.isfinite(wide)]).max(initial=0.0)
        close = np.allclose(a, b, rtol=rtol, atol=rtol * tallest, equal_nan=True)
        self.expect(close, f"{what}: {a.ravel()[:6]}, expected {b.ravel()[:6]}")

    def __str__(self) -> str:
        shown = [f"{x.dtype}{x.shape}" if isinstance(x, np.ndarray) else repr(x) for x in self.leaves]
        return f"{self.subject.name}, sample {self.number} ({', '.join(shown)})"


def _pull(outputs: Sequence[Tensor], inputs: Sequence[Tensor], cotangents: Sequence[Tensor]) -> list[Tensor | None]:
    floats = [y for y in outputs if y.dtype.kind in INEXACT]
    grads = pullback(floats, [facing(u) for u in cotangents], [t for t in inputs if t.requires_grad])
    return [None if g is None else facing(g) for g in grads]


def _cotangents(outputs: Sequence[Array]) -> Arrays:
    rng = np.random.default_rng(SEED)
    return tuple(_drawn(rng, y) for y in outputs if y.dtype.kind in INEXACT)


def _drawn(rng: np.random.Generator, like: Array) -> Array:
    real = np.asarray(rng.normal(size=like.shape))
    return (real + 1j * rng.normal(size=like.shape) if like.dtype.kind == "c" else real).astype(like.dtype)


# --- the aspects


def _record(subject: Subject) -> None:
    """The record is complete: a doc, a kernel expression, samples, and at least three inputs that are refused."""
    cases = subject.cases()
    assert subject.op.doc, f"{subject.name} has no doc"
    assert subject.op.emit, f"{subject.name} has no kernel expression"
    assert cases, f"{subject.name} has no samples"
    assert len(list(subject.domain.errors())) >= 3, f"{subject.name} needs three inputs that it refuses"
    differentiated = any(case.grad and any(a.size and a.dtype.kind in INEXACT for a in case.arrays) for case in cases)
    assert subject.op.order == 0 or differentiated, f"{subject.name} has a gradient and no sample to check it on"


def _reference(subject: Subject) -> None:
    """Values equal NumPy's."""
    assert subject.reference is not None, f"{subject.name} has no reference: give reference=, a function on arrays"
    for case in subject.cases():
        args, kwargs = case.arguments(case.arrays)
        with np.errstate(all="ignore"):
            expected = flatten(subject.reference(*args, **kwargs))[0]
        case.same(case.values(case.arrays), [np.asarray(y) for y in expected], "against the reference")


def _shapes(subject: Subject) -> None:
    """The graph of known sizes has the shapes and dtypes of the values, and evaluates to them; so does its gradient."""
    for case in subject.cases():
        symbols = [symbol(Spec(a.shape, a.dtype), requires_grad=a.dtype.kind in INEXACT) for a in case.arrays]
        _graph_agrees(case, symbols, [case.arrays])


def _unknown_sizes(subject: Subject) -> None:
    """A graph with an unknown first size gives, at two sizes, what eager calls give; so does its gradient."""
    for case in subject.cases():
        for size in dict.fromkeys(a.shape[0] for a in case.arrays if a.ndim and a.shape[0] != 1):
            batch = Dim("batch")
            first = [a.ndim and a.shape[0] == size for a in case.arrays]
            shapes = [(batch, *a.shape[1:]) if f else a.shape for a, f in zip(case.arrays, first)]
            twice = tuple(np.concatenate([a, a]) if f else a for a, f in zip(case.arrays, first))
            _graph_agrees(case, _symbols(case, shapes), [case.arrays, twice], optional=True)
        shapes = [tuple(Dim() if size != 1 else 1 for size in a.shape) for a in case.arrays]
        _graph_agrees(case, _symbols(case, shapes), [case.arrays], optional=True)


def _symbols(case: Case, shapes: Sequence[Any]) -> list[Tensor]:
    return [symbol(Spec(s, a.dtype), requires_grad=a.dtype.kind in INEXACT) for s, a in zip(shapes, case.arrays)]


def _graph_agrees(case: Case, symbols: list[Tensor], trials: Sequence[Arrays], optional: bool = False) -> None:
    """The graph over `symbols` equals eager calls, at the arrays of each trial that the op takes.

    Where `optional`, an op may refuse sizes that are not known yet. At some sizes there may be no gradient.
    """
    try:
        outputs = case.call(symbols)
    except AutogradError:
        case.expect(optional, "refuses a tensor without a value")
        return
    seeds = [symbol(y.spec) for y in outputs if y.dtype.kind in INEXACT]
    grads = _pull(outputs, symbols, seeds) if case.grad and case.subject.op.order != 0 else []
    forward = Graph(symbols, outputs).verify()
    reverse = Graph([*symbols, *seeds], [g for g in grads if g is not None]).verify()
    for arrays in trials:
        try:
            expected = case.values(arrays)
        except AutogradError:
            continue
        found = _evaluated(forward, arrays)
        case.same(found, expected, "graph")
        for y, spec in zip(expected, (y.spec for y in outputs)):
            fits = len(spec.shape) == y.ndim and all(s == n for s, n in zip(spec.shape, y.shape) if isinstance(s, int))
            case.expect(fits and spec.dtype == y.dtype, f"the shape rule gives {spec}, the value is {y.dtype}{y.shape}")
        if grads:
            cotangents = _cotangents(expected)
            try:
                eager = [g for g in case.gradients(arrays, cotangents) if g is not None]
            except GradientError:
                continue
            case.same(_evaluated(reverse, (*arrays, *cotangents)), eager, "gradient graph")


def _evaluated(graph: Graph, arrays: Arrays) -> tuple[Array, ...]:
    with np.errstate(all="ignore"):
        return tuple(np.asarray(y) for y in graph.evaluate(*arrays))


def _gradient(subject: Subject) -> None:
    """Gradients equal differences, to the second order where there is one."""
    for case in subject.cases():
        if subject.order and case.grad and any(a.dtype.kind in INEXACT for a in case.arrays):
            gradcheck(lambda *tensors, case=case: case.call(tensors), case.arrays, order=subject.order)


def _no_gradient(subject: Subject) -> None:
    """An op that says it has no gradient gives results that need none."""
    for case in subject.cases():
        outputs = case.call([leaf(a, requires_grad=a.dtype.kind in INEXACT) for a in case.arrays])
        asking = any(y.requires_grad for y in outputs)
        case.expect(subject.op.order != 0 or not asking, "says it has no gradient, and its result asks for one")


def _layouts(subject: Subject) -> None:
    """Fortran-order, strided and reversed inputs give the same values and gradients."""
    for case in subject.cases():
        expected = case.values(case.arrays)
        cotangents = _cotangents(expected)
        differentiated = case.grad and subject.op.order != 0
        gradients = case.gradients(case.arrays, cotangents) if differentiated else ()
        for layout, arrange in LAYOUTS.items():
            arranged = tuple(arrange(a) if matters(a, layout) else a for a in case.arrays)
            case.same(case.values(arranged), expected, f"{layout} layout")
            if differentiated:
                turned = tuple(arrange(u) if matters(u, layout) else u for u in cotangents)
                case.same(case.gradients(arranged, turned), gradients, f"{layout} layout, gradient")


def _pure(subject: Subject) -> None:
    """Inputs are never written to, nor shared with what may be written, and two equal calls give the same bits."""
    for case in subject.cases():
        frozen = tuple(a.copy() for a in case.arrays)
        for a in frozen:
            a.flags.writeable = False
        first, second = case.values(frozen), case.values(frozen)
        for a, b in zip(first, second):
            case.expect(a.tobytes() == b.tobytes(), "two equal calls differ")
        if case.grad and subject.op.order != 0:
            case.gradients(frozen, _cotangents(first))
        for a, b in zip(frozen, case.arrays):
            case.expect(a.tobytes() == b.tobytes(), "an input was written to")


def _float32(subject: Subject) -> None:
    """float32 inputs give float32 results, near those of float64; so do gradients."""
    for case in subject.cases():
        asked = {"float64", "complex128"} & set(map(str, case.leaves))
        if asked or not any(a.dtype in _WIDE for a in case.arrays):
            continue
        shorter = tuple(_shortened(a) for a in case.arrays)
        wide = case.values(tuple(a.astype(_WIDER.get(a.dtype, a.dtype)) for a in shorter))
        case.same(case.values(shorter), [_shortened(y) for y in wide], "float32", rtol=2e-5)
        if case.grad and subject.op.order != 0:
            cotangents = _cotangents(wide)
            expected = case.gradients(case.arrays, cotangents)
            found = case.gradients(shorter, tuple(_shortened(u) for u in cotangents))
            case.same(found, [None if g is None else _shortened(g) for g in expected], "float32 gradient", rtol=1e-4)
        _stays_narrow(case, shorter)


def _stays_narrow(case: Case, arrays: Arrays) -> None:
    """No node on the way to the results and the gradients is wider than they are."""
    symbols = [symbol(Spec(a.shape, a.dtype), requires_grad=a.dtype.kind in INEXACT) for a in arrays]
    outputs = case.call(symbols)
    seeds = [symbol(y.spec) for y in outputs if y.dtype.kind in INEXACT]
    grads = _pull(outputs, symbols, seeds) if case.grad and case.subject.op.order != 0 else []
    nodes = toposort([*outputs, *(g for g in grads if g is not None)])
    wide = [t.op.name for t in nodes if t.op is not None and not t.op.many and t.dtype in _WIDE]
    case.expect(not wide, f"computes {wide[:1]} in float64 for float32 inputs")


def _shortened(a: Array) -> Array:
    return a.astype(_WIDE.get(a.dtype, a.dtype))


def _errors(subject: Subject) -> None:
    """Every bad input raises its error: one of this library, whose short first line names the op or argument."""
    names = {subject.name, *_parameters(subject.call)}
    for number, bad in enumerate(subject.domain.errors()):
        where = f"{subject.name}, error {number}"
        try:
            subject.call(*bad.args, **bad.kwargs)
        except Exception as error:
            kind, first = type(error).__name__, str(error).partition("\n")[0]
            assert isinstance(error, bad.error), f"{where}: {kind}, expected {bad.error.__name__}: {first}"
            assert isinstance(error, AutogradError), f"{where}: {kind} is not of this library: {first}"
            assert len(first) <= FIRST_LINE, f"{where}: the first line has {len(first)} characters"
            assert any(name in first for name in names), f"{where}: names neither op nor argument: {first}"
        else:
            raise AssertionError(f"{where}: nothing was raised, expected {bad.error.__name__}")


def _parameters(call: Callable[..., Any]) -> tuple[str, ...]:
    """The names of arguments that are long enough to be told from other words."""
    try:
        names = tuple(inspect.signature(call).parameters)
    except ValueError:
        return ()
    return tuple(name for name in names if len(name) > 2)


ASPECTS: dict[str, Callable[[Subject], None]] = {
    "record": _record,
    "reference": _reference,
    "shapes": _shapes,
    "unknown sizes": _unknown_sizes,
    "gradient": _gradient,
    "no gradient": _no_gradient,
    "layouts": _layouts,
    "pure": _pure,
    "float32": _float32,
    "errors": _errors,
}


def check_op(
    op: Any, aspect: str, *, domain: Domain | None = None, reference: Callable[..., Any] | None = None
) -> None:
    """Test one aspect of an op; AssertionError (or what the op raised) says what is wrong.

    op:        an op's record, the public function of one, or a custom op
    aspect:    a name in `ASPECTS`: "record", "reference", "shapes", "unknown sizes", "gradient", "no gradient",
               "layouts", "pure", "float32" or "errors"
    domain:    where to test it, if its record does not say
    reference: what its values must equal, a function on arrays; without it what the record says, or NumPy's function
               of the same name

    >>> import autograd_nn as ag
    >>> from autograd_nn.testing import check_op
    >>> check_op(ag.ops.tanh, "gradient")
    """
    if aspect not in ASPECTS:
        raise InvalidArgument(
            f"check_op: unknown aspect {aspect!r}{did_you_mean(aspect, ASPECTS)}; known: {', '.join(ASPECTS)}"
        )
    ASPECTS[aspect](subject_of(op, domain, reference))


def op_suite(op: Any, *, domain: Domain | None = None, reference: Callable[..., Any] | None = None) -> None:
    """Test every aspect of an op, as `check_op` does one; those about NumPy's values only where there is a reference.

    >>> import numpy as np, autograd_nn as ag
    >>> from autograd_nn.testing import Bad, Domain, Sample, op_suite
    >>> def cube(x):
    ...     'x to the power 3.'
    ...     return x ** 3
    >>> op = ag.custom_op(cube, lambda g, y, x: (g * 3 * x * x,))
    >>> refused = [Bad((np.array(["a"]),), {}, TypeError), Bad((np.array([1j]),), {}, TypeError),
    ...            Bad(([[1.0], [1.0, 2.0]],), {}, ValueError)]
    >>> samples = [Sample((np.array([1.0, 2.0, 4.0]),))]
    >>> op_suite(op, domain=Domain(lambda rng: samples, lambda: refused), reference=lambda x: x * x * x)
    """
    subject = subject_of(op, domain, reference)
    for aspect, check in ASPECTS.items():
        if aspect != "reference" or subject.reference is not None:
            check(subject)


def subject_of(op: Any, domain: Domain | None = None, reference: Callable[..., Any] | None = None) -> Subject:
    """An op with what its tests need; AssertionError for one without a domain."""
    record: Op = op if isinstance(op, Op) else getattr(op, "op", op)
    if not isinstance(record, Op):
        raise InvalidArgument(f"an op, its public function or a custom op is expected, got {type(op).__name__}")
    found = domain or record.domain
    assert found is not None, f"{record.name} has no domain: give domain=Domain(samples, errors)"
    call = record.call if record.call is not None else op
    same_name = getattr(np, record.name, None)
    numpy_twin = same_name if callable(same_name) else None
    return Subject(record, call, found, reference or record.reference or numpy_twin)


suggest_calls(globals())
