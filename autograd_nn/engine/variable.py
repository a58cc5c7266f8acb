"""Leaves that programs read and replace, and the trace that stands between them and a program."""

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ..errors import DTypeError, ShapeError, short
from .convert import as_tensor
from .op import OPS
from .signatures import unknown_argument
from .spec import as_array, show_shape
from .tensor import MODE, Tensor, describe, leaf, symbol, tick, user_site


class Variable(Tensor):
    """A leaf whose value programs read and replace: parameters, states of metrics, optimizers and random generators.

    A traced program takes it as an input and writes its new value back as the last act.
    """

    __slots__ = ("constraint", "path", "regularizer", "trainable")

    if TYPE_CHECKING:
        trainable: bool
        regularizer: Any
        constraint: Any
        path: str

    def __init__(
        self,
        value: Any,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        regularizer: Any = None,
        constraint: Any = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            known = ("value", "trainable", "dtype", "name", "regularizer", "constraint")
            raise unknown_argument("Variable", unknown, known)
        array = as_array(value.concrete("Variable") if isinstance(value, Tensor) else value)
        if array.dtype.kind not in "biuf":
            real = "; keep the real and the imaginary part" if array.dtype.kind == "c" else ""
            raise DTypeError(f"Variable: expected real numbers, got {short(value)}{real}")
        self.value = array.astype(array.dtype if dtype is None else dtype)
        self.requires_grad = trainable and self.value.dtype.kind == "f"
        self.trainable = trainable
        self.name = self.path = name or "variable"
        self.regularizer = regularizer
        self.constraint = constraint
        self.stamp = tick()
        self.site = user_site()

    def current(self) -> Tensor:
        """What ops see: the traced twin inside a trace, else the variable itself."""
        return self if MODE.trace is None else MODE.trace.read(self)

    def assign_add(self, value: Any) -> Tensor:
        return self.assign(self + value)

    def assign_sub(self, value: Any) -> Tensor:
        return self.assign(self - value)

    def clear(self) -> None:
        """Set all elements to zero; states of metrics are cleared before every batch that stands alone."""
        zeros = self.value.copy()
        zeros.fill(0)
        if MODE.trace is not None:
            MODE.trace.write(self, zeros)
            return
        self.value = zeros
        self.stamp = tick()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Variable":
        twin = Variable(self.value, trainable=self.trainable, name=self.name)
        memo[id(self)] = twin
        twin.path, twin.requires_grad = self.path, self.requires_grad
        twin.regularizer, twin.constraint = deepcopy((self.regularizer, self.constraint), memo)
        return twin

    def __repr__(self) -> str:
        return f"<Variable {self.path} shape={self.value.shape} dtype={self.value.dtype.name}>"


class Trace:
    """What a traced function read and wrote: leaves stand for outside tensors, new values wait to be written."""

    def __init__(self) -> None:
        self.reads: dict[Tensor, Tensor] = {}
        self.writes: dict[Tensor, Tensor] = {}
        self.grads: dict[Tensor, Tensor | None] = {}

    def owners(self, leaves: Iterable[Tensor]) -> dict[Tensor, Tensor]:
        """The outside tensors for which leaves stand. Their `.grad` starts anew, until `end` puts it back."""
        outside = {twin: t for t, twin in self.reads.items()}
        owners = {leaf: outside[leaf] for leaf in leaves if leaf in outside}
        for t in owners.values():
            if t not in self.grads:
                self.grads[t], t.grad = t.grad, None
        return owners

    def end(self) -> None:
        """Put back the gradients that outside tensors had before the trace."""
        for t, grad in self.grads.items():
            t.grad = grad

    def read(self, outside: Tensor) -> Tensor:
        written = self.writes.get(outside)
        if written is not None:
            return written
        twin = self.reads.get(outside)
        if twin is None:
            twin = symbol(outside.spec, requires_grad=outside.requires_grad, name=outside.name)
            twin.site = outside.site
            twin.params = {"captured": True}
            self.reads[outside] = twin
        return twin

    def write(self, outside: Tensor, value: Any) -> None:
        new = OPS["cast"].call(as_tensor(value), outside.value.dtype)  # type: ignore[misc]
        if new.spec.shape != outside.value.shape:
            raise ShapeError(
                f"assign to {describe(outside)}: expected shape {outside.value.shape}, got {show_shape(new.spec.shape)}"
            )
        self.read(outside)
        self.writes[outside] = new


def snapshot(variable: Variable) -> Tensor:
    """What a variable holds now, as a tensor that later assignments leave alone."""
    return leaf(variable.value) if MODE.trace is None else variable.current()
