"""Random bits inside an elementwise loop: Philox4x32-10, whose blocks of four words become four elements.

The bits are those of `ops.random.random_bits`: element i is word i % 4 of block i // 4, so any thread can make any of
them, and none are stored. Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

import math
from collections.abc import Sequence
from typing import Any

from ..machine.kernel import Kernel, build
from ..machine.memory import View, row_major
from .expression import Body, uses
from .loops import TILE, Collapsed, Loop, collapse, offsets

_MULTIPLY = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LANES = 4
_LOW = "np.uint64(0xFFFFFFFF)"
_HEAD = 5
_FIRST = "w0, w1, w2, w3 = block, block >> np.uint64(32), c_2, c_3"
_PRODUCTS = f"m0, m1 = np.uint64({_MULTIPLY[0]}) * (w0 & {_LOW}), np.uint64({_MULTIPLY[1]}) * (w2 & {_LOW})"
_WORDS = "w0, w1, w2, w3 = (m1 >> np.uint64(32)) ^ w1 ^ {}, m1, (m0 >> np.uint64(32)) ^ w3 ^ {}, m0"


def fits(sources: Sequence[View], draw: int, shape: tuple[int, ...]) -> bool:
    """Whether the rows of the loop are whole blocks."""
    sizes = _axes(sources, draw, shape, ()).sizes
    return len(sizes) < 2 or sizes[-1] % _LANES == 0


def _axes(sources: Sequence[View], draw: int, shape: tuple[int, ...], targets: Sequence[View]) -> Collapsed:
    """The axes of the loop, in which the bits lie as a contiguous array would."""
    steps = [v.broadcast(shape).steps() for k, v in enumerate(sources) if k != draw]
    return collapse(shape, [row_major(shape, 1), *steps, *(v.steps() for v in targets)])


def drawn(
    body: Body, sources: Sequence[View], draw: int, targets: Sequence[View], shape: tuple[int, ...], note: str
) -> Loop:
    """The loop of `body` over `shape` into contiguous targets; operand number `draw` are random bits, of which
    `sources[draw]` is the key."""
    sizes, (_, *steps) = _axes(sources, draw, shape, targets)
    steps.insert(draw, [0] * len(sizes))
    outer, n = sizes[:-1], sizes[-1] if sizes else 1
    inner = [s[-1] if s else 0 for s in steps]
    kinds = ["s" if step == 0 else "c" if step == 1 else "g" for step in inner[: len(sources)]]
    kinds[draw] = "r"
    kernel = _kernel(body, kinds, [v.dtype for v in (*sources, *targets)], len(outer), note)
    rows = math.prod(outer)
    chunk = min(-(-n // _LANES) * _LANES, TILE) or 1
    chunks = -(-n // chunk)
    group = max(1, TILE // max(n, 1)) if chunks == 1 else 1
    geometry = [n, rows, chunk, chunks, group, *outer]
    for step, along in zip(steps, inner):
        geometry += [*step[:-1], along]
    return Loop(kernel, geometry, -(-rows // group) * chunks if n else 0)


def _kernel(body: Body, kinds: Sequence[str], dtypes: Sequence[Any], outer: int, note: str) -> Kernel:
    count = len(kinds)
    key = f"x{kinds.index('r')}"
    names = [*(f"x{k}" for k in range(count)), *(f"y{k}" for k in range(len(dtypes) - count))]
    per_array = outer + 1
    steps_at = {name: _HEAD + outer + k * per_array for k, name in enumerate(names)}
    moving = [name for name in names if name != key]
    lines = [
        "n, rows, chunk, chunks, group = g[0], g[1], g[2], g[3], g[4]",
        *(f"t_{x} = g[{steps_at[x] + outer}]" for x, kind in zip(names, kinds) if kind == "g"),
        *_keys(key),
        "for tile in range(start, end):",
        "    first, k0 = tile // chunks * group, tile % chunks * chunk",
        "    last, k1 = min(first + group, rows), min(k0 + chunk, n)",
        "    for row in range(first, last):",
    ]
    head = [line for x in moving for line in offsets(f"p_{x}", "row", outer, _HEAD, steps_at[x])]
    reads = {"s": "{v} = {x}[p_{x}]", "c": "{v} = {x}[p_{x} + k]", "g": "{v} = {x}[p_{x} + k * t_{x}]"}
    operands = [(k, kind) for k, kind in enumerate(kinds) if kind != "r" and uses(body, f"v{k}")]
    head += [reads["s"].format(v=f"v{k}", x=f"x{k}") for k, kind in operands if kind == "s"]
    inside = [reads[kind].format(v=f"v{k}", x=f"x{k}") for k, kind in operands if kind != "s"]
    inside += [*body.lines, *(f"y{k}[p_y{k} + k] = {result}" for k, result in enumerate(body.results))]
    bits = f"v{kinds.index('r')}"
    whole = ["block = at + q", *_rounds()]
    for lane in range(_LANES):
        whole += [f"k = q * np.uint64({_LANES}) + np.uint64({lane})", f"{bits} = np.uint32(w{lane})", *inside]
    rest = [
        "w = w0 if k - edge == np.uint64(0) else (w1 if k - edge == np.uint64(1) else w2)",
        f"{bits} = np.uint32(w)",
    ]
    head += [
        f"at, edge = row * n // np.uint64({_LANES}), k1 // np.uint64({_LANES}) * np.uint64({_LANES})",
        f"for q in range(k0 // np.uint64({_LANES}), k1 // np.uint64({_LANES})):",
        *("    " + line for line in whole),
        "if edge < k1:",
        f"    block = at + edge // np.uint64({_LANES})",
        *("    " + line for line in _rounds_in_a_loop()),
        "    for k in range(edge, k1):",
        *("        " + line for line in (*rest, *inside)),
    ]
    lines += ["        " + line for line in head]
    return build(lines, names, dtypes, _HEAD + outer + per_array * len(names), body.names, note)


def _keys(key: str) -> list[str]:
    """The words of the key in each round, and the half of the counter that comes from the key."""
    lines = [f"c_2, c_3 = np.uint64({key}[np.uint64(2)]), np.uint64({key}[np.uint64(3)])"]
    for half, weyl in enumerate(_WEYL):
        lines.append(f"s{half}_0 = np.uint64({key}[np.uint64({half})])")
        lines += [f"s{half}_{r} = (s{half}_0 + np.uint64({r * weyl % 2**32})) & {_LOW}" for r in range(1, _ROUNDS)]
    return lines


def _rounds() -> list[str]:
    """From `block` to its words w0..w3, in the low halves; a product of low halves is one instruction."""
    return [_FIRST, *(line for r in range(_ROUNDS) for line in (_PRODUCTS, _WORDS.format(f"s0_{r}", f"s1_{r}")))]


def _rounds_in_a_loop() -> list[str]:
    """The same for a single block, in code that is short."""
    inside = [
        _PRODUCTS,
        _WORDS.format("s0", "s1"),
        *(f"s{h} = (s{h} + np.uint64({_WEYL[h]})) & {_LOW}" for h in (0, 1)),
    ]
    return [_FIRST, "s0, s1 = s0_0, s1_0", "r = np.uint64(0)", f"while r < np.uint64({_ROUNDS}):",
            *("    " + line for line in inside), "    r += np.uint64(1)"]  # fmt: skip
