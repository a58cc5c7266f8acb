"""Sums of products over named axes: einsum and tensordot."""

import math
import re
import string
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..engine.op import Bad, Sample
from ..engine.spec import Size, Spec, broadcast, normal_axis, promote, show_shape
from ..engine.tensor import Tensor, record
from ..errors import ArgumentTypeError, InvalidArgument, ShapeError, short
from .creation import ones_like
from .domain import Rng, cases
from .elementwise import cast
from .family import composite, differ, primitive, tensors
from .linalg import diagonal
from .reduction import sum
from .shape import transpose

# A size that is not known yet counts as this many elements when the order of products is chosen.
_USUAL_SIZE = 32


# --- from what users write to one letter per axis


_TERM = r"[A-Za-z]*(\.\.\.)?[A-Za-z]*"
_FORM = re.compile(f"{_TERM}(,{_TERM})*(->{_TERM})?")


@lru_cache(256)
def _read(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The letters of each operand and of the output, ellipses replaced by letters, an implicit output made explicit."""
    text = subscripts.replace(" ", "")
    if not _FORM.fullmatch(text):
        raise InvalidArgument(
            f"einsum: cannot read subscripts {short(subscripts)}; expected a form such as 'ij,jk->ik'"
        )
    left, arrow, output = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise InvalidArgument(f"einsum: subscripts {short(subscripts)} name {len(terms)} operands, got {len(ndims)}")
    hidden = [_hidden_axes(term, ndim, subscripts) for term, ndim in zip(terms, ndims)]
    free = [letter for letter in string.ascii_letters if letter not in text]
    broad = "".join(free[: max(hidden)])
    spelled = tuple(term.replace("...", broad[len(broad) - count :]) for term, count in zip(terms, hidden))
    if not arrow:
        once = sorted(letter for letter in set(left) - set(".,") if left.count(letter) == 1)
        return spelled, broad + "".join(once)
    if broad and "..." not in output:
        raise InvalidArgument(f"einsum: the output of {short(subscripts)} lacks the '...' of the operands")
    output = output.replace("...", broad)
    _check_output(output, spelled, subscripts)
    return spelled, output


def _hidden_axes(term: str, ndim: int, subscripts: str) -> int:
    """How many axes the ellipsis of a term stands for."""
    named = len(term.replace("...", ""))
    if named > ndim or named < ndim and "..." not in term:
        raise ShapeError(f"einsum: term {term!r} of {short(subscripts)} names {named} axes, its operand has {ndim}")
    return ndim - named


def _check_output(output: str, terms: Sequence[str], subscripts: str) -> None:
    for letter in output:
        if output.count(letter) > 1:
            raise InvalidArgument(f"einsum: the output of {short(subscripts)} names {letter!r} twice")
        if letter not in "".join(terms):
            raise InvalidArgument(f"einsum: the output of {short(subscripts)} names {letter!r}, which no operand has")


# --- the sum of products itself: letters distinct within each operand, each letter in the output or in two operands


def _split(subscripts: str) -> tuple[list[str], str]:
    left, _, output = subscripts.partition("->")
    return left.split(","), output


def _einsum_infer(*xs: Spec, subscripts: str) -> Spec:
    terms, output = _split(subscripts)
    sizes: dict[str, Size] = {}
    for term, x in zip(terms, xs):
        for letter, size in zip(term, x.shape):
            known = sizes.setdefault(letter, size)
            (sizes[letter],) = broadcast((known,), (size,), what=f"einsum {subscripts!r}, axis {letter!r}")
    return Spec(tuple(sizes[letter] for letter in output), promote(*[x.dtype for x in xs]))


def _einsum(*xs: Any, subscripts: str) -> Any:
    terms, output = _split(subscripts)
    if len(xs) == 2:
        plan = _plan(*terms, output)
        if plan is not None and all(xs[0].shape[i] == xs[1].shape[j] for i, j in plan.shared):
            return _as_matmul(*xs, plan)
    return np.einsum(subscripts, *xs)


class _Plan:
    """How a product of two operands becomes a matrix product: axes of both in the order batch, outer, inner."""

    def __init__(self, a: str, b: str, output: str) -> None:
        both = [letter for letter in a if letter in b]
        self.batch = [letter for letter in both if letter in output]
        self.inner = [letter for letter in both if letter not in output]
        self.left = [letter for letter in a if letter not in b]
        self.right = [letter for letter in b if letter not in a]
        self.shared = [(a.index(letter), b.index(letter)) for letter in both]
        self.a_axes = [a.index(letter) for letter in (*self.batch, *self.left, *self.inner)]
        self.b_axes = [b.index(letter) for letter in (*self.batch, *self.inner, *self.right)]
        result = [*self.batch, *self.left, *self.right]
        self.axes = [result.index(letter) for letter in output]


@lru_cache(256)
def _plan(a: str, b: str, output: str) -> _Plan | None:
    """The plan, where a matrix product is the faster way."""
    plan = _Plan(a, b, output)
    return plan if plan.inner and (not plan.batch or plan.left and plan.right) else None


def _as_matmul(a: Any, b: Any, plan: _Plan) -> Any:
    a, b = np.transpose(a, plan.a_axes), np.transpose(b, plan.b_axes)
    batch, inner = len(plan.batch), len(plan.inner)
    outer = a.ndim - inner
    rows, columns = a.shape[batch:outer], b.shape[batch + inner :]
    depth = math.prod(a.shape[outer:])
    stacked_a = a.reshape((*a.shape[:batch], math.prod(rows), depth))
    stacked_b = b.reshape((*b.shape[:batch], depth, math.prod(columns)))
    product = np.matmul(stacked_a, stacked_b).reshape((*a.shape[:batch], *rows, *columns))
    return np.transpose(product, plan.axes)


def _einsum_vjp(g: Tensor, y: Tensor, *xs: Tensor, subscripts: str) -> tuple[Tensor | None, ...]:
    terms, output = _split(subscripts)
    return tuple(_einsum_partial(g, xs, terms, output, k) if x.requires_grad else None for k, x in enumerate(xs))


def _einsum_partial(g: Tensor, xs: Sequence[Tensor], terms: list[str], output: str, k: int) -> Tensor:
    """The gradient of operand k: its letters become the output, the output's letters an operand."""
    rest = [j for j in range(len(xs)) if j != k]
    found = _product([output, *(terms[j] for j in rest)], terms[k], [g, *(xs[j] for j in rest)])
    # An inner axis of size 1 in all other operands was broadcast to that of this one.
    return found if found.spec.shape == xs[k].spec.shape else found * ones_like(xs[k])


def _product(terms: Sequence[str], output: str, xs: Sequence[Tensor]) -> Tensor:
    return record(einsum.op, tuple(xs), {"subscripts": f"{','.join(terms)}->{output}"})


# --- everything else that subscripts can say, reduced to it


def _distinct(x: Tensor, term: str, subscripts: str) -> tuple[Tensor, str]:
    """The diagonal of x over each pair of axes with one letter."""
    repeated = next((letter for letter in term if term.count(letter) > 1), None)
    if repeated is None:
        return x, term
    first = term.index(repeated)
    second = term.index(repeated, first + 1)
    if differ(x.spec.shape[first : first + 1], x.spec.shape[second : second + 1]):
        raise ShapeError(
            f"einsum: {short(subscripts)} takes a diagonal over {repeated!r}, whose sizes differ in shape "
            f"{show_shape(x.spec.shape)}"
        )
    rest = "".join(letter for k, letter in enumerate(term) if k not in (first, second))
    return _distinct(diagonal(x, 0, first, second), rest + repeated, subscripts)


def _alone_summed(x: Tensor, term: str, elsewhere: str) -> tuple[Tensor, str]:
    """x summed over the axes that neither the output nor another operand has."""
    axes = tuple(k for k, letter in enumerate(term) if letter not in elsewhere)
    if not axes:
        return x, term
    return cast(sum(x, axes), x.dtype), "".join(letter for letter in term if letter in elsewhere)


@lru_cache(256)
def _order(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> list[tuple[int, ...]]:
    """Which operands to multiply first; each result goes to the end of the list."""
    stand_ins = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
    return np.einsum_path(subscripts, *stand_ins, optimize="greedy")[0][1:]


def _letter_sizes(terms: list[str], xs: list[Tensor]) -> dict[str, int]:
    """The size of each letter, a usual one where no operand knows it yet."""
    sizes: dict[str, int] = {}
    for term, x in zip(terms, xs):
        for letter, size in zip(term, x.spec.shape):
            if isinstance(size, int):
                sizes[letter] = max(size, sizes.get(letter, size))
    return {letter: sizes.get(letter, _USUAL_SIZE) for letter in "".join(terms)}


def _multiplied(terms: list[str], output: str, xs: list[Tensor]) -> Tensor:
    """The product of two or more operands, two at a time where that is cheaper."""
    if len(xs) == 2:
        return _product(terms, output, xs)
    sizes = _letter_sizes(terms, xs)
    shapes = tuple(tuple(sizes[letter] for letter in term) for term in terms)
    for chosen in _order(f"{','.join(terms)}->{output}", shapes):
        used = [(terms[k], xs[k]) for k in chosen]
        terms = [term for k, term in enumerate(terms) if k not in chosen]
        xs = [x for k, x in enumerate(xs) if k not in chosen]
        needed = set(output).union(*terms)
        kept = dict.fromkeys(letter for term, _ in used for letter in term if letter in needed)
        result = "".join(kept) if terms else output
        xs.append(_product([term for term, _ in used], result, [x for _, x in used]))
        terms.append(result)
    return xs[0]


def _samples(rng: Rng) -> list[Sample]:
    written: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...] = (
        ("ij,jk->ik", ((2, 3), (3, 4))), ("ij,jk", ((2, 3), (3, 4))), ("ij->ji", ((2, 3),)), ("ba", ((2, 3),)),
        ("ii->i", ((3, 3),)), ("ii", ((3, 3),)), ("iij->ji", ((2, 2, 3),)), ("iii->i", ((2, 2, 2),)),
        ("ij->", ((2, 3),)), ("i,j->ij", ((2,), (3,))), ("i,i->", ((3,), (3,))), ("ij,k->i", ((2, 3), (4,))),
        ("bij,bjk->bik", ((2, 2, 3), (2, 3, 2))), ("...ij,...jk->...ik", ((2, 1, 2, 3), (4, 3, 2))),
        ("...i,i", ((2, 3), (3,))), ("ij,jk,kl->il", ((2, 3), (3, 2), (2, 4))), ("i,ij,j", ((2,), (2, 3), (3,))),
        ("bi,bi->b", ((2, 3), (2, 3))), ("ij,jk->ik", ((0, 3), (3, 2))), ("ij,jk->ik", ((2, 0), (0, 2))),
        (",->", ((), ())), ("ij,jk->ik", ((2, 3), (1, 2))), ("bhqd,bkhd->bhqk", ((2, 1, 2, 3), (2, 3, 1, 3))),
    )  # fmt: skip
    return [Sample((text, *(rng.normal(size=shape) for shape in shapes))) for text, shapes in written]


def _errors() -> list[Bad]:
    a, b = np.ones((2, 3)), np.ones((4, 2))
    return [
        Bad(("ij,jk->ik", a, b), {}, ValueError),
        Bad(("ij,jk->ik", a), {}, ValueError),
        Bad(("ijk->i", a), {}, ValueError),
        Bad(("ij->ik", a), {}, ValueError),
        Bad(("ij->ii", a), {}, ValueError),
        Bad(("ii->i", a), {}, ValueError),
        Bad(("i*j", a), {}, ValueError),
        Bad((a, "ij->ji"), {}, TypeError),
        Bad(("i->i", np.array(["a"])), {}, TypeError),
    ]


@primitive(
    eval=_einsum,
    infer=_einsum_infer,
    vjp=_einsum_vjp,
    emit="einsum",
    domain=cases(_samples, _errors),
    family="product",
    reference=np.einsum,
)
def einsum(subscripts: str, *operands: Any) -> Tensor:
    """The sum of products over axes that letters name, as in NumPy: axes with one letter are matched.

    subscripts: the letters of each operand, then "->" and those of the output; letters left out there are summed.
    Without "->" the output has the letters that occur once, in alphabetical order. "..." is axes that broadcast.
    Several operands are multiplied two at a time, in an order chosen for few multiplications.
    Raises ShapeError where sizes do not match, InvalidArgument for subscripts that cannot be read.

    >>> import autograd_nn as ag
    >>> ag.ops.einsum("ij,jk->ik", [[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    >>> ag.ops.einsum("ii->i", [[1.0, 2.0], [3.0, 4.0]]).tolist()
    [1.0, 4.0]
    """
    xs = list(tensors(operands))
    if not isinstance(subscripts, str):
        raise ArgumentTypeError(f"einsum: subscripts must be a string such as 'ij,jk->ik', got {short(subscripts)}")
    read, output = _read(subscripts, tuple(x.ndim for x in xs))
    terms = list(read)
    for k, (x, term) in enumerate(zip(xs, terms)):
        x, term = _distinct(x, term, subscripts)
        elsewhere = output + "".join(terms[:k] + terms[k + 1 :])
        xs[k], terms[k] = _alone_summed(x, term, elsewhere)
    if len(xs) > 1:
        return _multiplied(terms, output, xs)
    return transpose(xs[0], tuple(terms[0].index(letter) for letter in output))


# --- tensordot


def _contracted(axes: Any, a: Tensor, b: Tensor) -> tuple[list[int], list[int]]:
    """The axes of a and of b to sum over, counted from the front."""
    if hasattr(axes, "__index__") and not isinstance(axes, bool):
        count = axes.__index__()
        if not 0 <= count <= np.minimum(a.ndim, b.ndim):
            raise ShapeError(f"tensordot: axes={count} needs that many axes, got {a.ndim} and {b.ndim}")
        return list(range(a.ndim - count, a.ndim)), list(range(count))
    if not isinstance(axes, (tuple, list)) or len(axes) != 2:
        raise ArgumentTypeError(f"tensordot: axes must be an int or a pair of axes, got {short(axes)}")
    given_a, given_b = (side if isinstance(side, (tuple, list)) else (side,) for side in axes)
    found_a = [normal_axis(axis, a.ndim, "tensordot") for axis in given_a]
    found_b = [normal_axis(axis, b.ndim, "tensordot") for axis in given_b]
    if len(found_a) != len(found_b) or len(set(found_a)) < len(found_a) or len(set(found_b)) < len(found_b):
        raise ShapeError(f"tensordot: axes {short(axes)} must name as many different axes of a as of b")
    return found_a, found_b


def _tensordot_samples(rng: Rng) -> list[Sample]:
    written: tuple[tuple[tuple[int, ...], tuple[int, ...], Any], ...] = (
        ((2, 3, 4), (3, 4, 2), 2), ((2, 3), (3, 4), 1), ((2,), (3, 2), 0), ((2, 3, 4), (4, 3), ((1, 2), (1, 0))),
        ((2, 3), (3,), (1, 0)), ((2, 3), (2, 2), (0, -1)), ((0, 3), (3, 2), 1), ((), (2,), 0),
    )  # fmt: skip
    return [Sample((rng.normal(size=a), rng.normal(size=b), axes)) for a, b, axes in written]


@composite(
    reference=np.tensordot,
    domain=cases(
        _tensordot_samples,
        lambda: [
            Bad((np.ones((2, 3)), np.ones((2, 3)), 1), {}, ValueError),
            Bad((np.ones((2, 3)), np.ones((1, 2)), 1), {}, ValueError),
            Bad((np.ones((2, 2)), np.ones(2), ((0, 1), 0)), {}, ValueError),
            Bad((np.ones(2), np.ones(2), 2), {}, ValueError), Bad((np.ones(2), np.ones(2), (1, 0)), {}, ValueError),
            Bad((np.ones(2), np.ones(2), "0"), {}, TypeError),
        ],
    ),
)  # fmt: skip
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Tensor:
    """The sum of products over some axes of x1 and as many of x2; the other axes of both remain, those of x1 first.

    axes: n for the last n axes of x1 and the first n of x2, or a pair with the axes of each.
    Raises ShapeError where the sizes differ, AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.tensordot([[1.0, 2.0]], [[3.0, 4.0]], axes=(1, 1)).tolist()
    [[11.0]]
    """
    a, b = tensors((x1, x2))
    over_a, over_b = _contracted(axes, a, b)
    sizes_a, sizes_b = (tuple(t.spec.shape[k] for k in over) for t, over in ((a, over_a), (b, over_b)))
    if differ(sizes_a, sizes_b):
        raise ShapeError(
            f"tensordot: axes {over_a} of {show_shape(a.spec.shape)} and {over_b} of {show_shape(b.spec.shape)} "
            "must have the same sizes"
        )
    letters = iter(string.ascii_letters)
    of_a = [next(letters) for _ in range(a.ndim)]
    shared = dict(zip(over_b, (of_a[k] for k in over_a)))
    of_b = [shared[k] if k in shared else next(letters) for k in range(b.ndim)]
    output = [
        *(of_a[k] for k in range(a.ndim) if k not in over_a),
        *(of_b[k] for k in range(b.ndim) if k not in shared),
    ]
    return _product(["".join(of_a), "".join(of_b)], "".join(output), [a, b])
