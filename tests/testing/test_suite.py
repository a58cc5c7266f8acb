"""The op suite passes right ops, and fails one that is wrong in any aspect."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.convert import as_tensor
from autograd_nn.engine.op import Op
from autograd_nn.engine.spec import Spec
from autograd_nn.engine.tensor import Tensor, leaf, record
from autograd_nn.errors import DTypeError, InvalidArgument
from autograd_nn.testing import ASPECTS, Bad, Domain, Sample, check_op, op_suite

REFUSED = [
    Bad((np.array(["a"]),), {}, TypeError),
    Bad((np.array([1j]),), {}, TypeError),
    Bad(([[1.0], [1.0, 2.0]],), {}, ValueError),
]
SAMPLES = [Sample((np.linspace(0.5, 2, 6).reshape(2, 3),)), Sample((np.ones(()),)), Sample((np.ones((0, 2)),))]
DOMAIN = Domain(lambda rng: SAMPLES, lambda: REFUSED)


def right() -> dict[str, Any]:
    """The parts of an op that is right in every aspect: x * x * x."""

    def call(x: Any) -> Tensor:
        try:
            return record(call.op, (as_tensor(x),), {})  # type: ignore[attr-defined]
        except (TypeError, ValueError) as error:
            raise type(error)(f"cube: {error}") from None

    return {
        "name": "cube",
        "eval": lambda x: x * x * x,
        "infer": lambda x: x,
        "partials": (lambda g, y, x: g * 3 * x * x,),
        "emit": "{0} * {0} * {0}",
        "doc": "x to the power 3.",
        "domain": DOMAIN,
        "reference": lambda x: x**3,
        "call": call,
    }


def made(parts: dict[str, Any]) -> Op:
    op = Op(**parts)
    op.call.op = op  # type: ignore[union-attr]
    return op


def test_a_right_op_passes_every_aspect() -> None:
    op_suite(made(right()))


@pytest.mark.parametrize("aspect", ASPECTS)
def test_a_right_op_passes(aspect: str) -> None:
    check_op(made(right()), aspect)


def writes(x: Any) -> Any:
    y = x * x * x
    x *= 1.0
    return y


def buffered(x: Any) -> Any:
    return np.ravel(x, "K").reshape(x.shape) ** 3


NOISE = np.random.default_rng(0)
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("record", {"doc": ""}),
    ("record", {"emit": ""}),
    ("record", {"domain": Domain(lambda rng: [], lambda: REFUSED)}),
    ("record", {"domain": Domain(lambda rng: SAMPLES, lambda: REFUSED[:2])}),
    ("record", {"domain": Domain(lambda rng: SAMPLES[2:], lambda: REFUSED)}),
    ("reference", {"reference": None}),
    ("reference", {"reference": lambda x: x**2}),
    ("reference", {"reference": lambda x: (x**3).astype("float32")}),
    ("shapes", {"infer": lambda x: Spec((*x.shape, 1), x.dtype)}),
    ("shapes", {"infer": lambda x: Spec(x.shape, np.dtype("float32"))}),
    ("unknown sizes", {"infer": lambda x: Spec(tuple(7 for _ in x.shape), x.dtype)}),
    ("gradient", {"partials": (lambda g, y, x: g * 2 * x * x,)}),
    ("gradient", {"partials": (lambda g, y, x: g * 3 * ops.stop_gradient(x * x),)}),
    ("gradient", {"partials": (None,)}),
    ("layouts", {"eval": buffered}),
    ("pure", {"eval": writes}),
    ("pure", {"eval": lambda x: x**3 * NOISE.normal()}),
    ("float32", {"eval": lambda x: (x * x * x).astype("float64")}),
    ("float32", {"eval": lambda x: x**3 * (1.001 if x.dtype == "float32" else 1)}),
    ("float32", {"partials": (lambda g, y, x: g * np.float64(3) * x * x,)}),
    ("errors", {"domain": Domain(lambda rng: SAMPLES, lambda: [Bad((np.ones(2),), {}, ValueError)])}),
    ("errors", {"domain": Domain(lambda rng: SAMPLES, lambda: [Bad((np.array(["a"]),), {}, KeyError)])}),
]


@pytest.mark.parametrize(("aspect", "change"), WRONG)
def test_a_wrong_op_fails(aspect: str, change: dict[str, Any]) -> None:
    op = made({**right(), **change})
    with pytest.raises((AssertionError, ValueError, RuntimeError)):
        check_op(op, aspect)


def raising(error: Exception) -> Callable[..., Any]:
    def call(x: Any) -> Tensor:
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            return leaf(x)
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (TypeError("cube: no"), "not of this library"),
        (DTypeError("wrong"), "names neither op nor argument"),
    ],
)
def test_errors_must_say_where(error: Exception, why: str) -> None:
    refused = Domain(lambda rng: SAMPLES, lambda: [Bad((np.array(["a"]),), {}, TypeError)])
    with pytest.raises(AssertionError, match=why):
        check_op(made({**right(), "call": raising(error), "domain": refused}), "errors")


def test_an_op_that_says_it_has_no_gradient_must_not_ask_for_one() -> None:
    op = made({**right(), "order": 0, "call": lambda x: leaf(np.ones(2), requires_grad=True)})
    with pytest.raises(AssertionError, match="says it has no gradient"):
        check_op(op, "no gradient")


def test_an_op_without_a_domain_fails() -> None:
    with pytest.raises(AssertionError, match="cube has no domain"):
        check_op(made({**right(), "domain": None}), "record")


def test_an_unknown_aspect_is_refused_with_a_suggestion() -> None:
    with pytest.raises(InvalidArgument, match="did you mean 'gradient'"):
        check_op(ops.tanh, "gradiant")


def test_only_ops_are_taken() -> None:
    with pytest.raises(InvalidArgument, match="got function"):
        check_op(lambda x: x, "record")


def test_a_custom_op_is_tested_with_a_domain_of_its_user() -> None:
    swish = ag.custom_op(
        lambda x: x / (1 + np.exp(-x)),
        lambda g, y, x: (g * (ops.sigmoid(x) + x * ops.sigmoid(x) * (1 - ops.sigmoid(x))),),
        name="swish",
    )
    check_op(swish, "gradient", domain=DOMAIN)
    check_op(swish, "reference", domain=DOMAIN, reference=lambda x: x / (1 + np.exp(-x)))
    check_op(swish, "layouts", domain=DOMAIN)
