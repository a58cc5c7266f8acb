"""Beam search for the most probable labels of a CTC output.

Every beginning of labels in the beam has two log probabilities: that it ends with a label in this frame, and that it
ends with a blank. They are nodes of a tree, so that the same beginning, reached in two ways, is one.
Graves 2012, "Supervised Sequence Labelling with Recurrent Neural Networks", section 7.5.
"""

import numpy as np

from ..engine.op import Op
from ..engine.spec import Spec

Array = np.ndarray
_LOW = -np.inf


class _Tree:
    """All beginnings that were ever in the beam: a parent and a label for each; node 0 has no labels."""

    def __init__(self) -> None:
        self.parents, self.labels = [-1], [-1]
        self._places: dict[tuple[int, int], int] = {}

    def node(self, parent: int, label: int) -> int:
        """The beginning that has one label more."""
        found = self._places.setdefault((parent, label), len(self.parents))
        if found == len(self.parents):
            self.parents.append(parent)
            self.labels.append(label)
        return found

    def path(self, node: int) -> list[int]:
        """The labels of a beginning."""
        found: list[int] = []
        while node:
            found.append(self.labels[node])
            node = self.parents[node]
        return found[::-1]


def _search(log_probs: Array, beam_width: int, top_paths: int, mask: int) -> list[tuple[list[int], float]]:
    """The best labels for frames (frames, classes), and their log probabilities."""
    tree = _Tree()
    nodes, said, silent = np.zeros(1, np.int64), np.full(1, _LOW), np.zeros(1)
    for frame in log_probs:
        total = np.logaddexp(said, silent)
        labels = np.array([tree.labels[n] for n in nodes])
        longer = total[:, None] + frame
        longer[:, mask] = _LOW
        some = np.flatnonzero(labels >= 0)
        # A label is said twice only with a blank between.
        longer[some, labels[some]] = silent[some] + frame[labels[some]]
        stays = said.copy()
        stays[some] += frame[labels[some]]
        parents = np.array([tree.parents[n] for n in nodes])
        child, parent = np.nonzero((parents[:, None] == nodes) & (labels[:, None] >= 0))
        stays[child] = np.logaddexp(stays[child], longer[parent, labels[child]])
        longer[parent, labels[child]] = _LOW
        blank = total + frame[mask]
        scores = np.concatenate([np.logaddexp(stays, blank), longer.ravel()])
        kept = np.argsort(-scores, kind="stable")[:beam_width]
        kept = kept[scores[kept] > _LOW]
        old, new = kept[kept < len(nodes)], kept[kept >= len(nodes)] - len(nodes)
        rows, added = np.divmod(new, len(frame))
        grown = [tree.node(int(nodes[r]), int(c)) for r, c in zip(rows, added)]
        nodes = np.concatenate([nodes[old], np.array(grown, np.int64)])
        said, silent = (
            np.concatenate([stays[old], longer[rows, added]]),
            np.concatenate([blank[old], np.full(len(new), _LOW)]),
        )
    scores = np.logaddexp(said, silent)
    best = np.argsort(-scores, kind="stable")[:top_paths]
    return [(tree.path(int(nodes[k])), float(scores[k])) for k in best]


def _evaluate(
    log_probs: Array, lengths: Array, beam_width: int, top_paths: int, mask_index: int
) -> tuple[Array, Array]:
    batch, frames, _ = log_probs.shape
    labels = np.full((top_paths, batch, frames), -1, np.int32)
    scores = np.full((batch, top_paths), _LOW)
    with np.errstate(all="ignore"):
        for row in range(batch):
            heard = log_probs[row, : lengths[row]].astype(np.float64)
            for k, (path, score) in enumerate(_search(heard, beam_width, top_paths, mask_index)):
                labels[k, row, : len(path)] = path
                scores[row, k] = score
    return labels, scores.astype(log_probs.dtype)


def _infer(log_probs: Spec, lengths: Spec, beam_width: int, top_paths: int, mask_index: int) -> tuple[Spec, Spec]:
    batch, frames, _ = log_probs.shape
    return Spec((top_paths, batch, frames), np.dtype("int32")), Spec((batch, top_paths), log_probs.dtype)


BEAM = Op("ctc_beam_search", eval=_evaluate, infer=_infer, emit="ctc_beam_search", many=True, order=0)
