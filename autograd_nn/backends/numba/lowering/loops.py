"""Elementwise loops: the geometry of their operands, and the source of the kernel for it."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ..machine.kernel import Kernel, build
from ..machine.memory import View
from .expression import Body, uses

# The most and the fewest elements that one tile works on: worth a turn, and small enough to stay in the first cache.
TILE, LEAST = 4096, 512
# The lines of a body for whose work a tile of the most elements is right, and how many lines a called function counts.
_LINES, _CALL = 12, 10
Steps = list[int]


class Collapsed(NamedTuple):
    """The axes of a loop after joining those that lie one after the other for every array: sizes, steps per array."""

    sizes: list[int]
    steps: list[Steps]


def collapse(shape: Sequence[int], arrays: Sequence[Sequence[int]]) -> Collapsed:
    """Drop axes of size 1 and join neighbours; `arrays` hold the steps of each array in elements."""
    axes = [k for k, n in enumerate(shape) if n != 1]
    sizes: list[int] = []
    steps: list[Steps] = [[] for _ in arrays]
    for k in axes:
        joins = sizes and all(s[-1] == array[k] * shape[k] for s, array in zip(steps, arrays))
        if joins:
            sizes[-1] *= shape[k]
        else:
            sizes.append(shape[k])
        for s, array in zip(steps, arrays):
            s[-1:] = [array[k]] if joins else [*s[-1:], array[k]]
    return Collapsed(sizes, steps)


def offsets(target: str, row: str, count: int, size_at: int, steps_at: int) -> list[str]:
    """Lines that set `target` to the offset of `row`, an index over `count` outer axes.

    The sizes of the axes stand in `g` from `size_at`, the array's steps from `steps_at`.
    """
    if not count:
        return [f"{target} = np.uint64(0)"]
    terms, rest, lines = [], row, []
    for axis in reversed(range(count)):
        if axis == 0:
            terms.append(f"{rest} * g[{steps_at}]")
            continue
        terms.append(f"({rest} % g[{size_at + axis}]) * g[{steps_at + axis}]")
        lines.append(f"{target}_{axis} = {rest} // g[{size_at + axis}]")
        rest = f"{target}_{axis}"
    return [*lines, f"{target} = {' + '.join(terms)}"]


class Recipe(NamedTuple):
    """What an elementwise loop computes, so that it can be written again for results that lie elsewhere."""

    body: Body
    sources: tuple[View, ...]
    shape: tuple[int, ...]
    note: str

    def again(self, targets: Sequence[View]) -> tuple["Loop", list[View]]:
        """The loop for other targets, and its views."""
        return in_place(self, targets)


class Loop(NamedTuple):
    """A kernel with the geometry of one use."""

    kernel: Kernel
    geometry: list[int]
    tiles: int
    recipe: Any = None


# Words of the geometry before the sizes of the outer axes.
_N, _ROWS, _CHUNK, _CHUNKS, _GROUP, _HEAD = 0, 1, 2, 3, 4, 5


def elementwise(
    body: Body, sources: Sequence[View], targets: Sequence[View], shape: tuple[int, ...], note: str
) -> Loop:
    """The loop that computes `body` for every element of `shape`. Its views: sources, then targets."""
    return _loop(Recipe(body, tuple(sources), shape, note), targets, {})


def in_place(recipe: Recipe, targets: Sequence[View]) -> tuple[Loop, list[View]]:
    """The same loop for other targets, and its views: a source that lies where a target does is replaced there."""
    again = {k: j for k, v in enumerate(recipe.sources) for j, t in enumerate(targets) if v == t}
    kept = [v for k, v in enumerate(recipe.sources) if k not in again]
    return _loop(recipe, targets, again), [*kept, *targets]


def tile_size(lines: Sequence[str], names: Iterable[str]) -> int:
    """The elements of one tile, fewer where these lines are much work on each, in a power of two."""
    work = len(lines) + _CALL * sum(line.count(f"{name}(") for line in lines for name in names)
    size = TILE
    while size > LEAST and size * work > TILE * _LINES:
        size //= 2
    return size


# Writing a kernel's source takes longer than everything else that a loop for other sizes needs.
_KERNELS: dict[Any, Kernel] = {}
_MOST_KERNELS = 4096


def written_once(key: Any, write: Callable[[], Kernel]) -> Kernel:
    """The kernel that `write` gave for this key before, or gives now; the key holds all that its source depends on."""
    kernel = _KERNELS.get(key)
    if kernel is None:
        if len(_KERNELS) >= _MOST_KERNELS:
            _KERNELS.clear()
        kernel = _KERNELS[key] = write()
    return kernel


def _loop(recipe: Recipe, targets: Sequence[View], again: dict[int, int]) -> Loop:
    body, sources, shape, note = recipe
    apart = [k for k in range(len(sources)) if k not in again]
    views = [*(sources[k].broadcast(shape) for k in apart), *targets]
    sizes, steps = collapse(shape, [v.steps() for v in views])
    outer, n = sizes[:-1], sizes[-1] if sizes else 1
    inner = [s[-1] if s else 0 for s in steps]
    kinds = {k: _KINDS.get(step, "g") for k, step in zip(apart, inner)}
    kinds |= {k: f"y{j}" for k, j in again.items()}
    key = (body.lines, body.results, tuple(kinds.items()), tuple([v.dtype for v in views]), len(outer), note)
    kernel = written_once(key, lambda: _kernel(body, kinds, [v.dtype for v in views], len(outer), note))
    rows = math.prod(outer)
    most = tile_size(body.lines, body.names)
    chunk = min(n, most) or 1
    chunks = -(-n // chunk)
    group = max(1, most // max(n, 1)) if chunks == 1 else 1
    tiles = -(-rows // group) * chunks
    geometry = [n, rows, chunk, chunks, group, *outer]
    for step, along in zip(steps, inner):
        geometry += [*step[:-1], along]
    return Loop(kernel, geometry, tiles if n else 0, recipe)


# LLVM has vector loads for small steps that it knows; with others it makes a plain loop.
_KINDS = {0: "s", 1: "c", 2: "2", 3: "3", 4: "4"}
_READS = {"s": "{v} = {x}[p_{x}]", "c": "{v} = {x}[p_{x} + k]", "g": "{v} = {x}[p_{x} + k * t_{x}]"}
_READS |= {step: f"{{v}} = {{x}}[p_{{x}} + k * np.uint64({step})]" for step in "234"}


def _kernel(body: Body, kinds: dict[int, str], dtypes: Sequence[Any], outer: int, note: str) -> Kernel:
    """kinds: how each source goes along the innermost axis, or the target in whose place it is."""
    own = {f"x{k}": kind for k, kind in sorted(kinds.items()) if kind in _READS}
    names = [*own, *(f"y{k}" for k in range(len(dtypes) - len(own)))]
    per_array = outer + 1
    steps_at = {name: _HEAD + outer + k * per_array for k, name in enumerate(names)}
    lines = [f"n, rows, chunk, chunks, group = g[{_N}], g[{_ROWS}], g[{_CHUNK}], g[{_CHUNKS}], g[{_GROUP}]"]
    lines += [f"t_{name} = g[{steps_at[name] + outer}]" for name, kind in own.items() if kind == "g"]
    lines += [
        "for tile in range(start, end):",
        "    first, k0 = tile // chunks * group, tile % chunks * chunk",
        "    last, k1 = min(first + group, rows), min(k0 + chunk, n)",
        "    for row in range(first, last):",
    ]
    head: list[str] = []
    for name in names:
        head += offsets(f"p_{name}", "row", outer, _HEAD, steps_at[name])
    inside: list[str] = []
    for k in (k for k in sorted(kinds) if uses(body, f"v{k}")):
        part = head if kinds[k] == "s" else inside
        place, form = (f"x{k}", _READS[kinds[k]]) if kinds[k] in _READS else (kinds[k], _READS["c"])
        part.append(form.format(v=f"v{k}", x=place))
    inside += body.lines
    inside += [f"y{k}[p_y{k} + k] = {result}" for k, result in enumerate(body.results)]
    lines += ["        " + line for line in [*head, "for k in range(k0, k1):", *("    " + line for line in inside)]]
    words = _HEAD + outer + per_array * len(names)
    return build(lines, names, dtypes, words, body.names, note)
