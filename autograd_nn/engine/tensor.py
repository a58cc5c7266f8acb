"""The node of the one graph: a Tensor, whose value is optional."""

import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import TYPE_CHECKING, Any

from ..errors import (
    DataError,
    DTypeError,
    GradientError,
    GraphError,
    InvalidArgument,
    ShapeError,
    SymbolicError,
    UnknownAttribute,
    nearest,
)
from .copying import copied
from .op import Op
from .spec import INEXACT, Spec, array_text, as_array, public_shape, show_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .variable import Trace

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
Site = tuple[CodeType, int]

# One clock for creation and replacement: a node is newer than its inputs, and an input
# whose value was replaced after a node was recorded is newer than that node.
tick = itertools.count(1).__next__


class Scope:
    """Where in the model a node is made: the layers being called, outermost first, by name and themselves."""

    __slots__ = ("names", "owners")

    def __init__(self, names: tuple[str, ...], owners: tuple[Any, ...]) -> None:
        self.names = names
        self.owners = owners


class _Mode(threading.local):
    recording = True
    scope: Scope | None = None
    trace: "Trace | None" = None
    site: Site | None = None
    # Neither recording nor tracing: what ops ask first, so that a plain backward asks no more.
    quiet = False

    def set(self, recording: bool, trace: "Trace | None") -> None:
        self.recording = recording
        self.trace = trace
        self.quiet = trace is None and not recording


MODE = _Mode()


