"""Eigenvalues and eigenvectors of any square matrix, which are complex. The gradient: Boeddeker, Hanebrink, Drude,
Heymann and Haeb-Umbach (2017, arXiv 1701.00392, "On the computation of complex-valued gradients with application to
statistically optimum beamforming"), and for the size and angle of the vectors what LAPACK's `geev` makes of them.
"""

from typing import Any

import numpy as np

from ..engine.op import Bad, Sample
from ..engine.spec import Spec, promote
from ..engine.tensor import Tensor, record
from ..errors import InvalidArgument
from .complexes import conj, imag_part, real_part
from .creation import arange, shape
from .decompositions import on_diagonal, quotients
from .domain import Rng, cases, gaussian
from .elementwise import abs as magnitude
from .elementwise import equal, where
from .family import primitive
from .linalg import matmul, swap_last
from .reduction import sum
from .shape import expand_dims
from .solving import matrices, regular, solve_matrices
from .statistics import argmax

_SINGLE = np.dtype("complex64")


def _eig(x: Any) -> tuple[Any, Any]:
    kind = np.result_type(x.dtype, _SINGLE)
    try:
        found = np.linalg.eig(x.astype(np.float32) if x.dtype == np.float16 else x)
    except np.linalg.LinAlgError:
        raise InvalidArgument("eig: no eigenvalues found; is there NaN in x?") from None
    return np.asarray(found[0], kind), np.asarray(found[1], kind)


def _real_component(v: Tensor) -> Tensor:
    """True at the component of each vector that is made real: the largest of those that are."""
    off = magnitude(imag_part(v))
    place = argmax(where(equal(off, 0), magnitude(v), -off), -2, keepdims=True)
    return equal(expand_dims(arange(shape(v)[-2]), -1), place)


def _unfixed(g: Tensor, v: Tensor) -> Tensor:
    """The cotangent of vectors whose size and angle are free: what keeps the size 1 and one component real, undone."""
    along, real = sum(g * v, -2, keepdims=True), _real_component(v)
    turn = imag_part(along) / sum(where(real, real_part(v), 0), -2, keepdims=True)
    return g - real_part(along) * conj(v) - where(real, turn * 1j, 0)


def _eig_rule(g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
    (to_w, to_v), (w, v) = g, y
    turned = swap_last(v)
    middle = None if to_w is None else on_diagonal(to_w)
    if to_v is not None:
        between = quotients(w) * matmul(turned, _unfixed(to_v, v))
        middle = between if middle is None else middle + between
    return (solve_matrices(turned, matmul(middle, turned)),)


def _samples(rng: Rng) -> list[Sample]:
    turning = np.array([[1.0, -2.0, 0.3], [0.7, 1.4, 0.2], [0.1, 0.4, 3.0]])
    regulars = (regular(rng, *sizes) for sizes in ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2)))
    return [*map(Sample, [(x,) for x in (*regulars, turning, gaussian(rng, 3, 3) + np.diag([0.0, 3.0, 6.0]))])]


@primitive(
    eval=_eig,
    infer=lambda x: tuple(Spec(s, promote(x.dtype, _SINGLE)) for s in (x.shape[:-1], x.shape)),
    vjp=_eig_rule,
    emit="eig",
    domain=cases(
        _samples,
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones((2, 3)),), {}, ValueError),
            Bad((np.array([["a"]]),), {}, TypeError), Bad((np.full((2, 2), np.nan),), {}, ValueError),
        ],
    ),
    family="solve",
    many=True,
    reference=lambda x: tuple(part + 0j for part in np.linalg.eig(x)),
    complex=True,
)  # fmt: skip
def eig(x: Any) -> tuple[Tensor, Tensor]:
    """The eigenvalues of each square matrix, in no order, and its eigenvectors as columns of size 1; always complex.

    x: real or complex, float64 and integers give complex128. Of a complex vector the largest component is made real.
    The gradient of the vectors needs eigenvalues that differ. Raises ShapeError for matrices that are not square,
    InvalidArgument where there is NaN. Symmetric matrices have real ones: see `eigh`.

    >>> import autograd_nn as ag
    >>> ag.ops.eig([[0.0, -1.0], [1.0, 0.0]])[0].numpy().round(6).tolist()
    [1j, -1j]
    """
    return record(eig.op, (matrices(x, "eig", complex_too=True),), {})


eig.op.gaps = True
