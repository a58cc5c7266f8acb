"""CTC by its definition: every way to say something in the frames is written out."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

Array = Any


def said(path: tuple[int, ...], mask: int) -> tuple[int, ...]:
    """What a path says: repeated classes once, then without the mask."""
    return tuple(k for k, _ in itertools.groupby(path) if k != mask)


def paths(log_probs: Array) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every path through frames (frames, classes), and its log probability."""
    frames, classes = log_probs.shape
    for path in itertools.product(range(classes), repeat=frames):
        yield path, float(sum(log_probs[t, k] for t, k in enumerate(path)))


def normalized(logits: Array) -> Array:
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def every_text(log_probs: Array, mask: int) -> dict[tuple[int, ...], float]:
    """The log probability of everything that may be said."""
    found: dict[tuple[int, ...], float] = {}
    for path, score in paths(log_probs):
        text = said(path, mask)
        found[text] = np.logaddexp(found.get(text, -np.inf), score)
    return found


def ctc_loss(target: Array, output: Array, target_length: Array, output_length: Array, mask_index: int = 0) -> Array:
    found = []
    for labels, frames, n, m in zip(target, normalized(output), target_length, output_length):
        found.append(-every_text(frames[:m], mask_index).get(tuple(labels[:n].tolist()), -np.inf))
    return np.array(found, output.dtype)


def ctc_decode(
    inputs: Array, sequence_lengths: Array, strategy: str = "greedy", beam_width: int = 100, top_paths: int = 1,
    merge_repeated: bool = True, mask_index: int | None = 0,
) -> tuple[Array, Array]:  # fmt: skip
    mask = inputs.shape[2] - 1 if mask_index is None else mask_index
    if strategy == "greedy":
        return _greedy(inputs, sequence_lengths, merge_repeated, mask)
    labels = np.full((top_paths, *inputs.shape[:2]), -1, np.int32)
    scores = np.full((len(inputs), top_paths), -np.inf, inputs.dtype)
    for row, m in enumerate(sequence_lengths):
        texts = every_text(normalized(inputs[row])[:m], mask)
        for k, (text, score) in enumerate(sorted(texts.items(), key=lambda item: -item[1])[:top_paths]):
            labels[k, row, : len(text)] = text
            scores[row, k] = score
    return labels, scores


def _greedy(inputs: Array, lengths: Array, merge_repeated: bool, mask: int) -> tuple[Array, Array]:
    labels = np.full((1, *inputs.shape[:2]), -1, np.int32)
    scores = np.zeros((len(inputs), 1), inputs.dtype)
    for row, m in enumerate(lengths):
        path = tuple(inputs[row, :m].argmax(axis=1).tolist())
        text = said(path, mask) if merge_repeated else tuple(k for k in path if k != mask)
        labels[0, row, : len(text)] = text
        scores[row] = -inputs[row, :m].max(axis=1).sum()
    return labels, scores


CTC_REFERENCES = {"ctc_decode": ctc_decode, "ctc_loss": ctc_loss}
