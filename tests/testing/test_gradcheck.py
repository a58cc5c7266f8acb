"""The gradient check finds planted mistakes, names them, and stays silent about right gradients."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd_nn as ag
from autograd_nn import ops
from autograd_nn.engine.op import OPS
from autograd_nn.errors import GradcheckError, GradientError, InvalidArgument
from autograd_nn.testing import gradcheck
from autograd_nn.testing.suite import subject_of
from tests.testing.planted import BASES, Plant, all_plants

RNG = np.random.default_rng(11)


def complaint(plant: Plant) -> str:
    """What the check got wrong about a planted mistake."""
    report = gradcheck(plant.f, plant.inputs, order=plant.order, raise_exception=False)
    if report:
        return "not found"
    if report.order != plant.order:
        return f"found at order {report.order}, planted at {plant.order}"
    if plant.cause and report.cause != plant.cause:
        return f"called {report.cause!r}, is {plant.cause!r}: {report.hint}"
    return ""


def test_planted_mistakes_are_found_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    plants = all_plants()
    complaints = {plant.name: complaint(plant) for plant in plants}
    wrong = {name: text for name, text in complaints.items() if text}
    with capsys.disabled():
        print(f"\ngradcheck: {len(plants) - len(wrong)} of {len(plants)} planted mistakes found and named")
    assert len(complaints) == len(plants) >= 60, "names must differ"
    assert not wrong


# --- right gradients

SMOOTH: dict[str, Callable[[Any], Any]] = {
    "tanh": ops.tanh,
    "sin": ops.sin,
    "exp": lambda x: ops.exp(0.5 * x),
    "sigmoid": ops.sigmoid,
    "softplus": ops.softplus,
    "square": lambda x: x * x,
    "gelu": ops.gelu,
    "arctan": ops.arctan,
    "erf": ops.erf,
    "softmax": lambda x: ops.softmax(x, axis=-1),
    "mean": lambda x: x - ops.mean(x, axis=0, keepdims=True),
    "reciprocal": lambda x: 1 / (2 + x * x),
}


def compositions() -> Iterator[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """Every pair of smooth functions, and products with weights."""
    for outer, f in SMOOTH.items():
        for inner, g in SMOOTH.items():
            yield f"{outer} of {inner}", lambda x, f=f, g=g: f(g(x)), (RNG.normal(size=(2, 3)),)
        weights = RNG.normal(size=(3, 2))
        yield f"{outer} of a product", lambda x, w, f=f: f(x @ w).sum(), (RNG.normal(size=(4, 3)), weights)


def samples() -> Iterator[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """The samples on which the registry's ops say they have a gradient."""
    for op in OPS.values():
        for case in subject_of(op).cases() if op.order != 0 else ():
            if case.grad and any(a.dtype.kind == "f" for a in case.arrays):
                yield str(case), lambda *tensors, case=case: case.call(tensors), case.arrays


def test_no_alarm_about_right_gradients(capsys: pytest.CaptureFixture[str]) -> None:
    right = [*compositions(), *samples()]
    alarms = {name: str(report) for name, f, x in right if not (report := gradcheck(f, x, raise_exception=False))}
    with capsys.disabled():
        print(f"\ngradcheck: {len(alarms)} alarms about {len(right)} right gradients")
    assert len(right) >= 200
    assert not alarms


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name)
def test_no_alarm_about_the_ops_that_mistakes_are_planted_in(base: Any) -> None:
    assert gradcheck(ag.custom_op(base.forward, base.rule), base.inputs, order=3)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (ops.log, [1e-9, 1e5]),
        (lambda x: ops.sin(1e4 * x), [0.3, 1.0]),
        (lambda x: ops.exp(x) + 1e8 - 1e8, [0.3, 1.0]),
        (lambda x: x**5, [0.0, 1e-8, 1.0]),
        (lambda x: x * 1e-20, [0.0, 1.0]),
        (lambda x: x * 1e20, [0.0, 1.0]),
        (ops.relu, [1e-6, -1e-5, 1e-4]),
        (lambda x: ops.sqrt(x * x + 1e-12), [1e-7, 1.0]),
        (lambda x: 1 / x, [1e-6, -1e-3, 1e6]),
        (lambda x: x * 0.0, [1.0, 2.0]),
        (ops.floor, [0.5, 0.9999]),
    ],
    ids=["log", "fast", "cancelling", "flat", "tiny", "huge", "near kinks", "sharp", "pole", "zero", "steps"],
)
def test_no_alarm_in_hard_places(f: Callable[..., Any], x: list[float]) -> None:
    assert gradcheck(f, (np.array(x),), order=2)


