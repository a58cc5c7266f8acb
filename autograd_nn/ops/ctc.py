"""Connectionist temporal classification: a loss for labels whose places in time are not known, and its decoding."""

from typing import Any

import numpy as np

from ..engine.convert import as_tensor
from ..engine.op import Bad, Domain, Sample
from ..engine.spec import promote, show_shape
from ..engine.tensor import Tensor, record
from ..errors import ArgumentTypeError, DTypeError, InvalidArgument, ShapeError, did_you_mean, short
from .creation import arange, shape
from .ctc_beam import BEAM
from .ctc_paths import CTC
from .domain import Rng, cases, distinct
from .elementwise import cast, equal, greater_equal, where
from .family import composite, differ
from .indexing import take_along_axis
from .nn import floating, log_softmax
from .reduction import sum
from .searching import whole
from .shape import expand_dims
from .sorting import argsort
from .statistics import argmax, max

STRATEGIES = ("greedy", "beam_search")


def _ints(*values: int) -> Any:
    return np.array(values, "int64")


def _loss_domain() -> Domain:
    def samples(rng: Rng) -> list[Sample]:
        def case(target: Any, frames: int, classes: int, lengths: Any, heard: Any, **kwargs: Any) -> Sample:
            target = np.array(target, "int64")
            logits = rng.normal(size=(len(target), frames, classes))
            return Sample((target, logits, _ints(*lengths), _ints(*heard)), kwargs)

        return [
            case([[1, 2], [2, 2]], 4, 3, [2, 2], [4, 4]), case([[1, 2], [2, 0], [0, 0]], 4, 3, [2, 1, 0], [4, 3, 2]),
            case([[0, 1, 0]], 5, 3, [3], [4], mask_index=2), case([[1]], 1, 2, [1], [1]),
            case([[1, 1], [2, 1]], 2, 3, [2, 2], [2, 2]), case(np.zeros((1, 0)), 2, 3, [0], [2]),
            case(np.zeros((0, 2)), 3, 3, [], []), case([[1], [1]], 2, 2, [1, 0], [0, 0]),
        ]  # fmt: skip

    logits, target = np.ones((2, 4, 3)), np.ones((2, 2), "int64")
    two, four = _ints(2, 1), _ints(4, 4)
    return cases(
        samples,
        lambda: [
            Bad((target, logits[0], two, four), {}, ValueError), Bad((target[0], logits, two, four), {}, ValueError),
            Bad((target[:1], logits, two, four), {}, ValueError), Bad((target, logits, two[:1], four), {}, ValueError),
            Bad((target, logits, two, _ints(5, 4)), {}, ValueError),
            Bad((target, logits, _ints(3, 1), four), {}, ValueError),
            Bad((target * 3, logits, two, four), {}, ValueError), Bad((target * 0, logits, two, four), {}, ValueError),
            Bad((target, logits, two, four), {"mask_index": 3}, ValueError),
            Bad((target, logits, two, four), {"mask_index": 0.0}, TypeError),
            Bad((target * 1.0, logits, two, four), {}, TypeError),
            Bad((target, logits, two, four * 1.0), {}, TypeError),
        ],
    )  # fmt: skip


@composite(reference=None, domain=_loss_domain())
def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Tensor:
    """The negative log probability that a sequence of frames says a target, summed over all alignments of the two.

    target:        labels, ints (batch, labels); what stands after `target_length` is not read
    output:        logits (batch, frames, classes), not normalised by a softmax
    target_length: how many labels each target has, ints (batch,)
    output_length: how many frames each sequence has, ints (batch,)
    mask_index:    the class that says nothing, and which no target contains

    Returns (batch,), at least float32. A target that its frames cannot say, since they are too few for its labels and
    for a blank between equal ones, gives inf with gradient 0.
    Raises ShapeError or DTypeError for arguments of another form; InvalidArgument for lengths out of range and for
    labels that are no class, or the mask.
    Graves et al. 2006, "Connectionist Temporal Classification".

    >>> import autograd_nn as ag
    >>> round(float(ag.ops.ctc_loss([[1, 2]], ag.ops.zeros((1, 3, 3)), [2], [3])[0]), 4)
    1.6864
    """
    logits = _logits("ctc_loss", "output", output)
    labels = _whole_numbers("ctc_loss", "target", target)
    if labels.ndim != 2:
        raise ShapeError(f"ctc_loss: target must be (batch, labels), got {show_shape(labels.spec.shape)}")
    lengths = [
        _lengths("ctc_loss", name, value, logits)
        for name, value in (("target_length", target_length), ("output_length", output_length))
    ]
    _same_batch("ctc_loss", "target", labels, logits)
    params = {"mask_index": _mask("ctc_loss", mask_index, logits)}
    loss, _ = record(CTC, (log_softmax(logits, -1), cast(labels, "int64"), *lengths), params)
    return loss


