"""`vectorize`: a function of single elements, or of arrays of stated axes, over all leading axes that broadcast."""

import functools
import itertools
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..engine.convert import as_tensor
from ..engine.signatures import suggest_calls
from ..engine.spec import show_shape
from ..engine.tensor import Tensor
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, SymbolicError, short
from .capture import check_function
from .scanning import scanned
from .shape import broadcast_to, reshape

Names = tuple[str, ...]
_ARGUMENT = r"\([^()]*\)"
_SIGNATURE = re.compile(rf"{_ARGUMENT}(,{_ARGUMENT})*->{_ARGUMENT}(,{_ARGUMENT})*")


class _Signature(NamedTuple):
    """The names of the last axes of each argument and of each result."""

    inputs: list[Names]
    outputs: list[Names]


def _parsed(signature: Any) -> _Signature:
    text = re.sub(r"\s+", "", signature) if isinstance(signature, str) else ""
    if not _SIGNATURE.fullmatch(text):
        raise InvalidArgument(f"vectorize: signature must be like '(m,n),(n)->(m)', got {short(signature)}")
    given, results = ([_names(part) for part in re.findall(_ARGUMENT, side)] for side in text.split("->"))
    return _Signature(given, results)


def _names(part: str) -> Names:
    return tuple(name for name in part[1:-1].split(",") if name)


def _leading(tensors: Sequence[Tensor], names: Sequence[Names]) -> tuple[int, ...]:
    """The shape of the loop: what is left of each shape before its named axes, broadcast; names mean one size."""
    sizes: dict[str, int] = {}
    shapes: list[tuple[int, ...]] = []
    for t, own in zip(tensors, names):
        shape: Any = t.shape
        if None in shape:
            raise SymbolicError(f"vectorize: the sizes of arguments must be known, got shape {shape}")
        if len(shape) < len(own):
            raise ShapeError(f"vectorize: an argument needs the axes {own}, got shape {shape}")
        split = len(shape) - len(own)
        for name, size in zip(own, shape[split:]):
            if sizes.setdefault(name, size) != size:
                raise ShapeError(f"vectorize: axis {name!r} has size {sizes[name]} and {size}; names mean one size")
        shapes.append(shape[:split])
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        shown = " and ".join(map(show_shape, shapes))
        raise ShapeError(f"vectorize: the leading shapes {shown} do not broadcast") from None


def _counted(result: Any, expected: _Signature | None) -> Any:
    """The result, once it has as many parts, of as many axes, as the signature says."""
    parts = result if isinstance(result, (tuple, list)) else (result,)
    if expected is not None and len(parts) != len(expected.outputs):
        raise InvalidArgument(f"vectorize: the signature has {len(expected.outputs)} results, pyfunc {len(parts)}")
    if expected is not None and [as_tensor(p).ndim for p in parts] != [len(names) for names in expected.outputs]:
        got = [show_shape(as_tensor(p).spec.shape) for p in parts]
        raise ShapeError(f"vectorize: results of shapes {', '.join(got)} have not the axes of the signature")
    return result


def _looped(function: Callable[..., Any], tensors: Sequence[Tensor], names: Sequence[Names]) -> Any:
    """The function over all leading axes, as one loop."""
    lead = _leading(tensors, names)
    count = int(np.prod(lead, dtype=int))
    rows = []
    for t, own in zip(tensors, names):
        last: Any = t.shape[t.ndim - len(own) :]
        rows.append(reshape(broadcast_to(t, (*lead, *last)), (count, *last)))
    found = scanned("vectorize", lambda _, row: (None, function(*row)), None, tuple(rows))[1]
    return _each(found, lambda y: reshape(y, (*lead, *y.shape[1:])))


def _each(result: Any, change: Callable[[Tensor], Tensor]) -> Any:
    return tuple(map(change, result)) if isinstance(result, (tuple, list)) else change(result)


def _excluded(excluded: Any) -> frozenset[Any]:
    given = excluded if isinstance(excluded, Collection) and not isinstance(excluded, str) else (excluded,)
    wrong = [item for item in given if not isinstance(item, (int, str)) and item is not None]
    if wrong:
        raise ArgumentTypeError(f"vectorize: excluded must hold places and names of arguments, got {short(wrong[0])}")
    return frozenset(item for item in given if item is not None)


def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """The function that applies pyfunc along all leading axes of its arguments, which broadcast, as `numpy.vectorize`.

    pyfunc:    takes and returns scalar tensors, or with a signature tensors of the axes that it names; written in ops
    excluded:  places and names of arguments that are handed over as they are; keyword arguments are looped over, too
    signature: the last axes of arguments and results by name, such as "(m,n),(n)->(m)"; one name is one size

    The loop is one, as in `vectorized_map`: gradients of any order flow through, and it compiles. Raises
    InvalidArgument for a signature that does not parse, ShapeError for arguments that do not fit.

    >>> import autograd_nn as ag
    >>> larger = ag.ops.vectorize(lambda a, b: ag.ops.where(a > b, a, b))
    >>> larger([1.0, 5.0], 3.0).tolist()
    [3.0, 5.0]
    >>> ag.ops.vectorize(ag.ops.dot, signature="(n),(n)->()")([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).tolist()
    [3.0, 7.0]
    """
    check_function(pyfunc, "vectorize", "pyfunc")
    left_out = _excluded(excluded)
    form = None if signature is None else _parsed(signature)

    @functools.wraps(pyfunc)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places = [k for k, x in enumerate(args) if k not in left_out and x is not None]
        words = [key for key in kwargs if key not in left_out]
        tensors = [as_tensor(x) for x in itertools.chain((args[k] for k in places), (kwargs[key] for key in words))]
        names: list[Names] = [()] * len(tensors) if form is None else form.inputs
        if len(names) != len(tensors):
            raise InvalidArgument(f"vectorize: the signature has {len(names)} arguments, the call {len(tensors)}")

        def once(*row: Any) -> Any:
            filled, named = list(args), dict(kwargs)
            for k, x in zip(places, row):
                filled[k] = x
            named.update(zip(words, row[len(places) :]))
            return _counted(pyfunc(*filled, **named), form)

        return _looped(once, tensors, names) if tensors else once()

    return wrapped


suggest_calls(globals())