# --- the arguments


def test_one_argument_needs_no_tuple() -> None:
    assert gradcheck(lambda x: x * x, ag.tensor([1.0, 2.0], dtype="float64"))


def test_nests_of_inputs_and_outputs() -> None:
    weights = {"a": [np.array([1.0, 2.0]), 3.0], "b": np.array([[0.5, 1.5]])}
    f = lambda w, scale: {"y": w["a"][0] * w["b"] * w["a"][1], "z": (scale * w["b"],)}  # noqa: E731
    report = gradcheck(f, (weights, 2), order=2)
    assert report
    assert report.input in ("w['a'][0]", "w['a'][1]", "w['b']", "cotangent[0]", "cotangent[1]")


def test_integers_and_other_values_are_passed_on() -> None:
    index = np.array([2, 0])
    assert gradcheck(lambda x, i, axis, none: ops.take(x, i, axis=axis), (RNG.normal(size=(3, 2)), index, 0, None))


def test_inputs_stay_as_they_were() -> None:
    x = ag.tensor(RNG.normal(size=3), requires_grad=True)
    kept = x.numpy().copy()
    gradcheck(lambda x: x * x, (x,))
    assert x.grad is None
    assert np.array_equal(x.numpy(), kept)


def test_an_input_with_a_name_is_called_by_it() -> None:
    w = ag.tensor([1.0, 2.0], dtype="float64", name="weights")
    assert gradcheck(lambda x: x.detach() * 2, w, raise_exception=False).input == "weights"


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (1, 1)])
def test_inputs_without_axes_or_elements(shape: tuple[int, ...]) -> None:
    assert gradcheck(lambda x: ops.tanh(x) * x, (RNG.normal(size=shape),), order=2)


def test_a_large_input_is_checked_along_directions() -> None:
    report = gradcheck(lambda x: ops.sum(ops.sin(x) * x), (RNG.normal(size=(40, 50)),))
    assert report
    assert report.checked < 100


def test_the_step_and_tolerances_can_be_chosen() -> None:
    almost = ag.custom_op(lambda x: x * x, lambda g, y, x: (g * 2.0001 * x,))
    x = np.array([1.0, 2.0])
    assert not gradcheck(almost, x, raise_exception=False)
    assert gradcheck(almost, x, rtol=1e-3)
    assert gradcheck(almost, x, atol=1e-3)
    assert gradcheck(lambda x: x * x, x, eps=1e-2)


@pytest.mark.parametrize("arguments", [{"order": 0}, {"order": 1.0}, {"order": True}, {"eps": 0.0}, {"eps": -1.0}])
def test_arguments_that_cannot_be_meant(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match="gradcheck: (order|eps)"):
        gradcheck(lambda x: x, np.ones(2), **arguments)


def test_a_function_must_return_a_float_tensor() -> None:
    with pytest.raises(GradientError, match="must return a float tensor, got bool"):
        gradcheck(lambda x: x > 0, np.ones(2))
    with pytest.raises(TypeError, match="must return Tensors, got"):
        gradcheck(lambda x: x.numpy(), np.ones(2))


# --- the report


def double() -> Any:
    return ag.custom_op(lambda x: x**2, lambda g, y, x: (g * 4 * x,), name="double")


