"""What the suite checks of an op, read from its record without running it."""

from dataclasses import dataclass

import numpy as np

from ..engine.op import Op
from ..engine.signatures import suggest_calls
from .layouts import LAYOUTS, matters
from .suite import Case, subject_of

_RULES = {"composite": "of its parts", "unary": "elementwise", "binary": "broadcast"}


@dataclass(frozen=True)
class Coverage:
    """What is checked of one op.

    rule:    where its shape rule comes from
    order:   the highest order of derivative that is compared with differences; None where there is no gradient
    layouts: the memory layouts that its samples are tried in; empty where it takes no arrays
    sizes:   "0-d" and "empty" where samples have such arrays
    errors:  how many inputs it is seen to refuse
    gaps:    what is missing
    """

    name: str
    family: str
    rule: str
    order: int | None
    layouts: tuple[str, ...]
    sizes: tuple[str, ...]
    errors: int
    emit: str
    gaps: tuple[str, ...]


def coverage(op: Op) -> Coverage:
    """What the suite checks of `op`.

    >>> import autograd_nn as ag
    >>> from autograd_nn.testing import coverage
    >>> coverage(ag.ops.tanh.op).order, coverage(ag.ops.tanh.op).gaps
    (2, ())
    """
    if op.domain is None:
        return Coverage(op.name, op.family, "", None, (), (), 0, op.emit, ("no domain",))
    subject = subject_of(op)
    cases = subject.cases()
    arrays = [a for case in cases for a in case.arrays]
    layouts = tuple(name for name in LAYOUTS if any(matters(a, name) for a in arrays))
    sizes = {"0-d": any(a.ndim == 0 for a in arrays), "empty": any(a.size == 0 for a in arrays)}
    errors = len(list(subject.domain.errors()))
    gaps = {
        "no sample": not cases,
        "no gradient sample": op.order != 0 and not any(map(_differentiated, cases)),
        "no layout": bool(arrays) and not layouts,
        "fewer than 3 errors": errors < 3,
        "no emit": not op.emit,
        "no doc": not op.doc,
        "no family": not op.family,
    }
    return Coverage(
        name=op.name,
        family=op.family,
        rule=_RULES.get(op.family, "its own"),
        order=None if op.order == 0 else subject.order,
        layouts=layouts,
        sizes=tuple(name for name, there in sizes.items() if there),
        errors=errors,
        emit=op.emit,
        gaps=tuple(gap for gap, there in gaps.items() if there),
    )


def _differentiated(case: Case) -> bool:
    return case.grad and any(a.size and a.dtype in (np.float64, np.complex128) for a in case.arrays)


suggest_calls(globals())
