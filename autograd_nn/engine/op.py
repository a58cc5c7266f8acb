"""What an operation is: one record with its shape rule, forward, gradient, kernel expression and test domain."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Sample(NamedTuple):
    """Arguments on which an op is tested; arrays among them are also tried in other memory layouts.

    `grad` is False where the op has no derivative there.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = {}
    grad: bool = True


class Bad(NamedTuple):
    """Arguments that an op must refuse, and the error it must raise."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    error: type[Exception]


@dataclass(frozen=True)
class Domain:
    """Where an op is tested: `samples(rng)` it must get right, `errors()` it must refuse."""

    samples: Callable[[Any], Iterable[Sample]]
    errors: Callable[[], Iterable[Bad]]


@dataclass(slots=True, eq=False)
class Op:
    """An operation on tensors.

    eval:     forward on arrays, `eval(*values, **params)`; a tuple of arrays where `many`
    infer:    shape rule on Specs, `infer(*specs, **params)`; a tuple of Specs where `many`
    partials: one gradient rule per input, `partials[i](g, y, *inputs, **params)`, written in Tensor ops;
              None where an input has no gradient
    vjp:      instead of `partials`, one rule that returns a tuple, a gradient or None per input
    emit:     kernel expression: a scalar expression in {0}, {1}, ... or the name of a kernel family
    apply:    how the op is recorded again on other inputs, `apply(inputs, params)`; None for the usual way
    order:    how often it can be differentiated; None for any order, 0 for never
    gaps:     whether `vjp` of an op with several outputs takes None for those that nothing depends on, instead of zeros
    complex:  whether it takes complex tensors; the engine refuses them for every other op
    """

    name: str
    eval: Callable[..., Any]
    infer: Callable[..., Any]
    partials: tuple[Callable[..., Any] | None, ...] | None = None
    vjp: Callable[..., Any] | None = None
    emit: str = ""
    domain: Domain | None = None
    doc: str = ""
    family: str = ""
    many: bool = False
    order: int | None = None
    apply: Callable[..., Any] | None = None
    gaps: bool = False
    complex: bool = False
    reference: Callable[..., Any] | None = None
    call: Callable[..., Any] | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __deepcopy__(self, memo: Any) -> "Op":
        return self


OPS: dict[str, Op] = {}


def register(op: Op) -> Op:
    """Put `op` into the registry under its name, which must be free."""
    if op.name in OPS:
        raise ValueError(f"op {op.name!r} is registered twice")
    OPS[op.name] = op
    return op
