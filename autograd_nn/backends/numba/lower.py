"""How each family of ops becomes kernels or views. A lowering returns False where it does not know the case."""

from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...ops.indexing import ARRAY, numpy_key
from .bind import Binding, Deferred, Lowering
from .expression import cast_body, graph_body, known, node_body
from .gemm import matmul
from .loops import collapse, elementwise
from .memory import View, whole
from .reduce import reduce


def _label(t: Tensor) -> str:
    """A node as the comment of its kernel: only what the library itself names."""
    op: Any = t.op
    return op.name


def lower_node(b: Binding, t: Tensor) -> bool:
    """One elementwise op."""
    if not computable(t):
        return False
    return b.defer(t, Deferred(node_body(t), [b.view(i) for i in t.inputs], _label(t)))


def lower_fused(b: Binding, t: Tensor) -> bool:
    """Elementwise ops in one loop."""
    op: Any = t.op
    if op.name != "fused":
        return False
    graph = t.params["graph"]
    if not all(map(computable, graph.operations)):
        return False
    sources = [*(b.view(i) for i in t.inputs), *(b.constant(c.value) for c in graph.constants)]
    note = "\n".join(_label(u) for u in graph.operations)
    if not op.many:
        return b.defer(t, Deferred(graph_body(graph), sources, note))
    targets = [b.fresh(spec.shape, spec.dtype) for spec in b.specs[t]]
    for k, target in enumerate(targets):
        b.place((t, k), target)
    loop = elementwise(graph_body(graph), sources, targets, targets[0].shape, note)
    b.run(loop, [*sources, *targets])
    return True


def lower_reduction(b: Binding, t: Tensor) -> bool:
    """A reduction, together with the elementwise loop before it."""
    op: Any = t.op
    if op.name == "unbroadcast":
        return _lower_unbroadcast(b, t)
    name = op.emit.removeprefix("reduce:")
    if name not in ("add", "multiply", "maximum", "minimum", "or", "and", "count"):
        return False
    work, shape = b.operand(t.inputs[0]), b.spec(t.inputs[0]).shape
    note = "\n".join(filter(None, (work.note, _label(t))))
    reduce(b, name, work.body, work.sources, shape, t.params["axis"], b.result(t), note)  # type: ignore[arg-type]
    return True


def _lower_unbroadcast(b: Binding, t: Tensor) -> bool:
    given, kept = b.spec(t.inputs[0]), b.spec(t).shape
    front = given.ndim - len(kept)
    axes = tuple(k for k in range(given.ndim) if k < front or kept[k - front] == 1 != given.shape[k])
    if given.dtype != t.spec.dtype or (axes and given.dtype.kind != "f"):
        return False
    if not axes:
        b.place(t, b.view(t.inputs[0]))
        return True
    work = b.operand(t.inputs[0])
    note = "\n".join(filter(None, (work.note, _label(t))))
    reduce(b, "add", work.body, work.sources, given.shape, axes, b.result(t), note)  # type: ignore[arg-type]
    return True


def lower_product(b: Binding, t: Tensor) -> bool:
    """A matrix product; leading axes become one batch axis."""
    op: Any = t.op
    if op.name != "matmul" or t.spec.dtype.kind != "f":
        return False
    left, right = (_in_dtype(b, b.view(i), t.spec.dtype) for i in t.inputs)
    target = b.result(t)
    left = left._replace(shape=(1, *left.shape), strides=(0, *left.strides)) if len(left.shape) == 1 else left
    if len(right.shape) == 1:
        right = right._replace(shape=(*right.shape, 1), strides=(*right.strides, 0))
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    m, n = left.shape[-2], right.shape[-1]
    joined = left.reshaped((int(np.prod(batch, dtype=int)) * m, left.shape[-1])) if len(right.shape) == 2 else None
    if joined is not None:
        matmul(b, joined, right, whole(target.buffer, (joined.shape[0], n), target.dtype))
        return True
    count = int(np.prod(batch, dtype=int))
    flat = [_flat_batch(b, v.broadcast((*batch, *v.shape[-2:])), count) for v in (left, right)]
    matmul(b, flat[0], flat[1], whole(target.buffer, (count, m, n), target.dtype))
    return True