def _decode_domain() -> Domain:
    apart = distinct(-3, 3)

    def samples(rng: Rng) -> list[Sample]:
        def case(frames: int, classes: int, lengths: Any, **kwargs: Any) -> Sample:
            x = apart.draw(rng, (len(lengths), frames, classes))
            return Sample((x, _ints(*lengths)), kwargs, kwargs.get("strategy") != "beam_search")

        beam = {"strategy": "beam_search"}
        return [
            case(5, 3, [5, 3, 1]), case(6, 2, [6, 4], merge_repeated=False), case(4, 4, [4, 4], mask_index=3),
            case(3, 3, [0]), case(4, 3, [], mask_index=None), case(4, 3, [4, 2], **beam),
            case(5, 2, [5], **beam, beam_width=3, top_paths=2), case(3, 3, [3, 3], **beam, top_paths=9, mask_index=1),
            case(2, 2, [0], **beam),
        ]  # fmt: skip

    x, lengths = np.ones((2, 4, 3)), _ints(4, 2)
    beam = {"strategy": "beam_search"}
    return cases(
        samples,
        lambda: [
            Bad((x[0], lengths), {}, ValueError), Bad((x, lengths[:1]), {}, ValueError),
            Bad((x, lengths), {"strategy": "beam"}, ValueError), Bad((x, lengths), {"strategy": 1}, TypeError),
            Bad((x, lengths), {**beam, "beam_width": 0}, ValueError),
            Bad((x, lengths), {**beam, "beam_width": 2, "top_paths": 3}, ValueError),
            Bad((x, lengths), {**beam, "top_paths": 0}, ValueError),
            Bad((x, lengths), {"mask_index": 3}, ValueError), Bad((x, lengths * 2), {}, ValueError),
            Bad((x, lengths), {"beam_width": 2.5}, TypeError), Bad((x, lengths * 1.0), {}, TypeError),
        ],
    )  # fmt: skip


@composite(reference=None, domain=_decode_domain())
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[Tensor, Tensor]:
    """The labels that the output of a CTC model says, and their scores.

    inputs:           logits (batch, frames, classes), not normalised by a softmax
    sequence_lengths: how many frames each sequence has, ints (batch,)
    strategy:         "greedy": the best class of each frame; "beam_search": the labels whose alignments are the most
                      probable together, as far as a beam of `beam_width` beginnings finds them
    top_paths:        how many results a beam search gives
    merge_repeated:   whether "greedy" says a label once where neighbouring frames repeat it; a beam search always does
    mask_index:       the class that says nothing; the last one if None

    Returns labels, int32 (paths, batch, frames), -1 after the last one, and scores. Greedy: one path, and the negative
    sum of its logits, (batch, 1). Beam search: log probabilities, (batch, top_paths), best first; where there are fewer
    results, -inf and no labels.
    Raises ShapeError, DTypeError, InvalidArgument for arguments of another form or out of range.
    Graves 2012, "Supervised Sequence Labelling with Recurrent Neural Networks", section 7.5.

    >>> import autograd_nn as ag
    >>> logits = ag.ops.one_hot([[1, 1, 0, 1, 2]], 3)
    >>> labels, scores = ag.ops.ctc_decode(logits, [5])
    >>> labels[0].tolist(), scores.tolist()
    ([[1, 1, 2, -1, -1]], [[-5.0]])
    """
    logits = _logits("ctc_decode", "inputs", inputs)
    lengths = _lengths("ctc_decode", "sequence_lengths", sequence_lengths, logits)
    _check_frames(lengths, logits)
    if not isinstance(strategy, str):
        raise ArgumentTypeError(f"ctc_decode: strategy must be one of {', '.join(STRATEGIES)}, got {short(strategy)}")
    if strategy not in STRATEGIES:
        hint = did_you_mean(strategy, STRATEGIES) or f"; expected one of {', '.join(STRATEGIES)}"
        raise InvalidArgument(f"ctc_decode: unknown strategy {short(strategy)}{hint}")
    beam_width = whole(beam_width, "ctc_decode: beam_width", 1)
    top_paths = whole(top_paths, "ctc_decode: top_paths", 1)
    if top_paths > beam_width:
        raise InvalidArgument(f"ctc_decode: top_paths must be at most beam_width, got {top_paths} and {beam_width}")
    mask = _mask("ctc_decode", mask_index, logits)
    if strategy == "greedy":
        return _greedy(logits, lengths, bool(merge_repeated), mask)
    params = {"beam_width": beam_width, "top_paths": top_paths, "mask_index": mask}
    labels, scores = record(BEAM, (log_softmax(logits, -1), lengths), params)
    return labels, scores


