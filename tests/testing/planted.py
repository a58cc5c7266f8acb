"""Wrong gradients, planted on purpose: right custom ops, and mistakes made in their rules."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_nn as ag
from autograd_nn import ops

RNG = np.random.default_rng(7)
Rule = Callable[..., tuple[Any, ...]]


@dataclass(frozen=True)
class Plant:
    """A function whose gradient is wrong, where to look, and the cause that must be named (any if empty)."""

    name: str
    f: Callable[..., Any]
    inputs: tuple[Any, ...]
    cause: str = ""
    order: int = 1


@dataclass(frozen=True)
class Base:
    """A right op to plant mistakes in."""

    name: str
    forward: Callable[..., Any]
    rule: Rule
    inputs: tuple[Any, ...]


def total(x: Any, axis: int) -> Any:
    return ops.sum(x, axis=axis)


BASES = (
    Base("cube", lambda x: x**3, lambda g, y, x: (g * 3 * x * x,), (RNG.normal(size=(4, 3)),)),
    Base("exp", np.exp, lambda g, y, x: (g * y,), (RNG.normal(size=6),)),
    Base("tanh", np.tanh, lambda g, y, x: (g * (1 - y * y),), (RNG.normal(size=(2, 2, 2)),)),
    Base(
        "product", lambda a, b: a * b, lambda g, y, a, b: (g * b, g * a),
        (RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))),
    ),
    Base(
        "matmul", lambda a, b: a @ b, lambda g, y, a, b: (g @ ops.transpose(b), ops.transpose(a) @ g),
        (RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))),
    ),
    Base(
        "scale rows", lambda x, b: x * b, lambda g, y, x, b: (g * b, total(g * x, 0)),
        (RNG.normal(size=(3, 4)), RNG.normal(size=4)),
    ),
    Base("log", np.log, lambda g, y, x: (g / x,), (RNG.uniform(0.5, 3, size=7),)),
)  # fmt: skip


def constant(array: Any) -> Any:
    return ops.stop_gradient(ag.tensor(array))


def nudged(size: int, place: int, by: float = 1e-4) -> Any:
    factors = np.ones(size)
    factors[place] += by
    return factors


def element(place: int) -> Callable[[Any, Any], Any]:
    """One element too large by 1e-4 of itself."""

    def mistake(d: Any, x: Any) -> Any:
        return d * constant(nudged(x.size, place).reshape(x.shape))

    return mistake


def through_float32(d: Any, x: Any) -> Any:
    return ops.cast(ops.cast(d, "float32"), "float64")


def only_where(side: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda d, x: d * constant(np.where(side(x.numpy()), 1.1, 1.0))


def second_order(d: Any, x: Any) -> Any:
    """The right value, its derivative spoilt."""
    extra = ops.sin(d)
    return d + extra - ops.stop_gradient(extra)


MISTAKES: dict[str, tuple[Callable[[Any, Any], Any], str, int]] = {
    "sign": (lambda d, x: -d, "sign", 1),
    "factor 2": (lambda d, x: 2 * d, "factor", 1),
    "factor 1/2": (lambda d, x: 0.5 * d, "factor", 1),
    "factor 1.0001": (lambda d, x: 1.0001 * d, "factor", 1),
    "zero": (lambda d, x: 0 * d, "zero", 1),
    "disconnected": (lambda d, x: None, "zero", 1),
    "first element": (element(0), "element", 1),
    "last element": (element(-1), "element", 1),
    "offset": (lambda d, x: d + 1e-3, "", 1),
    "float32": (through_float32, "float32", 1),
    "negative": (only_where(lambda x: x < x.mean()), "", 1),
    "squared": (lambda d, x: d * d, "", 1),
    "second order": (second_order, "", 2),
    "not differentiable": (lambda d, x: ops.stop_gradient(d), "", 2),
}


def spoilt(base: Base, place: int, mistake: Callable[[Any, Any], Any]) -> Any:
    """The base op with a mistake in the gradient of one input."""

    def rule(g: Any, y: Any, *inputs: Any) -> tuple[Any, ...]:
        grads = list(base.rule(g, y, *inputs))
        grads[place] = mistake(grads[place], inputs[place])
        return tuple(grads)

    return ag.custom_op(base.forward, rule, name=base.name.replace(" ", "_"))


def mistakes() -> Iterator[Plant]:
    """Every mistake in every gradient of every base op."""
    for base in BASES:
        for place in range(len(base.inputs)):
            for name, (mistake, cause, order) in MISTAKES.items():
                f = spoilt(base, place, mistake)
                yield Plant(f"{base.name}, input {place}: {name}", f, base.inputs, cause, order)


def plant(name: str, forward: Any, rule: Rule, *inputs: Any, cause: str = "", order: int = 1) -> Plant:
    return Plant(name, ag.custom_op(forward, rule), inputs, cause, order)


def square(side: int) -> Any:
    return RNG.normal(size=(side, side))


def structural() -> Iterator[Plant]:
    """Transposed, swapped, summed over the wrong axis, not summed at all."""
    a, b, row = square(3), square(3), RNG.normal(size=3)
    wide = RNG.normal(size=(2, 3, 4))
    yield plant("transposed", lambda x: x**3, lambda g, y, x: (ops.transpose(g * 3 * x * x),), a, cause="transposed")
    yield plant(
        "column-major", lambda x: np.sin(x),
        lambda g, y, x: (ops.reshape(ops.transpose(g * ops.cos(x)), (2, 3)),), RNG.normal(size=(2, 3)),
        cause="transposed",
    )  # fmt: skip
    yield plant("swapped", lambda a, b: a * b, lambda g, y, a, b: (g * a, g * b), a, b, cause="swapped")
    yield plant(
        "matmul transposed", lambda a, b: a @ b,
        lambda g, y, a, b: (ops.transpose(g @ ops.transpose(b)), ops.transpose(a) @ g), a, b, cause="transposed",
    )  # fmt: skip
    yield plant("matmul, b not transposed", lambda a, b: a @ b, lambda g, y, a, b: (g @ b, ops.transpose(a) @ g), a, b)
    yield plant(
        "matmul, order", lambda a, b: a @ b, lambda g, y, a, b: (ops.transpose(b) @ g, ops.transpose(a) @ g), a, b
    )
    yield plant("wrong axis", lambda x, b: x * b, lambda g, y, x, b: (g * b, total(g * x, 1)), a, row)
    yield plant("missing sum", lambda x, b: x * b, lambda g, y, x, b: (g * b, (g * x)[0]), a, row, cause="broadcast")
    yield plant(
        "missing sum of a scalar", lambda x, b: x * b, lambda g, y, x, b: (g * b, (g * x)[0]), row, np.array(2.0),
        cause="broadcast",
    )  # fmt: skip
    yield plant(
        "mean for sum", lambda x, b: x + b, lambda g, y, x, b: (g, ops.sum(g, axis=0) / 3), a, row, cause="factor"
    )
    yield plant("sum for mean", lambda x: x.mean(), lambda g, y, x: (g + 0 * x,), wide, cause="factor")
    yield plant("reversed", lambda x: x[::-1] * 2, lambda g, y, x: (g * 2,), row)
    yield plant("rolled", lambda x: np.roll(x, 1), lambda g, y, x: (g,), row)
    yield plant("softmax without its sum", softmax, lambda g, y, x: (g * y,), row)
    yield plant("softmax, sum of all rows", softmax, lambda g, y, x: (y * (g - ops.sum(g * y)),), a)
    yield plant("chain rule dropped", lambda x: np.sin(x * x), lambda g, y, x: (g * ops.cos(x * x),), row)
    yield plant("term dropped", lambda x: x * np.exp(x), lambda g, y, x: (g * y,), row)
    yield plant("cotangent dropped", np.tanh, lambda g, y, x: (1 - y * y,), row)
    yield plant("y for x", np.exp, lambda g, y, x: (g * x,), row)
    yield plant("abs: 1 for sign", np.abs, lambda g, y, x: (g,), RNG.normal(size=9), cause="")
    yield plant("relu: mask of g", relu, lambda g, y, x: (g * ops.cast(g > 0, g.dtype),), RNG.normal(size=9))
    yield plant("relu: not masked", relu, lambda g, y, x: (g,), np.array([-2.0, -1.0, 1.0, 2.0]), cause="negative")


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def many_elements() -> Iterator[Plant]:
    """Mistakes in large inputs, which are checked along random directions."""
    for size in (65, 300, 3000):
        x = RNG.normal(size=size)
        for name, place in (("first", 0), ("middle", size // 2), ("last", size - 1)):
            yield plant(f"{name} of {size}", np.sin, _nudge(size, place), x, cause="element" if size <= 1024 else "")
        yield plant(f"sign, {size}", np.sin, lambda g, y, x: (-g * ops.cos(x),), x, cause="sign")
    wide = RNG.normal(size=(12, 12))
    yield plant("transposed, 144", np.sin, lambda g, y, x: (ops.transpose(g * ops.cos(x)),), wide, cause="transposed")
    yield plant("beyond 64", np.sin, lambda g, y, x: (g * ops.cos(x) * (1.01 if x.size > 64 else 1.0),), wide)
    yield plant(
        "zero beyond the first 64", np.sin,
        lambda g, y, x: (g * ops.cos(x) * constant(np.arange(100) < 64),), RNG.normal(size=100),
    )  # fmt: skip


def _nudge(size: int, place: int) -> Rule:
    return lambda g, y, x: (g * ops.cos(x) * constant(nudged(size, place)),)


def buffer(t: Any) -> Any:
    """The elements in the order in which they lie in memory, as a careless kernel reads them."""
    array = t.numpy()
    if array.flags.c_contiguous:
        return array
    if array.flags.f_contiguous:
        return array.ravel("K").reshape(array.shape)
    return array[tuple(slice(None, None, -1) for _ in array.shape)]


def circumstances() -> Iterator[Plant]:
    """Right in one circumstance, wrong in another."""
    x = RNG.normal(size=(3, 4))
    yield plant("layout, gradient", np.sin, lambda g, y, x: (g * constant(np.cos(buffer(x))),), x, cause="layout")
    yield plant("layout, cotangent", np.sin, lambda g, y, x: (ops.cos(x) * constant(buffer(g)),), x, cause="layout")
    yield plant("layout, Fortran only", np.sin, _fortran_only, x, cause="layout")
    yield plant("layout, strides only", np.sin, _strided_only, x, cause="layout")
    yield plant("layout, forward", _careless, lambda g, y, x: (g * ops.cos(x),), x, cause="layout")
    yield plant("stale: last call", *_remembering(first=False), x, cause="stale")
    yield plant("stale: first call", *_remembering(first=True), x, cause="stale")
    yield plant("stale: used up", np.sin, _used_up(), x, cause="stale")
    yield plant("random gradient", np.sin, _random, x, cause="not deterministic")
    yield Plant("random forward", lambda x: x * NOISE.normal(), (x,), "not deterministic")
    yield plant("writes into x", np.sin, _writing(lambda g, y, x: x), x, cause="mutation")
    yield plant("writes into y", np.sin, _writing(lambda g, y, x: y), x, cause="mutation")
    yield Plant("forward writes into x", _writing_forward, (x,), "mutation")
    yield Plant("numpy() inside", lambda x: ops.sin(x) * x.numpy(), (x,))
    yield Plant("detached", lambda x: ops.sin(x.detach()) + 0 * x, (x,), "zero")
    yield Plant("float32 inside", lambda x: ops.cast(ops.sin(ops.cast(x, "float32")), "float64"), (x,))
    yield plant("infinite", np.sin, lambda g, y, x: (g / (x * 0),), x, cause="not finite")


NOISE = np.random.default_rng(3)


def _random(g: Any, y: Any, x: Any) -> tuple[Any, ...]:
    return (g * ops.cos(x) * (1 + 1e-3 * NOISE.normal()),)


def _fortran_only(g: Any, y: Any, x: Any) -> tuple[Any, ...]:
    flags = x.numpy().flags
    return (g * ops.cos(x) * (1.0001 if flags.f_contiguous and not flags.c_contiguous else 1.0),)


def _strided_only(g: Any, y: Any, x: Any) -> tuple[Any, ...]:
    flags = x.numpy().flags
    return (g * ops.cos(x) * (1.0 if flags.f_contiguous or flags.c_contiguous else 0.5),)


def _careless(x: Any) -> Any:
    return np.sin(np.ravel(x, "K").reshape(x.shape))


def _remembering(first: bool) -> tuple[Any, Rule]:
    """An op that keeps its input outside of the graph."""
    saved: list[Any] = []

    def forward(x: Any) -> Any:
        if not (first and saved):
            saved[:] = [x.copy()]
        return np.sin(x)

    return forward, lambda g, y, x: (g * constant(np.cos(saved[0])),)


def _used_up() -> Rule:
    seen: list[int] = []

    def rule(g: Any, y: Any, x: Any) -> tuple[Any, ...]:
        seen.append(y.stamp)
        return (g * ops.cos(x) * seen.count(y.stamp),)

    return rule


def _writing(target: Callable[..., Any]) -> Rule:
    def rule(g: Any, y: Any, x: Any) -> tuple[Any, ...]:
        d = g * ops.cos(x)
        target(g, y, x).value[0] += 1.0
        return (d,)

    return rule


def _writing_forward(x: Any) -> Any:
    y = ops.sin(x)
    x.value[0] *= 0.5
    return y


def all_plants() -> list[Plant]:
    return [*mistakes(), *structural(), *many_elements(), *circumstances()]