def _in_dtype(b: Binding, view: View, dtype: Any) -> View:
    """A view of elements of that dtype, converted where they are not."""
    if view.dtype == dtype:
        return view
    target = b.fresh(view.shape, dtype)
    b.run(elementwise(cast_body(dtype), [view], [target], view.shape, "cast"), [view, target])
    return target


def _flat_batch(b: Binding, view: View, count: int) -> View:
    """A stack of matrices with one batch axis."""
    sizes, steps = collapse(view.shape[:-2], [view.strides[:-2]])
    if len(sizes) > 1:
        view, sizes = b.copied(view), [count]
        steps = [[view.strides[-3]]]
    stride = steps[0][0] if sizes else 0
    return view._replace(shape=(count, *view.shape[-2:]), strides=(stride, *view.strides[-2:]))


def computable(t: Tensor) -> bool:
    """Whether an elementwise node has an expression for its dtypes."""
    op: Any = t.op
    dtypes = [*(i.spec.dtype for i in t.inputs), t.spec.dtype]
    if any(d.kind == "f" and d.itemsize == 2 for d in dtypes):
        return False
    if op.name == "power":
        return t.spec.dtype.kind == "f"
    # NumPy compares int64 with uint64 exactly; their common dtype is a float.
    mixed = {d.kind for d in dtypes[:-1]} >= {"i", "u"} and any(d.kind == "u" and d.itemsize == 8 for d in dtypes)
    return (not mixed or op.family == "cast") and known(t)


def lower_view(b: Binding, t: Tensor) -> bool:
    """The same elements seen in another way."""
    op: Any = t.op
    x = b.view(t.inputs[0])
    if op.name in ("reshape", "reshape_like"):
        shape = b.spec(t).shape
        b.place(t, x.reshaped(shape) or b.copied(x).reshaped(shape))  # type: ignore[arg-type]
        return True
    return _placed(b, t, x.apply(lambda ghost: op.eval(ghost, **t.params)))


def _placed(b: Binding, t: Tensor, view: View | None) -> bool:
    if view is not None:
        b.place(t, view)
    return view is not None


def lower_broadcast(b: Binding, t: Tensor) -> bool:
    """A view with steps of zero."""
    return _placed(b, t, b.view(t.inputs[0]).broadcast(b.spec(t).shape))  # type: ignore[arg-type]


def lower_creation(b: Binding, t: Tensor) -> bool:
    """Zeros and ones are one element, seen from everywhere."""
    op: Any = t.op
    if not op.emit.startswith("fill:"):
        return False
    number = np.asarray(int(op.emit.partition(":")[2]), t.spec.dtype)
    return _placed(b, t, b.constant(number).broadcast(b.spec(t).shape))  # type: ignore[arg-type]


def lower_indexing(b: Binding, t: Tensor) -> bool:
    """Slices and whole numbers in an index are a view."""
    op: Any = t.op
    if op.name != "getitem" or len(t.inputs) > 1:
        return False
    key = t.params["key"]
    if any(item is ARRAY or (type(item) is tuple and ARRAY in item) for item in key):
        return False
    # With `...` a whole number gives a view of one element, never the element.
    place = numpy_key(key if ... in key else (*key, ...), ())
    return _placed(b, t, b.view(t.inputs[0]).apply(lambda ghost: ghost[place]))


LOWERINGS: dict[str, Lowering] = {
    "unary": lower_node,
    "binary": lower_node,
    "ternary": lower_node,
    "cast": lower_node,
    "control": lower_fused,
    "product": lower_product,
    "reduction": lower_reduction,
    "view": lower_view,
    "broadcast": lower_broadcast,
    "creation": lower_creation,
    "indexing": lower_indexing,
}