class Tensor:
    """A node of the graph: an operation on other tensors, or a leaf; with a value, or still without one.

    op:            the operation that made it, None for a leaf
    inputs:        the tensors it was made from, in order
    params:        the operation's other arguments
    value:         its array, None while symbolic
    requires_grad: whether gradients flow to it
    stamp:         when it was made, or when its value was last replaced
    site:          the line of user code that made it

    >>> import autograd_nn as ag
    >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    Tensor([2., 4.], dtype=float32)
    """

    __slots__ = (
        "__weakref__", "_spec", "grad", "inputs", "name", "op", "params", "requires_grad", "scope", "site", "stamp",
        "value",
    )  # fmt: skip

    if TYPE_CHECKING:
        op: Op | None
        inputs: tuple["Tensor", ...]
        params: dict[str, Any]
        value: Any
        requires_grad: bool
        grad: "Tensor | None"
        name: str | None
        stamp: int
        site: Site | None
        scope: Scope | None
        _spec: Spec | None

        def __add__(self, other: Any) -> "Tensor": ...
        def __radd__(self, other: Any) -> "Tensor": ...
        def __sub__(self, other: Any) -> "Tensor": ...
        def __rsub__(self, other: Any) -> "Tensor": ...
        def __mul__(self, other: Any) -> "Tensor": ...
        def __rmul__(self, other: Any) -> "Tensor": ...
        def __truediv__(self, other: Any) -> "Tensor": ...
        def __rtruediv__(self, other: Any) -> "Tensor": ...
        def __floordiv__(self, other: Any) -> "Tensor": ...
        def __rfloordiv__(self, other: Any) -> "Tensor": ...
        def __mod__(self, other: Any) -> "Tensor": ...
        def __rmod__(self, other: Any) -> "Tensor": ...
        def __pow__(self, other: Any) -> "Tensor": ...
        def __rpow__(self, other: Any) -> "Tensor": ...
        def __matmul__(self, other: Any) -> "Tensor": ...
        def __rmatmul__(self, other: Any) -> "Tensor": ...
        def __and__(self, other: Any) -> "Tensor": ...
        def __or__(self, other: Any) -> "Tensor": ...
        def __xor__(self, other: Any) -> "Tensor": ...
        def __lshift__(self, other: Any) -> "Tensor": ...
        def __rshift__(self, other: Any) -> "Tensor": ...
        def __lt__(self, other: Any) -> "Tensor": ...
        def __le__(self, other: Any) -> "Tensor": ...
        def __gt__(self, other: Any) -> "Tensor": ...
        def __ge__(self, other: Any) -> "Tensor": ...
        def __eq__(self, other: Any) -> "Tensor": ...  # type: ignore[override]
        def __ne__(self, other: Any) -> "Tensor": ...  # type: ignore[override]
        def __neg__(self) -> "Tensor": ...
        def __abs__(self) -> "Tensor": ...
        def __invert__(self) -> "Tensor": ...
        def __getitem__(self, key: Any) -> "Tensor": ...

    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        # Slots that were never set read as their default, so that making a node sets only what it needs.
        if name in _UNSET:
            return _UNSET[name]
        if name.startswith("__"):
            raise AttributeError(name)
        guess = nearest(name, dir(type(self)))
        hint = f"; did you mean {guess!r}?" if guess else ""
        raise UnknownAttribute(f"a Tensor has no attribute {name!r}{hint}")

    @property
    def spec(self) -> Spec:
        """Shape and dtype, unknown sizes as `Dim`."""
        if self.value is not None:
            return Spec(self.value.shape, self.value.dtype)
        spec = self._spec
        assert spec is not None
        return spec

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The size of each axis, None where it is not known yet."""
        return self.value.shape if self.value is not None else public_shape(self.spec.shape)

    @property
    def dtype(self) -> Any:
        return self.value.dtype if self.value is not None else self.spec.dtype

    @property
    def ndim(self) -> int:
        return len(self.spec.shape)

    @property
    def size(self) -> int:
        return self.concrete("size").size

    @property
    def nbytes(self) -> int:
        return self.concrete("nbytes").nbytes

    @property
    def is_leaf(self) -> bool:
        return self.op is None

    @property
    def is_symbolic(self) -> bool:
        """Whether it has no value yet."""
        return self.value is None

    def concrete(self, use: str) -> "NDArray[Any]":
        """The array; SymbolicError, naming the line that made the tensor, where there is none."""
        if self.value is None:
            raise SymbolicError(
                f"{use} needs a value, and {describe(self)} has none yet; inside jit or a model use ops.where, "
                "ops.cond or ops.scan instead of Python control flow"
            )
        return as_array(self.value)

    def numpy(self) -> "NDArray[Any]":
        """The value as a read-only NumPy view; SymbolicError where there is none."""
        view = self.concrete("numpy()").view()
        view.flags.writeable = False
        return view

    def item(self) -> Any:
        """The only element as a Python number."""
        array = self.concrete("item()")
        if array.size != 1:
            raise ShapeError(f"item() needs one element, got shape {array.shape}; use tolist() or index it")
        return array.item()

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers."""
        return self.concrete("tolist()").tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> "NDArray[Any]":
        array = self.concrete("NumPy").copy() if copy else self.numpy()
        return array if dtype is None or array.dtype == dtype else array.astype(dtype)

    def __bool__(self) -> bool:
        array = self.concrete("bool()")
        if array.size != 1:
            raise ShapeError(f"the truth of shape {array.shape} is ambiguous; use t.any() or t.all()")
        return bool(array.item())

    def __float__(self) -> float:
        if self.dtype.kind == "c":
            raise DTypeError(f"float() of {describe(self)} of {self.dtype}: use complex(), or take ops.real of it")
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise DTypeError(f"an index must be an integer, got {describe(self)}; cast it with ops.cast(t, 'int64')")
        return int(self.item())

    def __len__(self) -> int:
        if not self.spec.shape:
            raise ShapeError("a 0-d tensor has no len()")
        size = self.spec.shape[0]
        if not isinstance(size, int):
            raise SymbolicError(f"len() of {describe(self)}: its first size is not known yet; use ops.shape(t)[0]")
        return size

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, item: Any) -> bool:
        return bool((self == item).any())

    def __setitem__(self, key: Any, value: Any) -> None:
        raise GraphError("a Tensor is never written in place; use ops.where(mask, new, t) or t.assign(array)")

    def __deepcopy__(self, memo: dict[int, Any]) -> "Tensor":
        if self.value is None:
            return copied(self, memo)
        if self.op is not None and self.requires_grad:
            raise GraphError(f"only leaves can be copied; {describe(self)} has a history, call ops.stop_gradient first")
        twin = leaf(self.concrete("copy").copy(), requires_grad=self.requires_grad, name=self.name)
        memo[id(self)] = twin
        return twin

    def __reduce__(self) -> Any:
        return leaf, (self.concrete("pickle").copy(), None, self.requires_grad, self.name)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        if self.value is None:
            label = f"{self.name!r}, " if self.name else ""
            return f"Tensor({label}shape={show_shape(self.spec.shape)}, dtype={self.dtype.name})"
        text = array_text(as_array(self.value))
        return f"Tensor({text}, dtype={self.dtype.name}{', requires_grad=True' if self.requires_grad else ''})"

    def detach(self) -> "Tensor":
        """The same value without its history."""
        return leaf(self.concrete("detach()"))

    def assign(self, value: Any) -> "Tensor":
        """Replace the value of a leaf; the new one must have the same shape and is cast to the same dtype.

        A later `backward` through a node that was recorded before is an error.

        >>> import autograd_nn as ag
        >>> w = ag.tensor([1.0, 2.0])
        >>> w.assign([3.0, 4.0])
        Tensor([3., 4.], dtype=float32)
        """
        if self.op is not None:
            raise GraphError(f"assign: {describe(self)} is not a leaf; only leaves have a value to replace")
        if MODE.trace is not None:
            MODE.trace.write(self, value)
            return self
        array = as_array(value.concrete("assign") if isinstance(value, Tensor) else value)
        if array.shape != self.value.shape:
            raise ShapeError(f"assign to {describe(self)}: expected shape {self.value.shape}, got {array.shape}")
        if array.dtype.kind == "c" and self.value.dtype.kind != "c":
            raise DTypeError(f"assign to {describe(self)}: it is {self.value.dtype}, got {array.dtype}; take ops.real")
        self.value = array.astype(self.value.dtype)
        self.stamp = tick()
        self.site = user_site()
        return self

    def backward(self, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Add to `.grad` of every leaf that requires it the gradient of this tensor.

        gradient:     cotangent of the same shape; may be left out for one element
        retain_graph: keep the graph for another backward
        create_graph: make the gradients differentiable themselves

        Raises GradientError for a non-scalar without `gradient`, a second backward through a freed graph,
        or a leaf whose value was replaced since.
        """
        from .autodiff import backward

        backward(self, gradient, retain_graph or create_graph, create_graph)

    def _repr_svg_(self) -> str | None:
        return RENDERER.svg(self) if RENDERER.svg else None


_UNSET: dict[str, Any] = {
    "op": None, "inputs": (), "params": {}, "grad": None, "name": None, "stamp": 0, "site": None, "scope": None,
    "_spec": None,
}  # fmt: skip


class _Renderer:
    svg: Callable[[Any], str | None] | None = None


RENDERER = _Renderer()
# Tensors are made in one place per path, slot by slot; a constructor call would double the cost of a node.
new = object.__new__


def leaf(value: Any, spec: Spec | None = None, requires_grad: bool = False, name: str | None = None) -> Tensor:
    """A leaf that holds `value` as it is, without a copy."""
    t = new(Tensor)
    t.value = value
    t.requires_grad = requires_grad
    t.stamp = tick()
    if requires_grad:
        t.site = user_site()
    if spec is not None:
        t._spec = spec
    if name is not None:
        t.name = name
    return t


def symbol(spec: Spec, requires_grad: bool = False, name: str | None = None) -> Tensor:
    """A leaf without a value."""
    t = leaf(None, spec, requires_grad, name)
    t.site = user_site()
    return t


def record(op: Op, inputs: tuple[Tensor, ...], params: dict[str, Any]) -> Any:
    """Apply `op`: at once where all inputs have values, else as a symbolic node. A tuple where `op.many`."""
    if not op.complex:
        refuse_complex(op, inputs)
    values = []
    for t in inputs:
        value = t.value
        if value is None or (MODE.trace is not None and t.requires_grad):
            return symbolic(op, inputs, params)
        values.append(value)
    try:
        value = op.eval(*values, **params)
    except Exception as error:
        raise explain(op, inputs, params, error) from None
    if op.many:
        return unpack(node(op, inputs, params, value))
    return node(op, inputs, params, value)


def node(op: Op, inputs: tuple[Tensor, ...], params: dict[str, Any], value: Any) -> Tensor:
    """The node of an op just evaluated; it keeps its inputs only where a gradient may be asked for."""
    t = new(Tensor)
    t.value = value
    mode = MODE
    if mode.recording and op.order != 0:
        for i in inputs:
            if i.requires_grad and (op.many or value.dtype.kind in INEXACT):
                t.requires_grad = True
                t.op = op
                t.inputs = inputs
                t.params = params
                t.stamp = tick()
                t.site = mode.site or user_site(3)
                if mode.scope is not None:
                    t.scope = mode.scope
                return t
    t.requires_grad = False
    return t


def symbolic(op: Op, inputs: tuple[Tensor, ...], params: dict[str, Any]) -> Any:
    """The node of an op that waits for values; its spec comes from the op's shape rule."""
    trace = MODE.trace
    if trace is not None:
        inputs = tuple(trace.read(t) if t.requires_grad and t.value is not None else t for t in inputs)
    if not op.complex:
        refuse_complex(op, inputs)
    try:
        spec = op.infer(*[t.spec for t in inputs], **params)
    except Exception as error:
        raise locate(error, op) from None
    t = new(Tensor)
    t.value = None
    t.op = op
    t.inputs = inputs
    t.params = params
    t._spec = spec
    t.requires_grad = (
        MODE.recording
        and op.order != 0
        and (op.many or spec.dtype.kind in INEXACT)
        and any(i.requires_grad for i in inputs)
    )
    t.stamp = tick()
    t.site = MODE.site or user_site(3)
    t.scope = MODE.scope
    return unpack(t) if op.many else t


def refuse_complex(op: Op, inputs: tuple[Tensor, ...]) -> None:
    """DTypeError where one of the tensors is complex, for an op that takes none."""
    for t in inputs:
        if t.dtype.kind == "c":
            raise DTypeError(
                f"{op.name}: takes real numbers, got {describe(t)} of dtype {t.dtype}; "
                "take ops.real, ops.imag, ops.abs or ops.view_as_real of it first"
            )


PICK = Op("pick", eval=lambda values, index: values[index], infer=lambda specs, index: specs[index], emit="pick")


def unpack(many: Tensor) -> tuple[Tensor, ...]:
    """One tensor per output of a node with several."""
    if many.value is None:
        specs: Any = many._spec
        return tuple(_pick(many, index, None, spec) for index, spec in enumerate(specs))
    if not many.requires_grad:
        return tuple(leaf(value) for value in many.value)
    return tuple(_pick(many, index, value, None) for index, value in enumerate(many.value))


def _pick(many: Tensor, index: int, value: Any, spec: Any) -> Tensor:
    t = new(Tensor)
    t.value = value
    t.op = PICK
    t.inputs = (many,)
    t.params = {"index": index}
    t._spec = spec
    t.requires_grad = many.requires_grad and (spec.dtype if value is None else value.dtype).kind in INEXACT
    t.stamp = tick()
    t.site = many.site
    t.scope = many.scope
    return t


class _Inside(dict[str, bool]):
    """Whether a file belongs to this package; asked for every node, so that answers are kept."""

    def __missing__(self, filename: str) -> bool:
        found = self[filename] = filename.startswith(ROOT)
        return found


_INSIDE = _Inside()


def user_site(depth: int = 2) -> Site | None:
    """The innermost frame outside this package, as code object and instruction offset.

    depth: how many frames, this one included, are surely inside
    """
    frame = sys._getframe(depth)
    while frame is not None and _INSIDE[frame.f_code.co_filename]:
        frame = frame.f_back  # type: ignore[assignment]
    return (frame.f_code, frame.f_lasti) if frame is not None else None


def line_of(site: Site | None) -> str:
    """`file.py:12` of a site, empty when unknown."""
    if site is None:
        return ""
    code, offset = site
    for start, end, line in code.co_lines():
        if start <= offset < end:
            return f"{os.path.basename(code.co_filename)}:{line}"
    return os.path.basename(code.co_filename)


def describe(t: Tensor) -> str:
    """A tensor as error lines name it: name or op, shape, and the line that made it."""
    what = f"{t.name!r}" if t.name else (f"the result of {t.op.name}" if t.op else "a tensor")
    where = line_of(t.site)
    return f"{what} {show_shape(t.spec.shape)}" + (f" from {where}" if where else "")


def explain(op: Op, inputs: tuple[Tensor, ...], params: dict[str, Any], error: Exception) -> Exception:
    """The error a user deserves for a forward that failed: the shape rule's own, where it finds one."""
    try:
        op.infer(*[t.spec for t in inputs], **params)
    except Exception as found:
        return locate(found, op)
    return locate(error, op)


def locate(error: Exception, op: Op) -> Exception:
    """The same error, with the op named where the message lacks it."""
    message = str(error)
    if op.name in message or not isinstance(error, (ShapeError, DTypeError, DataError, InvalidArgument)):
        return error
    return type(error)(f"{op.name}: {message}")


@contextmanager
def recording(flag: bool) -> Iterator[None]:
    """Keep (or do not keep) the history of what is computed inside."""
    before = MODE.recording
    MODE.set(flag, MODE.trace)
    try:
        yield
    finally:
        MODE.set(before, MODE.trace)


@contextmanager
def scope(name: str, owner: Any = None) -> Iterator[None]:
    """Nodes made inside belong to `name`, within the scope around it."""
    before = MODE.scope
    names, owners = (before.names, before.owners) if before else ((), ())
    MODE.scope = Scope((*names, name), (*owners, owner))
    try:
        yield
    finally:
        MODE.scope = before


@contextmanager
def tracing(trace: "Trace | None") -> Iterator["Trace | None"]:
    """Variables and captured tensors inside are read through `trace`."""
    before = MODE.trace
    MODE.set(MODE.recording, trace)
    try:
        yield trace
    finally:
        MODE.set(MODE.recording, before)
        if trace is not None:
            trace.end()


def stale(node: Tensor, t: Tensor) -> GradientError:
    """The error of an input whose value was replaced after `node` was recorded."""
    return GradientError(
        f"backward: the value of {t.name or 'a leaf'!r} was replaced at {line_of(t.site)} after {node.op.name} "  # type: ignore[union-attr]
        f"used it at {line_of(node.site)}; call backward before assign, or run the forward again"
    )
