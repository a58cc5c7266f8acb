"""Complex numbers: made of pairs of real ones, taken apart, conjugated. They flow through the ops whose record says
`complex`, and through no others: these here, arithmetic, exp, sqrt, ==, sums, matrix products, what moves elements.

The gradient of a real number L with respect to a complex z is dL/d re + i dL/d im, the direction in which L rises
fastest, as in PyTorch. Inside a pullback its conjugate flows (`engine.autodiff.facing`), so that a holomorphic op has
the rule of the real one; only the ops here, and `abs`, are not holomorphic.
"""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import Spec, promote, show_shape
from ..engine.tensor import Tensor, record
from ..errors import DTypeError, ShapeError
from .creation import ones_like, zeros_like
from .domain import DATES, cases, gaussian, reals, unary_domain
from .elementwise import cast, cos, equal, isnan, multiply, reciprocal, sin, where
from .family import composite, dtype_of, primitive, unary
from .floats import signbit
from .join import stack

_FREE = reals(-3, 3)


def _is_complex(x: Tensor) -> bool:
    return x.dtype.kind == "c"


def _complex(x: Any, what: str) -> Tensor:
    """x, which must be complex already."""
    x = as_tensor(x)
    if not _is_complex(x):
        raise DTypeError(f"{what}: expected complex numbers, got dtype {x.dtype}; use ops.cast(x, 'complex64') first")
    return x


def _complex_domain() -> Domain:
    return cases(
        lambda rng: [Sample((gaussian(rng, *sizes),)) for sizes in ((), (3,), (2, 3), (0, 2))],
        lambda: [
            Bad((np.ones(2),), {}, TypeError), Bad((DATES,), {}, TypeError), Bad(([[1j], [1j, 2j]],), {}, ValueError),
        ],
    )  # fmt: skip


conj = unary(
    "conj",
    np.conjugate,
    vjp=lambda g, y, x: (conj(g),),
    emit="{0}",
    domain=_FREE,
    doc="x with the sign of its imaginary part changed; real numbers as they are.",
    complex=True,
)


# --- parts


def _part_infer(x: Spec) -> Spec:
    return Spec(x.shape, dtype_of(np.abs, x.dtype), x.dim)


@primitive(
    eval=np.real,
    infer=_part_infer,
    partials=(lambda g, y, x: g,),
    emit="real_part",
    domain=_complex_domain(),
    family="complex",
    reference=np.real,
    complex=True,
)
def real_part(x: Any) -> Tensor:
    """The real part of complex numbers: `real` for those alone.

    >>> import autograd_nn as ag
    >>> ag.ops.real_part([1 + 2j]).tolist()
    [1.0]
    """
    return record(real_part.op, (_complex(x, "real_part"),), {})


@primitive(
    eval=np.imag,
    infer=_part_infer,
    partials=(lambda g, y, x: g * -1j,),
    emit="imag_part",
    domain=_complex_domain(),
    family="complex",
    reference=np.imag,
    complex=True,
)
def imag_part(x: Any) -> Tensor:
    """The imaginary part of complex numbers: `imag` for those alone.

    >>> import autograd_nn as ag
    >>> ag.ops.imag_part([1 + 2j]).tolist()
    [2.0]
    """
    return record(imag_part.op, (_complex(x, "imag_part"),), {})


