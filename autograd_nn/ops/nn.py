"""Activations over an axis, one-hot vectors and crossentropies, with the semantics of Keras 3."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import Spec, as_dtype, default_float, normal_axes, normal_axis, show_shape
from ..engine.tensor import Tensor, record
from ..errors import DTypeError, InvalidArgument, ShapeError, short
from .domain import Rng, cases, reals, unary_domain
from .elementwise import abs, cast, clip, exp, expm1, log, sigmoid, softplus, where
from .family import binary, composite, differ, primitive, same_shape, unary
from .reduction import Axis, add_up, finite, peak, sum
from .shape import squeeze


class Limits:
    """How close to 0 and 1 probabilities may come before their logarithm is taken; `config.set_epsilon` replaces it."""

    epsilon = 1e-7


def _inside(probabilities: Tensor) -> Tensor:
    return clip(probabilities, Limits.epsilon, 1 - Limits.epsilon)


def floating(x: Any) -> Tensor:
    """x as a tensor, integers and bools as the default float dtype."""
    x = as_tensor(x)
    return x if x.dtype.kind == "f" else cast(x, default_float())


# --- elementwise activations

relu6 = unary(
    "relu6",
    lambda x: np.minimum(np.maximum(x, np.zeros((), x.dtype)), np.full((), 6, x.dtype)),
    vjp=lambda g, y, x: (where((y > 0) & (y < 6), g, 0),),
    emit="minimum(maximum({0}, 0), 6)",
    domain=reals(-3, 9, away=(0, 6)),
    doc="x limited to 0..6; its derivative at the limits is 0.",
)


@composite(reference=None, domain=unary_domain(reals(-3, 3, away=(0,))))
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """x where it is positive, negative_slope * x elsewhere (Maas et al. 2013); at 0 its derivative is negative_slope.

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.leaky_relu([-1.0, 2.0], 0.5).tolist()
    [-0.5, 2.0]
    """
    x = floating(x)
    return where(x > 0, x, negative_slope * x)


@composite(reference=None, domain=unary_domain(reals(-3, 3, away=(0,))))
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where it is positive, alpha * (exp(x) - 1) elsewhere (Clevert et al. 2015, arXiv 1511.07289).

    x: tensor or array of any shape. At 0 its derivative is alpha.

    >>> import autograd_nn as ag
    >>> ag.ops.elu([0.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    x = floating(x)
    positive = x > 0
    # Without the inner `where` expm1 would overflow on the branch not taken.
    return where(positive, x, alpha * expm1(where(positive, 0, x)))


_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


@composite(reference=None, domain=unary_domain(reals(-3, 3, away=(0,))))
def selu(x: Any) -> Tensor:
    """The scaled elu that keeps mean 0 and variance 1 (Klambauer et al. 2017, arXiv 1706.02515).

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.selu([0.0]).tolist()
    [0.0]
    """
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


@composite(reference=None, domain=unary_domain(reals(-3, 3, away=(0,))))
def softsign(x: Any) -> Tensor:
    """x / (1 + |x|).

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.softsign([-1.0, 3.0]).tolist()
    [-0.5, 0.75]
    """
    x = floating(x)
    return x / (1 + abs(x))


@composite(reference=None, domain=unary_domain(reals(-5, 5)))
def log_sigmoid(x: Any) -> Tensor:
    """log(sigmoid(x)), without overflow.

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.log_sigmoid([-1000.0]).tolist()
    [-1000.0]
    """
    return -softplus(-floating(x))


@composite(reference=None, domain=unary_domain(reals(-5, 5, away=(-3, 3))))
def hard_sigmoid(x: Any) -> Tensor:
    """The sigmoid in three straight pieces, relu6(x + 3) / 6.

    x: tensor or array of any shape.

    >>> import autograd_nn as ag
    >>> ag.ops.hard_sigmoid([-3.0, 0.0, 3.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return relu6(floating(x) + 3) / 6


# --- softmax


def _softmax_domain() -> Domain:
    values = reals(-4, 4)

    def samples(rng: Rng) -> list[Sample]:
        shapes: tuple[tuple[tuple[int, ...], Axis], ...] = (
            ((5,), -1), ((3, 4), -1), ((3, 4), 0), ((2, 3, 2), 1), ((2, 3), None), ((2, 3, 2), (0, 2)), ((0, 3), -1),
            ((2, 0), -1), ((2, 1), 1),
        )  # fmt: skip
        return [Sample((values.draw(rng, shape), axis)) for shape, axis in shapes]

    def errors() -> list[Bad]:
        return [
            Bad((np.ones((2, 3)), 2), {}, ValueError),
            Bad((np.ones(()),), {}, ValueError),
            Bad((np.ones(3), 0.5), {}, TypeError),
            Bad((np.array(["a"]),), {}, TypeError),
        ]

    return Domain(samples, errors)


def _over_axes(op: Any, x: Any, axis: Axis) -> Tensor:
    x = floating(x)
    return record(op, (x,), {"axis": normal_axes(axis, x.ndim, op.name)})


def _softmax(x: Any, axis: tuple[int, ...]) -> Any:
    terms = np.exp(x - finite(peak(x, axis)))
    # The largest term is 1, so the sum is below 1 only where all elements are -inf.
    return terms / np.maximum(add_up(terms, axis=axis, keepdims=True), 1)


@primitive(
    eval=_softmax,
    infer=lambda x, axis: Spec(x.shape, x.dtype),
    partials=(lambda g, y, x, axis: y * (g - sum(g * y, axis, keepdims=True)),),
    emit="softmax",
    domain=_softmax_domain(),
    family="softmax",
)
def softmax(x: Any, axis: Axis = -1) -> Tensor:
    """exp(x) divided by its sum over an axis: positive, with sum 1; zeros where all elements are -inf.

    x: tensor or array of at least one axis; integers become the default float dtype.
    axis: one, several, or None for all. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.softmax([[0.0, 0.0], [0.0, -1000.0]]).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    return _over_axes(softmax.op, x, axis)


def _log_softmax(x: Any, axis: tuple[int, ...]) -> Any:
    below = x - finite(peak(x, axis))
    return below - np.log(np.maximum(add_up(np.exp(below), axis=axis, keepdims=True), 1))


@primitive(
    eval=_log_softmax,
    infer=lambda x, axis: Spec(x.shape, x.dtype),
    partials=(lambda g, y, x, axis: g - exp(y) * sum(g, axis, keepdims=True),),
    emit="log_softmax",
    domain=_softmax_domain(),
    family="softmax",
)
def log_softmax(x: Any, axis: Axis = -1) -> Tensor:
    """The logarithm of softmax, exact also where softmax is nearly 0; -inf where all elements are -inf.

    x: tensor or array of at least one axis; integers become the default float dtype.
    axis: one, several, or None for all. Raises AxisError for an axis out of range.

    >>> import autograd_nn as ag
    >>> ag.ops.log_softmax([0.0, -1000.0]).tolist()
    [0.0, -1000.0]
    """
    return _over_axes(log_softmax.op, x, axis)


# --- one-hot


def _one_hot(x: Any, num_classes: int, axis: int, dtype: Any) -> Any:
    classes = np.arange(num_classes).reshape((-1,) + (1,) * (x.ndim - axis))
    return (np.expand_dims(x, axis) == classes).astype(dtype)


@primitive(
    eval=_one_hot,
    infer=lambda x, num_classes, axis, dtype: Spec((*x.shape[:axis], num_classes, *x.shape[axis:]), dtype),
    emit="one_hot",
    domain=cases(
        lambda rng: [
            Sample((rng.integers(0, 4, 5), 4), {}, False), Sample((rng.integers(-1, 4, (2, 3)), 3), {"axis": 0}, False),
            Sample((np.array(1), 3), {"dtype": "int32"}, False),
            Sample((np.ones((0, 2), "int8"), 2), {"axis": 1}, False),
        ],
        lambda: [
            Bad((np.array([0, 1]), 0), {}, ValueError), Bad((np.array([0, 1]), 2.5), {}, TypeError),
            Bad((np.array([0, 1]), 2), {"axis": 2}, ValueError),
        ],
    ),
    family="one_hot",
)  # fmt: skip
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """A new axis with 1 at the place that each class number names and 0 elsewhere; only zeros for numbers outside.

    x: tensor or array of integers; of floats the whole part is taken. num_classes: size of the new axis, at least 1.
    axis: its place in the result.
    dtype: of the result, the default float if None. sparse: only False, there are no sparse tensors.
    Raises DTypeError for num_classes that is no int, InvalidArgument where it is below 1.

    >>> import autograd_nn as ag
    >>> ag.ops.one_hot([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    x = as_tensor(x)
    if sparse:
        raise InvalidArgument(f"one_hot: there are no sparse tensors, got sparse={short(sparse)}; leave it out")
    if x.dtype.kind == "f":
        x = cast(x, "int64")
    if isinstance(num_classes, bool) or not hasattr(num_classes, "__index__"):
        raise DTypeError(f"one_hot: num_classes must be an int, got {short(num_classes)}")
    if num_classes.__index__() < 1:
        raise InvalidArgument(f"one_hot: num_classes must be at least 1, got {num_classes}")
    params = {
        "num_classes": num_classes.__index__(),
        "axis": normal_axis(axis, x.ndim + 1, "one_hot"),
        "dtype": default_float() if dtype is None else as_dtype(dtype),
    }
    return record(one_hot.op, (x,), params)


# --- crossentropies


def _sigmoid_crossentropy(t: Any, x: Any) -> Any:
    return np.maximum(x, np.zeros((), x.dtype)) - x * t + np.log1p(np.exp(-np.abs(x)))


sigmoid_crossentropy = binary(
    "sigmoid_crossentropy",
    _sigmoid_crossentropy,
    partials=(lambda g, y, t, x: -g * x, lambda g, y, t, x: g * (sigmoid(x) - t)),
    emit="maximum({1}, 0) - {1} * {0} + softplus_tail({1})",
    domain=(reals(0, 1), reals(-5, 5)),
    doc="The binary crossentropy of targets x1 with sigmoid(x2), without overflow.",
)


def _operands(name: str, target: Any, output: Any) -> tuple[Tensor, Tensor]:
    """Target and output as floats of the dtype of the output, which must have one shape."""
    output = floating(output)
    target = cast(as_tensor(target), output.dtype)
    same_shape(name, target, output, "target and output")
    return target, output


def _binary_domain() -> Domain:
    def samples(rng: Rng) -> list[Sample]:
        shapes: tuple[tuple[int, ...], ...] = ((), (4,), (3, 2), (0, 2))
        inside = [Sample((rng.uniform(0, 1, s), rng.uniform(0.05, 0.95, s))) for s in shapes]
        return [*inside, Sample((rng.uniform(0, 1, (2, 3)), rng.normal(size=(2, 3))), {"from_logits": True})]

    def errors() -> list[Bad]:
        return [
            Bad((np.ones((2, 1)), np.ones(2)), {}, ValueError),
            Bad((np.ones((2, 1)), np.ones((2, 3))), {"from_logits": True}, ValueError),
            Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
        ]

    return Domain(samples, errors)


@composite(reference=None, domain=_binary_domain())
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """-(target * log(output) + (1 - target) * log(1 - output)), element by element.

    target: 0 or 1, or between. output: probabilities of the same shape, limited to 1e-7..1 - 1e-7; with `from_logits`
    any numbers, whose sigmoid are the probabilities. Raises ShapeError where the shapes differ: nothing broadcasts.

    >>> import autograd_nn as ag
    >>> ag.ops.binary_crossentropy([1.0, 0.0], [0.5, 0.0]).numpy().round(4).tolist()
    [0.6930999755859375, 0.0]
    """
    target, output = _operands("binary_crossentropy", target, output)
    if from_logits:
        return sigmoid_crossentropy(target, output)
    output = _inside(output)
    return -(target * log(output) + (1 - target) * log(1 - output))


def _log_probabilities(output: Tensor, axis: int, from_logits: bool) -> Tensor:
    if from_logits:
        return log_softmax(output, axis)
    return log(_inside(output / sum(output, axis, keepdims=True)))


def _class_axis(name: str, output: Tensor, axis: int) -> int:
    if not output.ndim:
        raise ShapeError(f"{name}: output needs an axis of classes, got a scalar")
    return normal_axis(axis, output.ndim, name)


def _class_samples(target: Callable[..., Any]) -> Callable[[Rng], list[Sample]]:
    def samples(rng: Rng) -> list[Sample]:
        shapes: tuple[tuple[tuple[int, ...], int], ...] = (((4,), -1), ((3, 4), -1), ((2, 4, 3), 1), ((0, 3), -1))
        found = []
        for shape, axis in shapes:
            labels = target(rng, shape, axis)
            found.append(Sample((labels, rng.uniform(0.1, 0.9, shape)), {"axis": axis}))
            found.append(Sample((labels, rng.normal(size=shape)), {"axis": axis, "from_logits": True}))
        return found

    return samples


def _class_weights(rng: Rng, shape: tuple[int, ...], axis: int) -> Any:
    return rng.uniform(0.1, 0.9, shape)


def _class_numbers(rng: Rng, shape: tuple[int, ...], axis: int) -> Any:
    rest = list(shape)
    return rng.integers(0, rest.pop(axis), rest)


@composite(
    reference=None,
    domain=cases(
        _class_samples(_class_weights),
        lambda: [
            Bad((np.ones((2, 3)), np.ones((2, 4))), {}, ValueError), Bad((np.ones(2), np.ones((2, 3))), {}, ValueError),
            Bad((np.ones(()), np.ones(())), {}, ValueError), Bad((np.ones(3), np.ones(3)), {"axis": 1}, ValueError),
            Bad((np.array(["a"]), np.ones(1)), {}, TypeError),
        ],
    ),
)  # fmt: skip
def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """-sum(target * log(output)) over the axis of classes.

    target: class probabilities, such as one-hot vectors. output: probabilities of the same shape; they are divided by
    their sum and limited to 1e-7..1 - 1e-7; with `from_logits` any numbers, whose softmax are the probabilities.
    Raises ShapeError where the shapes differ: nothing broadcasts.

    >>> import autograd_nn as ag
    >>> ag.ops.categorical_crossentropy([[0.0, 1.0]], [[0.0, 0.0]], from_logits=True).numpy().round(4).tolist()
    [0.6930999755859375]
    """
    target, output = _operands("categorical_crossentropy", target, output)
    at = _class_axis("categorical_crossentropy", output, axis)
    return -sum(target * _log_probabilities(output, at, from_logits), at)


def _labels(name: str, target: Any, output: Tensor, axis: int) -> Tensor:
    """Class numbers as int64 without an axis of size 1 for the classes; ShapeError where they do not fit the output."""
    target = as_tensor(target)
    if target.ndim == output.ndim and target.spec.shape[axis] == 1:
        target = squeeze(target, axis)
    expected = (*output.spec.shape[:axis], *output.spec.shape[axis + 1 :])
    if differ(target.spec.shape, expected):
        raise ShapeError(
            f"{name}: class numbers need shape {show_shape(expected)} for output {show_shape(output.spec.shape)}, got "
            f"{show_shape(target.spec.shape)}; use categorical_crossentropy for one-hot targets"
        )
    if target.value is not None:
        _check_labels(name, target.value, output.spec.shape[axis])
    return cast(target, "int64")


def _check_labels(name: str, labels: Any, classes: Any) -> None:
    """InvalidArgument for the first label that is no whole number of a class."""
    labels = np.asarray(labels)
    wrong = labels < 0
    if isinstance(classes, int):
        wrong = wrong | (labels >= classes)
    if labels.dtype.kind == "f":
        wrong = wrong | (labels != np.floor(labels))
    if not wrong.any():
        return
    place = tuple(int(k) for k in np.argwhere(wrong)[0])
    known = f" in 0..{classes - 1}" if isinstance(classes, int) else " >= 0"
    raise InvalidArgument(f"{name}: label {labels[place]} at index {place} is not a whole number{known}")


@composite(
    reference=None,
    domain=cases(
        _class_samples(_class_numbers),
        lambda: [
            Bad((np.array([0, 3]), np.ones((2, 3))), {}, ValueError),
            Bad((np.array([0, -1]), np.ones((2, 3))), {}, ValueError),
            Bad((np.array([0.5, 1]), np.ones((2, 3))), {}, ValueError),
            Bad((np.zeros((2, 3)), np.ones((2, 3))), {}, ValueError),
            Bad((np.zeros(()), np.ones(())), {}, ValueError),
        ],
    ),
)
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """-log(output) of the class that the target names.

    target: class numbers, in the shape of the output without the axis of classes, or with size 1 there.
    output: probabilities, which are divided by their sum and limited to 1e-7..1 - 1e-7; with `from_logits` any numbers,
    whose softmax are the probabilities.
    Raises ShapeError where the shapes do not fit, InvalidArgument for labels outside the classes, if they have values.

    >>> import autograd_nn as ag
    >>> ag.ops.sparse_categorical_crossentropy([1], [[0.0, 0.0]], from_logits=True).numpy().round(4).tolist()
    [0.6930999755859375]
    """
    name = "sparse_categorical_crossentropy"
    output = floating(output)
    at = _class_axis(name, output, axis)
    labels = _labels(name, target, output, at)
    classes = output.spec.shape[at]
    if not isinstance(classes, int):
        raise ShapeError(f"{name}: the number of classes of output {show_shape(output.spec.shape)} is unknown")
    chosen = one_hot(labels, classes, at, output.dtype)
    return -sum(chosen * _log_probabilities(output, at, from_logits), at)