def _greedy(logits: Tensor, lengths: Tensor, merge_repeated: bool, mask: int) -> tuple[Tensor, Tensor]:
    frames = arange(shape(logits)[1])
    outside = greater_equal(frames, expand_dims(lengths, 1))
    best = where(outside, mask, cast(argmax(logits, -1), "int32"))
    silent = equal(best, mask)
    if merge_repeated:
        silent = silent | (equal(best, take_along_axis(best, _before(frames), 1)) & (frames > 0))
    order = argsort(where(silent, shape(logits)[1], frames), -1)
    labels = take_along_axis(where(silent, -1, best), order, 1)
    return expand_dims(labels, 0), -sum(where(outside, 0, max(logits, -1)), 1, keepdims=True)


def _before(frames: Tensor) -> Tensor:
    """The index of the frame before each, 0 for the first."""
    return expand_dims(where(frames > 0, frames - 1, 0), 0)


# --- arguments


def _logits(what: str, name: str, value: Any) -> Tensor:
    """Logits in the dtype of the result, at least float32."""
    x = floating(value)
    if x.ndim != 3:
        raise ShapeError(f"{what}: {name} must be logits (batch, frames, classes), got {show_shape(x.spec.shape)}")
    return cast(x, promote(x.dtype, np.dtype("float32")))


def _whole_numbers(what: str, name: str, value: Any) -> Tensor:
    x = as_tensor(value)
    if x.dtype.kind not in "iu" and x.spec.shape != (0,):
        raise DTypeError(f"{what}: {name} must be ints, got {x.dtype}; convert with ops.cast(x, 'int32')")
    return x


def _lengths(what: str, name: str, value: Any, logits: Tensor) -> Tensor:
    """One int64 per sequence."""
    x = _whole_numbers(what, name, value)
    if x.ndim != 1:
        raise ShapeError(f"{what}: {name} must be one length per sequence, (batch,), got {show_shape(x.spec.shape)}")
    _same_batch(what, name, x, logits)
    return cast(x, "int64")


def _same_batch(what: str, name: str, x: Tensor, logits: Tensor) -> None:
    if differ(x.spec.shape[:1], logits.spec.shape[:1]):
        raise ShapeError(
            f"{what}: {name} of shape {show_shape(x.spec.shape)} and logits {show_shape(logits.spec.shape)} must have "
            "the same first size, the batch"
        )


def _mask(what: str, mask_index: Any, logits: Tensor) -> int:
    classes = logits.spec.shape[2]
    if mask_index is None and what == "ctc_decode" and isinstance(classes, int):
        return classes - 1
    mask = whole(mask_index, f"{what}: mask_index", 0)
    if isinstance(classes, int) and mask >= classes:
        raise InvalidArgument(f"{what}: mask_index must be one of the {classes} classes 0..{classes - 1}, got {mask}")
    return mask


def _check_frames(lengths: Tensor, logits: Tensor) -> None:
    """InvalidArgument for lengths out of range, as far as they are known."""
    frames = logits.spec.shape[1]
    if lengths.value is None or not isinstance(frames, int):
        return
    wrong = (lengths.value < 0) | (lengths.value > frames)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidArgument(
            f"ctc_decode: sequence_lengths[{row}] is {lengths.value[row]}, but inputs has {frames} frames; expected "
            f"0..{frames}"
        )