def _phase_rule(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    zero = equal(x, 0)
    return multiply(g * -1j, where(zero, 0, reciprocal(where(zero, 1, x))))


@primitive(
    eval=np.angle,
    infer=_part_infer,
    partials=(_phase_rule,),
    emit="phase",
    domain=_complex_domain(),
    family="complex",
    reference=np.angle,
    complex=True,
)
def phase(x: Any) -> Tensor:
    """The angle of complex numbers in radians, with gradient 0 at 0: `angle` for those alone.

    >>> import autograd_nn as ag
    >>> ag.ops.phase([1 + 0j]).tolist()
    [0.0]
    """
    return record(phase.op, (_complex(x, "phase"),), {})


@composite(reference=np.real, domain=unary_domain(_FREE, complex=True))
def real(x: Any) -> Tensor:
    """The real part; of real numbers x itself.

    >>> import autograd_nn as ag
    >>> ag.ops.real([1 + 2j, 3.0]).tolist()
    [1.0, 3.0]
    """
    x = as_tensor(x)
    return real_part(x) if _is_complex(x) else x


def _flat_domain() -> Domain:
    """Real numbers, where nothing moves the result, and complex ones."""
    found = unary_domain(_FREE, complex=True)
    return Domain(
        lambda rng: [case._replace(grad=case.args[0].dtype.kind == "c") for case in found.samples(rng)], found.errors
    )


@composite(reference=np.imag, domain=_flat_domain())
def imag(x: Any) -> Tensor:
    """The imaginary part; of real numbers zeros.

    >>> import autograd_nn as ag
    >>> ag.ops.imag([1 + 2j, 3.0]).tolist()
    [2.0, 0.0]
    """
    x = as_tensor(x)
    return imag_part(x) if _is_complex(x) else zeros_like(x)


@composite(reference=np.angle, domain=_flat_domain())
def angle(x: Any) -> Tensor:
    """The angle in radians in the complex plane, -pi..pi: of real numbers pi where they are negative, else 0.

    Integers give float64. The gradient at 0 is 0.

    >>> import autograd_nn as ag
    >>> ag.ops.angle([1.0, 0.0]).tolist(), round(ag.ops.angle(1j).item(), 4)
    ([0.0, 0.0], 1.5708)
    """
    x = as_tensor(x)
    if _is_complex(x):
        return phase(x)
    x = x if x.dtype.kind == "f" else cast(x, "float64")
    half_turn = where(signbit(x), float(np.pi), as_tensor(np.zeros((), x.dtype)))
    return where(isnan(x), float(np.nan), half_turn)


@composite(reference=np.isreal, domain=unary_domain(_FREE, complex=True), order=0)
def isreal(x: Any) -> Tensor:
    """Whether x has no imaginary part: real numbers always.

    >>> import autograd_nn as ag
    >>> ag.ops.isreal([1 + 2j, 3.0]).tolist()
    [False, True]
    """
    x = as_tensor(x)
    return equal(imag_part(x), 0) if _is_complex(x) else ones_like(x, "bool")


# --- pairs


def _paired(x: Any) -> Any:
    y = np.empty(x.shape[:-1], np.result_type(x.dtype, np.complex64))
    y.real, y.imag = x[..., 0], x[..., 1]
    return y


def _pair_infer(x: Spec) -> Spec:
    if not x.ndim or (isinstance(x.shape[-1], int) and x.shape[-1] != 2):
        raise ShapeError(
            f"view_as_complex: the last axis must hold real and imaginary part, size 2, got shape {show_shape(x.shape)}"
        )
    return Spec(x.shape[:-1], promote(x.dtype, np.dtype("complex64")))


@primitive(
    eval=_paired,
    infer=_pair_infer,
    partials=(lambda g, y, x: view_as_real(conj(g)),),
    emit="view_as_complex",
    domain=cases(
        lambda rng: [Sample((rng.normal(size=sizes),)) for sizes in ((2,), (3, 2), (2, 3, 2), (0, 2))],
        lambda: [
            Bad((np.ones(3),), {}, ValueError), Bad((np.ones(()),), {}, ValueError),
            Bad((np.array([1j, 2j]),), {}, TypeError), Bad((np.array(["a", "b"]),), {}, TypeError),
        ],
    ),
    family="complex",
    reference=lambda x: x[..., 0] + 1j * x[..., 1],
)  # fmt: skip
def view_as_complex(x: Any) -> Tensor:
    """Complex numbers of the pairs (real, imaginary) along the last axis of size 2: (..., 2) to (...).

    x: real numbers; float64 and whole numbers of 32 bits and more give complex128, else complex64. Raises ShapeError
    for a last axis of another size.

    >>> import autograd_nn as ag
    >>> ag.ops.view_as_complex([[1.0, 2.0]])
    Tensor([1.+2.j], dtype=complex64)
    """
    x = as_tensor(x)
    _pair_infer(x.spec)
    return record(view_as_complex.op, (x,), {})


@primitive(
    eval=lambda x: np.stack([x.real, x.imag], -1),
    infer=lambda x: Spec((*x.shape, 2), dtype_of(np.abs, x.dtype)),
    partials=(lambda g, y, x: conj(view_as_complex(g)),),
    emit="view_as_real",
    domain=_complex_domain(),
    family="complex",
    reference=lambda x: np.stack([x.real, x.imag], -1),
    complex=True,
)
def view_as_real(x: Any) -> Tensor:
    """The pairs (real, imaginary) of complex numbers along a new last axis: (...) to (..., 2).

    Raises DTypeError for real numbers.

    >>> import autograd_nn as ag
    >>> ag.ops.view_as_real([1 + 2j]).tolist()
    [[1.0, 2.0]]
    """
    return record(view_as_real.op, (_complex(x, "view_as_real"),), {})


@composite(
    reference=lambda size, angle: size * np.exp(1j * angle),
    domain=cases(
        lambda rng: [
            Sample((rng.uniform(0.5, 2, sizes), rng.normal(size=more)))
            for sizes, more in (((), ()), ((3,), (3,)), ((2, 1), (3,)), ((0, 2), (2,)))
        ],
        lambda: [
            Bad((np.ones(2), np.ones(3)), {}, ValueError), Bad((np.array([1j]), np.ones(1)), {}, TypeError),
            Bad((np.ones(1), np.array(["a"])), {}, TypeError),
        ],
    ),
)  # fmt: skip
def polar(abs_: Any, angle: Any) -> Tensor:
    """The complex numbers of those sizes and angles: abs_ * (cos(angle) + i sin(angle)).

    abs_, angle: real numbers that broadcast; angle in radians. float64 gives complex128, else complex64.

    >>> import autograd_nn as ag
    >>> ag.ops.polar(2.0, 0.0)
    Tensor(2.+0.j, dtype=complex64)
    """
    size, turn = as_tensor(abs_), as_tensor(angle)
    return view_as_complex(stack([size * cos(turn), size * sin(turn)], -1))
