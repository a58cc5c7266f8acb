"""Masks of tensors: which time steps count. They travel beside the tensors and die with them."""

import weakref
from functools import partial
from typing import Any

from ..engine.tensor import Tensor
from ..engine.tree import flatten, tree_map

_MASKS: dict[int, tuple[weakref.ref[Tensor], Tensor]] = {}


def get_mask(tensor: Any) -> Tensor | None:
    """The mask of a tensor: booleans, False for steps to skip; None if it has none.

    >>> import autograd_nn as ag
    >>> get_mask(ag.tensor([1.0])) is None
    True
    """
    held = _MASKS.get(id(tensor))
    return held[1] if held is not None and held[0]() is tensor else None


def set_mask(tensor: Tensor, mask: Tensor | None) -> None:
    """Give `tensor` a mask, or take it away with None."""
    # Keyed by identity, since == of tensors works element by element.
    key = id(tensor)
    if mask is None:
        _MASKS.pop(key, None)
        return
    # Bound to what it needs: when the interpreter ends, tensors may outlive the names of this module.
    _MASKS[key] = (weakref.ref(tensor, partial(_forget, _MASKS, key)), mask)


def _forget(masks: dict[int, tuple[weakref.ref[Tensor], Tensor]], key: int, dead: weakref.ref[Tensor]) -> None:
    if key in masks and masks[key][0] is dead:
        del masks[key]


def masks_of(nest: Any) -> Any:
    """The nest with its tensors replaced by their masks."""
    return tree_map(get_mask, nest)


def set_masks(nest: Any, mask: Any) -> None:
    """Give the tensors of a nest the masks of a nest like it, or all the same one; None leaves a tensor alone."""
    if isinstance(nest, Tensor):
        if mask is not None:
            set_mask(nest, mask)
        return
    keys = list(nest) if isinstance(nest, dict) else range(len(nest))
    for key in keys:
        set_masks(nest[key], mask if isinstance(mask, Tensor) or mask is None else mask[key])


def any_mask(nest: Any) -> bool:
    """Whether a nest of masks holds one at all."""
    return bool(flatten(nest)[0])


def all_masked(nest: Any) -> bool:
    """Whether every tensor of a nest has a mask already, as those that a layer inside gave them."""
    return all(get_mask(t) is not None for t in flatten(nest)[0])
