"""Loops and branches in Python: what the ops that trace their functions must give."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_nn.engine.tree import flatten, tree_map, unflatten


def stacked(rows: list[Any], like: Any) -> Any:
    """The nests of all steps with their leaves stacked; `like` is a step's nest for a loop without steps."""
    if not rows:
        return tree_map(lambda x: np.empty((0, *np.shape(x)), np.asarray(x).dtype), like)
    columns = zip(*(flatten(row)[0] for row in rows))
    return unflatten(flatten(rows[0])[1], [np.stack(column) for column in columns])


def scan(f: Callable[..., Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False) -> Any:
    count = len(flatten(xs)[0][0]) if length is None else length
    carry, rows = init, []
    for k in reversed(range(count)) if reverse else range(count):
        carry, row = f(carry, tree_map(lambda x, k=k: x[k], xs))
        rows.append(row)
    nothing = tree_map(lambda x: np.zeros(x.shape[1:], x.dtype), xs)
    return carry, stacked(rows[::-1] if reverse else rows, None if rows else f(init, nothing)[1])


def map_rows(f: Callable[..., Any], xs: Any) -> Any:
    return scan(lambda _, x: (None, f(x)), None, xs)[1]


def fori_loop(lower: int, upper: int, body: Callable[..., Any], state: Any) -> Any:
    for k in range(lower, upper):
        state = body(k, state)
    return state


def while_loop(test: Callable[..., Any], body: Callable[..., Any], state: Any, maximum_iterations: Any = None) -> Any:
    arguments = state if isinstance(state, tuple) else (state,)
    steps = 0
    while steps != maximum_iterations and test(*arguments):
        state = body(*arguments)
        arguments = state if isinstance(state, tuple) else (state,)
        steps += 1
    return state


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], *operands: Any) -> Any:
    return true_fn(*operands) if pred else false_fn(*operands)


def switch(index: Any, branches: Any, *operands: Any) -> Any:
    return branches[int(np.clip(index, 0, len(branches) - 1))](*operands)


def associative_scan(f: Callable[..., Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    count = flatten(elems)[0][0].shape[axis]
    rows = [tree_map(lambda x, k=k: np.take(x, [k], axis), elems) for k in range(count)]
    totals: list[Any] = []
    for row in reversed(rows) if reverse else rows:
        totals.append(f(totals[-1], row) if totals else row)
    columns = zip(*(flatten(total)[0] for total in (totals[::-1] if reverse else totals)))
    return unflatten(flatten(elems)[1], [np.concatenate(column, axis) for column in columns]) if totals else elems


LOOPS = {
    "associative_scan": associative_scan, "cond": cond, "fori_loop": fori_loop, "map": map_rows, "scan": scan,
    "switch": switch, "vectorized_map": map_rows, "while_loop": while_loop,
}  # fmt: skip
