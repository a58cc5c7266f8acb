"""All alignments of labels with frames at once: their total probability, and how often each label is said when.

The labels with a blank before, between and after them are the states of a chain. A path stays in a state, goes to the
next one, or skips a blank between different labels. Forward and backward over the frames, in log space and float64:
Graves et al. 2006, "Connectionist Temporal Classification", equations 5 to 16.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.op import Op
from ..engine.spec import Spec
from ..engine.tensor import Tensor
from ..errors import InvalidArgument
from .arrange import pad, repeat
from .creation import arange, shape
from .elementwise import equal, exp, isfinite, less, not_equal, where
from .indexing import take_along_axis
from .join import stack
from .linalg import matmul
from .nn import one_hot, softmax
from .reduction import logsumexp, sum
from .scanning import scan
from .shape import expand_dims, transpose

Array = np.ndarray
_LOW = -np.inf

# What a compiled step may find wrong, in the order in which it is looked for.
TARGET_LENGTH, OUTPUT_LENGTH, LABEL, BLANK = 1, 2, 3, 4


def fault(kind: int, row: int, value: int, sizes: tuple[int, int, int]) -> Exception:
    """The error for lengths or labels that cannot be meant; `sizes` are those of target, frames and classes."""
    labels, frames, classes = sizes
    if kind == TARGET_LENGTH:
        text = f"target_length[{row}] is {value}, but target has {labels} columns; expected 0..{labels}"
    elif kind == OUTPUT_LENGTH:
        text = f"output_length[{row}] is {value}, but output has {frames} frames; expected 0..{frames}"
    elif kind == LABEL:
        text = f"label {value} in row {row} of target is outside 0..{classes - 1}, output has {classes} classes"
    else:
        text = (
            f"label {value} in row {row} of target is the mask index, which no target may contain; labels must come "
            "first and the padding after them, utils.pad_sequences(..., padding='post')"
        )
    return InvalidArgument(f"ctc_loss: {text}")


def check(target: Array, target_length: Array, output_length: Array, frames: int, classes: int, mask: int) -> None:
    """InvalidArgument for the first row whose lengths or labels cannot be meant."""
    labels = target.shape[1]
    used = np.arange(labels) < target_length[:, None]
    kinds = (
        ((target_length < 0) | (target_length > labels), target_length, TARGET_LENGTH),
        ((output_length < 0) | (output_length > frames), output_length, OUTPUT_LENGTH),
        (used & ((target < 0) | (target >= classes)), target, LABEL),
        (used & (target == mask), target, BLANK),
    )
    for wrong, values, kind in kinds:
        if wrong.any():
            place = tuple(np.argwhere(wrong)[0])
            raise fault(kind, int(place[0]), int(values[place]), (labels, frames, classes))


# --- forward, on arrays


def _states(target: Array, target_length: Array, mask: int) -> Array:
    """The label of every state, (batch, 2 * labels + 1)."""
    used = np.arange(target.shape[1]) < target_length[:, None]
    states = np.full((len(target), 2 * target.shape[1] + 1), mask, np.int64)
    states[:, 1::2] = np.where(used, target, mask)
    return states


def _later(x: Array, by: int) -> Array:
    """x with its columns moved up by some places."""
    return np.concatenate([np.full((len(x), by), _LOW), x], axis=1)[:, : x.shape[1]]


def _earlier(x: Array, by: int) -> Array:
    """x with its columns moved down by some places."""
    return np.concatenate([x, np.full((len(x), by), _LOW)], axis=1)[:, by:]


def _add(*terms: Array) -> Array:
    """log(sum(exp)) of arrays; -inf where all are."""
    top = np.max(terms, axis=0)
    base = np.where(top > _LOW, top, 0)
    total = np.exp(terms[0] - base)
    for term in terms[1:]:
        total = total + np.exp(term - base)
    return base + np.log(total)


def _evaluate(
    log_probs: Array, target: Array, target_length: Array, output_length: Array, mask_index: int
) -> tuple[Array, Array]:
    batch, frames, classes = log_probs.shape
    check(target, target_length, output_length, frames, classes, mask_index)
    states = _states(target, target_length, mask_index)
    heard = np.take_along_axis(log_probs.astype(np.float64), states[:, None], axis=2)
    # A path may skip the blank before a label that differs from the one before it.
    skips = np.zeros(states.shape, bool)
    skips[:, 2:] = states[:, 2:] != states[:, :-2]
    place = np.arange(states.shape[1])
    ends = (place == 2 * target_length[:, None]) | (place == 2 * target_length[:, None] - 1)
    with np.errstate(all="ignore"):
        before = _forward(heard, skips, output_length)
        last = np.where(ends, before[-1], _LOW)
        top = last.max(axis=1, initial=_LOW)
        base = np.where(top > _LOW, top, 0)
        loss = -(base + np.log(np.exp(last - base[:, None]).sum(axis=1)))
        often = _backward(heard, skips, output_length, ends, before[1:], loss)
    said = np.zeros((batch, frames, classes))
    rows, times = np.arange(batch)[:, None, None], np.arange(frames)[:, None]
    np.add.at(said, (rows, times, states[:, None]), often)
    return loss.astype(log_probs.dtype), said.astype(log_probs.dtype)


def _forward(heard: Array, skips: Array, output_length: Array) -> Array:
    """Log probabilities of being in each state before the first frame, and after each; those of the last one stay."""
    batch, frames, states = heard.shape
    found = np.full((frames + 1, batch, states), _LOW)
    found[0, :, 0] = 0
    for t in range(frames):
        now = found[t]
        moved = _add(now, _later(now, 1), np.where(skips, _later(now, 2), _LOW)) + heard[:, t]
        found[t + 1] = np.where(t < output_length[:, None], moved, now)
    return found


def _backward(
    heard: Array, skips: Array, output_length: Array, ends: Array, reached: Array, loss: Array
) -> Array:  # fmt: skip
    """How probable each state is in each frame: 0 after the last frame, and where no path exists."""
    found = np.zeros(heard.shape)
    rest = np.where(ends, 0, _LOW)
    for t in reversed(range(heard.shape[1])):
        here = (t < output_length) & (loss != np.inf)
        found[:, t] = np.where(here[:, None], np.exp(reached[t] + rest + loss[:, None]), 0)
        ahead = rest + heard[:, t]
        moved = _add(ahead, _earlier(ahead, 1), _earlier(np.where(skips, ahead, _LOW), 2))
        rest = np.where(t < output_length[:, None], moved, rest)
    return found


def _infer(
    log_probs: Spec, target: Spec, target_length: Spec, output_length: Spec, mask_index: int
) -> tuple[Spec, Spec]:
    return Spec(log_probs.shape[:1], log_probs.dtype), log_probs


# --- the gradient


def _vjp(
    g: Sequence[Tensor | None], y: Sequence[Tensor], log_probs: Tensor, target: Tensor, target_length: Tensor,
    output_length: Tensor, mask_index: int,
) -> tuple[Tensor | None, None, None, None]:  # fmt: skip
    """The loss falls with the log probability of a label as often as the label is said."""
    loss, said = g
    found = None if loss is None else -expand_dims(loss, (1, 2)) * y[1]
    if said is not None:
        more = _correlated(said, log_probs, target, target_length, output_length, mask_index)
        found = more if found is None else found + more
    return found, None, None, None


CTC = Op("ctc", eval=_evaluate, infer=_infer, vjp=_vjp, emit="ctc", family="ctc", many=True, gaps=True)


def _correlated(
    u: Tensor, log_probs: Tensor, target: Tensor, target_length: Tensor, output_length: Tensor, mask: int
) -> Tensor:
    """The second derivative of the loss times -u: how what is said goes together with the sum of u along a path.

    It is the covariance, over all paths, of that sum with each label's being said. Both recursions carry, beside the
    log probability of a state, the mean sum of u over the paths up to it, and from it on. All in ops, so that it can
    be differentiated again.
    """
    states, skips, ends = _chain(target, target_length, mask)
    heard, gains = (transpose(take_along_axis(x, expand_dims(states, 1), 2), (1, 0, 2)) for x in (log_probs, u))
    frames = arange(shape(log_probs)[1])
    on = expand_dims(less(expand_dims(frames, 1), expand_dims(output_length, 0)), 2)
    nothing = heard[:0].sum(axis=0)
    start = where(equal(arange(shape(states)[1]), 0), nothing, _LOW)

    def forward(carry: tuple[Tensor, Tensor], x: tuple[Tensor, Tensor, Tensor]) -> Any:
        (a, mean), (log_prob, gain, within) = carry, x
        ways = stack([a, _up(a, 1, _LOW), where(skips, _up(a, 2, _LOW), _LOW)], -1)
        came = sum(softmax(ways, -1) * stack([mean, _up(mean, 1), _up(mean, 2)], -1), -1)
        found = where(within, logsumexp(ways, -1) + log_prob, a), where(within, gain + came, mean)
        return found, found

    def backward(carry: tuple[Tensor, Tensor], x: tuple[Tensor, Tensor, Tensor]) -> Any:
        (b, mean), (log_prob, gain, within) = carry, x
        ahead, later = b + log_prob, mean + gain
        ways = stack([ahead, _down(ahead, 1, _LOW), _down(where(skips, ahead, _LOW), 2, _LOW)], -1)
        goes = sum(softmax(ways, -1) * stack([later, _down(later, 1), _down(later, 2)], -1), -1)
        return (where(within, logsumexp(ways, -1), b), where(within, goes, mean)), carry

    steps = heard, gains, on
    (last, total), (reached, before) = scan(forward, (start, nothing), steps)
    _, (rest, after) = scan(backward, (where(ends, nothing, _LOW), nothing), steps, reverse=True)
    last = where(ends, last, _LOW)
    whole = logsumexp(last, -1, keepdims=True)
    mean = sum(softmax(last, -1) * total, -1, keepdims=True)
    # A target for which no path exists is no part of the result.
    there = isfinite(whole)
    log_often = reached + rest - where(there, whole, 0)
    often = exp(where(on & there, log_often, _LOW))
    found = often * (before + after - mean)
    classes: Any = log_probs.spec.shape[2]
    return matmul(transpose(found, (1, 0, 2)), one_hot(states, classes, dtype=log_probs.dtype))


def _chain(target: Tensor, target_length: Tensor, mask: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of every state, (batch, 2 * labels + 1): its label, whether the blank before it may be skipped, and whether paths
    may end there."""
    labels = arange(shape(target)[1])
    used = where(less(labels, expand_dims(target_length, 1)), target, mask)
    twice = repeat(pad(used, ((0, 0), (0, 1)), constant_values=mask), 2, axis=1)[:, :-1]
    place = arange(shape(twice)[1])
    states = where(equal(place % 2, 1), twice, mask)
    skips = not_equal(states, _up(states, 2, mask))
    last = expand_dims(2 * target_length, 1)
    return states, skips, equal(place, last) | equal(place, last - 1)


def _up(x: Tensor, by: int, fill: float = 0) -> Tensor:
    """x with its columns moved up by some places."""
    return pad(x, ((0, 0), (by, 0)), constant_values=fill)[:, :-by]


def _down(x: Tensor, by: int, fill: float = 0) -> Tensor:
    """x with its columns moved down by some places."""
    return pad(x, ((0, 0), (0, by)), constant_values=fill)[:, by:]