def test_a_failing_check_raises_with_its_report() -> None:
    with pytest.raises(GradcheckError, match=r"at x\[\d\]: factor 2") as caught:
        gradcheck(double(), np.array([1.0, 2.0, 3.0]))
    assert isinstance(caught.value, GradientError)
    assert caught.value.report.cause == "factor"
    assert len(str(caught.value).partition("\n")[0]) <= 300


def test_the_report_says_where_and_by_how_much() -> None:
    report = gradcheck(double(), np.array([[1.0, 2.0, 3.0]]), raise_exception=False)
    assert not report
    assert report.input == "x"
    assert report.index in [(0, 0), (0, 1), (0, 2)]
    assert report.ratio == pytest.approx(2)
    assert report.analytic == pytest.approx(2 * report.numeric)
    for word in ("failed", "x[0, ", "factor 2", "analytic", "numeric", "ratio"):
        assert word in str(report)


def test_a_passing_report_is_true_and_says_what_was_compared() -> None:
    report = gradcheck(ops.tanh, np.array([0.5, 1.0]), order=2)
    assert report
    assert "passed" in repr(report)
    assert report.checked == 6
    assert report.ratio == pytest.approx(1)
    assert (report.cause, report.hint) == ("", "")


def test_the_same_seed_gives_the_same_report() -> None:
    first, second = (gradcheck(double(), np.ones(3), raise_exception=False, seed=5) for _ in range(2))
    assert str(first) == str(second)


def test_float32_is_checked_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="x is float32.*use float64"):
        report = gradcheck(lambda x: ops.sin(x) * x, np.array([1.0, 2.0], "float32"))
    assert "float64" in str(report)


def test_float64_is_checked_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradcheck(ops.log, np.array([1e-3, 2.0]))


def test_a_wrong_float32_gradient_is_found() -> None:
    wrong = ag.custom_op(lambda x: x**2, lambda g, y, x: (g * 2.1 * x,))
    with pytest.warns(UserWarning):
        assert not gradcheck(wrong, np.array([1.0, 2.0], "float32"), raise_exception=False)


def test_a_kink_is_called_one() -> None:
    report = gradcheck(ops.relu, np.array([0.0, 1.0]), raise_exception=False)
    assert report.cause == "kink"
    assert "from the left" in report.hint and "move the input" in report.hint


def test_a_jump_is_called_one() -> None:
    assert "jump" in gradcheck(ops.floor, np.array([1.0]), raise_exception=False).hint


def test_an_edge_of_the_domain_is_called_one() -> None:
    assert gradcheck(ops.sqrt, np.array([0.0, 1.0]), raise_exception=False).cause == "edge"


def test_outputs_that_are_not_finite_are_left_out_and_noted() -> None:
    report = gradcheck(lambda x: ops.log(x * ag.tensor([1.0, 0.0])), np.array([1.0, 2.0]))
    assert "not finite" in str(report)


def test_a_second_derivative_of_arrays_says_so() -> None:
    first_order = ag.custom_op(np.sin, lambda g, y, x: (g.numpy() * np.cos(x.numpy()),))
    assert gradcheck(first_order, np.array([1.0, 2.0]))
    with pytest.raises(GradientError, match="first derivative only"):
        gradcheck(first_order, np.array([1.0, 2.0]), order=2)


def test_an_output_whose_shape_depends_on_values_says_so() -> None:
    with pytest.raises(GradientError, match="shapes of the outputs changed"):
        gradcheck(lambda x: x[x > 1.0], np.array([0.9999, 1.0001, 2.0]))


def test_what_is_left_of_terms_that_cancel_is_no_alarm():
    def cancels(a, b):
        centred = b - ag.ops.mean(b, axis=-1, keepdims=True)
        return ag.ops.tanh(a) * ag.ops.sum(centred, -1, keepdims=True)

    assert ag.gradcheck(cancels, tuple(np.random.default_rng(k).normal(size=(2, 3)) for k in range(2)))
